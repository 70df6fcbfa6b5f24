//! Door stations of other makers as panels: one is made with what it registers with, which is in that answer and nowhere else.

use super::panels::Panel;
use super::sip_devices::{SipServer, servers};
use super::{add_panel, allowed};
use crate::auth::caller::Caller;
use crate::http::body::{Body, Object};
use crate::http::problem::{Code, Problem, ProblemBody};
use crate::node::Node;
use crate::stations::credentials::Credentials;
use crate::stations::standing;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use klinke_model::ids::{BuildingId, DoorId, EntranceId, PanelId};
use klinke_model::rights::Right;
use klinke_storage::record::SipAdded;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// A new door station.
#[derive(Deserialize, ToSchema)]
pub struct NewDoorStation {
    /// Such as "Entrance A".
    name: String,
    /// The entrance it hangs at, when it serves one.
    #[schema(required = false)]
    entrance: Option<EntranceId>,
    /// Doors that can be opened from a call at it, in the order they are passed.
    doors: Vec<DoorId>,
}

/// What a door station is set up with. It is shown this once.
#[derive(Serialize, ToSchema)]
pub struct DoorStationMade {
    panel: Panel,
    /// The user name, for authentication too.
    #[schema(example = "k7m2q9x4w8zp3n5v")]
    user_name: String,
    password: String,
    /// Where it registers, the safest way first.
    servers: Vec<SipServer>,
}

/// Adds a door station to a building. What it is set up with is in the answer and nowhere else.
#[utoipa::path(post, path = "/api/v1/buildings/{building}/door-stations", operation_id = "add_door_station", tag = "pairing",
    request_body = NewDoorStation, params(("building" = uuid::Uuid, Path, description = "The building")), security(("session" = []), ("token" = [])),
    responses((status = 201, description = "It may register", body = DoorStationMade),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`no_stations`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn add(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(building): Object<BuildingId>,
    Body(new): Body<NewDoorStation>,
) -> Result<(StatusCode, Json<DoorStationMade>), Problem> {
    allowed(&node, &who, Right::Devices, building).await?;
    if !node.stations.may_stand() {
        return Err(Code::NoStations.into());
    }
    let place = add_panel::Place { name: &new.name, entrance: new.entrance, doors: new.doors };
    let panel = place.panel(&node, &who, building).await?;
    // without a key: nothing but its account lets it in. Cut short here it is a panel that is not connected yet, and
    // gets its account by the other operation.
    if !node.store.intercom().pair_panel(&who.scope, &node.stamp(), panel.clone(), None).await? {
        return Err(Code::NotFound.into());
    }
    let made = made(&node, &who, panel).await?;
    Ok((StatusCode::CREATED, Json(made)))
}

/// Gives a door station another account; the one before is out at once, and out of its call. A panel that has neither key nor
/// account becomes a door station.
#[utoipa::path(post, path = "/api/v1/panels/{panel}/door-station", operation_id = "renew_door_station", tag = "pairing",
    params(("panel" = uuid::Uuid, Path, description = "The panel")), security(("session" = []), ("token" = [])),
    responses((status = 201, description = "It may register", body = DoorStationMade),
        (status = 403, description = "`forbidden`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`no_stations`; `paired`: a screen holds its key", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn renew(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(panel): Object<PanelId>,
) -> Result<(StatusCode, Json<DoorStationMade>), Problem> {
    let part = node.store.parts().panel_part(&who.scope, panel).await?.ok_or(Code::NotFound)?;
    allowed(&node, &who, Right::Devices, part.value.building).await?;
    if !node.stations.may_stand() {
        return Err(Code::NoStations.into());
    }
    if node.store.gate().panel_key(panel).await?.is_some() {
        return Err(Code::Paired.into());
    }
    node.store.sip_accounts().remove_sip_panel(&who.scope, &node.stamp(), panel).await?;
    standing::look(&node).await;
    let made = made(&node, &who, part.value).await?;
    Ok((StatusCode::CREATED, Json(made)))
}

async fn made(
    node: &Node,
    who: &Caller,
    panel: klinke_model::intercom::Panel,
) -> Result<DoorStationMade, Problem> {
    let credentials = Credentials::new(&node.random);
    let account = credentials.account(&node.random, node.clock.now());
    match node.store.sip_accounts().add_sip_panel(&who.scope, &node.stamp(), panel.id, account).await? {
        SipAdded::Done => {}
        // it went in between, or somebody else was faster
        SipAdded::NotThere | SipAdded::TooMany | SipAdded::Suspended => return Err(Code::NotFound.into()),
    }
    standing::look(node).await;
    let Credentials { name: user_name, password } = credentials;
    let panel = Panel::new(node, panel, false, true);
    Ok(DoorStationMade { panel, user_name, password, servers: servers(node) })
}
