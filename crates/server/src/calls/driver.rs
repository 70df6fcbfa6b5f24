//! One call, run: a task that loops *one input, then drain the outputs*.
//!
//! The machine in `klinke-calls` decides; this turns its outputs into events, media and openings, and answers
//! who asks where the call stands. When the task ends, for whatever reason, the panel's line is free again and
//! the media room is closed.

use super::join::Joins;
use super::phone::{Errand, Phone, Voice};
use crate::app::open_door::{self, Ask, By};
use crate::node::Node;
use crate::phones::known::Callee;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use klinke_access::decide::Cause;
use klinke_calls::call::{Call, Cancel, Input, LegView, OPENING_LIFE, Output, PanelView, Poll};
use klinke_calls::plan::{Leg, RingPlan};
use klinke_media::{MediaError, PeerId, Quality, RoomId};
use klinke_model::contact::Language;
use klinke_model::ids::{CallId, DeviceId, DoorId, PanelId, PersonId, RequestId};
use klinke_model::intercom::EndReason;
use klinke_model::scope::{Principal, Scope};
use klinke_model::text::Label;
use klinke_model::time::Mono;
use klinke_storage::record::RingFacts;
use klinke_voice::Said;
use klinke_wire::app::{AppCall, AppCallState, AppEvent};
use klinke_wire::common::{
    DoorRef, ErrorCode, ErrorNews, MediaQuality, OpeningNews, OpeningState, RefusalCode, Sdp,
};
use klinke_wire::panel::{PanelCall, PanelCallState, PanelEvent};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// To a call.
#[derive(Debug)]
pub enum Message {
    /// Something happened to it.
    Input(Input),
    /// The panel's media.
    PanelOffer(Sdp),
    /// A device's media.
    LegOffer {
        /// Whose.
        device: DeviceId,
        /// Its join token.
        join: String,
        /// The offer.
        sdp: Sdp,
    },
    /// A device wants the picture or not.
    Video {
        /// Whose.
        device: DeviceId,
        /// On or off.
        on: bool,
    },
    /// What a device's media can carry changed.
    Quality(DeviceId, Quality),
    /// Whether a device can show what the panel sends.
    Shows(DeviceId, bool),
    /// A device's media was lost though its connection may live: it may join anew.
    MediaLost(DeviceId),
    /// The media room failed.
    RoomFailed,
    /// Where does the call stand, for its panel?
    PanelView(oneshot::Sender<Option<PanelCall>>),
    /// Where does the call stand, for a device?
    DeviceView(DeviceId, oneshot::Sender<Option<AppCall>>),
}

/// What a call starts from.
#[derive(Debug)]
pub struct Start {
    /// Its id.
    pub call: CallId,
    /// The tap.
    pub request: RequestId,
    /// The panel's scope.
    pub scope: Scope,
    /// The text that was tapped.
    pub label: Label,
    /// What was read for it.
    pub facts: RingFacts,
    /// It rings without a sound: the building's quiet hours.
    pub silent: bool,
    /// How many hops each of its own calls may go.
    pub hops: u8,
    /// Who is rung.
    pub plan: RingPlan,
    /// Whom the button (or the choice behind it) reaches, connected or not.
    pub people: Vec<PersonId>,
    /// Where the plan's ordinary phones are rung.
    pub callees: HashMap<PersonId, Callee>,
}

/// The server takes no more calls.
#[derive(Debug, PartialEq, Eq)]
pub struct TooMany;

/// Runs one call.
pub struct Driver {
    node: Arc<Node>,
    start: Start,
    machine: Call,
    joins: Joins,
    /// Ordinary phones and devices that register, which are rung or held.
    phones: HashMap<Leg, Phone>,
    /// What happened while outputs were carried out.
    happened: VecDeque<Input>,
    own: mpsc::WeakSender<Message>,
    /// The tap that the first news answers.
    answers: Option<RequestId>,
}

fn ms(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}

