//! Credentials in bytes, in the order of their hashes, so equal contents are equal bytes.
//!
//! ```text
//! hash 16 │ person 8 │ from 4 │ until 4 │ state and kind 1 │ how many rights 1 │ key of each right 8 …
//! ```

use super::{CredentialHash, PersonTag};
use crate::decide::HolderClass;
use klinke_model::credential::CredentialTier;
use sha2::{Digest, Sha256};
use std::fmt::Write;

/// State and kind of a credential, a bit each.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flags(u8);

impl Flags {
    pub(super) const BLOCKED: u8 = 1;
    pub(super) const SUSPENDED: u8 = 2;
    pub(super) const PASSING: u8 = 4;
    pub(super) const NEEDS_LONGER: u8 = 8;
    pub(super) const COPYABLE: u8 = 16;
    pub(super) const ONCE: u8 = 32;
    pub(super) const DURESS: u8 = 64;
    const ALL: u8 = Self::BLOCKED
        | Self::SUSPENDED
        | Self::PASSING
        | Self::NEEDS_LONGER
        | Self::COPYABLE
        | Self::ONCE
        | Self::DURESS;
    /// Nothing is said of it.
    pub(super) const NONE: Self = Self(0);

    pub(super) fn of(row: &Row) -> Self {
        let flag = |is: bool, flag: u8| if is { flag } else { 0 };
        Self(
            flag(row.state == State::Blocked, Self::BLOCKED)
                | flag(!row.person_active, Self::SUSPENDED)
                | flag(row.class == HolderClass::Passing, Self::PASSING)
                | flag(row.needs_longer, Self::NEEDS_LONGER)
                | flag(row.tier == CredentialTier::Identifier, Self::COPYABLE)
                | flag(row.once, Self::ONCE)
                | flag(row.duress, Self::DURESS),
        )
    }

    pub(super) const fn has(self, flag: u8) -> bool {
        self.0 & flag != 0
    }
}

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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// What it is looked up by.
    pub hash: CredentialHash,
    /// Whose it is.
    pub person: PersonTag,
    /// The keys of the rights it gives, in order. [`Self::RIGHTS`] at most.
    pub rights: Vec<u64>,
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
    /// Who presents it is forced to. Nothing is decided by it.
    pub duress: bool,
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
        let mut bytes = Vec::with_capacity(rows.len() * 64);
        for row in rows {
            row.write(&mut bytes);
        }
        Self(bytes)
    }

    /// Its rows one after another; an `Err` ends them, when what is left is not a row.
    pub(super) fn rows(&self) -> impl Iterator<Item = Result<Row, NoRow>> {
        let mut left = &self.0[..];
        std::iter::from_fn(move || {
            if left.is_empty() {
                return None;
            }
            let row = Row::read(&mut left).ok_or(NoRow);
            if row.is_err() {
                left = &[];
            }
            Some(row)
        })
    }
}

/// What stands in a shard is not a row.
#[derive(Clone, Copy, Debug)]
pub(super) struct NoRow;

impl Row {
    /// The most rights of one credential.
    pub const RIGHTS: usize = 255;

    fn write(&self, to: &mut Vec<u8>) {
        to.extend(self.hash.0);
        to.extend(self.person.0.to_be_bytes());
        to.extend(self.from_s.unwrap_or(0).to_be_bytes());
        to.extend(self.until_s.unwrap_or(u32::MAX).to_be_bytes());
        to.push(Flags::of(self).0);
        let rights = self.rights.get(..Self::RIGHTS).unwrap_or(&self.rights);
        to.push(u8::try_from(rights.len()).unwrap_or(u8::MAX));
        to.extend(rights.iter().flat_map(|key| key.to_be_bytes()));
    }

    fn read(left: &mut &[u8]) -> Option<Self> {
        let hash = CredentialHash(*take(left)?);
        let person = PersonTag(u64::from_be_bytes(*take(left)?));
        let (from, until) = (u32::from_be_bytes(*take(left)?), u32::from_be_bytes(*take(left)?));
        let [flags, many] = *take(left)?;
        if flags & !Flags::ALL != 0 {
            return None;
        }
        let mut rights = Vec::with_capacity(many.into());
        for _ in 0..many {
            rights.push(u64::from_be_bytes(*take(left)?));
        }
        let has = |flag| Flags(flags).has(flag);
        Some(Self {
            hash,
            person,
            rights,
            from_s: (from != 0).then_some(from),
            until_s: (until != u32::MAX).then_some(until),
            state: if has(Flags::BLOCKED) { State::Blocked } else { State::Active },
            person_active: !has(Flags::SUSPENDED),
            class: if has(Flags::PASSING) { HolderClass::Passing } else { HolderClass::Resident },
            needs_longer: has(Flags::NEEDS_LONGER),
            tier: if has(Flags::COPYABLE) { CredentialTier::Identifier } else { CredentialTier::Proven },
            once: has(Flags::ONCE),
            duress: has(Flags::DURESS),
        })
    }
}

/// The next bytes of what is left.
fn take<'a, const N: usize>(left: &mut &'a [u8]) -> Option<&'a [u8; N]> {
    let (bytes, rest) = left.split_first_chunk::<N>()?;
    *left = rest;
    Some(bytes)
}
