//! A thread that owns rooms.
//!
//! Invariants:
//! - a connection's user name leads here before its answer is given, so the first check is not lost;
//! - an address leads to a connection only after a check from there knew the connection's password (str0m takes
//!   DTLS from anywhere, so this is where strangers are kept out), and to at most one;
//! - a panic in a room ends that room: nothing of it is touched again, and its routes are freed.

use super::net::{Datagram, Net, Origin, now, user_name};
use crate::leg::Leg;
use crate::negotiate::{self, Role, Terms};
use crate::relay::{Outputs, Relay, Who};
use crate::seat::{self, Sound};
use crate::station::{Picture, Station};
use crate::viewer::{Sight, Viewer};
use crate::{Load, MediaError, MediaEvent, PeerId, RoomId};
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;
use str0m::net::Receive;
use str0m::{IceCreds, Input};
use tokio::sync::{Notify, mpsc, oneshot};

/// Apps in a call; a building's largest household has fewer.
const MOST_PEERS: usize = 256;
/// Connections of a shard; a core carries some 700 pictures.
const MOST_CONNECTIONS: usize = 4_096;
/// Addresses of one connection (Wi-Fi, mobile, both families); the oldest makes room.
const MOST_ADDRESSES: usize = 8;
/// Datagrams taken before commands and timers are looked at again.
const BATCH: usize = 64;

/// What the handle asks of a shard.
pub enum Command {
    Open(RoomId),
    Close(RoomId),
    Join {
        room: RoomId,
        who: Who,
        offer: String,
        answer: oneshot::Sender<Result<String, MediaError>>,
    },
    Seat {
        room: RoomId,
        peer: PeerId,
        heard: mpsc::Sender<Sound>,
        answer: oneshot::Sender<Result<(), MediaError>>,
    },
    Speak(RoomId, PeerId, Sound),
    Look {
        room: RoomId,
        peer: PeerId,
        shown: mpsc::Sender<Sight>,
        answer: oneshot::Sender<Result<(), MediaError>>,
    },
    ViewerWants(RoomId, PeerId),
    SeatPanel {
        room: RoomId,
        answer: oneshot::Sender<Result<PanelPlace, MediaError>>,
    },
    /// From the door station that has this number.
    StationSpeaks(RoomId, u64, Sound),
    StationShows(RoomId, u64, Picture),
    Bridge(RoomId, PeerId),
    Unbridge(RoomId, PeerId),
    SetVideo(RoomId, PeerId, bool),
    Leave(RoomId, PeerId),
    Load(oneshot::Sender<Load>),
    /// A defect in the room.
    #[cfg(test)]
    Panic(RoomId),
}

/// A door station's number, the sound for it, and what tells it that a key frame is wanted.
type PanelPlace = (u64, mpsc::Receiver<Sound>, Arc<Notify>);

/// Where a user name or an address leads.
#[derive(Clone, Copy)]
struct Seat {
    room: RoomId,
    who: Who,
    leg: u64,
}

/// What leads to a connection.
struct Routes {
    room: RoomId,
    user_name: String,
    addresses: VecDeque<Origin>,
}

/// The thread's rooms and what leads to them.
pub struct Shard {
    index: usize,
    terms: Arc<Terms>,
    net: Arc<Net>,
    events: mpsc::Sender<MediaEvent>,
    relays: HashMap<RoomId, (Relay, Instant)>,
    /// When each room wants to be woken, the soonest first.
    wakes: BTreeSet<(Instant, RoomId)>,
    by_user_name: HashMap<String, Seat>,
    by_address: HashMap<Origin, Seat>,
    routes: HashMap<u64, Routes>,
    next_leg: u64,
    out: Outputs,
}

impl Shard {
    /// A shard without rooms.
    pub fn new(index: usize, terms: Arc<Terms>, net: Arc<Net>, events: mpsc::Sender<MediaEvent>) -> Self {
        Self {
            index,
            terms,
            net,
            events,
            relays: HashMap::new(),
            wakes: BTreeSet::new(),
            by_user_name: HashMap::new(),
            by_address: HashMap::new(),
            routes: HashMap::new(),
            next_leg: 0,
            out: Outputs::default(),
        }
    }

    /// Serves until the last handle is gone.
    pub async fn run(mut self, mut inbox: mpsc::Receiver<Datagram>, mut commands: mpsc::Receiver<Command>) {
        loop {
            let wake_at = self.wakes.first().map(|(at, _)| *at);
            tokio::select! {
                biased;
                command = commands.recv() => match command {
                    Some(command) => self.command(command),
                    None => break,
                },
                Some(datagram) = inbox.recv() => {
                    self.datagram(&datagram);
                    for _ in 1..BATCH {
                        let Ok(datagram) = inbox.try_recv() else { break };
                        self.datagram(&datagram);
                    }
                }
                () = sleep_until(wake_at) => {}
            }
            self.wake();
        }
        let rooms: Vec<_> = self.relays.keys().copied().collect();
        rooms.into_iter().for_each(|room| self.close(room));
    }

