//! The visitor's picture on a desk phone's display: baresip is the door station and the desk phone, FFmpeg writes the picture
//! and reads it.

use super::{CAMERA, DAHL, house, nothing_is_left};
use crate::support::desk_phone::DeskPhone;
use crate::support::house::House;
use crate::support::until;
use klinke_model::ids::DeviceId;
use serde_json::{Value, json};
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

/// A display: FFmpeg decodes, and what it shows can be written to a file.
const DISPLAY: &str = "video_source fakevideo,x\nvideo_display fakevideo,x\nmodule avcodec.so\nmodule fakevideo.so\n\
    module snapshot.so\n";

/// Gives Kari a desk phone with this in it.
async fn desk_phone(house: &House, more: &str) -> (Value, DeskPhone) {
    let path = format!("/api/v1/people/{}/sip-devices", house.plan.person("kari"));
    let made = house.manager.post(&path, json!({ "name": "Desk phone" })).await;
    assert_eq!(made.status, 201, "{made:?}");
    let given = made.json();
    let phone = DeskPhone::start_with("udp", &given, more, "").await;
    let id: DeviceId = given["id"].as_str().unwrap().parse().unwrap();
    until("a registration", || house.node().stations.is_registered(id)).await;
    (given, phone)
}

/// Picture and colours of the left, the middle and the right third.
fn thirds(file: &Path) -> Option<((u32, u32), [[u8; 3]; 3])> {
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
async fn looks(phone: &mut DeskPhone) -> ((u32, u32), [[u8; 3]; 3]) {
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

async fn sees_the_camera(phone: &mut DeskPhone) {
    phone.says("receiving with resolution 352 x 288").await;
    let (size, colours) = looks(phone).await;
    assert_eq!(size, (352, 288));
    assert!(are_bars(colours), "{colours:?}");
}

#[tokio::test]
async fn who_lifts_sees_the_visitor_until_the_call_is_over() {
    let (house, mut station) = house(CAMERA).await;
    let (_, mut phone) = desk_phone(&house, DISPLAY).await;
    for _ in 0..2 {
        station.dial(DAHL).await;
        phone.rung().await;
        phone.pick_up().await;
        sees_the_camera(&mut phone).await;
        phone.hang_up().await;
        station.says("session closed").await;
        nothing_is_left(&house).await;
    }
}
