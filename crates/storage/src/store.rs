//! Opening the store.

use crate::Result;
use crate::repo::{Devices, Doors, Gate, Intercom, People, Sites};

/// The store. Clones share the connections.
#[derive(Clone, Debug)]
pub struct Store {}

impl Store {
    /// Opens the database at `sqlite://path?mode=rwc`, `sqlite::memory:` (tests) or `postgres://…` and brings its
    /// schema up to date.
    pub async fn open(url: &str) -> Result<Self> {
        unimplemented!()
    }

    /// Finds out who asks.
    pub fn gate(&self) -> Gate<'_> {
        Gate(self)
    }

    /// Buildings, entrances, units.
    pub fn sites(&self) -> Sites<'_> {
        Sites(self)
    }

    /// Persons, accounts, places in units, roles.
    pub fn people(&self) -> People<'_> {
        People(self)
    }

    /// Devices and their sessions.
    pub fn devices(&self) -> Devices<'_> {
        Devices(self)
    }

    /// Panels and buttons.
    pub fn intercom(&self) -> Intercom<'_> {
        Intercom(self)
    }

    /// Doors and controllers.
    pub fn doors(&self) -> Doors<'_> {
        Doors(self)
    }
}
