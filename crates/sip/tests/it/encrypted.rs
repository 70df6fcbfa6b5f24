//! Encrypted sound with baresip as the phone: a whole call over TLS, every suite, and what wrong keys do.

use crate::peer::*;
use crate::phone::Phone;
use klinke_model::time::SystemClock;
use klinke_sip::agent::{Agent, Dial, Encrypted, Encryption, Leg, Roots, Settings, StartError, State, Way};
use klinke_sip::dtmf;
use klinke_sip::rtp::codec::Codec;
use klinke_sip::rtp::port::{Line, News, Ports, Range, our_keys};
use klinke_sip::sdp::crypto::Suite;
use klinke_sip::sdp::{self, Agreed, Crypto, Local};
use klinke_sip::why::Why;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use tokio::io::AsyncWriteExt;
use tokio::sync::mpsc::Receiver;
use tokio::time::timeout;

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// Below the ports that a system gives out by itself, and not those of other tests.
const RANGE: Range = Range { first: 21_600, last: 21_799 };

/// A trunk over TLS to this phone.
fn trunk_to(phone: &Phone, encryption: Encryption) -> Settings {
    let way = Way::Tls(Roots::Only(vec![phone.certificate.clone()]));
    Settings { way, encryption, ..trunk(phone.port + 1) }
}

/// A call with sound of our own: its ports, and what is offered.
struct Call {
    ports: Ports,
    local: Local,
    leg: Leg,
}

async fn call(agent: &Agent, encryption: Encryption, suites: &'static [&'static str]) -> Call {
    let ports = Ports::take(HERE, RANGE).await.unwrap();
    let address = SocketAddr::new(HERE, ports.port().unwrap());
    let crypto = our_keys(encryption).unwrap();
    let local = Local { address, session: 1, version: 1, codecs: vec![Codec::Pcmu], crypto };
    let ours = local.clone();
    let encrypted = Encrypted {
        offer: Arc::new(move |asked| {
            assert_eq!(asked, encryption);
            let text = sdp::offer(&ours);
            let kept = text.lines().filter(|line| {
                !line.starts_with("a=crypto:")
                    || suites.is_empty()
                    || suites.iter().any(|one| line.contains(one))
            });
            kept.map(|line| format!("{line}\r\n")).collect()
        }),
        reoffer: Arc::new(|_, _| None),
    };
    let plain = Local { crypto: None, ..local.clone() };
    let leg = agent.call(Dial { offer: sdp::offer(&plain), encrypted: Some(encrypted), ..dial() });
    Call { ports, local, leg }
}

fn start(ports: Ports, agreed: &Agreed) -> (Line, Receiver<News>) {
    ports.start(agreed, false, Arc::new(SystemClock::start())).unwrap()
}

fn tone() -> Vec<i16> {
    (0..12_000).map(|n| ((n as f32 * 0.35).sin() * 9_000.0) as i16).collect()
}

/// Says a tone, which baresip sends back; how many frames were loud until it was said and half a second more.
async fn echo(line: &Line, news: &mut Receiver<News>) -> usize {
    line.prompt(tone()).await;
    let mut decoder = opus::Decoder::new(8_000, opus::Channels::Mono).unwrap();
    let (mut loud, mut left) = (0, None);
    while left != Some(0) {
        match timeout(BOUND, news.recv()).await.unwrap().unwrap() {
            News::ForPanel(packet) => {
                let mut heard = vec![0; 960];
                let count = decoder.decode(&packet.payload, &mut heard, false).unwrap();
                loud += usize::from(heard[..count].iter().any(|sample| sample.abs() > 3_000));
                left = left.map(|left: u32| left - 1);
            }
            News::Said => left = Some(25),
            _ => {}
        }
    }
    loud
}

/// The next news that is not sound.
async fn next(news: &mut Receiver<News>) -> News {
    let wanted = async {
        loop {
            match news.recv().await.expect("the line goes on") {
                News::ForPanel(_) => {}
                other => return other,
            }
        }
    };
    timeout(BOUND, wanted).await.expect("nothing came")
}

async fn ready_over_tls(phone: &Phone, encryption: Encryption) -> Agent {
    let agent = Agent::start(vec![trunk_to(phone, encryption)]).unwrap();
    until(&agent, |state| *state == State::Ready).await;
    agent
}

#[tokio::test]
async fn a_call_under_keys_has_sound_both_ways_and_a_key_that_counts() {
    let console = free_port();
    let more = format!("module srtp.so\nmodule cons.so\ncons_listen 127.0.0.1:{console}\n");
    let phone = Phone::start_with(&more, ";mediaenc=srtp-mand").await;
    let agent = ready_over_tls(&phone, Encryption::Required).await;
    let Call { ports, local, mut leg } = call(&agent, Encryption::Required, &[]).await;
    let sdp = answered(&mut leg).await;
    assert_eq!(leg.encryption(), Encryption::Required);
    let agreed = sdp::agreed(&local, sdp.as_bytes()).unwrap();
    assert!(agreed.keys.is_some() && sdp.contains("RTP/SAVP"), "{sdp}");
    let (line, mut news) = start(ports, &agreed);
    line.answered().await;
    assert!(echo(&line, &mut news).await >= 20);
    // the phone presses a key: a second after the answer it counts
    let mut keys = tokio::net::TcpStream::connect((HERE, console)).await.unwrap();
    keys.write_all(b"5").await.unwrap();
    let five = dtmf::Digit::from_char('5').unwrap();
    assert_eq!(next(&mut news).await, News::Pressed(five, dtmf::Way::Event));
    leg.hang_up();
    assert_eq!(end(&mut leg).await, Why::WeHungUp);
    nothing_left(&agent).await;
}

