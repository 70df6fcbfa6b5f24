//! Codes of residents' own: at the panel and at the keypad, until they end; and the one for who is forced.

use crate::guests::{OPEN, at_front, code, no, present, resident, unknown};
use crate::support::house::House;
use crate::support::until;
use crate::testing::TestClock;
use crate::world::Browser;
use klinke_access::decide::Reason;
use klinke_model::credential::CredentialKey;
use klinke_server::random::Random;
use klinke_wire::common::{ErrorCode, RefusalCode};
use serde_json::{Value, json};
use std::time::Duration;

/// The house's front door.
const FRONT: u16 = 0;

async fn policy(house: &House, own_codes: bool, duress_codes: bool) {
    let at = format!("/api/v1/buildings/{}/policy", house.plan.building);
    let mut now = house.manager.get(&at).await.json();
    now["policy"]["own_codes"] = json!(own_codes);
    now["policy"]["duress_codes"] = json!(duress_codes);
    let set = house.manager.put(&at, json!({ "version": now["version"], "policy": now["policy"] })).await;
    assert_eq!(set.status, 200, "{set:?}");
}

async fn codes(who: &Browser) -> Value {
    who.get("/api/v1/me/codes").await.json()["items"].clone()
}

/// Asks for a code, or another one.
async fn renewed(house: &House, who: &Browser) -> String {
    let made = who.post(&format!("/api/v1/me/codes/{}", house.plan.building), json!({})).await;
    assert_eq!(made.status, 200, "{made:?}");
    made.json()["code"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_resident_s_code_opens_at_the_panel_and_at_the_keypad_until_it_ends() {
    let house = House::new().await;
    let (plan, mut panel) = (&house.plan, house.panel().await);
    let controller = house.controller().await;
    let linh = resident(&house, "linh").await;
    let at = format!("/api/v1/me/codes/{}", plan.building);
    assert_eq!(codes(&linh).await, json!([]));
    assert_eq!(linh.post(&at, json!({})).await.code(), "decided_by_administrator");
    policy(&house, true, false).await;
    assert_eq!(codes(&linh).await, json!([{ "building": plan.building, "building_name": "Storgata 12" }]));

    let first = renewed(&house, &linh).await;
    assert_eq!(codes(&linh).await[0]["code"], json!(first));
    assert_eq!(present(&mut panel, code(&first)).await, at_front(OPEN));
    let refusal =
        |digits: &str| controller.in_force.refusal(plan.front, &CredentialKey::code(digits).unwrap());
    until("the keypad knows it", || refusal(&first).is_none()).await;
    let before = controller.releases.of(FRONT);
    controller.type_keys(FRONT, &format!("{first}#")).await;
    until("released", || controller.releases.of(FRONT) == before + 1).await;
    controller.locked().await;

    // a new one: the one before opens nothing, at the panel at once
    let second = renewed(&house, &linh).await;
    assert_ne!(first, second);
    let mut gate = house.gate_panel().await;
    assert!(unknown(&present(&mut panel, code(&first)).await));
    until("the keypad knows", || refusal(&first) == Some(Reason::CredentialUnknown)).await;
    until("the keypad knows the new one", || refusal(&second).is_none()).await;

    // suspended, and back
    let (store, scope, person) = (&house.node().store, house.scope(), plan.person("linh"));
    assert!(store.people().set_active(&scope, person, false).await.unwrap());
    let suspended = no(RefusalCode::Suspended);
    let told = present(&mut gate, code(&second)).await;
    assert!(matches!(told, Ok((_, state)) if state == suspended), "{told:?}");
    until("the keypad knows", || refusal(&second) == Some(Reason::PersonSuspended)).await;
    assert!(store.people().set_active(&scope, person, true).await.unwrap());

    // it is kept, so it is in the file; administrators see that it is there, and not which it is
    assert_eq!(linh.get("/api/v1/me/data").await.json()["codes"], json!(["Storgata 12"]));
    let theirs = format!("/api/v1/people/{person}/codes");
    let seen = house.manager.get(&theirs).await;
    assert_eq!(seen.json(), json!([{ "building": plan.building, "building_name": "Storgata 12" }]));
    let taken = house.manager.delete(&format!("{theirs}/{}", plan.building)).await;
    assert_eq!(taken.status, 204, "{taken:?}");
    assert!(unknown(&present(&mut gate, code(&second)).await));
    assert_eq!(linh.delete(&at).await.status, 404);

    // moved out: gone in the same moment
    let third = renewed(&house, &linh).await;
    until("the keypad knows it", || refusal(&third).is_none()).await;
    let gone = store.people().remove_membership(&scope, person, plan.unit("Nguyen")).await;
    assert!(gone.unwrap());
    until("the keypad knows", || refusal(&third) == Some(Reason::CredentialUnknown)).await;
    assert_eq!(codes(&linh).await, json!([]));
    controller.stop().await;
}

#[tokio::test]
async fn who_is_forced_gets_in_as_always_and_administrators_hear_of_it() {
    let house = House::new().await;
    policy(&house, true, true).await;
    let controller = house.controller().await;
    let linh = resident(&house, "linh").await;
    let own = renewed(&house, &linh).await;
    let forced = codes(&linh).await[0]["duress"].as_str().unwrap().to_owned();
    let last = |code: &str| code.chars().last().unwrap().to_digit(10).unwrap();
    assert_eq!((&own[..own.len() - 1], (last(&own) + 1) % 10), (&forced[..own.len() - 1], last(&forced)));
    let at = format!("/api/v1/buildings/{}/alarms", house.plan.building);
    let alarms = async || house.manager.get(&at).await.json()["items"].clone();
    let raised = async |count: usize| {
        let raised = async {
            while alarms().await.as_array().unwrap().len() < count {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), raised).await.expect("an alarm");
        alarms().await
    };
    // at the panel: the same answer
    let mut panel = house.panel().await;
    assert_eq!(present(&mut panel, code(&own)).await, at_front(OPEN));
    assert_eq!(alarms().await, json!([]));
    controller.locked().await;
    assert_eq!(present(&mut panel, code(&forced)).await, at_front(OPEN));
    let told = raised(1).await;
    assert_eq!((&told[0]["kind"], &told[0]["door"]["id"]), (&json!("duress"), &json!(house.plan.front)));
    assert!(!told.to_string().contains(&house.plan.person("linh").to_string()), "{told}");

    // at the keypad: the controller tells of it
    let key = CredentialKey::code(&forced).unwrap();
    until("known", || controller.in_force.refusal(house.plan.front, &key).is_none()).await;
    controller.locked().await;
    let before = controller.releases.of(FRONT);
    controller.type_keys(FRONT, &format!("{forced}#")).await;
    until("released", || controller.releases.of(FRONT) == before + 1).await;
    let told = raised(2).await;
    assert!(told.as_array().unwrap().iter().all(|alarm| alarm["kind"] == "duress"));
    controller.stop().await;
}

#[tokio::test]
async fn every_fifth_wrong_code_at_a_panel_is_an_alarm_that_names_nobody() {
    let clock = TestClock::new();
    let house = House::build(|_| {}, clock.clone(), Random::system(), str::to_owned).await;
    let mut panel = house.panel().await;
    let at = format!("/api/v1/buildings/{}/alarms", house.plan.building);
    let alarms = async || house.manager.get(&at).await.json()["items"].clone();
    for wrong in 1..=11_u64 {
        assert!(unknown(&present(&mut panel, code(&format!("{wrong:06}"))).await));
        clock.advance(Duration::from_secs(300));
        let raised = async {
            while alarms().await.as_array().unwrap().len() < usize::try_from(wrong / 5).unwrap() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), raised).await.expect("an alarm");
    }
    let told = alarms().await;
    let told: Vec<_> =
        told.as_array().unwrap().iter().map(|alarm| (&alarm["kind"], &alarm["door"]["id"])).collect();
    assert_eq!(told, [(&json!("wrong_codes"), &json!(house.plan.front)); 2]);
}

#[tokio::test]
async fn a_guessed_code_tells_nobody_whose_it_is_and_costs_the_same() {
    let clock = TestClock::new();
    let house = House::build(|_| {}, clock.clone(), Random::system(), str::to_owned).await;
    policy(&house, true, false).await;
    let linh = resident(&house, "linh").await;
    let own = renewed(&house, &linh).await;
    let guest = linh.post("/api/v1/me/guests", json!({ "unit": house.plan.unit("Nguyen"), "name": "Plumber",
        "doors": [house.plan.front], "ends_at": klinke_model::time::Clock::now(&*clock).as_millis() + 3_600_000, "once": false })).await;
    let guests = guest.json()["code"].as_str().unwrap().to_owned();
    let mut panel = house.panel().await;
    // without a controller both are told the same
    let offline = at_front(no(RefusalCode::Offline));
    assert_eq!(present(&mut panel, code(&own)).await, offline);
    assert_eq!(present(&mut panel, code(&guests)).await, offline);
    // beside one's own, where nobody may have the one for duress; beside the guest's; of nobody: one answer, one wait
    let wrong = [klinke_server::passes::under_duress(&own), klinke_server::passes::under_duress(&guests)];
    let mut told = Vec::new();
    for (wait, digits) in [1_u64, 2].into_iter().zip(&wrong) {
        told.push(present(&mut panel, code(digits)).await);
        let slow = present(&mut panel, code(&own)).await;
        let Err(news) = slow else { panic!("not slowed down: {slow:?}") };
        assert_eq!(
            (news.code, news.wait_ms),
            (ErrorCode::SlowDown, Some(u32::try_from(wait * 1_000).unwrap()))
        );
        clock.advance(Duration::from_secs(wait));
    }
    let bodies: Vec<_> = told.iter().map(|told| told.as_ref().unwrap_err().code).collect();
    assert_eq!(bodies, [ErrorCode::NotFound; 2]);
    assert!(told.iter().all(unknown));
    assert_eq!(present(&mut panel, code(&own)).await, offline, "and the right one is good after the wait");
}
