//! The composition root: builds everything that the server is made of, listens, and stops in good order.
//!
//! ```text
//! start ──▶ running ── stop ──▶ no new connections, WebSockets told ── all done, or 5 s ──▶ stopped
//! ```
//!
//! [`Node`] is what use cases are given: concrete parts, no globals. Time and randomness come in as parameters, so
//! that a test can hold the clock.

use crate::apart::Apart;
use crate::app::follow_invitation::InvitationLimit;
use crate::app::guest_pass::GuestLimits;
use crate::app::present_pass::PanelCodes;
use crate::app::ring::DialLimit;
use crate::app::sign_in::SignInLimits;
use crate::auth::expired;
use crate::auth::limit::Limit;
use crate::auth::panel_pass::PanelPasses;
use crate::auth::password::{PasswordError, Passwords};
use crate::authority::{self, Authority, AuthorityError};
use crate::calls::exchange::Exchange;
use crate::calls::{door_station, media_news};
use crate::config::{Config, PublicUrl, Tls};
use crate::doors::links::Links;
use crate::doors::listen;
use crate::doors::openings::Openings;
use crate::doors::readings::Readings;
use crate::doors::rights::{Making, MakingError};
use crate::hours;
use crate::http::idempotency::Answers;
use crate::http::limits::ApiLimits;
use crate::http::origin::Origins;
use crate::http::router::router;
use crate::importing::{self, Importing};
use crate::jobs;
use crate::mail::{MailError, Mailer};
use crate::moving;
use crate::number_proofs::NumberProofs;
use crate::pairing::Pairings;
use crate::passes::{Passes, PassesError};
use crate::phones::test_call::TestCalls;
use crate::phones::{self, Phones, PhonesError};
use crate::presence::Presence;
use crate::random::Random;
use crate::relays::Relays;
use crate::setup::Setup;
use crate::stations::{self, Stations, StationsError};
use crate::telemetry;
use crate::told_passwords::{ToldPasswords, ToldPasswordsError};
use crate::webhooks::{self, Webhooks, WebhooksError};
use axum_server::Handle;
use axum_server::accept::NoDelayAcceptor;
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use hyper_util::rt::TokioTimer;
use klinke_media::{Media, MediaConfig, MediaError};
use klinke_model::ids::PersonId;
use klinke_model::time::{Clock, Timestamp};
use klinke_storage::record::Stamp;
use klinke_storage::{StorageError, Store};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How long a stopping server waits for what is going on.
const STOP_WITHIN: Duration = Duration::from_secs(5);

/// How long a client may take for the head of a request.
const HEAD_WITHIN: Duration = Duration::from_secs(10);

/// How long an alarm is kept that is over, when it was seen and when not.
const ALARMS_SEEN: Duration = Duration::from_hours(90 * 24);
const ALARMS_UNSEEN: Duration = Duration::from_hours(365 * 24);

