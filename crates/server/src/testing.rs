//! A clock for tests: it stands still until told to go on.

use klinke_model::time::{Clock, Mono, Timestamp};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Wall clock and monotonic clock that move together, by [`TestClock::advance`] only.
#[derive(Debug)]
pub struct TestClock {
    elapsed_ms: AtomicU64,
}

impl TestClock {
    /// Noon on 21 November 2026, UTC.
    const START: Timestamp = Timestamp::from_millis(1_795_262_400_000);

    /// A clock that stands still.
    pub fn new() -> Arc<Self> {
        Arc::new(Self { elapsed_ms: AtomicU64::new(0) })
    }

    /// Goes on.
    pub fn advance(&self, by: Duration) {
        self.elapsed_ms.fetch_add(u64::try_from(by.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Self::START.plus(Duration::from_millis(self.elapsed_ms.load(Ordering::Relaxed)))
    }

    fn mono(&self) -> Mono {
        Mono::from_millis(self.elapsed_ms.load(Ordering::Relaxed))
    }
}
