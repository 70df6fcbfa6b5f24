//! A door is changed or removed: its name, its times, and what drives it.

use super::doors::{Door, shown};
use super::uses::{Uses, removed};
use crate::auth::caller::Caller;
use crate::http::body::{Body, Object};
use crate::http::problem::{Code, FieldCode, Fields, Problem, ProblemBody};
use crate::node::Node;
use crate::relays;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use klinke_model::door::DoorTimes;
use klinke_model::ids::{BuildingId, ControllerId, DoorId};
use klinke_storage::StorageError;
use klinke_storage::record::{Edited, Part};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// A door, to be changed.
#[derive(Serialize, ToSchema)]
pub struct DoorPart {
    building: BuildingId,
    door: Door,
    /// Grows with every change.
    version: u64,
    uses: Uses,
}

/// What drives a door.
#[derive(Deserialize, ToSchema)]
pub struct Wiring {
    /// The controller; absent for none.
    #[schema(required = false)]
    controller: Option<ControllerId>,
    /// Which of its outputs, from 0.
    output: u16,
}

/// What is to be changed; what is absent stays as it is.
#[derive(Deserialize, ToSchema)]
pub struct DoorChange {
    /// The version that the asker saw.
    version: u64,
    #[schema(required = false)]
    name: Option<String>,
    #[schema(required = false)]
    times: Option<DoorTimes>,
    #[schema(required = false)]
    wiring: Option<Wiring>,
}

async fn told(node: &Node, who: &Caller, part: Part<klinke_model::door::Door>) -> Result<DoorPart, Problem> {
    let building = part.value.building;
    let station = node.store.doors().station_of(&who.scope, part.value.id).await?;
    let door = shown(node, part.value, station);
    Ok(DoorPart { building, door, version: part.version, uses: part.uses.into() })
}

/// A door with its version and who depends on it.
#[utoipa::path(get, path = "/api/v1/doors/{door}", operation_id = "door", tag = "buildings",
    params(("door" = uuid::Uuid, Path, description = "The door")), security(("session" = []), ("token" = [])),
    responses((status = 200, description = "The door", body = DoorPart),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn handler(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(door): Object<DoorId>,
) -> Result<Json<DoorPart>, Problem> {
    let part = seen(&node, &who, door).await?;
    Ok(Json(told(&node, &who, part).await?))
}

pub(super) async fn seen(
    node: &Node,
    who: &Caller,
    door: DoorId,
) -> Result<Part<klinke_model::door::Door>, Problem> {
    Ok(node.store.parts().door_part(&who.scope, door).await?.ok_or(Code::NotFound)?)
}

/// Changes a door. A caretaker changes its wiring alone.
#[utoipa::path(patch, path = "/api/v1/doors/{door}", operation_id = "change_door", tag = "buildings",
    request_body = DoorChange, params(("door" = uuid::Uuid, Path, description = "The door")), security(("session" = []), ("token" = [])),
    responses((status = 200, description = "Changed; its controller is told", body = DoorPart),
        (status = 403, description = "`forbidden`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`conflict`: somebody else changed it since; `current` is a `DoorPart`; `driven`: a door station opens it", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid`; `taken` when the output drives another door", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn change(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(door): Object<DoorId>,
    Body(change): Body<DoorChange>,
) -> Result<Json<DoorPart>, Problem> {
    let before = seen(&node, &who, door).await?.value;
    let former = before.controller;
    let mut wanted = before;
    let mut fields = Fields::default();
    let name = change.name.map_or(Some(wanted.name), |name| fields.label("/name", &name));
    if let Some(times) = change.times {
        if !DoorTimes::RELEASE_MS.contains(&times.release_ms) {
            fields.wrong("/times/release_ms", FieldCode::OutOfRange);
        }
        if !DoorTimes::RELEASE_MS.contains(&times.extended_release_ms) {
            fields.wrong("/times/extended_release_ms", FieldCode::OutOfRange);
        }
        if !DoorTimes::OPEN_MS.contains(&times.open_ms) {
            fields.wrong("/times/open_ms", FieldCode::OutOfRange);
        }
        wanted.times = times;
    }
    if let Some(wiring) = change.wiring {
        let known = node.store.doors().controllers(&who.scope, wanted.building).await?;
        if wiring.controller.is_some_and(|id| known.iter().all(|controller| controller.id != id)) {
            fields.wrong("/wiring/controller", FieldCode::NotFound);
        }
        wanted.controller = wiring.controller;
        wanted.output = wiring.output;
    }
    let Some(name) = name else { return Err(fields.into()) };
    fields.check()?;
    wanted.name = name;
    let concerned = former.into_iter().chain(wanted.controller);
    match node.store.parts().change_door(&who.scope, &node.stamp(), change.version, wanted).await {
        Ok(Edited::Done(part)) => {
            concerned.for_each(|controller| node.links.reconcile(controller));
            Ok(Json(told(&node, &who, part).await?))
        }
        Ok(Edited::Conflict(part)) => Err(Problem::conflict(&told(&node, &who, part).await?)),
        Ok(Edited::NotThere) => Err(Code::Forbidden.into()),
        Err(StorageError::Conflict) => {
            let mut fields = Fields::default();
            fields.wrong("/wiring/output", FieldCode::Taken);
            Err(fields.into())
        }
        Err(other) => Err(other.into()),
    }
}

/// Removes a door: nobody may open it any more, no panel offers it, and its controller forgets it.
#[utoipa::path(delete, path = "/api/v1/doors/{door}", operation_id = "remove_door", tag = "buildings",
    params(("door" = uuid::Uuid, Path, description = "The door")), security(("session" = []), ("token" = [])),
    responses((status = 204, description = "Gone"),
        (status = 403, description = "`forbidden`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`in_use`: another door comes after it; `current` are its `Uses`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn remove(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(door): Object<DoorId>,
) -> Result<StatusCode, Problem> {
    let before = seen(&node, &who, door).await?.value;
    let controller = before.controller;
    let station = node.store.doors().station_of(&who.scope, door).await?;
    removed(node.store.parts().remove_door(&who.scope, &node.stamp(), door).await?)?;
    controller.into_iter().for_each(|controller| node.links.reconcile(controller));
    if let Some(station) = station {
        node.relays.forget(door);
        relays::look(&node, who.scope.tenant, station).await;
    }
    Ok(StatusCode::NO_CONTENT)
}
