//! The buttons of a building's panels.

use super::{allowed, paging};
use crate::auth::caller::Caller;
use crate::http::body::Object;
use crate::http::problem::{Code, Fields, Problem, ProblemBody};
use crate::node::Node;
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use klinke_model::ids::{BellId, BuildingId, PanelId, PersonId, UnitId};
use klinke_model::intercom::{BellKind, DialCode, Listing, Moderation, Picture};
use klinke_model::privacy::Pii;
use klinke_model::rights::Right;
use klinke_model::text::Label;
use klinke_storage::record::{Button, ButtonAfter, ButtonsOrder, ButtonsQuery};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

/// A button on a panel.
#[derive(Serialize, ToSchema)]
pub struct Bell {
    id: BellId,
    /// Grows with every change. A change names the version it was made from.
    version: u64,
    panel: PanelId,
    unit: UnitId,
    /// Apartment number or company name of the unit.
    number: Label,
    /// Its text.
    label: Label,
    kind: BellKind,
    /// Who it rings, in order, as the button shows them.
    members: Vec<Label>,
    /// The same people, in the same order.
    people: Vec<PersonId>,
    /// What else the search of the panel finds it by.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    alias: Option<Label>,
    listing: Listing,
    /// What rings it from the keyboard of its panel, 4 to 8 digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, value_type = Option<String>)]
    dial_code: Option<DialCode>,
    /// Not on the panel for now.
    hidden: bool,
    moderation: Moderation,
    /// Why an administrator took it off the panel.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    removed_reason: Option<Label>,
    /// What stood there when an administrator looked last.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    before: Option<Label>,
    /// What a resident wants to stand there; waits for an administrator.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    asked: Option<Label>,
    /// Its picture, while the building's policy allows pictures.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    picture: Option<Picture>,
    /// Why an administrator took its last picture away.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    picture_reason: Option<Label>,
}

impl From<Button> for Bell {
    fn from(button: Button) -> Self {
        let Button { bell, .. } = button;
        Self {
            id: bell.id,
            version: button.version,
            panel: bell.panel,
            unit: bell.unit,
            number: button.number,
            label: bell.label.into_inner(),
            kind: bell.kind,
            people: bell.members.iter().map(|member| member.person).collect(),
            members: bell.members.into_iter().map(|member| member.label.into_inner()).collect(),
            alias: button.alias.map(Pii::into_inner),
            listing: button.listing,
            dial_code: button.dial_code.map(Pii::into_inner),
            hidden: button.hidden,
            moderation: button.moderation,
            removed_reason: button.removed_reason,
            before: button.before.map(Pii::into_inner),
            asked: button.asked.map(Pii::into_inner),
            picture: button.picture,
            picture_reason: button.picture_reason,
        }
    }
}

/// A page of buttons.
#[derive(Serialize, ToSchema)]
pub struct BellsPage {
    items: Vec<Bell>,
    /// Where the next page begins; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// What the list is narrowed to.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Asked {
    /// On this panel.
    panel: Option<PanelId>,
    /// Of this unit.
    unit: Option<UnitId>,
    /// That wait for an administrator, were taken off by one, or neither.
    #[param(inline)]
    moderation: Option<Moderation>,
    /// What the button's text begins with; or each word begins a word of somebody it rings, or the number of its unit.
    text: Option<String>,
    /// `place` (panel, then place on it), `label` or `unit`; with `-` before it the other way round.
    sort: Option<String>,
    /// The `next` of the page before, in the same order.
    cursor: Option<String>,
    /// How many, 1 to 200.
    limit: Option<u16>,
}

/// The orders of the list, by name.
const ORDERS: [(&str, ButtonsOrder); 3] =
    [("place", ButtonsOrder::Place), ("label", ButtonsOrder::Label), ("unit", ButtonsOrder::Unit)];

fn cursor(after: &ButtonAfter) -> String {
    match after {
        ButtonAfter::Place(panel, position, bell) => {
            paging::cursor("place", &[panel.0.as_bytes(), &position.to_be_bytes(), bell.0.as_bytes()])
        }
        ButtonAfter::Label(label, bell) => paging::cursor("label", &[label.reveal(), bell.0.as_bytes()]),
        ButtonAfter::Unit(number, unit, bell) => {
            paging::cursor("unit", &[number, unit.0.as_bytes(), bell.0.as_bytes()])
        }
    }
}

fn place(order: ButtonsOrder, mut parts: paging::Parts) -> Option<ButtonAfter> {
    let after = match order {
        ButtonsOrder::Place => {
            parts.is("place")?;
            let (panel, position) = (parts.id()?, parts.bytes()?.try_into().ok().map(i32::from_be_bytes)?);
            ButtonAfter::Place(panel, position, parts.id()?)
        }
        ButtonsOrder::Label => {
            parts.is("label")?;
            ButtonAfter::Label(Pii::new(parts.bytes()?), parts.id()?)
        }
        ButtonsOrder::Unit => {
            parts.is("unit")?;
            ButtonAfter::Unit(parts.bytes()?, parts.id()?, parts.id()?)
        }
    };
    parts.end().map(|()| after)
}

/// A page of the buttons of a building.
#[utoipa::path(get, path = "/api/v1/buildings/{building}/bells", operation_id = "bells", tag = "buildings",
    params(("building" = uuid::Uuid, Path, description = "The building"), Asked), security(("session" = []), ("token" = [])),
    responses((status = 200, description = "The buttons", body = BellsPage),
        (status = 400, description = "`malformed`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn handler(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(building): Object<BuildingId>,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Json<BellsPage>, Problem> {
    allowed(&node, &who, Right::SeePeople, building).await?;
    let Query(asked) = asked.map_err(|_| Code::Malformed)?;
    let mut fields = Fields::default();
    let (order, descending) = paging::order(asked.sort.as_deref(), ButtonsOrder::Place, &ORDERS, &mut fields);
    let query = ButtonsQuery {
        panel: asked.panel,
        unit: asked.unit,
        moderation: asked.moderation,
        text: asked.text.as_deref().unwrap_or_default().chars().take(200).collect(),
        order,
        descending,
        after: paging::after(asked.cursor.as_deref(), |parts| place(order, parts), &mut fields),
        limit: paging::limit(asked.limit, &mut fields),
    };
    fields.check()?;
    let page = node.store.intercom().buttons(&who.scope, building, &query).await?;
    Ok(Json(BellsPage {
        next: page.next.as_ref().map(cursor),
        items: page.buttons.into_iter().map(Bell::from).collect(),
    }))
}
