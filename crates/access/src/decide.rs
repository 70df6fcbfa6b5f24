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

#[cfg(test)]
mod tests {
    use super::*;
    use klinke_model::door::Relock;
    use proptest::prelude::*;

    const TIMES: DoorTimes = DoorTimes { release_ms: 5_000, open_ms: 30_000, relock: Relock::OnClose };
    /// A resident at their own door.
    const RESIDENT: Facts = Facts {
        person_active: true,
        member_reaches_door: true,
        administers_building: false,
        call_offers_door: true,
        site_mode: SiteMode::Normal,
        times: TIMES,
        door_mode: Some(DoorMode::Locked),
    };
    const STRANGER: Facts = Facts { member_reaches_door: false, ..RESIDENT };
    const ADMINISTRATOR: Facts = Facts { administers_building: true, ..STRANGER };
    const GRANTED: Decision = Decision::Granted { hold: Duration::from_millis(5_000) };

    #[test]
    fn every_reason_has_its_row() {
        use Cause::{Call, List};
        use Decision::Denied;
        let mode = |mode| Facts { door_mode: Some(mode), ..RESIDENT };
        let times =
            |release_ms, open_ms| Facts { times: DoorTimes { release_ms, open_ms, ..TIMES }, ..RESIDENT };
        let everything_wrong = Facts {
            person_active: false,
            member_reaches_door: false,
            administers_building: false,
            call_offers_door: false,
            site_mode: SiteMode::LockedDown,
            times: DoorTimes { release_ms: 0, ..TIMES },
            door_mode: Some(DoorMode::Blocked),
        };
        let rows = [
            (List, RESIDENT, GRANTED),
            (Call, RESIDENT, GRANTED),
            (List, ADMINISTRATOR, GRANTED),
            (List, Facts { call_offers_door: false, ..RESIDENT }, GRANTED),
            (List, Facts { door_mode: None, ..RESIDENT }, GRANTED),
            (List, mode(DoorMode::Unlocked), GRANTED),
            (List, mode(DoorMode::Accessed), GRANTED),
            (List, mode(DoorMode::LockedOpen), GRANTED),
            (List, Facts { person_active: false, ..RESIDENT }, Denied(Reason::PersonSuspended)),
            (List, Facts { person_active: false, ..ADMINISTRATOR }, Denied(Reason::PersonSuspended)),
            (List, STRANGER, Denied(Reason::NoRight)),
            (Call, STRANGER, Denied(Reason::NoRight)),
            (Call, ADMINISTRATOR, Denied(Reason::NoRight)),
            (Call, Facts { call_offers_door: false, ..RESIDENT }, Denied(Reason::DoorNotOfCall)),
            (List, Facts { site_mode: SiteMode::LockedDown, ..RESIDENT }, Denied(Reason::SiteLockedDown)),
            (
                List,
                Facts { site_mode: SiteMode::LockedDown, ..ADMINISTRATOR },
                Denied(Reason::SiteLockedDown),
            ),
            (Call, Facts { site_mode: SiteMode::LockedDown, ..RESIDENT }, Denied(Reason::SiteLockedDown)),
            (List, mode(DoorMode::Blocked), Denied(Reason::DoorBlocked)),
            (List, mode(DoorMode::LockedDown), Denied(Reason::DoorLockedDown)),
            (List, times(999, 30_000), Denied(Reason::DoorTimesInvalid)),
            (List, times(60_001, 30_000), Denied(Reason::DoorTimesInvalid)),
            (List, times(5_000, 4_999), Denied(Reason::DoorTimesInvalid)),
            (List, times(5_000, 600_001), Denied(Reason::DoorTimesInvalid)),
            // the first that applies is told: nothing about site or door to somebody without a right
            (Call, everything_wrong, Denied(Reason::PersonSuspended)),
            (Call, Facts { person_active: true, ..everything_wrong }, Denied(Reason::NoRight)),
            (
                Call,
                Facts { person_active: true, member_reaches_door: true, ..everything_wrong },
                Denied(Reason::DoorNotOfCall),
            ),
        ];
        for (cause, facts, expected) in rows {
            assert_eq!(decide(&Request { cause }, &facts), expected, "{cause:?} {facts:?}");
        }
    }

    fn any_mode() -> impl Strategy<Value = DoorMode> {
        prop_oneof![
            Just(DoorMode::Locked),
            Just(DoorMode::Unlocked),
            Just(DoorMode::Accessed),
            Just(DoorMode::Blocked),
            Just(DoorMode::LockedDown),
            Just(DoorMode::LockedOpen),
        ]
    }

    prop_compose! {
        /// Facts of every kind; each is favourable more often than not, so that grants are common.
        fn any_facts()(
            person_active in prop::bool::weighted(0.8),
            member_reaches_door in prop::bool::weighted(0.6),
            administers_building in prop::bool::weighted(0.4),
            call_offers_door in prop::bool::weighted(0.7),
            locked_down in prop::bool::weighted(0.2),
            release_ms in 500_u32..65_000,
            open_ms in 4_000_u32..620_000,
            door_mode in prop::option::of(any_mode()),
        ) -> Facts {
            Facts {
                person_active, member_reaches_door, administers_building, call_offers_door,
                site_mode: if locked_down { SiteMode::LockedDown } else { SiteMode::Normal },
                times: DoorTimes { release_ms, open_ms, relock: Relock::OnClose },
                door_mode,
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 10_000, ..ProptestConfig::default() })]

        /// The condition in the module's head, written out a second time and in another shape.
        #[test]
        fn granted_exactly_when_the_documented_condition_holds(facts in any_facts(), from_call in any::<bool>()) {
            let right = if from_call {
                facts.member_reaches_door && facts.call_offers_door
            } else {
                facts.member_reaches_door | facts.administers_building
            };
            let door_in_use = !matches!(facts.door_mode, Some(DoorMode::Blocked | DoorMode::LockedDown));
            let times_ok = (1_000..=60_000).contains(&facts.times.release_ms)
                && (5_000..=600_000).contains(&facts.times.open_ms);
            let condition = [
                facts.person_active, right, facts.site_mode == SiteMode::Normal, door_in_use, times_ok,
            ];

            let cause = if from_call { Cause::Call } else { Cause::List };
            match decide(&Request { cause }, &facts) {
                Decision::Granted { hold } => {
                    prop_assert_eq!(condition, [true; 5]);
                    prop_assert_eq!(hold.as_millis(), u128::from(facts.times.release_ms));
                }
                Decision::Denied(_) => prop_assert!(condition.contains(&false)),
            }
        }
    }
}
