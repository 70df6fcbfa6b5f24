//! Who may open a door, and which doors a person may open, each with the reasons.
//!
//! The conditions are those that a decision is made of (`Doors::facts`): [`reaching`] says who reaches a door by living
//! somewhere, [`reach::counting`] which roles count, [`rule_reach`] which rules open it at some hours, a suspended person
//! opens nothing. So a list can not say something else than the decision, but for the hours of a rule, which it names.

use crate::Result;
use crate::entity::{access_rule, building, door, membership, person, role_grant, schedule, unit, unit_door};
use crate::record::{Because, Openable, OpenablePage, Opener, OpenersPage};
use crate::repo::convert::{self, At};
use crate::repo::doors::reaching;
use crate::repo::people::units_of;
use crate::repo::who::Who;
use crate::repo::{reach, rule_reach};
use klinke_model::ids::{DoorId, PersonId};
use klinke_model::rights::Right;
use klinke_model::scope::Scope;
use klinke_model::time::Timestamp;
use sea_orm::sea_query::{Alias, Expr, ExprTrait, JoinType, Order, Query, SelectStatement, UnionType};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryResult, QuerySelect, QueryTrait,
};
use uuid::Uuid;

/// The page, in the outer statement.
const P: &str = "p";
const D: &str = "d";
/// The rules that are a reason, each with whom or what.
const R: &str = "r";
/// The homes that are a reason.
const H: &str = "h";

/// By which right an administrator opens the doors of a building; `Doors::facts` asks the same.
pub(super) const OPENS: Right = Right::ChangeBuilding;

impl Who<'_> {
    /// Everybody who may open a door at the scope's moment. `None` for who does not see people in its building.
    pub async fn openers(
        &self,
        scope: &Scope,
        door: DoorId,
        after: Option<PersonId>,
        limit: u16,
    ) -> Result<Option<OpenersPage>> {
        let found = door::Entity::find_by_id((scope.tenant.0, door.0))
            .inner_join(building::Entity)
            .column_as(building::Column::Mode, "site_mode")
            .filter(reach::may(scope, Right::SeePeople, door::Column::Building))
            .into_query();
        let Some(row) = self.0.reader.query_one(&found).await? else { return Ok(None) };
        let site_mode = At("building", "mode").choice(&row.try_get::<String>("", "site_mode")?)?;
        let found = convert::door(&<door::Model as sea_orm::FromQueryResult>::from_query_result(&row, "")?)?;
        let page = persons(scope, &found, after, limit);
        let by_rule = allowed_here(scope, &found, page.clone());
        let mut people: Vec<Opener> = Vec::new();
        for row in self.0.reader.query_all(&with_reasons(scope, &found, page)).await? {
            let id: Uuid = row.try_get("", "person_id")?;
            let home = home(&row)?;
            let sees = row.try_get::<Option<bool>>("", "sees")?.unwrap_or(false);
            let role = role(&row)?;
            if people.last().is_none_or(|last| last.person.0 != id) {
                let name = At("person", "name").name(&row.try_get::<String>("", "person_name")?)?;
                people.push(Opener { person: id.into(), name, shown: false, because: Vec::new() });
            }
            if let Some(last) = people.last_mut() {
                last.shown |= sees || role.is_some();
                add(&mut last.because, home, role);
            }
        }
        for row in self.0.reader.query_all(&by_rule).await? {
            let id: Uuid = row.try_get("", "person_id")?;
            if let Some(one) = people.iter_mut().find(|one| one.person.0 == id) {
                one.shown |= row.try_get::<bool>("", "sees")?;
                add(&mut one.because, None, Some(rule(&row)?));
            }
        }
        let more = people.len() > usize::from(limit);
        people.truncate(usize::from(limit));
        // a rule that went between the two questions
        people.retain(|one| !one.because.is_empty());
        for one in &mut people {
            one.because.sort();
            one.name = one.name.take().filter(|_| one.shown);
        }
        Ok(Some(OpenersPage { door: found, site_mode, people, more }))
    }

    /// The doors that a person may open at the scope's moment, in the buildings where the principal sees people.
    pub async fn doors_of(
        &self,
        scope: &Scope,
        person: PersonId,
        after: Option<DoorId>,
        limit: u16,
    ) -> Result<OpenablePage> {
        let mut doors: Vec<Openable> = Vec::new();
        for row in self.0.reader.query_all(&doors_with_reasons(scope, person, after, limit)).await? {
            let id: Uuid = row.try_get("", "door_id")?;
            let (home, role) = (home(&row)?, role(&row)?);
            if doors.last().is_none_or(|last| last.door.0 != id) {
                doors.push(Openable {
                    door: id.into(),
                    name: At("door", "name").label(&row.try_get::<String>("", "door_name")?)?,
                    building: row.try_get::<Uuid>("", "door_building")?.into(),
                    building_name: At("building", "name")
                        .label(&row.try_get::<String>("", "door_building_name")?)?,
                    site_mode: At("building", "mode").choice(&row.try_get::<String>("", "site_mode")?)?,
                    because: Vec::new(),
                });
            }
            if let Some(last) = doors.last_mut() {
                add(&mut last.because, home, role);
            }
        }
        for row in self.0.reader.query_all(&rules_with_doors(scope, person)).await? {
            let id: Uuid = row.try_get("", "door_id")?;
            if let Some(one) = doors.iter_mut().find(|one| one.door.0 == id) {
                add(&mut one.because, None, Some(rule(&row)?));
            }
        }
        let more = doors.len() > usize::from(limit);
        doors.truncate(usize::from(limit));
        doors.retain(|one| !one.because.is_empty());
        for one in &mut doors {
            one.because.sort();
        }
        Ok(OpenablePage { doors, more })
    }
}

