//! Whether somebody's rights to a door hold at a moment.
//!
//! A person may have any number of rights to one door: by living there, by rules. One that holds is enough; when none
//! does, the one that came nearest says why.

use crate::schedule::covers;
use crate::zone::Wall;
use klinke_model::schedule::{HolidayCalendar, Schedule};
use klinke_model::time::Timestamp;

/// One way to have a right to a door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Right<'a> {
    /// The hours in which it holds; at any time without.
    pub schedule: Option<&'a Schedule>,
    /// The first moment at which it holds.
    pub from: Option<Timestamp>,
    /// The first moment at which it does not hold any more.
    pub until: Option<Timestamp>,
}

impl Right<'_> {
    /// The right of somebody who lives there: at any time.
    pub const ALWAYS: Self = Right { schedule: None, from: None, until: None };
}

/// The moment of a decision, and what is known of the clock that told it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// The moment.
    pub at: Timestamp,
    /// What the building's wall clock says at it.
    pub wall: Wall,
    /// Whose holidays count.
    pub calendar: HolidayCalendar,
    /// Whether the clock can be believed.
    pub clock: ClockTrust,
}

/// Whether a clock can be believed. A controller's is not while it is behind a moment that it has seen before, or
/// outside of what its server last signed; the server's own always is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockTrust {
    /// It can.
    Trusted,
    /// It can not: rights with hours or an end do not hold, those without do.
    Untrusted,
}

/// How somebody stands before a door. The order is from farthest to nearest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standing {
    /// No right at all.
    None,
    /// A right that has ended.
    Over,
    /// A right that has not begun.
    NotYet,
    /// A right with hours or an end, and a clock that can not be believed.
    ClockUntrusted,
    /// A right in other hours.
    OutsideHours,
    /// A right that holds.
    InForce,
}

/// How the rights of somebody stand at a moment: the nearest of them.
pub fn standing<'a>(rights: impl IntoIterator<Item = Right<'a>>, now: &Now) -> Standing {
    let mut best = Standing::None;
    for right in rights {
        best = best.max(of_one(&right, now));
        if best == Standing::InForce {
            break;
        }
    }
    best
}

/// How one right stands.
pub fn of_one(right: &Right<'_>, now: &Now) -> Standing {
    let dated = right.schedule.is_some() || right.from.is_some() || right.until.is_some();
    if dated && now.clock == ClockTrust::Untrusted {
        return Standing::ClockUntrusted;
    }
    if right.until.is_some_and(|until| until <= now.at) {
        return Standing::Over;
    }
    if right.from.is_some_and(|from| now.at < from) {
        return Standing::NotYet;
    }
    match right.schedule {
        Some(schedule) if !covers(schedule, now.calendar, now.wall) => Standing::OutsideHours,
        _ => Standing::InForce,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use klinke_model::timetable::Hours;

    const AT: Timestamp = Timestamp::from_millis(1_000_000);

    fn now(minute: u16, clock: ClockTrust) -> Now {
        Now { at: AT, wall: Wall { day: 20_778, minute }, calendar: HolidayCalendar::None, clock }
    }

    #[test]
    fn each_standing_has_its_row_and_the_ends_are_exact() {
        let morning = Schedule {
            hours: vec![Hours { days: vec![0, 1, 2, 3, 4, 5, 6], from: 0, until: 720 }],
            ..Schedule::default()
        };
        let moment = |millis| Some(Timestamp::from_millis(millis));
        let dated = |from, until| Right { schedule: None, from, until };
        let hours = Right { schedule: Some(&morning), from: None, until: None };
        let rows = [
            (vec![], 0, Standing::None),
            (vec![Right::ALWAYS], 0, Standing::InForce),
            (vec![dated(moment(1_000_000), moment(1_000_001))], 0, Standing::InForce),
            (vec![dated(moment(1_000_001), None)], 0, Standing::NotYet),
            (vec![dated(None, moment(1_000_000))], 0, Standing::Over),
            (vec![hours], 719, Standing::InForce),
            (vec![hours], 720, Standing::OutsideHours),
            (vec![Right { until: moment(5), ..hours }], 720, Standing::Over),
            // the nearest is told, and one that holds is enough
            (vec![dated(None, moment(5)), hours], 720, Standing::OutsideHours),
            (vec![hours, dated(moment(1_000_001), None)], 720, Standing::OutsideHours),
            (vec![hours, Right::ALWAYS], 720, Standing::InForce),
        ];
        for (rights, minute, expected) in rows {
            let found = standing(rights.iter().copied(), &now(minute, ClockTrust::Trusted));
            assert_eq!(found, expected, "{rights:?}");
        }
    }

    #[test]
    fn a_clock_that_can_not_be_believed_leaves_only_what_needs_none() {
        let always = Schedule::default();
        let untrusted = now(0, ClockTrust::Untrusted);
        for right in [
            Right { schedule: Some(&always), from: None, until: None },
            Right { schedule: None, from: Some(AT), until: None },
            Right { schedule: None, from: None, until: Some(Timestamp::from_millis(i64::MAX)) },
        ] {
            assert_eq!(standing([right], &untrusted), Standing::ClockUntrusted);
        }
        assert_eq!(standing([Right::ALWAYS], &untrusted), Standing::InForce);
    }
}
