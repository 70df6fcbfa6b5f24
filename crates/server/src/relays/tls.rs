//! TLS to the web server of a door station: which certificate counts.
//!
//! Invariants: a certificate counts when one of this machine's own authorities vouches for the address, or when it is exactly the one
//! that an administrator took for this door, whoever signed it and whatever its dates say; then no other counts. Whoever shows a
//! certificate proves that they hold its key (RFC 8446, section 4.4.3; RFC 5246, section 7.4.3).

use super::http::Failure;
use klinke_model::station_relay::CertificateDigest;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use sha2::{Digest, Sha256};
use std::sync::{Arc, OnceLock};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Speaks TLS with stations. Keeps no connection.
pub struct Tls {
    /// For certificates that an authority vouches for; made when the first is asked for.
    vouched: OnceLock<TlsConnector>,
}

impl Tls {
    /// With this machine's own authorities.
    pub const fn of_this_machine() -> Self {
        Self { vouched: OnceLock::new() }
    }

    /// Begins TLS on a connection.
    ///
    /// # Errors
    /// [`Failure::OtherCertificate`] when one was taken and another is shown, [`Failure::Tls`] for everything else.
    pub async fn begin(
        &self,
        stream: TcpStream,
        taken: Option<CertificateDigest>,
    ) -> Result<TlsStream<TcpStream>, Failure> {
        let name = ServerName::from(stream.peer_addr().map_err(|_| Failure::NotReached)?.ip());
        let connector = match taken {
            Some(taken) => exactly(Some(taken)),
            None => self.vouched.get_or_init(|| vouched(own())).clone(),
        };
        connector.connect(name, stream).await.map_err(|error| {
            let refused = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
            match refused {
                Some(Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure)) => {
                    Failure::OtherCertificate
                }
                _ => Failure::Tls,
            }
        })
    }
}

/// The certificate that is shown on this connection, whichever it is. Nothing is to be said there.
pub async fn shown(stream: TcpStream) -> Result<CertificateDigest, Failure> {
    let name = ServerName::from(stream.peer_addr().map_err(|_| Failure::NotReached)?.ip());
    let stream = exactly(None).connect(name, stream).await.map_err(|_| Failure::Tls)?;
    let (_, connection) = stream.get_ref();
    let shown = connection.peer_certificates().and_then(|chain| chain.first());
    shown.map(digest).ok_or(Failure::Tls)
}

fn own() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    roots
}

fn vouched(roots: RootCertStore) -> TlsConnector {
    let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    TlsConnector::from(Arc::new(config))
}

/// Made for each connection: a session that is resumed shows no certificate.
fn exactly(taken: Option<CertificateDigest>) -> TlsConnector {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = Arc::new(Exactly { taken, provider });
    let config =
        ClientConfig::builder().dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth();
    TlsConnector::from(Arc::new(config))
}

fn digest(certificate: &CertificateDer<'_>) -> CertificateDigest {
    CertificateDigest(Sha256::digest(certificate).into())
}

/// Takes one certificate.
#[derive(Debug)]
struct Exactly {
    /// Which; any, where it is only looked at.
    taken: Option<CertificateDigest>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Exactly {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match self.taken {
            Some(taken) if taken != digest(end_entity) => {
                Err(Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure))
            }
            _ => Ok(ServerCertVerified::assertion()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;
    use tokio_rustls::TlsAcceptor;

    /// A server with a certificate for this address; with the key of another one, if there is one.
    async fn serves(own: &rcgen::CertifiedKey<rcgen::KeyPair>, key: &rcgen::KeyPair) -> TcpStream {
        let certificate = own.cert.der().clone();
        let key = rustls::pki_types::PrivatePkcs8KeyDer::from(key.serialize_der());
        let provider = Arc::new(aws_lc_rs::default_provider());
        let signing = provider.key_provider.load_private_key(key.into()).unwrap();
        // not checked against the certificate, as whoever has none of the key would do
        let resolver =
            rustls::sign::SingleCertAndKey::from(rustls::sign::CertifiedKey::new(vec![certificate], signing));
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(resolver));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            // whoever does not like it goes away
            drop(acceptor.accept(stream).await);
        });
        TcpStream::connect(address).await.unwrap()
    }

    /// What the process does when it starts.
    fn provider() {
        // another test of this process may have been first
        let _ = aws_lc_rs::default_provider().install_default();
    }

    fn made(name: &str) -> rcgen::CertifiedKey<rcgen::KeyPair> {
        rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap()
    }

    #[tokio::test]
    async fn who_shows_a_certificate_holds_its_key() {
        provider();
        let (own, other) = (made("127.0.0.1"), made("127.0.0.1"));
        let is = digest(own.cert.der());
        let tls = Tls::of_this_machine();
        assert_eq!(shown(serves(&own, &own.signing_key).await).await, Ok(is));
        assert!(tls.begin(serves(&own, &own.signing_key).await, Some(is)).await.is_ok());
        // with a copy of the certificate and a key of one's own
        assert_eq!(shown(serves(&own, &other.signing_key).await).await, Err(Failure::Tls));
        let copied = tls.begin(serves(&own, &other.signing_key).await, Some(is)).await;
        assert_eq!(copied.err(), Some(Failure::Tls));
        let another = tls.begin(serves(&other, &other.signing_key).await, Some(is)).await;
        assert_eq!(another.err(), Some(Failure::OtherCertificate));
    }

    #[tokio::test]
    async fn without_one_that_was_taken_an_authority_has_to_vouch_for_the_address() {
        provider();
        let (own, elsewhere) = (made("127.0.0.1"), made("192.0.2.1"));
        let trusting = |certificate: &rcgen::Certificate| {
            let mut roots = RootCertStore::empty();
            roots.add(certificate.der().clone()).unwrap();
            let tls = Tls::of_this_machine();
            assert!(tls.vouched.set(vouched(roots)).is_ok());
            tls
        };
        let tls = trusting(&own.cert);
        assert!(tls.begin(serves(&own, &own.signing_key).await, None).await.is_ok());
        let stranger = tls.begin(serves(&elsewhere, &elsewhere.signing_key).await, None).await;
        assert_eq!(stranger.err(), Some(Failure::Tls), "nobody vouches for it");
        let tls = trusting(&elsewhere.cert);
        let wrong = tls.begin(serves(&elsewhere, &elsewhere.signing_key).await, None).await;
        assert_eq!(wrong.err(), Some(Failure::Tls), "it is for another address");
    }
}
