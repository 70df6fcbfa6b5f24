//! One call, from the tap on a name to its end. (Contract; the machine is written behind it.)

use crate::plan::{Leg, Limits, RingPlan};
use klinke_model::ids::{DoorId, OpeningId, PersonId, RequestId};
use klinke_model::intercom::EndReason;
use klinke_model::time::Mono;
use std::time::Duration;

/// What happens to a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A leg said that it rings.
    LegRinging(Leg),
    /// A leg answered.
    LegAccepted(Leg),
    /// A leg declined.
    LegDeclined(Leg),
    /// A leg hung up.
    LegHungUp(Leg),
    /// A leg's connection was lost.
    LegAway(Leg),
    /// A leg's connection is back (reload, reconnect).
    LegBack(Leg),
    /// A leg is gone for good (signed out, suspended).
    LegGone(Leg),
    /// A leg asks to open a door of the panel. The driver has checked nothing; the machine checks that the leg
    /// may speak for this call now.
    LegOpens { leg: Leg, request: RequestId, door: DoorId },
    /// The door controller's outcome for an opening of this call: `Some(duration)` open, `None` not opened.
    DoorOutcome { opening: OpeningId, request: RequestId, leg: Leg, opened_for: Option<Duration> },
    /// The visitor hung up.
    VisitorHungUp,
    /// The panel's connection was lost.
    PanelAway,
    /// The panel's connection is back.
    PanelBack,
    /// Time has passed (a deadline of [`Poll::Wait`]).
    Tick,
    /// The server stops.
    Shutdown,
}

/// What the driver does next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Ring this leg.
    Offer(Leg),
    /// Stop ringing (or drop) this leg.
    Cancel(Leg, Cancel),
    /// Sound both ways between panel and this leg.
    Bridge(Leg),
    /// No sound any more between panel and this leg.
    Unbridge(Leg),
    /// Tell the panel where the call stands.
    TellPanel(PanelView),
    /// Tell a leg that is in the call where it stands (`Connected` with the time left).
    TellLeg(Leg, Duration),
    /// Ask for this door to be opened (`app::open_door`), for this leg's person.
    OpenDoor { leg: Leg, person: PersonId, request: RequestId, door: DoorId },
    /// Refuse an opening: the leg may not speak for this call now.
    RefuseOpen { leg: Leg, request: RequestId, door: DoorId },
    /// The call is over; the last output.
    Ended(EndReason),
}

/// Why a leg is no longer rung.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cancel {
    /// Another leg answered, or opened the door without answering.
    Elsewhere { by: PersonId, opened: bool },
    /// It declined, or its turn in the sequence is over.
    Stopped,
    /// The call ended.
    Ended,
}

/// What the panel is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PanelView {
    /// Ringing.
    Calling { step: u8, steps: u8, reached: bool, left: Duration },
    /// Answered.
    Connected { left: Duration },
}

/// What [`Call::poll`] says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Poll {
    /// Do this, then poll again.
    Output(Output),
    /// Nothing to do before this moment (`None`: the call is over).
    Wait(Option<Mono>),
}

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
}
