//! The link and the doors together, over real TLS, on a board that tells what it was told.

use crate::server::{ALIVE, Authority, Hello, Peer, Server, Setup, within};
use klinke_controller::doors::{self, Doors};
use klinke_controller::journal::Journal;
use klinke_controller::link::Link;
use klinke_controller::output::{Answer, Board, OutputError};
use klinke_controller::rights::Intake;
use klinke_controller::rights::folder::RightsFolder;
use klinke_controller::rights::trust::Trust;
use klinke_controller::state::StateDir;
use klinke_controller::tls::link_config;
use klinke_model::door::{DoorKind, DoorMode, DoorPosition, DoorTimes};
use klinke_model::ids::{BootId, DoorId, OpeningId, v4};
use klinke_model::time::{Clock, Mono, SystemClock, Timestamp};
use klinke_wire::controller::{
    ControllerEvent, ControllerRequest, Outcome, OutcomeRefusal, Wanted, WantedDoor,
};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Move {
    Release,
    Lock,
}

/// One output that tells what it was told.
struct TellingBoard(mpsc::UnboundedSender<Move>);

impl Board for TellingBoard {
    fn outputs(&self) -> u16 {
        1
    }
    fn release(&mut self, _output: u16, _lease: Duration) -> Result<Answer, OutputError> {
        self.0.send(Move::Release).unwrap();
        Ok(Answer::Done)
    }
    fn lock(&mut self, _output: u16) -> Result<Answer, OutputError> {
        // at the end of a test nobody listens any more
        let _ = self.0.send(Move::Lock);
        Ok(Answer::Done)
    }
    fn position(&self, _output: u16) -> DoorPosition {
        DoorPosition::Unknown
    }
}

/// The machine's clock, started long ago, so that a deadline can lie in the past.
struct OldClock(SystemClock);

impl Clock for OldClock {
    fn now(&self) -> Timestamp {
        self.0.now()
    }
    fn mono(&self) -> Mono {
        self.0.mono() + Duration::from_secs(1_000)
    }
}

/// A controller in this process; everything of it ends when it is dropped.
struct Controller {
    moves: mpsc::UnboundedReceiver<Move>,
    _tasks: JoinSet<()>,
    _state: TempDir,
}

impl Controller {
    fn start(authority: &Authority, server: &Server, boot: u8) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let state = StateDir::open(&folder.path().join("state")).unwrap();
        authority.identity(&state);
        let (moved, moves) = mpsc::unbounded_channel();
        let boot = BootId(v4([boot; 16]));
        let doors = Doors::start(boot, Box::new(TellingBoard(moved))).unwrap();
        let clock: Arc<dyn Clock> = Arc::new(OldClock(SystemClock::start()));
        let (requests, receiver) = mpsc::channel(8);
        let ((_, inputs), (_, outputs)) = (mpsc::channel(1), mpsc::channel(1));
        let mut tasks = JoinSet::new();
        let stop = CancellationToken::new();
        tasks.spawn(doors::run(doors, Arc::clone(&clock), receiver, inputs, outputs, stop));
        let identity = state.load().unwrap();
        let (tls, trust) = (Arc::new(link_config(&identity).unwrap()), Trust::of(&identity).unwrap());
        let (server, rights) = (server.address(), RightsFolder::open(&state).unwrap());
        let wanted = state.wanted();
        tasks.spawn(async move {
            let rights = Intake::open(rights, trust, requests.clone()).await;
            let journal = Journal::default();
            Link {
                server,
                tls,
                boot,
                outputs: 1,
                wired: Vec::new(),
                clock,
                doors: requests,
                rights,
                wanted,
                journal,
            }
            .keep()
            .await;
        });
        Self { moves, _tasks: tasks, _state: folder }
    }

    fn moves(&mut self) -> Vec<Move> {
        std::iter::from_fn(|| self.moves.try_recv().ok()).collect()
    }
}

fn wanted() -> Wanted {
    Wanted {
        revision: 1,
        doors: vec![WantedDoor {
            door: door(),
            output: 0,
            times: DoorTimes::default(),
            held: None,
            kind: DoorKind::Door,
        }],
    }
}
fn door() -> DoorId {
    DoorId(v4([0xd0; 16]))
}
fn opening(byte: u8) -> OpeningId {
    OpeningId(v4([byte; 16]))
}
fn open(hello: &Hello, id: u8, hold_ms: u32, not_after: u64) -> ControllerEvent {
    let not_after = Mono::from_millis(not_after);
    ControllerEvent::Open { boot: hello.boot, opening: opening(id), door: door(), hold_ms, not_after }
}

async fn outcome(peer: &mut Peer) -> (OpeningId, Outcome) {
    match peer.receive().await {
        Some(ControllerRequest::Outcome { opening, outcome, .. }) => (opening, outcome),
        other => panic!("no outcome: {other:?}"),
    }
}

async fn door_mode(peer: &mut Peer) -> DoorMode {
    match peer.receive().await {
        Some(ControllerRequest::Door { door: report, .. }) => report.state.mode,
        other => panic!("no door: {other:?}"),
    }
}

