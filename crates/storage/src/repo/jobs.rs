//! Work for later: enqueued with what makes it necessary, done at least once.
//!
//! A job that fails or whose worker dies comes back: taking it moves its time on, and only [`Jobs::done`] ends it. So the
//! work must be such that doing it twice harms nobody.

use crate::entity::job;
use crate::record::{Job, JobKind};
use crate::repo::convert::Word;
use crate::tx::{self, Isolation};
use crate::{Result, Store};
use klinke_model::ids::JobId;
use klinke_model::scope::{Principal, Scope};
use klinke_model::time::Timestamp;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter};
use uuid::Uuid;

/// Work for later: for the service only.
///
/// Every function fails only when the database can not do its work.
#[derive(Debug)]
pub struct Jobs<'a>(pub(crate) &'a Store);

impl Jobs<'_> {
    /// Takes a job until then: if it is not [done](Self::done) by that time, it is due again. `false` when somebody else
    /// took it, or it is no longer wanted.
    pub async fn take(&self, scope: &Scope, job: &Job, until: Timestamp) -> Result<bool> {
        if !is_service(scope) {
            return Ok(false);
        }
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            let taken = job::Entity::update_many()
                .col_expr(job::Column::RunAt, Expr::val(until.as_millis()))
                .col_expr(job::Column::Attempts, Expr::val(attempts(job.attempts.saturating_add(1))))
                .filter(job::Column::Tenant.eq(scope.tenant.0))
                .filter(job::Column::Id.eq(job.id.0))
                .filter(job::Column::RunAt.eq(job.run_at.as_millis()))
                .exec(&*tx)
                .await?;
            Ok(taken.rows_affected > 0)
        })
        .await
    }

    /// Ends a job that was taken until then. `false` when it was asked for anew meanwhile: it stays.
    pub async fn done(&self, scope: &Scope, job: JobId, taken_until: Timestamp) -> Result<bool> {
        if !is_service(scope) {
            return Ok(false);
        }
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            let gone = job::Entity::delete_many()
                .filter(job::Column::Tenant.eq(scope.tenant.0))
                .filter(job::Column::Id.eq(job.0))
                .filter(job::Column::RunAt.eq(taken_until.as_millis()))
                .exec(&*tx)
                .await?;
            Ok(gone.rows_affected > 0)
        })
        .await
    }
}

/// Enqueues work in the transaction that makes it necessary. The same work that waits already begins anew.
pub(super) async fn enqueue(
    tx: &DatabaseTransaction,
    scope: &Scope,
    id: JobId,
    kind: JobKind,
    subject: Uuid,
    at: Timestamp,
) -> Result<()> {
    let row = job::ActiveModel {
        tenant: Set(scope.tenant.0),
        id: Set(id.0),
        kind: Set(kind.word().to_owned()),
        subject: Set(subject),
        run_at: Set(at.as_millis()),
        attempts: Set(0),
    };
    let anew = OnConflict::columns([job::Column::Tenant, job::Column::Kind, job::Column::Subject])
        .update_columns([job::Column::RunAt, job::Column::Attempts])
        .to_owned();
    job::Entity::insert(row).on_conflict(anew).exec_without_returning(tx).await?;
    Ok(())
}

fn is_service(scope: &Scope) -> bool {
    matches!(scope.principal, Principal::System)
}

fn attempts(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
