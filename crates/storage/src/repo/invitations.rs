//! Links to set a password: made by an administrator or for one by the worker, kept as the hash of their token.

use crate::entity::{account, invitation, job, person, role_grant, unit};
use crate::record::{InvitationState, Invited, JobKind, Stamp, WayIn};
use crate::repo::audit::{self, Change};
use crate::repo::convert::Word;
use crate::repo::jobs;
use crate::repo::people::units_of;
use crate::repo::reach;
use crate::tx::{self, Isolation};
use crate::{Result, Store};
use klinke_model::ids::{JobId, PersonId};
use klinke_model::people::Role;
use klinke_model::privacy::Pii;
use klinke_model::rights::Right;
use klinke_model::scope::{Principal, Scope};
use klinke_model::time::Timestamp;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict, Query};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder,
};

/// Links to set a password: for who administers every home of the person and may do no less than they may; managers and
/// the service may for everybody.
///
/// Every function fails only when the database can not do its work; what is not there, or not the principal's, is
/// `None` or `false`.
#[derive(Debug)]
pub struct Invitations<'a>(pub(crate) &'a Store);

impl Invitations<'_> {
    /// How a person comes in, as of `now`: for who sees the person.
    pub async fn way_in(&self, scope: &Scope, person: PersonId, now: Timestamp) -> Result<Option<WayIn>> {
        tx::read(self.0, |tx| async move {
            if !reach::holds(&*tx, may_see(scope, person)).await? {
                return Ok(None);
            }
            let key = (scope.tenant.0, person.0);
            let Some(found) = person::Entity::find_by_id(key).one(&*tx).await? else { return Ok(None) };
            let waits = job::Entity::find()
                .filter(job::Column::Tenant.eq(scope.tenant.0))
                .filter(job::Column::Kind.eq(JobKind::Invite.word()))
                .filter(job::Column::Subject.eq(person.0))
                .one(&*tx)
                .await?
                .is_some();
            let stored = invitation::Entity::find_by_id(key).one(&*tx).await?;
            let state = stored.map(|row| match Timestamp::from_millis(row.ends_at) {
                _ if row.used => InvitationState::Used,
                ends_at if ends_at <= now => InvitationState::Expired,
                ends_at => InvitationState::Open(ends_at),
            });
            Ok(Some(WayIn {
                has_account: account::Entity::find_by_id(key).one(&*tx).await?.is_some(),
                invitation: if waits { Some(InvitationState::Waiting) } else { state },
                has_email: found.email.is_some(),
                may_invite: reach::holds(&*tx, may_invite(scope, person)).await?,
            }))
        })
        .await
    }

    /// Asks for a link to be sent. The link from before stops working at once.
    pub async fn invite(&self, scope: &Scope, stamp: &Stamp, person: PersonId, id: JobId) -> Result<bool> {
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            if !reach::holds(&*tx, may_invite(scope, person)).await? {
                return Ok(false);
            }
            invitation::Entity::delete_by_id((scope.tenant.0, person.0)).exec(&*tx).await?;
            jobs::enqueue(&tx, scope, id, JobKind::Invite, person.0, stamp.at).await?;
            tell(&tx, scope, stamp, person, "person.invited").await?;
            Ok(true)
        })
        .await
    }

    /// Keeps the hash of a new link's token; the one from before stops working. What waits to be sent is not sent.
    pub async fn hand_over(
        &self,
        scope: &Scope,
        stamp: &Stamp,
        person: PersonId,
        token_hash: [u8; 32],
        ends_at: Timestamp,
    ) -> Result<bool> {
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            if !reach::holds(&*tx, may_invite(scope, person)).await? {
                return Ok(false);
            }
            cancel(&tx, scope, person).await?;
            store(&tx, scope, person, token_hash, ends_at).await?;
            tell(&tx, scope, stamp, person, "person.invited").await?;
            Ok(true)
        })
        .await
    }

    /// Takes a person's link back, sent or not. `false` when there was none.
    pub async fn withdraw(&self, scope: &Scope, stamp: &Stamp, person: PersonId) -> Result<bool> {
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            if !reach::holds(&*tx, may_invite(scope, person)).await? {
                return Ok(false);
            }
            let waited = cancel(&tx, scope, person).await?;
            let gone = invitation::Entity::delete_many()
                .filter(invitation::Column::Tenant.eq(scope.tenant.0))
                .filter(invitation::Column::Person.eq(person.0))
                .filter(invitation::Column::Used.eq(false))
                .exec(&*tx)
                .await?;
            let withdrawn = waited || gone.rows_affected > 0;
            if withdrawn {
                tell(&tx, scope, stamp, person, "person.invitation_withdrawn").await?;
            }
            Ok(withdrawn)
        })
        .await
    }

    /// Whom a mail is for. For the service, which sends it.
    pub async fn addressee(&self, scope: &Scope, person: PersonId) -> Result<Option<Invited>> {
        if scope.principal != Principal::System {
            return Ok(None);
        }
        tx::read(self.0, |tx| async move { invited(&*tx, scope, person).await }).await
    }

    /// Keeps the hash of the token that is about to be mailed. For the service; `false` when the person has gone.
    pub async fn sending(
        &self,
        scope: &Scope,
        person: PersonId,
        token_hash: [u8; 32],
        ends_at: Timestamp,
    ) -> Result<bool> {
        if scope.principal != Principal::System {
            return Ok(false);
        }
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            if person::Entity::find_by_id((scope.tenant.0, person.0)).one(&*tx).await?.is_none() {
                return Ok(false);
            }
            store(&tx, scope, person, token_hash, ends_at).await?;
            Ok(true)
        })
        .await
    }
}

