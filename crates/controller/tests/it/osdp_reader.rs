//! Our panel's side of OSDP against readers of libosdp (C), which shares no code with ours.

use crate::osdp_desk::{Desk, card, card_order, hex, key, peer, reader};
use crate::osdp_wire::{From, Wire, block, pass};
use crate::peer::{Pair, Peer};
use klinke_controller::reader::osdp::{BusEvent, BusOrder, KeyingFailure, Trust};
use klinke_controller::reader::{Feedback, Key, OfflineReason, ReaderAlarm, Reading};
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn a_reader_comes_online_in_the_secure_channel_and_says_everything_it_can() {
    let pair = Pair::open().await;
    let own = key();
    let mut theirs = Peer::start("osdp_reader.py", &peer(0, &pair.theirs(), Some(&own))).await;
    let mut desk = Desk::open(pair.ours(), vec![reader(0, Trust::Key(own))]);
    desk.until(0, &Reading::Online).await;

    for number in 1..=5 {
        theirs.order(&card_order(number)).await;
        assert_eq!(desk.reading().await, (0, Reading::Card(card(number))));
    }
    // any number of bits that is a card's
    for (bits, bytes) in [(24, 3), (34, 5), (37, 5), (56, 7), (64, 8), (200, 25)] {
        let mut data = vec![0x5A; bytes];
        if bits % 8 != 0 {
            data[bytes - 1] &= !(0xFF >> (bits % 8));
        }
        theirs.order(&json!({"card": hex(&data), "bits": bits})).await;
        let (_, Reading::Card(read)) = desk.reading().await else { panic!("no card") };
        assert_eq!((usize::from(read.bits()), read.bytes()), (bits, &data[..]));
    }
    theirs.order(&json!({"keys": "12#"})).await;
    let (_, Reading::Keys(keys)) = desk.reading().await else { panic!("no keys") };
    assert_eq!(keys.as_slice(), [Key::Digit(1), Key::Digit(2), Key::Hash]);
    for is_open in [true, false] {
        theirs.order(&json!({"tamper": u8::from(is_open)})).await;
        assert_eq!(desk.reading().await, (0, Reading::Tamper(is_open)));
    }

    desk.order(BusOrder::Show { reader: 0, what: Feedback::Granted }).await;
    let lamp = theirs.until(|line| line["told"] == "lamp").await;
    assert_eq!(
        (&lamp["temporary"], &lamp["on_color"], &lamp["timer_count"]),
        (&json!(true), &json!(2), &json!(20))
    );
    let tones = theirs.until(|line| line["told"] == "tones").await;
    assert_eq!(tones["rep_count"], 1);
    for _ in 0..5 {
        desk.release(0).await;
        let output = theirs.until(|line| line["told"] == "output").await;
        let said = (&output["output_no"], &output["control_code"], &output["timer_count"]);
        assert_eq!(said, (&json!(0), &json!(5), &json!(30)), "timed, never permanent");
        assert_eq!(desk.event().await, BusEvent::Released { reader: 0, output: 0, is_done: true });
    }
}

#[tokio::test]
async fn a_reader_that_loses_its_power_is_offline_and_comes_back_by_itself() {
    let pair = Pair::open().await;
    let own = key();
    let theirs = Peer::start("osdp_reader.py", &peer(0, &pair.theirs(), Some(&own))).await;
    let mut desk = Desk::open(pair.ours(), vec![reader(0, Trust::Key(own.clone()))]);
    desk.until(0, &Reading::Online).await;
    theirs.kill().await;
    assert_eq!(desk.reading().await, (0, Reading::Offline(OfflineReason::Silent)));
    let mut theirs = Peer::start("osdp_reader.py", &peer(0, &pair.theirs(), Some(&own))).await;
    assert_eq!(desk.reading().await, (0, Reading::Online));
    theirs.order(&card_order(7)).await;
    assert_eq!(desk.reading().await, (0, Reading::Card(card(7))));
}

