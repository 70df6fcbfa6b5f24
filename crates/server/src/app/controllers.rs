//! The door controllers of a building, and whether each is connected.

use super::administered;
use crate::auth::caller::Caller;
use crate::http::body::Object;
use crate::http::problem::Problem;
use crate::node::Node;
use axum::Json;
use axum::extract::State;
use klinke_access::decide::HolderClass;
use klinke_model::ids::{BuildingId, ControllerId};
use klinke_model::text::Label;
use klinke_model::time::Timestamp;
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// The rights that a controller decides by, also while it is alone.
#[derive(Serialize, ToSchema)]
pub struct RightsAtController {
    /// When they were made, UTC milliseconds since 1970.
    issued: Timestamp,
    /// When the controller was last told that they are the newest; absent when it was not since it connected.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    confirmed: Option<Timestamp>,
}

/// A door controller.
#[derive(Serialize, ToSchema)]
pub struct Controller {
    id: ControllerId,
    name: Label,
    /// Whether it is connected just now.
    online: bool,
    /// Its software version, while it is connected.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    /// The rights that it has in force, as far as it said since the server started.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    rights: Option<RightsAtController>,
    /// Since when it is not connected, UTC milliseconds since 1970; nothing when it was not since the server started.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    offline_since: Option<Timestamp>,
    /// It has not been told for more than 24 h that its rights are the newest: guests' and administrators' rights have ended
    /// at its doors; residents' cards work.
    alone_too_long: bool,
}

impl Controller {
    /// As an administrator sees it.
    pub fn new(node: &Node, controller: klinke_model::door::Controller) -> Self {
        let there = node.presence.controller(controller.id);
        let online = there.is_some();
        let away = node.presence.controller_away(controller.id);
        let offline_since = away.as_ref().map(|(_, since)| *since);
        let version = there.as_ref().map(|there| there.version.clone());
        let known = there.or(away.map(|(known, _)| known));
        let rights = known.as_ref().and_then(|known| known.rights);
        // what it was told before the server started is not known here
        let newest = known.map(|known| {
            rights.map_or(known.arrived, |it| it.confirmed.unwrap_or(known.arrived).max(it.issued))
        });
        Self {
            id: controller.id,
            name: controller.name,
            online,
            version,
            rights: rights
                .map(|rights| RightsAtController { issued: rights.issued, confirmed: rights.confirmed }),
            offline_since,
            alone_too_long: is_too_long(newest.unwrap_or(node.started), node.clock.now()),
        }
    }
}

/// Whether a controller goes by rights that pass without having been told of them for so long.
fn is_too_long(from: Timestamp, now: Timestamp) -> bool {
    HolderClass::Passing.longest_alone().is_some_and(|longest| from.plus(longest) < now)
}

/// The controllers of a building, by name.
#[utoipa::path(get, path = "/api/v1/buildings/{building}/controllers", operation_id = "controllers", tag = "buildings",
    params(("building" = uuid::Uuid, Path, description = "The building")), security(("session" = []), ("token" = [])),
    responses((status = 200, description = "The controllers", body = [Controller])))]
pub async fn handler(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(building): Object<BuildingId>,
) -> Result<Json<Vec<Controller>>, Problem> {
    administered(&node, &who, building).await?;
    let controllers = node.store.doors().controllers(&who.scope, building).await?;
    Ok(Json(controllers.into_iter().map(|controller| Controller::new(&node, controller)).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_day_alone_is_not_too_long_and_a_millisecond_more_is() {
        let from = Timestamp::from_millis(1_000);
        let day = Duration::from_hours(24);
        assert!(!is_too_long(from, from.plus(day)));
        assert!(is_too_long(from, from.plus(day + Duration::from_millis(1))));
    }
}
