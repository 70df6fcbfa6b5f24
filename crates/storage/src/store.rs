//! Opening the store: which database, with which settings, at which schema.

use crate::repo::{
    Alarms, Audit, Cards, Devices, Doors, Gate, Guests, Households, Imports, Intercom, Invitations, Jobs,
    Moves, OwnCodes, Parts, People, PhoneNumbers, Records, Rules, SipAccounts, Sites, Tenants, Tokens,
    Trunks, Webhooks, Who,
};
use crate::tx::{self, Isolation, Touched};
use crate::written::Written;
use crate::{Result, StorageError, migration};
use klinke_model::ids::TenantId;
use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, Statement};
use std::fs::{File, OpenOptions, Permissions};
use std::io::ErrorKind;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// Connections that only read, SQLite.
const READERS: u32 = 4;
/// Connections, PostgreSQL.
const CONNECTIONS: u32 = 16;
/// How long a writer waits for its turn, or a reader for a connection.
const TURN: Duration = Duration::from_secs(30);
/// How long SQLite waits for another process (a backup) that holds the database.
const BUSY: Duration = Duration::from_secs(10);
/// A PostgreSQL connection that was idle this long is asked whether it still is one.
const STALE: Duration = Duration::from_secs(30);
/// How long PostgreSQL may work on one statement.
const STATEMENT: Duration = Duration::from_secs(10);

/// The store. Clones share the connections.
#[derive(Clone, Debug)]
pub struct Store {
    /// SQLite: the one connection that writes, and so the one that checkpoints.
    pub(crate) writer: DatabaseConnection,
    /// SQLite: connections that can not write. PostgreSQL: the same as the writer's.
    pub(crate) reader: DatabaseConnection,
    /// Who is told of what was written.
    pub(crate) written: Arc<Written>,
}

impl Store {
    /// Opens a database and brings its schema up to date.
    ///
    /// `url` is `sqlite://path` (made with mode 0600 when it is not there), `sqlite::memory:` (gone with the store) or
    /// `postgres://…`.
    ///
    /// An acknowledged write survives `kill -9` and power cuts: SQLite runs with WAL and `synchronous=FULL` (NORMAL lost a
    /// quarter of acknowledged commits in simulated power cuts) and must be 3.51.3 or newer; PostgreSQL must run with
    /// `synchronous_commit`. What is deleted is overwritten (`secure_delete`).
    ///
    /// # Errors
    /// When the database can not be reached, is not safe to use (see [`StorageError`]), or was written by a newer
    /// Klinke.
    pub async fn open(url: &str) -> Result<Self> {
        let store = if url.starts_with("sqlite:") {
            Self::sqlite(url).await?
        } else if url.starts_with("postgres:") {
            Self::postgres(url).await?
        } else {
            return Err(StorageError::UnknownDatabase);
        };
        let (everybody, level) = (Touched::Everybody, Isolation::ReadCommitted);
        tx::write(&store, everybody, level, |tx| async move { migration::migrate(&tx).await }).await?;
        Ok(store)
    }

    async fn sqlite(url: &str) -> Result<Self> {
        let in_memory = url.starts_with("sqlite::memory:");
        let mut _turn = None;
        if !in_memory {
            let options: SqliteConnectOptions =
                url.parse().map_err(|_| StorageError::Database("not a SQLite address".to_owned()))?;
            let path = options.get_filename().to_owned();
            _turn = Some(
                tokio::task::spawn_blocking(move || protect(&path))
                    .await
                    .map_err(std::io::Error::other)??,
            );
        }
        let writer = Database::connect(sqlite_options(url, 1, false)).await?;
        sqlite_is_sound(&ask(&writer, "SELECT sqlite_version()").await?)?;
        // A database in memory belongs to its one connection.
        let reader = if in_memory {
            writer.clone()
        } else {
            Database::connect(sqlite_options(url, READERS, true)).await?
        };
        Ok(Self { writer, reader, written: Arc::default() })
    }

