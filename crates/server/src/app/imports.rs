//! A list of people on its way in: read, looked at, corrected, and thrown away or applied (R61).
//!
//! [`upload`] reads the file; [`show`] gives it a page at a time, each row with what becomes of it; [`change`] corrects;
//! [`super::apply_import`] does it, and undoes it. For who administers the building; everybody else gets 404.

use super::allowed;
use crate::auth::caller::Caller;
use crate::http::body::{Body, Object};
use crate::http::problem::{Code, Problem, ProblemBody};
use crate::import::check::{CellError, Checked, Judged, MissingHomes, Status, check};
use crate::import::columns::Column;
use crate::import::content::Content;
use crate::import::read::{ReadError, read};
use crate::import::{MAX_CELL, MAX_COLUMNS};
use crate::node::Node;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use klinke_model::ids::{BuildingId, ImportId, PersonId};
use klinke_model::privacy::Pii;
use klinke_model::rights::Right;
use klinke_model::time::Timestamp;
use klinke_storage::record::{House, Import, ImportOutcome, ImportState, NewImport};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// How long a list is kept before it is applied, and can be undone after.
pub const KEPT: Duration = Duration::from_secs(24 * 3_600);
/// The longest page of rows.
const PAGE: usize = 200;

/// How far a list has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ImportState)]
pub enum Stands {
    /// It is looked at and corrected.
    Draft,
    /// It is being applied: all of it or nothing.
    Applying,
    /// It was applied; it can be undone.
    Applied,
    /// It is being undone.
    Undoing,
    /// It was undone, and its rows are forgotten.
    Undone,
}

impl From<ImportState> for Stands {
    fn from(state: ImportState) -> Self {
        match state {
            ImportState::Draft => Self::Draft,
            ImportState::Applying => Self::Applying,
            ImportState::Applied => Self::Applied,
            ImportState::Undoing => Self::Undoing,
            ImportState::Undone => Self::Undone,
        }
    }
}

/// How many rows are in which state.
#[derive(Clone, Copy, Debug, Default, Serialize, ToSchema)]
pub struct ImportCounts {
    all: usize,
    error: usize,
    new: usize,
    changed: usize,
    same: usize,
    left_out: usize,
}

/// A row of a list.
#[derive(Serialize, ToSchema)]
pub struct ImportRow {
    /// Its number in the list, from 0; the head is not counted.
    row: usize,
    status: Status,
    cells: Vec<String>,
    errors: Vec<CellError>,
    /// Columns that say something new of somebody who is known.
    changed: Vec<usize>,
}

/// A list of people on its way in.
#[derive(Serialize, ToSchema)]
#[schema(as = Import)]
pub struct ImportView {
    id: ImportId,
    building: BuildingId,
    /// How far it has come. Once it is applied it can be undone until `ends_at`.
    state: Stands,
    /// When it is forgotten, UTC milliseconds since 1970.
    ends_at: Timestamp,
    head: Vec<String>,
    columns: Vec<Column>,
    /// Columns that somebody must name before it can be applied.
    missing: Vec<Column>,
    counts: ImportCounts,
    /// People who live there and are not in the list. They stay: who moves out is moved out.
    not_named: usize,
    /// Homes of the list that the building does not have, by entrance: they are made when `make_homes` says so.
    homes: Vec<MissingHomes>,
    make_homes: bool,
    /// Whether the asker may make homes in this building.
    may_make_homes: bool,
    /// Once applied: how many homes it made.
    made_homes: usize,
    /// Once applied: how many people are new.
    made_people: usize,
    /// Once applied: new people, of whom those with an e-mail address can be invited; the first 200.
    people: Vec<PersonId>,
    items: Vec<ImportRow>,
    /// Where the next page begins; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    next: Option<usize>,
}

/// Which rows.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Rows {
    /// Only those in this state.
    #[param(inline)]
    status: Option<Status>,
    /// `next` of the page before.
    cursor: Option<usize>,
    /// How many, 200 at most.
    limit: Option<usize>,
}

/// Reads a file with people: CSV (`;`, `,` or tab; UTF-8, UTF-16 or Windows-1252) or XLSX, 10 MB and 60,000 rows at most.
#[utoipa::path(post, path = "/api/v1/buildings/{building}/imports", operation_id = "upload_import", tag = "import",
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    params(("building" = uuid::Uuid, Path, description = "The building")), security(("session" = []), ("token" = [])),
    responses((status = 201, description = "Read", body = ImportView),
        (status = 413, description = "`too_large`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`not_a_list`; `empty_list`; `too_many_rows`; `too_many_columns`; `cell_too_long`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn upload(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(building): Object<BuildingId>,
    file: Result<Bytes, axum::extract::rejection::BytesRejection>,
) -> Result<(StatusCode, Json<ImportView>), Problem> {
    allowed(&node, &who, Right::ChangePeople, building).await?;
    let file = file.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Code::TooLarge,
        _ => Code::Malformed,
    })?;
    let (content, text) = apart(&node, move || {
        let content = Content::new(read(&file)?);
        let text = content.text().ok_or(Code::Internal)?;
        Ok((content, text))
    })
    .await?;
    let now = node.clock.now();
    let (id, ends_at) = (node.random.v7(now), now.plus(KEPT));
    let new = NewImport { id, building, content: Pii::new(text), ends_at };
    if !node.store.imports().insert_import(&who.scope, new).await? {
        return Err(Code::NotFound.into());
    }
    let house = node.store.imports().house(&who.scope, building).await?.ok_or(Code::NotFound)?;
    let import =
        Import { id, building, state: ImportState::Draft, content: Pii::default(), done: None, ends_at };
    let list = apart(&node, move || Ok(view(&import, content, &house, &Rows::default()))).await?;
    Ok((StatusCode::CREATED, Json(list)))
}

