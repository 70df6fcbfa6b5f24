//! What the service puts in place by itself: the town of the demo, and what tests and measurements begin with.
//!
//! Nothing here is told to the audit or to other systems, and so nobody else reaches it: every function does nothing but for
//! [`Principal::System`]. Administrators have functions of their own, each of which leaves its entry.

use crate::Result;
use crate::entity::{account, door, membership, unit, unit_door};
use crate::error::absent_is_false;
use crate::record::NewAccount;
use crate::repo::doors::{Doors, put};
use crate::repo::people::{self, People, account_row, end_place};
use crate::repo::people_change::set_active;
use crate::tx::{self, Isolation};
use klinke_model::ids::{ControllerId, DoorId, PersonId, UnitId};
use klinke_model::people::{Membership, Person};
use klinke_model::scope::{Principal, Scope};
use sea_orm::ActiveValue::Set;
use sea_orm::EntityTrait;
use sea_orm::sea_query::OnConflict;

fn is_service(scope: &Scope) -> bool {
    scope.principal == Principal::System
}

impl People<'_> {
    /// Adds a person. Administrators: [`Self::add_person`].
    pub async fn insert_person(&self, scope: &Scope, person: Person) -> Result<bool> {
        if !is_service(scope) {
            return Ok(false);
        }
        let person = &person;
        let added = tx::write(self.0, scope, Isolation::ReadCommitted, |tx| async move {
            people::insert(&*tx, scope.tenant, person).await?;
            Ok(true)
        });
        absent_is_false(added.await)
    }

    /// Suspends a person, or ends that, and leaves their devices as they are. Administrators: [`Self::suspend_person`].
    pub async fn set_active(&self, scope: &Scope, person: PersonId, active: bool) -> Result<bool> {
        if !is_service(scope) {
            return Ok(false);
        }
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            set_active(&*tx, scope, person, active).await
        })
        .await
    }

    /// Gives a person an account. Everybody else sets a password with a link.
    ///
    /// # Errors
    /// [`crate::StorageError::Conflict`] when the person has one or the user name is taken.
    pub async fn insert_account(&self, scope: &Scope, account: NewAccount) -> Result<bool> {
        if !is_service(scope) {
            return Ok(false);
        }
        let account = &account;
        let added = tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            account::Entity::insert(account_row(scope.tenant, account)).exec_without_returning(&*tx).await?;
            Ok(true)
        });
        absent_is_false(added.await)
    }

    /// Gives a person a place in a unit. Administrators: [`Self::set_home`].
    pub async fn add_membership(&self, scope: &Scope, membership: Membership) -> Result<bool> {
        if !is_service(scope) {
            return Ok(false);
        }
        let added = tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            let row = membership::ActiveModel {
                tenant: Set(scope.tenant.0),
                unit: Set(membership.unit.0),
                person: Set(membership.person.0),
                owner: Set(membership.owner),
            };
            membership::Entity::insert(row).exec_without_returning(&*tx).await?;
            Ok(true)
        });
        absent_is_false(added.await)
    }

    /// Ends a person's place in a unit. They leave its buttons with it, and an individual button of theirs goes,
    /// because its text names them. Administrators: [`Self::take_home`].
    pub async fn remove_membership(&self, scope: &Scope, person: PersonId, unit: UnitId) -> Result<bool> {
        if !is_service(scope) {
            return Ok(false);
        }
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            end_place(&*tx, scope, person, unit).await
        })
        .await
    }
}

impl Doors<'_> {
    /// Lets the members of a unit reach a door. Giving it again changes nothing. Administrators: `Parts::change_unit`.
    pub async fn give_unit_door(&self, scope: &Scope, unit: UnitId, door: DoorId) -> Result<bool> {
        if !is_service(scope) {
            return Ok(false);
        }
        let given = tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            let (there, known) = (
                unit::Entity::find_by_id((scope.tenant.0, unit.0)).one(&*tx).await?,
                door::Entity::find_by_id((scope.tenant.0, door.0)).one(&*tx).await?,
            );
            if there.is_none() || known.is_none() {
                return Ok(false);
            }
            let row =
                unit_door::ActiveModel { tenant: Set(scope.tenant.0), unit: Set(unit.0), door: Set(door.0) };
            unit_door::Entity::insert(row)
                .on_conflict(OnConflict::new().do_nothing().to_owned())
                .exec_without_returning(&*tx)
                .await?;
            Ok(true)
        });
        absent_is_false(given.await)
    }

    /// Lets a controller of the same building drive a door. The revision of this controller grows, and of the one
    /// before. Administrators: `Parts::change_door`.
    ///
    /// # Errors
    /// [`crate::StorageError::Conflict`] when the output drives another door.
    pub async fn assign(
        &self,
        scope: &Scope,
        door: DoorId,
        controller: ControllerId,
        output: u16,
    ) -> Result<bool> {
        if !is_service(scope) {
            return Ok(false);
        }
        let assigned = tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            let Some(before) = door::Entity::find_by_id((scope.tenant.0, door.0)).one(&*tx).await? else {
                return Ok(false);
            };
            put(&*tx, scope, before, controller, output).await?;
            Ok(true)
        });
        absent_is_false(assigned.await)
    }
}
