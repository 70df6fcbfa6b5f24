//! A fresh database for each test, of either kind; [`on_both!`](crate::database::on_both) runs a test on both.

use crate::postgres;
use klinke_storage::Store;
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection};
use std::sync::atomic::{AtomicU32, Ordering};
use tempfile::TempDir;

/// An empty, migrated database.
pub struct Db {
    pub store: Store,
    pub url: String,
    /// Removed with this.
    pub folder: Option<TempDir>,
}

impl Db {
    /// A file in a temporary folder.
    pub async fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("klinke.db").display());
        Self { store: Store::open(&url).await.unwrap(), url, folder: Some(folder) }
    }

    /// A database of the tests' cluster.
    pub async fn postgres() -> Self {
        let url = Self::empty_postgres().await;
        Self { store: Store::open(&url).await.unwrap(), url, folder: None }
    }

    /// The address of a new database in the tests' cluster, not migrated.
    pub async fn empty_postgres() -> String {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("klinke_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let server = postgres::url();
        let cluster = connect(server).await;
        cluster.execute_unprepared(&format!("CREATE DATABASE {name}")).await.unwrap();
        cluster.close().await.unwrap();
        let (address, options) = server.split_once('?').unwrap_or((server, ""));
        let (host, _) = address.rsplit_once('/').unwrap();
        format!("{host}/{name}?{options}")
    }

    /// A connection beside the store, for what the store has no function for.
    pub async fn connection(&self) -> DatabaseConnection {
        connect(&self.url).await
    }
}

async fn connect(url: &str) -> DatabaseConnection {
    let mut options = ConnectOptions::new(url);
    options.max_connections(1).sqlx_logging(false);
    Database::connect(options).await.unwrap()
}

/// Tests that run on SQLite and on PostgreSQL: `name::sqlite`, `name::postgres`.
macro_rules! on_both {
    ($($(#[$doc:meta])* async fn $name:ident($db:ident) $body:block)+) => {$(
        $(#[$doc])*
        mod $name {
            use super::*;

            async fn check($db: crate::database::Db) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                check(crate::database::Db::sqlite().await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                check(crate::database::Db::postgres().await).await;
            }
        }
    )+};
}
pub(crate) use on_both;
