//! A resident's own guests (R45): named doors for a while, by a link, a QR pass or a code, as far as the building's policy
//! leaves it to residents. They are nobody else's matter, the administrators' neither.

use super::guest_view::{self, Form, Guest, GuestDoor, GuestEdit};
use crate::auth::session::SignedIn;
use crate::http::body::{Body, Object};
use crate::http::problem::{Code, Fields, Problem, ProblemBody};
use crate::node::Node;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use klinke_model::contact::Language;
use klinke_model::ids::{BuildingId, DoorId, GuestId, UnitId};
use klinke_model::privacy::Pii;
use klinke_model::schedule::Schedule;
use klinke_model::text::Label;
use klinke_model::time::Timestamp;
use klinke_storage::record::{GuestHome, GuestsOf};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// One's own guests, and the homes for which one may have some.
#[derive(Serialize, ToSchema)]
pub struct MyGuests {
    /// Those who stay longest first.
    items: Vec<Guest>,
    /// By building and number.
    homes: Vec<MyGuestHome>,
    /// The server sends mails.
    by_mail: bool,
}

/// A home for which one may have guests.
#[derive(Serialize, ToSchema)]
pub struct MyGuestHome {
    unit: UnitId,
    /// Apartment number or company.
    label: Label,
    building: BuildingId,
    building_name: Label,
    /// How many more guests it may have now.
    left: u8,
    /// How many it may have at once; 0 where the administrator decides who comes.
    at_once: u8,
    /// How many days a guest may come.
    longest_days: u16,
    /// The doors that one has oneself, by name.
    doors: Vec<GuestDoor>,
}

impl From<GuestHome> for MyGuestHome {
    fn from(home: GuestHome) -> Self {
        Self {
            unit: home.unit,
            label: home.number,
            building: home.building,
            building_name: home.building_name,
            left: home.left,
            at_once: home.at_once,
            longest_days: home.longest_days,
            doors: home.doors.into_iter().map(|(door, name)| GuestDoor { door, name }).collect(),
        }
    }
}

/// A new guest of one's own.
#[derive(Deserialize, ToSchema)]
pub struct NewMyGuest {
    /// The home that they count for.
    unit: UnitId,
    /// Who it is, in one's own words.
    #[schema(value_type = String)]
    name: Pii<String>,
    /// At least one, of those one has oneself in the home's building.
    doors: Vec<DoorId>,
    /// The first moment at which they may come; from now on without.
    #[schema(required = false)]
    starts_at: Option<Timestamp>,
    /// The first moment at which they may not any more.
    ends_at: Timestamp,
    /// They may come once.
    once: bool,
    /// At which hours; at any time without.
    #[schema(required = false)]
    hours: Option<Schedule>,
}

/// Where a guest's link goes.
#[derive(Deserialize, ToSchema)]
pub struct GuestMailTo {
    #[schema(value_type = String)]
    email: Pii<String>,
    /// The language of the mail.
    language: Language,
}

/// One's own guests, and the homes for which one may have some.
#[utoipa::path(get, path = "/api/v1/me/guests", operation_id = "my_guests", tag = "me", security(("session" = [])),
    responses((status = 200, description = "The guests and the homes", body = MyGuests)))]
pub async fn list(State(node): State<Arc<Node>>, who: SignedIn) -> Result<Json<MyGuests>, Problem> {
    let guests = node.store.guests().my_guests(&who.scope).await?;
    let homes = node.store.guests().guest_homes(&who.scope).await?;
    Ok(Json(MyGuests {
        items: guests.into_iter().map(|guest| guest_view::shown(&node, guest)).collect(),
        homes: homes.into_iter().map(Into::into).collect(),
        by_mail: node.mailer.is_some(),
    }))
}

