//! The visitor's picture on a desk phone's display: baresip is the door station and the desk phone, FFmpeg writes the picture
//! and reads it.

use super::{CAMERA, DAHL, MOVES, NUMBERS, account, house, nothing_is_left, watch};
use crate::desk_phone::{give, registered};
use crate::support::PATIENCE;
use crate::support::desk_phone::DeskPhone;
use crate::support::house::House;
use crate::support::trunk::{Sipp, one_pair};
use crate::support::until;
use crate::webrtc::{Offering, Role, Via};
use klinke_model::intercom::EndReason;
use klinke_server::config::{Config, Encryption};
use klinke_server::stations::Way;
use klinke_wire::app::AppEvent;
use klinke_wire::common::MediaQuality;
use serde_json::{Value, json};
use std::fs::File;
use std::io::BufReader;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;
use tokio::time::timeout;

/// A display: FFmpeg decodes, and what it shows can be written to a file.
pub const DISPLAY: &str = "video_source fakevideo,x\nvideo_display fakevideo,x\nmodule avcodec.so\nmodule fakevideo.so\n\
    module snapshot.so\n";

/// Gives Kari a desk phone with this in it.
async fn desk_phone(house: &House, more: &str) -> DeskPhone {
    let given = give(house, "kari").await;
    let phone = DeskPhone::start_with("udp", &given, more, "").await;
    registered(house, &given, true).await;
    phone
}

/// The size of a picture, and three colours of it.
type Look = ((u32, u32), [[u8; 3]; 3]);

/// Colours of the left, the middle and the right third.
fn thirds(file: &Path) -> Option<Look> {
    let mut reader = png::Decoder::new(BufReader::new(File::open(file).ok()?)).read_info().ok()?;
    let mut pixels = vec![0; reader.output_buffer_size()?];
    // not yet whole: it is being written
    let frame = reader.next_frame(&mut pixels).ok()?;
    let width = frame.width as usize;
    let bytes = frame.color_type.samples();
    let at = |third: usize| {
        let start = (frame.height as usize / 2 * width + width * (2 * third + 1) / 6) * bytes;
        [pixels[start], pixels[start + 1], pixels[start + 2]]
    };
    Some(((frame.width, frame.height), [at(0), at(1), at(2)]))
}

/// What the display shows now.
async fn looks(phone: &mut DeskPhone) -> Look {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("shown.png");
    phone.snapshot(&file).await;
    let mut seen = None;
    until("a picture of the display", || {
        seen = thirds(&file);
        seen.is_some()
    })
    .await;
    seen.unwrap()
}

/// The bars that the camera films: red, green, blue.
fn are_bars(thirds: [[u8; 3]; 3]) -> bool {
    (0..3).all(|n| {
        (0..3).all(|channel| if n == channel { thirds[n][channel] > 160 } else { thirds[n][channel] < 90 })
    })
}

pub async fn sees_the_camera(phone: &mut DeskPhone) {
    phone.says("receiving with resolution 352 x 288").await;
    let (size, colours) = looks(phone).await;
    assert_eq!(size, (352, 288));
    assert!(are_bars(colours), "{colours:?}");
}

#[tokio::test]
async fn who_lifts_sees_the_visitor_until_the_call_is_over() {
    let (house, mut station) = house(CAMERA).await;
    let mut phone = desk_phone(&house, DISPLAY).await;
    for _ in 0..2 {
        station.dial(DAHL).await;
        phone.rung().await;
        phone.pick_up().await;
        sees_the_camera(&mut phone).await;
        // on hold it is shown nothing, and then what there is now
        phone.hold(true).await;
        views(&house, 0).await;
        phone.hold(false).await;
        views(&house, 1).await;
        assert!(are_bars(looks(&mut phone).await.1));
        phone.hang_up().await;
        station.says("session closed").await;
        nothing_is_left(&house).await;
        views(&house, 0).await;
    }
}

