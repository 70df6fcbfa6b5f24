//! An administrator gives a person a home, or takes one away at once. A household leaves by a move.

use super::add_person::NewHome;
use super::administrator;
use super::people::{Person, shown};
use crate::auth::caller::Caller;
use crate::http::body::{Body, Object};
use crate::http::problem::{Code, FieldCode, Fields, Problem};
use crate::node::Node;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use klinke_model::ids::{PersonId, UnitId};
use klinke_model::people::Membership;
use klinke_model::rights::Right;
use std::sync::Arc;

/// Gives a person a home, or changes whether they decide for it.
#[utoipa::path(post, path = "/api/v1/people/{person}/homes", operation_id = "give_home", tag = "people", request_body = NewHome,
    params(("person" = uuid::Uuid, Path, description = "The person")), security(("session" = []), ("token" = [])),
    responses((status = 200, description = "They live there", body = Person)))]
pub async fn give(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(person): Object<PersonId>,
    Body(home): Body<NewHome>,
) -> Result<Json<Person>, Problem> {
    shown(&node, &who, person).await?;
    administrator(&node, &who, Right::ChangePeople).await?;
    let place = Membership { person, unit: home.unit, owner: home.owner };
    if !node.store.people().set_home(&who.scope, &node.stamp(), place).await? {
        let mut fields = Fields::default();
        fields.wrong("/unit", FieldCode::NotFound);
        return Err(fields.into());
    }
    Ok(Json(shown(&node, &who, person).await?))
}

/// Takes a home from a person, now, with the buttons that name them alone.
#[utoipa::path(delete, path = "/api/v1/people/{person}/homes/{unit}", operation_id = "take_home", tag = "people",
    params(("person" = uuid::Uuid, Path, description = "The person"), ("unit" = uuid::Uuid, Path, description = "The unit")),
    security(("session" = []), ("token" = [])), responses((status = 204, description = "They do not live there")))]
pub async fn take(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object((person, unit)): Object<(PersonId, UnitId)>,
) -> Result<StatusCode, Problem> {
    let taken = node.store.people().take_home(&who.scope, &node.stamp(), person, unit).await?;
    if taken { Ok(StatusCode::NO_CONTENT) } else { Err(Code::NotFound.into()) }
}
