//! Who has trunks, of every property manager: what keeps them standing finds out here whose scope it needs.

use crate::Result;
use crate::entity::{tenant, trunk};
use crate::repo::Gate;
use klinke_model::ids::TenantId;
use sea_orm::sea_query::Query;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};

impl Gate<'_> {
    /// The property managers, not suspended, who have a trunk that is switched on.
    ///
    /// # Errors
    /// When the database can not be read.
    pub async fn trunk_tenants(&self) -> Result<Vec<TenantId>> {
        let on = Query::select()
            .column(trunk::Column::Tenant)
            .from(trunk::Entity)
            .and_where(trunk::Column::Enabled.eq(true))
            .take();
        let rows = tenant::Entity::find()
            .filter(tenant::Column::Suspended.eq(false))
            .filter(tenant::Column::Tenant.in_subquery(on))
            .order_by_asc(tenant::Column::Tenant)
            .all(&self.0.reader)
            .await?;
        Ok(rows.into_iter().map(|row| row.tenant.into()).collect())
    }
}
