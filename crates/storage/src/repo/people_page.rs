//! The list of people: one statement a page, however many there are.
//!
//! Keyset paging: a page costs the same at the end of the list as at its beginning. By name the keys are
//! `(sort_name, id)`; by home those of the building's units, then of who lives in each. Both are read off an index, and a
//! page begins behind what the last row was sorted by, whatever became of that row. The names' keys and the folded words are
//! bytes, compared alike by every database; that a word begins with what was typed is a range of the words' key.

use crate::entity::{
    account, building, device, household_move, invitation, membership, move_person, person, person_word, unit,
};
use crate::record::{Home, PeopleAfter, PeopleOrder, PeoplePage, PeopleQuery, PersonRow, Standing};
use crate::repo::People;
use crate::repo::convert::{self, At};
use crate::repo::reach;
use crate::{Result, Store};
use klinke_model::ids::{BuildingId, PersonId, UnitId};
use klinke_model::privacy::Pii;
use klinke_model::rights::Right;
use klinke_model::scope::Scope;
use klinke_model::time::Timestamp;
use sea_orm::sea_query::{Alias, Expr, ExprTrait, IntoTableRef, JoinType, Order, Query, SelectStatement};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, FromQueryResult, QueryResult};

/// Words of a search that count; more only narrow what is found already.
pub(super) const SEARCH_WORDS: usize = 6;

/// The page, in the outer statement.
const P: &str = "p";
/// The home that a row is listed at.
const AT_NUMBER: &str = "at_number";
const AT_UNIT: &str = "at_unit";

impl People<'_> {
    /// A page of the people that the principal may see: who lives in a building that they administer; for managers
    /// and the service everybody.
    pub async fn page(&self, scope: &Scope, query: &PeopleQuery) -> Result<PeoplePage> {
        let all = self.sees_all(scope).await?;
        let by_home = by_home(query).is_some();
        let mut rows = rows(self.0, scope, select(scope, query, all), all, by_home, query.descending).await?;
        let limit = usize::from(query.limit);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows.last().filter(|_| more).map(|(_, place)| place.clone());
        Ok(PeoplePage { people: rows.into_iter().map(|(row, _)| row).collect(), next })
    }

    /// One person as the list shows them.
    pub async fn row(&self, scope: &Scope, person: PersonId) -> Result<Option<PersonRow>> {
        let all = self.sees_all(scope).await?;
        let mut inner = select(scope, &PeopleQuery { limit: 1, ..PeopleQuery::default() }, all);
        inner.and_where(person::Column::Id.eq(person.0));
        Ok(rows(self.0, scope, inner, all, false, false).await?.into_iter().next().map(|(row, _)| row))
    }

    /// Asked before the list, so that a manager's asks for no right row by row: with the condition in it, both databases
    /// chose to read everybody for some of these lists.
    async fn sees_all(&self, scope: &Scope) -> Result<bool> {
        reach::holds(&self.0.reader, reach::may_everywhere(scope, Right::SeePeople)).await
    }
}

/// The building whose homes the list is sorted by.
fn by_home(query: &PeopleQuery) -> Option<BuildingId> {
    query.building.filter(|_| query.order == PeopleOrder::Home)
}

