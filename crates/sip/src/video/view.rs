//! One who looks at a [`Source`].

use super::{CLOCK_RATE, Part, Piece, Source};
use crate::rtp::packet::Packet;
use klinke_model::time::Mono;

/// Times that pass between the kept frame and the next one at least, in ticks: a frame of 30 a second.
const FRAME: u32 = CLOCK_RATE / 30;

/// How far a view has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Nothing was seen yet, or the kept frame only: what comes has to wait for a key frame.
    Waits,
    /// What comes is passed on, from this number on.
    Live { from: u16, sequence: u16, timestamp: u32 },
}

/// One who looks on: numbers of its own, and where it is.
#[derive(Debug)]
pub struct View {
    ssrc: u32,
    payload_type: u8,
    /// The number of its next packet.
    sequence: u16,
    /// The time of its last packet in ticks, and when that was sent.
    timestamp: u32,
    at: Option<Mono>,
    /// The source's stream that it looks at.
    of: Option<u32>,
    stage: Stage,
}

impl View {
    /// A view under this SSRC and payload type, whose first packet has this number and time.
    pub fn new(ssrc: u32, payload_type: u8, sequence: u16, timestamp: u32) -> Self {
        Self { ssrc, payload_type, sequence, timestamp, at: None, of: None, stage: Stage::Waits }
    }

    /// From now on its packets have this payload type.
    pub fn sends_as(&mut self, payload_type: u8) {
        self.payload_type = payload_type;
    }

    /// Whether it needs a key frame to go on: [`Asking::want`](super::Asking::want) one.
    pub fn waits(&self) -> bool {
        self.stage == Stage::Waits
    }

    /// The kept key frame with its parameter sets, as datagrams; none where there is none. After it comes what follows the
    /// next key frame, or all that comes if nothing has come since.
    pub fn join(&mut self, source: &Source, now: Mono) -> Vec<Vec<u8>> {
        let Some(kept) = &source.kept else { return Vec::new() };
        self.pass_time(now);
        let sets =
            source.sets().filter(|_| !kept.sets).map(|set| Piece { marker: false, payload: set.to_vec() });
        let pieces: Vec<Piece> = sets.chain(kept.pieces.iter().cloned()).collect();
        let datagrams = pieces.iter().map(|piece| self.write(piece.marker, &piece.payload)).collect();
        // the kept frame is the last that came
        if let (0, Some(frame)) = (kept.since, source.frame.as_ref().filter(|frame| frame.over)) {
            let (timestamp, next) = (self.timestamp.wrapping_sub(frame.timestamp), frame.next);
            self.of = source.ssrc;
            self.stage = Stage::Live { from: next, sequence: self.sequence.wrapping_sub(next), timestamp };
        }
        datagrams
    }

    /// What one packet of the source is for it, as datagrams; none while it waits for a key frame.
    pub fn pass(&mut self, source: &Source, packet: &Packet<'_>, part: Part, now: Mono) -> Vec<Vec<u8>> {
        if self.of != Some(packet.ssrc) {
            (self.of, self.stage) = (Some(packet.ssrc), Stage::Waits);
        }
        if self.stage == Stage::Waits {
            if !part.begins_key {
                return Vec::new();
            }
            self.pass_time(now);
            self.stage = Stage::Live {
                from: packet.sequence,
                sequence: self.sequence.wrapping_sub(packet.sequence),
                timestamp: self.timestamp.wrapping_sub(packet.timestamp),
            };
        }
        let Stage::Live { from, sequence, timestamp } = &mut self.stage else { return Vec::new() };
        // from before it began
        if packet.sequence.wrapping_sub(*from) >= 0x8000 {
            return Vec::new();
        }
        *from = (*from).max_wrapping(packet.sequence.wrapping_sub(0x3fff));
        let own = packet.timestamp.wrapping_add(*timestamp);
        let mut datagrams = Vec::new();
        // a key frame that needs sets which were told elsewhere
        let sets: Vec<&[u8]> = if part.bare { source.sets().collect() } else { Vec::new() };
        let number = packet.sequence.wrapping_add(*sequence);
        let added = u16::try_from(sets.len()).unwrap_or(0);
        *sequence = sequence.wrapping_add(added);
        for (n, payload) in (0_u16..).zip(&sets) {
            datagrams.push(self.datagram(false, number.wrapping_add(n), own, payload));
        }
        let number = number.wrapping_add(added);
        datagrams.push(self.datagram(packet.marker, number, own, packet.payload));
        let next = number.wrapping_add(1);
        if next.wrapping_sub(self.sequence) < 0x8000 {
            (self.sequence, self.timestamp, self.at) = (next, own, Some(now));
        }
        datagrams
    }

    /// Time passes between what was sent and what comes now, as much as did in truth.
    fn pass_time(&mut self, now: Mono) {
        if let Some(at) = self.at {
            let millis = u32::try_from(now.since(at).as_millis()).unwrap_or(u32::MAX);
            let ticks = millis.wrapping_mul(CLOCK_RATE / 1000).max(FRAME);
            self.timestamp = self.timestamp.wrapping_add(ticks);
        }
        self.at = Some(now);
    }

    fn write(&mut self, marker: bool, payload: &[u8]) -> Vec<u8> {
        let datagram = self.datagram(marker, self.sequence, self.timestamp, payload);
        self.sequence = self.sequence.wrapping_add(1);
        datagram
    }

    fn datagram(&self, marker: bool, sequence: u16, timestamp: u32, payload: &[u8]) -> Vec<u8> {
        let packet = Packet {
            payload_type: self.payload_type,
            marker,
            sequence,
            timestamp,
            ssrc: self.ssrc,
            csrc: &[],
            extension: None,
            payload,
        };
        packet.write()
    }
}

trait Wrapping {
    fn max_wrapping(self, other: Self) -> Self;
}

impl Wrapping for u16 {
    /// The later of two numbers that wrap.
    fn max_wrapping(self, other: Self) -> Self {
        if other.wrapping_sub(self) < 0x8000 { other } else { self }
    }
}
