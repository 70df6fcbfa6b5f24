//! Moving out and in: planned for the end of a day, undoable until then, carried out in one transaction.

use crate::entity::{
    account, bell, bell_member, building, device, household_move, invitation, membership, move_person,
    person, role_grant, unit,
};
use crate::error::absent_is_false;
use crate::record::{CarriedOut, Ended, Leaving, Move, MovePreview, Mover, NewMove, Stamp};
use crate::repo::audit::{self, Change};
use crate::repo::convert::At;
use crate::repo::news::{self, News};
use crate::repo::own_codes;
use crate::repo::people::{self, end_place, reaches_unit};
use crate::repo::people_change::{building_of, has_role, set_active, sign_everything_out};
use crate::repo::phone_numbers;
use crate::repo::reach;
use crate::tx::{self, Isolation, Tx};
use crate::{Result, StorageError, Store};
use klinke_model::events::EventKind;
use klinke_model::ids::{MoveId, PersonId, UnitId};
use klinke_model::rights::Right;
use klinke_model::scope::{Principal, Scope};
use klinke_model::time::Timestamp;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict, Query, SelectStatement};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// How a move stands, as the column has it.
pub(super) const SCHEDULED: &str = "scheduled";
pub(super) const DONE: &str = "done";
/// The direction of somebody who moves.
const OUT: &str = "out";
const IN: &str = "in";

/// Who moves out and in, and when: for who administers the building.
///
/// Every function fails only when the database can not do its work; what is not there, or not the principal's, is
/// `None`, `false` or empty.
#[derive(Debug)]
pub struct Moves<'a>(pub(crate) &'a Store);

