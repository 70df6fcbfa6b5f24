//! Changing people: new ones, their data, their homes, suspending.
//!
//! Who may change a person: managers and the service anybody; a building administrator who has no home elsewhere and no
//! role. Otherwise whoever administers one house of a manager could send the manager's invitation to an address of
//! their own.

use crate::Result;
use crate::entity::{device, membership, person, role_grant, unit};
use crate::error::absent_is_false;
use crate::record::{Changed, Stamp, Suspended};
use crate::repo::audit::{self, Change};
use crate::repo::news::{self, News};
use crate::repo::people::{self, end_place, reaches_unit};
use crate::repo::{People, convert, reach};
use crate::tx::{self, Isolation, Tx};
use klinke_model::events::EventKind;
use klinke_model::ids::{BuildingId, PersonId, UnitId};
use klinke_model::people::{Membership, Person};
use klinke_model::rights::Right;
use klinke_model::scope::Scope;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect,
};
use serde_json::{Value, json};
use std::collections::HashSet;
use uuid::Uuid;

impl People<'_> {
    /// Adds a person with their homes, all at once. `false` when a home is not there or not the principal's, or when
    /// a building administrator names none: nobody but a manager would ever see that person again.
    pub async fn add_person(
        &self,
        scope: &Scope,
        stamp: &Stamp,
        person: Person,
        homes: &[(UnitId, bool)],
    ) -> Result<bool> {
        let person = &person;
        let added = tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            if homes.is_empty()
                && !reach::holds(&*tx, reach::may_everywhere(scope, Right::ChangePeople)).await?
            {
                return Ok(false);
            }
            for (unit, _) in homes {
                if !reaches_unit(&*tx, scope, Right::ChangePeople, *unit).await? {
                    return Ok(false);
                }
            }
            people::insert(&*tx, scope.tenant, person).await?;
            for (unit, owner) in homes {
                place(&tx, scope, person.id, *unit, *owner).await?;
            }
            let mut after = told(person);
            if let Some(fields) = after.as_object_mut() {
                fields.insert(
                    "homes".to_owned(),
                    json!(homes.iter().map(|(unit, _)| unit).collect::<Vec<_>>()),
                );
            }
            let building = match homes.first() {
                Some((unit, _)) => building_of(&*tx, scope, *unit).await?,
                None => None,
            };
            let change = Change {
                building,
                action: "person.added",
                persons: vec![person.id],
                before: None,
                after: Some(after),
            };
            audit::append(&tx, scope, stamp, change).await?;
            let mut news = vec![News::of_person(&tx, scope, EventKind::PersonCreated, person.id).await?];
            for (unit, _) in homes {
                let building = building_of(&*tx, scope, *unit).await?;
                news.push(News::of_place(EventKind::MembershipBegan, building, *unit, person.id));
            }
            news::tell(&tx, scope, stamp, &news).await?;
            Ok(true)
        });
        absent_is_false(added.await)
    }

    /// Changes what is known of a person: all but whether they are suspended. `person.version` is the version that the
    /// asker saw.
    pub async fn change_person(&self, scope: &Scope, stamp: &Stamp, person: Person) -> Result<Changed> {
        let wanted = &person;
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            let Some(before) = changeable(&*tx, scope, wanted.id).await? else {
                return Ok(Changed::NotFound);
            };
            if before.version != wanted.version {
                return Ok(Changed::Conflict(before));
            }
            let version = before.version.saturating_add(1);
            let after = Person { active: before.active, version, ..wanted.clone() };
            people::person_row(scope.tenant, &after).update(&*tx).await?;
            people::write_words(&*tx, scope.tenant, &after).await?;
            let change = Change {
                building: home_building(&*tx, scope, after.id).await?,
                action: "person.changed",
                persons: vec![after.id],
                before: Some(told(&before)),
                after: Some(told(&after)),
            };
            audit::append(&tx, scope, stamp, change).await?;
            let news = [News::of_person(&tx, scope, EventKind::PersonChanged, after.id).await?];
            news::tell(&tx, scope, stamp, &news).await?;
            Ok(Changed::Done(after))
        })
        .await
    }

    /// Suspends a person, or ends that. Suspending signs all their devices out, for good. Nobody suspends themselves.
    /// `None` when there is nobody whom the principal may change.
    pub async fn suspend_person(
        &self,
        scope: &Scope,
        stamp: &Stamp,
        person: PersonId,
        suspended: bool,
    ) -> Result<Option<Suspended>> {
        if scope.person() == Some(person) {
            return Ok(None);
        }
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            let Some(before) = changeable(&*tx, scope, person).await? else { return Ok(None) };
            let devices =
                if suspended { sign_everything_out(&*tx, scope, person).await? } else { Vec::new() };
            if before.active != suspended {
                return Ok(Some(Suspended { devices }));
            }
            set_active(&*tx, scope, person, !suspended).await?;
            let change = Change {
                building: home_building(&*tx, scope, person).await?,
                action: if suspended { "person.suspended" } else { "person.resumed" },
                persons: vec![person],
                before: None,
                after: Some(told(&before)),
            };
            audit::append(&tx, scope, stamp, change).await?;
            let kind = if suspended { EventKind::PersonSuspended } else { EventKind::PersonResumed };
            news::tell(&tx, scope, stamp, &[News::of_person(&tx, scope, kind, person).await?]).await?;
            Ok(Some(Suspended { devices }))
        })
        .await
    }

    /// Gives a person a home, or changes whether they decide for it.
    pub async fn set_home(&self, scope: &Scope, stamp: &Stamp, home: Membership) -> Result<bool> {
        let set = tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            let seen = person::Entity::find_by_id((scope.tenant.0, home.person.0)).one(&*tx).await?;
            if seen.is_none() || !reaches_unit(&*tx, scope, Right::ChangePeople, home.unit).await? {
                return Ok(false);
            }
            let before = membership::Entity::find_by_id((scope.tenant.0, home.unit.0, home.person.0))
                .one(&*tx)
                .await?;
            match &before {
                Some(known) if known.owner == home.owner => return Ok(true),
                Some(_) => {
                    membership::Entity::update_many()
                        .col_expr(membership::Column::Owner, Expr::val(home.owner))
                        .filter(membership::Column::Tenant.eq(scope.tenant.0))
                        .filter(membership::Column::Unit.eq(home.unit.0))
                        .filter(membership::Column::Person.eq(home.person.0))
                        .exec(&*tx)
                        .await?;
                }
                None => place(&tx, scope, home.person, home.unit, home.owner).await?,
            }
            let changed = before.is_some();
            let told = |owner: bool| json!({ "person": home.person, "unit": home.unit, "owner": owner });
            let change = Change {
                building: building_of(&*tx, scope, home.unit).await?,
                action: if changed { "home.changed" } else { "home.given" },
                persons: vec![home.person],
                before: before.map(|before| told(before.owner)),
                after: Some(told(home.owner)),
            };
            let kind = if changed { EventKind::MembershipChanged } else { EventKind::MembershipBegan };
            let news = [News::of_place(kind, change.building, home.unit, home.person)];
            audit::append(&tx, scope, stamp, change).await?;
            news::tell(&tx, scope, stamp, &news).await?;
            Ok(true)
        });
        absent_is_false(set.await)
    }

    /// Takes a home from a person, now; a household leaves by a move.
    pub async fn take_home(
        &self,
        scope: &Scope,
        stamp: &Stamp,
        person: PersonId,
        unit: UnitId,
    ) -> Result<bool> {
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            if !reaches_unit(&*tx, scope, Right::ChangePeople, unit).await?
                || !end_place(&*tx, scope, person, unit).await?
            {
                return Ok(false);
            }
            let change = Change {
                building: building_of(&*tx, scope, unit).await?,
                action: "home.taken",
                persons: vec![person],
                before: Some(json!({ "person": person, "unit": unit })),
                after: None,
            };
            let news = [News::of_place(EventKind::MembershipEnded, change.building, unit, person)];
            audit::append(&tx, scope, stamp, change).await?;
            news::tell(&tx, scope, stamp, &news).await?;
            Ok(true)
        })
        .await
    }
}

