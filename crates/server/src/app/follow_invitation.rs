//! Somebody follows their link: it says who they are here, and takes a password.
//!
//! The token comes in the body, never in an address, so that no log holds it. Tries are limited for each address; a link
//! that is good counts against nothing.

use super::invitations::user_name;
use crate::app::sign_in::{SignedInNow, sign_in};
use crate::auth::limit::{Limit, TooMany, Try};
use crate::auth::password::check_choice;
use crate::auth::token::Token;
use crate::http::body::Body;
use crate::http::client::{Client, Prefix};
use crate::http::problem::{Code, Fields, Problem, ProblemBody};
use crate::node::Node;
use axum::Json;
use axum::extract::State;
use klinke_model::privacy::Pii;
use klinke_model::time::Clock;
use klinke_storage::StorageError;
use klinke_storage::record::{Followed, Invited};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;
use utoipa::ToSchema;

/// How often links may be tried from an address.
pub struct InvitationLimit(Limit<Prefix>);

impl InvitationLimit {
    /// Nothing tried yet.
    pub fn new(clock: &Arc<dyn Clock>) -> Self {
        Self(Limit::new(clock.clone(), 20, Duration::from_secs(30)))
    }

    fn attempt(&self, client: Prefix) -> Result<Try<'_, Prefix>, TooMany> {
        self.0.take(client)
    }
}

/// What is behind the `#invite=` of a link.
#[derive(Deserialize, ToSchema)]
pub struct InvitationToken {
    #[schema(value_type = String)]
    token: Pii<String>,
}

/// A password for a link.
#[derive(Deserialize, ToSchema)]
pub struct NewPassword {
    #[schema(value_type = String)]
    token: Pii<String>,
    /// 12 to 200 characters that do not hold the user name.
    #[schema(value_type = String, format = Password, min_length = 12, max_length = 200)]
    password: Pii<String>,
    /// What the owner calls this device, 1 to 80 characters.
    #[schema(value_type = String, example = "Phone")]
    device_name: Pii<String>,
}

/// For whom a link is.
#[derive(Serialize, ToSchema)]
pub struct Welcome {
    /// What they are called; empty for somebody who is anonymous.
    name: String,
    /// What they sign in with from now on.
    user_name: String,
    /// They have a password already: setting it anew signs out every device.
    has_account: bool,
}

/// For whom a link is.
#[utoipa::path(post, path = "/api/v1/invitations/look", operation_id = "look_at_invitation", tag = "session", request_body = InvitationToken,
    responses((status = 200, description = "For whom it is", body = Welcome),
        (status = 404, description = "`unknown_invitation`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 410, description = "`invitation_used`; `invitation_expired`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "`too_many_tries`, with `Retry-After`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn look(
    State(node): State<Arc<Node>>,
    client: Client,
    Body(body): Body<InvitationToken>,
) -> Result<Json<Welcome>, Problem> {
    let attempt = node.invitation_limit.attempt(client.prefix())?;
    let (_, invited) = followed(&node, &body.token).await?;
    attempt.give_back();
    let user_name = user_name(&node, &invited).await?.into_inner();
    let has_account = invited.user_name.is_some();
    Ok(Json(Welcome { name: invited.name.into_inner(), user_name, has_account }))
}

/// Sets a password with a link, and signs this device in. Whoever was signed in as this person no longer is.
#[utoipa::path(post, path = "/api/v1/invitations/accept", operation_id = "accept_invitation", tag = "session", request_body = NewPassword,
    responses((status = 201, description = "Set and signed in; the session's cookie is set", body = super::session::Session, headers(("Set-Cookie" = String))),
        (status = 401, description = "`sign_in_failed`: suspended in between", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`unknown_invitation`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 410, description = "`invitation_used`; `invitation_expired`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "`too_many_tries`, with `Retry-After`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn accept(
    State(node): State<Arc<Node>>,
    client: Client,
    Body(body): Body<NewPassword>,
) -> Result<SignedInNow, Problem> {
    let attempt = node.invitation_limit.attempt(client.prefix())?;
    let (token, invited) = followed(&node, &body.token).await?;
    attempt.give_back();
    let user_name = user_name(&node, &invited).await?;
    let mut fields = Fields::default();
    check_choice(&mut fields, "/password", &body.password, &user_name);
    let Some(device_name) = fields.label("/device_name", body.device_name.reveal()) else {
        return Err(fields.into());
    };
    fields.check()?;
    let hash = node.passwords.hash(body.password).await?;
    let now = node.clock.now();
    let set = node.store.gate().accept_invitation(token.hash().0, now, &user_name, &hash).await;
    let set = match set {
        // somebody took the user name a moment ago; who tries again gets another
        Err(StorageError::Conflict) => return Err(Code::Overloaded.into()),
        other => good(other?)?,
    };
    for device in set.signed_out {
        node.exchange.device_signed_out(device).await;
    }
    sign_in(&node, set.tenant, set.person, device_name).await
}

async fn followed(node: &Node, token: &Pii<String>) -> Result<(Token, Invited), Problem> {
    let token = Token::parse(token.reveal()).ok_or(Code::UnknownInvitation)?;
    let invited = good(node.store.gate().invitation(token.hash().0, node.clock.now()).await?)?;
    Ok((token, invited))
}

fn good<T>(followed: Followed<T>) -> Result<T, Problem> {
    match followed {
        Followed::Good(good) => Ok(good),
        Followed::Used => Err(Code::InvitationUsed.into()),
        Followed::Expired => Err(Code::InvitationExpired.into()),
        Followed::Unknown => Err(Code::UnknownInvitation.into()),
    }
}
