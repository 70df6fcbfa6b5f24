//! The first claim: who can read this machine's console becomes the first administrator.
//!
//! ```text
//!   unclaimed ── right code within 15 min ──▶ claimed (for good, in the store)
//!      │ ▲
//!      └─┘ a restart makes a new code
//! ```
//!
//! There is no account before the claim, so there is no default password. The code has 128 random bits, lives in
//! memory only, and each address has few tries.

use crate::auth::limit::{Limit, TooMany, Try};
use crate::http::client::Prefix;
use crate::random::Random;
use klinke_model::time::{Clock, Mono};
use klinke_storage::{StorageError, Store};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use subtle::ConstantTimeEq;

/// How long a code can be used.
pub const LIFE: Duration = Duration::from_secs(15 * 60);

/// Crockford's base32: no letters that look like digits or like each other.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Characters of a code: 26 × 5 bits hold 128.
const LENGTH: usize = 26;

/// The claim of this installation.
pub struct Setup {
    claimed: AtomicBool,
    code: [u8; LENGTH],
    made: Mono,
    clock: Arc<dyn Clock>,
    tries: Limit<Prefix>,
}

/// What a code that somebody typed is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Typed {
    /// The code.
    Right,
    /// Not the code.
    Wrong,
    /// The time is over, whatever it is.
    Late,
}

impl Setup {
    /// A fresh code.
    pub fn new(random: &Random, clock: Arc<dyn Clock>) -> Self {
        Self {
            claimed: AtomicBool::new(false),
            code: encode(u128::from_be_bytes(random.bytes())),
            made: clock.mono(),
            tries: Limit::new(clock.clone(), 10, Duration::from_secs(10)),
            clock,
        }
    }

    /// Whether the installation has an owner. Asks the store until it has; it never loses one again.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn is_claimed(&self, store: &Store) -> Result<bool, StorageError> {
        if !self.claimed.load(Ordering::Acquire) && store.gate().is_claimed().await? {
            self.claimed.store(true, Ordering::Release);
        }
        Ok(self.claimed.load(Ordering::Acquire))
    }

    /// Counts a try of this address.
    ///
    /// # Errors
    /// When it has had too many.
    pub fn attempt(&self, client: Prefix) -> Result<Try<'_, Prefix>, TooMany> {
        self.tries.take(client)
    }

    /// Compares what somebody typed, in constant time. Case, spaces and dashes do not matter, nor do the letters
    /// that stand for digits.
    pub fn check(&self, typed: &str) -> Typed {
        if self.clock.mono().since(self.made) >= LIFE {
            return Typed::Late;
        }
        if read(typed).ct_eq(&self.code).into() { Typed::Right } else { Typed::Wrong }
    }

    /// The code as it is printed for whoever reads the console.
    pub fn code(&self) -> String {
        let code = String::from_utf8_lossy(&self.code).into_owned();
        let mut grouped = String::with_capacity(LENGTH + LENGTH / 4);
        for (place, character) in code.chars().enumerate() {
            if place > 0 && place % 4 == 0 {
                grouped.push('-');
            }
            grouped.push(character);
        }
        grouped
    }
}

fn encode(mut bits: u128) -> [u8; LENGTH] {
    let mut code = [b'0'; LENGTH];
    for character in code.iter_mut().rev() {
        let digit = usize::try_from(bits & 31).unwrap_or_default();
        *character = ALPHABET.get(digit).copied().unwrap_or(b'0');
        bits >>= 5;
    }
    code
}

/// What somebody typed, in the form of a code; zeros where it is too short or too long, which is not a code that
/// anybody could guess.
fn read(typed: &str) -> [u8; LENGTH] {
    let characters = typed.bytes().filter(|byte| !matches!(byte, b' ' | b'-')).map(|byte| {
        match byte.to_ascii_uppercase() {
            b'O' => b'0',
            b'I' | b'L' => b'1',
            other => other,
        }
    });
    let characters: Vec<u8> = characters.take(LENGTH + 1).collect();
    characters.try_into().unwrap_or([0; LENGTH])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TestClock;

    #[test]
    fn only_the_code_is_right_and_only_in_time() {
        let clock = TestClock::new();
        let setup = Setup::new(&Random::seeded(3), clock.clone());
        let code = setup.code();
        assert_eq!(code.len(), 26 + 6);
        assert_eq!(setup.check(&code), Typed::Right);
        assert_eq!(
            setup.check(&code.to_lowercase().replace('-', " ").replace('0', "o").replace('1', "l")),
            Typed::Right
        );
        assert_eq!(setup.check(&Setup::new(&Random::seeded(4), clock.clone()).code()), Typed::Wrong);
        for wrong in
            ["", &code[..30], &format!("{code}0"), "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"]
        {
            assert_eq!(setup.check(wrong), Typed::Wrong, "{wrong}");
        }
        clock.advance(LIFE - Duration::from_millis(1));
        assert_eq!(setup.check(&code), Typed::Right);
        clock.advance(Duration::from_millis(1));
        assert_eq!(setup.check(&code), Typed::Late);
    }

    #[test]
    fn a_code_holds_all_128_bits() {
        assert_eq!(&encode(u128::MAX), b"7ZZZZZZZZZZZZZZZZZZZZZZZZZ");
        assert_eq!(&encode(33), b"00000000000000000000000011");
    }
}
