//! Guests: by a link, a QR pass and a code, through the real door; until the second of their end, and no longer than their
//! host has the door.

use crate::support::door::told as command;
use crate::support::house::House;
use crate::support::panel::{Panel, request};
use crate::testing::TestClock;
use crate::world::{Answer, Browser, PASSWORD, config, sign_in};
use klinke_model::policy::BuildingPolicy;
use klinke_model::time::{Clock, Mono, SystemClock, Timestamp};
use klinke_server::node::Running;
use klinke_server::random::Random;
use klinke_storage::record::PolicySet;
use klinke_wire::common::{ErrorCode, ErrorNews, OpeningState, RefusalCode};
use klinke_wire::controller::{ControllerEvent, ControllerRequest, Outcome, OutcomeRefusal};
use klinke_wire::panel::{PanelEvent, PanelRequest, PresentedPass};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

/// 09:00 on Monday 16 November 2026 in Oslo.
const MORNING: i64 = 1_794_816_000_000;
const SECOND: i64 = 1_000;
const HOUR: i64 = 3_600 * SECOND;
const DAY: i64 = 24 * HOUR;

/// A wall clock that is set by hand, and a monotonic one that runs: the controller's link lives.
struct Held {
    now: AtomicI64,
    runs: SystemClock,
}

impl Held {
    fn set(&self, millis: i64) {
        self.now.store(millis, Ordering::Relaxed);
    }
}

impl Clock for Held {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.now.load(Ordering::Relaxed))
    }
    fn mono(&self) -> Mono {
        self.runs.mono()
    }
}

async fn house() -> (House, Arc<Held>) {
    let clock = Arc::new(Held { now: AtomicI64::new(MORNING), runs: SystemClock::start() });
    let house = House::build(|_| {}, clock.clone(), Random::system(), str::to_owned).await;
    (house, clock)
}

/// A resident's browser.
pub async fn resident(house: &House, user_name: &str) -> Browser {
    let browser = Browser::at([127, 0, 0, 1], house.at());
    let signed_in = browser.post("/api/v1/session", sign_in(user_name, PASSWORD)).await;
    assert_eq!(signed_in.status, 201, "{signed_in:?}");
    browser
}

/// A form of a guest of the Nguyens for the front door, from eight to six.
fn form(house: &House) -> Value {
    json!({ "unit": house.plan.unit("Nguyen"), "name": "Plumber", "doors": [house.plan.front],
        "starts_at": MORNING - HOUR, "ends_at": MORNING + 9 * HOUR, "once": false })
}

async fn made(host: &Browser, form: Value) -> Value {
    let made = host.post("/api/v1/me/guests", form).await;
    assert_eq!(made.status, 201, "{made:?}");
    made.json()
}

fn token(guest: &Value) -> String {
    guest["link"].as_str().unwrap().split_once("/guest#").unwrap().1.to_owned()
}

async fn look(house: &House, token: &str) -> Answer {
    Browser::at([127, 0, 0, 9], house.at()).post("/api/v1/guest/look", json!({ "token": token })).await
}

async fn opened(house: &House, guest: &Value, door: impl serde::Serialize) -> Answer {
    let asked = json!({ "token": token(guest), "door": door, "request": request() });
    Browser::at([127, 0, 0, 9], house.at()).post("/api/v1/guest/open", asked).await
}

/// How an opening by link of the front door ends.
async fn by_link(house: &House, guest: &Value) -> Value {
    opened(house, guest, house.plan.front).await.json()
}

fn open() -> Value {
    json!({ "state": "open", "for_ms": 1_000 })
}

fn refused(reason: &str) -> Value {
    json!({ "state": "refused", "reason": reason })
}

/// What a panel is told of a pass at last.
pub async fn present(
    panel: &mut Panel,
    pass: PresentedPass,
) -> Result<(Option<String>, OpeningState), ErrorNews> {
    let asked = request();
    panel.socket.send(&PanelRequest::Present { request: asked, pass }).await;
    panel
        .socket
        .expect("what became of the pass", |event| match event {
            PanelEvent::Pass { request, door_name, state }
                if *request == asked && *state != OpeningState::Sending =>
            {
                Some(Ok((door_name.as_ref().map(|name| name.as_str().to_owned()), *state)))
            }
            PanelEvent::Error(news) if news.request == Some(asked) => Some(Err(news.clone())),
            _ => None,
        })
        .await
}

