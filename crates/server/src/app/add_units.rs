//! Units for a building, one or many at once: "1101-1108, 1201-1208".

use super::allowed;
use crate::auth::caller::Caller;
use crate::http::body::{Body, Object};
use crate::http::problem::{Code, FieldCode, Fields, Problem, ProblemBody};
use crate::node::Node;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use klinke_model::ids::{BuildingId, DoorId, EntranceId};
use klinke_model::numbers::numbers;
use klinke_model::rights::Right;
use klinke_model::site::Unit;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::sync::Arc;
use utoipa::ToSchema;

/// New units behind one entrance.
#[derive(Deserialize, ToSchema)]
pub struct NewUnits {
    entrance: EntranceId,
    /// Numbers or names, separated by commas; two numbers with a dash between them are all from one to the other. 1,000 at
    /// most.
    #[schema(example = "1101-1108, 1201-1208")]
    numbers: String,
    /// The doors that their people may open.
    doors: Vec<DoorId>,
}

/// How many units were added.
#[derive(Serialize, ToSchema)]
pub struct AddedUnits {
    added: u32,
}

/// Adds units to a building; all of them or none.
#[utoipa::path(post, path = "/api/v1/buildings/{building}/units", operation_id = "add_units", tag = "buildings",
    request_body = NewUnits, params(("building" = uuid::Uuid, Path, description = "The building")), security(("session" = []), ("token" = [])),
    responses((status = 201, description = "Added", body = AddedUnits),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid`; `taken` when the entrance has such a number", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn handler(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(building): Object<BuildingId>,
    Body(new): Body<NewUnits>,
) -> Result<(StatusCode, Json<AddedUnits>), Problem> {
    allowed(&node, &who, Right::ChangeBuilding, building).await?;
    let mut fields = Fields::default();
    let entrances = node.store.sites().entrances(&who.scope, building).await?;
    if entrances.iter().all(|known| known.id != new.entrance) {
        fields.wrong("/entrance", FieldCode::NotFound);
    }
    let doors = node.store.doors().doors(&who.scope, building).await?;
    let mut once = HashSet::new();
    for (place, door) in new.doors.iter().enumerate() {
        if doors.iter().all(|known| known.id != *door) {
            fields.wrong(format!("/doors/{place}"), FieldCode::NotFound);
        } else if !once.insert(door) {
            fields.wrong(format!("/doors/{place}"), FieldCode::Taken);
        }
    }
    let Some(numbers) = numbers(&new.numbers) else {
        fields.wrong("/numbers", FieldCode::OutOfRange);
        return Err(fields.into());
    };
    let units = node.store.sites().units(&who.scope, building).await?;
    let there = |number: &klinke_model::text::Label| {
        units.iter().any(|unit| unit.entrance == new.entrance && unit.number == *number)
    };
    if numbers.iter().any(there) {
        fields.wrong("/numbers", FieldCode::Taken);
    }
    fields.check()?;
    let stamp = node.stamp();
    let unit = |number| Unit { id: node.random.v7(stamp.at), building, entrance: new.entrance, number };
    let units: Vec<_> = numbers.into_iter().map(unit).collect();
    if !node.store.sites().insert_units(&who.scope, &stamp, building, &units, &new.doors).await? {
        return Err(Code::NotFound.into());
    }
    let added = u32::try_from(units.len()).unwrap_or(u32::MAX);
    Ok((StatusCode::CREATED, Json(AddedUnits { added })))
}
