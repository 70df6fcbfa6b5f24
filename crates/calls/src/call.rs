//! One call, from the tap on a name to its end.
//!
//! ```text
//!                      no steps: Unreachable
//!   new ──▶ Ringing ───────────────────────────────────────────────────────────┐
//!           │  │ ▲                                                             │
//!           │  └─┘ next step: the step's time is over,                         │
//!           │      or all its legs declined or are gone                        │
//!           │                                                                  │
//!           │  no step left:  Declined · Unreachable · NoAnswer                │
//!           │  ring time over: NoAnswer      (both wait for an opening)        ▼
//!           ├──────────────────────────────────────────────────────────────▶ Over
//!           │  door opened: Opened                                             ▲
//!           │ first accept                                                     │
//!           ▼                                                                  │
//!         Talking ─────────────────────────────────────────────────────────────┤
//!              ResidentHungUp · TimeLimit · answering leg away too long        │
//!                                                                              │
//!   from both: VisitorLeft · panel away too long, shutdown: Interrupted ───────┘
//! ```
//!
//! Invariants
//! - A leg that is offered is cancelled once, and nothing is said to it after that. Every `Bridge` has its
//!   `Unbridge`; at most one leg is bridged, once in a call.
//! - [`Output::Ended`] comes once, is the last output, and comes whatever the inputs are, at the latest after
//!   ring time + [`OPENING_LIFE`] + talk time, when the driver ticks at every [`Poll::Wait`].
//! - No leg opens a door but one that is rung (in its step, offered, not declined) or that has answered; one
//!   request of one leg makes at most one `OpenDoor`.
//! - No time of ringing ends while an opening is under way: the visitor would be sent away from a door that
//!   opens. No opening begins after such a time is over, so this is [`OPENING_LIFE`] at most.
//! - A time earlier than one already seen counts as the latest one seen.
//! - A telephone is offered once at most; it opens only after it has answered, which is for a pressed key to say: a
//!   voicemail that picks up ends nobody's ringing and opens nothing.
//! - A telephone opens one door once in a call: no second opening begins while one is under way or after one came true.
//! - A telephone that waits for silence is offered only if no device of its person has said a word in this call, and
//!   [`Limits::silent`](crate::plan::Limits::silent) of its step is over or none of those devices rings any more.
//!
//! What was decided
//! - A step is left only when another leg waits behind it; the last step rings until the ring time is over. A
//!   step's time runs from when it began, so a late tick never skips somebody.
//! - Nobody left to ring: `NoAnswer` when somebody's turn passed, else `Declined` when anybody declined, else
//!   `Unreachable`.
//! - A leg that is away when its turn comes keeps its turn, and is offered when it is back.
//! - The answering leg's bridge stands while it is away: the sound may outlive a lost WebSocket, and after a
//!   reload the driver bridges the new media by [`Call::bridged`]. So there is no second `Bridge`.
//! - Who opens at a telephone has answered with the same key, so the call goes on when the door is open.
//! - A device is heard when it says that it rings, declines or opens; its person's telephone is not rung after that, also
//!   when the device is lost then. No telephone begins to ring while a door is being opened.
//! - A door opened while ringing ends the call at once; how long the panel goes on showing "open" is the panel's.

#[cfg(test)]
mod histories;
mod messages;
mod party;
mod phone;
#[cfg(test)]
mod phone_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod watch;

pub use messages::{Cancel, Input, LegView, Output, PanelView, Poll};

use crate::plan::{Leg, Limits, RingPlan, Step};
use klinke_model::ids::{DoorId, PersonId, RequestId};
use klinke_model::intercom::EndReason;
use klinke_model::time::Mono;
use party::{Opening, Party, Stage};
use std::collections::VecDeque;
use std::time::Duration;

/// How long an opening may be under way: a command to a controller is dead after this.
pub const OPENING_LIFE: Duration = Duration::from_secs(5);

