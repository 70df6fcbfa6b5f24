//! Cards of a building: read with whose they are, given, changed and taken back by administrators.
//!
//! A card belongs to somebody who has to do with the building: they live there, a rule of it names them, or they have a role
//! over it. When the last of these ends because they leave, their cards there end in the same transaction. No number of a
//! card is in the audit.

use crate::entity::{
    access_rule, access_rule_person, building, card, membership, people_group, people_group_member, person,
    role_grant, unit,
};
use crate::record::cards::Place;
use crate::record::{
    CardAfter, CardChange, CardMade, CardRow, CardsPage, CardsQuery, Edited, NewCard, Part, Stamp, Uses,
};
use crate::repo::audit::{self, Change};
use crate::repo::convert::{self, At, Word};
use crate::repo::doors::touch_all_of;
use crate::repo::parts::{has_all, part};
use crate::repo::people_page::{SEARCH_WORDS, begins, by_word, unit_begins};
use crate::repo::reach;
use crate::repo::rules::is_seen;
use crate::tx::{self, Isolation};
use crate::{Result, Store};
use klinke_model::card::{BlockedBy, Card};
use klinke_model::credential::CredentialKey;
use klinke_model::fold::{fold, words};
use klinke_model::ids::{BuildingId, CardId, PersonId, UnitId};
use klinke_model::people::Role;
use klinke_model::privacy::Pii;
use klinke_model::rights::Right;
use klinke_model::scope::Scope;
use klinke_model::text::Label;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, ExprTrait, JoinType, Order, Query, SelectStatement};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, FromQueryResult, PaginatorTrait, QueryFilter,
};
use serde_json::{Value, json};
use std::collections::HashMap;
use uuid::Uuid;

/// Cards and key rings.
///
/// Every function fails only when the database can not do its work; what is not there, or not the principal's, is
/// `None`, `false` or empty. An id that is taken is [`crate::StorageError::Conflict`].
#[derive(Debug)]
pub struct Cards<'a>(pub(crate) &'a Store);

/// What changing a card takes.
pub(super) const CHANGES: [Right; 2] = [Right::ChangePeople, Right::SeePeople];

