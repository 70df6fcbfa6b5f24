//! The folder where a controller keeps who it is; beside it, in folders of their own, the keys of its readers
//! ([`crate::reader::keys`]) and what must survive a power cut ([`crate::kept`]).
//!
//! One file, `identity.pem`, mode 0600 in a folder of mode 0700: the private key (made here, it never leaves), the
//! certificate that an administrator's claim got for it, and the installation's authority. It is written in one
//! piece after pairing, so a controller is either paired or not. A folder or file that others can read is refused,
//! not repaired: the key in it has to be taken for known.

use crate::file::{Durable, replace};
use crate::wanted::WantedFile;
use rcgen::KeyPair;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use std::fmt;
use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Why the folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// Reading or writing failed.
    #[error("{}: {error}", path.display())]
    Io {
        /// What was read or written.
        path: PathBuf,
        /// Why it failed.
        error: io::Error,
    },
    /// Others than the owner can reach it.
    #[error("{} can be reached by others (mode {mode:04o}); its key has to be taken for known", path.display())]
    Exposed {
        /// The folder or file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// There is no identity yet.
    #[error("this controller is not paired; run `klinke-door pair` first")]
    NotPaired,
    /// There is an identity already.
    #[error("this controller is paired already; remove its state folder to pair it anew")]
    Paired,
    /// Another process has it.
    #[error("a controller runs with {} already; stop it first", .0.display())]
    Running(PathBuf),
    /// The file is not what this program writes.
    #[error("{} is damaged; remove it and pair anew", .0.display())]
    Damaged(PathBuf),
}

/// Who this controller is towards the server.
pub struct Identity {
    /// Its private key.
    pub key: PrivateKeyDer<'static>,
    /// Its certificate.
    pub certificate: CertificateDer<'static>,
    /// The authority that signed it, and the server's certificate.
    pub authority: CertificateDer<'static>,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity(‹redacted›)")
    }
}

/// The folder.
#[derive(Clone, Debug)]
pub struct StateDir(PathBuf);

/// The right to run with a folder: one process at a time. It ends with the process, however that ends.
#[derive(Debug)]
pub struct Alone(#[expect(dead_code, reason = "held, not read")] File);

impl StateDir {
    /// Opens the folder; makes it when it is not there.
    ///
    /// # Errors
    /// When it cannot be made, or others can reach it.
    pub fn open(path: &Path) -> Result<Self, StateError> {
        let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
        made.map_err(|error| StateError::Io { path: path.to_owned(), error })?;
        owners_alone(path)?;
        Ok(Self(path.to_owned()))
    }

    /// Where simulated locks are kept.
    pub fn outputs(&self) -> PathBuf {
        self.0.join("outputs")
    }

    /// Where the keys of readers are.
    pub fn readers(&self) -> PathBuf {
        self.0.join("readers")
    }

    /// Where is what has to survive a power cut.
    pub fn kept(&self) -> PathBuf {
        self.0.join("kept")
    }

    /// Where is what the server has to be told.
    pub fn journal(&self) -> PathBuf {
        self.0.join("journal")
    }

    /// Makes sure that no other process runs with this folder.
    ///
    /// # Errors
    /// When one does.
    pub fn alone(&self) -> Result<Alone, StateError> {
        let path = self.0.join("running");
        let opened = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&path);
        let file = opened.map_err(|error| StateError::Io { path: path.clone(), error })?;
        match file.try_lock() {
            Ok(()) => Ok(Alone(file)),
            Err(TryLockError::WouldBlock) => Err(StateError::Running(self.0.clone())),
            Err(TryLockError::Error(error)) => Err(StateError::Io { path, error }),
        }
    }

    /// Where the doors are kept that were driven last.
    pub fn wanted(&self) -> WantedFile {
        WantedFile::new(self.0.join("doors.json"))
    }

    /// Where rights are kept.
    pub(crate) fn rights(&self) -> PathBuf {
        self.0.join("rights")
    }

    fn identity(&self) -> PathBuf {
        self.0.join("identity.pem")
    }

    /// Whether there is an identity.
    pub fn is_paired(&self) -> bool {
        self.identity().exists()
    }

    /// Keeps an identity: durable when this returns.
    ///
    /// # Errors
    /// When the folder does not take it.
    pub fn keep(
        &self,
        key: &KeyPair,
        certificate: &CertificateDer<'_>,
        authority: &CertificateDer<'_>,
    ) -> Result<(), StateError> {
        let path = self.identity();
        let text = format!("{}{}{}", key.serialize_pem(), pem(certificate), pem(authority));
        replace(&path, text.as_bytes(), Durable::Yes).map_err(|error| StateError::Io { path, error })
    }

    /// Who this controller is.
    ///
    /// # Errors
    /// When it is not paired, or the file is damaged or can be read by others.
    pub fn load(&self) -> Result<Identity, StateError> {
        let path = self.identity();
        if !self.is_paired() {
            return Err(StateError::NotPaired);
        }
        owners_alone(&path)?;
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            Err(error) => return Err(StateError::Io { path, error }),
        };
        let key = PrivateKeyDer::from_pem_slice(&text);
        let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
        let (Ok(key), Ok(certificates)) = (key, certificates) else { return Err(StateError::Damaged(path)) };
        let Ok([certificate, authority]) = <[_; 2]>::try_from(certificates) else {
            return Err(StateError::Damaged(path));
        };
        Ok(Identity { key, certificate, authority })
    }
}

