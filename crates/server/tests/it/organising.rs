//! Parts of a property are changed and removed; who looks with the eyes of a role sees what it sees and changes nothing.

use crate::world::{Answer, Browser, PASSWORD, RESIDENT, World, sign_in};
use axum::http::Method;
use serde_json::{Value, json};

async fn patch(who: &Browser, path: &str, body: Value) -> Answer {
    let request = who.http.patch(who.url(path)).header("origin", &who.base).json(&body);
    who.send(request, Method::PATCH, path).await
}

async fn seen_as(who: &Browser, role: &str, path: &str) -> Answer {
    who.send(who.http.get(who.url(path)).header("klinke-view-as", role), Method::GET, path).await
}

#[tokio::test]
async fn a_part_is_changed_by_who_saw_the_newest_and_removed_when_nothing_depends_on_it() {
    let (world, manager) = World::claimed().await;
    let town = world.town().await;
    let building = format!("/api/v1/buildings/{}", town.building);
    let seen = manager.get(&building).await.json();
    assert_eq!((&seen["version"], &seen["uses"]["people"]), (&json!(1), &json!(1)));
    let changed = patch(&manager, &building, json!({ "version": 1, "name": "Court" })).await;
    assert_eq!(
        (changed.status.as_u16(), &changed.json()["building"]["address"]),
        (200, &json!("Canary Street 1"))
    );
    let late = patch(&manager, &building, json!({ "version": 1, "kind": "mixed" })).await;
    assert_eq!(
        (late.code().as_str(), &late.json()["current"]["building"]["name"]),
        ("conflict", &json!("Court"))
    );
    let nowhere = patch(&manager, &building, json!({ "version": 2, "time_zone": "Europe/Atlantis" })).await;
    assert_eq!(nowhere.json()["errors"][0]["pointer"], "/time_zone");

    let another = manager.delete(&format!("{building}?name=Canary%20Court")).await;
    assert_eq!(another.code(), "invalid", "that is not its name any more");
    let full = manager.delete(&format!("{building}?name=Court")).await;
    assert_eq!((full.code().as_str(), &full.json()["current"]["people"]), ("in_use", &json!(1)));

    let door = format!("/api/v1/doors/{}", town.door);
    let times = json!({ "release_ms": 8_000, "open_ms": 1, "relock": "on_open" });
    let odd = patch(&manager, &door, json!({ "version": 1, "times": times })).await;
    assert_eq!(odd.json()["errors"], json!([{ "pointer": "/times/open_ms", "code": "out_of_range" }]));
    let unknown = json!({ "version": 1, "wiring": { "controller": uuid::Uuid::from_u128(5), "output": 0 } });
    assert_eq!(patch(&manager, &door, unknown).await.json()["errors"][0]["pointer"], "/wiring/controller");
    let units = manager.get(&format!("{building}/units")).await.json();
    let unit = format!("/api/v1/units/{}", units["items"][0]["id"].as_str().unwrap());
    let opens = patch(&manager, &unit, json!({ "version": 1, "doors": [town.door] })).await.json();
    assert_eq!(opens["doors"], json!([town.door]));
    assert_eq!(manager.delete(&unit).await.code(), "in_use");
    assert_eq!(manager.delete(&door).await.status, 204);
    assert_eq!(manager.get(&door).await.code(), "not_found");
    assert_eq!(manager.get(&unit).await.json()["doors"], json!([]));
    let entrance = format!("/api/v1/entrances/{}", town.entrance);
    assert_eq!(manager.delete(&entrance).await.json()["current"]["units"], 1);

    let resident = world.browser();
    assert_eq!(resident.post("/api/v1/session", sign_in(RESIDENT, PASSWORD)).await.status, 201);
    for path in [&building, &unit, &entrance] {
        assert_eq!(resident.get(path).await.code(), "not_found");
        assert_eq!(patch(&resident, path, json!({ "version": 1 })).await.code(), "not_found");
    }
}

#[tokio::test]
async fn who_looks_as_a_role_sees_what_it_sees_and_changes_nothing() {
    let (world, manager) = World::claimed().await;
    let town = world.town().await;
    let caretaker = format!("caretaker@{}", town.building);
    let building = format!("/api/v1/buildings/{}", town.building);
    let session = seen_as(&manager, &caretaker, "/api/v1/session").await.json();
    assert_eq!(session["roles"].as_array().unwrap().len(), 1, "{session}");
    assert_eq!(session["roles"][0]["rights"], json!(["see_building", "devices"]));
    assert_eq!(session["roles"][0]["building"], json!(town.building));
    assert_eq!(seen_as(&manager, &caretaker, &format!("{building}/panels")).await.status, 200);
    assert_eq!(seen_as(&manager, &caretaker, &format!("{building}/bells")).await.code(), "forbidden");
    assert_eq!(seen_as(&manager, &caretaker, "/api/v1/people").await.code(), "forbidden");
    assert_eq!(seen_as(&manager, &caretaker, "/api/v1/roles").await.code(), "forbidden");
    let elsewhere = format!("auditor@{}", uuid::Uuid::from_u128(5));
    assert_eq!(seen_as(&manager, &elsewhere, &building).await.code(), "not_found");
    for odd in ["janitor", "caretaker@here", "caretaker@"] {
        assert_eq!(seen_as(&manager, odd, "/api/v1/session").await.code(), "malformed", "{odd}");
    }
    let path = format!("{building}/entrances");
    let change = manager.http.post(manager.url(&path)).header("origin", &manager.base);
    let change = change.header("klinke-view-as", &caretaker).json(&json!({ "name": "B" }));
    assert_eq!(manager.send(change, Method::POST, &path).await.code(), "viewing_only");
    assert_eq!(manager.get(&path).await.json().as_array().unwrap().len(), 1);

    // a resident who looks as a manager is a resident
    let resident = world.browser();
    assert_eq!(resident.post("/api/v1/session", sign_in(RESIDENT, PASSWORD)).await.status, 201);
    assert_eq!(seen_as(&resident, "manager", &building).await.code(), "not_found");
    assert_eq!(seen_as(&resident, "manager", "/api/v1/session").await.json()["roles"], json!([]));
}

