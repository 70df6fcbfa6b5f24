//! Work for later, done by this process: mails.
//!
//! ```text
//! due ──▶ taken for 2 min ──▶ done, gone
//!                        └──▶ failed: taken again when that time is over, then 4, 8 … 64 min later, then given up
//! ```
//!
//! A worker that dies leaves the job taken; it is due again when the time is over. So everything here is done at least
//! once, and what is sent twice harms nobody: only the newest link works.

mod alarm_mail;
mod guest_mail;
mod invite;

use crate::node::Node;
use crate::rounds::Rounds;
use klinke_model::scope::Scope;
use klinke_storage::StorageError;
use klinke_storage::record::{Job, JobKind};
use std::sync::Arc;
use std::time::Duration;

/// How often is looked for work that no signal told of: what failed, and what another server enqueued.
const LOOK: Duration = Duration::from_secs(20);
/// How long a job is taken for, and the shortest time until it is tried again.
const TAKEN: Duration = Duration::from_secs(120);
/// After so many tries a job is given up: about two hours.
const TRIES: u32 = 7;
/// Jobs that are read at once.
const AT_ONCE: u64 = 50;

/// What became of a job.
pub enum Outcome {
    /// It is over: done, or there is nothing left to do.
    Over,
    /// It may work later.
    Again,
}

/// Works until the server stops. What is being sent then may end.
pub async fn work(node: Arc<Node>) {
    let mut rounds = Rounds::every(LOOK);
    loop {
        if node.stop.run_until_cancelled(rounds.next(&node.work)).await.is_none() {
            return;
        }
        if let Err(error) = round(&node).await {
            tracing::error!(%error, "work for later could not be read");
        }
    }
}

/// Does everything that is due.
///
/// # Errors
/// When the store fails.
pub async fn round(node: &Arc<Node>) -> Result<(), StorageError> {
    for kind in [JobKind::Invite, JobKind::GuestMail] {
        loop {
            let due = node.store.gate().due_jobs(kind, node.clock.now(), AT_ONCE).await?;
            if due.is_empty() {
                break;
            }
            for job in due {
                if node.stop.is_cancelled() {
                    return Ok(());
                }
                one(node, job).await?;
            }
        }
    }
    alarm_mail::round(node).await?;
    let waiting = node.store.gate().jobs_waiting().await?;
    metrics::gauge!("jobs_waiting").set(u32::try_from(waiting).map_or(f64::MAX, f64::from));
    Ok(())
}

async fn one(node: &Arc<Node>, job: Job) -> Result<(), StorageError> {
    let scope = Scope::system(job.tenant);
    let until = node.clock.now().plus(TAKEN * 2_u32.pow(job.attempts.min(5)));
    if !node.store.jobs().take(&scope, &job, until).await? {
        return Ok(());
    }
    let is_last = job.attempts + 1 >= TRIES;
    let outcome = match job.kind {
        JobKind::Invite => invite::send(node, &scope, job.subject.into()).await?,
        JobKind::GuestMail => guest_mail::send(node, &scope, job.subject.into(), is_last).await?,
        // carried out elsewhere
        JobKind::Import => return Ok(()),
    };
    let over = matches!(outcome, Outcome::Over);
    if !over && is_last {
        tracing::warn!("a mail was given up after many tries");
    }
    if over || is_last {
        node.store.jobs().done(&scope, job.id, until).await?;
    }
    Ok(())
}
