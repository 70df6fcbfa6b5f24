//! From packets to frames: one frame of exactly 20 ms for each tick, whatever length the packets have.

use super::codec::{Codec, CodecError, Decoder};
use super::jitter::{Figures, JitterBuffer, Next, Taken};
use super::packet::Packet;
use klinke_model::time::Mono;
use std::collections::VecDeque;
use std::time::Duration;

/// Packets looked at for one frame: 20 ms are no more than eight of the shortest.
const MOST_FOR_A_FRAME: usize = 16;

/// Jitter buffer and decoder of one direction.
#[derive(Debug)]
pub struct Playout {
    codec: Codec,
    jitter: JitterBuffer,
    decoder: Decoder,
    /// Decoded and not yet played.
    ready: VecDeque<i16>,
    /// Samples in a frame.
    frame: usize,
    /// Ticks of the codec's clock for each sample, as a fraction.
    clock: (u64, u64),
}

impl Playout {
    /// An empty one that gives frames at `rate` (8,000 or 16,000 samples a second).
    ///
    /// # Errors
    /// [`CodecError`], when the codec can not be had at this rate.
    pub fn new(codec: Codec, rate: u32) -> Result<Self, CodecError> {
        Ok(Self {
            codec,
            jitter: JitterBuffer::new(codec.clock_rate()),
            decoder: Decoder::new(codec, rate)?,
            ready: VecDeque::new(),
            frame: samples_of_frame(rate),
            clock: (codec.clock_rate().into(), rate.into()),
        })
    }

    /// Takes a packet of this codec.
    pub fn push(&mut self, packet: &Packet<'_>, now: Mono) -> Taken {
        match self.codec.ticks(packet.payload) {
            Some(ticks) => self.jitter.push(packet, ticks, now),
            None => Taken::Refused,
        }
    }

    /// The next frame; due every 20 ms.
    pub fn frame(&mut self, now: Mono) -> Vec<i16> {
        for _ in 0..MOST_FOR_A_FRAME {
            if self.ready.len() >= self.frame {
                break;
            }
            self.fill(now);
        }
        let count = self.frame.min(self.ready.len());
        let mut frame: Vec<i16> = self.ready.drain(..count).collect();
        frame.resize(self.frame, 0);
        frame
    }

    /// The stream that is heard.
    pub fn ssrc(&self) -> Option<u32> {
        self.jitter.ssrc()
    }

    /// How long packets wait at present.
    pub fn delay(&self) -> Duration {
        self.jitter.target()
    }

    /// Figures since the beginning.
    pub const fn figures(&self) -> Figures {
        self.jitter.figures()
    }

    /// Decodes one more packet, or makes up what is missing.
    fn fill(&mut self, now: Mono) {
        let (clock, rate) = self.clock;
        let ahead = u32::try_from(self.ready.len() as u64 * clock / rate).unwrap_or(u32::MAX);
        let samples = |ticks: u32| usize::try_from(u64::from(ticks) * rate / clock).unwrap_or(0).max(1);
        let sound = match self.jitter.next(ahead, now) {
            Next::Packet { payload, hurry } => {
                let sound = self.decoder.decode(&payload);
                if hurry { self.hurry(sound, ahead, now) } else { sound }
            }
            Next::Lost { ticks, next } => self.decoder.decode_lost(samples(ticks), next),
            Next::Quiet { ticks } => self.decoder.quiet(samples(ticks)),
        };
        self.ready.extend(sound);
    }

    /// This sound and the next, each faded into the other, in the time of one.
    fn hurry(&mut self, sound: Vec<i16>, ahead: u32, now: Mono) -> Vec<i16> {
        let Next::Packet { payload, .. } = self.jitter.next(ahead, now) else { return sound };
        let next = self.decoder.decode(&payload);
        let count = sound.len().min(next.len()).max(1);
        let mut out: Vec<i16> = sound
            .iter()
            .zip(&next)
            .enumerate()
            .map(|(at, (&before, &after))| blend(before, after, at, count))
            .collect();
        out.extend(next.iter().skip(count));
        out
    }
}

/// Between two samples: the first at 0, the second at `count`.
pub(crate) fn blend(before: i16, after: i16, at: usize, count: usize) -> i16 {
    let (at, count) = (at.min(count) as i64, count.max(1) as i64);
    let mixed = (i64::from(before) * (count - at) + i64::from(after) * at) / count;
    // between two of them
    mixed as i16
}

/// Samples of 20 ms.
pub(crate) const fn samples_of_frame(rate: u32) -> usize {
    (rate / 50) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rtp::codec::Encoder;

    fn tone(at: usize, count: usize) -> Vec<i16> {
        (at..at + count)
            .map(|n| ((n as f32 * 440.0 * std::f32::consts::TAU / 8_000.0).sin() * 9_000.0) as i16)
            .collect()
    }

    /// The loudness of what comes out when a tone is sent in packets of `ptime` ms, in each frame of 20 ms.
    fn played(ptime: usize) -> Vec<f32> {
        let mut encoder = Encoder::new(Codec::Pcma, 8_000).unwrap();
        let mut playout = Playout::new(Codec::Pcma, 8_000).unwrap();
        let mut loud = Vec::new();
        for at in 0..2_000_usize {
            let now = Mono::from_millis(at as u64);
            if at.is_multiple_of(ptime) {
                let payload = encoder.encode(&tone(at * 8, ptime * 8));
                let packet = Packet {
                    payload_type: 8,
                    marker: at == 0,
                    sequence: (at / ptime) as u16,
                    timestamp: (at * 8) as u32,
                    ssrc: 1,
                    csrc: &[],
                    extension: None,
                    payload: &payload,
                };
                playout.push(&packet, now);
            }
            if at % 20 == 7 {
                let frame = playout.frame(now);
                assert_eq!(frame.len(), 160);
                loud.push((frame.iter().map(|&s| f32::from(s).powi(2)).sum::<f32>() / 160.0).sqrt());
            }
        }
        assert_eq!(playout.figures().late, 0, "packets of {ptime} ms");
        loud
    }

    #[test]
    fn packets_of_any_length_become_frames_without_holes() {
        for ptime in [5, 10, 20, 30, 40, 60] {
            let loud = played(ptime);
            let full = 9_000.0 / std::f32::consts::SQRT_2;
            let holes = loud[6..].iter().filter(|&&level| (level - full).abs() > full * 0.05).count();
            assert_eq!(holes, 0, "packets of {ptime} ms: {loud:?}");
        }
    }

    #[test]
    fn a_blend_begins_with_one_and_ends_with_the_other() {
        let blended: Vec<i16> = (0..=4).map(|at| blend(i16::MIN, i16::MAX, at, 4)).collect();
        assert_eq!(blended, [-32_768, -16_384, 0, 16_383, 32_767]);
    }
}