impl Moves<'_> {
    /// What a move out of a unit would end.
    pub async fn preview_move(&self, scope: &Scope, unit: UnitId) -> Result<Option<MovePreview>> {
        tx::read(self.0, |tx| async move {
            let found = unit::Entity::find_by_id((scope.tenant.0, unit.0))
                .filter(reach::may(scope, Right::SeePeople, unit::Column::Building))
                .one(&*tx)
                .await?;
            let Some(home) = found else { return Ok(None) };
            let building = building::Entity::find_by_id((scope.tenant.0, home.building)).one(&*tx).await?;
            let Some(building) = building else { return Ok(None) };
            let members = membership::Entity::find()
                .filter(membership::Column::Tenant.eq(scope.tenant.0))
                .filter(membership::Column::Unit.eq(unit.0))
                .find_both_related(person::Entity)
                .all(&*tx)
                .await?;
            let mut people = Vec::with_capacity(members.len());
            for (member, person) in members {
                people.push(leaving(&tx, scope, &member, &person).await?);
            }
            people.sort_by(|a, b| {
                (!a.mover.owner, &a.mover.name, a.mover.person).cmp(&(
                    !b.mover.owner,
                    &b.mover.name,
                    b.mover.person,
                ))
            });
            let behind = bell_member::Entity::find()
                .filter(bell_member::Column::Tenant.eq(scope.tenant.0))
                .filter(bell_member::Column::Unit.eq(unit.0))
                .order_by_asc(bell_member::Column::Person)
                .all(&*tx)
                .await?;
            let mut bells: BTreeMap<_, Vec<PersonId>> = BTreeMap::new();
            for member in behind {
                bells.entry(member.bell).or_default().push(member.person.into());
            }
            Ok(Some(MovePreview {
                building: home.building.into(),
                time_zone: building.time_zone,
                number: At("unit", "number").label(&home.number)?,
                people,
                bells: bells.into_values().collect(),
            }))
        })
        .await
    }

    /// Plans a move. `false` when a unit is not there, or somebody who is to leave does not live in it.
    ///
    /// # Errors
    /// [`StorageError::Conflict`] when somebody leaves this unit by another move already.
    pub async fn plan_move(&self, scope: &Scope, stamp: &Stamp, new: NewMove) -> Result<bool> {
        let new = &new;
        let planned = tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            let found = unit::Entity::find_by_id((scope.tenant.0, new.unit.0))
                .filter(reach::may(scope, Right::ChangePeople, unit::Column::Building))
                .one(&*tx)
                .await?;
            let Some(home) = found else { return Ok(false) };
            if let Some(to) = new.to
                && (to == new.unit || !reaches_unit(&*tx, scope, Right::ChangePeople, to).await?)
            {
                return Ok(false);
            }
            let leaving: BTreeSet<_> = new.out.iter().copied().collect();
            let members = membership::Entity::find()
                .filter(membership::Column::Tenant.eq(scope.tenant.0))
                .filter(membership::Column::Unit.eq(new.unit.0))
                .filter(membership::Column::Person.is_in(leaving.iter().map(|person| person.0)))
                .all(&*tx)
                .await?;
            if members.len() != leaving.len() {
                return Ok(false);
            }
            for person in &leaving {
                if scheduled_for(&*tx, scope, new.unit, *person).await?.is_some() {
                    return Err(StorageError::Conflict);
                }
            }
            let row = household_move::ActiveModel {
                tenant: Set(scope.tenant.0),
                id: Set(new.id.0),
                building: Set(home.building),
                unit: Set(new.unit.0),
                last_day: Set(new.last_day),
                ends_at: Set(new.ends_at.as_millis()),
                state: Set(SCHEDULED.to_owned()),
                ended: Set(None),
                to_unit: Set(new.to.map(|to| to.0)),
            };
            household_move::Entity::insert(row).exec_without_returning(&*tx).await?;
            let mut movers: Vec<_> =
                members.iter().map(|member| (member.person.into(), OUT, member.owner)).collect();
            for (person, owner) in &new.into {
                people::insert(&*tx, scope.tenant, person).await?;
                movers.push((person.id, IN, *owner));
            }
            let rows =
                movers.iter().map(|(person, direction, owner): &(PersonId, _, _)| move_person::ActiveModel {
                    tenant: Set(scope.tenant.0),
                    moving: Set(new.id.0),
                    person: Set(person.0),
                    direction: Set((*direction).to_owned()),
                    owner: Set(*owner),
                });
            move_person::Entity::insert_many(rows).exec_without_returning(&*tx).await?;
            let change = Change {
                building: Some(home.building.into()),
                action: "move.planned",
                persons: movers.iter().map(|(person, ..)| *person).collect(),
                before: None,
                after: Some(
                    json!({ "move": new.id, "unit": new.unit, "to": new.to, "last_day": new.last_day }),
                ),
            };
            audit::append(&tx, scope, stamp, change).await?;
            let mut news = Vec::with_capacity(new.into.len());
            for (person, _) in &new.into {
                news.push(News::of_person(&tx, scope, EventKind::PersonCreated, person.id).await?);
            }
            news::tell(&tx, scope, stamp, &news).await?;
            Ok(true)
        });
        absent_is_false(planned.await)
    }

    /// One move.
    pub async fn one_move(&self, scope: &Scope, id: MoveId) -> Result<Option<Move>> {
        tx::read(self.0, |tx| async move {
            let row = household_move::Entity::find_by_id((scope.tenant.0, id.0))
                .filter(reach::may(scope, Right::SeePeople, household_move::Column::Building))
                .one(&*tx)
                .await?;
            Ok(whole(&tx, scope, row.into_iter().collect()).await?.into_iter().next())
        })
        .await
    }

    /// Takes a planned move back, and with it those who were added only to move in: who has a home, a sign-in, a role
    /// or another move by now stays. `false` when it is done, or not there.
    pub async fn cancel_move(&self, scope: &Scope, stamp: &Stamp, id: MoveId) -> Result<bool> {
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            let found = household_move::Entity::find_by_id((scope.tenant.0, id.0))
                .filter(household_move::Column::State.eq(SCHEDULED))
                .filter(reach::may(scope, Right::ChangePeople, household_move::Column::Building))
                .one(&*tx)
                .await?;
            let Some(found) = found else { return Ok(false) };
            let movers = movers(&tx, scope, [found.id]).await?;
            household_move::Entity::delete_by_id((scope.tenant.0, id.0)).exec(&*tx).await?;
            let added = movers.iter().filter(|(row, _)| row.direction == IN).map(|(row, _)| row.person);
            let removed = unattached(&tx, scope, added.collect()).await?;
            let mut news = Vec::with_capacity(removed.len());
            for person in &removed {
                news.push(News::of_person(&tx, scope, EventKind::PersonDeleted, *person).await?);
            }
            person::Entity::delete_many()
                .filter(person::Column::Tenant.eq(scope.tenant.0))
                .filter(person::Column::Id.is_in(removed.iter().map(|person| person.0)))
                .exec(&*tx)
                .await?;
            let change = Change {
                building: Some(found.building.into()),
                action: "move.cancelled",
                persons: movers.iter().map(|(row, _)| row.person.into()).collect(),
                before: Some(json!({
                    "move": id, "unit": found.unit, "last_day": found.last_day, "people_removed": removed.len(),
                })),
                after: None,
            };
            audit::append(&tx, scope, stamp, change).await?;
            news::tell(&tx, scope, stamp, &news).await?;
            Ok(true)
        })
        .await
    }

    /// Carries a move out that is due, all of it or nothing; `None` when it is not due, done already, or not there.
    /// For the service.
    pub async fn carry_out_move(
        &self,
        scope: &Scope,
        stamp: &Stamp,
        id: MoveId,
    ) -> Result<Option<CarriedOut>> {
        if scope.principal != Principal::System {
            return Ok(None);
        }
        // whose role has not ended by then keeps their sign-in
        let scope = &scope.at(stamp.at);
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            let found = household_move::Entity::find_by_id((scope.tenant.0, id.0))
                .filter(household_move::Column::State.eq(SCHEDULED))
                .filter(household_move::Column::EndsAt.lte(stamp.at.as_millis()))
                .one(&*tx)
                .await?;
            let Some(found) = found else { return Ok(None) };
            let unit = UnitId::from(found.unit);
            let movers = movers(&tx, scope, [found.id]).await?;
            let mut carried = CarriedOut { ended: Ended::default(), devices: Vec::new() };
            let (building, mut news) = (Some(found.building.into()), Vec::new());
            for (mover, _) in movers.iter().filter(|(mover, _)| mover.direction == OUT) {
                let person = mover.person.into();
                if let Some(to) = found.to_unit {
                    let to = to.into();
                    if move_on(&tx, scope, mover, unit, to, &mut carried).await? {
                        let there = building_of(&*tx, scope, to).await?;
                        news.push(News::of_place(EventKind::MembershipBegan, there, to, person));
                    }
                }
                let left = leave(&tx, scope, person, unit, &mut carried).await?;
                if left != Left::Before {
                    news.push(News::of_place(EventKind::MembershipEnded, building, unit, person));
                }
                if left == Left::ForGood {
                    news.push(News::of_place(EventKind::PersonSuspended, building, unit, person));
                }
            }
            for (mover, _) in movers.iter().filter(|(mover, _)| mover.direction == IN) {
                settle(&tx, scope, mover, unit).await?;
                carried.ended.moved_in += 1;
                news.push(News::of_place(EventKind::MembershipBegan, building, unit, mover.person.into()));
            }
            let ended = serde_json::to_string(&carried.ended)
                .map_err(|_| StorageError::Invalid("figures that can not be written"))?;
            household_move::Entity::update_many()
                .col_expr(household_move::Column::State, Expr::val(DONE))
                .col_expr(household_move::Column::Ended, Expr::val(ended))
                .filter(household_move::Column::Tenant.eq(scope.tenant.0))
                .filter(household_move::Column::Id.eq(id.0))
                .exec(&*tx)
                .await?;
            let change = Change {
                building: Some(found.building.into()),
                action: "move.done",
                persons: movers.iter().map(|(mover, _)| mover.person.into()).collect(),
                before: None,
                after: Some(json!({ "move": id, "unit": found.unit, "ended": carried.ended })),
            };
            audit::append(&tx, scope, stamp, change).await?;
            news::tell(&tx, scope, stamp, &news).await?;
            Ok(Some(carried))
        })
        .await
    }
}

