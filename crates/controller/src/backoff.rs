//! How long to wait before dialling again: longer after every failure, and not all controllers at once.

use std::time::Duration;

/// The shortest wait: a server that restarts is found again at once.
pub const SHORTEST: Duration = Duration::from_millis(200);
/// The longest wait: what a resident waits at most once the network is back.
pub const LONGEST: Duration = Duration::from_secs(5);

/// The waits of one link. The upper bound doubles from 2 × [`SHORTEST`] to [`LONGEST`]; the wait is drawn evenly
/// from [`SHORTEST`] to that bound.
#[derive(Clone, Copy, Debug, Default)]
pub struct Backoff {
    failures: u32,
}

impl Backoff {
    /// The link stood: the next wait is short again.
    pub const fn succeeded(&mut self) {
        self.failures = 0;
    }

    /// How long to wait after one more failure, drawn with `random`.
    pub fn failed(&mut self, random: u64) -> Duration {
        self.failures = self.failures.saturating_add(1);
        let bound = SHORTEST.saturating_mul(2_u32.saturating_pow(self.failures)).min(LONGEST);
        let spread = u64::try_from((bound - SHORTEST).as_millis()).unwrap_or(u64::MAX);
        SHORTEST + Duration::from_millis(random % (spread + 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_the_longest_and_start_again_after_a_success() {
        let mut backoff = Backoff::default();
        // the largest draw for each bound: spread is bound - 200
        let largest: Vec<u128> =
            [200, 600, 1_400, 3_000, 4_800, 4_800].map(|spread| backoff.failed(spread).as_millis()).into();
        assert_eq!(largest, [400, 800, 1_600, 3_200, 5_000, 5_000]);
        backoff.succeeded();
        assert_eq!(backoff.failed(201), SHORTEST, "the draw wraps at the bound");
    }

    #[test]
    fn no_draw_leaves_the_range() {
        let mut backoff = Backoff::default();
        for turn in 0..10_000_u64 {
            let wait = backoff.failed(turn.wrapping_mul(0x9e37_79b9_7f4a_7c15));
            assert!((SHORTEST..=LONGEST).contains(&wait), "{wait:?}");
        }
    }
}
