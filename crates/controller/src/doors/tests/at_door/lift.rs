//! A reader in the car of a lift: several floors by one card.

use super::*;

/// Floors 3, 4 and 5 on outputs 2, 3 and 4, beside doors 1 and 2; reader 1 is in the car. RESIDENT may go to all three and
/// to both doors, the guest to the first two floors, MORNING to the last one at other hours.
pub fn tower() -> Plan {
    let mut plan = plan();
    plan.doors.extend([3, 4, 5].map(door_plan));
    let floors = |doors| DoorRight { doors, schedule: None, from: None, until: None };
    plan.holders[0].rights = vec![floors(0b11111)];
    plan.holders[1].rights = vec![floors(0b01100)];
    plan.holders[2].rights = vec![DoorRight { schedule: Some(0), ..floors(0b10000) }];
    plan
}

impl Entrance {
    pub fn lift(plan: &Plan, kinds: [DoorKind; 3]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let board = TestBoard::default();
        board.0.lock().unwrap().more = 3;
        let doors = Doors::start(boot(), Box::new(board.clone())).unwrap();
        let (lamps, shown) = mpsc::channel(64);
        let lamps = Lamps::new(HashMap::from([(0, lamps.clone()), (1, lamps)]));
        let kept = Kept::open(folder.path()).unwrap();
        let entry = Entry::new(kept, &READERS, NOON, at(0)).in_lift(1, &[2, 3, 4]);
        let mut doors = doors.with_entry(entry, lamps);
        let Request::Configure(mut wanted) = wanted(1, &[(1, 0), (2, 1), (3, 2), (4, 3), (5, 4)]) else {
            panic!("a configuration")
        };
        for (door, kind) in wanted.doors[2..].iter_mut().zip(kinds) {
            door.kind = kind;
        }
        doors.handle(Request::Configure(wanted), at(0));
        for output in [0, 1] {
            doors.input(leaf(output, DoorPosition::Closed), at(0));
        }
        let reports = attach(&mut doors).reports;
        let mut entrance = Self { house: House { doors, board, reports }, shown, folder };
        entrance.tell(time(NOON), 0);
        entrance.tell(rights(plan), 0);
        entrance.settle();
        entrance
    }

    /// Which outputs are released by a card in the car, and what is shown.
    fn ride(&mut self, number: u16, now: u64) -> (Vec<u16>, Vec<(u16, Feedback)>) {
        let (moves, shown) = self.card(1, number, now);
        let released = moves.iter().filter_map(|told| match told {
            Move::Release(output, _) => Some(*output),
            Move::Lock(_) => None,
        });
        (released.collect(), shown)
    }
}

const FLOORS: [DoorKind; 3] = [DoorKind::Floor; 3];
const GREEN: [(u16, Feedback); 1] = [(1, Feedback::Granted)];
const RED: [(u16, Feedback); 1] = [(1, Feedback::Denied)];

#[test]
fn a_card_enables_the_floors_of_its_holder_and_no_others_for_the_release_time() {
    let mut lift = Entrance::lift(&tower(), FLOORS);
    assert_eq!(lift.ride(RESIDENT, 0), (vec![2, 3, 4], GREEN.to_vec()));
    lift.pass(5_000);
    assert_eq!(lift.house.board.take(), [Move::Lock(2), Move::Lock(3), Move::Lock(4)]);
    assert_eq!(lift.ride(GUEST, 10_000), (vec![2, 3], GREEN.to_vec()));
    lift.pass(20_000);
    lift.settle();
    assert_eq!(lift.ride(MORNING, 20_000), (vec![], RED.to_vec()), "other hours");
    assert_eq!(lift.ride(UNKNOWN, 21_000), (vec![], RED.to_vec()));
    // at the door it is as ever
    assert!(lift.is_let_in(0, RESIDENT, 30_000));
}

#[test]
fn what_opens_once_is_one_ride_to_all_its_floors() {
    let mut lift = Entrance::lift(&tower(), FLOORS);
    lift.house.reports();
    assert_eq!(lift.ride(ONCE, 0), (vec![2, 3], GREEN.to_vec()));
    assert_eq!(used(lift.house.reports()).len(), 1, "the server is told of one ride");
    lift.pass(10_000);
    lift.settle();
    assert_eq!(lift.ride(ONCE, 10_000), (vec![], RED.to_vec()));
    assert_eq!(
        lift.house.doors.judge(1, &card(ONCE), at(11_000)),
        Err(Refused::Denied(Reason::CredentialUsedUp))
    );
}

