//! The cards of the building, what is true of them, and the rights that say so.

use super::locks::LOCKS;
use super::world::{TIMES, door, id};
use klinke_access::decide::{HolderClass, SiteMode};
use klinke_access::snapshot::{
    Credential, DoorPlan, DoorRight, HashKey, Holder, PersonTag, Plan, Records, Rights, State, build, compile,
};
use klinke_model::card::CardView;
use klinke_model::credential::{CredentialKey, CredentialTier};
use klinke_model::ids::{BuildingId, PersonId, v4};
use klinke_model::privacy::{AnySite, Commercial, Site};
use klinke_model::schedule::HolidayCalendar;
use klinke_model::site::BuildingKind;
use klinke_model::time::Timestamp;
use klinke_wire::controller::UsedCredential;

/// A resident's: opens at any time.
pub const RESIDENT: usize = 0;
/// Another resident's, which is blocked and let in again.
pub const LOST: usize = 1;
/// A guest's, until [`ends`].
pub const GUEST: usize = 2;
/// Opens once.
pub const ONCE: usize = 3;
/// Nobody was given it.
pub const STRANGER: usize = 4;
/// How many there are.
pub const CARDS: usize = 5;

/// The doors that they open; the last one is nobody's.
pub const OPENED: u16 = LOCKS - 1;

const KEY: HashKey = HashKey([9; 32]);

/// What is so from some moment on.
#[derive(Clone, Copy, Debug, Default)]
pub struct Truth {
    pub lost: bool,
    pub emergency: bool,
    /// The building is commercial, and its owner keeps records of use.
    pub records: bool,
}

impl Truth {
    /// Whether a card opens a door, its end and its one time aside.
    pub const fn opens(self, card: usize, lock: u16) -> bool {
        let is_good = match card {
            STRANGER => false,
            LOST => !self.lost,
            _ => true,
        };
        is_good && !self.emergency && lock < OPENED
    }
}

pub fn key(card: usize) -> CredentialKey {
    CardView::Serial.read(&format!("04{card:012X}")).unwrap()
}

/// What opens once, as the controller tells of it.
pub fn once() -> UsedCredential {
    UsedCredential(KEY.credential(&key(ONCE)).0)
}

/// What tells somebody's cards apart from others'.
pub fn tag(card: usize) -> PersonTag {
    KEY.person(PersonId(v4([u8::try_from(card).unwrap(); 16])))
}

fn site() -> Site<Commercial> {
    match AnySite::of(BuildingId(v4([2; 16])), BuildingKind::Commercial) {
        AnySite::Commercial(site) => site,
        AnySite::Residential(_) => panic!("a commercial building"),
    }
}

/// The wall clock at a true moment.
pub fn wall(now: u64) -> Timestamp {
    Timestamp::from_millis(1_795_262_400_000 + i64::try_from(now).unwrap())
}

/// When the guest's time is over, in true time.
pub const fn ends(begin: u64) -> u64 {
    // whole seconds, as a snapshot has them
    begin + 60_000
}

/// The rights of a revision.
pub fn rights(revision: u64, begin: u64, now: u64, truth: Truth) -> Rights {
    let holder = |card: usize, class| Holder {
        person: tag(card),
        active: true,
        class,
        needs_longer: false,
        rights: vec![DoorRight { doors: (1 << OPENED) - 1, schedule: None, from: None, until: None }],
    };
    let credential = |card: usize| Credential {
        hash: KEY.credential(&key(card)),
        holder: card,
        state: if card == LOST && truth.lost { State::Blocked } else { State::Active },
        tier: CredentialTier::Identifier,
        once: card == ONCE,
        duress: false,
        from_s: None,
        until_s: (card == GUEST).then(|| u32::try_from(wall(ends(begin)).as_millis() / 1_000).unwrap()),
    };
    let plan = |lock| DoorPlan {
        door: door(lock),
        times: TIMES,
        refuses_copyable: false,
        two_people_within_s: None,
        after: None,
        airlock: None,
        unlocked: None,
        first_person_in: false,
    };
    let (manifest, shards) = build(&Plan {
        controller: id(),
        revision,
        issued: wall(now),
        key: KEY,
        zone: "Europe/Oslo".to_owned(),
        holidays: HolidayCalendar::None,
        records: truth.records.then_some(Records { site: site(), days: 14 }),
        site_mode: if truth.emergency { SiteMode::LockedDown } else { SiteMode::Normal },
        doors: (0..LOCKS).map(plan).collect(),
        schedules: Vec::new(),
        holders: vec![
            holder(RESIDENT, HolderClass::Resident),
            holder(LOST, HolderClass::Resident),
            holder(GUEST, HolderClass::Passing),
            holder(ONCE, HolderClass::Passing),
        ],
        credentials: [RESIDENT, LOST, GUEST, ONCE].map(credential).to_vec(),
    });
    compile(manifest, &shards).unwrap()
}
