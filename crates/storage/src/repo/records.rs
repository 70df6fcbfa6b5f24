//! Records of use: kept for who keeps them in a commercial building, read by its administrators and, each their own, by its people.
//!
//! [`Records::keep_record`] and the news of a controller are the only ways in; both go through [`keep`], which takes nothing but an
//! `AccessRecord<Commercial>`. Nobody reads others' records without a row that says so, in the transaction that reads.

use crate::entity::{access_record, building, door, guest, person, record_policy};
use crate::record::{
    KeptOfMe, NewReading, RecordAfter, RecordOf, RecordsPage, RecordsQuery, Stamp, UseRecord,
};
use crate::repo::convert::At;
use crate::repo::record_policy::{Keeping, keeping};
use crate::repo::{doors, reach, record_readings};
use crate::tx::{self, Isolation, Tx};
use crate::{Result, Store};
use klinke_model::ids::{BuildingId, DoorId, PersonId, RecordId, RecordReadingId};
use klinke_model::news::UseOutcome;
use klinke_model::privacy::{AccessRecord, Commercial, Pii, Site, UsedBy};
use klinke_model::purpose::Purpose;
use klinke_model::reason::Reason;
use klinke_model::rights::Right;
use klinke_model::scope::{Principal, Scope};
use klinke_model::text::Label;
use klinke_model::time::Timestamp;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, Query};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

/// A day in milliseconds.
pub(super) const DAY_MS: i64 = 86_400_000;

/// Records of use.
///
/// Every function fails only when the database can not do its work; what is not there, or not the principal's, is `None`, `false`
/// or empty.
#[derive(Debug)]
pub struct Records<'a>(pub(crate) &'a Store);

