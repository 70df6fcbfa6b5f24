//! A door station that others wrote (baresip) hangs at the entrance: it is that panel.

mod display;
mod loops;
mod wire;

use crate::desk_phone::{PAUSE, give, registered};
use crate::doorbells::change;
use crate::support::app::App;
use crate::support::baresip::Baresip;
use crate::support::desk_phone::DeskPhone;
use crate::support::house::House;
use crate::support::trunk::{Sipp, free_port};
use crate::support::until;
use crate::webrtc::{Numbers, Offering, Peer, Role, Via};
use klinke_model::ids::{BellId, PanelId};
use klinke_model::intercom::EndReason;
use klinke_server::config::{Config, Digests};
use klinke_server::stations::Way;
use klinke_server::stations::credentials::Credentials;
use klinke_wire::app::{AppCall, AppEvent};
use klinke_wire::common::OpeningState;
use serde_json::json;
use std::net::SocketAddr;
use str0m::format::Codec;
use tokio::time::timeout;

const OPEN: OpeningState = OpeningState::Open { for_ms: 1_000 };
/// Opus, VP8, H.264 in an app.
const NUMBERS: Numbers = Numbers(111, 96, 98);
/// baresip's camera: a picture that it makes itself, and libavcodec encodes.
const CAMERA: &str = "module avcodec.so\nmodule fakevideo.so\n";
/// So many packets are a picture that moves: a second and a half. After two, who seems to have no room for a picture is shown none,
/// and a machine with too much to do looks like that.
const MOVES: usize = 40;
/// Doorbells' codes.
pub const DAHL: &str = "4711";
const NGUYEN: &str = "4712";

/// baresip as a door station. Killed when the test is over.
pub struct Station {
    server: SocketAddr,
    program: Baresip,
}

impl Station {
    /// Registers as this account; `more` are modules.
    async fn start(server: SocketAddr, account: &Credentials, more: &str) -> Self {
        let settings = format!(
            "video_source fakevideo,x\nvideo_display fakevideo,x\nvideo_size 352x288\nvideo_fps 25\nrtcp_mux yes\n{more}"
        );
        let Credentials { name, password } = account;
        let user = format!("auth_user={name};auth_pass={password};regint=60");
        let account = format!("<sip:{name}@{server};transport=udp>;{user}\n");
        let program = Baresip::start(tempfile::tempdir().unwrap(), &settings, &account).await;
        Self { server, program }
    }

    /// Waits for a line with this text.
    pub async fn says(&mut self, text: &str) {
        self.program.says(text).await;
    }

    /// The next line that it says.
    pub async fn line(&mut self) -> Option<String> {
        self.program.lines.recv().await
    }

    /// Its button is pressed.
    pub async fn dial(&mut self, number: &str) {
        let to = self.server;
        self.program.command("dial", &format!("sip:{number}@{to}")).await;
    }

    /// Somebody outside presses a key of it.
    async fn press(&mut self, key: char) {
        self.program.command("sndcode", &key.to_string()).await;
    }

    async fn hang_up(&mut self) {
        self.program.command("hangup", "").await;
    }
}

/// A house where devices may register, with a door station at the entrance.
pub async fn house(modules: &str) -> (House, Station) {
    house_with(modules, |_| {}).await
}

async fn house_with(modules: &str, set_up: impl FnOnce(&mut Config)) -> (House, Station) {
    let (house, account, server) = house_of(set_up).await;
    let (node, panel) = (house.node(), house.plan.entrance_panel.id);
    let station = Station::start(server, &account, modules).await;
    until("a registered door station", || node.stations.is_panel_registered(panel)).await;
    (house, station)
}

/// Such a house, what the station at its entrance registers with, and where.
pub async fn house_of(set_up: impl FnOnce(&mut Config)) -> (House, Credentials, SocketAddr) {
    let house = House::with(|config| {
        set_up(config);
        config.stations.listen = Some(SocketAddr::from(([127, 0, 0, 1], 0)));
        config.stations.digests = Digests::Md5;
        (config.stations.first_port, config.stations.last_port) = (22_000, 22_399);
    })
    .await;
    let account = account(&house).await;
    let servers = house.node().stations.servers();
    let server = servers.iter().find(|(way, _)| *way == Way::Udp).unwrap().1;
    (house, account, server)
}

/// Makes the panel at the entrance a door station: its account.
async fn account(house: &House) -> Credentials {
    for (name, code) in [("Dahl", DAHL), ("Nguyen", NGUYEN)] {
        let set = change(house, house.plan.bell(name), json!({ "dial_code": code })).await;
        assert_eq!(set.status, 200, "{set:?}");
    }
    account_of(house, house.plan.entrance_panel.id).await
}

/// Makes this panel a door station: its account.
async fn account_of(house: &House, panel: PanelId) -> Credentials {
    let node = house.node();
    let account = Credentials::new(&node.random);
    let kept = account.account(&node.random, node.clock.now());
    node.store.sip_accounts().set_sip_panel(&house.scope(), &node.stamp(), panel, kept).await.unwrap();
    klinke_server::stations::standing::look(node).await;
    account
}

