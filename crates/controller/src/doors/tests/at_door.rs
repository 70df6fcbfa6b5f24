//! Somebody stands at a door with a card: rights, order, hours, clocks, in virtual time.

mod clocks;
mod enrolling;
mod hours;
pub mod lift;
mod order;

use super::*;
use crate::doors::entry::{ReaderAt, Refused};
use crate::input::Level;
use crate::kept::{Kept, Moment};
use crate::reader::osdp::BusOrder;
use crate::reader::{OfflineReason, ReaderAlarm, ReaderEvent, Reading};
use klinke_access::decide::{HolderClass, Reason, SiteMode};
use klinke_access::snapshot::{
    After, Credential, DoorPlan, DoorRight, HashKey, Holder, PersonTag, Plan, State, build, compile,
};
use klinke_model::credential::{CredentialFormat, CredentialKey, CredentialTier};
use klinke_model::ids::ControllerId;
use klinke_model::schedule::{HolidayCalendar, Schedule};
use klinke_model::timetable::Hours;
use klinke_wire::controller::{ControllerRequest, UsedCredential};
use klinke_wire::enrolment::{ReaderKind, ReaderReport};
use std::collections::HashMap;
use std::path::Path;
use tempfile::TempDir;

/// Saturday 21 November 2026, 12:00 UTC: 13:00 in Oslo.
pub const NOON: Timestamp = Timestamp::from_millis(1_795_262_400_000);
const NOON_S: u32 = 1_795_262_400;
const HOUR: u64 = 3_600_000;
const DAY: u64 = 24 * HOUR;
const HASH_KEY: HashKey = HashKey([7; 32]);
pub const RESIDENT: u16 = 1;
const GUEST: u16 = 2;
const ONCE: u16 = 3;
pub const MORNING: u16 = 4;
pub const OTHER: u16 = 5;
pub const UNKNOWN: u16 = 99;
const DESK: u16 = 5;
const READERS: [ReaderAt; 2] = [
    ReaderAt { reader: 0, output: 0, has_keypad: true },
    ReaderAt { reader: 1, output: 1, has_keypad: false },
];

/// Those at the doors, and one on a desk.
fn reports() -> Vec<ReaderReport> {
    let at_door = |at: &ReaderAt| ReaderReport {
        reader: at.reader,
        output: Some(at.output),
        kind: ReaderKind::Osdp,
        has_keypad: at.has_keypad,
    };
    let desk = ReaderReport { reader: DESK, output: None, kind: ReaderKind::Pcsc, has_keypad: false };
    READERS.iter().map(at_door).chain([desk]).collect()
}

pub fn card(number: u16) -> CredentialKey {
    let [high, low] = number.to_be_bytes();
    CredentialKey::new(CredentialFormat::Bits, 26, &[0x91, high, low, 0x40]).unwrap()
}
fn later(millis: u64) -> Timestamp {
    NOON.plus(Duration::from_millis(millis))
}
fn door_plan(byte: u8) -> DoorPlan {
    DoorPlan {
        door: door(byte),
        times: TIMES,
        refuses_copyable: false,
        two_people_within_s: None,
        after: None,
        airlock: None,
        unlocked: None,
        first_person_in: false,
    }
}
fn holder(person: u64, class: HolderClass, right: DoorRight) -> Holder {
    Holder { person: PersonTag(person), active: true, class, needs_longer: false, rights: vec![right] }
}
const BOTH: DoorRight = DoorRight { doors: 0b11, schedule: None, from: None, until: None };