/// All that the server is made of.
pub struct Node {
    /// As it was started.
    pub config: Config,
    /// What is kept.
    pub store: Store,
    /// When it was started.
    pub started: Timestamp,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Where tokens, codes and ids come from.
    pub random: Arc<Random>,
    /// The installation's certificates.
    pub authority: Authority,
    /// The first claim.
    pub setup: Setup,
    /// Devices that wait for an administrator.
    pub pairings: Pairings,
    /// What is connected.
    pub presence: Arc<Presence>,
    /// Connections and calls.
    pub exchange: Exchange,
    /// Ways to the door controllers.
    pub links: Links,
    /// Openings that a repeated tap is.
    pub openings: Openings,
    /// Cards that are read to be given to somebody.
    pub readings: Readings,
    /// What controllers decide by when they are alone.
    pub rights: Making,
    /// Picture and sound.
    pub media: Media,
    /// Ordinary phones.
    pub phones: Phones,
    /// Devices that register over SIP.
    pub stations: Stations,
    /// Doors that a door station opens.
    pub relays: Relays,
    /// Password hashing.
    pub passwords: Passwords,
    /// How often passwords may be tried.
    pub sign_in_limits: SignInLimits,
    /// How often codes may be typed at a panel.
    pub dial_limit: DialLimit,
    /// How often links to set a password may be tried.
    pub invitation_limit: InvitationLimit,
    /// How often guests' links may be tried.
    pub guest_limits: GuestLimits,
    /// How often wrong codes were typed at panels.
    pub panel_codes: PanelCodes,
    /// What guests' links, QR passes and codes are made of.
    pub passes: Passes,
    /// How much one may ask of the API; `None` when the configuration sets no limit.
    pub api_limits: Option<ApiLimits>,
    /// What was answered to requests with a key.
    pub answers: Answers,
    /// How often a resident may have links sent to others.
    pub household_limit: Limit<PersonId>,
    /// How often a resident may have a reader wait for a card: meanwhile it lets nobody else in.
    pub reading_limit: Limit<PersonId>,
    /// Hands mails in; `None` when the configuration names no mail server.
    pub mailer: Option<Mailer>,
    /// Tells other systems of changes.
    pub webhooks: Webhooks,
    /// What passwords of trunks and door stations are encrypted with.
    pub told_passwords: ToldPasswords,
    /// Told when trunks, their limits or who has any may be other ones, after that is kept. Of what another server changes
    /// on the same database nothing is told here.
    pub trunks_changed: watch::Sender<()>,
    /// Numbers that wait for the call that proves them.
    pub number_proofs: NumberProofs,
    /// Calls by which administrators test trunks.
    pub test_calls: TestCalls,
    /// Which cookies stand for which panels.
    pub panel_passes: PanelPasses,
    /// Lists that are read and judged, and pictures that are drawn.
    pub apart: Apart,
    /// Lists of people that are applied or undone.
    pub importing: Importing,
    /// Tell it when work for later was enqueued.
    pub work: Notify,
    /// The address that people type.
    pub public_url: PublicUrl,
    /// Where our own pages come from.
    pub origins: Origins,
    /// Wakes whoever carries moves out: one was planned.
    pub moves_changed: tokio::sync::Notify,
    /// Held while panels are told what they show now, so that the newest comes last.
    pub refreshing: tokio::sync::Mutex<()>,
    /// Cancelled when the server stops: long-lived connections close then.
    pub stop: CancellationToken,
    /// What must end before the process does: spawn long-lived work here.
    pub tasks: TaskTracker,
}

impl Node {
    /// Whether browsers come over HTTPS; decides the session's cookie.
    pub const fn is_https(&self) -> bool {
        self.public_url.is_https()
    }

    /// Whether browsers are told to come over HTTPS only. Not with `--lan`: who has not yet trusted its
    /// certificates must be able to pass the browser's warning.
    pub const fn strict_transport(&self) -> bool {
        self.is_https() && !self.config.http.lan
    }

    /// When an administrator changes something, for the audit; a new one for each change.
    pub fn stamp(&self) -> Stamp {
        Stamp { at: self.clock.now(), salt: self.random.bytes() }
    }

    /// Host and port that door controllers dial.
    pub fn controllers_address(&self) -> String {
        let (host, port) = (self.public_url.host(), self.config.controllers.listen.port());
        if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
    }

    /// TLS for the controllers' port.
    ///
    /// # Errors
    /// When the certificate can not be made.
    pub fn controllers_tls(&self) -> Result<rustls::ServerConfig, AuthorityError> {
        self.authority.controllers_tls(&authority::host_names(self.public_url.host()), self.clock.now())
    }
}

