//! The installation's own certificate authority.
//!
//! Made at the first start, and no other installation has its key: it signs what door controllers prove themselves
//! with, the server's certificate on their port, and with `--lan` the one of the pages. The key is a file with mode
//! 0600 and never leaves this machine; the servers' own keys live in memory for one start of the process.

use crate::secrets::{self, SecretFileError};
use klinke_model::ids::ControllerId;
use klinke_model::time::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, SigningKey,
};
use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use sha2::{Digest, Sha256};
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(86_400);

/// The authority and the controllers' certificates: as long as a controller hangs on its wall.
const LASTS: u32 = 20 * 365;

/// A server's certificate: phones refuse more than 825 days. A new one is made at every start.
const SERVER_LASTS: u32 = 800;

/// The authority of this installation.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
    pem: String,
}

/// Why there is no authority, or it does not sign.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// A file of it.
    #[error(transparent)]
    File(#[from] SecretFileError),
    /// A key or certificate that could not be read, made or signed.
    #[error("certificate authority: {0}")]
    Certificate(#[from] rcgen::Error),
    /// What TLS says to them.
    #[error("certificate authority: {0}")]
    Tls(#[from] rustls::Error),
    /// The authority's certificate file is damaged.
    #[error(
        "{0} does not hold a certificate: restore it from a backup; without it every controller must be paired again"
    )]
    Damaged(String),
}

/// A certificate that a controller will prove itself with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControllerCertificate {
    /// The certificate.
    pub pem: String,
    /// What it is known by.
    pub sha256: [u8; 32],
}

impl Authority {
    /// Opens the authority of this folder, and makes it when there is none.
    ///
    /// # Errors
    /// When its files can not be read or written, or others may read its key.
    pub fn open(folder: &Path, now: Timestamp) -> Result<Self, AuthorityError> {
        secrets::private_folder(folder)?;
        let (key_file, certificate_file) = (folder.join("authority.key"), folder.join("authority.crt"));
        let key = match secrets::read(&key_file)? {
            Some(pem) => KeyPair::from_pem(&pem)?,
            None => {
                let key = KeyPair::generate()?;
                secrets::write(&key_file, &key.serialize_pem())?;
                key
            }
        };
        let pem = match secrets::read(&certificate_file)? {
            Some(pem) => pem,
            None => {
                let pem = authority_params(&key, now).self_signed(&key)?.pem();
                secrets::write(&certificate_file, &pem)?;
                pem
            }
        };
        let certificate = CertificateDer::from_pem_slice(pem.as_bytes())
            .map_err(|_| AuthorityError::Damaged(certificate_file.display().to_string()))?;
        Ok(Self { issuer: Issuer::from_ca_cert_der(&certificate, key)?, certificate, pem })
    }

    /// The authority's certificate, PEM.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// The authority's certificate, DER.
    pub fn der(&self) -> &[u8] {
        &self.certificate
    }

    /// SHA-256 of the authority's certificate, as people compare it: `AB:CD:…`.
    pub fn fingerprint(&self) -> String {
        let bytes = Sha256::digest(&self.certificate);
        bytes.iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(":")
    }

    /// Signs what a controller will prove itself with. Everything that the request asks for is ignored, except its
    /// key, which it has proven to hold.
    ///
    /// # Errors
    /// When the request is not one, or not signed with its own key.
    pub fn certify_controller(
        &self,
        csr: &str,
        controller: ControllerId,
        now: Timestamp,
    ) -> Result<ControllerCertificate, AuthorityError> {
        let mut request = CertificateSigningRequestParams::from_pem(csr)?;
        request.params =
            leaf_params(&controller.to_string(), ExtendedKeyUsagePurpose::ClientAuth, now, LASTS);
        let certificate = request.signed_by(&self.issuer)?;
        Ok(ControllerCertificate { sha256: Sha256::digest(certificate.der()).into(), pem: certificate.pem() })
    }