/// Doors 1 and 2. Somebody who lives there, a guest until tomorrow, a card for once, somebody for the mornings, and
/// one more who lives there.
pub fn plan() -> Plan {
    let hours = |from: u16, until: u16| Schedule {
        hours: vec![Hours { days: vec![0, 1, 2, 3, 4, 5, 6], from: from * 60, until: until * 60 }],
        ..Schedule::default()
    };
    let credential = |number: u16, holder| Credential {
        hash: HASH_KEY.credential(&card(number)),
        holder,
        state: State::Active,
        tier: CredentialTier::Identifier,
        once: number == ONCE,
        duress: false,
        from_s: None,
        until_s: (number == GUEST || number == ONCE).then_some(NOON_S + 86_400),
    };
    Plan {
        controller: ControllerId(v4([9; 16])),
        revision: 7,
        issued: NOON,
        key: HASH_KEY,
        zone: "Europe/Oslo".into(),
        holidays: HolidayCalendar::None,
        records: None,
        site_mode: SiteMode::Normal,
        doors: vec![door_plan(1), door_plan(2)],
        schedules: vec![hours(0, 12), hours(14, 16)],
        holders: vec![
            holder(1, HolderClass::Resident, BOTH),
            holder(2, HolderClass::Passing, BOTH),
            holder(3, HolderClass::Resident, DoorRight { schedule: Some(0), ..BOTH }),
            holder(4, HolderClass::Resident, BOTH),
        ],
        credentials: vec![
            credential(RESIDENT, 0),
            credential(GUEST, 1),
            credential(ONCE, 1),
            credential(MORNING, 2),
            credential(OTHER, 3),
        ],
    }
}
/// The server tells the time, and that the rights of [`plan`] are its newest.
pub fn time(server: Timestamp) -> Request {
    Request::Time { server, newest: Some(7) }
}
pub fn rights(plan: &Plan) -> Request {
    let (manifest, shards) = build(plan);
    Request::Rights(Box::new(compile(manifest, &shards).unwrap()))
}

/// Doors 1 and 2 on outputs 0 and 1, a reader at each: 0 with a keypad, 1 without.
pub struct Entrance {
    pub house: House,
    shown: mpsc::Receiver<BusOrder>,
    folder: TempDir,
}

impl Entrance {
    /// At noon, by the machine's clock, with the time told by the server and these rights.
    pub fn with(plan: &Plan) -> Self {
        let mut entrance = Self::start(tempfile::tempdir().unwrap(), NOON);
        entrance.house.doors.handle(time(NOON), at(0));
        entrance.house.doors.handle(rights(plan), at(0));
        entrance.settle();
        entrance
    }

    /// A process that starts at a moment of the machine's clock, without rights.
    fn start(folder: TempDir, wall: Timestamp) -> Self {
        let board = TestBoard::default();
        let doors = Doors::start(boot(), Box::new(board.clone())).unwrap();
        let (lamps, shown) = mpsc::channel(64);
        let lamps = Lamps::new(HashMap::from([(0, lamps.clone()), (1, lamps)]));
        let kept = Kept::open(folder.path()).unwrap();
        let mut doors =
            doors.with_entry(Entry::new(kept, &READERS, wall, at(0)), lamps).with_readers(reports());
        doors.handle(wanted(1, &[(1, 0), (2, 1)]), at(0));
        doors.input(leaf(1, DoorPosition::Closed), at(0));
        let reports = attach(&mut doors).reports;
        let mut entrance = Self { house: House { doors, board, reports }, shown, folder };
        entrance.settle();
        entrance
    }

    /// With a journal for what goes wrong.
    pub fn with_journal(self, journal: &crate::journal::Journal) -> Self {
        let Self { house: House { doors, board, reports }, .. } = self;
        let doors = doors.with_journal(journal.clone(), at(0));
        Self { house: House { doors, board, reports }, ..self }
    }

    /// The power is cut, and comes back when the machine's clock says this.
    pub fn restart(self, wall: Timestamp) -> Self {
        Self::start(self.folder, wall)
    }

    /// What is on the disk.
    pub fn disk(&self) -> &Path {
        self.folder.path()
    }

    /// Whatever moved and was told until now.
    pub fn settle(&mut self) {
        self.house.board.take();
        self.house.reports();
        self.shown();
    }

    pub fn shown(&mut self) -> Vec<(u16, Feedback)> {
        let next = || match self.shown.try_recv() {
            Ok(BusOrder::Show { reader, what }) => Some((reader, what)),
            _ => None,
        };
        std::iter::from_fn(next).collect()
    }

    fn tell(&mut self, request: Request, now: u64) {
        self.house.doors.handle(request, at(now));
    }

    pub fn reads(&mut self, reader: u16, what: Reading, now: u64) {
        self.house.doors.input(InputEvent::Reader(ReaderEvent { reader, what }), at(now));
    }