/// Checks that nobody but the owner reaches a path.
pub(crate) fn owners_alone(path: &Path) -> Result<(), StateError> {
    let metadata = std::fs::metadata(path);
    let metadata = metadata.map_err(|error| StateError::Io { path: path.to_owned(), error })?;
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(StateError::Exposed { path: path.to_owned(), mode });
    }
    Ok(())
}

/// A certificate as PEM (RFC 7468).
fn pem(certificate: &CertificateDer<'_>) -> String {
    use base64::prelude::{BASE64_STANDARD, Engine};
    let body = BASE64_STANDARD.encode(certificate);
    let mut text = String::from("-----BEGIN CERTIFICATE-----\n");
    for (at, character) in body.chars().enumerate() {
        if at > 0 && at % 64 == 0 {
            text.push('\n');
        }
        text.push(character);
    }
    text.push_str("\n-----END CERTIFICATE-----\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set_mode(path: &Path, mode: u32) {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn an_identity_comes_back_as_it_was_kept_and_is_the_owners_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("made/here");
        let state = StateDir::open(&path).unwrap();
        assert!(matches!(state.load(), Err(StateError::NotPaired)));

        let key = KeyPair::generate().unwrap();
        let certificate = rcgen::CertificateParams::default().self_signed(&key).unwrap();
        let other = rcgen::generate_simple_self_signed(["authority".to_owned()]).unwrap().cert;
        state.keep(&key, certificate.der(), other.der()).unwrap();
        let loaded = state.load().unwrap();
        assert_eq!(loaded.key.secret_der(), key.serialize_der());
        assert_eq!((&loaded.certificate, &loaded.authority), (certificate.der(), other.der()));
        assert_eq!(format!("{loaded:?}"), "Identity(‹redacted›)");
        assert_eq!(mode(&path), 0o700);
        assert_eq!(mode(&path.join("identity.pem")), 0o600);
    }

    #[test]
    fn one_process_at_a_time_has_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let state = StateDir::open(&folder.path().join("state")).unwrap();
        let alone = state.alone().unwrap();
        assert!(matches!(state.alone(), Err(StateError::Running(_))));
        drop(alone);
        state.alone().unwrap();
    }

    #[test]
    fn a_key_that_others_can_reach_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        let state = StateDir::open(&path).unwrap();
        std::fs::write(path.join("identity.pem"), "anything").unwrap();
        set_mode(&path.join("identity.pem"), 0o640);
        assert!(matches!(state.load(), Err(StateError::Exposed { mode: 0o640, .. })));
        set_mode(&path.join("identity.pem"), 0o600);
        assert!(matches!(state.load(), Err(StateError::Damaged(_))));
        set_mode(&path, 0o750);
        assert!(matches!(StateDir::open(&path), Err(StateError::Exposed { mode: 0o750, .. })));
    }
}
