//! One history.

use super::dice::Dice;
use super::locks::{LOCKS, Locks};
use klinke_access::open_command::OpenCommand;
use klinke_controller::doors::{Doors, Request};
use klinke_controller::input::{Contact, InputEvent};
use klinke_model::door::{DoorPosition, DoorTimes, Relock};
use klinke_model::ids::{BootId, ControllerId, DoorId, OpeningId, v4};
use klinke_model::time::Mono;
use klinke_server::doors::links::{Links, Order};
use klinke_wire::controller::{ControllerEvent, ControllerRequest, Outcome, Wanted, WantedDoor};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// How long it goes wrong, ms; after that all is well.
const BAD_TIME: u64 = 120_000;
/// A tap is worth this long.
const LIFE: u64 = 5_000;
const HOLD: u64 = 4_000;
const HEARTBEAT: u64 = 5_000;
const TIMES: DoorTimes =
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
}

/// What came of it.
#[derive(Debug, PartialEq, Eq)]
pub struct Seen {
    pub taps: usize,
    pub opened: usize,
    pub refused: usize,
    end: u64,
}

struct Controller {
    doors: Doors,
    boot: BootId,
    /// True time at its clock's origin.
    origin: u64,
    reports: mpsc::Receiver<ControllerRequest>,
    revision: u64,
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
}

fn id() -> ControllerId {
    ControllerId(v4([1; 16]))
}
fn door(lock: u16) -> DoorId {
    DoorId(v4([u8::try_from(lock).unwrap() + 10; 16]))
}
fn wanted(revision: u64) -> Wanted {
    let doors = (0..LOCKS)
        .map(|output| WantedDoor { door: door(output), output, times: TIMES, held: None })
        .collect();
    Wanted { revision, doors }
}

impl World {
    pub fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let drift = i64::try_from(dice.between(0, 400)).unwrap() - 200;
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
        self.run_until(self.now + 60_000);
        let wall = self.locks.wall();
        assert!((0..LOCKS).all(|lock| !wall.is_released(lock)), "seed {}: never locked", self.seed);
        drop(wall);
        let opened = self.taps.values().filter(|tap| tap.told_open).count();
        Seen { taps: self.taps.len(), opened, refused: self.refused.len(), end: self.dice.throw() }
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
                self.controller = None;
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
            _ => unreachable!("the server sends nothing else here"),
        }
    }

    fn up(&mut self, connection: u64, request: &ControllerRequest) {
        if self.connection.as_ref().is_none_or(|(current, _)| *current != connection) {
            return;
        }
        match request {
            ControllerRequest::Heartbeat { mono } => self.links.heard(id(), *mono, self.server_mono()),
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
        let Ok(mut doors) = Doors::start(boot, Box::new(self.locks.clone())) else {
            // a lock that does not lock: the process ends, and is started again
            self.after(1_000, Event::PowerOn);
            return;
        };
        let wall = self.locks.wall();
        assert!((0..LOCKS).all(|lock| !wall.is_released(lock)), "seed {}: a start did not lock", self.seed);
        drop(wall);
        let (attach, mut attached) = oneshot::channel();
        doors.handle(Request::Attach(attach), Mono::from_millis(0));
        let reports = attached.try_recv().unwrap().reports;
        doors.handle(Request::Configure(wanted(1)), Mono::from_millis(0));
        self.controller = Some(Controller { doors, boot, origin: self.now, reports, revision: 0 });
    }

    fn link_up(&mut self) {
        let Some(controller) = &self.controller else { return };
        let (boot, mono) = (controller.boot, self.mono(controller));
        let (number, orders) = self.links.connect(id(), boot, mono, self.server_mono());
        self.connection = Some((number, orders));
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

    /// What must hold.
    fn check(&mut self) {
        let wall = self.locks.wall();
        let new = wall.releases[self.checked..].to_vec();
        for release in &new {
            let seed = self.seed;
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
