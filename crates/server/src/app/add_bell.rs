//! Buttons on a panel: adding, removing, ordering.

use super::allowed;
use crate::auth::caller::Caller;
use crate::http::body::{Body, Object};
use crate::http::problem::{Code, FieldCode, Fields, Problem, ProblemBody};
use crate::node::Node;
use crate::signalling::refresh::panels_changed;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use klinke_model::ids::{BellId, BuildingId, PanelId, PersonId, UnitId};
use klinke_model::intercom::{Bell, BellKind, BellMember};
use klinke_model::privacy::Pii;
use klinke_model::rights::Right;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// A new button.
#[derive(Deserialize, ToSchema)]
pub struct NewBell {
    panel: PanelId,
    unit: UnitId,
    /// Its text.
    #[schema(value_type = String)]
    label: Pii<String>,
    kind: BellKind,
    /// Whom it rings, in order; absent for everybody who lives in the unit. An individual button rings one.
    #[schema(required = false)]
    members: Option<Vec<PersonId>>,
}

/// The button that was added.
#[derive(Serialize, ToSchema)]
pub struct AddedBell {
    id: BellId,
}

/// The order of a panel's buttons.
#[derive(Deserialize, ToSchema)]
pub struct BellOrder {
    panel: PanelId,
    /// All of its buttons, the first first.
    bells: Vec<BellId>,
}

/// Adds a button after the others of its panel.
#[utoipa::path(post, path = "/api/v1/buildings/{building}/bells", operation_id = "add_bell", tag = "buildings",
    request_body = NewBell, params(("building" = uuid::Uuid, Path, description = "The building")), security(("session" = []), ("token" = [])),
    responses((status = 201, description = "Added; its panel shows it", body = AddedBell),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn handler(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(building): Object<BuildingId>,
    Body(new): Body<NewBell>,
) -> Result<(StatusCode, Json<AddedBell>), Problem> {
    allowed(&node, &who, Right::ChangeBuilding, building).await?;
    let mut fields = Fields::default();
    let label = fields.label("/label", new.label.reveal());
    if !node.store.intercom().panels(&who.scope, building).await?.iter().any(|panel| panel.id == new.panel) {
        fields.wrong("/panel", FieldCode::NotFound);
    }
    let units = node.store.sites().units(&who.scope, building).await?;
    let unit = units.into_iter().find(|unit| unit.id == new.unit);
    if unit.is_none() {
        fields.wrong("/unit", FieldCode::NotFound);
    }
    let lives = node.store.people().unit_members(&who.scope, building).await?;
    let lives: Vec<_> = lives.into_iter().filter(|member| member.membership.unit == new.unit).collect();
    let chosen = new.members.unwrap_or_else(|| lives.iter().map(|member| member.person.id).collect());
    let mut members: Vec<BellMember> = Vec::new();
    for (place, person) in chosen.iter().enumerate() {
        match lives.iter().find(|member| member.person.id == *person) {
            None => fields.wrong(format!("/members/{place}"), FieldCode::NotFound),
            Some(_) if members.iter().any(|member| member.person == *person) => {
                fields.wrong(format!("/members/{place}"), FieldCode::Taken);
            }
            Some(member) => {
                // who has no name is called by the unit
                let name = member.person.name.clone();
                let name = name.or_else(|| unit.as_ref().map(|unit| Pii::new(unit.number.clone())));
                members.extend(name.map(|label| BellMember { person: *person, label }));
            }
        }
    }
    if new.kind == BellKind::Individual && members.len() != 1 {
        fields.wrong("/members", FieldCode::OutOfRange);
    }
    let Some(label) = label else { return Err(fields.into()) };
    fields.check()?;
    let stamp = node.stamp();
    let id = node.random.v7(stamp.at);
    let (panel, unit, kind) = (new.panel, new.unit, new.kind);
    let bell = Bell { id, panel, unit, label: Pii::new(label), kind, members };
    if !node.store.intercom().insert_bell(&who.scope, &stamp, bell, None).await? {
        return Err(Code::NotFound.into());
    }
    panels_changed(&node, who.scope.tenant, building);
    Ok((StatusCode::CREATED, Json(AddedBell { id })))
}

/// Puts the buttons of a panel in order.
#[utoipa::path(put, path = "/api/v1/buildings/{building}/bells", operation_id = "order_bells", tag = "buildings",
    request_body = BellOrder, params(("building" = uuid::Uuid, Path, description = "The building")), security(("session" = []), ("token" = [])),
    responses((status = 204, description = "In order"),
        (status = 404, description = "`not_found`: not exactly the buttons of the panel", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn order(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(building): Object<BuildingId>,
    Body(order): Body<BellOrder>,
) -> Result<StatusCode, Problem> {
    allowed(&node, &who, Right::ChangeBuilding, building).await?;
    let panels = node.store.intercom().panels(&who.scope, building).await?;
    let stamp = node.stamp();
    if panels.iter().all(|panel| panel.id != order.panel) {
        return Err(Code::NotFound.into());
    }
    if !node.store.intercom().order_bells(&who.scope, &stamp, order.panel, &order.bells).await? {
        return Err(Code::NotFound.into());
    }
    panels_changed(&node, who.scope.tenant, building);
    Ok(StatusCode::NO_CONTENT)
}

/// Takes a button off its panel.
#[utoipa::path(delete, path = "/api/v1/bells/{bell}", operation_id = "remove_bell", tag = "buildings",
    params(("bell" = uuid::Uuid, Path, description = "The button")), security(("session" = []), ("token" = [])),
    responses((status = 204, description = "Gone"),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn remove(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(bell): Object<BellId>,
) -> Result<StatusCode, Problem> {
    let building = node.store.intercom().remove_bell(&who.scope, &node.stamp(), bell).await?;
    panels_changed(&node, who.scope.tenant, building.ok_or(Code::NotFound)?);
    Ok(StatusCode::NO_CONTENT)
}
