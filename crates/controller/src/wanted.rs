//! The doors that were last driven, kept for a start without the server: which output is which door, and its times.
//!
//! - Only what came into force is kept. It is whole or not there; a damaged file counts as none and is told.
//! - A start never releases a door: who held it open has to say so again, which the server does with its welcome. Who held
//!   it shut need not.

use crate::file::{Durable, replace};
use klinke_model::door_settings::DoorHold;
use klinke_wire::MAX_MESSAGE;
use klinke_wire::controller::Wanted;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use tracing::warn;

/// Where they are kept.
#[derive(Debug)]
pub struct WantedFile {
    path: PathBuf,
    /// What was asked for and is not in force yet.
    asked: Option<Wanted>,
}

impl WantedFile {
    /// At this path.
    pub const fn new(path: PathBuf) -> Self {
        Self { path, asked: None }
    }

    /// The server wants these.
    pub fn asked(&mut self, wanted: Wanted) {
        self.asked = Some(wanted);
    }

    /// What has this number came into force: it is kept when this returns, if the disk takes it.
    pub async fn applied(&mut self, revision: u64) {
        if let Some(wanted) = self.asked.take_if(|asked| asked.revision == revision) {
            let path = self.path.clone();
            // a panic in there loses no more than this
            let _ = tokio::task::spawn_blocking(move || write(&path, &wanted)).await;
        }
    }

    /// What was kept. Its revision is 0: whatever the server says is newer.
    pub fn read(&self) -> Option<Wanted> {
        let mut wanted = match self.kept() {
            Ok(wanted) => wanted,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            Err(error) => {
                warn!(%error, "the doors from before are not known; they are when the server is there");
                return None;
            }
        };
        wanted.revision = 0;
        for door in &mut wanted.doors {
            door.held = door.held.filter(|held| *held == DoorHold::Blocked);
        }
        Some(wanted)
    }

    fn kept(&self) -> io::Result<Wanted> {
        let mut text = Vec::new();
        File::open(&self.path)?.take(MAX_MESSAGE as u64 + 1).read_to_end(&mut text)?;
        serde_json::from_slice(&text).map_err(io::Error::from)
    }
}

/// Keeps them, unless they are kept already: a link that comes back writes nothing. A disk that takes nothing is told; the
/// doors go on with what they have.
fn write(path: &Path, wanted: &Wanted) {
    let written = serde_json::to_vec(wanted).map_err(io::Error::from).and_then(|text| {
        let is_kept = std::fs::read(path).is_ok_and(|kept| kept == text);
        if is_kept { Ok(()) } else { replace(path, &text, Durable::Yes) }
    });
    if let Err(error) = written {
        warn!(%error, "the doors can not be kept for a start without the server");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use klinke_model::door::{DoorKind, DoorTimes};
    use klinke_model::ids::{DoorId, v4};
    use klinke_wire::controller::WantedDoor;

    #[tokio::test]
    async fn a_start_knows_its_doors_and_opens_none() {
        let folder = tempfile::tempdir().unwrap();
        let mut file = WantedFile::new(folder.path().join("doors.json"));
        assert_eq!(file.read(), None);
        let door = |id: u8, held| WantedDoor {
            door: DoorId(v4([id; 16])),
            output: id.into(),
            times: DoorTimes::default(),
            held,
            kind: DoorKind::Door,
        };
        let held = [None, Some(DoorHold::Unlocked), Some(DoorHold::Blocked)];
        let doors = (0..).zip(held).map(|(id, held)| door(id, held)).collect();
        file.asked(Wanted { revision: 7, doors });
        file.applied(6).await;
        assert_eq!(file.read(), None, "not in force");
        file.applied(7).await;
        let expected = vec![door(0, None), door(1, None), door(2, Some(DoorHold::Blocked))];
        assert_eq!(file.read(), Some(Wanted { revision: 0, doors: expected }));
        std::fs::write(folder.path().join("doors.json"), b"{\"revision\":7,").unwrap();
        assert_eq!(file.read(), None, "half of one");
    }
}
