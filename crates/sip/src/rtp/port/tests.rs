use super::panel::{COMMON, until_common};
use super::*;
use crate::rtp::codec::Codec;
use crate::rtp::packet::Packet;
use crate::sdp::{Local, answer, offer};
use klinke_model::time::{Mono, SystemClock};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;
use tokio::time::timeout;

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// Below the ports that a system gives out by itself.
const RANGE: Range = Range { first: 21_000, last: 21_399 };

async fn ports() -> (Ports, Local) {
    let ports = Ports::take(HERE, RANGE).await.unwrap();
    let address = SocketAddr::new(HERE, ports.port().unwrap());
    (ports, Local { address, session: 1, version: 1, codecs: vec![Codec::Pcma], crypto: None })
}

/// The next news that is not sound; panics when it takes too long.
async fn next(news: &mut mpsc::Receiver<News>) -> News {
    let wanted = async {
        loop {
            match news.recv().await.expect("the line goes on") {
                News::ForPanel(_) => {}
                other => return other,
            }
        }
    };
    timeout(Duration::from_secs(20), wanted).await.expect("nothing came")
}

/// Waits until so many frames have passed: 20 ms each at least.
async fn frames(news: &mut mpsc::Receiver<News>, count: usize) -> Vec<Vec<u8>> {
    let mut payloads = Vec::new();
    while payloads.len() < count {
        if let News::ForPanel(packet) = timeout(Duration::from_secs(20), news.recv()).await.unwrap().unwrap()
        {
            payloads.push(packet.payload);
        }
    }
    payloads
}

/// Two lines that have agreed, both answered.
async fn pair() -> ([Line; 2], [mpsc::Receiver<News>; 2], [Local; 2]) {
    pair_under(Encryption::Off).await
}

async fn pair_under(encryption: Encryption) -> ([Line; 2], [mpsc::Receiver<News>; 2], [Local; 2]) {
    let clock = Arc::new(SystemClock::start());
    let ((ours, mut caller), (theirs, mut called)) = (ports().await, ports().await);
    caller.crypto = our_keys(encryption).unwrap();
    called.crypto = our_keys(encryption).unwrap();
    let (text, agreed_there) = answer(&called, offer(&caller).as_bytes()).unwrap();
    let agreed_here = crate::sdp::agreed(&caller, text.as_bytes()).unwrap();
    let (server, at_server) = ours.start(&agreed_here, false, clock.clone()).unwrap();
    let (phone, at_phone) = theirs.start(&agreed_there, false, clock).unwrap();
    server.answered().await;
    phone.answered().await;
    ([server, phone], [at_server, at_phone], [caller, called])
}

/// A second of it.
fn tone() -> Vec<i16> {
    (0..8_000).map(|n| ((n as f32 * 0.35).sin() * 9_000.0) as i16).collect()
}

/// How many frames are loud.
fn loud(frames: &[Vec<u8>]) -> usize {
    let mut decoder = opus::Decoder::new(8_000, opus::Channels::Mono).unwrap();
    let mut is_loud = |payload: &Vec<u8>| {
        let mut heard = vec![0; 960];
        let count = decoder.decode(payload, &mut heard, false).unwrap();
        heard[..count].iter().any(|sample| sample.abs() > 5_000)
    };
    frames.iter().filter(|payload| is_loud(payload)).count()
}

#[tokio::test]
async fn a_prompt_is_heard_over_the_network_and_a_key_counts_once() {
    let ([server, phone], [mut at_server, mut at_phone], _) = pair().await;
    server.prompt(tone()).await;
    let loud = loud(&frames(&mut at_phone, 60).await);
    // a loaded machine may skip some
    assert!((10..=52).contains(&loud), "{loud} of 50 frames");
    assert_eq!(next(&mut at_server).await, News::Said);
    phone.press(Digit::from_char('5').unwrap()).await;
    phone.press(Digit::from_char('8').unwrap()).await;
    let pressed = [next(&mut at_server).await, next(&mut at_server).await];
    assert_eq!(pressed, ['5', '8'].map(|key| News::Pressed(Digit::from_char(key).unwrap(), Way::Event)));
    // its last report ends it for the other side
    phone.end().await;
    assert_eq!(next(&mut at_server).await, News::Over);
}

#[tokio::test]
async fn what_the_panel_says_is_heard_at_the_phone() {
    let ([server, _phone], [mut at_server, mut at_phone], _) = pair().await;
    let mut encoder = opus::Encoder::new(48_000, opus::Channels::Mono, opus::Application::Voip).unwrap();
    let mut decoder = opus::Decoder::new(8_000, opus::Channels::Mono).unwrap();
    let mut loud = 0;
    for n in 0..60_usize {
        let wave = |at: usize| ((at as f32 * 0.06).sin() * 9_000.0) as i16;
        let samples: Vec<i16> = (n * 960..(n + 1) * 960).map(wave).collect();
        let packet = Packet {
            payload_type: 111,
            marker: n == 0,
            sequence: n as u16,
            timestamp: n as u32 * 960,
            ssrc: 9,
            csrc: &[],
            extension: None,
            payload: &encoder.encode_vec(&samples, 400).unwrap(),
        };
        server.from_panel(packet.write());
        // the clock of the line is the one to speak by
        frames(&mut at_server, 1).await;
        for payload in frames(&mut at_phone, 1).await {
            let mut heard = vec![0; 960];
            let count = decoder.decode(&payload, &mut heard, false).unwrap();
            loud += usize::from(heard[..count].iter().any(|sample| sample.abs() > 5_000));
        }
    }
    assert!(loud > 30, "{loud} of 60 frames");
}

