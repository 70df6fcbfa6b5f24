//! Whose turn it is: one command at a time on the line, and its answer or the lack of one.
//!
//! Without IO. After each input, drain [`Bus::poll`] until it says [`Output::Wait`].

use super::inbox::Inbox;
use super::key::ReaderKey;
use super::reader::{Faults, Heard, Identity, KeyingFailure, Reader, ReaderConfig};
use super::{Entropy, Input, LONGEST_KEYING, Output, REPLY_TIME};
use crate::reader::{Feedback, OfflineReason, ReaderEvent};
use klinke_model::time::Mono;
use osdp::MAX_PD_ADDR;
use osdp::packet::Address;
use std::collections::VecDeque;
use std::time::Duration;

/// More cannot be polled often enough on one line at 115,200 baud.
pub const MOST_READERS: usize = 8;

/// One line and its readers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BusConfig {
    /// The line's speed in baud; decides how long frames take.
    pub baud: u32,
    /// The readers on it, each with an address of its own.
    pub readers: Vec<ReaderConfig>,
}

/// Why there cannot be such a bus.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BusError {
    /// More than [`MOST_READERS`].
    #[error("a line has at most {MOST_READERS} readers")]
    TooMany,
    /// 127 and above are not a reader's.
    #[error("the address {0} is not a reader's (0 to 126)")]
    Address(u8),
    /// Two readers with this address or number.
    #[error("two readers with the address {0} or the same number")]
    Twice(u8),
    /// Zero.
    #[error("a line needs a speed")]
    Speed,
}

/// Why a keying window was not opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum KeyingError {
    /// No such reader on this line.
    #[error("there is no such reader on this line")]
    NoReader,
    /// It has a key, or is to be read in clear. Whoever wants to replace it says so in the configuration first.
    #[error("this reader is not one that waits for a key")]
    NotWanted,
    /// One reader at a time.
    #[error("a key is being set on another reader of this line")]
    OpenAlready,
    /// Longer than [`LONGEST_KEYING`].
    #[error("a window is at most {} minutes", LONGEST_KEYING.as_secs() / 60)]
    TooLong,
}

/// What the bus is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BusOrder {
    /// See [`Bus::show`].
    Show {
        /// On which reader.
        reader: u16,
        /// What.
        what: Feedback,
    },
    /// See [`Bus::release`].
    Release {
        /// Of which reader.
        reader: u16,
        /// Which of its outputs, from 0.
        output: u8,
        /// For how long.
        hold: Duration,
        /// Not when it is later than this.
        not_after: Mono,
    },
    /// See [`Bus::open_keying`]; a refusal comes as [`KeyingFailure::NotOpened`].
    OpenKeying {
        /// For which reader.
        reader: u16,
        /// Who it is, where its label was read.
        expected: Option<Identity>,
        /// For how long.
        length: Duration,
    },
    /// See [`Bus::stored`].
    Stored {
        /// Which reader's key.
        reader: u16,
    },
}

/// What the bus tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BusEvent {
    /// A reader tells something.
    Reader(ReaderEvent),
    /// A reader's identity, the first time: to be stored, and to be in its configuration from now on.
    Identified {
        /// Which reader.
        reader: u16,
        /// Who it is.
        identity: Identity,
    },
    /// A key was made for a reader and is to be stored; [`Bus::stored`] then sends it to the reader. Stored and not
    /// sent does no harm; sent and not stored would lose the reader.
    KeyMade {
        /// Which reader.
        reader: u16,
        /// Who it is.
        identity: Identity,
        /// Its key.
        key: ReaderKey,
    },
    /// The reader has the key and has proved it; the window is closed.
    Keyed {
        /// Which reader.
        reader: u16,
    },
    /// No key was set; the window is closed.
    KeyingFailed {
        /// Which reader.
        reader: u16,
        /// Why.
        why: KeyingFailure,
    },
    /// The end of a [`Bus::release`].
    Released {
        /// Which reader.
        reader: u16,
        /// Which of its outputs.
        output: u8,
        /// Whether the reader said that it did. Otherwise nobody knows: an answer can be lost.
        is_done: bool,
    },
}

/// The command on the line.
struct Turn {
    reader: usize,
    /// Until when its answer may come.
    until: Mono,
}

