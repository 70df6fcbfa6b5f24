//! Pictures on buttons (R11): put there by residents, made small here, asked for by their hash.

use super::my_bells::{MyBell, decided};
use crate::auth::session::SignedIn;
use crate::http::body::Object;
use crate::http::problem::{Code, Problem, ProblemBody};
use crate::node::Node;
use crate::picture::{self, PictureError};
use crate::signalling::refresh::panels_changed;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use klinke_model::ids::BellId;
use klinke_storage::record::PictureSet;
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// Puts a picture on one of one's own buttons: a JPEG, PNG or WebP of 5 MB at most. Its middle is kept, small.
#[utoipa::path(put, path = "/api/v1/me/bells/{bell}/picture", operation_id = "set_my_picture", tag = "me",
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    params(("bell" = uuid::Uuid, Path, description = "The button")), security(("session" = [])),
    responses((status = 200, description = "There; seen at once, or once an administrator has approved it", body = MyBell),
        (status = 403, description = "`decided_by_administrator`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 413, description = "`too_large`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`not_a_picture`; `picture_too_large`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn set(
    State(node): State<Arc<Node>>,
    who: SignedIn,
    Object(bell): Object<BellId>,
    file: Result<Bytes, axum::extract::rejection::BytesRejection>,
) -> Result<Json<MyBell>, Problem> {
    // first whose it is: nobody else's file is read
    mine(&node, &who, bell).await?;
    let file = file.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Code::TooLarge,
        _ => Code::Malformed,
    })?;
    let turn = node.reading.try_acquire().map_err(|_| Code::Overloaded)?;
    let small = tokio::task::spawn_blocking(move || picture::small(&file)).await.map_err(|_| Code::Internal)?;
    drop(turn);
    let small = small.map_err(|error| match error {
        PictureError::NotAPicture => Code::NotAPicture,
        PictureError::TooManyPoints => Code::PictureTooLarge,
    })?;
    let hash: [u8; 32] = Sha256::digest(&small).into();
    put(&node, &who, bell, Some((hash, small))).await
}

/// Takes the picture off one of one's own buttons.
#[utoipa::path(delete, path = "/api/v1/me/bells/{bell}/picture", operation_id = "remove_my_picture", tag = "me",
    params(("bell" = uuid::Uuid, Path, description = "The button")), security(("session" = [])),
    responses((status = 200, description = "Gone", body = MyBell),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn remove(
    State(node): State<Arc<Node>>,
    who: SignedIn,
    Object(bell): Object<BellId>,
) -> Result<Json<MyBell>, Problem> {
    put(&node, &who, bell, None).await
}

async fn put(
    node: &Arc<Node>,
    who: &SignedIn,
    bell: BellId,
    picture: Option<([u8; 32], Vec<u8>)>,
) -> Result<Json<MyBell>, Problem> {
    match node.store.households().set_my_picture(&who.scope, bell, picture).await? {
        PictureSet::Done(building) => {
            panels_changed(node, who.scope.tenant, building);
            Ok(Json(mine(node, who, bell).await?))
        }
        PictureSet::Decided(by) => Err(decided(by)),
        PictureSet::NotThere => Err(Code::NotFound.into()),
    }
}

async fn mine(node: &Node, who: &SignedIn, bell: BellId) -> Result<MyBell, Problem> {
    let all = node.store.households().my_bells(&who.scope).await?;
    Ok(all.into_iter().find(|mine| mine.id == bell).ok_or(Code::NotFound)?.into())
}

/// A picture by the hash of its content. Whoever stands before the panel sees it: no session is asked for.
#[utoipa::path(get, path = "/api/v1/pictures/{picture}", operation_id = "picture", tag = "service",
    params(("picture" = String, Path, description = "SHA-256, in hexadecimal")),
    responses((status = 200, description = "The picture", content_type = "image/jpeg", body = Vec<u8>),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn show(State(node): State<Arc<Node>>, Path(name): Path<String>) -> Result<Response, Problem> {
    let hash = read(&name).ok_or(Code::NotFound)?;
    let content = node.store.gate().picture(hash).await?.ok_or(Code::NotFound)?;
    let kept = "private, max-age=31536000, immutable";
    Ok(([(header::CONTENT_TYPE, "image/jpeg"), (header::CACHE_CONTROL, kept)], content).into_response())
}

/// A hash as it stands in addresses.
pub fn written(hash: &[u8; 32]) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn read(name: &str) -> Option<[u8; 32]> {
    let bytes = name.as_bytes();
    if bytes.len() != 64 || !bytes.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
        return None;
    }
    let mut hash = [0; 32];
    for (byte, digits) in hash.iter_mut().zip(bytes.chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    }
    Some(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_64_small_hexadecimal_digits() {
        let hash = [0xa5; 32];
        assert_eq!(read(&written(&hash)), Some(hash));
        for other in ["", "a5", &"A5".repeat(32), &"+5".repeat(32), &"a5".repeat(33)] {
            assert_eq!(read(other), None, "{other}");
        }
    }
}
