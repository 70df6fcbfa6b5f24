//! Random houses and questions, from a seed: one number tells a whole world again.

use klinke_access::decide::{HolderClass, Order, SiteMode};
use klinke_access::snapshot::{
    AtDoor, Credential, CredentialHash, DoorPlan, DoorRight, HashKey, Holder, PersonTag, Plan, State,
};
use klinke_access::standing::ClockTrust;
use klinke_model::credential::CredentialTier;
use klinke_model::door::{DoorMode, DoorTimes};
use klinke_model::ids::{ControllerId, DoorId, v4};
use klinke_model::schedule::{Exception, HolidayCalendar, OnHolidays, Schedule, Span};
use klinke_model::time::Timestamp;
use klinke_model::timetable::Hours;
use std::time::Duration;

/// A small generator (splitmix64): its numbers are good enough to choose with, and the same everywhere.
pub struct Dice(u64);

impl Dice {
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub const fn throw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 to `below` − 1.
    pub fn below(&mut self, below: u64) -> u64 {
        self.throw() % below
    }

    pub fn in_hundred(&mut self, chance: u64) -> bool {
        self.below(100) < chance
    }

    pub fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[usize::try_from(self.below(all.len() as u64)).unwrap()]
    }

    fn small<T: TryFrom<u64, Error: std::fmt::Debug>>(&mut self, below: u64) -> T {
        T::try_from(self.below(below)).unwrap()
    }
}

/// The days around which everything happens: the weeks of Ascension, Constitution Day and Whitsun 2026 in Norway, and
/// those in which clocks are set.
const DAYS: [i64; 4] = [20_540, 20_580, 20_593, 20_750];
const DAY_MS: i64 = 86_400_000;

pub fn moment(dice: &mut Dice) -> Timestamp {
    let day = dice.of(&DAYS) + i64::try_from(dice.below(12)).unwrap();
    // full hours more often than chance: moments meet, and so do the ends of hours and of rights
    let within = match dice.below(10) {
        0..=5 => i64::try_from(dice.below(24)).unwrap() * 3_600_000,
        6..=7 => i64::try_from(dice.below(1_440)).unwrap() * 60_000,
        _ => i64::try_from(dice.below(86_400_000)).unwrap(),
    };
    Timestamp::from_millis(day * DAY_MS + within)
}

fn span(dice: &mut Dice) -> Span {
    // quarters of hours, some over midnight
    Span { from: dice.small::<u16>(96) * 15, until: dice.small::<u16>(96) * 15 + 15 }
}

fn spans(dice: &mut Dice, most: u64) -> Vec<Span> {
    (0..dice.below(most + 1)).map(|_| span(dice)).collect()
}

fn schedule(dice: &mut Dice) -> Schedule {
    let hours = (0..dice.below(4))
        .map(|_| {
            let Span { from, until } = span(dice);
            let days = (0..7).filter(|_| dice.in_hundred(60)).collect::<Vec<u8>>();
            Hours { days: if days.is_empty() { vec![dice.small(7)] } else { days }, from, until }
        })
        .collect();
    let own = Span { from: dice.small::<u16>(96) * 15, until: 1_440 };
    let holidays = match dice.below(3) {
        0 => OnHolidays::AsUsual,
        1 => OnHolidays::Closed,
        _ => OnHolidays::Own { spans: vec![own] },
    };
    let exceptions = (0..dice.below(3))
        .map(|_| {
            let first = dice.of(&DAYS) + i64::try_from(dice.below(12)).unwrap();
            Exception { first, last: first + i64::try_from(dice.below(4)).unwrap(), spans: spans(dice, 2) }
        })
        .collect();
    Schedule { hours, holidays, exceptions }
}

fn door(dice: &mut Dice, number: u8) -> DoorPlan {
    DoorPlan {
        door: DoorId(v4([number; 16])),
        times: DoorTimes::default(),
        refuses_copyable: dice.in_hundred(15),
        two_people_within_s: None,
        after: None,
        airlock: None,
        unlocked: None,
        first_person_in: false,
    }
}

