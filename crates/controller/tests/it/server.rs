//! A small server of the controller protocol, from rustls and rcgen alone.

use klinke_controller::address::ServerAddress;
use klinke_controller::state::StateDir;
use klinke_controller::tls::Fingerprint;
use klinke_model::ids::{ControllerId, v4};
use klinke_model::time::Timestamp;
use klinke_wire::CONTROLLER;
use klinke_wire::controller::{ControllerEvent, ControllerRequest, DoorReport, Wanted};
use klinke_wire::frame::{decode, encode};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, SigningKey,
};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// What time the server says it is.
const TIME: Timestamp = Timestamp::from_millis(1_795_262_400_000);

/// The answer to a heartbeat.
pub const ALIVE: ControllerEvent = ControllerEvent::Alive { time: TIME, newest: None };

/// A test that hangs is a failed test.
pub async fn within<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(Duration::from_secs(60), future).await.expect("a test that hangs")
}

pub fn controller_id() -> ControllerId {
    ControllerId(v4([0xc0; 16]))
}

/// An installation's authority.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub certificate: CertificateDer<'static>,
    pub pem: String,
}

impl Authority {
    pub fn new() -> Self {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let certificate = params.self_signed(&key).unwrap();
        let (der, pem) = (certificate.der().clone(), certificate.pem());
        Self { issuer: Issuer::new(params, key), certificate: der, pem }
    }

    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.certificate)
    }

    /// A client certificate for a signing request, PEM.
    pub fn certify(&self, csr: &str) -> String {
        let mut request = CertificateSigningRequestParams::from_pem(csr).unwrap();
        request.params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let mut name = DistinguishedName::new();
        name.push(DnType::CommonName, controller_id().to_string());
        request.params.distinguished_name = name;
        request.signed_by(&self.issuer).unwrap().pem()
    }

    /// Signs something that is no certificate.
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.issuer.key().sign(message).unwrap()
    }

    /// A server certificate for a name, and its key.
    fn server_certificate(&self, name: &str) -> (CertificateDer<'static>, PrivateKeyDer<'static>) {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        (certificate.der().clone(), PrivateKeyDer::try_from(key.serialize_der()).unwrap())
    }

    /// What a pairing ends in, without one.
    pub fn identity(&self, state: &StateDir) -> CertificateDer<'static> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        let csr = CertificateParams::default().serialize_request(&key).unwrap().pem().unwrap();
        let certificate = CertificateDer::from_pem_slice(self.certify(&csr).as_bytes()).unwrap();
        state.keep(&key, &certificate, &self.certificate).unwrap();
        certificate
    }
}

/// How a server presents itself. [`Setup::of`] is the honest one.
pub struct Setup<'a> {
    pub signed_by: &'a Authority,
    pub name: &'a str,
    /// The authority that it sends along and asks clients for.
    pub shows: &'a Authority,
    pub version: &'static SupportedProtocolVersion,
}

impl<'a> Setup<'a> {
    pub fn of(authority: &'a Authority) -> Self {
        Self { signed_by: authority, name: "127.0.0.1", shows: authority, version: &rustls::version::TLS13 }
    }
}

pub struct Server {
    listener: TcpListener,
    tls: TlsAcceptor,
}

impl Server {
    pub async fn start(setup: Setup<'_>) -> Self {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut roots = RootCertStore::empty();
        roots.add(setup.shows.certificate.clone()).unwrap();
        let clients = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
            .allow_unauthenticated()
            .build()
            .unwrap();
        let (certificate, key) = setup.signed_by.server_certificate(setup.name);
        let config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[setup.version])
            .unwrap()
            .with_client_cert_verifier(clients)
            .with_single_cert(vec![certificate, setup.shows.certificate.clone()], key)
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self { listener, tls: TlsAcceptor::from(Arc::new(config)) }
    }

    pub fn address(&self) -> ServerAddress {
        self.listener.local_addr().unwrap().to_string().parse().unwrap()
    }

    pub async fn accept(&self) -> io::Result<Peer> {
        let (tcp, _) = within(self.listener.accept()).await?;
        let stream = within(self.tls.accept(tcp)).await?;
        let certificate = stream.get_ref().1.peer_certificates().map(|chain| chain[0].clone().into_owned());
        Ok(Peer { stream, received: Vec::new(), certificate })
    }

    /// Accepts a controller, takes its hello and welcomes it.
    pub async fn welcome(&self, wanted: Wanted) -> (Peer, Hello) {
        let mut peer = self.accept().await.unwrap();
        let Some(ControllerRequest::Hello { boot, mono, doors, .. }) = peer.receive().await else {
            panic!("no hello");
        };
        let revision = wanted.revision;
        let controller = controller_id();
        peer.send(&ControllerEvent::Welcome { protocol: CONTROLLER, controller, wanted, time: TIME }).await;
        assert_eq!(peer.receive().await, Some(ControllerRequest::Applied { revision }));
        (peer, Hello { boot, mono: mono.as_millis(), doors })
    }
}

/// What a controller said of itself.
pub struct Hello {
    pub boot: klinke_model::ids::BootId,
    pub mono: u64,
    pub doors: Vec<DoorReport>,
}

/// One controller's connection.
pub struct Peer {
    stream: TlsStream<TcpStream>,
    received: Vec<u8>,
    /// The certificate that it showed.
    pub certificate: Option<CertificateDer<'static>>,
}

impl Peer {
    pub async fn send(&mut self, event: &ControllerEvent) {
        self.send_bytes(&encode(event).unwrap()).await;
    }

    pub async fn send_bytes(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
        self.stream.flush().await.unwrap();
    }

    /// The next message; `None` when the controller closed. What its journal tells comes when the disk has it, in no order with
    /// the rest, and is passed over.
    pub async fn receive(&mut self) -> Option<ControllerRequest> {
        loop {
            match decode(&mut self.received).unwrap() {
                Some(ControllerRequest::News { .. }) => continue,
                Some(message) => return Some(message),
                None => {}
            }
            // a controller that closes does not say goodbye in TLS: an error here is an end too
            if within(self.stream.read_buf(&mut self.received)).await.unwrap_or(0) == 0 {
                return None;
            }
        }
    }
}
