//! Tells other systems of changes: signed messages to addresses that administrators chose, at hosts that the operator named.
//!
//! ```text
//! due ──▶ taken for 20 s ──▶ 2xx: the next one
//!                       ├──▶ 410: switched off
//!                       └──▶ else: again after 5 s, 30 s … 6 h; given up after 3 days
//! ```
//!
//! A server that dies leaves the address taken; it is due again when the time is over. So a message comes at least once,
//! with the same id each time, and the messages of one address come in order.

pub mod address;
pub mod sender;
pub mod signature;

use crate::config;
use crate::node::Node;
use crate::random::Random;
use crate::rounds::Rounds;
use crate::secrets::{self, SecretFileError};
use address::Rules;
use axum::extract::{Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;
use futures_util::StreamExt;
use klinke_model::events::Event;
use klinke_model::ids::{DeliveryId, TenantId};
use klinke_model::scope::Scope;
use klinke_model::time::Timestamp;
use klinke_storage::StorageError;
use klinke_storage::record::{DueWebhook, Tried, Webhook};
use sender::{Failure, Message, Sender, System};
use serde_json::{Value, json};
use signature::{Key, SigningSecret};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;

/// How often is looked for what no request told of: what failed, moves, and what another server made.
const LOOK: Duration = Duration::from_secs(5);
/// How long an address is taken for one message.
const TAKEN: Duration = Duration::from_secs(20);
/// Addresses that are read at once, and sent to at once.
const AT_ONCE: u64 = 64;
const SIDE_BY_SIDE: usize = 8;
/// Messages to one address before the others have their turn.
const IN_A_TURN: u32 = 100;
/// How long to wait after the first, second … failure in a row; the last for all after it.
const PAUSES: [u64; 8] = [5, 30, 120, 600, 1_800, 3_600, 10_800, 21_600];
/// How old a message may become.
const GIVEN_UP: Duration = Duration::from_secs(3 * 86_400);
/// How long the secret before the newest is still signed with.
pub const OVERLAP: Duration = Duration::from_secs(86_400);

/// What messages are sent with.
pub struct Webhooks {
    sender: Sender,
    key: Key,
    wake: Notify,
}

/// Why messages can not be sent.
#[derive(Debug, thiserror::Error)]
pub enum WebhooksError {
    /// The key.
    #[error(transparent)]
    Key(#[from] SecretFileError),
    /// The key is not one.
    #[error(
        "{0} does not hold a key: restore it from a backup, or delete it and give every webhook a new secret"
    )]
    Damaged(String),
    /// The authorities of the configuration.
    #[error("can not use the authorities of webhooks.ca_file: {0}")]
    Authorities(#[from] std::io::Error),
}

impl Webhooks {
    /// Ready to send, as the configuration says.
    ///
    /// # Errors
    /// When the key or the authorities can not be read.
    pub fn open(config: &config::Webhooks, folder: &Path, random: &Random) -> Result<Self, WebhooksError> {
        let file = folder.join("webhooks.key");
        let key = secrets::key(&file, random)?;
        let key = Key(key.ok_or_else(|| WebhooksError::Damaged(file.display().to_string()))?);
        let resolver = Arc::new(System);
        let sender = Sender::new(Rules::new(config), config.ca_file.as_deref(), resolver, config.within)?;
        Ok(Self { sender, key, wake: Notify::new() })
    }

    /// What the operator allows.
    pub const fn rules(&self) -> &Rules {
        self.sender.rules()
    }

    /// Something changed that may have to be told.
    pub fn look(&self) {
        if self.rules().is_on() {
            self.wake.notify_one();
        }
    }

    /// The secret that is shown once.
    pub fn secret(&self, tenant: TenantId, webhook: &Webhook) -> SigningSecret {
        self.key.secret(tenant, webhook.id, webhook.secret)
    }

    /// Sends a message that says nothing happened; the status of the answer.
    ///
    /// # Errors
    /// When there was none.
    pub async fn test(&self, node: &Node, tenant: TenantId, webhook: &Webhook) -> Result<u16, Failure> {
        let id: DeliveryId = node.random.v4();
        let now = node.clock.now();
        let body = json!({ "type": "webhook.test", "timestamp": written(now), "data": {} });
        self.post(tenant, webhook, id, now, &body).await
    }

    async fn post(
        &self,
        tenant: TenantId,
        webhook: &Webhook,
        id: DeliveryId,
        now: Timestamp,
        body: &Value,
    ) -> Result<u16, Failure> {
        let (id, body, seconds) = (id.to_string(), body.to_string(), now.as_millis().div_euclid(1_000));
        let mut signature = self.secret(tenant, webhook).sign(&id, seconds, &body);
        if webhook.before_until.is_some_and(|until| until > now) {
            let before = self.key.secret(tenant, webhook.id, webhook.secret.saturating_sub(1));
            signature = format!("{signature} {}", before.sign(&id, seconds, &body));
        }
        self.sender.send(&webhook.url, Message { id: &id, seconds, signature: &signature, body }).await
    }
}

/// Wakes the worker after every request that may have changed something.
pub async fn after_changes(State(node): State<Arc<Node>>, request: Request, next: Next) -> Response {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let answer = next.run(request).await;
    if !reads && node.webhooks.rules().is_on() {
        node.webhooks.wake.notify_one();
    }
    answer
}

/// Sends until the server stops.
pub async fn work(node: Arc<Node>) {
    if !node.webhooks.rules().is_on() {
        return;
    }
    let mut rounds = Rounds::every(LOOK);
    loop {
        let turn = async {
            rounds.next(&node.webhooks.wake).await;
            if let Err(error) = round(&node).await {
                tracing::error!(%error, "messages to other systems could not be read");
            }
        };
        // what is being sent when the server stops is sent again at the next start
        if node.stop.run_until_cancelled(turn).await.is_none() {
            return;
        }
    }
}

/// Sends everything that is due.
///
/// # Errors
/// When the store fails.
pub async fn round(node: &Arc<Node>) -> Result<(), StorageError> {
    loop {
        let due = node.store.gate().due_webhooks(node.clock.now(), AT_ONCE).await?;
        if due.is_empty() {
            return Ok(());
        }
        let turns = futures_util::stream::iter(due).map(|due| turn(node, due));
        let mut turns = turns.buffer_unordered(SIDE_BY_SIDE);
        while let Some(done) = turns.next().await {
            done?;
        }
    }
}

/// Sends what waits for one address, in order, until one is not taken.
async fn turn(node: &Node, mut due: DueWebhook) -> Result<(), StorageError> {
    let (scope, webhooks) = (Scope::system(due.tenant), node.store.webhooks());
    for _ in 0..IN_A_TURN {
        let until = node.clock.now().plus(TAKEN);
        if !webhooks.take_webhook(&scope, &due, until).await? {
            return Ok(());
        }
        let Some(waiting) = webhooks.next_message(&scope, due.id).await? else { return Ok(()) };
        let (webhook, event) = (&waiting.webhook, &waiting.event);
        let body = body(event);
        let answer = node.webhooks.post(due.tenant, webhook, event.id, node.clock.now(), &body).await;
        let stamp = node.stamp();
        let tried = outcome(node, answer, webhook.attempts, event.at, stamp.at);
        let word = match &tried {
            Tried::Taken => "taken",
            Tried::Failed { .. } => "failed",
            Tried::Gone => "gone",
        };
        metrics::counter!("webhook_tries_total", "outcome" => word).increment(1);
        let taken = tried == Tried::Taken;
        if !webhooks.settle(&scope, &stamp, &waiting, until, tried).await? || !taken {
            return Ok(());
        }
        due.run_at = stamp.at;
    }
    Ok(())
}

fn outcome(
    node: &Node,
    answer: Result<u16, Failure>,
    attempts: u32,
    made: Timestamp,
    now: Timestamp,
) -> Tried {
    let why = match answer {
        Ok(200..=299) => return Tried::Taken,
        Ok(410) => return Tried::Gone,
        Ok(status) => format!("http_{status}"),
        Err(failure) => failure.word().to_owned(),
    };
    let pause = usize::try_from(attempts).ok().and_then(|nth| PAUSES.get(nth)).or(PAUSES.last());
    let pause = pause.copied().unwrap_or_default();
    // up to a fifth longer, so that many addresses of one receiver do not come back at once
    let millis = pause * 1_000 + u64::from(node.random.below(200)) * pause;
    let next = now.plus(Duration::from_millis(millis));
    Tried::Failed { why, next, give_up: made.plus(GIVEN_UP) <= now }
}

/// What a message says.
fn body(event: &Event) -> Value {
    let mut data = serde_json::Map::new();
    let mut put = |name: &str, id: Option<String>| {
        if let Some(id) = id {
            data.insert(name.to_owned(), Value::String(id));
        }
    };
    put("building", event.building.map(|id| id.to_string()));
    put("unit", event.unit.map(|id| id.to_string()));
    put("person", event.person.map(|id| id.to_string()));
    put("import", event.import.map(|id| id.to_string()));
    put("alarm", event.alarm.map(|id| id.to_string()));
    json!({ "type": event.kind, "timestamp": written(event.at), "data": data })
}

/// A moment as ISO 8601.
fn written(at: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.as_millis()).map(|at| at.to_string()).unwrap_or_default()
}
