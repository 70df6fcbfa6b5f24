//! Uses of doors in the journal: bounded beside the alarms, told once, and gone when they may not be kept.

use super::*;
use crate::journal::file::LARGEST;
use crate::journal::queue::uses;
use klinke_access::decide::Reason;
use std::ops::RangeInclusive;

const DAY: Duration = Duration::from_hours(24);

fn late(days: u32) -> Timestamp {
    NOON.plus(days * DAY)
}
fn people(queue: &Queue) -> Vec<u64> {
    let person = |entry: &NewsEntry| match entry.what {
        News::Use(used) => Some(used.person.0),
        News::Raised(_) | News::Ended { .. } => None,
    };
    queue.waiting().filter_map(person).collect()
}
fn note(queue: &mut Queue, persons: RangeInclusive<u64>, at: Timestamp, trusted: bool) {
    let rights = keeping(14);
    let keeps = rights.keeps_records().unwrap();
    for person in persons {
        queue.note_use(keeps, used(person), at, trusted);
    }
}

#[test]
fn uses_and_alarms_are_one_sequence_and_each_is_told_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    let (mut queue, mut file) = open(&path);
    note(&mut queue, 1..=2, NOON, true);
    let alarm = queue.raise(lasting(1), NOON, true);
    note(&mut queue, 3..=3, NOON, true);
    assert_eq!(told(&queue), [0; 0], "not on the disk");
    keep(&mut queue, &mut file);
    assert_eq!(told(&queue), [1, 2, 3, 4]);
    queue.noted(id(9), 3);
    keep(&mut queue, &mut file);
    let (again, _) = open(&path);
    assert_eq!((told(&again), people(&again), stands(&again)), (vec![4], vec![3], vec![alarm]));
}

#[test]
fn of_too_many_uses_the_oldest_goes_and_no_alarm_for_a_use_or_the_other_way_round() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    let (mut queue, mut file) = open(&path);
    let most = uses::MOST as u64;
    let stands_still = queue.raise(lasting(1), NOON, true);
    let happened = queue.raise(wrong_codes(2), NOON, true);
    note(&mut queue, 1..=most, NOON, true);
    keep(&mut queue, &mut file);
    note(&mut queue, most + 1..=most + 500, NOON, true);
    keep(&mut queue, &mut file);
    assert_eq!(people(&queue), (501..=most + 500).collect::<Vec<_>>());
    assert_eq!((queue.take_lost(), &seqs(&queue)[..2]), (500, &[stands_still, happened][..]));

    // the file has them still; the next start lets the same ones go, and tells nobody of it
    let (mut queue, mut file) = open(&path);
    assert_eq!(people(&queue), (501..=most + 500).collect::<Vec<_>>());
    assert_eq!(queue.take_lost(), 0);

    for part in 0..=u16::try_from(MOST).unwrap() {
        queue.raise(wrong_codes(part), NOON, true);
    }
    assert_eq!(people(&queue).len(), uses::MOST, "alarms have a bound of their own");
    assert_eq!(queue.waiting().count(), uses::MOST + MOST);
    keep(&mut queue, &mut file);
    let (again, _) = open(&path);
    assert_eq!(seqs(&again), seqs(&queue));
}

#[test]
fn the_longest_journal_is_less_than_half_of_what_is_read() {
    let longest = NewsEntry {
        seq: u64::MAX,
        at: Timestamp::from_millis(i64::MIN),
        trusted: false,
        what: News::Use(TaggedUse {
            outcome: Reason::ALL
                .iter()
                .map(|reason| UseOutcome::Refused(*reason))
                .max_by_key(|outcome| serde_json::to_string(outcome).unwrap().len())
                .unwrap(),
            ..used(u64::MAX)
        }),
    };
    let longest_alarm = AlarmKind::ALL.iter().map(|kind| {
        let alarm = Raised { kind: *kind, door: Some(DoorId(v4([1; 16]))), part: Some(u16::MAX) };
        serde_json::to_string(&Line::Entry(NewsEntry { what: News::Raised(alarm), ..longest })).unwrap().len()
    });
    let longest_use = serde_json::to_string(&Line::Entry(longest)).unwrap().len();
    let line = 10 + longest_use.max(longest_alarm.max().unwrap());
    // with the lines of a file that is not written anew yet
    let all = (uses::MOST + MOST + 2_000) * line;
    assert!(2 * all as u64 <= LARGEST, "{all} of {LARGEST}");
}

