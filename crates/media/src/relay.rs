//! One call's media, sans-IO: connects the decisions of [`Room`] with the connections.
//!
//! The panel is a browser, or a door station that has a seat ([`Station`]).
//!
//! ```text
//!                       ┌────────── Relay ───────────┐
//!   panel's Leg ──▶ Packet ──▶ Room: who? ──▶ peers' Legs ──▶ datagrams
//!        ▲              │ Estimate ▶ Capacity         │
//!        └── key frame, rate limit ◀──────────────────┘
//! ```
//!
//! A method changes one connection, drains it, and works off what follows for the others before it returns.
//! What is to be sent or told is in [`Outputs`]; whoever drives the relay empties them after every call.

use crate::forward::Source;
use crate::keyframes::Keyframes;
use crate::leg::{Leg, LegEvent, Passed};
use crate::quality::{self, Capacity};
use crate::room::Room;
use crate::seat::{Seat, Sound};
use crate::station::{Picture, Station};
use crate::viewer::Viewer;
use crate::{MediaEvent, PeerId, Quality, RoomId};
use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};
use str0m::Input;
use str0m::format::Codec;
use str0m::net::{Receive, Transmit};
use str0m::rtp::RtpPacket;

/// How often capacities are looked at and the panel is told its limit (a lost message is made good by the next).
const ADAPT_EVERY: Duration = Duration::from_secs(1);

/// Whose connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// The panel that publishes.
    Panel,
    /// An app that subscribes.
    Peer(PeerId),
}

impl Who {
    fn peer(self) -> Option<PeerId> {
        match self {
            Self::Panel => None,
            Self::Peer(peer) => Some(peer),
        }
    }
}

/// What a relay wants done.
#[derive(Default)]
pub struct Outputs {
    /// To be sent.
    pub datagrams: Vec<Transmit>,
    /// To be told.
    pub events: Vec<MediaEvent>,
    /// Connections that ended; their addresses lead nowhere now.
    pub ended: Vec<u64>,
}

/// An app's connection and what its network carries.
struct Peer {
    leg: Leg,
    capacity: Capacity,
    /// It has a frame of the door station that what comes next can follow.
    follows: bool,
    /// It knows none of the codecs that the panel agreed to.
    is_blind: bool,
}

/// The call's media.
pub struct Relay {
    id: RoomId,
    room: Room,
    panel: Option<Leg>,
    /// The panel that is no browser.
    station: Option<Station>,
    peers: BTreeMap<PeerId, Peer>,
    /// Peers that are no browsers.
    seats: BTreeMap<PeerId, Seat>,
    /// Those of them that look.
    viewers: BTreeMap<PeerId, Viewer>,
    keyframes: Keyframes,
    adapt_at: Instant,
    work: VecDeque<(Who, LegEvent)>,
}

impl Relay {
    /// An empty room.
    pub fn new(id: RoomId, now: Instant) -> Self {
        Self {
            id,
            room: Room::default(),
            panel: None,
            station: None,
            peers: BTreeMap::new(),
            seats: BTreeMap::new(),
            viewers: BTreeMap::new(),
            keyframes: Keyframes::new(now),
            adapt_at: now + ADAPT_EVERY,
            work: VecDeque::new(),
        }
    }

    /// Apps, connected or expected.
    pub fn peers(&self) -> usize {
        self.peers.len()
    }

    /// Whether an app has a connection here.
    pub fn has_peer(&self, peer: PeerId) -> bool {
        self.peers.contains_key(&peer)
    }

    /// Gives the panel or an app its connection, instead of the one it had.
    pub fn join(&mut self, who: Who, leg: Leg, now: Instant, out: &mut Outputs) {
        self.end(who, out);
        match who {
            Who::Panel => {
                self.station = None;
                self.panel = Some(leg);
                self.compare_codecs(out);
            }
            Who::Peer(peer) => {
                self.peers.insert(
                    peer,
                    Peer { leg, capacity: Capacity::default(), follows: false, is_blind: false },
                );
                self.seek_bandwidth(peer);
            }
        }
        self.settle(who, now, out);
    }

