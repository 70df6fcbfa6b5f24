//! What goes wrong at the doors is in the journal once, over restarts too.

use super::at_door::{Entrance, NOON, card, plan};
use super::*;
use crate::doors::alarms::{CLOCK_GRACE, QUIET};
use crate::input::Level;
use crate::journal::Journal;
use crate::reader::{OfflineReason, ReaderAlarm, ReaderEvent, Reading};
use klinke_model::alarm::AlarmKind;
use klinke_model::news::{News, Raised};

fn with(journal: &Journal) -> House {
    let board = TestBoard::default();
    let doors = Doors::start(boot(), Box::new(board.clone())).unwrap();
    let mut doors = doors.with_journal(journal.clone(), at(0));
    doors.handle(Request::Time { server: NOON, newest: None }, at(0));
    doors.handle(wanted(1, &[(1, 0)]), at(0));
    let reports = attach(&mut doors).reports;
    board.take();
    House { doors, board, reports }
}
fn leaf(house: &mut House, position: DoorPosition, now: u64) {
    house.doors.input(InputEvent::Contact(Contact { output: 0, position }), at(now));
}
/// `+` for what was raised and `-` for what ended, by kind.
fn story(journal: &Journal) -> Vec<String> {
    let waiting = journal.waiting();
    let kind = |seq| {
        waiting.iter().find(|entry| entry.seq == seq).and_then(|entry| match entry.what {
            News::Raised(alarm) => Some(alarm.kind.word()),
            News::Ended { .. } | News::Use(_) => None,
        })
    };
    let line = |entry: &klinke_model::news::NewsEntry| match entry.what {
        News::Raised(alarm) => format!("+{}", alarm.kind.word()),
        News::Ended { raised } => format!("-{}", kind(raised).unwrap_or("?")),
        News::Use(_) => "a use".to_owned(),
    };
    waiting.iter().map(line).collect()
}

#[test]
fn a_forced_door_is_one_alarm_until_it_is_closed_over_restarts_too() {
    let journal = Journal::default();
    let mut house = with(&journal);
    leaf(&mut house, DoorPosition::Open, 1_000);
    assert_eq!(story(&journal), ["+forced_open"]);
    let entry = journal.waiting()[0];
    assert_eq!((entry.at, entry.trusted), (NOON.plus(Duration::from_secs(1)), true));
    assert_eq!(
        entry.what,
        News::Raised(Raised { kind: AlarmKind::ForcedOpen, door: Some(door(1)), part: None })
    );
    house.doors.handle(wanted(2, &[(1, 0)]), at(1_500));
    house.doors.lock_all(at(2_000));

    // the power comes back: the board says that the leaf is closed, and a moment later that it is open
    let mut house = with(&journal);
    assert_eq!(story(&journal), ["+forced_open", "-forced_open"], "found closed");
    leaf(&mut house, DoorPosition::Open, 10);
    assert_eq!(story(&journal).len(), 3);
    drop(house);
    let board = TestBoard::default();
    let doors = Doors::start(boot(), Box::new(board)).unwrap();
    let mut doors = doors.with_journal(journal.clone(), at(0));
    doors.handle(wanted(1, &[(1, 1)]), at(0));
    doors.input(InputEvent::Contact(Contact { output: 1, position: DoorPosition::Open }), at(5));
    assert_eq!(story(&journal).len(), 3, "found open: it stands still");
    doors.input(InputEvent::Contact(Contact { output: 1, position: DoorPosition::Closed }), at(9));
    assert_eq!(story(&journal).len(), 4);
    assert!(!journal.waiting()[3].trusted, "nobody has told this process the time");
}

#[test]
fn a_door_held_open_begins_after_its_time_and_ends_when_it_closes_or_goes_elsewhere() {
    let journal = Journal::default();
    let mut house = with(&journal);
    house.doors.handle(open(1, 1, 0), at(0));
    leaf(&mut house, DoorPosition::Open, 1_000);
    let due = house.doors.wakes_at().unwrap();
    for moment in [due, at(30_999)] {
        house.doors.tick(moment);
    }
    assert_eq!(story(&journal), Vec::<String>::new());
    house.doors.tick(at(31_000));
    assert_eq!(story(&journal), ["+held_open"]);
    house.doors.handle(wanted(2, &[]), at(40_000));
    assert_eq!(story(&journal), ["+held_open", "-held_open"], "no door of this controller any more");
}