fn add(because: &mut Vec<Because>, home: Option<Because>, role: Option<Because>) {
    for one in home.into_iter().chain(role) {
        if !because.contains(&one) {
            because.push(one);
        }
    }
}

/// The grants that let their holder open the doors of this building.
fn opening_grants(scope: &Scope, building: impl Into<Expr>) -> Condition {
    counting_everywhere(scope).add(
        Expr::col((role_grant::Entity, role_grant::Column::Building)).is_null().or(Expr::col((
            role_grant::Entity,
            role_grant::Column::Building,
        ))
        .eq(building.into())),
    )
}

fn counting_everywhere(scope: &Scope) -> Condition {
    reach::counting(scope, OPENS, reach::holder_is_bound(scope))
}

/// The people of a page and one more.
fn persons(
    scope: &Scope,
    door: &klinke_model::door::Door,
    after: Option<PersonId>,
    limit: u16,
) -> SelectStatement {
    let by_role = Query::select()
        .column((role_grant::Entity, role_grant::Column::Person))
        .from(role_grant::Entity)
        .cond_where(opening_grants(scope, Expr::val(door.building.0)))
        .take();
    let may = reaching(scope)
        .column((membership::Entity, membership::Column::Person))
        .and_where(unit_door::Column::Door.eq(door.id.0))
        .union(UnionType::Distinct, by_role)
        .union(
            UnionType::Distinct,
            rule_reach::allowed(scope, |select, rule, whom| {
                select.expr(whom).and_where(rule.in_subquery(rule_reach::rules_opening(scope, door)));
            }),
        )
        .take();
    let mut select = Query::select();
    select
        .columns(
            [person::Column::Tenant, person::Column::Id, person::Column::Name, person::Column::SortName]
                .map(|column| (person::Entity, column)),
        )
        .from(person::Entity)
        .and_where(person::Column::Tenant.eq(scope.tenant.0))
        .and_where(person::Column::Active.eq(true))
        .and_where(Expr::col((person::Entity, person::Column::Id)).in_subquery(may));
    if let Some(after) = after {
        let last = Query::select()
            .column(person::Column::SortName)
            .from(person::Entity)
            .and_where(person::Column::Tenant.eq(scope.tenant.0))
            .and_where(person::Column::Id.eq(after.0))
            .take();
        let here = Expr::tuple([
            Expr::col((person::Entity, person::Column::SortName)),
            Expr::col((person::Entity, person::Column::Id)),
        ]);
        select.and_where(
            here.gt(Expr::tuple([Expr::SubQuery(None, Box::new(last.into())), Expr::val(after.0)])),
        );
    }
    select
        .order_by((person::Entity, person::Column::SortName), Order::Asc)
        .order_by((person::Entity, person::Column::Id), Order::Asc)
        .limit(u64::from(limit) + 1)
        .take()
}

