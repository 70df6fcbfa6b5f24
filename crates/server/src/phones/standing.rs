//! Has the trunks stand that property managers have set up: at the start, after every change here, and once a minute for what
//! another server changed on the same database. Addresses that calls will say are spoken ahead on the same round.
//!
//! Invariant: trunks whose settings are as before are not touched; calls over them go on.

use crate::app::trunks::for_calls;
use crate::node::Node;
use klinke_model::ids::TenantId;
use klinke_model::scope::Scope;
use klinke_sip::dial::Limits;
use klinke_storage::StorageError;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);
/// Addresses that are spoken ahead. Fewer than the voice keeps, or they would push each other out minute by minute; those
/// above are spoken by their first call.
const PLACES: usize = 256;

/// Keeps trunks standing for as long as the server runs.
pub async fn work(node: Arc<Node>) {
    if !node.phones.may_stand() {
        return;
    }
    let mut changed = node.trunks_changed.subscribe();
    loop {
        changed.mark_unchanged();
        if let Err(error) = all(&node).await {
            tracing::error!(%error, "trunks could not be read; they are tried again in a minute");
        }
        let next = async { tokio::time::timeout(MINUTE, changed.changed()).await };
        if node.stop.run_until_cancelled(next).await.is_none() {
            return;
        }
    }
}

async fn all(node: &Node) -> Result<(), StorageError> {
    let wanted = node.store.gate().trunk_tenants().await?.into_iter().collect::<BTreeSet<_>>();
    for tenant in node.phones.tenants() {
        if !wanted.contains(&tenant) {
            stand(node, tenant, false).await?;
        }
    }
    for &tenant in &wanted {
        stand(node, tenant, true).await?;
    }
    if node.phones.voice.speaks_places() {
        expect(node, wanted).await?;
    }
    Ok(())
}

/// Has the addresses spoken that the next calls will say, so that the first call from a new building says it already: its
/// name and who has a number there may have changed since the minute before.
async fn expect(node: &Node, tenants: BTreeSet<TenantId>) -> Result<(), StorageError> {
    let mut left = PLACES;
    for tenant in tenants {
        for (place, language) in node.store.phone_numbers().places(&Scope::system(tenant)).await? {
            if left == 0 {
                return Ok(());
            }
            left -= 1;
            node.phones.voice.expect(language, place.as_str());
        }
    }
    Ok(())
}

async fn stand(node: &Node, tenant: TenantId, wanted: bool) -> Result<(), StorageError> {
    let trunks = if wanted { for_calls(node, tenant).await? } else { Vec::new() };
    let kept = node.store.trunks().phone_limits(&Scope::system(tenant)).await?;
    let kept = kept.map(|(_, limits)| limits).unwrap_or_default();
    let limits = Limits {
        number_hour: kept.number_hour.into(),
        building_hour: kept.building_hour.into(),
        day: kept.tenant_day.into(),
    };
    if let Err(error) = node.phones.stand(tenant, trunks, limits).await {
        tracing::error!(%error, "trunks can not begin");
    }
    Ok(())
}
