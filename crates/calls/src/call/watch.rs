//! What anybody outside can tell of a call: the plan, the inputs and the outputs.
//!
//! [`Watch`] knows nothing of the machine's inside. It keeps the few facts that follow from the trace (who was
//! offered, cancelled, bridged; what was asked for; who is away since when) and checks every output, every
//! silence and every deadline by them. Of a telephone it asks what the head of [`super`] says beyond any other leg.

use super::*;
use crate::testing::device;
use klinke_model::ids::PersonId;
use std::collections::{BTreeMap, BTreeSet};

/// Devices 0 to 5 can be in a plan; 6 and 7 can only join.
pub(super) const DEVICES: u8 = 8;

/// What the trace has shown so far.
#[derive(Clone)]
pub(super) struct Watch {
    limits: Limits,
    start: Mono,
    pub(super) now: Mono,
    /// Person and step of every leg.
    plan: BTreeMap<Leg, (PersonId, usize)>,
    /// Telephones that wait for silence.
    waits: BTreeSet<Leg>,
    /// People of whom a device has said something.
    heard: BTreeSet<PersonId>,
    /// Whose telephone's wait was over when the input came, whatever the input says.
    silent: BTreeSet<Leg>,
    steps: usize,
    step: usize,
    step_since: Mono,
    pub(super) offered: BTreeSet<Leg>,
    pub(super) cancelled: BTreeSet<Leg>,
    declined: BTreeSet<Leg>,
    gone: BTreeSet<Leg>,
    /// Their step was over by time, before they said anything.
    passed: BTreeSet<Leg>,
    /// The step whose time was over when the input came, whatever the input says of who waits behind it.
    due: Option<usize>,
    away: BTreeMap<Leg, Mono>,
    panel_away: Option<Mono>,
    reached: bool,
    /// The panel was told that a telephone rings.
    told_phone: bool,
    /// And until when it may talk.
    bridged: Option<(Leg, Mono)>,
    was_bridged: bool,
    /// Openings passed on, and until when they are under way.
    pub(super) asked: BTreeMap<(Leg, RequestId), Option<Mono>>,
    /// A telephone has opened the door.
    phone_opened: bool,
    pub(super) wait: Option<Mono>,
    ended: Option<EndReason>,
}

/// The device that says by this input that it lives.
fn spoke(input: Option<Input>) -> Option<Leg> {
    match input? {
        Input::LegRinging(leg)
        | Input::LegDeclined(leg)
        | Input::LegHungUp(leg)
        | Input::LegOpens { leg, .. } => Some(leg).filter(|leg| !leg.is_phone()),
        _ => None,
    }
}

impl Watch {
    pub(super) fn new(plan: &RingPlan, limits: Limits, start: Mono) -> Self {
        let steps = plan.steps().iter().enumerate();
        let legs = steps.flat_map(|(n, step)| step.legs.iter().map(move |(leg, who)| (*leg, (*who, n))));
        Self {
            limits,
            start,
            now: start,
            plan: legs.collect(),
            waits: plan.steps().iter().flat_map(|step| step.when_silent.iter().copied()).collect(),
            heard: BTreeSet::new(),
            silent: BTreeSet::new(),
            steps: plan.steps().len(),
            step: 0,
            step_since: start,
            offered: BTreeSet::new(),
            cancelled: BTreeSet::new(),
            declined: BTreeSet::new(),
            gone: BTreeSet::new(),
            passed: BTreeSet::new(),
            due: None,
            away: BTreeMap::new(),
            panel_away: None,
            reached: false,
            told_phone: false,
            bridged: None,
            was_bridged: false,
            asked: BTreeMap::new(),
            phone_opened: false,
            wait: None,
            ended: None,
        }
    }

    fn person(&self, leg: Leg) -> PersonId {
        self.plan[&leg].0
    }

    /// Offered and not cancelled: it rings, or it has answered.
    fn lives(&self, leg: Leg) -> bool {
        self.offered.contains(&leg) && !self.cancelled.contains(&leg)
    }

