//! The door controllers of a building, and whether each is connected.

use super::administered;
use crate::auth::caller::Caller;
use crate::http::body::Object;
use crate::http::problem::Problem;
use crate::node::Node;
use axum::Json;
use axum::extract::State;
use klinke_model::ids::{BuildingId, ControllerId};
use klinke_model::text::Label;
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// A door controller.
#[derive(Serialize, ToSchema)]
pub struct Controller {
    id: ControllerId,
    name: Label,
    /// Whether it is connected just now.
    online: bool,
    /// Its software version, while it is connected.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
}

impl Controller {
    /// As an administrator sees it.
    pub fn new(node: &Node, controller: klinke_model::door::Controller) -> Self {
        let presence = node.presence.controller(controller.id);
        let online = presence.is_some();
        Self {
            id: controller.id,
            name: controller.name,
            online,
            version: presence.map(|known| known.version),
        }
    }
}

/// The controllers of a building, by name.
#[utoipa::path(get, path = "/api/v1/buildings/{building}/controllers", operation_id = "controllers", tag = "buildings",
    params(("building" = uuid::Uuid, Path, description = "The building")), security(("session" = []), ("token" = [])),
    responses((status = 200, description = "The controllers", body = [Controller])))]
pub async fn handler(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(building): Object<BuildingId>,
) -> Result<Json<Vec<Controller>>, Problem> {
    administered(&node, &who, building).await?;
    let controllers = node.store.doors().controllers(&who.scope, building).await?;
    Ok(Json(controllers.into_iter().map(|controller| Controller::new(&node, controller)).collect()))
}
