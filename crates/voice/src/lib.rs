//! What somebody hears who is called on an ordinary telephone: who is there, which key opens, what came of it.
//!
//! Phrases are recordings (`sounds/`, made from `phrases.txt` by `examples/make.rs`, or the operator's own); an address is
//! spoken ahead of calls by a program, where the operator has one.
//!
//! Invariants:
//! - [`Voice::say`] answers at once: no file, no program, no other task is waited for;
//! - every sound has the level and the band of a telephone, begins with a pause (the first words after an answer are
//!   often lost), and has nothing in it that is taken for a key;
//! - no address is logged.

pub mod pack;
pub mod phrase;
mod places;
mod recordings;
pub mod sound;
pub mod speech;
pub mod wav;

pub use places::Speaker;
pub use recordings::RecordingError;

use klinke_model::contact::Language;
use phrase::{LANGUAGES, Phrase};
use places::Places;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

/// Before the first word, milliseconds.
const BEFORE_MS: usize = 300;
/// Between two sentences, milliseconds.
const BETWEEN_MS: usize = 350;

/// Where sounds come from beside those in the program.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Config {
    /// A folder with recordings in the place of ours: `LANGUAGE/PHRASE.wav`.
    pub recordings: Option<PathBuf>,
    /// The path of espeak-ng, which speaks addresses. Without it none is spoken.
    pub speech: Option<PathBuf>,
}

/// What is wrong with the configuration.
#[derive(Debug, thiserror::Error)]
pub enum VoiceError {
    /// A file of the folder, or the folder.
    #[error("{}: {why}", path.display())]
    Recording {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        why: RecordingError,
    },
    /// The speech program is no file, or its path does not begin at the root.
    #[error("{}: no program is there (the whole path is needed)", .0.display())]
    Speech(PathBuf),
    /// Our own sounds; a test proves that this does not happen.
    #[error("{0}")]
    Pack(#[from] pack::PackError),
}

/// What is said.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Said<'a> {
    /// Who is there and what the keys do. With a place when it is known and was spoken before.
    Somebody {
        /// Where: the name of the entrance or the address, as people read it.
        place: Option<&'a str>,
    },
    /// The key that opens, and nothing else: to who talks already.
    Opens,
    /// A short tone: from now on both hear each other.
    Connected,
    /// The door is open.
    Opened,
    /// The door was told to open, by a system that does not say whether it did.
    Sent,
    /// The door did not open, whatever the reason.
    NotOpened,
    /// Somebody else has the call.
    Elsewhere,
    /// Ten seconds are left.
    Ending,
    /// It is over.
    Goodbye,
    /// A key that does nothing here.
    WrongKey,
    /// What proves that a number is somebody's: the digits that their app shows are to be typed.
    TypeCode,
    /// Those were the digits: the number is kept.
    Confirmed,
    /// Those were not; once more.
    WrongCode,
    /// This is a test; any key is to be pressed.
    TestCall,
    /// The key of a test came.
    KeyHeard,
    /// Nothing comes from this phone: the visitor does not hear who talks.
    Unheard,
}

impl std::fmt::Debug for Said<'_> {
    /// Without the place.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Somebody { .. } => "Somebody",
            Self::Opens => "Opens",
            Self::Connected => "Connected",
            Self::Opened => "Opened",
            Self::Sent => "Sent",
            Self::NotOpened => "NotOpened",
            Self::Elsewhere => "Elsewhere",
            Self::Ending => "Ending",
            Self::Goodbye => "Goodbye",
            Self::WrongKey => "WrongKey",
            Self::TypeCode => "TypeCode",
            Self::Confirmed => "Confirmed",
            Self::WrongCode => "WrongCode",
            Self::TestCall => "TestCall",
            Self::KeyHeard => "KeyHeard",
            Self::Unheard => "Unheard",
        })
    }
}

/// How many samples a second a leg works with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rate {
    /// 8,000: G.711.
    Narrow,
    /// 16,000: G.722, Opus.
    Wide,
}

impl Rate {
    /// The rate of so many samples a second.
    pub const fn of(samples: u32) -> Option<Self> {
        match samples {
            8_000 => Some(Self::Narrow),
            16_000 => Some(Self::Wide),
            _ => None,
        }
    }
}

/// Everything that can be said, in memory. A clone is the same voice.
#[derive(Clone, Debug)]
pub struct Voice {
    inner: Arc<Inner>,
}

struct Inner {
    sounds: HashMap<(Language, Phrase), Vec<i16>>,
    connected: Vec<i16>,
    places: Option<Places>,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} sounds, {:?}", self.sounds.len(), self.places)
    }
}

