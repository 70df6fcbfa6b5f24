//! What is special about a door, and how it is held.

use crate::entity::{door, door_setting, schedule};
use crate::record::{Edited, KeptSettings, Part, Stamp, Uses};
use crate::repo::audit::{self, Change};
use crate::repo::convert::{At, Word};
use crate::repo::doors::touch;
use crate::repo::parts::{Parts, part};
use crate::repo::{reach, station_relays};
use crate::tx::{self, Isolation, Tx};
use crate::{Result, StorageError};
use klinke_model::door::DoorKind;
use klinke_model::door_settings::{DoorBefore, DoorHold, DoorSettings};
use klinke_model::ids::{BuildingId, ControllerId, DoorId};
use klinke_model::rights::Right;
use klinke_model::scope::{Principal, Scope};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect};
use serde_json::json;
use uuid::Uuid;

impl Parts<'_> {
    /// The settings of a door.
    pub async fn door_settings(&self, scope: &Scope, id: DoorId) -> Result<Option<Part<KeptSettings>>> {
        tx::read(self.0, |tx| async move { one(&*tx, scope, Right::SeeBuilding, id).await }).await
    }

    /// Changes the settings of a door, when it still has the version that the asker saw. The door before it and its hours
    /// have to be of its building; nobody goes through a floor, and it is in no airlock.
    ///
    /// # Errors
    /// [`StorageError::Invalid`] when they can not be, or name what is not there; [`StorageError::NeedsController`] when a
    /// door station opens it.
    pub async fn change_door_settings(
        &self,
        scope: &Scope,
        stamp: &Stamp,
        version: u64,
        id: DoorId,
        wanted: DoorSettings,
    ) -> Result<Edited<KeptSettings>> {
        if wanted.fault(id).is_some() {
            return Err(StorageError::Invalid("settings of a door that can not be"));
        }
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            let Some(before) = one(&*tx, scope, Right::ChangeBuilding, id).await? else {
                return Ok(Edited::NotThere);
            };
            if before.version != version {
                return Ok(Edited::Conflict(before));
            }
            if before.value.settings == wanted {
                return Ok(Edited::Done(before));
            }
            let before = before.value;
            if wanted != DoorSettings::default() {
                station_relays::none(&*tx, scope, id, StorageError::NeedsController).await?;
            }
            if before.kind == DoorKind::Floor && wanted.airlock.is_some() {
                return Err(StorageError::Invalid("a floor is in no airlock"));
            }
            names_its_own(&tx, scope, before.building, &wanted).await?;
            put(&*tx, scope, id, &KeptSettings { settings: wanted, ..before.clone() }).await?;
            let change = Change {
                building: Some(before.building),
                action: "door.settings",
                persons: Vec::new(),
                before: Some(json!({ "door": before.name, "settings": before.settings })),
                after: Some(json!({ "door": before.name, "settings": wanted })),
            };
            audit::append(&tx, scope, stamp, change).await?;
            let after = one(&*tx, scope, Right::ChangeBuilding, id).await?;
            Ok(after.map_or(Edited::NotThere, Edited::Done))
        })
        .await
    }

    /// Holds a door open or shut until it is let go of (`None`). `None` when the door is not there or not theirs.
    ///
    /// # Errors
    /// [`StorageError::NeedsController`] when a door station opens it.
    pub async fn hold_door(
        &self,
        scope: &Scope,
        stamp: &Stamp,
        id: DoorId,
        held: Option<DoorHold>,
    ) -> Result<Option<Part<KeptSettings>>> {
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            let Some(before) = one(&*tx, scope, Right::Devices, id).await? else { return Ok(None) };
            if before.value.held == held {
                return Ok(Some(before));
            }
            let before = before.value;
            if held.is_some() {
                station_relays::none(&*tx, scope, id, StorageError::NeedsController).await?;
            }
            put(&*tx, scope, id, &KeptSettings { held, ..before.clone() }).await?;
            let change = Change {
                building: Some(before.building),
                action: "door.held",
                persons: Vec::new(),
                before: Some(json!({ "door": before.name, "held": before.held })),
                after: Some(json!({ "door": before.name, "held": held })),
            };
            audit::append(&tx, scope, stamp, change).await?;
            one(&*tx, scope, Right::Devices, id).await
        })
        .await
    }

    /// How the doors of a controller are held, for the controller itself.
    pub async fn held_doors(
        &self,
        scope: &Scope,
        controller: ControllerId,
    ) -> Result<Vec<(DoorId, DoorHold)>> {
        if scope.principal != Principal::Controller(controller) {
            return Ok(Vec::new());
        }
        let rows: Vec<(Uuid, String)> = door_setting::Entity::find()
            .inner_join(door::Entity)
            .select_only()
            .column(door_setting::Column::Door)
            .column(door_setting::Column::Held)
            .filter(door_setting::Column::Tenant.eq(scope.tenant.0))
            .filter(door_setting::Column::Held.is_not_null())
            .filter(door::Column::Controller.eq(controller.0))
            .into_tuple()
            .all(&self.0.reader)
            .await?;
        rows.into_iter()
            .map(|(door, held)| Ok((door.into(), At("door_setting", "held").choice(&held)?)))
            .collect()
    }
}

