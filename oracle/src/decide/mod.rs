//! The decision at a door: how long ours takes beside Cedar and casbin on the same rules, and what a snapshot costs.
//!
//! The same house for all three: 10,000 people with a card each, 64 doors, 100 levels of about 10 doors with hours of
//! their own, three levels a person. Cedar answers with hours; casbin has none, so it and ours are asked without them.
//! All answers are compared.

mod house;
mod peers;

use crate::{Result, figures};
use house::{House, Question};
use klinke_access::decide::{Cause, Decision, Order, Request, decide};
use klinke_access::snapshot::{AtDoor, Plan, Rights, build, compile};
use klinke_access::standing::ClockTrust;
use klinke_model::door::DoorMode;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::hint::black_box;
use std::time::Duration;

/// Decisions of ours that are timed; each a batch of [`BATCH`], since one is shorter than reading the clock.
const OURS: usize = 20_000;
const BATCH: u32 = 16;
/// Cards in a large town's snapshot.
const LARGE: usize = 250_000;

/// One run.
pub async fn measure() -> Result<Value> {
    let house = House::new(10_000);
    let rights = rights(&house.plan(true))?;
    let questions = house.questions(OURS);
    let cedar = peers::Cedar::new(&house)?;
    let mut cedar_times = Vec::new();
    let (mut granted, mut disagreements) = (0_u32, 0_u32);
    for question in questions.iter().take(5_000) {
        let begin = figures::now();
        let opens = cedar.opens(question)?;
        cedar_times.push(begin.elapsed());
        granted += u32::from(opens);
        disagreements += u32::from(opens != opens_here(&rights, question));
    }

    let always = self::rights(&house.plan(false))?;
    let casbin = peers::casbin(&house).await?;
    let mut casbin_times = Vec::new();
    for question in questions.iter().take(1_000) {
        let begin = figures::now();
        let opens = peers::opens(&casbin, question)?;
        casbin_times.push(begin.elapsed());
        disagreements += u32::from(opens != opens_here(&always, question));
    }

    let ours = times(&rights, &questions);
    let large = large()?;
    let p50 = |times: &Value| times["p50"].as_f64().unwrap_or_default();
    let (ours, cedar, casbin) =
        (figures::times(ours), figures::times(cedar_times), figures::times(casbin_times));
    Ok(json!({
        "ours_ms": ours, "cedar_ms": cedar, "casbin_ms": casbin,
        "times_faster_than_cedar": p50(&cedar) / p50(&ours),
        "times_faster_than_casbin": p50(&casbin) / p50(&ours),
        "granted_of_5000": granted,
        "disagreements": disagreements,
        "large": large,
    }))
}

/// A snapshot of 250,000 cards: made, taken into force, one card changed, asked.
fn large() -> Result<Value> {
    let house = House::new(LARGE);
    let plan = house.plan(true);
    let begin = figures::now();
    let (manifest, shards) = build(&plan);
    let built = begin.elapsed();
    let bytes =
        serde_json::to_vec(&manifest)?.len() + shards.iter().map(|shard| shard.0.len()).sum::<usize>();
    let copy = manifest.clone();

    let begin = figures::now();
    let rights = compile(manifest, &shards)?;
    let applied = begin.elapsed();

    let begin = figures::now();
    for number in 0..u32::try_from(LARGE)? {
        black_box(house::hashed(number)?);
    }
    let hashed = begin.elapsed();
    let begin = figures::now();
    for shard in &shards {
        black_box(Sha256::digest(&shard.0));
    }
    let read = begin.elapsed();

    let mut changed = plan;
    if let Some(card) = changed.credentials.first_mut() {
        card.once = true;
    }
    let (after, _) = build(&changed);
    let to_send: usize = copy
        .shards
        .iter()
        .zip(&after.shards)
        .zip(&shards)
        .filter(|((before, after), _)| before != after)
        .map(|(_, shard)| shard.0.len())
        .sum();
    let decisions = times(&rights, &house.questions(OURS));
    Ok(json!({
        "credentials": rights.credentials(),
        "build_ms": built.as_secs_f64() * 1e3,
        "hashed_ms": hashed.as_secs_f64() * 1e3,
        "read_ms": read.as_secs_f64() * 1e3,
        "apply_ms": applied.as_secs_f64() * 1e3,
        "bytes_on_the_wire": bytes,
        "bytes_for_one_changed_card": to_send + serde_json::to_vec(&after)?.len(),
        "memory_bytes_per_credential": rights.size() as f64 / LARGE as f64,
        "decision_ms": figures::times(decisions),
    }))
}

fn rights(plan: &Plan) -> Result<Rights> {
    let (manifest, shards) = build(plan);
    Ok(compile(manifest, &shards)?)
}

fn times(rights: &Rights, questions: &[Question]) -> Vec<Duration> {
    questions
        .iter()
        .map(|question| {
            let begin = figures::now();
            for _ in 0..BATCH {
                black_box(opens_here(black_box(rights), black_box(question)));
            }
            begin.elapsed() / BATCH
        })
        .collect()
}

/// Our decision, with its look-up.
fn opens_here(rights: &Rights, question: &Question) -> bool {
    let asked = AtDoor {
        door: question.door,
        at: question.at,
        clock: ClockTrust::Trusted,
        rights_age: Duration::ZERO,
        mode: DoorMode::Locked,
        order: Order::Kept,
        used: false,
    };
    rights.facts_at(house::hash(question.person), &asked).is_some_and(|(facts, _)| {
        matches!(decide(&Request { cause: Cause::AtDoor }, &facts), Decision::Granted { .. })
    })
}
