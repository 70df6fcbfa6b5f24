//! Who read records of use, when and about whom: noted before anything is read, told to administrators and to the people.

use crate::Result;
use crate::entity::{record_reading, record_reading_by};
use crate::record::{NewReading, ReadingsPage, RecordAfter, RecordReading, RecordsQuery, Stamp};
use crate::repo::audit::Change;
use crate::repo::convert::At;
use crate::repo::reach;
use crate::repo::record_policy;
use crate::repo::records::{DAY_MS, Records, building_names, buildings_of, door_names, names};
use crate::tx::{self, Tx};
use klinke_model::ids::{BuildingId, PersonId, RecordReadingId};
use klinke_model::purpose::Purpose;
use klinke_model::rights::Right;
use klinke_model::scope::Scope;
use klinke_model::time::Timestamp;
use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde_json::json;
use std::collections::HashMap;
use uuid::Uuid;

impl Records<'_> {
    /// Who read records of a building, the newest first. For who may read them.
    pub async fn readings(
        &self,
        scope: &Scope,
        building: BuildingId,
        after: Option<RecordAfter<RecordReadingId>>,
        limit: u16,
    ) -> Result<ReadingsPage> {
        tx::read(self.0, |tx| async move {
            let which = Condition::all()
                .add(record_reading::Column::Building.eq(building.0))
                .add(reach::may(scope, Right::ReadRecords, record_reading::Column::Building));
            page(&*tx, scope, which, after, limit).await
        })
        .await
    }

    /// Who read records of the person who asks: those about them, and those about everybody in a building with a door or a record of
    /// theirs. The newest first.
    pub async fn my_readings(
        &self,
        scope: &Scope,
        after: Option<RecordAfter<RecordReadingId>>,
        limit: u16,
    ) -> Result<ReadingsPage> {
        let Some(who) = scope.person() else { return Ok(ReadingsPage { readings: Vec::new(), next: None }) };
        tx::read(self.0, |tx| async move {
            let mine = buildings_of(&*tx, scope, who).await?;
            let of_everybody = Condition::all()
                .add(record_reading::Column::Person.is_null())
                .add(record_reading::Column::Building.is_in(mine));
            let which = Condition::any().add(record_reading::Column::Person.eq(who.0)).add(of_everybody);
            page(&*tx, scope, which, after, limit).await
        })
        .await
    }
}

/// Notes that somebody reads; what the audit says of it. `None` where nothing is kept.
pub(super) async fn note(
    tx: &Tx,
    scope: &Scope,
    stamp: &Stamp,
    id: BuildingId,
    query: &RecordsQuery,
    reading: &NewReading,
    reader: PersonId,
) -> Result<Option<Change>> {
    let Some(policy) = record_policy::stored(&**tx, scope, id).await? else { return Ok(None) };
    let RecordsQuery { door, person, from, until } = query;
    // somebody who is nobody of ours has no records, and none are read
    let about = match person {
        Some(person) => names(&**tx, scope, std::iter::once(person.0)).await?.into_keys().next(),
        None => None,
    };
    if person.is_some() && about.is_none() {
        return Ok(None);
    }
    let purpose = reading.file.as_ref().map(|purpose| purpose.as_str().to_owned());
    let row = record_reading::ActiveModel {
        tenant: Set(scope.tenant.0),
        id: Set(reading.id.0),
        building: Set(id.0),
        at: Set(stamp.at.as_millis()),
        person: Set(about),
        door: Set(door.map(|door| door.0)),
        from_at: Set(from.map(Timestamp::as_millis)),
        until_at: Set(until.map(Timestamp::as_millis)),
        file: Set(reading.file.is_some()),
        purpose: Set(purpose.clone()),
        forget_at: Set(stamp.at.as_millis().saturating_add(i64::from(policy.days) * DAY_MS)),
    };
    record_reading::Entity::insert(row).exec_without_returning(&**tx).await?;
    let by = record_reading_by::ActiveModel {
        tenant: Set(scope.tenant.0),
        reading: Set(reading.id.0),
        person: Set(reader.0),
    };
    record_reading_by::Entity::insert(by).exec_without_returning(&**tx).await?;
    Ok(Some(Change {
        building: Some(id),
        action: "records.read",
        persons: person.iter().copied().collect(),
        before: None,
        after: Some(json!({
            "person": person, "door": door, "from_at": from, "until_at": until,
            "file": reading.file.is_some(), "purpose": purpose,
        })),
    }))
}

