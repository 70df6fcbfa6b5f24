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
//! the next one (`hello` has the state; an outcome that the server did not get counts as none). What the server has to know all
//! the same stands in the [`Journal`], and is told until it is noted.

use crate::VERSION;
use crate::address::ServerAddress;
use crate::backoff::Backoff;
use crate::connection::{Connection, ConnectionError, SILENCE_LIMIT};
use crate::doors::enrolling::Wish;
use crate::doors::{Attached, Request};
use crate::journal::Journal;
use crate::rights::Intake;
use crate::tls::{DialError, dial};
use crate::wanted::WantedFile;
use klinke_access::open_command::OpenCommand;
use klinke_model::ids::BootId;
use klinke_model::time::Clock;
use klinke_wire::CONTROLLER;
use klinke_wire::controller::{ControllerEvent, ControllerRequest, HEARTBEAT_MS, Wanted, WiredOutput};
use rustls::ClientConfig;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
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
    /// What is wired to them, as far as it is known.
    pub wired: Vec<WiredOutput>,
    /// The machine's clocks.
    pub clock: Arc<dyn Clock>,
    /// The way to the doors.
    pub doors: mpsc::Sender<Request>,
    /// Where rights go.
    pub rights: Intake,
    /// Where the doors are kept once they are driven.
    pub wanted: WantedFile,
    /// What the server has to be told.
    pub journal: Journal,
}

