//! Groups of people of a building, which its rules name. Read by who sees people there; changed by who may change its rules.
//!
//! Whoever moves out of the building leaves its groups ([`super::rules::leave`]); whoever never lived there, such as a cleaner,
//! stays until an administrator takes them out.

use crate::entity::{access_rule_people_group, people_group, people_group_member};
use crate::record::{Edited, NamedGroup, Part, Removed, RuleMade, RuleThrough, Stamp, Uses};
use crate::repo::audit::{self, Change};
use crate::repo::convert::At;
use crate::repo::door_groups;
use crate::repo::doors::touch_all_of;
use crate::repo::parts::{has_all, part};
use crate::repo::reach;
use crate::repo::rules::{CHANGES, Rules, all_seen, named_people};
use crate::tx::{self, Isolation};
use crate::{Result, StorageError};
use klinke_model::ids::{BuildingId, DoorId, PeopleGroupId, PersonId};
use klinke_model::rights::Right;
use klinke_model::rule::PeopleGroup;
use klinke_model::scope::Scope;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, ExprTrait, Query, SelectStatement};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

impl Rules<'_> {
    /// The groups of people of a building, by name.
    pub async fn people_groups(&self, scope: &Scope, building: BuildingId) -> Result<Vec<Part<NamedGroup>>> {
        tx::read(self.0, |tx| async move {
            let rows = people_group::Entity::find()
                .filter(people_group::Column::Tenant.eq(scope.tenant.0))
                .filter(people_group::Column::Building.eq(building.0))
                .filter(reach::may(scope, Right::SeePeople, people_group::Column::Building))
                .all(&*tx)
                .await?;
            let mut all = Vec::with_capacity(rows.len());
            for row in &rows {
                all.push(named(&*tx, scope, row).await?);
            }
            all.sort_by_cached_key(|one: &Part<NamedGroup>| {
                (one.value.group.name.clone(), one.value.group.id)
            });
            Ok(all)
        })
        .await
    }

    /// One group of people.
    pub async fn people_group(&self, scope: &Scope, id: PeopleGroupId) -> Result<Option<Part<NamedGroup>>> {
        tx::read(self.0, |tx| async move { one(&*tx, scope, id).await }).await
    }

    /// Adds a group of people to a building.
    pub async fn insert_people_group(
        &self,
        scope: &Scope,
        stamp: &Stamp,
        new: PeopleGroup,
    ) -> Result<RuleMade> {
        let new = &new;
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            if !has_all(&*tx, scope, &CHANGES, new.building).await? {
                return Ok(RuleMade::NotThere);
            }
            if !all_seen(&*tx, scope, new.members.iter().copied()).await? {
                return Ok(RuleMade::Unknown);
            }
            let row = people_group::ActiveModel {
                tenant: Set(scope.tenant.0),
                id: Set(new.id.0),
                building: Set(new.building.0),
                name: Set(new.name.as_str().to_owned()),
                version: Set(1),
            };
            people_group::Entity::insert(row).exec_without_returning(&*tx).await?;
            write_members(&*tx, scope, new).await?;
            let change = Change {
                building: Some(new.building),
                action: "people_group.made",
                persons: new.members.clone(),
                before: None,
                after: Some(told(new)),
            };
            audit::append(&tx, scope, stamp, change).await?;
            Ok(RuleMade::Done)
        })
        .await
    }

    /// Changes a group of people, when it still has the version that the asker saw, and with it every rule that names it. Who
    /// is in it stays, whoever sees them; who is new to it must be seen by the asker.
    ///
    /// # Errors
    /// [`StorageError::MissingReference`] when somebody is not there.
    pub async fn change_people_group(
        &self,
        scope: &Scope,
        stamp: &Stamp,
        version: u64,
        wanted: PeopleGroup,
    ) -> Result<Edited<NamedGroup>> {
        let wanted = &wanted;
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            let Some(before) = one(&*tx, scope, wanted.id).await? else { return Ok(Edited::NotThere) };
            let was = &before.value.group;
            if !has_all(&*tx, scope, &CHANGES, was.building).await? {
                return Ok(Edited::NotThere);
            }
            if before.version != version {
                return Ok(Edited::Conflict(before));
            }
            if was == wanted {
                return Ok(Edited::Done(before));
            }
            let new = wanted.members.iter().filter(|person| !was.members.contains(person));
            if !all_seen(&*tx, scope, new.copied()).await? {
                return Err(StorageError::MissingReference);
            }
            people_group::Entity::update_many()
                .col_expr(people_group::Column::Name, Expr::val(wanted.name.as_str()))
                .col_expr(people_group::Column::Version, Expr::col(people_group::Column::Version).add(1))
                .filter(people_group::Column::Tenant.eq(scope.tenant.0))
                .filter(people_group::Column::Id.eq(wanted.id.0))
                .exec(&*tx)
                .await?;
            people_group_member::Entity::delete_many()
                .filter(people_group_member::Column::Tenant.eq(scope.tenant.0))
                .filter(people_group_member::Column::PeopleGroup.eq(wanted.id.0))
                .exec(&*tx)
                .await?;
            write_members(&*tx, scope, wanted).await?;
            touch_all_of(&*tx, scope, was.building).await?;
            let concerned: BTreeSet<PersonId> = was.members.iter().chain(&wanted.members).copied().collect();
            let change = Change {
                building: Some(was.building),
                action: "people_group.changed",
                persons: concerned.into_iter().collect(),
                before: Some(told(was)),
                after: Some(told(wanted)),
            };
            audit::append(&tx, scope, stamp, change).await?;
            let after = one(&*tx, scope, wanted.id).await?;
            Ok(after.map_or(Edited::NotThere, Edited::Done))
        })
        .await
    }

    /// Removes a group of people that no rule names.
    pub async fn remove_people_group(
        &self,
        scope: &Scope,
        stamp: &Stamp,
        id: PeopleGroupId,
    ) -> Result<Removed> {
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            let Some(before) = one(&*tx, scope, id).await? else { return Ok(Removed::NotThere) };
            let was = &before.value.group;
            if !has_all(&*tx, scope, &CHANGES, was.building).await? {
                return Ok(Removed::NotThere);
            }
            if before.uses.rules > 0 {
                return Ok(Removed::InUse(before.uses));
            }
            people_group::Entity::delete_by_id((scope.tenant.0, id.0)).exec(&*tx).await?;
            let change = Change {
                building: Some(was.building),
                action: "people_group.removed",
                persons: was.members.clone(),
                before: Some(told(was)),
                after: None,
            };
            audit::append(&tx, scope, stamp, change).await?;
            Ok(Removed::Done)
        })
        .await
    }

    /// By which groups the rules of a building give a person a door, for who sees people there; rules without a group that has
    /// them or the door are left out.
    pub async fn through(&self, scope: &Scope, person: PersonId, door: DoorId) -> Result<Vec<RuleThrough>> {
        tx::read(self.0, |tx| async move {
            let theirs = Query::select()
                .column(people_group_member::Column::PeopleGroup)
                .from(people_group_member::Entity)
                .and_where(people_group_member::Column::Tenant.eq(scope.tenant.0))
                .and_where(people_group_member::Column::Person.eq(person.0))
                .take();
            let mut through: BTreeMap<_, Vec<_>> = BTreeMap::new();
            let naming = access_rule_people_group::Entity::find()
                .filter(access_rule_people_group::Column::Tenant.eq(scope.tenant.0))
                .filter(access_rule_people_group::Column::PeopleGroup.in_subquery(theirs))
                .filter(reach::may(scope, Right::SeePeople, access_rule_people_group::Column::Building))
                .all(&*tx)
                .await?;
            let groups = people_group::Entity::find()
                .filter(people_group::Column::Tenant.eq(scope.tenant.0))
                .filter(people_group::Column::Id.is_in(naming.iter().map(|row| row.people_group)))
                .all(&*tx)
                .await?;
            for row in naming {
                for group in groups.iter().filter(|group| group.id == row.people_group) {
                    let name = At("people_group", "name").label(&group.name)?;
                    through.entry(row.rule.into()).or_default().push(name);
                }
            }
            for (rule, name) in door_groups::with_door(&*tx, scope, door).await? {
                through.entry(rule).or_default().push(name);
            }
            Ok(through.into_iter().map(|(rule, groups)| RuleThrough { rule, groups }).collect())
        })
        .await
    }
}