/// The machine of one line.
pub struct Bus {
    baud: u32,
    readers: Vec<Reader>,
    inbox: Inbox,
    entropy: Entropy,
    turn: Option<Turn>,
    /// Who had the last turn: after it, the next.
    last: usize,
    /// The line is somebody's until then: a pause between two frames.
    quiet_until: Mono,
    has_line: bool,
    writes: VecDeque<Vec<u8>>,
    events: VecDeque<BusEvent>,
    broken: u32,
}

impl Bus {
    /// A line whose readers are all away. `entropy` gives sixteen random bytes from the operating system.
    ///
    /// # Errors
    /// When the configuration cannot be.
    pub fn new(
        config: BusConfig,
        entropy: impl FnMut() -> Option<[u8; 16]> + Send + 'static,
        now: Mono,
    ) -> Result<Self, BusError> {
        if config.readers.len() > MOST_READERS {
            return Err(BusError::TooMany);
        }
        if config.baud == 0 {
            return Err(BusError::Speed);
        }
        let mut readers: Vec<Reader> = Vec::new();
        let mut seen: Vec<(u8, u16)> = Vec::new();
        for reader in config.readers {
            let (address, number) = (reader.address, reader.reader);
            if address > MAX_PD_ADDR {
                return Err(BusError::Address(address));
            }
            if seen.iter().any(|(other, others)| *other == address || *others == number) {
                return Err(BusError::Twice(address));
            }
            seen.push((address, number));
            let address = Address::pd(address).map_err(|_| BusError::Address(address))?;
            readers.push(Reader::new(reader, address, now));
        }
        let mut events = VecDeque::new();
        for reader in readers.iter_mut().filter(|reader| reader.has_no_key()) {
            reader.lose(OfflineReason::NotTrusted, None, now, &mut events);
        }
        let mut bus = Self {
            baud: config.baud,
            readers,
            inbox: Inbox::default(),
            entropy: Box::new(entropy),
            turn: None,
            last: 0,
            quiet_until: now,
            has_line: true,
            writes: VecDeque::new(),
            events,
            broken: 0,
        };
        bus.give_turn(now);
        Ok(bus)
    }

    /// One input at a time; then drain [`Bus::poll`].
    pub fn handle(&mut self, input: Input<'_>, now: Mono) {
        match input {
            Input::Bytes(bytes) => self.receive(bytes, now),
            Input::Tick => {}
            Input::LineLost => {
                self.has_line = false;
                self.turn = None;
                self.writes.clear();
                for reader in &mut self.readers {
                    reader.lose(OfflineReason::LineLost, None, now, &mut self.events);
                }
            }
            Input::LineBack => {
                self.has_line = true;
                self.inbox.clear();
                for reader in &mut self.readers {
                    reader.line_is_back(now);
                }
            }
        }
        self.advance(now);
    }

    /// What is to be done now.
    pub fn poll(&mut self) -> Output<BusEvent> {
        if let Some(event) = self.events.pop_front() {
            return Output::Event(event);
        }
        if let Some(bytes) = self.writes.pop_front() {
            return Output::Write(bytes);
        }
        Output::Wait(self.wake())
    }

    /// One order at a time; then drain [`Bus::poll`].
    pub fn order(&mut self, order: BusOrder, now: Mono) {
        match order {
            BusOrder::Show { reader, what } => self.show(reader, what, now),
            BusOrder::Release { reader, output, hold, not_after } => {
                self.release(reader, output, hold, not_after, now);
            }
            BusOrder::OpenKeying { reader, expected, length } => {
                if let Err(error) = self.open_keying(reader, expected, length, now) {
                    let why = KeyingFailure::NotOpened(error);
                    self.events.push_back(BusEvent::KeyingFailed { reader, why });
                }
            }
            BusOrder::Stored { reader } => self.stored(reader, now),
        }
    }

    /// Has a reader show something. Nothing happens when it is not ready: it would be late.
    pub fn show(&mut self, reader: u16, what: Feedback, now: Mono) {
        if let Some(reader) = self.find(reader) {
            reader.show(what, now);
        }
        self.advance(now);
    }

    /// Has an output of a reader on for `hold`, unless it is later than `not_after` when its turn comes; the reader
    /// itself ends it. Ends in one [`BusEvent::Released`].
    pub fn release(&mut self, reader: u16, output: u8, hold: Duration, not_after: Mono, now: Mono) {
        match self.readers.iter_mut().find(|known| known.number() == reader) {
            Some(known) => known.release(output, hold, not_after, now, &mut self.events),
            None => self.events.push_back(BusEvent::Released { reader, output, is_done: false }),
        }
        self.advance(now);
    }

