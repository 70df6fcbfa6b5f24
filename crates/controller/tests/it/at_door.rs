//! A card at a reader of libosdp (C) until the output is told: the reader, the line, the rights and the doors, without a
//! server.

use crate::osdp_desk::{card, card_order, key, peer};
use crate::osdp_wire::{Wire, pass};
use crate::peer::{PATIENCE, Peer};
use klinke_access::decide::{HolderClass, SiteMode};
use klinke_access::snapshot::{
    Credential, DoorPlan, DoorRight, HashKey, Holder, PersonTag, Plan, State, build, compile,
};
use klinke_controller::doors::enrolling::Wish;
use klinke_controller::doors::entry::{Entry, ReaderAt};
use klinke_controller::doors::{self, Doors, Request};
use klinke_controller::hardware;
use klinke_controller::kept::Kept;
use klinke_controller::output::{Answer, Board, OutputError};
use klinke_controller::reader::keys::{KnownReader, ReaderFolder};
use klinke_controller::reader::osdp::Identity;
use klinke_controller::reader::wired;
use klinke_model::credential::{CredentialKey, CredentialTier};
use klinke_model::door::{DoorKind, DoorPosition, DoorTimes};
use klinke_model::ids::{BootId, ControllerId, DoorId, ReadingId, v4};
use klinke_model::schedule::HolidayCalendar;
use klinke_model::time::{Clock, SystemClock, Timestamp};
use klinke_wire::controller::{ControllerRequest, Wanted, WantedDoor};
use klinke_wire::enrolment::ReaderKind;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

const CARD: u16 = 7;
const CODE: &str = "407199";
const RED: u8 = 1;
const GREEN: u8 = 2;
const BLUE: u8 = 4;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Move {
    Release(u16),
    Lock(u16),
}

/// Outputs that tell what they were told.
struct TellingBoard(u16, mpsc::UnboundedSender<Move>);

impl Board for TellingBoard {
    fn outputs(&self) -> u16 {
        self.0
    }
    fn release(&mut self, output: u16, _lease: Duration) -> Result<Answer, OutputError> {
        self.1.send(Move::Release(output)).unwrap();
        Ok(Answer::Done)
    }
    fn lock(&mut self, output: u16) -> Result<Answer, OutputError> {
        // at the end of a test nobody listens any more
        let _ = self.1.send(Move::Lock(output));
        Ok(Answer::Done)
    }
    fn position(&self, _output: u16) -> DoorPosition {
        DoorPosition::Closed
    }
}

/// A controller with readers on one line, one at each output, and rights of somebody with a card and a code.
struct Entrance {
    readers: Vec<Peer>,
    moves: mpsc::UnboundedReceiver<Move>,
    requests: mpsc::Sender<Request>,
    clock: Arc<dyn Clock>,
    _tasks: JoinSet<()>,
    _folder: TempDir,
    _wire: Wire,
}

fn door(output: u16) -> DoorId {
    DoorId(v4([u8::try_from(output).unwrap() + 1; 16]))
}

const TIMES: DoorTimes = DoorTimes {
    release_ms: 1_000,
    extended_release_ms: 1_000,
    open_ms: 5_000,
    relock: klinke_model::door::Relock::OnClose,
};

fn rights(doors: u16, now: Timestamp) -> Request {
    let hash_key = HashKey([7; 32]);
    let plan = |output| DoorPlan {
        door: door(output),
        times: TIMES,
        refuses_copyable: false,
        two_people_within_s: None,
        after: None,
        airlock: None,
        unlocked: None,
        first_person_in: false,
    };
    let right = DoorRight { doors: (1 << doors) - 1, schedule: None, from: None, until: None };
    let credential = |key: &CredentialKey| Credential {
        hash: hash_key.credential(key),
        holder: 0,
        state: State::Active,
        tier: CredentialTier::Proven,
        once: false,
        duress: false,
        from_s: None,
        until_s: None,
    };
    let (manifest, shards) = build(&Plan {
        controller: ControllerId(v4([9; 16])),
        revision: 1,
        issued: now,
        key: hash_key,
        zone: "Europe/Oslo".into(),
        holidays: HolidayCalendar::None,
        records: None,
        site_mode: SiteMode::Normal,
        doors: (0..doors).map(plan).collect(),
        schedules: vec![],
        holders: vec![Holder {
            person: PersonTag(1),
            active: true,
            class: HolderClass::Resident,
            needs_longer: false,
            rights: vec![right],
        }],
        credentials: vec![credential(&card(CARD)), credential(&CredentialKey::code(CODE).unwrap())],
    });
    Request::Rights(Box::new(compile(manifest, &shards).unwrap()))
}

impl Entrance {
    /// Doors with a reader at each.
    async fn open(count: u16) -> Self {
        Self::wired(count, &[]).await
    }

    /// One reader in the car of a lift, for these floors.
    async fn lift(floors: &[u16]) -> Self {
        Self::wired(1, floors).await
    }

