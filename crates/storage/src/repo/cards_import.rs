//! Cards from a file: compared with who lives there and who has which, given in one transaction.

use crate::Result;
use crate::entity::card;
use crate::record::{CardHouse, NewCard, Stamp};
use crate::repo::audit::{self, Change};
use crate::repo::cards::{CHANGES, Cards, row};
use crate::repo::doors::touch_all_of;
use crate::repo::parts::has_all;
use crate::repo::{convert, imports_house};
use crate::tx::{self, Isolation};
use klinke_model::ids::{BuildingId, PersonId};
use klinke_model::scope::Scope;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use serde_json::json;
use std::collections::{BTreeSet, HashSet};

/// How many cards one statement inserts.
const AT_ONCE: usize = 500;

impl Cards<'_> {
    /// What the cards of a file are compared with.
    pub async fn card_house(&self, scope: &Scope, building: BuildingId) -> Result<Option<CardHouse>> {
        tx::read(self.0, |tx| async move {
            if !has_all(&*tx, scope, &CHANGES, building).await? {
                return Ok(None);
            }
            house(&*tx, scope, building).await.map(Some)
        })
        .await
    }

    /// Gives the cards that `decide` picks, looking at the same building that they are written to: all of them or none. What
    /// is for nobody who lives there, or taken, is left out whatever `decide` says. How many it were.
    pub async fn import_cards(
        &self,
        scope: &Scope,
        stamp: &Stamp,
        building: BuildingId,
        decide: impl Fn(&CardHouse) -> Vec<NewCard>,
    ) -> Result<Option<usize>> {
        let decide = &decide;
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            if !has_all(&*tx, scope, &CHANGES, building).await? {
                return Ok(None);
            }
            let house = house(&*tx, scope, building).await?;
            let live: HashSet<PersonId> = house.house.residents.iter().map(|one| one.place.person).collect();
            let mut known: HashSet<_> = house.cards.keys().copied().collect();
            let mut new = decide(&house);
            new.retain(|card| live.contains(&card.person) && known.insert(card.key));
            if new.is_empty() {
                return Ok(Some(0));
            }
            for chunk in new.chunks(AT_ONCE) {
                let rows = chunk.iter().map(|card| row(scope, building, card));
                card::Entity::insert_many(rows).exec_without_returning(&*tx).await?;
            }
            touch_all_of(&*tx, scope, building).await?;
            let persons: BTreeSet<_> = new.iter().map(|card| card.person).collect();
            let change = Change {
                building: Some(building),
                action: "card.imported",
                persons: persons.into_iter().collect(),
                before: None,
                after: Some(json!({ "cards": new.len() })),
            };
            audit::append(&tx, scope, stamp, change).await?;
            Ok(Some(new.len()))
        })
        .await
    }
}

async fn house(db: &impl ConnectionTrait, scope: &Scope, building: BuildingId) -> Result<CardHouse> {
    let rows = card::Entity::find()
        .filter(card::Column::Tenant.eq(scope.tenant.0))
        .filter(card::Column::Building.eq(building.0))
        .all(db)
        .await?;
    let mut cards = std::collections::HashMap::with_capacity(rows.len());
    for row in &rows {
        let card = convert::card(row)?;
        cards.insert(card.key, card.person);
    }
    Ok(CardHouse { house: imports_house::house(db, scope, building).await?, cards })
}
