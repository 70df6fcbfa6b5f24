//! A person's own devices: which are signed in, and signing one out from any other (R20, R72).

use crate::auth::session::SignedIn;
use crate::http::body::Object;
use crate::http::problem::{Code, Problem};
use crate::node::Node;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use klinke_model::ids::DeviceId;
use klinke_model::people::DeviceKind;
use klinke_model::text::Label;
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// A device of one's own. There is no "last used": that would be a record of use.
#[derive(Serialize, ToSchema)]
#[schema(as = MyDevice)]
pub struct MyDevice {
    id: DeviceId,
    name: Label,
    kind: DeviceKind,
    /// Whether it is the one that asks.
    current: bool,
}

/// One's own devices, by name.
#[utoipa::path(get, path = "/api/v1/me/devices", operation_id = "my_devices", tag = "me",
    security(("session" = [])), responses((status = 200, description = "The devices", body = [MyDevice])))]
pub async fn list(State(node): State<Arc<Node>>, who: SignedIn) -> Result<Json<Vec<MyDevice>>, Problem> {
    let devices = node.store.devices().list(&who.scope, who.person).await?;
    let shown = devices.into_iter().map(|device| MyDevice {
        current: device.id == who.device,
        id: device.id,
        name: device.name.into_inner(),
        kind: device.kind,
    });
    Ok(Json(shown.collect()))
}

/// Signs one of one's own devices out.
#[utoipa::path(delete, path = "/api/v1/me/devices/{device}", operation_id = "sign_out_device", tag = "me",
    params(("device" = uuid::Uuid, Path, description = "The device")), security(("session" = [])),
    responses((status = 204, description = "Signed out")))]
pub async fn sign_out(
    State(node): State<Arc<Node>>,
    who: SignedIn,
    Object(device): Object<DeviceId>,
) -> Result<StatusCode, Problem> {
    let gone = node.store.devices().sign_out(&who.scope, who.person, device).await?;
    if !gone {
        return Err(Code::NotFound.into());
    }
    node.exchange.device_signed_out(device).await;
    Ok(StatusCode::NO_CONTENT)
}
