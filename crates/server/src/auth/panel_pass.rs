//! A panel's pass: what its page fetches pictures with.
//!
//! A panel proves its key on its WebSocket, and pictures are fetched beside it. The answer that opens the WebSocket sets a
//! cookie; once the panel has proven itself on that connection, the cookie stands for it, as long as it has the same key.
//!
//! ```text
//! upgrade ──▶ Set-Cookie ── challenge, proof ──▶ proven ── another key, another cookie, a restart ──▶ nobody's
//! ```
//!
//! In memory only: after a restart panels prove themselves anyway.

use super::caller::{Caller, Known};
use super::token::Token;
use crate::http::problem::{Code, Problem};
use crate::node::Node;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};
use axum_extra::extract::CookieJar;
use klinke_model::ids::{PanelId, TenantId};
use klinke_model::scope::{Principal, Scope};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How long a browser keeps the cookie, in days: it is good for nothing without a proof.
const DAYS: u32 = 365;

/// What the cookie of one browser says.
pub struct Pass(Token);

impl Pass {
    /// The one that the browser has, or a new one.
    pub fn of(node: &Node, headers: &HeaderMap) -> Self {
        Self(sent(node, headers).unwrap_or_else(|| Token::new(&node.random)))
    }

    /// The cookie.
    pub fn cookie(&self, node: &Node) -> HeaderValue {
        let (name, age) = (cookie_name(node), DAYS * 86_400);
        let secure = if node.is_https() { "; Secure" } else { "" };
        let text =
            format!("{name}={}; Path=/; Max-Age={age}; HttpOnly; SameSite=Strict{secure}", self.0.text());
        let mut value = HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(""));
        value.set_sensitive(true);
        value
    }
}

fn cookie_name(node: &Node) -> &'static str {
    if node.is_https() { "__Host-klinke-panel" } else { "klinke-panel" }
}

fn sent(node: &Node, headers: &HeaderMap) -> Option<Token> {
    CookieJar::from_headers(headers).get(cookie_name(node)).and_then(|cookie| Token::parse(cookie.value()))
}

struct Proven {
    tenant: TenantId,
    panel: PanelId,
    key: Vec<u8>,
}

/// Which cookies stand for which panels.
#[derive(Default)]
pub struct PanelPasses(Mutex<HashMap<[u8; 32], Proven>>);

impl PanelPasses {
    /// A panel proved this key on a connection that has this cookie. Its cookie before ends.
    pub fn prove(&self, pass: &Pass, tenant: TenantId, panel: PanelId, key: Vec<u8>) {
        let mut proven = self.lock();
        proven.retain(|_, one| one.panel != panel);
        proven.insert(pass.0.hash().0, Proven { tenant, panel, key });
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<[u8; 32], Proven>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The panel that a request comes from, when it still has the key that it proved.
    async fn panel(&self, node: &Node, headers: &HeaderMap) -> Result<Option<Scope>, Problem> {
        let Some(token) = sent(node, headers) else { return Ok(None) };
        let proven = self.lock().get(&token.hash().0).map(|one| (one.tenant, one.panel, one.key.clone()));
        let Some((tenant, panel, key)) = proven else { return Ok(None) };
        let now = node.store.gate().panel_key(panel).await?;
        let same = now.is_some_and(|now| now.tenant == tenant && now.public_key == key);
        let principal = Principal::Panel(panel);
        Ok(same.then(|| Scope { tenant, principal, at: node.clock.now(), view: None }))
    }
}

/// Everybody that a request comes from: a person or another program, and a panel besides when it comes from its browser.
pub struct Onlookers(pub Vec<Scope>);

impl FromRequestParts<Arc<Node>> for Onlookers {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, node: &Arc<Node>) -> Result<Self, Problem> {
        let mut scopes = Vec::new();
        if !matches!(parts.extensions.get::<Known>(), Some(Known::Nobody) | None) {
            scopes.push(Caller::from_request_parts(parts, node).await?.scope);
        }
        scopes.extend(node.panel_passes.panel(node, &parts.headers).await?);
        if scopes.is_empty() { Err(Code::NotSignedIn.into()) } else { Ok(Self(scopes)) }
    }
}
