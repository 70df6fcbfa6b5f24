//! The task behind a [`House`](super::House): gives the core its sockets and its clock, and passes wishes and events on.

use super::connection::{Heard, carry};
use super::core::{Asked, Core, News};
use super::{
    Accept, Accounts, Addresses, EVENTS, Event, Incoming, Leg, Refusal, Ring, Settings, StartError, Tls,
};
use crate::message::LONGEST;
use crate::registrar::{Flow, Transport};
use klinke_model::time::Mono;
use rustls::ServerConfig;
use std::collections::{BTreeSet, HashMap};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// How long a stop waits for the answers to our last words.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// How long a connection may be there on which nobody is registered.
const STRANGE: Duration = Duration::from_secs(30);

/// How often that is looked at.
const LOOK: Duration = Duration::from_secs(5);

/// Connections at a time, in all and from one address.
const CONNECTIONS: usize = 2048;
const FROM_ONE: usize = 128;

/// Messages that wait for one connection, at most; one that takes no more is closed.
const WAITING: usize = 64;

/// What legs and the house want.
pub(super) enum Command {
    Accounts { accounts: Accounts, done: oneshot::Sender<()> },
    Call { id: u64, ring: Box<Ring>, events: mpsc::Sender<Event> },
    Ring { id: u64, early: Option<String> },
    Accept { id: u64, accept: Box<Accept> },
    Refuse { id: u64, refusal: Refusal },
    HangUp(u64),
    CompletedElsewhere(u64),
    Info { id: u64, kind: String, body: Vec<u8> },
    Locate { device: String, reply: oneshot::Sender<Option<IpAddr>> },
    Stop,
}

/// What the house is told.
pub(super) struct Told {
    pub registered: watch::Sender<Arc<BTreeSet<String>>>,
    pub incoming: mpsc::Sender<Incoming>,
    pub dialogs: Arc<AtomicUsize>,
}

struct Connection {
    flow: Flow,
    outbox: mpsc::Sender<Vec<u8>>,
    /// Until when it may go on without anybody registered on it.
    strange_until: Mono,
}

/// The tasks that listen; they end with this.
#[derive(Default)]
struct Listeners(Vec<JoinHandle<()>>);

type Accepted = (Transport, TcpStream, SocketAddr);

pub(super) struct Shell {
    core: Core,
    udp: Option<(UdpSocket, SocketAddr)>,
    /// Which of our addresses leads to whom, where we listen on all of them.
    routes: HashMap<IpAddr, IpAddr>,
    tls: Option<Arc<ServerConfig>>,
    _listeners: Listeners,
    accepted: mpsc::Receiver<Accepted>,
    connections: HashMap<u64, Connection>,
    next: u64,
    heard: (mpsc::Sender<Heard>, mpsc::Receiver<Heard>),
    inbox: mpsc::UnboundedReceiver<Command>,
    commands: mpsc::WeakUnboundedSender<Command>,
    legs: HashMap<u64, mpsc::Sender<Event>>,
    told: Told,
    /// The change of the registrations that was told last.
    told_change: u64,
    origin: Instant,
    next_look: Mono,
    stops_at: Option<Instant>,
}

enum Happened {
    Command(Option<Command>),
    Datagram(std::io::Result<(usize, SocketAddr)>),
    Accepted(Accepted),
    Heard(Heard),
    Due,
}

impl Shell {
    pub(super) async fn new(
        settings: Settings,
        key: [u8; 32],
        (commands, inbox): (mpsc::WeakUnboundedSender<Command>, mpsc::UnboundedReceiver<Command>),
        told: Told,
    ) -> Result<(Self, Addresses), StartError> {
        let core = Core::new(key, &settings, Mono::default());
        let mut addresses = Addresses::default();
        let udp = match settings.udp {
            None => None,
            Some(address) => {
                let failed = |error| StartError::Address(address, error);
                let socket = UdpSocket::bind(address).await.map_err(failed)?;
                let bound = socket.local_addr().map_err(failed)?;
                addresses.udp = Some(bound);
                Some((socket, bound))
            }
        };
        let (sender, accepted) = mpsc::channel(16);
        let mut listeners = Listeners::default();
        if let Some(address) = settings.tcp {
            let (task, bound) = listen(Transport::Tcp, address, sender.clone()).await?;
            addresses.tcp = Some(bound);
            listeners.0.push(task);
        }
        let mut tls = None;
        if let Some(wanted) = settings.tls {
            let address = wanted.address;
            tls = Some(certificate(wanted).map_err(StartError::Certificate)?);
            let (task, bound) = listen(Transport::Tls, address, sender).await?;
            addresses.tls = Some(bound);
            listeners.0.push(task);
        }
        let shell = Self {
            core,
            udp,
            routes: HashMap::new(),
            tls,
            _listeners: listeners,
            accepted,
            connections: HashMap::new(),
            next: 0,
            heard: mpsc::channel(WAITING),
            inbox,
            commands,
            legs: HashMap::new(),
            told,
            told_change: 0,
            origin: Instant::now(),
            next_look: Mono::default() + LOOK,
            stops_at: None,
        };
        Ok((shell, addresses))
    }

