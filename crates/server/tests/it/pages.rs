//! Pages, headers and probes.

use crate::world::World;
use axum::http::Method;

#[tokio::test]
async fn every_answer_carries_the_headers() {
    let world = World::new().await;
    let browser = world.browser();
    for path in
        ["/app", "/panel/anything", "/trust", "/healthz", "/api/v1/setup", "/api/nothing", "/assets/none.js"]
    {
        let answer = browser.get(path).await;
        let policy = answer.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{path}: {policy}");
        assert!(policy.contains("frame-ancestors 'none'"), "{path}");
        for name in ["x-content-type-options", "referrer-policy", "permissions-policy", "cache-control"] {
            assert!(answer.headers.contains_key(name), "{path}: {name}");
        }
        assert!(!answer.headers.contains_key("strict-transport-security"), "plain http on this machine");
        assert!(!answer.headers.contains_key("server"));
    }
}

#[tokio::test]
async fn the_panels_page_alone_is_framed_and_by_our_own_pages_only() {
    let world = World::new().await;
    let answer = world.browser().get("/panel").await;
    let policy = answer.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("frame-ancestors 'self'") && policy.contains("default-src 'none'"), "{policy}");
    assert!(!policy.contains("frame-src"), "{policy}");
}

#[tokio::test]
async fn addresses_outside_the_api_are_pages() {
    let world = World::new().await;
    let browser = world.browser();
    assert_eq!(browser.get("/").await.headers["location"], "/app");
    for path in ["/app", "/app/doors/1", "/panel", "/admin/buildings", "/nothing/here"] {
        let answer = browser.get(path).await;
        assert!(
            answer.headers["content-type"].to_str().unwrap().starts_with("text/html"),
            "{path}: {answer:?}"
        );
        assert_eq!(answer.headers.get("set-cookie"), None);
    }
    for path in ["/assets/none.js", "/assets/../../Cargo.toml", "/assets/%2e%2e/%2e%2e/Cargo.toml"] {
        let answer = browser.get(path).await;
        assert!(!answer.text.contains("[package]"), "{path}");
    }
    assert_eq!(browser.get("/assets/none.js").await.status, 404);
}

#[tokio::test]
async fn the_trust_page_shows_the_certificate_that_it_serves() {
    let world = World::new().await;
    let browser = world.browser();
    let page = browser.get("/trust").await;
    assert!(page.text.contains(&world.node().authority.fingerprint()));
    for device in ["Android", "iPhone", "/trust/klinke.crt"] {
        assert!(page.text.contains(device), "{device}");
    }
    let certificate = browser.http.get(browser.url("/trust/klinke.crt")).send().await.unwrap();
    assert_eq!(certificate.headers()["content-type"], "application/x-x509-ca-cert");
    assert_eq!(&certificate.bytes().await.unwrap()[..], world.node().authority.der());
}

#[tokio::test]
async fn metrics_are_for_this_machine_and_name_nobody() {
    let (world, manager) = World::claimed().await;
    let town = world.town().await;
    manager.get(&format!("/api/v1/buildings/{}/doors", town.building)).await;
    let metrics = manager.get("/metrics").await;
    assert_eq!(metrics.status, 200);
    assert!(metrics.text.contains("route=\"/api/v1/buildings/{building}/doors\""), "{}", metrics.text);
    assert!(!metrics.text.contains(&town.building.to_string()));
    let request = manager.http.get(manager.url("/metrics")).header("x-forwarded-for", "203.0.113.9");
    assert_eq!(manager.send(request, Method::GET, "/metrics").await.status, 404);
}

#[tokio::test]
async fn a_server_that_stops_is_not_ready_and_lets_go_of_its_port() {
    let world = World::new().await;
    let (browser, address) = (world.browser(), world.running.address);
    world.node().stop.cancel();
    assert_eq!(browser.get("/readyz").await.status, 503);
    assert_eq!(browser.get("/healthz").await.status, 204);
    world.running.stop().await;
    assert!(std::net::TcpListener::bind(address).is_ok());
}
