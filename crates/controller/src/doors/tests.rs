//! The doors on a board that writes down what it is told and breaks on request.

mod alarms;
mod at_door;
mod handed_on;
mod keypads;
mod uses;

use super::*;
use crate::output::{Answer, Ticket};
use klinke_model::door::{DoorAlarm, DoorKind, DoorMode, DoorPosition, DoorState, DoorTimes, Relock};
use klinke_model::ids::{DoorId, OpeningId, v4};
use std::io;
use std::sync::Mutex;

const HOLD_MS: u32 = 5_000;
const TIMES: DoorTimes =
    DoorTimes { release_ms: HOLD_MS, extended_release_ms: 20_000, open_ms: 30_000, relock: Relock::OnClose };
const RELEASE: Move = Move::Release(0, Duration::from_millis(HOLD_MS as u64));

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Move {
    Release(u16, Duration),
    Lock(u16),
}

#[derive(Default)]
struct Wiring {
    moves: Vec<Move>,
    broken: bool,
    /// Whether it answers later.
    remote: bool,
    /// Whether it is behind a timer relay.
    is_timed: bool,
    /// Whether another system moves the locks.
    hands_on: bool,
    tickets: u64,
    /// How many outputs it has beside the first two.
    more: u16,
}

/// A board of two outputs, or more.
#[derive(Clone, Default)]
struct TestBoard(Arc<Mutex<Wiring>>);

impl TestBoard {
    fn told(&self, told: Move) -> Result<Answer, OutputError> {
        let mut wiring = self.0.lock().unwrap();
        wiring.moves.push(told);
        if wiring.broken {
            return Err(io::Error::other("a cut wire").into());
        }
        wiring.tickets += 1;
        Ok(if wiring.remote { Answer::Later(Ticket(wiring.tickets)) } else { Answer::Done })
    }
    /// The ticket of the newest command.
    fn newest(&self) -> u64 {
        self.0.lock().unwrap().tickets
    }
    fn take(&self) -> Vec<Move> {
        std::mem::take(&mut self.0.lock().unwrap().moves)
    }
    fn is_broken(&self, broken: bool) {
        self.0.lock().unwrap().broken = broken;
    }
}

impl Board for TestBoard {
    fn outputs(&self) -> u16 {
        2 + self.0.lock().unwrap().more
    }
    fn release(&mut self, output: u16, lease: Duration) -> Result<Answer, OutputError> {
        self.told(Move::Release(output, lease))
    }
    fn lock(&mut self, output: u16) -> Result<Answer, OutputError> {
        self.told(Move::Lock(output))
    }
    fn position(&self, output: u16) -> DoorPosition {
        if output == 0 { DoorPosition::Closed } else { DoorPosition::Unknown }
    }
    fn holds(&self, _output: u16) -> bool {
        !self.0.lock().unwrap().is_timed
    }
    fn hands_on(&self, _output: u16) -> bool {
        self.0.lock().unwrap().hands_on
    }
}

fn boot() -> BootId {
    BootId(v4([1; 16]))
}
fn door(byte: u8) -> DoorId {
    DoorId(v4([byte; 16]))
}
fn opening(byte: u8) -> OpeningId {
    OpeningId(v4([byte; 16]))
}
fn at(millis: u64) -> Mono {
    Mono::from_millis(millis)
}
fn wanted(revision: u64, doors: &[(u8, u16)]) -> Request {
    let doors = doors
        .iter()
        .map(|&(id, output)| WantedDoor {
            door: door(id),
            output,
            times: TIMES,
            held: None,
            kind: DoorKind::Door,
        })
        .collect();
    Request::Configure(Wanted { revision, doors })
}
fn open(id: u8, of: u8, now: u64) -> Request {
    Request::Open(OpenCommand {
        boot: boot(),
        opening: opening(id),
        door: door(of),
        hold_ms: HOLD_MS,
        not_after: at(now + 3_000),
    })
}
fn outcome(id: u8, now: u64, outcome: Outcome) -> ControllerRequest {
    ControllerRequest::Outcome { mono: at(now), opening: opening(id), outcome }
}
fn told(of: u8, now: u64, mode: DoorMode, position: DoorPosition) -> ControllerRequest {
    let state = DoorState { mode, position, alarm: DoorAlarm::Normal };
    ControllerRequest::Door { mono: at(now), door: DoorReport { door: door(of), state } }
}

struct House {
    doors: Doors,
    board: TestBoard,
    reports: mpsc::Receiver<ControllerRequest>,
}

