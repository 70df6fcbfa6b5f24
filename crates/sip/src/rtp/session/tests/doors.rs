//! The table of T15: whose tones open a door, each with its count. Whatever counts here is a press that the server may
//! open for, once in a call.

use super::*;
use crate::dtmf::event::Payload;

const CODEC: Codec = Codec::Pcmu;
/// The events of [`agreed`].
const EVENTS: u8 = 101;

/// A phone leg after its answer, where keys may come as tones if `tones`.
fn leg(tones: bool) -> Session {
    let mut leg = session(&agreed(CODEC), 1, tones);
    leg.answered(at(0));
    leg
}

/// What counted.
fn counted(leg: &mut Session) -> String {
    keys(&std::iter::from_fn(|| leg.poll()).collect::<Vec<_>>())
}

fn sound(samples: &[i16], n: u64, ssrc: u32) -> Vec<u8> {
    let payload = Encoder::new(CODEC, 8_000).unwrap().encode(samples);
    let (sequence, timestamp) = (n as u16, n as u32 * 160);
    Packet {
        payload_type: 0,
        marker: n == 0,
        sequence,
        timestamp,
        ssrc,
        csrc: &[],
        extension: None,
        payload: &payload,
    }
    .write()
}

fn event(key: char, duration: u16, end: bool, timestamp: u32, ssrc: u32) -> Vec<u8> {
    let event = Digit::from_char(key).unwrap().event();
    let payload = Payload { event, end, volume: 10, duration }.write();
    Packet {
        payload_type: EVENTS,
        marker: false,
        sequence: 1,
        timestamp,
        ssrc,
        csrc: &[],
        extension: None,
        payload: &payload,
    }
    .write()
}

/// Plays this sound from the phone's side, and this from the visitor's, frame by frame from 2 s after the answer.
fn play(leg: &mut Session, phone: &[i16], visitor: &[i16]) -> String {
    let mut keys = String::new();
    let frames = phone.len().max(visitor.len()).div_ceil(160) + 20;
    let frame = |samples: &[i16], n: usize| -> Vec<i16> {
        let mut frame: Vec<i16> = samples.iter().skip(n * 160).take(160).copied().collect();
        frame.resize(160, 0);
        frame
    };
    for n in 0..frames {
        let now = at(2_000 + n as u64 * 20);
        leg.say(&frame(visitor, n), now);
        leg.rtp(&sound(&frame(phone, n), n as u64, 9), now);
        leg.tick(now);
        keys.push_str(&counted(leg));
    }
    keys
}

fn key_tone(key: char, level: f32, millis: usize) -> Vec<i16> {
    tones::tone(Digit::from_char(key).unwrap(), 8_000, level, 0, millis * 8)
}

#[test]
fn the_visitors_tones_come_back_as_an_echo_and_open_nothing() {
    for key in ['5', '8'] {
        for (echo, delay) in [(0.5, 0), (0.5, 40), (0.5, 300), (0.1, 120), (1.0, 700)] {
            let played = key_tone(key, 8_000.0, 200);
            let mut back = vec![0; delay * 8];
            back.extend(played.iter().map(|&sample| (f32::from(sample) * echo) as i16));
            assert_eq!(play(&mut leg(true), &back, &played), "", "{key} at {echo} after {delay} ms");
        }
    }
}

#[test]
fn the_visitors_tones_are_not_said_to_the_phone() {
    let mut leg = leg(false);
    let played = key_tone('5', 8_000.0, 400);
    let mut said = Vec::new();
    let mut decoder = crate::rtp::codec::Decoder::new(CODEC, 8_000).unwrap();
    for (n, frame) in (0..).zip(played.chunks(160)) {
        leg.say(frame, at(2_000 + n * 20));
        while let Some(output) = leg.poll() {
            if let Output::Rtp(datagram) = output {
                said.extend(decoder.decode(Packet::parse(&datagram).unwrap().payload));
            }
        }
    }
    assert_eq!(said.len(), played.len(), "the stream goes on");
    assert!(loudness(&said) < 50.0, "{}", loudness(&said));
}

#[test]
fn tones_of_the_phone_count_only_where_the_trunk_sends_keys_in_no_other_way() {
    for key in ['5', '8'] {
        let pressed = key_tone(key, 6_000.0, 120);
        assert_eq!(play(&mut leg(true), &pressed, &[]), key.to_string());
        assert_eq!(play(&mut leg(false), &pressed, &[]), "");
    }
}

