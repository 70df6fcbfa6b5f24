//! Access rules: read with the names of those whom they name, written as one value.
//!
//! Who reads them sees who may open what, so it is for who sees people in the building; who changes them may change the
//! building too. Somebody who lives elsewhere is named by who sees people there.

use crate::entity::{
    access_rule, access_rule_door, access_rule_door_group, access_rule_people_group, access_rule_person,
    access_rule_unit, membership, person, unit,
};
use crate::record::{Edited, NamedRule, Part, RuleMade, RulePerson, Stamp, Uses};
use crate::repo::audit::{self, Change};
use crate::repo::convert::{self, At};
use crate::repo::doors::touch_all_of;
use crate::repo::parts::{has_all, part};
use crate::repo::reach;
use crate::repo::{door_groups, people_groups};
use crate::tx::{self, Isolation};
use crate::{Result, StorageError, Store};
use klinke_model::ids::{BuildingId, PersonId, RuleId, UnitId};
use klinke_model::rights::Right;
use klinke_model::rule::{AccessRule, Which, Who};
use klinke_model::scope::Scope;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, ExprTrait, JoinType, Query, SelectStatement};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect, QueryTrait};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Schedules and access rules.
///
/// Every function fails only when the database can not do its work; what is not there, or not the principal's, is
/// `None`, `false` or empty. An id that is taken is [`StorageError::Conflict`].
#[derive(Debug)]
pub struct Rules<'a>(pub(crate) &'a Store);

/// What changing a rule takes.
pub(super) const CHANGES: [Right; 2] = [Right::ChangeBuilding, Right::SeePeople];