fn qr(guest: &Value) -> PresentedPass {
    PresentedPass::Qr { text: guest["qr"].as_str().unwrap().to_owned() }
}

pub fn code(digits: &str) -> PresentedPass {
    PresentedPass::Code { digits: digits.to_owned() }
}

fn code_of(guest: &Value) -> PresentedPass {
    code(guest["code"].as_str().unwrap())
}

pub const OPEN: OpeningState = OpeningState::Open { for_ms: 1_000 };

pub fn at_front(state: OpeningState) -> Result<(Option<String>, OpeningState), ErrorNews> {
    Ok((Some("Front".to_owned()), state))
}

pub const fn no(reason: RefusalCode) -> OpeningState {
    OpeningState::Refused { reason }
}

pub fn unknown(told: &Result<(Option<String>, OpeningState), ErrorNews>) -> bool {
    matches!(told, Err(news) if news.code == ErrorCode::NotFound && news.wait_ms.is_none())
}

#[tokio::test]
async fn a_guest_opens_from_the_first_second_to_the_last_by_link_pass_and_code() {
    let (house, clock) = house().await;
    let controller = house.controller().await;
    let linh = resident(&house, "linh").await;
    let guest = made(&linh, form(&house)).await;
    let mut panel = house.panel().await;
    for (at, state, link, at_panel) in [
        (MORNING - HOUR - 1, "coming", refused("right_not_yet"), no(RefusalCode::RightNotYet)),
        (MORNING - HOUR, "now", open(), OPEN),
        (MORNING + 9 * HOUR - SECOND, "now", open(), OPEN),
        (MORNING + 9 * HOUR, "over", refused("right_over"), no(RefusalCode::RightOver)),
        (MORNING + 9 * HOUR + SECOND, "over", refused("right_over"), no(RefusalCode::RightOver)),
    ] {
        clock.set(at);
        let seen = look(&house, &token(&guest)).await.json();
        assert_eq!(seen["state"], state);
        assert_eq!(linh.get("/api/v1/me/guests").await.json()["items"][0]["state"], state);
        assert_eq!(by_link(&house, &guest).await, link, "{state}");
        assert_eq!(present(&mut panel, qr(&guest)).await, at_front(at_panel), "{state}");
        assert_eq!(present(&mut panel, code_of(&guest)).await, at_front(at_panel), "{state}");
    }
    assert_eq!((controller.releases.of(0), controller.releases.count()), (6, 6));
    let seen = look(&house, &token(&guest)).await.json();
    let told = [&seen["name"], &seen["building_name"], &seen["address"], &seen["code"], &seen["qr"]];
    assert_eq!(
        told,
        [&json!("Plumber"), &json!("Storgata 12"), &json!("Oslo"), &guest["code"], &guest["qr"]]
    );
    assert_eq!(seen["doors"], json!([{ "door": house.plan.front, "name": "Front" }]));
}

#[tokio::test]
async fn a_guest_opens_their_doors_only_and_a_repeated_tap_is_one_opening() {
    let (house, _) = house().await;
    let controller = house.controller().await;
    let linh = resident(&house, "linh").await;
    let guest = made(&linh, form(&house)).await;
    for door in [house.plan.gate, house.plan.boiler, house.plan.garage] {
        assert_eq!(opened(&house, &guest, door).await.json(), refused("not_allowed"));
    }
    let mut gate = house.gate_panel().await;
    let none = Ok((None, no(RefusalCode::NotAllowed)));
    assert_eq!(present(&mut gate, qr(&guest)).await, none, "none of this panel's doors");
    assert_eq!(controller.releases.count(), 0);
    let asked = json!({ "token": token(&guest), "door": house.plan.front, "request": request() });
    let phone = Browser::at([127, 0, 0, 9], house.at());
    for _ in 0..3 {
        assert_eq!(phone.post("/api/v1/guest/open", asked.clone()).await.json(), open());
    }
    assert_eq!((controller.releases.of(0), controller.releases.count()), (1, 1));
}

