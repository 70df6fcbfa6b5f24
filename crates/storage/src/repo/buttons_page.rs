//! The buttons of a building, a page at a time, in one of three orders: each is read off an index.

use crate::Result;
use crate::entity::{bell, bell_member, unit};
use crate::record::{ButtonAfter, ButtonsOrder, ButtonsPage, ButtonsQuery};
use crate::repo::button_change::{button, pictures_in};
use crate::repo::convert::Word;
use crate::repo::intercom::{Intercom, Who, members_of};
use crate::repo::people_page::{SEARCH_WORDS, begins, by_word, unit_begins};
use crate::repo::reach;
use crate::tx;
use klinke_model::alphabet::Alphabet;
use klinke_model::fold::words;
use klinke_model::ids::BuildingId;
use klinke_model::privacy::Pii;
use klinke_model::rights::Right;
use klinke_model::scope::Scope;
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Order, Query, SelectStatement};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, FromQueryResult, Iterable, QueryFilter};
use std::collections::HashMap;

/// What the number of a button's unit is sorted by.
const AT_NUMBER: &str = "at_number";

impl Intercom<'_> {
    /// A page of the buttons of a building, with all that administrators see of them.
    pub async fn buttons(
        &self,
        scope: &Scope,
        building: BuildingId,
        query: &ButtonsQuery,
    ) -> Result<ButtonsPage> {
        tx::read(self.0, |tx| async move {
            let found = tx.query_all(&select(scope, building, query)).await?;
            let limit = usize::from(query.limit);
            let mut rows = Vec::with_capacity(limit);
            let mut next = None;
            for found in found.iter().take(limit) {
                let row = bell::Model::from_query_result(found, "")?;
                next = Some(match query.order {
                    ButtonsOrder::Place => ButtonAfter::Place(row.panel.into(), row.position, row.id.into()),
                    ButtonsOrder::Label => {
                        ButtonAfter::Label(Pii::new(row.sort_label.clone()), row.id.into())
                    }
                    ButtonsOrder::Unit => {
                        ButtonAfter::Unit(found.try_get("", AT_NUMBER)?, row.unit.into(), row.id.into())
                    }
                });
                rows.push(row);
            }
            let mut members = members_of(&*tx, scope, rows.iter().map(|row| row.id), Who::All).await?;
            let mut pictures = pictures_in(&*tx, scope, building.0, rows.iter().map(|row| row.id)).await?;
            let units = unit::Entity::find()
                .filter(unit::Column::Tenant.eq(scope.tenant.0))
                .filter(unit::Column::Id.is_in(rows.iter().map(|row| row.unit)))
                .all(&*tx)
                .await?;
            let numbers: HashMap<_, _> = units.iter().map(|unit| (unit.id, unit.number.as_str())).collect();
            let buttons = rows.iter().map(|row| {
                let number = numbers.get(&row.unit).copied().unwrap_or_default();
                button(row, members.remove(&row.id).unwrap_or_default(), pictures.remove(&row.id), number)
            });
            Ok(ButtonsPage {
                buttons: buttons.collect::<Result<_>>()?,
                next: next.filter(|_| found.len() > limit),
            })
        })
        .await
    }
}

