//! Random histories of a call, watched from outside ([`Watch`]).

use super::watch::{DEVICES, Watch};
use super::*;
use crate::plan::{Member, PhoneRule};
use crate::testing::{at_ms, device, door, member, person, phone, request};
use klinke_model::intercom::BellKind;
use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRunner};
use std::cell::RefCell;
use std::collections::HashMap;

// --- what happens -------------------------------------------------------------------------------------

/// When the next input comes.
#[derive(Clone, Copy, Debug)]
enum When {
    /// So many ms later.
    After(u64),
    /// So many ms earlier than the time before.
    Before(u64),
    /// At the deadline of the last `Wait`, give or take a ms.
    Deadline(i64),
}

/// What comes.
#[derive(Clone, Copy, Debug)]
enum What {
    /// This.
    Plain(Input),
    /// This, from the n-th of the legs that ring or talk now, when there is one.
    Aimed(Input, usize),
    /// The outcome of an opening that is under way, when one is.
    Outcome { opened: bool },
}

#[derive(Clone, Debug)]
struct History {
    kind: BellKind,
    members: Vec<Member>,
    limits: Limits,
    inputs: Vec<(When, What)>,
}

fn whens() -> impl Strategy<Value = When> {
    prop_oneof![
        8 => Just(When::After(0)),
       12 => (1..3_000u64).prop_map(When::After),
        1 => (1..100_000u64).prop_map(When::After),
        1 => (1..30_000u64).prop_map(When::Before),
        2 => (-1..=1i64).prop_map(When::Deadline),
    ]
}

fn inputs() -> impl Strategy<Value = Input> {
    let leg = || prop_oneof![4 => (0..DEVICES).prop_map(device), 1 => (99..106u8).prop_map(phone)];
    let ask = || (0..4u8).prop_map(request);
    let outcome = (ask(), leg(), any::<bool>());
    prop_oneof![
        6 => leg().prop_map(Input::LegRinging),
        6 => leg().prop_map(Input::LegAccepted),
        6 => leg().prop_map(Input::LegDeclined),
        3 => leg().prop_map(Input::LegHungUp),
        1 => leg().prop_map(Input::LegSpent),
        8 => leg().prop_map(Input::LegAway),
        8 => leg().prop_map(Input::LegBack),
        4 => (leg(), 99..106u8).prop_map(|(leg, n)| Input::LegJoined { leg, person: person(n) }),
        3 => leg().prop_map(Input::LegGone),
        10 => (leg(), ask(), 0..2u8).prop_map(|(leg, request, n)| Input::LegOpens { leg, request, door: door(n) }),
        4 => outcome.prop_map(|(request, leg, opened)| Input::DoorOutcome {
            request,
            leg,
            opened_for: opened.then_some(Duration::from_secs(5)),
        }),
        1 => Just(Input::VisitorHungUp),
        4 => Just(Input::PanelAway),
        6 => Just(Input::PanelBack),
        5 => Just(Input::Tick),
        1 => Just(Input::Shutdown),
    ]
}

fn whats() -> impl Strategy<Value = What> {
    prop_oneof![
        4 => inputs().prop_map(What::Plain),
        8 => (inputs(), 0..4usize).prop_map(|(input, nth)| What::Aimed(input, nth)),
        1 => any::<bool>().prop_map(|opened| What::Outcome { opened }),
    ]
}

fn histories() -> impl Strategy<Value = History> {
    use BellKind::{Family, Individual, Parallel, Sequential};
    let kind = prop::sample::select(vec![Individual, Sequential, Sequential, Parallel, Family]);
    let rules =
        vec![None, Some(PhoneRule::WithoutDevice), Some(PhoneRule::WhenSilent), Some(PhoneRule::Both)];
    let one = (prop::collection::vec(0..6u8, 0..4), prop::sample::select(rules));
    let members = prop::collection::vec(one, 0..6);
    let limit = |most: u64| (1..most).prop_map(Duration::from_secs);
    let limits = (limit(60), limit(120), limit(20), limit(10), limit(6));
    let limits =
        limits.prop_map(|(ring, talk, step, away, silent)| Limits { ring, talk, step, away, silent });
    let limits = prop_oneof![Just(Limits::default()), limits];
    (kind, members, limits, prop::collection::vec((whens(), whats()), 0..40)).prop_map(
        |(kind, members, limits, inputs)| {
            let member = |(n, (devices, rule)): (u8, (Vec<u8>, _))| member(n, &devices, rule);
            History { kind, members: (100..).zip(members).map(member).collect(), limits, inputs }
        },
    )
}

// --- how it goes --------------------------------------------------------------------------------------

