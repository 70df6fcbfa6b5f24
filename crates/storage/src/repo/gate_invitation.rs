//! Who follows a link is nobody yet: the token says whose it is.

use crate::Result;
use crate::entity::{account, device, invitation, person, sip_account};
use crate::record::{Followed, Invited};
use crate::repo::Gate;
use crate::repo::invitations::invited;
use crate::tx::{self, Isolation, Touched};
use klinke_model::ids::{DeviceId, PersonId, TenantId};
use klinke_model::privacy::Pii;
use klinke_model::scope::Scope;
use klinke_model::time::Timestamp;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, OnConflict, Query};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter};

/// A password that was set with a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasswordSet {
    /// Whose data.
    pub tenant: TenantId,
    /// Who.
    pub person: PersonId,
    /// Devices that were signed in with the password from before; they no longer are.
    pub signed_out: Vec<DeviceId>,
}

impl Gate<'_> {
    /// Whom a link is for, by the SHA-256 of its token.
    ///
    /// # Errors
    /// When the database can not be read.
    pub async fn invitation(&self, token_hash: [u8; 32], now: Timestamp) -> Result<Followed<Invited>> {
        tx::read(self.0, |tx| async move { followed(&*tx, token_hash, now).await }).await
    }

    /// Sets a password with a link: the link is used, the account is there, and whoever was signed in as this person no
    /// longer is, all at once. Of many who follow the same link exactly one sets a password.
    ///
    /// `user_name` is what a new account gets; one that is there keeps its own.
    ///
    /// # Errors
    /// [`crate::StorageError::Conflict`] when the user name is somebody else's; nothing was changed then.
    pub async fn accept_invitation(
        &self,
        token_hash: [u8; 32],
        now: Timestamp,
        user_name: &Pii<String>,
        password_hash: &Pii<String>,
    ) -> Result<Followed<PasswordSet>> {
        tx::write(self.0, Touched::Everybody, Isolation::Serializable, |tx| async move {
            let invited = match followed(&*tx, token_hash, now).await? {
                Followed::Good(invited) => invited,
                Followed::Used => return Ok(Followed::Used),
                Followed::Expired => return Ok(Followed::Expired),
                Followed::Unknown => return Ok(Followed::Unknown),
            };
            let (tenant, person) = (invited.tenant, invited.person);
            let used = invitation::Entity::update_many()
                .col_expr(invitation::Column::Used, Expr::val(true))
                .filter(invitation::Column::Tenant.eq(tenant.0))
                .filter(invitation::Column::Person.eq(person.0))
                .filter(invitation::Column::TokenHash.eq(token_hash.to_vec()))
                .filter(invitation::Column::Used.eq(false))
                .exec(&*tx)
                .await?;
            if used.rows_affected == 0 {
                return Ok(Followed::Used);
            }
            let row = account::ActiveModel {
                tenant: Set(tenant.0),
                person: Set(person.0),
                user_name: Set(user_name.reveal().clone()),
                password_hash: Set(password_hash.reveal().clone()),
            };
            let anew = OnConflict::columns([account::Column::Tenant, account::Column::Person])
                .update_column(account::Column::PasswordHash)
                .to_owned();
            account::Entity::insert(row).on_conflict(anew).exec_without_returning(&*tx).await?;
            // a desk phone is not signed in with this password, and an administrator gave it
            let desk_phones = Query::select()
                .column(sip_account::Column::Device)
                .from(sip_account::Entity)
                .and_where(sip_account::Column::Tenant.eq(tenant.0))
                .and_where(sip_account::Column::Device.is_not_null())
                .take();
            let signed_in = Condition::all()
                .add(device::Column::Tenant.eq(tenant.0))
                .add(device::Column::Person.eq(person.0))
                .add(device::Column::Id.not_in_subquery(desk_phones));
            let theirs = device::Entity::find().filter(signed_in.clone()).all(&*tx).await?;
            device::Entity::delete_many().filter(signed_in).exec(&*tx).await?;
            let signed_out = theirs.into_iter().map(|row| row.id.into()).collect();
            Ok(Followed::Good(PasswordSet { tenant, person, signed_out }))
        })
        .await
    }
}

async fn followed(
    db: &impl ConnectionTrait,
    token_hash: [u8; 32],
    now: Timestamp,
) -> Result<Followed<Invited>> {
    let found = invitation::Entity::find()
        .filter(invitation::Column::TokenHash.eq(token_hash.to_vec()))
        .find_both_related(person::Entity)
        .one(db)
        .await?;
    let Some((row, person)) = found else { return Ok(Followed::Unknown) };
    if row.used {
        return Ok(Followed::Used);
    }
    if row.ends_at <= now.as_millis() || !person.active {
        return Ok(Followed::Expired);
    }
    let scope = Scope::system(row.tenant.into());
    Ok(match invited(db, &scope, row.person.into()).await? {
        Some(invited) => Followed::Good(invited),
        None => Followed::Unknown,
    })
}
