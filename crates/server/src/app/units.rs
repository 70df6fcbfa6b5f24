//! The units of a building, with how many people live there and how many devices would ring, never which or when.

use super::{administered, paging};
use crate::auth::caller::Caller;
use crate::http::body::Object;
use crate::http::problem::{Code, Fields, Problem, ProblemBody};
use crate::node::Node;
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use klinke_model::ids::{BuildingId, EntranceId, UnitId};
use klinke_model::text::Label;
use klinke_storage::record::{UnitAfter, UnitRow, UnitsQuery};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

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

impl From<UnitRow> for Unit {
    fn from(UnitRow { unit, residents, devices }: UnitRow) -> Self {
        Self {
            id: unit.id,
            number: unit.number,
            entrance: unit.entrance,
            residents,
            reachable_devices: devices,
        }
    }
}

/// A page of units.
#[derive(Serialize, ToSchema)]
pub struct UnitsPage {
    items: Vec<Unit>,
    /// Where the next page begins; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// What the list is narrowed to.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Asked {
    /// Behind this entrance.
    entrance: Option<EntranceId>,
    /// What the number begins with; case and marks do not count.
    text: Option<String>,
    /// `number` or `-number`, figures by their value.
    sort: Option<String>,
    /// The `next` of the page before, in the same order.
    cursor: Option<String>,
    /// How many, 1 to 200.
    limit: Option<u16>,
}

const NUMBER: &str = "number";

fn place(mut parts: paging::Parts) -> Option<UnitAfter> {
    parts.is(NUMBER)?;
    let after = UnitAfter { number: parts.bytes()?, unit: parts.id()? };
    parts.end().map(|()| after)
}

/// A page of the units of a building, by number.
#[utoipa::path(get, path = "/api/v1/buildings/{building}/units", operation_id = "units", tag = "buildings",
    params(("building" = uuid::Uuid, Path, description = "The building"), Asked), security(("session" = []), ("token" = [])),
    responses((status = 200, description = "The units", body = UnitsPage),
        (status = 400, description = "`malformed`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn handler(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(building): Object<BuildingId>,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Json<UnitsPage>, Problem> {
    administered(&node, &who, building).await?;
    let Query(asked) = asked.map_err(|_| Code::Malformed)?;
    let mut fields = Fields::default();
    let ((), descending) = paging::order(asked.sort.as_deref(), (), &[(NUMBER, ())], &mut fields);
    let query = UnitsQuery {
        entrance: asked.entrance,
        text: asked.text.as_deref().unwrap_or_default().chars().take(200).collect(),
        descending,
        after: paging::after(asked.cursor.as_deref(), place, &mut fields),
        limit: paging::limit(asked.limit, &mut fields),
    };
    fields.check()?;
    let page = node.store.sites().units_page(&who.scope, building, &query).await?;
    Ok(Json(UnitsPage {
        next: page.next.map(|next| paging::cursor(NUMBER, &[&next.number, next.unit.0.as_bytes()])),
        items: page.units.into_iter().map(Unit::from).collect(),
    }))
}
