//! The IO shell: one UDP and one TCP port, and the threads that serve rooms.
//!
//! ```text
//!   UDP ──┐            ┌─▶ shard 0 ─┐
//!         ├─▶ reader ──┼─▶ shard 1 ─┼─▶ UDP socket, TCP connections
//!   TCP ──┘  (routes)  └─▶ …       ─┘
//! ```
//!
//! The reader hands each datagram to the shard that owns the connection, which it knows without asking: the shard's
//! number is the start of the ICE user name that we chose, and for whatever has no user name the address is looked
//! up among those that passed a connectivity check. Anything else is dropped there, at the price of one look-up.
//! Shards send by themselves. Every shard has a thread; the reader shares the first one's, because waking another thread
//! costs more than all else that is done for a datagram.
//!
//! Every queue is bounded. A full one drops datagrams, as a network would.

pub mod net;
pub mod shard;
mod tcp;

use crate::negotiate::Terms;
use crate::{MediaConfig, MediaError, MediaEvent};
use net::Net;
use shard::{Command, Shard};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use str0m::Candidate;
use str0m::net::TcpType;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Commands that may wait for a shard; more wait in their callers.
const COMMANDS: usize = 256;
/// Datagrams that may wait for a shard: a fifth of a second at full load.
const DATAGRAMS: usize = 4_096;
/// Shards are numbered by two hexadecimal digits in the ICE user name.
const MOST_SHARDS: usize = 64;
/// How often another port is tried when the one that TCP got is taken for UDP.
const PORT_TRIES: usize = 16;
/// Bytes the kernel may hold for us: a key frame burst of many calls at once.
const SOCKET_BUFFER: usize = 4 * 1024 * 1024;

/// The running threads, reachable by their commands.
pub struct Driver {
    /// One queue for each shard.
    pub shards: Vec<mpsc::Sender<Command>>,
    /// The port's address.
    pub local_addr: SocketAddr,
    stop: CancellationToken,
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Opens the port and starts the threads.
pub fn start(config: &MediaConfig, events: &mpsc::Sender<MediaEvent>) -> Result<Driver, MediaError> {
    if config.shards == 0 || config.shards > MOST_SHARDS {
        return Err(MediaError::Config("shards must be 1 to 64"));
    }
    let listen_error = |error| MediaError::Listen(config.listen, error);
    let (udp, tcp) = open_ports(config.listen).map_err(listen_error)?;
    let local_addr = udp.local_addr().map_err(listen_error)?;
    let advertised = advertised(config, local_addr)?;
    let candidates =
        candidates(&advertised).ok_or(MediaError::Config("an advertised address is not usable"))?;
    let terms =
        Terms::new(candidates).ok_or(MediaError::Config("the crypto library makes no certificate"))?;
    let terms = Arc::new(terms);

    let stop = CancellationToken::new();
    let (inboxes, receivers): (Vec<_>, Vec<_>) = (0..config.shards).map(|_| mpsc::channel(DATAGRAMS)).unzip();
    let outgoing = udp.try_clone().map_err(listen_error)?;
    let net = Arc::new(Net::new(outgoing, local_addr, advertised, inboxes));
    let mut shards = Vec::new();
    let mut reader = Some(net::serve(Arc::clone(&net), udp, tcp, stop.clone()));
    for (index, inbox) in receivers.into_iter().enumerate() {
        let (commands, queue) = mpsc::channel(COMMANDS);
        let shard = Shard::new(index, Arc::clone(&terms), Arc::clone(&net), events.clone()).run(inbox, queue);
        let name = format!("media-{index}");
        match reader.take() {
            Some(reader) => thread(&name, async {
                tokio::join!(shard, reader);
            }),
            None => thread(&name, shard),
        }
        .map_err(listen_error)?;
        shards.push(commands);
    }
    Ok(Driver { shards, local_addr, stop })
}

/// A thread with an event loop of its own, apart from the server's: media does not wait for password hashes.
fn thread(name: &str, work: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    std::thread::Builder::new().name(name.to_owned()).spawn(move || runtime.block_on(work))?;
    Ok(())
}

fn open_ports(listen: SocketAddr) -> io::Result<(std::net::UdpSocket, std::net::TcpListener)> {
    let mut tries = if listen.port() == 0 { PORT_TRIES } else { 1 };
    loop {
        tries -= 1;
        let tcp = std::net::TcpListener::bind(listen)?;
        let udp = match std::net::UdpSocket::bind(tcp.local_addr()?) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && tries > 0 => continue,
            udp => udp?,
        };
        let socket = socket2::SockRef::from(&udp);
        // The kernel gives what its limits allow; less only shortens the bursts that survive.
        socket.set_recv_buffer_size(SOCKET_BUFFER)?;
        socket.set_send_buffer_size(SOCKET_BUFFER)?;
        udp.set_nonblocking(true)?;
        tcp.set_nonblocking(true)?;
        return Ok((udp, tcp));
    }
}

fn advertised(config: &MediaConfig, local_addr: SocketAddr) -> Result<Vec<SocketAddr>, MediaError> {
    let addresses: Vec<IpAddr> = match config.advertise.as_slice() {
        [] if local_addr.ip().is_unspecified() => {
            return Err(MediaError::Config("listening on all addresses needs addresses to advertise"));
        }
        [] => vec![local_addr.ip()],
        addresses => addresses.to_vec(),
    };
    Ok(addresses.into_iter().map(|address| SocketAddr::new(address, local_addr.port())).collect())
}

fn candidates(advertised: &[SocketAddr]) -> Option<Vec<Candidate>> {
    let udp = advertised.iter().map(|address| Candidate::builder().udp().host(*address).build());
    let tcp = advertised
        .iter()
        .map(|address| Candidate::builder().tcp().host(*address).tcptype(TcpType::Passive).build());
    udp.chain(tcp).collect::<Result<_, _>>().ok()
}
