//! A picture in H.264 (RFC 6184) on its way from a door station to apps, or from a panel to a station's display: passed on as
//! it came, never decoded. Without IO, but for [`camera`] and [`display`], its shells.
//!
//! [`Source`] reads what passes: it keeps the parameter sets and the last key frame, so that who comes late sees a still
//! picture at once. [`View`] is one who looks on: its packets are those of the source under numbers of its own, without a gap
//! where it changes from the kept frame to what comes. [`Asking`] asks the source for key frames, by every way that door
//! stations know, and no oftener than they can stand.
//!
//! Invariants: the payload of a packet is never changed. Nobody is sent a frame that needs one which they do not have, as
//! far as the source has lost none. What is kept has a bound; a key frame beyond it is not kept at all.

mod ask;
pub mod camera;
pub mod display;
mod nal;
#[cfg(test)]
mod tests;
mod view;

pub use ask::{Ask, Asking, CONTROL};
pub use view::View;

use crate::rtp::packet::Packet;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use nal::{IDR, Nal, PPS, SPS};
use std::collections::BTreeMap;

/// The largest key frame that is kept, in bytes of payload.
pub const LARGEST: usize = 1 << 20;

/// Parameter sets of a kind, and the bytes of one, at most.
const SETS: usize = 8;
const LONGEST_SET: usize = 1024;

/// Packets of the clock in a second (RFC 6184, section 8.2.1).
pub const CLOCK_RATE: u32 = 90_000;

/// One packet of a frame, as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Piece {
    marker: bool,
    payload: Vec<u8>,
}

/// A frame that comes in.
#[derive(Debug)]
struct Frame {
    timestamp: u32,
    next: u16,
    /// It has its first packet and all since then, and is not too large.
    whole: bool,
    /// Its last packet came.
    over: bool,
    key: bool,
    sets: bool,
    bytes: usize,
    pieces: Vec<Piece>,
}

/// The last key frame.
#[derive(Debug)]
struct Kept {
    pieces: Vec<Piece>,
    sets: bool,
    /// Frames that came since.
    since: u32,
}

/// What a packet of the source is for those who look on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Part {
    /// It is the first of a key frame without parameter sets.
    bare: bool,
    /// A key frame begins with it, or with the sets in it.
    begins_key: bool,
}

impl Part {
    /// Whether a decoder may begin here, given what a [`View`] puts before it.
    pub const fn begins_key(&self) -> bool {
        self.begins_key
    }
}

/// What comes from one camera.
#[derive(Debug, Default)]
pub struct Source {
    ssrc: Option<u32>,
    sps: BTreeMap<u32, Vec<u8>>,
    pps: BTreeMap<u32, Vec<u8>>,
    frame: Option<Frame>,
    kept: Option<Kept>,
}

impl Source {
    /// Begins, with what its description said of parameter sets (`sprop-parameter-sets`), if it did.
    pub fn new(parameter_sets: Option<&str>) -> Self {
        let mut source = Self::default();
        for set in parameter_sets.unwrap_or_default().split(',').take(2 * SETS) {
            if let Ok(bytes) = BASE64_STANDARD.decode(set.trim()) {
                source.keep_set(&bytes);
            }
        }
        source
    }

    /// The stream that comes, once it does.
    pub fn ssrc(&self) -> Option<u32> {
        self.ssrc
    }

    /// Whether there is a key frame for who comes late.
    pub fn has_key_frame(&self) -> bool {
        self.kept.is_some()
    }