fn with_reasons(scope: &Scope, door: &klinke_model::door::Door, page: SelectStatement) -> SelectStatement {
    let of_page = |column: person::Column| Expr::col((Alias::new(P), column));
    let of_place = |column: membership::Column| Expr::col((Alias::new(H), column));
    let of_grant = |column: role_grant::Column| Expr::col((role_grant::Entity, column));
    // read once: as a condition of a join, SQLite looked up each of the door's homes for each of the people
    let homes = reaching(scope)
        .columns(
            [membership::Column::Person, membership::Column::Unit].map(|column| (membership::Entity, column)),
        )
        .and_where(unit_door::Column::Door.eq(door.id.0))
        .take();
    let grants = opening_grants(scope, Expr::val(door.building.0))
        .add(of_grant(role_grant::Column::Tenant).eq(of_page(person::Column::Tenant)))
        .add(of_grant(role_grant::Column::Person).eq(of_page(person::Column::Id)));
    let mut select = Query::select();
    select
        .expr_as(of_page(person::Column::Id), "person_id")
        .expr_as(of_page(person::Column::Name), "person_name")
        .expr_as(unit::Column::Building.in_subquery(reach::buildings(scope, Right::SeePeople)), "sees")
        .from_subquery(page, P)
        .join_subquery(
            JoinType::LeftJoin,
            homes,
            H,
            of_place(membership::Column::Person).eq(of_page(person::Column::Id)),
        );
    reasons(&mut select, of_page(person::Column::Tenant), of_place(membership::Column::Unit), grants);
    select
        .order_by((Alias::new(P), person::Column::SortName), Order::Asc)
        .order_by((Alias::new(P), person::Column::Id), Order::Asc)
        .take()
}

pub(super) fn doors_with_reasons(
    scope: &Scope,
    person: PersonId,
    after: Option<DoorId>,
    limit: u16,
) -> SelectStatement {
    let of_door = |column: door::Column| Expr::col((door::Entity, column));
    let reached = reaching(scope)
        .column((unit_door::Entity, unit_door::Column::Door))
        .and_where(membership::Column::Person.eq(person.0))
        .union(UnionType::Distinct, rule_reach::doors_opened(scope, person))
        .take();
    let active = reach::exists(
        person::Entity,
        Condition::all()
            .add(person::Column::Tenant.eq(scope.tenant.0))
            .add(person::Column::Id.eq(person.0))
            .add(person::Column::Active.eq(true)),
    );
    let theirs =
        |building: Expr| opening_grants(scope, building).add(role_grant::Column::Person.eq(person.0));
    let mut page = Query::select();
    page.columns(
        [door::Column::Tenant, door::Column::Id, door::Column::Building, door::Column::Name]
            .map(|column| (door::Entity, column)),
    )
    .from(door::Entity)
    .and_where(door::Column::Tenant.eq(scope.tenant.0))
    .and_where(reach::may(scope, Right::SeePeople, door::Column::Building))
    .and_where(active)
    .and_where(
        door::Column::Id
            .in_subquery(reached)
            .or(reach::exists(role_grant::Entity, theirs(of_door(door::Column::Building)))),
    );
    if let Some(after) = after {
        let last = Query::select()
            .column(door::Column::Building)
            .from(door::Entity)
            .and_where(door::Column::Tenant.eq(scope.tenant.0))
            .and_where(door::Column::Id.eq(after.0))
            .take();
        let here = Expr::tuple([of_door(door::Column::Building), of_door(door::Column::Id)]);
        page.and_where(
            here.gt(Expr::tuple([Expr::SubQuery(None, Box::new(last.into())), Expr::val(after.0)])),
        );
    }
    page.order_by((door::Entity, door::Column::Building), Order::Asc)
        .order_by((door::Entity, door::Column::Id), Order::Asc)
        .limit(u64::from(limit) + 1);
    let of_page = |column: door::Column| Expr::col((Alias::new(D), column));
    let of_set = |column: unit_door::Column| Expr::col((unit_door::Entity, column));
    let sets = Condition::all()
        .add(of_set(unit_door::Column::Tenant).eq(of_page(door::Column::Tenant)))
        .add(of_set(unit_door::Column::Door).eq(of_page(door::Column::Id)))
        .add(of_set(unit_door::Column::Unit).in_subquery(units_of(scope, person)));
    let at = Alias::new("at");
    let places = Condition::all()
        .add(Expr::col((at.clone(), building::Column::Tenant)).eq(of_page(door::Column::Tenant)))
        .add(Expr::col((at.clone(), building::Column::Id)).eq(of_page(door::Column::Building)));
    let mut select = Query::select();
    select
        .expr_as(of_page(door::Column::Id), "door_id")
        .expr_as(of_page(door::Column::Name), "door_name")
        .expr_as(of_page(door::Column::Building), "door_building")
        .expr_as(Expr::col((at.clone(), building::Column::Name)), "door_building_name")
        .expr_as(Expr::col((at.clone(), building::Column::Mode)), "site_mode")
        .from_subquery(page.take(), D)
        .join_as(JoinType::InnerJoin, building::Entity, at, places)
        .join(JoinType::LeftJoin, unit_door::Entity, sets);
    let grants = theirs(of_page(door::Column::Building));
    reasons(&mut select, of_set(unit_door::Column::Tenant), of_set(unit_door::Column::Unit), grants);
    select
        .order_by((Alias::new(D), door::Column::Building), Order::Asc)
        .order_by((Alias::new(D), door::Column::Id), Order::Asc)
        .take()
}

