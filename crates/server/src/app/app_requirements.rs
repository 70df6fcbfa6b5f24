//! The oldest systems on which the app rings as it should (R25): told to everybody, said by an operator.

use super::everywhere;
use crate::auth::session::SignedIn;
use crate::http::body::Body;
use crate::http::problem::{Code, FieldCode, Fields, Problem, ProblemBody};
use crate::node::Node;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use klinke_model::rights::Right;
use klinke_storage::record;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// The oldest systems on which the app rings as it should.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct AppRequirements {
    /// iOS: one to three numbers with dots between.
    #[schema(example = "16.4")]
    ios: String,
    /// Android: one to three numbers with dots between.
    #[schema(example = "10")]
    android: String,
}

/// What the app needs. The app compares, and points to the telephone or the apartment's station.
#[utoipa::path(get, path = "/api/v1/app-requirements", operation_id = "app_requirements", tag = "operator",
    responses((status = 200, description = "The oldest systems", body = AppRequirements)))]
pub async fn handler(State(node): State<Arc<Node>>) -> Result<Json<AppRequirements>, Problem> {
    let record::AppRequirements { ios, android } = node.store.gate().app_requirements().await?;
    Ok(Json(AppRequirements { ios, android }))
}

/// Says what the app needs. For operators.
#[utoipa::path(put, path = "/api/v1/app-requirements", operation_id = "set_app_requirements", tag = "operator",
    request_body = AppRequirements, security(("session" = [])),
    responses((status = 204, description = "It is so"),
        (status = 403, description = "`forbidden`: no operator", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn set(
    State(node): State<Arc<Node>>,
    who: SignedIn,
    Body(wanted): Body<AppRequirements>,
) -> Result<StatusCode, Problem> {
    everywhere(&node, &who, Right::Tenants).await?;
    let mut fields = Fields::default();
    for (pointer, version) in [("/ios", &wanted.ios), ("/android", &wanted.android)] {
        if !record::AppRequirements::is_version(version) {
            fields.wrong(pointer, FieldCode::OutOfRange);
        }
    }
    fields.check()?;
    let wanted = record::AppRequirements { ios: wanted.ios, android: wanted.android };
    if !node.store.tenants().set_app_requirements(&who.scope, &node.stamp(), wanted).await? {
        return Err(Code::Forbidden.into());
    }
    Ok(StatusCode::NO_CONTENT)
}
