//! Requests that change something, and WebSockets, must come from our own pages.
//!
//! A browser says in `Origin` which site's page sends a request. The allowed ones are a list made at start, not
//! whatever `Host` says, so a foreign name that resolves to this machine (DNS rebinding) is foreign too. A
//! program that is not a browser sends no `Origin`; it has no cookies of somebody else to misuse and passes,
//! except on a WebSocket, where every browser names one.

use super::problem::{Code, Problem};
use crate::auth::caller;
use crate::config::PublicUrl;
use crate::node::Node;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, header::ORIGIN};
use axum::middleware::Next;
use axum::response::Response;
use std::net::IpAddr;
use std::sync::Arc;

/// The origins of our own pages.
#[derive(Debug, Clone)]
pub struct Origins(Vec<String>);

impl Origins {
    /// The public address; with its names for one another when it is this machine; and the addresses of this
    /// machine's network when it serves that.
    pub fn new(public: &PublicUrl, port: u16, network: &[IpAddr]) -> Self {
        let mut origins = vec![public.origin()];
        let scheme = public.scheme();
        if public.is_loopback() {
            origins
                .extend(["localhost", "127.0.0.1", "[::1]"].map(|host| format!("{scheme}://{host}:{port}")));
        }
        origins.extend(network.iter().map(|address| match address {
            IpAddr::V4(address) => format!("{scheme}://{address}:{port}"),
            IpAddr::V6(address) => format!("{scheme}://[{address}]:{port}"),
        }));
        Self(origins)
    }

    /// Checks a request that changes something.
    ///
    /// # Errors
    /// When a page of another site sends it.
    pub fn check(&self, headers: &HeaderMap) -> Result<(), Problem> {
        match headers.get(ORIGIN) {
            Some(_) => self.check_socket(headers),
            // Browsers that leave out `Origin` on a same-origin request still say where it comes from.
            None => match headers.get("sec-fetch-site").map(|site| site.as_bytes()) {
                None | Some(b"same-origin" | b"none") => Ok(()),
                Some(_) => Err(Code::WrongOrigin.into()),
            },
        }
    }

    /// Checks a request that opens a WebSocket with a session's cookie.
    ///
    /// # Errors
    /// When no page, or a page of another site, sends it.
    pub fn check_socket(&self, headers: &HeaderMap) -> Result<(), Problem> {
        let named = headers.get(ORIGIN).and_then(|origin| origin.to_str().ok()).unwrap_or_default();
        let ours = self.0.iter().any(|origin| origin.eq_ignore_ascii_case(named));
        if ours { Ok(()) } else { Err(Code::WrongOrigin.into()) }
    }
}

/// Refuses state-changing requests from foreign pages.
///
/// # Errors
/// `wrong_origin`.
pub async fn guard(State(node): State<Arc<Node>>, request: Request, next: Next) -> Result<Response, Problem> {
    // a page of another site can not send a token that it does not have
    if !request.method().is_safe() && caller::bearer(request.headers()).is_none() {
        node.origins.check(request.headers())?;
    }
    Ok(next.run(request).await)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn origins(url: &str) -> Origins {
        Origins::new(&url.parse().unwrap(), 8080, &["192.0.2.7".parse().unwrap()])
    }

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn only_our_own_pages_pass() {
        let origins = origins("https://door.example");
        assert!(origins.check(&headers(&[("origin", "https://door.example")])).is_ok());
        assert!(origins.check(&headers(&[("origin", "https://192.0.2.7:8080")])).is_ok());
        for foreign in [
            "https://evil.example",
            "http://door.example",
            "https://door.example.evil.example",
            "https://door.example:444",
            "null",
            "",
            "https://localhost:8080",
        ] {
            let named = headers(&[("origin", foreign), ("host", "evil.example")]);
            assert!(origins.check(&named).is_err(), "{foreign}");
            assert!(origins.check_socket(&named).is_err(), "{foreign}");
        }
    }

    #[test]
    fn a_missing_origin_passes_only_where_no_browser_is_behind_it() {
        let origins = origins("http://localhost:8080");
        assert!(origins.check(&headers(&[("origin", "http://127.0.0.1:8080")])).is_ok());
        assert!(origins.check(&HeaderMap::new()).is_ok());
        assert!(origins.check(&headers(&[("sec-fetch-site", "same-origin")])).is_ok());
        assert!(origins.check(&headers(&[("sec-fetch-site", "cross-site")])).is_err());
        assert!(origins.check(&headers(&[("sec-fetch-site", "same-site")])).is_err());
        assert!(origins.check_socket(&HeaderMap::new()).is_err());
    }
}
