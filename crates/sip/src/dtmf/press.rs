//! Which keys count (trust.md T15): those that the person at the phone pressed, each once.
//!
//! ```text
//!  event ─┐                        answered 1 s ago?   other way, same key,    heard from the visitor
//!  info ──┼─▶ from the phone only ──────────────────▶  within 500 ms? ───────▶ within 1 s? ──────────▶ counts
//!  tone ──┘   (a tone only where the trunk sends keys in no other way)
//! ```
//!
//! Invariants:
//! - before the answer and in the second after it nothing counts, however it comes;
//! - one press counts once, whatever ways it takes;
//! - what the visitor plays into the panel never counts, as whatever it comes back from the phone.
//!
//! That a call opens a door once only is not decided here.

use super::{Digit, Way};
use klinke_model::time::Mono;
use std::time::Duration;

/// Nothing counts for so long after the answer: who picks up a phone is not pressing keys yet, a machine may be.
const AFTER_ANSWER: Duration = Duration::from_secs(1);
/// A key that comes in another way within this is the same press.
const SAME_PRESS: Duration = Duration::from_millis(500);
/// A key that the visitor's side sounded like within this is its echo.
const ECHO: Duration = Duration::from_secs(1);

/// Decides for one call.
#[derive(Debug)]
pub struct Presses {
    /// Whether tones in the sound count at all.
    tones: bool,
    answered: Option<Mono>,
    /// The last keys that counted: which, how and when.
    counted: Vec<(Digit, Way, Mono)>,
    /// When the visitor's side last sounded like each key.
    visitor: [Option<Mono>; 16],
}

impl Presses {
    /// A call that is not answered yet. `tones` is for trunks that send keys in no other way.
    pub const fn new(tones: bool) -> Self {
        Self { tones, answered: None, counted: Vec::new(), visitor: [None; 16] }
    }

    /// The phone was picked up. Only the first time matters.
    pub fn answered(&mut self, now: Mono) {
        self.answered.get_or_insert(now);
    }

    /// The visitor's side sounds like this key.
    pub fn visitor_sounds_like(&mut self, digit: Digit, now: Mono) {
        if let Some(last) = self.visitor.get_mut(usize::from(digit.event())) {
            *last = Some(now);
        }
    }

    /// A key came from the phone; whether it counts.
    pub fn came(&mut self, digit: Digit, way: Way, now: Mono) -> bool {
        let is_early = self.answered.is_none_or(|answered| now.since(answered) < AFTER_ANSWER);
        if is_early || way == Way::Tone && !self.tones {
            return false;
        }
        let sounded = self.visitor.get(usize::from(digit.event())).copied().flatten();
        if sounded.is_some_and(|sounded| now.since(sounded) < ECHO) {
            return false;
        }
        self.counted.retain(|(_, _, when)| now.since(*when) < SAME_PRESS);
        // the same way tells two presses apart by itself
        let is_same = self.counted.iter().any(|&(one, other, _)| one == digit && other != way);
        if !is_same {
            self.counted.push((digit, way, now));
        }
        !is_same
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Way::{Event, Info, Tone};
    use proptest::prelude::*;

    fn digit(character: char) -> Digit {
        Digit::from_char(character).unwrap()
    }

    /// What happens in a call, at these milliseconds.
    enum Step {
        Answer,
        Visitor(char),
        Phone(char, Way),
    }
    use Step::{Answer, Phone, Visitor};

    fn count(tones: bool, steps: &[(u64, Step)]) -> usize {
        let mut presses = Presses::new(tones);
        let one = |(at, step): &(u64, Step)| {
            let now = Mono::from_millis(*at);
            match *step {
                Answer => presses.answered(now),
                Visitor(key) => presses.visitor_sounds_like(digit(key), now),
                Phone(key, way) => return presses.came(digit(key), way, now),
            }
            false
        };
        steps.iter().map(one).filter(|counts| *counts).count()
    }

    #[test]
    fn the_table_of_what_counts() {
        type Row = (&'static str, bool, usize, &'static [(u64, Step)]);
        let table: [Row; 15] = [
            ("an event", false, 1, &[(0, Answer), (2_000, Phone('5', Event))]),
            ("an INFO", false, 1, &[(0, Answer), (2_000, Phone('8', Info))]),
            ("a tone where tones count", true, 1, &[(0, Answer), (2_000, Phone('5', Tone))]),
            ("a tone where they do not", false, 0, &[(0, Answer), (2_000, Phone('5', Tone))]),
            (
                "one press in all ways",
                true,
                1,
                &[
                    (0, Answer),
                    (2_000, Phone('5', Event)),
                    (2_030, Phone('5', Info)),
                    (2_090, Phone('5', Tone)),
                ],
            ),
            (
                "the event last",
                true,
                1,
                &[(0, Answer), (2_000, Phone('5', Tone)), (2_400, Phone('5', Event))],
            ),
            (
                "two presses in one way",
                false,
                2,
                &[(0, Answer), (2_000, Phone('5', Event)), (2_200, Phone('5', Event))],
            ),
            (
                "two presses in both ways",
                false,
                2,
                &[
                    (0, Answer),
                    (2_000, Phone('5', Event)),
                    (2_020, Phone('5', Info)),
                    (3_000, Phone('5', Event)),
                    (3_020, Phone('5', Info)),
                ],
            ),
            ("two keys", false, 2, &[(0, Answer), (2_000, Phone('5', Event)), (2_100, Phone('8', Info))]),
            (
                "before the answer",
                true,
                0,
                &[(0, Phone('5', Event)), (10, Phone('5', Info)), (20, Phone('8', Tone))],
            ),
            (
                "in the second after it",
                true,
                0,
                &[(0, Answer), (999, Phone('5', Event)), (999, Phone('5', Info)), (999, Phone('8', Tone))],
            ),
            ("right after that", false, 1, &[(0, Answer), (1_000, Phone('5', Event))]),
            (
                "a second answer begins nothing",
                false,
                1,
                &[(0, Answer), (1_500, Answer), (1_600, Phone('5', Event))],
            ),
            (
                "what the visitor plays",
                true,
                0,
                &[
                    (0, Answer),
                    (2_000, Visitor('5')),
                    (2_080, Phone('5', Tone)),
                    (2_090, Phone('5', Event)),
                    (2_999, Phone('5', Info)),
                ],
            ),
            (
                "another key than the visitor's, and later",
                false,
                2,
                &[(0, Answer), (2_000, Visitor('5')), (2_100, Phone('8', Event)), (3_000, Phone('5', Event))],
            ),
        ];
        for (what, tones, wanted, steps) in table {
            assert_eq!(count(tones, steps), wanted, "{what}");
        }
    }

    proptest! {
        #[test]
        fn however_often_it_comes_memory_is_bounded(steps in prop::collection::vec((0_u8..16, 0_u8..3, 0_u64..200), 0..500)) {
            let mut presses = Presses::new(true);
            presses.answered(Mono::from_millis(0));
            let mut now = 0;
            for (key, way, later) in steps {
                now += later;
                let way = [Event, Info, Tone][usize::from(way)];
                let counts = presses.came(Digit::from_event(key).unwrap(), way, Mono::from_millis(now));
                prop_assert!(!counts || now >= 1_000);
            }
            prop_assert!(presses.counted.len() <= 501);
        }
    }
}
