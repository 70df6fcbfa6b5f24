//! What a guest may be: how many, for how long, at which doors.

use crate::Result;
use crate::entity::door;
use crate::record::{Guest, GuestChange, GuestChanged, GuestHome, GuestMade, GuestsOf, NewGuest, Stamp};
use crate::repo::guest_homes::homes;
use crate::repo::reach;
use klinke_model::ids::{BuildingId, DoorId, UnitId};
use klinke_model::rights::Right;
use klinke_model::scope::Scope;
use klinke_model::time::Timestamp;
use sea_orm::{ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, PaginatorTrait, QueryFilter};
use std::collections::BTreeSet;
use std::time::Duration;
use uuid::Uuid;

/// How many days a guest of the administration may come.
const HOUSE_DAYS: u16 = 366;

/// Whose guest it would be, or why it can not be.
pub(super) async fn may_make(
    tx: &DatabaseTransaction,
    scope: &Scope,
    stamp: &Stamp,
    new: &NewGuest,
) -> Result<std::result::Result<GuestsOf, GuestMade>> {
    let Some(unit) = new.unit else {
        if !reach::building(tx, scope, Right::ChangePeople, new.building).await? {
            return Ok(Err(GuestMade::NotThere));
        }
        if !all_there(tx, scope, new.building, &new.doors).await? {
            return Ok(Err(GuestMade::UnknownDoor));
        }
        let sound = is_sound(HOUSE_DAYS, new.starts_at, new.ends_at);
        return Ok(if sound { Ok(GuestsOf::House) } else { Err(GuestMade::TooLong) });
    };
    let Some(home) = home(tx, &scope.at(stamp.at), unit).await? else { return Ok(Err(GuestMade::NotThere)) };
    if home.building != new.building {
        return Ok(Err(GuestMade::NotThere));
    }
    Ok(if home.at_once == 0 {
        Err(GuestMade::NoGuests)
    } else if home.left == 0 {
        Err(GuestMade::Full)
    } else if !gives(&home, &new.doors) {
        Err(GuestMade::UnknownDoor)
    } else if !is_sound(home.longest_days, new.starts_at, new.ends_at) {
        Err(GuestMade::TooLong)
    } else {
        Ok(GuestsOf::Oneself)
    })
}

/// Why a change can not be. Doors that the guest has stay, whoever has them now.
pub(super) async fn wrong_change(
    tx: &DatabaseTransaction,
    scope: &Scope,
    stamp: &Stamp,
    before: &Guest,
    change: &GuestChange,
) -> Result<Option<GuestChanged>> {
    if change.ends_at.is_some_and(|ends_at| ends_at <= before.starts_at) {
        return Ok(Some(GuestChanged::EndsFirst));
    }
    let home = match before.unit {
        None => None,
        Some(unit) => match home(tx, &scope.at(stamp.at), unit).await? {
            Some(home) => Some(home),
            None => return Ok(Some(GuestChanged::NotThere)),
        },
    };
    let longest = home.as_ref().map_or(HOUSE_DAYS, |home| home.longest_days);
    let longer = change.ends_at.filter(|ends_at| *ends_at > before.ends_at);
    if longer.is_some_and(|ends_at| !is_sound(longest, before.starts_at, ends_at)) {
        return Ok(Some(GuestChanged::TooLong));
    }
    if let Some(doors) = &change.doors {
        let new: Vec<DoorId> =
            doors.iter().copied().filter(|id| !before.doors.iter().any(|had| had.door.id == *id)).collect();
        let known = match &home {
            Some(home) => new.is_empty() || gives(home, &new),
            None => new.is_empty() || all_there(tx, scope, before.building, &new).await?,
        };
        if doors.is_empty() || !known {
            return Ok(Some(GuestChanged::UnknownDoor));
        }
    }
    Ok(None)
}

/// The home of the asker.
async fn home(tx: &DatabaseTransaction, scope: &Scope, unit: UnitId) -> Result<Option<GuestHome>> {
    let Some(person) = scope.person() else { return Ok(None) };
    let this = crate::entity::unit::Column::Id.eq(unit.0);
    Ok(homes(tx, scope, person, this).await?.pop())
}

/// Whether somebody of this home can let a guest through all of these doors.
fn gives(home: &GuestHome, doors: &[DoorId]) -> bool {
    !doors.is_empty() && doors.iter().all(|door| home.doors.iter().any(|(known, _)| known == door))
}

/// Whether a guest may come for so long. A day of 25 hours is a day.
fn is_sound(longest_days: u16, starts_at: Timestamp, ends_at: Timestamp) -> bool {
    let longest = Duration::from_hours(u64::from(longest_days) * 24 + 1);
    starts_at < ends_at && ends_at <= starts_at.plus(longest)
}

/// Whether all of these doors are in the building.
async fn all_there(
    db: &impl ConnectionTrait,
    scope: &Scope,
    building: BuildingId,
    doors: &[DoorId],
) -> Result<bool> {
    let doors: BTreeSet<Uuid> = doors.iter().map(|door| door.0).collect();
    let wanted = doors.len() as u64;
    let there = door::Entity::find()
        .filter(door::Column::Tenant.eq(scope.tenant.0))
        .filter(door::Column::Building.eq(building.0))
        .filter(door::Column::Id.is_in(doors))
        .count(db)
        .await?;
    Ok(wanted > 0 && there == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guest_comes_for_some_days_and_an_hour_at_most() {
        let at = |hours: i64| Timestamp::from_millis(hours * 3_600_000);
        assert!(is_sound(1, at(0), at(25)));
        assert!(!is_sound(1, at(0), at(26)));
        assert!(!is_sound(1, at(5), at(5)));
        assert!(!is_sound(1, at(5), at(4)));
    }
}