impl Rules<'_> {
    /// The rules of a building, by name.
    pub async fn rules(&self, scope: &Scope, building: BuildingId) -> Result<Vec<Part<NamedRule>>> {
        tx::read(self.0, |tx| async move {
            let rows = access_rule::Entity::find()
                .filter(access_rule::Column::Tenant.eq(scope.tenant.0))
                .filter(access_rule::Column::Building.eq(building.0))
                .filter(reach::may(scope, Right::SeePeople, access_rule::Column::Building))
                .all(&*tx)
                .await?;
            let mut all = Vec::with_capacity(rows.len());
            for row in &rows {
                all.push(named(&*tx, scope, row).await?);
            }
            all.sort_by_cached_key(|one: &Part<NamedRule>| (one.value.rule.name.clone(), one.value.rule.id));
            Ok(all)
        })
        .await
    }

    /// One rule.
    pub async fn rule(&self, scope: &Scope, id: RuleId) -> Result<Option<Part<NamedRule>>> {
        tx::read(self.0, |tx| async move { one(&*tx, scope, id).await }).await
    }

    /// Adds a rule to a building.
    pub async fn insert_rule(&self, scope: &Scope, stamp: &Stamp, new: AccessRule) -> Result<RuleMade> {
        let new = &new;
        let made = tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            if !has_all(&*tx, scope, &CHANGES, new.building).await? {
                return Ok(RuleMade::NotThere);
            }
            if !all_seen(&*tx, scope, people_of(new)).await? {
                return Ok(RuleMade::Unknown);
            }
            let row = access_rule::ActiveModel {
                tenant: Set(scope.tenant.0),
                id: Set(new.id.0),
                building: Set(new.building.0),
                name: Set(new.name.as_str().to_owned()),
                everybody: Set(new.who.contains(&Who::Everybody)),
                unit_owners: Set(new.who.contains(&Who::UnitOwners)),
                all_doors: Set(new.doors.contains(&Which::AllDoors)),
                schedule: Set(new.schedule.map(|schedule| schedule.0)),
                first_day: Set(new.first_day),
                last_day: Set(new.last_day),
                active: Set(new.active),
                version: Set(1),
            };
            access_rule::Entity::insert(row).exec_without_returning(&*tx).await?;
            write_parts(&*tx, scope, new).await?;
            touch_all_of(&*tx, scope, new.building).await?;
            let change = Change {
                building: Some(new.building),
                action: "rule.made",
                persons: people_of(new).collect(),
                before: None,
                after: Some(told(new)),
            };
            audit::append(&tx, scope, stamp, change).await?;
            Ok(RuleMade::Done)
        });
        match made.await {
            Err(StorageError::MissingReference) => Ok(RuleMade::Unknown),
            other => other,
        }
    }

    /// Changes a rule, when it still has the version that the asker saw. Whom it names stays named, whoever sees them; who
    /// is new to it must be seen by the asker.
    ///
    /// # Errors
    /// [`StorageError::MissingReference`] when something that it names is not there.
    pub async fn change_rule(
        &self,
        scope: &Scope,
        stamp: &Stamp,
        version: u64,
        wanted: AccessRule,
    ) -> Result<Edited<NamedRule>> {
        let wanted = &wanted;
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            let Some(before) = one(&*tx, scope, wanted.id).await? else { return Ok(Edited::NotThere) };
            let was = &before.value.rule;
            if !has_all(&*tx, scope, &CHANGES, was.building).await? {
                return Ok(Edited::NotThere);
            }
            if before.version != version {
                return Ok(Edited::Conflict(before));
            }
            if was == wanted {
                return Ok(Edited::Done(before));
            }
            let had: BTreeSet<PersonId> = people_of(was).collect();
            if !all_seen(&*tx, scope, people_of(wanted).filter(|person| !had.contains(person))).await? {
                return Err(StorageError::MissingReference);
            }
            access_rule::Entity::update_many()
                .col_expr(access_rule::Column::Name, Expr::val(wanted.name.as_str()))
                .col_expr(access_rule::Column::Everybody, Expr::val(wanted.who.contains(&Who::Everybody)))
                .col_expr(access_rule::Column::UnitOwners, Expr::val(wanted.who.contains(&Who::UnitOwners)))
                .col_expr(access_rule::Column::AllDoors, Expr::val(wanted.doors.contains(&Which::AllDoors)))
                .col_expr(access_rule::Column::Schedule, Expr::val(wanted.schedule.map(|one| one.0)))
                .col_expr(access_rule::Column::FirstDay, Expr::val(wanted.first_day))
                .col_expr(access_rule::Column::LastDay, Expr::val(wanted.last_day))
                .col_expr(access_rule::Column::Active, Expr::val(wanted.active))
                .col_expr(access_rule::Column::Version, Expr::col(access_rule::Column::Version).add(1))
                .filter(access_rule::Column::Tenant.eq(scope.tenant.0))
                .filter(access_rule::Column::Id.eq(wanted.id.0))
                .exec(&*tx)
                .await?;
            clear_parts(&*tx, scope, wanted.id).await?;
            write_parts(&*tx, scope, wanted).await?;
            touch_all_of(&*tx, scope, was.building).await?;
            let change = Change {
                building: Some(was.building),
                action: "rule.changed",
                persons: people_of(was).chain(people_of(wanted)).collect(),
                before: Some(told(was)),
                after: Some(told(wanted)),
            };
            audit::append(&tx, scope, stamp, change).await?;
            let after = one(&*tx, scope, wanted.id).await?;
            Ok(after.map_or(Edited::NotThere, Edited::Done))
        })
        .await
    }

    /// Removes a rule.
    pub async fn remove_rule(&self, scope: &Scope, stamp: &Stamp, id: RuleId) -> Result<bool> {
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            let Some(before) = one(&*tx, scope, id).await? else { return Ok(false) };
            let was = &before.value.rule;
            if !has_all(&*tx, scope, &CHANGES, was.building).await? {
                return Ok(false);
            }
            access_rule::Entity::delete_by_id((scope.tenant.0, id.0)).exec(&*tx).await?;
            touch_all_of(&*tx, scope, was.building).await?;
            let change = Change {
                building: Some(was.building),
                action: "rule.removed",
                persons: people_of(was).collect(),
                before: Some(told(was)),
                after: None,
            };
            audit::append(&tx, scope, stamp, change).await?;
            Ok(true)
        })
        .await
    }
}

