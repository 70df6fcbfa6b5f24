//! Keys as tones in the sound (ITU-T Q.23, Q.24): found by Goertzel's filter, made for tests and for phones that know
//! nothing else.
//!
//! Two uses, with two thresholds. [`Detector`] says that a key was pressed: two blocks of 25 ms in a row with the same pair,
//! nothing else, and a pause before it may come again. [`has_pair`] says that a frame sounds like a key; it is quicker to
//! say so, and used to keep the visitor's tones off the phone.

use super::Digit;

/// The rows and columns of the keys, Hz.
const ROWS: [f32; 4] = [697.0, 770.0, 852.0, 941.0];
const COLUMNS: [f32; 4] = [1_209.0, 1_336.0, 1_477.0, 1_633.0];
const KEYS: [[char; 4]; 4] =
    [['1', '2', '3', 'A'], ['4', '5', '6', 'B'], ['7', '8', '9', 'C'], ['*', '0', '#', 'D']];
/// Samples of a block at 8,000 a second: 25.6 ms, the shortest that tells the rows apart.
const BLOCK: usize = 205;
/// The weakest tone of the two: about −40 dBm0 (amplitude of a sine of 16 bits).
const WEAKEST: f32 = 100.0;
/// One tone may be so much stronger than the other, as power: 8 dB, what Q.24 allows at least.
const TWIST: f32 = 6.3;
/// Any other row or column is so much weaker, as power: 8 dB.
const OTHERS: f32 = 6.3;
/// The share of a block's power that the pair has: speech has it not.
const SHARE: f32 = 0.8;
/// For the quick look: the share of a frame's power.
const QUICK_SHARE: f32 = 0.55;
/// Blocks in a row that have to tell the same.
const SURE: u8 = 2;

/// Finds keys in the sound of one direction.
#[derive(Debug)]
pub struct Detector {
    rate: u32,
    /// Of the block that is not full yet.
    samples: Vec<i16>,
    last: Option<Digit>,
    /// How many blocks in a row said so.
    count: u8,
    /// The key that was told and has not ended; it ends with two blocks without it.
    down: Option<(Digit, u8)>,
}

impl Detector {
    /// For sound of so many samples a second.
    pub const fn new(rate: u32) -> Self {
        Self { rate, samples: Vec::new(), last: None, count: 0, down: None }
    }

    /// Takes samples; a key when one was pressed in them.
    pub fn hear(&mut self, samples: &[i16]) -> Option<Digit> {
        let block = BLOCK * self.rate as usize / 8_000;
        let mut told = None;
        for &sample in samples {
            self.samples.push(sample);
            if self.samples.len() >= block {
                let found = pair(&self.samples, self.rate, SHARE);
                self.samples.clear();
                told = self.block(found).or(told);
            }
        }
        told
    }

    fn block(&mut self, found: Option<Digit>) -> Option<Digit> {
        self.count = if found == self.last { self.count.saturating_add(1) } else { 1 };
        self.last = found;
        if let Some((digit, missed)) = self.down {
            let missed = if found == Some(digit) { 0 } else { missed + 1 };
            self.down = (missed < SURE).then_some((digit, missed));
        }
        let digit = found?;
        if self.count < SURE || self.down.is_some_and(|(down, _)| down == digit) {
            return None;
        }
        self.down = Some((digit, 0));
        Some(digit)
    }
}

/// The key that this frame (20 ms) sounds like, at the first look.
pub fn has_pair(samples: &[i16], rate: u32) -> Option<Digit> {
    pair(samples, rate, QUICK_SHARE)
}

/// The sound of a key: both tones at this amplitude, from sample `from` on.
pub fn tone(digit: Digit, rate: u32, amplitude: f32, from: usize, count: usize) -> Vec<i16> {
    let (row, column) = frequencies(digit);
    let wave = |hz: f32, at: usize| (at as f32 * hz / rate as f32 * std::f32::consts::TAU).sin() * amplitude;
    // conversion saturates
    (from..from + count).map(|at| (wave(row, at) + wave(column, at)) as i16).collect()
}

fn frequencies(digit: Digit) -> (f32, f32) {
    let found = KEYS.iter().zip(ROWS).find_map(|(keys, row)| {
        keys.iter().zip(COLUMNS).find(|(key, _)| **key == digit.as_char()).map(|(_, column)| (row, column))
    });
    // every digit is a key
    found.unwrap_or((0.0, 0.0))
}

fn pair(samples: &[i16], rate: u32, share: f32) -> Option<Digit> {
    let (row, row_power) = strongest(samples, rate, &ROWS)?;
    let (column, column_power) = strongest(samples, rate, &COLUMNS)?;
    let weakest = (WEAKEST / 2.0).powi(2) * 2.0;
    if row_power < weakest || column_power < weakest {
        return None;
    }
    if row_power > column_power * TWIST || column_power > row_power * TWIST {
        return None;
    }
    let total = samples.iter().map(|&sample| f32::from(sample).powi(2)).sum::<f32>() / samples.len() as f32;
    // a sine's power is half of its amplitude squared, which is what both sums are
    if row_power + column_power < total * share {
        return None;
    }
    KEYS.get(row)?.get(column).copied().and_then(Digit::from_char)
}

/// Which of these is the strongest, and its power; `None` when another is nearly as strong.
fn strongest(samples: &[i16], rate: u32, frequencies: &[f32; 4]) -> Option<(usize, f32)> {
    let powers = frequencies.map(|hz| power(samples, rate, hz));
    let (at, most) = powers.iter().copied().enumerate().max_by(|a, b| a.1.total_cmp(&b.1))?;
    let is_alone = powers.iter().enumerate().all(|(other, power)| other == at || power * OTHERS <= most);
    is_alone.then_some((at, most))
}

/// The mean power of this frequency in the samples (Goertzel).
fn power(samples: &[i16], rate: u32, hz: f32) -> f32 {
    let coefficient = 2.0 * (hz / rate as f32 * std::f32::consts::TAU).cos();
    let (mut before, mut last) = (0.0_f32, 0.0_f32);
    for &sample in samples {
        let next = coefficient * last + f32::from(sample) - before;
        (before, last) = (last, next);
    }
    let squared = last * last + before * before - coefficient * last * before;
    let count = samples.len().max(1) as f32;
    squared * 2.0 / (count * count)
}

#[cfg(test)]
mod tests;
