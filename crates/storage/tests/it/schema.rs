//! Opening, migrating, and the checked-in dumps of the schema. `UPDATE_SCHEMA=1` rewrites them.

use crate::database::{Db, on_both};
use klinke_storage::{StorageError, Store};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use tokio::task::JoinSet;

/// One line of the dump per row. Columns in their order, constraints and indexes by name.
const POSTGRES: &str = "
    SELECT line FROM (
        SELECT c.relname AS part, 1 AS kind, a.attnum AS place,
               format('%s.%s %s%s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod),
                      CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END) AS line
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
        WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND a.attnum > 0 AND NOT a.attisdropped
        UNION ALL
        SELECT c.relname, 2, 0, format('%s: %s %s', c.relname, k.conname, pg_get_constraintdef(k.oid))
        FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
        WHERE c.relnamespace = 'public'::regnamespace AND k.contype <> 'n'
        UNION ALL
        SELECT tablename, 3, 0, indexdef FROM pg_indexes WHERE schemaname = 'public'
    ) AS dump ORDER BY part COLLATE \"C\", kind, place, line COLLATE \"C\"";

/// The statements themselves.
const SQLITE: &str = "
    SELECT sql || ';' AS line FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY tbl_name, type DESC, name";

async fn dump(connection: &DatabaseConnection) -> String {
    let backend = connection.get_database_backend();
    let sql = if backend == DbBackend::Sqlite { SQLITE } else { POSTGRES };
    let rows = connection.query_all_raw(Statement::from_string(backend, sql)).await.unwrap();
    let lines = rows.into_iter().map(|row| row.try_get::<String>("", "line").unwrap() + "\n");
    lines.collect()
}

