//! A controller is renamed or removed.

use super::controllers::Controller;
use super::uses::{Uses, removed};
use crate::auth::caller::Caller;
use crate::http::body::{Body, Object};
use crate::http::problem::{Code, Fields, Problem, ProblemBody};
use crate::node::Node;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use klinke_model::ids::{BuildingId, ControllerId};
use klinke_storage::record::{Edited, Part};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// A controller, to be changed.
#[derive(Serialize, ToSchema)]
pub struct ControllerPart {
    building: BuildingId,
    controller: Controller,
    /// Grows with every change.
    version: u64,
    uses: Uses,
}

/// What is to be changed; what is absent stays as it is.
#[derive(Deserialize, ToSchema)]
pub struct ControllerChange {
    /// The version that the asker saw.
    version: u64,
    #[schema(required = false)]
    name: Option<String>,
}

fn told(node: &Node, part: Part<klinke_model::door::Controller>) -> ControllerPart {
    let building = part.value.building;
    let controller = Controller::new(node, part.value);
    ControllerPart { building, controller, version: part.version, uses: part.uses.into() }
}

/// A controller with its version and how many doors it drives.
#[utoipa::path(get, path = "/api/v1/controllers/{controller}", operation_id = "controller", tag = "buildings",
    params(("controller" = uuid::Uuid, Path, description = "The controller")), security(("session" = []), ("token" = [])),
    responses((status = 200, description = "The controller", body = ControllerPart),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn handler(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(controller): Object<ControllerId>,
) -> Result<Json<ControllerPart>, Problem> {
    let part = seen(&node, &who, controller).await?;
    Ok(Json(told(&node, part)))
}

async fn seen(
    node: &Node,
    who: &Caller,
    controller: ControllerId,
) -> Result<Part<klinke_model::door::Controller>, Problem> {
    Ok(node.store.parts().controller_part(&who.scope, controller).await?.ok_or(Code::NotFound)?)
}

/// Renames a controller.
#[utoipa::path(patch, path = "/api/v1/controllers/{controller}", operation_id = "change_controller", tag = "buildings",
    request_body = ControllerChange, params(("controller" = uuid::Uuid, Path, description = "The controller")), security(("session" = []), ("token" = [])),
    responses((status = 200, description = "Changed", body = ControllerPart),
        (status = 403, description = "`forbidden`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`conflict`: somebody else changed it since; `current` is a `ControllerPart`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn change(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(controller): Object<ControllerId>,
    Body(change): Body<ControllerChange>,
) -> Result<Json<ControllerPart>, Problem> {
    let mut wanted = seen(&node, &who, controller).await?.value;
    let mut fields = Fields::default();
    let name = change.name.map_or(Some(wanted.name), |name| fields.label("/name", &name));
    let Some(name) = name else { return Err(fields.into()) };
    wanted.name = name;
    let parts = node.store.parts();
    match parts.change_controller(&who.scope, &node.stamp(), change.version, wanted).await? {
        Edited::Done(part) => Ok(Json(told(&node, part))),
        Edited::Conflict(part) => Err(Problem::conflict(&told(&node, part))),
        Edited::NotThere => Err(Code::Forbidden.into()),
    }
}

/// Removes a controller; its doors have none until they are given another.
#[utoipa::path(delete, path = "/api/v1/controllers/{controller}", operation_id = "remove_controller", tag = "buildings",
    params(("controller" = uuid::Uuid, Path, description = "The controller")), security(("session" = []), ("token" = [])),
    responses((status = 204, description = "Gone; its certificate is worth nothing"),
        (status = 403, description = "`forbidden`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn remove(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(controller): Object<ControllerId>,
) -> Result<StatusCode, Problem> {
    seen(&node, &who, controller).await?;
    removed(node.store.parts().remove_controller(&who.scope, &node.stamp(), controller).await?)?;
    node.links.removed(controller);
    Ok(StatusCode::NO_CONTENT)
}