#[test]
fn what_is_older_than_the_days_is_neither_told_nor_on_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    let (mut queue, mut file) = open(&path);
    queue.raise(lasting(1), NOON, true);
    note(&mut queue, 771..=771, Timestamp::from_millis(0), false);
    note(&mut queue, 772..=772, late(1), true);
    note(&mut queue, 773..=773, Timestamp::from_millis(0), false);
    note(&mut queue, 774..=774, late(2), true);
    note(&mut queue, 775..=775, Timestamp::from_millis(0), false);
    keep(&mut queue, &mut file);
    assert!(!queue.forget_uses_before(late(1)), "a moment before its end it is kept");
    assert_eq!(people(&queue), [771, 772, 773, 774, 775]);
    assert!(queue.forget_uses_before(late(1).plus(Duration::from_millis(1))));
    assert_eq!(people(&queue), [773, 774, 775], "whose clock nobody believed is as old as the next");
    keep(&mut queue, &mut file);
    let bytes = std::fs::read_to_string(&path).unwrap();
    assert!(!bytes.contains("771") && !bytes.contains("772") && bytes.contains("773"), "{bytes}");
    queue.forget_uses_before(late(3));
    assert_eq!((people(&queue), seqs(&queue)[0]), (vec![775], 1), "nobody can tell how old that is");
}

#[test]
fn what_the_server_has_is_taken_off_the_disk_now_and_then() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    let (mut queue, mut file) = open(&path);
    note(&mut queue, 771..=772, NOON, true);
    keep(&mut queue, &mut file);
    assert!(!queue.tidy(), "nothing of it is noted");
    queue.noted(id(9), 1);
    keep(&mut queue, &mut file);
    assert!(std::fs::read_to_string(&path).unwrap().contains("771"));
    assert!(queue.tidy());
    keep(&mut queue, &mut file);
    let bytes = std::fs::read_to_string(&path).unwrap();
    assert!(!bytes.contains("771") && bytes.contains("772"), "{bytes}");
    assert!(!queue.tidy());
    // also what a process before was told
    queue.noted(id(9), 2);
    keep(&mut queue, &mut file);
    assert!(open(&path).0.tidy());
}

#[tokio::test]
async fn when_uses_are_kept_no_more_none_is_told_and_no_byte_of_one_is_on_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    let (journal, file) = Journal::open(path.clone(), id(9));
    let keeping_it = tokio::spawn(journal.clone().keep(file));
    let rights = keeping(14);
    let note = |person| journal.note_use(rights.keeps_records().unwrap(), used(person), NOON, true);
    note(7_710_001);
    let alarm = journal.raise(lasting(1), NOON, true);
    journal.settled().await;
    journal.noted(id(9), 1);
    note(7_710_002);
    journal.settled().await;
    // one is told, one waits, one is on its way to the disk
    note(7_710_003);
    assert!(std::fs::read_to_string(&path).unwrap().contains("7710001"));
    journal.forget_uses();
    journal.settled().await;
    let bytes = std::fs::read_to_string(&path).unwrap();
    assert!(!bytes.contains("771000") && !bytes.contains("use"), "{bytes}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    let ControllerRequest::News { entries, .. } = journal.news().await else { panic!("the alarm") };
    assert_eq!(entries.iter().map(|entry| entry.seq).collect::<Vec<_>>(), [alarm]);
    keeping_it.abort();
    let (again, _) = Journal::open(path, id(7));
    assert_eq!(again.waiting(), entries);
    assert!(again.raise(wrong_codes(1), NOON, true) > 4, "no number twice");
}
