//! The schema's history.
//!
//! Expand and contract only: a migration adds what the next version needs and the version before can live beside;
//! what is no longer used goes one release later. There is no way down: a step back is a restore.
//!
//! A migration is a file of SQL that both databases read. To add one: a file, a line in [`HISTORY`], then the tests
//! with `UPDATE_SCHEMA=1` for the checked-in dumps in `schema/`.

use crate::{Result, StorageError};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr};
use sea_orm_migration::{MigrationName, MigrationTrait, MigratorTrait, SchemaManager, async_trait};

/// Every migration, oldest first: its name, its SQL.
const HISTORY: &[(&str, &str)] = &[
    ("m0001_first_call", include_str!("m0001_first_call.sql")),
    ("m0002_people_and_buildings", include_str!("m0002_people_and_buildings.sql")),
    ("m0003_access", include_str!("m0003_access.sql")),
    ("m0004_cards", include_str!("m0004_cards.sql")),
    ("m0005_guests", include_str!("m0005_guests.sql")),
    ("m0006_doors", include_str!("m0006_doors.sql")),
    ("m0007_groups", include_str!("m0007_groups.sql")),
    ("m0008_codes", include_str!("m0008_codes.sql")),
    ("m0009_alarms", include_str!("m0009_alarms.sql")),
    ("m0010_records", include_str!("m0010_records.sql")),
    ("m0011_phones", include_str!("m0011_phones.sql")),
    ("m0012_sip_accounts", include_str!("m0012_sip_accounts.sql")),
    ("m0013_trunk_encryption", include_str!("m0013_trunk_encryption.sql")),
    ("m0014_station_relays", include_str!("m0014_station_relays.sql")),
    ("m0015_station_bell", include_str!("m0015_station_bell.sql")),
    ("m0016_station_certificates", include_str!("m0016_station_certificates.sql")),
];

/// Brings the schema up to date, all or nothing. Several servers may start at once: one does it, the others wait.
pub async fn migrate(tx: &DatabaseTransaction) -> Result<()> {
    if tx.get_database_backend() == DbBackend::Postgres {
        // Waiting for the others, and changing a big table, may take longer than a question may.
        tx.execute_unprepared("SET LOCAL statement_timeout = 0; SELECT pg_advisory_xact_lock(4071993600)")
            .await?;
    }
    if let Some(migration) = unknown_migration(tx).await? {
        return Err(StorageError::NewerSchema { migration });
    }
    Ok(Migrations::up(tx, None).await?)
}

/// The first applied migration that this binary does not know.
async fn unknown_migration(tx: &DatabaseTransaction) -> Result<Option<String>> {
    let known = |name: &str| HISTORY.iter().any(|(known, _)| *known == name);
    let applied = Migrations::get_migration_models(tx).await?;
    Ok(applied.into_iter().map(|model| model.version).find(|name| !known(name)))
}

struct Migrations;

#[async_trait::async_trait]
impl MigratorTrait for Migrations {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        HISTORY.iter().map(|(name, sql)| Box::new(Sql { name, sql }) as Box<dyn MigrationTrait>).collect()
    }
}

/// A migration that is a file of SQL.
struct Sql {
    name: &'static str,
    sql: &'static str,
}

impl MigrationName for Sql {
    fn name(&self) -> &str {
        self.name
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Sql {
    async fn up(&self, manager: &SchemaManager) -> std::result::Result<(), DbErr> {
        manager.get_connection().execute_unprepared(self.sql).await.map(drop)
    }

    /// The caller's transaction holds them all.
    fn use_transaction(&self) -> Option<bool> {
        Some(false)
    }
}
