//! When a worker looks for work: every so often, and when somebody tells it that there is some.

use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Interval, MissedTickBehavior, interval};

/// The rounds of one worker. The first is at once.
pub struct Rounds(Interval);

impl Rounds {
    /// This often; a round that took longer does not bring several behind it.
    pub fn every(time: Duration) -> Self {
        let mut look = interval(time);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self(look)
    }

    /// Waits for the next.
    pub async fn next(&mut self, told: &Notify) {
        tokio::select! {
            _ = self.0.tick() => {}
            () = told.notified() => {}
        }
    }
}
