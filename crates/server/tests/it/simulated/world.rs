//! One history.

use super::cards::{self, CARDS, GUEST, LOST, ONCE, RESIDENT, Truth};
use super::dice::Dice;
use super::locks::{LOCKS, Locks};
use super::uses::{Running, Uses, UsesSeen};
use klinke_access::open_command::OpenCommand;
use klinke_access::snapshot::Rights;
use klinke_controller::doors::entry::{Entry, ReaderAt};
use klinke_controller::doors::{Doors, Request};
use klinke_controller::input::{Contact, InputEvent};
use klinke_controller::kept::{Kept, Moment};
use klinke_controller::reader::wired::Lamps;
use klinke_controller::reader::{ReaderEvent, Reading};
use klinke_model::door::{DoorKind, DoorPosition, DoorTimes, Relock};
use klinke_model::ids::{BootId, ControllerId, DoorId, JournalId, OpeningId, v4};
use klinke_model::time::{Mono, Timestamp};
use klinke_server::doors::links::{Links, Order};
use klinke_wire::controller::{ControllerEvent, ControllerRequest, Outcome, Wanted, WantedDoor};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet};
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::{mpsc, oneshot};

/// How long it goes wrong, ms; after that all is well.
const BAD_TIME: u64 = 120_000;
/// A tap is worth this long.
const LIFE: u64 = 5_000;
const HOLD: u64 = 4_000;
const HEARTBEAT: u64 = 5_000;
pub const TIMES: DoorTimes =
    DoorTimes { release_ms: 4_000, extended_release_ms: 8_000, open_ms: 20_000, relock: Relock::OnClose };

/// What happens.
#[derive(Debug)]
enum Event {
    Tap(u16),
    /// To the controller, over whatever connection.
    Down(ControllerEvent),
    /// To the server, over the connection of this number.
    Up(u64, ControllerRequest),
    Heartbeat,
    LinkUp,
    LinkDown,
    PowerCut,
    PowerOn,
    Leaf(u16, DoorPosition),
    Break(bool),
    /// Somebody sends a configuration of this revision.
    Configuration(u64),
    /// The controller wanted to be woken.
    Wake,
    /// A card is held to the reader beside a lock.
    Present(u16, usize),
    /// What is true changes.
    Truth(Truth),
    /// Rights of this revision reach the controller.
    Rights(u64),
    /// What the server said that the time is, over the connection of this number.
    Time(u64, Timestamp),
    /// The controller keeps the moment.
    Keep,
}

/// What came of cards.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CardsSeen {
    /// Let in, by card.
    pub opened: [usize; CARDS],
    /// Refused, by card.
    pub refused: [usize; CARDS],
    /// With the link cut.
    pub alone: usize,
    /// Refused only because the clock is not believed.
    pub by_clock: usize,
    /// The server has counted what opens once, and heard it again afterwards.
    pub counted: usize,
    pub told_again: usize,
}

impl CardsSeen {
    pub fn add(&mut self, other: &Self) {
        for card in 0..CARDS {
            self.opened[card] += other.opened[card];
            self.refused[card] += other.refused[card];
        }
        self.alone += other.alone;
        self.by_clock += other.by_clock;
        self.counted += other.counted;
        self.told_again += other.told_again;
    }

    /// Whether all that could go wrong was tried.
    pub fn happened(&self) -> bool {
        let used = [RESIDENT, LOST, GUEST, ONCE].iter().all(|card| self.opened[*card] > 10);
        used && self.refused.iter().all(|count| *count > 10)
            && self.alone > 10
            && self.by_clock > 3
            && self.counted > 10
            && self.told_again > 3
    }
}

/// What came of it.
#[derive(Debug, PartialEq, Eq)]
pub struct Seen {
    pub taps: usize,
    pub opened: usize,
    pub refused: usize,
    pub cards: CardsSeen,
    pub uses: UsesSeen,
    end: u64,
}

struct Controller {
    doors: Doors,
    boot: BootId,
    /// True time at its clock's origin.
    origin: u64,
    reports: mpsc::Receiver<ControllerRequest>,
    revision: u64,
    journal: Running,
}

struct Tap {
    at: u64,
    lock: u16,
    told_open: bool,
}

