//! One call, from the tap on a name to its end.

mod messages;

pub use messages::{Cancel, Input, LegView, Output, PanelView, Poll};

use crate::plan::{Leg, Limits, RingPlan};
use klinke_model::intercom::EndReason;
use klinke_model::time::Mono;

/// One call.
#[derive(Debug)]
pub struct Call {}

impl Call {
    /// A new call; outputs wait in [`Call::poll`].
    pub fn new(_plan: RingPlan, _limits: Limits, _now: Mono) -> Self {
        Self {}
    }

    /// Takes one input.
    pub fn handle(&mut self, _input: Input, _now: Mono) {}

    /// What to do next.
    pub fn poll(&mut self) -> Poll {
        Poll::Wait(None)
    }

    /// Where the call stands for its panel; `None` when it is over.
    pub fn panel_view(&self, _now: Mono) -> Option<PanelView> {
        None
    }

    /// Where the call stands for a leg; `None` when it neither rings there nor is held there.
    pub fn leg_view(&self, _leg: Leg, _now: Mono) -> Option<LegView> {
        None
    }

    /// The leg that sound goes to and from, between its `Bridge` and its `Unbridge`.
    pub fn bridged(&self) -> Option<Leg> {
        None
    }

    /// Why the call ended; `None` while it lives.
    pub fn end_reason(&self) -> Option<EndReason> {
        None
    }
}