fn right(dice: &mut Dice, doors: usize, schedules: usize) -> DoorRight {
    let end = |dice: &mut Dice| dice.in_hundred(25).then(|| moment(dice));
    let some = dice.in_hundred(60) && schedules > 0;
    DoorRight {
        doors: dice.throw() & ((1 << doors) - 1),
        schedule: some.then(|| u16::try_from(dice.below(schedules as u64)).unwrap()),
        from: end(dice),
        until: end(dice),
    }
}

pub fn hash(number: usize) -> CredentialHash {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&(number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
    bytes[8..].copy_from_slice(&(number as u64).to_be_bytes());
    CredentialHash(bytes)
}

/// A house of one to six doors, with some people and their cards.
pub fn world(dice: &mut Dice) -> Plan {
    let doors = (0..=dice.small::<u8>(6)).map(|number| door(dice, number)).collect::<Vec<_>>();
    let schedules = (0..dice.below(4)).map(|_| schedule(dice)).collect::<Vec<_>>();
    let holders = (0..=dice.below(8))
        .map(|person| Holder {
            person: PersonTag(person),
            active: dice.in_hundred(92),
            class: if dice.in_hundred(70) { HolderClass::Resident } else { HolderClass::Passing },
            needs_longer: dice.in_hundred(10),
            rights: (0..dice.below(5)).map(|_| right(dice, doors.len(), schedules.len())).collect(),
        })
        .collect::<Vec<_>>();
    let second = |dice: &mut Dice| {
        let dated = dice.in_hundred(15);
        dated.then(|| u32::try_from(moment(dice).as_millis() / 1_000).unwrap())
    };
    let credentials = (0..=dice.below(14))
        .map(|number| Credential {
            hash: hash(usize::try_from(number).unwrap()),
            holder: usize::try_from(dice.below(holders.len() as u64)).unwrap(),
            state: if dice.in_hundred(93) { State::Active } else { State::Blocked },
            tier: if dice.in_hundred(50) { CredentialTier::Identifier } else { CredentialTier::Proven },
            once: dice.in_hundred(10),
            // judged nowhere: Cedar is not told of it
            duress: dice.in_hundred(10),
            from_s: second(dice),
            until_s: second(dice),
        })
        .collect();
    Plan {
        controller: ControllerId(v4([1; 16])),
        revision: 1,
        issued: Timestamp::from_millis(0),
        key: HashKey([0; 32]),
        zone: dice.of(&["Europe/Oslo", "Europe/Helsinki", "Atlantic/Reykjavik", "America/St_Johns"]).into(),
        holidays: dice.of(&[HolidayCalendar::None, HolidayCalendar::Norway, HolidayCalendar::Sweden]),
        records: None,
        site_mode: if dice.in_hundred(95) { SiteMode::Normal } else { SiteMode::LockedDown },
        doors,
        schedules,
        holders,
        credentials,
    }
}

/// Somebody presents something: mostly what is known, now and then what is not (`credentials` and above).
pub fn question(dice: &mut Dice, plan: &Plan) -> (usize, AtDoor) {
    let credential = dice.below(plan.credentials.len() as u64 + 1);
    let asked = AtDoor {
        door: dice.small(plan.doors.len() as u64),
        at: moment(dice),
        clock: if dice.in_hundred(90) { ClockTrust::Trusted } else { ClockTrust::Untrusted },
        rights_age: Duration::from_secs(dice.of(&[0, 3_600, 86_400, 86_401, 10_000_000])),
        mode: dice.of(&[
            DoorMode::Locked,
            DoorMode::Locked,
            DoorMode::Locked,
            DoorMode::Unlocked,
            DoorMode::Accessed,
            DoorMode::LockedOpen,
            DoorMode::Blocked,
            DoorMode::LockedDown,
        ]),
        order: dice.of(&[
            Order::Kept,
            Order::Kept,
            Order::Kept,
            Order::Kept,
            Order::DoorBefore,
            Order::Interlocked,
            Order::SecondPerson,
        ]),
        used: dice.in_hundred(30),
    };
    (usize::try_from(credential).unwrap(), asked)
}
