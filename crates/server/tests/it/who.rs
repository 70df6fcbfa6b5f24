//! Who lives here, who may open, keys out and ghosts, as an administrator's browser asks for them.

use crate::world::{PASSWORD, RESIDENT, World, sign_in};
use serde_json::json;

#[tokio::test]
async fn an_administrator_sees_who_lives_here_and_who_may_open() {
    let (world, manager) = World::claimed().await;
    let town = world.town().await;
    let get = async |path: String| manager.get(&path).await.json();
    let (house, door) = (format!("/api/v1/buildings/{}", town.building), town.door);

    let homes = get(format!("{house}/who")).await;
    assert_eq!(homes["items"].as_array().map(Vec::len), Some(1), "{homes}");
    let member = &homes["items"][0]["members"][0];
    assert_eq!((&homes["items"][0]["state"], &member["standing"]), (&json!("no_device"), &json!("active")));
    assert_eq!(get(format!("{house}/who/counts")).await, json!([{ "state": "no_device", "homes": 1 }]));
    assert_eq!(get(format!("{house}/who?state=rung")).await["items"], json!([]));
    let resident = world.browser();
    assert_eq!(resident.post("/api/v1/session", sign_in(RESIDENT, PASSWORD)).await.status, 201);
    assert_eq!(get(format!("{house}/who/counts")).await, json!([{ "state": "no_button", "homes": 1 }]));
    assert_eq!(get(format!("{house}/who?state=silent")).await["items"][0]["state"], "no_button");

    let openers = get(format!("/api/v1/doors/{door}/who")).await;
    let reasons: Vec<_> = openers["items"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|one| one["because"][0]["by"].as_str().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(reasons, ["role"], "nobody else was given the door: {openers}");
    let person = openers["items"][0]["id"].as_str().unwrap_or_default();
    let doors = get(format!("/api/v1/people/{person}/doors")).await;
    assert_eq!(doors["items"][0]["id"], json!(door), "{doors}");

    let keys = get(format!("{house}/keys")).await;
    let text = keys.to_string();
    assert!(text.contains("\"apps\":1") && !text.contains("last") && !text.contains("seen"), "{text}");
    assert_eq!(get(format!("{house}/ghosts")).await, json!([]));
}

#[tokio::test]
async fn who_may_open_is_no_business_of_residents_and_neighbours() {
    let (world, manager) = World::claimed().await;
    let town = world.town().await;
    let neighbours = world.neighbours().await;
    let resident = world.browser();
    assert_eq!(resident.post("/api/v1/session", sign_in(RESIDENT, PASSWORD)).await.status, 201);
    for part in ["who", "who/counts", "ghosts", "keys"] {
        for (browser, building) in [(&resident, town.building), (&manager, neighbours.building)] {
            let answer = browser.get(&format!("/api/v1/buildings/{building}/{part}")).await;
            assert_eq!((answer.status.as_u16(), answer.code().as_str()), (404, "not_found"), "{part}");
        }
        let path = format!("/api/v1/buildings/{}/{part}", town.building);
        assert_eq!(world.browser().get(&path).await.code(), "not_signed_in");
    }
    let door = format!("/api/v1/doors/{}/who", town.door);
    assert_eq!(resident.get(&door).await.code(), "not_found");
    assert_eq!(manager.get(&format!("{door}?limit=0")).await.code(), "invalid");
    assert_eq!(manager.get(&format!("{door}?cursor=x")).await.code(), "malformed");
}
