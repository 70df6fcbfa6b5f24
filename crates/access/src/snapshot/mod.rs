//! What one controller holds to decide alone: its doors, the hours, and every credential that opens one of them. No
//! names, no units, no door of another controller.
//!
//! ```text
//! server:      plan ── build ──▶ manifest (signed) + shards (named by their SHA-256 in the manifest)
//! controller:  manifest + shards ── compile ──▶ Rights ── facts_at ──▶ decide
//! ```
//!
//! - A [`Manifest`] is small and whole; it is what the server signs. Credentials are in [`Shard`]s by the first bits of
//!   their hash, so one changed card is one new manifest and one new shard, whoever else is in the house.
//! - Credentials are kept as keyed hashes: the key is the controller's own, so a stolen box tells no card numbers and
//!   two boxes cannot be compared.
//! - [`compile`] takes all of it or nothing, and checks everything that [`Rights`] relies on: after it no look-up can
//!   go astray.

mod build;
mod key;
mod records;
mod rights;
mod shard;

pub use build::{Credential, Holder, Plan, build};
pub use key::HashKey;
pub use klinke_model::news::PersonTag;
pub use records::{KeepsRecords, Records};
pub use rights::{AtDoor, Found, Rights, compile};
pub use shard::{Row, Shard, State};

use crate::decide::SiteMode;
use klinke_model::door::DoorTimes;
use klinke_model::ids::{ControllerId, DoorId};
use klinke_model::schedule::{HolidayCalendar, Schedule};
use klinke_model::time::Timestamp;
use serde::{Deserialize, Serialize};

/// What is signed for a manifest of these bytes: the authority signs certificates too, and one is never taken for the other.
pub fn signed(manifest: &[u8]) -> Vec<u8> {
    [b"klinke-rights-v1\0", manifest].concat()
}

/// The most doors of one controller: one bit each.
pub const DOORS: usize = 64;

/// What a credential is looked up by: HMAC-SHA-256 of [`klinke_model::credential::CredentialKey::canonical`] under the
/// controller's key, cut to 128 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CredentialHash(pub [u8; 16]);

/// The part of a snapshot that is signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Whom it is for.
    pub controller: ControllerId,
    /// Grows with every change. A controller never goes back.
    pub revision: u64,
    /// When the server made it.
    pub issued: Timestamp,
    /// What its credentials and people are hashed under.
    pub key: HashKey,
    /// The IANA zone of the building.
    pub zone: String,
    /// Whose holidays count.
    pub holidays: HolidayCalendar,
    /// Whether an emergency is on.
    pub site_mode: SiteMode,
    /// Its doors. [`DOORS`] at most; a right names them by their place here.
    pub doors: Vec<DoorPlan>,
    /// The hours that rights name by their place here.
    pub schedules: Vec<Schedule>,
    /// The rights that credentials name by key.
    pub rights: Vec<KeyedRight>,
    /// SHA-256 of each shard, hexadecimal, by the first bits of the hashes in it: a power of two of them.
    pub shards: Vec<String>,
    /// For how many days ([`Records::DAYS`]) the uses of the doors are kept. In a building where they are not it is not there at all,
    /// and [`build()`] can not put it there for one that is not commercial.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub records_days: Option<u8>,
}

/// One door of the controller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DoorPlan {
    /// Which.
    pub door: DoorId,
    /// Its times.
    pub times: DoorTimes,
    /// Takes no credential that can be copied.
    pub refuses_copyable: bool,
    /// Asks for two different people within this many seconds.
    pub two_people_within_s: Option<u16>,
    /// Opens only after somebody went through another door of this controller, by its place, within so many seconds.
    pub after: Option<After>,
    /// Opens only while the other doors of the same airlock are closed and locked.
    pub airlock: Option<u8>,
    /// The hours in which it stands unlocked, by their place.
    pub unlocked: Option<u16>,
    /// Those hours begin only when the first who may open it has come.
    pub first_person_in: bool,
}

/// A door that comes before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct After {
    /// Its place among the controller's doors.
    pub door: u8,
    /// For how long after somebody went through it, s.
    pub within_s: u16,
}

/// A right under the key that credentials name it by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyedRight {
    /// Made from the right itself, so it stays when others come and go, and so do the shards that name it.
    pub key: u64,
    /// The right.
    pub right: DoorRight,
}

/// A right to some doors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DoorRight {
    /// The doors by their place, one bit each.
    pub doors: u64,
    /// The hours in which it holds, by their place; at any time without.
    pub schedule: Option<u16>,
    /// The first moment at which it holds.
    pub from: Option<Timestamp>,
    /// The first moment at which it does not hold any more.
    pub until: Option<Timestamp>,
}

/// Why a snapshot is not taken. Nothing of it is in force then.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The zone is unknown to this program.
    #[error("the zone {0:?} is unknown")]
    Zone(String),
    /// More than [`DOORS`] doors, one twice, or times out of range.
    #[error("door {0} of the list can not be driven")]
    Door(usize),
    /// Hours that are none.
    #[error("schedule {0} of the list is not one")]
    Schedule(usize),
    /// A right names doors or hours that are not there, its key is taken, or there are more than 65,536.
    #[error("right {0} of the list is not one")]
    Right(usize),
    /// There are fewer or more shards than named, or not a power of two.
    #[error("the shards are not those of the manifest")]
    Shards,
    /// Uses are to be kept for so many days, which are too few or too many.
    #[error("records of use can not be kept for {0} days")]
    Records(u8),
    /// A shard is cut, is not what the manifest names, or holds what does not belong in it.
    #[error("shard {0} is not what the manifest names")]
    Shard(usize),
}

#[cfg(test)]
mod tests;
