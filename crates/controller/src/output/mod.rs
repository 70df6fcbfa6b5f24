//! What moves the locks.
//!
//! One rule above all: **every release is a lease that ends without us.** An output that cannot time itself (a bare
//! relay) does not belong here without something that times it.
//!
//! ```text
//!   doors ──release, lock──▶ Board ── at hand: done when the call returns (simulated locks, GPIO)
//!                              │
//!                              └──── over a bus or a network: a Ticket now, an OutputEvent within ANSWER_LIMIT
//!                                    ([`remote`], one task a lock: none waits for another)
//! ```
//!
//! Only an output that has *said* that it is released counts as released. One that fails, or says nothing in time,
//! is told to lock until it says that it has; a release is never told twice.

pub mod board;
pub mod gpio;
pub mod handed;
pub mod http;
pub mod modbus;
pub mod mqtt;
pub mod remote;
pub mod shelly;
pub mod simulated;

use klinke_access::door_cycle::LONGEST_LEASE;
use klinke_model::door::DoorPosition;
use std::time::Duration;

/// How long an output may take to say that it did what it was told. After that it counts as failed, and what was
/// not sent by then is not sent any more.
pub const ANSWER_LIMIT: Duration = Duration::from_secs(2);

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

/// Names one command to one output. Later commands have greater tickets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// What becomes of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It is done.
    Done,
    /// An [`OutputEvent`] with this ticket says so. It counts as failed after [`ANSWER_LIMIT`].
    Later(Ticket),
}

/// What an output over a bus or a network says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutputEvent {
    /// Which output.
    pub output: u16,
    /// Which command. Commands before it that were not answered were overtaken by it.
    pub ticket: Ticket,
    /// Whether it is done. If not, the lock is to be taken for released until it is locked.
    pub is_done: bool,
}

/// The outputs of one controller, numbered from 0, and the door contacts beside them. Calls must be short: they run
/// in the task that owns the doors, and never wait for a network.
pub trait Board: Send {
    /// How many outputs there are.
    fn outputs(&self) -> u16;

    /// Releases a lock for `lease` from now, in the place of any lease that runs. When this is done the lock is
    /// released, and it locks at the end of the lease even if this process is dead by then.
    ///
    /// # Errors
    /// When the output did not take it; the lock is then to be taken for released until it is locked.
    fn release(&mut self, output: u16, lease: Duration) -> Result<Answer, OutputError>;

    /// Locks at once.
    ///
    /// # Errors
    /// When the output did not take it.
    fn lock(&mut self, output: u16) -> Result<Answer, OutputError>;

    /// What the contact of this output's door says now; `Unknown` without a contact.
    fn position(&self, output: u16) -> DoorPosition;

    /// The longest lease that this output can keep: what is asked beyond is cut.
    fn longest(&self, _output: u16) -> Duration {
        LONGEST_LEASE
    }

    /// Whether this output stays released when its lease is renewed before it ends. One behind a timer relay does not.
    fn holds(&self, _output: u16) -> bool {
        true
    }

    /// Whether another system moves the lock ([`handed`]): a release is a card that was presented there, and nothing is known
    /// of the door.
    fn hands_on(&self, _output: u16) -> bool {
        false
    }
}
