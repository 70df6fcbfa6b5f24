//! The list of people as a file for a spreadsheet: the same filters, every page after the other.

use super::administrator;
use super::people::Asked;
use crate::auth::caller::Caller;
use crate::http::problem::{Code, Problem, ProblemBody};
use crate::node::Node;
use crate::spreadsheet::{MARK, harmless};
use axum::body::{Body, Bytes};
use axum::extract::{Query, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use klinke_model::rights::Right;
use klinke_storage::record::{PeopleQuery, PersonRow};
use std::sync::Arc;

/// The first line.
const HEAD: [&str; 7] = ["name", "email", "phone", "language", "unit", "building", "owner"];
/// People that are read at once.
const PAGE: u16 = 500;

/// The people of a list as CSV (UTF-8 with a mark, RFC 4180): name, e-mail, phone, language, unit, building, owner. A
/// person with two homes has two lines. The order is the list's; it begins at the beginning, whatever `cursor` and `limit`.
#[utoipa::path(get, path = "/api/v1/people.csv", operation_id = "people_csv", tag = "people", params(Asked), security(("session" = []), ("token" = [])),
    responses((status = 200, description = "The file", body = String, content_type = "text/csv"),
        (status = 400, description = "`malformed`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn handler(
    State(node): State<Arc<Node>>,
    who: Caller,
    asked: Result<Query<Asked>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, Problem> {
    administrator(&node, &who, Right::SeePeople).await?;
    let Query(asked) = asked.map_err(|_| Code::Malformed)?;
    let query = PeopleQuery { after: None, limit: PAGE, ..asked.query(node.clock.now())? };
    // a page at a time: 100,000 people are never in memory together
    let pages = stream::try_unfold((node, Some(query), true), move |(node, query, first)| async move {
        let Some(query) = query else { return Ok(None) };
        let page = node.store.people().page(&who.scope, &query).await.map_err(std::io::Error::other)?;
        let mut file = writer();
        if first {
            file.write_record(HEAD)?;
        }
        page.people.iter().try_for_each(|row| lines(row, &mut file))?;
        let lines = file.into_inner().map_err(csv::IntoInnerError::into_error)?;
        let text = if first { [MARK.as_bytes(), &lines].concat() } else { lines };
        let next = page.next.map(|next| PeopleQuery { after: Some(next), ..query });
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

/// As RFC 4180 ends lines.
fn writer() -> csv::Writer<Vec<u8>> {
    csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new())
}

fn lines(row: &PersonRow, file: &mut csv::Writer<Vec<u8>>) -> csv::Result<()> {
    let person = &row.person;
    let language = serde_json::to_value(person.language).unwrap_or_default();
    let of_person = [
        person.name.as_ref().map_or("", |name| name.reveal().as_str()),
        person.email.as_ref().map_or("", |email| email.reveal().as_str()),
        person.phone.as_ref().map_or("", |phone| phone.reveal().as_str()),
        language.as_str().unwrap_or_default(),
    ];
    let mut line = |home: [&str; 3]| file.write_record(of_person.into_iter().chain(home).map(harmless));
    if row.homes.is_empty() {
        line([""; 3])?;
    }
    for home in &row.homes {
        let owner = if home.owner { "yes" } else { "no" };
        line([home.number.as_str(), home.building_name.as_str(), owner])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use klinke_model::ids::{BuildingId, UnitId, v4};
    use klinke_model::people::Person;
    use klinke_model::text::Label;
    use klinke_storage::record::Home;

    #[test]
    fn a_person_with_two_homes_has_two_lines_and_no_cell_is_a_formula() {
        let home = |number: &str, owner| Home {
            unit: UnitId(v4([1; 16])),
            number: Label::new(number).unwrap(),
            building: BuildingId(v4([2; 16])),
            building_name: Label::new("Berg, \"Nord\"").unwrap(),
            owner,
            last_day: None,
        };
        let row = PersonRow {
            person: Person::named(v4([3; 16]).into(), Label::new("=1+1").unwrap()),
            homes: vec![home("101", true), home("102", false)],
            can_be_rung: false,
            has_account: false,
            invited_until: None,
        };
        let mut file = writer();
        lines(&row, &mut file).unwrap();
        let text = String::from_utf8(file.into_inner().unwrap()).unwrap();
        assert_eq!(
            text,
            "'=1+1,,,nb,101,\"Berg, \"\"Nord\"\"\",yes\r\n'=1+1,,,nb,102,\"Berg, \"\"Nord\"\"\",no\r\n"
        );
    }
}
