//! All doors of this controller, in one place and one task.
//!
//! [`Doors`] is synchronous: every request is guarded, decided and carried out on the [`Board`] before the next one
//! is looked at. [`run`] is the task around it, and the only one that touches it.
//!
//! An output over a network answers later ([`crate::output::Answer::Later`]). Until it has said that it is released the door counts
//! as locked for everybody outside, and the opening is not answered; an output that fails, or says nothing within
//! [`ANSWER_LIMIT`], is an [`Input::OutputFault`] of its door alone. Nothing here waits for an output.
//!
//! Who stands at a door with a card or a code is judged here too ([`entry`]), in the same step as the lock is moved, by
//! rights that the link brought some time. The answer is shown at the reader when the output has given its own.
//!
//! What happens is told to the link that is attached, in order and without waiting: a link that does not keep up
//! is dropped and starts over with the whole state, a lock waits for nobody. Nothing in here knows whether a link
//! stands, so its loss or return cannot move a lock.

mod alarms;
mod driven;
pub mod enrolling;
pub mod entry;
mod keypad;
mod lift;
mod read;
mod uses;

use crate::input::{Contact, InputEvent, Level};
use crate::journal::Journal;
use crate::output::{ANSWER_LIMIT, Board, OutputError, OutputEvent};
use crate::reader::Feedback;
use crate::reader::wired::Lamps;
use alarms::Alarms;
use driven::{Asker, Driven};
use enrolling::{Enrolling, Wish};
use entry::{Entry, before};
use klinke_access::decide::Order;
use klinke_access::door_cycle::Input;
use klinke_access::open_command::{Guard, OpenCommand, Refusal};
use klinke_access::snapshot::Rights;
use klinke_model::alarm::AlarmKind;
use klinke_model::ids::{BootId, DoorId, ReadingId};
use klinke_model::news::Raised;
use klinke_model::time::{Clock, Mono, Timestamp};
use klinke_wire::controller::{
    ControllerRequest, DoorReport, OPEN_LIFE_MS, Outcome, OutcomeRefusal, UsedCredential, Wanted, WantedDoor,
};
use klinke_wire::enrolment::ReaderReport;
use lift::Rides;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use uses::Uses;

/// How many commands are remembered while they could still be valid: 200 a second, far over what doors can do.
const OPENINGS_REMEMBERED: usize = 1_024;

/// How many reports may wait for the link.
const REPORTS_WAITING: usize = 1_024;

/// How often the clock is kept, and the journal tidied.
const KEEP_CLOCK_EVERY: Duration = Duration::from_secs(600);

/// What the link asks of the doors.
#[derive(Debug)]
pub enum Request {
    /// A new link, in the place of any before: from now on reports go to it.
    Attach(oneshot::Sender<Attached>),
    /// Open a door, if the guard lets it through.
    Open(OpenCommand),
    /// Drive these doors from now on.
    Configure(Wanted),
    /// Decide by these rights from now on.
    Rights(Box<Rights>),
    /// The server told the time, over a link that proved itself, and perhaps which rights are the newest.
    Time {
        /// The time.
        server: Timestamp,
        /// The revision of the newest rights; none when the server did not look.
        newest: Option<u64>,
    },
    /// The next card at a reader is to be told and not judged.
    Enrol(Wish),
    /// Nobody waits for that card any more.
    EndEnrol(ReadingId),
    /// The server has noted that these opened once.
    NotedUsed(Vec<UsedCredential>),
}

/// What a new link gets.
#[derive(Debug)]
pub struct Attached {
    /// How every door is now.
    pub doors: Vec<DoorReport>,
    /// The readers there are.
    pub readers: Vec<ReaderReport>,
    /// What happens from now on. Ends when another link attaches or this one does not keep up.
    pub reports: mpsc::Receiver<ControllerRequest>,
}

/// All doors of this controller.
pub struct Doors {
    board: Box<dyn Board>,
    guard: Guard,
    revision: u64,
    driven: Vec<Driven>,
    /// The inputs on which there is fire now.
    fires: HashSet<u16>,
    reports: Reports,
    entry: Entry,
    enrolling: Enrolling,
}

