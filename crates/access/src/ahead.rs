//! When rights to a door hold in the days to come, for whoever asks "when may I next?".
//!
//! No rule of its own: `standing` is asked at every moment at which its answer can change (where hours begin or end, where
//! a right does, where the clocks are set), so what is told ahead is what the door will decide.

use crate::schedule::of_day;
use crate::standing::{ClockTrust, Now, Right, Standing, standing};
use crate::zone::Zone;
use klinke_model::schedule::HolidayCalendar;
use klinke_model::time::Timestamp;

/// A time in which somebody's rights hold without a break.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holds {
    /// The first moment.
    pub from: Timestamp,
    /// The first moment after it; the end of what was asked for if it goes on.
    pub until: Timestamp,
}

/// Whether one of the rights has neither hours nor an end nor a beginning: there is nothing to tell ahead.
pub fn always<'a>(rights: impl IntoIterator<Item = Right<'a>>) -> bool {
    rights.into_iter().any(|right| right == Right::ALWAYS)
}

/// The times from `from` until before `until` in which somebody's rights hold, in order, with a break between any two. Nothing
/// outside of the years that calendars have.
pub fn ahead(
    rights: &[Right<'_>],
    zone: &Zone,
    calendar: HolidayCalendar,
    from: Timestamp,
    until: Timestamp,
) -> Vec<Holds> {
    let mut times: Vec<Holds> = Vec::new();
    let moments = moments(rights, zone, calendar, from, until);
    let ends = moments.iter().copied().skip(1).chain([until]);
    for (at, end) in moments.iter().copied().zip(ends) {
        let Some(wall) = zone.wall(at) else { continue };
        let now = Now { at, wall, calendar, clock: ClockTrust::Trusted };
        if standing(rights.iter().copied(), &now) != Standing::InForce {
            continue;
        }
        match times.last_mut() {
            Some(last) if last.until == at => last.until = end,
            _ => times.push(Holds { from: at, until: end }),
        }
    }
    times
}

/// Every moment at which the answer can change, in order, once each, `from` among them.
fn moments(
    rights: &[Right<'_>],
    zone: &Zone,
    calendar: HolidayCalendar,
    from: Timestamp,
    until: Timestamp,
) -> Vec<Timestamp> {
    let mut moments = vec![from];
    moments.extend(zone.changes(from, until));
    moments.extend(rights.iter().flat_map(|right| [right.from, right.until]).flatten());
    if let (Some(first), Some(last)) = (zone.wall(from), zone.wall(until)) {
        for schedule in rights.iter().filter_map(|right| right.schedule) {
            for day in first.day..=last.day {
                let edges = of_day(schedule, calendar, day);
                let edges = edges.iter().flat_map(|span| [span.from, span.until]);
                moments.extend(edges.flat_map(|minute| zone.moments(day, minute)));
            }
        }
    }
    moments.retain(|moment| (from..until).contains(moment));
    moments.sort_unstable();
    moments.dedup();
    moments
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp as Moment;
    use klinke_model::schedule::{Exception, OnHolidays, Schedule, Span};
    use klinke_model::timetable::Hours;
    use proptest::prelude::*;

    const MINUTE: i64 = 60_000;
    const DAY: i64 = 24 * 60 * MINUTE;

    fn at(text: &str) -> Timestamp {
        Timestamp::from_millis(text.parse::<Moment>().unwrap().as_millisecond())
    }
    fn later(from: Timestamp, millis: i64) -> Timestamp {
        Timestamp::from_millis(from.as_millis() + millis)
    }
    fn hours(days: &[u8], from: u16, until: u16) -> Hours {
        Hours { days: days.to_vec(), from: from * 60, until: until * 60 }
    }
    fn office() -> Schedule {
        Schedule {
            hours: vec![hours(&[0, 1, 2, 3, 4], 7, 17)],
            holidays: OnHolidays::Closed,
            exceptions: vec![],
        }
    }
    fn during(schedule: &Schedule) -> Right<'_> {
        Right { schedule: Some(schedule), ..Right::ALWAYS }
    }
    /// In Oslo, with the holidays of Norway, for `days` days.
    fn oslo(rights: &[Right<'_>], from: &str, days: i64) -> Vec<(String, String)> {
        let zone = Zone::named("Europe/Oslo").unwrap();
        let from = at(from);
        let said = |moment: Timestamp| Moment::from_millisecond(moment.as_millis()).unwrap().to_string();
        let times = ahead(rights, &zone, HolidayCalendar::Norway, from, later(from, days * DAY));
        times.iter().map(|holds| (said(holds.from), said(holds.until))).collect()
    }
    fn is(times: &[(String, String)], expected: &[(&str, &str)]) {
        let times: Vec<_> = times.iter().map(|(from, until)| (from.as_str(), until.as_str())).collect();
        assert_eq!(times, expected);
    }

    #[test]
    fn a_friday_evening_leads_to_monday_morning() {
        let office = office();
        // Friday 20 November 2026, 18:30 in Oslo
        is(
            &oslo(&[during(&office)], "2026-11-20T17:30:00Z", 4),
            &[
                ("2026-11-23T06:00:00Z", "2026-11-23T16:00:00Z"),
                ("2026-11-24T06:00:00Z", "2026-11-24T16:00:00Z"),
            ],
        );
        // in the middle of a day it holds now, to the second
        is(
            &oslo(&[during(&office)], "2026-11-20T11:00:17Z", 1),
            &[("2026-11-20T11:00:17Z", "2026-11-20T16:00:00Z")],
        );
    }

    #[test]
    fn a_holiday_is_left_out_and_an_exception_counts() {
        // Wednesday evening before Ascension, 14 May 2026
        let mut office = office();
        is(
            &oslo(&[during(&office)], "2026-05-13T16:00:00Z", 2),
            &[("2026-05-15T05:00:00Z", "2026-05-15T15:00:00Z")],
        );
        office.exceptions =
            vec![Exception { first: 20_587, last: 20_587, spans: vec![Span { from: 600, until: 660 }] }];
        is(
            &oslo(&[during(&office)], "2026-05-13T16:00:00Z", 1),
            &[("2026-05-14T08:00:00Z", "2026-05-14T09:00:00Z")],
        );
    }

    #[test]
    fn clocks_that_are_set_move_the_hour_and_not_the_time_of_day() {
        let nights = Schedule { hours: vec![hours(&[5, 6], 22, 6)], ..Schedule::default() };
        is(
            &oslo(&[during(&nights)], "2026-03-28T12:00:00Z", 2),
            &[
                ("2026-03-28T21:00:00Z", "2026-03-29T04:00:00Z"),
                ("2026-03-29T20:00:00Z", "2026-03-30T04:00:00Z"),
            ],
        );
        // 02:00 to 03:00 is not there on 29 March, and twice on 25 October; what begins in the hour that is not there begins
        // where the clocks land
        let hour = Schedule { hours: vec![hours(&[6], 2, 3)], ..Schedule::default() };
        is(&oslo(&[during(&hour)], "2026-03-28T12:00:00Z", 2), &[]);
        is(
            &oslo(&[during(&hour)], "2026-10-24T12:00:00Z", 2),
            &[("2026-10-25T00:00:00Z", "2026-10-25T02:00:00Z")],
        );
        let half =
            Schedule { hours: vec![Hours { days: vec![6], from: 150, until: 240 }], ..Schedule::default() };
        is(
            &oslo(&[during(&half)], "2026-03-28T12:00:00Z", 2),
            &[("2026-03-29T01:00:00Z", "2026-03-29T02:00:00Z")],
        );
        is(
            &oslo(&[during(&half)], "2026-10-24T12:00:00Z", 2),
            &[
                ("2026-10-25T00:30:00Z", "2026-10-25T01:00:00Z"),
                ("2026-10-25T01:30:00Z", "2026-10-25T03:00:00Z"),
            ],
        );
    }

    #[test]
    fn a_right_that_begins_or_ends_meanwhile_counts_from_then() {
        let office = office();
        let dated = Right {
            from: Some(at("2026-11-24T23:00:00Z")),
            until: Some(at("2026-11-26T10:00:00Z")),
            ..during(&office)
        };
        is(
            &oslo(&[dated], "2026-11-20T17:30:00Z", 8),
            &[
                ("2026-11-25T06:00:00Z", "2026-11-25T16:00:00Z"),
                ("2026-11-26T06:00:00Z", "2026-11-26T10:00:00Z"),
            ],
        );
        // one of several is enough, and what meets is one
        let weekend =
            Schedule { hours: vec![hours(&[4], 17, 24), hours(&[5], 0, 24)], ..Schedule::default() };
        is(
            &oslo(&[during(&office), during(&weekend)], "2026-11-20T10:00:00Z", 2),
            &[("2026-11-20T10:00:00Z", "2026-11-21T23:00:00Z")],
        );
        is(&oslo(&[], "2026-11-20T10:00:00Z", 2), &[]);
    }

    #[test]
    fn nothing_is_told_ahead_of_a_right_that_always_holds() {
        let office = office();
        assert!(always([during(&office), Right::ALWAYS]));
        assert!(!always([
            during(&office),
            Right { from: Some(at("2026-11-20T10:00:00Z")), ..Right::ALWAYS }
        ]));
    }

    fn spans() -> impl Strategy<Value = Vec<Hours>> {
        let row = (prop::collection::vec(0_u8..7, 1..5), 0_u16..1440, 1_u16..=1440);
        prop::collection::vec(row.prop_map(|(days, from, until)| Hours { days, from, until }), 0..4)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

        /// What is told ahead is what every minute says, over the nights on which clocks are set.
        #[test]
        fn every_minute_agrees(
            first in spans(), second in spans(), closed in prop::bool::ANY,
            begins in prop::option::of(0_i64..4 * 1440), ends in prop::option::of(0_i64..4 * 1440),
            start in prop::sample::select(vec!["2026-03-27T12:00:30Z", "2026-10-23T12:00:30Z", "2026-05-12T12:00:30Z"]),
            zone in prop::sample::select(vec!["Europe/Oslo", "Atlantic/Reykjavik", "Australia/Lord_Howe", "Africa/Cairo"]),
        ) {
            let zone = Zone::named(zone).unwrap();
            let from = at(start);
            let until = later(from, 3 * DAY);
            let schedule = |hours| Schedule {
                hours,
                holidays: if closed { OnHolidays::Closed } else { OnHolidays::AsUsual },
                exceptions: vec![],
            };
            let (first, second) = (schedule(first), schedule(second));
            let moment = |minutes: Option<i64>| minutes.map(|minutes| later(from, minutes * MINUTE));
            let rights = [during(&first), Right { from: moment(begins), until: moment(ends), ..during(&second) }];
            let times = ahead(&rights, &zone, HolidayCalendar::Norway, from, until);
            for minute in 0..3 * 1440 {
                let at = later(from, minute * MINUTE);
                let now = Now { at, wall: zone.wall(at).unwrap(), calendar: HolidayCalendar::Norway, clock: ClockTrust::Trusted };
                let told = times.iter().any(|holds| (holds.from..holds.until).contains(&at));
                prop_assert_eq!(standing(rights, &now) == Standing::InForce, told, "minute {}", minute);
            }
            prop_assert!(times.windows(2).all(|two| two[0].until < two[1].from));
        }
    }
}
