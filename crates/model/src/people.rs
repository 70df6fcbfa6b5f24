//! Who lives and works here: persons, their places in units, their devices and rights to administer.

use crate::contact::{Email, Language, Phone};
use crate::ids::{BuildingId, DeviceId, PersonId, UnitId};
use crate::privacy::Pii;
use crate::text::Label;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// A person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Id.
    pub id: PersonId,
    /// What others call them. Who wants none is known by where they live alone.
    pub name: Option<Pii<Label>>,
    /// Where mail reaches them.
    pub email: Option<Pii<Email>>,
    /// Where a call reaches them.
    pub phone: Option<Pii<Phone>>,
    /// What they are written to in.
    pub language: Language,
    /// Suspended persons ring nowhere and open nothing.
    pub active: bool,
    /// Needs more time at doors: the lock stays released for longer.
    pub needs_longer: bool,
    /// Grows with every change, so that two administrators who edit at once are told.
    pub version: u64,
}

impl Person {
    /// An active person of whom nothing but the name is known.
    pub const fn named(id: PersonId, name: Label) -> Self {
        let name = Some(Pii::new(name));
        Self {
            id,
            name,
            email: None,
            phone: None,
            language: Language::Nb,
            active: true,
            needs_longer: false,
            version: 1,
        }
    }
}

/// A person's place in a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Membership {
    /// Who.
    pub person: PersonId,
    /// Where.
    pub unit: UnitId,
    /// May decide for the unit.
    pub owner: bool,
}

/// What a device is used as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum DeviceKind {
    /// A phone, tablet or computer of one person.
    App,
    /// A tablet on the apartment's wall.
    Station,
}

/// A signed-in app or station.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// Id.
    pub id: DeviceId,
    /// Whose it is.
    pub person: PersonId,
    /// What its owner calls it.
    pub name: Pii<Label>,
    /// What it is used as.
    pub kind: DeviceKind,
}

/// What a person may administer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Runs the service: makes property managers, sees nothing in them.
    Operator,
    /// Runs the whole of a property manager's buildings.
    Manager,
    /// Administers one building.
    BuildingAdministrator,
    /// Looks after devices; sees no personal data.
    Caretaker,
    /// Reads everything, changes nothing.
    Auditor,
}

/// A role and what it reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoleGrant {
    /// Which role.
    pub role: Role,
    /// The building; `None` is every building of the property manager.
    pub building: Option<BuildingId>,
    /// First moment at which it is over. `None` only for roles without access to personal data, and for the first
    /// manager.
    pub ends_at: Option<Timestamp>,
}
