//! What is due, of every property manager: the worker finds out here whose scope it needs.

use crate::Result;
use crate::entity::{import, job};
use crate::record::{Job, JobKind};
use crate::repo::Gate;
use crate::repo::convert::{At, Word};
use crate::tx::{self, Isolation, Touched};
use klinke_model::time::Timestamp;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect,
};

impl Gate<'_> {
    /// Work of one kind that is due at this moment, the oldest first.
    ///
    /// # Errors
    /// When the database can not be read.
    pub async fn due_jobs(&self, kind: JobKind, at: Timestamp, at_most: u64) -> Result<Vec<Job>> {
        let rows = job::Entity::find()
            .filter(job::Column::Kind.eq(kind.word()))
            .filter(job::Column::RunAt.lte(at.as_millis()))
            .order_by_asc(job::Column::RunAt)
            .order_by_asc(job::Column::Id)
            .limit(at_most)
            .all(&self.0.reader)
            .await?;
        let job = |row: job::Model| {
            Ok(Job {
                tenant: row.tenant.into(),
                id: row.id.into(),
                kind: At("job", "kind").choice(&row.kind)?,
                subject: row.subject,
                run_at: Timestamp::from_millis(row.run_at),
                attempts: At("job", "attempts").number(row.attempts.into())?,
            })
        };
        rows.into_iter().map(job).collect()
    }

    /// How much work waits, due or not.
    ///
    /// # Errors
    /// When the database can not be read.
    pub async fn jobs_waiting(&self) -> Result<u64> {
        Ok(job::Entity::find().count(&self.0.reader).await?)
    }

    /// Lists of people that a process before this one had taken are due at once: a database in a file belongs to one
    /// server, so whoever took them is gone. On PostgreSQL it may be another server that lives; there they are due when
    /// the time is over that they were taken for.
    ///
    /// # Errors
    /// When the database can not be written.
    pub async fn orphaned_imports(&self, now: Timestamp) -> Result<()> {
        tx::write(self.0, Touched::Everybody, Isolation::ReadCommitted, |tx| async move {
            if tx.get_database_backend() != DbBackend::Sqlite {
                return Ok(());
            }
            job::Entity::update_many()
                .col_expr(job::Column::RunAt, Expr::val(now.as_millis()))
                .filter(job::Column::Kind.eq(JobKind::Import.word()))
                .filter(job::Column::Attempts.gt(0))
                .exec(&*tx)
                .await?;
            Ok(())
        })
        .await
    }

    /// Forgets lists of people whose time is over.
    ///
    /// # Errors
    /// When the database can not be written.
    pub async fn forget_imports(&self, now: Timestamp) -> Result<()> {
        tx::write(self.0, Touched::Everybody, Isolation::ReadCommitted, |tx| async move {
            import::Entity::delete_many()
                .filter(import::Column::EndsAt.lte(now.as_millis()))
                .exec(&*tx)
                .await?;
            Ok(())
        })
        .await
    }
}