/// How somebody left.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Left {
    /// By another way, since the move was planned.
    Before,
    /// This unit; there is something else that they are here for.
    ThisHome,
    /// Nothing is left that they are here for.
    ForGood,
}

/// A place in a unit for somebody who moves there; who has one keeps it as it is.
async fn settle(tx: &Tx, scope: &Scope, mover: &move_person::Model, unit: UnitId) -> Result<()> {
    let row = membership::ActiveModel {
        tenant: Set(scope.tenant.0),
        unit: Set(unit.0),
        person: Set(mover.person),
        owner: Set(mover.owner),
    };
    let once = OnConflict::new().do_nothing().to_owned();
    membership::Entity::insert(row).on_conflict(once).exec_without_returning(&**tx).await?;
    Ok(())
}

/// The new home of somebody who leaves, before they leave the old one: so they stay signed in. Who left by another way
/// since the plan was made gets none.
async fn move_on(
    tx: &Tx,
    scope: &Scope,
    mover: &move_person::Model,
    from: UnitId,
    to: UnitId,
    carried: &mut CarriedOut,
) -> Result<bool> {
    let lives = membership::Entity::find_by_id((scope.tenant.0, from.0, mover.person)).one(&**tx).await?;
    if lives.is_some() {
        settle(tx, scope, mover, to).await?;
        carried.ended.moved_on += 1;
        return Ok(true);
    }
    Ok(false)
}

