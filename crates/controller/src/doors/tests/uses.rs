//! What came of somebody at a reader is in the journal where records of use are kept, and nowhere else.

use super::at_door::{Entrance, NOON, OTHER, RESIDENT, UNKNOWN, card, plan, rights};
use super::*;
use crate::journal::Journal;
use crate::reader::{Keys, Reading};
use crate::rights::testing::records;
use klinke_access::decide::Reason;
use klinke_access::snapshot::{Credential, HashKey, Plan, State};
use klinke_model::credential::CredentialKey;
use klinke_model::news::{News, PersonTag, TaggedUse, UseOutcome};

const OFFICE: u64 = 7_710_001;
const COLLEAGUE: u64 = 7_710_004;
const CODE: &str = "407199";
const DAY: u64 = 24 * 3_600_000;

/// The plan of a house, with tags that stand out: RESIDENT has a code too.
fn house() -> Plan {
    let mut plan = plan();
    plan.holders[0].person = PersonTag(OFFICE);
    plan.holders[3].person = PersonTag(COLLEAGUE);
    let code = HashKey([7; 32]).credential(&CredentialKey::code(CODE).unwrap());
    plan.credentials.push(Credential { hash: code, ..plan.credentials[0] });
    plan
}
fn commercial() -> Plan {
    Plan { records: records(14), ..house() }
}
fn entrance(plan: &Plan, journal: &Journal) -> Entrance {
    Entrance::with(plan).with_journal(journal)
}
fn types(entrance: &mut Entrance, keys: &str, now: u64) {
    for key in keys.bytes() {
        entrance.reads(0, Reading::Keys(Keys::from_ascii(&[key]).unwrap()), now);
    }
}
fn uses(journal: &Journal) -> Vec<(u8, u64, UseOutcome)> {
    let line = |entry: &klinke_model::news::NewsEntry| match entry.what {
        News::Use(TaggedUse { door, person, outcome }) => Some((door.0.as_bytes()[0], person.0, outcome)),
        News::Raised(_) | News::Ended { .. } => None,
    };
    journal.waiting().iter().filter_map(line).collect()
}
const fn no(reason: Reason) -> UseOutcome {
    UseOutcome::Refused(reason)
}

#[test]
fn a_known_card_or_code_is_noted_once_with_what_came_of_it_and_an_unknown_one_is_nobodys() {
    let mut plan = commercial();
    plan.credentials[4].state = State::Blocked;
    let journal = Journal::default();
    let mut entrance = entrance(&plan, &journal);
    entrance.reads(0, Reading::Card(card(RESIDENT)), 1_000);
    entrance.reads(0, Reading::Card(card(UNKNOWN)), 2_000);
    entrance.reads(0, Reading::Card(card(OTHER)), 3_000);
    types(&mut entrance, "999999#", 4_000);
    types(&mut entrance, "407199#", 9_000);
    let expected = [
        (1, OFFICE, UseOutcome::Opened),
        (1, COLLEAGUE, no(Reason::CredentialBlocked)),
        (1, OFFICE, UseOutcome::Opened),
    ];
    assert_eq!(uses(&journal), expected);
    let first = journal.waiting()[0];
    assert_eq!((first.at, first.trusted), (NOON.plus(Duration::from_secs(1)), true));
}

#[test]
fn who_opens_from_afar_or_with_a_button_or_is_given_the_card_is_not_noted() {
    let journal = Journal::default();
    let mut entrance = entrance(&commercial(), &journal);
    entrance.house.doors.handle(open(9, 1, 1_000), at(1_000));
    entrance.house.doors.input(InputEvent::ExitButton { output: 0 }, at(20_000));
    assert_eq!(entrance.house.board.take().iter().filter(|told| **told == RELEASE).count(), 2);
    let reading = klinke_model::ids::ReadingId(v4([4; 16]));
    let wish = enrolling::Wish { boot: boot(), reading, reader: 0, until: at(50_000) };
    entrance.house.doors.handle(Request::Enrol(wish), at(40_000));
    entrance.reads(0, Reading::Card(card(RESIDENT)), 41_000);
    assert_eq!(uses(&journal), []);
    entrance.reads(0, Reading::Card(card(RESIDENT)), 42_000);
    assert_eq!(uses(&journal), [(1, OFFICE, UseOutcome::Opened)], "the next one is judged");
}

