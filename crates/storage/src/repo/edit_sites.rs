//! Changing and removing buildings and entrances.

use crate::entity::{building, controller, door, entrance, panel, unit};
use crate::record::{Edited, Part, Removed, Stamp, Uses};
use crate::repo::audit::{self, Change};
use crate::repo::convert::{self, Word};
use crate::repo::news::{self, News};
use crate::repo::parts::{Parts, doors, has_all, panels, part, uses_of_units};
use crate::repo::reach;
use crate::repo::record_policy;
use crate::tx::{self, Isolation};
use crate::{Result, StorageError};
use klinke_model::events::EventKind;
use klinke_model::ids::{BuildingId, EntranceId};
use klinke_model::privacy::AnySite;
use klinke_model::rights::Right;
use klinke_model::scope::Scope;
use klinke_model::site::{Building, Entrance};
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};
use serde_json::{Value, json};

impl Parts<'_> {
    /// A building, to be changed.
    pub async fn building_part(&self, scope: &Scope, building: BuildingId) -> Result<Option<Part<Building>>> {
        tx::read(self.0, |tx| async move { one_building(&*tx, scope, Right::SeeBuilding, building).await })
            .await
    }

    /// Changes a building, when it still has the version that the asker saw.
    pub async fn change_building(
        &self,
        scope: &Scope,
        stamp: &Stamp,
        version: u64,
        wanted: Building,
    ) -> Result<Edited<Building>> {
        let wanted = &wanted;
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            let (right, id) = (Right::ChangeBuilding, wanted.id);
            let Some(before) = one_building(&*tx, scope, right, id).await? else {
                return Ok(Edited::NotThere);
            };
            if before.version != version {
                return Ok(Edited::Conflict(before));
            }
            if before.value == *wanted {
                return Ok(Edited::Done(before));
            }
            let was_open = AnySite::of(id, before.value.kind).keeps();
            let is_open = AnySite::of(id, wanted.kind).keeps();
            if was_open && !is_open {
                record_policy::becomes_residential(&tx, scope, stamp, id).await?;
            }
            if was_open != is_open {
                let until = is_open.then_some(stamp.at.as_millis());
                building::Entity::update_many()
                    .col_expr(building::Column::ResidentialUntil, Expr::val(until))
                    .filter(building::Column::Tenant.eq(scope.tenant.0))
                    .filter(building::Column::Id.eq(id.0))
                    .exec(&*tx)
                    .await?;
            }
            building::Entity::update_many()
                .col_expr(building::Column::Name, Expr::val(wanted.name.as_str()))
                .col_expr(building::Column::Address, Expr::val(wanted.address.as_str()))
                .col_expr(building::Column::Kind, Expr::val(wanted.kind.word()))
                .col_expr(building::Column::TimeZone, Expr::val(wanted.time_zone.as_str()))
                .col_expr(building::Column::Holidays, Expr::val(wanted.holidays.word()))
                .col_expr(building::Column::Version, Expr::col(building::Column::Version).add(1))
                .filter(building::Column::Tenant.eq(scope.tenant.0))
                .filter(building::Column::Id.eq(id.0))
                .exec(&*tx)
                .await?;
            let change = Change {
                building: Some(id),
                action: "building.changed",
                persons: Vec::new(),
                before: Some(told_building(&before.value)),
                after: Some(told_building(wanted)),
            };
            audit::append(&tx, scope, stamp, change).await?;
            let after = one_building(&*tx, scope, right, id).await?;
            Ok(after.map_or(Edited::NotThere, Edited::Done))
        })
        .await
    }

    /// Removes a building with all that is in it, when nobody lives there and nobody is about to. For who has all buildings.
    pub async fn remove_building(&self, scope: &Scope, stamp: &Stamp, id: BuildingId) -> Result<Removed> {
        let removed = tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            let all = [Right::ChangeBuilding, Right::SeePeople];
            let everywhere = reach::holds(&*tx, reach::may_everywhere(scope, Right::ChangeBuilding)).await?;
            if !everywhere || !has_all(&*tx, scope, &all, id).await? {
                return Ok(Removed::NotThere);
            }
            let Some(before) = one_building(&*tx, scope, Right::ChangeBuilding, id).await? else {
                return Ok(Removed::NotThere);
            };
            if before.uses.people > 0 || before.uses.moves > 0 {
                return Ok(Removed::InUse(before.uses));
            }
            let (tenant, building) = (scope.tenant.0, id.0);
            // what each of these holds goes by its foreign keys
            panel::Entity::delete_many()
                .filter(panel::Column::Tenant.eq(tenant))
                .filter(panel::Column::Building.eq(building))
                .exec(&*tx)
                .await?;
            let units = unit::Entity::find()
                .filter(unit::Column::Tenant.eq(tenant))
                .filter(unit::Column::Building.eq(building))
                .order_by_asc(unit::Column::Id)
                .all(&*tx)
                .await?;
            unit::Entity::delete_many()
                .filter(unit::Column::Tenant.eq(tenant))
                .filter(unit::Column::Building.eq(building))
                .exec(&*tx)
                .await?;
            door::Entity::delete_many()
                .filter(door::Column::Tenant.eq(tenant))
                .filter(door::Column::Building.eq(building))
                .exec(&*tx)
                .await?;
            controller::Entity::delete_many()
                .filter(controller::Column::Tenant.eq(tenant))
                .filter(controller::Column::Building.eq(building))
                .exec(&*tx)
                .await?;
            entrance::Entity::delete_many()
                .filter(entrance::Column::Tenant.eq(tenant))
                .filter(entrance::Column::Building.eq(building))
                .exec(&*tx)
                .await?;
            building::Entity::delete_by_id((tenant, building)).exec(&*tx).await?;
            let change = Change {
                building: Some(id),
                action: "building.removed",
                persons: Vec::new(),
                before: Some(told_building(&before.value)),
                after: None,
            };
            audit::append(&tx, scope, stamp, change).await?;
            let gone = |unit: &unit::Model| News::of_unit(EventKind::UnitRemoved, id, unit.id.into());
            news::tell(&tx, scope, stamp, &units.iter().map(gone).collect::<Vec<_>>()).await?;
            Ok(Removed::Done)
        });
        match removed.await {
            // something else still names it
            Err(StorageError::MissingReference) => Ok(Removed::InUse(Uses::default())),
            other => other,
        }
    }

    /// An entrance, to be changed.
    pub async fn entrance_part(&self, scope: &Scope, id: EntranceId) -> Result<Option<Part<Entrance>>> {
        tx::read(self.0, |tx| async move { one_entrance(&*tx, scope, Right::SeeBuilding, id).await }).await
    }

    /// Changes the name of an entrance, when it still has the version that the asker saw.
    pub async fn change_entrance(
        &self,
        scope: &Scope,
        stamp: &Stamp,
        version: u64,
        wanted: Entrance,
    ) -> Result<Edited<Entrance>> {
        let wanted = &wanted;
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            let (right, id) = (Right::ChangeBuilding, wanted.id);
            let Some(before) = one_entrance(&*tx, scope, right, id).await? else {
                return Ok(Edited::NotThere);
            };
            if before.version != version {
                return Ok(Edited::Conflict(before));
            }
            if before.value.name == wanted.name {
                return Ok(Edited::Done(before));
            }
            entrance::Entity::update_many()
                .col_expr(entrance::Column::Name, Expr::val(wanted.name.as_str()))
                .col_expr(entrance::Column::Version, Expr::col(entrance::Column::Version).add(1))
                .filter(entrance::Column::Tenant.eq(scope.tenant.0))
                .filter(entrance::Column::Id.eq(id.0))
                .exec(&*tx)
                .await?;
            let change = Change {
                building: Some(before.value.building),
                action: "entrance.changed",
                persons: Vec::new(),
                before: Some(json!({ "name": before.value.name })),
                after: Some(json!({ "name": wanted.name })),
            };
            audit::append(&tx, scope, stamp, change).await?;
            let after = one_entrance(&*tx, scope, right, id).await?;
            Ok(after.map_or(Edited::NotThere, Edited::Done))
        })
        .await
    }

    /// Removes an entrance that no unit and no panel is at.
    pub async fn remove_entrance(&self, scope: &Scope, stamp: &Stamp, id: EntranceId) -> Result<Removed> {
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            let Some(before) = one_entrance(&*tx, scope, Right::ChangeBuilding, id).await? else {
                return Ok(Removed::NotThere);
            };
            if before.uses.units > 0 || before.uses.panels > 0 {
                return Ok(Removed::InUse(before.uses));
            }
            entrance::Entity::delete_by_id((scope.tenant.0, id.0)).exec(&*tx).await?;
            let change = Change {
                building: Some(before.value.building),
                action: "entrance.removed",
                persons: Vec::new(),
                before: Some(json!({ "name": before.value.name })),
                after: None,
            };
            audit::append(&tx, scope, stamp, change).await?;
            Ok(Removed::Done)
        })
        .await
    }
}

