//! What a building's people may decide for themselves.

use crate::entity::building_policy;
use crate::record::{PolicySet, Stamp};
use crate::repo::audit::{self, Change};
use crate::repo::convert::At;
use crate::repo::own_codes;
use crate::repo::reach;
use crate::repo::sites::Sites;
use crate::tx::{self, Isolation};
use crate::{Result, StorageError};
use klinke_model::ids::BuildingId;
use klinke_model::policy::BuildingPolicy;
use klinke_model::rights::Right;
use klinke_model::scope::Scope;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use std::collections::HashMap;
use uuid::Uuid;

impl Sites<'_> {
    /// The policy of a building and its version; the default one has version 0.
    pub async fn policy(&self, scope: &Scope, building: BuildingId) -> Result<Option<(u64, BuildingPolicy)>> {
        tx::read(self.0, |tx| async move {
            if !reach::building(&*tx, scope, Right::SeeBuilding, building).await? {
                return Ok(None);
            }
            current(&*tx, scope, building).await.map(Some)
        })
        .await
    }

    /// Changes the policy, when it still has the version that the change was made from.
    ///
    /// # Errors
    /// [`StorageError::Invalid`] when it is out of range.
    pub async fn set_policy(
        &self,
        scope: &Scope,
        stamp: &Stamp,
        building: BuildingId,
        version: u64,
        policy: BuildingPolicy,
    ) -> Result<PolicySet> {
        if policy.wrong().is_some() {
            return Err(StorageError::Invalid("a field of the policy is out of range"));
        }
        let policy = &policy;
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            if !reach::building(&*tx, scope, Right::ChangeBuilding, building).await? {
                return Ok(PolicySet::NotThere);
            }
            let (now, before) = current(&*tx, scope, building).await?;
            if now != version {
                return Ok(PolicySet::Changed(now, before));
            }
            if *policy == before {
                return Ok(PolicySet::Done(now));
            }
            let next = now.saturating_add(1);
            let row = building_policy::ActiveModel {
                tenant: Set(scope.tenant.0),
                building: Set(building.0),
                version: Set(i64::try_from(next).unwrap_or(i64::MAX)),
                policy: Set(json(policy)?.to_string()),
            };
            let key = [building_policy::Column::Tenant, building_policy::Column::Building];
            let rest = [building_policy::Column::Version, building_policy::Column::Policy];
            building_policy::Entity::insert(row)
                .on_conflict(OnConflict::columns(key).update_columns(rest).to_owned())
                .exec_without_returning(&*tx)
                .await?;
            if before.own_codes && !policy.own_codes {
                own_codes::end_all(&*tx, scope, building).await?;
            }
            let change = Change {
                building: Some(building),
                action: "policy.changed",
                persons: Vec::new(),
                before: Some(json(&before)?),
                after: Some(json(policy)?),
            };
            audit::append(&tx, scope, stamp, change).await?;
            Ok(PolicySet::Done(next))
        })
        .await
    }
}

pub(super) async fn current(
    db: &impl ConnectionTrait,
    scope: &Scope,
    building: BuildingId,
) -> Result<(u64, BuildingPolicy)> {
    let row = building_policy::Entity::find_by_id((scope.tenant.0, building.0)).one(db).await?;
    let Some(row) = row else { return Ok((0, BuildingPolicy::default())) };
    Ok((At("building_policy", "version").number(row.version)?, read(&row)?))
}

/// What these buildings decided; those that decided nothing are left out.
pub(super) async fn of(
    db: &impl ConnectionTrait,
    scope: &Scope,
    houses: &[Uuid],
) -> Result<HashMap<Uuid, BuildingPolicy>> {
    let rows = building_policy::Entity::find()
        .filter(building_policy::Column::Tenant.eq(scope.tenant.0))
        .filter(building_policy::Column::Building.is_in(houses.iter().copied()))
        .all(db)
        .await?;
    rows.iter().map(|row| Ok((row.building, read(row)?))).collect()
}

fn read(row: &building_policy::Model) -> Result<BuildingPolicy> {
    serde_json::from_str(&row.policy)
        .map_err(|_| StorageError::Corrupt { table: "building_policy", column: "policy" })
}

fn json(policy: &BuildingPolicy) -> Result<serde_json::Value> {
    serde_json::to_value(policy)
        .map_err(|_| StorageError::Invalid("a policy that can not be written as JSON"))
}
