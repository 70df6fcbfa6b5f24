//! Roles: who has which over what until when; giving and taking them.

use super::{administrator, allowed, everywhere};
use crate::auth::session::SignedIn;
use crate::http::body::{Body, Object};
use crate::http::problem::{Code, FieldCode, Fields, Problem, ProblemBody};
use crate::node::Node;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use klinke_model::ids::{BuildingId, PersonId, RoleGrantId};
use klinke_model::people::{Role, RoleGrant};
use klinke_model::rights::{GrantFault, Right};
use klinke_model::text::Label;
use klinke_model::time::Timestamp;
use klinke_storage::record::{GivenRole, NewRole, Revoked};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;
use utoipa::ToSchema;

/// A role that somebody has.
#[derive(Serialize, ToSchema)]
pub struct AdministratorRole {
    id: RoleGrantId,
    person: PersonId,
    /// What they are called; absent for who goes without a name.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<Label>,
    role: Role,
    /// What it allows.
    rights: Vec<Right>,
    /// The building; absent when it is every building.
    #[serde(skip_serializing_if = "Option::is_none")]
    building: Option<BuildingId>,
    /// First moment at which it is over, in UTC milliseconds; absent when it does not end.
    #[serde(skip_serializing_if = "Option::is_none")]
    ends_at: Option<Timestamp>,
    /// It is over.
    ended: bool,
    /// It does not count yet: its holder has not accepted confidentiality.
    unbound: bool,
    /// The asker can take it.
    can_take: bool,
}

/// A role for somebody.
#[derive(Deserialize, ToSchema)]
pub struct NewAdministratorRole {
    person: PersonId,
    role: Role,
    /// The building; absent for every building.
    #[schema(required = false)]
    building: Option<BuildingId>,
    /// First moment at which it is over, in UTC milliseconds. Must be given for a role with access to personal data, within
    /// 366 days.
    #[schema(required = false)]
    ends_at: Option<Timestamp>,
}

