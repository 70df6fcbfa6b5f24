//! A record of an opening that the server carried out, where the building keeps them: after its outcome is known and told, so that nobody
//! at a door waits for it.
//!
//! The one way to a record: the store says that the door's building is commercial and keeps them, with a `Site<Commercial>`; that
//! makes an `AccessRecord`, and the store takes nothing else. Of any other building nothing is written or logged.

use crate::node::Node;
use klinke_model::ids::{DoorId, OpeningId, RecordId, TenantId};
use klinke_model::news::UseOutcome;
use klinke_model::privacy::{AccessRecord, UsedBy};
use klinke_model::scope::Scope;
use klinke_storage::StorageError;

/// Keeps a record of an opening. That it could not is logged; the door opened, or did not, all the same.
pub(super) async fn note_use(
    node: &Node,
    tenant: TenantId,
    opening: OpeningId,
    door: DoorId,
    by: UsedBy,
    outcome: UseOutcome,
) {
    if let Err(error) = keep(node, tenant, opening, door, by, outcome).await {
        tracing::error!(%error, "a record of use could not be kept");
    }
}

async fn keep(
    node: &Node,
    tenant: TenantId,
    opening: OpeningId,
    door: DoorId,
    by: UsedBy,
    outcome: UseOutcome,
) -> Result<(), StorageError> {
    let stamp = node.stamp();
    let (service, records) = (Scope::system(tenant).at(stamp.at), node.store.records());
    let Some(site) = records.site_that_keeps(&service, door).await? else { return Ok(()) };
    let record = AccessRecord::new(&site, door, by, stamp.at, outcome);
    records.keep_record(&service, &stamp, RecordId(opening.0), record).await.map(drop)
}
