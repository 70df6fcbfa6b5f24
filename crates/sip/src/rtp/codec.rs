//! The codecs of phones, over frames of mono samples: G.711 in both laws, G.722, Opus.
//!
//! Opus is encoded and decoded at the leg's own rate by libopus itself, so nothing is ever resampled. What is missing is
//! made up: by libopus from the next packet's copy or from what it knows, for the others by [`conceal`].

mod conceal;
mod g711;

use super::playout::samples_of_frame;
use audio_codec::{Decoder as _, Encoder as _};
use conceal::Concealer;
use g711::Law;

/// Opus packets are no longer than this at the bit rate of speech, bytes.
const MOST_OPUS: usize = 400;
/// Bits a second of our Opus: clear speech, with a copy of each frame in the next.
const OPUS_BITRATE: i32 = 24_000;
/// Loss that our Opus prepares for, per cent.
const OPUS_LOSS: i32 = 10;

/// How sound is written in packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Codec {
    /// G.711 µ-law.
    Pcmu,
    /// G.711 A-law.
    Pcma,
    /// G.722: 16,000 samples a second over a clock that counts 8,000 (RFC 3551 §4.5.2).
    G722,
    /// Opus: any rate over a clock that counts 48,000 (RFC 7587).
    Opus,
}

impl Codec {
    /// Ticks of its RTP clock in a second.
    pub const fn clock_rate(self) -> u32 {
        match self {
            Self::Pcmu | Self::Pcma | Self::G722 => 8_000,
            Self::Opus => 48_000,
        }
    }

    /// Samples a second that a leg with this codec works with.
    pub const fn sample_rate(self) -> u32 {
        match self {
            Self::Pcmu | Self::Pcma => 8_000,
            Self::G722 | Self::Opus => 16_000,
        }
    }

    /// Ticks of one frame of 20 ms.
    pub const fn frame_ticks(self) -> u32 {
        self.clock_rate() / 50
    }

    /// How much sound a payload holds, in ticks; `None` when it is none of this codec, or more than 120 ms.
    pub fn ticks(self, payload: &[u8]) -> Option<u32> {
        let ticks = match self {
            Self::Pcmu | Self::Pcma | Self::G722 => u32::try_from(payload.len()).ok()?,
            Self::Opus if payload.is_empty() => return None,
            Self::Opus => u32::try_from(opus::packet::get_nb_samples(payload, 48_000).ok()?).ok()?,
        };
        (1..=self.clock_rate() / 25 * 3).contains(&ticks).then_some(ticks)
    }
}

/// A codec that can not be had.
#[derive(Debug, thiserror::Error)]
pub enum CodecError {
    /// Only Opus comes at another rate than its own, and only at 8,000 and 16,000.
    #[error("{0:?} does not come at {1} samples a second")]
    Rate(Codec, u32),
    /// libopus refused.
    #[error("Opus: {0}")]
    Opus(#[from] opus::Error),
}

const fn check(codec: Codec, rate: u32) -> Result<(), CodecError> {
    let fits = match codec {
        Codec::Opus => rate == 8_000 || rate == 16_000,
        Codec::Pcmu | Codec::Pcma | Codec::G722 => rate == codec.sample_rate(),
    };
    if fits { Ok(()) } else { Err(CodecError::Rate(codec, rate)) }
}

/// Samples to payloads.
pub struct Encoder {
    kind: EncoderKind,
}

enum EncoderKind {
    G711(Law),
    G722(Box<audio_codec::g722::G722Encoder>),
    Opus(opus::Encoder),
}

impl std::fmt::Debug for Encoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Encoder")
    }
}

impl Encoder {
    /// An encoder for mono samples at this rate.
    ///
    /// # Errors
    /// [`CodecError`].
    pub fn new(codec: Codec, rate: u32) -> Result<Self, CodecError> {
        check(codec, rate)?;
        let kind = match codec {
            Codec::Pcmu => EncoderKind::G711(Law::Mu),
            Codec::Pcma => EncoderKind::G711(Law::A),
            Codec::G722 => EncoderKind::G722(Box::default()),
            Codec::Opus => {
                let mut opus = opus::Encoder::new(rate, opus::Channels::Mono, opus::Application::Voip)?;
                opus.set_bitrate(opus::Bitrate::Bits(OPUS_BITRATE))?;
                opus.set_inband_fec(true)?;
                opus.set_packet_loss_perc(OPUS_LOSS)?;
                EncoderKind::Opus(opus)
            }
        };
        Ok(Self { kind })
    }

