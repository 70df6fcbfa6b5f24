//! Codes of residents' own, as they are made and read. No code is in here, only what it is derived with.

use klinke_model::ids::{BuildingId, GuestId, PersonId};
use klinke_model::text::Label;

/// A code that a resident may get: the number it is derived with, its keyed hash, and that of its code for duress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnCodeChoice {
    /// What it is derived with.
    pub number: u64,
    /// What it is found by in its building.
    pub hash: [u8; 32],
    /// What the code for duress is found by.
    pub duress: [u8; 32],
}

/// Codes to choose from: the first that nobody in the building has becomes theirs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnCodeChoices {
    /// Short ones, as long as there are enough of them for each that is in use.
    pub short: Vec<OwnCodeChoice>,
    /// Long ones.
    pub long: Vec<OwnCodeChoice>,
}

/// A building in which somebody may have a code of their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MyCode {
    /// Which.
    pub building: BuildingId,
    /// Its name.
    pub building_name: Label,
    /// What their code is derived with; none while they have none.
    pub number: Option<u64>,
    /// The building takes codes for duress.
    pub duress: bool,
}

/// What became of asking for a code of one's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MyCodeMade {
    /// It opens from now on, and the one before does not.
    Done(MyCode),
    /// Not a building that they live in.
    NotThere,
    /// The building's policy lets nobody have one.
    Administrators,
}

/// That somebody has a code of their own in a building.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldCode {
    /// The building.
    pub building: BuildingId,
    /// Its name.
    pub building_name: Label,
}

/// Whose code was typed at a panel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeHolder {
    /// A guest's.
    Guest(GuestId),
    /// A person's own.
    Person {
        /// Whose.
        person: PersonId,
        /// It is the one for duress.
        duress: bool,
    },
}