impl Link {
    /// Keeps the link until the future is dropped.
    pub async fn keep(mut self) {
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

    async fn once(&mut self, stood: &mut bool) -> Result<Infallible, LinkError> {
        let stream = dial(&self.server, Arc::clone(&self.tls)).await?;
        self.serve(Connection::new(stream), stood).await
    }

    /// One connection, to its end. Sets `stood` when a heartbeat was answered.
    async fn serve(
        &mut self,
        mut connection: Connection<impl AsyncRead + AsyncWrite + Unpin>,
        stood: &mut bool,
    ) -> Result<Infallible, LinkError> {
        let mut reports = self.greet(&mut connection).await?;
        info!("linked to the server");

        let mut heartbeat = interval_at(Instant::now() + HEARTBEAT, HEARTBEAT);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut heard = Instant::now();
        // one batch at a time is on its way
        let mut is_noting = false;
        loop {
            tokio::select! {
                event = connection.receive() => {
                    heard = Instant::now();
                    let event = event?;
                    *stood |= matches!(event, ControllerEvent::Alive { .. });
                    is_noting &= !matches!(event, ControllerEvent::Noted { .. });
                    if let Some(answer) = self.obey(event).await? {
                        connection.send(&answer).await?;
                    }
                }
                kept = self.rights.kept(), if self.rights.is_keeping() => {
                    if let Some(answer) = kept.flatten() {
                        connection.send(&answer).await?;
                    }
                }
                news = self.journal.news(), if !is_noting => {
                    connection.send(&news).await?;
                    is_noting = true;
                }
                report = reports.recv() => {
                    let report = report.ok_or(LinkError::Overrun)?;
                    connection.send(&report).await?;
                    if let ControllerRequest::Applied { revision } = report {
                        self.wanted.applied(revision).await;
                    }
                }
                _ = heartbeat.tick() => {
                    connection.send(&ControllerRequest::Heartbeat { mono: self.clock.mono() }).await?;
                }
                () = sleep_until(heard + SILENCE_LIMIT) => return Err(ConnectionError::Silent.into()),
            }
        }
    }

    /// Says hello, awaits the welcome, and passes its configuration on.
    async fn greet(
        &mut self,
        connection: &mut Connection<impl AsyncRead + AsyncWrite + Unpin>,
    ) -> Result<mpsc::Receiver<ControllerRequest>, LinkError> {
        let (sender, attached) = oneshot::channel();
        self.ask(Request::Attach(sender)).await?;
        let Attached { doors, readers, reports } = attached.await.map_err(|_| LinkError::DoorsGone)?;
        let hello = ControllerRequest::Hello {
            protocol: CONTROLLER,
            boot: self.boot,
            mono: self.clock.mono(),
            version: VERSION.to_owned(),
            outputs: self.outputs,
            doors,
            rights: self.rights.begin().await,
            wired: self.wired.clone(),
            readers,
            standing: Some(self.journal.standing_there()),
        };
        connection.send(&hello).await?;
        let answer = tokio::time::timeout(SILENCE_LIMIT, connection.receive()).await;
        match answer.map_err(|_| ConnectionError::Silent)?? {
            ControllerEvent::Welcome { protocol: CONTROLLER, wanted, time, .. } => {
                self.ask(Request::Time { server: time, newest: None }).await?;
                self.configure(wanted).await?;
                Ok(reports)
            }
            ControllerEvent::Welcome { protocol, .. } => Err(LinkError::Version(protocol)),
            ControllerEvent::Refused { reason } => Err(LinkError::Refused(reason)),
            _ => Err(LinkError::OutOfTurn),
        }
    }

    /// Does what the server says; what to answer at once.
    async fn obey(&mut self, event: ControllerEvent) -> Result<Option<ControllerRequest>, LinkError> {
        let request = match event {
            ControllerEvent::Open { boot, opening, door, hold_ms, not_after } => {
                Request::Open(OpenCommand { boot, opening, door, hold_ms, not_after })
            }
            ControllerEvent::Configure { wanted } => {
                self.configure(wanted).await?;
                return Ok(None);
            }
            ControllerEvent::Alive { time, newest } => Request::Time { server: time, newest },
            ControllerEvent::NotedUsed { credentials } => Request::NotedUsed(credentials),
            ControllerEvent::Noted { journal, seq } => {
                self.journal.noted(journal, seq);
                return Ok(None);
            }
            ControllerEvent::Enrol { boot, reading, reader, until } => {
                Request::Enrol(Wish { boot, reading, reader, until })
            }
            ControllerEvent::EndEnrol { reading } => Request::EndEnrol(reading),
            ControllerEvent::Rights { .. } | ControllerEvent::Part { .. } | ControllerEvent::Gone { .. } => {
                return Ok(self.rights.heard(event));
            }
            ControllerEvent::Refused { reason } => return Err(LinkError::Refused(reason)),
            ControllerEvent::Welcome { .. }
            | ControllerEvent::PairingCode { .. }
            | ControllerEvent::Paired { .. } => return Err(LinkError::OutOfTurn),
        };
        self.ask(request).await?;
        Ok(None)
    }

    async fn configure(&mut self, wanted: Wanted) -> Result<(), LinkError> {
        self.wanted.asked(wanted.clone());
        self.ask(Request::Configure(wanted)).await
    }

    async fn ask(&self, request: Request) -> Result<(), LinkError> {
        self.doors.send(request).await.map_err(|_| LinkError::DoorsGone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tls::{Fingerprint, pairing_config};
    use klinke_model::ids::{ControllerId, v4};
    use klinke_model::time::{Mono, Timestamp};
    use klinke_wire::frame::{decode, encode};
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
    use tokio::task::JoinHandle;

    struct TokioClock(Instant);

    impl Clock for TokioClock {
        fn now(&self) -> Timestamp {
            Timestamp::from_millis(0)
        }
        fn mono(&self) -> Mono {
            Mono::from_millis(u64::try_from(self.0.elapsed().as_millis()).unwrap())
        }
    }

    /// The server's end of a pipe, in paused time.
    struct Server {
        pipe: DuplexStream,
        received: Vec<u8>,
        link: JoinHandle<(LinkError, bool)>,
        /// The way of reports, held by the doors.
        reports: mpsc::Sender<ControllerRequest>,
        start: Instant,
    }

    impl Server {
        async fn start() -> Self {
            let (pipe, ours) = tokio::io::duplex(64 * 1024);
            let (doors, mut requests) = mpsc::channel(8);
            let start = Instant::now();
            let folder = tempfile::tempdir().unwrap();
            let rights = crate::rights::testing::intake(folder.path(), doors.clone()).await;
            let unused = Fingerprint::of(&rustls_pki_types::CertificateDer::from(Vec::new()));
            let mut link = Link {
                server: "server.example:1".parse().unwrap(),
                tls: Arc::new(pairing_config(unused).unwrap()),
                boot: BootId(v4([1; 16])),
                outputs: 2,
                wired: Vec::new(),
                clock: Arc::new(TokioClock(start)),
                doors,
                rights,
                wanted: WantedFile::new(folder.path().join("doors.json")),
                journal: Journal::default(),
            };
            let link = tokio::spawn(async move {
                let mut stood = false;
                let Err(error) = link.serve(Connection::new(ours), &mut stood).await;
                (error, stood)
            });
            let Some(Request::Attach(attach)) = requests.recv().await else { panic!("no attach first") };
            let (reports, receiver) = mpsc::channel(8);
            attach.send(Attached { doors: Vec::new(), readers: Vec::new(), reports: receiver }).unwrap();
            // doors that swallow everything
            tokio::spawn(async move { while requests.recv().await.is_some() {} });
            let mut server = Self { pipe, received: Vec::new(), link, reports, start };
            assert!(matches!(server.receive().await, ControllerRequest::Hello { outputs: 2, .. }));
            server
        }

        async fn receive(&mut self) -> ControllerRequest {
            loop {
                if let Some(message) = decode(&mut self.received).unwrap() {
                    return message;
                }
                assert_ne!(self.pipe.read_buf(&mut self.received).await.unwrap(), 0, "the link ended");
            }
        }

        async fn send(&mut self, event: ControllerEvent) {
            self.pipe.write_all(&encode(&event).unwrap()).await.unwrap();
        }

        async fn welcome(&mut self, protocol: u16) {
            let wanted = Wanted { revision: 1, doors: Vec::new() };
            let controller = ControllerId(v4([2; 16]));
            let time = Timestamp::from_millis(1);
            self.send(ControllerEvent::Welcome { protocol, controller, wanted, time }).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn it_speaks_every_five_seconds_and_notices_silence_after_three_of_them() {
        let mut server = Server::start().await;
        server.welcome(CONTROLLER).await;
        for beat in 1..=2 {
            let mono = Mono::from_millis(beat * HEARTBEAT_MS);
            assert_eq!(server.receive().await, ControllerRequest::Heartbeat { mono });
        }
        server.send(ControllerEvent::Alive { time: Timestamp::from_millis(2), newest: None }).await;
        let heard = server.start.elapsed();
        let (error, stood) = server.link.await.unwrap();
        assert!(matches!(error, LinkError::Connection(ConnectionError::Silent)), "{error}");
        assert_eq!(server.start.elapsed() - heard, SILENCE_LIMIT);
        assert!(stood);
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_never_welcomes_is_given_up() {
        let server = Server::start().await;
        let (error, stood) = server.link.await.unwrap();
        assert!(matches!(error, LinkError::Connection(ConnectionError::Silent)), "{error}");
        assert!(!stood);
    }

    #[tokio::test(start_paused = true)]
    async fn another_version_and_messages_out_of_turn_end_the_connection() {
        let mut server = Server::start().await;
        server.welcome(CONTROLLER + 1).await;
        assert!(matches!(server.link.await.unwrap().0, LinkError::Version(_)));

        let mut server = Server::start().await;
        server.send(ControllerEvent::Alive { time: Timestamp::from_millis(2), newest: None }).await;
        assert!(matches!(server.link.await.unwrap().0, LinkError::OutOfTurn));

        let mut server = Server::start().await;
        server.welcome(CONTROLLER).await;
        server.welcome(CONTROLLER).await;
        assert!(matches!(server.link.await.unwrap().0, LinkError::OutOfTurn));

        let mut server = Server::start().await;
        server.welcome(CONTROLLER).await;
        server.send(ControllerEvent::Refused { reason: "removed".into() }).await;
        assert!(matches!(server.link.await.unwrap().0, LinkError::Refused(_)));
    }

    #[tokio::test(start_paused = true)]
    async fn doors_that_dropped_a_slow_link_end_it() {
        let mut server = Server::start().await;
        server.welcome(CONTROLLER).await;
        server.reports.send(ControllerRequest::Applied { revision: 1 }).await.unwrap();
        assert_eq!(server.receive().await, ControllerRequest::Applied { revision: 1 });
        drop(server.reports);
        assert!(matches!(server.link.await.unwrap().0, LinkError::Overrun));
    }
}
