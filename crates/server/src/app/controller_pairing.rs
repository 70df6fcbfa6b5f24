//! What an installer tells a new door controller: where this server is, and how to know it.

use super::administrator;
use crate::auth::caller::Caller;
use crate::http::problem::{Problem, ProblemBody};
use crate::node::Node;
use axum::Json;
use axum::extract::State;
use klinke_model::rights::Right;
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// Where controllers pair, and with whom.
#[derive(Serialize, ToSchema)]
pub struct ControllerPairing {
    /// Host and port that the controller dials.
    #[schema(example = "door.example.org:7443")]
    address: String,
    /// SHA-256 of the installation's authority; the controller accepts no other server.
    #[schema(example = "AB:CD:…")]
    authority_sha256: String,
}

/// Where a new controller pairs, and how it knows this server.
#[utoipa::path(get, path = "/api/v1/controller-pairing", operation_id = "controller_pairing", tag = "pairing",
    security(("session" = []), ("token" = [])),
    responses((status = 200, description = "Where and with whom", body = ControllerPairing),
        (status = 403, description = "`forbidden`: administers nothing", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn handler(State(node): State<Arc<Node>>, who: Caller) -> Result<Json<ControllerPairing>, Problem> {
    administrator(&node, &who, Right::Devices).await?;
    Ok(Json(ControllerPairing {
        address: node.controllers_address(),
        authority_sha256: node.authority.fingerprint(),
    }))
}
