//! Lists of 1,000, 10,000 and 50,000 people that are applied through the store, beside bare INSERTs of the same rows through
//! the same driver: the persons, the words that they are found by, and their places.
//!
//! Both begin with the same empty homes, each in a database of its own, and end with the same rows, which is checked.

use super::town::{Town, details, id, insert, label};
use crate::Result;
use crate::figures::now;
use klinke_model::contact::Phone;
use klinke_model::ids::{BuildingId, EntranceId, ImportId, PersonId, UnitId};
use klinke_model::privacy::Pii;
use klinke_model::scope::Scope;
use klinke_model::site::{Building, BuildingKind, Entrance, Unit};
use klinke_storage::Store;
use klinke_storage::record::{House, ImportOutcome, ImportPlan, ImportWish, NewImport, Stamp};
use sea_orm::{ConnectOptions, ConnectionTrait, Database, Statement, Value as Cell};
use serde_json::{Value, json};
use std::time::Duration;
use uuid::Uuid;

/// How many people the lists have.
pub const SIZES: [u64; 3] = [1_000, 10_000, 50_000];
/// People of a home.
const IN_A_HOME: u64 = 2;

/// One size, in two empty databases.
///
/// # Errors
/// When a database can not be used, or does not end with the rows of the other.
pub async fn measure(ours: &str, theirs: &str, people: u64) -> Result<Value> {
    let (store, bare) = (Store::open(ours).await?, Store::open(theirs).await?);
    let (scope, stamp) = homes(&store, people).await?;
    homes(&bare, people).await?;
    let applied = apply(&store, &scope, &stamp, people).await?;
    store.close().await?;
    bare.close().await?;
    let inserted = insert_all(ours, theirs, people).await?;
    let per_s = |taken: Duration| people as f64 / taken.as_secs_f64().max(f64::EPSILON);
    eprintln!("  a list of {people} on {}: done", ours.split(':').next().unwrap_or_default());
    Ok(json!({
        "rows_per_s": per_s(applied),
        "bare_rows_per_s": per_s(inserted),
        "applied_ms": applied.as_secs_f64() * 1_000.0,
        "bare_ms": inserted.as_secs_f64() * 1_000.0,
        "ratio": applied.as_secs_f64() / inserted.as_secs_f64().max(f64::EPSILON),
    }))
}

/// A building with empty homes.
async fn homes(store: &Store, people: u64) -> Result<(Scope, Stamp)> {
    let (scope, stamp) = Town::claim(store).await?;
    let (building, entrance) = (BuildingId(id(3, 0)), EntranceId(id(4, 0)));
    let house = Building {
        id: building,
        name: label("Bench Court")?,
        address: label("Bench Street 1")?,
        kind: BuildingKind::Residential,
        time_zone: "Europe/Oslo".to_owned(),
        holidays: klinke_model::schedule::HolidayCalendar::None,
    };
    store.sites().insert_building(&scope, &stamp, house).await?;
    let stair = Entrance { id: entrance, building, name: label("A")? };
    store.sites().insert_entrance(&scope, &stamp, stair).await?;
    let unit = |home: u64| -> Result<Unit> {
        Ok(Unit { id: UnitId(id(6, home)), building, entrance, number: label(&home.to_string())? })
    };
    let units: Vec<Unit> = (0..people.div_ceil(IN_A_HOME)).map(unit).collect::<Result<_>>()?;
    store.sites().insert_units(&scope, &stamp, building, &units, &[]).await?;
    Ok((scope, stamp))
}

async fn apply(store: &Store, scope: &Scope, stamp: &Stamp, people: u64) -> Result<Duration> {
    let mut plan = ImportPlan::default();
    for one in 0..people {
        let person = PersonId(id(7, one));
        plan.people.push((person, details(one, Some(Phone::new(&format!("+47{}", 40_000_000 + one))?))?));
        plan.places.push((person, UnitId(id(6, one / IN_A_HOME)), one % IN_A_HOME == 0));
    }
    let (list, day) = (ImportId(id(12, 0)), Duration::from_secs(86_400));
    let ends_at = stamp.at.plus(day);
    let new = NewImport { id: list, building: BuildingId(id(3, 0)), content: Pii::default(), ends_at };
    store.imports().insert_import(scope, new).await?;
    let wish = ImportWish::Apply { leave_out_errors: false };
    store.imports().ask_import(scope, stamp, list, wish, id(13, 0).into()).await?;
    let decide = |_: &House, _: String| Some(plan.clone());
    let began = now();
    let done = store.imports().apply_import(scope, stamp, list, ends_at, decide, &|_, _| ()).await?;
    let taken = began.elapsed();
    if done == ImportOutcome::Done(0) { Ok(taken) } else { Err("the store took no list".into()) }
}

/// The tables that a list writes, with their columns.
const TABLES: [(&str, &str); 3] = [
    ("person", "tenant, id, name, active, email, phone, language, version, sort_name"),
    ("person_word", "tenant, word, person"),
    ("membership", "tenant, unit, person, owner"),
];

/// Reads the rows of one database, and writes them into the other in one transaction, which is timed.
async fn insert_all(from: &str, to: &str, people: u64) -> Result<Duration> {
    let connect = async |url: &str| {
        let mut options = ConnectOptions::new(url);
        options.max_connections(1).sqlx_logging(false);
        Database::connect(options).await
    };
    let (from, to) = (connect(from).await?, connect(to).await?);
    let backend = from.get_database_backend();
    let mut all = Vec::new();
    for (table, columns) in TABLES {
        let manager: Uuid = id(2, 0);
        let whose = if table == "person" { "id" } else { "person" };
        let sql = format!("SELECT {columns} FROM {table} WHERE {whose} <> $1");
        let mut rows: Vec<Vec<Cell>> = Vec::new();
        for row in from.query_all_raw(Statement::from_sql_and_values(backend, sql, [manager.into()])).await? {
            let mut cells: Vec<Cell> = Vec::new();
            for column in columns.split(", ") {
                cells.push(match column {
                    "tenant" | "id" | "unit" | "person" => row.try_get::<Uuid>("", column)?.into(),
                    "active" | "owner" => row.try_get::<bool>("", column)?.into(),
                    "version" => row.try_get::<i64>("", column)?.into(),
                    "word" | "sort_name" => row.try_get::<Vec<u8>>("", column)?.into(),
                    _ => row.try_get::<Option<String>>("", column)?.into(),
                });
            }
            rows.push(cells);
        }
        all.push((table, columns, rows));
    }
    let began = now();
    // on its one connection
    to.execute_unprepared("BEGIN").await?;
    for (table, columns, rows) in all {
        insert(&to, table, columns, rows).await?;
    }
    to.execute_unprepared("COMMIT").await?;
    let taken = began.elapsed();
    let counted = Statement::from_string(backend, "SELECT count(*) FROM membership");
    let there = to.query_one_raw(counted).await?.ok_or("no count")?.try_get_by_index::<i64>(0)?;
    if there != i64::try_from(people)? {
        return Err(format!("{there} places are there, not {people}").into());
    }
    from.close().await?;
    to.close().await?;
    Ok(taken)
}
