//! Hours of the week at which a button is shown or hidden (R13), as the clock on the building's wall has them.
//!
//! Nothing here knows a time zone: who asks tells the weekday and the minute where the building stands. So daylight saving
//! needs no rule: an hour that the clock jumps over is not there, one that comes twice counts twice.

use serde::{Deserialize, Serialize};

/// The most rows that a timetable has.
pub const ROWS: usize = 14;

/// Minutes of a day.
const DAY: u16 = 24 * 60;

/// When a button is on its panel. Without rows it always is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Timetable {
    /// What the hours of the rows are.
    pub hours_are: HoursAre,
    /// The hours. 14 rows at most.
    pub rows: Vec<Hours>,
}

/// What the hours of a timetable are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum HoursAre {
    /// The button is hidden in them, and shown else.
    #[default]
    Hidden,
    /// The button is shown in them, and hidden else.
    Shown,
}

/// The same hours on some days of the week.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Hours {
    /// 0 is Monday, 6 is Sunday: the days on which they begin.
    pub days: Vec<u8>,
    /// Minutes after midnight, 0 to 1439.
    pub from: u16,
    /// Minutes after midnight, 1 to 1440; over midnight when it is not after `from`.
    pub until: u16,
}

/// What the clock on the building's wall says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WallClock {
    /// 0 is Monday, 6 is Sunday.
    pub weekday: u8,
    /// Minutes after midnight, 0 to 1439.
    pub minute: u16,
}

impl Timetable {
    /// Whether the button is off its panel at this minute.
    pub fn hides(&self, now: WallClock) -> bool {
        if self.rows.is_empty() {
            return false;
        }
        let inside = self.rows.iter().any(|row| row.cover(now));
        match self.hours_are {
            HoursAre::Hidden => inside,
            HoursAre::Shown => !inside,
        }
    }

    /// The first row that is not one, or the number of rows when they are too many.
    pub fn wrong(&self) -> Option<usize> {
        if self.rows.len() > ROWS {
            return Some(ROWS);
        }
        self.rows.iter().position(|row| !row.is_sound())
    }
}

impl Hours {
    fn cover(&self, now: WallClock) -> bool {
        let begins = |weekday| self.days.contains(&weekday);
        let yesterday = (now.weekday + 6) % 7;
        if self.from < self.until {
            begins(now.weekday) && self.from <= now.minute && now.minute < self.until
        } else {
            (begins(now.weekday) && self.from <= now.minute) || (begins(yesterday) && now.minute < self.until)
        }
    }

    /// Whether these are hours of days.
    pub(crate) fn is_sound(&self) -> bool {
        let days = !self.days.is_empty() && self.days.len() <= 7 && self.days.iter().all(|day| *day < 7);
        days && self.from < DAY && (1..=DAY).contains(&self.until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(weekday: u8, hour: u16, minute: u16) -> WallClock {
        WallClock { weekday, minute: hour * 60 + minute }
    }

    fn hours(days: &[u8], from: u16, until: u16) -> Hours {
        Hours { days: days.to_vec(), from: from * 60, until: until * 60 }
    }

    #[test]
    fn hours_over_midnight_belong_to_the_day_they_begin_on() {
        let friday_night = Timetable { hours_are: HoursAre::Hidden, rows: vec![hours(&[4], 22, 7)] };
        let hidden =
            [(4, 21, 59), (4, 22, 0), (4, 23, 59), (5, 0, 0), (5, 6, 59), (5, 7, 0), (4, 3, 0), (5, 22, 0)]
                .map(|(day, hour, minute)| friday_night.hides(at(day, hour, minute)));
        assert_eq!(hidden, [false, true, true, true, true, false, false, false]);
        let sunday_night = Timetable { hours_are: HoursAre::Hidden, rows: vec![hours(&[6], 22, 7)] };
        assert!(sunday_night.hides(at(0, 6, 59)), "the week begins anew");
    }

    #[test]
    fn shown_hours_hide_the_rest_of_the_week() {
        let office = Timetable { hours_are: HoursAre::Shown, rows: vec![hours(&[0, 1, 2, 3, 4], 8, 16)] };
        let hidden = [(0, 7, 59), (0, 8, 0), (4, 15, 59), (4, 16, 0), (5, 12, 0)]
            .map(|(day, hour, minute)| office.hides(at(day, hour, minute)));
        assert_eq!(hidden, [true, false, false, true, true]);
        let nothing = Timetable { hours_are: HoursAre::Shown, rows: vec![] };
        assert!(!nothing.hides(at(0, 12, 0)), "a timetable without hours hides nothing");
    }

    #[test]
    fn a_whole_day_is_from_midnight_to_midnight() {
        let sundays = Timetable { hours_are: HoursAre::Hidden, rows: vec![hours(&[6], 0, 24)] };
        assert!(sundays.hides(at(6, 0, 0)) && sundays.hides(at(6, 23, 59)));
        assert!(!sundays.hides(at(0, 0, 0)) && !sundays.hides(at(5, 23, 59)));
    }

    #[test]
    fn what_is_not_hours_is_named() {
        let wrong = |rows| Timetable { hours_are: HoursAre::Hidden, rows }.wrong();
        assert_eq!(wrong(vec![]), None);
        assert_eq!(wrong(vec![hours(&[0], 22, 7), hours(&[], 1, 2)]), Some(1));
        assert_eq!(wrong(vec![hours(&[7], 1, 2)]), Some(0));
        assert_eq!(wrong(vec![hours(&[0], 24, 2)]), Some(0));
        assert_eq!(wrong(vec![hours(&[0], 1, 25)]), Some(0));
        assert_eq!(wrong(vec![hours(&[0], 0, 0)]), Some(0));
        assert_eq!(wrong(vec![hours(&[0], 1, 2); 15]), Some(14));
    }

    proptest! {
        /// A week of a row has as many hidden minutes as the row is long, on each of its days.
        #[test]
        fn a_row_covers_its_length(day in 0_u8..7, from in 0_u16..1440, until in 1_u16..=1440) {
            let row = Hours { days: vec![day], from, until };
            let week = (0..7).flat_map(|weekday| (0..1440).map(move |minute| WallClock { weekday, minute }));
            let covered = week.filter(|now| row.cover(*now)).count();
            let long = if from < until { until - from } else { 1440 - from + until };
            prop_assert_eq!(covered, usize::from(long));
        }
    }
}
