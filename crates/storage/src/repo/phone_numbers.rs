//! The number at which somebody is rung: one each, and only when it is known to be theirs.
//!
//! Invariants: a number gets here when an administrator who may change the person vouches for it, or when its call proved
//! it; nobody vouches for their own. It ends with the person's last home. The audit says that somebody vouched, never for
//! which number.

use crate::entity::{building, membership, person, phone_number, phone_number_by, trunk, unit};
use crate::record::{NumberOf, PhonesOfBuilding, RingNumber, RingPhones, Stamp};
use crate::repo::audit::{self, Change};
use crate::repo::convert::{At, Word};
use crate::repo::households::is_active;
use crate::repo::people_change::{changeable, home_building};
use crate::repo::{people, phone_limits, policy, reach};
use crate::tx::{self, Isolation};
use crate::{Result, Store};
use klinke_model::contact::Language;
use klinke_model::ids::{BuildingId, PersonId};
use klinke_model::phone::{E164, Phones, Verified};
use klinke_model::privacy::Pii;
use klinke_model::rights::Right;
use klinke_model::scope::{Principal, Scope};
use klinke_model::text::Label;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, ExprTrait, Func, JoinType, OnConflict, Query};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect,
};
use serde_json::json;
use std::collections::{BTreeSet, HashMap};
use uuid::Uuid;

/// Numbers at which people are rung.
///
/// Every function fails only when the database can not do its work; what is not there, or not the principal's, is
/// `None` or `false`.
#[derive(Debug)]
pub struct PhoneNumbers<'a>(pub(crate) &'a Store);

impl PhoneNumbers<'_> {
    /// Somebody's number: for themselves, and who may see them.
    pub async fn number(&self, scope: &Scope, person: PersonId) -> Result<Option<NumberOf>> {
        tx::read(self.0, |tx| async move {
            let seen = people::seen(scope, person).one(&*tx).await?;
            if seen.is_none() { Ok(None) } else { number_of(&*tx, scope, person).await }
        })
        .await
    }

    /// Vouches for a number of somebody whom the principal may change, in the place of the one before. `false` for oneself.
    pub async fn vouch_number(
        &self,
        scope: &Scope,
        stamp: &Stamp,
        person: PersonId,
        number: Pii<E164>,
    ) -> Result<bool> {
        if scope.person() == Some(person) {
            return Ok(false);
        }
        let number = number.reveal();
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            if changeable(&*tx, scope, person).await?.is_none() {
                return Ok(false);
            }
            keep(&*tx, scope, person, number, Verified::Vouched).await?;
            if let Some(by) = scope.person() {
                let row = phone_number_by::ActiveModel {
                    tenant: Set(scope.tenant.0),
                    person: Set(person.0),
                    by_person: Set(by.0),
                };
                phone_number_by::Entity::insert(row).exec_without_returning(&*tx).await?;
            }
            let change = Change {
                building: home_building(&*tx, scope, person).await?,
                action: "number.vouched",
                persons: vec![person],
                before: None,
                after: Some(json!({ "person": person })),
            };
            audit::append(&tx, scope, stamp, change).await?;
            Ok(true)
        })
        .await
    }

    /// Takes somebody's number away: they are not rung by phone any more. `false` when there is none that the principal may
    /// take.
    pub async fn remove_number(&self, scope: &Scope, stamp: &Stamp, person: PersonId) -> Result<bool> {
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            if changeable(&*tx, scope, person).await?.is_none() || end(&*tx, scope, person).await? == 0 {
                return Ok(false);
            }
            let change = Change {
                building: home_building(&*tx, scope, person).await?,
                action: "number.removed",
                persons: vec![person],
                before: Some(json!({ "person": person })),
                after: None,
            };
            audit::append(&tx, scope, stamp, change).await?;
            Ok(true)
        })
        .await
    }

    /// Keeps the number of the person who asks, which its call proved to be theirs, in the place of the one before. `false`
    /// while they are suspended, or live nowhere.
    pub async fn keep_my_number(&self, scope: &Scope, number: Pii<E164>) -> Result<bool> {
        let (Some(who), number) = (scope.person(), number.reveal()) else { return Ok(false) };
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            if !is_active(&*tx, scope, who).await? || !lives_here(&*tx, scope, who).await? {
                return Ok(false);
            }
            keep(&*tx, scope, who, number, Verified::Called).await?;
            Ok(true)
        })
        .await
    }

    /// The names of the buildings whose people are rung by phone, each with the languages that these are spoken to in, each
    /// pair once. For the service only: it says of nobody that they have a number.
    pub async fn places(&self, scope: &Scope) -> Result<Vec<(Label, Language)>> {
        tx::read(self.0, |tx| async move {
            if scope.principal != Principal::System {
                return Ok(Vec::new());
            }
            places(&*tx, scope).await
        })
        .await
    }

    /// The buildings whose people the principal may see, those behind `after` in the order of their ids: when phones are rung
    /// there, and for how many. It says of nobody that they have a number.
    pub async fn phones_of_buildings(
        &self,
        scope: &Scope,
        after: Option<BuildingId>,
        limit: u64,
    ) -> Result<Vec<PhonesOfBuilding>> {
        tx::read(self.0, |tx| async move {
            let mut wanted = building::Entity::find()
                .filter(building::Column::Tenant.eq(scope.tenant.0))
                .filter(reach::may(scope, Right::SeePeople, building::Column::Id));
            if let Some(after) = after {
                wanted = wanted.filter(building::Column::Id.gt(after.0));
            }
            let houses = wanted.order_by_asc(building::Column::Id).limit(limit).all(&*tx).await?;
            let ids: Vec<Uuid> = houses.iter().map(|house| house.id).collect();
            let (policies, counts) =
                (policy::of(&*tx, scope, &ids).await?, count_in(&*tx, scope, &ids).await?);
            let told = houses.into_iter().map(|house| {
                Ok(PhonesOfBuilding {
                    building: house.id.into(),
                    name: At("building", "name").label(&house.name)?,
                    when: policies.get(&house.id).map_or_else(Phones::default, |policy| policy.phones),
                    numbers: counts.get(&house.id).copied().unwrap_or_default(),
                })
            });
            told.collect()
        })
        .await
    }

    /// Takes the number of the person who asks away.
    pub async fn remove_my_number(&self, scope: &Scope) -> Result<bool> {
        let Some(who) = scope.person() else { return Ok(false) };
        tx::write(
            self.0,
            scope,
            Isolation::Serializable,
            |tx| async move { Ok(end(&*tx, scope, who).await? > 0) },
        )
        .await
    }
}