/// Those of these people who live nowhere, have no role and no sign-in, and move nowhere.
async fn unattached(tx: &Tx, scope: &Scope, people: Vec<uuid::Uuid>) -> Result<Vec<PersonId>> {
    let tenant = scope.tenant.0;
    let of = |select: &mut SelectStatement| select.take();
    let lives = of(Query::select()
        .column(membership::Column::Person)
        .from(membership::Entity)
        .and_where(membership::Column::Tenant.eq(tenant)));
    let signs_in = of(Query::select()
        .column(account::Column::Person)
        .from(account::Entity)
        .and_where(account::Column::Tenant.eq(tenant)));
    let rings = of(Query::select()
        .column(device::Column::Person)
        .from(device::Entity)
        .and_where(device::Column::Tenant.eq(tenant)));
    let has_role = of(Query::select()
        .column(role_grant::Column::Person)
        .from(role_grant::Entity)
        .and_where(role_grant::Column::Tenant.eq(tenant)));
    let moves = of(Query::select()
        .column(move_person::Column::Person)
        .from(move_person::Entity)
        .and_where(move_person::Column::Tenant.eq(tenant)));
    let mut found = person::Entity::find()
        .filter(person::Column::Tenant.eq(tenant))
        .filter(person::Column::Id.is_in(people));
    for attached in [lives, signs_in, rings, has_role, moves] {
        found = found.filter(person::Column::Id.not_in_subquery(attached));
    }
    let rows = found.order_by_asc(person::Column::Id).all(&**tx).await?;
    Ok(rows.into_iter().map(|row| row.id.into()).collect())
}

