//! The cards of the person who asks and, for a unit owner, of the people of their home: looked at, blocked when one is lost,
//! let in again when it is found, and added where the building's policy leaves it to residents (R44).
//!
//! Nothing here is in the audit, which tells what administrators did; they see who blocked a card.

use crate::entity::card;
use crate::record::cards::Place;
use crate::record::{HeldCard, MyCardChanged, MyCardMade, NewMyCard};
use crate::repo::cards::{Cards, held, insert, select, taken, update};
use crate::repo::doors::touch_all_of;
use crate::repo::households::{homes_of, is_active};
use crate::tx::{self, Isolation};
use crate::{Result, StorageError};
use klinke_model::card::{BlockedBy, Card};
use klinke_model::ids::{CardId, PersonId};
use klinke_model::scope::Scope;
use klinke_model::text::Label;
use sea_orm::sea_query::Expr;
use sea_orm::sea_query::ExprTrait;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter};
use std::collections::BTreeSet;

/// The most cards that somebody has in a building before they can add none themselves; administrators may give more.
pub const MOST_OWN: u64 = 10;

impl Cards<'_> {
    /// The cards of the person who asks, and of the people of the homes that they decide for.
    pub async fn my_cards(&self, scope: &Scope) -> Result<Vec<HeldCard>> {
        let Some(who) = scope.person() else { return Ok(Vec::new()) };
        tx::read(self.0, |tx| async move { all(&*tx, scope, who).await }).await
    }

    /// Adds a card in a home of the asker.
    pub async fn add_my_card(&self, scope: &Scope, new: NewMyCard) -> Result<MyCardMade> {
        let (new, Some(who)) = (&new, scope.person()) else { return Ok(MyCardMade::NotThere) };
        let made = tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            let homes = homes_of(&*tx, scope, who, Expr::val(true)).await?;
            let Some(home) = homes.into_iter().find(|home| home.unit == new.unit) else {
                return Ok(MyCardMade::NotThere);
            };
            let person = new.card.person;
            let decides = person == who || home.owner;
            if !decides || !home.members.iter().any(|member| member.person == person) {
                return Ok(MyCardMade::NotThere);
            }
            if !home.policy.own_cards {
                return Ok(MyCardMade::Administrators);
            }
            let has = card::Entity::find()
                .filter(card::Column::Tenant.eq(scope.tenant.0))
                .filter(card::Column::Building.eq(home.building.0))
                .filter(card::Column::Person.eq(person.0))
                .count(&*tx)
                .await?;
            if has >= MOST_OWN {
                return Ok(MyCardMade::Full);
            }
            if taken(&*tx, scope, home.building, &new.card).await?.is_some() {
                return Ok(MyCardMade::Taken);
            }
            insert(&*tx, scope, home.building, &new.card).await?;
            touch_all_of(&*tx, scope, home.building).await?;
            Ok(one(&*tx, scope, who, new.card.id).await?.map_or(MyCardMade::NotThere, MyCardMade::Done))
        });
        match made.await {
            Err(StorageError::Conflict) => Ok(MyCardMade::Taken),
            other => other,
        }
    }

    /// Renames a card of the asker's, blocks it or lets it in again, when it still has the version that they saw. What an
    /// administrator blocked stays so.
    pub async fn change_my_card(
        &self,
        scope: &Scope,
        id: CardId,
        version: u64,
        name: Option<Label>,
        blocked: Option<bool>,
    ) -> Result<MyCardChanged> {
        let Some(who) = scope.person() else { return Ok(MyCardChanged::NotThere) };
        let name = &name;
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            let Some(before) = one(&*tx, scope, who, id).await? else { return Ok(MyCardChanged::NotThere) };
            if before.version != version {
                return Ok(MyCardChanged::Conflict(before));
            }
            let was = &before.card;
            let blocked = match (was.blocked, blocked) {
                (Some(BlockedBy::Administrator), Some(false)) => return Ok(MyCardChanged::Administrators),
                (Some(by), None | Some(true)) => Some(by),
                (None, Some(true)) => Some(BlockedBy::Holder),
                (None, None | Some(false)) | (Some(BlockedBy::Holder), Some(false)) => None,
            };
            let wanted =
                Card { name: name.clone().unwrap_or_else(|| was.name.clone()), blocked, ..was.clone() };
            if *was == wanted {
                return Ok(MyCardChanged::Done(before));
            }
            update(&*tx, scope, &wanted).await?;
            Ok(one(&*tx, scope, who, id).await?.map_or(MyCardChanged::NotThere, MyCardChanged::Done))
        })
        .await
    }
}

/// None while the person is suspended.
async fn all(db: &impl ConnectionTrait, scope: &Scope, who: PersonId) -> Result<Vec<HeldCard>> {
    if !is_active(db, scope, who).await? {
        return Ok(Vec::new());
    }
    let homes = homes_of(db, scope, who, Expr::val(true)).await?;
    let of_home: BTreeSet<Place> = homes
        .iter()
        .filter(|home| home.owner)
        .flat_map(|home| home.members.iter().map(|member| (home.building, member.person)))
        .collect();
    let people: BTreeSet<_> = of_home.iter().map(|(_, person)| person.0).chain([who.0]).collect();
    let mut theirs = select(scope);
    theirs.and_where(Expr::col((card::Entity, card::Column::Person)).is_in(people));
    let mut cards = held(db, scope, theirs).await?;
    cards.retain(|held| held.card.person == who || of_home.contains(&(held.card.building, held.card.person)));
    // one's own first
    cards.sort_by_key(|held| held.card.person != who);
    Ok(cards)
}

async fn one(
    db: &impl ConnectionTrait,
    scope: &Scope,
    who: PersonId,
    id: CardId,
) -> Result<Option<HeldCard>> {
    Ok(all(db, scope, who).await?.into_iter().find(|held| held.card.id == id))
}