    /// Signs something that is no certificate: ECDSA over P-256 with SHA-256, ASN.1. What is signed must begin with what it
    /// is, and in no way that a certificate can.
    ///
    /// # Errors
    /// When the key does not sign.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, AuthorityError> {
        Ok(self.issuer.key().sign(message)?)
    }

    /// TLS for the pages of `--lan`: no client certificates.
    ///
    /// # Errors
    /// When the certificate can not be made.
    pub fn pages_tls(
        &self,
        hosts: &[String],
        now: Timestamp,
    ) -> Result<rustls::ServerConfig, AuthorityError> {
        let (chain, key) = self.server_certificate(hosts, now)?;
        let mut config =
            rustls::ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(config)
    }

    /// TLS 1.3 for the controllers' port. A client certificate, if there is one, is of this authority; a connection
    /// without one can only pair.
    ///
    /// # Errors
    /// When the certificate can not be made.
    pub fn controllers_tls(
        &self,
        hosts: &[String],
        now: Timestamp,
    ) -> Result<rustls::ServerConfig, AuthorityError> {
        let (chain, key) = self.server_certificate(hosts, now)?;
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone())?;
        let verifier = WebPkiClientVerifier::builder(Arc::new(roots)).allow_unauthenticated().build();
        let verifier = verifier.map_err(|error| rustls::Error::General(error.to_string()))?;
        Ok(rustls::ServerConfig::builder_with_protocol_versions(&[&rustls::version::TLS13])
            .with_client_cert_verifier(verifier)
            .with_single_cert(chain, key)?)
    }

    fn server_certificate(
        &self,
        hosts: &[String],
        now: Timestamp,
    ) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), AuthorityError> {
        let key = KeyPair::generate()?;
        let mut params = leaf_params("Klinke", ExtendedKeyUsagePurpose::ServerAuth, now, SERVER_LASTS);
        params.subject_alt_names = CertificateParams::new(hosts)?.subject_alt_names;
        let certificate = params.signed_by(&key, &self.issuer)?;
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        Ok((vec![certificate.der().clone(), self.certificate.clone()], key))
    }
}

fn authority_params(key: &KeyPair, now: Timestamp) -> CertificateParams {
    // Installations are told apart in a phone's list of authorities by a piece of their key.
    let piece: String =
        Sha256::digest(key.public_key_raw()).iter().take(3).map(|byte| format!("{byte:02X}")).collect();
    let mut params = named(&format!("Klinke {piece}"), now, LASTS);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn leaf_params(name: &str, usage: ExtendedKeyUsagePurpose, now: Timestamp, days: u32) -> CertificateParams {
    let mut params = named(name, now, days);
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![usage];
    params.use_authority_key_identifier_extension = true;
    params
}

fn named(name: &str, now: Timestamp, days: u32) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    let since_1970 = Duration::from_millis(u64::try_from(now.as_millis()).unwrap_or_default());
    // A day back, for clients whose clock is a little behind.
    params.not_before = rcgen::date_time_ymd(1970, 1, 1) + since_1970.saturating_sub(DAY);
    params.not_after = rcgen::date_time_ymd(1970, 1, 1) + since_1970 + DAY * days;
    params
}

/// The names that a certificate of this machine should hold: what it is called, and every address it has.
pub fn host_names(public: &str) -> Vec<String> {
    let mut names = vec![public.to_owned(), "localhost".to_owned()];
    names.extend(["127.0.0.1".to_owned(), "::1".to_owned()]);
    names.extend(network_addresses().into_iter().map(|address| address.to_string()));
    names.sort();
    names.dedup();
    names
}

