//! Somebody at a door station, from the INVITE of its call to its BYE. For everybody else in the call it is a panel
//! like any other: the number that it dialled is a tap, its picture and sound have the panel's place in the room.
//!
//! ```text
//!  INVITE ─▶ which doorbell ─▶ the panel's events ─▶ calling: 183, the picture flows
//!               └─▶ 404                              connected: 200, sound both ways
//!                                                    opening: words from its loudspeaker
//!  BYE or CANCEL ─▶ the visitor left                 ended: BYE, or a status that says why
//! ```
//!
//! Where the station opens a door by itself ([`relays`](crate::relays)), keys are pressed in its call. It hears them in a call that was answered, so
//! one that still rings is answered first, which ends nobody's ringing; and a call that ends is hung up once they are through.
//!
//! Invariants
//! - What it dialled rings a doorbell of its own panel or nothing at all, and whoever guesses codes is slowed as at a panel.
//! - Without a picture that we can pass on it is a call all the same.
//! - The task ends with the call on either side; its ports are free then. No number, no bell and no door is logged.

use super::door_station::{Agreement, agree, reoffer};
use super::driver::Message;
use super::phone_sound::{ToPanel, datagram};
use crate::app::ring::{self, RingError};
use crate::node::Node;
use crate::relays::Press;
use crate::signalling::socket::Outgoing;
use klinke_calls::call::{Input, OPENING_LIFE};
use klinke_media::{ForStation, PanelSeat, Picture, RoomId};
use klinke_model::contact::Language;
use klinke_model::ids::{CallId, PanelId};
use klinke_model::intercom::EndReason;
use klinke_model::scope::Scope;
use klinke_sip::dtmf::{Digit, info};
use klinke_sip::rtp::port::{Line, News};
use klinke_sip::sdp::{self, Agreed, Local};
use klinke_sip::stations::{Accept, Event, Incoming, Refusal, Reoffer};
use klinke_sip::video::CONTROL;
use klinke_sip::video::camera::{Camera, Seen};
use klinke_voice::{Rate, Said};
use klinke_wire::common::OpeningState;
use klinke_wire::panel::{PanelCall, PanelCallState, PanelEvent};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

/// Between two keys by SIP INFO: none of them overtakes another.
const INFO_EVERY: Duration = Duration::from_millis(200);
/// How long keys may take from when they are asked for: a line that is held sends none.
const PRESSING: Duration = Duration::from_secs(3);

/// Somebody at the door, while their call goes on.
pub(super) struct Visit {
    node: Arc<Node>,
    panel: PanelId,
    answer: String,
    local: Local,
    reoffer: Reoffer,
    changed: mpsc::UnboundedReceiver<Agreed>,
    line: Line,
    news: mpsc::Receiver<News>,
    camera: Option<Camera>,
    /// Samples a second of its sound.
    rate: u32,
    language: Language,
    to_room: ToPanel,
    /// The call, once it rings, and its place in the room.
    call: Option<(CallId, Option<PanelSeat>)>,
    /// Somebody talks with them.
    talks: bool,
    /// It was answered: because somebody talks, or so that it hears keys.
    accepted: bool,
    /// It has our answer.
    stands: bool,
    /// It takes keys as events beside the sound; else by SIP INFO.
    events: bool,
    /// Keys to press, one opening after the other.
    presses: mpsc::Receiver<Press>,
    /// Those that are being pressed.
    pressing: Option<Pressing>,
    /// The call is over, and is hung up once they are through.
    ends: bool,
}

/// Keys on their way.
struct Pressing {
    done: oneshot::Sender<()>,
    /// What is left for SIP INFO, or for a call that does not stand yet.
    left: VecDeque<Digit>,
    /// The line has them, and tells when they are through.
    on_line: bool,
    /// When the next one by SIP INFO is due; before the call stands, when it is given up.
    due: Instant,
    until: Instant,
}

/// One thing that happened.
enum Happened {
    Sip(Option<Event>),
    Panel(Option<PanelEvent>),
    Sound(Option<News>),
    Seen(Option<Seen>),
    Room(Option<ForStation>),
    Changed(Agreed),
    Press(Press),
    /// Keys are due, or given up.
    Due,
}

