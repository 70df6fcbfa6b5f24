//! What was issued against who lives here: rights, links, buttons and moves that have no reason any more.
//!
//! A member of a button who does not live in its home can not be there: the place takes them along (see `bell_member`).

use crate::Result;
use crate::entity::{bell, household_move, membership, person, role_grant, unit, unit_door};
use crate::record::{Ghost, GhostRole, Named};
use crate::repo::convert::At;
use crate::repo::reach;
use crate::repo::who::{Who, has_account, has_device, invited_until};
use klinke_model::ids::BuildingId;
use klinke_model::privacy::Pii;
use klinke_model::rights::Right;
use klinke_model::scope::Scope;
use klinke_model::time::Timestamp;
use sea_orm::sea_query::{Expr, ExprTrait, JoinType, Order, Query, SelectStatement};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, QueryResult};
use uuid::Uuid;

/// Of one kind, at most: who has more begins with these.
const AT_MOST: u64 = 200;
/// How long a move may be late before somebody is told: the service does it within seconds.
const LATE_MS: i64 = 15 * 60 * 1_000;

impl Who<'_> {
    /// The ghosts of a building at the scope's moment, 200 of each kind at most; and those of no building for who sees
    /// people everywhere.
    pub async fn ghosts(&self, scope: &Scope, building: BuildingId) -> Result<Vec<Ghost>> {
        crate::tx::read(self.0, |tx| async move {
            if !reach::building(&*tx, scope, Right::SeePeople, building).await? {
                return Ok(Vec::new());
            }
            let mut all = Vec::new();
            if reach::holds(&*tx, reach::may_everywhere(scope, Right::SeePeople)).await? {
                strays(&tx, scope, &mut all).await?;
            }
            roles(&tx, scope, building, &mut all).await?;
            bells(&tx, scope, building, &mut all).await?;
            homes(&tx, scope, building, &mut all).await?;
            moves(&tx, scope, building, &mut all).await?;
            Ok(all)
        })
        .await
    }
}

/// Who can sign in, is signed in or is invited, and has neither a home nor a role that is not over.
async fn strays(tx: &DatabaseTransaction, scope: &Scope, all: &mut Vec<Ghost>) -> Result<()> {
    let of_person = |column: person::Column| Expr::col((person::Entity, column));
    let lives = reach::exists(
        membership::Entity,
        Condition::all().add(membership::Column::Tenant.eq(scope.tenant.0)).add(
            Expr::col((membership::Entity, membership::Column::Person)).eq(of_person(person::Column::Id)),
        ),
    );
    let has_role = reach::exists(
        role_grant::Entity,
        Condition::all().add(role_grant::Column::Tenant.eq(scope.tenant.0)).add(reach::in_force(scope)).add(
            Expr::col((role_grant::Entity, role_grant::Column::Person)).eq(of_person(person::Column::Id)),
        ),
    );
    let select = Query::select()
        .expr_as(of_person(person::Column::Id), "person_id")
        .expr_as(of_person(person::Column::Name), "person_name")
        .expr_as(has_account().or(has_device()), "access")
        .expr_as(invited_until(), "invited_until")
        .from(person::Entity)
        .and_where(person::Column::Tenant.eq(scope.tenant.0))
        .and_where(person::Column::Active.eq(true))
        .and_where(lives.not())
        .and_where(has_role.not())
        .and_where(has_account().or(has_device()).or(invited_until().gt(scope.at.as_millis())))
        .order_by((person::Entity, person::Column::SortName), Order::Asc)
        .order_by((person::Entity, person::Column::Id), Order::Asc)
        .limit(AT_MOST)
        .take();
    for row in tx.query_all(&select).await? {
        if row.try_get::<bool>("", "access")? {
            all.push(Ghost::Access(named(&row)?));
        }
        if row.try_get::<Option<i64>>("", "invited_until")?.is_some_and(|until| until > scope.at.as_millis())
        {
            all.push(Ghost::Invitation(named(&row)?));
        }
    }
    Ok(())
}

