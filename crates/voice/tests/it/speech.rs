//! Addresses, spoken by espeak-ng.

use klinke_model::contact::Language;
use klinke_voice::phrase::{LANGUAGES, Phrase, tag};
use klinke_voice::{Config, Rate, Said, Voice, VoiceError, pack, sound};
use std::sync::Arc;

const PROGRAM: &str = "/usr/bin/espeak-ng";

fn there(voice: &Voice, language: Language, place: &str) -> Arc<[i16]> {
    voice.say(language, Said::Somebody { place: Some(place) }, Rate::Wide)
}

#[tokio::test]
async fn an_address_is_spoken_once_and_is_there_from_then_on() {
    let config = Config { speech: Some(PROGRAM.into()), ..Config::default() };
    let (voice, speaker) = Voice::new(&config).unwrap();
    let mut speaker = speaker.unwrap();
    for language in LANGUAGES {
        let without = voice.say(language, Said::Somebody { place: None }, Rate::Wide);
        // not yet: said without it, and wanted
        assert_eq!(there(&voice, language, "Storgatan 12 A"), without);
        assert!(speaker.speak_one().await);
        let with = there(&voice, language, "Storgatan 12 A");
        assert_ne!(with, without, "{language:?}");
        assert_eq!(there(&voice, language, " Storgatan  12 A"), with);
        // the same keys come after it, behind a pause
        let path = format!("{}/sounds/{}.pack", env!("CARGO_MANIFEST_DIR"), tag(language));
        let shipped = pack::unpack(&std::fs::read(path).unwrap()).unwrap();
        let keys = &shipped.iter().find(|one| one.phrase == Phrase::Keys).unwrap().sound;
        assert!(with.ends_with(keys) && without.ends_with(keys));
        let place = &with[..with.len() - keys.len() - 16_000 * 3 / 10];
        assert!((1.2..4.0).contains(&(place.len() as f64 / 16_000.0)), "{language:?}: {}", place.len());
        let level = sound::level_dbfs(place);
        assert!((level + 20.0).abs() < 2.0, "{language:?}: {level} dBFS");
        let longer = "Storgatan 1234 A";
        voice.expect(language, longer);
        assert!(speaker.speak_one().await);
        assert!(there(&voice, language, longer).len() > with.len(), "{language:?}: the number is not read");
        assert_eq!(there(&voice, language, "東京"), without);
    }
    drop(voice);
    assert!(!speaker.speak_one().await);
}

#[tokio::test]
async fn an_address_that_can_not_be_spoken_is_left_out() {
    let config = Config { speech: Some("/bin/false".into()), ..Config::default() };
    let (voice, speaker) = Voice::new(&config).unwrap();
    voice.expect(Language::En, "Storgatan 12 A");
    assert!(speaker.unwrap().speak_one().await);
    let without = voice.say(Language::En, Said::Somebody { place: None }, Rate::Wide);
    assert_eq!(there(&voice, Language::En, "Storgatan 12 A"), without);
}

#[test]
fn a_program_that_is_not_there_is_said_at_start() {
    for path in ["/usr/bin/espeak-nowhere", "espeak-ng", "/usr/bin"] {
        let config = Config { speech: Some(path.into()), ..Config::default() };
        let error = Voice::new(&config).unwrap_err();
        assert!(matches!(&error, VoiceError::Speech(_)) && error.to_string().starts_with(path), "{error}");
    }
    let (voice, speaker) = Voice::new(&Config::default()).unwrap();
    assert!(speaker.is_none());
    // nothing waits and nothing grows
    voice.expect(Language::En, "Storgatan 12 A");
}
