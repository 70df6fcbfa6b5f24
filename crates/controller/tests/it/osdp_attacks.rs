//! Somebody at the line: every attack that is known against OSDP readers (access.md §2), from between our panel's side
//! and a reader of libosdp. Each ends offline and with an alarm, and yields nothing.

use crate::osdp_desk::{Desk, card, card_order, key, peer, reader};
use crate::osdp_wire::{From, To, Wire, block, clear_answer, code, mended, pass, with_sqn};
use crate::peer::Peer;
use klinke_controller::reader::osdp::{BusEvent, KeyError, ReaderKey, Trust};
use klinke_controller::reader::{OfflineReason, ReaderAlarm, Reading};
use osdp::secure::{SCBK_D, crypto};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

const OUT: u8 = 0x68;
const CHLNG: u8 = 0x76;
const CAP: u8 = 0x62;
const POLL: u8 = 0x60;
const KEYSET: u8 = 0x75;
const RAW: u8 = 0x50;
const NAK: u8 = 0x41;
const CCRYPT: u8 = 0x76;

/// What an attack yielded.
#[derive(Debug, PartialEq, Eq)]
struct Yield {
    cards: usize,
    keys: usize,
    outputs: usize,
    offline: usize,
    alarms: Vec<ReaderAlarm>,
}

/// Watches for a while and counts: what we believed, and what the reader was had to do.
async fn count(name: &str, desk: &mut Desk, reader: Option<&mut Peer>, time: Duration) -> Yield {
    let mut found = Yield { cards: 0, keys: 0, outputs: 0, offline: 0, alarms: Vec::new() };
    for event in desk.within(time).await {
        match event {
            BusEvent::Reader(event) => match event.what {
                Reading::Card(_) | Reading::Keys(_) => found.cards += 1,
                Reading::Offline(why) => {
                    assert_eq!(why, OfflineReason::NotTrusted, "{name}");
                    found.offline += 1;
                }
                Reading::Alarm(alarm) => found.alarms.push(alarm),
                _ => {}
            },
            BusEvent::KeyMade { .. } | BusEvent::Keyed { .. } => found.keys += 1,
            BusEvent::Released { is_done, .. } => found.outputs += usize::from(is_done),
            _ => {}
        }
    }
    if let Some(reader) = reader {
        let told = reader.rest().await;
        found.keys += told.iter().filter(|line| line["told"] == "key").count();
        found.outputs += told.iter().filter(|line| line["told"] == "output").count();
    }
    println!("{name:<44} {found:?}");
    found
}

fn nothing_but(alarm: ReaderAlarm) -> Yield {
    Yield { cards: 0, keys: 0, outputs: 0, offline: 1, alarms: vec![alarm] }
}

/// A flag that a test sets for the one in between.
fn flag() -> (Arc<AtomicBool>, Arc<AtomicBool>) {
    let flag = Arc::new(AtomicBool::new(false));
    (Arc::clone(&flag), flag)
}

const A_WHILE: Duration = Duration::from_secs(2);

#[tokio::test]
async fn whoever_listens_learns_no_card_and_no_key_pressed() {
    let wire = Wire::open(pass).await;
    let own = key();
    let mut theirs = Peer::start("osdp_reader.py", &peer(0, &wire.readers(), Some(&own))).await;
    let mut desk = Desk::open(wire.panel(), vec![reader(0, Trust::Key(own.clone()))]);
    desk.until(0, &Reading::Online).await;
    for number in 1..=20 {
        theirs.order(&card_order(number)).await;
        desk.until(0, &Reading::Card(card(number))).await;
    }
    theirs.order(&json!({"keys": "924817"})).await;
    assert!(matches!(desk.reading().await, (0, Reading::Keys(_))));
    desk.release(0).await;
    theirs.until(|line| line["told"] == "output").await;
    let seen = wire.seen.lock().unwrap().clone();
    let holds = |secret: &[u8]| seen.windows(secret.len()).filter(|window| *window == secret).count();
    for number in 1..=20 {
        assert_eq!(holds(card(number).bytes()), 0);
    }
    assert_eq!((holds(b"924817"), holds(own.as_bytes()), holds(&[0, 5, 30, 0])), (0, 0, 0));
    assert!(seen.len() > 1000, "the line was listened to");
}