#[tokio::test]
async fn a_line_that_is_pulled_out_and_put_in_again_is_found_again() {
    let mut pair = Pair::open().await;
    let own = key();
    let theirs = Peer::start("osdp_reader.py", &peer(0, &pair.theirs(), Some(&own))).await;
    let mut desk = Desk::open(pair.ours(), vec![reader(0, Trust::Key(own.clone()))]);
    desk.until(0, &Reading::Online).await;
    theirs.kill().await;
    pair.replug().await;
    assert_eq!(desk.reading().await, (0, Reading::Offline(OfflineReason::LineLost)));
    desk.release(0).await;
    assert_eq!(desk.event().await, BusEvent::Released { reader: 0, output: 0, is_done: false });
    let mut theirs = Peer::start("osdp_reader.py", &peer(0, &pair.theirs(), Some(&own))).await;
    assert_eq!(desk.reading().await, (0, Reading::Online));
    theirs.order(&card_order(1)).await;
    assert_eq!(desk.reading().await, (0, Reading::Card(card(1))));
}

#[tokio::test]
async fn a_key_is_set_in_a_window_and_stored_before_the_reader_has_it() {
    let pair = Pair::open().await;
    let mut new = peer(0, &pair.theirs(), None);
    new["install"] = json!(true);
    let mut theirs = Peer::start("osdp_reader.py", &new).await;
    let mut desk = Desk::open(pair.ours(), vec![reader(0, Trust::None)]);
    assert_eq!(desk.reading().await, (0, Reading::Offline(OfflineReason::NotTrusted)));
    // without a window nobody speaks to it
    assert_eq!(desk.within(Duration::from_secs(1)).await, []);

    let length = Duration::from_secs(60);
    desk.order(BusOrder::OpenKeying { reader: 0, expected: None, length }).await;
    let BusEvent::KeyMade { reader: 0, identity, key: made } = desk.event().await else { panic!("no key") };
    assert_eq!(identity.serial, 1000);
    // not stored: not sent
    let told = desk.within(Duration::from_millis(500)).await;
    assert_eq!(told, []);
    assert!(!theirs.rest().await.iter().any(|line| line["told"] == "key"));
    desk.order(BusOrder::Stored { reader: 0 }).await;
    let set = theirs.until(|line| line["told"] == "key").await;
    assert_eq!(set["data"], hex(made.as_bytes()));
    assert_eq!(desk.reading().await, (0, Reading::Online));
    assert_eq!(desk.event().await, BusEvent::Keyed { reader: 0 });
    theirs.order(&card_order(3)).await;
    assert_eq!(desk.reading().await, (0, Reading::Card(card(3))));

    // a second window for a reader that has a key is refused
    desk.order(BusOrder::OpenKeying { reader: 0, expected: None, length }).await;
    let BusEvent::KeyingFailed { reader: 0, why: KeyingFailure::NotOpened(_) } = desk.event().await else {
        panic!("the window was opened")
    };
}

#[tokio::test]
async fn a_reader_in_clear_is_read_only_where_the_administrator_wants_it() {
    let pair = Pair::open().await;
    let plain = json!({"path": pair.theirs(), "address": 1, "serial": 1000});
    let mut theirs = Peer::start("osdp_reader.py", &plain).await;
    let mut desk = Desk::open(pair.ours(), vec![reader(0, Trust::LegacyPlain)]);
    desk.until(0, &Reading::Online).await;
    theirs.order(&card_order(9)).await;
    assert_eq!(desk.reading().await, (0, Reading::Card(card(9))));
}

#[tokio::test]
async fn a_command_lost_on_the_way_is_repeated_and_carried_out_once() {
    let mut commands = 0;
    let wire = Wire::open(move |from, frame| {
        if from == From::Panel && block(&frame) > 0x14 {
            commands += 1;
            if commands % 4 == 0 {
                return Vec::new();
            }
        }
        pass(from, frame)
    })
    .await;
    let own = key();
    let mut theirs = Peer::start("osdp_reader.py", &peer(0, &wire.readers(), Some(&own))).await;
    let mut desk = Desk::open(wire.panel(), vec![reader(0, Trust::Key(own))]);
    desk.until(0, &Reading::Online).await;
    for number in 1..=10 {
        theirs.order(&card_order(number)).await;
        assert_eq!(desk.reading().await, (0, Reading::Card(card(number))));
        desk.release(0).await;
        assert_eq!(desk.event().await, BusEvent::Released { reader: 0, output: 0, is_done: true });
    }
    let told = theirs.rest().await;
    assert_eq!(told.iter().filter(|line| line["told"] == "output").count(), 10);
    assert_eq!(desk.within(Duration::from_millis(300)).await, [], "no loss, no alarm");
}

