//! An administrator adds the panel that shows a code.

use super::allowed;
use super::panel_place::Place;
use super::panels::Panel;
use crate::auth::caller::Caller;
use crate::http::body::{Body, Object};
use crate::http::problem::{Code, Problem, ProblemBody};
use crate::node::Node;
use crate::pairing::{Device, PairingCode};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use klinke_model::ids::{BuildingId, DoorId, EntranceId};
use klinke_model::rights::Right;
use klinke_storage::record::SeenPanel;
use serde::Deserialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// A new panel.
#[derive(Deserialize, ToSchema)]
pub struct NewPanel {
    /// What the panel shows: eight digits, spaces do not matter.
    #[schema(example = "4071 9936")]
    code: String,
    /// Such as "Entrance A".
    name: String,
    /// The entrance it hangs at, when it serves one.
    #[schema(required = false)]
    entrance: Option<EntranceId>,
    /// Doors that can be opened from a call at this panel, in the order they are passed.
    doors: Vec<DoorId>,
}

/// Adds the panel that shows this code to a building.
#[utoipa::path(post, path = "/api/v1/buildings/{building}/panels", operation_id = "add_panel", tag = "pairing", request_body = NewPanel,
    params(("building" = uuid::Uuid, Path, description = "The building")), security(("session" = []), ("token" = [])),
    responses((status = 201, description = "Added, and told so", body = Panel),
        (status = 404, description = "`not_found`; `unknown_code`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "`too_many_tries`, with `Retry-After`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn handler(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(building): Object<BuildingId>,
    Body(new): Body<NewPanel>,
) -> Result<(StatusCode, Json<Panel>), Problem> {
    allowed(&node, &who, Right::Devices, building).await?;
    let place = Place { name: &new.name, entrance: new.entrance, doors: new.doors };
    let panel = place.panel(&node, &who, building).await?;

    let code = PairingCode::parse(&new.code).ok_or(Code::UnknownCode)?;
    let is_panel = |device: &Device| matches!(device, Device::Panel { .. });
    let reservation = node.pairings.reserve(who.person, code, is_panel)?.ok_or(Code::UnknownCode)?;
    let Some(Device::Panel { public_key }) = reservation.device() else {
        return Err(Code::UnknownCode.into());
    };
    // `false` when the rights, the entrance or a door went in between.
    let (intercom, stamp) = (node.store.intercom(), node.stamp());
    if !intercom.pair_panel(&who.scope, &stamp, panel.clone(), Some(public_key.clone())).await? {
        return Err(Code::NotFound.into());
    }
    reservation.settle_panel(panel.id);
    let seen = SeenPanel { panel, paired: true, door_station: false, any_number: None };
    Ok((StatusCode::CREATED, Json(Panel::new(&node, seen))))
}