pub(super) const fn peer(leg: Leg) -> PeerId {
    match leg {
        Leg::Device(device) => PeerId(device.0),
        Leg::Phone(person) => PeerId(person.0),
    }
}

impl Driver {
    /// Starts a call.
    ///
    /// # Errors
    /// When there are too many.
    pub fn start(node: &Arc<Node>, start: Start) -> Result<(), TooMany> {
        let entered =
            node.exchange.enter(start.call, start.plan.legs().map(|(leg, _)| leg), start.people.clone());
        let (own, messages) = entered.ok_or(TooMany)?;
        let own = own.downgrade();
        let machine = Call::new(start.plan.clone(), node.config.calls.limits(), node.clock.mono());
        let answers = Some(start.request);
        let driver = Self {
            node: Arc::clone(node),
            start,
            machine,
            joins: Joins::default(),
            phones: HashMap::new(),
            happened: VecDeque::new(),
            own,
            answers,
        };
        node.tasks.spawn(driver.run(messages));
        Ok(())
    }

    const fn room(&self) -> RoomId {
        RoomId(self.start.call.0)
    }

    const fn panel(&self) -> PanelId {
        self.start.facts.panel.id
    }

    fn now(&self) -> Mono {
        self.node.clock.mono()
    }

    async fn run(mut self, mut messages: mpsc::Receiver<Message>) {
        // frees the line and the room even when this task is cancelled or panics
        let mut leaving = Leaving {
            node: Arc::clone(&self.node),
            call: self.start.call,
            panel: self.panel(),
            untold: Some(self.panel_call(PanelCallState::Ended { reason: EndReason::Interrupted })),
        };
        self.node.media.open_room(self.room()).await;
        loop {
            let deadline = match self.machine.poll() {
                Poll::Output(output) => {
                    self.carry_out(output).await;
                    continue;
                }
                Poll::Wait(Some(deadline)) => deadline,
                Poll::Wait(None) => {
                    leaving.untold = None;
                    break;
                }
            };
            if let Some(input) = self.happened.pop_front() {
                self.machine.handle(input, self.now());
                continue;
            }
            let wait = deadline.since(self.now());
            match tokio::time::timeout(wait, messages.recv()).await {
                Ok(Some(message)) => self.hear(message).await,
                Ok(None) => break,
                Err(_) => self.machine.handle(Input::Tick, self.now()),
            }
        }
    }

    async fn hear(&mut self, message: Message) {
        match message {
            Message::Input(input) => self.machine.handle(input, self.now()),
            Message::PanelOffer(sdp) => self.panel_offers(sdp).await,
            Message::LegOffer { device, join, sdp } => self.leg_offers(device, &join, sdp).await,
            Message::Video { device, on } => {
                self.node.media.set_video(self.room(), PeerId(device.0), on).await;
            }
            Message::Quality(device, quality) => {
                let quality = match quality {
                    Quality::Good => MediaQuality::Good,
                    Quality::Reduced => MediaQuality::Reduced,
                    Quality::AudioOnly => MediaQuality::AudioOnly,
                };
                self.to_device(device, AppEvent::Media { call: self.start.call, quality });
            }
            Message::Shows(device, can) => {
                let quality = if can { MediaQuality::Good } else { MediaQuality::UnknownCodec };
                self.to_device(device, AppEvent::Media { call: self.start.call, quality });
            }
            Message::MediaLost(device) => {
                // a new token, so that the device can join anew
                if let Some(call) = self.device_view(device) {
                    self.to_device(device, AppEvent::Ring { call });
                }
            }
            Message::RoomFailed => self.machine.handle(Input::Shutdown, self.now()),
            Message::PanelView(reply) => {
                let state = self.machine.panel_view(self.now()).map(panel_state);
                // who asked may have gone
                drop(reply.send(state.map(|state| self.panel_call(state))));
            }
            Message::DeviceView(device, reply) => {
                drop(reply.send(self.device_view(device)));
            }
        }
    }

