//! Other programs: tokens, keys that make a request count once, and how much one may ask.

use crate::testing::TestClock;
use crate::world::{Answer, Browser, World, claim, config};
use axum::http::Method;
use klinke_model::time::Clock;
use klinke_server::node;
use klinke_server::random::Random;
use serde_json::{Value, json};
use std::time::Duration;

const MONTH_MS: i64 = 30 * 86_400_000;

async fn make_token(world: &World, manager: &Browser, rights: &[&str]) -> (String, String) {
    let ends_at = world.clock.now().as_millis() + MONTH_MS;
    let new = json!({ "name": "Ledger", "rights": rights, "ends_at": ends_at });
    let made = manager.post("/api/v1/tokens", new).await;
    assert_eq!(made.status, 201, "{made:?}");
    let text = |field: &str| made.json()[field].as_str().unwrap().to_owned();
    (text("id"), text("token"))
}

async fn with_token(
    browser: &Browser,
    method: Method,
    path: &str,
    token: &str,
    body: Option<Value>,
) -> Answer {
    let request = browser.http.request(method.clone(), browser.url(path)).bearer_auth(token);
    let request = match body {
        Some(body) => request.json(&body),
        None => request,
    };
    browser.send(request, method, path).await
}

#[tokio::test]
async fn a_program_asks_with_its_token_and_the_audit_names_it() {
    let (world, manager) = World::claimed().await;
    let town = world.town().await;
    let (id, token) = make_token(&world, &manager, &["see_building", "change_building"]).await;
    assert!(token.starts_with("klk_") && token.len() == 47, "{token}");
    let program = world.browser();
    let entrances = format!("/api/v1/buildings/{}/entrances", town.building);
    assert_eq!(with_token(&program, Method::GET, &entrances, &token, None).await.status, 200);
    let added = with_token(&program, Method::POST, &entrances, &token, Some(json!({ "name": "Yard" }))).await;
    assert_eq!(added.status, 201);
    // what it was not given, and what no token does
    assert_eq!(with_token(&program, Method::GET, "/api/v1/people", &token, None).await.code(), "forbidden");
    for path in ["/api/v1/session", "/api/v1/roles", "/api/v1/tokens", "/api/v1/me/devices"] {
        assert_eq!(
            with_token(&program, Method::GET, path, &token, None).await.code(),
            "not_for_tokens",
            "{path}"
        );
    }
    let told = manager.get("/api/v1/audit?limit=1").await.json();
    assert_eq!(
        (&told["items"][0]["action"], &told["items"][0]["token"]),
        (&json!("entrance.made"), &json!(id))
    );
    assert!(told["items"][0].get("actor").is_none());
    // the list knows it, and not its secret
    let list = manager.get("/api/v1/tokens").await;
    assert_eq!(list.json()[0]["id"], json!(id));
    assert!(!list.text.contains(&token[4..]));
    assert_eq!(manager.delete(&format!("/api/v1/tokens/{id}")).await.status, 204);
    assert_eq!(with_token(&program, Method::GET, &entrances, &token, None).await.code(), "not_signed_in");
}

#[tokio::test]
async fn a_token_is_no_session_and_a_session_no_token() {
    let (world, manager) = World::claimed().await;
    let (_, token) = make_token(&world, &manager, &["see_building"]).await;
    let both = with_token(&manager, Method::GET, "/api/v1/buildings", &token, None).await;
    assert_eq!((both.status.as_u16(), both.code().as_str()), (400, "two_credentials"));
    let program = world.browser();
    for wrong in ["klk_", "klk_x", &token[..46], &token[4..], &token.replace("klk_", "KLK_")] {
        let answer = with_token(&program, Method::GET, "/api/v1/buildings", wrong, None).await;
        assert_eq!(answer.code(), "not_signed_in", "{wrong}");
    }
    let cookie = program
        .http
        .get(program.url("/api/v1/buildings"))
        .header("cookie", format!("klinke={}", &token[4..]));
    assert_eq!(program.send(cookie, Method::GET, "/api/v1/buildings").await.code(), "not_signed_in");
}

#[tokio::test]
async fn nobody_makes_a_token_for_longer_or_for_more() {
    let (world, manager) = World::claimed().await;
    let now = world.clock.now().as_millis();
    let make = async |rights: Value, ends_at: i64| {
        let new = json!({ "name": "Ledger", "rights": rights, "ends_at": ends_at });
        let answer = manager.post("/api/v1/tokens", new).await;
        let fault = answer.json()["errors"][0].clone();
        (answer.status.as_u16(), fault["pointer"].clone(), fault["code"].clone())
    };
    let year = now + 366 * 86_400_000;
    assert_eq!(make(json!([]), year).await, (422, json!("/rights"), json!("required")));
    assert_eq!(make(json!(["roles"]), year).await, (422, json!("/rights"), json!("out_of_range")));
    assert_eq!(make(json!(["audit"]), year + 1).await, (422, json!("/ends_at"), json!("out_of_range")));
    assert_eq!(make(json!(["audit"]), now).await, (422, json!("/ends_at"), json!("out_of_range")));
    assert_eq!(make(json!(["audit"]), year).await.0, 201);
}

