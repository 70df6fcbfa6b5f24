//! Days in a building's time zone. A contract ends with a day, and what a day is depends on where the building stands;
//! `klinke_access::zone` says it, here under the names of zones that buildings have.

use jiff::ToSpan;
use jiff::civil::Date;
use klinke_access::zone::Zone;
use klinke_model::time::Timestamp;
use klinke_model::timetable::WallClock;

/// Day 0.
const EPOCH: Date = jiff::civil::date(1970, 1, 1);

/// A day as people and APIs write it, `2026-11-30`; none outside the years of the calendar.
pub fn written(day: i64) -> Option<String> {
    i32::try_from(day).ok().and_then(|day| EPOCH.checked_add(day.days()).ok()).map(|date| date.to_string())
}

/// Days since 1970 of a written day.
pub fn parsed(text: &str) -> Option<i64> {
    let date: Date = text.parse().ok()?;
    EPOCH.until(date).ok().map(|span| i64::from(span.get_days()))
}

/// Whether this names a zone of the IANA database, such as "Europe/Oslo".
pub fn is_zone(name: &str) -> bool {
    Zone::named(name).is_some()
}

/// Today where a building stands; none for a zone that nobody knows.
pub fn today(now: Timestamp, zone: &str) -> Option<i64> {
    Some(Zone::named(zone)?.wall(now)?.day)
}

/// What the clock on a building's wall says; none for a zone that nobody knows.
pub fn wall_clock(now: Timestamp, zone: &str) -> Option<WallClock> {
    let wall = Zone::named(zone)?.wall(now)?;
    Some(WallClock { weekday: wall.weekday(), minute: wall.minute })
}

/// The first moment after a day, where a building stands.
pub fn end_of(day: i64, zone: &str) -> Option<Timestamp> {
    Zone::named(zone)?.start_of(day.checked_add(1)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp as Moment;

    #[test]
    fn a_day_ends_at_the_buildings_midnight() {
        let day = parsed("2026-11-30").unwrap();
        assert_eq!(written(day).unwrap(), "2026-11-30");
        // winter and summer time in Oslo, and a place where clocks jump over midnight
        let ends = |text, zone| written_moment(end_of(parsed(text).unwrap(), zone).unwrap());
        assert_eq!(ends("2026-11-30", "Europe/Oslo"), "2026-11-30T23:00:00Z");
        assert_eq!(ends("2026-06-30", "Europe/Oslo"), "2026-06-30T22:00:00Z");
        assert_eq!(ends("2026-10-24", "Europe/Oslo"), "2026-10-24T22:00:00Z");
        assert_eq!(ends("2026-10-25", "Europe/Oslo"), "2026-10-25T23:00:00Z");
        assert_eq!(ends("2024-04-25", "Africa/Cairo"), "2024-04-25T22:00:00Z");
        assert_eq!(end_of(day, "Europe/Nowhere"), None);
        assert_eq!(parsed("30.11.2026"), None);
        assert_eq!(parsed("2026-02-30"), None);
        assert_eq!(written(i64::MAX), None);
    }

    #[test]
    fn a_zone_is_one_that_the_database_has() {
        for name in ["Europe/Oslo", "America/Argentina/Ushuaia", "UTC", "Etc/GMT+3"] {
            assert!(is_zone(name), "{name}");
        }
        for name in [
            "",
            "Oslo",
            "Europe/",
            "/Oslo",
            "Europe/Os lo",
            "../etc/passwd",
            "Europe/Oslo\n",
            "Europe/Nowhere",
        ] {
            assert!(!is_zone(name), "{name}");
        }
    }

    #[test]
    fn today_is_the_buildings_day() {
        let evening = Timestamp::from_millis(1_795_302_000_000); // 2026-11-21T23:00:00Z
        assert_eq!(written(today(evening, "Europe/Oslo").unwrap()).unwrap(), "2026-11-22");
        assert_eq!(written(today(evening, "Atlantic/Reykjavik").unwrap()).unwrap(), "2026-11-21");
    }

    #[test]
    fn the_wall_clock_follows_daylight_saving() {
        let at = |text: &str| {
            let moment: Moment = text.parse().unwrap();
            let clock = wall_clock(Timestamp::from_millis(moment.as_millisecond()), "Europe/Oslo").unwrap();
            (clock.weekday, clock.minute / 60, clock.minute % 60)
        };
        // a Saturday in winter, and the two nights on which the clocks are set
        assert_eq!(at("2026-11-21T12:00:30Z"), (5, 13, 0));
        assert_eq!(at("2026-03-29T00:59:00Z"), (6, 1, 59));
        assert_eq!(at("2026-03-29T01:00:00Z"), (6, 3, 0));
        assert_eq!(at("2026-10-25T00:30:00Z"), (6, 2, 30));
        assert_eq!(at("2026-10-25T01:30:00Z"), (6, 2, 30));
        assert_eq!(at("2026-11-22T23:00:00Z"), (0, 0, 0));
        assert_eq!(wall_clock(Timestamp::from_millis(0), "Europe/Nowhere"), None);
    }

    fn written_moment(at: Timestamp) -> String {
        Moment::from_millisecond(at.as_millis()).unwrap().to_string()
    }
}
