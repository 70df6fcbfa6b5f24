//! One ordinary phone that is rung for a call: a task, from the ports of its sound to its BYE. Here it rings, until it is picked up;
//! then it is [`held`](super::held). A desk phone that registers ([`station`](super::station)) is rung in another way, and is the
//! same once it was picked up, but for the key.
//!
//! ```text
//!           ringing            picked up
//!  ports ─▶ INVITE ─▶ LegRinging ─▶ held
//! ```
//!
//! Invariants
//! - The phone is hung up when its [`Phone`] is dropped, and its ports are free then; the task ends in any case.
//! - Before [`Phone::talk`] nothing that the phone says goes to the panel, and nothing of the panel to the phone.
//! - No number, no person and no door is logged.

use super::driver::Message;
use super::held::Held;
use crate::node::Node;
use crate::phones::invite::{Invited, Wanted, has_tones, invite, start};
use klinke_calls::call::{Cancel, Input};
use klinke_calls::plan::Leg;
use klinke_media::Sound;
use klinke_model::contact::Language;
use klinke_model::ids::{BuildingId, CallId, DoorId, TenantId};
use klinke_model::intercom::EndReason;
use klinke_model::text::Label;
use klinke_sip::agent::{self, Encryption, Event};
use klinke_sip::dial::Number;
use klinke_sip::stations;
use klinke_sip::why::Why;
use klinke_voice::Said;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// What a phone is rung for.
pub(super) struct Errand {
    /// The call.
    pub call: CallId,
    /// Whose.
    pub tenant: TenantId,
    /// Where the visitor stands.
    pub building: BuildingId,
    /// The same in words.
    pub place: Label,
    /// Which leg of the call it is.
    pub leg: Leg,
    /// What whoever picks up is spoken to in.
    pub language: Language,
    /// What 5 and 8 open.
    pub door: Option<DoorId>,
    /// How long it may ring.
    pub ring: Duration,
    /// How long it may be held: the call's own limits end it before.
    pub hold: Duration,
    /// How many hops its call may go.
    pub hops: u8,
    /// The call, to tell.
    pub own: mpsc::WeakSender<Message>,
}

/// From the call.
pub(super) enum Order {
    /// Sound both ways from now on; this is the panel's.
    Talk(mpsc::Receiver<Sound>),
    /// So much time is left.
    Left(Duration),
    Say(Said<'static>),
    /// Hang up, after these words when somebody hears them.
    End(Option<Said<'static>>),
}

/// A phone that is rung. Dropped, it is hung up.
pub(super) struct Phone {
    orders: mpsc::UnboundedSender<Order>,
}

/// A way to say something at a phone, which does not keep it from being hung up.
pub(super) struct Voice(mpsc::WeakUnboundedSender<Order>);

impl Voice {
    /// Says it, if the phone is still there.
    pub(super) fn say(&self, said: Said<'static>) {
        if let Some(orders) = self.0.upgrade() {
            // a task that has ended says nothing
            let _ = orders.send(Order::Say(said));
        }
    }
}

impl Phone {
    /// Begins to ring the phone with this number.
    pub(super) fn ring(node: &Arc<Node>, errand: Errand, number: Number) -> Self {
        Self::of(node, |orders| run(Arc::clone(node), errand, number, orders))
    }

    /// The phone that this task is.
    pub(super) fn of<T: Future<Output = ()> + Send + 'static>(
        node: &Arc<Node>,
        task: impl FnOnce(mpsc::UnboundedReceiver<Order>) -> T,
    ) -> Self {
        let (orders, inbox) = mpsc::unbounded_channel();
        node.tasks.spawn(task(inbox));
        Self { orders }
    }

    /// Sound both ways from now on: what the panel says comes out of `hears`.
    pub(super) fn talk(&self, hears: mpsc::Receiver<Sound>) {
        self.order(Order::Talk(hears));
    }

    /// So much time to talk is left.
    pub(super) fn left(&self, left: Duration) {
        self.order(Order::Left(left));
    }

    /// To say something later.
    pub(super) fn voice(&self) -> Voice {
        Voice(self.orders.downgrade())
    }

    /// Ends it, and tells why who has picked up.
    pub(super) fn end(self, why: Cancel) {
        let word = match why {
            Cancel::Elsewhere { .. } => Some(Said::Elsewhere),
            Cancel::Ended(EndReason::TimeLimit | EndReason::VisitorLeft) => Some(Said::Goodbye),
            Cancel::Stopped | Cancel::Ended(_) => None,
        };
        self.order(Order::End(word));
    }

    fn order(&self, order: Order) {
        // a task that has ended has told so
        let _ = self.orders.send(order);
    }
}

/// What an end of the phone's own means for the call: what somebody did there is a "no", what did not work is not.
pub(super) const fn ended(leg: Leg, why: Why) -> Input {
    match why {
        Why::TheyHungUp => Input::LegHungUp(leg),
        Why::Limit => Input::LegSpent(leg),
        Why::Busy | Why::Declined => Input::LegDeclined(leg),
        _ => Input::LegGone(leg),
    }
}

/// The SIP side of a leg: over a trunk, or to a device that registers.
pub(super) enum Sip {
    Trunk(Box<agent::Leg>),
    Station(stations::Leg),
}

impl Sip {
    pub(super) async fn event(&mut self) -> Option<Event> {
        match self {
            Self::Trunk(leg) => leg.event().await,
            Self::Station(leg) => leg.event().await,
        }
    }