/// Adds the homes and the roles that are reasons, each where there is one.
fn reasons(select: &mut SelectStatement, tenant: Expr, home: Expr, grants: Condition) {
    let of_unit = |column: unit::Column| Expr::col((unit::Entity, column));
    let of_building = |column: building::Column| Expr::col((building::Entity, column));
    let of_grant = |column: role_grant::Column| Expr::col((role_grant::Entity, column));
    let units = Condition::all()
        .add(of_unit(unit::Column::Tenant).eq(tenant))
        .add(of_unit(unit::Column::Id).eq(home));
    let buildings = Condition::all()
        .add(of_building(building::Column::Tenant).eq(of_unit(unit::Column::Tenant)))
        .add(of_building(building::Column::Id).eq(of_unit(unit::Column::Building)));
    select
        .expr_as(of_unit(unit::Column::Id), "unit_id")
        .expr_as(of_unit(unit::Column::Number), "unit_number")
        .expr_as(of_building(building::Column::Id), "building_id")
        .expr_as(of_building(building::Column::Name), "building_name")
        .expr_as(of_grant(role_grant::Column::Id), "grant_id")
        .expr_as(of_grant(role_grant::Column::Role), "grant_role")
        .expr_as(of_grant(role_grant::Column::Building), "grant_building")
        .expr_as(of_grant(role_grant::Column::EndsAt), "grant_ends_at")
        .join(JoinType::LeftJoin, unit::Entity, units)
        .join(JoinType::LeftJoin, building::Entity, buildings)
        .join(JoinType::LeftJoin, role_grant::Entity, grants);
}

/// Who of a page is allowed by which rule, in no order.
fn allowed_here(scope: &Scope, door: &klinke_model::door::Door, page: SelectStatement) -> SelectStatement {
    let ids = Query::select().column((Alias::new(P), person::Column::Id)).from_subquery(page, P).take();
    let pairs = rule_reach::allowed(scope, |select, rule, whom| {
        select
            .expr_as(rule.clone(), "rule")
            .expr_as(whom.clone(), "whom")
            .and_where(rule.in_subquery(rule_reach::rules_opening(scope, door)))
            .and_where(whom.in_subquery(ids.clone()));
    });
    let whom = || Expr::col((Alias::new(R), Alias::new("whom")));
    let mut select = told_rules(scope, pairs);
    select.expr_as(whom(), "person_id").expr_as(sees(scope, whom()), "sees").take()
}

/// Whether the principal sees people where somebody lives.
fn sees(scope: &Scope, whom: Expr) -> Expr {
    let homes = Condition::all()
        .add(
            Expr::col((unit::Entity, unit::Column::Tenant))
                .equals((membership::Entity, membership::Column::Tenant)),
        )
        .add(
            Expr::col((unit::Entity, unit::Column::Id))
                .equals((membership::Entity, membership::Column::Unit)),
        );
    let lives = Query::select()
        .expr(Expr::val(1))
        .from(membership::Entity)
        .join(JoinType::InnerJoin, unit::Entity, homes)
        .and_where(membership::Column::Tenant.eq(scope.tenant.0))
        .and_where(Expr::col((membership::Entity, membership::Column::Person)).eq(whom))
        .and_where(unit::Column::Building.in_subquery(reach::buildings(scope, Right::SeePeople)))
        .take();
    reach::may_everywhere(scope, Right::SeePeople).or(Expr::exists(lives))
}

