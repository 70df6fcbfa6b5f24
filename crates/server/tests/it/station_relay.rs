//! A door that the door station opens by a relay of its own: baresip is the station, or SIPp.

mod http;

use crate::door_station::{DAHL, Station, house, house_of, nothing_is_left};
use crate::support::PATIENCE;
use crate::support::app::App;
use crate::support::house::House;
use crate::support::panel::request;
use crate::support::trunk::Sipp;
use crate::support::until;
use crate::world::Answer;
use klinke_model::door::DoorMode;
use klinke_model::ids::DoorId;
use klinke_server::stations::credentials::Credentials;
use klinke_wire::app::AppEvent;
use klinke_wire::common::{OpeningState, RefusalCode};
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use tokio::time::timeout;

const fn refused(reason: RefusalCode) -> OpeningState {
    OpeningState::Refused { reason }
}

fn relay(door: DoorId) -> String {
    format!("/api/v1/doors/{door}/station-relay")
}

/// What the station of the entrance is told.
async fn told(house: &House, told: Value) -> Answer {
    let body = json!({ "panel": house.plan.entrance_panel.id, "told": told });
    house.manager.put(&relay(house.plan.front), body).await
}

/// No controller, or this output of it, drives the front door.
async fn wire(house: &House, wiring: Value) -> Answer {
    let path = format!("/api/v1/doors/{}", house.plan.front);
    let seen = house.manager.get(&path).await.json();
    house.manager.patch(&path, json!({ "version": seen["version"], "wiring": wiring })).await
}

async fn without_controller(house: &House) {
    let off = wire(house, json!({ "output": 0 })).await;
    assert_eq!(off.status, 200, "{off:?}");
}

/// Waits until the list of doors says that the front door can be opened, or not.
async fn listed(app: &mut App, house: &House, at_hand: bool) {
    let front = house.plan.front;
    let state = app
        .socket
        .expect("another state of the door", |event| match event {
            AppEvent::Door { door } if door.door == front && door.state.is_some() == at_hand => {
                Some(door.state)
            }
            _ => None,
        })
        .await;
    assert_eq!(state.map(|state| state.mode), at_hand.then_some(DoorMode::Locked));
}

/// The keys that a station heard until its call was over.
async fn keys(station: &mut Station) -> String {
    let mut keys = String::new();
    let all = async {
        while let Some(line) = station.line().await {
            // a press has a line when it begins, and one when it ends
            if let Some(at) = line.find("received event: '").filter(|_| line.contains("end=0")) {
                keys.extend(line[at..].chars().nth("received event: '".len()));
            }
            if line.contains("session closed") {
                return;
            }
        }
    };
    timeout(PATIENCE, all).await.expect("the end of the call");
    keys
}

#[tokio::test]
async fn keys_are_pressed_in_its_call_while_it_rings_and_while_somebody_talks_and_never_twice() {
    let (house, mut station) = house("").await;
    let front = house.plan.front;
    without_controller(&house).await;
    let mut kari = house.app("kari").await;
    assert_eq!(kari.open_door(front, None).await, refused(RefusalCode::NoController));
    let set = told(&house, json!({ "way": "keys", "keys": "47*" })).await;
    assert_eq!((set.status.as_u16(), &set.json()["relay"]["told"]["keys"]), (200, &json!("47*")), "{set:?}");
    assert_eq!(kari.open_door(front, None).await, refused(RefusalCode::Offline), "it is in no call");

    station.dial(DAHL).await;
    let call = kari.rung().await;
    until("a door that can be opened", || house.node().presence.door(front).is_some()).await;
    // while it rings: its call is answered, and rings on
    assert_eq!(kari.open_door(front, Some(call.call)).await, OpeningState::Sent);
    kari.answer(call.call).await;
    // the same tap twice, as an app does that was away
    let tap = request();
    kari.open(tap, front, Some(call.call)).await;
    kari.open(tap, front, Some(call.call)).await;
    assert_eq!(kari.opened(tap).await.state, OpeningState::Sent);
    assert_eq!(kari.opened(tap).await.state, OpeningState::Sent);
    // and from the list, while the call lasts
    assert_eq!(kari.open_door(front, None).await, OpeningState::Sent);
    kari.hang_up(call.call).await;
    assert_eq!(keys(&mut station).await, "47*47*47*");
    until("a door that can not be opened", || house.node().presence.door(front).is_none()).await;
    nothing_is_left(&house).await;

    // the next call is rung, answered and ended as ever
    station.dial(DAHL).await;
    let call = kari.rung().await;
    kari.answer(call.call).await;
    kari.hang_up(call.call).await;
    assert_eq!(keys(&mut station).await, "", "nothing was kept for later");
    nothing_is_left(&house).await;
}

#[tokio::test]
async fn a_station_that_takes_no_keys_beside_the_sound_is_sent_them_by_info() {
    let (house, account, server) = house_of(|_| {}).await;
    without_controller(&house).await;
    assert_eq!(told(&house, json!({ "way": "keys", "keys": "47*" })).await.status, 200);
    let mut kari = house.app("kari").await;
    let Credentials { name, password } = &account;
    let sipp = Sipp::takes_info(&server.to_string(), name, password, DAHL, "47*47*").await;
    let call = kari.rung().await;
    until("a door that can be opened", || house.node().presence.door(house.plan.front).is_some()).await;
    for _ in 0..2 {
        assert_eq!(kari.open_door(house.plan.front, Some(call.call)).await, OpeningState::Sent);
    }
    kari.decline(call.call).await;
    sipp.verdict().await;
    nothing_is_left(&house).await;
}

