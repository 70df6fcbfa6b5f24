//! How much one may ask of the API, counted in memory for each principal: a person, a token, or an address when nobody is
//! signed in. Signing in and pairing have limits of their own besides.

use super::client::Prefix;
use super::problem::{Code, Problem};
use crate::auth::caller::Known;
use crate::auth::limit::Limit;
use crate::config::Limits;
use crate::node::Node;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;
use klinke_model::ids::{ApiTokenId, PersonId, TenantId};
use klinke_model::scope::Principal;
use klinke_model::time::Clock;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// Whose requests are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Asker {
    /// A person, on whichever device.
    Person(TenantId, PersonId),
    /// Another program.
    Token(ApiTokenId),
    /// Whoever is at this address.
    Address(Prefix),
}

impl Asker {
    /// Of a request whose sender was looked for; `None` when it has no address either.
    pub fn of(request: &Request) -> Option<Self> {
        let scope = request.extensions().get::<Known>().and_then(Known::scope);
        match scope.map(|scope| (scope.tenant, scope.principal)) {
            Some((tenant, Principal::Person { person, .. })) => Some(Self::Person(tenant, person)),
            Some((_, Principal::Token { token, .. })) => Some(Self::Token(token)),
            _ => {
                let connection = request.extensions().get::<ConnectInfo<SocketAddr>>()?;
                Some(Self::Address(connection.0.ip().into()))
            }
        }
    }
}

/// The counters.
pub struct ApiLimits {
    /// Of every request.
    each: Limit<Asker>,
    /// Of files of people, in and out, and of pictures.
    files: Limit<Asker>,
    /// Of links to set a password.
    invitations: Limit<Asker>,
}

impl ApiLimits {
    /// Nothing asked yet. `None` when the configuration sets no limit.
    pub fn new(clock: &Arc<dyn Clock>, limits: &Limits) -> Option<Self> {
        let every = Duration::from_secs(1).checked_div(limits.per_second.into())?;
        let limit = |burst: u16, every| Limit::new(clock.clone(), u32::from(burst).max(1), every);
        Some(Self {
            each: limit(limits.burst, every),
            files: limit(30, Duration::from_secs(2)),
            invitations: limit(300, Duration::from_millis(200)),
        })
    }

    fn count(&self, asker: Asker, method: &Method, path: &str) -> Result<(), Problem> {
        let reads = method == Method::GET;
        let special = match path.rsplit('/').next() {
            Some(file) if reads && file.ends_with(".csv") => Some(&self.files),
            Some("imports") if !reads => Some(&self.files),
            Some("picture") if method == Method::PUT => Some(&self.files),
            Some("invitation") if method == Method::POST => Some(&self.invitations),
            _ => None,
        };
        for limit in [Some(&self.each), special].into_iter().flatten() {
            // never given back: an answer costs whether it was right or not
            limit
                .take(asker)
                .map(drop)
                .map_err(|too_many| Problem::after(Code::TooManyRequests, too_many))?;
        }
        Ok(())
    }
}

/// Refuses whoever asks too much of the API.
///
/// # Errors
/// `too_many_requests`.
pub async fn guard(State(node): State<Arc<Node>>, request: Request, next: Next) -> Result<Response, Problem> {
    let path = request.uri().path();
    if let Some(limits) = &node.api_limits
        && path.starts_with("/api/")
        && let Some(asker) = Asker::of(&request)
    {
        limits.count(asker, request.method(), path)?;
    }
    Ok(next.run(request).await)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TestClock;

    const SOMEBODY: Asker = Asker::Address(Prefix::V4([192, 0, 2, 1]));
    const OTHER: Asker = Asker::Address(Prefix::V4([192, 0, 2, 2]));

    fn limits(clock: &Arc<TestClock>, per_second: u16, burst: u16) -> Option<ApiLimits> {
        let clock: Arc<dyn Clock> = clock.clone();
        ApiLimits::new(&clock, &Limits { per_second, burst })
    }

    #[test]
    fn a_burst_then_so_many_a_second_for_each() {
        let clock = TestClock::new();
        let limits = limits(&clock, 10, 3).unwrap();
        let ask = |asker| limits.count(asker, &Method::GET, "/api/v1/buildings").is_ok();
        assert_eq!([SOMEBODY; 4].map(ask), [true, true, true, false]);
        assert!(ask(OTHER));
        clock.advance(Duration::from_millis(100));
        assert_eq!([SOMEBODY; 2].map(ask), [true, false]);
    }

    #[test]
    fn files_are_fewer_and_other_requests_do_not_wait_for_them() {
        let clock = TestClock::new();
        let limits = limits(&clock, 50, 1_000).unwrap();
        let ask = |method: Method, path: &str| limits.count(SOMEBODY, &method, path).is_ok();
        assert!((0..30).all(|_| ask(Method::GET, "/api/v1/people.csv")));
        assert!(!ask(Method::GET, "/api/v1/people.csv"));
        assert!(!ask(Method::POST, "/api/v1/buildings/x/imports"));
        assert!(ask(Method::GET, "/api/v1/people"));
        assert!((0..300).all(|_| ask(Method::POST, "/api/v1/people/x/invitation")));
        assert!(!ask(Method::POST, "/api/v1/people/x/invitation"));
        assert!(ask(Method::GET, "/api/v1/people/x/invitation"));
    }

    #[test]
    fn no_limit_is_none() {
        assert!(limits(&TestClock::new(), 0, 3).is_none());
    }
}
