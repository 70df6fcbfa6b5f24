//! What a property is made of: buildings, entrances, units.

use crate::ids::{BuildingId, EntranceId, TenantId, UnitId};
use crate::schedule::HolidayCalendar;
use crate::text::Label;
use serde::{Deserialize, Serialize};

/// What a building is for; decides what may be kept about its use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum BuildingKind {
    /// Homes. Nothing is ever stored about who came or went.
    Residential,
    /// Workplaces. The owner may log use for a stated purpose.
    Commercial,
    /// Both; kept to the residential promise.
    Mixed,
}

/// A property manager.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenant {
    /// Id.
    pub id: TenantId,
    /// Name.
    pub name: Label,
}

/// A building.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Building {
    /// Id.
    pub id: BuildingId,
    /// What its people call it.
    pub name: Label,
    /// Street address, one line.
    pub address: Label,
    /// What it is for.
    pub kind: BuildingKind,
    /// IANA time zone.
    pub time_zone: String,
    /// Whose public holidays count.
    pub holidays: HolidayCalendar,
}

/// An entrance (staircase).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entrance {
    /// Id.
    pub id: EntranceId,
    /// The building it belongs to.
    pub building: BuildingId,
    /// Such as "Storgatan 12 A".
    pub name: Label,
}

/// An apartment or a company.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    /// Id.
    pub id: UnitId,
    /// The building it is in.
    pub building: BuildingId,
    /// The entrance it is reached by.
    pub entrance: EntranceId,
    /// Apartment number or company name, as the house says it.
    pub number: Label,
}
