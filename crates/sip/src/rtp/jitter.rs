//! The jitter buffer: packets come when the network brings them, sound is taken from it every 20 ms.
//!
//! It waits as long as this network needs, 40 to 120 ms: so long that one packet in a hundred comes too late. The measure
//! is each packet's delay beyond the fastest of the last seconds. What is to be handed out is a place in the stream's own
//! time, the *cursor*, which goes on with the taker's clock whether packets come or not.
//!
//! ```text
//!   handed out ──▶ │cursor        held: by timestamp, with holes            newest │ ──▶ time of the stream
//!                  └── wanted = now − fastest way − target: how far the cursor is off says hurry or wait
//! ```
//!
//! Invariants:
//! - what is handed out has ever higher timestamps, but for the start of another stream;
//! - no more than [`MOST_HELD`] packets are held, and no packet stays longer than the target, half a frame of slack and
//!   the frame before it;
//! - one packet of another stream, or of another time, changes nothing; the second in a row starts anew.

use super::packet::{Packet, Unwrapped};
use super::{FRAME, FRAME_MS};
use klinke_model::time::Mono;
use std::collections::BTreeMap;
use std::time::Duration;

/// The shortest wait.
pub const SHORTEST: Duration = Duration::from_millis(40);
/// The longest wait: beyond it, people talk over each other.
pub const LONGEST: Duration = Duration::from_millis(120);
/// Packets that are held at most.
pub const MOST_HELD: usize = 64;
/// A timestamp that is further off than this is another time, milliseconds.
const OTHER_TIME_MS: i64 = 1_000;
/// So many too late in a row: the way has become longer for good.
const LATE_IN_A_ROW: u32 = 5;
/// Off by less than this, the cursor is where it should be, milliseconds.
const SLACK_MS: i64 = 10;
/// Sound is shortened no more often than this.
const HURRY_EVERY: Duration = Duration::from_millis(200);

/// What becomes of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It will be handed out.
    Held,
    /// It will too, as the first of a stream.
    Started,
    /// Its time is over.
    Late,
    /// It is here already.
    Duplicate,
    /// From another stream or time: the next one tells whether that is meant.
    Strange,
    /// It carries no sound, or there is no room.
    Refused,
}

/// What is to be played next.
#[derive(Debug, PartialEq, Eq)]
pub enum Next<'a> {
    /// This packet.
    Packet {
        /// What it carries.
        payload: Vec<u8>,
        /// There is too much delay: play this one and the next in the time of one.
        hurry: bool,
    },
    /// Sound that is missing.
    Lost {
        /// How much, ticks.
        ticks: u32,
        /// The packet right after it, which may carry a copy.
        next: Option<&'a [u8]>,
    },
    /// Nobody speaks.
    Quiet {
        /// For how long, ticks.
        ticks: u32,
    },
}

/// Figures of a stream since it started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Packets that were handed out.
    pub played: u64,
    /// Packets whose time was over.
    pub late: u64,
    /// Packets that came twice.
    pub duplicate: u64,
    /// Frames of 20 ms that were made up.
    pub made_up: u64,
}

/// Packets of one direction, from the network to the ear.
#[derive(Debug)]
pub struct JitterBuffer {
    /// Ticks in a millisecond.
    per_ms: i64,
    stream: Option<Stream>,
    /// The last packet that was strange: its stream and number.
    strange: Option<(u32, u16)>,
    figures: Figures,
}

#[derive(Debug)]
struct Stream {
    ssrc: u32,
    numbers: Unwrapped,
    stamps: Unwrapped,
    /// By extended timestamp.
    held: BTreeMap<i64, Held>,
    /// The timestamp that is handed out next.
    cursor: i64,
    /// Number of the packet handed out last, and the timestamp at which it ends.
    last: Option<(i64, i64)>,
    delays: Delays,
    /// Frames in a row for which nothing was there.
    starved: u32,
    late_in_a_row: u32,
    hurried: Option<Mono>,
}

#[derive(Debug)]
struct Held {
    number: i64,
    ticks: i64,
    payload: Vec<u8>,
}

impl JitterBuffer {
    /// An empty one for a clock of so many ticks a second (8,000 or 48,000).
    pub fn new(clock_rate: u32) -> Self {
        let per_ms = i64::from(clock_rate / 1_000).max(1);
        Self { per_ms, stream: None, strange: None, figures: Figures::default() }
    }

