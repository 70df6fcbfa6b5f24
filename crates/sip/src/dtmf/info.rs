//! Keys as SIP INFO requests, in the two bodies that phones send.
//!
//! ```text
//! application/dtmf-relay     Signal=5        application/dtmf     5
//!                            Duration=160
//! ```

use super::Digit;

/// Bodies are no longer than this, bytes.
const LONGEST: usize = 256;

/// The key in the body of an INFO request with this content type; `None` when there is none or more than one.
pub fn digit(content_type: &str, body: &[u8]) -> Option<Digit> {
    let kind = content_type.split(';').next().unwrap_or_default().trim();
    let text = std::str::from_utf8(body.get(..body.len().min(LONGEST))?).ok()?;
    if kind.eq_ignore_ascii_case("application/dtmf-relay") {
        let signals = text.lines().filter_map(|line| {
            let (name, value) = line.split_once('=')?;
            name.trim().eq_ignore_ascii_case("signal").then_some(value)
        });
        let mut digits = signals.map(single);
        let digit = digits.next()??;
        return digits.next().is_none().then_some(digit);
    }
    if kind.eq_ignore_ascii_case("application/dtmf") {
        return single(text);
    }
    None
}

/// The body of our own INFO, `application/dtmf-relay`.
pub fn relay(digit: Digit) -> String {
    format!("Signal={}\r\nDuration=120\r\n", digit.as_char())
}

/// One key as a character, or as the number of its event where it has two places.
fn single(text: &str) -> Option<Digit> {
    let text = text.trim();
    let mut characters = text.chars();
    match (characters.next(), characters.next()) {
        (Some(only), None) => Digit::from_char(only),
        (Some('1'), Some('0'..='5')) if text.len() == 2 => Digit::from_event(text.parse().ok()?),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn both_bodies_in_the_spellings_of_phones() {
        let cases = [
            ("application/dtmf-relay", "Signal=5\r\nDuration=160\r\n", Some('5')),
            ("application/dtmf-relay", "Signal= 8\nDuration= 250", Some('8')),
            ("Application/DTMF-Relay; charset=utf-8", "signal=*", Some('*')),
            ("application/dtmf-relay", "Duration=160\r\nSignal=#\r\n", Some('#')),
            ("application/dtmf-relay", "Signal=11\r\n", Some('#')),
            ("application/dtmf-relay", "5", None),
            ("application/dtmf-relay", "Signal=55\r\n", None),
            ("application/dtmf-relay", "Signal=5\r\nSignal=8\r\n", None),
            ("application/dtmf-relay", "Signal=\r\n", None),
            ("application/dtmf", "5", Some('5')),
            ("application/dtmf", " 8\r\n", Some('8')),
            ("application/dtmf", "10", Some('*')),
            ("application/dtmf", "16", None),
            ("application/dtmf", "58", None),
            ("application/dtmf", "", None),
            ("application/media_control+xml", "5", None),
            ("", "5", None),
        ];
        for (kind, body, wanted) in cases {
            assert_eq!(digit(kind, body.as_bytes()).map(Digit::as_char), wanted, "{kind}: {body:?}");
        }
    }

    #[test]
    fn our_own_is_read_again() {
        for code in 0..16 {
            let one = Digit::from_event(code).unwrap();
            assert_eq!(digit("application/dtmf-relay", relay(one).as_bytes()), Some(one));
        }
    }

    proptest! {
        #[test]
        fn any_body_is_a_key_or_none(body in prop::collection::vec(any::<u8>(), 0..400), relay: bool) {
            let kind = if relay { "application/dtmf-relay" } else { "application/dtmf" };
            let _ = digit(kind, &body);
        }
    }
}
