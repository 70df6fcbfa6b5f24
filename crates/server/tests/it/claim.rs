//! The first start, and the claim.

use crate::world::{MANAGER, PASSWORD, World, claim, operations, sign_in, start};
use klinke_server::setup::LIFE;
use serde_json::json;

#[tokio::test]
async fn before_the_claim_nothing_answers_but_the_claim() {
    let world = World::new().await;
    let browser = world.browser();
    let mut shut = 0;
    for (method, template) in operations() {
        if template.starts_with("/api/v1/setup") || template == "/healthz" || template == "/readyz" {
            continue;
        }
        let path = template.replace("{building}", "x").replace("{device}", "x").replace("{pairing}", "x");
        let request =
            browser.http.request(method.clone(), browser.url(&path)).header("origin", &browser.base);
        let answer = browser.send(request.json(&json!({})), method.clone(), &path).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (503, "not_set_up"), "{method} {path}");
        shut += 1;
    }
    assert!(shut >= 20, "only {shut} operations were tried");
    for path in ["/api/v1/panel/socket", "/api/v1/app/socket", "/api/v1/nothing", "/api"] {
        assert_eq!(browser.get(path).await.status, 503, "{path}");
    }
    assert_eq!(browser.get("/healthz").await.status, 204);
    assert_eq!(browser.get("/readyz").await.status, 204);
    assert_eq!(browser.get("/api/v1/setup").await.json(), json!({ "claimed": false }));
}

#[tokio::test]
async fn a_claim_signs_the_first_administrator_in_and_happens_once() {
    let (world, browser) = World::claimed().await;
    let code = world.node().setup.code();
    let session = browser.get("/api/v1/session").await;
    assert_eq!(session.status, 200);
    assert_eq!(session.json()["person"]["name"], "Canary Manager");
    let session = session.json();
    let roles: Vec<_> =
        session["roles"].as_array().unwrap().iter().map(|role| role["role"].clone()).collect();
    assert_eq!(roles, ["operator", "manager"]);
    assert_eq!(session["confidentiality_required"], false, "the world accepted it");
    let again = browser.post("/api/v1/setup/claim", claim(&code)).await;
    assert_eq!((again.status.as_u16(), again.code().as_str()), (410, "already_claimed"));
    assert_eq!(browser.get("/api/v1/setup").await.json(), json!({ "claimed": true }));
    assert!(!world.running.greeting().await.unwrap().contains(&code), "the code is told to nobody any more");
}

#[tokio::test]
async fn of_many_claims_at_once_one_wins() {
    let world = World::new().await;
    let code = world.node().setup.code();
    let browser = world.browser();
    let claims = (0..6).map(|_| browser.post("/api/v1/setup/claim", claim(&code)));
    let answers = futures_util::future::join_all(claims).await;
    let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status.as_u16()).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 410, 410, 410, 410, 410]);
}

#[tokio::test]
async fn a_wrong_code_is_refused_and_tries_are_few() {
    let world = World::new().await;
    let browser = world.browser();
    let wrong = claim("0000-0000-0000-0000-0000-0000-00");
    for _ in 0..10 {
        let answer = browser.post("/api/v1/setup/claim", wrong.clone()).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (403, "wrong_code"));
    }
    let answer = browser.post("/api/v1/setup/claim", claim(&world.node().setup.code())).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (429, "too_many_tries"));
    assert!(answer.headers["retry-after"].to_str().unwrap().parse::<u32>().unwrap() > 0);
    let elsewhere = world.browser_at([127, 0, 0, 9]);
    assert_eq!(elsewhere.post("/api/v1/setup/claim", claim(&world.node().setup.code())).await.status, 201);
}

#[tokio::test]
async fn a_late_code_is_refused_and_a_restart_makes_a_new_one() {
    let world = World::new().await;
    let code = world.node().setup.code();
    assert!(world.running.greeting().await.unwrap().contains(&code));
    world.clock.advance(LIFE);
    let answer = world.browser().post("/api/v1/setup/claim", claim(&code)).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (410, "code_expired"));
    let World { folder, clock, running } = world;
    running.stop().await;
    let world = World { running: start(folder.path(), &clock).await, folder, clock };
    assert_ne!(world.node().setup.code(), code);
    let answer = world.browser().post("/api/v1/setup/claim", claim(&world.node().setup.code())).await;
    assert_eq!(answer.status, 201);
}

#[tokio::test]
async fn a_claim_that_is_not_right_names_every_wrong_field_and_uses_nothing_up() {
    let world = World::new().await;
    let browser = world.browser();
    let code = world.node().setup.code();
    let body = json!({ "code": code, "organisation": " ", "name": "a\nb", "user_name": "Kari Haugen", "password": "short" });
    let answer = browser.post("/api/v1/setup/claim", body).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (422, "invalid"));
    let errors = answer.json()["errors"].as_array().unwrap().clone();
    let named: Vec<_> =
        errors.iter().map(|e| (e["pointer"].as_str().unwrap(), e["code"].as_str().unwrap())).collect();
    let wanted = [
        ("/organisation", "empty"),
        ("/name", "control"),
        ("/user_name", "control"),
        ("/password", "too_short"),
    ];
    assert_eq!(named, wanted);
    assert_eq!(browser.post("/api/v1/setup/claim", claim(&code)).await.status, 201);
}

#[tokio::test]
async fn an_owner_survives_a_restart() {
    let (world, _) = World::claimed().await;
    let World { folder, clock, running } = world;
    running.stop().await;
    let world = World { running: start(folder.path(), &clock).await, folder, clock };
    assert_eq!(world.browser().post("/api/v1/session", sign_in(MANAGER, PASSWORD)).await.status, 201);
}

#[tokio::test]
async fn two_installations_share_no_code_and_no_certificate() {
    let (one, two) = (World::new().await, World::new().await);
    assert_ne!(one.node().setup.code(), two.node().setup.code());
    assert_ne!(one.node().authority.fingerprint(), two.node().authority.fingerprint());
    assert_ne!(
        std::fs::read(one.folder.path().join("authority.key")).unwrap(),
        std::fs::read(two.folder.path().join("authority.key")).unwrap()
    );
}