    fn now(&self) -> Mono {
        Mono::default() + self.origin.elapsed()
    }

    pub(super) async fn run(mut self) {
        let mut buffer = vec![0; LONGEST];
        loop {
            self.drain().await;
            if self.stops_at.is_some_and(|at| self.core.dialogs() == 0 || Instant::now() >= at) {
                return;
            }
            let happened = self.happens(&mut buffer).await;
            let now = self.now();
            match happened {
                Happened::Command(command) => self.command(command),
                // what failed to come is as good as what was lost
                Happened::Datagram(Err(_)) | Happened::Due => {}
                Happened::Datagram(Ok((length, from))) => {
                    let bytes = buffer.get(..length).unwrap_or_default();
                    if let Some(flow) = self.datagram_flow(from) {
                        self.core.received(bytes, flow, now);
                    }
                }
                Happened::Accepted(accepted) => self.connected(accepted),
                Happened::Heard(Heard::Message(id, bytes)) => {
                    if let Some(connection) = self.connections.get(&id) {
                        self.core.received(&bytes, connection.flow, now);
                    }
                }
                Happened::Heard(Heard::Closed(id)) => self.closed(id),
            }
            self.core.tick(now);
            self.look(now);
        }
    }

    async fn happens(&mut self, buffer: &mut [u8]) -> Happened {
        let waits = [self.core.due(), (!self.connections.is_empty()).then_some(self.next_look)];
        let due = waits.into_iter().flatten().min().map(|due| self.origin + due.since(Mono::default()));
        let due = [due, self.stops_at].into_iter().flatten().min();
        tokio::select! {
            command = self.inbox.recv(), if self.stops_at.is_none() => Happened::Command(command),
            came = async {
                match &self.udp {
                    Some((socket, _)) => socket.recv_from(buffer).await,
                    None => std::future::pending().await,
                }
            } => Happened::Datagram(came),
            Some(accepted) = self.accepted.recv() => Happened::Accepted(accepted),
            Some(heard) = self.heard.1.recv() => Happened::Heard(heard),
            () = async {
                match due {
                    Some(due) => tokio::time::sleep_until(due).await,
                    None => std::future::pending().await,
                }
            } => Happened::Due,
        }
    }

    /// Everything that the core wants out, until it wants nothing more.
    async fn drain(&mut self) {
        while let Some((flow, bytes)) = self.core.out() {
            if flow.way == Transport::Udp {
                if let Some((socket, _)) = &self.udp {
                    // a datagram that does not go out is as good as one that is lost
                    let _ = socket.send_to(&bytes, flow.peer).await;
                }
            } else if let Some(connection) = self.connections.get(&flow.connection)
                && connection.outbox.try_send(bytes).is_err()
            {
                self.closed(flow.connection);
            }
        }
        while let Some(news) = self.core.news() {
            match news {
                News::Event(id, event) => self.tell(id, event),
                News::Asked(Asked { id, device, dialled, offer, over_tls, hops, is_only }) => {
                    let (events, inbox) = mpsc::channel(EVENTS);
                    self.legs.insert(id, events);
                    let leg = Leg { id, commands: self.commands.clone(), events: inbox, over: false };
                    // whom nobody takes is dropped, and so refused
                    let call = Incoming { device, dialled, offer, over_tls, hops, is_only, leg };
                    let _ = self.told.incoming.try_send(call);
                }
            }
        }
        self.told.dialogs.store(self.core.dialogs(), Ordering::Relaxed);
        if self.core.changes() != self.told_change {
            let (change, registered) = self.core.registered();
            self.told_change = change;
            self.told.registered.send_if_modified(|seen| {
                let other = **seen != registered;
                if other {
                    *seen = Arc::new(registered);
                }
                other
            });
        }
    }

    fn tell(&mut self, id: u64, event: Event) {
        let over = matches!(event, Event::Ended(_));
        if let Some(events) = self.legs.get(&id) {
            // who takes none hears of the end by the closed channel
            if events.try_send(event).is_err() && !over {
                tracing::debug!("an event of a leg that nobody takes");
            }
            if over {
                self.legs.remove(&id);
            }
        }
    }