/// Whether this reading is theirs, and is of this query.
pub(super) async fn is_noted(
    db: &impl ConnectionTrait,
    scope: &Scope,
    id: BuildingId,
    query: &RecordsQuery,
    reading: RecordReadingId,
    reader: PersonId,
) -> Result<bool> {
    let by = record_reading_by::Entity::find_by_id((scope.tenant.0, reading.0)).one(db).await?;
    if by.is_none_or(|row| row.person != reader.0) {
        return Ok(false);
    }
    let found = record_reading::Entity::find_by_id((scope.tenant.0, reading.0)).one(db).await?;
    Ok(found.is_some_and(|row| {
        let noted = RecordsQuery {
            door: row.door.map(Into::into),
            person: row.person.map(Into::into),
            from: row.from_at.map(Timestamp::from_millis),
            until: row.until_at.map(Timestamp::from_millis),
        };
        row.building == id.0 && noted == *query
    }))
}

async fn page(
    db: &impl ConnectionTrait,
    scope: &Scope,
    which: Condition,
    after: Option<RecordAfter<RecordReadingId>>,
    limit: u16,
) -> Result<ReadingsPage> {
    let mut select = record_reading::Entity::find()
        .filter(record_reading::Column::Tenant.eq(scope.tenant.0))
        .filter(record_reading::Column::ForgetAt.gt(scope.at.as_millis()))
        .filter(which);
    if let Some(RecordAfter { at, id }) = after {
        let same = Condition::all()
            .add(record_reading::Column::At.eq(at.as_millis()))
            .add(record_reading::Column::Id.lt(id.0));
        let earlier = Condition::any().add(record_reading::Column::At.lt(at.as_millis())).add(same);
        select = select.filter(earlier);
    }
    let mut rows = select
        .order_by_desc(record_reading::Column::At)
        .order_by_desc(record_reading::Column::Id)
        .limit(u64::from(limit) + 1)
        .all(db)
        .await?;
    let goes_on = rows.len() > usize::from(limit);
    rows.truncate(limit.into());
    let place =
        |row: &record_reading::Model| RecordAfter { at: Timestamp::from_millis(row.at), id: row.id.into() };
    let next = rows.last().filter(|_| goes_on).map(place);
    Ok(ReadingsPage { readings: whole(db, scope, rows).await?, next })
}

async fn whole(
    db: &impl ConnectionTrait,
    scope: &Scope,
    rows: Vec<record_reading::Model>,
) -> Result<Vec<RecordReading>> {
    let by = record_reading_by::Entity::find()
        .filter(record_reading_by::Column::Tenant.eq(scope.tenant.0))
        .filter(record_reading_by::Column::Reading.is_in(rows.iter().map(|row| row.id)))
        .all(db)
        .await?;
    let by: HashMap<Uuid, Uuid> = by.into_iter().map(|row| (row.reading, row.person)).collect();
    let named = by.values().copied().chain(rows.iter().filter_map(|row| row.person));
    let people = names(db, scope, named).await?;
    let doors = door_names(db, scope, rows.iter().filter_map(|row| row.door)).await?;
    let buildings = building_names(db, scope, rows.iter().map(|row| row.building)).await?;
    let called = |id: Uuid| (PersonId(id), people.get(&id).cloned().flatten());
    rows.into_iter()
        .map(|row| {
            let purpose = row.purpose.as_deref().map(Purpose::new).transpose();
            Ok(RecordReading {
                id: row.id.into(),
                at: Timestamp::from_millis(row.at),
                building: buildings.get(&row.building).cloned().ok_or(At("building", "name").corrupt())?,
                by: by.get(&row.id).copied().map(called),
                about: row.person.map(called),
                door: row.door.and_then(|id| Some((id.into(), doors.get(&id)?.clone()))),
                from: row.from_at.map(Timestamp::from_millis),
                until: row.until_at.map(Timestamp::from_millis),
                file: row.file,
                purpose: purpose.map_err(|_| At("record_reading", "purpose").corrupt())?,
            })
        })
        .collect()
}
