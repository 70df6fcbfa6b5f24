//! A desk reader: PC/SC, for enrolling cards. It tells a card's serial number, which identifies and proves nothing.
//!
//! The serial number is asked for with `FF CA 00 00 00` (PC/SC part 3, 3.2.2.1.3). Four bytes that begin with 08 are
//! made up anew each time (ISO/IEC 14443-3, 6.4.4; phones do that): they are no card.
//!
//! pcscd is asked every [`LOOK_EVERY`] on a thread of its own, as its library blocks. The first reader that it has is
//! taken; when pcscd or the reader is gone, it is looked for again. pcscd counts cards that come and go, so one that
//! follows another between two looks is not missed, and one that lies there is read once.

use super::{OfflineReason, ReaderEvent, Reading};
use klinke_model::credential::{CredentialFormat, CredentialKey};
use pcsc::{Card, Context, Disposition, Error, Protocols, ReaderState, Scope, ShareMode, State};
use std::ffi::CString;
use std::io;
use std::thread::{Builder, JoinHandle};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::debug;

/// How long pcscd is asked to wait for something to happen; so long a stop may take.
pub const LOOK_EVERY: Duration = Duration::from_millis(200);

/// How long to wait for pcscd, or for a reader to be plugged in.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// How often a card that does not answer is asked while it lies there.
const TRIES: u8 = 10;

/// The command for a serial number.
const GET_UID: [u8; 5] = [0xFF, 0xCA, 0x00, 0x00, 0x00];

/// Watches the desk reader on a thread of its own until `stop` is cancelled or nobody listens. Its cards come as those
/// of reader `reader`.
///
/// # Errors
/// When there is no thread to be had.
pub fn watch(
    reader: u16,
    events: mpsc::Sender<ReaderEvent>,
    stop: CancellationToken,
) -> io::Result<JoinHandle<()>> {
    let desk = Desk { reader, events, stop, is_online: None };
    Builder::new().name("desk reader".to_owned()).spawn(move || desk.run())
}

struct Desk {
    reader: u16,
    events: mpsc::Sender<ReaderEvent>,
    stop: CancellationToken,
    /// What was told last.
    is_online: Option<bool>,
}

impl Desk {
    fn run(mut self) {
        while !self.is_over() {
            if let Err(error) = self.serve() {
                debug!(%error, "no desk reader");
                self.told(false);
                std::thread::sleep(LOOK_AGAIN);
            }
        }
    }

    /// One reader, until it is gone.
    fn serve(&mut self) -> Result<(), Error> {
        let context = Context::establish(Scope::User)?;
        let name: CString =
            context.list_readers_owned()?.into_iter().next().ok_or(Error::NoReadersAvailable)?;
        let mut states = [ReaderState::new(name.clone(), State::UNAWARE)];
        let mut lying = Lying::default();
        while !self.is_over() {
            match context.get_status_change(LOOK_EVERY, &mut states) {
                Ok(()) | Err(Error::Timeout) => {}
                Err(error) => return Err(error),
            }
            let [state] = &mut states;
            let seen = state.event_state();
            state.sync_current_state();
            if seen.intersects(State::UNKNOWN | State::UNAVAILABLE | State::IGNORE) {
                return Err(Error::ReaderUnavailable);
            }
            self.told(true);
            let has_card = seen.contains(State::PRESENT) && !seen.contains(State::MUTE);
            if !lying.is_to_read(has_card, state.event_count()) {
                continue;
            }
            match context.connect(&name, ShareMode::Shared, Protocols::ANY).and_then(serial) {
                Ok(found) => {
                    lying.is_read();
                    match found {
                        Some(key) => self.say(Reading::Card(key)),
                        None => debug!("a card without a serial number of its own"),
                    }
                }
                Err(error) => debug!(%error, "a card does not answer, or was taken away too early"),
            }
        }
        Ok(())
    }

    fn is_over(&self) -> bool {
        self.stop.is_cancelled() || self.events.is_closed()
    }

    fn told(&mut self, is_online: bool) {
        if self.is_online.replace(is_online) != Some(is_online) {
            self.say(if is_online { Reading::Online } else { Reading::Offline(OfflineReason::LineLost) });
        }
    }

