//! Who asks the API: a person by their session, or another program by its token.
//!
//! ```text
//! Cookie: klinke=…                  a session: every operation          ─▶ SignedIn, Caller
//! Authorization: Bearer klk_…       a token: what takes a `Caller`      ─▶ Caller
//! both                              refused: which one is meant?
//! ```
//!
//! An operation is open to tokens exactly when its handler takes a [`Caller`]; one that takes a [`SignedIn`] (sessions, roles,
//! tokens, confidentiality, one's own devices) is not. The document says the same by its security schemes.

use super::session::{SignedIn, session_token};
use super::token::Token;
use crate::http::problem::{Code, Problem};
use crate::node::Node;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::Response;
use klinke_model::ids::PersonId;
use klinke_model::scope::{Principal, Scope};
use std::sync::Arc;

/// What every token begins with, so that one that leaked is recognised.
pub const PREFIX: &str = "klk_";

/// Who asks, whichever way.
#[derive(Clone, Copy, Debug)]
pub struct Caller {
    /// Whose data they may touch; every repository call takes it.
    pub scope: Scope,
    /// Whose tries are counted: the person's, or those of whoever made the token.
    pub person: PersonId,
}

/// Anybody who asks for something as somebody.
pub trait Asks: Sync {
    /// Whose data they may touch.
    fn scope(&self) -> &Scope;
}

impl Asks for Caller {
    fn scope(&self) -> &Scope {
        &self.scope
    }
}

impl Asks for SignedIn {
    fn scope(&self) -> &Scope {
        &self.scope
    }
}

/// Who sent a request, found out once for all that ask.
#[derive(Clone, Copy, Debug)]
pub enum Known {
    /// Nobody: nothing was sent, or nothing that is good.
    Nobody,
    /// A session and a token came together: neither is believed.
    Both,
    /// A person.
    Person(SignedIn),
    /// Another program.
    Token(Caller),
}

impl Known {
    /// Whoever it is, when it is somebody.
    pub const fn scope(&self) -> Option<&Scope> {
        match self {
            Self::Nobody | Self::Both => None,
            Self::Person(who) => Some(&who.scope),
            Self::Token(caller) => Some(&caller.scope),
        }
    }
}

/// The token of a request, when it brings one of ours.
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && token.starts_with(PREFIX)).then_some(token)
}

/// Finds out who sends a request.
///
/// # Errors
/// `internal` when the store fails.
pub async fn find(
    State(node): State<Arc<Node>>,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let known = known(&node, request.headers()).await?;
    request.extensions_mut().insert(known);
    Ok(next.run(request).await)
}

async fn known(node: &Node, headers: &HeaderMap) -> Result<Known, Problem> {
    let session = session_token(node, headers);
    let Some(token) = bearer(headers) else {
        return Ok(match session {
            Some(token) => SignedIn::by_token(node, &token).await?.map_or(Known::Nobody, Known::Person),
            None => Known::Nobody,
        });
    };
    if session.is_some() {
        return Ok(Known::Both);
    }
    let Some(token) = token.strip_prefix(PREFIX).and_then(Token::parse) else { return Ok(Known::Nobody) };
    let now = node.clock.now();
    let holder = node.store.gate().api_token(token.hash().0, now).await?;
    Ok(holder.map_or(Known::Nobody, |holder| {
        let principal = Principal::Token { token: holder.token, issuer: holder.issuer };
        let scope = Scope { tenant: holder.tenant, principal, at: now, view: None };
        Known::Token(Caller { scope, person: holder.issuer })
    }))
}

impl FromRequestParts<Arc<Node>> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<Node>) -> Result<Self, Problem> {
        match parts.extensions.get::<Known>() {
            Some(Known::Person(who)) => {
                let who = who.looking(parts)?;
                Ok(Self { scope: who.scope, person: who.person })
            }
            Some(Known::Token(caller)) => Ok(*caller),
            Some(Known::Both) => Err(Code::TwoCredentials.into()),
            Some(Known::Nobody) | None => Err(Code::NotSignedIn.into()),
        }
    }
}

impl FromRequestParts<Arc<Node>> for SignedIn {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<Node>) -> Result<Self, Problem> {
        match parts.extensions.get::<Known>() {
            Some(Known::Person(who)) => who.looking(parts),
            Some(Known::Token(_)) => Err(Code::NotForTokens.into()),
            Some(Known::Both) => Err(Code::TwoCredentials.into()),
            Some(Known::Nobody) | None => Err(Code::NotSignedIn.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn only_our_own_tokens_are_read() {
        let read = |value: &'static str| {
            let headers = HeaderMap::from_iter([(header::AUTHORIZATION, HeaderValue::from_static(value))]);
            bearer(&headers).map(str::to_owned)
        };
        assert_eq!(read("Bearer klk_abc").as_deref(), Some("klk_abc"));
        assert_eq!(read("bearer  klk_abc ").as_deref(), Some("klk_abc"));
        for other in ["Bearer abc", "Basic klk_abc", "klk_abc", "Bearer"] {
            assert_eq!(read(other), None, "{other}");
        }
        assert_eq!(bearer(&HeaderMap::new()), None);
    }
}
