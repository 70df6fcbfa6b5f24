//! The doors of a building, with what their controllers last said.

use super::{administered, allowed};
use crate::auth::caller::Caller;
use crate::http::body::{Body, Object};
use crate::http::problem::{Code, Fields, Problem, ProblemBody};
use crate::node::Node;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use klinke_model::door::{DoorKind, DoorState, DoorTimes, DoorWiring};
use klinke_model::ids::{BuildingId, ControllerId, DoorId, PanelId};
use klinke_model::rights::Right;
use klinke_model::text::Label;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
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
    /// The door station that opens it by a relay of its own, where no controller does. Weaker: nobody reports that it opened,
    /// and nothing works without the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    station: Option<PanelId>,
    /// Which output of the controller, from 0.
    output: u16,
    times: DoorTimes,
    /// What it is.
    kind: DoorKind,
    /// What its controller last said; absent while the controller is not connected.
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<DoorState>,
    /// What is wired to its output, as its controller said last; absent when it did not.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    wiring: Option<DoorWiring>,
}

/// The doors of a building, by name.
#[utoipa::path(get, path = "/api/v1/buildings/{building}/doors", operation_id = "doors", tag = "buildings",
    params(("building" = uuid::Uuid, Path, description = "The building")), security(("session" = []), ("token" = [])),
    responses((status = 200, description = "The doors", body = [Door])))]
pub async fn handler(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(building): Object<BuildingId>,
) -> Result<Json<Vec<Door>>, Problem> {
    administered(&node, &who, building).await?;
    let doors = node.store.doors().doors(&who.scope, building).await?;
    let stations: HashMap<_, _> =
        node.store.doors().station_relays(&who.scope, building).await?.into_iter().collect();
    let shown = doors.into_iter().map(|door| {
        let station = stations.get(&door.id).copied();
        shown(&node, door, station)
    });
    Ok(Json(shown.collect()))
}

pub(super) fn shown(node: &Node, door: klinke_model::door::Door, station: Option<PanelId>) -> Door {
    Door {
        state: node.presence.door(door.id),
        wiring: door.controller.and_then(|controller| node.presence.wiring(controller, door.output)),
        id: door.id,
        name: door.name,
        controller: door.controller,
        station,
        output: door.output,
        times: door.times,
        kind: door.kind,
    }
}

/// A new door. A controller is assigned to it when one is paired.
#[derive(Deserialize, ToSchema)]
pub struct NewDoor {
    /// Such as "Entrance A".
    name: String,
    /// The people of all units that the building has may open it.
    everybody: bool,
    /// What it is; a door without. It stays that.
    #[serde(default)]
    #[schema(required = false)]
    kind: DoorKind,
}

/// Adds a door to a building.
#[utoipa::path(post, path = "/api/v1/buildings/{building}/doors", operation_id = "add_door", tag = "buildings",
    request_body = NewDoor, params(("building" = uuid::Uuid, Path, description = "The building")), security(("session" = []), ("token" = [])),
    responses((status = 201, description = "Added", body = Door),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn add(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(building): Object<BuildingId>,
    Body(new): Body<NewDoor>,
) -> Result<(StatusCode, Json<Door>), Problem> {
    allowed(&node, &who, Right::ChangeBuilding, building).await?;
    let mut fields = Fields::default();
    let Some(name) = fields.label("/name", &new.name) else { return Err(fields.into()) };
    let stamp = node.stamp();
    let id = node.random.v7(stamp.at);
    let times = DoorTimes::default();
    let kind = new.kind;
    let door = klinke_model::door::Door { id, building, name, controller: None, output: 0, times, kind };
    if !node.store.doors().insert_door(&who.scope, &stamp, door.clone(), new.everybody).await? {
        return Err(Code::NotFound.into());
    }
    Ok((StatusCode::CREATED, Json(shown(&node, door, None))))
}