pub struct World {
    seed: u64,
    dice: Dice,
    now: u64,
    events: BinaryHeap<Reverse<(u64, u64)>>,
    what: HashMap<u64, Event>,
    number: u64,
    locks: Locks,
    links: Links,
    controller: Option<Controller>,
    connection: Option<(u64, mpsc::Receiver<Order>)>,
    /// How much faster than true time the controller's clock goes, in parts of a million.
    drift: i64,
    taps: HashMap<OpeningId, Tap>,
    checked: usize,
    refused: HashSet<OpeningId>,
    /// When the controller is woken next.
    wake: Option<u64>,
    begin: u64,
    /// What was true at each revision of the rights; the last is so now.
    truths: Vec<Truth>,
    /// What is on the controller's disk.
    disk: TempDir,
    stored: Option<Rights>,
    /// The revision that is in force, or will be at the next start.
    held: u64,
    /// The server told the time since the controller began.
    told: bool,
    /// The moment that was kept, and where the machine's clock stood at the start.
    moment: Option<u64>,
    set_to: Timestamp,
    once_opened: usize,
    /// What opens once is used up: before its lock moves, so also by one that does not.
    once_spent: bool,
    seen: CardsSeen,
    /// Whether records of use are kept: never, always, or from time to time.
    records: Records,
    uses: Uses,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Records {
    Never,
    Always,
    Sometimes,
}

pub fn id() -> ControllerId {
    ControllerId(v4([1; 16]))
}
pub fn door(lock: u16) -> DoorId {
    DoorId(v4([u8::try_from(lock).unwrap() + 10; 16]))
}
fn wanted(revision: u64) -> Wanted {
    let doors = (0..LOCKS)
        .map(|output| WantedDoor {
            door: door(output),
            output,
            times: TIMES,
            held: None,
            kind: DoorKind::Door,
        })
        .collect();
    Wanted { revision, doors }
}

impl World {
    pub fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let drift = i64::try_from(dice.between(0, 400)).unwrap() - 200;
        let disk = tempfile::tempdir().unwrap();
        let records = match seed % 3 {
            0 => Records::Never,
            1 => Records::Always,
            _ => Records::Sometimes,
        };
        let truth = Truth { records: records == Records::Always, ..Truth::default() };
        Self {
            seed,
            dice,
            // the server has been up for a while
            now: 1_000_000,
            events: BinaryHeap::new(),
            what: HashMap::new(),
            number: 0,
            locks: Locks::default(),
            links: Links::default(),
            controller: None,
            connection: None,
            drift,
            taps: HashMap::new(),
            checked: 0,
            refused: HashSet::new(),
            wake: None,
            begin: 1_000_000,
            truths: vec![truth],
            uses: Uses::of(seed, disk.path()),
            records,
            disk,
            stored: None,
            held: 0,
            told: false,
            moment: None,
            set_to: cards::wall(0),
            once_opened: 0,
            once_spent: false,
            seen: CardsSeen::default(),
        }
    }

    pub fn live(mut self) -> Seen {
        let begin = self.now;
        self.power_on();
        self.link_up();
        self.after(HEARTBEAT, Event::Heartbeat);
        self.plan_bad_time();
        self.run_until(begin + BAD_TIME);

        // all is well: nobody breaks anything any more, and what was under way arrives or not
        self.locks.wall().is_broken = false;
        self.change(Truth { lost: true, emergency: false, records: self.records == Records::Always });
        if self.controller.is_none() {
            self.power_on();
        }
        self.link_down();
        self.link_up();
        self.run_until(self.now + 40_000);
        for lock in 0..LOCKS {
            let opening = self.tap(lock).expect("the link stands");
            self.drain();
            self.run_until(self.now + 1_000);
            assert!(self.taps[&opening].told_open, "seed {}: not open after a second", self.seed);
        }
        // what is true now is in force, and the guest's time is over
        assert_eq!(self.held, u64::try_from(self.truths.len()).unwrap(), "seed {}: old rights", self.seed);
        for card in 0..CARDS {
            self.present(0, card);
        }
        self.run_until(self.now + 60_000);
        let wall = self.locks.wall();
        assert!((0..LOCKS).all(|lock| !wall.is_released(lock)), "seed {}: never locked", self.seed);
        drop(wall);
        self.uses.all_told(&self.controller.as_ref().unwrap().journal);
        // an emergency that ends late may have brought them back
        if self.truths.last().is_some_and(|truth| !truth.records) {
            self.uses.nothing_on_disk();
        }
        let opened = self.taps.values().filter(|tap| tap.told_open).count();
        Seen {
            taps: self.taps.len(),
            opened,
            refused: self.refused.len(),
            cards: self.seen,
            uses: self.uses.seen,
            end: self.dice.throw(),
        }
    }

