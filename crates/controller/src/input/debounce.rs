//! A contact that bounces, made into one that does not.
//!
//! Sans-IO: [`Debounce::handle`] takes each change of the raw level ([`Debounce::look`] what a look found),
//! [`Debounce::wakes_at`] names the moment when it will have settled. A level counts when it has not changed for the debounce time. A lost line counts at
//! once: there is nothing to settle.

use super::Level;
use klinke_model::time::Mono;
use std::time::Duration;

/// One wire.
#[derive(Debug)]
pub struct Debounce {
    settles_in: Duration,
    settled: Level,
    /// What it says now, and since when, when that is not what it settled at.
    candidate: Option<(Level, Mono)>,
}

impl Debounce {
    /// A wire that has not spoken yet.
    pub const fn new(settles_in: Duration) -> Self {
        Self { settles_in, settled: Level::Unknown, candidate: None }
    }

    /// Takes what the wire says at `now`; answers what it has settled at.
    pub fn handle(&mut self, raw: Level, now: Mono) -> Level {
        // what had settled before this change came counts, however late the caller is
        self.settle(now);
        if raw == Level::Unknown {
            (self.settled, self.candidate) = (Level::Unknown, None);
        } else if raw == self.settled {
            self.candidate = None;
        } else if self.candidate.is_none_or(|(level, _)| level != raw) {
            self.candidate = Some((raw, now));
        }
        self.settle(now)
    }

    /// As [`Debounce::handle`], for a wire that is only looked at now and then: what it said between two looks is
    /// not known, so only looks that agree settle it.
    pub fn look(&mut self, raw: Level, now: Mono) -> Level {
        if self.candidate.is_some_and(|(level, _)| level != raw) {
            self.candidate = None;
        }
        self.handle(raw, now)
    }

    /// Time has passed.
    pub fn settle(&mut self, now: Mono) -> Level {
        if let Some((level, since)) = self.candidate
            && now >= since + self.settles_in
        {
            (self.settled, self.candidate) = (level, None);
        }
        self.settled
    }

    /// When to call [`Debounce::settle`] next.
    pub fn wakes_at(&self) -> Option<Mono> {
        self.candidate.map(|(_, since)| since + self.settles_in)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::{LONGEST_DEBOUNCE, LOOK_EVERY};
    use Level::{Active, Quiet, Unknown};
    use proptest::prelude::*;

    fn at(millis: u64) -> Mono {
        Mono::from_millis(millis)
    }

    #[test]
    fn bounces_are_one_change_and_it_counts_when_it_is_over() {
        let mut wire = Debounce::new(Duration::from_millis(50));
        assert_eq!(wire.handle(Quiet, at(0)), Unknown);
        assert_eq!(
            (wire.wakes_at(), wire.settle(at(49)), wire.settle(at(50))),
            (Some(at(50)), Unknown, Quiet)
        );
        let bounces = [(100, Active), (103, Quiet), (104, Active), (110, Quiet), (111, Active)];
        for (millis, level) in bounces {
            assert_eq!(wire.handle(level, at(millis)), Quiet);
        }
        assert_eq!((wire.settle(at(160)), wire.settle(at(161))), (Quiet, Active));
        assert_eq!(wire.handle(Unknown, at(170)), Unknown, "a lost line is not waited for");
        assert_eq!(wire.wakes_at(), None);
    }

    #[test]
    fn a_change_that_had_settled_counts_though_the_next_one_comes_first() {
        let mut wire = Debounce::new(Duration::from_millis(50));
        wire.handle(Quiet, at(0));
        wire.handle(Active, at(100));
        assert_eq!(wire.handle(Quiet, at(200)), Active, "it was active for 100 ms");
        assert_eq!(wire.settle(at(250)), Quiet);
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

        /// Looked at as slowly as we look, debounced as long as is allowed: 400 ms always count (IEC 60839-11-1),
        /// and less than the debounce time never, whenever the looks happen to fall.
        #[test]
        fn four_hundred_milliseconds_always_register(
            debounce in 0..=u64::try_from(LONGEST_DEBOUNCE.as_millis()).unwrap(),
            starts in 1_000_u64..1_500,
            lasts in 1_u64..1_000,
        ) {
            let look_every = u64::try_from(LOOK_EVERY.as_millis()).unwrap();
            let mut wire = Debounce::new(Duration::from_millis(debounce));
            let seen = (0..40).map(|look| look * look_every).any(|now| {
                let raw = if (starts..starts + lasts).contains(&now) { Active } else { Quiet };
                wire.look(raw, at(now)) == Active
            });
            prop_assert!(seen || lasts < 400, "missed {lasts} ms");
            prop_assert!(!seen || lasts >= debounce, "{lasts} ms passed for {debounce}");
        }
    }
}
