//! What is shipped: as long, as loud and as narrow as a telephone needs it, and nothing in it is a key.

use klinke_sip::dtmf;
use klinke_sip::dtmf::tones::{Detector, tone};
use klinke_sip::rtp::codec::{Codec, Decoder, Encoder};
use klinke_voice::phrase::{LANGUAGES, Phrase, tag};
use klinke_voice::{Config, Rate, Said, Voice, pack, sound, wav};
use std::process::Command;

const SECOND: usize = sound::RATE as usize;

/// Everything that is said without a place.
const SAID: [Said<'static>; 13] = [
    Said::Somebody { place: None },
    Said::Opens,
    Said::Connected,
    Said::Opened,
    Said::Sent,
    Said::NotOpened,
    Said::Elsewhere,
    Said::Ending,
    Said::Goodbye,
    Said::WrongKey,
    Said::TypeCode,
    Said::Confirmed,
    Said::WrongCode,
];

fn voice() -> Voice {
    Voice::new(&Config::default()).unwrap().0
}

fn shipped() -> Vec<(String, Phrase, Vec<i16>)> {
    let read = |language| {
        let path = format!("{}/sounds/{}.pack", env!("CARGO_MANIFEST_DIR"), tag(language));
        let sounds = pack::unpack(&std::fs::read(path).unwrap()).unwrap();
        sounds.into_iter().map(move |one| {
            assert_eq!(one.text, one.phrase.text(language), "{}: make the sounds anew", tag(language));
            (format!("{} {}", tag(language), one.phrase.name()), one.phrase, one.sound)
        })
    };
    LANGUAGES.into_iter().flat_map(read).collect()
}

fn power(samples: &[i16]) -> f64 {
    samples.iter().map(|&sample| f64::from(sample).powi(2)).sum::<f64>() / samples.len() as f64
}

#[test]
fn every_phrase_is_there_in_every_language_and_small() {
    let shipped = shipped();
    assert_eq!(shipped.len(), LANGUAGES.len() * Phrase::all().count());
    for wanted in Phrase::all() {
        assert_eq!(shipped.iter().filter(|(_, phrase, _)| *phrase == wanted).count(), LANGUAGES.len());
    }
    let size = |language| {
        std::fs::metadata(format!("{}/sounds/{}.pack", env!("CARGO_MANIFEST_DIR"), tag(language)))
            .unwrap()
            .len()
    };
    let total: u64 = LANGUAGES.into_iter().map(size).sum();
    assert!(total < 400_000, "{total} bytes");
}

#[test]
fn every_phrase_is_as_long_as_its_words() {
    for (name, phrase, sound) in shipped() {
        let seconds = sound.len() as f64 / SECOND as f64;
        let range = match phrase {
            Phrase::Keys | Phrase::TypeCode | Phrase::Confirmed | Phrase::WrongCode | Phrase::TestCall => {
                2.5..8.0
            }
            _ => 0.4..3.5,
        };
        assert!(range.contains(&seconds), "{name}: {seconds} s");
        // nobody thinks that it is over in the middle
        let quiet: Vec<bool> = sound.chunks(320).map(|window| power(window) < 1_000.0).collect();
        let longest = quiet.split(|quiet| !quiet).map(<[bool]>::len).max().unwrap();
        assert!(longest < 40, "{name}: {} ms of silence", longest * 20);
    }
}

#[test]
fn every_phrase_is_as_loud_as_the_others_and_within_the_band() {
    for (name, _, sound) in shipped() {
        let level = sound::level_dbfs(&sound);
        assert!((-22.5..-18.0).contains(&level), "{name}: {level} dBFS");
        let peak = sound.iter().map(|sample| sample.unsigned_abs()).max().unwrap();
        assert!(f64::from(peak) <= sound::PEAK, "{name}: a peak of {peak}");
        // what a telephone keeps of it is all but a thousandth of it
        let kept = sound::band(&sound, sound::RATE, sound::RATE);
        let lost: Vec<i16> = sound.iter().zip(&kept).map(|(a, b)| a.saturating_sub(*b)).collect();
        let share = power(&lost) / power(&sound);
        assert!(share < 0.001, "{name}: {share} of it is above the band");
    }
}

#[test]
fn the_first_words_come_after_a_pause_and_a_code_is_said_twice() {
    let voice = voice();
    for language in LANGUAGES {
        for said in SAID {
            let (wide, narrow) =
                (voice.say(language, said, Rate::Wide), voice.say(language, said, Rate::Narrow));
            assert_eq!(narrow.len(), wide.len().div_ceil(2));
            assert!(narrow.iter().zip(wide.iter().step_by(2)).all(|(a, b)| a == b));
            if said != Said::Connected {
                assert!(wide[..SECOND * 3 / 10].iter().all(|sample| *sample == 0), "{language:?} {said:?}");
            }
            assert!(wide.len() > SECOND / 10, "{language:?} {said:?}");
        }
    }
}

