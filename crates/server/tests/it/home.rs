//! What residents decide for their own home: their buttons on the panel, and who lives with them.

use crate::support::app::Phone;
use crate::support::house::House;
use crate::support::panel::request;
use crate::world::{Browser, PASSWORD};
use klinke_model::ids::BellId;
use klinke_model::time::{Clock, Mono, SystemClock, Timestamp};
use klinke_server::hours;
use klinke_server::random::Random;
use klinke_wire::common::{ErrorCode, OpeningState};
use klinke_wire::panel::Directory;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

const SIGNED_OUT: u16 = 4002;
/// 21:59:59.999 on Saturday 24 October 2026 in Oslo: that night the clocks are set back.
const BEFORE_TEN: i64 = 1_792_871_999_999;
const HOUR: i64 = 3_600_000;

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

fn has(directory: &Directory, label: &str) -> bool {
    directory.bells.iter().any(|bell| bell.label.as_str() == label)
}

fn address(bell: BellId) -> String {
    format!("/api/v1/me/bells/{bell}")
}

/// A person's own button as it is.
async fn bell(browser: &Browser, bell: BellId) -> Value {
    let bells = browser.get("/api/v1/me/bells").await.json();
    bells.as_array().unwrap().iter().find(|found| found["id"] == json!(bell)).unwrap().clone()
}

/// The manager changes one sentence of the policy.
async fn policy(house: &House, sentence: &str, value: Value) {
    let path = format!("/api/v1/buildings/{}/policy", house.plan.building);
    let mut policy = house.manager.get(&path).await.json();
    policy["policy"][sentence] = value;
    let set = house.manager.put(&path, policy).await;
    assert_eq!(set.status, 200, "{set:?}");
}

#[tokio::test]
async fn a_new_text_is_on_the_panel_at_once_if_the_policy_leaves_it_to_residents() {
    let house = House::new().await;
    let kari = house.phone("kari").await;
    let mut panel = house.panel().await;
    let dahl = house.plan.bell("Dahl");
    let before = bell(&kari.browser, dahl).await;
    assert_eq!((&before["may"]["text"], &before["panel"]), (&json!(true), &json!("Entrance A")));

    let version = &before["version"];
    let changed = kari.browser.patch(&address(dahl), json!({ "version": version, "label": "K. Dahl" })).await;
    assert_eq!((changed.status.as_u16(), &changed.json()["label"]), (200, &json!("K. Dahl")));
    let shown = panel.shows("the new text", |directory| has(directory, "K. Dahl")).await;
    assert!(!has(&shown, "Dahl"));

    let late = kari.browser.patch(&address(dahl), json!({ "version": version, "label": "Late" })).await;
    assert_eq!((late.code().as_str(), &late.json()["current"]["label"]), ("conflict", &json!("K. Dahl")));
    let empty = kari.browser.patch(&address(dahl), json!({ "version": 2, "label": " " })).await;
    assert_eq!((empty.status.as_u16(), &empty.json()["errors"][0]["pointer"]), (422, &json!("/label")));

    policy(&house, "edit_text", json!(false)).await;
    let refused = kari.browser.patch(&address(dahl), json!({ "version": 2, "label": "Queen" })).await;
    assert_eq!((refused.status.as_u16(), refused.code().as_str()), (403, "decided_by_administrator"));
    assert_eq!(bell(&kari.browser, dahl).await["may"]["text"], json!(false));

    // somebody else's button is not there, whatever is asked of it
    let nora = house.phone("nora").await;
    for wish in [json!({ "version": 2, "label": "Nora" }), json!({ "version": 1, "label": "" })] {
        assert_eq!(nora.browser.patch(&address(dahl), wish).await.code(), "not_found");
    }
}

