//! Whether a commercial building keeps records of use: what for, how long, and since when its people know.
//!
//! In a residential or mixed building there is nothing to switch on. People decide it, no other program does.

use super::{administered, allowed};
use crate::auth::caller::Caller;
use crate::auth::session::SignedIn;
use crate::calendar;
use crate::http::body::{Body, Object};
use crate::http::problem::{Code, FieldCode, Fields, Problem, ProblemBody};
use crate::node::Node;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use klinke_access::snapshot::Records;
use klinke_model::ids::BuildingId;
use klinke_model::privacy::Pii;
use klinke_model::purpose::{Purpose, PurposeError};
use klinke_model::rights::Right;
use klinke_model::text::Label;
use klinke_model::time::Timestamp;
use klinke_storage::record::{NamedPerson, NewRecordPolicy, RecordHouse, RecordsSet};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// How far a policy has come.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RecordsState {
    /// Another administrator has to agree.
    WaitsForSecond,
    /// It begins later.
    WaitsForDay,
    /// Records are kept.
    On,
}

/// What records of use are kept for.
#[derive(Serialize, ToSchema)]
pub struct KeptRecords {
    #[schema(value_type = String)]
    purpose: Purpose,
    /// How long each is kept, in days.
    days: u8,
    /// The day on which the people were told, where the building stands.
    #[schema(value_type = String, format = Date)]
    told_on: String,
    /// From when on, in UTC milliseconds; the earliest possible while another administrator has to agree.
    begins_at: Timestamp,
    state: RecordsState,
    /// What who asked for it is called, for who sees people.
    #[serde(skip_serializing_if = "Option::is_none")]
    asked_by: Option<Label>,
    /// What who agreed is called, for who sees people.
    #[serde(skip_serializing_if = "Option::is_none")]
    confirmed_by: Option<Label>,
}

/// Whether records of use are kept in a building.
#[derive(Serialize, ToSchema)]
pub struct RecordsPolicy {
    /// What for; absent while nothing is kept or asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    kept: Option<KeptRecords>,
    /// The building is commercial; nothing can be kept in others.
    may_keep: bool,
    /// It was residential or mixed before: another administrator has to agree, and the people are told 30 days before.
    needs_second: bool,
    /// When records could begin if the people were told today, in UTC milliseconds.
    earliest: Timestamp,
    /// Grows with every change; 0 where nothing is kept.
    version: u64,
}

/// What is asked for.
#[derive(Deserialize, ToSchema)]
pub struct RecordsWish {
    /// The version that the asker saw.
    version: u64,
    /// What for, 10 to 500 characters.
    purpose: String,
    /// How long each record is kept, 1 to 90 days.
    days: u8,
    /// The day on which the people were told, not in the future.
    #[schema(format = Date)]
    told_on: String,
}

/// What is agreed to.
#[derive(Deserialize, ToSchema)]
pub struct RecordsAgreement {
    /// The version that the asker saw.
    version: u64,
}

fn called(who: Option<NamedPerson>) -> Option<Label> {
    who.and_then(|(_, name)| name).map(Pii::into_inner)
}

fn shown(house: RecordHouse, now: Timestamp) -> RecordsPolicy {
    let RecordHouse { may_keep, needs_second, earliest, policy, version } = house;
    let kept = policy.map(|policy| KeptRecords {
        days: policy.asked.days,
        told_on: calendar::written(policy.asked.told_on).unwrap_or_default(),
        begins_at: policy.begins_at.unwrap_or(policy.earliest),
        state: match policy.begins_at {
            None => RecordsState::WaitsForSecond,
            Some(begins) if begins > now => RecordsState::WaitsForDay,
            Some(_) => RecordsState::On,
        },
        purpose: policy.asked.purpose,
        asked_by: called(policy.asked_by),
        confirmed_by: called(policy.confirmed_by),
    });
    RecordsPolicy { kept, may_keep, needs_second, earliest, version }
}

fn answer(node: &Node, set: RecordsSet) -> Result<Json<RecordsPolicy>, Problem> {
    let now = node.clock.now();
    match set {
        RecordsSet::Done(house) => Ok(Json(shown(house, now))),
        RecordsSet::Conflict(house) => Err(Problem::conflict(&shown(house, now))),
        RecordsSet::NotCommercial => Err(Code::NotCommercial.into()),
        RecordsSet::SamePerson => Err(Code::SamePerson.into()),
        RecordsSet::NotThere => Err(Code::Forbidden.into()),
    }
}

/// A purpose, or what is wrong with it.
pub(super) fn purpose(fields: &mut Fields, pointer: &str, text: &str) -> Option<Purpose> {
    let found = Purpose::new(text);
    if let Err(error) = &found {
        fields.wrong(
            pointer,
            match error {
                PurposeError::TooShort => FieldCode::TooShort,
                PurposeError::TooLong => FieldCode::TooLong,
                PurposeError::Control => FieldCode::Control,
            },
        );
    }
    found.ok()
}

