//! Sound that a telephone carries: band, level, and no silence at its ends.
//!
//! Everything here works with [`RATE`] samples a second in which nothing is above 4 kHz ([`band`]). So what a leg with
//! 8,000 samples a second needs is every second sample, without another filter.

use std::f64::consts::PI;

/// Samples a second of every sound that is kept.
pub const RATE: u32 = 16_000;
/// Telephones carry up to 3.4 kHz. Half of the amplitude is left here, nothing from 200 Hz above on.
const EDGE_HZ: f64 = 3_600.0;
/// Half of the filter's length, seconds: with a Blackman window the edge is 340 Hz wide.
const REACH_S: f64 = 0.008;
/// Level of the speech, without its pauses: −20 dBFS.
const LEVEL: f64 = 3_277.0;
/// No sample is larger: −3 dBFS.
pub const PEAK: f64 = 23_197.0;
/// What is so much weaker than the loudest 20 ms is a pause: 35 dB, as power.
const PAUSE: f64 = 0.000_316;
/// How long the level is turned down around a peak, samples: 4 ms at each side.
const AROUND: usize = 64;
/// Samples of 20 ms.
const WINDOW: usize = 320;
/// What stays before and after the first and the last sound, samples: 20 ms, breath and echo.
const MARGIN: usize = 320;

/// Everything from a recording to what is played: band, level, ends. Empty when nobody speaks in it.
pub fn prepare(samples: &[i16], rate: u32) -> Vec<i16> {
    level(trim(&band(samples, rate, RATE)))
}

/// The same sound with `to` samples a second and nothing above 3.8 kHz. Both rates are 8,000 or more.
pub fn band(samples: &[i16], from: u32, to: u32) -> Vec<i16> {
    if from == 0 || to == 0 {
        return Vec::new();
    }
    let divisor = gcd(from, to);
    // a sample of the new sound lies `phase / phases` of a sample after one of the old
    let (phases, step) = ((to / divisor) as usize, (from / divisor) as usize);
    let reach = (REACH_S * f64::from(from)).ceil() as usize;
    let table: Vec<Vec<f64>> = (0..phases)
        .map(|phase| taps(reach, phase as f64 / phases as f64, EDGE_HZ / f64::from(from)))
        .collect();
    let count = samples.len() * phases / step;
    (0..count)
        .map(|at| {
            let (whole, phase) = (at * step / phases, at * step % phases);
            let taps = table.get(phase).map_or(&[][..], Vec::as_slice);
            // the tap at `reach` is for the sample at `whole`; there is silence before the first sample
            let (skip, start) = (reach.saturating_sub(whole), whole.saturating_sub(reach));
            let pairs = taps.iter().skip(skip).zip(samples.iter().skip(start));
            round(pairs.map(|(tap, &sample)| tap * f64::from(sample)).sum())
        })
        .collect()
}

