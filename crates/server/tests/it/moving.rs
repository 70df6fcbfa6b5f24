//! A household that has moved out is out when its last day is over, and not before.

use crate::support::house::House;
use klinke_model::time::{Clock, Mono, SystemClock, Timestamp};
use klinke_server::moving;
use klinke_server::random::Random;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

const SIGNED_OUT: u16 = 4002;
/// Noon on 21 November 2026, UTC.
const NOON: i64 = 1_795_262_400_000;
/// The first moment of 22 November in Oslo.
const MIDNIGHT: i64 = NOON + 11 * 3_600_000;

/// A wall clock that stands where it is put; waiting goes on as usual.
struct Wall(AtomicI64, SystemClock);

impl Clock for Wall {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }

    fn mono(&self) -> Mono {
        self.1.mono()
    }
}

#[tokio::test]
async fn who_has_moved_out_is_signed_out_when_the_last_day_is_over_and_not_a_millisecond_before() {
    let clock = Arc::new(Wall(AtomicI64::new(NOON), SystemClock::start()));
    let house = House::build(|_| {}, clock.clone(), Random::system(), str::to_owned).await;
    let phone = house.phone("kari").await;
    let mut app = phone.connect(house.at()).await;
    let address = format!("/api/v1/units/{}/moves", house.plan.unit("Dahl"));
    let out = [house.plan.person("kari")];
    let yesterday = house.manager.post(&address, json!({ "last_day": "2026-11-20", "out": out })).await;
    assert_eq!(yesterday.status, 422, "{yesterday:?}");
    let planned = house.manager.post(&address, json!({ "last_day": "2026-11-21", "out": out })).await;
    assert_eq!(planned.status, 201, "{planned:?}");
    let again = house.manager.post(&address, json!({ "last_day": "2026-11-21", "out": out })).await;
    assert_eq!(again.status, 409, "{again:?}");

    clock.0.store(MIDNIGHT - 1, Ordering::SeqCst);
    moving::carry_out_due(house.node()).await;
    assert_eq!(phone.browser.get("/api/v1/session").await.status, 200);

    clock.0.store(MIDNIGHT, Ordering::SeqCst);
    moving::carry_out_due(house.node()).await;
    assert_eq!(app.socket.closed().await.0, Some(SIGNED_OUT));
    assert_eq!(phone.browser.get("/api/v1/session").await.status, 401);
    let moved =
        house.manager.get(&format!("/api/v1/moves?building={}&state=done", house.plan.building)).await.json();
    let ended = &moved["items"][0]["ended"];
    assert_eq!(
        (&ended["people"], &ended["signed_out"], &ended["accounts"]),
        (&json!(1), &json!(1), &json!(1))
    );
}

#[tokio::test]
async fn who_changes_unit_now_lives_there_with_the_answer_and_stays_signed_in() {
    let clock = Arc::new(Wall(AtomicI64::new(NOON), SystemClock::start()));
    let house = House::build(|_| {}, clock, Random::system(), str::to_owned).await;
    let phone = house.phone("kari").await;
    let kari = house.plan.person("kari");
    let from = house.plan.unit("Dahl");
    let address = format!("/api/v1/units/{from}/moves");
    let same = house.manager.post(&address, json!({ "out": [kari], "to": from })).await;
    assert_eq!((same.status.as_u16(), same.json()["errors"][0]["pointer"].clone()), (422, json!("/to")));
    let units = house.manager.get(&format!("/api/v1/buildings/{}/units", house.plan.building)).await.json();
    let to = units["items"].as_array().unwrap().iter().find(|unit| unit["id"] != json!(from)).unwrap();
    let moved = house.manager.post(&address, json!({ "out": [kari], "to": to["id"] })).await;
    assert_eq!(moved.status, 201, "{moved:?}");
    let moved = moved.json();
    assert_eq!((&moved["to"]["number"], &moved["ended"]["moved_on"]), (&to["number"], &json!(1)));
    let homes = house.manager.get(&format!("/api/v1/people/{kari}")).await.json()["homes"].clone();
    assert_eq!((homes.as_array().unwrap().len(), &homes[0]["unit"]), (1, &to["id"]));
    assert_eq!(phone.browser.get("/api/v1/session").await.status, 200);
}