    /// The payload of these samples: for Opus exactly 20 ms of them, else any number (for G.722 an even one). Empty
    /// when the codec refuses.
    pub fn encode(&mut self, samples: &[i16]) -> Vec<u8> {
        match &mut self.kind {
            EncoderKind::G711(law) => law.encode(samples),
            EncoderKind::G722(encoder) => encoder.encode(samples),
            EncoderKind::Opus(encoder) => encoder.encode_vec(samples, MOST_OPUS).unwrap_or_default(),
        }
    }
}

/// Payloads to samples, and something in the place of those that are missing.
pub struct Decoder {
    kind: DecoderKind,
    rate: u32,
}

enum DecoderKind {
    G711(Law, Concealer),
    G722(Box<audio_codec::g722::G722Decoder>, Concealer),
    /// How many samples in a row were made up.
    Opus(opus::Decoder, usize),
}

impl std::fmt::Debug for Decoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Decoder")
    }
}

impl Decoder {
    /// A decoder to mono samples at this rate.
    ///
    /// # Errors
    /// [`CodecError`].
    pub fn new(codec: Codec, rate: u32) -> Result<Self, CodecError> {
        check(codec, rate)?;
        let concealer = Concealer::new(rate);
        let kind = match codec {
            Codec::Pcmu => DecoderKind::G711(Law::Mu, concealer),
            Codec::Pcma => DecoderKind::G711(Law::A, concealer),
            Codec::G722 => DecoderKind::G722(Box::default(), concealer),
            Codec::Opus => DecoderKind::Opus(opus::Decoder::new(rate, opus::Channels::Mono)?, 0),
        };
        Ok(Self { kind, rate })
    }

    /// The samples of a payload; what can not be decoded is made up, as long as a frame.
    pub fn decode(&mut self, payload: &[u8]) -> Vec<i16> {
        match &mut self.kind {
            DecoderKind::G711(law, concealer) => concealer.good(law.decode(payload)),
            DecoderKind::G722(decoder, concealer) => concealer.good(decoder.decode(payload)),
            DecoderKind::Opus(decoder, made_up) => {
                let mut out = vec![0; longest(self.rate)];
                match decoder.decode(payload, &mut out, false) {
                    Ok(count) if !payload.is_empty() => {
                        *made_up = 0;
                        out.truncate(count);
                        out
                    }
                    _ => self.decode_lost(samples_of_frame(self.rate), None),
                }
            }
        }
    }

    /// So many samples (at most 120 ms) in the place of a packet that is lost; from the packet right after it, where that
    /// carries a copy.
    pub fn decode_lost(&mut self, samples: usize, next: Option<&[u8]>) -> Vec<i16> {
        let samples = samples.min(longest(self.rate));
        match &mut self.kind {
            DecoderKind::G711(_, concealer) | DecoderKind::G722(_, concealer) => concealer.lost(samples),
            DecoderKind::Opus(decoder, made_up) => {
                // libopus makes up steps of 2.5 ms
                let step = samples_of_frame(self.rate) / 8;
                let asked = samples.div_ceil(step.max(1)).max(1) * step;
                let mut out = vec![0; asked];
                *made_up += samples;
                // after 100 ms it is silence for sure
                if *made_up <= samples_of_frame(self.rate) * 5 {
                    let (payload, is_copy) =
                        next.filter(|next| !next.is_empty()).map_or((&[][..], false), |next| (next, true));
                    let done = decoder.decode(payload, &mut out, is_copy);
                    if done.is_err() && is_copy {
                        out.fill(0);
                    }
                }
                out.resize(samples, 0);
                out
            }
        }
    }

    /// So many samples while nobody speaks.
    pub fn quiet(&mut self, samples: usize) -> Vec<i16> {
        let samples = samples.min(longest(self.rate));
        match &mut self.kind {
            DecoderKind::G711(_, concealer) | DecoderKind::G722(_, concealer) => concealer.quiet(samples),
            DecoderKind::Opus(..) => vec![0; samples],
        }
    }
}

/// Samples of 120 ms, the longest packet there is.
const fn longest(rate: u32) -> usize {
    samples_of_frame(rate) * 6
}

#[cfg(test)]
mod tests;
