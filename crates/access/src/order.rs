//! The order in which the doors of one controller open (R42): the door that comes before, airlocks, two people, and
//! hours that begin only when somebody has come.
//!
//! Sans-IO, in memory only: after a restart nobody has gone through anything, which keeps doors shut. It says
//! [`Order`] to the decision and is told what became of it; the way out and fire never ask it.
//!
//! Who went through a door is not kept, only that somebody did; who came first of two is, as a tag, until the second
//! came or the time is over.

use crate::decide::Order;
use crate::snapshot::{DoorPlan, PersonTag};
use klinke_model::door::{DoorMode, DoorPosition, DoorState};
use klinke_model::time::Mono;
use std::time::Duration;

/// The doors of one controller beside each other.
#[derive(Debug)]
pub struct DoorOrder {
    doors: Vec<Place>,
}

/// One door, by its place in the snapshot.
#[derive(Debug)]
struct Place {
    plan: DoorPlan,
    /// When somebody last went through it.
    passed: Option<Mono>,
    /// Who came first of two, and when.
    first: Option<(PersonTag, Mono)>,
    /// Somebody who may open it came since its hours began.
    somebody_came: bool,
}

impl DoorOrder {
    /// The doors of a snapshot, at rest.
    pub fn new(doors: &[DoorPlan]) -> Self {
        let place = |plan: &DoorPlan| Place { plan: *plan, passed: None, first: None, somebody_came: false };
        Self { doors: doors.iter().map(place).collect() }
    }

    /// Takes the doors of a newer snapshot. A door that stays keeps what happened at it, unless what it depends on is
    /// another now.
    pub fn update(&mut self, doors: &[DoorPlan]) {
        let mut before = std::mem::take(self).doors;
        *self = Self::new(doors);
        for place in &mut self.doors {
            let same = |old: &Place| old.plan.door == place.plan.door;
            if let Some(at) = before.iter().position(same) {
                let old = before.swap_remove(at);
                place.passed = old.passed;
                place.somebody_came = old.somebody_came;
                if old.plan.two_people_within_s == place.plan.two_people_within_s {
                    place.first = old.first;
                }
            }
        }
    }

    /// Whether the order lets this door open for this person now. `state` tells how each door is; a door without a
    /// contact is never known to be closed. Without a person (an opening from afar: who it is for is not told to a
    /// controller) nobody is ever a second one.
    pub fn judge(
        &self,
        door: u8,
        person: Option<PersonTag>,
        state: impl Fn(u8) -> DoorState,
        now: Mono,
    ) -> Order {
        let Some(place) = self.place(door) else { return Order::DoorBefore };
        if let Some(after) = place.plan.after {
            let passed = self.place(after.door).and_then(|before| before.passed);
            let in_time = |passed: Mono| now.since(passed) <= Duration::from_secs(after.within_s.into());
            if !passed.is_some_and(in_time) {
                return Order::DoorBefore;
            }
        }
        if self.is_interlocked(door, state) {
            return Order::Interlocked;
        }
        if let Some(within_s) = place.plan.two_people_within_s {
            let second = place.first.is_some_and(|(first, at)| {
                person.is_some_and(|person| first != person)
                    && now.since(at) <= Duration::from_secs(within_s.into())
            });
            if !second {
                return Order::SecondPerson;
            }
        }
        Order::Kept
    }

    /// Whether another door of the same airlock is not closed and locked. Holds for whoever opens it, from wherever.
    pub fn is_interlocked(&self, door: u8, state: impl Fn(u8) -> DoorState) -> bool {
        let Some(airlock) = self.place(door).and_then(|place| place.plan.airlock) else { return false };
        let others = (0_u8..).zip(&self.doors).filter(|(other, _)| *other != door);
        let mut same = others.filter(|(_, other)| other.plan.airlock == Some(airlock));
        !same.all(|(other, _)| is_secured(state(other)))
    }