async fn places(db: &impl ConnectionTrait, scope: &Scope) -> Result<Vec<(Label, Language)>> {
    let who = phone_number::Entity::find()
        .filter(phone_number::Column::Tenant.eq(scope.tenant.0))
        .find_both_related(person::Entity)
        .all(db)
        .await?;
    let languages: HashMap<Uuid, String> =
        who.into_iter().map(|(number, person)| (number.person, person.language)).collect();
    let of_numbers = Query::select()
        .column(phone_number::Column::Person)
        .from(phone_number::Entity)
        .and_where(phone_number::Column::Tenant.eq(scope.tenant.0))
        .take();
    let homes = membership::Entity::find()
        .filter(membership::Column::Tenant.eq(scope.tenant.0))
        .filter(membership::Column::Person.in_subquery(of_numbers))
        .find_both_related(unit::Entity)
        .all(db)
        .await?;
    let houses = building::Entity::find().filter(building::Column::Tenant.eq(scope.tenant.0)).all(db).await?;
    let houses: HashMap<Uuid, String> = houses.into_iter().map(|house| (house.id, house.name)).collect();
    let mut spoken = BTreeSet::new();
    for (home, unit) in homes {
        if let (Some(name), Some(language)) = (houses.get(&unit.building), languages.get(&home.person)) {
            spoken.insert((name.as_str(), language.as_str()));
        }
    }
    let read = |(name, language)| {
        Ok((At("building", "name").label(name)?, At("person", "language").choice(language)?))
    };
    spoken.into_iter().map(read).collect()
}

/// For how many people of each of these buildings a phone can be rung.
async fn count_in(db: &impl ConnectionTrait, scope: &Scope, houses: &[Uuid]) -> Result<HashMap<Uuid, u64>> {
    let number = |column| Expr::col((phone_number::Entity, column));
    let home = |column| Expr::col((membership::Entity, column));
    let flat = |column| Expr::col((unit::Entity, column));
    let theirs = Condition::all()
        .add(home(membership::Column::Tenant).eq(number(phone_number::Column::Tenant)))
        .add(home(membership::Column::Person).eq(number(phone_number::Column::Person)));
    let where_they_live = Condition::all()
        .add(flat(unit::Column::Tenant).eq(home(membership::Column::Tenant)))
        .add(flat(unit::Column::Id).eq(home(membership::Column::Unit)));
    let counted = Query::select()
        .expr_as(flat(unit::Column::Building), "building")
        .expr_as(Func::count_distinct(number(phone_number::Column::Person)), "numbers")
        .from(phone_number::Entity)
        .join(JoinType::InnerJoin, membership::Entity, theirs)
        .join(JoinType::InnerJoin, unit::Entity, where_they_live)
        .and_where(number(phone_number::Column::Tenant).eq(scope.tenant.0))
        .and_where(flat(unit::Column::Building).is_in(houses.iter().copied()))
        .group_by_col((unit::Entity, unit::Column::Building))
        .take();
    let mut counts = HashMap::new();
    for row in db.query_all(&counted).await? {
        let numbers = At("phone_number", "person").number(row.try_get("", "numbers")?)?;
        counts.insert(row.try_get("", "building")?, numbers);
    }
    Ok(counts)
}