/// The addresses of this machine that others can reach, the likeliest to be typed first: IPv4 before IPv6, no
/// link-local ones, which browsers can not open.
pub fn network_addresses() -> Vec<IpAddr> {
    let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
    let mut addresses: Vec<IpAddr> = interfaces
        .iter()
        .filter(|interface| !interface.is_loopback() && !interface.is_link_local())
        .map(if_addrs::Interface::ip)
        .collect();
    addresses.sort_by_key(|address| address.is_ipv6());
    addresses
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    const NOW: Timestamp = Timestamp::from_millis(1_795_262_400_000);

    fn authority() -> (tempfile::TempDir, Authority) {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::open(folder.path(), NOW).unwrap();
        (folder, authority)
    }

    fn csr(key: &KeyPair) -> String {
        let mut params = CertificateParams::new(vec!["evil.example".to_owned()]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.serialize_request(key).unwrap().pem().unwrap()
    }

    #[test]
    fn the_authority_survives_a_restart_and_its_key_is_its_owners() {
        let (folder, authority) = authority();
        let again = Authority::open(folder.path(), NOW).unwrap();
        assert_eq!(authority.fingerprint(), again.fingerprint());
        assert_eq!(authority.fingerprint().len(), 32 * 3 - 1);
        for file in ["authority.key", "authority.crt"] {
            let mode = std::fs::metadata(folder.path().join(file)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{file}");
        }
    }

    #[test]
    fn a_lost_certificate_is_made_again_for_the_same_key_and_a_damaged_one_is_not_passed_over() {
        let (folder, first) = authority();
        std::fs::remove_file(folder.path().join("authority.crt")).unwrap();
        let again = Authority::open(folder.path(), NOW).unwrap();
        assert_eq!(first.issuer.key().public_key_raw(), again.issuer.key().public_key_raw());
        std::fs::write(folder.path().join("authority.crt"), "no").unwrap();
        assert!(matches!(Authority::open(folder.path(), NOW), Err(AuthorityError::Damaged(_))));
    }

    #[test]
    fn two_installations_share_nothing_secret() {
        let structural = KeyPair::generate().unwrap().serialize_der();
        let ((_one, first), (_two, second)) = (authority(), authority());
        let (first, second) = (first.issuer.key().serialize_der(), second.issuer.key().serialize_der());
        let shared = first.windows(16).filter(|window| second.windows(16).any(|other| other == *window));
        let secret = shared.filter(|window| !structural.windows(16).any(|other| other == *window)).count();
        assert_eq!(secret, 0);
        assert_ne!(first, second);
    }

    #[test]
    fn a_controller_gets_its_own_name_and_none_of_its_wishes() {
        use x509_parser::prelude::*;
        let (_folder, authority) = authority();
        let controller = ControllerId(klinke_model::ids::v4([5; 16]));
        let key = KeyPair::generate().unwrap();
        let certificate = authority.certify_controller(&csr(&key), controller, NOW).unwrap();
        let der = CertificateDer::from_pem_slice(certificate.pem.as_bytes()).unwrap();
        assert_eq!(<[u8; 32]>::from(Sha256::digest(&der)), certificate.sha256);
        let (_, parsed) = X509Certificate::from_der(&der).unwrap();
        assert_eq!(parsed.subject().to_string(), format!("CN={controller}"));
        assert!(!parsed.is_ca());
        assert!(parsed.subject_alternative_name().unwrap().is_none());
        let usage = parsed.extended_key_usage().unwrap().unwrap().value;
        assert!(usage.client_auth && !usage.server_auth);
        let (_, issuer) = X509Certificate::from_der(&authority.certificate).unwrap();
        assert!(parsed.verify_signature(Some(issuer.public_key())).is_ok());
    }

    #[test]
    fn a_request_that_does_not_prove_its_key_is_refused() {
        let (_folder, authority) = authority();
        let id = ControllerId(klinke_model::ids::v4([5; 16]));
        assert!(authority.certify_controller("", id, NOW).is_err());
        let pem = csr(&KeyPair::generate().unwrap());
        let mut lines: Vec<&str> = pem.lines().collect();
        let place = lines.len() - 2;
        let tampered = lines[place].chars().rev().collect::<String>();
        lines[place] = &tampered;
        assert!(authority.certify_controller(&lines.join("\n"), id, NOW).is_err());
    }
}
