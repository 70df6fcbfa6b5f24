//! The OpenAPI 3.1 document, made from the handlers, completed with what holds for every operation.
//!
//! A handler documents its success and what is special to it. The refusals that the layers and extractors give
//! (malformed bodies, missing sessions, foreign origins, time limits) are the same everywhere and are added here,
//! so that none can be forgotten. `crates/server/openapi.json` is the document as it is checked in.

use super::problem::ProblemBody;
use super::router;
use axum::Json;
use klinke_wire::{app, panel};
use serde_json::Value;
use std::sync::LazyLock;
use utoipa::openapi::path::{HttpMethod, Operation, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::Type;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ContentBuilder, ObjectBuilder, Ref, RefOr, ResponseBuilder};
use utoipa::{Modify, OpenApi};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Klinke",
        description = "Door phone and access control. Errors are RFC 9457 problems with a stable `code`. Panels and \
            apps hold a WebSocket besides (`/api/v1/panel/socket`, `/api/v1/app/socket`); its messages are the \
            schemas `PanelRequest`, `PanelEvent`, `AppRequest` and `AppEvent`.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    components(schemas(
        ProblemBody,
        panel::PanelRequest,
        panel::PanelEvent,
        app::AppRequest,
        app::AppEvent
    )),
    modifiers(&Session)
)]
struct Ground;

struct Session;

impl Modify for Session {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let cookie = ApiKeyValue::with_description(
            "__Host-klinke",
            "Set by signing in. Over plain http, which only this machine is served by, it is called `klinke`.",
        );
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("session", SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
        let token = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(
            "A token of another program, made by an administrator. It begins with `klk_`, does what it was made for and \
             never more than whoever made it may. Not together with a session's cookie.",
        ));
        components.add_security_scheme("token", SecurityScheme::Http(token.build()));
    }
}

/// The document of this version.
pub fn document() -> utoipa::openapi::OpenApi {
    let mut document = Ground::openapi();
    document.merge(router::operations().into_openapi());
    for (path, item) in &mut document.paths.paths {
        let methods = [
            (HttpMethod::Get, &mut item.get),
            (HttpMethod::Post, &mut item.post),
            (HttpMethod::Put, &mut item.put),
            (HttpMethod::Patch, &mut item.patch),
            (HttpMethod::Delete, &mut item.delete),
        ];
        for (method, operation) in methods {
            if let Some(operation) = operation {
                complete(path, &method, operation);
            }
        }
    }
    document
}

/// The document as it is checked in.
pub fn text() -> String {
    serde_json::to_string_pretty(&document()).unwrap_or_default() + "\n"
}

