//! An output that is no lock: a door that hangs on another system opens when our card is presented to its panel.
//!
//! ```text
//!   release ─▶ Present(card) ─▶ emulated reader ─▶ the panel fetches it: done ─▶ the panel decides
//!                                              └─▶ it does not within CARD_LIFE: not done, the card is dropped
//!   lock ────▶ Withdraw: a card that was not fetched is dropped
//! ```
//!
//! - One release is one card, presented once. Nothing is held, and nothing can be looked at: whether the door opens is
//!   the panel's, and it does not tell.
//! - Only in the Secure Channel: a panel that speaks in clear, or has another key, gets no card.
//! - The card is a secret: who has it opens the door. It is read from a file that only its owner can reach.

use super::remote::Device;
use crate::file::{Durable, replace};
use crate::hardware::PanelReader;
use crate::reader::osdp::emulation::{Emulation, EmulationConfig, PanelEvent};
use crate::reader::osdp::line::{EmulationOrder, Line};
use crate::reader::osdp::{Identity, ReaderKey};
use crate::reader::wired::entropy;
use crate::secret;
use klinke_model::credential::{CredentialFormat, CredentialKey};
use klinke_model::time::Clock;
use std::fmt::Write;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tracing::{error, info, warn};

/// How much may wait on the way to the line or from it.
const WAITING: usize = 64;

/// What the panel reads in place of a vendor (OUI); the serial number is the output's.
const VENDOR: [u8; 3] = *b"KLK";

/// One emulated reader, and the card that is held to it.
pub struct HandedOn {
    card: CredentialKey,
    orders: mpsc::Sender<EmulationOrder>,
    presented: mpsc::Receiver<bool>,
    /// So many cards were presented of which nothing was heard yet.
    open: usize,
}

impl HandedOn {
    /// Starts the reader on its line, on the Tokio runtime that this is called in. Without a key file it gets a key from
    /// nobody: the panel reads nothing.
    ///
    /// # Errors
    /// When a file cannot be read, others can reach it, or it does not hold what it should.
    pub fn start(wiring: &PanelReader, output: u16, clock: &Arc<dyn Clock>) -> io::Result<Self> {
        let card = read_card(&wiring.card_file)?;
        let key = read_key(&wiring.key_file)?;
        if key.is_none() {
            warn!(output, "the panel has not set a key: `klinke-door key-panel` lets it");
        }
        let (orders, events) = open(wiring, output, key, clock);
        let (told, presented) = mpsc::channel(WAITING);
        tokio::spawn(listen(output, wiring.key_file.clone(), events, told));
        Ok(Self { card, orders, presented, open: 0 })
    }

    async fn order(&self, order: EmulationOrder) -> io::Result<()> {
        self.orders.send(order).await.map_err(|_| io::ErrorKind::BrokenPipe.into())
    }

    /// Whether the oldest card that nothing was heard of was fetched.
    async fn heard(&mut self) -> io::Result<bool> {
        let is_taken = self.presented.recv().await.ok_or(io::ErrorKind::BrokenPipe)?;
        self.open = self.open.saturating_sub(1);
        Ok(is_taken)
    }
}

impl Device for HandedOn {
    async fn release(&mut self, _lease: Duration) -> io::Result<()> {
        // what was cut short before is no answer to this
        self.lock().await?;
        self.order(EmulationOrder::Present(self.card)).await?;
        self.open += 1;
        let missing = || io::Error::new(io::ErrorKind::NotConnected, "the panel does not fetch the card");
        if self.heard().await? { Ok(()) } else { Err(missing()) }
    }

    async fn lock(&mut self) -> io::Result<()> {
        if self.open > 0 {
            self.order(EmulationOrder::Withdraw).await?;
        }
        while self.open > 0 {
            self.heard().await?;
        }
        Ok(())
    }

    async fn is_released(&mut self) -> io::Result<bool> {
        Ok(false)
    }
}

/// A reader that is given its key by the panel: a window of `length`, and the key that came, once it is in its file.
///
/// # Errors
/// When no key came, or it could not be kept.
pub async fn take_key(
    wiring: &PanelReader,
    output: u16,
    length: Duration,
    clock: &Arc<dyn Clock>,
) -> io::Result<()> {
    let (orders, mut events) = open(wiring, output, read_key(&wiring.key_file)?, clock);
    let gone = || io::Error::from(io::ErrorKind::BrokenPipe);
    orders.send(EmulationOrder::OpenInstall(length)).await.map_err(|_| gone())?;
    let proven = async {
        let mut keyed = false;
        loop {
            match events.recv().await.ok_or_else(gone)? {
                PanelEvent::Keyed(key) => {
                    keep_key(&wiring.key_file, &key)?;
                    keyed = true;
                }
                PanelEvent::Online { is_secure: true } if keyed => return Ok(()),
                _ => {}
            }
        }
    };
    let late = || io::Error::new(io::ErrorKind::TimedOut, "the panel set no key in this time");
    tokio::time::timeout(length, proven).await.unwrap_or_else(|_| Err(late()))
}