/// A controller that is linked, and its server.
async fn linked(authority: &Authority, server: &Server, boot: u8) -> (Controller, Peer, Hello) {
    let mut controller = Controller::start(authority, server, boot);
    let (mut peer, hello) = server.welcome(wanted()).await;
    assert!(peer.certificate.is_some());
    assert_eq!(hello.doors, []);
    assert_eq!(door_mode(&mut peer).await, DoorMode::Locked);
    assert_eq!(controller.moves(), [Move::Lock, Move::Lock], "at the start, and as its door is configured");
    (controller, peer, hello)
}

#[tokio::test]
async fn an_opening_is_answered_on_its_connection_and_runs_once() {
    let authority = Authority::new();
    let server = Server::start(Setup::of(&authority)).await;
    let (mut controller, mut peer, hello) = linked(&authority, &server, 1).await;

    let command = open(&hello, 1, 60_000, hello.mono + 3_000);
    peer.send(&command).await;
    assert_eq!(outcome(&mut peer).await, (opening(1), Outcome::Opened { for_ms: 60_000 }));
    assert_eq!(door_mode(&mut peer).await, DoorMode::Accessed);
    assert_eq!(controller.moves(), [Move::Release]);

    peer.send(&command).await;
    let repeated = Outcome::Refused { reason: OutcomeRefusal::Repeated };
    assert_eq!(outcome(&mut peer).await, (opening(1), repeated));

    peer.send(&open(&hello, 2, 5_000, hello.mono - 1)).await;
    assert_eq!(outcome(&mut peer).await, (opening(2), Outcome::Expired));

    peer.send(&open(&hello, 3, 5_000, hello.mono + 60_000)).await;
    let too_far = Outcome::Refused { reason: OutcomeRefusal::DeadlineTooFar };
    assert_eq!(outcome(&mut peer).await, (opening(3), too_far));
    assert_eq!(controller.moves(), []);
}

#[tokio::test]
async fn a_command_of_another_start_is_refused() {
    let authority = Authority::new();
    let server = Server::start(Setup::of(&authority)).await;
    let (first, peer, hello) = linked(&authority, &server, 1).await;
    let captured = open(&hello, 1, 5_000, hello.mono + 5_000);
    drop((first, peer));
    let (mut second, mut peer, _) = linked(&authority, &server, 2).await;
    peer.send(&captured).await;
    let other_boot = Outcome::Refused { reason: OutcomeRefusal::OtherBoot };
    assert_eq!(outcome(&mut peer).await, (opening(1), other_boot));
    assert_eq!(second.moves(), []);
}

#[tokio::test]
async fn a_lost_link_moves_no_lock_and_its_return_moves_none_either() {
    let authority = Authority::new();
    let server = Server::start(Setup::of(&authority)).await;
    let (mut controller, mut peer, hello) = linked(&authority, &server, 1).await;
    peer.send(&open(&hello, 1, 60_000, hello.mono + 3_000)).await;
    outcome(&mut peer).await;
    drop(peer);
    let (mut peer, again) = server.welcome(wanted()).await;
    assert_eq!(again.boot, hello.boot);
    assert_eq!(again.doors[0].state.mode, DoorMode::Accessed);
    // the answer to this one proves that everything before it was looked at
    peer.send(&open(&hello, 1, 60_000, hello.mono + 3_000)).await;
    outcome(&mut peer).await;
    assert_eq!(controller.moves(), [Move::Release]);
}

#[tokio::test]
async fn a_door_that_is_open_when_the_link_is_lost_locks_at_the_end_of_its_lease() {
    let authority = Authority::new();
    let server = Server::start(Setup::of(&authority)).await;
    let (mut controller, mut peer, hello) = linked(&authority, &server, 1).await;
    peer.send(&open(&hello, 1, 1_000, hello.mono + 3_000)).await;
    outcome(&mut peer).await;
    drop((peer, server));
    assert_eq!(within(controller.moves.recv()).await, Some(Move::Release));
    assert_eq!(within(controller.moves.recv()).await, Some(Move::Lock));
}

#[tokio::test]
async fn garbage_ends_the_connection_and_nothing_else() {
    let authority = Authority::new();
    let server = Server::start(Setup::of(&authority)).await;
    let (mut controller, mut peer, hello) = linked(&authority, &server, 1).await;
    peer.send(&open(&hello, 1, 60_000, hello.mono + 3_000)).await;
    outcome(&mut peer).await;
    door_mode(&mut peer).await;

    let message = |body: &[u8]| [&u32::try_from(body.len()).unwrap().to_be_bytes(), body].concat();
    let garbage = [
        b"GET / HTTP/1.1\r\n\r\n".to_vec(),
        u32::MAX.to_be_bytes().to_vec(),
        0_u32.to_be_bytes().to_vec(),
        message(b"\xff\xfe"),
        message(b"{}"),
        message(br#"{"type":"unlock_everything"}"#),
        message(br#"{"type":"open","door":"all"}"#),
    ];
    for bytes in garbage {
        // a link that stood is dialled again at once
        peer.send(&ALIVE).await;
        peer.send_bytes(&bytes).await;
        assert_eq!(peer.receive().await, None, "{bytes:?}");
        let (next, again) = server.welcome(wanted()).await;
        assert_eq!((again.boot, again.doors[0].state.mode), (hello.boot, DoorMode::Accessed));
        peer = next;
    }
    assert_eq!(controller.moves(), [Move::Release]);
}
