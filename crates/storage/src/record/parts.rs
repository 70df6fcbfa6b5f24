//! A part of a property as somebody edits or removes it.

use klinke_model::door::DoorKind;
use klinke_model::door_settings::{DoorHold, DoorSettings};
use klinke_model::ids::{BuildingId, ControllerId, DoorId};
use klinke_model::site::Unit;
use klinke_model::text::Label;

/// A part of a property, as one edits it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part<T> {
    /// What it is.
    pub value: T,
    /// Grows with every change.
    pub version: u64,
    /// What depends on it.
    pub uses: Uses,
}

/// A unit with the doors that its people may open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnitDoors {
    /// The unit.
    pub unit: Unit,
    /// The doors, in the order of their ids.
    pub doors: Vec<DoorId>,
}

/// What depends on a part of a property: told before it is removed. What names people is 0 for who may not see them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Uses {
    /// How many live in it.
    pub people: u64,
    /// Planned moves.
    pub moves: u64,
    /// Units in it, behind it, or whose people may open it.
    pub units: u64,
    /// Panels in it, at it, or that offer it.
    pub panels: u64,
    /// Doors in it, or driven by it.
    pub doors: u64,
    /// Buttons on it or of it.
    pub bells: u64,
    /// Access rules that name it.
    pub rules: u64,
}

/// What is special about a door, and how it is held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptSettings {
    /// Its building.
    pub building: BuildingId,
    /// What drives it.
    pub controller: Option<ControllerId>,
    /// Its name.
    pub name: Label,
    /// What it is.
    pub kind: DoorKind,
    /// What is special.
    pub settings: DoorSettings,
    /// How an administrator holds it.
    pub held: Option<DoorHold>,
}

/// What became of changing a part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edited<T> {
    /// It is so.
    Done(Part<T>),
    /// Somebody else changed it before: how it is now.
    Conflict(Part<T>),
    /// It is not there, or the principal may not.
    NotThere,
}

/// What became of removing a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removed {
    /// It is gone.
    Done,
    /// Something depends on it that must go first.
    InUse(Uses),
    /// It is not there, or the principal may not.
    NotThere,
}
