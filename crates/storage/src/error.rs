//! What can go wrong in the store.
//!
//! "Not found" is never an error, it is `None` or `false`. No error carries a value of a row: what the database says
//! about a row ("Key (user_name)=(kari) already exists") stays out, so an error can be logged as it is.

use sea_orm::{DbErr, RuntimeErr, SqlErr};

/// Why the store could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// The address of the database is not one that Klinke knows.
    #[error("the database address must begin with sqlite: or postgres:")]
    UnknownDatabase,
    /// The SQLite that is linked in can corrupt a database (WAL reset, SQLite 3.7.0 to 3.51.2).
    #[error("SQLite {found} can corrupt the database; 3.51.3 or newer is needed")]
    SqliteTooOld {
        /// What `sqlite_version()` says.
        found: String,
    },
    /// A setting without which acknowledged writes could be lost.
    #[error("the database runs with {setting} = {found}, but {needed} is needed to keep acknowledged writes")]
    Unsafe {
        /// Name of the setting.
        setting: &'static str,
        /// Its value.
        found: String,
        /// The value that is needed.
        needed: &'static str,
    },
    /// A newer Klinke has changed this database.
    #[error(
        "this database was written by a newer Klinke (it has the migration {migration}, which this one does not know); start the newer version, or restore a backup made before the update"
    )]
    NewerSchema {
        /// The first migration that this binary does not know.
        migration: String,
    },
    /// Something unique is there already: the id, a user name, a token, an output of a controller.
    #[error("it is there already")]
    Conflict,
    /// A door station opens the door: no controller drives it too.
    #[error("a door station opens this door")]
    Driven,
    /// A door station opens the door: what was asked for takes a controller.
    #[error("a door station opens this door, and this takes a controller")]
    NeedsController,
    /// A named row (of this tenant) is not there. Repositories answer `false` where the caller named it.
    #[error("a row that this one refers to is not there")]
    MissingReference,
    /// Other writers came first again and again. Nothing was changed; it can be tried later.
    #[error("too many changes at once")]
    Contended,
    /// The caller broke a rule of the model.
    #[error("{0}")]
    Invalid(&'static str),
    /// A stored value is not one that Klinke writes.
    #[error("the column {column} of table {table} holds a value that Klinke does not write")]
    Corrupt {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
    },
    /// The file of the database could not be made or protected.
    #[error("the database file: {0}")]
    File(#[from] std::io::Error),
    /// Anything else that the database or the way to it says.
    #[error("the database: {0}")]
    Database(String),
}

impl From<DbErr> for StorageError {
    fn from(error: DbErr) -> Self {
        match error.sql_err() {
            Some(SqlErr::UniqueConstraintViolation(_)) => Self::Conflict,
            Some(SqlErr::ForeignKeyConstraintViolation(_)) => Self::MissingReference,
            _ if must_begin_again(&error) => Self::Contended,
            _ => Self::Database(error.to_string()),
        }
    }
}

/// PostgreSQL's serialization failure and deadlock.
fn must_begin_again(error: &DbErr) -> bool {
    let (DbErr::Exec(RuntimeErr::SqlxError(error)) | DbErr::Query(RuntimeErr::SqlxError(error))) = error
    else {
        return false;
    };
    let code = error.as_database_error().and_then(|error| error.code());
    matches!(code.as_deref(), Some("40001" | "40P01"))
}

/// What somebody named is not there: `false`, not an error.
pub fn absent_is_false(result: Result<bool, StorageError>) -> Result<bool, StorageError> {
    match result {
        Err(StorageError::MissingReference) => Ok(false),
        other => other,
    }
}
