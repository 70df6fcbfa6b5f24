//! One door's lock: released for a granted request, locked again in time, held open while somebody says so, alarms
//! from its contact.
//!
//! Security-critical and sans-IO. *Mutate, then drain*: after [`DoorCycle::handle`] call [`DoorCycle::poll`] until
//! it says [`Poll::Wait`], carry out each [`Output`], and hand in [`Input::Tick`] at the moment it names.
//! A failed output is handed in as [`Input::OutputFault`] at once, also in the middle of a drain.
//!
//! ```text
//!                  Grant{hold} / Release{hold}
//!       ┌──────────────────────────────────────────────┐
//!       │                                              ▼
//!  ┌────────┐                                     ┌──────────┐ Grant{hold} / Release{what is left}
//!  │ Locked │                                     │ Accessed │──┐ the end moves to the later of
//!  └────────┘                                     └──────────┘◀─┘ the old end and now + hold
//!    │ ▲ ▲           end of the lease / Lock           │
//!    │ │ └─────────────────────────────────────────────┤
//!    │ │   leaf opens (Relock::OnOpen) / Lock          │
//!    │ │   leaf opened and closed (OnClose) / Lock     │
//!    │ │   OutputFault, Reset / Lock                   │ Restrict(Blocked | LockedDown) / Lock
//!    │ │ Restrict(None)                                ▼
//!    │ └─────────────────────────────────────┌───────────────────────┐
//!    └──────────────────────────────────────▶│ Blocked or LockedDown │  Grant / Refused
//!      Restrict(Blocked | LockedDown)        └───────────────────────┘
//!
//!  Hold(Unlocked), while not restricted:          Unlocked    ─┐  Release{HOLD_LEASE}, again every HOLD_RENEWAL;
//!  Hold(LockedOpen), while not locked down:       LockedOpen  ─┘  Lock when it ends, or what is left of a lease
//!
//!  alarm   Normal ── leaf opens while the lock is not released ──▶ DoorForcedOpen ──┐
//!          Normal ── leaf open for open_ms, not held ────────────▶ DoorOpenTooLong ─┤
//!          Normal ◀──────────────── leaf closes, Reset, fire ──────────────────────┘
//! ```
//!
//! Which mode is told when several hold: an emergency, held open, blocked, unlocked, accessed, locked; but a lock that
//! the exit button released is accessed, whatever restricts it.
//!
//! Invariants, for all inputs in any order:
//! - the lock is released only by a grant, the exit button or a hold; for the first two at every moment some grant `g`
//!   satisfies `g ≤ now < g + hold` (`hold` cut to [`LONGEST_LEASE`]);
//! - a released lock always names a moment to wake at, so a shell that only sleeps locks in time;
//! - [`Output::Release`] carries what is left of the lease: an output that times itself ends it without us. A hold too
//!   is a lease, of [`HOLD_LEASE`], that is renewed: when this process dies, the door locks;
//! - at the start, and after [`Input::Reset`], the first output is [`Output::Lock`]; a hold does not outlive a reset.
//!
//! Decisions that the field leaves open:
//! - A grant while accessed never shortens the lease of the one before it. Each grant is worth one opening of the
//!   leaf: what the leaf did before the newest grant does not relock.
//! - A leaf that is found open at the start (no contact has spoken before) was not forced; it counts from then.
//! - A forced door stays forced until it is closed; it does not turn into one that is open too long.
//! - A grant does not silence an alarm and does not restart the time a leaf may stand open. The end of a hold does: who
//!   held the door open is given the time to close it.
//! - The way out is never refused: the exit button releases against a block and an emergency, and what it released is
//!   not locked by one that comes after.
//! - Fire is wired: its relay takes the lock's power. This machine only keeps still meanwhile, and raises no alarm.
//! - A lock that would not lock is told again every [`RETRY`]; one that would not stay released is locked, and held
//!   again after as long.
//!
//! [`Input::Restrict`], [`Input::Hold`], [`Input::ExitButton`] and [`Input::Fire`] have no message on the wire yet.

use klinke_model::door::{DoorAlarm, DoorMode, DoorPosition, DoorState, DoorTimes, Relock};
use klinke_model::time::Mono;
use std::collections::VecDeque;
use std::time::Duration;

/// No grant releases a lock for longer.
pub const LONGEST_LEASE: Duration = Duration::from_millis(*DoorTimes::RELEASE_MS.end() as u64);

/// A lock that is held released is so for this long at a time: when nobody renews it, it locks.
pub const HOLD_LEASE: Duration = Duration::from_secs(30);

