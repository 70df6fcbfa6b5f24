//! A snapshot in force: looked up at every card.

use super::build::shard_of;
use super::shard::{Flags, Shard};
use super::{
    CredentialHash, DOORS, DoorPlan, DoorRight, Fault, HashKey, KeyedRight, Manifest, PersonTag, Records,
};
use crate::decide::{Facts, HolderClass, Order, Presented, SiteMode};
use crate::standing::{ClockTrust, Now, Right, Standing, standing};
use crate::zone::Zone;
use klinke_model::door::DoorMode;
use klinke_model::schedule::{HolidayCalendar, Schedule};
use klinke_model::time::Timestamp;
use std::collections::HashMap;
use std::collections::HashSet;
use std::time::Duration;

/// What a controller goes by. Made by [`compile`] only.
#[derive(Clone, Debug)]
pub struct Rights {
    revision: u64,
    issued: Timestamp,
    key: HashKey,
    zone: Zone,
    holidays: HolidayCalendar,
    site_mode: SiteMode,
    doors: Vec<DoorPlan>,
    schedules: Vec<Schedule>,
    rights: Vec<DoorRight>,
    /// Which of the rights credentials have, one after another.
    had: Vec<u16>,
    /// The hashes in order, apart from the rest: a look-up touches only these.
    hashes: Vec<CredentialHash>,
    /// Where the hashes with the same first bits begin, and at last where all end. Keyed hashes are spread evenly, so
    /// there are about [`A_BUCKET`] of each.
    buckets: Vec<u32>,
    entries: Vec<Entry>,
    records_days: Option<u8>,
}

/// How many hashes are looked through.
const A_BUCKET: usize = 4;

/// What belongs to a hash.
#[derive(Clone, Copy, Debug)]
struct Entry {
    person: PersonTag,
    /// Where its rights begin in [`Rights::had`].
    had: u32,
    from_s: u32,
    until_s: u32,
    flags: Flags,
    /// How many rights it has.
    many: u8,
}

/// What the controller itself knows at the moment of a decision.
#[derive(Clone, Copy, Debug)]
pub struct AtDoor {
    /// The door, by its place.
    pub door: u8,
    /// Now.
    pub at: Timestamp,
    /// Whether the controller's clock can be believed.
    pub clock: ClockTrust,
    /// For how long the server could not be asked.
    pub rights_age: Duration,
    /// The door's lock.
    pub mode: DoorMode,
    /// Whether the door may open now, beside the other doors.
    pub order: Order,
    /// This credential opened something before. Counts for one that opens once.
    pub used: bool,
}

/// Whose credential it is, for what the controller does beside deciding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// Tells people apart.
    pub person: PersonTag,
    /// It opens once: it has to be remembered as used before the lock is released.
    pub once: bool,
    /// The first moment at which it is valid no longer; until then it has to be remembered.
    pub until: Option<Timestamp>,
    /// It can be copied.
    pub copyable: bool,
    /// Who presents it is forced to: somebody should know, whatever is decided, and nobody at the door should see.
    pub duress: bool,
}

/// Takes a snapshot into force. All of it is checked here.
///
/// # Errors
/// When a part is not what it should be; see [`Fault`].
pub fn compile(manifest: Manifest, shards: &[Shard]) -> Result<Rights, Fault> {
    let Some(zone) = Zone::named(&manifest.zone) else { return Err(Fault::Zone(manifest.zone)) };
    check_doors(&manifest)?;
    if let Some(wrong) = manifest.schedules.iter().position(|schedule| schedule.fault().is_some()) {
        return Err(Fault::Schedule(wrong));
    }
    if let Some(days) = manifest.records_days.filter(|days| !Records::DAYS.contains(days)) {
        return Err(Fault::Records(days));
    }
    let (rights, places) = keyed(&manifest)?;
    let count = manifest.shards.len();
    if !count.is_power_of_two() || count > 1 << 16 || shards.len() != count {
        return Err(Fault::Shards);
    }
    let (mut had, mut hashes, mut entries) = (Vec::new(), Vec::<CredentialHash>::new(), Vec::new());
    for (place, (shard, name)) in shards.iter().zip(&manifest.shards).enumerate() {
        let wrong = Fault::Shard(place);
        if shard.name() != *name {
            return Err(wrong);
        }
        for row in shard.rows() {
            let Ok(row) = row else { return Err(wrong) };
            let in_order = hashes.last().is_none_or(|last| *last < row.hash);
            let begin = u32::try_from(had.len()).ok();
            let its: Option<Vec<u16>> = row.rights.iter().map(|key| places.get(key).copied()).collect();
            let (true, Some(begin), Some(its)) = (in_order && shard_of(row.hash, count) == place, begin, its)
            else {
                return Err(wrong);
            };
            hashes.push(row.hash);
            entries.push(Entry {
                person: row.person,
                had: begin,
                from_s: row.from_s.unwrap_or(0),
                until_s: row.until_s.unwrap_or(u32::MAX),
                flags: Flags::of(&row),
                many: u8::try_from(its.len()).unwrap_or(u8::MAX),
            });
            had.extend(its);
        }
    }
    had.shrink_to_fit();
    hashes.shrink_to_fit();
    entries.shrink_to_fit();
    Ok(Rights {
        revision: manifest.revision,
        issued: manifest.issued,
        key: manifest.key,
        zone,
        holidays: manifest.holidays,
        site_mode: manifest.site_mode,
        doors: manifest.doors,
        schedules: manifest.schedules,
        rights,
        had,
        buckets: buckets(&hashes),
        hashes,
        entries,
        records_days: manifest.records_days,
    })
}

