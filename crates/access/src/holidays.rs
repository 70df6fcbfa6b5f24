//! Public holidays, reckoned for any year: a door that has been alone for ten years still knows them.
//!
//! Norway: helligdagsfredloven §2 with 1 and 17 May. Sweden: lagen (1989:253) om allmänna helgdagar, and the eves of Midsummer,
//! Christmas and New Year. Denmark: the days of the national church, without Great Prayer Day from 2024 on (law 214 of 2023).
//! Finland: the days of the church law and Independence Day, and the eves of Midsummer and Christmas. Easter after Meeus'
//! Gregorian rule.

use crate::zone::{date_of, day_of, weekday};
use jiff::civil;
use klinke_model::schedule::HolidayCalendar;
use serde::{Deserialize, Serialize};

/// Whether a day (since 1970) is a holiday of a calendar. Holidays stay holidays when they are Sundays.
pub fn is_holiday(calendar: HolidayCalendar, day: i64) -> bool {
    if calendar == HolidayCalendar::None {
        return false;
    }
    let Some(date) = date_of(day) else { return false };
    let Some(easter) = easter(date.year()) else { return false };
    let (month, of_month, after_easter) = (date.month(), date.day(), day - easter);
    let fixed = |days: &[(i8, i8)]| days.contains(&(month, of_month));
    // the Saturday in a range of days, for feasts that are moved to one
    let saturday = |month_of: i8, from: i8, until: i8| {
        weekday(day) == 5 && month == month_of && (from..=until).contains(&of_month)
    };
    let all_saints = || saturday(11, 1, 6) || (weekday(day) == 5 && (month, of_month) == (10, 31));
    match calendar {
        HolidayCalendar::None => false,
        HolidayCalendar::Norway => {
            fixed(&[(1, 1), (5, 1), (5, 17), (12, 25), (12, 26)])
                // Maundy Thursday, Good Friday, Easter, Ascension, Whitsun
                || [-3, -2, 0, 1, 39, 49, 50].contains(&after_easter)
        }
        HolidayCalendar::Sweden => {
            fixed(&[(1, 1), (1, 6), (5, 1), (6, 6), (12, 24), (12, 25), (12, 26), (12, 31)])
                || [-2, 0, 1, 39, 49].contains(&after_easter)
                || saturday(6, 20, 26)
                || (weekday(day) == 4 && month == 6 && (19..=25).contains(&of_month))
                || all_saints()
        }
        HolidayCalendar::Denmark => {
            fixed(&[(1, 1), (12, 25), (12, 26)])
                || [-3, -2, 0, 1, 39, 49, 50].contains(&after_easter)
                || (after_easter == 26 && date.year() < 2024)
        }
        HolidayCalendar::Finland => {
            fixed(&[(1, 1), (1, 6), (5, 1), (12, 6), (12, 24), (12, 25), (12, 26)])
                || [-2, 0, 1, 39, 49].contains(&after_easter)
                || saturday(6, 20, 26)
                || (weekday(day) == 4 && month == 6 && (19..=25).contains(&of_month))
                || all_saints()
        }
    }
}

/// What a holiday is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Holiday {
    /// 1 January.
    NewYear,
    /// 6 January.
    Epiphany,
    /// The Thursday before Easter.
    MaundyThursday,
    /// The Friday before Easter.
    GoodFriday,
    /// Easter Sunday.
    EasterSunday,
    /// The day after it.
    EasterMonday,
    /// The fourth Friday after Easter, in Denmark until 2023.
    GreatPrayerDay,
    /// 1 May.
    LabourDay,
    /// Forty days after Easter.
    Ascension,
    /// Fifty days after Easter.
    WhitSunday,
    /// The day after it.
    WhitMonday,
    /// 17 May in Norway, 6 June in Sweden, 6 December in Finland.
    NationalDay,
    /// The Friday before Midsummer Day.
    MidsummerEve,
    /// The Saturday from 20 to 26 June.
    MidsummerDay,
    /// The Saturday from 31 October to 6 November.
    AllSaints,
    /// 24 December.
    ChristmasEve,
    /// 25 December.
    ChristmasDay,
    /// 26 December.
    BoxingDay,
    /// 31 December.
    NewYearsEve,
}

