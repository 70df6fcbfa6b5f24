//! What a schedule says of a minute on the wall clock.
//!
//! Hours belong to the day they begin on, and so does what makes that day different: a night that begins before a
//! holiday goes on into it, and one that would begin on a closed day does not begin. Daylight saving needs no rule: an
//! hour that the clock jumps over is not there, one that comes twice counts twice.

use crate::holidays::is_holiday;
use crate::zone::{Wall, weekday};
use klinke_model::schedule::{HolidayCalendar, OnHolidays, Schedule, Span};

/// Minutes of a day.
const DAY: u16 = 24 * 60;

/// Whether a schedule holds at a minute.
pub fn covers(schedule: &Schedule, calendar: HolidayCalendar, at: Wall) -> bool {
    any_span(schedule, calendar, at.day, |span| {
        span.from <= at.minute && (runs_over(span) || at.minute < span.until)
    }) || any_span(schedule, calendar, at.day - 1, |span| runs_over(span) && at.minute < span.until)
}

/// The hours of a day as people see them on its calendar page: from midnight to midnight, in order, joined where they
/// meet, with what comes over from the night before.
pub fn of_day(schedule: &Schedule, calendar: HolidayCalendar, day: i64) -> Vec<Span> {
    let mut spans = Vec::new();
    any_span(schedule, calendar, day - 1, |span| {
        if runs_over(span) {
            spans.push(Span { from: 0, until: span.until });
        }
        false
    });
    any_span(schedule, calendar, day, |span| {
        spans.push(Span { from: span.from, until: if runs_over(span) { DAY } else { span.until } });
        false
    });
    spans.sort_unstable_by_key(|span| span.from);
    let mut joined: Vec<Span> = Vec::with_capacity(spans.len());
    for span in spans {
        match joined.last_mut() {
            Some(last) if span.from <= last.until => last.until = last.until.max(span.until),
            _ => joined.push(span),
        }
    }
    joined
}

/// Whether one of the spans that begin on a day is like this. The one place that says which spans a day has.
fn any_span(
    schedule: &Schedule,
    calendar: HolidayCalendar,
    day: i64,
    mut is: impl FnMut(Span) -> bool,
) -> bool {
    let exception =
        schedule.exceptions.iter().find(|exception| (exception.first..=exception.last).contains(&day));
    if let Some(exception) = exception {
        return exception.spans.iter().copied().any(is);
    }
    if schedule.holidays != OnHolidays::AsUsual && is_holiday(calendar, day) {
        return match &schedule.holidays {
            OnHolidays::Own { spans } => spans.iter().copied().any(is),
            OnHolidays::AsUsual | OnHolidays::Closed => false,
        };
    }
    let weekday = weekday(day);
    let of_the_week = schedule.hours.iter().filter(|row| row.days.contains(&weekday));
    of_the_week.map(|row| Span { from: row.from, until: row.until }).any(&mut is)
}

