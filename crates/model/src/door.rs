//! Doors in ONVIF's words (Door Control Service Specification, §4 "Door State").

use crate::ids::{BuildingId, ControllerId, DoorId};
use crate::text::Label;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The logical state of a door's lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum DoorMode {
    /// Locked; opens for a granted request.
    Locked,
    /// Unlocked by a schedule or an administrator.
    Unlocked,
    /// Unlocked for a moment after a granted request.
    Accessed,
    /// Locked; opens for nobody until released.
    Blocked,
    /// Locked by an emergency; overrides everything but the way out.
    LockedDown,
    /// Held open by an administrator; overrides everything but an emergency.
    LockedOpen,
}

/// What the door contact says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum DoorPosition {
    /// There is no contact, or it has not spoken yet.
    Unknown,
    /// The leaf is open.
    Open,
    /// The leaf is closed.
    Closed,
}

/// What is wrong with a door.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum DoorAlarm {
    /// Nothing.
    Normal,
    /// The leaf opened without a granted request.
    DoorForcedOpen,
    /// The leaf stayed open past its time.
    DoorOpenTooLong,
}

/// When the lock goes back after a granted request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Relock {
    /// As soon as the leaf has opened: one person, one opening.
    OnOpen,
    /// When the leaf has closed again, or the release time is over.
    OnClose,
}

/// Times of a door, all measured on the controller's monotonic clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DoorTimes {
    /// How long the lock stays released after a granted request, in ms: 1,000 to 60,000.
    pub release_ms: u32,
    /// How long it stays released for who needs longer, in ms: 1,000 to 60,000. Less than `release_ms` counts as that.
    #[serde(default = "DoorTimes::usual_extended_release_ms")]
    pub extended_release_ms: u32,
    /// How long the leaf may stay open before it is an alarm, in ms: 5,000 to 600,000.
    pub open_ms: u32,
    /// When the lock goes back.
    pub relock: Relock,
}

impl DoorTimes {
    /// Shortest and longest release time, ms. IEC 60839-11-1 asks for no less than 3 s where the system sets it;
    /// an installer may go below for a turnstile.
    pub const RELEASE_MS: std::ops::RangeInclusive<u32> = 1_000..=60_000;
    /// Shortest and longest time the leaf may stand open, ms.
    pub const OPEN_MS: std::ops::RangeInclusive<u32> = 5_000..=600_000;

    /// Whether every time is in its range.
    pub fn is_valid(&self) -> bool {
        Self::RELEASE_MS.contains(&self.release_ms)
            && Self::RELEASE_MS.contains(&self.extended_release_ms)
            && Self::OPEN_MS.contains(&self.open_ms)
    }

    /// For how long a granted request releases the lock.
    pub const fn hold(&self, needs_longer: bool) -> Duration {
        let longer = needs_longer && self.extended_release_ms > self.release_ms;
        Duration::from_millis(if longer { self.extended_release_ms } else { self.release_ms } as u64)
    }

    const fn usual_extended_release_ms() -> u32 {
        20_000
    }
}

impl Default for DoorTimes {
    fn default() -> Self {
        Self { release_ms: 5_000, extended_release_ms: 20_000, open_ms: 30_000, relock: Relock::OnClose }
    }
}

/// What is opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum DoorKind {
    /// A leaf with a lock.
    #[default]
    Door,
    /// A floor of a lift: its button works for the release time. It has no leaf, so nothing of it can be forced, held open or
    /// part of an airlock, and nobody is known to have gone through it.
    Floor,
}

/// A door.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Door {
    /// Id.
    pub id: DoorId,
    /// The building it belongs to.
    pub building: BuildingId,
    /// Such as "Entrance A" or "Garage".
    pub name: Label,
    /// The controller that drives it, once one is assigned.
    pub controller: Option<ControllerId>,
    /// Which output of the controller, from 0.
    pub output: u16,
    /// Its times.
    pub times: DoorTimes,
    /// What it is; said when it is added, and so for good.
    pub kind: DoorKind,
}

/// What a lock does without power. The relay is at rest while the door is locked, with either.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum LockKind {
    /// It opens; its power goes over the relay's normally closed contact. For ways of escape.
    FailSafe,
    /// It stays locked; its power goes over the relay's normally open contact.
    FailSecure,
}

/// What is wired to an output, as its controller's hardware file says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DoorWiring {
    /// What the lock does without power; absent where the door hangs on another system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub lock: Option<LockKind>,
    /// Whether the door can be held open: one behind a timer relay can not.
    pub holds: bool,
    /// Whether it is another system that opens the door, by a card that is presented to it. It can be asked once for each
    /// opening, and does not say what became of it.
    pub handed_on: bool,
    /// There is a contact at the leaf.
    pub contact: bool,
    /// There is an exit button.
    pub exit_button: bool,
    /// The controller sees the fire alarm.
    pub fire_input: bool,
}

/// A door controller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Controller {
    /// Id.
    pub id: ControllerId,
    /// The building it sits in.
    pub building: BuildingId,
    /// What the installer calls it.
    pub name: Label,
}

/// What a controller says of one door, in the order it happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DoorState {
    /// The lock.
    pub mode: DoorMode,
    /// The leaf.
    pub position: DoorPosition,
    /// What is wrong.
    pub alarm: DoorAlarm,
}

impl DoorState {
    /// A locked, closed, healthy door.
    pub const LOCKED: Self =
        Self { mode: DoorMode::Locked, position: DoorPosition::Closed, alarm: DoorAlarm::Normal };
}