#[test]
fn the_street_then_the_stairs_then_the_floor() {
    let mut plan = tower();
    plan.doors[1].after = Some(After { door: 0, within_s: 60 });
    plan.doors[2].after = Some(After { door: 1, within_s: 60 });
    plan.doors[3].after = Some(After { door: 1, within_s: 60 });
    let mut lift = Entrance::lift(&plan, FLOORS);
    // the last floor has no order
    assert_eq!(lift.ride(RESIDENT, 0), (vec![4], GREEN.to_vec()));
    assert_eq!(lift.ride(GUEST, 100), (vec![], RED.to_vec()));
    lift.pass(10_000);
    lift.settle();
    let through = |lift: &mut Entrance, output, now| {
        lift.leaf(output, DoorPosition::Open, now);
        lift.leaf(output, DoorPosition::Closed, now + 100);
        lift.settle();
    };
    // the inner door has no reader here: it is opened from afar
    lift.tell(open(9, 2, 10_000), 10_000);
    let too_early = Outcome::Refused { reason: OutcomeRefusal::DoorBeforeFirst };
    assert!(lift.house.reports().contains(&outcome(9, 10_000, too_early)), "not before the outer one");
    assert!(lift.is_let_in(0, RESIDENT, 11_000));
    through(&mut lift, 0, 12_000);
    assert_eq!(lift.ride(GUEST, 13_000), (vec![], RED.to_vec()), "nobody went through the inner one");
    lift.tell(open(1, 2, 14_000), 14_000);
    through(&mut lift, 1, 15_000);
    assert_eq!(lift.ride(GUEST, 16_000), (vec![2, 3], GREEN.to_vec()));
    lift.pass(80_000);
    lift.settle();
    assert_eq!(lift.ride(GUEST, 80_000), (vec![], RED.to_vec()), "60 s are over");
}

#[test]
fn a_floor_has_no_leaf_and_a_door_on_a_floors_output_stays_locked() {
    let mut lift = Entrance::lift(&tower(), [DoorKind::Floor, DoorKind::Floor, DoorKind::Door]);
    assert_eq!(lift.ride(RESIDENT, 0).0, [2, 3], "not the door");
    lift.pass(10_000);
    lift.settle();
    // a wire that is said to be its contact
    lift.leaf(2, DoorPosition::Open, 11_000);
    assert_eq!(lift.house.reports(), []);
    let state = lift.house.doors.driven[2].report().state;
    assert_eq!((state.alarm, state.position), (DoorAlarm::Normal, DoorPosition::Unknown));
    assert_eq!(lift.ride(RESIDENT, 12_000).0, [2, 3]);
    lift.leaf(2, DoorPosition::Closed, 12_100);
    lift.pass(60_000);
    assert_eq!(lift.mode(2), DoorMode::Locked);
}

#[test]
fn the_reader_shows_one_answer_whatever_each_output_says() {
    let mut lift = Entrance::lift(&tower(), FLOORS);
    lift.house.board.0.lock().unwrap().remote = true;
    let answers = |lift: &mut Entrance, done: [bool; 2], now| {
        let (moves, shown) = lift.card(1, GUEST, now);
        assert_eq!((moves.len(), shown), (2, vec![]), "nothing before an output has said something");
        let newest = lift.house.board.newest();
        for (is_done, (output, ticket)) in done.into_iter().zip([(2, newest - 1), (3, newest)]) {
            let event = OutputEvent { output, ticket: Ticket(ticket), is_done };
            lift.house.doors.answered(event, at(now + 10));
        }
        lift.shown()
    };
    assert_eq!(answers(&mut lift, [true, true], 0), GREEN);
    lift.pass(10_000);
    lift.settle();
    assert_eq!(answers(&mut lift, [false, true], 10_000), GREEN);
    lift.pass(20_000);
    lift.settle();
    assert_eq!(answers(&mut lift, [false, false], 20_000), RED);
}

#[test]
fn a_blocked_floor_and_a_suspended_person() {
    let mut plan = tower();
    plan.credentials[0].state = State::Blocked;
    let mut lift = Entrance::lift(&plan, FLOORS);
    assert_eq!(lift.ride(RESIDENT, 0), (vec![], RED.to_vec()));
    let mut plan = tower();
    plan.site_mode = SiteMode::LockedDown;
    let mut lift = Entrance::lift(&plan, FLOORS);
    assert_eq!(lift.ride(RESIDENT, 0), (vec![], RED.to_vec()), "an emergency");
    // two people: the second one of them goes up
    let mut plan = tower();
    for floor in &mut plan.doors[2..] {
        floor.two_people_within_s = Some(10);
    }
    plan.holders[3].rights = vec![DoorRight { doors: 0b11100, schedule: None, from: None, until: None }];
    let mut lift = Entrance::lift(&plan, FLOORS);
    assert_eq!(lift.ride(RESIDENT, 0), (vec![], vec![(1, Feedback::More)]));
    assert_eq!(lift.ride(OTHER, 2_000), (vec![2, 3, 4], GREEN.to_vec()));
}
