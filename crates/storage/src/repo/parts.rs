//! Changing and removing what a property is made of: one shape for buildings, entrances, units, doors, panels and
//! controllers.
//!
//! Each has a version. Who changes it says which one they saw; if it is another by now, they get the part as it is. Before
//! something is removed its [`Uses`] are told; what people depend on must go first.

use crate::Result;
use crate::Store;
use crate::entity::{bell, door, household_move, membership, panel, unit};
use crate::record::{Part, Uses};
use crate::repo::convert::At;
use crate::repo::reach;
use klinke_model::ids::BuildingId;
use klinke_model::rights::Right;
use klinke_model::scope::Scope;
use sea_orm::sea_query::{Query, SelectStatement};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter};

/// Changing and removing parts: for who has the right in their building.
///
/// Every function fails only when the database can not do its work; what is not there, or not the principal's, is
/// `None`, [`crate::record::Edited::NotThere`] or [`crate::record::Removed::NotThere`].
#[derive(Debug)]
pub struct Parts<'a>(pub(crate) &'a Store);

/// A part with what the row says of its version.
pub(super) fn part<T>(table: &'static str, version: i64, value: T, uses: Uses) -> Result<Part<T>> {
    Ok(Part { value, version: At(table, "version").number(version)?, uses })
}

/// What depends on some units of a building: who lives there, who moves, how they are rung.
pub(super) async fn uses_of_units(
    db: &impl ConnectionTrait,
    scope: &Scope,
    building: BuildingId,
    which: Condition,
) -> Result<Uses> {
    let units = || -> SelectStatement {
        Query::select()
            .column(unit::Column::Id)
            .from(unit::Entity)
            .and_where(unit::Column::Tenant.eq(scope.tenant.0))
            .and_where(unit::Column::Building.eq(building.0))
            .cond_where(which.clone())
            .take()
    };
    let mut uses = Uses {
        units: unit::Entity::find()
            .filter(unit::Column::Tenant.eq(scope.tenant.0))
            .filter(unit::Column::Building.eq(building.0))
            .filter(which.clone())
            .count(db)
            .await?,
        ..Uses::default()
    };
    if reach::building(db, scope, Right::SeePeople, building).await? {
        uses.people = membership::Entity::find()
            .filter(membership::Column::Tenant.eq(scope.tenant.0))
            .filter(membership::Column::Unit.in_subquery(units()))
            .count(db)
            .await?;
        uses.moves = household_move::Entity::find()
            .filter(household_move::Column::Tenant.eq(scope.tenant.0))
            .filter(household_move::Column::State.eq("scheduled"))
            .filter(household_move::Column::Unit.in_subquery(units()))
            .count(db)
            .await?;
        uses.bells = bell::Entity::find()
            .filter(bell::Column::Tenant.eq(scope.tenant.0))
            .filter(bell::Column::Unit.in_subquery(units()))
            .count(db)
            .await?;
    }
    Ok(uses)
}

/// How many panels meet a condition.
pub(super) async fn panels(db: &impl ConnectionTrait, scope: &Scope, which: Condition) -> Result<u64> {
    let panels = panel::Entity::find().filter(panel::Column::Tenant.eq(scope.tenant.0)).filter(which);
    Ok(panels.count(db).await?)
}

/// How many doors meet a condition.
pub(super) async fn doors(db: &impl ConnectionTrait, scope: &Scope, which: Condition) -> Result<u64> {
    let doors = door::Entity::find().filter(door::Column::Tenant.eq(scope.tenant.0)).filter(which);
    Ok(doors.count(db).await?)
}

/// Whether the principal has every one of these rights in a building: what goes with a removed part must be theirs to see.
pub(super) async fn has_all(
    db: &impl ConnectionTrait,
    scope: &Scope,
    rights: &[Right],
    building: BuildingId,
) -> Result<bool> {
    for right in rights {
        if !reach::building(db, scope, *right, building).await? {
            return Ok(false);
        }
    }
    Ok(true)
}
