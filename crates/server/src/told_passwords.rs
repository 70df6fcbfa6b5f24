//! Passwords that we tell others, at rest: encrypted with a key that is not in the database, and bound to the trunk, or to the
//! door station that opens a door.
//!
//! ```text
//! sealed = nonce (12 bytes) ‖ AES-256-GCM(key, nonce, password; with "klinke-trunk-password-v1" ‖ tenant ‖ trunk)
//!                                                    or "klinke-relay-password-v1" ‖ tenant ‖ door ‖ door station
//! ```
//!
//! Invariant: what was sealed for one of them opens for no other, and not for another property manager's: who can write the
//! database can not have a password sent to a host of their own by moving it there.

use crate::random::Random;
use crate::secrets::{self, Secret, SecretFileError};
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use klinke_model::ids::{DoorId, PanelId, TenantId, TrunkId};
use std::path::Path;

/// Whom a password is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// A trunk.
    Trunk(TrunkId),
    /// The door station that opens this door.
    Relay(DoorId, PanelId),
}

impl From<TrunkId> for Of {
    fn from(trunk: TrunkId) -> Self {
        Self::Trunk(trunk)
    }
}

/// The key that they are encrypted with.
pub struct ToldPasswords(LessSafeKey);

/// Why passwords can not be kept.
#[derive(Debug, thiserror::Error)]
pub enum ToldPasswordsError {
    /// The key's file.
    #[error(transparent)]
    Key(#[from] SecretFileError),
    /// The key is not one.
    #[error(
        "{0} does not hold a key: restore it from a backup, or delete it and type the password of every trunk and door station again"
    )]
    Damaged(String),
}

/// The cipher took too much, which no password is.
#[derive(Debug, thiserror::Error)]
#[error("a password could not be encrypted")]
pub struct NotSealed;

impl ToldPasswords {
    /// Opens the key of this folder, and makes it when there is none. Its file is named after trunks, the first that had
    /// passwords.
    ///
    /// # Errors
    /// When it can not be read or written, or others may read it.
    pub fn open(folder: &Path, random: &Random) -> Result<Self, ToldPasswordsError> {
        let file = folder.join("trunks.key");
        let damaged = || ToldPasswordsError::Damaged(file.display().to_string());
        let key = secrets::key(&file, random)?.ok_or_else(damaged)?;
        let key = UnboundKey::new(&AES_256_GCM, &key).map_err(|_| damaged())?;
        Ok(Self(LessSafeKey::new(key)))
    }

    /// Encrypts a password for one of them, with a nonce of its own.
    ///
    /// # Errors
    /// When the cipher refuses.
    pub fn seal(
        &self,
        tenant: TenantId,
        of: impl Into<Of>,
        password: &str,
        random: &Random,
    ) -> Result<Vec<u8>, NotSealed> {
        let nonce: [u8; NONCE_LEN] = random.bytes();
        let mut text = password.as_bytes().to_vec();
        let of = Aad::from(bound_to(tenant, of.into()));
        self.0
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), of, &mut text)
            .map_err(|_| NotSealed)?;
        Ok([nonce.as_slice(), &text].concat())
    }

    /// Decrypts what was encrypted for this one; `None` for anything else.
    pub fn unseal(&self, tenant: TenantId, of: impl Into<Of>, sealed: &[u8]) -> Option<Secret> {
        let (nonce, text) = sealed.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut text = text.to_vec();
        let password = self.0.open_in_place(nonce, Aad::from(bound_to(tenant, of.into())), &mut text).ok()?;
        std::str::from_utf8(password).ok().map(|password| Secret::new(password.to_owned()))
    }
}

