//! Lists of people that are read in: kept while they are prepared, applied all at once, undone all at once.
//!
//! What an import does is decided by the caller's pure function *inside* the transaction, from who lives there at that
//! moment: what was on the screen may be old.

use crate::entity::{account, entrance, import, membership, person, person_word, unit};
use crate::record::{Details, House, HouseResident, HouseUnit, Import, ImportOutcome, ImportPlan, Stamp};
use crate::repo::audit::{self, Change};
use crate::repo::convert::{self, At, Word};
use crate::repo::news::{self, News};
use crate::repo::people_change::not_changeable;
use crate::repo::{people, reach};
use crate::tx::{self, Isolation};
use crate::{Result, Store};
use klinke_model::events::EventKind;
use klinke_model::fold::fold;
use klinke_model::ids::{BuildingId, ImportId, PersonId, UnitId};
use klinke_model::people::Person;
use klinke_model::privacy::Pii;
use klinke_model::rights::Right;
use klinke_model::scope::Scope;
use klinke_model::time::Timestamp;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict};
use sea_orm::{ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter};
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

/// Rows in one INSERT: PostgreSQL takes 65,535 values in one statement, SQLite 32,766.
const CHUNK: usize = 1_000;

const DRAFT: &str = "draft";
const APPLIED: &str = "applied";

/// Lists of people: for who administers the building.
///
/// Every function fails only when the database can not do its work; what is not there, or not the principal's, is
/// `None`, `false` or [`ImportOutcome::Absent`].
#[derive(Debug)]
pub struct Imports<'a>(pub(crate) &'a Store);

impl Imports<'_> {
    /// Keeps a list that was read.
    pub async fn insert_import(&self, scope: &Scope, new: Import) -> Result<bool> {
        let new = &new;
        tx::write(self.0, Isolation::Serializable, |tx| async move {
            if !reach::building(&*tx, scope, Right::ChangePeople, new.building).await? {
                return Ok(false);
            }
            let row = import::ActiveModel {
                tenant: Set(scope.tenant.0),
                id: Set(new.id.0),
                building: Set(new.building.0),
                state: Set(if new.applied { APPLIED } else { DRAFT }.to_owned()),
                content: Set(new.content.reveal().clone()),
                ends_at: Set(new.ends_at.as_millis()),
            };
            import::Entity::insert(row).exec_without_returning(&*tx).await?;
            Ok(true)
        })
        .await
    }

    /// A list that is not forgotten yet.
    pub async fn import(&self, scope: &Scope, id: ImportId, now: Timestamp) -> Result<Option<Import>> {
        Ok(found(&self.0.reader, scope, id, now).await?.map(record))
    }

    /// Changes a list that is not applied: `edit` gives its new content, or `None` to leave it.
    pub async fn edit_import(
        &self,
        scope: &Scope,
        id: ImportId,
        now: Timestamp,
        edit: impl Fn(&str) -> Option<String>,
    ) -> Result<bool> {
        let edit = &edit;
        tx::write(self.0, Isolation::Serializable, |tx| async move {
            let Some(row) = found(&*tx, scope, id, now).await?.filter(|row| row.state == DRAFT) else {
                return Ok(false);
            };
            let Some(content) = edit(&row.content) else { return Ok(false) };
            save(&tx, scope, id, DRAFT, content, Timestamp::from_millis(row.ends_at)).await?;
            Ok(true)
        })
        .await
    }

    /// Forgets a list. What it did stays.
    pub async fn discard_import(&self, scope: &Scope, id: ImportId, now: Timestamp) -> Result<bool> {
        tx::write(self.0, Isolation::Serializable, |tx| async move {
            if found(&*tx, scope, id, now).await?.is_none() {
                return Ok(false);
            }
            let gone = import::Entity::delete_by_id((scope.tenant.0, id.0)).exec(&*tx).await?;
            Ok(gone.rows_affected > 0)
        })
        .await
    }

    /// The units of a building and who lives in them.
    pub async fn house(&self, scope: &Scope, building: BuildingId) -> Result<Option<House>> {
        tx::read(self.0, |tx| async move {
            if !reach::building(&*tx, scope, Right::ChangePeople, building).await? {
                return Ok(None);
            }
            house(&*tx, scope, building).await.map(Some)
        })
        .await
    }

    /// Applies a list: all that `decide` says, or nothing. It gets who lives there and the list's content; it gives what
    /// to do and the content to keep until `ends_at`, or `None` to refuse.
    pub async fn apply_import(
        &self,
        scope: &Scope,
        stamp: &Stamp,
        id: ImportId,
        ends_at: Timestamp,
        decide: impl Fn(&House, &str) -> Option<(ImportPlan, String)>,
    ) -> Result<ImportOutcome> {
        let decide = &decide;
        tx::write(self.0, Isolation::Serializable, |tx| async move {
            let Some(row) = found(&*tx, scope, id, stamp.at).await? else {
                return Ok(ImportOutcome::Absent);
            };
            if row.state != DRAFT {
                return Ok(ImportOutcome::Refused);
            }
            let house = house(&*tx, scope, row.building.into()).await?;
            let Some((plan, content)) = decide(&house, &row.content) else {
                return Ok(ImportOutcome::Refused);
            };
            carry_out(&tx, scope, &plan).await?;
            audit::append(&tx, scope, stamp, told(row.building.into(), "import.applied", &plan)).await?;
            let news = [News::of_import(EventKind::ImportApplied, row.building.into(), id)];
            news::tell(&tx, scope, stamp, &news).await?;
            save(&tx, scope, id, APPLIED, content, ends_at).await?;
            Ok(ImportOutcome::Done(0))
        })
        .await
    }

    /// Undoes an applied list and forgets it: `plan` reads from its content what it did. Whoever has signed in since, or
    /// has another home, stays as a person; what somebody changed since stays changed.
    pub async fn undo_import(
        &self,
        scope: &Scope,
        stamp: &Stamp,
        id: ImportId,
        plan: impl Fn(&str) -> Option<ImportPlan>,
    ) -> Result<ImportOutcome> {
        let plan = &plan;
        tx::write(self.0, Isolation::Serializable, |tx| async move {
            let Some(row) = found(&*tx, scope, id, stamp.at).await? else {
                return Ok(ImportOutcome::Absent);
            };
            let Some(plan) = Some(&row).filter(|row| row.state == APPLIED).and_then(|row| plan(&row.content))
            else {
                return Ok(ImportOutcome::Refused);
            };
            let kept = take_back(&tx, scope, &plan).await?;
            audit::append(&tx, scope, stamp, told(row.building.into(), "import.undone", &plan)).await?;
            let news = [News::of_import(EventKind::ImportUndone, row.building.into(), id)];
            news::tell(&tx, scope, stamp, &news).await?;
            import::Entity::delete_by_id((scope.tenant.0, id.0)).exec(&*tx).await?;
            Ok(ImportOutcome::Done(kept))
        })
        .await
    }
}

