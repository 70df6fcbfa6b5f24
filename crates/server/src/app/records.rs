//! Who used the doors of a commercial building that keeps records of use, for its administrators.
//!
//! Nobody reads without being noted: the first page notes who reads, when and about whom, in the transaction that reads, and a
//! cursor works for that reader and those filters only. People see who read (`my_records`).

use super::{allowed, paging};
use crate::auth::session::SignedIn;
use crate::http::body::Object;
use crate::http::problem::{FieldCode, Fields, Problem, ProblemBody};
use crate::node::Node;
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use klinke_model::ids::{BuildingId, DoorId, PersonId, RecordId, RecordReadingId};
use klinke_model::news::UseOutcome;
use klinke_model::privacy::Pii;
use klinke_model::purpose::Purpose;
use klinke_model::reason::Reason;
use klinke_model::rights::Right;
use klinke_model::text::Label;
use klinke_model::time::Timestamp;
use klinke_storage::record::{self, NamedPerson, NewReading, RecordAfter, RecordOf, RecordsQuery};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// The order of each list; there is one.
const RECORDS: &str = "records";
pub(super) const READINGS: &str = "record-readings";

/// Which records.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct WhichRecords {
    /// Of this door only.
    door: Option<DoorId>,
    /// Of this person only.
    person: Option<PersonId>,
    /// Not before this moment, in UTC milliseconds.
    from: Option<Timestamp>,
    /// Before this moment, in UTC milliseconds.
    until: Option<Timestamp>,
    /// What `next` of the page before said, with the same filters.
    cursor: Option<String>,
    /// How many, 1 to 200; 50 unless told.
    limit: Option<u16>,
}

/// Which part of a list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct RecordsPart {
    /// What `next` of the page before said.
    pub(super) cursor: Option<String>,
    /// How many, 1 to 200; 50 unless told.
    pub(super) limit: Option<u16>,
}

/// The door of a record.
#[derive(Serialize, ToSchema)]
pub struct RecordDoor {
    id: DoorId,
    name: Label,
}

impl From<(DoorId, Label)> for RecordDoor {
    fn from((id, name): (DoorId, Label)) -> Self {
        Self { id, name }
    }
}

/// What somebody is.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RecordWhoKind {
    /// Somebody who lives or works there, or administers it.
    Person,
    /// A guest.
    Guest,
    /// A guest who was forgotten since.
    Gone,
}

/// Who was before a door.
#[derive(Serialize, ToSchema)]
pub struct RecordWho {
    kind: RecordWhoKind,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<Uuid>,
    /// Absent for who goes without a name, and for the guests of a host: they are their host's.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<Label>,
}

