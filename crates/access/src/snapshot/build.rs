//! Makes a snapshot from what the server knows of one controller.

use super::shard::{Row, Shard, State};
use super::{CredentialHash, DoorPlan, DoorRight, HashKey, KeyedRight, Manifest, PersonTag, Records};
use crate::decide::{HolderClass, SiteMode};
use klinke_model::credential::CredentialTier;
use klinke_model::ids::ControllerId;
use klinke_model::schedule::{HolidayCalendar, Schedule};
use klinke_model::time::Timestamp;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// How many credentials a shard holds at most, unless there are more than [`MOST_SHARDS`] times as many.
const SHARD_ROWS: usize = 1_024;
/// More would make the manifest larger than what they save.
const MOST_SHARDS: usize = 1_024;

/// What a snapshot is made from.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Whom it is for.
    pub controller: ControllerId,
    /// Its number.
    pub revision: u64,
    /// Now.
    pub issued: Timestamp,
    /// What the credentials and people are hashed under.
    pub key: HashKey,
    /// The IANA zone of the building.
    pub zone: String,
    /// Whose holidays count.
    pub holidays: HolidayCalendar,
    /// Whether an emergency is on.
    pub site_mode: SiteMode,
    /// The controller's doors.
    pub doors: Vec<DoorPlan>,
    /// The hours that rights name.
    pub schedules: Vec<Schedule>,
    /// People with a right to one of the doors.
    pub holders: Vec<Holder>,
    /// What they present, by the holder's place.
    pub credentials: Vec<Credential>,
    /// Whether the uses of the doors are kept.
    pub records: Option<Records>,
}

/// Somebody with rights.
#[derive(Clone, Debug)]
pub struct Holder {
    /// Tells them apart.
    pub person: PersonTag,
    /// They are not suspended.
    pub active: bool,
    /// The kind of their right.
    pub class: HolderClass,
    /// They need more time at doors.
    pub needs_longer: bool,
    /// Their rights; those after the first [`Row::RIGHTS`] are left out.
    pub rights: Vec<DoorRight>,
}

/// Something presented at a door.
#[derive(Clone, Copy, Debug)]
pub struct Credential {
    /// What it is looked up by.
    pub hash: CredentialHash,
    /// Whose it is, by their place.
    pub holder: usize,
    /// Whether it counts.
    pub state: State,
    /// Whether it can be copied.
    pub tier: CredentialTier,
    /// It opens once.
    pub once: bool,
    /// Who presents it is forced to. Nothing is decided by it.
    pub duress: bool,
    /// The first second at which it is valid, since 1970.
    pub from_s: Option<u32>,
    /// The first second at which it is valid no longer, since 1970.
    pub until_s: Option<u32>,
}

/// Makes it. A credential of a holder who is not there is left out; of two with the same hash the first stays.
pub fn build(plan: &Plan) -> (Manifest, Vec<Shard>) {
    let mut keyed = BTreeMap::new();
    let keys: Vec<Vec<u64>> = plan
        .holders
        .iter()
        .map(|holder| {
            let mut keys: Vec<u64> = holder.rights.iter().map(|right| key_of(&mut keyed, *right)).collect();
            keys.sort_unstable();
            keys.dedup();
            keys
        })
        .collect();
    let mut rows: Vec<Row> = Vec::with_capacity(plan.credentials.len());
    for credential in &plan.credentials {
        if let (Some(holder), Some(rights)) =
            (plan.holders.get(credential.holder), keys.get(credential.holder))
        {
            rows.push(Row {
                hash: credential.hash,
                person: holder.person,
                rights: rights.clone(),
                from_s: credential.from_s,
                until_s: credential.until_s,
                state: credential.state,
                person_active: holder.active,
                class: holder.class,
                needs_longer: holder.needs_longer,
                tier: credential.tier,
                once: credential.once,
                duress: credential.duress,
            });
        }
    }
    // stable: the first of two stays
    rows.sort_by_key(|row| row.hash);
    rows.dedup_by_key(|row| row.hash);
    let shards = in_shards(&rows);
    let manifest = Manifest {
        controller: plan.controller,
        revision: plan.revision,
        issued: plan.issued,
        key: plan.key,
        zone: plan.zone.clone(),
        holidays: plan.holidays,
        site_mode: plan.site_mode,
        doors: plan.doors.clone(),
        schedules: plan.schedules.clone(),
        rights: keyed.into_iter().map(|(key, right)| KeyedRight { key, right }).collect(),
        shards: shards.iter().map(Shard::name).collect(),
        records_days: plan.records.map(|records| records.days),
    };
    (manifest, shards)
}

/// The key of a right, which is put among those there are. Made from its content; the next free one should two rights
/// ever meet on one key.
fn key_of(keyed: &mut BTreeMap<u64, DoorRight>, right: DoorRight) -> u64 {
    let digest: [u8; 32] = Sha256::new()
        .chain_update(right.doors.to_be_bytes())
        .chain_update(right.schedule.map_or(-1, i32::from).to_be_bytes())
        .chain_update(right.from.map_or(i64::MIN, Timestamp::as_millis).to_be_bytes())
        .chain_update(right.until.map_or(i64::MAX, Timestamp::as_millis).to_be_bytes())
        .finalize()
        .into();
    let mut key = digest.first_chunk().map_or(0, |first| u64::from_be_bytes(*first));
    while *keyed.entry(key).or_insert(right) != right {
        key = key.wrapping_add(1);
    }
    key
}

fn in_shards(rows: &[Row]) -> Vec<Shard> {
    let count = rows.len().div_ceil(SHARD_ROWS).clamp(1, MOST_SHARDS).next_power_of_two();
    let mut left = rows;
    (0..count)
        .map(|shard| {
            let end = left.partition_point(|row| shard_of(row.hash, count) <= shard);
            let (these, rest) = left.split_at_checked(end).unwrap_or((left, &[]));
            left = rest;
            Shard::of(these)
        })
        .collect()
}

/// Which shard of `count` (a power of two, 65,536 at most) a hash belongs in: by its first bits.
pub(super) fn shard_of(hash: CredentialHash, count: usize) -> usize {
    let [first, second, ..] = hash.0;
    (usize::from(u16::from_be_bytes([first, second])) * count) >> 16
}