async fn found(
    db: &impl ConnectionTrait,
    scope: &Scope,
    id: ImportId,
    now: Timestamp,
) -> Result<Option<import::Model>> {
    let row = import::Entity::find_by_id((scope.tenant.0, id.0))
        .filter(import::Column::EndsAt.gt(now.as_millis()))
        .filter(reach::may(scope, Right::ChangePeople, import::Column::Building))
        .one(db)
        .await?;
    Ok(row)
}

fn record(row: import::Model) -> Import {
    Import {
        id: row.id.into(),
        building: row.building.into(),
        applied: row.state == APPLIED,
        content: Pii::new(row.content),
        ends_at: Timestamp::from_millis(row.ends_at),
    }
}

async fn save(
    tx: &DatabaseTransaction,
    scope: &Scope,
    id: ImportId,
    state: &str,
    content: String,
    ends_at: Timestamp,
) -> Result<()> {
    import::Entity::update_many()
        .col_expr(import::Column::State, Expr::val(state))
        .col_expr(import::Column::Content, Expr::val(content))
        .col_expr(import::Column::EndsAt, Expr::val(ends_at.as_millis()))
        .filter(import::Column::Tenant.eq(scope.tenant.0))
        .filter(import::Column::Id.eq(id.0))
        .exec(tx)
        .await?;
    Ok(())
}

