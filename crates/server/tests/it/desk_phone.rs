//! Desk phones: an administrator gives somebody one, and baresip is it.

use crate::support::desk_phone::DeskPhone;
use crate::support::house::House;
use crate::support::trunk::{Sipp, one_pair};
use crate::support::until;
use crate::testing::TestClock;
use klinke_model::ids::DeviceId;
use klinke_model::intercom::EndReason;
use klinke_server::config::Config;
use klinke_server::random::Random;
use klinke_server::stations::Way;
use klinke_sip::agent::State;
use klinke_wire::app::AppCallState;
use klinke_wire::common::OpeningState;
use klinke_wire::panel::PanelCallState;
use serde_json::{Value, json};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

const OPEN: OpeningState = OpeningState::Open { for_ms: 1_000 };
/// After the answer, before a key: the first second does not count.
pub const PAUSE: Duration = Duration::from_millis(1_200);

/// Sound has two ports and no more: a call that does not free them makes the next one fail.
fn one_call(config: &mut Config) {
    (config.stations.first_port, config.stations.last_port) = one_pair();
}

pub async fn house() -> House {
    House::with(one_call).await
}

/// A certificate of this machine, and its key.
struct Shown(tempfile::TempDir);

impl Shown {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
        std::fs::write(folder.path().join("certificate.pem"), made.cert.pem()).unwrap();
        std::fs::write(folder.path().join("key.pem"), made.signing_key.serialize_pem()).unwrap();
        Self(folder)
    }

    fn certificate(&self) -> PathBuf {
        self.0.path().join("certificate.pem")
    }

    /// Devices may register over TLS too, and are shown it.
    fn by(&self, config: &mut Config) {
        config.stations.tls_listen = Some(SocketAddr::from(([127, 0, 0, 1], 0)));
        config.stations.certificate = Some(self.certificate());
        config.stations.key = Some(self.0.path().join("key.pem"));
    }
}

fn devices_of(house: &House, name: &str) -> String {
    format!("/api/v1/people/{}/sip-devices", house.plan.person(name))
}

/// Gives somebody a desk phone: what the administrator is shown.
pub async fn give(house: &House, name: &str) -> Value {
    let made = house.manager.post(&devices_of(house, name), json!({ "name": "Desk phone" })).await;
    assert_eq!(made.status, 201, "{made:?}");
    made.json()
}

pub fn id(given: &Value) -> DeviceId {
    given["id"].as_str().unwrap().parse().unwrap()
}

pub async fn registered(house: &House, given: &Value, is: bool) {
    until("a registration", || house.node().stations.is_registered(id(given)) == is).await;
}

/// A desk phone of somebody, registered over UDP.
async fn desk_phone(house: &House, name: &str) -> (Value, DeskPhone) {
    let given = give(house, name).await;
    let phone = DeskPhone::start("udp", &given).await;
    registered(house, &given, true).await;
    (given, phone)
}

pub async fn nothing_is_left(house: &House) {
    until("an end of every call on the wire", || house.node().stations.dialogs() == 0).await;
}

fn rings_phone(state: &PanelCallState) -> bool {
    matches!(state, PanelCallState::Calling { phone: true, .. })
}