#[tokio::test]
async fn hours_hold_at_the_door_where_it_stands() {
    let (house, clock) = house().await;
    let controller = house.controller().await;
    let linh = resident(&house, "linh").await;
    let hours = json!({ "hours": [{ "days": [0], "from": 540, "until": 600 }], "holidays": { "are": "closed" },
        "exceptions": [] });
    let mut new = form(&house);
    new["hours"] = hours;
    new["ends_at"] = json!(MORNING + 8 * DAY);
    let guest = made(&linh, new).await;
    let mut panel = house.panel().await;
    for (at, expected) in [
        (MORNING, open()),
        (MORNING + HOUR - SECOND, open()),
        (MORNING + HOUR, refused("outside_hours")),
        (MORNING + DAY, refused("outside_hours")),
        (MORNING + 7 * DAY, open()),
    ] {
        clock.set(at);
        assert_eq!(by_link(&house, &guest).await, expected);
        let told = present(&mut panel, code_of(&guest)).await;
        assert_eq!(told == at_front(OPEN), expected == open());
    }
    clock.set(MORNING + DAY);
    assert_eq!(look(&house, &token(&guest)).await.json()["state"], "outside_hours");
    let path = format!("/api/v1/me/guests/{}", guest["id"].as_str().unwrap());
    let at_any_time = linh.patch(&path, json!({ "version": 1, "hours": null })).await.json();
    assert_eq!((&at_any_time["state"], at_any_time.get("hours")), (&json!("now"), None));
    assert_eq!(by_link(&house, &guest).await, open());
    assert_eq!(controller.releases.of(0), 7);
}

#[tokio::test]
async fn guests_go_with_their_host_and_with_the_host_s_doors() {
    let (house, _) = house().await;
    let controller = house.controller().await;
    let (store, scope, plan) = (&house.node().store, house.scope(), &house.plan);
    let (linh, anh) = (resident(&house, "linh").await, resident(&house, "anh").await);
    let (hers, his) = (made(&linh, form(&house)).await, made(&anh, form(&house)).await);
    let mut panel = house.panel().await;
    assert_eq!(by_link(&house, &hers).await, open());

    // suspended, and back
    assert!(store.people().set_active(&scope, plan.person("linh"), false).await.unwrap());
    assert_eq!(by_link(&house, &hers).await, refused("suspended"));
    assert_eq!(look(&house, &token(&hers)).await.json()["state"], "suspended");
    assert!(store.people().set_active(&scope, plan.person("linh"), true).await.unwrap());
    assert_eq!(by_link(&house, &hers).await, open());

    // the unit has the door no more: nor has the guest
    let unit = format!("/api/v1/units/{}", plan.unit("Nguyen"));
    let change = json!({ "version": 1, "doors": [plan.gate] });
    let changed = house.manager.patch(&unit, change).await;
    assert_eq!(changed.status, 200, "{changed:?}");
    assert_eq!(by_link(&house, &hers).await, refused("not_allowed"));
    assert_eq!(present(&mut panel, qr(&hers)).await, at_front(no(RefusalCode::NotAllowed)));
    let seen = look(&house, &token(&hers)).await.json();
    assert_eq!((&seen["state"], &seen["doors"]), (&json!("suspended"), &json!([])));
    let back = house.manager.patch(&unit, json!({ "version": 2, "doors": [plan.gate, plan.front] })).await;
    assert_eq!(back.status, 200, "{back:?}");
    assert_eq!(by_link(&house, &hers).await, open());

    // moved out: gone in the same moment; who stays keeps theirs
    let gone = store.people().remove_membership(&scope, plan.person("linh"), plan.unit("Nguyen")).await;
    assert!(gone.unwrap());
    assert_eq!(opened(&house, &hers, plan.front).await.code(), "not_found");
    assert!(unknown(&present(&mut panel, qr(&hers)).await));
    assert!(unknown(&present(&mut panel, code_of(&hers)).await));
    assert_eq!(by_link(&house, &his).await, open());
    assert_eq!(controller.releases.count(), 4);
}