/// Roles over this building, or over all for who gives roles there, that are over or whose holder is suspended.
async fn roles(
    tx: &DatabaseTransaction,
    scope: &Scope,
    building: BuildingId,
    all: &mut Vec<Ghost>,
) -> Result<()> {
    let of_grant = |column: role_grant::Column| Expr::col((role_grant::Entity, column));
    let holder = Condition::all()
        .add(Expr::col((person::Entity, person::Column::Tenant)).eq(of_grant(role_grant::Column::Tenant)))
        .add(Expr::col((person::Entity, person::Column::Id)).eq(of_grant(role_grant::Column::Person)));
    let over_all = reach::holds(tx, reach::may_everywhere(scope, Right::Roles)).await?;
    let here = of_grant(role_grant::Column::Building).eq(building.0);
    let here = match over_all {
        true => here.or(of_grant(role_grant::Column::Building).is_null()),
        false => here,
    };
    let select = Query::select()
        .expr_as(of_grant(role_grant::Column::Id), "grant_id")
        .expr_as(of_grant(role_grant::Column::Role), "grant_role")
        .expr_as(of_grant(role_grant::Column::Building), "grant_building")
        .expr_as(of_grant(role_grant::Column::EndsAt), "grant_ends_at")
        .expr_as(Expr::col((person::Entity, person::Column::Id)), "person_id")
        .expr_as(Expr::col((person::Entity, person::Column::Name)), "person_name")
        .expr_as(reach::in_force(scope), "in_force")
        .from(role_grant::Entity)
        .join(JoinType::InnerJoin, person::Entity, holder)
        .and_where(role_grant::Column::Tenant.eq(scope.tenant.0))
        .and_where(here)
        .and_where(reach::in_force(scope).not().or(person::Column::Active.eq(false)))
        .order_by((person::Entity, person::Column::SortName), Order::Asc)
        .order_by((role_grant::Entity, role_grant::Column::Id), Order::Asc)
        .limit(AT_MOST)
        .take();
    for row in tx.query_all(&select).await? {
        let role = GhostRole {
            grant: row.try_get::<Uuid>("", "grant_id")?.into(),
            who: named(&row)?,
            role: At("role_grant", "role").choice(&row.try_get::<String>("", "grant_role")?)?,
            building: row.try_get::<Option<Uuid>>("", "grant_building")?.map(Into::into),
            ends_at: row.try_get::<Option<i64>>("", "grant_ends_at")?.map(Timestamp::from_millis),
        };
        let in_force: bool = row.try_get("", "in_force")?;
        all.push(if in_force { Ghost::SuspendedRole(role) } else { Ghost::EndedRole(role) });
    }
    Ok(())
}

async fn bells(
    tx: &DatabaseTransaction,
    scope: &Scope,
    building: BuildingId,
    all: &mut Vec<Ghost>,
) -> Result<()> {
    let at = Condition::all()
        .add(
            Expr::col((unit::Entity, unit::Column::Tenant))
                .eq(Expr::col((bell::Entity, bell::Column::Tenant))),
        )
        .add(Expr::col((unit::Entity, unit::Column::Id)).eq(Expr::col((bell::Entity, bell::Column::Unit))));
    let mut select = empty_homes(scope, building);
    let select = select
        .expr_as(Expr::col((bell::Entity, bell::Column::Id)), "bell_id")
        .expr_as(Expr::col((bell::Entity, bell::Column::Label)), "bell_label")
        .join(JoinType::InnerJoin, bell::Entity, at);
    for row in tx.query_all(select).await? {
        all.push(Ghost::Bell {
            bell: row.try_get::<Uuid>("", "bell_id")?.into(),
            text: Pii::new(At("bell", "label").label(&row.try_get::<String>("", "bell_label")?)?),
            number: At("unit", "number").label(&row.try_get::<String>("", "unit_number")?)?,
        });
    }
    Ok(())
}