/// Takes somebody who has left a unit out of the rules and the groups of its building that name them, unless they live there
/// still: a rule does not let in who moved out. Whoever never lived there stays in both.
pub(super) async fn leave(
    db: &impl ConnectionTrait,
    scope: &Scope,
    person: PersonId,
    unit: UnitId,
) -> Result<()> {
    let of_unit = unit::Entity::find_by_id((scope.tenant.0, unit.0)).one(db).await?;
    let Some(building) = of_unit.map(|unit| unit.building) else { return Ok(()) };
    let there = Query::select()
        .column(unit::Column::Id)
        .from(unit::Entity)
        .and_where(unit::Column::Tenant.eq(scope.tenant.0))
        .and_where(unit::Column::Building.eq(building))
        .take();
    let still = membership::Entity::find()
        .filter(membership::Column::Tenant.eq(scope.tenant.0))
        .filter(membership::Column::Person.eq(person.0))
        .filter(membership::Column::Unit.in_subquery(there))
        .one(db)
        .await?;
    if still.is_some() {
        return Ok(());
    }
    people_groups::leave(db, scope, person, building.into()).await?;
    let its_rules = Query::select()
        .column(access_rule::Column::Id)
        .from(access_rule::Entity)
        .and_where(access_rule::Column::Tenant.eq(scope.tenant.0))
        .and_where(access_rule::Column::Building.eq(building))
        .take();
    let of_person = || {
        Condition::all()
            .add(access_rule_person::Column::Tenant.eq(scope.tenant.0))
            .add(access_rule_person::Column::Person.eq(person.0))
            .add(access_rule_person::Column::Rule.in_subquery(its_rules.clone()))
    };
    let named = access_rule_person::Entity::find().filter(of_person()).all(db).await?;
    if named.is_empty() {
        return Ok(());
    }
    access_rule_person::Entity::delete_many().filter(of_person()).exec(db).await?;
    // an administrator who is changing one of them sees that it is another now
    access_rule::Entity::update_many()
        .col_expr(access_rule::Column::Version, Expr::col(access_rule::Column::Version).add(1))
        .filter(access_rule::Column::Tenant.eq(scope.tenant.0))
        .filter(access_rule::Column::Id.is_in(named.into_iter().map(|row| row.rule)))
        .exec(db)
        .await?;
    touch_all_of(db, scope, building.into()).await
}

async fn one(db: &impl ConnectionTrait, scope: &Scope, id: RuleId) -> Result<Option<Part<NamedRule>>> {
    let row = access_rule::Entity::find_by_id((scope.tenant.0, id.0))
        .filter(reach::may(scope, Right::SeePeople, access_rule::Column::Building))
        .one(db)
        .await?;
    match row {
        Some(row) => named(db, scope, &row).await.map(Some),
        None => Ok(None),
    }
}

/// A rule with all that it names, in an order of its own.
async fn named(
    db: &impl ConnectionTrait,
    scope: &Scope,
    row: &access_rule::Model,
) -> Result<Part<NamedRule>> {
    let of_rule = Query::select()
        .column(access_rule_unit::Column::Unit)
        .from(access_rule_unit::Entity)
        .and_where(access_rule_unit::Column::Tenant.eq(scope.tenant.0))
        .and_where(access_rule_unit::Column::Rule.eq(row.id))
        .take();
    let units = unit::Entity::find()
        .filter(unit::Column::Tenant.eq(scope.tenant.0))
        .filter(unit::Column::Id.in_subquery(of_rule))
        .all(db)
        .await?;
    let of_rule = Query::select()
        .column(access_rule_person::Column::Person)
        .from(access_rule_person::Entity)
        .and_where(access_rule_person::Column::Tenant.eq(scope.tenant.0))
        .and_where(access_rule_person::Column::Rule.eq(row.id))
        .take();
    let people = named_people(db, scope, of_rule).await?;
    let people_groups = people_groups::of_rule(db, scope, row.id).await?;
    let door_groups = door_groups::of_rule(db, scope, row.id).await?;
    let doors = access_rule_door::Entity::find()
        .filter(access_rule_door::Column::Tenant.eq(scope.tenant.0))
        .filter(access_rule_door::Column::Rule.eq(row.id))
        .all(db)
        .await?;
    let units = convert::sorted(
        &units,
        |row| Ok((row.sort_number.clone(), row.id, At("unit", "number").label(&row.number)?)),
        Clone::clone,
    )?;
    let units: Vec<_> = units.into_iter().map(|(_, id, number)| (id.into(), number)).collect();
    let mut who = Vec::new();
    who.extend(row.everybody.then_some(Who::Everybody));
    who.extend(row.unit_owners.then_some(Who::UnitOwners));
    who.extend(units.iter().map(|(id, _)| Who::Unit(*id)));
    who.extend(people.iter().map(|one| Who::Person(one.person)));
    who.extend(people_groups.iter().map(|group| Who::Group(group.id)));
    who.sort_unstable();
    let mut which = Vec::new();
    which.extend(row.all_doors.then_some(Which::AllDoors));
    which.extend(doors.iter().map(|door| Which::Door(door.door.into())));
    which.extend(door_groups.iter().map(|group| Which::Group(group.id)));
    which.sort_unstable();
    let rule = AccessRule {
        id: row.id.into(),
        building: row.building.into(),
        name: At("access_rule", "name").label(&row.name)?,
        who,
        doors: which,
        schedule: row.schedule.map(Into::into),
        first_day: row.first_day,
        last_day: row.last_day,
        active: row.active,
    };
    part(
        "access_rule",
        row.version,
        NamedRule { rule, units, people, people_groups, door_groups },
        Uses::default(),
    )
}

