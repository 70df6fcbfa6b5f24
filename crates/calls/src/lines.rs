//! Rules between calls: one live call a panel, one answered call a device, a repeated tap is the same call.

use crate::call::Output;
use crate::plan::Leg;
use klinke_model::ids::{BellId, CallId, PanelId, PersonId, RequestId};
use klinke_model::intercom::EndReason;

/// A visitor taps a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tap {
    /// Where.
    pub panel: PanelId,
    /// The panel's own id for it.
    pub request: RequestId,
    /// Which button.
    pub bell: BellId,
    /// Which member of a family button.
    pub chosen: Option<PersonId>,
}

/// What a tap means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tapped {
    /// A new call, under the id that was given. The panel's line is taken from now on.
    New,
    /// It is this call, which lives: the same request again, or the same name tapped again.
    Same(CallId),
    /// The same request again, and its call is over.
    Over(CallId, EndReason),
    /// The panel is in another call.
    Busy,
}

/// How a leg stands in a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Its turn has not come.
    Planned,
    /// It is rung.
    Ringing,
    /// It has answered and holds the call.
    Answered,
}

/// All live calls of a server.
#[derive(Debug, Default)]
pub struct Lines {}

impl Lines {
    /// A tap: takes the panel's line for `call` when it is free. Follow with [`Lines::expect`] when the plan is
    /// made, or with [`Lines::end`] when none can be made.
    pub fn tap(&mut self, _tap: Tap, _call: CallId) -> Tapped {
        Tapped::Busy
    }

    /// The legs that a call may ring (`RingPlan::legs`).
    pub fn expect(&mut self, _call: CallId, _legs: impl IntoIterator<Item = Leg>) {}

    /// Keeps step with a call: give it every output of the call, in order. `Some(first)`: this leg has answered
    /// while it held the call `first`; send that call [`crate::call::Input::LegHungUp`] for this leg.
    #[must_use = "the earlier call at this device has to be hung up"]
    pub fn follow(&mut self, _call: CallId, _output: &Output) -> Option<CallId> {
        None
    }

    /// A call is over, also when it never began or its driver failed; idempotent. `follow` does it for
    /// [`Output::Ended`].
    pub fn end(&mut self, _call: CallId, _reason: EndReason) {}

    /// The live call of a panel.
    pub fn at_panel(&self, _panel: PanelId) -> Option<CallId> {
        None
    }

    /// The live calls that ring, will ring or are held at a leg: whom to tell that it is away, back or gone.
    pub fn at_leg(&self, _leg: Leg) -> Vec<(CallId, Standing)> {
        Vec::new()
    }

    /// The panel of a live call.
    pub fn panel_of(&self, _call: CallId) -> Option<PanelId> {
        None
    }

    /// The legs that a live call rings, will ring or is held at.
    pub fn legs_of(&self, _call: CallId) -> Vec<(Leg, Standing)> {
        Vec::new()
    }

    /// All live calls.
    pub fn calls(&self) -> impl Iterator<Item = CallId> + '_ {
        std::iter::empty()
    }
}