    fn plan_bad_time(&mut self) {
        for _ in 0..self.dice.between(5, 40) {
            let lock = u16::try_from(self.dice.between(0, u64::from(LOCKS))).unwrap();
            let at = self.dice.between(0, BAD_TIME);
            self.after(at, Event::Tap(lock));
        }
        for _ in 0..self.dice.between(0, 5) {
            let (at, off) = (self.dice.between(0, BAD_TIME), self.dice.between(1, 20_000));
            self.after(at, Event::LinkDown);
            self.after(at + off, Event::LinkUp);
        }
        for _ in 0..self.dice.between(0, 3) {
            let (at, off) = (self.dice.between(0, BAD_TIME), self.dice.between(1, 10_000));
            self.after(at, Event::PowerCut);
            self.after(at + off, Event::PowerOn);
            self.after(at + off + 500, Event::LinkUp);
        }
        for _ in 0..self.dice.between(0, 3) {
            let (at, off) = (self.dice.between(0, BAD_TIME), self.dice.between(1, 6_000));
            self.after(at, Event::Break(true));
            self.after(at + off, Event::Break(false));
        }
        for _ in 0..self.dice.between(5, 40) {
            let lock = u16::try_from(self.dice.between(0, u64::from(LOCKS))).unwrap();
            let card = usize::try_from(self.dice.between(0, CARDS as u64)).unwrap();
            let at = self.dice.between(0, BAD_TIME);
            self.after(at, Event::Present(lock, card));
        }
        for _ in 0..self.dice.between(0, 5) {
            let at = self.dice.between(0, BAD_TIME);
            let (lost, emergency) = (self.dice.in_hundred(50), self.dice.in_hundred(10));
            let records = match self.records {
                Records::Never => false,
                Records::Always => true,
                Records::Sometimes => self.dice.in_hundred(50),
            };
            let truth = Truth { lost, emergency, records };
            self.after(at, Event::Truth(truth));
            if truth.emergency {
                let lasts = self.dice.between(1, 10_000);
                self.after(at + lasts, Event::Truth(Truth { emergency: false, ..truth }));
            }
        }
        for _ in 0..self.dice.between(0, 3) {
            let at = self.dice.between(0, BAD_TIME);
            self.after(at, Event::Keep);
        }
        for _ in 0..self.dice.between(0, 4) {
            let (at, revision) = (self.dice.between(0, BAD_TIME), self.dice.between(1, 9));
            self.after(at, Event::Configuration(revision));
        }
    }

    fn after(&mut self, ms: u64, event: Event) {
        self.number += 1;
        self.events.push(Reverse((self.now + ms, self.number)));
        self.what.insert(self.number, event);
    }

    fn run_until(&mut self, end: u64) {
        while let Some(Reverse((at, number))) =
            self.events.peek().copied().filter(|Reverse((at, _))| *at <= end)
        {
            self.events.pop();
            self.pass_to(at);
            let event = self.what.remove(&number).unwrap();
            self.happen(event);
            self.drain();
            self.check();
        }
        self.pass_to(end);
        self.check();
    }

    fn pass_to(&mut self, at: u64) {
        self.now = at;
        self.locks.wall().now = at;
    }

    /// The controller's monotonic clock.
    fn mono(&self, controller: &Controller) -> Mono {
        let real = i64::try_from(self.now - controller.origin).unwrap();
        Mono::from_millis(u64::try_from(real + real * self.drift / 1_000_000).unwrap())
    }

