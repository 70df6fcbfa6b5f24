//! What a controller's journal tells: kept once, then said to be kept.

use crate::node::Node;
use klinke_model::ids::{ControllerId, JournalId};
use klinke_model::news::NewsEntry;
use klinke_model::scope::Scope;
use klinke_storage::StorageError;
use klinke_wire::controller::{ControllerEvent, NEWS, StandingAlarms};

/// Takes entries of a journal; the answer. What is about doors of other controllers is not kept, and not asked for again.
///
/// # Errors
/// When the store fails: nothing is kept then, and the controller tells it again on its next link.
pub async fn take(
    node: &Node,
    scope: &Scope,
    controller: ControllerId,
    journal: JournalId,
    entries: &[NewsEntry],
) -> Result<Option<ControllerEvent>, StorageError> {
    let entries = entries.get(..entries.len().min(NEWS)).unwrap_or_default();
    let taken = node.store.alarms().take_news(scope, &node.stamp(), controller, journal, entries).await?;
    let Some(taken) = taken else { return Ok(None) };
    if taken.refused > 0 {
        tracing::warn!(%controller, refused = taken.refused, "a controller told of doors that are not its own");
    }
    if taken.new > 0 {
        node.webhooks.look();
    }
    Ok(Some(ControllerEvent::Noted { journal, seq: taken.seq }))
}

/// Ends the alarms that stand here and not at their controller: their end was noted before the database was restored from a backup.
///
/// # Errors
/// When the store fails.
pub async fn end_forgotten(
    node: &Node,
    scope: &Scope,
    controller: ControllerId,
    standing: &StandingAlarms,
) -> Result<(), StorageError> {
    let StandingAlarms { journal, noted, alarms } = standing;
    let alarms_of = node.store.alarms();
    let ended = alarms_of.end_forgotten(scope, &node.stamp(), controller, *journal, *noted, alarms).await?;
    if ended > 0 {
        tracing::warn!(%controller, ended, "alarms that are over at their controller stood here still");
    }
    Ok(())
}