#[tokio::test]
async fn who_may_come_once_comes_once() {
    let (house, _) = house().await;
    let linh = resident(&house, "linh").await;
    let mut new = form(&house);
    new["once"] = json!(true);
    let guest = made(&linh, new.clone()).await;
    // not carried out: not used up
    assert_eq!(by_link(&house, &guest).await, refused("offline"));
    let mut mute = house.plan.controller.mute(house.running.controllers).await;
    let refusing = async {
        let ControllerEvent::Open { opening, not_after, .. } = command(&mut mute).await else {
            panic!("no command")
        };
        let outcome = Outcome::Refused { reason: OutcomeRefusal::Blocked };
        mute.send(&ControllerRequest::Outcome { mono: not_after, opening, outcome }).await.unwrap();
    };
    let (told, ()) = tokio::join!(by_link(&house, &guest), refusing);
    assert_eq!(told, refused("blocked"));
    drop(mute);

    let controller = house.controller().await;
    let mut panel = house.panel().await;
    // two at the same moment, by link and by pass: one
    let (link, pass) = tokio::join!(by_link(&house, &guest), present(&mut panel, qr(&guest)));
    let pass_opened = pass == at_front(OPEN);
    assert!((link == open()) != pass_opened, "{link} {pass:?}");
    assert_eq!(controller.releases.count(), 1);
    assert_eq!(opened(&house, &guest, house.plan.front).await.code(), "not_found", "gone");
    assert_eq!(linh.get("/api/v1/me/guests").await.json()["items"], json!([]));

    // many at once by link
    let guest = made(&linh, new).await;
    let all = futures_util::future::join_all((0..8).map(|_| by_link(&house, &guest))).await;
    assert_eq!(all.iter().filter(|told| **told == open()).count(), 1, "{all:?}");
    assert_eq!(controller.releases.count(), 2);
}

#[tokio::test]
async fn where_nobody_knows_whether_it_opened_the_guest_came_until_there_is_a_new_link() {
    let (house, _) = house().await;
    let linh = resident(&house, "linh").await;
    let mut new = form(&house);
    new["once"] = json!(true);
    let guest = made(&linh, new).await;
    let mut mute = house.plan.controller.mute(house.running.controllers).await;
    let silent = async {
        assert!(matches!(command(&mut mute).await, ControllerEvent::Open { .. }));
    };
    let (told, ()) = tokio::join!(by_link(&house, &guest), silent);
    assert_eq!(told, refused("expired"));
    drop(mute);
    let controller = house.controller().await;
    assert_eq!(by_link(&house, &guest).await, refused("right_over"));
    assert_eq!(look(&house, &token(&guest)).await.json()["state"], "over");
    assert_eq!(controller.releases.count(), 0);
    let path = format!("/api/v1/me/guests/{}/link", guest["id"].as_str().unwrap());
    let again = linh.post(&path, json!({})).await.json();
    assert_eq!(by_link(&house, &again).await, open());
}

#[tokio::test]
async fn a_new_link_ends_the_old_one_and_what_is_unknown_is_all_the_same() {
    let (house, _) = house().await;
    let controller = house.controller().await;
    let linh = resident(&house, "linh").await;
    let guest = made(&linh, form(&house)).await;
    let path = format!("/api/v1/me/guests/{}", guest["id"].as_str().unwrap());
    let renewed = linh.post(&format!("{path}/link"), json!({})).await;
    assert_eq!(renewed.status, 200, "{renewed:?}");
    let renewed = renewed.json();
    for what in ["link", "qr", "code"] {
        assert_ne!(guest[what], renewed[what], "{what}");
    }
    let mut panel = house.panel().await;
    let old = opened(&house, &guest, house.plan.front).await;
    assert_eq!(old.status, 404);
    assert!(unknown(&present(&mut panel, qr(&guest)).await));
    assert!(unknown(&present(&mut panel, code_of(&guest)).await));
    assert_eq!(by_link(&house, &renewed).await, open());
    assert_eq!(controller.releases.count(), 1);

    // never was, wrong, old, removed: one body
    let mut wrong = token(&renewed).into_bytes();
    wrong[40] = if wrong[40] == b'A' { b'B' } else { b'A' };
    let bodies = [String::from_utf8(wrong).unwrap(), token(&guest), "x".to_owned(), "A".repeat(52)];
    assert_eq!(linh.delete(&path).await.status, 204);
    for unknown in bodies.into_iter().chain([token(&renewed)]) {
        let told = look(&house, &unknown).await;
        assert_eq!((told.status.as_u16(), told.json()), (404, old.json()), "{unknown}");
    }
    assert_eq!(linh.delete(&path).await.status, 404);
    assert!(unknown(&present(&mut panel, qr(&renewed)).await));
}

