//! Codes of one's own (R45): where the building's policy lets residents have one. It opens at keypads what its person may open
//! there. Whoever lives there asks for it, has it changed and ends it; administrators see that it is there, and never the code.

use crate::auth::session::SignedIn;
use crate::http::body::Object;
use crate::http::problem::{Code, Problem, ProblemBody};
use crate::node::Node;
use crate::passes::under_duress;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use klinke_model::ids::BuildingId;
use klinke_model::text::Label;
use klinke_storage::record::{self, MyCodeMade};
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// A building in which one may have a code.
#[derive(Serialize, ToSchema)]
pub struct MyCode {
    building: BuildingId,
    building_name: Label,
    /// Six digits or eight; absent while one has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    code: Option<String>,
    /// Opens the same and raises a silent alarm; absent where the building does not use it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    duress: Option<String>,
}

/// One's own codes.
#[derive(Serialize, ToSchema)]
pub struct MyCodes {
    /// By the names of the buildings; empty where no policy lets one have any.
    items: Vec<MyCode>,
}

fn shown(node: &Node, who: &SignedIn, found: record::MyCode) -> MyCode {
    let record::MyCode { building, building_name, number, duress } = found;
    let code = number.map(|number| node.passes.own_code(who.scope.tenant, building, who.person, number));
    let duress = code.as_deref().filter(|_| duress).map(under_duress);
    MyCode { building, building_name, code, duress }
}

/// One's own codes, and where one may have one.
#[utoipa::path(get, path = "/api/v1/me/codes", operation_id = "my_codes", tag = "me", security(("session" = [])),
    responses((status = 200, description = "The codes", body = MyCodes)))]
pub async fn list(State(node): State<Arc<Node>>, who: SignedIn) -> Result<Json<MyCodes>, Problem> {
    let codes = node.store.own_codes().my_codes(&who.scope).await?;
    Ok(Json(MyCodes { items: codes.into_iter().map(|code| shown(&node, &who, code)).collect() }))
}

/// Gives one a code, or another one: the one before opens nothing at once.
#[utoipa::path(post, path = "/api/v1/me/codes/{building}", operation_id = "renew_my_code", tag = "me",
    params(("building" = uuid::Uuid, Path, description = "The building")), security(("session" = [])),
    responses((status = 200, description = "It opens from now on", body = MyCode),
        (status = 403, description = "`decided_by_administrator`: the building's policy lets nobody have one", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not_found`: not one's home", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn renew(
    State(node): State<Arc<Node>>,
    who: SignedIn,
    Object(building): Object<BuildingId>,
) -> Result<Json<MyCode>, Problem> {
    let draw = u32::from_be_bytes(node.random.bytes());
    let choices = node.passes.own_choices(who.scope.tenant, building, who.person, draw);
    match node.store.own_codes().renew_my_code(&who.scope, building, choices).await? {
        MyCodeMade::Done(code) => Ok(Json(shown(&node, &who, code))),
        MyCodeMade::NotThere => Err(Code::NotFound.into()),
        MyCodeMade::Administrators => Err(Code::DecidedByAdministrator.into()),
    }
}

/// Ends one's code: it opens nothing at once.
#[utoipa::path(delete, path = "/api/v1/me/codes/{building}", operation_id = "end_my_code", tag = "me",
    params(("building" = uuid::Uuid, Path, description = "The building")), security(("session" = [])),
    responses((status = 204, description = "It opens nothing any more"),
        (status = 404, description = "`not_found`: there is none", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn end(
    State(node): State<Arc<Node>>,
    who: SignedIn,
    Object(building): Object<BuildingId>,
) -> Result<StatusCode, Problem> {
    if node.store.own_codes().end_my_code(&who.scope, building).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Code::NotFound.into())
    }
}
