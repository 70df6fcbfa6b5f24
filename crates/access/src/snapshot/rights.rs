//! A snapshot in force: looked up at every card.

use super::build::shard_of;
use super::shard::{Row, Shard, State};
use super::{CredentialHash, DOORS, DoorPlan, DoorRight, Fault, Manifest, PersonTag};
use crate::decide::{Facts, HolderClass, Order, Presented, SiteMode};
use crate::standing::{ClockTrust, Now, Right, Standing, standing};
use crate::zone::Zone;
use klinke_model::credential::CredentialTier;
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
    zone: Zone,
    holidays: HolidayCalendar,
    site_mode: SiteMode,
    doors: Vec<DoorPlan>,
    schedules: Vec<Schedule>,
    /// The rights of all profiles, one after another.
    rights: Vec<DoorRight>,
    /// The hashes in order, apart from the rest: a look-up touches only these.
    hashes: Vec<CredentialHash>,
    entries: Vec<Entry>,
}

/// What belongs to a hash.
#[derive(Clone, Copy, Debug)]
struct Entry {
    person: PersonTag,
    /// Its rights, as a range of [`Rights::rights`].
    rights: (u32, u32),
    from_s: u32,
    until_s: u32,
    flags: Flags,
}

#[derive(Clone, Copy, Debug)]
struct Flags(u8);

impl Flags {
    const BLOCKED: u8 = 1;
    const SUSPENDED: u8 = 2;
    const PASSING: u8 = 4;
    const NEEDS_LONGER: u8 = 8;
    const COPYABLE: u8 = 16;
    const ONCE: u8 = 32;

    fn of(row: &Row) -> Self {
        let flag = |is: bool, flag: u8| if is { flag } else { 0 };
        Self(
            flag(row.state == State::Blocked, Self::BLOCKED)
                | flag(!row.person_active, Self::SUSPENDED)
                | flag(row.class == HolderClass::Passing, Self::PASSING)
                | flag(row.needs_longer, Self::NEEDS_LONGER)
                | flag(row.tier == CredentialTier::Identifier, Self::COPYABLE)
                | flag(row.once, Self::ONCE),
        )
    }

    const fn has(self, flag: u8) -> bool {
        self.0 & flag != 0
    }
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
    let (rights, ranges) = profiles(&manifest)?;
    let count = manifest.shards.len();
    if !count.is_power_of_two() || count > 1 << 16 || shards.len() != count {
        return Err(Fault::Shards);
    }
    let all = shards.iter().map(|shard| shard.0.len() / super::shard::ROW).sum();
    let (mut hashes, mut entries) = (Vec::with_capacity(all), Vec::with_capacity(all));
    for (place, (shard, name)) in shards.iter().zip(&manifest.shards).enumerate() {
        let rows = if shard.name() == *name { shard.rows() } else { None };
        for row in rows.ok_or(Fault::Shard(place))? {
            let in_order = hashes.last().is_none_or(|last| *last < row.hash);
            let rights = ranges.get(&row.profile);
            let Some(rights) = rights.filter(|_| in_order && shard_of(row.hash, count) == place) else {
                return Err(Fault::Shard(place));
            };
            hashes.push(row.hash);
            entries.push(Entry {
                person: row.person,
                rights: *rights,
                from_s: row.from_s.unwrap_or(0),
                until_s: row.until_s.unwrap_or(u32::MAX),
                flags: Flags::of(&row),
            });
        }
    }
    Ok(Rights {
        revision: manifest.revision,
        issued: manifest.issued,
        zone,
        holidays: manifest.holidays,
        site_mode: manifest.site_mode,
        doors: manifest.doors,
        schedules: manifest.schedules,
        rights,
        hashes,
        entries,
    })
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

/// Where the rights of a profile begin and end in the list of all.
type Range = (u32, u32);

fn profiles(manifest: &Manifest) -> Result<(Vec<DoorRight>, HashMap<u64, Range>), Fault> {
    let (mut rights, mut ranges) = (Vec::new(), HashMap::new());
    let doors = manifest.doors.len();
    let there = if doors >= DOORS { u64::MAX } else { (1 << doors) - 1 };
    for (place, profile) in manifest.profiles.iter().enumerate() {
        let sound = |right: &DoorRight| {
            right.doors & !there == 0
                && right.schedule.is_none_or(|schedule| usize::from(schedule) < manifest.schedules.len())
        };
        let begin = u32::try_from(rights.len()).map_err(|_| Fault::Profile(place))?;
        rights.extend_from_slice(&profile.rights);
        let end = u32::try_from(rights.len()).map_err(|_| Fault::Profile(place))?;
        if !profile.rights.iter().all(sound) || ranges.insert(profile.key, (begin, end)).is_some() {
            return Err(Fault::Profile(place));
        }
    }
    Ok((rights, ranges))
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

    /// The doors, by place.
    pub fn doors(&self) -> &[DoorPlan] {
        &self.doors
    }

    /// How many credentials it knows.
    pub const fn credentials(&self) -> usize {
        self.hashes.len()
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
        let place = self.hashes.binary_search(&hash).ok();
        let entry = place.and_then(|place| self.entries.get(place));
        let flags = entry.map_or(Flags(0), |entry| entry.flags);
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
        let found = entry.map(|entry| Found { person: entry.person, once: flags.has(Flags::ONCE) });
        Some((facts, found))
    }

    fn now(&self, at: Timestamp, clock: ClockTrust) -> Option<Now> {
        Some(Now { at, wall: self.zone.wall(at)?, calendar: self.holidays, clock })
    }

    fn rights_of(&self, entry: &Entry, door: u8) -> impl Iterator<Item = Right<'_>> {
        let (begin, end) = entry.rights;
        let rights = self.rights.get(begin as usize..end as usize).unwrap_or_default();
        rights.iter().filter(move |right| right.doors >> door & 1 == 1).filter_map(|right| {
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
