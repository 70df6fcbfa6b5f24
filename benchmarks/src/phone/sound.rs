//! Sound that codecs treat as speech: a voice with a pitch that moves, syllables, sharp sounds between them, and pauses.
//! Always the same, so that runs can be compared.

use super::Codec;
use crate::Result;
use klinke_sip::rtp::codec::Encoder;
use std::f64::consts::TAU;

/// Frames until it begins anew.
pub const FRAMES: usize = 500;
/// Samples of a frame at the panel's rate.
pub const PANEL_FRAME: usize = 960;
/// And at the phone's.
pub const PHONE_FRAME: usize = 160;
/// What browsers send, bits a second.
const BROWSER_BITRATE: i32 = 32_000;

/// What a browser sends: Opus of full bandwidth with a copy of each frame in the next, one packet a frame.
///
/// # Errors
/// When libopus refuses.
pub fn opus() -> Result<Vec<Vec<u8>>> {
    let mut encoder = browser()?;
    let samples = speech(48_000, FRAMES * PANEL_FRAME);
    samples.chunks(PANEL_FRAME).map(|frame| Ok(encoder.encode_vec(frame, 1_200)?)).collect()
}

/// An encoder as browsers set it.
///
/// # Errors
/// When libopus refuses.
pub fn browser() -> Result<opus::Encoder> {
    let mut encoder = opus::Encoder::new(48_000, opus::Channels::Mono, opus::Application::Voip)?;
    encoder.set_bitrate(opus::Bitrate::Bits(BROWSER_BITRATE))?;
    encoder.set_inband_fec(true)?;
    Ok(encoder)
}

/// What a phone sends: µ-law, one packet a frame.
///
/// # Errors
/// Never; G.711 refuses nothing.
pub fn pcmu() -> Result<Vec<Vec<u8>>> {
    let mut encoder = Encoder::new(Codec::Pcmu, 8_000)?;
    Ok(phone_frames().iter().map(|frame| encoder.encode(frame)).collect())
}

/// The same as samples.
pub fn phone_frames() -> Vec<Vec<i16>> {
    speech(8_000, FRAMES * PHONE_FRAME).chunks(PHONE_FRAME).map(<[i16]>::to_vec).collect()
}

/// Whether a µ-law payload holds sound that can be heard.
pub fn is_loud(payload: &[u8]) -> bool {
    // sign aside, codes fall with the level: below 0x50 is louder than about 1,000
    payload.iter().any(|code| code & 0x7f < 0x50)
}

fn speech(rate: u32, count: usize) -> Vec<i16> {
    let rate = f64::from(rate);
    let mut noise = 1_u32;
    let mut phase = 0.0;
    let sample = |n: usize| {
        let t = n as f64 / rate;
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let hiss = f64::from(noise >> 16) / 32_768.0 - 1.0;
        // three seconds of words, one of silence
        let speaks = if t % 4.0 < 3.0 { 1.0 } else { 0.0 };
        let syllable = (TAU * 2.0 * t).sin().powi(2) * speaks;
        let sharp = ((TAU * 2.0 * t).cos().powi(2) - 0.8).max(0.0) * speaks;
        let pitch = 120.0 + 30.0 * (TAU * 0.7 * t).sin();
        phase = (phase + pitch / rate) % 1.0;
        let formants =
            [(500.0 + 250.0 * (TAU * 1.3 * t).sin(), 1.0), (1_600.0 + 500.0 * (TAU * 0.9 * t).sin(), 0.5)];
        let voice: f64 = (1..28)
            .map(|k| {
                let hz = pitch * f64::from(k);
                let level: f64 =
                    formants.iter().map(|(at, gain)| gain / (1.0 + ((hz - at) / 150.0).powi(2))).sum();
                (level + 0.02) * (TAU * f64::from(k) * phase).sin()
            })
            .sum();
        (3_000.0 * syllable * voice + 4_000.0 * sharp * hiss + 8.0 * hiss).clamp(-30_000.0, 30_000.0) as i16
    };
    (0..count).map(sample).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_speaks_and_pauses() {
        let frames = pcmu().unwrap();
        let loud = frames.iter().filter(|frame| is_loud(frame)).count();
        assert!((FRAMES / 2..FRAMES * 4 / 5).contains(&loud), "{loud} of {FRAMES} frames");
        let packets = opus().unwrap();
        let bits = packets.iter().map(Vec::len).sum::<usize>() * 8 * 50 / FRAMES;
        assert!((15_000..40_000).contains(&bits), "{bits} bits a second");
    }
}
