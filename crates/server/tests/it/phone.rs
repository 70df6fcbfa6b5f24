//! Ordinary phones, rung over trunks that others wrote: SIPp judges what comes to it, baresip sends its keys beside the sound.

use crate::support::house::House;
use crate::support::panel::Panel;
use crate::support::trunk::{Baresip, Sipp, one_pair};
use crate::support::{PATIENCE, until};
use crate::testing::TestClock;
use crate::webrtc::{Numbers, Offering, Role, Via};
use crate::world::{Browser, PASSWORD};
use axum::http::Method;
use klinke_model::ids::{CallId, TenantId, TrunkId, v4};
use klinke_model::intercom::EndReason;
use klinke_model::phone::{E164, Phones, TrunkEncryption, TrunkWay};
use klinke_model::privacy::Pii;
use klinke_server::app::my_phone_number::typed;
use klinke_server::config::Config;
use klinke_server::phones::Trunk;
use klinke_server::random::Random;
use klinke_sip::agent::State;
use klinke_sip::dial::Limits;
use klinke_voice::{Rate, Said};
use klinke_wire::app::AppCallState;
use klinke_wire::common::OpeningState;
use klinke_wire::panel::{PanelCallState, PanelEvent};
use serde_json::{Value, json};
use std::net::IpAddr;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::time::Duration;

const NUMBER: &str = "+4721600000";
/// A door that opened.
pub const OPEN: OpeningState = OpeningState::Open { for_ms: 1_000 };
/// After the answer, before a key: one second, and the machine's own pace.
pub const PAUSE: u64 = 1_200;

/// Sound has two ports and no more: a call that does not free them makes the next one fail.
fn with_phones(config: &mut Config) {
    config.phones.listen = Some(IpAddr::from([127, 0, 0, 1]));
    config.phones.trunk_hosts = vec!["127.0.0.1".into()];
    (config.phones.first_port, config.phones.last_port) = one_pair();
}