#[tokio::test]
async fn a_hidden_button_is_gone_from_the_panel_and_can_not_be_rung_from_an_old_page() {
    let house = House::new().await;
    let kari = house.phone("kari").await;
    let (mut panel, dahl) = (house.panel().await, house.plan.bell("Dahl"));
    let gate = house.gate_panel().await;
    let hidden = kari.browser.patch(&address(dahl), json!({ "version": 1, "hidden": true })).await;
    assert_eq!(hidden.status, 200, "{hidden:?}");
    panel.shows("no Dahl", |directory| !has(directory, "Dahl") && has(directory, "Berg")).await;
    panel.tap(request(), dahl, None).await;
    assert_eq!(panel.error().await, ErrorCode::NotFound);
    assert!(has(&gate.directory, "Dahl"), "each panel for itself");
    let shown = kari.browser.patch(&address(dahl), json!({ "version": 2, "hidden": false })).await;
    assert_eq!(shown.status, 200, "{shown:?}");
    panel.shows("Dahl again", |directory| has(directory, "Dahl")).await;
}

#[tokio::test]
async fn a_timetable_hides_the_button_at_the_minute_of_the_buildings_clock() {
    let clock = Arc::new(Wall(AtomicI64::new(BEFORE_TEN), SystemClock::start()));
    let house = House::build(|_| {}, clock.clone(), Random::system(), str::to_owned).await;
    let kari = house.phone("kari").await;
    let dahl = house.plan.bell("Dahl");
    let night = json!({ "hours_are": "hidden", "rows": [{ "days": [5], "from": 1_320, "until": 420 }] });
    let set = kari.browser.patch(&address(dahl), json!({ "version": 1, "hours": night })).await;
    assert_eq!((set.status.as_u16(), &set.json()["hours_hide"]), (200, &json!(false)));
    let odd = json!({ "hours_are": "hidden", "rows": [{ "days": [], "from": 0, "until": 1 }] });
    let odd = kari.browser.patch(&address(dahl), json!({ "version": 2, "hours": odd })).await;
    assert_eq!((odd.status.as_u16(), &odd.json()["errors"][0]["pointer"]), (422, &json!("/hours/rows/0")));

    // from ten at night until seven is ten hours on the night on which the clocks are set back
    let mut panel = house.panel().await;
    assert!(has(&panel.directory, "Dahl"));
    let at = async |moment: i64| {
        clock.0.store(moment, Ordering::SeqCst);
        hours::turn(house.node()).await.unwrap();
        bell(&kari.browser, dahl).await["hours_hide"].as_bool().unwrap()
    };
    assert!(at(BEFORE_TEN + 1).await);
    panel.shows("no Dahl at night", |directory| !has(directory, "Dahl")).await;
    assert!(at(BEFORE_TEN + 10 * HOUR).await, "06:59:59 after a night of ten hours");
    assert!(!at(BEFORE_TEN + 10 * HOUR + 1).await);
    panel.shows("Dahl in the morning", |directory| has(directory, "Dahl")).await;
}

#[tokio::test]
async fn the_owner_chooses_how_the_button_rings() {
    let house = House::new().await;
    let (linh, anh) = (house.phone("linh").await, house.phone("anh").await);
    let nguyen = house.plan.bell("Nguyen");
    let family = json!({ "version": 1, "kind": "family" });
    let refused = anh.browser.patch(&address(nguyen), family.clone()).await;
    assert_eq!((refused.status.as_u16(), refused.code().as_str()), (403, "decided_by_owner"));
    let mut panel = house.panel().await;
    let changed = linh.browser.patch(&address(nguyen), family).await;
    assert_eq!((changed.status.as_u16(), &changed.json()["kind"]), (200, &json!("family")));
    let of_both = |directory: &Directory| directory.bells.iter().any(|bell| bell.members.len() == 2);
    panel.shows("both members", of_both).await;
    let individual =
        linh.browser.patch(&address(nguyen), json!({ "version": 2, "kind": "individual" })).await;
    assert_eq!(
        (individual.status.as_u16(), &individual.json()["errors"][0]["pointer"]),
        (422, &json!("/kind"))
    );
    let reserved = linh.browser.patch(&address(nguyen), json!({ "version": 2, "kind": "sequential" })).await;
    assert_eq!(reserved.code(), "decided_by_administrator");
}

