//! Buildings, entrances, units.

use crate::entity::{building, door, entrance, unit, unit_door};
use crate::error::absent_is_false;
use crate::record::Stamp;
use crate::repo::audit::{self, Change};
use crate::repo::convert::{self, At, Word};
use crate::repo::doors::touch_all_of;
use crate::repo::news::{self, News};
use crate::repo::reach;
use crate::tx::{self, Isolation};
use crate::{Result, Store};
use klinke_access::decide::SiteMode;
use klinke_model::alphabet::Alphabet;
use klinke_model::events::EventKind;
use klinke_model::fold::fold;
use klinke_model::ids::{BuildingId, DoorId};
use klinke_model::rights::Right;
use klinke_model::scope::Scope;
use klinke_model::site::{Building, Entrance, Unit};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::json;

/// How many rows one statement inserts: a statement has a limited number of values.
const AT_ONCE: usize = 500;

/// Buildings, entrances, units: for who administers the building.
///
/// Every function fails only when the database can not do its work; what is not there, or not the principal's, is
/// `None`, `false` or empty. An id that is taken is [`crate::StorageError::Conflict`].
#[derive(Debug)]
pub struct Sites<'a>(pub(crate) &'a Store);

impl Sites<'_> {
    /// The buildings that the principal administers, by name.
    pub async fn buildings(&self, scope: &Scope) -> Result<Vec<Building>> {
        let rows = building::Entity::find()
            .filter(building::Column::Tenant.eq(scope.tenant.0))
            .filter(reach::may(scope, Right::SeeBuilding, building::Column::Id))
            .all(&self.0.reader)
            .await?;
        convert::sorted(&rows, convert::building, |building| (building.name.clone(), building.id))
    }

    /// One of them.
    pub async fn building(&self, scope: &Scope, building: BuildingId) -> Result<Option<Building>> {
        building::Entity::find_by_id((scope.tenant.0, building.0))
            .filter(reach::may(scope, Right::SeeBuilding, building::Column::Id))
            .one(&self.0.reader)
            .await?
            .as_ref()
            .map(convert::building)
            .transpose()
    }

    /// Entrances of a building, by name.
    pub async fn entrances(&self, scope: &Scope, building: BuildingId) -> Result<Vec<Entrance>> {
        let rows = entrance::Entity::find()
            .filter(entrance::Column::Tenant.eq(scope.tenant.0))
            .filter(entrance::Column::Building.eq(building.0))
            .filter(reach::may(scope, Right::SeeBuilding, entrance::Column::Building))
            .all(&self.0.reader)
            .await?;
        convert::sorted(&rows, convert::entrance, |entrance| (entrance.name.clone(), entrance.id))
    }

    /// Units of a building, by number.
    pub async fn units(&self, scope: &Scope, building: BuildingId) -> Result<Vec<Unit>> {
        let rows = unit::Entity::find()
            .filter(unit::Column::Tenant.eq(scope.tenant.0))
            .filter(unit::Column::Building.eq(building.0))
            .filter(reach::may(scope, Right::SeeBuilding, unit::Column::Building))
            .all(&self.0.reader)
            .await?;
        convert::sorted(&rows, convert::unit, |unit| (unit.number.clone(), unit.id))
    }

    /// Adds a building, in normal mode. For the service and managers.
    pub async fn insert_building(&self, scope: &Scope, stamp: &Stamp, building: Building) -> Result<bool> {
        let building = &building;
        let added = tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            if !reach::holds(&*tx, reach::may_everywhere(scope, Right::ChangeBuilding)).await? {
                return Ok(false);
            }
            let row = building::ActiveModel {
                tenant: Set(scope.tenant.0),
                id: Set(building.id.0),
                name: Set(building.name.as_str().to_owned()),
                address: Set(building.address.as_str().to_owned()),
                kind: Set(building.kind.word().to_owned()),
                time_zone: Set(building.time_zone.clone()),
                mode: Set(SiteMode::Normal.word().to_owned()),
                version: Set(1),
                holidays: Set(building.holidays.word().to_owned()),
                residential_until: Set(None),
            };
            building::Entity::insert(row).exec_without_returning(&*tx).await?;
            let after = json!({ "name": building.name, "address": building.address, "kind": building.kind });
            audit::append(&tx, scope, stamp, Change::made(building.id, "building.made", after)).await?;
            Ok(true)
        });
        absent_is_false(added.await)
    }

    /// Adds an entrance.
    pub async fn insert_entrance(&self, scope: &Scope, stamp: &Stamp, entrance: Entrance) -> Result<bool> {
        let entrance = &entrance;
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            if !reach::building(&*tx, scope, Right::ChangeBuilding, entrance.building).await? {
                return Ok(false);
            }
            let row = entrance::ActiveModel {
                tenant: Set(scope.tenant.0),
                id: Set(entrance.id.0),
                building: Set(entrance.building.0),
                name: Set(entrance.name.as_str().to_owned()),
                version: Set(1),
            };
            entrance::Entity::insert(row).exec_without_returning(&*tx).await?;
            let after = json!({ "name": entrance.name });
            audit::append(&tx, scope, stamp, Change::made(entrance.building, "entrance.made", after)).await?;
            Ok(true)
        })
        .await
    }

    /// Adds units to a building, with the doors that their people may open; all of them or none. Their entrances and the
    /// doors must be in the building.
    pub async fn insert_units(
        &self,
        scope: &Scope,
        stamp: &Stamp,
        building: BuildingId,
        units: &[Unit],
        doors: &[DoorId],
    ) -> Result<bool> {
        if units.is_empty() || units.iter().any(|unit| unit.building != building) {
            return Ok(false);
        }
        let added = tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            if !reach::building(&*tx, scope, Right::ChangeBuilding, building).await? {
                return Ok(false);
            }
            let known = door::Entity::find()
                .filter(door::Column::Tenant.eq(scope.tenant.0))
                .filter(door::Column::Building.eq(building.0))
                .filter(door::Column::Id.is_in(doors.iter().map(|door| door.0)))
                .count(&*tx)
                .await?;
            if known != doors.len() as u64 {
                return Ok(false);
            }
            for some in units.chunks(AT_ONCE) {
                let rows = some.iter().map(|unit| unit::ActiveModel {
                    tenant: Set(scope.tenant.0),
                    id: Set(unit.id.0),
                    building: Set(unit.building.0),
                    entrance: Set(unit.entrance.0),
                    number: Set(unit.number.as_str().to_owned()),
                    version: Set(1),
                    folded: Set(fold(unit.number.as_str()).into_bytes()),
                    sort_number: Set(Alphabet::Norwegian.natural(unit.number.as_str())),
                });
                unit::Entity::insert_many(rows).exec_without_returning(&*tx).await?;
                for door in doors {
                    let rows = some.iter().map(|unit| unit_door::ActiveModel {
                        tenant: Set(scope.tenant.0),
                        unit: Set(unit.id.0),
                        door: Set(door.0),
                    });
                    unit_door::Entity::insert_many(rows).exec_without_returning(&*tx).await?;
                }
            }
            let numbers: Vec<_> = units.iter().map(|unit| &unit.number).collect();
            let after = json!({ "numbers": numbers, "doors": doors });
            audit::append(&tx, scope, stamp, Change::made(building, "units.made", after)).await?;
            let news: Vec<_> =
                units.iter().map(|unit| News::of_unit(EventKind::UnitCreated, building, unit.id)).collect();
            news::tell(&tx, scope, stamp, &news).await?;
            Ok(true)
        });
        absent_is_false(added.await)
    }

    /// Whether an emergency is on in a building.
    pub async fn site_mode(&self, scope: &Scope, id: BuildingId) -> Result<Option<SiteMode>> {
        let found = building::Entity::find_by_id((scope.tenant.0, id.0))
            .filter(reach::may(scope, Right::SeeBuilding, building::Column::Id))
            .one(&self.0.reader)
            .await?;
        found.map(|found| At("building", "mode").choice(&found.mode)).transpose()
    }

    /// Sets whether an emergency is on in a building.
    pub async fn set_mode(
        &self,
        scope: &Scope,
        stamp: &Stamp,
        building: BuildingId,
        mode: SiteMode,
    ) -> Result<bool> {
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            let before = building::Entity::find_by_id((scope.tenant.0, building.0)).one(&*tx).await?;
            let changed = building::Entity::update_many()
                .col_expr(building::Column::Mode, Expr::val(mode.word()))
                .filter(building::Column::Tenant.eq(scope.tenant.0))
                .filter(building::Column::Id.eq(building.0))
                .filter(reach::may(scope, Right::ChangeBuilding, building::Column::Id))
                .exec(&*tx)
                .await?;
            if changed.rows_affected == 0 {
                return Ok(false);
            }
            touch_all_of(&*tx, scope, building).await?;
            let change = Change {
                building: Some(building),
                action: "building.mode_changed",
                persons: Vec::new(),
                before: before.map(|before| json!({ "mode": before.mode })),
                after: Some(json!({ "mode": mode.word() })),
            };
            audit::append(&tx, scope, stamp, change).await?;
            Ok(true)
        })
        .await
    }
}
