//! Ordinary phones, rung over trunks that others wrote: SIPp judges what comes to it, baresip sends its keys beside the sound.

use crate::support::house::House;
use crate::support::panel::Panel;
use crate::support::trunk::{Baresip, Sipp, one_pair};
use crate::support::until;
use crate::testing::TestClock;
use axum::http::Method;
use klinke_model::ids::CallId;
use klinke_model::intercom::EndReason;
use klinke_model::phone::Phones;
use klinke_server::config::Config;
use klinke_server::random::Random;
use klinke_sip::agent::State;
use klinke_voice::{Rate, Said};
use klinke_wire::app::AppCallState;
use klinke_wire::common::OpeningState;
use klinke_wire::panel::PanelCallState;
use serde_json::{Value, json};
use std::net::IpAddr;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::time::Duration;

/// Of whoever has a phone in these tests.
pub const NUMBER: &str = "+4721600000";
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
pub async fn house(people: &[&'static str], when: Phones, change: impl FnOnce(&mut Config)) -> House {
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
pub async fn over(house: &House, sipp: &Sipp) {
    stand(house, &[sipp.port]).await;
}

pub fn rings_phone(state: &PanelCallState) -> bool {
    matches!(state, PanelCallState::Calling { phone: true, .. })
}

/// A visitor taps "Dahl": Kari's phone is rung.
pub async fn rung(house: &House) -> (Panel, CallId) {
    let mut panel = house.panel().await;
    let call = panel.ring(house.plan.bell("Dahl")).await;
    assert!(rings_phone(&call.state), "{call:?}");
    (panel, call.call)
}

/// Waits until no call is on the wire.
pub async fn nothing_is_left(house: &House) {
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
    let browser = panel.films(house.node().media.local_addr(), call, Vec::new()).await;
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