#[tokio::test]
async fn who_was_taken_in_opens_the_doors_until_they_are_taken_out() {
    let house = House::new().await;
    let _controller = house.controller().await;
    let linh = house.phone("linh").await;
    let members = format!("/api/v1/me/household/{}/members", house.plan.unit("Nguyen"));
    let new = json!({ "name": "Minh", "email": "" });
    assert_eq!(linh.browser.post(&members, new.clone()).await.code(), "decided_by_administrator");
    policy(&house, "add_members", json!(true)).await;
    let anh = house.phone("anh").await;
    assert_eq!(anh.browser.post(&members, new.clone()).await.code(), "not_found", "only who decides");
    let made = linh.browser.post(&members, new).await;
    assert_eq!((made.status.as_u16(), &made.json()["by_mail"]), (201, &json!(false)), "no mail server");

    let link = made.json()["link"].as_str().unwrap().to_owned();
    let token = link.split("#invite=").nth(1).unwrap();
    let phone = Browser::at([127, 0, 0, 1], house.at());
    let accepted = json!({ "token": token, "password": PASSWORD, "device_name": "Minh's phone" });
    let accepted = phone.post("/api/v1/invitations/accept", accepted).await;
    assert_eq!(accepted.status, 201, "{accepted:?}");
    let user_name = made.json()["user_name"].as_str().unwrap().to_owned();
    let minh = Phone::sign_in(house.at(), &user_name, "Minh's phone").await;
    let mut app = minh.connect(house.at()).await;
    let opened = app.open_door(house.plan.gate, None).await;
    assert!(matches!(opened, OpeningState::Open { .. }), "{opened:?}");

    let homes = linh.browser.get("/api/v1/me/household").await.json();
    let found =
        homes[0]["members"].as_array().unwrap().iter().find(|member| member["name"] == "Minh").unwrap();
    assert_eq!((&found["way_in"], &found["may_take_out"]), (&json!("account"), &json!(true)));
    let person = found["person"].as_str().unwrap();
    let again = linh.browser.post(&format!("{members}/{person}/invitation"), json!({})).await;
    assert_eq!(again.code(), "has_password");
    let out = linh.browser.delete(&format!("{members}/{person}")).await;
    assert_eq!(out.status, 204, "{out:?}");
    assert_eq!(app.socket.closed().await.0, Some(SIGNED_OUT));
    assert_eq!(minh.browser.get("/api/v1/session").await.status, 401);
    let placed = house.plan.person("anh");
    assert_eq!(linh.browser.delete(&format!("{members}/{placed}")).await.code(), "decided_by_administrator");
}

#[tokio::test]
async fn links_for_others_are_limited_and_a_member_gets_a_button_and_the_say() {
    let house = House::new().await;
    let linh = house.phone("linh").await;
    policy(&house, "add_members", json!(true)).await;
    let unit = house.plan.unit("Nguyen");
    let members = format!("/api/v1/me/household/{unit}/members");
    for number in 0..6 {
        let new = json!({ "name": format!("Member {number}"), "email": "" });
        assert_eq!(linh.browser.post(&members, new).await.status, 201);
    }
    let seventh = linh.browser.post(&members, json!({ "name": "Seven", "email": "" })).await;
    assert_eq!((seventh.status.as_u16(), seventh.code().as_str()), (429, "too_many_tries"));

    let mut panel = house.panel().await;
    let anh = house.plan.person("anh");
    let button = format!("{members}/{anh}/button");
    assert_eq!(linh.browser.put(&button, json!({})).await.status, 204);
    panel.shows("a button for anh", |directory| has(directory, "anh")).await;
    assert_eq!(linh.browser.put(&button, json!({})).await.code(), "has_button");
    let owner = format!("/api/v1/me/household/{unit}/owner");
    assert_eq!(linh.browser.put(&owner, json!({ "person": anh })).await.status, 204);
    assert_eq!(linh.browser.put(&owner, json!({ "person": anh })).await.code(), "not_found");
}

