//! Who lives here: the homes of a building with their people, and whether a visitor reaches somebody.

use crate::entity::{account, bell, bell_member, device, entrance, invitation, membership, person, unit};
use crate::record::{HomeMember, HomeRow, HomeState, HomesPage, HomesQuery};
use crate::repo::convert::{At, Word};
use crate::repo::people_page::{SEARCH_WORDS, by_word, unit_begins};
use crate::repo::reach;
use crate::{Result, Store};
use klinke_model::ids::BuildingId;
use klinke_model::rights::Right;
use klinke_model::scope::Scope;
use klinke_model::time::Timestamp;
use sea_orm::sea_query::{
    Alias, CaseStatement, Expr, ExprTrait, IntoColumnRef, JoinType, Order, Query, SelectStatement,
};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, QueryResult};
use uuid::Uuid;

/// Who lives where, who may open what, which keys are out, what was forgotten: for who sees people in the building.
///
/// Every function fails only when the database can not do its work; what is not there, or not the principal's, is
/// `None` or empty.
#[derive(Debug)]
pub struct Who<'a>(pub(crate) &'a Store);

/// The page, in the outer statement.
const U: &str = "u";

impl Who<'_> {
    /// A page of a building's homes.
    pub async fn homes(&self, scope: &Scope, building: BuildingId, query: &HomesQuery) -> Result<HomesPage> {
        let mut homes = rows(self.0, page(scope, building, query)).await?;
        let limit = usize::from(query.limit);
        let more = homes.len() > limit;
        homes.truncate(limit);
        Ok(HomesPage { homes, more })
    }

    /// How many homes of a building are in which state; states that none is in are left out.
    pub async fn home_counts(&self, scope: &Scope, building: BuildingId) -> Result<Vec<(HomeState, u64)>> {
        let states = Query::select()
            .expr_as(state(), "state")
            .from(unit::Entity)
            .cond_where(here(scope, building))
            .take();
        let counts = Query::select()
            .column((Alias::new(U), Alias::new("state")))
            .expr_as(Expr::col((Alias::new(U), Alias::new("state"))).count(), "homes")
            .from_subquery(states, U)
            .group_by_col((Alias::new(U), Alias::new("state")))
            .take();
        let mut all = Vec::new();
        for row in self.0.reader.query_all(&counts).await? {
            let state: HomeState = At("unit", "state").choice(&row.try_get::<String>("", "state")?)?;
            all.push((state, At("unit", "homes").number(row.try_get("", "homes")?)?));
        }
        all.sort_by_key(|(state, _)| HomeState::ALL.iter().position(|one| one == state));
        Ok(all)
    }
}

fn here(scope: &Scope, building: BuildingId) -> Condition {
    Condition::all()
        .add(unit::Column::Tenant.eq(scope.tenant.0))
        .add(unit::Column::Building.eq(building.0))
        .add(reach::may(scope, Right::SeePeople, unit::Column::Building))
}

/// The homes of a page and one more, without their people.
fn page(scope: &Scope, building: BuildingId, query: &HomesQuery) -> SelectStatement {
    let mut select = Query::select();
    select
        .columns(
            [
                unit::Column::Tenant,
                unit::Column::Id,
                unit::Column::Entrance,
                unit::Column::Number,
                unit::Column::Folded,
            ]
            .map(|column| (unit::Entity, column)),
        )
        .expr_as(state(), "state")
        .from(unit::Entity)
        .cond_where(here(scope, building));
    for word in klinke_model::fold::words(&query.text).iter().take(SEARCH_WORDS) {
        let of_found = Query::select()
            .column(membership::Column::Unit)
            .from(membership::Entity)
            .and_where(membership::Column::Tenant.eq(scope.tenant.0))
            .and_where(membership::Column::Person.in_subquery(by_word(scope, word)))
            .take();
        select.and_where(unit_begins(scope, word).or(unit::Column::Id.in_subquery(of_found)));
    }
    if !query.states.is_empty() {
        select.and_where(Expr::expr(state()).is_in(query.states.iter().map(|state| state.word())));
    }
    if let Some(after) = query.after {
        let last = Query::select()
            .column(unit::Column::Folded)
            .from(unit::Entity)
            .and_where(unit::Column::Tenant.eq(scope.tenant.0))
            .and_where(unit::Column::Id.eq(after.0))
            .take();
        let here = Expr::tuple([
            Expr::col((unit::Entity, unit::Column::Folded)),
            Expr::col((unit::Entity, unit::Column::Id)),
        ]);
        select.and_where(
            here.gt(Expr::tuple([Expr::SubQuery(None, Box::new(last.into())), Expr::val(after.0)])),
        );
    }
    select
        .order_by((unit::Entity, unit::Column::Folded), Order::Asc)
        .order_by((unit::Entity, unit::Column::Id), Order::Asc)
        .limit(u64::from(query.limit) + 1)
        .take()
}

