//! What a principal reaches, as conditions to put into a query: one question to the database answers both what is asked
//! and whether it may be.
//!
//! The service reaches all of its tenant; a person who is not suspended reaches what their roles say; a panel and a
//! controller administer nothing.

use crate::Result;
use crate::entity::{building, building_administrator, manager, person};
use klinke_model::ids::{BuildingId, PersonId};
use klinke_model::scope::{Principal, Scope};
use sea_orm::sea_query::{Expr, ExprTrait, Query, SelectStatement};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, IntoSimpleExpr, PaginatorTrait, QueryFilter,
};

/// Whether the principal runs the whole tenant.
pub fn manages(scope: &Scope) -> Expr {
    match scope.principal {
        Principal::System => Expr::val(true),
        Principal::Person { person, .. } => active(scope, person).and(is_manager(scope, person)),
        Principal::Panel(_) | Principal::Controller(_) => Expr::val(false),
    }
}

/// Whether the principal administers the building in this column (of the scope's tenant).
pub fn administers(scope: &Scope, building: impl IntoSimpleExpr) -> Expr {
    match scope.principal {
        Principal::Person { person, .. } => active(scope, person)
            .and(is_manager(scope, person).or(is_building_administrator(scope, person, building))),
        _ => manages(scope),
    }
}

/// Whether the principal administers any building.
pub fn administers_some(scope: &Scope) -> Expr {
    let Principal::Person { person, .. } = scope.principal else { return manages(scope) };
    let some = Expr::exists(roles(scope, person));
    active(scope, person).and(is_manager(scope, person).or(some))
}

/// By which role the principal changes something in this building (or in none): the audit tells it.
pub async fn acting_role(
    db: &impl ConnectionTrait,
    scope: &Scope,
    building: Option<BuildingId>,
) -> Result<&'static str> {
    Ok(match scope.principal {
        Principal::System => "service",
        Principal::Person { .. } if holds(db, manages(scope)).await? => "manager",
        Principal::Person { .. } if building.is_some() => "building_administrator",
        _ => "none",
    })
}

/// Whether the principal is this person, or the service.
pub fn is(scope: &Scope, person: PersonId) -> bool {
    matches!(scope.principal, Principal::System) || scope.person() == Some(person)
}

/// Whether a building is there and the principal administers it.
pub async fn building(db: &impl ConnectionTrait, scope: &Scope, id: BuildingId) -> Result<bool> {
    let found = building::Entity::find_by_id((scope.tenant.0, id.0))
        .filter(administers(scope, building::Column::Id))
        .count(db)
        .await?;
    Ok(found > 0)
}

/// Whether something holds that asks for no row, such as [`manages`].
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

fn is_manager(scope: &Scope, person: PersonId) -> Expr {
    exists(
        manager::Entity,
        Condition::all()
            .add(manager::Column::Tenant.eq(scope.tenant.0))
            .add(manager::Column::Person.eq(person.0)),
    )
}

fn is_building_administrator(scope: &Scope, person: PersonId, building: impl IntoSimpleExpr) -> Expr {
    let column = building_administrator::Column::Building.into_simple_expr();
    Expr::exists(roles(scope, person).and_where(column.eq(building.into_simple_expr())).take())
}

fn roles(scope: &Scope, person: PersonId) -> SelectStatement {
    Query::select()
        .expr(Expr::val(1))
        .from(building_administrator::Entity)
        .and_where(building_administrator::Column::Tenant.eq(scope.tenant.0))
        .and_where(building_administrator::Column::Person.eq(person.0))
        .take()
}

/// Whether a row of a table meets a condition.
pub fn exists(table: impl EntityTrait, condition: Condition) -> Expr {
    Expr::exists(Query::select().expr(Expr::val(1)).from(table).cond_where(condition).take())
}