    fn command(&mut self, command: Option<Command>) {
        let now = self.now();
        match command {
            Some(Command::Accounts { accounts, done }) => {
                self.core.accounts(accounts, now);
                // who said so may not wait for it
                let _ = done.send(());
            }
            Some(Command::Call { id, ring, events }) => {
                self.legs.insert(id, events);
                self.core.call(id, *ring, now);
            }
            Some(Command::Ring { id, early }) => self.core.ring(id, early, now),
            Some(Command::Accept { id, accept }) => self.core.accept(id, *accept, now),
            Some(Command::Refuse { id, refusal }) => self.core.refuse(id, refusal, now),
            Some(Command::CompletedElsewhere(id)) => self.core.completed_elsewhere(id, now),
            Some(Command::HangUp(id)) => self.core.hang_up(id, now),
            Some(Command::Info { id, kind, body }) => self.core.info(id, &kind, body, now),
            // who asked may have gone
            Some(Command::Locate { device, reply }) => drop(reply.send(self.core.address(&device))),
            Some(Command::Stop) | None => {
                self.core.leave(now);
                self.stops_at = Some(Instant::now() + LAST_WORDS);
            }
        }
    }

    /// The way of a datagram: from whom, and by which of our addresses.
    fn datagram_flow(&mut self, peer: SocketAddr) -> Option<Flow> {
        let (_, bound) = self.udp.as_ref()?;
        let mut local = *bound;
        if local.ip().is_unspecified() {
            local.set_ip(match self.routes.get(&peer.ip()) {
                Some(known) => *known,
                None => {
                    let found = route(bound.ip(), peer).ok()?;
                    if self.routes.len() >= CONNECTIONS {
                        self.routes.clear();
                    }
                    self.routes.insert(peer.ip(), found);
                    found
                }
            });
        }
        Some(Flow { way: Transport::Udp, connection: 0, peer, local })
    }

    fn connected(&mut self, (way, stream, peer): Accepted) {
        let of_one = self.connections.values().filter(|one| one.flow.peer.ip() == peer.ip()).count();
        let Ok(local) = stream.local_addr() else { return };
        if self.connections.len() >= CONNECTIONS || of_one >= FROM_ONE || stream.set_nodelay(true).is_err() {
            return;
        }
        self.next += 1;
        let id = self.next;
        let (outbox, waiting) = mpsc::channel(WAITING);
        let tls = self.tls.clone().filter(|_| way == Transport::Tls);
        tokio::spawn(carry(id, stream, tls, self.heard.0.clone(), waiting));
        let flow = Flow { way, connection: id, peer, local };
        let strange_until = self.now() + STRANGE;
        self.connections.insert(id, Connection { flow, outbox, strange_until });
    }

    fn closed(&mut self, id: u64) {
        // without an outbox its task ends
        if let Some(connection) = self.connections.remove(&id) {
            let now = self.now();
            self.core.lost(&connection.flow, now);
        }
    }

    /// Closes connections that nobody uses.
    fn look(&mut self, now: Mono) {
        if now < self.next_look {
            return;
        }
        self.next_look = now + LOOK;
        let core = &self.core;
        self.connections.retain(|_, connection| {
            if core.uses(&connection.flow) {
                connection.strange_until = now + STRANGE;
            }
            now < connection.strange_until
        });
    }
}

impl Drop for Listeners {
    fn drop(&mut self) {
        for listener in &self.0 {
            listener.abort();
        }
    }
}

async fn listen(
    way: Transport,
    address: SocketAddr,
    accepted: mpsc::Sender<Accepted>,
) -> Result<(JoinHandle<()>, SocketAddr), StartError> {
    let failed = |error| StartError::Address(address, error);
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    let task = tokio::spawn(async move {
        loop {
            match listener.accept().await {
                Ok((stream, peer)) => {
                    if accepted.send((way, stream, peer)).await.is_err() {
                        return;
                    }
                }
                // out of files, most likely: what is open has to close first
                Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        }
    });
    Ok((task, bound))
}

fn certificate(tls: Tls) -> Result<Arc<ServerConfig>, rustls::Error> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(Arc::new(builder.with_no_client_auth().with_single_cert(tls.chain, tls.key)?))
}

/// Which of our addresses leads to somebody; nothing is sent.
fn route(any: IpAddr, peer: SocketAddr) -> std::io::Result<IpAddr> {
    let probe = std::net::UdpSocket::bind(SocketAddr::new(any, 0))?;
    probe.connect(peer)?;
    Ok(probe.local_addr()?.ip())
}
