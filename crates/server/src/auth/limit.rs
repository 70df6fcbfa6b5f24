//! How often something may be tried, counted in memory.
//!
//! The generic cell rate algorithm: for each key one moment, the time at which its bucket will be full again.
//!
//! ```text
//!         burst × every
//!   ├──────────────────────────┤
//!  now ─────────▶ full            a try moves `full` ahead by `every`;
//!                                 past the end of the window it is refused
//! ```
//!
//! A try that turned out right is given back, so that somebody who knows their password is never slowed down, and
//! a guess in flight counts from the moment it began. (Why not `governor`: it can not give back.)

use klinke_model::time::{Clock, Mono};
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Keys that are kept before those with a full bucket are dropped.
const SWEEP_AT: usize = 4_096;

/// A limit for each key.
pub struct Limit<K> {
    clock: Arc<dyn Clock>,
    burst: u32,
    every: Duration,
    full_at: Mutex<HashMap<K, Mono>>,
}

/// Too many tries; wait this long before the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many tries")]
pub struct TooMany {
    /// How long.
    pub retry_after: Duration,
}

/// A try that counts, unless it is given back.
#[must_use]
pub struct Try<'a, K: Hash + Eq> {
    limit: &'a Limit<K>,
    key: K,
}

impl<K: Hash + Eq + Clone> Limit<K> {
    /// `burst` tries at once, and one more every `every`.
    pub fn new(clock: Arc<dyn Clock>, burst: u32, every: Duration) -> Self {
        Self { clock, burst, every, full_at: Mutex::default() }
    }

    /// Counts one try.
    ///
    /// # Errors
    /// When the bucket is empty; nothing is counted then.
    pub fn take(&self, key: K) -> Result<Try<'_, K>, TooMany> {
        let now = self.clock.mono();
        let mut full_at = self.lock();
        if full_at.len() >= SWEEP_AT {
            full_at.retain(|_, full| *full > now);
        }
        let full = full_at.get(&key).copied().unwrap_or(now).max(now) + self.every;
        let ahead = full.since(now);
        let window = self.every * self.burst;
        if ahead > window {
            return Err(TooMany { retry_after: ahead.saturating_sub(window) });
        }
        full_at.insert(key.clone(), full);
        Ok(Try { limit: self, key })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<K, Mono>> {
        self.full_at.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Hash + Eq + Clone> Try<'_, K> {
    /// It was right: it does not count.
    pub fn give_back(self) {
        let mut full_at = self.limit.lock();
        if let Some(full) = full_at.get_mut(&self.key) {
            let every = u64::try_from(self.limit.every.as_millis()).unwrap_or(u64::MAX);
            *full = Mono::from_millis(full.as_millis().saturating_sub(every));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TestClock;

    fn limit(clock: &Arc<TestClock>) -> Limit<&'static str> {
        Limit::new(clock.clone(), 3, Duration::from_secs(10))
    }

    #[test]
    fn a_burst_then_one_by_one() {
        let clock = TestClock::new();
        let limit = limit(&clock);
        for _ in 0..3 {
            assert!(limit.take("a").is_ok());
        }
        assert_eq!(limit.take("a").err(), Some(TooMany { retry_after: Duration::from_secs(10) }));
        assert!(limit.take("b").is_ok(), "another key has its own bucket");
        clock.advance(Duration::from_millis(9_999));
        assert_eq!(limit.take("a").err(), Some(TooMany { retry_after: Duration::from_millis(1) }));
        clock.advance(Duration::from_millis(1));
        assert!(limit.take("a").is_ok());
        assert!(limit.take("a").is_err());
    }

    #[test]
    fn refused_tries_do_not_make_it_longer_and_right_ones_do_not_count() {
        let clock = TestClock::new();
        let limit = limit(&clock);
        for _ in 0..100 {
            let Ok(right) = limit.take("a") else { panic!("a right try was counted") };
            right.give_back();
        }
        for _ in 0..100 {
            let _ = limit.take("a");
        }
        clock.advance(Duration::from_secs(10));
        assert!(limit.take("a").is_ok());
    }

    #[test]
    fn keys_that_are_full_again_are_forgotten() {
        let clock = TestClock::new();
        let limit = Limit::new(clock.clone(), 1, Duration::from_secs(1));
        for key in 0..SWEEP_AT {
            assert!(limit.take(key).is_ok());
        }
        clock.advance(Duration::from_secs(2));
        assert!(limit.take(SWEEP_AT).is_ok());
        assert_eq!(limit.lock().len(), 1);
    }
}
