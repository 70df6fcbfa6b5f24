//! A list is applied, all that is good of it or nothing, and undone within 24 hours.
//!
//! What it does is decided in the transaction that does it, from who lives there at that moment.

use super::imports::{ImportView, KEPT, Rows, judged, shown};
use crate::auth::caller::Caller;
use crate::http::body::{Body, Object};
use crate::http::problem::{Code, Problem, ProblemBody};
use crate::import::check::{Status, check};
use crate::import::content::Content;
use crate::node::Node;
use crate::spreadsheet::{MARK, harmless};
use crate::text::Language;
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;
use klinke_model::ids::{ImportId, PersonId};
use klinke_storage::record::ImportOutcome;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// How to apply a list.
#[derive(Deserialize, ToSchema)]
pub struct ApplyImport {
    /// Rows with errors are left out. Else nothing is done while there is one.
    leave_out_errors: bool,
}

/// An import that was taken back.
#[derive(Serialize, ToSchema)]
pub struct Undone {
    /// People who stay, because they have signed in or have another home since.
    kept: usize,
}

/// Applies a list: every good row, in one step.
#[utoipa::path(post, path = "/api/v1/imports/{import}/apply", operation_id = "apply_import", tag = "import", request_body = ApplyImport,
    params(("import" = uuid::Uuid, Path, description = "The list")), security(("session" = []), ("token" = [])),
    responses((status = 200, description = "Applied", body = ImportView),
        (status = 409, description = "`import_applied`; `import_has_errors`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn apply(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(id): Object<ImportId>,
    Body(how): Body<ApplyImport>,
) -> Result<Json<ImportView>, Problem> {
    let (import, content, _) = judged(&node, &who, id).await?;
    if import.applied {
        return Err(Code::ImportApplied.into());
    }
    let now = node.clock.now();
    // drawn before the transaction, which may begin again
    let ids: Vec<PersonId> = content.rows.iter().map(|_| node.random.v7(now)).collect();
    let nobody = PersonId(uuid::Uuid::nil());
    let decide = |house: &klinke_storage::record::House, text: &str| {
        let mut content = Content::parse(text)?;
        let checked = check(&content, house, |index| ids.get(index).copied().unwrap_or(nobody));
        let wrong = checked.rows.iter().any(|row| row.status == Status::Error);
        if !checked.missing.is_empty() || (wrong && !how.leave_out_errors) {
            return None;
        }
        content.done = Some(checked.plan.clone());
        Some((checked.plan, content.text()?))
    };
    let (imports, stamp) = (node.store.imports(), node.stamp());
    match imports.apply_import(&who.scope, &stamp, id, now.plus(KEPT), decide).await? {
        ImportOutcome::Done(_) => shown(&node, &who, id, Rows::default()).await.map(Json),
        ImportOutcome::Refused => Err(Code::ImportHasErrors.into()),
        ImportOutcome::Absent => Err(Code::NotFound.into()),
    }
}

/// Undoes an applied list, within 24 hours, and forgets it. What somebody changed since stays changed.
#[utoipa::path(post, path = "/api/v1/imports/{import}/undo", operation_id = "undo_import", tag = "import",
    params(("import" = uuid::Uuid, Path, description = "The list")), security(("session" = []), ("token" = [])),
    responses((status = 200, description = "Undone", body = Undone),
        (status = 409, description = "`import_not_applied`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn undo(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(id): Object<ImportId>,
) -> Result<Json<Undone>, Problem> {
    let did = |text: &str| Content::parse(text)?.done;
    match node.store.imports().undo_import(&who.scope, &node.stamp(), id, did).await? {
        ImportOutcome::Done(kept) => Ok(Json(Undone { kept })),
        ImportOutcome::Refused => Err(Code::ImportNotApplied.into()),
        ImportOutcome::Absent => Err(Code::NotFound.into()),
    }
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
    let (_, content, checked) = judged(&node, &who, id).await?;
    let mut writer = csv::WriterBuilder::new().delimiter(b';').flexible(true).from_writer(Vec::new());
    let failed = |_| Problem::from(Code::Internal);
    let reason = language.text("import-reason").unwrap_or_default();
    let head = content.head.iter().map(|cell| harmless(cell)).chain([reason]);
    writer.write_record(head).map_err(failed)?;
    for (cells, judged) in content.rows.iter().zip(&checked.rows) {
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
        writer
            .write_record(cells.iter().map(|cell| harmless(cell)).chain([harmless(&told)]))
            .map_err(failed)?;
    }
    let bytes = writer.into_inner().map_err(|_| Problem::from(Code::Internal))?;
    let body = [MARK.as_bytes(), &bytes].concat();
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"errors.csv\""),
        (header::VARY, "Accept-Language"),
    ];
    Ok((StatusCode::OK, headers, body))
}