/// Waits until so many views are taken in the rooms.
async fn views(house: &House, viewers: usize) {
    let taken = async {
        while house.node().media.load().await.viewers != viewers {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    assert!(timeout(PATIENCE, taken).await.is_ok(), "never {viewers} views");
}

#[tokio::test]
async fn who_lifts_late_sees_the_visitor_too() {
    let (house, mut station) = house(CAMERA).await;
    let mut phone = desk_phone(&house, DISPLAY).await;
    let mut kari = house.app("kari").await;
    station.dial(DAHL).await;
    let call = kari.rung().await;
    phone.rung().await;
    // most of what the camera sends until its next key frame by itself, after ten seconds, needs the frames before it
    let app = watch(&house, &mut kari, &call).await;
    app.until("the picture", |seen| seen.video.len() >= MOVES).await;
    phone.pick_up().await;
    sees_the_camera(&mut phone).await;
    phone.hang_up().await;
    station.says("session closed").await;
    nothing_is_left(&house).await;
}

#[tokio::test]
async fn one_without_a_display_talks_and_the_ports_of_the_picture_are_for_others() {
    let (first, _) = one_pair();
    let house = House::with(|config| {
        (config.stations.first_port, config.stations.last_port) = (first, first + 3);
    })
    .await;
    let mut phone = desk_phone(&house, "").await;
    let mut panel = house.panel().await;
    let call = panel.ring(house.plan.bell("Dahl")).await.call;
    phone.rung().await;
    assert!(house.node().stations.ports().await.is_err(), "a picture was offered");
    phone.pick_up().await;
    panel.connected().await;
    let free = house.node().stations.ports().await;
    assert!(free.is_ok() && house.node().stations.ports().await.is_err(), "those of the sound are taken");
    panel.hang_up(call).await;
    panel.ended(call).await;
    nothing_is_left(&house).await;
}

/// SIPp as Kari's device, which refuses a picture.
async fn refusing(house: &House, calls: u32) -> Sipp {
    let given = give(house, "kari").await;
    let servers = house.node().stations.servers();
    let (_, at) = servers.iter().find(|(way, _)| *way == Way::Udp).unwrap();
    let text = |field: &str| given[field].as_str().unwrap().to_owned();
    let sipp = Sipp::no_display(&at.to_string(), &text("user_name"), &text("password"), calls).await;
    registered(house, &given, true).await;
    sipp
}

#[tokio::test]
async fn one_that_refuses_the_call_because_of_the_picture_is_rung_once_more_without() {
    let (first, _) = one_pair();
    // with ports for a picture, and without: then none is offered
    for (last, calls) in [(first + 3, 2), (first + 1, 1)] {
        let house = House::with(|config| {
            (config.stations.first_port, config.stations.last_port) = (first, last);
        })
        .await;
        let sipp = refusing(&house, calls).await;
        let mut panel = house.panel().await;
        let call = panel.ring(house.plan.bell("Dahl")).await.call;
        panel.connected().await;
        panel.hang_up(call).await;
        assert_eq!(panel.ended(call).await, EndReason::VisitorLeft);
        assert_eq!(sipp.messages().matches("m=video").count() as u32, calls - 1);
        assert_eq!(sipp.invited() as u32, calls);
        sipp.verdict().await;
        nothing_is_left(&house).await;
    }
}

/// A house where devices register over TLS, and what vouches for it.
async fn encrypted(encryption: Encryption, folder: &Path) -> House {
    encrypted_with(encryption, folder, |_| {}).await
}

pub async fn encrypted_with(
    encryption: Encryption,
    folder: &Path,
    change: impl FnOnce(&mut Config),
) -> House {
    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    let (certificate, key) = (folder.join("own.pem"), folder.join("key.pem"));
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    House::with(|config: &mut Config| {
        config.stations.tls_listen = Some(SocketAddr::from(([127, 0, 0, 1], 0)));
        config.stations.certificate = Some(certificate);
        config.stations.key = Some(key);
        config.stations.encryption = encryption;
        (config.stations.first_port, config.stations.last_port) = (22_400, 22_799);
        change(config);
    })
    .await
}

#[tokio::test]
async fn over_tls_sound_and_picture_are_encrypted_as_it_is_set_up() {
    let folder = tempfile::tempdir().unwrap();
    // what the device does: no keys, keys where possible, keys or no call
    for (ours, theirs, talks) in [
        (Encryption::Off, "", true),
        (Encryption::Off, "srtp-mand", false),
        (Encryption::WherePossible, "", true),
        (Encryption::WherePossible, "srtp", true),
        (Encryption::Required, "", false),
        (Encryption::Required, "srtp-mand", true),
    ] {
        let house = encrypted(ours, folder.path()).await;
        let given = give(&house, "kari").await;
        let authority = folder.path().join("own.pem");
        let more = format!("sip_cafile {}\nmodule srtp.so\n{DISPLAY}", authority.display());
        let account = if theirs.is_empty() { String::new() } else { format!(";mediaenc={theirs}") };
        let mut phone = DeskPhone::start_with("tls", &given, &more, &account).await;
        registered(&house, &given, true).await;
        let mut panel = house.panel().await;
        let call = panel.ring(house.plan.bell("Dahl")).await.call;
        if !talks {
            assert_eq!(panel.ended(call).await, EndReason::Unreachable, "{ours:?} {theirs}");
            continue;
        }
        phone.rung().await;
        phone.pick_up().await;
        panel.connected().await;
        if !theirs.is_empty() {
            phone.says("SRTP is Enabled").await;
        }
        phone.says("incoming rtp for 'audio' established").await;
        panel.hang_up(call).await;
        panel.ended(call).await;
        nothing_is_left(&house).await;
    }
}

#[tokio::test]
async fn from_a_door_station_to_a_display_everything_is_encrypted_where_it_must_be() {
    let folder = tempfile::tempdir().unwrap();
    let house = encrypted(Encryption::Required, folder.path()).await;
    let servers = house.node().stations.servers();
    let (_, at) = servers.iter().find(|(way, _)| *way == Way::Tls).unwrap();
    let sealed = format!("sip_cafile {}\nmodule srtp.so\n", folder.path().join("own.pem").display());
    let start = async |given: &Value, more: &str| {
        DeskPhone::start_with("tls", given, &format!("{sealed}{more}"), ";mediaenc=srtp-mand").await
    };
    let klinke_server::stations::credentials::Credentials { name, password } = account(&house).await;
    let server = json!({ "transport": "tls", "host": at.ip(), "port": at.port() });
    let given = json!({ "user_name": name, "password": password, "servers": [server] });
    let films = format!(
        "ringback_disabled yes\nvideo_source fakevideo,x\nvideo_display fakevideo,x\nvideo_size 352x288\nvideo_fps 25\n{CAMERA}"
    );
    let mut station = start(&given, &films).await;
    let panel = house.plan.entrance_panel.id;
    until("a registered door station", || house.node().stations.is_panel_registered(panel)).await;
    let given = give(&house, "kari").await;
    let mut phone = start(&given, DISPLAY).await;
    registered(&house, &given, true).await;
    station.dial(&format!("sip:{DAHL}@{at};transport=tls")).await;
    phone.rung().await;
    phone.pick_up().await;
    // what they receive they could decrypt: they take nothing else
    station.says("incoming rtp for 'audio' established").await;
    sees_the_camera(&mut phone).await;
    phone.hang_up().await;
    station.says("session closed").await;
    nothing_is_left(&house).await;
}

#[tokio::test]
async fn an_app_that_can_not_show_the_picture_is_told_so() {
    let (house, mut station) = house(CAMERA).await;
    let mut kari = house.app("kari").await;
    station.dial(DAHL).await;
    let call = kari.rung().await;
    let media = house.node().media.local_addr();
    let browser = Offering::new(Role::App, Via::Udp, media, NUMBERS, 0x78).await;
    // its H.264 has to fit into one packet a frame, as no door station's does
    let offer = browser.sdp.replace("packetization-mode=1", "packetization-mode=0");
    kari.offer(call.call, &call.join, &offer).await;
    let answer = kari
        .socket
        .expect("an answer", |event| match event {
            AppEvent::Answer { sdp, .. } => Some(sdp.0.clone()),
            _ => None,
        })
        .await;
    let _browser = browser.connect(&answer);
    let told = kari
        .socket
        .expect("what becomes of the picture", |event| match event {
            AppEvent::Media { quality, .. } => Some(*quality),
            _ => None,
        })
        .await;
    assert_eq!(told, MediaQuality::UnknownCodec);
}
