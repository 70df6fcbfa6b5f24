//! Addresses of other systems that are told of changes: what there are, one more, one changed, one gone.

use super::{administrator, allowed, everywhere};
use crate::auth::session::SignedIn;
use crate::http::body::{Body, Object};
use crate::http::problem::{Code, FieldCode, Fields, Problem, ProblemBody};
use crate::node::Node;
use crate::webhooks::OVERLAP;
use crate::webhooks::address::Refused;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use klinke_model::events::EventKind;
use klinke_model::ids::{BuildingId, WebhookId};
use klinke_model::rights::Right;
use klinke_model::time::Timestamp;
use klinke_storage::record::{self, NewWebhook, WebhookChanged};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// An address that is told of changes.
#[derive(Serialize, ToSchema)]
pub struct Webhook {
    id: WebhookId,
    /// Of which building it is told; absent for all.
    #[serde(skip_serializing_if = "Option::is_none")]
    building: Option<BuildingId>,
    url: String,
    events: Vec<EventKind>,
    /// Whether any messages go there. Switched off by an administrator, or by its own answer 410.
    enabled: bool,
    /// Grows with every change; a change names the one it is based on.
    version: u64,
    /// Since when nothing was taken, in UTC milliseconds; absent while all is well.
    #[serde(skip_serializing_if = "Option::is_none")]
    failing_since: Option<Timestamp>,
    /// Why the last try failed: `http_503`, `timed_out`, `not_reached`, `not_found`, `tls`, `no_answer`, `gone`,
    /// `host_not_allowed`, `address_not_allowed`, `not_https` or `not_an_address`.
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<String>,
    /// Messages that were given up after three days.
    lost: u64,
    /// Messages that wait.
    waiting: u64,
    /// First moment at which the secret before the newest is not used any more, in UTC milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    before_until: Option<Timestamp>,
}

impl From<record::Webhook> for Webhook {
    fn from(webhook: record::Webhook) -> Self {
        Self {
            id: webhook.id,
            building: webhook.building,
            url: webhook.url,
            events: webhook.events,
            enabled: webhook.enabled,
            version: webhook.version,
            failing_since: webhook.failing_since,
            failure: webhook.failure,
            lost: webhook.lost,
            waiting: webhook.waiting,
            before_until: webhook.before_until,
        }
    }
}

/// All that the asker may change.
#[derive(Serialize, ToSchema)]
pub struct WebhookList {
    items: Vec<Webhook>,
    /// The hosts that the operator allows; none when messages go nowhere.
    hosts: Vec<String>,
}

/// A new one.
#[derive(Deserialize, ToSchema)]
pub struct NewWebhookBody {
    /// The building; absent for all.
    #[schema(required = false)]
    building: Option<BuildingId>,
    /// `https`, at a host that the operator allows.
    url: String,
    /// At least one.
    events: Vec<EventKind>,
}

/// What is to be changed; what is absent stays as it is.
#[derive(Deserialize, ToSchema)]
pub struct WebhookChange {
    /// The version that the asker saw.
    version: u64,
    #[schema(required = false)]
    url: Option<String>,
    #[schema(required = false)]
    events: Option<Vec<EventKind>>,
    /// Switching off forgets the messages that wait.
    #[schema(required = false)]
    enabled: Option<bool>,
}

/// A webhook with its newest secret, which is shown this once.
#[derive(Serialize, ToSchema)]
pub struct WebhookSecret {
    webhook: Webhook,
    /// `whsec_…`, as the Standard Webhooks libraries take it.
    secret: String,
}

