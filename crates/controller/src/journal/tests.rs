//! The journal over power cuts at any byte, a full one, and disks that take nothing.

mod uses;

use super::queue::{Line, MOST};
use super::*;
use crate::rights::testing::keeping;
use klinke_model::alarm::AlarmKind;
use klinke_model::ids::{DoorId, v4};
use klinke_model::news::{News, PersonTag, UseOutcome};
use std::path::Path;

const NOON: Timestamp = Timestamp::from_millis(1_795_262_400_000);

fn id(byte: u8) -> JournalId {
    JournalId(v4([byte; 16]))
}
fn alarm(kind: AlarmKind, part: u16) -> Raised {
    Raised { kind, door: None, part: Some(part) }
}
fn lasting(part: u16) -> Raised {
    alarm(AlarmKind::ReaderOffline, part)
}
fn wrong_codes(part: u16) -> Raised {
    alarm(AlarmKind::WrongCodes, part)
}
fn used(person: u64) -> TaggedUse {
    TaggedUse { door: DoorId(v4([1; 16])), person: PersonTag(person), outcome: UseOutcome::Opened }
}
fn open(path: &Path) -> (Queue, LogFile) {
    LogFile::open(path.to_owned(), id(9))
}
fn keep(queue: &mut Queue, file: &mut LogFile) {
    while let Some(work) = queue.work() {
        file.write(&work).unwrap();
        queue.written(work.up_to);
    }
}
fn seqs(queue: &Queue) -> Vec<u64> {
    queue.waiting().map(|entry| entry.seq).collect()
}
fn stands(queue: &Queue) -> Vec<u64> {
    queue.standing().map(|(seq, _)| seq).collect()
}
fn told(queue: &Queue) -> Vec<u64> {
    match queue.news() {
        Some(ControllerRequest::News { entries, .. }) => entries.iter().map(|entry| entry.seq).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn what_is_not_on_the_disk_is_not_told_and_what_is_noted_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    let (mut queue, mut file) = open(&path);
    assert_eq!(queue.raise(lasting(1), NOON, true), 1);
    assert!(told(&queue).is_empty());
    keep(&mut queue, &mut file);
    queue.end(1, NOON, true);
    queue.end(1, NOON, true);
    queue.end(7, NOON, true);
    assert_eq!((seqs(&queue), told(&queue)), (vec![1, 2], vec![1]), "an end once, and of what stands");
    keep(&mut queue, &mut file);
    assert_eq!(told(&queue), [1, 2]);

    assert!(!queue.noted(id(8), 2), "of another journal");
    assert!(queue.noted(id(9), 1) && !queue.noted(id(9), 1));
    keep(&mut queue, &mut file);
    let (again, _) = LogFile::open(path, id(7));
    assert_eq!((seqs(&again), told(&again), stands(&again)), (vec![2], vec![2], vec![]));
    assert!(matches!(again.news(), Some(ControllerRequest::News { journal, .. }) if journal == id(9)));
}

#[test]
fn after_a_power_cut_at_any_byte_everything_that_was_synced_is_there_and_no_number_comes_twice() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    let (mut queue, mut file) = open(&path);
    keep(&mut queue, &mut file);
    // each step is synced; what had been told by then, and what stood
    let mut steps = Vec::new();
    let rights = keeping(14);
    let keeps = rights.keeps_records().unwrap();
    for step in 0_u16..15 {
        match step % 5 {
            0 => drop(queue.raise(lasting(step), NOON, true)),
            1 => drop(queue.raise(wrong_codes(step), NOON, step > 5)),
            2 => queue.note_use(keeps, used(u64::MAX - u64::from(step)), NOON, true),
            3 => {
                let (first, _) = queue.standing().next().unwrap();
                queue.end(first, NOON, true);
            }
            _ => assert!(queue.noted(id(9), seqs(&queue)[0])),
        }
        keep(&mut queue, &mut file);
        let length = std::fs::metadata(&path).unwrap().len();
        steps.push((usize::try_from(length).unwrap(), seqs(&queue), stands(&queue)));
    }
    let whole = std::fs::read(&path).unwrap();
    let first = steps[0].0;
    for cut in first..whole.len() {
        std::fs::write(&path, &whole[..cut]).unwrap();
        // half of a rewrite that never was
        std::fs::write(path.with_added_extension("new"), &whole[..cut / 2]).unwrap();
        let (mut after, mut file) = open(&path);
        let (_, seqs_then, stood) = steps.iter().rev().find(|(length, ..)| *length <= cut).unwrap();
        assert_eq!((&seqs(&after), &stands(&after)), (seqs_then, stood), "cut at {cut}");
        let new = after.raise(wrong_codes(99), NOON, true);
        let is_whole = steps.iter().any(|(length, ..)| *length == cut);
        assert!(is_whole || new > 11, "cut at {cut}: {new}");
        // a disk is slow: not after each of them
        if cut.is_multiple_of(8) {
            keep(&mut after, &mut file);
            let (again, _) = open(&path);
            assert_eq!(seqs(&again), seqs(&after), "cut at {cut}, and gone on");
            assert_eq!(stands(&again), stands(&after));
        }
    }
    // blocks of the end that came to the disk without those before them
    for at in first..whole.len() - 1 {
        let mut holed = whole.clone();
        holed[at..].iter_mut().take(40).for_each(|byte| *byte = 0);
        std::fs::write(&path, holed).unwrap();
        let (mut after, _) = open(&path);
        let kept = steps.iter().rev().find(|(length, ..)| *length <= at).unwrap();
        assert_eq!(seqs(&after), kept.1, "a hole at {at}");
        assert!(after.raise(lasting(9), NOON, true) > 15, "no number that may have been told");
    }
    // the first line is not whole: another journal
    for cut in 0..first {
        std::fs::write(&path, &whole[..cut]).unwrap();
        let (after, _) = LogFile::open(path.clone(), id(7));
        if seqs(&after).is_empty() && stands(&after).is_empty() {
            continue;
        }
        panic!("cut at {cut}: {:?}", seqs(&after));
    }
}