    /// Somebody was refused only because the door asks for two: they are the first.
    pub fn first_came(&mut self, door: u8, person: PersonTag, now: Mono) {
        if let Some(place) = self.doors.get_mut(usize::from(door)) {
            place.first = Some((person, now));
        }
    }

    /// Somebody was let in: whoever comes next is a first again, and the hours of the door may begin.
    pub fn granted(&mut self, door: u8) {
        if let Some(place) = self.doors.get_mut(usize::from(door)) {
            place.first = None;
            place.somebody_came = true;
        }
    }

    /// Somebody went through: the leaf opened after a grant.
    pub fn passed(&mut self, door: u8, now: Mono) {
        if let Some(place) = self.doors.get_mut(usize::from(door)) {
            place.passed = Some(now);
        }
    }

    /// Whether a door stands unlocked, when its hours say `by_hours`. To be asked at every turn of them.
    pub fn unlocks(&mut self, door: u8, by_hours: bool) -> bool {
        let Some(place) = self.doors.get_mut(usize::from(door)) else { return false };
        if !by_hours {
            place.somebody_came = false;
        }
        by_hours && (place.somebody_came || !place.plan.first_person_in)
    }

    fn place(&self, door: u8) -> Option<&Place> {
        self.doors.get(usize::from(door))
    }
}

impl Default for DoorOrder {
    fn default() -> Self {
        Self::new(&[])
    }
}

