//! Devices and their sessions.

use crate::entity::{device, person, session};
use crate::record::NewDevice;
use crate::repo::convert::{self, Word};
use crate::repo::reach;
use crate::tx::{self, Isolation};
use crate::{Result, Store};
use klinke_model::ids::{DeviceId, PersonId};
use klinke_model::people::Device;
use klinke_model::scope::Scope;
use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

/// Devices and their sessions: for the person whose they are, and the service. Administrators do not see them.
///
/// Every function fails only when the database can not do its work; what is not there, or not the principal's, is
/// `false` or empty. An id or token that is taken is [`crate::StorageError::Conflict`].
#[derive(Debug)]
pub struct Devices<'a>(pub(crate) &'a Store);

impl Devices<'_> {
    /// Signs a device in. `false` when the person is suspended or not there.
    pub async fn sign_in(&self, scope: &Scope, new: NewDevice) -> Result<bool> {
        let NewDevice { device, session, token_hash, expires_day } = &new;
        if !reach::is(scope, device.person) {
            return Ok(false);
        }
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            let active = person::Entity::find_by_id((scope.tenant.0, device.person.0))
                .filter(person::Column::Active.eq(true))
                .one(&*tx)
                .await?;
            if active.is_none() {
                return Ok(false);
            }
            let row = device::ActiveModel {
                tenant: Set(scope.tenant.0),
                id: Set(device.id.0),
                person: Set(device.person.0),
                name: Set(device.name.reveal().as_str().to_owned()),
                kind: Set(device.kind.word().to_owned()),
            };
            device::Entity::insert(row).exec_without_returning(&*tx).await?;
            let row = session::ActiveModel {
                tenant: Set(scope.tenant.0),
                id: Set(session.0),
                device: Set(device.id.0),
                token_hash: Set(token_hash.to_vec()),
                expires_day: Set(*expires_day),
            };
            session::Entity::insert(row).exec_without_returning(&*tx).await?;
            Ok(true)
        })
        .await
    }

    /// A person's devices, by name.
    pub async fn list(&self, scope: &Scope, person: PersonId) -> Result<Vec<Device>> {
        if !reach::is(scope, person) {
            return Ok(Vec::new());
        }
        let rows = device::Entity::find()
            .filter(device::Column::Tenant.eq(scope.tenant.0))
            .filter(device::Column::Person.eq(person.0))
            .all(&self.0.reader)
            .await?;
        convert::sorted(&rows, convert::device, |device| (device.name.clone(), device.id))
    }

    /// Signs a device of this person out: the device and its session are gone.
    pub async fn sign_out(&self, scope: &Scope, person: PersonId, device: DeviceId) -> Result<bool> {
        if !reach::is(scope, person) {
            return Ok(false);
        }
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            let gone = device::Entity::delete_many()
                .filter(device::Column::Tenant.eq(scope.tenant.0))
                .filter(device::Column::Id.eq(device.0))
                .filter(device::Column::Person.eq(person.0))
                .exec(&*tx)
                .await?;
            Ok(gone.rows_affected > 0)
        })
        .await
    }
}
