//! Groups of doors of a building, which its rules name. Read by who sees the building, changed by who may change it.

use crate::entity::{access_rule_door_group, door_group, door_group_door};
use crate::record::{Edited, Part, Removed, RuleMade, Stamp, Uses};
use crate::repo::audit::{self, Change};
use crate::repo::convert::At;
use crate::repo::doors::touch_all_of;
use crate::repo::parts::part;
use crate::repo::reach;
use crate::repo::rules::Rules;
use crate::tx::{self, Isolation};
use crate::{Result, StorageError};
use klinke_model::ids::{BuildingId, DoorGroupId, DoorId, RuleId};
use klinke_model::rights::Right;
use klinke_model::rule::DoorGroup;
use klinke_model::scope::Scope;
use klinke_model::text::Label;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use uuid::Uuid;

impl Rules<'_> {
    /// The groups of doors of a building, by name.
    pub async fn door_groups(&self, scope: &Scope, building: BuildingId) -> Result<Vec<Part<DoorGroup>>> {
        tx::read(self.0, |tx| async move {
            let rows = door_group::Entity::find()
                .filter(door_group::Column::Tenant.eq(scope.tenant.0))
                .filter(door_group::Column::Building.eq(building.0))
                .filter(reach::may(scope, Right::SeeBuilding, door_group::Column::Building))
                .all(&*tx)
                .await?;
            let mut all = Vec::with_capacity(rows.len());
            for row in &rows {
                all.push(with_uses(&*tx, scope, row).await?);
            }
            all.sort_by_cached_key(|part: &Part<DoorGroup>| (part.value.name.clone(), part.value.id));
            Ok(all)
        })
        .await
    }

    /// One group of doors.
    pub async fn door_group(&self, scope: &Scope, id: DoorGroupId) -> Result<Option<Part<DoorGroup>>> {
        tx::read(self.0, |tx| async move { one(&*tx, scope, Right::SeeBuilding, id).await }).await
    }

    /// Adds a group of doors to a building.
    pub async fn insert_door_group(&self, scope: &Scope, stamp: &Stamp, new: DoorGroup) -> Result<RuleMade> {
        let new = &new;
        let made = tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            if !reach::building(&*tx, scope, Right::ChangeBuilding, new.building).await? {
                return Ok(RuleMade::NotThere);
            }
            let row = door_group::ActiveModel {
                tenant: Set(scope.tenant.0),
                id: Set(new.id.0),
                building: Set(new.building.0),
                name: Set(new.name.as_str().to_owned()),
                version: Set(1),
            };
            door_group::Entity::insert(row).exec_without_returning(&*tx).await?;
            write_doors(&*tx, scope, new).await?;
            audit::append(&tx, scope, stamp, Change::made(new.building, "door_group.made", told(new)))
                .await?;
            Ok(RuleMade::Done)
        });
        match made.await {
            Err(StorageError::MissingReference) => Ok(RuleMade::Unknown),
            other => other,
        }
    }

    /// Changes a group of doors, when it still has the version that the asker saw, and with it every rule that names it.
    ///
    /// # Errors
    /// [`StorageError::MissingReference`] when a door is not there.
    pub async fn change_door_group(
        &self,
        scope: &Scope,
        stamp: &Stamp,
        version: u64,
        wanted: DoorGroup,
    ) -> Result<Edited<DoorGroup>> {
        let wanted = &wanted;
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            let Some(before) = one(&*tx, scope, Right::ChangeBuilding, wanted.id).await? else {
                return Ok(Edited::NotThere);
            };
            if before.version != version {
                return Ok(Edited::Conflict(before));
            }
            let was = &before.value;
            if was == wanted {
                return Ok(Edited::Done(before));
            }
            door_group::Entity::update_many()
                .col_expr(door_group::Column::Name, Expr::val(wanted.name.as_str()))
                .col_expr(door_group::Column::Version, Expr::col(door_group::Column::Version).add(1))
                .filter(door_group::Column::Tenant.eq(scope.tenant.0))
                .filter(door_group::Column::Id.eq(wanted.id.0))
                .exec(&*tx)
                .await?;
            door_group_door::Entity::delete_many()
                .filter(door_group_door::Column::Tenant.eq(scope.tenant.0))
                .filter(door_group_door::Column::DoorGroup.eq(wanted.id.0))
                .exec(&*tx)
                .await?;
            write_doors(&*tx, scope, wanted).await?;
            touch_all_of(&*tx, scope, was.building).await?;
            let change = Change {
                building: Some(was.building),
                action: "door_group.changed",
                persons: Vec::new(),
                before: Some(told(was)),
                after: Some(told(wanted)),
            };
            audit::append(&tx, scope, stamp, change).await?;
            let after = one(&*tx, scope, Right::ChangeBuilding, wanted.id).await?;
            Ok(after.map_or(Edited::NotThere, Edited::Done))
        })
        .await
    }

    /// Removes a group of doors that no rule names.
    pub async fn remove_door_group(&self, scope: &Scope, stamp: &Stamp, id: DoorGroupId) -> Result<Removed> {
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            let Some(before) = one(&*tx, scope, Right::ChangeBuilding, id).await? else {
                return Ok(Removed::NotThere);
            };
            if before.uses.rules > 0 {
                return Ok(Removed::InUse(before.uses));
            }
            door_group::Entity::delete_by_id((scope.tenant.0, id.0)).exec(&*tx).await?;
            let change = Change {
                building: Some(before.value.building),
                action: "door_group.removed",
                persons: Vec::new(),
                before: Some(told(&before.value)),
                after: None,
            };
            audit::append(&tx, scope, stamp, change).await?;
            Ok(Removed::Done)
        })
        .await
    }
}

