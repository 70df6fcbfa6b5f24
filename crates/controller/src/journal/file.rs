//! The journal on the disk: one file of lines, each with the beginning of its own SHA-256.
//!
//! ```text
//!   8 hexadecimal digits │ space │ JSON (queue::Line) │ newline
//! ```
//!
//! - Lines are added and synced; the whole is replaced in one step (see [`crate::file`]) when most of it is old.
//! - After a power cut in the middle of adding, the lines up to the first that is not whole count, and the rest is dropped: nobody
//!   was told of it, for only what is synced is told.
//! - A file whose first line is not whole is said to the log, and another journal begins.

use super::queue::{Line, Queue, Work};
use crate::file::{Durable, replace};
use klinke_model::ids::JournalId;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::path::PathBuf;
use tracing::{error, warn};

/// Over twice what the longest journal has.
pub const LARGEST: u64 = 32 << 20;

/// The file.
#[derive(Debug)]
pub struct LogFile {
    path: PathBuf,
    /// Open for adding.
    open: Option<File>,
}

impl LogFile {
    /// The file at this path, not read.
    pub const fn at(path: PathBuf) -> Self {
        Self { path, open: None }
    }

    /// Where it is.
    pub fn path(&self) -> PathBuf {
        self.path.clone()
    }

    /// Reads what is there. `fresh` is the journal that begins when nothing is.
    pub fn open(path: PathBuf, fresh: JournalId) -> (Queue, Self) {
        let file = Self::at(path);
        let queue = match file.read() {
            Ok(Some((queue, dropped))) => {
                if dropped > 0 {
                    warn!(bytes = dropped, "the end of the journal was cut short and is dropped");
                }
                Some(queue)
            }
            Ok(None) => {
                error!(path = %file.path.display(), "the journal is damaged; another one begins");
                None
            }
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => {
                error!(path = %file.path.display(), %error, "the journal can not be read; another one begins");
                None
            }
        };
        (queue.unwrap_or_else(|| Queue::new(fresh)), file)
    }

    /// The journal, and how many bytes at its end are not; `None` when it is damaged.
    fn read(&self) -> io::Result<Option<(Queue, usize)>> {
        let mut bytes = Vec::new();
        let file = File::open(&self.path)?;
        (&file).take(LARGEST).read_to_end(&mut bytes)?;
        // what a process before had no time to sync is told to the server from now on
        file.sync_all()?;
        let (mut lines, mut rest) = (Vec::new(), bytes.as_slice());
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let (line, after) = rest.split_at(end);
            let Some(line) = parse(line) else { break };
            lines.push(line);
            rest = after.get(1..).unwrap_or_default();
        }
        Ok(Queue::restore(lines, !rest.is_empty()).map(|queue| (queue, rest.len())))
    }

    /// Does what is to be done: durable when this returns.
    ///
    /// # Errors
    /// When the disk does not take it; some of it may be there all the same.
    pub fn write(&mut self, work: &Work) -> io::Result<()> {
        let mut bytes = Vec::new();
        for line in &work.lines {
            let json = serde_json::to_vec(line)?;
            bytes.extend_from_slice(seal(&json).as_bytes());
            bytes.push(b' ');
            bytes.extend_from_slice(&json);
            bytes.push(b'\n');
        }
        let open = self.open.take();
        if work.is_whole {
            drop(open);
            return replace(&self.path, &bytes, Durable::Yes);
        }
        let mut file = match open {
            Some(file) => file,
            None => OpenOptions::new().append(true).open(&self.path)?,
        };
        file.write_all(&bytes)?;
        file.sync_data()?;
        self.open = Some(file);
        Ok(())
    }
}

fn parse(line: &[u8]) -> Option<Line> {
    let (sealed, json) = line.split_at_checked(8)?;
    let json = json.strip_prefix(b" ")?;
    (seal(json).as_bytes() == sealed).then(|| serde_json::from_slice(json).ok()).flatten()
}

/// The first four bytes of the SHA-256, hexadecimal.
fn seal(json: &[u8]) -> String {
    Sha256::digest(json).iter().take(4).fold(String::with_capacity(8), |mut text, byte| {
        // writing to a String does not fail
        let _ = write!(text, "{byte:02x}");
        text
    })
}
