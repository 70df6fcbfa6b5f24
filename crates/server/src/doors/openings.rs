//! A repeated tap is the same opening: recent requests of each who asks, in memory, for half a minute.
//!
//! Holds no person and no door beyond that time; nothing of it is written anywhere.

use klinke_model::ids::{DeviceId, GuestId, PersonId, RequestId};
use klinke_model::time::Mono;
use klinke_wire::common::OpeningNews;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// How long a request is remembered.
const REMEMBERED: Duration = Duration::from_secs(30);
/// Requests remembered at most, over all who ask. Past it the oldest rule is to refuse new ones.
const CAPACITY: usize = 10_000;

/// Who asks: ids of requests are their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Asker {
    /// Somebody's device.
    Device(DeviceId),
    /// A guest, with whatever they present.
    Guest(GuestId),
    /// Somebody with a code of their own.
    Person(PersonId),
}

/// Recent requests.
#[derive(Debug, Default)]
pub struct Openings {
    recent: Mutex<HashMap<(Asker, RequestId), Recent>>,
}

#[derive(Debug)]
struct Recent {
    began: Mono,
    news: watch::Receiver<OpeningNews>,
}

/// What a request is.
#[derive(Debug)]
pub enum Begin {
    /// A new one.
    New(watch::Sender<OpeningNews>, watch::Receiver<OpeningNews>),
    /// One that is under way or done: its news.
    Same(watch::Receiver<OpeningNews>),
    /// Too many at once.
    Full,
}

impl Recent {
    fn is_remembered(&self, now: Mono) -> bool {
        now.since(self.began) < REMEMBERED
    }
}

impl Openings {
    /// Looks a request up, or remembers it with its first news.
    pub fn begin(&self, asker: Asker, request: RequestId, first: OpeningNews, now: Mono) -> Begin {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = recent.get(&(asker, request)) {
            return Begin::Same(known.news.clone());
        }
        if recent.len() >= CAPACITY {
            recent.retain(|_, known| known.is_remembered(now));
            if recent.len() >= CAPACITY {
                return Begin::Full;
            }
        }
        let (sender, news) = watch::channel(first);
        recent.insert((asker, request), Recent { began: now, news: news.clone() });
        Begin::New(sender, news)
    }

    /// The news of a request that is remembered.
    pub fn follow(&self, asker: Asker, request: RequestId) -> Option<watch::Receiver<OpeningNews>> {
        let recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        recent.get(&(asker, request)).map(|known| known.news.clone())
    }

    /// Forgets what is older than half a minute. Called by the minute's job.
    pub fn forget_old(&self, now: Mono) {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        recent.retain(|_, known| known.is_remembered(now));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use klinke_model::ids::{self, DoorId};
    use klinke_wire::common::OpeningState;

    fn news() -> OpeningNews {
        let door = DoorId(ids::v4([9; 16]));
        OpeningNews { request: None, opening: None, door, state: OpeningState::Sending }
    }

    #[test]
    fn a_repeated_request_is_the_same_opening_and_another_askers_is_not() {
        let openings = Openings::default();
        let (one, two) = (Asker::Device(DeviceId(ids::v4([1; 16]))), Asker::Guest(GuestId(ids::v4([1; 16]))));
        let request = RequestId(ids::v4([3; 16]));
        assert!(matches!(openings.begin(one, request, news(), Mono::from_millis(0)), Begin::New(..)));
        assert!(matches!(openings.begin(one, request, news(), Mono::from_millis(1)), Begin::Same(_)));
        assert!(matches!(openings.begin(two, request, news(), Mono::from_millis(1)), Begin::New(..)));
        openings.forget_old(Mono::from_millis(40_000));
        assert!(matches!(openings.begin(one, request, news(), Mono::from_millis(40_000)), Begin::New(..)));
    }
}