    fn say(&self, what: Reading) {
        // nobody listens: the next look ends this
        let _ = self.events.blocking_send(ReaderEvent { reader: self.reader, what });
    }
}

/// The card that lies on the reader.
#[derive(Debug, Default)]
struct Lying {
    /// How many times a card had come or gone when it was looked at, and how often it is still to be asked.
    card: Option<(u32, u8)>,
}

impl Lying {
    /// Whether a card is to be read, by a look that saw one or not, after so many came and went. One that lies there at
    /// the first look was not held to it.
    fn is_to_read(&mut self, has_card: bool, moves: u32) -> bool {
        let Some((before, left)) = &mut self.card else {
            self.card = Some((moves, 0));
            return false;
        };
        if *before != moves {
            (*before, *left) = (moves, TRIES);
        }
        if !has_card || *left == 0 {
            return false;
        }
        *left -= 1;
        true
    }

    /// It was read; it is not read again.
    const fn is_read(&mut self) {
        if let Some((_, left)) = &mut self.card {
            *left = 0;
        }
    }
}

/// A card's serial number; none when it has none, or one that it makes up.
fn serial(card: Card) -> Result<Option<CredentialKey>, Error> {
    let mut buffer = [0; 258];
    let key = card.transmit(&GET_UID, &mut buffer).map(key);
    // left as it is: a reset takes time, and a card that comes in it would not be counted as another
    if let Err((_, error)) = card.disconnect(Disposition::LeaveCard) {
        debug!(%error, "a card was not let go");
    }
    key
}

/// What the answer to [`GET_UID`] holds.
fn key(answer: &[u8]) -> Option<CredentialKey> {
    let (serial, [0x90, 0x00]) = answer.split_last_chunk()? else { return None };
    let is_made_up = matches!(serial, [0x08, _, _, _]);
    if is_made_up || !matches!(serial.len(), 4 | 7 | 8 | 10) {
        return None;
    }
    let bits = u8::try_from(serial.len() * 8).ok()?;
    CredentialKey::new(CredentialFormat::Serial, bits, serial).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_is_read_once_and_none_is_missed() {
        let mut lying = Lying::default();
        let mut look = |has_card, moves, answers: bool| {
            let is_to_read = lying.is_to_read(has_card, moves);
            if is_to_read && answers {
                lying.is_read();
            }
            is_to_read
        };
        assert!(!look(true, 7, true), "it lay there at the start");
        assert!(!look(false, 8, true));
        assert!(look(true, 9, true));
        assert!(!look(true, 9, true), "read once");
        assert!(look(true, 11, false), "another card between two looks");
        assert!(look(true, 11, true), "it did not answer at first");
        assert!(!look(true, 11, true));
        let asked = (0..30).filter(|_| look(true, 13, false)).count();
        assert_eq!(asked, usize::from(TRIES), "one that never answers is left alone");
    }

    #[test]
    fn a_serial_number_is_taken_whole_or_not_at_all() {
        let whole = key(&[0x04, 0xA1, 0xB2, 0xC3, 0xD4, 0xE5, 0xF6, 0x90, 0x00]).unwrap();
        let expected = [0x04, 0xA1, 0xB2, 0xC3, 0xD4, 0xE5, 0xF6];
        assert_eq!(
            (whole.format(), whole.bits(), whole.bytes()),
            (CredentialFormat::Serial, 56, &expected[..])
        );
        assert!(key(&[0x12, 0x34, 0x56, 0x78, 0x90, 0x00]).is_some());
        let rows: [&[u8]; 6] = [
            &[],
            &[0x90, 0x00],
            &[0x6A, 0x81],
            &[0x12, 0x34, 0x56, 0x78, 0x6A, 0x81],
            &[0x12, 0x34, 0x56, 0x90, 0x00],
            &[0x08, 0x34, 0x56, 0x78, 0x90, 0x00], // made up
        ];
        for row in rows {
            assert_eq!(key(row), None, "{row:02x?}");
        }
    }
}
