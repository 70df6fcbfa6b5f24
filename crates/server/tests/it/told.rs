//! What people are told of doors and controllers: why the order of doors refuses, how a door is wired, how old rights are.

use crate::support::door::Controller;
use crate::support::house::House;
use crate::support::until;
use klinke_model::ids::DoorId;
use klinke_model::time::{Mono, Timestamp};
use klinke_wire::common::{OpeningState, RefusalCode};
use klinke_wire::controller::{ControllerEvent, ControllerRequest, Held};
use serde_json::{Value, json};

/// Sets what is special about a door and waits until its controller decides by it.
async fn set(house: &House, controller: &Controller, door: DoorId, settings: Value) {
    let path = format!("/api/v1/doors/{}/settings", door.0);
    let before = house.manager.get(&path).await.json();
    let times = controller.in_force.times();
    let change = json!({ "version": before["version"], "settings": settings });
    let changed = house.manager.put(&path, change).await;
    assert_eq!(changed.status, 200, "{changed:?}");
    until("the settings are in force", || controller.in_force.times() > times).await;
}

fn special(what: &Value) -> Value {
    let mut settings = json!({ "refuses_copyable": false, "first_person_in": false });
    for (key, value) in what.as_object().unwrap() {
        settings[key] = value.clone();
    }
    settings
}

#[tokio::test]
async fn the_order_of_doors_says_what_to_do_and_why_says_the_same() {
    let house = House::new().await;
    let controller = house.controller().await;
    until("rights in force", || controller.in_force.times() > 0).await;
    let mut kari = house.app("kari").await;
    let (front, gate) = (house.plan.front, house.plan.gate);
    let why = async || -> Value {
        let asked = json!({ "person": house.plan.person("kari").0, "door": front.0 });
        house.manager.post(&format!("/api/v1/buildings/{}/why", house.plan.building.0), asked).await.json()
    };
    let refused = |reason| OpeningState::Refused { reason };
    assert_eq!(why().await["opens"], true);

    set(&house, &controller, front, special(&json!({ "two_people_within_s": 10 }))).await;
    assert_eq!(kari.open_door(front, None).await, refused(RefusalCode::SecondPerson));
    assert_eq!(why().await["reason"], "second_person_needed");

    set(&house, &controller, front, special(&json!({ "after": { "door": gate.0, "within_s": 30 } }))).await;
    assert_eq!(kari.open_door(front, None).await, refused(RefusalCode::DoorBeforeFirst));
    let told = why().await;
    assert_eq!((&told["opens"], &told["after"]["within_s"]), (&json!(true), &json!(30)), "{told}");
    assert_eq!(told["after"]["name"], "Gate");

    // no contact at the gate says that it is closed
    set(&house, &controller, gate, special(&json!({ "airlock": 1 }))).await;
    set(&house, &controller, front, special(&json!({ "airlock": 1 }))).await;
    assert_eq!(kari.open_door(front, None).await, refused(RefusalCode::Interlocked));
    assert_eq!(why().await["reason"], "interlocked");
    assert_eq!(controller.releases.count(), 0);
}

#[tokio::test]
async fn a_door_says_how_it_is_wired_also_while_its_controller_is_away() {
    let house = House::new().await;
    let list = format!("/api/v1/buildings/{}/doors", house.plan.building.0);
    let wiring = async |door: DoorId| -> Value {
        let doors = house.manager.get(&list).await.json();
        let found = doors.as_array().unwrap().iter().find(|one| one["id"] == json!(door.0)).unwrap().clone();
        found["wiring"].clone()
    };
    assert_eq!(wiring(house.plan.front).await, Value::Null, "nobody said yet");
    let controller = house.controller().await;
    let relay = json!({ "lock": "fail_safe", "holds": false, "handed_on": false, "contact": false, "exit_button": true,
        "fire_input": true });
    let other = json!({ "holds": false, "handed_on": true, "contact": false, "exit_button": false, "fire_input": true });
    assert_eq!(wiring(house.plan.front).await, relay);
    assert_eq!(wiring(house.plan.gate).await, other);
    assert_eq!(wiring(house.plan.boiler).await, Value::Null, "the file says nothing of its output");
    controller.stop().await;
    assert_eq!(wiring(house.plan.front).await, relay);
}

#[tokio::test]
async fn rights_are_confirmed_only_when_they_are_the_newest() {
    let house = House::new().await;
    let list = format!("/api/v1/buildings/{}/controllers", house.plan.building.0);
    let shown = async || -> Value { house.manager.get(&list).await.json()[0].clone() };
    let before = shown().await;
    assert_eq!((&before["online"], &before["rights"]), (&json!(false), &Value::Null));
    assert_eq!(before["offline_since"], Value::Null, "it never was there");
    let started = house.node().started.as_millis();

    let key = &house.plan.controller;
    let mut link = key.mute(house.running.controllers).await;
    let (mut offered, mut mono) = (None, 1_000_000);
    // asked until the server has looked
    let mut beat = async |link: &mut _, offered: &mut Option<Held>| -> Option<u64> {
        loop {
            mono += 1;
            let beat = ControllerRequest::Heartbeat { mono: Mono::from_millis(mono) };
            klinke_controller::connection::Connection::send(link, &beat).await.unwrap();
            let newest = loop {
                match klinke_controller::connection::Connection::receive(link).await.unwrap() {
                    ControllerEvent::Rights { revision, manifest, .. } => {
                        let issued = Timestamp::from_millis(i64::try_from(revision).unwrap());
                        *offered = Some(Held { revision, issued, manifest: manifest.sha256 });
                    }
                    ControllerEvent::Alive { newest, .. } => break newest,
                    other => panic!("{other:?}"),
                }
            };
            if newest.is_some() {
                return newest;
            }
        }
    };
    let newest = beat(&mut link, &mut offered).await;
    // the offer may come after the answer
    while offered.is_none() {
        beat(&mut link, &mut offered).await;
    }
    assert_eq!(newest, offered.map(|held| held.revision));
    assert_eq!(shown().await["rights"], Value::Null, "offered is not held");
    drop(link);

    let held = offered.unwrap();
    let mut link = key.mute_with(house.running.controllers, Some(held), None).await;
    let there = shown().await;
    assert_eq!(there["rights"], json!({ "issued": held.issued }), "held, and not confirmed on this link");
    assert_eq!(beat(&mut link, &mut offered).await, Some(held.revision));
    // the answer goes out before it is noted
    let mut there = shown().await;
    while there["rights"]["confirmed"].is_null() {
        there = shown().await;
    }
    assert_eq!((&there["alone_too_long"], &there["offline_since"]), (&json!(false), &Value::Null));

    // older ones than the newest are not
    drop(link);
    let older = Held { revision: held.revision - 1, ..held };
    let mut link = key.mute_with(house.running.controllers, Some(older), None).await;
    assert!(beat(&mut link, &mut offered).await > Some(older.revision));
    beat(&mut link, &mut offered).await;
    assert_eq!(shown().await["rights"], json!({ "issued": held.issued }));
    drop(link);
    let mut away = shown().await;
    while away["online"] == true {
        away = shown().await;
    }
    assert!(away["offline_since"].as_i64() > Some(started), "{away}");
}
