//! The buttons of a building's panels.

use super::allowed;
use crate::auth::caller::Caller;
use crate::http::body::Object;
use crate::http::problem::Problem;
use crate::node::Node;
use axum::Json;
use axum::extract::State;
use klinke_model::ids::{BellId, BuildingId, PanelId, PersonId, UnitId};
use klinke_model::intercom::{BellKind, DialCode, Listing, Moderation, Picture};
use klinke_model::privacy::Pii;
use klinke_model::rights::Right;
use klinke_model::text::Label;
use klinke_storage::record::Button;
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// A button on a panel.
#[derive(Serialize, ToSchema)]
pub struct Bell {
    id: BellId,
    /// Grows with every change. A change names the version it was made from.
    version: u64,
    panel: PanelId,
    unit: UnitId,
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

/// The buttons of a building, by panel and place.
#[utoipa::path(get, path = "/api/v1/buildings/{building}/bells", operation_id = "bells", tag = "buildings",
    params(("building" = uuid::Uuid, Path, description = "The building")), security(("session" = []), ("token" = [])),
    responses((status = 200, description = "The buttons", body = [Bell])))]
pub async fn handler(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(building): Object<BuildingId>,
) -> Result<Json<Vec<Bell>>, Problem> {
    allowed(&node, &who, Right::SeePeople, building).await?;
    let buttons = node.store.intercom().buttons(&who.scope, building).await?;
    Ok(Json(buttons.into_iter().map(Bell::from).collect()))
}