#[tokio::test]
async fn a_reader_made_to_look_as_if_it_could_not_encrypt() {
    let asked = Arc::new(AtomicU32::new(0));
    let count_asked = Arc::clone(&asked);
    let wire = Wire::open(move |from, frame| match (from, code(&frame)) {
        (From::Panel, CAP) => {
            count_asked.fetch_add(1, Ordering::SeqCst);
            // communication security: none
            vec![To::Panel(clear_answer(&frame, 0x46, &[9, 0, 0]))]
        }
        (From::Panel, CHLNG) => vec![To::Panel(clear_answer(&frame, NAK, &[5]))],
        (From::Panel, POLL) => {
            vec![To::Panel(clear_answer(&frame, RAW, &[0, 1, 26, 0, 0x91, 0, 1, 0x40]))]
        }
        _ => pass(from, frame),
    })
    .await;
    let own = key();
    let mut theirs = Peer::start("osdp_reader.py", &peer(0, &wire.readers(), Some(&own))).await;
    let mut desk = Desk::open(wire.panel(), vec![reader(0, Trust::Key(own))]);
    desk.release(0).await;
    let found = count("capabilities rewritten", &mut desk, Some(&mut theirs), A_WHILE).await;
    assert_eq!(found, nothing_but(ReaderAlarm::NotSecure));
    assert_eq!(asked.load(Ordering::SeqCst), 0, "what a reader says that it can is not even asked for");
}

#[tokio::test]
async fn a_reader_that_speaks_in_clear_only() {
    let wire = Wire::open(|from, frame| match (from, code(&frame)) {
        (From::Panel, CHLNG) => vec![To::Panel(clear_answer(&frame, NAK, &[5]))],
        _ => pass(from, frame),
    })
    .await;
    let plain = json!({"path": wire.readers(), "address": 1, "serial": 1000});
    let mut theirs = Peer::start("osdp_reader.py", &plain).await;
    theirs.order(&card_order(1)).await;
    let mut desk = Desk::open(wire.panel(), vec![reader(0, Trust::Key(key()))]);
    let found = count("reader in clear", &mut desk, Some(&mut theirs), A_WHILE).await;
    assert_eq!(found, nothing_but(ReaderAlarm::NotSecure));
}

#[tokio::test]
async fn a_rogue_reader_in_install_mode_gets_no_key() {
    let wire = Wire::open(pass).await;
    let mut rogue = peer(0, &wire.readers(), None);
    rogue["install"] = json!(true);
    let mut theirs = Peer::start("osdp_reader.py", &rogue).await;
    theirs.order(&card_order(1)).await;
    let mut desk = Desk::open(wire.panel(), vec![reader(0, Trust::Key(key()))]);
    let found = count("rogue reader in install mode", &mut desk, Some(&mut theirs), A_WHILE).await;
    assert_eq!((found.cards, found.keys, found.outputs, found.offline), (0, 0, 0, 1));
    assert_eq!(found.alarms.len(), 1, "{:?}", found.alarms);
    let seen = wire.seen.lock().unwrap().clone();
    let keysets = seen.windows(8).filter(|frame| frame[0] == 0x53 && frame[4] & 8 != 0 && frame[7] == KEYSET);
    assert_eq!(keysets.count(), 0, "no key was sent, under whatever key");
}

#[tokio::test]
async fn a_reader_that_comes_back_without_its_key_is_not_given_another() {
    let wire = Wire::open(pass).await;
    let own = key();
    let theirs = Peer::start("osdp_reader.py", &peer(0, &wire.readers(), Some(&own))).await;
    let mut desk = Desk::open(wire.panel(), vec![reader(0, Trust::Key(own))]);
    desk.until(0, &Reading::Online).await;
    theirs.kill().await;
    desk.until(0, &Reading::Offline(OfflineReason::Silent)).await;
    let mut unkeyed = peer(0, &wire.readers(), None);
    unkeyed["install"] = json!(true);
    let mut theirs = Peer::start("osdp_reader.py", &unkeyed).await;
    theirs.order(&card_order(1)).await;
    let found = count("reader comes back unkeyed", &mut desk, Some(&mut theirs), 3 * A_WHILE).await;
    assert_eq!((found.cards, found.keys, found.outputs, found.alarms.len()), (0, 0, 0, 1), "{found:?}");
}

