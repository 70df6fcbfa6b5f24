//! Who may open a door: one pure function over facts that the caller read.
//!
//! Security-critical. The one condition under which a door is granted, in full:
//!
//! ```text
//! granted  ⇔  person_active
//!          ∧  ( from the list:  member_reaches_door ∨ administers_building
//!               from a call:    member_reaches_door ∧ call_offers_door )
//!          ∧  the site is not locked down
//!          ∧  the door is neither blocked nor locked down
//!          ∧  the door's times are in their ranges
//! ```
//!
//! - Deny by default: [`Facts`] has no field that grants by itself, and the grant is the last line of [`decide`].
//! - One [`Reason`] a denial, the first that applies in the order of the enum. The person's rights come before
//!   the state of site and door, so that somebody without a right learns nothing about either.
//! - An emergency holds against administrators too; ending it is another operation than opening.
//! - The controller has the last word: it knows the door's state now, this function knows what was last reported.

use klinke_model::door::{DoorMode, DoorTimes};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Whether an emergency is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SiteMode {
    /// No emergency.
    Normal,
    /// Nobody opens anything; the way out is wired and not asked.
    LockedDown,
}

/// Where the wish to open comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cause {
    /// The person's own list of doors.
    List,
    /// A call at a panel that rang the person's unit.
    Call,
}

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// Where the wish comes from.
    pub cause: Cause,
}

/// What is known about the person and the door, read in one go just before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The person is not suspended.
    pub person_active: bool,
    /// The person is a current member of a unit whose door set holds the door.
    pub member_reaches_door: bool,
    /// The person administers the door's building.
    pub administers_building: bool,
    /// The panel of the call offers this door. Means nothing for [`Cause::List`].
    pub call_offers_door: bool,
    /// Whether an emergency is on.
    pub site_mode: SiteMode,
    /// The door's times.
    pub times: DoorTimes,
    /// The lock as its controller last reported it; `None` when it has not, which denies nothing here.
    pub door_mode: Option<DoorMode>,
}

/// Whether the door opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Decision {
    /// It does.
    Granted {
        /// For how long the lock is released; within [`DoorTimes::RELEASE_MS`].
        hold: Duration,
    },
    /// It does not.
    Denied(Reason),
}

/// Why a door does not open. The names are stable: they are codes of the API and keys of texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The person is suspended.
    PersonSuspended,
    /// No unit of the person reaches the door, and they do not administer its building (which counts from the
    /// list only: a call is answered by a resident).
    NoRight,
    /// The door is not one that the panel of the call offers.
    DoorNotOfCall,
    /// An emergency is on.
    SiteLockedDown,
    /// The door opens for nobody until it is released.
    DoorBlocked,
    /// The door was locked by an emergency.
    DoorLockedDown,
    /// The door's times are out of their ranges; an installer has to set them.
    DoorTimesInvalid,
}

/// Decides. Pure: the same facts always give the same answer.
pub fn decide(request: &Request, facts: &Facts) -> Decision {
    use Decision::Denied;

    if !facts.person_active {
        return Denied(Reason::PersonSuspended);
    }
    let has_right = match request.cause {
        Cause::List => facts.member_reaches_door || facts.administers_building,
        Cause::Call => facts.member_reaches_door,
    };
    if !has_right {
        return Denied(Reason::NoRight);
    }
    if request.cause == Cause::Call && !facts.call_offers_door {
        return Denied(Reason::DoorNotOfCall);
    }
    match facts.site_mode {
        SiteMode::LockedDown => return Denied(Reason::SiteLockedDown),
        SiteMode::Normal => {}
    }
    match facts.door_mode {
        Some(DoorMode::Blocked) => return Denied(Reason::DoorBlocked),
        Some(DoorMode::LockedDown) => return Denied(Reason::DoorLockedDown),
        None | Some(DoorMode::Locked | DoorMode::Unlocked | DoorMode::Accessed | DoorMode::LockedOpen) => {}
    }
    if !facts.times.is_valid() {
        return Denied(Reason::DoorTimesInvalid);
    }
    Decision::Granted { hold: facts.times.release() }
}
