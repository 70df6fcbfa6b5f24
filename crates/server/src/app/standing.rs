//! From what is stored of a person before a door to the facts of the decision: the one place that says how their rights stand
//! at a moment.

use klinke_access::ahead::{Holds, ahead, always};
use klinke_access::decide::{Facts, HolderClass, Order, Presented, SiteMode};
use klinke_access::standing::{ClockTrust, Now, Right, Standing, of_one, standing};
use klinke_access::zone::{Wall, Zone};
use klinke_model::door::{DoorMode, DoorTimes};
use klinke_model::schedule::HolidayCalendar;
use klinke_model::time::Timestamp;
use klinke_storage::record::{Guest, GuestDoor, StoredFacts, StoredRight};
use klinke_wire::app::DoorHours;
use std::time::Duration;

/// How far ahead the app is told when doors open.
const AHEAD: Duration = Duration::from_hours(8 * 24);

/// The moment of a decision where the door's building stands. In a zone that nobody knows no hours hold.
pub(crate) fn now_at(stored: &StoredFacts, at: Timestamp) -> Now {
    now_there(&stored.time_zone, stored.holidays, at)
}

fn now_there(time_zone: &str, holidays: HolidayCalendar, at: Timestamp) -> Now {
    let wall = Zone::named(time_zone).and_then(|zone| zone.wall(at));
    Now {
        at,
        wall: wall.unwrap_or(Wall { day: 0, minute: 0 }),
        calendar: holidays,
        clock: if wall.is_some() { ClockTrust::Trusted } else { ClockTrust::Untrusted },
    }
}

/// How one right stands.
pub(super) fn of_right(right: &StoredRight, now: &Now) -> Standing {
    of_one(&held(right), now)
}

fn held(right: &StoredRight) -> Right<'_> {
    Right {
        schedule: right.schedule.as_ref().map(|(_, schedule)| schedule),
        from: right.from,
        until: right.until,
    }
}

/// The facts of somebody who is signed in, for the server's own decision.
pub(crate) fn facts(stored: &StoredFacts, now: &Now, door_mode: Option<DoorMode>) -> Facts {
    Facts {
        person_active: stored.person_active,
        standing: standing(stored.rights.iter().map(held), now),
        administers_building: stored.administers_building,
        needs_longer: stored.needs_longer,
        ..anybody(stored.site_mode, stored.door.times, door_mode)
    }
}

/// When the door opens for somebody who is signed in, in the next eight days: a week, and the same day again. None when it
/// does at any time, or when the zone of the building is not known and no hours hold.
pub(crate) fn hours(stored: &StoredFacts, now: Timestamp) -> Option<Vec<DoorHours>> {
    let rights: Vec<Right<'_>> = stored.rights.iter().map(held).collect();
    // who administers the building opens from the list at any time, as `decide` has it
    if stored.administers_building || always(rights.iter().copied()) {
        return None;
    }
    let zone = Zone::named(&stored.time_zone)?;
    let until = now.plus(AHEAD);
    let times = ahead(&rights, &zone, stored.holidays, now, until);
    Some(times.into_iter().map(|Holds { from, until }| DoorHours { from, until }).collect())
}

/// Whether a guest's hours are now, whenever their time begins and ends.
pub(super) fn in_hours(guest: &Guest, at: Timestamp) -> bool {
    hours_of(guest, at) == Standing::InForce
}

fn hours_of(guest: &Guest, at: Timestamp) -> Standing {
    let right = Right { schedule: guest.hours.as_ref(), from: None, until: None };
    of_one(&right, &now_there(&guest.time_zone, guest.holidays, at))
}

/// The facts of a guest before one of their doors.
pub(crate) fn guest_facts(
    guest: &Guest,
    door: &GuestDoor,
    at: Timestamp,
    door_mode: Option<DoorMode>,
) -> Facts {
    let presented = if guest.taken {
        Presented::UsedUp
    } else if guest.ends_at <= at {
        Presented::Over
    } else if at < guest.starts_at {
        Presented::NotYet
    } else {
        Presented::Valid
    };
    Facts {
        presented,
        person_active: guest.host_stands,
        standing: if door.held { hours_of(guest, at) } else { Standing::None },
        ..anybody(guest.site_mode, door.door.times, door_mode)
    }
}

/// The facts of whoever may open a door.
pub(super) fn anybody(site_mode: SiteMode, times: DoorTimes, door_mode: Option<DoorMode>) -> Facts {
    Facts {
        presented: Presented::Valid,
        person_active: true,
        standing: Standing::InForce,
        administers_building: false,
        call_offers_door: false,
        class: HolderClass::Passing,
        // the rights are read where they are kept
        rights_age: Duration::ZERO,
        needs_longer: false,
        site_mode,
        times,
        door_mode,
        order: Order::Kept,
    }
}