#[tokio::test]
async fn a_reader_that_offers_the_public_key_whatever_it_is_asked_for() {
    for (name, offered, alarm) in [
        ("public key, and says so", 0, ReaderAlarm::Unkeyed),
        ("public key, as if it were its own", 1, ReaderAlarm::WrongKey),
    ] {
        let wire = Wire::open(move |from, frame| {
            if from == From::Reader || code(&frame) != CHLNG {
                return pass(from, frame);
            }
            let rnd_a: [u8; 8] = frame[9..17].try_into().unwrap();
            let rnd_b = [7; 8];
            let keys = crypto::SessionKeys::derive(&SCBK_D, &rnd_a);
            let proof = crypto::client_cryptogram(&keys.s_enc, &rnd_a, &rnd_b);
            let data = [&[1; 8], &rnd_b[..], &proof].concat();
            let head = [0x53, frame[1] | 0x80, 43, 0, frame[4], 3, 0x12, offered, CCRYPT];
            vec![To::Panel(mended([&head[..], &data, &[0, 0]].concat()))]
        })
        .await;
        let own = key();
        let mut theirs = Peer::start("osdp_reader.py", &peer(0, &wire.readers(), Some(&own))).await;
        let mut desk = Desk::open(wire.panel(), vec![reader(0, Trust::Key(own))]);
        let found = count(name, &mut desk, Some(&mut theirs), A_WHILE).await;
        assert_eq!(found, nothing_but(alarm));
    }
}

#[tokio::test]
async fn a_reader_with_another_key() {
    let wire = Wire::open(pass).await;
    let mut theirs = Peer::start("osdp_reader.py", &peer(0, &wire.readers(), Some(&key()))).await;
    theirs.order(&card_order(1)).await;
    let mut desk = Desk::open(wire.panel(), vec![reader(0, Trust::Key(key()))]);
    let found = count("another key", &mut desk, Some(&mut theirs), A_WHILE).await;
    assert_eq!(found, nothing_but(ReaderAlarm::WrongKey));
}

#[tokio::test]
async fn another_reader_with_the_right_key() {
    let wire = Wire::open(pass).await;
    let own = key();
    let mut theirs = Peer::start("osdp_reader.py", &peer(0, &wire.readers(), Some(&own))).await;
    theirs.order(&card_order(1)).await;
    let mut wanted = reader(0, Trust::Key(own));
    wanted.identity =
        Some(klinke_controller::reader::osdp::Identity { vendor: [0x0A, 0x0B, 0x0C], serial: 1001 });
    let mut desk = Desk::open(wire.panel(), vec![wanted]);
    let found = count("another device", &mut desk, Some(&mut theirs), A_WHILE).await;
    assert_eq!(found, nothing_but(ReaderAlarm::OtherReader));
}

#[test]
fn keys_that_attackers_try_cannot_be_configured() {
    assert_eq!(ReaderKey::new(SCBK_D), Err(KeyError::Published));
    assert_eq!(ReaderKey::new([0x41; 16]), Err(KeyError::Patterned));
    assert_eq!(ReaderKey::new(std::array::from_fn(|at| u8::try_from(at).unwrap())), Err(KeyError::Patterned));
}

#[tokio::test]
async fn a_bit_flipped_in_an_encrypted_command() {
    let (armed, fire) = flag();
    let wire = Wire::open(move |from, mut frame| {
        if from == From::Panel && code(&frame) == OUT && armed.load(Ordering::SeqCst) {
            assert_eq!(block(&frame), 0x17, "outputs are commanded encrypted");
            frame[10] ^= 0x10;
            frame = mended(frame);
        }
        pass(from, frame)
    })
    .await;
    let own = key();
    let mut theirs = Peer::start("osdp_reader.py", &peer(0, &wire.readers(), Some(&own))).await;
    let mut desk = Desk::open(wire.panel(), vec![reader(0, Trust::Key(own))]);
    desk.until(0, &Reading::Online).await;
    fire.store(true, Ordering::SeqCst);
    desk.release(0).await;
    let found = count("bit flipped in a command", &mut desk, Some(&mut theirs), A_WHILE).await;
    assert_eq!(found, nothing_but(ReaderAlarm::SessionBroken));
}

