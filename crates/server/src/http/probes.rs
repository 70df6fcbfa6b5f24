//! Health, readiness and metrics, for the machine that keeps the server running.

use super::client::Client;
use super::problem::{Code, Problem};
use crate::node::Node;
use crate::telemetry;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;
use std::sync::Arc;
use subtle::ConstantTimeEq;

/// The process is alive.
#[utoipa::path(get, path = "/healthz", operation_id = "health", tag = "operation",
    responses((status = 204, description = "The process is alive")))]
pub async fn health() -> StatusCode {
    StatusCode::NO_CONTENT
}

/// The server can serve: the store answers and it is not shutting down.
///
/// # Errors
/// `overloaded` while it shuts down, `internal` when the store fails.
#[utoipa::path(get, path = "/readyz", operation_id = "ready", tag = "operation",
    responses((status = 204, description = "Ready")))]
pub async fn ready(State(node): State<Arc<Node>>) -> Result<StatusCode, Problem> {
    if node.stop.is_cancelled() {
        return Err(Code::Overloaded.into());
    }
    node.store.gate().is_claimed().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Counters in Prometheus' text format, for this machine or for who has the token of the configuration. No
/// door, unit or person is in a label.
///
/// # Errors
/// `not_found` for everybody else.
#[utoipa::path(get, path = "/metrics", operation_id = "metrics", tag = "operation",
    responses((status = 200, description = "Prometheus text", body = String, content_type = "text/plain"),
        (status = 404, description = "`not_found`: neither from this machine nor with the token", body = super::problem::ProblemBody, content_type = "application/problem+json")))]
pub async fn metrics(
    State(node): State<Arc<Node>>,
    client: Client,
    headers: HeaderMap,
) -> Result<impl IntoResponse, Problem> {
    let bearer =
        headers.get(header::AUTHORIZATION).and_then(|value| value.as_bytes().strip_prefix(b"Bearer "));
    let token = node.config.http.metrics_token.as_ref().map(|token| token.reveal().as_bytes());
    let knows_token = matches!((bearer, token), (Some(given), Some(wanted)) if given.ct_eq(wanted).into());
    // What a proxy on this machine passes on is not from this machine.
    let passed_on = headers.contains_key("x-forwarded-for") || headers.contains_key(header::FORWARDED);
    let local = client.0.to_canonical().is_loopback() && !passed_on;
    if !(local || knows_token) {
        return Err(Code::NotFound.into());
    }
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], telemetry::metrics().render()))
}