    /// Gives a peer that is no browser its place, instead of the one it had.
    pub fn seat(&mut self, peer: PeerId, seat: Seat) {
        self.seats.retain(|_, seat| !seat.is_left());
        self.seats.insert(peer, seat);
    }

    /// How many such places there are.
    pub fn seats(&self) -> usize {
        self.seats.len()
    }

    /// Sends the sound of a peer that is no browser to the panel, while it is bridged.
    pub fn speak(&mut self, peer: PeerId, sound: &Sound, now: Instant, out: &mut Outputs) {
        let Some(seat) = self.seats.get(&peer) else { return };
        let source = seat.source();
        self.speak_to_panel(peer, Codec::Opus, source, Passed::sound(sound), now, out);
        self.work_off(now, out);
    }

    /// Gives a peer that is no browser its view, instead of the one it had.
    pub fn look(&mut self, peer: PeerId, mut viewer: Viewer, now: Instant, out: &mut Outputs) {
        if let Some(station) = &self.station
            && let Some((pieces, continues)) = station.still()
        {
            let source = if continues { station.source() } else { station.still_source() };
            pieces.iter().for_each(|piece| viewer.see(source, Passed::picture(piece)));
            viewer.follows = continues;
        }
        self.viewers.insert(peer, viewer);
        self.keyframes.want(now);
        self.work_off(now, out);
    }

    /// How many such views there are.
    pub fn viewers(&self) -> usize {
        self.viewers.values().filter(|viewer| !viewer.is_left()).count()
    }

    /// This viewer can not decode before a key frame.
    pub fn viewer_wants(&mut self, peer: PeerId, now: Instant, out: &mut Outputs) {
        if self.viewers.contains_key(&peer) {
            self.keyframes.want(now);
            self.work_off(now, out);
        }
    }

    /// Gives a door station the panel's place, instead of whoever had it.
    pub fn seat_panel(&mut self, station: Station, now: Instant, out: &mut Outputs) {
        self.end(Who::Panel, out);
        self.peers.values_mut().for_each(|peer| peer.follows = false);
        self.viewers.values_mut().for_each(|viewer| viewer.follows = false);
        self.station = Some(station);
        self.compare_codecs(out);
        self.keyframes.want(now);
        self.work_off(now, out);
    }

    /// Sends the sound of the door station with this number to who is bridged.
    pub fn station_speaks(&mut self, id: u64, sound: &Sound, now: Instant, out: &mut Outputs) {
        let Some(station) = self.station.as_ref().filter(|station| station.is(id)) else { return };
        let source = station.source();
        self.relay_sound(source, Passed::sound(sound), now, out);
        self.work_off(now, out);
    }

    /// Sends the picture of the door station with this number to all who look on and have what it needs.
    pub fn station_shows(&mut self, id: u64, picture: &Picture, now: Instant, out: &mut Outputs) {
        let Some(station) = self.station.as_mut().filter(|station| station.is(id)) else { return };
        station.keep(picture);
        let source = station.source();
        for (id, peer) in &mut self.peers {
            let takes = peer.leg.is_connected()
                && self.room.sees(*id)
                && peer.capacity.quality() != Quality::AudioOnly;
            peer.follows = takes && (peer.follows || picture.starts);
            if peer.follows {
                peer.leg.forward(Codec::H264, source, Passed::picture(picture), now);
                peer.leg.drain(Who::Peer(*id), now, &mut out.datagrams, &mut self.work);
            } else if takes {
                self.keyframes.want(now);
            }
        }
        self.viewers.retain(|_, viewer| !viewer.is_left());
        for viewer in self.viewers.values_mut() {
            viewer.follows |= picture.starts;
            match viewer.follows {
                true => viewer.see(source, Passed::picture(picture)),
                false => self.keyframes.want(now),
            }
        }
        self.work_off(now, out);
    }