impl Voice {
    /// Reads and checks everything; takes under a second. With a speech program there is a [`Speaker`] too, to be run in a
    /// task of its own.
    ///
    /// # Errors
    /// [`VoiceError`], with the path of what is wrong.
    pub fn new(config: &Config) -> Result<(Self, Option<Speaker>), VoiceError> {
        let mut sounds = HashMap::new();
        for language in LANGUAGES {
            let ours = pack::unpack(ours(language))?;
            sounds.extend(ours.into_iter().map(|one| ((language, one.phrase), one.sound)));
        }
        if let Some(folder) = &config.recordings {
            let own = recordings::read(folder)?.into_iter();
            sounds.extend(own.map(|recording| ((recording.language, recording.phrase), recording.sound)));
        }
        let (places, speaker) = match &config.speech {
            None => (None, None),
            Some(program) if program.is_absolute() && program.is_file() => {
                let (places, speaker) = places::places(speech::Speech::new(program));
                (Some(places), Some(speaker))
            }
            Some(program) => return Err(VoiceError::Speech(program.clone())),
        };
        Ok((Self { inner: Arc::new(Inner { sounds, connected: sound::connected(), places }) }, speaker))
    }

    /// The sound of this, at once.
    pub fn say(&self, language: Language, said: Said<'_>, rate: Rate) -> Arc<[i16]> {
        let mut sentence = Sentence { voice: &self.inner, language, samples: pause(BEFORE_MS) };
        match said {
            Said::Somebody { place } => {
                let places = self.inner.places.as_ref();
                match places.zip(place).and_then(|(places, place)| places.somebody_at(language, place)) {
                    Some(sound) => sentence.samples.extend(sound.iter()),
                    None => sentence.add(Phrase::Somebody),
                }
                sentence.wait(BETWEEN_MS);
                sentence.add(Phrase::Keys);
            }
            // nobody speaks, nothing is lost: no pause before it
            Said::Connected => sentence.samples.clone_from(&self.inner.connected),
            Said::Opens => sentence.add(Phrase::Opens),
            Said::Opened => sentence.add(Phrase::Opened),
            Said::Sent => sentence.add(Phrase::Sent),
            Said::NotOpened => sentence.add(Phrase::NotOpened),
            Said::Elsewhere => sentence.add(Phrase::Elsewhere),
            Said::Ending => sentence.add(Phrase::Ending),
            Said::Goodbye => sentence.add(Phrase::Goodbye),
            Said::WrongKey => sentence.add(Phrase::WrongKey),
            Said::TypeCode => sentence.add(Phrase::TypeCode),
            Said::Confirmed => sentence.add(Phrase::Confirmed),
            Said::WrongCode => sentence.add(Phrase::WrongCode),
            Said::TestCall => sentence.add(Phrase::TestCall),
            Said::KeyHeard => {
                sentence.add(Phrase::KeyHeard);
                sentence.wait(BETWEEN_MS);
                sentence.add(Phrase::Goodbye);
            }
            Said::Unheard => sentence.add(Phrase::Unheard),
        }
        match rate {
            Rate::Wide => sentence.samples.into(),
            // nothing is above 4 kHz, so this needs no filter
            Rate::Narrow => sentence.samples.iter().step_by(2).copied().collect(),
        }
    }

    /// Whether addresses are spoken at all.
    pub fn speaks_places(&self) -> bool {
        self.inner.places.is_some()
    }

    /// Has an address spoken ahead of the first call from there, if it was not yet.
    pub fn expect(&self, language: Language, place: &str) {
        if let Some(places) = &self.inner.places {
            let _ = places.somebody_at(language, place);
        }
    }
}

/// A sentence that is put together.
struct Sentence<'a> {
    voice: &'a Inner,
    language: Language,
    samples: Vec<i16>,
}

impl Sentence<'_> {
    fn add(&mut self, phrase: Phrase) {
        let sound = self.voice.sounds.get(&(self.language, phrase));
        self.samples.extend(sound.map_or(&[][..], Vec::as_slice));
    }

    fn wait(&mut self, ms: usize) {
        self.samples.extend(pause(ms));
    }
}

fn pause(ms: usize) -> Vec<i16> {
    vec![0; sound::RATE as usize * ms / 1_000]
}

const fn ours(language: Language) -> &'static [u8] {
    match language {
        Language::Nb => include_bytes!("../sounds/nb.pack"),
        Language::Nn => include_bytes!("../sounds/nn.pack"),
        Language::Sv => include_bytes!("../sounds/sv.pack"),
        Language::Da => include_bytes!("../sounds/da.pack"),
        Language::En => include_bytes!("../sounds/en.pack"),
    }
}
