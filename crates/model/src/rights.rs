//! Which role may do what: one pure table, read by the store for every question and by the pages for what they show.

use crate::people::Role;
use serde::{Deserialize, Serialize};

/// Something that a role allows, in the building it was given for or in all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Right {
    /// See entrances, units, doors, panels: nothing that names a person.
    SeeBuilding,
    /// See who lives here and what their buttons say.
    SeePeople,
    /// Make, change, move and suspend people.
    ChangePeople,
    /// Change entrances, units, doors, buttons and what residents may decide; make a building, for who has them all.
    ChangeBuilding,
    /// Pair and change panels and controllers.
    Devices,
    /// Give roles, of what one has oneself, and take them.
    Roles,
    /// Read what administrators changed.
    Audit,
    /// Make property managers. Nothing inside them.
    Tenants,
}

impl Right {
    /// Every right.
    pub const ALL: [Self; 8] = [
        Self::SeeBuilding,
        Self::SeePeople,
        Self::ChangePeople,
        Self::ChangeBuilding,
        Self::Devices,
        Self::Roles,
        Self::Audit,
        Self::Tenants,
    ];
}

impl Role {
    /// Every role, the widest first.
    pub const ALL: [Self; 5] =
        [Self::Operator, Self::Manager, Self::BuildingAdministrator, Self::Caretaker, Self::Auditor];

    /// What a role allows.
    pub const fn rights(self) -> &'static [Right] {
        use Right::{Audit, ChangeBuilding, ChangePeople, Devices, Roles, SeeBuilding, SeePeople, Tenants};
        match self {
            Self::Operator => &[Tenants],
            Self::Manager | Self::BuildingAdministrator => {
                &[SeeBuilding, SeePeople, ChangePeople, ChangeBuilding, Devices, Roles, Audit]
            }
            Self::Caretaker => &[SeeBuilding, Devices],
            Self::Auditor => &[SeeBuilding, SeePeople, Audit],
        }
    }

    /// Whether a role allows this.
    pub fn allows(self, right: Right) -> bool {
        self.rights().contains(&right)
    }

    /// Whether a role reaches personal data. Such a role ends within a year, and counts only for who bound themselves to
    /// confidentiality (R86).
    pub fn sees_people(self) -> bool {
        self.allows(Right::SeePeople)
    }

    /// Whether a role can be given for one building (`true`) or for all of them (`false`).
    pub const fn fits(self, one_building: bool) -> bool {
        match self {
            Self::Operator | Self::Manager => !one_building,
            Self::BuildingAdministrator => one_building,
            Self::Caretaker | Self::Auditor => true,
        }
    }
}

/// The longest that a role with access to personal data may last, in days.
pub const LONGEST_ROLE_DAYS: i64 = 366;

/// The text that people with access to personal data bind themselves to; a new version asks everybody again.
pub const CONFIDENTIALITY_VERSION: i32 = 1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_what_was_agreed() {
        let rights = |role: Role| -> Vec<bool> { Right::ALL.map(|right| role.allows(right)).to_vec() };
        let [yes, no] = [true, false];
        // see building, see people, change people, change building, devices, roles, audit, tenants
        assert_eq!(rights(Role::Operator), [no, no, no, no, no, no, no, yes]);
        assert_eq!(rights(Role::Manager), [yes, yes, yes, yes, yes, yes, yes, no]);
        assert_eq!(rights(Role::BuildingAdministrator), [yes, yes, yes, yes, yes, yes, yes, no]);
        assert_eq!(rights(Role::Caretaker), [yes, no, no, no, yes, no, no, no]);
        assert_eq!(rights(Role::Auditor), [yes, yes, no, no, no, no, yes, no]);
    }

    #[test]
    fn who_sees_people_is_bound_and_who_does_not_is_free() {
        let bound = Role::ALL.map(Role::sees_people);
        assert_eq!(bound, [false, true, true, false, true]);
    }
}