/// Adds the refusals that layers and extractors give.
fn complete(path: &str, method: &HttpMethod, operation: &mut Operation) {
    let mut add = |status: &str, codes: &str| {
        let responses = &mut operation.responses.responses;
        responses.entry(status.to_owned()).or_insert_with(|| refusal(codes).into());
    };
    add("408", "`timed_out`");
    add("500", "`internal`");
    let closed_before_claim =
        path.starts_with("/api/") && !path.starts_with("/api/v1/setup") || path == "/metrics";
    add(
        "503",
        if closed_before_claim { "`not_set_up`; `overloaded`; `too_many_waiting`" } else { "`overloaded`" },
    );
    let changes = !matches!(method, HttpMethod::Get);
    match (operation.security.is_some(), changes) {
        (true, true) => add(
            "403",
            "`forbidden`; `confidentiality_required`; `not_for_tokens`; `wrong_origin`; `viewing_only`: who looks as a role \
             changes nothing",
        ),
        (true, false) => add("403", "`forbidden`; `confidentiality_required`; `not_for_tokens`"),
        (false, true) => add("403", "`wrong_origin`; `viewing_only`: who looks as a role changes nothing"),
        (false, false) => {}
    }
    if path.contains('{') {
        add("404", "`not_found`");
    }
    let (signed_in, has_body) = (operation.security.is_some(), operation.request_body.is_some());
    let mut add = |status: &str, codes: &str| {
        let responses = &mut operation.responses.responses;
        responses.entry(status.to_owned()).or_insert_with(|| refusal(codes).into());
    };
    if signed_in {
        add("401", "`not_signed_in`");
        add("400", "`malformed`, also when `Klinke-View-As` names no role; `two_credentials`");
    }
    if has_body {
        add("400", "`malformed`");
        add("413", "`too_large`");
        add("415", "`wrong_media_type`");
        add("422", "`invalid`; `errors` names the fields");
    }
    if path.starts_with("/api/") {
        also(operation, "429", "`too_many_requests`, with `Retry-After`");
    }
    if signed_in && matches!(method, HttpMethod::Post) {
        also(operation, "409", "`in_progress`");
        also(operation, "422", "`idempotency_key_reused`");
        let key = ParameterBuilder::new()
            .name("Idempotency-Key")
            .parameter_in(ParameterIn::Header)
            .description(Some(
                "1 to 255 visible ASCII characters. The same request with the same key is done once: for 24 hours it gets \
                 the first answer again, as long as that was a success.",
            ))
            .schema(Some(ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).max_length(Some(255))));
        operation.parameters.get_or_insert_default().push(RefOr::T(key.build()));
    }
}

/// Adds a refusal to those that the status has.
fn also(operation: &mut Operation, status: &str, codes: &str) {
    match operation.responses.responses.get_mut(status) {
        Some(RefOr::T(response)) => {
            response.description.push_str("; ");
            response.description.push_str(codes);
        }
        Some(RefOr::Ref(_)) => {}
        None => drop(operation.responses.responses.insert(status.to_owned(), refusal(codes).into())),
    }
}

fn refusal(codes: &str) -> utoipa::openapi::Response {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    ResponseBuilder::new().description(codes).content("application/problem+json", content).build()
}

/// The OpenAPI document.
#[utoipa::path(get, path = "/api/openapi.json", operation_id = "document", tag = "operation",
    responses((status = 200, description = "OpenAPI 3.1", body = Object)))]
pub async fn handler() -> Json<&'static Value> {
    static DOCUMENT: LazyLock<Value> = LazyLock::new(|| serde_json::to_value(document()).unwrap_or_default());
    Json(&DOCUMENT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn the_checked_in_document_is_fresh() {
        let checked_in = include_str!("../../openapi.json");
        assert!(checked_in == text(), "run: klinke openapi > crates/server/openapi.json");
    }

    #[test]
    fn every_reference_leads_somewhere_and_every_operation_has_its_own_name() {
        let document = serde_json::to_value(document()).unwrap();
        assert_eq!(document["openapi"], "3.1.0");
        let mut references = Vec::new();
        collect(&document, &mut references);
        let dangling: Vec<_> = references.iter().filter(|to| document.pointer(to).is_none()).collect();
        assert!(dangling.is_empty(), "{dangling:?}");
        for message in ["PanelRequest", "PanelEvent", "AppRequest", "AppEvent"] {
            assert!(document["components"]["schemas"].get(message).is_some(), "{message}");
        }
        let operations = document["paths"]
            .as_object()
            .unwrap()
            .values()
            .flat_map(|path| path.as_object().unwrap().values());
        let names: Vec<_> = operations.map(|operation| operation["operationId"].as_str().unwrap()).collect();
        assert_eq!(names.iter().collect::<HashSet<_>>().len(), names.len(), "{names:?}");
    }

    fn collect(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(map) => {
                if let Some(Value::String(to)) = map.get("$ref") {
                    found.push(to.trim_start_matches('#').to_owned());
                }
                map.values().for_each(|value| collect(value, found));
            }
            Value::Array(list) => list.iter().for_each(|value| collect(value, found)),
            _ => {}
        }
    }
}