#[tokio::test]
async fn a_visitor_waits_for_no_reading_of_what_the_station_opens() {
    let (house, mut station) = house("").await;
    without_controller(&house).await;
    assert_eq!(told(&house, json!({ "way": "keys", "keys": "5" })).await.status, 200);
    let mut kari = house.app("kari").await;
    let file = house.folder.path().join("data/klinke.db");
    let database = sea_orm::Database::connect(format!("sqlite://{}", file.display())).await.unwrap();
    // who reads it from now on reads for ever
    for change in [
        "ALTER TABLE station_relay RENAME TO kept",
        "CREATE VIEW station_relay AS SELECT kept.* FROM kept WHERE \
         (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n) > 0",
    ] {
        database.execute_unprepared(change).await.unwrap();
    }
    for _ in 0..2 {
        station.dial(DAHL).await;
        let call = kari.rung().await;
        kari.answer(call.call).await;
        station.says("incoming rtp for 'audio' established").await;
        kari.hang_up(call.call).await;
        station.says("session closed").await;
        nothing_is_left(&house).await;
    }
}

#[tokio::test]
async fn who_may_not_open_does_not_and_a_door_has_one_of_the_two() {
    let (house, mut station) = house("").await;
    let front = house.plan.front;
    let keys_of = json!({ "way": "keys", "keys": "5" });
    let path = format!("/api/v1/doors/{front}");
    let controller = house.manager.get(&path).await.json()["door"]["controller"].clone();
    // a controller drives it
    let both = told(&house, keys_of.clone()).await;
    assert_eq!((both.status.as_u16(), both.code().as_str()), (409, "driven"));
    without_controller(&house).await;
    let held = house.manager.put(&format!("{path}/held"), json!({ "held": "blocked" })).await;
    assert_eq!(held.status, 200);
    let held = told(&house, keys_of.clone()).await;
    assert_eq!((held.status.as_u16(), held.code().as_str()), (409, "needs_controller"));
    assert_eq!(house.manager.put(&format!("{path}/held"), json!({})).await.status, 200);
    for (wrong, pointer) in [
        (json!({ "way": "keys", "keys": "" }), "/told/keys"),
        (json!({ "way": "keys", "keys": "123456789" }), "/told/keys"),
        (json!({ "way": "keys", "keys": "5A" }), "/told/keys"),
        (
            json!({ "way": "http", "https": false, "port": 80, "path": "//evil.example/", "basic": false }),
            "/told/path",
        ),
        (json!({ "way": "http", "https": false, "port": 0, "path": "/", "basic": false }), "/told/port"),
        (
            json!({ "way": "http", "https": false, "port": 80, "path": "/", "basic": false, "user": "a" }),
            "/told/password",
        ),
        (
            json!({ "way": "http", "https": false, "port": 80, "path": "/", "basic": false, "password": "a" }),
            "/told/user",
        ),
    ] {
        let answer = told(&house, wrong.clone()).await;
        assert_eq!(
            (answer.status.as_u16(), &answer.json()["errors"][0]["pointer"]),
            (422, &json!(pointer)),
            "{wrong}"
        );
    }
    let http = |path| json!({ "way": "http", "https": false, "port": 80, "path": path, "basic": false });
    for path in ["//evil.example/", "http://evil.example/", "open door", "open", "/open?{key}"] {
        let answer = told(&house, http(path)).await;
        assert_eq!(answer.json()["errors"][0]["code"], json!("not_a_path"), "{path}: {answer:?}");
    }
    // a screen is no door station, and neither is what is not there
    let screen = json!({ "panel": house.plan.gate_panel.id, "told": keys_of });
    let answer = house.manager.put(&relay(front), screen).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["errors"][0]["pointer"]), (422, &json!("/panel")));
    assert_eq!(house.manager.get(&relay(front)).await.json(), json!({}));

    assert_eq!(told(&house, keys_of.clone()).await.status, 200);
    let both = wire(&house, json!({ "controller": controller, "output": 0 })).await;
    assert_eq!((both.status.as_u16(), both.code().as_str()), (409, "driven"), "{both:?}");
    for (what, body) in [
        ("held", json!({ "held": "blocked" })),
        ("settings", {
            let seen = house.manager.get(&format!("{path}/settings")).await.json();
            json!({ "version": seen["version"], "settings": { "refuses_copyable": true, "first_person_in": false } })
        }),
    ] {
        let answer = house.manager.put(&format!("{path}/{what}"), body).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (409, "needs_controller"), "{what}");
    }
    let doors = format!("/api/v1/buildings/{}/doors", house.plan.building);
    let shown = house.manager.get(&doors).await.json();
    let shown = shown.as_array().unwrap().iter().find(|door| door["id"] == json!(front)).unwrap().clone();
    assert_eq!(shown["station"], json!(house.plan.entrance_panel.id));

    // Nora is rung, but the front door is closed to everybody: nothing is pressed
    let down = format!("/api/v1/buildings/{}/lock-down", house.plan.building);
    assert_eq!(house.manager.put(&down, json!({ "locked_down": true })).await.status, 204);
    let mut kari = house.app("kari").await;
    station.dial(DAHL).await;
    let call = kari.rung().await;
    kari.answer(call.call).await;
    assert_eq!(kari.open_door(front, Some(call.call)).await, refused(RefusalCode::Blocked));
    kari.hang_up(call.call).await;
    assert_eq!(keys(&mut station).await, "");
    assert_eq!(house.manager.put(&down, json!({ "locked_down": false })).await.status, 204);

    assert_eq!(house.manager.delete(&relay(front)).await.status, 204);
    assert_eq!(house.manager.delete(&relay(front)).await.status, 404);
    let wired = wire(&house, json!({ "controller": controller, "output": 0 })).await;
    assert_eq!(wired.status, 200, "{wired:?}");
}
