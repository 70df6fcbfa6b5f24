//! What is due and what is forgotten of alarms, of every property manager.

use crate::Result;
use crate::entity::{alarm, alarm_mail};
use crate::record::DueAlarmMail;
use crate::repo::Gate;
use crate::repo::convert::At;
use crate::tx::{self, Isolation};
use klinke_model::time::Timestamp;
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use std::time::Duration;

impl Gate<'_> {
    /// Mails about alarms that are due at this moment, of every property manager.
    ///
    /// # Errors
    /// When the database can not be read.
    pub async fn due_alarm_mails(&self, at: Timestamp, at_most: u64) -> Result<Vec<DueAlarmMail>> {
        let rows = alarm_mail::Entity::find()
            .filter(alarm_mail::Column::RunAt.lte(at.as_millis()))
            .order_by_asc(alarm_mail::Column::RunAt)
            .limit(at_most)
            .all(&self.0.reader)
            .await?;
        let due = |row: alarm_mail::Model| {
            Ok(DueAlarmMail {
                tenant: row.tenant.into(),
                building: row.building.into(),
                run_at: Timestamp::from_millis(row.run_at.unwrap_or_default()),
                attempts: At("alarm_mail", "attempts").number(row.attempts.into())?,
            })
        };
        rows.into_iter().map(due).collect()
    }

    /// Forgets alarms that are over for `seen`, when somebody has seen them, and for `unseen` otherwise.
    ///
    /// # Errors
    /// When the database can not be written.
    pub async fn forget_alarms(&self, now: Timestamp, seen: Duration, unseen: Duration) -> Result<()> {
        let before = |age: Duration| {
            let millis = i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
            alarm::Column::OverAt.lt(now.as_millis().saturating_sub(millis))
        };
        let old = &Condition::any()
            .add(before(unseen))
            .add(Condition::all().add(before(seen)).add(alarm::Column::SeenAt.is_not_null()));
        tx::write(self.0, Isolation::ReadCommitted, |tx| async move {
            alarm::Entity::delete_many().filter(old.clone()).exec(&*tx).await?;
            Ok(())
        })
        .await
    }
}