    fn server_mono(&self) -> Mono {
        Mono::from_millis(self.now)
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Tap(lock) => {
                // without a link the tap is answered "offline" at once: nothing is kept for later
                self.tap(lock);
            }
            Event::Down(event) => self.down(&event),
            Event::Up(connection, request) => self.up(connection, &request),
            Event::Heartbeat => {
                self.heartbeat();
                self.after(HEARTBEAT, Event::Heartbeat);
            }
            Event::LinkUp => self.link_up(),
            Event::LinkDown => self.link_down(),
            Event::PowerCut => {
                if let Some(mut controller) = self.controller.take() {
                    let cut = self.dice.in_hundred(50).then(|| self.dice.throw());
                    self.uses.power_off(&mut controller.journal, cut);
                }
                self.link_down();
            }
            Event::PowerOn if self.controller.is_none() => self.power_on(),
            Event::PowerOn => {}
            Event::Leaf(lock, position) => {
                let contact = InputEvent::Contact(Contact { output: lock, position });
                self.with_controller(|doors, now| doors.input(contact, now));
            }
            Event::Break(is_broken) => self.locks.wall().is_broken = is_broken,
            Event::Configuration(revision) => {
                self.send(ControllerEvent::Configure { wanted: wanted(revision) });
            }
            Event::Present(lock, card) => self.present(lock, card),
            Event::Truth(truth) => self.change(truth),
            Event::Rights(revision) => self.take_rights(revision),
            Event::Time(connection, time) => {
                let is_there = self.connection.as_ref().is_some_and(|(current, _)| *current == connection);
                if is_there && self.controller.is_some() {
                    self.told = true;
                    let newest = u64::try_from(self.truths.len()).ok();
                    let told = Request::Time { server: time, newest };
                    self.with_controller(|doors, now| doors.handle(told, now));
                }
            }
            Event::Keep if self.controller.is_some() && self.told => {
                self.moment = Some(self.now);
                let clock = Kept::open(self.disk.path()).unwrap().clock().unwrap();
                clock.keep(Moment { at: cards::wall(self.now), confirmed: Some(cards::wall(self.now)) });
            }
            Event::Keep => {}
            Event::Wake => {
                self.wake = self.wake.filter(|wake| *wake > self.now);
                self.with_controller(Doors::tick);
            }
        }
    }

    fn tap(&mut self, lock: u16) -> Option<OpeningId> {
        let opening = OpeningId(v4(self.dice.bytes()));
        let hold = Duration::from_millis(HOLD);
        self.links.open(id(), opening, door(lock), hold, self.server_mono()).ok()?;
        self.taps.insert(opening, Tap { at: self.now, lock, told_open: false });
        Some(opening)
    }

    fn with_controller(&mut self, act: impl FnOnce(&mut Doors, Mono)) {
        let Some(mut controller) = self.controller.take() else { return };
        let now = self.mono(&controller);
        act(&mut controller.doors, now);
        self.controller = Some(controller);
    }

    fn down(&mut self, event: &ControllerEvent) {
        match event {
            ControllerEvent::Open { boot, opening, door, hold_ms, not_after } => {
                let command = OpenCommand {
                    boot: *boot,
                    opening: *opening,
                    door: *door,
                    hold_ms: *hold_ms,
                    not_after: *not_after,
                };
                self.locks.wall().carrying_out = Some(*opening);
                self.with_controller(|doors, now| doors.handle(Request::Open(command), now));
                self.locks.wall().carrying_out = None;
            }
            ControllerEvent::Configure { wanted } => {
                let wanted = wanted.clone();
                self.with_controller(|doors, now| doors.handle(Request::Configure(wanted), now));
            }
            ControllerEvent::NotedUsed { credentials } => {
                let credentials = credentials.clone();
                self.with_controller(|doors, now| {
                    doors.handle(Request::NotedUsed(credentials), now);
                });
            }
            ControllerEvent::Noted { journal, seq } => {
                if let Some(Controller { journal: running, .. }) = &mut self.controller {
                    running.journal.noted(*journal, *seq);
                    running.is_telling = false;
                }
            }
            _ => unreachable!("the server sends nothing else here"),
        }
    }

    fn up(&mut self, connection: u64, request: &ControllerRequest) {
        if self.connection.as_ref().is_none_or(|(current, _)| *current != connection) {
            return;
        }
        match request {
            ControllerRequest::Heartbeat { mono } => {
                self.links.heard(id(), *mono, self.server_mono());
                let late = self.delay();
                self.after(late, Event::Time(connection, cards::wall(self.now)));
                self.offer();
            }
            ControllerRequest::Outcome { mono, opening, outcome } => {
                self.links.heard(id(), *mono, self.server_mono());
                self.links.outcome(*opening, *outcome);
                if matches!(outcome, Outcome::Opened { .. }) {
                    let was = self.locks.wall().releases.iter().any(|one| one.opening == Some(*opening));
                    assert!(was, "seed {}: told open, and was not", self.seed);
                    self.taps.get_mut(opening).unwrap().told_open = true;
                } else {
                    self.refused.insert(*opening);
                }
            }
            ControllerRequest::Used { credentials } => {
                assert_eq!(*credentials, [cards::once()], "seed {}: what does not open once", self.seed);
                assert!(self.once_spent, "seed {}: told of what was never used up", self.seed);
                // counted once, however often it comes
                if self.seen.counted == 0 {
                    self.seen.counted = 1;
                } else {
                    self.seen.told_again += 1;
                }
                self.send(ControllerEvent::NotedUsed { credentials: credentials.clone() });
            }
            ControllerRequest::News { journal, entries } => {
                let seq = self.uses.taken(*journal, entries);
                self.send(ControllerEvent::Noted { journal: *journal, seq });
            }
            _ => {}
        }
    }

    fn heartbeat(&mut self) {
        let Some(controller) = &self.controller else { return };
        let mono = self.mono(controller);
        self.say(ControllerRequest::Heartbeat { mono });
    }

    /// The controller says something: it arrives in its turn on this connection, late, or never.
    fn say(&mut self, request: ControllerRequest) {
        let Some((connection, _)) = &self.connection else { return };
        let connection = *connection;
        let late = self.delay();
        self.after(late, Event::Up(connection, request));
    }

    /// The server sends something. Lost, late, overtaken, repeated: on a real link TLS over TCP forbids most of it, and
    /// the controller must not need that.
    fn send(&mut self, event: ControllerEvent) {
        let is_bad = self.now < 1_000_000 + BAD_TIME;
        if is_bad && self.dice.in_hundred(5) {
            return;
        }
        if is_bad && self.dice.in_hundred(20) {
            let late = self.dice.between(1, 30_000);
            self.after(late, Event::Down(event.clone()));
        }
        let late = self.delay();
        self.after(late, Event::Down(event));
    }

    fn change(&mut self, truth: Truth) {
        self.truths.push(truth);
        self.offer();
    }

    /// The server offers what is true, when the controller does not hold it: lost, late, or twice.
    fn offer(&mut self) {
        let newest = u64::try_from(self.truths.len()).unwrap();
        if self.connection.is_none() || self.held == newest {
            return;
        }
        let is_bad = self.now < self.begin + BAD_TIME;
        if is_bad && self.dice.in_hundred(20) {
            let late = self.dice.between(1, 30_000);
            self.after(late, Event::Rights(newest));
        }
        if !(is_bad && self.dice.in_hundred(20)) {
            let late = self.delay();
            self.after(late, Event::Rights(newest));
        }
    }

    /// Rights come to the doors; older ones must do nothing.
    fn take_rights(&mut self, revision: u64) {
        if self.controller.is_none() {
            return;
        }
        let truth = self.truths[usize::try_from(revision).unwrap() - 1];
        let rights = cards::rights(revision, self.begin, self.now, truth);
        if revision >= self.held {
            self.held = revision;
            self.stored = Some(rights.clone());
        }
        self.with_controller(|doors, now| doors.handle(Request::Rights(Box::new(rights)), now));
        if revision == self.held && !truth.records {
            let Self { controller: Some(controller), uses, .. } = self else { return };
            uses.ended(&mut controller.journal);
        }
    }

    /// Somebody holds a card to a reader, and it is right what happens.
    fn present(&mut self, lock: u16, card: usize) {
        if self.controller.is_none() {
            return;
        }
        let before = self.locks.wall().releases.len();
        self.locks.wall().presented = Some(card);
        let event = ReaderEvent { reader: lock, what: Reading::Card(cards::key(card)) };
        self.with_controller(|doors, now| doors.input(InputEvent::Reader(event), now));
        self.locks.wall().presented = None;
        let (seed, now) = (self.seed, self.now);
        let opened = self.locks.wall().releases.len() > before;
        let held = self.held.checked_sub(1).map(|at| self.truths[usize::try_from(at).unwrap()]);
        let may = held.is_some_and(|truth| truth.opens(card, lock));
        let is_kept = held.is_some_and(|truth| truth.records);
        if let Some(controller) = &self.controller {
            self.uses.presented(&controller.journal, is_kept, lock, card, opened);
        }
        let is_broken = self.locks.wall().is_broken;
        // a clock is believed when the server told it, or when it was kept and goes on from there
        let kept = self.moment.map(cards::wall);
        let goes_on = kept.is_some_and(|kept| {
            let away = self.set_to.as_millis() - kept.as_millis();
            (-10_000..=400 * 86_400_000).contains(&away)
        });
        let is_believed = self.told || goes_on;
        let expected = match card {
            GUEST => {
                let over = cards::ends(self.begin);
                // what a late word of the server, or a clock that goes on from where it was set, may be wrong
                let slack = 25_000;
                let sure = self.told && now + slack < over;
                assert!(
                    !opened || now < over + slack,
                    "seed {seed}: a guest is let in {} ms late",
                    now - over
                );
                assert!(!opened || is_believed, "seed {seed}: by a clock that nobody believes");
                self.seen.by_clock += usize::from(may && !is_believed && now < over);
                may && (sure || opened)
            }
            ONCE => may && self.once_opened == 0,
            _ => may,
        };
        self.once_spent |= card == ONCE && may && (opened || is_broken);
        if card == ONCE && opened {
            self.once_opened += 1;
            assert_eq!(self.once_opened, 1, "seed {seed}: opened twice");
        }
        assert!(
            !opened || expected,
            "seed {seed}: card {card} opened lock {lock} at {now} against the rights"
        );
        assert!(
            opened || !expected || is_broken || card == ONCE,
            "seed {seed}: card {card} did not open lock {lock} at {now}"
        );
        let counts = if opened { &mut self.seen.opened } else { &mut self.seen.refused };
        counts[card] += 1;
        self.seen.alone += usize::from(opened && self.connection.is_none());
    }

    fn delay(&mut self) -> u64 {
        let is_bad = self.now < 1_000_000 + BAD_TIME;
        if is_bad && self.dice.in_hundred(20) {
            self.dice.between(500, 9_000)
        } else {
            self.dice.between(1, 60)
        }
    }

    fn power_on(&mut self) {
        let boot = BootId(v4(self.dice.bytes()));
        let Ok(doors) = Doors::start(boot, Box::new(self.locks.clone())) else {
            // a lock that does not lock: the process ends, and is started again
            self.after(1_000, Event::PowerOn);
            return;
        };
        let wall = self.locks.wall();
        assert!((0..LOCKS).all(|lock| !wall.is_released(lock)), "seed {}: a start did not lock", self.seed);
        drop(wall);
        let honest = cards::wall(self.now).as_millis();
        self.set_to = Timestamp::from_millis(match self.dice.between(0, 6) {
            0 => honest - 86_400_000,
            1 => honest + 3_652 * 86_400_000,
            2 => 0,
            _ => honest,
        });
        self.told = false;
        let posts: Vec<_> =
            (0..LOCKS).map(|lock| ReaderAt { reader: lock, output: lock, has_keypad: false }).collect();
        let kept = Kept::open(self.disk.path()).unwrap();
        let entry = Entry::new(kept, &posts, self.set_to, Mono::from_millis(0));
        let journal = self.uses.power_on(JournalId(v4(self.dice.bytes())));
        let doors = doors.with_entry(entry, Lamps::default());
        let mut doors = doors.with_journal(journal.journal.clone(), Mono::from_millis(0));
        // what is kept is in force before the first dial
        doors.handle(Request::Configure(wanted(1)), Mono::from_millis(0));
        if let Some(stored) = self.stored.clone() {
            doors.handle(Request::Rights(Box::new(stored)), Mono::from_millis(0));
        }
        let (attach, mut attached) = oneshot::channel();
        doors.handle(Request::Attach(attach), Mono::from_millis(0));
        let reports = attached.try_recv().unwrap().reports;
        self.controller = Some(Controller { doors, boot, origin: self.now, reports, revision: 0, journal });
    }

    fn link_up(&mut self) {
        let Some(controller) = &self.controller else { return };
        let (boot, mono) = (controller.boot, self.mono(controller));
        let (number, orders) = self.links.connect(id(), boot, mono, self.server_mono());
        self.connection = Some((number, orders));
        // as a link does before its hello
        let (attach, mut attached) = oneshot::channel();
        self.with_controller(|doors, now| doors.handle(Request::Attach(attach), now));
        if let Some(controller) = &mut self.controller {
            controller.reports = attached.try_recv().unwrap().reports;
            controller.journal.is_telling = false;
        }
    }

    fn link_down(&mut self) {
        if let Some((number, _)) = self.connection.take() {
            self.links.disconnect(id(), number);
        }
    }

    /// Carries on what the server and the controller have to say, and wakes the controller when it wants to be.
    fn drain(&mut self) {
        let mut orders = Vec::new();
        if let Some((_, waiting)) = &mut self.connection {
            while let Ok(order) = waiting.try_recv() {
                orders.push(order);
            }
        }
        for order in orders {
            if let Order::Send(event) = order {
                self.send(event);
            }
        }
        let mut said = Vec::new();
        if let Some(controller) = &mut self.controller {
            while let Ok(report) = controller.reports.try_recv() {
                if let ControllerRequest::Applied { revision } = report {
                    assert!(revision >= controller.revision, "seed {}: went back", self.seed);
                    controller.revision = revision;
                }
                said.push(report);
            }
        }
        for report in said {
            self.say(report);
        }
        self.keep_and_tell();
        if let Some(controller) = &self.controller
            && let Some(wake) = controller.doors.wakes_at()
        {
            // a millisecond more: a clock that goes slow is not asked again and again
            let left = u64::try_from(wake.since(self.mono(controller)).as_millis()).unwrap() + 1;
            if self.wake.is_none_or(|wake| self.now + left < wake) {
                self.wake = Some(self.now + left);
                self.after(left, Event::Wake);
            }
        }
    }

    /// The journal comes to the disk, sometimes late, and what is durable to the server, one batch at a time.
    fn keep_and_tell(&mut self) {
        let is_bad = self.now < self.begin + BAD_TIME;
        let is_slow = is_bad && self.dice.in_hundred(70);
        let Some(controller) = &mut self.controller else { return };
        if !is_slow {
            self.uses.write(&mut controller.journal);
        }
        if self.connection.is_some()
            && !controller.journal.is_telling
            && let Some(news) = controller.journal.journal.to_tell()
        {
            controller.journal.is_telling = true;
            self.say(news);
        }
    }

    /// What must hold.
    fn check(&mut self) {
        let wall = self.locks.wall();
        let new = wall.releases[self.checked..].to_vec();
        for release in &new {
            let seed = self.seed;
            if release.card.is_some() {
                // judged when it was presented
                continue;
            }
            let opening =
                release.opening.unwrap_or_else(|| panic!("seed {seed}: released for nobody: {release:?}"));
            let tap = &self.taps[&opening];
            assert_eq!(tap.lock, release.lock, "seed {seed}: another door");
            let late = release.at - tap.at;
            assert!(late <= LIFE, "seed {seed}: released {late} ms after the tap");
            let times = wall.releases.iter().filter(|one| one.opening == Some(opening)).count();
            assert_eq!(times, 1, "seed {seed}: released twice for one tap");
        }
        self.checked += new.len();
        for lock in 0..LOCKS {
            // a little over its time, where the controller's clock goes slower than the lock's
            let runs = |one: &super::locks::Release| {
                one.lock == lock && one.at <= wall.now && wall.now < one.at + HOLD + 10 && one.until > one.at
            };
            let may = !wall.is_released(lock) || wall.releases.iter().any(runs);
            assert!(may, "seed {}: released past its time", self.seed);
        }
        drop(wall);
        for release in new {
            // whoever was let in pulls the door, mostly, and lets it fall shut
            if self.dice.in_hundred(70) {
                let pulls = self.dice.between(200, 3_500);
                let passes = self.dice.between(300, 9_000);
                self.after(pulls, Event::Leaf(release.lock, DoorPosition::Open));
                self.after(pulls + passes, Event::Leaf(release.lock, DoorPosition::Closed));
            }
        }
    }
}
