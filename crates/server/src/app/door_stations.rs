//! Door stations of other makers as panels: one is made with what it registers with, which is in that answer and nowhere else.

use super::allowed;
use super::panel_place::Place;
use super::panels::Panel;
use super::sip_devices::{SipServer, servers};
use crate::auth::caller::Caller;
use crate::http::body::{Body, Object};
use crate::http::problem::{Code, FieldCode, Fields, Problem, ProblemBody};
use crate::node::Node;
use crate::stations::credentials::Credentials;
use crate::stations::standing;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use klinke_model::ids::{BellId, BuildingId, DoorId, EntranceId, PanelId};
use klinke_model::rights::Right;
use klinke_storage::record::{AnyNumberSet, SeenPanel, SipAdded};
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
    let place = Place { name: &new.name, entrance: new.entrance, doors: new.doors };
    let panel = place.panel(&node, &who, building).await?;
    let credentials = Credentials::new(&node.random);
    let account = credentials.account(&node.random, node.clock.now());
    let accounts = node.store.sip_accounts();
    // `false` when the rights, the entrance or a door went in between
    if !accounts.add_door_station(&who.scope, &node.stamp(), panel.clone(), account).await? {
        return Err(Code::NotFound.into());
    }
    let seen = SeenPanel { panel, paired: false, door_station: true, any_number: None };
    Ok((StatusCode::CREATED, Json(made(&node, seen, credentials).await)))
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
    let seen = node.store.intercom().panel_seen(&who.scope, panel).await?.ok_or(Code::NotFound)?;
    allowed(&node, &who, Right::Devices, seen.panel.building).await?;
    if !node.stations.may_stand() {
        return Err(Code::NoStations.into());
    }
    if seen.paired {
        return Err(Code::Paired.into());
    }
    let credentials = Credentials::new(&node.random);
    let account = credentials.account(&node.random, node.clock.now());
    match node.store.sip_accounts().set_sip_panel(&who.scope, &node.stamp(), panel, account).await? {
        SipAdded::Done => {}
        // it went in between
        SipAdded::NotThere | SipAdded::TooMany | SipAdded::Suspended => return Err(Code::NotFound.into()),
    }
    let seen = SeenPanel { door_station: true, ..seen };
    Ok((StatusCode::CREATED, Json(made(&node, seen, credentials).await)))
}

/// It may register from here on.
async fn made(node: &Node, seen: SeenPanel, credentials: Credentials) -> DoorStationMade {
    standing::look(node).await;
    let Credentials { name: user_name, password } = credentials;
    DoorStationMade { panel: Panel::new(node, seen), user_name, password, servers: servers(node) }
}

/// How a door station is to ring.
#[derive(Deserialize, ToSchema)]
pub struct DoorStationChange {
    /// The button of it that it rings with every number that no button of it has; `null` for none: such a number rings nobody.
    any_number: Option<BellId>,
}

/// Says what a door station rings with a number that no button of it has.
#[utoipa::path(put, path = "/api/v1/panels/{panel}/door-station", operation_id = "set_door_station", tag = "buildings",
    request_body = DoorStationChange, params(("panel" = uuid::Uuid, Path, description = "The panel")), security(("session" = []), ("token" = [])),
    responses((status = 200, description = "It is so from the next call on", body = Panel),
        (status = 403, description = "`forbidden`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not_found`; also: the panel is no door station", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid`: the button is not one of this panel", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn set(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(panel): Object<PanelId>,
    Body(change): Body<DoorStationChange>,
) -> Result<Json<Panel>, Problem> {
    let seen = node.store.intercom().panel_seen(&who.scope, panel).await?.ok_or(Code::NotFound)?;
    allowed(&node, &who, Right::Devices, seen.panel.building).await?;
    let accounts = node.store.sip_accounts();
    match accounts.set_any_number(&who.scope, &node.stamp(), panel, change.any_number).await? {
        AnyNumberSet::Done => {}
        AnyNumberSet::NotThere | AnyNumberSet::NoStation => return Err(Code::NotFound.into()),
        AnyNumberSet::NoBell => {
            let mut fields = Fields::default();
            fields.wrong("/any_number", FieldCode::NotFound);
            return Err(fields.into());
        }
    }
    Ok(Json(Panel::new(&node, SeenPanel { any_number: change.any_number, ..seen })))
}
