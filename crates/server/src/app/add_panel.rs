//! An administrator adds the panel that shows a code.

use super::allowed;
use super::panels::Panel;
use crate::auth::caller::Caller;
use crate::http::body::{Body, Object};
use crate::http::problem::{Code, FieldCode, Fields, Problem, ProblemBody};
use crate::node::Node;
use crate::pairing::{Device, PairingCode};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use klinke_model::ids::{BuildingId, DoorId, EntranceId};
use klinke_model::rights::Right;
use serde::Deserialize;
use std::collections::HashSet;
use std::sync::Arc;
use utoipa::ToSchema;

/// A new panel.
#[derive(Deserialize, ToSchema)]
pub struct NewPanel {
    /// What the panel shows: eight digits, spaces do not matter.
    #[schema(example = "4071 9936")]
    code: String,
    /// Such as "Entrance A".
    name: String,
    /// The entrance it hangs at, when it serves one.
    #[schema(required = false)]
    entrance: Option<EntranceId>,
    /// Doors that can be opened from a call at this panel, in the order they are passed.
    doors: Vec<DoorId>,
}

/// Adds the panel that shows this code to a building.
#[utoipa::path(post, path = "/api/v1/buildings/{building}/panels", operation_id = "add_panel", tag = "pairing", request_body = NewPanel,
    params(("building" = uuid::Uuid, Path, description = "The building")), security(("session" = []), ("token" = [])),
    responses((status = 201, description = "Added, and told so", body = Panel),
        (status = 404, description = "`not_found`; `unknown_code`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "`too_many_tries`, with `Retry-After`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn handler(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(building): Object<BuildingId>,
    Body(new): Body<NewPanel>,
) -> Result<(StatusCode, Json<Panel>), Problem> {
    allowed(&node, &who, Right::Devices, building).await?;
    let place = Place { name: &new.name, entrance: new.entrance, doors: new.doors };
    let panel = place.panel(&node, &who, building).await?;

    let code = PairingCode::parse(&new.code).ok_or(Code::UnknownCode)?;
    let is_panel = |device: &Device| matches!(device, Device::Panel { .. });
    let reservation = node.pairings.reserve(who.person, code, is_panel)?.ok_or(Code::UnknownCode)?;
    let Some(Device::Panel { public_key }) = reservation.device() else {
        return Err(Code::UnknownCode.into());
    };
    // `false` when the rights, the entrance or a door went in between.
    let (intercom, stamp) = (node.store.intercom(), node.stamp());
    if !intercom.pair_panel(&who.scope, &stamp, panel.clone(), Some(public_key.clone())).await? {
        return Err(Code::NotFound.into());
    }
    reservation.settle_panel(panel.id);
    Ok((StatusCode::CREATED, Json(Panel::new(&node, panel, true, false))))
}

/// What a new panel is called and where it hangs, as it was typed.
pub struct Place<'a> {
    /// Its name.
    pub name: &'a str,
    /// The entrance.
    pub entrance: Option<EntranceId>,
    /// The doors.
    pub doors: Vec<DoorId>,
}

impl Place<'_> {
    /// A panel of this building that is not there yet.
    ///
    /// # Errors
    /// What is wrong with each field.
    pub async fn panel(
        self,
        node: &Node,
        who: &Caller,
        building: BuildingId,
    ) -> Result<klinke_model::intercom::Panel, Problem> {
        let mut fields = Fields::default();
        let name = fields.label("/name", self.name);
        if let Some(entrance) = self.entrance {
            let entrances = node.store.sites().entrances(&who.scope, building).await?;
            if entrances.iter().all(|known| known.id != entrance) {
                fields.wrong("/entrance", FieldCode::NotFound);
            }
        }
        let doors = node.store.doors().doors(&who.scope, building).await?;
        let mut named = HashSet::new();
        for (place, door) in self.doors.iter().enumerate() {
            if doors.iter().all(|known| known.id != *door) {
                fields.wrong(format!("/doors/{place}"), FieldCode::NotFound);
            } else if !named.insert(door) {
                fields.wrong(format!("/doors/{place}"), FieldCode::Taken);
            }
        }
        let Some(name) = name else { return Err(fields.into()) };
        fields.check()?;
        let id = node.random.v7(node.clock.now());
        Ok(klinke_model::intercom::Panel { id, building, entrance: self.entrance, name, doors: self.doors })
    }
}
