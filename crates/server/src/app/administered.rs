//! What an administrator's use case begins with.

use crate::auth::session::SignedIn;
use crate::http::problem::{Code, Problem};
use crate::node::Node;
use klinke_model::ids::BuildingId;
use klinke_model::rights::Right;
use klinke_model::site::Building;

/// The building, when this person may see it.
pub(super) async fn administered(
    node: &Node,
    who: &SignedIn,
    building: BuildingId,
) -> Result<Building, Problem> {
    match node.store.sites().building(&who.scope, building).await? {
        Some(found) => Ok(found),
        None => Err(unbound(node, who).await?.unwrap_or(Code::NotFound).into()),
    }
}

/// The building, when this person has a right in it. Who sees the building, but has not this right, is told so.
pub(super) async fn allowed(
    node: &Node,
    who: &SignedIn,
    right: Right,
    building: BuildingId,
) -> Result<Building, Problem> {
    let found = administered(node, who, building).await?;
    if node.store.people().may_in(&who.scope, right, building).await? {
        Ok(found)
    } else {
        Err(unbound(node, who).await?.unwrap_or(Code::Forbidden).into())
    }
}

/// That this person has a right somewhere.
pub(super) async fn administrator(node: &Node, who: &SignedIn, right: Right) -> Result<(), Problem> {
    if node.store.people().may_somewhere(&who.scope, right).await? {
        Ok(())
    } else {
        Err(unbound(node, who).await?.unwrap_or(Code::Forbidden).into())
    }
}

/// That this person has a right in every building.
pub(super) async fn everywhere(node: &Node, who: &SignedIn, right: Right) -> Result<(), Problem> {
    if node.store.people().may_everywhere(&who.scope, right).await? {
        Ok(())
    } else {
        Err(unbound(node, who).await?.unwrap_or(Code::Forbidden).into())
    }
}

/// Whether a role of this person does not count only because they did not bind themselves to confidentiality.
async fn unbound(node: &Node, who: &SignedIn) -> Result<Option<Code>, Problem> {
    let people = node.store.people();
    let bound = people.is_bound(&who.scope, who.person).await?;
    Ok((!bound && must_be_bound(node, who).await?).then_some(Code::ConfidentialityRequired))
}

/// Whether this person has a role with access to personal data.
pub(super) async fn must_be_bound(node: &Node, who: &SignedIn) -> Result<bool, Problem> {
    let roles = node.store.people().roles(&who.scope, who.person).await?;
    Ok(roles.iter().any(|grant| grant.role.sees_people() && !grant.is_over(who.scope.at)))
}