impl Cards<'_> {
    /// A page of the cards of a building.
    pub async fn cards(&self, scope: &Scope, building: BuildingId, query: &CardsQuery) -> Result<CardsPage> {
        tx::read(self.0, |tx| async move {
            let mut rows = read(&*tx, scope, page(scope, building, query)).await?;
            let limit = usize::from(query.limit);
            let more = rows.len() > limit;
            rows.truncate(limit);
            let next = rows
                .last()
                .filter(|_| more)
                .map(|(row, name)| CardAfter { name: Pii::new(name.clone()), card: row.value.card.id });
            Ok(CardsPage { cards: rows.into_iter().map(|(row, _)| row).collect(), next })
        })
        .await
    }

    /// The cards of a person, in the buildings where the principal sees people.
    pub async fn cards_of(&self, scope: &Scope, person: PersonId) -> Result<Vec<Part<CardRow>>> {
        tx::read(self.0, |tx| async move {
            let mut select = select(scope);
            select.and_where(card::Column::Person.eq(person.0)).and_where(seen(scope));
            let rows = read(&*tx, scope, select).await?;
            Ok(rows.into_iter().map(|(row, _)| row).collect())
        })
        .await
    }

    /// One card.
    pub async fn card(&self, scope: &Scope, id: CardId) -> Result<Option<Part<CardRow>>> {
        tx::read(self.0, |tx| async move { one(&*tx, scope, id).await }).await
    }

    /// The card of a building that has these bits.
    pub async fn card_by_key(
        &self,
        scope: &Scope,
        building: BuildingId,
        key: &CredentialKey,
    ) -> Result<Option<Part<CardRow>>> {
        tx::read(self.0, |tx| async move {
            match with_key(&*tx, scope, building, key).await? {
                Some(card) => one(&*tx, scope, card).await,
                None => Ok(None),
            }
        })
        .await
    }

    /// Gives a card to somebody who has to do with a building.
    pub async fn insert_card(
        &self,
        scope: &Scope,
        stamp: &Stamp,
        building: BuildingId,
        new: NewCard,
    ) -> Result<CardMade> {
        let new = &new;
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            if !has_all(&*tx, scope, &CHANGES, building).await? {
                return Ok(CardMade::NotThere);
            }
            if !may_be_given(&*tx, scope, (building, new.person)).await? {
                return Ok(CardMade::Stranger);
            }
            if let Some(taken) = taken(&*tx, scope, building, new).await? {
                return Ok(one(&*tx, scope, taken).await?.map_or(CardMade::NotThere, CardMade::Taken));
            }
            insert(&*tx, scope, building, new).await?;
            touch_all_of(&*tx, scope, building).await?;
            let Some(made) = one(&*tx, scope, new.id).await? else { return Ok(CardMade::NotThere) };
            let change = Change {
                building: Some(building),
                action: "card.added",
                persons: vec![new.person],
                before: None,
                after: Some(told(&made.value.card)),
            };
            audit::append(&tx, scope, stamp, change).await?;
            Ok(CardMade::Done(made))
        })
        .await
    }

    /// Changes a card, when it still has the version that the asker saw.
    ///
    /// # Errors
    /// [`crate::StorageError::MissingReference`] when whom it is to go to has nothing to do with the building.
    pub async fn change_card(
        &self,
        scope: &Scope,
        stamp: &Stamp,
        id: CardId,
        version: u64,
        change: CardChange,
    ) -> Result<Edited<CardRow>> {
        let change = &change;
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            let Some(before) = one(&*tx, scope, id).await? else { return Ok(Edited::NotThere) };
            let was = &before.value.card;
            if !has_all(&*tx, scope, &CHANGES, was.building).await? {
                return Ok(Edited::NotThere);
            }
            if before.version != version {
                return Ok(Edited::Conflict(before));
            }
            let person = change.person.unwrap_or(was.person);
            if person != was.person && !may_be_given(&*tx, scope, (was.building, person)).await? {
                return Err(crate::StorageError::MissingReference);
            }
            let wanted = Card {
                name: change.name.clone().unwrap_or_else(|| was.name.clone()),
                person,
                tier: change.tier.unwrap_or(was.tier),
                blocked: match change.blocked {
                    Some(blocked) => blocked.then_some(BlockedBy::Administrator),
                    None => was.blocked,
                },
                ..was.clone()
            };
            if *was == wanted {
                return Ok(Edited::Done(before));
            }
            update(&*tx, scope, &wanted).await?;
            let entry = Change {
                building: Some(was.building),
                action: "card.changed",
                persons: vec![was.person, wanted.person],
                before: Some(told(was)),
                after: Some(told(&wanted)),
            };
            audit::append(&tx, scope, stamp, entry).await?;
            Ok(one(&*tx, scope, id).await?.map_or(Edited::NotThere, Edited::Done))
        })
        .await
    }

    /// Takes a card back: it opens nothing any more, and can be given to somebody else.
    pub async fn remove_card(&self, scope: &Scope, stamp: &Stamp, id: CardId) -> Result<bool> {
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            let Some(before) = one(&*tx, scope, id).await? else { return Ok(false) };
            let was = &before.value.card;
            if !has_all(&*tx, scope, &CHANGES, was.building).await? {
                return Ok(false);
            }
            card::Entity::delete_by_id((scope.tenant.0, id.0)).exec(&*tx).await?;
            touch_all_of(&*tx, scope, was.building).await?;
            let change = Change {
                building: Some(was.building),
                action: "card.removed",
                persons: vec![was.person],
                before: Some(told(was)),
                after: None,
            };
            audit::append(&tx, scope, stamp, change).await?;
            Ok(true)
        })
        .await
    }
}

/// Ends the cards of somebody who has left a unit, unless they have to do with its building still.
pub(super) async fn leave(
    db: &impl ConnectionTrait,
    scope: &Scope,
    person: PersonId,
    unit: UnitId,
) -> Result<()> {
    let of_unit = unit::Entity::find_by_id((scope.tenant.0, unit.0)).one(db).await?;
    let Some(building) = of_unit.map(|unit| unit.building.into()) else { return Ok(()) };
    if reach::holds(db, belongs(scope, (building, person))).await? {
        return Ok(());
    }
    let gone = card::Entity::delete_many()
        .filter(card::Column::Tenant.eq(scope.tenant.0))
        .filter(card::Column::Person.eq(person.0))
        .filter(card::Column::Building.eq(building.0))
        .exec(db)
        .await?;
    if gone.rows_affected > 0 {
        touch_all_of(db, scope, building).await?;
    }
    Ok(())
}

