//! What somebody sees in the app, for who administers where they live (R63): by the queries that the app itself is answered
//! from, narrowed to the buildings where the principal sees people. Nothing of calls or openings is in it.

use crate::Result;
use crate::entity::{bell, door, unit};
use crate::record::{SeenBy, SeenDoor};
use crate::repo::convert::{self, At};
use crate::repo::households::{Households, homes_of, is_active};
use crate::repo::{doors, my_bells, reach};
use crate::tx;
use klinke_model::ids::PersonId;
use klinke_model::rights::Right;
use klinke_model::scope::Scope;

impl Households<'_> {
    /// What a person sees in the app: their homes, buttons and doors, as of one moment. Those in buildings where the
    /// principal does not see people are left out, and nothing is left while the person is suspended.
    pub async fn seen_by(&self, scope: &Scope, person: PersonId) -> Result<SeenBy> {
        let right = Right::SeePeople;
        let homes = &reach::may(scope, right, unit::Column::Building);
        let bells = &reach::may(scope, right, bell::Column::Building);
        let doors = &reach::may(scope, right, door::Column::Building);
        tx::read(self.0, |tx| async move {
            let rows = doors::openable(&*tx, scope, person, doors.clone()).await?;
            let seen = |(door, building): &(door::Model, crate::entity::building::Model)| {
                Ok(SeenDoor {
                    door: convert::door(door)?,
                    building_name: At("building", "name").label(&building.name)?,
                    site_mode: At("building", "mode").choice(&building.mode)?,
                })
            };
            Ok(SeenBy {
                active: is_active(&*tx, scope, person).await?,
                homes: homes_of(&*tx, scope, person, homes.clone()).await?,
                bells: my_bells::mine(&*tx, scope, person, bells.clone(), None).await?,
                doors: convert::sorted(&rows, seen, |one| {
                    (one.building_name.clone(), one.door.name.clone(), one.door.id)
                })?,
            })
        })
        .await
    }
}
