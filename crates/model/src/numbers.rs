//! Many unit numbers, as people write them: "1101-1108, 1201-1208, Loft".

use crate::text::Label;

/// Most units that are made at once.
pub const MOST_UNITS: usize = 1_000;

/// The numbers that a text names, in its order. `None` when a part is not a label, a number comes twice, there is none, or
/// there are more than [`MOST_UNITS`].
pub fn numbers(text: &str) -> Option<Vec<Label>> {
    let mut all: Vec<Label> = Vec::new();
    for part in text.split([',', ';', '\n']).map(str::trim).filter(|part| !part.is_empty()) {
        match range(part) {
            Some((prefix, from, to, width)) => {
                if to - from >= MOST_UNITS as u64 {
                    return None;
                }
                for number in from..=to {
                    all.push(Label::new(&format!("{prefix}{number:0width$}")).ok()?);
                }
            }
            None => all.push(Label::new(part).ok()?),
        }
        if all.len() > MOST_UNITS {
            return None;
        }
    }
    let mut once = all.clone();
    once.sort();
    once.dedup();
    (!all.is_empty() && once.len() == all.len()).then_some(all)
}

/// "H0101-H0108" as prefix, first, last and how many digits. Anything else is a number by itself, such as "12-B".
fn range(part: &str) -> Option<(&str, u64, u64, usize)> {
    let (first, last) = part.split_once(['-', '–'])?;
    let (first, last) = (split(first.trim())?, split(last.trim())?);
    let same = first.0 == last.0 && first.1.len() == last.1.len();
    let (from, to) = (first.1.parse().ok()?, last.1.parse().ok()?);
    (same && from <= to).then_some((first.0, from, to, first.1.len()))
}

fn split(number: &str) -> Option<(&str, &str)> {
    let digits = number.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    let (prefix, digits) = number.split_at_checked(digits)?;
    (!digits.is_empty()).then_some((prefix, digits))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Vec<String>> {
        Some(numbers(text)?.into_iter().map(String::from).collect())
    }

    #[test]
    fn ranges_and_single_numbers_are_read_in_their_order() {
        assert_eq!(read("1101-1103, 1201–1202").unwrap(), ["1101", "1102", "1103", "1201", "1202"]);
        assert_eq!(read("H0109 - H0110; Loft\n7").unwrap(), ["H0109", "H0110", "Loft", "7"]);
        assert_eq!(read("12-B, A1-B2, 9-10").unwrap(), ["12-B", "A1-B2", "9-10"]);
    }

    #[test]
    fn what_can_not_be_meant_is_refused() {
        for text in ["", " , ", "1-1,1", "101, 101", "1000-1001, 1001", "0001-9999", &"x".repeat(81)] {
            assert_eq!(read(text), None, "{text}");
        }
        assert_eq!(read("0001-1000").unwrap().len(), 1_000);
    }
}
