//! The buildings that an administrator administers.

use super::{administrator, everywhere};
use crate::auth::caller::Caller;
use crate::calendar;
use crate::http::body::Body;
use crate::http::problem::{Code, FieldCode, Fields, Problem, ProblemBody};
use crate::node::Node;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use klinke_model::ids::BuildingId;
use klinke_model::rights::Right;
use klinke_model::schedule::HolidayCalendar;
use klinke_model::site::BuildingKind;
use klinke_model::text::Label;
use serde::{Deserialize, Serialize};
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
    /// Whose public holidays count.
    holidays: HolidayCalendar,
}

/// The buildings that one administers, by name.
#[utoipa::path(get, path = "/api/v1/buildings", operation_id = "buildings", tag = "buildings",
    security(("session" = []), ("token" = [])),
    responses((status = 200, description = "The buildings", body = [Building]),
        (status = 403, description = "`forbidden`: administers nothing", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn handler(State(node): State<Arc<Node>>, who: Caller) -> Result<Json<Vec<Building>>, Problem> {
    administrator(&node, &who, Right::SeeBuilding).await?;
    let buildings = node.store.sites().buildings(&who.scope).await?;
    Ok(Json(buildings.into_iter().map(Building::from).collect()))
}

impl From<klinke_model::site::Building> for Building {
    fn from(building: klinke_model::site::Building) -> Self {
        let klinke_model::site::Building { id, name, address, kind, time_zone, holidays } = building;
        Self { id, name, address, kind, time_zone, holidays }
    }
}

/// A new building.
#[derive(Deserialize, ToSchema)]
pub struct NewBuilding {
    /// What its people call it.
    name: String,
    /// Street address, one line.
    address: String,
    kind: BuildingKind,
    /// IANA time zone.
    #[schema(example = "Europe/Oslo")]
    time_zone: String,
    /// Whose public holidays count; nobody's without.
    #[serde(default)]
    #[schema(required = false)]
    holidays: HolidayCalendar,
}

/// Makes a building. For who administers all buildings.
#[utoipa::path(post, path = "/api/v1/buildings", operation_id = "make_building", tag = "buildings",
    request_body = NewBuilding, security(("session" = []), ("token" = [])),
    responses((status = 201, description = "Made", body = Building),
        (status = 403, description = "`forbidden`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn make(
    State(node): State<Arc<Node>>,
    who: Caller,
    Body(new): Body<NewBuilding>,
) -> Result<(StatusCode, Json<Building>), Problem> {
    everywhere(&node, &who, Right::ChangeBuilding).await?;
    let mut fields = Fields::default();
    let (name, address) = (fields.label("/name", &new.name), fields.label("/address", &new.address));
    if !calendar::is_zone(&new.time_zone) {
        fields.wrong("/time_zone", FieldCode::UnknownTimeZone);
    }
    let (Some(name), Some(address)) = (name, address) else { return Err(fields.into()) };
    fields.check()?;
    let stamp = node.stamp();
    let id = node.random.v7(stamp.at);
    let NewBuilding { kind, time_zone, holidays, .. } = new;
    let building = klinke_model::site::Building { id, name, address, kind, time_zone, holidays };
    if !node.store.sites().insert_building(&who.scope, &stamp, building.clone()).await? {
        return Err(Code::Forbidden.into());
    }
    Ok((StatusCode::CREATED, Json(building.into())))
}
