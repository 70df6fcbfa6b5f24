//! What administrators changed as a file for a spreadsheet: the same filters, every page after the other.

use super::administrator;
use super::audit::Which;
use crate::auth::caller::Caller;
use crate::http::problem::{Code, Problem, ProblemBody};
use crate::node::Node;
use crate::spreadsheet::{MARK, harmless};
use axum::body::{Body, Bytes};
use axum::extract::{Query, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use klinke_model::privacy::Pii;
use klinke_model::rights::Right;
use klinke_storage::record::{AuditEntry, AuditPage, AuditQuery};
use serde_json::Value;
use std::collections::HashMap;
use std::sync::Arc;
use uuid::Uuid;

/// The first line.
const HEAD: [&str; 9] = ["entry", "time", "action", "building", "persons", "by", "role", "before", "after"];
/// Entries that are read at once.
const PAGE: u32 = 200;

/// What administrators changed as CSV (UTF-8 with a mark, RFC 4180), the newest first. `cursor` and `limit` are not read.
#[utoipa::path(get, path = "/api/v1/audit.csv", operation_id = "audit_csv", tag = "audit", params(Which), security(("session" = []), ("token" = [])),
    responses((status = 200, description = "The file", body = String, content_type = "text/csv"),
        (status = 400, description = "`malformed`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`forbidden`; `confidentiality_required`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn handler(
    State(node): State<Arc<Node>>,
    who: Caller,
    which: Result<Query<Which>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, Problem> {
    administrator(&node, &who, Right::Audit).await?;
    let Query(which) = which.map_err(|_| Code::Malformed)?;
    let (query, _) = which.query()?;
    let query = AuditQuery { before: None, limit: PAGE, ..query };
    let pages = stream::try_unfold((node, Some(query), true), move |(node, query, first)| async move {
        let Some(query) = query else { return Ok(None) };
        let asked = node.store.audit().audit_page(&who.scope, query.clone()).await;
        let page = asked.map_err(std::io::Error::other)?;
        let last = page.entries.last().map(|entry| entry.seq);
        let more = u32::try_from(page.entries.len()).is_ok_and(|count| count == PAGE);
        let mut file = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
        if first {
            file.write_record(HEAD)?;
        }
        lines(page, &mut file)?;
        let lines = file.into_inner().map_err(csv::IntoInnerError::into_error)?;
        let text = if first { [MARK.as_bytes(), &lines].concat() } else { lines };
        let next = more.then_some(AuditQuery { before: last, ..query });
        Ok::<_, std::io::Error>(Some((Bytes::from(text), (node, next, false))))
    });
    let mut response = Body::from_stream(pages).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8"));
    headers
        .insert(header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=\"audit.csv\""));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

fn lines(page: AuditPage, file: &mut csv::Writer<Vec<u8>>) -> csv::Result<()> {
    let names: HashMap<Uuid, _> = page.names.into_iter().map(|name| (name.id, name.name)).collect();
    let called = |id: Uuid| names.get(&id).map_or_else(|| id.to_string(), |name| name.reveal().to_string());
    for AuditEntry { seq, at, building, action, persons, content } in page.entries {
        let content = content.map(Pii::into_inner);
        let json = |value: Option<&Value>| value.map(Value::to_string).unwrap_or_default();
        let time = jiff::Timestamp::from_millisecond(at.as_millis()).map(|at| at.to_string());
        let persons: Vec<_> = persons.iter().take(20).map(|person| called(person.0)).collect();
        let by = content
            .as_ref()
            .and_then(|content| content.actor.map(|actor| actor.0).or(content.token.map(|token| token.0)))
            .map(called);
        file.write_record(
            [
                seq.to_string(),
                time.unwrap_or_default(),
                action,
                building.map(|building| called(building.0)).unwrap_or_default(),
                persons.join("; "),
                by.unwrap_or_default(),
                content.as_ref().map_or_else(|| "erased".to_owned(), |content| content.role.clone()),
                json(content.as_ref().and_then(|content| content.before.as_ref())),
                json(content.as_ref().and_then(|content| content.after.as_ref())),
            ]
            .map(|cell| harmless(&cell)),
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use klinke_model::ids::v4;
    use klinke_model::text::Label;
    use klinke_model::time::Timestamp;
    use klinke_storage::record::{AuditContent, AuditName, NamedKind};
    use serde_json::json;

    #[test]
    fn names_stand_where_ids_were_and_no_cell_is_a_formula() {
        let (kari, gone) = (v4([1; 16]), v4([2; 16]));
        let content = AuditContent {
            actor: Some(kari.into()),
            token: None,
            role: "manager".to_owned(),
            before: None,
            after: Some(json!({ "name": "Ola" })),
        };
        let entry = AuditEntry {
            seq: 7,
            at: Timestamp::from_millis(0),
            building: None,
            action: "person.added".to_owned(),
            persons: vec![gone.into()],
            content: Some(Pii::new(content)),
        };
        let erased = AuditEntry { content: None, persons: vec![], ..entry.clone() };
        let name = Pii::new(Label::new("=Kari").unwrap());
        let names = vec![AuditName { id: kari, kind: NamedKind::Person, name, building: None }];
        let mut file = csv::Writer::from_writer(Vec::new());
        lines(AuditPage { entries: vec![entry, erased], names }, &mut file).unwrap();
        let text = String::from_utf8(file.into_inner().unwrap()).unwrap();
        assert_eq!(
            text,
            format!(
                "7,1970-01-01T00:00:00Z,person.added,,{gone},'=Kari,manager,,\"{{\"\"name\"\":\"\"Ola\"\"}}\"\n\
                 7,1970-01-01T00:00:00Z,person.added,,,,erased,,\n"
            )
        );
    }
}
