//! One door: its cycle, the output that it is on, and who waits for that output.
//!
//! ```text
//!   cycle says Release ──▶ board: Done ─────────▶ released: who asked is answered, the door is accessed
//!                               └ Later(ticket) ─▶ awaited ──done──────────────▶ the same
//!                                                         └──not done, or late─▶ OutputFault: Lock
//! ```
//!
//! - Only the newest command is awaited. An answer to one before it counts for who still waits for it, and a lock has
//!   ended all such waiting.
//! - Outside, the door is accessed only while its output has said that it is released. One that another system moves never is:
//!   who asked is told that it was sent, and no more is known.
//! - For the other doors of an airlock it is the other way round: locked only while its output has said that it is.

use super::Reports;
use super::uses::Before;
use crate::output::{ANSWER_LIMIT, Answer, Board, OutputEvent, Ticket};
use klinke_access::door_cycle::{DoorCycle, Held, Input, Output, Poll, Restriction};
use klinke_model::alarm::AlarmKind;
use klinke_model::door::{DoorAlarm, DoorKind, DoorMode, DoorPosition, DoorState};
use klinke_model::door_settings::DoorHold;
use klinke_model::ids::{DoorId, OpeningId};
use klinke_model::news::Raised;
use klinke_model::time::Mono;
use klinke_wire::controller::{ControllerRequest, DoorReport, Outcome, OutcomeRefusal, WantedDoor};
use std::time::Duration;
use tracing::{error, warn};

/// One door and the output it is on.
pub(super) struct Driven {
    pub(super) door: DoorId,
    pub(super) output: u16,
    /// Of a floor no contact is believed: it has no leaf.
    pub(super) kind: DoorKind,
    pub(super) cycle: DoorCycle,
    pub(super) wakes_at: Option<Mono>,
    /// How long it is released without a wish of somebody's.
    pub(super) release: Duration,
    /// What it is restricted to, and how it is held, by the rights in force.
    pub(super) restriction: Restriction,
    pub(super) held: Held,
    /// How an administrator wants it held.
    pub(super) wanted: Option<DoorHold>,
    /// Another system moves the lock.
    hands_on: bool,
    /// It was told to the log that its output cannot hold it.
    pub(super) is_hold_refused: bool,
    /// Somebody was let in who has not moved the leaf yet: until when they may.
    let_in_until: Option<Mono>,
    /// What the outside was told last.
    told: DoorState,
    /// What the journal was told last.
    alarm: DoorAlarm,
    /// Whether the output failed its last command; none while it was not told any.
    is_faulty: Option<bool>,
    /// Whether the output has said that it is released.
    is_released: bool,
    /// Whether it has said that it is locked, since it was last told to release.
    is_locked: bool,
    /// The newest command, while its output has not answered.
    pub(super) awaited: Option<Awaited>,
    /// Who waits for the output.
    waiting: Vec<Waiting>,
}

/// Who wants the door open, and is told what becomes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asker {
    /// The server, with an opening.
    Link(OpeningId),
    /// Somebody at a reader.
    Reader {
        /// Which.
        reader: u16,
        /// Who, where that is kept.
        by: Option<Before>,
    },
    /// Somebody at a reader in a lift, for one floor of several.
    Car {
        /// Which reader.
        reader: u16,
        /// Which reading at it.
        number: u32,
        /// Who, where that is kept.
        by: Option<Before>,
    },
}

/// A command that its output has not answered.
#[derive(Clone, Copy)]
pub(super) struct Awaited {
    pub(super) ticket: Ticket,
    pub(super) until: Mono,
}

/// Somebody whose output has not answered.
struct Waiting {
    asker: Asker,
    ticket: Ticket,
    ends: Mono,
}

impl Driven {
    pub(super) fn start(wanted: &WantedDoor, board: &mut dyn Board, now: Mono) -> Self {
        let cycle = DoorCycle::new(wanted.times, now);
        let mut driven = Self {
            door: wanted.door,
            output: wanted.output,
            kind: wanted.kind,
            told: cycle.state(),
            alarm: DoorAlarm::Normal,
            is_faulty: None,
            cycle,
            wakes_at: None,
            release: wanted.times.hold(false),
            restriction: Restriction::None,
            held: Held::No,
            wanted: wanted.held,
            hands_on: board.hands_on(wanted.output),
            is_hold_refused: false,
            let_in_until: None,
            is_released: false,
            is_locked: false,
            awaited: None,
            waiting: Vec::new(),
        };
        let position = board.position(wanted.output);
        if position != DoorPosition::Unknown && wanted.kind == DoorKind::Door {
            driven.cycle.handle(Input::Contact(position), now);
        }
        // it is told as a whole once it is in force, so nobody is told yet
        driven.carry_out(board, &mut Reports::default(), None, now);
        driven
    }

