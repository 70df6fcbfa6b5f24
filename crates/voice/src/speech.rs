//! Sentences that nobody recorded, spoken by a program of the operator's: espeak-ng.
//!
//! Invariants:
//! - the text reaches the program through its standard input: it is no argument and no shell sees it;
//! - nothing is in the text but Latin letters, digits, spaces and commas, so nothing in it is a command to the program;
//! - the program has 5 s, 256 MiB and 20 s of sound; it is killed after that, and with whoever waits for it.

use crate::phrase::{self, Phrase};
use crate::{sound, wav};
use klinke_model::contact::Language;
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};
use tokio::time::timeout;
use unicode_normalization::UnicodeNormalization;

/// How long the program may take.
const LIMIT: Duration = Duration::from_secs(5);
/// The same for its processor time, seconds, if we are gone before we could kill it.
const PROCESSOR_S: u64 = 5;
/// How much memory it may ask for, bytes.
const MEMORY: u64 = 256 << 20;
/// How much it may say: 20 s at 22,050 samples a second, bytes.
const LONGEST: u64 = 20 * 22_050 * 2;
/// Characters of a place that are spoken.
const PLACE_MAX: usize = 80;

/// Why there is no sound.
#[derive(Debug, thiserror::Error)]
pub enum SpeechError {
    /// It could not be started, or broke off.
    #[error("the speech program could not be run: {0}")]
    Io(#[from] std::io::Error),
    /// Over [`LIMIT`].
    #[error("the speech program took longer than {} s and was stopped", LIMIT.as_secs())]
    Slow,
    /// It ended with an error.
    #[error("the speech program failed ({0})")]
    Failed(std::process::ExitStatus),
    /// Over [`LONGEST`].
    #[error("the speech program said more than 20 s")]
    TooLong,
    /// What it wrote is no sound.
    #[error("what the speech program wrote is no sound: {0}")]
    Wav(#[from] wav::WavError),
    /// It said nothing.
    #[error("the speech program said nothing")]
    Silent,
}

/// The program.
#[derive(Clone, Debug)]
pub struct Speech {
    program: PathBuf,
}

impl Speech {
    /// With the program at this path.
    pub fn new(program: &Path) -> Self {
        Self { program: program.to_owned() }
    }

    /// A phrase, ready to be played: how the recordings in `sounds/` are made.
    ///
    /// # Errors
    /// [`SpeechError`].
    pub async fn phrase(&self, language: Language, phrase: Phrase) -> Result<Vec<i16>, SpeechError> {
        self.speak(language, phrase.text(language)).await
    }

    /// "Somebody is at …", ready to be played.
    pub(crate) async fn somebody_at(
        &self,
        language: Language,
        place: &Place,
    ) -> Result<Vec<i16>, SpeechError> {
        self.speak(language, &phrase::somebody_at(language, &place.0)).await
    }

    async fn speak(&self, language: Language, text: &str) -> Result<Vec<i16>, SpeechError> {
        let mut child = Command::new(&self.program)
            // UTF-8, slower than it usually speaks, not so loud that it cuts its own peaks
            .args(["-v", voice(language), "-s", "145", "-a", "80", "-b", "1", "--stdin", "--stdout"])
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let said = timeout(LIMIT, talk(&mut child, text)).await;
        if !matches!(said, Ok(Ok(_))) {
            // also waits, so that nothing of it is left
            child.kill().await?;
        }
        let file = said.map_err(|_| SpeechError::Slow)??;
        let ready = tokio::task::spawn_blocking(move || {
            let (samples, rate) = wav::read(&file)?;
            Ok::<_, SpeechError>(sound::prepare(&samples, rate))
        });
        let ready = ready.await.map_err(std::io::Error::other)??;
        if ready.is_empty() { Err(SpeechError::Silent) } else { Ok(ready) }
    }
}

/// Gives the text and takes the sound.
async fn talk(child: &mut Child, text: &str) -> Result<Vec<u8>, SpeechError> {
    confine(child)?;
    let (Some(mut stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(SpeechError::Silent);
    };
    // less than a pipe holds, so this waits for nobody; a program that does not read it says so by its status
    let _ = stdin.write_all(text.as_bytes()).await;
    drop(stdin);
    let mut file = Vec::new();
    stdout.take(LONGEST + 1).read_to_end(&mut file).await?;
    if file.len() as u64 > LONGEST {
        return Err(SpeechError::TooLong);
    }
    let status = child.wait().await?;
    if status.success() { Ok(file) } else { Err(SpeechError::Failed(status)) }
}

fn confine(child: &Child) -> std::io::Result<()> {
    let pid = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    let limits = [(Resource::As, MEMORY), (Resource::Cpu, PROCESSOR_S), (Resource::Core, 0)];
    for (resource, most) in limits {
        // without a number it is over already
        if pid.is_some() {
            prlimit(pid, resource, Rlimit { current: Some(most), maximum: Some(most) })?;
        }
    }
    Ok(())
}

/// espeak-ng's voice for a language; it has one Norwegian.
const fn voice(language: Language) -> &'static str {
    match language {
        Language::Nb | Language::Nn => "nb",
        Language::Sv => "sv",
        Language::Da => "da",
        Language::En => "en-gb",
    }
}

/// A place as it is spoken: composed (NFC), Latin letters, digits, commas and single spaces, 80 characters at most.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Place(String);

impl Place {
    /// What of a text can be spoken; `None` when it is nothing.
    pub(crate) fn new(text: &str) -> Option<Self> {
        // Latin letters end at U+024F; a mark that could not be composed is none of them
        let spoken = |c: char| c == ',' || (c.is_alphanumeric() && c < '\u{250}');
        let only: String = text.nfc().map(|c| if spoken(c) { c } else { ' ' }).take(4 * PLACE_MAX).collect();
        let joined = only.split_whitespace().collect::<Vec<_>>().join(" ");
        let short: String = joined.chars().take(PLACE_MAX).collect();
        let ends: &[char] = &[' ', ','];
        let short = short.trim_matches(ends);
        (!short.is_empty()).then(|| Self(short.to_owned()))
    }
}

#[cfg(test)]
mod tests;