/// The rules that give a person doors, with the doors.
fn rules_with_doors(scope: &Scope, person: PersonId) -> SelectStatement {
    let mut pairs = Query::select();
    pairs
        .expr_as(Expr::col((access_rule::Entity, access_rule::Column::Id)), "rule")
        .expr_as(Expr::col((door::Entity, door::Column::Id)), "whom")
        .from(access_rule::Entity)
        .join(JoinType::InnerJoin, door::Entity, rule_reach::of_same_building())
        .cond_where(rule_reach::counting(scope))
        .and_where(
            Expr::col((access_rule::Entity, access_rule::Column::Id))
                .in_subquery(rule_reach::rules_of(scope, person)),
        )
        .cond_where(rule_reach::opens(Expr::col((door::Entity, door::Column::Id))));
    told_rules(scope, pairs).expr_as(Expr::col((Alias::new(R), Alias::new("whom"))), "door_id").take()
}

/// What is told of the rules of some pairs of `rule` and `whom`.
fn told_rules(scope: &Scope, pairs: SelectStatement) -> SelectStatement {
    let of_rule = |column: access_rule::Column| Expr::col((access_rule::Entity, column));
    let rules = Condition::all()
        .add(of_rule(access_rule::Column::Tenant).eq(scope.tenant.0))
        .add(of_rule(access_rule::Column::Id).equals((Alias::new(R), Alias::new("rule"))));
    let hours = Condition::all()
        .add(
            Expr::col((schedule::Entity, schedule::Column::Tenant))
                .equals((access_rule::Entity, access_rule::Column::Tenant)),
        )
        .add(
            Expr::col((schedule::Entity, schedule::Column::Id))
                .equals((access_rule::Entity, access_rule::Column::Schedule)),
        );
    Query::select()
        .expr_as(of_rule(access_rule::Column::Id), "rule_id")
        .expr_as(of_rule(access_rule::Column::Name), "rule_name")
        .expr_as(of_rule(access_rule::Column::LastDay), "last_day")
        .expr_as(Expr::col((schedule::Entity, schedule::Column::Name)), "hours_name")
        .from_subquery(pairs, R)
        .join(JoinType::InnerJoin, access_rule::Entity, rules)
        .join(JoinType::LeftJoin, schedule::Entity, hours)
        .take()
}

fn rule(row: &QueryResult) -> Result<Because> {
    let hours = row.try_get::<Option<String>>("", "hours_name")?;
    Ok(Because::Rule {
        rule: row.try_get::<Uuid>("", "rule_id")?.into(),
        name: At("access_rule", "name").label(&row.try_get::<String>("", "rule_name")?)?,
        hours: hours.map(|hours| At("schedule", "name").label(&hours)).transpose()?,
        last_day: row.try_get("", "last_day")?,
    })
}

fn home(row: &QueryResult) -> Result<Option<Because>> {
    let Some(unit) = row.try_get::<Option<Uuid>>("", "unit_id")? else { return Ok(None) };
    Ok(Some(Because::Home {
        unit: unit.into(),
        number: At("unit", "number").label(&row.try_get::<String>("", "unit_number")?)?,
        building: row.try_get::<Uuid>("", "building_id")?.into(),
        building_name: At("building", "name").label(&row.try_get::<String>("", "building_name")?)?,
    }))
}

fn role(row: &QueryResult) -> Result<Option<Because>> {
    let Some(grant) = row.try_get::<Option<Uuid>>("", "grant_id")? else { return Ok(None) };
    Ok(Some(Because::Role {
        grant: grant.into(),
        role: At("role_grant", "role").choice(&row.try_get::<String>("", "grant_role")?)?,
        building: row.try_get::<Option<Uuid>>("", "grant_building")?.map(Into::into),
        ends_at: row.try_get::<Option<i64>>("", "grant_ends_at")?.map(Timestamp::from_millis),
    }))
}