    /// Holds a card to a reader; what moves, and what is shown.
    fn card(&mut self, reader: u16, number: u16, now: u64) -> (Vec<Move>, Vec<(u16, Feedback)>) {
        self.reads(reader, Reading::Card(card(number)), now);
        (self.house.board.take(), self.shown())
    }

    fn is_let_in(&mut self, reader: u16, number: u16, now: u64) -> bool {
        let release = |moves: &[Move]| moves.iter().any(|told| matches!(told, Move::Release(..)));
        match self.card(reader, number, now) {
            (moves, shown) if shown == [(reader, Feedback::Granted)] => {
                assert!(release(&moves));
                true
            }
            (moves, shown) => {
                assert!(!release(&moves) && shown.len() == 1, "{moves:?} {shown:?}");
                false
            }
        }
    }

    /// Wakes the doors at each moment they ask for, until `end`.
    pub fn pass(&mut self, end: u64) {
        while let Some(wake) = self.house.doors.wakes_at().filter(|wake| *wake <= at(end)) {
            self.house.doors.tick(wake);
        }
    }

    fn mode(&self, place: usize) -> DoorMode {
        self.house.doors.driven[place].report().state.mode
    }

    fn leaf(&mut self, output: u16, position: DoorPosition, now: u64) {
        self.house.doors.input(leaf(output, position), at(now));
    }
}

fn leaf(output: u16, position: DoorPosition) -> InputEvent {
    InputEvent::Contact(Contact { output, position })
}

#[test]
fn a_card_opens_its_door_at_once_and_the_door_locks_again_by_itself() {
    let mut entrance = Entrance::with(&plan());
    let granted = (vec![RELEASE], vec![(0, Feedback::Granted)]);
    assert_eq!(entrance.card(0, RESIDENT, 1_000), granted);
    assert_eq!(entrance.house.reports(), [told(1, 1_000, DoorMode::Accessed, DoorPosition::Closed)]);
    entrance.house.doors.tick(at(5_999));
    assert_eq!(entrance.house.board.take(), []);
    entrance.pass(6_000);
    assert_eq!(entrance.house.board.take(), [Move::Lock(0)]);
    // nobody's card, and one of somebody at another hour, look the same
    let denied = (vec![], vec![(0, Feedback::Denied)]);
    assert_eq!(entrance.card(0, UNKNOWN, 10_000), denied);
    assert_eq!(entrance.card(0, MORNING, 10_000), denied);
}

#[test]
fn each_reason_holds_at_the_door() {
    type Change = fn(&mut Plan);
    let denied = |reason| Err(Refused::Denied(reason));
    let rows: [(&str, Change, u16, Result<(), Refused>); 16] = [
        ("good", |_| {}, RESIDENT, Ok(())),
        ("nobody's", |_| {}, UNKNOWN, denied(Reason::CredentialUnknown)),
        (
            "lost",
            |plan| plan.credentials[0].state = State::Blocked,
            RESIDENT,
            denied(Reason::CredentialBlocked),
        ),
        (
            "tomorrow",
            |plan| plan.credentials[0].from_s = Some(NOON_S + 1),
            RESIDENT,
            denied(Reason::CredentialNotYet),
        ),
        (
            "yesterday",
            |plan| plan.credentials[0].until_s = Some(NOON_S),
            RESIDENT,
            denied(Reason::CredentialOver),
        ),
        ("suspended", |plan| plan.holders[0].active = false, RESIDENT, denied(Reason::PersonSuspended)),
        ("other door", |plan| plan.holders[0].rights[0].doors = 0b10, RESIDENT, denied(Reason::NoRight)),
        (
            "moved out",
            |plan| plan.holders[0].rights[0].until = Some(NOON),
            RESIDENT,
            denied(Reason::RightOver),
        ),
        (
            "moves in",
            |plan| plan.holders[0].rights[0].from = Some(later(1_000)),
            RESIDENT,
            denied(Reason::RightNotYet),
        ),
        ("mornings", |_| {}, MORNING, denied(Reason::OutsideHours)),
        (
            "copyable",
            |plan| plan.doors[0].refuses_copyable = true,
            RESIDENT,
            denied(Reason::CredentialCopyable),
        ),
        ("emergency", |plan| plan.site_mode = SiteMode::LockedDown, RESIDENT, denied(Reason::SiteLockedDown)),
        (
            "sequence",
            |plan| plan.doors[0].after = Some(After { door: 1, within_s: 30 }),
            RESIDENT,
            denied(Reason::DoorBeforeFirst),
        ),
        (
            "two",
            |plan| plan.doors[0].two_people_within_s = Some(30),
            RESIDENT,
            denied(Reason::SecondPersonNeeded),
        ),
        ("no such door", |plan| plan.doors[0].door = door(9), RESIDENT, Err(Refused::NoRights)),
        ("guest", |_| {}, GUEST, Ok(())),
    ];
    for (what, change, number, expected) in rows {
        let mut plan = plan();
        change(&mut plan);
        let mut entrance = Entrance::with(&plan);
        let found = entrance.house.doors.judge(0, &card(number), at(0));
        assert_eq!(found, expected, "{what}");
        let released = entrance.house.board.take().contains(&RELEASE);
        assert_eq!(released, expected.is_ok(), "{what}");
    }
}

