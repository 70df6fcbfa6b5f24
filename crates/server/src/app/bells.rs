//! The buttons of a building's panels.

use super::allowed;
use crate::auth::caller::Caller;
use crate::http::body::Object;
use crate::http::problem::Problem;
use crate::node::Node;
use axum::Json;
use axum::extract::State;
use klinke_model::ids::{BellId, BuildingId, PanelId, UnitId};
use klinke_model::intercom::BellKind;
use klinke_model::rights::Right;
use klinke_model::text::Label;
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// A button on a panel.
#[derive(Serialize, ToSchema)]
pub struct Bell {
    id: BellId,
    panel: PanelId,
    unit: UnitId,
    /// Its text.
    label: Label,
    kind: BellKind,
    /// Who it rings, in order, as the button shows them.
    members: Vec<Label>,
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
    let bells = node.store.intercom().bells(&who.scope, building).await?;
    let shown = bells.into_iter().map(|bell| Bell {
        id: bell.id,
        panel: bell.panel,
        unit: bell.unit,
        label: bell.label.into_inner(),
        kind: bell.kind,
        members: bell.members.into_iter().map(|member| member.label.into_inner()).collect(),
    });
    Ok(Json(shown.collect()))
}
