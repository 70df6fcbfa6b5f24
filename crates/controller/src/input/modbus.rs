//! Discrete inputs of one Modbus unit: looked at every [`LOOK_EVERY`], all in one request.
//!
//! A unit that does not answer twice in a row is lost: its inputs are `Unknown` until it answers again.

use super::debounce::Debounce;
use super::{LOOK_EVERY, Level, Tell, Turn};
use crate::modbus::bus::Bus;
use crate::modbus::frame::{MOST_BITS, Request};
use klinke_model::time::Clock;
use std::sync::Arc;
use tokio::time::{MissedTickBehavior, interval};
use tracing::{info, warn};

/// How many looks in a row may fail: a bus with noise loses one now and then.
const FAILURES_BORNE: u32 = 1;

/// One discrete input.
#[derive(Debug)]
pub struct Bit {
    /// Its number in the unit.
    pub input: u16,
    /// Whether 1 means active.
    pub is_active_on: bool,
    /// What settles it.
    pub debounce: Debounce,
    /// What it means.
    pub turn: Turn,
}

/// Looks at a unit's inputs until the doors are gone.
pub async fn watch(bus: Bus, unit: u8, mut bits: Vec<Bit>, tell: Tell, clock: Arc<dyn Clock>) {
    bits.sort_by_key(|bit| bit.input);
    let mut looks = interval(LOOK_EVERY);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut failures = 0_u32;
    loop {
        looks.tick().await;
        let seen = look(&bus, unit, &bits).await;
        match &seen {
            Ok(_) if failures > FAILURES_BORNE => info!(unit, "the inputs of a unit are back"),
            Err(error) if failures == FAILURES_BORNE => warn!(unit, %error, "the inputs of a unit are lost"),
            _ => {}
        }
        failures = if seen.is_ok() { 0 } else { failures.saturating_add(1) };
        if failures != 0 && failures <= FAILURES_BORNE {
            continue;
        }
        let now = clock.mono();
        for (at, bit) in bits.iter_mut().enumerate() {
            let raw = match seen.as_ref().ok().and_then(|levels| levels.get(at)) {
                None => Level::Unknown,
                Some(is_on) if *is_on == bit.is_active_on => Level::Active,
                Some(_) => Level::Quiet,
            };
            let level = bit.debounce.look(raw, now);
            if !tell.say(&mut bit.turn, level).await {
                return;
            }
        }
    }
}

/// Reads every bit, in as few requests as there are ranges of [`MOST_BITS`].
async fn look(bus: &Bus, unit: u8, bits: &[Bit]) -> std::io::Result<Vec<bool>> {
    let mut levels = Vec::with_capacity(bits.len());
    let mut rest = bits;
    while let Some(first) = rest.first().map(|bit| bit.input) {
        let in_reach = rest.partition_point(|bit| bit.input - first < MOST_BITS);
        let (now, later) = rest.split_at(in_reach);
        let count = now.last().map_or(1, |last| last.input - first + 1);
        let answer = bus.ask(unit, Request::ReadInputs { first, count }).await?;
        levels.extend(now.iter().filter_map(|bit| answer.get(usize::from(bit.input - first))));
        rest = later;
    }
    Ok(levels)
}