    /// Tells of every connected app whether it can show what this panel sends.
    fn compare_codecs(&mut self, out: &mut Outputs) {
        let sent: Vec<Codec> = match (&self.station, &self.panel) {
            (Some(_), _) => vec![Codec::H264],
            (None, Some(panel)) => panel.pictures().collect(),
            (None, None) => return,
        };
        for (id, peer) in self.peers.iter_mut().filter(|(_, peer)| peer.leg.is_connected()) {
            let knows = peer.leg.pictures().any(|codec| sent.contains(&codec));
            let is_blind = peer.leg.has_video() && !sent.is_empty() && !knows;
            if std::mem::replace(&mut peer.is_blind, is_blind) != is_blind {
                out.events.push(MediaEvent::Shows { room: self.id, peer: *id, can: !is_blind });
            }
        }
    }

    /// Shows a peer that just began to look the last key frame of the door station.
    fn show_still(&mut self, id: PeerId, now: Instant, out: &mut Outputs) {
        let (Some(station), Some(peer)) = (&self.station, self.peers.get_mut(&id)) else { return };
        let looks = peer.leg.is_connected() && self.room.sees(id);
        let Some((pieces, continues)) = station.still().filter(|_| looks && !peer.follows) else { return };
        let source = if continues { station.source() } else { station.still_source() };
        for piece in pieces {
            peer.leg.forward(Codec::H264, source, Passed::picture(piece), now);
            peer.leg.drain(Who::Peer(id), now, &mut out.datagrams, &mut self.work);
        }
        peer.follows = continues;
    }

    /// Connects the sound of the panel and this peer.
    pub fn bridge(&mut self, peer: PeerId) {
        self.room.bridge(peer);
    }

    /// Ends this peer's sound.
    pub fn unbridge(&mut self, peer: PeerId) {
        self.room.unbridge(peer);
    }

    /// Switches the picture for this peer.
    pub fn set_video(&mut self, peer: PeerId, wanted: bool, now: Instant, out: &mut Outputs) {
        if !self.has_peer(peer) || self.room.sees(peer) == wanted {
            return;
        }
        self.room.set_video(peer, wanted);
        if let Some(seat) = self.peers.get_mut(&peer) {
            seat.leg.pause_video();
            seat.follows = false;
        }
        self.seek_bandwidth(peer);
        if wanted {
            self.show_still(peer, now, out);
            self.keyframes.want(now);
        }
        self.settle(Who::Peer(peer), now, out);
    }

    /// Ends the app's connection and forgets it.
    pub fn leave(&mut self, peer: PeerId, out: &mut Outputs) {
        self.room.leave(peer);
        self.seats.remove(&peer);
        self.viewers.remove(&peer);
        self.end(Who::Peer(peer), out);
    }

    /// Ends all connections.
    pub fn close(mut self, out: &mut Outputs) {
        self.end(Who::Panel, out);
        while let Some((peer, _)) = self.peers.first_key_value() {
            self.end(Who::Peer(*peer), out);
        }
    }

    /// Whether a connectivity check knows the password of this connection.
    pub fn proves_itself(&mut self, who: Who, input: &Input) -> bool {
        self.leg(who).is_some_and(|leg| leg.proves_itself(input))
    }

    /// Takes a datagram from an address of this connection, which came in at `at`.
    pub fn receive(&mut self, who: Who, at: Instant, datagram: Receive, now: Instant, out: &mut Outputs) {
        if let Some(leg) = self.leg(who) {
            leg.receive(at, datagram);
            self.settle(who, now, out);
        }
    }

    /// When [`Relay::timeout`] is due.
    pub fn wake_at(&self) -> Instant {
        let legs = self.panel.iter().chain(self.peers.values().map(|peer| &peer.leg));
        legs.map(Leg::wake_at).chain(self.keyframe_due()).fold(self.adapt_at, Instant::min)
    }

    /// Does what is due.
    pub fn timeout(&mut self, now: Instant, out: &mut Outputs) {
        if now >= self.adapt_at {
            self.adapt_at = now + ADAPT_EVERY;
            self.adapt(now, out);
        }
        let all = std::iter::once(Who::Panel).chain(self.peers.keys().map(|peer| Who::Peer(*peer)));
        for who in all.collect::<Vec<_>>() {
            if let Some(leg) = self.leg(who).filter(|leg| leg.wake_at() <= now) {
                leg.timeout(now);
                self.drain(who, now, out);
            }
        }
        self.work_off(now, out);
    }

