//! Devices that wait for an administrator, in memory.
//!
//! ```text
//!   open_panel / open_controller            the device shows its code
//!        │
//!        ▼
//!     waiting ── 10 min ──▶ expired         told to a panel for another 10 min, then forgotten
//!        │ reserve(code | ticket)
//!        ▼
//!     reserved ── dropped ──▶ waiting       the claim failed: the code still stands
//!        │ settle
//!        ▼
//!     claimed                               told to the panel until it is forgotten
//! ```
//!
//! A code is claimed at most once. It has 8 digits for human hands, so it is short-lived, at most [`ROOM`] wait at
//! a time, an address can open only a few, and an administrator can try only a few. A panel proves that it is the
//! one that opened the pairing by a 256-bit secret; a controller by the connection it waits on.

use crate::auth::limit::{Limit, TooMany};
use crate::auth::token::{Token, TokenHash};
use crate::http::client::Prefix;
use crate::random::Random;
use klinke_model::ids::{ControllerId, PairingId, PanelId, PersonId, TenantId};
use klinke_model::time::{Clock, Mono};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;

/// How long a code can be claimed.
pub const LIFE: Duration = Duration::from_secs(600);

/// How many devices may wait at a time.
pub const ROOM: usize = 100;

/// The pairings of this installation.
pub struct Pairings {
    clock: Arc<dyn Clock>,
    random: Arc<Random>,
    entries: Mutex<Vec<Entry>>,
    tickets: Mutex<Vec<Ticket>>,
    openings: Limit<Prefix>,
    claims: Limit<PersonId>,
}

struct Entry {
    id: PairingId,
    code: PairingCode,
    /// A panel's; a controller waits on its connection instead.
    secret: Option<TokenHash>,
    opened: Mono,
    state: State,
}

enum State {
    Waiting(Device),
    Reserved,
    Claimed(PanelId),
}

/// A device that waits.
#[derive(Debug)]
pub enum Device {
    /// A panel and its public key (SPKI DER, P-256).
    Panel {
        /// The key.
        public_key: Vec<u8>,
    },
    /// A controller.
    Controller(WaitingController),
}

/// A controller that waits on its connection.
#[derive(Debug)]
pub struct WaitingController {
    /// Its certificate signing request, PEM.
    pub csr: String,
    /// Its software version.
    pub version: String,
    /// How many outputs it has.
    pub outputs: u16,
    answer: oneshot::Sender<Claimed>,
}

impl WaitingController {
    /// Tells the controller who it is now. A connection that is gone will pair again.
    pub fn tell(self, claimed: Claimed) {
        let _ = self.answer.send(claimed);
    }
}

/// What a claimed controller is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claimed {
    /// Who it is.
    pub controller: ControllerId,
    /// Its client certificate, PEM.
    pub certificate: String,
    /// The installation's authority, PEM.
    pub authority: String,
}

/// How often a ticket can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TicketUse {
    /// Once.
    Once,
    /// As often as wanted until this process ends, each time replacing the key: the demo's addresses.
    UntilRestart,
}

struct Ticket {
    usable: TicketUse,
    hash: TokenHash,
    tenant: TenantId,
    panel: PanelId,
}

/// Eight digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PairingCode(u32);

impl PairingCode {
    /// What somebody typed: eight digits, spaces and dashes left out.
    pub fn parse(typed: &str) -> Option<Self> {
        let digits: String = typed.chars().filter(|c| !matches!(c, ' ' | '-' | '\u{a0}')).take(9).collect();
        let all_digits = digits.len() == 8 && digits.bytes().all(|byte| byte.is_ascii_digit());
        if all_digits { digits.parse().ok().map(Self) } else { None }
    }
}

impl std::fmt::Display for PairingCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:04} {:04}", self.0 / 10_000, self.0 % 10_000)
    }
}

/// A pairing that a panel opened.
#[derive(Debug)]
pub struct OpenedPanel {
    /// Which.
    pub pairing: PairingId,
    /// What the panel proves itself with.
    pub secret: Token,
    /// What it shows.
    pub code: PairingCode,
}

