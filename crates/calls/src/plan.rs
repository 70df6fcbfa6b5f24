//! The ring plan: who is rung, in which order. Built once when the visitor taps, never changed.

use klinke_model::ids::{DeviceId, PersonId};
use klinke_model::intercom::BellKind;
use std::time::Duration;

/// One way a person can be rung.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Leg {
    /// An app or station; reached over its WebSocket.
    Device(DeviceId),
}

/// A person behind a button with the ways they can be rung just now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Who.
    pub person: PersonId,
    /// Their devices. Empty: cannot be reached.
    pub legs: Vec<Leg>,
}

/// Time limits of a call. Durations, configurable per installation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// All ringing together, default 60 s.
    pub ring: Duration,
    /// Talking, default 120 s.
    pub talk: Duration,
    /// One step of a sequential button, default 20 s.
    pub step: Duration,
    /// How long a panel or an answering device may be away (a reload) before the call is lost, default 10 s.
    pub away: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            ring: Duration::from_secs(60),
            talk: Duration::from_secs(120),
            step: Duration::from_secs(20),
            away: Duration::from_secs(10),
        }
    }
}

/// Members that are rung together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Who is rung in this step, and how. Never empty.
    pub legs: Vec<(Leg, PersonId)>,
}

/// Who is rung, in which order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RingPlan {
    /// One after another. Empty: nobody can be reached.
    pub steps: Vec<Step>,
}

impl RingPlan {
    /// The plan of a button (R4). `chosen` is the member picked behind a family button; `None` there rings all.
    /// Members without a way to be rung make no step, so a sequence goes to the next at once.
    pub fn new(_kind: BellKind, _members: &[Member], _chosen: Option<PersonId>) -> Self {
        Self { steps: Vec::new() }
    }
}
