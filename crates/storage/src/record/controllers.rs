//! What a controller decides by.

use super::Guest;
use klinke_access::decide::{HolderClass, SiteMode};
use klinke_access::snapshot::{DoorPlan, DoorRight, Records};
use klinke_model::credential::{CredentialKey, CredentialTier};
use klinke_model::ids::{BuildingId, PersonId};
use klinke_model::schedule::{HolidayCalendar, Schedule};

/// All that the snapshot of one controller is made of, as of one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControllerRights {
    /// The building.
    pub building: BuildingId,
    /// Where the building stands: IANA time zone.
    pub time_zone: String,
    /// Whose public holidays count there.
    pub holidays: HolidayCalendar,
    /// How the building's doors behave as a whole.
    pub site_mode: SiteMode,
    /// Its doors, by output.
    pub doors: Vec<DoorPlan>,
    /// How many doors it drives beside these: a snapshot holds [`klinke_access::snapshot::DOORS`] at most.
    pub left_out: usize,
    /// The hours that rights and doors name by their place.
    pub schedules: Vec<Schedule>,
    /// Who has a card or a code of their own in the building, and a right to one of the doors.
    pub holders: Vec<RightsHolder>,
    /// Their cards.
    pub cards: Vec<RightsCard>,
    /// Their own codes.
    pub codes: Vec<RightsCode>,
    /// The building takes codes for duress.
    pub duress_codes: bool,
    /// Uses of the doors are kept.
    pub records: Option<Records>,
    /// Guests with one of the doors, but not who may come once and is just coming or may have come.
    pub guests: Vec<RightsGuest>,
}

/// A guest with a right to a door of a controller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RightsGuest {
    /// Who.
    pub guest: Guest,
    /// Their right, with their hours, beginning and end.
    pub right: DoorRight,
}

/// Somebody with a right to a door of a controller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RightsHolder {
    /// Who.
    pub person: PersonId,
    /// They are not suspended.
    pub active: bool,
    /// [`HolderClass::Resident`] for who lives in the building.
    pub class: HolderClass,
    /// They need more time at doors.
    pub needs_longer: bool,
    /// Their rights, whether they hold now or not.
    pub rights: Vec<DoorRight>,
}

/// A card of somebody with rights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RightsCard {
    /// What readers read.
    pub key: CredentialKey,
    /// Whose it is, by their place.
    pub holder: usize,
    /// It is lost or put aside.
    pub blocked: bool,
    /// Whether it can be copied.
    pub tier: CredentialTier,
}

/// A code of somebody with rights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RightsCode {
    /// Whose.
    pub person: PersonId,
    /// What it is derived with.
    pub number: u64,
    /// Their place among the holders.
    pub holder: usize,
}