/// Ends every card of somebody.
pub(super) async fn end_all(db: &impl ConnectionTrait, scope: &Scope, person: PersonId) -> Result<()> {
    let of_person = || {
        Condition::all().add(card::Column::Tenant.eq(scope.tenant.0)).add(card::Column::Person.eq(person.0))
    };
    let theirs = card::Entity::find().filter(of_person()).all(db).await?;
    card::Entity::delete_many().filter(of_person()).exec(db).await?;
    let buildings: std::collections::BTreeSet<_> = theirs.into_iter().map(|row| row.building).collect();
    for building in buildings {
        touch_all_of(db, scope, building.into()).await?;
    }
    Ok(())
}

/// Whether somebody lives in a building, a rule of it names them, they are in a group of it, or they have a role over it.
pub(super) fn belongs(scope: &Scope, (building, person): Place) -> Expr {
    let there = Query::select()
        .column(unit::Column::Id)
        .from(unit::Entity)
        .and_where(unit::Column::Tenant.eq(scope.tenant.0))
        .and_where(unit::Column::Building.eq(building.0))
        .take();
    let lives = Condition::all()
        .add(membership::Column::Tenant.eq(scope.tenant.0))
        .add(membership::Column::Person.eq(person.0))
        .add(membership::Column::Unit.in_subquery(there));
    let its_rules = Query::select()
        .column(access_rule::Column::Id)
        .from(access_rule::Entity)
        .and_where(access_rule::Column::Tenant.eq(scope.tenant.0))
        .and_where(access_rule::Column::Building.eq(building.0))
        .take();
    let named = Condition::all()
        .add(access_rule_person::Column::Tenant.eq(scope.tenant.0))
        .add(access_rule_person::Column::Person.eq(person.0))
        .add(access_rule_person::Column::Rule.in_subquery(its_rules));
    let its_groups = Query::select()
        .column(people_group::Column::Id)
        .from(people_group::Entity)
        .and_where(people_group::Column::Tenant.eq(scope.tenant.0))
        .and_where(people_group::Column::Building.eq(building.0))
        .take();
    let in_group = Condition::all()
        .add(people_group_member::Column::Tenant.eq(scope.tenant.0))
        .add(people_group_member::Column::Person.eq(person.0))
        .add(people_group_member::Column::PeopleGroup.in_subquery(its_groups));
    reach::exists(membership::Entity, lives)
        .or(reach::exists(access_rule_person::Entity, named))
        .or(reach::exists(people_group_member::Entity, in_group))
        .or(has_role_over(scope, (building, person)))
}

fn has_role_over(scope: &Scope, (building, person): Place) -> Expr {
    let of_building = role_grant::Column::Building.is_null().or(role_grant::Column::Building.eq(building.0));
    let held = Condition::all()
        .add(role_grant::Column::Tenant.eq(scope.tenant.0))
        .add(role_grant::Column::Person.eq(person.0))
        .add(role_grant::Column::Role.ne(Role::Operator.word()))
        .add(reach::in_force(scope))
        .add(of_building);
    reach::exists(role_grant::Entity, held)
}

/// Whether the principal may give this person a card: they see them, as a resident or by their role over the building, and
/// the person has to do with it.
async fn may_be_given(db: &impl ConnectionTrait, scope: &Scope, place: Place) -> Result<bool> {
    let found = person::Entity::find_by_id((scope.tenant.0, place.1.0))
        .filter(is_seen(scope).or(has_role_over(scope, place)))
        .filter(belongs(scope, place))
        .count(db)
        .await?;
    Ok(found > 0)
}

/// The card of a building that has the same bits.
pub(super) async fn taken(
    db: &impl ConnectionTrait,
    scope: &Scope,
    building: BuildingId,
    new: &NewCard,
) -> Result<Option<CardId>> {
    with_key(db, scope, building, &new.key).await
}