/// A list, a page of its rows at a time, each with what would become of it now.
#[utoipa::path(get, path = "/api/v1/imports/{import}", operation_id = "import", tag = "import",
    params(("import" = uuid::Uuid, Path, description = "The list"), Rows), security(("session" = []), ("token" = [])),
    responses((status = 200, description = "The list", body = ImportView)))]
pub async fn show(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(id): Object<ImportId>,
    query: Result<Query<Rows>, axum::extract::rejection::QueryRejection>,
) -> Result<Json<ImportView>, Problem> {
    let Query(rows) = query.map_err(|_| Code::NotFound)?;
    shown(&node, &who, id, rows).await.map(Json)
}

/// What is corrected in a list. What is not named stays.
#[derive(Deserialize, ToSchema)]
pub struct ImportChange {
    /// What each column is, all of them.
    #[schema(required = false)]
    columns: Option<Vec<Column>>,
    /// Cells with another content.
    #[serde(default)]
    #[schema(required = false)]
    cells: Vec<NewCell>,
    /// Rows to leave out.
    #[serde(default)]
    #[schema(required = false)]
    leave_out: Vec<usize>,
    /// Rows to take after all.
    #[serde(default)]
    #[schema(required = false)]
    take: Vec<usize>,
    /// Whether homes are made that the building does not have.
    #[schema(required = false)]
    make_homes: Option<bool>,
}

/// A corrected cell.
#[derive(Deserialize, ToSchema)]
pub struct NewCell {
    row: usize,
    column: usize,
    /// 1,000 characters at most.
    #[schema(value_type = String)]
    text: Pii<String>,
}