    fn holds(&self, leg: Leg) -> bool {
        self.bridged.is_some_and(|(bridged, _)| bridged == leg)
    }

    fn opening(&self) -> bool {
        self.asked.values().flatten().any(|until| *until > self.now)
    }

    /// A telephone rings just now.
    fn phone_rings(&self) -> bool {
        self.bridged.is_none() && self.plan.keys().any(|leg| leg.is_phone() && self.lives(*leg))
    }

    /// A telephone that will not be rung: a device of its person was heard before.
    fn spared(&self, leg: Leg) -> bool {
        self.waits.contains(&leg) && !self.offered.contains(&leg) && self.heard.contains(&self.person(leg))
    }

    /// It may ring: nobody is heard, and it was not given up.
    fn wait_is_over(&self, leg: Leg) -> bool {
        self.is_silent(leg) && !self.gone.contains(&leg)
    }

    /// Its step is on, and its person's devices have been silent for long enough, or none can speak any more.
    fn is_silent(&self, leg: Leg) -> bool {
        let (person, step) = self.plan[&leg];
        let out =
            |device| [&self.cancelled, &self.declined, &self.gone].iter().any(|out| out.contains(device));
        let mut devices = self
            .plan
            .iter()
            .filter(|(leg, (who, n))| !leg.is_phone() && (*who, *n) == (person, self.step) && !out(*leg));
        let is_over = self.now >= self.step_since + self.limits.silent || devices.next().is_none();
        step == self.step && is_over && !self.heard.contains(&person)
    }

    fn ring_until(&self) -> Mono {
        self.start + self.limits.ring
    }

    /// No leg of a step can ring any more.
    fn spent(&self, step: usize) -> bool {
        let mut legs = self.plan.iter().filter(|(_, (_, n))| *n == step).map(|(leg, _)| leg);
        legs.all(|leg| {
            self.spared(*leg)
                || [&self.cancelled, &self.declined, &self.gone].iter().any(|out| out.contains(leg))
        })
    }

    /// Somebody waits behind this step, and its time has come.
    fn step_is_over(&self) -> bool {
        let mut later =
            self.plan.iter().filter(|(leg, (_, step))| *step > self.step && !self.gone.contains(leg));
        later.next().is_some() && self.now >= self.step_since + self.limits.step && !self.opening()
    }

    fn lost(&self, since: Option<Mono>) -> bool {
        since.is_some_and(|since| self.now >= since + self.limits.away)
    }

    /// The panel or the answering leg has been away too long.
    fn interrupted(&self) -> bool {
        let answering = self.bridged.and_then(|(leg, _)| self.away.get(&leg).copied());
        self.lost(self.panel_away) || self.lost(answering)
    }

    /// Gives the call one input (`None`: it was just made), drains it and checks all it said.
    pub(super) fn observe(&mut self, call: &mut Call, input: Option<Input>, now: Mono) -> Vec<Output> {
        self.now = self.now.max(now);
        let before = self.clone();
        if let Some(input) = input {
            call.handle(input, now);
        }
        let outputs: Vec<Output> = std::iter::from_fn(|| match call.poll() {
            Poll::Output(output) => Some(output),
            Poll::Wait(_) => None,
        })
        .take(1_000)
        .collect();
        if before.ended.is_some() {
            assert_eq!(outputs, [], "nothing after the end");
            assert_eq!(call.poll(), Poll::Wait(None));
            return outputs;
        }
        self.note_before(input);
        for output in &outputs {
            assert_eq!(self.ended, None, "ended is the last output");
            self.check_output(&before, input, output);
        }
        self.note_after(input);
        if let Some(input) = input {
            self.check_answer(&before, input, &outputs);
        }
        let Poll::Wait(wait) = call.poll() else { panic!("not drained") };
        self.wait = wait;
        self.check_rest(&before, input, call);
        outputs
    }

