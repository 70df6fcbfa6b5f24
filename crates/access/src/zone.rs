//! What the clock on a building's wall says. The zones come with the program, so server and controller know the same
//! ones and need no files of the system; the moment is a parameter.

use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{Timestamp as Moment, civil};
use klinke_model::time::Timestamp;

/// A time zone of the IANA database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone(TimeZone);

/// A minute on the wall clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Wall {
    /// Days since 1970 where the building stands.
    pub day: i64,
    /// Minutes after midnight, 0 to 1439. At the end of daylight saving some come twice.
    pub minute: u16,
}

impl Zone {
    /// The zone of a name such as "Europe/Oslo"; none that the database does not have.
    pub fn named(name: &str) -> Option<Self> {
        TimeZone::get(name).ok().map(Self)
    }

    /// What the wall clock says at a moment; none outside the years that calendars have (−9999 to 9999).
    pub fn wall(&self, at: Timestamp) -> Option<Wall> {
        let moment = Moment::from_millisecond(at.as_millis()).ok()?;
        let local = self.0.to_datetime(moment);
        let minute = u16::try_from(i32::from(local.hour()) * 60 + i32::from(local.minute())).ok()?;
        Some(Wall { day: day_of(local.date())?, minute })
    }

    /// The first moment of a day: midnight, or where clocks jump over midnight the moment after the jump.
    pub fn start_of(&self, day: i64) -> Option<Timestamp> {
        let start = date_of(day)?.to_zoned(self.0.clone()).ok()?.start_of_day().ok()?;
        Some(Timestamp::from_millis(start.timestamp().as_millisecond()))
    }

    /// The moments at which the wall clock comes to a minute of a day (0 to 1440, which is the next midnight): none where
    /// clocks jump over it, two where they come to it twice.
    pub fn moments(&self, day: i64, minute: u16) -> impl Iterator<Item = Timestamp> {
        let found = date_of(day).and_then(|date| {
            let minutes = jiff::Span::new().try_minutes(minute).ok()?;
            let local = date.at(0, 0, 0, 0).checked_add(minutes).ok()?;
            let clock = self.0.to_ambiguous_timestamp(local);
            Some(match clock.offset() {
                AmbiguousOffset::Gap { .. } => [None, None],
                AmbiguousOffset::Unambiguous { .. } => [clock.compatible().ok(), None],
                AmbiguousOffset::Fold { .. } => [clock.earlier().ok(), clock.later().ok()],
            })
        });
        let moments = found.unwrap_or_default().into_iter().flatten();
        moments.map(|moment| Timestamp::from_millis(moment.as_millisecond()))
    }

    /// The moments after `from` and before `until` at which clocks are set.
    pub fn changes(&self, from: Timestamp, until: Timestamp) -> Vec<Timestamp> {
        let Ok(start) = Moment::from_millisecond(from.as_millis()) else { return Vec::new() };
        let changes =
            self.0.following(start).map(|change| Timestamp::from_millis(change.timestamp().as_millisecond()));
        changes.take_while(|change| *change < until).collect()
    }
}

impl Wall {
    /// 0 is Monday, 6 is Sunday.
    pub fn weekday(self) -> u8 {
        weekday(self.day)
    }
}

/// The weekday of a day since 1970 (a Thursday): 0 is Monday, 6 is Sunday.
pub fn weekday(day: i64) -> u8 {
    u8::try_from((day.rem_euclid(7) + 3) % 7).unwrap_or_default()
}

/// Days since 1970 of a date.
pub(crate) fn day_of(date: civil::Date) -> Option<i64> {
    civil::date(1970, 1, 1).until(date).ok().map(|span| i64::from(span.get_days()))
}

/// The date of a day since 1970.
pub(crate) fn date_of(day: i64) -> Option<civil::Date> {
    let days = jiff::Span::new().try_days(day).ok()?;
    civil::date(1970, 1, 1).checked_add(days).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::from_millis(text.parse::<Moment>().unwrap().as_millisecond())
    }

    fn oslo(text: &str) -> (i64, u8, u16, u16) {
        let wall = Zone::named("Europe/Oslo").unwrap().wall(at(text)).unwrap();
        (wall.day, wall.weekday(), wall.minute / 60, wall.minute % 60)
    }

    #[test]
    fn the_wall_clock_follows_daylight_saving() {
        assert_eq!(oslo("2026-11-21T12:00:30Z"), (20_778, 5, 13, 0));
        assert_eq!(oslo("2026-03-29T00:59:59Z"), (20_541, 6, 1, 59));
        assert_eq!(oslo("2026-03-29T01:00:00Z"), (20_541, 6, 3, 0));
        assert_eq!(oslo("2026-10-25T00:30:00Z"), (20_751, 6, 2, 30));
        assert_eq!(oslo("2026-10-25T01:30:00Z"), (20_751, 6, 2, 30), "the hour that comes twice");
        assert_eq!(oslo("2026-11-21T23:00:00Z"), (20_779, 6, 0, 0));
    }

    #[test]
    fn days_before_1970_leap_days_and_the_end_of_time_have_their_weekday() {
        assert_eq!(oslo("1969-12-31T22:59:00Z"), (-1, 2, 23, 59));
        assert_eq!(oslo("2028-02-29T12:00:00Z"), (21_243, 1, 13, 0));
        assert_eq!(Zone::named("UTC").unwrap().wall(Timestamp::from_millis(i64::MAX)), None);
        assert_eq!(Zone::named("Europe/Nowhere"), None);
    }

    #[test]
    fn a_day_starts_at_midnight_or_where_the_clocks_land() {
        let start = |zone: &str, day| Zone::named(zone).unwrap().start_of(day).unwrap();
        assert_eq!(start("Europe/Oslo", 20_779), at("2026-11-21T23:00:00Z"));
        // Cairo jumps from midnight to one o'clock
        assert_eq!(start("Africa/Cairo", 19_839), at("2024-04-25T22:00:00Z"));
    }

    #[test]
    fn a_date_leads_back_to_its_day() {
        for day in [-719_162, -1, 0, 59, 20_778, 21_243, 1_000_000] {
            assert_eq!(day_of(date_of(day).unwrap()), Some(day));
        }
        assert_eq!(date_of(i64::MAX), None);
    }
}
