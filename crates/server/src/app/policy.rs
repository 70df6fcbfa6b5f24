//! What the people of a building may decide for themselves.

use super::{administered, allowed};
use crate::auth::caller::Caller;
use crate::http::body::{Body, Object};
use crate::http::problem::{Code, FieldCode, Fields, Problem, ProblemBody};
use crate::node::Node;
use crate::signalling::refresh::panels_changed;
use axum::Json;
use axum::extract::State;
use klinke_model::ids::BuildingId;
use klinke_model::policy::BuildingPolicy;
use klinke_model::rights::Right;
use klinke_storage::record::PolicySet;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// A policy with its version.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct Policy {
    /// Grows with every change; 0 while nobody changed the defaults. A change names the version it was made from.
    version: u64,
    policy: BuildingPolicy,
}

/// A policy, and how much there is in the building for it to have an effect on.
#[derive(Serialize, ToSchema)]
pub struct PolicyHere {
    /// Grows with every change; 0 while nobody changed the defaults. A change names the version it was made from.
    version: u64,
    policy: BuildingPolicy,
    /// Units of the building.
    units: u64,
    /// Units without a button. Absent for who may not see people.
    #[serde(skip_serializing_if = "Option::is_none")]
    without_button: Option<u64>,
    /// Buttons whose text waits for an administrator. Absent for who may not see people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pending: Option<u64>,
}

/// The policy of a building.
#[utoipa::path(get, path = "/api/v1/buildings/{building}/policy", operation_id = "policy", tag = "buildings",
    params(("building" = uuid::Uuid, Path, description = "The building")), security(("session" = []), ("token" = [])),
    responses((status = 200, description = "The policy", body = PolicyHere),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn handler(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(building): Object<BuildingId>,
) -> Result<Json<PolicyHere>, Problem> {
    administered(&node, &who, building).await?;
    let found = node.store.sites().policy(&who.scope, building).await?;
    let (version, policy) = found.ok_or(Code::NotFound)?;
    let counts = node.store.sites().counts(&who.scope, building).await?.ok_or(Code::NotFound)?;
    Ok(Json(PolicyHere {
        version,
        policy,
        units: counts.units,
        without_button: counts.people.map(|people| people.without_button),
        pending: counts.people.map(|people| people.pending),
    }))
}

/// Changes the policy of a building.
#[utoipa::path(put, path = "/api/v1/buildings/{building}/policy", operation_id = "set_policy", tag = "buildings",
    request_body = Policy, params(("building" = uuid::Uuid, Path, description = "The building")), security(("session" = []), ("token" = [])),
    responses((status = 200, description = "Changed", body = Policy),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`conflict`: somebody changed it before; `current`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn set(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(building): Object<BuildingId>,
    Body(Policy { version, policy }): Body<Policy>,
) -> Result<Json<Policy>, Problem> {
    allowed(&node, &who, Right::ChangeBuilding, building).await?;
    let mut fields = Fields::default();
    if let Some(field) = policy.wrong() {
        fields.wrong(format!("/policy/{field}"), FieldCode::OutOfRange);
    }
    fields.check()?;
    let sites = node.store.sites();
    match sites.set_policy(&who.scope, &node.stamp(), building, version, policy.clone()).await? {
        PolicySet::Done(version) => {
            // in which order the buttons stand
            panels_changed(&node, who.scope.tenant, building);
            Ok(Json(Policy { version, policy }))
        }
        PolicySet::NotThere => Err(Code::NotFound.into()),
        PolicySet::Changed(version, policy) => Err(Problem::conflict(&Policy { version, policy })),
    }
}
