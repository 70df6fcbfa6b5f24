//! A building is changed or removed.

use super::buildings::Building;
use super::uses::{Uses, removed};
use super::{administered, everywhere};
use crate::auth::caller::Caller;
use crate::calendar;
use crate::http::body::{Body, Object};
use crate::http::problem::{Code, FieldCode, Fields, Problem, ProblemBody};
use crate::node::Node;
use crate::signalling::refresh::panels_changed;
use crate::stations::standing;
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use klinke_model::ids::BuildingId;
use klinke_model::rights::Right;
use klinke_model::schedule::HolidayCalendar;
use klinke_model::site::BuildingKind;
use klinke_storage::record::{Edited, Part};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

/// A building, to be changed.
#[derive(Serialize, ToSchema)]
pub struct BuildingPart {
    building: Building,
    /// Grows with every change.
    version: u64,
    uses: Uses,
}

impl From<Part<klinke_model::site::Building>> for BuildingPart {
    fn from(part: Part<klinke_model::site::Building>) -> Self {
        Self { building: part.value.into(), version: part.version, uses: part.uses.into() }
    }
}

/// What is to be changed; what is absent stays as it is.
#[derive(Deserialize, ToSchema)]
pub struct BuildingChange {
    /// The version that the asker saw.
    version: u64,
    #[schema(required = false)]
    name: Option<String>,
    /// Street address, one line.
    #[schema(required = false)]
    address: Option<String>,
    #[schema(required = false)]
    kind: Option<BuildingKind>,
    /// IANA time zone.
    #[schema(required = false, example = "Europe/Oslo")]
    time_zone: Option<String>,
    /// Whose public holidays count.
    #[schema(required = false)]
    holidays: Option<HolidayCalendar>,
}

/// That somebody means this building.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Meant {
    /// Its name, typed.
    name: String,
}

/// A building with its version and what is in it.
#[utoipa::path(get, path = "/api/v1/buildings/{building}", operation_id = "building", tag = "buildings",
    params(("building" = uuid::Uuid, Path, description = "The building")), security(("session" = []), ("token" = [])),
    responses((status = 200, description = "The building", body = BuildingPart),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn handler(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(building): Object<BuildingId>,
) -> Result<Json<BuildingPart>, Problem> {
    administered(&node, &who, building).await?;
    let part = node.store.parts().building_part(&who.scope, building).await?.ok_or(Code::NotFound)?;
    Ok(Json(part.into()))
}

/// Changes a building.
#[utoipa::path(patch, path = "/api/v1/buildings/{building}", operation_id = "change_building", tag = "buildings",
    request_body = BuildingChange, params(("building" = uuid::Uuid, Path, description = "The building")), security(("session" = []), ("token" = [])),
    responses((status = 200, description = "Changed", body = BuildingPart),
        (status = 403, description = "`forbidden`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`conflict`: somebody else changed it since; `current` is a `BuildingPart`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn change(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(building): Object<BuildingId>,
    Body(change): Body<BuildingChange>,
) -> Result<Json<BuildingPart>, Problem> {
    let before = super::allowed(&node, &who, Right::ChangeBuilding, building).await?;
    let mut fields = Fields::default();
    let name = change.name.map_or(Some(before.name), |name| fields.label("/name", &name));
    let address = change.address.map_or(Some(before.address), |address| fields.label("/address", &address));
    let time_zone = change.time_zone.unwrap_or(before.time_zone);
    if !calendar::is_zone(&time_zone) {
        fields.wrong("/time_zone", FieldCode::UnknownTimeZone);
    }
    let (Some(name), Some(address)) = (name, address) else { return Err(fields.into()) };
    fields.check()?;
    let kind = change.kind.unwrap_or(before.kind);
    let holidays = change.holidays.unwrap_or(before.holidays);
    let wanted = klinke_model::site::Building { id: building, name, address, kind, time_zone, holidays };
    let parts = node.store.parts();
    match parts.change_building(&who.scope, &node.stamp(), change.version, wanted).await? {
        Edited::Done(part) => {
            panels_changed(&node, who.scope.tenant, building);
            Ok(Json(part.into()))
        }
        Edited::Conflict(part) => Err(Problem::conflict(&BuildingPart::from(part))),
        Edited::NotThere => Err(Code::Forbidden.into()),
    }
}

/// Removes a building with all that is in it, when nobody lives there. For who administers all buildings.
#[utoipa::path(delete, path = "/api/v1/buildings/{building}", operation_id = "remove_building", tag = "buildings",
    params(("building" = uuid::Uuid, Path, description = "The building"), Meant), security(("session" = []), ("token" = [])),
    responses((status = 204, description = "Gone"),
        (status = 403, description = "`forbidden`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`in_use`: people live there, or are about to; `current` are its `Uses`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid`: not its name", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn remove(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(building): Object<BuildingId>,
    meant: Result<Query<Meant>, QueryRejection>,
) -> Result<StatusCode, Problem> {
    let before = super::allowed(&node, &who, Right::ChangeBuilding, building).await?;
    if !meant.is_ok_and(|Query(meant)| meant.name.trim() == before.name.as_str()) {
        let mut fields = Fields::default();
        fields.wrong("/name", FieldCode::NotFound);
        return Err(fields.into());
    }
    everywhere(&node, &who, Right::ChangeBuilding).await?;
    let panels = node.store.intercom().panels(&who.scope, building).await?;
    let controllers = node.store.doors().controllers(&who.scope, building).await?;
    removed(node.store.parts().remove_building(&who.scope, &node.stamp(), building).await?)?;
    panels.iter().for_each(|panel| node.exchange.panel_signed_out(panel.id));
    // accounts of door stations went with them
    standing::look(&node).await;
    controllers.iter().for_each(|controller| node.links.removed(controller.id));
    Ok(StatusCode::NO_CONTENT)
}
