//! The units of a building, with how many people live there and how many devices would ring, never which or when.

use super::administered;
use crate::auth::caller::Caller;
use crate::http::body::Object;
use crate::http::problem::Problem;
use crate::node::Node;
use axum::Json;
use axum::extract::State;
use klinke_model::ids::{BuildingId, EntranceId, UnitId};
use klinke_model::text::Label;
use serde::Serialize;
use std::collections::HashMap;
use std::sync::Arc;
use utoipa::ToSchema;

/// An apartment or a company.
#[derive(Serialize, ToSchema)]
pub struct Unit {
    id: UnitId,
    /// Apartment number or company name.
    number: Label,
    entrance: EntranceId,
    /// How many people live or work here. 0 also for who may not see people.
    residents: u32,
    /// How many of their devices are signed in, so that a call rings them. 0 also for who may not see people.
    reachable_devices: u32,
}

/// The units of a building, by number.
#[utoipa::path(get, path = "/api/v1/buildings/{building}/units", operation_id = "units", tag = "buildings",
    params(("building" = uuid::Uuid, Path, description = "The building")), security(("session" = []), ("token" = [])),
    responses((status = 200, description = "The units", body = [Unit])))]
pub async fn handler(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(building): Object<BuildingId>,
) -> Result<Json<Vec<Unit>>, Problem> {
    administered(&node, &who, building).await?;
    let counted = node.store.people().unit_counts(&who.scope, building).await?;
    let counts: HashMap<_, _> =
        counted.into_iter().map(|count| (count.unit, (count.residents, count.devices))).collect();
    let units = node.store.sites().units(&who.scope, building).await?;
    let shown = units.into_iter().map(|unit| {
        let (residents, reachable_devices) = counts.get(&unit.id).copied().unwrap_or_default();
        Unit { id: unit.id, number: unit.number, entrance: unit.entrance, residents, reachable_devices }
    });
    Ok(Json(shown.collect()))
}
