//! Lists of people at 1,000, 10,000 and 100,000 people, on SQLite and PostgreSQL: each question through the store as a
//! manager asks it, beside SQL written by hand that returns the same rows through the same driver.
//!
//! The rows of both are compared before anything is timed; then they take turns.

mod bare;
mod lists;
mod town;

use crate::Result;
use crate::figures::{now, times};
use bare::{Bare, Row};
use klinke_model::ids::{BuildingId, DoorId, PersonId, UnitId};
use klinke_model::scope::Scope;
use klinke_storage::Store;
use klinke_storage::record::{HomeState, HomesQuery, PeopleOrder, PeopleQuery, Standing};
use sea_orm::{ConnectionTrait, Database};
use serde_json::{Map, Value, json};
use std::fs;
use std::time::Duration;
use town::Town;

/// How many people there are.
const SIZES: [u64; 3] = [1_000, 10_000, 100_000];
/// How often each question is asked.
const TIMES: usize = 200;
/// Rows of a page.
const PAGE: u16 = 50;

/// Everything, or one size, on SQLite and, when its address is given, on PostgreSQL.
///
/// # Errors
/// When a database can not be used, or the rows of the store are not those of the hand-written SQL.
pub async fn measure(postgres: Option<&str>, only: Option<u64>) -> Result<Value> {
    let sizes: Vec<u64> = only.map_or_else(|| SIZES.to_vec(), |people| vec![people]);
    let mut all = Map::new();
    all.insert("sqlite".to_owned(), sqlite(&sizes).await?);
    if let Some(url) = postgres {
        all.insert("postgres".to_owned(), on_postgres(url, &sizes).await?);
    }
    if only.is_none() {
        all.insert("lists".to_owned(), of_lists(postgres).await?);
    }
    Ok(all.into())
}

/// Lists of people of every size, on each database.
///
/// # Errors
/// When a database can not be used.
pub async fn of_lists(postgres: Option<&str>) -> Result<Value> {
    let (mut on_sqlite, mut on_postgres) = (Map::new(), Map::new());
    for people in lists::SIZES {
        let folder = tempfile::tempdir()?;
        let url = |name: &str| format!("sqlite://{}?mode=rwc", folder.path().join(name).display());
        on_sqlite
            .insert(people.to_string(), lists::measure(&url("ours.db"), &url("theirs.db"), people).await?);
        if let Some(server) = postgres {
            let (ours, theirs) = (Fresh::new(server, "ours").await?, Fresh::new(server, "theirs").await?);
            on_postgres.insert(people.to_string(), lists::measure(&ours.url, &theirs.url, people).await?);
            ours.drop().await?;
            theirs.drop().await?;
        }
    }
    Ok(json!({ "sqlite": on_sqlite, "postgres": on_postgres }))
}

/// An empty database of a PostgreSQL.
struct Fresh<'a> {
    server: &'a str,
    name: String,
    url: String,
}

impl<'a> Fresh<'a> {
    async fn new(server: &'a str, what: &str) -> Result<Self> {
        let name = format!("klinke_bench_{what}");
        let url = server.replacen("/postgres?", &format!("/{name}?"), 1);
        if url == server {
            return Err("the address of PostgreSQL must name the database `postgres`".into());
        }
        let all = Database::connect(server).await?;
        all.execute_unprepared(&format!("DROP DATABASE IF EXISTS {name}")).await?;
        all.execute_unprepared(&format!("CREATE DATABASE {name}")).await?;
        all.close().await?;
        Ok(Self { server, name, url })
    }

    async fn drop(self) -> Result<()> {
        let all = Database::connect(self.server).await?;
        all.execute_unprepared(&format!("DROP DATABASE {} WITH (FORCE)", self.name)).await?;
        Ok(all.close().await?)
    }
}

async fn sqlite(only: &[u64]) -> Result<Value> {
    let mut sizes = Map::new();
    for &people in only {
        let folder = tempfile::tempdir()?;
        let url = format!("sqlite://{}?mode=rwc", folder.path().join("klinke.db").display());
        sizes.insert(people.to_string(), one(&url, people).await?);
    }
    Ok(sizes.into())
}

async fn on_postgres(url: &str, only: &[u64]) -> Result<Value> {
    let mut sizes = Map::new();
    for &people in only {
        let own = Fresh::new(url, &people.to_string()).await?;
        sizes.insert(people.to_string(), one(&own.url, people).await?);
        own.drop().await?;
    }
    Ok(sizes.into())
}

async fn one(url: &str, people: u64) -> Result<Value> {
    let store = Store::open(url).await?;
    let (town, imported) = Town::settle(&store, url, people).await?;
    let bare = Bare::connect(url, &town).await?;
    let mut figures = Map::new();
    for question in Question::ALL {
        let ours = question.ask(&store, &town).await?;
        let theirs = question.ask_bare(&bare, &town).await?;
        if ours != theirs {
            let (ours, theirs) = (ours.len(), theirs.len());
            return Err(
                format!("{}: {ours} rows of the store are not the {theirs} of SQL", question.name()).into()
            );
        }
        if ours.is_empty() {
            return Err(format!("{}: nothing was found", question.name()).into());
        }
        let (mut of_store, mut of_bare) = (Vec::with_capacity(TIMES), Vec::with_capacity(TIMES));
        for _ in 0..TIMES {
            let began = now();
            question.ask(&store, &town).await?;
            of_store.push(began.elapsed());
            let began = now();
            question.ask_bare(&bare, &town).await?;
            of_bare.push(began.elapsed());
        }
        let ratio = median(&of_store) / median(&of_bare).max(f64::EPSILON);
        let rows = ours.len();
        figures.insert(
            question.name().to_owned(),
            json!({ "store_ms": times(of_store), "bare_ms": times(of_bare), "ratio": ratio, "rows": rows }),
        );
    }
    figures.insert("import_rows_per_s".to_owned(), json!(imported));
    figures.insert("resident_mib".to_owned(), json!(resident()?));
    eprintln!("  {people} people on {}: done", url.split(':').next().unwrap_or_default());
    store.close().await?;
    Ok(figures.into())
}

