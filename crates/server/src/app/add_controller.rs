//! An administrator adds the door controller that shows a code.
//!
//! The controller made its key itself and sent a signing request; here it gets its name, and the certificate with
//! which it proves that name from now on.

use super::allowed;
use super::controllers::Controller;
use crate::auth::caller::Caller;
use crate::authority::AuthorityError;
use crate::http::body::{Body, Object};
use crate::http::problem::{Code, FieldCode, Fields, Problem, ProblemBody};
use crate::node::Node;
use crate::pairing::{Claimed, Device, PairingCode};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use klinke_model::ids::{BuildingId, ControllerId, DoorId, PersonId};
use klinke_model::rights::Right;
use klinke_model::scope::Scope;
use serde::Deserialize;
use std::collections::HashSet;
use std::sync::Arc;
use utoipa::ToSchema;

/// A new controller.
#[derive(Deserialize, ToSchema)]
pub struct NewController {
    /// What the controller shows: eight digits, spaces do not matter.
    #[schema(example = "4071 9936")]
    pub code: String,
    /// What the installer calls it.
    pub name: String,
    /// The doors it drives.
    pub doors: Vec<NewControllerDoor>,
}

/// A door of a new controller.
#[derive(Deserialize, ToSchema)]
pub struct NewControllerDoor {
    /// Which door.
    pub door: DoorId,
    /// Which of the controller's outputs, from 0.
    pub output: u16,
}

impl From<AuthorityError> for Problem {
    fn from(error: AuthorityError) -> Self {
        tracing::error!(%error, "could not certify");
        Code::Internal.into()
    }
}

/// Adds the controller that shows this code to a building.
#[utoipa::path(post, path = "/api/v1/buildings/{building}/controllers", operation_id = "add_controller", tag = "pairing", request_body = NewController,
    params(("building" = uuid::Uuid, Path, description = "The building")), security(("session" = []), ("token" = [])),
    responses((status = 201, description = "Added, and told so", body = Controller),
        (status = 404, description = "`not_found`; `unknown_code`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`driven`: a door station opens one of the doors", body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "`too_many_tries`, with `Retry-After`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn handler(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(building): Object<BuildingId>,
    Body(new): Body<NewController>,
) -> Result<(StatusCode, Json<Controller>), Problem> {
    allowed(&node, &who, Right::Devices, building).await?;
    let added = add(&node, &who.scope, who.person, building, new).await?;
    Ok((StatusCode::CREATED, Json(Controller::new(&node, added))))
}

/// Adds the controller, for an administrator of the building.
///
/// # Errors
/// Names the field that is wrong, or says that no controller shows this code.
pub async fn add(
    node: &Node,
    scope: &Scope,
    administrator: PersonId,
    building: BuildingId,
    new: NewController,
) -> Result<klinke_model::door::Controller, Problem> {
    let mut fields = Fields::default();
    let name = fields.label("/name", &new.name);
    let doors = node.store.doors().doors(scope, building).await?;
    let (mut named, mut outputs) = (HashSet::new(), HashSet::new());
    for (place, wanted) in new.doors.iter().enumerate() {
        if doors.iter().all(|known| known.id != wanted.door) {
            fields.wrong(format!("/doors/{place}/door"), FieldCode::NotFound);
        } else if !named.insert(wanted.door) {
            fields.wrong(format!("/doors/{place}/door"), FieldCode::Taken);
        }
        if !outputs.insert(wanted.output) {
            fields.wrong(format!("/doors/{place}/output"), FieldCode::Taken);
        }
    }
    let Some(name) = name else { return Err(fields.into()) };
    fields.check()?;

    let code = PairingCode::parse(&new.code).ok_or(Code::UnknownCode)?;
    let is_controller = |device: &Device| matches!(device, Device::Controller(_));
    let reservation = node.pairings.reserve(administrator, code, is_controller)?.ok_or(Code::UnknownCode)?;
    let Some(Device::Controller(waiting)) = reservation.device() else {
        return Err(Code::UnknownCode.into());
    };
    let mut fields = Fields::default();
    for (place, wanted) in new.doors.iter().enumerate() {
        if wanted.output >= waiting.outputs {
            fields.wrong(format!("/doors/{place}/output"), FieldCode::OutOfRange);
        }
    }
    fields.check()?;

    let now = node.clock.now();
    let id: ControllerId = node.random.v7(now);
    let certificate = node.authority.certify_controller(&waiting.csr, id, now)?;
    let controller = klinke_model::door::Controller { id, building, name };
    let drives: Vec<_> = new.doors.iter().map(|wanted| (wanted.door, wanted.output)).collect();
    // `false` when the rights or a door went in between.
    let repository = node.store.doors();
    let (stamp, paired) = (node.stamp(), controller.clone());
    if !repository.pair_controller(scope, &stamp, paired, certificate.sha256, &drives).await? {
        return Err(Code::NotFound.into());
    }
    let authority = node.authority.pem().to_owned();
    reservation.settle_controller(Claimed { controller: id, certificate: certificate.pem, authority });
    Ok(controller)
}
