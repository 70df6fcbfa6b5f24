//! A button appears by itself, once somebody who lives in the unit can be rung (R14).

use crate::Result;
use crate::entity::{bell, bell_member, building_policy, device, membership, panel, person, unit};
use crate::record::{Stamp, Unlisted};
use crate::repo::audit::{self, Change};
use crate::repo::convert::{At, Word};
use crate::repo::households::policy_of;
use crate::repo::intercom::Intercom;
use crate::tx::{self, Isolation};
use klinke_model::alphabet::Alphabet;
use klinke_model::ids::{BellId, PersonId};
use klinke_model::intercom::BellKind;
use klinke_model::scope::{Principal, Scope};
use klinke_model::text::{LABEL_MAX, Label};
use sea_orm::sea_query::ExprTrait;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
};
use serde_json::json;
use uuid::Uuid;

impl Intercom<'_> {
    /// On which panels the homes of this person have no button though the building's policy wants one there. For the
    /// service, when the person has signed a device in: nobody else's home is looked at.
    pub async fn unlisted(&self, scope: &Scope, person: PersonId) -> Result<Vec<Unlisted>> {
        if scope.principal != Principal::System {
            return Ok(Vec::new());
        }
        tx::read(self.0, |tx| async move { missing(&*tx, scope, person).await }).await
    }

    /// Puts a button of the household on each panel that misses one; `ids` are new, as many as are put at most. Says which
    /// were.
    pub async fn list_by_itself(
        &self,
        scope: &Scope,
        stamp: &Stamp,
        person: PersonId,
        ids: &[BellId],
    ) -> Result<Vec<Unlisted>> {
        if scope.principal != Principal::System {
            return Ok(Vec::new());
        }
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            let mut put = Vec::new();
            for (place, id) in missing(&*tx, scope, person).await?.into_iter().zip(ids) {
                let household = household(&*tx, scope, place.unit.0).await?;
                let label = name_of(&*tx, scope, &place, &household).await?;
                let kind = if household.len() == 1 { BellKind::Individual } else { BellKind::Parallel };
                let last = bell::Entity::find()
                    .filter(bell::Column::Tenant.eq(scope.tenant.0))
                    .filter(bell::Column::Panel.eq(place.panel.0))
                    .order_by_desc(bell::Column::Position)
                    .one(&*tx)
                    .await?;
                let row = bell::ActiveModel {
                    tenant: Set(scope.tenant.0),
                    id: Set(id.0),
                    building: Set(place.building.0),
                    panel: Set(place.panel.0),
                    unit: Set(place.unit.0),
                    label: Set(label.as_str().to_owned()),
                    sort_label: Set(Alphabet::Norwegian.key(label.as_str()).into_bytes()),
                    kind: Set(kind.word().to_owned()),
                    position: Set(last.map_or(0, |last| last.position.saturating_add(1))),
                    ..Default::default()
                };
                bell::Entity::insert(row).exec_without_returning(&*tx).await?;
                let members =
                    (0..).zip(&household).map(|(position, (person, name))| bell_member::ActiveModel {
                        tenant: Set(scope.tenant.0),
                        bell: Set(id.0),
                        person: Set(*person),
                        unit: Set(place.unit.0),
                        label: Set(name.as_ref().unwrap_or(&label).as_str().to_owned()),
                        position: Set(position),
                    });
                bell_member::Entity::insert_many(members).exec_without_returning(&*tx).await?;
                let change = Change {
                    building: Some(place.building),
                    action: "bell.appeared",
                    persons: household.iter().map(|(person, _)| (*person).into()).collect(),
                    before: None,
                    after: Some(
                        json!({ "panel": place.panel, "unit": place.unit, "text": label, "kind": kind }),
                    ),
                };
                audit::append(&tx, scope, stamp, change).await?;
                put.push(place);
            }
            Ok(put)
        })
        .await
    }
}

