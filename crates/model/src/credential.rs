//! What a reader reads and what a keypad is told.
//!
//! A credential's key is (format, number of bits, the bits), never a printed number: what is printed on a card is not
//! always what readers send, and two formats may print the same number. Numbers that people type are *views*, made
//! from a key and made into one by a decoder that knows the format.

use serde::{Deserialize, Serialize};
use std::fmt;

/// How the bits of a credential came to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum CredentialFormat {
    /// The bits as a card reader sends them, over Wiegand or as OSDP's `RAW`, parity bits and all.
    Bits,
    /// The serial number of a chip card (ISO/IEC 14443), as a PC/SC reader tells it.
    Serial,
    /// Digits that somebody typed at a keypad, four bits each.
    Code,
}

/// Whether a credential can be copied by whoever has held it for a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum CredentialTier {
    /// It only says a number: it identifies, it does not prove. Anybody can copy it.
    Identifier,
    /// The reader had the card prove its number with a key of its own.
    Proven,
}

/// What one card says. It names a person once it is given to one, so it prints redacted.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CredentialKey {
    format: CredentialFormat,
    bits: u8,
    /// The bits from the left, the rest zero.
    raw: [u8; Self::LONGEST],
}

/// Why bits are not a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CredentialError {
    /// Too few to tell cards apart, or more than any format has.
    #[error("a card has {} to {} bits", CredentialKey::FEWEST_BITS, CredentialKey::MOST_BITS)]
    Length,
    /// The number of bytes does not fit the number of bits, or bits after the last are set.
    #[error("the bytes do not fit the number of bits")]
    Mismatch,
}

impl CredentialKey {
    /// No format in use has fewer.
    pub const FEWEST_BITS: u8 = 24;
    /// The longest in use: 200-bit card holder numbers.
    pub const MOST_BITS: u8 = 200;
    const LONGEST: usize = (Self::MOST_BITS / 8) as usize;

    /// From the bits, the first one the highest of the first byte; bits after the last must be zero.
    ///
    /// # Errors
    /// When there are too few, too many, or the bytes do not fit.
    pub fn new(format: CredentialFormat, bits: u8, bytes: &[u8]) -> Result<Self, CredentialError> {
        if !(Self::FEWEST_BITS..=Self::MOST_BITS).contains(&bits) {
            return Err(CredentialError::Length);
        }
        if bytes.len() != usize::from(bits.div_ceil(8)) {
            return Err(CredentialError::Mismatch);
        }
        let unused = u32::from(bits).next_multiple_of(8) - u32::from(bits);
        if bytes.last().is_some_and(|last| last.trailing_zeros() < unused) {
            return Err(CredentialError::Mismatch);
        }
        let mut raw = [0; Self::LONGEST];
        for (to, from) in raw.iter_mut().zip(bytes) {
            *to = *from;
        }
        Ok(Self { format, bits, raw })
    }

    /// From digits typed at a keypad: 6 to 50 of them.
    ///
    /// # Errors
    /// [`CredentialError::Length`] when there are fewer or more, [`CredentialError::Mismatch`] when one is none.
    pub fn code(digits: &str) -> Result<Self, CredentialError> {
        let bits = u8::try_from(digits.len() * 4).map_err(|_| CredentialError::Length)?;
        let mut bytes = vec![0; digits.len().div_ceil(2)];
        for (place, digit) in digits.bytes().enumerate() {
            if !digit.is_ascii_digit() {
                return Err(CredentialError::Mismatch);
            }
            if let Some(byte) = bytes.get_mut(place / 2) {
                *byte |= (digit - b'0') << if place % 2 == 0 { 4 } else { 0 };
            }
        }
        Self::new(CredentialFormat::Code, bits, &bytes)
    }

    /// How the bits came to be.
    pub const fn format(&self) -> CredentialFormat {
        self.format
    }

    /// How many bits there are.
    pub const fn bits(&self) -> u8 {
        self.bits
    }

    /// The bits, from the left of the first byte.
    pub fn bytes(&self) -> &[u8] {
        self.raw.get(..usize::from(self.bits.div_ceil(8))).unwrap_or(&self.raw)
    }

    /// What is hashed to look it up: no two keys have the same.
    pub fn canonical(&self) -> [u8; Self::LONGEST + 2] {
        let mut whole = [0; Self::LONGEST + 2];
        let format = match self.format {
            CredentialFormat::Bits => 1,
            CredentialFormat::Serial => 2,
            CredentialFormat::Code => 3,
        };
        for (to, from) in whole.iter_mut().zip([format, self.bits].into_iter().chain(self.raw)) {
            *to = from;
        }
        whole
    }
}

impl fmt::Debug for CredentialKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CredentialKey({:?}, {} bits, ‹redacted›)", self.format, self.bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_its_format_its_length_and_its_bits() {
        let key = |format, bits, bytes: &[u8]| CredentialKey::new(format, bits, bytes).unwrap();
        let card = key(CredentialFormat::Bits, 26, &[0x12, 0x34, 0x56, 0x40]);
        assert_eq!((card.bits(), card.bytes()), (26, &[0x12, 0x34, 0x56, 0x40][..]));
        let others = [
            key(CredentialFormat::Serial, 26, &[0x12, 0x34, 0x56, 0x40]),
            key(CredentialFormat::Bits, 27, &[0x12, 0x34, 0x56, 0x40]),
            key(CredentialFormat::Bits, 26, &[0x12, 0x34, 0x56, 0x80]),
        ];
        for other in others {
            assert_ne!(card, other);
            assert_ne!(card.canonical(), other.canonical());
        }
        assert_eq!(format!("{card:?}"), "CredentialKey(Bits, 26 bits, ‹redacted›)");
    }

    #[test]
    fn a_code_is_its_digits() {
        let code = CredentialKey::code("4071993").unwrap();
        assert_eq!((code.format(), code.bits()), (CredentialFormat::Code, 28));
        assert_eq!(code.bytes(), [0x40, 0x71, 0x99, 0x30]);
        assert_ne!(code.canonical(), CredentialKey::code("40719930").unwrap().canonical(), "one digit more");
        assert_eq!(CredentialKey::code("40719").unwrap_err(), CredentialError::Length);
        assert_eq!(CredentialKey::code(&"1".repeat(99)).unwrap_err(), CredentialError::Length);
        assert_eq!(CredentialKey::code("4071 9936").unwrap_err(), CredentialError::Mismatch);
        assert_eq!(CredentialKey::code("٤٠٧١٩٩").unwrap_err(), CredentialError::Mismatch);
    }

    #[test]
    fn what_is_no_card_is_refused() {
        use CredentialError::{Length, Mismatch};
        let refused =
            |bits, bytes: &[u8]| CredentialKey::new(CredentialFormat::Bits, bits, bytes).unwrap_err();
        assert_eq!(refused(23, &[1, 2, 2]), Length);
        assert_eq!(refused(201, &[1; 26]), Length);
        assert_eq!(refused(26, &[1, 2, 3]), Mismatch);
        assert_eq!(refused(26, &[1, 2, 3, 0x20]), Mismatch, "a bit after the last");
        assert_eq!(refused(32, &[1, 2, 3, 4, 5]), Mismatch);
        assert!(CredentialKey::new(CredentialFormat::Bits, 200, &[255; 25]).is_ok());
        assert!(CredentialKey::new(CredentialFormat::Bits, 24, &[0, 0, 1]).is_ok());
    }
}
