//! What a building still needs until its doorbells work.

use super::administered;
use crate::auth::caller::Caller;
use crate::http::body::Object;
use crate::http::problem::{Problem, ProblemBody};
use crate::node::Node;
use axum::Json;
use axum::extract::State;
use klinke_model::ids::BuildingId;
use klinke_model::rights::Right;
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
    /// A door controller.
    Controllers,
    /// Every door has a controller.
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
    let sees_people = store.people().may_in(scope, Right::SeePeople, building).await?;
    let doors = store.doors().doors(scope, building).await?;
    let assigned = doors.iter().filter(|door| door.controller.is_some()).count();
    let members = store.people().unit_members(scope, building).await?;
    // only whether any of them can be rung leaves this function
    let service = klinke_model::scope::Scope::system(scope.tenant);
    let mut reachable = 0;
    for member in &members {
        let devices = store.devices().list(&service, member.person.id).await?;
        reachable += usize::from(member.person.active && !devices.is_empty());
        if reachable > 0 {
            break;
        }
    }
    let step = |step, count: usize, done| ChecklistStep {
        step,
        count: Some(u32::try_from(count).unwrap_or(u32::MAX)),
        done,
    };
    let some = |name, count| step(name, count, count > 0);
    let hidden = |shown: ChecklistStep| match sees_people {
        true => shown,
        false => ChecklistStep { count: None, done: true, ..shown },
    };
    let steps = vec![
        some(Step::Entrances, store.sites().entrances(scope, building).await?.len()),
        some(Step::Doors, doors.len()),
        some(Step::Units, store.sites().units(scope, building).await?.len()),
        hidden(some(Step::People, members.len())),
        some(Step::Panels, store.intercom().panels(scope, building).await?.len()),
        some(Step::Controllers, store.doors().controllers(scope, building).await?.len()),
        step(Step::DoorsAssigned, assigned, !doors.is_empty() && assigned == doors.len()),
        hidden(some(Step::Bells, store.intercom().bells(scope, building).await?.len())),
        hidden(some(Step::Reachable, reachable)),
    ];
    let complete = steps.iter().all(|step| step.done);
    Ok(Json(Checklist { steps, complete }))
}
