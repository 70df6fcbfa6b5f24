//! Doors, their controllers, and who reaches them.

use crate::entity::{access_rule, building, controller, door, membership, person, schedule, unit, unit_door};
use crate::error::absent_is_false;
use crate::record::{RightBy, Stamp, StoredFacts, StoredRight};
use crate::repo::audit::{self, Change};
use crate::repo::convert::{self, At, Word};
use crate::repo::openers::OPENS;
use crate::repo::{reach, rule_reach, schedules, station_relays};
use crate::tx::{self, Isolation, Tx};
use crate::{Result, StorageError, Store};
use klinke_access::zone::Zone;
use klinke_model::door::{Controller, Door};
use klinke_model::ids::{BuildingId, ControllerId, DoorId, PersonId};
use klinke_model::rights::Right;
use klinke_model::scope::{Principal, Scope};
use klinke_model::text::Label;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, ExprTrait, JoinType, Query, SelectStatement, UnionType};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QueryResult,
    QuerySelect, QueryTrait,
};
use serde_json::json;
use uuid::Uuid;

/// How many rows one statement inserts: a statement has a limited number of values.
const AT_ONCE: usize = 500;

/// Doors and controllers: for who administers the building; a controller sees its own doors.
///
/// Every function fails only when the database can not do its work; what is not there, or not the principal's, is
/// `None`, `false` or empty. An id that is taken is [`StorageError::Conflict`].
#[derive(Debug)]
pub struct Doors<'a>(pub(crate) &'a Store);

