//! What is special about a door, how it is held open or shut, and the emergency that holds all of a building's doors shut.

use super::{administered, allowed};
use crate::auth::caller::Caller;
use crate::http::body::{Body, Object};
use crate::http::problem::{Code, FieldCode, Fields, Problem, ProblemBody};
use crate::node::Node;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use klinke_access::decide::SiteMode;
use klinke_model::door::DoorKind;
use klinke_model::door_settings::{DoorHold, DoorSettings, SettingsFault};
use klinke_model::ids::{BuildingId, DoorId};
use klinke_model::rights::Right;
use klinke_storage::record::{Edited, KeptSettings, Part};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// What is special about a door.
#[derive(Serialize, ToSchema)]
pub struct DoorSettingsPart {
    settings: DoorSettings,
    /// How an administrator holds it.
    #[schema(nullable)]
    held: Option<DoorHold>,
    /// The door's; grows with every change of it.
    version: u64,
}

impl From<Part<KeptSettings>> for DoorSettingsPart {
    fn from(part: Part<KeptSettings>) -> Self {
        Self { settings: part.value.settings, held: part.value.held, version: part.version }
    }
}

/// All that is to be special about a door.
#[derive(Deserialize, ToSchema)]
pub struct DoorSettingsChange {
    /// The version of the door that the asker saw.
    version: u64,
    settings: DoorSettings,
}

/// How a door is to be held.
#[derive(Deserialize, ToSchema)]
pub struct HoldChange {
    /// Absent or null: not at all.
    #[serde(default)]
    #[schema(required = false)]
    held: Option<DoorHold>,
}

/// Whether an emergency is on in a building.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct LockDown {
    /// Nobody opens anything from outside. The way out and the fire alarm stay as they are wired.
    locked_down: bool,
}