    async fn wired(count: u16, floors: &[u16]) -> Self {
        let wire = Wire::open(pass).await;
        let folder = tempfile::tempdir().unwrap();
        let keys = ReaderFolder::new(folder.path().join("readers"));
        let mut text = String::new();
        let mut readers = Vec::new();
        for number in 0..count {
            let own = key();
            let identity = Identity { vendor: [0x0C, 0x0B, 0x0A], serial: 1_000 + u32::from(number) };
            let known = KnownReader { key: Some(own.clone()), identity };
            keys.keep(number, &known).unwrap();
            readers.push(Peer::start("osdp_reader.py", &peer(number, &wire.readers(), Some(&own))).await);
            let place =
                if floors.is_empty() { format!("output = {number}") } else { format!("floors = {floors:?}") };
            text += &format!(
                "[[output]]\nnumber = {number}\nlock = \"fail_secure\"\non.modbus_tcp = {{ host = \"127.0.0.1\", \
                 unit = 1, coil = {number}, ends_by = \"waveshare_flash\" }}\n\
                 [[reader]]\nnumber = {number}\n{place}\nkeypad = true\n\
                 on.osdp = {{ device = \"{}\", baud = 115200, address = {} }}\n",
                wire.panel().display(),
                number + 1
            );
        }
        let locks = count.max(u16::try_from(floors.len()).unwrap());
        for number in count..locks {
            text += &format!(
                "[[output]]\nnumber = {number}\nlock = \"fail_secure\"\non.modbus_tcp = {{ host = \"127.0.0.1\", \
                 unit = 1, coil = {number}, ends_by = \"waveshare_flash\" }}\n"
            );
        }
        let file = folder.path().join("hardware.toml");
        std::fs::write(&file, text).unwrap();
        let hardware = hardware::read(&file).unwrap();

        let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
        let (moved, mut moves) = mpsc::unbounded_channel();
        let doors = Doors::start(BootId(v4([1; 16])), Box::new(TellingBoard(locks, moved))).unwrap();
        let (inputs, inputs_receiver) = mpsc::channel(64);
        let (requests, receiver) = mpsc::channel(8);
        let posts: Vec<_> =
            (0..count).map(|number| ReaderAt { reader: number, output: number, has_keypad: true }).collect();
        let kept = Kept::open(&folder.path().join("kept")).unwrap();
        let entry = Entry::new(kept, &posts, clock.now(), clock.mono()).in_lift(0, floors);
        let kind = if floors.is_empty() { DoorKind::Door } else { DoorKind::Floor };
        let lamps = wired::start(&hardware, &keys, &inputs, &clock).unwrap();
        let doors = doors.with_entry(entry, lamps).with_readers(hardware.reader_reports());
        let wanted = (0..locks)
            .map(|output| WantedDoor { door: door(output), output, times: TIMES, held: None, kind })
            .collect();
        requests.send(Request::Configure(Wanted { revision: 1, doors: wanted })).await.unwrap();
        requests.send(rights(locks, clock.now())).await.unwrap();
        let ((_, answers), stop) = (mpsc::channel(1), CancellationToken::new());
        let mut tasks = JoinSet::new();
        tasks.spawn(doors::run(doors, Arc::clone(&clock), receiver, inputs_receiver, answers, stop));
        // at the start, and when the door is driven
        for _ in 0..2 * locks {
            assert!(matches!(moves.recv().await, Some(Move::Lock(_))));
        }
        let mut entrance =
            Self { readers, moves, requests, clock, _tasks: tasks, _folder: folder, _wire: wire };
        for number in 0..count {
            entrance.online(number).await;
        }
        entrance
    }

    /// Waits until a reader is in its Secure Channel: only then is it shown anything.
    async fn online(&mut self, number: u16) {
        let start = Instant::now();
        while !self.is_refused_at(number).await {
            assert!(start.elapsed() < PATIENCE, "reader {number} never came online");
        }
        // what was held to it before it was online is answered too
        self.readers[usize::from(number)].rest().await;
    }

    /// Holds an unknown card; whether the reader shows red within a moment.
    async fn is_refused_at(&mut self, number: u16) -> bool {
        let reader = &mut self.readers[usize::from(number)];
        reader.order(&card_order(99)).await;
        let red = reader.until(|line| shows(line, RED));
        timeout(Duration::from_millis(500), red).await.is_ok()
    }

    async fn moved(&mut self) -> Move {
        timeout(PATIENCE, self.moves.recv()).await.expect("nothing moves").unwrap()
    }

    async fn shows(&mut self, number: u16, color: u8) {
        self.readers[usize::from(number)].until(|line| shows(line, color)).await;
    }
}

fn shows(line: &Value, color: u8) -> bool {
    line["told"] == "lamp" && line["on_color"] == json!(color)
}

