//! Property managers: made, renamed and suspended by an operator, who sees nothing that is inside them.

use crate::Result;
use crate::Store;
use crate::entity::{device, installation, panel, role_grant, tenant};
use crate::record::{AppRequirements, NewTenant, Stamp, TenantChanged, TenantRow, TenantStopped};
use crate::repo::audit::{self, Change};
use crate::repo::convert::At;
use crate::repo::{people, reach, roles};
use crate::tx::{self, Isolation, Touched};
use klinke_model::people::{Role, RoleGrant};
use klinke_model::rights::Right;
use klinke_model::scope::{Principal, Scope};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::json;

/// Property managers: for an operator, and the service.
///
/// Every function fails only when the database can not do its work; for whoever is no operator there are none.
#[derive(Debug)]
pub struct Tenants<'a>(pub(crate) &'a Store);

impl Tenants<'_> {
    /// All of them, by name.
    pub async fn tenants(&self, scope: &Scope) -> Result<Vec<TenantRow>> {
        let rows = tenant::Entity::find()
            .filter(reach::may_everywhere(scope, Right::Tenants))
            .all(&self.0.reader)
            .await?;
        let mut all = rows.iter().map(shown).collect::<Result<Vec<_>>>()?;
        all.sort_by_cached_key(|row| (row.tenant.name.clone(), row.tenant.id));
        Ok(all)
    }

    /// Makes a property manager with its first manager, whose role ends as every such role does. `false` when the principal
    /// is no operator.
    ///
    /// # Errors
    /// [`crate::StorageError::Conflict`] when an id is taken, [`crate::StorageError::Invalid`] when the role can not be given like this.
    pub async fn make_tenant(&self, scope: &Scope, stamp: &Stamp, new: NewTenant) -> Result<bool> {
        let NewTenant { tenant, manager, role, ends_at } = &new;
        let grant = RoleGrant { role: Role::Manager, building: None, ends_at: Some(*ends_at) };
        if grant.fault(stamp.at).is_some() {
            return Err(crate::StorageError::Invalid("the role can not be given like this"));
        }
        tx::write(self.0, Touched::Everybody, Isolation::Serializable, |tx| async move {
            if !reach::holds(&*tx, reach::may_everywhere(scope, Right::Tenants)).await? {
                return Ok(false);
            }
            let row = tenant::ActiveModel {
                tenant: Set(tenant.id.0),
                name: Set(tenant.name.as_str().to_owned()),
                suspended: Set(false),
                version: Set(1),
            };
            tenant::Entity::insert(row).exec_without_returning(&*tx).await?;
            people::insert(&*tx, tenant.id, manager).await?;
            let row = roles::row(tenant.id, *role, manager.id, grant);
            role_grant::Entity::insert(row).exec_without_returning(&*tx).await?;
            // each chain tells its own side: the operator's names no person of theirs
            let inside = Scope::system(tenant.id);
            let given = Change {
                building: None,
                action: "role.given",
                persons: vec![manager.id],
                before: None,
                after: Some(json!({ "person": manager.id, "role": Role::Manager, "ends_at": ends_at })),
            };
            audit::append(&tx, &inside, stamp, given).await?;
            audit::append(&tx, scope, stamp, change("tenant.made", None, Some(tenant.name.as_str()))).await?;
            Ok(true)
        })
        .await
    }

    /// Renames a property manager, suspends it or ends that, when it still has the version that the asker saw. An operator
    /// does not suspend their own.
    pub async fn change_tenant(
        &self,
        scope: &Scope,
        stamp: &Stamp,
        wanted: TenantRow,
    ) -> Result<TenantChanged> {
        let wanted = &wanted;
        tx::write(self.0, Touched::Everybody, Isolation::Serializable, |tx| async move {
            let id = wanted.tenant.id;
            let found = tenant::Entity::find_by_id(id.0)
                .filter(reach::may_everywhere(scope, Right::Tenants))
                .one(&*tx)
                .await?;
            let Some(found) = found else { return Ok(TenantChanged::NotThere) };
            let before = shown(&found)?;
            if wanted.suspended && id == scope.tenant {
                return Ok(TenantChanged::NotThere);
            }
            if before.version != wanted.version {
                return Ok(TenantChanged::Conflict(before));
            }
            if before == *wanted {
                return Ok(TenantChanged::Done(before));
            }
            tenant::Entity::update_many()
                .col_expr(tenant::Column::Name, Expr::val(wanted.tenant.name.as_str()))
                .col_expr(tenant::Column::Suspended, Expr::val(wanted.suspended))
                .col_expr(tenant::Column::Version, Expr::col(tenant::Column::Version).add(1))
                .filter(tenant::Column::Tenant.eq(id.0))
                .exec(&*tx)
                .await?;
            let name = wanted.tenant.name.as_str();
            let was = Some(before.tenant.name.as_str());
            let told = match (before.suspended, wanted.suspended) {
                (false, true) => change("tenant.suspended", was, Some(name)),
                (true, false) => change("tenant.resumed", was, Some(name)),
                _ => change("tenant.changed", was, Some(name)),
            };
            audit::append(&tx, scope, stamp, told).await?;
            Ok(TenantChanged::Done(TenantRow { version: before.version + 1, ..wanted.clone() }))
        })
        .await
    }

    /// Says which systems the app needs at least. `false` when the principal is no operator.
    ///
    /// # Errors
    /// [`crate::StorageError::Invalid`] when one is not a version.
    pub async fn set_app_requirements(
        &self,
        scope: &Scope,
        stamp: &Stamp,
        wanted: AppRequirements,
    ) -> Result<bool> {
        if ![&wanted.ios, &wanted.android].into_iter().all(|version| AppRequirements::is_version(version)) {
            return Err(crate::StorageError::Invalid("not a version of a system"));
        }
        let wanted = &wanted;
        tx::write(self.0, Touched::Everybody, Isolation::Serializable, |tx| async move {
            let changed = installation::Entity::update_many()
                .col_expr(installation::Column::IosMin, Expr::val(wanted.ios.as_str()))
                .col_expr(installation::Column::AndroidMin, Expr::val(wanted.android.as_str()))
                .filter(reach::may_everywhere(scope, Right::Tenants))
                .exec(&*tx)
                .await?;
            if changed.rows_affected == 0 {
                return Ok(false);
            }
            let told = Change {
                building: None,
                action: "app_requirements.changed",
                persons: Vec::new(),
                before: None,
                after: Some(json!({ "ios": wanted.ios, "android": wanted.android })),
            };
            audit::append(&tx, scope, stamp, told).await?;
            Ok(true)
        })
        .await
    }

    /// What is connected for a property manager and must not be while it is suspended. For the service.
    pub async fn stopped(&self, scope: &Scope) -> Result<TenantStopped> {
        if scope.principal != Principal::System {
            return Ok(TenantStopped::default());
        }
        tx::read(self.0, |tx| async move {
            let panels =
                panel::Entity::find().filter(panel::Column::Tenant.eq(scope.tenant.0)).all(&*tx).await?;
            let devices =
                device::Entity::find().filter(device::Column::Tenant.eq(scope.tenant.0)).all(&*tx).await?;
            Ok(TenantStopped {
                panels: panels.into_iter().map(|row| row.id.into()).collect(),
                devices: devices.into_iter().map(|row| row.id.into()).collect(),
            })
        })
        .await
    }
}

fn shown(row: &tenant::Model) -> Result<TenantRow> {
    Ok(TenantRow {
        tenant: klinke_model::site::Tenant {
            id: row.tenant.into(),
            name: At("tenant", "name").label(&row.name)?,
        },
        suspended: row.suspended,
        version: At("tenant", "version").number(row.version)?,
    })
}

fn change(action: &'static str, before: Option<&str>, after: Option<&str>) -> Change {
    let name = |name: &str| json!({ "name": name });
    Change { building: None, action, persons: Vec::new(), before: before.map(name), after: after.map(name) }
}