#[tokio::test]
async fn links_can_not_be_guessed_for_ever_from_one_address() {
    let (house, _) = house().await;
    let linh = resident(&house, "linh").await;
    let guest = made(&linh, form(&house)).await;
    for _ in 0..20 {
        assert_eq!(look(&house, &"A".repeat(52)).await.status, 404);
    }
    let told = look(&house, &token(&guest)).await;
    assert_eq!((told.status.as_u16(), told.code()), (429, "too_many_tries".to_owned()));
    let elsewhere = Browser::at([127, 0, 0, 8], house.at());
    let told = elsewhere.post("/api/v1/guest/look", json!({ "token": token(&guest) })).await;
    assert_eq!(told.status, 200, "another address");
}

async fn again(folder: &std::path::Path, clock: &Arc<TestClock>) -> Running {
    klinke_server::node::start(config(&folder.join("data")), clock.clone(), Random::system()).await.unwrap()
}

#[tokio::test]
async fn wrong_codes_slow_a_panel_down_over_a_restart_too() {
    let clock = TestClock::new();
    let house = House::build(|_| {}, clock.clone(), Random::system(), str::to_owned).await;
    let linh = resident(&house, "linh").await;
    let mut new = form(&house);
    (new["starts_at"], new["ends_at"]) = (Value::Null, json!(clock.now().as_millis() + DAY));
    let guest = made(&linh, new).await;
    let right = guest["code"].as_str().unwrap().to_owned();
    let wrong = if right == "123456" { "123457" } else { "123456" };
    let mut panel = house.panel().await;
    let slow = |told: &Result<(Option<String>, OpeningState), ErrorNews>| match told {
        Err(news) if news.code == ErrorCode::SlowDown => news.wait_ms,
        other => panic!("not slowed down: {other:?}"),
    };
    let offline = at_front(no(RefusalCode::Offline));
    assert_eq!(present(&mut panel, code(&right)).await, offline, "good: the door is looked for");
    for wait in [1, 2, 4, 8] {
        assert!(unknown(&present(&mut panel, code(wrong)).await));
        let told = present(&mut panel, code(&right)).await;
        assert_eq!(slow(&told), Some(wait * 1_000), "the right one too");
        clock.advance(Duration::from_millis(u64::from(wait) * 1_000 - 1));
        assert_eq!(slow(&present(&mut panel, code(&right)).await), Some(1));
        clock.advance(Duration::from_millis(1));
    }
    assert_eq!(present(&mut panel, qr(&guest)).await, offline);
    assert_eq!(present(&mut panel, code(&right)).await, offline, "a right one shortens nothing");
    // another panel does not suffer, and a QR code of something else slows nothing down
    let mut gate = house.gate_panel().await;
    for text in ["https://example.org", "KLINKE:", "KLINKE:AAAA", ""] {
        assert!(unknown(&present(&mut gate, PresentedPass::Qr { text: text.to_owned() }).await));
    }
    assert_eq!(present(&mut gate, code(&right)).await, Ok((None, no(RefusalCode::NotAllowed))));
    for nonsense in ["12345", "123456789", "12345a", "١٢٣٤٥٦"] {
        assert!(unknown(&present(&mut gate, code(nonsense)).await));
        clock.advance(Duration::from_secs(10));
    }
    drop((panel, gate));
    let (folder, plan) = house.stop().await;
    let running = again(folder.path(), &clock).await;
    let mut panel = plan.entrance_panel.connect(running.address).await;
    // four were wrong before the power was cut: the wait begins anew
    assert_eq!(slow(&present(&mut panel, code(&right)).await), Some(8_000));
    clock.advance(Duration::from_secs(8));
    assert!(unknown(&present(&mut panel, code(wrong)).await));
    assert_eq!(slow(&present(&mut panel, code(&right)).await), Some(16_000));
    clock.advance(Duration::from_secs(16 * 60));
    assert!(unknown(&present(&mut panel, code(wrong)).await));
    assert_eq!(slow(&present(&mut panel, code(&right)).await), Some(1_000), "all is forgotten");
    running.stop().await;
}

