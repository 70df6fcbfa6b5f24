//! What one peer's network carries, from the sender's estimate of it; pure.
//!
//! ```text
//!        below FULL for 4 s            below LOW for 2 s
//!   Good ─────────────────▶ Reduced ──────────────────────▶ AudioOnly
//!     ◀──────────────────────  ▲ ◀──────────────────────────────┘
//!       above ENOUGH for 2 s         LOW + ½ for 3 s
//! ```
//!
//! The panel encodes one picture for all, so its bit rate follows the slowest peer that still takes the
//! picture ([`Capacity::ceiling`]). Who can not even carry the lowest sensible rate loses the picture and
//! stops holding the others down.

use crate::Quality;
use std::time::{Duration, Instant};

/// Bits in a second for a picture worth showing; less is no picture.
pub const LOW: u64 = 150_000;
/// Bits in a second from which on a picture on a phone looks as it should. An estimate swings above it also on a
/// good network, most of all in the first seconds; people are told of what lasts.
pub const FULL: u64 = 400_000;
/// Bits in a second that end a reduction; between the two nothing changes.
pub const ENOUGH: u64 = FULL + FULL / 4;
/// The most the panel is ever asked for: 720p at 25 frames needs no more.
pub const MOST: u64 = 2_500_000;
/// What must pass, as padding, before a picture is tried again.
pub const RETRY: u64 = 400_000;
/// Where the estimate starts; a common network carries it.
pub const START: u64 = 1_000_000;
/// Sound and its overhead, taken off the estimate first.
const SOUND: u64 = 60_000;

const REDUCED_AFTER: Duration = Duration::from_secs(4);
const WORSE_AFTER: Duration = Duration::from_secs(2);
const BETTER_AFTER: Duration = Duration::from_secs(2);
const PICTURE_AFTER: Duration = Duration::from_secs(3);

/// The capacity towards one peer.
#[derive(Debug)]
pub struct Capacity {
    quality: Quality,
    /// Estimated bits in a second for the picture.
    estimate: u64,
    /// The step that the estimate speaks for, and since when.
    pending: Option<(Quality, Instant)>,
}

impl Default for Capacity {
    fn default() -> Self {
        Self { quality: Quality::Good, estimate: START, pending: None }
    }
}

impl Capacity {
    /// Takes a new estimate of the whole connection, in bits in a second.
    pub fn estimate(&mut self, total: u64) {
        self.estimate = total.saturating_sub(SOUND);
    }

    /// The quality, if it changed by now. To be asked at every estimate and at least every second.
    pub fn poll(&mut self, now: Instant) -> Option<Quality> {
        let Some((next, after)) = self.wish() else {
            self.pending = None;
            return None;
        };
        let since = match self.pending {
            Some((pending, since)) if pending == next => since,
            _ => self.pending.insert((next, now)).1,
        };
        if now - since < after {
            return None;
        }
        self.pending = None;
        self.quality = next;
        Some(next)
    }

    /// The quality the estimate speaks for, and how long it must do so; `None` when all is as it should be.
    fn wish(&self) -> Option<(Quality, Duration)> {
        match self.quality {
            Quality::Good | Quality::Reduced if self.estimate < LOW => {
                Some((Quality::AudioOnly, WORSE_AFTER))
            }
            Quality::Good if self.estimate < FULL => Some((Quality::Reduced, REDUCED_AFTER)),
            Quality::Reduced if self.estimate >= ENOUGH => Some((Quality::Good, BETTER_AFTER)),
            Quality::AudioOnly if self.estimate >= LOW + LOW / 2 => Some((Quality::Reduced, PICTURE_AFTER)),
            _ => None,
        }
    }

    /// The quality now.
    pub fn quality(&self) -> Quality {
        self.quality
    }

    /// The most the panel should send because of this peer, in bits in a second; `None` when the peer has no
    /// picture to lose.
    pub fn ceiling(&self) -> Option<u64> {
        (self.quality != Quality::AudioOnly).then(|| self.estimate.clamp(LOW, MOST))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::disallowed_methods, reason = "an origin for the test's own time")]
    fn origin() -> Instant {
        Instant::now()
    }

    #[test]
    fn a_good_network_changes_and_limits_nothing() {
        let (mut peer, t0) = (Capacity::default(), origin());
        peer.estimate(3_000_000);
        assert_eq!(peer.poll(t0), None);
        assert_eq!((peer.quality(), peer.ceiling()), (Quality::Good, Some(MOST)));
    }

    #[test]
    fn a_slower_network_lowers_the_rate_at_once_and_is_told_after_a_while() {
        let (mut peer, t0) = (Capacity::default(), origin());
        peer.estimate(300_000 + SOUND);
        assert_eq!((peer.poll(t0), peer.ceiling()), (None, Some(300_000)));
        assert_eq!(peer.poll(t0 + REDUCED_AFTER), Some(Quality::Reduced));
        peer.estimate(1_200_000);
        let t1 = t0 + Duration::from_secs(10);
        assert_eq!(peer.poll(t1), None, "a moment proves nothing");
        assert_eq!(peer.poll(t1 + BETTER_AFTER), Some(Quality::Good));
        assert_eq!(peer.ceiling(), Some(1_200_000 - SOUND));
    }

    #[test]
    fn a_poor_network_loses_the_picture_and_holds_nobody_down() {
        let (mut peer, t0) = (Capacity::default(), origin());
        peer.estimate(100_000);
        assert_eq!(peer.poll(t0), None);
        assert_eq!(peer.poll(t0 + WORSE_AFTER), Some(Quality::AudioOnly));
        assert_eq!(peer.ceiling(), None);
        peer.estimate(500_000);
        let t1 = t0 + Duration::from_secs(10);
        assert_eq!(peer.poll(t1), None);
        assert_eq!(peer.poll(t1 + PICTURE_AFTER), Some(Quality::Reduced));
    }

    #[test]
    fn an_estimate_that_comes_and_goes_starts_the_wait_again() {
        let (mut peer, t0) = (Capacity::default(), origin());
        peer.estimate(100_000);
        peer.poll(t0);
        peer.estimate(2_000_000);
        assert_eq!(peer.poll(t0 + Duration::from_secs(1)), None);
        peer.estimate(100_000);
        assert_eq!(peer.poll(t0 + Duration::from_secs(2)), None);
        assert_eq!(peer.poll(t0 + Duration::from_secs(3)), None);
        assert_eq!(peer.poll(t0 + Duration::from_secs(4)), Some(Quality::AudioOnly));
    }
}