/// The buttons of a page and one more.
pub(super) fn select(scope: &Scope, building: BuildingId, query: &ButtonsQuery) -> SelectStatement {
    let of_bell = |column: bell::Column| Expr::col((bell::Entity, column));
    let of_unit = |column: unit::Column| Expr::col((unit::Entity, column));
    let mut select = Query::select();
    select.columns(bell::Column::iter().map(|column| (bell::Entity, column)));
    let keys = match query.order {
        ButtonsOrder::Unit => {
            select
                .expr_as(of_unit(unit::Column::SortNumber), Alias::new(AT_NUMBER))
                .from(unit::Entity)
                // SQLite reads the tables in this order, and has nothing to sort then
                .cross_join(bell::Entity)
                .and_where(of_bell(bell::Column::Tenant).eq(of_unit(unit::Column::Tenant)))
                .and_where(of_bell(bell::Column::Unit).eq(of_unit(unit::Column::Id)))
                .and_where(unit::Column::Tenant.eq(scope.tenant.0))
                .and_where(unit::Column::Building.eq(building.0));
            vec![of_unit(unit::Column::SortNumber), of_unit(unit::Column::Id), of_bell(bell::Column::Id)]
        }
        ButtonsOrder::Place => {
            select.from(bell::Entity);
            [bell::Column::Panel, bell::Column::Position, bell::Column::Id].map(of_bell).to_vec()
        }
        ButtonsOrder::Label => {
            select.from(bell::Entity);
            [bell::Column::SortLabel, bell::Column::Id].map(of_bell).to_vec()
        }
    };
    select
        .and_where(bell::Column::Tenant.eq(scope.tenant.0))
        .and_where(bell::Column::Building.eq(building.0))
        .and_where(reach::may(scope, Right::SeePeople, bell::Column::Building));
    if let Some(panel) = query.panel {
        select.and_where(bell::Column::Panel.eq(panel.0));
    }
    if let Some(unit) = query.unit {
        select.and_where(bell::Column::Unit.eq(unit.0));
    }
    if let Some(moderation) = query.moderation {
        select.and_where(bell::Column::Moderation.eq(moderation.word()));
    }
    let says = Alphabet::Norwegian.key(query.text.trim());
    if !says.is_empty() {
        let mut all = Condition::all();
        for word in words(&query.text).iter().take(SEARCH_WORDS) {
            all = all.add(finds(scope, word));
        }
        let text = begins(bell::Column::SortLabel, &says);
        // without a letter or figure in it there is nothing but the text
        let any = Condition::any().add(text);
        select.cond_where(if all.is_empty() { any } else { any.add(all) });
    }
    if let Some(there) = query.after.as_ref().and_then(|after| place(query.order, after)) {
        let (here, there) = (Expr::tuple(keys.clone()), Expr::tuple(there));
        select.and_where(if query.descending { here.lt(there) } else { here.gt(there) });
    }
    if let (ButtonsOrder::Unit, Some(ButtonAfter::Unit(number, unit, _))) = (query.order, &query.after) {
        // the same of the unit alone: an index is entered by it
        let here = Expr::tuple(keys.iter().take(2).cloned());
        let there = Expr::tuple([Expr::val(number.clone()), Expr::val(unit.0)]);
        select.and_where(if query.descending { here.lte(there) } else { here.gte(there) });
    }
    let order = if query.descending { Order::Desc } else { Order::Asc };
    for key in keys {
        select.order_by_expr(key, order.clone());
    }
    select.limit(u64::from(query.limit) + 1).take()
}

/// That a word begins a word of somebody whom the button rings, or the number of its unit.
fn finds(scope: &Scope, word: &str) -> Expr {
    let rings = Query::select()
        .column(bell_member::Column::Bell)
        .from(bell_member::Entity)
        .and_where(bell_member::Column::Tenant.eq(scope.tenant.0))
        .and_where(bell_member::Column::Person.in_subquery(by_word(scope, word)))
        .take();
    let homes = Query::select()
        .column(unit::Column::Id)
        .from(unit::Entity)
        .and_where(unit_begins(scope, word))
        .take();
    let of_bell = |column: bell::Column| Expr::col((bell::Entity, column));
    of_bell(bell::Column::Id).in_subquery(rings).or(of_bell(bell::Column::Unit).in_subquery(homes))
}

/// The keys of a place; the place of another order is none in this one.
fn place(order: ButtonsOrder, after: &ButtonAfter) -> Option<Vec<Expr>> {
    match (order, after) {
        (ButtonsOrder::Place, ButtonAfter::Place(panel, position, bell)) => {
            Some(vec![Expr::val(panel.0), Expr::val(*position), Expr::val(bell.0)])
        }
        (ButtonsOrder::Label, ButtonAfter::Label(label, bell)) => {
            Some(vec![Expr::val(label.reveal().clone()), Expr::val(bell.0)])
        }
        (ButtonsOrder::Unit, ButtonAfter::Unit(number, unit, bell)) => {
            Some(vec![Expr::val(number.clone()), Expr::val(unit.0), Expr::val(bell.0)])
        }
        _ => None,
    }
}
