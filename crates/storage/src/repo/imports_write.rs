//! Writes what a list of people does, and takes it back: in statements of a few hundred rows, nearly all of them of the same
//! length, so that the database prepares each once.

use crate::Result;
use crate::entity::{account, bell, door, household_move, membership, person, person_word, unit, unit_door};
use crate::record::{Details, ImportDone, ImportPlan, NewHome};
use crate::repo::convert::{self, Word};
use crate::repo::{people, reach};
use klinke_model::alphabet::Alphabet;
use klinke_model::fold::fold;
use klinke_model::ids::{BuildingId, PersonId, UnitId};
use klinke_model::people::Person;
use klinke_model::rights::Right;
use klinke_model::scope::Scope;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Alias, Expr, ExprTrait, JoinType, OnConflict, Query};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter};
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

/// Rows in one statement: PostgreSQL takes 65,535 values in one, SQLite 32,766.
const ROWS: usize = 500;
/// Terms in one condition: SQLite takes expressions that are 1,000 deep.
const TERMS: usize = 200;

/// Is told how many rows are written, and of how many.
pub type Told<'a> = dyn Fn(usize, usize) + Send + Sync + 'a;

/// Writes a plan.
pub async fn carry_out(
    tx: &DatabaseTransaction,
    scope: &Scope,
    building: BuildingId,
    plan: &ImportPlan,
    told: &Told<'_>,
) -> Result<()> {
    let (mut written, all) = (0, plan.len());
    let mut more = |rows: usize| {
        written += rows;
        told(written, all);
    };
    more(0);
    if !plan.homes.is_empty() {
        make_homes(tx, scope, building, &plan.homes).await?;
        more(plan.homes.len());
    }
    let mut words = Vec::new();
    for chunk in plan.people.chunks(ROWS) {
        let chunk: Vec<Person> = chunk.iter().map(|(id, details)| person(*id, details, 1)).collect();
        let rows = chunk.iter().map(|person| people::person_row(scope.tenant, person));
        person::Entity::insert_many(rows).exec_without_returning(tx).await?;
        words.extend(chunk.iter().flat_map(|person| people::word_rows(scope.tenant, person)));
        while words.len() >= ROWS {
            let rows: Vec<_> = words.drain(..ROWS).collect();
            person_word::Entity::insert_many(rows).exec_without_returning(tx).await?;
        }
        more(chunk.len());
    }
    if !words.is_empty() {
        person_word::Entity::insert_many(words).exec_without_returning(tx).await?;
    }
    for chunk in plan.places.chunks(ROWS) {
        let rows = chunk.iter().map(|(person, unit, owner)| membership::ActiveModel {
            tenant: Set(scope.tenant.0),
            unit: Set(unit.0),
            person: Set(person.0),
            owner: Set(*owner),
        });
        membership::Entity::insert_many(rows)
            .on_conflict(OnConflict::new().do_nothing().to_owned())
            .exec_without_returning(tx)
            .await?;
        more(chunk.len());
    }
    for chunk in plan.changes.chunks(ROWS) {
        for (person, _, after) in chunk {
            change(tx, scope, *person, after).await?;
        }
        more(chunk.len());
    }
    for chunk in plan.owners.chunks(ROWS) {
        for (person, unit, owner) in chunk {
            decide_for(tx, scope, *person, *unit, *owner).await?;
        }
        more(chunk.len());
    }
    Ok(())
}

