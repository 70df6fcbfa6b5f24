//! When a rule holds: hours of the week, what holidays make of them, and days that are different, on the building's
//! wall clock.
//!
//! Only the data is here; what it says of a moment is asked of `klinke_access::schedule`.

use crate::timetable::Hours;
use serde::{Deserialize, Serialize};

/// Minutes of a day.
const DAY: u16 = 24 * 60;

/// A named set of hours. Nothing is in it that it does not name: without hours it is never.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Schedule {
    /// The hours of an ordinary week. [`Self::ROWS`] rows at most.
    pub hours: Vec<Hours>,
    /// What a holiday is.
    pub holidays: OnHolidays,
    /// Days that are different, whatever else they are. The first that names a day counts. [`Self::EXCEPTIONS`] at most.
    pub exceptions: Vec<Exception>,
}

/// What the hours of a holiday are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "are", rename_all = "snake_case")]
pub enum OnHolidays {
    /// Those of its weekday.
    #[default]
    AsUsual,
    /// None.
    Closed,
    /// Their own.
    Own {
        /// The hours of every holiday.
        spans: Vec<Span>,
    },
}

/// From one minute of a day to another; over midnight into the next day when it does not end after it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Span {
    /// Minutes after midnight, 0 to 1439.
    pub from: u16,
    /// Minutes after midnight, 1 to 1440; the minute itself is not in it.
    pub until: u16,
}

/// Days that are different.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Exception {
    /// The first such day, in days since 1970.
    pub first: i64,
    /// The last such day.
    pub last: i64,
    /// The hours of each; none makes them closed.
    pub spans: Vec<Span>,
}

/// Whose public holidays count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum HolidayCalendar {
    /// Nobody's: every day is as its weekday.
    #[default]
    None,
    /// Norway's.
    Norway,
    /// Sweden's, with the eves that are days off by custom (Midsummer, Christmas, New Year).
    Sweden,
    /// Denmark's.
    Denmark,
    /// Finland's, with the eves that are days off by custom.
    Finland,
}

impl Schedule {
    /// The most rows of hours.
    pub const ROWS: usize = 21;
    /// The most exceptions.
    pub const EXCEPTIONS: usize = 100;
    /// The most spans of one day.
    pub const SPANS: usize = 8;

    /// What of it can not be, named as in its JSON (`hours/3`, `holidays/spans/0`, `exceptions/2`); none when it is sound.
    pub fn fault(&self) -> Option<String> {
        if self.hours.len() > Self::ROWS {
            return Some("hours".to_owned());
        }
        if let Some(row) = self.hours.iter().position(|row| !row.is_sound()) {
            return Some(format!("hours/{row}"));
        }
        if let OnHolidays::Own { spans } = &self.holidays {
            if spans.is_empty() || spans.len() > Self::SPANS {
                return Some("holidays/spans".to_owned());
            }
            if let Some(span) = spans.iter().position(|span| !span.is_sound()) {
                return Some(format!("holidays/spans/{span}"));
            }
        }
        if self.exceptions.len() > Self::EXCEPTIONS {
            return Some("exceptions".to_owned());
        }
        self.exceptions
            .iter()
            .position(|exception| !exception.is_sound())
            .map(|exception| format!("exceptions/{exception}"))
    }
}

impl Span {
    fn is_sound(self) -> bool {
        self.from < DAY && (1..=DAY).contains(&self.until)
    }
}

impl Exception {
    /// A year at most, so that nobody closes a door for good by a slip of a digit.
    const DAYS: i64 = 366;

    fn is_sound(&self) -> bool {
        self.first <= self.last
            && self.last.saturating_sub(self.first) < Self::DAYS
            && self.spans.len() <= Schedule::SPANS
            && self.spans.iter().all(|span| span.is_sound())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours(days: &[u8], from: u16, until: u16) -> Hours {
        Hours { days: days.to_vec(), from, until }
    }

    #[test]
    fn what_can_not_be_is_named() {
        let span = |from, until| Span { from, until };
        let own = |spans| Schedule { holidays: OnHolidays::Own { spans }, ..Schedule::default() };
        let exception = |first, last, spans| Schedule {
            exceptions: vec![Exception { first, last, spans }],
            ..Schedule::default()
        };
        assert_eq!(Schedule::default().fault(), None);
        let rows = Schedule { hours: vec![hours(&[0], 0, 1440), hours(&[7], 0, 1)], ..Schedule::default() };
        assert_eq!(rows.fault().unwrap(), "hours/1");
        let many = Schedule { hours: vec![hours(&[0], 0, 1); 22], ..Schedule::default() };
        assert_eq!(many.fault().unwrap(), "hours");
        assert_eq!(own(vec![]).fault().unwrap(), "holidays/spans");
        assert_eq!(own(vec![span(0, 1), span(1440, 1)]).fault().unwrap(), "holidays/spans/1");
        assert_eq!(own(vec![span(1320, 360)]).fault(), None, "over midnight");
        assert_eq!(exception(10, 9, vec![]).fault().unwrap(), "exceptions/0");
        assert_eq!(exception(10, 376, vec![]).fault().unwrap(), "exceptions/0");
        assert_eq!(exception(10, 375, vec![]).fault(), None);
        assert_eq!(exception(10, 10, vec![span(0, 0)]).fault().unwrap(), "exceptions/0");
    }

    #[test]
    fn it_reads_what_it_writes() {
        let schedule = Schedule {
            hours: vec![hours(&[0, 1, 2, 3, 4], 360, 1320)],
            holidays: OnHolidays::Own { spans: vec![Span { from: 600, until: 840 }] },
            exceptions: vec![Exception { first: 20_800, last: 20_800, spans: vec![] }],
        };
        let json = serde_json::to_value(&schedule).unwrap();
        assert_eq!(json["holidays"]["are"], "own");
        assert_eq!(serde_json::from_value::<Schedule>(json).unwrap(), schedule);
    }
}