#[tokio::test]
async fn it_rings_shows_the_entrance_talks_at_once_and_opens_by_5() {
    let shown = Shown::new();
    let house = House::with(|config| {
        one_call(config);
        shown.by(config);
    })
    .await;
    let controller = house.controller().await;
    for way in ["udp", "tcp", "tls"] {
        let given = give(&house, "kari").await;
        let listed = house.manager.get(&devices_of(&house, "kari")).await.json();
        assert_eq!(listed, json!([{ "id": given["id"], "name": "Desk phone", "registered": false }]));
        let mut phone = match way {
            "tls" => DeskPhone::trusts(&shown.certificate(), &given).await,
            _ => DeskPhone::start(way, &given).await,
        };
        registered(&house, &given, true).await;
        assert_eq!(house.manager.get(&devices_of(&house, "kari")).await.json()[0]["registered"], true);
        let before = controller.releases.count();
        let mut panel = house.panel().await;
        let call = panel.ring(house.plan.bell("Dahl")).await;
        assert!(!rings_phone(&call.state), "it is a device as others are: {call:?}");
        let call = call.call;
        let shown = phone.rung().await;
        assert!(shown.contains("Entrance A, Storgata 12") && !shown.contains("Dahl"), "{shown}");
        panel.until("ringing", |state| matches!(state, PanelCallState::Calling { reached: true, .. })).await;
        let browser = panel.films(house.node().media.local_addr(), call, Vec::new()).await;
        browser.until("itself speak", |seen| seen.audio_sent >= 60).await;
        assert_eq!(browser.seen().audio, 0, "nobody hears anything before it is picked up");
        phone.pick_up().await;
        // no key
        panel.connected().await;
        let first = browser.until("the phone", |seen| seen.audio >= 50).await;
        browser.until("the phone on", |seen| seen.audio >= first.audio + 50).await;
        assert_eq!(controller.releases.count(), before);
        tokio::time::sleep(PAUSE).await;
        phone.press('5').await;
        assert_eq!(panel.opened().await, OPEN);
        assert_eq!(controller.releases.count(), before + 1);
        assert!(house.node().exchange.panel_call(panel.id).await.is_some(), "it goes on");
        panel.hang_up(call).await;
        assert_eq!(panel.ended(call).await, EndReason::VisitorLeft);
        nothing_is_left(&house).await;
        let path = format!("{}/{}", devices_of(&house, "kari"), given["id"].as_str().unwrap());
        assert_eq!(house.manager.delete(&path).await.status, 204);
        registered(&house, &given, false).await;
    }
    controller.stop().await;
}

#[tokio::test]
async fn who_declines_there_is_passed_over() {
    let house = house().await;
    let (_, mut phone) = desk_phone(&house, "nora").await;
    let (mut panel, mut emil) = (house.panel().await, house.app("emil").await);
    let call = panel.ring(house.plan.bell("Berg")).await.call;
    phone.rung().await;
    phone.hang_up().await;
    panel.until("the next", |state| matches!(state, PanelCallState::Calling { step: 2, .. })).await;
    assert_eq!(emil.rung().await.call, call);
    nothing_is_left(&house).await;
}

#[tokio::test]
async fn of_a_desk_phone_and_an_app_whoever_answers_first_has_it() {
    let house = house().await;
    let (_, mut phone) = desk_phone(&house, "kari").await;
    let (mut panel, mut kari) = (house.panel().await, house.app("kari").await);
    let call = panel.ring(house.plan.bell("Dahl")).await.call;
    kari.rung().await;
    phone.rung().await;
    kari.answer(call).await;
    panel.connected().await;
    // it is told so, and its ports are free again
    nothing_is_left(&house).await;
    panel.hang_up(call).await;
    panel.ended(call).await;
    let call = panel.ring(house.plan.bell("Dahl")).await.call;
    kari.rung().await;
    phone.rung().await;
    phone.pick_up().await;
    panel.connected().await;
    let told = async {
        loop {
            match kari.state(call).await {
                AppCallState::Elsewhere { opened, .. } => return opened,
                AppCallState::Ended { .. } => {}
                other => panic!("{other:?}"),
            }
        }
    };
    assert!(!told.await);
    phone.hang_up().await;
    assert_eq!(panel.ended(call).await, EndReason::ResidentHungUp);
    nothing_is_left(&house).await;
}

/// RFC 3326: else its display would say that somebody was missed.
#[tokio::test]
async fn one_that_only_rang_is_told_that_somebody_else_has_the_call_and_not_when_nobody_has() {
    const COMPLETED: &str = "Reason: SIP;cause=200;text=\"Call completed elsewhere\"";
    for answered in [true, false] {
        let house = house().await;
        let given = give(&house, "kari").await;
        let servers = house.node().stations.servers();
        let (_, at) = servers.iter().find(|(way, _)| *way == Way::Udp).unwrap();
        let (name, password) = (given["user_name"].as_str().unwrap(), given["password"].as_str().unwrap());
        let phone = Sipp::desk_phone(&at.to_string(), name, password).await;
        registered(&house, &given, true).await;
        let (mut panel, mut kari) = (house.panel().await, house.app("kari").await);
        let call = panel.ring(house.plan.bell("Dahl")).await.call;
        kari.rung().await;
        phone.wrote("180 Ringing").await;
        if answered {
            kari.answer(call).await;
            panel.connected().await;
        } else {
            panel.hang_up(call).await;
            panel.ended(call).await;
        }
        phone.wrote("CANCEL sip:").await;
        nothing_is_left(&house).await;
        let messages = phone.messages();
        assert_eq!(messages.contains(COMPLETED), answered, "{messages}");
        phone.verdict().await;
    }
}

