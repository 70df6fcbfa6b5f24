//! Persons, accounts, places in units, roles.

use crate::entity::{account, bell, bell_member, membership, person, person_word, unit};
use crate::record::{NewAccount, UnitMember};
use crate::repo::convert::{self, Word};
use crate::repo::{cards, guest_change, own_codes, phone_numbers, reach, rules};
use crate::{Result, Store};
use klinke_model::alphabet::Alphabet;
use klinke_model::fold::words;
use klinke_model::ids::{BuildingId, PersonId, TenantId, UnitId};
use klinke_model::intercom::BellKind;
use klinke_model::people::Person;
use klinke_model::rights::Right;
use klinke_model::scope::Scope;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, Select};
use std::collections::BTreeSet;

/// Persons, accounts, places in units, roles.
///
/// Every function fails only when the database can not do its work; what is not there, or not the principal's, is
/// `None`, `false` or empty. An id that is taken is [`crate::StorageError::Conflict`].
#[derive(Debug)]
pub struct People<'a>(pub(crate) &'a Store);

impl People<'_> {
    /// A person: oneself, or somebody in a unit of a building that the principal administers; managers and the
    /// service see everybody.
    pub async fn person(&self, scope: &Scope, person: PersonId) -> Result<Option<Person>> {
        seen(scope, person).one(&self.0.reader).await?.as_ref().map(convert::person).transpose()
    }

    /// Who lives in the units of a building, by unit, then name.
    pub async fn unit_members(&self, scope: &Scope, building: BuildingId) -> Result<Vec<UnitMember>> {
        let units = Query::select()
            .column(unit::Column::Id)
            .from(unit::Entity)
            .and_where(unit::Column::Tenant.eq(scope.tenant.0))
            .and_where(unit::Column::Building.eq(building.0))
            .and_where(reach::may(scope, Right::SeePeople, unit::Column::Building))
            .take();
        let rows = membership::Entity::find()
            .filter(membership::Column::Tenant.eq(scope.tenant.0))
            .filter(membership::Column::Unit.in_subquery(units))
            .find_both_related(person::Entity)
            .all(&self.0.reader)
            .await?;
        convert::sorted(
            &rows,
            |(place, person)| {
                Ok(UnitMember { membership: convert::membership(place), person: convert::person(person)? })
            },
            |member| (member.membership.unit, member.person.name.clone(), member.person.id),
        )
    }
}

/// A person whom the principal is or may see.
pub(super) fn seen(scope: &Scope, person: PersonId) -> Select<person::Entity> {
    let lives_with_me = reach::exists(
        unit::Entity,
        Condition::all()
            .add(unit::Column::Tenant.eq(scope.tenant.0))
            .add(unit::Column::Id.in_subquery(units_of(scope, person)))
            .add(reach::may(scope, Right::SeePeople, unit::Column::Building)),
    );
    let reached = Expr::val(reach::is(scope, person))
        .or(reach::may_everywhere(scope, Right::SeePeople))
        .or(lives_with_me);
    person::Entity::find_by_id((scope.tenant.0, person.0)).filter(reached)
}

/// Ends a person's place in a unit, with the individual buttons that name them, and when they live nowhere else in the
/// building, with what its rules give them by name.
pub(super) async fn end_place(
    db: &impl ConnectionTrait,
    scope: &Scope,
    person: PersonId,
    unit: UnitId,
) -> Result<bool> {
    let their_bells = Query::select()
        .column(bell_member::Column::Bell)
        .from(bell_member::Entity)
        .and_where(bell_member::Column::Tenant.eq(scope.tenant.0))
        .and_where(bell_member::Column::Unit.eq(unit.0))
        .and_where(bell_member::Column::Person.eq(person.0))
        .take();
    bell::Entity::delete_many()
        .filter(bell::Column::Tenant.eq(scope.tenant.0))
        .filter(bell::Column::Unit.eq(unit.0))
        .filter(bell::Column::Kind.eq(BellKind::Individual.word()))
        .filter(bell::Column::Id.in_subquery(their_bells))
        .exec(db)
        .await?;
    let gone = membership::Entity::delete_by_id((scope.tenant.0, unit.0, person.0)).exec(db).await?;
    if gone.rows_affected == 0 {
        return Ok(false);
    }
    rules::leave(db, scope, person, unit).await?;
    cards::leave(db, scope, person, unit).await?;
    own_codes::leave(db, scope, person, unit).await?;
    phone_numbers::leave(db, scope, person).await?;
    guest_change::leave(db, scope, person, unit).await?;
    Ok(true)
}