/// What a day (since 1970) is called, when it is a holiday of a calendar. Of two on one day the one with a date of its own.
pub fn named(calendar: HolidayCalendar, day: i64) -> Option<Holiday> {
    if !is_holiday(calendar, day) {
        return None;
    }
    let date = date_of(day)?;
    let by_date = match (calendar, date.month(), date.day()) {
        (_, 1, 1) => Some(Holiday::NewYear),
        (_, 1, 6) => Some(Holiday::Epiphany),
        (HolidayCalendar::Norway | HolidayCalendar::Sweden | HolidayCalendar::Finland, 5, 1) => {
            Some(Holiday::LabourDay)
        }
        (HolidayCalendar::Norway, 5, 17)
        | (HolidayCalendar::Sweden, 6, 6)
        | (HolidayCalendar::Finland, 12, 6) => Some(Holiday::NationalDay),
        (_, 12, 24) => Some(Holiday::ChristmasEve),
        (_, 12, 25) => Some(Holiday::ChristmasDay),
        (_, 12, 26) => Some(Holiday::BoxingDay),
        (_, 12, 31) => Some(Holiday::NewYearsEve),
        _ => None,
    };
    let by_easter = || match day - easter(date.year())? {
        -3 => Some(Holiday::MaundyThursday),
        -2 => Some(Holiday::GoodFriday),
        0 => Some(Holiday::EasterSunday),
        1 => Some(Holiday::EasterMonday),
        26 => Some(Holiday::GreatPrayerDay),
        39 => Some(Holiday::Ascension),
        49 => Some(Holiday::WhitSunday),
        50 => Some(Holiday::WhitMonday),
        _ => None,
    };
    by_date.or_else(by_easter).or(match (date.month(), weekday(day)) {
        (6, 4) => Some(Holiday::MidsummerEve),
        (6, 5) => Some(Holiday::MidsummerDay),
        (10 | 11, 5) => Some(Holiday::AllSaints),
        _ => None,
    })
}

