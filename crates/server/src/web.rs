//! The pages: four entries of one web project, inside the binary (in debug builds read from `web/dist`).
//!
//! `/app/anything` is the app, which routes for itself; the same for `/panel`, `/admin` and `/guest`. Names below `/assets/`
//! hold a hash of their content and never change.

use crate::http::problem::{Code, Problem};
use crate::node::Node;
use crate::text::Language;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use rust_embed::RustEmbed;
use std::sync::Arc;

#[derive(RustEmbed)]
#[folder = "../../web/dist"]
#[allow_missing = true]
struct Dist;

/// Shown where the pages should be, by a binary that was built without them.
const NOT_BUILT: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Klinke</title>\
     <h1>The web pages are not built</h1>\
     <p>Build them with <code>npm ci &amp;&amp; npm run build</code> in the folder <code>web</code>, \
     or start with <code>./run</code>, which does it for you. The API below <code>/api</code> works.</p></html>";

/// Routes of the pages, and an answer for everything else.
pub fn pages() -> Router<Arc<Node>> {
    Router::new()
        .route("/", get(async || Redirect::temporary("/app")))
        .route("/trust", get(trust))
        .route("/trust/klinke.crt", get(trust_certificate))
        .fallback(page)
}

async fn page(request: Request) -> Response {
    let path = request.uri().path().trim_start_matches('/');
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    if !reads || path == "api" || path.starts_with("api/") {
        return Problem::from(Code::NotFound).into_response();
    }
    if path.starts_with("assets/") {
        return file(path, "public, max-age=31536000, immutable")
            .unwrap_or_else(|| Problem::from(Code::NotFound).into_response());
    }
    let entry = path.split('/').next().unwrap_or_default();
    match entry {
        "app" | "panel" | "admin" | "guest" => document(entry, StatusCode::OK),
        // What is not a file is shown by the app, which says that there is nothing here.
        _ => file(path, "no-cache").unwrap_or_else(|| document("app", StatusCode::NOT_FOUND)),
    }
}

fn document(entry: &str, status: StatusCode) -> Response {
    match file(&format!("{entry}.html"), "no-cache") {
        Some(page) => (status, page).into_response(),
        None => (StatusCode::SERVICE_UNAVAILABLE, html(NOT_BUILT.to_owned())).into_response(),
    }
}

fn file(path: &str, caching: &'static str) -> Option<Response> {
    let file = Dist::get(path)?;
    let kind = HeaderValue::from_str(file.metadata.mimetype()).ok()?;
    let caching = HeaderValue::from_static(caching);
    Some(([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, caching)], file.data).into_response())
}

fn html(text: String) -> Response {
    ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], text).into_response()
}

/// How to trust the certificates that this installation makes.
async fn trust(State(node): State<Arc<Node>>, headers: HeaderMap) -> Response {
    let language = Language::preferred(&headers);
    let text = |id: &str| escape(&language.text(id).unwrap_or_else(|| id.to_owned()));
    let devices: String = ["ios", "android", "desktop"]
        .iter()
        .map(|device| {
            format!(
                "<h2>{}</h2><p>{}</p>",
                text(&format!("trust-{device}")),
                text(&format!("trust-{device}-steps"))
            )
        })
        .collect();
    html(format!(
        "<!doctype html><html lang=\"{}\"><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><title>{title}</title><h1>{title}</h1><p>{}</p>\
         <p><a href=\"/trust/klinke.crt\">{}</a></p><p>{}:</p><p><code>{}</code></p>{devices}<p>{}</p></html>",
        language.tag(),
        text("trust-intro"),
        text("trust-download"),
        text("trust-compare"),
        node.authority.fingerprint(),
        text("trust-remove"),
        title = text("trust-title"),
    ))
}

/// The authority's certificate, in the form that phones install.
async fn trust_certificate(State(node): State<Arc<Node>>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/x-x509-ca-cert")], node.authority.der().to_vec())
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
