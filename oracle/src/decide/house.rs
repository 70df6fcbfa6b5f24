//! The house that all are asked about.

use klinke_access::decide::{HolderClass, SiteMode};
use klinke_access::snapshot::{
    Credential, CredentialHash, DoorPlan, DoorRight, HashKey, Holder, PersonTag, Plan, State,
};
use klinke_model::credential::{CredentialFormat, CredentialKey, CredentialTier};
use klinke_model::door::DoorTimes;
use klinke_model::ids::{ControllerId, DoorId, v4};
use klinke_model::schedule::{HolidayCalendar, Schedule};
use klinke_model::time::Timestamp;
use klinke_model::timetable::Hours;
use sha2::{Digest, Sha256};

pub const DOORS: u8 = 64;
const LEVELS: u16 = 100;

/// Who may what.
pub struct House {
    /// Of each level: its doors, one bit each, and its hours in minutes.
    pub levels: Vec<(u64, u16, u16)>,
    /// Of each person: their levels.
    pub people: Vec<[u16; 3]>,
}

/// Somebody at a door, at a minute of a Tuesday in UTC.
pub struct Question {
    pub person: usize,
    pub door: u8,
    pub minute: u16,
    pub at: Timestamp,
}

/// What is spread evenly and the same in every run: the first bytes of a hash of two numbers.
fn dice(kind: &str, number: usize) -> u64 {
    let digest: [u8; 32] =
        Sha256::new().chain_update(kind).chain_update(number.to_be_bytes()).finalize().into();
    digest.first_chunk().map_or(0, |first| u64::from_be_bytes(*first))
}

/// A number below another, 65,536 at most.
fn below(dice: u64, limit: u16) -> u16 {
    u16::try_from(dice % u64::from(limit)).unwrap_or_default()
}

pub fn hash(person: usize) -> CredentialHash {
    let digest: [u8; 32] = Sha256::digest(person.to_be_bytes()).into();
    CredentialHash(digest.first_chunk().copied().unwrap_or_default())
}

/// What the server does for each card before: an HMAC of its bits.
pub fn hashed(card: u32) -> crate::Result<CredentialHash> {
    let key = CredentialKey::new(CredentialFormat::Bits, 32, &card.to_be_bytes())?;
    Ok(HashKey([7; 32]).credential(&key))
}

impl House {
    pub fn new(people: usize) -> Self {
        let levels = (0..usize::from(LEVELS)).map(|level| {
            let doors = (0..10).fold(0, |doors, door| doors | 1 << (dice("door", level * 10 + door) % 64));
            let from = below(dice("from", level), 720);
            (doors, from, from + 300 + below(dice("until", level), 420))
        });
        let level = |person: usize, number: usize| below(dice("level", person * 3 + number), LEVELS);
        let people = (0..people).map(|person| [level(person, 0), level(person, 1), level(person, 2)]);
        Self { levels: levels.collect(), people: people.collect() }
    }

    pub fn plan(&self, with_hours: bool) -> Plan {
        let every_day = |from, until| Schedule {
            hours: vec![Hours { days: (0..7).collect(), from, until }],
            ..Schedule::default()
        };
        let right = |level: u16| {
            let doors = self.levels.get(usize::from(level)).map_or(0, |level| level.0);
            DoorRight { doors, schedule: with_hours.then_some(level), from: None, until: None }
        };
        Plan {
            controller: ControllerId(v4([1; 16])),
            revision: 1,
            issued: Timestamp::from_millis(0),
            key: HashKey([0; 32]),
            zone: "UTC".into(),
            holidays: HolidayCalendar::Norway,
            records: None,
            site_mode: SiteMode::Normal,
            doors: (0..DOORS).map(door).collect(),
            schedules: self.levels.iter().map(|(_, from, until)| every_day(*from, *until)).collect(),
            holders: (0_u64..)
                .zip(&self.people)
                .map(|(number, levels)| Holder {
                    person: PersonTag(number),
                    active: true,
                    class: HolderClass::Resident,
                    needs_longer: false,
                    rights: levels.map(right).to_vec(),
                })
                .collect(),
            credentials: (0..self.people.len()).map(card).collect(),
        }
    }

    pub fn questions(&self, many: usize) -> Vec<Question> {
        let tuesday = 20_781 * 86_400_000;
        (0..many)
            .map(|number| {
                let person = usize::try_from(dice("person", number)).unwrap_or_default() % self.people.len();
                // half of them at a door of one of their levels
                let levels = self.people.get(person).map_or(&[][..], |levels| levels);
                let doors = levels.first().and_then(|level| self.levels.get(usize::from(*level)));
                let door = match doors {
                    Some((doors, ..)) if number.is_multiple_of(2) => u8::try_from(doors.trailing_zeros()),
                    _ => u8::try_from(dice("asked", number) % u64::from(DOORS)),
                };
                let minute = below(dice("minute", number), 1_440);
                let at = Timestamp::from_millis(tuesday + i64::from(minute) * 60_000);
                Question { person, door: door.unwrap_or_default(), minute, at }
            })
            .collect()
    }
}

fn door(number: u8) -> DoorPlan {
    DoorPlan {
        door: DoorId(v4([number; 16])),
        times: DoorTimes::default(),
        refuses_copyable: false,
        two_people_within_s: None,
        after: None,
        airlock: None,
        unlocked: None,
        first_person_in: false,
    }
}

fn card(person: usize) -> Credential {
    Credential {
        hash: hash(person),
        holder: person,
        state: State::Active,
        tier: CredentialTier::Proven,
        once: false,
        duress: false,
        from_s: None,
        until_s: None,
    }
}