/// Takes somebody out of the groups of a building.
pub(super) async fn leave(
    db: &impl ConnectionTrait,
    scope: &Scope,
    person: PersonId,
    building: BuildingId,
) -> Result<()> {
    let its_groups = Query::select()
        .column(people_group::Column::Id)
        .from(people_group::Entity)
        .and_where(people_group::Column::Tenant.eq(scope.tenant.0))
        .and_where(people_group::Column::Building.eq(building.0))
        .take();
    let of_person = || {
        Condition::all()
            .add(people_group_member::Column::Tenant.eq(scope.tenant.0))
            .add(people_group_member::Column::Person.eq(person.0))
            .add(people_group_member::Column::PeopleGroup.in_subquery(its_groups.clone()))
    };
    let left = people_group_member::Entity::find().filter(of_person()).all(db).await?;
    if left.is_empty() {
        return Ok(());
    }
    people_group_member::Entity::delete_many().filter(of_person()).exec(db).await?;
    // an administrator who is changing one of them sees that it is another now
    people_group::Entity::update_many()
        .col_expr(people_group::Column::Version, Expr::col(people_group::Column::Version).add(1))
        .filter(people_group::Column::Tenant.eq(scope.tenant.0))
        .filter(people_group::Column::Id.is_in(left.into_iter().map(|row| row.people_group)))
        .exec(db)
        .await?;
    touch_all_of(db, scope, building).await
}

