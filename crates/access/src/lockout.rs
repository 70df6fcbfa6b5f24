//! Slows down who guesses codes at one keypad (trust.md T11).
//!
//! Each wrong code makes the keypad wait twice as long as the one before, from 1 s to 5 min; the fifth and every fifth
//! after is an alarm. A right code shortens nothing: else whoever has one could guess the others between. What is left
//! over is forgotten after a quarter of an hour without a wrong one. However it is done, and with the power cut in
//! between, [`MOST_AN_HOUR`] codes are looked at in an hour.

use klinke_model::time::Mono;
use std::time::Duration;

/// The wait after the first wrong code.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// The longest wait.
pub const LONGEST_WAIT: Duration = Duration::from_secs(300);
/// How long after the last wrong code all is forgotten.
pub const FORGOTTEN_AFTER: Duration = Duration::from_secs(15 * 60);
/// Every so many wrong codes are an alarm.
const ALARM_EVERY: u32 = 5;
/// No more codes are looked at in any hour.
pub const MOST_AN_HOUR: u32 = 50;

/// One keypad.
#[derive(Clone, Copy, Debug, Default)]
pub struct Lockout {
    wrong: u32,
    /// When the last wrong code came, or the process began.
    since: Mono,
}

/// What a wrong code brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// For how long no code is looked at.
    pub wait: Duration,
    /// Somebody should know.
    pub is_alarm: bool,
}

impl Lockout {
    /// A keypad of which `wrong` codes were kept over a restart. Its wait begins anew: who cuts the power gains nothing.
    pub const fn restored(wrong: u32, now: Mono) -> Self {
        Self { wrong, since: now }
    }

    /// How long until a code is looked at; zero when it is now.
    pub fn wait(&self, now: Mono) -> Duration {
        self.whole_wait().saturating_sub(now.since(self.since))
    }

    /// A code was looked at and was wrong.
    pub fn wrong(&mut self, now: Mono) -> Wrong {
        self.forget(now);
        self.wrong = self.wrong.saturating_add(1);
        self.since = now;
        Wrong { wait: self.whole_wait(), is_alarm: self.wrong.is_multiple_of(ALARM_EVERY) }
    }

    /// What has to be kept over a restart: how many were wrong. To be durable before the answer is shown.
    pub fn kept(&mut self, now: Mono) -> u32 {
        self.forget(now);
        self.wrong
    }

    fn forget(&mut self, now: Mono) {
        if now.since(self.since) >= FORGOTTEN_AFTER {
            self.wrong = 0;
        }
    }

    fn whole_wait(&self) -> Duration {
        match self.wrong {
            0 => Duration::ZERO,
            wrong => FIRST_WAIT.saturating_mul(1 << (wrong - 1).min(16)).min(LONGEST_WAIT),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(seconds: u64) -> Mono {
        Mono::from_millis(seconds * 1_000)
    }

    #[test]
    fn the_wait_doubles_to_five_minutes_and_every_fifth_is_an_alarm() {
        let mut keypad = Lockout::default();
        let (mut now, mut waits, mut alarms) = (0, Vec::new(), Vec::new());
        for number in 1..=12 {
            assert_eq!(keypad.wait(at(now)), Duration::ZERO);
            let wrong = keypad.wrong(at(now));
            waits.push(wrong.wait.as_secs());
            if wrong.is_alarm {
                alarms.push(number);
            }
            now += wrong.wait.as_secs();
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
        assert_eq!(alarms, [5, 10]);
    }

    #[test]
    fn a_wait_is_over_at_its_end_and_all_is_forgotten_after_a_quarter_of_an_hour() {
        let mut keypad = Lockout::restored(3, at(100));
        assert_eq!(keypad.wait(at(100)), Duration::from_secs(4), "anew after a restart");
        assert_eq!(keypad.wait(at(103)), Duration::from_secs(1));
        assert_eq!(keypad.wait(at(104)), Duration::ZERO);
        assert_eq!(keypad.kept(at(999)), 3);
        assert_eq!(keypad.kept(at(1_000)), 0);
        assert_eq!(keypad.wrong(at(1_000)), Wrong { wait: Duration::from_secs(1), is_alarm: false });
        assert_eq!(Lockout::restored(u32::MAX, at(0)).wait(at(0)), LONGEST_WAIT);
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

        /// Somebody with all the time in the world, and a hand on the fuse: no hour has more than fifty codes.
        #[test]
        fn no_hour_has_more_than_fifty(
            pauses in prop::collection::vec(prop_oneof![
                8 => Just(0_u64), 2 => 0_u64..30, 1 => 800_u64..1_000, 1 => 0_u64..4_000,
            ], 200..400),
            cuts in prop::collection::vec(prop::bool::weighted(0.3), 400),
        ) {
            let (mut keypad, mut now, mut tried) = (Lockout::default(), 0_u64, Vec::new());
            for (pause, cut) in pauses.into_iter().zip(cuts) {
                if cut {
                    keypad = Lockout::restored(keypad.kept(at(now)), at(now));
                }
                now += keypad.wait(at(now)).as_secs() + pause;
                prop_assert_eq!(keypad.wait(at(now)), Duration::ZERO);
                tried.push(now);
                keypad.wrong(at(now));
            }
            for first in &tried {
                let in_hour = tried.iter().filter(|other| (*first..first + 3_600).contains(other)).count();
                prop_assert!(in_hour <= MOST_AN_HOUR as usize, "{} in an hour", in_hour);
            }
        }
    }
}
