//! Records of use as a file for a spreadsheet: the same filters, every page after the other. Whoever takes one says what for.

use super::record_policy::purpose;
use super::records::{outcome, wrong_query};
use super::{allowed, paging};
use crate::auth::session::SignedIn;
use crate::http::body::Object;
use crate::http::problem::{Code, Fields, Problem, ProblemBody};
use crate::node::Node;
use crate::spreadsheet::{MARK, harmless};
use axum::body::{Body, Bytes};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use klinke_model::ids::{BuildingId, DoorId, PersonId};
use klinke_model::rights::Right;
use klinke_model::time::Timestamp;
use klinke_storage::record::{NewReading, RecordOf, RecordsQuery, UseRecord};
use serde::Deserialize;
use std::sync::Arc;
use utoipa::IntoParams;

/// The first line.
const HEAD: [&str; 7] = ["time", "clock", "door", "who", "name", "outcome", "reason"];

/// Which records, and what for.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct RecordsFile {
    /// What the file is for, 10 to 500 characters; the people can see it.
    purpose: String,
    /// Of this door only.
    door: Option<DoorId>,
    /// Of this person only.
    person: Option<PersonId>,
    /// Not before this moment, in UTC milliseconds.
    from: Option<Timestamp>,
    /// Before this moment, in UTC milliseconds.
    until: Option<Timestamp>,
}

/// Records of use as CSV (UTF-8 with a mark, RFC 4180), the newest first. That somebody took it, and what for, is noted, and the people
/// can see it.
#[utoipa::path(get, path = "/api/v1/buildings/{building}/records.csv", operation_id = "records_csv", tag = "records",
    params(("building" = uuid::Uuid, Path, description = "The building"), RecordsFile), security(("session" = [])),
    responses((status = 200, description = "The file", body = String, content_type = "text/csv"),
        (status = 403, description = "`forbidden`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn handler(
    State(node): State<Arc<Node>>,
    who: SignedIn,
    Object(building): Object<BuildingId>,
    which: Result<Query<RecordsFile>, QueryRejection>,
) -> Result<Response, Problem> {
    allowed(&node, &who, Right::ReadRecords, building).await?;
    let Query(which) = which.map_err(|_| wrong_query())?;
    let RecordsFile { purpose: said, door, person, from, until } = which;
    let mut fields = Fields::default();
    let Some(purpose) = purpose(&mut fields, "/purpose", &said) else { return Err(fields.into()) };
    let query = RecordsQuery { door, person, from, until };
    let reading = NewReading { id: node.random.v4(), file: Some(purpose) };
    let id = reading.id;
    // noted before the first byte
    let records = node.store.records();
    let first =
        records.read_records(&who.scope, &node.stamp(), building, query, reading, paging::LIMIT).await?;
    let first = first.ok_or(Code::Forbidden)?;
    let pages = stream::try_unfold((node, Some(first), true), move |(node, page, begins)| async move {
        let Some(page) = page else { return Ok(None) };
        let mut file = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
        if begins {
            file.write_record(HEAD)?;
        }
        for record in page.records {
            file.write_record(line(record).map(|cell| harmless(&cell)))?;
        }
        let lines = file.into_inner().map_err(csv::IntoInnerError::into_error)?;
        let text = if begins { [MARK.as_bytes(), &lines].concat() } else { lines };
        let next = match page.next {
            Some(after) => {
                let records = node.store.records();
                let on = records.read_on(&who.scope, building, query, id, after, paging::LIMIT).await;
                on.map_err(std::io::Error::other)?
            }
            None => None,
        };
        Ok::<_, std::io::Error>(Some((Bytes::from(text), (node, next, false))))
    });
    let mut response = Body::from_stream(pages).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8"));
    let name = HeaderValue::from_static("attachment; filename=\"records.csv\"");
    headers.insert(header::CONTENT_DISPOSITION, name);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

fn line(record: UseRecord) -> [String; 7] {
    let time = jiff::Timestamp::from_millisecond(record.at.as_millis()).map(|at| at.to_string());
    let (who, name) = match record.of {
        RecordOf::Person((_, name)) => ("person", name),
        RecordOf::Guest(_, name) => ("guest", name),
        RecordOf::Gone => ("gone", None),
    };
    let word = |value: Option<serde_json::Value>| {
        value.as_ref().and_then(serde_json::Value::as_str).unwrap_or_default().to_owned()
    };
    let (outcome, reason) = outcome(record.outcome);
    [
        time.unwrap_or_default(),
        if record.about { "not believed" } else { "believed" }.to_owned(),
        record.door.1.to_string(),
        who.to_owned(),
        name.map(|name| name.reveal().to_string()).unwrap_or_default(),
        word(serde_json::to_value(outcome).ok()),
        word(reason.and_then(|reason| serde_json::to_value(reason).ok())),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use klinke_model::ids::v4;
    use klinke_model::news::UseOutcome;
    use klinke_model::privacy::Pii;
    use klinke_model::reason::Reason;
    use klinke_model::text::Label;

    #[test]
    fn a_line_says_when_where_who_and_what_came_of_it() {
        let label = |text| Label::new(text).unwrap();
        let id = v4([1; 16]);
        let record = UseRecord {
            id: id.into(),
            at: Timestamp::from_millis(0),
            about: true,
            building: label("Aker"),
            door: (id.into(), label("Store")),
            of: RecordOf::Person((id.into(), Some(Pii::new(label("Kari"))))),
            outcome: UseOutcome::Refused(Reason::OutsideHours),
        };
        assert_eq!(
            line(record.clone()),
            ["1970-01-01T00:00:00Z", "not believed", "Store", "person", "Kari", "refused", "outside_hours"]
        );
        let gone = UseRecord { of: RecordOf::Gone, about: false, outcome: UseOutcome::Opened, ..record };
        assert_eq!(line(gone), ["1970-01-01T00:00:00Z", "believed", "Store", "gone", "", "opened", ""]);
    }
}
