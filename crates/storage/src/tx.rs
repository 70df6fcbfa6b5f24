//! Transactions: [`write()`] is the only way to write, [`read()`] is how several questions see one moment.
//!
//! SQLite: `BEGIN IMMEDIATE` on the one writer connection. A plain `BEGIN` that reads and then writes fails at once
//! with "database is locked" when somebody wrote in between; IMMEDIATE waits its turn instead.
//!
//! PostgreSQL: the isolation that the writer names.
//! - [`Isolation::ReadCommitted`] where unique and foreign keys alone decide between two writers: plain inserts.
//! - [`Isolation::Serializable`] where a writer decides by what it read: who has which right, which controller drives
//!   which door. One of two such writers may be told to begin again (SQLSTATE 40001, or 40P01 for a deadlock); only
//!   then the work runs again, at most [`TRIES`] times.
//!
//! The work must touch nothing but the transaction, so that it can run again, and never wait for a network in between.

use crate::{Result, StorageError, Store};
use klinke_model::ids::TenantId;
use klinke_model::scope::Scope;
use sea_orm::{AccessMode, DatabaseConnection, DatabaseTransaction, DbBackend, IsolationLevel};
use sea_orm::{SqliteTransactionMode, TransactionOptions, TransactionTrait};
use std::sync::Arc;
use std::time::Duration;

/// A transaction in the hands of its work. By value, and not `AsyncFn(&DatabaseTransaction)`: the compiler can not yet see
/// that the future of such a closure may move between threads.
pub type Tx = Arc<DatabaseTransaction>;

/// How often a serializable transaction may begin.
const TRIES: u32 = 100;

/// What PostgreSQL keeps apart; SQLite has one writer at a time anyway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Isolation {
    /// Keys decide.
    ReadCommitted,
    /// What was read decides.
    Serializable,
}

/// Whose data a transaction writes: a `&Scope` says its tenant's, and only who watches that one is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Touched {
    /// One tenant's.
    Tenant(TenantId),
    /// That of several, of the installation, or it is not known before.
    Everybody,
}

impl From<&Scope> for Touched {
    fn from(scope: &Scope) -> Self {
        Self::Tenant(scope.tenant)
    }
}

/// Runs `work` in a write transaction: its `Ok` is on the disk when this returns, its error changed nothing. Who watches
/// [`Store::written`] is told.
pub async fn write<T, F: Future<Output = Result<T>>>(
    store: &Store,
    touched: impl Into<Touched>,
    isolation: Isolation,
    work: impl Fn(Tx) -> F,
) -> Result<T> {
    let level = match isolation {
        Isolation::ReadCommitted => IsolationLevel::ReadCommitted,
        Isolation::Serializable => IsolationLevel::Serializable,
    };
    let mut attempt = 1;
    loop {
        let tx = begin(&store.writer, level, AccessMode::ReadWrite, SqliteTransactionMode::Immediate).await?;
        match finish(tx, &work).await {
            Err(StorageError::Contended) if isolation == Isolation::Serializable && attempt < TRIES => {
                tokio::time::sleep(pause(attempt)).await;
                attempt += 1;
            }
            done => {
                if done.is_ok() {
                    store.written.tell(touched.into());
                }
                return done;
            }
        }
    }
}

/// Runs `work` in a read transaction: everything that it reads is as of one moment.
pub async fn read<T, F: Future<Output = Result<T>>>(store: &Store, work: impl FnOnce(Tx) -> F) -> Result<T> {
    let level = IsolationLevel::RepeatableRead;
    let tx = begin(&store.reader, level, AccessMode::ReadOnly, SqliteTransactionMode::Deferred).await?;
    finish(tx, work).await
}

async fn finish<T, F: Future<Output = Result<T>>>(
    tx: DatabaseTransaction,
    work: impl FnOnce(Tx) -> F,
) -> Result<T> {
    let tx = Arc::new(tx);
    let done = work(Arc::clone(&tx)).await;
    // The work is over and let go of it.
    let Some(tx) = Arc::into_inner(tx) else {
        return Err(StorageError::Database("a transaction outlived its work".to_owned()));
    };
    match done {
        Ok(value) => {
            tx.commit().await?;
            Ok(value)
        }
        Err(error) => {
            // The error that made it fail is the one to tell; a transaction that can not be rolled back is rolled back
            // by the database when the connection goes.
            let _ = tx.rollback().await;
            Err(error)
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that begins transactions, with the right mode")]
async fn begin(
    connection: &DatabaseConnection,
    level: IsolationLevel,
    access: AccessMode,
    mode: SqliteTransactionMode,
) -> Result<DatabaseTransaction> {
    let options = match connection.get_database_backend() {
        DbBackend::Sqlite => {
            TransactionOptions { sqlite_transaction_mode: Some(mode), ..TransactionOptions::default() }
        }
        _ => TransactionOptions {
            isolation_level: Some(level),
            access_mode: Some(access),
            sqlite_transaction_mode: None,
        },
    };
    Ok(connection.begin_with_options(options).await?)
}

/// Longer with every try, so that many who collide spread out; 20 ms at most.
fn pause(attempt: u32) -> Duration {
    Duration::from_millis(u64::from(attempt.min(20)))
}