#[test]
fn an_opening_is_noted_when_the_output_has_said_so_and_a_lock_that_does_nothing_is_no_opening() {
    let journal = Journal::default();
    let mut entrance = entrance(&commercial(), &journal);
    entrance.house.board.0.lock().unwrap().remote = true;
    entrance.reads(0, Reading::Card(card(RESIDENT)), 0);
    let first = entrance.house.board.newest();
    entrance.reads(0, Reading::Card(card(OTHER)), 100);
    assert_eq!(uses(&journal), [], "commanded, and not answered");
    entrance.house.answers(first, true, 200);
    assert_eq!(uses(&journal), [(1, OFFICE, UseOutcome::Opened)]);
    entrance.house.answers(first + 1, false, 300);
    // one that says nothing
    entrance.reads(0, Reading::Card(card(RESIDENT)), 10_000);
    entrance.pass(12_000);
    assert_eq!(uses(&journal)[1..], [(1, COLLEAGUE, UseOutcome::Failed), (1, OFFICE, UseOutcome::Failed)]);

    let journal = Journal::default();
    let mut entrance = self::entrance(&commercial(), &journal);
    entrance.house.board.is_broken(true);
    entrance.reads(0, Reading::Card(card(RESIDENT)), 0);
    assert_eq!(uses(&journal), [(1, OFFICE, UseOutcome::Failed)]);
}

#[test]
fn both_of_two_people_are_noted() {
    let mut plan = commercial();
    plan.doors[0].two_people_within_s = Some(30);
    let journal = Journal::default();
    let mut entrance = entrance(&plan, &journal);
    entrance.reads(0, Reading::Card(card(RESIDENT)), 0);
    entrance.reads(0, Reading::Card(card(OTHER)), 1_000);
    let expected = [(1, OFFICE, no(Reason::SecondPersonNeeded)), (1, COLLEAGUE, UseOutcome::Opened)];
    assert_eq!(uses(&journal), expected);
}

#[test]
fn a_ride_is_a_use_of_each_floor_that_it_enabled_and_a_refused_one_of_the_first() {
    let mut plan = super::at_door::lift::tower();
    plan.records = records(14);
    plan.holders[0].person = PersonTag(OFFICE);
    plan.holders[2].person = PersonTag(COLLEAGUE);
    let journal = Journal::default();
    let mut lift = Entrance::lift(&plan, [DoorKind::Floor; 3]).with_journal(&journal);
    lift.reads(1, Reading::Card(card(RESIDENT)), 0);
    assert_eq!(uses(&journal), [3, 4, 5].map(|floor| (floor, OFFICE, UseOutcome::Opened)));
    lift.reads(1, Reading::Card(card(super::at_door::MORNING)), 20_000);
    lift.reads(1, Reading::Card(card(UNKNOWN)), 21_000);
    assert_eq!(uses(&journal)[3..], [(3, COLLEAGUE, no(Reason::OutsideHours))]);
}