#[tokio::test]
async fn a_pass_of_another_building_is_unknown() {
    let (house, _) = house().await;
    let linh = resident(&house, "linh").await;
    let guest = made(&linh, form(&house)).await;
    let (_, _, key) = house.neighbours().await;
    let mut theirs = key.connect(house.at()).await;
    assert!(unknown(&present(&mut theirs, qr(&guest)).await), "another property manager");
    assert!(unknown(&present(&mut theirs, code_of(&guest)).await));
    let other = json!({ "name": "Storgata 14", "address": "Oslo", "kind": "residential", "time_zone": "Europe/Oslo" });
    let other = house.manager.post("/api/v1/buildings", other).await.json()["id"].clone();
    let other: klinke_model::ids::BuildingId = serde_json::from_value(other).unwrap();
    let next_door = crate::support::panel::PanelKey::pair(&house.manager, other, "Next door", &[]).await;
    let mut next_door = next_door.connect(house.at()).await;
    assert!(unknown(&present(&mut next_door, qr(&guest)).await), "another building of the same one");
    assert!(unknown(&present(&mut next_door, code_of(&guest)).await));
}

#[tokio::test]
async fn residents_have_guests_as_far_as_the_building_leaves_it_to_them() {
    let (house, _) = house().await;
    let plan = &house.plan;
    let linh = resident(&house, "linh").await;
    let set = async |version, policy| {
        let sites = house.node().store.sites();
        let done =
            sites.set_policy(&house.scope(), &house.node().stamp(), plan.building, version, policy).await;
        assert!(matches!(done, Ok(PolicySet::Done(_))), "{done:?}");
    };
    set(0, BuildingPolicy { guests: 1, guest_days: 2, ..BuildingPolicy::default() }).await;
    let homes = linh.get("/api/v1/me/guests").await.json()["homes"].clone();
    let doors = json!([{ "door": plan.front, "name": "Front" }, { "door": plan.gate, "name": "Gate" }]);
    assert_eq!(
        homes,
        json!([{ "unit": plan.unit("Nguyen"), "label": "H0201", "building": plan.building,
            "building_name": "Storgata 12", "left": 1, "at_once": 1, "longest_days": 2, "doors": doors }])
    );
    let refused = async |change: &[(&str, Value)]| {
        let mut new = form(&house);
        for (field, value) in change {
            new[*field] = value.clone();
        }
        let told = linh.post("/api/v1/me/guests", new).await;
        let pointer = told.json()["errors"][0]["pointer"].as_str().unwrap_or_default().to_owned();
        (told.status.as_u16(), told.code(), pointer)
    };
    let field = |pointer: &str| (422, "invalid".to_owned(), pointer.to_owned());
    let plain = |status, code: &str| (status, code.to_owned(), String::new());
    assert_eq!(refused(&[("doors", json!([plan.garage]))]).await, field("/doors"), "not hers to give");
    assert_eq!(refused(&[("doors", json!([]))]).await, field("/doors"));
    assert_eq!(refused(&[("name", json!(" "))]).await, field("/name"));
    assert_eq!(refused(&[("ends_at", json!(MORNING - HOUR))]).await, field("/ends_at"));
    assert_eq!(refused(&[("ends_at", json!(MORNING - 1))]).await, field("/ends_at"), "over already");
    assert_eq!(refused(&[("ends_at", json!(MORNING + 3 * DAY))]).await, field("/ends_at"), "too long");
    let hours = json!({ "hours": [{ "days": [9], "from": 0, "until": 1 }], "holidays": { "are": "closed" }, "exceptions": [] });
    assert_eq!(refused(&[("hours", hours)]).await, field("/hours/hours/0"));
    assert_eq!(refused(&[("unit", json!(plan.unit("Olsen")))]).await, plain(404, "not_found"));
    let guest = made(&linh, form(&house)).await;
    assert_eq!(refused(&[]).await, plain(409, "guests_full"));

    let kept = linh.get("/api/v1/me/data").await.json();
    let told = json!([{ "building": "Storgata 12", "name": "Plumber", "doors": ["Front"],
        "starts_at": MORNING - HOUR, "ends_at": MORNING + 9 * HOUR }]);
    assert_eq!(kept["guests"], told, "it is kept, so it is in the file");

    // one's own only, the administrator's neither
    let anh = resident(&house, "anh").await;
    let path = format!("/api/v1/me/guests/{}", guest["id"].as_str().unwrap());
    assert_eq!(anh.get("/api/v1/me/guests").await.json()["items"], json!([]));
    for other in [&anh, &house.manager] {
        assert_eq!(other.patch(&path, json!({ "version": 1, "name": "Mine" })).await.status, 404);
        assert_eq!(other.post(&format!("{path}/link"), json!({})).await.status, 404);
        assert_eq!(other.delete(&path).await.status, 404);
    }
    let house_path = path.replace("/me/", "/");
    assert_eq!(house.manager.patch(&house_path, json!({ "version": 1, "name": "Mine" })).await.status, 404);
    assert_eq!(house.manager.delete(&house_path).await.status, 404);
    let listed = house.manager.get(&format!("/api/v1/buildings/{}/guests", plan.building)).await.json();
    assert_eq!(listed["items"], json!([]), "residents' guests are theirs");

    // changing: seen as it is, no longer than the policy, no door that is not hers
    let changed =
        linh.patch(&path, json!({ "version": 1, "name": "Painter", "doors": [plan.gate] })).await.json();
    assert_eq!((&changed["name"], &changed["version"]), (&json!("Painter"), &json!(2)));
    assert_eq!(changed["code"], guest["code"]);
    let late = linh.patch(&path, json!({ "version": 1, "name": "Late" })).await;
    assert_eq!((late.status.as_u16(), &late.json()["current"]["name"]), (409, &json!("Painter")));
    for (wrong, pointer) in [
        (json!({ "version": 2, "ends_at": MORNING + 3 * DAY }), "/ends_at"),
        (json!({ "version": 2, "ends_at": MORNING - 2 * HOUR }), "/ends_at"),
        (json!({ "version": 2, "doors": [plan.boiler] }), "/doors"),
    ] {
        let told = linh.patch(&path, wrong).await;
        assert_eq!((told.status.as_u16(), &told.json()["errors"][0]["pointer"]), (422, &json!(pointer)));
    }
    assert_eq!(linh.delete(&path).await.status, 204);
    set(1, BuildingPolicy { guests: 0, ..BuildingPolicy::default() }).await;
    assert_eq!(refused(&[]).await, plain(403, "decided_by_administrator"));
    let audit = house.manager.get("/api/v1/audit").await.text;
    assert!(!audit.contains("guest."), "what residents do is theirs");
}

