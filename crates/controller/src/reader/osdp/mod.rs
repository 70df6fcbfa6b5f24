//! OSDP v2.2 (IEC 60839-11-5): the control panel's side of a bus with up to [`MOST_READERS`] readers.
//!
//! ```text
//!   serial line ◀─bytes─▶ line ─handle, poll─▶ bus ─whose turn─▶ reader ─seals, opens─▶ channel (Annex D)
//!                                                                  │
//!   doors ◀──────────── BusEvent ──────────────────────────────────┘
//! ```
//!
//! One reader, from its first frame on; every other answer, and silence, ends in *away*:
//!
//! ```text
//!   away ──ID──▶ greeted ──CHLNG──▶ challenged ──SCRYPT──▶ proven ──ID──▶ identified ──LSTAT──▶ ready
//!     ▲              └─ legacy_plain only ────────────────────────────────────┘                   │
//!     └─────────────────────── silence, wrong MAC, clear text, other identity ◀───────────────────┘
//! ```
//!
//! What holds, whatever comes over the line:
//! - **Encryption is demanded by our configuration.** Nothing that a reader says of its capabilities is asked for or
//!   looked at. Only [`Trust::LegacyPlain`] reads in clear.
//! - **The public install key** (SCBK-D) is used for one reader, inside a window that a person opened, and only to set
//!   a fresh key. The key is sent after it was stored. Nothing is ever keyed anew by itself.
//! - **The first frame that fails its MAC ends the session**, so a forger has one guess of 32 bits a session; it is
//!   an alarm, and so is the end of a session from the other side.
//! - **Outputs are leases**: timed output (code 5) only, and a command that was not answered before its time is over
//!   is not sent again.
//! - A repeated frame is the same bytes with the same sequence number, so a reader acts once.

mod bus;
mod channel;
pub mod emulation;
mod inbox;
mod key;
pub mod line;
mod reader;
mod words;

pub use bus::{Bus, BusConfig, BusError, BusEvent, BusOrder, KeyingError, MOST_READERS};
pub use key::{KeyError, ReaderKey};
pub use reader::{Faults, Identity, KeyingFailure, ReaderConfig, Trust};

use klinke_model::time::Mono;
use std::time::Duration;

/// What a machine on a line is told.
#[derive(Clone, Copy, Debug)]
pub enum Input<'a> {
    /// These bytes came.
    Bytes(&'a [u8]),
    /// The time that [`Output::Wait`] named has come, or any other.
    Tick,
    /// The line is gone, until it is back.
    LineLost,
    /// The line is there (again); so it is at the start.
    LineBack,
}

/// What a machine on a line wants done.
#[derive(Debug, PartialEq, Eq)]
pub enum Output<E> {
    /// Send these bytes.
    Write(Vec<u8>),
    /// Tell this.
    Event(E),
    /// Nothing until bytes come or this time has come.
    Wait(Mono),
}

/// Sixteen bytes of chance from the operating system; none when it has none.
type Entropy = Box<dyn FnMut() -> Option<[u8; 16]> + Send>;

/// A reader has this long for its answer (OSDP v2.2 §5.7).
pub const REPLY_TIME: Duration = Duration::from_millis(200);
/// A reader that did not answer for this long is offline (OSDP v2.2 §5.7).
pub const OFFLINE_AFTER: Duration = Duration::from_secs(8);
/// From one poll of a reader to the next; half of it is what a card waits on average.
pub const POLL_EVERY: Duration = Duration::from_millis(30);
/// A session's keys are used for no longer than this.
pub const SESSION_LIFE: Duration = Duration::from_secs(24 * 60 * 60);
/// A session's keys are used for no more commands than this, about 50 minutes of polls: MACs have 32 bits, so that is
/// far from a likely repeat.
pub const SESSION_FRAMES: u32 = 100_000;
/// The longest window for setting a key.
pub const LONGEST_KEYING: Duration = Duration::from_secs(10 * 60);
