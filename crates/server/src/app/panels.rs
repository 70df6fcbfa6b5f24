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
use klinke_storage::StorageError;
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
}

impl Panel {
    /// As an administrator sees it.
    pub fn new(node: &Node, panel: klinke_model::intercom::Panel, paired: bool, door_station: bool) -> Self {
        let klinke_model::intercom::Panel { id, entrance, name, doors, .. } = panel;
        Self { id, name, entrance, doors, online: node.presence.panel_online(id), paired, door_station }
    }

    /// The same of one whose way in is read for it.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn read(
        node: &Node,
        who: &Caller,
        panel: klinke_model::intercom::Panel,
    ) -> Result<Self, StorageError> {
        let paired = node.store.gate().panel_key(panel.id).await?.is_some();
        let door_station = node.store.sip_accounts().sip_panel(&who.scope, panel.id).await?.is_some();
        Ok(Self::new(node, panel, paired, door_station))
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
        shown.push(Panel::read(&node, &who, panel).await?);
    }
    Ok(Json(shown))
}
