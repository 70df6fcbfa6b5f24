//! The phrases: what they are named, and what they say in each language.

use klinke_model::contact::Language;

/// Every language that a telephone is spoken to in.
pub const LANGUAGES: [Language; 5] = [Language::Nb, Language::Nn, Language::Sv, Language::Da, Language::En];

/// The BCP 47 tag of a language.
pub const fn tag(language: Language) -> &'static str {
    match language {
        Language::Nb => "nb",
        Language::Nn => "nn",
        Language::Sv => "sv",
        Language::Da => "da",
        Language::En => "en",
    }
}

/// The language with this tag.
pub fn language(wanted: &str) -> Option<Language> {
    LANGUAGES.into_iter().find(|&language| tag(language) == wanted)
}

/// One recording of a language. Sentences are put together from them with pauses between.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phrase {
    /// "Somebody is at the door."
    Somebody,
    /// "Press 5 to open the door. Press 1 to talk."
    Keys,
    /// "Press 5 to open the door."
    Opens,
    /// "The door is open."
    Opened,
    /// "The door has been told to open."
    Sent,
    /// "The door could not be opened."
    NotOpened,
    /// "Somebody else has answered."
    Elsewhere,
    /// "The call ends in ten seconds."
    Ending,
    /// "Goodbye."
    Goodbye,
    /// "That key does nothing."
    WrongKey,
    /// "Type the four digits that your app shows."
    TypeCode,
    /// "Thank you. From now on this phone rings …"
    Confirmed,
    /// "That is not the code. …"
    WrongCode,
    /// "This is a test call of your door phone. Press any key."
    TestCall,
    /// "The key has come."
    KeyHeard,
    /// "You can not be heard at the door."
    Unheard,
}

impl Phrase {
    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        use Phrase::{
            Confirmed, Elsewhere, Ending, Goodbye, KeyHeard, Keys, NotOpened, Opened, Opens, Sent, Somebody,
            TestCall, TypeCode, Unheard, WrongCode, WrongKey,
        };
        [
            Somebody, Keys, Opens, Opened, Sent, NotOpened, Elsewhere, Ending, Goodbye, WrongKey, TypeCode,
            Confirmed, WrongCode, TestCall, KeyHeard, Unheard,
        ]
        .into_iter()
    }

    /// Its name in `phrases.txt`, and that of its file in a folder of recordings.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Somebody => "somebody",
            Self::Keys => "keys",
            Self::Opens => "opens",
            Self::Opened => "opened",
            Self::Sent => "sent",
            Self::NotOpened => "not-opened",
            Self::Elsewhere => "elsewhere",
            Self::Ending => "ending",
            Self::Goodbye => "goodbye",
            Self::WrongKey => "wrong-key",
            Self::TypeCode => "type-code",
            Self::Confirmed => "confirmed",
            Self::WrongCode => "wrong-code",
            Self::TestCall => "test-call",
            Self::KeyHeard => "key-heard",
            Self::Unheard => "unheard",
        }
    }

    /// The phrase with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::all().find(|phrase| phrase.name() == name)
    }

    /// What it says.
    pub fn text(self, language: Language) -> &'static str {
        text(language, self.name())
    }
}

/// "Somebody is at …" with the place in it.
pub fn somebody_at(language: Language, place: &str) -> String {
    text(language, "somebody-at").replace("{place}", place)
}

/// What stands in `phrases.txt`; every phrase stands there in every language, which a test proves.
fn text(language: Language, name: &str) -> &'static str {
    let here = tag(language);
    let found = include_str!("../phrases.txt").lines().find_map(|line| {
        let rest = line.strip_prefix(here)?.strip_prefix(' ')?;
        rest.strip_prefix(name)?.strip_prefix(' ')
    });
    found.unwrap_or_default().trim()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_phrase_has_its_own_name_and_a_text_in_every_language() {
        let names: HashSet<_> = Phrase::all().map(Phrase::name).collect();
        assert_eq!(names.len(), 16);
        for language in LANGUAGES {
            let texts: HashSet<_> = Phrase::all().map(|phrase| phrase.text(language)).collect();
            assert_eq!(texts.len(), 16, "{language:?} says two things alike, or one not");
            assert!(!texts.contains(""), "{language:?}");
            let there = somebody_at(language, "Storgatan 12 A");
            assert!(there.contains("Storgatan 12 A") && there.len() > 20, "{there}");
            assert_eq!(super::language(tag(language)), Some(language));
        }
        for phrase in Phrase::all() {
            assert_eq!(Phrase::named(phrase.name()), Some(phrase));
        }
        assert_eq!((Phrase::named("somebody-at"), Phrase::named(""), language("de")), (None, None, None));
    }

    #[test]
    fn no_line_of_the_texts_is_lost() {
        let lines = include_str!("../phrases.txt").lines().map(str::trim);
        let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
        assert_eq!(lines.count(), LANGUAGES.len() * (Phrase::all().count() + 1));
    }
}