#[tokio::test]
async fn the_other_administrators_see_a_role_that_was_given() {
    let (world, manager) = World::claimed().await;
    let town = world.town().await;
    let people = manager.get("/api/v1/people?text=canary%20res").await.json();
    let person = people["items"][0]["id"].clone();
    let given = json!({ "person": person, "role": "caretaker", "building": town.building });
    assert_eq!(manager.post("/api/v1/roles", given).await.status, 204);
    let changes = manager.get("/api/v1/roles/changes").await.json();
    let told = &changes[0];
    assert_eq!(
        (&told["action"], &told["role"], &told["own"]),
        (&json!("role.given"), &json!("caretaker"), &json!(false))
    );
    assert_eq!((&told["by"], &told["name"]), (&json!("Canary Manager"), &json!("Canary Resident")));
}

#[tokio::test]
async fn a_property_manager_is_made_suspended_and_sees_nothing_of_another() {
    let (world, operator) = World::claimed().await;
    let town = world.town().await;
    let new = json!({ "name": "Canary South", "manager_name": "Canary Second", "manager_email": "", "language": "en" });
    let made = operator.post("/api/v1/tenants", new.clone()).await;
    assert_eq!(made.status, 201, "{made:?}");
    let made = made.json();
    let token = made["link"].as_str().unwrap().split("invite=").nth(1).unwrap().to_owned();
    let second = world.browser();
    let set = json!({ "token": token, "password": PASSWORD, "device_name": "Canary Laptop" });
    assert_eq!(second.post("/api/v1/invitations/accept", set).await.status, 201);
    assert_eq!(second.get("/api/v1/buildings").await.code(), "confidentiality_required");
    assert_eq!(second.post("/api/v1/confidentiality", json!({ "version": 1 })).await.status, 204);
    assert_eq!(second.get("/api/v1/buildings").await.json(), json!([]));
    assert_eq!(second.get(&format!("/api/v1/buildings/{}", town.building)).await.code(), "not_found");
    assert_eq!(second.get("/api/v1/tenants").await.code(), "forbidden");
    assert_eq!(second.post("/api/v1/tenants", new).await.code(), "forbidden");

    let path = format!("/api/v1/tenants/{}", made["tenant"]["id"].as_str().unwrap());
    let suspended = patch(&operator, &path, json!({ "version": 1, "suspended": true })).await;
    assert_eq!((suspended.status.as_u16(), &suspended.json()["suspended"]), (200, &json!(true)));
    assert_eq!(second.get("/api/v1/session").await.code(), "not_signed_in");
    let again = sign_in(made["user_name"].as_str().unwrap(), PASSWORD);
    assert_eq!(world.browser().post("/api/v1/session", again.clone()).await.code(), "sign_in_failed");
    let late = patch(&operator, &path, json!({ "version": 1, "name": "Canary North" })).await;
    assert_eq!(late.code(), "conflict");
    let lifted = patch(&operator, &path, json!({ "version": 2, "suspended": false })).await;
    assert_eq!(lifted.status, 200);
    assert_eq!(world.browser().post("/api/v1/session", again).await.status, 201);

    let all = operator.get("/api/v1/tenants").await.json();
    let own = all.as_array().unwrap().iter().find(|one| one["own"] == true).unwrap();
    let own = format!("/api/v1/tenants/{}", own["id"].as_str().unwrap());
    assert_eq!(patch(&operator, &own, json!({ "version": 1, "suspended": true })).await.code(), "forbidden");
    let nowhere = format!("/api/v1/tenants/{}", uuid::Uuid::from_u128(5));
    assert_eq!(patch(&operator, &nowhere, json!({ "version": 1 })).await.code(), "not_found");
}

#[tokio::test]
async fn what_the_app_needs_is_told_to_everybody_and_said_by_an_operator() {
    let (world, operator) = World::claimed().await;
    world.town().await;
    let anybody = world.browser();
    let path = "/api/v1/app-requirements";
    assert_eq!(anybody.get(path).await.json(), json!({ "ios": "16.4", "android": "10" }));
    let put = async |who: &Browser, body: Value| {
        let request = who.http.put(who.url(path)).header("origin", &who.base).json(&body);
        who.send(request, Method::PUT, path).await
    };
    let wanted = json!({ "ios": "17.2", "android": "12" });
    assert_eq!(put(&anybody, wanted.clone()).await.code(), "not_signed_in");
    let resident = world.browser();
    assert_eq!(resident.post("/api/v1/session", sign_in(RESIDENT, PASSWORD)).await.status, 201);
    assert_eq!(put(&resident, wanted.clone()).await.code(), "forbidden");
    let odd = put(&operator, json!({ "ios": "new", "android": "12" })).await;
    assert_eq!(odd.json()["errors"], json!([{ "pointer": "/ios", "code": "out_of_range" }]));
    assert_eq!(put(&operator, wanted.clone()).await.status, 204);
    assert_eq!(anybody.get(path).await.json(), wanted);
}
