//! Who asks, and whose data they may touch: every repository call takes a [`Scope`].

use crate::ids::{ApiTokenId, BuildingId, ControllerId, DeviceId, PanelId, PersonId, TenantId};
use crate::people::{Role, RoleGrant};
use crate::rights::Right;
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

/// Looking with the eyes of a role (R63): never more than who looks has themselves, and never to change anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ViewAs {
    /// What one looks as.
    pub role: Role,
    /// In this building; none for each that one administers.
    pub building: Option<BuildingId>,
}

impl ViewAs {
    /// What somebody's own grant shows through these eyes: the building, and the rights that both have.
    pub fn narrow(&self, grant: &RoleGrant) -> Option<(Option<BuildingId>, Vec<Right>)> {
        let building = match (self.building, grant.building) {
            (Some(seen), Some(own)) if seen != own => return None,
            (seen, own) => seen.or(own),
        };
        let both = |right: &Right| grant.role.allows(*right) && self.role.allows(*right);
        Some((building, Right::ALL.into_iter().filter(both).collect()))
    }
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
    /// Whose eyes the asker looks with, beside their own.
    pub view: Option<ViewAs>,
}

impl Scope {
    /// The service's own scope over one property manager. It asks at the end of time: what it may never ends, and no
    /// role of anybody that ends counts for it.
    pub const fn system(tenant: TenantId) -> Self {
        Self { tenant, principal: Principal::System, at: Timestamp::from_millis(i64::MAX), view: None }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::v4;

    #[test]
    fn a_view_is_never_more_than_both_have() {
        let house = |byte| BuildingId::from(v4([byte; 16]));
        for own in Role::ALL {
            for role in Role::ALL {
                let grant = RoleGrant { role: own, building: None, ends_at: None };
                let view = ViewAs { role, building: Some(house(1)) };
                let Some((building, rights)) = view.narrow(&grant) else {
                    panic!("every building is one of all")
                };
                assert_eq!(building, Some(house(1)));
                for right in Right::ALL {
                    assert_eq!(
                        rights.contains(&right),
                        own.allows(right) && role.allows(right),
                        "{own:?} as {role:?}"
                    );
                }
                let elsewhere = RoleGrant { building: Some(house(2)), ..grant };
                assert_eq!(view.narrow(&elsewhere), None);
                assert_eq!(
                    ViewAs { building: None, ..view }.narrow(&elsewhere).map(|seen| seen.0),
                    Some(Some(house(2)))
                );
            }
        }
    }
}