/// The buckets of hashes in order: a power of two of them.
fn buckets(hashes: &[CredentialHash]) -> Vec<u32> {
    let count = (hashes.len() / A_BUCKET).max(1).next_power_of_two();
    let mut begins = Vec::with_capacity(count + 1);
    let mut at = 0;
    for bucket in 0..count {
        begins.push(u32::try_from(at).unwrap_or(u32::MAX));
        let left = hashes.get(at..).unwrap_or_default();
        at += left.iter().take_while(|hash| bucket_of(**hash, count) == bucket).count();
    }
    begins.push(u32::try_from(at).unwrap_or(u32::MAX));
    begins
}

/// Which bucket of `count` (a power of two) a hash is in: by its first bits.
fn bucket_of(hash: CredentialHash, count: usize) -> usize {
    let first = hash.0.first_chunk().map_or(0, |first| u32::from_be_bytes(*first));
    usize::try_from((u64::from(first) * count as u64) >> 32).unwrap_or_default()
}

fn check_doors(manifest: &Manifest) -> Result<(), Fault> {
    let mut seen = HashSet::new();
    for (place, door) in manifest.doors.iter().enumerate() {
        let before = |place: u8| usize::from(place) < manifest.doors.len();
        let hours = |place: u16| usize::from(place) < manifest.schedules.len();
        let sound = place < DOORS
            && seen.insert(door.door)
            && door.times.is_valid()
            && door.after.is_none_or(|after| before(after.door) && usize::from(after.door) != place)
            && door.unlocked.is_none_or(hours);
        if !sound {
            return Err(Fault::Door(place));
        }
    }
    Ok(())
}

/// The rights, and the place of each by its key.
fn keyed(manifest: &Manifest) -> Result<(Vec<DoorRight>, HashMap<u64, u16>), Fault> {
    let mut places = HashMap::with_capacity(manifest.rights.len());
    let doors = manifest.doors.len();
    let there = if doors >= DOORS { u64::MAX } else { (1 << doors) - 1 };
    for (place, KeyedRight { key, right }) in manifest.rights.iter().enumerate() {
        let hours = right.schedule.is_none_or(|schedule| usize::from(schedule) < manifest.schedules.len());
        let is_sound = right.doors & !there == 0 && hours;
        match u16::try_from(place) {
            Ok(at) if is_sound && places.insert(*key, at).is_none() => {}
            _ => return Err(Fault::Right(place)),
        }
    }
    Ok((manifest.rights.iter().map(|keyed| keyed.right).collect(), places))
}

impl Rights {
    /// Its number.
    pub const fn revision(&self) -> u64 {
        self.revision
    }

    /// When the server made it.
    pub const fn issued(&self) -> Timestamp {
        self.issued
    }

    /// What credentials are looked up by.
    pub const fn key(&self) -> &HashKey {
        &self.key
    }

    /// Whether an emergency is on.
    pub const fn site_mode(&self) -> SiteMode {
        self.site_mode
    }

    /// The doors, by place.
    pub fn doors(&self) -> &[DoorPlan] {
        &self.doors
    }

    pub(super) const fn records_days(&self) -> Option<u8> {
        self.records_days
    }

    /// How many credentials it knows.
    pub const fn credentials(&self) -> usize {
        self.hashes.len()
    }

    /// How much memory its credentials and their rights take, in bytes.
    pub const fn size(&self) -> usize {
        self.hashes.capacity() * size_of::<CredentialHash>()
            + self.entries.capacity() * size_of::<Entry>()
            + self.had.capacity() * size_of::<u16>()
            + self.buckets.capacity() * size_of::<u32>()
    }

