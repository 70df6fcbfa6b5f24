//! The readers of a hardware file: started, listened to, and shown what the doors answer.
//!
//! ```text
//!   line of OSDP readers ─BusEvent─▶ sorted ─┐
//!   two wires (Wiegand) ─────ReaderEvent─────┼─▶ InputEvent::Reader ─▶ doors
//!   chip card reader (PC/SC) ─ReaderEvent────┘
//!   line of OSDP readers ◀─BusOrder::Show── Lamps ◀─────────────────── doors
//! ```
//!
//! A reader without a key is offline until it has one; a line that is not there is opened until it is. Neither keeps
//! the others, or a door, from working.

use super::keys::{KnownReader, ReaderFolder};
use super::osdp::line::Line;
use super::osdp::{Bus, BusConfig, BusEvent, BusOrder, ReaderConfig, Trust};
use super::{Feedback, ReaderEvent, pcsc, wiegand};
use crate::hardware::{Hardware, OsdpReader, ReadBy};
use crate::input::InputEvent;
use klinke_model::time::Clock;
use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

/// How much may wait on the way from a line or to it.
const WAITING: usize = 64;

/// The way from the doors to the lamps and buzzers of readers. A Wiegand reader has none that we reach.
#[derive(Clone, Debug, Default)]
pub struct Lamps(HashMap<u16, mpsc::Sender<BusOrder>>);

impl Lamps {
    /// To these readers.
    pub const fn new(lines: HashMap<u16, mpsc::Sender<BusOrder>>) -> Self {
        Self(lines)
    }

    /// Has a reader show something. What it cannot take now it is never shown: it would be late.
    pub fn show(&self, reader: u16, what: Feedback) {
        if let Some(line) = self.0.get(&reader) {
            let _ = line.try_send(BusOrder::Show { reader, what });
        }
    }
}

/// Sixteen bytes of chance from the operating system.
pub fn entropy() -> Option<[u8; 16]> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).ok()?;
    Some(bytes)
}

/// Starts every line of readers, on the Tokio runtime that this is called in.
///
/// # Errors
/// When lines of this machine cannot be had. A serial line that is not there is waited for.
pub fn start(
    hardware: &Hardware,
    folder: &ReaderFolder,
    events: &mpsc::Sender<InputEvent>,
    clock: &Arc<dyn Clock>,
) -> io::Result<Lamps> {
    let mut lines: BTreeMap<&Path, (u32, Vec<ReaderConfig>)> = BTreeMap::new();
    let mut lamps = HashMap::new();
    for wiring in &hardware.readers {
        let wiring = wiring.get_ref();
        match &wiring.on {
            ReadBy::Osdp(osdp) => {
                let (_, readers) = lines.entry(&osdp.device).or_insert((osdp.baud, Vec::new()));
                readers.push(configured(wiring.number, osdp, folder));
            }
            ReadBy::Wiegand(wires) => {
                warn!(
                    reader = wiring.number,
                    "this reader is on Wiegand wires: whoever reaches them can copy its cards"
                );
                let (sender, readings) = mpsc::channel(WAITING);
                wiegand::lines::watch(wiring.number, &wires.chip, wires.data0, wires.data1, sender)?;
                tokio::spawn(pass_on(readings, events.clone()));
            }
            ReadBy::Pcsc(_) => {
                warn!(
                    reader = wiring.number,
                    "this reader tells serial numbers of chip cards: whoever has held a card can copy it"
                );
                let (sender, readings) = mpsc::channel(WAITING);
                // its thread ends with whoever listens
                pcsc::watch(wiring.number, sender, CancellationToken::new())?;
                tokio::spawn(pass_on(readings, events.clone()));
            }
        }
    }
    for (device, (baud, readers)) in lines {
        let numbers: Vec<u16> = readers.iter().map(|reader| reader.reader).collect();
        let bus = Bus::new(BusConfig { baud, readers }, entropy, clock.mono());
        let bus = bus.map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        let (orders, told) = line(device.to_owned(), baud, bus, clock);
        tokio::spawn(sort(told, folder.clone(), events.clone()));
        lamps.extend(numbers.into_iter().map(|number| (number, orders.clone())));
    }
    Ok(Lamps::new(lamps))
}

/// Tells the doors what a reader tells, until one of them is gone.
async fn pass_on(mut readings: mpsc::Receiver<ReaderEvent>, events: mpsc::Sender<InputEvent>) {
    while let Some(reading) = readings.recv().await {
        if events.send(InputEvent::Reader(reading)).await.is_err() {
            return;
        }
    }
}

/// Runs a bus on its line in a task of its own, which ends when the way of orders does.
pub(crate) fn line(
    path: PathBuf,
    baud: u32,
    machine: Bus,
    clock: &Arc<dyn Clock>,
) -> (mpsc::Sender<BusOrder>, mpsc::Receiver<BusEvent>) {
    let (orders, received) = mpsc::channel(WAITING);
    let (told, events) = mpsc::channel(WAITING);
    let clock = Arc::clone(clock);
    tokio::spawn(Line { path, baud, machine, orders: received, events: told, clock }.run());
    (orders, events)
}

