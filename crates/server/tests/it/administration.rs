//! What administrators see, and what others do not.

use crate::world::{PASSWORD, RESIDENT, World, sign_in};
use klinke_model::door::DoorState;
use serde_json::json;

const LISTS: [&str; 6] = ["entrances", "units", "bells", "panels", "doors", "controllers"];

#[tokio::test]
async fn an_administrator_sees_their_buildings() {
    let (world, manager) = World::claimed().await;
    let town = world.town().await;
    world.neighbours().await;
    let buildings = manager.get("/api/v1/buildings").await.json();
    assert_eq!(
        buildings,
        json!([{ "id": town.building, "name": "Canary Court", "address": "Canary Street 1", "kind": "residential", "time_zone": "Europe/Oslo", "holidays": "none" }])
    );
    let resident = world.browser();
    assert_eq!(resident.post("/api/v1/session", sign_in(RESIDENT, PASSWORD)).await.status, 201);
    let list =
        async |what: &str| manager.get(&format!("/api/v1/buildings/{}/{what}", town.building)).await.json();
    assert_eq!(list("entrances").await, json!([{ "id": town.entrance, "name": "A", "units": 1 }]));
    let units = list("units").await;
    assert_eq!(
        (&units["items"][0]["residents"], &units["items"][0]["reachable_devices"]),
        (&json!(1), &json!(1))
    );
    assert!(!units.to_string().contains("Canary Resident"));
    assert!(list("doors").await[0].get("state").is_none());
    world.node().presence.door_reported(town.door, DoorState::LOCKED);
    assert_eq!(
        list("doors").await[0]["state"],
        json!({ "mode": "locked", "position": "closed", "alarm": "normal" })
    );
    assert_eq!(list("bells").await["items"], json!([]));
    for empty in ["panels", "controllers"] {
        assert_eq!(list(empty).await, json!([]), "{empty}");
    }
}

#[tokio::test]
async fn what_is_not_theirs_does_not_exist_for_them() {
    let (world, manager) = World::claimed().await;
    let town = world.town().await;
    let neighbours = world.neighbours().await;
    let resident = world.browser();
    assert_eq!(resident.post("/api/v1/session", sign_in(RESIDENT, PASSWORD)).await.status, 201);
    let unknown = uuid::Uuid::from_u128(5).to_string();
    for list in LISTS {
        let path = |building: &dyn std::fmt::Display| format!("/api/v1/buildings/{building}/{list}");
        let wanted = manager.get(&path(&unknown)).await;
        assert_eq!((wanted.status.as_u16(), wanted.code().as_str()), (404, "not_found"));
        let refused = [
            manager.get(&path(&neighbours.building)).await,
            manager.get(&path(&"not-an-id")).await,
            resident.get(&path(&town.building)).await,
            resident.get(&path(&neighbours.building)).await,
        ];
        for answer in refused {
            assert_eq!((answer.status, &answer.text), (wanted.status, &wanted.text), "{list}");
        }
        assert_eq!(world.browser().get(&path(&town.building)).await.code(), "not_signed_in");
    }
    for list in ["/api/v1/buildings", "/api/v1/controller-pairing"] {
        assert_eq!(manager.get(list).await.status, 200);
        assert_eq!(resident.get(list).await.code(), "forbidden");
        assert_eq!(world.browser().get(list).await.code(), "not_signed_in");
    }
    for made in ["panels", "controllers"] {
        let body = json!({ "code": "0000 0000", "name": "x", "doors": [] });
        for (who, building) in [(&resident, town.building), (&manager, neighbours.building)] {
            let answer = who.post(&format!("/api/v1/buildings/{building}/{made}"), body.clone()).await;
            assert_eq!((answer.status.as_u16(), answer.code().as_str()), (404, "not_found"), "{made}");
        }
    }
}
