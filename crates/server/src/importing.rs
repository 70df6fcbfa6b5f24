//! Applies and undoes lists of people, one after the other, without whoever asked.
//!
//! ```text
//! asked ──▶ taken for 2 min, and for longer while it goes on ──▶ applied or undone in one transaction
//!                                                           ├──▶ it has errors, or may not be: told
//!                                                           └──▶ the server stops or dies: told, nothing is half
//! ```
//!
//! A server that dies leaves the job taken. The next one on the same file, or another one when the time is over, finds it
//! and makes the list what it was before: nothing was changed, and whoever asked reads why and asks again. A list that
//! brings a server down does so once.

use crate::import::check::{Status, check};
use crate::import::content::Content;
use crate::node::Node;
use crate::rounds::Rounds;
use klinke_model::ids::{ImportId, TenantId};
use klinke_model::scope::Scope;
use klinke_storage::StorageError;
use klinke_storage::record::{
    House, ImportFailure, ImportOutcome, ImportPlan, ImportWish, Job, JobKind, Wished,
};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::Notify;

/// How often is looked for what no request told of: what another server was asked, or left.
const LOOK: Duration = Duration::from_secs(20);
/// How long a list is taken for, and how often that is renewed while it goes on.
const TAKEN: Duration = Duration::from_secs(120);
const RENEWED: Duration = Duration::from_secs(30);

/// What is going on, for whoever asks how far it is.
#[derive(Default)]
pub struct Importing {
    wake: Notify,
    now: Mutex<Option<Written>>,
}

#[derive(Clone, Copy)]
struct Written {
    list: ImportId,
    rows: usize,
    all: usize,
}

impl Importing {
    /// Somebody asked for something.
    pub fn wake(&self) {
        self.wake.notify_one();
    }

    /// How many rows of a list are written, and of how many; zeros while nothing is known.
    pub fn written(&self, list: ImportId) -> (usize, usize) {
        let now = *self.now.lock().unwrap_or_else(PoisonError::into_inner);
        now.filter(|now| now.list == list).map_or((0, 0), |now| (now.rows, now.all))
    }

    fn told(&self, written: Option<Written>) {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner) = written;
    }
}

/// Works until the server stops. What is going on then is taken back.
pub async fn work(node: Arc<Node>) {
    if let Err(error) = node.store.gate().orphaned_imports(node.clock.now()).await {
        tracing::error!(%error, "lists that another process left could not be looked up");
    }
    let mut rounds = Rounds::every(LOOK);
    loop {
        if node.stop.run_until_cancelled(rounds.next(&node.importing.wake)).await.is_none() {
            return;
        }
        if let Err(error) = round(&node).await {
            tracing::error!(%error, "lists of people could not be worked on");
        }
    }
}

/// Carries out everything that was asked.
///
/// # Errors
/// When the store fails.
pub async fn round(node: &Arc<Node>) -> Result<(), StorageError> {
    while !node.stop.is_cancelled() {
        let due = node.store.gate().due_jobs(JobKind::Import, node.clock.now(), 1).await?;
        let Some(job) = due.first() else { break };
        one(node, *job).await?;
    }
    Ok(())
}

async fn one(node: &Arc<Node>, job: Job) -> Result<(), StorageError> {
    let (service, list) = (Scope::system(job.tenant), ImportId::from(job.subject));
    let (imports, jobs) = (node.store.imports(), node.store.jobs());
    let mut until = node.clock.now().plus(TAKEN);
    if !jobs.take(&service, &job, until).await? {
        return Ok(());
    }
    if let Some(wished) = imports.wished(&service, list).await? {
        let outcome = if job.attempts > 0 {
            // whoever took it before is gone
            Some(ImportFailure::Interrupted)
        } else {
            node.importing.told(Some(Written { list, rows: 0, all: 0 }));
            let worker = Arc::clone(node);
            // most of it is thinking, which would hold up calls on a thread that they share
            let mut working = tokio::task::spawn_blocking(move || {
                let working = carry_out(&worker, job.tenant, list, wished);
                Handle::current().block_on(worker.stop.run_until_cancelled(working))
            });
            let ended = loop {
                tokio::select! {
                    ended = &mut working => break ended,
                    () = tokio::time::sleep(RENEWED) => {}
                }
                let (taken, longer) = (Job { run_at: until, ..job }, node.clock.now().plus(TAKEN));
                // where only one may write it waits for its turn, and may not get one: then nobody else takes it either
                if let Ok(true) = jobs.take(&service, &taken, longer).await {
                    until = longer;
                }
            };
            node.importing.told(None);
            failure(ended.ok().flatten())
        };
        if let Some(why) = outcome {
            imports.give_up_import(&service, list, why).await?;
        }
    }
    jobs.done(&service, job.id, until).await?;
    node.webhooks.look();
    Ok(())
}

/// Why nothing was done, if nothing was.
fn failure(ended: Option<Result<ImportOutcome, StorageError>>) -> Option<ImportFailure> {
    match ended {
        Some(Ok(ImportOutcome::Done(_) | ImportOutcome::Is(_))) => None,
        Some(Ok(ImportOutcome::Refused)) => Some(ImportFailure::HasErrors),
        Some(Ok(ImportOutcome::Absent)) => Some(ImportFailure::NotAllowed),
        Some(Err(error)) => {
            tracing::error!(%error, "a list could not be applied or undone");
            Some(ImportFailure::Interrupted)
        }
        None => Some(ImportFailure::Interrupted),
    }
}

/// One wish, with what whoever wished it may at this moment. What an import does is decided in the transaction that does
/// it, from who lives there then.
async fn carry_out(
    node: &Node,
    tenant: TenantId,
    list: ImportId,
    wished: Wished,
) -> Result<ImportOutcome, StorageError> {
    let stamp = node.stamp();
    let scope = Scope { tenant, principal: wished.by, at: stamp.at, view: None };
    let told = |rows, all| node.importing.told(Some(Written { list, rows, all }));
    let imports = node.store.imports();
    match wished.wish {
        ImportWish::Undo => imports.undo_import(&scope, &stamp, list, &told).await,
        ImportWish::Apply { leave_out_errors } => {
            let decide = |house: &House, text: String| -> Option<ImportPlan> {
                let content = Content::parse(&text)?;
                drop(text);
                let checked = check(&content, house, |_| node.random.v7(stamp.at));
                let wrong = checked.rows.iter().any(|row| row.status == Status::Error);
                let good = checked.missing.is_empty() && (leave_out_errors || !wrong);
                good.then_some(checked.plan)
            };
            let ends_at = stamp.at.plus(crate::app::imports::KEPT);
            imports.apply_import(&scope, &stamp, list, ends_at, decide, &told).await
        }
    }
}