/// One person leaves the unit: their place, their buttons, and all that let them in when nothing else does.
async fn leave(
    tx: &Tx,
    scope: &Scope,
    person: PersonId,
    unit: UnitId,
    carried: &mut CarriedOut,
) -> Result<Left> {
    let bells_before = bells_of(tx, scope, person, unit).await?;
    let codes_before = own_codes::count(&**tx, scope, person).await?;
    let numbers_before = phone_numbers::count(&**tx, scope, person).await?;
    if !end_place(&**tx, scope, person, unit).await? {
        return Ok(Left::Before);
    }
    carried.ended.people += 1;
    carried.ended.codes += codes_before.saturating_sub(own_codes::count(&**tx, scope, person).await?);
    carried.ended.numbers += numbers_before.saturating_sub(phone_numbers::count(&**tx, scope, person).await?);
    carried.ended.bells += bury_empty(tx, scope, &bells_before).await?;
    if stays_known(tx, scope, person).await? {
        return Ok(Left::ThisHome);
    }
    let devices = sign_everything_out(&**tx, scope, person).await?;
    carried.ended.signed_out += u32::from(!devices.is_empty());
    carried.devices.extend(devices);
    let accounts = account::Entity::delete_by_id((scope.tenant.0, person.0)).exec(&**tx).await?;
    carried.ended.accounts += u32::try_from(accounts.rows_affected).unwrap_or(u32::MAX);
    let invitations =
        invitation::Entity::delete_by_id((scope.tenant.0, person.0)).exec(&**tx).await?.rows_affected;
    carried.ended.invitations += u32::try_from(invitations).unwrap_or(u32::MAX);
    set_active(&**tx, scope, person, false).await?;
    Ok(Left::ForGood)
}

/// The buttons of a unit that ring a person.
async fn bells_of(tx: &Tx, scope: &Scope, person: PersonId, unit: UnitId) -> Result<Vec<uuid::Uuid>> {
    let rows = bell_member::Entity::find()
        .filter(bell_member::Column::Tenant.eq(scope.tenant.0))
        .filter(bell_member::Column::Unit.eq(unit.0))
        .filter(bell_member::Column::Person.eq(person.0))
        .all(&**tx)
        .await?;
    Ok(rows.into_iter().map(|row| row.bell).collect())
}

/// Removes those of these buttons that ring nobody any more, because their text names who left; how many of them are
/// gone, by this or before.
async fn bury_empty(tx: &Tx, scope: &Scope, bells: &[uuid::Uuid]) -> Result<u32> {
    let rung = Query::select()
        .column(bell_member::Column::Bell)
        .from(bell_member::Entity)
        .and_where(bell_member::Column::Tenant.eq(scope.tenant.0))
        .take();
    bell::Entity::delete_many()
        .filter(bell::Column::Tenant.eq(scope.tenant.0))
        .filter(bell::Column::Id.is_in(bells.iter().copied()))
        .filter(bell::Column::Id.not_in_subquery(rung))
        .exec(&**tx)
        .await?;
    let left = bell::Entity::find()
        .filter(bell::Column::Tenant.eq(scope.tenant.0))
        .filter(bell::Column::Id.is_in(bells.iter().copied()))
        .count(&**tx)
        .await?;
    Ok(u32::try_from(bells.len()).unwrap_or(u32::MAX).saturating_sub(u32::try_from(left).unwrap_or(u32::MAX)))
}

/// Whether somebody lives anywhere or has a role.
async fn stays_known(tx: &Tx, scope: &Scope, person: PersonId) -> Result<bool> {
    let lives = reach::exists(
        membership::Entity,
        Condition::all()
            .add(membership::Column::Tenant.eq(scope.tenant.0))
            .add(membership::Column::Person.eq(person.0)),
    );
    reach::holds(&**tx, lives.or(has_role(scope, person))).await
}

async fn leaving(
    tx: &Tx,
    scope: &Scope,
    member: &membership::Model,
    person: &person::Model,
) -> Result<Leaving> {
    let (id, unit) = (PersonId::from(person.id), UnitId::from(member.unit));
    let homes = membership::Entity::find()
        .filter(membership::Column::Tenant.eq(scope.tenant.0))
        .filter(membership::Column::Person.eq(person.id))
        .count(&**tx)
        .await?;
    let devices = device::Entity::find()
        .filter(device::Column::Tenant.eq(scope.tenant.0))
        .filter(device::Column::Person.eq(person.id))
        .count(&**tx)
        .await?;
    let account = account::Entity::find_by_id((scope.tenant.0, person.id)).one(&**tx).await?;
    let link = invitation::Entity::find_by_id((scope.tenant.0, person.id)).one(&**tx).await?;
    Ok(Leaving {
        mover: Mover { person: id, name: At("person", "name").name(&person.name)?, owner: member.owner },
        stays_known: homes > 1 || reach::holds(&**tx, has_role(scope, id)).await?,
        has_device: devices > 0,
        has_account: account.is_some(),
        invited: link.is_some_and(|link| !link.used),
        leaves_by: scheduled_for(&**tx, scope, unit, id).await?,
    })
}

