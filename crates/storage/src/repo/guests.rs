//! Guests, as whoever lets them in reads them: a resident their own, administrators those of the administration. Residents'
//! guests are nobody else's matter.
//!
//! A guest of a resident has a door only as long as the resident has it: by a home, or by a rule at whatever hours. So all
//! that is read here of a guest says which of their doors that is so of at this moment.

use crate::entity::{building, door, guest, guest_door, membership, person};
use crate::record::{Guest, GuestDoor, GuestsOf, GuestsPage};
use crate::repo::convert::{self, At};
use crate::repo::doors::doors_reached;
use crate::repo::{reach, rule_reach, schedules};
use crate::tx;
use crate::{Result, Store};
use klinke_model::ids::{BuildingId, GuestId, PersonId, UnitId};
use klinke_model::privacy::Pii;
use klinke_model::rights::Right;
use klinke_model::scope::Scope;
use klinke_model::time::Timestamp;
use sea_orm::sea_query::{Expr, ExprTrait, UnionType};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use std::collections::{BTreeSet, HashMap, HashSet};
use uuid::Uuid;

/// Guests: for whoever let them in, and for the service, which opens the door.
///
/// Every function fails only when the database can not do its work; what is not there, or not the principal's, is
/// `None`, `false` or empty.
#[derive(Debug)]
pub struct Guests<'a>(pub(crate) &'a Store);

impl Guests<'_> {
    /// The guests of the person who asks: those who stay longest first.
    pub async fn my_guests(&self, scope: &Scope) -> Result<Vec<Guest>> {
        let of_asker = whose(scope, GuestsOf::Oneself);
        tx::read(self.0, |tx| async move {
            let rows = guest::Entity::find()
                .filter(guest::Column::Tenant.eq(scope.tenant.0))
                .filter(of_asker)
                .order_by_desc(guest::Column::EndsAt)
                .order_by_asc(guest::Column::Id)
                .all(&*tx)
                .await?;
            load(&*tx, scope, rows).await
        })
        .await
    }

    /// The administration's guests of a building: those who stay longest first, `limit` at most, `after` the last of the
    /// page before.
    pub async fn guests(
        &self,
        scope: &Scope,
        building: BuildingId,
        after: Option<(Timestamp, GuestId)>,
        limit: u64,
    ) -> Result<GuestsPage> {
        let of_house = whose(scope, GuestsOf::House);
        let after = after.map(|(ends_at, id)| {
            let (ends_at, same) = (ends_at.as_millis(), guest::Column::EndsAt.eq(ends_at.as_millis()));
            guest::Column::EndsAt.lt(ends_at).or(same.and(guest::Column::Id.gt(id.0)))
        });
        tx::read(self.0, |tx| async move {
            let mut rows = guest::Entity::find()
                .filter(guest::Column::Tenant.eq(scope.tenant.0))
                .filter(guest::Column::Building.eq(building.0))
                .filter(of_house)
                .filter(after.unwrap_or_else(|| Expr::val(true)))
                .order_by_desc(guest::Column::EndsAt)
                .order_by_asc(guest::Column::Id)
                .limit(limit.saturating_add(1))
                .all(&*tx)
                .await?;
            let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
            let more = rows.len() > wanted;
            rows.truncate(wanted);
            Ok(GuestsPage { guests: load(&*tx, scope, rows).await?, more })
        })
        .await
    }

    /// One guest of the person who asks, or of the administration.
    pub async fn guest(&self, scope: &Scope, of: GuestsOf, id: GuestId) -> Result<Option<Guest>> {
        tx::read(self.0, |tx| async move { one(&*tx, scope, of, id).await }).await
    }
}

/// Whether a guest is of these, and the principal's.
pub(super) fn whose(scope: &Scope, of: GuestsOf) -> Expr {
    match (of, scope.person()) {
        (GuestsOf::Oneself, Some(person)) => guest::Column::Host.eq(person.0),
        (GuestsOf::Oneself, None) => Expr::val(false),
        (GuestsOf::House, _) => {
            guest::Column::Host.is_null().and(reach::may(scope, Right::ChangePeople, guest::Column::Building))
        }
    }
}

/// One guest of these.
pub(super) async fn one(
    db: &impl ConnectionTrait,
    scope: &Scope,
    of: GuestsOf,
    id: GuestId,
) -> Result<Option<Guest>> {
    let row = guest::Entity::find_by_id((scope.tenant.0, id.0)).filter(whose(scope, of)).one(db).await?;
    Ok(load(db, scope, row.into_iter().collect()).await?.pop())
}

/// The guest whom the service asks for.
pub(super) async fn any(db: &impl ConnectionTrait, scope: &Scope, id: GuestId) -> Result<Option<Guest>> {
    let row = guest::Entity::find_by_id((scope.tenant.0, id.0)).one(db).await?;
    Ok(load(db, scope, row.into_iter().collect()).await?.pop())
}