    async fn postgres(url: &str) -> Result<Self> {
        let mut options = ConnectOptions::new(url);
        options
            .max_connections(CONNECTIONS)
            .acquire_timeout(TURN)
            .test_before_acquire_if_idle_for(STALE)
            .statement_timeout(STATEMENT)
            .sqlx_logging(false)
            .record_stmt_in_spans(false)
            .set_application_name("klinke")
            .map_sqlx_postgres_opts(|options| {
                options.options([("idle_in_transaction_session_timeout", "30s")])
            });
        let connection = Database::connect(options).await?;
        commits_wait_for_the_disk(&ask(&connection, "SELECT current_setting('synchronous_commit')").await?)?;
        Ok(Self { writer: connection.clone(), reader: connection, written: Arc::default() })
    }

    /// Changes with every transaction of this process that wrote this tenant's data, whatever it wrote: who keeps something
    /// that is made from what is stored looks again then. There is one place that writes, so no kind of change can be
    /// forgotten.
    pub fn written(&self, tenant: TenantId) -> watch::Receiver<()> {
        self.written.watch(tenant)
    }

    /// Finds out who asks.
    pub fn gate(&self) -> Gate<'_> {
        Gate(self)
    }

    /// Buildings, entrances, units.
    pub fn sites(&self) -> Sites<'_> {
        Sites(self)
    }

    /// Persons, accounts, places in units, roles.
    pub fn people(&self) -> People<'_> {
        People(self)
    }

    /// Who moves out and in, and when.
    pub fn moves(&self) -> Moves<'_> {
        Moves(self)
    }

    /// Devices and their sessions.
    pub fn devices(&self) -> Devices<'_> {
        Devices(self)
    }

    /// Panels and buttons.
    pub fn intercom(&self) -> Intercom<'_> {
        Intercom(self)
    }

    /// Cards and key rings.
    pub fn cards(&self) -> Cards<'_> {
        Cards(self)
    }

    /// Schedules and access rules.
    pub fn rules(&self) -> Rules<'_> {
        Rules(self)
    }

    /// Guests.
    pub fn guests(&self) -> Guests<'_> {
        Guests(self)
    }

    /// Codes of residents' own, and whose a code is.
    pub fn own_codes(&self) -> OwnCodes<'_> {
        OwnCodes(self)
    }

    /// Doors and controllers.
    pub fn doors(&self) -> Doors<'_> {
        Doors(self)
    }

    /// Property managers.
    pub fn tenants(&self) -> Tenants<'_> {
        Tenants(self)
    }

    /// Changing and removing what a property is made of.
    pub fn parts(&self) -> Parts<'_> {
        Parts(self)
    }

    /// Alarms of the doors.
    pub fn alarms(&self) -> Alarms<'_> {
        Alarms(self)
    }

    /// Records of use in commercial buildings.
    pub fn records(&self) -> Records<'_> {
        Records(self)
    }

    /// What administrators changed.
    pub fn audit(&self) -> Audit<'_> {
        Audit(self)
    }

    /// What people decide for their own home.
    pub fn households(&self) -> Households<'_> {
        Households(self)
    }

    /// Lists of people that are read in.
    pub fn imports(&self) -> Imports<'_> {
        Imports(self)
    }

    /// Links to set a password.
    pub fn invitations(&self) -> Invitations<'_> {
        Invitations(self)
    }

    /// Work for later.
    pub fn jobs(&self) -> Jobs<'_> {
        Jobs(self)
    }

    /// Tokens of other programs.
    pub fn tokens(&self) -> Tokens<'_> {
        Tokens(self)
    }

    /// Numbers at which people are rung.
    pub fn phone_numbers(&self) -> PhoneNumbers<'_> {
        PhoneNumbers(self)
    }

    /// What devices register with over SIP.
    pub fn sip_accounts(&self) -> SipAccounts<'_> {
        SipAccounts(self)
    }

    /// Ways to ordinary phones, and how often they may be called.
    pub fn trunks(&self) -> Trunks<'_> {
        Trunks(self)
    }

    /// Addresses that are told of changes.
    pub fn webhooks(&self) -> Webhooks<'_> {
        Webhooks(self)
    }

    /// Who lives where, who may open what, which keys are out, what was forgotten.
    pub fn who(&self) -> Who<'_> {
        Who(self)
    }

    /// Closes the connections. SQLite brings what is written into its one file then.
    ///
    /// # Errors
    /// When the database does not take its leave; nothing that was acknowledged is lost by that.
    pub async fn close(&self) -> Result<()> {
        self.reader.close_by_ref().await?;
        Ok(self.writer.close_by_ref().await?)
    }
}