    /// Takes a packet that holds so many ticks of sound.
    pub fn push(&mut self, packet: &Packet<'_>, ticks: u32, now: Mono) -> Taken {
        if ticks == 0 || i64::from(ticks) > 120 * self.per_ms {
            return Taken::Refused;
        }
        let (per_ms, ticks) = (self.per_ms, i64::from(ticks));
        let arrival = millis(now) * per_ms;
        let Some(stream) = self.stream.as_mut() else { return self.start(packet, ticks, arrival, now) };
        let far = stream.stamps.near(packet.timestamp, 32) - stream.cursor;
        if packet.ssrc != stream.ssrc || far.abs() > OTHER_TIME_MS * per_ms {
            let expected = (packet.ssrc, packet.sequence.wrapping_sub(1));
            if self.strange.replace((packet.ssrc, packet.sequence)) == Some(expected) {
                return self.start(packet, ticks, arrival, now);
            }
            return Taken::Strange;
        }
        self.strange = None;
        let timestamp = stream.stamps.extend(packet.timestamp, 32);
        let number = stream.numbers.extend(packet.sequence.into(), 16);
        let over = stream.last.is_some_and(|(_, end)| timestamp < end);
        if over && stream.last.is_some_and(|(last, _)| number <= last) && stream.was_played(number) {
            self.figures.duplicate += 1;
            return Taken::Duplicate;
        }
        if stream.held.contains_key(&timestamp) {
            self.figures.duplicate += 1;
            return Taken::Duplicate;
        }
        stream.delays.saw(arrival - timestamp, per_ms, now);
        if timestamp + ticks <= stream.cursor {
            // starved for it: the longer wait, which is wanted from now on, has a place for it
            let has_place = !over && stream.starved > 0 && stream.delays.wanted(arrival, per_ms) <= timestamp;
            if has_place {
                stream.cursor = timestamp;
            } else {
                self.figures.late += 1;
                stream.late_in_a_row += 1;
                if stream.late_in_a_row >= LATE_IN_A_ROW {
                    return self.start(packet, ticks, arrival, now);
                }
                return Taken::Late;
            }
        }
        if over || stream.held.len() >= MOST_HELD {
            return Taken::Refused;
        }
        stream.late_in_a_row = 0;
        stream.starved = 0;
        stream.held.insert(timestamp, Held { number, ticks, payload: packet.payload.to_vec() });
        Taken::Held
    }

    /// What to play next, when `ahead` ticks of sound that was handed out before are still to be played.
    pub fn next(&mut self, ahead: u32, now: Mono) -> Next<'_> {
        let per_ms = self.per_ms;
        let frame = i64::from(FRAME_MS) * per_ms;
        let quiet = |ticks: i64| Next::Quiet { ticks: tick_count(ticks) };
        let Some(stream) = self.stream.as_mut() else { return quiet(frame) };
        let slack = SLACK_MS * per_ms;
        // above zero there is too little delay, below too much
        let mut off = stream.cursor - i64::from(ahead) - stream.delays.wanted(millis(now) * per_ms, per_ms);
        let Some((&timestamp, first)) = stream.held.first_key_value() else {
            stream.starved = stream.starved.saturating_add(1);
            stream.cursor += frame;
            if stream.starved > 3 || stream.last.is_none() {
                return quiet(frame);
            }
            self.figures.made_up += 1;
            return Next::Lost { ticks: tick_count(frame), next: None };
        };
        let gap = timestamp - stream.cursor;
        if gap > 0 {
            let follows = stream.last.is_none_or(|(last, _)| first.number <= last + 1);
            // silence, and what is lost anyway, may be as long as it suits the delay
            let spare = if off < -slack { gap.min(-off) } else { 0 };
            stream.cursor += spare;
            off += spare;
            let gap = gap - spare;
            if gap > 0 && follows {
                let step = gap.min(frame);
                if off < frame {
                    stream.cursor += step;
                }
                return quiet(step);
            }
            if gap > 0 {
                let step = gap.min(frame);
                stream.cursor += step;
                self.figures.made_up += 1;
                let next = stream.held.first_key_value().filter(|_| gap <= frame);
                return Next::Lost {
                    ticks: tick_count(step),
                    next: next.map(|(_, held)| held.payload.as_slice()),
                };
            }
        } else if off >= frame + slack {
            self.figures.made_up += 1;
            return Next::Lost { ticks: tick_count(frame), next: None };
        }
        let Some((timestamp, held)) = stream.held.pop_first() else { return quiet(frame) };
        let end = timestamp + held.ticks;
        stream.cursor = end;
        stream.last = Some((held.number, end));
        self.figures.played += 1;
        let may_hurry = stream.hurried.is_none_or(|last| now.since(last) >= HURRY_EVERY);
        let hurry = off < -(frame + slack) && stream.held.contains_key(&end) && may_hurry;
        if hurry {
            stream.hurried = Some(now);
        }
        Next::Packet { payload: held.payload, hurry }
    }

    /// How long a packet waits at present, before it is played.
    pub fn target(&self) -> Duration {
        self.stream
            .as_ref()
            .map_or(SHORTEST, |stream| Duration::from_millis(stream.delays.target_ms.unsigned_abs()))
    }

    /// The stream that is heard.
    pub fn ssrc(&self) -> Option<u32> {
        self.stream.as_ref().map(|stream| stream.ssrc)
    }

    /// Figures since the beginning.
    pub const fn figures(&self) -> Figures {
        self.figures
    }

    /// Packets that are held.
    pub fn held(&self) -> usize {
        self.stream.as_ref().map_or(0, |stream| stream.held.len())
    }

    fn start(&mut self, packet: &Packet<'_>, ticks: i64, arrival: i64, now: Mono) -> Taken {
        let (mut numbers, mut stamps) = (Unwrapped::default(), Unwrapped::default());
        let timestamp = stamps.extend(packet.timestamp, 32);
        let number = numbers.extend(packet.sequence.into(), 16);
        let delays = Delays::new(arrival - timestamp, now);
        let cursor = delays.wanted(arrival, self.per_ms);
        let held = BTreeMap::from([(timestamp, Held { number, ticks, payload: packet.payload.to_vec() })]);
        let ssrc = packet.ssrc;
        self.strange = None;
        self.stream = Some(Stream {
            ssrc,
            numbers,
            stamps,
            held,
            cursor,
            last: None,
            delays,
            starved: 0,
            late_in_a_row: 0,
            hurried: None,
        });
        Taken::Started
    }
}

