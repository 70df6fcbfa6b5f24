//! Simulated locks for the demo and the tests. The truth is outside of the process, as with a real lock: one file
//! an output, so that it can be seen what a door does when its controller is killed.
//!
//! `FOLDER/N` holds one line, replaced atomically:
//!
//! ```text
//! locked
//! released until 1795142520000        UTC ms; a lock whose moment has passed is locked, whoever is alive
//! ```
//!
//! At the start every output is locked at once. A file's time of change is set to 1970 and so is its folder's:
//! nothing on the disk of a demo is to tell when somebody came home.
//!
//! With a simulated leaf, a visitor pulls the door [`LEAF_OPENS`] after a release, if it is still released then, and
//! lets it fall shut [`LEAF_CLOSES`] later.

use super::{Answer, Board, OutputError};
use crate::file::{Durable, replace};
use crate::input::{Contact, InputEvent};
use klinke_model::door::DoorPosition;
use klinke_model::time::{Clock, Timestamp};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// From a release to the visitor's pull.
pub const LEAF_OPENS: Duration = Duration::from_secs(1);
/// From there until the leaf has fallen shut.
pub const LEAF_CLOSES: Duration = Duration::from_secs(2);

/// A simulated lock as anybody can see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SimulatedLock {
    /// Locked.
    Locked,
    /// Released until this moment.
    Released {
        /// The end of the lease.
        until: Timestamp,
    },
}

/// Looks at a lock from outside.
///
/// # Errors
/// When there is no such output, or its file does not say what it should.
pub fn look(folder: &Path, output: u16, now: Timestamp) -> io::Result<SimulatedLock> {
    let text = std::fs::read_to_string(folder.join(output.to_string()))?;
    if text.trim_end() == "locked" {
        return Ok(SimulatedLock::Locked);
    }
    let until = text.strip_prefix("released until ").and_then(|rest| rest.trim_end().parse().ok());
    let until = until.map(Timestamp::from_millis).ok_or(io::ErrorKind::InvalidData)?;
    Ok(if now < until { SimulatedLock::Released { until } } else { SimulatedLock::Locked })
}

/// Simulated locks.
pub struct SimulatedBoard {
    folder: PathBuf,
    clock: Arc<dyn Clock>,
    outputs: u16,
    leaves: Option<Leaves>,
}

impl SimulatedBoard {
    /// Locks `outputs` locks in `folder`, which is made when it is not there. With `contacts` each has a leaf that
    /// moves, on the timer of the Tokio runtime that this is called in.
    ///
    /// # Errors
    /// When the folder does not take them.
    pub fn open(
        folder: &Path,
        outputs: u16,
        clock: Arc<dyn Clock>,
        contacts: Option<mpsc::Sender<InputEvent>>,
    ) -> Result<Self, OutputError> {
        std::fs::create_dir_all(folder)?;
        let leaves = contacts.map(|contacts| Leaves::new(outputs, contacts));
        let mut board = Self { folder: folder.to_owned(), clock, outputs, leaves };
        for output in 0..outputs {
            board.lock(output)?;
        }
        Ok(board)
    }

    fn write(&self, output: u16, line: &str) -> Result<(), OutputError> {
        if output >= self.outputs {
            return Err(OutputError::Unknown(output));
        }
        let path = self.folder.join(output.to_string());
        replace(&path, line.as_bytes(), Durable::No)?;
        File::open(&path)?.set_modified(SystemTime::UNIX_EPOCH)?;
        File::open(&self.folder)?.set_modified(SystemTime::UNIX_EPOCH)?;
        Ok(())
    }
}

impl Board for SimulatedBoard {
    fn outputs(&self) -> u16 {
        self.outputs
    }

    fn release(&mut self, output: u16, lease: Duration) -> Result<Answer, OutputError> {
        let until = self.clock.now().plus(lease);
        self.write(output, &format!("released until {}\n", until.as_millis()))?;
        if let Some(leaves) = &mut self.leaves {
            leaves.released(output);
        }
        Ok(Answer::Done)
    }

    fn lock(&mut self, output: u16) -> Result<Answer, OutputError> {
        self.write(output, "locked\n")?;
        if let Some(leaves) = &mut self.leaves {
            leaves.locked(output);
        }
        Ok(Answer::Done)
    }

    fn position(&self, output: u16) -> DoorPosition {
        self.leaves.as_ref().map_or(DoorPosition::Unknown, |leaves| leaves.position(output))
    }
}

/// The leaves of the doors and the visitors who move them.
struct Leaves {
    contacts: mpsc::Sender<InputEvent>,
    leaves: Vec<Leaf>,
}

#[derive(Default)]
struct Leaf {
    is_open: Arc<AtomicBool>,
    visitor: Option<JoinHandle<()>>,
}

impl Leaves {
    fn new(outputs: u16, contacts: mpsc::Sender<InputEvent>) -> Self {
        Self { contacts, leaves: (0..outputs).map(|_| Leaf::default()).collect() }
    }

