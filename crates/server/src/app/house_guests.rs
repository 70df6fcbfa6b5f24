//! Guests of the administration: couriers, cleaners, home care, artisans. For who changes people in the building; what
//! residents do with their own guests is not theirs to see.

use super::guest_view::{self, Form, Guest, GuestEdit};
use super::{allowed, paging};
use crate::auth::session::SignedIn;
use crate::http::body::{Body, Object};
use crate::http::problem::{Code, Fields, Problem, ProblemBody};
use crate::node::Node;
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use klinke_model::ids::{BuildingId, DoorId, GuestId};
use klinke_model::privacy::Pii;
use klinke_model::rights::Right;
use klinke_model::schedule::Schedule;
use klinke_model::time::Timestamp;
use klinke_storage::record::GuestsOf;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

/// The order of the list, as its cursor names it.
const ORDER: &str = "ends";

/// The administration's guests of a building.
#[derive(Serialize, ToSchema)]
pub struct GuestList {
    /// Those who stay longest first.
    items: Vec<Guest>,
    /// Where the next page begins; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    next: Option<String>,
}

/// Which page.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Asked {
    /// `next` of the page before.
    cursor: Option<String>,
    /// 1 to 200; 50 without.
    limit: Option<u16>,
}

/// A new guest of the administration.
#[derive(Deserialize, ToSchema)]
pub struct NewGuest {
    /// Who it is.
    #[schema(value_type = String)]
    name: Pii<String>,
    /// At least one, of the building's.
    doors: Vec<DoorId>,
    /// The first moment at which they may come; from now on without.
    #[schema(required = false)]
    starts_at: Option<Timestamp>,
    /// The first moment at which they may not any more: within 366 days of the first.
    ends_at: Timestamp,
    /// They may come once.
    once: bool,
    /// At which hours; at any time without.
    #[schema(required = false)]
    hours: Option<Schedule>,
}

/// The administration's guests of a building.
#[utoipa::path(get, path = "/api/v1/buildings/{building}/guests", operation_id = "guests", tag = "guests",
    params(("building" = uuid::Uuid, Path, description = "The building"), Asked), security(("session" = [])),
    responses((status = 200, description = "A page", body = GuestList),
        (status = 403, description = "`forbidden`; `confidentiality_required`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn list(
    State(node): State<Arc<Node>>,
    who: SignedIn,
    Object(building): Object<BuildingId>,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Json<GuestList>, Problem> {
    allowed(&node, &who, Right::ChangePeople, building).await?;
    let Query(asked) = asked.map_err(|_| Code::Malformed)?;
    let mut fields = Fields::default();
    let limit = paging::limit(asked.limit, &mut fields);
    let read = |mut parts: paging::Parts| {
        parts.is(ORDER)?;
        let millis = i64::from_be_bytes(parts.bytes()?.try_into().ok()?);
        let id = parts.id::<GuestId>()?;
        parts.end()?;
        Some((Timestamp::from_millis(millis), id))
    };
    let after = paging::after(asked.cursor.as_deref(), read, &mut fields);
    fields.check()?;
    let page = node.store.guests().guests(&who.scope, building, after, limit.into()).await?;
    let last = page.guests.last().filter(|_| page.more);
    let next = last.map(|last| {
        let ends_at = last.ends_at.as_millis().to_be_bytes();
        paging::cursor(ORDER, &[&ends_at, last.id.0.as_bytes()])
    });
    let items = page.guests.into_iter().map(|guest| guest_view::shown(&node, guest)).collect();
    Ok(Json(GuestList { items, next }))
}

/// Makes a guest of the administration: the link, the QR pass and the code are in the answer.
#[utoipa::path(post, path = "/api/v1/buildings/{building}/guests", operation_id = "make_guest", tag = "guests",
    request_body = NewGuest, params(("building" = uuid::Uuid, Path, description = "The building")), security(("session" = [])),
    responses((status = 201, description = "They may come", body = Guest),
        (status = 403, description = "`forbidden`; `confidentiality_required`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn make(
    State(node): State<Arc<Node>>,
    who: SignedIn,
    Object(building): Object<BuildingId>,
    Body(new): Body<NewGuest>,
) -> Result<(StatusCode, Json<Guest>), Problem> {
    allowed(&node, &who, Right::ChangePeople, building).await?;
    let NewGuest { name, doors, starts_at, ends_at, once, hours } = new;
    let form = Form { name, doors, starts_at, ends_at, once, hours };
    let guest = guest_view::new_guest(&node, who.scope.tenant, (building, None), form)?;
    let made = node.store.guests().insert_guest(&who.scope, &node.stamp(), guest).await?;
    Ok((StatusCode::CREATED, Json(guest_view::made(&node, made)?)))
}

/// Changes a guest of the administration. Link, QR pass and code stay.
#[utoipa::path(patch, path = "/api/v1/guests/{guest}", operation_id = "change_guest", tag = "guests",
    request_body = GuestEdit, params(("guest" = uuid::Uuid, Path, description = "The guest")), security(("session" = [])),
    responses((status = 200, description = "Changed", body = Guest),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`conflict`: changed since; `current` is a `Guest`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn change(
    State(node): State<Arc<Node>>,
    who: SignedIn,
    Object(id): Object<GuestId>,
    Body(edit): Body<GuestEdit>,
) -> Result<Json<Guest>, Problem> {
    let guests = node.store.guests();
    guests.guest(&who.scope, GuestsOf::House, id).await?.ok_or(Code::NotFound)?;
    let change = guest_view::change(edit)?;
    let done = guests.change_guest(&who.scope, &node.stamp(), GuestsOf::House, id, change).await?;
    Ok(Json(guest_view::changed(&node, done)?))
}

/// Removes a guest of the administration: they get in nowhere from now on.
#[utoipa::path(delete, path = "/api/v1/guests/{guest}", operation_id = "remove_guest", tag = "guests",
    params(("guest" = uuid::Uuid, Path, description = "The guest")), security(("session" = [])),
    responses((status = 204, description = "Gone"),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn remove(
    State(node): State<Arc<Node>>,
    who: SignedIn,
    Object(id): Object<GuestId>,
) -> Result<StatusCode, Problem> {
    let guests = node.store.guests();
    match guests.remove_guest(&who.scope, &node.stamp(), GuestsOf::House, id).await? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(Code::NotFound.into()),
    }
}

/// Gives a guest of the administration a new link, QR pass and code. Those from before are worth nothing at once.
#[utoipa::path(post, path = "/api/v1/guests/{guest}/link", operation_id = "renew_guest", tag = "guests",
    params(("guest" = uuid::Uuid, Path, description = "The guest")), security(("session" = [])),
    responses((status = 200, description = "With the new ones", body = Guest),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn link(
    State(node): State<Arc<Node>>,
    who: SignedIn,
    Object(id): Object<GuestId>,
) -> Result<Json<Guest>, Problem> {
    let guests = node.store.guests();
    let before = guests.guest(&who.scope, GuestsOf::House, id).await?.ok_or(Code::NotFound)?;
    let codes = node.passes.choices(before.tenant, before.building, id, Some(before.code_number));
    let renewed = guests.renew_guest(&who.scope, &node.stamp(), GuestsOf::House, id, codes).await?;
    Ok(Json(guest_view::shown(&node, renewed.ok_or(Code::NotFound)?)))
}
