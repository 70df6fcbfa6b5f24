//! One keypad: keys become a code, and guessing takes longer each time ([`klinke_access::lockout`]).
//!
//! `#` ends a code, and so does [`PAUSE`] without a key; `*` clears it. Pure; what is typed is never printed.

use crate::reader::Key;
use klinke_access::lockout::Lockout;
use klinke_model::credential::CredentialKey;
use klinke_model::time::Mono;
use std::fmt;
use std::time::Duration;

/// Without a key for this long, what was typed is a whole code.
pub const PAUSE: Duration = Duration::from_secs(4);

/// More digits are no code.
const MOST_DIGITS: usize = CredentialKey::MOST_BITS as usize / 4;

/// One keypad.
pub struct Keypad {
    digits: String,
    /// When what was typed is whole by itself.
    until: Option<Mono>,
    /// How long nobody is asked after wrong codes.
    pub lockout: Lockout,
}

/// What was typed, once it is whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Typed {
    /// This code.
    Code(CredentialKey),
    /// Too few digits for a code, or too many.
    NoCode,
}

impl Keypad {
    /// A keypad with what was kept of its wrong codes.
    pub const fn new(lockout: Lockout) -> Self {
        Self { digits: String::new(), until: None, lockout }
    }

    /// Takes a key; what was typed, when it is whole.
    pub fn press(&mut self, key: Key, now: Mono) -> Option<Typed> {
        match key {
            Key::Digit(digit) => {
                // one more than a code has says that it is none
                if self.digits.len() <= MOST_DIGITS {
                    self.digits.push(char::from(b'0' + digit % 10));
                }
                self.until = Some(now + PAUSE);
                None
            }
            Key::Star => {
                self.clear();
                None
            }
            Key::Hash => self.whole(),
        }
    }

    /// Time has passed; what was typed, when nobody typed on.
    pub fn settle(&mut self, now: Mono) -> Option<Typed> {
        self.until.is_some_and(|until| until <= now).then(|| self.whole()).flatten()
    }

    /// When to call [`Keypad::settle`].
    pub const fn wakes_at(&self) -> Option<Mono> {
        self.until
    }

    /// Forgets what was typed.
    pub fn clear(&mut self) {
        self.digits.clear();
        self.until = None;
    }

    fn whole(&mut self) -> Option<Typed> {
        self.until = None;
        let digits = std::mem::take(&mut self.digits);
        if digits.is_empty() {
            return None;
        }
        Some(CredentialKey::code(&digits).map_or(Typed::NoCode, Typed::Code))
    }
}

impl fmt::Debug for Keypad {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keypad({:?}, ‹redacted›)", self.lockout)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::Keys;

    fn at(millis: u64) -> Mono {
        Mono::from_millis(millis)
    }
    fn typed(keypad: &mut Keypad, keys: &str, now: u64) -> Option<Typed> {
        let keys = Keys::from_ascii(keys.as_bytes()).unwrap();
        keys.as_slice().iter().map(|key| keypad.press(*key, at(now))).last().flatten()
    }
    fn code(digits: &str) -> Option<Typed> {
        Some(Typed::Code(CredentialKey::code(digits).unwrap()))
    }

    #[test]
    fn a_code_ends_with_its_key_or_a_pause_and_star_clears_it() {
        let mut keypad = Keypad::new(Lockout::default());
        assert_eq!(typed(&mut keypad, "407199", 0), None);
        assert_eq!(typed(&mut keypad, "#", 10), code("407199"));
        assert_eq!((typed(&mut keypad, "#", 20), keypad.wakes_at()), (None, None), "nothing is no code");

        typed(&mut keypad, "4071", 1_000);
        typed(&mut keypad, "99", 3_000);
        assert_eq!(keypad.wakes_at(), Some(at(7_000)));
        assert_eq!(keypad.settle(at(6_999)), None);
        assert_eq!(keypad.settle(at(7_000)), code("407199"));
        assert_eq!(keypad.settle(at(7_000)), None, "once");

        assert_eq!(typed(&mut keypad, "99*407199#", 9_000), code("407199"));
        assert_eq!(typed(&mut keypad, "40719#", 9_000), Some(Typed::NoCode));
        assert_eq!(typed(&mut keypad, &format!("{}#", "1".repeat(50)), 9_000), code(&"1".repeat(50)));
        assert_eq!(typed(&mut keypad, &format!("{}#", "1".repeat(500)), 9_000), Some(Typed::NoCode));
        typed(&mut keypad, "1", 9_000);
        assert!(format!("{keypad:?}").contains('‹'));
    }
}