async fn post_with_key(browser: &Browser, path: &str, key: &str, body: &Value) -> Answer {
    let request = browser.http.post(browser.url(path)).header("origin", &browser.base);
    browser.send(request.header("idempotency-key", key).json(body), Method::POST, path).await
}

fn building(name: &str) -> Value {
    json!({ "name": name, "address": "Street 1", "kind": "residential", "time_zone": "Europe/Oslo" })
}

#[tokio::test]
async fn a_request_with_a_key_is_done_once() {
    let (world, manager) = World::claimed().await;
    let path = "/api/v1/buildings";
    let first = post_with_key(&manager, path, "one", &building("A")).await;
    let again = post_with_key(&manager, path, "one", &building("A")).await;
    assert_eq!((first.status, &first.text), (again.status, &again.text));
    assert_eq!(first.status, 201);
    assert_eq!(again.headers["idempotency-replayed"], "true");
    assert!(first.headers.get("idempotency-replayed").is_none());
    assert_eq!(again.headers["content-type"], "application/json");
    let other = post_with_key(&manager, path, "one", &building("B")).await;
    assert_eq!((other.status.as_u16(), other.code().as_str()), (422, "idempotency_key_reused"));
    assert_eq!(post_with_key(&manager, path, "two words", &building("A")).await.code(), "malformed");
    assert_eq!(manager.get(path).await.json().as_array().unwrap().len(), 1);
    // the key is the manager's: with another's it is another request
    let (_, token) = make_token(&world, &manager, &["change_building", "see_building"]).await;
    let program = world.browser();
    let request = program.http.post(program.url(path)).bearer_auth(&token).header("idempotency-key", "one");
    let made = program.send(request.json(&building("A")), Method::POST, path).await;
    assert_eq!(made.status, 201);
    assert_ne!(made.json()["id"], first.json()["id"]);
    // a day later it is forgotten
    world.clock.advance(Duration::from_secs(24 * 3_600));
    assert_eq!(post_with_key(&manager, path, "one", &building("C")).await.status, 201);
}

#[tokio::test]
async fn of_many_at_once_with_one_key_one_is_done() {
    let (_world, manager) = World::claimed().await;
    let body = building("A");
    let asked = (0..12).map(|_| post_with_key(&manager, "/api/v1/buildings", "k", &body));
    let answers = futures_util::future::join_all(asked).await;
    let mut made: Vec<String> = Vec::new();
    for answer in answers {
        match answer.status.as_u16() {
            201 => made.push(answer.text),
            status => assert_eq!((status, answer.code().as_str()), (409, "in_progress")),
        }
    }
    made.dedup();
    assert_eq!(made.len(), 1, "{made:?}");
    assert_eq!(manager.get("/api/v1/buildings").await.json().as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn what_was_refused_may_be_tried_again_with_the_same_key() {
    let (_world, manager) = World::claimed().await;
    let path = "/api/v1/buildings";
    assert_eq!(post_with_key(&manager, path, "k", &building("")).await.code(), "invalid");
    assert_eq!(post_with_key(&manager, path, "k", &building("A")).await.status, 201);
}

#[tokio::test]
async fn whoever_asks_too_much_waits_and_others_do_not() {
    let folder = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let mut config = config(folder.path());
    (config.limits.per_second, config.limits.burst) = (1, 5);
    let running = node::start(config, clock.clone(), Random::system()).await.unwrap();
    let manager = Browser::at([127, 0, 0, 1], running.address);
    assert_eq!(manager.post("/api/v1/setup/claim", claim(&running.node.setup.code())).await.status, 201);
    for _ in 0..5 {
        assert_eq!(manager.get("/api/v1/session").await.status, 200);
    }
    let refused = manager.get("/api/v1/session").await;
    assert_eq!((refused.status.as_u16(), refused.code().as_str()), (429, "too_many_requests"));
    assert_eq!(refused.headers["retry-after"], "2");
    let stranger = Browser::at([127, 0, 0, 2], running.address);
    assert_eq!(stranger.get("/api/v1/setup").await.status, 200);
    assert_eq!(manager.get("/healthz").await.status, 204, "only the API is counted");
    clock.advance(Duration::from_secs(1));
    assert_eq!(manager.get("/api/v1/session").await.status, 200);
    assert_eq!(manager.get("/api/v1/session").await.status, 429);
    running.stop().await;
}