const fn runs_over(span: Span) -> bool {
    span.until <= span.from
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zone::Zone;
    use jiff::Timestamp as Moment;
    use klinke_model::schedule::Exception;
    use klinke_model::time::Timestamp;
    use klinke_model::timetable::Hours;
    use proptest::prelude::*;

    const NORWAY: HolidayCalendar = HolidayCalendar::Norway;

    fn hours(days: &[u8], from: u16, until: u16) -> Hours {
        Hours { days: days.to_vec(), from: from * 60, until: until * 60 }
    }
    fn span(from: u16, until: u16) -> Span {
        Span { from: from * 60, until: until * 60 }
    }
    fn office() -> Schedule {
        Schedule {
            hours: vec![hours(&[0, 1, 2, 3, 4], 6, 22), hours(&[5], 10, 18)],
            holidays: OnHolidays::Closed,
            exceptions: vec![],
        }
    }
    /// In Oslo, at a moment in UTC.
    fn at(schedule: &Schedule, moment: &str) -> bool {
        let moment = Timestamp::from_millis(moment.parse::<Moment>().unwrap().as_millisecond());
        covers(schedule, NORWAY, Zone::named("Europe/Oslo").unwrap().wall(moment).unwrap())
    }

    #[test]
    fn a_week_with_its_edges() {
        let office = office();
        // Friday 20 November 2026, in winter: one hour ahead of UTC
        assert!(!at(&office, "2026-11-20T04:59:59Z") && at(&office, "2026-11-20T05:00:00Z"));
        assert!(at(&office, "2026-11-20T20:59:59Z") && !at(&office, "2026-11-20T21:00:00Z"));
        assert!(!at(&office, "2026-11-21T08:59:59Z") && at(&office, "2026-11-21T09:00:00Z"), "Saturday");
        assert!(!at(&office, "2026-11-22T12:00:00Z"), "Sunday");
        // in summer two hours
        assert!(!at(&office, "2026-07-15T03:59:59Z") && at(&office, "2026-07-15T04:00:00Z"));
    }

    #[test]
    fn holidays_are_closed_as_usual_or_have_their_own_hours() {
        // Ascension, Thursday 14 May 2026; 17 May is a Sunday
        let (noon, sunday) = ("2026-05-14T10:00:00Z", "2026-05-17T10:00:00Z");
        assert!(!at(&office(), noon));
        assert!(at(&Schedule { holidays: OnHolidays::AsUsual, ..office() }, noon));
        let own = Schedule { holidays: OnHolidays::Own { spans: vec![span(11, 13)] }, ..office() };
        assert!(at(&own, noon) && !at(&own, "2026-05-14T11:00:00Z"));
        assert!(at(&own, sunday), "a holiday on a Sunday is one");
        assert!(!covers(&office(), HolidayCalendar::None, Wall { day: 20_000, minute: 0 }));
    }

    #[test]
    fn an_exception_wins_over_all_else_and_the_first_over_the_next() {
        let day = 20_587; // Ascension 2026
        let with = |exceptions| Schedule { exceptions, ..office() };
        let exception = |spans| Exception { first: day - 1, last: day + 1, spans };
        let open = with(vec![exception(vec![span(9, 10)]), exception(vec![])]);
        assert!(covers(&open, NORWAY, Wall { day, minute: 9 * 60 }));
        let closed = with(vec![exception(vec![]), exception(vec![span(9, 10)])]);
        assert!(!covers(&closed, NORWAY, Wall { day: day + 1, minute: 9 * 60 }), "a Friday, closed");
        assert!(covers(&closed, NORWAY, Wall { day: day + 4, minute: 9 * 60 }));
    }

    #[test]
    fn a_night_goes_on_into_a_holiday_and_does_not_begin_on_one() {
        let nights =
            Schedule { hours: vec![hours(&[2, 3], 22, 6)], holidays: OnHolidays::Closed, exceptions: vec![] };
        assert!(at(&nights, "2026-05-14T03:59:00Z"), "from Wednesday into Ascension");
        assert!(!at(&nights, "2026-05-14T04:00:00Z") && !at(&nights, "2026-05-14T21:00:00Z"));
        assert!(!at(&nights, "2026-05-15T01:00:00Z"), "none came over from Ascension");
    }

    #[test]
    fn the_nights_on_which_clocks_are_set() {
        // 02:00 to 03:00 on Sundays: gone on 29 March, there twice on 25 October
        let hour = Schedule { hours: vec![hours(&[6], 2, 3)], ..Schedule::default() };
        for minute in 0..180 {
            let moment = format!("2026-03-29T{:02}:{:02}:00Z", minute / 60, minute % 60);
            assert!(!at(&hour, &moment), "{moment}");
        }
        let open = |hour_of: &str| at(&hour, &format!("2026-10-25T{hour_of}:30:00Z"));
        assert_eq!([open("00"), open("01"), open("02")], [true, true, false]);
        // a night over the change is as long as the clock makes it
        let night = Schedule { hours: vec![hours(&[5], 22, 6)], ..Schedule::default() };
        assert!(at(&night, "2026-03-29T03:59:59Z") && !at(&night, "2026-03-29T04:00:00Z"));
        assert!(at(&night, "2026-10-25T04:59:59Z") && !at(&night, "2026-10-25T05:00:00Z"));
    }

    #[test]
    fn a_leap_day_is_a_day() {
        let tuesdays = Schedule { hours: vec![hours(&[1], 0, 24)], ..Schedule::default() };
        assert!(at(&tuesdays, "2028-02-28T23:00:00Z") && at(&tuesdays, "2028-02-29T22:59:59Z"));
        assert!(!at(&tuesdays, "2028-02-29T23:00:00Z"));
    }

    #[test]
    fn another_zone_is_another_hour() {
        let moment =
            Timestamp::from_millis("2026-11-20T05:30:00Z".parse::<Moment>().unwrap().as_millisecond());
        let open = |zone| covers(&office(), NORWAY, Zone::named(zone).unwrap().wall(moment).unwrap());
        assert!(open("Europe/Oslo") && open("Europe/Helsinki") && !open("Atlantic/Reykjavik"));
    }

    #[test]
    fn a_calendar_page_shows_the_night_before_and_joins_what_meets() {
        let schedule = Schedule {
            hours: vec![hours(&[0], 22, 6), hours(&[1], 6, 8), hours(&[1], 7, 9), hours(&[1], 20, 24)],
            ..Schedule::default()
        };
        let tuesday = 20_781;
        assert_eq!(weekday(tuesday), 1);
        assert_eq!(of_day(&schedule, NORWAY, tuesday), [span(0, 9), span(20, 24)]);
        assert_eq!(of_day(&schedule, NORWAY, tuesday - 1), [span(22, 24)]);
        assert!(of_day(&schedule, NORWAY, tuesday + 1).is_empty());
    }

    fn any_span_of_a_day() -> impl Strategy<Value = Span> {
        (0_u16..1440, 1_u16..=1440).prop_map(|(from, until)| Span { from, until })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

        /// What the page of a day shows is what the minutes of the day say.
        #[test]
        fn the_calendar_page_is_the_truth(
            rows in prop::collection::vec((prop::collection::vec(0_u8..7, 1..4), any_span_of_a_day()), 0..4),
            own in prop::option::of(prop::collection::vec(any_span_of_a_day(), 1..3)),
            exceptions in prop::collection::vec(
                (20_580_i64..20_592, 0_i64..3, prop::collection::vec(any_span_of_a_day(), 0..3)), 0..3),
            day in 20_580_i64..20_592,
        ) {
            let schedule = Schedule {
                hours: rows.into_iter().map(|(days, span)| Hours { days, from: span.from, until: span.until }).collect(),
                holidays: own.map_or(OnHolidays::Closed, |spans| OnHolidays::Own { spans }),
                exceptions: exceptions
                    .into_iter()
                    .map(|(first, more, spans)| Exception { first, last: first + more, spans })
                    .collect(),
            };
            let page = of_day(&schedule, NORWAY, day);
            for minute in 0..DAY {
                let shown = page.iter().any(|span| span.from <= minute && minute < span.until);
                prop_assert_eq!(covers(&schedule, NORWAY, Wall { day, minute }), shown, "minute {}", minute);
            }
            prop_assert!(page.windows(2).all(|two| two[0].until < two[1].from));
        }
    }
}
