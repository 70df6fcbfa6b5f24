//! The locks on the wall: they outlive the controller, and lock by themselves.

use klinke_controller::output::{Answer, Board, OutputError};
use klinke_model::door::DoorPosition;
use klinke_model::ids::OpeningId;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

/// How many there are.
pub const LOCKS: u16 = 3;

/// One time that a lock was told to release and did.
#[derive(Clone, Copy, Debug)]
pub struct Release {
    pub lock: u16,
    /// For which command; none when nobody's was being carried out.
    pub opening: Option<OpeningId>,
    /// Or for whose card.
    pub card: Option<usize>,
    pub at: u64,
    pub until: u64,
}

#[derive(Debug, Default)]
pub struct Wall {
    /// True time, ms.
    pub now: u64,
    /// Until when each is released.
    until: [u64; LOCKS as usize],
    /// The command that the controller is carrying out.
    pub carrying_out: Option<OpeningId>,
    /// The card that is held to a reader.
    pub presented: Option<usize>,
    pub releases: Vec<Release>,
    /// They do not obey.
    pub is_broken: bool,
}

impl Wall {
    pub fn is_released(&self, lock: u16) -> bool {
        self.now < self.until[usize::from(lock)]
    }

    fn obeys(&self) -> Result<Answer, OutputError> {
        if self.is_broken { Err(io::Error::other("a cut wire").into()) } else { Ok(Answer::Done) }
    }
}

/// What a controller holds of it.
#[derive(Clone, Default)]
pub struct Locks(Arc<Mutex<Wall>>);

impl Locks {
    pub fn wall(&self) -> MutexGuard<'_, Wall> {
        self.0.lock().unwrap()
    }
}

impl Board for Locks {
    fn outputs(&self) -> u16 {
        LOCKS
    }

    fn release(&mut self, output: u16, lease: Duration) -> Result<Answer, OutputError> {
        let mut wall = self.wall();
        let done = wall.obeys()?;
        let (at, until) = (wall.now, wall.now + u64::try_from(lease.as_millis()).unwrap());
        wall.until[usize::from(output)] = until;
        let opening = wall.carrying_out;
        let card = wall.presented;
        wall.releases.push(Release { lock: output, opening, card, at, until });
        Ok(done)
    }

    fn lock(&mut self, output: u16) -> Result<Answer, OutputError> {
        let mut wall = self.wall();
        let done = wall.obeys()?;
        wall.until[usize::from(output)] = 0;
        Ok(done)
    }

    fn position(&self, _output: u16) -> DoorPosition {
        DoorPosition::Closed
    }
}
