//! Stations: devices that register with us over SIP. A desk phone or a SIP app is called like a phone, without a trunk and
//! without cost; a door station calls us.
//!
//! For whoever owns it:
//!
//! - [`House::start`] listens where [`Settings`] say, which by themselves say nowhere, and gives the calls that come in.
//! - [`House::accounts`] says who may register: random names with the digests of random passwords, never passwords. It may be
//!   said anew at any time; who is no longer among them is out at once, and out of their call.
//! - [`House::registered`] is who is there now, to be watched. Nothing else is kept of it, least of all when somebody was seen.
//! - [`House::locate`] is from where a device speaks, for whoever has to reach it in another way.
//! - [`House::call`] calls a device. Its [`Event`]s are those of a phone; a station's answer is a person's, so `Answered` counts.
//! - [`Incoming`] is a door station that calls: whose device it is, what was dialled, its description, and what to do with it.
//!   Who shows a description before the answer ([`Incoming::show`]) gets its picture while it rings, where it can do that.
//!
//! One task runs the core with sockets and the clock; one more for each connection. Every call ends at its limit by our BYE.

mod connection;
mod core;
mod shell;
#[cfg(test)]
mod tests;

pub use crate::leg::{Accept, Event, HOPS, Refusal, Reoffer};
pub use crate::registrar::{Accounts, Digests, Limits, Secret};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use shell::{Command, Shell};
use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

/// Events of one leg that nobody took yet, at most; what comes on top is dropped, but for its end.
const EVENTS: usize = 64;

/// Where devices come to, and what they may do. By itself nowhere.
pub struct Settings {
    /// Our address for datagrams; a port of 0 takes a free one.
    pub udp: Option<SocketAddr>,
    /// For connections.
    pub tcp: Option<SocketAddr>,
    /// For connections inside TLS.
    pub tls: Option<Tls>,
    /// Which digests devices are asked for.
    pub digests: Digests,
    /// What strangers and devices may cost.
    pub limits: Limits,
    /// RFC 3261's estimate of a round trip; 500 ms by the standard.
    pub t1: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        let t1 = crate::agent::T1;
        Self { udp: None, tcp: None, tls: None, digests: Digests::Both, limits: Limits::default(), t1 }
    }
}

/// An address with a certificate.
pub struct Tls {
    /// Our address.
    pub address: SocketAddr,
    /// The certificate, then those that vouch for it.
    pub chain: Vec<CertificateDer<'static>>,
    /// Its key.
    pub key: PrivateKeyDer<'static>,
}

/// Why nobody can register.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The operating system gives no randomness.
    #[error("no randomness: {0}")]
    Randomness(getrandom::Error),
    /// An address is not ours, or in use.
    #[error("{0}: {1}")]
    Address(SocketAddr, std::io::Error),
    /// Certificate and key do not fit, or are none.
    #[error("the certificate for devices: {0}")]
    Certificate(rustls::Error),
}

/// On which addresses we listen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Addresses {
    /// For datagrams.
    pub udp: Option<SocketAddr>,
    /// For connections.
    pub tcp: Option<SocketAddr>,
    /// For connections inside TLS.
    pub tls: Option<SocketAddr>,
}

/// Our SDP for a call to a device, given whether the way there is encrypted (TLS): keys in it are worth what that way is.
pub type Offer = Arc<dyn Fn(bool) -> String + Send + Sync>;

/// A call that is to be made to a device.
#[derive(Clone)]
pub struct Ring {
    /// Its name.
    pub device: String,
    /// What its display is to show: where somebody rings. Nothing of who is rung.
    pub caller: String,
    /// Our SDP, asked for once.
    pub offer: Offer,
    /// How long it may ring.
    pub ring: Duration,
    /// How long it may last after the answer; then we end it.
    pub talk: Duration,
    /// How far it may go, as [`HOPS`].
    pub hops: u8,
    /// What is said to offers during the call.
    pub reoffer: Reoffer,
}

/// All devices that register with us. Dropped, nobody is registered and every call is cut.
pub struct House {
    commands: mpsc::UnboundedSender<Command>,
    registered: watch::Receiver<Arc<BTreeSet<String>>>,
    dialogs: Arc<AtomicUsize>,
    addresses: Addresses,
    next: AtomicU64,
    task: JoinHandle<()>,
}

impl House {
    /// Begins to listen. Calls of door stations come out of the receiver; while nobody takes them, they are refused.
    ///
    /// # Errors
    /// When there is no randomness, an address can not be had, or the certificate is none.
    pub async fn start(settings: Settings) -> Result<(Self, mpsc::Receiver<Incoming>), StartError> {
        let (commands, inbox) = mpsc::unbounded_channel();
        let (sender, registered) = watch::channel(Arc::default());
        let (incoming, taken) = mpsc::channel(EVENTS);
        let dialogs = Arc::new(AtomicUsize::new(0));
        let mut key = [0; 32];
        getrandom::fill(&mut key).map_err(StartError::Randomness)?;
        let told = shell::Told { registered: sender, incoming, dialogs: dialogs.clone() };
        let (shell, addresses) = Shell::new(settings, key, (commands.downgrade(), inbox), told).await?;
        let task = tokio::spawn(shell.run());
        Ok((Self { commands, registered, dialogs, addresses, next: AtomicU64::new(0), task }, taken))
    }

