//! Getting a certificate: the key is made here, an administrator vouches for it by its code.
//!
//! 1. Dial the server without a certificate; it has to be of the authority whose fingerprint the installer brought.
//! 2. Send a certificate signing request; show the code that comes back; wait for an administrator to claim it.
//! 3. Check that the certificate is for *our* key and that the authority is the *pinned* one; then keep all three.
//!
//! Until step 3 nothing is written. A pairing that is cut short leaves nothing and is simply done again.

use crate::VERSION;
use crate::address::ServerAddress;
use crate::connection::{Connection, ConnectionError};
use crate::state::{StateDir, StateError};
use crate::tls::{DialError, Fingerprint, dial, pairing_config};
use klinke_model::ids::ControllerId;
use klinke_wire::CONTROLLER;
use klinke_wire::controller::{ControllerEvent, ControllerRequest};
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, PKCS_ECDSA_P256_SHA256, PublicKeyData};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};

/// The answer to `pair` has to come within this.
const CODE_LIMIT: Duration = Duration::from_secs(15);
/// How much longer than the code lives we wait for the server to say that it died.
const GRACE: Duration = Duration::from_secs(10);

/// Why a controller was not paired.
#[derive(Debug, thiserror::Error)]
pub enum PairError {
    /// The state folder.
    #[error(transparent)]
    State(#[from] StateError),
    /// The key or its request.
    #[error("the key could not be made: {0}")]
    Key(#[from] rcgen::Error),
    /// The TLS settings.
    #[error("TLS: {0}")]
    Tls(#[from] rustls::Error),
    /// No connection, or not to the right server.
    #[error("no connection to the server: {0}")]
    Dial(#[from] DialError),
    /// The connection ended.
    #[error(transparent)]
    Connection(#[from] ConnectionError),
    /// The code could not be shown.
    #[error("the code could not be shown: {0}")]
    Show(std::io::Error),
    /// The server refused; its reason in English.
    #[error("the server refused: {0:?}")]
    Refused(String),
    /// Nobody claimed the code in time.
    #[error("nobody claimed the code in time")]
    Expired,
    /// The server answered something else than was its turn.
    #[error("the server did not keep to the protocol")]
    OutOfTurn,
    /// The certificate is not for our key, or not of the pinned authority.
    #[error("the server sent a certificate that is not ours")]
    NotOurs,
}

/// What an administrator claims this controller by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PairingCode {
    /// Eight digits in two groups.
    pub code: String,
    /// For how long it can be claimed.
    pub life: Duration,
}

/// Pairs this controller; returns when an administrator has claimed it and its identity is kept.
///
/// # Errors
/// See [`PairError`]; nothing is kept then.
pub async fn pair(
    server: &ServerAddress,
    authority: Fingerprint,
    state: &StateDir,
    outputs: u16,
    show: impl FnOnce(&PairingCode) -> std::io::Result<()>,
) -> Result<ControllerId, PairError> {
    if state.is_paired() {
        return Err(StateError::Paired.into());
    }
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let csr = request(&key)?;

    let stream = dial(server, Arc::new(pairing_config(authority)?)).await?;
    let mut connection = Connection::new(stream);
    let request = ControllerRequest::Pair { protocol: CONTROLLER, csr, version: VERSION.to_owned(), outputs };
    connection.send(&request).await?;

    let code = match receive(&mut connection, CODE_LIMIT, ConnectionError::Silent.into()).await? {
        ControllerEvent::PairingCode { code, expires_s } => {
            PairingCode { code, life: Duration::from_secs(u64::from(expires_s)) }
        }
        _ => return Err(PairError::OutOfTurn),
    };
    show(&code).map_err(PairError::Show)?;

    match receive(&mut connection, code.life + GRACE, PairError::Expired).await? {
        ControllerEvent::Paired { controller, certificate, authority: of } => {
            let (certificate, of) = checked(&key, authority, &certificate, &of).ok_or(PairError::NotOurs)?;
            state.keep(&key, &certificate, &of)?;
            Ok(controller)
        }
        _ => Err(PairError::OutOfTurn),
    }
}

/// A signing request for our key. What the certificate says is the server's to decide.
fn request(key: &KeyPair) -> Result<String, rcgen::Error> {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "klinke-door");
    params.serialize_request(key)?.pem()
}

/// The next message that is not a refusal, or `late` after `limit`.
async fn receive(
    connection: &mut Connection<impl AsyncRead + AsyncWrite + Unpin>,
    limit: Duration,
    late: PairError,
) -> Result<ControllerEvent, PairError> {
    match tokio::time::timeout(limit, connection.receive()).await {
        Err(_) => Err(late),
        Ok(Ok(ControllerEvent::Refused { reason })) => Err(PairError::Refused(reason)),
        Ok(received) => Ok(received?),
    }
}

/// Certificate and authority in DER form, when the one is for our key and the other is the pinned one.
fn checked(
    key: &KeyPair,
    pinned: Fingerprint,
    certificate: &str,
    authority: &str,
) -> Option<(CertificateDer<'static>, CertificateDer<'static>)> {
    let certificate = CertificateDer::from_pem_slice(certificate.as_bytes()).ok()?;
    let authority = CertificateDer::from_pem_slice(authority.as_bytes()).ok()?;
    let (_, parsed) = x509_parser::parse_x509_certificate(&certificate).ok()?;
    let is_ours = parsed.public_key().raw == key.subject_public_key_info();
    (is_ours && Fingerprint::of(&authority) == pinned).then_some((certificate, authority))
}
