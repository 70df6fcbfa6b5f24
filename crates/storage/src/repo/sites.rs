//! Buildings, entrances, units.

use crate::record::SiteMode;
use crate::{Result, Store};
use klinke_model::ids::BuildingId;
use klinke_model::scope::Scope;
use klinke_model::site::{Building, Entrance, Unit};

/// Buildings, entrances, units: for who administers the building.
#[derive(Debug)]
pub struct Sites<'a>(pub(crate) &'a Store);

impl Sites<'_> {
    /// The buildings that the principal administers, by name.
    pub async fn buildings(&self, scope: &Scope) -> Result<Vec<Building>> {
        unimplemented!()
    }

    /// One of them.
    pub async fn building(&self, scope: &Scope, building: BuildingId) -> Result<Option<Building>> {
        unimplemented!()
    }

    /// Entrances of a building, by name.
    pub async fn entrances(&self, scope: &Scope, building: BuildingId) -> Result<Vec<Entrance>> {
        unimplemented!()
    }

    /// Units of a building, by number.
    pub async fn units(&self, scope: &Scope, building: BuildingId) -> Result<Vec<Unit>> {
        unimplemented!()
    }

    /// Adds a building. The service and managers may: `false` for others.
    pub async fn insert_building(&self, scope: &Scope, building: Building) -> Result<bool> {
        unimplemented!()
    }

    /// Adds an entrance.
    pub async fn insert_entrance(&self, scope: &Scope, entrance: Entrance) -> Result<bool> {
        unimplemented!()
    }

    /// Adds a unit; its entrance must be in the same building.
    pub async fn insert_unit(&self, scope: &Scope, unit: Unit) -> Result<bool> {
        unimplemented!()
    }

    /// Sets how the doors of a building behave as a whole.
    pub async fn set_mode(&self, scope: &Scope, building: BuildingId, mode: SiteMode) -> Result<bool> {
        unimplemented!()
    }
}
