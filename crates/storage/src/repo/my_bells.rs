//! The buttons of one's own home (R10, R13, R5).
//!
//! Whose a button is: those it rings, and the unit owners of its unit. What they may do with it is what the building's
//! policy leaves to them. Their changes are not in the audit, which tells what administrators did; what they wrote waits
//! for an administrator's look ([`Moderation::Pending`]).

use crate::entity::{
    bell, bell_hours, bell_member, building, building_policy, entrance, membership, panel, person, unit,
};
use crate::record::{BellChange, BellChanged, MyBell};
use crate::repo::convert::{At, Word};
use crate::repo::households::{Households, policy_of};
use crate::repo::intercom::{Who, members_of};
use crate::repo::pictures::pictures_of;
use crate::tx::{self, Isolation, Tx};
use crate::{Result, StorageError};
use klinke_model::alphabet::Alphabet;
use klinke_model::ids::{BellId, PersonId};
use klinke_model::intercom::{BellKind, Moderation};
use klinke_model::policy::{Asking, BellChange as Wish, DecidedBy, Effect};
use klinke_model::privacy::Pii;
use klinke_model::scope::{Principal, Scope};
use klinke_model::timetable::{Timetable, WallClock};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, ExprTrait, Func, OnConflict, Query};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, UpdateMany};
use std::collections::HashMap;

impl Households<'_> {
    /// The buttons of the person who asks, by panel and place.
    pub async fn my_bells(&self, scope: &Scope) -> Result<Vec<MyBell>> {
        let Some(who) = scope.person() else { return Ok(Vec::new()) };
        tx::read(self.0, |tx| async move { mine(&*tx, scope, who, Expr::val(true), None).await }).await
    }

    /// Changes a button of the person who asks, when it still has the version that they saw: all of it, or nothing.
    pub async fn change_my_bell(
        &self,
        scope: &Scope,
        bell: BellId,
        version: u64,
        change: BellChange,
    ) -> Result<BellChanged> {
        let Some(who) = scope.person() else { return Ok(BellChanged::NotThere) };
        let change = &change;
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            let Some(before) = mine(&*tx, scope, who, Expr::val(true), Some(bell)).await?.pop() else {
                return Ok(BellChanged::NotThere);
            };
            if before.version != version {
                return Ok(BellChanged::Conflict(Box::new(before)));
            }
            let set = match wanted(&before, change) {
                Ok(set) => set,
                Err(decided) => return Ok(BellChanged::Decided(decided)),
            };
            if change.kind == Some(BellKind::Individual) && before.members.len() != 1 {
                return Ok(BellChanged::NeedsOneMember);
            }
            let next = i64::try_from(version.saturating_add(1)).unwrap_or(i64::MAX);
            set.col_expr(bell::Column::Version, Expr::val(next))
                .filter(bell::Column::Tenant.eq(scope.tenant.0))
                .filter(bell::Column::Id.eq(bell.0))
                .exec(&*tx)
                .await?;
            if let Some((hours, now)) = &change.hours {
                set_hours(&tx, scope, bell, hours, *now).await?;
            }
            let after = mine(&*tx, scope, who, Expr::val(true), Some(bell)).await?.pop();
            Ok(after.map_or(BellChanged::NotThere, |bell| BellChanged::Done(Box::new(bell))))
        })
        .await
    }

    /// Turns a timetable: whether it hides its button now. For the service. `true` when that was not so before.
    pub async fn turn_hours(&self, scope: &Scope, bell: BellId, hides: bool) -> Result<bool> {
        if scope.principal != Principal::System {
            return Ok(false);
        }
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            let turned = bell_hours::Entity::update_many()
                .col_expr(bell_hours::Column::Hides, Expr::val(hides))
                .filter(bell_hours::Column::Tenant.eq(scope.tenant.0))
                .filter(bell_hours::Column::Bell.eq(bell.0))
                .filter(bell_hours::Column::Hides.ne(hides))
                .exec(&*tx)
                .await?;
            Ok(turned.rows_affected > 0)
        })
        .await
    }
}

