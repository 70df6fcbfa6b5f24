//! Which role may do what: one pure table, read by the store for every question and by the pages for what they show.

use crate::people::{Role, RoleGrant};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::time::Duration;

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
    /// Read who used the doors of a commercial building that keeps it.
    ReadRecords,
}

impl Right {
    /// Every right.
    pub const ALL: [Self; 9] = [
        Self::SeeBuilding,
        Self::SeePeople,
        Self::ChangePeople,
        Self::ChangeBuilding,
        Self::Devices,
        Self::Roles,
        Self::Audit,
        Self::Tenants,
        Self::ReadRecords,
    ];

    /// What a token of another program can be given: giving access, and reading who used a door, stay with people.
    pub const OF_TOKENS: [Self; 6] = [
        Self::SeeBuilding,
        Self::SeePeople,
        Self::ChangePeople,
        Self::ChangeBuilding,
        Self::Devices,
        Self::Audit,
    ];
}

impl Role {
    /// Every role, the widest first.
    pub const ALL: [Self; 5] =
        [Self::Operator, Self::Manager, Self::BuildingAdministrator, Self::Caretaker, Self::Auditor];

    /// What a role allows.
    pub const fn rights(self) -> &'static [Right] {
        use Right::{
            Audit, ChangeBuilding, ChangePeople, Devices, ReadRecords, Roles, SeeBuilding, SeePeople, Tenants,
        };
        match self {
            Self::Operator => &[Tenants],
            Self::Manager | Self::BuildingAdministrator => {
                &[SeeBuilding, SeePeople, ChangePeople, ChangeBuilding, Devices, Roles, Audit, ReadRecords]
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
pub const LONGEST_ROLE_DAYS: u64 = 366;

/// Why a role can not be given like this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GrantFault {
    /// It is for every building, and one was named.
    NotForOne,
    /// It is for one building, and none was named.
    NeedsBuilding,
    /// Its end has passed.
    Over,
    /// It reaches personal data for longer than [`LONGEST_ROLE_DAYS`].
    TooLong,
    /// It reaches personal data and does not end.
    NeedsEnd,
}

impl RoleGrant {
    /// Whether it is over at this moment.
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.ends_at.is_some_and(|ends_at| ends_at <= now)
    }

    /// What is wrong with giving it now, if anything: first with its building, then with its end.
    pub fn fault(&self, now: Timestamp) -> Option<GrantFault> {
        let one_building = self.building.is_some();
        if !self.role.fits(one_building) {
            return Some(if one_building { GrantFault::NotForOne } else { GrantFault::NeedsBuilding });
        }
        let latest = now.plus(Duration::from_secs(LONGEST_ROLE_DAYS * 86_400));
        match self.ends_at {
            Some(_) if self.is_over(now) => Some(GrantFault::Over),
            Some(ends_at) if self.role.sees_people() && ends_at > latest => Some(GrantFault::TooLong),
            None if self.role.sees_people() => Some(GrantFault::NeedsEnd),
            _ => None,
        }
    }
}

/// The text that people with access to personal data bind themselves to; a new version asks everybody again.
pub const CONFIDENTIALITY_VERSION: i32 = 1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_what_was_agreed() {
        let rights = |role: Role| -> Vec<bool> { Right::ALL.map(|right| role.allows(right)).to_vec() };
        let [yes, no] = [true, false];
        // see building, see people, change people, change building, devices, roles, audit, tenants, records
        assert_eq!(rights(Role::Operator), [no, no, no, no, no, no, no, yes, no]);
        assert_eq!(rights(Role::Manager), [yes, yes, yes, yes, yes, yes, yes, no, yes]);
        assert_eq!(rights(Role::BuildingAdministrator), [yes, yes, yes, yes, yes, yes, yes, no, yes]);
        assert_eq!(rights(Role::Caretaker), [yes, no, no, no, yes, no, no, no, no]);
        assert_eq!(rights(Role::Auditor), [yes, yes, no, no, no, no, yes, no, no]);
    }

    #[test]
    fn who_sees_people_is_bound_and_who_does_not_is_free() {
        let bound = Role::ALL.map(Role::sees_people);
        assert_eq!(bound, [false, true, true, false, true]);
    }

    #[test]
    fn a_role_with_access_to_personal_data_ends_within_a_year() {
        use GrantFault::{NeedsBuilding, NeedsEnd, NotForOne, Over, TooLong};
        let now = Timestamp::from_millis(1_700_000_000_000);
        let year = now.plus(Duration::from_secs(366 * 86_400));
        let beyond = Timestamp::from_millis(year.as_millis() + 1);
        let house = Some(crate::ids::v4([1; 16]).into());
        let fault = |role, building, ends_at| RoleGrant { role, building, ends_at }.fault(now);
        assert_eq!(fault(Role::Auditor, house, Some(year)), None);
        assert_eq!(fault(Role::Auditor, house, Some(beyond)), Some(TooLong));
        assert_eq!(fault(Role::Auditor, None, None), Some(NeedsEnd));
        assert_eq!(fault(Role::Auditor, None, Some(now)), Some(Over));
        assert_eq!(fault(Role::Caretaker, house, None), None);
        assert_eq!(fault(Role::Caretaker, house, Some(beyond)), None);
        assert_eq!(fault(Role::Manager, house, Some(year)), Some(NotForOne));
        assert_eq!(fault(Role::BuildingAdministrator, None, Some(year)), Some(NeedsBuilding));
    }
}