/// Tells the audit, in the building of the person's first home.
async fn tell(
    tx: &DatabaseTransaction,
    scope: &Scope,
    stamp: &Stamp,
    person: PersonId,
    action: &'static str,
) -> Result<()> {
    let home = unit::Entity::find()
        .filter(unit::Column::Tenant.eq(scope.tenant.0))
        .filter(unit::Column::Id.in_subquery(units_of(scope, person)))
        .order_by_asc(unit::Column::Id)
        .one(tx)
        .await?;
    let building = home.map(|home| home.building.into());
    let change = Change { building, action, persons: vec![person], before: None, after: None };
    audit::append(tx, scope, stamp, change).await
}

/// A person as their link needs them.
pub(super) async fn invited(
    db: &impl ConnectionTrait,
    scope: &Scope,
    person: PersonId,
) -> Result<Option<Invited>> {
    let key = (scope.tenant.0, person.0);
    let Some(row) = person::Entity::find_by_id(key).one(db).await? else { return Ok(None) };
    let account = account::Entity::find_by_id(key).one(db).await?;
    Ok(Some(Invited {
        tenant: scope.tenant,
        person,
        name: Pii::new(row.name),
        email: row.email.map(Pii::new),
        language: row.language,
        user_name: account.map(|account| Pii::new(account.user_name)),
        active: row.active,
    }))
}

pub(super) async fn store(
    tx: &DatabaseTransaction,
    scope: &Scope,
    person: PersonId,
    token_hash: [u8; 32],
    ends_at: Timestamp,
) -> Result<()> {
    let row = invitation::ActiveModel {
        tenant: Set(scope.tenant.0),
        person: Set(person.0),
        token_hash: Set(token_hash.to_vec()),
        ends_at: Set(ends_at.as_millis()),
        used: Set(false),
    };
    let instead = OnConflict::columns([invitation::Column::Tenant, invitation::Column::Person])
        .update_columns([invitation::Column::TokenHash, invitation::Column::EndsAt, invitation::Column::Used])
        .to_owned();
    invitation::Entity::insert(row).on_conflict(instead).exec_without_returning(tx).await?;
    Ok(())
}

pub(super) async fn cancel(tx: &DatabaseTransaction, scope: &Scope, person: PersonId) -> Result<bool> {
    let gone = job::Entity::delete_many()
        .filter(job::Column::Tenant.eq(scope.tenant.0))
        .filter(job::Column::Kind.eq(JobKind::Invite.word()))
        .filter(job::Column::Subject.eq(person.0))
        .exec(tx)
        .await?;
    Ok(gone.rows_affected > 0)
}

/// The person is there and lives where the principal may see people.
fn may_see(scope: &Scope, person: PersonId) -> Expr {
    let everywhere = reach::may_everywhere(scope, Right::SeePeople);
    is_there(scope, person).and(everywhere.or(lives_where(scope, person, Right::SeePeople, true)))
}

/// Who holds the link becomes the person. So nobody may make one for somebody who has a role, or who also lives where the
/// principal may not change people; except who may change people everywhere, and they not for an operator.
fn may_invite(scope: &Scope, person: PersonId) -> Expr {
    if matches!(scope.principal, Principal::System) {
        return is_there(scope, person);
    }
    let here = lives_where(scope, person, Right::ChangePeople, true);
    let elsewhere = lives_where(scope, person, Right::ChangePeople, false);
    let equal = elsewhere.or(has_role(scope, person, None)).not();
    let everywhere = reach::may_everywhere(scope, Right::ChangePeople);
    // another program makes no link for who has a role, also where whoever made its token may
    let everywhere = match scope.token() {
        Some(_) => everywhere.and(has_role(scope, person, None).not()),
        None => everywhere,
    };
    let operator = has_role(scope, person, Some(Role::Operator));
    is_there(scope, person).and(operator.not()).and(everywhere.or(here.and(equal)))
}

/// The person lives in a building where the principal has this right, or in one where they have it not.
fn lives_where(scope: &Scope, person: PersonId, right: Right, has: bool) -> Expr {
    let may = reach::may(scope, right, unit::Column::Building);
    reach::exists(
        unit::Entity,
        Condition::all()
            .add(unit::Column::Tenant.eq(scope.tenant.0))
            .add(unit::Column::Id.in_subquery(units_of(scope, person)))
            .add(if has { may } else { may.not() }),
    )
}

/// The person has a role, over or not; which, when it is asked for.
fn has_role(scope: &Scope, person: PersonId, role: Option<Role>) -> Expr {
    let mut roles = Condition::all()
        .add(role_grant::Column::Tenant.eq(scope.tenant.0))
        .add(role_grant::Column::Person.eq(person.0));
    if let Some(role) = role {
        roles = roles.add(role_grant::Column::Role.eq(role.word()));
    }
    reach::exists(role_grant::Entity, roles)
}

fn is_there(scope: &Scope, person: PersonId) -> Expr {
    let row = Query::select()
        .expr(Expr::val(1))
        .from(person::Entity)
        .and_where(person::Column::Tenant.eq(scope.tenant.0))
        .and_where(person::Column::Id.eq(person.0))
        .take();
    Expr::exists(row)
}