    fn leg(&mut self, who: Who) -> Option<&mut Leg> {
        match who {
            Who::Panel => self.panel.as_mut(),
            Who::Peer(peer) => self.peers.get_mut(&peer).map(|peer| &mut peer.leg),
        }
    }

    fn end(&mut self, who: Who, out: &mut Outputs) {
        let leg = match who {
            Who::Panel => self.panel.take(),
            Who::Peer(peer) => self.peers.remove(&peer).map(|peer| peer.leg),
        };
        if let Some(leg) = leg {
            out.ended.push(leg.id);
            leg.close(&mut out.datagrams);
        }
    }

    /// Works off what a change of this connection brought about, there and elsewhere.
    fn settle(&mut self, who: Who, now: Instant, out: &mut Outputs) {
        self.drain(who, now, out);
        self.work_off(now, out);
    }

    fn work_off(&mut self, now: Instant, out: &mut Outputs) {
        while let Some((who, event)) = self.work.pop_front() {
            self.handle(who, event, now, out);
        }
        self.ask_for_keyframe(now, out);
    }

    fn drain(&mut self, who: Who, now: Instant, out: &mut Outputs) {
        let leg = match who {
            Who::Panel => self.panel.as_mut(),
            Who::Peer(peer) => self.peers.get_mut(&peer).map(|peer| &mut peer.leg),
        };
        if let Some(leg) = leg {
            leg.drain(who, now, &mut out.datagrams, &mut self.work);
        }
    }

    fn handle(&mut self, who: Who, event: LegEvent, now: Instant, out: &mut Outputs) {
        match event {
            LegEvent::Connected => {
                // A decoder that starts needs a key frame; an encoder that starts begins with one by itself.
                if let Who::Peer(peer) = who {
                    self.show_still(peer, now, out);
                    self.keyframes.want(now);
                }
                out.events.push(MediaEvent::Connected { room: self.id, peer: who.peer() });
                self.compare_codecs(out);
            }
            LegEvent::Gone => {
                if self.leg(who).is_some() {
                    self.end(who, out);
                    out.events.push(MediaEvent::Lost { room: self.id, peer: who.peer() });
                }
            }
            LegEvent::KeyframeWanted => self.keyframes.want(now),
            LegEvent::Estimate(total) => {
                let Who::Peer(peer) = who else { return };
                if let Some(peer) = self.peers.get_mut(&peer) {
                    peer.capacity.estimate(total);
                    self.adapt(now, out);
                }
            }
            LegEvent::Packet(codec, packet) => match who {
                Who::Panel => self.relay_panel(codec, &packet, now, out),
                Who::Peer(peer) => self.relay_peer(peer, codec, &packet, now, out),
            },
        }
    }

    fn relay_panel(&mut self, codec: Codec, packet: &RtpPacket, now: Instant, out: &mut Outputs) {
        let Some(panel) = &self.panel else { return };
        let source = Source { leg: panel.id, ssrc: *packet.header.ssrc };
        let passed = Passed::of(packet);
        if codec.is_audio() {
            return self.relay_sound(source, passed, now, out);
        }
        for (id, peer) in &mut self.peers {
            if self.room.sees(*id) && peer.capacity.quality() != Quality::AudioOnly {
                peer.leg.forward(codec, source, passed, now);
                peer.leg.drain(Who::Peer(*id), now, &mut out.datagrams, &mut self.work);
            }
        }
        if codec == Codec::H264 {
            self.viewers.retain(|_, viewer| !viewer.is_left());
            self.viewers.values_mut().for_each(|viewer| viewer.see(source, passed));
        }
    }

    /// Sends the panel's sound to who is bridged.
    fn relay_sound(&mut self, source: Source, passed: Passed<'_>, now: Instant, out: &mut Outputs) {
        let Some(bridged) = self.room.bridged() else { return };
        if let Some(seat) = self.seats.get(&bridged) {
            seat.hear(passed.as_sound());
        }
        if let Some(peer) = self.peers.get_mut(&bridged) {
            peer.leg.forward(Codec::Opus, source, passed, now);
            peer.leg.drain(Who::Peer(bridged), now, &mut out.datagrams, &mut self.work);
        }
    }