/// Whether it goes on.
#[derive(PartialEq, Eq)]
enum Goes {
    On,
    Over,
}

impl Visit {
    /// Rings what was dialled.
    pub(super) async fn begin(
        node: &Arc<Node>,
        scope: &Scope,
        panel: PanelId,
        call: &Incoming,
    ) -> Result<Self, Refusal> {
        let Agreement { local, answer, sound, ports, picture } = agree(node, call).await?;
        let lost = |error| {
            tracing::warn!(%error, "a door station's call was not taken");
            Refusal::Unavailable
        };
        let (line, news) = ports.start(&sound, false, node.clock.clone()).map_err(lost)?;
        let described = picture.as_ref().map(|(.., described)| described.clone());
        let camera = match picture {
            Some((video, ports, _)) => Some(Camera::start(ports, &video, node.clock.clone()).map_err(lost)?),
            None => None,
        };
        ring::dial_at_station(node, scope, panel, node.random.v4(), (&call.dialled, call.hops))
            .await
            .map_err(|cause| refusal(&cause))?;
        let (changes, changed) = mpsc::unbounded_channel();
        Ok(Self {
            node: Arc::clone(node),
            panel,
            reoffer: reoffer((local.clone(), answer.clone()), described, changes),
            answer,
            local,
            changed,
            line,
            news,
            camera,
            rate: sound.codec.sample_rate(),
            events: sound.events.is_some(),
            language: language_at(node, scope, panel).await,
            to_room: ToPanel::default(),
            call: None,
            talks: false,
            accepted: false,
            stands: false,
            presses: node.relays.in_call(panel),
            pressing: None,
            ends: false,
        })
    }

    /// Until the call is over on either side.
    pub(super) async fn run(mut self, mut call: Incoming, mut events: Outgoing<PanelEvent>) {
        loop {
            let happened = tokio::select! {
                event = call.leg.event() => Happened::Sip(event),
                event = events.next() => Happened::Panel(event),
                told = self.news.recv() => Happened::Sound(told),
                // the sender lives as long as the SIP leg does
                Some(agreed) = self.changed.recv() => Happened::Changed(agreed),
                seen = see(&mut self.camera) => Happened::Seen(seen),
                wish = wish(&mut self.call) => Happened::Room(wish),
                Some(press) = self.presses.recv(), if self.pressing.is_none() => Happened::Press(press),
                () = due(self.pressing.as_ref()) => Happened::Due,
            };
            let goes = match happened {
                Happened::Sip(event) => self.event(event).await,
                Happened::Panel(event) => self.told(event, &call).await,
                Happened::Sound(told) => self.sound(told, &call).await,
                Happened::Seen(seen) => self.seen(seen, &call).await,
                Happened::Room(wish) => self.room(wish),
                Happened::Changed(agreed) => self.change(agreed).await,
                Happened::Press(press) => self.press(press, &call).await,
                Happened::Due => self.press_on(&call).await,
            };
            if goes == Goes::Over {
                break;
            }
        }
        // hung up, if it was not
        drop(call);
        self.line.end().await;
    }

    async fn event(&mut self, event: Option<Event>) -> Goes {
        match event {
            Some(Event::Changed { sdp }) => match sdp::agreed(&self.local, sdp.as_bytes()) {
                Ok(agreed) => self.change(agreed).await,
                Err(_) => self.leave().await,
            },
            Some(Event::Acknowledged) => {
                self.stands = true;
                self.begin_pressing().await;
                Goes::On
            }
            // its keys mean nothing to us: it can ask, never open
            Some(Event::Info { .. } | Event::Ringing | Event::Answered { .. }) => Goes::On,
            Some(Event::Ended(_)) | None => self.leave().await,
        }
    }

    /// The visitor left, or the station was lost.
    async fn leave(&mut self) -> Goes {
        let known = self.call.as_ref().map(|(call, _)| *call);
        let call = match known {
            Some(call) => Some(call),
            // it rings, and we have not heard so yet
            None => self.node.exchange.panel_call(self.panel).await.map(|call| call.call),
        };
        if let Some(call) = call {
            // it may have ended meanwhile
            self.node.exchange.tell_from_panel(self.panel, call, Message::Input(Input::VisitorHungUp)).await;
            // answered behind that: then the panel's line is free for who rings next
            self.node.exchange.panel_call(self.panel).await;
        }
        Goes::Over
    }

