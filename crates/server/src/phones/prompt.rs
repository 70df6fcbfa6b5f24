//! What somebody at an ordinary phone hears from us: signs made of tones, until a voice speaks.
//!
//! Invariant: nothing here is taken for a key, by us or by anybody: keys are two tones at once, signs are one after another.

use klinke_model::contact::Language;

/// What is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said<'a> {
    /// Somebody is at the door: 5 or 8 opens, 1 talks.
    Somebody {
        /// Where they stand.
        place: &'a str,
    },
    /// From now on both hear each other.
    Connected,
    /// The door is open.
    Opened,
    /// The door was told to open, by a system that does not say whether it did.
    Sent,
    /// The door did not open.
    NotOpened,
    /// Somebody else has answered.
    Elsewhere,
    /// Ten seconds are left.
    Ending,
    /// The time is over.
    Goodbye,
    /// This key does nothing.
    WrongKey,
}

/// How loud, as amplitude: 20 dB below the most.
const LOUD: f32 = 3_277.0;
/// Tones begin and end softly, in milliseconds: a click is a sound of all frequencies.
const SOFT_MS: usize = 5;

/// The sound of it at 8,000 or 16,000 samples a second.
pub fn sound(_language: Language, said: Said<'_>, rate: u32) -> Vec<i16> {
    // Hz and milliseconds; 0 Hz is a pause
    let signs: &[(u16, u16)] = match said {
        // five times: the key
        Said::Somebody { .. } => &[
            (0, 300),
            (520, 150),
            (0, 100),
            (520, 150),
            (0, 100),
            (520, 150),
            (0, 100),
            (520, 150),
            (0, 100),
            (520, 150),
        ],
        Said::Connected => &[(520, 120)],
        Said::Opened => &[(0, 100), (440, 150), (550, 150), (660, 300)],
        Said::Sent => &[(0, 100), (440, 150), (660, 300)],
        Said::NotOpened => &[(0, 100), (440, 250), (0, 60), (330, 400)],
        Said::Elsewhere => &[(0, 100), (660, 150), (520, 150), (440, 300)],
        Said::Ending => &[(0, 100), (660, 100), (0, 100), (660, 100)],
        Said::Goodbye => &[(0, 100), (440, 400)],
        Said::WrongKey => &[(330, 200)],
    };
    signs.iter().flat_map(|&(hz, ms)| tone(hz, usize::from(ms), rate)).collect()
}

fn tone(hz: u16, ms: usize, rate: u32) -> Vec<i16> {
    let per_ms = rate as usize / 1_000;
    let (count, soft) = (ms * per_ms, SOFT_MS * per_ms);
    let sample = |n: usize| {
        let edge = n.min(count - n).min(soft) as f32 / soft.max(1) as f32;
        let angle = n as f32 * f32::from(hz) / rate as f32 * std::f32::consts::TAU;
        (angle.sin() * edge * LOUD) as i16
    };
    (0..count).map(sample).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use klinke_sip::dtmf::tones;

    #[test]
    fn every_sign_is_heard_is_another_and_is_no_key() {
        let all = [
            Said::Somebody { place: "Storgata 12" },
            Said::Connected,
            Said::Opened,
            Said::Sent,
            Said::NotOpened,
            Said::Elsewhere,
            Said::Ending,
            Said::Goodbye,
            Said::WrongKey,
        ];
        for rate in [8_000, 16_000] {
            let sounds = all.map(|said| sound(Language::En, said, rate));
            for (said, sound) in all.iter().zip(&sounds) {
                let loudest = sound.iter().map(|sample| sample.unsigned_abs()).max().unwrap_or(0);
                assert!((2_500..8_000).contains(&loudest), "{said:?}: {loudest}");
                assert!(sound.len() < rate as usize * 3, "{said:?}");
                assert_eq!(sounds.iter().filter(|other| *other == sound).count(), 1, "{said:?}");
                let mut detector = tones::Detector::new(rate);
                for frame in sound.chunks(rate as usize / 50) {
                    assert_eq!(tones::has_pair(frame, rate), None, "{said:?}");
                    assert_eq!(detector.hear(frame), None, "{said:?}");
                }
            }
        }
    }
}