#[test]
fn what_is_too_old_or_not_to_be_kept_any_more_is_gone() {
    let journal = Journal::default();
    let mut entrance = entrance(&commercial(), &journal);
    let told = |days| NOON.plus(Duration::from_millis(days * DAY));
    entrance.reads(0, Reading::Card(card(RESIDENT)), 0);
    entrance.reads(0, Reading::Card(card(OTHER)), DAY);
    assert_eq!(uses(&journal).len(), 2);
    entrance.house.doors.handle(Request::Time { server: told(14), newest: None }, at(14 * DAY));
    assert_eq!(uses(&journal).len(), 2, "to the end of its last day");
    entrance.house.doors.handle(Request::Time { server: told(14), newest: None }, at(14 * DAY));
    entrance.house.doors.tidy_records(at(14 * DAY + 1));
    assert_eq!(uses(&journal), [(1, COLLEAGUE, UseOutcome::Opened)]);

    // fewer days
    entrance
        .house
        .doors
        .handle(rights(&Plan { records: records(13), revision: 8, ..commercial() }), at(14 * DAY + 1));
    assert_eq!(uses(&journal), []);
    // the same people in a house where nothing is kept
    entrance.reads(0, Reading::Card(card(RESIDENT)), 15 * DAY);
    assert_eq!(uses(&journal).len(), 1);
    entrance.house.doors.handle(rights(&Plan { revision: 9, ..house() }), at(15 * DAY));
    assert_eq!(uses(&journal), []);
    entrance.reads(0, Reading::Card(card(RESIDENT)), 15 * DAY + 60_000);
    assert_eq!(uses(&journal), []);
}

#[test]
fn who_is_let_in_by_a_slow_output_while_records_end_is_not_noted() {
    let journal = Journal::default();
    let mut entrance = entrance(&commercial(), &journal);
    entrance.house.board.0.lock().unwrap().remote = true;
    entrance.reads(0, Reading::Card(card(RESIDENT)), 0);
    let ticket = entrance.house.board.newest();
    entrance.house.doors.handle(rights(&Plan { revision: 8, ..house() }), at(100));
    entrance.house.answers(ticket, true, 200);
    assert_eq!(journal.waiting(), []);
}

/// The same day at the same doors, in a house where records are kept and in one where they are not: what lies on the disk
/// after it.
#[tokio::test]
async fn a_house_that_keeps_no_records_has_no_byte_of_a_whole_day_on_its_disk() {
    let day = async |plan: &Plan| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let (journal, file) = Journal::open(path.clone(), klinke_model::ids::JournalId(v4([9; 16])));
        let keeping = tokio::spawn(journal.clone().keep(file));
        let mut entrance = entrance(plan, &journal);
        for minute in 0..24 * 60_u64 {
            let now = minute * 60_000;
            let who =
                [RESIDENT, OTHER, UNKNOWN, super::at_door::MORNING][usize::try_from(minute % 4).unwrap()];
            entrance.reads(0, Reading::Card(card(who)), now);
            if minute % 60 == 59 {
                types(&mut entrance, "407199#", now + 20_000);
            }
            entrance.pass(now + 59_000);
            entrance.settle();
        }
        // an alarm, so that there is something to write
        entrance.house.doors.input(InputEvent::Tamper { input: 3, level: Level::Active }, at(DAY));
        journal.settled().await;
        keeping.abort();
        (std::fs::read_to_string(&path).unwrap(), journal.waiting().len())
    };
    let (kept, uses) = day(&commercial()).await;
    assert!(uses > 1_000 && kept.contains("7710001") && kept.contains(r#""what":"use""#));
    let (bytes, entries) = day(&house()).await;
    assert_eq!(entries, 1, "the alarm");
    let lines: Vec<&str> = bytes.lines().collect();
    assert_eq!(lines.len(), 2, "{bytes}");
    assert!(lines[0].contains(r#""line":"journal""#) && lines[1].contains(r#""kind":"tamper""#), "{bytes}");
    // no tag, no hash of a credential, no moment at which somebody came
    for tag in [OFFICE, COLLEAGUE] {
        assert!(!bytes.contains(&tag.to_string()));
    }
    let of_a_card = HashKey([7; 32]).credential(&card(RESIDENT)).0.map(|byte| format!("{byte:02x}")).concat();
    assert!(!bytes.contains(&of_a_card));
    for minute in 0..24 * 60_u64 {
        for second in [0, 20] {
            let at = NOON.plus(Duration::from_millis(minute * 60_000 + second * 1_000)).as_millis();
            assert!(!bytes.contains(&at.to_string()), "{at}");
        }
    }
}
