//! What really goes over the wire between devices that others wrote (baresip) and the server: a tap between them writes down every
//! datagram of sound and picture. It is also a router in front of the server: each sees the other behind another address.

use super::display::{DISPLAY, encrypted_with, sees_the_camera};
use super::{CAMERA, DAHL, account, nothing_is_left};
use crate::desk_phone::{give, registered};
use crate::heard::{SECOND, amplitude};
use crate::support::desk_phone::DeskPhone;
use crate::support::until;
use klinke_server::config::Encryption;
use klinke_server::stations::Way;
use klinke_server::stations::credentials::Credentials;
use klinke_sip::rtp::codec::{Codec, Decoder};
use klinke_sip::rtp::packet::{Packet, is_rtcp};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use tokio::net::UdpSocket;

/// Where devices are told that the server's sound and picture are; the server is at 127.0.0.1.
const TAP: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
/// The first port, and how many there are for two calls, each with sound and picture.
const FIRST: u16 = 23_000;
const PORTS: u16 = 8;
/// What the visitor's side speaks all the time, Hz. The desk phone says again what it hears.
const PITCH: f32 = 800.0;
/// Types of sound: G.711.
const SOUND: [u8; 2] = [0, 8];

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum To {
    Server,
    Device,
}

type Passed = Arc<Mutex<Vec<(To, u16, Vec<u8>)>>>;

/// Passes on what comes to a port, and what comes back, and notes it.
async fn tap(port: u16, passed: Passed) {
    let (socket, mut devices) = (Arc::new(UdpSocket::bind((TAP, port)).await.unwrap()), HashMap::new());
    tokio::spawn(async move {
        let mut buffer = [0; 2_000];
        while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
            let datagram = &buffer[..length];
            passed.lock().unwrap().push((To::Server, port, datagram.to_vec()));
            let on = match devices.get(&from) {
                Some(on) => on,
                None => {
                    let on = Arc::new(UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap());
                    on.connect((Ipv4Addr::LOCALHOST, port)).await.unwrap();
                    tokio::spawn(back(
                        Arc::clone(&socket),
                        Arc::clone(&on),
                        (port, from),
                        Arc::clone(&passed),
                    ));
                    devices.entry(from).or_insert(on)
                }
            };
            // nobody may be there yet
            drop(on.send(datagram).await);
        }
    });
}

async fn back(socket: Arc<UdpSocket>, on: Arc<UdpSocket>, (port, device): (u16, SocketAddr), passed: Passed) {
    let mut buffer = [0; 2_000];
    loop {
        // an error is that of a packet that nobody took
        let Ok(length) = on.recv(&mut buffer).await else { continue };
        passed.lock().unwrap().push((To::Device, port, buffer[..length].to_vec()));
        drop(socket.send_to(&buffer[..length], device).await);
    }
}

/// The payloads of one stream in one direction.
struct Stream {
    to: To,
    payload_type: u8,
    payloads: Vec<Vec<u8>>,
}

/// All streams that passed. Types are readable whether or not what they carry is.
fn streams(passed: &Passed) -> Vec<Stream> {
    let mut streams: HashMap<(To, u16, u8, u32), Vec<Vec<u8>>> = HashMap::new();
    for (to, port, datagram) in passed.lock().unwrap().iter().filter(|(_, _, datagram)| !is_rtcp(datagram)) {
        if let Ok(packet) = Packet::parse(datagram) {
            let stream = streams.entry((*to, *port, packet.payload_type, packet.ssrc)).or_default();
            stream.push(packet.payload.to_vec());
        }
    }
    let all = streams.into_iter();
    all.map(|((to, _, payload_type, _), payloads)| Stream { to, payload_type, payloads }).collect()
}

/// Whether all has passed that there is to read: three seconds of sound both ways of a device at the door and one at a desk, and
/// fifty packets of the picture to the server and from it.
fn is_enough(passed: &Passed) -> bool {
    let mut packets: HashMap<(To, u16, bool), usize> = HashMap::new();
    for (to, port, datagram) in passed.lock().unwrap().iter().filter(|(_, _, datagram)| !is_rtcp(datagram)) {
        if let Ok(packet) = Packet::parse(datagram) {
            *packets.entry((*to, *port, SOUND.contains(&packet.payload_type))).or_default() += 1;
        }
    }
    let has = |to, is_sound, least| {
        let of = |&(&(one, _, sound), count): &(&(To, u16, bool), &usize)| {
            (one, sound) == (to, is_sound) && *count >= least
        };
        packets.iter().filter(of).count()
    };
    [To::Server, To::Device].iter().all(|to| has(*to, true, 150) >= 2 && has(*to, false, 50) >= 1)
}

/// How loud the pitch is in a stream at the loudest, when it is taken for what it says that it is.
fn pitch(stream: &Stream) -> f32 {
    let codec = if stream.payload_type == 8 { Codec::Pcma } else { Codec::Pcmu };
    let mut decoder = Decoder::new(codec, 8_000).unwrap();
    let samples: Vec<i16> = stream.payloads.iter().flat_map(|payload| decoder.decode(payload)).collect();
    samples.chunks_exact(SECOND).map(|second| amplitude(second, PITCH)).fold(0.0, f32::max)
}

