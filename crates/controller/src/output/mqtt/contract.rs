//! What a relay over MQTT and we promise each other; for makers of relays it stands in `docs/mqtt-relay.md`.
//!
//! The broker may repeat, delay and keep messages, so a command is only good for one start of the relay, until a
//! moment on the *relay's* own clock, and once. That is what the link to our own controllers does too
//! ([`klinke_wire::controller`]).

use serde::{Deserialize, Serialize};
use std::time::Duration;
use tokio::time::Instant;

/// How long after we sent it a command of ours dies, as far as we can tell. Relays refuse more than 5 s.
const OUR_LIFE: Duration = Duration::from_secs(2);
/// A relay that says nothing for so long is lost: three of its beats.
pub const SILENCE_LIMIT: Duration = Duration::from_secs(15);

/// What a relay says on `TOPIC/state`: at every change and every 5 s, never retained.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct State {
    /// This start of the relay: other after every start, never used before.
    pub boot: String,
    /// Its own clock, ms; it never goes back while it runs.
    pub mono: u64,
    /// How its lock is.
    pub state: LockState,
    /// The nonce of the last command that it did.
    #[serde(default)]
    pub done: Option<String>,
}

/// How a relay's lock is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LockState {
    /// Locked.
    Locked,
    /// Released; it ends by itself.
    Released,
}

/// What a relay is told on `TOPIC/command`: QoS 1, never retained.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Command {
    /// The start of the relay that this is for.
    pub boot: String,
    /// Names this command: 32 hexadecimal digits, never the same twice.
    pub nonce: String,
    /// The relay's own time after which this is dead, ms.
    pub not_after: u64,
    /// What to do.
    #[serde(flatten)]
    pub what: What,
}

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum What {
    /// Release for this long, then lock, whatever comes.
    Release {
        /// ms.
        for_ms: u64,
    },
    /// Lock.
    Lock,
}

/// The newest that a relay said.
#[derive(Clone, Debug)]
pub struct Heard {
    /// What.
    pub state: State,
    /// When it reached us.
    pub at: Instant,
}

impl Heard {
    /// Takes a message of the state topic after `before`. `None` when it is retained (the broker's memory, not the
    /// relay), not ours to read, or from the past.
    pub fn take(before: Option<&Self>, is_retained: bool, payload: &[u8], at: Instant) -> Option<Self> {
        if is_retained {
            return None;
        }
        let state: State = serde_json::from_slice(payload).ok()?;
        let is_past =
            before.is_some_and(|before| before.state.boot == state.boot && state.mono < before.state.mono);
        (!is_past).then_some(Self { state, at })
    }

    /// A command for the relay that said this. An error of the reckoning makes its end earlier, never later: what was
    /// on its way to us for a while was said that much earlier.
    pub fn command(&self, what: What, nonce: String, now: Instant) -> Command {
        let since = now.saturating_duration_since(self.at) + OUR_LIFE;
        let since = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
        let not_after = self.state.mono.saturating_add(since);
        Command { boot: self.state.boot.clone(), nonce, not_after, what }
    }

    /// Whether it still says anything about now.
    pub fn is_fresh(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.at) < SILENCE_LIMIT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(boot: &str, mono: u64) -> Vec<u8> {
        format!(r#"{{"boot":"{boot}","mono":{mono},"state":"locked"}}"#).into_bytes()
    }

    #[tokio::test(start_paused = true)]
    async fn retained_broken_and_past_states_are_refused() {
        let now = Instant::now();
        assert!(Heard::take(None, true, &said("a", 5), now).is_none());
        assert!(Heard::take(None, false, b"locked", now).is_none());
        let first = Heard::take(None, false, &said("a", 500), now).unwrap();
        assert!(Heard::take(Some(&first), false, &said("a", 499), now).is_none());
        assert!(Heard::take(Some(&first), false, &said("b", 1), now).is_some(), "it has started anew");
        assert!(first.is_fresh(now + Duration::from_secs(14)) && !first.is_fresh(now + SILENCE_LIMIT));
    }

    #[tokio::test(start_paused = true)]
    async fn a_command_is_for_this_start_and_dies_two_seconds_after_it_was_made() {
        let now = Instant::now();
        let heard = Heard::take(None, false, &said("a", 500), now).unwrap();
        let later = now + Duration::from_millis(1_500);
        let command = heard.command(What::Release { for_ms: 5_000 }, "ab".repeat(16), later);
        let expected = format!(
            r#"{{"boot":"a","nonce":"{}","not_after":4000,"do":"release","for_ms":5000}}"#,
            "ab".repeat(16)
        );
        assert_eq!(serde_json::to_string(&command).unwrap(), expected);
    }
}