async fn with_key(
    db: &impl ConnectionTrait,
    scope: &Scope,
    building: BuildingId,
    key: &CredentialKey,
) -> Result<Option<CardId>> {
    let found = card::Entity::find()
        .filter(card::Column::Tenant.eq(scope.tenant.0))
        .filter(card::Column::Building.eq(building.0))
        .filter(card::Column::Format.eq(key.format().word()))
        .filter(card::Column::Bits.eq(i64::from(key.bits())))
        .filter(card::Column::Raw.eq(key.bytes()))
        .one(db)
        .await?;
    Ok(found.map(|row| row.id.into()))
}

/// A new card as a row.
pub(super) fn row(scope: &Scope, building: BuildingId, new: &NewCard) -> card::ActiveModel {
    card::ActiveModel {
        tenant: Set(scope.tenant.0),
        id: Set(new.id.0),
        building: Set(building.0),
        person: Set(new.person.0),
        name: Set(new.name.as_str().to_owned()),
        folded: Set(folded(&new.name)),
        format: Set(new.key.format().word().to_owned()),
        bits: Set(new.key.bits().into()),
        raw: Set(new.key.bytes().to_vec()),
        written_as: Set(new.view.word().to_owned()),
        tier: Set(new.tier.word().to_owned()),
        blocked_by: Set(None),
        version: Set(1),
    }
}

pub(super) async fn insert(
    db: &impl ConnectionTrait,
    scope: &Scope,
    building: BuildingId,
    new: &NewCard,
) -> Result<()> {
    card::Entity::insert(row(scope, building, new)).exec_without_returning(db).await?;
    Ok(())
}

/// Writes what can change of a card, and lets the doors of its building know.
pub(super) async fn update(db: &impl ConnectionTrait, scope: &Scope, wanted: &Card) -> Result<()> {
    card::Entity::update_many()
        .col_expr(card::Column::Name, Expr::val(wanted.name.as_str()))
        .col_expr(card::Column::Folded, Expr::val(folded(&wanted.name)))
        .col_expr(card::Column::Person, Expr::val(wanted.person.0))
        .col_expr(card::Column::Tier, Expr::val(wanted.tier.word()))
        .col_expr(card::Column::BlockedBy, Expr::val(wanted.blocked.map(Word::word)))
        .col_expr(card::Column::Version, Expr::col(card::Column::Version).add(1))
        .filter(card::Column::Tenant.eq(scope.tenant.0))
        .filter(card::Column::Id.eq(wanted.id.0))
        .exec(db)
        .await?;
    touch_all_of(db, scope, wanted.building).await
}

fn folded(name: &Label) -> Vec<u8> {
    fold(name.as_str()).into_bytes()
}

/// A card as the audit tells it: never its number.
fn told(card: &Card) -> Value {
    let Card { id, name, person, tier, blocked, .. } = card;
    json!({ "card": id, "name": name, "person": person, "tier": tier, "blocked": blocked.is_some() })
}

async fn one(db: &impl ConnectionTrait, scope: &Scope, id: CardId) -> Result<Option<Part<CardRow>>> {
    let mut select = select(scope);
    select.and_where(of_card(card::Column::Id).eq(id.0)).and_where(seen(scope));
    Ok(read(db, scope, select).await?.into_iter().next().map(|(row, _)| row))
}

fn of_card(column: card::Column) -> Expr {
    Expr::col((card::Entity, column))
}

fn seen(scope: &Scope) -> Expr {
    reach::may(scope, Right::SeePeople, card::Column::Building)
}

const HOLDER: &str = "holder_name";
const SORTED_BY: &str = "holder_sort";

/// Cards with their holders, by the holder's name.
pub(super) fn select(scope: &Scope) -> SelectStatement {
    let of_person = |column: person::Column| Expr::col((person::Entity, column));
    let holds = Condition::all()
        .add(of_person(person::Column::Tenant).eq(of_card(card::Column::Tenant)))
        .add(of_person(person::Column::Id).eq(of_card(card::Column::Person)));
    let columns = <card::Column as sea_orm::Iterable>::iter().map(|column| (card::Entity, column));
    Query::select()
        .columns(columns)
        .expr_as(of_person(person::Column::Name), HOLDER)
        .expr_as(of_person(person::Column::SortName), SORTED_BY)
        .from(card::Entity)
        .join(JoinType::InnerJoin, person::Entity, holds)
        .and_where(of_card(card::Column::Tenant).eq(scope.tenant.0))
        .order_by((person::Entity, person::Column::SortName), Order::Asc)
        .order_by((card::Entity, card::Column::Id), Order::Asc)
        .take()
}

