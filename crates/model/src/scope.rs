//! Who asks, and whose data they may touch: every repository call takes a [`Scope`].

use crate::ids::{ApiTokenId, ControllerId, DeviceId, PanelId, PersonId, TenantId};
use crate::time::Timestamp;

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
    /// Another program, with a token that somebody made for it.
    Token {
        /// Which.
        token: ApiTokenId,
        /// In whose name it asks: it may no more than they.
        issuer: PersonId,
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
    /// The moment at which rights are judged: a role that has ended by then does not count. Whoever lives longer than a
    /// request takes a new one for each thing it asks.
    pub at: Timestamp,
}

impl Scope {
    /// The service's own scope over one property manager. It asks at the end of time: what it may never ends, and no
    /// role of anybody that ends counts for it.
    pub const fn system(tenant: TenantId) -> Self {
        Self { tenant, principal: Principal::System, at: Timestamp::from_millis(i64::MAX) }
    }

    /// The same, judged at another moment.
    #[must_use]
    pub const fn at(self, at: Timestamp) -> Self {
        Self { at, ..self }
    }

    /// The person who asks, when it is one.
    pub const fn person(&self) -> Option<PersonId> {
        match self.principal {
            Principal::Person { person, .. } => Some(person),
            _ => None,
        }
    }

    /// The token that asks, when it is one.
    pub const fn token(&self) -> Option<ApiTokenId> {
        match self.principal {
            Principal::Token { token, .. } => Some(token),
            _ => None,
        }
    }
}
