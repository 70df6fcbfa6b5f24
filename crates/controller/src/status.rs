//! `klinke-door status`: what the disk says of the rights that this controller decides by, and how old they are. It can be
//! asked while the controller runs, which keeps what the server confirmed every ten minutes.

use crate::doors::entry::age_at;
use crate::kept::Moment;
use klinke_access::clock::DoorClock;
use klinke_access::decide::HolderClass;
use klinke_access::snapshot::Rights;
use klinke_access::standing::ClockTrust;
use klinke_model::time::{Mono, Timestamp};
use std::time::Duration;

/// What is told of rights.
#[derive(Clone, Copy, Debug)]
pub struct Held {
    /// Their number.
    pub revision: u64,
    /// When the server made them.
    pub issued: Timestamp,
    /// For how many doors.
    pub doors: usize,
    /// For how many cards and codes.
    pub credentials: usize,
}

impl From<&Rights> for Held {
    fn from(rights: &Rights) -> Self {
        Self {
            revision: rights.revision(),
            issued: rights.issued(),
            doors: rights.doors().len(),
            credentials: rights.credentials(),
        }
    }
}

/// The lines to show. `kept` is the clock's file, `wall` what the machine's clock says now.
pub fn lines(held: Option<Held>, kept: Option<Moment>, wall: Timestamp) -> Vec<String> {
    let Some(held) = held else {
        return vec!["There are no rights here: nobody is let in at a reader, and the app opens doors while the server is \
                     there."
            .to_owned()];
    };
    let Held { revision, issued, doors, credentials } = held;
    let mut lines = vec![format!(
        "Rights of {} (number {revision}): {doors} doors, {credentials} cards and codes.",
        day_and_time(issued)
    )];
    let clock = DoorClock::start(wall, kept.map(|kept| kept.at), Mono::default());
    if clock.trust() == ClockTrust::Untrusted {
        lines.push(
            "The machine's clock can not be believed before the server has told the time: until then only rights \
             without hours and without an end hold."
                .to_owned(),
        );
        return lines;
    }
    let confirmed = kept.and_then(|kept| kept.confirmed).map_or(issued, |confirmed| confirmed.max(issued));
    let age = age_at(confirmed, wall);
    lines.push(format!("The server confirmed them {} ago, at {}.", words(age), day_and_time(confirmed)));
    if HolderClass::Passing.longest_alone().is_some_and(|longest| age > longest) {
        lines.push(
            "So guests' and administrators' rights have ended at these doors. Residents' cards work."
                .to_owned(),
        );
    }
    lines
}

/// In the largest unit that says enough.
fn words(age: Duration) -> String {
    let minutes = age.as_secs() / 60;
    match minutes {
        0..120 => format!("{minutes} min"),
        120..2_880 => format!("{} h", minutes / 60),
        _ => format!("{} days", minutes / 1_440),
    }
}

/// As people write it, in UTC: a controller knows the zone of its building only once it has rights.
pub fn day_and_time(at: Timestamp) -> String {
    match jiff::Timestamp::from_millisecond(at.as_millis()) {
        Ok(at) => at.strftime("%Y-%m-%d %H:%M UTC").to_string(),
        Err(_) => "a day that no calendar has".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 21 November 2026, 12:00 UTC.
    const NOON: Timestamp = Timestamp::from_millis(1_795_262_400_000);
    const HELD: Held = Held { revision: 7, issued: NOON, doors: 2, credentials: 5 };

    fn later(minutes: u64) -> Timestamp {
        NOON.plus(Duration::from_mins(minutes))
    }
    fn kept(confirmed: u64, at: u64) -> Option<Moment> {
        Some(Moment { at: later(at), confirmed: Some(later(confirmed)) })
    }

    #[test]
    fn rights_have_their_age_from_what_was_confirmed_last() {
        let fresh = lines(Some(HELD), kept(10, 10), later(13));
        assert_eq!(fresh[0], "Rights of 2026-11-21 12:00 UTC (number 7): 2 doors, 5 cards and codes.");
        assert_eq!(fresh[1..], ["The server confirmed them 3 min ago, at 2026-11-21 12:10 UTC."]);
        let before = lines(Some(HELD), Some(Moment { at: NOON, confirmed: None }), later(120));
        assert_eq!(before[1], "The server confirmed them 2 h ago, at 2026-11-21 12:00 UTC.");
    }

    #[test]
    fn a_day_alone_ends_what_passes_by_and_a_day_exactly_does_not() {
        let ended = |minutes| lines(Some(HELD), kept(0, 0), later(minutes)).len() == 3;
        assert!(!ended(24 * 60));
        assert!(ended(24 * 60 + 1));
        let old = lines(Some(HELD), kept(0, 0), later(5 * 1_440));
        assert!(old[1].contains("5 days ago") && old[2].contains("Residents' cards work"));
    }

    #[test]
    fn a_clock_that_went_back_tells_no_age_and_no_rights_are_said_to_be_none() {
        let back = lines(Some(HELD), kept(60, 60), NOON);
        assert!(back.len() == 2 && back[1].contains("can not be believed"));
        assert!(lines(None, None, NOON)[0].contains("no rights"));
    }
}
