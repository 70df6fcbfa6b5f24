//! What depends on a part of a property, told before it is removed.

use crate::http::problem::{Code, Problem};
use klinke_storage::record::Removed;
use serde::Serialize;
use utoipa::ToSchema;

/// What depends on a part. What names people is 0 for who may not see them.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct Uses {
    /// How many live in it.
    people: u64,
    /// Planned moves.
    moves: u64,
    /// Units in it, behind it, or whose people may open it.
    units: u64,
    /// Panels in it, at it, or that offer it.
    panels: u64,
    /// Doors in it, or driven by it.
    doors: u64,
    /// Buttons on it or of it.
    bells: u64,
    /// Access rules that name it.
    rules: u64,
}

impl From<klinke_storage::record::Uses> for Uses {
    fn from(uses: klinke_storage::record::Uses) -> Self {
        let klinke_storage::record::Uses { people, moves, units, panels, doors, bells, rules } = uses;
        Self { people, moves, units, panels, doors, bells, rules }
    }
}

/// Whether something is gone. Who sees a part but may not remove it is told so.
///
/// # Errors
/// `in_use` with what depends on it; `forbidden`.
pub(super) fn removed(outcome: Removed) -> Result<(), Problem> {
    match outcome {
        Removed::Done => Ok(()),
        Removed::InUse(uses) => Err(Problem::in_use(&Uses::from(uses))),
        Removed::NotThere => Err(Code::Forbidden.into()),
    }
}
