//! What a controller has to tell the server once, and keeps until the server has it: alarms, and uses of doors where the rights in
//! force keep records of them.
//!
//! ```text
//!   doors ──raise, end──▶ queue ──▶ disk (a task of its own) ──▶ link ──news──▶ server
//!                           ▲                                         ◀──noted──
//!                           └── gone once noted
//! ```
//!
//! - The doors never wait for the disk: they put an entry into the [`queue`](queue::Queue) and go on. Order is kept.
//! - Only what is durable is told to the server, so a number is never used for two things after a power cut.
//! - A disk that takes nothing is told to the log and tried again; the entries wait, as many as there is room for.
//! - An alarm has no field for a person, card or unit. A use has one for a person, as a tag, and can not be noted without the proof that
//!   the rights in force lend ([`KeepsRecords`]); without it the file has alarms alone.

pub mod file;
pub mod queue;

use file::LogFile;
use klinke_access::snapshot::KeepsRecords;
use klinke_model::ids::JournalId;
use klinke_model::news::{NewsEntry, Raised, TaggedUse};
use klinke_model::time::Timestamp;
use klinke_wire::controller::{ControllerRequest, StandingAlarms};
use queue::Queue;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tracing::{error, info, warn};

/// How long to wait before a disk that took nothing is tried again.
const AGAIN: Duration = Duration::from_secs(2);

/// The journal, shared by the doors, the link and the task that writes it.
#[derive(Clone, Debug, Default)]
pub struct Journal(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    queue: Mutex<Queue>,
    /// There is something to write.
    dirty: Notify,
    /// Something is durable that was not.
    durable: Notify,
}