/// These people by name, each as far as the principal sees them.
pub(super) async fn named_people(
    db: &impl ConnectionTrait,
    scope: &Scope,
    ids: SelectStatement,
) -> Result<Vec<RulePerson>> {
    let mut named: Vec<(Vec<u8>, RulePerson)> = Vec::new();
    let query = person::Entity::find()
        .filter(person::Column::Tenant.eq(scope.tenant.0))
        .filter(person::Column::Id.in_subquery(ids))
        .expr_as(is_seen(scope), "sees")
        .into_query();
    for row in db.query_all(&query).await? {
        let shown = row.try_get("", "sees")?;
        let name = At("person", "name").name(&row.try_get::<String>("", "name")?)?;
        let person = row.try_get::<uuid::Uuid>("", "id")?.into();
        named.push((
            row.try_get("", "sort_name")?,
            RulePerson { person, name: name.filter(|_| shown), shown },
        ));
    }
    named.sort_by(|(a, x), (b, y)| (a, x.person).cmp(&(b, y.person)));
    Ok(named.into_iter().map(|(_, person)| person).collect())
}

/// Whether the principal sees people where the person of a row lives.
pub(super) fn is_seen(scope: &Scope) -> Expr {
    let lives = Condition::all()
        .add(
            Expr::col((membership::Entity, membership::Column::Tenant))
                .equals((person::Entity, person::Column::Tenant)),
        )
        .add(
            Expr::col((membership::Entity, membership::Column::Person))
                .equals((person::Entity, person::Column::Id)),
        )
        .add(reach::may(scope, Right::SeePeople, unit::Column::Building));
    let homes = Condition::all()
        .add(
            Expr::col((unit::Entity, unit::Column::Tenant))
                .equals((membership::Entity, membership::Column::Tenant)),
        )
        .add(
            Expr::col((unit::Entity, unit::Column::Id))
                .equals((membership::Entity, membership::Column::Unit)),
        );
    let somewhere = Query::select()
        .expr(Expr::val(1))
        .from(membership::Entity)
        .join(JoinType::InnerJoin, unit::Entity, homes)
        .cond_where(lives)
        .take();
    reach::may_everywhere(scope, Right::SeePeople).or(Expr::exists(somewhere))
}

/// Whether all of these people are there and the principal sees them.
pub(super) async fn all_seen(
    db: &impl ConnectionTrait,
    scope: &Scope,
    people: impl Iterator<Item = PersonId>,
) -> Result<bool> {
    use sea_orm::PaginatorTrait;
    let people: BTreeSet<_> = people.map(|person| person.0).collect();
    let wanted = people.len() as u64;
    let seen = person::Entity::find()
        .filter(person::Column::Tenant.eq(scope.tenant.0))
        .filter(person::Column::Id.is_in(people))
        .filter(is_seen(scope))
        .count(db)
        .await?;
    Ok(seen == wanted)
}