/// Makes a file that only its owner can read, SQLite gives its WAL the same mode; one process after the other, until
/// what is answered is dropped.
///
/// A new database becomes one with a WAL under a lock for which SQLite does not wait, so who starts at the same moment
/// would be refused; the lock of its folder is waited for. The file itself is only opened to be made: POSIX takes every
/// lock on a file from a process that closes it, SQLite's too.
fn protect(path: &Path) -> std::io::Result<File> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let turn = File::open(folder)?;
    turn.lock()?;
    match OpenOptions::new().create_new(true).write(true).mode(0o600).open(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        made => drop(made?),
    }
    std::fs::set_permissions(path, Permissions::from_mode(0o600))?;
    Ok(turn)
}

fn sqlite_options(url: &str, connections: u32, read_only: bool) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(connections)
        .min_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .acquire_timeout(TURN)
        .test_before_acquire(false)
        .sqlx_logging(false)
        .record_stmt_in_spans(false)
        .map_sqlx_sqlite_opts(move |options| {
            options
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Full)
                .foreign_keys(true)
                .busy_timeout(BUSY)
                .pragma("secure_delete", "ON")
                .pragma("mmap_size", "0")
                .pragma("temp_store", "MEMORY")
                .pragma("query_only", if read_only { "ON" } else { "OFF" })
        });
    options
}

/// The one value that a statement answers.
async fn ask(connection: &DatabaseConnection, sql: &str) -> Result<String> {
    let statement = Statement::from_string(connection.get_database_backend(), sql);
    let row = connection.query_one_raw(statement).await?;
    let row = row.ok_or_else(|| StorageError::Database("no answer".to_owned()))?;
    Ok(row.try_get_by_index(0)?)
}

/// SQLite 3.7.0 to 3.51.2 can corrupt a database when its WAL starts over.
fn sqlite_is_sound(version: &str) -> Result<()> {
    let mut parts = version.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    let mut next = || parts.next().unwrap_or(0);
    if (next(), next(), next()) >= (3, 51, 3) {
        Ok(())
    } else {
        Err(StorageError::SqliteTooOld { found: version.to_owned() })
    }
}

/// `on` waits for the disk here (and of a synchronous standby), `remote_apply` for more than that.
fn commits_wait_for_the_disk(synchronous_commit: &str) -> Result<()> {
    match synchronous_commit {
        "on" | "remote_apply" => Ok(()),
        found => {
            Err(StorageError::Unsafe { setting: "synchronous_commit", found: found.to_owned(), needed: "on" })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sqlite_before_the_wal_reset_fix_is_refused() {
        for old in ["3.7.0", "3.50.4", "3.51.2", "2.99.99", "", "nonsense"] {
            assert!(
                matches!(sqlite_is_sound(old), Err(StorageError::SqliteTooOld { found }) if found == old),
                "{old}"
            );
        }
        for sound in ["3.51.3", "3.52.0", "3.100.0", "4.0.0"] {
            assert!(sqlite_is_sound(sound).is_ok(), "{sound}");
        }
    }

    #[tokio::test]
    async fn sqlite_connections_have_the_settings_that_keep_what_was_acknowledged() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("klinke.db").display());
        let store = Store::open(&url).await.unwrap();
        let number = async |connection: &DatabaseConnection, pragma: &str| {
            let sql = format!("SELECT CAST({pragma} AS TEXT) FROM pragma_{pragma}()");
            ask(connection, &sql).await.unwrap()
        };
        for connection in [&store.writer, &store.reader] {
            assert_eq!(number(connection, "journal_mode").await, "wal");
            assert_eq!(number(connection, "synchronous").await, "2", "FULL");
            assert_eq!(number(connection, "foreign_keys").await, "1");
            assert_eq!(number(connection, "secure_delete").await, "1");
        }
        assert_eq!(number(&store.writer, "query_only").await, "0");
        assert_eq!(number(&store.reader, "query_only").await, "1", "a reader can not write");
    }

    #[test]
    fn postgres_that_acknowledges_before_the_disk_is_refused() {
        for unsafe_setting in ["off", "local", "remote_write", ""] {
            assert!(commits_wait_for_the_disk(unsafe_setting).is_err(), "{unsafe_setting}");
        }
        assert!(commits_wait_for_the_disk("on").is_ok());
        assert!(commits_wait_for_the_disk("remote_apply").is_ok());
    }
}
