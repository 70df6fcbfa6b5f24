//! Doors one after another, airlocks, two people.

use super::*;

#[test]
fn a_door_opens_after_somebody_went_through_the_one_before() {
    let mut plan = plan();
    plan.doors[1].after = Some(After { door: 0, within_s: 30 });
    let mut entrance = Entrance::with(&plan);
    assert!(!entrance.is_let_in(1, RESIDENT, 0));
    entrance.tell(open(9, 2, 500), 500);
    let refused = Outcome::Refused { reason: OutcomeRefusal::DoorBeforeFirst };
    assert!(entrance.house.reports().contains(&outcome(9, 500, refused)), "nor from afar");
    assert!(entrance.is_let_in(0, RESIDENT, 1_000));
    assert!(!entrance.is_let_in(1, RESIDENT, 2_000), "the leaf was not moved");
    entrance.leaf(0, DoorPosition::Open, 3_000);
    entrance.leaf(0, DoorPosition::Closed, 4_000);
    assert!(entrance.is_let_in(1, RESIDENT, 33_000));
    assert!(!entrance.is_let_in(1, RESIDENT, 33_001), "30 s are over");
    // who goes out goes through nothing
    entrance.house.doors.input(InputEvent::ExitButton { output: 0 }, at(60_000));
    entrance.leaf(0, DoorPosition::Open, 61_000);
    entrance.settle();
    assert!(!entrance.is_let_in(1, RESIDENT, 62_000));
    entrance.leaf(0, DoorPosition::Closed, 63_000);
    // an opening from afar lets somebody through too
    entrance.pass(70_000);
    entrance.tell(open(1, 1, 70_000), 70_000);
    entrance.leaf(0, DoorPosition::Open, 71_000);
    entrance.settle();
    assert!(entrance.is_let_in(1, RESIDENT, 72_000));
}

#[test]
fn one_door_of_an_airlock_at_a_time_whoever_asks_but_the_way_out_is_free() {
    let mut plan = plan();
    for door in &mut plan.doors {
        door.airlock = Some(1);
    }
    let mut entrance = Entrance::with(&plan);
    assert!(entrance.is_let_in(0, RESIDENT, 0));
    assert!(!entrance.is_let_in(1, RESIDENT, 1_000), "the other is released");
    entrance.tell(open(1, 2, 1_000), 1_000);
    let refused = Outcome::Refused { reason: OutcomeRefusal::Interlocked };
    assert!(entrance.house.reports().contains(&outcome(1, 1_000, refused)));
    entrance.leaf(0, DoorPosition::Open, 2_000);
    entrance.pass(6_000);
    assert!(!entrance.is_let_in(1, RESIDENT, 6_000), "locked, and still open");
    entrance.leaf(0, DoorPosition::Closed, 7_000);
    assert!(entrance.is_let_in(1, RESIDENT, 7_000));
    entrance.settle();
    entrance.house.doors.input(InputEvent::ExitButton { output: 0 }, at(8_000));
    assert_eq!(entrance.house.board.take(), [RELEASE]);

    // a lock that has not said that it is locked is not
    let mut entrance = Entrance::with(&plan);
    entrance.house.board.0.lock().unwrap().remote = true;
    entrance.card(0, RESIDENT, 0);
    entrance.card(1, RESIDENT, 100);
    let release = entrance.house.board.newest();
    assert_eq!(release, entrance.house.board.newest());
    entrance.house.answers(release, true, 200);
    entrance.pass(5_000);
    entrance.settle();
    assert_eq!(entrance.card(1, RESIDENT, 5_100), (vec![], vec![(1, Feedback::Denied)]), "told, not done");
    let lock = entrance.house.board.newest();
    entrance.house.answers(lock, true, 5_200);
    assert_eq!(entrance.card(1, RESIDENT, 5_300).0.len(), 1);
}

#[test]
fn hours_open_no_second_door_of_an_airlock_and_a_leaf_before_its_lock_is_nobody() {
    let mut plan = plan();
    for door in &mut plan.doors {
        door.airlock = Some(1);
    }
    plan.doors[0].unlocked = Some(1);
    let mut entrance = Entrance::with(&plan);
    entrance.leaf(1, DoorPosition::Open, HOUR - 1_000);
    entrance.pass(HOUR + 60_000);
    assert_eq!(entrance.mode(0), DoorMode::Locked);
    entrance.leaf(1, DoorPosition::Closed, HOUR + 61_000);
    entrance.pass(HOUR + 120_000);
    assert_eq!(entrance.mode(0), DoorMode::Unlocked);

    let mut plan = self::plan();
    plan.doors[1].after = Some(After { door: 0, within_s: 30 });
    let mut entrance = Entrance::with(&plan);
    entrance.house.board.0.lock().unwrap().remote = true;
    entrance.card(0, RESIDENT, 0);
    entrance.leaf(0, DoorPosition::Open, 100);
    entrance.settle();
    let denied = Err(Refused::Denied(Reason::DoorBeforeFirst));
    assert_eq!(entrance.house.doors.judge(1, &card(RESIDENT), at(200)), denied);
}

#[test]
fn two_different_people_within_the_time() {
    let mut plan = plan();
    plan.doors[0].two_people_within_s = Some(10);
    let mut entrance = Entrance::with(&plan);
    let more = (vec![], vec![(0, Feedback::More)]);
    entrance.tell(open(1, 1, 0), 0);
    let refused = Outcome::Refused { reason: OutcomeRefusal::SecondPersonNeeded };
    assert!(entrance.house.reports().contains(&outcome(1, 0, refused)), "nobody is one from afar");
    assert_eq!(entrance.card(0, RESIDENT, 0), more);
    assert_eq!(entrance.card(0, RESIDENT, 1_000), more, "the same again");
    assert_eq!(entrance.card(0, UNKNOWN, 2_000).1, [(0, Feedback::Denied)]);
    assert_eq!(entrance.card(0, OTHER, 11_001), more, "too late: a first again");
    assert!(entrance.is_let_in(0, RESIDENT, 12_000));
}