/// How often that is renewed: two renewals may get lost.
pub const HOLD_RENEWAL: Duration = Duration::from_secs(10);

/// How long to wait before a lock that would not lock is told again.
pub const RETRY: Duration = Duration::from_secs(1);

/// What keeps a door locked against every grant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Restriction {
    /// Nothing.
    #[default]
    None,
    /// An administrator.
    Blocked,
    /// An emergency.
    LockedDown,
}

/// What keeps a door released without a grant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Held {
    /// Nothing.
    #[default]
    No,
    /// Its hours.
    Unlocked,
    /// An administrator.
    LockedOpen,
}

/// What happens to a door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// A request was granted.
    Grant {
        /// For how long the lock is released.
        hold: Duration,
    },
    /// The contact spoke.
    Contact(DoorPosition),
    /// Time has passed (the moment of [`Poll::Wait`]).
    Tick,
    /// An administrator or an emergency keeps the door locked, or lets go of it.
    Restrict(Restriction),
    /// Its hours or an administrator hold the door released, or let go of it.
    Hold(Held),
    /// Somebody inside pressed the exit button.
    ExitButton {
        /// For how long the lock is released; `None` where the handle opens from inside, and the button only says that
        /// the leaf is not forced.
        releases: Option<Duration>,
    },
    /// The fire alarm, which releases by wire, is on, or over.
    Fire(bool),
    /// The installer changed the times. A lease that runs keeps its end; a leaf that stands open keeps its time.
    Times(DoorTimes),
    /// The output did not take the last command.
    OutputFault,
    /// As at the start: locked, not held, nothing known of the leaf. A restriction stays.
    Reset,
}

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// Release the lock for this long from now, whatever it was told before.
    Release {
        /// What is left of the lease.
        lease: Duration,
    },
    /// Lock.
    Lock,
    /// The grant was not followed: the door is blocked or locked down.
    Refused,
    /// The door is now like this.
    Changed(DoorState),
}

/// What [`DoorCycle::poll`] says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Poll {
    /// Do this, then poll again.
    Output(Output),
    /// Nothing to do before this moment (`None`: before the next input).
    Wait(Option<Mono>),
}

/// The time for which the lock is released.
#[derive(Clone, Copy, Debug)]
struct Lease {
    ends: Mono,
    /// Until when a restriction does not end it: the exit button was pressed.
    exit_ends: Option<Mono>,
    /// The leaf has opened since the newest grant.
    leaf_opened: bool,
}

/// One door's lock.
#[derive(Debug)]
pub struct DoorCycle {
    times: DoorTimes,
    /// The latest moment seen; the machine's time does not go back when its caller's does.
    now: Mono,
    restriction: Restriction,
    held: Held,
    /// While the lock is held released: when to release it again.
    renew: Option<Mono>,
    /// After a fault: not held again before this.
    hold_again: Option<Mono>,
    lease: Option<Lease>,
    /// Until when a leaf that opens was opened from inside.
    shunted_until: Option<Mono>,
    fire: bool,
    position: DoorPosition,
    /// The last that the contact said other than `Unknown`: a contact that falls silent hides no forced door.
    last_known: DoorPosition,
    alarm: DoorAlarm,
    /// When a leaf that stands open becomes an alarm.
    open_until: Option<Mono>,
    /// When to tell a lock again that would not lock.
    lock_again: Option<Mono>,
    commands: VecDeque<Output>,
    told: DoorState,
}

impl DoorCycle {
    /// A door at the start of its controller: to be locked at once, the leaf unknown.
    pub fn new(times: DoorTimes, now: Mono) -> Self {
        let mut cycle = Self {
            times,
            now,
            restriction: Restriction::None,
            held: Held::No,
            renew: None,
            hold_again: None,
            lease: None,
            shunted_until: None,
            fire: false,
            position: DoorPosition::Unknown,
            last_known: DoorPosition::Unknown,
            alarm: DoorAlarm::Normal,
            open_until: None,
            lock_again: None,
            commands: VecDeque::new(),
            told: DoorState::LOCKED,
        };
        cycle.told = cycle.state();
        cycle.lock();
        cycle
    }

