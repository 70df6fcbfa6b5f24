//! Keys out: who holds something that opens or rings in a building. Counts by kind, never which device, never a use.

use crate::Result;
use crate::entity::{device, membership, person, role_grant, unit};
use crate::record::{KeyHolder, KeysPage};
use crate::repo::convert::{At, Word};
use crate::repo::reach;
use crate::repo::who::{Who, has_device, invited_until};
use klinke_model::ids::{BuildingId, PersonId};
use klinke_model::people::DeviceKind;
use klinke_model::rights::Right;
use klinke_model::scope::Scope;
use klinke_model::text::Label;
use klinke_model::time::Timestamp;
use sea_orm::sea_query::{Expr, ExprTrait, JoinType, Order, Query, SelectStatement};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter};
use std::collections::HashMap;
use uuid::Uuid;

impl Who<'_> {
    /// Who lives in a building or has a role over it, and is signed in somewhere, was sent a link that is still good, or
    /// has a role that is not over.
    pub async fn keys(
        &self,
        scope: &Scope,
        building: BuildingId,
        after: Option<PersonId>,
        limit: u16,
    ) -> Result<KeysPage> {
        crate::tx::read(self.0, |tx| async move {
            if !reach::building(&*tx, scope, Right::SeePeople, building).await? {
                return Ok(KeysPage { holders: Vec::new(), more: false });
            }
            let mut holders: Vec<KeyHolder> = Vec::new();
            for row in tx.query_all(&page(scope, building, after, limit)).await? {
                let kind = |name: &str| -> Result<u32> {
                    At("device", "kind").number(row.try_get::<i64>("", name)?)
                };
                holders.push(KeyHolder {
                    person: row.try_get::<Uuid>("", "person_id")?.into(),
                    name: At("person", "name").name(&row.try_get::<String>("", "person_name")?)?,
                    homes: Vec::new(),
                    apps: kind("apps")?,
                    stations: kind("stations")?,
                    invited_until: row
                        .try_get::<Option<i64>>("", "invited_until")?
                        .map(Timestamp::from_millis)
                        .filter(|until| *until > scope.at),
                    roles: Vec::new(),
                });
            }
            let more = holders.len() > usize::from(limit);
            holders.truncate(usize::from(limit));
            let ids: Vec<Uuid> = holders.iter().map(|holder| holder.person.0).collect();
            let mut homes: HashMap<Uuid, Vec<Label>> = HashMap::new();
            let places = membership::Entity::find()
                .filter(membership::Column::Tenant.eq(scope.tenant.0))
                .filter(membership::Column::Person.is_in(ids.clone()))
                .find_both_related(unit::Entity)
                .filter(unit::Column::Building.eq(building.0))
                .all(&*tx)
                .await?;
            for (place, unit) in places {
                homes.entry(place.person).or_default().push(At("unit", "number").label(&unit.number)?);
            }
            let mut roles: HashMap<Uuid, Vec<_>> = HashMap::new();
            let grants = role_grant::Entity::find()
                .filter(over(scope, building))
                .filter(role_grant::Column::Person.is_in(ids))
                .all(&*tx)
                .await?;
            for grant in grants {
                let role = At("role_grant", "role").choice(&grant.role)?;
                roles
                    .entry(grant.person)
                    .or_default()
                    .push((role, grant.ends_at.map(Timestamp::from_millis)));
            }
            for holder in &mut holders {
                holder.homes = homes.remove(&holder.person.0).unwrap_or_default();
                holder.homes.sort();
                holder.roles = roles.remove(&holder.person.0).unwrap_or_default();
                holder.roles.sort();
            }
            Ok(KeysPage { holders, more })
        })
        .await
    }
}

/// Grants over this building, or over all, that are not over.
fn over(scope: &Scope, building: BuildingId) -> Condition {
    let of_grant = |column: role_grant::Column| Expr::col((role_grant::Entity, column));
    Condition::all()
        .add(of_grant(role_grant::Column::Tenant).eq(scope.tenant.0))
        .add(reach::in_force(scope))
        .add(
            of_grant(role_grant::Column::Building)
                .is_null()
                .or(of_grant(role_grant::Column::Building).eq(building.0)),
        )
}

fn page(scope: &Scope, building: BuildingId, after: Option<PersonId>, limit: u16) -> SelectStatement {
    let of_person = |column: person::Column| Expr::col((person::Entity, column));
    let count = |kind: DeviceKind| {
        let devices = Query::select()
            .expr(Expr::col((device::Entity, device::Column::Id)).count())
            .from(device::Entity)
            .and_where(
                Expr::col((device::Entity, device::Column::Tenant)).eq(of_person(person::Column::Tenant)),
            )
            .and_where(Expr::col((device::Entity, device::Column::Person)).eq(of_person(person::Column::Id)))
            .and_where(Expr::col((device::Entity, device::Column::Kind)).eq(kind.word()))
            .take();
        Expr::SubQuery(None, Box::new(devices.into()))
    };
    let same_unit = Condition::all()
        .add(
            Expr::col((unit::Entity, unit::Column::Tenant))
                .eq(Expr::col((membership::Entity, membership::Column::Tenant))),
        )
        .add(
            Expr::col((unit::Entity, unit::Column::Id))
                .eq(Expr::col((membership::Entity, membership::Column::Unit))),
        );
    let residents = Query::select()
        .column((membership::Entity, membership::Column::Person))
        .from(unit::Entity)
        .join(JoinType::InnerJoin, membership::Entity, same_unit)
        .and_where(unit::Column::Tenant.eq(scope.tenant.0))
        .and_where(unit::Column::Building.eq(building.0))
        .take();
    let with_role = Query::select()
        .column((role_grant::Entity, role_grant::Column::Person))
        .from(role_grant::Entity)
        .cond_where(over(scope, building))
        .take();
    let holds = has_device().or(invited_until().gt(scope.at.as_millis()));
    let mut select = Query::select();
    select
        .expr_as(of_person(person::Column::Id), "person_id")
        .expr_as(of_person(person::Column::Name), "person_name")
        .expr_as(count(DeviceKind::App), "apps")
        .expr_as(count(DeviceKind::Station), "stations")
        .expr_as(invited_until(), "invited_until")
        .from(person::Entity)
        .and_where(of_person(person::Column::Tenant).eq(scope.tenant.0))
        .and_where(
            of_person(person::Column::Id)
                .in_subquery(residents)
                .and(holds)
                .or(of_person(person::Column::Id).in_subquery(with_role)),
        );
    if let Some(after) = after {
        let last = Query::select()
            .column(person::Column::SortName)
            .from(person::Entity)
            .and_where(person::Column::Tenant.eq(scope.tenant.0))
            .and_where(person::Column::Id.eq(after.0))
            .take();
        let here = Expr::tuple([of_person(person::Column::SortName), of_person(person::Column::Id)]);
        select.and_where(
            here.gt(Expr::tuple([Expr::SubQuery(None, Box::new(last.into())), Expr::val(after.0)])),
        );
    }
    select
        .order_by((person::Entity, person::Column::SortName), Order::Asc)
        .order_by((person::Entity, person::Column::Id), Order::Asc)
        .limit(u64::from(limit) + 1)
        .take()
}
