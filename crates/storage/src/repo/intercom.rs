//! Panels, buttons, and what a tap needs.

use crate::record::{PanelDirectory, RingFacts};
use crate::{Result, Store};
use klinke_model::ids::{BellId, BuildingId, PanelId};
use klinke_model::intercom::{Bell, Panel};
use klinke_model::scope::Scope;

/// Panels and buttons: for who administers the building; a panel sees itself.
#[derive(Debug)]
pub struct Intercom<'a>(pub(crate) &'a Store);

impl Intercom<'_> {
    /// Panels of a building, by name.
    pub async fn panels(&self, scope: &Scope, building: BuildingId) -> Result<Vec<Panel>> {
        unimplemented!()
    }

    /// One panel.
    pub async fn panel(&self, scope: &Scope, panel: PanelId) -> Result<Option<Panel>> {
        unimplemented!()
    }

    /// Adds a panel; its entrance and doors must be in its building. The key (SPKI DER, P-256) may come later.
    pub async fn insert_panel(
        &self,
        scope: &Scope,
        panel: Panel,
        public_key: Option<Vec<u8>>,
    ) -> Result<bool> {
        unimplemented!()
    }

    /// Gives a panel a key; the one before ends with it.
    pub async fn set_panel_key(&self, scope: &Scope, panel: PanelId, public_key: Vec<u8>) -> Result<bool> {
        unimplemented!()
    }

    /// Buttons of a building, by panel name and place, with all their members.
    pub async fn bells(&self, scope: &Scope, building: BuildingId) -> Result<Vec<Bell>> {
        unimplemented!()
    }

    /// Adds a button at a place of its panel (lowest first). Panel and unit must be in the same building, and the
    /// members must live in the unit.
    ///
    /// # Errors
    /// [`crate::StorageError::Invalid`] when an individual button has not exactly one member.
    pub async fn insert_bell(&self, scope: &Scope, bell: Bell, position: i32) -> Result<bool> {
        unimplemented!()
    }

    /// All that a panel shows at rest. For the panel itself, and who administers its building.
    pub async fn directory(&self, scope: &Scope, panel: PanelId) -> Result<Option<PanelDirectory>> {
        unimplemented!()
    }

    /// All that a tap on a button needs, as of one moment. For the panel that the button is on, and the service.
    pub async fn ring_facts(&self, scope: &Scope, bell: BellId) -> Result<Option<RingFacts>> {
        unimplemented!()
    }
}
