//! What is logged and counted of a request: method, route template, status class, duration class. Never an
//! address, an agent, an id or an exact duration: a log of requests is a log of who came home when.

use crate::node::Node;
use axum::extract::{MatchedPath, Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;
use std::sync::Arc;
use std::time::Duration;

/// Logs and counts every request.
pub async fn record(State(node): State<Arc<Node>>, request: Request, next: Next) -> Response {
    let method = method_name(request.method());
    let route =
        request.extensions().get::<MatchedPath>().map_or("page".to_owned(), |path| path.as_str().to_owned());
    let began = node.clock.mono();
    let response = next.run(request).await;
    let status = match response.status().as_u16() / 100 {
        1 => "1xx",
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        _ => "5xx",
    };
    let duration = duration_class(node.clock.mono().since(began));
    metrics::counter!("http_requests_total", "method" => method, "route" => route.clone(), "status" => status)
        .increment(1);
    tracing::info!(method, route, status, duration, "request");
    response
}

/// A method that anybody can invent must not become a label that grows without end.
fn method_name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

fn duration_class(duration: Duration) -> &'static str {
    match duration.as_millis() {
        0..100 => "under 100 ms",
        100..1_000 => "under 1 s",
        _ => "1 s or more",
    }
}
