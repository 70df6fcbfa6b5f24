//! Access rules: who may open which doors, when (R41). A rule only ever allows; what no rule allows stays locked.
//!
//! Beside the rules stands what a home is: who lives in a unit opens the doors of the unit's door set at any time. That
//! is a right like any other and needs no rule.

use crate::ids::{BuildingId, DoorGroupId, DoorId, PeopleGroupId, PersonId, RuleId, ScheduleId, UnitId};
use crate::schedule::Schedule;
use crate::text::Label;
use serde::{Deserialize, Serialize};

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessRule {
    /// Id.
    pub id: RuleId,
    /// The building whose doors it opens.
    pub building: BuildingId,
    /// What the administrators call it.
    pub name: Label,
    /// Whom it allows; anybody that one of these names.
    pub who: Vec<Who>,
    /// What they may open.
    pub doors: Vec<Which>,
    /// When; at any time without one.
    pub schedule: Option<ScheduleId>,
    /// The first day on which it holds, in days since 1970 where the building stands.
    pub first_day: Option<i64>,
    /// The last day on which it holds.
    pub last_day: Option<i64>,
    /// A rule can be put aside without losing it.
    pub active: bool,
}

/// Whom a rule allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "who", content = "id", rename_all = "snake_case")]
pub enum Who {
    /// Everybody who lives or works in the building.
    Everybody,
    /// Whoever decides for a unit of the building.
    UnitOwners,
    /// The people of one unit.
    Unit(UnitId),
    /// One person, wherever they live.
    Person(PersonId),
    /// Whoever is in a group of the building.
    Group(PeopleGroupId),
}

/// What a rule opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "which", content = "id", rename_all = "snake_case")]
pub enum Which {
    /// Every door of the building.
    AllDoors,
    /// One door.
    Door(DoorId),
    /// Every door of a group of the building.
    Group(DoorGroupId),
}

/// People under a name, for any number of rules of the building. Empty it is nobody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeopleGroup {
    /// Id.
    pub id: PeopleGroupId,
    /// The building whose rules name it.
    pub building: BuildingId,
    /// Such as "Cleaners".
    pub name: Label,
    /// Who is in it, wherever they live, in the order of their ids.
    pub members: Vec<PersonId>,
}

/// Doors of a building under a name, for any number of its rules. Empty it is no door.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DoorGroup {
    /// Id.
    pub id: DoorGroupId,
    /// The building.
    pub building: BuildingId,
    /// Such as "Cellars".
    pub name: Label,
    /// Its doors, in the order of their ids.
    pub doors: Vec<DoorId>,
}

/// Hours under a name, for any number of rules of the building.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedSchedule {
    /// Id.
    pub id: ScheduleId,
    /// The building it is for.
    pub building: BuildingId,
    /// Such as "Office hours".
    pub name: Label,
    /// The hours.
    pub schedule: Schedule,
}