#[tokio::test]
async fn a_card_or_a_code_opens_the_door_another_card_does_not_and_a_lost_reader_moves_nothing() {
    let mut entrance = Entrance::open(1).await;
    entrance.readers[0].order(&card_order(CARD)).await;
    assert_eq!(entrance.moved().await, Move::Release(0));
    entrance.shows(0, GREEN).await;
    assert_eq!(entrance.moved().await, Move::Lock(0), "by itself");

    assert!(entrance.is_refused_at(0).await);
    entrance.readers[0].order(&json!({"keys": "407198#"})).await;
    entrance.shows(0, RED).await;
    // a code after a wrong one waits a second
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    entrance.readers[0].order(&json!({"keys": format!("{CODE}#")})).await;
    assert_eq!(entrance.moved().await, Move::Release(0), "and nothing before it");
    entrance.shows(0, GREEN).await;
    assert_eq!(entrance.moved().await, Move::Lock(0));

    // the reader is torn off, and everything of it with it
    entrance.readers.pop().unwrap().kill().await;
    let silent = timeout(Duration::from_secs(10), entrance.moves.recv()).await;
    assert!(silent.is_err(), "{silent:?}");
    entrance.requests.send(Request::Time { server: SystemClock::start().now(), newest: None }).await.unwrap();
}

#[tokio::test]
async fn a_card_is_read_to_be_given_to_somebody_and_the_reader_shows_that_it_waits() {
    let mut entrance = Entrance::open(1).await;
    let (sender, attached) = oneshot::channel();
    entrance.requests.send(Request::Attach(sender)).await.unwrap();
    let attached = attached.await.unwrap();
    let readers: Vec<_> = attached.readers.iter().map(|told| (told.reader, told.output, told.kind)).collect();
    assert_eq!(readers, [(0, Some(0), ReaderKind::Osdp)]);
    let mut reports = attached.reports;
    let reading = |byte| ReadingId(v4([byte; 16]));
    let wish = |entrance: &Entrance, byte, ms| {
        let until = entrance.clock.mono() + Duration::from_millis(ms);
        Request::Enrol(Wish { boot: BootId(v4([1; 16])), reading: reading(byte), reader: 0, until })
    };
    entrance.requests.send(wish(&entrance, 1, 60_000)).await.unwrap();
    entrance.shows(0, BLUE).await;
    // one that would open
    entrance.readers[0].order(&card_order(CARD)).await;
    let told = timeout(PATIENCE, reports.recv()).await.unwrap().unwrap();
    assert_eq!(told, ControllerRequest::Enrolled { reading: reading(1), key: card(CARD) });
    entrance.shows(0, BLUE).await;
    // nothing has moved when the next one is judged
    entrance.readers[0].order(&card_order(CARD)).await;
    assert_eq!(entrance.moved().await, Move::Release(0));
    entrance.shows(0, GREEN).await;
    assert_eq!(entrance.moved().await, Move::Lock(0));

    // nobody comes in time
    entrance.requests.send(wish(&entrance, 2, 300)).await.unwrap();
    entrance.shows(0, BLUE).await;
    entrance.readers[0].until(|line| line["told"] == "lamp" && line["temporary"] == json!(true)).await;
    entrance.readers[0].order(&card_order(CARD)).await;
    assert_eq!(entrance.moved().await, Move::Release(0));
    while let Ok(told) = reports.try_recv() {
        assert!(!matches!(told, ControllerRequest::Enrolled { .. }), "{told:?}");
    }
}

#[tokio::test]
async fn a_card_in_a_lift_enables_its_floors_in_one_step_and_is_answered_once() {
    let mut lift = Entrance::lift(&[0, 1, 2]).await;
    lift.readers[0].order(&card_order(CARD)).await;
    for floor in [0, 1, 2] {
        assert_eq!(lift.moved().await, Move::Release(floor));
    }
    lift.shows(0, GREEN).await;
    for floor in [0, 1, 2] {
        assert_eq!(lift.moved().await, Move::Lock(floor), "by itself");
    }
    assert!(lift.is_refused_at(0).await, "another card");
}

/// From the order to the peer's reader until an output is told, decision and all: four readers on one line at 115,200
/// baud, as many cards as `KLINKE_CARDS` says. Prints one line of JSON; `./bench card-to-output` runs it as released.
/// Includes the peer's Python, its 2 ms turns and two pipes.
#[tokio::test]
async fn card_to_output() {
    let cards = std::env::var("KLINKE_CARDS").map_or(40, |cards| cards.parse().unwrap());
    let mut entrance = Entrance::open(4).await;
    let mut times = Vec::new();
    for turn in 0..cards {
        let number = u16::try_from(turn % 4).unwrap();
        // readers are not in step with the cards
        tokio::time::sleep(Duration::from_millis(10 + turn * 7 % 31)).await;
        let start = Instant::now();
        entrance.readers[usize::from(number)].order(&card_order(CARD)).await;
        while entrance.moved().await != Move::Release(number) {}
        times.push(start.elapsed().as_secs_f64() * 1_000.0);
        entrance.shows(number, GREEN).await;
    }
    times.sort_by(f64::total_cmp);
    let rank = |percent: usize| times[(times.len() * percent).div_ceil(100) - 1];
    println!("{}", json!({"ms": {"p50": rank(50), "p99": rank(99)}, "cards": cards, "readers": 4}));
    assert!(rank(50) < 200.0, "polls do not take turns");
}
