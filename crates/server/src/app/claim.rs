//! The first claim: whoever read the set-up code on the console becomes the first administrator.

use crate::app::sign_in::{SignedInNow, sign_in};
use crate::auth::password::{check_choice, check_user_name, fold_user_name};
use crate::http::body::Body;
use crate::http::client::Client;
use crate::http::problem::{Code, Fields, Problem, ProblemBody};
use crate::node::Node;
use crate::setup::Typed;
use axum::Json;
use axum::extract::State;
use klinke_model::ids::{PersonId, TenantId};
use klinke_model::people::Person;
use klinke_model::privacy::Pii;
use klinke_model::site::Tenant;
use klinke_model::text::Label;
use klinke_storage::record::{NewAccount, NewInstallation};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// Whether the installation has an owner.
#[derive(Serialize, ToSchema)]
pub struct Setup {
    claimed: bool,
}

/// What the first administrator types.
#[derive(Deserialize, ToSchema)]
pub struct Claim {
    /// The set-up code from the console; case, spaces and dashes do not matter.
    #[schema(example = "7ZZZ-ZZZZ-ZZZZ-ZZZZ-ZZZZ-ZZZZ-ZZ")]
    code: String,
    /// Name of the property manager.
    organisation: String,
    /// The administrator's own name.
    #[schema(value_type = String)]
    name: Pii<String>,
    /// What to sign in with: 3 to 80 characters without white space, kept in lower case.
    #[schema(value_type = String, min_length = 3, max_length = 80)]
    user_name: Pii<String>,
    /// 12 to 200 characters that do not hold the user name.
    #[schema(value_type = String, format = Password, min_length = 12, max_length = 200)]
    password: Pii<String>,
}

/// Why a claim fails.
#[derive(Debug, thiserror::Error)]
pub enum ClaimError {
    /// Somebody was first.
    #[error("the installation was claimed before")]
    AlreadyClaimed,
    /// Not the code.
    #[error("not the set-up code")]
    WrongCode,
    /// The code's time is over.
    #[error("the set-up code is too old")]
    CodeExpired,
}

impl From<ClaimError> for Problem {
    fn from(error: ClaimError) -> Self {
        match error {
            ClaimError::AlreadyClaimed => Code::AlreadyClaimed.into(),
            ClaimError::WrongCode => Code::WrongCode.into(),
            ClaimError::CodeExpired => Code::CodeExpired.into(),
        }
    }
}

/// Whether the installation has an owner.
#[utoipa::path(get, path = "/api/v1/setup", operation_id = "setup", tag = "setup",
    responses((status = 200, description = "Whether it has", body = Setup)))]
pub async fn state(State(node): State<Arc<Node>>) -> Result<Json<Setup>, Problem> {
    Ok(Json(Setup { claimed: node.setup.is_claimed(&node.store).await? }))
}

/// Gives the installation its owner, and signs them in.
#[utoipa::path(post, path = "/api/v1/setup/claim", operation_id = "claim", tag = "setup", request_body = Claim,
    responses(
        (status = 201, description = "Claimed and signed in; the session's cookie is set", body = super::session::Session, headers(("Set-Cookie" = String))),
        (status = 403, description = "`wrong_code`; `wrong_origin`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 410, description = "`already_claimed`; `code_expired`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "`too_many_tries`, with `Retry-After`", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub async fn handler(
    State(node): State<Arc<Node>>,
    client: Client,
    Body(claim): Body<Claim>,
) -> Result<SignedInNow, Problem> {
    if node.setup.is_claimed(&node.store).await? {
        return Err(ClaimError::AlreadyClaimed.into());
    }
    // The code comes before the form: who does not know it learns nothing of what else would be asked.
    let attempt = node.setup.attempt(client.prefix())?;
    match node.setup.check(&claim.code) {
        Typed::Right => attempt.give_back(),
        Typed::Wrong => return Err(ClaimError::WrongCode.into()),
        Typed::Late => return Err(ClaimError::CodeExpired.into()),
    }
    let user_name = fold_user_name(&claim.user_name);
    let mut fields = Fields::default();
    let organisation = fields.label("/organisation", &claim.organisation);
    let name = fields.label("/name", claim.name.reveal());
    check_user_name(&mut fields, "/user_name", &user_name);
    check_choice(&mut fields, "/password", &claim.password, &user_name);
    let (Some(organisation), Some(name)) = (organisation, name) else { return Err(fields.into()) };
    fields.check()?;

    let now = node.clock.now();
    let (tenant, person): (TenantId, PersonId) = (node.random.v7(now), node.random.v7(now));
    let new = NewInstallation {
        tenant: Tenant { id: tenant, name: organisation },
        administrator: Person::named(person, name),
        account: NewAccount { person, user_name, password_hash: node.passwords.hash(claim.password).await? },
        roles: (node.random.v7(now), node.random.v7(now)),
    };
    if !node.store.gate().claim(&node.stamp(), new).await? {
        return Err(ClaimError::AlreadyClaimed.into());
    }
    tracing::info!("the installation was claimed");
    let browser = Label::new("Browser").map_err(|_| Code::Internal)?;
    sign_in(&node, tenant, person, browser).await
}