    async fn carry_out(&mut self, output: Output) {
        self.node.exchange.follow(self.start.call, &output);
        let (call, room) = (self.start.call, self.room());
        match output {
            Output::Offer(Leg::Device(device)) if self.is_station(device) => self.ring_station(device),
            Output::Offer(Leg::Device(device)) => {
                if let Some(call) = self.device_view(device) {
                    self.to_device(device, AppEvent::Ring { call });
                }
            }
            Output::Offer(Leg::Phone(person)) => self.ring_phone(person),
            Output::Cancel(leg, why) => {
                self.node.media.leave(room, peer(leg)).await;
                if let Some(phone) = self.phones.remove(&leg) {
                    return phone.end(why);
                }
                let Leg::Device(device) = leg else { return };
                let state = match why {
                    Cancel::Elsewhere { by, opened } => {
                        AppCallState::Elsewhere { by: self.name_of(by), opened }
                    }
                    Cancel::Stopped => AppCallState::Stopped,
                    Cancel::Ended(reason) => AppCallState::Ended { reason },
                };
                self.to_device(device, AppEvent::Call { call, state });
            }
            Output::Bridge(leg) => {
                if leg.is_phone() || self.phones.contains_key(&leg) {
                    self.seat(leg).await;
                }
                self.node.media.bridge(room, peer(leg)).await;
            }
            Output::Unbridge(leg) => self.node.media.unbridge(room, peer(leg)).await,
            Output::TellPanel(view) => self.tell_panel(view),
            Output::TellLeg(leg, left) => match (self.phones.get(&leg), leg) {
                (Some(phone), _) => phone.left(left),
                (None, Leg::Device(device)) => {
                    let state = AppCallState::Connected { left_ms: ms(left) };
                    self.to_device(device, AppEvent::Call { call, state });
                }
                (None, Leg::Phone(_)) => {}
            },
            Output::OpenDoor { leg, person, request, door } => self.open(leg, person, request, door),
            Output::RefuseOpen { leg, request, door } => match (self.voice(leg), leg) {
                (Some(voice), _) => voice.say(Said::NotOpened),
                (None, Leg::Device(device)) => {
                    let state = OpeningState::Refused { reason: RefusalCode::NoCall };
                    let news = OpeningNews { request: Some(request), opening: None, door, state };
                    self.to_device(device, AppEvent::Opening { call: Some(call), news });
                }
                (None, Leg::Phone(_)) => {}
            },
            Output::Ended(reason) => self.tell_panel_state(PanelCallState::Ended { reason }),
        }
    }

    // === ordinary phones, and devices that register ===

    fn ring_phone(&mut self, person: PersonId) {
        let leg = Leg::Phone(person);
        let Some(Callee { number, language }) = self.start.callees.get(&person).cloned() else {
            return self.happened.push_back(Input::LegGone(leg));
        };
        let phone = Phone::ring(&self.node, self.errand(leg, language), number);
        self.phones.insert(leg, phone);
    }

    fn is_station(&self, device: DeviceId) -> bool {
        self.start.facts.stations.iter().any(|station| station.device == device)
    }

    fn ring_station(&mut self, device: DeviceId) {
        let leg = Leg::Device(device);
        let facts = &self.start.facts;
        let station = facts.stations.iter().find(|station| station.device == device);
        // it can not be rung without a sound
        let Some(station) = station.filter(|_| !self.start.silent) else {
            return self.happened.push_back(Input::LegGone(leg));
        };
        let shown = format!("{}, {}", facts.panel.name.as_str(), facts.building.name.as_str());
        let errand = self.errand(leg, station.language);
        let phone = Phone::ring_station(&self.node, errand, device, shown);
        self.phones.insert(leg, phone);
    }

    fn errand(&self, leg: Leg, language: Language) -> Errand {
        let (facts, limits) = (&self.start.facts, self.node.config.calls.limits());
        Errand {
            call: self.start.call,
            tenant: self.start.scope.tenant,
            building: facts.building.id,
            place: facts.building.name.clone(),
            leg,
            language,
            door: facts.doors.first().map(|door| door.id),
            ring: limits.ring + OPENING_LIFE,
            hold: limits.talk,
            hops: self.start.hops,
            own: self.own.clone(),
        }
    }