/// One call.
#[derive(Debug)]
pub struct Call {
    limits: Limits,
    /// The latest time seen.
    now: Mono,
    ring_until: Mono,
    steps: usize,
    /// In the order of the plan, then those who joined.
    parties: Vec<Party>,
    phase: Phase,
    /// A leg has said that it rings.
    reached: bool,
    /// The panel knows that a telephone rings.
    told_phone: bool,
    /// Since when.
    panel_away: Option<Mono>,
    openings: Vec<Opening>,
    outputs: VecDeque<Output>,
}

#[derive(Clone, Copy, Debug)]
enum Phase {
    Ringing { step: usize, since: Mono },
    Talking { leg: Leg, until: Mono },
    Over { reason: EndReason, told: bool },
}

impl Call {
    /// A new call; outputs wait in [`Call::poll`].
    pub fn new(plan: RingPlan, limits: Limits, now: Mono) -> Self {
        let steps = plan.steps.len();
        let parties = plan.steps.into_iter().enumerate();
        let mut call = Self {
            limits,
            now,
            ring_until: now + limits.ring,
            steps,
            parties: parties
                .flat_map(|(n, step)| {
                    let Step { legs, when_silent } = step;
                    legs.into_iter().map(move |(leg, person)| Party {
                        when_silent: when_silent.contains(&leg),
                        ..Party::new(leg, person, n)
                    })
                })
                .collect(),
            phase: Phase::Ringing { step: 0, since: now },
            reached: false,
            told_phone: false,
            panel_away: None,
            openings: Vec::new(),
            outputs: VecDeque::new(),
        };
        if call.parties.is_empty() {
            call.end(EndReason::Unreachable);
        } else {
            call.begin_step(0);
            call.settle();
            call.tell_of_phone();
        }
        call
    }

    /// Takes one input.
    pub fn handle(&mut self, input: Input, now: Mono) {
        if matches!(self.phase, Phase::Over { told: true, .. }) {
            return;
        }
        self.now = self.now.max(now);
        // What is due comes first, so that an input can't slip in after a deadline whose tick is late.
        self.settle();
        match input {
            Input::LegRinging(leg) => self.leg_ringing(leg),
            Input::LegAccepted(leg) => self.leg_accepted(leg),
            Input::LegDeclined(leg) => self.leg_declined(leg),
            Input::LegHungUp(leg) if self.bridged() == Some(leg) => self.end(EndReason::ResidentHungUp),
            Input::LegHungUp(leg) => self.leg_declined(leg),
            Input::LegSpent(leg) if self.bridged() == Some(leg) => self.end(EndReason::TimeLimit),
            Input::LegSpent(leg) => self.leg_gone(leg),
            Input::LegAway(leg) => self.leg_away(leg),
            Input::LegBack(leg) => self.leg_back(leg),
            Input::LegJoined { leg, person } => self.leg_joined(leg, person),
            Input::LegGone(leg) if self.bridged() == Some(leg) => self.end(EndReason::Interrupted),
            Input::LegGone(leg) => self.leg_gone(leg),
            Input::LegOpens { leg, request, door } => self.leg_opens(leg, request, door),
            Input::DoorOutcome { request, leg, opened_for } => self.door_outcome(request, leg, opened_for),
            Input::VisitorHungUp => self.end(EndReason::VisitorLeft),
            Input::PanelAway => _ = self.panel_away.get_or_insert(self.now),
            Input::PanelBack => {
                self.panel_away = None;
                self.tell_panel();
            }
            Input::Tick => {}
            Input::Shutdown => self.end(EndReason::Interrupted),
        }
        self.settle();
        self.tell_of_phone();
    }

    /// What to do next.
    pub fn poll(&mut self) -> Poll {
        if let Some(output) = self.outputs.pop_front() {
            return Poll::Output(output);
        }
        match &mut self.phase {
            Phase::Over { reason, told } if !*told => {
                *told = true;
                Poll::Output(Output::Ended(*reason))
            }
            _ => Poll::Wait(self.deadline()),
        }
    }

