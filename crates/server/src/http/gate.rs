//! Until somebody claims the installation, nothing answers but the claim itself, the health probes and the pages.

use super::problem::{Code, Problem};
use crate::node::Node;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use std::sync::Arc;

/// Refuses everything that is not needed to claim an unclaimed installation.
///
/// # Errors
/// `not_set_up`; `internal` when the store can not say whether it was claimed.
pub async fn guard(State(node): State<Arc<Node>>, request: Request, next: Next) -> Result<Response, Problem> {
    if !is_open(request.uri().path()) && !node.setup.is_claimed(&node.store).await? {
        return Err(Code::NotSetUp.into());
    }
    Ok(next.run(request).await)
}

/// Whether an address answers before the claim. Everything that is not a page is shut unless named here.
fn is_open(path: &str) -> bool {
    let page = path != "/metrics" && path != "/api" && !path.starts_with("/api/");
    page || path == "/api/v1/setup" || path == "/api/v1/setup/claim"
}

#[cfg(test)]
mod tests {
    use super::is_open;

    #[test]
    fn only_the_claim_the_probes_and_the_pages_are_open() {
        for open in
            ["/", "/admin", "/assets/a.js", "/healthz", "/readyz", "/api/v1/setup", "/api/v1/setup/claim"]
        {
            assert!(is_open(open), "{open}");
        }
        for shut in
            ["/metrics", "/api", "/api/openapi.json", "/api/v1/session", "/api/v1/setup/other", "/api/v2"]
        {
            assert!(!is_open(shut), "{shut}");
        }
    }
}
