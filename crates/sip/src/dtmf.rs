//! Keys of a phone: how they come (RFC 4733 events, SIP INFO, tones in the sound), how we send them, and which of them
//! count.
//!
//! Whoever stands at the panel can play tones into it, and a loudspeaker or a line's echo carries them back. So what *comes*
//! is one thing ([`event`], [`info`], [`tones`]), and what *counts* another: [`press`] decides, and only that is told.

pub mod event;
pub mod info;
pub mod press;
pub mod tones;

/// A key of a phone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digit(u8);

impl Digit {
    /// All sixteen, in the order of RFC 4733 §3.2: 0 to 9, star, hash, A to D.
    pub const ALL: &'static [u8; 16] = b"0123456789*#ABCD";

    /// The key with this character: `0` to `9`, `*`, `#`, `A` to `D` or `a` to `d`.
    pub fn from_char(character: char) -> Option<Self> {
        let wanted = u8::try_from(character.to_ascii_uppercase()).ok()?;
        Self::ALL.contains(&wanted).then_some(Self(wanted))
    }

    /// The key with this event code, 0 to 15 (RFC 4733 §3.2).
    pub fn from_event(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied().map(Self)
    }

    /// Its event code, 0 to 15.
    pub fn event(self) -> u8 {
        // a digit is one of the sixteen
        Self::ALL.iter().zip(0_u8..).find(|(one, _)| **one == self.0).map_or(0, |(_, code)| code)
    }

    /// Its character.
    pub const fn as_char(self) -> char {
        self.0 as char
    }
}

/// How a key came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Way {
    /// As an event beside the sound (RFC 4733).
    Event,
    /// As a SIP INFO request.
    Info,
    /// As a tone in the sound.
    Tone,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_has_its_character_and_its_code() {
        for (code, &character) in (0_u8..).zip(Digit::ALL) {
            let digit = Digit::from_event(code).unwrap();
            assert_eq!(digit.as_char(), char::from(character));
            assert_eq!(digit.event(), code);
            assert_eq!(Digit::from_char(char::from(character)), Some(digit));
        }
        assert_eq!(Digit::from_char('b'), Digit::from_char('B'));
        assert_eq!([' ', 'E', '٥', '５', '-'].map(Digit::from_char), [None; 5]);
        assert_eq!([16, 255].map(Digit::from_event), [None; 2]);
    }
}
