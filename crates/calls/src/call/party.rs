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
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Its turn has not come.
    Waiting,
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
    /// Ends its ringing, if it rings.
    pub(super) fn stop(&mut self, stage: Stage, why: Cancel) -> Option<Output> {
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
}
