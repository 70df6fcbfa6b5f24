//! What opens a door that has no controller: a door station, by a relay of its own. Whoever looks after the devices of the
//! building says which one and how it is told.
//!
//! The host is never typed: a request goes to where the station is registered. A password is never shown again.

use super::edit_door::seen;
use crate::auth::caller::Caller;
use crate::http::body::{Body, Object};
use crate::http::problem::{Code, FieldCode, Fields, Problem, ProblemBody};
use crate::node::Node;
use crate::relays;
use crate::relays::http::Failure;
use crate::told_passwords::Of;
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use klinke_model::door::Door;
use klinke_model::ids::{DoorId, PanelId, TenantId};
use klinke_model::privacy::Pii;
use klinke_model::rights::Right;
use klinke_model::station_relay::{CertificateDigest, RelayHttp, RelayKeys, RelayPath, RelayWay};
use klinke_storage::record::{RelaySet, StationRelay};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

/// The longest name to sign in with, and the longest password.
const LONGEST: usize = 128;

/// What opens a door without a controller.
#[derive(Serialize, ToSchema)]
pub struct DoorRelay {
    /// Absent when no door station does.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    relay: Option<Relay>,
    /// Why its web server did not take the last request; absent when it did, or was not asked yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    failure: Option<RelayFailure>,
}

/// Why the web server of a door station did not take a request to open. When that was is kept nowhere.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum RelayFailure {
    /// Nobody takes the connection.
    NotReached,
    /// No authority vouches for its certificate, or TLS can not be spoken with it.
    Tls,
    /// It shows another certificate than the one that was taken: it was told nothing.
    OtherCertificate,
    /// No answer in time; it may have opened.
    TimedOut,
    /// The connection ended before an answer; it may have opened.
    NoAnswer,
    /// It does not take name and password, or asks for some and there are none.
    SignIn,
    /// It asks for the password in the clear, which nobody allowed.
    InTheClear,
    /// Another status than success.
    Status {
        /// Of HTTP.
        status: u16,
    },
    /// It says that it did not.
    NotDone,
}

impl From<Failure> for RelayFailure {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::NotReached => Self::NotReached,
            Failure::Tls => Self::Tls,
            Failure::OtherCertificate => Self::OtherCertificate,
            Failure::TimedOut => Self::TimedOut,
            Failure::NoAnswer => Self::NoAnswer,
            Failure::SignIn => Self::SignIn,
            Failure::InTheClear => Self::InTheClear,
            Failure::Status(status) => Self::Status { status },
            Failure::NotDone => Self::NotDone,
        }
    }
}

/// A door station that opens a door by a relay of its own.
#[derive(Serialize, ToSchema)]
pub struct Relay {
    /// The door station.
    panel: PanelId,
    told: Told,
}

/// How a door station is told to open.
#[derive(Serialize, ToSchema)]
#[serde(tag = "way", rename_all = "snake_case")]
pub enum Told {
    /// By keys in its call: it opens only while it is in one.
    Keys {
        /// 1 to 8 of `0` to `9`, `*` and `#`.
        keys: String,
    },
    /// By a request to its web server, at the address from which it is registered.
    Http {
        /// Over TLS.
        https: bool,
        /// The one certificate that counts, by the SHA-256 of its DER encoding; absent: those that an authority vouches for whom the
        /// server's machine trusts.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        certificate: Option<String>,
        /// Of its web server.
        port: u16,
        /// What is asked for; `{user}` and `{password}` are filled in.
        path: String,
        /// The name to sign in with.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        user: Option<String>,
        /// The password may go in the clear, where the station asks for that or the path names it.
        basic: bool,
    },
}

/// Which door station is to open a door, and how it is told.
#[derive(Deserialize, ToSchema)]
pub struct RelayChange {
    /// A door station of the same building.
    panel: PanelId,
    told: Wish,
}

/// How a door station is to be told to open.
#[derive(Deserialize, ToSchema)]
#[serde(tag = "way", rename_all = "snake_case")]
pub enum Wish {
    /// By keys in its call.
    Keys {
        /// 1 to 8 of `0` to `9`, `*` and `#`.
        #[schema(example = "00*")]
        keys: String,
    },
    /// By a request to its web server.
    Http {
        /// Over TLS.
        https: bool,
        /// The one certificate that is to count, as it was read; absent: those of authorities.
        #[schema(required = false)]
        certificate: Option<String>,
        /// Of its web server.
        #[schema(example = 80)]
        port: u16,
        /// Path and query, `/` first. `{user}` and `{password}` are filled in, and nothing else is sent to sign in then.
        #[schema(example = "/api/switch/ctrl?switch=1&action=trigger")]
        path: String,
        /// The name to sign in with; absent or empty for none.
        #[schema(required = false)]
        user: Option<String>,
        /// Absent: as it was, as long as it goes to the same station under the same name and no less well kept.
        #[schema(value_type = Option<String>, format = Password, required = false)]
        password: Option<Pii<String>>,
        /// The password may go in the clear, where the station asks for that (Basic) or the path has a place for it.
        basic: bool,
    },
}

