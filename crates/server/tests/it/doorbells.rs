//! An administrator edits and moderates buttons, and policies are in force: what the panel shows, and how it rings.

use crate::support::house::House;
use crate::support::panel::{Panel, request};
use crate::testing::TestClock;
use crate::world::{Browser, PASSWORD, sign_in};
use axum::http::Method;
use klinke_model::ids::BellId;
use klinke_server::random::Random;
use klinke_wire::common::ErrorCode;
use klinke_wire::panel::{Directory, PanelCallState, PanelEvent, PanelRequest};
use serde_json::{Value, json};
use std::sync::Arc;

async fn shown(panel: &mut Panel, what: &str, is_so: impl Fn(&Directory) -> bool) -> Directory {
    panel
        .socket
        .expect(what, |event| match event {
            PanelEvent::Directory { directory } if is_so(directory) => Some(directory.clone()),
            _ => None,
        })
        .await
}

fn has(directory: &Directory, text: &str) -> bool {
    directory.bells.iter().any(|bell| bell.label.as_str() == text)
}

async fn buttons(house: &House) -> Vec<Value> {
    let path = format!("/api/v1/buildings/{}/bells", house.plan.building);
    house.manager.get(&path).await.json()["items"].as_array().unwrap().clone()
}

async fn version(house: &House, bell: BellId) -> u64 {
    let all = buttons(house).await;
    all.iter().find(|row| row["id"] == bell.to_string()).unwrap()["version"].as_u64().unwrap()
}

async fn send(browser: &Browser, method: Method, path: &str, body: &Value) -> crate::world::Answer {
    let request = browser.http.request(method.clone(), browser.url(path)).json(body);
    browser.send(request, method, path).await
}

/// What becomes of a change to a button.
pub async fn change(house: &House, bell: BellId, mut body: Value) -> crate::world::Answer {
    body["version"] = version(house, bell).await.into();
    send(&house.manager, Method::PATCH, &format!("/api/v1/bells/{bell}"), &body).await
}

async fn look(house: &House, bell: BellId, mut body: Value) -> crate::world::Answer {
    body["version"] = version(house, bell).await.into();
    send(&house.manager, Method::POST, &format!("/api/v1/bells/{bell}/moderation"), &body).await
}

async fn set_policy(house: &House, change: Value) {
    let path = format!("/api/v1/buildings/{}/policy", house.plan.building);
    let mut policy = house.manager.get(&path).await.json();
    for (field, value) in change.as_object().unwrap() {
        policy["policy"][field] = value.clone();
    }
    let set = send(&house.manager, Method::PUT, &path, &policy).await;
    assert_eq!(set.status, 200, "{set:?}");
}

#[tokio::test]
async fn a_panel_in_use_shows_at_once_what_an_administrator_changed() {
    let house = House::new().await;
    let (mut panel, dahl) = (house.panel().await, house.plan.bell("Dahl"));
    let nora = house.app("nora").await;
    let call = panel.ring(house.plan.bell("Berg")).await;
    assert!(matches!(call.state, PanelCallState::Calling { .. }));
    let changed = change(&house, dahl, json!({ "label": "Dahl-Hansen", "alias": "Tannlege" })).await;
    assert_eq!(changed.status, 200, "{changed:?}");
    let directory = shown(&mut panel, "the new text", |directory| has(directory, "Dahl-Hansen")).await;
    let bell = directory.bells.iter().find(|bell| bell.bell == dahl).unwrap();
    assert_eq!(bell.alias.as_ref().unwrap().as_str(), "Tannlege");
    assert!(!has(&directory, "Dahl"));
    // the visitor's call goes on
    panel.hang_up(call.call).await;
    panel.ended(call.call).await;
    drop(nora);

    let stale = json!({ "version": 1, "label": "Nobody" });
    let path = format!("/api/v1/bells/{dahl}");
    let conflict = send(&house.manager, Method::PATCH, &path, &stale).await;
    assert_eq!((conflict.status.as_u16(), conflict.code()), (409, "conflict".into()));
    assert_eq!(conflict.json()["current"]["label"], "Dahl-Hansen");
    let hidden = change(&house, dahl, json!({ "hidden": true })).await;
    assert_eq!(hidden.status, 200);
    shown(&mut panel, "no such button", |directory| !has(directory, "Dahl-Hansen")).await;
    panel.tap(request(), dahl, None).await;
    assert_eq!(panel.error().await, ErrorCode::NotFound);
}

