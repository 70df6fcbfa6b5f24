//! Access rules of a building: who may open what, when. For who sees people there, as they say who may open.

use super::allowed;
use super::rule_notes::{Note, notes};
use crate::auth::caller::Caller;
use crate::calendar;
use crate::http::body::{Body, Object};
use crate::http::problem::{Code, FieldCode, Fields, Problem, ProblemBody};
use crate::node::Node;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use klinke_model::ids::{
    BuildingId, DoorGroupId, DoorId, PeopleGroupId, PersonId, RuleId, ScheduleId, UnitId,
};
use klinke_model::privacy::Pii;
use klinke_model::rights::Right;
use klinke_model::rule::{AccessRule, Which, Who};
use klinke_model::site::Building;
use klinke_model::text::Label;
use klinke_storage::StorageError;
use klinke_storage::record::{Edited, NamedRule, Part, RuleMade};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// How many people, units or doors one rule names.
const NAMES: usize = 200;

/// Whom a rule allows.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(tag = "who", rename_all = "snake_case")]
pub enum RuleWho {
    /// Everybody who lives or works in the building.
    Everybody,
    /// Whoever decides for a unit of the building.
    UnitOwners,
    /// The people of a unit of the building.
    Unit {
        /// The unit.
        id: UnitId,
    },
    /// One person, wherever they live.
    Person {
        /// The person.
        id: PersonId,
    },
    /// Whoever is in a group of the building.
    Group {
        /// The group.
        id: PeopleGroupId,
    },
}

/// Whom a rule allows, with what to call them.
#[derive(Serialize, ToSchema)]
#[serde(tag = "who", rename_all = "snake_case")]
pub enum RuleWhoNamed {
    /// Everybody who lives or works in the building.
    Everybody,
    /// Whoever decides for a unit of the building.
    UnitOwners,
    /// The people of a unit of the building.
    Unit {
        /// The unit.
        id: UnitId,
        /// Apartment number or company name.
        number: Label,
    },
    /// One person, wherever they live.
    Person {
        /// The person.
        id: PersonId,
        /// Absent for who wants none, and for who lives where the asker does not see people.
        #[serde(skip_serializing_if = "Option::is_none")]
        name: Option<Label>,
        /// Lives where the asker does not see people.
        hidden: bool,
    },
    /// Whoever is in a group of the building.
    Group {
        /// The group.
        id: PeopleGroupId,
        /// What it is called.
        name: Label,
        /// How many are in it.
        members: usize,
    },
}

/// What a rule opens.
#[derive(Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(tag = "which", rename_all = "snake_case")]
pub enum RuleDoor {
    /// Every door of the building.
    AllDoors,
    /// One door.
    Door {
        /// The door.
        id: DoorId,
    },
    /// Every door of a group of the building.
    Group {
        /// The group.
        id: DoorGroupId,
    },
}

/// When a rule holds.
#[derive(Default, Serialize, Deserialize, ToSchema)]
pub struct RuleTime {
    /// The hours; at any time without.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    schedule: Option<ScheduleId>,
    /// The first day, such as `2026-11-30`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    first_day: Option<String>,
    /// The last day.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    last_day: Option<String>,
}

/// An access rule.
#[derive(Serialize, ToSchema)]
pub struct Rule {
    id: RuleId,
    building: BuildingId,
    name: Label,
    /// Anybody whom one of these names; nobody without.
    who: Vec<RuleWhoNamed>,
    /// Nothing without.
    doors: Vec<RuleDoor>,
    when: RuleTime,
    /// Not put aside.
    active: bool,
    /// Grows with every change.
    version: u64,
    /// What an administrator may want to look at.
    notes: Vec<Note>,
}

/// A new rule.
#[derive(Deserialize, ToSchema)]
pub struct NewRule {
    /// What the administrators call it.
    name: String,
    /// At least one.
    who: Vec<RuleWho>,
    /// At least one.
    doors: Vec<RuleDoor>,
    #[serde(default)]
    #[schema(required = false)]
    when: RuleTime,
}