impl Doors<'_> {
    /// Doors of a building, by name.
    pub async fn doors(&self, scope: &Scope, building: BuildingId) -> Result<Vec<Door>> {
        let rows = door::Entity::find()
            .filter(door::Column::Tenant.eq(scope.tenant.0))
            .filter(door::Column::Building.eq(building.0))
            .filter(reach::may(scope, Right::SeeBuilding, door::Column::Building))
            .all(&self.0.reader)
            .await?;
        convert::sorted(&rows, convert::door, |door| (door.name.clone(), door.id))
    }

    /// One door.
    pub async fn door(&self, scope: &Scope, door: DoorId) -> Result<Option<Door>> {
        door::Entity::find_by_id((scope.tenant.0, door.0))
            .filter(reach::may(scope, Right::SeeBuilding, door::Column::Building))
            .one(&self.0.reader)
            .await?
            .as_ref()
            .map(convert::door)
            .transpose()
    }

    /// Adds a door; its controller, if it has one, must be in its building. For `everybody`: the people of all the units
    /// that the building has may open it.
    ///
    /// # Errors
    /// [`StorageError::Conflict`] when the output drives another door, [`StorageError::Invalid`] when a time is out
    /// of range.
    pub async fn insert_door(
        &self,
        scope: &Scope,
        stamp: &Stamp,
        door: Door,
        everybody: bool,
    ) -> Result<bool> {
        let door = &door;
        if !door.times.is_valid() {
            return Err(StorageError::Invalid("a time of the door is out of range"));
        }
        let added = tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            if !reach::building(&*tx, scope, Right::ChangeBuilding, door.building).await? {
                return Ok(false);
            }
            let row = door::ActiveModel {
                tenant: Set(scope.tenant.0),
                id: Set(door.id.0),
                building: Set(door.building.0),
                name: Set(door.name.as_str().to_owned()),
                controller: Set(door.controller.map(|controller| controller.0)),
                output: Set(door.output.into()),
                release_ms: Set(door.times.release_ms.into()),
                open_ms: Set(door.times.open_ms.into()),
                relock: Set(door.times.relock.word().to_owned()),
                version: Set(1),
                extended_release_ms: Set(door.times.extended_release_ms.into()),
                kind: Set(door.kind.word().to_owned()),
            };
            door::Entity::insert(row).exec_without_returning(&*tx).await?;
            touch(&*tx, scope, door.controller.map(|controller| controller.0)).await?;
            if everybody {
                let units = unit::Entity::find()
                    .filter(unit::Column::Tenant.eq(scope.tenant.0))
                    .filter(unit::Column::Building.eq(door.building.0))
                    .all(&*tx)
                    .await?;
                for some in units.chunks(AT_ONCE) {
                    let rows = some.iter().map(|unit| unit_door::ActiveModel {
                        tenant: Set(scope.tenant.0),
                        unit: Set(unit.id),
                        door: Set(door.id.0),
                    });
                    unit_door::Entity::insert_many(rows).exec_without_returning(&*tx).await?;
                }
            }
            let after = json!({ "name": door.name, "everybody": everybody, "kind": door.kind });
            audit::append(&tx, scope, stamp, Change::made(door.building, "door.made", after)).await?;
            Ok(true)
        });
        absent_is_false(added.await)
    }

    /// Controllers of a building, by name.
    pub async fn controllers(&self, scope: &Scope, building: BuildingId) -> Result<Vec<Controller>> {
        let rows = controller::Entity::find()
            .filter(controller::Column::Tenant.eq(scope.tenant.0))
            .filter(controller::Column::Building.eq(building.0))
            .filter(reach::may(scope, Right::SeeBuilding, controller::Column::Building))
            .all(&self.0.reader)
            .await?;
        convert::sorted(&rows, convert::controller, |controller| (controller.name.clone(), controller.id))
    }

    /// Adds a controller that an administrator gave its place, with the SHA-256 of its client certificate and the doors it
    /// drives, each with its output; all of it or nothing. `false` when the building or a door of it is not there.
    ///
    /// # Errors
    /// [`StorageError::Conflict`] when another controller has this certificate, or an output is named twice;
    /// [`StorageError::Driven`] when a door station opens one of the doors.
    pub async fn pair_controller(
        &self,
        scope: &Scope,
        stamp: &Stamp,
        controller: Controller,
        certificate_sha256: [u8; 32],
        drives: &[(DoorId, u16)],
    ) -> Result<bool> {
        let controller = &controller;
        let inserted = tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            if !insert_controller(&tx, scope, controller, certificate_sha256, drives).await? {
                return Ok(false);
            }
            let doors: Vec<_> =
                drives.iter().map(|(door, output)| json!({ "door": door, "output": output })).collect();
            let after = json!({ "controller": controller.id, "name": controller.name, "doors": doors });
            audit::append(&tx, scope, stamp, Change::made(controller.building, "controller.paired", after))
                .await?;
            Ok(true)
        });
        absent_is_false(inserted.await)
    }

    /// What a controller should drive: a revision that grows with every change, and its doors by output. For the
    /// controller itself, and who administers its building.
    pub async fn doors_of_controller(
        &self,
        scope: &Scope,
        controller: ControllerId,
    ) -> Result<Option<(u64, Vec<Door>)>> {
        let itself = scope.principal == Principal::Controller(controller);
        tx::read(self.0, |tx| async move {
            let found = controller::Entity::find_by_id((scope.tenant.0, controller.0))
                .filter(Expr::val(itself).or(reach::may(
                    scope,
                    Right::SeeBuilding,
                    controller::Column::Building,
                )))
                .one(&*tx)
                .await?;
            let Some(found) = found else { return Ok(None) };
            let doors = door::Entity::find()
                .filter(door::Column::Tenant.eq(scope.tenant.0))
                .filter(door::Column::Controller.eq(controller.0))
                .all(&*tx)
                .await?;
            let revision = At("controller", "revision").number(found.revision)?;
            Ok(Some((revision, convert::sorted(&doors, convert::door, |door| door.output)?)))
        })
        .await
    }

    /// The doors that a person reaches by living somewhere or by a rule, at some hours, each with the name of its building,
    /// by both names.
    /// Empty while they are suspended. For themselves and the service.
    pub async fn openable(&self, scope: &Scope, person: PersonId) -> Result<Vec<(Door, Label)>> {
        if !reach::is(scope, person) {
            return Ok(Vec::new());
        }
        let rows = openable(&self.0.reader, scope, person, Expr::val(true)).await?;
        convert::sorted(
            &rows,
            |(door, building)| Ok((convert::door(door)?, At("building", "name").label(&building.name)?)),
            |(door, building)| (building.clone(), door.name.clone(), door.id),
        )
    }

    /// What is stored about a person before a door, as of one moment. For themselves and the service.
    pub async fn facts(&self, scope: &Scope, person: PersonId, door: DoorId) -> Result<Option<StoredFacts>> {
        if !reach::is(scope, person) {
            return Ok(None);
        }
        // one statement: it sees one moment by itself, and everybody who waits at a door waits for it
        let rows = self.0.reader.query_all(&facts(scope, person, door)).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        if !row.try_get::<bool>("", "is_known")? {
            return Ok(None);
        }
        let time_zone: String = row.try_get("", "time_zone")?;
        let mut rights = Vec::new();
        if row.try_get::<bool>("", "reaches")? {
            rights.push(StoredRight { by: RightBy::Home, schedule: None, from: None, until: None });
        }
        let zone = Zone::named(&time_zone);
        for row in &rows {
            rights.extend(right_of_rule(row, zone.as_ref())?);
        }
        rights.sort_by(|a, b| a.by.cmp(&b.by));
        Ok(Some(StoredFacts {
            person_active: row.try_get("", "is_active")?,
            needs_longer: row.try_get("", "needs_longer")?,
            rights,
            administers_building: row.try_get("", "administers")?,
            site_mode: At("building", "mode").choice(&row.try_get::<String>("", "site_mode")?)?,
            holidays: At("building", "holidays").choice(&row.try_get::<String>("", "holidays")?)?,
            time_zone,
            door: convert::door(&door::Model::from_query_result(row, "")?)?,
        }))
    }
}

