//! Readers: what they tell the doors, and what the doors tell them. Every kind of reader speaks this.
//!
//! - A reader reports what it saw and decides nothing. Bits that are no card never become a [`Reading::Card`].
//! - A reader that is not [`Reading::Online`] tells no cards and no keys.
//! - Nothing here prints what was read: cards and keys are redacted in `Debug`.

pub mod keys;
pub mod osdp;
pub mod pcsc;
pub mod wiegand;
pub mod wired;

use klinke_model::credential::CredentialKey;
use std::fmt;

/// One thing that one reader tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReaderEvent {
    /// Which of this controller's readers, as the configuration numbers them.
    pub reader: u16,
    /// What it tells.
    pub what: Reading,
}

/// What a reader tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading {
    /// A card was held to it.
    Card(CredentialKey),
    /// Keys were pressed on it, oldest first; a number may come in several of these.
    Keys(Keys),
    /// Its housing was opened (`true`) or is closed again. Told at every change, and once after each `Online` when
    /// it is open.
    Tamper(bool),
    /// Its supply is failing (`true`) or is good again. Told like `Tamper`.
    PowerFailing(bool),
    /// It can be trusted from now on.
    Online,
    /// It tells nothing until the next `Online`. Told once per loss, and once for a reader that never came.
    Offline(OfflineReason),
    /// Something that a person has to look at. Told once until the reader was online again.
    Alarm(ReaderAlarm),
}

/// Why a reader is offline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OfflineReason {
    /// It does not answer.
    Silent,
    /// Its line or the device file of it is gone.
    LineLost,
    /// It does not prove who it is, or what came was not from it. An alarm says more.
    NotTrusted,
}

/// What a person has to look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReaderAlarm {
    /// It does not take part in encryption, though the configuration demands it.
    NotSecure,
    /// It has another key than the one that was set.
    WrongKey,
    /// It came back without the key that was set, as new from the factory.
    Unkeyed,
    /// A message that was not made by the reader, or was changed on its way.
    Forged,
    /// The encrypted session was ended from the other side: the reader was started anew, or got a message that was
    /// changed on its way.
    SessionBroken,
    /// Another device than the one that was put into use.
    OtherReader,
    /// It was lost and came back several times within a short time.
    Flapping,
}

/// A key of a keypad.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// 0 to 9.
    Digit(u8),
    /// `*`, also called clear or delete.
    Star,
    /// `#`, also called enter.
    Hash,
}

/// Keys that were pressed. They may be somebody's code, so they print redacted.
#[derive(Clone, PartialEq, Eq)]
pub struct Keys(Vec<Key>);

impl Keys {
    /// From ASCII as readers send it: digits, `*` or delete (0x7F), `#` or carriage return (0x0D). Nothing when there
    /// is none, or any other character.
    pub fn from_ascii(bytes: &[u8]) -> Option<Self> {
        let keys: Vec<Key> = bytes.iter().copied().map(Key::from_ascii).collect::<Option<_>>()?;
        (!keys.is_empty()).then_some(Self(keys))
    }

    /// The keys, oldest first.
    pub fn as_slice(&self) -> &[Key] {
        &self.0
    }
}

impl Key {
    const fn from_ascii(byte: u8) -> Option<Self> {
        match byte {
            b'0'..=b'9' => Some(Self::Digit(byte - b'0')),
            b'*' | 0x7F => Some(Self::Star),
            b'#' | b'\r' => Some(Self::Hash),
            _ => None,
        }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(‹redacted›)")
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys(‹redacted›)")
    }
}

/// What a door has its reader show and sound, for a moment; afterwards the reader shows what it shows at rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Feedback {
    /// The door is open: green, one short tone.
    Granted,
    /// It stays closed: red, three short tones.
    Denied,
    /// Something is missing yet: the code, or the second person. Amber, blinking.
    More,
    /// Hold the card here that is to be enrolled. Blue, blinking.
    Enrol,
    /// It was read, and opens nothing. Blue, one short tone.
    Read,
    /// Nothing more: what the reader shows at rest.
    Rest,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_as_readers_send_them_and_never_printed() {
        let keys = Keys::from_ascii(b"12*\x7f#\r").unwrap();
        let expected = [Key::Digit(1), Key::Digit(2), Key::Star, Key::Star, Key::Hash, Key::Hash];
        assert_eq!(keys.as_slice(), expected);
        assert_eq!(format!("{keys:?} {:?}", Key::Digit(7)), "Keys(‹redacted›) Key(‹redacted›)");
        assert_eq!(Keys::from_ascii(b""), None);
        assert_eq!(Keys::from_ascii(b"1a"), None);
    }
}
