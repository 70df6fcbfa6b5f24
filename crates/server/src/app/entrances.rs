//! The entrances of a building.

use super::{administered, allowed};
use crate::auth::caller::Caller;
use crate::http::body::{Body, Object};
use crate::http::problem::{Code, Fields, Problem, ProblemBody};
use crate::node::Node;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use klinke_model::ids::{BuildingId, EntranceId};
use klinke_model::rights::Right;
use klinke_model::text::Label;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// An entrance (staircase).
#[derive(Serialize, ToSchema)]
pub struct Entrance {
    id: EntranceId,
    name: Label,
    /// How many units are behind it.
    units: u64,
}

impl Entrance {
    /// With so many units behind it.
    pub(super) fn new(entrance: klinke_model::site::Entrance, units: u64) -> Self {
        Self { id: entrance.id, name: entrance.name, units }
    }
}

/// The entrances of a building, by name.
#[utoipa::path(get, path = "/api/v1/buildings/{building}/entrances", operation_id = "entrances", tag = "buildings",
    params(("building" = uuid::Uuid, Path, description = "The building")), security(("session" = []), ("token" = [])),
    responses((status = 200, description = "The entrances", body = [Entrance])))]
pub async fn handler(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(building): Object<BuildingId>,
) -> Result<Json<Vec<Entrance>>, Problem> {
    administered(&node, &who, building).await?;
    let entrances = node.store.sites().counted_entrances(&who.scope, building).await?;
    Ok(Json(entrances.into_iter().map(|(entrance, units)| Entrance::new(entrance, units)).collect()))
}

/// A new entrance.
#[derive(Deserialize, ToSchema)]
pub struct NewEntrance {
    /// Such as "Storgatan 12 A".
    name: String,
}

/// Adds an entrance to a building.
#[utoipa::path(post, path = "/api/v1/buildings/{building}/entrances", operation_id = "add_entrance", tag = "buildings",
    request_body = NewEntrance, params(("building" = uuid::Uuid, Path, description = "The building")), security(("session" = []), ("token" = [])),
    responses((status = 201, description = "Added", body = Entrance),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn add(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(building): Object<BuildingId>,
    Body(new): Body<NewEntrance>,
) -> Result<(StatusCode, Json<Entrance>), Problem> {
    allowed(&node, &who, Right::ChangeBuilding, building).await?;
    let mut fields = Fields::default();
    let Some(name) = fields.label("/name", &new.name) else { return Err(fields.into()) };
    let stamp = node.stamp();
    let entrance = klinke_model::site::Entrance { id: node.random.v7(stamp.at), building, name };
    if !node.store.sites().insert_entrance(&who.scope, &stamp, entrance.clone()).await? {
        return Err(Code::NotFound.into());
    }
    Ok((StatusCode::CREATED, Json(Entrance::new(entrance, 0))))
}