impl Journal {
    /// Reads what is kept at `path`; `fresh` is the id of a journal that begins now, when there is none or it is damaged.
    /// The default is one that is kept nowhere.
    pub fn open(path: PathBuf, fresh: JournalId) -> (Self, LogFile) {
        let (queue, file) = LogFile::open(path, fresh);
        (Self(Arc::new(Shared { queue: Mutex::new(queue), ..Shared::default() })), file)
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        // every change of it is one step
        self.0.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes an alarm; the number of its entry.
    pub fn raise(&self, alarm: Raised, at: Timestamp, trusted: bool) -> u64 {
        let (seq, lost) = {
            let mut queue = self.queue();
            let seq = queue.raise(alarm, at, trusted);
            (seq, queue.take_lost())
        };
        self.changed(lost);
        seq
    }

    /// Notes a use of a door. Without the proof that uses are kept there is no way to:
    /// ```compile_fail
    /// # use klinke_controller::journal::Journal;
    /// # use klinke_model::{news::TaggedUse, time::Timestamp};
    /// fn note(journal: &Journal, used: TaggedUse, at: Timestamp) {
    ///     journal.note_use(used, at, true);
    /// }
    /// ```
    /// With it there is:
    /// ```
    /// # use klinke_access::snapshot::Rights;
    /// # use klinke_controller::journal::Journal;
    /// # use klinke_model::{news::TaggedUse, time::Timestamp};
    /// fn note(journal: &Journal, rights: &Rights, used: TaggedUse, at: Timestamp) {
    ///     if let Some(keeps) = rights.keeps_records() {
    ///         journal.note_use(keeps, used, at, true);
    ///     }
    /// }
    /// ```
    pub fn note_use(&self, keeps: KeepsRecords<'_>, used: TaggedUse, at: Timestamp, trusted: bool) {
        let lost = {
            let mut queue = self.queue();
            queue.note_use(keeps, used, at, trusted);
            queue.take_lost()
        };
        self.changed(lost);
    }

    /// No use is to be kept: those that wait are told to nobody, and those on the disk are overwritten.
    pub fn forget_uses(&self) {
        if self.queue().forget_uses() {
            self.0.dirty.notify_one();
        }
    }

    /// Uses before this moment are too old to be told.
    pub fn forget_uses_before(&self, moment: Timestamp) {
        if self.queue().forget_uses_before(moment) {
            self.0.dirty.notify_one();
        }
    }

    /// Takes the uses that the server has off the disk.
    pub fn tidy(&self) {
        if self.queue().tidy() {
            self.0.dirty.notify_one();
        }
    }

    fn changed(&self, lost: u64) {
        if lost > 0 {
            warn!(lost, "the journal is full; its oldest entries are not kept");
        }
        self.0.dirty.notify_one();
    }

    /// Notes that the alarm that this entry raised is over.
    pub fn end(&self, raised: u64, at: Timestamp, trusted: bool) {
        self.queue().end(raised, at, trusted);
        self.0.dirty.notify_one();
    }

    /// Which journal this is.
    pub fn id(&self) -> JournalId {
        self.queue().id()
    }

    /// The alarms that stand, by the numbers of their entries: those of the process before, at the start of this one.
    pub fn standing(&self) -> Vec<(u64, Raised)> {
        self.queue().standing().collect()
    }

    /// The alarms that the server should have standing.
    pub fn standing_there(&self) -> StandingAlarms {
        self.queue().standing_there()
    }

    /// The server has everything up to this number.
    pub fn noted(&self, journal: JournalId, seq: u64) {
        if self.queue().noted(journal, seq) {
            self.0.dirty.notify_one();
        }
    }

    /// The entries that wait for the server, oldest first, durable or not.
    pub fn waiting(&self) -> Vec<NewsEntry> {
        self.queue().waiting().copied().collect()
    }

    /// What there is to tell now, if anything: the oldest entries, and durable ones only.
    pub fn to_tell(&self) -> Option<ControllerRequest> {
        self.queue().news()
    }

    /// Waits until there is something durable to tell. Nothing is lost when the future is dropped.
    pub async fn news(&self) -> ControllerRequest {
        loop {
            let changed = self.0.durable.notified();
            if let Some(news) = self.to_tell() {
                return news;
            }
            changed.await;
        }
    }

    /// Writes what there is to write now; whether there was anything.
    ///
    /// # Errors
    /// When the disk does not take it: it is all written anew the next time.
    pub fn write(&self, file: &mut LogFile) -> io::Result<bool> {
        let Some(work) = self.queue().work() else { return Ok(false) };
        let written = file.write(&work);
        match &written {
            Ok(()) => {
                self.queue().written(work.up_to);
                self.0.durable.notify_waiters();
            }
            Err(_) => self.queue().not_written(),
        }
        written.map(|()| true)
    }

    /// Writes what there is to write, as it comes, until the future is dropped.
    pub async fn keep(self, mut file: LogFile) {
        let mut fails = false;
        loop {
            let (back, written) = self.write_apart(file).await;
            file = back;
            match written {
                Ok(is_written) => {
                    if is_written && std::mem::replace(&mut fails, false) {
                        info!("the journal is kept again");
                    }
                    if !is_written {
                        self.0.dirty.notified().await;
                    }
                }
                Err(error) => {
                    if !std::mem::replace(&mut fails, true) {
                        error!(%error, "the journal can not be kept; it waits in memory until it can");
                    }
                    tokio::time::sleep(AGAIN).await;
                }
            }
        }
    }

    /// The same, away from the thread that moves the locks.
    async fn write_apart(&self, file: LogFile) -> (LogFile, io::Result<bool>) {
        let (path, journal) = (file.path(), self.clone());
        let writing = tokio::task::spawn_blocking(move || {
            let mut file = file;
            let written = journal.write(&mut file);
            (file, written)
        });
        // a panic in there loses no more than an open file
        writing.await.unwrap_or_else(|error| {
            self.queue().not_written();
            (LogFile::at(path), Err(io::Error::other(error)))
        })
    }

    /// Waits until everything is durable.
    pub async fn settled(&self) {
        loop {
            let changed = self.0.durable.notified();
            if self.queue().is_settled() {
                return;
            }
            changed.await;
        }
    }
}

#[cfg(test)]
mod tests;
