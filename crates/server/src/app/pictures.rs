//! Pictures on buttons (R11): sent by residents or an administrator, drawn anew and small, and given to who sees the button.

use super::bells::Bell;
use super::my_bells::{MyBell, decided};
use super::{allowed, change_bell};
use crate::auth::caller::Caller;
use crate::auth::panel_pass::Onlookers;
use crate::auth::session::SignedIn;
use crate::http::body::Object;
use crate::http::problem::{Code, Problem, ProblemBody};
use crate::node::Node;
use crate::picture::{self, PictureError};
use crate::signalling::refresh::panels_changed;
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use klinke_model::ids::{BellId, PictureId};
use klinke_model::intercom::Moderation;
use klinke_model::policy::{Asking, BellChange};
use klinke_model::privacy::Pii;
use klinke_model::rights::Right;
use klinke_storage::record::{self, NewPicture, PictureSet};
use std::sync::Arc;

/// An id stands for one picture for ever, so a browser need not ask again; and what was taken away leaves it in a week.
const KEPT: &str = "private, max-age=604800, immutable";

/// Puts a picture on one of one's own buttons: a JPEG, PNG or WebP of 10 MB at most. Its middle is kept, small.
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
    file: Result<Bytes, BytesRejection>,
) -> Result<Json<MyBell>, Problem> {
    // first whose it is, and whether they may: nothing else is decoded
    let before = mine(&node, &who, bell).await?;
    let asking = Asking { owner: before.owner, removed: before.moderation == Moderation::Removed };
    before.policy.resident_may(BellChange::Picture, asking).map_err(decided)?;
    let picture = drawn(&node, file).await?;
    change(&node, &who, bell, Some(picture)).await
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
    change(&node, &who, bell, None).await
}

/// Puts a picture on a button: a JPEG, PNG or WebP of 10 MB at most. Its middle is kept, small, and stands at once. To take it
/// away, see `moderate_bell`.
#[utoipa::path(put, path = "/api/v1/bells/{bell}/picture", operation_id = "put_picture", tag = "buildings",
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    params(("bell" = uuid::Uuid, Path, description = "The button")), security(("session" = []), ("token" = [])),
    responses((status = 200, description = "There", body = Bell),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`no_pictures`: the building's policy allows none", body = ProblemBody, content_type = "application/problem+json"),
        (status = 413, description = "`too_large`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`not_a_picture`; `picture_too_large`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn put(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(bell): Object<BellId>,
    file: Result<Bytes, BytesRejection>,
) -> Result<Json<Bell>, Problem> {
    let (building, _) = change_bell::found(&node, &who, bell).await?;
    allowed(&node, &who, Right::ChangeBuilding, building).await?;
    let picture = drawn(&node, file).await?;
    match node.store.intercom().put_picture(&who.scope, &node.stamp(), bell, picture).await? {
        PictureSet::Done(building) => {
            panels_changed(&node, who.scope.tenant, building);
            Ok(Json(change_bell::found(&node, &who, bell).await?.1.into()))
        }
        PictureSet::Decided(_) => Err(Code::NoPictures.into()),
        PictureSet::NotThere => Err(Code::NotFound.into()),
    }
}

/// A picture: for those whose button it is, who sees the building's people, and the panel that shows it (which has a cookie
/// from its WebSocket).
#[utoipa::path(get, path = "/api/v1/pictures/{picture}", operation_id = "picture", tag = "buildings",
    params(("picture" = uuid::Uuid, Path, description = "The picture")), security(("session" = []), ("token" = [])),
    responses((status = 200, description = "The picture", content_type = "image/jpeg", body = Vec<u8>),
        (status = 304, description = "The one that the asker has"),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn show(
    State(node): State<Arc<Node>>,
    Onlookers(scopes): Onlookers,
    Object(picture): Object<PictureId>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    for scope in scopes {
        let Some(content) = node.store.intercom().picture(&scope, picture).await? else { continue };
        let tag = format!("\"{picture}\"");
        let has = headers.get(header::IF_NONE_MATCH).is_some_and(|has| has.as_bytes() == tag.as_bytes());
        let about = [
            (header::CONTENT_TYPE, "image/jpeg".to_owned()),
            (header::CACHE_CONTROL, KEPT.to_owned()),
            (header::ETAG, tag),
        ];
        return Ok(if has {
            (StatusCode::NOT_MODIFIED, about).into_response()
        } else {
            (about, content).into_response()
        });
    }
    Err(Code::NotFound.into())
}

/// What was sent, as it is kept.
async fn drawn(node: &Node, file: Result<Bytes, BytesRejection>) -> Result<NewPicture, Problem> {
    let file = file.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Code::TooLarge,
        _ => Code::Malformed,
    })?;
    let small = node.apart.run(move || picture::small(&file)).await.ok_or(Code::Internal)?;
    let small = small.map_err(|error| match error {
        PictureError::NotAPicture => Code::NotAPicture,
        PictureError::TooManyPoints => Code::PictureTooLarge,
    })?;
    Ok(NewPicture { id: node.random.v4(), content: Pii::new(small) })
}

async fn change(
    node: &Arc<Node>,
    who: &SignedIn,
    bell: BellId,
    picture: Option<NewPicture>,
) -> Result<Json<MyBell>, Problem> {
    match node.store.households().set_my_picture(&who.scope, bell, picture).await? {
        PictureSet::Done(building) => {
            panels_changed(node, who.scope.tenant, building);
            Ok(Json(mine(node, who, bell).await?.into()))
        }
        PictureSet::Decided(by) => Err(decided(by)),
        PictureSet::NotThere => Err(Code::NotFound.into()),
    }
}

async fn mine(node: &Node, who: &SignedIn, bell: BellId) -> Result<record::MyBell, Problem> {
    let all = node.store.households().my_bells(&who.scope).await?;
    Ok(all.into_iter().find(|mine| mine.id == bell).ok_or(Code::NotFound)?)
}