impl House {
    /// Door 1 on output 0, with a contact; attached, and everything so far taken.
    fn new() -> Self {
        let board = TestBoard::default();
        let mut doors = Doors::start(boot(), Box::new(board.clone())).unwrap();
        assert_eq!(board.take(), [Move::Lock(0), Move::Lock(1)], "a start locks every output");
        doors.handle(wanted(1, &[(1, 0)]), at(0));
        let reports = attach(&mut doors).reports;
        board.take();
        Self { doors, board, reports }
    }

    /// As [`House::new`], with outputs that answer later; every lock so far has.
    fn remote() -> Self {
        let house = Self::new();
        house.board.0.lock().unwrap().remote = true;
        house
    }

    fn answers(&mut self, ticket: u64, is_done: bool, now: u64) {
        self.doors.answered(OutputEvent { output: 0, ticket: Ticket(ticket), is_done }, at(now));
    }

    fn reports(&mut self) -> Vec<ControllerRequest> {
        std::iter::from_fn(|| self.reports.try_recv().ok()).collect()
    }
}

fn attach(doors: &mut Doors) -> Attached {
    let (sender, mut attached) = oneshot::channel();
    doors.handle(Request::Attach(sender), at(0));
    attached.try_recv().unwrap()
}

#[test]
fn an_opening_is_answered_then_told_and_ends_by_itself() {
    let mut house = House::new();
    house.doors.handle(open(1, 1, 100), at(100));
    assert_eq!(house.board.take(), [RELEASE]);
    let opened = outcome(1, 100, Outcome::Opened { for_ms: HOLD_MS });
    assert_eq!(house.reports(), [opened, told(1, 100, DoorMode::Accessed, DoorPosition::Closed)]);
    assert_eq!(house.doors.wakes_at(), Some(at(5_100)));
    house.doors.tick(at(5_100));
    assert_eq!(house.board.take(), [Move::Lock(0)]);
    assert_eq!(house.reports(), [told(1, 5_100, DoorMode::Locked, DoorPosition::Closed)]);
}

#[test]
fn each_refusal_of_the_guard_reaches_the_server_and_moves_nothing() {
    use OutcomeRefusal::*;
    let good = OpenCommand {
        boot: boot(),
        opening: opening(1),
        door: door(1),
        hold_ms: HOLD_MS,
        not_after: at(10_000),
    };
    let rows = [
        (OpenCommand { boot: BootId(v4([9; 16])), ..good }, Outcome::Refused { reason: OtherBoot }),
        (OpenCommand { not_after: at(8_999), ..good }, Outcome::Expired),
        (OpenCommand { not_after: at(14_001), ..good }, Outcome::Refused { reason: DeadlineTooFar }),
        (OpenCommand { door: door(2), ..good }, Outcome::Refused { reason: UnknownDoor }),
        (OpenCommand { opening: opening(2), hold_ms: 1, ..good }, Outcome::Refused { reason: BadHold }),
        (OpenCommand { opening: opening(2), ..good }, Outcome::Refused { reason: Repeated }),
    ];
    let mut house = House::new();
    for (command, expected) in rows {
        house.doors.handle(Request::Open(command), at(9_000));
        let id = if command.opening == opening(1) { 1 } else { 2 };
        assert_eq!(house.reports(), [outcome(id, 9_000, expected)], "{command:?}");
        assert_eq!(house.board.take(), []);
    }
}

#[test]
fn a_link_that_comes_or_goes_or_configures_the_same_again_moves_nothing() {
    let mut house = House::new();
    house.doors.handle(open(1, 1, 0), at(0));
    house.board.take();
    house.reports.close();
    house.doors.contact(Contact { output: 0, position: DoorPosition::Open }, at(1_000));
    let attached = attach(&mut house.doors);
    let state =
        DoorState { mode: DoorMode::Accessed, position: DoorPosition::Open, alarm: DoorAlarm::Normal };
    assert_eq!(attached.doors, [DoorReport { door: door(1), state }], "the new link gets the state");
    house.doors.handle(wanted(1, &[(1, 0)]), at(2_000));
    assert_eq!(house.board.take(), []);
    assert_eq!(house.doors.wakes_at(), Some(at(5_000)));
    house.doors.tick(at(5_000));
    assert_eq!(house.board.take(), [Move::Lock(0)]);
}

