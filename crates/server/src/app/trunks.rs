//! Trunks: the ways to ordinary phones. They cost the property manager money and call from its one number, so they are set
//! up by who may change every building; hosts are the operator's to allow.
//!
//! A password goes in and never comes out again: only [`for_calls`] has it, for who speaks with the trunk.

use super::everywhere;
use crate::auth::session::SignedIn;
use crate::config::hosts;
use crate::http::body::{Body, Object};
use crate::http::problem::{Code, FieldCode, Fields, Problem, ProblemBody};
use crate::node::Node;
use crate::phones;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use klinke_model::contact::Phone;
use klinke_model::ids::{TenantId, TrunkId};
use klinke_model::phone::{E164, TrunkEncryption, TrunkKeys, TrunkWay};
use klinke_model::privacy::Pii;
use klinke_model::rights::Right;
use klinke_model::scope::Scope;
use klinke_sip::agent::State as Standing;
use klinke_sip::digest::Account;
use klinke_storage::StorageError;
use klinke_storage::record::{self, NewTrunk, TrunkAdded, TrunkChanged, TrunkOrdered};
use serde::{Deserialize, Deserializer, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// The longest name of an account and the longest password, in characters.
const LONGEST: usize = 128;

/// How a trunk is set up, but for its password.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct TrunkSettings {
    /// What people call it, 1 to 80 characters.
    #[schema(example = "Telephone company")]
    name: String,
    /// A host name or an address, one that the operator allows.
    #[schema(example = "sip.example.net")]
    host: String,
    /// Where it listens: 5060 when it is absent, 5061 over TLS. 443, or 1024 and above.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    port: Option<u16>,
    way: TrunkWay,
    /// The domain of SIP addresses; absent when it is the host.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    domain: Option<String>,
    /// The one number that all calls come from, in international form.
    #[schema(example = "+4721600000")]
    caller: String,
    /// Whether to register there. It takes an account.
    registers: bool,
    /// The name that challenges are answered with; absent where none is needed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    account: Option<String>,
    /// How keys come. `tones` is weaker: what only sounds like a key is taken for one.
    #[serde(default)]
    #[schema(required = false)]
    keys: TrunkKeys,
    /// Whether the sound of calls is encrypted. Over TLS only: over anything else, its keys could be read on the way.
    #[serde(default)]
    #[schema(required = false)]
    encryption: TrunkEncryption,
    /// Whether it is used.
    enabled: bool,
}

/// A trunk.
#[derive(Serialize, ToSchema)]
pub struct Trunk {
    id: TrunkId,
    /// Grows with every change; a change names the one it is based on.
    version: u64,
    settings: TrunkSettings,
    /// Whether there is a password. It is never shown.
    has_password: bool,
    state: TrunkState,
    /// How it refuses us, in its own words; absent when it does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, example = "403 Forbidden")]
    refusal: Option<String>,
    /// How many phone calls ring or go on over it now. For whom, from where and since when is told nowhere.
    calls: usize,
    /// How many calls had sound from one side only since this server started: nothing came from the phone.
    one_way: u64,
}

/// How we stand with a trunk, as far as the asked server knows.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TrunkState {
    /// It is not used: switched off, at a host that is not allowed any more, or this server rings no phones.
    Idle,
    /// It was just set up, and has not answered yet.
    Starting,
    /// Registered, or it answers where nothing is to be registered.
    Ready,
    /// It answers, and does not want us.
    Refused,
    /// It does not answer, or there is no way to it.
    Unreachable,
}

/// All trunks, in the order in which they are tried.
#[derive(Serialize, ToSchema)]
pub struct TrunkList {
    items: Vec<Trunk>,
    /// The hosts that the operator allows (`phones.trunk_hosts`); none when no trunk can be set up.
    hosts: Vec<String>,
    /// How many there may be.
    most: usize,
}

/// A trunk to be added.
#[derive(Deserialize, ToSchema)]
pub struct NewTrunkBody {
    settings: TrunkSettings,
    #[schema(value_type = Option<String>, format = Password, required = false)]
    password: Option<Pii<String>>,
}

/// How a trunk is to be from now on.
#[derive(Deserialize, ToSchema)]
pub struct TrunkChange {
    /// The version that the asker saw.
    version: u64,
    settings: TrunkSettings,
    /// Absent: it stays. `null`: it is taken away.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, format = Password, required = false)]
    password: Option<Option<Pii<String>>>,
}

