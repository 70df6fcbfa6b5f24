//! Codes of residents' own (R45): asked for, made anew and ended by whoever lives in a building whose policy lets them; seen as
//! being there, and taken back, by administrators. They end when the cards do.
//!
//! Nothing here knows a code: only what it is derived with and its hash.

use crate::entity::{building, guest, panel, person_code, unit};
use crate::record::{
    CodeHolder, HeldCode, MyCode, MyCodeMade, OwnCodeChoices, RightsCode, RightsHolder, Stamp,
};
use crate::repo::audit::{self, Change};
use crate::repo::cards::{CHANGES, belongs};
use crate::repo::code_space::CodeSpace;
use crate::repo::convert::At;
use crate::repo::households::homes_of;
use crate::repo::parts::has_all;
use crate::repo::{policy, reach};
use crate::tx::{self, Isolation};
use crate::{Result, StorageError, Store};
use klinke_model::ids::{BuildingId, PersonId, UnitId};
use klinke_model::rights::Right;
use klinke_model::scope::{Principal, Scope};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
};
use serde_json::json;
use std::collections::HashMap;
use uuid::Uuid;

/// Codes of residents' own, and whose a code is.
///
/// Every function fails only when the database can not do its work; what is not there, or not the principal's, is
/// `None`, `false` or empty.
#[derive(Debug)]
pub struct OwnCodes<'a>(pub(crate) &'a Store);

impl OwnCodes<'_> {
    /// The buildings in which the person who asks may have a code, by name. None while they are suspended.
    pub async fn my_codes(&self, scope: &Scope) -> Result<Vec<MyCode>> {
        let Some(who) = scope.person() else { return Ok(Vec::new()) };
        tx::read(self.0, |tx| async move { mine(&*tx, scope, who).await }).await
    }

    /// Gives the person who asks a code, or another one: the one before opens nothing at once.
    ///
    /// # Errors
    /// [`StorageError::Conflict`] when all the codes are taken.
    pub async fn renew_my_code(
        &self,
        scope: &Scope,
        building: BuildingId,
        choices: OwnCodeChoices,
    ) -> Result<MyCodeMade> {
        let (choices, Some(who)) = (&choices, scope.person()) else { return Ok(MyCodeMade::NotThere) };
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            let homes = homes_of(&*tx, scope, who, unit::Column::Building.eq(building.0)).await?;
            let Some(home) = homes.first() else { return Ok(MyCodeMade::NotThere) };
            if !home.policy.own_codes {
                return Ok(MyCodeMade::Administrators);
            }
            // beside the one before, so that it does not come again
            let both = choices.short.iter().chain(&choices.long);
            let hashes = both.flat_map(|choice| [choice.hash, choice.duress]);
            let space = CodeSpace::read(&*tx, scope, building, hashes).await?;
            let long_enough = if space.long { &choices.long } else { &choices.short };
            let free = |hash| space.is_free(hash);
            let chosen = long_enough.iter().find(|choice| free(&choice.hash) && free(&choice.duress));
            let chosen = chosen.ok_or(StorageError::Conflict)?;
            end(&*tx, scope, building, who).await?;
            let row = person_code::ActiveModel {
                tenant: Set(scope.tenant.0),
                building: Set(building.0),
                person: Set(who.0),
                number: Set(i64::try_from(chosen.number).unwrap_or(i64::MAX)),
                hash: Set(chosen.hash.to_vec()),
                duress_hash: Set(chosen.duress.to_vec()),
            };
            person_code::Entity::insert(row).exec_without_returning(&*tx).await?;
            let made = mine(&*tx, scope, who).await?.into_iter().find(|code| code.building == building);
            Ok(made.map_or(MyCodeMade::NotThere, MyCodeMade::Done))
        })
        .await
    }

    /// Ends the code of the person who asks.
    pub async fn end_my_code(&self, scope: &Scope, building: BuildingId) -> Result<bool> {
        let Some(who) = scope.person() else { return Ok(false) };
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            Ok(end(&*tx, scope, building, who).await? > 0)
        })
        .await
    }

    /// Where a person has a code of their own, of the buildings where the principal sees people.
    pub async fn codes_of(&self, scope: &Scope, person: PersonId) -> Result<Vec<HeldCode>> {
        tx::read(self.0, |tx| async move {
            let rows = person_code::Entity::find()
                .filter(person_code::Column::Tenant.eq(scope.tenant.0))
                .filter(person_code::Column::Person.eq(person.0))
                .filter(reach::may(scope, Right::SeePeople, person_code::Column::Building))
                .all(&*tx)
                .await?;
            let mut held = Vec::with_capacity(rows.len());
            for row in rows {
                let of = building::Entity::find_by_id((scope.tenant.0, row.building)).one(&*tx).await?;
                let of = of.ok_or_else(|| At("person_code", "building").corrupt())?;
                let building_name = At("building", "name").label(&of.name)?;
                held.push(HeldCode { building: of.id.into(), building_name });
            }
            held.sort_by(|a, b| (&a.building_name, a.building).cmp(&(&b.building_name, b.building)));
            Ok(held)
        })
        .await
    }

    /// Takes somebody's code back: it opens nothing any more.
    pub async fn remove_code(
        &self,
        scope: &Scope,
        stamp: &Stamp,
        building: BuildingId,
        person: PersonId,
    ) -> Result<bool> {
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            if !has_all(&*tx, scope, &CHANGES, building).await?
                || end(&*tx, scope, building, person).await? == 0
            {
                return Ok(false);
            }
            let change = Change {
                building: Some(building),
                action: "code.removed",
                persons: vec![person],
                before: Some(json!({ "person": person })),
                after: None,
            };
            audit::append(&tx, scope, stamp, change).await?;
            Ok(true)
        })
        .await
    }

    /// Whose code this is in the building of the panel that asks. The same questions are asked whosever it is.
    pub async fn code_holder(&self, scope: &Scope, hash: [u8; 32]) -> Result<Option<CodeHolder>> {
        let Principal::Panel(panel) = scope.principal else { return Ok(None) };
        tx::read(self.0, |tx| async move {
            let found = panel::Entity::find_by_id((scope.tenant.0, panel.0)).one(&*tx).await?;
            let Some(panel) = found else { return Ok(None) };
            let guest = guest::Entity::find()
                .filter(guest::Column::Tenant.eq(scope.tenant.0))
                .filter(guest::Column::Building.eq(panel.building))
                .filter(guest::Column::CodeHash.eq(hash.to_vec()))
                .one(&*tx)
                .await?;
            let either = Condition::any()
                .add(person_code::Column::Hash.eq(hash.to_vec()))
                .add(person_code::Column::DuressHash.eq(hash.to_vec()));
            let own = person_code::Entity::find()
                .filter(person_code::Column::Tenant.eq(scope.tenant.0))
                .filter(person_code::Column::Building.eq(panel.building))
                .filter(either)
                .one(&*tx)
                .await?;
            let (_, policy) = policy::current(&*tx, scope, panel.building.into()).await?;
            let guest = guest.map(|row| CodeHolder::Guest(row.id.into()));
            let own =
                own.map(|row| CodeHolder::Person { person: row.person.into(), duress: row.hash != hash });
            let counts = |own: &CodeHolder| match own {
                CodeHolder::Person { duress, .. } => policy.own_codes && (policy.duress_codes || !duress),
                CodeHolder::Guest(_) => true,
            };
            Ok(guest.or(own.filter(counts)))
        })
        .await
    }
}

