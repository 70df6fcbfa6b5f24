//! An administrator sends a person the link to set a password, or hands it over on paper (R70).
//!
//! The link is single-use and lives 72 hours; a new one ends the one before. Whoever holds it becomes the person, so
//! nobody may make one for somebody who may do more than they themselves (`forbidden`).

use crate::auth::caller::Caller;
use crate::auth::token::Token;
use crate::http::body::Object;
use crate::http::problem::{Code, Problem, ProblemBody};
use crate::node::Node;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use klinke_model::ids::PersonId;
use klinke_model::privacy::Pii;
use klinke_model::time::Timestamp;
use klinke_storage::StorageError;
use klinke_storage::record::{InvitationState, Invited, WayIn};
use serde::Serialize;
use std::sync::Arc;
use std::time::Duration;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use utoipa::ToSchema;

/// How long a link works.
pub const LIVES: Duration = Duration::from_secs(72 * 3_600);

/// How a person comes in.
#[derive(Serialize, ToSchema)]
pub struct Invitation {
    /// They can sign in.
    has_account: bool,
    state: LinkState,
    /// When an open link ends, UTC milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    ends_at: Option<Timestamp>,
    /// A link would go by mail; else it is shown once, to hand over.
    by_mail: bool,
    /// Whether who asks may make a link for them.
    may_invite: bool,
}

/// How the newest link stands.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LinkState {
    /// There is none.
    None,
    /// It waits to be sent.
    Waiting,
    /// It was made, and works.
    Open,
    /// Its time is over.
    Expired,
    /// A password was set with it.
    Used,
}

/// A link that was asked for.
#[derive(Serialize, ToSchema)]
pub struct NewLink {
    /// It goes by mail.
    by_mail: bool,
    /// Else here it is, this once.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, example = "https://door.example.org/app#invite=…")]
    link: Option<String>,
    /// What they will sign in with, beside the link to hand over.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    user_name: Option<String>,
}

impl NewLink {
    /// It goes by mail.
    pub const fn mailed() -> Self {
        Self { by_mail: true, link: None, user_name: None }
    }

    /// It is shown once.
    pub const fn handed(link: String, user_name: String) -> Self {
        Self { by_mail: false, link: Some(link), user_name: Some(user_name) }
    }
}

async fn way_in(node: &Node, who: &Caller, person: PersonId) -> Result<WayIn, Problem> {
    let found = node.store.invitations().way_in(&who.scope, person, node.clock.now()).await?;
    found.ok_or(Code::NotFound.into())
}

/// How a person comes in: whether they have an account, and how their newest link stands.
#[utoipa::path(get, path = "/api/v1/people/{person}/invitation", operation_id = "invitation", tag = "people",
    params(("person" = uuid::Uuid, Path, description = "The person")), security(("session" = []), ("token" = [])),
    responses((status = 200, description = "How they come in", body = Invitation)))]
pub async fn state(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(person): Object<PersonId>,
) -> Result<Json<Invitation>, Problem> {
    let way_in = way_in(&node, &who, person).await?;
    let (state, ends_at) = match way_in.invitation {
        None => (LinkState::None, None),
        Some(InvitationState::Waiting) => (LinkState::Waiting, None),
        Some(InvitationState::Open(until)) => (LinkState::Open, Some(until)),
        Some(InvitationState::Expired) => (LinkState::Expired, None),
        Some(InvitationState::Used) => (LinkState::Used, None),
    };
    Ok(Json(Invitation {
        has_account: way_in.has_account,
        state,
        ends_at,
        by_mail: way_in.has_email && node.mailer.is_some(),
        may_invite: way_in.may_invite,
    }))
}