/// What is to be changed; what is absent stays as it is.
#[derive(Deserialize, ToSchema)]
pub struct RuleChange {
    /// The version that the asker saw.
    version: u64,
    #[schema(required = false)]
    name: Option<String>,
    #[schema(required = false)]
    who: Option<Vec<RuleWho>>,
    #[schema(required = false)]
    doors: Option<Vec<RuleDoor>>,
    /// All of it: what is absent in it is at any time.
    #[schema(required = false)]
    when: Option<RuleTime>,
    /// Put aside without losing it.
    #[schema(required = false)]
    active: Option<bool>,
}

/// The rules of a building, by name.
#[utoipa::path(get, path = "/api/v1/buildings/{building}/rules", operation_id = "rules", tag = "rules",
    params(("building" = uuid::Uuid, Path, description = "The building")), security(("session" = []), ("token" = [])),
    responses((status = 200, description = "The rules", body = [Rule])))]
pub async fn list(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(building): Object<BuildingId>,
) -> Result<Json<Vec<Rule>>, Problem> {
    let building = allowed(&node, &who, Right::SeePeople, building).await?;
    let rules = node.store.rules().rules(&who.scope, building.id).await?;
    let notes = noted(&node, &who, &building, &rules).await?;
    Ok(Json(rules.into_iter().zip(notes).map(|(part, notes)| shown(part, notes)).collect()))
}

async fn noted(
    node: &Node,
    who: &Caller,
    building: &Building,
    rules: &[Part<NamedRule>],
) -> Result<Vec<Vec<Note>>, Problem> {
    let schedules = node.store.rules().schedules(&who.scope, building.id).await?;
    let today = calendar::today(node.clock.now(), &building.time_zone);
    Ok(notes(rules, &schedules, building.holidays, today))
}

/// One rule as it is now.
async fn answered(node: &Node, who: &Caller, part: Part<NamedRule>) -> Result<Rule, Problem> {
    let building = allowed(node, who, Right::SeePeople, part.value.rule.building).await?;
    let rules = node.store.rules().rules(&who.scope, building.id).await?;
    let place = rules.iter().position(|one| one.value.rule.id == part.value.rule.id);
    let mut notes = noted(node, who, &building, &rules).await?;
    let notes = place.filter(|place| *place < notes.len()).map(|place| notes.swap_remove(place));
    Ok(shown(part, notes.unwrap_or_default()))
}

fn shown(part: Part<NamedRule>, notes: Vec<Note>) -> Rule {
    let NamedRule { rule, units, people, people_groups, door_groups: _ } = part.value;
    let units = units.into_iter().map(|(id, number)| RuleWhoNamed::Unit { id, number });
    let people = people.into_iter().map(|one| RuleWhoNamed::Person {
        id: one.person,
        name: one.name.map(Pii::into_inner),
        hidden: !one.shown,
    });
    let groups = people_groups.into_iter().map(|group| RuleWhoNamed::Group {
        id: group.id,
        name: group.name,
        members: group.members.len(),
    });
    let everybody = rule.who.contains(&Who::Everybody).then_some(RuleWhoNamed::Everybody);
    let owners = rule.who.contains(&Who::UnitOwners).then_some(RuleWhoNamed::UnitOwners);
    let which = |which: &Which| match which {
        Which::AllDoors => RuleDoor::AllDoors,
        Which::Door(id) => RuleDoor::Door { id: *id },
        Which::Group(id) => RuleDoor::Group { id: *id },
    };
    Rule {
        id: rule.id,
        building: rule.building,
        name: rule.name,
        who: everybody.into_iter().chain(owners).chain(units).chain(groups).chain(people).collect(),
        doors: rule.doors.iter().map(which).collect(),
        when: RuleTime {
            schedule: rule.schedule,
            first_day: rule.first_day.and_then(calendar::written),
            last_day: rule.last_day.and_then(calendar::written),
        },
        active: rule.active,
        version: part.version,
        notes,
    }
}

