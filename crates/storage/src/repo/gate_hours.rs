//! The timetables of all property managers' buttons: whoever turns them finds out here whose scope it needs.

use crate::Result;
use crate::entity::{bell, bell_hours, building};
use crate::record::BellHours;
use crate::repo::Gate;
use crate::repo::my_bells::read_hours;
use sea_orm::EntityTrait;
use std::collections::HashMap;

impl Gate<'_> {
    /// Every timetable, in no order.
    ///
    /// # Errors
    /// When the database can not be read.
    pub async fn bell_hours(&self) -> Result<Vec<BellHours>> {
        let rows = bell_hours::Entity::find().find_both_related(bell::Entity).all(&self.0.reader).await?;
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let buildings = building::Entity::find().all(&self.0.reader).await?;
        let zones: HashMap<_, _> =
            buildings.into_iter().map(|row| ((row.tenant, row.id), row.time_zone)).collect();
        let mut found = Vec::with_capacity(rows.len());
        for (row, bell) in rows {
            // foreign keys see to it that a bell has a building
            let Some(time_zone) = zones.get(&(row.tenant, bell.building)) else { continue };
            found.push(BellHours {
                tenant: row.tenant.into(),
                bell: row.bell.into(),
                building: bell.building.into(),
                time_zone: time_zone.clone(),
                hours: read_hours(&row)?,
                hides: row.hides,
            });
        }
        Ok(found)
    }
}
