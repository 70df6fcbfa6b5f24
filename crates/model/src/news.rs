//! What a controller's journal holds until the server has it: alarms, each with a number of its own.
//!
//! - Numbers only grow within one journal; some may be missing. The server takes what is above the highest that it has taken,
//!   so an entry that comes twice is taken once.
//! - The end of an alarm names the entry that it began with. A controller that knows it no longer says nothing.
//! - No entry has a field for a person, card, unit or session.

use crate::alarm::AlarmKind;
use crate::ids::DoorId;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// One entry of a journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewsEntry {
    /// Its number, from 1.
    pub seq: u64,
    /// When, by the controller's clock.
    pub at: Timestamp,
    /// Whether that clock could be believed.
    pub trusted: bool,
    /// What.
    pub what: News,
}

/// What an entry tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum News {
    /// An alarm began, or happened.
    Raised(Raised),
    /// An alarm that lasts is over.
    Ended {
        /// The number of the entry that raised it.
        raised: u64,
    },
}

/// An alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Raised {
    /// What is wrong.
    pub kind: AlarmKind,
    /// At which door, when it is at one.
    pub door: Option<DoorId>,
    /// Which reader, input or output of the controller, when it is about one.
    pub part: Option<u16>,
}
