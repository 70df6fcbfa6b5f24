//! A leg in a call, and what it asked for.

use super::messages::{Cancel, Output};
use crate::plan::Leg;
use klinke_model::ids::{PersonId, RequestId};
use klinke_model::time::Mono;

/// A leg in this call.
#[derive(Debug)]
pub(super) struct Party {
    pub(super) leg: Leg,
    pub(super) person: PersonId,
    pub(super) step: usize,
    pub(super) stage: Stage,
    /// Since when.
    pub(super) away: Option<Mono>,
    /// A telephone that waits for the silence of its person's devices.
    pub(super) when_silent: bool,
    /// A device that has said anything: it lives, and somebody may be at it.
    pub(super) heard: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Its turn has not come.
    Waiting,
    /// Its turn: a telephone that rings if its person's devices are silent.
    Held,
    /// A telephone that is not needed: a device of its person has been heard.
    Spared,
    /// Its turn; not offered yet when it was away as its turn came.
    Ringing {
        offered: bool,
    },
    Answered,
    Declined,
    Gone,
    /// Its turn is over, or the call is.
    Passed,
}

impl Party {
    /// A leg whose turn has not come.
    pub(super) const fn new(leg: Leg, person: PersonId, step: usize) -> Self {
        Self { leg, person, step, stage: Stage::Waiting, away: None, when_silent: false, heard: false }
    }

    /// Ends its ringing, if it rings.
    pub(super) fn stop(&mut self, stage: Stage, why: Cancel) -> Option<Output> {
        if self.stage == Stage::Held {
            self.stage = stage;
        }
        let Stage::Ringing { offered } = self.stage else { return None };
        self.stage = stage;
        offered.then_some(Output::Cancel(self.leg, why))
    }
}

/// An opening that was passed on; kept to know its request again.
#[derive(Debug)]
pub(super) struct Opening {
    pub(super) leg: Leg,
    pub(super) request: RequestId,
    /// Under way until its outcome is known, or this.
    pub(super) until: Option<Mono>,
    /// The door was opened.
    pub(super) came_true: bool,
}
