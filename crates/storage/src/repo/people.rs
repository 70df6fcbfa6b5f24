//! Persons, accounts, places in units, roles.

use crate::record::{NewAccount, UnitMember};
use crate::{Result, Store};
use klinke_model::ids::{BuildingId, PersonId, UnitId};
use klinke_model::people::{Membership, Person, RoleGrant};
use klinke_model::scope::Scope;

/// Persons, accounts, places in units, roles.
#[derive(Debug)]
pub struct People<'a>(pub(crate) &'a Store);

impl People<'_> {
    /// Adds a person. For the service, managers and building administrators.
    pub async fn insert_person(&self, scope: &Scope, person: Person) -> Result<bool> {
        unimplemented!()
    }

    /// A person: oneself, or somebody in a unit of a building that the principal administers; managers and the
    /// service see everybody.
    pub async fn person(&self, scope: &Scope, person: PersonId) -> Result<Option<Person>> {
        unimplemented!()
    }

    /// Suspends a person, or ends that. For the service and managers.
    pub async fn set_active(&self, scope: &Scope, person: PersonId, active: bool) -> Result<bool> {
        unimplemented!()
    }

    /// Gives a person an account. For the service and managers.
    ///
    /// # Errors
    /// [`crate::StorageError::Conflict`] when the person has one or the user name is taken.
    pub async fn insert_account(&self, scope: &Scope, account: NewAccount) -> Result<bool> {
        unimplemented!()
    }

    /// Gives a person a place in a unit.
    pub async fn add_membership(&self, scope: &Scope, membership: Membership) -> Result<bool> {
        unimplemented!()
    }

    /// Ends a person's place in a unit. They leave its buttons with it, and their individual button goes.
    pub async fn remove_membership(&self, scope: &Scope, person: PersonId, unit: UnitId) -> Result<bool> {
        unimplemented!()
    }

    /// What a person may administer. For themselves, managers and the service.
    pub async fn roles(&self, scope: &Scope, person: PersonId) -> Result<Vec<RoleGrant>> {
        unimplemented!()
    }

    /// Gives a person a role. Giving it again changes nothing. For the service and managers.
    ///
    /// # Errors
    /// [`crate::StorageError::Invalid`] when a manager is given one building or a building administrator none.
    pub async fn grant_role(&self, scope: &Scope, person: PersonId, grant: RoleGrant) -> Result<bool> {
        unimplemented!()
    }

    /// Who lives in the units of a building, by unit number, then name.
    pub async fn unit_members(&self, scope: &Scope, building: BuildingId) -> Result<Vec<UnitMember>> {
        unimplemented!()
    }
}
