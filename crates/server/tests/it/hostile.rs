//! Bad input: a clear refusal for whoever sent it.

use crate::world::{Answer, Browser, MANAGER, PASSWORD, World, operations, sign_in};
use axum::http::Method;

const PATH: &str = "/api/v1/session";

async fn post(browser: &Browser, kind: &str, body: impl Into<reqwest::Body>) -> Answer {
    let request = browser.http.post(browser.url(PATH)).header("content-type", kind).body(body);
    browser.send(request.header("origin", &browser.base), Method::POST, PATH).await
}

#[tokio::test]
async fn bodies_that_can_not_be_read_are_refused() {
    let (world, _) = World::claimed().await;
    let browser = world.browser();
    let fine = sign_in(MANAGER, PASSWORD).to_string();
    for (kind, body, wanted) in [
        ("application/json", "", (400, "malformed")),
        ("application/json", "{", (400, "malformed")),
        ("application/json", "[]", (400, "malformed")),
        ("application/json", "{\"user_name\":1}", (400, "malformed")),
        (
            "application/json",
            "{\"user_name\":\"\u{0}\",\"password\":\"\",\"device_name\":\"\"}",
            (400, "malformed"),
        ),
        ("text/plain", fine.as_str(), (415, "wrong_media_type")),
        ("application/x-www-form-urlencoded", "user_name=a", (415, "wrong_media_type")),
        ("", fine.as_str(), (415, "wrong_media_type")),
    ] {
        let answer = post(&browser, kind, body.to_owned()).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), wanted, "{kind} {body}");
    }
    let deep = "[".repeat(10_000);
    assert_eq!(post(&browser, "application/json", deep).await.code(), "malformed");
    let large = format!("{{\"user_name\":\"{}\"}}", "x".repeat(17_000));
    assert_eq!(post(&browser, "application/json", large).await.code(), "too_large");
    assert_eq!(post(&browser, "application/json; charset=utf-8", fine).await.status, 201);
}

#[tokio::test]
async fn names_that_would_be_code_stay_text_or_are_refused() {
    let (world, _) = World::claimed().await;
    let browser = world.browser();
    let mut body = sign_in(MANAGER, PASSWORD);
    body["device_name"] = "<script>alert(1)</script>".into();
    let answer = browser.post(PATH, body.clone()).await;
    assert_eq!(answer.json()["device"]["name"], "<script>alert(1)</script>");
    assert_eq!(
        (&answer.headers["content-type"], &answer.headers["x-content-type-options"]),
        (&"application/json".parse().unwrap(), &"nosniff".parse().unwrap())
    );
    for name in ["", "a\r\nSet-Cookie: x", "\u{202e}evil", &"x".repeat(81)] {
        body["device_name"] = name.into();
        let answer = browser.post(PATH, body.clone()).await;
        assert_eq!(
            (answer.status.as_u16(), answer.json()["errors"][0]["pointer"].as_str()),
            (422, Some("/device_name"))
        );
    }
}

#[tokio::test]
async fn pages_of_other_sites_can_change_nothing() {
    let (_world, manager) = World::claimed().await;
    let changing: Vec<_> = operations().into_iter().filter(|(method, _)| !method.is_safe()).collect();
    assert!(changing.len() >= 8);
    for (method, template) in changing {
        let path = template.replace("{building}", "x").replace("{device}", "x").replace("{pairing}", "x");
        for (name, value) in
            [("origin", "https://evil.example"), ("origin", "null"), ("sec-fetch-site", "cross-site")]
        {
            let request = manager.http.request(method.clone(), manager.url(&path)).header(name, value);
            let answer = manager.send(request.json(&serde_json::json!({})), method.clone(), &path).await;
            assert_eq!(
                (answer.status.as_u16(), answer.code().as_str()),
                (403, "wrong_origin"),
                "{method} {path}"
            );
        }
    }
    assert_eq!(manager.get(PATH).await.status, 200, "still signed in");
}

#[tokio::test]
async fn what_is_not_there_is_a_problem_below_api() {
    let (world, manager) = World::claimed().await;
    for path in ["/api", "/api/", "/api/v1/nothing", "/api/v1/session/", "/api/v1/panel-pairings"] {
        let answer = manager.get(path).await;
        assert_eq!(answer.headers["content-type"], "application/problem+json", "{path}");
        assert!([404, 405].contains(&answer.status.as_u16()), "{path}");
    }
    let request = manager.http.put(manager.url(PATH)).header("origin", &manager.base);
    assert_eq!(manager.send(request, Method::PUT, PATH).await.code(), "wrong_method");
    assert_eq!(world.browser().get("/api/v1/panel/socket").await.code(), "malformed");
    assert_eq!(world.browser().get("/api/v1/app/socket").await.code(), "not_signed_in");
}

#[tokio::test]
async fn problems_speak_the_readers_language() {
    let (world, _) = World::claimed().await;
    let browser = world.browser();
    let mut titles = Vec::new();
    for (accepted, language) in
        [("nb-NO", "nb"), ("nn", "nn"), ("sv", "sv"), ("da", "da"), ("fi, en;q=0.5", "en"), ("fi", "en")]
    {
        let request = browser.http.get(browser.url(PATH)).header("accept-language", accepted);
        let answer = browser.send(request, Method::GET, PATH).await;
        assert_eq!(answer.headers["content-language"], language);
        titles.push(answer.json()["title"].as_str().unwrap().to_owned());
    }
    assert_eq!(titles.pop(), titles.last().cloned(), "English for everybody else");
    let mut different = titles.clone();
    different.sort();
    different.dedup();
    assert_eq!(different.len(), 5, "{titles:?}");
}