impl From<StationRelay> for Relay {
    fn from(relay: StationRelay) -> Self {
        let told = match relay.way {
            RelayWay::Keys(keys) => Told::Keys { keys: keys.reveal().to_owned() },
            RelayWay::Http(RelayHttp { https, certificate, port, path, user, basic }) => {
                let certificate = certificate.map(|taken| taken.to_string());
                Told::Http { https, certificate, port, path: path.as_str().to_owned(), user, basic }
            }
        };
        Self { panel: relay.panel, told }
    }
}

/// Which door station opens a door by itself.
#[utoipa::path(get, path = "/api/v1/doors/{door}/station-relay", operation_id = "station_relay", tag = "buildings",
    params(("door" = uuid::Uuid, Path, description = "The door")), security(("session" = []), ("token" = [])),
    responses((status = 200, description = "Which one, if any", body = DoorRelay),
        (status = 403, description = "`forbidden`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn handler(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(door): Object<DoorId>,
) -> Result<Json<DoorRelay>, Problem> {
    mine(&node, &who, door).await?;
    let relay = node.store.doors().station_relay(&who.scope, door).await?;
    let failure = node.relays.failure(door).map(Into::into);
    Ok(Json(DoorRelay { relay: relay.map(Into::into), failure }))
}

/// Where a certificate is read.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct WhichCertificate {
    /// A door station of the door's building.
    panel: PanelId,
    /// Of its web server.
    #[param(minimum = 1)]
    port: u16,
}

/// A certificate that a door station shows.
#[derive(Serialize, ToSchema)]
pub struct StationCertificate {
    /// The SHA-256 of its DER encoding.
    #[schema(example = "AB:CD:EF:…")]
    certificate: String,
}