/// The state of a unit, as a word. What rings is what a tap on a button would ring (`Intercom::ring_facts`): the devices
/// of the button's active members.
fn state() -> Expr {
    let lives = |also: Option<Expr>| {
        let mut select = Query::select();
        select
            .expr(Expr::val(1))
            .from(membership::Entity)
            .and_where(same((membership::Entity, membership::Column::Tenant), unit::Column::Tenant))
            .and_where(same((membership::Entity, membership::Column::Unit), unit::Column::Id));
        if let Some(also) = also {
            select.join(JoinType::InnerJoin, person::Entity, member_is_person()).and_where(also);
        }
        Expr::exists(select.take())
    };
    let active = || person::Column::Active.eq(true);
    let has_button = Expr::exists(
        Query::select()
            .expr(Expr::val(1))
            .from(bell::Entity)
            .and_where(same((bell::Entity, bell::Column::Tenant), unit::Column::Tenant))
            .and_where(same((bell::Entity, bell::Column::Unit), unit::Column::Id))
            .take(),
    );
    let is_member = Condition::all()
        .add(pair(
            (bell_member::Entity, bell_member::Column::Tenant),
            (person::Entity, person::Column::Tenant),
        ))
        .add(pair((bell_member::Entity, bell_member::Column::Person), (person::Entity, person::Column::Id)));
    let rings = Expr::exists(
        Query::select()
            .expr(Expr::val(1))
            .from(bell_member::Entity)
            .join(JoinType::InnerJoin, person::Entity, is_member)
            .and_where(same((bell_member::Entity, bell_member::Column::Tenant), unit::Column::Tenant))
            .and_where(same((bell_member::Entity, bell_member::Column::Unit), unit::Column::Id))
            .and_where(active())
            .and_where(has_device())
            .take(),
    );
    let (account, device) =
        (lives(Some(active().and(has_account()))), lives(Some(active().and(has_device()))));
    CaseStatement::new()
        .case(lives(None).not(), HomeState::Empty.word())
        .case(rings, HomeState::Rung.word())
        .case(lives(Some(active())).not(), HomeState::Suspended.word())
        .case(device.clone().or(account).not(), HomeState::NoAccount.word())
        .case(device.not(), HomeState::NoDevice.word())
        .case(has_button.not(), HomeState::NoButton.word())
        .finally(HomeState::NotOnButton.word())
        .into()
}

/// That a column of a unit has this value.
fn same(left: impl IntoColumnRef, right: unit::Column) -> Expr {
    pair(left, (unit::Entity, right))
}

fn pair(left: impl IntoColumnRef, right: impl IntoColumnRef) -> Expr {
    Expr::col(left).eq(Expr::col(right))
}

pub(super) fn member_is_person() -> Condition {
    Condition::all()
        .add(pair((membership::Entity, membership::Column::Tenant), (person::Entity, person::Column::Tenant)))
        .add(pair((membership::Entity, membership::Column::Person), (person::Entity, person::Column::Id)))
}

/// That the person (of the statement around it) has a sign-in.
pub(super) fn has_account() -> Expr {
    Expr::exists(
        Query::select()
            .expr(Expr::val(1))
            .from(account::Entity)
            .and_where(pair(
                (account::Entity, account::Column::Tenant),
                (person::Entity, person::Column::Tenant),
            ))
            .and_where(pair((account::Entity, account::Column::Person), (person::Entity, person::Column::Id)))
            .take(),
    )
}

/// That the person (of the statement around it) is signed in on a device.
pub(super) fn has_device() -> Expr {
    Expr::exists(
        Query::select()
            .expr(Expr::val(1))
            .from(device::Entity)
            .and_where(pair(
                (device::Entity, device::Column::Tenant),
                (person::Entity, person::Column::Tenant),
            ))
            .and_where(pair((device::Entity, device::Column::Person), (person::Entity, person::Column::Id)))
            .take(),
    )
}