    /// Reads one packet, before it is given to each [`View`]. `None` for what is no H.264 that we know: it is not to be
    /// passed on.
    pub fn take(&mut self, packet: &Packet<'_>) -> Option<Part> {
        let nals = nal::units(packet.payload)?;
        if self.ssrc != Some(packet.ssrc) {
            // another stream has frames of its own; parameter sets may well be the same
            (self.ssrc, self.frame, self.kept) = (Some(packet.ssrc), None, None);
        }
        let is_new = self.frame.as_ref().is_none_or(|frame| frame.timestamp != packet.timestamp);
        if let Some(frame) = self.frame.as_ref().filter(|frame| is_new && is_later(packet, frame)) {
            let follows = frame.next == packet.sequence;
            self.finish();
            self.begin(packet, follows);
        } else if self.frame.is_none() {
            self.begin(packet, false);
        } else if is_new || self.frame.as_ref().is_some_and(|frame| frame.over) {
            // late, or twice: told by its own number to who looks on
            return Some(Part::default());
        }
        for nal in &nals {
            if let Nal::Whole(bytes) = nal {
                self.keep_set(bytes);
            }
        }
        let frame = self.frame.as_mut()?;
        let kinds = || nals.iter().filter_map(Nal::begins);
        let (before, sets) = (frame.key || frame.sets, kinds().any(|kind| kind == SPS));
        let key = kinds().any(|kind| kind == IDR);
        let part =
            Part { bare: key && !frame.key && !frame.sets && !sets, begins_key: (key || sets) && !before };
        // a key frame whose beginning was lost is one all the same
        frame.key |= nals.iter().any(|nal| nal.kind() == Some(IDR));
        frame.sets |= sets;
        frame.whole &= frame.next == packet.sequence;
        frame.next = packet.sequence.wrapping_add(1);
        frame.bytes += packet.payload.len();
        if frame.bytes > LARGEST {
            (frame.whole, frame.pieces) = (false, Vec::new());
        }
        if frame.whole {
            frame.pieces.push(Piece { marker: packet.marker, payload: packet.payload.to_vec() });
        }
        if packet.marker {
            self.finish();
        }
        Some(part)
    }

    fn begin(&mut self, packet: &Packet<'_>, follows: bool) {
        // the first packet of a frame is known by the one before it; without that, by what it begins with
        let starts = nal::units(packet.payload)
            .is_some_and(|nals| nals.first().and_then(Nal::begins).is_some_and(|kind| kind != 1));
        self.frame = Some(Frame {
            timestamp: packet.timestamp,
            next: packet.sequence,
            whole: follows || starts,
            over: false,
            key: false,
            sets: false,
            bytes: 0,
            pieces: Vec::new(),
        });
    }

    /// A frame is over: by its marker, or because another began.
    fn finish(&mut self) {
        let Some(frame) = self.frame.as_mut().filter(|frame| !frame.over) else { return };
        frame.over = true;
        let pieces = std::mem::take(&mut frame.pieces);
        let ended = pieces.last().is_some_and(|piece| piece.marker);
        if frame.key {
            // one that is newer than what is kept, and not whole, leaves nothing to show
            let whole = frame.whole && ended;
            self.kept = whole.then_some(Kept { pieces, sets: frame.sets, since: 0 });
        } else if let Some(kept) = &mut self.kept {
            kept.since = kept.since.saturating_add(1);
        }
    }

    fn keep_set(&mut self, bytes: &[u8]) {
        let (sets, id) = match bytes.first().map(|first| first & 0x1f) {
            // behind profile, constraints and level
            Some(SPS) => (&mut self.sps, nal::number(bytes.get(4..).unwrap_or_default())),
            Some(PPS) => (&mut self.pps, nal::number(bytes.get(1..).unwrap_or_default())),
            _ => return,
        };
        let Some(id) = id.filter(|_| bytes.len() <= LONGEST_SET) else { return };
        if sets.len() < SETS || sets.contains_key(&id) {
            sets.insert(id, bytes.to_vec());
        }
    }

    /// The parameter sets, each of which is a payload of its own.
    fn sets(&self) -> impl Iterator<Item = &[u8]> {
        self.sps.values().chain(self.pps.values()).map(Vec::as_slice)
    }
}

/// Whether a packet of another time came after this frame, not late from before it.
fn is_later(packet: &Packet<'_>, frame: &Frame) -> bool {
    packet.sequence.wrapping_sub(frame.next) < 0x8000
}
