//! Property managers as an operator sees them: by name, nothing inside.

use klinke_model::ids::{DeviceId, PanelId, RoleGrantId};
use klinke_model::people::Person;
use klinke_model::site::Tenant;
use klinke_model::time::Timestamp;

/// A property manager.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantRow {
    /// Its id and name.
    pub tenant: Tenant,
    /// Nobody of it signs in, and its panels are out of service; its doors go on.
    pub suspended: bool,
    /// Grows with every change.
    pub version: u64,
}

/// A property manager that is made.
#[derive(Clone, Debug)]
pub struct NewTenant {
    /// Its id and name.
    pub tenant: Tenant,
    /// Its first manager.
    pub manager: Person,
    /// The id of their role.
    pub role: RoleGrantId,
    /// When their role ends.
    pub ends_at: Timestamp,
}

/// What became of changing one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TenantChanged {
    /// It is so.
    Done(TenantRow),
    /// Somebody else changed it before: how it is now.
    Conflict(TenantRow),
    /// It is not there, or the principal may not.
    NotThere,
}

/// What is cut off when one is suspended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TenantStopped {
    /// Its panels.
    pub panels: Vec<PanelId>,
    /// The devices of its people.
    pub devices: Vec<DeviceId>,
}

/// The oldest systems on which the app rings as it should.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppRequirements {
    /// iOS, such as `16.4`.
    pub ios: String,
    /// Android, such as `10`.
    pub android: String,
}

impl Default for AppRequirements {
    fn default() -> Self {
        Self { ios: "16.4".to_owned(), android: "10".to_owned() }
    }
}

impl AppRequirements {
    /// Whether a text is a version: one to three numbers with dots between.
    pub fn is_version(text: &str) -> bool {
        let parts: Vec<_> = text.split('.').collect();
        let number =
            |part: &&str| (1..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        parts.len() <= 3 && parts.iter().all(number)
    }
}
