//! Who may open a door, and which doors a person may open: by the same conditions and the same decision as an opening.

use super::people::shown;
use super::standing;
use super::who::page_length;
use crate::auth::caller::Caller;
use crate::calendar;
use crate::http::body::Object;
use crate::http::problem::{Code, Problem, ProblemBody};
use crate::node::Node;
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use klinke_access::decide::{self, Cause, Decision, SiteMode, decide};
use klinke_model::door::DoorTimes;
use klinke_model::ids::{BuildingId, DoorId, PersonId, RoleGrantId, RuleId, UnitId};
use klinke_model::people::Role;
use klinke_model::privacy::Pii;
use klinke_model::text::Label;
use klinke_model::time::Timestamp;
use klinke_storage::record;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

/// Why somebody may open a door.
#[derive(Serialize, ToSchema)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum Because {
    /// They live in a home whose people may open it.
    Home {
        /// The unit.
        unit: UnitId,
        /// Apartment number or company name.
        number: Label,
        /// Where it is.
        building: BuildingId,
        /// The name of the building.
        building_name: Label,
    },
    /// They administer the door's building.
    Role {
        /// Which grant.
        grant: RoleGrantId,
        /// As what.
        role: Role,
        /// It is for every building.
        everywhere: bool,
        /// When it is over, UTC milliseconds since 1970; absent when it does not end.
        #[serde(skip_serializing_if = "Option::is_none")]
        ends_at: Option<Timestamp>,
    },
    /// A rule allows them.
    Rule {
        /// Which.
        rule: RuleId,
        /// Its name.
        name: Label,
        /// What the hours are called in which it holds; absent for any time.
        #[serde(skip_serializing_if = "Option::is_none")]
        hours: Option<Label>,
        /// The last day on which it holds, such as `2026-11-30`.
        #[serde(skip_serializing_if = "Option::is_none")]
        last_day: Option<String>,
    },
}

impl From<record::Because> for Because {
    fn from(because: record::Because) -> Self {
        match because {
            record::Because::Home { unit, number, building, building_name } => {
                Self::Home { unit, number, building, building_name }
            }
            record::Because::Role { grant, role, building, ends_at } => {
                Self::Role { grant, role, everywhere: building.is_none(), ends_at }
            }
            record::Because::Rule { rule, name, hours, last_day } => {
                Self::Rule { rule, name, hours, last_day: last_day.and_then(calendar::written) }
            }
        }
    }
}

/// Somebody who may open a door.
#[derive(Serialize, ToSchema)]
pub struct Opener {
    /// The person.
    id: PersonId,
    /// Absent for who wants none, and for who lives where the asker does not see people.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<Label>,
    /// Lives where the asker does not see people: there is no more to know of them here.
    hidden: bool,
    /// At least one.
    because: Vec<Because>,
}

/// Everybody who may open a door, a page at a time, by folded name.
#[derive(Serialize, ToSchema)]
pub struct OpenersPage {
    items: Vec<Opener>,
    /// Where the next page begins; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<PersonId>,
    /// Why nobody opens it now, whoever may: `site_locked_down`, `door_blocked`, `door_locked_down`, `door_times_invalid`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    shut: Option<decide::Reason>,
}

/// A door that a person may open.
#[derive(Serialize, ToSchema)]
pub struct OpenableDoor {
    /// The door.
    id: DoorId,
    name: Label,
    building: BuildingId,
    building_name: Label,
    /// At least one.
    because: Vec<Because>,
}

/// The doors that a person may open, a page at a time, by building.
#[derive(Serialize, ToSchema)]
pub struct OpenableDoors {
    items: Vec<OpenableDoor>,
    /// Where the next page begins; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<DoorId>,
}

/// A page of people.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PeopleAsked {
    /// The `next` of the page before.
    cursor: Option<PersonId>,
    /// How many, 1 to 200.
    limit: Option<u16>,
}

/// A page of doors.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DoorsAsked {
    /// The `next` of the page before.
    cursor: Option<DoorId>,
    /// How many, 1 to 200.
    limit: Option<u16>,
}

/// Everybody who may open a door, each with the reasons; a rule with hours is one, also outside of them. For who sees people in its building.
#[utoipa::path(get, path = "/api/v1/doors/{door}/who", operation_id = "who_may_open", tag = "people",
    params(("door" = uuid::Uuid, Path, description = "The door"), PeopleAsked), security(("session" = []), ("token" = [])),
    responses((status = 200, description = "The people", body = OpenersPage),
        (status = 400, description = "`malformed`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn of_door(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(door): Object<DoorId>,
    asked: Result<Query<PeopleAsked>, QueryRejection>,
) -> Result<Json<OpenersPage>, Problem> {
    let Query(asked) = asked.map_err(|_| Code::Malformed)?;
    let limit = page_length(asked.limit)?;
    let page = node.store.who().openers(&who.scope, door, asked.cursor, limit).await?;
    let page = page.ok_or(Code::NotFound)?;
    let last = page.people.last().map(|one| one.person);
    Ok(Json(OpenersPage {
        next: last.filter(|_| page.more),
        shut: shut(&node, door, page.site_mode, page.door.times),
        items: page
            .people
            .into_iter()
            .map(|one| Opener {
                id: one.person,
                name: one.name.map(Pii::into_inner),
                hidden: !one.shown,
                because: one.because.into_iter().map(Because::from).collect(),
            })
            .collect(),
    }))
}

/// The doors that a person may open, each with the reasons; those where the asker sees people.
#[utoipa::path(get, path = "/api/v1/people/{person}/doors", operation_id = "doors_of_person", tag = "people",
    params(("person" = uuid::Uuid, Path, description = "The person"), DoorsAsked), security(("session" = []), ("token" = [])),
    responses((status = 200, description = "The doors", body = OpenableDoors),
        (status = 400, description = "`malformed`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn of_person(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(person): Object<PersonId>,
    asked: Result<Query<DoorsAsked>, QueryRejection>,
) -> Result<Json<OpenableDoors>, Problem> {
    let Query(asked) = asked.map_err(|_| Code::Malformed)?;
    let limit = page_length(asked.limit)?;
    shown(&node, &who, person).await?;
    let page = node.store.who().doors_of(&who.scope, person, asked.cursor, limit).await?;
    let last = page.doors.last().map(|one| one.door);
    Ok(Json(OpenableDoors {
        next: last.filter(|_| page.more),
        items: page
            .doors
            .into_iter()
            .map(|one| OpenableDoor {
                id: one.door,
                name: one.name,
                building: one.building,
                building_name: one.building_name,
                because: one.because.into_iter().map(Because::from).collect(),
            })
            .collect(),
    }))
}

/// Why the decision would say no to somebody who may open the door.
pub(super) fn shut(
    node: &Node,
    door: DoorId,
    site_mode: SiteMode,
    times: DoorTimes,
) -> Option<decide::Reason> {
    let facts = standing::anybody(site_mode, times, node.presence.door(door).map(|state| state.mode));
    match decide(&decide::Request { cause: Cause::List }, &facts) {
        Decision::Granted { .. } => None,
        Decision::Denied(reason) => Some(reason),
    }
}