/// Whether records of use are kept in a building, and what for.
#[utoipa::path(get, path = "/api/v1/buildings/{building}/records/policy", operation_id = "records_policy", tag = "records",
    params(("building" = uuid::Uuid, Path, description = "The building")), security(("session" = []), ("token" = [])),
    responses((status = 200, description = "How it stands", body = RecordsPolicy),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn handler(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(building): Object<BuildingId>,
) -> Result<Json<RecordsPolicy>, Problem> {
    administered(&node, &who, building).await?;
    let house = node.store.records().record_house(&who.scope, building).await?.ok_or(Code::NotFound)?;
    Ok(Json(shown(house, node.clock.now())))
}

/// Asks that records of use be kept in a commercial building. Where it was residential or mixed before, another administrator
/// has to agree, and it begins 30 days after the people were told at the earliest. Another purpose deletes what was kept for the
/// one before; fewer days delete what is older at once.
#[utoipa::path(put, path = "/api/v1/buildings/{building}/records/policy", operation_id = "keep_records", tag = "records",
    request_body = RecordsWish, params(("building" = uuid::Uuid, Path, description = "The building")), security(("session" = [])),
    responses((status = 200, description = "As it is now", body = RecordsPolicy),
        (status = 403, description = "`forbidden`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`conflict`: somebody changed it since; `current` is a `RecordsPolicy`. `not_commercial`: the building is residential or mixed", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn keep(
    State(node): State<Arc<Node>>,
    who: SignedIn,
    Object(building): Object<BuildingId>,
    Body(wish): Body<RecordsWish>,
) -> Result<Json<RecordsPolicy>, Problem> {
    let house = allowed(&node, &who, Right::ChangeBuilding, building).await?;
    let stamp = node.stamp();
    let mut fields = Fields::default();
    let purpose = purpose(&mut fields, "/purpose", &wish.purpose);
    if !Records::DAYS.contains(&wish.days) {
        fields.wrong("/days", FieldCode::OutOfRange);
    }
    let today = calendar::today(stamp.at, &house.time_zone);
    let told_on = calendar::parsed(&wish.told_on);
    match told_on {
        None => fields.wrong("/told_on", FieldCode::NotADay),
        Some(day) if today.is_none_or(|today| day > today) => {
            fields.wrong("/told_on", FieldCode::OutOfRange);
        }
        Some(_) => {}
    }
    let (Some(purpose), Some(told_on)) = (purpose, told_on) else { return Err(fields.into()) };
    fields.check()?;
    let wanted = NewRecordPolicy { purpose, days: wish.days, told_on };
    let set = node.store.records().keep_records(&who.scope, &stamp, building, wish.version, wanted).await?;
    answer(&node, set)
}

/// Agrees to what another administrator asked for.
#[utoipa::path(post, path = "/api/v1/buildings/{building}/records/policy/confirm", operation_id = "confirm_records", tag = "records",
    request_body = RecordsAgreement, params(("building" = uuid::Uuid, Path, description = "The building")), security(("session" = [])),
    responses((status = 200, description = "As it is now", body = RecordsPolicy),
        (status = 403, description = "`forbidden`; `same_person`: who asked can not agree with themselves", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`conflict`: somebody changed it since, or there is nothing to agree to; `current` is a `RecordsPolicy`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn confirm(
    State(node): State<Arc<Node>>,
    who: SignedIn,
    Object(building): Object<BuildingId>,
    Body(agreed): Body<RecordsAgreement>,
) -> Result<Json<RecordsPolicy>, Problem> {
    allowed(&node, &who, Right::ChangeBuilding, building).await?;
    let set =
        node.store.records().confirm_records(&who.scope, &node.stamp(), building, agreed.version).await?;
    answer(&node, set)
}

/// Keeps no records of use any more, and deletes every one of the building.
#[utoipa::path(delete, path = "/api/v1/buildings/{building}/records/policy", operation_id = "end_records", tag = "records",
    params(("building" = uuid::Uuid, Path, description = "The building")), security(("session" = [])),
    responses((status = 204, description = "Nothing is kept any more"),
        (status = 403, description = "`forbidden`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn end(
    State(node): State<Arc<Node>>,
    who: SignedIn,
    Object(building): Object<BuildingId>,
) -> Result<StatusCode, Problem> {
    allowed(&node, &who, Right::ChangeBuilding, building).await?;
    match node.store.records().end_records(&who.scope, &node.stamp(), building).await? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(Code::Forbidden.into()),
    }
}