impl Records<'_> {
    /// The site of a door where uses are kept at the scope's moment. For the service.
    pub async fn site_that_keeps(&self, scope: &Scope, door: DoorId) -> Result<Option<Site<Commercial>>> {
        if scope.principal != Principal::System {
            return Ok(None);
        }
        tx::read(self.0, |tx| async move {
            let found = door::Entity::find_by_id((scope.tenant.0, door.0)).one(&*tx).await?;
            let Some(door) = found else { return Ok(None) };
            let keeping = keeping_in(&*tx, scope, door.building.into(), scope.at).await?;
            Ok(keeping.map(|keeping| keeping.site))
        })
        .await
    }

    /// Keeps a record, when uses of its door are still kept and it is not from before. For the service; the same id is kept once.
    pub async fn keep_record(
        &self,
        scope: &Scope,
        stamp: &Stamp,
        id: RecordId,
        record: AccessRecord<Commercial>,
    ) -> Result<bool> {
        if scope.principal != Principal::System {
            return Ok(false);
        }
        let record = &record;
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            let Some(keeping) = keeping_in(&*tx, scope, record.building, stamp.at).await? else {
                return Ok(false);
            };
            keep(&tx, scope, stamp.at, &keeping, id, record).await
        })
        .await
    }

    /// Begins to read records of a building, the newest first, and notes that somebody does. For people who may; `None` for others.
    pub async fn read_records(
        &self,
        scope: &Scope,
        stamp: &Stamp,
        building: BuildingId,
        query: RecordsQuery,
        reading: NewReading,
        limit: u16,
    ) -> Result<Option<RecordsPage>> {
        let (Some(reader), reading) = (scope.person(), &reading) else { return Ok(None) };
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            if !reach::building(&*tx, scope, Right::ReadRecords, building).await? {
                return Ok(None);
            }
            // where nothing is kept there is nothing to read, and nothing to note
            if let Some(change) =
                record_readings::note(&tx, scope, stamp, building, &query, reading, reader).await?
            {
                super::audit::append(&tx, scope, stamp, change).await?;
            }
            page(&*tx, scope, stamp.at, of_building(scope, building, &query), None, limit).await.map(Some)
        })
        .await
    }

    /// Goes on reading, with the same query as the reading that was noted. `None` when there is no such reading of theirs.
    pub async fn read_on(
        &self,
        scope: &Scope,
        building: BuildingId,
        query: RecordsQuery,
        reading: RecordReadingId,
        after: RecordAfter<RecordId>,
        limit: u16,
    ) -> Result<Option<RecordsPage>> {
        let Some(reader) = scope.person() else { return Ok(None) };
        tx::read(self.0, |tx| async move {
            let may = reach::building(&*tx, scope, Right::ReadRecords, building).await?;
            if !may || !record_readings::is_noted(&*tx, scope, building, &query, reading, reader).await? {
                return Ok(None);
            }
            page(&*tx, scope, scope.at, of_building(scope, building, &query), Some(after), limit)
                .await
                .map(Some)
        })
        .await
    }

    /// The records of the person who asks, in every building, the newest first.
    pub async fn my_records(
        &self,
        scope: &Scope,
        after: Option<RecordAfter<RecordId>>,
        limit: u16,
    ) -> Result<RecordsPage> {
        let Some(who) = scope.person() else { return Ok(RecordsPage { records: Vec::new(), next: None }) };
        tx::read(self.0, |tx| async move {
            page(&*tx, scope, scope.at, access_record::Column::Person.eq(who.0).into(), after, limit).await
        })
        .await
    }

    /// What is kept of the person who asks: the buildings with a door of theirs, or a record, that keep records, by name.
    pub async fn kept_of_me(&self, scope: &Scope) -> Result<Vec<KeptOfMe>> {
        let Some(who) = scope.person() else { return Ok(Vec::new()) };
        tx::read(self.0, |tx| async move {
            let mine = buildings_of(&*tx, scope, who).await?;
            let rows = building::Entity::find()
                .filter(building::Column::Tenant.eq(scope.tenant.0))
                .filter(building::Column::Id.is_in(mine))
                .filter(building::Column::Id.in_subquery(with_policy(scope)))
                .order_by_asc(building::Column::Name)
                .order_by_asc(building::Column::Id)
                .all(&*tx)
                .await?;
            let mut kept = Vec::with_capacity(rows.len());
            for row in rows {
                let Some(Keeping { days, began, .. }) = keeping(&*tx, scope, &row, scope.at).await? else {
                    continue;
                };
                let Some(policy) = super::record_policy::stored(&*tx, scope, row.id.into()).await? else {
                    continue;
                };
                kept.push(KeptOfMe {
                    building: At("building", "name").label(&row.name)?,
                    purpose: Purpose::new(&policy.purpose)
                        .map_err(|_| At("record_policy", "purpose").corrupt())?,
                    days,
                    since: began,
                });
            }
            Ok(kept)
        })
        .await
    }
}

fn with_policy(scope: &Scope) -> sea_orm::sea_query::SelectStatement {
    Query::select()
        .column(record_policy::Column::Building)
        .from(record_policy::Entity)
        .and_where(record_policy::Column::Tenant.eq(scope.tenant.0))
        .take()
}

/// The buildings that have a door which somebody reaches, or a record of theirs.
pub(super) async fn buildings_of(
    db: &impl ConnectionTrait,
    scope: &Scope,
    who: PersonId,
) -> Result<HashSet<Uuid>> {
    let reached = doors::openable(db, scope, who, Expr::val(true)).await?;
    let recorded: Vec<Uuid> = access_record::Entity::find()
        .select_only()
        .column(access_record::Column::Building)
        .distinct()
        .filter(access_record::Column::Tenant.eq(scope.tenant.0))
        .filter(access_record::Column::Person.eq(who.0))
        .into_tuple()
        .all(db)
        .await?;
    Ok(reached.into_iter().map(|(door, _)| door.building).chain(recorded).collect())
}

/// What a building keeps at a moment.
pub(super) async fn keeping_in(
    db: &impl ConnectionTrait,
    scope: &Scope,
    id: BuildingId,
    now: Timestamp,
) -> Result<Option<Keeping>> {
    let found = building::Entity::find_by_id((scope.tenant.0, id.0)).one(db).await?;
    match found {
        Some(row) => keeping(db, scope, &row, now).await,
        None => Ok(None),
    }
}