    /// Ends it while it rings, and says that somebody else has the call: it was not missed.
    fn completed_elsewhere(&mut self) {
        match self {
            Self::Trunk(leg) => leg.completed_elsewhere(),
            Self::Station(leg) => leg.completed_elsewhere(),
        }
    }
}

pub(super) async fn tell(own: &mpsc::WeakSender<Message>, input: Input) {
    if let Some(own) = own.upgrade() {
        // the call may have ended meanwhile
        drop(own.send(Message::Input(input)).await);
    }
}

async fn run(node: Arc<Node>, errand: Errand, number: Number, mut orders: mpsc::UnboundedReceiver<Order>) {
    let leg = errand.leg;
    let own = errand.own.clone();
    let (changes, changed) = mpsc::unbounded_channel();
    let wanted = Wanted {
        tenant: errand.tenant,
        building: Some(errand.building),
        over: None,
        number,
        ring: errand.ring,
        hold: errand.hold,
        hops: errand.hops,
    };
    let invited = match invite(&node, wanted, changes).await {
        Ok(invited) => invited,
        Err(error) => {
            tracing::warn!(%error, "a phone was not rung");
            return tell(&own, Input::LegGone(leg)).await;
        }
    };
    let Invited { offered, ports, sip } = invited;
    let mut sip = Sip::Trunk(Box::new(sip));
    let ringing = Ringing { own: &own, leg, sip: &mut sip, orders: &mut orders };
    let their_sdp = match ringing.until_picked_up().await {
        Ok(their_sdp) => their_sdp,
        Err(NotPickedUp::Ended(why)) => return tell(&own, ended(leg, why)).await,
        Err(NotPickedUp::Dropped) => return,
    };
    let (local, tones) = match &sip {
        Sip::Trunk(leg) => (offered.to(leg.encryption()), has_tones(&node, errand.tenant, leg)),
        Sip::Station(_) => (offered.to(Encryption::Off), false),
    };
    let started = start(&node, (&local, &their_sdp), ports, tones);
    let (codec, line, news) = match started {
        Ok(started) => started,
        Err(error) => {
            tracing::warn!(%error, "a phone was picked up whose sound can not be had");
            // `sip` is dropped: hung up
            return tell(&own, Input::LegGone(leg)).await;
        }
    };
    Held::new(node, errand, local, sip, (codec, line, None)).run(orders, news, changed).await;
}

/// Before anybody picks up.
pub(super) struct Ringing<'a> {
    pub own: &'a mpsc::WeakSender<Message>,
    pub leg: Leg,
    pub sip: &'a mut Sip,
    pub orders: &'a mut mpsc::UnboundedReceiver<Order>,
}

/// Why nobody picked up.
pub(super) enum NotPickedUp {
    /// It came to nothing, which the call was not told yet.
    Ended(Why),
    /// The call wants it no more.
    Dropped,
}

impl Ringing<'_> {
    /// Their SDP.
    pub(super) async fn until_picked_up(self) -> Result<String, NotPickedUp> {
        loop {
            tokio::select! {
                event = self.sip.event() => match event {
                    None => return Err(NotPickedUp::Dropped),
                    Some(Event::Ringing) => tell(self.own, Input::LegRinging(self.leg)).await,
                    Some(Event::Answered { sdp }) => return Ok(sdp),
                    Some(Event::Ended(why)) => return Err(NotPickedUp::Ended(why)),
                    Some(Event::Changed { .. } | Event::Acknowledged | Event::Info { .. }) => {}
                },
                order = self.orders.recv() => match order {
                    Some(Order::End(word)) => {
                        if word == Some(Said::Elsewhere) {
                            self.sip.completed_elsewhere();
                        }
                        return Err(NotPickedUp::Dropped);
                    }
                    // dropped, the leg is cancelled
                    None => return Err(NotPickedUp::Dropped),
                    // nobody hears it, and nobody talks before a key was pressed
                    Some(Order::Say(_) | Order::Talk(_) | Order::Left(_)) => {}
                },
            }
        }
    }
}