    /// Gives what rings by SIP its place in the room.
    async fn seat(&mut self, leg: Leg) {
        match (self.node.media.seat(self.room(), peer(leg)).await, self.phones.get(&leg)) {
            (Ok(hears), Some(phone)) => phone.talk(hears),
            _ => self.happened.push_back(Input::LegGone(leg)),
        }
    }

    fn voice(&self, leg: Leg) -> Option<Voice> {
        self.phones.get(&leg).map(Phone::voice)
    }

    // === media ===

    async fn panel_offers(&self, sdp: Sdp) {
        let (call, panel) = (self.start.call, self.panel());
        match self.node.media.publish(self.room(), sdp.0).await {
            Ok(answer) => {
                self.node.exchange.to_panel(panel, PanelEvent::Answer { call, sdp: Sdp(answer) });
                self.bridge_again().await;
            }
            Err(error) => {
                self.node.exchange.to_panel(panel, bad_media(&error).into());
            }
        }
    }

    async fn leg_offers(&mut self, device: DeviceId, join: &str, sdp: Sdp) {
        let call = self.start.call;
        let in_call = self.machine.leg_view(Leg::Device(device), self.now()).is_some();
        if !in_call || !self.joins.take(device, join, self.now()) {
            let news = ErrorNews::new(None, ErrorCode::NotFound);
            return self.to_device(device, news.into());
        }
        match self.node.media.subscribe(self.room(), PeerId(device.0), sdp.0).await {
            Ok(answer) => {
                self.to_device(device, AppEvent::Answer { call, sdp: Sdp(answer) });
                self.bridge_again().await;
            }
            Err(error) => self.to_device(device, bad_media(&error).into()),
        }
    }

    /// `Bridge` is a standing order: media that came up later or anew is bridged too.
    async fn bridge_again(&self) {
        if let Some(leg) = self.machine.bridged() {
            self.node.media.bridge(self.room(), peer(leg)).await;
        }
    }

    // === openings ===

    fn open(&self, leg: Leg, person: PersonId, request: RequestId, door: DoorId) {
        let offered = self.start.facts.doors.iter().find(|known| known.id == door);
        let (scope, by) = match leg {
            // the leg was proven when its device connected: the right asked for is its person's own
            Leg::Device(device) => {
                let scope = Scope { principal: Principal::Person { person, device }, ..self.start.scope };
                (scope, By::Person { person, device })
            }
            // the number is known to be the person's, and somebody pressed a key there
            Leg::Phone(_) => (Scope::system(self.start.scope.tenant), By::Phone(person)),
        };
        let ask = Ask { scope, by, request, door, cause: Cause::Call, call_offers_door: offered.is_some() };
        let mut news = open_door::open_door(&self.node, ask);
        let node = Arc::clone(&self.node);
        let (call, panel) = (self.start.call, self.panel());
        let door_name = offered.map(|door| door.name.clone());
        let own = self.own.clone();
        let voice = self.voice(leg);
        self.node.tasks.spawn(async move {
            let last = loop {
                let now = *news.borrow_and_update();
                if let Leg::Device(device) = leg {
                    node.exchange.to_device(device, AppEvent::Opening { call: Some(call), news: now });
                }
                if let Some(door_name) = door_name.clone() {
                    // the request's id is the device's own affair
                    let news = OpeningNews { request: None, ..now };
                    node.exchange.to_panel(panel, PanelEvent::Opening { call, door_name, news });
                }
                if news.changed().await.is_err() {
                    break now.state;
                }
            };
            let opened_for = match last {
                OpeningState::Open { for_ms } => Some(Duration::from_millis(for_ms.into())),
                // as far as anybody can know, and a phone opens once
                OpeningState::Sent if leg.is_phone() => Some(Duration::ZERO),
                OpeningState::Refused { .. } | OpeningState::Sending | OpeningState::Sent => None,
            };
            if let Some(voice) = voice {
                voice.say(match last {
                    OpeningState::Open { .. } => Said::Opened,
                    OpeningState::Sent => Said::Sent,
                    OpeningState::Refused { .. } | OpeningState::Sending => Said::NotOpened,
                });
            }
            if let Some(own) = own.upgrade() {
                // the call may have ended meanwhile
                drop(own.send(Message::Input(Input::DoorOutcome { request, leg, opened_for })).await);
            }
        });
    }