/// A person as the audit tells of them.
fn told(person: &Person) -> Value {
    json!({
        "person": person.id,
        "name": person.name.as_ref().map(klinke_model::privacy::Pii::reveal),
        "email": person.email.as_ref().map(klinke_model::privacy::Pii::reveal),
        "phone": person.phone.as_ref().map(klinke_model::privacy::Pii::reveal),
        "language": person.language,
        "needs_longer": person.needs_longer,
    })
}

/// The person, when the principal may change them.
pub(super) async fn changeable(
    db: &impl ConnectionTrait,
    scope: &Scope,
    id: PersonId,
) -> Result<Option<Person>> {
    let homes = |reached: bool| {
        let administers = reach::may(scope, Right::ChangePeople, unit::Column::Building);
        let condition = Condition::all()
            .add(unit::Column::Tenant.eq(scope.tenant.0))
            .add(unit::Column::Id.in_subquery(people::units_of(scope, id)))
            .add(if reached { administers } else { administers.not() });
        reach::exists(unit::Entity, condition)
    };
    // another program does not touch who has a role: by their address or their link it would become them
    let everywhere = reach::may_everywhere(scope, Right::ChangePeople);
    let everywhere = match scope.token() {
        Some(_) => everywhere.and(has_role(scope, id).not()),
        None => everywhere,
    };
    let only_mine = homes(true).and(homes(false).not()).and(has_role(scope, id).not());
    person::Entity::find_by_id((scope.tenant.0, id.0))
        .filter(everywhere.or(only_mine))
        .one(db)
        .await?
        .as_ref()
        .map(convert::person)
        .transpose()
}

