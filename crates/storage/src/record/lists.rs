//! Pages of the long lists of a building: what is asked, what is answered, where a page ends.
//!
//! A page ends at what its last row is sorted by, as it was then: what is behind that comes on the next page, whatever
//! became of the row.

use super::{Button, Move};
use klinke_model::ids::{BellId, EntranceId, MoveId, PanelId, UnitId};
use klinke_model::intercom::Moderation;
use klinke_model::site::Unit;
use klinke_model::time::Timestamp;

/// Which units of a building to list, by number.
#[derive(Clone, Debug, Default)]
pub struct UnitsQuery {
    /// Of this entrance.
    pub entrance: Option<EntranceId>,
    /// What the number begins with, folded.
    pub text: String,
    /// From the last to the first.
    pub descending: bool,
    /// Where the page before ends.
    pub after: Option<UnitAfter>,
    /// How many.
    pub limit: u16,
}

/// Where a page of units ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnitAfter {
    /// What its number is sorted by.
    pub number: Vec<u8>,
    /// Which.
    pub unit: UnitId,
}

/// A page of units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnitsPage {
    /// The units, in order.
    pub units: Vec<UnitRow>,
    /// Where it ends, when there are others after them.
    pub next: Option<UnitAfter>,
}

/// A unit, how many live in it, and how many of their devices would ring: figures only, and 0 for who may not see people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnitRow {
    /// Which.
    pub unit: Unit,
    /// People who live there, suspended or not.
    pub residents: u32,
    /// Devices that are signed in, of those who are not suspended.
    pub devices: u32,
}

/// How a move stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MoveState {
    /// To come. The next one first.
    #[default]
    Scheduled,
    /// Carried out. The latest first.
    Done,
}

/// Which moves of a building to list.
#[derive(Clone, Debug, Default)]
pub struct MovesQuery {
    /// That stand like this.
    pub state: MoveState,
    /// Where the page before ends.
    pub after: Option<(Timestamp, MoveId)>,
    /// How many.
    pub limit: u16,
}

/// A page of moves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MovesPage {
    /// The moves, in order.
    pub moves: Vec<Move>,
    /// Where it ends, when there are others after them.
    pub next: Option<(Timestamp, MoveId)>,
}

/// What buttons are listed by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ButtonsOrder {
    /// Panel and place on it.
    #[default]
    Place,
    /// What they say, å after z.
    Label,
    /// The number of their unit.
    Unit,
}

/// Which buttons of a building to list.
#[derive(Clone, Debug, Default)]
pub struct ButtonsQuery {
    /// On this panel.
    pub panel: Option<PanelId>,
    /// Of this unit.
    pub unit: Option<UnitId>,
    /// That stand like this with the administrators.
    pub moderation: Option<Moderation>,
    /// What was typed: each word begins a word of somebody it rings, or the number of its unit; or the text begins like it.
    pub text: String,
    /// By what.
    pub order: ButtonsOrder,
    /// From the last to the first.
    pub descending: bool,
    /// Where the page before ends.
    pub after: Option<ButtonAfter>,
    /// How many.
    pub limit: u16,
}

/// Where a page of buttons ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ButtonAfter {
    /// By place.
    Place(PanelId, i32, BellId),
    /// By what they say; personal.
    Label(klinke_model::privacy::Pii<Vec<u8>>, BellId),
    /// By unit.
    Unit(Vec<u8>, UnitId, BellId),
}

/// A page of buttons.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ButtonsPage {
    /// The buttons, in order.
    pub buttons: Vec<Button>,
    /// Where it ends, when there are others after them.
    pub next: Option<ButtonAfter>,
}

/// How much there is in a building.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BuildingCounts {
    /// Units.
    pub units: u64,
    /// What has to do with people; nothing for who may not see them.
    pub people: Option<PeopleCounts>,
}

/// How many people, and what they are rung by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeopleCounts {
    /// Places that people have in units.
    pub residents: u64,
    /// Whether any of them has a device that rings.
    pub reachable: bool,
    /// Buttons.
    pub bells: u64,
    /// Buttons whose text waits for an administrator.
    pub pending: u64,
    /// Units without a button.
    pub without_button: u64,
}
