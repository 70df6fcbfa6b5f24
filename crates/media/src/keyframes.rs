//! When the panel is asked for a key frame; pure.
//!
//! ```text
//!   wanted ──(others are about to connect: at most GATHER)──▶ asked ──(EVERY)──▶ may be asked again
//! ```
//!
//! A picture begins with a key frame, so who connects needs one. The apps of a household connect within some ten
//! milliseconds of each other: one key frame for all of them, a moment later, is sooner for the last of them than a second
//! one after [`EVERY`].

use std::time::{Duration, Instant};

/// Between two requests. Browsers drop one that comes within 300 ms of the last (libwebrtc's `EncoderRtcpFeedback`), and
/// then nothing comes before somebody asks again: it has to be more than that, also when the first was late on its way.
pub const EVERY: Duration = Duration::from_millis(350);
/// How long who is connected waits for who is about to be.
pub const GATHER: Duration = Duration::from_millis(100);

/// The requests of one room.
#[derive(Debug)]
pub struct Keyframes {
    wanted_since: Option<Instant>,
    not_before: Instant,
}

impl Keyframes {
    /// Nothing asked yet.
    pub fn new(now: Instant) -> Self {
        Self { wanted_since: None, not_before: now }
    }

    /// Somebody can not decode before the next one.
    pub fn want(&mut self, now: Instant) {
        self.wanted_since.get_or_insert(now);
    }

    /// When to ask, if one is wanted. `gathering`: others who will see the picture are about to connect.
    pub fn due(&self, gathering: bool) -> Option<Instant> {
        let since = self.wanted_since?;
        let gathered = if gathering { since + GATHER } else { since };
        Some(gathered.max(self.not_before))
    }

    /// It was asked for.
    pub fn asked(&mut self, now: Instant) {
        self.wanted_since = None;
        self.not_before = now + EVERY;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::disallowed_methods, reason = "an origin for the test's own time")]
    fn origin() -> Instant {
        Instant::now()
    }

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn one_is_due_at_once_when_nobody_is_about_to_connect() {
        let t0 = origin();
        let mut keyframes = Keyframes::new(t0);
        assert_eq!(keyframes.due(false), None);
        keyframes.want(t0 + ms(5));
        assert_eq!(keyframes.due(false), Some(t0 + ms(5)));
    }

    #[test]
    fn the_first_waits_a_moment_for_the_second_and_no_longer() {
        let t0 = origin();
        let mut keyframes = Keyframes::new(t0);
        keyframes.want(t0);
        keyframes.want(t0 + ms(40));
        assert_eq!(keyframes.due(true), Some(t0 + GATHER), "from the first that wanted one");
        assert_eq!(keyframes.due(false), Some(t0), "the second is there");
    }

    #[test]
    fn a_browser_is_never_asked_again_while_it_would_drop_it() {
        let t0 = origin();
        let mut keyframes = Keyframes::new(t0);
        keyframes.want(t0);
        keyframes.asked(t0);
        assert_eq!(keyframes.due(false), None);
        keyframes.want(t0 + ms(1));
        let due = keyframes.due(false).unwrap();
        assert!(due - t0 > ms(300), "{:?}", due - t0);
        keyframes.asked(due);
        keyframes.want(t0 + ms(2_000));
        assert_eq!(keyframes.due(false), Some(t0 + ms(2_000)));
    }
}
