//! A leg's sound against whatever comes to its ports, in virtual time.

use super::fuzz;
use super::mutate::size;
use crate::dtmf::Digit;
use crate::rtp::codec::Codec;
use crate::rtp::jitter::MOST_HELD;
use crate::rtp::srtp::{Incoming, Outgoing};
use crate::rtp::{Output, Session, Start};
use crate::sdp::crypto::Suite;
use crate::sdp::{self, Agreed, Crypto, Local};
use klinke_model::time::Mono;
use std::collections::HashSet;
use std::time::Duration;

fn agreed(codec: Codec) -> Agreed {
    let address = "192.0.2.1:4000".parse().unwrap();
    let local = Local { address, session: 1, version: 1, codecs: vec![codec], crypto: None };
    sdp::answer(&local, sdp::offer(&local).as_bytes()).unwrap().1
}

fn session(codec: Codec) -> Session {
    let agreed = agreed(codec);
    let start = Start { agreed: &agreed, ssrc: 1, sequence: 0, timestamp: 0, cname: "x".into(), tones: true };
    let mut session = Session::new(start, Mono::default()).unwrap();
    session.answered(Mono::default());
    session
}

/// Takes the datagrams out of an input: each has its length (two bytes) and how long it comes after the one before (one
/// byte, milliseconds) before it.
fn datagrams(mut input: &[u8]) -> Vec<(Duration, &[u8])> {
    let mut all = Vec::new();
    while let Some((&[l1, l2, wait], rest)) = input.split_first_chunk::<3>() {
        let length = usize::from(u16::from_be_bytes([l1, l2])).min(rest.len());
        let (datagram, after) = rest.split_at(length);
        all.push((Duration::from_millis(wait.into()), datagram));
        input = after;
    }
    all
}

/// Sixteen keys and no more are told in a tick, and all frames are of 20 ms.
fn take(session: &mut Session, frame: usize) -> u64 {
    let mut kinds = 0;
    let mut count = 0;
    while let Some(output) = session.poll() {
        count += 1;
        kinds |= match output {
            Output::Rtp(datagram) => {
                assert!(crate::rtp::packet::Packet::parse(&datagram).is_ok());
                1
            }
            Output::Rtcp(datagram) => {
                assert!(crate::rtp::rtcp::parse(&datagram).is_ok());
                2
            }
            Output::Heard(samples) => {
                assert_eq!(samples.len(), frame);
                4
            }
            Output::Pressed(..) => 8,
            Output::OneWay => 16,
            Output::BothWays => 32,
            Output::Over => 64,
            Output::Keyed => 128,
        };
    }
    assert!(count <= 64, "{count} wait");
    kinds
}

fn live(codec: Codec, other: Codec, input: &[u8]) -> u64 {
    let mut session = session(codec);
    let (mut now, mut kinds) = (Mono::default(), 0);
    let mut due = now + crate::rtp::FRAME;
    let all = datagrams(input);
    for (at, (wait, datagram)) in all.iter().enumerate() {
        now = now + *wait;
        while due <= now {
            let frame = session.codec().sample_rate() as usize / 50;
            session.say(&vec![1_000; frame], due);
            session.tick(due);
            kinds |= take(&mut session, frame);
            due = due + crate::rtp::FRAME;
        }
        match datagram.first() {
            // what looks like RTCP is that
            _ if crate::rtp::packet::is_rtcp(datagram) => session.rtcp(datagram, now),
            // in the middle the codec changes, and changes back
            _ if at == 5 || at == 9 => {
                let next = if at == 5 { other } else { codec };
                session.change(&agreed(next), now).unwrap();
                session.rtp(datagram, now);
            }
            Some(255) => {
                session.press(Digit::from_event(5).unwrap());
            }
            _ => session.rtp(datagram, now),
        }
        let frame = session.codec().sample_rate() as usize / 50;
        kinds |= take(&mut session, frame);
        let figures = session.figures();
        assert!(figures.played + figures.late + figures.duplicate <= all.len() as u64);
    }
    kinds * 64 + size(session.figures().late as usize) * 8 + size(session.figures().made_up as usize)
}

#[test]
fn packets_of_sound_and_keys() {
    // the corpus is of A-law; its bytes are as good for the others
    fuzz("rtp", 600, |input| live(Codec::Pcma, Codec::Opus, input));
}

#[test]
fn packets_of_wide_sound() {
    fuzz("rtp", 200, |input| live(Codec::Opus, Codec::G722, input) + live(Codec::G722, Codec::Pcmu, input));
}

#[test]
fn reports_in_a_call() {
    fuzz("rtcp", 600, |input| {
        let mut session = session(Codec::Pcmu);
        let now = Mono::from_millis(20);
        let packet = [&[0x80, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0x12, 0x34][..], &[0x7f; 160]].concat();
        session.rtp(&packet, now);
        session.rtcp(input, now);
        session.tick(Mono::from_millis(6_000));
        take(&mut session, 160)
    });
}

/// What was not encrypted with the key is not taken, whatever was changed in it or in what order it comes.
#[test]
fn encrypted_packets() {
    for suite in Suite::ALL {
        let crypto = Crypto::new(1, suite, &vec![9; suite.key_length() + suite.salt_length()]).unwrap();
        fuzz("rtp", 300, |input| {
            let (mut out, mut back) = (Outgoing::new(&crypto).unwrap(), Incoming::new(&crypto).unwrap());
            let (mut sealed, mut taken) = (HashSet::new(), 0);
            for (wait, datagram) in datagrams(input) {
                // every second millisecond one is as it came; the others are sealed first, and some are then damaged
                let mut bytes = datagram.to_vec();
                if wait.as_millis().is_multiple_of(2)
                    && let Some(sent) = out.rtp(datagram)
                {
                    sealed.insert(sent.clone());
                    bytes = sent;
                    if wait.as_millis() % 8 == 2
                        && let Some(byte) = bytes.last_mut()
                    {
                        *byte ^= 1;
                    }
                }
                for _ in 0..2 {
                    let came = back.rtp(&bytes);
                    assert!(came.is_none() || sealed.remove(&bytes), "taken twice, or never sealed");
                    taken += u64::from(came.is_some());
                    assert!(came.is_none_or(|came| came.len() < bytes.len()));
                    assert!(back.rtcp(&bytes).is_none());
                }
            }
            taken
        });
    }
}

/// However much comes at once, no more is held than there is room for.
#[test]
fn a_flood_is_not_held() {
    let mut session = session(Codec::Pcmu);
    for n in 0..20_000_u32 {
        let [s1, s2] = (n as u16).to_be_bytes();
        let [t1, t2, t3, t4] = (n * 160).to_be_bytes();
        let packet = [&[0x80, 0, s1, s2, t1, t2, t3, t4, 0, 0, 0x12, 0x34][..], &[0x7f; 160]].concat();
        session.rtp(&packet, Mono::from_millis(1));
    }
    // what is left plays for no longer than what may be held
    let mut frames = 0;
    for tick in 1..=2 * MOST_HELD as u64 {
        session.tick(Mono::from_millis(20 * tick));
        while let Some(output) = session.poll() {
            frames +=
                u64::from(matches!(output, Output::Heard(samples) if samples.iter().any(|one| *one != 0)));
        }
    }
    assert!(frames <= MOST_HELD as u64 + 10, "{frames}");
}