/// The order in which trunks are tried.
#[derive(Deserialize, ToSchema)]
pub struct TrunkOrder {
    /// All of them, each once.
    trunks: Vec<TrunkId>,
}

/// A field that is there, be it `null`.
fn given<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Option<Pii<String>>>, D::Error> {
    Option::deserialize(from).map(Some)
}

impl From<record::Trunk> for Trunk {
    fn from(trunk: record::Trunk) -> Self {
        let NewTrunk {
            id,
            name,
            host,
            port,
            way,
            domain,
            caller,
            registers,
            account,
            password,
            keys,
            encryption,
            enabled,
        } = trunk.set;
        let settings = TrunkSettings {
            name: name.as_str().to_owned(),
            host,
            port: Some(port),
            way,
            domain,
            caller: caller.into(),
            registers,
            account,
            keys,
            encryption,
            enabled,
        };
        Self {
            id,
            version: trunk.version,
            settings,
            has_password: password.is_some(),
            state: TrunkState::Idle,
            refusal: None,
            calls: 0,
            one_way: 0,
        }
    }
}

/// As it is set up, and as it stands.
fn shown(node: &Node, tenant: TenantId, trunk: record::Trunk) -> Trunk {
    let standing = node.phones.states(tenant).into_iter().find(|(id, _)| *id == trunk.set.id);
    let (state, refusal) = match standing.map(|(_, state)| state) {
        None => (TrunkState::Idle, None),
        Some(Standing::Starting) => (TrunkState::Starting, None),
        Some(Standing::Ready) => (TrunkState::Ready, None),
        Some(Standing::Refused { status, words }) => (TrunkState::Refused, Some(format!("{status} {words}"))),
        Some(Standing::Unreachable) => (TrunkState::Unreachable, None),
    };
    let (calls, one_way) = node.phones.calls_over(tenant, trunk.set.id);
    Trunk { state, refusal, calls, one_way, ..trunk.into() }
}

fn listed(node: &Node, tenant: TenantId, trunks: Vec<record::Trunk>) -> TrunkList {
    TrunkList {
        items: trunks.into_iter().map(|trunk| shown(node, tenant, trunk)).collect(),
        hosts: node.config.phones.trunk_hosts.clone(),
        most: record::TRUNKS,
    }
}

/// The trunks, in the order in which they are tried.
#[utoipa::path(get, path = "/api/v1/trunks", operation_id = "trunks", tag = "phones", security(("session" = [])),
    responses((status = 200, description = "The trunks", body = TrunkList)))]
pub async fn list(State(node): State<Arc<Node>>, who: SignedIn) -> Result<Json<TrunkList>, Problem> {
    everywhere(&node, &who, Right::ChangeBuilding).await?;
    let trunks = node.store.trunks().trunks(&who.scope).await?;
    Ok(Json(listed(&node, who.scope.tenant, trunks)))
}