/// A house whose people with these user names have a number.
async fn house(people: &[&'static str], when: Phones, change: impl FnOnce(&mut Config)) -> House {
    let house = House::with(|config| {
        with_phones(config);
        change(config);
    })
    .await;
    know(&house, people, when).await;
    house
}

/// These people have a number, and phones ring when the policy says.
pub async fn know(house: &House, people: &[&'static str], when: Phones) {
    let path = format!("/api/v1/buildings/{}/policy", house.plan.building);
    let mut policy = house.manager.get(&path).await.json();
    policy["policy"]["phones"] = json!(when);
    assert_eq!(put(house, &path, policy).await, 200);
    for name in people {
        assert_eq!(vouch(house, name, NUMBER).await, 200);
    }
}

/// The status of the answer.
pub async fn put(house: &House, path: &str, body: Value) -> u16 {
    let request = house.manager.http.put(house.manager.url(path)).json(&body);
    house.manager.send(request, Method::PUT, path).await.status.as_u16()
}

/// The status of the answer.
pub async fn vouch(house: &House, name: &str, number: &str) -> u16 {
    let path = format!("/api/v1/people/{}/phone-number", house.plan.person(name));
    put(house, &path, json!({ "number": number })).await
}

/// Sets up trunks at these ports, to be tried in this order, and waits until they are looked at.
pub async fn stand(house: &House, ports: &[u16]) {
    for (at, port) in ports.iter().enumerate() {
        let settings = json!({ "name": format!("Trunk {at}"), "host": "127.0.0.1", "port": port, "way": "udp",
            "caller": "+4721600001", "registers": false, "enabled": true });
        let added = house.manager.post("/api/v1/trunks", json!({ "settings": settings })).await;
        assert_eq!(added.status, 201, "{added:?}");
    }
    until("trunks that answer", || {
        let states = house.node().phones.states(house.plan.tenant);
        states.len() == ports.len() && states.iter().all(|(_, state)| *state == State::Ready)
    })
    .await;
}

/// The only trunk is this one.
async fn over(house: &House, sipp: &Sipp) {
    stand(house, &[sipp.port]).await;
}

pub fn rings_phone(state: &PanelCallState) -> bool {
    matches!(state, PanelCallState::Calling { phone: true, .. })
}

/// A visitor taps "Dahl": Kari's phone is rung.
async fn rung(house: &House) -> (Panel, CallId) {
    let mut panel = house.panel().await;
    let call = panel.ring(house.plan.bell("Dahl")).await;
    assert!(rings_phone(&call.state), "{call:?}");
    (panel, call.call)
}

async fn nothing_is_left(house: &House) {
    let phones = &house.node().phones;
    until("an end of every call on the wire", || phones.dialogs() == 0).await;
}

#[tokio::test]
async fn who_has_no_app_is_rung_talks_and_opens_by_5_or_8_and_goes_on() {
    for key in ['5', '8'] {
        let house = house(&["kari"], Phones::WithoutDevice, |_| {}).await;
        let controller = house.controller().await;
        let sipp = Sipp::press(&[(PAUSE, key)], 1);
        over(&house, &sipp).await;
        let (mut panel, call) = rung(&house).await;
        panel.until("ringing", |state| matches!(state, PanelCallState::Calling { reached: true, .. })).await;
        panel.connected().await;
        assert_eq!(panel.opened().await, OPEN);
        assert_eq!((controller.releases.of(0), controller.releases.count()), (1, 1));
        assert!(house.node().exchange.panel_call(panel.id).await.is_some(), "it goes on");
        panel.hang_up(call).await;
        assert_eq!(panel.ended(call).await, EndReason::VisitorLeft);
        sipp.verdict().await;
        nothing_is_left(&house).await;
        controller.stop().await;
    }
}

#[tokio::test]
async fn a_key_beside_the_sound_opens_too_and_the_ports_are_free_after() {
    let house = house(&["kari"], Phones::WithoutDevice, |_| {}).await;
    let controller = house.controller().await;
    let mut phone = Baresip::start(NUMBER).await;
    stand(&house, &[phone.port]).await;
    for calls in 1..=2 {
        let (mut panel, call) = rung(&house).await;
        phone.picked_up().await;
        // keys in the first second do not count
        tokio::time::sleep(Duration::from_millis(PAUSE)).await;
        phone.press('5').await;
        assert_eq!(panel.opened().await, OPEN);
        assert_eq!(controller.releases.count(), calls);
        panel.hang_up(call).await;
        panel.ended(call).await;
        nothing_is_left(&house).await;
    }
    controller.stop().await;
}

#[tokio::test]
async fn sound_passes_both_ways_after_a_key_and_not_before() {
    let house = house(&["kari"], Phones::WithoutDevice, |_| {}).await;
    let mut phone = Baresip::start(NUMBER).await;
    stand(&house, &[phone.port]).await;
    let (mut panel, call) = rung(&house).await;
    let numbers = Numbers(111, 96, 98);
    let browser = Offering::new(Role::Panel, Via::Udp, house.node().media.local_addr(), numbers, 0x78).await;
    panel.offer(call, &browser.sdp).await;
    let answer = panel
        .socket
        .expect("an answer", |event| match event {
            PanelEvent::Answer { sdp, .. } => Some(sdp.0.clone()),
            _ => None,
        })
        .await;
    let browser = browser.connect(&answer);
    phone.picked_up().await;
    browser.until("itself speak", |seen| seen.audio_sent >= 60).await;
    assert_eq!(browser.seen().audio, 0, "nobody hears anything before a key");
    phone.press('1').await;
    panel.connected().await;
    // the phone speaks 50 packets a second, whatever it hears
    let first = browser.until("the phone", |seen| seen.audio >= 50).await;
    browser.until("the phone on", |seen| seen.audio >= first.audio + 50).await;
    panel.hang_up(call).await;
    panel.ended(call).await;
    nothing_is_left(&house).await;
}

#[tokio::test]
async fn another_codec_in_the_call_changes_nothing_for_who_opens_and_talks() {
    let house = house(&["kari"], Phones::WithoutDevice, |_| {}).await;
    let controller = house.controller().await;
    let sipp = Sipp::change_codec();
    over(&house, &sipp).await;
    let (mut panel, call) = rung(&house).await;
    panel.connected().await;
    assert_eq!(panel.opened().await, OPEN);
    let left = house.node().exchange.panel_call(panel.id).await.map(|call| call.state);
    assert!(matches!(left, Some(PanelCallState::Connected { .. })), "it goes on: {left:?}");
    panel.hang_up(call).await;
    panel.ended(call).await;
    sipp.verdict().await;
    nothing_is_left(&house).await;
    assert_eq!(controller.releases.count(), 1);
    controller.stop().await;
}

#[tokio::test]
async fn a_phone_opens_once_in_a_call() {
    let house = house(&["kari"], Phones::WithoutDevice, |_| {}).await;
    let controller = house.controller().await;
    let sipp = Sipp::press(&[(PAUSE, '5'), (700, '5'), (700, '8')], 1);
    over(&house, &sipp).await;
    let (mut panel, call) = rung(&house).await;
    panel.connected().await;
    assert_eq!(panel.opened().await, OPEN);
    sipp.wrote("CSeq: 4 INFO").await;
    panel.hang_up(call).await;
    panel.ended(call).await;
    sipp.verdict().await;
    assert_eq!(controller.releases.count(), 1);
    controller.stop().await;
}

#[tokio::test]
async fn only_1_5_and_8_answer_and_1_does_not_open() {
    let house = house(&["kari"], Phones::WithoutDevice, |_| {}).await;
    let controller = house.controller().await;
    let sipp = Sipp::press(&[(PAUSE, '7'), (600, '#'), (600, '1')], 1);
    over(&house, &sipp).await;
    let (mut panel, call) = rung(&house).await;
    sipp.wrote("CSeq: 3 INFO").await;
    let state = house.node().exchange.panel_call(panel.id).await.map(|call| call.state);
    assert!(matches!(state, Some(PanelCallState::Calling { .. })), "{state:?}");
    panel.connected().await;
    panel.hang_up(call).await;
    panel.ended(call).await;
    sipp.verdict().await;
    assert_eq!(controller.releases.count(), 0);
    controller.stop().await;
}

#[tokio::test]
async fn a_voicemail_silences_nobody() {
    let house = house(&["kari"], Phones::Both, |_| {}).await;
    let mut kari = house.app("kari").await;
    let sipp = Sipp::play("answer", 1);
    over(&house, &sipp).await;
    let (mut panel, call) = rung(&house).await;
    assert_eq!(kari.rung().await.call, call);
    sipp.wrote("ACK sip:").await;
    let told = kari.socket.before_pong().await;
    assert!(told.is_empty(), "it rings on: {told:?}");
    assert!(rings_phone(&house.node().exchange.panel_call(panel.id).await.unwrap().state));
    kari.answer(call).await;
    panel.connected().await;
    sipp.verdict().await;
    nothing_is_left(&house).await;
}

#[tokio::test]
async fn whoever_is_busy_is_passed_over() {
    let house = house(&["nora"], Phones::WithoutDevice, |_| {}).await;
    let (mut panel, mut emil) = (house.panel().await, house.app("emil").await);
    let sipp = Sipp::refuse("486 Busy Here");
    over(&house, &sipp).await;
    let call = panel.ring(house.plan.bell("Berg")).await;
    assert!(matches!(call.state, PanelCallState::Calling { step: 1, steps: 2, phone: true, .. }), "{call:?}");
    assert_eq!(emil.rung().await.call, call.call);
    let next =
        panel.until("the next", |state| matches!(state, PanelCallState::Calling { step: 2, .. })).await;
    assert!(!rings_phone(&next.state), "{next:?}");
    sipp.verdict().await;
}

#[tokio::test]
async fn why_a_phone_alone_is_not_reached_is_told_to_the_visitor() {
    for (status, reason) in [
        ("486 Busy Here", EndReason::Declined),
        ("603 Decline", EndReason::Declined),
        ("480 Temporarily Unavailable", EndReason::Unreachable),
        ("404 Not Found", EndReason::Unreachable),
    ] {
        let house = house(&["kari"], Phones::WithoutDevice, |_| {}).await;
        let sipp = Sipp::refuse(status);
        over(&house, &sipp).await;
        let (mut panel, call) = rung(&house).await;
        assert_eq!(panel.ended(call).await, reason, "{status}");
        sipp.verdict().await;
    }
}

#[tokio::test]
async fn a_phone_that_nobody_picks_up_is_cancelled_and_so_is_one_whose_visitor_left() {
    for leaves in [false, true] {
        let house = house(&["kari"], Phones::WithoutDevice, |config| config.calls.ring_s = 2).await;
        let sipp = Sipp::play("rings_on", 1);
        over(&house, &sipp).await;
        let (mut panel, call) = rung(&house).await;
        if leaves {
            sipp.wrote("180 Ringing").await;
            panel.hang_up(call).await;
        }
        let reason = if leaves { EndReason::VisitorLeft } else { EndReason::NoAnswer };
        assert_eq!(panel.ended(call).await, reason);
        sipp.verdict().await;
        nothing_is_left(&house).await;
    }
}

#[tokio::test]
async fn who_hangs_up_without_a_key_declined_and_after_one_ended_the_call() {
    let house = house(&["kari"], Phones::WithoutDevice, |_| {}).await;
    let sipp = Sipp::play("hangs_up", 1);
    over(&house, &sipp).await;
    let (mut panel, call) = rung(&house).await;
    assert_eq!(panel.ended(call).await, EndReason::Declined);
    sipp.verdict().await;
    nothing_is_left(&house).await;
}

#[tokio::test]
async fn the_time_to_talk_ends_by_our_bye() {
    // counted from when it was picked up, not from the key
    let house = house(&["kari"], Phones::WithoutDevice, |config| config.calls.talk_s = 3).await;
    let sipp = Sipp::press(&[(PAUSE, '1')], 1);
    over(&house, &sipp).await;
    let (mut panel, call) = rung(&house).await;
    assert_eq!(panel.ended(call).await, EndReason::TimeLimit);
    sipp.verdict().await;
    nothing_is_left(&house).await;
}

#[tokio::test]
async fn a_machine_that_picks_up_is_hung_up_and_the_call_goes_on_without_it() {
    let house = house(&["nora"], Phones::WithoutDevice, |config| config.calls.talk_s = 2).await;
    let (mut panel, mut emil) = (house.panel().await, house.app("emil").await);
    let sipp = Sipp::play("answer", 1);
    over(&house, &sipp).await;
    let call = panel.ring(house.plan.bell("Berg")).await;
    assert_eq!(emil.rung().await.call, call.call);
    panel.until("the next", |state| matches!(state, PanelCallState::Calling { step: 2, .. })).await;
    sipp.verdict().await;
    nothing_is_left(&house).await;
}

#[tokio::test]
async fn a_server_that_stops_hangs_up() {
    let house = house(&["kari"], Phones::WithoutDevice, |_| {}).await;
    let sipp = Sipp::press(&[(PAUSE, '1')], 1);
    over(&house, &sipp).await;
    let (mut panel, _) = rung(&house).await;
    panel.connected().await;
    house.stop().await;
    sipp.verdict().await;
}

#[tokio::test]
async fn the_second_trunk_is_tried_when_the_first_does_not_work() {
    let house = house(&["kari"], Phones::WithoutDevice, |_| {}).await;
    let (broken, works) = (Sipp::refuse("503 Service Unavailable"), Sipp::press(&[(PAUSE, '1')], 1));
    stand(&house, &[broken.port, works.port]).await;
    let (mut panel, call) = rung(&house).await;
    panel.connected().await;
    panel.hang_up(call).await;
    panel.ended(call).await;
    broken.verdict().await;
    works.verdict().await;
}

#[tokio::test]
async fn over_a_limit_nobody_is_rung() {
    let house = house(&["kari"], Phones::WithoutDevice, |_| {}).await;
    // it is there for the call that is not to come
    let sipp = Sipp::refuse_all("486 Busy Here", 3);
    over(&house, &sipp).await;
    let mut limits = house.manager.get("/api/v1/phone-limits").await.json();
    limits["limits"]["number_hour"] = json!(1);
    assert_eq!(put(&house, "/api/v1/phone-limits", limits).await, 200);
    let (mut panel, call) = rung(&house).await;
    assert_eq!(panel.ended(call).await, EndReason::Declined);
    let over = panel.ring(house.plan.bell("Dahl")).await.call;
    assert_eq!(panel.ended(over).await, EndReason::Unreachable);
    assert_eq!(sipp.invited(), 1);
}

#[tokio::test]
async fn numbers_that_may_not_be_rung_are_not() {
    let house = house(&["kari"], Phones::WithoutDevice, |_| {}).await;
    let sipp = Sipp::play("rings_on", 1);
    over(&house, &sipp).await;
    let mut panel = house.panel().await;
    for number in ["+4782900000", "+88101234567", "+19005551234", "21600000", "sip:kari@example.net"] {
        assert_eq!(vouch(&house, "kari", number).await, 422, "{number}");
    }
    // kept before the countries were other ones
    for number in ["+4782900000", "+88101234567", "+19005551234"] {
        let (scope, stamp, kari) = (house.scope(), house.node().stamp(), house.plan.person("kari"));
        let number = Pii::new(E164::new(number).unwrap());
        let numbers = house.node().store.phone_numbers();
        assert!(numbers.vouch_number(&scope, &stamp, kari, number.clone()).await.unwrap());
        let call = panel.ring(house.plan.bell("Dahl")).await;
        assert_eq!(
            call.state,
            PanelCallState::Ended { reason: EndReason::Unreachable },
            "{}",
            number.reveal().as_str()
        );
    }
    assert_eq!(sipp.invited(), 0);
}

#[tokio::test]
async fn a_device_that_is_signed_in_keeps_the_phone_quiet_and_one_that_is_signed_out_does_not() {
    let house = house(&["kari"], Phones::WithoutDevice, |_| {}).await;
    let sipp = Sipp::play("rings_on", 1);
    over(&house, &sipp).await;
    let device = house.phone("kari").await;
    let mut panel = house.panel().await;
    let call = panel.ring(house.plan.bell("Dahl")).await;
    assert_eq!(call.state, PanelCallState::Ended { reason: EndReason::Unreachable }, "not connected");
    assert_eq!(device.browser.delete("/api/v1/session").await.status, 204);
    let call = panel.ring(house.plan.bell("Dahl")).await;
    assert!(rings_phone(&call.state), "{call:?}");
    sipp.wrote("180 Ringing").await;
    panel.hang_up(call.call).await;
    panel.ended(call.call).await;
    sipp.verdict().await;
}

#[tokio::test]
async fn a_device_that_stays_silent_is_followed_by_the_phone_and_one_that_rings_is_not() {
    let house = house(&["kari"], Phones::WhenSilent, |config| config.calls.ring_s = 10).await;
    let sipp = Sipp::press(&[(PAUSE, '1')], 1);
    over(&house, &sipp).await;
    let (mut panel, mut kari) = (house.panel().await, house.app("kari").await);
    let call = panel.ring(house.plan.bell("Dahl")).await;
    assert!(!rings_phone(&call.state), "{call:?}");
    let call = call.call;
    kari.rung().await;
    panel.until("the phone", rings_phone).await;
    let state = kari.state(call).await;
    assert!(matches!(state, AppCallState::Elsewhere { opened: false, .. }), "{state:?}");
    panel.hang_up(call).await;
    panel.ended(call).await;
    sipp.verdict().await;
    // now it says that it rings
    let call = panel.ring(house.plan.bell("Dahl")).await.call;
    kari.rung().await;
    kari.ringing(call).await;
    let ended = panel.until("the end", |state| {
        assert!(!rings_phone(state), "{state:?}");
        matches!(state, PanelCallState::Ended { .. })
    });
    assert_eq!(ended.await.state, PanelCallState::Ended { reason: EndReason::NoAnswer });
}

#[tokio::test]
async fn in_quiet_hours_no_phone_is_rung() {
    // noon UTC is 13:00 where the house stands
    let clock = TestClock::new();
    let house = House::build(with_phones, Arc::clone(&clock) as _, Random::system(), str::to_owned).await;
    know(&house, &["kari"], Phones::Both).await;
    let sipp = Sipp::play("rings_on", 1);
    over(&house, &sipp).await;
    let path = format!("/api/v1/buildings/{}/policy", house.plan.building);
    let mut policy = house.manager.get(&path).await.json();
    policy["policy"]["quiet_hours"] = json!({ "from": 780, "until": 840 });
    assert_eq!(put(&house, &path, policy).await, 200);
    let (mut panel, mut kari) = (house.panel().await, house.app("kari").await);
    let call = panel.ring(house.plan.bell("Dahl")).await;
    assert!(!rings_phone(&call.state), "{call:?}");
    assert!(kari.rung().await.silent);
    assert_eq!(sipp.invited(), 0);
}

#[tokio::test]
async fn a_property_managers_trunk_rings_for_nobody_else() {
    let house = house(&["kari"], Phones::Both, |_| {}).await;
    let (theirs, own) = (Sipp::play("rings_on", 1), Sipp::refuse("480 Temporarily Unavailable"));
    let neighbours = TenantId(v4([2; 16]));
    let trunk = Trunk {
        id: TrunkId(v4([2; 16])),
        host: "127.0.0.1".into(),
        port: theirs.port,
        way: TrunkWay::Udp,
        domain: None,
        caller: E164::new("+4721600001").unwrap(),
        registers: false,
        account: None,
        tones: false,
        encryption: TrunkEncryption::Off,
    };
    over(&house, &own).await;
    let phones = &house.node().phones;
    phones.stand(neighbours, vec![trunk], Limits::default()).await.unwrap();
    until("theirs", || phones.states(neighbours).iter().all(|(_, state)| *state == State::Ready)).await;
    let mut panel = house.panel().await;
    let call = panel.ring(house.plan.bell("Dahl")).await.call;
    assert_eq!(panel.ended(call).await, EndReason::Unreachable);
    assert_eq!((own.invited(), theirs.invited()), (1, 0));
}

/// By whom, what and when: as any opening of theirs. That it was by phone, and by which, is not kept.
#[tokio::test]
async fn a_workplace_that_keeps_records_keeps_an_opening_by_phone_as_its_persons_and_without_the_number() {
    let house = house(&["kari"], Phones::WithoutDevice, |_| {}).await;
    let controller = house.controller().await;
    let sipp = Sipp::press(&[(PAUSE, '5')], 2);
    over(&house, &sipp).await;
    for (kept, records) in [(false, 0), (true, 1)] {
        if kept {
            drop(crate::records::keeps(&house).await);
        }
        let (mut panel, call) = rung(&house).await;
        assert_eq!(panel.opened().await, OPEN);
        panel.hang_up(call).await;
        panel.ended(call).await;
        controller.locked().await;
        let kept = crate::records::listed(&house, records).await;
        assert!(kept.iter().all(|record| !record.to_string().contains(&NUMBER[1..])), "{kept:?}");
        let told: Vec<_> = kept.iter().map(crate::records::told_of).collect();
        assert_eq!(told, vec![["person", "kari", "Front", "opened", ""].map(str::to_owned); records]);
    }
    sipp.verdict().await;
    controller.stop().await;
}

#[tokio::test]
async fn a_number_is_kept_when_the_digits_that_the_app_shows_are_typed_on_it() {
    let house = house(&[], Phones::WithoutDevice, |_| {}).await;
    let mut phone = Baresip::start(NUMBER).await;
    stand(&house, &[phone.port]).await;
    let kari = house.phone("kari").await;
    let at = "/api/v1/me/phone-number";
    let begun = kari.browser.put(at, json!({ "number": NUMBER, "password": PASSWORD })).await;
    assert_eq!(begun.status, 202, "{begun:?}");
    let code = begun.json()["code"].as_str().unwrap().to_owned();
    // one digit is another one
    let wrong = format!("{}{}", (code.as_bytes()[0] - b'0' + 1) % 10, &code[1..]);
    phone.picked_up().await;
    // keys in the first second do not count
    tokio::time::sleep(Duration::from_millis(PAUSE)).await;
    phone.type_keys(&wrong).await;
    // a star takes back what was typed by mistake
    phone.type_keys("12*").await;
    assert_eq!(kari.browser.get(at).await.json()["number"], Value::Null);
    phone.type_keys(&code).await;
    // we hang up
    nothing_is_left(&house).await;
    let kept = kari.browser.get(at).await.json();
    assert_eq!((&kept["number"], &kept["verified"]), (&json!(NUMBER), &json!("called")), "{kept}");
    // and it rings
    assert_eq!(kari.browser.delete("/api/v1/session").await.status, 204);
    let (mut panel, call) = rung(&house).await;
    phone.picked_up().await;
    panel.hang_up(call).await;
    panel.ended(call).await;
}

const MINE: &str = "/api/v1/me/phone-number";

/// Asks for the call that proves a number; the digits that the app shows.
async fn asked(browser: &Browser, number: &str) -> String {
    let begun = browser.put(MINE, json!({ "number": number, "password": PASSWORD })).await;
    assert_eq!(begun.status, 202, "{begun:?}");
    begun.json()["code"].as_str().unwrap().to_owned()
}

/// Asks until this field is there.
async fn shows(browser: &Browser, field: &str) -> Value {
    let looking = async {
        loop {
            let now = browser.get(MINE).await.json();
            if !now[field].is_null() {
                return now;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, looking).await.unwrap_or_else(|_| panic!("{field} never came"))
}

#[tokio::test]
async fn a_call_that_comes_to_nothing_ends_the_proof_and_says_why() {
    for (status, why) in [
        ("486 Busy Here", "not_picked_up"),
        ("603 Decline", "not_picked_up"),
        ("480 Temporarily Unavailable", "not_picked_up"),
        ("404 Not Found", "not_reached"),
        ("503 Service Unavailable", "not_reached"),
    ] {
        let house = house(&[], Phones::WithoutDevice, |_| {}).await;
        let sipp = Sipp::refuse(status);
        over(&house, &sipp).await;
        let kari = house.phone("kari").await.browser;
        asked(&kari, NUMBER).await;
        let now = shows(&kari, "unproven").await;
        let unproven = json!({ "number": NUMBER, "why": why });
        assert_eq!((&now["unproven"], &now["waiting"]), (&unproven, &Value::Null), "{status}");
        assert_eq!((&now["can_confirm"], &now["calls_from"]), (&json!(true), &json!(["+4721600001"])));
        sipp.verdict().await;
    }
}

#[tokio::test]
async fn a_machine_that_picks_up_proves_nothing_and_is_told_as_that() {
    let house = house(&[], Phones::WithoutDevice, |_| {}).await;
    let sipp = Sipp::play("hangs_up", 1);
    over(&house, &sipp).await;
    let kari = house.phone("kari").await.browser;
    asked(&kari, NUMBER).await;
    assert_eq!(shows(&kari, "unproven").await["unproven"]["why"], json!("not_typed"));
    sipp.verdict().await;
}

#[tokio::test]
async fn what_waits_can_be_given_up_without_the_number_that_is_kept() {
    let house = house(&["kari"], Phones::WithoutDevice, |_| {}).await;
    let sipp = Sipp::play("rings_on", 2);
    over(&house, &sipp).await;
    let kari = house.phone("kari").await.browser;
    let other = "+4791500124";
    asked(&kari, other).await;
    assert_eq!(shows(&kari, "waiting").await["waiting"]["number"], json!(other));
    sipp.wrote("180 Ringing").await;
    assert_eq!(kari.delete(&format!("{MINE}/waiting")).await.status, 204);
    // its call is hung up: SIPp waits for that
    nothing_is_left(&house).await;
    let now = kari.get(MINE).await.json();
    assert_eq!((&now["number"], &now["waiting"]), (&json!(NUMBER), &Value::Null));
    assert_eq!(now["unproven"], Value::Null, "giving up is no failure");
    // taking the number away takes the other one with it
    asked(&kari, other).await;
    assert_eq!(kari.delete(MINE).await.status, 204);
    nothing_is_left(&house).await;
    assert_eq!(kari.get(MINE).await.json(), json!({ "can_confirm": true, "calls_from": ["+4721600001"] }));
    sipp.verdict().await;
}

#[tokio::test]
async fn over_a_limit_nothing_waits_for_a_call_that_never_comes() {
    let house = house(&[], Phones::WithoutDevice, |_| {}).await;
    let sipp = Sipp::refuse("486 Busy Here");
    // read when the trunk is made to stand
    let limits = json!({ "countries": [47], "number_hour": 1, "building_hour": 60, "tenant_day": 500 });
    assert_eq!(put(&house, "/api/v1/phone-limits", json!({ "version": 0, "limits": limits })).await, 200);
    over(&house, &sipp).await;
    let kari = house.phone("kari").await.browser;
    asked(&kari, NUMBER).await;
    shows(&kari, "unproven").await;
    let again = kari.put(MINE, json!({ "number": NUMBER, "password": PASSWORD })).await;
    assert_eq!((again.status.as_u16(), again.code()), (429, "called_too_often".to_owned()));
    let now = kari.get(MINE).await.json();
    assert_eq!((&now["waiting"], &now["unproven"]), (&Value::Null, &Value::Null));
    assert_eq!(sipp.invited(), 1);
    sipp.verdict().await;
}

#[tokio::test]
async fn who_is_suspended_by_then_proves_nothing_and_nobody_is_called_again_and_again() {
    let house = house(&[], Phones::WithoutDevice, |_| {}).await;
    let sipp = Sipp::play("rings_on", 3);
    over(&house, &sipp).await;
    let kari = house.phone("kari").await.browser;
    let (node, scope, person) = (house.node(), house.scope(), house.plan.person("kari"));
    let waits = || node.number_proofs.waits(house.plan.tenant, person).unwrap();
    let code = asked(&kari, NUMBER).await;
    assert!(!typed(node, waits().proof, "nope").await.unwrap());
    assert_eq!(
        node.store.phone_numbers().number(&scope, person).await.unwrap(),
        None,
        "nothing is kept before"
    );
    assert!(node.store.people().set_active(&scope, person, false).await.unwrap());
    assert!(!typed(node, waits().proof, &code).await.unwrap());
    assert!(node.store.people().set_active(&scope, person, true).await.unwrap());
    assert_eq!(node.store.phone_numbers().number(&scope, person).await.unwrap(), None);
    // three calls, and then one each twenty minutes
    for _ in 0..2 {
        assert_eq!(kari.delete(MINE).await.status, 204);
        nothing_is_left(&house).await;
        asked(&kari, NUMBER).await;
    }
    let fourth = kari.put(MINE, json!({ "number": NUMBER, "password": PASSWORD })).await;
    assert_eq!(fourth.code(), "too_many_tries");
    assert_eq!(kari.delete(MINE).await.status, 204);
    nothing_is_left(&house).await;
}

/// The only trunk of the house, as the API tells of it.
async fn trunk(house: &House) -> Value {
    house.manager.get("/api/v1/trunks").await.json()["items"][0].clone()
}

async fn test_call(house: &House) -> String {
    format!("/api/v1/trunks/{}/test-call", trunk(house).await["id"].as_str().unwrap())
}

/// Looks at a test call until this is so.
async fn goes(house: &House, at: &str, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    let looking = async {
        loop {
            let now = house.manager.get(at).await.json();
            if is_so(&now) {
                return now;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, looking).await.unwrap_or_else(|_| panic!("never came: {what}"))
}

#[tokio::test]
async fn a_trunk_is_tested_by_a_call_that_shows_each_step() {
    let house = house(&[], Phones::Off, |_| {}).await;
    let mut phone = Baresip::start(NUMBER).await;
    stand(&house, &[phone.port]).await;
    let at = test_call(&house).await;
    assert_eq!(house.manager.get(&at).await.code(), "not_found");
    assert_eq!(trunk(&house).await["calls"], json!(0));
    // they have no number of their own
    assert_eq!(house.manager.post(&at, json!({})).await.json()["errors"][0]["pointer"], json!("/number"));
    let dear = house.manager.post(&at, json!({ "number": "+47 829 00 123" })).await;
    assert_eq!(dear.json()["errors"][0]["code"], json!("costs_extra"));
    let begun = house.manager.post(&at, json!({ "number": NUMBER })).await;
    assert_eq!(begun.status, 202, "{begun:?}");
    let id = begun.json()["id"].clone();
    phone.picked_up().await;
    let now = goes(&house, &at, "the answer", |now| now["answered"] == json!(true)).await;
    assert_eq!((&now["id"], &now["key"], &now["ended"]), (&id, &Value::Null, &Value::Null));
    assert_eq!(trunk(&house).await["calls"], json!(1));
    // keys in the first second do not count
    tokio::time::sleep(Duration::from_millis(PAUSE)).await;
    phone.press('5').await;
    let now = goes(&house, &at, "its end", |now| !now["ended"].is_null()).await;
    let wanted = json!({ "id": id, "rang": now["rang"], "answered": true, "encrypted": false, "one_way": false,
        "key": { "key": "5", "way": "event" }, "ended": "done" });
    assert_eq!(now, wanted);
    nothing_is_left(&house).await;
    assert_eq!(trunk(&house).await["calls"], json!(0));
    let audit = house.manager.get("/api/v1/audit").await.text;
    assert!(audit.contains("trunk.tested") && !audit.contains("21600000"), "{audit}");
}

#[tokio::test]
async fn a_test_call_says_how_its_key_came_and_what_the_trunk_answered() {
    let house = house(&[], Phones::Off, |_| {}).await;
    let sipp = Sipp::press(&[(PAUSE, '8')], 1);
    over(&house, &sipp).await;
    let at = test_call(&house).await;
    assert_eq!(house.manager.post(&at, json!({ "number": NUMBER })).await.status, 202);
    let now = goes(&house, &at, "its end", |now| !now["ended"].is_null()).await;
    assert_eq!(now["key"], json!({ "key": "8", "way": "info" }));
    assert_eq!((&now["rang"], &now["ended"]), (&json!(true), &json!("done")));
    sipp.verdict().await;
    for (status, why) in
        [("486 Busy Here", "busy"), ("404 Not Found", "no_such_number"), ("403 Forbidden", "refused")]
    {
        let house = self::house(&[], Phones::Off, |_| {}).await;
        // the first one would take it: a test goes over its trunk only
        // each new trunk has all of them looked at again
        let (refuses, other) = (Sipp::refuse(status), Sipp::play("rings_on", 4));
        stand(&house, &[other.port, refuses.port]).await;
        let second = house.manager.get("/api/v1/trunks").await.json()["items"][1]["id"].clone();
        let at = format!("/api/v1/trunks/{}/test-call", second.as_str().unwrap());
        assert_eq!(house.manager.post(&at, json!({ "number": NUMBER })).await.status, 202);
        let now = goes(&house, &at, "its end", |now| !now["ended"].is_null()).await;
        assert_eq!(now["ended"], json!(why));
        assert_eq!((refuses.invited(), other.invited()), (1, 0));
        refuses.verdict().await;
    }
}

#[tokio::test]
async fn a_test_call_is_its_administrators_own_counts_and_is_hung_up_when_it_is_given_up() {
    // read when the trunk is made to stand
    let house = house(&[], Phones::Off, |_| {}).await;
    let limits = json!({ "countries": [47], "number_hour": 1, "building_hour": 60, "tenant_day": 500 });
    assert_eq!(put(&house, "/api/v1/phone-limits", json!({ "version": 0, "limits": limits })).await, 200);
    let sipp = Sipp::play("rings_on", 1);
    over(&house, &sipp).await;
    let at = test_call(&house).await;
    assert_eq!(house.manager.post(&at, json!({ "number": NUMBER })).await.status, 202);
    goes(&house, &at, "ringing", |now| now["rang"] == json!(true)).await;
    let kari = house.phone("kari").await.browser;
    assert_eq!(kari.get(&at).await.code(), "forbidden");
    assert_eq!(kari.delete(&at).await.code(), "forbidden");
    assert_eq!(house.manager.delete(&at).await.status, 204);
    assert_eq!(goes(&house, &at, "its end", |now| !now["ended"].is_null()).await["ended"], json!("given_up"));
    nothing_is_left(&house).await;
    sipp.verdict().await;
    let again = house.manager.post(&at, json!({ "number": NUMBER })).await;
    assert_eq!((again.status.as_u16(), again.code()), (429, "called_too_often".to_owned()));
}

#[tokio::test]
async fn a_phone_that_nobody_hears_is_counted_once_and_without_a_name() {
    let house = house(&[], Phones::Off, |_| {}).await;
    // SIPp sends no sound at all
    let sipp = Sipp::press(&[(8_000, '1')], 1);
    over(&house, &sipp).await;
    let at = test_call(&house).await;
    assert_eq!(house.manager.post(&at, json!({ "number": NUMBER })).await.status, 202);
    goes(&house, &at, "silence", |now| now["one_way"] == json!(true)).await;
    goes(&house, &at, "its end", |now| !now["ended"].is_null()).await;
    let told = trunk(&house).await;
    assert_eq!((&told["one_way"], &told["calls"]), (&json!(1), &json!(0)), "{told}");
    sipp.verdict().await;
}

#[tokio::test]
async fn a_trunk_encrypts_its_sound_as_it_is_set_up_and_never_in_the_open() {
    let mut phone = Baresip::encrypts(NUMBER).await;
    let roots = phone.certificate();
    let house = house(&[], Phones::Off, |config| config.phones.roots = Some(roots)).await;
    let settings = |encryption: &str, way: &str, port: u16| {
        json!({ "settings": { "name": "Encrypted", "host": "127.0.0.1", "port": port, "way": way, "caller": "+4721600001",
            "registers": false, "encryption": encryption, "enabled": true } })
    };
    for (encryption, way) in [("required", "udp"), ("offered", "tcp")] {
        let refused = house.manager.post("/api/v1/trunks", settings(encryption, way, phone.port)).await;
        let wrong = json!([{ "pointer": "/settings/encryption", "code": "needs_tls" }]);
        assert_eq!(refused.json()["errors"], wrong, "{encryption} over {way}");
    }
    for (encryption, ended, encrypted) in
        [("off", "no_common_media", Value::Null), ("required", "done", json!(true))]
    {
        let added = house.manager.post("/api/v1/trunks", settings(encryption, "tls", phone.port + 1)).await;
        assert_eq!(added.status, 201, "{added:?}");
        assert_eq!(added.json()["settings"]["encryption"], json!(encryption));
        let id = added.json()["id"].as_str().unwrap().to_owned();
        let states = || house.node().phones.states(house.plan.tenant);
        until("a trunk that answers", || {
            states().iter().any(|(known, state)| known.to_string() == id && *state == State::Ready)
        })
        .await;
        let at = format!("/api/v1/trunks/{id}/test-call");
        assert_eq!(house.manager.post(&at, json!({ "number": NUMBER })).await.status, 202);
        if encryption == "required" {
            goes(&house, &at, "the answer", |now| now["encrypted"] == json!(true)).await;
            // keys in the first second do not count
            tokio::time::sleep(Duration::from_millis(PAUSE)).await;
            phone.press('5').await;
        }
        let now = goes(&house, &at, "its end", |now| !now["ended"].is_null()).await;
        assert_eq!((&now["ended"], &now["encrypted"]), (&json!(ended), &encrypted), "{now}");
        assert_eq!(house.manager.delete(&format!("/api/v1/trunks/{id}")).await.status, 204);
        until("its end", || states().is_empty()).await;
    }
}

#[tokio::test]
async fn addresses_are_spoken_before_anybody_calls() {
    // espeak-ng, which leaves a mark when it is run
    let folder = tempfile::tempdir().unwrap();
    let (program, mark) = (folder.path().join("speaks"), folder.path().join("spoke"));
    let script = format!("#!/bin/sh\n: > {}\nexec /usr/bin/espeak-ng \"$@\"\n", mark.display());
    std::fs::write(&program, script).unwrap();
    std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
    let house = house(&["kari"], Phones::WithoutDevice, |config| config.phones.speech = Some(program)).await;
    let sipp = Sipp::play("rings_on", 1);
    assert!(!mark.exists());
    over(&house, &sipp).await;
    // nobody was called, and nobody asked for it
    until("the program", || mark.exists()).await;
    let (scope, kari) = (house.scope(), house.plan.person("kari"));
    let language = house.node().store.people().person(&scope, kari).await.unwrap().unwrap().language;
    let says = |place| house.node().phones.voice.say(language, Said::Somebody { place }, Rate::Narrow);
    until("the address", || says(Some("Storgata 12")) != says(None)).await;
}