fn median(all: &[Duration]) -> f64 {
    let mut all = all.to_vec();
    all.sort();
    all.get(all.len() / 2).map_or(0.0, Duration::as_secs_f64)
}

/// Resident memory of this process, which holds the store, in MiB.
fn resident() -> Result<f64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib: f64 = line.and_then(|line| line.split_whitespace().next()).ok_or("no VmRSS")?.parse()?;
    Ok(kib / 1024.0)
}

/// What is asked.
#[derive(Clone, Copy)]
enum Question {
    First,
    Deep,
    OneWord,
    TwoWords,
    OfBuilding,
    ByHome,
    Suspended,
    Unreachable,
    MayOpen,
    LivesHere,
    CannotBeRung,
}

impl Question {
    const ALL: [Self; 11] = [
        Self::First,
        Self::Deep,
        Self::OneWord,
        Self::TwoWords,
        Self::OfBuilding,
        Self::ByHome,
        Self::Suspended,
        Self::Unreachable,
        Self::MayOpen,
        Self::LivesHere,
        Self::CannotBeRung,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::First => "list_first",
            Self::Deep => "list_deep",
            Self::OneWord => "search_one_word",
            Self::TwoWords => "search_two_words",
            Self::OfBuilding => "filter_building",
            Self::ByHome => "sort_home",
            Self::Suspended => "filter_suspended",
            Self::Unreachable => "filter_unreachable",
            Self::MayOpen => "who_may_open",
            Self::LivesHere => "who_lives_here",
            Self::CannotBeRung => "cannot_be_rung",
        }
    }

    fn people(self, town: &Town) -> PeopleQuery {
        let query = PeopleQuery { limit: PAGE, at: Some(town.scope.at), ..PeopleQuery::default() };
        match self {
            Self::Deep => PeopleQuery { after: Some(town.deep.clone()), ..query },
            Self::OneWord => PeopleQuery { text: town.word.clone(), ..query },
            Self::TwoWords => PeopleQuery { text: format!("{} {}", town.word, town.second), ..query },
            Self::OfBuilding => PeopleQuery { building: Some(town.building), ..query },
            Self::ByHome => PeopleQuery { building: Some(town.building), order: PeopleOrder::Home, ..query },
            Self::Suspended => PeopleQuery { standing: Some(Standing::Suspended), ..query },
            Self::Unreachable => PeopleQuery { standing: Some(Standing::Unreachable), ..query },
            _ => query,
        }
    }

    /// The answer of the store, as pairs of what a row is about.
    async fn ask(self, store: &Store, town: &Town) -> Result<Vec<Row>> {
        let scope: &Scope = &town.scope;
        match self {
            Self::MayOpen => {
                let page = store.who().openers(scope, town.door, None, PAGE).await?;
                let people = page.ok_or("no such door")?.people;
                Ok(people.iter().map(|one| (one.person.0, None)).collect())
            }
            Self::LivesHere | Self::CannotBeRung => {
                let states = match self {
                    Self::LivesHere => Vec::new(),
                    _ => HomeState::ALL.into_iter().filter(|state| state.is_silent()).collect(),
                };
                let query = HomesQuery { limit: PAGE, states, ..HomesQuery::default() };
                let homes = store.who().homes(scope, town.building, &query).await?.homes;
                let member = |unit: UnitId| move |person: PersonId| (unit.0, Some(person.0));
                Ok(homes
                    .iter()
                    .flat_map(|home| home.members.iter().map(|one| one.person).map(member(home.unit)))
                    .collect())
            }
            _ => {
                let page = store.people().page(scope, &self.people(town)).await?;
                let home = |row: &klinke_storage::record::PersonRow| {
                    row.homes.iter().map(|home| (row.person.id.0, Some(home.unit.0))).collect::<Vec<_>>()
                };
                Ok(page.people.iter().flat_map(home).collect())
            }
        }
    }

    async fn ask_bare(self, bare: &Bare, town: &Town) -> Result<Vec<Row>> {
        let (building, door): (BuildingId, DoorId) = (town.building, town.door);
        match self {
            Self::First => bare.people("", vec![]).await,
            Self::Deep => {
                bare.people(
                    "AND (p.sort_name, p.id) > ((SELECT sort_name FROM person WHERE tenant = $1 AND id = $2), $2)",
                    vec![town.deep.person.0.into()],
                )
                .await
            }
            Self::OneWord => bare.people(bare::ONE_WORD, bare::word(&town.word)).await,
            Self::TwoWords => {
                let words = [bare::word(&town.word), bare::word(&town.second)].concat();
                bare.people(bare::TWO_WORDS, words).await
            }
            Self::OfBuilding => bare.people(bare::OF_BUILDING, vec![building.0.into()]).await,
            Self::ByHome => bare.by_home(building).await,
            Self::Suspended => bare.people("AND NOT p.active", vec![]).await,
            Self::Unreachable => bare.people(bare::UNREACHABLE, vec![]).await,
            Self::MayOpen => bare.openers(door, building, town.scope.at).await,
            Self::LivesHere => bare.homes(building, "").await,
            Self::CannotBeRung => bare.homes(building, bare::SILENT).await,
        }
    }
}
