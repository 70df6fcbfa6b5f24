//! Devices and their sessions.

use crate::record::NewDevice;
use crate::{Result, Store};
use klinke_model::ids::{DeviceId, PersonId};
use klinke_model::people::Device;
use klinke_model::scope::Scope;

/// Devices and their sessions: for the person whose they are, and the service.
#[derive(Debug)]
pub struct Devices<'a>(pub(crate) &'a Store);

impl Devices<'_> {
    /// Signs a device in. `false` when the person is suspended or not there.
    pub async fn sign_in(&self, scope: &Scope, new: NewDevice) -> Result<bool> {
        unimplemented!()
    }

    /// A person's devices, by name.
    pub async fn list(&self, scope: &Scope, person: PersonId) -> Result<Vec<Device>> {
        unimplemented!()
    }

    /// Signs a device of this person out: device and session are gone.
    pub async fn sign_out(&self, scope: &Scope, person: PersonId, device: DeviceId) -> Result<bool> {
        unimplemented!()
    }
}
