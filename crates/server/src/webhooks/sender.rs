//! Hands one message over. Everything that could lead elsewhere is done here and nowhere else: the name is looked up once,
//! every address is judged, and the connection goes to one of the addresses that were judged. No proxy, no redirect, no
//! connection that is kept.

use super::address::{Refused, Rules, Target};
use axum::body::Body;
use axum::http::{Method, Request, header};
use futures_util::future::BoxFuture;
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use url::Host;

/// The largest head of an answer that is read; its body is not.
const LARGEST_HEAD: usize = 64 * 1024;

/// Looks up where a host is.
pub trait Resolve: Send + Sync {
    /// Its addresses.
    fn resolve<'a>(&'a self, host: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>>;
}

/// As this machine does.
pub struct System;

impl Resolve for System {
    fn resolve<'a>(&'a self, host: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        Box::pin(async move {
            let found = tokio::net::lookup_host((host, 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}

/// Why a message was not handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// It may not go there.
    Refused(Refused),
    /// The name leads nowhere.
    NotFound,
    /// Nobody takes the connection.
    NotReached,
    /// The certificate is not good.
    Tls,
    /// No answer in time.
    TimedOut,
    /// An answer that is not HTTP.
    NoAnswer,
}

impl Failure {
    /// Stable, for the store and the pages.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Refused(Refused::Host) => "host_not_allowed",
            Self::Refused(Refused::NotHttps) => "not_https",
            Self::Refused(Refused::NotAnAddress | Refused::TooLong) => "not_an_address",
            Self::Refused(Refused::Special) => "address_not_allowed",
            Self::NotFound => "not_found",
            Self::NotReached => "not_reached",
            Self::Tls => "tls",
            Self::TimedOut => "timed_out",
            Self::NoAnswer => "no_answer",
        }
    }
}

/// What is handed over.
pub struct Message<'a> {
    /// `webhook-id`.
    pub id: &'a str,
    /// `webhook-timestamp`.
    pub seconds: i64,
    /// `webhook-signature`.
    pub signature: &'a str,
    /// JSON.
    pub body: String,
}

/// Hands messages over.
pub struct Sender {
    rules: Rules,
    tls: TlsConnector,
    resolver: Arc<dyn Resolve>,
    within: Duration,
}

impl Sender {
    /// Ready to send. Nothing is dialled yet.
    ///
    /// # Errors
    /// When the file with authorities can not be read.
    pub fn new(
        rules: Rules,
        ca_file: Option<&Path>,
        resolver: Arc<dyn Resolve>,
        within: Duration,
    ) -> io::Result<Self> {
        let mut roots = RootCertStore::empty();
        if rules.is_on() {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
        if let Some(file) = ca_file {
            let certificates = CertificateDer::pem_file_iter(file)
                .and_then(Iterator::collect::<Result<Vec<_>, _>>)
                .map_err(|error| io::Error::other(error.to_string()))?;
            let (added, _) = roots.add_parsable_certificates(certificates);
            if added == 0 {
                return Err(io::Error::other("there is no certificate in it"));
            }
        }
        let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        Ok(Self { rules, tls: TlsConnector::from(Arc::new(config)), resolver, within })
    }

    /// What the operator allows.
    pub const fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Hands a message over; the status of the answer.
    ///
    /// # Errors
    /// When there was no answer.
    pub async fn send(&self, url: &str, message: Message<'_>) -> Result<u16, Failure> {
        tokio::time::timeout(self.within, self.exchange(url, message)).await.unwrap_or(Err(Failure::TimedOut))
    }

    async fn exchange(&self, url: &str, message: Message<'_>) -> Result<u16, Failure> {
        let target = self.rules.target(url).map_err(Failure::Refused)?;
        let stream = self.connect(&target).await?;
        let request = Request::builder()
            .method(Method::POST)
            .uri(&target.path)
            .header(header::HOST, &target.authority)
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::USER_AGENT, concat!("Klinke/", env!("CARGO_PKG_VERSION")))
            .header(header::CONNECTION, "close")
            .header("webhook-id", message.id)
            .header("webhook-timestamp", message.seconds)
            .header("webhook-signature", message.signature)
            .body(Body::from(message.body))
            .map_err(|_| Failure::Refused(Refused::NotAnAddress))?;
        let mut builder = hyper::client::conn::http1::Builder::new();
        builder.max_buf_size(LARGEST_HEAD);
        let (mut sender, connection) =
            builder.handshake(TokioIo::new(stream)).await.map_err(|_| Failure::NoAnswer)?;
        let answer = sender.send_request(request);
        // the connection ends with this function, whatever the other side would still like to say
        tokio::select! {
            answer = answer => answer.map(|answer| answer.status().as_u16()).map_err(|_| Failure::NoAnswer),
            () = async { drop(connection.await); std::future::pending().await } => Err(Failure::NoAnswer),
        }
    }

    async fn connect(&self, target: &Target) -> Result<Box<dyn Stream>, Failure> {
        let addresses = match &target.host {
            Host::Ipv4(address) => vec![IpAddr::from(*address)],
            Host::Ipv6(address) => vec![IpAddr::from(*address)],
            Host::Domain(name) => self.resolver.resolve(name).await.map_err(|_| Failure::NotFound)?,
        };
        // one bad address among good ones is a name that somebody plays with
        for address in &addresses {
            self.rules.judge(*address, target.https).map_err(Failure::Refused)?;
        }
        let mut reached = Err(Failure::NotFound);
        for address in addresses {
            let connected = TcpStream::connect(SocketAddr::new(address, target.port)).await;
            reached = connected.map_err(|_| Failure::NotReached);
            if reached.is_ok() {
                break;
            }
        }
        let stream = reached?;
        if !target.https {
            return Ok(Box::new(stream));
        }
        let name = match &target.host {
            Host::Domain(name) => ServerName::try_from(name.clone()).map_err(|_| Failure::NotFound)?,
            Host::Ipv4(address) => IpAddr::from(*address).into(),
            Host::Ipv6(address) => IpAddr::from(*address).into(),
        };
        let stream = self.tls.connect(name, stream).await.map_err(|_| Failure::Tls)?;
        Ok(Box::new(stream))
    }
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

#[cfg(test)]
mod tests;
