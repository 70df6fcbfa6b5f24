//! The panels of a building, and whether each is connected.

use super::administered;
use crate::auth::caller::Caller;
use crate::http::body::Object;
use crate::http::problem::Problem;
use crate::node::Node;
use axum::Json;
use axum::extract::State;
use klinke_model::ids::{BuildingId, DoorId, EntranceId, PanelId};
use klinke_model::text::Label;
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// A panel (door station).
#[derive(Serialize, ToSchema)]
pub struct Panel {
    id: PanelId,
    name: Label,
    /// The entrance it hangs at, when it serves one.
    #[serde(skip_serializing_if = "Option::is_none")]
    entrance: Option<EntranceId>,
    /// Doors that can be opened from a call at this panel, in the order they are passed.
    doors: Vec<DoorId>,
    /// Whether it is connected just now.
    online: bool,
    /// Whether a device holds its key.
    paired: bool,
}

impl Panel {
    /// As an administrator sees it.
    pub fn new(node: &Node, panel: klinke_model::intercom::Panel, paired: bool) -> Self {
        let online = node.presence.panel_online(panel.id) || node.stations.is_panel_registered(panel.id);
        Self { id: panel.id, name: panel.name, entrance: panel.entrance, doors: panel.doors, online, paired }
    }
}

/// The panels of a building, by name.
#[utoipa::path(get, path = "/api/v1/buildings/{building}/panels", operation_id = "panels", tag = "buildings",
    params(("building" = uuid::Uuid, Path, description = "The building")), security(("session" = []), ("token" = [])),
    responses((status = 200, description = "The panels", body = [Panel])))]
pub async fn handler(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(building): Object<BuildingId>,
) -> Result<Json<Vec<Panel>>, Problem> {
    administered(&node, &who, building).await?;
    let mut shown = Vec::new();
    for panel in node.store.intercom().panels(&who.scope, building).await? {
        let paired = node.store.gate().panel_key(panel.id).await?.is_some();
        shown.push(Panel::new(&node, panel, paired));
    }
    Ok(Json(shown))
}
