//! The entrances of a building.

use super::administered;
use crate::auth::session::SignedIn;
use crate::http::body::Object;
use crate::http::problem::Problem;
use crate::node::Node;
use axum::Json;
use axum::extract::State;
use klinke_model::ids::{BuildingId, EntranceId};
use klinke_model::text::Label;
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// An entrance (staircase).
#[derive(Serialize, ToSchema)]
pub struct Entrance {
    id: EntranceId,
    name: Label,
}

/// The entrances of a building, by name.
#[utoipa::path(get, path = "/api/v1/buildings/{building}/entrances", operation_id = "entrances", tag = "buildings",
    params(("building" = uuid::Uuid, Path, description = "The building")), security(("session" = [])),
    responses((status = 200, description = "The entrances", body = [Entrance])))]
pub async fn handler(
    State(node): State<Arc<Node>>,
    who: SignedIn,
    Object(building): Object<BuildingId>,
) -> Result<Json<Vec<Entrance>>, Problem> {
    administered(&node, &who, building).await?;
    let entrances = node.store.sites().entrances(&who.scope, building).await?;
    let shown = entrances.into_iter().map(|entrance| Entrance { id: entrance.id, name: entrance.name });
    Ok(Json(shown.collect()))
}
