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

    /// What a list of numbers is sorted by: the key of the text, its figures by their value, so that "B 2" comes before "B 10".
    ///
    /// Bytes, because databases sort text each in their own way. Before each run of figures stands how many there are without
    /// the zeros in front: more figures are a greater number.
    pub fn natural(self, text: &str) -> Vec<u8> {
        let sorted = self.key(text);
        let mut key = Vec::with_capacity(sorted.len() + 2);
        let mut letters = sorted.chars().peekable();
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

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

    #[test]
    fn figures_are_sorted_by_their_value() {
        let sorted = ["", "2", "09", "10", "1101", "a", "A 9", "a 010 b", "a 11", "aker", "B2", "b10", "Å 1"];
        for two in sorted.windows(2) {
            assert!(Alphabet::Norwegian.natural(two[0]) < Alphabet::Norwegian.natural(two[1]), "{two:?}");
        }
        assert_eq!(Alphabet::Norwegian.natural("H0201"), Alphabet::Norwegian.natural("h201"));
        let long = |figures| Alphabet::Norwegian.natural(&"1".repeat(figures));
        assert!((1..40).all(|figures| long(figures) < long(figures + 1)));
    }

    proptest! {
        #[test]
        fn numbers_are_sorted_as_numbers(one in any::<u128>(), other in any::<u128>()) {
            prop_assert_eq!(Alphabet::Norwegian.natural(&one.to_string()).cmp(&Alphabet::Norwegian.natural(&other.to_string())), one.cmp(&other));
        }
    }
}
