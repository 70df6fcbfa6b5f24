use super::panel::COMMON;
use super::*;
use crate::rtp::codec::Codec;
use crate::sdp::{Local, answer, offer};
use klinke_model::time::{Mono, SystemClock};
use std::net::Ipv4Addr;
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
    let clock = Arc::new(SystemClock::start());
    let ((ours, caller), (theirs, called)) = (ports().await, ports().await);
    let (text, agreed_there) = answer(&called, offer(&caller).as_bytes()).unwrap();
    let agreed_here = crate::sdp::agreed(&caller, text.as_bytes()).unwrap();
    let (server, at_server) = ours.start(&agreed_here, false, clock.clone()).unwrap();
    let (phone, at_phone) = theirs.start(&agreed_there, false, clock).unwrap();
    server.answered().await;
    phone.answered().await;
    ([server, phone], [at_server, at_phone], [caller, called])
}

#[tokio::test]
async fn a_prompt_is_heard_over_the_network_and_a_key_counts_once() {
    let ([server, phone], [mut at_server, mut at_phone], _) = pair().await;
    let samples = (0..8_000).map(|n| ((n as f32 * 0.35).sin() * 9_000.0) as i16).collect();
    server.prompt(samples).await;
    let mut decoder = opus::Decoder::new(8_000, opus::Channels::Mono).unwrap();
    let mut loud = 0;
    for payload in frames(&mut at_phone, 60).await {
        let mut heard = vec![0; 960];
        let count = decoder.decode(&payload, &mut heard, false).unwrap();
        loud += usize::from(heard[..count].iter().any(|sample| sample.abs() > 5_000));
    }
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