/// This version of libosdp takes a repeat for a new command and ends its session, so a lost answer costs one.
#[tokio::test]
async fn an_answer_lost_on_the_way_is_no_alarm_before_it_happens_often() {
    let mut answers = 0;
    let wire = Wire::open(move |from, frame| {
        if from == From::Reader && block(&frame) > 0x14 {
            answers += 1;
            if [10, 30, 50].contains(&answers) {
                return Vec::new();
            }
        }
        pass(from, frame)
    })
    .await;
    let own = key();
    let mut theirs = Peer::start("osdp_reader.py", &peer(0, &wire.readers(), Some(&own))).await;
    let mut desk = Desk::open(wire.panel(), vec![reader(0, Trust::Key(own))]);
    desk.until(0, &Reading::Online).await;
    assert_eq!(desk.reading().await, (0, Reading::Alarm(ReaderAlarm::Flapping)), "after the third");
    theirs.order(&card_order(1)).await;
    assert_eq!(desk.reading().await, (0, Reading::Card(card(1))), "online all the time");
}

#[tokio::test]
async fn four_readers_on_one_line_are_told_apart() {
    let wire = Wire::open(pass).await;
    let keys: Vec<_> = (0..4).map(|_| key()).collect();
    let mut theirs = Vec::new();
    let mut readers = Vec::new();
    for (number, own) in (0..4).zip(&keys) {
        theirs.push(Peer::start("osdp_reader.py", &peer(number, &wire.readers(), Some(own))).await);
        readers.push(reader(number, Trust::Key(own.clone())));
    }
    let mut desk = Desk::open(wire.panel(), readers);
    let mut online = 0;
    while online < 4 {
        online += usize::from(desk.reading().await.1 == Reading::Online);
    }
    for round in 0..5 {
        for (number, peer) in (0..4).zip(&mut theirs) {
            let card_number = 10 * round + number;
            peer.order(&card_order(card_number)).await;
            assert_eq!(desk.reading().await, (number, Reading::Card(card(card_number))));
        }
    }
    // one of them loses its power: the others go on
    theirs.pop().unwrap().kill().await;
    desk.until(3, &Reading::Offline(OfflineReason::Silent)).await;
    for (number, peer) in (0..3).zip(&mut theirs) {
        peer.order(&card_order(number)).await;
        assert_eq!(desk.reading().await, (number, Reading::Card(card(number))));
    }
}

/// From the order to the peer's reader until we are told, and until its output is commanded: 100 cards each, printed
/// with `--nocapture`. Includes the peer's Python and two pipes.
#[tokio::test]
async fn how_long_a_card_takes() {
    for count in [1, 4] {
        let wire = Wire::open(pass).await;
        let mut theirs = Vec::new();
        let mut readers = Vec::new();
        for number in 0..count {
            let own = key();
            theirs.push(Peer::start("osdp_reader.py", &peer(number, &wire.readers(), Some(&own))).await);
            readers.push(reader(number, Trust::Key(own)));
        }
        let mut desk = Desk::open(wire.panel(), readers);
        let mut online = 0;
        while online < count {
            online += u16::from(desk.reading().await.1 == Reading::Online);
        }
        let (mut read, mut released) = (Vec::new(), Vec::new());
        for turn in 0..100 {
            let number = turn % count;
            let peer = &mut theirs[usize::from(number)];
            let start = tokio::time::Instant::now();
            peer.order(&card_order(turn)).await;
            desk.until(number, &Reading::Card(card(turn))).await;
            read.push(start.elapsed());
            desk.release(number).await;
            peer.until(|line| line["told"] == "output").await;
            released.push(start.elapsed());
            // readers are not in step with the cards
            tokio::time::sleep(Duration::from_millis(u64::from(turn % 31))).await;
        }
        for (what, mut times) in [("card → event", read), ("card → output", released)] {
            times.sort_unstable();
            let [half, most] = [times[times.len() / 2], times[times.len() * 99 / 100]];
            println!("{count} readers, {what:<13} p50 {half:>6.1?} p99 {most:>6.1?}");
            assert!(half < Duration::from_millis(200), "polls do not take turns");
        }
    }
}
