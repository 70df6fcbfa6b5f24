//! The units of a building, a page at a time: as many as are shown are counted, however large the building is.

use crate::Result;
use crate::entity::{device, entrance, membership, person, unit};
use crate::record::{UnitAfter, UnitRow, UnitsPage, UnitsQuery};
use crate::repo::convert;
use crate::repo::people_page::begins;
use crate::repo::{Sites, reach};
use crate::tx;
use klinke_model::fold::fold;
use klinke_model::ids::{BuildingId, EntranceId};
use klinke_model::rights::Right;
use klinke_model::scope::Scope;
use klinke_model::site::Entrance;
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Func, JoinType, Order, Query};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QueryResult, QuerySelect,
    Select,
};
use std::collections::HashMap;
use uuid::Uuid;

impl Sites<'_> {
    /// A page of the units of a building, by number.
    pub async fn units_page(
        &self,
        scope: &Scope,
        building: BuildingId,
        query: &UnitsQuery,
    ) -> Result<UnitsPage> {
        tx::read(self.0, |tx| async move {
            let mut rows = select(scope, building, query).all(&*tx).await?;
            let limit = usize::from(query.limit);
            let more = rows.len() > limit;
            rows.truncate(limit);
            let next = rows.last().filter(|_| more);
            let next = next.map(|last| UnitAfter { number: last.sort_number.clone(), unit: last.id.into() });
            let counts = counts(&*tx, scope, building, rows.iter().map(|row| row.id).collect()).await?;
            let units = rows.iter().map(|row| {
                let (residents, devices) = counts.get(&row.id).copied().unwrap_or_default();
                Ok(UnitRow { unit: convert::unit(row)?, residents, devices })
            });
            Ok(UnitsPage { units: units.collect::<Result<_>>()?, next })
        })
        .await
    }

    /// Entrances of a building by name, with how many units are behind each.
    pub async fn counted_entrances(
        &self,
        scope: &Scope,
        building: BuildingId,
    ) -> Result<Vec<(Entrance, u64)>> {
        tx::read(self.0, |tx| async move {
            let rows = entrance::Entity::find()
                .filter(entrance::Column::Tenant.eq(scope.tenant.0))
                .filter(entrance::Column::Building.eq(building.0))
                .filter(reach::may(scope, Right::SeeBuilding, entrance::Column::Building))
                .all(&*tx)
                .await?;
            let counted: Vec<(Uuid, i64)> = unit::Entity::find()
                .select_only()
                .column(unit::Column::Entrance)
                .column_as(unit::Column::Id.count(), "units")
                .filter(unit::Column::Tenant.eq(scope.tenant.0))
                .filter(unit::Column::Building.eq(building.0))
                .group_by(unit::Column::Entrance)
                .into_tuple()
                .all(&*tx)
                .await?;
            let units: HashMap<EntranceId, u64> = counted
                .into_iter()
                .map(|(entrance, units)| (entrance.into(), u64::try_from(units).unwrap_or_default()))
                .collect();
            let all = convert::sorted(&rows, convert::entrance, |one| (one.name.clone(), one.id))?;
            let counted = all.into_iter().map(|one| {
                let units = units.get(&one.id).copied().unwrap_or_default();
                (one, units)
            });
            Ok(counted.collect())
        })
        .await
    }
}

/// The units of a page and one more.
pub(super) fn select(scope: &Scope, building: BuildingId, query: &UnitsQuery) -> Select<unit::Entity> {
    let order = if query.descending { Order::Desc } else { Order::Asc };
    let mut select = unit::Entity::find()
        .filter(unit::Column::Tenant.eq(scope.tenant.0))
        .filter(unit::Column::Building.eq(building.0))
        .filter(reach::may(scope, Right::SeeBuilding, unit::Column::Building))
        .order_by(unit::Column::SortNumber, order.clone())
        .order_by(unit::Column::Id, order)
        .limit(u64::from(query.limit) + 1);
    if let Some(entrance) = query.entrance {
        select = select.filter(unit::Column::Entrance.eq(entrance.0));
    }
    let text = fold(query.text.trim());
    if !text.is_empty() {
        select = select.filter(begins(unit::Column::Folded, &text));
    }
    if let Some(after) = &query.after {
        let keys = [unit::Column::SortNumber, unit::Column::Id];
        let here = Expr::tuple(keys.map(|column| Expr::col((unit::Entity, column))));
        let there = Expr::tuple([Expr::val(after.number.clone()), Expr::val(after.unit.0)]);
        select = select.filter(if query.descending { here.lt(there) } else { here.gt(there) });
    }
    select
}

/// How many people live in each of these units, and how many devices of those who are not suspended would ring. Units
/// without people are left out, and all of them for who may not see people. No device leaves it: a person's devices are
/// their own.
async fn counts(
    db: &impl ConnectionTrait,
    scope: &Scope,
    building: BuildingId,
    units: Vec<Uuid>,
) -> Result<HashMap<Uuid, (u32, u32)>> {
    if units.is_empty() || !reach::building(db, scope, Right::SeePeople, building).await? {
        return Ok(HashMap::new());
    }
    let of = |column: membership::Column| Expr::col((membership::Entity, column));
    let same = |tenant: Expr, id: Expr, person: membership::Column| {
        Condition::all().add(tenant.eq(of(membership::Column::Tenant))).add(id.eq(of(person)))
    };
    let who = |column: person::Column| Expr::col((person::Entity, column));
    let rings = |column: device::Column| Expr::col((device::Entity, column));
    let active = same(who(person::Column::Tenant), who(person::Column::Id), membership::Column::Person)
        .add(who(person::Column::Active).eq(true));
    let theirs = Condition::all()
        .add(rings(device::Column::Tenant).eq(who(person::Column::Tenant)))
        .add(rings(device::Column::Person).eq(who(person::Column::Id)));
    let counted = Query::select()
        .expr_as(of(membership::Column::Unit), Alias::new("unit"))
        .expr_as(Func::count_distinct(of(membership::Column::Person)), Alias::new("residents"))
        .expr_as(Func::count(rings(device::Column::Id)), Alias::new("devices"))
        .from(membership::Entity)
        .join(JoinType::LeftJoin, person::Entity, active)
        .join(JoinType::LeftJoin, device::Entity, theirs)
        .and_where(of(membership::Column::Tenant).eq(scope.tenant.0))
        .and_where(of(membership::Column::Unit).is_in(units))
        .group_by_col((membership::Entity, membership::Column::Unit))
        .take();
    let number = |row: &QueryResult, column| -> Result<u32> {
        Ok(u32::try_from(row.try_get::<i64>("", column)?).unwrap_or(u32::MAX))
    };
    let rows = db.query_all(&counted).await?;
    rows.iter()
        .map(|row| Ok((row.try_get("", "unit")?, (number(row, "residents")?, number(row, "devices")?))))
        .collect()
}
