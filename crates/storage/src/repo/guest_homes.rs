//! The homes for which a resident may have guests: how many more, for how long, at which doors.

use crate::Result;
use crate::entity::{building, door, guest, membership, person, unit};
use crate::record::GuestHome;
use crate::repo::convert::{self, At};
use crate::repo::guests::{Guests, host};
use crate::repo::policy;
use crate::tx;
use klinke_model::ids::{PersonId, UnitId};
use klinke_model::scope::Scope;
use klinke_model::time::Timestamp;
use sea_orm::sea_query::{Expr, Query};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter};

impl Guests<'_> {
    /// The homes of the person who asks, by building and number, with what each may have of guests at this moment. None
    /// while they are suspended.
    pub async fn guest_homes(&self, scope: &Scope) -> Result<Vec<GuestHome>> {
        let Some(person) = scope.person() else { return Ok(Vec::new()) };
        tx::read(self.0, |tx| async move { homes(&*tx, scope, person, Expr::val(true)).await }).await
    }
}

/// The homes of a person that meet a condition.
pub(super) async fn homes(
    db: &impl ConnectionTrait,
    scope: &Scope,
    person: PersonId,
    which: Expr,
) -> Result<Vec<GuestHome>> {
    let found = person::Entity::find_by_id((scope.tenant.0, person.0)).one(db).await?;
    if !found.is_some_and(|person| person.active) {
        return Ok(Vec::new());
    }
    let places = Query::select()
        .column(membership::Column::Unit)
        .from(membership::Entity)
        .and_where(membership::Column::Tenant.eq(scope.tenant.0))
        .and_where(membership::Column::Person.eq(person.0))
        .take();
    let units = unit::Entity::find()
        .filter(unit::Column::Tenant.eq(scope.tenant.0))
        .filter(unit::Column::Id.in_subquery(places))
        .filter(which)
        .all(db)
        .await?;
    let host = host(db, scope, person).await?;
    let mut all = Vec::with_capacity(units.len());
    for unit in units {
        let key = (scope.tenant.0, unit.building);
        let building = building::Entity::find_by_id(key).one(db).await?;
        let building = building.ok_or_else(|| At("unit", "building").corrupt())?;
        let (_, policy) = policy::current(db, scope, unit.building.into()).await?;
        let doors = door::Entity::find()
            .filter(door::Column::Tenant.eq(scope.tenant.0))
            .filter(door::Column::Building.eq(unit.building))
            .all(db)
            .await?;
        let mut doors = convert::sorted(&doors, convert::door, |door| (door.name.clone(), door.id))?;
        doors.retain(|door| host.doors.contains(&door.id.0));
        let there = count(db, scope, unit.id.into(), scope.at).await?;
        let home = GuestHome {
            unit: unit.id.into(),
            number: At("unit", "number").label(&unit.number)?,
            building: unit.building.into(),
            building_name: At("building", "name").label(&building.name)?,
            left: policy.guests.saturating_sub(u8::try_from(there).unwrap_or(u8::MAX)),
            at_once: policy.guests,
            longest_days: policy.guest_days,
            doors: doors.into_iter().map(|door| (door.id, door.name)).collect(),
        };
        all.push((home.building_name.clone(), unit.sort_number, home));
    }
    all.sort_by(|(name, number, home), (other, other_number, other_home)| {
        (name, number, home.unit).cmp(&(other, other_number, other_home.unit))
    });
    Ok(all.into_iter().map(|(_, _, home)| home).collect())
}

/// How many guests a home has who have not ended at a moment.
async fn count(db: &impl ConnectionTrait, scope: &Scope, unit: UnitId, at: Timestamp) -> Result<u64> {
    Ok(guest::Entity::find()
        .filter(guest::Column::Tenant.eq(scope.tenant.0))
        .filter(guest::Column::Unit.eq(unit.0))
        .filter(guest::Column::EndsAt.gt(at.as_millis()))
        .count(db)
        .await?)
}
