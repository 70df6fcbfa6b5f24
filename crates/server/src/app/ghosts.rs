//! What is out and what was forgotten: who holds keys to a building, and what was issued and has no reason any more.
//!
//! The remedies are operations of their own: suspending, taking a role, removing a button, withdrawing a link, moving in.

use super::allowed;
use super::who::page_length;
use crate::auth::caller::Caller;
use crate::http::body::Object;
use crate::http::problem::{Code, Problem, ProblemBody};
use crate::node::Node;
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use klinke_model::ids::{BellId, BuildingId, MoveId, PersonId, RoleGrantId, UnitId};
use klinke_model::people::Role;
use klinke_model::privacy::Pii;
use klinke_model::rights::Right;
use klinke_model::text::Label;
use klinke_model::time::Timestamp;
use klinke_storage::record;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

/// What was issued and has no reason any more.
#[derive(Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Ghost {
    /// A sign-in or a signed-in device of somebody without a home and without a role. Suspend them.
    Access {
        /// Whose.
        person: PersonId,
        /// What they are called.
        #[serde(skip_serializing_if = "Option::is_none")]
        name: Option<Label>,
    },
    /// An open link to set a password, of somebody without a home and without a role. Withdraw it.
    Invitation {
        /// Whose.
        person: PersonId,
        /// What they are called.
        #[serde(skip_serializing_if = "Option::is_none")]
        name: Option<Label>,
    },
    /// A button of a home where nobody lives. Remove it.
    Bell {
        /// Which.
        bell: BellId,
        /// Its text.
        text: Label,
        /// The home's number.
        number: Label,
    },
    /// A role of somebody who is suspended. Take it.
    SuspendedRole(GhostRole),
    /// A role that is over. Take it.
    EndedRole(GhostRole),
    /// A home that opens doors and where nobody lives.
    Home {
        /// Which.
        unit: UnitId,
        /// Its number.
        number: Label,
        /// How many doors.
        doors: u32,
    },
    /// A move that is due and was not carried out.
    Move {
        /// Which.
        #[serde(rename = "move")]
        moving: MoveId,
        /// The home's number.
        number: Label,
        /// When it was due, UTC milliseconds since 1970.
        ends_at: Timestamp,
    },
}

/// A role that gives nothing.
#[derive(Serialize, ToSchema)]
pub struct GhostRole {
    /// Which grant.
    grant: RoleGrantId,
    person: PersonId,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<Label>,
    role: Role,
    /// It is for every building.
    everywhere: bool,
    /// When it is over, UTC milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    ends_at: Option<Timestamp>,
}

impl From<record::GhostRole> for GhostRole {
    fn from(role: record::GhostRole) -> Self {
        Self {
            grant: role.grant,
            person: role.who.person,
            name: role.who.name.map(Pii::into_inner),
            role: role.role,
            everywhere: role.building.is_none(),
            ends_at: role.ends_at,
        }
    }
}

impl From<record::Ghost> for Ghost {
    fn from(ghost: record::Ghost) -> Self {
        match ghost {
            record::Ghost::Access(who) => {
                Self::Access { person: who.person, name: who.name.map(Pii::into_inner) }
            }
            record::Ghost::Invitation(who) => {
                Self::Invitation { person: who.person, name: who.name.map(Pii::into_inner) }
            }
            record::Ghost::Bell { bell, text, number } => {
                Self::Bell { bell, text: text.into_inner(), number }
            }
            record::Ghost::SuspendedRole(role) => Self::SuspendedRole(role.into()),
            record::Ghost::EndedRole(role) => Self::EndedRole(role.into()),
            record::Ghost::Home { unit, number, doors } => Self::Home { unit, number, doors },
            record::Ghost::Move { moving, number, ends_at } => Self::Move { moving, number, ends_at },
        }
    }
}

/// What was issued in a building and has no reason any more, 200 of each kind at most; what belongs to no building for
/// who sees people everywhere.
#[utoipa::path(get, path = "/api/v1/buildings/{building}/ghosts", operation_id = "ghosts", tag = "people",
    params(("building" = uuid::Uuid, Path, description = "The building")), security(("session" = []), ("token" = [])),
    responses((status = 200, description = "The ghosts", body = [Ghost]),
        (status = 403, description = "`forbidden`; `confidentiality_required`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn handler(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(building): Object<BuildingId>,
) -> Result<Json<Vec<Ghost>>, Problem> {
    allowed(&node, &who, Right::SeePeople, building).await?;
    let ghosts = node.store.who().ghosts(&who.scope, building).await?;
    Ok(Json(ghosts.into_iter().map(Ghost::from).collect()))
}

/// Who holds something that opens or rings in a building.
#[derive(Serialize, ToSchema)]
pub struct KeyHolder {
    /// The person.
    id: PersonId,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<Label>,
    /// The numbers of their homes here.
    homes: Vec<Label>,
    /// Phones and computers that are signed in. How many, never which or when.
    apps: u32,
    /// Apartment stations that are signed in.
    stations: u32,
    /// When an open link to set a password ends, UTC milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    invited_until: Option<Timestamp>,
    /// Their roles over the building.
    roles: Vec<HeldRole>,
}

/// A role over a building.
#[derive(Serialize, ToSchema)]
pub struct HeldRole {
    role: Role,
    /// When it is over, UTC milliseconds since 1970; absent when it does not end.
    #[serde(skip_serializing_if = "Option::is_none")]
    ends_at: Option<Timestamp>,
}

/// A page of who holds something.
#[derive(Serialize, ToSchema)]
pub struct KeysPage {
    items: Vec<KeyHolder>,
    /// Where the next page begins; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<PersonId>,
}

/// Which page.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Asked {
    /// The `next` of the page before.
    cursor: Option<PersonId>,
    /// How many, 1 to 200.
    limit: Option<u16>,
}

/// Who holds keys to a building: signed-in devices, open links, roles. Counts only; nothing of when anything was used.
#[utoipa::path(get, path = "/api/v1/buildings/{building}/keys", operation_id = "keys_out", tag = "people",
    params(("building" = uuid::Uuid, Path, description = "The building"), Asked), security(("session" = []), ("token" = [])),
    responses((status = 200, description = "Who holds something, by folded name", body = KeysPage),
        (status = 400, description = "`malformed`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`forbidden`; `confidentiality_required`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn keys(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(building): Object<BuildingId>,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Json<KeysPage>, Problem> {
    allowed(&node, &who, Right::SeePeople, building).await?;
    let Query(asked) = asked.map_err(|_| Code::Malformed)?;
    let limit = page_length(asked.limit)?;
    let page = node.store.who().keys(&who.scope, building, asked.cursor, limit).await?;
    let last = page.holders.last().map(|one| one.person);
    let role = |(role, ends_at)| HeldRole { role, ends_at };
    Ok(Json(KeysPage {
        next: last.filter(|_| page.more),
        items: page
            .holders
            .into_iter()
            .map(|one| KeyHolder {
                id: one.person,
                name: one.name.map(Pii::into_inner),
                homes: one.homes,
                apps: one.apps,
                stations: one.stations,
                invited_until: one.invited_until,
                roles: one.roles.into_iter().map(role).collect(),
            })
            .collect(),
    }))
}