/// Who lives there. The caller made sure that the principal administers the building.
async fn house(db: &impl ConnectionTrait, scope: &Scope, building: BuildingId) -> Result<House> {
    let entrances: HashMap<Uuid, String> = entrance::Entity::find()
        .filter(entrance::Column::Tenant.eq(scope.tenant.0))
        .filter(entrance::Column::Building.eq(building.0))
        .all(db)
        .await?
        .into_iter()
        .map(|row| (row.id, row.name))
        .collect();
    let mut units = Vec::new();
    for row in unit::Entity::find()
        .filter(unit::Column::Tenant.eq(scope.tenant.0))
        .filter(unit::Column::Building.eq(building.0))
        .all(db)
        .await?
    {
        let entrance = entrances.get(&row.entrance).map_or("", String::as_str);
        units.push(HouseUnit {
            id: row.id.into(),
            number: At("unit", "number").label(&row.number)?,
            entrance: At("entrance", "name").label(entrance)?,
        });
    }
    let here = sea_orm::sea_query::Query::select()
        .column(unit::Column::Id)
        .from(unit::Entity)
        .and_where(unit::Column::Tenant.eq(scope.tenant.0))
        .and_where(unit::Column::Building.eq(building.0))
        .take();
    let rows = membership::Entity::find()
        .filter(membership::Column::Tenant.eq(scope.tenant.0))
        .filter(membership::Column::Unit.in_subquery(here))
        .find_both_related(person::Entity)
        .all(db)
        .await?;
    let fixed = not_changeable(db, scope, rows.iter().map(|(place, _)| place.person).collect()).await?;
    let resident = |(place, row): &(membership::Model, person::Model)| {
        Ok(HouseResident {
            place: convert::membership(place),
            details: convert::person(row)?.into(),
            changeable: !fixed.contains(&place.person),
        })
    };
    let mut residents = rows.iter().map(resident).collect::<Result<Vec<_>>>()?;
    // the same order in any database: what an import decides must not depend on it
    residents.sort_by_key(|resident| (resident.place.person, resident.place.unit));
    Ok(House { units, residents })
}

async fn carry_out(tx: &DatabaseTransaction, scope: &Scope, plan: &ImportPlan) -> Result<()> {
    for chunk in plan.people.chunks(CHUNK) {
        let chunk: Vec<Person> = chunk.iter().map(|(id, details)| person(*id, details, 1)).collect();
        let rows = chunk.iter().map(|person| people::person_row(scope.tenant, person));
        person::Entity::insert_many(rows).exec_without_returning(tx).await?;
        let words: Vec<person_word::ActiveModel> =
            chunk.iter().flat_map(|person| people::word_rows(scope.tenant, person)).collect();
        for words in words.chunks(CHUNK) {
            person_word::Entity::insert_many(words.to_vec()).exec_without_returning(tx).await?;
        }
    }
    for chunk in plan.places.chunks(CHUNK) {
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
    }
    for (person, _, after) in &plan.changes {
        change(tx, scope, *person, after).await?;
    }
    for (person, unit, owner) in &plan.owners {
        decide_for(tx, scope, *person, *unit, *owner).await?;
    }
    Ok(())
}

async fn take_back(tx: &DatabaseTransaction, scope: &Scope, plan: &ImportPlan) -> Result<usize> {
    for (person, unit, owner) in &plan.owners {
        decide_for(tx, scope, *person, *unit, !owner).await?;
    }
    for (person, before, after) in &plan.changes {
        let now = person::Entity::find_by_id((scope.tenant.0, person.0)).one(tx).await?;
        let now = now.as_ref().map(convert::person).transpose()?;
        if now.is_some_and(|person| Details::from(person) == *after) {
            change(tx, scope, *person, before).await?;
        }
    }
    for (person, unit, _) in &plan.places {
        membership::Entity::delete_by_id((scope.tenant.0, unit.0, person.0)).exec(tx).await?;
    }
    let mut kept = 0;
    for chunk in plan.people.chunks(CHUNK) {
        let ids: Vec<Uuid> = chunk.iter().map(|(id, _)| id.0).collect();
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
    }
    Ok(kept)
}

fn person(id: PersonId, details: &Details, version: u64) -> Person {
    let Details { name, email, phone, language } = details.clone();
    Person { id, name, email, phone, language, active: true, version }
}

async fn change(tx: &DatabaseTransaction, scope: &Scope, id: PersonId, to: &Details) -> Result<()> {
    let to = person(id, to, 1);
    let name = to.name.as_ref().map_or("", |name| name.reveal().as_str());
    let email = to.email.as_ref().map(|email| email.reveal().as_str().to_owned());
    let phone = to.phone.as_ref().map(|phone| phone.reveal().as_str().to_owned());
    person::Entity::update_many()
        .col_expr(person::Column::Name, Expr::val(name))
        .col_expr(person::Column::SortName, Expr::val(fold(name).into_bytes()))
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

/// What the audit keeps of an import: how much it says; whom it was about it is found by.
fn told(building: BuildingId, action: &'static str, plan: &ImportPlan) -> Change {
    let counts = serde_json::json!({
        "people": plan.people.len(), "places": plan.places.len(), "changed": plan.changes.len(), "owners": plan.owners.len(),
    });
    let persons = plan.people.iter().map(|(person, ..)| *person);
    let persons = persons.chain(plan.places.iter().map(|(person, ..)| *person));
    let persons = persons.chain(plan.changes.iter().map(|(person, ..)| *person));
    let persons = persons.chain(plan.owners.iter().map(|(person, ..)| *person)).collect();
    Change { building: Some(building), action, persons, before: None, after: Some(counts) }
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
