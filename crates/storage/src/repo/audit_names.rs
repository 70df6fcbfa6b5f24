//! What to call whom and what the entries of the audit name: looked up when they are read, so that nobody is named who was
//! erased since.

use crate::Result;
use crate::entity::{
    api_token, building, controller, door, door_group, entrance, membership, panel, people_group, person,
    unit,
};
use crate::record::{AuditEntry, AuditName, NamedKind};
use crate::repo::convert::At;
use crate::repo::reach;
use klinke_model::ids::BuildingId;
use klinke_model::privacy::Pii;
use klinke_model::rights::Right;
use klinke_model::scope::Scope;
use sea_orm::sea_query::{Expr, Query};
use sea_orm::{ColumnTrait, Condition, DatabaseTransaction, EntityTrait, QueryFilter};
use serde_json::Value;
use std::collections::{BTreeSet, HashMap};
use uuid::Uuid;

/// How many persons of an entry are named; a list of people may hold thousands.
const MOST_PERSONS: usize = 20;

/// The names that go with these entries, which the principal may read.
pub async fn of(tx: &DatabaseTransaction, scope: &Scope, entries: &[AuditEntry]) -> Result<Vec<AuditName>> {
    let (mut ids, mut actors, mut programs) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for entry in entries {
        ids.extend(entry.building.map(|building| building.0));
        ids.extend(entry.persons.iter().take(MOST_PERSONS).map(|person| person.0));
        let Some(content) = &entry.content else { continue };
        let content = content.reveal();
        actors.extend(content.actor.map(|actor| actor.0));
        programs.extend(content.token.map(|token| token.0));
        content.before.iter().chain(&content.after).for_each(|value| collect(value, &mut ids));
    }
    let mut names = people(tx, scope, &ids, &actors).await?;
    macro_rules! parts {
        ($($table:ident $kind:ident $name:ident;)+) => {$(
            let rows = $table::Entity::find()
                .filter($table::Column::Tenant.eq(scope.tenant.0))
                .filter($table::Column::Id.is_in(ids.iter().copied()))
                .filter(reach::may(scope, Right::SeeBuilding, $table::Column::Building))
                .all(tx)
                .await?;
            for row in rows {
                let name = At(stringify!($table), stringify!($name)).label(&row.$name)?;
                let building = Some(BuildingId::from(row.building));
                names.push(AuditName { id: row.id, kind: NamedKind::$kind, name: Pii::new(name), building });
            }
        )+};
    }
    parts! {
        unit Unit number;
        entrance Entrance name;
        door Door name;
        panel Panel name;
        controller Controller name;
        people_group Group name;
        door_group Group name;
    }
    let buildings = building::Entity::find()
        .filter(building::Column::Tenant.eq(scope.tenant.0))
        .filter(building::Column::Id.is_in(ids.iter().copied()))
        .filter(reach::may(scope, Right::SeeBuilding, building::Column::Id))
        .all(tx)
        .await?;
    for row in buildings {
        let name = Pii::new(At("building", "name").label(&row.name)?);
        names.push(AuditName { id: row.id, kind: NamedKind::Building, name, building: Some(row.id.into()) });
    }
    // as actors: whoever reads the entry is told which program it was
    let tokens = api_token::Entity::find()
        .filter(api_token::Column::Tenant.eq(scope.tenant.0))
        .filter(api_token::Column::Id.is_in(programs.iter().copied()))
        .all(tx)
        .await?;
    for row in tokens {
        let name = Pii::new(At("api_token", "name").label(&row.name)?);
        let building = row.building.map(Into::into);
        names.push(AuditName { id: row.id, kind: NamedKind::Token, name, building });
    }
    Ok(names)
}

/// Those whom the principal sees, and whoever made one of these changes: administrators know each other.
async fn people(
    tx: &DatabaseTransaction,
    scope: &Scope,
    ids: &BTreeSet<Uuid>,
    actors: &BTreeSet<Uuid>,
) -> Result<Vec<AuditName>> {
    let homes = || {
        Query::select()
            .column(unit::Column::Id)
            .from(unit::Entity)
            .and_where(unit::Column::Tenant.eq(scope.tenant.0))
            .and_where(reach::may(scope, Right::SeePeople, unit::Column::Building))
            .take()
    };
    let seen = Query::select()
        .column(membership::Column::Person)
        .from(membership::Entity)
        .and_where(membership::Column::Tenant.eq(scope.tenant.0))
        .and_where(membership::Column::Unit.in_subquery(homes()))
        .take();
    let mine = scope.person().map_or_else(|| Expr::val(false), |me| person::Column::Id.eq(me.0));
    let reached = Condition::any()
        .add(person::Column::Id.is_in(actors.iter().copied()))
        .add(mine)
        .add(reach::may_everywhere(scope, Right::SeePeople))
        .add(person::Column::Id.in_subquery(seen));
    let rows = person::Entity::find()
        .filter(person::Column::Tenant.eq(scope.tenant.0))
        .filter(person::Column::Id.is_in(ids.union(actors).copied()))
        .filter(reached)
        .all(tx)
        .await?;
    // where a link to each leads
    let places = membership::Entity::find()
        .filter(membership::Column::Tenant.eq(scope.tenant.0))
        .filter(membership::Column::Person.is_in(rows.iter().map(|row| row.id)))
        .filter(membership::Column::Unit.in_subquery(homes()))
        .find_both_related(unit::Entity)
        .all(tx)
        .await?;
    let mut lives: HashMap<Uuid, Uuid> = HashMap::new();
    for (place, unit) in places {
        let known = lives.entry(place.person).or_insert(unit.building);
        *known = unit.building.min(*known);
    }
    let mut names = Vec::with_capacity(rows.len());
    for row in rows {
        let Some(name) = At("person", "name").name(&row.name)? else { continue };
        let building = lives.get(&row.id).copied().map(BuildingId::from);
        names.push(AuditName { id: row.id, kind: NamedKind::Person, name, building });
    }
    Ok(names)
}

/// Every id in a value.
fn collect(value: &Value, ids: &mut BTreeSet<Uuid>) {
    match value {
        Value::String(text) if text.len() == 36 => ids.extend(text.parse::<Uuid>().ok()),
        Value::Array(values) => values.iter().for_each(|value| collect(value, ids)),
        Value::Object(fields) => fields.values().for_each(|value| collect(value, ids)),
        _ => {}
    }
}
