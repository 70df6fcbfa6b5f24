//! How often a property manager's buildings may call ordinary phones, and where to.

use crate::Result;
use crate::StorageError;
use crate::entity::phone_limits;
use crate::record::{LimitsSet, Stamp};
use crate::repo::audit::{self, Change};
use crate::repo::convert::At;
use crate::repo::{Trunks, reach};
use crate::tx::{self, Isolation};
use klinke_model::phone::PhoneLimits;
use klinke_model::rights::Right;
use klinke_model::scope::Scope;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ConnectionTrait, EntityTrait};
use serde_json::{Value, json};

impl Trunks<'_> {
    /// The limits and their version; the default ones have version 0.
    pub async fn phone_limits(&self, scope: &Scope) -> Result<Option<(u64, PhoneLimits)>> {
        tx::read(self.0, |tx| async move {
            if !reach::holds(&*tx, reach::may_everywhere(scope, Right::ChangeBuilding)).await? {
                return Ok(None);
            }
            current(&*tx, scope).await.map(Some)
        })
        .await
    }

    /// Sets the limits, when they still have the version that the change was made from.
    ///
    /// # Errors
    /// [`StorageError::Invalid`] when one is out of range.
    pub async fn set_phone_limits(
        &self,
        scope: &Scope,
        stamp: &Stamp,
        version: u64,
        limits: PhoneLimits,
    ) -> Result<LimitsSet> {
        if limits.wrong().is_some() {
            return Err(StorageError::Invalid("a limit of calls is out of range"));
        }
        let limits = &limits;
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            if !reach::holds(&*tx, reach::may_everywhere(scope, Right::ChangeBuilding)).await? {
                return Ok(LimitsSet::NotThere);
            }
            let (now, before) = current(&*tx, scope).await?;
            if now != version {
                return Ok(LimitsSet::Conflict(now, before));
            }
            if before == *limits {
                return Ok(LimitsSet::Done(now));
            }
            let next = now.saturating_add(1);
            let row = phone_limits::ActiveModel {
                tenant: Set(scope.tenant.0),
                countries: Set(json!(limits.countries).to_string()),
                number_hour: Set(limits.number_hour.into()),
                building_hour: Set(limits.building_hour.into()),
                tenant_day: Set(limits.tenant_day.into()),
                version: Set(i64::try_from(next).unwrap_or(i64::MAX)),
            };
            let rest = [
                phone_limits::Column::Countries,
                phone_limits::Column::NumberHour,
                phone_limits::Column::BuildingHour,
                phone_limits::Column::TenantDay,
                phone_limits::Column::Version,
            ];
            phone_limits::Entity::insert(row)
                .on_conflict(OnConflict::column(phone_limits::Column::Tenant).update_columns(rest).to_owned())
                .exec_without_returning(&*tx)
                .await?;
            let change = Change {
                building: None,
                action: "phones.limits",
                persons: Vec::new(),
                before: Some(told(&before)),
                after: Some(told(limits)),
            };
            audit::append(&tx, scope, stamp, change).await?;
            Ok(LimitsSet::Done(next))
        })
        .await
    }
}

fn told(limits: &PhoneLimits) -> Value {
    json!({
        "countries": limits.countries,
        "number_hour": limits.number_hour,
        "building_hour": limits.building_hour,
        "tenant_day": limits.tenant_day,
    })
}

/// The limits in force, and their version.
pub(super) async fn current(db: &impl ConnectionTrait, scope: &Scope) -> Result<(u64, PhoneLimits)> {
    let row = phone_limits::Entity::find_by_id(scope.tenant.0).one(db).await?;
    let Some(row) = row else { return Ok((0, PhoneLimits::default())) };
    let limits = PhoneLimits {
        countries: serde_json::from_str(&row.countries)
            .map_err(|_| At("phone_limits", "countries").corrupt())?,
        number_hour: At("phone_limits", "number_hour").number(row.number_hour.into())?,
        building_hour: At("phone_limits", "building_hour").number(row.building_hour.into())?,
        tenant_day: At("phone_limits", "tenant_day").number(row.tenant_day.into())?,
    };
    Ok((At("phone_limits", "version").number(row.version)?, limits))
}