/// The groups of doors that a rule names, by name.
pub(super) async fn of_rule(db: &impl ConnectionTrait, scope: &Scope, rule: Uuid) -> Result<Vec<DoorGroup>> {
    let named = Query::select()
        .column(access_rule_door_group::Column::DoorGroup)
        .from(access_rule_door_group::Entity)
        .and_where(access_rule_door_group::Column::Tenant.eq(scope.tenant.0))
        .and_where(access_rule_door_group::Column::Rule.eq(rule))
        .take();
    let rows = door_group::Entity::find()
        .filter(door_group::Column::Tenant.eq(scope.tenant.0))
        .filter(door_group::Column::Id.in_subquery(named))
        .all(db)
        .await?;
    let mut groups = Vec::with_capacity(rows.len());
    for row in &rows {
        groups.push(read(db, scope, row).await?);
    }
    groups.sort_by_cached_key(|group| (group.name.clone(), group.id));
    Ok(groups)
}

/// The rules of buildings where the principal sees people that name a group with a door, with the name of the group.
pub(super) async fn with_door(
    db: &impl ConnectionTrait,
    scope: &Scope,
    door: DoorId,
) -> Result<Vec<(RuleId, Label)>> {
    let holding = Query::select()
        .column(door_group_door::Column::DoorGroup)
        .from(door_group_door::Entity)
        .and_where(door_group_door::Column::Tenant.eq(scope.tenant.0))
        .and_where(door_group_door::Column::Door.eq(door.0))
        .take();
    let naming = access_rule_door_group::Entity::find()
        .filter(access_rule_door_group::Column::Tenant.eq(scope.tenant.0))
        .filter(access_rule_door_group::Column::DoorGroup.in_subquery(holding))
        .filter(reach::may(scope, Right::SeePeople, access_rule_door_group::Column::Building))
        .all(db)
        .await?;
    let groups = door_group::Entity::find()
        .filter(door_group::Column::Tenant.eq(scope.tenant.0))
        .filter(door_group::Column::Id.is_in(naming.iter().map(|row| row.door_group)))
        .all(db)
        .await?;
    let mut found = Vec::new();
    for row in naming {
        for group in groups.iter().filter(|group| group.id == row.door_group) {
            found.push((row.rule.into(), At("door_group", "name").label(&group.name)?));
        }
    }
    Ok(found)
}

async fn one(
    db: &impl ConnectionTrait,
    scope: &Scope,
    right: Right,
    id: DoorGroupId,
) -> Result<Option<Part<DoorGroup>>> {
    let row = door_group::Entity::find_by_id((scope.tenant.0, id.0))
        .filter(reach::may(scope, right, door_group::Column::Building))
        .one(db)
        .await?;
    match row {
        Some(row) => with_uses(db, scope, &row).await.map(Some),
        None => Ok(None),
    }
}

async fn with_uses(
    db: &impl ConnectionTrait,
    scope: &Scope,
    row: &door_group::Model,
) -> Result<Part<DoorGroup>> {
    let rules = access_rule_door_group::Entity::find()
        .filter(access_rule_door_group::Column::Tenant.eq(scope.tenant.0))
        .filter(access_rule_door_group::Column::DoorGroup.eq(row.id))
        .count(db)
        .await?;
    part("door_group", row.version, read(db, scope, row).await?, Uses { rules, ..Uses::default() })
}

async fn read(db: &impl ConnectionTrait, scope: &Scope, row: &door_group::Model) -> Result<DoorGroup> {
    let rows = door_group_door::Entity::find()
        .filter(door_group_door::Column::Tenant.eq(scope.tenant.0))
        .filter(door_group_door::Column::DoorGroup.eq(row.id))
        .all(db)
        .await?;
    let mut doors: Vec<DoorId> = rows.into_iter().map(|row| row.door.into()).collect();
    doors.sort_unstable();
    Ok(DoorGroup {
        id: row.id.into(),
        building: row.building.into(),
        name: At("door_group", "name").label(&row.name)?,
        doors,
    })
}

async fn write_doors(db: &impl ConnectionTrait, scope: &Scope, group: &DoorGroup) -> Result<()> {
    let doors: BTreeSet<DoorId> = group.doors.iter().copied().collect();
    let rows = doors.into_iter().map(|door| door_group_door::ActiveModel {
        tenant: Set(scope.tenant.0),
        door_group: Set(group.id.0),
        door: Set(door.0),
        building: Set(group.building.0),
    });
    door_group_door::Entity::insert_many(rows).exec_without_returning(db).await?;
    Ok(())
}

fn told(group: &DoorGroup) -> Value {
    json!({ "name": group.name, "doors": group.doors })
}
