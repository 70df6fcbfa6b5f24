//! Hours under a name, for any number of rules of a building.

use crate::entity::{access_rule, door_setting, schedule};
use crate::record::{Edited, Part, Removed, Stamp, Uses};
use crate::repo::audit::{self, Change};
use crate::repo::convert::At;
use crate::repo::doors::touch_all_of;
use crate::repo::parts::part;
use crate::repo::reach;
use crate::repo::rules::Rules;
use crate::tx::{self, Isolation};
use crate::{Result, StorageError};
use klinke_model::ids::{BuildingId, ScheduleId};
use klinke_model::rights::Right;
use klinke_model::rule::NamedSchedule;
use klinke_model::schedule::Schedule;
use klinke_model::scope::Scope;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::{Value, json};

impl Rules<'_> {
    /// The schedules of a building, by name.
    pub async fn schedules(&self, scope: &Scope, building: BuildingId) -> Result<Vec<Part<NamedSchedule>>> {
        tx::read(self.0, |tx| async move {
            let rows = schedule::Entity::find()
                .filter(schedule::Column::Tenant.eq(scope.tenant.0))
                .filter(schedule::Column::Building.eq(building.0))
                .filter(reach::may(scope, Right::SeeBuilding, schedule::Column::Building))
                .all(&*tx)
                .await?;
            let mut all = Vec::with_capacity(rows.len());
            for row in &rows {
                all.push(with_uses(&*tx, scope, row).await?);
            }
            all.sort_by_cached_key(|part: &Part<NamedSchedule>| (part.value.name.clone(), part.value.id));
            Ok(all)
        })
        .await
    }

    /// One schedule.
    pub async fn schedule(&self, scope: &Scope, id: ScheduleId) -> Result<Option<Part<NamedSchedule>>> {
        tx::read(self.0, |tx| async move { one(&*tx, scope, Right::SeeBuilding, id).await }).await
    }

    /// Adds a schedule to a building.
    ///
    /// # Errors
    /// [`StorageError::Invalid`] when its hours can not be.
    pub async fn insert_schedule(&self, scope: &Scope, stamp: &Stamp, new: NamedSchedule) -> Result<bool> {
        let new = &new;
        sound(&new.schedule)?;
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            if !reach::building(&*tx, scope, Right::ChangeBuilding, new.building).await? {
                return Ok(false);
            }
            let row = schedule::ActiveModel {
                tenant: Set(scope.tenant.0),
                id: Set(new.id.0),
                building: Set(new.building.0),
                name: Set(new.name.as_str().to_owned()),
                hours: Set(json_of(&new.schedule)?.to_string()),
                version: Set(1),
            };
            schedule::Entity::insert(row).exec_without_returning(&*tx).await?;
            audit::append(&tx, scope, stamp, Change::made(new.building, "schedule.made", told(new)?)).await?;
            Ok(true)
        })
        .await
    }

    /// Changes a schedule, when it still has the version that the asker saw. All rules that name it change with it.
    ///
    /// # Errors
    /// [`StorageError::Invalid`] when its hours can not be.
    pub async fn change_schedule(
        &self,
        scope: &Scope,
        stamp: &Stamp,
        version: u64,
        wanted: NamedSchedule,
    ) -> Result<Edited<NamedSchedule>> {
        let wanted = &wanted;
        sound(&wanted.schedule)?;
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            let Some(before) = one(&*tx, scope, Right::ChangeBuilding, wanted.id).await? else {
                return Ok(Edited::NotThere);
            };
            if before.version != version {
                return Ok(Edited::Conflict(before));
            }
            if (&before.value.name, &before.value.schedule) == (&wanted.name, &wanted.schedule) {
                return Ok(Edited::Done(before));
            }
            schedule::Entity::update_many()
                .col_expr(schedule::Column::Name, Expr::val(wanted.name.as_str()))
                .col_expr(schedule::Column::Hours, Expr::val(json_of(&wanted.schedule)?.to_string()))
                .col_expr(schedule::Column::Version, Expr::col(schedule::Column::Version).add(1))
                .filter(schedule::Column::Tenant.eq(scope.tenant.0))
                .filter(schedule::Column::Id.eq(wanted.id.0))
                .exec(&*tx)
                .await?;
            touch_all_of(&*tx, scope, before.value.building).await?;
            let change = Change {
                building: Some(before.value.building),
                action: "schedule.changed",
                persons: Vec::new(),
                before: Some(told(&before.value)?),
                after: Some(told(wanted)?),
            };
            audit::append(&tx, scope, stamp, change).await?;
            let after = one(&*tx, scope, Right::ChangeBuilding, wanted.id).await?;
            Ok(after.map_or(Edited::NotThere, Edited::Done))
        })
        .await
    }

    /// Removes a schedule that no rule and no door names.
    pub async fn remove_schedule(&self, scope: &Scope, stamp: &Stamp, id: ScheduleId) -> Result<Removed> {
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            let Some(before) = one(&*tx, scope, Right::ChangeBuilding, id).await? else {
                return Ok(Removed::NotThere);
            };
            if before.uses.rules + before.uses.doors > 0 {
                return Ok(Removed::InUse(before.uses));
            }
            schedule::Entity::delete_by_id((scope.tenant.0, id.0)).exec(&*tx).await?;
            let change = Change {
                building: Some(before.value.building),
                action: "schedule.removed",
                persons: Vec::new(),
                before: Some(told(&before.value)?),
                after: None,
            };
            audit::append(&tx, scope, stamp, change).await?;
            Ok(Removed::Done)
        })
        .await
    }
}

async fn one(
    db: &impl ConnectionTrait,
    scope: &Scope,
    right: Right,
    id: ScheduleId,
) -> Result<Option<Part<NamedSchedule>>> {
    let row = schedule::Entity::find_by_id((scope.tenant.0, id.0))
        .filter(reach::may(scope, right, schedule::Column::Building))
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
    row: &schedule::Model,
) -> Result<Part<NamedSchedule>> {
    let rules = access_rule::Entity::find()
        .filter(access_rule::Column::Tenant.eq(scope.tenant.0))
        .filter(access_rule::Column::Building.eq(row.building))
        .filter(access_rule::Column::Schedule.eq(row.id))
        .count(db)
        .await?;
    let doors = door_setting::Entity::find()
        .filter(door_setting::Column::Tenant.eq(scope.tenant.0))
        .filter(door_setting::Column::Building.eq(row.building))
        .filter(door_setting::Column::Unlocked.eq(row.id))
        .count(db)
        .await?;
    let value = NamedSchedule {
        id: row.id.into(),
        building: row.building.into(),
        name: At("schedule", "name").label(&row.name)?,
        schedule: read(&row.hours)?,
    };
    part("schedule", row.version, value, Uses { rules, doors, ..Uses::default() })
}

/// The hours as they are written.
pub(super) fn read(hours: &str) -> Result<Schedule> {
    serde_json::from_str(hours).map_err(|_| At("schedule", "hours").corrupt())
}

fn sound(schedule: &Schedule) -> Result<()> {
    match schedule.fault() {
        None => Ok(()),
        Some(_) => Err(StorageError::Invalid("the hours of a schedule can not be")),
    }
}

fn json_of(schedule: &Schedule) -> Result<Value> {
    serde_json::to_value(schedule)
        .map_err(|_| StorageError::Invalid("a schedule that can not be written as JSON"))
}

fn told(of: &NamedSchedule) -> Result<Value> {
    Ok(json!({ "name": of.name, "hours": json_of(&of.schedule)? }))
}