impl From<RecordOf> for RecordWho {
    fn from(of: RecordOf) -> Self {
        let (kind, id, name) = match of {
            RecordOf::Person((id, name)) => (RecordWhoKind::Person, Some(id.0), name),
            RecordOf::Guest(id, name) => (RecordWhoKind::Guest, Some(id.0), name),
            RecordOf::Gone => (RecordWhoKind::Gone, None, None),
        };
        Self { kind, id, name: name.map(Pii::into_inner) }
    }
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RecordOutcome {
    /// The door opened.
    Opened,
    /// They were not let in; `reason` says why.
    Refused,
    /// They were let in, and the lock did not do it.
    Failed,
}

/// The outcome in two words.
pub(super) const fn outcome(of: UseOutcome) -> (RecordOutcome, Option<Reason>) {
    match of {
        UseOutcome::Opened => (RecordOutcome::Opened, None),
        UseOutcome::Refused(reason) => (RecordOutcome::Refused, Some(reason)),
        UseOutcome::Failed => (RecordOutcome::Failed, None),
    }
}

/// A record of use.
#[derive(Serialize, ToSchema)]
pub struct UseRecord {
    id: RecordId,
    /// When, in UTC milliseconds.
    at: Timestamp,
    /// The controller did not believe its clock: it was about then, or at another time.
    about: bool,
    door: RecordDoor,
    who: RecordWho,
    outcome: RecordOutcome,
    /// Why they were not let in, such as `outside_hours`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    reason: Option<Reason>,
}

/// Records of use.
#[derive(Serialize, ToSchema)]
pub struct UseRecords {
    /// The newest first.
    items: Vec<UseRecord>,
    /// Ask for the page after it with this and the same filters; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// A person that a reading names.
#[derive(Serialize, ToSchema)]
pub struct ReadingPerson {
    id: PersonId,
    /// Absent for who goes without a name.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<Label>,
}

impl From<NamedPerson> for ReadingPerson {
    fn from((id, name): NamedPerson) -> Self {
        Self { id, name: name.map(Pii::into_inner) }
    }
}

/// That somebody read records of use.
#[derive(Serialize, ToSchema)]
pub struct RecordReading {
    id: RecordReadingId,
    /// When, in UTC milliseconds.
    at: Timestamp,
    /// What the building is called.
    building: Label,
    /// Who read; absent when they are gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    by: Option<ReadingPerson>,
    /// About whom; absent for everybody.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    person: Option<ReadingPerson>,
    /// About which door; absent for all of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    door: Option<RecordDoor>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<Timestamp>,
    /// It was a file.
    file: bool,
    /// What the file was for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    purpose: Option<Purpose>,
}

impl From<record::RecordReading> for RecordReading {
    fn from(reading: record::RecordReading) -> Self {
        Self {
            id: reading.id,
            at: reading.at,
            building: reading.building,
            by: reading.by.map(Into::into),
            person: reading.about.map(Into::into),
            door: reading.door.map(Into::into),
            from: reading.from,
            until: reading.until,
            file: reading.file,
            purpose: reading.purpose,
        }
    }
}

/// Who read records of use.
#[derive(Serialize, ToSchema)]
pub struct RecordReadings {
    /// The newest first.
    items: Vec<RecordReading>,
    /// Ask for the page after it with this; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

impl From<record::ReadingsPage> for RecordReadings {
    fn from(page: record::ReadingsPage) -> Self {
        Self {
            items: page.readings.into_iter().map(Into::into).collect(),
            next: page.next.map(|after| cursor(READINGS, after.at, after.id.0)),
        }
    }
}

/// Records of use of a building, the newest first. That somebody reads them is noted with the first page, and the people can see
/// it. Empty where nothing is kept.
#[utoipa::path(get, path = "/api/v1/buildings/{building}/records", operation_id = "records", tag = "records",
    params(("building" = uuid::Uuid, Path, description = "The building"), WhichRecords), security(("session" = [])),
    responses((status = 200, description = "The records", body = UseRecords),
        (status = 403, description = "`forbidden`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn list(
    State(node): State<Arc<Node>>,
    who: SignedIn,
    Object(building): Object<BuildingId>,
    which: Result<Query<WhichRecords>, QueryRejection>,
) -> Result<Json<UseRecords>, Problem> {
    allowed(&node, &who, Right::ReadRecords, building).await?;
    let mut fields = Fields::default();
    let Ok(Query(which)) = which else { return Err(wrong_query()) };
    let WhichRecords { door, person, from, until, cursor: asked, limit } = which;
    let query = RecordsQuery { door, person, from, until };
    let limit = paging::limit(limit, &mut fields);
    let place = paging::after(asked.as_deref(), read_place, &mut fields);
    fields.check()?;
    let records = node.store.records();
    let (page, reading) = match place {
        None => {
            let stamp = node.stamp();
            let reading = NewReading { id: node.random.v4(), file: None };
            let id = reading.id;
            (records.read_records(&who.scope, &stamp, building, query, reading, limit).await?, id)
        }
        Some((reading, after)) => {
            (records.read_on(&who.scope, building, query, reading, after, limit).await?, reading)
        }
    };
    let Some(page) = page else {
        // of another reader, or of other filters
        let mut fields = Fields::default();
        fields.wrong("/cursor", FieldCode::OutOfRange);
        return Err(fields.into());
    };
    let next = page.next.map(|after| {
        let at = after.at.as_millis().to_be_bytes();
        paging::cursor(RECORDS, &[reading.0.as_bytes(), &at, after.id.0.as_bytes()])
    });
    Ok(Json(UseRecords { items: page.records.into_iter().map(shown).collect(), next }))
}

/// Who read records of use of a building, the newest first.
#[utoipa::path(get, path = "/api/v1/buildings/{building}/records/readings", operation_id = "record_readings", tag = "records",
    params(("building" = uuid::Uuid, Path, description = "The building"), RecordsPart), security(("session" = [])),
    responses((status = 200, description = "The readings", body = RecordReadings),
        (status = 403, description = "`forbidden`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn readings(
    State(node): State<Arc<Node>>,
    who: SignedIn,
    Object(building): Object<BuildingId>,
    part: Result<Query<RecordsPart>, QueryRejection>,
) -> Result<Json<RecordReadings>, Problem> {
    allowed(&node, &who, Right::ReadRecords, building).await?;
    let (after, limit) = part_of(part, READINGS)?;
    Ok(Json(node.store.records().readings(&who.scope, building, after, limit).await?.into()))
}

pub(super) fn shown(record: record::UseRecord) -> UseRecord {
    let (outcome, reason) = outcome(record.outcome);
    UseRecord {
        id: record.id,
        at: record.at,
        about: record.about,
        door: record.door.into(),
        who: record.of.into(),
        outcome,
        reason,
    }
}

/// The answer to filters that can not be read.
pub(super) fn wrong_query() -> Problem {
    let mut fields = Fields::default();
    fields.wrong("/limit", FieldCode::OutOfRange);
    fields.into()
}

/// Where a page begins, and how long it is.
pub(super) fn part_of<Id: From<Uuid>>(
    part: Result<Query<RecordsPart>, QueryRejection>,
    order: &str,
) -> Result<(Option<RecordAfter<Id>>, u16), Problem> {
    let Ok(Query(part)) = part else { return Err(wrong_query()) };
    let mut fields = Fields::default();
    let limit = paging::limit(part.limit, &mut fields);
    let place = |mut parts: paging::Parts| {
        parts.is(order)?;
        let (at, id) = (moment(&mut parts)?, parts.id()?);
        parts.end()?;
        Some(RecordAfter { at, id })
    };
    let after = paging::after(part.cursor.as_deref(), place, &mut fields);
    fields.check()?;
    Ok((after, limit))
}

pub(super) fn cursor(order: &str, at: Timestamp, id: Uuid) -> String {
    paging::cursor(order, &[&at.as_millis().to_be_bytes(), id.as_bytes()])
}

fn moment(parts: &mut paging::Parts) -> Option<Timestamp> {
    Some(Timestamp::from_millis(i64::from_be_bytes(parts.bytes()?.try_into().ok()?)))
}

/// Which reading goes on, and where.
fn read_place(mut parts: paging::Parts) -> Option<(RecordReadingId, RecordAfter<RecordId>)> {
    parts.is(RECORDS)?;
    let (reading, at, id) = (parts.id()?, moment(&mut parts)?, parts.id()?);
    parts.end()?;
    Some((reading, RecordAfter { at, id }))
}
