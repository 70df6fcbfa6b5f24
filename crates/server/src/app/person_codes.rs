//! Whether somebody has a code of their own, as administrators see it: never the code itself, and no way to it. They take it
//! back; another one is for the person to ask for.

use crate::auth::caller::Caller;
use crate::http::body::Object;
use crate::http::problem::{Code, Problem};
use crate::node::Node;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use klinke_model::ids::{BuildingId, PersonId};
use klinke_model::text::Label;
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// A building in which somebody has a code of their own.
#[derive(Serialize, ToSchema)]
pub struct PersonCode {
    building: BuildingId,
    building_name: Label,
}

/// Where a person has a code of their own, of the buildings where the asker sees people.
#[utoipa::path(get, path = "/api/v1/people/{person}/codes", operation_id = "codes_of_person", tag = "people",
    params(("person" = uuid::Uuid, Path, description = "The person")), security(("session" = []), ("token" = [])),
    responses((status = 200, description = "The buildings", body = [PersonCode])))]
pub async fn of_person(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(person): Object<PersonId>,
) -> Result<Json<Vec<PersonCode>>, Problem> {
    super::people::shown(&node, &who, person).await?;
    let held = node.store.own_codes().codes_of(&who.scope, person).await?;
    let shown = held
        .into_iter()
        .map(|held| PersonCode { building: held.building, building_name: held.building_name });
    Ok(Json(shown.collect()))
}

/// Takes somebody's code back: it opens nothing at once.
#[utoipa::path(delete, path = "/api/v1/people/{person}/codes/{building}", operation_id = "remove_code_of_person", tag = "people",
    params(("person" = uuid::Uuid, Path, description = "The person"), ("building" = uuid::Uuid, Path, description = "The building")),
    security(("session" = []), ("token" = [])), responses((status = 204, description = "It opens nothing any more")))]
pub async fn remove(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object((person, building)): Object<(PersonId, BuildingId)>,
) -> Result<StatusCode, Problem> {
    let codes = node.store.own_codes();
    let removed = codes.remove_code(&who.scope, &node.stamp(), building, person).await?;
    if removed { Ok(StatusCode::NO_CONTENT) } else { Err(Code::NotFound.into()) }
}
