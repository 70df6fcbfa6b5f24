//! What the store tells of addresses that are told of changes.

use klinke_model::events::{Event, EventKind};
use klinke_model::ids::{BuildingId, TenantId, WebhookId};
use klinke_model::time::Timestamp;

/// An address that is told of changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    /// Which.
    pub id: WebhookId,
    /// Of which building it is told; none is of all.
    pub building: Option<BuildingId>,
    /// Where messages go.
    pub url: String,
    /// Which ones.
    pub events: Vec<EventKind>,
    /// Whether any go.
    pub enabled: bool,
    /// The number of its secret.
    pub secret: u64,
    /// First moment at which the secret before is not used any more.
    pub before_until: Option<Timestamp>,
    /// Grows with every change.
    pub version: u64,
    /// Since when nothing was taken.
    pub failing_since: Option<Timestamp>,
    /// Why the last try failed, as a word.
    pub failure: Option<String>,
    /// Messages that were given up.
    pub lost: u64,
    /// Messages that wait.
    pub waiting: u64,
    /// Tries in a row that failed.
    pub attempts: u32,
}

/// A new one.
#[derive(Clone, Debug)]
pub struct NewWebhook {
    /// Its id.
    pub id: WebhookId,
    /// Of which building; none is of all.
    pub building: Option<BuildingId>,
    /// Where messages go.
    pub url: String,
    /// Which ones.
    pub events: Vec<EventKind>,
}

/// What to change of one; what is left out stays.
#[derive(Clone, Debug, Default)]
pub struct WebhookChange {
    /// The version that the asker saw.
    pub version: u64,
    /// Where messages go.
    pub url: Option<String>,
    /// Which ones.
    pub events: Option<Vec<EventKind>>,
    /// Whether any go. Switching off forgets what waits.
    pub enabled: Option<bool>,
}

/// What became of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WebhookChanged {
    /// It is made; this is how it is now.
    Done(Webhook),
    /// Somebody else changed it before; this is how it is.
    Conflict(Webhook),
    /// None by this id that the asker may change.
    NotFound,
}

/// One that has something to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DueWebhook {
    /// Whose.
    pub tenant: TenantId,
    /// Which.
    pub id: WebhookId,
    /// Since when it is due: who takes it must have seen this.
    pub run_at: Timestamp,
}

/// The oldest message that waits, and where it goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Where.
    pub webhook: Webhook,
    /// Its place in the queue.
    pub seq: u64,
    /// What it says.
    pub event: Event,
}

/// What became of a try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tried {
    /// It was taken.
    Taken,
    /// Not now.
    Failed {
        /// Why, as a word.
        why: String,
        /// When to try again.
        next: Timestamp,
        /// The message has waited long enough.
        give_up: bool,
    },
    /// The receiver wants no more, ever.
    Gone,
}