#[tokio::test]
async fn the_administration_has_standing_guests() {
    let (house, clock) = house().await;
    let controller = house.controller().await;
    let (plan, manager) = (&house.plan, &house.manager);
    let path = format!("/api/v1/buildings/{}/guests", plan.building);
    let new = |name: &str, ends_at: i64| json!({ "name": name, "doors": [plan.boiler, plan.front], "ends_at": ends_at, "once": false });
    let cleaner = manager.post(&path, new("Cleaner", MORNING + 366 * DAY)).await;
    assert_eq!(cleaner.status, 201, "{cleaner:?}");
    let cleaner = cleaner.json();
    assert_eq!((cleaner.get("unit"), &cleaner["state"]), (None, &json!("now")));
    assert_eq!(manager.post(&path, new("Too long", MORNING + 368 * DAY)).await.status, 422);
    let courier = manager.post(&path, new("Courier", MORNING + 30 * DAY)).await.json();
    let first = manager.get(&format!("{path}?limit=1")).await.json();
    assert_eq!(first["items"].as_array().unwrap().len(), 1);
    assert_eq!(first["items"][0]["id"], cleaner["id"], "who stays longest");
    let second =
        manager.get(&format!("{path}?limit=1&cursor={}", first["next"].as_str().unwrap())).await.json();
    assert_eq!((&second["items"][0]["id"], second.get("next")), (&courier["id"], None));

    let mut panel = house.panel().await;
    assert_eq!(present(&mut panel, code_of(&cleaner)).await, at_front(OPEN), "the panel's first door");
    assert_eq!(opened(&house, &cleaner, plan.boiler).await.json(), open());
    assert_eq!((controller.releases.of(0), controller.releases.of(3)), (1, 1));
    clock.set(MORNING + 31 * DAY);
    let one = format!("/api/v1/guests/{}", cleaner["id"].as_str().unwrap());
    let manager = {
        let again = Browser::at([127, 0, 0, 1], house.at());
        let session = again.post("/api/v1/session", sign_in(crate::world::MANAGER, PASSWORD)).await;
        assert_eq!(session.status, 201, "{session:?}");
        again
    };
    let changed = manager.patch(&one, json!({ "version": 1, "doors": [plan.boiler] })).await;
    assert_eq!(changed.status, 200, "{changed:?}");
    let renewed = manager.post(&format!("{one}/link"), json!({})).await.json();
    assert_eq!(opened(&house, &cleaner, plan.boiler).await.status, 404);
    assert_eq!(opened(&house, &renewed, plan.boiler).await.json(), open());
    assert_eq!(manager.delete(&one).await.status, 204);
    assert_eq!(opened(&house, &renewed, plan.boiler).await.status, 404);
    let kari = resident(&house, "kari").await;
    assert_eq!(kari.get(&path).await.status, 404);
    let audit = manager.get("/api/v1/audit").await.json();
    let told: Vec<_> =
        audit["items"].as_array().unwrap().iter().map(|entry| entry["action"].as_str().unwrap()).collect();
    let guests: Vec<_> = told.into_iter().filter(|action| action.starts_with("guest.")).collect();
    assert_eq!(guests, ["guest.removed", "guest.link_changed", "guest.changed", "guest.made", "guest.made"]);
    assert!(!audit.to_string().contains("Cleaner"), "who it is stays out of it");
}

