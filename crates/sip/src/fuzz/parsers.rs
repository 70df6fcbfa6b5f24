//! Parsers of texts and of single datagrams.

use super::fuzz;
use super::mutate::{hash, size};
use crate::digest::{self, Account};
use crate::dtmf::event::{Listener, Payload};
use crate::dtmf::info;
use crate::message::{self, Headers, Message, Response, address, split_list};
use crate::rtp::codec::Codec;
use crate::rtp::rtcp::{self, Report};
use crate::sdp::{self, Encryption, Local, OurKeys};
use crate::wire;

/// What a message holds, bytes.
fn held(message: &Message) -> usize {
    match message {
        Message::Request(request) => request.uri.len() + of(&request.headers) + request.body.len(),
        Message::Response(response) => response.words.len() + of(&response.headers) + response.body.len(),
    }
}

fn of(headers: &Headers) -> usize {
    headers.lines().map(|(name, value)| name.len() + value.len()).sum()
}

fn written(message: &Message) -> Vec<u8> {
    match message {
        Message::Request(request) => request.write(),
        Message::Response(response) => response.write(),
    }
}

#[test]
fn messages() {
    fuzz("message", 6_000, |bytes| {
        let Some(read) = message::read(bytes) else { return 0 };
        // short names become long ones, and what has no words gets some
        assert!(held(&read) <= bytes.len() * 8 + 64, "{} of {}", held(&read), bytes.len());
        let headers = match &read {
            Message::Request(request) => &request.headers,
            Message::Response(response) => &response.headers,
        };
        let parts = headers.lines().flat_map(|(_, value)| split_list(value)).filter_map(address).count();
        let known = [
            headers.branch().is_some(),
            headers.tag("From").is_some(),
            headers.tag("To").is_some(),
            headers.cseq().is_some(),
            headers.number("RSeq").is_some(),
            headers.has("Require", "100rel"),
        ];
        let known = known.into_iter().fold(0, |sum, one| sum << 1 | u64::from(one));
        // what we write is one message, and the same again
        let text = written(&read);
        let again = message::read(&text).unwrap_or_else(|| panic!("not read again: {text:?}"));
        assert_eq!(String::from_utf8_lossy(&written(&again)), String::from_utf8_lossy(&text));
        if let Message::Request(request) = &read {
            let answer = Response::to(request, 481, Some("tag")).write();
            assert!(matches!(message::read(&answer), Some(Message::Response(_))), "{answer:?}");
        }
        1 + known + (size(parts) << 8) + (size(headers.lines().count()) << 16)
    });
}

#[test]
fn challenges() {
    let account = Account { user: "anna\"".into(), password: "x".into() };
    fuzz("challenge", 6_000, |bytes| {
        let text = String::from_utf8_lossy(bytes);
        let Some(challenge) = digest::strongest(text.lines()) else { return 0 };
        assert!(challenge.realm.len() <= bytes.len() * 3);
        let answer = challenge.answer(&account, "INVITE", "sip:a@b", "c", 1);
        assert!(answer.len() <= bytes.len() * 6 + 512 && !answer.contains(['\r', '\n']), "{answer}");
        1 + u64::from(challenge.stale) + size(answer.len()) * 2
    });
}

#[test]
fn descriptions() {
    let local = |encryption| Local {
        address: "192.0.2.1:40000".parse().unwrap(),
        session: 7,
        version: 1,
        codecs: vec![Codec::G722, Codec::Pcma, Codec::Pcmu, Codec::Opus],
        crypto: OurKeys::new(encryption, &[5; OurKeys::RANDOM]),
    };
    let locals = [Encryption::Off, Encryption::Offered, Encryption::Required].map(local);
    fuzz("sdp", 3_000, |bytes| {
        let mut outcome = 0;
        for local in &locals {
            let is_required = local.crypto.as_ref().is_some_and(|ours| ours.is_required);
            let agreed = sdp::agreed(local, bytes);
            let answered = sdp::answer(local, bytes);
            if let Ok((text, ours)) = &answered {
                assert!(text.len() <= bytes.len() + 1_024, "{} of {}", text.len(), bytes.len());
                assert!(ours.keys.is_some() || !is_required);
                // nobody's line is left without an answer, and ours is no offer that we would refuse
                let lines = |text: &str| text.lines().filter(|line| line.starts_with("m=")).count();
                assert_eq!(lines(text), lines(&String::from_utf8_lossy(bytes)), "{text}");
                let other = Local {
                    crypto: OurKeys::new(Encryption::Offered, &[6; OurKeys::RANDOM]),
                    ..local.clone()
                };
                let back =
                    sdp::answer(&other, text.as_bytes()).unwrap_or_else(|why| panic!("{why}: {text}")).1;
                assert_eq!((back.codec, back.keys.is_some()), (ours.codec, ours.keys.is_some()), "{text}");
            }
            for side in
                [agreed.as_ref().ok(), answered.as_ref().ok().map(|(_, agreed)| agreed)].into_iter().flatten()
            {
                assert!(side.send < 128 && side.receive < 128 && local.codecs.contains(&side.codec));
                assert!(side.remote.is_none_or(|to| to.port() != 0 && !to.ip().is_multicast()));
            }
            let agreed = agreed
                .map_or_else(|why| format!("{why:?}"), |one| format!("{:?}{:?}", one.codec, one.direction));
            let answered = answered.map_or_else(
                |why| format!("{why:?}"),
                |(_, one)| {
                    format!("{:?}{:?}{}{}", one.codec, one.events, one.video.is_some(), one.keys.is_some())
                },
            );
            outcome = hash(format!("{outcome}{agreed}{answered}").as_bytes());
        }
        outcome
    });
}

