//! Panels that hang in a building show what changed there, at once.

use super::panel::directory;
use crate::node::Node;
use klinke_model::ids::{BuildingId, TenantId};
use klinke_model::scope::Scope;
use klinke_wire::panel::PanelEvent;
use std::sync::Arc;

/// Sends the connected panels of a building what they show now. Call it after the transaction that changed a button, a
/// unit, or who can be rung; it does not wait, and a panel that is not connected reads everything when it comes back.
pub fn panels_changed(node: &Arc<Node>, tenant: TenantId, building: BuildingId) {
    let node = node.clone();
    let tasks = node.tasks.clone();
    tasks.spawn(async move {
        if let Err(error) = send(&node, tenant, building).await {
            tracing::error!(%error, "could not tell the panels what they show now");
        }
    });
}

async fn send(
    node: &Node,
    tenant: TenantId,
    building: BuildingId,
) -> Result<(), klinke_storage::StorageError> {
    let scope = Scope::system(tenant);
    // one at a time: what is read later is sent later, so nothing newer is overwritten
    let _turn = node.refreshing.lock().await;
    for panel in node.store.intercom().panels(&scope, building).await? {
        if node.presence.panel_online(panel.id)
            && let Some(directory) = directory(node, &scope, panel.id).await?
        {
            node.exchange.to_panel(panel.id, PanelEvent::Directory { directory });
        }
    }
    Ok(())
}
