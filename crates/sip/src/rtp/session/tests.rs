//! Sessions against each other and against the recordings of SIPp, in virtual time. The table of T15 is in [`doors`].

mod doors;

use super::*;
use crate::sdp::{Local, answer, offer};
use proptest::prelude::*;

fn at(millis: u64) -> Mono {
    Mono::from_millis(millis)
}

fn agreed(codec: Codec) -> Agreed {
    let address = "192.0.2.1:4000".parse().unwrap();
    let local = Local { address, session: 1, version: 1, codecs: vec![codec], crypto: None };
    answer(&local, offer(&local).as_bytes()).unwrap().1
}

fn session(agreed: &Agreed, ssrc: u32, tones: bool) -> Session {
    let start =
        Start { agreed, ssrc, sequence: u16::MAX, timestamp: u32::MAX - 500, cname: "c".to_owned(), tones };
    Session::new(start, at(0)).unwrap()
}

fn answered(codec: Codec, ssrc: u32) -> Session {
    let mut session = session(&agreed(codec), ssrc, false);
    session.answered(at(0));
    session
}

/// One tick of `one`, whose packets go to `other`; what it tells beside them.
fn tick(one: &mut Session, other: &mut Session, now: Mono) -> Vec<Output> {
    one.tick(now);
    let mut told = Vec::new();
    while let Some(output) = one.poll() {
        match output {
            Output::Rtp(datagram) => other.rtp(&datagram, now),
            Output::Rtcp(datagram) => other.rtcp(&datagram, now),
            told_so => told.push(told_so),
        }
    }
    told
}

fn tone(codec: Codec, hz: f32, frame: u64) -> Vec<i16> {
    let rate = codec.sample_rate();
    let count = u64::from(rate / 50);
    let wave = |n: u64| (n as f32 * hz / rate as f32 * std::f32::consts::TAU).sin() * 8_000.0;
    (frame * count..(frame + 1) * count).map(|n| wave(n) as i16).collect()
}

fn loudness(samples: &[i16]) -> f32 {
    (samples.iter().map(|&s| f32::from(s).powi(2)).sum::<f32>() / samples.len().max(1) as f32).sqrt()
}

fn heard(told: &[Output]) -> Vec<i16> {
    let frames =
        told.iter().filter_map(|one| if let Output::Heard(frame) = one { Some(frame.clone()) } else { None });
    frames.flatten().collect()
}

fn keys(told: &[Output]) -> String {
    told.iter()
        .filter_map(|one| if let Output::Pressed(digit, _) = one { Some(digit.as_char()) } else { None })
        .collect()
}

#[test]
fn each_codec_carries_sound_both_ways_and_keys_as_events() {
    for codec in [Codec::Pcmu, Codec::Pcma, Codec::G722, Codec::Opus] {
        let (mut server, mut phone) = (answered(codec, 1), answered(codec, 2));
        let (mut here, mut there) = (Vec::new(), Vec::new());
        for n in 0..300_u64 {
            let now = at(n * 20);
            server.say(&tone(codec, 500.0, n), now);
            phone.say(&tone(codec, 400.0, n), now);
            if n == 100 {
                assert!("58".chars().all(|key| phone.press(Digit::from_char(key).unwrap())));
            }
            there.extend(tick(&mut server, &mut phone, now));
            here.extend(tick(&mut phone, &mut server, now));
        }
        // each tells what it heard with its own tick
        let (at_phone, at_server) = (heard(&here), heard(&there));
        let frame = codec.sample_rate() as usize / 50;
        assert_eq!((at_phone.len(), at_server.len()), (300 * frame, 300 * frame));
        for sound in [&at_phone, &at_server] {
            let level = loudness(&sound[20 * frame..90 * frame]);
            assert!((4_500.0..6_500.0).contains(&level), "{codec:?}: {level}");
        }
        assert_eq!((keys(&there).as_str(), keys(&here).as_str()), ("58", ""), "{codec:?}");
        let sent = |told: &[Output]| told.iter().filter(|one| **one == Output::Keyed).count();
        assert_eq!((sent(&there), sent(&here)), (0, 1), "whoever pressed is told once, behind the last key");
        assert!(server.figures().late == 0 && phone.figures().late == 0 && phone.figures().made_up <= 3);
    }
}

#[test]
fn nothing_is_heard_before_the_answer() {
    let codec = Codec::Pcma;
    let mut phone = answered(codec, 2);
    let mut server = session(&agreed(codec), 1, true);
    let mut told = Vec::new();
    for n in 0..100 {
        phone.say(&tone(codec, 400.0, n), at(n * 20));
        tick(&mut phone, &mut server, at(n * 20));
        told.extend(tick(&mut server, &mut phone, at(n * 20)));
    }
    assert_eq!(told, []);
}

#[test]
fn a_phone_that_can_not_be_heard_is_told_once_and_when_it_is() {
    let codec = Codec::Pcmu;
    let (mut server, mut phone) = (answered(codec, 1), answered(codec, 2));
    let mut told = Vec::new();
    for n in 0..700 {
        let now = at(n * 20);
        server.say(&tone(codec, 500.0, n), now);
        if !(100..600).contains(&n) {
            phone.say(&tone(codec, 400.0, n), now);
        }
        tick(&mut phone, &mut server, now);
        told.extend(tick(&mut server, &mut phone, now).into_iter().map(|output| (n, output)));
    }
    told.retain(|(_, output)| !matches!(output, Output::Heard(_)));
    let silent_since = 99 + 250;
    assert_eq!(told, [(silent_since, Output::OneWay), (600, Output::BothWays)]);
}