/// The settings of a door.
#[utoipa::path(get, path = "/api/v1/doors/{door}/settings", operation_id = "door_settings", tag = "buildings",
    params(("door" = uuid::Uuid, Path, description = "The door")), security(("session" = []), ("token" = [])),
    responses((status = 200, description = "The settings", body = DoorSettingsPart),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn handler(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(door): Object<DoorId>,
) -> Result<Json<DoorSettingsPart>, Problem> {
    Ok(Json(seen(&node, &who, door).await?.into()))
}

async fn seen(node: &Node, who: &Caller, door: DoorId) -> Result<Part<KeptSettings>, Problem> {
    Ok(node.store.parts().door_settings(&who.scope, door).await?.ok_or(Code::NotFound)?)
}

/// Changes the settings of a door.
#[utoipa::path(put, path = "/api/v1/doors/{door}/settings", operation_id = "change_door_settings", tag = "buildings",
    request_body = DoorSettingsChange, params(("door" = uuid::Uuid, Path, description = "The door")), security(("session" = []), ("token" = [])),
    responses((status = 200, description = "Changed; its controller is told", body = DoorSettingsPart),
        (status = 403, description = "`forbidden`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`conflict`: somebody else changed the door since; `current` is a `DoorSettingsPart`; `needs_controller`: a door station opens it", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn change(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(door): Object<DoorId>,
    Body(change): Body<DoorSettingsChange>,
) -> Result<Json<DoorSettingsPart>, Problem> {
    let before = seen(&node, &who, door).await?.value;
    let wanted = change.settings;
    let mut fields = Fields::default();
    match wanted.fault(door) {
        None => {}
        Some(SettingsFault::TwoPeople) => {
            fields.wrong("/settings/two_people_within_s", FieldCode::OutOfRange);
        }
        Some(SettingsFault::After) => fields.wrong("/settings/after", FieldCode::OutOfRange),
        Some(SettingsFault::Airlock) => fields.wrong("/settings/airlock", FieldCode::OutOfRange),
        Some(SettingsFault::FirstPersonIn) => fields.wrong("/settings/unlocked", FieldCode::Required),
    }
    if wanted.airlock.is_some() && before.kind == DoorKind::Floor {
        fields.wrong("/settings/airlock", FieldCode::OutOfRange);
    }
    if let Some(after) = wanted.after {
        let doors = node.store.doors().doors(&who.scope, before.building).await?;
        // the order is kept by the controller, which knows its own doors; nobody is known to have gone through a floor
        let same = |other: &klinke_model::door::Door| {
            other.id == after.door
                && other.kind == DoorKind::Door
                && other.controller.is_some()
                && other.controller == before.controller
        };
        if !doors.iter().any(same) {
            fields.wrong("/settings/after/door", FieldCode::NotFound);
        }
    }
    if let Some(unlocked) = wanted.unlocked {
        let schedule = node.store.rules().schedule(&who.scope, unlocked).await?;
        if schedule.is_none_or(|schedule| schedule.value.building != before.building) {
            fields.wrong("/settings/unlocked", FieldCode::NotFound);
        }
    }
    fields.check()?;
    let (stamp, version) = (node.stamp(), change.version);
    match node.store.parts().change_door_settings(&who.scope, &stamp, version, door, wanted).await? {
        Edited::Done(part) => {
            before.controller.into_iter().for_each(|controller| node.links.reconcile(controller));
            Ok(Json(part.into()))
        }
        Edited::Conflict(part) => Err(Problem::conflict(&DoorSettingsPart::from(part))),
        Edited::NotThere => Err(Code::Forbidden.into()),
    }
}

/// Holds a door open, or shut, until it is let go of. It is held when its controller says so: its state tells.
#[utoipa::path(put, path = "/api/v1/doors/{door}/held", operation_id = "hold_door", tag = "buildings",
    request_body = HoldChange, params(("door" = uuid::Uuid, Path, description = "The door")), security(("session" = []), ("token" = [])),
    responses((status = 200, description = "Kept; its controller is told", body = DoorSettingsPart),
        (status = 403, description = "`forbidden`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`needs_controller`: a door station opens it", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn hold(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(door): Object<DoorId>,
    Body(change): Body<HoldChange>,
) -> Result<Json<DoorSettingsPart>, Problem> {
    let controller = seen(&node, &who, door).await?.value.controller;
    let held = node.store.parts().hold_door(&who.scope, &node.stamp(), door, change.held).await?;
    let held = held.ok_or(Code::Forbidden)?;
    controller.into_iter().for_each(|controller| node.links.reconcile(controller));
    Ok(Json(held.into()))
}

/// Whether an emergency is on in a building.
#[utoipa::path(get, path = "/api/v1/buildings/{building}/lock-down", operation_id = "lock_down", tag = "buildings",
    params(("building" = uuid::Uuid, Path, description = "The building")), security(("session" = []), ("token" = [])),
    responses((status = 200, description = "Whether it is on", body = LockDown),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn lock_down(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(building): Object<BuildingId>,
) -> Result<Json<LockDown>, Problem> {
    administered(&node, &who, building).await?;
    let mode = node.store.sites().site_mode(&who.scope, building).await?.ok_or(Code::NotFound)?;
    Ok(Json(LockDown { locked_down: mode == SiteMode::LockedDown }))
}

/// Begins or ends an emergency: while it is on, nobody opens a door of the building from outside.
#[utoipa::path(put, path = "/api/v1/buildings/{building}/lock-down", operation_id = "set_lock_down", tag = "buildings",
    request_body = LockDown, params(("building" = uuid::Uuid, Path, description = "The building")), security(("session" = []), ("token" = [])),
    responses((status = 204, description = "It is so; the controllers are told"),
        (status = 403, description = "`forbidden`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn set_lock_down(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(building): Object<BuildingId>,
    Body(wanted): Body<LockDown>,
) -> Result<StatusCode, Problem> {
    allowed(&node, &who, Right::ChangeBuilding, building).await?;
    let mode = if wanted.locked_down { SiteMode::LockedDown } else { SiteMode::Normal };
    if !node.store.sites().set_mode(&who.scope, &node.stamp(), building, mode).await? {
        return Err(Code::NotFound.into());
    }
    for controller in node.store.doors().controllers(&who.scope, building).await? {
        node.links.reconcile(controller.id);
    }
    Ok(StatusCode::NO_CONTENT)
}
