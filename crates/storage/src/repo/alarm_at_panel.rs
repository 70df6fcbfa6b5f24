//! Alarms that the server itself raises, of what is typed at a panel: the code for duress, and several wrong ones.

use crate::Result;
use crate::entity::{door, panel, panel_door};
use crate::record::Stamp;
use crate::repo::Alarms;
use crate::repo::alarms::Taker;
use crate::tx::{self, Isolation};
use klinke_model::alarm::AlarmKind;
use klinke_model::ids::{DoorId, JournalId, RequestId};
use klinke_model::news::Raised;
use klinke_model::scope::{Principal, Scope};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

impl Alarms<'_> {
    /// Raises an alarm that only happens at a door of the panel that asks; for one request once. `false` for everybody else, for
    /// a kind that lasts, and for a door that no controller drives.
    pub async fn raise_at_panel(
        &self,
        scope: &Scope,
        stamp: &Stamp,
        kind: AlarmKind,
        id: DoorId,
        request: RequestId,
    ) -> Result<bool> {
        let Principal::Panel(asking) = scope.principal else { return Ok(false) };
        // nobody could end it
        if kind.lasts() {
            return Ok(false);
        }
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            let found = panel::Entity::find_by_id((scope.tenant.0, asking.0)).one(&*tx).await?;
            let offered = panel_door::Entity::find()
                .filter(panel_door::Column::Tenant.eq(scope.tenant.0))
                .filter(panel_door::Column::Panel.eq(asking.0))
                .filter(panel_door::Column::Door.eq(id.0))
                .one(&*tx)
                .await?;
            let driven = door::Entity::find_by_id((scope.tenant.0, id.0)).one(&*tx).await?;
            let controller = driven.and_then(|row| row.controller);
            let (Some(panel), Some(_), Some(controller)) = (found, offered, controller) else {
                return Ok(false);
            };
            let taker = Taker {
                scope,
                stamp,
                id: controller.into(),
                building: panel.building.into(),
                // a journal of one entry
                journal: JournalId(request.0),
            };
            taker.happened(&tx, Raised { kind, door: Some(id), part: None }).await
        })
        .await
    }
}
