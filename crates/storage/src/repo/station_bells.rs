//! The button that a door station rings with every number that no button of it has.
//!
//! Invariants: the button is one of the station's own panel; the setting goes with either. The audit tells whose home it is, and
//! neither what stands on the button nor what was dialled.

use crate::Result;
use crate::entity::{bell, station_bell};
use crate::record::{AnyNumberSet, Stamp};
use crate::repo::audit::{self, Change};
use crate::repo::intercom::on_its_panel;
use crate::repo::sip_accounts::{SipAccounts, looked_after, of_panel};
use crate::tx::{self, Isolation};
use klinke_model::ids::{BellId, PanelId};
use klinke_model::scope::{Principal, Scope};
use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};
use std::collections::HashMap;
use uuid::Uuid;

impl SipAccounts<'_> {
    /// Has a door station ring a button of its own with every number that no button of it has; nobody with `None`. For who looks
    /// after its devices.
    pub async fn set_any_number(
        &self,
        scope: &Scope,
        stamp: &Stamp,
        id: PanelId,
        wanted: Option<BellId>,
    ) -> Result<AnyNumberSet> {
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            let Some(row) = looked_after(&*tx, scope, id).await? else {
                return Ok(AnyNumberSet::NotThere);
            };
            if of_panel(&*tx, scope, id).await?.is_none() {
                return Ok(AnyNumberSet::NoStation);
            }
            let before = any_numbers(&*tx, scope, [id.0]).await?.remove(&id.0);
            let after = match wanted {
                Some(bell) => match own(&*tx, scope, id, bell.0).await? {
                    Some(bell) => Some(bell),
                    None => return Ok(AnyNumberSet::NoBell),
                },
                None => None,
            };
            if before == wanted.map(|bell| bell.0) {
                return Ok(AnyNumberSet::Done);
            }
            let told = |bell: Option<&bell::Model>| -> Value {
                json!({ "panel": id, "name": row.name, "unit": bell.map(|bell| bell.unit) })
            };
            let was = match before {
                Some(bell) => own(&*tx, scope, id, bell).await?,
                None => None,
            };
            station_bell::Entity::delete_by_id((scope.tenant.0, id.0)).exec(&*tx).await?;
            if let Some(bell) = &after {
                let row = station_bell::ActiveModel {
                    tenant: Set(scope.tenant.0),
                    panel: Set(id.0),
                    bell: Set(bell.id),
                };
                station_bell::Entity::insert(row).exec_without_returning(&*tx).await?;
            }
            let change = Change {
                building: Some(row.building.into()),
                action: "door_station.changed",
                persons: Vec::new(),
                before: Some(told(was.as_ref())),
                after: Some(told(after.as_ref())),
            };
            audit::append(&tx, scope, stamp, change).await?;
            Ok(AnyNumberSet::Done)
        })
        .await
    }

    /// The button that a door station rings with every number that no button of it has, while it is on its panel. For the station
    /// itself.
    pub async fn bell_of_any_number(&self, scope: &Scope) -> Result<Option<BellId>> {
        let Principal::Panel(panel) = scope.principal else { return Ok(None) };
        tx::read(self.0, |tx| async move {
            let Some(bell) = any_numbers(&*tx, scope, [panel.0]).await?.remove(&panel.0) else {
                return Ok(None);
            };
            let found = bell::Entity::find_by_id((scope.tenant.0, bell))
                .filter(bell::Column::Panel.eq(panel.0))
                .filter(on_its_panel(scope))
                .one(&*tx)
                .await?;
            Ok(found.map(|row| row.id.into()))
        })
        .await
    }
}

/// Which button each of these panels rings with any number, of those that ring one.
pub(super) async fn any_numbers(
    db: &impl ConnectionTrait,
    scope: &Scope,
    panels: impl IntoIterator<Item = Uuid>,
) -> Result<HashMap<Uuid, Uuid>> {
    let rows = station_bell::Entity::find()
        .filter(station_bell::Column::Tenant.eq(scope.tenant.0))
        .filter(station_bell::Column::Panel.is_in(panels))
        .all(db)
        .await?;
    Ok(rows.into_iter().map(|row| (row.panel, row.bell)).collect())
}

/// A button of this panel.
async fn own(
    db: &impl ConnectionTrait,
    scope: &Scope,
    panel: PanelId,
    bell: Uuid,
) -> Result<Option<bell::Model>> {
    let found = bell::Entity::find_by_id((scope.tenant.0, bell))
        .filter(bell::Column::Panel.eq(panel.0))
        .one(db)
        .await?;
    Ok(found)
}