/// The panels at the entrances of this person's homes, where the home has no button anywhere and somebody can be rung.
async fn missing(db: &impl ConnectionTrait, scope: &Scope, who: PersonId) -> Result<Vec<Unlisted>> {
    let reachable = device::Entity::find()
        .filter(device::Column::Tenant.eq(scope.tenant.0))
        .filter(device::Column::Person.eq(who.0))
        .count(db)
        .await?;
    let alive = person::Entity::find_by_id((scope.tenant.0, who.0)).one(db).await?;
    if reachable == 0 || !alive.is_some_and(|person| person.active) {
        return Ok(Vec::new());
    }
    let homes = membership::Entity::find()
        .filter(membership::Column::Tenant.eq(scope.tenant.0))
        .filter(membership::Column::Person.eq(who.0))
        .order_by_asc(membership::Column::Unit)
        .all(db)
        .await?;
    let mut missing = Vec::new();
    for home in homes {
        let has = bell::Entity::find()
            .filter(bell::Column::Tenant.eq(scope.tenant.0))
            .filter(bell::Column::Unit.eq(home.unit))
            .count(db)
            .await?;
        let unit = unit::Entity::find_by_id((scope.tenant.0, home.unit)).one(db).await?;
        let Some(unit) = unit.filter(|_| has == 0) else { continue };
        let policy = building_policy::Entity::find_by_id((scope.tenant.0, unit.building)).one(db).await?;
        if !policy_of(policy.as_ref())?.button_by_itself {
            continue;
        }
        let panels = panel::Entity::find()
            .filter(panel::Column::Tenant.eq(scope.tenant.0))
            .filter(panel::Column::Building.eq(unit.building))
            .filter(panel::Column::Entrance.eq(unit.entrance).or(panel::Column::Entrance.is_null()))
            .order_by_asc(panel::Column::Id)
            .all(db)
            .await?;
        missing.extend(panels.into_iter().map(|panel| Unlisted {
            panel: panel.id.into(),
            unit: unit.id.into(),
            building: unit.building.into(),
        }));
    }
    Ok(missing)
}

/// Who lives in a unit and is not suspended: owners first, then as they are called.
async fn household(
    db: &impl ConnectionTrait,
    scope: &Scope,
    unit: Uuid,
) -> Result<Vec<(Uuid, Option<Label>)>> {
    let rows = membership::Entity::find()
        .filter(membership::Column::Tenant.eq(scope.tenant.0))
        .filter(membership::Column::Unit.eq(unit))
        .find_both_related(person::Entity)
        .all(db)
        .await?;
    let mut people = Vec::with_capacity(rows.len());
    for (place, person) in rows.into_iter().filter(|(_, person)| person.active) {
        let name = At("person", "name").name(&person.name)?.map(klinke_model::privacy::Pii::into_inner);
        people.push((!place.owner, name, person.id));
    }
    people.sort();
    Ok(people.into_iter().map(|(_, name, person)| (person, name)).collect())
}

/// What the button says: the one name, or the surnames of all; the home's number where nobody has a name.
async fn name_of(
    db: &impl ConnectionTrait,
    scope: &Scope,
    place: &Unlisted,
    household: &[(Uuid, Option<Label>)],
) -> Result<Label> {
    let names: Vec<&Label> = household.iter().filter_map(|(_, name)| name.as_ref()).collect();
    if let [one] = names[..] {
        return Ok(one.clone());
    }
    let mut surnames: Vec<&str> = Vec::new();
    for surname in names.iter().filter_map(|name| name.as_str().split_whitespace().next_back()) {
        if !surnames.contains(&surname) {
            surnames.push(surname);
        }
    }
    let together: String = surnames.join(" / ").chars().take(LABEL_MAX).collect();
    if let Ok(label) = Label::new(&together) {
        return Ok(label);
    }
    let number = unit::Entity::find_by_id((scope.tenant.0, place.unit.0)).one(db).await?;
    At("unit", "number").label(number.as_ref().map_or("–", |unit| &unit.number))
}
