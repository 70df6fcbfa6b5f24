//! A reader's own key (SCBK), and which keys are none.

use osdp::secure::SCBK_D;
use std::fmt;

/// The key that one reader and this controller share: 128 bits of chance. Never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct ReaderKey([u8; 16]);

/// Why bytes are not a reader's key. None of these says anything about the bytes beyond its own name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Published: the install key, or a key of examples.
    #[error("this key is published")]
    Published,
    /// Equal, counting or repeating bytes: an attacker tries these first.
    #[error("this key has a pattern")]
    Patterned,
}

/// Keys that stand in standards, manuals and sample code, beside the counting and repeating ones.
const PUBLISHED: [[u8; 16]; 2] = [
    SCBK_D,
    // FIPS 197, appendix A.1
    [0x2b, 0x7e, 0x15, 0x16, 0x28, 0xae, 0xd2, 0xa6, 0xab, 0xf7, 0x15, 0x88, 0x09, 0xcf, 0x4f, 0x3c],
];

impl ReaderKey {
    /// Fewer different bytes than this are not chance (one key in 10¹³).
    const FEWEST_DIFFERENT: usize = 8;

    /// From 16 bytes.
    ///
    /// # Errors
    /// When an attacker would guess it.
    pub fn new(bytes: [u8; 16]) -> Result<Self, KeyError> {
        if PUBLISHED.contains(&bytes) {
            return Err(KeyError::Published);
        }
        let mut steps = bytes.iter().zip(bytes.iter().skip(1)).map(|(one, next)| next.wrapping_sub(*one));
        let first = steps.next();
        let is_counting = steps.all(|step| Some(step) == first);
        let is_repeating = bytes.iter().zip(bytes.iter().skip(8)).all(|(one, other)| one == other);
        let mut sorted = bytes;
        sorted.sort_unstable();
        let different =
            1 + sorted.iter().zip(sorted.iter().skip(1)).filter(|(one, next)| one != next).count();
        if is_counting || is_repeating || different < Self::FEWEST_DIFFERENT {
            return Err(KeyError::Patterned);
        }
        Ok(Self(bytes))
    }

    /// The bytes, to be stored where only this controller reads them.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Debug for ReaderKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReaderKey(‹redacted›)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_an_attacker_tries_first_are_refused() {
        let counting = |from: u8, step: u8| {
            let mut byte = from;
            std::array::from_fn(|_| {
                byte = byte.wrapping_add(step);
                byte
            })
        };
        let mut refused = 0;
        for from in 0..=255 {
            for step in 0..=255 {
                assert!(ReaderKey::new(counting(from, step)).is_err(), "{from} by {step}");
                refused += 1;
            }
        }
        assert_eq!(refused, 65_536);
        assert_eq!(ReaderKey::new(SCBK_D), Err(KeyError::Published));
        assert_eq!(ReaderKey::new(*b"abcdefghabcdefgh"), Err(KeyError::Patterned));
        assert_eq!(ReaderKey::new(*b"aabbccddeeffgaab"), Err(KeyError::Patterned));
        let good = ReaderKey::new(*b"q8\x01\x93\xf0Zk2\x9c\x04tU\xeeB7!").unwrap();
        assert_eq!(format!("{good:?}"), "ReaderKey(‹redacted›)");
    }
}