/// The people of a page and one more, without their homes. `all`: the principal sees everybody.
pub(super) fn select(scope: &Scope, query: &PeopleQuery, all: bool) -> SelectStatement {
    let mut select = Query::select();
    select.columns(PERSON.map(|column| (person::Entity, column)));
    let mut keys = vec![
        Expr::col((person::Entity, person::Column::SortName)),
        Expr::col((person::Entity, person::Column::Id)),
    ];
    if let Some(building) = by_home(query) {
        at_first_home(&mut select, scope, building, query.unit);
        if !all {
            select.and_where(reach::may(scope, Right::SeePeople, unit::Column::Building));
        }
        let home =
            [unit::Column::SortNumber, unit::Column::Id].map(|column| Expr::col((unit::Entity, column)));
        keys.splice(0..0, home);
    } else {
        select.from(person::Entity).and_where(person::Column::Tenant.eq(scope.tenant.0));
        if !all || query.building.is_some() || query.unit.is_some() {
            let living = living(scope, query.building, query.unit, all);
            select.and_where(person::Column::Id.in_subquery(living));
        }
    }
    for word in klinke_model::fold::words(&query.text).iter().take(SEARCH_WORDS) {
        select.and_where(Expr::col((person::Entity, person::Column::Id)).in_subquery(found(scope, word)));
    }
    if let Some(standing) = query.standing {
        select.cond_where(stands(standing, query.at));
    }
    if let Some(after) = &query.after {
        let home_after = after.home.as_ref().filter(|_| by_home(query).is_some());
        let mut there: Vec<Expr> = home_after
            .into_iter()
            .flat_map(|(number, unit)| [Expr::val(number.clone()), Expr::val(unit.0)])
            .collect();
        there.extend([Expr::val(after.name.reveal().clone()), Expr::val(after.person.0)]);
        // the place of another order is none in this one
        if there.len() == keys.len() {
            let (here, there) = (Expr::tuple(keys.clone()), Expr::tuple(there));
            select.and_where(if query.descending { here.lt(there) } else { here.gt(there) });
        }
        // the same of the home alone: an index is entered by it
        if let Some((number, unit)) = home_after {
            let here = Expr::tuple(keys.iter().take(2).cloned());
            let there = Expr::tuple([Expr::val(number.clone()), Expr::val(unit.0)]);
            select.and_where(if query.descending { here.lte(there) } else { here.gte(there) });
        }
    }
    let order = if query.descending { Order::Desc } else { Order::Asc };
    for key in keys {
        select.order_by_expr(key, order.clone());
    }
    select.limit(u64::from(query.limit) + 1).take()
}

/// Who lives in the units of a building, each at the first of their homes there, or in this unit. Cross joins: SQLite
/// reads their tables in the order in which they stand, the units first, and has nothing to sort then.
fn at_first_home(select: &mut SelectStatement, scope: &Scope, building: BuildingId, only: Option<UnitId>) {
    let of_unit = |column: unit::Column| Expr::col((unit::Entity, column));
    let of_place = |column: membership::Column| Expr::col((membership::Entity, column));
    select
        .expr_as(of_unit(unit::Column::SortNumber), Alias::new(AT_NUMBER))
        .expr_as(of_unit(unit::Column::Id), Alias::new(AT_UNIT))
        .from(unit::Entity)
        .cross_join(membership::Entity)
        .cross_join(person::Entity)
        .and_where(of_place(membership::Column::Tenant).eq(of_unit(unit::Column::Tenant)))
        .and_where(of_place(membership::Column::Unit).eq(of_unit(unit::Column::Id)))
        .and_where(
            Expr::col((person::Entity, person::Column::Tenant)).eq(of_place(membership::Column::Tenant)),
        )
        .and_where(person_is(membership::Column::Person))
        .and_where(unit::Column::Tenant.eq(scope.tenant.0))
        .and_where(unit::Column::Building.eq(building.0));
    if let Some(only) = only {
        select.and_where(unit::Column::Id.eq(only.0));
        return;
    }
    let (home, place) = (Alias::new("other_home"), Alias::new("other_place"));
    let of_home = |column: unit::Column| Expr::col((home.clone(), column));
    let of_other = |column: membership::Column| Expr::col((place.clone(), column));
    let here = Expr::tuple([of_unit(unit::Column::SortNumber), of_unit(unit::Column::Id)]);
    let before = Query::select()
        .expr(Expr::val(1))
        .from_as(membership::Entity, place.clone())
        .cross_join(unit::Entity.into_table_ref().alias(home.clone()))
        .and_where(of_home(unit::Column::Tenant).eq(of_other(membership::Column::Tenant)))
        .and_where(of_home(unit::Column::Id).eq(of_other(membership::Column::Unit)))
        .and_where(of_other(membership::Column::Tenant).eq(of_place(membership::Column::Tenant)))
        .and_where(of_other(membership::Column::Person).eq(of_place(membership::Column::Person)))
        .and_where(of_home(unit::Column::Building).eq(building.0))
        .and_where(Expr::tuple([of_home(unit::Column::SortNumber), of_home(unit::Column::Id)]).lt(here))
        .take();
    select.and_where(Expr::exists(before).not());
}