    /// Where the call stands for its panel; `None` when it is over.
    pub fn panel_view(&self, now: Mono) -> Option<PanelView> {
        let now = self.now.max(now);
        match self.phase {
            Phase::Ringing { step, .. } => Some(PanelView::Calling {
                step: u8::try_from(step.saturating_add(1)).unwrap_or(u8::MAX),
                steps: u8::try_from(self.steps).unwrap_or(u8::MAX),
                reached: self.reached,
                phone: self.rings_phone(),
                left: self.ring_until.since(now),
            }),
            Phase::Talking { until, .. } => Some(PanelView::Connected { left: until.since(now) }),
            Phase::Over { .. } => None,
        }
    }

    /// Where the call stands for a leg; `None` when it neither rings there nor is held there.
    pub fn leg_view(&self, leg: Leg, now: Mono) -> Option<LegView> {
        let now = self.now.max(now);
        match (self.phase, self.party(leg)?.stage) {
            (Phase::Ringing { step, since }, Stage::Ringing { .. }) => {
                Some(LegView::Ringing { left: self.step_until(step, since).since(now) })
            }
            (Phase::Talking { until, .. }, Stage::Answered) => {
                Some(LegView::Connected { left: until.since(now) })
            }
            _ => None,
        }
    }

    /// The leg that sound goes to and from, between its `Bridge` and its `Unbridge`.
    pub fn bridged(&self) -> Option<Leg> {
        match self.phase {
            Phase::Talking { leg, .. } => Some(leg),
            _ => None,
        }
    }

    /// Why the call ended; `None` while it lives.
    pub fn end_reason(&self) -> Option<EndReason> {
        match self.phase {
            Phase::Over { reason, .. } => Some(reason),
            _ => None,
        }
    }

    // --- inputs ---------------------------------------------------------------------------------------

    fn leg_ringing(&mut self, leg: Leg) {
        self.hear(leg);
        if !self.reached && self.is_offered(leg) {
            self.reached = true;
            self.tell_panel();
        }
    }

    fn leg_accepted(&mut self, leg: Leg) {
        if !self.is_offered(leg) {
            return;
        }
        let Some(party) = self.party_mut(leg) else { return };
        party.stage = Stage::Answered;
        party.away = None;
        let by = party.person;
        self.phase = Phase::Talking { leg, until: self.now + self.limits.talk };
        self.outputs.push_back(Output::Bridge(leg));
        self.outputs.push_back(Output::TellLeg(leg, self.limits.talk));
        self.tell_panel();
        self.stop_ringing(Cancel::Elsewhere { by, opened: false });
    }

    fn leg_declined(&mut self, leg: Leg) {
        self.hear(leg);
        if self.is_offered(leg) {
            let cancel = self.party_mut(leg).and_then(|party| party.stop(Stage::Declined, Cancel::Stopped));
            self.outputs.extend(cancel);
        }
    }

    fn leg_away(&mut self, leg: Leg) {
        let now = self.now;
        if let Some(party) = self.party_mut(leg).filter(|party| !party.leg.is_phone()) {
            party.away.get_or_insert(now);
        }
    }

    fn leg_back(&mut self, leg: Leg) {
        let talk_left = match self.phase {
            Phase::Talking { until, .. } => until.since(self.now),
            _ => Duration::ZERO,
        };
        let Some(party) = self.party_mut(leg).filter(|party| !party.leg.is_phone()) else { return };
        party.away = None;
        let news = match party.stage {
            Stage::Ringing { .. } => {
                party.stage = Stage::Ringing { offered: true };
                Output::Offer(leg)
            }
            Stage::Answered => Output::TellLeg(leg, talk_left),
            _ => return,
        };
        self.outputs.push_back(news);
    }

