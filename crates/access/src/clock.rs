//! What a controller takes for the time (access.md §6, trust.md T4).
//!
//! The machine's wall clock is looked at once, when the process begins. From then on time is that moment, or the newest
//! that the server told, plus what the monotonic clock counted: nobody moves a door's hours by setting the machine's
//! clock, from the network or by hand.
//!
//! The wall clock at the start is believed when it is not before the last moment that was kept, and not so long after
//! it that nobody leaves a controller without power. Without a kept moment, it is believed only once the server has
//! told the time. An unbelieved clock goes all the same; rights that need none hold.

use crate::standing::ClockTrust;
use klinke_model::time::{Mono, Timestamp};
use std::time::Duration;

/// For how long a controller may have been without power, and its clock still be believed.
pub const LONGEST_OFF: Duration = Duration::from_hours(400 * 24);

/// How far a clock may be before the last moment that was kept: what ticks between keeping and a power cut, and
/// clocks that are set back a little by their own source.
pub const TOLERANCE: Duration = Duration::from_secs(10);

/// The clock of one process.
#[derive(Clone, Copy, Debug)]
pub struct DoorClock {
    anchor: Timestamp,
    at: Mono,
    trust: ClockTrust,
}

impl DoorClock {
    /// At the start of the process: what the machine's wall clock says, and the last moment that was kept.
    pub fn start(wall: Timestamp, kept: Option<Timestamp>, now: Mono) -> Self {
        let believed =
            kept.is_some_and(|kept| kept <= wall.plus(TOLERANCE) && wall <= kept.plus(LONGEST_OFF));
        let trust = if believed { ClockTrust::Trusted } else { ClockTrust::Untrusted };
        Self { anchor: wall, at: now, trust }
    }

    /// The server told the time, over a link that proved itself.
    pub const fn told(&mut self, server: Timestamp, now: Mono) {
        *self = Self { anchor: server, at: now, trust: ClockTrust::Trusted };
    }

    /// What it is now. This is also what is to be kept, when it is trusted.
    pub fn now(&self, now: Mono) -> Timestamp {
        self.anchor.plus(now.since(self.at))
    }

    /// Whether it can be believed.
    pub const fn trust(&self) -> ClockTrust {
        self.trust
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEPT: Timestamp = Timestamp::from_millis(1_795_262_400_000);
    const DAY: i64 = 86_400_000;

    fn started(wall: Timestamp, kept: Option<Timestamp>) -> ClockTrust {
        DoorClock::start(wall, kept, Mono::from_millis(5)).trust()
    }
    fn shifted(by: i64) -> Timestamp {
        Timestamp::from_millis(KEPT.as_millis() + by)
    }

    #[test]
    fn a_clock_that_went_back_or_far_ahead_is_not_believed() {
        let rows = [
            (0, ClockTrust::Trusted),
            (-10_000, ClockTrust::Trusted),
            (-10_001, ClockTrust::Untrusted),
            (-DAY, ClockTrust::Untrusted),
            (DAY, ClockTrust::Trusted),
            (400 * DAY, ClockTrust::Trusted),
            (400 * DAY + 1, ClockTrust::Untrusted),
            (3_652 * DAY, ClockTrust::Untrusted),
        ];
        for (by, expected) in rows {
            assert_eq!(started(shifted(by), Some(KEPT)), expected, "{by} ms");
        }
        assert_eq!(started(Timestamp::from_millis(0), Some(KEPT)), ClockTrust::Untrusted, "1970 at boot");
        assert_eq!(started(KEPT, None), ClockTrust::Untrusted, "never told the time");
    }

    #[test]
    fn it_counts_by_itself_and_the_server_sets_it() {
        let mut clock = DoorClock::start(shifted(-DAY), Some(KEPT), Mono::from_millis(1_000));
        assert_eq!(clock.now(Mono::from_millis(4_000)), shifted(-DAY + 3_000));
        clock.told(KEPT, Mono::from_millis(10_000));
        assert_eq!(clock.trust(), ClockTrust::Trusted);
        assert_eq!(clock.now(Mono::from_millis(10_250)), shifted(250));
        assert_eq!(clock.now(Mono::from_millis(9_000)), KEPT, "a reading from before is not before");
    }
}