const PERSON: [person::Column; 10] = [
    person::Column::Tenant,
    person::Column::Id,
    person::Column::Name,
    person::Column::Active,
    person::Column::Email,
    person::Column::Phone,
    person::Column::NeedsLonger,
    person::Column::Language,
    person::Column::Version,
    person::Column::SortName,
];

/// Who lives where the principal sees people, in this building or unit when one is named.
fn living(scope: &Scope, building: Option<BuildingId>, unit: Option<UnitId>, all: bool) -> SelectStatement {
    let mut lives = Query::select();
    lives
        .column((membership::Entity, membership::Column::Person))
        .from(unit::Entity)
        .join(JoinType::InnerJoin, membership::Entity, same_unit())
        .and_where(unit::Column::Tenant.eq(scope.tenant.0));
    if !all {
        lives.and_where(unit::Column::Building.in_subquery(reach::buildings(scope, Right::SeePeople)));
    }
    if let Some(building) = building {
        lives.and_where(unit::Column::Building.eq(building.0));
    }
    if let Some(unit) = unit {
        lives.and_where(unit::Column::Id.eq(unit.0));
    }
    lives
}

/// The people whom a word finds: by a word of theirs, or by the number of a unit.
fn found(scope: &Scope, word: &str) -> SelectStatement {
    let by_unit = Query::select()
        .column((membership::Entity, membership::Column::Person))
        .from(membership::Entity)
        .join(JoinType::InnerJoin, unit::Entity, same_unit())
        .and_where(membership::Column::Tenant.eq(scope.tenant.0))
        .and_where(unit_begins(scope, word))
        .take();
    by_word(scope, word).union(sea_orm::sea_query::UnionType::All, by_unit).take()
}

/// The people of whom a word begins with this one.
pub(super) fn by_word(scope: &Scope, word: &str) -> SelectStatement {
    Query::select()
        .column(person_word::Column::Person)
        .from(person_word::Entity)
        .and_where(person_word::Column::Tenant.eq(scope.tenant.0))
        .and_where(begins(person_word::Column::Word, word))
        .take()
}

/// That the number of a unit begins with this folded word.
pub(super) fn unit_begins(scope: &Scope, word: &str) -> Expr {
    unit::Column::Tenant.eq(scope.tenant.0).and(begins(unit::Column::Folded, word))
}

/// That a column of folded text begins with this: a range, which an index serves.
pub(super) fn begins(column: impl ColumnTrait, folded: &str) -> Expr {
    let begins = column.gte(folded.as_bytes().to_vec());
    match beyond(folded) {
        Some(beyond) => begins.and(column.lt(beyond)),
        None => begins,
    }
}

/// The first bytes after all that begin with this word.
fn beyond(word: &str) -> Option<Vec<u8>> {
    let mut bytes = word.as_bytes().to_vec();
    // UTF-8 never ends in 0xff
    let last = bytes.last_mut()?;
    *last = last.checked_add(1)?;
    Some(bytes)
}

fn stands(standing: Standing, at: Option<Timestamp>) -> Condition {
    let active = person::Column::Active.eq(true);
    let has_account =
        has(account::Entity, (account::Entity, account::Column::Tenant), account::Column::Person);
    let invited = invitation(at);
    match standing {
        Standing::Active => Condition::all().add(active),
        Standing::Suspended => Condition::all().add(person::Column::Active.eq(false)),
        Standing::Invited => Condition::all().add(active).add(has_account.not()).add(invited),
        Standing::NotInvited => Condition::all().add(active).add(has_account.not()).add(invited.not()),
        Standing::Unreachable => Condition::all().add(active).add(lives_somewhere()).add(rings().not()),
    }
}

fn lives_somewhere() -> Expr {
    has(membership::Entity, (membership::Entity, membership::Column::Tenant), membership::Column::Person)
}

fn rings() -> Expr {
    has(device::Entity, (device::Entity, device::Column::Tenant), device::Column::Person)
}