#[tokio::test]
async fn a_bit_flipped_in_an_encrypted_card() {
    let wire = Wire::open(move |from, mut frame| {
        if from == From::Reader && code(&frame) == RAW {
            assert_eq!(block(&frame), 0x18);
            frame[10] ^= 0x10;
            frame = mended(frame);
        }
        pass(from, frame)
    })
    .await;
    let own = key();
    let mut theirs = Peer::start("osdp_reader.py", &peer(0, &wire.readers(), Some(&own))).await;
    let mut desk = Desk::open(wire.panel(), vec![reader(0, Trust::Key(own))]);
    desk.until(0, &Reading::Online).await;
    theirs.order(&card_order(1)).await;
    let found = count("bit flipped in a card", &mut desk, Some(&mut theirs), A_WHILE).await;
    assert_eq!(found, nothing_but(ReaderAlarm::Forged));
}

#[tokio::test]
async fn a_card_played_again() {
    let (armed, fire) = flag();
    let mut kept = None;
    let wire = Wire::open(move |from, frame| {
        if from == From::Reader && code(&frame) == RAW {
            kept = Some(frame.clone());
        }
        if from == From::Panel && code(&frame) == POLL && armed.swap(false, Ordering::SeqCst) {
            let again = with_sqn(kept.clone().unwrap(), frame[4]);
            return vec![To::Panel(again)];
        }
        pass(from, frame)
    })
    .await;
    let own = key();
    let mut theirs = Peer::start("osdp_reader.py", &peer(0, &wire.readers(), Some(&own))).await;
    let mut desk = Desk::open(wire.panel(), vec![reader(0, Trust::Key(own))]);
    desk.until(0, &Reading::Online).await;
    theirs.order(&card_order(1)).await;
    desk.until(0, &Reading::Card(card(1))).await;
    fire.store(true, Ordering::SeqCst);
    let found = count("card played again", &mut desk, Some(&mut theirs), A_WHILE).await;
    assert_eq!(found, nothing_but(ReaderAlarm::Forged));
}

#[tokio::test]
async fn an_output_played_again() {
    let (armed, fire) = flag();
    let mut kept = None;
    let wire = Wire::open(move |from, frame| {
        if from == From::Panel && code(&frame) == OUT {
            kept = Some(frame.clone());
        }
        if from == From::Panel && code(&frame) == POLL && armed.swap(false, Ordering::SeqCst) {
            let again = with_sqn(kept.clone().unwrap(), frame[4]);
            return vec![To::Readers(again)];
        }
        pass(from, frame)
    })
    .await;
    let own = key();
    let mut theirs = Peer::start("osdp_reader.py", &peer(0, &wire.readers(), Some(&own))).await;
    let mut desk = Desk::open(wire.panel(), vec![reader(0, Trust::Key(own))]);
    desk.until(0, &Reading::Online).await;
    desk.release(0).await;
    theirs.until(|line| line["told"] == "output").await;
    assert_eq!(desk.event().await, BusEvent::Released { reader: 0, output: 0, is_done: true });
    fire.store(true, Ordering::SeqCst);
    let found = count("output played again", &mut desk, Some(&mut theirs), A_WHILE).await;
    assert_eq!(found, nothing_but(ReaderAlarm::SessionBroken));
}

#[tokio::test]
async fn a_card_put_in_clear_into_an_encrypted_session() {
    let (armed, fire) = flag();
    let wire = Wire::open(move |from, frame| {
        if from == From::Panel && code(&frame) == POLL && armed.swap(false, Ordering::SeqCst) {
            return vec![To::Panel(clear_answer(&frame, RAW, &[0, 1, 26, 0, 0x91, 0, 1, 0x40]))];
        }
        pass(from, frame)
    })
    .await;
    let own = key();
    let mut theirs = Peer::start("osdp_reader.py", &peer(0, &wire.readers(), Some(&own))).await;
    let mut desk = Desk::open(wire.panel(), vec![reader(0, Trust::Key(own))]);
    desk.until(0, &Reading::Online).await;
    fire.store(true, Ordering::SeqCst);
    let found = count("card in clear within a session", &mut desk, Some(&mut theirs), A_WHILE).await;
    assert_eq!(found, nothing_but(ReaderAlarm::Forged));
}