/// Those of these people whom the principal may not change, by the rule of [`changeable`]: for lists, where to ask for
/// each would be a question a row.
pub(super) async fn not_changeable(
    db: &impl ConnectionTrait,
    scope: &Scope,
    people: HashSet<Uuid>,
) -> Result<HashSet<Uuid>> {
    if scope.token().is_none() && reach::holds(db, reach::may_everywhere(scope, Right::ChangePeople)).await? {
        return Ok(HashSet::new());
    }
    let mut fixed: HashSet<Uuid> = role_grant::Entity::find()
        .select_only()
        .column(role_grant::Column::Person)
        .filter(role_grant::Column::Tenant.eq(scope.tenant.0))
        .filter(reach::in_force(scope))
        .into_tuple::<Uuid>()
        .all(db)
        .await?
        .into_iter()
        .collect();
    let not_mine = Query::select()
        .column(unit::Column::Id)
        .from(unit::Entity)
        .and_where(unit::Column::Tenant.eq(scope.tenant.0))
        .and_where(reach::may(scope, Right::ChangePeople, unit::Column::Building).not())
        .take();
    let elsewhere = membership::Entity::find()
        .select_only()
        .column(membership::Column::Person)
        .filter(membership::Column::Tenant.eq(scope.tenant.0))
        .filter(membership::Column::Unit.in_subquery(not_mine));
    fixed.extend(elsewhere.into_tuple::<Uuid>().all(db).await?);
    fixed.retain(|person| people.contains(person));
    Ok(fixed)
}

/// Whether a person has a role that has not ended at the scope's moment.
pub(super) fn has_role(scope: &Scope, person: PersonId) -> Expr {
    let held = Condition::all()
        .add(role_grant::Column::Tenant.eq(scope.tenant.0))
        .add(role_grant::Column::Person.eq(person.0))
        .add(reach::in_force(scope));
    reach::exists(role_grant::Entity, held)
}

/// Makes a person a member of a unit that the caller has checked.
pub(super) async fn place(tx: &Tx, scope: &Scope, person: PersonId, unit: UnitId, owner: bool) -> Result<()> {
    let row = membership::ActiveModel {
        tenant: Set(scope.tenant.0),
        unit: Set(unit.0),
        person: Set(person.0),
        owner: Set(owner),
    };
    membership::Entity::insert(row).exec_without_returning(&**tx).await?;
    Ok(())
}

/// Suspends a person, or ends that. `false` when there is nobody.
pub(super) async fn set_active(
    db: &impl ConnectionTrait,
    scope: &Scope,
    person: PersonId,
    active: bool,
) -> Result<bool> {
    let changed = person::Entity::update_many()
        .col_expr(person::Column::Active, Expr::val(active))
        .col_expr(person::Column::Version, Expr::col(person::Column::Version).add(1))
        .filter(person::Column::Tenant.eq(scope.tenant.0))
        .filter(person::Column::Id.eq(person.0))
        .exec(db)
        .await?;
    Ok(changed.rows_affected > 0)
}

/// Signs every device of a person out; which they were, so that their connections can be closed.
pub(super) async fn sign_everything_out(
    db: &impl ConnectionTrait,
    scope: &Scope,
    person: PersonId,
) -> Result<Vec<klinke_model::ids::DeviceId>> {
    let devices = device::Entity::find()
        .filter(device::Column::Tenant.eq(scope.tenant.0))
        .filter(device::Column::Person.eq(person.0))
        .all(db)
        .await?;
    device::Entity::delete_many()
        .filter(device::Column::Tenant.eq(scope.tenant.0))
        .filter(device::Column::Person.eq(person.0))
        .exec(db)
        .await?;
    Ok(devices.into_iter().map(|device| device.id.into()).collect())
}

/// The building of a unit.
pub(super) async fn building_of(
    db: &impl ConnectionTrait,
    scope: &Scope,
    unit: UnitId,
) -> Result<Option<BuildingId>> {
    let found = unit::Entity::find_by_id((scope.tenant.0, unit.0)).one(db).await?;
    Ok(found.map(|unit| unit.building.into()))
}

/// The building that an entry about a person is told in: where they live, when that is one place.
pub(super) async fn home_building(
    db: &impl ConnectionTrait,
    scope: &Scope,
    person: PersonId,
) -> Result<Option<BuildingId>> {
    let rows = unit::Entity::find()
        .filter(unit::Column::Tenant.eq(scope.tenant.0))
        .filter(unit::Column::Id.in_subquery(people::units_of(scope, person)))
        .all(db)
        .await?;
    let mut buildings: Vec<_> = rows.into_iter().map(|row| row.building).collect();
    buildings.sort();
    buildings.dedup();
    Ok(match buildings.as_slice() {
        [one] => Some((*one).into()),
        _ => None,
    })
}
