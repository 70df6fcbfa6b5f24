//! The rights that this controller decides by: fetched, checked, kept, in force; in this order.
//!
//! ```text
//!   server ──rights──▶ taking ──fetch──▶ server        what is offered is fetched part by part
//!          ──part────▶ taking                          and checked against its name
//!                        │ all there: signed by our authority, for us, newer
//!                        ▼
//!                  compile ──▶ folder (shards, then the manifest in one step) ──▶ doors ──▶ holds
//! ```
//!
//! - [`trust`] says whose word counts: the authority that this controller was paired with.
//! - [`taking`] is pure: what the server says in, what to ask and what to keep out.
//! - [`folder`] is the disk. After a power cut at any moment there is the last good snapshot, whole.
//! - Nothing is in force that is not on the disk, and nothing gets there that does not [`compile`]: half a snapshot
//!   never decides.

pub mod folder;
pub mod taking;
pub mod trust;

use crate::doors::Request;
use folder::RightsFolder;
use klinke_access::snapshot::{Fault, Rights, Shard, compile};
use klinke_wire::controller::{ControllerEvent, ControllerRequest, Held};
use std::io;
use std::sync::Arc;
use taking::{Complete, Input, Output, Taking};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tracing::{info, warn};
use trust::Trust;

/// Takes rights in: what joins the link, the disk and the doors.
pub struct Intake {
    taking: Taking,
    folder: Arc<RightsFolder>,
    doors: mpsc::Sender<Request>,
    keeping: Option<JoinHandle<Result<Held, NotKept>>>,
}

/// Why a snapshot that was fetched is not in force.
#[derive(Debug, thiserror::Error)]
pub enum NotKept {
    /// It is not one.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// The disk does not take it.
    #[error("the folder of rights: {0}")]
    Io(#[from] io::Error),
    /// The process ends.
    #[error("the doors are gone")]
    DoorsGone,
}

impl Intake {
    /// Reads what is kept, and puts it into force before anybody dials. What is damaged is said and counts as none.
    pub async fn open(folder: RightsFolder, trust: Trust, doors: mpsc::Sender<Request>) -> Self {
        let folder = Arc::new(folder);
        let (trust, reading) = (Arc::new(trust), Arc::clone(&folder));
        let trusted = Arc::clone(&trust);
        let found = tokio::task::spawn_blocking(move || reading.read(&trusted)).await;
        let held = match found.unwrap_or_else(|error| Err(io::Error::other(error).into())) {
            Ok(Some((rights, held))) => {
                info!(revision = held.revision, "rights from the disk are in force");
                // a task of the doors that is gone ends the process anyway
                drop(doors.send(Request::Rights(Box::new(rights))).await);
                Some(held)
            }
            Ok(None) => None,
            Err(error) => {
                warn!(%error, "the rights on the disk are damaged and count as none; they are fetched again");
                None
            }
        };
        let shards = if held.is_some() { folder.shards() } else { Default::default() };
        Self { taking: Taking::new(trust, held, shards), folder, doors, keeping: None }
    }

    /// What is in force, for `hello`. What the last link left to be kept is waited for.
    pub async fn begin(&mut self) -> Option<Held> {
        while let Some(done) = self.kept().await {
            drop(done);
        }
        self.taking.link_lost();
        self.taking.held()
    }

    /// Takes what the server says of rights; what to answer.
    pub fn heard(&mut self, event: ControllerEvent) -> Option<ControllerRequest> {
        let input = match event {
            ControllerEvent::Rights { revision, manifest, signature } => {
                Input::Offered { revision, manifest, signature }
            }
            ControllerEvent::Part { of, from, total, bytes } => Input::Part { of, from, total, bytes },
            ControllerEvent::Gone { of } => Input::Gone { of },
            _ => return None,
        };
        let output = self.taking.handle(input);
        self.carry_out(output)
    }

    /// Waits until a snapshot that is being kept is kept or not; what to say then, if there is something. `None` at once when
    /// none is. Nothing is lost when the future is dropped.
    pub async fn kept(&mut self) -> Option<Option<ControllerRequest>> {
        let done = self.keeping.as_mut()?.await;
        self.keeping = None;
        let done = done.unwrap_or_else(|error| Err(io::Error::other(error).into()));
        let kept = match done {
            Ok(held) => {
                info!(revision = held.revision, "new rights are in force");
                Some((held, self.folder.shards()))
            }
            Err(error) => {
                warn!(%error, "rights from the server are not taken; the last good ones stay in force");
                None
            }
        };
        let output = self.taking.handle(Input::Kept(kept));
        Some(self.carry_out(output))
    }

    /// Whether a snapshot is being kept.
    pub const fn is_keeping(&self) -> bool {
        self.keeping.is_some()
    }

    fn carry_out(&mut self, output: Option<Output>) -> Option<ControllerRequest> {
        match output? {
            Output::Fetch { of, from } => Some(ControllerRequest::Fetch { of, from }),
            Output::Holds { revision } => Some(ControllerRequest::Holds { revision }),
            Output::Refused(refusal) => {
                warn!(%refusal, "rights from the server are refused; the last good ones stay in force");
                None
            }
            Output::Keep(complete) => {
                let (folder, doors) = (Arc::clone(&self.folder), self.doors.clone());
                self.keeping = Some(tokio::spawn(keep(folder, *complete, doors)));
                None
            }
        }
    }
}

/// Checks, keeps, puts into force. In a task of its own: a link that ends does not end it half way.
async fn keep(
    folder: Arc<RightsFolder>,
    complete: Complete,
    doors: mpsc::Sender<Request>,
) -> Result<Held, NotKept> {
    let held = complete.held;
    // away from the thread that moves the locks
    let working = tokio::task::spawn_blocking(move || check_and_keep(&folder, complete));
    let rights = working.await.map_err(io::Error::other)??;
    doors.send(Request::Rights(Box::new(rights))).await.map_err(|_| NotKept::DoorsGone)?;
    Ok(held)
}

fn check_and_keep(folder: &RightsFolder, complete: Complete) -> Result<Rights, NotKept> {
    let Complete { document, manifest, names, fetched, .. } = complete;
    let mut shards = Vec::with_capacity(names.len());
    for name in &names {
        shards.push(match fetched.get(name) {
            Some(bytes) => Shard(bytes.clone()),
            None => folder.shard(*name)?,
        });
    }
    let rights = compile(manifest, &shards)?;
    drop(shards);
    folder.keep(&document, &names, &fetched)?;
    Ok(rights)
}

#[cfg(test)]
pub(crate) mod testing;