/// Why a pairing was not opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// [`ROOM`] devices wait already.
    #[error("too many devices wait to be paired")]
    Full,
    /// This address has opened too many.
    #[error(transparent)]
    TooMany(#[from] TooMany),
}

/// How a panel's pairing stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nobody has claimed it yet.
    Waiting,
    /// It is this panel now.
    Claimed(PanelId),
    /// Nobody claimed it in time.
    Expired,
}

impl Pairings {
    /// None waiting.
    pub fn new(clock: Arc<dyn Clock>, random: Arc<Random>) -> Self {
        Self {
            openings: Limit::new(clock.clone(), 10, Duration::from_secs(30)),
            claims: Limit::new(clock.clone(), 10, Duration::from_secs(10)),
            clock,
            random,
            entries: Mutex::default(),
            tickets: Mutex::default(),
        }
    }

    /// A panel with this key (SPKI DER, P-256, checked by the caller) begins to wait.
    ///
    /// # Errors
    /// When there is no room, or this address has opened too many.
    pub fn open_panel(&self, client: Prefix, public_key: Vec<u8>) -> Result<OpenedPanel, OpenError> {
        let secret = Token::new(&self.random);
        let (pairing, code) = self.open(client, Device::Panel { public_key }, Some(secret.hash()))?;
        Ok(OpenedPanel { pairing, secret, code })
    }

    /// A controller begins to wait on its connection: drop the receiver when the connection is gone.
    ///
    /// # Errors
    /// When there is no room, or this address has opened too many.
    pub fn open_controller(
        &self,
        client: Prefix,
        csr: String,
        version: String,
        outputs: u16,
    ) -> Result<(PairingCode, oneshot::Receiver<Claimed>), OpenError> {
        let (answer, claimed) = oneshot::channel();
        let waiting = WaitingController { csr, version, outputs, answer };
        let (_, code) = self.open(client, Device::Controller(waiting), None)?;
        Ok((code, claimed))
    }

    fn open(
        &self,
        client: Prefix,
        device: Device,
        secret: Option<TokenHash>,
    ) -> Result<(PairingId, PairingCode), OpenError> {
        let now = self.clock.mono();
        let mut entries = self.entries();
        entries.retain(|entry| entry.is_remembered(now));
        if entries.iter().filter(|entry| entry.is_open(now)).count() >= ROOM {
            return Err(OpenError::Full);
        }
        // Counted for good: a pairing that was opened is never given back.
        let _counted = self.openings.take(client)?;
        let code = loop {
            let code = PairingCode(self.random.below(100_000_000));
            if entries.iter().all(|entry| entry.code != code) {
                break code;
            }
        };
        let id = self.random.v4();
        entries.push(Entry { id, code, secret, opened: now, state: State::Waiting(device) });
        Ok((id, code))
    }

    /// How a panel's pairing stands; `None` for a pairing that is not there and for a wrong secret alike.
    pub fn standing(&self, pairing: PairingId, secret: &Token) -> Option<Standing> {
        let now = self.clock.mono();
        let entries = self.entries();
        let entry = entries.iter().find(|entry| entry.belongs_to(pairing, secret))?;
        Some(match entry.state {
            State::Claimed(panel) => Standing::Claimed(panel),
            State::Waiting(_) | State::Reserved if entry.is_open(now) => Standing::Waiting,
            State::Waiting(_) | State::Reserved => Standing::Expired,
        })
    }