#[tokio::test]
async fn what_is_wrong_with_a_button_is_named() {
    let house = House::new().await;
    let dahl = house.plan.bell("Dahl");
    let nora = house.plan.person("nora");
    for (wrong, pointer) in [
        (json!({ "label": " " }), "/label"),
        (json!({ "alias": "a\nb" }), "/alias"),
        (json!({ "dial_code": "12" }), "/dial_code"),
        (json!({ "listing": "dial_only" }), "/dial_code"),
        (json!({ "members": [] }), "/members"),
        (json!({ "members": [nora] }), "/members/0"),
    ] {
        let refused = change(&house, dahl, wrong.clone()).await;
        assert_eq!(refused.status, 422, "{wrong}: {refused:?}");
        assert_eq!(refused.json()["errors"][0]["pointer"], pointer, "{wrong}");
    }
    let resident = Browser::at([127, 0, 0, 1], house.at());
    assert_eq!(resident.post("/api/v1/session", sign_in("kari", PASSWORD)).await.status, 201);
    let path = format!("/api/v1/bells/{dahl}");
    let body = json!({ "version": 1, "label": "Mine" });
    assert_eq!(send(&resident, Method::PATCH, &path, &body).await.status, 404);
    let body = json!({ "version": 1, "verdict": "approve" });
    assert_eq!(send(&resident, Method::POST, &format!("{path}/moderation"), &body).await.status, 404);
}

#[tokio::test]
async fn a_button_that_no_list_shows_is_dialled() {
    let house = House::new().await;
    let (mut panel, mut kari, dahl) = (house.panel().await, house.app("kari").await, house.plan.bell("Dahl"));
    assert_eq!(
        change(&house, dahl, json!({ "listing": "dial_only", "dial_code": "4711" })).await.status,
        200
    );
    let directory = shown(&mut panel, "a panel that dials", |directory| directory.dials).await;
    assert!(!serde_json::to_string(&directory).unwrap().contains("Dahl"), "the name stays on the server");
    let taken = change(&house, house.plan.bell("Berg"), json!({ "dial_code": "4711" })).await;
    assert_eq!((taken.status.as_u16(), &taken.json()["errors"][0]["code"]), (422, &json!("taken")));

    let code = |code: &str| PanelRequest::Dial { request: request(), code: code.to_owned() };
    panel.socket.send(&code("4711")).await;
    let call = panel.until("a call", |state| matches!(state, PanelCallState::Calling { .. })).await;
    assert_eq!(call.label.as_str(), "4711", "whoever guesses a code learns no name");
    assert_eq!(kari.rung().await.label.to_string(), "Dahl");
    panel.hang_up(call.call).await;
    panel.ended(call.call).await;

    // wrong ones are all answered the same, also when there are too many; then not even the right one rings
    for wrong in ["4712", "12", "471a", "123456789"] {
        panel.socket.send(&code(wrong)).await;
        assert_eq!(panel.error().await, ErrorCode::NotFound, "{wrong}");
    }
    for guess in 0..20 {
        panel.socket.send(&code(&format!("{:04}", 5_000 + guess))).await;
        assert_eq!(panel.error().await, ErrorCode::NotFound);
    }
    panel.socket.send(&code("4711")).await;
    assert_eq!(panel.error().await, ErrorCode::NotFound);
}

#[tokio::test]
async fn a_button_that_was_taken_off_is_not_shown_again_by_its_resident() {
    let house = House::new().await;
    let (mut panel, dahl) = (house.panel().await, house.plan.bell("Dahl"));
    assert_eq!(look(&house, dahl, json!({ "verdict": "remove", "reason": " " })).await.status, 422);
    let removed =
        look(&house, dahl, json!({ "verdict": "remove", "reason": "It insults a neighbour" })).await;
    assert_eq!(removed.status, 200, "{removed:?}");
    assert_eq!(removed.json()["removed_reason"], "It insults a neighbour");
    shown(&mut panel, "no such button", |directory| !has(directory, "Dahl")).await;
    let resident = Browser::at([127, 0, 0, 1], house.at());
    assert_eq!(resident.post("/api/v1/session", sign_in("kari", PASSWORD)).await.status, 201);
    let shows = json!({ "version": version(&house, dahl).await, "hidden": false, "label": "Again" });
    let refused = send(&resident, Method::PATCH, &format!("/api/v1/me/bells/{dahl}"), &shows).await;
    assert_eq!((refused.status.as_u16(), refused.code()), (403, "decided_by_administrator".into()));
    assert_eq!(look(&house, dahl, json!({ "verdict": "bring_back" })).await.status, 200);
    shown(&mut panel, "the button again", |directory| has(directory, "Dahl")).await;
}

#[tokio::test]
async fn a_text_waits_where_the_policy_wants_it_approved() {
    let house = House::new().await;
    set_policy(&house, json!({ "approve_first": true })).await;
    let (mut panel, dahl) = (house.panel().await, house.plan.bell("Dahl"));
    let resident = Browser::at([127, 0, 0, 1], house.at());
    assert_eq!(resident.post("/api/v1/session", sign_in("kari", PASSWORD)).await.status, 201);
    let writes = json!({ "version": version(&house, dahl).await, "label": "Kari" });
    let written = send(&resident, Method::PATCH, &format!("/api/v1/me/bells/{dahl}"), &writes).await;
    assert_eq!(written.status, 200, "{written:?}");
    let row = buttons(&house).await.into_iter().find(|row| row["id"] == dahl.to_string()).unwrap();
    assert_eq!(
        (&row["label"], &row["asked"], &row["moderation"]),
        (&json!("Dahl"), &json!("Kari"), &json!("pending"))
    );
    assert_eq!(look(&house, dahl, json!({ "verdict": "approve" })).await.status, 200);
    shown(&mut panel, "the approved text", |directory| has(directory, "Kari")).await;
}

