//! The panels of a building, and whether each is connected.

use super::administered;
use crate::auth::caller::Caller;
use crate::http::body::Object;
use crate::http::problem::Problem;
use crate::node::Node;
use axum::Json;
use axum::extract::State;
use klinke_model::ids::{BellId, BuildingId, DoorId, EntranceId, PanelId};
use klinke_model::intercom;
use klinke_model::text::Label;
use klinke_storage::record::SeenPanel;
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
    /// Whether it is a door station of another maker, which registers over SIP.
    door_station: bool,
    /// The button of it that a door station rings with every number that no button of it has; absent when that rings nobody.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    any_number: Option<BellId>,
}

impl Panel {
    /// As an administrator sees it.
    pub fn new(node: &Node, seen: SeenPanel) -> Self {
        let SeenPanel { panel, paired, door_station, any_number } = seen;
        let intercom::Panel { id, entrance, name, doors, .. } = panel;
        let online = node.presence.panel_online(id);
        Self { id, name, entrance, doors, online, paired, door_station, any_number }
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
    let panels = node.store.intercom().panels_seen(&who.scope, building).await?;
    Ok(Json(panels.into_iter().map(|seen| Panel::new(&node, seen)).collect()))
}