    fn command(&mut self, command: Command) {
        match command {
            Command::Open(room) => self.open(room),
            Command::Close(room) => self.close(room),
            Command::Join { room, who, offer, answer } => {
                // Nobody waits when the caller gave up; the connection then ends by itself.
                let _ = answer.send(self.join(room, who, &offer));
            }
            Command::Seat { room, peer, heard, answer } => {
                // who gave up listens no more, and the place is free again with the room
                let _ = answer.send(self.seat(room, peer, heard));
            }
            Command::Speak(room, peer, sound) => {
                self.with(room, |relay, now, out| relay.speak(peer, &sound, now, out));
            }
            Command::Look { room, peer, shown, answer } => {
                // as for a seat
                let _ = answer.send(self.look(room, peer, shown));
            }
            Command::ViewerWants(room, peer) => {
                self.with(room, |relay, now, out| relay.viewer_wants(peer, now, out));
            }
            Command::SeatPanel { room, answer } => {
                let _ = answer.send(self.seat_panel(room));
            }
            Command::StationSpeaks(room, station, sound) => {
                self.with(room, |relay, now, out| relay.station_speaks(station, &sound, now, out));
            }
            Command::StationShows(room, station, picture) => {
                self.with(room, |relay, now, out| relay.station_shows(station, &picture, now, out));
            }
            Command::Bridge(room, peer) => self.with(room, |relay, _, _| relay.bridge(peer)),
            Command::Unbridge(room, peer) => self.with(room, |relay, _, _| relay.unbridge(peer)),
            Command::SetVideo(room, peer, wanted) => {
                self.with(room, |relay, now, out| relay.set_video(peer, wanted, now, out));
            }
            Command::Leave(room, peer) => self.with(room, |relay, _, out| relay.leave(peer, out)),
            Command::Load(load) => {
                let _ = load.send(self.load());
            }
            #[cfg(test)]
            Command::Panic(room) => self.with(room, |_, _, _| panic!("a defect, made by a test")),
        }
    }

    fn load(&self) -> Load {
        Load {
            rooms: self.relays.len(),
            connections: self.routes.len(),
            addresses: self.by_address.len(),
            viewers: self.relays.values().map(|(relay, _)| relay.viewers()).sum(),
        }
    }

    fn open(&mut self, room: RoomId) {
        let now = now();
        if !self.relays.contains_key(&room) {
            let relay = Relay::new(room, now);
            let wake_at = relay.wake_at();
            self.wakes.insert((wake_at, room));
            self.relays.insert(room, (relay, wake_at));
        }
    }

    fn close(&mut self, room: RoomId) {
        if let Some((relay, wake_at)) = self.relays.remove(&room) {
            self.wakes.remove(&(wake_at, room));
            let out = &mut self.out;
            let closed = catch_unwind(AssertUnwindSafe(|| relay.close(out)));
            self.flush();
            if closed.is_err() {
                self.forget_room(room);
            }
        }
    }

    fn join(&mut self, room: RoomId, who: Who, offer: &str) -> Result<String, MediaError> {
        let (relay, _) = self.relays.get(&room).ok_or(MediaError::NoSuchRoom)?;
        let new_peer = matches!(who, Who::Peer(peer) if !relay.has_peer(peer));
        if self.routes.len() >= MOST_CONNECTIONS || (new_peer && relay.peers() >= MOST_PEERS) {
            return Err(MediaError::Full);
        }
        let user_name = user_name(self.index, random()?);
        let ice = IceCreds { ufrag: user_name.clone(), pass: hex(&random::<18>()?) };
        let first_seq = u16::from_be_bytes(random()?) & 0x7fff;
        let role = if who == Who::Panel { Role::Panel } else { Role::App };
        let (terms, now) = (Arc::clone(&self.terms), now());
        let negotiated = catch_unwind(|| negotiate::answer(&terms, role, offer, ice, now));
        let agreed = negotiated.unwrap_or_else(|_| Err(MediaError::Offer("it can not be handled".into())))?;

        let leg = self.next_leg;
        self.next_leg += 1;
        let answer = agreed.answer.clone();
        self.by_user_name.insert(user_name.clone(), Seat { room, who, leg });
        self.routes.insert(leg, Routes { room, user_name, addresses: VecDeque::new() });
        self.with(room, |relay, now, out| relay.join(who, Leg::new(leg, agreed, first_seq, now), now, out));
        Ok(answer)
    }

    fn seat(&mut self, room: RoomId, peer: PeerId, heard: mpsc::Sender<Sound>) -> Result<(), MediaError> {
        let (relay, _) = self.relays.get(&room).ok_or(MediaError::NoSuchRoom)?;
        if relay.peers() + relay.seats() >= MOST_PEERS {
            return Err(MediaError::Full);
        }
        let id = self.next_leg;
        self.next_leg += 1;
        self.with(room, |relay, _, _| relay.seat(peer, seat::Seat::new(id, heard)));
        Ok(())
    }