#[tokio::test]
async fn a_new_address_needs_the_password_and_the_name_is_the_administrators() {
    let house = House::new().await;
    let kari = house.phone("kari").await;
    let me = kari.browser.get("/api/v1/me").await.json();
    assert_eq!((&me["version"], &me["user_name"], &me["name"]), (&json!(1), &json!("kari"), &json!("kari")));
    let wish = json!({ "version": 1, "email": "kari@example.org" });
    let without = kari.browser.patch("/api/v1/me", wish).await;
    assert_eq!(
        (without.status.as_u16(), &without.json()["errors"][0]["pointer"]),
        (422, &json!("/password"))
    );
    let wish = |password: &str| json!({ "version": 1, "email": "kari@example.org", "password": password });
    let wrong = kari.browser.patch("/api/v1/me", wish("not her password")).await;
    assert_eq!((wrong.status.as_u16(), wrong.code().as_str()), (403, "wrong_password"));
    let right = kari.browser.patch("/api/v1/me", wish(PASSWORD)).await;
    assert_eq!((right.status.as_u16(), &right.json()["email"]), (200, &json!("kari@example.org")));
    // the language needs none, and a name is not listened to
    let named = json!({ "version": 2, "language": "sv", "name": "Queen" });
    let named = kari.browser.patch("/api/v1/me", named).await.json();
    assert_eq!((&named["language"], &named["name"]), (&json!("sv"), &json!("kari")));
    let late = kari.browser.patch("/api/v1/me", json!({ "version": 2, "language": "da" })).await;
    assert_eq!((late.code().as_str(), &late.json()["current"]["version"]), ("conflict", &json!(3)));
}

#[tokio::test]
async fn a_password_of_oneself_can_not_be_guessed_on_and_on() {
    let house = House::new().await;
    let kari = house.phone("kari").await;
    let guess = json!({ "version": 1, "phone": "+4790000000", "password": "a wild guess" });
    for _ in 0..8 {
        assert_eq!(kari.browser.patch("/api/v1/me", guess.clone()).await.code(), "wrong_password");
    }
    assert_eq!(kari.browser.patch("/api/v1/me", guess).await.code(), "too_many_tries");
}

#[tokio::test]
async fn signing_out_everywhere_else_closes_the_others_and_leaves_this_one() {
    let house = House::new().await;
    let (phone, tablet, ola) =
        (house.phone("kari").await, house.phone("kari").await, house.phone("nora").await);
    let mut app = tablet.connect(house.at()).await;
    assert_eq!(phone.browser.delete("/api/v1/me/devices").await.status, 204);
    assert_eq!(app.socket.closed().await.0, Some(SIGNED_OUT));
    let signed_in = async |phone: &Phone| phone.browser.get("/api/v1/session").await.status.as_u16();
    assert_eq!((signed_in(&phone).await, signed_in(&tablet).await, signed_in(&ola).await), (200, 401, 200));
}

#[tokio::test]
async fn what_is_kept_of_one_is_a_file() {
    let house = House::new().await;
    let anh = house.phone("anh").await;
    let answer = anh.browser.get("/api/v1/me/data").await;
    assert_eq!(answer.headers["content-disposition"], "attachment; filename=\"klinke.json\"");
    let kept = answer.json();
    assert_eq!((&kept["me"]["name"], &kept["homes"][0]["number"]), (&json!("anh"), &json!("H0201")));
    assert_eq!(kept["buttons"].as_array().unwrap().len(), 2, "one at the entrance and one at the gate");
    assert_eq!(kept["devices"], json!(["Phone of anh"]));
    assert!(!answer.text.contains("linh"), "who else lives there is not about one");
    assert!(!answer.text.contains("argon2"));
}
