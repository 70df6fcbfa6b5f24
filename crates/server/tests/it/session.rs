//! Signing in and out.

use crate::world::{MANAGER, PASSWORD, RESIDENT, World, sign_in};
use klinke_server::auth::expired;
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn a_session_lives_from_sign_in_to_sign_out() {
    let (world, _) = World::claimed().await;
    world.town().await;
    let browser = world.browser();
    assert_eq!(browser.get("/api/v1/session").await.code(), "not_signed_in");
    let answer = browser.post("/api/v1/session", sign_in(" Canary-RESIDENT@klinke.example ", PASSWORD)).await;
    assert_eq!(answer.status, 201, "user names are folded");
    let cookie = answer.cookie();
    let value = cookie.strip_prefix("klinke=").unwrap().split(';').next().unwrap().to_owned();
    assert_eq!(cookie, format!("klinke={value}; Path=/; Max-Age=7776000; HttpOnly; SameSite=Strict"));
    assert_eq!(answer.headers["cache-control"], "no-store");
    assert_eq!(browser.get("/api/v1/session").await.json(), answer.json());
    assert_eq!(answer.json()["roles"], json!([]));

    let gone = browser.delete("/api/v1/session").await;
    assert_eq!((gone.status.as_u16(), gone.cookie().contains("Max-Age=0")), (204, true));
    let kept = world.browser();
    let request = kept.http.get(kept.url("/api/v1/session")).header("cookie", format!("klinke={value}"));
    let answer = kept.send(request, axum::http::Method::GET, "/api/v1/session").await;
    assert_eq!(answer.code(), "not_signed_in", "a cookie that somebody kept is worth nothing");
}

#[tokio::test]
async fn a_device_whose_session_is_over_is_gone_and_not_before() {
    let (world, _) = World::claimed().await;
    let town = world.town().await;
    let browser = world.browser();
    assert_eq!(browser.post("/api/v1/session", sign_in(RESIDENT, PASSWORD)).await.status, 201);
    let scope = klinke_model::scope::Scope::system(town.tenant);
    let person = world.node().store.gate().account(RESIDENT).await.unwrap().unwrap().person;
    let devices = async || world.node().store.devices().list(&scope, person).await.unwrap().len();
    let day = Duration::from_secs(24 * 60 * 60);
    // Signed in at noon: the last day is the 90th after it, until midnight.
    world.clock.advance(90 * day + Duration::from_secs(12 * 60 * 60 - 1));
    assert_eq!(expired::end(world.node()).await.unwrap(), 0);
    assert_eq!((devices().await, browser.get("/api/v1/session").await.status.as_u16()), (1, 200));
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(browser.get("/api/v1/session").await.status, 401, "also before the job ran");
    assert_eq!(devices().await, 1);
    assert_eq!(expired::end(world.node()).await.unwrap(), 2, "the administrator's browser too");
    assert_eq!(devices().await, 0);
    assert_eq!(expired::end(world.node()).await.unwrap(), 0);
}

#[tokio::test]
async fn who_guesses_learns_nothing() {
    let (world, _) = World::claimed().await;
    let browser = world.browser();
    let wrong = browser.post("/api/v1/session", sign_in(MANAGER, "not the password")).await;
    let unknown = browser.post("/api/v1/session", sign_in("nobody@klinke.example", "not the password")).await;
    assert_eq!((wrong.status.as_u16(), wrong.code().as_str()), (401, "sign_in_failed"));
    assert_eq!((wrong.status, &wrong.text), (unknown.status, &unknown.text));
    let names =
        |answer: &crate::world::Answer| answer.headers.keys().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(names(&wrong), names(&unknown));
    assert_eq!(wrong.cookie(), "");
}

#[tokio::test]
async fn a_suspended_person_is_told_what_a_stranger_is_told() {
    let (world, _) = World::claimed().await;
    let town = world.town().await;
    let browser = world.browser();
    assert_eq!(browser.post("/api/v1/session", sign_in(RESIDENT, PASSWORD)).await.status, 201);
    let scope = klinke_model::scope::Scope::system(town.tenant);
    let person = world.node().store.gate().account(RESIDENT).await.unwrap().unwrap().person;
    assert!(world.node().store.people().set_active(&scope, person, false).await.unwrap());
    assert_eq!(browser.get("/api/v1/session").await.status, 401);
    let suspended = browser.post("/api/v1/session", sign_in(RESIDENT, PASSWORD)).await;
    let wrong = browser.post("/api/v1/session", sign_in(MANAGER, "not the password")).await;
    assert_eq!((suspended.status, suspended.text), (wrong.status, wrong.text));
}