/// Whether a unit is there and the principal has a right in its building.
pub(super) async fn reaches_unit(
    db: &impl ConnectionTrait,
    scope: &Scope,
    right: Right,
    unit: UnitId,
) -> Result<bool> {
    let found = unit::Entity::find_by_id((scope.tenant.0, unit.0))
        .filter(reach::may(scope, right, unit::Column::Building))
        .one(db)
        .await?;
    Ok(found.is_some())
}

/// The units that a person lives in.
pub(super) fn units_of(scope: &Scope, person: PersonId) -> sea_orm::sea_query::SelectStatement {
    Query::select()
        .column(membership::Column::Unit)
        .from(membership::Entity)
        .and_where(membership::Column::Tenant.eq(scope.tenant.0))
        .and_where(membership::Column::Person.eq(person.0))
        .take()
}

/// Adds a person and the words they are found by.
pub(super) async fn insert(db: &impl ConnectionTrait, tenant: TenantId, person: &Person) -> Result<()> {
    person::Entity::insert(person_row(tenant, person)).exec_without_returning(db).await?;
    write_words(db, tenant, person).await
}

pub(super) fn person_row(tenant: TenantId, person: &Person) -> person::ActiveModel {
    let name = person.name.as_ref().map_or("", |name| name.reveal().as_str());
    person::ActiveModel {
        tenant: Set(tenant.0),
        id: Set(person.id.0),
        name: Set(name.to_owned()),
        active: Set(person.active),
        email: Set(person.email.as_ref().map(|email| email.reveal().as_str().to_owned())),
        phone: Set(person.phone.as_ref().map(|phone| phone.reveal().as_str().to_owned())),
        language: Set(person.language.word().to_owned()),
        version: Set(i64::try_from(person.version).unwrap_or(i64::MAX)),
        sort_name: Set(Alphabet::Norwegian.key(name).into_bytes()),
        needs_longer: Set(person.needs_longer),
    }
}

/// The words that a person is found by, of their name and addresses. To be written with every change of these.
pub(super) async fn write_words(db: &impl ConnectionTrait, tenant: TenantId, person: &Person) -> Result<()> {
    person_word::Entity::delete_many()
        .filter(person_word::Column::Tenant.eq(tenant.0))
        .filter(person_word::Column::Person.eq(person.id.0))
        .exec(db)
        .await?;
    person_word::Entity::insert_many(word_rows(tenant, person)).exec_without_returning(db).await?;
    Ok(())
}

/// The rows of these words.
pub(super) fn word_rows(
    tenant: TenantId,
    person: &Person,
) -> impl Iterator<Item = person_word::ActiveModel> + use<> {
    let id = person.id;
    words_of(person).into_iter().map(move |word| person_word::ActiveModel {
        tenant: Set(tenant.0),
        word: Set(word.into_bytes()),
        person: Set(id.0),
    })
}

fn words_of(person: &Person) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    if let Some(name) = &person.name {
        found.extend(words(name.reveal().as_str()));
    }
    if let Some(email) = &person.email {
        found.extend(words(email.reveal().as_str()));
    }
    if let Some(phone) = &person.phone {
        let number = phone.reveal().as_str();
        // as it is typed at home too: without the country, and with a 0 in its place (country codes here have two
        // digits)
        if let Some(home) = number.strip_prefix('+').and_then(|number| number.get(2..)) {
            found.extend([home.to_owned(), format!("0{home}")]);
        }
        found.extend(words(number));
    }
    found
}

pub(super) fn account_row(tenant: TenantId, account: &NewAccount) -> account::ActiveModel {
    account::ActiveModel {
        tenant: Set(tenant.0),
        person: Set(account.person.0),
        user_name: Set(account.user_name.reveal().clone()),
        password_hash: Set(account.password_hash.reveal().clone()),
    }
}