    /// Holds it as all who may say so want it: an emergency before a block, an administrator before its hours. What the
    /// output can not keep up is not begun.
    pub(super) fn hold(&mut self, board: &dyn Board, now: Mono) {
        let restriction = match (self.restriction, self.wanted) {
            (Restriction::None, Some(DoorHold::Blocked)) => Restriction::Blocked,
            (restriction, _) => restriction,
        };
        let held = match self.wanted {
            Some(DoorHold::Unlocked) if board.holds(self.output) => Held::LockedOpen,
            Some(DoorHold::Unlocked) => {
                let output = self.output;
                warn!(output, "this output can not hold a door open; it stays as it is without that");
                self.held
            }
            Some(DoorHold::Blocked) | None => self.held,
        };
        self.cycle.handle(Input::Restrict(restriction), now);
        self.cycle.handle(Input::Hold(held), now);
    }

    pub(super) const fn report(&self) -> DoorReport {
        DoorReport { door: self.door, state: self.state() }
    }

    /// How the door is: released only when its output has said so.
    const fn state(&self) -> DoorState {
        let state = self.cycle.state();
        if is_released(state.mode) && (self.hands_on || !self.is_released) {
            DoorState { mode: DoorMode::Locked, ..state }
        } else {
            state
        }
    }

    /// How the door is for others that must stay locked while it is not: locked only when its output has said so.
    pub(super) fn secured(&self) -> DoorState {
        let state = self.cycle.state();
        let mode = if self.is_locked || is_released(state.mode) { state.mode } else { DoorMode::Accessed };
        DoorState { mode, ..state }
    }

    /// Somebody may open the door for `hold` (cut to what its output can); `asker` is told what becomes of it.
    pub(super) fn let_in(
        &mut self,
        asker: Asker,
        hold: Duration,
        board: &mut dyn Board,
        reports: &mut Reports,
        now: Mono,
    ) {
        let hold = hold.min(board.longest(self.output));
        self.cycle.handle(Input::Grant { hold }, now);
        self.let_in_until = Some(now + hold);
        self.carry_out(board, reports, Some(asker), now);
    }

    /// Takes what the contact says; whether somebody who was let in went through.
    pub(super) fn contact(
        &mut self,
        position: DoorPosition,
        board: &mut dyn Board,
        reports: &mut Reports,
        now: Mono,
    ) -> bool {
        if self.kind == DoorKind::Floor {
            return false;
        }
        let opens = position == DoorPosition::Open && self.cycle.state().position != DoorPosition::Open;
        let went_through =
            opens && self.is_released && self.let_in_until.take().is_some_and(|until| now < until);
        self.cycle.handle(Input::Contact(position), now);
        self.carry_out(board, reports, None, now);
        went_through
    }

    /// Tells how the door is, when that is news.
    fn tell(&mut self, reports: &mut Reports, now: Mono) {
        let state = self.state();
        if std::mem::replace(&mut self.told, state) != state {
            reports.say(ControllerRequest::Door { mono: now, door: self.report() });
        }
    }

    /// Drains the cycle: moves the lock, tells what changed, and answers `asker` with what became of it, now or when
    /// its output answers.
    pub(super) fn carry_out(
        &mut self,
        board: &mut dyn Board,
        reports: &mut Reports,
        mut asker: Option<Asker>,
        now: Mono,
    ) {
        self.wakes_at = loop {
            let moved = match self.cycle.poll() {
                Poll::Wait(deadline) => break deadline,
                Poll::Output(Output::Release { lease }) => {
                    self.is_locked = false;
                    board.release(self.output, lease).map(|answer| {
                        self.released(answer, asker.take(), now + lease, reports, now);
                    })
                }
                Poll::Output(Output::Lock) => {
                    self.is_released = false;
                    self.let_in_until = None;
                    self.fail_waiting(reports, now);
                    board.lock(self.output).map(|answer| {
                        self.is_locked |= answer == Answer::Done;
                        self.awaits(answer, now);
                    })
                }
                Poll::Output(Output::Refused) => {
                    self.let_in_until = None;
                    if let Some(asker) = asker.take() {
                        let reason = OutcomeRefusal::Blocked;
                        reports.outcome(asker, Outcome::Refused { reason }, now);
                    }
                    Ok(())
                }
                Poll::Output(Output::Changed(_)) => {
                    self.tell(reports, now);
                    Ok(())
                }
            };
            if let Err(fault) = moved {
                error!(%fault, "an output did not take a command");
                self.is_faulty = Some(true);
                // at once: the lock may follow the very next command, and it is a fault all the same
                self.alarms(reports, now);
                self.awaited = None;
                self.cycle.handle(Input::OutputFault, now);
            }
        };
        if let Some(asker) = asker {
            reports.outcome(asker, Outcome::Refused { reason: OutcomeRefusal::OutputFault }, now);
        }
        self.alarms(reports, now);
    }

