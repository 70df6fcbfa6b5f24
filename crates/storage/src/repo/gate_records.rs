//! What is forgotten of records of use, of every property manager.

use crate::Result;
use crate::entity::{access_record, record_reading};
use crate::repo::Gate;
use crate::tx::{self, Isolation, Touched};
use klinke_model::time::Timestamp;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

impl Gate<'_> {
    /// Forgets the records of use, and the readings of them, whose days are over at this moment.
    ///
    /// # Errors
    /// When the database can not be written.
    pub async fn forget_records(&self, now: Timestamp) -> Result<()> {
        tx::write(self.0, Touched::Everybody, Isolation::ReadCommitted, |tx| async move {
            access_record::Entity::delete_many()
                .filter(access_record::Column::ForgetAt.lte(now.as_millis()))
                .exec(&*tx)
                .await?;
            record_reading::Entity::delete_many()
                .filter(record_reading::Column::ForgetAt.lte(now.as_millis()))
                .exec(&*tx)
                .await?;
            Ok(())
        })
        .await
    }
}
