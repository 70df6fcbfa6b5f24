//! A door controller: the real one, in this process, over mutual TLS; with outputs that count.

use super::until;
use crate::world::Browser;
use klinke_access::decide::{Cause, Decision, Order, Reason, decide};
use klinke_access::snapshot::{AtDoor, Rights};
use klinke_access::standing::ClockTrust;
use klinke_controller::address::ServerAddress;
use klinke_controller::connection::Connection;
use klinke_controller::doors::entry::{Entry, ReaderAt};
use klinke_controller::doors::{self, Doors, Request};
use klinke_controller::input::{Contact, InputEvent};
use klinke_controller::journal::Journal;
use klinke_controller::kept::Kept;
use klinke_controller::link::Link;
use klinke_controller::output::simulated::SimulatedBoard;
use klinke_controller::output::{Answer, Board, OutputError};
use klinke_controller::pairing::pair;
use klinke_controller::reader::wired::Lamps;
use klinke_controller::reader::{Keys, ReaderEvent, Reading};
use klinke_controller::rights::Intake;
use klinke_controller::rights::folder::RightsFolder;
use klinke_controller::rights::trust::Trust;
use klinke_controller::state::StateDir;
use klinke_controller::tls::{Fingerprint, dial, link_config};
use klinke_model::credential::CredentialKey;
use klinke_model::door::{DoorMode, DoorPosition, DoorWiring, LockKind};
use klinke_model::ids::{BootId, BuildingId, DoorId, JournalId, v4};
use klinke_model::time::{Clock, Mono, SystemClock};
use klinke_wire::controller::{ControllerEvent, ControllerRequest, Held, StandingAlarms, WiredOutput};
use klinke_wire::enrolment::{ReaderKind, ReaderReport};
use serde_json::json;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_rustls::client::TlsStream;
use tokio_util::sync::CancellationToken;

/// How many outputs it has.
pub const OUTPUTS: u16 = 4;

/// What its hardware file says: output 0 is a timer relay behind a fail-safe lock, output 1 another system's.
pub const WIRED: [WiredOutput; 2] = {
    let relay = DoorWiring {
        lock: Some(LockKind::FailSafe),
        holds: false,
        handed_on: false,
        contact: false,
        exit_button: true,
        fire_input: true,
    };
    let other = DoorWiring { lock: None, handed_on: true, exit_button: false, ..relay };
    [WiredOutput { output: 0, wiring: relay }, WiredOutput { output: 1, wiring: other }]
};
/// A reader on a desk.
pub const DESK: u16 = 9;

/// What a controller is known by: its state folder.
#[derive(Clone)]
pub struct ControllerKey {
    pub state: PathBuf,
}

/// What the outputs were told, in order.
#[derive(Clone, Default)]
pub struct Releases(Arc<Mutex<Vec<u16>>>);

impl Releases {
    /// How often this output was released.
    pub fn of(&self, output: u16) -> usize {
        self.0.lock().unwrap().iter().filter(|released| **released == output).count()
    }