impl Doors {
    /// Locks every output; no door is known before the first [`Request::Configure`].
    ///
    /// # Errors
    /// When an output does not lock. The process had better start over than go on.
    pub fn start(boot: BootId, mut board: Box<dyn Board>) -> Result<Self, OutputError> {
        for output in 0..board.outputs() {
            board.lock(output)?;
        }
        let guard = Guard::new(boot, Duration::from_millis(OPEN_LIFE_MS), OPENINGS_REMEMBERED);
        Ok(Self {
            board,
            guard,
            revision: 0,
            driven: Vec::new(),
            fires: HashSet::new(),
            reports: Reports::default(),
            entry: Entry::default(),
            enrolling: Enrolling::default(),
        })
    }

    /// With readers at them, and what was kept. Without, nobody is let in at a door itself.
    #[must_use]
    pub fn with_entry(self, entry: Entry, lamps: Lamps) -> Self {
        Self { entry, reports: Reports { lamps, ..self.reports }, ..self }
    }

    /// With a journal for what goes wrong. Without, it is kept nowhere. After [`Doors::with_entry`], whose clock it goes by.
    #[must_use]
    pub fn with_journal(self, journal: Journal, now: Mono) -> Self {
        let alarms = Alarms::with(journal.clone(), self.entry.clock(), now);
        Self { reports: Reports { alarms, journal, ..self.reports }, ..self }
    }

    /// Something went wrong that does not last: it is kept until the server knows.
    pub fn raise(&mut self, kind: AlarmKind, door: Option<DoorId>, part: Option<u16>, now: Mono) {
        self.reports.alarms.happened(Raised { kind, door, part }, now);
    }

    /// Takes one request of the link.
    pub fn handle(&mut self, request: Request, now: Mono) {
        match request {
            Request::Attach(link) => self.attach(link, now),
            Request::Open(command) => self.open(&command, now),
            Request::Configure(wanted) => self.configure(&wanted, now),
            Request::Rights(rights) => self.take_rights(*rights, now),
            Request::Time { server, newest } => self.take_time(server, newest, now),
            Request::Enrol(wish) => self.enrol(&wish, now),
            Request::EndEnrol(reading) => self.end_enrol(reading),
            Request::NotedUsed(credentials) => self.noted(&credentials),
        }
        self.note_uses(now);
    }

    /// Takes what a wire says.
    pub fn input(&mut self, event: InputEvent, now: Mono) {
        match event {
            InputEvent::Contact(contact) => self.contact(contact, now),
            InputEvent::ExitButton { output } => self.exit_button(output, now),
            InputEvent::Reader(event) => self.reading(&event, now),
            InputEvent::Tamper { input, level } => {
                warn!(input, ?level, "a tamper switch");
                // who cuts its line has opened the housing
                let level = if level == Level::Unknown { Level::Active } else { level };
                self.wire(AlarmKind::Tamper, input, level, now);
            }
            InputEvent::Mains { input, level } => {
                warn!(input, ?level, "the mains power");
                self.wire(AlarmKind::Mains, input, level, now);
            }
            InputEvent::Battery { input, level } => {
                warn!(input, ?level, "the battery");
                self.wire(AlarmKind::Battery, input, level, now);
            }
            InputEvent::Fire { input, level } => {
                warn!(input, ?level, "the fire alarm");
                self.wire(AlarmKind::Fire, input, level, now);
                self.fire(input, level, now);
            }
        }
        self.note_uses(now);
    }

    /// An alarm of a wire. One that is lost says neither that it began nor that it is over.
    fn wire(&mut self, kind: AlarmKind, input: u16, level: Level, now: Mono) {
        let alarm = Raised { kind, door: None, part: Some(input) };
        match level {
            Level::Active => self.reports.alarms.set(alarm, true, now),
            Level::Quiet => self.reports.alarms.set(alarm, false, now),
            Level::Unknown => {}
        }
    }

    /// The wire has released the locks already. A wire that is lost in a fire is taken for what it last said.
    fn fire(&mut self, input: u16, level: Level, now: Mono) {
        match level {
            Level::Active => self.fires.insert(input),
            Level::Quiet => self.fires.remove(&input),
            Level::Unknown => return,
        };
        self.all(Input::Fire(!self.fires.is_empty()), now);
    }

