//! Sentences with an address in them: spoken ahead of calls, kept in memory, never on a disk.
//!
//! Whoever asks for one gets it or not, at once; what was not there is spoken in the background, one after the other, and
//! is there the next time. What is kept is bounded: what was not asked for the longest goes first.

use crate::speech::{Place, Speech};
use klinke_model::contact::Language;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::mpsc;

/// Sentences that wait to be spoken. More are forgotten, and wanted again by the next call.
const WAITING: usize = 64;
/// Samples that are kept: 32 MiB, some four hundred sentences.
const KEPT: usize = 16 << 20;

type Key = (Language, Place);

/// What was spoken, and where to ask for more.
#[derive(Debug)]
pub struct Places {
    kept: Shared,
    wanted: mpsc::Sender<Key>,
}

/// Speaks what is wanted. Run it in a task; it ends when the voice is gone.
#[derive(Debug)]
pub struct Speaker {
    kept: Shared,
    wanted: mpsc::Receiver<Key>,
    speech: Speech,
}

/// What there is, and one that speaks more.
pub fn places(speech: Speech) -> (Places, Speaker) {
    let (sender, receiver) = mpsc::channel(WAITING);
    let kept = Shared::default();
    (Places { kept: kept.clone(), wanted: sender }, Speaker { kept, wanted: receiver, speech })
}

impl Places {
    /// "Somebody is at …" of this place. `None`, and wanted from now on, when it was not spoken yet.
    pub fn somebody_at(&self, language: Language, place: &str) -> Option<Arc<[i16]>> {
        let key = (language, Place::new(place)?);
        let found = self.kept.lock().take(&key);
        if found.is_none() {
            // when too many wait, the next call wants it again
            let _ = self.wanted.try_send(key);
        }
        found
    }
}

impl Speaker {
    /// Speaks what is wanted, one after the other, until the voice is gone.
    pub async fn run(mut self) {
        while self.speak_one().await {}
    }

    /// Waits for the next that is wanted and speaks it; `false` when the voice is gone.
    pub async fn speak_one(&mut self) -> bool {
        let Some((language, place)) = self.wanted.recv().await else { return false };
        // several calls may have wanted it before it was there
        let there = self.kept.lock().take(&(language, place.clone())).is_some();
        if !there {
            match self.speech.somebody_at(language, &place).await {
                Ok(sound) => self.kept.lock().put((language, place), sound.into()),
                // which place it was is nobody's business in a log
                Err(error) => tracing::warn!(%error, "an address could not be spoken"),
            }
        }
        true
    }
}

#[derive(Clone, Debug, Default)]
struct Shared(Arc<Mutex<Kept>>);

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Default)]
struct Kept {
    /// The sound, and the turn at which it was last taken.
    sounds: HashMap<Key, (Arc<[i16]>, u64)>,
    samples: usize,
    turn: u64,
}

impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} places", self.sounds.len())
    }
}

impl Kept {
    fn take(&mut self, key: &Key) -> Option<Arc<[i16]>> {
        self.turn += 1;
        let (sound, last) = self.sounds.get_mut(key)?;
        *last = self.turn;
        Some(Arc::clone(sound))
    }

    fn put(&mut self, key: Key, sound: Arc<[i16]>) {
        self.turn += 1;
        self.samples += sound.len();
        if let Some((old, _)) = self.sounds.insert(key, (sound, self.turn)) {
            self.samples -= old.len();
        }
        while self.samples > KEPT {
            let oldest = self.sounds.iter().min_by_key(|(_, (_, last))| *last).map(|(key, _)| key.clone());
            let Some((old, _)) = oldest.and_then(|oldest| self.sounds.remove(&oldest)) else { return };
            self.samples -= old.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: usize) -> Key {
        (Language::Sv, Place::new(&format!("Gatan {number}")).unwrap())
    }

    #[test]
    fn what_was_not_asked_for_the_longest_goes_first() {
        let mut kept = Kept::default();
        // four fit
        let sound: Arc<[i16]> = vec![0; KEPT / 4].into();
        for number in 0..4 {
            kept.put(key(number), Arc::clone(&sound));
        }
        assert!(kept.take(&key(0)).is_some());
        kept.put(key(3), Arc::clone(&sound));
        kept.put(key(4), Arc::clone(&sound));
        let there = |kept: &mut Kept, number| kept.take(&key(number)).is_some();
        assert_eq!([0, 1, 2, 3, 4].map(|number| there(&mut kept, number)), [true, false, true, true, true]);
        assert_eq!(kept.samples, KEPT);
    }

    #[tokio::test]
    async fn what_is_wanted_is_bounded_and_one_place_is_not_another() {
        let (places, mut speaker) = places(Speech::new(std::path::Path::new("/nowhere")));
        for number in 0..WAITING + 5 {
            assert!(places.somebody_at(Language::Sv, &format!("Gatan {number}")).is_none());
        }
        assert!(places.somebody_at(Language::Sv, "...").is_none());
        for number in 0..WAITING {
            assert!(speaker.wanted.try_recv().unwrap() == key(number));
        }
        assert!(speaker.wanted.try_recv().is_err());
        speaker.kept.lock().put(key(1), vec![1].into());
        assert_eq!(places.somebody_at(Language::Sv, " Gatan  1 ").as_deref(), Some(&[1][..]));
        assert!(places.somebody_at(Language::Nb, "Gatan 1").is_none());
        assert!(places.somebody_at(Language::Sv, "Gatan 11").is_none());
    }

    #[tokio::test]
    async fn it_ends_with_the_voice() {
        let (places, speaker) = places(Speech::new(std::path::Path::new("/nowhere")));
        let _ = places.somebody_at(Language::Sv, "Gatan 1");
        drop(places);
        speaker.run().await;
    }
}