    /// In the order in which it counts: an outcome lets go of the step's time, what is due comes before the rest.
    fn note_before(&mut self, input: Option<Input>) {
        if let Some(Input::DoorOutcome { request, leg, .. }) = input {
            self.asked.entry((leg, request)).and_modify(|until| *until = None);
        }
        if let Some(Input::DoorOutcome { request, leg, opened_for: Some(_) }) = input
            && leg.is_phone()
            && self.asked.contains_key(&(leg, request))
        {
            self.phone_opened = true;
        }
        self.due = None;
        if self.bridged.is_none() && self.step_is_over() {
            self.due = Some(self.step);
            let step = self.plan.iter().filter(|(_, (_, step))| *step == self.step).map(|(leg, _)| *leg);
            let spoke =
                |leg: &Leg| self.declined.contains(leg) || self.gone.contains(leg) || self.spared(*leg);
            let passed: Vec<Leg> = step.filter(|leg| !spoke(leg)).collect();
            self.passed.extend(passed);
        }
        self.silent = self.waits.iter().copied().filter(|leg| self.wait_is_over(*leg)).collect();
        if let Some(leg) = spoke(input)
            && self.lives(leg)
            && !self.passed.contains(&leg)
        {
            self.heard.insert(self.person(leg));
        }
        if let Some(Input::LegGone(leg) | Input::LegSpent(leg)) = input
            && self.plan.contains_key(&leg)
        {
            self.gone.insert(leg);
        }
    }

    /// A leg joins with its person, or with the last step.
    fn note_joined(&mut self, input: Option<Input>) {
        if let Some(Input::LegJoined { leg, person }) = input
            && !leg.is_phone()
            && self.bridged.is_none()
            && self.ended.is_none()
        {
            let own = self.plan.values().find(|(known, _)| *known == person).map(|(_, step)| *step);
            self.plan.entry(leg).or_insert((person, own.unwrap_or(self.steps.saturating_sub(1))));
        }
    }

    fn note_after(&mut self, input: Option<Input>) {
        self.note_joined(input);
        match input {
            // a telephone has no connection that could be lost
            Some(Input::LegAway(leg)) if leg.is_phone() => {}
            Some(Input::LegAway(leg)) => _ = self.away.entry(leg).or_insert(self.now),
            Some(Input::LegBack(leg) | Input::LegJoined { leg, .. }) => _ = self.away.remove(&leg),
            Some(Input::PanelAway) => _ = self.panel_away.get_or_insert(self.now),
            Some(Input::PanelBack) => self.panel_away = None,
            _ => {}
        }
    }

