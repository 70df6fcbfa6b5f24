//! Who is signed in on this device.

use crate::auth::session::SignedIn;
use crate::http::problem::{Code, Problem};
use crate::node::Node;
use axum::Json;
use axum::extract::State;
use klinke_model::ids::{BuildingId, DeviceId, PersonId};
use klinke_model::people::{Device, DeviceKind, Person, Role, RoleGrant};
use klinke_model::privacy::Pii;
use klinke_model::text::Label;
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// A signed-in device.
#[derive(Serialize, ToSchema)]
pub struct Session {
    person: SessionPerson,
    device: SessionDevice,
    /// What the person administers; empty for a resident.
    roles: Vec<SessionRole>,
}

/// The person who is signed in.
#[derive(Serialize, ToSchema)]
pub struct SessionPerson {
    id: PersonId,
    /// Absent for who wants none.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<Label>,
}

/// The device that is signed in.
#[derive(Serialize, ToSchema)]
pub struct SessionDevice {
    id: DeviceId,
    name: Label,
    kind: DeviceKind,
}

/// Something that the person administers.
#[derive(Serialize, ToSchema)]
pub struct SessionRole {
    role: Role,
    /// The building; absent when it is all of the property manager's.
    #[serde(skip_serializing_if = "Option::is_none")]
    building: Option<BuildingId>,
}

impl Session {
    /// For the person's own screen.
    pub fn new(person: Person, device: Device, roles: &[RoleGrant]) -> Self {
        Self {
            person: SessionPerson { id: person.id, name: person.name.map(Pii::into_inner) },
            device: SessionDevice { id: device.id, name: device.name.into_inner(), kind: device.kind },
            roles: roles
                .iter()
                .map(|grant| SessionRole { role: grant.role, building: grant.building })
                .collect(),
        }
    }
}

/// Who is signed in on this device.
#[utoipa::path(get, path = "/api/v1/session", operation_id = "session", tag = "session",
    security(("session" = [])), responses((status = 200, description = "Signed in", body = Session)))]
pub async fn handler(State(node): State<Arc<Node>>, who: SignedIn) -> Result<Json<Session>, Problem> {
    let person = node.store.people().person(&who.scope, who.person).await?.ok_or(Code::NotSignedIn)?;
    let devices = node.store.devices().list(&who.scope, who.person).await?;
    let device = devices.into_iter().find(|device| device.id == who.device).ok_or(Code::NotSignedIn)?;
    let roles = node.store.people().roles(&who.scope, who.person).await?;
    Ok(Json(Session::new(person, device, &roles)))
}