/// Keeps a record. `false` when it is kept already, is from before the policy began, is too old, or is of somebody or a door that
/// is gone.
pub(super) async fn keep(
    tx: &Tx,
    scope: &Scope,
    now: Timestamp,
    keeping: &Keeping,
    id: RecordId,
    record: &AccessRecord<Commercial>,
) -> Result<bool> {
    let at = record.at.min(now).as_millis();
    let forget_at = at.saturating_add(i64::from(keeping.days) * DAY_MS);
    if record.building != keeping.site.building()
        || at < keeping.began.as_millis()
        || forget_at <= now.as_millis()
    {
        return Ok(false);
    }
    let (person, guest) = match record.by.reveal() {
        UsedBy::Person(person) => (Some(person.0), None),
        UsedBy::Guest(guest) => (None, Some(guest.0)),
    };
    if let Some(person) = person
        && person::Entity::find_by_id((scope.tenant.0, person)).one(&**tx).await?.is_none()
    {
        return Ok(false);
    }
    let driven = door::Entity::find_by_id((scope.tenant.0, record.door.0)).one(&**tx).await?;
    let is_there = driven.is_some_and(|door| door.building == record.building.0);
    let known = access_record::Entity::find_by_id((scope.tenant.0, id.0)).one(&**tx).await?.is_some();
    if !is_there || known {
        return Ok(false);
    }
    let (outcome, reason) = match record.outcome {
        UseOutcome::Opened => ("opened", None),
        UseOutcome::Failed => ("failed", None),
        UseOutcome::Refused(reason) => ("refused", Some(word(reason)?)),
    };
    let row = access_record::ActiveModel {
        tenant: Set(scope.tenant.0),
        id: Set(id.0),
        building: Set(record.building.0),
        policy_began: Set(keeping.began.as_millis()),
        door: Set(record.door.0),
        person: Set(person),
        guest: Set(guest),
        at: Set(at),
        about: Set(record.about),
        outcome: Set(outcome.to_owned()),
        reason: Set(reason),
        forget_at: Set(forget_at),
    };
    access_record::Entity::insert(row).exec_without_returning(&**tx).await?;
    Ok(true)
}

/// The word of a reason, as the API says it.
fn word(reason: Reason) -> Result<String> {
    match serde_json::to_value(reason) {
        Ok(serde_json::Value::String(word)) => Ok(word),
        _ => Err(At("access_record", "reason").corrupt()),
    }
}

fn outcome(row: &access_record::Model) -> Result<UseOutcome> {
    match (row.outcome.as_str(), &row.reason) {
        ("opened", None) => Ok(UseOutcome::Opened),
        ("failed", None) => Ok(UseOutcome::Failed),
        ("refused", Some(word)) => {
            let reason = serde_json::from_value(word.as_str().into());
            reason.map(UseOutcome::Refused).map_err(|_| At("access_record", "reason").corrupt())
        }
        _ => Err(At("access_record", "outcome").corrupt()),
    }
}

fn of_building(scope: &Scope, building: BuildingId, query: &RecordsQuery) -> Condition {
    let RecordsQuery { door, person, from, until } = query;
    let mut which = Condition::all()
        .add(access_record::Column::Tenant.eq(scope.tenant.0))
        .add(access_record::Column::Building.eq(building.0));
    if let Some(door) = door {
        which = which.add(access_record::Column::Door.eq(door.0));
    }
    if let Some(person) = person {
        which = which.add(access_record::Column::Person.eq(person.0));
    }
    if let Some(from) = from {
        which = which.add(access_record::Column::At.gte(from.as_millis()));
    }
    if let Some(until) = until {
        which = which.add(access_record::Column::At.lt(until.as_millis()));
    }
    which
}