    /// Takes the device that shows this code for as long as the claim takes; `None` when no such device waits, or
    /// when it is not of the kind that `wanted` says.
    ///
    /// # Errors
    /// When this administrator has tried too many codes.
    pub fn reserve(
        &self,
        administrator: PersonId,
        code: PairingCode,
        wanted: fn(&Device) -> bool,
    ) -> Result<Option<Reservation<'_>>, TooMany> {
        let attempt = self.claims.take(administrator)?;
        let found = self.take(|entry| entry.code == code, wanted);
        if found.is_some() {
            attempt.give_back();
        }
        Ok(found)
    }

    /// Takes the panel that opened this pairing, for a claim by ticket.
    pub fn reserve_own(&self, pairing: PairingId, secret: &Token) -> Option<Reservation<'_>> {
        self.take(|entry| entry.belongs_to(pairing, secret), |device| matches!(device, Device::Panel { .. }))
    }

    fn take(&self, fits: impl Fn(&Entry) -> bool, wanted: fn(&Device) -> bool) -> Option<Reservation<'_>> {
        let now = self.clock.mono();
        let mut entries = self.entries();
        let entry = entries.iter_mut().find(|entry| entry.is_open(now) && fits(entry))?;
        if !matches!(&entry.state, State::Waiting(device) if wanted(device)) {
            return None;
        }
        let State::Waiting(device) = std::mem::replace(&mut entry.state, State::Reserved) else {
            return None;
        };
        Some(Reservation { pairings: self, id: entry.id, device: Some(device) })
    }

    /// A ticket with which a device can claim itself to be `panel`; good until a restart.
    pub fn issue_ticket(&self, tenant: TenantId, panel: PanelId, usable: TicketUse) -> Token {
        let token = Token::new(&self.random);
        self.tickets().push(Ticket { usable, hash: token.hash(), tenant, panel });
        token
    }

    /// Uses a ticket: the panel that it stands for.
    pub fn use_ticket(&self, ticket: &Token) -> Option<(TenantId, PanelId)> {
        let hash = ticket.hash();
        let mut tickets = self.tickets();
        let place = tickets.iter().position(|ticket| ticket.hash == hash)?;
        let ticket = tickets.get(place)?;
        let stands_for = (ticket.tenant, ticket.panel);
        if ticket.usable == TicketUse::Once {
            tickets.swap_remove(place);
        }
        Some(stands_for)
    }

    fn entries(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tickets(&self) -> MutexGuard<'_, Vec<Ticket>> {
        self.tickets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    /// Can be claimed, or is being claimed.
    fn is_open(&self, now: Mono) -> bool {
        let alive = match &self.state {
            State::Waiting(Device::Controller(waiting)) => !waiting.answer.is_closed(),
            State::Waiting(Device::Panel { .. }) | State::Reserved => true,
            State::Claimed(_) => false,
        };
        alive && now.since(self.opened) < LIFE
    }

    fn is_remembered(&self, now: Mono) -> bool {
        self.is_open(now) || (self.secret.is_some() && now.since(self.opened) < 2 * LIFE)
    }

    fn belongs_to(&self, pairing: PairingId, secret: &Token) -> bool {
        self.id == pairing && self.secret == Some(secret.hash())
    }
}

/// A device that is being claimed. Dropped without [`Reservation::settle_panel`] or
/// [`Reservation::settle_controller`], it waits again: a claim that failed half-way, or whose administrator went
/// away, has not used the code up.
#[must_use]
pub struct Reservation<'a> {
    pairings: &'a Pairings,
    id: PairingId,
    device: Option<Device>,
}

impl Reservation<'_> {
    /// The device.
    pub const fn device(&self) -> Option<&Device> {
        self.device.as_ref()
    }

    /// It is this panel now.
    pub fn settle_panel(mut self, panel: PanelId) {
        self.device = None;
        let mut entries = self.pairings.entries();
        if let Some(entry) = entries.iter_mut().find(|entry| entry.id == self.id) {
            entry.state = State::Claimed(panel);
        }
    }

    /// It is this controller now: tells it so.
    pub fn settle_controller(mut self, claimed: Claimed) {
        if let Some(Device::Controller(waiting)) = self.device.take() {
            waiting.tell(claimed);
        }
        self.pairings.entries().retain(|entry| entry.id != self.id);
    }
}

impl Drop for Reservation<'_> {
    fn drop(&mut self) {
        let Some(device) = self.device.take() else { return };
        let mut entries = self.pairings.entries();
        if let Some(entry) = entries.iter_mut().find(|entry| entry.id == self.id) {
            entry.state = State::Waiting(device);
        }
    }
}

#[cfg(test)]
#[path = "pairing_tests.rs"]
mod tests;
