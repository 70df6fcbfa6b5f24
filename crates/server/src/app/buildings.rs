//! The buildings that an administrator administers.

use super::administrator;
use crate::auth::session::SignedIn;
use crate::http::problem::{Problem, ProblemBody};
use crate::node::Node;
use axum::Json;
use axum::extract::State;
use klinke_model::ids::BuildingId;
use klinke_model::rights::Right;
use klinke_model::site::BuildingKind;
use klinke_model::text::Label;
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// A building.
#[derive(Serialize, ToSchema)]
pub struct Building {
    id: BuildingId,
    name: Label,
    /// Street address, one line.
    address: Label,
    kind: BuildingKind,
    /// IANA time zone.
    #[schema(example = "Europe/Oslo")]
    time_zone: String,
}

/// The buildings that one administers, by name.
#[utoipa::path(get, path = "/api/v1/buildings", operation_id = "buildings", tag = "buildings",
    security(("session" = [])),
    responses((status = 200, description = "The buildings", body = [Building]),
        (status = 403, description = "`forbidden`: administers nothing", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn handler(State(node): State<Arc<Node>>, who: SignedIn) -> Result<Json<Vec<Building>>, Problem> {
    administrator(&node, &who, Right::SeeBuilding).await?;
    let buildings = node.store.sites().buildings(&who.scope).await?;
    let shown = buildings.into_iter().map(|building| Building {
        id: building.id,
        name: building.name,
        address: building.address,
        kind: building.kind,
        time_zone: building.time_zone,
    });
    Ok(Json(shown.collect()))
}
