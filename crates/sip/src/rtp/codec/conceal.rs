//! What is heard where G.711 or G.722 is missing: the last pitch period again, quieter and quieter (the idea of ITU-T G.711
//! Appendix I). A lost packet then sounds like a held vowel and not like a click.

use crate::rtp::playout::blend;
use std::collections::VecDeque;

/// Remembers what was heard last, and goes on with it.
#[derive(Debug)]
pub struct Concealer {
    /// Samples in a millisecond.
    per_ms: usize,
    /// The last 30 ms that were heard.
    history: VecDeque<i16>,
    /// The pitch period that is repeated, while something is made up.
    period: Vec<i16>,
    /// Samples made up in a row.
    made_up: usize,
}

impl Concealer {
    /// How much is remembered, milliseconds: two of the longest periods.
    const MEMORY_MS: usize = 30;
    /// Pitch periods that are looked for, milliseconds: 66 to 400 Hz.
    const PERIODS_MS: (f32, f32) = (2.5, 15.0);
    /// As it was for so long, milliseconds; then quieter.
    const FULL_MS: usize = 10;
    /// Silent after so long, milliseconds.
    const SILENT_MS: usize = 60;
    /// How long made-up and real sound are blended, milliseconds.
    const BLEND_MS: usize = 5;

    pub fn new(rate: u32) -> Self {
        Self {
            per_ms: (rate / 1_000).max(1) as usize,
            history: VecDeque::new(),
            period: Vec::new(),
            made_up: 0,
        }
    }

    /// Sound that came: blended with what was made up before it.
    pub fn good(&mut self, mut samples: Vec<i16>) -> Vec<i16> {
        if self.made_up > 0 {
            let count = (Self::BLEND_MS * self.per_ms).min(samples.len());
            let tail = self.go_on(count);
            for (at, (sample, before)) in samples.iter_mut().zip(tail).enumerate() {
                *sample = blend(before, *sample, at, count);
            }
            self.made_up = 0;
            self.period.clear();
        }
        self.remember(&samples);
        samples
    }

    /// So many samples where something is missing.
    pub fn lost(&mut self, samples: usize) -> Vec<i16> {
        if self.made_up == 0 {
            self.period = self.last_period();
        }
        let out = self.go_on(samples);
        self.remember(&out);
        out
    }

    /// So many samples of a pause: what was made up ends softly.
    pub fn quiet(&mut self, samples: usize) -> Vec<i16> {
        if self.made_up == 0 {
            self.remember(&vec![0; samples]);
            return vec![0; samples];
        }
        self.lost(samples)
    }

    /// Goes on with the period from where it is.
    fn go_on(&mut self, samples: usize) -> Vec<i16> {
        let (full, silent) = (Self::FULL_MS * self.per_ms, Self::SILENT_MS * self.per_ms);
        let from = self.made_up;
        self.made_up = (from + samples).min(silent * 2);
        let repeated = self.period.iter().cycle().skip(from % self.period.len().max(1));
        let mut out: Vec<i16> = repeated
            .zip(from..from + samples)
            .map(|(&sample, at)| blend(sample, 0, at.saturating_sub(full), silent - full))
            .collect();
        out.resize(samples, 0);
        out
    }