#[test]
fn a_file_that_is_mostly_old_is_written_anew_and_what_stands_still_stands() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    let (mut queue, mut file) = open(&path);
    let standing = queue.raise(lasting(1), NOON, true);
    for part in 0_u16..2_000 {
        let seq = queue.raise(wrong_codes(part), NOON, true);
        if part.is_multiple_of(20) {
            keep(&mut queue, &mut file);
            queue.noted(id(9), seq);
        }
    }
    queue.noted(id(9), 2_001);
    keep(&mut queue, &mut file);
    let size = std::fs::metadata(&path).unwrap().len();
    assert!(size < 300_000, "{size}");
    let (mut again, _) = open(&path);
    assert_eq!((stands(&again), seqs(&again)), (vec![standing], vec![]));
    again.end(standing, NOON, true);
    assert_eq!(seqs(&again), [2_002]);
}

#[test]
fn a_full_journal_loses_what_only_happened_first_and_never_an_end_that_is_awaited() {
    let mut queue = Queue::new(id(1));
    let known = queue.raise(lasting(1), NOON, true);
    queue.noted(id(1), known);
    queue.raise(wrong_codes(2), NOON, true);
    let stands_still = queue.raise(lasting(3), NOON, true);
    queue.end(known, NOON, true);
    for _ in 0..MOST {
        let seq = queue.raise(lasting(4), NOON, true);
        queue.end(seq, NOON, true);
    }
    let waiting: Vec<_> = queue.waiting().copied().collect();
    assert!(waiting.len() <= MOST, "{}", waiting.len());
    assert!(!waiting.iter().any(|entry| matches!(entry.what, News::Raised(of) if of == wrong_codes(2))));
    assert_eq!(waiting[0].seq, stands_still);
    assert_eq!(waiting[1].what, News::Ended { raised: known });
    let lost = queue.take_lost();
    assert_eq!((lost + waiting.len() as u64, queue.take_lost()), (3 + 2 * MOST as u64, 0));
    // whole pairs only
    for entry in &waiting[2..] {
        if let News::Ended { raised } = entry.what {
            assert!(waiting.iter().any(|other| other.seq == raised), "{raised}");
        }
    }
}

#[tokio::test]
async fn a_disk_that_takes_nothing_keeps_nobody_waiting_and_gets_everything_later() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("not there yet");
    let (journal, file) = Journal::open(missing.join("journal"), id(9));
    let keeping = tokio::spawn(journal.clone().keep(file));
    journal.raise(lasting(1), NOON, false);
    let early = tokio::time::timeout(Duration::from_millis(200), journal.news()).await;
    assert!(early.is_err(), "told though nothing is kept");
    std::fs::create_dir(&missing).unwrap();
    journal.settled().await;
    let ControllerRequest::News { journal: of, entries } = journal.news().await else { panic!("no news") };
    assert_eq!((of, entries.len(), entries[0].trusted), (id(9), 1, false));
    journal.noted(id(9), 1);
    assert_eq!(journal.waiting(), []);
    journal.settled().await;
    keeping.abort();
    let (again, _) = Journal::open(missing.join("journal"), id(7));
    assert_eq!(again.standing(), [(1, lasting(1))]);
}

#[test]
fn a_line_says_what_and_where_and_nothing_of_anybody() {
    let entry = NewsEntry { seq: 4, at: NOON, trusted: true, what: News::Raised(lasting(1)) };
    let line = serde_json::to_string(&Line::Entry(entry)).unwrap();
    let expected = r#"{"line":"entry","seq":4,"at":1795262400000,"trusted":true,"what":{"what":"raised","kind":"reader_offline","door":null,"part":1}}"#;
    assert_eq!(line, expected);
}

#[test]
fn what_the_server_should_have_standing_is_what_stands_and_what_it_was_not_told_the_end_of() {
    let mut queue = Queue::new(id(9));
    let there = |queue: &Queue| {
        let StandingAlarms { journal, noted, alarms } = queue.standing_there();
        assert_eq!(journal, id(9));
        (noted, alarms)
    };
    assert_eq!(there(&queue), (0, vec![]));
    for part in 1..=3 {
        queue.raise(lasting(part), NOON, true);
    }
    assert_eq!(there(&queue), (0, vec![]), "it knows of none");
    queue.noted(id(9), 2);
    queue.end(1, NOON, true);
    assert_eq!(there(&queue), (2, vec![2, 1]));
    queue.noted(id(9), 4);
    assert_eq!(there(&queue), (4, vec![2, 3]));
    queue.end(2, NOON, true);
    queue.end(3, NOON, true);
    queue.noted(id(9), 6);
    assert_eq!(there(&queue), (6, vec![]));
}