/// What has to be written for a change that the policy allows.
fn wanted(before: &MyBell, change: &BellChange) -> std::result::Result<UpdateMany<bell::Entity>, DecidedBy> {
    let asking = Asking { owner: before.owner, removed: before.moderation == Moderation::Removed };
    let may = |wish| before.policy.resident_may(wish, asking);
    let mut set = bell::Entity::update_many();
    if let Some(label) = change.label.as_ref().filter(|label| **label != before.label) {
        let text = label.reveal().as_str().to_owned();
        set = match may(Wish::Text)? {
            Effect::AtOnce => {
                // something else of the button may wait for a look already, which knows of no text
                let before =
                    Func::coalesce([Expr::col(bell::Column::TextBefore), Expr::col(bell::Column::Label)]);
                set.col_expr(bell::Column::TextBefore, before.into())
                    .col_expr(bell::Column::SortLabel, Expr::val(Alphabet::Norwegian.key(&text).into_bytes()))
                    .col_expr(bell::Column::Label, Expr::val(text))
                    .col_expr(bell::Column::TextAsked, Expr::val(None::<String>))
            }
            Effect::AfterApproval => set.col_expr(bell::Column::TextAsked, Expr::val(text)),
        };
        set = set.col_expr(bell::Column::Moderation, Expr::val(Moderation::Pending.word()));
    }
    if let Some(alias) = change.alias.as_ref().filter(|alias| **alias != before.alias) {
        // there is no place for an alias that waits
        if may(Wish::Text)? == Effect::AfterApproval && alias.is_some() {
            return Err(DecidedBy::Administrator);
        }
        set = set
            .col_expr(
                bell::Column::Alias,
                Expr::val(alias.as_ref().map(|alias| alias.reveal().as_str().to_owned())),
            )
            .col_expr(bell::Column::Moderation, Expr::val(Moderation::Pending.word()));
    }
    if let Some(kind) = change.kind.filter(|kind| *kind != before.kind) {
        may(Wish::Kind(kind))?;
        set = set.col_expr(bell::Column::Kind, Expr::val(kind.word()));
    }
    if let Some(hidden) = change.hidden.filter(|hidden| *hidden != before.hidden) {
        may(if hidden { Wish::Hide } else { Wish::Show })?;
        set = set.col_expr(bell::Column::Hidden, Expr::val(hidden));
    }
    if let Some((hours, _)) = change.hours.as_ref().filter(|(hours, _)| *hours != before.hours) {
        // no timetable at all is never more than one may
        may(if hours.rows.is_empty() { Wish::Show } else { Wish::Hide })?;
    }
    Ok(set)
}

async fn set_hours(tx: &Tx, scope: &Scope, bell: BellId, hours: &Timetable, now: WallClock) -> Result<()> {
    if hours.wrong().is_some() {
        return Err(StorageError::Invalid("a row of the timetable is out of range"));
    }
    if hours.rows.is_empty() {
        bell_hours::Entity::delete_by_id((scope.tenant.0, bell.0)).exec(&**tx).await?;
        return Ok(());
    }
    let written = serde_json::to_string(hours)
        .map_err(|_| StorageError::Invalid("a timetable that can not be written as JSON"))?;
    let row = bell_hours::ActiveModel {
        tenant: Set(scope.tenant.0),
        bell: Set(bell.0),
        hours: Set(written),
        hides: Set(hours.hides(now)),
    };
    let instead = OnConflict::columns([bell_hours::Column::Tenant, bell_hours::Column::Bell])
        .update_columns([bell_hours::Column::Hours, bell_hours::Column::Hides])
        .to_owned();
    bell_hours::Entity::insert(row).on_conflict(instead).exec_without_returning(&**tx).await?;
    Ok(())
}

/// A timetable as the database has it.
pub(super) fn read_hours(row: &bell_hours::Model) -> Result<Timetable> {
    serde_json::from_str(&row.hours)
        .map_err(|_| StorageError::Corrupt { table: "bell_hours", column: "hours" })
}

/// That the button rings this person, or one of the units that they own; and that they are not suspended.
pub(super) fn is_mine(scope: &Scope, who: PersonId) -> Expr {
    let rings = Query::select()
        .column(bell_member::Column::Bell)
        .from(bell_member::Entity)
        .and_where(bell_member::Column::Tenant.eq(scope.tenant.0))
        .and_where(bell_member::Column::Person.eq(who.0))
        .take();
    let owned = Query::select()
        .column(membership::Column::Unit)
        .from(membership::Entity)
        .and_where(membership::Column::Tenant.eq(scope.tenant.0))
        .and_where(membership::Column::Person.eq(who.0))
        .and_where(membership::Column::Owner.eq(true))
        .take();
    let active = crate::repo::reach::exists(
        person::Entity,
        Condition::all()
            .add(person::Column::Tenant.eq(scope.tenant.0))
            .add(person::Column::Id.eq(who.0))
            .add(person::Column::Active.eq(true)),
    );
    active.and(bell::Column::Id.in_subquery(rings).or(bell::Column::Unit.in_subquery(owned)))
}

