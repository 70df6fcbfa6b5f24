//! What a move is made of.

use klinke_model::ids::{BuildingId, DeviceId, MoveId, PersonId, UnitId};
use klinke_model::people::Person;
use klinke_model::privacy::Pii;
use klinke_model::text::Label;
use klinke_model::time::Timestamp;
use serde::{Deserialize, Serialize};

/// What a move out of a unit would end, before it is decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MovePreview {
    /// The building, whose time zone says when a day ends.
    pub building: BuildingId,
    /// Its IANA time zone.
    pub time_zone: String,
    /// Apartment number or company name.
    pub number: Label,
    /// Who lives there now.
    pub people: Vec<Leaving>,
    /// Whom each of the unit's buttons rings: one goes when all of them leave.
    pub bells: Vec<Vec<PersonId>>,
}

/// One who lives in the unit, and what ends for them when they leave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaving {
    /// Who, what they are called, whether they decide for the unit.
    pub mover: Mover,
    /// Lives somewhere else too, or has a role: devices and sign-in stay.
    pub stays_known: bool,
    /// Whether any device is signed in.
    pub has_device: bool,
    /// Whether they have a sign-in.
    pub has_account: bool,
    /// Whether a link to set a password was sent and not used.
    pub invited: bool,
    /// A move that takes them out of this unit already.
    pub leaves_by: Option<MoveId>,
}

/// Somebody who moves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mover {
    /// Who.
    pub person: PersonId,
    /// What they are called.
    pub name: Option<Pii<Label>>,
    /// Decides for the unit.
    pub owner: bool,
}

/// A move to be planned.
#[derive(Clone, Debug)]
pub struct NewMove {
    /// Its id.
    pub id: MoveId,
    /// Out of (and into) which unit.
    pub unit: UnitId,
    /// The last day, in days since 1970 in the building's time zone.
    pub last_day: i64,
    /// The first moment after it.
    pub ends_at: Timestamp,
    /// Who leaves; they live there now.
    pub out: Vec<PersonId>,
    /// Where they live from then on, when it is a unit of ours: their rights there begin as those here end.
    pub to: Option<UnitId>,
    /// Who comes on the day after: new people, and whether they decide for the unit.
    pub into: Vec<(Person, bool)>,
}

/// A move, planned or done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    /// Which.
    pub id: MoveId,
    /// Where.
    pub building: BuildingId,
    /// Which unit.
    pub unit: UnitId,
    /// Its number.
    pub number: Label,
    /// The last day, in days since 1970 in the building's time zone.
    pub last_day: i64,
    /// The first moment after it.
    pub ends_at: Timestamp,
    /// What ended with it, once it is carried out.
    pub ended: Option<Ended>,
    /// Who leaves.
    pub out: Vec<Mover>,
    /// Where they go, and its number, when it is a unit of ours.
    pub to: Option<(UnitId, Label)>,
    /// Who comes.
    pub into: Vec<Mover>,
}

/// What a move ended: figures only, so that the proof outlives the people's data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// People who left.
    pub people: u32,
    /// Buttons that are gone.
    pub bells: u32,
    /// People whose devices were signed out.
    pub signed_out: u32,
    /// Sign-ins that are gone.
    pub accounts: u32,
    /// Links to set a password that are no good any more.
    pub invitations: u32,
    /// People who moved in.
    pub moved_in: u32,
    /// People who live in another unit of ours now.
    #[serde(default)]
    pub moved_on: u32,
    /// Codes of their own that open nothing any more.
    #[serde(default)]
    pub codes: u32,
    /// Phone numbers at which nobody is rung any more.
    #[serde(default)]
    pub numbers: u32,
}

/// What carrying out a move leaves to be done outside the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CarriedOut {
    /// What ended.
    pub ended: Ended,
    /// Devices that were signed out: their connections are to be closed.
    pub devices: Vec<DeviceId>,
}
