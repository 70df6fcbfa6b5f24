//! What is special about a door: what it takes, in which order it opens, when it stands open, how it is held (R42).

use crate::ids::{DoorId, ScheduleId};
use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;

/// The settings of a door. The default: nothing is special.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DoorSettings {
    /// Takes no card that can be copied.
    pub refuses_copyable: bool,
    /// Opens only for two different people within this many seconds: 3 to 60.
    #[cfg_attr(feature = "openapi", schema(required = false))]
    pub two_people_within_s: Option<u16>,
    /// Opens only after somebody went through another door of the same controller.
    #[cfg_attr(feature = "openapi", schema(required = false))]
    pub after: Option<DoorBefore>,
    /// Opens only while the other doors with this number, 1 to 99, are closed and locked.
    #[cfg_attr(feature = "openapi", schema(required = false))]
    pub airlock: Option<u8>,
    /// The hours in which it stands unlocked.
    #[cfg_attr(feature = "openapi", schema(required = false))]
    pub unlocked: Option<ScheduleId>,
    /// Those hours begin only when the first who may open it has come.
    pub first_person_in: bool,
}

/// A door that comes before another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DoorBefore {
    /// Which.
    pub door: DoorId,
    /// For how long after somebody went through it, s: 5 to 600.
    pub within_s: u16,
}

/// How an administrator holds a door, until one ends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum DoorHold {
    /// It stands open.
    Unlocked,
    /// It opens for nobody; the way out stays.
    Blocked,
}

/// What is wrong with settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettingsFault {
    /// The time in which a second person has to come.
    TwoPeople,
    /// The time after the door before, or that door is this one.
    After,
    /// The number of the airlock.
    Airlock,
    /// The first person begins hours that are not there.
    FirstPersonIn,
}

impl DoorSettings {
    /// How soon a second person has to come, s.
    pub const TWO_PEOPLE_S: RangeInclusive<u16> = 3..=60;
    /// How long after the door before, s.
    pub const AFTER_S: RangeInclusive<u16> = 5..=600;
    /// The numbers of airlocks.
    pub const AIRLOCKS: RangeInclusive<u8> = 1..=99;

    /// What is wrong with them for this door, if anything.
    pub fn fault(&self, door: DoorId) -> Option<SettingsFault> {
        if self.two_people_within_s.is_some_and(|within_s| !Self::TWO_PEOPLE_S.contains(&within_s)) {
            return Some(SettingsFault::TwoPeople);
        }
        let wrong = |after: DoorBefore| after.door == door || !Self::AFTER_S.contains(&after.within_s);
        if self.after.is_some_and(wrong) {
            return Some(SettingsFault::After);
        }
        if self.airlock.is_some_and(|airlock| !Self::AIRLOCKS.contains(&airlock)) {
            return Some(SettingsFault::Airlock);
        }
        (self.first_person_in && self.unlocked.is_none()).then_some(SettingsFault::FirstPersonIn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::v4;

    #[test]
    fn what_can_not_be_is_told() {
        let (door, other) = (DoorId(v4([1; 16])), DoorId(v4([2; 16])));
        let plain = DoorSettings::default();
        let after = |door, within_s| DoorSettings { after: Some(DoorBefore { door, within_s }), ..plain };
        let two = |within_s| DoorSettings { two_people_within_s: Some(within_s), ..plain };
        let airlock = |airlock| DoorSettings { airlock: Some(airlock), ..plain };
        let hours = Some(ScheduleId(v4([3; 16])));
        let rows = [
            (plain, None),
            (two(3), None),
            (two(2), Some(SettingsFault::TwoPeople)),
            (two(61), Some(SettingsFault::TwoPeople)),
            (after(other, 5), None),
            (after(other, 4), Some(SettingsFault::After)),
            (after(other, 601), Some(SettingsFault::After)),
            (after(door, 30), Some(SettingsFault::After)),
            (airlock(99), None),
            (airlock(0), Some(SettingsFault::Airlock)),
            (airlock(100), Some(SettingsFault::Airlock)),
            (DoorSettings { unlocked: hours, first_person_in: true, ..plain }, None),
            (DoorSettings { first_person_in: true, ..plain }, Some(SettingsFault::FirstPersonIn)),
        ];
        for (settings, fault) in rows {
            assert_eq!(settings.fault(door), fault, "{settings:?}");
        }
    }
}
