//! What a building still needs until its doorbells work.

use super::administered;
use crate::auth::caller::Caller;
use crate::http::body::Object;
use crate::http::problem::{Code, Problem, ProblemBody};
use crate::node::Node;
use axum::Json;
use axum::extract::State;
use klinke_model::ids::BuildingId;
use klinke_storage::record::PeopleCounts;
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// One thing that a building needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// An entrance.
    Entrances,
    /// A door.
    Doors,
    /// A unit.
    Units,
    /// Somebody who lives here.
    People,
    /// A panel that proved its key.
    Panels,
    /// A door controller, where door stations do not open all doors by themselves.
    Controllers,
    /// Every door has a controller, or a door station that opens it.
    DoorsAssigned,
    /// A button.
    Bells,
    /// A device that a button rings.
    Reachable,
}

/// How far one thing is.
#[derive(Serialize, ToSchema)]
pub struct ChecklistStep {
    step: Step,
    /// How many there are. Absent for who may not see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<u32>,
    done: bool,
}

/// The checklist of a building.
#[derive(Serialize, ToSchema)]
pub struct Checklist {
    /// In the order to do them.
    steps: Vec<ChecklistStep>,
    /// Everything that the asker may see is done.
    complete: bool,
}

/// What a building still needs until its doorbells work.
#[utoipa::path(get, path = "/api/v1/buildings/{building}/checklist", operation_id = "checklist", tag = "buildings",
    params(("building" = uuid::Uuid, Path, description = "The building")), security(("session" = []), ("token" = [])),
    responses((status = 200, description = "The checklist", body = Checklist),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn handler(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(building): Object<BuildingId>,
) -> Result<Json<Checklist>, Problem> {
    administered(&node, &who, building).await?;
    let (scope, store) = (&who.scope, &node.store);
    let doors = store.doors().doors(scope, building).await?;
    let by_station = store.doors().count_station_relays(scope, building).await?;
    let by_controller = doors.iter().filter(|door| door.controller.is_some()).count() as u64;
    let (assigned, all) = (by_station + by_controller, doors.len() as u64);
    let controllers = store.doors().controllers(scope, building).await?.len();
    let none_needed = all > 0 && by_station == all;
    let counts = store.sites().counts(scope, building).await?.ok_or(Code::NotFound)?;
    let people = counts.people;
    let of_people = |count: fn(&PeopleCounts) -> u64| people.as_ref().map_or(0, count);
    let step = |step, count: u64, done| ChecklistStep {
        step,
        count: Some(u32::try_from(count).unwrap_or(u32::MAX)),
        done,
    };
    let some = |name, count| step(name, count, count > 0);
    let hidden = |shown: ChecklistStep| match people {
        Some(_) => shown,
        None => ChecklistStep { count: None, done: true, ..shown },
    };
    let steps = vec![
        some(Step::Entrances, store.sites().entrances(scope, building).await?.len() as u64),
        some(Step::Doors, all),
        some(Step::Units, counts.units),
        hidden(some(Step::People, of_people(|people| people.residents))),
        some(Step::Panels, store.intercom().panels(scope, building).await?.len() as u64),
        step(Step::Controllers, controllers as u64, controllers > 0 || none_needed),
        step(Step::DoorsAssigned, assigned, all > 0 && assigned == all),
        hidden(some(Step::Bells, of_people(|people| people.bells))),
        hidden(some(Step::Reachable, of_people(|people| people.reachable.into()))),
    ];
    let complete = steps.iter().all(|step| step.done);
    Ok(Json(Checklist { steps, complete }))
}
