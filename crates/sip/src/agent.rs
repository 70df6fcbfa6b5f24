//! The house's one door to SIP: trunks that stand, and calls over them. One task for each trunk runs its core (`trunk`) with
//! sockets and the clock; nothing else here waits or keeps state.
//!
//! A call goes to the first trunk that is ready. When that one does not get as far as the phone, the next one tries; once a
//! phone has rung, nobody else is tried.

use crate::client::Pace;
use crate::digest::Account;
use crate::ground::Ground;
pub use crate::leg::{Dial, Event, Reoffer};
pub use crate::standing::State;
use crate::trunk::Trunk;
use crate::why::Why;
use crate::wire::{Link, Place, tls};
pub use crate::wire::{Roots, Way};
use klinke_model::time::Mono;
use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// RFC 3261's estimate of a round trip.
pub const T1: Duration = Duration::from_millis(500);

/// How long a stop waits for the answers to our last words.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Events of one leg that nobody took yet, at most; what comes on top is dropped, but for its end.
const EVENTS: usize = 64;

/// One trunk, as it is set up.
#[derive(Clone)]
pub struct Settings {
    /// What people call it.
    pub name: String,
    /// Its host: a name or an address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How messages go there.
    pub way: Way,
    /// Our own address for it; a port of 0 takes a free one. Of use for UDP, where a trunk without registration must know us.
    pub bind: SocketAddr,
    /// The domain of addresses, where it is not the host.
    pub domain: Option<String>,
    /// The one number (or name) that all calls come from.
    pub caller: String,
    /// Whether to register; else it is only looked at whether it answers.
    pub registers: bool,
    /// What challenges are answered with.
    pub account: Option<Account>,
    /// [`T1`], but for links that are known to be slower or quicker.
    pub t1: Duration,
}

/// Why the agent does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The operating system gives no randomness.
    #[error("no randomness: {0}")]
    Randomness(getrandom::Error),
    /// The authorities for TLS can not be used.
    #[error("the authorities of the trunk: {0}")]
    Roots(rustls::Error),
}

enum Command {
    Call { id: u64, dial: Box<Dial>, events: mpsc::Sender<Event> },
    HangUp(u64),
    Info { id: u64, kind: String, body: Vec<u8> },
    Stop,
}

#[derive(Clone)]
struct Line {
    name: String,
    commands: mpsc::UnboundedSender<Command>,
    state: watch::Receiver<State>,
    dialogs: Arc<AtomicUsize>,
}

/// All trunks.
pub struct Agent {
    lines: Vec<Line>,
    tasks: Vec<JoinHandle<()>>,
    next: AtomicU64,
}

impl Agent {
    /// Begins with these trunks, in the order in which they are tried.
    ///
    /// # Errors
    /// When there is no randomness, or the authorities of a trunk are none. A trunk that does not answer is no error: it is
    /// tried again and again.
    pub fn start(trunks: Vec<Settings>) -> Result<Self, StartError> {
        let (mut lines, mut tasks) = (Vec::new(), Vec::new());
        for settings in trunks {
            let mut key = [0; 32];
            getrandom::fill(&mut key).map_err(StartError::Randomness)?;
            let (commands, inbox) = mpsc::unbounded_channel();
            let (state, seen) = watch::channel(State::Starting);
            let dialogs = Arc::new(AtomicUsize::new(0));
            let name = settings.name.clone();
            let shell = Shell::new(settings, key, inbox, state, dialogs.clone())?;
            tasks.push(tokio::spawn(shell.run()));
            lines.push(Line { name, commands, state: seen, dialogs });
        }
        Ok(Self { lines, tasks, next: AtomicU64::new(0) })
    }

    /// Calls. Trunks that are ready come first, those that failed last.
    pub fn call(&self, dial: Dial) -> Leg {
        let mut lines = self.lines.clone();
        lines.sort_by_key(|line| match &*line.state.borrow() {
            State::Ready => 0,
            State::Starting => 1,
            State::Refused { .. } | State::Unreachable => 2,
        });
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let mut leg = Leg { id, dial, lines: lines.into(), now: None, rang: false, over: false };
        leg.next_line();
        leg
    }

    /// The trunks by name, and how we stand with each.
    pub fn states(&self) -> Vec<(String, State)> {
        self.lines.iter().map(|line| (line.name.clone(), line.state.borrow().clone())).collect()
    }

    /// How we stand with each trunk, in the order of [`Self::states`], to be told of changes.
    pub fn watch(&self) -> Vec<watch::Receiver<State>> {
        self.lines.iter().map(|line| line.state.clone()).collect()
    }

    /// Calls of which something is left on the wire.
    pub fn dialogs(&self) -> usize {
        self.lines.iter().map(|line| line.dialogs.load(Ordering::Relaxed)).sum()
    }

    /// Ends every call, takes registrations back, and waits for that for 2 s at most.
    pub async fn stop(mut self) {
        for line in &self.lines {
            // a task that is gone already has nothing to stop
            let _ = line.commands.send(Command::Stop);
        }
        for task in std::mem::take(&mut self.tasks) {
            let _ = task.await;
        }
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

/// A call on its way or going on. Dropped, it is hung up.
pub struct Leg {
    id: u64,
    dial: Dial,
    /// Trunks that were not tried yet.
    lines: VecDeque<Line>,
    now: Option<(Line, mpsc::Receiver<Event>)>,
    rang: bool,
    over: bool,
}

impl Leg {
    fn next_line(&mut self) -> bool {
        self.now = None;
        let Some(line) = self.lines.pop_front() else { return false };
        let (events, inbox) = mpsc::channel(EVENTS);
        let call = Command::Call { id: self.id, dial: Box::new(self.dial.clone()), events };
        // a task that is gone drops the events: that is heard as an end
        let _ = line.commands.send(call);
        self.now = Some((line, inbox));
        true
    }

    /// What becomes of it; `None` after its end. Nothing is lost when this is given up half-way.
    pub async fn event(&mut self) -> Option<Event> {
        if self.over {
            return None;
        }
        loop {
            let event = match &mut self.now {
                Some((_, events)) => events.recv().await.unwrap_or(Event::Ended(Why::Lost)),
                // there is no trunk
                None => Event::Ended(Why::Unreachable),
            };
            match &event {
                Event::Ringing | Event::Answered { .. } => self.rang = true,
                Event::Ended(why) => {
                    if !self.rang && why.another_may() && self.next_line() {
                        continue;
                    }
                    self.over = true;
                }
                Event::Changed { .. } | Event::Info { .. } => {}
            }
            return Some(event);
        }
    }

    /// Ends it; `Ended` follows.
    pub fn hang_up(&mut self) {
        self.lines.clear();
        self.tell(Command::HangUp(self.id));
    }

    /// Sends an INFO, as `application/dtmf-relay`.
    pub fn info(&self, kind: &str, body: Vec<u8>) {
        self.tell(Command::Info { id: self.id, kind: kind.to_owned(), body });
    }

    fn tell(&self, command: Command) {
        if let Some((line, _)) = &self.now {
            // a task that is gone has no call either
            let _ = line.commands.send(command);
        }
    }
}

impl Drop for Leg {
    fn drop(&mut self) {
        if !self.over {
            self.hang_up();
        }
    }
}

/// The sockets and the clock of one trunk.
struct Shell {
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
    fn new(
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

    async fn run(mut self) {
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
                if let Some(at) = self.waiting.iter().position(|(waiting, _)| *waiting == id) {
                    self.waiting.remove(at);
                    self.tell(id, Event::Ended(Why::WeHungUp));
                }
                self.trunk.hang_up(id, now);
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
