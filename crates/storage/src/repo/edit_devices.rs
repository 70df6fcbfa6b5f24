//! Changing and removing doors, panels and controllers.

use crate::entity::{bell, controller, door, door_setting, panel, panel_door, unit_door};
use crate::record::{Edited, Part, Removed, Stamp, Uses};
use crate::repo::audit::{self, Change};
use crate::repo::convert::{self, Word};
use crate::repo::doors::touch;
use crate::repo::intercom::{doors_of, panel as panel_of};
use crate::repo::parts::{Parts, doors, has_all, panels, part};
use crate::repo::{reach, station_relays};
use crate::tx::{self, Isolation};
use crate::{Result, StorageError};
use klinke_model::door::{Controller, Door};
use klinke_model::ids::{ControllerId, DoorId, PanelId};
use klinke_model::intercom::Panel;
use klinke_model::rights::Right;
use klinke_model::scope::Scope;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::{Value, json};
use uuid::Uuid;

impl Parts<'_> {
    /// A door, to be changed.
    pub async fn door_part(&self, scope: &Scope, id: DoorId) -> Result<Option<Part<Door>>> {
        tx::read(self.0, |tx| async move { one_door(&*tx, scope, Right::SeeBuilding, id).await }).await
    }

    /// Changes a door, when it still has the version that the asker saw. What drives it is [`Right::Devices`], the rest
    /// [`Right::ChangeBuilding`]. The revision of each controller that is concerned grows.
    ///
    /// # Errors
    /// [`StorageError::Conflict`] when the output drives another door, [`StorageError::Invalid`] when a time is out of
    /// range, [`StorageError::Driven`] when a door station opens it.
    pub async fn change_door(
        &self,
        scope: &Scope,
        stamp: &Stamp,
        version: u64,
        wanted: Door,
    ) -> Result<Edited<Door>> {
        if !wanted.times.is_valid() {
            return Err(StorageError::Invalid("a time of the door is out of range"));
        }
        let wanted = &wanted;
        let changed = tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            let id = wanted.id;
            let Some(before) = one_door(&*tx, scope, Right::SeeBuilding, id).await? else {
                return Ok(Edited::NotThere);
            };
            let was = &before.value;
            let wiring = (was.controller, was.output) != (wanted.controller, wanted.output);
            let rest = was.name != wanted.name || was.times != wanted.times;
            let needed: Vec<Right> = [(wiring, Right::Devices), (rest, Right::ChangeBuilding)]
                .into_iter()
                .filter_map(|(changed, right)| changed.then_some(right))
                .collect();
            if !has_all(&*tx, scope, &needed, was.building).await? {
                return Ok(Edited::NotThere);
            }
            if before.version != version {
                return Ok(Edited::Conflict(before));
            }
            if needed.is_empty() {
                return Ok(Edited::Done(before));
            }
            if wanted.controller.is_some() && wiring {
                station_relays::none(&*tx, scope, id, StorageError::Driven).await?;
            }
            door::Entity::update_many()
                .col_expr(door::Column::Name, Expr::val(wanted.name.as_str()))
                .col_expr(
                    door::Column::Controller,
                    Expr::val(wanted.controller.map(|controller| controller.0)),
                )
                .col_expr(door::Column::Output, Expr::val(i32::from(wanted.output)))
                .col_expr(door::Column::ReleaseMs, Expr::val(i64::from(wanted.times.release_ms)))
                .col_expr(
                    door::Column::ExtendedReleaseMs,
                    Expr::val(i64::from(wanted.times.extended_release_ms)),
                )
                .col_expr(door::Column::OpenMs, Expr::val(i64::from(wanted.times.open_ms)))
                .col_expr(door::Column::Relock, Expr::val(wanted.times.relock.word()))
                .col_expr(door::Column::Version, Expr::col(door::Column::Version).add(1))
                .filter(door::Column::Tenant.eq(scope.tenant.0))
                .filter(door::Column::Id.eq(id.0))
                .exec(&*tx)
                .await?;
            let concerned = was.controller.into_iter().chain(wanted.controller);
            touch(&*tx, scope, concerned.map(|controller| controller.0)).await?;
            let change = Change {
                building: Some(was.building),
                action: "door.changed",
                persons: Vec::new(),
                before: Some(told_door(was)),
                after: Some(told_door(wanted)),
            };
            audit::append(&tx, scope, stamp, change).await?;
            let after = one_door(&*tx, scope, Right::SeeBuilding, id).await?;
            Ok(after.map_or(Edited::NotThere, Edited::Done))
        });
        not_there(changed.await)
    }

    /// Removes a door; nobody may open it any more, and no panel offers it. Not while another door comes after it: that
    /// one would open without it.
    pub async fn remove_door(&self, scope: &Scope, stamp: &Stamp, id: DoorId) -> Result<Removed> {
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            let Some(before) = one_door(&*tx, scope, Right::ChangeBuilding, id).await? else {
                return Ok(Removed::NotThere);
            };
            let after = door_setting::Entity::find()
                .filter(door_setting::Column::Tenant.eq(scope.tenant.0))
                .filter(door_setting::Column::AfterDoor.eq(id.0))
                .count(&*tx)
                .await?;
            if after > 0 {
                return Ok(Removed::InUse(Uses { doors: after, ..Uses::default() }));
            }
            door::Entity::delete_by_id((scope.tenant.0, id.0)).exec(&*tx).await?;
            touch(&*tx, scope, before.value.controller.map(|controller| controller.0)).await?;
            let change = Change {
                building: Some(before.value.building),
                action: "door.removed",
                persons: Vec::new(),
                before: Some(told_door(&before.value)),
                after: None,
            };
            audit::append(&tx, scope, stamp, change).await?;
            Ok(Removed::Done)
        })
        .await
    }

    /// A panel, to be changed.
    pub async fn panel_part(&self, scope: &Scope, id: PanelId) -> Result<Option<Part<Panel>>> {
        tx::read(self.0, |tx| async move { one_panel(&*tx, scope, Right::SeeBuilding, id).await }).await
    }

    /// Changes a panel, when it still has the version that the asker saw. Its entrance and doors must be in its building.
    pub async fn change_panel(
        &self,
        scope: &Scope,
        stamp: &Stamp,
        version: u64,
        wanted: Panel,
    ) -> Result<Edited<Panel>> {
        let wanted = &wanted;
        let changed = tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            let (right, id) = (Right::Devices, wanted.id);
            let Some(before) = one_panel(&*tx, scope, right, id).await? else {
                return Ok(Edited::NotThere);
            };
            if before.version != version {
                return Ok(Edited::Conflict(before));
            }
            if before.value == *wanted {
                return Ok(Edited::Done(before));
            }
            panel::Entity::update_many()
                .col_expr(panel::Column::Name, Expr::val(wanted.name.as_str()))
                .col_expr(panel::Column::Entrance, Expr::val(wanted.entrance.map(|entrance| entrance.0)))
                .col_expr(panel::Column::Version, Expr::col(panel::Column::Version).add(1))
                .filter(panel::Column::Tenant.eq(scope.tenant.0))
                .filter(panel::Column::Id.eq(id.0))
                .exec(&*tx)
                .await?;
            panel_door::Entity::delete_many()
                .filter(panel_door::Column::Tenant.eq(scope.tenant.0))
                .filter(panel_door::Column::Panel.eq(id.0))
                .exec(&*tx)
                .await?;
            let offered = (0..).zip(&wanted.doors).map(|(position, door)| panel_door::ActiveModel {
                tenant: Set(scope.tenant.0),
                panel: Set(id.0),
                door: Set(door.0),
                building: Set(before.value.building.0),
                position: Set(position),
            });
            panel_door::Entity::insert_many(offered).exec_without_returning(&*tx).await?;
            let change = Change {
                building: Some(before.value.building),
                action: "panel.changed",
                persons: Vec::new(),
                before: Some(told_panel(&before.value)),
                after: Some(told_panel(wanted)),
            };
            audit::append(&tx, scope, stamp, change).await?;
            let after = one_panel(&*tx, scope, right, id).await?;
            Ok(after.map_or(Edited::NotThere, Edited::Done))
        });
        not_there(changed.await)
    }

    /// Removes a panel with its buttons; its key opens nothing any more.
    pub async fn remove_panel(&self, scope: &Scope, stamp: &Stamp, id: PanelId) -> Result<Removed> {
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            let Some(before) = one_panel(&*tx, scope, Right::Devices, id).await? else {
                return Ok(Removed::NotThere);
            };
            let all = [Right::ChangeBuilding, Right::SeePeople];
            if !has_all(&*tx, scope, &all, before.value.building).await? {
                return Ok(Removed::NotThere);
            }
            panel::Entity::delete_by_id((scope.tenant.0, id.0)).exec(&*tx).await?;
            let mut gone = told_panel(&before.value);
            if let Some(fields) = gone.as_object_mut() {
                fields.insert("bells".to_owned(), json!(before.uses.bells));
            }
            let change = Change {
                building: Some(before.value.building),
                action: "panel.removed",
                persons: Vec::new(),
                before: Some(gone),
                after: None,
            };
            audit::append(&tx, scope, stamp, change).await?;
            Ok(Removed::Done)
        })
        .await
    }

    /// A controller, to be changed.
    pub async fn controller_part(&self, scope: &Scope, id: ControllerId) -> Result<Option<Part<Controller>>> {
        tx::read(self.0, |tx| async move { one_controller(&*tx, scope, Right::SeeBuilding, id).await }).await
    }

    /// Changes the name of a controller, when it still has the version that the asker saw.
    pub async fn change_controller(
        &self,
        scope: &Scope,
        stamp: &Stamp,
        version: u64,
        wanted: Controller,
    ) -> Result<Edited<Controller>> {
        let wanted = &wanted;
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            let (right, id) = (Right::Devices, wanted.id);
            let Some(before) = one_controller(&*tx, scope, right, id).await? else {
                return Ok(Edited::NotThere);
            };
            if before.version != version {
                return Ok(Edited::Conflict(before));
            }
            if before.value.name == wanted.name {
                return Ok(Edited::Done(before));
            }
            controller::Entity::update_many()
                .col_expr(controller::Column::Name, Expr::val(wanted.name.as_str()))
                .col_expr(controller::Column::Version, Expr::col(controller::Column::Version).add(1))
                .filter(controller::Column::Tenant.eq(scope.tenant.0))
                .filter(controller::Column::Id.eq(id.0))
                .exec(&*tx)
                .await?;
            let change = Change {
                building: Some(before.value.building),
                action: "controller.changed",
                persons: Vec::new(),
                before: Some(json!({ "name": before.value.name })),
                after: Some(json!({ "name": wanted.name })),
            };
            audit::append(&tx, scope, stamp, change).await?;
            let after = one_controller(&*tx, scope, right, id).await?;
            Ok(after.map_or(Edited::NotThere, Edited::Done))
        })
        .await
    }

    /// Removes a controller; its doors have none until they are given another, and its certificate proves nothing.
    pub async fn remove_controller(&self, scope: &Scope, stamp: &Stamp, id: ControllerId) -> Result<Removed> {
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            let Some(before) = one_controller(&*tx, scope, Right::Devices, id).await? else {
                return Ok(Removed::NotThere);
            };
            door::Entity::update_many()
                .col_expr(door::Column::Controller, Expr::val(None::<Uuid>))
                .col_expr(door::Column::Version, Expr::col(door::Column::Version).add(1))
                .filter(door::Column::Tenant.eq(scope.tenant.0))
                .filter(door::Column::Controller.eq(id.0))
                .exec(&*tx)
                .await?;
            controller::Entity::delete_by_id((scope.tenant.0, id.0)).exec(&*tx).await?;
            let change = Change {
                building: Some(before.value.building),
                action: "controller.removed",
                persons: Vec::new(),
                before: Some(json!({ "name": before.value.name, "doors": before.uses.doors })),
                after: None,
            };
            audit::append(&tx, scope, stamp, change).await?;
            Ok(Removed::Done)
        })
        .await
    }
}