/// The door with what is known of it and of the person: once, or once for every rule that gives them the door.
pub(super) fn facts(scope: &Scope, person: PersonId, door: DoorId) -> SelectStatement {
    let they = Scope { principal: Principal::Person { person, device: Uuid::nil().into() }, ..*scope };
    let known =
        Condition::all().add(person::Column::Tenant.eq(scope.tenant.0)).add(person::Column::Id.eq(person.0));
    let rules = rule_reach::of_same_building()
        .add(access_rule::Column::Active.eq(true))
        .add(
            Expr::col((access_rule::Entity, access_rule::Column::Id))
                .in_subquery(rule_reach::rules_of(scope, person)),
        )
        .add(rule_reach::opens(Expr::col((door::Entity, door::Column::Id))));
    let hours = Condition::all()
        .add(
            Expr::col((schedule::Entity, schedule::Column::Tenant))
                .equals((access_rule::Entity, access_rule::Column::Tenant)),
        )
        .add(
            Expr::col((schedule::Entity, schedule::Column::Id))
                .equals((access_rule::Entity, access_rule::Column::Schedule)),
        );
    let of_rule = |column: access_rule::Column| Expr::col((access_rule::Entity, column));
    door::Entity::find_by_id((scope.tenant.0, door.0))
        .inner_join(building::Entity)
        .column_as(building::Column::Mode, "site_mode")
        .column_as(building::Column::TimeZone, "time_zone")
        .column_as(building::Column::Holidays, "holidays")
        .expr_as(reach::exists(person::Entity, known.clone()), "is_known")
        .expr_as(
            reach::exists(person::Entity, known.clone().add(person::Column::NeedsLonger.eq(true))),
            "needs_longer",
        )
        .expr_as(reach::exists(person::Entity, known.add(person::Column::Active.eq(true))), "is_active")
        .expr_as(door::Column::Id.in_subquery(doors_reached(scope, person)), "reaches")
        .expr_as(reach::may(&they, OPENS, door::Column::Building), "administers")
        .into_query()
        .join(JoinType::LeftJoin, access_rule::Entity, rules)
        .join(JoinType::LeftJoin, schedule::Entity, hours)
        .expr_as(of_rule(access_rule::Column::Id), "rule_id")
        .expr_as(of_rule(access_rule::Column::Name), "rule_name")
        .expr_as(of_rule(access_rule::Column::Schedule), "rule_schedule")
        .expr_as(of_rule(access_rule::Column::FirstDay), "first_day")
        .expr_as(of_rule(access_rule::Column::LastDay), "last_day")
        .expr_as(Expr::col((schedule::Entity, schedule::Column::Name)), "hours_name")
        .expr_as(Expr::col((schedule::Entity, schedule::Column::Hours)), "hours")
        .take()
}

