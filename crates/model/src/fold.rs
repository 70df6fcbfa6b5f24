//! Finding a name without knowing how it is spelt: case and marks do not count, ø ö → o, å ä → a, æ → ae.
//!
//! The same folding as the panel's search (`web/src/panel/search.ts`).

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Longest word that is kept, in bytes; what is longer is found by its beginning.
pub const WORD_MAX: usize = 64;

/// Lower case, without marks.
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for letter in text.chars().flat_map(char::to_lowercase) {
        match letter {
            'æ' => folded.push_str("ae"),
            'œ' => folded.push_str("oe"),
            'ß' => folded.push_str("ss"),
            'þ' => folded.push_str("th"),
            'ø' => folded.push('o'),
            'đ' | 'ð' => folded.push('d'),
            'ŋ' => folded.push('n'),
            'ŧ' => folded.push('t'),
            'ł' => folded.push('l'),
            'ı' => folded.push('i'),
            other => folded.extend(std::iter::once(other).nfd().filter(|part| !is_combining_mark(*part))),
        }
    }
    folded
}

/// The folded words of a text, each once, in no order that means anything.
pub fn words(text: &str) -> Vec<String> {
    let folded = fold(text);
    let mut words: Vec<String> =
        folded.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(shortened).collect();
    words.sort();
    words.dedup();
    words
}

fn shortened(word: &str) -> String {
    let mut end = word.len().min(WORD_MAX);
    while !word.is_char_boundary(end) {
        end -= 1;
    }
    word.get(..end).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn nobody_has_to_know_how_a_name_is_spelt() {
        assert_eq!(fold("Åse Sætre-Müller"), "ase saetre-muller");
        assert_eq!(fold("ØSTBY É ŁOŃ Straße"), "ostby e lon strasse");
        assert_eq!(fold("A\u{30a}kesson"), "akesson");
        assert_eq!(words("Berg / Lind, berg@example.org"), ["berg", "example", "lind", "org"]);
        assert_eq!(words("  – "), Vec::<String>::new());
        assert_eq!(words(&"å".repeat(100)), ["a".repeat(64)]);
    }

    proptest! {
        #[test]
        fn words_are_short_folded_and_fixed_points(text in any::<String>()) {
            for word in words(&text) {
                prop_assert!(!word.is_empty() && word.len() <= WORD_MAX);
                prop_assert!(word.chars().all(char::is_alphanumeric));
            }
        }
    }
}