    fn check_output(&mut self, before: &Self, input: Option<Input>, output: &Output) {
        match *output {
            Output::Offer(leg) => {
                // not before: a step that is due goes over before the leg comes
                if matches!(input, Some(Input::LegJoined { leg: joined, .. }) if joined == leg) {
                    self.note_joined(input);
                }
                let came_back = matches!(input, Some(Input::LegBack(back) | Input::LegJoined { leg: back, .. }) if back == leg);
                assert!(!self.cancelled.contains(&leg), "offered after its cancel");
                assert!(!before.gone.contains(&leg), "offered though gone");
                assert_eq!(self.bridged, None, "offered while another talks");
                assert!(came_back && !leg.is_phone() || !self.offered.contains(&leg), "offered twice");
                assert!(came_back || !before.away.contains_key(&leg), "offered while away");
                let step = self.plan[&leg].1;
                if step > self.step {
                    self.check_step_may_end();
                    (self.step, self.step_since) = (step, self.now);
                }
                assert_eq!(step, self.step, "offered out of turn");
                if self.waits.contains(&leg) {
                    // what gives it up with this input came after the time that brought its turn
                    assert!(self.silent.contains(&leg) || self.is_silent(leg), "rung though not silent");
                    assert!(!self.opening(), "rung while a door is being opened");
                }
                self.offered.insert(leg);
                // the time that brought its turn came before what it says
                if spoke(input) == Some(leg) {
                    self.heard.insert(self.person(leg));
                }
            }
            Output::Cancel(leg, why) => {
                assert!(self.offered.contains(&leg), "cancelled, never offered");
                assert!(!self.holds(leg), "cancelled before its unbridge");
                assert!(self.cancelled.insert(leg), "cancelled twice");
                let said_no = [Input::LegDeclined(leg), Input::LegHungUp(leg)].map(Some).contains(&input);
                if why == Cancel::Stopped && said_no && !self.passed.contains(&leg) {
                    self.declined.insert(leg);
                }
                self.check_cancel(input, leg, why);
            }
            Output::Bridge(leg) => {
                assert_eq!(input, Some(Input::LegAccepted(leg)));
                assert!(self.lives(leg), "bridged without being rung");
                assert!(!self.was_bridged, "bridged twice");
                self.bridged = Some((leg, self.now + self.limits.talk));
                self.was_bridged = true;
                self.away.remove(&leg);
            }
            Output::Unbridge(leg) => {
                assert!(self.holds(leg), "unbridged, not bridged");
                self.bridged = None;
            }
            Output::TellPanel(PanelView::Calling { step, steps, reached, phone, left }) => {
                assert_eq!(phone, self.phone_rings(), "a telephone rings");
                self.told_phone = phone;
                assert_eq!(self.bridged, None);
                let step = usize::from(step) - 1;
                assert!(step >= self.step, "back in the sequence");
                if step > self.step {
                    self.check_step_may_end();
                    (self.step, self.step_since) = (step, self.now);
                }
                let rings = matches!(input, Some(Input::LegRinging(leg)) if self.lives(leg));
                assert!(if reached { self.reached || rings } else { !self.reached }, "reached");
                self.reached = reached;
                assert_eq!((usize::from(steps), left), (self.steps, self.ring_until().since(self.now)));
            }
            Output::TellPanel(PanelView::Connected { left }) => {
                assert_eq!(left, self.bridged.expect("nobody answered").1.since(self.now));
            }
            Output::TellLeg(leg, left) => {
                let (bridged, until) = self.bridged.expect("nobody answered");
                assert_eq!((leg, left), (bridged, until.since(self.now)));
            }
            Output::OpenDoor { leg, person, request, door } => {
                assert_eq!(input, Some(Input::LegOpens { leg, request, door }));
                assert_eq!(person, self.person(leg));
                assert!(self.lives(leg) && (self.bridged.is_none() || self.holds(leg)), "may not open");
                assert!(self.holds(leg) || self.now < self.ring_until(), "opening begun after ring time");
                if leg.is_phone() {
                    assert!(self.holds(leg), "opened by a telephone that nobody answered");
                    let under_way =
                        before.asked.iter().any(|((by, _), until)| by.is_phone() && *until > Some(self.now));
                    assert!(!under_way && !before.phone_opened, "a second opening by telephone");
                }
                let twice = self.asked.insert((leg, request), Some(self.now + OPENING_LIFE));
                assert_eq!(twice, None, "asked twice");
            }
            Output::RefuseOpen { leg, request, door } => {
                assert_eq!(input, Some(Input::LegOpens { leg, request, door }));
            }
            Output::Ended(reason) => {
                self.check_end(before, input, reason);
                self.ended = Some(reason);
            }
        }
    }

    fn check_step_may_end(&self) {
        let due = self.due == Some(self.step);
        assert!(due || self.step_is_over() || self.spent(self.step), "next step too soon");
        assert!(!self.opening(), "next step while an opening is under way");
    }

    fn check_cancel(&self, input: Option<Input>, leg: Leg, why: Cancel) {
        match why {
            Cancel::Elsewhere { by, opened: false } => {
                let Some(Input::LegAccepted(first)) = input else { panic!("answered by nobody") };
                assert!(self.holds(first) && first != leg);
                assert_eq!(by, self.person(first));
            }
            Cancel::Elsewhere { by, opened: true } => {
                let Some(Input::DoorOutcome { leg: opener, opened_for: Some(_), request }) = input else {
                    panic!("opened by nobody")
                };
                assert!(self.asked.contains_key(&(opener, request)) && opener != leg);
                assert_eq!(by, self.person(opener));
            }
            Cancel::Stopped => assert!(!self.was_bridged, "stopped after the answer"),
            // whether the reason is the call's own is seen in `check_rest`
            Cancel::Ended(_) => {}
        }
    }

