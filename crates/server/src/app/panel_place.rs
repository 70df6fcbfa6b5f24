//! Where a panel hangs: its entrance and the doors that a call at it offers, which are of its building.

use crate::auth::caller::Caller;
use crate::http::problem::{FieldCode, Fields, Problem};
use crate::node::Node;
use klinke_model::ids::{BuildingId, DoorId, EntranceId};
use klinke_model::intercom::Panel;
use std::collections::HashSet;

/// What a new panel is called and where it hangs, as it was typed.
pub struct Place<'a> {
    /// Its name.
    pub name: &'a str,
    /// The entrance.
    pub entrance: Option<EntranceId>,
    /// The doors.
    pub doors: Vec<DoorId>,
}

impl Place<'_> {
    /// A panel of this building that is not there yet.
    ///
    /// # Errors
    /// What is wrong with each field.
    pub async fn panel(self, node: &Node, who: &Caller, building: BuildingId) -> Result<Panel, Problem> {
        let mut fields = Fields::default();
        let name = fields.label("/name", self.name);
        if let Some(entrance) = self.entrance {
            has_entrance(node, who, building, entrance, &mut fields).await?;
        }
        has_doors(node, who, building, &self.doors, &mut fields).await?;
        let Some(name) = name else { return Err(fields.into()) };
        fields.check()?;
        let id = node.random.v7(node.clock.now());
        Ok(Panel { id, building, entrance: self.entrance, name, doors: self.doors })
    }
}

/// Says so in `fields` when the entrance is not one of the building.
///
/// # Errors
/// When the store fails.
pub async fn has_entrance(
    node: &Node,
    who: &Caller,
    building: BuildingId,
    entrance: EntranceId,
    fields: &mut Fields,
) -> Result<(), Problem> {
    let entrances = node.store.sites().entrances(&who.scope, building).await?;
    if entrances.iter().all(|known| known.id != entrance) {
        fields.wrong("/entrance", FieldCode::NotFound);
    }
    Ok(())
}

/// Says in `fields` which of the doors are not of the building, or are named twice.
///
/// # Errors
/// When the store fails.
pub async fn has_doors(
    node: &Node,
    who: &Caller,
    building: BuildingId,
    doors: &[DoorId],
    fields: &mut Fields,
) -> Result<(), Problem> {
    let known = node.store.doors().doors(&who.scope, building).await?;
    let mut named = HashSet::new();
    for (place, door) in doors.iter().enumerate() {
        if known.iter().all(|known| known.id != *door) {
            fields.wrong(format!("/doors/{place}"), FieldCode::NotFound);
        } else if !named.insert(door) {
            fields.wrong(format!("/doors/{place}"), FieldCode::Taken);
        }
    }
    Ok(())
}