/// How many of a hundred packets begin as H.264 does in packets of RTP (RFC 6184, section 5.2).
fn h264(stream: &Stream) -> usize {
    let is = |payload: &&Vec<u8>| matches!(payload.first(), Some(first) if first & 0x80 == 0 && matches!(first & 0x1f, 1 | 5..=9 | 24 | 28));
    stream.payloads.iter().filter(is).count() * 100 / stream.payloads.len()
}

/// Speaks the pitch: a file of it.
fn voice(file: &std::path::Path) {
    let samples: Vec<u8> = (0..SECOND * 120)
        .flat_map(|n| {
            let angle = n as f32 * PITCH / SECOND as f32 * std::f32::consts::TAU;
            ((angle.sin() * 9_000.0) as i16).to_le_bytes()
        })
        .collect();
    let size = u32::try_from(samples.len()).unwrap();
    let mut wav = b"RIFF".to_vec();
    wav.extend((size + 36).to_le_bytes());
    wav.extend(b"WAVEfmt ");
    for word in [16, 1 | 1 << 16, 8_000, 16_000, 2 | 16 << 16] {
        wav.extend(u32::to_le_bytes(word));
    }
    wav.extend(b"data");
    wav.extend(size.to_le_bytes());
    wav.extend(samples);
    std::fs::write(file, wav).unwrap();
}

#[tokio::test]
async fn where_keys_are_required_nobody_reads_sound_or_picture_off_the_wire() {
    let folder = tempfile::tempdir().unwrap();
    let speaks = folder.path().join("speaks.wav");
    voice(&speaks);
    for (n, encryption, theirs) in
        [(0, Encryption::Off, ""), (1, Encryption::Required, ";mediaenc=srtp-mand")]
    {
        let first = FIRST + n * PORTS;
        let passed = Passed::default();
        let house = encrypted_with(encryption, folder.path(), |config| {
            config.stations.announce = Some(TAP.into());
            (config.stations.first_port, config.stations.last_port) = (first, first + PORTS - 1);
        })
        .await;
        for port in first..first + PORTS {
            tap(port, Arc::clone(&passed)).await;
        }
        let servers = house.node().stations.servers();
        let (_, at) = servers.iter().find(|(way, _)| *way == Way::Tls).unwrap();
        // calls themselves pass the tap by: they are inside TLS
        let at = SocketAddr::from((Ipv4Addr::LOCALHOST, at.port()));
        let tls = format!(
            "sip_cafile {}\nmodule srtp.so\nmodule aufile.so\nrtcp_mux yes\n",
            folder.path().join("own.pem").display()
        );
        let start = async |given: &Value, more: &str, account: &str| {
            DeskPhone::start_with("tls", given, &format!("{tls}{more}"), &format!("{theirs}{account}")).await
        };
        let Credentials { name, password } = account(&house).await;
        let server = json!({ "transport": "tls", "host": at.ip(), "port": at.port() });
        let given = json!({ "user_name": name, "password": password, "servers": [server.clone()] });
        let films = format!(
            "video_source fakevideo,x\nvideo_display fakevideo,x\nvideo_size 352x288\nvideo_fps 25\n{CAMERA}"
        );
        let says = format!(";audio_source=aufile,{}", speaks.display());
        let mut station = start(&given, &films, &says).await;
        let panel = house.plan.entrance_panel.id;
        until("a registered door station", || house.node().stations.is_panel_registered(panel)).await;
        let mut given = give(&house, "kari").await;
        given["servers"] = json!([server]);
        let mut phone = start(&given, DISPLAY, "").await;
        registered(&house, &given, true).await;
        station.dial(&format!("sip:{DAHL}@{at};transport=tls")).await;
        phone.rung().await;
        phone.pick_up().await;
        sees_the_camera(&mut phone).await;
        until("enough to read", || is_enough(&passed)).await;
        phone.hang_up().await;
        station.says("session closed").await;
        nothing_is_left(&house).await;

        let is_open = theirs.is_empty();
        let all = streams(&passed);
        for stream in all.iter().filter(|stream| stream.payloads.len() >= 50) {
            let to = if stream.to == To::Server { "to the server" } else { "to a device" };
            if SOUND.contains(&stream.payload_type) {
                let loud = pitch(stream);
                println!("{encryption:?}: sound {to}: {} packets, the pitch {loud}", stream.payloads.len());
                assert!(
                    if is_open { loud > 5_000.0 } else { loud < 1_500.0 },
                    "{encryption:?}: sound {to}: {loud}"
                );
            } else {
                let like = h264(stream);
                println!(
                    "{encryption:?}: picture {to}: {} packets, {like} % as H.264",
                    stream.payloads.len()
                );
                assert!(
                    if is_open { like == 100 } else { like < 40 },
                    "{encryption:?}: picture {to}: {like} %"
                );
            }
        }
    }
}
