//! The number at which somebody is rung, as administrators see it: they vouch for it, so that a resident without a phone that
//! can be asked, or without a sign-in, is rung too. Nobody vouches for their own.

use super::administrator;
use super::paging::AsMade;
use super::people::shown;
use super::phone_limits::callable;
use crate::auth::session::SignedIn;
use crate::http::body::{Body, Object};
use crate::http::problem::{Code, Fields, Problem, ProblemBody};
use crate::node::Node;
use axum::Json;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use klinke_model::ids::{BuildingId, PersonId};
use klinke_model::phone::{Phones, Verified};
use klinke_model::privacy::Pii;
use klinke_model::rights::Right;
use klinke_model::text::Label;
use klinke_storage::record::{NumberOf, PhonesOfBuilding};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// The number at which somebody is rung.
#[derive(Serialize, ToSchema)]
pub struct PhoneNumber {
    /// In international form; absent when there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, example = "+4791500123")]
    number: Option<String>,
    /// How it is known to be theirs; absent without a number.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    verified: Option<Verified>,
    /// Who vouches for it; absent when nobody does, or they are not here any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    by: Option<PersonId>,
}

/// A number that an administrator vouches for.
#[derive(Deserialize, ToSchema)]
pub struct VouchedNumber {
    /// In international form, of a country that may be called.
    #[schema(value_type = String, example = "+47 915 00 123")]
    number: Pii<String>,
}

fn told(found: Option<NumberOf>) -> PhoneNumber {
    let Some(NumberOf { number, verified, by }) = found else {
        return PhoneNumber { number: None, verified: None, by: None };
    };
    PhoneNumber { number: Some(number.into_inner().into()), verified: Some(verified), by }
}

/// A building, and how many of its people an ordinary phone can be rung for.
#[derive(Serialize, ToSchema)]
pub struct BuildingPhones {
    building: BuildingId,
    /// Its name.
    name: Label,
    /// When phones are rung there.
    phones: Phones,
    /// How many of the people who live there have a number that is known to be theirs.
    numbers: u64,
}

/// A page of buildings.
#[derive(Serialize, ToSchema)]
pub struct BuildingPhonesPage {
    items: Vec<BuildingPhones>,
    /// Where the next page begins; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    next: Option<String>,
}

/// How many phones can be rung in each building whose people the asker sees; the oldest building first. It says of nobody that
/// they have a number.
#[utoipa::path(get, path = "/api/v1/phone-numbers", operation_id = "phone_numbers", tag = "people", params(AsMade),
    security(("session" = [])),
    responses((status = 200, description = "A page", body = BuildingPhonesPage),
        (status = 403, description = "`forbidden`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn by_building(
    State(node): State<Arc<Node>>,
    who: SignedIn,
    asked: Result<Query<AsMade>, axum::extract::rejection::QueryRejection>,
) -> Result<Json<BuildingPhonesPage>, Problem> {
    administrator(&node, &who, Right::SeePeople).await?;
    let Query(asked) = asked.map_err(|_| Code::Malformed)?;
    let (after, limit) = asked.place()?;
    let wanted = u64::from(limit) + 1;
    let mut found = node.store.phone_numbers().phones_of_buildings(&who.scope, after, wanted).await?;
    let next = AsMade::cut(&mut found, limit, |of| of.building.0);
    let told = |of: PhonesOfBuilding| BuildingPhones {
        building: of.building,
        name: of.name,
        phones: of.when,
        numbers: of.numbers,
    };
    Ok(Json(BuildingPhonesPage { items: found.into_iter().map(told).collect(), next }))
}

/// The number at which a person is rung.
#[utoipa::path(get, path = "/api/v1/people/{person}/phone-number", operation_id = "phone_number", tag = "people",
    params(("person" = uuid::Uuid, Path, description = "The person")), security(("session" = [])),
    responses((status = 200, description = "The number, if there is one", body = PhoneNumber)))]
pub async fn of_person(
    State(node): State<Arc<Node>>,
    who: SignedIn,
    Object(person): Object<PersonId>,
) -> Result<Json<PhoneNumber>, Problem> {
    shown(&node, &who, person).await?;
    Ok(Json(told(node.store.phone_numbers().number(&who.scope, person).await?)))
}

/// Vouches for the number of a person, in the place of the one before.
#[utoipa::path(put, path = "/api/v1/people/{person}/phone-number", operation_id = "vouch_phone_number", tag = "people",
    request_body = VouchedNumber, params(("person" = uuid::Uuid, Path, description = "The person")), security(("session" = [])),
    responses((status = 200, description = "They are rung there", body = PhoneNumber),
        (status = 403, description = "`forbidden`: lives elsewhere too, has a role, or is oneself", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn vouch(
    State(node): State<Arc<Node>>,
    who: SignedIn,
    Object(person): Object<PersonId>,
    Body(vouched): Body<VouchedNumber>,
) -> Result<Json<PhoneNumber>, Problem> {
    shown(&node, &who, person).await?;
    let mut fields = Fields::default();
    let number = callable(&node, who.scope.tenant, &mut fields, "/number", &vouched.number).await?;
    let Some(number) = number else { return Err(fields.into()) };
    if !node.store.phone_numbers().vouch_number(&who.scope, &node.stamp(), person, number).await? {
        return Err(Code::Forbidden.into());
    }
    Ok(Json(told(node.store.phone_numbers().number(&who.scope, person).await?)))
}

/// Takes the number of a person away: no ordinary phone is rung for them any more.
#[utoipa::path(delete, path = "/api/v1/people/{person}/phone-number", operation_id = "remove_phone_number", tag = "people",
    params(("person" = uuid::Uuid, Path, description = "The person")), security(("session" = [])),
    responses((status = 204, description = "They are not rung by phone"),
        (status = 403, description = "`forbidden`: lives elsewhere too, or has a role", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn remove(
    State(node): State<Arc<Node>>,
    who: SignedIn,
    Object(person): Object<PersonId>,
) -> Result<StatusCode, Problem> {
    shown(&node, &who, person).await?;
    if node.store.phone_numbers().remove_number(&who.scope, &node.stamp(), person).await? {
        return Ok(StatusCode::NO_CONTENT);
    }
    // there is none, or it is not theirs to take
    match node.store.phone_numbers().number(&who.scope, person).await? {
        Some(_) => Err(Code::Forbidden.into()),
        None => Err(Code::NotFound.into()),
    }
}
