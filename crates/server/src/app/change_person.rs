//! An administrator changes what is known of a person.

use super::people::{Person, shown};
use crate::auth::caller::Caller;
use crate::http::body::{Body, Object};
use crate::http::problem::{Code, Fields, Problem, ProblemBody};
use crate::node::Node;
use axum::Json;
use axum::extract::State;
use klinke_model::contact::Language;
use klinke_model::ids::PersonId;
use klinke_model::privacy::Pii;
use klinke_storage::record::Changed;
use serde::Deserialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// What is to be changed; what is absent stays as it is.
#[derive(Deserialize, ToSchema)]
pub struct PersonChange {
    /// The version that the asker saw.
    version: u64,
    /// Empty takes it away.
    #[schema(value_type = Option<String>, required = false)]
    name: Option<Pii<String>>,
    /// Empty takes it away.
    #[schema(value_type = Option<String>, required = false)]
    email: Option<Pii<String>>,
    /// Empty takes it away.
    #[schema(value_type = Option<String>, required = false)]
    phone: Option<Pii<String>>,
    #[schema(required = false)]
    language: Option<Language>,
    /// Needs more time at doors: locks stay released for longer.
    #[schema(required = false)]
    needs_longer: Option<bool>,
}

/// Changes a person. A building administrator changes only people who live in their buildings alone and have no role.
#[utoipa::path(patch, path = "/api/v1/people/{person}", operation_id = "change_person", tag = "people", request_body = PersonChange,
    params(("person" = uuid::Uuid, Path, description = "The person")), security(("session" = []), ("token" = [])),
    responses((status = 200, description = "Changed", body = Person),
        (status = 409, description = "`conflict`: somebody else changed them since; `current` is a `Person`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn handler(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(person): Object<PersonId>,
    Body(change): Body<PersonChange>,
) -> Result<Json<Person>, Problem> {
    let people = node.store.people();
    // who is not in the list is not changed by it either
    let mut wanted = people.row(&who.scope, person).await?.ok_or(Code::NotFound)?.person;
    let mut fields = Fields::default();
    if let Some(name) = change.name {
        wanted.name = match name.reveal().trim() {
            "" => None,
            name => fields.label("/name", name).map(Pii::new),
        };
    }
    if let Some(email) = change.email {
        wanted.email = fields.email("/email", email.reveal());
    }
    if let Some(phone) = change.phone {
        wanted.phone = fields.phone("/phone", phone.reveal());
    }
    fields.check()?;
    wanted.language = change.language.unwrap_or(wanted.language);
    wanted.needs_longer = change.needs_longer.unwrap_or(wanted.needs_longer);
    wanted.version = change.version;
    match people.change_person(&who.scope, &node.stamp(), wanted).await? {
        Changed::Done(_) => Ok(Json(shown(&node, &who, person).await?)),
        Changed::Conflict(_) => Err(Problem::conflict(&shown(&node, &who, person).await?)),
        Changed::NotFound => Err(Code::Forbidden.into()),
    }
}
