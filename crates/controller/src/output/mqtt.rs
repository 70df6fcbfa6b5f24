//! A relay over MQTT as a lock, under a contract of our own ([`contract`]).
//!
//! - A command goes out only while the relay is heard, on the connection that stands: none waits for a connection,
//!   and none is sent again on the next one.
//! - It is done when the relay says so, naming the command. The broker's acknowledgement says nothing about a lock.

mod contract;

use super::remote::Device;
use crate::hardware::MqttRelay;
use crate::tls;
use contract::{Heard, LockState, What};
use rumqttc::{AsyncClient, Event, MqttOptions, NetworkOptions, Packet, QoS, TlsConfiguration, Transport};
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use tracing::debug;

/// How often the broker is asked for a sign of life, and how long one may take to connect.
const KEEP_ALIVE: Duration = Duration::from_secs(5);
/// How long to wait before the broker is dialled again.
const DIAL_AGAIN: Duration = Duration::from_secs(1);
/// No state of a relay is longer, bytes.
const LONGEST_MESSAGE: usize = 4 * 1024;

/// One relay behind a broker.
pub struct Relay {
    command_topic: String,
    /// The connection that stands, once its subscription does.
    client: watch::Receiver<Option<AsyncClient>>,
    heard: watch::Receiver<Option<Heard>>,
    /// Ends with this.
    _keeper: JoinSet<()>,
}

impl fmt::Debug for Relay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Relay({})", self.command_topic)
    }
}

impl Relay {
    /// Keeps a connection to the relay's broker from now on.
    ///
    /// # Errors
    /// When the authority's file cannot be read.
    pub fn start(wiring: &MqttRelay, password: &str) -> io::Result<Self> {
        let tls = wiring.authority_file.as_deref().map(tls::device_config).transpose()?.map(Arc::new);
        let address = SocketAddr::from((wiring.host, wiring.port));
        let name = format!("klinke-door-{:016x}", getrandom::u64().map_err(io::Error::other)?);
        let mut options = MqttOptions::new(name, address.ip().to_string(), address.port());
        options.set_credentials(&wiring.user, password).set_keep_alive(KEEP_ALIVE).set_clean_session(true);
        options.set_max_packet_size(LONGEST_MESSAGE, LONGEST_MESSAGE);
        if let Some(tls) = tls {
            options.set_transport(Transport::Tls(TlsConfiguration::Rustls(tls)));
        }
        let (client_says, client) = watch::channel(None);
        let (heard_says, heard) = watch::channel(None);
        let mut keeper = JoinSet::new();
        keeper.spawn(keep(options, format!("{}/state", wiring.topic), client_says, heard_says));
        Ok(Self { command_topic: format!("{}/command", wiring.topic), client, heard, _keeper: keeper })
    }

    /// The newest that the relay said, if it is still heard.
    fn heard(&self) -> io::Result<Heard> {
        let heard = self.heard.borrow().clone().filter(|heard| heard.is_fresh(Instant::now()));
        heard.ok_or_else(|| lost("the relay is not heard"))
    }

    /// Sends a command and waits until the relay says that it has done it.
    async fn tell(&mut self, what: What, wanted: LockState) -> io::Result<()> {
        let heard = self.heard()?;
        let client = self.client.borrow().clone().ok_or_else(|| lost("no connection to the broker"))?;
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(io::Error::other)?;
        let nonce = format!("{:032x}", u128::from_be_bytes(random));
        let command = heard.command(what, nonce.clone(), Instant::now());
        let payload = serde_json::to_vec(&command)?;
        self.heard.mark_unchanged();
        client
            .try_publish(&self.command_topic, QoS::AtLeastOnce, false, payload)
            .map_err(io::Error::other)?;
        loop {
            self.heard.changed().await.map_err(|_| lost("the broker's task has ended"))?;
            let newest = self.heard.borrow_and_update().clone();
            let Some(newest) = newest else { return Err(lost("the connection to the broker is lost")) };
            if newest.state.done.as_deref() == Some(&nonce) {
                let is_wanted = newest.state.state == wanted;
                return is_wanted.then_some(()).ok_or_else(|| lost("the relay did something else"));
            }
        }
    }
}

impl Device for Relay {
    async fn release(&mut self, lease: Duration) -> io::Result<()> {
        let for_ms = u64::try_from(lease.as_millis()).unwrap_or(u64::MAX);
        self.tell(What::Release { for_ms }, LockState::Released).await
    }

    async fn lock(&mut self) -> io::Result<()> {
        self.tell(What::Lock, LockState::Locked).await
    }

    async fn is_released(&mut self) -> io::Result<bool> {
        self.heard().map(|heard| heard.state.state == LockState::Released)
    }
}

/// Connects, listens, and connects again.
async fn keep(
    options: MqttOptions,
    state_topic: String,
    client_says: watch::Sender<Option<AsyncClient>>,
    heard_says: watch::Sender<Option<Heard>>,
) {
    loop {
        // all of it anew: what the last connection did not deliver is not delivered
        let (client, mut events) = AsyncClient::new(options.clone(), 16);
        let mut network = NetworkOptions::new();
        network.set_tcp_nodelay(true);
        network.set_connection_timeout(KEEP_ALIVE.as_secs());
        events.set_network_options(network);
        let error = loop {
            match events.poll().await {
                Ok(Event::Incoming(Packet::ConnAck(_))) => {
                    if let Err(error) = client.try_subscribe(&state_topic, QoS::AtMostOnce) {
                        break error.to_string();
                    }
                }
                Ok(Event::Incoming(Packet::SubAck(_))) => {
                    client_says.send_replace(Some(client.clone()));
                }
                Ok(Event::Incoming(Packet::Publish(said))) if said.topic == state_topic => {
                    let before = heard_says.borrow().clone();
                    let now = Instant::now();
                    if let Some(heard) = Heard::take(before.as_ref(), said.retain, &said.payload, now) {
                        heard_says.send_replace(Some(heard));
                    }
                }
                Ok(_) => {}
                Err(error) => break error.to_string(),
            }
        };
        debug!(error, "no connection to the broker");
        client_says.send_replace(None);
        heard_says.send_replace(None);
        sleep(DIAL_AGAIN).await;
    }
}

fn lost(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::NotConnected, why)
}
