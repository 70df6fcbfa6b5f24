//! The gate: finds out who asks. The only queries without a tenant, because they find it.

use crate::entity::{
    account, api_token, controller, device, household_move, installation, panel, person, role_grant, session,
    tenant,
};
use crate::record::{
    Account, AppRequirements, ControllerIdentity, NewInstallation, PanelKey, SessionHolder, Stamp,
    TokenHolder,
};
use crate::repo::audit::{self, Change};
use crate::repo::convert::At;
use crate::repo::people;
use crate::tx::{self, Isolation, Touched};
use crate::{Result, StorageError, Store};
use klinke_model::ids::{DeviceId, MoveId, PanelId, TenantId};
use klinke_model::people::{Role, RoleGrant};
use klinke_model::privacy::Pii;
use klinke_model::scope::Scope;
use klinke_model::time::Timestamp;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{OnConflict, Query};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};
use serde_json::json;
use uuid::Uuid;

/// How many sessions one transaction ends: others write in between.
const ENDED_AT_ONCE: u64 = 500;

/// Finds out who asks.
#[derive(Debug)]
pub struct Gate<'a>(pub(crate) &'a Store);

impl Gate<'_> {
    /// Whether the installation has an owner.
    ///
    /// # Errors
    /// When the database can not be read.
    pub async fn is_claimed(&self) -> Result<bool> {
        Ok(installation::Entity::find().count(&self.0.reader).await? > 0)
    }

    /// Gives the installation its owner: tenant, administrator, account and roles in one transaction, and the first entry
    /// of the audit. `false` when it had one already; of many tries at once exactly one wins.
    ///
    /// # Errors
    /// When the database can not be written, or [`StorageError::Invalid`] when the account is not the
    /// administrator's.
    pub async fn claim(&self, stamp: &Stamp, new: NewInstallation) -> Result<bool> {
        let NewInstallation { tenant, administrator, account, roles } = &new;
        if account.person != administrator.id {
            return Err(StorageError::Invalid("the first account must be the administrator's"));
        }
        tx::write(self.0, Touched::Everybody, Isolation::ReadCommitted, |tx| async move {
            // The one row decides; whoever comes second waits here until the first is on the disk or has failed.
            let row = installation::ActiveModel {
                singleton: Set(1),
                tenant: Set(tenant.id.0),
                ..Default::default()
            };
            let first = installation::Entity::insert(row)
                .on_conflict(OnConflict::new().do_nothing().to_owned())
                .exec_without_returning(&*tx)
                .await?;
            if first == 0 {
                return Ok(false);
            }
            let row = tenant::ActiveModel {
                tenant: Set(tenant.id.0),
                name: Set(tenant.name.as_str().to_owned()),
                suspended: Set(false),
                version: Set(1),
            };
            tenant::Entity::insert(row).exec_without_returning(&*tx).await?;
            people::insert(&*tx, tenant.id, administrator).await?;
            account::Entity::insert(people::account_row(tenant.id, account))
                .exec_without_returning(&*tx)
                .await?;
            let grants = [(roles.0, Role::Operator), (roles.1, Role::Manager)].map(|(id, role)| {
                let grant = RoleGrant { role, building: None, ends_at: None };
                crate::repo::roles::row(tenant.id, id, administrator.id, grant)
            });
            role_grant::Entity::insert_many(grants).exec_without_returning(&*tx).await?;
            // Nobody else writes into a chain that begins with its property manager. Who did it was nobody before it was done.
            let change = Change {
                building: None,
                action: "installation.claimed",
                persons: vec![administrator.id],
                before: None,
                after: Some(json!({
                    "name": tenant.name, "person": administrator.id, "role": [Role::Operator, Role::Manager],
                })),
            };
            audit::append(&tx, &Scope::system(tenant.id), stamp, change).await?;
            Ok(true)
        })
        .await
    }

    /// The oldest systems on which the app rings as it should. For everybody.
    ///
    /// # Errors
    /// When the database can not be read.
    pub async fn app_requirements(&self) -> Result<AppRequirements> {
        let found = installation::Entity::find().one(&self.0.reader).await?;
        let told = |row: installation::Model| AppRequirements { ios: row.ios_min, android: row.android_min };
        Ok(found.map(told).unwrap_or_default())
    }

    /// Whether an operator suspended a property manager.
    ///
    /// # Errors
    /// When the database can not be read.
    pub async fn is_suspended(&self, tenant: TenantId) -> Result<bool> {
        let found = tenant::Entity::find_by_id(tenant.0).one(&self.0.reader).await?;
        Ok(found.is_none_or(|row| row.suspended))
    }

    /// The account of a user name (folded to lower case), of a suspended person and property manager too.
    ///
    /// # Errors
    /// When the database can not be read.
    pub async fn account(&self, user_name: &str) -> Result<Option<Account>> {
        let found = account::Entity::find()
            .filter(account::Column::UserName.eq(user_name))
            .find_both_related(person::Entity)
            .one(&self.0.reader)
            .await?;
        let Some((account, person)) = found else { return Ok(None) };
        let suspended = self.is_suspended(account.tenant.into()).await?;
        Ok(Some(Account {
            tenant: account.tenant.into(),
            person: account.person.into(),
            password_hash: Pii::new(account.password_hash),
            active: person.active && !suspended,
        }))
    }

    /// Who holds the token with this SHA-256: a session that has not ended, of a person who is not suspended, nor is their property manager.
    /// `today` is in days since 1970, UTC.
    ///
    /// # Errors
    /// When the database can not be read.
    pub async fn session(&self, token_hash: [u8; 32], today: i64) -> Result<Option<SessionHolder>> {
        let suspended = Query::select()
            .column(tenant::Column::Tenant)
            .from(tenant::Entity)
            .and_where(tenant::Column::Suspended.eq(true))
            .take();
        let found = session::Entity::find()
            .filter(session::Column::TokenHash.eq(token_hash.to_vec()))
            .filter(session::Column::ExpiresDay.gte(today))
            .find_also_related(device::Entity)
            .and_also_related(person::Entity)
            .filter(person::Column::Active.eq(true))
            .filter(session::Column::Tenant.not_in_subquery(suspended))
            .one(&self.0.reader)
            .await?;
        let Some((session, Some(device), Some(person))) = found else { return Ok(None) };
        Ok(Some(SessionHolder {
            tenant: session.tenant.into(),
            session: session.id.into(),
            device: device.id.into(),
            device_kind: At("device", "kind").choice(&device.kind)?,
            person: person.id.into(),
        }))
    }

    /// Who holds the API token with this SHA-256: one that has not ended, made by a person who is not suspended. What it
    /// may is asked for each thing anew.
    ///
    /// # Errors
    /// When the database can not be read.
    pub async fn api_token(&self, token_hash: [u8; 32], now: Timestamp) -> Result<Option<TokenHolder>> {
        let found = api_token::Entity::find()
            .filter(api_token::Column::TokenHash.eq(token_hash.to_vec()))
            .filter(api_token::Column::EndsAt.gt(now.as_millis()))
            .find_also_related(person::Entity)
            .filter(person::Column::Active.eq(true))
            .one(&self.0.reader)
            .await?;
        let Some((row, Some(_))) = found else { return Ok(None) };
        if self.is_suspended(row.tenant.into()).await? {
            return Ok(None);
        }
        Ok(Some(TokenHolder { tenant: row.tenant.into(), token: row.id.into(), issuer: row.issuer.into() }))
    }

    /// Ends sessions whose last day is over, with their devices; at most a few hundred of any property manager's. Gives
    /// the devices that are gone, none when there is nothing (more) to end. `today` is in days since 1970, UTC.
    ///
    /// # Errors
    /// When the database can not be written.
    pub async fn end_expired(&self, today: i64) -> Result<Vec<DeviceId>> {
        tx::write(self.0, Touched::Everybody, Isolation::Serializable, |tx| async move {
            let ended: Vec<(Uuid, Uuid, Uuid)> = session::Entity::find()
                .select_only()
                .columns([session::Column::Tenant, session::Column::Id, session::Column::Device])
                .filter(session::Column::ExpiresDay.lt(today))
                .order_by_asc(session::Column::ExpiresDay)
                .limit(ENDED_AT_ONCE)
                .into_tuple()
                .all(&*tx)
                .await?;
            let mut gone = Vec::with_capacity(ended.len());
            for (tenant, id, device) in ended {
                session::Entity::delete_by_id((tenant, id)).exec(&*tx).await?;
                let signed_in_anew = session::Entity::find()
                    .filter(session::Column::Tenant.eq(tenant))
                    .filter(session::Column::Device.eq(device))
                    .count(&*tx)
                    .await?;
                if signed_in_anew == 0 {
                    device::Entity::delete_by_id((tenant, device)).exec(&*tx).await?;
                    gone.push(device.into());
                }
            }
            Ok(gone)
        })
        .await
    }

    /// The key that a panel must prove; `None` also while it has none.
    ///
    /// # Errors
    /// When the database can not be read.
    pub async fn panel_key(&self, panel: PanelId) -> Result<Option<PanelKey>> {
        let found = panel::Entity::find().filter(panel::Column::Id.eq(panel.0)).one(&self.0.reader).await?;
        Ok(found.and_then(|row| {
            row.public_key.map(|public_key| PanelKey {
                tenant: row.tenant.into(),
                building: row.building.into(),
                public_key,
            })
        }))
    }

    /// The planned move that is due first, of any property manager.
    ///
    /// # Errors
    /// When the database can not be read.
    pub async fn next_move(&self) -> Result<Option<(TenantId, MoveId, Timestamp)>> {
        let found = household_move::Entity::find()
            .filter(household_move::Column::State.eq("scheduled"))
            .order_by_asc(household_move::Column::EndsAt)
            .order_by_asc(household_move::Column::Id)
            .one(&self.0.reader)
            .await?;
        Ok(found.map(|row| (row.tenant.into(), row.id.into(), Timestamp::from_millis(row.ends_at))))
    }

    /// The controller whose client certificate has this SHA-256.
    ///
    /// # Errors
    /// When the database can not be read.
    pub async fn controller(&self, certificate_sha256: [u8; 32]) -> Result<Option<ControllerIdentity>> {
        let found = controller::Entity::find()
            .filter(controller::Column::CertificateSha256.eq(certificate_sha256.to_vec()))
            .one(&self.0.reader)
            .await?;
        Ok(found.map(|row| ControllerIdentity { tenant: row.tenant.into(), controller: row.id.into() }))
    }
}
