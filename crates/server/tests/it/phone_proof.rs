//! A number is somebody's when they typed on it what their app shows.

use crate::phone::{NUMBER, PAUSE, house, nothing_is_left, over, put, rung, stand};
use crate::support::PATIENCE;
use crate::support::trunk::{Baresip, Sipp};
use crate::world::{Browser, PASSWORD};
use klinke_model::phone::Phones;
use klinke_server::app::my_phone_number::typed;
use serde_json::{Value, json};
use std::time::Duration;

#[tokio::test]
async fn a_number_is_kept_when_the_digits_that_the_app_shows_are_typed_on_it() {
    let house = house(&[], Phones::WithoutDevice, |_| {}).await;
    let mut phone = Baresip::start(NUMBER).await;
    stand(&house, &[phone.port]).await;
    let kari = house.phone("kari").await;
    let at = "/api/v1/me/phone-number";
    let begun = kari.browser.put(at, json!({ "number": NUMBER, "password": PASSWORD })).await;
    assert_eq!(begun.status, 202, "{begun:?}");
    let code = begun.json()["code"].as_str().unwrap().to_owned();
    // one digit is another one
    let wrong = format!("{}{}", (code.as_bytes()[0] - b'0' + 1) % 10, &code[1..]);
    phone.picked_up().await;
    // keys in the first second do not count
    tokio::time::sleep(Duration::from_millis(PAUSE)).await;
    phone.type_keys(&wrong).await;
    // a star takes back what was typed by mistake
    phone.type_keys("12*").await;
    assert_eq!(kari.browser.get(at).await.json()["number"], Value::Null);
    phone.type_keys(&code).await;
    // we hang up
    nothing_is_left(&house).await;
    let kept = kari.browser.get(at).await.json();
    assert_eq!((&kept["number"], &kept["verified"]), (&json!(NUMBER), &json!("called")), "{kept}");
    // and it rings
    assert_eq!(kari.browser.delete("/api/v1/session").await.status, 204);
    let (mut panel, call) = rung(&house).await;
    phone.picked_up().await;
    panel.hang_up(call).await;
    panel.ended(call).await;
}

const MINE: &str = "/api/v1/me/phone-number";

/// Asks for the call that proves a number; the digits that the app shows.
async fn asked(browser: &Browser, number: &str) -> String {
    let begun = browser.put(MINE, json!({ "number": number, "password": PASSWORD })).await;
    assert_eq!(begun.status, 202, "{begun:?}");
    begun.json()["code"].as_str().unwrap().to_owned()
}

