//! Who may open a door: one pure function over facts that the caller read.
//!
//! Security-critical. The server asks it for the app, the controller for cards, codes and passes; both ask the same.
//! The one condition under which a door is granted, in full:
//!
//! ```text
//! granted  ⇔  what was presented is valid
//!          ∧  person_active
//!          ∧  ( from the list:  their standing is in force ∨ administers_building
//!               from a call:    their standing is in force ∧ call_offers_door
//!               at the door:    their standing is in force )
//!          ∧  the rights are not older than their holder's class may go alone
//!          ∧  the site is not locked down
//!          ∧  the door is neither blocked nor locked down
//!          ∧  its order is kept: the door before it, the other doors of its airlock, the second person
//!          ∧  the door's times are in their ranges
//! ```
//!
//! - Deny by default: [`Facts`] has no field that grants by itself, and the grant is the last line of [`decide`].
//! - One [`Reason`] a denial, the first that applies in the order of the enum. The person's rights come before
//!   the state of site and door, so that somebody without a right learns nothing about either.
//! - An emergency holds against administrators too; ending it is another operation than opening.
//! - The controller has the last word: it knows the door's state now, the server knows what was last reported.

use crate::standing::Standing;
use klinke_model::door::{DoorMode, DoorTimes};
pub use klinke_model::reason::Reason;
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
    /// Something presented at the door itself: a card, a code, a pass.
    AtDoor,
}

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// Where the wish comes from.
    pub cause: Cause,
}

/// How what was presented at the door stands, before it is asked whose it is. A signed-in person presents nothing more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Presented {
    /// It is good.
    Valid,
    /// Nobody was given it.
    Unknown,
    /// It is lost or put aside.
    Blocked,
    /// It is not valid yet.
    NotYet,
    /// It is valid no longer.
    Over,
    /// It has a day at which it begins or ends, and the clock can not be believed.
    ClockUntrusted,
    /// It was good for once, and that was.
    UsedUp,
    /// It can be copied, and this door takes none that can.
    Copyable,
}

/// What kind of right somebody has, for how long a controller may go by it alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HolderClass {
    /// Who lives or works here: nobody is locked out of their home by a line that is down.
    Resident,
    /// A guest, a contractor, an administrator, or anybody's phone.
    Passing,
}

impl HolderClass {
    /// How old their rights may be, when the server could not be asked since.
    pub const fn longest_alone(self) -> Option<Duration> {
        match self {
            Self::Resident => None,
            Self::Passing => Some(Duration::from_hours(24)),
        }
    }
}

/// Whether the order in which doors open is kept (R42).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Order {
    /// It is, or there is none.
    Kept,
    /// Nobody went through the door before this one in time.
    DoorBefore,
    /// Another door of the same airlock is not closed and locked.
    Interlocked,
    /// This door asks for two people, and this is the first.
    SecondPerson,
}

/// What is known about the person and the door, read in one go just before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// How what was presented stands.
    pub presented: Presented,
    /// The person is not suspended.
    pub person_active: bool,
    /// How their rights to this door stand: by the units they live in, by rules.
    pub standing: Standing,
    /// The person administers the door's building. Counts from the list only.
    pub administers_building: bool,
    /// The panel of the call offers this door. Means nothing but for [`Cause::Call`].
    pub call_offers_door: bool,
    /// The kind of their right.
    pub class: HolderClass,
    /// For how long nobody confirmed the rights. Zero for who reads them where they are kept.
    pub rights_age: Duration,
    /// The person needs more time at doors.
    pub needs_longer: bool,
    /// Whether an emergency is on.
    pub site_mode: SiteMode,
    /// The door's times.
    pub times: DoorTimes,
    /// The lock as its controller last reported it; `None` when it has not, which denies nothing here.
    pub door_mode: Option<DoorMode>,
    /// Whether the door may open now, beside the other doors.
    pub order: Order,
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

/// Decides. Pure: the same facts always give the same answer.
pub fn decide(request: &Request, facts: &Facts) -> Decision {
    match denial(request, facts) {
        Some(reason) => Decision::Denied(reason),
        None => Decision::Granted { hold: facts.times.hold(facts.needs_longer) },
    }
}

