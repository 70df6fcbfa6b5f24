//! Whom access rules allow and what they open, as conditions to put into a query: the one place that says so.
//!
//! A rule that is put aside gives nothing. One with days is taken a day early and given up a day late wherever no building's
//! clock is asked; the decision itself asks it (`Doors::facts`).

use crate::entity::{
    access_rule, access_rule_door, access_rule_door_group, access_rule_people_group, access_rule_person,
    access_rule_unit, door, door_group_door, membership, people_group_member, unit,
};
use klinke_model::ids::PersonId;
use klinke_model::scope::Scope;
use sea_orm::sea_query::{Expr, ExprTrait, JoinType, Query, SelectStatement, UnionType};
use sea_orm::{ColumnTrait, Condition};

const MILLIS_OF_DAY: i64 = 86_400_000;

/// Whom every rule allows: a statement whose arms `want` gives columns and conditions, from the rule's id and the person's.
pub fn allowed(scope: &Scope, want: impl Fn(&mut SelectStatement, Expr, Expr)) -> SelectStatement {
    let person_of_place = || Expr::col((membership::Entity, membership::Column::Person));
    let mut named = Query::select();
    named.from(access_rule_person::Entity).and_where(access_rule_person::Column::Tenant.eq(scope.tenant.0));
    want(
        &mut named,
        Expr::col((access_rule_person::Entity, access_rule_person::Column::Rule)),
        Expr::col((access_rule_person::Entity, access_rule_person::Column::Person)),
    );
    let mut by_unit = Query::select();
    by_unit
        .from(access_rule_unit::Entity)
        .join(
            JoinType::InnerJoin,
            membership::Entity,
            Condition::all()
                .add(
                    Expr::col((membership::Entity, membership::Column::Tenant))
                        .equals((access_rule_unit::Entity, access_rule_unit::Column::Tenant)),
                )
                .add(
                    Expr::col((membership::Entity, membership::Column::Unit))
                        .equals((access_rule_unit::Entity, access_rule_unit::Column::Unit)),
                ),
        )
        .and_where(access_rule_unit::Column::Tenant.eq(scope.tenant.0));
    want(
        &mut by_unit,
        Expr::col((access_rule_unit::Entity, access_rule_unit::Column::Rule)),
        person_of_place(),
    );
    let mut by_house = Query::select();
    by_house
        .from(access_rule::Entity)
        .join(
            JoinType::InnerJoin,
            unit::Entity,
            Condition::all()
                .add(
                    Expr::col((unit::Entity, unit::Column::Tenant))
                        .equals((access_rule::Entity, access_rule::Column::Tenant)),
                )
                .add(
                    Expr::col((unit::Entity, unit::Column::Building))
                        .equals((access_rule::Entity, access_rule::Column::Building)),
                ),
        )
        .join(
            JoinType::InnerJoin,
            membership::Entity,
            Condition::all()
                .add(
                    Expr::col((membership::Entity, membership::Column::Tenant))
                        .equals((unit::Entity, unit::Column::Tenant)),
                )
                .add(
                    Expr::col((membership::Entity, membership::Column::Unit))
                        .equals((unit::Entity, unit::Column::Id)),
                ),
        )
        .and_where(access_rule::Column::Tenant.eq(scope.tenant.0))
        .cond_where(
            Condition::any().add(access_rule::Column::Everybody.eq(true)).add(
                Condition::all()
                    .add(access_rule::Column::UnitOwners.eq(true))
                    .add(Expr::col((membership::Entity, membership::Column::Owner)).eq(true)),
            ),
        );
    want(&mut by_house, Expr::col((access_rule::Entity, access_rule::Column::Id)), person_of_place());
    let mut by_group = Query::select();
    by_group
        .from(access_rule_people_group::Entity)
        .join(
            JoinType::InnerJoin,
            people_group_member::Entity,
            Condition::all()
                .add(
                    Expr::col((people_group_member::Entity, people_group_member::Column::Tenant))
                        .equals((access_rule_people_group::Entity, access_rule_people_group::Column::Tenant)),
                )
                .add(
                    Expr::col((people_group_member::Entity, people_group_member::Column::PeopleGroup))
                        .equals((
                            access_rule_people_group::Entity,
                            access_rule_people_group::Column::PeopleGroup,
                        )),
                ),
        )
        .and_where(access_rule_people_group::Column::Tenant.eq(scope.tenant.0));
    want(
        &mut by_group,
        Expr::col((access_rule_people_group::Entity, access_rule_people_group::Column::Rule)),
        Expr::col((people_group_member::Entity, people_group_member::Column::Person)),
    );
    named
        .union(UnionType::Distinct, by_unit)
        .union(UnionType::Distinct, by_house)
        .union(UnionType::Distinct, by_group)
        .take()
}

