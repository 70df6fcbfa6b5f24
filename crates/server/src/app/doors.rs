//! The doors of a building, with what their controllers last said.

use super::administered;
use crate::auth::session::SignedIn;
use crate::http::body::Object;
use crate::http::problem::Problem;
use crate::node::Node;
use axum::Json;
use axum::extract::State;
use klinke_model::door::{DoorState, DoorTimes};
use klinke_model::ids::{BuildingId, ControllerId, DoorId};
use klinke_model::text::Label;
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// A door.
#[derive(Serialize, ToSchema)]
pub struct Door {
    id: DoorId,
    name: Label,
    /// The controller that drives it, once one is assigned.
    #[serde(skip_serializing_if = "Option::is_none")]
    controller: Option<ControllerId>,
    /// Which output of the controller, from 0.
    output: u16,
    times: DoorTimes,
    /// What its controller last said; absent while the controller is not connected.
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<DoorState>,
}

/// The doors of a building, by name.
#[utoipa::path(get, path = "/api/v1/buildings/{building}/doors", operation_id = "doors", tag = "buildings",
    params(("building" = uuid::Uuid, Path, description = "The building")), security(("session" = [])),
    responses((status = 200, description = "The doors", body = [Door])))]
pub async fn handler(
    State(node): State<Arc<Node>>,
    who: SignedIn,
    Object(building): Object<BuildingId>,
) -> Result<Json<Vec<Door>>, Problem> {
    administered(&node, &who, building).await?;
    let doors = node.store.doors().doors(&who.scope, building).await?;
    let shown = doors.into_iter().map(|door| Door {
        state: node.presence.door(door.id),
        id: door.id,
        name: door.name,
        controller: door.controller,
        output: door.output,
        times: door.times,
    });
    Ok(Json(shown.collect()))
}