    /// The last pitch period: the one at whose distance the history is most like itself. Its end is blended into what
    /// came before its begin, so that it can be repeated without a step.
    fn last_period(&self) -> Vec<i16> {
        let history: Vec<i16> = self.history.iter().copied().collect();
        let (shortest, longest) = Self::PERIODS_MS;
        let shortest = (shortest * self.per_ms as f32) as usize;
        let longest = ((longest * self.per_ms as f32) as usize).min(history.len() / 2);
        let likeness = |period: usize| -> f64 {
            let window = history.len() - longest;
            let recent = history.iter().rev().take(window);
            let before = history.iter().rev().skip(period).take(window);
            let (mut same, mut energy) = (0.0, 1.0);
            for (&a, &b) in recent.zip(before) {
                same += f64::from(a) * f64::from(b);
                energy += f64::from(b) * f64::from(b);
            }
            same / energy.sqrt()
        };
        let best = (shortest..=longest).max_by(|&a, &b| likeness(a).total_cmp(&likeness(b)));
        let Some(period) = best.filter(|_| longest > shortest) else { return Vec::new() };
        let start = history.len() - period;
        let mut out: Vec<i16> = history.iter().skip(start).copied().collect();
        // a quarter of a period: what stands before the period leads back into it
        let count = period / 4;
        let lead = history.iter().skip(start - count);
        for (at, (sample, &before)) in out.iter_mut().skip(period - count).zip(lead).enumerate() {
            *sample = blend(*sample, before, at + 1, count);
        }
        out
    }

    fn remember(&mut self, samples: &[i16]) {
        self.history.extend(samples);
        let surplus = self.history.len().saturating_sub(Self::MEMORY_MS * self.per_ms);
        self.history.drain(..surplus);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(hz: f32, rate: f32, from: usize, count: usize) -> Vec<i16> {
        (from..from + count)
            .map(|n| ((n as f32 * hz * std::f32::consts::TAU / rate).sin() * 10_000.0) as i16)
            .collect()
    }

    fn level(samples: &[i16]) -> f32 {
        (samples.iter().map(|&s| f32::from(s).powi(2)).sum::<f32>() / samples.len() as f32).sqrt()
    }

    /// The largest step from one sample to the next.
    fn step(samples: &[i16]) -> i32 {
        samples.windows(2).map(|two| (i32::from(two[1]) - i32::from(two[0])).abs()).max().unwrap_or(0)
    }

    #[test]
    fn a_held_vowel_goes_on_without_a_step_and_fades() {
        for (rate, hz) in [(8_000, 150.0), (8_000, 220.0), (16_000, 150.0), (16_000, 330.0)] {
            let frame = rate as usize / 50;
            let mut concealer = Concealer::new(rate);
            let mut heard = Vec::new();
            for n in 0..5 {
                heard.extend(concealer.good(tone(hz, rate as f32, n * frame, frame)));
            }
            let usual = step(&heard);
            let made_up: Vec<Vec<i16>> = (0..4).map(|_| concealer.lost(frame)).collect();
            let levels: Vec<f32> = made_up.iter().map(|frame| level(frame)).collect();
            assert!(levels[0] > 5_000.0 && levels[0] > levels[1] && levels[1] > levels[2], "{levels:?}");
            assert_eq!(levels[3], 0.0);
            heard.extend(made_up.concat());
            heard.extend(concealer.good(tone(hz, rate as f32, 9 * frame, frame)));
            assert!(step(&heard) < usual * 2, "{hz} Hz at {rate}: a step of {} after {usual}", step(&heard));
        }
    }

    #[test]
    fn one_lost_frame_is_better_than_a_hole() {
        let (mut concealer, frame) = (Concealer::new(8_000), 160);
        for n in 0..5 {
            concealer.good(tone(200.0, 8_000.0, n * frame, frame));
        }
        let wanted = tone(200.0, 8_000.0, 5 * frame, frame);
        let wrong: Vec<i16> = concealer.lost(frame).iter().zip(&wanted).map(|(a, b)| a - b).collect();
        assert!(level(&wrong) < level(&wanted) / 3.0, "{} of {}", level(&wrong), level(&wanted));
    }

    #[test]
    fn without_anything_heard_it_is_silent() {
        let mut concealer = Concealer::new(8_000);
        assert_eq!(concealer.lost(160), vec![0; 160]);
        assert_eq!(concealer.good(vec![7; 4]).len(), 4);
        assert_eq!(concealer.quiet(3), vec![0; 3]);
        assert_eq!(concealer.lost(0), Vec::<i16>::new());
    }
}
