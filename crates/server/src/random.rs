//! Randomness as a value, so that a test can seed it and see the same codes and ids twice.
//!
//! Everything the server draws (session tokens, pairing codes, ids) comes from here, except the salts and keys
//! that the cryptography crates make for themselves.

use klinke_model::{ids, time::Timestamp};
use sha2::{Digest, Sha256};
use std::sync::atomic::{AtomicU64, Ordering};
use uuid::Uuid;

/// A source of random bytes.
#[derive(Debug)]
pub struct Random(Source);

#[derive(Debug)]
enum Source {
    System,
    Seeded { seed: u64, drawn: AtomicU64 },
}

impl Random {
    /// The operating system's.
    pub const fn system() -> Self {
        Self(Source::System)
    }

    /// The same bytes for the same seed, for tests and nothing else.
    pub const fn seeded(seed: u64) -> Self {
        Self(Source::Seeded { seed, drawn: AtomicU64::new(0) })
    }

    /// Fresh bytes.
    #[expect(clippy::panic, reason = "without randomness there is no safe way to go on")]
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        match &self.0 {
            Source::System => {
                if let Err(error) = getrandom::fill(&mut bytes) {
                    panic!("the operating system gives no randomness: {error}");
                }
            }
            Source::Seeded { seed, drawn } => {
                for chunk in bytes.chunks_mut(32) {
                    let block = drawn.fetch_add(1, Ordering::Relaxed);
                    let hash =
                        Sha256::new().chain_update(seed.to_be_bytes()).chain_update(block.to_be_bytes());
                    for (byte, drawn) in chunk.iter_mut().zip(hash.finalize()) {
                        *byte = drawn;
                    }
                }
            }
        }
        bytes
    }

    /// An id for a row that use makes (call, opening, session): tells nothing of when.
    pub fn v4<T: From<Uuid>>(&self) -> T {
        ids::v4(self.bytes()).into()
    }

    /// An id for a row that people administer: sorts by making.
    pub fn v7<T: From<Uuid>>(&self, now: Timestamp) -> T {
        ids::v7(now, self.bytes()).into()
    }

    /// A number below `bound`, every one equally likely. `bound` is at least 1.
    pub fn below(&self, bound: u32) -> u32 {
        let bound = bound.max(1);
        // Draws over the last whole multiple of `bound` would favour the low numbers.
        let fair = u32::MAX - u32::MAX % bound;
        loop {
            let drawn = u32::from_be_bytes(self.bytes());
            if drawn < fair {
                return drawn % bound;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_itself_and_the_system_does_not() {
        assert_eq!(Random::seeded(1).bytes::<70>(), Random::seeded(1).bytes::<70>());
        assert_ne!(Random::seeded(1).bytes::<32>(), Random::seeded(2).bytes::<32>());
        let one = Random::seeded(1);
        assert_ne!(one.bytes::<32>(), one.bytes::<32>());
        let system = Random::system();
        assert_ne!(system.bytes::<32>(), system.bytes::<32>());
    }

    #[test]
    fn numbers_stay_below_their_bound_and_reach_all_of_it() {
        let random = Random::seeded(7);
        let drawn: std::collections::BTreeSet<u32> = (0..500).map(|_| random.below(10)).collect();
        assert_eq!(drawn, (0..10).collect());
    }
}
