//! What comes in and where it goes: the routes, and the reading of the UDP socket.

use super::tcp;
use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};
use str0m::ice::StunMessage;
use str0m::net::{Protocol, Transmit};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Bytes of the longest datagram that is looked at; browsers keep below 1200 and a little.
pub const LONGEST: usize = 1_500;
/// Rest after a failed read, so that a lasting failure does not turn into a busy loop.
const READ_PAUSE: Duration = Duration::from_millis(10);

/// Where a datagram comes from.
pub type Origin = (Protocol, SocketAddr);

/// A datagram for a shard.
pub struct Datagram {
    /// Its sender.
    pub origin: Origin,
    /// Our address that browsers know for this sender's kind.
    pub local: SocketAddr,
    /// When it was read.
    pub at: Instant,
    /// If it is a connectivity check: the user name that we gave to the connection it is for.
    pub user_name: Option<String>,
    /// Its contents.
    pub bytes: Vec<u8>,
}

/// The port, and which shard owns what.
pub struct Net {
    udp: UdpSocket,
    local_addr: SocketAddr,
    advertised: Vec<SocketAddr>,
    inboxes: Vec<mpsc::Sender<Datagram>>,
    /// Addresses that passed a connectivity check, and their shards.
    proven: RwLock<HashMap<Origin, usize>>,
    /// Queues of the open TCP connections.
    connections: Mutex<HashMap<SocketAddr, mpsc::Sender<Vec<u8>>>>,
}

/// The ICE user name of a connection: its shard's number, then what makes it unique.
pub fn user_name(shard: usize, random: [u8; 8]) -> String {
    format!("{shard:02x}{:016x}", u64::from_be_bytes(random))
}

fn shard_of(user_name: &str) -> Option<usize> {
    usize::from_str_radix(user_name.get(..2)?, 16).ok()
}

impl Net {
    /// Routes with nothing behind them yet.
    pub fn new(
        udp: UdpSocket,
        local_addr: SocketAddr,
        advertised: Vec<SocketAddr>,
        inboxes: Vec<mpsc::Sender<Datagram>>,
    ) -> Self {
        Self {
            udp,
            local_addr,
            advertised,
            inboxes,
            proven: RwLock::default(),
            connections: Mutex::default(),
        }
    }

    /// Hands a datagram to the shard it is for; false when it is for none.
    pub fn dispatch(&self, origin: Origin, bytes: &[u8], at: Instant) -> bool {
        let user_name = connectivity_check(bytes);
        let shard = match &user_name {
            Some(user_name) => shard_of(user_name),
            None => self.shard_of_proven(origin),
        };
        let local = self.advertised.iter().find(|local| local.is_ipv4() == origin.1.is_ipv4());
        let (Some(inbox), Some(local)) = (shard.and_then(|shard| self.inboxes.get(shard)), local) else {
            return false;
        };
        // A full inbox loses the datagram, like a full network.
        let _ = inbox.try_send(Datagram { origin, local: *local, at, user_name, bytes: bytes.to_vec() });
        true
    }

    /// Sends a datagram, if the network takes it now.
    pub fn send(&self, datagram: Transmit) {
        let to = datagram.destination;
        match datagram.proto {
            Protocol::Tcp => {
                if let Some(connection) = self.connections().get(&to) {
                    // A connection that does not drain loses datagrams; its peer repairs or goes.
                    let _ = connection.try_send(datagram.contents.into());
                }
            }
            _ => {
                let _ = self.udp.send_to(&datagram.contents, self.as_socket_sees(to));
            }
        }
    }

    /// From now on this address leads to the shard.
    pub fn prove(&self, origin: Origin, shard: usize) {
        self.proven.write().unwrap_or_else(PoisonError::into_inner).insert(origin, shard);
    }

    /// The address leads nowhere any more; its TCP connection ends.
    pub fn forget(&self, origin: Origin) {
        self.proven.write().unwrap_or_else(PoisonError::into_inner).remove(&origin);
        if origin.0 == Protocol::Tcp {
            self.connections().remove(&origin.1);
        }
    }

    pub(super) fn shard_of_proven(&self, origin: Origin) -> Option<usize> {
        self.proven.read().unwrap_or_else(PoisonError::into_inner).get(&origin).copied()
    }

    pub(super) fn connections(&self) -> MutexGuard<'_, HashMap<SocketAddr, mpsc::Sender<Vec<u8>>>> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn as_socket_sees(&self, to: SocketAddr) -> SocketAddr {
        match to.ip() {
            IpAddr::V4(v4) if self.local_addr.is_ipv6() => {
                SocketAddr::new(v4.to_ipv6_mapped().into(), to.port())
            }
            _ => to,
        }
    }
}

/// On a socket for both families the old one's addresses come wrapped in the new one's.
pub(super) fn canonical(from: SocketAddr) -> SocketAddr {
    SocketAddr::new(from.ip().to_canonical(), from.port())
}

/// The user name we chose, when the datagram is a request for a connectivity check.
fn connectivity_check(bytes: &[u8]) -> Option<String> {
    // Two zero bits open a STUN message; nothing else is worth parsing here.
    if *bytes.first()? >= 2 {
        return None;
    }
    let message = StunMessage::parse(bytes).ok().filter(StunMessage::is_binding_request)?;
    message.split_username().map(|(ours, _)| ours.to_owned())
}

/// Reads the port until stopped.
pub async fn serve(net: Arc<Net>, udp: UdpSocket, tcp: std::net::TcpListener, stop: CancellationToken) {
    let (udp, tcp) = match (tokio::net::UdpSocket::from_std(udp), tokio::net::TcpListener::from_std(tcp)) {
        (Ok(udp), Ok(tcp)) => (udp, tcp),
        (Err(error), _) | (_, Err(error)) => return tracing::error!(%error, "the media port can not be read"),
    };
    tokio::join!(read(&net, &udp, &stop), tcp::accept(&net, &tcp, &stop));
}

async fn read(net: &Net, udp: &tokio::net::UdpSocket, stop: &CancellationToken) {
    let mut buffer = [0; LONGEST + 1];
    loop {
        let received = tokio::select! {
            () = stop.cancelled() => return,
            received = udp.recv_from(&mut buffer) => received,
        };
        match received {
            Ok((length, from)) => {
                if let Some(bytes) = buffer.get(..length).filter(|bytes| bytes.len() <= LONGEST) {
                    net.dispatch((Protocol::Udp, canonical(from)), bytes, now());
                }
            }
            // What an earlier datagram of ours met at its destination.
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {}
            Err(error) => {
                tracing::warn!(%error, "reading the media port failed");
                tokio::time::sleep(READ_PAUSE).await;
            }
        }
    }
}

/// The time that the sans-IO parts are told.
#[expect(clippy::disallowed_methods, reason = "the shell that tells the sans-IO parts the time")]
pub fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shard_is_read_from_the_user_name() {
        assert_eq!(shard_of(&user_name(63, [1, 2, 3, 4, 5, 6, 7, 8])), Some(63));
        assert_eq!(user_name(5, [0, 0, 0, 0, 0, 0, 0, 1]), "050000000000000001");
        assert_eq!(shard_of("x"), None);
        assert_eq!(shard_of("é1"), None);
        assert_eq!(shard_of("zz123456"), None);
    }

    #[test]
    fn only_checks_with_a_user_name_are_read_as_such() {
        assert_eq!(connectivity_check(&[]), None);
        assert_eq!(connectivity_check(&[0x80; 40]), None);
        assert_eq!(connectivity_check(&[0; 20]), None);
    }
}
