//! Desk phones and SIP apps of people: an administrator gives somebody one, and its user name and password are in that answer
//! and nowhere else. Whether one is registered is known now and not since when.

use super::administrator;
use super::paging::AsMade;
use super::people::shown;
use crate::auth::session::SignedIn;
use crate::http::body::{Body, Object};
use crate::http::problem::{Code, Fields, Problem, ProblemBody};
use crate::node::Node;
use crate::stations::Way;
use crate::stations::credentials::Credentials;
use crate::stations::standing;
use axum::Json;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use klinke_model::ids::{DeviceId, PanelId, PersonId, SipAccountId};
use klinke_model::people::{Device, DeviceKind};
use klinke_model::privacy::Pii;
use klinke_model::rights::Right;
use klinke_model::text::Label;
use klinke_storage::record::{self, SipAdded, SipOwner};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// A SIP device of a person. There is no "last registered": that would tell when somebody was at home.
#[derive(Serialize, ToSchema)]
pub struct SipDevice {
    /// The device, as the person sees it among theirs.
    id: DeviceId,
    name: Label,
    /// Whether it is registered now, at the asked server.
    registered: bool,
}

/// How a device is to be called.
#[derive(Deserialize, ToSchema)]
pub struct NewSipDevice {
    /// 1 to 80 characters.
    #[schema(example = "Desk phone")]
    name: String,
}

/// What a device is set up with. It is shown this once.
#[derive(Serialize, ToSchema)]
pub struct SipDeviceMade {
    id: DeviceId,
    /// The user name, for authentication too.
    #[schema(example = "k7m2q9x4w8zp3n5v")]
    user_name: String,
    password: String,
    /// Where it registers, the safest way first.
    servers: Vec<SipServer>,
}

/// A way in which devices register.
#[derive(Serialize, ToSchema)]
pub struct SipServer {
    transport: SipTransport,
    #[schema(example = "192.0.2.7")]
    host: String,
    port: u16,
}

/// How messages go.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SipTransport {
    /// In datagrams, in the open.
    Udp,
    /// Over connections, in the open.
    Tcp,
    /// Encrypted.
    Tls,
}

/// What something registers with over SIP.
#[derive(Serialize, ToSchema)]
pub struct SipAccount {
    id: SipAccountId,
    /// Whether it is registered now, at the asked server.
    registered: bool,
    /// A desk phone or SIP app; absent for a door station.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    device: Option<SipAccountDevice>,
    /// A door station; absent for a device.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    panel: Option<SipAccountPanel>,
}

/// A SIP device, and whose it is.
#[derive(Serialize, ToSchema)]
pub struct SipAccountDevice {
    id: DeviceId,
    name: Label,
    person: PersonId,
    /// Absent when they want none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    person_name: Option<Label>,
}

/// A panel that is a door station.
#[derive(Serialize, ToSchema)]
pub struct SipAccountPanel {
    id: PanelId,
    name: Label,
}

/// A page of accounts.
#[derive(Serialize, ToSchema)]
pub struct SipAccountsPage {
    items: Vec<SipAccount>,
    /// Where the next page begins; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    next: Option<String>,
    /// Where devices register, the safest way first; none where the operator has not set that up.
    servers: Vec<SipServer>,
}

pub(super) fn servers(node: &Node) -> Vec<SipServer> {
    let told = |(way, address): (Way, std::net::SocketAddr)| SipServer {
        transport: match way {
            Way::Udp => SipTransport::Udp,
            Way::Tcp => SipTransport::Tcp,
            Way::Tls => SipTransport::Tls,
        },
        host: address.ip().to_string(),
        port: address.port(),
    };
    node.stations.servers().into_iter().map(told).collect()
}

/// The SIP devices of a person, by name.
#[utoipa::path(get, path = "/api/v1/people/{person}/sip-devices", operation_id = "sip_devices", tag = "people",
    params(("person" = uuid::Uuid, Path, description = "The person")), security(("session" = [])),
    responses((status = 200, description = "The devices", body = [SipDevice])))]
pub async fn list(
    State(node): State<Arc<Node>>,
    who: SignedIn,
    Object(person): Object<PersonId>,
) -> Result<Json<Vec<SipDevice>>, Problem> {
    shown(&node, &who, person).await?;
    let devices = node.store.sip_accounts().sip_devices(&who.scope, person).await?;
    let told = |record::SipDevice { device, .. }| SipDevice {
        registered: node.stations.is_registered(device.id),
        id: device.id,
        name: device.name.into_inner(),
    };
    Ok(Json(devices.into_iter().map(told).collect()))
}

