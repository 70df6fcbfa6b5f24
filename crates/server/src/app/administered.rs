//! What an administrator's use case begins with.

use crate::auth::caller::Asks;
use crate::http::problem::{Code, Problem};
use crate::node::Node;
use klinke_model::ids::BuildingId;
use klinke_model::rights::Right;
use klinke_model::site::Building;

/// The building, when this person may see it.
pub(super) async fn administered(
    node: &Node,
    who: &impl Asks,
    building: BuildingId,
) -> Result<Building, Problem> {
    match node.store.sites().building(who.scope(), building).await? {
        Some(found) => Ok(found),
        None => Err(unbound(node, who).await?.unwrap_or(Code::NotFound).into()),
    }
}

/// The building, when this person has a right in it. Who sees the building, but has not this right, is told so.
pub(super) async fn allowed(
    node: &Node,
    who: &impl Asks,
    right: Right,
    building: BuildingId,
) -> Result<Building, Problem> {
    let found = administered(node, who, building).await?;
    if node.store.people().may_in(who.scope(), right, building).await? {
        Ok(found)
    } else {
        Err(unbound(node, who).await?.unwrap_or(Code::Forbidden).into())
    }
}

/// That this person has a right somewhere.
pub(super) async fn administrator(node: &Node, who: &impl Asks, right: Right) -> Result<(), Problem> {
    if node.store.people().may_somewhere(who.scope(), right).await? {
        Ok(())
    } else {
        Err(unbound(node, who).await?.unwrap_or(Code::Forbidden).into())
    }
}

/// That this person has a right in every building.
pub(super) async fn everywhere(node: &Node, who: &impl Asks, right: Right) -> Result<(), Problem> {
    if node.store.people().may_everywhere(who.scope(), right).await? {
        Ok(())
    } else {
        Err(unbound(node, who).await?.unwrap_or(Code::Forbidden).into())
    }
}

/// Whether a role of this person does not count only because they did not bind themselves to confidentiality.
async fn unbound(node: &Node, who: &impl Asks) -> Result<Option<Code>, Problem> {
    // a token is not told why it may not
    let Some(person) = who.scope().person() else { return Ok(None) };
    let bound = node.store.people().is_bound(who.scope(), person).await?;
    Ok((!bound && must_be_bound(node, who).await?).then_some(Code::ConfidentialityRequired))
}

/// Whether this person has a role with access to personal data.
pub(super) async fn must_be_bound(node: &Node, who: &impl Asks) -> Result<bool, Problem> {
    let Some(person) = who.scope().person() else { return Ok(false) };
    let roles = node.store.people().roles(who.scope(), person).await?;
    Ok(roles.iter().any(|grant| grant.role.sees_people() && !grant.is_over(who.scope().at)))
}
