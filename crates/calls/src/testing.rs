//! Small words for the tests of this crate.

use crate::plan::{Leg, Member, PhoneRule, RingPlan};
use klinke_model::ids::{BellId, CallId, DeviceId, DoorId, PanelId, PersonId, RequestId, v4};
use klinke_model::intercom::BellKind;
use klinke_model::time::Mono;
use std::time::Duration;

pub(crate) fn device(n: u8) -> Leg {
    Leg::Device(DeviceId(v4([n; 16])))
}

/// The telephone of person n.
pub(crate) fn phone(n: u8) -> Leg {
    Leg::Phone(person(n))
}

/// A member with these devices, connected, and a telephone if it has a rule.
pub(crate) fn member(who: u8, devices: &[u8], phone: Option<PhoneRule>) -> Member {
    let legs: Vec<_> = devices.iter().map(|leg| device(*leg)).collect();
    Member { person: person(who), signed_in: !legs.is_empty(), legs, phone }
}

pub(crate) fn person(n: u8) -> PersonId {
    PersonId(v4([n; 16]))
}

pub(crate) fn request(n: u8) -> RequestId {
    RequestId(v4([n; 16]))
}

pub(crate) fn door(n: u8) -> DoorId {
    DoorId(v4([n; 16]))
}

pub(crate) fn panel(n: u8) -> PanelId {
    PanelId(v4([n; 16]))
}

pub(crate) fn bell(n: u8) -> BellId {
    BellId(v4([n; 16]))
}

pub(crate) fn call_id(n: u8) -> CallId {
    CallId(v4([n; 16]))
}

pub(crate) fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// The moment `n` ms after the start of the world, which is not zero.
pub(crate) fn at_ms(n: u64) -> Mono {
    Mono::from_millis(1_000_000 + n)
}

/// The plan of a button whose members are given by their devices: member 1 first.
pub(crate) fn plan(kind: BellKind, members: &[&[u8]]) -> RingPlan {
    let member = |(who, legs): (u8, &&[u8])| member(who, legs, None);
    RingPlan::new(kind, &(1..).zip(members).map(member).collect::<Vec<_>>(), None)
}
