//! What goes into a call and what comes out of it.

use crate::plan::Leg;
use klinke_model::ids::{DoorId, PersonId, RequestId};
use klinke_model::intercom::EndReason;
use klinke_model::time::Mono;
use std::time::Duration;

/// What happens to a call. A leg that is not of this call, or that says something out of turn, is ignored;
/// only [`Input::LegOpens`] is always answered (or was before).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// A leg said that it rings.
    LegRinging(Leg),
    /// A leg answered. The first has the call; a later one has its [`Cancel`] already. A telephone that was picked up has
    /// not answered: that is for who presses a key, and no machine does.
    LegAccepted(Leg),
    /// A leg declined; it is not rung again in this call. The person's other legs ring on.
    LegDeclined(Leg),
    /// A leg hung up. From a leg that still rings, and from a telephone that nobody pressed a key on: it declined.
    LegHungUp(Leg),
    /// A telephone was held for as long as one may be: a call that it talks in is over, and one that waits for its key goes on
    /// without it.
    LegSpent(Leg),
    /// A device's connection was lost (a telephone has none: it hangs up or is gone). Only for its newest connection: not when an older one closes after a reload.
    LegAway(Leg),
    /// A device has a new connection (reload, reconnect), whether or not the loss of the old one was noticed.
    LegBack(Leg),
    /// A device of a member has connected that could not be rung when the visitor tapped: somebody opens the app
    /// because the phone on the other table rings. It rings with its person's other legs; whose person had none,
    /// with the last step. A leg that is in the call already is back.
    LegJoined {
        /// Which.
        leg: Leg,
        /// Whose.
        person: PersonId,
    },
    /// A leg is gone for good (signed out, suspended; a telephone that can not be reached).
    LegGone(Leg),
    /// A leg asks to open a door of the panel. The driver has checked nothing; the machine checks that the leg
    /// may speak for this call now, and answers with [`Output::OpenDoor`] or [`Output::RefuseOpen`]; with nothing
    /// when this leg's request was passed on before: then the news of that opening is the answer.
    LegOpens {
        /// Who asks.
        leg: Leg,
        /// The leg's own id for it.
        request: RequestId,
        /// Which door.
        door: DoorId,
    },
    /// What became of an [`Output::OpenDoor`] of this call, whoever refused it: the decision, the way to the
    /// controller, or the controller.
    DoorOutcome {
        /// As in the `OpenDoor`.
        request: RequestId,
        /// As in the `OpenDoor`.
        leg: Leg,
        /// `Some`: the controller has released the lock, for so long. `None`: not opened.
        opened_for: Option<Duration>,
    },
    /// The visitor hung up.
    VisitorHungUp,
    /// The panel's connection was lost.
    PanelAway,
    /// The panel has a new connection.
    PanelBack,
    /// Time has passed (a deadline of [`Poll::Wait`]).
    Tick,
    /// The server stops.
    Shutdown,
}

/// What the driver does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// Ring this leg. A telephone once in a call, a device again after [`Input::LegBack`]: tell the new connection, nothing else changed. The time left
    /// is in [`super::Call::leg_view`].
    Offer(Leg),
    /// Stop ringing or drop this leg: tell it why and take it out of the media room. Every leg that was offered
    /// is cancelled once, the answering one after its `Unbridge`.
    Cancel(Leg, Cancel),
    /// Sound both ways between panel and this leg. A standing order until `Unbridge`: when the media of either
    /// side is set up later or anew (a reload), the driver bridges it again by [`super::Call::bridged`].
    Bridge(Leg),
    /// No sound any more between panel and this leg.
    Unbridge(Leg),
    /// Tell the panel where the call stands.
    TellPanel(PanelView),
    /// Tell a leg that is in the call where it stands (`Connected` with the time left).
    TellLeg(Leg, Duration),
    /// Ask for this door to be opened (`app::open_door`), for this leg's person; then give the call its
    /// [`Input::DoorOutcome`].
    OpenDoor {
        /// Who asked.
        leg: Leg,
        /// For whom.
        person: PersonId,
        /// The leg's own id for it.
        request: RequestId,
        /// Which door.
        door: DoorId,
    },
    /// Refuse an opening: the leg may not speak for this call now.
    RefuseOpen {
        /// Who asked.
        leg: Leg,
        /// The leg's own id for it.
        request: RequestId,
        /// Which door.
        door: DoorId,
    },
    /// The call is over; the last output. Tell the panel (every leg was told by its `Cancel`) and close the room.
    Ended(EndReason),
}

/// Why a leg is no longer rung.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cancel {
    /// Another leg answered, or opened the door without answering.
    Elsewhere {
        /// Whose leg.
        by: PersonId,
        /// Opened without answering.
        opened: bool,
    },
    /// It declined, is gone, or its turn in the sequence is over.
    Stopped,
    /// The call ended.
    Ended(EndReason),
}

/// What the panel is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PanelView {
    /// Ringing.
    Calling {
        /// Which step rings, from 1.
        step: u8,
        /// How many there are.
        steps: u8,
        /// Whether any leg has said that it rings.
        reached: bool,
        /// Whether an ordinary telephone is being rung.
        phone: bool,
        /// Until "no answer".
        left: Duration,
    },
    /// Answered.
    Connected {
        /// Time left to talk.
        left: Duration,
    },
}

/// What a leg is told when it connects anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LegView {
    /// It rings here.
    Ringing {
        /// Until it stops by itself.
        left: Duration,
    },
    /// This leg is talking.
    Connected {
        /// Time left to talk.
        left: Duration,
    },
}

/// What [`super::Call::poll`] says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Poll {
    /// Do this, then poll again.
    Output(Output),
    /// Nothing to do before this moment (`None`: the call is over).
    Wait(Option<Mono>),
}