/// The end of the person's link that was not used, open or not.
pub(super) fn invited_until() -> Expr {
    let link = Query::select()
        .column((invitation::Entity, invitation::Column::EndsAt))
        .from(invitation::Entity)
        .and_where(pair(
            (invitation::Entity, invitation::Column::Tenant),
            (person::Entity, person::Column::Tenant),
        ))
        .and_where(pair(
            (invitation::Entity, invitation::Column::Person),
            (person::Entity, person::Column::Id),
        ))
        .and_where(Expr::col((invitation::Entity, invitation::Column::Used)).eq(false))
        .take();
    Expr::SubQuery(None, Box::new(link.into()))
}

/// The homes with their people: a row for each, put together again.
async fn rows(store: &Store, inner: SelectStatement) -> Result<Vec<HomeRow>> {
    let of_page = |column: unit::Column| Expr::col((Alias::new(U), column));
    let members = Condition::all()
        .add(Expr::col((membership::Entity, membership::Column::Tenant)).eq(of_page(unit::Column::Tenant)))
        .add(Expr::col((membership::Entity, membership::Column::Unit)).eq(of_page(unit::Column::Id)));
    let entrances = Condition::all()
        .add(Expr::col((entrance::Entity, entrance::Column::Tenant)).eq(of_page(unit::Column::Tenant)))
        .add(Expr::col((entrance::Entity, entrance::Column::Id)).eq(of_page(unit::Column::Entrance)));
    let statement = Query::select()
        .expr_as(of_page(unit::Column::Id), "unit_id")
        .expr_as(of_page(unit::Column::Number), "unit_number")
        .expr_as(Expr::col((entrance::Entity, entrance::Column::Name)), "entrance_name")
        .expr_as(Expr::col((Alias::new(U), Alias::new("state"))), "state")
        .expr_as(Expr::col((membership::Entity, membership::Column::Owner)), "owner")
        .expr_as(Expr::col((person::Entity, person::Column::Id)), "person_id")
        .expr_as(Expr::col((person::Entity, person::Column::Name)), "person_name")
        .expr_as(Expr::col((person::Entity, person::Column::Active)), "person_active")
        .expr_as(has_account(), "has_account")
        .expr_as(has_device(), "has_device")
        .expr_as(invited_until(), "invited_until")
        .from_subquery(inner, U)
        .join(JoinType::InnerJoin, entrance::Entity, entrances)
        .join(JoinType::LeftJoin, membership::Entity, members)
        .join(JoinType::LeftJoin, person::Entity, member_is_person())
        .order_by((Alias::new(U), unit::Column::Folded), Order::Asc)
        .order_by((Alias::new(U), unit::Column::Id), Order::Asc)
        .order_by((person::Entity, person::Column::SortName), Order::Asc)
        .order_by((person::Entity, person::Column::Id), Order::Asc)
        .take();
    let mut homes: Vec<HomeRow> = Vec::new();
    for row in store.reader.query_all(&statement).await? {
        let unit: Uuid = row.try_get("", "unit_id")?;
        let member = member(&row)?;
        match homes.last_mut() {
            Some(last) if last.unit.0 == unit => last.members.extend(member),
            _ => homes.push(HomeRow {
                unit: unit.into(),
                number: At("unit", "number").label(&row.try_get::<String>("", "unit_number")?)?,
                entrance: At("entrance", "name").label(&row.try_get::<String>("", "entrance_name")?)?,
                state: At("unit", "state").choice(&row.try_get::<String>("", "state")?)?,
                members: member.into_iter().collect(),
            }),
        }
    }
    Ok(homes)
}

fn member(row: &QueryResult) -> Result<Option<HomeMember>> {
    let Some(person) = row.try_get::<Option<Uuid>>("", "person_id")? else { return Ok(None) };
    Ok(Some(HomeMember {
        person: person.into(),
        name: At("person", "name").name(&row.try_get::<String>("", "person_name")?)?,
        owner: row.try_get("", "owner")?,
        active: row.try_get("", "person_active")?,
        has_account: row.try_get("", "has_account")?,
        has_device: row.try_get("", "has_device")?,
        invited_until: row.try_get::<Option<i64>>("", "invited_until")?.map(Timestamp::from_millis),
    }))
}