    fn check_end(&self, before: &Self, input: Option<Input>, reason: EndReason) {
        assert_eq!(self.bridged, None, "ended while bridged");
        assert!(self.offered.is_subset(&self.cancelled), "ended with a leg that rings");
        let fruitless = before.bridged.is_none() && !self.opening();
        let time = self.now >= self.ring_until();
        let refused = |leg| self.declined.contains(leg) || self.gone.contains(leg) || self.spared(*leg);
        let nobody_left =
            self.plan.iter().filter(|(_, (_, step))| *step >= self.step).all(|(leg, _)| refused(leg));
        match reason {
            EndReason::NoAnswer => assert!(fruitless && (time || nobody_left && !self.passed.is_empty())),
            EndReason::Declined => {
                assert!(fruitless && nobody_left && self.passed.is_empty() && !self.declined.is_empty());
            }
            EndReason::Unreachable => {
                assert!(fruitless && nobody_left && self.passed.is_empty() && self.declined.is_empty());
            }
            EndReason::VisitorLeft => assert_eq!(input, Some(Input::VisitorHungUp)),
            EndReason::ResidentHungUp => {
                assert!(matches!(input, Some(Input::LegHungUp(leg)) if before.holds(leg)));
            }
            EndReason::TimeLimit => {
                let spent = matches!(input, Some(Input::LegSpent(leg)) if before.holds(leg));
                assert!(spent || before.bridged.is_some_and(|(_, until)| self.now >= until));
            }
            EndReason::Opened => {
                let Some(Input::DoorOutcome { leg, request, opened_for: Some(_) }) = input else {
                    panic!("opened by nobody")
                };
                assert!(before.asked.contains_key(&(leg, request)) && before.bridged.is_none());
            }
            EndReason::Interrupted => {
                let gone = matches!(input, Some(Input::LegGone(leg)) if before.holds(leg));
                assert!(gone || input == Some(Input::Shutdown) || before.interrupted());
            }
        }
    }