    async fn told(&mut self, event: Option<PanelEvent>, call: &Incoming) -> Goes {
        match event {
            Some(PanelEvent::Call { call: news, .. }) => self.state(news, call).await,
            Some(PanelEvent::Opening { news, .. }) => {
                match news.state {
                    OpeningState::Open { .. } => self.say(Said::Opened).await,
                    OpeningState::Sent => self.say(Said::Sent).await,
                    // who stands outside is told no more than that it did not open, and by who talks with them
                    OpeningState::Sending | OpeningState::Refused { .. } => {}
                }
                Goes::On
            }
            Some(_) => Goes::On,
            // the panel is not to be in a call any more
            None => self.leave().await,
        }
    }

    async fn state(&mut self, news: PanelCall, call: &Incoming) -> Goes {
        match news.state {
            PanelCallState::Calling { .. } => {
                if self.take_place(news.call).await {
                    // without a picture to show it is told that it rings, and no more
                    match self.camera.is_some() {
                        true => call.show(self.answer.clone()),
                        false => call.ring(),
                    }
                }
            }
            PanelCallState::Connected { .. } => {
                self.take_place(news.call).await;
                self.talks = true;
                self.accept(call).await;
            }
            PanelCallState::Ended { .. } if self.pressing.is_some() => self.ends = true,
            PanelCallState::Ended { reason } => {
                match self.accepted {
                    true => call.leg.hang_up(),
                    false => call.refuse(ended(reason)),
                }
                return Goes::Over;
            }
        }
        Goes::On
    }

    /// Answers it, once.
    async fn accept(&mut self, call: &Incoming) {
        if std::mem::replace(&mut self.accepted, true) {
            return;
        }
        let limits = self.node.config.calls.limits();
        // it may ring on after it was answered for keys; the call's own limits end it before
        let rings = if self.talks { Duration::ZERO } else { limits.ring + OPENING_LIFE };
        let talk = rings + limits.talk + OPENING_LIFE;
        let reoffer = Arc::clone(&self.reoffer);
        call.accept(Accept { sdp: self.answer.clone(), talk, reoffer });
        self.line.answered().await;
    }

    // === keys ===

    async fn press(&mut self, Press { digits, done }: Press, call: &Incoming) -> Goes {
        // who asked has given up, and may have been told so: nothing opens after that
        if done.is_closed() || self.ends {
            return Goes::On;
        }
        let now = Instant::now();
        let until = now + PRESSING;
        self.pressing = Some(Pressing { done, left: digits.into(), on_line: false, due: until, until });
        self.accept(call).await;
        if self.stands {
            self.begin_pressing().await;
        }
        Goes::On
    }

    /// The call stands: the keys may go.
    async fn begin_pressing(&mut self) {
        let Some(pressing) = self.pressing.as_mut().filter(|pressing| !pressing.on_line) else { return };
        if self.events {
            pressing.on_line = true;
            for digit in std::mem::take(&mut pressing.left) {
                self.line.press(digit).await;
            }
        } else {
            pressing.due = Instant::now();
        }
    }

    async fn press_on(&mut self, call: &Incoming) -> Goes {
        let now = Instant::now();
        let Some(pressing) = self.pressing.as_mut() else { return Goes::On };
        if now >= pressing.until {
            // dropped, whoever waits hears that it is not known
            self.pressing = None;
            return self.pressed(call);
        }
        match pressing.left.pop_front() {
            Some(digit) => {
                call.leg.info("application/dtmf-relay", info::relay(digit).into_bytes());
                pressing.due = now + INFO_EVERY;
                Goes::On
            }
            None => self.keyed(call),
        }
    }

    /// The last key is on the wire.
    fn keyed(&mut self, call: &Incoming) -> Goes {
        if let Some(Pressing { done, .. }) = self.pressing.take() {
            // who waited may have given up
            let _ = done.send(());
        }
        self.pressed(call)
    }

    fn pressed(&self, call: &Incoming) -> Goes {
        if self.ends {
            call.leg.hang_up();
            return Goes::Over;
        }
        Goes::On
    }