/// Addresses that are told of changes, in the order they were made.
#[utoipa::path(get, path = "/api/v1/webhooks", operation_id = "webhooks", tag = "webhooks", security(("session" = [])),
    responses((status = 200, description = "All that the asker may change", body = WebhookList),
        (status = 403, description = "`forbidden`; `confidentiality_required`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn list(State(node): State<Arc<Node>>, who: SignedIn) -> Result<Json<WebhookList>, Problem> {
    administrator(&node, &who, Right::ChangeBuilding).await?;
    let all = node.store.webhooks().webhooks(&who.scope).await?;
    let items = all.into_iter().map(Into::into).collect();
    Ok(Json(WebhookList { items, hosts: node.webhooks.rules().hosts().to_vec() }))
}

/// Adds one. Its secret is in the answer and nowhere else.
#[utoipa::path(post, path = "/api/v1/webhooks", operation_id = "add_webhook", tag = "webhooks",
    request_body = NewWebhookBody, security(("session" = [])),
    responses((status = 201, description = "Added", body = WebhookSecret),
        (status = 403, description = "`forbidden`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not_found`: the building", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn add(
    State(node): State<Arc<Node>>,
    who: SignedIn,
    Body(new): Body<NewWebhookBody>,
) -> Result<(StatusCode, Json<WebhookSecret>), Problem> {
    match new.building {
        Some(building) => drop(allowed(&node, &who, Right::ChangeBuilding, building).await?),
        None => everywhere(&node, &who, Right::ChangeBuilding).await?,
    }
    let mut fields = Fields::default();
    check_url(&node, &mut fields, &new.url);
    let events = check_events(&mut fields, new.events);
    fields.check()?;
    let stamp = node.stamp();
    let id: WebhookId = node.random.v7(stamp.at);
    let row = NewWebhook { id, building: new.building, url: new.url, events };
    if !node.store.webhooks().add_webhook(&who.scope, &stamp, row).await? {
        return Err(Code::NotFound.into());
    }
    let made = node.store.webhooks().webhook(&who.scope, id).await?.ok_or(Code::NotFound)?;
    Ok((StatusCode::CREATED, Json(with_secret(&node, &who, made))))
}

/// Changes one. It is tried at once, whatever failed before.
#[utoipa::path(patch, path = "/api/v1/webhooks/{webhook}", operation_id = "change_webhook", tag = "webhooks",
    request_body = WebhookChange, security(("session" = [])),
    params(("webhook" = uuid::Uuid, Path, description = "The webhook")),
    responses((status = 200, description = "Changed", body = Webhook),
        (status = 409, description = "`conflict`: somebody else changed it since; `current` is a `Webhook`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn change(
    State(node): State<Arc<Node>>,
    who: SignedIn,
    Object(id): Object<WebhookId>,
    Body(change): Body<WebhookChange>,
) -> Result<Json<Webhook>, Problem> {
    let webhooks = node.store.webhooks();
    webhooks.webhook(&who.scope, id).await?.ok_or(Code::NotFound)?;
    let mut fields = Fields::default();
    if let Some(url) = &change.url {
        check_url(&node, &mut fields, url);
    }
    let events = change.events.map(|events| check_events(&mut fields, events));
    fields.check()?;
    let WebhookChange { version, url, enabled, .. } = change;
    let wanted = record::WebhookChange { version, url, events, enabled };
    match webhooks.change_webhook(&who.scope, &node.stamp(), id, wanted).await? {
        WebhookChanged::Done(webhook) => Ok(Json(webhook.into())),
        WebhookChanged::Conflict(webhook) => Err(Problem::conflict(&Webhook::from(webhook))),
        WebhookChanged::NotFound => Err(Code::NotFound.into()),
    }
}

/// Removes one, with the messages that wait for it.
#[utoipa::path(delete, path = "/api/v1/webhooks/{webhook}", operation_id = "remove_webhook", tag = "webhooks",
    params(("webhook" = uuid::Uuid, Path, description = "The webhook")), security(("session" = [])),
    responses((status = 204, description = "Removed")))]
pub async fn remove(
    State(node): State<Arc<Node>>,
    who: SignedIn,
    Object(id): Object<WebhookId>,
) -> Result<StatusCode, Problem> {
    if node.store.webhooks().remove_webhook(&who.scope, &node.stamp(), id).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Code::NotFound.into())
    }
}

/// Gives one a new secret. For 24 hours messages are signed with the one before too.
#[utoipa::path(post, path = "/api/v1/webhooks/{webhook}/secret", operation_id = "rotate_webhook", tag = "webhooks",
    params(("webhook" = uuid::Uuid, Path, description = "The webhook")), security(("session" = [])),
    responses((status = 201, description = "The new secret", body = WebhookSecret)))]
pub async fn rotate(
    State(node): State<Arc<Node>>,
    who: SignedIn,
    Object(id): Object<WebhookId>,
) -> Result<(StatusCode, Json<WebhookSecret>), Problem> {
    let stamp = node.stamp();
    let until = stamp.at.plus(OVERLAP);
    let rotated = node.store.webhooks().rotate_webhook(&who.scope, &stamp, id, until).await?;
    let rotated = rotated.ok_or(Code::NotFound)?;
    Ok((StatusCode::CREATED, Json(with_secret(&node, &who, rotated))))
}

/// What became of a message that says nothing happened.
#[derive(Serialize, ToSchema)]
pub struct WebhookTest {
    /// It was taken: the answer was 2xx.
    delivered: bool,
    /// The status of the answer; absent when there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    /// Why there was none: `timed_out`, `not_reached`, `not_found`, `tls`, `no_answer`, `host_not_allowed`,
    /// `address_not_allowed`, `not_https` or `not_an_address`.
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<String>,
}

/// Sends a message of the type `webhook.test`, now, and says what was answered.
#[utoipa::path(post, path = "/api/v1/webhooks/{webhook}/test", operation_id = "test_webhook", tag = "webhooks",
    params(("webhook" = uuid::Uuid, Path, description = "The webhook")), security(("session" = [])),
    responses((status = 200, description = "What became of it", body = WebhookTest)))]
pub async fn test(
    State(node): State<Arc<Node>>,
    who: SignedIn,
    Object(id): Object<WebhookId>,
) -> Result<Json<WebhookTest>, Problem> {
    let webhook = node.store.webhooks().webhook(&who.scope, id).await?.ok_or(Code::NotFound)?;
    let answer = node.webhooks.test(&node, who.scope.tenant, &webhook).await;
    let delivered = matches!(answer, Ok(200..=299));
    let (status, failure) = match answer {
        Ok(status) => (Some(status), None),
        Err(failure) => (None, Some(failure.word().to_owned())),
    };
    Ok(Json(WebhookTest { delivered, status, failure }))
}

fn with_secret(node: &Node, who: &SignedIn, webhook: record::Webhook) -> WebhookSecret {
    let secret = node.webhooks.secret(who.scope.tenant, &webhook).text();
    WebhookSecret { webhook: webhook.into(), secret }
}

fn check_url(node: &Node, fields: &mut Fields, url: &str) {
    let code = match node.webhooks.rules().target(url) {
        Ok(_) => return,
        Err(Refused::NotAnAddress) => FieldCode::NotAnAddress,
        Err(Refused::TooLong) => FieldCode::TooLong,
        Err(Refused::NotHttps) => FieldCode::NotHttps,
        Err(Refused::Host | Refused::Special) => FieldCode::HostNotAllowed,
    };
    fields.wrong("/url", code);
}

fn check_events(fields: &mut Fields, mut events: Vec<EventKind>) -> Vec<EventKind> {
    events.sort_unstable();
    events.dedup();
    if events.is_empty() {
        fields.wrong("/events", FieldCode::Required);
    }
    events
}