    // === news ===

    fn to_device(&self, device: DeviceId, event: AppEvent) {
        self.node.exchange.to_device(device, event);
    }

    fn tell_panel(&mut self, view: PanelView) {
        self.tell_panel_state(panel_state(view));
    }

    fn tell_panel_state(&mut self, state: PanelCallState) {
        let request = self.answers.take();
        let call = self.panel_call(state);
        self.node.exchange.to_panel(self.panel(), PanelEvent::Call { call, request });
    }

    fn panel_call(&self, state: PanelCallState) -> PanelCall {
        PanelCall { call: self.start.call, label: self.start.label.clone(), state }
    }

    fn device_view(&mut self, device: DeviceId) -> Option<AppCall> {
        let now = self.now();
        let state = match self.machine.leg_view(Leg::Device(device), now)? {
            LegView::Ringing { left } => AppCallState::Ringing { left_ms: ms(left) },
            LegView::Connected { left } => AppCallState::Connected { left_ms: ms(left) },
        };
        let random = &self.node.random;
        let join = self.joins.token(device, || BASE64_URL_SAFE_NO_PAD.encode(random.bytes::<32>()), now);
        let facts = &self.start.facts;
        let doors =
            facts.doors.iter().map(|door| DoorRef { door: door.id, name: door.name.clone() }).collect();
        Some(AppCall {
            call: self.start.call,
            building: facts.building.name.clone(),
            panel: facts.panel.name.clone(),
            label: facts.bell.label.reveal().clone(),
            silent: self.start.silent,
            doors,
            join,
            state,
        })
    }

    /// What the household calls a member.
    fn name_of(&self, person: PersonId) -> Label {
        let members = &self.start.facts.bell.members;
        let member = members.iter().find(|member| member.person == person);
        member.map_or_else(|| self.start.label.clone(), |member| member.label.reveal().clone())
    }
}

fn panel_state(view: PanelView) -> PanelCallState {
    match view {
        PanelView::Calling { step, steps, reached, phone, left } => {
            PanelCallState::Calling { step, steps, reached, phone, left_ms: ms(left) }
        }
        PanelView::Connected { left } => PanelCallState::Connected { left_ms: ms(left) },
    }
}

fn bad_media(error: &MediaError) -> ErrorNews {
    let code = match error {
        MediaError::Offer(_) => ErrorCode::BadOffer,
        MediaError::Full => ErrorCode::Overloaded,
        MediaError::NoSuchRoom => ErrorCode::NotFound,
        MediaError::Listen(..) | MediaError::Config(_) | MediaError::Stopped => ErrorCode::Internal,
    };
    ErrorNews::new(None, code)
}

/// Cleans up behind a call, also behind one whose task failed: then the panel and the devices are told.
struct Leaving {
    node: Arc<Node>,
    call: CallId,
    panel: PanelId,
    /// What the panel has to be told if the call does not come to its own end.
    untold: Option<PanelCall>,
}

impl Drop for Leaving {
    fn drop(&mut self) {
        self.node.exchange.leave(self.call);
        if let Some(call) = self.untold.take() {
            self.node.exchange.to_panel(self.panel, PanelEvent::Call { call, request: None });
        }
        let (media, room) = (self.node.media.clone(), RoomId(self.call.0));
        self.node.tasks.spawn(async move { media.close_room(room).await });
    }
}