on_both! {
    async fn the_checked_in_dump_is_fresh(db) {
        let connection = db.connection().await;
        let name = match connection.get_database_backend() {
            DbBackend::Sqlite => "sqlite.sql",
            _ => "postgres.sql",
        };
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema").join(name);
        let schema = dump(&connection).await;
        if std::env::var_os("UPDATE_SCHEMA").is_some() {
            std::fs::write(&file, &schema).unwrap();
        }
        let checked_in = std::fs::read_to_string(&file).unwrap_or_default();
        assert_eq!(schema, checked_in, "{name} is not what the migrations make; run with UPDATE_SCHEMA=1");
    }

    async fn every_table_has_the_tenant(db) {
        let connection = db.connection().await;
        let backend = connection.get_database_backend();
        let without = match backend {
            DbBackend::Sqlite => "SELECT name FROM sqlite_schema t WHERE type = 'table' AND name NOT LIKE 'sqlite_%'
                AND NOT EXISTS (SELECT 1 FROM pragma_table_info(t.name) c WHERE c.name = 'tenant')",
            _ => "SELECT tablename AS name FROM pg_tables t WHERE schemaname = 'public' AND NOT EXISTS
                (SELECT 1 FROM information_schema.columns c WHERE c.table_name = t.tablename
                 AND c.column_name = 'tenant')",
        };
        let rows = connection.query_all_raw(Statement::from_string(backend, without)).await.unwrap();
        let names: Vec<String> = rows.iter().map(|row| row.try_get("", "name").unwrap()).collect();
        assert_eq!(names, ["seaql_migrations"]);
    }

    async fn opening_again_changes_nothing(db) {
        let connection = db.connection().await;
        let before = dump(&connection).await;
        let (one, other) = tokio::join!(Store::open(&db.url), Store::open(&db.url));
        one.unwrap();
        other.unwrap();
        assert_eq!(dump(&connection).await, before);
    }

    async fn a_schema_of_a_newer_version_is_left_alone(db) {
        let connection = db.connection().await;
        let newer = "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m9999_flying_doors', 0)";
        connection.execute_unprepared(newer).await.unwrap();
        let refused = Store::open(&db.url).await.unwrap_err();
        assert!(matches!(&refused, StorageError::NewerSchema { migration } if migration == "m9999_flying_doors"));
        let text = refused.to_string();
        assert!(text.contains("newer Klinke") && text.contains("m9999_flying_doors"), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_that_start_at_once_on_an_empty_database_share_it() {
    let folder = tempfile::tempdir().unwrap();
    let sqlite = format!("sqlite://{}", folder.path().join("new.db").display());
    for url in [sqlite, Db::empty_postgres().await] {
        let mut servers = JoinSet::new();
        for _ in 0..8 {
            let url = url.clone();
            servers.spawn(async move { Store::open(&url).await.unwrap().gate().is_claimed().await.unwrap() });
        }
        assert_eq!(servers.join_all().await, [false; 8]);
    }
}

#[tokio::test]
async fn the_file_and_its_log_are_the_owners_only() {
    let db = Db::sqlite().await;
    crate::town::two_towns(&db).await;
    let folder = db.folder.as_ref().unwrap();
    let modes = || {
        let files = std::fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap());
        let mut files: Vec<_> = files
            .map(|file| {
                (
                    file.file_name().into_string().unwrap(),
                    file.metadata().unwrap().permissions().mode() & 0o777,
                )
            })
            .collect();
        files.sort();
        files
    };
    let mine = ["klinke.db", "klinke.db-shm", "klinke.db-wal"].map(|name| (name.to_owned(), 0o600));
    assert_eq!(modes(), mine);
}

#[tokio::test]
async fn a_file_that_others_could_read_is_closed_to_them() {
    let Db { store, url, folder } = Db::sqlite().await;
    drop(store);
    let file = folder.as_ref().unwrap().path().join("klinke.db");
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o644)).unwrap();
    let _store = Store::open(&url).await.unwrap();
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn a_database_in_memory_works_and_an_unknown_one_is_named() {
    let store = Store::open("sqlite::memory:").await.unwrap();
    assert!(!store.gate().is_claimed().await.unwrap());
    let town = crate::town::Town::plan(1);
    assert!(store.gate().claim(&crate::town::stamp(1), town.installation()).await.unwrap());
    assert!(store.gate().is_claimed().await.unwrap());
    assert!(matches!(Store::open("mysql://x").await, Err(StorageError::UnknownDatabase)));
    let nowhere = Store::open("sqlite:///nowhere/at/all.db").await;
    assert!(matches!(nowhere, Err(StorageError::File(_))), "{nowhere:?}");
}

#[tokio::test]
async fn postgres_that_does_not_wait_for_the_disk_is_refused() {
    let db = Db::postgres().await;
    let name = db.url.split('?').next().unwrap().rsplit('/').next().unwrap();
    let connection = db.connection().await;
    let sql = format!("ALTER DATABASE {name} SET synchronous_commit = off");
    connection.execute_unprepared(&sql).await.unwrap();
    let refused = Store::open(&db.url).await;
    assert!(
        matches!(&refused, Err(StorageError::Unsafe { setting: "synchronous_commit", .. })),
        "{refused:?}"
    );
}

#[tokio::test]
async fn an_error_does_not_tell_what_a_row_holds() {
    for db in [Db::sqlite().await, Db::postgres().await] {
        let connection = db.connection().await;
        let (ours, _) = crate::town::two_towns(&db).await;
        connection.execute_unprepared("UPDATE person SET name = ' '").await.unwrap();
        let corrupt = db.store.people().person(&ours.system(), ours.kari).await;
        let corrupt = corrupt.unwrap_err();
        assert!(matches!(corrupt, StorageError::Corrupt { table: "person", column: "name" }));
        let account = ours.account(ours.manager, "mona1000");
        let conflict = db.store.people().insert_account(&ours.system(), account).await.unwrap_err();
        assert!(!format!("{conflict} {conflict:?}").contains("mona"), "{conflict:?}");
    }
}