    fn leg_joined(&mut self, leg: Leg, person: PersonId) {
        if self.party(leg).is_some() {
            return self.leg_back(leg);
        }
        let Phase::Ringing { step: now, .. } = self.phase else { return };
        if leg.is_phone() {
            return;
        }
        let own = self.parties.iter().find(|party| party.person == person).map(|party| party.step);
        let step = own.unwrap_or(self.steps.saturating_sub(1));
        // in a step that is over it waits for good
        let stage = if step == now { Stage::Ringing { offered: true } } else { Stage::Waiting };
        self.parties.push(Party { stage, ..Party::new(leg, person, step) });
        self.outputs.extend((step == now).then_some(Output::Offer(leg)));
    }

    fn leg_gone(&mut self, leg: Leg) {
        let Some(party) = self.party_mut(leg) else { return };
        if party.stage == Stage::Waiting {
            party.stage = Stage::Gone;
        }
        let cancel = party.stop(Stage::Gone, Cancel::Stopped);
        self.outputs.extend(cancel);
    }

    fn leg_opens(&mut self, leg: Leg, request: RequestId, door: DoorId) {
        if self.openings.iter().any(|opening| opening.leg == leg && opening.request == request) {
            return;
        }
        self.hear(leg);
        let may = match self.phase {
            Phase::Ringing { .. } if leg.is_phone() => false,
            Phase::Talking { .. } if leg.is_phone() && self.phone_has_opened() => false,
            Phase::Ringing { step, since } => self.is_offered(leg) && self.now < self.step_until(step, since),
            Phase::Talking { leg: answered, .. } => leg == answered,
            Phase::Over { .. } => false,
        };
        let output = match self.party(leg) {
            Some(party) if may => Output::OpenDoor { leg, person: party.person, request, door },
            _ => Output::RefuseOpen { leg, request, door },
        };
        if may {
            let until = Some(self.now + OPENING_LIFE);
            self.openings.push(Opening { leg, request, until, came_true: false });
        }
        self.outputs.push_back(output);
    }

    /// An opening that came true counts however late its news is: the door is open.
    fn door_outcome(&mut self, request: RequestId, leg: Leg, opened_for: Option<Duration>) {
        let asked = self.openings.iter_mut().find(|opening| opening.leg == leg && opening.request == request);
        let Some(opening) = asked else { return };
        opening.until = None;
        opening.came_true |= opened_for.is_some();
        if opened_for.is_none() || !matches!(self.phase, Phase::Ringing { .. }) {
            return;
        }
        let Some(opener) = self.party_mut(leg) else { return };
        let by = opener.person;
        let cancel = opener.stop(Stage::Passed, Cancel::Ended(EndReason::Opened));
        self.outputs.extend(cancel);
        self.stop_ringing(Cancel::Elsewhere { by, opened: true });
        self.end(EndReason::Opened);
    }

    // --- course ---------------------------------------------------------------------------------------

    /// Does what time and the state of the legs ask for, until nothing more is due.
    fn settle(&mut self) {
        if self.panel_away.is_some_and(|since| self.now >= since + self.limits.away) {
            self.end(EndReason::Interrupted);
        }
        while let Phase::Ringing { step, since } = self.phase {
            if self.opening_until().is_some() {
                return;
            }
            if self.now < self.step_until(step, since) {
                self.end_holding(since);
            }
            let rings = |party: &Party| matches!(party.stage, Stage::Ringing { .. } | Stage::Held);
            let rings = self.parties.iter().any(rings);
            match self.step_after(step) {
                _ if self.now >= self.ring_until => self.end(EndReason::NoAnswer),
                Some(next) if !rings || self.now >= self.step_until(step, since) => self.begin_step(next),
                None if !rings => self.end(self.fruitless()),
                _ => return,
            }
        }
        if let Phase::Talking { leg, until } = self.phase {
            if self.leg_lost_at(leg).is_some_and(|lost| self.now >= lost) {
                self.end(EndReason::Interrupted);
            } else if self.now >= until {
                self.end(EndReason::TimeLimit);
            }
        }
    }