    /// Whether the door of this place stands unlocked by its hours; never by a clock that can not be believed.
    pub fn unlocked_by_hours(&self, door: u8, at: Timestamp, clock: ClockTrust) -> bool {
        let hours = self.doors.get(usize::from(door)).and_then(|door| door.unlocked);
        let schedule = hours.and_then(|place| self.schedules.get(usize::from(place)));
        let (Some(schedule), Some(now)) = (schedule, self.now(at, clock)) else { return false };
        let right = Right { schedule: Some(schedule), from: None, until: None };
        self.site_mode == SiteMode::Normal && standing([right], &now) == Standing::InForce
    }

    /// The facts of somebody who presents a credential at a door, for [`crate::decide::decide`], and whose it is. None
    /// when the door is not one of these.
    pub fn facts_at(&self, hash: CredentialHash, asked: &AtDoor) -> Option<(Facts, Option<Found>)> {
        let door = self.doors.get(usize::from(asked.door))?;
        let entry = self.entry(hash);
        let flags = entry.map_or(Flags::NONE, |entry| entry.flags);
        let now = self.now(asked.at, asked.clock);
        let facts = Facts {
            presented: entry.map_or(Presented::Unknown, |entry| presented(entry, door, asked)),
            person_active: !flags.has(Flags::SUSPENDED),
            standing: match (entry, now) {
                (Some(entry), Some(now)) => standing(self.rights_of(entry, asked.door), &now),
                _ => Standing::None,
            },
            administers_building: false,
            call_offers_door: false,
            class: if flags.has(Flags::PASSING) { HolderClass::Passing } else { HolderClass::Resident },
            rights_age: asked.rights_age,
            needs_longer: flags.has(Flags::NEEDS_LONGER),
            site_mode: self.site_mode,
            times: door.times,
            door_mode: Some(asked.mode),
            order: asked.order,
        };
        let found = entry.map(|entry| Found {
            person: entry.person,
            once: flags.has(Flags::ONCE),
            until: (entry.until_s != u32::MAX)
                .then(|| Timestamp::from_millis(i64::from(entry.until_s) * 1_000)),
            copyable: flags.has(Flags::COPYABLE),
            duress: flags.has(Flags::DURESS),
        });
        Some((facts, found))
    }

    fn now(&self, at: Timestamp, clock: ClockTrust) -> Option<Now> {
        Some(Now { at, wall: self.zone.wall(at)?, calendar: self.holidays, clock })
    }

    fn entry(&self, hash: CredentialHash) -> Option<&Entry> {
        let bucket = bucket_of(hash, self.buckets.len() - 1);
        let (begin, end) = (*self.buckets.get(bucket)?, *self.buckets.get(bucket + 1)?);
        let near = self.hashes.get(begin as usize..end as usize)?;
        let within = near.iter().position(|other| *other == hash)?;
        self.entries.get(begin as usize + within)
    }

    fn rights_of(&self, entry: &Entry, door: u8) -> impl Iterator<Item = Right<'_>> {
        let begin = entry.had as usize;
        let had = self.had.get(begin..begin + usize::from(entry.many)).unwrap_or_default();
        let rights = had.iter().filter_map(|place| self.rights.get(usize::from(*place)));
        rights.filter(move |right| right.doors >> door & 1 == 1).filter_map(|right| {
            let schedule = match right.schedule {
                None => None,
                // compile checked that it is there; a right whose hours were not would be none
                Some(place) => Some(self.schedules.get(usize::from(place))?),
            };
            Some(Right { schedule, from: right.from, until: right.until })
        })
    }
}

fn presented(entry: &Entry, door: &DoorPlan, asked: &AtDoor) -> Presented {
    let has = |flag| entry.flags.has(flag);
    let second = asked.at.as_millis().div_euclid(1_000);
    let dated = entry.from_s != 0 || entry.until_s != u32::MAX;
    if has(Flags::BLOCKED) {
        Presented::Blocked
    } else if dated && asked.clock == ClockTrust::Untrusted {
        Presented::ClockUntrusted
    } else if entry.until_s != u32::MAX && second >= i64::from(entry.until_s) {
        Presented::Over
    } else if second < i64::from(entry.from_s) {
        Presented::NotYet
    } else if has(Flags::ONCE) && asked.used {
        Presented::UsedUp
    } else if has(Flags::COPYABLE) && door.refuses_copyable {
        Presented::Copyable
    } else {
        Presented::Valid
    }
}