/// The right that a rule gives. Days that no clock knows, in a zone that nobody knows, are none.
fn right_of_rule(row: &QueryResult, zone: Option<&Zone>) -> Result<Option<StoredRight>> {
    let Some(rule) = row.try_get::<Option<Uuid>>("", "rule_id")? else { return Ok(None) };
    let name = At("access_rule", "name").label(&row.try_get::<String>("", "rule_name")?)?;
    let schedule = match row.try_get::<Option<Uuid>>("", "rule_schedule")? {
        None => None,
        Some(_) => Some((
            At("schedule", "name").label(&row.try_get::<String>("", "hours_name")?)?,
            schedules::read(&row.try_get::<String>("", "hours")?)?,
        )),
    };
    let start_of = |day: Option<i64>| match day {
        None => Some(None),
        Some(day) => zone.and_then(|zone| zone.start_of(day)).map(Some),
    };
    let from = start_of(row.try_get("", "first_day")?);
    let until = start_of(row.try_get::<Option<i64>>("", "last_day")?.map(|day| day.saturating_add(1)));
    let (Some(from), Some(until)) = (from, until) else { return Ok(None) };
    Ok(Some(StoredRight { by: RightBy::Rule { rule: rule.into(), name }, schedule, from, until }))
}

/// The doors that a person reaches by living somewhere or by a rule, at some hours, with their buildings; none while they are
/// suspended. `there` says of
/// the door's building whether it counts.
pub(super) async fn openable(
    db: &impl ConnectionTrait,
    scope: &Scope,
    person: PersonId,
    there: Expr,
) -> Result<Vec<(door::Model, building::Model)>> {
    let active = reach::exists(
        person::Entity,
        Condition::all()
            .add(person::Column::Tenant.eq(scope.tenant.0))
            .add(person::Column::Id.eq(person.0))
            .add(person::Column::Active.eq(true)),
    );
    Ok(door::Entity::find()
        .filter(door::Column::Tenant.eq(scope.tenant.0))
        .filter(
            door::Column::Id.in_subquery(
                doors_reached(scope, person)
                    .union(UnionType::Distinct, rule_reach::doors_opened(scope, person))
                    .take(),
            ),
        )
        .filter(active)
        .filter(there)
        .find_both_related(building::Entity)
        .all(db)
        .await?)
}

/// A door that is there and in whose building the principal has a right.
async fn reached_door(
    db: &impl ConnectionTrait,
    scope: &Scope,
    right: Right,
    door: DoorId,
) -> Result<Option<door::Model>> {
    Ok(door::Entity::find_by_id((scope.tenant.0, door.0))
        .filter(reach::may(scope, right, door::Column::Building))
        .one(db)
        .await?)
}