#[tokio::test]
async fn in_quiet_hours_the_app_is_told_to_be_silent_and_the_visitor_nothing() {
    // noon UTC is 13:00 where the house stands
    let clock = TestClock::new();
    let house = House::build(|_| {}, Arc::clone(&clock) as _, Random::system(), str::to_owned).await;
    let (mut panel, mut kari, dahl) = (house.panel().await, house.app("kari").await, house.plan.bell("Dahl"));
    let mut ring = async |silent: bool| {
        let call = panel.ring(dahl).await;
        assert!(matches!(call.state, PanelCallState::Calling { .. }));
        assert_eq!(kari.rung().await.silent, silent);
        panel.hang_up(call.call).await;
        panel.ended(call.call).await;
        kari.ended(call.call).await;
        serde_json::to_value(&call.state).unwrap()["state"].clone()
    };
    let before = ring(false).await;
    set_policy(&house, json!({ "quiet_hours": { "from": 780, "until": 840 } })).await;
    assert_eq!(ring(true).await, before);
    set_policy(&house, json!({ "quiet_hours": { "from": 720, "until": 780 } })).await;
    ring(false).await;
}

#[tokio::test]
async fn whoever_accepts_an_invitation_stands_on_the_panel() {
    let house = House::new().await;
    let building = house.plan.building;
    let entrances = house.manager.get(&format!("/api/v1/buildings/{building}/entrances")).await.json();
    let home = json!({ "entrance": entrances[0]["id"], "numbers": "H0301", "doors": [] });
    let made = house.manager.post(&format!("/api/v1/buildings/{building}/units"), home).await;
    assert_eq!(made.status, 201, "{made:?}");
    let units = house.manager.get(&format!("/api/v1/buildings/{building}/units")).await.json();
    let unit =
        units["items"].as_array().unwrap().iter().find(|unit| unit["number"] == "H0301").unwrap()["id"]
            .clone();
    let new = json!({ "name": "Siv Ek", "email": "siv@klinke.example", "homes": [{ "unit": unit, "owner": true }] });
    let added = house.manager.post("/api/v1/people", new).await;
    assert_eq!(added.status, 201, "{added:?}");
    let person = added.json()["id"].as_str().unwrap().to_owned();
    let told = house.manager.post(&format!("/api/v1/people/{person}/invitation"), json!({})).await.json();
    let token = told["link"].as_str().unwrap().split_once("#invite=").unwrap().1.to_owned();

    let mut panel = house.panel().await;
    assert!(!has(&panel.directory, "Siv Ek"), "nobody can be rung yet");
    let phone = Browser::at([127, 0, 0, 1], house.at());
    let accepts = json!({ "token": token, "password": "gul sykkel i regnet", "device_name": "Phone" });
    assert_eq!(phone.post("/api/v1/invitations/accept", accepts).await.status, 201);
    let directory = shown(&mut panel, "the new button", |directory| has(directory, "Siv Ek")).await;
    assert_eq!(directory.bells.iter().filter(|bell| bell.unit.as_str() == "H0301").count(), 1);
    // the next sign-in puts no second one there
    let again = phone.post("/api/v1/session", sign_in("siv@klinke.example", "gul sykkel i regnet")).await;
    assert_eq!(again.status, 201);
    assert_eq!(
        buttons(&house)
            .await
            .iter()
            .filter(|row| row["label"] == "Siv Ek" && row["panel"] == json!(panel.id))
            .count(),
        1
    );
}

#[tokio::test]
async fn a_policy_and_a_suspension_change_the_panel_at_once() {
    let house = House::new().await;
    let mut panel = house.panel().await;
    let texts =
        |directory: &Directory| directory.bells.iter().map(|bell| bell.label.to_string()).collect::<Vec<_>>();
    assert_eq!(change(&house, house.plan.bell("Dahl"), json!({ "label": "Ågren" })).await.status, 200);
    set_policy(&house, json!({ "button_order": "by_text" })).await;
    shown(&mut panel, "buttons by text", |directory| {
        texts(directory) == ["Ågren", "Berg", "Nguyen", "Olsen"]
    })
    .await;
    let liv = house.plan.person("liv");
    let path = format!("/api/v1/people/{liv}/suspension");
    assert_eq!(send(&house.manager, Method::PUT, &path, &json!({})).await.status, 200);
    let without_liv = |directory: &Directory| {
        directory.bells.iter().any(|bell| bell.members.len() == 2 && bell.label.as_str() == "Olsen")
    };
    shown(&mut panel, "a family without her", without_liv).await;
}