#[tokio::test]
async fn the_time_to_talk_ends_by_our_bye() {
    let house = House::with(|config| {
        one_call(config);
        config.calls.talk_s = 3;
    })
    .await;
    let (_, mut phone) = desk_phone(&house, "kari").await;
    let mut panel = house.panel().await;
    let call = panel.ring(house.plan.bell("Dahl")).await.call;
    phone.rung().await;
    phone.pick_up().await;
    panel.connected().await;
    assert_eq!(panel.ended(call).await, EndReason::TimeLimit);
    // it hears a last word, and is hung up
    phone.says("session closed").await;
    nothing_is_left(&house).await;
}

#[tokio::test]
async fn a_wrong_password_registers_nobody() {
    let house = house().await;
    let given = give(&house, "kari").await;
    let at = house.node().stations.servers();
    let (_, at) = at.iter().find(|(way, _)| *way == Way::Udp).unwrap();
    let name = given["user_name"].as_str().unwrap();
    Sipp::register_nobody(&at.to_string(), name, "abcdefghjkmnpqrstuvwxyzabcdef").verdict().await;
    assert!(!house.node().stations.is_registered(id(&given)));
    let mut panel = house.panel().await;
    let call = panel.ring(house.plan.bell("Dahl")).await;
    assert_eq!(call.state, PanelCallState::Ended { reason: EndReason::Unreachable });
}

#[tokio::test]
async fn taken_away_in_the_middle_of_a_call_it_is_out_at_once() {
    for by_herself in [false, true] {
        let house = house().await;
        let (given, mut phone) = desk_phone(&house, "kari").await;
        let mut panel = house.panel().await;
        let call = panel.ring(house.plan.bell("Dahl")).await.call;
        phone.rung().await;
        phone.pick_up().await;
        panel.connected().await;
        let device = given["id"].as_str().unwrap();
        if by_herself {
            let kari = house.phone("kari").await;
            let hers = kari.browser.get("/api/v1/me/devices").await.json();
            let station = hers.as_array().unwrap().iter().find(|one| one["id"] == device).unwrap();
            assert_eq!((&station["kind"], &station["current"]), (&json!("station"), &json!(false)));
            let gone = kari.browser.delete(&format!("/api/v1/me/devices/{device}")).await;
            assert_eq!(gone.status, 204);
        } else {
            let path = format!("{}/{device}", devices_of(&house, "kari"));
            assert_eq!(house.manager.delete(&path).await.status, 204);
            assert_eq!(house.manager.delete(&path).await.code(), "not_found");
        }
        assert_eq!(panel.ended(call).await, EndReason::Interrupted);
        registered(&house, &given, false).await;
        nothing_is_left(&house).await;
        let listed = house.manager.get("/api/v1/sip-accounts").await.json();
        assert_eq!(listed["items"], json!([]));
        let call = panel.ring(house.plan.bell("Dahl")).await;
        assert_eq!(call.state, PanelCallState::Ended { reason: EndReason::Unreachable });
    }
}