/// Easter Sunday, as a day since 1970 (Meeus, *Astronomical Algorithms*, ch. 8, Gregorian).
fn easter(year: i16) -> Option<i64> {
    let year = i32::from(year);
    let a = year.rem_euclid(19);
    let (b, c) = (year.div_euclid(100), year.rem_euclid(100));
    let (d, e) = (b / 4, b % 4);
    let g = (8 * b + 13) / 25;
    let h = (19 * a + b - d - g + 15) % 30;
    let (i, k) = (c / 4, c % 4);
    let l = (32 + 2 * e + 2 * i - h - k) % 7;
    let m = (a + 11 * h + 19 * l) / 433;
    let month = (h + l - 7 * m + 90) / 25;
    let of_month = (h + l - 7 * m + 33 * month + 19) % 32;
    let (year, month, of_month) = (year.try_into().ok()?, month.try_into().ok()?, of_month.try_into().ok()?);
    day_of(civil::Date::new(year, month, of_month).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> i64 {
        day_of(text.parse().unwrap()).unwrap()
    }

    fn in_year(calendar: HolidayCalendar, year: i16) -> Vec<String> {
        let first = day_of(civil::date(year, 1, 1)).unwrap();
        let days = first..day_of(civil::date(year + 1, 1, 1)).unwrap();
        days.filter(|day| is_holiday(calendar, *day)).map(|day| date_of(day).unwrap().to_string()).collect()
    }

    #[test]
    fn easter_is_where_the_almanacs_have_it() {
        let known = [
            "1961-04-02",
            "1975-03-30",
            "2000-04-23",
            "2008-03-23",
            "2011-04-24",
            "2019-04-21",
            "2024-03-31",
            "2025-04-20",
            "2026-04-05",
            "2027-03-28",
            "2030-04-21",
            "2038-04-25",
            "2076-04-19",
            "2099-04-12",
        ];
        for text in known {
            assert_eq!(easter(text[..4].parse().unwrap()).unwrap(), day(text), "{text}");
        }
    }

    #[test]
    fn norway() {
        assert_eq!(
            in_year(HolidayCalendar::Norway, 2026),
            [
                "2026-01-01",
                "2026-04-02",
                "2026-04-03",
                "2026-04-05",
                "2026-04-06",
                "2026-05-01",
                "2026-05-14",
                "2026-05-17",
                "2026-05-24",
                "2026-05-25",
                "2026-12-25",
                "2026-12-26"
            ]
        );
    }

    #[test]
    fn sweden() {
        assert_eq!(
            in_year(HolidayCalendar::Sweden, 2026),
            [
                "2026-01-01",
                "2026-01-06",
                "2026-04-03",
                "2026-04-05",
                "2026-04-06",
                "2026-05-01",
                "2026-05-14",
                "2026-05-24",
                "2026-06-06",
                "2026-06-19",
                "2026-06-20",
                "2026-10-31",
                "2026-12-24",
                "2026-12-25",
                "2026-12-26",
                "2026-12-31"
            ]
        );
    }

    #[test]
    fn denmark_gave_up_great_prayer_day() {
        let year_2026 = in_year(HolidayCalendar::Denmark, 2026);
        assert_eq!(year_2026.len(), 10);
        assert!(
            year_2026.contains(&"2026-04-02".to_owned()) && !year_2026.contains(&"2026-05-01".to_owned())
        );
        assert!(in_year(HolidayCalendar::Denmark, 2023).contains(&"2023-05-05".to_owned()));
    }

    #[test]
    fn finland() {
        assert_eq!(
            in_year(HolidayCalendar::Finland, 2027),
            [
                "2027-01-01",
                "2027-01-06",
                "2027-03-26",
                "2027-03-28",
                "2027-03-29",
                "2027-05-01",
                "2027-05-06",
                "2027-05-16",
                "2027-06-25",
                "2027-06-26",
                "2027-11-06",
                "2027-12-06",
                "2027-12-24",
                "2027-12-25",
                "2027-12-26"
            ]
        );
    }

    #[test]
    fn no_calendar_has_no_holiday() {
        assert!(in_year(HolidayCalendar::None, 2026).is_empty());
        assert!(!is_holiday(HolidayCalendar::Norway, i64::MAX));
    }

    #[test]
    fn every_holiday_of_two_centuries_has_its_name() {
        use HolidayCalendar::{Denmark, Finland, Norway, Sweden};
        let first = day("1970-01-01");
        for calendar in [Norway, Sweden, Denmark, Finland] {
            for day in first..first + 200 * 366 {
                assert_eq!(named(calendar, day).is_some(), is_holiday(calendar, day), "{calendar:?} {day}");
            }
        }
        let rows = [
            (Norway, "2026-05-17", Holiday::NationalDay),
            (Norway, "2026-05-14", Holiday::Ascension),
            (Norway, "2026-04-02", Holiday::MaundyThursday),
            (Norway, "2008-05-01", Holiday::LabourDay),
            (Denmark, "2008-05-01", Holiday::Ascension),
            (Denmark, "2022-06-06", Holiday::WhitMonday),
            (Sweden, "2022-06-06", Holiday::NationalDay),
            (Denmark, "2023-05-05", Holiday::GreatPrayerDay),
            (Sweden, "2026-06-19", Holiday::MidsummerEve),
            (Finland, "2026-06-20", Holiday::MidsummerDay),
            (Sweden, "2026-10-31", Holiday::AllSaints),
            (Finland, "2026-12-06", Holiday::NationalDay),
            (Sweden, "2026-12-31", Holiday::NewYearsEve),
        ];
        for (calendar, text, holiday) in rows {
            assert_eq!(named(calendar, day(text)), Some(holiday), "{calendar:?} {text}");
        }
        assert_eq!(named(Norway, day("2026-06-06")), None);
    }
}
