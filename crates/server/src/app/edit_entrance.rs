//! An entrance is renamed or removed.

use super::entrances::Entrance;
use super::uses::{Uses, removed};
use crate::auth::caller::Caller;
use crate::http::body::{Body, Object};
use crate::http::problem::{Code, Fields, Problem, ProblemBody};
use crate::node::Node;
use crate::signalling::refresh::panels_changed;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use klinke_model::ids::EntranceId;
use klinke_storage::record::{Edited, Part};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// An entrance, to be changed.
#[derive(Serialize, ToSchema)]
pub struct EntrancePart {
    entrance: Entrance,
    /// Grows with every change.
    version: u64,
    uses: Uses,
}

impl From<Part<klinke_model::site::Entrance>> for EntrancePart {
    fn from(part: Part<klinke_model::site::Entrance>) -> Self {
        let entrance = Entrance::new(part.value, part.uses.units);
        Self { entrance, version: part.version, uses: part.uses.into() }
    }
}

/// What is to be changed; what is absent stays as it is.
#[derive(Deserialize, ToSchema)]
pub struct EntranceChange {
    /// The version that the asker saw.
    version: u64,
    #[schema(required = false)]
    name: Option<String>,
}

/// An entrance with its version and what is behind it.
#[utoipa::path(get, path = "/api/v1/entrances/{entrance}", operation_id = "entrance", tag = "buildings",
    params(("entrance" = uuid::Uuid, Path, description = "The entrance")), security(("session" = []), ("token" = [])),
    responses((status = 200, description = "The entrance", body = EntrancePart),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn handler(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(entrance): Object<EntranceId>,
) -> Result<Json<EntrancePart>, Problem> {
    Ok(Json(seen(&node, &who, entrance).await?.into()))
}

async fn seen(
    node: &Node,
    who: &Caller,
    entrance: EntranceId,
) -> Result<Part<klinke_model::site::Entrance>, Problem> {
    Ok(node.store.parts().entrance_part(&who.scope, entrance).await?.ok_or(Code::NotFound)?)
}

/// Renames an entrance.
#[utoipa::path(patch, path = "/api/v1/entrances/{entrance}", operation_id = "change_entrance", tag = "buildings",
    request_body = EntranceChange, params(("entrance" = uuid::Uuid, Path, description = "The entrance")), security(("session" = []), ("token" = [])),
    responses((status = 200, description = "Changed", body = EntrancePart),
        (status = 403, description = "`forbidden`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`conflict`: somebody else changed it since; `current` is an `EntrancePart`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn change(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(entrance): Object<EntranceId>,
    Body(change): Body<EntranceChange>,
) -> Result<Json<EntrancePart>, Problem> {
    let mut wanted = seen(&node, &who, entrance).await?.value;
    let mut fields = Fields::default();
    let name = change.name.map_or(Some(wanted.name), |name| fields.label("/name", &name));
    let Some(name) = name else { return Err(fields.into()) };
    wanted.name = name;
    let parts = node.store.parts();
    match parts.change_entrance(&who.scope, &node.stamp(), change.version, wanted).await? {
        Edited::Done(part) => {
            panels_changed(&node, who.scope.tenant, part.value.building);
            Ok(Json(part.into()))
        }
        Edited::Conflict(part) => Err(Problem::conflict(&EntrancePart::from(part))),
        Edited::NotThere => Err(Code::Forbidden.into()),
    }
}

/// Removes an entrance that nothing is at.
#[utoipa::path(delete, path = "/api/v1/entrances/{entrance}", operation_id = "remove_entrance", tag = "buildings",
    params(("entrance" = uuid::Uuid, Path, description = "The entrance")), security(("session" = []), ("token" = [])),
    responses((status = 204, description = "Gone"),
        (status = 403, description = "`forbidden`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`in_use`: units or panels are at it; `current` are its `Uses`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn remove(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(entrance): Object<EntranceId>,
) -> Result<StatusCode, Problem> {
    seen(&node, &who, entrance).await?;
    removed(node.store.parts().remove_entrance(&who.scope, &node.stamp(), entrance).await?)?;
    Ok(StatusCode::NO_CONTENT)
}