/// That the person has a row in a table.
fn has<T, C>(table: T, tenant: (T, C), person: C) -> Expr
where
    T: sea_orm::EntityTrait + sea_orm::Iden + 'static,
    C: ColumnTrait,
{
    Expr::exists(
        Query::select()
            .expr(Expr::val(1))
            .from(table)
            .and_where(Expr::col(tenant).equals((person::Entity, person::Column::Tenant)))
            .and_where(person_is(person))
            .take(),
    )
}

fn person_is(column: impl ColumnTrait) -> Expr {
    Expr::col(column.as_column_ref()).equals((person::Entity, person::Column::Id))
}

/// That the person has a link that is good at this moment.
fn invitation(at: Option<Timestamp>) -> Expr {
    let now = at.map_or(i64::MIN, Timestamp::as_millis);
    let of_link = |column: invitation::Column| Expr::col((invitation::Entity, column));
    Expr::exists(
        Query::select()
            .expr(Expr::val(1))
            .from(invitation::Entity)
            .and_where(of_link(invitation::Column::Tenant).equals((person::Entity, person::Column::Tenant)))
            .and_where(of_link(invitation::Column::Person).equals((person::Entity, person::Column::Id)))
            .and_where(of_link(invitation::Column::Used).eq(false))
            .and_where(of_link(invitation::Column::EndsAt).gt(now))
            .take(),
    )
}

fn same_unit() -> Condition {
    Condition::all()
        .add(
            Expr::col((unit::Entity, unit::Column::Tenant))
                .equals((membership::Entity, membership::Column::Tenant)),
        )
        .add(
            Expr::col((unit::Entity, unit::Column::Id))
                .equals((membership::Entity, membership::Column::Unit)),
        )
}

