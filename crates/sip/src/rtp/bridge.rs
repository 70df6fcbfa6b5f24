//! Between the panel's Opus and a phone leg: frame by frame, at the leg's own rate.
//!
//! libopus decodes the panel's packets at the phone's rate and encodes the phone's sound at it, so nothing is resampled;
//! the clock of the panel's packets counts 48,000 whatever the rate (RFC 7587 §4.1). Loud sound is held back on both ways:
//! a loudspeaker that distorts is heard by the microphone beside it, and no echo canceller takes that out.

use super::codec::{Codec, CodecError, Encoder};
use super::jitter::{Figures, Taken};
use super::packet::Packet;
use super::playout::Playout;
use klinke_model::time::Mono;

/// One call's two ways.
#[derive(Debug)]
pub struct Bridge {
    from_panel: Playout,
    to_phone: LevelGuard,
    encoder: Encoder,
    to_panel: LevelGuard,
    sequence: u16,
    timestamp: u32,
    is_first: bool,
}

/// A packet for the panel: the room gives it its stream and payload type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForPanel {
    /// One more for each.
    pub sequence: u16,
    /// 960 more for each.
    pub timestamp: u32,
    /// The first of the call.
    pub marker: bool,
    /// Opus, 20 ms.
    pub payload: Vec<u8>,
}

impl Bridge {
    /// A bridge to a leg that works with so many samples a second ([`Codec::sample_rate`]). `sequence` and `timestamp`
    /// are where the panel's stream begins; they should be random.
    ///
    /// # Errors
    /// [`CodecError`].
    pub fn new(rate: u32, sequence: u16, timestamp: u32) -> Result<Self, CodecError> {
        Ok(Self {
            from_panel: Playout::new(Codec::Opus, rate)?,
            to_phone: LevelGuard::new(),
            encoder: Encoder::new(Codec::Opus, rate)?,
            to_panel: LevelGuard::new(),
            sequence,
            timestamp,
            is_first: true,
        })
    }

    /// Takes a packet of the panel's sound.
    pub fn from_panel(&mut self, packet: &Packet<'_>, now: Mono) -> Taken {
        self.from_panel.push(packet, now)
    }

    /// The panel's next frame, for the phone; due every 20 ms.
    pub fn frame_for_phone(&mut self, now: Mono) -> Vec<i16> {
        let mut frame = self.from_panel.frame(now);
        self.to_phone.hold(&mut frame);
        frame
    }

    /// A frame that was heard from the phone, for the panel.
    pub fn for_panel(&mut self, mut frame: Vec<i16>) -> ForPanel {
        self.to_panel.hold(&mut frame);
        let payload = self.encoder.encode(&frame);
        let out = ForPanel {
            sequence: self.sequence,
            timestamp: self.timestamp,
            marker: std::mem::take(&mut self.is_first),
            payload,
        };
        self.sequence = self.sequence.wrapping_add(1);
        self.timestamp = self.timestamp.wrapping_add(Codec::Opus.frame_ticks());
        out
    }

    /// Figures of the panel's sound.
    pub const fn figures(&self) -> Figures {
        self.from_panel.figures()
    }
}

/// Keeps sound below a level; never makes it louder.
#[derive(Debug)]
struct LevelGuard {
    /// What the last sample was multiplied with, in 32,768ths.
    gain: i32,
}

impl LevelGuard {
    /// No sample is louder: 3 dB below the most.
    const MOST: i32 = 23_197;
    const FULL: i32 = 32_768;
    /// How much of it comes back in a frame: all of it within half a second.
    const BACK: i32 = 1_400;

    const fn new() -> Self {
        Self { gain: Self::FULL }
    }