    /// When [`Call::settle`] has something to do next, if nothing else happens.
    fn deadline(&self) -> Option<Mono> {
        let panel_lost = self.panel_away.map(|since| since + self.limits.away);
        let own = match self.phase {
            Phase::Ringing { step, since } => self.opening_until().or_else(|| {
                let held = self.parties.iter().any(|party| party.stage == Stage::Held);
                let silent = held.then_some(since + self.limits.silent);
                silent.into_iter().chain([self.step_until(step, since)]).min()
            }),
            Phase::Talking { leg, until } => self.leg_lost_at(leg).into_iter().chain([until]).min(),
            Phase::Over { .. } => return None,
        };
        own.into_iter().chain(panel_lost).min()
    }

    fn begin_step(&mut self, step: usize) {
        self.stop_ringing(Cancel::Stopped);
        self.phase = Phase::Ringing { step, since: self.now };
        for party in
            self.parties.iter_mut().filter(|party| party.step == step && party.stage == Stage::Waiting)
        {
            if party.when_silent {
                party.stage = Stage::Held;
                continue;
            }
            let offered = party.away.is_none();
            party.stage = Stage::Ringing { offered };
            self.outputs.extend(offered.then_some(Output::Offer(party.leg)));
        }
        self.tell_panel();
    }

    fn stop_ringing(&mut self, why: Cancel) {
        let cancels = self.parties.iter_mut().filter_map(|party| party.stop(Stage::Passed, why));
        self.outputs.extend(cancels);
    }

    /// The one way to [`Phase::Over`]. `Ended` itself is said by [`Call::poll`], after everything else.
    fn end(&mut self, reason: EndReason) {
        match self.phase {
            Phase::Over { .. } => return,
            Phase::Talking { leg, .. } => {
                if let Some(party) = self.party_mut(leg) {
                    party.stage = Stage::Passed;
                }
                self.outputs.push_back(Output::Unbridge(leg));
                self.outputs.push_back(Output::Cancel(leg, Cancel::Ended(reason)));
            }
            Phase::Ringing { .. } => self.stop_ringing(Cancel::Ended(reason)),
        }
        self.phase = Phase::Over { reason, told: false };
    }

    fn tell_panel(&mut self) {
        self.told_phone = self.rings_phone();
        self.outputs.extend(self.panel_view(self.now).map(Output::TellPanel));
    }

    // --- questions ------------------------------------------------------------------------------------

    fn party(&self, leg: Leg) -> Option<&Party> {
        self.parties.iter().find(|party| party.leg == leg)
    }

    fn party_mut(&mut self, leg: Leg) -> Option<&mut Party> {
        self.parties.iter_mut().find(|party| party.leg == leg)
    }

    /// It was told to ring, and not yet to stop.
    fn is_offered(&self, leg: Leg) -> bool {
        self.party(leg).is_some_and(|party| party.stage == Stage::Ringing { offered: true })
    }

    fn step_after(&self, step: usize) -> Option<usize> {
        let mut later =
            self.parties.iter().filter(|party| party.step > step && party.stage == Stage::Waiting);
        later.next().map(|party| party.step)
    }

    /// When a step that began at `since` is over, openings aside.
    fn step_until(&self, step: usize, since: Mono) -> Mono {
        match self.step_after(step) {
            Some(_) => self.ring_until.min(since + self.limits.step),
            None => self.ring_until,
        }
    }

    /// Until when an opening holds the time of ringing; `None` when none is under way.
    fn opening_until(&self) -> Option<Mono> {
        self.openings.iter().filter_map(|opening| opening.until).filter(|until| *until > self.now).max()
    }

    /// When an answering leg that is away is lost.
    fn leg_lost_at(&self, leg: Leg) -> Option<Mono> {
        self.party(leg)?.away.map(|since| since + self.limits.away)
    }

    /// Why a call ends in which nobody is left to be rung.
    fn fruitless(&self) -> EndReason {
        let any = |stage| self.parties.iter().any(|party| party.stage == stage);
        if any(Stage::Passed) {
            EndReason::NoAnswer
        } else if any(Stage::Declined) {
            EndReason::Declined
        } else {
            EndReason::Unreachable
        }
    }
}
