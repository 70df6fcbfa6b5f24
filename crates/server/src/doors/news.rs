//! What a controller's journal tells: kept once, then said to be kept.
//!
//! Uses of doors are told by tags. Whose they are is found by making the tags of everybody who could have come, under the key of
//! that controller; where no records are kept nothing of them is written or logged, not even how many there were.

use crate::node::Node;
use klinke_model::ids::{ControllerId, JournalId, PersonId};
use klinke_model::news::{News, NewsEntry};
use klinke_model::privacy::UsedBy;
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
    // first: what is noted below is not told again
    take_uses(node, scope, controller, journal, entries).await?;
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

async fn take_uses(
    node: &Node,
    scope: &Scope,
    controller: ControllerId,
    journal: JournalId,
    entries: &[NewsEntry],
) -> Result<(), StorageError> {
    if !entries.iter().any(|entry| matches!(entry.what, News::Use(_))) {
        return Ok(());
    }
    let (stamp, records) = (node.stamp(), node.store.records());
    // a link is older than what it tells
    let scope = &scope.at(stamp.at);
    let key = node.rights.hash_key(scope.tenant, controller);
    let tagged = |by| {
        let id = match by {
            UsedBy::Person(person) => person,
            UsedBy::Guest(guest) => PersonId(guest.0),
        };
        (key.person(id), by)
    };
    let whose = records.who_uses(scope, controller).await?.into_iter().map(tagged).collect();
    records.take_uses(scope, &stamp, controller, journal, entries, &whose).await?;
    Ok(())
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
