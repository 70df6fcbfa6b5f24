//! Groups of doors of a building, which its access rules name.

use super::uses::{Uses, removed};
use super::{administered, allowed};
use crate::auth::caller::Caller;
use crate::http::body::{Body, Object};
use crate::http::problem::{Code, FieldCode, Fields, Problem, ProblemBody};
use crate::node::Node;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use klinke_model::ids::{BuildingId, DoorGroupId, DoorId};
use klinke_model::rights::Right;
use klinke_model::rule::DoorGroup;
use klinke_model::text::Label;
use klinke_storage::StorageError;
use klinke_storage::record::{Edited, Part, RuleMade};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// Doors under a name.
#[derive(Serialize, ToSchema)]
pub struct DoorGroupPart {
    id: DoorGroupId,
    building: BuildingId,
    name: Label,
    /// Nothing is opened by a group without.
    doors: Vec<DoorId>,
    /// Grows with every change.
    version: u64,
    uses: Uses,
}

impl From<Part<DoorGroup>> for DoorGroupPart {
    fn from(part: Part<DoorGroup>) -> Self {
        let DoorGroup { id, building, name, doors } = part.value;
        Self { id, building, name, doors, version: part.version, uses: part.uses.into() }
    }
}

/// A new group of doors.
#[derive(Deserialize, ToSchema)]
pub struct NewDoorGroup {
    /// Such as "Cellars".
    name: String,
    /// Of the building.
    doors: Vec<DoorId>,
}

/// What is to be changed; what is absent stays as it is.
#[derive(Deserialize, ToSchema)]
pub struct DoorGroupChange {
    /// The version that the asker saw.
    version: u64,
    #[schema(required = false)]
    name: Option<String>,
    /// All of them.
    #[schema(required = false)]
    doors: Option<Vec<DoorId>>,
}

/// The groups of doors of a building, by name.
#[utoipa::path(get, path = "/api/v1/buildings/{building}/door-groups", operation_id = "door_groups", tag = "rules",
    params(("building" = uuid::Uuid, Path, description = "The building")), security(("session" = []), ("token" = [])),
    responses((status = 200, description = "The groups", body = [DoorGroupPart])))]
pub async fn list(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(building): Object<BuildingId>,
) -> Result<Json<Vec<DoorGroupPart>>, Problem> {
    administered(&node, &who, building).await?;
    let all = node.store.rules().door_groups(&who.scope, building).await?;
    Ok(Json(all.into_iter().map(Into::into).collect()))
}

/// Adds a group of doors to a building.
#[utoipa::path(post, path = "/api/v1/buildings/{building}/door-groups", operation_id = "add_door_group", tag = "rules",
    request_body = NewDoorGroup, params(("building" = uuid::Uuid, Path, description = "The building")), security(("session" = []), ("token" = [])),
    responses((status = 201, description = "Added", body = DoorGroupPart),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn add(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(building): Object<BuildingId>,
    Body(new): Body<NewDoorGroup>,
) -> Result<(StatusCode, Json<DoorGroupPart>), Problem> {
    allowed(&node, &who, Right::ChangeBuilding, building).await?;
    let mut fields = Fields::default();
    let name = fields.label("/name", &new.name);
    let doors = known(&node, &who, &mut fields, building, new.doors).await?;
    let Some(name) = name else { return Err(fields.into()) };
    fields.check()?;
    let stamp = node.stamp();
    let id: DoorGroupId = node.random.v7(stamp.at);
    let wanted = DoorGroup { id, building, name, doors };
    match node.store.rules().insert_door_group(&who.scope, &stamp, wanted).await? {
        RuleMade::Done => {}
        RuleMade::NotThere => return Err(Code::Forbidden.into()),
        RuleMade::Unknown => return Err(unknown()),
    }
    Ok((StatusCode::CREATED, Json(seen(&node, &who, id).await?.into())))
}

/// Changes a group of doors, and with it every rule that names it.
#[utoipa::path(patch, path = "/api/v1/door-groups/{door_group}", operation_id = "change_door_group", tag = "rules",
    request_body = DoorGroupChange, params(("door_group" = uuid::Uuid, Path, description = "The group")), security(("session" = []), ("token" = [])),
    responses((status = 200, description = "Changed", body = DoorGroupPart),
        (status = 403, description = "`forbidden`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`conflict`: somebody else changed it since; `current` is a `DoorGroupPart`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn change(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(id): Object<DoorGroupId>,
    Body(change): Body<DoorGroupChange>,
) -> Result<Json<DoorGroupPart>, Problem> {
    let mut wanted = seen(&node, &who, id).await?.value;
    let mut fields = Fields::default();
    let name = change.name.map_or(Some(wanted.name), |name| fields.label("/name", &name));
    if let Some(asked) = change.doors {
        wanted.doors = known(&node, &who, &mut fields, wanted.building, asked).await?;
    }
    let Some(name) = name else { return Err(fields.into()) };
    fields.check()?;
    wanted.name = name;
    match node.store.rules().change_door_group(&who.scope, &node.stamp(), change.version, wanted).await {
        Ok(Edited::Done(part)) => Ok(Json(part.into())),
        Ok(Edited::Conflict(part)) => Err(Problem::conflict(&DoorGroupPart::from(part))),
        Ok(Edited::NotThere) => Err(Code::Forbidden.into()),
        Err(StorageError::MissingReference) => Err(unknown()),
        Err(other) => Err(other.into()),
    }
}

/// Removes a group of doors that no rule names.
#[utoipa::path(delete, path = "/api/v1/door-groups/{door_group}", operation_id = "remove_door_group", tag = "rules",
    params(("door_group" = uuid::Uuid, Path, description = "The group")), security(("session" = []), ("token" = [])),
    responses((status = 204, description = "Gone"),
        (status = 403, description = "`forbidden`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`in_use`: rules name it; `current` are its `Uses`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn remove(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(id): Object<DoorGroupId>,
) -> Result<StatusCode, Problem> {
    seen(&node, &who, id).await?;
    removed(node.store.rules().remove_door_group(&who.scope, &node.stamp(), id).await?)?;
    Ok(StatusCode::NO_CONTENT)
}

async fn seen(node: &Node, who: &Caller, id: DoorGroupId) -> Result<Part<DoorGroup>, Problem> {
    Ok(node.store.rules().door_group(&who.scope, id).await?.ok_or(Code::NotFound)?)
}

/// The doors, each once; all of them are to be of the building.
async fn known(
    node: &Node,
    who: &Caller,
    fields: &mut Fields,
    building: BuildingId,
    mut asked: Vec<DoorId>,
) -> Result<Vec<DoorId>, Problem> {
    let doors = node.store.doors().doors(&who.scope, building).await?;
    if !asked.iter().all(|id| doors.iter().any(|door| door.id == *id)) {
        fields.wrong("/doors", FieldCode::NotFound);
    }
    asked.sort_unstable();
    asked.dedup();
    Ok(asked)
}

/// The doors were there a moment ago.
fn unknown() -> Problem {
    let mut fields = Fields::default();
    fields.wrong("/doors", FieldCode::NotFound);
    fields.into()
}