/// Makes a guest: the link, the QR pass and the code are in the answer.
#[utoipa::path(post, path = "/api/v1/me/guests", operation_id = "make_my_guest", tag = "me",
    request_body = NewMyGuest, security(("session" = [])),
    responses((status = 201, description = "They may come", body = Guest),
        (status = 403, description = "`decided_by_administrator`: the building's policy allows no guests", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not_found`: not a home of the asker", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`guests_full`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn make(
    State(node): State<Arc<Node>>,
    who: SignedIn,
    Body(new): Body<NewMyGuest>,
) -> Result<(StatusCode, Json<Guest>), Problem> {
    let homes = node.store.guests().guest_homes(&who.scope).await?;
    let home = homes.into_iter().find(|home| home.unit == new.unit).ok_or(Code::NotFound)?;
    let NewMyGuest { unit, name, doors, starts_at, ends_at, once, hours } = new;
    let form = Form { name, doors, starts_at, ends_at, once, hours };
    let guest = guest_view::new_guest(&node, who.scope.tenant, (home.building, Some(unit)), form)?;
    let made = node.store.guests().insert_guest(&who.scope, &node.stamp(), guest).await?;
    Ok((StatusCode::CREATED, Json(guest_view::made(&node, made)?)))
}

/// Changes a guest of one's own. Link, QR pass and code stay.
#[utoipa::path(patch, path = "/api/v1/me/guests/{guest}", operation_id = "change_my_guest", tag = "me",
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
    let change = guest_view::change(edit)?;
    let guests = node.store.guests();
    let done = guests.change_guest(&who.scope, &node.stamp(), GuestsOf::Oneself, id, change).await?;
    Ok(Json(guest_view::changed(&node, done)?))
}

/// Removes a guest of one's own: they get in nowhere from now on.
#[utoipa::path(delete, path = "/api/v1/me/guests/{guest}", operation_id = "remove_my_guest", tag = "me",
    params(("guest" = uuid::Uuid, Path, description = "The guest")), security(("session" = [])),
    responses((status = 204, description = "Gone"),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn remove(
    State(node): State<Arc<Node>>,
    who: SignedIn,
    Object(id): Object<GuestId>,
) -> Result<StatusCode, Problem> {
    let guests = node.store.guests();
    match guests.remove_guest(&who.scope, &node.stamp(), GuestsOf::Oneself, id).await? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(Code::NotFound.into()),
    }
}

/// Gives a guest of one's own a new link, QR pass and code. Those from before are worth nothing at once.
#[utoipa::path(post, path = "/api/v1/me/guests/{guest}/link", operation_id = "renew_my_guest", tag = "me",
    params(("guest" = uuid::Uuid, Path, description = "The guest")), security(("session" = [])),
    responses((status = 200, description = "With the new ones", body = Guest),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn link(
    State(node): State<Arc<Node>>,
    who: SignedIn,
    Object(id): Object<GuestId>,
) -> Result<Json<Guest>, Problem> {
    let guests = node.store.guests();
    let before = guests.guest(&who.scope, GuestsOf::Oneself, id).await?.ok_or(Code::NotFound)?;
    let codes = node.passes.choices(before.tenant, before.building, id, Some(before.code_number));
    let renewed = guests.renew_guest(&who.scope, &node.stamp(), GuestsOf::Oneself, id, codes).await?;
    Ok(Json(guest_view::shown(&node, renewed.ok_or(Code::NotFound)?)))
}

/// Mails a guest of one's own their link. The address is forgotten when the mail was sent.
#[utoipa::path(post, path = "/api/v1/me/guests/{guest}/mail", operation_id = "mail_my_guest", tag = "me",
    request_body = GuestMailTo, params(("guest" = uuid::Uuid, Path, description = "The guest")), security(("session" = [])),
    responses((status = 202, description = "It is on its way"),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`no_mail`: the server sends none", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "`too_many_tries`, with `Retry-After`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn mail(
    State(node): State<Arc<Node>>,
    who: SignedIn,
    Object(id): Object<GuestId>,
    Body(to): Body<GuestMailTo>,
) -> Result<StatusCode, Problem> {
    let guests = node.store.guests();
    guests.guest(&who.scope, GuestsOf::Oneself, id).await?.ok_or(Code::NotFound)?;
    let mut fields = Fields::default();
    let email = fields.email("/email", to.email.reveal());
    if to.email.reveal().trim().is_empty() {
        fields.wrong("/email", crate::http::problem::FieldCode::Required);
    }
    let Some(email) = email else { return Err(fields.into()) };
    if node.mailer.is_none() {
        return Err(Code::NoMail.into());
    }
    let _counted = node.household_limit.take(who.person)?;
    let now = node.clock.now();
    let job = node.random.v7(now);
    if !guests.ask_guest_mail(&who.scope, now, id, (email, to.language), job).await? {
        return Err(Code::NotFound.into());
    }
    node.work.notify_one();
    Ok(StatusCode::ACCEPTED)
}