/// A low pass with its middle `phase` of a sample after the tap `reach`; `edge` as a share of the rate. Sums to 1.
fn taps(reach: usize, phase: f64, edge: f64) -> Vec<f64> {
    let tap = |at: usize| {
        let distance = at as f64 - reach as f64 - phase;
        let angle = 2.0 * PI * edge * distance;
        let sinc = if distance.abs() < 1e-9 { 2.0 * edge } else { angle.sin() / (PI * distance) };
        let place = (distance / (reach as f64 + 1.0)).clamp(-1.0, 1.0) * PI;
        sinc * (0.42 + 0.5 * place.cos() + 0.08 * (2.0 * place).cos())
    };
    let taps: Vec<f64> = (0..=2 * reach + 1).map(tap).collect();
    let sum: f64 = taps.iter().sum();
    taps.into_iter().map(|tap| tap / sum).collect()
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// Without the silence at both ends; empty when there is nothing else.
fn trim(samples: &[i16]) -> &[i16] {
    let loudest = windows(samples).fold(0.0, f64::max);
    let loud = |power: &f64| *power > loudest * PAUSE;
    let Some(first) = windows(samples).position(|power| loud(&power)) else { return &[] };
    let last =
        windows(samples).enumerate().filter(|(_, power)| loud(power)).last().map_or(first, |(at, _)| at);
    let start = (first * WINDOW).saturating_sub(MARGIN);
    let end = ((last + 1) * WINDOW + MARGIN).min(samples.len());
    samples.get(start..end).unwrap_or_default()
}

/// The power of each 20 ms.
fn windows(samples: &[i16]) -> impl Iterator<Item = f64> {
    samples.chunks(WINDOW).map(power)
}

fn power(samples: &[i16]) -> f64 {
    samples.iter().map(|&sample| f64::from(sample).powi(2)).sum::<f64>() / samples.len().max(1) as f64
}

/// The level of what is no pause, in dB below full scale (negative).
pub fn level_dbfs(samples: &[i16]) -> f64 {
    20.0 * (spoken_level(samples) / 32_768.0).log10()
}

fn spoken_level(samples: &[i16]) -> f64 {
    let loudest = windows(samples).fold(0.0, f64::max);
    let spoken: Vec<f64> = windows(samples).filter(|power| *power > loudest * PAUSE).collect();
    (spoken.iter().sum::<f64>() / spoken.len().max(1) as f64).sqrt()
}

/// At the level of speech.
fn level(samples: &[i16]) -> Vec<i16> {
    let spoken = spoken_level(samples);
    if spoken < 1.0 { Vec::new() } else { limited(samples, LEVEL / spoken, PEAK) }
}

/// So much louder, with no sample above a peak. Peaks are not cut, which would make tones that nobody spoke: the sound is
/// turned down around them.
pub(crate) fn limited(samples: &[i16], gain: f64, peak: f64) -> Vec<i16> {
    let wanted: Vec<f64> =
        samples.iter().map(|&sample| (peak / (f64::from(sample).abs() * gain).max(1.0)).min(1.0)).collect();
    // the lowest around each sample, then the mean of those: at a peak all of them are low enough
    let around = |at: usize| at.saturating_sub(AROUND)..(at + AROUND + 1).min(samples.len());
    let lowest: Vec<f64> = (0..samples.len())
        .map(|at| wanted.get(around(at)).unwrap_or_default().iter().copied().fold(1.0, f64::min))
        .collect();
    let smooth = |at: usize| {
        let near = lowest.get(around(at)).unwrap_or_default();
        near.iter().sum::<f64>() / near.len().max(1) as f64
    };
    samples.iter().enumerate().map(|(at, &sample)| round(f64::from(sample) * gain * smooth(at))).collect()
}

fn round(sample: f64) -> i16 {
    // conversion saturates
    sample.round() as i16
}

/// A short tone that says "connected": 620 Hz for 150 ms at −20 dBFS, with soft ends. No key has one tone only, and none
/// has this one.
pub fn connected() -> Vec<i16> {
    let count = RATE as usize * 3 / 20;
    let ramp = RATE as usize / 100;
    (0..count)
        .map(|at| {
            let edge = (at.min(count - at) as f64 / ramp as f64).min(1.0);
            round((2.0 * PI * 620.0 * at as f64 / f64::from(RATE)).sin() * LEVEL * 2_f64.sqrt() * edge)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sine(hz: f64, rate: u32, amplitude: f64, count: usize) -> Vec<i16> {
        (0..count).map(|at| round((2.0 * PI * hz * at as f64 / f64::from(rate)).sin() * amplitude)).collect()
    }

    fn rms(samples: &[i16]) -> f64 {
        power(samples).sqrt()
    }

    #[test]
    fn what_a_telephone_carries_passes_and_the_rest_does_not() {
        for rate in crate::wav::RATES {
            let count = rate as usize / 4;
            for hz in [100.0, 1_000.0, 3_300.0] {
                let sound = band(&sine(hz, rate, 10_000.0, count), rate, RATE);
                assert_eq!(
                    sound.len(),
                    4_000 - usize::from(!(count * 16_000).is_multiple_of(rate as usize)),
                    "{rate}"
                );
                let middle = &sound[500..3_500];
                let same = sine(hz, RATE, 10_000.0, 4_000);
                assert!((rms(middle) / 7_071.0 - 1.0).abs() < 0.02, "{rate}: {hz} Hz has {}", rms(middle));
                let apart: Vec<i16> = middle.iter().zip(&same[500..]).map(|(a, b)| a - b).collect();
                assert!(rms(&apart) < 200.0, "{rate}: {hz} Hz is shifted by {}", rms(&apart));
            }
            for hz in
                [3_900.0, 5_000.0, 7_500.0, 10_900.0].into_iter().filter(|hz| *hz < f64::from(rate) / 2.0)
            {
                let sound = band(&sine(hz, rate, 10_000.0, count), rate, RATE);
                assert!(rms(&sound[500..3_500]) < 20.0, "{rate}: {hz} Hz is left");
            }
        }
    }

    #[test]
    fn the_level_is_that_of_the_speech_and_its_ends_are_cut() {
        let mut sound = vec![3; 16_000];
        sound.extend(sine(440.0, RATE, 900.0, 8_000));
        sound.extend([0; 8_000]);
        sound.extend(sine(440.0, RATE, 900.0, 8_000));
        sound.extend([-2; 20_000]);
        let ready = prepare(&sound, RATE);
        // 24,000 samples from the first to the last sound, and 20 ms at each end, found in steps of 20 ms
        assert!((24_000..=24_000 + 2 * MARGIN + 2 * WINDOW).contains(&ready.len()), "{}", ready.len());
        assert!((level_dbfs(&ready) + 20.0).abs() < 0.3, "{}", level_dbfs(&ready));
        assert_eq!(prepare(&[0; 5_000], RATE), []);
        assert_eq!(prepare(&[], 8_000), []);
    }

    #[test]
    fn a_peak_is_turned_down_and_not_cut() {
        let mut sound = sine(200.0, RATE, 500.0, 32_000);
        for (at, sample) in sine(800.0, RATE, 15_000.0, 200).into_iter().enumerate() {
            sound[16_000 + at] = sample;
        }
        let ready = level(&sound);
        let highest = ready.iter().map(|sample| sample.unsigned_abs()).max().unwrap();
        assert!((20_000..=23_198).contains(&highest), "{highest}");
        // a sine that is cut has its highest samples many times
        let at_top = ready.iter().filter(|sample| sample.unsigned_abs() > highest - 20).count();
        assert!(at_top < 40, "{at_top} samples at the top");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn whatever_was_recorded_stays_below_the_peak(
            samples in proptest::collection::vec(any::<i16>(), 0..3_000), rate in 0_usize..8,
        ) {
            let ready = prepare(&samples, crate::wav::RATES[rate]);
            prop_assert!(ready.iter().all(|sample| f64::from(*sample).abs() <= PEAK + 1.0));
        }
    }
}
