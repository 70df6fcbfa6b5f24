//! A card from the administration to the lock: the real server, the real link, the real doors; with the server there,
//! with the link cut, and after a start without a server.

use crate::support::door::{Controller, told as command};
use crate::support::house::House;
use crate::support::panel::request;
use crate::support::until;
use klinke_access::decide::Reason;
use klinke_model::card::CardView;
use klinke_model::credential::CredentialKey;
use klinke_model::time::Timestamp;
use klinke_wire::common::ErrorCode;
use klinke_wire::controller::{ControllerEvent, ControllerRequest, UsedCredential};
use klinke_wire::panel::{PanelEvent, PanelRequest, PresentedPass};
use serde_json::json;
use std::time::Duration;

/// The house's front door, and the gate.
const FRONT: u16 = 0;
const GATE: u16 = 1;

async fn present(controller: &Controller, card: CredentialKey, opens: bool) {
    let (before, stranger) =
        (controller.releases.of(FRONT), CardView::Serial.read("04FFFFFFFFFFFF").unwrap());
    controller.present(FRONT, card).await;
    if opens {
        until("the lock is released", || controller.releases.of(FRONT) == before + 1).await;
        controller.locked().await;
    } else {
        // what comes after it was judged too, and the task of the doors judges one after another
        for _ in 0..64 {
            controller.present(FRONT, stranger).await;
        }
        assert_eq!(controller.releases.of(FRONT), before);
    }
}

#[tokio::test]
async fn a_card_opens_as_the_administration_says_and_goes_on_alone() {
    let house = House::new().await;
    let controller = house.controller().await;
    let (building, front) = (house.plan.building, house.plan.front);
    let new = json!({ "person": house.plan.person("kari"), "name": "Blue key ring", "kind": "serial", "number": "04:A1:B2:C3:D4:E5:F6" });
    let card = CardView::Serial.read("04A1B2C3D4E5F6").unwrap();
    present(&controller, card, false).await;

    let added = house.manager.post(&format!("/api/v1/buildings/{building}/cards"), new).await;
    assert_eq!(added.status, 201, "{added:?}");
    let becomes = async |what, refusal: Option<Reason>| {
        until(what, || controller.in_force.refusal(front, &card) == refusal).await;
    };
    becomes("the card is known", None).await;
    present(&controller, card, true).await;

    let at = format!("/api/v1/cards/{}", added.json()["id"].as_str().unwrap());
    let lost = house.manager.patch(&at, json!({ "version": 1, "blocked": true })).await;
    assert_eq!(lost.status, 200, "{lost:?}");
    becomes("the card is blocked", Some(Reason::CredentialBlocked)).await;
    present(&controller, card, false).await;
    let found = house.manager.patch(&at, json!({ "version": 2, "blocked": false })).await;
    assert_eq!(found.status, 200, "{found:?}");
    becomes("the card is let in again", None).await;
    present(&controller, card, true).await;

    // the line is cut
    let mut controller = controller;
    controller.cut().await;
    present(&controller, card, true).await;
    controller.stop().await;

    // and after a power cut, with nobody to be dialled
    let nobody = std::net::SocketAddr::from(([127, 0, 0, 1], 9));
    let alone = house.plan.controller.start(nobody);
    until("rights in force", || alone.in_force.times() > 0).await;
    present(&alone, card, true).await;
    assert_eq!(alone.releases.count(), 1, "a start releases nothing by itself");
    alone.stop().await;
}

#[tokio::test]
async fn a_guests_code_opens_at_the_keypad_and_ends_there_by_itself() {
    let house = House::new().await;
    let mut controller = house.controller().await;
    let now = house.node().clock.now();
    let soon = now.plus(Duration::from_secs(3));
    let (building, front) = (house.plan.building, house.plan.front);
    let new = |name: &str, ends_at: Timestamp, once| json!({ "name": name, "doors": [front], "ends_at": ends_at, "once": once });
    let guests = format!("/api/v1/buildings/{building}/guests");
    let made = async |new| {
        let made = house.manager.post(&guests, new).await;
        assert_eq!(made.status, 201, "{made:?}");
        made.json()
    };
    let week = now.plus(Duration::from_secs(7 * 86_400));
    let (cleaner, once) = (made(new("Cleaner", week, false)).await, made(new("Plumber", week, true)).await);
    let (courier, other) = (made(new("Courier", soon, false)).await, made(new("Other", week, false)).await);
    let code = |guest: &serde_json::Value| guest["code"].as_str().unwrap().to_owned();
    let refusal = |controller: &Controller, guest: &serde_json::Value| {
        controller.in_force.refusal(front, &CredentialKey::code(&code(guest)).unwrap())
    };
    until("the last of them is known", || refusal(&controller, &other).is_none()).await;

    let opens = async |controller: &Controller, code: &str| {
        let before = controller.releases.of(FRONT);
        controller.type_keys(FRONT, &format!("{code}#")).await;
        until("released", || controller.releases.of(FRONT) == before + 1).await;
        controller.locked().await;
    };
    opens(&controller, &code(&cleaner)).await;
    assert_eq!(refusal(&controller, &once), None, "who may come once is known too");

    // revoked with one tap
    let at = format!("/api/v1/guests/{}", other["id"].as_str().unwrap());
    assert_eq!(house.manager.delete(&at).await.status, 204);
    until("the guest is gone", || refusal(&controller, &other) == Some(Reason::CredentialUnknown)).await;

    // the line is cut: the one goes on, and the other's time ends all the same
    controller.cut().await;
    until("the time is over", || refusal(&controller, &courier) == Some(Reason::CredentialOver)).await;
    assert!(house.node().clock.now() >= soon);
    opens(&controller, &code(&cleaner)).await;
    assert_eq!(controller.releases.of(FRONT), 2);
    controller.stop().await;
}