#[tokio::test]
async fn frames_of_all_lines_are_due_together_and_a_panel_fills_no_memory() {
    for at in 0..50 {
        let now = Mono::from_millis(at);
        let wait = until_common(now);
        assert!(wait > Duration::ZERO && wait <= COMMON);
        assert_eq!((now + wait).as_millis() % 5, 0);
    }
    let ([server, _phone], _, _) = pair().await;
    // nothing is awaited in between, so the line takes none of them
    for _ in 0..MOST_WAITING * 2 {
        server.from_panel(vec![0; 20]);
    }
    assert_eq!(server.panel.take().len(), MOST_WAITING);
}

#[tokio::test]
async fn a_stranger_who_finds_the_port_presses_nothing() {
    let ([server, phone], [mut at_server, _at_phone], [caller, _]) = pair().await;
    frames(&mut at_server, 60).await;
    let stranger = UdpSocket::bind((HERE, 0)).await.unwrap();
    for n in 0..50_u16 {
        let payload = crate::dtmf::event::Payload { event: 5, end: true, volume: 10, duration: 960 }.write();
        let packet = Packet {
            payload_type: 101,
            marker: false,
            sequence: n,
            timestamp: u32::from(n / 10),
            ssrc: 66,
            csrc: &[],
            extension: None,
            payload: &payload,
        };
        stranger.send_to(&packet.write(), caller.address).await.unwrap();
    }
    phone.press(Digit::from_char('8').unwrap()).await;
    assert_eq!(next(&mut at_server).await, News::Pressed(Digit::from_char('8').unwrap(), Way::Event));
    let mut nothing = [0; 100];
    assert!(stranger.try_recv(&mut nothing).is_err(), "nothing is sent to a stranger");
    drop(server);
}

#[tokio::test]
async fn ports_are_pairs_of_the_range_and_free_again_afterwards() {
    let range = Range { first: 21_401, last: 21_406 };
    let take = || Ports::take(HERE, range);
    let (first, second) = (take().await.unwrap(), take().await.unwrap());
    let mut taken = [first.port().unwrap(), second.port().unwrap()];
    taken.sort_unstable();
    assert_eq!(taken, [21_402, 21_404]);
    assert!(matches!(take().await, Err(PortError::Full)));
    let address = SocketAddr::new(HERE, first.port().unwrap());
    let local = Local { address, session: 1, version: 1, codecs: vec![Codec::Pcma], crypto: None };
    let (_, agreed) = answer(&local, offer(&local).as_bytes()).unwrap();
    let (line, mut news) = first.start(&agreed, false, Arc::new(SystemClock::start())).unwrap();
    line.end().await;
    let ended = async { while news.recv().await.is_some() {} };
    timeout(Duration::from_secs(20), ended).await.expect("the task ends");
    assert_eq!(take().await.unwrap().port().unwrap(), address.port());
    for (first, last) in [(21_001, 21_001), (21_002, 21_001), (65_535, 65_535)] {
        assert!(matches!(Ports::take(HERE, Range { first, last }).await, Err(PortError::Full)));
    }
}

#[tokio::test]
async fn a_line_that_is_dropped_ends() {
    let ([server, phone], [mut at_server, mut at_phone], _) = pair().await;
    drop((server, phone));
    let ended = async { while at_server.recv().await.is_some() || at_phone.recv().await.is_some() {} };
    timeout(Duration::from_secs(20), ended).await.expect("both tasks end");
}

fn key(digit: char) -> Digit {
    Digit::from_char(digit).unwrap()
}

/// A packet that presses this key at once.
fn press(digit: char, sequence: u16, ssrc: u32) -> Vec<u8> {
    let event = key(digit).event();
    let payload = crate::dtmf::event::Payload { event, end: true, volume: 10, duration: 960 }.write();
    let timestamp = u32::from(sequence);
    let (csrc, payload): (&[u8], &[u8]) = (&[], &payload);
    Packet { payload_type: 101, marker: false, sequence, timestamp, ssrc, csrc, extension: None, payload }
        .write()
}

/// A packet of silence.
fn sound(sequence: u16, ssrc: u32) -> Vec<u8> {
    let timestamp = u32::from(sequence) * 160;
    let (csrc, payload): (&[u8], &[u8]) = (&[], &[0xd5; 160]);
    Packet { payload_type: 8, marker: false, sequence, timestamp, ssrc, csrc, extension: None, payload }
        .write()
}

