//! Who has access to personal data binds themselves to confidentiality (R86), once for each wording. It lasts beyond the role.

use super::must_be_bound;
use crate::auth::session::SignedIn;
use crate::http::body::Body;
use crate::http::problem::{Code, Problem, ProblemBody};
use crate::node::Node;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use klinke_model::rights::CONFIDENTIALITY_VERSION;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// How one stands to confidentiality.
#[derive(Serialize, ToSchema)]
pub struct Confidentiality {
    /// Which wording counts now.
    version: i32,
    /// One accepted it.
    accepted: bool,
    /// One has a role that asks for it.
    required: bool,
}

/// What was read and is accepted.
#[derive(Deserialize, ToSchema)]
pub struct Acceptance {
    /// The wording that was shown.
    version: i32,
}

/// How the signed-in person stands to confidentiality.
#[utoipa::path(get, path = "/api/v1/confidentiality", operation_id = "confidentiality", tag = "roles",
    security(("session" = [])), responses((status = 200, description = "How they stand", body = Confidentiality)))]
pub async fn handler(State(node): State<Arc<Node>>, who: SignedIn) -> Result<Json<Confidentiality>, Problem> {
    let accepted = node.store.people().is_bound(&who.scope, who.person).await?;
    let required = must_be_bound(&node, &who).await?;
    Ok(Json(Confidentiality { version: CONFIDENTIALITY_VERSION, accepted, required }))
}

/// Accepts confidentiality; it is recorded. Only for who has a role that asks for it.
#[utoipa::path(post, path = "/api/v1/confidentiality", operation_id = "accept_confidentiality", tag = "roles",
    request_body = Acceptance, security(("session" = [])),
    responses((status = 204, description = "Recorded"),
        (status = 403, description = "`forbidden`: no role asks for it", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`conflict`: another wording counts by now; `current`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn accept(
    State(node): State<Arc<Node>>,
    who: SignedIn,
    Body(acceptance): Body<Acceptance>,
) -> Result<StatusCode, Problem> {
    if !must_be_bound(&node, &who).await? {
        return Err(Code::Forbidden.into());
    }
    if acceptance.version != CONFIDENTIALITY_VERSION {
        let version = CONFIDENTIALITY_VERSION;
        return Err(Problem::conflict(&Confidentiality { version, accepted: false, required: true }));
    }
    node.store.people().accept_confidentiality(&who.scope, &node.stamp(), who.person).await?;
    Ok(StatusCode::NO_CONTENT)
}