/// Adds a trunk, to be tried after the others.
#[utoipa::path(post, path = "/api/v1/trunks", operation_id = "add_trunk", tag = "phones",
    request_body = NewTrunkBody, security(("session" = [])),
    responses((status = 201, description = "Added", body = Trunk),
        (status = 409, description = "`too_many_trunks`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn add(
    State(node): State<Arc<Node>>,
    who: SignedIn,
    Body(new): Body<NewTrunkBody>,
) -> Result<(StatusCode, Json<Trunk>), Problem> {
    everywhere(&node, &who, Right::ChangeBuilding).await?;
    let stamp = node.stamp();
    let mut set = checked(&node, node.random.v7(stamp.at), new.settings, new.password.as_ref())?;
    set.password = sealed(&node, who.scope.tenant, set.id, new.password)?;
    let id = set.id;
    match node.store.trunks().add_trunk(&who.scope, &stamp, set).await? {
        TrunkAdded::Done => {}
        TrunkAdded::TooMany => return Err(Code::TooManyTrunks.into()),
        TrunkAdded::NotThere => return Err(Code::Forbidden.into()),
    }
    changed(&node);
    let made = node.store.trunks().trunk(&who.scope, id).await?.ok_or(Code::NotFound)?;
    Ok((StatusCode::CREATED, Json(shown(&node, who.scope.tenant, made))))
}

/// Changes a trunk. Calls that are going on end.
#[utoipa::path(put, path = "/api/v1/trunks/{trunk}", operation_id = "change_trunk", tag = "phones",
    request_body = TrunkChange, security(("session" = [])),
    params(("trunk" = uuid::Uuid, Path, description = "The trunk")),
    responses((status = 200, description = "Changed", body = Trunk),
        (status = 409, description = "`conflict`: somebody else changed it since; `current` is a `Trunk`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn change(
    State(node): State<Arc<Node>>,
    who: SignedIn,
    Object(id): Object<TrunkId>,
    Body(change): Body<TrunkChange>,
) -> Result<Json<Trunk>, Problem> {
    everywhere(&node, &who, Right::ChangeBuilding).await?;
    let trunks = node.store.trunks();
    trunks.trunk(&who.scope, id).await?.ok_or(Code::NotFound)?;
    let new = change.password.as_ref().and_then(Option::as_ref);
    let mut set = checked(&node, id, change.settings, new)?;
    let password = change.password.is_some();
    set.password = sealed(&node, who.scope.tenant, id, change.password.flatten())?;
    let wanted = record::TrunkChange { version: change.version, set, password };
    match trunks.change_trunk(&who.scope, &node.stamp(), wanted).await? {
        TrunkChanged::Done(trunk) => {
            changed(&node);
            Ok(Json(shown(&node, who.scope.tenant, trunk)))
        }
        TrunkChanged::Conflict(trunk) => Err(Problem::conflict(&shown(&node, who.scope.tenant, trunk))),
        TrunkChanged::NotFound => Err(Code::NotFound.into()),
    }
}

/// Removes a trunk.
#[utoipa::path(delete, path = "/api/v1/trunks/{trunk}", operation_id = "remove_trunk", tag = "phones",
    params(("trunk" = uuid::Uuid, Path, description = "The trunk")), security(("session" = [])),
    responses((status = 204, description = "Removed")))]
pub async fn remove(
    State(node): State<Arc<Node>>,
    who: SignedIn,
    Object(id): Object<TrunkId>,
) -> Result<StatusCode, Problem> {
    everywhere(&node, &who, Right::ChangeBuilding).await?;
    if !node.store.trunks().remove_trunk(&who.scope, &node.stamp(), id).await? {
        return Err(Code::NotFound.into());
    }
    changed(&node);
    Ok(StatusCode::NO_CONTENT)
}