    /// Takes one input.
    pub fn handle(&mut self, input: Input, now: Mono) {
        self.now = self.now.max(now);
        // first what was due before the input came, last what the input made due at once
        self.expire();
        match input {
            Input::Grant { hold } => self.grant(hold.min(LONGEST_LEASE)),
            Input::Contact(position) => self.contact(position),
            Input::Tick => {}
            Input::Restrict(restriction) => self.restrict(restriction),
            Input::Hold(held) => self.held = held,
            Input::ExitButton { releases: Some(hold) } => self.let_out(hold.min(LONGEST_LEASE)),
            Input::ExitButton { releases: None } => {
                self.shunted_until = Some(self.now + self.times.hold(false));
            }
            Input::Fire(is_on) => self.fire(is_on),
            Input::Times(times) => self.times = times,
            Input::OutputFault => self.output_fault(),
            Input::Reset => self.reset(),
        }
        self.keep_hold();
        self.expire();
    }

    /// What to do next.
    pub fn poll(&mut self) -> Poll {
        if let Some(command) = self.commands.pop_front() {
            return Poll::Output(command);
        }
        let state = self.state();
        if state != self.told {
            self.told = state;
            return Poll::Output(Output::Changed(state));
        }
        let lease_ends = self.lease.map(|lease| lease.ends);
        let deadlines = [lease_ends, self.open_until, self.lock_again, self.renew, self.hold_again];
        Poll::Wait(deadlines.into_iter().flatten().min())
    }

    /// How the door is now.
    pub const fn state(&self) -> DoorState {
        let is_held = self.renew.is_some();
        let let_out = matches!(self.lease, Some(Lease { exit_ends: Some(_), .. }));
        let mode = match (self.restriction, self.held) {
            (Restriction::None | Restriction::Blocked, Held::LockedOpen) if is_held => DoorMode::LockedOpen,
            (Restriction::LockedDown, _) if !let_out => DoorMode::LockedDown,
            (Restriction::Blocked, _) if !let_out => DoorMode::Blocked,
            (_, Held::Unlocked) if is_held => DoorMode::Unlocked,
            _ if self.lease.is_some() => DoorMode::Accessed,
            _ => DoorMode::Locked,
        };
        DoorState { mode, position: self.position, alarm: self.alarm }
    }

    fn expire(&mut self) {
        let now = self.now;
        let due = |deadline: Mono| deadline <= now;
        if self.lease.is_some_and(|lease| due(lease.ends)) {
            self.end_lease();
        } else if let Some(lease) = &mut self.lease {
            lease.exit_ends = lease.exit_ends.filter(|ends| *ends > now);
        }
        if self.lock_again.is_some_and(due) {
            self.lock();
        }
        if self.hold_again.is_some_and(due) {
            self.hold_again = None;
            self.keep_hold();
        }
        if self.renew.is_some_and(due) {
            self.release_held();
        }
        if self.open_until.is_some_and(due) {
            self.open_until = None;
            self.alarm = DoorAlarm::DoorOpenTooLong;
        }
    }

    fn grant(&mut self, hold: Duration) {
        let is_refused = match self.restriction {
            Restriction::None => false,
            // held open against a block: whoever asks finds it open
            Restriction::Blocked => self.renew.is_none(),
            Restriction::LockedDown => true,
        };
        if is_refused {
            self.commands.push_back(Output::Refused);
        } else {
            self.release(hold, None);
        }
    }

    fn let_out(&mut self, hold: Duration) {
        self.release(hold, Some(self.now + hold));
    }

    fn release(&mut self, hold: Duration, exit_ends: Option<Mono>) {
        let asked = self.now + hold;
        let before = self.lease;
        let ends = before.map_or(asked, |lease| lease.ends.max(asked));
        let exit_ends = exit_ends.max(before.and_then(|lease| lease.exit_ends));
        self.lease = Some(Lease { ends, exit_ends, leaf_opened: false });
        self.lock_again = None;
        if self.renew.is_some() {
            self.release_held();
        } else {
            self.commands.push_back(Output::Release { lease: ends.since(self.now) });
        }
    }

    /// Releases for as long as a hold or a lease says, whichever is longer, and names the next renewal.
    fn release_held(&mut self) {
        let left = self.lease.map_or(Duration::ZERO, |lease| lease.ends.since(self.now));
        self.renew = Some(self.now + HOLD_RENEWAL);
        self.lock_again = None;
        self.commands.push_back(Output::Release { lease: HOLD_LEASE.max(left) });
    }