impl Stream {
    /// Whether this number was handed out: only the last one is remembered, others are late.
    fn was_played(&self, number: i64) -> bool {
        self.last.is_some_and(|(last, _)| last == number)
    }
}

/// Milliseconds as a signed number.
fn millis(now: Mono) -> i64 {
    i64::try_from(now.as_millis()).unwrap_or(i64::MAX)
}

fn tick_count(ticks: i64) -> u32 {
    u32::try_from(ticks).unwrap_or(0)
}

/// How late packets come, beyond the fastest of the last seconds.
#[derive(Debug)]
struct Delays {
    /// Share of the packets by their delay, one for each 10 ms; together 1.
    shares: [f32; 20],
    /// The fastest way (arrival less timestamp, ticks) in this window and in the one before.
    fastest: [i64; 2],
    window: Mono,
    target_ms: i64,
}

impl Delays {
    const WINDOW: Duration = Duration::from_secs(4);
    /// What one packet weighs: the last 200 count.
    const WEIGHT: f32 = 0.005;
    /// The share that may come too late.
    const LATE: f32 = 0.01;

    fn new(way: i64, now: Mono) -> Self {
        let mut shares = [0.0; 20];
        if let Some(first) = shares.first_mut() {
            *first = 1.0;
        }
        Self { shares, fastest: [way; 2], window: now, target_ms: SHORTEST.as_millis() as i64 }
    }

    fn saw(&mut self, way: i64, per_ms: i64, now: Mono) {
        if now.since(self.window) >= Self::WINDOW {
            self.fastest = [way, self.fastest[0]];
            self.window = now;
        }
        self.fastest[0] = self.fastest[0].min(way);
        let bucket = ((way - self.base()) / per_ms / 10).clamp(0, 19);
        let mut late = 0.0;
        let mut target_ms = 0;
        for (place, share) in (0_i64..).zip(&mut self.shares) {
            *share *= 1.0 - Self::WEIGHT;
            if place == bucket {
                *share += Self::WEIGHT;
            }
        }
        // the shortest wait for which no more than the share that may comes later
        for (place, share) in (0_i32..20).zip(&self.shares).rev() {
            late += share;
            if late > Self::LATE {
                target_ms = i64::from((place + 1) * 10) + i64::from(FRAME_MS);
                break;
            }
        }
        self.target_ms = target_ms.clamp(SHORTEST.as_millis() as i64, LONGEST.as_millis() as i64);
    }

    fn base(&self) -> i64 {
        self.fastest[0].min(self.fastest[1])
    }

    /// The timestamp that is to be played at `arrival` (now, in ticks).
    fn wanted(&self, arrival: i64, per_ms: i64) -> i64 {
        arrival - self.base() - self.target_ms * per_ms
    }
}

const _: () = assert!(FRAME.as_millis() == FRAME_MS as u128);

#[cfg(test)]
mod tests;
