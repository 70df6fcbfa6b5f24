//! A unit is changed or removed: its number, its entrance, the doors that its people may open.

use super::uses::{Uses, removed};
use crate::auth::caller::Caller;
use crate::http::body::{Body, Object};
use crate::http::problem::{Code, FieldCode, Fields, Problem, ProblemBody};
use crate::node::Node;
use crate::signalling::refresh::panels_changed;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use klinke_model::ids::{BuildingId, DoorId, EntranceId, UnitId};
use klinke_model::text::Label;
use klinke_storage::record::{Edited, Part, UnitDoors};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::sync::Arc;
use utoipa::ToSchema;

/// A unit, to be changed.
#[derive(Serialize, ToSchema)]
pub struct UnitPart {
    id: UnitId,
    building: BuildingId,
    entrance: EntranceId,
    number: Label,
    /// The doors that its people may open.
    doors: Vec<DoorId>,
    /// Grows with every change.
    version: u64,
    uses: Uses,
}

impl From<Part<UnitDoors>> for UnitPart {
    fn from(part: Part<UnitDoors>) -> Self {
        let UnitDoors { unit, doors } = part.value;
        let klinke_model::site::Unit { id, building, entrance, number } = unit;
        Self { id, building, entrance, number, doors, version: part.version, uses: part.uses.into() }
    }
}

/// What is to be changed; what is absent stays as it is.
#[derive(Deserialize, ToSchema)]
pub struct UnitChange {
    /// The version that the asker saw.
    version: u64,
    #[schema(required = false)]
    number: Option<String>,
    #[schema(required = false)]
    entrance: Option<EntranceId>,
    /// All the doors that its people may open.
    #[schema(required = false)]
    doors: Option<Vec<DoorId>>,
}

/// A unit with its version, its doors, and what depends on it.
#[utoipa::path(get, path = "/api/v1/units/{unit}", operation_id = "unit", tag = "buildings",
    params(("unit" = uuid::Uuid, Path, description = "The unit")), security(("session" = []), ("token" = [])),
    responses((status = 200, description = "The unit", body = UnitPart),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn handler(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(unit): Object<UnitId>,
) -> Result<Json<UnitPart>, Problem> {
    Ok(Json(seen(&node, &who, unit).await?.into()))
}

async fn seen(node: &Node, who: &Caller, unit: UnitId) -> Result<Part<UnitDoors>, Problem> {
    Ok(node.store.parts().unit_part(&who.scope, unit).await?.ok_or(Code::NotFound)?)
}

/// Changes a unit.
#[utoipa::path(patch, path = "/api/v1/units/{unit}", operation_id = "change_unit", tag = "buildings",
    request_body = UnitChange, params(("unit" = uuid::Uuid, Path, description = "The unit")), security(("session" = []), ("token" = [])),
    responses((status = 200, description = "Changed", body = UnitPart),
        (status = 403, description = "`forbidden`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`conflict`: somebody else changed it since; `current` is a `UnitPart`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid`; `taken` when the entrance has such a number", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn change(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(unit): Object<UnitId>,
    Body(change): Body<UnitChange>,
) -> Result<Json<UnitPart>, Problem> {
    let mut wanted = seen(&node, &who, unit).await?.value;
    let building = wanted.unit.building;
    let mut fields = Fields::default();
    let number = change.number.map_or(Some(wanted.unit.number), |number| fields.label("/number", &number));
    if let Some(entrance) = change.entrance {
        let entrances = node.store.sites().entrances(&who.scope, building).await?;
        if entrances.iter().all(|known| known.id != entrance) {
            fields.wrong("/entrance", FieldCode::NotFound);
        }
        wanted.unit.entrance = entrance;
    }
    if let Some(doors) = change.doors {
        let mut once = HashSet::new();
        for (place, door) in doors.iter().enumerate() {
            if !wanted.doors.contains(door) && node.store.doors().door(&who.scope, *door).await?.is_none() {
                fields.wrong(format!("/doors/{place}"), FieldCode::NotFound);
            } else if !once.insert(*door) {
                fields.wrong(format!("/doors/{place}"), FieldCode::Taken);
            }
        }
        wanted.doors = doors;
    }
    let Some(number) = number else { return Err(fields.into()) };
    let units = node.store.sites().units(&who.scope, building).await?;
    let same = |other: &klinke_model::site::Unit| {
        other.id != unit && other.entrance == wanted.unit.entrance && other.number == number
    };
    if units.iter().any(same) {
        fields.wrong("/number", FieldCode::Taken);
    }
    fields.check()?;
    wanted.unit.number = number;
    match node.store.parts().change_unit(&who.scope, &node.stamp(), change.version, wanted).await? {
        Edited::Done(part) => {
            panels_changed(&node, who.scope.tenant, part.value.unit.building);
            Ok(Json(part.into()))
        }
        Edited::Conflict(part) => Err(Problem::conflict(&UnitPart::from(part))),
        Edited::NotThere => Err(Code::Forbidden.into()),
    }
}

/// Removes a unit where nobody lives, with its buttons.
#[utoipa::path(delete, path = "/api/v1/units/{unit}", operation_id = "remove_unit", tag = "buildings",
    params(("unit" = uuid::Uuid, Path, description = "The unit")), security(("session" = []), ("token" = [])),
    responses((status = 204, description = "Gone"),
        (status = 403, description = "`forbidden`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`in_use`: people live there, or are about to; `current` are its `Uses`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn remove(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(unit): Object<UnitId>,
) -> Result<StatusCode, Problem> {
    let building = seen(&node, &who, unit).await?.value.unit.building;
    removed(node.store.parts().remove_unit(&who.scope, &node.stamp(), unit).await?)?;
    panels_changed(&node, who.scope.tenant, building);
    Ok(StatusCode::NO_CONTENT)
}
