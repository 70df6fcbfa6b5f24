//! Who asks, and whose data they may touch: every repository call takes a [`Scope`].

use crate::ids::{ControllerId, DeviceId, PanelId, PersonId, TenantId};

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Principal {
    /// A signed-in person on one of their devices.
    Person {
        /// Who.
        person: PersonId,
        /// On which device.
        device: DeviceId,
    },
    /// A panel that proved its key.
    Panel(PanelId),
    /// A controller that proved its certificate.
    Controller(ControllerId),
    /// The service itself: first start, demo, jobs.
    System,
}

/// One property manager's data as seen by one principal. Made only where the principal was proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Scope {
    /// Whose data.
    pub tenant: TenantId,
    /// Who asks.
    pub principal: Principal,
}

impl Scope {
    /// The service's own scope over one property manager.
    pub const fn system(tenant: TenantId) -> Self {
        Self { tenant, principal: Principal::System }
    }

    /// The person who asks, when it is one.
    pub const fn person(&self) -> Option<PersonId> {
        match self.principal {
            Principal::Person { person, .. } => Some(person),
            _ => None,
        }
    }
}
