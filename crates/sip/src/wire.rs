//! Ways to a trunk: UDP, TCP and TLS. UDP takes datagrams from the trunk's own addresses only; of a stream, whole messages
//! are cut by their `Content-Length` (RFC 3261, section 18.3).

use crate::message::LONGEST;
use rustls::ClientConfig;
use rustls_pki_types::{CertificateDer, ServerName};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket, lookup_host};
use tokio::time::timeout;

/// How long a connection or a write may take.
const PATIENCE: Duration = Duration::from_secs(4);

/// How messages go to a trunk.
#[derive(Clone, Debug)]
pub enum Way {
    /// Datagrams.
    Udp,
    /// A connection that we open.
    Tcp,
    /// The same inside TLS; the certificate must be for the trunk's host.
    Tls(Roots),
}

/// Whose certificates are believed.
#[derive(Clone, Debug)]
pub enum Roots {
    /// The machine's own list of authorities.
    Machine,
    /// These only.
    Only(Vec<CertificateDer<'static>>),
}

/// Everything needed to open a way.
pub(crate) struct Place {
    pub host: String,
    pub port: u16,
    pub bind: SocketAddr,
    pub tls: Option<Arc<ClientConfig>>,
    pub udp: bool,
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

enum Kind {
    Udp { socket: UdpSocket, peers: Vec<IpAddr>, buffer: Vec<u8> },
    Stream { stream: Box<dyn Stream>, read: Vec<u8> },
}

/// An open way.
pub(crate) struct Link {
    kind: Kind,
    peer: SocketAddr,
    local: SocketAddr,
}

/// The configuration of a TLS client with the one provider of the process.
pub(crate) fn tls(roots: &Roots) -> Result<Arc<ClientConfig>, rustls::Error> {
    let mut store = rustls::RootCertStore::empty();
    match roots {
        Roots::Machine => {
            store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
        Roots::Only(certificates) => {
            for certificate in certificates {
                store.add(certificate.clone())?;
            }
        }
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(Arc::new(config.with_root_certificates(store).with_no_client_auth()))
}

impl Place {
    /// Finds the trunk and opens a way to it.
    pub(crate) async fn open(&self) -> io::Result<Link> {
        let found = timeout(PATIENCE, lookup_host((self.host.as_str(), self.port))).await??;
        let fits = |address: &SocketAddr| address.is_ipv4() == self.bind.is_ipv4();
        let peers: Vec<SocketAddr> = found.filter(fits).collect();
        let nowhere = || io::Error::new(io::ErrorKind::NotFound, "no address");
        if self.udp {
            let peer = *peers.first().ok_or_else(nowhere)?;
            let socket = UdpSocket::bind(self.bind).await?;
            let mut local = socket.local_addr()?;
            if local.ip().is_unspecified() {
                // which of our addresses leads there; nothing is sent
                let probe = UdpSocket::bind(SocketAddr::new(self.bind.ip(), 0)).await?;
                probe.connect(peer).await?;
                local.set_ip(probe.local_addr()?.ip());
            }
            let peers = peers.iter().map(SocketAddr::ip).collect();
            return Ok(Link { kind: Kind::Udp { socket, peers, buffer: vec![0; LONGEST] }, peer, local });
        }
        let mut failed = nowhere();
        for peer in peers {
            match timeout(PATIENCE, self.connect(peer)).await {
                Ok(Ok(link)) => return Ok(link),
                Ok(Err(error)) => failed = error,
                Err(_) => failed = io::ErrorKind::TimedOut.into(),
            }
        }
        Err(failed)
    }

    async fn connect(&self, peer: SocketAddr) -> io::Result<Link> {
        let plain = TcpStream::connect(peer).await?;
        plain.set_nodelay(true)?;
        let local = plain.local_addr()?;
        let stream: Box<dyn Stream> = match &self.tls {
            None => Box::new(plain),
            Some(config) => {
                let name = ServerName::try_from(self.host.clone()).map_err(io::Error::other)?;
                Box::new(tokio_rustls::TlsConnector::from(config.clone()).connect(name, plain).await?)
            }
        };
        Ok(Link { kind: Kind::Stream { stream, read: Vec::new() }, peer, local })
    }
}

impl Link {
    /// Our address on this way.
    pub(crate) fn local(&self) -> SocketAddr {
        self.local
    }

    /// Sends a message; to another address than the trunk's only if that is one of its own.
    pub(crate) async fn send(&mut self, bytes: &[u8], to: Option<SocketAddr>) -> io::Result<()> {
        match &mut self.kind {
            Kind::Udp { socket, peers, .. } => {
                let to = to.filter(|to| peers.contains(&to.ip())).unwrap_or(self.peer);
                // a datagram that does not go out is as good as one that is lost
                let _ = socket.send_to(bytes, to).await;
                Ok(())
            }
            Kind::Stream { stream, .. } => {
                let written = async {
                    stream.write_all(bytes).await?;
                    stream.flush().await
                };
                timeout(PATIENCE, written).await?
            }
        }
    }

    /// The next message and where it came from. Nothing is lost when this is given up half-way.
    ///
    /// # Errors
    /// When the connection is over, or what comes on it is no SIP.
    pub(crate) async fn receive(&mut self) -> io::Result<(Vec<u8>, SocketAddr)> {
        match &mut self.kind {
            Kind::Udp { socket, peers, buffer } => loop {
                let (length, from) = socket.recv_from(buffer).await?;
                if let Some(bytes) = buffer.get(..length).filter(|_| peers.contains(&from.ip())) {
                    return Ok((bytes.to_vec(), from));
                }
            },
            Kind::Stream { stream, read } => loop {
                if let Some(message) = cut(read)? {
                    return Ok((message, self.peer));
                }
                if stream.read_buf(read).await? == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
            },
        }
    }
}

/// Takes the first whole message off what was read.
pub(crate) fn cut(read: &mut Vec<u8>) -> io::Result<Option<Vec<u8>>> {
    let bad = |what| io::Error::new(io::ErrorKind::InvalidData, what);
    // what keeps a connection alive between messages
    let blank = read.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    read.drain(..blank);
    let Some(end) = read.windows(4).position(|four| four == b"\r\n\r\n") else {
        return if read.len() > LONGEST { Err(bad("headers without an end")) } else { Ok(None) };
    };
    let head = read.get(..end).unwrap_or_default();
    let lines = head.split(|byte| *byte == b'\n').filter_map(|line| std::str::from_utf8(line).ok());
    let mut length = None;
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        let name = name.trim();
        if name.eq_ignore_ascii_case("content-length") || name.eq_ignore_ascii_case("l") {
            let told: usize = value.trim().parse().map_err(|_| bad("a length that is no number"))?;
            // two lengths would let one read a message where another does not
            if length.is_some_and(|before| before != told) {
                return Err(bad("two lengths"));
            }
            length = Some(told);
        }
    }
    let whole = end.saturating_add(4).saturating_add(length.unwrap_or(0));
    if whole > LONGEST {
        return Err(bad("too long"));
    }
    Ok((read.len() >= whole).then(|| read.drain(..whole).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn messages(text: &[u8], pieces: usize) -> Vec<Vec<u8>> {
        let (mut read, mut whole) = (Vec::new(), Vec::new());
        for piece in text.chunks(pieces) {
            read.extend_from_slice(piece);
            while let Some(message) = cut(&mut read).unwrap() {
                whole.push(message);
            }
        }
        whole
    }

    #[test]
    fn messages_are_cut_however_they_arrive() {
        let one = b"OPTIONS sip:a SIP/2.0\r\nContent-Length: 4\r\n\r\nabcd".to_vec();
        let two = b"SIP/2.0 200 OK\r\nl: 0\r\n\r\n".to_vec();
        let three = b"SIP/2.0 200 OK\r\nX: y\r\n\r\n".to_vec();
        let text = [b"\r\n\r\n", one.as_slice(), b"\r\n", &two, &three].concat();
        for pieces in [1, 2, 3, 7, 50, 1000] {
            assert_eq!(messages(&text, pieces), [one.clone(), two.clone(), three.clone()], "{pieces}");
        }
    }

    #[test]
    fn what_can_not_be_cut_ends_the_connection() {
        for text in [
            "OPTIONS sip:a SIP/2.0\r\nContent-Length: x\r\n\r\n",
            "OPTIONS sip:a SIP/2.0\r\nContent-Length: -1\r\n\r\n",
            "OPTIONS sip:a SIP/2.0\r\nContent-Length: 99999999\r\n\r\n",
            "OPTIONS sip:a SIP/2.0\r\nContent-Length: 18446744073709551615\r\n\r\n",
            "OPTIONS sip:a SIP/2.0\r\nContent-Length: 1\r\nl: 2\r\n\r\nab",
        ] {
            assert!(cut(&mut text.as_bytes().to_vec()).is_err(), "{text}");
        }
        assert!(cut(&mut vec![b'a'; LONGEST + 1]).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_are_cut_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let mut read = bytes;
            while let Ok(Some(_)) = cut(&mut read) {}
        }
    }
}