/// The same input from another leg.
fn from(input: Input, leg: Leg) -> Input {
    match input {
        Input::LegRinging(_) => Input::LegRinging(leg),
        Input::LegAccepted(_) => Input::LegAccepted(leg),
        Input::LegDeclined(_) => Input::LegDeclined(leg),
        Input::LegHungUp(_) => Input::LegHungUp(leg),
        Input::LegSpent(_) => Input::LegSpent(leg),
        Input::LegAway(_) => Input::LegAway(leg),
        Input::LegBack(_) => Input::LegBack(leg),
        Input::LegJoined { person, .. } => Input::LegJoined { leg, person },
        Input::LegGone(_) => Input::LegGone(leg),
        Input::LegOpens { request, door, .. } => Input::LegOpens { leg, request, door },
        other => other,
    }
}

/// What a history's step comes down to, where the call stands now.
fn input(watch: &Watch, what: What) -> Input {
    match what {
        What::Plain(input) => input,
        What::Aimed(input, nth) => {
            let live: Vec<_> = watch.offered.difference(&watch.cancelled).collect();
            live.get(nth % live.len().max(1)).map_or(input, |leg| from(input, **leg))
        }
        What::Outcome { opened } => {
            let mut under_way = watch.asked.iter().filter(|(_, until)| until.is_some());
            let opened_for = opened.then_some(Duration::from_secs(5));
            under_way.next().map_or(Input::Tick, |(&(leg, request), _)| Input::DoorOutcome {
                request,
                leg,
                opened_for,
            })
        }
    }
}

/// Plays a history, ticks the call to its end, and tells what was said.
fn play(history: &History) -> Vec<Output> {
    let start = at_ms(0);
    let plan = RingPlan::new(history.kind, &history.members, None);
    let mut watch = Watch::new(&plan, history.limits, start);
    let mut call = Call::new(plan, history.limits, start);
    let mut trace = watch.observe(&mut call, None, start);
    let mut now = start;
    for (when, what) in &history.inputs {
        now = match *when {
            When::After(ms) => now + Duration::from_millis(ms),
            When::Before(ms) => Mono::from_millis(now.as_millis().saturating_sub(ms)),
            When::Deadline(by) => {
                watch.wait.map_or(now, |wait| Mono::from_millis(wait.as_millis().saturating_add_signed(by)))
            }
        };
        let input = input(&watch, *what);
        trace.extend(watch.observe(&mut call, Some(input), now));
    }
    let longest = history.limits.ring + OPENING_LIFE + history.limits.talk;
    let mut ticks = 0;
    while let Some(wait) = watch.wait {
        assert!(wait <= start + longest || wait <= watch.now + longest, "ends in bounded time");
        trace.extend(watch.observe(&mut call, Some(Input::Tick), wait));
        ticks += 1;
        assert!(ticks < 50, "ends in a bounded number of steps");
    }
    trace
}

/// The name of an output, for counting.
fn name(output: &Output) -> String {
    let name = match output {
        Output::Cancel(_, Cancel::Elsewhere { opened, .. }) => format!("Elsewhere opened {opened}"),
        Output::Offer(leg) if leg.is_phone() => "Offer a phone".to_owned(),
        Output::Bridge(leg) if leg.is_phone() => "Bridge a phone".to_owned(),
        Output::OpenDoor { leg, .. } if leg.is_phone() => "Open by phone".to_owned(),
        Output::RefuseOpen { leg, .. } if leg.is_phone() => "Refuse a phone".to_owned(),
        Output::Cancel(_, Cancel::Stopped) => "Stopped".to_owned(),
        Output::Ended(reason) => format!("{reason:?}"),
        other => format!("{other:?}"),
    };
    name.split(['(', '{']).next().unwrap_or_default().trim().to_owned()
}

#[test]
fn the_invariants_hold_over_ten_thousand_random_histories() {
    let counts = RefCell::new(HashMap::<String, u32>::new());
    // an unoptimised ChaCha would take most of the time
    let rng_algorithm = RngAlgorithm::XorShift;
    let config = ProptestConfig {
        cases: 10_000,
        failure_persistence: None,
        rng_algorithm,
        ..ProptestConfig::default()
    };
    let outcome = TestRunner::new(config).run(&histories(), |history| {
        for output in play(&history) {
            *counts.borrow_mut().entry(name(&output)).or_default() += 1;
        }
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
    // the histories reach every corner, so a pass means something
    let counts = counts.into_inner();
    for corner in [
        "Offer",
        "Offer a phone",
        "Bridge",
        "Bridge a phone",
        "Open by phone",
        "Refuse a phone",
        "Unbridge",
        "TellPanel",
        "TellLeg",
        "OpenDoor",
        "RefuseOpen",
        "Stopped",
        "Elsewhere opened false",
        "Elsewhere opened true",
        "Declined",
        "NoAnswer",
        "Unreachable",
        "VisitorLeft",
        "ResidentHungUp",
        "TimeLimit",
        "Opened",
        "Interrupted",
    ] {
        let seen = counts.get(corner).copied().unwrap_or(0);
        assert!(seen >= 50, "{corner}: {seen} of 10,000 histories\n{counts:#?}");
    }
}