    /// What this input must bring, when nothing was due before it.
    fn check_answer(&self, before: &Self, input: Input, outputs: &[Output]) {
        let on_time = before.wait.is_none_or(|wait| self.now < wait);
        let rang = |leg| before.lives(leg) && before.bridged.is_none();
        let answers =
            outputs.iter().filter(|o| matches!(o, Output::OpenDoor { .. } | Output::RefuseOpen { .. }));
        let answers: Vec<_> = answers.collect();
        if let Input::LegOpens { leg, request, .. } = input {
            let known = before.asked.contains_key(&(leg, request));
            assert_eq!(answers.len(), usize::from(!known), "every request has one answer");
            // while another opening holds the time, whether this one may begin is the rule tests' to say
            let may = if leg.is_phone() { before.holds(leg) && !before.phone_opened } else { rang(leg) };
            if on_time && !before.opening() && !known && (may || before.holds(leg) && !leg.is_phone()) {
                assert!(matches!(answers[..], [Output::OpenDoor { .. }]), "refused whom it rings");
            }
        } else {
            assert_eq!(answers.len(), 0, "an answer nobody asked for");
        }
        if !on_time {
            return;
        }
        match input {
            Input::LegAccepted(leg) if rang(leg) => assert!(self.holds(leg), "an answer that nobody heard"),
            Input::LegDeclined(leg) | Input::LegHungUp(leg) if rang(leg) => {
                assert!(self.cancelled.contains(&leg));
            }
            Input::LegAway(leg) | Input::LegBack(leg) | Input::LegJoined { leg, .. } if leg.is_phone() => {
                assert_eq!(outputs, [], "it has no connection");
            }
            Input::LegBack(leg) if rang(leg) => assert!(outputs.contains(&Output::Offer(leg))),
            Input::LegBack(leg) if before.holds(leg) => assert!(matches!(outputs, [Output::TellLeg(..)])),
            Input::LegJoined { leg, .. } if before.bridged.is_none() && !before.plan.contains_key(&leg) => {
                let turn = self.plan[&leg].1;
                assert_eq!(
                    outputs.contains(&Output::Offer(leg)),
                    turn == self.step,
                    "whose turn it is, rings"
                );
            }
            Input::LegRinging(leg) if rang(leg) => assert!(self.reached),
            Input::PanelBack => assert!(matches!(outputs, [Output::TellPanel(_)])),
            Input::LegHungUp(leg) if before.holds(leg) => {
                assert_eq!(self.ended, Some(EndReason::ResidentHungUp));
            }
            Input::LegGone(leg) if before.holds(leg) => assert_eq!(self.ended, Some(EndReason::Interrupted)),
            Input::LegSpent(leg) if before.holds(leg) => assert_eq!(self.ended, Some(EndReason::TimeLimit)),
            Input::VisitorHungUp => assert_eq!(self.ended, Some(EndReason::VisitorLeft)),
            Input::Shutdown => assert_eq!(self.ended, Some(EndReason::Interrupted)),
            Input::DoorOutcome { leg, request, opened_for: Some(_) }
                if before.bridged.is_none() && before.asked.contains_key(&(leg, request)) =>
            {
                assert_eq!(self.ended, Some(EndReason::Opened));
                assert!(outputs.iter().all(|output| match *output {
                    Output::Cancel(who, Cancel::Ended(_)) => who == leg,
                    Output::Cancel(who, why) => {
                        who != leg && why == Cancel::Elsewhere { by: self.person(leg), opened: true }
                    }
                    _ => true,
                }));
            }
            _ => {}
        }
    }

    /// What holds between inputs.
    fn check_rest(&self, before: &Self, input: Option<Input>, call: &Call) {
        assert_eq!(self.wait.is_none(), self.ended.is_some(), "waits exactly while it lives");
        assert_eq!(call.end_reason(), self.ended);
        assert_eq!(call.bridged(), self.bridged.map(|(leg, _)| leg));
        assert_eq!(call.panel_view(self.now).is_none(), self.ended.is_some());
        let ringing = |leg| matches!(call.leg_view(leg, self.now), Some(LegView::Ringing { .. }));
        let phones = self.plan.keys().copied().filter(|leg| leg.is_phone());
        for leg in (0..DEVICES).map(device).chain(phones) {
            let views = call.leg_view(leg, self.now).is_some();
            assert!(views || !self.lives(leg), "rings without a view");
            assert!(!views || self.lives(leg) || self.away.contains_key(&leg), "a view without ringing");
        }
        if self.ended.is_some() {
            return;
        }
        assert!(self.wait > Some(self.now), "a deadline that is over");
        assert!(!before.interrupted() && !self.interrupted(), "outlived a loss");
        if let Some((leg, until)) = self.bridged {
            assert!(self.now < until, "outlived the talk time");
            assert!(
                self.plan.keys().all(|other| *other == leg || !self.lives(*other)),
                "rings beside a talk"
            );
            return;
        }
        assert_eq!(self.told_phone, self.phone_rings(), "the panel knows whether a telephone rings");
        if self.opening() {
            return;
        }
        let mut waits = self.waits.difference(&self.offered);
        assert!(
            waits.all(|leg| !self.wait_is_over(*leg)),
            "nobody is heard, and the telephone does not ring"
        );
        assert!(self.now < self.ring_until(), "outlived the ring time");
        assert!(self.plan.keys().any(|leg| ringing(*leg)), "rings nobody, {input:?}");
        assert!(!self.step_is_over(), "a step outlived its time");
    }
}
