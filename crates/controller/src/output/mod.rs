//! What moves the locks.
//!
//! One rule above all: **every release is a lease that ends without us.** An output that cannot time itself (a bare
//! relay) does not belong here without something that times it.

pub mod simulated;

use klinke_model::door::DoorPosition;
use std::time::Duration;

/// Why an output did not take a command.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    /// There is no such output.
    #[error("there is no output {0}")]
    Unknown(u16),
    /// The output could not be reached or written.
    #[error("the output did not take the command: {0}")]
    Io(#[from] std::io::Error),
}

/// The outputs of one controller, numbered from 0, and the door contacts beside them. Calls must be short: they run
/// in the task that owns the doors.
pub trait Board: Send {
    /// How many outputs there are.
    fn outputs(&self) -> u16;

    /// Releases a lock for `lease` from now, in the place of any lease that runs. When this has returned `Ok` the
    /// lock is released, and it locks at the end of the lease even if this process is dead by then.
    ///
    /// # Errors
    /// When the output did not take it; the lock is then to be taken for released until it is locked.
    fn release(&mut self, output: u16, lease: Duration) -> Result<(), OutputError>;

    /// Locks at once.
    ///
    /// # Errors
    /// When the output did not take it.
    fn lock(&mut self, output: u16) -> Result<(), OutputError>;

    /// What the contact of this output's door says now; `Unknown` without a contact.
    fn position(&self, output: u16) -> DoorPosition;
}

/// A door contact spoke.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contact {
    /// Beside which output.
    pub output: u16,
    /// What it says.
    pub position: DoorPosition,
}
