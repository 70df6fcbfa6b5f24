//! Doors, their controllers, and who reaches them.

use crate::record::StoredFacts;
use crate::{Result, Store};
use klinke_model::door::{Controller, Door};
use klinke_model::ids::{BuildingId, ControllerId, DoorId, PersonId, UnitId};
use klinke_model::scope::Scope;
use klinke_model::text::Label;

/// Doors and controllers: for who administers the building; a controller sees its own doors.
#[derive(Debug)]
pub struct Doors<'a>(pub(crate) &'a Store);

impl Doors<'_> {
    /// Doors of a building, by name.
    pub async fn doors(&self, scope: &Scope, building: BuildingId) -> Result<Vec<Door>> {
        unimplemented!()
    }

    /// One door.
    pub async fn door(&self, scope: &Scope, door: DoorId) -> Result<Option<Door>> {
        unimplemented!()
    }

    /// Adds a door; its controller, if it has one, must be in its building.
    ///
    /// # Errors
    /// [`crate::StorageError::Conflict`] when the output drives another door, [`crate::StorageError::Invalid`] when a
    /// time is out of range.
    pub async fn insert_door(&self, scope: &Scope, door: Door) -> Result<bool> {
        unimplemented!()
    }

    /// Lets the members of a unit reach a door. Giving it again changes nothing.
    pub async fn give_unit_door(&self, scope: &Scope, unit: UnitId, door: DoorId) -> Result<bool> {
        unimplemented!()
    }

    /// Lets a controller of the same building drive a door. The revision of this controller, and of the one before,
    /// grows.
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
        unimplemented!()
    }

    /// Controllers of a building, by name.
    pub async fn controllers(&self, scope: &Scope, building: BuildingId) -> Result<Vec<Controller>> {
        unimplemented!()
    }

    /// Adds a controller with the SHA-256 of its client certificate.
    pub async fn insert_controller(
        &self,
        scope: &Scope,
        controller: Controller,
        certificate_sha256: [u8; 32],
    ) -> Result<bool> {
        unimplemented!()
    }

    /// What a controller should drive: a revision that grows with every change, and its doors by output. For the
    /// controller itself, and who administers its building.
    pub async fn doors_of_controller(
        &self,
        scope: &Scope,
        controller: ControllerId,
    ) -> Result<Option<(u64, Vec<Door>)>> {
        unimplemented!()
    }

    /// The doors that a person reaches by living somewhere, each with the name of its building, by both names.
    /// Empty while they are suspended. For themselves and the service.
    pub async fn openable(&self, scope: &Scope, person: PersonId) -> Result<Vec<(Door, Label)>> {
        unimplemented!()
    }

    /// What is stored about a person before a door, as of one moment. For themselves and the service.
    pub async fn facts(&self, scope: &Scope, person: PersonId, door: DoorId) -> Result<Option<StoredFacts>> {
        unimplemented!()
    }
}
