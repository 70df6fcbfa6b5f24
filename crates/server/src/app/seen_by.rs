//! What somebody sees in the app: for administrators who are asked about it, and to see what a policy leaves to residents
//! and to unit owners. The app is answered from the same queries and decisions; here nothing can be changed.

use super::household::{MyHome, home};
use super::my_bells::MyBell;
use super::openers::shut;
use super::people::shown;
use crate::auth::caller::Caller;
use crate::http::body::Object;
use crate::http::problem::{Problem, ProblemBody};
use crate::node::Node;
use axum::Json;
use axum::extract::State;
use klinke_access::decide;
use klinke_model::ids::{BuildingId, DoorId, PersonId};
use klinke_model::text::Label;
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// What a person sees in the app, in the buildings where the asker sees people.
#[derive(Serialize, ToSchema)]
#[schema(as = AppOfPerson)]
pub struct AppOf {
    /// They are suspended: the app shows them nothing.
    suspended: bool,
    /// Their homes, by building and number.
    homes: Vec<MyHome>,
    /// Their buttons, by panel and place, with what they may change of them.
    bells: Vec<MyBell>,
    /// The doors that they may open because of where they live.
    doors: Vec<SeenDoor>,
}

/// A door in the app of somebody.
#[derive(Serialize, ToSchema)]
pub struct SeenDoor {
    /// The door.
    id: DoorId,
    name: Label,
    building: BuildingId,
    building_name: Label,
    /// Why nobody opens it now, whoever may: `site_locked_down`, `door_blocked`, `door_locked_down`, `door_times_invalid`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, required = false)]
    shut: Option<decide::Reason>,
}

/// What a person sees in the app. Only to look at: nothing is changed by it, and nothing in it says when anybody did anything.
#[utoipa::path(get, path = "/api/v1/people/{person}/app", operation_id = "app_of_person", tag = "people",
    params(("person" = uuid::Uuid, Path, description = "The person")), security(("session" = []), ("token" = [])),
    responses((status = 200, description = "What they see", body = AppOf),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn handler(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(person): Object<PersonId>,
) -> Result<Json<AppOf>, Problem> {
    shown(&node, &who, person).await?;
    let seen = node.store.households().seen_by(&who.scope, person).await?;
    Ok(Json(AppOf {
        suspended: !seen.active,
        homes: seen.homes.into_iter().map(|household| home(household, person)).collect(),
        bells: seen.bells.into_iter().map(MyBell::from).collect(),
        doors: seen
            .doors
            .into_iter()
            .map(|one| SeenDoor {
                id: one.door.id,
                shut: shut(&node, one.door.id, one.site_mode, one.door.times),
                name: one.door.name,
                building: one.door.building,
                building_name: one.building_name,
            })
            .collect(),
    }))
}