/// The cards of a page and one more.
fn page(scope: &Scope, building: BuildingId, query: &CardsQuery) -> SelectStatement {
    let mut page = select(scope);
    page.and_where(of_card(card::Column::Building).eq(building.0)).and_where(seen(scope));
    if let Some(blocked) = query.blocked {
        let by = of_card(card::Column::BlockedBy);
        page.and_where(if blocked { by.is_not_null() } else { by.is_null() });
    }
    let words = words(&query.text);
    if !words.is_empty() {
        let mut by_holder = Condition::all();
        for word in words.iter().take(SEARCH_WORDS) {
            let of_unit = Query::select()
                .column(unit::Column::Id)
                .from(unit::Entity)
                .and_where(unit_begins(scope, word))
                .and_where(unit::Column::Building.eq(building.0))
                .take();
            let lives = Query::select()
                .column(membership::Column::Person)
                .from(membership::Entity)
                .and_where(membership::Column::Tenant.eq(scope.tenant.0))
                .and_where(membership::Column::Unit.in_subquery(of_unit))
                .take();
            let holder = of_card(card::Column::Person);
            by_holder =
                by_holder.add(holder.clone().in_subquery(by_word(scope, word)).or(holder.in_subquery(lives)));
        }
        let by_name = begins(card::Column::Folded, &fold(query.text.trim()));
        page.cond_where(Condition::any().add(by_holder).add(by_name));
    }
    if let Some(after) = &query.after {
        let here =
            Expr::tuple([Expr::col((person::Entity, person::Column::SortName)), of_card(card::Column::Id)]);
        let there = Expr::tuple([Expr::val(after.name.reveal().clone()), Expr::val(after.card.0)]);
        page.and_where(here.gt(there));
    }
    page.limit(u64::from(query.limit) + 1).take()
}

/// Cards with whose they are, and what each is sorted by.
async fn read(
    db: &impl ConnectionTrait,
    scope: &Scope,
    select: SelectStatement,
) -> Result<Vec<(Part<CardRow>, Vec<u8>)>> {
    let mut rows = Vec::new();
    for row in db.query_all(&select).await? {
        let model = card::Model::from_query_result(&row, "")?;
        let holder = At("person", "name").name(&row.try_get::<String>("", HOLDER)?)?;
        let card = convert::card(&model)?;
        let sorted_by: Vec<u8> = row.try_get("", SORTED_BY)?;
        rows.push((
            part("card", model.version, CardRow { card, holder, homes: Vec::new() }, Uses::default())?,
            sorted_by,
        ));
    }
    let people: Vec<Uuid> = rows.iter().map(|(row, _)| row.value.card.person.0).collect();
    let mut homes: HashMap<Place, Vec<Label>> = HashMap::new();
    let places = membership::Entity::find()
        .filter(membership::Column::Tenant.eq(scope.tenant.0))
        .filter(membership::Column::Person.is_in(people))
        .find_both_related(unit::Entity)
        .all(db)
        .await?;
    for (place, unit) in places {
        let number = At("unit", "number").label(&unit.number)?;
        homes.entry((unit.building.into(), place.person.into())).or_default().push(number);
    }
    for numbers in homes.values_mut() {
        numbers.sort();
    }
    for (row, _) in &mut rows {
        let Card { building, person, .. } = row.value.card;
        row.value.homes = homes.get(&(building, person)).cloned().unwrap_or_default();
    }
    Ok(rows)
}

/// Cards with what to call their holders and buildings, for those who live with them.
pub(super) async fn held(
    db: &impl ConnectionTrait,
    scope: &Scope,
    select: SelectStatement,
) -> Result<Vec<crate::record::HeldCard>> {
    let mut cards = Vec::new();
    for (row, _) in read(db, scope, select).await? {
        let CardRow { card, holder, .. } = row.value;
        // a foreign key sees to it that it is there
        let key = (scope.tenant.0, card.building.0);
        let Some(of) = building::Entity::find_by_id(key).one(db).await? else { continue };
        let building_name = At("building", "name").label(&of.name)?;
        cards.push(crate::record::HeldCard { card, version: row.version, building_name, holder });
    }
    Ok(cards)
}