#[test]
fn without_rights_a_reader_or_a_door_nobody_is_let_in() {
    let mut entrance = Entrance::start(tempfile::tempdir().unwrap(), NOON);
    assert!(!entrance.is_let_in(0, RESIDENT, 0), "no rights");
    entrance.tell(rights(&plan()), 0);
    assert!(entrance.is_let_in(0, RESIDENT, 0));
    entrance.tell(wanted(2, &[(2, 1)]), 1_000);
    assert!(!entrance.is_let_in(0, RESIDENT, 1_000), "no door on the reader's output");
    entrance.settle();
    entrance.reads(7, Reading::Card(card(RESIDENT)), 2_000);
    assert_eq!(entrance.house.board.take(), [], "no such reader");
}

#[test]
fn whatever_a_reader_says_of_itself_moves_no_lock() {
    let mut entrance = Entrance::with(&plan());
    assert!(entrance.is_let_in(0, RESIDENT, 0));
    let says = [
        Reading::Offline(OfflineReason::Silent),
        Reading::Online,
        Reading::Offline(OfflineReason::NotTrusted),
        Reading::Alarm(ReaderAlarm::Forged),
        Reading::Tamper(true),
        Reading::PowerFailing(true),
        Reading::Online,
    ];
    for what in says {
        entrance.reads(0, what, 1_000);
    }
    assert_eq!((entrance.house.board.take(), entrance.shown()), (vec![], vec![]));
    entrance.pass(5_000);
    assert_eq!(entrance.house.board.take(), [Move::Lock(0)]);
}

#[test]
fn a_reader_shows_that_it_is_open_when_its_output_has_said_so() {
    let mut entrance = Entrance::with(&plan());
    entrance.house.board.0.lock().unwrap().remote = true;
    assert_eq!(entrance.card(0, RESIDENT, 0), (vec![RELEASE], vec![]));
    let ticket = entrance.house.board.newest();
    // again meanwhile: each is answered once
    assert_eq!(entrance.card(0, RESIDENT, 100), (vec![RELEASE], vec![]));
    entrance.house.answers(ticket, true, 200);
    assert_eq!(entrance.shown(), [(0, Feedback::Granted)]);
    entrance.house.answers(ticket + 1, false, 300);
    assert_eq!(
        (entrance.house.board.take(), entrance.shown()),
        (vec![Move::Lock(0)], vec![(0, Feedback::Denied)])
    );
    // one that says nothing
    entrance.card(0, RESIDENT, 10_000);
    entrance.pass(12_000);
    assert_eq!(entrance.shown(), [(0, Feedback::Denied)]);
}

#[test]
fn what_opens_once_opens_once_over_any_restart_and_not_at_all_when_that_cannot_be_kept() {
    let mut entrance = Entrance::with(&plan());
    assert!(entrance.is_let_in(0, ONCE, 0));
    assert_eq!(
        entrance.house.doors.judge(1, &card(ONCE), at(1_000)),
        Err(Refused::Denied(Reason::CredentialUsedUp)),
        "at no other door either"
    );
    let mut entrance = entrance.restart(later(60_000));
    entrance.tell(time(later(60_000)), 0);
    entrance.tell(rights(&plan()), 0);
    let used_up = Err(Refused::Denied(Reason::CredentialUsedUp));
    assert_eq!(entrance.house.doors.judge(0, &card(ONCE), at(1_000)), used_up);

    // a disk that takes nothing: the place of the file is taken by a folder
    let mut entrance = Entrance::with(&plan());
    std::fs::create_dir(entrance.disk().join("used")).unwrap();
    assert_eq!(entrance.house.doors.judge(0, &card(ONCE), at(0)), Err(Refused::NotKept));
    assert_eq!(entrance.house.board.take(), []);
    assert!(entrance.is_let_in(0, RESIDENT, 0), "who needs no disk");
}

