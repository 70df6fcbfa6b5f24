//! Who is signed in on this device.

use crate::auth::session::SignedIn;
use crate::http::problem::{Code, Problem};
use crate::node::Node;
use axum::Json;
use axum::extract::State;
use klinke_model::ids::{BuildingId, DeviceId, PersonId};
use klinke_model::people::{Device, DeviceKind, Person, Role, RoleGrant};
use klinke_model::privacy::Pii;
use klinke_model::rights::Right;
use klinke_model::scope::ViewAs;
use klinke_model::text::Label;
use klinke_model::time::Timestamp;
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// A signed-in device.
#[derive(Serialize, ToSchema)]
pub struct Session {
    person: SessionPerson,
    device: SessionDevice,
    /// What the person administers and has not ended; empty for a resident. What is left of it for who looks as a role.
    roles: Vec<SessionRole>,
    /// The roles with access to personal data do not count yet: the person must accept confidentiality first.
    confidentiality_required: bool,
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
    /// What it allows.
    rights: Vec<Right>,
    /// The building; absent when it is all of the property manager's.
    #[serde(skip_serializing_if = "Option::is_none")]
    building: Option<BuildingId>,
    /// First moment at which it is over, in UTC milliseconds; absent when it does not end.
    #[serde(skip_serializing_if = "Option::is_none")]
    ends_at: Option<Timestamp>,
}

impl Session {
    /// For the person's own screen.
    pub fn new(
        person: Person,
        device: Device,
        roles: &[RoleGrant],
        bound: bool,
        now: Timestamp,
        view: Option<ViewAs>,
    ) -> Self {
        let held = || roles.iter().filter(|grant| !grant.is_over(now));
        Self {
            confidentiality_required: !bound && held().any(|grant| grant.role.sees_people()),
            person: SessionPerson { id: person.id, name: person.name.map(Pii::into_inner) },
            device: SessionDevice { id: device.id, name: device.name.into_inner(), kind: device.kind },
            roles: held()
                .filter_map(|grant| {
                    let own = || (grant.building, grant.role.rights().to_vec());
                    let (building, rights) = view.map_or_else(|| Some(own()), |view| view.narrow(grant))?;
                    let role = view.map_or(grant.role, |view| view.role);
                    if rights.is_empty() {
                        return None;
                    }
                    Some(SessionRole { role, rights, building, ends_at: grant.ends_at })
                })
                .collect(),
        }
    }
}

/// Who is signed in on this device.
#[utoipa::path(get, path = "/api/v1/session", operation_id = "session", tag = "session",
    params(("Klinke-View-As" = Option<String>, Header, description = "Look as a role: `caretaker@<building>`, or a role alone. On every read; the answers hold what both the asker and that role may see.")),
    security(("session" = [])), responses((status = 200, description = "Signed in", body = Session)))]
pub async fn handler(State(node): State<Arc<Node>>, who: SignedIn) -> Result<Json<Session>, Problem> {
    let person = node.store.people().person(&who.scope, who.person).await?.ok_or(Code::NotSignedIn)?;
    let devices = node.store.devices().list(&who.scope, who.person).await?;
    let device = devices.into_iter().find(|device| device.id == who.device).ok_or(Code::NotSignedIn)?;
    let roles = node.store.people().roles(&who.scope, who.person).await?;
    let bound = node.store.people().is_bound(&who.scope, who.person).await?;
    Ok(Json(Session::new(person, device, &roles, bound, who.scope.at, who.scope.view)))
}