/// Reads the certificate of a door station's web server, so that an administrator can compare and take it. It is read where the station
/// is registered just now, and nowhere else.
#[utoipa::path(get, path = "/api/v1/doors/{door}/station-relay/certificate", operation_id = "station_certificate", tag = "buildings",
    params(("door" = uuid::Uuid, Path, description = "The door"), WhichCertificate), security(("session" = []), ("token" = [])),
    responses((status = 200, description = "What it shows", body = StationCertificate),
        (status = 400, description = "`malformed`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`forbidden`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not_found`: also when the station is not of this building", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`station_offline`; `no_certificate`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn certificate(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(door): Object<DoorId>,
    which: Result<Query<WhichCertificate>, QueryRejection>,
) -> Result<Json<StationCertificate>, Problem> {
    let door = mine(&node, &who, door).await?;
    let Query(WhichCertificate { panel, port }) = which.map_err(|_| Code::Malformed)?;
    let panels = node.store.intercom().panels(&who.scope, door.building).await?;
    if panels.iter().all(|known| known.id != panel) {
        return Err(Code::NotFound.into());
    }
    match relays::certificate(&node, panel, port).await {
        Some(Ok(shown)) => Ok(Json(StationCertificate { certificate: shown.to_string() })),
        None | Some(Err(Failure::NotReached)) => Err(Code::StationOffline.into()),
        Some(Err(_)) => Err(Code::NoCertificate.into()),
    }
}

/// Lets a door station open a door by a relay of its own. Weaker than a controller: its wire is on the outside of the wall, and
/// nobody reports that the door opened.
#[utoipa::path(put, path = "/api/v1/doors/{door}/station-relay", operation_id = "set_station_relay", tag = "buildings",
    request_body = RelayChange, params(("door" = uuid::Uuid, Path, description = "The door")), security(("session" = []), ("token" = [])),
    responses((status = 200, description = "It opens the door from now on", body = DoorRelay),
        (status = 403, description = "`forbidden`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`driven`: a controller drives the door; `needs_controller`: something is set for the door that takes one", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn set(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(door): Object<DoorId>,
    Body(change): Body<RelayChange>,
) -> Result<Json<DoorRelay>, Problem> {
    let known = mine(&node, &who, door).await?;
    let before = node.store.doors().station_relay(&who.scope, door).await?;
    let mut fields = Fields::default();
    let panels = node.store.intercom().panels(&who.scope, known.building).await?;
    if panels.iter().all(|panel| panel.id != change.panel) {
        fields.wrong("/panel", FieldCode::NotFound);
    }
    let former = before.as_ref().map(|before| before.panel);
    let Some(relay) = wanted(&node, who.scope.tenant, door, change, before, &mut fields)? else {
        return Err(fields.into());
    };
    fields.check()?;
    match node.store.doors().set_station_relay(&who.scope, &node.stamp(), relay.clone()).await? {
        RelaySet::Done => {}
        RelaySet::NotThere => return Err(Code::Forbidden.into()),
        RelaySet::NoStation => {
            let mut fields = Fields::default();
            fields.wrong("/panel", FieldCode::NotFound);
            return Err(fields.into());
        }
        RelaySet::Driven => return Err(Code::Driven.into()),
        RelaySet::NeedsController => return Err(Code::NeedsController.into()),
    }
    node.relays.forget(door);
    if let Some(former) = former.filter(|former| *former != relay.panel) {
        relays::look(&node, who.scope.tenant, former).await;
    }
    relays::look(&node, who.scope.tenant, relay.panel).await;
    Ok(Json(DoorRelay { relay: Some(relay.into()), failure: None }))
}

/// No door station opens a door any more; it can have a controller then.
#[utoipa::path(delete, path = "/api/v1/doors/{door}/station-relay", operation_id = "remove_station_relay", tag = "buildings",
    params(("door" = uuid::Uuid, Path, description = "The door")), security(("session" = []), ("token" = [])),
    responses((status = 204, description = "None does"),
        (status = 403, description = "`forbidden`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn remove(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(door): Object<DoorId>,
) -> Result<StatusCode, Problem> {
    mine(&node, &who, door).await?;
    let before = node.store.doors().station_relay(&who.scope, door).await?.ok_or(Code::NotFound)?;
    if !node.store.doors().remove_station_relay(&who.scope, &node.stamp(), door).await? {
        return Err(Code::NotFound.into());
    }
    node.relays.forget(door);
    relays::look(&node, who.scope.tenant, before.panel).await;
    Ok(StatusCode::NO_CONTENT)
}

/// The door, for who looks after the devices of its building.
async fn mine(node: &Node, who: &Caller, door: DoorId) -> Result<Door, Problem> {
    let door = seen(node, who, door).await?.value;
    super::allowed(node, who, Right::Devices, door.building).await?;
    Ok(door)
}

/// What is wished, if it can be; what is wrong with it goes to `fields`.
fn wanted(
    node: &Node,
    tenant: TenantId,
    door: DoorId,
    change: RelayChange,
    before: Option<StationRelay>,
    fields: &mut Fields,
) -> Result<Option<StationRelay>, Problem> {
    let panel = change.panel;
    let (https, certificate, port, path, user, password, basic) = match change.told {
        Wish::Keys { keys } => {
            let taken = RelayKeys::new(&keys);
            if taken.is_none() {
                fields.wrong("/told/keys", unfit(&keys, RelayKeys::MOST, FieldCode::NotKeys));
            }
            let relay =
                taken.map(|keys| StationRelay { door, panel, way: RelayWay::Keys(keys), password: None });
            return Ok(relay);
        }
        Wish::Http { https, certificate, port, path, user, password, basic } => {
            (https, certificate, port, path, user, password, basic)
        }
    };
    let digest = certificate.as_deref().and_then(CertificateDigest::parse);
    if certificate.is_some() && digest.is_none() {
        fields.wrong("/told/certificate", FieldCode::NotHexadecimal);
    }
    if digest.is_some() && !https {
        fields.wrong("/told/https", FieldCode::NeedsTls);
    }
    if port == 0 {
        fields.wrong("/told/port", FieldCode::OutOfRange);
    }
    let taken = RelayPath::new(&path);
    if taken.is_none() {
        fields.wrong("/told/path", unfit(&path, RelayPath::LONGEST, FieldCode::NotAPath));
    }
    let user = user.filter(|user| !user.is_empty());
    // RFC 7617, section 2: a name has no colon, neither has a control character
    if let Some(user) = user.as_ref().filter(|user| !fits(user) || user.contains(':')) {
        fields.wrong("/told/user", unfit(user, LONGEST, FieldCode::Control));
    }
    if let Some(password) = password.as_ref().filter(|password| !fits(password.reveal())) {
        fields.wrong("/told/password", unfit(password.reveal(), LONGEST, FieldCode::Control));
    }
    let Some(path) = taken else { return Ok(None) };
    if path.names_account() && user.is_none() {
        fields.wrong("/told/user", FieldCode::Required);
        return Ok(None);
    }
    if path.names_account() && !https && !basic {
        fields.wrong("/told/basic", FieldCode::InTheClear);
    }
    let http = RelayHttp { https, certificate: digest, port, path, user, basic };
    let kept = before.and_then(|before| match before.way {
        RelayWay::Http(old) if before.panel == panel && old.is_as_safe(&http) => before.password,
        _ => None,
    });
    let password = match (&http.user, password) {
        (None, None) => None,
        (None, Some(_)) => {
            fields.wrong("/told/user", FieldCode::Required);
            None
        }
        (Some(_), Some(password)) => {
            let of = Of::Relay(door, panel);
            let sealed = node.told_passwords.seal(tenant, of, password.reveal(), &node.random);
            Some(Pii::new(sealed.map_err(|error| {
                tracing::error!(%error, "how a door station is told was not kept");
                Problem::from(Code::Internal)
            })?))
        }
        (Some(_), None) => {
            if kept.is_none() {
                fields.wrong("/told/password", FieldCode::Required);
            }
            kept
        }
    };
    Ok(Some(StationRelay { door, panel, way: RelayWay::Http(http), password }))
}

fn fits(text: &str) -> bool {
    text.len() <= LONGEST && !text.chars().any(char::is_control)
}

/// Why a text is none of these; `else_` when it is neither empty nor too long.
const fn unfit(text: &str, longest: usize, else_: FieldCode) -> FieldCode {
    match text.len() {
        0 => FieldCode::Empty,
        length if length > longest => FieldCode::TooLong,
        _ => else_,
    }
}
