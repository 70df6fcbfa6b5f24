//! What an administrator's use case begins with.

use crate::auth::session::SignedIn;
use crate::http::problem::{Code, Problem};
use crate::node::Node;
use klinke_model::ids::BuildingId;
use klinke_model::site::Building;

/// The building, when this person administers it.
pub(super) async fn administered(
    node: &Node,
    who: &SignedIn,
    building: BuildingId,
) -> Result<Building, Problem> {
    let found = node.store.sites().building(&who.scope, building).await?;
    found.ok_or(Code::NotFound.into())
}

/// That this person administers anything at all.
pub(super) async fn administrator(node: &Node, who: &SignedIn) -> Result<(), Problem> {
    let roles = node.store.people().roles(&who.scope, who.person).await?;
    if roles.is_empty() { Err(Code::Forbidden.into()) } else { Ok(()) }
}