    /// Begins or ends what is to be held now.
    fn keep_hold(&mut self) {
        let wanted = match (self.held, self.restriction) {
            (Held::LockedOpen, Restriction::None | Restriction::Blocked)
            | (Held::Unlocked, Restriction::None) => true,
            (Held::LockedOpen | Held::Unlocked, _) | (Held::No, _) => false,
        };
        if !wanted {
            self.hold_again = None;
        }
        match (wanted, self.renew) {
            (true, None) if self.hold_again.is_none() => {
                self.open_until = None;
                if self.alarm == DoorAlarm::DoorOpenTooLong {
                    self.alarm = DoorAlarm::Normal;
                }
                self.release_held();
            }
            (false, Some(_)) => {
                self.renew = None;
                if self.restriction != Restriction::None {
                    // whoever asked while it was held open found it open; what is left of that is not theirs
                    self.lease = self.lease.and_then(|lease| Some(Lease { ends: lease.exit_ends?, ..lease }));
                }
                match self.lease {
                    Some(lease) => {
                        self.commands.push_back(Output::Release { lease: lease.ends.since(self.now) });
                    }
                    None => self.lock(),
                }
                self.count_open_leaf();
            }
            _ => {}
        }
    }

    fn contact(&mut self, position: DoorPosition) {
        if position == self.position {
            return;
        }
        self.position = position;
        match position {
            DoorPosition::Unknown => self.open_until = None,
            DoorPosition::Open => self.leaf_opened(),
            DoorPosition::Closed => self.leaf_closed(),
        }
        if position != DoorPosition::Unknown {
            self.last_known = position;
        }
    }

    fn leaf_opened(&mut self) {
        let was_closed = self.last_known == DoorPosition::Closed;
        let may_open = self.lease.is_some()
            || self.renew.is_some()
            || self.fire
            || self.shunted_until.is_some_and(|until| self.now < until);
        if !may_open && was_closed {
            self.alarm = DoorAlarm::DoorForcedOpen;
        }
        self.count_open_leaf();
        if let Some(lease) = &mut self.lease {
            lease.leaf_opened = true;
            if self.times.relock == Relock::OnOpen {
                self.end_lease();
            }
        }
    }

    fn leaf_closed(&mut self) {
        self.alarm = DoorAlarm::Normal;
        self.open_until = None;
        if self.lease.is_some_and(|lease| lease.leaf_opened) {
            self.end_lease();
        }
    }

    /// A leaf that stands open has its time from now on, unless somebody holds the door, or it burns.
    fn count_open_leaf(&mut self) {
        let counts = self.position == DoorPosition::Open
            && self.alarm == DoorAlarm::Normal
            && self.renew.is_none()
            && !self.fire;
        if counts {
            self.open_until = Some(self.now + Duration::from_millis(u64::from(self.times.open_ms)));
        }
    }

    fn fire(&mut self, is_on: bool) {
        if self.fire == is_on {
            return;
        }
        self.fire = is_on;
        if is_on {
            self.alarm = DoorAlarm::Normal;
            self.open_until = None;
        } else {
            self.count_open_leaf();
        }
    }

    fn restrict(&mut self, restriction: Restriction) {
        self.restriction = restriction;
        if restriction == Restriction::None {
            return;
        }
        match &mut self.lease {
            // who pressed the exit button goes out in peace
            Some(Lease { ends, exit_ends: Some(exit_ends), .. }) => {
                *ends = *exit_ends;
                if self.renew.is_none() {
                    let lease = ends.since(self.now);
                    self.commands.push_back(Output::Release { lease });
                }
            }
            Some(_) => self.end_lease(),
            None => {}
        }
    }

    fn output_fault(&mut self) {
        let lock_is_due =
            self.lease.is_some() || self.renew.is_some() || self.commands.contains(&Output::Lock);
        // nothing that was asked of a broken output stands; only an answer is still owed
        self.commands.retain(|command| *command == Output::Refused);
        if self.renew.take().is_some() {
            self.hold_again = Some(self.now + RETRY);
            self.count_open_leaf();
        }
        if lock_is_due {
            // it may have released all the same
            self.lock();
        } else {
            self.lock_again = Some(self.now + RETRY);
        }
    }

    fn reset(&mut self) {
        self.position = DoorPosition::Unknown;
        self.last_known = DoorPosition::Unknown;
        self.alarm = DoorAlarm::Normal;
        self.open_until = None;
        self.shunted_until = None;
        self.held = Held::No;
        self.renew = None;
        self.hold_again = None;
        self.commands.clear();
        self.lock();
    }

    /// The lease is over: the lock locks, unless it is held.
    fn end_lease(&mut self) {
        if self.renew.is_some() {
            self.lease = None;
        } else {
            self.lock();
        }
    }

    fn lock(&mut self) {
        self.lease = None;
        self.lock_again = None;
        self.commands.push_back(Output::Lock);
    }
}

#[cfg(test)]
mod tests;
