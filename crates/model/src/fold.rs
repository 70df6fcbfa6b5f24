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

/// What a list of numbers is sorted by: the text folded, its figures by their value, so that "B 2" comes before "B 10".
///
/// Bytes, because databases sort text each in their own way. Before each run of figures stands how many there are without
/// the zeros in front: more figures are a greater number.
pub fn natural(text: &str) -> Vec<u8> {
    let folded = fold(text);
    let mut key = Vec::with_capacity(folded.len() + 2);
    let mut letters = folded.chars().peekable();
    while let Some(letter) = letters.next() {
        if !letter.is_ascii_digit() {
            key.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
            continue;
        }
        let mut run = String::from(letter);
        while let Some(figure) = letters.next_if(char::is_ascii_digit) {
            run.push(figure);
        }
        let value = run.trim_start_matches('0').as_bytes();
        // nine and on again: as long as it takes, and none begins like another
        key.extend(std::iter::repeat_n(b'9', value.len() / 9));
        key.push(u8::try_from(value.len() % 9).map_or(b'0', |rest| b'0' + rest));
        key.extend_from_slice(value);
    }
    key
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

    #[test]
    fn figures_are_sorted_by_their_value() {
        let sorted = ["", "2", "09", "10", "1101", "a", "Å 9", "A 010 b", "a 11", "aker", "B2", "b10"];
        for two in sorted.windows(2) {
            assert!(natural(two[0]) < natural(two[1]), "{two:?}");
        }
        assert_eq!(natural("H0201"), natural("h201"));
        let long = |figures| natural(&"1".repeat(figures));
        assert!((1..40).all(|figures| long(figures) < long(figures + 1)));
    }

    proptest! {
        #[test]
        fn numbers_are_sorted_as_numbers(one in any::<u128>(), other in any::<u128>()) {
            prop_assert_eq!(natural(&one.to_string()).cmp(&natural(&other.to_string())), one.cmp(&other));
        }

        #[test]
        fn words_are_short_folded_and_fixed_points(text in any::<String>()) {
            for word in words(&text) {
                prop_assert!(!word.is_empty() && word.len() <= WORD_MAX);
                prop_assert!(word.chars().all(char::is_alphanumeric));
            }
        }
    }
}