    /// Opens the window in which a reader without a key gets one: for `length`, and only for `expected` where the
    /// reader's label is known; otherwise for the first one that answers at its address.
    ///
    /// # Errors
    /// When it may not be opened.
    pub fn open_keying(
        &mut self,
        reader: u16,
        expected: Option<Identity>,
        length: Duration,
        now: Mono,
    ) -> Result<(), KeyingError> {
        if length > LONGEST_KEYING {
            return Err(KeyingError::TooLong);
        }
        let is_open = self.readers.iter().any(Reader::is_keying);
        let reader = self.find(reader).ok_or(KeyingError::NoReader)?;
        if !reader.has_no_key() {
            return Err(KeyingError::NotWanted);
        }
        if is_open {
            return Err(KeyingError::OpenAlready);
        }
        reader.open_keying(expected, now + length, now);
        self.advance(now);
        Ok(())
    }

    /// The key of the last [`BusEvent::KeyMade`] of this reader is stored.
    pub fn stored(&mut self, reader: u16, now: Mono) {
        if let Some(reader) = self.find(reader) {
            reader.stored(now);
        }
        self.advance(now);
    }

    /// What came from a reader and was of no use.
    pub fn faults(&self, reader: u16) -> Option<Faults> {
        self.readers.iter().find(|known| known.number() == reader).map(Reader::faults)
    }

    /// What began like a frame on the line and was none: noise, or two readers with one address.
    pub const fn broken(&self) -> u32 {
        self.broken
    }

    fn find(&mut self, number: u16) -> Option<&mut Reader> {
        self.readers.iter_mut().find(|reader| reader.number() == number)
    }

    fn receive(&mut self, bytes: &[u8], now: Mono) {
        self.inbox.push(bytes);
        while let Some(frame) = self.inbox.next(&mut self.broken) {
            let Some(turn) = &self.turn else { continue };
            let Some(reader) = self.readers.get_mut(turn.reader) else { continue };
            if reader.answer(&frame, now, &mut self.entropy, &mut self.events) == Heard::Answer {
                self.turn = None;
                // two characters of silence between frames
                self.quiet_until = now + self.time_of(2);
            }
        }
    }

    fn advance(&mut self, now: Mono) {
        if let Some(turn) = self.turn.take_if(|turn| now >= turn.until)
            && let Some(reader) = self.readers.get_mut(turn.reader)
        {
            reader.missed(now, &mut self.events);
        }
        self.give_turn(now);
    }

    /// The next command, when the line is free and somebody is due.
    fn give_turn(&mut self, now: Mono) {
        if self.turn.is_some() || !self.has_line || now < self.quiet_until {
            return;
        }
        let count = self.readers.len();
        // each is asked once, from the one after the last on, so that none waits for another's repeats
        for step in 1..=count {
            let index = (self.last + step) % count;
            let Some(reader) = self.readers.get_mut(index) else { continue };
            if reader.due().is_none_or(|due| due > now) {
                continue;
            }
            if let Some(frame) = reader.turn(now, &mut self.entropy, &mut self.events) {
                // an answer to a command of before is none to this one
                self.inbox.clear();
                self.last = index;
                let until = now + REPLY_TIME + self.time_of(frame.len() + LONGEST_ANSWER);
                self.turn = Some(Turn { reader: index, until });
                // a byte of ones first, so that receivers find the start
                self.writes.push_back([&[0xFF], frame.as_slice()].concat());
                return;
            }
        }
    }

    /// How long so many bytes take on the line, with start and stop bits; rounded up to a millisecond.
    fn time_of(&self, bytes: usize) -> Duration {
        let bits = u64::try_from(bytes).unwrap_or(u64::MAX).saturating_mul(10_000);
        Duration::from_millis(bits.div_ceil(u64::from(self.baud)))
    }

    fn wake(&self) -> Mono {
        if let Some(turn) = &self.turn {
            return turn.until;
        }
        let due = self.readers.iter().filter(|_| self.has_line).filter_map(Reader::due).min();
        due.unwrap_or(Mono::from_millis(u64::MAX)).max(self.quiet_until)
    }
}

/// In bytes; the longest that readers send us is a 200-bit card in the Secure Channel.
const LONGEST_ANSWER: usize = 64;
