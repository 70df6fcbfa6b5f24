//! What a controller's journal holds until the server has it: alarms, and uses of doors where they may be kept. Each has a number of
//! its own.
//!
//! - Numbers only grow within one journal; some may be missing. The server takes what is above the highest that it has taken,
//!   so an entry that comes twice is taken once.
//! - The end of an alarm names the entry that it began with. A controller that knows it no longer says nothing.
//! - No alarm has a field for a person, card, unit or session.
//! - A use has one for a person, as a tag. It is noted only by what `klinke_access::snapshot::KeepsRecords` proves: that the rights
//!   in force are those of a commercial building whose owner keeps records of use. For a residential or mixed building
//!   nothing can make that proof, and such a controller's journal holds alarms alone.

use crate::alarm::AlarmKind;
use crate::ids::DoorId;
use crate::reason::Reason;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;

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
    /// Somebody with a credential that is known was before a door of a commercial building whose owner keeps records of use.
    Use(TaggedUse),
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

/// One use of a door, by the tag that only this controller's server can read. Nothing of what was presented.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaggedUse {
    /// Which door.
    pub door: DoorId,
    /// Who.
    pub person: PersonTag,
    /// What came of it.
    pub outcome: UseOutcome,
}

/// What came of a use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UseOutcome {
    /// The lock was released, or another system was told to.
    Opened,
    /// They were not let in, for this reason.
    Refused(Reason),
    /// They were let in, and the lock did not do it.
    Failed,
}

/// Tells people apart on one controller without saying who they are: a keyed hash of the person, cut to 64 bits. Never printed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PersonTag(pub u64);

impl fmt::Debug for PersonTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PersonTag(‹redacted›)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_use_says_which_door_whose_tag_and_what_came_of_it_and_no_more() {
        let of = |outcome| NewsEntry {
            seq: 4,
            at: Timestamp::from_millis(7),
            trusted: true,
            what: News::Use(TaggedUse {
                door: DoorId(crate::ids::v4([1; 16])),
                person: PersonTag(u64::MAX),
                outcome,
            }),
        };
        for (outcome, word) in [
            (UseOutcome::Opened, r#""opened""#),
            (UseOutcome::Failed, r#""failed""#),
            (UseOutcome::Refused(Reason::OutsideHours), r#"{"refused":"outside_hours"}"#),
        ] {
            let json = serde_json::to_string(&of(outcome)).unwrap();
            let expected = format!(
                r#"{{"seq":4,"at":7,"trusted":true,"what":{{"what":"use","door":"01010101-0101-4101-8101-010101010101","person":18446744073709551615,"outcome":{word}}}}}"#
            );
            assert_eq!(json, expected);
            assert_eq!(serde_json::from_str::<NewsEntry>(&json).unwrap(), of(outcome));
        }
        assert!(!format!("{:?}", of(UseOutcome::Opened)).contains("1844"));
    }
}