#[test]
fn reports() {
    fuzz("rtcp", 10_000, |bytes| {
        let Ok(reports) = rtcp::parse(bytes) else { return 0 };
        let mut outcome = size(reports.len());
        // each has a head of four bytes
        assert!(reports.len() * 4 <= bytes.len());
        for report in &reports {
            let (kind, blocks) = match report {
                Report::Sender { ssrc, sent, blocks } => {
                    let block = blocks.first().copied();
                    let again = rtcp::parse(&rtcp::write(*ssrc, Some(*sent), block, "x")).unwrap();
                    let wanted =
                        Report::Sender { ssrc: *ssrc, sent: *sent, blocks: block.into_iter().collect() };
                    assert_eq!(again.first(), Some(&wanted));
                    (1, blocks.len())
                }
                Report::Receiver { ssrc, blocks } => {
                    let block = blocks.first().copied();
                    let again = rtcp::parse(&rtcp::write(*ssrc, None, block, "x")).unwrap();
                    let wanted = Report::Receiver { ssrc: *ssrc, blocks: block.into_iter().collect() };
                    assert_eq!(again.first(), Some(&wanted));
                    (2, blocks.len())
                }
                Report::Description => (3, 0),
                Report::Bye(streams) => (4, streams.len()),
                Report::KeyFrame(streams) => (6, streams.len()),
                Report::Other(_) => (5, 0),
            };
            assert!(blocks <= 31 && blocks * 4 <= bytes.len());
            outcome = outcome.wrapping_mul(64) + kind * 8 + size(blocks);
        }
        outcome
    });
}

/// A timestamp and a payload, again and again.
#[test]
fn events() {
    fuzz("events", 2_000, |bytes| {
        let mut listener = Listener::new(8_000);
        let mut told = 0;
        for one in bytes.chunks_exact(8) {
            let (stamp, payload) = one.split_at(4);
            let stamp = u32::from_be_bytes(stamp.try_into().unwrap());
            let read = Payload::parse(payload).unwrap();
            assert_eq!(Payload::parse(&read.write()), Some(read));
            let first = listener.heard(1, stamp, payload);
            assert!(first.is_none_or(|digit| digit.event() == read.event));
            // the same again is no other press
            assert_eq!(listener.heard(1, stamp, payload), None);
            told += u64::from(first.is_some());
        }
        told
    });
}

#[test]
fn bodies_of_info() {
    fuzz("info", 10_000, |bytes| {
        let told = ["application/dtmf-relay", "application/dtmf;x=y"].map(|kind| info::digit(kind, bytes));
        if let Some(digit) = told[0] {
            assert_eq!(info::digit("application/dtmf-relay", info::relay(digit).as_bytes()), Some(digit));
        }
        told.iter().fold(0, |sum, one| sum * 32 + one.map_or(0, |digit| 1 + u64::from(digit.event())))
    });
}

#[test]
fn streams_of_messages() {
    fuzz("stream", 1_200, |bytes| {
        let whole = cut(bytes, bytes.len().max(1));
        // however it arrives
        assert_eq!(cut(bytes, 7), whole);
        whole.0.iter().fold(u64::from(whole.1), |sum, one| sum.wrapping_mul(64) + size(one.len()))
    });
}

/// The messages of a stream that comes in pieces, and whether it was ended for what it carries.
fn cut(bytes: &[u8], piece: usize) -> (Vec<Vec<u8>>, bool) {
    let (mut read, mut messages) = (Vec::new(), Vec::new());
    for piece in bytes.chunks(piece) {
        read.extend_from_slice(piece);
        loop {
            match wire::cut(&mut read) {
                Err(_) => return (messages, true),
                Ok(None) => break,
                Ok(Some(message)) => messages.push(message),
            }
        }
        assert!(read.len() <= message::LONGEST + piece.len());
    }
    assert!(messages.iter().map(Vec::len).sum::<usize>() + read.len() <= bytes.len());
    (messages, false)
}
