//! Our panel's side of OSDP against readers of libosdp (C), which shares no code with ours.

use crate::osdp_desk::{Desk, card, card_order, hex, key, peer, reader};
use crate::peer::{Pair, Peer};
use klinke_controller::reader::osdp::{BusEvent, BusOrder, KeyingFailure, Trust};
use klinke_controller::reader::{Feedback, Key, OfflineReason, Reading};
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