    /// Takes what an output over a network says.
    pub fn answered(&mut self, event: OutputEvent, now: Mono) {
        if let Some(driven) = self.driven.iter_mut().find(|driven| driven.output == event.output) {
            driven.answered(event, &mut *self.board, &mut self.reports, now);
        }
        self.note_uses(now);
    }

    /// Whether an output has not answered yet.
    pub fn is_waiting(&self) -> bool {
        self.driven.iter().any(|driven| driven.awaited.is_some())
    }

    fn exit_button(&mut self, output: u16, now: Mono) {
        if let Some(driven) = self.driven.iter_mut().find(|driven| driven.output == output) {
            let hold = driven.release.min(self.board.longest(output));
            driven.cycle.handle(Input::ExitButton { releases: Some(hold) }, now);
            driven.carry_out(&mut *self.board, &mut self.reports, None, now);
        }
    }

    /// Takes what a door contact says.
    fn contact(&mut self, contact: Contact, now: Mono) {
        if let Some(driven) = self.driven.iter_mut().find(|driven| driven.output == contact.output) {
            let went_through = driven.contact(contact.position, &mut *self.board, &mut self.reports, now);
            let door = driven.door;
            if went_through && let Some(place) = self.entry.place(door) {
                self.entry.order.passed(place, now);
            }
        }
    }

    /// Time has passed (the moment of [`Doors::wakes_at`]).
    pub fn tick(&mut self, now: Mono) {
        for driven in &mut self.driven {
            if let Some(awaited) = driven.awaited.filter(|awaited| awaited.until <= now) {
                let event = OutputEvent { output: driven.output, ticket: awaited.ticket, is_done: false };
                driven.answered(event, &mut *self.board, &mut self.reports, now);
            }
        }
        self.all(Input::Tick, now);
        if self.entry.hours_at.is_some_and(|at| at <= now) {
            self.keep_hours(now);
        }
        self.settle_keypads(now);
        self.reports.alarms.tick(now);
        self.look_at_windows(now);
        self.note_uses(now);
    }

    /// Locks everything: the process ends.
    pub fn lock_all(&mut self, now: Mono) {
        self.all(Input::Reset, now);
        self.note_uses(now);
    }

    /// When to call [`Doors::tick`] next.
    pub fn wakes_at(&self) -> Option<Mono> {
        let moments = |driven: &Driven| [driven.wakes_at, driven.awaited.map(|awaited| awaited.until)];
        let doors = self.driven.iter().flat_map(moments).flatten();
        let keypads = self.entry.posts.iter().filter_map(|post| post.keypad.as_ref()?.wakes_at());
        let chores = [self.reports.alarms.wakes_at(), self.enrolling.wakes_at()].into_iter().flatten();
        doors.chain(self.entry.hours_at).chain(keypads).chain(chores).min()
    }

    fn all(&mut self, input: Input, now: Mono) {
        for driven in &mut self.driven {
            driven.cycle.handle(input, now);
            driven.carry_out(&mut *self.board, &mut self.reports, None, now);
        }
    }

    fn attach(&mut self, link: oneshot::Sender<Attached>, now: Mono) {
        self.forget_windows();
        // before it is told what waits
        self.keep_records(now);
        let (sender, reports) = mpsc::channel(REPORTS_WAITING);
        self.reports.link = Some(sender);
        let doors = self.driven.iter().map(Driven::report).collect();
        let readers = self.enrolling.readers.clone();
        // a link that is gone again will not miss the answer
        let _ = link.send(Attached { doors, readers, reports });
        self.tell_used();
    }

    fn open(&mut self, command: &OpenCommand, now: Mono) {
        let driven = &mut self.driven;
        let is_known = |door| driven.iter().any(|driven| driven.door == door);
        match self.guard.admit(command, is_known, now) {
            Err(refusal) => self.reports.outcome(Asker::Link(command.opening), refused(refusal), now),
            Ok(hold) => {
                let asker = Asker::Link(command.opening);
                let states = |door| driven.iter().find(|driven| driven.door == door).map(Driven::secured);
                let place = self.entry.place(command.door);
                // the order of the doors holds whoever asks
                let order = place.map_or(Order::Kept, |place| self.entry.order_from_afar(place, states, now));
                if let Some(reason) = out_of_order(order) {
                    self.reports.outcome(asker, Outcome::Refused { reason }, now);
                } else if let Some(driven) = driven.iter_mut().find(|driven| driven.door == command.door) {
                    driven.let_in(asker, hold, &mut *self.board, &mut self.reports, now);
                }
            }
        }
    }