async fn one_building(
    db: &impl ConnectionTrait,
    scope: &Scope,
    right: Right,
    id: BuildingId,
) -> Result<Option<Part<Building>>> {
    let row = building::Entity::find_by_id((scope.tenant.0, id.0))
        .filter(reach::may(scope, right, building::Column::Id))
        .one(db)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let mut uses = uses_of_units(db, scope, id, Condition::all()).await?;
    uses.panels = panels(db, scope, Condition::all().add(panel::Column::Building.eq(id.0))).await?;
    uses.doors = doors(db, scope, Condition::all().add(door::Column::Building.eq(id.0))).await?;
    part("building", row.version, convert::building(&row)?, uses).map(Some)
}

async fn one_entrance(
    db: &impl ConnectionTrait,
    scope: &Scope,
    right: Right,
    id: EntranceId,
) -> Result<Option<Part<Entrance>>> {
    let row = entrance::Entity::find_by_id((scope.tenant.0, id.0))
        .filter(reach::may(scope, right, entrance::Column::Building))
        .one(db)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let behind = Condition::all().add(unit::Column::Entrance.eq(id.0));
    let mut uses = uses_of_units(db, scope, row.building.into(), behind).await?;
    uses.panels = panels(db, scope, Condition::all().add(panel::Column::Entrance.eq(id.0))).await?;
    part("entrance", row.version, convert::entrance(&row)?, uses).map(Some)
}

fn told_building(building: &Building) -> Value {
    let Building { name, address, kind, time_zone, holidays, .. } = building;
    json!({ "name": name, "address": address, "kind": kind, "time_zone": time_zone, "holidays": holidays })
}