#[test]
fn a_link_that_does_not_keep_up_is_dropped_and_nothing_waits_for_it() {
    let mut house = House::new();
    let flaps = u64::try_from(REPORTS_WAITING).unwrap() + 2;
    for flap in 0..flaps {
        let position = if flap % 2 == 0 { DoorPosition::Open } else { DoorPosition::Closed };
        house.doors.contact(Contact { output: 0, position }, at(flap));
    }
    assert_eq!(house.reports().len(), REPORTS_WAITING);
    assert!(house.reports.is_closed());
}

#[test]
fn a_broken_output_is_an_outcome_and_is_locked_until_it_obeys() {
    let mut house = House::new();
    house.board.is_broken(true);
    house.doors.handle(open(1, 1, 0), at(0));
    assert_eq!(house.board.take(), [RELEASE, Move::Lock(0)]);
    let fault = Outcome::Refused { reason: OutcomeRefusal::OutputFault };
    assert_eq!(house.reports(), [outcome(1, 0, fault)], "nobody is told that it was open");
    house.board.is_broken(false);
    house.doors.tick(house.doors.wakes_at().unwrap());
    assert_eq!(house.board.take(), [Move::Lock(0)]);
    assert_eq!(house.doors.wakes_at(), None);
}

#[test]
fn a_door_that_leaves_its_output_is_locked_before_another_takes_it() {
    let mut house = House::new();
    house.doors.handle(open(1, 1, 0), at(0));
    house.board.take();
    house.reports();
    house.doors.handle(wanted(2, &[(2, 0), (1, 1)]), at(1_000));
    assert_eq!(house.board.take(), [Move::Lock(0), Move::Lock(0), Move::Lock(1)]);
    let now = [
        told(1, 1_000, DoorMode::Locked, DoorPosition::Unknown),
        ControllerRequest::Applied { revision: 2 },
        told(2, 1_000, DoorMode::Locked, DoorPosition::Closed),
        told(1, 1_000, DoorMode::Locked, DoorPosition::Unknown),
    ];
    assert_eq!(house.reports(), now);
    house.doors.handle(open(2, 1, 2_000), at(2_000));
    assert_eq!(house.board.take(), [Move::Release(1, Duration::from_millis(5_000))]);
}

#[test]
fn an_output_that_answers_later_is_open_for_others_when_it_has_said_so() {
    let mut house = House::remote();
    house.doors.handle(open(1, 1, 100), at(100));
    assert_eq!(
        (house.board.take(), house.reports()),
        (vec![RELEASE], vec![]),
        "nobody is told that it is open"
    );
    let locked =
        DoorState { mode: DoorMode::Locked, position: DoorPosition::Closed, alarm: DoorAlarm::Normal };
    house.doors.handle(Request::Configure(Wanted { revision: 0, doors: vec![] }), at(200));
    assert_eq!(house.doors.driven[0].report().state, locked, "nor who asks");
    let ticket = house.board.newest();
    house.answers(ticket, true, 400);
    let opened = outcome(1, 400, Outcome::Opened { for_ms: HOLD_MS - 300 });
    assert_eq!(house.reports(), [opened, told(1, 400, DoorMode::Accessed, DoorPosition::Closed)]);
    house.answers(ticket, true, 500);
    assert_eq!(house.reports(), [], "an answer counts once");
    house.doors.tick(at(5_100));
    assert_eq!(house.board.take(), [Move::Lock(0)]);
    assert_eq!(house.reports(), [told(1, 5_100, DoorMode::Locked, DoorPosition::Closed)]);
}

#[test]
fn an_output_that_fails_or_is_silent_is_a_fault_after_two_seconds_and_stays_locked() {
    let fault = Outcome::Refused { reason: OutcomeRefusal::OutputFault };
    for is_silent in [false, true] {
        let mut house = House::remote();
        house.doors.handle(open(1, 1, 0), at(0));
        let release = house.board.newest();
        house.board.take();
        let now = if is_silent {
            assert_eq!(house.doors.wakes_at(), Some(at(2_000)));
            house.doors.tick(at(1_999));
            assert_eq!(house.reports(), []);
            house.doors.tick(at(2_000));
            2_000
        } else {
            house.answers(release, false, 700);
            700
        };
        assert_eq!(house.board.take(), [Move::Lock(0)]);
        assert_eq!(house.reports(), [outcome(1, now, fault)]);
        // what it says of the release now comes from the past
        house.answers(release, true, now + 10);
        assert_eq!(house.reports(), []);
        // a lock that fails too is told again
        let lock = house.board.newest();
        house.answers(lock, false, now + 100);
        let again = house.doors.wakes_at().unwrap();
        assert_eq!(again, at(now + 1_100));
        house.doors.tick(again);
        assert_eq!(house.board.take(), [Move::Lock(0)]);
        let lock = house.board.newest();
        house.answers(lock, true, now + 1_200);
        assert_eq!(house.doors.wakes_at(), None);
        assert_eq!(house.reports(), []);
    }
}

