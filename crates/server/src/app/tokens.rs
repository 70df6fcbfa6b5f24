//! Tokens of other programs: which there are, making one, taking one back.
//!
//! For who gives roles there. The token itself is shown once, in the answer that makes it; kept is its hash.

use super::{administrator, allowed, everywhere};
use crate::auth::caller::PREFIX;
use crate::auth::session::SignedIn;
use crate::auth::token::Token;
use crate::http::body::{Body, Object};
use crate::http::problem::{Code, FieldCode, Fields, Problem, ProblemBody};
use crate::node::Node;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use klinke_model::ids::{ApiTokenId, BuildingId, PersonId};
use klinke_model::privacy::Pii;
use klinke_model::rights::Right;
use klinke_model::text::Label;
use klinke_model::time::Timestamp;
use klinke_storage::record::{self, NewApiToken, TokenFault};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// A token of another program.
#[derive(Serialize, ToSchema)]
pub struct ApiToken {
    id: ApiTokenId,
    /// What its maker calls it.
    name: Label,
    /// What it allows, as far as its maker may do it.
    rights: Vec<Right>,
    /// The building; absent when it is every building.
    #[serde(skip_serializing_if = "Option::is_none")]
    building: Option<BuildingId>,
    /// Who made it: it never does more than they may.
    issuer: PersonId,
    /// What they are called; absent for who goes without a name.
    #[serde(skip_serializing_if = "Option::is_none")]
    issuer_name: Option<Label>,
    /// First moment at which it is over, in UTC milliseconds.
    ends_at: Timestamp,
    /// It is over.
    ended: bool,
}

/// A token to be made.
#[derive(Deserialize, ToSchema)]
pub struct NewToken {
    /// What one calls it, such as the program's name.
    name: String,
    /// What it allows: one or more, all of which one has there, none of `roles` and `tenants`.
    rights: Vec<Right>,
    /// The building; absent for every building.
    #[schema(required = false)]
    building: Option<BuildingId>,
    /// First moment at which it is over, in UTC milliseconds; within 366 days.
    ends_at: Timestamp,
}

/// The token that was made.
#[derive(Serialize, ToSchema)]
pub struct MadeToken {
    id: ApiTokenId,
    /// To be sent as `Authorization: Bearer …`. Shown this once.
    #[schema(example = "klk_…")]
    token: String,
}

/// The tokens for buildings where one gives roles, by name; also what has ended.
#[utoipa::path(get, path = "/api/v1/tokens", operation_id = "tokens", tag = "tokens", security(("session" = [])),
    responses((status = 200, description = "The tokens", body = [ApiToken]),
        (status = 403, description = "`forbidden`: gives no roles; `confidentiality_required`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn list(State(node): State<Arc<Node>>, who: SignedIn) -> Result<Json<Vec<ApiToken>>, Problem> {
    administrator(&node, &who, Right::Roles).await?;
    let tokens = node.store.tokens().tokens(&who.scope).await?;
    let shown = tokens.into_iter().map(|token| {
        let record::ApiToken { id, name, building, rights, issuer, issuer_name, ends_at } = token;
        let issuer_name = issuer_name.map(Pii::into_inner);
        ApiToken { id, name, rights, building, issuer, issuer_name, ends_at, ended: ends_at <= who.scope.at }
    });
    Ok(Json(shown.collect()))
}

/// Makes a token for another program. Nobody gives more than they have.
#[utoipa::path(post, path = "/api/v1/tokens", operation_id = "make_token", tag = "tokens", request_body = NewToken, security(("session" = [])),
    responses((status = 201, description = "Made; the token is in the answer, this once", body = MadeToken),
        (status = 403, description = "`forbidden`: more than one has; `confidentiality_required`; `wrong_origin`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not_found`: the building", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn make(
    State(node): State<Arc<Node>>,
    who: SignedIn,
    Body(new): Body<NewToken>,
) -> Result<(StatusCode, Json<MadeToken>), Problem> {
    match new.building {
        Some(building) => drop(allowed(&node, &who, Right::Roles, building).await?),
        None => everywhere(&node, &who, Right::Roles).await?,
    }
    let stamp = node.stamp();
    let (id, token) = (node.random.v7(stamp.at), Token::new(&node.random));
    let mut fields = Fields::default();
    let Some(name) = fields.label("/name", &new.name) else { return Err(fields.into()) };
    let NewToken { rights, building, ends_at, .. } = new;
    let new = NewApiToken { id, name, token_hash: token.hash().0, building, rights, ends_at };
    match new.fault(stamp.at) {
        Some(TokenFault::NoRights) => fields.wrong("/rights", FieldCode::Required),
        Some(TokenFault::WrongRights) => fields.wrong("/rights", FieldCode::OutOfRange),
        Some(TokenFault::WrongEnd) => fields.wrong("/ends_at", FieldCode::OutOfRange),
        None => {}
    }
    fields.check()?;
    if !node.store.tokens().make_token(&who.scope, &stamp, new).await? {
        return Err(Code::Forbidden.into());
    }
    Ok((StatusCode::CREATED, Json(MadeToken { id, token: format!("{PREFIX}{}", token.text()) })))
}

/// Takes a token back: it works no more.
#[utoipa::path(delete, path = "/api/v1/tokens/{token}", operation_id = "revoke_token", tag = "tokens",
    params(("token" = uuid::Uuid, Path, description = "The token's id")), security(("session" = [])),
    responses((status = 204, description = "It works no more")))]
pub async fn revoke(
    State(node): State<Arc<Node>>,
    who: SignedIn,
    Object(token): Object<ApiTokenId>,
) -> Result<StatusCode, Problem> {
    match node.store.tokens().revoke_token(&who.scope, &node.stamp(), token).await? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(Code::NotFound.into()),
    }
}