/// Why the server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address to listen on.
    #[error("can not listen on {0}: {1}")]
    Listen(SocketAddr, std::io::Error),
    /// The database.
    #[error("can not open the store: {0}")]
    Storage(#[from] StorageError),
    /// The installation's keys.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// Password hashing.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// Mail.
    #[error(transparent)]
    Mail(#[from] MailError),
    /// Messages to other systems.
    #[error(transparent)]
    Webhooks(#[from] WebhooksError),
    /// Passwords of trunks.
    #[error(transparent)]
    ToldPasswords(#[from] ToldPasswordsError),
    /// What controllers decide by.
    #[error(transparent)]
    Rights(#[from] MakingError),
    /// Guests' passes.
    #[error(transparent)]
    Passes(#[from] PassesError),
    /// Picture and sound.
    #[error("can not carry picture and sound: {0}")]
    Media(#[from] MediaError),
    /// Ordinary phones.
    #[error(transparent)]
    Phones(#[from] PhonesError),
    /// Devices that register over SIP.
    #[error(transparent)]
    Stations(#[from] StationsError),
    /// The certificate of the configuration.
    #[error("can not use the certificate {0}: {1}")]
    Tls(String, std::io::Error),
}

/// A server that serves.
pub struct Running {
    /// What it is made of.
    pub node: Arc<Node>,
    /// Where the pages and the API are.
    pub address: SocketAddr,
    /// Where door controllers dial in.
    pub controllers: SocketAddr,
    handle: Handle<SocketAddr>,
    serving: JoinHandle<std::io::Result<()>>,
}

/// Starts a server.
///
/// # Errors
/// When it can not listen, or a part of it can not be built.
pub async fn start(mut config: Config, clock: Arc<dyn Clock>, random: Random) -> Result<Running, StartError> {
    // A second provider in the process is not an error: the first one stays.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    telemetry::metrics();
    let listener = bind(config.http.listen)?;
    let controllers = bind(config.controllers.listen)?;
    // port 0 takes any free one; controllers are told which
    config.controllers.listen =
        controllers.local_addr().map_err(|error| StartError::Listen(config.controllers.listen, error))?;
    let (media, media_events) = Media::start(&media_config(&config))?;
    let presence = Arc::new(Presence::default());
    let address = listener.local_addr().map_err(|error| StartError::Listen(config.http.listen, error))?;
    let authority = Authority::open(&config.data.folder, clock.now())?;
    let store = Store::open(config.data.database_url().reveal()).await?;
    let network = if config.http.lan { authority::network_addresses() } else { Vec::new() };
    let public_url = config.http.public_url.clone().unwrap_or_else(|| match network.first() {
        Some(host) if host.is_ipv6() => PublicUrl::new(true, format!("[{host}]"), address.port()),
        Some(host) => PublicUrl::new(true, host.to_string(), address.port()),
        None => PublicUrl::new(config.http.lan, "localhost", address.port()),
    });
    let random = Arc::new(random);
    let node = Arc::new(Node {
        setup: Setup::new(&random, clock.clone()),
        pairings: Pairings::new(clock.clone(), random.clone()),
        exchange: Exchange::new(Arc::clone(&presence)),
        presence,
        links: Links::default(),
        openings: Openings::default(),
        readings: Readings::default(),
        rights: Making::open(&config.data.folder, &random)?,
        media,
        phones: Phones::open(&config.phones, random.bytes())?,
        stations: Stations::open(&config.stations).await?,
        relays: Relays::new(),
        passwords: Passwords::new(random.bytes())?,
        sign_in_limits: SignInLimits::new(&clock),
        dial_limit: DialLimit::new(&clock),
        invitation_limit: InvitationLimit::new(&clock),
        guest_limits: GuestLimits::new(&clock),
        panel_codes: PanelCodes::new(clock.mono()),
        passes: Passes::open(&config.data.folder, &random)?,
        api_limits: ApiLimits::new(&clock, &config.limits),
        answers: Answers::new(clock.clone()),
        household_limit: Limit::new(clock.clone(), 6, Duration::from_secs(600)),
        reading_limit: Limit::new(clock.clone(), 10, Duration::from_secs(60)),
        mailer: config.mail.as_ref().map(Mailer::new).transpose()?,
        work: Notify::new(),
        webhooks: Webhooks::open(&config.webhooks, &config.data.folder, &random)?,
        told_passwords: ToldPasswords::open(&config.data.folder, &random)?,
        trunks_changed: watch::Sender::new(()),
        number_proofs: NumberProofs::new(&clock),
        test_calls: TestCalls::default(),
        panel_passes: PanelPasses::default(),
        apart: Apart::default(),
        importing: Importing::default(),
        origins: Origins::new(&public_url, address.port(), &network),
        moves_changed: tokio::sync::Notify::new(),
        refreshing: tokio::sync::Mutex::default(),
        stop: CancellationToken::new(),
        tasks: TaskTracker::new(),
        config,
        store,
        started: clock.now(),
        clock,
        random,
        authority,
        public_url,
    });
    let handle = Handle::new();
    let serving = serve(&node, listener, handle.clone()).await?;
    node.tasks.spawn(media_news::follow(Arc::clone(&node), media_events));
    node.tasks.spawn(every_minute(Arc::clone(&node)));
    node.tasks.spawn(jobs::work(Arc::clone(&node)));
    node.tasks.spawn(importing::work(Arc::clone(&node)));
    node.tasks.spawn(webhooks::work(Arc::clone(&node)));
    node.tasks.spawn(phones::standing::work(Arc::clone(&node)));
    node.tasks.spawn(stations::standing::work(Arc::clone(&node)));
    node.tasks.spawn(stations::standing::follow(Arc::clone(&node)));
    if let Some(incoming) = node.stations.take_incoming() {
        node.tasks.spawn(door_station::follow(Arc::clone(&node), incoming));
    }
    if let Some(speaker) = node.phones.take_speaker() {
        let stop = node.stop.clone();
        node.tasks.spawn(async move { stop.run_until_cancelled(speaker.run()).await });
    }
    node.tasks.spawn(moving::carry_out_when_due(Arc::clone(&node)));
    node.tasks.spawn(hours::turn_at_the_minute(Arc::clone(&node)));
    let controllers = listen_for_controllers(&node, controllers)?;
    Ok(Running { node, address, controllers, handle, serving })
}

/// What is forgotten by time.
async fn every_minute(node: Arc<Node>) {
    let mut minute = tokio::time::interval(Duration::from_secs(60));
    let mut swept = None;
    while node.stop.run_until_cancelled(minute.tick()).await.is_some() {
        node.openings.forget_old(node.clock.mono());
        node.readings.forget_old(node.clock.mono());
        if let Err(error) = node.store.gate().forget_imports(node.clock.now()).await {
            tracing::error!(%error, "old lists could not be forgotten");
        }
        if let Err(error) = forget_guests(&node).await {
            tracing::error!(%error, "guests whose time is over could not be forgotten");
        }
        if let Err(error) =
            node.store.gate().forget_alarms(node.clock.now(), ALARMS_SEEN, ALARMS_UNSEEN).await
        {
            tracing::error!(%error, "old alarms could not be forgotten");
        }
        if let Err(error) = node.store.gate().forget_records(node.clock.now()).await {
            tracing::error!(%error, "records of use whose days are over could not be forgotten");
        }
        // Sessions end with the day; after a failure the next minute tries again.
        let today = node.clock.now().day();
        if swept != Some(today) {
            match expired::end(&node).await {
                Ok(0) => swept = Some(today),
                Ok(ended) => {
                    swept = Some(today);
                    tracing::info!(ended, "sessions whose last day was over");
                }
                Err(error) => tracing::warn!(%error, "sessions that are over could not be ended"),
            }
        }
    }
}

/// Guests are forgotten a week after their end.
async fn forget_guests(node: &Node) -> Result<(), StorageError> {
    let week = Duration::from_hours(7 * 24).as_millis();
    let before = node.clock.now().as_millis().saturating_sub(i64::try_from(week).unwrap_or(i64::MAX));
    node.store.gate().forget_guests(Timestamp::from_millis(before)).await
}

fn listen_for_controllers(node: &Arc<Node>, listener: TcpListener) -> Result<SocketAddr, StartError> {
    let listen_error = |error| StartError::Listen(node.config.controllers.listen, error);
    let listener = tokio::net::TcpListener::from_std(listener).map_err(listen_error)?;
    let address = listener.local_addr().map_err(listen_error)?;
    let tls = TlsAcceptor::from(Arc::new(node.controllers_tls()?));
    node.tasks.spawn(listen::listen(Arc::clone(node), listener, tls));
    Ok(address)
}

fn media_config(config: &Config) -> MediaConfig {
    let listen = config.media.listen;
    let advertise = match config.media.advertise.as_slice() {
        [] if listen.ip().is_unspecified() => match authority::network_addresses() {
            // a machine without a network still calls itself
            none if none.is_empty() => vec![Ipv4Addr::LOCALHOST.into()],
            addresses => addresses,
        },
        [] => vec![listen.ip()],
        addresses => addresses.to_vec(),
    };
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let shards = config.media.shards.map_or(processors, usize::from);
    MediaConfig { listen, advertise, shards }
}

fn bind(address: SocketAddr) -> Result<TcpListener, StartError> {
    let listener = TcpListener::bind(address).map_err(|error| StartError::Listen(address, error))?;
    listener.set_nonblocking(true).map_err(|error| StartError::Listen(address, error))?;
    Ok(listener)
}

async fn serve(
    node: &Arc<Node>,
    listener: TcpListener,
    handle: Handle<SocketAddr>,
) -> Result<JoinHandle<std::io::Result<()>>, StartError> {
    // what goes over a WebSocket is short and wanted at once: never wait for more to send (TCP_NODELAY)
    let app = router(node).into_make_service_with_connect_info::<SocketAddr>();
    let listen_error = |error| StartError::Listen(node.config.http.listen, error);
    Ok(match tls(node).await? {
        Some(tls) => {
            let acceptor = RustlsAcceptor::new(tls).acceptor(NoDelayAcceptor::new());
            let server = axum_server::from_tcp(listener).map_err(listen_error)?;
            let mut server = server.acceptor(acceptor).handle(handle);
            limit_heads(server.http_builder());
            tokio::spawn(server.serve(app))
        }
        None => {
            let server = axum_server::from_tcp(listener).map_err(listen_error)?;
            let mut server = server.acceptor(NoDelayAcceptor::new()).handle(handle);
            limit_heads(server.http_builder());
            tokio::spawn(server.serve(app))
        }
    })
}

/// A client that sends its headers drop by drop must not hold a connection for ever.
fn limit_heads(builder: &mut hyper_util::server::conn::auto::Builder<hyper_util::rt::TokioExecutor>) {
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD_WITHIN);
    builder.http2().timer(TokioTimer::new()).max_concurrent_streams(64).keep_alive_interval(HEAD_WITHIN);
}

async fn tls(node: &Node) -> Result<Option<RustlsConfig>, StartError> {
    if let Some(Tls { certificate, key }) = &node.config.tls {
        let tls = RustlsConfig::from_pem_file(certificate, key).await;
        return tls.map(Some).map_err(|error| StartError::Tls(certificate.display().to_string(), error));
    }
    if !node.config.http.lan {
        return Ok(None);
    }
    let config =
        node.authority.pages_tls(&authority::host_names(node.public_url.host()), node.clock.now())?;
    Ok(Some(RustlsConfig::from_config(Arc::new(config))))
}

impl Running {
    /// What whoever starts it should read: where it is, how to trust it, and the set-up code while there is no owner.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn greeting(&self) -> Result<String, StorageError> {
        let node = &self.node;
        let mut lines = vec![format!("Klinke is at {}", node.public_url)];
        if node.config.http.lan {
            lines.push(format!("Trust its certificate on each device: {}/trust", node.public_url));
            lines.push(format!("Fingerprint (SHA-256): {}", node.authority.fingerprint()));
        }
        if !node.setup.is_claimed(&node.store).await? {
            lines.push(format!(
                "Nobody owns this installation yet. Open {}/admin within 15 minutes",
                node.public_url
            ));
            lines.push(format!("and type this code: {}", node.setup.code()));
        }
        Ok(lines.join("\n"))
    }

    /// Ends when the server does by itself, which it only does when it fails.
    pub async fn failed(&mut self) -> std::io::Error {
        match (&mut self.serving).await {
            Ok(Err(error)) => error,
            Ok(Ok(())) => std::io::Error::other("the server stopped by itself"),
            Err(error) => std::io::Error::other(error),
        }
    }

    /// Stops in good order: no new connections, long-lived ones are told, and what is going on may end.
    pub async fn stop(self) {
        self.node.exchange.stop().await;
        self.node.phones.stop().await;
        self.node.stations.stop().await;
        self.node.stop.cancel();
        self.handle.graceful_shutdown(Some(STOP_WITHIN));
        self.node.tasks.close();
        let ended = async {
            let _ = self.serving.await;
            self.node.tasks.wait().await;
        };
        if tokio::time::timeout(STOP_WITHIN + Duration::from_secs(1), ended).await.is_err() {
            tracing::warn!("stopped with work still going on");
        }
        if let Err(error) = self.node.store.close().await {
            tracing::warn!(%error, "the database did not close in good order; it recovers by itself at the next start");
        }
    }
}
