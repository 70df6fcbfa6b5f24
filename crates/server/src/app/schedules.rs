//! Schedules of a building: hours under a name, and what they are in the next seven days.

use super::uses::{Uses, removed};
use super::{administered, allowed};
use crate::auth::caller::Caller;
use crate::calendar;
use crate::http::body::{Body, Object};
use crate::http::problem::{Code, FieldCode, Fields, Problem, ProblemBody};
use crate::node::Node;
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use klinke_access::holidays::{self, Holiday};
use klinke_access::{schedule, zone};
use klinke_model::ids::{BuildingId, ScheduleId};
use klinke_model::rights::Right;
use klinke_model::rule::NamedSchedule;
use klinke_model::schedule::{Schedule, Span};
use klinke_model::text::Label;
use klinke_storage::record::{Edited, Part};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

/// Hours under a name.
#[derive(Serialize, ToSchema)]
pub struct SchedulePart {
    id: ScheduleId,
    building: BuildingId,
    name: Label,
    schedule: Schedule,
    /// Grows with every change.
    version: u64,
    uses: Uses,
}

impl From<Part<NamedSchedule>> for SchedulePart {
    fn from(part: Part<NamedSchedule>) -> Self {
        let NamedSchedule { id, building, name, schedule } = part.value;
        Self { id, building, name, schedule, version: part.version, uses: part.uses.into() }
    }
}

/// New hours.
#[derive(Deserialize, ToSchema)]
pub struct NewSchedule {
    /// Such as "Office hours".
    name: String,
    schedule: Schedule,
}

/// What is to be changed; what is absent stays as it is.
#[derive(Deserialize, ToSchema)]
pub struct ScheduleChange {
    /// The version that the asker saw.
    version: u64,
    #[schema(required = false)]
    name: Option<String>,
    #[schema(required = false)]
    schedule: Option<Schedule>,
}

/// The schedules of a building, by name.
#[utoipa::path(get, path = "/api/v1/buildings/{building}/schedules", operation_id = "schedules", tag = "rules",
    params(("building" = uuid::Uuid, Path, description = "The building")), security(("session" = []), ("token" = [])),
    responses((status = 200, description = "The schedules", body = [SchedulePart])))]
pub async fn list(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(building): Object<BuildingId>,
) -> Result<Json<Vec<SchedulePart>>, Problem> {
    administered(&node, &who, building).await?;
    let all = node.store.rules().schedules(&who.scope, building).await?;
    Ok(Json(all.into_iter().map(Into::into).collect()))
}

