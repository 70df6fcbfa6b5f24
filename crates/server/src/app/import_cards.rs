//! Cards of a building from a file: looked at first, row by row, then given in one transaction.
//!
//! The file is sent twice, to be looked at and to be applied; nothing of it is kept between. What is applied is judged
//! again, beside what is there by then.

use super::allowed;
use super::cards::not_a_number;
use crate::auth::caller::Caller;
use crate::http::body::Object;
use crate::http::problem::{Code, FieldCode, Fields, Problem, ProblemBody};
use crate::import::cards::{Judged, MAX_CARDS, Missing, Status, Usual, judge};
use crate::import::read::{Sheet, read};
use crate::node::Node;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use klinke_model::card::CardView;
use klinke_model::credential::CredentialTier;
use klinke_model::ids::BuildingId;
use klinke_model::rights::Right;
use klinke_storage::record::{CardHouse, NewCard};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

/// How a file is read.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Asked {
    /// Gives the cards; without it they are only looked at.
    #[serde(default)]
    apply: bool,
    /// How numbers are written in rows that do not say it.
    kind: Option<CardView>,
    /// What cards are called in rows that do not say it.
    name: String,
}

/// A row of the file.
#[derive(Serialize, ToSchema)]
pub struct CardImportRow {
    /// Its number in the list, from 0; the head is not counted.
    row: usize,
    status: Status,
    /// Whom the file names.
    person: String,
    /// The number as the file has it.
    number: String,
    /// What is wrong with the number.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    wrong: Option<FieldCode>,
}

/// A file of cards.
#[derive(Serialize, ToSchema)]
pub struct CardImport {
    /// How many cards are new.
    new: usize,
    /// How many are had already by those whom the file names.
    same: usize,
    /// How many rows are left out.
    wrong: usize,
    /// How many were given; absent while they are only looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    given: Option<usize>,
    rows: Vec<CardImportRow>,
}

/// Reads a file of cards: CSV (`;`, `,` or tab; UTF-8, UTF-16 or Windows-1252) or XLSX, 5,000 rows at most. Its columns: who
/// (e-mail, or home and name), the number, and if they differ the kind (`serial`, `wiegand26`, `wiegand34`, `bits`) and the
/// card's name. Rows that are wrong are told and left out.
#[utoipa::path(post, path = "/api/v1/buildings/{building}/cards/import", operation_id = "import_cards", tag = "cards",
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    params(("building" = uuid::Uuid, Path, description = "The building"), Asked), security(("session" = []), ("token" = [])),
    responses((status = 200, description = "Looked at, or given", body = CardImport),
        (status = 413, description = "`too_large`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid`: columns that are missing, or a name that is none; `not_a_list`; `empty_list`; `too_many_rows`; `too_many_columns`; `cell_too_long`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn handler(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(building): Object<BuildingId>,
    asked: Result<Query<Asked>, axum::extract::rejection::QueryRejection>,
    file: Result<Bytes, axum::extract::rejection::BytesRejection>,
) -> Result<Json<CardImport>, Problem> {
    allowed(&node, &who, Right::ChangePeople, building).await?;
    let Query(asked) = asked.map_err(|_| Code::Malformed)?;
    let file = file.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Code::TooLarge,
        _ => Code::Malformed,
    })?;
    let mut fields = Fields::default();
    let name = fields.label("/name", &asked.name);
    let Some(name) = name else { return Err(fields.into()) };
    let usual = Usual { kind: asked.kind, name };
    let sheet = node.apart.run(move || read(&file)).await.ok_or(Code::Internal)?.map_err(Problem::from)?;
    if sheet.rows.len() > MAX_CARDS {
        return Err(Code::TooManyCardRows.into());
    }
    // who may change people here sees none with a token that reads none
    let house = node.store.cards().card_house(&who.scope, building).await?.ok_or(Code::Forbidden)?;
    let rows = judge(&sheet, &usual, &house).map_err(lacks)?;
    let given = if asked.apply { Some(give(&node, &who, building, &sheet, &usual).await?) } else { None };
    Ok(Json(told(rows, given)))
}

/// Gives the cards of a file that are new by now.
async fn give(
    node: &Node,
    who: &Caller,
    building: BuildingId,
    sheet: &Sheet,
    usual: &Usual,
) -> Result<usize, Problem> {
    let stamp = node.stamp();
    let decide = |house: &CardHouse| {
        let rows = judge(sheet, usual, house).unwrap_or_default();
        let new = rows.into_iter().filter_map(|row| row.card);
        new.map(|card| NewCard {
            id: node.random.v7(stamp.at),
            person: card.person,
            name: card.name,
            key: card.key,
            view: card.view,
            tier: CredentialTier::Identifier,
        })
        .collect()
    };
    let given = node.store.cards().import_cards(&who.scope, &stamp, building, decide).await?;
    Ok(given.ok_or(Code::Forbidden)?)
}

fn told(rows: Vec<Judged>, given: Option<usize>) -> CardImport {
    let count = |fits: fn(Status) -> bool| rows.iter().filter(|row| fits(row.status)).count();
    let (new, same) = (count(|status| status == Status::New), count(|status| status == Status::Same));
    CardImport {
        new,
        same,
        wrong: rows.len() - new - same,
        given,
        rows: rows
            .into_iter()
            .enumerate()
            .map(|(row, judged)| CardImportRow {
                row,
                status: judged.status,
                person: judged.said,
                number: judged.number,
                wrong: judged.wrong.map(not_a_number),
            })
            .collect(),
    }
}

fn lacks(missing: Missing) -> Problem {
    let mut fields = Fields::default();
    if missing.number {
        fields.wrong("/columns/number", FieldCode::Required);
    }
    if missing.person {
        fields.wrong("/columns/person", FieldCode::Required);
    }
    fields.into()
}