/// Takes back what was done; how many people stay.
pub async fn take_back(
    tx: &DatabaseTransaction,
    scope: &Scope,
    building: BuildingId,
    done: &ImportDone,
    told: &Told<'_>,
) -> Result<usize> {
    let all =
        done.homes.len() + done.people.len() + done.places.len() + done.changes.len() + done.owners.len();
    let mut written = 0;
    let mut more = |rows: usize| {
        written += rows;
        told(written, all);
    };
    more(0);
    for (person, unit, owner) in &done.owners {
        decide_for(tx, scope, *person, *unit, !owner).await?;
    }
    more(done.owners.len());
    for chunk in done.changes.chunks(ROWS) {
        for (person, before, after) in chunk {
            let now = person::Entity::find_by_id((scope.tenant.0, person.0)).one(tx).await?;
            let now = now.as_ref().map(convert::person).transpose()?;
            if now.is_some_and(|person| Details::from(person) == *after) {
                change(tx, scope, *person, before).await?;
            }
        }
        more(chunk.len());
    }
    for chunk in done.places.chunks(TERMS) {
        // each term names the whole key: SQLite looks each of them up then, and else reads every place there is
        let place = |(person, unit): &(PersonId, UnitId)| {
            let of_unit =
                membership::Column::Tenant.eq(scope.tenant.0).and(membership::Column::Unit.eq(unit.0));
            of_unit.and(membership::Column::Person.eq(person.0))
        };
        membership::Entity::delete_many()
            .filter(chunk.iter().map(place).fold(Condition::any(), Condition::add))
            .exec(tx)
            .await?;
        more(chunk.len());
    }
    let mut kept = 0;
    for chunk in done.people.chunks(ROWS) {
        let ids: Vec<Uuid> = chunk.iter().map(|id| id.0).collect();
        let mut stay: HashSet<Uuid> = HashSet::new();
        let accounts = account::Entity::find()
            .filter(account::Column::Tenant.eq(scope.tenant.0))
            .filter(account::Column::Person.is_in(ids.clone()));
        stay.extend(accounts.all(tx).await?.into_iter().map(|row| row.person));
        let places = membership::Entity::find()
            .filter(membership::Column::Tenant.eq(scope.tenant.0))
            .filter(membership::Column::Person.is_in(ids.clone()));
        stay.extend(places.all(tx).await?.into_iter().map(|row| row.person));
        kept += stay.len();
        let gone = ids.into_iter().filter(|id| !stay.contains(id));
        person::Entity::delete_many()
            .filter(person::Column::Tenant.eq(scope.tenant.0))
            .filter(person::Column::Id.is_in(gone))
            .exec(tx)
            .await?;
        more(chunk.len());
    }
    for chunk in done.homes.chunks(ROWS) {
        remove_homes(tx, scope, building, chunk).await?;
        more(chunk.len());
    }
    Ok(kept)
}

/// New homes; their people may open what those of every other home behind the same entrance may, as far as the principal
/// may give it.
async fn make_homes(
    tx: &DatabaseTransaction,
    scope: &Scope,
    building: BuildingId,
    homes: &[NewHome],
) -> Result<()> {
    let doors = common_doors(tx, scope, building).await?;
    let mut opened = Vec::new();
    for chunk in homes.chunks(ROWS) {
        let rows = chunk.iter().map(|home| unit::ActiveModel {
            tenant: Set(scope.tenant.0),
            id: Set(home.id.0),
            building: Set(building.0),
            entrance: Set(home.entrance.0),
            number: Set(home.number.as_str().to_owned()),
            version: Set(1),
            folded: Set(fold(home.number.as_str()).into_bytes()),
            sort_number: Set(Alphabet::Norwegian.natural(home.number.as_str())),
        });
        unit::Entity::insert_many(rows).exec_without_returning(tx).await?;
        for home in chunk {
            let doors = doors.get(&home.entrance.0).into_iter().flatten();
            opened.extend(doors.map(|door| unit_door::ActiveModel {
                tenant: Set(scope.tenant.0),
                unit: Set(home.id.0),
                door: Set(*door),
            }));
        }
    }
    for rows in opened.chunks(ROWS) {
        unit_door::Entity::insert_many(rows.to_vec()).exec_without_returning(tx).await?;
    }
    Ok(())
}

/// The doors that the people of every home behind an entrance may open, by entrance.
async fn common_doors(
    tx: &DatabaseTransaction,
    scope: &Scope,
    building: BuildingId,
) -> Result<HashMap<Uuid, Vec<Uuid>>> {
    let units = Query::select()
        .column(unit::Column::Entrance)
        .expr_as(Expr::col(unit::Column::Id).count(), Alias::new("units"))
        .from(unit::Entity)
        .and_where(unit::Column::Tenant.eq(scope.tenant.0))
        .and_where(unit::Column::Building.eq(building.0))
        .group_by_col(unit::Column::Entrance)
        .take();
    let mut homes: HashMap<Uuid, i64> = HashMap::new();
    for row in tx.query_all(&units).await? {
        homes.insert(row.try_get("", "entrance")?, row.try_get("", "units")?);
    }
    let of = |column: unit_door::Column| Expr::col((unit_door::Entity, column));
    let there = Condition::all()
        .add(
            Expr::col((unit::Entity, unit::Column::Tenant))
                .equals((unit_door::Entity, unit_door::Column::Tenant)),
        )
        .add(
            Expr::col((unit::Entity, unit::Column::Id)).equals((unit_door::Entity, unit_door::Column::Unit)),
        );
    let mine = Condition::all()
        .add(
            Expr::col((door::Entity, door::Column::Tenant))
                .equals((unit_door::Entity, unit_door::Column::Tenant)),
        )
        .add(Expr::col((door::Entity, door::Column::Id)).equals((unit_door::Entity, unit_door::Column::Door)))
        .add(reach::may(scope, Right::ChangeBuilding, Expr::col((door::Entity, door::Column::Building))));
    let opened = Query::select()
        .column((unit::Entity, unit::Column::Entrance))
        .column((unit_door::Entity, unit_door::Column::Door))
        .expr_as(of(unit_door::Column::Unit).count(), Alias::new("units"))
        .from(unit_door::Entity)
        .join(JoinType::InnerJoin, unit::Entity, there)
        .join(JoinType::InnerJoin, door::Entity, mine)
        .and_where(of(unit_door::Column::Tenant).eq(scope.tenant.0))
        .and_where(Expr::col((unit::Entity, unit::Column::Building)).eq(building.0))
        .group_by_col((unit::Entity, unit::Column::Entrance))
        .group_by_col((unit_door::Entity, unit_door::Column::Door))
        .take();
    let mut doors: HashMap<Uuid, Vec<Uuid>> = HashMap::new();
    for row in tx.query_all(&opened).await? {
        let entrance: Uuid = row.try_get("", "entrance")?;
        if homes.get(&entrance) == Some(&row.try_get("", "units")?) {
            doors.entry(entrance).or_default().push(row.try_get("", "door")?);
        }
    }
    Ok(doors)
}

