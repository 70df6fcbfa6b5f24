//! Makes the sounds from `phrases.txt`: `cargo run -p klinke-voice --example make`. Needs espeak-ng (Debian: `espeak-ng`).
//!
//! With a folder behind it, nothing is made: what is in the program now is written there as WAV files under the names that
//! `[phones] recordings` reads, to listen to and to replace.

use klinke_voice::pack::{Spoken, pack, unpack};
use klinke_voice::phrase::{LANGUAGES, Phrase, tag};
use klinke_voice::sound::RATE;
use klinke_voice::speech::Speech;
use klinke_voice::wav;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let sounds = Path::new(env!("CARGO_MANIFEST_DIR")).join("sounds");
    match std::env::args_os().nth(1).map(PathBuf::from) {
        Some(folder) => listen(&sounds, &folder),
        None => make(&sounds).await,
    }
}

async fn make(sounds: &Path) -> Result<(), Box<dyn Error>> {
    let speech = Speech::new(Path::new("/usr/bin/espeak-ng"));
    for language in LANGUAGES {
        let mut spoken = Vec::new();
        for phrase in Phrase::all() {
            let sound = speech.phrase(language, phrase).await?;
            spoken.push(Spoken { phrase, text: phrase.text(language).to_owned(), sound });
        }
        let seconds = spoken.iter().map(|one| one.sound.len()).sum::<usize>() as f64 / f64::from(RATE);
        let file = pack(&spoken)?;
        println!("{}: {} phrases, {seconds:.1} s, {} bytes", tag(language), spoken.len(), file.len());
        fs::write(sounds.join(tag(language)).with_extension("pack"), file)?;
    }
    Ok(())
}

fn listen(sounds: &Path, folder: &Path) -> Result<(), Box<dyn Error>> {
    for language in LANGUAGES {
        let place = folder.join(tag(language));
        fs::create_dir_all(&place)?;
        for Spoken { phrase, sound, .. } in
            unpack(&fs::read(sounds.join(tag(language)).with_extension("pack"))?)?
        {
            fs::write(place.join(phrase.name()).with_extension("wav"), wav::write(&sound, RATE))?;
        }
    }
    Ok(())
}
