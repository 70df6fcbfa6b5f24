//! A hundred thousand random questions, asked of both.

use crate::cedar::Cedar;
use crate::random::{Dice, hash, question, world};
use klinke_access::decide::{Cause, Decision, Reason, Request, decide};
use klinke_access::snapshot::{build, compile};
use std::collections::BTreeMap;

/// Worlds of a turn, and questions in each.
const WORLDS: u64 = 250;
const QUESTIONS: u64 = 100;

/// One turn: other seeds than the others'. Panics at the first disagreement, with the seed of its world.
fn agree(turn: u64) -> BTreeMap<Option<Reason>, u64> {
    let mut told = BTreeMap::new();
    for seed in turn * WORLDS..(turn + 1) * WORLDS {
        let mut dice = Dice::new(seed);
        let plan = world(&mut dice);
        let cedar = Cedar::of(&plan);
        let (manifest, shards) = build(&plan);
        let rights = compile(manifest, &shards).unwrap();
        for _ in 0..QUESTIONS {
            let (credential, asked) = question(&mut dice, &plan);
            let (facts, _) = rights.facts_at(hash(credential), &asked).unwrap();
            let reason = match decide(&Request { cause: Cause::AtDoor }, &facts) {
                Decision::Granted { .. } => None,
                Decision::Denied(reason) => Some(reason),
            };
            let opens = cedar.opens(&plan, credential, &asked);
            assert_eq!(
                reason.is_none(),
                opens,
                "seed {seed}: {reason:?}, card {credential}, {asked:?}\n{plan:#?}"
            );
            *told.entry(reason).or_default() += 1;
        }
    }
    told
}

/// Both say the same, and neither says it only because everything is refused: there are grants, and every reason that
/// a card at a door can have.
fn agree_and_say_it_all(turn: u64) {
    let told = agree(turn);
    let granted = told.get(&None).copied().unwrap_or_default();
    assert!(granted > WORLDS * QUESTIONS / 50, "{told:?}");
    let elsewhere = [Reason::DoorNotOfCall, Reason::DoorTimesInvalid];
    let missing: Vec<_> = Reason::ALL
        .iter()
        .filter(|reason| !elsewhere.contains(reason) && !told.contains_key(&Some(**reason)))
        .collect();
    assert!(missing.is_empty(), "never told: {missing:?}, of {told:?}");
}

#[test]
fn cedar_agrees_on_25_000_questions() {
    agree_and_say_it_all(0);
}

#[test]
fn cedar_agrees_on_25_000_others() {
    agree_and_say_it_all(1);
}

#[test]
fn cedar_agrees_on_25_000_more() {
    agree_and_say_it_all(2);
}

#[test]
fn cedar_agrees_on_the_last_25_000() {
    agree_and_say_it_all(3);
}
