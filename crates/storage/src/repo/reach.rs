//! What a principal reaches, as conditions to put into a query: one question to the database answers both what is asked
//! and whether it may be.
//!
//! The service reaches all of its tenant; a person who is not suspended reaches what their roles say (see
//! [`klinke_model::rights`]); a token reaches what it was given and whoever made it reaches at this moment; a panel and a
//! controller administer nothing. A role counts until it ends, and one with access to personal data only once its holder
//! bound themselves to confidentiality. Who looks with the eyes of a role has a right only where both they and that role
//! have it.

use crate::Result;
use crate::entity::{api_token, api_token_right, building, confidentiality, person, role_grant};
use crate::repo::convert::Word;
use klinke_model::ids::{BuildingId, PersonId};
use klinke_model::people::Role;
use klinke_model::rights::{CONFIDENTIALITY_VERSION, Right};
use klinke_model::scope::{Principal, Scope};
use sea_orm::sea_query::{Expr, ExprTrait, Query, SelectStatement};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, IntoSimpleExpr, PaginatorTrait, QueryFilter,
};

/// Whether the principal has a right in the building of this column (of the scope's tenant). Where the column is null:
/// whether they have it in every building.
pub fn may(scope: &Scope, right: Right, building: impl IntoSimpleExpr) -> Expr {
    let building = building.into_simple_expr();
    let has = has(scope, right, |given_for| given_for.clone().is_null().or(given_for.eq(building.clone())));
    match scope.view.and_then(|view| view.building) {
        Some(seen) => has.and(building.eq(seen.0)),
        None => has,
    }
}

/// Whether the principal has a right in any building.
pub fn may_somewhere(scope: &Scope, right: Right) -> Expr {
    let seen = scope.view.and_then(|view| view.building);
    has(scope, right, |given_for| match seen {
        Some(seen) => given_for.clone().is_null().or(given_for.eq(seen.0)),
        None => Expr::val(true),
    })
}

/// Whether the principal has a right in every building, and over what belongs to none.
pub fn may_everywhere(scope: &Scope, right: Right) -> Expr {
    if scope.view.is_some_and(|view| view.building.is_some()) {
        return Expr::val(false);
    }
    has(scope, right, ExprTrait::is_null)
}

/// The buildings in which the principal has a right: asked once for each building, where [`may`] would be asked for each
/// row of a long list.
pub fn buildings(scope: &Scope, right: Right) -> SelectStatement {
    Query::select()
        .column((building::Entity, building::Column::Id))
        .from(building::Entity)
        .and_where(building::Column::Tenant.eq(scope.tenant.0))
        .and_where(may(scope, right, building::Column::Id))
        .take()
}

/// `here` says of the building that something was given for (null: every building) whether it counts.
fn has(scope: &Scope, right: Right, here: impl Fn(Expr) -> Expr) -> Expr {
    if !matches!(scope.principal, Principal::System)
        && scope.view.is_some_and(|view| !view.role.allows(right))
    {
        return Expr::val(false);
    }
    match scope.principal {
        Principal::System => Expr::val(true),
        Principal::Panel(_) | Principal::Controller(_) => Expr::val(false),
        Principal::Person { person, .. } => person_has(scope, person, right, &here),
        Principal::Token { token, issuer } => {
            let given_for = || api_token::Column::Building.into_simple_expr();
            // what the issuer was given for the same building, or either of them for every building
            let theirs = |granted_for: Expr| {
                let same = granted_for.clone().eq(given_for());
                here(granted_for.clone()).and(granted_for.is_null().or(given_for().is_null()).or(same))
            };
            let allowed = exists(
                api_token_right::Entity,
                Condition::all()
                    .add(api_token_right::Column::Tenant.eq(scope.tenant.0))
                    .add(api_token_right::Column::Token.eq(token.0))
                    .add(api_token_right::Column::Allows.eq(right.word())),
            );
            exists(
                api_token::Entity,
                Condition::all()
                    .add(api_token::Column::Tenant.eq(scope.tenant.0))
                    .add(api_token::Column::Id.eq(token.0))
                    .add(api_token::Column::Issuer.eq(issuer.0))
                    .add(api_token::Column::EndsAt.gt(scope.at.as_millis()))
                    .add(here(given_for()))
                    .add(allowed)
                    .add(person_has(scope, issuer, right, &theirs)),
            )
        }
    }
}

fn person_has(scope: &Scope, who: PersonId, right: Right, here: &dyn Fn(Expr) -> Expr) -> Expr {
    let granted = exists(
        role_grant::Entity,
        counting(scope, right, is_bound(scope, who))
            .add(role_grant::Column::Person.eq(who.0))
            .add(here(role_grant::Column::Building.into_simple_expr())),
    );
    active(scope, who).and(granted)
}

