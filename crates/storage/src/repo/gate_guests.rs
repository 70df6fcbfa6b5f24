//! Who comes with a guest's link is nobody yet: its id says which guests it may be.

use crate::Result;
use crate::entity::guest;
use crate::repo::Gate;
use crate::repo::convert::At;
use crate::tx::{self, Isolation, Touched};
use klinke_model::ids::{GuestId, TenantId};
use klinke_model::time::Timestamp;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

impl Gate<'_> {
    /// The guests with this id, of any property manager, each with what its link is derived with. Whoever asks compares.
    ///
    /// # Errors
    /// When the database can not be read.
    pub async fn guest_links(&self, id: GuestId) -> Result<Vec<(TenantId, u64)>> {
        let rows = guest::Entity::find().filter(guest::Column::Id.eq(id.0)).all(&self.0.reader).await?;
        let number = |row: &guest::Model| At("guest", "link_number").number(row.link_number);
        rows.iter().map(|row| Ok((row.tenant.into(), number(row)?))).collect()
    }

    /// Forgets guests who ended before a moment.
    ///
    /// # Errors
    /// When the database can not be written.
    pub async fn forget_guests(&self, before: Timestamp) -> Result<()> {
        tx::write(self.0, Touched::Everybody, Isolation::ReadCommitted, |tx| async move {
            guest::Entity::delete_many()
                .filter(guest::Column::EndsAt.lt(before.as_millis()))
                .exec(&*tx)
                .await?;
            Ok(())
        })
        .await
    }
}