pub async fn nothing_is_left(house: &House) {
    until("an end of every call on the wire", || house.node().stations.dialogs() == 0).await;
}

/// The app's picture and sound.
async fn watch(house: &House, app: &mut App, call: &AppCall) -> Peer {
    let browser = Offering::new(Role::App, Via::Udp, house.node().media.local_addr(), NUMBERS, 0x78).await;
    app.offer(call.call, &call.join, &browser.sdp).await;
    let answer = app
        .socket
        .expect("an answer", |event| match event {
            AppEvent::Answer { sdp, .. } => Some(sdp.0.clone()),
            _ => None,
        })
        .await;
    browser.connect(&answer)
}

/// The first packet is of parameter sets or a key frame: SPS, a STAP-A, or an IDR.
fn begins_with_a_key_frame(peer: &Peer) -> bool {
    let mut seen = peer.seen().video;
    seen.sort_by_key(|packet| packet.seq);
    let first = seen.first().unwrap();
    first.codec == Codec::H264 && matches!(first.mark & 0x1f, 5 | 7 | 24)
}

#[tokio::test]
async fn its_number_rings_the_app_sees_talks_and_opens_and_the_visitor_leaves() {
    let (house, mut station) = house(CAMERA).await;
    let controller = house.controller().await;
    let mut kari = house.app("kari").await;
    station.dial(DAHL).await;
    let call = kari.rung().await;
    kari.ringing(call.call).await;
    let browser = watch(&house, &mut kari, &call).await;
    browser.until("the picture while it rings", |seen| seen.video.len() >= MOVES).await;
    assert!(begins_with_a_key_frame(&browser));
    assert_eq!(browser.seen().audio, 0, "nobody hears anything before the answer");

    kari.answer(call.call).await;
    station.says("incoming rtp for 'audio' established").await;
    // it speaks 50 packets a second, whatever it hears
    let first = browser.until("the station", |seen| seen.audio >= 50).await;
    browser.until("the station on", |seen| seen.audio >= first.audio + 50).await;

    assert_eq!(kari.open_door(house.plan.front, Some(call.call)).await, OPEN);
    assert_eq!((controller.releases.of(0), controller.releases.count()), (1, 1));

    station.hang_up().await;
    assert_eq!(kari.ended(call.call).await, EndReason::VisitorLeft);
    nothing_is_left(&house).await;
    // and the next visitor rings as the first one did
    station.dial(DAHL).await;
    let again = kari.rung().await;
    assert_ne!(again.call, call.call);
    kari.decline(again.call).await;
    station.says("603").await;
    nothing_is_left(&house).await;
    controller.stop().await;
}

#[tokio::test]
async fn who_leaves_and_rings_again_at_once_rings() {
    let (house, mut station) = house("").await;
    let mut kari = house.app("kari").await;
    station.dial(DAHL).await;
    let mut call = kari.rung().await.call;
    for _ in 0..20 {
        // nothing is waited for in between
        station.hang_up().await;
        station.dial(DAHL).await;
        assert_eq!(kari.ended(call).await, EndReason::VisitorLeft);
        let next = kari.rung().await.call;
        assert_ne!(std::mem::replace(&mut call, next), next);
    }
    station.hang_up().await;
    assert_eq!(kari.ended(call).await, EndReason::VisitorLeft);
    nothing_is_left(&house).await;
}

#[tokio::test]
async fn its_own_keys_open_nothing_and_those_of_the_desk_phone_that_answers_do() {
    let (house, mut station) = house("").await;
    let controller = house.controller().await;
    let given = give(&house, "kari").await;
    let mut phone = DeskPhone::start("udp", &given).await;
    registered(&house, &given, true).await;
    station.dial(DAHL).await;
    phone.rung().await;
    phone.pick_up().await;
    station.says("incoming rtp for 'audio' established").await;
    // keys in the first second do not count
    for key in ['5', '8'] {
        tokio::time::sleep(PAUSE).await;
        station.press(key).await;
    }
    tokio::time::sleep(PAUSE).await;
    assert_eq!(controller.releases.count(), 0, "who stands outside opened");
    phone.press('5').await;
    until("the door", || controller.releases.count() > 0).await;
    phone.hang_up().await;
    station.says("session closed").await;
    nothing_is_left(&house).await;
    assert_eq!((controller.releases.of(0), controller.releases.count()), (1, 1));
    controller.stop().await;
}

#[tokio::test]
async fn one_that_asks_for_an_offer_gets_every_line_in_its_place() {
    let (house, at) = loops::house(|_| {}).await;
    let mut kari = house.app("kari").await;
    let Credentials { name, password } = account(&house).await;
    let server = at.to_string();
    Sipp::register_from(free_port(), &server, &name, &password).await;
    let sipp = Sipp::asks_for_offer(&server, (&name, &password), DAHL);
    let call = kari.rung().await.call;
    sipp.wrote("183 Session Progress").await;
    kari.answer(call).await;
    sipp.verdict().await;
    assert_eq!(kari.ended(call).await, EndReason::VisitorLeft);
    nothing_is_left(&house).await;
}

