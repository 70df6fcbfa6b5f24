//! Desk phones and door stations that others wrote, at our registrar.

use crate::peer::*;
use crate::station::*;
use klinke_model::time::{Mono, SystemClock};
use klinke_sip::rtp::codec::Codec;
use klinke_sip::rtp::packet::{Packet, is_rtcp};
use klinke_sip::rtp::port::{News, Ports, Range};
use klinke_sip::sdp;
use klinke_sip::sdp::picture::{Picture, taking_picture};
use klinke_sip::stations::{Accept, Event, House, Incoming, Leg, Refusal};
use klinke_sip::video::{Asking, Source, View};
use klinke_sip::why::Why;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio::time::timeout;

async fn event(leg: &mut Leg) -> Event {
    timeout(BOUND, leg.event()).await.expect("an event in time").expect("an event")
}

/// The next event but that a call of theirs stands.
async fn next(leg: &mut Leg) -> Event {
    match event(leg).await {
        Event::Acknowledged => event(leg).await,
        other => other,
    }
}

async fn answer(leg: &mut Leg) -> String {
    loop {
        match next(leg).await {
            Event::Ringing => {}
            Event::Answered { sdp } => return sdp,
            other => panic!("{other:?}"),
        }
    }
}

async fn called(incoming: &mut mpsc::Receiver<Incoming>) -> Incoming {
    timeout(BOUND, incoming.recv()).await.expect("a call in time").unwrap()
}

fn described(port: u16) -> String {
    OFFER.replace("40000", &port.to_string())
}

fn accept(sdp: String, talk: Duration) -> Accept {
    Accept { sdp, talk, reoffer: Arc::new(|_| None) }
}