    fn relay_peer(
        &mut self,
        peer: PeerId,
        codec: Codec,
        packet: &RtpPacket,
        now: Instant,
        out: &mut Outputs,
    ) {
        let Some(sender) = self.peers.get(&peer) else { return };
        let source = Source { leg: sender.leg.id, ssrc: *packet.header.ssrc };
        self.speak_to_panel(peer, codec, source, Passed::of(packet), now, out);
    }

    fn speak_to_panel(
        &mut self,
        peer: PeerId,
        codec: Codec,
        source: Source,
        passed: Passed<'_>,
        now: Instant,
        out: &mut Outputs,
    ) {
        if !codec.is_audio() || self.room.bridged() != Some(peer) {
            return;
        }
        if let Some(station) = &self.station {
            station.hear(passed.as_sound());
        }
        if let Some(panel) = &mut self.panel {
            panel.forward(codec, source, passed, now);
            panel.drain(Who::Panel, now, &mut out.datagrams, &mut self.work);
        }
    }

    /// When to ask the panel for a key frame. While nobody is there to see one, or nobody to make it, it stays wanted.
    fn keyframe_due(&self) -> Option<Instant> {
        if self.station.is_none() && !self.panel.as_ref().is_some_and(Leg::is_connected) {
            return None;
        }
        let apps = || self.peers.iter().filter(|(id, peer)| peer.leg.has_video() && self.room.sees(**id));
        let looks = self.viewers.values().any(|viewer| !viewer.is_left());
        if !looks && !apps().any(|(_, peer)| peer.leg.is_connected()) {
            return None;
        }
        self.keyframes.due(apps().any(|(_, peer)| !peer.leg.is_connected()))
    }

    fn ask_for_keyframe(&mut self, now: Instant, out: &mut Outputs) {
        if self.keyframe_due().is_none_or(|due| now < due) {
            return;
        }
        self.keyframes.asked(now);
        if let Some(station) = &self.station {
            station.ask();
        }
        if let Some(panel) = &mut self.panel {
            panel.request_keyframe();
            self.drain(Who::Panel, now, out);
        }
    }

    /// Fits the picture to what the peers' networks carry.
    fn adapt(&mut self, now: Instant, out: &mut Outputs) {
        let mut ceiling = quality::MOST;
        let mut changed = Vec::new();
        for (id, peer) in &mut self.peers {
            let looks = peer.leg.is_connected() && peer.leg.has_video() && !peer.is_blind;
            if !looks || !self.room.sees(*id) {
                continue;
            }
            let before = peer.capacity.quality();
            if let Some(quality) = peer.capacity.poll(now) {
                changed.push((*id, before, quality));
            }
            ceiling = peer.capacity.ceiling().map_or(ceiling, |most| ceiling.min(most));
        }
        for (peer, before, quality) in changed {
            if let Some(seat) = self.peers.get_mut(&peer).filter(|_| quality == Quality::AudioOnly) {
                seat.leg.pause_video();
                seat.follows = false;
            }
            if before == Quality::AudioOnly {
                self.show_still(peer, now, out);
                self.keyframes.want(now);
            }
            self.seek_bandwidth(peer);
            self.drain(Who::Peer(peer), now, out);
            out.events.push(MediaEvent::Quality { room: self.id, peer, quality });
        }
        if let Some(panel) = &mut self.panel {
            panel.limit_video(ceiling);
            self.drain(Who::Panel, now, out);
        }
    }

    fn seek_bandwidth(&mut self, peer: PeerId) {
        let wanted = self.room.sees(peer);
        let Some(seat) = self.peers.get_mut(&peer) else { return };
        match (wanted, seat.capacity.quality()) {
            (false, _) => seat.leg.seek_bandwidth(0, 0),
            (true, Quality::AudioOnly) => seat.leg.seek_bandwidth(quality::RETRY, quality::MOST),
            // Looking for more than ends the reduction would only lose packets of a network that is short.
            (true, Quality::Reduced) => seat.leg.seek_bandwidth(0, quality::ENOUGH),
            (true, Quality::Good) => seat.leg.seek_bandwidth(0, quality::MOST),
        }
    }
}