#[tokio::test]
async fn the_time_to_talk_ends_by_our_bye() {
    let (house, mut station) = house_with("", |config| config.calls.talk_s = 3).await;
    let mut kari = house.app("kari").await;
    station.dial(DAHL).await;
    let call = kari.rung().await.call;
    kari.answer(call).await;
    station.says("incoming rtp for 'audio' established").await;
    assert_eq!(kari.ended(call).await, EndReason::TimeLimit);
    station.says("session closed").await;
    nothing_is_left(&house).await;
}

#[tokio::test]
async fn who_comes_late_sees_a_key_frame_first_and_who_answers_hangs_up() {
    let (house, mut station) = house(CAMERA).await;
    let (mut linh, mut anh) = (house.app("linh").await, house.app("anh").await);
    station.dial(NGUYEN).await;
    let (call, also) = (linh.rung().await, anh.rung().await);
    let early = watch(&house, &mut linh, &call).await;
    early.until("the picture", |seen| seen.video.len() >= MOVES).await;
    let late = watch(&house, &mut anh, &also).await;
    late.until("the picture", |seen| !seen.video.is_empty()).await;
    assert!(begins_with_a_key_frame(&late));
    late.until("what moves", |seen| seen.video.len() >= MOVES).await;
    linh.answer(call.call).await;
    linh.hang_up(call.call).await;
    station.says("session closed").await;
    nothing_is_left(&house).await;
}

#[tokio::test]
async fn a_number_that_is_no_doorbell_s_is_refused_and_one_of_another_panel_too() {
    let (house, mut station) = house("").await;
    let gate = house.plan.gate_bell("Berg");
    assert_eq!(change(&house, gate, json!({ "dial_code": "5555" })).await.status, 200);
    let mut nora = house.app("nora").await;
    let mut kari = house.app("kari").await;
    for number in ["4799", "5555", "klinke", "471"] {
        station.dial(number).await;
        station.says("404").await;
        nothing_is_left(&house).await;
    }
    // the right one rings whom it is for, and them alone
    station.dial(DAHL).await;
    let call = kari.rung().await;
    station.hang_up().await;
    assert_eq!(kari.ended(call.call).await, EndReason::VisitorLeft);
    assert!(nora.calls.is_empty());
    station.dial("5555").await;
    station.says("404").await;
    let rung = timeout(std::time::Duration::ZERO, nora.rung()).await;
    assert!(rung.is_err(), "somebody else's doorbell rang: {rung:?}");
}

#[tokio::test]
async fn with_any_number_it_rings_the_doorbell_that_it_is_to_and_another_by_its_own_code() {
    let (house, mut station) = house("").await;
    let panel = format!("/api/v1/panels/{}", house.plan.entrance_panel.id);
    let set = async |bell: Option<BellId>| {
        house.manager.put(&format!("{panel}/door-station"), json!({ "any_number": bell })).await
    };
    let foreign = set(Some(house.plan.gate_bell("Berg"))).await;
    assert_eq!((foreign.status.as_u16(), &foreign.json()["errors"][0]["code"]), (422, &json!("not_found")));
    station.dial("klinke").await;
    station.says("404").await;
    nothing_is_left(&house).await;

    let dahl = house.plan.bell("Dahl");
    let is_set = set(Some(dahl)).await;
    assert_eq!((is_set.status.as_u16(), &is_set.json()["any_number"]), (200, &json!(dahl)));
    let (mut kari, mut linh) = (house.app("kari").await, house.app("linh").await);
    // a doorbell's own code comes first
    station.dial(NGUYEN).await;
    let call = linh.rung().await;
    station.hang_up().await;
    assert_eq!(linh.ended(call.call).await, EndReason::VisitorLeft);
    nothing_is_left(&house).await;
    // its button dials letters
    let mut pressed = async |number: &str| {
        station.dial(number).await;
        let call = kari.rung().await;
        station.hang_up().await;
        assert_eq!(kari.ended(call.call).await, EndReason::VisitorLeft);
        nothing_is_left(&house).await;
    };
    pressed("klinke").await;
    pressed("Front-Desk").await;
    // what could be a code, and is no button's: whoever presses often is no less heard
    for _ in 0..11 {
        pressed("9999").await;
    }
    // its doorbell goes, and with it the setting
    assert_eq!(house.manager.delete(&format!("/api/v1/bells/{dahl}")).await.status, 204);
    assert_eq!(house.manager.get(&panel).await.json()["panel"].get("any_number"), None);
    station.dial("klinke").await;
    station.says("404").await;
}

#[tokio::test]
async fn without_a_camera_it_talks_all_the_same() {
    let (house, mut station) = house("").await;
    let mut kari = house.app("kari").await;
    station.dial(DAHL).await;
    let call = kari.rung().await;
    let browser = watch(&house, &mut kari, &call).await;
    kari.answer(call.call).await;
    browser.until("the station", |seen| seen.audio >= 50).await;
    assert!(browser.seen().video.is_empty());
    kari.hang_up(call.call).await;
    station.says("session closed").await;
    nothing_is_left(&house).await;
}