    /// How often any was.
    pub fn count(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

/// What the doors were told to decide by.
#[derive(Clone, Default)]
pub struct InForce(Arc<Mutex<Vec<Rights>>>);

impl InForce {
    /// How often they were told.
    pub fn times(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    /// The newest.
    pub fn newest(&self) -> Option<Rights> {
        self.0.lock().unwrap().last().cloned()
    }

    /// Why a door does not open for this card now; none when it does.
    pub fn refusal(&self, door: DoorId, card: &CredentialKey) -> Option<Reason> {
        let Some(rights) = self.newest() else { return Some(Reason::CredentialUnknown) };
        let place = rights.doors().iter().position(|plan| plan.door == door).unwrap();
        let asked = AtDoor {
            door: u8::try_from(place).unwrap(),
            at: SystemClock::start().now(),
            clock: ClockTrust::Trusted,
            rights_age: Duration::ZERO,
            mode: DoorMode::Locked,
            order: Order::Kept,
            used: false,
        };
        let (facts, _) = rights.facts_at(rights.key().credential(card), &asked).unwrap();
        match decide(&klinke_access::decide::Request { cause: Cause::AtDoor }, &facts) {
            Decision::Granted { .. } => None,
            Decision::Denied(reason) => Some(reason),
        }
    }
}

/// How many windows at readers the doors were asked for, and to end.
#[derive(Default)]
struct Windows {
    begun: AtomicUsize,
    ended: AtomicUsize,
}

/// Passes on what the link asks of the doors, and notes what they decide by.
async fn tap(
    mut from: mpsc::Receiver<Request>,
    to: mpsc::Sender<Request>,
    in_force: InForce,
    windows: Arc<Windows>,
) {
    while let Some(request) = from.recv().await {
        if let Request::Rights(rights) = &request {
            in_force.0.lock().unwrap().push(Rights::clone(rights));
        }
        let (begins, ends) = (matches!(request, Request::Enrol(_)), matches!(request, Request::EndEnrol(_)));
        if to.send(request).await.is_err() {
            return;
        }
        windows.begun.fetch_add(usize::from(begins), Ordering::SeqCst);
        windows.ended.fetch_add(usize::from(ends), Ordering::SeqCst);
    }
}

struct CountingBoard {
    board: SimulatedBoard,
    releases: Releases,
}

impl Board for CountingBoard {
    fn outputs(&self) -> u16 {
        self.board.outputs()
    }
    fn release(&mut self, output: u16, lease: Duration) -> Result<Answer, OutputError> {
        self.releases.0.lock().unwrap().push(output);
        self.board.release(output, lease)
    }
    fn lock(&mut self, output: u16) -> Result<Answer, OutputError> {
        self.board.lock(output)
    }
    fn position(&self, output: u16) -> DoorPosition {
        self.board.position(output)
    }
}

fn address(server: SocketAddr) -> ServerAddress {
    server.to_string().parse().unwrap()
}

fn boot() -> BootId {
    let mut random = [0; 16];
    getrandom::fill(&mut random).unwrap();
    BootId(v4(random))
}

impl ControllerKey {
    /// The controller shows a code, and an administrator claims it with these doors, output 0 first.
    pub async fn pair(
        server: SocketAddr,
        authority: &str,
        state: &Path,
        manager: &Browser,
        building: BuildingId,
        doors: &[DoorId],
    ) -> Self {
        let (show, shown) = oneshot::channel();
        let (folder, authority) = (state.to_owned(), authority.parse::<Fingerprint>().unwrap());
        let pairing = tokio::spawn(async move {
            let state = StateDir::open(&folder).unwrap();
            let show = |code: &klinke_controller::pairing::PairingCode| {
                show.send(code.code.clone()).unwrap();
                Ok(())
            };
            pair(&address(server), authority, &state, OUTPUTS, show).await.unwrap()
        });
        let doors: Vec<_> = doors
            .iter()
            .zip(0_u16..)
            .map(|(door, output)| json!({ "door": door, "output": output }))
            .collect();
        let new = json!({ "code": shown.await.unwrap(), "name": "Basement", "doors": doors });
        let added = manager.post(&format!("/api/v1/buildings/{building}/controllers"), new).await;
        assert_eq!(added.status, 201, "{added:?}");
        pairing.await.unwrap();
        Self { state: state.to_owned() }
    }

    /// Starts the controller; it dials until it is linked.
    pub fn start(&self, server: SocketAddr) -> Controller {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
        let (boot, releases, stop) = (boot(), Releases::default(), CancellationToken::new());
        let state = StateDir::open(&self.state).unwrap();
        let board = SimulatedBoard::open(&state.outputs(), OUTPUTS, Arc::clone(&clock), None).unwrap();
        let board = CountingBoard { board, releases: releases.clone() };
        let posts: Vec<_> =
            (0..OUTPUTS).map(|output| ReaderAt { reader: output, output, has_keypad: true }).collect();
        let mut reports: Vec<_> = posts
            .iter()
            .map(|post| ReaderReport {
                reader: post.reader,
                output: Some(post.output),
                kind: ReaderKind::Osdp,
                has_keypad: post.has_keypad,
            })
            .collect();
        reports.push(ReaderReport { reader: DESK, output: None, kind: ReaderKind::Pcsc, has_keypad: false });
        let kept = Kept::open(&state.kept()).unwrap();
        let entry = Entry::new(kept, &posts, clock.now(), clock.mono());
        let machine = Doors::start(boot, Box::new(board))
            .unwrap()
            .with_entry(entry, Lamps::default())
            .with_readers(reports);
        let (journal, file) = Journal::open(state.journal(), JournalId(self::boot().0));
        let machine = machine.with_journal(journal.clone(), clock.mono());
        let keeping = tokio::spawn(journal.clone().keep(file));
        let ((requests, tapped), (untapped, receiver)) = (mpsc::channel(64), mpsc::channel(64));
        let in_force = InForce::default();
        let windows = Arc::new(Windows::default());
        let to_doors = untapped.downgrade();
        tokio::spawn(tap(tapped, untapped, in_force.clone(), Arc::clone(&windows)));
        let ((wires, inputs), (_, outputs)) = (mpsc::channel(8), mpsc::channel(1));
        let identity = state.load().unwrap();
        let (folder, trust) = (RightsFolder::open(&state).unwrap(), Trust::of(&identity).unwrap());
        let (link_clock, tls) = (Arc::clone(&clock), Arc::new(link_config(&identity).unwrap()));
        let (wanted, told) = (state.wanted(), journal.clone());
        let link = async move {
            if let Some(doors) = wanted.read() {
                requests.send(Request::Configure(doors)).await.unwrap();
            }
            let rights = Intake::open(folder, trust, requests.clone()).await;
            let (server, clock) = (address(server), link_clock);
            let journal = told;
            let (outputs, wired, doors) = (OUTPUTS, WIRED.to_vec(), requests);
            Link { server, tls, boot, outputs, wired, clock, doors, rights, wanted, journal }.keep().await;
        };
        Controller {
            wires,
            windows,
            to_doors,
            releases,
            in_force,
            journal,
            keeping,
            link: tokio::spawn(link),
            doors: tokio::spawn(doors::run(machine, clock, receiver, inputs, outputs, stop.clone())),
            stop,
            outputs: state.outputs(),
        }
    }

    /// A controller that links and then says and does nothing.
    pub async fn mute(&self, server: SocketAddr) -> Connection<TlsStream<TcpStream>> {
        self.mute_with(server, None, None).await
    }

    /// A controller that links, says what it holds and which alarms stand, and then nothing.
    pub async fn mute_with(
        &self,
        server: SocketAddr,
        rights: Option<Held>,
        standing: Option<StandingAlarms>,
    ) -> Connection<TlsStream<TcpStream>> {
        let identity = StateDir::open(&self.state).unwrap().load().unwrap();
        let tls = Arc::new(link_config(&identity).unwrap());
        let mut connection = Connection::new(dial(&address(server), tls).await.unwrap());
        let hello = ControllerRequest::Hello {
            protocol: klinke_wire::CONTROLLER,
            boot: boot(),
            mono: Mono::from_millis(1_000_000),
            version: "mute".into(),
            outputs: OUTPUTS,
            doors: Vec::new(),
            rights,
            wired: Vec::new(),
            readers: Vec::new(),
            standing,
        };
        connection.send(&hello).await.unwrap();
        let welcome = connection.receive().await.unwrap();
        assert!(matches!(welcome, ControllerEvent::Welcome { .. }), "{welcome:?}");
        connection
    }
}

/// The next that a mute controller is told, beside the rights that it never fetches.
pub async fn told(mute: &mut Connection<TlsStream<TcpStream>>) -> ControllerEvent {
    loop {
        match mute.receive().await.unwrap() {
            ControllerEvent::Rights { .. } => {}
            other => return other,
        }
    }
}

/// A running controller.
pub struct Controller {
    wires: mpsc::Sender<InputEvent>,
    windows: Arc<Windows>,
    /// Without keeping it open.
    to_doors: mpsc::WeakSender<Request>,
    pub releases: Releases,
    pub in_force: InForce,
    pub journal: Journal,
    keeping: JoinHandle<()>,
    link: JoinHandle<()>,
    doors: JoinHandle<()>,
    stop: CancellationToken,
    outputs: PathBuf,
}

impl Controller {
    /// Waits until every lock is locked, by its own time.
    pub async fn locked(&self) {
        let is_locked = |output: u16| {
            std::fs::read_to_string(self.outputs.join(output.to_string())).unwrap() == "locked\n"
        };
        until("every lock locked", || (0..OUTPUTS).all(is_locked)).await;
    }

    /// Waits until so many windows were begun at readers, and the doors have seen each.
    pub async fn windows(&self, count: usize) {
        until("a window at a reader", || self.windows.begun.load(Ordering::SeqCst) == count).await;
        self.seen().await;
    }

    /// Waits until so many were ended from outside.
    pub async fn ends(&self, count: usize) {
        until("the end of a window", || self.windows.ended.load(Ordering::SeqCst) == count).await;
        self.seen().await;
    }

    /// The doors take inputs before requests: this returns when they have nothing left to take.
    async fn seen(&self) {
        let is_taken = || self.to_doors.upgrade().is_none_or(|to| to.capacity() == to.max_capacity());
        until("the doors have seen it", is_taken).await;
    }

    /// A card is held to the reader beside this output. When it returns the doors have it before whatever comes later.
    pub async fn present(&self, output: u16, card: CredentialKey) {
        self.tell(output, Reading::Card(card)).await;
    }

    /// The leaf of the door on this output moves.
    pub async fn leaf(&self, output: u16, position: DoorPosition) {
        self.wires.send(InputEvent::Contact(Contact { output, position })).await.unwrap();
    }

    /// Somebody types at the keypad beside this output.
    pub async fn type_keys(&self, output: u16, keys: &str) {
        self.tell(output, Reading::Keys(Keys::from_ascii(keys.as_bytes()).unwrap())).await;
    }

    async fn tell(&self, reader: u16, what: Reading) {
        self.wires.send(InputEvent::Reader(ReaderEvent { reader, what })).await.unwrap();
    }

    /// Cuts the link; the doors live on.
    pub async fn cut(&mut self) {
        if !self.link.is_finished() {
            self.link.abort();
            drop((&mut self.link).await);
        }
    }

    /// Stops in good order.
    pub async fn stop(mut self) {
        self.cut().await;
        self.stop.cancel();
        (&mut self.doors).await.unwrap();
        self.journal.settled().await;
    }
}

impl Drop for Controller {
    fn drop(&mut self) {
        self.link.abort();
        self.doors.abort();
        self.keeping.abort();
    }
}