/// The roles over the buildings where one gives roles, and over all buildings. The widest first, then by name.
#[utoipa::path(get, path = "/api/v1/roles", operation_id = "roles", tag = "roles", security(("session" = [])),
    responses((status = 200, description = "The roles", body = [AdministratorRole]),
        (status = 403, description = "`forbidden`: gives no roles; `confidentiality_required`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn handler(
    State(node): State<Arc<Node>>,
    who: SignedIn,
) -> Result<Json<Vec<AdministratorRole>>, Problem> {
    administrator(&node, &who, Right::Roles).await?;
    let all = node.store.people().may_everywhere(&who.scope, Right::Roles).await?;
    let given = node.store.people().given_roles(&who.scope).await?;
    Ok(Json(given.into_iter().map(|given| shown(given, &who, all)).collect()))
}

fn shown(given: GivenRole, who: &SignedIn, all: bool) -> AdministratorRole {
    let GivenRole { id, person, name, grant, bound } = given;
    let RoleGrant { role, building, ends_at } = grant;
    AdministratorRole {
        id,
        person,
        name: name.map(klinke_model::privacy::Pii::into_inner),
        role,
        rights: role.rights().to_vec(),
        building,
        ends_at,
        ended: grant.is_over(who.scope.at),
        unbound: role.sees_people() && !bound,
        can_take: role != Role::Operator && (all || building.is_some()),
    }
}

/// A change of somebody's role.
#[derive(Serialize, ToSchema)]
pub struct RoleChange {
    /// When, in UTC milliseconds.
    at: Timestamp,
    /// `role.given`, `role.changed` or `role.taken`.
    action: String,
    /// By whom; absent for the service and who goes without a name.
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<Label>,
    /// Whose role; absent for who goes without a name.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<Label>,
    /// They did it for themselves.
    own: bool,
    role: Role,
    /// The building; absent when it is every building.
    #[serde(skip_serializing_if = "Option::is_none")]
    building: Option<BuildingId>,
}

/// How far back changes of roles are shown, in days.
const CHANGES_DAYS: u64 = 30;

/// What changed in the last 30 days about the roles over the buildings where one gives roles, and over all buildings; the
/// newest first.
#[utoipa::path(get, path = "/api/v1/roles/changes", operation_id = "role_changes", tag = "roles", security(("session" = [])),
    responses((status = 200, description = "The changes", body = [RoleChange]),
        (status = 403, description = "`forbidden`: gives no roles; `confidentiality_required`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn changes(State(node): State<Arc<Node>>, who: SignedIn) -> Result<Json<Vec<RoleChange>>, Problem> {
    administrator(&node, &who, Right::Roles).await?;
    let days = Duration::from_secs(CHANGES_DAYS * 86_400);
    let since =
        Timestamp::from_millis(who.scope.at.as_millis() - i64::try_from(days.as_millis()).unwrap_or(0));
    let found = node.store.people().role_changes(&who.scope, since).await?;
    let told = found.into_iter().map(|change| RoleChange {
        at: change.at,
        own: change.by == Some(change.person),
        action: change.action,
        by: change.by_name.map(klinke_model::privacy::Pii::into_inner),
        name: change.person_name.map(klinke_model::privacy::Pii::into_inner),
        role: change.role,
        building: change.building,
    });
    Ok(Json(told.collect()))
}

/// Gives somebody a role, or moves the end of one that they have. Nobody gives more than they have themselves.
#[utoipa::path(post, path = "/api/v1/roles", operation_id = "give_role", tag = "roles",
    request_body = NewAdministratorRole, security(("session" = [])),
    responses((status = 204, description = "Given"),
        (status = 403, description = "`forbidden`: more than one has, or oneself", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not_found`: the building or the person", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn give(
    State(node): State<Arc<Node>>,
    who: SignedIn,
    Body(new): Body<NewAdministratorRole>,
) -> Result<StatusCode, Problem> {
    match new.building {
        Some(building) => drop(allowed(&node, &who, Right::Roles, building).await?),
        None => everywhere(&node, &who, Right::Roles).await?,
    }
    if new.role == Role::Operator || new.person == who.person {
        return Err(Code::Forbidden.into());
    }
    let stamp = node.stamp();
    let NewAdministratorRole { person, role, building, ends_at } = new;
    let grant = RoleGrant { role, building, ends_at };
    check(&grant, stamp.at)?;
    let people = node.store.people();
    let holds = |given: &GivenRole| given.person == person;
    // nobody learns by trying who is there; who has a role here already is known
    if people.row(&who.scope, person).await?.is_none()
        && !people.given_roles(&who.scope).await?.iter().any(holds)
    {
        return Err(Code::NotFound.into());
    }
    let new = NewRole { id: node.random.v7(stamp.at), person, grant };
    if !node.store.people().grant_role(&who.scope, &stamp, new).await? {
        return Err(Code::NotFound.into());
    }
    Ok(StatusCode::NO_CONTENT)
}

fn check(grant: &RoleGrant, now: Timestamp) -> Result<(), Problem> {
    let mut fields = Fields::default();
    match grant.fault(now) {
        Some(GrantFault::NotForOne) => fields.wrong("/building", FieldCode::OutOfRange),
        Some(GrantFault::NeedsBuilding) => fields.wrong("/building", FieldCode::Required),
        Some(GrantFault::Over | GrantFault::TooLong) => fields.wrong("/ends_at", FieldCode::OutOfRange),
        Some(GrantFault::NeedsEnd) => fields.wrong("/ends_at", FieldCode::Required),
        None => {}
    }
    fields.check()
}

/// Takes a role.
#[utoipa::path(delete, path = "/api/v1/roles/{role}", operation_id = "take_role", tag = "roles",
    params(("role" = uuid::Uuid, Path, description = "The role")), security(("session" = [])),
    responses((status = 204, description = "Taken"),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`last_manager`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn take(
    State(node): State<Arc<Node>>,
    who: SignedIn,
    Object(role): Object<RoleGrantId>,
) -> Result<StatusCode, Problem> {
    match node.store.people().revoke_role(&who.scope, &node.stamp(), role).await? {
        Revoked::Done => Ok(StatusCode::NO_CONTENT),
        Revoked::NotThere => Err(Code::NotFound.into()),
        Revoked::LastManager => Err(Code::LastManager.into()),
    }
}