/// The buildings in which somebody may have a code.
async fn mine(db: &impl ConnectionTrait, scope: &Scope, who: PersonId) -> Result<Vec<MyCode>> {
    let mut homes = homes_of(db, scope, who, Expr::val(true)).await?;
    homes.retain(|home| home.policy.own_codes);
    let rows = person_code::Entity::find()
        .filter(person_code::Column::Tenant.eq(scope.tenant.0))
        .filter(person_code::Column::Person.eq(who.0))
        .all(db)
        .await?;
    let mut codes: Vec<MyCode> = Vec::with_capacity(homes.len());
    for home in homes {
        // homes are in the order of their buildings' names, and two buildings may have the same
        if codes.iter().any(|code| code.building == home.building) {
            continue;
        }
        let own = rows.iter().find(|row| row.building == home.building.0);
        codes.push(MyCode {
            building: home.building,
            building_name: home.building_name,
            number: own.map(|row| At("person_code", "number").number(row.number)).transpose()?,
            duress: home.policy.duress_codes,
        });
    }
    Ok(codes)
}

async fn end(
    db: &impl ConnectionTrait,
    scope: &Scope,
    building: BuildingId,
    person: PersonId,
) -> Result<u64> {
    let key = (scope.tenant.0, building.0, person.0);
    Ok(person_code::Entity::delete_by_id(key).exec(db).await?.rows_affected)
}

/// Ends the code of somebody who has left a unit, unless they have to do with its building still.
pub(super) async fn leave(
    db: &impl ConnectionTrait,
    scope: &Scope,
    person: PersonId,
    unit: UnitId,
) -> Result<()> {
    let of_unit = unit::Entity::find_by_id((scope.tenant.0, unit.0)).one(db).await?;
    let Some(building) = of_unit.map(|unit| unit.building.into()) else { return Ok(()) };
    if !reach::holds(db, belongs(scope, (building, person))).await? {
        end(db, scope, building, person).await?;
    }
    Ok(())
}

/// Ends every code of a building: its policy lets nobody have one any more.
pub(super) async fn end_all(db: &impl ConnectionTrait, scope: &Scope, building: BuildingId) -> Result<()> {
    person_code::Entity::delete_many()
        .filter(person_code::Column::Tenant.eq(scope.tenant.0))
        .filter(person_code::Column::Building.eq(building.0))
        .exec(db)
        .await?;
    Ok(())
}

/// How many codes somebody has, for the proof of what a move ended.
pub(super) async fn count(db: &impl ConnectionTrait, scope: &Scope, person: PersonId) -> Result<u32> {
    let codes = person_code::Entity::find()
        .filter(person_code::Column::Tenant.eq(scope.tenant.0))
        .filter(person_code::Column::Person.eq(person.0))
        .count(db)
        .await?;
    Ok(u32::try_from(codes).unwrap_or(u32::MAX))
}

/// The codes in a building of those who hold rights, by their ids.
pub(super) async fn of_holders(
    db: &impl ConnectionTrait,
    scope: &Scope,
    building: Uuid,
    holders: &[RightsHolder],
) -> Result<Vec<RightsCode>> {
    let rows = person_code::Entity::find()
        .filter(person_code::Column::Tenant.eq(scope.tenant.0))
        .filter(person_code::Column::Building.eq(building))
        .order_by_asc(person_code::Column::Person)
        .all(db)
        .await?;
    let places: HashMap<PersonId, usize> = holders.iter().map(|holder| holder.person).zip(0..).collect();
    let mut codes = Vec::with_capacity(rows.len());
    for row in rows {
        if let Some(holder) = places.get(&row.person.into()) {
            let number = At("person_code", "number").number(row.number)?;
            codes.push(RightsCode { person: row.person.into(), number, holder: *holder });
        }
    }
    Ok(codes)
}