/// Adds a schedule to a building.
#[utoipa::path(post, path = "/api/v1/buildings/{building}/schedules", operation_id = "add_schedule", tag = "rules",
    request_body = NewSchedule, params(("building" = uuid::Uuid, Path, description = "The building")), security(("session" = []), ("token" = [])),
    responses((status = 201, description = "Added", body = SchedulePart),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn add(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(building): Object<BuildingId>,
    Body(new): Body<NewSchedule>,
) -> Result<(StatusCode, Json<SchedulePart>), Problem> {
    allowed(&node, &who, Right::ChangeBuilding, building).await?;
    let mut fields = Fields::default();
    let name = fields.label("/name", &new.name);
    check(&mut fields, &new.schedule);
    let Some(name) = name else { return Err(fields.into()) };
    fields.check()?;
    let stamp = node.stamp();
    let id = node.random.v7(stamp.at);
    let wanted = NamedSchedule { id, building, name, schedule: new.schedule };
    if !node.store.rules().insert_schedule(&who.scope, &stamp, wanted).await? {
        return Err(Code::NotFound.into());
    }
    Ok((StatusCode::CREATED, Json(seen(&node, &who, id).await?.into())))
}

/// Changes a schedule, and with it every rule that names it.
#[utoipa::path(patch, path = "/api/v1/schedules/{schedule}", operation_id = "change_schedule", tag = "rules",
    request_body = ScheduleChange, params(("schedule" = uuid::Uuid, Path, description = "The schedule")), security(("session" = []), ("token" = [])),
    responses((status = 200, description = "Changed", body = SchedulePart),
        (status = 403, description = "`forbidden`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`conflict`: somebody else changed it since; `current` is a `SchedulePart`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn change(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(id): Object<ScheduleId>,
    Body(change): Body<ScheduleChange>,
) -> Result<Json<SchedulePart>, Problem> {
    let before = seen(&node, &who, id).await?.value;
    let mut fields = Fields::default();
    let name = change.name.map_or(Some(before.name), |name| fields.label("/name", &name));
    let schedule = change.schedule.unwrap_or(before.schedule);
    check(&mut fields, &schedule);
    let Some(name) = name else { return Err(fields.into()) };
    fields.check()?;
    let wanted = NamedSchedule { id, building: before.building, name, schedule };
    match node.store.rules().change_schedule(&who.scope, &node.stamp(), change.version, wanted).await? {
        Edited::Done(part) => Ok(Json(part.into())),
        Edited::Conflict(part) => Err(Problem::conflict(&SchedulePart::from(part))),
        Edited::NotThere => Err(Code::Forbidden.into()),
    }
}

/// Removes a schedule that no rule and no door names.
#[utoipa::path(delete, path = "/api/v1/schedules/{schedule}", operation_id = "remove_schedule", tag = "rules",
    params(("schedule" = uuid::Uuid, Path, description = "The schedule")), security(("session" = []), ("token" = [])),
    responses((status = 204, description = "Gone"),
        (status = 403, description = "`forbidden`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`in_use`: rules or doors name it; `current` are its `Uses`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn remove(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(id): Object<ScheduleId>,
) -> Result<StatusCode, Problem> {
    seen(&node, &who, id).await?;
    removed(node.store.rules().remove_schedule(&who.scope, &node.stamp(), id).await?)?;
    Ok(StatusCode::NO_CONTENT)
}

/// From which day on.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct WeekAsked {
    /// The first day, such as `2026-11-30`; today without.
    from: Option<String>,
}

/// Seven days of a schedule.
#[derive(Serialize, ToSchema)]
pub struct Week {
    days: Vec<WeekDay>,
}

/// A day of a schedule.
#[derive(Serialize, ToSchema)]
pub struct WeekDay {
    /// Such as `2026-11-30`.
    day: String,
    /// 0 is Monday, 6 is Sunday.
    weekday: u8,
    /// It is a public holiday where the building stands.
    holiday: bool,
    /// What that holiday is called, such as `good_friday`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    holiday_name: Option<Holiday>,
    /// It is a day for which the schedule has an exception.
    exception: bool,
    /// From midnight to midnight, in order, with what comes over from the night before. None: closed.
    spans: Vec<Span>,
}

/// What a schedule is in seven days, as people see them on the calendar: from midnight to midnight.
#[utoipa::path(get, path = "/api/v1/schedules/{schedule}/week", operation_id = "schedule_week", tag = "rules",
    params(("schedule" = uuid::Uuid, Path, description = "The schedule"), WeekAsked), security(("session" = []), ("token" = [])),
    responses((status = 200, description = "Seven days", body = Week),
        (status = 400, description = "`malformed`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn week(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(id): Object<ScheduleId>,
    asked: Result<Query<WeekAsked>, QueryRejection>,
) -> Result<Json<Week>, Problem> {
    let Query(asked) = asked.map_err(|_| Code::Malformed)?;
    let found = seen(&node, &who, id).await?.value;
    let building = administered(&node, &who, found.building).await?;
    let first = match asked.from {
        Some(text) => calendar::parsed(&text),
        None => calendar::today(node.clock.now(), &building.time_zone),
    };
    let days = first.and_then(|first| {
        (0..7)
            .map(|ahead| of_day(&found.schedule, building.holidays, first + ahead))
            .collect::<Option<Vec<_>>>()
    });
    let Some(days) = days else {
        let mut fields = Fields::default();
        fields.wrong("/from", FieldCode::NotADay);
        return Err(fields.into());
    };
    Ok(Json(Week { days }))
}

fn of_day(of: &Schedule, calendar: klinke_model::schedule::HolidayCalendar, day: i64) -> Option<WeekDay> {
    Some(WeekDay {
        day: calendar::written(day)?,
        weekday: zone::weekday(day),
        holiday: holidays::is_holiday(calendar, day),
        holiday_name: holidays::named(calendar, day),
        exception: of.exceptions.iter().any(|one| (one.first..=one.last).contains(&day)),
        spans: schedule::of_day(of, calendar, day),
    })
}

async fn seen(node: &Node, who: &Caller, id: ScheduleId) -> Result<Part<NamedSchedule>, Problem> {
    Ok(node.store.rules().schedule(&who.scope, id).await?.ok_or(Code::NotFound)?)
}

fn check(fields: &mut Fields, schedule: &Schedule) {
    if let Some(fault) = schedule.fault() {
        fields.wrong(format!("/schedule/{fault}"), FieldCode::OutOfRange);
    }
}