#[test]
fn our_detector_hears_no_key_in_them_and_does_in_a_tone() {
    let voice = voice();
    for (rate, samples) in [(Rate::Narrow, 8_000), (Rate::Wide, 16_000)] {
        for language in LANGUAGES {
            for said in SAID {
                let sound = voice.say(language, said, rate);
                assert_eq!(keys(&sound, samples), [], "{language:?} {said:?}");
            }
        }
    }
    let five = dtmf::Digit::from_char('5').unwrap();
    let mut pressed = voice.say(LANGUAGES[0], Said::Opened, Rate::Narrow).to_vec();
    pressed.extend(tone(five, 8_000, 4_000.0, 0, 800));
    assert_eq!(keys(&pressed, 8_000), [five]);
}

#[test]
fn our_detector_hears_no_key_in_what_is_left_of_them_after_g711() {
    let voice = voice();
    for codec in [Codec::Pcma, Codec::Pcmu] {
        for (language, said) in LANGUAGES.into_iter().flat_map(|language| SAID.map(|said| (language, said))) {
            let (mut encoder, mut decoder) =
                (Encoder::new(codec, 8_000).unwrap(), Decoder::new(codec, 8_000).unwrap());
            let sound = voice.say(language, said, Rate::Narrow);
            let heard: Vec<i16> =
                sound.chunks(160).flat_map(|frame| decoder.decode(&encoder.encode(frame))).collect();
            assert_eq!(keys(&heard, 8_000), [], "{language:?} {said:?}");
            let apart: Vec<i16> = sound.iter().zip(&heard).map(|(a, b)| a - b).collect();
            let ratio = 10.0 * (power(&sound) / power(&apart)).log10();
            assert!(ratio > 30.0, "{language:?} {said:?}: {ratio} dB over what {codec:?} adds");
        }
    }
}

fn keys(sound: &[i16], rate: u32) -> Vec<dtmf::Digit> {
    let mut detector = Detector::new(rate);
    // a call's sound comes in frames, and there is silence after it
    let frames =
        sound.chunks(rate as usize / 50).filter_map(|frame| detector.hear(frame)).collect::<Vec<_>>();
    frames.into_iter().chain(detector.hear(&vec![0; rate as usize / 5])).collect()
}

#[test]
fn the_detector_of_others_hears_no_key_in_them_and_does_in_a_tone() {
    let voice = voice();
    let mut all = Vec::new();
    for language in LANGUAGES {
        for said in SAID {
            all.extend(voice.say(language, said, Rate::Wide).iter());
        }
    }
    assert_eq!(multimon(&all), "");
    let digit = dtmf::Digit::from_char('8').unwrap();
    all.extend(tone(digit, 16_000, 4_000.0, 0, 3_200));
    all.extend([0; 3_200]);
    assert_eq!(multimon(&all), "DTMF: 8\n");
}

/// What multimon-ng finds; it takes 22,050 samples a second, without a head.
fn multimon(sound: &[i16]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("sound.raw");
    // straight lines between samples are enough: nothing is above 4 kHz
    let between = |at: usize| {
        let (whole, part) = (at * 16_000 / 22_050, (at * 16_000 % 22_050) as i32);
        let (one, next) = (i32::from(sound[whole]), i32::from(*sound.get(whole + 1).unwrap_or(&0)));
        (one + (next - one) * part / 22_050) as i16
    };
    let samples: Vec<i16> = (0..sound.len() * 22_050 / 16_000).map(between).collect();
    std::fs::write(&file, samples.iter().flat_map(|sample| sample.to_le_bytes()).collect::<Vec<_>>())
        .unwrap();
    let said = Command::new("multimon-ng").args(["-q", "-a", "DTMF", "-t", "raw"]).arg(file).output();
    let said = said.expect("multimon-ng (Debian: multimon-ng)");
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    String::from_utf8(said.stdout).unwrap()
}

#[test]
fn others_read_our_wav_files() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("one.wav");
    let sound = voice().say(LANGUAGES[0], Said::Opened, Rate::Wide);
    std::fs::write(&file, wav::write(&sound, sound::RATE)).unwrap();
    let check = "import sys, wave; f = wave.open(sys.argv[1]); print(f.getparams()[:4])";
    let said = Command::new("python3").args(["-c", check]).arg(&file).output().unwrap();
    assert_eq!(String::from_utf8(said.stdout).unwrap(), format!("(1, 2, 16000, {})\n", sound.len()));
}
