//! The house's one door to SIP: trunks that stand, and calls over them. One task for each trunk runs its core (`trunk`) with
//! sockets and the clock; nothing else here waits or keeps state.
//!
//! A call goes to the first trunk that is ready. When that one does not get as far as the phone, the next one tries; once a
//! phone has rung, nobody else is tried.

mod shell;

use crate::digest::Account;
pub use crate::leg::{Dial, Encrypted, Event, HOPS, Reoffer};
pub use crate::sdp::Encryption;
pub use crate::standing::State;
use crate::why::Why;
pub use crate::wire::{Roots, Way};
use shell::{Command, Shell};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

/// RFC 3261's estimate of a round trip.
pub const T1: Duration = Duration::from_millis(500);

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
    /// Whether the sound of its calls is encrypted, with keys in the description: over TLS only, so that nobody on the way
    /// reads them. Without TLS, [`Encryption::Offered`] is as good as off, and [`Encryption::Required`] is an error.
    pub encryption: Encryption,
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
    /// Encrypted sound is required of a trunk to which its keys would travel in the open.
    #[error("encrypted sound needs a trunk over TLS: its keys would be readable on the way")]
    KeysInTheOpen,
}

#[derive(Clone)]
struct Line {
    name: String,
    encryption: Encryption,
    commands: mpsc::UnboundedSender<Command>,
    state: watch::Receiver<State>,
    dialogs: Arc<AtomicUsize>,
    calls: Arc<AtomicUsize>,
}

/// A call that goes over a trunk counts as long as this lives.
struct Counted(Arc<AtomicUsize>);

impl Counted {
    fn one_more(calls: &Arc<AtomicUsize>) -> Self {
        calls.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(calls))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
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
            let encryption = match (&settings.way, settings.encryption) {
                (Way::Tls(_), encryption) => encryption,
                (Way::Udp | Way::Tcp, Encryption::Required) => return Err(StartError::KeysInTheOpen),
                (Way::Udp | Way::Tcp, Encryption::Off | Encryption::Offered) => Encryption::Off,
            };
            let mut key = [0; 32];
            getrandom::fill(&mut key).map_err(StartError::Randomness)?;
            let (commands, inbox) = mpsc::unbounded_channel();
            let (state, seen) = watch::channel(State::Starting);
            let dialogs = Arc::new(AtomicUsize::new(0));
            let name = settings.name.clone();
            let shell = Shell::new(settings, key, inbox, state, dialogs.clone())?;
            tasks.push(tokio::spawn(shell.run()));
            let calls = Arc::default();
            lines.push(Line { name, encryption, commands, state: seen, dialogs, calls });
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
        self.begin(dial, lines)
    }

    /// Calls over the trunk of this name and no other; `None` when there is none.
    pub fn call_over(&self, name: &str, dial: Dial) -> Option<Leg> {
        let line = self.lines.iter().find(|line| line.name == name)?;
        Some(self.begin(dial, vec![line.clone()]))
    }

    fn begin(&self, dial: Dial, lines: Vec<Line>) -> Leg {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let mut leg =
            Leg { id, dial, lines: lines.into(), now: None, counted: None, rang: false, over: false };
        leg.next_line();
        leg
    }

    /// The trunks by name, and how many calls ring or go on over each.
    pub fn calls(&self) -> Vec<(String, usize)> {
        self.lines.iter().map(|line| (line.name.clone(), line.calls.load(Ordering::Relaxed))).collect()
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

/// The call as it goes over a trunk with this encryption; none when it may not.
fn for_line(dial: &Dial, encryption: Encryption) -> Option<Dial> {
    match (&dial.encrypted, encryption) {
        (_, Encryption::Off) => Some(dial.clone()),
        (None, Encryption::Offered) => Some(dial.clone()),
        (None, Encryption::Required) => None,
        (Some(encrypted), Encryption::Offered | Encryption::Required) => {
            let reoffer = encrypted.reoffer.clone();
            Some(Dial {
                offer: (encrypted.offer)(encryption),
                reoffer: Arc::new(move |offer| reoffer(encryption, offer)),
                ..dial.clone()
            })
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
    counted: Option<Counted>,
    rang: bool,
    over: bool,
}

impl Leg {
    fn next_line(&mut self) -> bool {
        (self.now, self.counted) = (None, None);
        let (line, dial) = loop {
            let Some(line) = self.lines.pop_front() else { return false };
            if let Some(dial) = for_line(&self.dial, line.encryption) {
                break (line, dial);
            }
        };
        let (events, inbox) = mpsc::channel(EVENTS);
        let call = Command::Call { id: self.id, dial: Box::new(dial), events };
        // a task that is gone drops the events: that is heard as an end
        let _ = line.commands.send(call);
        self.counted = Some(Counted::one_more(&line.calls));
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
                    self.counted = None;
                }
                Event::Changed { .. } | Event::Acknowledged | Event::Info { .. } => {}
            }
            return Some(event);
        }
    }

    /// The name of the trunk that it goes over at present; `None` when there is none.
    pub fn trunk(&self) -> Option<&str> {
        self.now.as_ref().map(|(line, _)| line.name.as_str())
    }

    /// How the sound is encrypted on the trunk that it goes over at present: what the offer was made with.
    pub fn encryption(&self) -> Encryption {
        let line = self.now.as_ref().filter(|_| self.dial.encrypted.is_some());
        line.map_or(Encryption::Off, |(line, _)| line.encryption)
    }

    /// Ends it; `Ended` follows.
    pub fn hang_up(&mut self) {
        self.lines.clear();
        self.tell(Command::HangUp(self.id));
    }

    /// Ends it because somebody else has the call: a phone that only rang does not list it as missed, where the trunk passes
    /// that on. `Ended` follows.
    pub fn completed_elsewhere(&mut self) {
        self.lines.clear();
        self.tell(Command::CompletedElsewhere(self.id));
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