    /// Where it listens.
    pub const fn addresses(&self) -> Addresses {
        self.addresses
    }

    /// These may register, and nobody else, once the future is ready.
    pub fn accounts(&self, accounts: Accounts) -> impl Future<Output = ()> + Send + use<> {
        let (done, in_force) = oneshot::channel();
        // a task that is gone lets nobody register
        let _ = self.commands.send(Command::Accounts { accounts, done });
        async { _ = in_force.await }
    }

    /// Who is registered, by the names of their accounts.
    pub fn registered(&self) -> watch::Receiver<Arc<BTreeSet<String>>> {
        self.registered.clone()
    }

    /// Calls a device. One that is not registered is [`Why::Unreachable`](crate::why::Why::Unreachable) at once.
    pub fn call(&self, ring: Ring) -> Leg {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let (events, inbox) = mpsc::channel(EVENTS);
        // a task that is gone drops the events: that is heard as an end
        let _ = self.commands.send(Command::Call { id, ring: Box::new(ring), events });
        Leg { id, commands: self.commands.downgrade(), events: inbox, over: false }
    }

    /// The address that a device speaks from; nothing when it is not registered.
    pub fn locate(&self, device: String) -> oneshot::Receiver<Option<IpAddr>> {
        let (reply, told) = oneshot::channel();
        // a task that is gone drops the reply: nobody is registered any more
        let _ = self.commands.send(Command::Locate { device, reply });
        told
    }

    /// Calls of which something is left on the wire.
    pub fn dialogs(&self) -> usize {
        self.dialogs.load(Ordering::Relaxed)
    }

    /// Ends every call, and waits for that for 2 s at most.
    pub async fn stop(mut self) {
        let _ = self.commands.send(Command::Stop);
        let _ = (&mut self.task).await;
    }
}

impl Drop for House {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A call with a device. Dropped, it is hung up, or refused where it was not answered.
pub struct Leg {
    id: u64,
    commands: mpsc::WeakUnboundedSender<Command>,
    events: mpsc::Receiver<Event>,
    over: bool,
}

impl Leg {
    /// What becomes of it; `None` after its end. Nothing is lost when this is given up half-way.
    pub async fn event(&mut self) -> Option<Event> {
        if self.over {
            return None;
        }
        let event = self.events.recv().await.unwrap_or(Event::Ended(crate::why::Why::Lost));
        self.over = matches!(event, Event::Ended(_));
        Some(event)
    }

    /// Ends it; `Ended` follows.
    pub fn hang_up(&self) {
        self.tell(Command::HangUp(self.id));
    }

    /// Ends it because somebody else has the call: a device that only rang does not list it as missed. `Ended` follows.
    pub fn completed_elsewhere(&self) {
        self.tell(Command::CompletedElsewhere(self.id));
    }

    /// Sends an INFO with this content type and body.
    pub fn info(&self, kind: &str, body: Vec<u8>) {
        self.tell(Command::Info { id: self.id, kind: kind.to_owned(), body });
    }

    fn tell(&self, command: Command) {
        if let Some(commands) = self.commands.upgrade() {
            // a task that is gone has no call either
            let _ = commands.send(command);
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

/// A door station that calls.
pub struct Incoming {
    /// Whose account it is.
    pub device: String,
    /// What was dialled: the user part of the address, at most 64 letters, maybe none. Its call button is one such.
    pub dialled: String,
    /// Its description; `None` where it waits for one of ours.
    pub offer: Option<String>,
    /// Whether it came on an encrypted way (TLS).
    pub over_tls: bool,
    /// How far calls may go that are made because of it, below [`HOPS`]; 0 reaches who is next to us.
    pub hops: u8,
    /// Whether no other call of this device goes on: what was before it is over on the wire.
    pub is_only: bool,
    /// The call itself. Before the answer it tells only its end; then [`Event::Acknowledged`] once they have that.
    pub leg: Leg,
}

impl Incoming {
    /// Lets the station know that it rings.
    pub fn ring(&self) {
        self.leg.tell(Command::Ring { id: self.leg.id, early: None });
    }

    /// The same with our description, so that picture and sound may flow before the answer. The answer will have this
    /// description again, whatever it is given.
    pub fn show(&self, sdp: String) {
        self.leg.tell(Command::Ring { id: self.leg.id, early: Some(sdp) });
    }

    /// Takes the call.
    pub fn accept(&self, accept: Accept) {
        self.leg.tell(Command::Accept { id: self.leg.id, accept: Box::new(accept) });
    }

    /// Does not take it; `Ended` follows.
    pub fn refuse(&self, refusal: Refusal) {
        self.leg.tell(Command::Refuse { id: self.leg.id, refusal });
    }
}
