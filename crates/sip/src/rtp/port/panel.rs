//! What keeps a line from being woken up: the panel's packets wait for its next frame, and frames of all lines are due together.
//! `./bench phone-bridge` shows what waking up costs.

use super::MOST_WAITING;
use klinke_model::time::{Clock, Mono};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The panel's packets and when they came, until the next frame is due. Nobody is woken up for them: the jitter buffer holds
/// each for longer than a frame anyway.
pub(super) struct FromPanel {
    clock: Arc<dyn Clock>,
    waiting: Mutex<VecDeque<(Mono, Vec<u8>)>>,
}

impl FromPanel {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, waiting: Mutex::default() }
    }

    /// Dropped when too many wait; the next one comes in 20 ms.
    pub(super) fn push(&self, datagram: Vec<u8>) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() < MOST_WAITING {
            waiting.push_back((self.clock.mono(), datagram));
        }
    }

    /// All of them, in the order in which they came.
    pub(super) fn take(&self) -> VecDeque<(Mono, Vec<u8>)> {
        std::mem::take(&mut self.waiting.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Without sound.
impl std::fmt::Debug for FromPanel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FromPanel")
    }
}

/// Frames of all lines are due at these moments of their clock: one timer wakes up for many.
pub(super) const COMMON: Duration = Duration::from_millis(5);

/// How long until the next of them.
pub(super) const fn until_common(now: Mono) -> Duration {
    let common = COMMON.as_millis() as u64;
    Duration::from_millis(common - now.as_millis() % common)
}