#[tokio::test]
async fn guessing_is_slowed_down_and_the_owner_is_not_locked_out() {
    let (world, _) = World::claimed().await;
    let attacker = world.browser_at([127, 0, 0, 66]);
    let guesses = (0..40).map(|_| attacker.post("/api/v1/session", sign_in(MANAGER, "not the password")));
    let answers = futures_util::future::join_all(guesses).await;
    let tried = answers.iter().filter(|answer| answer.status == 401).count();
    let slowed = answers.iter().filter(|answer| answer.status == 429).count();
    assert_eq!((tried, slowed), (8, 32));
    let slowed = answers.iter().find(|answer| answer.status == 429).unwrap();
    assert_eq!(slowed.code(), "too_many_tries");
    assert!(slowed.headers["retry-after"].to_str().unwrap().parse::<u32>().unwrap() >= 60);

    let right = sign_in(MANAGER, PASSWORD);
    assert_eq!(attacker.post("/api/v1/session", right.clone()).await.status, 429);
    assert_eq!(world.browser().post("/api/v1/session", right.clone()).await.status, 201);
    world.clock.advance(Duration::from_secs(60));
    assert_eq!(attacker.post("/api/v1/session", right).await.status, 201);
}

#[tokio::test]
async fn a_session_ends_after_ninety_days() {
    let (world, browser) = World::claimed().await;
    world.clock.advance(Duration::from_secs(90 * 86_400));
    assert_eq!(browser.get("/api/v1/session").await.status, 200);
    world.clock.advance(Duration::from_secs(86_400));
    assert_eq!(browser.get("/api/v1/session").await.status, 401);
}

#[tokio::test]
async fn a_person_sees_and_ends_their_own_devices_only() {
    let (world, manager) = World::claimed().await;
    world.town().await;
    let (phone, tablet) = (world.browser(), world.browser());
    let at_phone = phone.post("/api/v1/session", sign_in(RESIDENT, PASSWORD)).await.json();
    let at_tablet = tablet.post("/api/v1/session", sign_in(RESIDENT, PASSWORD)).await.json();
    let listed = phone.get("/api/v1/me/devices").await.json();
    assert_eq!(listed.as_array().unwrap().len(), 2);
    let current: Vec<_> =
        listed.as_array().unwrap().iter().filter(|device| device["current"] == true).collect();
    assert_eq!(current[0]["id"], at_phone["device"]["id"]);

    let path = format!("/api/v1/me/devices/{}", at_tablet["device"]["id"].as_str().unwrap());
    let foreign = manager.delete(&path).await;
    let unknown = manager.delete(&format!("/api/v1/me/devices/{}", uuid::Uuid::from_u128(5))).await;
    assert_eq!((foreign.status.as_u16(), &foreign.text), (404, &unknown.text));
    assert_eq!(phone.delete(&path).await.status, 204);
    assert_eq!(tablet.get("/api/v1/session").await.status, 401);
    assert_eq!(phone.delete(&path).await.status, 404);
    assert_eq!(phone.get("/api/v1/session").await.status, 200);
}

#[tokio::test]
async fn cookies_that_are_not_ours_sign_nobody_in() {
    let (world, _) = World::claimed().await;
    let browser = world.browser();
    for cookie in ["klinke=", "klinke=x", &format!("klinke={}", "A".repeat(43)), "__Host-klinke=x", "other=1"]
    {
        let request = browser.http.get(browser.url("/api/v1/session")).header("cookie", cookie);
        let answer = browser.send(request, axum::http::Method::GET, "/api/v1/session").await;
        assert_eq!(answer.code(), "not_signed_in", "{cookie}");
    }
}

#[tokio::test]
async fn who_knows_the_password_is_never_slowed_down() {
    let (world, _) = World::claimed().await;
    let browser = world.browser();
    for _ in 0..25 {
        assert_eq!(browser.post("/api/v1/session", sign_in(MANAGER, PASSWORD)).await.status, 201);
    }
}