#[tokio::test]
async fn each_suite_is_understood_by_a_phone_that_others_wrote() {
    let phone = Phone::start_with("module srtp.so\n", ";mediaenc=srtp").await;
    let agent = ready_over_tls(&phone, Encryption::Offered).await;
    let names: [(&'static [&'static str], Suite); 4] = [
        (&["AEAD_AES_256_GCM"], Suite::Gcm256),
        (&["AEAD_AES_128_GCM"], Suite::Gcm128),
        (&["AES_CM_128_HMAC_SHA1_80"], Suite::Sha1_80),
        (&["AES_CM_128_HMAC_SHA1_32"], Suite::Sha1_32),
    ];
    for (name, suite) in names {
        let Call { ports, local, mut leg } = call(&agent, Encryption::Offered, name).await;
        let sdp = answered(&mut leg).await;
        let agreed = sdp::agreed(&local, sdp.as_bytes()).unwrap();
        assert_eq!(agreed.keys.as_ref().map(|keys| keys.theirs.suite), Some(suite), "{sdp}");
        let (line, mut news) = start(ports, &agreed);
        line.answered().await;
        assert!(echo(&line, &mut news).await >= 20, "{suite:?}");
        leg.hang_up();
        assert_eq!(end(&mut leg).await, Why::WeHungUp);
        nothing_left(&agent).await;
    }
}

/// The same keys but for one byte.
fn other(crypto: &Crypto) -> Crypto {
    let (key, salt) = crypto.key_and_salt();
    let mut secret = [key, salt].concat();
    secret[0] ^= 1;
    Crypto::new(crypto.tag, crypto.suite, &secret).unwrap()
}

#[tokio::test]
async fn with_a_wrong_key_nothing_is_heard_and_that_is_told() {
    let phone = Phone::start_with("module srtp.so\n", ";mediaenc=srtp-mand").await;
    let agent = ready_over_tls(&phone, Encryption::Required).await;
    for is_ours in [true, false] {
        let Call { ports, local, mut leg } = call(&agent, Encryption::Required, &[]).await;
        let sdp = answered(&mut leg).await;
        let mut agreed = sdp::agreed(&local, sdp.as_bytes()).unwrap();
        let keys = agreed.keys.as_mut().unwrap();
        match is_ours {
            true => keys.ours = other(&keys.ours),
            false => keys.theirs = other(&keys.theirs),
        }
        let (line, mut news) = start(ports, &agreed);
        line.answered().await;
        assert_eq!(echo(&line, &mut news).await, 0);
        if !is_ours {
            assert_eq!(next(&mut news).await, News::OneWay);
        }
        leg.hang_up();
        assert_eq!(end(&mut leg).await, Why::WeHungUp);
        nothing_left(&agent).await;
    }
}

#[tokio::test]
async fn a_phone_without_keys_is_spoken_to_in_the_open_only_where_that_is_allowed() {
    let phone = Phone::start_with("", "").await;
    let agent = ready_over_tls(&phone, Encryption::Offered).await;
    let Call { ports, local, mut leg } = call(&agent, Encryption::Offered, &[]).await;
    let sdp = answered(&mut leg).await;
    let agreed = sdp::agreed(&local, sdp.as_bytes()).unwrap();
    assert_eq!(agreed.keys, None);
    let (line, mut news) = start(ports, &agreed);
    line.answered().await;
    assert!(echo(&line, &mut news).await >= 20);
    leg.hang_up();
    assert_eq!(end(&mut leg).await, Why::WeHungUp);
    nothing_left(&agent).await;
    agent.stop().await;

    let agent = ready_over_tls(&phone, Encryption::Required).await;
    let mut asked = call(&agent, Encryption::Required, &[]).await;
    assert_eq!(end(&mut asked.leg).await, Why::NoCommonMedia);
    // a call that has nothing to say under keys does not go there at all
    let mut leg = agent.call(dial());
    assert_eq!(end(&mut leg).await, Why::Unreachable);
    nothing_left(&agent).await;
}

#[tokio::test]
async fn keys_do_not_travel_in_the_open() {
    for way in [Way::Udp, Way::Tcp] {
        let settings = Settings { way, encryption: Encryption::Required, ..trunk(5060) };
        assert!(matches!(Agent::start(vec![settings]), Err(StartError::KeysInTheOpen)));
    }
    // only offered, they are not offered
    let sipp = Sipp::play("answer", 2);
    let agent = Agent::start(vec![Settings { encryption: Encryption::Offered, ..trunk(sipp.port) }]).unwrap();
    until(&agent, |state| *state == State::Ready).await;
    let mut asked = call(&agent, Encryption::Offered, &[]).await;
    answered(&mut asked.leg).await;
    assert_eq!(asked.leg.encryption(), Encryption::Off);
    asked.leg.hang_up();
    assert_eq!(end(&mut asked.leg).await, Why::WeHungUp);
    let folder = sipp.verdict().await;
    let messages = std::fs::read_to_string(folder.path().join("messages")).unwrap();
    assert!(messages.contains("m=audio") && !messages.contains("crypto"), "{messages}");
}