/// Types a code until the lock is released.
async fn opens(controller: &Controller, reader: u16, code: &str) {
    let before = controller.releases.of(reader);
    controller.type_keys(reader, &format!("{code}#")).await;
    until("released", || controller.releases.of(reader) == before + 1).await;
    controller.locked().await;
}

#[tokio::test]
async fn who_may_come_once_comes_once_to_a_keypad_and_the_server_counts_it_once() {
    let house = House::new().await;
    let mut controller = house.controller().await;
    let (building, plan) = (house.plan.building, &house.plan);
    let week = house.node().clock.now().plus(Duration::from_secs(7 * 86_400));
    let guests = format!("/api/v1/buildings/{building}/guests");
    let made = async |name: &str| {
        let new = json!({ "name": name, "doors": [plan.front, plan.gate], "ends_at": week, "once": true });
        let made = house.manager.post(&guests, new).await;
        assert_eq!(made.status, 201, "{made:?}");
        made.json()
    };
    let code = |guest: &serde_json::Value| guest["code"].as_str().unwrap().to_owned();
    let refusal = |controller: &Controller, guest: &serde_json::Value| {
        controller.in_force.refusal(plan.front, &CredentialKey::code(&code(guest)).unwrap())
    };
    let listed = async || {
        let names = house.manager.get(&guests).await.json()["items"].clone();
        names
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["name"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let (first, second, third) = (made("First").await, made("Second").await, made("Third").await);
    until("all are known", || refusal(&controller, &third).is_none()).await;

    // with the line: the server knows at once, and the panel does too
    opens(&controller, FRONT, &code(&first)).await;
    until("the server has counted", || refusal(&controller, &first) == Some(Reason::CredentialUnknown)).await;
    assert_eq!(listed().await.len(), 2);
    let mut panel = house.panel().await;
    let shown = PresentedPass::Code { digits: code(&first) };
    panel.socket.send(&PanelRequest::Present { request: request(), pass: shown }).await;
    let told = panel.socket.expect("the answer", |event| match event {
        PanelEvent::Error(news) => Some(news.code),
        _ => None,
    });
    assert_eq!(told.await, ErrorCode::NotFound);

    // without: once, at this door or another, over a restart too
    controller.cut().await;
    opens(&controller, GATE, &code(&second)).await;
    controller.type_keys(FRONT, &format!("{}#", code(&second))).await;
    // what comes after it was judged too
    present(&controller, CardView::Serial.read("04FFFFFFFFFFFF").unwrap(), false).await;
    assert_eq!((controller.releases.of(FRONT), controller.releases.of(GATE)), (1, 1));
    controller.stop().await;
    assert_eq!(listed().await.len(), 2, "nobody could tell the server");
    let controller = house.controller().await;
    let told = async {
        while listed().await != ["Third"] {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), told).await.expect("it is told");
    assert_eq!(controller.releases.count(), 0);
    controller.stop().await;

    // told by hand, again and again, and by who drives none of its doors: what the first did stays done
    let mut mute = house.plan.controller.mute(house.running.controllers).await;
    let controllers = house.node().store.doors().controllers(&house.scope(), building).await.unwrap();
    let key = house.node().rights.hash_key(plan.tenant, controllers[0].id);
    let used = |guest: &serde_json::Value| {
        UsedCredential(key.credential(&CredentialKey::code(&code(guest)).unwrap()).0)
    };
    for credentials in [vec![used(&second)], vec![UsedCredential([7; 16])], vec![used(&second), used(&first)]]
    {
        mute.send(&ControllerRequest::Used { credentials: credentials.clone() }).await.unwrap();
        let noted = command(&mut mute).await;
        assert_eq!(noted, ControllerEvent::NotedUsed { credentials });
    }
    assert_eq!(listed().await, ["Third"]);
    let renewed = house
        .manager
        .post(&format!("/api/v1/guests/{}/link", third["id"].as_str().unwrap()), json!({}))
        .await;
    assert_eq!(renewed.status, 200, "{renewed:?}");
    // with the code of before: they have another, and may come
    mute.send(&ControllerRequest::Used { credentials: vec![used(&third)] }).await.unwrap();
    command(&mut mute).await;
    assert_eq!(listed().await, ["Third"]);
    let newest = renewed.json();
    for _ in 0..3 {
        mute.send(&ControllerRequest::Used { credentials: vec![used(&newest)] }).await.unwrap();
        command(&mut mute).await;
        assert!(listed().await.is_empty());
    }
}