    fn look(&mut self, room: RoomId, peer: PeerId, shown: mpsc::Sender<Sight>) -> Result<(), MediaError> {
        let (relay, _) = self.relays.get(&room).ok_or(MediaError::NoSuchRoom)?;
        if relay.viewers() >= MOST_PEERS {
            return Err(MediaError::Full);
        }
        self.with(room, |relay, now, out| relay.look(peer, Viewer::new(shown), now, out));
        Ok(())
    }

    fn seat_panel(&mut self, room: RoomId) -> Result<PanelPlace, MediaError> {
        if !self.relays.contains_key(&room) {
            return Err(MediaError::NoSuchRoom);
        }
        let id = self.next_leg;
        self.next_leg += 1;
        let (station, hears, asked) = Station::new(id);
        self.with(room, |relay, now, out| relay.seat_panel(station, now, out));
        Ok((id, hears, asked))
    }

    fn datagram(&mut self, datagram: &Datagram) {
        let Datagram { origin, local, at, user_name, bytes } = datagram;
        let seat = match user_name {
            Some(user_name) => self.by_user_name.get(user_name),
            None => self.by_address.get(origin),
        };
        let Some(Seat { room, who, leg }) = seat.copied() else { return };
        let receive = || Receive::new(origin.0, origin.1, *local, bytes).ok();
        let Some(input) = receive() else { return };
        if user_name.is_some() && self.by_address.get(origin).is_none_or(|seat| seat.leg != leg) {
            let proof = Input::Receive(*at, input);
            let mut proven = false;
            self.with(room, |relay, _, _| proven = relay.proves_itself(who, &proof));
            if !proven {
                return;
            }
            self.add_address(*origin, Seat { room, who, leg });
        }
        let Some(input) = receive() else { return };
        self.with(room, |relay, now, out| relay.receive(who, *at, input, now, out));
    }

    fn add_address(&mut self, origin: Origin, seat: Seat) {
        self.remove_address(origin);
        let Some(routes) = self.routes.get_mut(&seat.leg) else { return };
        routes.addresses.push_back(origin);
        let oldest =
            if routes.addresses.len() > MOST_ADDRESSES { routes.addresses.pop_front() } else { None };
        self.by_address.insert(origin, seat);
        self.net.prove(origin, self.index);
        if let Some(oldest) = oldest {
            self.by_address.remove(&oldest);
            self.net.forget(oldest);
        }
    }

    /// Takes the address from the connection that had it: another browser is behind it now.
    fn remove_address(&mut self, origin: Origin) {
        if let Some(seat) = self.by_address.remove(&origin)
            && let Some(routes) = self.routes.get_mut(&seat.leg)
        {
            routes.addresses.retain(|address| *address != origin);
        }
    }

    fn wake(&mut self) {
        let now = now();
        while let Some((at, room)) = self.wakes.first().copied().filter(|(at, _)| *at <= now) {
            self.with(room, |relay, now, out| relay.timeout(now, out));
            // A room that still wants the same moment waits for the next turn.
            if self.wakes.first() == Some(&(at, room)) {
                break;
            }
        }
    }

    /// Lets a room work, then does what it wants done. A panic ends the room.
    fn with(&mut self, room: RoomId, work: impl FnOnce(&mut Relay, Instant, &mut Outputs)) {
        let Some((relay, wake_at)) = self.relays.get_mut(&room) else { return };
        let (now, out) = (now(), &mut self.out);
        let worked = catch_unwind(AssertUnwindSafe(|| {
            work(relay, now, out);
            relay.wake_at()
        }));
        match worked {
            Ok(next) if next == *wake_at => {}
            Ok(next) => {
                self.wakes.remove(&(*wake_at, room));
                self.wakes.insert((next, room));
                *wake_at = next;
            }
            Err(_) => self.fail(room),
        }
        self.flush();
    }

    fn fail(&mut self, room: RoomId) {
        tracing::error!("a room failed and was ended");
        self.out = Outputs::default();
        if let Some((relay, wake_at)) = self.relays.remove(&room) {
            self.wakes.remove(&(wake_at, room));
            // Whatever state it is in, its destructor must not take the thread along.
            let _ = catch_unwind(AssertUnwindSafe(|| drop(relay)));
        }
        self.forget_room(room);
        self.out.events.push(MediaEvent::RoomFailed { room });
    }

    fn forget_room(&mut self, room: RoomId) {
        let legs = self.routes.iter().filter(|(_, routes)| routes.room == room);
        self.out.ended = legs.map(|(leg, _)| *leg).collect();
        self.flush();
    }

    fn flush(&mut self) {
        for datagram in self.out.datagrams.drain(..) {
            self.net.send(datagram);
        }
        for event in self.out.events.drain(..) {
            // Documented at `Media::start`: who does not read loses events.
            let _ = self.events.try_send(event);
        }
        for leg in self.out.ended.drain(..) {
            let Some(routes) = self.routes.remove(&leg) else { continue };
            self.by_user_name.remove(&routes.user_name);
            for origin in routes.addresses {
                self.by_address.remove(&origin);
                self.net.forget(origin);
            }
        }
    }
}

async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => std::future::pending().await,
    }
}

fn random<const N: usize>() -> Result<[u8; N], MediaError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| MediaError::Stopped)?;
    Ok(bytes)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
