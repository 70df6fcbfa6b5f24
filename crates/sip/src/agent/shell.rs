//! The task of one trunk: gives the core (`trunk`) its sockets and its clock, and passes wishes and events on.

use super::{Settings, StartError};
use crate::client::Pace;
use crate::ground::Ground;
use crate::leg::{Dial, Event};
use crate::standing::State;
use crate::trunk::Trunk;
use crate::why::Why;
use crate::wire::{Link, Place, Way, tls};
use klinke_model::time::Mono;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// How long a stop waits for the answers to our last words.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// What legs and the agent want of a trunk.
pub(super) enum Command {
    Call { id: u64, dial: Box<Dial>, events: mpsc::Sender<Event> },
    HangUp(u64),
    CompletedElsewhere(u64),
    Info { id: u64, kind: String, body: Vec<u8> },
    Stop,
}

/// The sockets and the clock of one trunk.
pub(super) struct Shell {
    place: Arc<Place>,
    user: String,
    trunk: Trunk,
    link: Option<Link>,
    opening: Option<JoinHandle<std::io::Result<Link>>>,
    inbox: mpsc::UnboundedReceiver<Command>,
    state: watch::Sender<State>,
    dialogs: Arc<AtomicUsize>,
    legs: HashMap<u64, mpsc::Sender<Event>>,
    /// Calls that wait for a way.
    waiting: Vec<(u64, Box<Dial>)>,
    origin: Instant,
    stops_at: Option<Instant>,
    transport: &'static str,
}

enum Happened {
    Command(Option<Command>),
    Opened(std::io::Result<Link>),
    Received(std::io::Result<(Vec<u8>, SocketAddr)>),
    Due,
}

impl Shell {
    pub(super) fn new(
        settings: Settings,
        key: [u8; 32],
        inbox: mpsc::UnboundedReceiver<Command>,
        state: watch::Sender<State>,
        dialogs: Arc<AtomicUsize>,
    ) -> Result<Self, StartError> {
        let (transport, tls) = match &settings.way {
            Way::Udp => ("UDP", None),
            Way::Tcp => ("TCP", None),
            Way::Tls(roots) => ("TLS", Some(tls(roots).map_err(StartError::Roots)?)),
        };
        let udp = transport == "UDP";
        let pace = Pace { t1: settings.t1, reliable: !udp };
        let domain = settings.domain.clone().unwrap_or_else(|| settings.host.clone());
        let user =
            settings.account.as_ref().map_or_else(|| settings.caller.clone(), |account| account.user.clone());
        let registers = settings.registers.then(|| format!("sip:{user}@{domain}"));
        let ground = Ground::new(String::new(), String::new(), pace, settings.account, key);
        let trunk = Trunk::new(ground, &domain, &settings.caller, registers, Mono::default());
        let place = Place { host: settings.host, port: settings.port, bind: settings.bind, tls, udp };
        Ok(Self {
            place: Arc::new(place),
            user,
            trunk,
            link: None,
            opening: None,
            inbox,
            state,
            dialogs,
            legs: HashMap::new(),
            waiting: Vec::new(),
            origin: Instant::now(),
            stops_at: None,
            transport,
        })
    }

    fn now(&self) -> Mono {
        Mono::default() + self.origin.elapsed()
    }

    pub(super) async fn run(mut self) {
        loop {
            self.drain().await;
            if self.stops_at.is_some_and(|at| self.trunk.has_left() || Instant::now() >= at) {
                return;
            }
            if self.link.is_none()
                && self.opening.is_none()
                && (self.trunk.wants_way() || !self.waiting.is_empty())
            {
                let place = self.place.clone();
                self.opening = Some(tokio::spawn(async move { place.open().await }));
            }
            match self.happens().await {
                Happened::Command(command) => self.command(command),
                Happened::Opened(link) => self.opened(link),
                Happened::Received(Ok((bytes, from))) => {
                    let now = self.now();
                    self.trunk.received(&bytes, from, now);
                }
                Happened::Received(Err(_)) => self.closed(),
                Happened::Due => {}
            }
            let now = self.now();
            self.trunk.tick(now);
        }
    }

