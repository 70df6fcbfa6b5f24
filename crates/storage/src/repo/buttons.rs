//! Taking buttons away and putting them in order.

use crate::Result;
use crate::entity::bell;
use crate::record::Stamp;
use crate::repo::audit::{self, Change};
use crate::repo::intercom::Intercom;
use crate::repo::reach;
use crate::tx::{self, Isolation};
use klinke_model::ids::{BellId, BuildingId, PanelId};
use klinke_model::rights::Right;
use klinke_model::scope::Scope;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use serde_json::json;

impl Intercom<'_> {
    /// Takes a button off its panel; the building of that panel.
    pub async fn remove_bell(
        &self,
        scope: &Scope,
        stamp: &Stamp,
        bell: BellId,
    ) -> Result<Option<BuildingId>> {
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            let found = bell::Entity::find_by_id((scope.tenant.0, bell.0))
                .filter(reach::may(scope, Right::ChangeBuilding, bell::Column::Building))
                .one(&*tx)
                .await?;
            let Some(found) = found else { return Ok(None) };
            let members = crate::entity::bell_member::Entity::find()
                .filter(crate::entity::bell_member::Column::Tenant.eq(scope.tenant.0))
                .filter(crate::entity::bell_member::Column::Bell.eq(bell.0))
                .all(&*tx)
                .await?;
            bell::Entity::delete_by_id((scope.tenant.0, bell.0)).exec(&*tx).await?;
            let change = Change {
                building: Some(found.building.into()),
                action: "bell.removed",
                persons: members.iter().map(|member| member.person.into()).collect(),
                before: Some(json!({ "panel": found.panel, "unit": found.unit, "text": found.label })),
                after: None,
            };
            audit::append(&tx, scope, stamp, change).await?;
            Ok(Some(found.building.into()))
        })
        .await
    }

    /// Puts the buttons of a panel in this order. `false` when they are not exactly the panel's.
    pub async fn order_bells(
        &self,
        scope: &Scope,
        stamp: &Stamp,
        panel: PanelId,
        order: &[BellId],
    ) -> Result<bool> {
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            let rows = bell::Entity::find()
                .filter(bell::Column::Tenant.eq(scope.tenant.0))
                .filter(bell::Column::Panel.eq(panel.0))
                .filter(reach::may(scope, Right::ChangeBuilding, bell::Column::Building))
                .order_by_asc(bell::Column::Position)
                .order_by_asc(bell::Column::Id)
                .all(&*tx)
                .await?;
            let before: Vec<BellId> = rows.iter().map(|row| row.id.into()).collect();
            let (mut known, mut named) = (before.clone(), order.to_vec());
            known.sort();
            named.sort();
            let Some(first) = rows.first().filter(|_| known == named) else { return Ok(false) };
            for (position, bell) in (0_i32..).zip(order) {
                bell::Entity::update_many()
                    .col_expr(bell::Column::Position, Expr::val(position))
                    .filter(bell::Column::Tenant.eq(scope.tenant.0))
                    .filter(bell::Column::Id.eq(bell.0))
                    .exec(&*tx)
                    .await?;
            }
            let change = Change {
                building: Some(first.building.into()),
                action: "bells.ordered",
                persons: Vec::new(),
                before: Some(json!({ "panel": panel, "bells": before })),
                after: Some(json!({ "panel": panel, "bells": order })),
            };
            audit::append(&tx, scope, stamp, change).await?;
            Ok(true)
        })
        .await
    }
}