fn open(
    wiring: &PanelReader,
    output: u16,
    key: Option<ReaderKey>,
    clock: &Arc<dyn Clock>,
) -> (mpsc::Sender<EmulationOrder>, mpsc::Receiver<PanelEvent>) {
    let config = EmulationConfig {
        address: wiring.address,
        identity: Identity { vendor: VENDOR, serial: u32::from(output) },
        key,
        may_be_plain: false,
        baud: wiring.baud,
    };
    let machine = Emulation::new(config, entropy, clock.mono());
    let (orders, received) = mpsc::channel(WAITING);
    let (told, events) = mpsc::channel(WAITING);
    let (path, clock) = (wiring.device.clone(), Arc::clone(clock));
    tokio::spawn(Line { path, baud: wiring.baud, machine, orders: received, events: told, clock }.run());
    (orders, events)
}

/// Passes on what became of cards; the rest is told to the log.
async fn listen(
    output: u16,
    key_file: PathBuf,
    mut events: mpsc::Receiver<PanelEvent>,
    presented: mpsc::Sender<bool>,
) {
    while let Some(event) = events.recv().await {
        match event {
            PanelEvent::Presented { is_taken } => {
                if presented.send(is_taken).await.is_err() {
                    return;
                }
            }
            PanelEvent::Online { .. } => info!(output, "the panel of another system is there"),
            PanelEvent::Offline => warn!(output, "the panel of another system is gone"),
            PanelEvent::Forged => warn!(output, "a message that the panel did not make, or another key"),
            // a panel changes the key in its own session
            PanelEvent::Keyed(key) => {
                if let Err(error) = keep_key(&key_file, &key) {
                    error!(output, %error, "the key that the panel set could not be kept");
                }
            }
            // its lamp at rest is not what became of a card
            PanelEvent::Lamp { .. } | PanelEvent::Tones(_) => {}
        }
    }
}

/// Bits and their number, such as `26 12345640`: from the left, in hexadecimal digits.
fn read_card(path: &Path) -> io::Result<CredentialKey> {
    let line = secret::read(path)?;
    let wrong = || {
        let path = path.display();
        let what = format!("{path} is no card: its bits and their number, such as `26 12345640`");
        io::Error::new(io::ErrorKind::InvalidData, what)
    };
    let (bits, digits) = line.trim().split_once(' ').ok_or_else(wrong)?;
    let (bits, bytes) = (bits.parse().map_err(|_| wrong())?, bytes(digits).ok_or_else(wrong)?);
    CredentialKey::new(CredentialFormat::Bits, bits, &bytes).map_err(|_| wrong())
}

/// 32 hexadecimal digits; nothing when there is no such file yet.
fn read_key(path: &Path) -> io::Result<Option<ReaderKey>> {
    if !path.try_exists()? {
        return Ok(None);
    }
    let line = secret::read(path)?;
    let key = bytes(line.trim()).and_then(|bytes| bytes.try_into().ok()).map(ReaderKey::new);
    let wrong =
        |what: &str| io::Error::new(io::ErrorKind::InvalidData, format!("{}: {what}", path.display()));
    match key {
        Some(Ok(key)) => Ok(Some(key)),
        Some(Err(error)) => Err(wrong(&error.to_string())),
        None => Err(wrong("a key has 32 hexadecimal digits")),
    }
}

fn keep_key(path: &Path, key: &ReaderKey) -> io::Result<()> {
    let mut line = String::new();
    for byte in key.as_bytes() {
        // a text takes everything
        let _ = write!(line, "{byte:02x}");
    }
    line.push('\n');
    replace(path, line.as_bytes(), Durable::Yes)
}

fn bytes(digits: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> =
        digits.chars().map(|digit| digit.to_digit(16)?.try_into().ok()).collect::<Option<_>>()?;
    let (pairs, rest) = digits.as_chunks::<2>();
    rest.is_empty().then(|| pairs.iter().map(|[high, low]| high << 4 | low).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn file(folder: &Path, text: &str, mode: u32) -> PathBuf {
        let path = folder.join("secret");
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    #[test]
    fn a_card_is_its_bits_and_their_number_and_nobody_elses_to_read() {
        let folder = tempfile::tempdir().unwrap();
        let read = |text: &str| read_card(&file(folder.path(), text, 0o600));
        let card = CredentialKey::new(CredentialFormat::Bits, 26, &[0x12, 0x34, 0x56, 0x40]).unwrap();
        assert_eq!(read("26 12345640\n").unwrap(), card);
        for wrong in ["26", "26 123456", "26 12345641", "8 12", "26 1234564g", "26 1234564é"] {
            let error = read(wrong).unwrap_err().to_string();
            assert!(error.contains("is no card") && !error.contains("12345641"), "{wrong}: {error}");
        }
        let error = read_card(&file(folder.path(), "26 12345640\n", 0o640)).unwrap_err().to_string();
        assert!(error.contains("can be reached by others"), "{error}");
    }

    #[test]
    fn a_key_comes_back_as_it_was_kept_and_a_weak_one_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        assert!(read_key(&path).unwrap().is_none(), "not set yet");
        let key = ReaderKey::new(*b"q8\x01\x93\xf0Zk2\x9c\x04tU\xeeB7!").unwrap();
        keep_key(&path, &key).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(read_key(&path).unwrap(), Some(key));
        for wrong in [&"00".repeat(16), "0011", ""] {
            assert!(read_key(&file(folder.path(), wrong, 0o600)).is_err(), "{wrong}");
        }
    }
}