async fn one_door(
    db: &impl ConnectionTrait,
    scope: &Scope,
    right: Right,
    id: DoorId,
) -> Result<Option<Part<Door>>> {
    let row = door::Entity::find_by_id((scope.tenant.0, id.0))
        .filter(reach::may(scope, right, door::Column::Building))
        .one(db)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let units = unit_door::Entity::find()
        .filter(unit_door::Column::Tenant.eq(scope.tenant.0))
        .filter(unit_door::Column::Door.eq(id.0))
        .count(db)
        .await?;
    let offering = Query::select()
        .column(panel_door::Column::Panel)
        .from(panel_door::Entity)
        .and_where(panel_door::Column::Tenant.eq(scope.tenant.0))
        .and_where(panel_door::Column::Door.eq(id.0))
        .take();
    let panels = panels(db, scope, Condition::all().add(panel::Column::Id.in_subquery(offering))).await?;
    part("door", row.version, convert::door(&row)?, Uses { units, panels, ..Uses::default() }).map(Some)
}

async fn one_panel(
    db: &impl ConnectionTrait,
    scope: &Scope,
    right: Right,
    id: PanelId,
) -> Result<Option<Part<Panel>>> {
    let row = panel::Entity::find_by_id((scope.tenant.0, id.0))
        .filter(reach::may(scope, right, panel::Column::Building))
        .one(db)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let offered = doors_of(db, scope, [row.id]).await?.remove(&row.id).unwrap_or_default();
    let mut uses = Uses::default();
    if reach::building(db, scope, Right::SeePeople, row.building.into()).await? {
        uses.bells = bell::Entity::find()
            .filter(bell::Column::Tenant.eq(scope.tenant.0))
            .filter(bell::Column::Panel.eq(id.0))
            .count(db)
            .await?;
    }
    part("panel", row.version, panel_of(&row, &offered)?, uses).map(Some)
}

async fn one_controller(
    db: &impl ConnectionTrait,
    scope: &Scope,
    right: Right,
    id: ControllerId,
) -> Result<Option<Part<Controller>>> {
    let row = controller::Entity::find_by_id((scope.tenant.0, id.0))
        .filter(reach::may(scope, right, controller::Column::Building))
        .one(db)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let doors = doors(db, scope, Condition::all().add(door::Column::Controller.eq(id.0))).await?;
    part("controller", row.version, convert::controller(&row)?, Uses { doors, ..Uses::default() }).map(Some)
}

/// What somebody named is not there.
fn not_there<T>(result: Result<Edited<T>>) -> Result<Edited<T>> {
    match result {
        Err(StorageError::MissingReference) => Ok(Edited::NotThere),
        other => other,
    }
}

fn told_door(door: &Door) -> Value {
    let Door { name, controller, output, times, .. } = door;
    json!({ "name": name, "controller": controller, "output": output, "times": times })
}

fn told_panel(panel: &Panel) -> Value {
    json!({ "name": panel.name, "entrance": panel.entrance, "doors": panel.doors })
}