/// What the bus is told of a reader: why it may be believed, and who it is.
fn configured(number: u16, osdp: &OsdpReader, folder: &ReaderFolder) -> ReaderConfig {
    let known = folder.load(number).unwrap_or_else(|error| {
        error!(reader = number, path = %folder.path(number).display(), %error, "no use for the file of a reader");
        None
    });
    let identity = known.as_ref().map(|known| known.identity);
    let trust = match known.and_then(|known| known.key) {
        _ if osdp.legacy_plain => {
            warn!(
                reader = number,
                "this reader is read in clear, as the hardware file says: its cards can be copied"
            );
            Trust::LegacyPlain
        }
        Some(key) => Trust::Key(key),
        None => {
            warn!(reader = number, "this reader has no key: `klinke-door key-reader` sets one");
            Trust::None
        }
    };
    ReaderConfig { reader: number, address: osdp.address, trust, identity }
}

/// Tells the doors what readers tell, and keeps who a reader in clear is.
async fn sort(mut told: mpsc::Receiver<BusEvent>, folder: ReaderFolder, events: mpsc::Sender<InputEvent>) {
    while let Some(event) = told.recv().await {
        match event {
            BusEvent::Reader(ReaderEvent { reader, what }) => {
                let event = InputEvent::Reader(ReaderEvent { reader, what });
                if events.send(event).await.is_err() {
                    return;
                }
            }
            BusEvent::Identified { reader, identity } => {
                info!(reader, serial = identity.serial, "a reader was put into use");
                // a key's reader is known since it was keyed: its file is not touched
                let has_key =
                    folder.load(reader).is_ok_and(|known| known.is_some_and(|known| known.key.is_some()));
                let known = KnownReader { key: None, identity };
                if !has_key && let Err(error) = folder.keep(reader, &known) {
                    error!(reader, %error, "who this reader is could not be kept");
                }
            }
            // nobody here opens a window or releases an output of a reader
            BusEvent::KeyMade { .. }
            | BusEvent::Keyed { .. }
            | BusEvent::KeyingFailed { .. }
            | BusEvent::Released { .. } => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::osdp::{Identity, ReaderKey};
    use crate::reader::{OfflineReason, Reading};

    const IDENTITY: Identity = Identity { vendor: [1, 2, 3], serial: 4 };

    fn wiring(legacy_plain: bool) -> OsdpReader {
        OsdpReader { device: "/dev/ttyUSB0".into(), baud: 115_200, address: 1, legacy_plain }
    }

    #[test]
    fn a_reader_is_believed_by_its_key_and_in_clear_only_where_the_file_says_so() {
        let temporary = tempfile::tempdir().unwrap();
        let folder = ReaderFolder::new(temporary.path().to_owned());
        let trust = |plain| configured(0, &wiring(plain), &folder).trust;
        assert_eq!(trust(false), Trust::None, "not keyed yet");
        assert_eq!(trust(true), Trust::LegacyPlain);
        folder.keep(0, &KnownReader { key: None, identity: IDENTITY }).unwrap();
        assert_eq!(trust(false), Trust::None, "known from before, in clear");
        let key = ReaderKey::new(*b"q8\x01\x93\xf0Zk2\x9c\x04tU\xeeB7!").unwrap();
        folder.keep(0, &KnownReader { key: Some(key.clone()), identity: IDENTITY }).unwrap();
        assert_eq!(trust(false), Trust::Key(key));
        assert_eq!(configured(0, &wiring(false), &folder).identity, Some(IDENTITY));
        std::fs::write(folder.path(0), "{").unwrap();
        assert_eq!(trust(false), Trust::None, "a damaged key is none");
    }

    #[tokio::test]
    async fn who_a_reader_in_clear_is_gets_kept_and_a_key_is_never_written_over() {
        let temporary = tempfile::tempdir().unwrap();
        let folder = ReaderFolder::new(temporary.path().to_owned());
        let key = ReaderKey::new(*b"q8\x01\x93\xf0Zk2\x9c\x04tU\xeeB7!").unwrap();
        let keyed = KnownReader { key: Some(key), identity: IDENTITY };
        folder.keep(1, &keyed).unwrap();
        let ((events, told), (sender, mut receiver)) = (mpsc::channel(8), mpsc::channel(8));
        let task = tokio::spawn(sort(told, folder.clone(), sender));
        let other = Identity { serial: 5, ..IDENTITY };
        for reader in 0..2 {
            events.send(BusEvent::Identified { reader, identity: other }).await.unwrap();
        }
        let offline = ReaderEvent { reader: 0, what: Reading::Offline(OfflineReason::Silent) };
        events.send(BusEvent::Reader(offline.clone())).await.unwrap();
        assert_eq!(receiver.recv().await, Some(InputEvent::Reader(offline)));
        drop(events);
        task.await.unwrap();
        assert_eq!(folder.load(0).unwrap(), Some(KnownReader { key: None, identity: other }));
        assert_eq!(folder.load(1).unwrap(), Some(keyed));
    }
}
