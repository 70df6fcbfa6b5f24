//! What opening a door for a guest takes: who it is, at most once for who may come once (counted here, or by a controller that
//! tells of it), and how often somebody typed wrong codes at a panel.

use crate::Result;
use crate::entity::{door, guest, guest_door, guest_mail, panel, person};
use crate::record::{Guest, GuestMail};
use crate::repo::convert::At;
use crate::repo::guests::{Guests, any};
use crate::tx::{self, Isolation};
use klinke_model::contact::Email;
use klinke_model::ids::{ControllerId, GuestId};
use klinke_model::privacy::Pii;
use klinke_model::scope::{Principal, Scope};
use sea_orm::sea_query::{Expr, Query, SelectStatement};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

impl Guests<'_> {
    /// A guest as the door needs them. For the service.
    pub async fn guest_facts(&self, scope: &Scope, id: GuestId) -> Result<Option<Guest>> {
        if !is_service(scope) {
            return Ok(None);
        }
        tx::read(self.0, |tx| async move { any(&*tx, scope, id).await }).await
    }

    /// The guests who may come once, with a door of the controller that asks, and what the code of each is derived with.
    pub async fn once_at_doors(&self, scope: &Scope) -> Result<Vec<(GuestId, u64)>> {
        let Principal::Controller(controller) = scope.principal else { return Ok(Vec::new()) };
        let found = guest::Entity::find()
            .filter(guest::Column::Tenant.eq(scope.tenant.0))
            .filter(guest::Column::Once.eq(true))
            .filter(guest::Column::Id.in_subquery(with_door_of(scope, controller)))
            .all(&self.0.reader)
            .await?;
        let number = |row: &guest::Model| At("guest", "code_number").number(row.code_number);
        found.iter().map(|row| Ok((row.id.into(), number(row)?))).collect()
    }

    /// Removes a guest who may come once and came to a door of the controller that asks, with the code that this number
    /// made. Told again it finds nobody; who got a new code since has come with the one before, and may come again.
    pub async fn came_to_door(&self, scope: &Scope, id: GuestId, code_number: u64) -> Result<bool> {
        let Principal::Controller(controller) = scope.principal else { return Ok(false) };
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            let gone = guest::Entity::delete_many()
                .filter(guest::Column::Tenant.eq(scope.tenant.0))
                .filter(guest::Column::Id.eq(id.0))
                .filter(guest::Column::Once.eq(true))
                .filter(guest::Column::CodeNumber.eq(i64::try_from(code_number).unwrap_or(i64::MAX)))
                .filter(guest::Column::Id.in_subquery(with_door_of(scope, controller)))
                .exec(&*tx)
                .await?;
            Ok(gone.rows_affected > 0)
        })
        .await
    }

    /// Takes the one time that a guest may come; of many who try at once, one gets it. For the service.
    pub async fn take_once(&self, scope: &Scope, id: GuestId) -> Result<bool> {
        self.mark(scope, id, true).await
    }

    /// Gives it back: the door did not open. For the service.
    pub async fn give_back_once(&self, scope: &Scope, id: GuestId) -> Result<bool> {
        self.mark(scope, id, false).await
    }

    async fn mark(&self, scope: &Scope, id: GuestId, taken: bool) -> Result<bool> {
        if !is_service(scope) {
            return Ok(false);
        }
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            let marked = guest::Entity::update_many()
                .col_expr(guest::Column::Taken, Expr::val(taken))
                .filter(guest::Column::Tenant.eq(scope.tenant.0))
                .filter(guest::Column::Id.eq(id.0))
                .filter(guest::Column::Once.eq(true))
                .filter(guest::Column::Taken.eq(!taken))
                .exec(&*tx)
                .await?;
            Ok(marked.rows_affected > 0)
        })
        .await
    }

    /// Removes a guest who may come once and came. For the service.
    pub async fn came_once(&self, scope: &Scope, id: GuestId) -> Result<bool> {
        if !is_service(scope) {
            return Ok(false);
        }
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            let gone = guest::Entity::delete_many()
                .filter(guest::Column::Tenant.eq(scope.tenant.0))
                .filter(guest::Column::Id.eq(id.0))
                .filter(guest::Column::Taken.eq(true))
                .exec(&*tx)
                .await?;
            Ok(gone.rows_affected > 0)
        })
        .await
    }

    /// How many wrong codes were kept of the panel that asks.
    pub async fn wrong_codes(&self, scope: &Scope) -> Result<Option<u32>> {
        let Principal::Panel(panel) = scope.principal else { return Ok(None) };
        let found = panel::Entity::find_by_id((scope.tenant.0, panel.0)).one(&self.0.reader).await?;
        found.map(|row| At("panel", "wrong_codes").number(row.wrong_codes)).transpose()
    }

    /// Keeps how many wrong codes were typed at the panel that asks.
    pub async fn keep_wrong_codes(&self, scope: &Scope, wrong: u32) -> Result<bool> {
        let Principal::Panel(panel) = scope.principal else { return Ok(false) };
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            let kept = panel::Entity::update_many()
                .col_expr(panel::Column::WrongCodes, Expr::val(i64::from(wrong)))
                .filter(panel::Column::Tenant.eq(scope.tenant.0))
                .filter(panel::Column::Id.eq(panel.0))
                .exec(&*tx)
                .await?;
            Ok(kept.rows_affected > 0)
        })
        .await
    }

    /// The mail with a guest's link that waits. For the service, which sends it.
    pub async fn guest_mail(&self, scope: &Scope, id: GuestId) -> Result<Option<GuestMail>> {
        if !is_service(scope) {
            return Ok(None);
        }
        tx::read(self.0, |tx| async move {
            let waits = guest_mail::Entity::find_by_id((scope.tenant.0, id.0)).one(&*tx).await?;
            let (Some(row), Some(guest)) = (waits, any(&*tx, scope, id).await?) else { return Ok(None) };
            let host = match guest.host {
                Some(host) => person::Entity::find_by_id((scope.tenant.0, host.0)).one(&*tx).await?,
                None => None,
            };
            let email = Email::new(&row.email).map_err(|_| At("guest_mail", "email").corrupt())?;
            Ok(Some(GuestMail {
                guest,
                host_name: host.map(|row| At("person", "name").name(&row.name)).transpose()?.flatten(),
                email: Pii::new(email),
                language: At("guest_mail", "language").choice(&row.language)?,
            }))
        })
        .await
    }

    /// Forgets the address that a mail went to, unless another was asked for meanwhile. For the service.
    pub async fn forget_guest_mail(&self, scope: &Scope, id: GuestId, email: &Pii<Email>) -> Result<bool> {
        if !is_service(scope) {
            return Ok(false);
        }
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            let gone = guest_mail::Entity::delete_many()
                .filter(guest_mail::Column::Tenant.eq(scope.tenant.0))
                .filter(guest_mail::Column::Guest.eq(id.0))
                .filter(guest_mail::Column::Email.eq(email.reveal().as_str()))
                .exec(&*tx)
                .await?;
            Ok(gone.rows_affected > 0)
        })
        .await
    }
}

/// The guests who may open a door that a controller drives.
fn with_door_of(scope: &Scope, controller: ControllerId) -> SelectStatement {
    let driven = Query::select()
        .column(door::Column::Id)
        .from(door::Entity)
        .and_where(door::Column::Tenant.eq(scope.tenant.0))
        .and_where(door::Column::Controller.eq(controller.0))
        .take();
    Query::select()
        .column(guest_door::Column::Guest)
        .from(guest_door::Entity)
        .and_where(guest_door::Column::Tenant.eq(scope.tenant.0))
        .and_where(guest_door::Column::Door.in_subquery(driven))
        .take()
}

const fn is_service(scope: &Scope) -> bool {
    matches!(scope.principal, Principal::System)
}