#[test]
fn a_lock_that_takes_no_command_is_an_alarm_until_it_takes_one() {
    let journal = Journal::default();
    let mut house = with(&journal);
    house.board.is_broken(true);
    house.doors.handle(open(1, 1, 0), at(0));
    assert_eq!(story(&journal), ["+output_fault"]);
    house.doors.tick(at(1_000));
    house.doors.tick(at(2_000));
    assert_eq!(story(&journal), ["+output_fault"], "tried again and again, told once");
    house.board.is_broken(false);
    house.doors.tick(at(3_000));
    assert_eq!(story(&journal), ["+output_fault", "-output_fault"]);
}

#[test]
fn wires_begin_and_end_and_a_lost_one_only_means_tamper() {
    let journal = Journal::default();
    let mut house = with(&journal);
    let mut say = |event| house.doors.input(event, at(100));
    for level in [Level::Active, Level::Active, Level::Unknown, Level::Quiet] {
        say(InputEvent::Mains { input: 3, level });
    }
    for level in [Level::Unknown, Level::Quiet] {
        say(InputEvent::Battery { input: 4, level });
        say(InputEvent::Tamper { input: 5, level });
        say(InputEvent::Fire { input: 6, level });
    }
    assert_eq!(story(&journal), ["+mains", "-mains", "+tamper", "-tamper"]);
}

#[test]
fn a_reader_that_comes_and_goes_is_gathered() {
    let journal = Journal::default();
    let mut house = with(&journal);
    let mut say = |what, now| house.doors.input(InputEvent::Reader(ReaderEvent { reader: 2, what }), at(now));
    for flap in 0..100 {
        say(Reading::Offline(OfflineReason::Silent), flap * 1_000);
        say(Reading::Alarm(ReaderAlarm::Forged), flap * 1_000);
        say(Reading::Online, flap * 1_000 + 500);
    }
    let count = |word: &str| story(&journal).iter().filter(|line| *line == word).count();
    assert_eq!((count("+reader_offline"), count("-reader_offline"), count("+reader_fault")), (3, 2, 3));
    let quiet = at(99_500) + QUIET;
    assert_eq!(house.doors.wakes_at(), Some(quiet));
    house.doors.tick(quiet);
    assert_eq!(count("-reader_offline"), 3);
    let last = journal.waiting().last().copied().unwrap();
    assert_eq!(last.at, NOON.plus(Duration::from_millis(99_500)), "when it really was over");
}

#[test]
fn duress_is_told_every_time() {
    let journal = Journal::default();
    let mut house = with(&journal);
    for now in 0..5 {
        house.doors.raise(AlarmKind::Duress, Some(door(1)), Some(0), at(now));
    }
    assert_eq!(story(&journal), ["+duress"; 5]);
}

#[test]
fn a_clock_that_nobody_believes_is_an_alarm_after_a_minute_and_not_before() {
    let journal = Journal::default();
    let doors = Doors::start(boot(), Box::new(TestBoard::default())).unwrap();
    let mut doors = doors.with_journal(journal.clone(), at(0));
    doors.tick(at(59_999));
    assert_eq!(story(&journal), Vec::<String>::new());
    assert_eq!(doors.wakes_at(), Some(at(0) + CLOCK_GRACE));
    doors.tick(at(60_000));
    assert_eq!(story(&journal), ["+clock"]);
    assert!(!journal.waiting()[0].trusted);
    doors.handle(Request::Time { server: NOON, newest: None }, at(70_000));
    assert_eq!(story(&journal), ["+clock", "-clock"]);
}

#[test]
fn one_card_at_two_doors_and_guessed_codes_are_told_without_who_and_where_they_were() {
    let journal = Journal::default();
    let mut entrance = Entrance::with(&plan()).with_journal(&journal);
    entrance.reads(0, Reading::Card(card(1)), 0);
    entrance.reads(1, Reading::Card(card(1)), 1_000);
    let raised = journal.waiting();
    assert_eq!(raised.len(), 1);
    let copied = Raised { kind: AlarmKind::CardAtTwoDoors, door: None, part: None };
    assert_eq!(raised[0].what, News::Raised(copied));

    let mut now = 10_000;
    for wrong in 0..5 {
        for key in b"000000#" {
            let keys = crate::reader::Keys::from_ascii(&[*key]).unwrap();
            entrance.reads(0, Reading::Keys(keys), now);
        }
        now += 1_000 << wrong;
    }
    let guessed = Raised { kind: AlarmKind::WrongCodes, door: Some(door(1)), part: Some(0) };
    assert_eq!(journal.waiting()[1].what, News::Raised(guessed));
    assert_eq!(journal.waiting().len(), 2);
}
