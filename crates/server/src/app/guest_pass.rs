//! A guest with their link: what it is good for, and the door. Without an account.
//!
//! The token comes in the body, never in an address, so that no log holds it. A token that is wrong, that was replaced and
//! that of a removed guest are answered alike. Tries are limited for each address, one that is good counts against nothing;
//! openings are limited for each guest.

use super::guest_view::{self, GuestDoor, GuestState};
use super::open_door::{Ask, By, open_door};
use crate::auth::limit::Limit;
use crate::http::body::Body;
use crate::http::client::{Client, Prefix};
use crate::http::problem::{Code, Problem, ProblemBody};
use crate::node::Node;
use crate::passes::PassToken;
use axum::Json;
use axum::extract::State;
use klinke_access::decide::Cause;
use klinke_model::ids::{DoorId, GuestId, RequestId};
use klinke_model::privacy::Pii;
use klinke_model::schedule::Schedule;
use klinke_model::scope::Scope;
use klinke_model::text::Label;
use klinke_model::time::{Clock, Timestamp};
use klinke_storage::StorageError;
use klinke_storage::record;
use klinke_wire::common::OpeningState;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;
use utoipa::ToSchema;

/// How often links may be tried, and doors opened with one.
pub struct GuestLimits {
    address: Limit<Prefix>,
    openings: Limit<GuestId>,
}

impl GuestLimits {
    /// Nothing tried yet.
    pub fn new(clock: &Arc<dyn Clock>) -> Self {
        Self {
            address: Limit::new(clock.clone(), 20, Duration::from_secs(30)),
            openings: Limit::new(clock.clone(), 30, Duration::from_secs(2)),
        }
    }
}

/// What is behind the `#` of a guest's link.
#[derive(Deserialize, ToSchema)]
pub struct GuestToken {
    #[schema(value_type = String)]
    token: Pii<String>,
}

/// A door to open.
#[derive(Deserialize, ToSchema)]
pub struct GuestOpening {
    /// What is behind the `#` of the link.
    #[schema(value_type = String)]
    token: Pii<String>,
    door: DoorId,
    /// An id of the client's own for the tap: repeated, it is the same opening.
    request: RequestId,
}

/// What a link is good for.
#[derive(Serialize, ToSchema)]
pub struct GuestPass {
    /// Who the guest is, in the words of whoever invited them.
    name: Label,
    building_name: Label,
    /// Where the building is.
    address: Label,
    /// By name.
    doors: Vec<GuestDoor>,
    /// The first moment at which they may come.
    starts_at: Timestamp,
    /// The first moment at which they may not any more.
    ends_at: Timestamp,
    /// At which hours; at any time without.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    hours: Option<Schedule>,
    /// They may come once.
    once: bool,
    /// The code to type at a panel.
    code: String,
    /// The text of the QR pass for a panel's camera.
    qr: String,
    state: GuestState,
}

/// What a guest's link is good for.
#[utoipa::path(post, path = "/api/v1/guest/look", operation_id = "look_at_guest_pass", tag = "guests", request_body = GuestToken,
    responses((status = 200, description = "What it is good for", body = GuestPass),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "`too_many_tries`, with `Retry-After`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn look(
    State(node): State<Arc<Node>>,
    client: Client,
    Body(asked): Body<GuestToken>,
) -> Result<Json<GuestPass>, Problem> {
    let guest = known(&node, client, &asked.token).await?;
    let token = node.passes.token(&guest);
    Ok(Json(GuestPass {
        building_name: guest.building_name.clone(),
        address: guest.address.clone(),
        doors: guest_view::doors_held(&guest),
        starts_at: guest.starts_at,
        ends_at: guest.ends_at,
        once: guest.once,
        code: node.passes.code(&guest),
        qr: token.qr(),
        state: guest_view::state(&guest, node.clock.now()),
        name: guest.name.into_inner(),
        hours: guest.hours,
    }))
}

/// Opens a door with a guest's link, and answers when it is known whether it opened.
#[utoipa::path(post, path = "/api/v1/guest/open", operation_id = "open_with_guest_pass", tag = "guests", request_body = GuestOpening,
    responses((status = 200, description = "`open`, when the controller said so; else `refused`", body = OpeningState),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "`too_many_tries`, with `Retry-After`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn open(
    State(node): State<Arc<Node>>,
    client: Client,
    Body(asked): Body<GuestOpening>,
) -> Result<Json<OpeningState>, Problem> {
    let guest = known(&node, client, &asked.token).await?;
    let _counted = node.guest_limits.openings.take(guest.id)?;
    let ask = Ask {
        scope: Scope::system(guest.tenant),
        by: By::Guest(guest.id),
        request: asked.request,
        door: asked.door,
        cause: Cause::AtDoor,
        call_offers_door: false,
    };
    let mut news = open_door(&node, ask);
    while news.changed().await.is_ok() {}
    let state = news.borrow().state;
    Ok(Json(state))
}

/// The guest of a link.
async fn known(node: &Node, client: Client, token: &Pii<String>) -> Result<record::Guest, Problem> {
    let attempt = node.guest_limits.address.take(client.prefix())?;
    let token = PassToken::parse(token.reveal()).ok_or(Code::NotFound)?;
    let guest = guest_of(node, &token).await?.ok_or(Code::NotFound)?;
    attempt.give_back();
    Ok(guest)
}

/// The guest whose token this is, with what is known of them at this moment.
///
/// # Errors
/// When the store fails.
pub(super) async fn guest_of(node: &Node, token: &PassToken) -> Result<Option<record::Guest>, StorageError> {
    for (tenant, link_number) in node.store.gate().guest_links(token.guest()).await? {
        if node.passes.fits(token, tenant, link_number) && !node.store.gate().is_suspended(tenant).await? {
            let service = Scope::system(tenant).at(node.clock.now());
            return node.store.guests().guest_facts(&service, token.guest()).await;
        }
    }
    Ok(None)
}