#[tokio::test]
async fn encrypted_sound_is_heard_and_goes_on_under_new_keys() {
    let ([server, phone], [mut at_server, mut at_phone], [caller, called]) =
        pair_under(Encryption::Required).await;
    server.prompt(tone()).await;
    assert!(loud(&frames(&mut at_phone, 60).await) >= 10);
    assert_eq!(next(&mut at_server).await, News::Said);
    phone.press(key('5')).await;
    assert_eq!(next(&mut at_server).await, News::Pressed(key('5'), Way::Event));
    // a re-INVITE of the phone with other keys, then one of ours with the first ones again
    let fresh = Local { crypto: our_keys(Encryption::Required).unwrap(), ..called.clone() };
    for (offerer, offering, answerer, answering) in
        [(&phone, &fresh, &server, &caller), (&server, &caller, &phone, &called)]
    {
        let (text, there) = answer(answering, offer(offering).as_bytes()).unwrap();
        let here = crate::sdp::agreed(offering, text.as_bytes()).unwrap();
        answerer.change(there).await;
        offerer.change(here).await;
        server.prompt(tone()).await;
        assert!(loud(&frames(&mut at_phone, 70).await) >= 10);
        assert_eq!(next(&mut at_server).await, News::Said);
        phone.press(key('8')).await;
        assert_eq!(next(&mut at_server).await, News::Pressed(key('8'), Way::Event));
    }
    phone.end().await;
    assert_eq!(next(&mut at_server).await, News::Over, "its last report is encrypted too");
}

#[tokio::test]
async fn in_the_open_nothing_counts_where_keys_are_agreed() {
    let ([server, phone], [mut at_server, _at_phone], [caller, called]) =
        pair_under(Encryption::Required).await;
    frames(&mut at_server, 60).await;
    // from the phone's own address: what it knows, its keys apart
    phone.end().await;
    let from = loop {
        // its ports are free when its task is gone
        if let Ok(socket) = UdpSocket::bind(called.address).await {
            break socket;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(next(&mut at_server).await, News::Over);
    for n in 0..50 {
        from.send_to(&press('5', n, 66), caller.address).await.unwrap();
    }
    assert_eq!(next(&mut at_server).await, News::OneWay, "silence, and no key");
    drop(server);
}

#[tokio::test]
async fn once_a_phone_is_known_the_system_refuses_all_others() {
    let ([server, phone], [mut at_server, _at_phone], [caller, _]) = pair().await;
    frames(&mut at_server, 20).await;
    let stranger = UdpSocket::bind((HERE, 0)).await.unwrap();
    stranger.connect(caller.address).await.unwrap();
    stranger.send(&press('5', 1, 66)).await.unwrap();
    let mut answer_to_it = [0; 100];
    let refused = timeout(Duration::from_secs(20), stranger.recv(&mut answer_to_it)).await.unwrap();
    assert_eq!(refused.unwrap_err().kind(), std::io::ErrorKind::ConnectionRefused);
    // both sides agree on another place: it is learnt anew
    phone.end().await;
    assert_eq!(next(&mut at_server).await, News::Over);
    let elsewhere = UdpSocket::bind((HERE, 0)).await.unwrap();
    let told = Local { address: elsewhere.local_addr().unwrap(), ..caller.clone() };
    let (_, agreed) = answer(&caller, offer(&told).as_bytes()).unwrap();
    server.change(agreed).await;
    frames(&mut at_server, 45).await;
    for n in 1..4 {
        elsewhere.send_to(&sound(n, 7), caller.address).await.unwrap();
    }
    elsewhere.send_to(&press('8', 4, 7), caller.address).await.unwrap();
    assert_eq!(next(&mut at_server).await, News::Pressed(key('8'), Way::Event));
}

#[tokio::test]
async fn a_flood_of_strangers_takes_its_turns() {
    // nobody is known yet: a phone that says where it is, and is silent
    let (ours, local) = ports().await;
    let phone = std::net::UdpSocket::bind((HERE, 0)).unwrap();
    let told = Local { address: phone.local_addr().unwrap(), ..local.clone() };
    let (_, agreed) = answer(&local, offer(&told).as_bytes()).unwrap();
    let (line, mut news) = ours.start(&agreed, false, Arc::new(SystemClock::start())).unwrap();
    line.answered().await;
    frames(&mut news, 60).await;
    let stranger = std::net::UdpSocket::bind((HERE, 0)).unwrap();
    // all at once: no other task runs in between
    for n in 0..200 {
        stranger.send_to(&press('5', n * 3, 66), local.address).unwrap();
    }
    phone.send_to(&press('8', 1, 7), local.address).unwrap();
    let mut turns = 0;
    loop {
        match timeout(Duration::from_secs(20), news.recv()).await.unwrap().unwrap() {
            News::ForPanel(_) => turns += 1,
            News::Pressed(digit, _) if digit == key('8') => break,
            other => panic!("{other:?}"),
        }
    }
    // so many in each, and sound goes on between them
    assert!(turns >= 200 / running::MOST_IN_A_FRAME, "{turns}");
}