    fn configure(&mut self, wanted: &Wanted, now: Mono) {
        if wanted.revision < self.revision || !self.can_drive(&wanted.doors) {
            // the last good one stays in force, and the server sees that this one is not applied
            warn!(revision = wanted.revision, in_force = self.revision, "refused a configuration");
            return;
        }
        // an output is locked before another door takes it
        self.driven.retain_mut(|driven| {
            let stays =
                wanted.doors.iter().any(|door| (door.door, door.output) == (driven.door, driven.output));
            if !stays {
                driven.cycle.handle(Input::Reset, now);
                driven.carry_out(&mut *self.board, &mut self.reports, None, now);
            }
            stays
        });
        let mut added = Vec::new();
        for door in &wanted.doors {
            if let Some(driven) = self.driven.iter_mut().find(|driven| driven.door == door.door) {
                driven.cycle.handle(Input::Times(door.times), now);
                driven.wanted = door.held;
                driven.kind = door.kind;
                driven.hold(&*self.board, now);
                driven.release = door.times.hold(false);
                driven.carry_out(&mut *self.board, &mut self.reports, None, now);
            } else {
                let mut new = Driven::start(door, &mut *self.board, now);
                new.cycle.handle(Input::Fire(!self.fires.is_empty()), now);
                new.hold(&*self.board, now);
                new.carry_out(&mut *self.board, &mut Reports::default(), None, now);
                added.push(new);
            }
        }
        if wanted.revision != self.revision {
            info!(revision = wanted.revision, doors = wanted.doors.len(), "configured");
        }
        self.revision = wanted.revision;
        self.reports.say(ControllerRequest::Applied { revision: wanted.revision });
        for driven in &added {
            self.reports.say(ControllerRequest::Door { mono: now, door: driven.report() });
        }
        self.driven.append(&mut added);
        for driven in &mut self.driven {
            driven.alarms(&mut self.reports, now);
        }
        let driven = &self.driven;
        self.reports.alarms.keep_doors(|door| driven.iter().any(|driven| driven.door == door), now);
        self.restrict(now);
        self.keep_hours(now);
    }

    /// Whether each door has an output of its own that exists, and times in their ranges.
    fn can_drive(&self, doors: &[WantedDoor]) -> bool {
        let (mut ids, mut outputs) = (HashSet::new(), HashSet::new());
        doors.iter().all(|door| {
            ids.insert(door.door)
                && outputs.insert(door.output)
                && door.output < self.board.outputs()
                && door.times.is_valid()
        })
    }
}

/// The task that owns the doors, and keeps its clock. Ends, with every door locked, when `stop` is cancelled; an output that does not
/// answer holds the end up for [`ANSWER_LIMIT`] and no longer.
pub async fn run(
    mut doors: Doors,
    clock: Arc<dyn Clock>,
    mut requests: mpsc::Receiver<Request>,
    mut inputs: mpsc::Receiver<InputEvent>,
    mut outputs: mpsc::Receiver<OutputEvent>,
    stop: CancellationToken,
) {
    let mut keep_clock = tokio::time::interval(KEEP_CLOCK_EVERY);
    loop {
        let wakes_at = doors.wakes_at();
        let time_passes = async {
            match wakes_at {
                Some(at) => tokio::time::sleep(at.since(clock.mono())).await,
                None => std::future::pending().await,
            }
        };
        // in the order of urgency: no flood of requests keeps a lock from locking
        tokio::select! {
            biased;
            () = stop.cancelled() => break,
            () = time_passes => doors.tick(clock.mono()),
            Some(event) = outputs.recv() => doors.answered(event, clock.mono()),
            Some(event) = inputs.recv() => doors.input(event, clock.mono()),
            Some(request) = requests.recv() => doors.handle(request, clock.mono()),
            _ = keep_clock.tick() => {
                doors.tidy_records(clock.mono());
                if let Some((file, moment)) = doors.entry.to_keep(clock.mono()) {
                    // a slow disk keeps no door waiting
                    tokio::task::spawn_blocking(move || file.keep(moment));
                }
            }
        }
    }
    doors.lock_all(clock.mono());
    if let Some((file, moment)) = doors.entry.to_keep(clock.mono()) {
        file.keep(moment);
    }
    let locked = async {
        while doors.is_waiting() {
            let Some(event) = outputs.recv().await else { return };
            doors.answered(event, clock.mono());
        }
    };
    if tokio::time::timeout(ANSWER_LIMIT, locked).await.is_err() {
        warn!("an output did not say that it is locked; its own timer ends what it may have released");
    }
}