    async fn happens(&mut self) -> Happened {
        let due = self.trunk.due().map(|due| self.origin + due.since(Mono::default()));
        let due = [due, self.stops_at].into_iter().flatten().min();
        tokio::select! {
            command = self.inbox.recv(), if self.stops_at.is_none() => Happened::Command(command),
            opened = async { self.opening.as_mut()?.await.ok() }, if self.opening.is_some() => {
                self.opening = None;
                Happened::Opened(opened.unwrap_or_else(|| Err(std::io::ErrorKind::Other.into())))
            }
            received = async {
                match &mut self.link {
                    Some(link) => link.receive().await,
                    None => std::future::pending().await,
                }
            } => Happened::Received(received),
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
        while let Some(out) = self.trunk.out() {
            let Some(link) = &mut self.link else { continue };
            if link.send(&out.bytes, out.to).await.is_err() {
                self.closed();
            }
        }
        while let Some((id, event)) = self.trunk.event() {
            self.tell(id, event);
        }
        // the trunk may have moved: it is looked up anew, when nothing hangs on the old way
        let unreachable = *self.trunk.state() == State::Unreachable;
        if unreachable && self.place.udp && self.link.is_some() && self.trunk.dialogs() == 0 {
            self.link = None;
            self.trunk.way_closed();
        }
        self.dialogs.store(self.trunk.dialogs() + self.waiting.len(), Ordering::Relaxed);
        let state = self.trunk.state();
        self.state.send_if_modified(|seen| {
            let other = *seen != *state;
            if other {
                seen.clone_from(state);
            }
            other
        });
    }

    fn tell(&mut self, id: u64, event: Event) {
        let over = matches!(event, Event::Ended(_));
        if let Some(events) = self.legs.get(&id) {
            // who takes none hears of the end by the closed channel
            if events.try_send(event).is_err() && !over {
                tracing::warn!("an event of a phone leg was dropped: nobody took those before it");
            }
        }
        if over {
            self.legs.remove(&id);
        }
    }

    fn command(&mut self, command: Option<Command>) {
        let now = self.now();
        match command {
            Some(Command::Call { id, dial, events }) => {
                self.legs.insert(id, events);
                match self.link {
                    Some(_) => self.trunk.call(id, *dial, now),
                    None => self.waiting.push((id, dial)),
                }
            }
            Some(Command::HangUp(id)) => {
                self.give_up(id);
                self.trunk.hang_up(id, now);
            }
            Some(Command::CompletedElsewhere(id)) => {
                self.give_up(id);
                self.trunk.completed_elsewhere(id, now);
            }
            Some(Command::Info { id, kind, body }) => self.trunk.info(id, &kind, body, now),
            // without an agent and without legs there is nobody to call for
            Some(Command::Stop) | None => {
                self.give_up_waiting(Why::WeHungUp);
                self.trunk.leave(now);
                self.stops_at = Some(Instant::now() + LAST_WORDS);
            }
        }
    }

    /// A call that waits for a way is not made.
    fn give_up(&mut self, id: u64) {
        if let Some(at) = self.waiting.iter().position(|(waiting, _)| *waiting == id) {
            self.waiting.remove(at);
            self.tell(id, Event::Ended(Why::WeHungUp));
        }
    }

    fn give_up_waiting(&mut self, why: Why) {
        for (id, _) in std::mem::take(&mut self.waiting) {
            self.tell(id, Event::Ended(why));
        }
    }

    fn opened(&mut self, link: std::io::Result<Link>) {
        let now = self.now();
        match link {
            Err(_) => {
                self.give_up_waiting(Why::Unreachable);
                self.trunk.way_lost(now);
            }
            Ok(link) => {
                let (transport, local, user) = (self.transport, link.local(), &self.user);
                let suffix = match transport {
                    "UDP" => String::new(),
                    other => format!(";transport={}", other.to_lowercase()),
                };
                let contact = format!("<sip:{user}@{local}{suffix}>");
                self.trunk.way_opened(format!("SIP/2.0/{transport} {local}"), contact, now);
                self.link = Some(link);
                for (id, dial) in std::mem::take(&mut self.waiting) {
                    self.trunk.call(id, *dial, now);
                }
            }
        }
    }

    fn closed(&mut self) {
        self.link = None;
        let now = self.now();
        self.trunk.way_lost(now);
    }
}