/// The move that takes a person out of a unit.
async fn scheduled_for(
    db: &impl ConnectionTrait,
    scope: &Scope,
    unit: UnitId,
    person: PersonId,
) -> Result<Option<MoveId>> {
    let leaves = Query::select()
        .column(move_person::Column::Moving)
        .from(move_person::Entity)
        .and_where(move_person::Column::Tenant.eq(scope.tenant.0))
        .and_where(move_person::Column::Person.eq(person.0))
        .and_where(move_person::Column::Direction.eq(OUT))
        .take();
    let found = household_move::Entity::find()
        .filter(household_move::Column::Tenant.eq(scope.tenant.0))
        .filter(household_move::Column::Unit.eq(unit.0))
        .filter(household_move::Column::State.eq(SCHEDULED))
        .filter(household_move::Column::Id.in_subquery(leaves))
        .one(db)
        .await?;
    Ok(found.map(|row| row.id.into()))
}

/// Who moves by these moves.
async fn movers(
    tx: &Tx,
    scope: &Scope,
    moves: impl IntoIterator<Item = uuid::Uuid>,
) -> Result<Vec<(move_person::Model, person::Model)>> {
    Ok(move_person::Entity::find()
        .filter(move_person::Column::Tenant.eq(scope.tenant.0))
        .filter(move_person::Column::Moving.is_in(moves))
        .order_by_asc(move_person::Column::Person)
        .find_both_related(person::Entity)
        .all(&**tx)
        .await?)
}

/// Moves with their people and the number of their unit.
pub(super) async fn whole(tx: &Tx, scope: &Scope, rows: Vec<household_move::Model>) -> Result<Vec<Move>> {
    let movers = movers(tx, scope, rows.iter().map(|row| row.id)).await?;
    let units = unit::Entity::find()
        .filter(unit::Column::Tenant.eq(scope.tenant.0))
        .filter(unit::Column::Id.is_in(rows.iter().flat_map(|row| [Some(row.unit), row.to_unit]).flatten()))
        .all(&**tx)
        .await?;
    let going = |id: uuid::Uuid, direction: &str| -> Result<Vec<Mover>> {
        let these = movers.iter().filter(|(row, _)| row.moving == id && row.direction == direction);
        let mover = |(row, person): &(move_person::Model, person::Model)| {
            let name = At("person", "name").name(&person.name)?;
            Ok(Mover { person: row.person.into(), name, owner: row.owner })
        };
        these.map(mover).collect()
    };
    rows.into_iter()
        .map(|row| {
            let corrupt = StorageError::Corrupt { table: "move", column: "ended" };
            let ended = row.ended.as_deref().map(serde_json::from_str).transpose().map_err(|_| corrupt)?;
            let number = |id| {
                let number = units.iter().find(|unit| unit.id == id).map_or("", |unit| &unit.number);
                At("unit", "number").label(number)
            };
            let to = row.to_unit.map(|to| number(to).map(|number| (to.into(), number))).transpose()?;
            Ok(Move {
                id: row.id.into(),
                building: row.building.into(),
                unit: row.unit.into(),
                number: number(row.unit)?,
                to,
                last_day: row.last_day,
                ends_at: Timestamp::from_millis(row.ends_at),
                ended,
                out: going(row.id, OUT)?,
                into: going(row.id, IN)?,
            })
        })
        .collect()
}
