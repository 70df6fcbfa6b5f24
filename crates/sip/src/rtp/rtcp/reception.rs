//! How a stream arrives: what is lost and how unevenly it comes (RFC 3550 A.1, A.3, A.8).

use super::{Block, Sent};
use crate::rtp::packet::{Packet, Unwrapped};
use klinke_model::time::Mono;

/// Counts for one stream.
#[derive(Debug)]
pub struct Reception {
    ssrc: u32,
    /// Ticks in a millisecond.
    per_ms: i64,
    numbers: Unwrapped,
    first: i64,
    highest: i64,
    received: i64,
    /// What was expected and received at the last report.
    reported: (i64, i64),
    stamps: Unwrapped,
    /// Arrival less timestamp of the packet before.
    way: Option<i64>,
    /// Sixteen times the jitter, ticks.
    jitter: i64,
    /// The middle of the last sender report's time, and when it came.
    report: Option<(u32, Mono)>,
}

impl Reception {
    /// A stream that begins with this packet, which is to be counted like all others.
    pub fn new(packet: &Packet<'_>, clock_rate: u32) -> Self {
        let mut numbers = Unwrapped::default();
        let first = numbers.extend(packet.sequence.into(), 16);
        Self {
            ssrc: packet.ssrc,
            per_ms: i64::from(clock_rate / 1_000).max(1),
            numbers,
            first,
            highest: first,
            received: 0,
            reported: (0, 0),
            stamps: Unwrapped::default(),
            way: None,
            jitter: 0,
            report: None,
        }
    }

    /// The stream.
    pub const fn ssrc(&self) -> u32 {
        self.ssrc
    }

    /// Counts a packet of sound.
    pub fn count(&mut self, packet: &Packet<'_>, now: Mono) {
        self.highest = self.highest.max(self.numbers.extend(packet.sequence.into(), 16));
        self.received += 1;
        let arrival = i64::try_from(now.as_millis()).unwrap_or(i64::MAX).saturating_mul(self.per_ms);
        let way = arrival.saturating_sub(self.stamps.extend(packet.timestamp, 32));
        if let Some(before) = self.way.replace(way) {
            self.jitter += way.saturating_sub(before).saturating_abs().min(1 << 24) - (self.jitter + 8) / 16;
        }
    }

    /// Counts a packet that only takes up a number: a key has the timestamp of its press.
    pub fn count_number(&mut self, packet: &Packet<'_>) {
        self.highest = self.highest.max(self.numbers.extend(packet.sequence.into(), 16));
        self.received += 1;
    }

    /// Their report came.
    pub fn sender_report(&mut self, sent: Sent, now: Mono) {
        // the middle 32 of 64 bits
        self.report = Some((((sent.ntp >> 16) & u64::from(u32::MAX)) as u32, now));
    }

    /// What we report: everything, and the losses since the last time.
    pub fn block(&mut self, now: Mono) -> Block {
        let expected = self.highest - self.first + 1;
        let (before_expected, before_received) =
            std::mem::replace(&mut self.reported, (expected, self.received));
        let interval = expected - before_expected;
        let missing = interval - (self.received - before_received);
        let fraction = if interval > 0 { (missing * 256 / interval).clamp(0, 255) } else { 0 };
        let (last_report, since_report) = self.report.map_or((0, 0), |(middle, when)| {
            let since = now.since(when).as_millis() * 65_536 / 1_000;
            (middle, u32::try_from(since).unwrap_or(u32::MAX))
        });
        Block {
            ssrc: self.ssrc,
            fraction_lost: fraction as u8,
            lost: i32::try_from(expected - self.received).unwrap_or(0),
            // the number and its roll-overs, which wrap too
            highest: (self.highest & i64::from(u32::MAX)) as u32,
            jitter: u32::try_from(self.jitter / 16).unwrap_or(0),
            last_report,
            since_report,
        }
    }
}
