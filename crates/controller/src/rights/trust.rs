//! Whose word on rights counts: the authority that this controller was paired with, speaking to this controller.

use crate::state::Identity;
use klinke_access::snapshot::{Manifest, signed};
use klinke_model::ids::ControllerId;
use rustls::crypto::aws_lc_rs;
use rustls_pki_types::{SignatureVerificationAlgorithm, alg_id};
use std::fmt;

/// What signatures are checked with.
pub struct Trust {
    controller: ControllerId,
    /// The authority's public key, an uncompressed point (SEC 1, §2.3.3).
    key: Vec<u8>,
    algorithm: &'static dyn SignatureVerificationAlgorithm,
}

/// What a manifest lies in on the disk: its signature, then itself.
///
/// ```text
/// length of the signature 1 │ signature │ manifest
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// By the authority.
    pub signature: Vec<u8>,
    /// The bytes that are signed.
    pub manifest: Vec<u8>,
}

/// Why a manifest is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Distrust {
    /// Not signed by our authority.
    #[error("they are not signed by the authority that this controller was paired with")]
    Signature,
    /// Signed, and yet not a manifest.
    #[error("they are of a form that this version does not know")]
    Form,
    /// For another controller.
    #[error("they are for another controller")]
    Controller,
}

impl Trust {
    /// From who this controller is. `None` when its certificate does not name a controller, or the authority's key is not
    /// one that the server makes (ECDSA over P-256).
    pub fn of(identity: &Identity) -> Option<Self> {
        let (_, own) = x509_parser::parse_x509_certificate(&identity.certificate).ok()?;
        let name = own.subject().iter_common_name().next()?.as_str().ok()?;
        let (_, authority) = x509_parser::parse_x509_certificate(&identity.authority).ok()?;
        let key = authority.public_key().subject_public_key.data.to_vec();
        let algorithms = aws_lc_rs::default_provider().signature_verification_algorithms.all;
        let algorithm = algorithms.iter().find(|algorithm| {
            algorithm.public_key_alg_id() == alg_id::ECDSA_P256
                && algorithm.signature_alg_id() == alg_id::ECDSA_SHA256
        })?;
        Some(Self { controller: name.parse().ok()?, key, algorithm: *algorithm })
    }

    /// The manifest in a document that is signed, and is for this controller.
    ///
    /// # Errors
    /// When it is not; see [`Distrust`].
    pub fn manifest(&self, document: &Document) -> Result<Manifest, Distrust> {
        let message = signed(&document.manifest);
        let checked = self.algorithm.verify_signature(&self.key, &message, &document.signature);
        checked.map_err(|_| Distrust::Signature)?;
        let manifest: Manifest = serde_json::from_slice(&document.manifest).map_err(|_| Distrust::Form)?;
        if manifest.controller != self.controller {
            return Err(Distrust::Controller);
        }
        Ok(manifest)
    }
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Trust({})", self.controller)
    }
}

impl Document {
    /// As it lies on the disk.
    pub fn write(&self) -> Vec<u8> {
        // a signature over P-256 has 72 bytes at most; a longer one is not read again
        let length = u8::try_from(self.signature.len()).unwrap_or(0);
        [&[length], &self.signature[..], &self.manifest[..]].concat()
    }

    /// From the disk. `None` when it is cut.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let (length, rest) = bytes.split_first()?;
        let (signature, manifest) = rest.split_at_checked(usize::from(*length))?;
        Some(Self { signature: signature.to_vec(), manifest: manifest.to_vec() })
    }
}