/// Asks until this field is there.
async fn shows(browser: &Browser, field: &str) -> Value {
    let looking = async {
        loop {
            let now = browser.get(MINE).await.json();
            if !now[field].is_null() {
                return now;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, looking).await.unwrap_or_else(|_| panic!("{field} never came"))
}

#[tokio::test]
async fn a_call_that_comes_to_nothing_ends_the_proof_and_says_why() {
    for (status, why) in [
        ("486 Busy Here", "not_picked_up"),
        ("603 Decline", "not_picked_up"),
        ("480 Temporarily Unavailable", "not_picked_up"),
        ("404 Not Found", "not_reached"),
        ("503 Service Unavailable", "not_reached"),
    ] {
        let house = house(&[], Phones::WithoutDevice, |_| {}).await;
        let sipp = Sipp::refuse(status);
        over(&house, &sipp).await;
        let kari = house.phone("kari").await.browser;
        asked(&kari, NUMBER).await;
        let now = shows(&kari, "unproven").await;
        let unproven = json!({ "number": NUMBER, "why": why });
        assert_eq!((&now["unproven"], &now["waiting"]), (&unproven, &Value::Null), "{status}");
        assert_eq!((&now["can_confirm"], &now["calls_from"]), (&json!(true), &json!(["+4721600001"])));
        sipp.verdict().await;
    }
}

#[tokio::test]
async fn a_machine_that_picks_up_proves_nothing_and_is_told_as_that() {
    let house = house(&[], Phones::WithoutDevice, |_| {}).await;
    let sipp = Sipp::play("hangs_up", 1);
    over(&house, &sipp).await;
    let kari = house.phone("kari").await.browser;
    asked(&kari, NUMBER).await;
    assert_eq!(shows(&kari, "unproven").await["unproven"]["why"], json!("not_typed"));
    sipp.verdict().await;
}

#[tokio::test]
async fn what_waits_can_be_given_up_without_the_number_that_is_kept() {
    let house = house(&["kari"], Phones::WithoutDevice, |_| {}).await;
    let sipp = Sipp::play("rings_on", 2);
    over(&house, &sipp).await;
    let kari = house.phone("kari").await.browser;
    let other = "+4791500124";
    asked(&kari, other).await;
    assert_eq!(shows(&kari, "waiting").await["waiting"]["number"], json!(other));
    sipp.wrote("180 Ringing").await;
    assert_eq!(kari.delete(&format!("{MINE}/waiting")).await.status, 204);
    // its call is hung up: SIPp waits for that
    nothing_is_left(&house).await;
    let now = kari.get(MINE).await.json();
    assert_eq!((&now["number"], &now["waiting"]), (&json!(NUMBER), &Value::Null));
    assert_eq!(now["unproven"], Value::Null, "giving up is no failure");
    // taking the number away takes the other one with it
    asked(&kari, other).await;
    assert_eq!(kari.delete(MINE).await.status, 204);
    nothing_is_left(&house).await;
    assert_eq!(kari.get(MINE).await.json(), json!({ "can_confirm": true, "calls_from": ["+4721600001"] }));
    sipp.verdict().await;
}

#[tokio::test]
async fn over_a_limit_nothing_waits_for_a_call_that_never_comes() {
    let house = house(&[], Phones::WithoutDevice, |_| {}).await;
    let sipp = Sipp::refuse("486 Busy Here");
    // read when the trunk is made to stand
    let limits = json!({ "countries": [47], "number_hour": 1, "building_hour": 60, "tenant_day": 500 });
    assert_eq!(put(&house, "/api/v1/phone-limits", json!({ "version": 0, "limits": limits })).await, 200);
    over(&house, &sipp).await;
    let kari = house.phone("kari").await.browser;
    asked(&kari, NUMBER).await;
    shows(&kari, "unproven").await;
    let again = kari.put(MINE, json!({ "number": NUMBER, "password": PASSWORD })).await;
    assert_eq!((again.status.as_u16(), again.code()), (429, "called_too_often".to_owned()));
    let now = kari.get(MINE).await.json();
    assert_eq!((&now["waiting"], &now["unproven"]), (&Value::Null, &Value::Null));
    assert_eq!(sipp.invited(), 1);
    sipp.verdict().await;
}

#[tokio::test]
async fn who_is_suspended_by_then_proves_nothing_and_nobody_is_called_again_and_again() {
    let house = house(&[], Phones::WithoutDevice, |_| {}).await;
    let sipp = Sipp::play("rings_on", 3);
    over(&house, &sipp).await;
    let kari = house.phone("kari").await.browser;
    let (node, scope, person) = (house.node(), house.scope(), house.plan.person("kari"));
    let waits = || node.number_proofs.waits(house.plan.tenant, person).unwrap();
    let code = asked(&kari, NUMBER).await;
    assert!(!typed(node, waits().proof, "nope").await.unwrap());
    assert_eq!(
        node.store.phone_numbers().number(&scope, person).await.unwrap(),
        None,
        "nothing is kept before"
    );
    assert!(node.store.people().set_active(&scope, person, false).await.unwrap());
    assert!(!typed(node, waits().proof, &code).await.unwrap());
    assert!(node.store.people().set_active(&scope, person, true).await.unwrap());
    assert_eq!(node.store.phone_numbers().number(&scope, person).await.unwrap(), None);
    // three calls, and then one each twenty minutes
    for _ in 0..2 {
        assert_eq!(kari.delete(MINE).await.status, 204);
        nothing_is_left(&house).await;
        asked(&kari, NUMBER).await;
    }
    let fourth = kari.put(MINE, json!({ "number": NUMBER, "password": PASSWORD })).await;
    assert_eq!(fourth.code(), "too_many_tries");
    assert_eq!(kari.delete(MINE).await.status, 204);
    nothing_is_left(&house).await;
}
