//! A device signs itself out.

use crate::auth::session::{SignedIn, no_cookie};
use crate::http::problem::Problem;
use crate::node::Node;
use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use std::sync::Arc;

/// Signs this device out: its session is gone, its cookie taken away.
#[utoipa::path(delete, path = "/api/v1/session", operation_id = "sign_out", tag = "session",
    security(("session" = [])), responses((status = 204, description = "Signed out")))]
pub async fn handler(
    State(node): State<Arc<Node>>,
    who: SignedIn,
) -> Result<(StatusCode, [(HeaderName, HeaderValue); 1]), Problem> {
    // `false` when another request of the same device was faster: signed out all the same.
    node.store.devices().sign_out(&who.scope, who.person, who.device).await?;
    node.exchange.device_signed_out(who.device).await;
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, no_cookie(node.is_https()))]))
}