    /// Takes the panel's place in the room, at the first news of the call: whether these are.
    async fn take_place(&mut self, call: CallId) -> bool {
        if self.call.is_some() {
            return false;
        }
        let seat = self.node.media.seat_panel(RoomId(call.0)).await;
        // a room that is gone ends its call, which is told
        self.call = Some((call, seat.ok()));
        true
    }

    async fn sound(&mut self, told: Option<News>, call: &Incoming) -> Goes {
        match told {
            Some(News::ForPanel(packet)) => {
                let sound = self.to_room.sound(packet);
                if let Some((_, Some(seat))) = &self.call {
                    seat.speaks(sound).await;
                }
            }
            Some(News::OneWay) => tracing::warn!("nothing is heard from a door station"),
            Some(News::Keyed) => return self.keyed(call),
            Some(News::Pressed(..) | News::Said | News::BothWays | News::Over) => {}
            // its sound can not go on
            None => return self.leave().await,
        }
        Goes::On
    }

    async fn seen(&mut self, seen: Option<Seen>, call: &Incoming) -> Goes {
        match seen {
            Some(Seen::Packet(shown)) => {
                if let Some((_, Some(seat))) = &self.call {
                    let klinke_sip::video::camera::Shown { seq, timestamp, marker, starts, payload } = shown;
                    seat.shows(Picture { seq, timestamp, marker, starts, payload: payload.into() }).await;
                }
            }
            Some(Seen::AskByInfo) => call.leg.info(CONTROL.0, CONTROL.1.into()),
            // sound goes on
            None => self.camera = None,
        }
        Goes::On
    }

    fn room(&mut self, wish: Option<ForStation>) -> Goes {
        match wish {
            Some(ForStation::Sound(sound)) => self.line.from_panel(datagram(&sound)),
            Some(ForStation::KeyFrame) => {
                if let Some(camera) = &self.camera {
                    camera.want();
                }
            }
            // the room is closed: the call's end is told
            None => {
                if let Some((_, seat)) = &mut self.call {
                    *seat = None;
                }
            }
        }
        Goes::On
    }

    async fn change(&mut self, agreed: Agreed) -> Goes {
        self.rate = agreed.codec.sample_rate();
        self.events = agreed.events.is_some();
        self.line.change(agreed).await;
        Goes::On
    }

    async fn say(&self, said: Said<'static>) {
        // a line's codecs work at these two
        let rate = Rate::of(self.rate).unwrap_or(Rate::Narrow);
        self.line.prompt(self.node.phones.voice.say(self.language, said, rate).to_vec()).await;
    }
}

async fn due(pressing: Option<&Pressing>) {
    match pressing {
        Some(pressing) => tokio::time::sleep_until(pressing.due.min(pressing.until)).await,
        None => std::future::pending().await,
    }
}

async fn see(camera: &mut Option<Camera>) -> Option<Seen> {
    match camera {
        Some(camera) => camera.next().await,
        None => std::future::pending().await,
    }
}

async fn wish(call: &mut Option<(CallId, Option<PanelSeat>)>) -> Option<ForStation> {
    match call {
        Some((_, Some(seat))) => seat.next().await,
        _ => std::future::pending().await,
    }
}

/// The language that is spoken where the panel hangs: that of the country whose clocks the building goes by.
async fn language_at(node: &Node, scope: &Scope, panel: PanelId) -> Language {
    let scope = Scope::system(scope.tenant);
    let building = match node.store.intercom().panel(&scope, panel).await {
        Ok(Some(panel)) => node.store.sites().building(&scope, panel.building).await.ok().flatten(),
        Ok(None) | Err(_) => None,
    };
    Language::of_time_zone(building.as_ref().map_or("", |building| &building.time_zone))
}

fn refusal(cause: &RingError) -> Refusal {
    match cause {
        RingError::NotFound => Refusal::NotFound,
        RingError::Busy => Refusal::Busy,
        RingError::Overloaded => Refusal::Unavailable,
        RingError::Storage(cause) => {
            tracing::error!(error = %cause, "could not ring");
            Refusal::Unavailable
        }
    }
}

/// What the station is told of a call that nobody answered.
const fn ended(reason: EndReason) -> Refusal {
    match reason {
        EndReason::Declined => Refusal::Declined,
        _ => Refusal::Unavailable,
    }
}
