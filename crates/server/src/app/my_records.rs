//! What is kept of one's own uses of doors, in the buildings that keep records, and who read it.

use super::records::{
    READINGS, RecordDoor, RecordOutcome, RecordReadings, RecordsPart, cursor, outcome, part_of,
};
use crate::auth::session::SignedIn;
use crate::http::problem::{Problem, ProblemBody};
use crate::node::Node;
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use klinke_model::ids::RecordId;
use klinke_model::purpose::Purpose;
use klinke_model::reason::Reason;
use klinke_model::text::Label;
use klinke_model::time::Timestamp;
use klinke_storage::record;
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// The order of the list; there is one.
const ORDER: &str = "my-records";

/// A use of one's own.
#[derive(Serialize, ToSchema)]
pub struct MyRecord {
    id: RecordId,
    /// When, in UTC milliseconds.
    at: Timestamp,
    /// The controller did not believe its clock: it was about then, or at another time.
    about: bool,
    building: Label,
    door: RecordDoor,
    outcome: RecordOutcome,
    /// Why it did not open, such as `outside_hours`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    reason: Option<Reason>,
}

impl From<record::UseRecord> for MyRecord {
    fn from(record: record::UseRecord) -> Self {
        let (outcome, reason) = outcome(record.outcome);
        Self {
            id: record.id,
            at: record.at,
            about: record.about,
            building: record.building,
            door: record.door.into(),
            outcome,
            reason,
        }
    }
}

/// A building with a door of one's own that keeps records of use.
#[derive(Serialize, ToSchema)]
pub struct KeptOfMe {
    /// What it is called.
    building: Label,
    #[schema(value_type = String)]
    purpose: Purpose,
    /// How long each record is kept, in days.
    days: u8,
    /// From when on, in UTC milliseconds.
    since: Timestamp,
}

/// Uses of one's own.
#[derive(Serialize, ToSchema)]
pub struct MyRecords {
    /// The newest first.
    items: Vec<MyRecord>,
    /// Ask for the page after it with this; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    /// The buildings that keep records of one's uses now. In all others nothing is kept.
    kept: Vec<KeptOfMe>,
}

/// What is kept of the doors that the person who asks used, the newest first, and in which buildings it is kept.
#[utoipa::path(get, path = "/api/v1/me/records", operation_id = "my_records", tag = "me", params(RecordsPart),
    security(("session" = [])), responses((status = 200, description = "One's own records", body = MyRecords),
        (status = 422, description = "`invalid`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn list(
    State(node): State<Arc<Node>>,
    who: SignedIn,
    part: Result<Query<RecordsPart>, QueryRejection>,
) -> Result<Json<MyRecords>, Problem> {
    let (after, limit) = part_of(part, ORDER)?;
    let page = node.store.records().my_records(&who.scope, after, limit).await?;
    let kept = node.store.records().kept_of_me(&who.scope).await?;
    Ok(Json(MyRecords {
        items: page.records.into_iter().map(Into::into).collect(),
        next: page.next.map(|after| cursor(ORDER, after.at, after.id.0)),
        kept: kept
            .into_iter()
            .map(|kept| KeptOfMe {
                building: kept.building,
                purpose: kept.purpose,
                days: kept.days,
                since: kept.since,
            })
            .collect(),
    }))
}

/// Who read records of the person who asks: about them, or about everybody in a building of theirs. The newest first.
#[utoipa::path(get, path = "/api/v1/me/records/readings", operation_id = "my_record_readings", tag = "me", params(RecordsPart),
    security(("session" = [])), responses((status = 200, description = "The readings", body = RecordReadings),
        (status = 422, description = "`invalid`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn readings(
    State(node): State<Arc<Node>>,
    who: SignedIn,
    part: Result<Query<RecordsPart>, QueryRejection>,
) -> Result<Json<RecordReadings>, Problem> {
    let (after, limit) = part_of(part, READINGS)?;
    Ok(Json(node.store.records().my_readings(&who.scope, after, limit).await?.into()))
}
