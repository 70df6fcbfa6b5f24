//! An administrator adds a person, with their homes.

use super::administrator;
use super::people::{Person, shown};
use crate::auth::caller::Caller;
use crate::http::body::Body;
use crate::http::problem::{FieldCode, Fields, Problem};
use crate::node::Node;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use klinke_model::contact::Language;
use klinke_model::ids::UnitId;
use klinke_model::people;
use klinke_model::privacy::Pii;
use klinke_model::rights::Right;
use serde::Deserialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// A new person.
#[derive(Deserialize, ToSchema)]
pub struct NewPerson {
    /// Empty for who wants none.
    #[serde(default)]
    #[schema(value_type = String, required = false)]
    name: Pii<String>,
    #[serde(default)]
    #[schema(value_type = String, required = false)]
    email: Pii<String>,
    #[serde(default)]
    #[schema(value_type = String, required = false)]
    phone: Pii<String>,
    #[serde(default)]
    #[schema(required = false)]
    language: Language,
    /// Where they live. A building administrator must name one at least.
    #[serde(default)]
    #[schema(required = false)]
    homes: Vec<NewHome>,
}

/// A place in a unit.
#[derive(Deserialize, ToSchema)]
pub struct NewHome {
    pub(super) unit: UnitId,
    /// Decides for the unit.
    #[serde(default)]
    #[schema(required = false)]
    pub(super) owner: bool,
}

impl NewPerson {
    /// The person, when no field is wrong. `at` is where they stand in the request.
    pub(super) fn checked(&self, node: &Node, fields: &mut Fields, at: &str) -> people::Person {
        let name = match self.name.reveal().trim() {
            "" => None,
            name => fields.label(&format!("{at}/name"), name).map(Pii::new),
        };
        people::Person {
            id: node.random.v7(node.clock.now()),
            name,
            email: fields.email(&format!("{at}/email"), self.email.reveal()),
            phone: fields.phone(&format!("{at}/phone"), self.phone.reveal()),
            language: self.language,
            active: true,
            needs_longer: false,
            version: 1,
        }
    }
}

/// Adds a person. Nothing is sent to them: an invitation is its own operation.
#[utoipa::path(post, path = "/api/v1/people", operation_id = "add_person", tag = "people", request_body = NewPerson,
    security(("session" = []), ("token" = [])), responses((status = 201, description = "Added", body = Person)))]
pub async fn handler(
    State(node): State<Arc<Node>>,
    who: Caller,
    Body(new): Body<NewPerson>,
) -> Result<(StatusCode, Json<Person>), Problem> {
    administrator(&node, &who, Right::ChangePeople).await?;
    let mut fields = Fields::default();
    let person = new.checked(&node, &mut fields, "");
    for (place, home) in new.homes.iter().enumerate() {
        if new.homes.iter().take(place).any(|before| before.unit == home.unit) {
            fields.wrong(format!("/homes/{place}/unit"), FieldCode::Taken);
        }
    }
    fields.check()?;
    let id = person.id;
    let homes: Vec<_> = new.homes.iter().map(|home| (home.unit, home.owner)).collect();
    if !node.store.people().add_person(&who.scope, &node.stamp(), person, &homes).await? {
        let mut fields = Fields::default();
        fields.wrong("/homes/0/unit", FieldCode::NotFound);
        return Err(fields.into());
    }
    Ok((StatusCode::CREATED, Json(shown(&node, &who, id).await?)))
}
