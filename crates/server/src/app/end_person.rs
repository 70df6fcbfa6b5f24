//! An administrator signs a person out of everything, or deletes them.

use super::people::shown;
use crate::auth::session::SignedIn;
use crate::http::body::Object;
use crate::http::problem::{Code, Problem, ProblemBody};
use crate::node::Node;
use axum::extract::State;
use axum::http::StatusCode;
use klinke_model::ids::{DeviceId, PersonId};
use klinke_storage::record::Deleted;
use std::sync::Arc;

/// Signs a person out of all their devices: none of them rings or opens any more. They can sign in again.
#[utoipa::path(delete, path = "/api/v1/people/{person}/sessions", operation_id = "sign_person_out", tag = "people",
    params(("person" = uuid::Uuid, Path, description = "The person")), security(("session" = [])),
    responses((status = 204, description = "Signed out"),
        (status = 403, description = "`forbidden`: lives elsewhere too, or has a role", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn sign_out(
    State(node): State<Arc<Node>>,
    who: SignedIn,
    Object(person): Object<PersonId>,
) -> Result<StatusCode, Problem> {
    shown(&node, &who, person).await?;
    let done = node.store.people().sign_out_everywhere(&who.scope, &node.stamp(), person).await?;
    // seen, but not theirs to change
    close(&node, done.ok_or(Code::Forbidden)?.devices).await;
    Ok(StatusCode::NO_CONTENT)
}

/// Deletes a person for good, with what the audit says of them. Only who has no home, no role and no planned move.
#[utoipa::path(delete, path = "/api/v1/people/{person}", operation_id = "delete_person", tag = "people",
    params(("person" = uuid::Uuid, Path, description = "The person")), security(("session" = [])),
    responses((status = 204, description = "Deleted"),
        (status = 403, description = "`forbidden`: not theirs to delete", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`still_here`: lives somewhere, has a role, or will move", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn delete(
    State(node): State<Arc<Node>>,
    who: SignedIn,
    Object(person): Object<PersonId>,
) -> Result<StatusCode, Problem> {
    shown(&node, &who, person).await?;
    match node.store.people().delete_person(&who.scope, &node.stamp(), person).await? {
        Deleted::Done(devices) => {
            close(&node, devices).await;
            Ok(StatusCode::NO_CONTENT)
        }
        Deleted::StillHere => Err(Code::StillHere.into()),
        Deleted::NotThere => Err(Code::Forbidden.into()),
    }
}

async fn close(node: &Node, devices: Vec<DeviceId>) {
    for device in devices {
        node.exchange.device_signed_out(device).await;
    }
}
