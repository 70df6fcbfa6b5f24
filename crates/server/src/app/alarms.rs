//! What is wrong at the doors of a building, and what was: told by its controllers, seen by its administrators. No answer has a
//! field for who came or went.

use super::paging;
use super::{administered, allowed};
use crate::auth::caller::Caller;
use crate::http::body::{Body, Object};
use crate::http::problem::{Code, FieldCode, Fields, Problem, ProblemBody};
use crate::node::Node;
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use klinke_model::alarm::AlarmKind;
use klinke_model::ids::{AlarmId, BuildingId};
use klinke_model::rights::Right;
use klinke_model::text::Label;
use klinke_model::time::Timestamp;
use klinke_storage::record::{self, AlarmAfter, Told};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// The order of the list; there is one.
const ORDER: &str = "alarms";

/// Which part of the list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Part {
    /// What `next` of the page before said.
    cursor: Option<String>,
    /// How many, 1 to 200; 50 unless told.
    limit: Option<u16>,
}

/// A moment by a controller's clock.
#[derive(Serialize, ToSchema)]
pub struct AlarmMoment {
    /// In UTC milliseconds; never later than when the server heard of it.
    at: Timestamp,
    /// The controller did not believe its clock: it was about then, or at another time.
    about: bool,
}

impl From<Told> for AlarmMoment {
    fn from(told: Told) -> Self {
        Self { at: told.at, about: told.about }
    }
}

/// Where an alarm is.
#[derive(Serialize, ToSchema)]
pub struct AlarmPlace {
    id: Uuid,
    name: Label,
}

/// Something that is, or was, wrong at the doors.
#[derive(Serialize, ToSchema)]
pub struct Alarm {
    id: AlarmId,
    kind: AlarmKind,
    /// The controller that told of it.
    controller: AlarmPlace,
    /// The door, when it is at one.
    #[serde(skip_serializing_if = "Option::is_none")]
    door: Option<AlarmPlace>,
    /// Which reader, input or output of the controller, as its hardware file numbers them.
    #[serde(skip_serializing_if = "Option::is_none")]
    part: Option<u16>,
    /// When it began, or happened.
    began: AlarmMoment,
    /// When it ended; absent while it stands. What only happens ended as it began.
    #[serde(skip_serializing_if = "Option::is_none")]
    ended: Option<AlarmMoment>,
    /// When an administrator said that they have seen it, in UTC milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    seen_at: Option<Timestamp>,
    /// What they are called, for who sees people.
    #[serde(skip_serializing_if = "Option::is_none")]
    seen_by: Option<Label>,
}

impl From<record::Alarm> for Alarm {
    fn from(alarm: record::Alarm) -> Self {
        let (id, name) = alarm.controller;
        Self {
            id: alarm.id,
            kind: alarm.kind,
            controller: AlarmPlace { id: id.0, name },
            door: alarm.door.map(|(id, name)| AlarmPlace { id: id.0, name }),
            part: alarm.part,
            began: alarm.began.into(),
            ended: alarm.ended.map(Into::into),
            seen_at: alarm.seen_at,
            seen_by: alarm.seen_by.map(klinke_model::privacy::Pii::into_inner),
        }
    }
}

/// Alarms of a building.
#[derive(Serialize, ToSchema)]
pub struct AlarmsPage {
    /// Those that stand, then those that nobody has seen, then the others; the newest first.
    items: Vec<Alarm>,
    /// Ask for the page after it with this; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    /// How many stand, on whatever page.
    standing: u64,
    /// How many are over and were not seen by anybody.
    unseen: u64,
    /// New ones are mailed to those who can do something about them.
    mail: bool,
}

/// Whether new alarms are mailed.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct AlarmMail {
    /// One mail a minute at most, to everybody who may change devices here and has an address.
    mail: bool,
}

/// The alarms of a building.
#[utoipa::path(get, path = "/api/v1/buildings/{building}/alarms", operation_id = "alarms", tag = "buildings",
    params(("building" = uuid::Uuid, Path, description = "The building"), Part), security(("session" = []), ("token" = [])),
    responses((status = 200, description = "The alarms", body = AlarmsPage),
        (status = 422, description = "`invalid`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn list(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(building): Object<BuildingId>,
    part: Result<Query<Part>, QueryRejection>,
) -> Result<Json<AlarmsPage>, Problem> {
    administered(&node, &who, building).await?;
    let Ok(Query(part)) = part else {
        let mut fields = Fields::default();
        fields.wrong("/limit", FieldCode::OutOfRange);
        return Err(fields.into());
    };
    let mut fields = Fields::default();
    let limit = paging::limit(part.limit, &mut fields);
    let after = paging::after(part.cursor.as_deref(), place, &mut fields);
    fields.check()?;
    let page = node.store.alarms().alarms_page(&who.scope, building, after, limit).await?;
    Ok(Json(AlarmsPage {
        items: page.alarms.into_iter().map(Into::into).collect(),
        next: page.next.map(cursor),
        standing: page.standing,
        unseen: page.unseen,
        mail: page.mail,
    }))
}

/// Says that an alarm was seen. The first who says so stays the one who has.
#[utoipa::path(post, path = "/api/v1/alarms/{alarm}/seen", operation_id = "see_alarm", tag = "buildings",
    params(("alarm" = uuid::Uuid, Path, description = "The alarm")), security(("session" = []), ("token" = [])),
    responses((status = 200, description = "Seen", body = Alarm),
        (status = 403, description = "`forbidden`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn see(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(alarm): Object<AlarmId>,
) -> Result<Json<Alarm>, Problem> {
    let found = node.store.alarms().alarm(&who.scope, alarm).await?.ok_or(Code::NotFound)?;
    if !node.store.people().may_in(&who.scope, Right::Devices, found.building).await? {
        return Err(Code::Forbidden.into());
    }
    let seen = node.store.alarms().see_alarm(&who.scope, &node.stamp(), alarm).await?;
    Ok(Json(seen.ok_or(Code::NotFound)?.into()))
}

/// Switches the mails about alarms of a building on or off.
#[utoipa::path(put, path = "/api/v1/buildings/{building}/alarm-mail", operation_id = "set_alarm_mail", tag = "buildings",
    request_body = AlarmMail, params(("building" = uuid::Uuid, Path, description = "The building")), security(("session" = []), ("token" = [])),
    responses((status = 200, description = "As it is now", body = AlarmMail),
        (status = 403, description = "`forbidden`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn set_mail(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(building): Object<BuildingId>,
    Body(wanted): Body<AlarmMail>,
) -> Result<Json<AlarmMail>, Problem> {
    allowed(&node, &who, Right::ChangeBuilding, building).await?;
    if !node.store.alarms().set_alarm_mail(&who.scope, &node.stamp(), building, wanted.mail).await? {
        return Err(Code::NotFound.into());
    }
    Ok(Json(wanted))
}

fn cursor(after: AlarmAfter) -> String {
    let began = after.began.as_millis().to_be_bytes();
    paging::cursor(ORDER, &[&[after.rank], &began, after.alarm.0.as_bytes()])
}

fn place(mut parts: paging::Parts) -> Option<AlarmAfter> {
    parts.is(ORDER)?;
    let [rank] = parts.bytes()?.try_into().ok()?;
    let began = Timestamp::from_millis(i64::from_be_bytes(parts.bytes()?.try_into().ok()?));
    let alarm = parts.id()?;
    parts.end()?;
    Some(AlarmAfter { rank, began, alarm })
}
