//! `klinke-door key-reader`: sets a key of its own in one reader, in a window that a person opened.
//!
//! The controller is stopped meanwhile, so nobody else speaks on the line. The reader is put into its install mode, best
//! on a bench. Within the window the first reader that answers at the address as a new one gets the key; it is stored
//! before it is sent, and who the reader is, is stored with it.

use crate::hardware::{Hardware, ReadBy};
use crate::reader::keys::{KnownReader, ReaderFolder};
use crate::reader::osdp::{
    Bus, BusConfig, BusEvent, BusOrder, Identity, KeyingFailure, LONGEST_KEYING, ReaderConfig, Trust,
};
use crate::reader::wired::{entropy, line};
use klinke_model::time::Clock;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::time::timeout;

/// Why a reader has no key now.
#[derive(Debug, thiserror::Error)]
pub enum KeyReaderError {
    /// The hardware file has no such reader.
    #[error("the hardware file has no reader {0}")]
    NoReader(u16),
    /// It is on Wiegand wires, or is to be read in clear.
    #[error("reader {0} knows no keys: it is on Wiegand wires, a chip card reader or `legacy_plain`")]
    NoKeys(u16),
    /// It has one.
    #[error("reader {reader} has a key already; to set another, remove {} first", path.display())]
    HasKey {
        /// The reader.
        reader: u16,
        /// Where its key is.
        path: PathBuf,
    },
    /// The key could not be stored, so it was not sent.
    #[error("the key could not be stored, and was not sent: {0}")]
    NotStored(#[from] io::Error),
    /// Nobody answered as a new reader does before the window closed.
    #[error(
        "no new reader answered in time; put it into its install mode, and look at its address and the line's speed"
    )]
    NobodyCame,
    /// The key was sent, and nobody knows whether the reader has it.
    #[error(
        "the reader did not prove its key. Start the controller: if the reader comes online, it has it. If not, remove {}, \
         put the reader into its install mode and key it again", .0.display()
    )]
    NotProven(PathBuf),
    /// There is no such device file.
    #[error("there is no {}", .0.display())]
    NoDevice(PathBuf),
    /// The line is lost.
    #[error("the line could not be driven")]
    Line,
}

/// Opens the window and waits for its end. `opened` is called once it is open.
///
/// # Errors
/// When no key was set; see [`KeyReaderError`].
pub async fn key_reader(
    hardware: &Hardware,
    number: u16,
    folder: &ReaderFolder,
    clock: &Arc<dyn Clock>,
    opened: impl FnOnce(),
) -> Result<Identity, KeyReaderError> {
    let wiring =
        hardware.readers.iter().map(|reader| reader.get_ref()).find(|reader| reader.number == number);
    let wiring = wiring.ok_or(KeyReaderError::NoReader(number))?;
    let osdp = match &wiring.on {
        ReadBy::Osdp(osdp) if !osdp.legacy_plain => osdp,
        ReadBy::Osdp(_) | ReadBy::Wiegand(_) | ReadBy::Pcsc(_) => return Err(KeyReaderError::NoKeys(number)),
    };
    let path = folder.path(number);
    let expected = match folder.load(number) {
        Ok(None) => None,
        // it was read in clear before: only this one
        Ok(Some(KnownReader { key: None, identity })) => Some(identity),
        Ok(Some(_)) | Err(_) => return Err(KeyReaderError::HasKey { reader: number, path }),
    };
    if !osdp.device.try_exists().unwrap_or_default() {
        return Err(KeyReaderError::NoDevice(osdp.device.clone()));
    }
    let reader = ReaderConfig { reader: number, address: osdp.address, trust: Trust::None, identity: None };
    let config = BusConfig { baud: osdp.baud, readers: vec![reader] };
    let bus = Bus::new(config, entropy, clock.mono()).map_err(|_| KeyReaderError::Line)?;
    let (orders, mut events) = line(osdp.device.clone(), osdp.baud, bus, clock);
    let window = BusOrder::OpenKeying { reader: number, expected, length: LONGEST_KEYING };
    orders.send(window).await.map_err(|_| KeyReaderError::Line)?;
    opened();
    let mut made = None;
    loop {
        // a line that is lost tells nothing more
        let event = timeout(LONGEST_KEYING, events.recv()).await.map_err(|_| KeyReaderError::Line)?;
        match event.ok_or(KeyReaderError::Line)? {
            BusEvent::KeyMade { identity, key, .. } => {
                folder.keep(number, &KnownReader { key: Some(key), identity })?;
                made = Some(identity);
                orders.send(BusOrder::Stored { reader: number }).await.map_err(|_| KeyReaderError::Line)?;
            }
            BusEvent::Keyed { .. } => return made.ok_or(KeyReaderError::Line),
            BusEvent::KeyingFailed { why, .. } => {
                return Err(match (why, made) {
                    (KeyingFailure::Expired | KeyingFailure::NotOpened(_), None) => {
                        KeyReaderError::NobodyCame
                    }
                    _ => KeyReaderError::NotProven(path),
                });
            }
            BusEvent::Reader(_) | BusEvent::Identified { .. } | BusEvent::Released { .. } => {}
        }
    }
}
