//! We as a reader on somebody else's panel: libosdp's (C) and that of the Python package `osdp`, which share no code
//! with each other nor with ours.

use crate::osdp_desk::{BAUD, card, entropy, hex, key};
use crate::peer::{PATIENCE, Pair, Peer};
use klinke_controller::reader::osdp::emulation::{Emulation, EmulationConfig, Lamp, PanelEvent};
use klinke_controller::reader::osdp::line::{EmulationOrder, Line};
use klinke_controller::reader::osdp::{Identity, ReaderKey};
use klinke_model::time::{Clock, SystemClock};
use osdp::secure::crypto::diversify_scbk_legacy;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::timeout;

const IDENTITY: Identity = Identity { vendor: [0x0A, 0x0B, 0x0C], serial: 4711 };

struct Emulated {
    orders: mpsc::Sender<EmulationOrder>,
    events: mpsc::Receiver<PanelEvent>,
}

impl Emulated {
    fn open(pair: &Pair, key: Option<ReaderKey>) -> Self {
        let clock = Arc::new(SystemClock::start());
        let config = EmulationConfig { address: 5, identity: IDENTITY, key, may_be_plain: false, baud: BAUD };
        let machine = Emulation::new(config, entropy, clock.mono());
        let (orders, received) = mpsc::channel(8);
        let (told, events) = mpsc::channel(256);
        let line = Line { path: pair.ours(), baud: BAUD, machine, orders: received, events: told, clock };
        tokio::spawn(line.run());
        Self { orders, events }
    }

    async fn order(&self, order: EmulationOrder) {
        self.orders.send(order).await.unwrap();
    }

    /// Waits for this; returns what came before.
    async fn until(&mut self, wanted: &PanelEvent) -> Vec<PanelEvent> {
        let mut before = Vec::new();
        loop {
            let event = timeout(PATIENCE, self.events.recv()).await.expect("the panel says nothing").unwrap();
            if event == *wanted {
                return before;
            }
            before.push(event);
        }
    }
}

#[tokio::test]
async fn libosdps_panel_reads_our_cards_in_the_secure_channel() {
    let pair = Pair::open().await;
    let own = key();
    let argument = json!({"path": pair.theirs(), "address": 5, "key": hex(own.as_bytes())});
    let mut panel = Peer::start("osdp_panel_c.py", &argument).await;
    let mut ours = Emulated::open(&pair, Some(own));
    ours.until(&PanelEvent::Online { is_secure: true }).await;
    panel.until(|line| line["secure"] == true).await;
    for number in 1..=10 {
        ours.order(EmulationOrder::Present(card(number))).await;
        let read = panel.until(|line| line["card"].is_string()).await;
        assert_eq!((&read["card"], &read["bits"]), (&json!(hex(card(number).bytes())), &json!(26)));
        assert_eq!(ours.until(&PanelEvent::Presented { is_taken: true }).await, []);
    }
    panel.order(&json!({"lamp": 2})).await;
    ours.until(&PanelEvent::Lamp { color: Lamp::Green, is_temporary: true }).await;
    panel.order(&json!({"tones": 3})).await;
    ours.until(&PanelEvent::Tones(3)).await;
    panel.kill().await;
    ours.until(&PanelEvent::Offline).await;
    ours.order(EmulationOrder::Present(card(1))).await;
    ours.until(&PanelEvent::Presented { is_taken: false }).await;
}

#[tokio::test]
async fn libosdps_panel_with_another_key_gets_no_card() {
    let pair = Pair::open().await;
    let argument = json!({"path": pair.theirs(), "address": 5, "key": hex(key().as_bytes())});
    let mut panel = Peer::start("osdp_panel_c.py", &argument).await;
    let ours = Emulated::open(&pair, Some(key()));
    for _ in 0..20 {
        ours.order(EmulationOrder::Present(card(1))).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(!panel.rest().await.iter().any(|line| line["card"].is_string() || line["secure"] == true));
}

#[tokio::test]
async fn the_python_panel_sets_our_key_in_a_window_and_reads_our_cards() {
    let pair = Pair::open().await;
    let master = entropy().unwrap();
    let argument = json!({"path": pair.theirs(), "address": 5, "master": hex(&master)});
    let mut ours = Emulated::open(&pair, None);
    ours.order(EmulationOrder::OpenInstall(Duration::from_secs(60))).await;
    let mut panel = Peer::start("osdp_panel_py.py", &argument).await;
    let Identity { vendor: [a, b, c], serial } = IDENTITY;
    let number = [&[a, b, c, 1][..], &serial.to_le_bytes()].concat();
    let own = ReaderKey::new(diversify_scbk_legacy(&master, &number.try_into().unwrap())).unwrap();
    ours.until(&PanelEvent::Keyed(own)).await;
    ours.until(&PanelEvent::Online { is_secure: true }).await;
    panel.order(&json!({"who": true})).await;
    panel.until(|line| line["serial"] == 4711).await;
    for number in 1..=10 {
        ours.order(EmulationOrder::Present(card(number))).await;
        let read = panel.until(|line| line["card"].is_string()).await;
        assert_eq!((&read["card"], &read["bits"]), (&json!(hex(card(number).bytes())), &json!(26)));
        ours.until(&PanelEvent::Presented { is_taken: true }).await;
    }
    panel.order(&json!({"lamp": 2})).await;
    ours.until(&PanelEvent::Lamp { color: Lamp::Green, is_temporary: true }).await;
}

#[tokio::test]
async fn the_python_panel_gets_no_card_from_a_reader_without_a_key_outside_the_window() {
    let pair = Pair::open().await;
    let mut ours = Emulated::open(&pair, None);
    let argument = json!({"path": pair.theirs(), "address": 5, "master": hex(&entropy().unwrap())});
    let mut panel = Peer::start("osdp_panel_py.py", &argument).await;
    for _ in 0..20 {
        ours.order(EmulationOrder::Present(card(1))).await;
        let before = ours.until(&PanelEvent::Presented { is_taken: false }).await;
        assert_eq!(before, []);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(!panel.rest().await.iter().any(|line| line["card"].is_string()));
}