/// The first reason that speaks against it.
fn denial(request: &Request, facts: &Facts) -> Option<Reason> {
    match facts.presented {
        // whether this door takes it is said below, to who has a right to the door
        Presented::Valid | Presented::Copyable => {}
        Presented::Unknown => return Some(Reason::CredentialUnknown),
        Presented::Blocked => return Some(Reason::CredentialBlocked),
        Presented::NotYet => return Some(Reason::CredentialNotYet),
        Presented::Over => return Some(Reason::CredentialOver),
        Presented::UsedUp => return Some(Reason::CredentialUsedUp),
        Presented::ClockUntrusted => return Some(Reason::ClockUntrusted),
    }
    if !facts.person_active {
        return Some(Reason::PersonSuspended);
    }
    let administers = request.cause == Cause::List && facts.administers_building;
    if !administers {
        match facts.standing {
            Standing::InForce => {}
            Standing::None => return Some(Reason::NoRight),
            Standing::Over => return Some(Reason::RightOver),
            Standing::NotYet => return Some(Reason::RightNotYet),
            Standing::ClockUntrusted => return Some(Reason::ClockUntrusted),
            Standing::OutsideHours => return Some(Reason::OutsideHours),
        }
    }
    if request.cause == Cause::Call && !facts.call_offers_door {
        return Some(Reason::DoorNotOfCall);
    }
    if facts.presented == Presented::Copyable {
        return Some(Reason::CredentialCopyable);
    }
    if facts.class.longest_alone().is_some_and(|longest| facts.rights_age > longest) {
        return Some(Reason::RightsTooOld);
    }
    match facts.site_mode {
        SiteMode::LockedDown => return Some(Reason::SiteLockedDown),
        SiteMode::Normal => {}
    }
    match facts.door_mode {
        Some(DoorMode::Blocked) => return Some(Reason::DoorBlocked),
        Some(DoorMode::LockedDown) => return Some(Reason::DoorLockedDown),
        None | Some(DoorMode::Locked | DoorMode::Unlocked | DoorMode::Accessed | DoorMode::LockedOpen) => {}
    }
    match facts.order {
        Order::Kept => {}
        Order::DoorBefore => return Some(Reason::DoorBeforeFirst),
        Order::Interlocked => return Some(Reason::Interlocked),
        Order::SecondPerson => return Some(Reason::SecondPersonNeeded),
    }
    (!facts.times.is_valid()).then_some(Reason::DoorTimesInvalid)
}

#[cfg(test)]
mod tests {
    use super::*;
    use klinke_model::door::Relock;
    use proptest::prelude::*;

    const TIMES: DoorTimes = DoorTimes {
        release_ms: 5_000,
        extended_release_ms: 20_000,
        open_ms: 30_000,
        relock: Relock::OnClose,
    };
    /// A resident at their own door.
    const RESIDENT: Facts = Facts {
        presented: Presented::Valid,
        person_active: true,
        standing: Standing::InForce,
        administers_building: false,
        call_offers_door: true,
        class: HolderClass::Resident,
        rights_age: Duration::ZERO,
        needs_longer: false,
        site_mode: SiteMode::Normal,
        times: TIMES,
        door_mode: Some(DoorMode::Locked),
        order: Order::Kept,
    };
    const STRANGER: Facts = Facts { standing: Standing::None, ..RESIDENT };
    const ADMINISTRATOR: Facts = Facts { administers_building: true, ..STRANGER };
    const GRANTED: Decision = Decision::Granted { hold: Duration::from_millis(5_000) };