/// Makes a link: by mail, or where that can not be, shown once to hand over. The link from before ends.
#[utoipa::path(post, path = "/api/v1/people/{person}/invitation", operation_id = "invite", tag = "people",
    params(("person" = uuid::Uuid, Path, description = "The person")), security(("session" = []), ("token" = [])),
    responses((status = 201, description = "It is on its way, or here", body = NewLink),
        (status = 403, description = "`forbidden`: they may do more than you; `wrong_origin`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn invite(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(person): Object<PersonId>,
) -> Result<(StatusCode, Json<NewLink>), Problem> {
    let way_in = way_in(&node, &who, person).await?;
    let now = node.clock.now();
    let invitations = node.store.invitations();
    if way_in.has_email && node.mailer.is_some() {
        if !invitations.invite(&who.scope, &node.stamp(), person, node.random.v7(now)).await? {
            return Err(Code::Forbidden.into());
        }
        node.work.notify_one();
        return Ok((StatusCode::CREATED, Json(NewLink { by_mail: true, link: None, user_name: None })));
    }
    let token = Token::new(&node.random);
    if !invitations.hand_over(&who.scope, &node.stamp(), person, token.hash().0, now.plus(LIVES)).await? {
        return Err(Code::Forbidden.into());
    }
    let service = klinke_model::scope::Scope::system(who.scope.tenant);
    let invited = invitations.addressee(&service, person).await?.ok_or(Code::NotFound)?;
    let user_name = user_name(&node, &invited).await?.into_inner();
    let link = Some(link(&node, &token));
    Ok((StatusCode::CREATED, Json(NewLink { by_mail: false, link, user_name: Some(user_name) })))
}

/// Takes a link back, sent or not.
#[utoipa::path(delete, path = "/api/v1/people/{person}/invitation", operation_id = "withdraw_invitation", tag = "people",
    params(("person" = uuid::Uuid, Path, description = "The person")), security(("session" = []), ("token" = [])),
    responses((status = 204, description = "It no longer works")))]
pub async fn withdraw(
    State(node): State<Arc<Node>>,
    who: Caller,
    Object(person): Object<PersonId>,
) -> Result<StatusCode, Problem> {
    match node.store.invitations().withdraw(&who.scope, &node.stamp(), person).await? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(Code::NotFound.into()),
    }
}

/// Where a password is set. The token is behind the `#`: browsers keep that to themselves, so no log on the way has it.
pub fn link(node: &Node, token: &Token) -> String {
    format!("{}/app#invite={}", node.public_url, token.text())
}

/// What a person signs in with: what they have, else their e-mail address, else something made of their name.
///
/// # Errors
/// When the store fails.
pub async fn user_name(node: &Node, invited: &Invited) -> Result<Pii<String>, StorageError> {
    if let Some(user_name) = &invited.user_name {
        return Ok(user_name.clone());
    }
    let made = made_of_name(invited);
    let address = invited.email.as_ref().map(|email| email.reveal().trim().to_lowercase());
    let numbered = (2..100).map(|number| format!("{made}{number}"));
    for candidate in address.into_iter().chain([made.clone()]).chain(numbered) {
        if node.store.gate().account(&candidate).await?.is_none() {
            return Ok(Pii::new(candidate));
        }
    }
    Ok(Pii::new(format!("{made}-{}", tail(invited.person))))
}

/// `kari.haugen` of "Kari Haugen"; of no name, or one in another script, the end of the id.
fn made_of_name(invited: &Invited) -> String {
    let plain = invited.name.reveal().to_lowercase();
    let plain = plain.replace(['æ', 'ä'], "a").replace(['ø', 'ö'], "o").replace('ß', "ss");
    let plain: String = plain.nfkd().filter(|c| !is_combining_mark(*c)).collect();
    let words = plain.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let made: String = words.collect::<Vec<_>>().join(".").chars().take(60).collect();
    if made.len() < 3 { format!("user-{}", tail(invited.person)) } else { made }
}

fn tail(person: PersonId) -> String {
    person.0.simple().to_string().chars().skip(24).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_name_is_made_of_the_name_without_accents() {
        let of = |name: &str| {
            made_of_name(&Invited {
                tenant: uuid::Uuid::from_u128(1).into(),
                person: uuid::Uuid::from_u128(0xabcd).into(),
                name: Pii::new(name.to_owned()),
                email: None,
                language: "nb".into(),
                user_name: None,
                active: true,
            })
        };
        assert_eq!(of("Åse Sørli"), "ase.sorli");
        assert_eq!(of("Karl-Erik  O'Hara"), "karl.erik.o.hara");
        assert_eq!(of(""), "user-0000abcd");
        assert_eq!(of("李"), "user-0000abcd");
    }
}
