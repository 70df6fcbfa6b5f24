//! One outgoing RTP stream made of parts of several incoming ones.
//!
//! A receiver sees one stream for the whole call: one SSRC, sequence numbers without holes of our making and
//! timestamps that go forward, although the source may change (the panel's page reloads, another app takes the
//! call over) or be left out for a while (no picture wanted, no capacity for it). Payloads stay closed, so a
//! switch is not aligned to frames: the receiver's decoder waits for the key frame that we ask for at a switch.
//!
//! Invariants:
//! - two different packets of the sources never get the same number;
//! - within one source the distances between numbers are kept, so real losses stay visible and can be repaired;
//! - the first packet after a switch gets the number after the highest one sent, and a timestamp as much later
//!   as time has passed; what arrives late from before the switch is dropped.

use std::time::{Duration, Instant};

/// An incoming stream: which connection it came over, and its SSRC there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source {
    /// Number of the connection, unique in the room.
    pub leg: u64,
    /// SSRC on that connection.
    pub ssrc: u32,
}

/// Gives packets of changing sources their place in one outgoing stream.
#[derive(Debug)]
pub struct Rewriter {
    /// Timestamp units in a second.
    clock_rate: u32,
    /// Number for the first packet of the next run.
    next_seq: u64,
    /// Highest timestamp sent and when, once something was.
    newest: Option<(u32, Instant)>,
    run: Option<Run>,
}

/// An unbroken part of one source.
#[derive(Debug)]
struct Run {
    source: Source,
    first_seq: u64,
    /// Outgoing minus incoming.
    seq_shift: u64,
    timestamp_shift: u32,
}

impl Rewriter {
    /// A stream that starts with this sequence number (it should be random and below 2¹⁵, so that the first
    /// packets may be lost without confusing SRTP's roll-over count).
    pub fn new(clock_rate: u32, first_seq: u16) -> Self {
        Self { clock_rate, next_seq: u64::from(first_seq), newest: None, run: None }
    }

    /// Ends the current run: what comes next, even from the same source, follows without a hole.
    pub fn cut(&mut self) {
        self.run = None;
    }

    /// The packet's sequence number (extended) and timestamp in the outgoing stream; `None` when it belongs
    /// before a switch that was already made. `seq` is extended by the source's roll-overs.
    pub fn rewrite(&mut self, source: Source, seq: u64, timestamp: u32, now: Instant) -> Option<(u64, u32)> {
        let run = match &self.run {
            Some(run) if run.source == source => run,
            _ => {
                let start =
                    self.newest.map_or(timestamp, |(newest, at)| newest.wrapping_add(self.ticks(now - at)));
                self.run.insert(Run {
                    source,
                    first_seq: seq,
                    seq_shift: self.next_seq.wrapping_sub(seq),
                    timestamp_shift: start.wrapping_sub(timestamp),
                })
            }
        };
        if seq < run.first_seq {
            return None;
        }
        let out_seq = seq.wrapping_add(run.seq_shift);
        let out_timestamp = timestamp.wrapping_add(run.timestamp_shift);
        self.next_seq = self.next_seq.max(out_seq + 1);
        // A repaired packet of an older frame does not turn the stream's time back.
        if self.newest.is_none_or(|(newest, _)| out_timestamp.wrapping_sub(newest) < u32::MAX / 2) {
            self.newest = Some((out_timestamp, now));
        }
        Some((out_seq, out_timestamp))
    }

    /// Timestamp units in a duration, at least one, so that frames of two runs never share a timestamp.
    fn ticks(&self, elapsed: Duration) -> u32 {
        let ticks = elapsed.as_micros() * u128::from(self.clock_rate) / 1_000_000;
        // Wraps like the timestamp itself does.
        ((ticks & u128::from(u32::MAX)) as u32).max(1)
    }
}

#[cfg(test)]
mod tests;