#[test]
fn on_hold_nothing_is_said_and_nothing_is_missed() {
    let codec = Codec::Pcmu;
    let (mut server, mut phone) = (answered(codec, 1), answered(codec, 2));
    let held = Agreed { direction: Direction::Neither, ..agreed(codec) };
    server.change(&held, at(0)).unwrap();
    let mut told = Vec::new();
    for n in 0..400 {
        server.say(&tone(codec, 500.0, n), at(n * 20));
        server.tick(at(n * 20));
        told.extend(std::iter::from_fn(|| server.poll()));
    }
    assert!(told.iter().all(|output| matches!(output, Output::Heard(_) | Output::Rtcp(_))), "{told:?}");
    server.change(&agreed(codec), at(8_000)).unwrap();
    server.say(&tone(codec, 500.0, 0), at(8_000));
    let Some(Output::Rtp(datagram)) = server.poll() else { panic!("nothing is said") };
    assert!(Packet::parse(&datagram).unwrap().marker, "a new beginning");
    phone.rtp(&datagram, at(8_000));
}

#[test]
fn another_codec_in_the_call_goes_on() {
    let (mut server, mut phone) = (answered(Codec::Pcmu, 1), answered(Codec::Pcmu, 2));
    let mut told = Vec::new();
    for n in 0..200 {
        let now = at(n * 20);
        if n == 100 {
            for side in [&mut server, &mut phone] {
                side.change(&agreed(Codec::G722), now).unwrap();
            }
        }
        let codec = phone.codec();
        phone.say(&tone(codec, 400.0, n), now);
        tick(&mut phone, &mut server, now);
        told.push(heard(&tick(&mut server, &mut phone, now)));
    }
    assert_eq!((told[99].len(), told[100].len()), (160, 320));
    let loud = told.iter().skip(110).filter(|frame| loudness(frame) > 4_500.0).count();
    assert_eq!(loud, 90);
    // what is still on its way in the codec from before is not decoded as the new one
    let packet = Packet {
        payload_type: 0,
        marker: false,
        sequence: 1,
        timestamp: 1,
        ssrc: 2,
        csrc: &[],
        extension: None,
        payload: &[0; 160],
    };
    let before = server.figures();
    server.rtp(&packet.write(), at(4_000));
    assert_eq!(server.figures(), before);
}

#[test]
fn reports_go_both_ways_and_the_last_one_ends_it() {
    let codec = Codec::Pcma;
    let (mut server, mut phone) = (answered(codec, 1), answered(codec, 2));
    let mut reports = Vec::new();
    for n in 0..600 {
        let now = at(n * 20);
        phone.say(&tone(codec, 400.0, n), now);
        server.say(&tone(codec, 400.0, n), now);
        phone.tick(now);
        while let Some(output) = phone.poll() {
            match output {
                // every tenth is lost
                Output::Rtp(datagram) if n % 10 != 0 => server.rtp(&datagram, now),
                Output::Rtcp(datagram) => server.rtcp(&datagram, now),
                _ => {}
            }
        }
        server.tick(now);
        while let Some(output) = server.poll() {
            if let Output::Rtcp(datagram) = output {
                reports.extend(rtcp::parse(&datagram).unwrap());
            }
        }
    }
    let senders: Vec<(&Sent, &rtcp::Block)> = reports
        .iter()
        .filter_map(|one| {
            if let Report::Sender { sent, blocks, .. } = one { Some((sent, &blocks[0])) } else { None }
        })
        .collect();
    assert_eq!(senders.len(), 2);
    let (sent, block) = senders[1];
    assert_eq!((sent.packets, sent.bytes), (501, 501 * 160));
    assert!((20..=30).contains(&block.fraction_lost), "{block:?}");
    assert!(block.last_report != 0 && (48..=52).contains(&block.lost), "{block:?}");
    phone.end(at(12_000));
    let Some(Output::Rtcp(bye)) = phone.poll() else { panic!("no last report") };
    server.rtcp(&bye, at(12_000));
    assert_eq!(server.poll(), Some(Output::Over));
}

#[test]
fn who_does_not_ask_loses_sound_and_no_key() {
    let codec = Codec::Pcma;
    let mut server = answered(codec, 1);
    server.info("application/dtmf", b"5", at(2_000));
    for n in 0..1_000 {
        server.tick(at(2_000 + n * 20));
    }
    let told: Vec<Output> = std::iter::from_fn(|| server.poll()).collect();
    assert_eq!((told.len(), keys(&told).as_str()), (MOST_WAITING, "5"));
}

#[test]
fn nothing_that_is_printed_tells_keys_or_sound() {
    let five = Digit::from_char('5').unwrap();
    let told = [Output::Pressed(five, Way::Info), Output::Heard(vec![5; 3]), Output::Rtp(vec![5])];
    assert_eq!(format!("{told:?}"), "[Pressed, Heard, Rtp]");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_datagrams_leave_a_session_as_it_should_be(
        datagrams in prop::collection::vec((any::<bool>(), prop::collection::vec(any::<u8>(), 0..200)), 0..60), wide: bool,
    ) {
        let mut session = answered(if wide { Codec::Opus } else { Codec::Pcma }, 1);
        let mut now = 0;
        for (is_rtcp, mut bytes) in datagrams {
            now += 20;
            if let Some(first) = bytes.first_mut() {
                *first = *first & 0x3f | 0x80;
            }
            if is_rtcp { session.rtcp(&bytes, at(now)) } else { session.rtp(&bytes, at(now)) }
            session.tick(at(now));
            let frames = std::iter::from_fn(|| session.poll()).filter(|one| matches!(one, Output::Heard(_))).count();
            prop_assert_eq!(frames, 1);
        }
    }
}