#[test]
fn two_openings_of_one_door_are_each_answered_once() {
    let mut house = House::remote();
    house.doors.handle(open(1, 1, 0), at(0));
    let first = house.board.newest();
    house.doors.handle(open(2, 1, 1_000), at(1_000));
    let second = house.board.newest();
    house.answers(first, true, 1_500);
    let opened = |id, for_ms| outcome(id, 1_500, Outcome::Opened { for_ms });
    let accessed = told(1, 1_500, DoorMode::Accessed, DoorPosition::Closed);
    assert_eq!(house.reports(), [opened(1, HOLD_MS - 1_500), accessed]);
    house.answers(second, false, 1_600);
    let fault = Outcome::Refused { reason: OutcomeRefusal::OutputFault };
    let locked = told(1, 1_600, DoorMode::Locked, DoorPosition::Closed);
    assert_eq!(house.reports(), [outcome(2, 1_600, fault), locked]);

    // overtaken before it was done: the newer one answers for both
    let mut house = House::remote();
    house.doors.handle(open(1, 1, 0), at(0));
    house.doors.handle(open(2, 1, 500), at(500));
    let second = house.board.newest();
    house.answers(second, true, 1_500);
    assert_eq!(house.reports(), [opened(1, HOLD_MS - 1_500), opened(2, HOLD_MS - 1_000), accessed_again()]);
    fn accessed_again() -> ControllerRequest {
        told(1, 1_500, DoorMode::Accessed, DoorPosition::Closed)
    }
}

#[test]
fn a_silent_output_holds_up_no_other_door() {
    let mut house = House::remote();
    house.doors.handle(wanted(2, &[(1, 0), (2, 1)]), at(0));
    house.doors.handle(open(1, 1, 0), at(0));
    house.board.0.lock().unwrap().remote = false;
    house.reports();
    house.doors.handle(open(2, 2, 10), at(10));
    let opened = outcome(2, 10, Outcome::Opened { for_ms: HOLD_MS });
    assert_eq!(house.reports(), [opened, told(2, 10, DoorMode::Accessed, DoorPosition::Unknown)]);
}

#[test]
fn an_exit_button_releases_its_door_for_its_time_and_no_other_input_moves_a_lock() {
    use crate::input::Level;
    let mut house = House::new();
    house.doors.input(InputEvent::ExitButton { output: 0 }, at(0));
    assert_eq!(house.board.take(), [RELEASE]);
    house.doors.tick(at(5_000));
    house.board.take();
    let others = [
        InputEvent::ExitButton { output: 1 }, // no door there
        InputEvent::Fire { input: 0, level: Level::Active },
        InputEvent::Tamper { input: 1, level: Level::Active },
        InputEvent::Mains { input: 2, level: Level::Unknown },
        InputEvent::Battery { input: 3, level: Level::Active },
    ];
    for event in others {
        house.doors.input(event.clone(), at(6_000));
        assert_eq!(house.board.take(), [], "{event:?}");
    }
}

#[test]
fn in_a_fire_no_leaf_is_an_alarm_and_no_lock_is_moved() {
    let mut house = House::new();
    let fire = |input, level| InputEvent::Fire { input, level };
    house.doors.input(fire(3, Level::Active), at(0));
    house.doors.input(fire(4, Level::Active), at(0));
    house.doors.input(InputEvent::Contact(Contact { output: 0, position: DoorPosition::Open }), at(1_000));
    house.doors.input(fire(3, Level::Quiet), at(2_000));
    house.doors.input(fire(4, Level::Unknown), at(3_000));
    let seen = |mode, position| told(1, 1_000, mode, position);
    assert_eq!(house.reports(), [seen(DoorMode::Locked, DoorPosition::Open)], "not forced, while it burns");
    assert_eq!(house.doors.wakes_at(), None, "a wire that is lost in a fire is taken for what it said");
    house.doors.input(fire(4, Level::Quiet), at(4_000));
    assert_eq!(house.doors.wakes_at(), Some(at(34_000)), "the leaf has its time from now on");
    assert_eq!(house.board.take(), []);
}