#[tokio::test]
async fn one_in_a_drawer_does_not_keep_the_ordinary_phone_quiet() {
    let house = House::with(|config| {
        one_call(config);
        config.phones.listen = Some(IpAddr::from([127, 0, 0, 1]));
        config.phones.trunk_hosts = vec!["127.0.0.1".into()];
        (config.phones.first_port, config.phones.last_port) = one_pair();
    })
    .await;
    let path = format!("/api/v1/buildings/{}/policy", house.plan.building);
    let mut policy = house.manager.get(&path).await.json();
    policy["policy"]["phones"] = json!("without_device");
    assert_eq!(house.manager.put(&path, policy).await.status, 200);
    let number = format!("/api/v1/people/{}/phone-number", house.plan.person("kari"));
    assert_eq!(house.manager.put(&number, json!({ "number": "+4721600000" })).await.status, 200);
    let sipp = Sipp::play("rings_on", 1);
    let settings = json!({ "name": "Trunk", "host": "127.0.0.1", "port": sipp.port, "way": "udp",
        "caller": "+4721600001", "registers": false, "enabled": true });
    let added = house.manager.post("/api/v1/trunks", json!({ "settings": settings })).await;
    assert_eq!(added.status, 201, "{added:?}");
    let ready =
        || house.node().phones.states(house.plan.tenant).iter().any(|(_, state)| *state == State::Ready);
    until("a trunk that answers", ready).await;
    let given = give(&house, "kari").await;
    let mut panel = house.panel().await;
    let call = panel.ring(house.plan.bell("Dahl")).await;
    assert!(rings_phone(&call.state), "{call:?}");
    sipp.wrote("180 Ringing").await;
    panel.hang_up(call.call).await;
    panel.ended(call.call).await;
    sipp.verdict().await;
    // out of the drawer
    let mut phone = DeskPhone::start("tcp", &given).await;
    registered(&house, &given, true).await;
    let call = panel.ring(house.plan.bell("Dahl")).await;
    assert!(!rings_phone(&call.state), "{call:?}");
    phone.rung().await;
}

#[tokio::test]
async fn one_that_registers_while_it_rings_joins_the_call() {
    let house = house().await;
    let given = give(&house, "kari").await;
    let (mut panel, mut kari) = (house.panel().await, house.app("kari").await);
    let call = panel.ring(house.plan.bell("Dahl")).await.call;
    kari.rung().await;
    let mut phone = DeskPhone::start("udp", &given).await;
    phone.rung().await;
    phone.pick_up().await;
    panel.connected().await;
    panel.hang_up(call).await;
    panel.ended(call).await;
    nothing_is_left(&house).await;
}

#[tokio::test]
async fn in_quiet_hours_it_does_not_ring() {
    // noon UTC is 13:00 where the house stands
    let clock = TestClock::new();
    let house = House::build(one_call, Arc::clone(&clock) as _, Random::system(), str::to_owned).await;
    let path = format!("/api/v1/buildings/{}/policy", house.plan.building);
    let mut policy = house.manager.get(&path).await.json();
    policy["policy"]["quiet_hours"] = json!({ "from": 780, "until": 840 });
    assert_eq!(house.manager.put(&path, policy).await.status, 200);
    let (_given, _phone) = desk_phone(&house, "kari").await;
    let (mut panel, mut kari) = (house.panel().await, house.app("kari").await);
    let call = panel.ring(house.plan.bell("Dahl")).await.call;
    assert!(kari.rung().await.silent);
    kari.answer(call).await;
    panel.connected().await;
    assert_eq!(house.node().stations.dialogs(), 0);
}

#[tokio::test]
async fn where_the_operator_has_not_set_it_up_nobody_is_given_one() {
    let house = House::with(|config| config.stations.listen = None).await;
    let made = house.manager.post(&devices_of(&house, "kari"), json!({ "name": "Desk phone" })).await;
    assert_eq!((made.status.as_u16(), made.code().as_str()), (409, "no_stations"));
    assert_eq!(house.manager.get("/api/v1/sip-accounts").await.json(), json!({ "items": [], "servers": [] }));
}

#[tokio::test]
async fn the_list_has_pages_and_never_what_a_device_registers_with() {
    let house = house().await;
    let mut given = Vec::new();
    for name in ["kari", "nora", "emil"] {
        given.push(give(&house, name).await);
    }
    let (mut seen, mut path) = (Vec::new(), "/api/v1/sip-accounts?limit=2".to_owned());
    loop {
        let page = house.manager.get(&path).await.json();
        let text = page.to_string();
        for one in &given {
            for secret in ["user_name", "password"] {
                assert!(!text.contains(one[secret].as_str().unwrap()));
            }
        }
        let items = page["items"].as_array().unwrap().clone();
        seen.extend(items.iter().map(|item| item["device"]["id"].clone()));
        assert!(items.iter().all(|item| item["registered"] == false && item.get("panel").is_none()));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/api/v1/sip-accounts?limit=2&cursor={next}");
    }
    assert_eq!(seen, given.iter().map(|one| one["id"].clone()).collect::<Vec<_>>());
    let resident = house.phone("kari").await;
    assert_eq!(resident.browser.get("/api/v1/sip-accounts").await.code(), "forbidden");
}
