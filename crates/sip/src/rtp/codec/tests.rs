use super::*;
use proptest::prelude::*;

/// Something like a vowel: a pitch with overtones that swells, deterministic.
fn speech(rate: u32, from: usize, count: usize) -> Vec<i16> {
    (from..from + count)
        .map(|n| {
            let t = n as f32 / rate as f32;
            let voice = [(180.0, 0.5), (360.0, 0.3), (540.0, 0.15), (1_260.0, 0.1), (2_340.0, 0.05)];
            let sum: f32 =
                voice.iter().map(|(hz, level)| (t * hz * std::f32::consts::TAU).sin() * level).sum();
            (sum * (0.6 + 0.4 * (t * 3.0).sin()) * 12_000.0) as i16
        })
        .collect()
}

/// Signal to noise in decibels, at the delay (of so many samples at most) where it is best.
fn snr(wanted: &[i16], got: &[i16], most_delay: usize) -> f64 {
    let at = |delay: usize| {
        let (mut signal, mut noise) = (0.0, 1e-9);
        for (&w, &g) in wanted.iter().zip(got.iter().skip(delay)).skip(1_600) {
            signal += f64::from(w).powi(2);
            noise += (f64::from(w) - f64::from(g)).powi(2);
        }
        10.0 * (signal / noise).log10()
    };
    (0..=most_delay).map(at).fold(f64::MIN, f64::max)
}

fn there_and_back(codec: Codec, rate: u32) -> (Vec<i16>, Vec<i16>) {
    let frame = samples_of_frame(rate);
    let mut encoder = Encoder::new(codec, rate).unwrap();
    let mut decoder = Decoder::new(codec, rate).unwrap();
    let (mut wanted, mut got) = (Vec::new(), Vec::new());
    for n in 0..100 {
        let samples = speech(rate, n * frame, frame);
        let payload = encoder.encode(&samples);
        assert_eq!(codec.ticks(&payload), Some(codec.frame_ticks()));
        let back = decoder.decode(&payload);
        assert_eq!(back.len(), frame, "{codec:?}");
        wanted.extend(samples);
        got.extend(back);
    }
    (wanted, got)
}

#[test]
fn speech_comes_back_as_it_was() {
    let cases = [
        (Codec::Pcmu, 8_000, 0, 35.0),
        (Codec::Pcma, 8_000, 0, 35.0),
        // the filters of both sides together hold 22 samples back
        (Codec::G722, 16_000, 30, 20.0),
        (Codec::Opus, 8_000, 200, 6.0),
        (Codec::Opus, 16_000, 400, 6.0),
    ];
    for (codec, rate, delay, least) in cases {
        let (wanted, got) = there_and_back(codec, rate);
        let snr = snr(&wanted, &got, delay);
        assert!(snr > least, "{codec:?} at {rate}: {snr:.1} dB");
    }
}

#[test]
fn silence_stays_silence() {
    for codec in [Codec::Pcmu, Codec::Pcma, Codec::G722, Codec::Opus] {
        let rate = codec.sample_rate();
        let mut encoder = Encoder::new(codec, rate).unwrap();
        let mut decoder = Decoder::new(codec, rate).unwrap();
        for _ in 0..20 {
            let back = decoder.decode(&encoder.encode(&vec![0; samples_of_frame(rate)]));
            assert!(back.iter().all(|sample| sample.abs() <= 40), "{codec:?}: {back:?}");
        }
    }
}

/// Decodes a melody, with another note in each frame, of which every tenth is lost. Returns how far the lost frames are
/// from what they were before, in decibels.
fn with_losses(copies: bool) -> f64 {
    let (rate, frame) = (16_000, 320);
    let mut encoder = Encoder::new(Codec::Opus, rate).unwrap();
    let mut whole = Decoder::new(Codec::Opus, rate).unwrap();
    let mut decoder = Decoder::new(Codec::Opus, rate).unwrap();
    let note = |n: usize| -> Vec<i16> {
        let hz = 200.0 + (n * 7 % 11) as f32 * 90.0;
        let loud = if n.is_multiple_of(3) { 2_000.0 } else { 12_000.0 };
        let wave = |at: usize| (at as f32 / 16_000.0 * hz * std::f32::consts::TAU).sin() * loud;
        (n * frame..(n + 1) * frame).map(|at| wave(at) as i16).collect()
    };
    let payloads: Vec<Vec<u8>> = (0..200).map(|n| encoder.encode(&note(n))).collect();
    let (mut signal, mut noise) = (0.0, 0.0);
    for (n, payload) in payloads.iter().enumerate() {
        let wanted = whole.decode(payload);
        if n % 10 != 5 {
            decoder.decode(payload);
            continue;
        }
        let next = payloads.get(n + 1).map(Vec::as_slice).filter(|_| copies);
        let made_up = decoder.decode_lost(frame, next);
        assert_eq!(made_up.len(), frame);
        for (&wanted, made_up) in wanted.iter().zip(made_up) {
            signal += f64::from(wanted).powi(2);
            noise += (f64::from(wanted) - f64::from(made_up)).powi(2);
        }
    }
    10.0 * (signal / noise).log10()
}

#[test]
fn opus_repairs_a_loss_from_the_next_packet() {
    let (without, with) = (with_losses(false), with_losses(true));
    assert!(with > without + 3.0, "{with:.1} dB with copies, {without:.1} dB without");
}

#[test]
fn every_codec_makes_up_what_is_asked_for_and_ends_in_silence() {
    for codec in [Codec::Pcmu, Codec::Pcma, Codec::G722, Codec::Opus] {
        let rate = codec.sample_rate();
        let frame = samples_of_frame(rate);
        let mut encoder = Encoder::new(codec, rate).unwrap();
        let mut decoder = Decoder::new(codec, rate).unwrap();
        for n in 0..10 {
            decoder.decode(&encoder.encode(&speech(rate, n * frame, frame)));
        }
        let first = decoder.decode_lost(frame, None);
        assert!(first.iter().any(|sample| sample.abs() > 1_000), "{codec:?} makes nothing up");
        for samples in [1, 7, frame, frame * 6] {
            assert_eq!(decoder.decode_lost(samples, None).len(), samples, "{codec:?}");
        }
        let last = decoder.decode_lost(frame, None);
        assert!(last.iter().all(|&sample| sample == 0), "{codec:?} never ends");
        assert_eq!(decoder.quiet(frame), vec![0; frame]);
    }
}

#[test]
fn a_codec_comes_at_its_own_rate_only() {
    assert!(Encoder::new(Codec::Pcmu, 16_000).is_err());
    assert!(Decoder::new(Codec::G722, 8_000).is_err());
    assert!(Decoder::new(Codec::Opus, 44_100).is_err());
    assert_eq!(Codec::Pcmu.ticks(&[0; 961]), None, "more than 120 ms");
    assert_eq!(Codec::Opus.ticks(&[]), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_bytes_are_sound(payloads in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..400), 1..8)) {
        for codec in [Codec::Pcmu, Codec::Pcma, Codec::G722, Codec::Opus] {
            let mut decoder = Decoder::new(codec, codec.sample_rate()).unwrap();
            for payload in &payloads {
                let sound = decoder.decode(payload);
                prop_assert!(sound.len() <= payload.len() * 2 + longest(16_000));
                let made_up = decoder.decode_lost(320, Some(payload));
                prop_assert_eq!(made_up.len(), 320);
            }
        }
    }
}
