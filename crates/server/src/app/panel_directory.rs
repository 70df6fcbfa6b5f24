//! What a panel shows, for who administers its building: the preview.

use crate::auth::caller::Caller;
use crate::http::body::Object;
use crate::http::problem::{Code, Problem, ProblemBody};
use crate::node::Node;
use crate::signalling::panel::directory;
use axum::Json;
use axum::extract::State;
use klinke_model::ids::PanelId;
use klinke_wire::panel::Directory;
use std::sync::Arc;

/// What a panel shows at rest.
#[utoipa::path(get, path = "/api/v1/panels/{panel}/directory", operation_id = "panel_directory", tag = "buildings",
    params(("panel" = uuid::Uuid, Path, description = "The panel")), security(("session" = []), ("token" = [])),
    responses((status = 200, description = "What it shows", body = Directory),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn handler(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(panel): Object<PanelId>,
) -> Result<Json<Directory>, Problem> {
    Ok(Json(directory(&node, &who.scope, panel).await?.ok_or(Code::NotFound)?))
}
