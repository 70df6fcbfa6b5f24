//! The list of people as a file for a spreadsheet: the same filters, every page after the other.

use super::people::Asked;
use crate::auth::session::SignedIn;
use crate::http::problem::{Code, Problem, ProblemBody};
use crate::node::Node;
use axum::body::{Body, Bytes};
use axum::extract::{Query, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use klinke_storage::record::{PeopleQuery, PersonRow};
use std::sync::Arc;

/// People that are read at once.
const PAGE: u16 = 500;

/// The people of a list as CSV (UTF-8 with a mark, RFC 4180): name, e-mail, phone, language, unit, building, owner. A
/// person with two homes has two lines. `cursor` and `limit` are not read.
#[utoipa::path(get, path = "/api/v1/people.csv", operation_id = "people_csv", tag = "people", params(Asked), security(("session" = [])),
    responses((status = 200, description = "The file", body = String, content_type = "text/csv"),
        (status = 400, description = "`malformed`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn handler(
    State(node): State<Arc<Node>>,
    who: SignedIn,
    asked: Result<Query<Asked>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, Problem> {
    let Query(asked) = asked.map_err(|_| Code::Malformed)?;
    let query = PeopleQuery { after: None, limit: PAGE, ..asked.query(node.clock.now())? };
    let head = "\u{feff}name,email,phone,language,unit,building,owner\r\n";
    // a page at a time: 100,000 people are never in memory together
    let pages = stream::try_unfold((node, Some(query), true), move |(node, query, first)| async move {
        let Some(query) = query else { return Ok(None) };
        let page = node.store.people().page(&who.scope, &query).await.map_err(std::io::Error::other)?;
        let mut text = if first { head.to_owned() } else { String::new() };
        page.people.iter().for_each(|row| lines(row, &mut text));
        let last = page.people.last().map(|row| row.person.id);
        let next = page.more.then_some(PeopleQuery { after: last, ..query });
        Ok::<_, std::io::Error>(Some((Bytes::from(text), (node, next, false))))
    });
    let mut response = Body::from_stream(pages).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8"));
    headers
        .insert(header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=\"people.csv\""));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

fn lines(row: &PersonRow, text: &mut String) {
    let person = &row.person;
    let language = serde_json::to_value(person.language).unwrap_or_default();
    let of_person = [
        person.name.as_ref().map_or("", |name| name.reveal().as_str()),
        person.email.as_ref().map_or("", |email| email.reveal().as_str()),
        person.phone.as_ref().map_or("", |phone| phone.reveal().as_str()),
        language.as_str().unwrap_or_default(),
    ];
    let mut line = |home: [&str; 3]| {
        let cells: Vec<_> = of_person.into_iter().chain(home).map(cell).collect();
        text.push_str(&cells.join(","));
        text.push_str("\r\n");
    };
    if row.homes.is_empty() {
        line([""; 3]);
    }
    for home in &row.homes {
        let owner = if home.owner { "yes" } else { "no" };
        line([home.number.as_str(), home.building_name.as_str(), owner]);
    }
}

/// A cell that no spreadsheet takes for a formula: what begins like one gets an apostrophe before it, but a phone
/// number stays a number.
fn cell(text: &str) -> String {
    let is_number = text.strip_prefix('+').is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()));
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']) && !is_number;
    let text = if formula { format!("'{text}") } else { text.to_owned() };
    if text.contains([',', '"', '\n', '\r']) || formula {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::cell;

    #[test]
    fn no_cell_is_a_formula() {
        assert_eq!(cell("Kari Haugen"), "Kari Haugen");
        assert_eq!(cell("Berg, \"Nora\""), "\"Berg, \"\"Nora\"\"\"");
        assert_eq!(cell("=HYPERLINK(\"x\")"), "\"'=HYPERLINK(\"\"x\"\")\"");
        for begins in ["+1+1", "-1", "@x", "\tx"] {
            assert!(cell(begins).starts_with("\"'"), "{begins}");
        }
        assert_eq!(cell("+4791500123"), "+4791500123");
    }
}