/// Gives a person a SIP device. What it is set up with is in the answer and nowhere else.
#[utoipa::path(post, path = "/api/v1/people/{person}/sip-devices", operation_id = "add_sip_device", tag = "people",
    request_body = NewSipDevice, params(("person" = uuid::Uuid, Path, description = "The person")), security(("session" = [])),
    responses((status = 201, description = "It may register", body = SipDeviceMade),
        (status = 403, description = "`forbidden`: lives elsewhere too, has a role, or is suspended", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`no_stations`; `too_many_stations`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn add(
    State(node): State<Arc<Node>>,
    who: SignedIn,
    Object(person): Object<PersonId>,
    Body(new): Body<NewSipDevice>,
) -> Result<(StatusCode, Json<SipDeviceMade>), Problem> {
    shown(&node, &who, person).await?;
    if !node.stations.may_stand() {
        return Err(Code::NoStations.into());
    }
    let mut fields = Fields::default();
    let name = fields.label("/name", &new.name);
    let Some(name) = name else { return Err(fields.into()) };
    let id: DeviceId = node.random.v7(node.clock.now());
    let device = Device { id, person, name: Pii::new(name), kind: DeviceKind::Station };
    let credentials = Credentials::new(&node.random);
    let account = credentials.account(&node.random, node.clock.now());
    let stamp = node.stamp();
    match node.store.sip_accounts().add_sip_device(&who.scope, &stamp, device, account).await? {
        SipAdded::Done => {}
        SipAdded::TooMany => return Err(Code::TooManyStations.into()),
        SipAdded::Suspended | SipAdded::NotThere => return Err(Code::Forbidden.into()),
    }
    standing::look(&node).await;
    let Credentials { name: user_name, password } = credentials;
    let made = SipDeviceMade { id, user_name, password, servers: servers(&node) };
    Ok((StatusCode::CREATED, Json(made)))
}

/// Takes a SIP device away: it is not registered any more, and its call ends.
#[utoipa::path(delete, path = "/api/v1/people/{person}/sip-devices/{sip_device}", operation_id = "remove_sip_device", tag = "people",
    params(("person" = uuid::Uuid, Path, description = "The person"), ("sip_device" = uuid::Uuid, Path, description = "The device")),
    security(("session" = [])),
    responses((status = 204, description = "It is gone"),
        (status = 403, description = "`forbidden`: lives elsewhere too, or has a role", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn remove(
    State(node): State<Arc<Node>>,
    who: SignedIn,
    Object((person, device)): Object<(PersonId, DeviceId)>,
) -> Result<StatusCode, Problem> {
    shown(&node, &who, person).await?;
    let accounts = node.store.sip_accounts();
    if accounts.remove_sip_device(&who.scope, &node.stamp(), person, device).await? {
        node.exchange.device_signed_out(device).await;
        return Ok(StatusCode::NO_CONTENT);
    }
    // there is none, or it is not theirs to take
    let theirs = accounts.sip_devices(&who.scope, person).await?;
    let there = theirs.iter().any(|one| one.device.id == device);
    Err(if there { Code::Forbidden } else { Code::NotFound }.into())
}

/// What registers over SIP, as far as the asker sees whose it is; the oldest first.
#[utoipa::path(get, path = "/api/v1/sip-accounts", operation_id = "sip_accounts", tag = "people", params(AsMade),
    security(("session" = [])),
    responses((status = 200, description = "A page", body = SipAccountsPage),
        (status = 403, description = "`forbidden`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn accounts(
    State(node): State<Arc<Node>>,
    who: SignedIn,
    asked: Result<Query<AsMade>, axum::extract::rejection::QueryRejection>,
) -> Result<Json<SipAccountsPage>, Problem> {
    administrator(&node, &who, Right::SeeBuilding).await?;
    let Query(asked) = asked.map_err(|_| Code::Malformed)?;
    let (after, limit) = asked.place()?;
    let wanted = u64::from(limit) + 1;
    let mut found = node.store.sip_accounts().sip_accounts(&who.scope, after, wanted).await?;
    let next = AsMade::cut(&mut found, limit, |account| account.id.0);
    let items = found.into_iter().map(|account| told(&node, account)).collect();
    Ok(Json(SipAccountsPage { items, next, servers: servers(&node) }))
}

fn told(node: &Node, account: record::SipAccount) -> SipAccount {
    let id = account.id;
    match account.owner {
        SipOwner::Device(device, person) => SipAccount {
            id,
            registered: node.stations.is_registered(device.id),
            device: Some(SipAccountDevice {
                id: device.id,
                name: device.name.into_inner(),
                person: person.id,
                person_name: person.name.map(Pii::into_inner),
            }),
            panel: None,
        },
        SipOwner::Panel(panel, name) => SipAccount {
            id,
            registered: node.stations.is_panel_registered(panel),
            device: None,
            panel: Some(SipAccountPanel { id: panel, name }),
        },
    }
}