/// The grants that give a right at the scope's moment, to whom they are for, unless that person is suspended. `bound`:
/// whether who holds the grant bound themselves to confidentiality.
pub fn counting(scope: &Scope, right: Right, bound: Expr) -> Condition {
    let roles = |seeing| {
        let roles =
            Role::ALL.into_iter().filter(move |role| role.allows(right) && role.sees_people() == seeing);
        role_grant::Column::Role.is_in(roles.map(Word::word))
    };
    Condition::all()
        .add(role_grant::Column::Tenant.eq(scope.tenant.0))
        .add(in_force(scope))
        .add(roles(false).or(roles(true).and(bound)))
}

/// Whether a grant has not ended.
pub fn in_force(scope: &Scope) -> Expr {
    role_grant::Column::EndsAt.is_null().or(role_grant::Column::EndsAt.gt(scope.at.as_millis()))
}

/// Whether somebody bound themselves to confidentiality, as it is worded now.
pub fn is_bound(scope: &Scope, who: PersonId) -> Expr {
    has_accepted(scope, Expr::val(who.0))
}

/// The same of the holder of a grant.
pub fn holder_is_bound(scope: &Scope) -> Expr {
    has_accepted(scope, role_grant::Column::Person.into_simple_expr())
}

fn has_accepted(scope: &Scope, who: Expr) -> Expr {
    exists(
        confidentiality::Entity,
        Condition::all()
            .add(confidentiality::Column::Tenant.eq(scope.tenant.0))
            .add(Expr::col((confidentiality::Entity, confidentiality::Column::Person)).eq(who))
            .add(confidentiality::Column::Version.eq(CONFIDENTIALITY_VERSION)),
    )
}

/// By which role the principal changes something in this building (or in none): the audit tells it.
pub async fn acting_role(
    db: &impl ConnectionTrait,
    scope: &Scope,
    building: Option<BuildingId>,
) -> Result<String> {
    let who = match scope.principal {
        Principal::System => return Ok("service".to_owned()),
        Principal::Token { .. } => return Ok("token".to_owned()),
        Principal::Panel(_) | Principal::Controller(_) => return Ok("none".to_owned()),
        Principal::Person { person, .. } => person,
    };
    let mut here = Condition::any().add(role_grant::Column::Building.is_null());
    if let Some(building) = building {
        here = here.add(role_grant::Column::Building.eq(building.0));
    }
    let grants = role_grant::Entity::find()
        .filter(role_grant::Column::Tenant.eq(scope.tenant.0))
        .filter(role_grant::Column::Person.eq(who.0))
        .filter(in_force(scope))
        .filter(here)
        .all(db)
        .await?;
    let held = |role: &Role| {
        let counts = *role != Role::Operator || building.is_none();
        counts && grants.iter().any(|grant| grant.role == role.word())
    };
    // what is inside a property manager is never done as an operator
    let order = [Role::Manager, Role::BuildingAdministrator, Role::Caretaker, Role::Auditor, Role::Operator];
    Ok(order.iter().find(|role| held(role)).map_or("none", |role| role.word()).to_owned())
}

/// Whether the principal is this person, or the service.
pub fn is(scope: &Scope, person: PersonId) -> bool {
    matches!(scope.principal, Principal::System) || scope.person() == Some(person)
}

/// Whether a building is there and the principal has a right in it.
pub async fn building(
    db: &impl ConnectionTrait,
    scope: &Scope,
    right: Right,
    id: BuildingId,
) -> Result<bool> {
    let found = building::Entity::find_by_id((scope.tenant.0, id.0))
        .filter(may(scope, right, building::Column::Id))
        .count(db)
        .await?;
    Ok(found > 0)
}

/// Whether something holds that asks for no row, such as [`may_everywhere`].
pub async fn holds(db: &impl ConnectionTrait, condition: Expr) -> Result<bool> {
    let select = Query::select().expr_as(condition, "holds").take();
    let row = db.query_one(&select).await?;
    Ok(row.map(|row| row.try_get("", "holds")).transpose()?.unwrap_or(false))
}

fn active(scope: &Scope, who: PersonId) -> Expr {
    exists(
        person::Entity,
        Condition::all()
            .add(person::Column::Tenant.eq(scope.tenant.0))
            .add(person::Column::Id.eq(who.0))
            .add(person::Column::Active.eq(true)),
    )
}

/// Whether a row of a table meets a condition.
pub fn exists(table: impl EntityTrait, condition: Condition) -> Expr {
    Expr::exists(Query::select().expr(Expr::val(1)).from(table).cond_where(condition).take())
}
