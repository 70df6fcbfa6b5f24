//! The link: one mutually authenticated connection to the server, dialled again whenever it is lost.
//!
//! ```text
//!        ┌────────── wait (backoff with jitter) ◀─────────────┐
//!        ▼                                                    │ any error, silence, garbage
//!   dial, TLS 1.3 ──▶ attach to the doors ──▶ hello, welcome ──▶ messages both ways
//! ```
//!
//! The link carries messages and decides nothing. It holds no door's state: `hello` tells what the doors say of
//! themselves, reports are passed on in their order, and what was not sent when a connection ends is not sent on
//! the next one (`hello` has the state; an outcome that the server did not get counts as none).

use crate::VERSION;
use crate::address::ServerAddress;
use crate::backoff::Backoff;
use crate::connection::{Connection, ConnectionError, SILENCE_LIMIT};
use crate::doors::{Attached, Request};
use crate::tls::{DialError, dial};
use klinke_access::open_command::OpenCommand;
use klinke_model::ids::BootId;
use klinke_model::time::Clock;
use klinke_wire::CONTROLLER;
use klinke_wire::controller::{ControllerEvent, ControllerRequest, HEARTBEAT_MS};
use rustls::ClientConfig;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until};
use tracing::{debug, info, warn};

const HEARTBEAT: Duration = Duration::from_millis(HEARTBEAT_MS);

/// Why a connection is not, or no more, a link.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// No connection, or not to our server.
    #[error(transparent)]
    Dial(#[from] DialError),
    /// The connection ended.
    #[error(transparent)]
    Connection(#[from] ConnectionError),
    /// The server does not go on; its reason in English.
    #[error("the server refused: {0:?}")]
    Refused(String),
    /// The server speaks another version.
    #[error("the server speaks version {0} of the protocol, this is {CONTROLLER}")]
    Version(u16),
    /// The server sent something that was not its turn.
    #[error("the server did not keep to the protocol")]
    OutOfTurn,
    /// The server takes reports slower than doors move.
    #[error("the server does not keep up")]
    Overrun,
    /// The task of the doors has ended: so does the process.
    #[error("the doors are gone")]
    DoorsGone,
}

/// The link of one controller.
pub struct Link {
    /// Where to dial.
    pub server: ServerAddress,
    /// Who we are and whom we trust.
    pub tls: Arc<ClientConfig>,
    /// This start of the process.
    pub boot: BootId,
    /// How many outputs the board has.
    pub outputs: u16,
    /// The machine's clocks.
    pub clock: Arc<dyn Clock>,
    /// The way to the doors.
    pub doors: mpsc::Sender<Request>,
}

impl Link {
    /// Keeps the link until the future is dropped.
    pub async fn keep(self) {
        let mut backoff = Backoff::default();
        let mut is_known_lost = false;
        loop {
            let mut stood = false;
            let Err(error) = self.once(&mut stood).await;
            if stood {
                backoff.succeeded();
            }
            // without randomness the longest wait of the turn is still a fair one
            let wait = backoff.failed(getrandom::u64().unwrap_or_default());
            if stood || !is_known_lost {
                warn!(%error, "no link to the server; dialling until there is one");
            } else {
                debug!(%error, ?wait, "still no link");
            }
            is_known_lost = true;
            tokio::time::sleep(wait).await;
        }
    }

    /// One connection, from dialling to its end. Sets `stood` when a heartbeat was answered.
    async fn once(&self, stood: &mut bool) -> Result<Infallible, LinkError> {
        let mut connection = Connection::new(dial(&self.server, Arc::clone(&self.tls)).await?);
        let mut reports = self.greet(&mut connection).await?;
        info!("linked to the server");

        let mut heartbeat = interval_at(Instant::now() + HEARTBEAT, HEARTBEAT);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut heard = Instant::now();
        loop {
            tokio::select! {
                event = connection.receive() => {
                    heard = Instant::now();
                    let event = event?;
                    *stood |= event == ControllerEvent::Alive;
                    self.obey(event).await?;
                }
                report = reports.recv() => connection.send(&report.ok_or(LinkError::Overrun)?).await?,
                _ = heartbeat.tick() => {
                    connection.send(&ControllerRequest::Heartbeat { mono: self.clock.mono() }).await?;
                }
                () = sleep_until(heard + SILENCE_LIMIT) => return Err(ConnectionError::Silent.into()),
            }
        }
    }

    /// Says hello, awaits the welcome, and passes its configuration on.
    async fn greet(
        &self,
        connection: &mut Connection,
    ) -> Result<mpsc::Receiver<ControllerRequest>, LinkError> {
        let (sender, attached) = oneshot::channel();
        self.ask(Request::Attach(sender)).await?;
        let Attached { doors, reports } = attached.await.map_err(|_| LinkError::DoorsGone)?;
        let hello = ControllerRequest::Hello {
            protocol: CONTROLLER,
            boot: self.boot,
            mono: self.clock.mono(),
            version: VERSION.to_owned(),
            outputs: self.outputs,
            doors,
        };
        connection.send(&hello).await?;
        let answer = tokio::time::timeout(SILENCE_LIMIT, connection.receive()).await;
        match answer.map_err(|_| ConnectionError::Silent)?? {
            ControllerEvent::Welcome { protocol: CONTROLLER, wanted, .. } => {
                self.ask(Request::Configure(wanted)).await?;
                Ok(reports)
            }
            ControllerEvent::Welcome { protocol, .. } => Err(LinkError::Version(protocol)),
            ControllerEvent::Refused { reason } => Err(LinkError::Refused(reason)),
            _ => Err(LinkError::OutOfTurn),
        }
    }

    async fn obey(&self, event: ControllerEvent) -> Result<(), LinkError> {
        match event {
            ControllerEvent::Open { boot, opening, door, hold_ms, not_after } => {
                self.ask(Request::Open(OpenCommand { boot, opening, door, hold_ms, not_after })).await
            }
            ControllerEvent::Configure { wanted } => self.ask(Request::Configure(wanted)).await,
            ControllerEvent::Alive => Ok(()),
            ControllerEvent::Refused { reason } => Err(LinkError::Refused(reason)),
            ControllerEvent::Welcome { .. }
            | ControllerEvent::PairingCode { .. }
            | ControllerEvent::Paired { .. } => Err(LinkError::OutOfTurn),
        }
    }

    async fn ask(&self, request: Request) -> Result<(), LinkError> {
        self.doors.send(request).await.map_err(|_| LinkError::DoorsGone)
    }
}