/// The groups of people that a rule names, by name.
pub(super) async fn of_rule(
    db: &impl ConnectionTrait,
    scope: &Scope,
    rule: Uuid,
) -> Result<Vec<PeopleGroup>> {
    let named = Query::select()
        .column(access_rule_people_group::Column::PeopleGroup)
        .from(access_rule_people_group::Entity)
        .and_where(access_rule_people_group::Column::Tenant.eq(scope.tenant.0))
        .and_where(access_rule_people_group::Column::Rule.eq(rule))
        .take();
    let rows = people_group::Entity::find()
        .filter(people_group::Column::Tenant.eq(scope.tenant.0))
        .filter(people_group::Column::Id.in_subquery(named))
        .all(db)
        .await?;
    let mut groups = Vec::with_capacity(rows.len());
    for row in &rows {
        groups.push(read(db, scope, row).await?);
    }
    groups.sort_by_cached_key(|group| (group.name.clone(), group.id));
    Ok(groups)
}

async fn one(
    db: &impl ConnectionTrait,
    scope: &Scope,
    id: PeopleGroupId,
) -> Result<Option<Part<NamedGroup>>> {
    let row = people_group::Entity::find_by_id((scope.tenant.0, id.0))
        .filter(reach::may(scope, Right::SeePeople, people_group::Column::Building))
        .one(db)
        .await?;
    match row {
        Some(row) => named(db, scope, &row).await.map(Some),
        None => Ok(None),
    }
}

async fn named(
    db: &impl ConnectionTrait,
    scope: &Scope,
    row: &people_group::Model,
) -> Result<Part<NamedGroup>> {
    let group = read(db, scope, row).await?;
    let people = named_people(db, scope, members(scope, row.id)).await?;
    let rules = access_rule_people_group::Entity::find()
        .filter(access_rule_people_group::Column::Tenant.eq(scope.tenant.0))
        .filter(access_rule_people_group::Column::PeopleGroup.eq(row.id))
        .count(db)
        .await?;
    part("people_group", row.version, NamedGroup { group, people }, Uses { rules, ..Uses::default() })
}

async fn read(db: &impl ConnectionTrait, scope: &Scope, row: &people_group::Model) -> Result<PeopleGroup> {
    let rows = people_group_member::Entity::find()
        .filter(people_group_member::Column::Tenant.eq(scope.tenant.0))
        .filter(people_group_member::Column::PeopleGroup.eq(row.id))
        .all(db)
        .await?;
    let mut members: Vec<PersonId> = rows.into_iter().map(|row| row.person.into()).collect();
    members.sort_unstable();
    Ok(PeopleGroup {
        id: row.id.into(),
        building: row.building.into(),
        name: At("people_group", "name").label(&row.name)?,
        members,
    })
}

fn members(scope: &Scope, group: Uuid) -> SelectStatement {
    Query::select()
        .column(people_group_member::Column::Person)
        .from(people_group_member::Entity)
        .and_where(people_group_member::Column::Tenant.eq(scope.tenant.0))
        .and_where(people_group_member::Column::PeopleGroup.eq(group))
        .take()
}

async fn write_members(db: &impl ConnectionTrait, scope: &Scope, group: &PeopleGroup) -> Result<()> {
    let members: BTreeSet<PersonId> = group.members.iter().copied().collect();
    let rows = members.into_iter().map(|person| people_group_member::ActiveModel {
        tenant: Set(scope.tenant.0),
        people_group: Set(group.id.0),
        person: Set(person.0),
    });
    people_group_member::Entity::insert_many(rows).exec_without_returning(db).await?;
    Ok(())
}

fn told(group: &PeopleGroup) -> Value {
    json!({ "name": group.name, "members": group.members })
}
