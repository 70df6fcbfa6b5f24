//! A panel is changed or removed: its name, its entrance, the doors that a call at it offers.

use super::panel_place::{has_doors, has_entrance};
use super::panels::Panel;
use super::uses::{Uses, removed};
use crate::auth::caller::Caller;
use crate::http::body::{Body, Object};
use crate::http::problem::{Code, FieldCode, Fields, Problem, ProblemBody};
use crate::node::Node;
use crate::signalling::refresh::panels_changed;
use crate::stations::standing;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use klinke_model::ids::{BuildingId, DoorId, EntranceId, PanelId};
use klinke_storage::record::{Edited, Part, SeenPanel};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// A panel, to be changed.
#[derive(Serialize, ToSchema)]
pub struct PanelPart {
    building: BuildingId,
    panel: Panel,
    /// Grows with every change.
    version: u64,
    uses: Uses,
}

/// What is to be changed; what is absent stays as it is.
#[derive(Deserialize, ToSchema)]
pub struct PanelChange {
    /// The version that the asker saw.
    version: u64,
    #[schema(required = false)]
    name: Option<String>,
    /// The entrance it hangs at; an empty text for none.
    #[schema(required = false)]
    entrance: Option<String>,
    /// All the doors that can be opened from a call at it, in the order they are passed.
    #[schema(required = false)]
    doors: Option<Vec<DoorId>>,
}

async fn told(
    node: &Node,
    who: &Caller,
    part: Part<klinke_model::intercom::Panel>,
) -> Result<PanelPart, Problem> {
    let building = part.value.building;
    let seen = node.store.intercom().panel_seen(&who.scope, part.value.id).await?.ok_or(Code::NotFound)?;
    let panel = Panel::new(node, SeenPanel { panel: part.value, ..seen });
    Ok(PanelPart { building, panel, version: part.version, uses: part.uses.into() })
}

/// A panel with its version and its buttons' number.
#[utoipa::path(get, path = "/api/v1/panels/{panel}", operation_id = "panel", tag = "buildings",
    params(("panel" = uuid::Uuid, Path, description = "The panel")), security(("session" = []), ("token" = [])),
    responses((status = 200, description = "The panel", body = PanelPart),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn handler(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(panel): Object<PanelId>,
) -> Result<Json<PanelPart>, Problem> {
    let part = seen(&node, &who, panel).await?;
    Ok(Json(told(&node, &who, part).await?))
}

async fn seen(
    node: &Node,
    who: &Caller,
    panel: PanelId,
) -> Result<Part<klinke_model::intercom::Panel>, Problem> {
    Ok(node.store.parts().panel_part(&who.scope, panel).await?.ok_or(Code::NotFound)?)
}

/// Changes a panel; it shows so.
#[utoipa::path(patch, path = "/api/v1/panels/{panel}", operation_id = "change_panel", tag = "buildings",
    request_body = PanelChange, params(("panel" = uuid::Uuid, Path, description = "The panel")), security(("session" = []), ("token" = [])),
    responses((status = 200, description = "Changed", body = PanelPart),
        (status = 403, description = "`forbidden`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`conflict`: somebody else changed it since; `current` is a `PanelPart`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn change(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(panel): Object<PanelId>,
    Body(change): Body<PanelChange>,
) -> Result<Json<PanelPart>, Problem> {
    let mut wanted = seen(&node, &who, panel).await?.value;
    let mut fields = Fields::default();
    let name = change.name.map_or(Some(wanted.name), |name| fields.label("/name", &name));
    match change.entrance.as_deref() {
        None => {}
        Some("") => wanted.entrance = None,
        Some(entrance) => match entrance.parse() {
            Ok(id) => {
                let entrance = EntranceId(id);
                has_entrance(&node, &who, wanted.building, entrance, &mut fields).await?;
                wanted.entrance = Some(entrance);
            }
            Err(_) => fields.wrong("/entrance", FieldCode::NotFound),
        },
    }
    if let Some(doors) = change.doors {
        has_doors(&node, &who, wanted.building, &doors, &mut fields).await?;
        wanted.doors = doors;
    }
    let Some(name) = name else { return Err(fields.into()) };
    fields.check()?;
    wanted.name = name;
    match node.store.parts().change_panel(&who.scope, &node.stamp(), change.version, wanted).await? {
        Edited::Done(part) => {
            panels_changed(&node, who.scope.tenant, part.value.building);
            Ok(Json(told(&node, &who, part).await?))
        }
        Edited::Conflict(part) => Err(Problem::conflict(&told(&node, &who, part).await?)),
        Edited::NotThere => Err(Code::Forbidden.into()),
    }
}

/// Removes a panel with its buttons.
#[utoipa::path(delete, path = "/api/v1/panels/{panel}", operation_id = "remove_panel", tag = "buildings",
    params(("panel" = uuid::Uuid, Path, description = "The panel")), security(("session" = []), ("token" = [])),
    responses((status = 204, description = "Gone; its key is worth nothing"),
        (status = 403, description = "`forbidden`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn remove(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(panel): Object<PanelId>,
) -> Result<StatusCode, Problem> {
    seen(&node, &who, panel).await?;
    removed(node.store.parts().remove_panel(&who.scope, &node.stamp(), panel).await?)?;
    node.exchange.panel_signed_out(panel);
    // its account went with it
    standing::look(&node).await;
    Ok(StatusCode::NO_CONTENT)
}
