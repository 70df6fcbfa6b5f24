//! A list is applied, all that is good of it or nothing, and undone within 24 hours.
//!
//! Both go on without the asker: they answer 202, and [`progress`] tells how far they are. The work itself, and what it
//! decides, is in [`crate::importing`].

use super::imports::{Stands, beside, judge, ready, refusal};
use crate::auth::caller::Caller;
use crate::http::body::{Body, Object};
use crate::http::problem::{Code, Problem, ProblemBody};
use crate::import::check::{Checked, Status};
use crate::import::content::Content;
use crate::node::Node;
use crate::spreadsheet::{MARK, harmless};
use crate::text::Language;
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;
use klinke_model::ids::{BuildingId, ImportId};
use klinke_storage::record::{ImportFailure, ImportOutcome, ImportState, ImportWish};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// How to apply a list.
#[derive(Deserialize, ToSchema)]
pub struct ApplyImport {
    /// Rows with errors are left out. Else nothing is done while there is one.
    leave_out_errors: bool,
}

/// Why a list was not applied or undone. Nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ImportFailure)]
pub enum Failure {
    /// It has rows with errors that were not to be left out, or a column is not named.
    HasErrors,
    /// The server stopped, or its database failed. It can be tried again.
    Interrupted,
    /// Whoever asked may not do it any more.
    NotAllowed,
}

impl From<ImportFailure> for Failure {
    fn from(failure: ImportFailure) -> Self {
        match failure {
            ImportFailure::HasErrors => Self::HasErrors,
            ImportFailure::Interrupted => Self::Interrupted,
            ImportFailure::NotAllowed => Self::NotAllowed,
        }
    }
}

/// How far a list has come.
#[derive(Serialize, ToSchema)]
pub struct ImportProgress {
    id: ImportId,
    building: BuildingId,
    state: Stands,
    /// While it is applied or undone: how much is written, of `all`.
    written: usize,
    /// 0 until it is known.
    all: usize,
    /// Why the last try to apply or undo it changed nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    failed: Option<Failure>,
    /// Once undone: people who stay, because they have signed in or have another home since.
    kept: u64,
}

/// Applies a list: every good row, in one step. It goes on without the asker.
#[utoipa::path(post, path = "/api/v1/imports/{import}/apply", operation_id = "apply_import", tag = "import", request_body = ApplyImport,
    params(("import" = uuid::Uuid, Path, description = "The list")), security(("session" = []), ("token" = [])),
    responses((status = 202, description = "It is being applied", body = ImportProgress),
        (status = 409, description = "`import_applied`; `import_under_way`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn apply(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(id): Object<ImportId>,
    Body(how): Body<ApplyImport>,
) -> Result<(StatusCode, Json<ImportProgress>), Problem> {
    begin(&node, &who, id, ImportWish::Apply { leave_out_errors: how.leave_out_errors }).await
}

/// Undoes an applied list, within 24 hours, and forgets its rows. What somebody changed since stays changed. It goes on
/// without the asker.
#[utoipa::path(post, path = "/api/v1/imports/{import}/undo", operation_id = "undo_import", tag = "import",
    params(("import" = uuid::Uuid, Path, description = "The list")), security(("session" = []), ("token" = [])),
    responses((status = 202, description = "It is being undone", body = ImportProgress),
        (status = 409, description = "`import_not_applied`; `import_under_way`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn undo(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(id): Object<ImportId>,
) -> Result<(StatusCode, Json<ImportProgress>), Problem> {
    begin(&node, &who, id, ImportWish::Undo).await
}

/// How far a list has come: cheap, to be asked again while it is applied or undone.
#[utoipa::path(get, path = "/api/v1/imports/{import}/progress", operation_id = "import_progress", tag = "import",
    params(("import" = uuid::Uuid, Path, description = "The list")), security(("session" = []), ("token" = [])),
    responses((status = 200, description = "How far", body = ImportProgress)))]
pub async fn progress(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(id): Object<ImportId>,
) -> Result<Json<ImportProgress>, Problem> {
    stands(&node, &who, id).await.map(Json)
}

async fn begin(
    node: &Node,
    who: &Caller,
    id: ImportId,
    wish: ImportWish,
) -> Result<(StatusCode, Json<ImportProgress>), Problem> {
    let from = match wish {
        ImportWish::Apply { .. } => ImportState::Draft,
        ImportWish::Undo => ImportState::Applied,
    };
    ready(node, who, id, &[from]).await?;
    let stamp = node.stamp();
    let job = node.random.v7(stamp.at);
    match node.store.imports().ask_import(&who.scope, &stamp, id, wish, job).await? {
        ImportOutcome::Done(_) => {}
        other => return Err(refusal(other).into()),
    }
    node.importing.wake();
    Ok((StatusCode::ACCEPTED, Json(stands(node, who, id).await?)))
}

async fn stands(node: &Node, who: &Caller, id: ImportId) -> Result<ImportProgress, Problem> {
    let now = node.clock.now();
    let list = node.store.imports().import_standing(&who.scope, id, now).await?.ok_or(Code::NotFound)?;
    let (written, all) = node.importing.written(id);
    Ok(ImportProgress {
        id,
        building: list.building,
        state: list.state.into(),
        written,
        all,
        failed: list.failed.map(Failure::from),
        kept: list.kept,
    })
}

/// The rows with errors as CSV, with a reason each, to be put right in a spreadsheet and read in again.
#[utoipa::path(get, path = "/api/v1/imports/{import}/errors.csv", operation_id = "import_errors", tag = "import",
    params(("import" = uuid::Uuid, Path, description = "The list")), security(("session" = []), ("token" = [])),
    responses((status = 200, description = "The rows", body = String, content_type = "text/csv")))]
pub async fn errors(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(id): Object<ImportId>,
    headers: HeaderMap,
) -> Result<impl IntoResponse, Problem> {
    let language = Language::preferred(&headers);
    let bytes = beside(&node, &who, id, move |_, content, house| {
        let checked = judge(&content, &house);
        written(&content, &checked, language).map_err(|_| Code::Internal.into())
    })
    .await?;
    let body = [MARK.as_bytes(), &bytes].concat();
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"errors.csv\""),
        (header::VARY, "Accept-Language"),
    ];
    Ok((StatusCode::OK, headers, body))
}

/// The rows with errors, each with its reasons at its end.
fn written(content: &Content, checked: &Checked, language: Language) -> Result<Vec<u8>, std::io::Error> {
    let mut writer = csv::WriterBuilder::new().delimiter(b';').flexible(true).from_writer(Vec::new());
    let reason = language.text("import-reason").unwrap_or_default();
    let head = content.head.iter().map(|cell| harmless(cell)).chain([reason]);
    writer.write_record(head)?;
    for (cells, judged) in content.rows.rows().zip(&checked.rows) {
        if judged.status != Status::Error {
            continue;
        }
        let told = judged.errors.iter().map(|error| {
            let code = serde_json::to_value(error.code).unwrap_or_default();
            let id = format!("admin-import-error-{}", code.as_str().unwrap_or_default().replace('_', "-"));
            let column = content.head.get(error.column).map_or("", String::as_str);
            format!("{column}: {}", language.text(&id).unwrap_or_default())
        });
        let told = told.collect::<Vec<_>>().join(" · ");
        writer.write_record(cells.cells().map(harmless).chain([harmless(&told)]))?;
    }
    writer.into_inner().map_err(|error| error.into_error())
}
