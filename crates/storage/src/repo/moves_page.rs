//! The moves of a building, a page at a time.

use crate::Result;
use crate::entity::household_move;
use crate::record::{MoveState, MovesPage, MovesQuery};
use crate::repo::moves::{DONE, Moves, SCHEDULED, whole};
use crate::repo::reach;
use crate::tx;
use klinke_model::ids::BuildingId;
use klinke_model::rights::Right;
use klinke_model::scope::Scope;
use sea_orm::sea_query::{Expr, ExprTrait, Order};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select};

impl Moves<'_> {
    /// A page of the moves of a building: those to come with the next one first, those done with the latest first.
    pub async fn moves(&self, scope: &Scope, building: BuildingId, query: &MovesQuery) -> Result<MovesPage> {
        tx::read(self.0, |tx| async move {
            let rows = select(scope, building, query).all(&*tx).await?;
            let mut moves = whole(&tx, scope, rows).await?;
            let limit = usize::from(query.limit);
            let more = moves.len() > limit;
            moves.truncate(limit);
            let next = moves.last().filter(|_| more).map(|last| (last.ends_at, last.id));
            Ok(MovesPage { moves, next })
        })
        .await
    }
}

/// The moves of a page and one more.
pub(super) fn select(
    scope: &Scope,
    building: BuildingId,
    query: &MovesQuery,
) -> Select<household_move::Entity> {
    let (state, order) = match query.state {
        MoveState::Scheduled => (SCHEDULED, Order::Asc),
        MoveState::Done => (DONE, Order::Desc),
    };
    let mut select = household_move::Entity::find()
        .filter(household_move::Column::Tenant.eq(scope.tenant.0))
        .filter(household_move::Column::Building.eq(building.0))
        .filter(household_move::Column::State.eq(state))
        .filter(reach::may(scope, Right::SeePeople, household_move::Column::Building))
        .order_by(household_move::Column::EndsAt, order.clone())
        .order_by(household_move::Column::Id, order.clone())
        .limit(u64::from(query.limit) + 1);
    if let Some((ends_at, id)) = query.after {
        let keys = [household_move::Column::EndsAt, household_move::Column::Id];
        let here = Expr::tuple(keys.map(|column| Expr::col((household_move::Entity, column))));
        let there = Expr::tuple([Expr::val(ends_at.as_millis()), Expr::val(id.0)]);
        select = select.filter(if order == Order::Desc { here.lt(there) } else { here.gt(there) });
    }
    select
}