/// What was told of as used, in order.
fn used(reports: Vec<ControllerRequest>) -> Vec<Vec<UsedCredential>> {
    let told = |report| match report {
        ControllerRequest::Used { credentials } => Some(credentials),
        _ => None,
    };
    reports.into_iter().filter_map(told).collect()
}

#[test]
fn what_opened_once_is_told_on_every_link_until_it_is_noted_and_stays_used() {
    let once = UsedCredential(HASH_KEY.credential(&card(ONCE)).0);
    let mut entrance = Entrance::with(&plan());
    assert!(entrance.is_let_in(0, RESIDENT, 0));
    assert_eq!(
        used(entrance.house.reports()),
        Vec::<Vec<_>>::new(),
        "who may come often is nobody's business"
    );
    assert!(entrance.is_let_in(0, ONCE, 1_000));
    assert_eq!(used(entrance.house.reports()), [[once]]);
    // the link is lost before the server has it: told on the next, and on the one after a power cut
    entrance.house.reports = attach(&mut entrance.house.doors).reports;
    assert_eq!(used(entrance.house.reports()), [[once]]);
    let mut entrance = entrance.restart(later(60_000));
    entrance.house.reports = attach(&mut entrance.house.doors).reports;
    assert_eq!(used(entrance.house.reports()), [[once]]);
    // what it never used is no news, and what it did is told no more
    entrance.tell(Request::NotedUsed(vec![UsedCredential([3; 16])]), 0);
    assert_eq!(used(entrance.house.reports()), [[once]]);
    entrance.tell(Request::NotedUsed(vec![once]), 0);
    entrance.house.reports = attach(&mut entrance.house.doors).reports;
    assert_eq!(used(entrance.house.reports()), Vec::<Vec<_>>::new());
    let mut entrance = entrance.restart(later(120_000));
    entrance.house.reports = attach(&mut entrance.house.doors).reports;
    assert_eq!(used(entrance.house.reports()), Vec::<Vec<_>>::new());
    entrance.tell(time(later(120_000)), 0);
    entrance.tell(rights(&plan()), 0);
    let used_up = Err(Refused::Denied(Reason::CredentialUsedUp));
    assert_eq!(entrance.house.doors.judge(0, &card(ONCE), at(1_000)), used_up);
}

#[test]
fn a_card_that_can_be_copied_at_two_far_doors_within_three_seconds_is_an_alarm() {
    let hash = HASH_KEY.credential(&card(RESIDENT));
    let other = HASH_KEY.credential(&card(OTHER));
    let rows = [
        ("far", plan(), hash, 2_999, true),
        ("in time", plan(), hash, 3_000, false),
        ("another card", plan(), other, 1_000, false),
        (
            "an airlock",
            Plan { doors: [1, 2].map(|d| DoorPlan { airlock: Some(0), ..door_plan(d) }).into(), ..plan() },
            hash,
            1_000,
            false,
        ),
        (
            "one after the other",
            Plan {
                doors: vec![
                    door_plan(1),
                    DoorPlan { after: Some(After { door: 0, within_s: 9 }), ..door_plan(2) },
                ],
                ..plan()
            },
            hash,
            1_000,
            false,
        ),
    ];
    for (what, plan, second, millis, expected) in rows {
        let mut entrance = Entrance::with(&plan);
        let entry = &mut entrance.house.doors.entry;
        assert!(!entry.is_copied(hash, 0, at(0)), "{what}");
        assert!(!entry.is_copied(hash, 0, at(0)), "{what}: at the same door");
        assert_eq!(entry.is_copied(second, 1, at(millis)), expected, "{what}");
    }
}