async fn homes(
    tx: &DatabaseTransaction,
    scope: &Scope,
    building: BuildingId,
    all: &mut Vec<Ghost>,
) -> Result<()> {
    let sets = Condition::all()
        .add(
            Expr::col((unit_door::Entity, unit_door::Column::Tenant))
                .eq(Expr::col((unit::Entity, unit::Column::Tenant))),
        )
        .add(
            Expr::col((unit_door::Entity, unit_door::Column::Unit))
                .eq(Expr::col((unit::Entity, unit::Column::Id))),
        );
    let mut select = empty_homes(scope, building);
    let select = select
        .expr_as(Expr::col((unit_door::Entity, unit_door::Column::Door)).count(), "doors")
        .join(JoinType::InnerJoin, unit_door::Entity, sets)
        .group_by_columns(
            [unit::Column::Id, unit::Column::Number, unit::Column::Folded]
                .map(|column| (unit::Entity, column)),
        );
    for row in tx.query_all(select).await? {
        all.push(Ghost::Home {
            unit: row.try_get::<Uuid>("", "unit_id")?.into(),
            number: At("unit", "number").label(&row.try_get::<String>("", "unit_number")?)?,
            doors: At("unit_door", "doors").number(row.try_get("", "doors")?)?,
        });
    }
    Ok(())
}

/// The homes of a building where nobody lives, by number.
fn empty_homes(scope: &Scope, building: BuildingId) -> SelectStatement {
    let of_unit = |column: unit::Column| Expr::col((unit::Entity, column));
    let lived_in = reach::exists(
        membership::Entity,
        Condition::all()
            .add(membership::Column::Tenant.eq(scope.tenant.0))
            .add(Expr::col((membership::Entity, membership::Column::Unit)).eq(of_unit(unit::Column::Id))),
    );
    Query::select()
        .expr_as(of_unit(unit::Column::Id), "unit_id")
        .expr_as(of_unit(unit::Column::Number), "unit_number")
        .from(unit::Entity)
        .and_where(of_unit(unit::Column::Tenant).eq(scope.tenant.0))
        .and_where(of_unit(unit::Column::Building).eq(building.0))
        .and_where(lived_in.not())
        .order_by((unit::Entity, unit::Column::Folded), Order::Asc)
        .order_by((unit::Entity, unit::Column::Id), Order::Asc)
        .limit(AT_MOST)
        .take()
}

async fn moves(
    tx: &DatabaseTransaction,
    scope: &Scope,
    building: BuildingId,
    all: &mut Vec<Ghost>,
) -> Result<()> {
    let of_move = |column: household_move::Column| Expr::col((household_move::Entity, column));
    let at = Condition::all()
        .add(Expr::col((unit::Entity, unit::Column::Tenant)).eq(of_move(household_move::Column::Tenant)))
        .add(Expr::col((unit::Entity, unit::Column::Id)).eq(of_move(household_move::Column::Unit)));
    let select = Query::select()
        .expr_as(of_move(household_move::Column::Id), "move_id")
        .expr_as(of_move(household_move::Column::EndsAt), "ends_at")
        .expr_as(Expr::col((unit::Entity, unit::Column::Number)), "unit_number")
        .from(household_move::Entity)
        .join(JoinType::InnerJoin, unit::Entity, at)
        .and_where(of_move(household_move::Column::Tenant).eq(scope.tenant.0))
        .and_where(of_move(household_move::Column::Building).eq(building.0))
        .and_where(of_move(household_move::Column::State).eq("scheduled"))
        .and_where(of_move(household_move::Column::EndsAt).lt(scope.at.as_millis() - LATE_MS))
        .order_by((household_move::Entity, household_move::Column::EndsAt), Order::Asc)
        .limit(AT_MOST)
        .take();
    for row in tx.query_all(&select).await? {
        all.push(Ghost::Move {
            moving: row.try_get::<Uuid>("", "move_id")?.into(),
            number: At("unit", "number").label(&row.try_get::<String>("", "unit_number")?)?,
            ends_at: Timestamp::from_millis(row.try_get("", "ends_at")?),
        });
    }
    Ok(())
}

fn named(row: &QueryResult) -> Result<Named> {
    Ok(Named {
        person: row.try_get::<Uuid>("", "person_id")?.into(),
        name: At("person", "name").name(&row.try_get::<String>("", "person_name")?)?,
    })
}