#[test]
fn a_configuration_that_cannot_be_driven_leaves_the_last_good_one() {
    let bad_times = DoorTimes { release_ms: 0, ..TIMES };
    let bad_times =
        vec![WantedDoor { door: door(1), output: 0, times: bad_times, held: None, kind: DoorKind::Door }];
    let rows = [
        wanted(0, &[]),               // older
        wanted(2, &[(1, 2)]),         // no such output
        wanted(2, &[(1, 0), (1, 1)]), // one door twice
        wanted(2, &[(1, 0), (2, 0)]), // one output twice
        Request::Configure(Wanted { revision: 2, doors: bad_times }),
    ];
    for row in rows {
        let mut house = House::new();
        let text = format!("{row:?}");
        house.doors.handle(row, at(0));
        assert_eq!((house.board.take(), house.reports()), (vec![], vec![]), "{text}");
        house.doors.handle(open(1, 1, 0), at(0));
        assert_eq!(house.board.take(), [RELEASE], "{text}");
    }
}

#[test]
fn stopping_locks_every_door() {
    let mut house = House::new();
    house.doors.handle(wanted(2, &[(1, 0), (2, 1)]), at(0));
    house.doors.handle(open(1, 1, 0), at(0));
    house.doors.handle(open(2, 2, 0), at(0));
    house.board.take();
    house.doors.lock_all(at(1));
    assert_eq!(house.board.take(), [Move::Lock(0), Move::Lock(1)]);
}

/// Tokio's paused clock as ours.
struct TokioClock(tokio::time::Instant);

impl Clock for TokioClock {
    fn now(&self) -> klinke_model::time::Timestamp {
        klinke_model::time::Timestamp::from_millis(0)
    }
    fn mono(&self) -> Mono {
        at(u64::try_from(self.0.elapsed().as_millis()).unwrap())
    }
}

#[tokio::test(start_paused = true)]
async fn the_task_locks_in_time_without_any_link_and_at_its_end() {
    let board = TestBoard::default();
    let doors = Doors::start(boot(), Box::new(board.clone())).unwrap();
    let clock = Arc::new(TokioClock(tokio::time::Instant::now()));
    let (requests, receiver) = mpsc::channel(8);
    let (_inputs, inputs) = mpsc::channel(8);
    let (_outputs, outputs) = mpsc::channel(8);
    let stop = CancellationToken::new();
    let task = tokio::spawn(run(doors, clock, receiver, inputs, outputs, stop.clone()));
    requests.send(wanted(1, &[(1, 0)])).await.unwrap();
    requests.send(open(1, 1, 0)).await.unwrap();
    tokio::time::sleep(Duration::from_millis(4_999)).await;
    assert_eq!(board.take().last(), Some(&RELEASE));
    drop(requests);
    tokio::time::sleep(Duration::from_millis(2)).await;
    assert_eq!(board.take(), [Move::Lock(0)]);
    stop.cancel();
    task.await.unwrap();
    assert_eq!(board.take(), [Move::Lock(0)]);
}

#[tokio::test(start_paused = true)]
async fn the_task_keeps_the_time_that_the_server_told() {
    let folder = tempfile::tempdir().unwrap();
    let kept = || crate::kept::Kept::open(folder.path()).unwrap();
    let told = Timestamp::from_millis(1_795_262_400_000);
    let doors = Doors::start(boot(), Box::new(TestBoard::default())).unwrap();
    let doors = doors.with_entry(Entry::new(kept(), &[], told, at(0)), Lamps::default());
    let clock = Arc::new(TokioClock(tokio::time::Instant::now()));
    let (requests, receiver) = mpsc::channel(8);
    let ((_inputs, inputs), (_outputs, outputs)) = (mpsc::channel(8), mpsc::channel(8));
    let stop = CancellationToken::new();
    let task = tokio::spawn(run(doors, clock, receiver, inputs, outputs, stop.clone()));
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(kept().moment(), None, "a clock that nobody told is not kept");
    requests.send(Request::Time { server: told, newest: None }).await.unwrap();
    tokio::time::sleep(Duration::from_secs(60)).await;
    stop.cancel();
    task.await.unwrap();
    let moment = kept().moment().unwrap();
    // the time alone confirms no rights
    assert_eq!(moment, crate::kept::Moment { at: told.plus(Duration::from_secs(60)), confirmed: None });
}