/// The door before and the hours have to be of the building.
async fn names_its_own(tx: &Tx, scope: &Scope, building: BuildingId, wanted: &DoorSettings) -> Result<()> {
    if let Some(after) = wanted.after {
        let known = door::Entity::find_by_id((scope.tenant.0, after.door.0))
            .filter(door::Column::Building.eq(building.0))
            .filter(door::Column::Kind.eq(DoorKind::Door.word()))
            .one(&**tx)
            .await?;
        if known.is_none() {
            return Err(StorageError::Invalid("the door before is not of this building, or no door"));
        }
    }
    if let Some(unlocked) = wanted.unlocked {
        let known = schedule::Entity::find_by_id((scope.tenant.0, unlocked.0))
            .filter(schedule::Column::Building.eq(building.0))
            .one(&**tx)
            .await?;
        if known.is_none() {
            return Err(StorageError::Invalid("the hours are not of this building"));
        }
    }
    Ok(())
}

async fn one(
    db: &impl ConnectionTrait,
    scope: &Scope,
    right: Right,
    id: DoorId,
) -> Result<Option<Part<KeptSettings>>> {
    let found = door::Entity::find_by_id((scope.tenant.0, id.0))
        .filter(reach::may(scope, right, door::Column::Building))
        .one(db)
        .await?;
    let Some(found) = found else { return Ok(None) };
    let (settings, held) = of(db, scope, id).await?;
    let value = KeptSettings {
        building: found.building.into(),
        controller: found.controller.map(Into::into),
        name: At("door", "name").label(&found.name)?,
        kind: At("door", "kind").choice(&found.kind)?,
        settings,
        held,
    };
    part("door", found.version, value, Uses::default()).map(Some)
}

/// What is special about a door that is known to be there, and how it is held.
pub(super) async fn of(
    db: &impl ConnectionTrait,
    scope: &Scope,
    id: DoorId,
) -> Result<(DoorSettings, Option<DoorHold>)> {
    let Some(row) = door_setting::Entity::find_by_id((scope.tenant.0, id.0)).one(db).await? else {
        return Ok((DoorSettings::default(), None));
    };
    let held = row.held.as_deref().map(|held| At("door_setting", "held").choice(held)).transpose()?;
    Ok((read(&row)?, held))
}

/// The settings of a row.
pub(super) fn read(row: &door_setting::Model) -> Result<DoorSettings> {
    let at = |column| At("door_setting", column);
    let within_s = |column: &'static str, value: Option<i64>| {
        value.map(|value| at(column).number::<u16>(value)).transpose()
    };
    let after_s: Option<u16> = within_s("after_s", row.after_s)?;
    Ok(DoorSettings {
        refuses_copyable: row.refuses_copyable,
        two_people_within_s: within_s("two_people_s", row.two_people_s)?,
        after: row.after_door.zip(after_s).map(|(door, within_s)| DoorBefore { door: door.into(), within_s }),
        airlock: row.airlock.map(|airlock| at("airlock").number(airlock)).transpose()?,
        unlocked: row.unlocked.map(Into::into),
        first_person_in: row.first_person_in,
    })
}

/// Writes them; the version of the door and the revision of its controller grow.
async fn put(db: &impl ConnectionTrait, scope: &Scope, id: DoorId, kept: &KeptSettings) -> Result<()> {
    let KeptSettings { settings, held, .. } = kept;
    let row = door_setting::ActiveModel {
        tenant: Set(scope.tenant.0),
        door: Set(id.0),
        building: Set(kept.building.0),
        refuses_copyable: Set(settings.refuses_copyable),
        two_people_s: Set(settings.two_people_within_s.map(Into::into)),
        after_door: Set(settings.after.map(|after| after.door.0)),
        after_s: Set(settings.after.map(|after| after.within_s.into())),
        airlock: Set(settings.airlock.map(Into::into)),
        unlocked: Set(settings.unlocked.map(|unlocked| unlocked.0)),
        first_person_in: Set(settings.first_person_in),
        held: Set(held.map(|held| held.word().to_owned())),
    };
    use door_setting::Column;
    let conflict = OnConflict::columns([Column::Tenant, Column::Door])
        .update_columns([
            Column::RefusesCopyable,
            Column::TwoPeopleS,
            Column::AfterDoor,
            Column::AfterS,
            Column::Airlock,
            Column::Unlocked,
            Column::FirstPersonIn,
            Column::Held,
        ])
        .to_owned();
    door_setting::Entity::insert(row).on_conflict(conflict).exec_without_returning(db).await?;
    door::Entity::update_many()
        .col_expr(door::Column::Version, Expr::col(door::Column::Version).add(1))
        .filter(door::Column::Tenant.eq(scope.tenant.0))
        .filter(door::Column::Id.eq(id.0))
        .exec(db)
        .await?;
    touch(db, scope, kept.controller.map(|controller| controller.0)).await
}
