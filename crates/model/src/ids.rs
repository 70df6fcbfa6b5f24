//! Typed ids: a [`DoorId`] can not be given where a [`PanelId`] is wanted.
//!
//! Rows that people administer get UUIDv7 (sorted by making); rows that *use* makes (call, opening, session)
//! get UUIDv4, because v7 holds the millisecond and would tell when somebody came home. Randomness and time
//! are parameters: see [`v4`] and [`v7`].

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Makes a UUIDv4 from 16 random bytes.
pub fn v4(random: [u8; 16]) -> Uuid {
    uuid::Builder::from_random_bytes(random).into_uuid()
}

/// Makes a UUIDv7 from UTC milliseconds and 10 random bytes.
pub fn v7(at: crate::time::Timestamp, random: [u8; 10]) -> Uuid {
    uuid::Builder::from_unix_timestamp_millis(u64::try_from(at.as_millis()).unwrap_or(0), &random).into_uuid()
}

macro_rules! typed_ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }
    )+};
}

typed_ids! {
    /// A property manager: a customer of the service, strictly apart from the others.
    TenantId,
    /// A building.
    BuildingId,
    /// An entrance (staircase) of a building.
    EntranceId,
    /// An apartment or a company.
    UnitId,
    /// A person: resident, administrator or both.
    PersonId,
    /// A household that moves out of a unit, and perhaps one that moves in.
    MoveId,
    /// A signed-in app or station.
    DeviceId,
    /// A signed-in period of a device.
    SessionId,
    /// A panel (door station) at an entrance.
    PanelId,
    /// A button on a panel.
    BellId,
    /// A picture on a button; a new one with every picture. UUIDv4: it can not be guessed.
    PictureId,
    /// A door controller.
    ControllerId,
    /// A door.
    DoorId,
    /// A call from a panel. UUIDv4.
    CallId,
    /// One command to open one door. UUIDv4.
    OpeningId,
    /// A client's own id for a request; a repeated one is answered, not carried out again. UUIDv4.
    RequestId,
    /// One start of a controller's process. UUIDv4.
    BootId,
    /// A pairing that waits for an administrator. UUIDv4.
    PairingId,
    /// Work for later.
    JobId,
    /// A list of people that is read in.
    ImportId,
    /// A role that was given to somebody.
    RoleGrantId,
    /// A token of another program.
    ApiTokenId,
    /// An address that is told of changes.
    WebhookId,
    /// A way to ordinary phones.
    TrunkId,
    /// What a device registers with over SIP.
    SipAccountId,
    /// One message to such an address. UUIDv4.
    DeliveryId,
    /// An access rule.
    RuleId,
    /// Hours under a name.
    ScheduleId,
    /// A group of people.
    PeopleGroupId,
    /// A group of doors.
    DoorGroupId,
    /// A card or key ring of a person.
    CardId,
    /// Somebody who may come for a while.
    GuestId,
    /// An alarm at the doors.
    AlarmId,
    /// One journal of a controller: a new one when its disk was lost. UUIDv4.
    JournalId,
    /// A window in which a reader reads one card to be given to somebody. UUIDv4.
    ReadingId,
    /// A record of use in a commercial building. UUIDv4.
    RecordId,
    /// That somebody read records of use. UUIDv4.
    RecordReadingId,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;

    #[test]
    fn v7_sorts_by_making_and_v4_has_no_time() {
        let early = v7(Timestamp::from_millis(1_000), [0xff; 10]);
        let late = v7(Timestamp::from_millis(2_000), [0; 10]);
        assert!(early < late);
        assert_eq!(late.get_version_num(), 7);
        assert_eq!(v4([7; 16]).get_version_num(), 4);
    }

    #[test]
    fn ids_read_and_write_as_plain_uuids() {
        let id = DoorId(v4([3; 16]));
        let json = serde_json::to_string(&id).unwrap();
        assert_eq!(json, format!("\"{id}\""));
        assert_eq!(serde_json::from_str::<DoorId>(&json).unwrap(), id);
        assert_eq!(id.to_string().parse::<DoorId>().unwrap(), id);
    }
}
