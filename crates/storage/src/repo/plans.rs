//! That every order of a list is read off an index: asked of SQLite, which answers without a row in its tables.
//! PostgreSQL decides by what is in them.

use super::{buttons_page, doors, moves_page, openers, people_page, units_page};
use crate::Store;
use crate::record::{
    ButtonAfter, ButtonsOrder, ButtonsQuery, MoveState, MovesQuery, PeopleAfter, PeopleOrder, PeopleQuery,
    UnitAfter, UnitsQuery,
};
use klinke_model::ids::{BuildingId, PersonId, TenantId, UnitId, v4};
use klinke_model::privacy::Pii;
use klinke_model::scope::{Principal, Scope};
use klinke_model::time::Timestamp;
use sea_orm::sea_query::{SelectStatement, SqliteQueryBuilder};
use sea_orm::{ConnectionTrait, DbBackend, QueryTrait, Statement};

const HOUSE: BuildingId = BuildingId(uuid::Uuid::from_bytes([1; 16]));

async fn plan(store: &Store, select: &SelectStatement) -> Vec<String> {
    let sql = format!("EXPLAIN QUERY PLAN {}", select.to_string(SqliteQueryBuilder));
    let rows = store.reader.query_all_raw(Statement::from_string(DbBackend::Sqlite, sql)).await.unwrap();
    rows.iter().map(|row| row.try_get::<String>("", "detail").unwrap()).collect()
}

/// The first step reads this index, and nothing is sorted but what is equal by its first keys.
async fn reads_off(store: &Store, select: &SelectStatement, index: &str) {
    let plan = plan(store, select).await;
    assert!(plan[0].contains(&format!("INDEX {index} ")), "{index}: {plan:#?}");
    let sorts = |step: &&String| step.contains("FOR ORDER BY");
    assert_eq!(plan.iter().find(sorts), None, "{plan:#?}");
    let all_of = |step: &&String| step.contains("other_place") && !step.contains("person=?");
    assert_eq!(plan.iter().find(all_of), None, "the other homes of one person: {plan:#?}");
}

#[tokio::test]
async fn every_order_is_read_off_an_index() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&format!("sqlite://{}", folder.path().join("plans.db").display())).await.unwrap();
    let system = Scope::system(TenantId(v4([2; 16])));
    let person = PersonId(v4([3; 16]));
    let admin = Scope { principal: Principal::Token { token: v4([4; 16]).into(), issuer: person }, ..system };
    let (unit, key) = (UnitId(v4([5; 16])), || b"key".to_vec());
    for scope in [system, admin] {
        for (descending, next) in [(false, false), (false, true), (true, false), (true, true)] {
            // by name everybody; those of one building are as many as live there
            let all = scope == system;
            for (order, building, index) in
                [(PeopleOrder::Name, None, "person_sort"), (PeopleOrder::Home, Some(HOUSE), "unit_sort")]
            {
                let home = building.map(|_| (key(), unit));
                let after = next.then(|| PeopleAfter { home, name: Pii::new(key()), person });
                let query =
                    PeopleQuery { building, order, descending, after, limit: 50, ..PeopleQuery::default() };
                if all || building.is_some() {
                    reads_off(&store, &people_page::select(&scope, &query, all), index).await;
                }
            }
            let after = next.then(|| UnitAfter { number: key(), unit });
            let query = UnitsQuery { descending, after, limit: 50, ..UnitsQuery::default() };
            reads_off(&store, units_page::select(&scope, HOUSE, &query).as_query(), "unit_sort").await;
            let (panel, bell) = (v4([6; 16]).into(), v4([7; 16]).into());
            for (order, index, after) in [
                (ButtonsOrder::Place, "bell_place", ButtonAfter::Place(panel, 3, bell)),
                (ButtonsOrder::Label, "bell_label", ButtonAfter::Label(Pii::new(key()), bell)),
                (ButtonsOrder::Unit, "unit_sort", ButtonAfter::Unit(key(), unit, bell)),
            ] {
                let after = Some(after).filter(|_| next);
                let query = ButtonsQuery { order, descending, after, limit: 50, ..ButtonsQuery::default() };
                reads_off(&store, &buttons_page::select(&scope, HOUSE, &query), index).await;
            }
            let state = if descending { MoveState::Done } else { MoveState::Scheduled };
            let after = next.then(|| (Timestamp::from_millis(9), v4([8; 16]).into()));
            let query = MovesQuery { state, after, limit: 50 };
            reads_off(&store, moves_page::select(&scope, HOUSE, &query).as_query(), "move_list").await;
        }
    }
}

/// Everybody who waits at a door waits for this: nothing but what their own homes and rules hold is read for it.
#[tokio::test]
async fn who_stands_before_a_door_is_looked_up() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&format!("sqlite://{}", folder.path().join("plans.db").display())).await.unwrap();
    let system = Scope::system(TenantId(v4([2; 16])));
    let (person, door) = (PersonId(v4([3; 16])), v4([4; 16]).into());
    let whole = |steps: Vec<String>| -> Vec<String> {
        // a subquery that was made before is read; a table without a key is not
        let tables =
            ["membership", "unit_door", "access_rule", "person", "role_grant", "door", "schedule", "unit"];
        steps.into_iter().filter(|step| tables.iter().any(|table| *step == format!("SCAN {table}"))).collect()
    };
    let facts = plan(&store, &doors::facts(&system, person, door)).await;
    assert_eq!(whole(facts.clone()), Vec::<String>::new(), "{facts:#?}");
    let of_person = plan(&store, &openers::doors_with_reasons(&system, person, None, 50)).await;
    assert_eq!(whole(of_person.clone()), Vec::<String>::new(), "{of_person:#?}");
    // by index, and then of the whole property manager all the same: rows of a person are looked up by the person
    let wide = |step: &&String| {
        ["access_rule_person", "people_group_member", "membership "].iter().any(|table| step.contains(table))
            && step.ends_with("(tenant=?)")
    };
    assert_eq!(facts.iter().find(wide), None, "{facts:#?}");
}