/// A page of these records, as far as they are anybody's to read at this moment.
async fn page(
    db: &impl ConnectionTrait,
    scope: &Scope,
    now: Timestamp,
    which: Condition,
    after: Option<RecordAfter<RecordId>>,
    limit: u16,
) -> Result<RecordsPage> {
    let mut select = access_record::Entity::find()
        .filter(access_record::Column::Tenant.eq(scope.tenant.0))
        .filter(access_record::Column::ForgetAt.gt(now.as_millis()))
        .filter(which);
    if let Some(RecordAfter { at, id }) = after {
        let same = Condition::all()
            .add(access_record::Column::At.eq(at.as_millis()))
            .add(access_record::Column::Id.lt(id.0));
        let earlier = Condition::any().add(access_record::Column::At.lt(at.as_millis())).add(same);
        select = select.filter(earlier);
    }
    let mut rows = select
        .order_by_desc(access_record::Column::At)
        .order_by_desc(access_record::Column::Id)
        .limit(u64::from(limit) + 1)
        .all(db)
        .await?;
    let goes_on = rows.len() > usize::from(limit);
    rows.truncate(limit.into());
    let place =
        |row: &access_record::Model| RecordAfter { at: Timestamp::from_millis(row.at), id: row.id.into() };
    let next = rows.last().filter(|_| goes_on).map(place);
    Ok(RecordsPage { records: whole(db, scope, rows).await?, next })
}

/// Rows with what to call what they name.
async fn whole(
    db: &impl ConnectionTrait,
    scope: &Scope,
    rows: Vec<access_record::Model>,
) -> Result<Vec<UseRecord>> {
    let names = names(db, scope, rows.iter().filter_map(|row| row.person)).await?;
    let doors = door_names(db, scope, rows.iter().map(|row| row.door)).await?;
    let ids: HashSet<Uuid> = rows.iter().filter_map(|row| row.guest).collect();
    let guests = guest::Entity::find()
        .filter(guest::Column::Tenant.eq(scope.tenant.0))
        .filter(guest::Column::Id.is_in(ids))
        .all(db)
        .await?;
    let guests: HashMap<Uuid, guest::Model> = guests.into_iter().map(|row| (row.id, row)).collect();
    let buildings = building_names(db, scope, rows.iter().map(|row| row.building)).await?;
    let mut whole = Vec::with_capacity(rows.len());
    for row in rows {
        let (Some(door), Some(building)) = (doors.get(&row.door), buildings.get(&row.building)) else {
            continue;
        };
        let of = match (row.person, row.guest.and_then(|id| guests.get(&id))) {
            (Some(person), _) => RecordOf::Person((person.into(), names.get(&person).cloned().flatten())),
            (None, Some(guest)) => {
                let name = match guest.host {
                    None => Some(Pii::new(At("guest", "name").label(&guest.name)?)),
                    Some(_) => None,
                };
                RecordOf::Guest(guest.id.into(), name)
            }
            (None, None) => RecordOf::Gone,
        };
        whole.push(UseRecord {
            id: row.id.into(),
            at: Timestamp::from_millis(row.at),
            about: row.about,
            building: building.clone(),
            door: (row.door.into(), door.clone()),
            of,
            outcome: outcome(&row)?,
        });
    }
    Ok(whole)
}

/// What people are called.
pub(super) async fn names(
    db: &impl ConnectionTrait,
    scope: &Scope,
    ids: impl Iterator<Item = Uuid>,
) -> Result<HashMap<Uuid, Option<Pii<Label>>>> {
    let ids: HashSet<Uuid> = ids.collect();
    let rows = person::Entity::find()
        .filter(person::Column::Tenant.eq(scope.tenant.0))
        .filter(person::Column::Id.is_in(ids))
        .all(db)
        .await?;
    rows.into_iter().map(|row| Ok((row.id, At("person", "name").name(&row.name)?))).collect()
}

macro_rules! names_of {
    ($($(#[$doc:meta])+ $name:ident $table:ident)+) => {$(
        $(#[$doc])+
        pub(super) async fn $name(
            db: &impl ConnectionTrait,
            scope: &Scope,
            ids: impl Iterator<Item = Uuid>,
        ) -> Result<HashMap<Uuid, Label>> {
            let ids: HashSet<Uuid> = ids.collect();
            let rows = $table::Entity::find()
                .filter($table::Column::Tenant.eq(scope.tenant.0))
                .filter($table::Column::Id.is_in(ids))
                .all(db)
                .await?;
            rows.into_iter().map(|row| Ok((row.id, At(stringify!($table), "name").label(&row.name)?))).collect()
        }
    )+};
}

names_of! {
    /// What doors are called.
    door_names door
    /// What buildings are called.
    building_names building
}
