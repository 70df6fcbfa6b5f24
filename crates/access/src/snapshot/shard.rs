//! Credentials in bytes: rows of one length in the order of their hashes, so equal contents are equal bytes.

use super::{CredentialHash, PersonTag};
use crate::decide::HolderClass;
use klinke_model::credential::CredentialTier;
use sha2::{Digest, Sha256};
use std::fmt::Write;

/// Bytes of a row: hash 16, person 8, profile 8, from 4, until 4, state and kind 1.
pub(super) const ROW: usize = 41;

const BLOCKED: u8 = 1;
const SUSPENDED: u8 = 2;
const PASSING: u8 = 4;
const NEEDS_LONGER: u8 = 8;
const COPYABLE: u8 = 16;
const ONCE: u8 = 32;
const ALL_FLAGS: u8 = BLOCKED | SUSPENDED | PASSING | NEEDS_LONGER | COPYABLE | ONCE;

/// The credentials whose hashes begin with the same bits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shard(pub Vec<u8>);

/// Whether a credential counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It does.
    Active,
    /// It is lost or put aside.
    Blocked,
}

/// One credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// What it is looked up by.
    pub hash: CredentialHash,
    /// Whose it is.
    pub person: PersonTag,
    /// The rights it gives.
    pub profile: u64,
    /// The first second at which it is valid, since 1970.
    pub from_s: Option<u32>,
    /// The first second at which it is valid no longer, since 1970.
    pub until_s: Option<u32>,
    /// Whether it counts.
    pub state: State,
    /// Its person is not suspended.
    pub person_active: bool,
    /// The kind of their right.
    pub class: HolderClass,
    /// They need more time at doors.
    pub needs_longer: bool,
    /// Whether it can be copied.
    pub tier: CredentialTier,
    /// It opens once.
    pub once: bool,
}

impl Shard {
    /// The name of these bytes in a manifest: SHA-256, hexadecimal.
    pub fn name(&self) -> String {
        Sha256::digest(&self.0).iter().fold(String::with_capacity(64), |mut text, byte| {
            // writing to a String does not fail
            let _ = write!(text, "{byte:02x}");
            text
        })
    }

    pub(super) fn of(rows: &[Row]) -> Self {
        let mut bytes = Vec::with_capacity(rows.len() * ROW);
        for row in rows {
            row.write(&mut bytes);
        }
        Self(bytes)
    }

    /// Its rows; none when bytes are left over or a row is not one.
    pub(super) fn rows(&self) -> Option<Vec<Row>> {
        let (rows, rest) = self.0.as_chunks::<ROW>();
        if !rest.is_empty() {
            return None;
        }
        rows.iter().map(Row::read).collect()
    }
}

impl Row {
    fn write(&self, to: &mut Vec<u8>) {
        to.extend(self.hash.0);
        to.extend(self.person.0.to_be_bytes());
        to.extend(self.profile.to_be_bytes());
        to.extend(self.from_s.unwrap_or(0).to_be_bytes());
        to.extend(self.until_s.unwrap_or(u32::MAX).to_be_bytes());
        let flag = |is: bool, flag: u8| if is { flag } else { 0 };
        to.push(
            flag(self.state == State::Blocked, BLOCKED)
                | flag(!self.person_active, SUSPENDED)
                | flag(self.class == HolderClass::Passing, PASSING)
                | flag(self.needs_longer, NEEDS_LONGER)
                | flag(self.tier == CredentialTier::Identifier, COPYABLE)
                | flag(self.once, ONCE),
        );
    }

    fn read(bytes: &[u8; ROW]) -> Option<Self> {
        let (hash, rest) = bytes.split_first_chunk::<16>()?;
        let (person, rest) = rest.split_first_chunk::<8>()?;
        let (profile, rest) = rest.split_first_chunk::<8>()?;
        let (from, rest) = rest.split_first_chunk::<4>()?;
        let (until, rest) = rest.split_first_chunk::<4>()?;
        let flags = *rest.first()?;
        if flags & !ALL_FLAGS != 0 {
            return None;
        }
        let has = |flag: u8| flags & flag != 0;
        let (from, until) = (u32::from_be_bytes(*from), u32::from_be_bytes(*until));
        Some(Self {
            hash: CredentialHash(*hash),
            person: PersonTag(u64::from_be_bytes(*person)),
            profile: u64::from_be_bytes(*profile),
            from_s: (from != 0).then_some(from),
            until_s: (until != u32::MAX).then_some(until),
            state: if has(BLOCKED) { State::Blocked } else { State::Active },
            person_active: !has(SUSPENDED),
            class: if has(PASSING) { HolderClass::Passing } else { HolderClass::Resident },
            needs_longer: has(NEEDS_LONGER),
            tier: if has(COPYABLE) { CredentialTier::Identifier } else { CredentialTier::Proven },
            once: has(ONCE),
        })
    }
}