/// Removes homes that nobody lives in, is about to, has a button for, or has changed since.
async fn remove_homes(
    tx: &DatabaseTransaction,
    scope: &Scope,
    building: BuildingId,
    homes: &[UnitId],
) -> Result<()> {
    let here = |tenant: Expr, unit: Expr| {
        Condition::all().add(tenant.eq(scope.tenant.0)).add(unit.equals((unit::Entity, unit::Column::Id)))
    };
    let lived_in = reach::exists(
        membership::Entity,
        here(
            Expr::col((membership::Entity, membership::Column::Tenant)),
            Expr::col((membership::Entity, membership::Column::Unit)),
        ),
    );
    let moved = reach::exists(
        household_move::Entity,
        here(
            Expr::col((household_move::Entity, household_move::Column::Tenant)),
            Expr::col((household_move::Entity, household_move::Column::Unit)),
        ),
    );
    let rung = reach::exists(
        bell::Entity,
        here(Expr::col((bell::Entity, bell::Column::Tenant)), Expr::col((bell::Entity, bell::Column::Unit))),
    );
    unit::Entity::delete_many()
        .filter(unit::Column::Tenant.eq(scope.tenant.0))
        .filter(unit::Column::Building.eq(building.0))
        .filter(unit::Column::Version.eq(1))
        .filter(unit::Column::Id.is_in(homes.iter().map(|home| home.0)))
        .filter(lived_in.or(moved).or(rung).not())
        .exec(tx)
        .await?;
    Ok(())
}

fn person(id: PersonId, details: &Details, version: u64) -> Person {
    let Details { name, email, phone, language } = details.clone();
    Person { id, name, email, phone, language, active: true, needs_longer: false, version }
}

async fn change(tx: &DatabaseTransaction, scope: &Scope, id: PersonId, to: &Details) -> Result<()> {
    let to = person(id, to, 1);
    let name = to.name.as_ref().map_or("", |name| name.reveal().as_str());
    let email = to.email.as_ref().map(|email| email.reveal().as_str().to_owned());
    let phone = to.phone.as_ref().map(|phone| phone.reveal().as_str().to_owned());
    person::Entity::update_many()
        .col_expr(person::Column::Name, Expr::val(name))
        .col_expr(person::Column::SortName, Expr::val(Alphabet::Norwegian.key(name).into_bytes()))
        .col_expr(person::Column::Email, Expr::val(email))
        .col_expr(person::Column::Phone, Expr::val(phone))
        .col_expr(person::Column::Language, Expr::val(to.language.word()))
        .col_expr(person::Column::Version, Expr::col(person::Column::Version).add(1))
        .filter(person::Column::Tenant.eq(scope.tenant.0))
        .filter(person::Column::Id.eq(id.0))
        .exec(tx)
        .await?;
    people::write_words(tx, scope.tenant, &to).await
}

async fn decide_for(
    tx: &DatabaseTransaction,
    scope: &Scope,
    person: PersonId,
    unit: UnitId,
    owner: bool,
) -> Result<()> {
    membership::Entity::update_many()
        .col_expr(membership::Column::Owner, Expr::val(owner))
        .filter(membership::Column::Tenant.eq(scope.tenant.0))
        .filter(membership::Column::Unit.eq(unit.0))
        .filter(membership::Column::Person.eq(person.0))
        .exec(tx)
        .await?;
    Ok(())
}
