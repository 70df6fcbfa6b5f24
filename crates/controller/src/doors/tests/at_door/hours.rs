//! Hours in which a door stands unlocked, and emergencies.

use super::*;

#[test]
fn hours_hold_a_door_with_leases_and_let_go_of_it_and_nothing_wakes_without_hours() {
    let mut without = Entrance::with(&plan());
    without.pass(DAY);
    assert_eq!(without.house.doors.wakes_at(), None);
    let mut plan = plan();
    plan.doors[0].unlocked = Some(1); // 14 to 16 o'clock, it is 13
    let mut entrance = Entrance::with(&plan);
    entrance.pass(HOUR - 1);
    assert_eq!((entrance.house.board.take(), entrance.mode(0)), (vec![], DoorMode::Locked));
    entrance.pass(HOUR);
    let lease = Move::Release(0, Duration::from_secs(30));
    assert_eq!((entrance.house.board.take(), entrance.mode(0)), (vec![lease], DoorMode::Unlocked));
    entrance.pass(HOUR + 25_000);
    assert_eq!(entrance.house.board.take(), [lease, lease], "renewed");
    entrance.pass(3 * HOUR - 1);
    assert_eq!(entrance.mode(0), DoorMode::Unlocked);
    entrance.house.board.take();
    entrance.pass(3 * HOUR);
    assert_eq!(
        (entrance.house.board.take().last(), entrance.mode(0)),
        (Some(&Move::Lock(0)), DoorMode::Locked)
    );
    entrance.pass(25 * HOUR);
    assert_eq!(entrance.mode(0), DoorMode::Unlocked, "and the next day");

    // cut in its hours: it goes on, by the clock of the machine and the rights that were stored
    entrance.house.doors.entry.to_keep(at(25 * HOUR)).map(|(file, moment)| file.keep(moment)).unwrap();
    let mut entrance = entrance.restart(later(25 * HOUR + 60_000));
    entrance.tell(rights(&plan), 0);
    assert_eq!(entrance.mode(0), DoorMode::Unlocked);
    // and not by a clock that is not believed
    let mut entrance = entrance.restart(later(HOUR));
    entrance.tell(rights(&plan), 0);
    assert_eq!((entrance.mode(0), entrance.house.doors.wakes_at()), (DoorMode::Locked, None));
}

#[test]
fn hours_that_wait_for_the_first_person_begin_with_them_anew_each_day() {
    let mut plan = plan();
    plan.doors[0].unlocked = Some(1);
    plan.doors[0].first_person_in = true;
    let mut entrance = Entrance::with(&plan);
    assert!(entrance.is_let_in(0, RESIDENT, 0), "before the hours");
    entrance.pass(HOUR + 60_000);
    assert_eq!(entrance.mode(0), DoorMode::Locked);
    assert!(!entrance.is_let_in(0, UNKNOWN, HOUR + 61_000));
    assert_eq!(entrance.mode(0), DoorMode::Locked);
    entrance.card(0, RESIDENT, HOUR + 62_000);
    assert_eq!(entrance.mode(0), DoorMode::Unlocked);
    entrance.pass(HOUR + 120_000);
    assert_eq!(entrance.mode(0), DoorMode::Unlocked, "after the opening is over");
    entrance.pass(26 * HOUR);
    assert_eq!(entrance.mode(0), DoorMode::Locked, "the next day nobody has come");
}

#[test]
fn an_output_behind_a_timer_relay_is_not_said_to_stay_unlocked() {
    let mut plan = plan();
    plan.doors[0].unlocked = Some(1);
    let mut entrance = Entrance::with(&plan);
    entrance.house.board.0.lock().unwrap().is_timed = true;
    entrance.pass(HOUR + 60_000);
    assert_eq!((entrance.house.board.take(), entrance.mode(0)), (vec![], DoorMode::Locked));
}

#[test]
fn an_emergency_locks_ends_hours_and_stays_over_a_restart_and_the_way_out_is_free() {
    let mut open_plan = plan();
    open_plan.doors[0].unlocked = Some(1);
    let mut entrance = Entrance::with(&open_plan);
    entrance.pass(HOUR);
    assert_eq!(entrance.mode(0), DoorMode::Unlocked);
    entrance.settle();
    let emergency = Plan { site_mode: SiteMode::LockedDown, revision: 8, ..open_plan.clone() };
    entrance.tell(rights(&emergency), HOUR + 1_000);
    assert_eq!(entrance.house.board.take(), [Move::Lock(0)]);
    assert_eq!((entrance.mode(0), entrance.mode(1)), (DoorMode::LockedDown, DoorMode::LockedDown));
    assert!(!entrance.is_let_in(0, RESIDENT, HOUR + 2_000));
    entrance.tell(open(1, 1, HOUR + 2_000), HOUR + 2_000);
    assert_eq!(entrance.house.board.take(), []);
    // rights from before it do not end it
    entrance.tell(rights(&open_plan), HOUR + 3_000);
    assert_eq!(entrance.mode(0), DoorMode::LockedDown);
    entrance.house.doors.input(InputEvent::ExitButton { output: 0 }, at(HOUR + 4_000));
    assert_eq!(entrance.house.board.take(), [RELEASE]);
    entrance.house.doors.input(InputEvent::Fire { input: 0, level: Level::Active }, at(HOUR + 5_000));

    let mut entrance = entrance.restart(later(HOUR + 60_000));
    entrance.tell(rights(&emergency), 0);
    assert_eq!((entrance.mode(0), entrance.house.board.take()), (DoorMode::LockedDown, vec![]));
    // a door that is added meanwhile
    entrance.tell(wanted(3, &[(2, 1)]), 1_000);
    entrance.tell(wanted(4, &[(1, 0), (2, 1)]), 2_000);
    assert_eq!((entrance.mode(0), entrance.mode(1)), (DoorMode::LockedDown, DoorMode::LockedDown));
    entrance.tell(rights(&Plan { revision: 9, ..open_plan }), 3_000);
    assert_eq!((entrance.mode(0), entrance.mode(1)), (DoorMode::Locked, DoorMode::Locked));
}
