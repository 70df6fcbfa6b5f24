//! What the tests of OSDP share: a bus of ours on a line, and what it tells.

use crate::peer::PATIENCE;
use klinke_controller::reader::osdp::line::Line;
use klinke_controller::reader::osdp::{Bus, BusConfig, BusEvent, BusOrder, ReaderConfig, ReaderKey, Trust};
use klinke_controller::reader::{ReaderEvent, Reading};
use klinke_model::credential::{CredentialFormat, CredentialKey};
use klinke_model::time::{Clock, Mono, SystemClock};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;

pub const BAUD: u32 = 115_200;

/// Chance, from the operating system.
pub fn entropy() -> Option<[u8; 16]> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).ok()?;
    Some(bytes)
}

pub fn key() -> ReaderKey {
    ReaderKey::new(entropy().unwrap()).unwrap()
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A 26-bit card, by a number.
pub fn card(number: u16) -> CredentialKey {
    let [high, low] = number.to_be_bytes();
    CredentialKey::new(CredentialFormat::Bits, 26, &[0x91, high, low, 0x40]).unwrap()
}

/// The same for a peer.
pub fn card_order(number: u16) -> Value {
    json!({"card": hex(card(number).bytes()), "bits": 26})
}

/// A reader at an address that is one more than its number.
pub fn reader(number: u16, trust: Trust) -> ReaderConfig {
    let address = u8::try_from(number).unwrap() + 1;
    ReaderConfig { reader: number, address, trust, identity: None }
}

/// What `osdp_reader.py` is to be for such a reader.
pub fn peer(number: u16, path: &Path, key: Option<&ReaderKey>) -> Value {
    let key = key.map(|key| hex(key.as_bytes()));
    json!({"path": path, "address": number + 1, "key": key, "secure": key.is_some(), "serial": 1000 + number})
}

/// A bus of ours that runs on a line.
pub struct Desk {
    pub clock: Arc<dyn Clock>,
    orders: mpsc::Sender<BusOrder>,
    events: mpsc::Receiver<BusEvent>,
    _task: JoinHandle<()>,
}

impl Desk {
    pub fn open(path: PathBuf, readers: Vec<ReaderConfig>) -> Self {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
        let machine = Bus::new(BusConfig { baud: BAUD, readers }, entropy, clock.mono()).unwrap();
        let (orders, received) = mpsc::channel(64);
        let (told, events) = mpsc::channel(4096);
        let clock_of_line = Arc::clone(&clock);
        let line = Line { path, baud: BAUD, machine, orders: received, events: told, clock: clock_of_line };
        Self { clock, orders, events, _task: tokio::spawn(line.run()) }
    }

    pub fn now(&self) -> Mono {
        self.clock.mono()
    }

    pub async fn order(&self, order: BusOrder) {
        self.orders.send(order).await.unwrap();
    }

    pub async fn release(&self, reader: u16) {
        let not_after = self.now() + Duration::from_secs(2);
        let hold = Duration::from_secs(3);
        self.order(BusOrder::Release { reader, output: 0, hold, not_after }).await;
    }

    pub async fn event(&mut self) -> BusEvent {
        timeout(PATIENCE, self.events.recv()).await.expect("the bus tells nothing").expect("the line ended")
    }

    /// The next reading, whichever reader's; other events are passed over.
    pub async fn reading(&mut self) -> (u16, Reading) {
        loop {
            if let BusEvent::Reader(ReaderEvent { reader, what }) = self.event().await {
                return (reader, what);
            }
        }
    }

    /// Waits for this reading of a reader; returns what was read before.
    pub async fn until(&mut self, reader: u16, what: &Reading) -> Vec<(u16, Reading)> {
        let mut before = Vec::new();
        loop {
            let reading = self.reading().await;
            if reading.0 == reader && reading.1 == *what {
                return before;
            }
            before.push(reading);
        }
    }

    /// Whatever is told within a time.
    pub async fn within(&mut self, time: Duration) -> Vec<BusEvent> {
        let mut told = Vec::new();
        let end = tokio::time::Instant::now() + time;
        while let Ok(Some(event)) = tokio::time::timeout_at(end, self.events.recv()).await {
            told.push(event);
        }
        told
    }
}
