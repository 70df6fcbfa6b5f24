//! Sessions: a device that is signed in, proven by its cookie.

use super::token::Token;
use crate::http::problem::{Code, Problem};
use crate::node::Node;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};
use axum_extra::extract::CookieJar;
use klinke_model::ids::{DeviceId, PersonId, SessionId};
use klinke_model::people::DeviceKind;
use klinke_model::scope::{Principal, Scope, ViewAs};

/// How many days a session lives. It is not made longer by use: that would keep a record of use.
pub const DAYS: i64 = 90;

/// Who asks, proven by the session's cookie. As an extractor it refuses everybody else with `not_signed_in`.
#[derive(Clone, Copy, Debug)]
pub struct SignedIn {
    /// Whose data they may touch; every repository call takes it.
    pub scope: Scope,
    /// Which session.
    pub session: SessionId,
    /// On which device.
    pub device: DeviceId,
    /// What the device is used as.
    pub device_kind: DeviceKind,
    /// Who.
    pub person: PersonId,
}

impl SignedIn {
    /// Finds out who holds a session's token; `None` without a session that is alive.
    ///
    /// # Errors
    /// `internal` when the store fails.
    pub async fn by_token(node: &Node, token: &Token) -> Result<Option<Self>, Problem> {
        let now = node.clock.now();
        let holder = node.store.gate().session(token.hash().0, now.day()).await?;
        Ok(holder.map(|holder| {
            let principal = Principal::Person { person: holder.person, device: holder.device };
            Self {
                scope: Scope { tenant: holder.tenant, principal, at: now, view: None },
                session: holder.session,
                device: holder.device,
                device_kind: holder.device_kind,
                person: holder.person,
            }
        }))
    }

    /// The same, with the eyes that this request asks to look with.
    ///
    /// # Errors
    /// `malformed` when they are nobody's; `viewing_only` when the request would change something.
    pub fn looking(mut self, parts: &Parts) -> Result<Self, Problem> {
        self.scope.view = view_as(&parts.headers)?;
        if self.scope.view.is_some() && !parts.method.is_safe() {
            return Err(Code::ViewingOnly.into());
        }
        Ok(self)
    }
}

/// The token in the session's cookie.
pub fn session_token(node: &Node, headers: &HeaderMap) -> Option<Token> {
    let jar = CookieJar::from_headers(headers);
    jar.get(cookie_name(node.is_https())).and_then(|cookie| Token::parse(cookie.value()))
}

/// Whose eyes a request looks with: `Klinke-View-As: caretaker@<building>`, or a role alone. Not one of these is an error:
/// nobody shall take what they have themselves for what another sees.
fn view_as(headers: &HeaderMap) -> Result<Option<ViewAs>, Problem> {
    let Some(named) = headers.get("klinke-view-as") else { return Ok(None) };
    let named = named.to_str().map_err(|_| Code::Malformed)?;
    let (role, building) = match named.split_once('@') {
        Some((role, building)) => (role, Some(building)),
        None => (named, None),
    };
    let role = serde_json::from_value(role.into()).map_err(|_| Code::Malformed)?;
    let building = building.map(|id| serde_json::from_value(id.into())).transpose();
    Ok(Some(ViewAs { role, building: building.map_err(|_| Code::Malformed)? }))
}

/// The cookie's name. `__Host-` makes browsers refuse it without `Secure`, from another host or for a part of the
/// site; it can not be set over plain http, which only this machine is served by.
pub const fn cookie_name(https: bool) -> &'static str {
    if https { "__Host-klinke" } else { "klinke" }
}

/// The cookie that signs a device in.
pub fn cookie(https: bool, token: &Token) -> HeaderValue {
    written(https, &token.text(), DAYS * 86_400)
}

/// The cookie that takes it away again.
pub fn no_cookie(https: bool) -> HeaderValue {
    written(https, "", 0)
}

/// `Strict` is enough for a page entered by a link from elsewhere: its own requests come from our site.
fn written(https: bool, value: &str, max_age: i64) -> HeaderValue {
    let name = cookie_name(https);
    let secure = if https { "; Secure" } else { "" };
    let text = format!("{name}={value}; Path=/; Max-Age={max_age}; HttpOnly; SameSite=Strict{secure}");
    let mut value = HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(""));
    value.set_sensitive(true);
    value
}