/// Lets `controller` drive a door by one of its outputs.
pub(super) async fn put(
    db: &impl ConnectionTrait,
    scope: &Scope,
    door: door::Model,
    controller: ControllerId,
    output: u16,
) -> Result<()> {
    if door.controller == Some(controller.0) && door.output == i32::from(output) {
        return Ok(());
    }
    station_relays::none(db, scope, door.id.into(), StorageError::Driven).await?;
    door::Entity::update_many()
        .col_expr(door::Column::Controller, Expr::val(controller.0))
        .col_expr(door::Column::Output, Expr::val(i32::from(output)))
        .col_expr(door::Column::Version, Expr::col(door::Column::Version).add(1))
        .filter(door::Column::Tenant.eq(scope.tenant.0))
        .filter(door::Column::Id.eq(door.id))
        .exec(db)
        .await?;
    touch(db, scope, door.controller.into_iter().chain([controller.0])).await
}

/// Lets the revision of controllers grow.
pub(super) async fn touch(
    db: &impl ConnectionTrait,
    scope: &Scope,
    controllers: impl IntoIterator<Item = Uuid>,
) -> Result<()> {
    controller::Entity::update_many()
        .col_expr(controller::Column::Revision, Expr::col(controller::Column::Revision).add(1))
        .filter(controller::Column::Tenant.eq(scope.tenant.0))
        .filter(controller::Column::Id.is_in(controllers))
        .exec(db)
        .await?;
    Ok(())
}

/// Lets the revision of all controllers of a building grow.
pub(super) async fn touch_all_of(
    db: &impl ConnectionTrait,
    scope: &Scope,
    building: BuildingId,
) -> Result<()> {
    controller::Entity::update_many()
        .col_expr(controller::Column::Revision, Expr::col(controller::Column::Revision).add(1))
        .filter(controller::Column::Tenant.eq(scope.tenant.0))
        .filter(controller::Column::Building.eq(building.0))
        .exec(db)
        .await?;
    Ok(())
}

/// The doors in the door sets of the units that a person lives in.
pub(super) fn doors_reached(scope: &Scope, person: PersonId) -> SelectStatement {
    reaching(scope)
        .column((unit_door::Entity, unit_door::Column::Door))
        .and_where(membership::Column::Person.eq(person.0))
        .take()
}

/// Who reaches which door by living somewhere: the one place that says so. What of it is asked is added by the caller.
pub(super) fn reaching(scope: &Scope) -> SelectStatement {
    let same_unit = Condition::all()
        .add(
            Expr::col((unit_door::Entity, unit_door::Column::Tenant))
                .equals((membership::Entity, membership::Column::Tenant)),
        )
        .add(
            Expr::col((unit_door::Entity, unit_door::Column::Unit))
                .equals((membership::Entity, membership::Column::Unit)),
        );
    Query::select()
        .from(membership::Entity)
        .join(JoinType::InnerJoin, unit_door::Entity, same_unit)
        .and_where(membership::Column::Tenant.eq(scope.tenant.0))
        .take()
}

async fn insert_controller(
    tx: &Tx,
    scope: &Scope,
    controller: &Controller,
    certificate_sha256: [u8; 32],
    drives: &[(DoorId, u16)],
) -> Result<bool> {
    if !reach::building(&**tx, scope, Right::Devices, controller.building).await? {
        return Ok(false);
    }
    let mut doors = Vec::with_capacity(drives.len());
    for (door, output) in drives {
        let Some(door) = reached_door(&**tx, scope, Right::Devices, *door).await? else {
            return Ok(false);
        };
        doors.push((door, *output));
    }
    let row = controller::ActiveModel {
        tenant: Set(scope.tenant.0),
        id: Set(controller.id.0),
        building: Set(controller.building.0),
        name: Set(controller.name.as_str().to_owned()),
        certificate_sha256: Set(certificate_sha256.to_vec()),
        revision: Set(1),
        version: Set(1),
    };
    controller::Entity::insert(row).exec_without_returning(&**tx).await?;
    for (door, output) in doors {
        put(&**tx, scope, door, controller.id, output).await?;
    }
    Ok(true)
}