/// Adds a rule to a building.
#[utoipa::path(post, path = "/api/v1/buildings/{building}/rules", operation_id = "add_rule", tag = "rules",
    request_body = NewRule, params(("building" = uuid::Uuid, Path, description = "The building")), security(("session" = []), ("token" = [])),
    responses((status = 201, description = "Added", body = Rule),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn add(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(building): Object<BuildingId>,
    Body(new): Body<NewRule>,
) -> Result<(StatusCode, Json<Rule>), Problem> {
    allowed(&node, &who, Right::ChangeBuilding, building).await?;
    let stamp = node.stamp();
    let id: RuleId = node.random.v7(stamp.at);
    let mut fields = Fields::default();
    let name = fields.label("/name", &new.name);
    let (whom, doors) = (whom(&mut fields, &new.who), which(&mut fields, &new.doors));
    let (first_day, last_day) = days(&mut fields, &new.when);
    if whom.is_empty() {
        fields.wrong("/who", FieldCode::Required);
    }
    if doors.is_empty() {
        fields.wrong("/doors", FieldCode::Required);
    }
    let Some(name) = name else { return Err(fields.into()) };
    let rule = AccessRule {
        id,
        building,
        name,
        who: whom,
        doors,
        schedule: new.when.schedule,
        first_day,
        last_day,
        active: true,
    };
    known(&node, &who, &mut fields, &rule).await?;
    fields.check()?;
    match node.store.rules().insert_rule(&who.scope, &stamp, rule).await? {
        RuleMade::Done => {}
        RuleMade::NotThere => return Err(Code::Forbidden.into()),
        RuleMade::Unknown => return Err(unknown()),
    }
    let made = seen(&node, &who, id).await?;
    Ok((StatusCode::CREATED, Json(answered(&node, &who, made).await?)))
}

/// Changes a rule. From the next opening on it is so.
#[utoipa::path(patch, path = "/api/v1/rules/{rule}", operation_id = "change_rule", tag = "rules",
    request_body = RuleChange, params(("rule" = uuid::Uuid, Path, description = "The rule")), security(("session" = []), ("token" = [])),
    responses((status = 200, description = "Changed", body = Rule),
        (status = 403, description = "`forbidden`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`conflict`: somebody else changed it since; `current` is a `Rule`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn change(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(id): Object<RuleId>,
    Body(change): Body<RuleChange>,
) -> Result<Json<Rule>, Problem> {
    let mut wanted = seen(&node, &who, id).await?.value.rule;
    let mut fields = Fields::default();
    let name = match change.name {
        Some(name) => fields.label("/name", &name),
        None => Some(wanted.name.clone()),
    };
    if let Some(asked) = change.who {
        wanted.who = whom(&mut fields, &asked);
    }
    if let Some(asked) = change.doors {
        wanted.doors = which(&mut fields, &asked);
    }
    if let Some(when) = change.when {
        (wanted.first_day, wanted.last_day) = days(&mut fields, &when);
        wanted.schedule = when.schedule;
    }
    wanted.active = change.active.unwrap_or(wanted.active);
    let Some(name) = name else { return Err(fields.into()) };
    wanted.name = name;
    known(&node, &who, &mut fields, &wanted).await?;
    fields.check()?;
    match node.store.rules().change_rule(&who.scope, &node.stamp(), change.version, wanted).await {
        Ok(Edited::Done(part)) => Ok(Json(answered(&node, &who, part).await?)),
        Ok(Edited::Conflict(part)) => Err(Problem::conflict(&answered(&node, &who, part).await?)),
        Ok(Edited::NotThere) => Err(Code::Forbidden.into()),
        Err(StorageError::MissingReference) => Err(unknown()),
        Err(other) => Err(other.into()),
    }
}

/// Removes a rule. Who had a door by it alone does not have it any more.
#[utoipa::path(delete, path = "/api/v1/rules/{rule}", operation_id = "remove_rule", tag = "rules",
    params(("rule" = uuid::Uuid, Path, description = "The rule")), security(("session" = []), ("token" = [])),
    responses((status = 204, description = "Gone"),
        (status = 403, description = "`forbidden`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn remove(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(id): Object<RuleId>,
) -> Result<StatusCode, Problem> {
    seen(&node, &who, id).await?;
    if node.store.rules().remove_rule(&who.scope, &node.stamp(), id).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Code::Forbidden.into())
    }
}

async fn seen(node: &Node, who: &Caller, id: RuleId) -> Result<Part<NamedRule>, Problem> {
    Ok(node.store.rules().rule(&who.scope, id).await?.ok_or(Code::NotFound)?)
}

fn whom(fields: &mut Fields, asked: &[RuleWho]) -> Vec<Who> {
    if asked.len() > NAMES {
        fields.wrong("/who", FieldCode::OutOfRange);
    }
    let one = |who: &RuleWho| match who {
        RuleWho::Everybody => Who::Everybody,
        RuleWho::UnitOwners => Who::UnitOwners,
        RuleWho::Unit { id } => Who::Unit(*id),
        RuleWho::Person { id } => Who::Person(*id),
        RuleWho::Group { id } => Who::Group(*id),
    };
    let mut all: Vec<_> = asked.iter().map(one).collect();
    all.sort_unstable();
    all.dedup();
    all
}

fn which(fields: &mut Fields, asked: &[RuleDoor]) -> Vec<Which> {
    if asked.len() > NAMES {
        fields.wrong("/doors", FieldCode::OutOfRange);
    }
    let one = |door: &RuleDoor| match door {
        RuleDoor::AllDoors => Which::AllDoors,
        RuleDoor::Door { id } => Which::Door(*id),
        RuleDoor::Group { id } => Which::Group(*id),
    };
    let mut all: Vec<_> = asked.iter().map(one).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// The first and the last day on which a rule holds.
fn days(fields: &mut Fields, when: &RuleTime) -> (Option<i64>, Option<i64>) {
    let mut read = |pointer: &str, text: &Option<String>| {
        let text = text.as_ref()?;
        let day = calendar::parsed(text);
        if day.is_none() {
            fields.wrong(pointer, FieldCode::NotADay);
        }
        day
    };
    let (first, last) = (read("/when/first_day", &when.first_day), read("/when/last_day", &when.last_day));
    if first.zip(last).is_some_and(|(first, last)| last < first) {
        fields.wrong("/when/last_day", FieldCode::EndsFirst);
    }
    (first, last)
}

/// That the doors, groups and hours which a rule names are in its building.
async fn known(node: &Node, who: &Caller, fields: &mut Fields, rule: &AccessRule) -> Result<(), Problem> {
    let doors = node.store.doors().doors(&who.scope, rule.building).await?;
    let groups = node.store.rules().door_groups(&who.scope, rule.building).await?;
    let there = |which: &Which| match which {
        Which::AllDoors => true,
        Which::Door(id) => doors.iter().any(|door| door.id == *id),
        Which::Group(id) => groups.iter().any(|group| group.value.id == *id),
    };
    if !rule.doors.iter().all(there) {
        fields.wrong("/doors", FieldCode::NotFound);
    }
    let groups = node.store.rules().people_groups(&who.scope, rule.building).await?;
    let there = |who: &Who| match who {
        Who::Group(id) => groups.iter().any(|group| group.value.group.id == *id),
        Who::Everybody | Who::UnitOwners | Who::Unit(_) | Who::Person(_) => true,
    };
    if !rule.who.iter().all(there) {
        fields.wrong("/who", FieldCode::NotFound);
    }
    if let Some(schedule) = rule.schedule {
        let found = node.store.rules().schedule(&who.scope, schedule).await?;
        if found.is_none_or(|found| found.value.building != rule.building) {
            fields.wrong("/when/schedule", FieldCode::NotFound);
        }
    }
    Ok(())
}

/// Doors and hours were there a moment ago: it is somebody.
fn unknown() -> Problem {
    let mut fields = Fields::default();
    fields.wrong("/who", FieldCode::NotFound);
    fields.into()
}
