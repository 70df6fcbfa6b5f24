//! Turns the timetables of buttons at the minute (R13): a button that is hidden by itself leaves its panel, and comes back.
//!
//! What the clock on the building's wall says is asked each minute, and what is written is what changes: a restart, a clock
//! that was set, or an hour that comes twice needs no rule of its own.

use crate::calendar;
use crate::node::Node;
use crate::signalling::refresh::panels_changed;
use klinke_model::scope::Scope;
use klinke_storage::StorageError;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

/// Milliseconds of a minute.
const MINUTE: i64 = 60_000;

/// Turns what is to be turned, for as long as the server runs.
pub async fn turn_at_the_minute(node: Arc<Node>) {
    loop {
        if let Err(error) = turn(&node).await {
            tracing::error!(%error, "could not turn the timetables of buttons");
        }
        // every zone's minutes begin when UTC's do
        let left = MINUTE - node.clock.now().as_millis().rem_euclid(MINUTE);
        let wait = Duration::from_millis(u64::try_from(left).unwrap_or(1_000));
        if node.stop.run_until_cancelled(tokio::time::sleep(wait)).await.is_none() {
            return;
        }
    }
}

/// Hides and shows what the timetables hide and show now.
///
/// # Errors
/// When the store fails.
pub async fn turn(node: &Arc<Node>) -> Result<(), StorageError> {
    let now = node.clock.now();
    let mut changed = HashSet::new();
    for known in node.store.gate().bell_hours().await? {
        // a zone that nobody knows hides nothing
        let hides = calendar::wall_clock(now, &known.time_zone).is_some_and(|wall| known.hours.hides(wall));
        if hides != known.hides {
            let service = Scope::system(known.tenant);
            if node.store.households().turn_hours(&service, known.bell, hides).await? {
                changed.insert((known.tenant, known.building));
            }
        }
    }
    for (tenant, building) in changed {
        panels_changed(node, tenant, building);
    }
    Ok(())
}
