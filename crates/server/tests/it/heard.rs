//! What somebody hears at a phone, measured there: the panel's pitch, and the phrases that they are told.

use crate::desk_phone::{give, house, nothing_is_left, registered};
use crate::phone::{know, rings_phone, stand};
use crate::support::desk_phone::DeskPhone;
use crate::support::house::House;
use crate::support::trunk::{Sipp, one_pair};
use crate::support::{PATIENCE, until};
use klinke_model::contact::Language;
use klinke_model::phone::Phones;
use klinke_sip::rtp::codec::{Codec, Decoder, Encoder};
use klinke_sip::rtp::packet::{Packet, is_rtcp};
use klinke_voice::{Rate, Said};
use std::net::IpAddr;
use std::path::Path;
use tokio::net::UdpSocket;

/// Samples of a second at a phone.
pub const SECOND: usize = 8_000;

/// How loud this frequency is, as amplitude.
pub fn amplitude(samples: &[i16], hz: f32) -> f32 {
    let (mut re, mut im) = (0.0, 0.0);
    for (n, &sample) in samples.iter().enumerate() {
        let angle = n as f32 * hz / SECOND as f32 * std::f32::consts::TAU;
        re += f32::from(sample) * angle.cos();
        im += f32::from(sample) * angle.sin();
    }
    (re * re + im * im).sqrt() * 2.0 / samples.len().max(1) as f32
}

/// A second of this frequency as a panel says it, to be said over and over.
fn pitch(hz: u16) -> Vec<Vec<u8>> {
    let mut encoder = Encoder::new(Codec::Opus, 16_000).unwrap();
    let wave = |n: u16| (f32::from(n) * f32::from(hz) / 16_000.0 * std::f32::consts::TAU).sin() * 9_000.0;
    let samples: Vec<i16> = (0..16_000).map(|n| wave(n) as i16).collect();
    samples.chunks(320).map(|frame| encoder.encode(frame)).collect()
}

/// How alike the loudest quarter of a second of `wanted` is to where it is found best in `heard`: 1 is the same.
fn likeness(heard: &[i16], wanted: &[i16]) -> f32 {
    const PART: usize = SECOND / 4;
    let power = |part: &[i16]| part.iter().map(|&sample| f32::from(sample).powi(2)).sum::<f32>();
    let wanted = wanted.windows(PART).step_by(80).max_by(|a, b| power(a).total_cmp(&power(b))).unwrap();
    let own = power(wanted);
    let like = |part: &[i16]| {
        let both: f32 = part.iter().zip(wanted).map(|(&a, &b)| f32::from(a) * f32::from(b)).sum();
        both / (own * power(part)).sqrt().max(1.0)
    };
    heard.windows(PART).map(like).fold(0.0, f32::max)
}

/// What a desk phone recorded of its call; it is over.
fn recorded(folder: &Path) -> Vec<i16> {
    let is_heard = |name: &str| name.ends_with("-dec.wav");
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let file = files.into_iter().find(|file| is_heard(file.to_str().unwrap())).expect("a recording");
    let bytes = std::fs::read(file).unwrap();
    // behind the head of a WAV file
    bytes[44..].chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect()
}

/// How somebody is spoken to.
async fn language(house: &House, name: &str) -> Language {
    let people = house.node().store.people();
    people.person(&house.scope(), house.plan.person(name)).await.unwrap().unwrap().language
}

#[tokio::test]
async fn at_a_desk_phone_the_panels_pitch_is_heard_and_only_what_opens_is_said() {
    let (house, folder) = (house().await, tempfile::tempdir().unwrap());
    let given = give(&house, "kari").await;
    let mut phone = DeskPhone::records(folder.path(), &given).await;
    registered(&house, &given, true).await;
    let mut panel = house.panel().await;
    let call = panel.ring(house.plan.bell("Dahl")).await.call;
    let browser = panel.films(house.node().media.local_addr(), call, pitch(700)).await;
    phone.rung().await;
    phone.pick_up().await;
    panel.connected().await;
    // the phrase, and three seconds more
    let before = browser.seen().audio_sent;
    browser.until("seven seconds of it", |seen| seen.audio_sent >= before + 350).await;
    panel.hang_up(call).await;
    panel.ended(call).await;
    nothing_is_left(&house).await;
    drop(phone);
    let heard = recorded(folder.path());
    let loud = |hz| heard.chunks_exact(SECOND).map(|second| amplitude(second, hz)).fold(0.0, f32::max);
    let (same, other) = (loud(700.0), loud(500.0));
    assert!(same > 5_000.0 && other < same / 10.0, "700 Hz: {same}, 500 Hz: {other}");

    let language = language(&house, "kari").await;
    let says = |said| house.node().phones.voice.say(language, said, Rate::Narrow);
    let opens = likeness(&heard, &says(Said::Opens));
    let whole = says(Said::Somebody { place: None });
    // "Press one to talk" is its last second
    let talks = likeness(&heard, &whole[whole.len() - SECOND..]);
    assert!(opens > 0.9 && talks < 0.7, "what opens: {opens}; to talk: {talks}");
}

/// What comes to this port until a phrase was heard there.
async fn hears(socket: &UdpSocket, phrase: &[i16]) -> f32 {
    let mut decoder = Decoder::new(Codec::Pcmu, 8_000).unwrap();
    let (mut heard, mut best, mut buffer) = (Vec::new(), 0.0_f32, [0; 2_000]);
    let hearing = async {
        while best < 0.9 {
            // half a second more, of which the last quarter may have begun before
            let from = heard.len() - heard.len().min(SECOND / 4);
            while heard.len() < from + SECOND * 3 / 4 {
                let (length, _) = socket.recv_from(&mut buffer).await.unwrap();
                let packet = Packet::parse(&buffer[..length]).ok().filter(|_| !is_rtcp(&buffer[..length]));
                if let Some(packet) = packet.filter(|packet| packet.payload_type == 0) {
                    heard.extend(decoder.decode(packet.payload));
                }
            }
            best = best.max(likeness(&heard[from..], phrase));
        }
    };
    // what was heard best is told
    drop(tokio::time::timeout(PATIENCE, hearing).await);
    best
}

#[tokio::test]
async fn who_is_not_heard_at_the_door_is_told_so() {
    let house = House::with(|config| {
        config.phones.listen = Some(IpAddr::from([127, 0, 0, 1]));
        config.phones.trunk_hosts = vec!["127.0.0.1".into()];
        (config.phones.first_port, config.phones.last_port) = one_pair();
    })
    .await;
    know(&house, &["kari"], Phones::WithoutDevice).await;
    let ear = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let sipp = Sipp::silent(ear.local_addr().unwrap().port(), 1);
    stand(&house, &[sipp.port]).await;
    let mut panel = house.panel().await;
    let call = panel.ring(house.plan.bell("Dahl")).await;
    assert!(rings_phone(&call.state), "{call:?}");
    panel.connected().await;
    let phrase = house.node().phones.voice.say(language(&house, "kari").await, Said::Unheard, Rate::Narrow);
    let best = hears(&ear, &phrase).await;
    assert!(best >= 0.9, "the likeness of what was heard to the phrase: {best}");
    panel.hang_up(call.call).await;
    panel.ended(call.call).await;
    sipp.verdict().await;
    until("an end of every call on the wire", || house.node().phones.dialogs() == 0).await;
}
