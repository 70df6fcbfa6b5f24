//! The ring plan: who is rung, in which order. Built once when the visitor taps, never changed.
//!
//! ```text
//! individual   [ its one member ]
//! sequential   [ first ] → [ second ] → [ third ]      one step a member
//! parallel     [ first, second, third ]
//! family       [ the chosen member ]   or, nobody chosen,   [ first, second, third ]
//! ```
//!
//! Invariants: no step is empty, and a leg is in the plan once (where it comes first).

use klinke_model::ids::{DeviceId, PersonId};
use klinke_model::intercom::BellKind;
use std::collections::HashSet;
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
    /// One step of a sequential button while another waits behind it, default 20 s. The last step rings until
    /// [`Limits::ring`] is over.
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
    pub(crate) steps: Vec<Step>,
}

impl RingPlan {
    /// The plan of a button (R4). `chosen` is the member picked behind a family button, `None` there rings all;
    /// the other kinds don't look at it. Members without a way to be rung make no step, so a sequence goes to
    /// the next at once. Somebody chosen who is not a member: nobody is rung.
    pub fn new(kind: BellKind, members: &[Member], chosen: Option<PersonId>) -> Self {
        let together: Vec<&[Member]> = match (kind, chosen) {
            (BellKind::Individual, _) => members.chunks(1).take(1).collect(),
            (BellKind::Sequential, _) => members.chunks(1).collect(),
            (BellKind::Family, Some(chosen)) => {
                members.chunks(1).filter(|m| m.iter().any(|m| m.person == chosen)).collect()
            }
            (BellKind::Parallel, _) | (BellKind::Family, None) => vec![members],
        };
        let mut taken = HashSet::new();
        let steps = together
            .into_iter()
            .map(|members| Step {
                legs: members
                    .iter()
                    .flat_map(|member| member.legs.iter().map(|leg| (*leg, member.person)))
                    .filter(|(leg, _)| taken.insert(*leg))
                    .collect(),
            })
            .filter(|step| !step.legs.is_empty())
            .collect();
        Self { steps }
    }

    /// Steps one after another. Empty: nobody can be reached.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Every leg of every step with its person, in the order of the plan.
    pub fn legs(&self) -> impl Iterator<Item = (Leg, PersonId)> + '_ {
        self.steps.iter().flat_map(|step| step.legs.iter().copied())
    }
}