    fn released(&mut self, output: u16) {
        let Some(leaf) = self.leaves.get_mut(usize::from(output)) else { return };
        if leaf.visitor.as_ref().is_some_and(|visitor| !visitor.is_finished()) {
            return;
        }
        let (is_open, contacts) = (Arc::clone(&leaf.is_open), self.contacts.clone());
        leaf.visitor = Some(tokio::spawn(async move {
            let says = async |position| {
                is_open.store(position == DoorPosition::Open, Ordering::SeqCst);
                // the doors are gone: nobody is left to tell
                let _ = contacts.send(InputEvent::Contact(Contact { output, position })).await;
            };
            tokio::time::sleep(LEAF_OPENS).await;
            says(DoorPosition::Open).await;
            tokio::time::sleep(LEAF_CLOSES).await;
            says(DoorPosition::Closed).await;
        }));
    }

    /// A visitor who has not pulled yet finds the door locked; one who has passes.
    fn locked(&mut self, output: u16) {
        let Some(leaf) = self.leaves.get_mut(usize::from(output)) else { return };
        if !leaf.is_open.load(Ordering::SeqCst)
            && let Some(visitor) = leaf.visitor.take()
        {
            visitor.abort();
        }
    }

    fn position(&self, output: u16) -> DoorPosition {
        match self.leaves.get(usize::from(output)) {
            None => DoorPosition::Unknown,
            Some(leaf) if leaf.is_open.load(Ordering::SeqCst) => DoorPosition::Open,
            Some(_) => DoorPosition::Closed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use klinke_model::time::Mono;

    /// A clock that stands still: the lock's file tells the end of the lease exactly.
    struct Noon;
    const NOON: Timestamp = Timestamp::from_millis(43_200_000);

    impl Clock for Noon {
        fn now(&self) -> Timestamp {
            NOON
        }
        fn mono(&self) -> Mono {
            Mono::from_millis(0)
        }
    }

    fn board(folder: &Path, contacts: Option<mpsc::Sender<InputEvent>>) -> SimulatedBoard {
        SimulatedBoard::open(folder, 2, Arc::new(Noon), contacts).unwrap()
    }

    #[test]
    fn a_release_ends_with_nobody_alive_and_a_start_locks_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let mut first = board(folder.path(), None);
        first.release(1, Duration::from_secs(5)).unwrap();
        drop(first);
        let until = NOON.plus(Duration::from_secs(5));
        let before_the_end = Timestamp::from_millis(until.as_millis() - 1);
        assert_eq!(look(folder.path(), 1, before_the_end).unwrap(), SimulatedLock::Released { until });
        assert_eq!(look(folder.path(), 1, until).unwrap(), SimulatedLock::Locked);
        assert_eq!(look(folder.path(), 0, NOON).unwrap(), SimulatedLock::Locked);
        let _second = board(folder.path(), None);
        assert_eq!(look(folder.path(), 1, before_the_end).unwrap(), SimulatedLock::Locked);
    }

    #[test]
    fn the_disk_does_not_tell_when_a_door_was_opened() {
        let folder = tempfile::tempdir().unwrap();
        let mut board = board(folder.path(), None);
        board.release(0, Duration::from_secs(5)).unwrap();
        board.lock(0).unwrap();
        for path in [folder.path().join("0"), folder.path().to_owned()] {
            assert_eq!(std::fs::metadata(path).unwrap().modified().unwrap(), SystemTime::UNIX_EPOCH);
        }
    }

    #[test]
    fn an_unknown_output_and_a_broken_file_are_errors() {
        let folder = tempfile::tempdir().unwrap();
        let mut board = board(folder.path(), None);
        assert!(matches!(board.release(2, Duration::from_secs(5)), Err(OutputError::Unknown(2))));
        std::fs::write(folder.path().join("0"), "ajar\n").unwrap();
        assert_eq!(look(folder.path(), 0, NOON).unwrap_err().kind(), io::ErrorKind::InvalidData);
    }

    #[tokio::test(start_paused = true)]
    async fn a_leaf_opens_and_closes_after_a_release_and_stays_closed_after_a_lock() {
        let folder = tempfile::tempdir().unwrap();
        let (contacts, mut said) = mpsc::channel(8);
        let mut board = board(folder.path(), Some(contacts));
        assert_eq!(board.position(0), DoorPosition::Closed);
        let start = tokio::time::Instant::now();
        let says = |position| InputEvent::Contact(Contact { output: 0, position });
        let (open, closed) = (says(DoorPosition::Open), says(DoorPosition::Closed));

        board.release(0, Duration::from_secs(5)).unwrap();
        assert_eq!(said.recv().await, Some(open));
        assert_eq!((start.elapsed(), board.position(0)), (LEAF_OPENS, DoorPosition::Open));
        board.lock(0).unwrap();
        assert_eq!(said.recv().await, Some(closed));
        assert_eq!(start.elapsed(), LEAF_OPENS + LEAF_CLOSES);

        board.release(0, Duration::from_secs(5)).unwrap();
        board.lock(0).unwrap();
        assert!(tokio::time::timeout(Duration::from_secs(60), said.recv()).await.is_err());
    }
}
