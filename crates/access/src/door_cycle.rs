//! One door's lock: released for a granted request, locked again in time, alarms from its contact.
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
//!  alarm   Normal ── leaf opens while not accessed ──▶ DoorForcedOpen ──┐
//!          Normal ── leaf open for open_ms ──────────▶ DoorOpenTooLong ─┤
//!          Normal ◀────────────── leaf closes, Reset ───────────────────┘
//! ```
//!
//! Invariants, for all inputs in any order:
//! - the lock is released only by a grant, and at every moment some grant `g` satisfies `g ≤ now < g + hold`
//!   (`hold` cut to [`LONGEST_LEASE`]);
//! - a released lock always names a moment to wake at, so a shell that only sleeps locks in time;
//! - [`Output::Release`] carries what is left of the lease: an output that times itself ends it without us;
//! - at the start, and after [`Input::Reset`], the first output is [`Output::Lock`].
//!
//! Decisions that the field leaves open:
//! - A grant while accessed never shortens the lease of the one before it. Each grant is worth one opening of the
//!   leaf: what the leaf did before the newest grant does not relock.
//! - A leaf that is found open at the start (no contact has spoken before) was not forced; it counts from then.
//! - A forced door stays forced until it is closed; it does not turn into one that is open too long.
//! - A grant does not silence an alarm and does not restart the time a leaf may stand open.
//! - A lock that would not lock is told again every [`RETRY`].
//!
//! `DoorMode::Unlocked` and `DoorMode::LockedOpen` (released by a schedule or an administrator, without a grant)
//! do not exist here yet: nothing asks for them, and they will need leases of their own. [`Input::Restrict`] has no
//! message on the wire yet.

use klinke_model::door::{DoorAlarm, DoorMode, DoorPosition, DoorState, DoorTimes, Relock};
use klinke_model::time::Mono;
use std::collections::VecDeque;
use std::time::Duration;

/// No grant releases a lock for longer.
pub const LONGEST_LEASE: Duration = Duration::from_millis(*DoorTimes::RELEASE_MS.end() as u64);

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
    /// The installer changed the times. A lease that runs keeps its end; a leaf that stands open keeps its time.
    Times(DoorTimes),
    /// The output did not take the last command.
    OutputFault,
    /// As at the start: locked, nothing known of the leaf. A restriction stays.
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
    lease: Option<Lease>,
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
            lease: None,
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
            Input::Times(times) => self.times = times,
            Input::OutputFault => self.output_fault(),
            Input::Reset => self.reset(),
        }
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
        Poll::Wait([lease_ends, self.open_until, self.lock_again].into_iter().flatten().min())
    }

    /// How the door is now.
    pub const fn state(&self) -> DoorState {
        let mode = match (self.lease, self.restriction) {
            (Some(_), _) => DoorMode::Accessed,
            (None, Restriction::None) => DoorMode::Locked,
            (None, Restriction::Blocked) => DoorMode::Blocked,
            (None, Restriction::LockedDown) => DoorMode::LockedDown,
        };
        DoorState { mode, position: self.position, alarm: self.alarm }
    }

    fn expire(&mut self) {
        let now = self.now;
        let due = |deadline: Mono| deadline <= now;
        if self.lock_again.is_some_and(due) || self.lease.is_some_and(|lease| due(lease.ends)) {
            self.lock();
        }
        if self.open_until.is_some_and(due) {
            self.open_until = None;
            self.alarm = DoorAlarm::DoorOpenTooLong;
        }
    }

    fn grant(&mut self, hold: Duration) {
        if self.restriction != Restriction::None {
            self.commands.push_back(Output::Refused);
            return;
        }
        let asked = self.now + hold;
        let ends = self.lease.map_or(asked, |lease| lease.ends.max(asked));
        self.lease = Some(Lease { ends, leaf_opened: false });
        self.lock_again = None;
        self.commands.push_back(Output::Release { lease: ends.since(self.now) });
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
        if self.lease.is_none() && was_closed {
            self.alarm = DoorAlarm::DoorForcedOpen;
        }
        if self.alarm == DoorAlarm::Normal {
            self.open_until = Some(self.now + Duration::from_millis(u64::from(self.times.open_ms)));
        }
        if let Some(lease) = &mut self.lease {
            lease.leaf_opened = true;
            if self.times.relock == Relock::OnOpen {
                self.lock();
            }
        }
    }

    fn leaf_closed(&mut self) {
        self.alarm = DoorAlarm::Normal;
        self.open_until = None;
        if self.lease.is_some_and(|lease| lease.leaf_opened) {
            self.lock();
        }
    }

    fn restrict(&mut self, restriction: Restriction) {
        self.restriction = restriction;
        if restriction != Restriction::None && self.lease.is_some() {
            self.lock();
        }
    }

    fn output_fault(&mut self) {
        let lock_is_due = self.lease.is_some() || self.commands.contains(&Output::Lock);
        // nothing that was asked of a broken output stands; only an answer is still owed
        self.commands.retain(|command| *command == Output::Refused);
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
        self.commands.clear();
        self.lock();
    }

    fn lock(&mut self) {
        self.lease = None;
        self.lock_again = None;
        self.commands.push_back(Output::Lock);
    }
}

#[cfg(test)]
mod tests;