    /// Tells the journal what is wrong with the door. A forced door stays one until it is seen closed, also over a restart, which
    /// finds it open and knows nothing more.
    pub(super) fn alarms(&mut self, reports: &mut Reports, now: Mono) {
        let DoorState { alarm, position, .. } = self.cycle.state();
        let before = std::mem::replace(&mut self.alarm, alarm);
        let is_over = position == DoorPosition::Closed
            || before != DoorAlarm::Normal && position != DoorPosition::Unknown;
        let (door, output) = (Some(self.door), Some(self.output));
        let kinds = [
            (AlarmKind::ForcedOpen, DoorAlarm::DoorForcedOpen),
            (AlarmKind::HeldOpen, DoorAlarm::DoorOpenTooLong),
        ];
        for (kind, of) in kinds {
            let is_on = alarm == of;
            if is_on || alarm == DoorAlarm::Normal && is_over {
                reports.alarms.set(Raised { kind, door, part: None }, is_on, now);
            }
        }
        if let Some(is_faulty) = self.is_faulty {
            reports.alarms.set(Raised { kind: AlarmKind::OutputFault, door, part: output }, is_faulty, now);
        }
    }

    /// The output was told to release until `ends`.
    fn released(
        &mut self,
        answer: Answer,
        asker: Option<Asker>,
        ends: Mono,
        reports: &mut Reports,
        now: Mono,
    ) {
        self.awaits(answer, now);
        let ticket = match answer {
            Answer::Done => Ticket::default(),
            Answer::Later(ticket) => ticket,
        };
        self.waiting.extend(asker.map(|asker| Waiting { asker, ticket, ends }));
        if answer == Answer::Done {
            self.is_released = true;
            self.answer_waiting(ticket, reports, now);
        }
    }

    fn awaits(&mut self, answer: Answer, now: Mono) {
        self.awaited = match answer {
            Answer::Done => {
                self.is_faulty = Some(false);
                None
            }
            Answer::Later(ticket) => Some(Awaited { ticket, until: now + ANSWER_LIMIT }),
        };
    }

    /// The output answered, or did not in time.
    pub(super) fn answered(
        &mut self,
        event: OutputEvent,
        board: &mut dyn Board,
        reports: &mut Reports,
        now: Mono,
    ) {
        let is_newest = self.awaited.is_some_and(|awaited| awaited.ticket == event.ticket);
        if !is_newest {
            // from the past; it can still be what somebody waits for, because a lock would have ended their waiting
            if event.is_done && self.waiting.iter().any(|waiting| waiting.ticket <= event.ticket) {
                self.is_released = true;
                self.answer_waiting(event.ticket, reports, now);
                self.tell(reports, now);
            }
            return;
        }
        self.awaited = None;
        self.is_faulty = Some(!event.is_done);
        if !event.is_done {
            self.cycle.handle(Input::OutputFault, now);
        } else if is_released(self.cycle.state().mode) {
            self.is_released = true;
            self.answer_waiting(event.ticket, reports, now);
            self.tell(reports, now);
        } else {
            self.is_locked = true;
        }
        self.carry_out(board, reports, None, now);
    }

    /// The lock is released for everybody who waited up to this command.
    fn answer_waiting(&mut self, ticket: Ticket, reports: &mut Reports, now: Mono) {
        for waiting in self.waiting.extract_if(.., |waiting| waiting.ticket <= ticket) {
            let for_ms = u32::try_from(waiting.ends.since(now).as_millis()).unwrap_or(u32::MAX);
            let outcome = if self.hands_on { Outcome::Sent } else { Outcome::Opened { for_ms } };
            reports.outcome(waiting.asker, outcome, now);
        }
    }

    /// The lock is not released for anybody who waited.
    fn fail_waiting(&mut self, reports: &mut Reports, now: Mono) {
        for waiting in self.waiting.drain(..) {
            let reason = OutcomeRefusal::OutputFault;
            reports.outcome(waiting.asker, Outcome::Refused { reason }, now);
        }
    }
}

/// Whether the lock is released in this mode.
const fn is_released(mode: DoorMode) -> bool {
    matches!(mode, DoorMode::Accessed | DoorMode::Unlocked | DoorMode::LockedOpen)
}