#[tokio::test]
async fn a_link_goes_by_mail_and_the_address_is_forgotten() {
    let mails = tempfile::tempdir().unwrap();
    let folder = mails.path().join("mails");
    let (keep, clock) = (folder.clone(), Held { now: AtomicI64::new(MORNING), runs: SystemClock::start() });
    let mail = move |config: &mut klinke_server::config::Config| {
        config.mail = Some(klinke_server::config::Mail {
            host: "localhost".into(),
            port: None,
            tls: klinke_server::config::MailTls::None,
            user: None,
            password: None,
            from: "Klinke <klinke@klinke.example>".into(),
            authority: None,
            folder: Some(keep),
        });
    };
    let house = House::build(mail, Arc::new(clock), Random::system(), str::to_owned).await;
    let linh = resident(&house, "linh").await;
    assert_eq!(linh.get("/api/v1/me/guests").await.json()["by_mail"], true);
    let guest = made(&linh, form(&house)).await;
    let path = format!("/api/v1/me/guests/{}/mail", guest["id"].as_str().unwrap());
    let to = |email: &str| json!({ "email": email, "language": "sv" });
    for wrong in ["", "nobody"] {
        assert_eq!(linh.post(&path, to(wrong)).await.status, 422);
    }
    let anh = resident(&house, "anh").await;
    assert_eq!(anh.post(&path, to("plumber@example.org")).await.status, 404);
    assert_eq!(linh.post(&path, to("plumber@example.org")).await.status, 202);
    let waits = async || {
        let service = house.scope();
        let id = serde_json::from_value(guest["id"].clone()).unwrap();
        house.node().store.guests().guest_mail(&service, id).await.unwrap().is_some()
    };
    let forgotten = async {
        while waits().await {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(crate::support::PATIENCE, forgotten).await.expect("the address is kept");
    let told =
        std::fs::read_to_string(folder.join("0001.eml")).unwrap().replace("=\r\n", "").replace("=3D", "=");
    assert!(told.contains("To: plumber@example.org") && told.contains(&token(&guest)), "{told}");
    assert!(told.contains(guest["code"].as_str().unwrap()) && told.contains("2026-11-16 08:00"), "{told}");
    for _ in 0..5 {
        linh.post(&path, to("plumber@example.org")).await;
    }
    assert_eq!(linh.post(&path, to("plumber@example.org")).await.status, 429);
    assert!(!house.manager.get("/api/v1/audit").await.text.contains("guest."), "it is her own guest");
    let plain = House::new().await;
    let kari = resident(&plain, "kari").await;
    let now = plain.node().clock.now().as_millis();
    let new = json!({ "unit": plain.plan.unit("Dahl"), "name": "Plumber", "doors": [plain.plan.front],
        "ends_at": now + HOUR, "once": false });
    let guest = made(&kari, new).await;
    let path = format!("/api/v1/me/guests/{}/mail", guest["id"].as_str().unwrap());
    assert_eq!(kari.post(&path, to("plumber@example.org")).await.code(), "no_mail");
}