/// The guests of a building in the order of their ids, without those who may come once and are just coming or may have.
pub(super) async fn coming(db: &impl ConnectionTrait, scope: &Scope, building: Uuid) -> Result<Vec<Guest>> {
    let rows = guest::Entity::find()
        .filter(guest::Column::Tenant.eq(scope.tenant.0))
        .filter(guest::Column::Building.eq(building))
        .filter(guest::Column::Taken.eq(false))
        .order_by_asc(guest::Column::Id)
        .all(db)
        .await?;
    load(db, scope, rows).await
}

/// What lets somebody have guests.
pub(super) struct Host {
    active: bool,
    units: HashSet<UnitId>,
    /// The doors that they have by a home or a rule, at some hours.
    pub doors: HashSet<Uuid>,
}

pub(super) async fn host(db: &impl ConnectionTrait, scope: &Scope, person: PersonId) -> Result<Host> {
    let row = person::Entity::find_by_id((scope.tenant.0, person.0)).one(db).await?;
    let places = membership::Entity::find()
        .filter(membership::Column::Tenant.eq(scope.tenant.0))
        .filter(membership::Column::Person.eq(person.0))
        .all(db)
        .await?;
    let reached = doors_reached(scope, person)
        .union(UnionType::Distinct, rule_reach::doors_opened(scope, person))
        .take();
    let doors = door::Entity::find()
        .filter(door::Column::Tenant.eq(scope.tenant.0))
        .filter(door::Column::Id.in_subquery(reached))
        .all(db)
        .await?;
    Ok(Host {
        active: row.is_some_and(|row| row.active),
        units: places.into_iter().map(|place| place.unit.into()).collect(),
        doors: doors.into_iter().map(|door| door.id).collect(),
    })
}

/// Rows with all that belongs to them, in their order.
async fn load(db: &impl ConnectionTrait, scope: &Scope, rows: Vec<guest::Model>) -> Result<Vec<Guest>> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let buildings: BTreeSet<Uuid> = rows.iter().map(|row| row.building).collect();
    let buildings: HashMap<Uuid, building::Model> = building::Entity::find()
        .filter(building::Column::Tenant.eq(scope.tenant.0))
        .filter(building::Column::Id.is_in(buildings))
        .all(db)
        .await?
        .into_iter()
        .map(|row| (row.id, row))
        .collect();
    let named = guest_door::Entity::find()
        .filter(guest_door::Column::Tenant.eq(scope.tenant.0))
        .filter(guest_door::Column::Guest.is_in(ids))
        .all(db)
        .await?;
    let theirs: BTreeSet<Uuid> = named.iter().map(|row| row.door).collect();
    let doors = door::Entity::find()
        .filter(
            Condition::all().add(door::Column::Tenant.eq(scope.tenant.0)).add(door::Column::Id.is_in(theirs)),
        )
        .all(db)
        .await?;
    let doors = convert::sorted(&doors, convert::door, |door| (door.name.clone(), door.id))?;
    let mut of_guest: HashMap<Uuid, HashSet<Uuid>> = HashMap::new();
    for row in named {
        of_guest.entry(row.guest).or_default().insert(row.door);
    }
    let mut hosts: HashMap<Uuid, Host> = HashMap::new();
    let mut all = Vec::with_capacity(rows.len());
    for row in rows {
        if let Some(person) = row.host
            && !hosts.contains_key(&person)
        {
            hosts.insert(person, host(db, scope, person.into()).await?);
        }
        let host = row.host.and_then(|person| hosts.get(&person));
        let building = buildings.get(&row.building).ok_or_else(|| At("guest", "building").corrupt())?;
        let theirs = of_guest.remove(&row.id).unwrap_or_default();
        let of_them = doors.iter().filter(|door| theirs.contains(&door.id.0));
        let held = |door: Uuid| host.is_none_or(|host| host.doors.contains(&door));
        all.push(Guest {
            tenant: scope.tenant,
            id: row.id.into(),
            building: row.building.into(),
            building_name: At("building", "name").label(&building.name)?,
            address: At("building", "address").label(&building.address)?,
            time_zone: building.time_zone.clone(),
            holidays: At("building", "holidays").choice(&building.holidays)?,
            site_mode: At("building", "mode").choice(&building.mode)?,
            host: row.host.map(Into::into),
            host_stands: host.is_none_or(|host| {
                host.active && row.unit.is_some_and(|unit| host.units.contains(&unit.into()))
            }),
            unit: row.unit.map(Into::into),
            name: Pii::new(At("guest", "name").label(&row.name)?),
            doors: of_them.map(|door| GuestDoor { door: door.clone(), held: held(door.id.0) }).collect(),
            starts_at: Timestamp::from_millis(row.starts_at),
            ends_at: Timestamp::from_millis(row.ends_at),
            hours: row.hours.as_deref().map(schedules::read).transpose()?,
            once: row.once,
            taken: row.taken,
            link_number: At("guest", "link_number").number(row.link_number)?,
            code_number: At("guest", "code_number").number(row.code_number)?,
            version: At("guest", "version").number(row.version)?,
        });
    }
    Ok(all)
}
