//! Changing and removing units.

use crate::entity::{door, unit, unit_door};
use crate::record::{Edited, Part, Removed, Stamp, UnitDoors};
use crate::repo::audit::{self, Change};
use crate::repo::convert;
use crate::repo::news::{self, News};
use crate::repo::parts::{Parts, has_all, part, uses_of_units};
use crate::repo::reach;
use crate::tx::{self, Isolation};
use crate::{Result, StorageError};
use klinke_model::alphabet::Alphabet;
use klinke_model::events::EventKind;
use klinke_model::fold::fold;
use klinke_model::ids::{DoorId, UnitId};
use klinke_model::rights::Right;
use klinke_model::scope::Scope;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
};
use serde_json::{Value, json};
use std::collections::BTreeSet;

impl Parts<'_> {
    /// A unit with the doors that its people may open, to be changed.
    pub async fn unit_part(&self, scope: &Scope, id: UnitId) -> Result<Option<Part<UnitDoors>>> {
        tx::read(self.0, |tx| async move { one_unit(&*tx, scope, Right::SeeBuilding, id).await }).await
    }

    /// Changes a unit and its doors, when it still has the version that the asker saw. Its entrance must be in its
    /// building; a door that is new to it must be in a building where the principal may change it.
    pub async fn change_unit(
        &self,
        scope: &Scope,
        stamp: &Stamp,
        version: u64,
        wanted: UnitDoors,
    ) -> Result<Edited<UnitDoors>> {
        let wanted = &wanted;
        let changed = tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            let (right, id) = (Right::ChangeBuilding, wanted.unit.id);
            let Some(before) = one_unit(&*tx, scope, right, id).await? else {
                return Ok(Edited::NotThere);
            };
            if before.version != version {
                return Ok(Edited::Conflict(before));
            }
            let had: BTreeSet<DoorId> = before.value.doors.iter().copied().collect();
            let has: BTreeSet<DoorId> = wanted.doors.iter().copied().collect();
            if before.value.unit == wanted.unit && had == has {
                return Ok(Edited::Done(before));
            }
            unit::Entity::update_many()
                .col_expr(unit::Column::Number, Expr::val(wanted.unit.number.as_str()))
                .col_expr(unit::Column::Folded, Expr::val(fold(wanted.unit.number.as_str()).into_bytes()))
                .col_expr(
                    unit::Column::SortNumber,
                    Expr::val(Alphabet::Norwegian.natural(wanted.unit.number.as_str())),
                )
                .col_expr(unit::Column::Entrance, Expr::val(wanted.unit.entrance.0))
                .col_expr(unit::Column::Version, Expr::col(unit::Column::Version).add(1))
                .filter(unit::Column::Tenant.eq(scope.tenant.0))
                .filter(unit::Column::Id.eq(id.0))
                .exec(&*tx)
                .await?;
            let new: Vec<_> = has.difference(&had).map(|door| door.0).collect();
            let known = door::Entity::find()
                .filter(door::Column::Tenant.eq(scope.tenant.0))
                .filter(door::Column::Id.is_in(new.iter().copied()))
                .filter(reach::may(scope, right, door::Column::Building))
                .count(&*tx)
                .await?;
            if known != new.len() as u64 {
                return Err(StorageError::MissingReference);
            }
            let rows = new.iter().map(|door| unit_door::ActiveModel {
                tenant: Set(scope.tenant.0),
                unit: Set(id.0),
                door: Set(*door),
            });
            unit_door::Entity::insert_many(rows).exec_without_returning(&*tx).await?;
            unit_door::Entity::delete_many()
                .filter(unit_door::Column::Tenant.eq(scope.tenant.0))
                .filter(unit_door::Column::Unit.eq(id.0))
                .filter(unit_door::Column::Door.is_in(had.difference(&has).map(|door| door.0)))
                .exec(&*tx)
                .await?;
            let change = Change {
                building: Some(before.value.unit.building),
                action: "unit.changed",
                persons: Vec::new(),
                before: Some(told(&before.value)),
                after: Some(told(wanted)),
            };
            audit::append(&tx, scope, stamp, change).await?;
            let news = [News::of_unit(EventKind::UnitChanged, before.value.unit.building, id)];
            news::tell(&tx, scope, stamp, &news).await?;
            let after = one_unit(&*tx, scope, right, id).await?;
            Ok(after.map_or(Edited::NotThere, Edited::Done))
        });
        match changed.await {
            Err(StorageError::MissingReference) => Ok(Edited::NotThere),
            other => other,
        }
    }

    /// Removes a unit where nobody lives and nobody is about to, with its buttons.
    pub async fn remove_unit(&self, scope: &Scope, stamp: &Stamp, id: UnitId) -> Result<Removed> {
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            let Some(before) = one_unit(&*tx, scope, Right::ChangeBuilding, id).await? else {
                return Ok(Removed::NotThere);
            };
            if !has_all(&*tx, scope, &[Right::SeePeople], before.value.unit.building).await? {
                return Ok(Removed::NotThere);
            }
            if before.uses.people > 0 || before.uses.moves > 0 {
                return Ok(Removed::InUse(before.uses));
            }
            unit::Entity::delete_by_id((scope.tenant.0, id.0)).exec(&*tx).await?;
            let change = Change {
                building: Some(before.value.unit.building),
                action: "unit.removed",
                persons: Vec::new(),
                before: Some(told(&before.value)),
                after: None,
            };
            audit::append(&tx, scope, stamp, change).await?;
            let news = [News::of_unit(EventKind::UnitRemoved, before.value.unit.building, id)];
            news::tell(&tx, scope, stamp, &news).await?;
            Ok(Removed::Done)
        })
        .await
    }
}

async fn one_unit(
    db: &impl ConnectionTrait,
    scope: &Scope,
    right: Right,
    id: UnitId,
) -> Result<Option<Part<UnitDoors>>> {
    let row = unit::Entity::find_by_id((scope.tenant.0, id.0))
        .filter(reach::may(scope, right, unit::Column::Building))
        .one(db)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let doors = unit_door::Entity::find()
        .filter(unit_door::Column::Tenant.eq(scope.tenant.0))
        .filter(unit_door::Column::Unit.eq(id.0))
        .order_by_asc(unit_door::Column::Door)
        .all(db)
        .await?;
    let itself = Condition::all().add(unit::Column::Id.eq(id.0));
    let mut uses = uses_of_units(db, scope, row.building.into(), itself).await?;
    uses.units = 0;
    let doors = doors.into_iter().map(|row| row.door.into()).collect();
    part("unit", row.version, UnitDoors { unit: convert::unit(&row)?, doors }, uses).map(Some)
}

fn told(of: &UnitDoors) -> Value {
    json!({ "number": of.unit.number, "entrance": of.unit.entrance, "doors": of.doors })
}