/// Somebody's buttons, or one of them. `there` says of the button's building whether it counts.
pub(super) async fn mine(
    db: &impl ConnectionTrait,
    scope: &Scope,
    who: PersonId,
    there: Expr,
    one: Option<BellId>,
) -> Result<Vec<MyBell>> {
    let mut select = bell::Entity::find()
        .filter(bell::Column::Tenant.eq(scope.tenant.0))
        .filter(is_mine(scope, who))
        .filter(there);
    if let Some(bell) = one {
        select = select.filter(bell::Column::Id.eq(bell.0));
    }
    let rows = select
        .order_by_asc(bell::Column::Panel)
        .order_by_asc(bell::Column::Position)
        .order_by_asc(bell::Column::Id)
        .find_also_related(unit::Entity)
        .and_also_related(entrance::Entity)
        .all(db)
        .await?;
    let mut members = members_of(db, scope, rows.iter().map(|(bell, ..)| bell.id), Who::All).await?;
    let ids = || rows.iter().map(|(bell, ..)| bell.id);
    let hours = bell_hours::Entity::find()
        .filter(bell_hours::Column::Tenant.eq(scope.tenant.0))
        .filter(bell_hours::Column::Bell.is_in(ids()))
        .all(db)
        .await?;
    let hours: HashMap<_, _> = hours.into_iter().map(|row| (row.bell, row)).collect();
    let owned = membership::Entity::find()
        .filter(membership::Column::Tenant.eq(scope.tenant.0))
        .filter(membership::Column::Person.eq(who.0))
        .filter(membership::Column::Owner.eq(true))
        .all(db)
        .await?;
    let buildings = building::Entity::find()
        .filter(building::Column::Tenant.eq(scope.tenant.0))
        .filter(building::Column::Id.is_in(rows.iter().map(|(bell, ..)| bell.building)))
        .all(db)
        .await?;
    let policies = building_policy::Entity::find()
        .filter(building_policy::Column::Tenant.eq(scope.tenant.0))
        .filter(building_policy::Column::Building.is_in(rows.iter().map(|(bell, ..)| bell.building)))
        .all(db)
        .await?;
    let panels = panel::Entity::find()
        .filter(panel::Column::Tenant.eq(scope.tenant.0))
        .filter(panel::Column::Id.is_in(rows.iter().map(|(bell, ..)| bell.panel)))
        .all(db)
        .await?;
    let mut pictures = HashMap::new();
    for building in &buildings {
        let policy = policy_of(policies.iter().find(|policy| policy.building == building.id))?;
        let here = rows.iter().filter(|(bell, ..)| bell.building == building.id).map(|(bell, ..)| bell.id);
        pictures.extend(pictures_of(db, scope, &policy, here).await?);
    }
    let mut bells = Vec::with_capacity(rows.len());
    for row in rows {
        // Foreign keys see to it that all of them are there.
        let (row, Some(unit), Some(entrance)) = row else { continue };
        let Some(building) = buildings.iter().find(|building| building.id == row.building) else { continue };
        let Some(panel) = panels.iter().find(|panel| panel.id == row.panel) else { continue };
        let text = |column, text: &str| At("bell", column).label(text).map(Pii::new);
        let timetable = hours.get(&row.id);
        bells.push(MyBell {
            id: row.id.into(),
            version: At("bell", "version").number(row.version)?,
            panel: At("panel", "name").label(&panel.name)?,
            building: row.building.into(),
            building_name: At("building", "name").label(&building.name)?,
            time_zone: building.time_zone.clone(),
            unit: row.unit.into(),
            number: At("unit", "number").label(&unit.number)?,
            entrance: At("entrance", "name").label(&entrance.name)?,
            label: text("label", &row.label)?,
            alias: row.alias.as_deref().map(|alias| text("alias", alias)).transpose()?,
            asked: row.text_asked.as_deref().map(|asked| text("text_asked", asked)).transpose()?,
            kind: At("bell", "kind").choice(&row.kind)?,
            members: members.remove(&row.id).unwrap_or_default(),
            hidden: row.hidden,
            hours: timetable.map(read_hours).transpose()?.unwrap_or_default(),
            hours_hide: timetable.is_some_and(|row| row.hides),
            moderation: At("bell", "moderation").choice(&row.moderation)?,
            removed_reason: row
                .removed_reason
                .as_deref()
                .map(|why| At("bell", "removed_reason").label(why))
                .transpose()?,
            picture: pictures.remove(&row.id),
            picture_reason: row
                .picture_reason
                .as_deref()
                .map(|why| At("bell", "picture_reason").label(why))
                .transpose()?,
            owner: owned.iter().any(|home| home.unit == row.unit),
            policy: policy_of(policies.iter().find(|policy| policy.building == row.building))?,
        });
    }
    Ok(bells)
}