/// Whether a door is locked and known to be closed.
pub fn is_secured(state: DoorState) -> bool {
    let is_locked = matches!(state.mode, DoorMode::Locked | DoorMode::Blocked | DoorMode::LockedDown);
    is_locked && state.position == DoorPosition::Closed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::After;
    use klinke_model::door::{DoorAlarm, DoorTimes};
    use klinke_model::ids::{DoorId, v4};

    const ANNA: PersonTag = PersonTag(1);
    const BO: PersonTag = PersonTag(2);

    fn plan(number: u8) -> DoorPlan {
        DoorPlan {
            door: DoorId(v4([number; 16])),
            times: DoorTimes::default(),
            refuses_copyable: false,
            two_people_within_s: None,
            after: None,
            airlock: None,
            unlocked: None,
            first_person_in: false,
        }
    }
    fn at(seconds: u64) -> Mono {
        Mono::from_millis(seconds * 1_000)
    }
    fn closed(_: u8) -> DoorState {
        DoorState::LOCKED
    }

    #[test]
    fn an_inner_door_opens_only_after_somebody_went_through_the_outer_and_then_the_lift() {
        let inner = DoorPlan { after: Some(After { door: 0, within_s: 30 }), ..plan(1) };
        let lift = DoorPlan { after: Some(After { door: 1, within_s: 60 }), ..plan(2) };
        let mut order = DoorOrder::new(&[plan(0), inner, lift]);
        let judge = |order: &DoorOrder, door, now| order.judge(door, Some(ANNA), closed, at(now));
        assert_eq!(judge(&order, 0, 0), Order::Kept);
        assert_eq!(judge(&order, 1, 0), Order::DoorBefore);
        order.granted(0);
        assert_eq!(judge(&order, 1, 1), Order::DoorBefore, "let in is not gone through");
        order.passed(0, at(5));
        assert_eq!(judge(&order, 1, 35), Order::Kept);
        assert_eq!(judge(&order, 1, 36), Order::DoorBefore);
        assert_eq!(judge(&order, 2, 20), Order::DoorBefore);
        order.passed(1, at(20));
        assert_eq!(judge(&order, 2, 80), Order::Kept);
    }

    #[test]
    fn never_two_doors_of_an_airlock() {
        let order = DoorOrder::new(&[
            DoorPlan { airlock: Some(1), ..plan(0) },
            DoorPlan { airlock: Some(1), ..plan(1) },
            DoorPlan { airlock: Some(2), ..plan(2) },
            plan(3),
        ]);
        let with = |door: u8, other: u8, state: DoorState| {
            order.judge(
                door,
                Some(ANNA),
                |which| if which == other { state } else { DoorState::LOCKED },
                at(0),
            )
        };
        let state = |mode, position| DoorState { mode, position, alarm: DoorAlarm::Normal };
        for (mode, position, expected) in [
            (DoorMode::Locked, DoorPosition::Closed, Order::Kept),
            (DoorMode::Blocked, DoorPosition::Closed, Order::Kept),
            (DoorMode::LockedDown, DoorPosition::Closed, Order::Kept),
            (DoorMode::Locked, DoorPosition::Open, Order::Interlocked),
            (DoorMode::Locked, DoorPosition::Unknown, Order::Interlocked),
            (DoorMode::Accessed, DoorPosition::Closed, Order::Interlocked),
            (DoorMode::Unlocked, DoorPosition::Closed, Order::Interlocked),
            (DoorMode::LockedOpen, DoorPosition::Closed, Order::Interlocked),
        ] {
            assert_eq!(with(0, 1, state(mode, position)), expected, "{mode:?} {position:?}");
        }
        let open = state(DoorMode::Accessed, DoorPosition::Open);
        assert_eq!(with(0, 0, open), Order::Kept, "the door itself");
        assert_eq!(with(0, 2, open), Order::Kept, "another airlock");
        assert_eq!(with(3, 0, open), Order::Kept, "a door of none");
    }

    #[test]
    fn two_people_are_two() {
        let mut order = DoorOrder::new(&[DoorPlan { two_people_within_s: Some(20), ..plan(0) }]);
        let judge = |order: &DoorOrder, person, now| order.judge(0, Some(person), closed, at(now));
        assert_eq!(judge(&order, ANNA, 0), Order::SecondPerson);
        order.first_came(0, ANNA, at(0));
        assert_eq!(judge(&order, ANNA, 5), Order::SecondPerson, "twice the same is one");
        assert_eq!(judge(&order, BO, 20), Order::Kept);
        assert_eq!(judge(&order, BO, 21), Order::SecondPerson, "too late");
        order.granted(0);
        assert_eq!(judge(&order, BO, 5), Order::SecondPerson, "the next is a first again");
    }

    #[test]
    fn hours_begin_when_the_first_has_come_and_anew_the_next_day() {
        let mut order = DoorOrder::new(&[DoorPlan { first_person_in: true, ..plan(0) }, plan(1)]);
        assert!(!order.unlocks(0, true) && order.unlocks(1, true));
        order.granted(0);
        assert!(order.unlocks(0, true));
        assert!(!order.unlocks(0, false) && !order.unlocks(0, true));
        // whoever came before the hours does not begin them
        order.granted(0);
        assert!(!order.unlocks(0, false) && !order.unlocks(0, true));
        assert!(!order.unlocks(9, true), "no door of ours");
    }

    #[test]
    fn a_newer_snapshot_forgets_only_what_it_changes() {
        let inner = DoorPlan { after: Some(After { door: 0, within_s: 30 }), ..plan(1) };
        let mut order =
            DoorOrder::new(&[plan(0), inner, DoorPlan { two_people_within_s: Some(9), ..plan(2) }]);
        order.passed(0, at(0));
        order.first_came(2, ANNA, at(0));
        // the doors changed their places
        let moved = DoorPlan { after: Some(After { door: 1, within_s: 30 }), ..inner };
        order.update(&[moved, plan(0), DoorPlan { two_people_within_s: Some(8), ..plan(2) }]);
        assert_eq!(order.judge(0, Some(ANNA), closed, at(1)), Order::Kept);
        assert_eq!(order.judge(2, Some(BO), closed, at(1)), Order::SecondPerson);
        assert_eq!(order.judge(3, Some(BO), closed, at(1)), Order::DoorBefore, "no door of ours");
    }
}