    fn hold(&mut self, frame: &mut [i16]) {
        let loudest = frame.iter().map(|sample| i32::from(sample.unsigned_abs())).max().unwrap_or(0);
        let allowed = if loudest > Self::MOST { Self::MOST * Self::FULL / loudest } else { Self::FULL };
        let wanted = allowed.min(self.gain + Self::BACK);
        let (from, count) = (self.gain, i32::try_from(frame.len()).unwrap_or(1).max(1));
        for (at, sample) in (1..).zip(frame.iter_mut()) {
            // quieter at once, louder little by little
            let gain = if wanted < from { wanted } else { from + (wanted - from) * at / count };
            *sample = (i32::from(*sample) * gain / Self::FULL) as i16;
        }
        self.gain = wanted;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rtp::playout::samples_of_frame;
    use proptest::prelude::*;

    fn tone(rate: u32, hz: f32, frame: usize) -> Vec<i16> {
        let count = samples_of_frame(rate);
        let wave = |n: usize| (n as f32 * hz / rate as f32 * std::f32::consts::TAU).sin() * 8_000.0;
        (frame * count..(frame + 1) * count).map(|n| wave(n) as i16).collect()
    }

    /// How loud this frequency is in the samples, as amplitude.
    fn amplitude(samples: &[i16], rate: u32, hz: f32) -> f32 {
        let (mut re, mut im) = (0.0, 0.0);
        for (n, &sample) in samples.iter().enumerate() {
            let angle = n as f32 * hz / rate as f32 * std::f32::consts::TAU;
            re += f32::from(sample) * angle.cos();
            im += f32::from(sample) * angle.sin();
        }
        (re * re + im * im).sqrt() * 2.0 / samples.len() as f32
    }

    /// The panel (a browser, 48,000 samples a second) speaks 500 Hz through the bridge, and hears 700 Hz.
    #[test]
    fn sound_passes_both_ways_at_either_rate() {
        for rate in [8_000, 16_000] {
            let mut bridge = Bridge::new(rate, u16::MAX, u32::MAX).unwrap();
            let mut panel =
                opus::Encoder::new(48_000, opus::Channels::Mono, opus::Application::Voip).unwrap();
            let mut ear = opus::Decoder::new(48_000, opus::Channels::Mono).unwrap();
            let (mut to_phone, mut to_panel) = (Vec::new(), Vec::new());
            for n in 0..100_usize {
                let now = Mono::from_millis(n as u64 * 20);
                let payload = panel.encode_vec(&tone(48_000, 500.0, n), 400).unwrap();
                let packet = Packet {
                    payload_type: 111,
                    marker: false,
                    sequence: n as u16,
                    timestamp: (n * 960) as u32,
                    ssrc: 1,
                    csrc: &[],
                    extension: None,
                    payload: &payload,
                };
                bridge.from_panel(&packet, now);
                let frame = bridge.frame_for_phone(now);
                assert_eq!(frame.len(), samples_of_frame(rate));
                to_phone.extend(frame);
                let out = bridge.for_panel(tone(rate, 700.0, n));
                assert_eq!(out.sequence, u16::MAX.wrapping_add(n as u16));
                assert_eq!(out.timestamp, u32::MAX.wrapping_add(n as u32 * 960));
                assert_eq!(out.marker, n == 0);
                let mut heard = vec![0; 960];
                assert_eq!(ear.decode(&out.payload, &mut heard, false).unwrap(), 960);
                to_panel.extend(heard);
            }
            let phone = &to_phone[to_phone.len() / 2..];
            let panel = &to_panel[to_panel.len() / 2..];
            assert!(amplitude(phone, rate, 500.0) > 6_000.0, "{}", amplitude(phone, rate, 500.0));
            assert!(amplitude(panel, 48_000, 700.0) > 6_000.0, "{}", amplitude(panel, 48_000, 700.0));
            assert!(amplitude(phone, rate, 700.0) < 300.0 && amplitude(panel, 48_000, 500.0) < 300.0);
            // 40 ms of waiting, and what libopus looks ahead
            let silent = to_phone.iter().take_while(|sample| sample.abs() < 500).count();
            assert!(silent <= rate as usize * 70 / 1_000, "{silent} samples of delay at {rate}");
        }
    }

    #[test]
    fn what_is_loud_is_held_back_and_comes_back_slowly() {
        let mut guard = LevelGuard::new();
        let mut loud = vec![i16::MIN; 160];
        guard.hold(&mut loud);
        assert!(loud.iter().all(|sample| i32::from(*sample).abs() <= LevelGuard::MOST));
        let mut frames = 0;
        loop {
            let mut quiet = vec![10_000; 160];
            guard.hold(&mut quiet);
            assert!(quiet.windows(2).all(|two| two[1] >= two[0] && two[1] - two[0] < 10), "no steps");
            if quiet == [10_000; 160] {
                break;
            }
            frames += 1;
        }
        assert!((5..=25).contains(&frames), "{frames} frames");
    }

    proptest! {
        #[test]
        fn nothing_is_ever_above_the_level_or_louder_than_it_was(
            frames in prop::collection::vec(prop::collection::vec(any::<i16>(), 0..200), 0..20),
        ) {
            let mut guard = LevelGuard::new();
            for frame in frames {
                let mut held = frame.clone();
                guard.hold(&mut held);
                for (before, after) in frame.iter().zip(&held) {
                    prop_assert!(i32::from(*after).abs() <= LevelGuard::MOST);
                    prop_assert!(after.unsigned_abs() <= before.unsigned_abs());
                }
            }
        }
    }
}