/// Says in which order trunks are tried.
#[utoipa::path(post, path = "/api/v1/trunks/order", operation_id = "order_trunks", tag = "phones",
    request_body = TrunkOrder, security(("session" = [])),
    responses((status = 200, description = "The trunks in their order", body = TrunkList),
        (status = 404, description = "`not_found`: not all trunks, each once", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn order(
    State(node): State<Arc<Node>>,
    who: SignedIn,
    Body(wanted): Body<TrunkOrder>,
) -> Result<Json<TrunkList>, Problem> {
    everywhere(&node, &who, Right::ChangeBuilding).await?;
    match node.store.trunks().order_trunks(&who.scope, &node.stamp(), wanted.trunks).await? {
        TrunkOrdered::Done(trunks) => {
            changed(&node);
            Ok(Json(listed(&node, who.scope.tenant, trunks)))
        }
        TrunkOrdered::NotAll => Err(Code::NotFound.into()),
        TrunkOrdered::NotThere => Err(Code::Forbidden.into()),
    }
}

/// Tells whoever keeps trunks standing that something about them is another way now.
pub(super) fn changed(node: &Node) {
    node.trunks_changed.send_modify(|()| ());
}

/// The settings, when each of them can be; without the password.
fn checked(
    node: &Node,
    id: TrunkId,
    settings: TrunkSettings,
    password: Option<&Pii<String>>,
) -> Result<NewTrunk, Problem> {
    let TrunkSettings {
        name,
        host,
        port,
        way,
        domain,
        caller,
        registers,
        account,
        keys,
        encryption,
        enabled,
    } = settings;
    let mut fields = Fields::default();
    let name = fields.label("/settings/name", &name);
    let named = host_name(&mut fields, "/settings/host", &host);
    if named.as_ref().is_some_and(|host| !hosts::allow(&node.config.phones.trunk_hosts, host)) {
        fields.wrong("/settings/host", FieldCode::HostNotAllowed);
    }
    let domain = domain.filter(|domain| !domain.trim().is_empty());
    let domain = domain.and_then(|domain| host_name(&mut fields, "/settings/domain", &domain));
    let port = port.unwrap_or(if way == TrunkWay::Tls { 5061 } else { 5060 });
    if port != 443 && port < 1024 {
        fields.wrong("/settings/port", FieldCode::OutOfRange);
    }
    if encryption != TrunkEncryption::Off && way != TrunkWay::Tls {
        fields.wrong("/settings/encryption", FieldCode::NeedsTls);
    }
    let caller = international(&caller);
    if caller.is_none() {
        fields.wrong("/settings/caller", FieldCode::NotAPhone);
    }
    let account = account.map(|account| account.trim().to_owned()).filter(|account| !account.is_empty());
    // what would end the name where it is written into a header
    let odd = |letter: char| !letter.is_ascii_graphic() || "\"\\<>".contains(letter);
    match &account {
        Some(account) if account.len() > LONGEST => fields.wrong("/settings/account", FieldCode::TooLong),
        Some(account) if account.contains(odd) => fields.wrong("/settings/account", FieldCode::Control),
        None if registers || password.is_some() => fields.wrong("/settings/account", FieldCode::Required),
        _ => {}
    }
    match password.map(|password| password.reveal().as_str()) {
        Some("") => fields.wrong("/password", FieldCode::Empty),
        Some(password) if password.chars().count() > LONGEST => {
            fields.wrong("/password", FieldCode::TooLong);
        }
        Some(password) if password.contains(char::is_control) => {
            fields.wrong("/password", FieldCode::Control);
        }
        _ => {}
    }
    let (Some(name), Some(host), Some(caller)) = (name, named, caller) else { return Err(fields.into()) };
    fields.check()?;
    Ok(NewTrunk {
        id,
        name,
        host,
        port,
        way,
        domain,
        caller,
        registers,
        account,
        password: None,
        keys,
        encryption,
        enabled,
    })
}

/// A host name or an address, as it is written in a URL.
fn host_name(fields: &mut Fields, pointer: &str, text: &str) -> Option<String> {
    let host = url::Host::parse(text.trim()).map(|host| host.to_string()).ok();
    let host = host.filter(|host| host.len() <= 253 && !host.ends_with('.'));
    if host.is_none() {
        fields.wrong(pointer, FieldCode::NotAnAddress);
    }
    host
}

/// A number as people write it; one of a country is not guessed at.
fn international(text: &str) -> Option<E164> {
    let typed = Phone::new(text).ok()?;
    let number = typed.as_str();
    let number = number.strip_prefix("00").map_or_else(|| number.to_owned(), |rest| format!("+{rest}"));
    E164::new(&number).ok()
}

fn sealed(
    node: &Node,
    tenant: TenantId,
    trunk: TrunkId,
    password: Option<Pii<String>>,
) -> Result<Option<Vec<u8>>, Problem> {
    let Some(password) = password else { return Ok(None) };
    match node.told_passwords.seal(tenant, trunk, password.reveal(), &node.random) {
        Ok(sealed) => Ok(Some(sealed)),
        Err(error) => {
            tracing::error!(%error, "a trunk was not kept");
            Err(Code::Internal.into())
        }
    }
}

/// The trunks of a property manager that are switched on and at a host that the operator allows today, in the order in
/// which they are tried. Which property managers have any says [`Gate::trunk_tenants`](klinke_storage::Gate::trunk_tenants);
/// when to ask again, [`Node::trunks_changed`].
///
/// # Errors
/// When the store can not be read. A trunk whose password can not be decrypted is left out, and the log says so.
pub async fn for_calls(node: &Node, tenant: TenantId) -> Result<Vec<phones::Trunk>, StorageError> {
    let trunks = node.store.trunks().trunks(&Scope::system(tenant)).await?;
    let mut usable = Vec::with_capacity(trunks.len());
    for record::Trunk { set, .. } in trunks {
        if !set.enabled || !hosts::allow(&node.config.phones.trunk_hosts, &set.host) {
            continue;
        }
        let password = match &set.password {
            Some(sealed) => match node.told_passwords.unseal(tenant, set.id, sealed) {
                Some(password) => password.reveal().to_owned(),
                None => {
                    tracing::error!(trunk = %set.id, "its password can not be decrypted: it must be typed again");
                    continue;
                }
            },
            None => String::new(),
        };
        usable.push(phones::Trunk {
            id: set.id,
            host: set.host,
            port: set.port,
            way: set.way,
            domain: set.domain,
            caller: set.caller,
            registers: set.registers,
            account: set.account.map(|user| Account { user, password }),
            tones: set.keys == TrunkKeys::Tones,
            encryption: set.encryption,
        });
    }
    Ok(usable)
}