fn people_of(rule: &AccessRule) -> impl Iterator<Item = PersonId> + '_ {
    rule.who.iter().filter_map(|who| match who {
        Who::Person(person) => Some(*person),
        Who::Everybody | Who::UnitOwners | Who::Unit(_) | Who::Group(_) => None,
    })
}

async fn write_parts(db: &impl ConnectionTrait, scope: &Scope, rule: &AccessRule) -> Result<()> {
    let (tenant, building, id) = (Set(scope.tenant.0), Set(rule.building.0), Set(rule.id.0));
    let (mut units, mut people, mut doors) = (Vec::new(), Vec::new(), Vec::new());
    let (mut people_groups, mut door_groups) = (Vec::new(), Vec::new());
    for who in rule.who.iter().collect::<BTreeSet<_>>() {
        match who {
            Who::Everybody | Who::UnitOwners => {}
            Who::Unit(unit) => units.push(access_rule_unit::ActiveModel {
                tenant: tenant.clone(),
                rule: id.clone(),
                unit: Set(unit.0),
                building: building.clone(),
            }),
            Who::Person(person) => people.push(access_rule_person::ActiveModel {
                tenant: tenant.clone(),
                rule: id.clone(),
                person: Set(person.0),
            }),
            Who::Group(group) => people_groups.push(access_rule_people_group::ActiveModel {
                tenant: tenant.clone(),
                rule: id.clone(),
                people_group: Set(group.0),
                building: building.clone(),
            }),
        }
    }
    for which in rule.doors.iter().collect::<BTreeSet<_>>() {
        match which {
            Which::AllDoors => {}
            Which::Door(door) => doors.push(access_rule_door::ActiveModel {
                tenant: tenant.clone(),
                rule: id.clone(),
                door: Set(door.0),
                building: building.clone(),
            }),
            Which::Group(group) => door_groups.push(access_rule_door_group::ActiveModel {
                tenant: tenant.clone(),
                rule: id.clone(),
                door_group: Set(group.0),
                building: building.clone(),
            }),
        }
    }
    access_rule_unit::Entity::insert_many(units).exec_without_returning(db).await?;
    access_rule_person::Entity::insert_many(people).exec_without_returning(db).await?;
    access_rule_door::Entity::insert_many(doors).exec_without_returning(db).await?;
    access_rule_people_group::Entity::insert_many(people_groups).exec_without_returning(db).await?;
    access_rule_door_group::Entity::insert_many(door_groups).exec_without_returning(db).await?;
    Ok(())
}

async fn clear_parts(db: &impl ConnectionTrait, scope: &Scope, rule: RuleId) -> Result<()> {
    access_rule_unit::Entity::delete_many()
        .filter(access_rule_unit::Column::Tenant.eq(scope.tenant.0))
        .filter(access_rule_unit::Column::Rule.eq(rule.0))
        .exec(db)
        .await?;
    access_rule_person::Entity::delete_many()
        .filter(access_rule_person::Column::Tenant.eq(scope.tenant.0))
        .filter(access_rule_person::Column::Rule.eq(rule.0))
        .exec(db)
        .await?;
    access_rule_door::Entity::delete_many()
        .filter(access_rule_door::Column::Tenant.eq(scope.tenant.0))
        .filter(access_rule_door::Column::Rule.eq(rule.0))
        .exec(db)
        .await?;
    access_rule_people_group::Entity::delete_many()
        .filter(access_rule_people_group::Column::Tenant.eq(scope.tenant.0))
        .filter(access_rule_people_group::Column::Rule.eq(rule.0))
        .exec(db)
        .await?;
    access_rule_door_group::Entity::delete_many()
        .filter(access_rule_door_group::Column::Tenant.eq(scope.tenant.0))
        .filter(access_rule_door_group::Column::Rule.eq(rule.0))
        .exec(db)
        .await?;
    Ok(())
}

fn told(rule: &AccessRule) -> Value {
    let AccessRule { name, who, doors, schedule, first_day, last_day, active, .. } = rule;
    json!({ "name": name, "who": who, "doors": doors, "schedule": schedule, "first_day": first_day,
        "last_day": last_day, "active": active })
}