/// The ids of the rules that allow a person, also those put aside and those of other days.
pub fn rules_of(scope: &Scope, person: PersonId) -> SelectStatement {
    allowed(scope, |select, rule, whom| {
        select.expr(rule).and_where(whom.eq(person.0));
    })
}

/// Whether the rule of a row of `access_rule` opens the door of this column.
pub fn opens(door: Expr) -> Condition {
    let named = Condition::all()
        .add(
            Expr::col((access_rule_door::Entity, access_rule_door::Column::Tenant))
                .equals((access_rule::Entity, access_rule::Column::Tenant)),
        )
        .add(
            Expr::col((access_rule_door::Entity, access_rule_door::Column::Rule))
                .equals((access_rule::Entity, access_rule::Column::Id)),
        )
        .add(Expr::col((access_rule_door::Entity, access_rule_door::Column::Door)).eq(door.clone()));
    let in_group = Query::select()
        .expr(Expr::val(1))
        .from(access_rule_door_group::Entity)
        .join(JoinType::InnerJoin, door_group_door::Entity, of_named_group())
        .and_where(
            Expr::col((access_rule_door_group::Entity, access_rule_door_group::Column::Tenant))
                .equals((access_rule::Entity, access_rule::Column::Tenant)),
        )
        .and_where(
            Expr::col((access_rule_door_group::Entity, access_rule_door_group::Column::Rule))
                .equals((access_rule::Entity, access_rule::Column::Id)),
        )
        .and_where(Expr::col((door_group_door::Entity, door_group_door::Column::Door)).eq(door))
        .take();
    Condition::any()
        .add(access_rule::Column::AllDoors.eq(true))
        .add(super::reach::exists(access_rule_door::Entity, named))
        .add(Expr::exists(in_group))
}

/// A door in a group of doors that a rule names.
pub fn of_named_group() -> Condition {
    Condition::all()
        .add(
            Expr::col((door_group_door::Entity, door_group_door::Column::Tenant))
                .equals((access_rule_door_group::Entity, access_rule_door_group::Column::Tenant)),
        )
        .add(
            Expr::col((door_group_door::Entity, door_group_door::Column::DoorGroup))
                .equals((access_rule_door_group::Entity, access_rule_door_group::Column::DoorGroup)),
        )
}

/// The rules that are not put aside and whose days may be these.
pub fn counting(scope: &Scope) -> Condition {
    let day = scope.at.as_millis().div_euclid(MILLIS_OF_DAY);
    Condition::all()
        .add(access_rule::Column::Tenant.eq(scope.tenant.0))
        .add(access_rule::Column::Active.eq(true))
        .add(access_rule::Column::FirstDay.is_null().or(access_rule::Column::FirstDay.lte(day + 1)))
        .add(access_rule::Column::LastDay.is_null().or(access_rule::Column::LastDay.gte(day - 1)))
}

/// The doors that rules open for a person, at some hours.
pub fn doors_opened(scope: &Scope, person: PersonId) -> SelectStatement {
    Query::select()
        .column((door::Entity, door::Column::Id))
        .from(access_rule::Entity)
        .join(JoinType::InnerJoin, door::Entity, of_same_building())
        .cond_where(counting(scope))
        .and_where(
            Expr::col((access_rule::Entity, access_rule::Column::Id)).in_subquery(rules_of(scope, person)),
        )
        .cond_where(opens(Expr::col((door::Entity, door::Column::Id))))
        .take()
}

/// A door and a rule of the same building.
pub fn of_same_building() -> Condition {
    Condition::all()
        .add(
            Expr::col((door::Entity, door::Column::Tenant))
                .equals((access_rule::Entity, access_rule::Column::Tenant)),
        )
        .add(
            Expr::col((door::Entity, door::Column::Building))
                .equals((access_rule::Entity, access_rule::Column::Building)),
        )
}

/// The ids of the rules that open a door, at some hours.
pub fn rules_opening(scope: &Scope, door: &klinke_model::door::Door) -> SelectStatement {
    Query::select()
        .column((access_rule::Entity, access_rule::Column::Id))
        .from(access_rule::Entity)
        .cond_where(counting(scope))
        .and_where(Expr::col((access_rule::Entity, access_rule::Column::Building)).eq(door.building.0))
        .cond_where(opens(Expr::val(door.id.0)))
        .take()
}
