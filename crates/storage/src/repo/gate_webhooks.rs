//! Which addresses have something to hear, of every property manager: the worker finds out here whose scope it needs.

use crate::Result;
use crate::entity::{webhook, webhook_delivery};
use crate::record::DueWebhook;
use crate::repo::webhooks::waits;
use crate::repo::{Gate, reach};
use klinke_model::time::Timestamp;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

impl Gate<'_> {
    /// Addresses for which something is due at this moment, the oldest first.
    ///
    /// # Errors
    /// When the database can not be read.
    pub async fn due_webhooks(&self, at: Timestamp, at_most: u64) -> Result<Vec<DueWebhook>> {
        let rows = webhook::Entity::find()
            .filter(webhook::Column::Enabled.eq(true))
            .filter(webhook::Column::RunAt.lte(at.as_millis()))
            .filter(reach::exists(webhook_delivery::Entity, waits()))
            .order_by_asc(webhook::Column::RunAt)
            .order_by_asc(webhook::Column::Id)
            .limit(at_most)
            .all(&self.0.reader)
            .await?;
        let due = |row: webhook::Model| DueWebhook {
            tenant: row.tenant.into(),
            id: row.id.into(),
            run_at: Timestamp::from_millis(row.run_at),
        };
        Ok(rows.into_iter().map(due).collect())
    }
}