/// The next packet of RTP that satisfies.
async fn packet<T>(socket: &UdpSocket, mut wanted: impl FnMut(&Packet<'_>) -> Option<T>) -> T {
    let mut buffer = [0; 2000];
    let found = async {
        loop {
            let (length, _) = socket.recv_from(&mut buffer).await.unwrap();
            let datagram = &buffer[..length];
            let packet = if is_rtcp(datagram) { None } else { Packet::parse(datagram).ok() };
            if let Some(found) = packet.and_then(|packet| wanted(&packet)) {
                return found;
            }
        }
    };
    timeout(BOUND, found).await.expect("RTP in time")
}

/// A desk phone registers, is called twice, takes it, and sends a key.
async fn rings(house: &House, device: &mut Device) {
    registered(house, true).await;
    for _ in 0..2 {
        let (sound, port) = media().await;
        let mut leg = house.call(ring(described(port)));
        let sdp = answer(&mut leg).await;
        assert!(sdp.contains("PCMU/8000"), "{sdp}");
        packet(&sound, |packet| (packet.payload_type == 0).then_some(())).await;
        device.command("/sndcode 5").await;
        let key = packet(&sound, |packet| (packet.payload_type == 101).then(|| packet.payload[0])).await;
        assert_eq!(key, 5);
        leg.hang_up();
        assert_eq!(next(&mut leg).await, Event::Ended(Why::WeHungUp));
        no_calls(house).await;
    }
}

#[tokio::test]
async fn a_desk_phone_registers_over_udp_tcp_and_tls_and_takes_calls() {
    let (house, _incoming, certificate) = house().await;
    for way in ["udp", "tcp", "tls"] {
        let mut device = Device::start(way, house.addresses(), &certificate, PASSWORD, "").await;
        rings(&house, &mut device).await;
        // a good-bye, or the end of its connection
        device.command("/quit").await;
        registered(&house, false).await;
        device.kill().await;
    }
    house.stop().await;
}

#[tokio::test]
async fn a_wrong_password_registers_nobody() {
    let (house, _incoming, _) = house().await;
    let to = house.addresses().udp.unwrap().to_string();
    for (device, password) in [(DEVICE, "wrong-horse"), ("nosuchdevice", PASSWORD), (DEVICE, "")] {
        let words = [&to, "-s", device, "-au", device, "-ap", password];
        Sipp::begin("register_nobody", free_port(), &words).verdict().await;
    }
    assert!(house.registered().borrow().is_empty());
    let mut leg = house.call(ring(OFFER.into()));
    assert_eq!(next(&mut leg).await, Event::Ended(Why::Unreachable));
}

#[tokio::test]
async fn a_phone_that_comes_back_another_way_is_called_there() {
    let (house, _incoming, certificate) = house().await;
    let first = Device::start("tcp", house.addresses(), &certificate, PASSWORD, "").await;
    registered(&house, true).await;
    // gone without a word: its connection says so
    first.kill().await;
    registered(&house, false).await;
    let mut second = Device::start("udp", house.addresses(), &certificate, PASSWORD, "").await;
    rings(&house, &mut second).await;
}

#[tokio::test]
async fn the_newest_of_two_phones_with_one_account_is_called() {
    let (house, _incoming, certificate) = house().await;
    let first = Device::start("udp", house.addresses(), &certificate, PASSWORD, "").await;
    registered(&house, true).await;
    // gone without a word, which nobody hears over UDP
    first.kill().await;
    let mut second = Device::start("udp", house.addresses(), &certificate, PASSWORD, "").await;
    second.says("200 OK").await;
    rings(&house, &mut second).await;
}

#[tokio::test]
async fn an_account_that_is_taken_away_ends_the_call() {
    let (house, _incoming, certificate) = house().await;
    let _device = Device::start("udp", house.addresses(), &certificate, PASSWORD, "").await;
    registered(&house, true).await;
    let (_sound, port) = media().await;
    let mut leg = house.call(ring(described(port)));
    answer(&mut leg).await;
    house.accounts([].into()).await;
    assert_eq!(next(&mut leg).await, Event::Ended(Why::WeHungUp));
    registered(&house, false).await;
    no_calls(&house).await;
}

/// How loud this frequency is in sound of 8,000 samples a second, as amplitude.
fn amplitude(samples: &[i16], hz: f32) -> f32 {
    let (mut re, mut im) = (0.0, 0.0);
    for (n, &sample) in samples.iter().enumerate() {
        let angle = n as f32 * hz / 8_000.0 * std::f32::consts::TAU;
        re += f32::from(sample) * angle.cos();
        im += f32::from(sample) * angle.sin();
    }
    (re * re + im * im).sqrt() * 2.0 / samples.len().max(1) as f32
}

/// Two seconds of this frequency.
fn tone(hz: f32) -> Vec<i16> {
    let wave = |n: u16| (f32::from(n) * hz / 8_000.0 * std::f32::consts::TAU).sin() * 9_000.0;
    (0..16_000).map(|n| wave(n) as i16).collect()
}

/// The second of sound that follows the first loud frame of it, as the panel's side of a line has it.
async fn heard(news: &mut mpsc::Receiver<News>) -> Vec<i16> {
    let mut decoder = opus::Decoder::new(8_000, opus::Channels::Mono).unwrap();
    let mut samples = Vec::new();
    let second = async {
        while samples.len() < 8_000 {
            let News::ForPanel(packet) = news.recv().await.expect("the line goes on") else { continue };
            let mut frame = [0; 960];
            let count = decoder.decode(&packet.payload, &mut frame, false).unwrap();
            if !samples.is_empty() || frame[..count].iter().any(|sample| sample.abs() > 3_000) {
                samples.extend_from_slice(&frame[..count]);
            }
        }
    };
    timeout(BOUND, second).await.expect("sound in time");
    samples
}

#[tokio::test]
async fn a_door_station_calls_hears_and_is_heard_and_is_ended_at_the_limit() {
    let (house, mut incoming, certificate) = house().await;
    for (way, hz) in [("udp", 500.0), ("tls", 700.0)] {
        let mut device = Device::start(way, house.addresses(), &certificate, PASSWORD, "").await;
        registered(&house, true).await;
        let at = house.addresses();
        let to = if way == "udp" { at.udp } else { at.tls }.unwrap();
        device.command(&format!("/dial sip:bell-3@{to};transport={way}")).await;
        let mut call = called(&mut incoming).await;
        assert_eq!((call.device.as_str(), call.dialled.as_str()), (DEVICE, "bell-3"));
        call.ring();
        device.says("180 Ringing").await;
        let here = std::net::Ipv4Addr::LOCALHOST.into();
        let ports = Ports::take(here, Range { first: 21_900, last: 21_999 }).await.unwrap();
        let sound = sdp::Local {
            address: (here, ports.port().unwrap()).into(),
            session: 1,
            version: 1,
            codecs: vec![Codec::Pcmu],
            crypto: None,
        };
        let (ours, agreed) = sdp::answer(&sound, call.offer.as_deref().unwrap().as_bytes()).unwrap();
        let (line, mut news) = ports.start(&agreed, false, Arc::new(SystemClock::start())).unwrap();
        call.accept(accept(ours, Duration::from_secs(6)));
        line.answered().await;
        // baresip plays what it hears into its microphone
        line.prompt(tone(hz)).await;
        let back = heard(&mut news).await;
        let (same, other) = (amplitude(&back, hz), amplitude(&back, 1_200.0 - hz));
        assert!(same > 5_000.0 && other < 500.0, "{hz} Hz: {same}, the other: {other}");
        // the limit, by our BYE
        assert_eq!(next(&mut call.leg).await, Event::Ended(Why::Limit));
        device.says("session closed").await;
        no_calls(&house).await;
        device.kill().await;
    }
}

#[tokio::test]
async fn a_door_station_is_refused() {
    let (house, mut incoming, certificate) = house().await;
    let mut device = Device::start("udp", house.addresses(), &certificate, PASSWORD, "").await;
    registered(&house, true).await;
    let to = house.addresses().udp.unwrap();
    for (refusal, words) in [(Refusal::Busy, "486"), (Refusal::Declined, "603")] {
        device.command(&format!("/dial sip:bell-3@{to}")).await;
        let mut call = called(&mut incoming).await;
        call.refuse(refusal);
        assert_eq!(next(&mut call.leg).await, Event::Ended(Why::WeHungUp));
        device.says(words).await;
        no_calls(&house).await;
    }
    // whom nobody takes is refused as well
    drop(incoming);
    device.command(&format!("/dial sip:bell-3@{to}")).await;
    device.says("480").await;
}

/// SIPp in the place of a door station that is registered: its port, and what it calls with.
async fn door(house: &House) -> (u16, Vec<String>) {
    let at = house.addresses().udp.unwrap();
    let (to, own, uri) = (at.to_string(), free_port(), format!("bell-3@{at}"));
    let account = ["-au", DEVICE, "-ap", PASSWORD];
    let register = [&[&to, "-s", DEVICE][..], &account].concat();
    Sipp::begin("register_device", own, &register).verdict().await;
    registered(house, true).await;
    let call = [&[&to, "-s", "bell-3", "-auth_uri", &uri][..], &account].concat();
    (own, call.into_iter().map(str::to_owned).collect())
}

/// It plays this scenario.
async fn sipp(house: &House, scenario: &str) -> Sipp {
    let (own, call) = door(house).await;
    Sipp::begin(scenario, own, &call.iter().map(String::as_str).collect::<Vec<_>>())
}

/// It asks for something that it does not get, and is told so with this status: all that it was sent and sent.
async fn refused(house: &House, asks: &str, status: &str) -> String {
    let (own, call) = door(house).await;
    let call: Vec<&str> = call.iter().map(String::as_str).collect();
    let changes = [("<!--ASKS-->", asks), ("<!--REFUSED-->", status)];
    let folder = Sipp::begin_with("door_refused", &changes, own, &call).verdict().await;
    no_calls(house).await;
    std::fs::read_to_string(folder.path().join("messages")).unwrap()
}

#[tokio::test]
async fn what_a_door_station_requires_and_we_can_not_do_is_named_and_rings_nobody() {
    let (house, mut incoming, _) = house().await;
    // reliable provisional responses (RFC 3262): what we can not do is named (RFC 3261, section 8.2.2.3)
    let messages = refused(&house, "Max-Forwards: 70\n      Require: 100rel", "420").await;
    assert!(messages.contains("Unsupported: 100rel"), "{messages}");
    // who is rung for it would be one hop more than it may go
    refused(&house, "Max-Forwards: 0", "483").await;
    assert!(incoming.try_recv().is_err());
    // and the last hop is one
    let (own, call) = door(&house).await;
    let call: Vec<&str> = call.iter().map(String::as_str).collect();
    let changes = [("<!--ASKS-->", "Max-Forwards: 1"), ("<!--REFUSED-->", "486")];
    let sipp = Sipp::begin_with("door_refused", &changes, own, &call);
    called(&mut incoming).await.refuse(Refusal::Busy);
    sipp.verdict().await;
    no_calls(&house).await;
}

#[tokio::test]
async fn a_door_station_sees_our_description_sends_a_key_and_is_ended_at_the_limit() {
    let (house, mut incoming, _) = house().await;
    let sipp = sipp(&house, "door_station").await;
    let mut call = called(&mut incoming).await;
    assert_eq!((call.device.as_str(), call.dialled.as_str()), (DEVICE, "bell-3"));
    call.ring();
    call.show(OFFER.into());
    call.accept(accept(OFFER.into(), Duration::from_secs(2)));
    assert_eq!(event(&mut call.leg).await, Event::Acknowledged);
    let Event::Info { kind, body } = next(&mut call.leg).await else { panic!() };
    assert_eq!(kind, "application/dtmf-relay");
    assert!(body.starts_with(b"Signal=5"), "{body:?}");
    // the limit, by our BYE
    assert_eq!(next(&mut call.leg).await, Event::Ended(Why::Limit));
    sipp.verdict().await;
    no_calls(&house).await;
}

#[tokio::test]
async fn a_door_station_takes_its_call_back() {
    let (house, mut incoming, _) = house().await;
    let sipp = sipp(&house, "door_gives_up").await;
    let mut call = called(&mut incoming).await;
    call.ring();
    assert_eq!(next(&mut call.leg).await, Event::Ended(Why::TheyHungUp));
    sipp.verdict().await;
    no_calls(&house).await;
}

/// baresip's camera is a picture that it makes itself, and libavcodec encodes.
const CAMERA: &str = "module avcodec.so\nmodule fakevideo.so\n";

#[tokio::test]
async fn a_door_station_s_picture_is_kept_for_who_comes_late() {
    let (house, mut incoming, certificate) = house().await;
    let mut device = Device::start("udp", house.addresses(), &certificate, PASSWORD, CAMERA).await;
    registered(&house, true).await;
    device.command(&format!("/dial sip:bell-3@{}", house.addresses().udp.unwrap())).await;
    let call = called(&mut incoming).await;
    let offer = call.offer.clone().unwrap();
    let ((_sound, port), (eyes, eyes_port)) = (media().await, media().await);
    let picture = Picture {
        crypto: None,
        address: ([127, 0, 0, 1], eyes_port).into(),
        sends: false,
        profile_level: None,
        parameter_sets: None,
    };
    let sound = klinke_sip::sdp::Local {
        address: ([127, 0, 0, 1], port).into(),
        session: 1,
        version: 1,
        codecs: vec![klinke_sip::rtp::codec::Codec::Pcmu],
        crypto: None,
    };
    let (ours, _) = klinke_sip::sdp::answer(&sound, offer.as_bytes()).unwrap();
    let (ours, video) = taking_picture(&ours, offer.as_bytes(), &picture).expect("H.264 in the offer");
    call.accept(accept(ours, BOUND));

    let mut source = Source::new(video.parameter_sets.as_deref());
    let (mut early, mut passed, mut came) = (View::new(1, 102, 9, 9), 0, 0);
    let mut take = |packet: &Packet<'_>, source: &mut Source| {
        assert_eq!(packet.payload_type, video.payload_type);
        came += 1;
        let part = source.take(packet).expect("H.264 that we know");
        passed += early.pass(source, packet, part, Mono::default()).len();
        (passed, came)
    };
    packet(&eyes, |packet| {
        take(packet, &mut source);
        source.has_key_frame().then_some(())
    })
    .await;
    // some frames later somebody else comes, and sees a picture at once
    let (passed, came) =
        packet(&eyes, |packet| Some(take(packet, &mut source)).filter(|(_, came)| *came > 60)).await;
    assert!(passed >= came - 5, "{passed} of {came}");
    let mut late = View::new(2, 102, 1, 1);
    let still = late.join(&source, Mono::default());
    let payloads: Vec<Vec<u8>> =
        still.iter().map(|datagram| Packet::parse(datagram).unwrap().payload.to_vec()).collect();
    let kinds: Vec<u8> = payloads.iter().map(|payload| payload[0] & 0x1f).collect();
    assert!(kinds.contains(&7) && kinds.contains(&8), "{kinds:?}");
    assert!(Packet::parse(still.last().unwrap()).unwrap().marker);

    // and then, because we ask for it, what moves: baresip makes a key frame by INFO
    let mut asking = Asking::default();
    asking.want();
    assert!(asking.ask(1, source.ssrc().unwrap(), Mono::default()).is_some_and(|ask| !ask.info));
    let again = asking.ask(1, source.ssrc().unwrap(), Mono::from_millis(1000)).unwrap();
    assert!(again.info);
    let (kind, body) = klinke_sip::video::CONTROL;
    call.leg.info(kind, body.into());
    packet(&eyes, |packet| {
        let part = source.take(packet).unwrap();
        late.pass(&source, packet, part, Mono::from_millis(1000));
        (!late.waits()).then_some(())
    })
    .await;
    call.leg.hang_up();
    no_calls(&house).await;
}