/// Corrects a list that is not applied.
#[utoipa::path(patch, path = "/api/v1/imports/{import}", operation_id = "change_import", tag = "import", request_body = ImportChange,
    params(("import" = uuid::Uuid, Path, description = "The list"), Rows), security(("session" = []), ("token" = [])),
    responses((status = 200, description = "Corrected", body = ImportView),
        (status = 409, description = "`import_applied`; `import_under_way`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn change(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(id): Object<ImportId>,
    query: Result<Query<Rows>, axum::extract::rejection::QueryRejection>,
    Body(change): Body<ImportChange>,
) -> Result<Json<ImportView>, Problem> {
    let Query(rows) = query.map_err(|_| Code::NotFound)?;
    let now = node.clock.now();
    let imports = node.store.imports();
    let building = ready(&node, &who, id, &[ImportState::Draft]).await?;
    if change.make_homes == Some(true) {
        allowed(&node, &who, Right::ChangeBuilding, building).await?;
    }
    let edit = |text: &str| corrected(Content::parse(text)?, &change)?.text();
    match imports.edit_import(&who.scope, id, now, edit).await? {
        ImportOutcome::Done(_) => {}
        ImportOutcome::Refused => return Err(Code::Malformed.into()),
        other => return Err(refusal(other).into()),
    }
    shown(&node, &who, id, rows).await.map(Json)
}

/// Why nothing can be done with a list as it is.
pub(super) fn refusal(outcome: ImportOutcome) -> Code {
    match outcome {
        ImportOutcome::Is(ImportState::Applying | ImportState::Undoing) => Code::ImportUnderWay,
        ImportOutcome::Is(ImportState::Applied) => Code::ImportApplied,
        ImportOutcome::Is(ImportState::Draft) => Code::ImportNotApplied,
        _ => Code::NotFound,
    }
}

/// The building of a list that is in one of these states. Asked before anything is written: on SQLite a writer waits
/// until a list that is being applied is done, and then it would be told something else.
pub(super) async fn ready(
    node: &Node,
    who: &Caller,
    id: ImportId,
    states: &[ImportState],
) -> Result<BuildingId, Problem> {
    let list = node.store.imports().import_standing(&who.scope, id, node.clock.now()).await?;
    let list = list.ok_or(Code::NotFound)?;
    if states.contains(&list.state) {
        Ok(list.building)
    } else {
        Err(refusal(ImportOutcome::Is(list.state)).into())
    }
}

/// Throws a list away, unless it is being applied or undone. What it did when it was applied stays.
#[utoipa::path(delete, path = "/api/v1/imports/{import}", operation_id = "discard_import", tag = "import",
    params(("import" = uuid::Uuid, Path, description = "The list")), security(("session" = []), ("token" = [])),
    responses((status = 204, description = "Gone"),
        (status = 409, description = "`import_under_way`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn discard(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(id): Object<ImportId>,
) -> Result<StatusCode, Problem> {
    ready(&node, &who, id, &[ImportState::Draft, ImportState::Applied, ImportState::Undone]).await?;
    match node.store.imports().discard_import(&who.scope, id, node.clock.now()).await? {
        ImportOutcome::Done(_) => Ok(StatusCode::NO_CONTENT),
        other => Err(refusal(other).into()),
    }
}

/// The content with its corrections; `None` when one names what is not there.
fn corrected(mut content: Content, change: &ImportChange) -> Option<Content> {
    if let Some(columns) = &change.columns {
        let twice = |column: &Column| columns.iter().filter(|other| *other == column).count() > 1;
        if columns.len() != content.head.len()
            || columns.len() > MAX_COLUMNS
            || columns.iter().any(|column| *column != Column::Ignored && twice(column))
        {
            return None;
        }
        content.columns.clone_from(columns);
    }
    for NewCell { row, column, text } in &change.cells {
        let text = text.reveal().trim();
        if text.chars().count() > MAX_CELL {
            return None;
        }
        content.rows.set(*row, *column, text).then_some(())?;
    }
    for row in &change.leave_out {
        content.rows.row(*row)?;
        content.left_out.insert(*row);
    }
    for row in &change.take {
        content.left_out.remove(row);
    }
    content.make_homes = change.make_homes.unwrap_or(content.make_homes);
    Some(content)
}

/// A list as it stands beside who lives there now.
async fn shown(node: &Node, who: &Caller, id: ImportId, rows: Rows) -> Result<ImportView, Problem> {
    beside(node, who, id, move |import, content, house| Ok(view(&import, content, &house, &rows))).await
}

/// Does something with a list and who lives there now.
pub(super) async fn beside<T: Send + 'static>(
    node: &Node,
    who: &Caller,
    id: ImportId,
    work: impl FnOnce(Import, Content, House) -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    let imports = node.store.imports();
    let mut import = imports.import(&who.scope, id, node.clock.now()).await?.ok_or(Code::NotFound)?;
    let house = imports.house(&who.scope, import.building).await?.ok_or(Code::NotFound)?;
    apart(node, move || {
        let text = std::mem::take(&mut import.content);
        let content = Content::parse(text.reveal()).ok_or(Code::Internal)?;
        drop(text);
        work(import, content, house)
    })
    .await
}

/// As it would be: what is new has no real id yet.
pub(super) fn judge(content: &Content, house: &House) -> Checked {
    check(content, house, |index| Uuid::from_u128(u128::try_from(index).unwrap_or_default()))
}

/// Long work without waiting for anything.
async fn apart<T: Send + 'static>(
    node: &Node,
    work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    node.apart.run(work).await.ok_or(Code::Internal)?
}

fn view(import: &Import, content: Content, house: &House, wanted: &Rows) -> ImportView {
    let checked = judge(&content, house);
    let mut counts = ImportCounts { all: checked.rows.len(), ..ImportCounts::default() };
    for row in &checked.rows {
        *match row.status {
            Status::Error => &mut counts.error,
            Status::New => &mut counts.new,
            Status::Changed => &mut counts.changed,
            Status::Same => &mut counts.same,
            Status::LeftOut => &mut counts.left_out,
        } += 1;
    }
    let limit = wanted.limit.unwrap_or(100).clamp(1, PAGE);
    let fits = |judged: &Judged| wanted.status.is_none_or(|status| status == judged.status);
    let rows = content.rows.rows().zip(checked.rows).enumerate().skip(wanted.cursor.unwrap_or(0));
    let mut items: Vec<ImportRow> = rows
        .filter(|(_, (_, judged))| fits(judged))
        .take(limit + 1)
        .map(|(row, (cells, Judged { status, errors, changed }))| ImportRow {
            row,
            status,
            cells: cells.cells().map(str::to_owned).collect(),
            errors,
            changed,
        })
        .collect();
    let next = if items.len() > limit { items.pop().map(|row| row.row) } else { None };
    let (people, homes) =
        import.done.as_ref().map_or((&[][..], 0), |done| (done.people.as_slice(), done.homes.len()));
    ImportView {
        id: import.id,
        building: import.building,
        state: import.state.into(),
        ends_at: import.ends_at,
        head: content.head,
        columns: content.columns,
        missing: checked.missing,
        counts,
        not_named: checked.not_named,
        homes: checked.homes,
        make_homes: content.make_homes && house.makes_homes,
        may_make_homes: house.makes_homes,
        made_homes: homes,
        made_people: people.len(),
        people: people.iter().copied().take(PAGE).collect(),
        items,
        next,
    }
}

impl From<ReadError> for Problem {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::TooLarge => Code::TooLarge,
            ReadError::TooManyRows => Code::TooManyRows,
            ReadError::TooManyColumns => Code::TooManyColumns,
            ReadError::CellTooLong => Code::CellTooLong,
            ReadError::Empty => Code::EmptyList,
            ReadError::NotAList => Code::NotAList,
        }
        .into()
    }
}
