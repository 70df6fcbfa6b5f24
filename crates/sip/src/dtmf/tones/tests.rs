use super::*;
use proptest::prelude::*;

fn digit(character: char) -> Digit {
    Digit::from_char(character).unwrap()
}

/// What is found when these samples come in frames of 20 ms.
fn found(samples: &[i16], rate: u32) -> String {
    let mut detector = Detector::new(rate);
    samples.chunks(rate as usize / 50).filter_map(|frame| detector.hear(frame)).map(Digit::as_char).collect()
}

fn ms(rate: u32, millis: usize) -> usize {
    rate as usize * millis / 1_000
}

/// The same numbers on every machine, −1 to 1.
fn noise(seed: u32) -> impl FnMut() -> f32 {
    let mut state = seed;
    move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    }
}

#[test]
fn every_key_is_found_once_at_both_rates() {
    for rate in [8_000, 16_000] {
        for code in 0..16 {
            let digit = Digit::from_event(code).unwrap();
            let mut samples = vec![0; ms(rate, 33)];
            samples.extend(tone(digit, rate, 6_000.0, 0, ms(rate, 100)));
            samples.extend(vec![0; ms(rate, 100)]);
            assert_eq!(found(&samples, rate), digit.as_char().to_string(), "at {rate}");
        }
    }
}

#[test]
fn a_key_twice_is_two_keys_and_a_long_one_is_one() {
    let press = |millis| tone(digit('5'), 8_000, 6_000.0, 0, ms(8_000, millis));
    let pause = vec![0; ms(8_000, 80)];
    assert_eq!(found(&[press(100), pause.clone(), press(100), pause.clone()].concat(), 8_000), "55");
    assert_eq!(found(&[press(2_000), pause].concat(), 8_000), "5");
}

#[test]
fn from_loud_to_faint_with_noise_and_twist() {
    let cases = [
        (16_000.0, 16_000.0, "5"),
        (300.0, 300.0, "5"),
        (30.0, 30.0, ""),
        (6_000.0, 3_000.0, "5"),
        (2_500.0, 6_000.0, "5"),
        (6_000.0, 600.0, ""),
    ];
    for (row, column, wanted) in cases {
        let wave =
            |hz: f32, n: usize, level: f32| (n as f32 * hz / 8_000.0 * std::f32::consts::TAU).sin() * level;
        let mut noise = noise(1);
        let samples: Vec<i16> = (0..1_600)
            .map(|n| (wave(770.0, n, row) + wave(1_336.0, n, column) + noise() * column * 0.1) as i16)
            .collect();
        assert_eq!(found(&samples, 8_000), wanted, "{row} and {column}");
    }
}

#[test]
fn speech_and_music_are_no_keys() {
    for seed in 1..=10 {
        let mut noise = noise(seed);
        let mut hz = 120.0 + seed as f32 * 18.0;
        let mut phase = [0.0_f32; 30];
        // five seconds of a gliding voice with its overtones, and breath
        let samples: Vec<i16> = (0..40_000)
            .map(|_| {
                hz = (hz + noise() * 0.2).clamp(90.0, 380.0);
                let mut sum = noise() * 0.03;
                for (n, phase) in (1_u8..).zip(&mut phase) {
                    let overtone = hz * f32::from(n);
                    if overtone < 3_500.0 {
                        *phase = (*phase + overtone / 8_000.0).fract();
                        sum += (*phase * std::f32::consts::TAU).sin() / f32::from(n).powf(0.7);
                    }
                }
                (sum * 4_000.0) as i16
            })
            .collect();
        assert_eq!(found(&samples, 8_000), "", "voice {seed}");
    }
    // dial tone, ringing tone, beeps of answering machines, single tones and chords
    for beep in [
        &[425.0][..],
        &[350.0, 440.0],
        &[1_000.0],
        &[770.0],
        &[1_336.0],
        &[440.0, 554.0, 659.0],
        &[950.0, 1_400.0, 1_800.0],
    ] {
        let samples: Vec<i16> = (0..8_000)
            .map(|n| {
                beep.iter()
                    .map(|hz| (n as f32 * hz / 8_000.0 * std::f32::consts::TAU).sin() * 5_000.0)
                    .sum::<f32>() as i16
            })
            .collect();
        assert_eq!(found(&samples, 8_000), "", "{beep:?}");
    }
}

#[test]
fn a_frame_that_sounds_like_a_key_is_known_at_once() {
    for rate in [8_000, 16_000] {
        let frame = ms(rate, 20);
        for code in 0..16 {
            let digit = Digit::from_event(code).unwrap();
            assert_eq!(has_pair(&tone(digit, rate, 3_000.0, 37, frame), rate), Some(digit));
        }
        assert_eq!(has_pair(&vec![0; frame], rate), None);
    }
}

proptest! {
    #[test]
    fn any_sound_is_heard(samples in prop::collection::vec(any::<i16>(), 0..3_000), wide: bool) {
        let rate = if wide { 16_000 } else { 8_000 };
        let mut detector = Detector::new(rate);
        let _ = detector.hear(&samples);
        let _ = has_pair(&samples, rate);
        prop_assert!(detector.samples.len() < 410);
    }
}
