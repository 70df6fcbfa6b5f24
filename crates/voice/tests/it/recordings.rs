//! Recordings of the operator's own.

use klinke_model::contact::Language;
use klinke_voice::{Config, Rate, Said, Voice, sound, wav};
use std::path::Path;

fn recorded(rate: u32, seconds: f64, amplitude: f64) -> Vec<i16> {
    let wave = |at: usize| (at as f64 * 700.0 / f64::from(rate) * std::f64::consts::TAU).sin() * amplitude;
    (0..(f64::from(rate) * seconds) as usize).map(|at| wave(at) as i16).collect()
}

fn put(folder: &Path, name: &str, file: &[u8]) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, file).unwrap();
}

fn with(folder: &Path) -> Config {
    Config { recordings: Some(folder.to_owned()), ..Config::default() }
}

#[test]
fn a_recording_takes_the_place_of_ours_and_the_rest_stays() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "sv/opened.wav", &wav::write(&recorded(16_000, 1.5, 800.0), 16_000));
    put(folder.path(), "sv/type-code.wav", &wav::write(&recorded(44_100, 0.5, 20_000.0), 44_100));
    put(folder.path(), ".trash", b"hidden");
    let (own, _) = Voice::new(&with(folder.path())).unwrap();
    let (ours, _) = Voice::new(&Config::default()).unwrap();
    let said = |voice: &Voice, language, said| voice.say(language, said, Rate::Wide);
    let opened = said(&own, Language::Sv, Said::Opened);
    // 300 ms before it, as before ours, and as loud as ours
    assert!((28_800..=29_120).contains(&opened.len()), "{}", opened.len());
    assert!((sound::level_dbfs(&opened) + 20.0).abs() < 0.5);
    assert_ne!(said(&own, Language::Sv, Said::TypeCode), said(&ours, Language::Sv, Said::TypeCode));
    assert_eq!(said(&own, Language::Sv, Said::WrongCode), said(&ours, Language::Sv, Said::WrongCode));
    assert_eq!(said(&own, Language::Sv, Said::NotOpened), said(&ours, Language::Sv, Said::NotOpened));
    assert_eq!(said(&own, Language::Nb, Said::Opened), said(&ours, Language::Nb, Said::Opened));
}

#[test]
fn what_is_wrong_in_the_folder_is_named() {
    let good = wav::write(&recorded(16_000, 1.0, 800.0), 16_000);
    let mut stereo = good.clone();
    stereo[22] = 2;
    let cases: [(&str, &[u8], &str); 7] = [
        ("sv/open.wav", &good, "no phrase has this name; there are somebody.wav, keys.wav"),
        ("sv/opened.mp3", &good, "no phrase has this name"),
        ("se/opened.wav", &good, "expected folders named nb, nn, sv, da or en"),
        ("opened.wav", &good, "expected folders named nb, nn, sv, da or en"),
        ("sv/opened.wav", &stereo, "it has 2 channels: save it as mono"),
        ("sv/opened.wav", &wav::write(&[0; 16_000], 16_000), "it is silent"),
        (
            "da/goodbye.wav",
            &wav::write(&recorded(16_000, 20.1, 800.0), 16_000),
            "it is longer than 20 seconds",
        ),
    ];
    for (name, file, why) in cases {
        let folder = tempfile::tempdir().unwrap();
        put(folder.path(), name, file);
        let error = Voice::new(&with(folder.path())).unwrap_err().to_string();
        let named =
            name.split_once('/').filter(|(language, _)| *language == "se").map_or(name, |(folder, _)| folder);
        assert!(error.starts_with(&format!("{}: {why}", folder.path().join(named).display())), "{error}");
    }
    let error = Voice::new(&with(Path::new("/nowhere/at/all"))).unwrap_err().to_string();
    assert!(error.starts_with("/nowhere/at/all: No such file"), "{error}");
}