/// Voices, beeps and dialling of machines that pick up, in twenty kinds.
#[test]
fn voicemail_opens_nothing() {
    for kind in 0..20_usize {
        let beep = [425.0, 440.0, 480.0, 620.0, 700.0, 770.0, 852.0, 941.0, 1_000.0, 1_209.0][kind % 10];
        let pitch = 90.0 + kind as f32 * 13.0;
        let greeting: Vec<i16> = (0..5 * 8_000)
            .map(|n| {
                let t = n as f32 / 8_000.0;
                let pitch = pitch * (1.0 + 0.1 * (t * 4.0).sin());
                let syllable = (t * 14.0).sin().max(0.0);
                let voice: f32 = (1..12_u8)
                    .map(|o| (t * pitch * f32::from(o) * std::f32::consts::TAU).sin() / f32::from(o))
                    .sum();
                let beeping =
                    if n > 32_000 { (t * beep * std::f32::consts::TAU).sin() * 9_000.0 } else { 0.0 };
                (voice * syllable * 5_000.0 * f32::from(n <= 32_000) + beeping) as i16
            })
            .collect();
        assert_eq!(play(&mut leg(true), &greeting, &[]), "", "greeting {kind}");
    }
}

#[test]
fn an_event_from_the_phone_counts_once() {
    for key in ['5', '8'] {
        let mut leg = leg(false);
        leg.rtp(&sound(&[0; 160], 0, 9), at(1_900));
        let mut sent: Vec<Vec<u8>> = (1..6).map(|n| event(key, n * 160, false, 7_000, 9)).collect();
        sent.extend((0..3).map(|_| event(key, 960, true, 7_000, 9)));
        for (n, datagram) in (0..).zip(&sent) {
            leg.rtp(datagram, at(2_000 + n * 20));
        }
        // and the same press once more as INFO
        leg.info("application/dtmf-relay", format!("Signal={key}\r\n").as_bytes(), at(2_100));
        assert_eq!(counted(&mut leg), key.to_string());
    }
}

#[test]
fn before_the_answer_and_right_after_it_nothing_counts() {
    let mut leg = session(&agreed(CODEC), 1, true);
    leg.rtp(&event('5', 960, true, 1_000, 9), at(0));
    leg.info("application/dtmf", b"5", at(10));
    leg.answered(at(100));
    leg.rtp(&event('8', 960, true, 2_000, 9), at(1_000));
    leg.info("application/dtmf", b"8", at(1_099));
    assert_eq!(counted(&mut leg), "");
    // what came too early does not count later either, however often it is sent
    leg.rtp(&event('8', 960, true, 2_000, 9), at(1_200));
    assert_eq!(counted(&mut leg), "");
    leg.rtp(&event('8', 960, true, 3_000, 9), at(1_300));
    assert_eq!(counted(&mut leg), "8");
}

#[test]
fn an_event_of_another_stream_counts_nothing() {
    let mut leg = leg(false);
    for n in 0..10 {
        leg.rtp(&sound(&[0; 160], n, 9), at(2_000 + n * 20));
    }
    for duration in [320, 640, 960] {
        leg.rtp(&event('5', duration, true, 1_000, 66), at(2_300));
    }
    assert_eq!(counted(&mut leg), "");
    leg.rtp(&event('5', 960, true, 1_000, 9), at(2_400));
    assert_eq!(counted(&mut leg), "5");
}

#[test]
fn an_event_under_another_payload_type_is_sound_or_nothing() {
    let mut leg = leg(false);
    let mut datagram = event('5', 960, true, 1_000, 9);
    datagram[1] = 96;
    leg.rtp(&datagram, at(2_000));
    assert_eq!(counted(&mut leg), "");
}

/// The packets of a recording: pcap, Ethernet, IPv4, UDP. When each came, milliseconds, and its payload.
fn recording(file: &str) -> Vec<(u64, Vec<u8>)> {
    let path = format!("/usr/share/sip-tester/{file}");
    let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{path} (Debian's sip-tester): {error}"));
    let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
    assert_eq!(word(0), 0xa1b2_c3d4, "a pcap of this byte order");
    let link = word(20);
    let (mut at, mut packets) = (24, Vec::new());
    while at + 16 <= bytes.len() {
        let when = u64::from(word(at)) * 1_000 + u64::from(word(at + 4)) / 1_000;
        let length = word(at + 8) as usize;
        let packet = &bytes[at + 16..at + 16 + length];
        // Ethernet, or Linux "cooked"
        let ip = &packet[if link == 1 { 14 } else { 16 }..];
        let header = usize::from(ip[0] & 0x0f) * 4;
        let udp_length = usize::from(u16::from_be_bytes([ip[header + 4], ip[header + 5]]));
        packets.push((when, ip[header + 8..header + udp_length].to_vec()));
        at += 16 + length;
    }
    packets
}

#[test]
fn the_keys_that_sipp_plays_are_heard_once_each() {
    for key in ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'] {
        let packets = recording(&format!("dtmf_2833_{key}.pcap"));
        let first = Packet::parse(&packets[0].1).unwrap();
        let mut agreed = agreed(CODEC);
        agreed.events =
            agreed.events.map(|events| crate::sdp::Events { receive: first.payload_type, ..events });
        let mut leg = session(&agreed, 1, false);
        leg.answered(at(0));
        for (when, datagram) in &packets {
            leg.rtp(datagram, at(2_000 + when - packets[0].0));
        }
        assert_eq!(counted(&mut leg), key.to_string());
    }
}
