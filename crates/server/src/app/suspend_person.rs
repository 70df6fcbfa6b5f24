//! An administrator suspends a person, or ends that.

use super::people::{Person, shown};
use crate::auth::caller::Caller;
use crate::http::body::Object;
use crate::http::problem::{Code, Problem};
use crate::node::Node;
use crate::signalling::refresh::panels_changed;
use axum::Json;
use axum::extract::State;
use klinke_model::ids::PersonId;
use klinke_model::scope::Scope;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Suspends a person: they ring nowhere and open nothing, and all their devices are signed out at once.
#[utoipa::path(put, path = "/api/v1/people/{person}/suspension", operation_id = "suspend_person", tag = "people",
    params(("person" = uuid::Uuid, Path, description = "The person")), security(("session" = []), ("token" = [])),
    responses((status = 200, description = "Suspended", body = Person)))]
pub async fn suspend(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(person): Object<PersonId>,
) -> Result<Json<Person>, Problem> {
    set(&node, &who, person, true).await
}

/// Ends a suspension. Devices stay signed out.
#[utoipa::path(delete, path = "/api/v1/people/{person}/suspension", operation_id = "resume_person", tag = "people",
    params(("person" = uuid::Uuid, Path, description = "The person")), security(("session" = []), ("token" = [])),
    responses((status = 200, description = "Not suspended", body = Person)))]
pub async fn resume(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(person): Object<PersonId>,
) -> Result<Json<Person>, Problem> {
    set(&node, &who, person, false).await
}

async fn set(
    node: &Arc<Node>,
    who: &Caller,
    person: PersonId,
    suspended: bool,
) -> Result<Json<Person>, Problem> {
    shown(node, who, person).await?;
    let done = node.store.people().suspend_person(&who.scope, &node.stamp(), person, suspended).await?;
    // seen, but not theirs to change: lives elsewhere too, has a role, or is the asker
    let done = done.ok_or(Code::Forbidden)?;
    for device in done.devices {
        node.exchange.device_signed_out(device).await;
    }
    // behind a button that opens into its members
    let service = Scope::system(who.scope.tenant);
    if let Some(row) = node.store.people().row(&service, person).await? {
        for building in row.homes.iter().map(|home| home.building).collect::<BTreeSet<_>>() {
            panels_changed(node, who.scope.tenant, building);
        }
    }
    Ok(Json(shown(node, who, person).await?))
}
