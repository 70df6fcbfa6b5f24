//! Groups of people of a building, which its access rules name. For who sees people there.

use super::allowed;
use super::uses::{Uses, removed};
use crate::auth::caller::Caller;
use crate::http::body::{Body, Object};
use crate::http::problem::{Code, FieldCode, Fields, Problem, ProblemBody};
use crate::node::Node;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use klinke_model::ids::{BuildingId, PeopleGroupId, PersonId};
use klinke_model::privacy::Pii;
use klinke_model::rights::Right;
use klinke_model::rule::PeopleGroup;
use klinke_model::text::Label;
use klinke_storage::StorageError;
use klinke_storage::record::{Edited, NamedGroup, Part, RuleMade};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// How many people are in one group.
const MEMBERS: usize = 1_000;

/// Somebody in a group.
#[derive(Serialize, ToSchema)]
pub struct GroupMember {
    id: PersonId,
    /// Absent for who wants none, and for who lives where the asker does not see people.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<Label>,
    /// Lives where the asker does not see people.
    hidden: bool,
}

/// People under a name.
#[derive(Serialize, ToSchema)]
pub struct PeopleGroupPart {
    id: PeopleGroupId,
    building: BuildingId,
    name: Label,
    /// By name; nobody is allowed by a group without.
    members: Vec<GroupMember>,
    /// Grows with every change.
    version: u64,
    uses: Uses,
}

impl From<Part<NamedGroup>> for PeopleGroupPart {
    fn from(part: Part<NamedGroup>) -> Self {
        let NamedGroup { group, people } = part.value;
        let members = people.into_iter().map(|one| GroupMember {
            id: one.person,
            name: one.name.map(Pii::into_inner),
            hidden: !one.shown,
        });
        Self {
            id: group.id,
            building: group.building,
            name: group.name,
            members: members.collect(),
            version: part.version,
            uses: part.uses.into(),
        }
    }
}

/// A new group of people.
#[derive(Deserialize, ToSchema)]
pub struct NewPeopleGroup {
    /// Such as "Cleaners".
    name: String,
    /// Anybody whom the asker sees, wherever they live.
    members: Vec<PersonId>,
}

/// What is to be changed; what is absent stays as it is.
#[derive(Deserialize, ToSchema)]
pub struct PeopleGroupChange {
    /// The version that the asker saw.
    version: u64,
    #[schema(required = false)]
    name: Option<String>,
    /// All of them.
    #[schema(required = false)]
    members: Option<Vec<PersonId>>,
}

/// The groups of people of a building, by name.
#[utoipa::path(get, path = "/api/v1/buildings/{building}/people-groups", operation_id = "people_groups", tag = "rules",
    params(("building" = uuid::Uuid, Path, description = "The building")), security(("session" = []), ("token" = [])),
    responses((status = 200, description = "The groups", body = [PeopleGroupPart])))]
pub async fn list(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(building): Object<BuildingId>,
) -> Result<Json<Vec<PeopleGroupPart>>, Problem> {
    allowed(&node, &who, Right::SeePeople, building).await?;
    let all = node.store.rules().people_groups(&who.scope, building).await?;
    Ok(Json(all.into_iter().map(Into::into).collect()))
}

/// Adds a group of people to a building.
#[utoipa::path(post, path = "/api/v1/buildings/{building}/people-groups", operation_id = "add_people_group", tag = "rules",
    request_body = NewPeopleGroup, params(("building" = uuid::Uuid, Path, description = "The building")), security(("session" = []), ("token" = [])),
    responses((status = 201, description = "Added", body = PeopleGroupPart),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn add(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(building): Object<BuildingId>,
    Body(new): Body<NewPeopleGroup>,
) -> Result<(StatusCode, Json<PeopleGroupPart>), Problem> {
    allowed(&node, &who, Right::ChangeBuilding, building).await?;
    let mut fields = Fields::default();
    let name = fields.label("/name", &new.name);
    let members = members(&mut fields, new.members);
    let Some(name) = name else { return Err(fields.into()) };
    fields.check()?;
    let stamp = node.stamp();
    let id: PeopleGroupId = node.random.v7(stamp.at);
    let wanted = PeopleGroup { id, building, name, members };
    match node.store.rules().insert_people_group(&who.scope, &stamp, wanted).await? {
        RuleMade::Done => {}
        RuleMade::NotThere => return Err(Code::Forbidden.into()),
        RuleMade::Unknown => return Err(unknown()),
    }
    Ok((StatusCode::CREATED, Json(seen(&node, &who, id).await?.into())))
}

/// Changes a group of people, and with it every rule that names it.
#[utoipa::path(patch, path = "/api/v1/people-groups/{people_group}", operation_id = "change_people_group", tag = "rules",
    request_body = PeopleGroupChange, params(("people_group" = uuid::Uuid, Path, description = "The group")), security(("session" = []), ("token" = [])),
    responses((status = 200, description = "Changed", body = PeopleGroupPart),
        (status = 403, description = "`forbidden`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`conflict`: somebody else changed it since; `current` is a `PeopleGroupPart`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn change(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(id): Object<PeopleGroupId>,
    Body(change): Body<PeopleGroupChange>,
) -> Result<Json<PeopleGroupPart>, Problem> {
    let mut wanted = seen(&node, &who, id).await?.value.group;
    let mut fields = Fields::default();
    let name = change.name.map_or(Some(wanted.name), |name| fields.label("/name", &name));
    if let Some(asked) = change.members {
        wanted.members = members(&mut fields, asked);
    }
    let Some(name) = name else { return Err(fields.into()) };
    fields.check()?;
    wanted.name = name;
    match node.store.rules().change_people_group(&who.scope, &node.stamp(), change.version, wanted).await {
        Ok(Edited::Done(part)) => Ok(Json(part.into())),
        Ok(Edited::Conflict(part)) => Err(Problem::conflict(&PeopleGroupPart::from(part))),
        Ok(Edited::NotThere) => Err(Code::Forbidden.into()),
        Err(StorageError::MissingReference) => Err(unknown()),
        Err(other) => Err(other.into()),
    }
}

/// Removes a group of people that no rule names.
#[utoipa::path(delete, path = "/api/v1/people-groups/{people_group}", operation_id = "remove_people_group", tag = "rules",
    params(("people_group" = uuid::Uuid, Path, description = "The group")), security(("session" = []), ("token" = [])),
    responses((status = 204, description = "Gone"),
        (status = 403, description = "`forbidden`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`in_use`: rules name it; `current` are its `Uses`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn remove(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(id): Object<PeopleGroupId>,
) -> Result<StatusCode, Problem> {
    seen(&node, &who, id).await?;
    removed(node.store.rules().remove_people_group(&who.scope, &node.stamp(), id).await?)?;
    Ok(StatusCode::NO_CONTENT)
}

async fn seen(node: &Node, who: &Caller, id: PeopleGroupId) -> Result<Part<NamedGroup>, Problem> {
    Ok(node.store.rules().people_group(&who.scope, id).await?.ok_or(Code::NotFound)?)
}

fn members(fields: &mut Fields, mut asked: Vec<PersonId>) -> Vec<PersonId> {
    if asked.len() > MEMBERS {
        fields.wrong("/members", FieldCode::OutOfRange);
    }
    asked.sort_unstable();
    asked.dedup();
    asked
}

fn unknown() -> Problem {
    let mut fields = Fields::default();
    fields.wrong("/members", FieldCode::NotFound);
    fields.into()
}
