//! Who may register over SIP, of every property manager: a device names itself and nobody else.

use crate::Result;
use crate::entity::{device, sip_account, tenant};
use crate::record::SipLogin;
use crate::repo::{Gate, sip_accounts};
use klinke_model::privacy::Pii;
use sea_orm::sea_query::Query;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};

impl Gate<'_> {
    /// Every account of property managers who are not suspended.
    ///
    /// # Errors
    /// When the database can not be read.
    pub async fn sip_logins(&self) -> Result<Vec<SipLogin>> {
        let at_work = Query::select()
            .column(tenant::Column::Tenant)
            .from(tenant::Entity)
            .and_where(tenant::Column::Suspended.eq(false))
            .take();
        let rows = sip_account::Entity::find()
            .find_also_related(device::Entity)
            .filter(sip_account::Column::Tenant.in_subquery(at_work))
            .order_by_asc(sip_account::Column::Tenant)
            .order_by_asc(sip_account::Column::Id)
            .all(&self.0.reader)
            .await?;
        let logins = rows.into_iter().filter_map(|(row, device)| {
            let of = sip_accounts::owner(&row, device.as_ref())?;
            let (md5, sha256) = (Pii::new(row.md5), Pii::new(row.sha256));
            Some(SipLogin { tenant: row.tenant.into(), id: row.id.into(), name: row.name, md5, sha256, of })
        });
        Ok(logins.collect())
    }
}