fn bound_to(tenant: TenantId, of: Of) -> Vec<u8> {
    let tenant = tenant.0.as_bytes().as_slice();
    match of {
        Of::Trunk(trunk) => [b"klinke-trunk-password-v1", tenant, trunk.0.as_bytes()].concat(),
        Of::Relay(door, panel) => {
            [b"klinke-relay-password-v1", tenant, door.0.as_bytes(), panel.0.as_bytes()].concat()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use klinke_model::ids::v4;
    use std::os::unix::fs::PermissionsExt;

    const HUSH: &str = "hush, blåbær";

    fn ids() -> (TenantId, TrunkId) {
        (v4([1; 16]).into(), v4([2; 16]).into())
    }

    #[test]
    fn a_password_opens_for_its_trunk_and_for_nothing_else() {
        let (folder, random) = (tempfile::tempdir().unwrap(), Random::seeded(1));
        let passwords = ToldPasswords::open(folder.path(), &random).unwrap();
        let (tenant, trunk) = ids();
        let sealed = passwords.seal(tenant, trunk, HUSH, &random).unwrap();
        let opened = |tenant, trunk, sealed: &[u8]| {
            passwords.unseal(tenant, trunk, sealed).map(|secret| secret.reveal().to_owned())
        };
        assert_eq!(opened(tenant, trunk, &sealed).as_deref(), Some(HUSH));
        assert_eq!(opened(v4([3; 16]).into(), trunk, &sealed), None, "another property manager's");
        assert_eq!(opened(tenant, v4([3; 16]).into(), &sealed), None, "another trunk's");
        assert_eq!(opened(TenantId(trunk.0), TrunkId(tenant.0), &sealed), None, "the one for the other");
        let (door, panel) = (DoorId(trunk.0), PanelId(v4([4; 16])));
        let of_relay = |door, panel, sealed: &[u8]| {
            passwords.unseal(tenant, Of::Relay(door, panel), sealed).map(|secret| secret.reveal().to_owned())
        };
        assert_eq!(of_relay(door, panel, &sealed), None, "a trunk's for a door station");
        let relays = passwords.seal(tenant, Of::Relay(door, panel), HUSH, &random).unwrap();
        assert_eq!(of_relay(door, panel, &relays).as_deref(), Some(HUSH));
        assert_eq!(of_relay(door, PanelId(door.0), &relays), None, "another station's");
        assert_eq!(of_relay(DoorId(panel.0), PanelId(door.0), &relays), None, "the one for the other");
        assert_eq!(opened(tenant, trunk, &relays), None, "a door station's for a trunk");
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(opened(tenant, trunk, &changed), None, "byte {at}");
        }
        for length in 0..sealed.len() {
            assert_eq!(opened(tenant, trunk, &sealed[..length]), None, "{length} bytes");
        }
        // with the same key after a restart, and with no other
        let again = ToldPasswords::open(folder.path(), &random).unwrap();
        assert!(again.unseal(tenant, trunk, &sealed).is_some());
        let elsewhere = tempfile::tempdir().unwrap();
        let other = ToldPasswords::open(elsewhere.path(), &random).unwrap();
        assert!(other.unseal(tenant, trunk, &sealed).is_none());
    }

    #[test]
    fn the_same_password_is_never_sealed_the_same_and_is_nowhere_in_it() {
        let (folder, random) = (tempfile::tempdir().unwrap(), Random::seeded(1));
        let passwords = ToldPasswords::open(folder.path(), &random).unwrap();
        let (tenant, trunk) = ids();
        let [one, other] = [(); 2].map(|()| passwords.seal(tenant, trunk, HUSH, &random).unwrap());
        assert_ne!(one, other);
        assert_ne!(one[..NONCE_LEN], other[..NONCE_LEN]);
        assert!(!one.windows(4).any(|window| window == &HUSH.as_bytes()[..4]));
    }

    #[test]
    fn the_key_is_its_owners_only_and_a_damaged_one_is_named() {
        let (folder, random) = (tempfile::tempdir().unwrap(), Random::seeded(1));
        drop(ToldPasswords::open(folder.path(), &random).unwrap());
        let file = folder.path().join("trunks.key");
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::write(&file, "short").unwrap();
        let error = ToldPasswords::open(folder.path(), &random).err().unwrap().to_string();
        assert!(error.contains("trunks.key") && error.contains("again"), "{error}");
    }
}
