//! Sorting names as the country's telephone book does: å is a letter after z, not an a with a ring.
//!
//! The keys are kept in the database, so they may not change with the version of a library's tables; they follow CLDR's
//! orders of nb, da and sv for what stands on doorbells.

use crate::fold::fold;
use unicode_normalization::UnicodeNormalization;

/// The order of the letters after z.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alphabet {
    /// æ ø å, with ä as æ, ö as ø and aa as å.
    Norwegian,
    /// å ä ö, with æ as ä and ø as ö.
    Swedish,
}

impl Alphabet {
    /// The one in use where a time zone of the IANA database is kept.
    pub fn of_time_zone(name: &str) -> Self {
        match name {
            "Europe/Stockholm" | "Europe/Helsinki" | "Europe/Mariehamn" => Self::Swedish,
            _ => Self::Norwegian,
        }
    }

    /// What sorts, byte by byte, as the names do: no case, no marks but those that make a letter of their own.
    pub fn key(self, name: &str) -> String {
        // `{`, `|` and `}` come after z and before every other script
        let (ae, oe, aa) = match self {
            Self::Norwegian => ("{", "|", "}"),
            Self::Swedish => ("|", "}", "{"),
        };
        let mut key = String::with_capacity(name.len());
        let mut letters = name.nfc().flat_map(char::to_lowercase).peekable();
        while let Some(letter) = letters.next() {
            match letter {
                'æ' | 'ä' => key.push_str(ae),
                'ø' | 'ö' => key.push_str(oe),
                'å' => key.push_str(aa),
                'a' if self == Self::Norwegian && letters.next_if_eq(&'a').is_some() => key.push_str(aa),
                'ü' => key.push('y'),
                other => key.push_str(&fold(other.encode_utf8(&mut [0; 4]))),
            }
        }
        key
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(alphabet: Alphabet, names: &str) -> String {
        let mut names: Vec<&str> = names.split(' ').collect();
        names.sort_by_key(|name| alphabet.key(name));
        names.join(" ")
    }

    #[test]
    fn a_norwegian_list_ends_with_aa() {
        let names = "Åse Aas Østby Öberg Ærlig Zoe Anna Müller Nguyen Ivanov Łoś";
        assert_eq!(
            sorted(Alphabet::Norwegian, names),
            "Anna Ivanov Łoś Müller Nguyen Zoe Ærlig Öberg Østby Aas Åse"
        );
    }

    #[test]
    fn a_swedish_list_has_its_own_end() {
        let names = "Öberg Åkesson Ärlig Aaberg Østby Zetterberg anders Émile";
        assert_eq!(
            sorted(Alphabet::Swedish, names),
            "Aaberg anders Émile Zetterberg Åkesson Ärlig Öberg Østby"
        );
    }

    #[test]
    fn a_letter_is_the_same_however_it_is_written() {
        assert_eq!(Alphabet::Norwegian.key("A\u{30a}se"), Alphabet::Norwegian.key("ÅSE"));
        assert!(Alphabet::Norwegian.key("Åse") < Alphabet::Norwegian.key("Ωmega"));
    }

    #[test]
    fn the_zone_tells_the_alphabet() {
        assert_eq!(Alphabet::of_time_zone("Europe/Stockholm"), Alphabet::Swedish);
        for zone in ["Europe/Oslo", "Europe/Copenhagen", "Europe/Berlin", ""] {
            assert_eq!(Alphabet::of_time_zone(zone), Alphabet::Norwegian);
        }
    }
}
