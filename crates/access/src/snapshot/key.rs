//! What credentials and people are hashed under.

use super::{CredentialHash, PersonTag};
use hmac::{Hmac, KeyInit, Mac};
use klinke_model::credential::CredentialKey;
use klinke_model::ids::PersonId;
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use std::fmt;

/// The key of one controller: no two have the same, so what one holds can not be found in another. It lies beside the
/// hashes, so it keeps short card numbers from being read, not from being tried one after another by who took the box.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct HashKey(pub [u8; 32]);

impl HashKey {
    /// What a credential is looked up by.
    pub fn credential(&self, key: &CredentialKey) -> CredentialHash {
        let digest = self.digest(b"credential", &key.canonical());
        CredentialHash(digest.first_chunk().copied().unwrap_or_default())
    }

    /// What tells a person apart.
    pub fn person(&self, person: PersonId) -> PersonTag {
        let digest = self.digest(b"person", person.0.as_bytes());
        PersonTag(u64::from_be_bytes(digest.first_chunk().copied().unwrap_or_default()))
    }

    fn digest(&self, what: &[u8], of: &[u8]) -> [u8; 32] {
        // a key of any length is one
        let Ok(mac) = Hmac::<Sha256>::new_from_slice(&self.0) else { return [0; 32] };
        mac.chain_update(what).chain_update([0]).chain_update(of).finalize().into_bytes().into()
    }
}

impl fmt::Debug for HashKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HashKey(‹secret›)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use klinke_model::ids::v4;

    #[test]
    fn another_key_another_credential_another_hash() {
        let (one, other) = (HashKey([1; 32]), HashKey([2; 32]));
        let (code, longer) =
            (CredentialKey::code("123456").unwrap(), CredentialKey::code("1234560").unwrap());
        assert_eq!(one.credential(&code), one.credential(&code));
        assert_ne!(one.credential(&code), other.credential(&code));
        assert_ne!(one.credential(&code), one.credential(&longer));
        let (anna, bo) = (PersonId(v4([1; 16])), PersonId(v4([2; 16])));
        assert_ne!(one.person(anna), one.person(bo));
        assert_ne!(one.person(anna), other.person(anna));
        assert_eq!(format!("{one:?}"), "HashKey(‹secret›)");
    }
}