async fn number_of(db: &impl ConnectionTrait, scope: &Scope, person: PersonId) -> Result<Option<NumberOf>> {
    let key = (scope.tenant.0, person.0);
    let Some(row) = phone_number::Entity::find_by_id(key).one(db).await? else { return Ok(None) };
    let by = phone_number_by::Entity::find_by_id(key).one(db).await?;
    Ok(Some(NumberOf {
        number: read(&row)?,
        verified: At("phone_number", "verified").choice(&row.verified)?,
        by: by.map(|by| by.by_person.into()),
    }))
}

fn read(row: &phone_number::Model) -> Result<Pii<E164>> {
    E164::new(&row.number).map(Pii::new).map_err(|_| At("phone_number", "number").corrupt())
}

async fn keep(
    db: &impl ConnectionTrait,
    scope: &Scope,
    person: PersonId,
    number: &E164,
    verified: Verified,
) -> Result<()> {
    // nobody vouches any more for what was there
    phone_number_by::Entity::delete_by_id((scope.tenant.0, person.0)).exec(db).await?;
    let row = phone_number::ActiveModel {
        tenant: Set(scope.tenant.0),
        person: Set(person.0),
        number: Set(number.as_str().to_owned()),
        verified: Set(verified.word().to_owned()),
    };
    let key = [phone_number::Column::Tenant, phone_number::Column::Person];
    let rest = [phone_number::Column::Number, phone_number::Column::Verified];
    phone_number::Entity::insert(row)
        .on_conflict(OnConflict::columns(key).update_columns(rest).to_owned())
        .exec_without_returning(db)
        .await?;
    Ok(())
}

async fn end(db: &impl ConnectionTrait, scope: &Scope, person: PersonId) -> Result<u64> {
    Ok(phone_number::Entity::delete_by_id((scope.tenant.0, person.0)).exec(db).await?.rows_affected)
}

/// How many numbers somebody has: one or none.
pub(super) async fn count(db: &impl ConnectionTrait, scope: &Scope, person: PersonId) -> Result<u32> {
    let there = phone_number::Entity::find_by_id((scope.tenant.0, person.0)).count(db).await?;
    Ok(u32::try_from(there).unwrap_or(u32::MAX))
}

async fn lives_here(db: &impl ConnectionTrait, scope: &Scope, person: PersonId) -> Result<bool> {
    let homes = membership::Entity::find()
        .filter(membership::Column::Tenant.eq(scope.tenant.0))
        .filter(membership::Column::Person.eq(person.0))
        .count(db)
        .await?;
    Ok(homes > 0)
}

/// Ends the number of somebody who has left a home, unless they have another.
pub(super) async fn leave(db: &impl ConnectionTrait, scope: &Scope, person: PersonId) -> Result<()> {
    if !lives_here(db, scope, person).await? {
        end(db, scope, person).await?;
    }
    Ok(())
}

/// Which phones of these people, who are active, a button may ring in a building that decided so.
pub(super) async fn to_ring(
    db: &impl ConnectionTrait,
    scope: &Scope,
    when: Phones,
    people: impl IntoIterator<Item = Uuid>,
) -> Result<Option<RingPhones>> {
    if when == Phones::Off {
        return Ok(None);
    }
    let on =
        Condition::all().add(trunk::Column::Tenant.eq(scope.tenant.0)).add(trunk::Column::Enabled.eq(true));
    let rows = phone_number::Entity::find()
        .filter(phone_number::Column::Tenant.eq(scope.tenant.0))
        .filter(phone_number::Column::Person.is_in(people))
        .filter(reach::exists(trunk::Entity, on))
        .find_both_related(person::Entity)
        .all(db)
        .await?;
    if rows.is_empty() {
        return Ok(None);
    }
    let mut numbers = Vec::with_capacity(rows.len());
    for (row, person) in rows {
        numbers.push(RingNumber {
            person: row.person.into(),
            number: read(&row)?,
            language: At("person", "language").choice(&person.language)?,
        });
    }
    numbers.sort_unstable_by_key(|number| number.person);
    let (_, limits) = phone_limits::current(db, scope).await?;
    Ok(Some(RingPhones { when, numbers, limits }))
}