    #[test]
    #[expect(clippy::too_many_lines, reason = "one table")]
    fn every_reason_has_its_row() {
        use Cause::{AtDoor, Call, List};
        use Decision::Denied;
        let mode = |mode| Facts { door_mode: Some(mode), ..RESIDENT };
        let times =
            |release_ms, open_ms| Facts { times: DoorTimes { release_ms, open_ms, ..TIMES }, ..RESIDENT };
        let presented = |presented| Facts { presented, ..RESIDENT };
        let standing = |standing| Facts { standing, ..RESIDENT };
        let order = |order| Facts { order, ..RESIDENT };
        let alone = |class, rights_age| Facts { class, rights_age, ..RESIDENT };
        let day = Duration::from_hours(24);
        let everything_wrong = Facts {
            presented: Presented::Unknown,
            person_active: false,
            standing: Standing::None,
            administers_building: false,
            call_offers_door: false,
            class: HolderClass::Passing,
            rights_age: Duration::MAX,
            needs_longer: false,
            site_mode: SiteMode::LockedDown,
            times: DoorTimes { release_ms: 0, ..TIMES },
            door_mode: Some(DoorMode::Blocked),
            order: Order::Interlocked,
        };
        let rows = [
            (List, RESIDENT, GRANTED),
            (Call, RESIDENT, GRANTED),
            (AtDoor, RESIDENT, GRANTED),
            (List, ADMINISTRATOR, GRANTED),
            (List, Facts { call_offers_door: false, ..RESIDENT }, GRANTED),
            (AtDoor, Facts { call_offers_door: false, ..RESIDENT }, GRANTED),
            (List, Facts { door_mode: None, ..RESIDENT }, GRANTED),
            (List, mode(DoorMode::Unlocked), GRANTED),
            (List, mode(DoorMode::Accessed), GRANTED),
            (List, mode(DoorMode::LockedOpen), GRANTED),
            (
                List,
                Facts { needs_longer: true, ..RESIDENT },
                Decision::Granted { hold: Duration::from_secs(20) },
            ),
            (AtDoor, presented(Presented::Unknown), Denied(Reason::CredentialUnknown)),
            (AtDoor, presented(Presented::Blocked), Denied(Reason::CredentialBlocked)),
            (AtDoor, presented(Presented::NotYet), Denied(Reason::CredentialNotYet)),
            (AtDoor, presented(Presented::Over), Denied(Reason::CredentialOver)),
            (AtDoor, presented(Presented::UsedUp), Denied(Reason::CredentialUsedUp)),
            (AtDoor, presented(Presented::Copyable), Denied(Reason::CredentialCopyable)),
            (AtDoor, presented(Presented::ClockUntrusted), Denied(Reason::ClockUntrusted)),
            (List, Facts { person_active: false, ..RESIDENT }, Denied(Reason::PersonSuspended)),
            (List, Facts { person_active: false, ..ADMINISTRATOR }, Denied(Reason::PersonSuspended)),
            (List, STRANGER, Denied(Reason::NoRight)),
            (Call, STRANGER, Denied(Reason::NoRight)),
            (Call, ADMINISTRATOR, Denied(Reason::NoRight)),
            (AtDoor, ADMINISTRATOR, Denied(Reason::NoRight)),
            (List, standing(Standing::Over), Denied(Reason::RightOver)),
            (List, standing(Standing::NotYet), Denied(Reason::RightNotYet)),
            (AtDoor, standing(Standing::ClockUntrusted), Denied(Reason::ClockUntrusted)),
            (Call, standing(Standing::OutsideHours), Denied(Reason::OutsideHours)),
            (List, Facts { standing: Standing::OutsideHours, ..ADMINISTRATOR }, GRANTED),
            (Call, Facts { call_offers_door: false, ..RESIDENT }, Denied(Reason::DoorNotOfCall)),
            (AtDoor, alone(HolderClass::Resident, Duration::MAX), GRANTED),
            (AtDoor, alone(HolderClass::Passing, day), GRANTED),
            (
                AtDoor,
                alone(HolderClass::Passing, day + Duration::from_millis(1)),
                Denied(Reason::RightsTooOld),
            ),
            (List, Facts { site_mode: SiteMode::LockedDown, ..RESIDENT }, Denied(Reason::SiteLockedDown)),
            (
                List,
                Facts { site_mode: SiteMode::LockedDown, ..ADMINISTRATOR },
                Denied(Reason::SiteLockedDown),
            ),
            (Call, Facts { site_mode: SiteMode::LockedDown, ..RESIDENT }, Denied(Reason::SiteLockedDown)),
            (List, mode(DoorMode::Blocked), Denied(Reason::DoorBlocked)),
            (List, mode(DoorMode::LockedDown), Denied(Reason::DoorLockedDown)),
            (AtDoor, order(Order::DoorBefore), Denied(Reason::DoorBeforeFirst)),
            (AtDoor, order(Order::Interlocked), Denied(Reason::Interlocked)),
            (AtDoor, order(Order::SecondPerson), Denied(Reason::SecondPersonNeeded)),
            (List, times(999, 30_000), Denied(Reason::DoorTimesInvalid)),
            (List, times(60_001, 30_000), Denied(Reason::DoorTimesInvalid)),
            (List, times(5_000, 4_999), Denied(Reason::DoorTimesInvalid)),
            (List, times(5_000, 600_001), Denied(Reason::DoorTimesInvalid)),
            // the first that applies is told: nothing about site or door to somebody without a right
            (AtDoor, everything_wrong, Denied(Reason::CredentialUnknown)),
            (
                Call,
                Facts { presented: Presented::Valid, ..everything_wrong },
                Denied(Reason::PersonSuspended),
            ),
            (
                Call,
                Facts { presented: Presented::Valid, person_active: true, ..everything_wrong },
                Denied(Reason::NoRight),
            ),
            (
                Call,
                Facts {
                    presented: Presented::Valid,
                    person_active: true,
                    standing: Standing::InForce,
                    ..everything_wrong
                },
                Denied(Reason::DoorNotOfCall),
            ),
        ];
        let mut told = std::collections::BTreeSet::new();
        for (cause, facts, expected) in rows {
            assert_eq!(decide(&Request { cause }, &facts), expected, "{cause:?} {facts:?}");
            if let Denied(reason) = expected {
                told.insert(reason);
            }
        }
        assert!(Reason::ALL.iter().all(|reason| told.contains(reason)), "a reason without a row");
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
    fn any_presented() -> impl Strategy<Value = Presented> {
        prop_oneof![
            20 => Just(Presented::Valid),
            1 => Just(Presented::Unknown),
            1 => Just(Presented::Blocked),
            1 => Just(Presented::NotYet),
            1 => Just(Presented::Over),
            1 => Just(Presented::UsedUp),
            1 => Just(Presented::Copyable),
            1 => Just(Presented::ClockUntrusted),
        ]
    }
    fn any_standing() -> impl Strategy<Value = Standing> {
        prop_oneof![
            10 => Just(Standing::InForce),
            2 => Just(Standing::None),
            1 => Just(Standing::Over),
            1 => Just(Standing::NotYet),
            1 => Just(Standing::ClockUntrusted),
            1 => Just(Standing::OutsideHours),
        ]
    }
    fn any_order() -> impl Strategy<Value = Order> {
        prop_oneof![
            9 => Just(Order::Kept),
            1 => Just(Order::DoorBefore),
            1 => Just(Order::Interlocked),
            1 => Just(Order::SecondPerson),
        ]
    }

    prop_compose! {
        /// Facts of every kind; each is favourable more often than not, so that grants are common.
        fn any_facts()(
            presented in any_presented(),
            standing in any_standing(),
            order in any_order(),
            (person_active, administers_building, call_offers_door, passing, needs_longer, locked_down) in (
                prop::bool::weighted(0.9), prop::bool::weighted(0.4), prop::bool::weighted(0.7), any::<bool>(),
                any::<bool>(), prop::bool::weighted(0.1),
            ),
            hours_old in 0_u64..30,
            release_ms in 900_u32..62_000,
            extended_release_ms in 900_u32..62_000,
            open_ms in 4_900_u32..610_000,
            door_mode in prop::option::of(any_mode()),
        ) -> Facts {
            Facts {
                presented, person_active, standing, administers_building, call_offers_door, needs_longer, order,
                class: if passing { HolderClass::Passing } else { HolderClass::Resident },
                rights_age: Duration::from_hours(hours_old),
                site_mode: if locked_down { SiteMode::LockedDown } else { SiteMode::Normal },
                times: DoorTimes { release_ms, extended_release_ms, open_ms, relock: Relock::OnClose },
                door_mode,
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 20_000, ..ProptestConfig::default() })]

        /// The condition in the module's head, written out a second time and in another shape.
        #[test]
        fn granted_exactly_when_the_documented_condition_holds(
            facts in any_facts(),
            cause in prop_oneof![Just(Cause::List), Just(Cause::Call), Just(Cause::AtDoor)],
        ) {
            let in_force = facts.standing == Standing::InForce;
            let right = match cause {
                Cause::List => in_force | facts.administers_building,
                Cause::Call => in_force & facts.call_offers_door,
                Cause::AtDoor => in_force,
            };
            let door_in_use = !matches!(facts.door_mode, Some(DoorMode::Blocked | DoorMode::LockedDown));
            let times_ok = (1_000..=60_000).contains(&facts.times.release_ms)
                && (1_000..=60_000).contains(&facts.times.extended_release_ms)
                && (5_000..=600_000).contains(&facts.times.open_ms);
            let fresh = facts.class == HolderClass::Resident || facts.rights_age.as_secs() <= 86_400;
            let condition = [
                facts.presented == Presented::Valid, facts.person_active, right, fresh,
                facts.site_mode == SiteMode::Normal, door_in_use, facts.order == Order::Kept, times_ok,
            ];

            match decide(&Request { cause }, &facts) {
                Decision::Granted { hold } => {
                    prop_assert_eq!(condition, [true; 8]);
                    let usual = facts.times.release_ms;
                    let longer = if facts.needs_longer { usual.max(facts.times.extended_release_ms) } else { usual };
                    prop_assert_eq!(hold.as_millis(), u128::from(longer));
                }
                Decision::Denied(_) => prop_assert!(condition.contains(&false)),
            }
        }
    }
}