/// The people with their homes: a row for each home, put together again.
async fn rows(
    store: &Store,
    scope: &Scope,
    inner: SelectStatement,
    all: bool,
    by_home: bool,
    descending: bool,
) -> Result<Vec<(PersonRow, PeopleAfter)>> {
    let mut homes = same_unit();
    if !all {
        homes = homes.add(unit::Column::Building.in_subquery(reach::buildings(scope, Right::SeePeople)));
    }
    let of_page = |column: person::Column| Expr::col((Alias::new(P), column));
    let mine = |column: membership::Column| Expr::col((membership::Entity, column));
    let places = Condition::all()
        .add(mine(membership::Column::Tenant).eq(of_page(person::Column::Tenant)))
        .add(mine(membership::Column::Person).eq(of_page(person::Column::Id)));
    let buildings = Condition::all()
        .add(
            Expr::col((building::Entity, building::Column::Tenant))
                .equals((unit::Entity, unit::Column::Tenant)),
        )
        .add(
            Expr::col((building::Entity, building::Column::Id))
                .equals((unit::Entity, unit::Column::Building)),
        );
    let one = |table: &str, tenant: &str, who: &str| {
        let table = Alias::new(table);
        Query::select()
            .expr(Expr::val(1))
            .from(table.clone())
            .and_where(Expr::col((table.clone(), Alias::new(tenant))).eq(of_page(person::Column::Tenant)))
            .and_where(Expr::col((table, Alias::new(who))).eq(of_page(person::Column::Id)))
            .take()
    };
    let of_link = |column: invitation::Column| Expr::col((invitation::Entity, column));
    let invited = Query::select()
        .column((invitation::Entity, invitation::Column::EndsAt))
        .from(invitation::Entity)
        .and_where(of_link(invitation::Column::Tenant).eq(of_page(person::Column::Tenant)))
        .and_where(of_link(invitation::Column::Person).eq(of_page(person::Column::Id)))
        .and_where(of_link(invitation::Column::Used).eq(false))
        .take();
    let leaves = Query::select()
        .expr(Expr::col((household_move::Entity, household_move::Column::LastDay)).min())
        .from(household_move::Entity)
        .join(
            JoinType::InnerJoin,
            move_person::Entity,
            Condition::all()
                .add(
                    Expr::col((move_person::Entity, move_person::Column::Tenant))
                        .equals((household_move::Entity, household_move::Column::Tenant)),
                )
                .add(
                    Expr::col((move_person::Entity, move_person::Column::Moving))
                        .equals((household_move::Entity, household_move::Column::Id)),
                ),
        )
        .and_where(household_move::Column::Tenant.eq(scope.tenant.0))
        .and_where(household_move::Column::State.eq("scheduled"))
        .and_where(move_person::Column::Direction.eq("out"))
        .and_where(
            Expr::col((household_move::Entity, household_move::Column::Unit))
                .eq(mine(membership::Column::Unit)),
        )
        .and_where(
            Expr::col((move_person::Entity, move_person::Column::Person)).eq(of_page(person::Column::Id)),
        )
        .take();
    let order = if descending { Order::Desc } else { Order::Asc };
    let mut statement = Query::select();
    statement
        .columns(PERSON.map(|column| (Alias::new(P), column)))
        .expr_as(Expr::exists(one("device", "tenant", "person")), Alias::new("can_be_rung"))
        .expr_as(Expr::exists(one("account", "tenant", "person")), Alias::new("has_account"))
        .expr_as(Expr::SubQuery(None, Box::new(invited.into())), Alias::new("invited_until"))
        .expr_as(Expr::SubQuery(None, Box::new(leaves.into())), Alias::new("leaves"))
        .expr_as(mine(membership::Column::Owner), Alias::new("owner"))
        .expr_as(Expr::col((unit::Entity, unit::Column::Id)), Alias::new("unit_id"))
        .expr_as(Expr::col((unit::Entity, unit::Column::Number)), Alias::new("unit_number"))
        .expr_as(Expr::col((building::Entity, building::Column::Id)), Alias::new("building_id"))
        .expr_as(Expr::col((building::Entity, building::Column::Name)), Alias::new("building_name"))
        .from_subquery(inner, Alias::new(P))
        .join(JoinType::LeftJoin, membership::Entity, places)
        .join(JoinType::LeftJoin, unit::Entity, homes)
        .join(JoinType::LeftJoin, building::Entity, buildings);
    if by_home {
        for key in [AT_NUMBER, AT_UNIT].map(Alias::new) {
            statement.column((Alias::new(P), key.clone())).order_by((Alias::new(P), key), order.clone());
        }
    }
    statement
        .order_by((Alias::new(P), person::Column::SortName), order.clone())
        .order_by((Alias::new(P), person::Column::Id), order);
    let mut people: Vec<(PersonRow, PeopleAfter)> = Vec::new();
    for row in store.reader.query_all(&statement).await? {
        let home = home(&row)?;
        let model = person::Model::from_query_result(&row, "")?;
        if let Some((last, _)) = people.last_mut().filter(|(last, _)| last.person.id.0 == model.id) {
            last.homes.extend(home);
            continue;
        }
        let at = match by_home {
            true => Some((row.try_get("", AT_NUMBER)?, row.try_get::<uuid::Uuid>("", AT_UNIT)?.into())),
            false => None,
        };
        let found = convert::person(&model)?;
        let place = PeopleAfter { home: at, name: Pii::new(model.sort_name), person: found.id };
        let person = PersonRow {
            can_be_rung: found.active && row.try_get::<bool>("", "can_be_rung")?,
            person: found,
            homes: home.into_iter().collect(),
            has_account: row.try_get("", "has_account")?,
            invited_until: row.try_get::<Option<i64>>("", "invited_until")?.map(Timestamp::from_millis),
        };
        people.push((person, place));
    }
    for (row, _) in &mut people {
        row.homes.sort_by(|a, b| {
            (&a.building_name, &a.number, a.unit).cmp(&(&b.building_name, &b.number, b.unit))
        });
    }
    Ok(people)
}

fn home(row: &QueryResult) -> Result<Option<Home>> {
    let Some(unit) = row.try_get::<Option<uuid::Uuid>>("", "unit_id")? else { return Ok(None) };
    let building: uuid::Uuid = row.try_get("", "building_id")?;
    Ok(Some(Home {
        unit: unit.into(),
        number: At("unit", "number").label(&row.try_get::<String>("", "unit_number")?)?,
        building: building.into(),
        building_name: At("building", "name").label(&row.try_get::<String>("", "building_name")?)?,
        owner: row.try_get("", "owner")?,
        last_day: row.try_get("", "leaves")?,
    }))
}
