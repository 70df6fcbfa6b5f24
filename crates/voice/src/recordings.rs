//! Recordings of the operator's own in the place of ours: a folder with one folder a language, with one WAV file a phrase.
//!
//! ```text
//! recordings/sv/opened.wav    recordings/sv/7.wav    …
//! ```
//!
//! What is not there is ours. What is there and has another name is a mistake of somebody, and said at start.

use crate::phrase::{Phrase, language};
use crate::wav::{self, WavError};
use crate::{VoiceError, sound};
use klinke_model::contact::Language;
use std::fs;
use std::path::Path;

/// The longest recording, seconds.
const LONGEST_S: usize = 20;
/// The largest file that is read, bytes: the longest recording at the highest rate, and what else stands in a file.
const LARGEST: u64 = 48_000 * 2 * LONGEST_S as u64 + 65_536;

/// Why a file of the folder is not taken.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    /// It is not there, or may not be read.
    #[error("{0}")]
    Unreadable(#[from] std::io::Error),
    /// A folder that is not a language's, or something else in the place of one.
    #[error("expected folders named nb, nn, sv, da or en here")]
    Language,
    /// Not a phrase.
    #[error("no phrase has this name; there are {}", names())]
    Name,
    /// Not a sound that we take.
    #[error("{0}")]
    Wav(#[from] WavError),
    /// Over [`LONGEST_S`].
    #[error("it is longer than {LONGEST_S} seconds")]
    TooLong,
    /// Nobody speaks in it.
    #[error("it is silent")]
    Silent,
}

fn names() -> String {
    Phrase::all().map(|phrase| format!("{}.wav", phrase.name())).collect::<Vec<_>>().join(", ")
}

/// One recording, ready to be played.
pub struct Recording {
    pub language: Language,
    pub phrase: Phrase,
    pub sound: Vec<i16>,
}

/// Every recording of the folder, ready to be played.
///
/// # Errors
/// [`VoiceError::Recording`] with the path of the first thing that is wrong.
pub fn read(folder: &Path) -> Result<Vec<Recording>, VoiceError> {
    let mut found = Vec::new();
    for (name, path) in entries(folder)? {
        let language = language(&name).filter(|_| path.is_dir());
        let language = language.ok_or_else(|| wrong(&path, RecordingError::Language))?;
        for (name, path) in entries(&path)? {
            let phrase = name.strip_suffix(".wav").and_then(Phrase::named);
            let phrase = phrase.ok_or_else(|| wrong(&path, RecordingError::Name))?;
            let sound = read_one(&path).map_err(|why| wrong(&path, why))?;
            found.push(Recording { language, phrase, sound });
        }
    }
    Ok(found)
}

fn read_one(path: &Path) -> Result<Vec<i16>, RecordingError> {
    if fs::metadata(path)?.len() > LARGEST {
        return Err(RecordingError::TooLong);
    }
    let (samples, rate) = wav::read(&fs::read(path)?)?;
    if samples.len() > LONGEST_S * rate as usize {
        return Err(RecordingError::TooLong);
    }
    let sound = sound::prepare(&samples, rate);
    if sound.is_empty() { Err(RecordingError::Silent) } else { Ok(sound) }
}

/// Names and paths in a folder, sorted, without the hidden ones.
fn entries(folder: &Path) -> Result<Vec<(String, std::path::PathBuf)>, VoiceError> {
    let unreadable = |error: std::io::Error| wrong(folder, error.into());
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.starts_with('.') {
            all.push((name, entry.path()));
        }
    }
    all.sort();
    Ok(all)
}

fn wrong(path: &Path, why: RecordingError) -> VoiceError {
    VoiceError::Recording { path: path.to_owned(), why }
}