/// The ways on which is told what happens.
#[derive(Default)]
struct Reports {
    /// To the link, while one is attached and keeps up.
    link: Option<mpsc::Sender<ControllerRequest>>,
    /// To the readers.
    lamps: Lamps,
    /// To the journal.
    alarms: Alarms,
    /// What came of those before a door, where that is kept.
    uses: Uses,
    journal: Journal,
    /// What readers in lifts wait for.
    rides: Rides,
}

impl Reports {
    fn say(&mut self, report: ControllerRequest) {
        if self.link.as_ref().is_some_and(|link| link.try_send(report).is_err()) {
            self.link = None;
        }
    }

    /// Whether a link is attached that has not ended.
    fn is_heard(&self) -> bool {
        self.link.as_ref().is_some_and(|link| !link.is_closed())
    }

    /// Raises what was noticed of a card or code that was presented at a door, whoever presented it.
    fn noticed(&mut self, entry: &mut Entry, door: Option<DoorId>, now: Mono) {
        if entry.takes_copy_seen() {
            self.alarms.happened(Raised { kind: AlarmKind::CardAtTwoDoors, door: None, part: None }, now);
        }
        if entry.takes_duress_seen() {
            self.alarms.happened(Raised { kind: AlarmKind::Duress, door, part: None }, now);
        }
    }

    fn outcome(&mut self, asker: Asker, outcome: Outcome, now: Mono) {
        if let Asker::Reader { by, .. } | Asker::Car { by, .. } = asker {
            self.uses.answered(by, outcome);
        }
        match (asker, outcome) {
            (Asker::Link(opening), _) => self.say(ControllerRequest::Outcome { mono: now, opening, outcome }),
            (Asker::Car { reader, number, .. }, _) => self.floor(reader, number, outcome),
            (Asker::Reader { reader, .. }, Outcome::Opened { .. } | Outcome::Sent) => {
                self.lamps.show(reader, Feedback::Granted);
            }
            (Asker::Reader { reader, .. }, Outcome::Expired | Outcome::Refused { .. }) => {
                self.lamps.show(reader, Feedback::Denied);
            }
        }
    }
}

/// What the order of the doors says against an opening, in the words of the protocol.
const fn out_of_order(order: Order) -> Option<OutcomeRefusal> {
    match order {
        Order::Kept => None,
        Order::Interlocked => Some(OutcomeRefusal::Interlocked),
        Order::DoorBefore => Some(OutcomeRefusal::DoorBeforeFirst),
        Order::SecondPerson => Some(OutcomeRefusal::SecondPersonNeeded),
    }
}

/// A guard's refusal in the words of the protocol.
const fn refused(refusal: Refusal) -> Outcome {
    let reason = match refusal {
        Refusal::Expired => return Outcome::Expired,
        Refusal::OtherBoot => OutcomeRefusal::OtherBoot,
        Refusal::DeadlineTooFar => OutcomeRefusal::DeadlineTooFar,
        Refusal::Repeated => OutcomeRefusal::Repeated,
        Refusal::Overloaded => OutcomeRefusal::Overloaded,
        Refusal::UnknownDoor => OutcomeRefusal::UnknownDoor,
        Refusal::BadHold => OutcomeRefusal::BadHold,
    };
    Outcome::Refused { reason }
}

#[cfg(test)]
mod tests;
