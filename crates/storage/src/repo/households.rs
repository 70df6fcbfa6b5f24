//! Who lives in one's own home, and what its unit owner decides (R15).
//!
//! A unit owner takes people in and out as far as the building's policy leaves it to them, and takes out only whom the
//! household took in itself. Nothing here is in the audit, which tells what administrators did; they see the people where
//! they see everybody.

use crate::entity::{
    account, bell, bell_member, building, building_policy, device, household_member, invitation, job,
    membership, person, unit,
};
use crate::record::{Household, HouseholdMember, JobKind, Joined, Left, NewMember, Refused, WayToMember};
use crate::repo::convert::{At, Word};
use crate::repo::news::{self, News};
use crate::repo::people::{self, end_place, units_of};
use crate::repo::people_change::{building_of, has_role, place, set_active, sign_everything_out};
use crate::repo::{invitations, jobs, reach};
use crate::tx::{self, Isolation, Tx};
use crate::{Result, StorageError, Store};
use klinke_model::alphabet::Alphabet;
use klinke_model::events::EventKind;
use klinke_model::ids::{BellId, PersonId, UnitId};
use klinke_model::intercom::{BellKind, Moderation};
use klinke_model::policy::{Asking, BellChange, BuildingPolicy, DecidedBy};
use klinke_model::scope::Scope;
use klinke_model::time::Timestamp;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
};
use std::collections::{BTreeMap, HashSet};
use uuid::Uuid;

/// The most people that a unit owner fills a home with; administrators may place more.
pub const FULL: usize = 12;

/// People's own homes: for who lives in them; what changes them, for their unit owners.
///
/// Every function fails only when the database can not do its work; what is not there, or not theirs, is empty or
/// [`Refused::NotThere`].
#[derive(Debug)]
pub struct Households<'a>(pub(crate) &'a Store);

impl Households<'_> {
    /// The homes of the person who asks, by building and number, with everybody who lives there.
    pub async fn mine(&self, scope: &Scope) -> Result<Vec<Household>> {
        let Some(who) = scope.person() else { return Ok(Vec::new()) };
        tx::read(self.0, |tx| async move { homes_of(&*tx, scope, who, Expr::val(true)).await }).await
    }

    /// Takes somebody new in, with a link to set a password. The shared buttons that ring the asker ring them too.
    ///
    /// # Errors
    /// [`StorageError::Conflict`] when the person is there already.
    pub async fn take_in(&self, scope: &Scope, now: Timestamp, new: NewMember) -> Result<Joined> {
        let new = &new;
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            let Some(home) = owned(&*tx, scope, new.unit).await? else { return refused(Refused::NotThere) };
            if !home.policy.add_members {
                return refused(Refused::Decided(DecidedBy::Administrator));
            }
            if members(&*tx, scope, new.unit.0).await?.len() >= FULL {
                return refused(Refused::Full);
            }
            people::insert(&*tx, scope.tenant, &new.person).await?;
            place(&tx, scope, new.person.id, new.unit, false).await?;
            let row = household_member::ActiveModel {
                tenant: Set(scope.tenant.0),
                unit: Set(new.unit.0),
                person: Set(new.person.id.0),
            };
            household_member::Entity::insert(row).exec_without_returning(&*tx).await?;
            join_buttons(&tx, scope, new).await?;
            invite(&tx, scope, now, new.person.id, new.way).await?;
            let there = building_of(&*tx, scope, new.unit).await?;
            let news = [
                News::of_person(&tx, scope, EventKind::PersonCreated, new.person.id).await?,
                News::of_place(EventKind::MembershipBegan, there, new.unit, new.person.id),
            ];
            news::tell(&tx, scope, &news::at_home(now, new.person.id), &news).await?;
            Ok(Joined::Done)
        })
        .await
    }

    /// Gives somebody whom the household took in a new link, as long as they have no password: the one before ends. Whoever
    /// has a home elsewhere or a role by now is the administrators'.
    pub async fn invite_member(
        &self,
        scope: &Scope,
        now: Timestamp,
        unit: UnitId,
        person: PersonId,
        way: WayToMember,
    ) -> Result<Joined> {
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            if owned(&*tx, scope, unit).await?.is_none() || !is_taken_in(&*tx, scope, unit, person).await? {
                return refused(Refused::NotThere);
            }
            let homes = membership::Entity::find()
                .filter(membership::Column::Tenant.eq(scope.tenant.0))
                .filter(membership::Column::Person.eq(person.0))
                .count(&*tx)
                .await?;
            let key = (scope.tenant.0, person.0);
            let known = account::Entity::find_by_id(key).one(&*tx).await?.is_some();
            if known || homes != 1 || reach::holds(&*tx, has_role(scope, person)).await? {
                return refused(Refused::NotThem);
            }
            invite(&tx, scope, now, person, way).await?;
            Ok(Joined::Done)
        })
        .await
    }

    /// Takes out somebody whom the household took in: their place and their buttons end, and when nothing else lets them
    /// in, all they had.
    pub async fn take_out(&self, scope: &Scope, unit: UnitId, person: PersonId) -> Result<Left> {
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            if owned(&*tx, scope, unit).await?.is_none() {
                return Ok(Left::Refused(Refused::NotThere));
            }
            let place = membership::Entity::find_by_id((scope.tenant.0, unit.0, person.0)).one(&*tx).await?;
            let Some(place) = place else { return Ok(Left::Refused(Refused::NotThere)) };
            if place.owner || !is_taken_in(&*tx, scope, unit, person).await? {
                return Ok(Left::Refused(Refused::Decided(DecidedBy::Administrator)));
            }
            end_place(&*tx, scope, person, unit).await?;
            let (stamp, there) = (news::at_home(scope.at, person), building_of(&*tx, scope, unit).await?);
            let left = News::of_place(EventKind::MembershipEnded, there, unit, person);
            news::tell(&tx, scope, &stamp, &[left]).await?;
            let lives = reach::exists(
                membership::Entity,
                Condition::all()
                    .add(membership::Column::Tenant.eq(scope.tenant.0))
                    .add(membership::Column::Person.eq(person.0)),
            );
            if reach::holds(&*tx, lives.or(has_role(scope, person))).await? {
                let devices = device::Entity::find()
                    .filter(device::Column::Tenant.eq(scope.tenant.0))
                    .filter(device::Column::Person.eq(person.0))
                    .all(&*tx)
                    .await?;
                let fewer_doors = devices.into_iter().map(|device| device.id.into()).collect();
                return Ok(Left::Done { signed_out: Vec::new(), fewer_doors });
            }
            let key = (scope.tenant.0, person.0);
            let signed_out = sign_everything_out(&*tx, scope, person).await?;
            account::Entity::delete_by_id(key).exec(&*tx).await?;
            invitation::Entity::delete_by_id(key).exec(&*tx).await?;
            invitations::cancel(&tx, scope, person).await?;
            set_active(&*tx, scope, person, false).await?;
            let suspended = News::of_place(EventKind::PersonSuspended, there, unit, person);
            news::tell(&tx, scope, &stamp, &[suspended]).await?;
            Ok(Left::Done { signed_out, fewer_doors: Vec::new() })
        })
        .await
    }

    /// Gives a member a button of their own on each panel that has one of the home's. `ids` are new, one for each panel.
    pub async fn give_button(
        &self,
        scope: &Scope,
        unit: UnitId,
        person: PersonId,
        ids: &[BellId],
    ) -> Result<Joined> {
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            let Some(home) = owned(&*tx, scope, unit).await? else { return refused(Refused::NotThere) };
            let members = members(&*tx, scope, unit.0).await?;
            let Some(member) = members.into_iter().find(|member| member.person == person) else {
                return refused(Refused::NotThere);
            };
            let wish = BellChange::Kind(BellKind::Individual);
            if let Err(decided) = home.policy.resident_may(wish, Asking { owner: true, removed: false }) {
                return refused(Refused::Decided(decided));
            }
            let Some(name) = member.name else { return refused(Refused::NotThem) };
            let bells = bell::Entity::find()
                .filter(bell::Column::Tenant.eq(scope.tenant.0))
                .filter(bell::Column::Unit.eq(unit.0))
                .all(&*tx)
                .await?;
            let own = own_buttons(&*tx, scope, unit.0).await?;
            let has: HashSet<Uuid> = own
                .iter()
                .filter(|(bell, of)| *of == person.0 && bell.unit == unit.0)
                .map(|(bell, _)| bell.panel)
                .collect();
            // behind the last of the home's on each panel; equal places are in the order of the ids, which grow
            let mut panels: BTreeMap<Uuid, i32> = BTreeMap::new();
            for bell in bells.iter().filter(|bell| !has.contains(&bell.panel)) {
                let last = panels.entry(bell.panel).or_insert(bell.position);
                *last = std::cmp::max(bell.position, *last);
            }
            if panels.is_empty() {
                return refused(Refused::NotThem);
            }
            for ((panel, position), id) in panels.into_iter().zip(ids) {
                let row = bell::ActiveModel {
                    tenant: Set(scope.tenant.0),
                    id: Set(id.0),
                    building: Set(home.building),
                    panel: Set(panel),
                    unit: Set(unit.0),
                    label: Set(name.reveal().as_str().to_owned()),
                    sort_label: Set(Alphabet::Norwegian.key(name.reveal().as_str()).into_bytes()),
                    kind: Set(BellKind::Individual.word().to_owned()),
                    position: Set(position),
                    moderation: Set(Moderation::Pending.word().to_owned()),
                    ..Default::default()
                };
                bell::Entity::insert(row).exec_without_returning(&*tx).await?;
                let row = bell_member::ActiveModel {
                    tenant: Set(scope.tenant.0),
                    bell: Set(id.0),
                    person: Set(person.0),
                    unit: Set(unit.0),
                    label: Set(name.reveal().as_str().to_owned()),
                    position: Set(0),
                };
                bell_member::Entity::insert(row).exec_without_returning(&*tx).await?;
            }
            Ok(Joined::Done)
        })
        .await
    }

    /// Hands on who decides for a home, to a member with a password.
    pub async fn hand_on(&self, scope: &Scope, unit: UnitId, person: PersonId) -> Result<Joined> {
        let Some(who) = scope.person() else { return refused(Refused::NotThere) };
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            if owned(&*tx, scope, unit).await?.is_none() || person == who {
                return refused(Refused::NotThere);
            }
            let members = members(&*tx, scope, unit.0).await?;
            let Some(member) = members.into_iter().find(|member| member.person == person) else {
                return refused(Refused::NotThere);
            };
            if !member.has_account {
                return refused(Refused::NotThem);
            }
            for (person, owner) in [(person, true), (who, false)] {
                membership::Entity::update_many()
                    .col_expr(membership::Column::Owner, Expr::val(owner))
                    .filter(membership::Column::Tenant.eq(scope.tenant.0))
                    .filter(membership::Column::Unit.eq(unit.0))
                    .filter(membership::Column::Person.eq(person.0))
                    .exec(&*tx)
                    .await?;
            }
            // who decides for a home is not taken out of it by whoever decides next
            household_member::Entity::delete_by_id((scope.tenant.0, unit.0, person.0)).exec(&*tx).await?;
            let there = building_of(&*tx, scope, unit).await?;
            let news =
                [person, who].map(|one| News::of_place(EventKind::MembershipChanged, there, unit, one));
            news::tell(&tx, scope, &news::at_home(scope.at, person), &news).await?;
            Ok(Joined::Done)
        })
        .await
    }
}

/// Somebody's homes, by building and number, with everybody who lives there; none while they are suspended. `there` says
/// of the unit's building whether it counts.
pub(super) async fn homes_of(
    db: &impl ConnectionTrait,
    scope: &Scope,
    who: PersonId,
    there: Expr,
) -> Result<Vec<Household>> {
    if !is_active(db, scope, who).await? {
        return Ok(Vec::new());
    }
    let units = unit::Entity::find()
        .filter(unit::Column::Tenant.eq(scope.tenant.0))
        .filter(unit::Column::Id.in_subquery(units_of(scope, who)))
        .filter(there)
        .all(db)
        .await?;
    let mut homes = Vec::with_capacity(units.len());
    for unit in units {
        let key = (scope.tenant.0, unit.building);
        // a foreign key sees to it that it is there
        let Some(building) = building::Entity::find_by_id(key).one(db).await? else { continue };
        let row = building_policy::Entity::find_by_id((scope.tenant.0, building.id)).one(db).await?;
        let members = members(db, scope, unit.id).await?;
        let bells = bell::Entity::find()
            .filter(bell::Column::Tenant.eq(scope.tenant.0))
            .filter(bell::Column::Unit.eq(unit.id));
        homes.push(Household {
            unit: unit.id.into(),
            number: At("unit", "number").label(&unit.number)?,
            building: building.id.into(),
            building_name: At("building", "name").label(&building.name)?,
            owner: members.iter().any(|member| member.person == who && member.owner),
            policy: policy_of(row.as_ref())?,
            has_bells: bells.count(db).await? > 0,
            members,
        });
    }
    homes.sort_by(|a, b| (&a.building_name, &a.number, a.unit).cmp(&(&b.building_name, &b.number, b.unit)));
    Ok(homes)
}

/// Puts somebody new behind the shared buttons of the home that ring whoever takes them in, under their name, which waits
/// for an administrator's look like every text of a resident.
async fn join_buttons(tx: &Tx, scope: &Scope, new: &NewMember) -> Result<()> {
    let (Some(who), Some(name)) = (scope.person(), &new.person.name) else { return Ok(()) };
    let rows = bell_member::Entity::find()
        .filter(bell_member::Column::Tenant.eq(scope.tenant.0))
        .filter(bell_member::Column::Unit.eq(new.unit.0))
        .find_both_related(bell::Entity)
        .filter(bell::Column::Kind.ne(BellKind::Individual.word()))
        .all(&**tx)
        .await?;
    let mut last: BTreeMap<Uuid, i32> = BTreeMap::new();
    for (row, _) in &rows {
        let place = last.entry(row.bell).or_insert(row.position);
        *place = std::cmp::max(row.position, *place);
    }
    let with_them: HashSet<Uuid> =
        rows.iter().filter(|(row, _)| row.person == who.0).map(|(row, _)| row.bell).collect();
    for (bell, last) in last.into_iter().filter(|(bell, _)| with_them.contains(bell)) {
        let row = bell_member::ActiveModel {
            tenant: Set(scope.tenant.0),
            bell: Set(bell),
            person: Set(new.person.id.0),
            unit: Set(new.unit.0),
            label: Set(name.reveal().as_str().to_owned()),
            position: Set(last.saturating_add(1)),
        };
        bell_member::Entity::insert(row).exec_without_returning(&**tx).await?;
        bell::Entity::update_many()
            .col_expr(bell::Column::Moderation, Expr::val(Moderation::Pending.word()))
            .col_expr(bell::Column::Version, Expr::col(bell::Column::Version).add(1))
            .filter(bell::Column::Tenant.eq(scope.tenant.0))
            .filter(bell::Column::Id.eq(bell))
            .filter(bell::Column::Moderation.ne(Moderation::Removed.word()))
            .exec(&**tx)
            .await?;
    }
    Ok(())
}

fn refused(why: Refused) -> Result<Joined> {
    Ok(Joined::Refused(why))
}

/// The policy of a building; what nobody changed is the default.
pub(super) fn policy_of(row: Option<&building_policy::Model>) -> Result<BuildingPolicy> {
    let Some(row) = row else { return Ok(BuildingPolicy::default()) };
    serde_json::from_str(&row.policy)
        .map_err(|_| StorageError::Corrupt { table: "building_policy", column: "policy" })
}

struct Owned {
    building: Uuid,
    policy: BuildingPolicy,
}

/// The home, when the person who asks decides for it.
async fn owned(db: &impl ConnectionTrait, scope: &Scope, unit: UnitId) -> Result<Option<Owned>> {
    let Some(who) = scope.person() else { return Ok(None) };
    let place = membership::Entity::find_by_id((scope.tenant.0, unit.0, who.0)).one(db).await?;
    if !place.is_some_and(|place| place.owner) || !is_active(db, scope, who).await? {
        return Ok(None);
    }
    let Some(home) = unit::Entity::find_by_id((scope.tenant.0, unit.0)).one(db).await? else {
        return Ok(None);
    };
    let row = building_policy::Entity::find_by_id((scope.tenant.0, home.building)).one(db).await?;
    Ok(Some(Owned { building: home.building, policy: policy_of(row.as_ref())? }))
}

pub(super) async fn is_active(db: &impl ConnectionTrait, scope: &Scope, who: PersonId) -> Result<bool> {
    let found = person::Entity::find_by_id((scope.tenant.0, who.0)).one(db).await?;
    Ok(found.is_some_and(|person| person.active))
}

async fn is_taken_in(
    db: &impl ConnectionTrait,
    scope: &Scope,
    unit: UnitId,
    person: PersonId,
) -> Result<bool> {
    let key = (scope.tenant.0, unit.0, person.0);
    Ok(household_member::Entity::find_by_id(key).one(db).await?.is_some())
}

/// A link to set a password; the one before ends.
async fn invite(tx: &Tx, scope: &Scope, now: Timestamp, person: PersonId, way: WayToMember) -> Result<()> {
    invitation::Entity::delete_by_id((scope.tenant.0, person.0)).exec(&**tx).await?;
    match way {
        WayToMember::Mail(job) => jobs::enqueue(tx, scope, job, JobKind::Invite, person.0, now).await,
        WayToMember::Hand(token_hash, ends_at) => {
            invitations::cancel(tx, scope, person).await?;
            invitations::store(tx, scope, person, token_hash, ends_at).await
        }
    }
}

/// Everybody who lives in a unit: owners first, then by name.
async fn members(db: &impl ConnectionTrait, scope: &Scope, unit: Uuid) -> Result<Vec<HouseholdMember>> {
    let rows = membership::Entity::find()
        .filter(membership::Column::Tenant.eq(scope.tenant.0))
        .filter(membership::Column::Unit.eq(unit))
        .find_both_related(person::Entity)
        .all(db)
        .await?;
    let people = || rows.iter().map(|(place, _)| place.person);
    let accounts = account::Entity::find()
        .filter(account::Column::Tenant.eq(scope.tenant.0))
        .filter(account::Column::Person.is_in(people()))
        .all(db)
        .await?;
    let accounts: HashSet<Uuid> = accounts.into_iter().map(|row| row.person).collect();
    let links = invitation::Entity::find()
        .filter(invitation::Column::Tenant.eq(scope.tenant.0))
        .filter(invitation::Column::Person.is_in(people()))
        .filter(invitation::Column::Used.eq(false))
        .filter(invitation::Column::EndsAt.gt(scope.at.as_millis()))
        .all(db)
        .await?;
    let waiting = job::Entity::find()
        .filter(job::Column::Tenant.eq(scope.tenant.0))
        .filter(job::Column::Kind.eq(JobKind::Invite.word()))
        .filter(job::Column::Subject.is_in(people()))
        .all(db)
        .await?;
    let invited: HashSet<Uuid> =
        links.into_iter().map(|row| row.person).chain(waiting.into_iter().map(|row| row.subject)).collect();
    let taken_in = household_member::Entity::find()
        .filter(household_member::Column::Tenant.eq(scope.tenant.0))
        .filter(household_member::Column::Unit.eq(unit))
        .all(db)
        .await?;
    let taken_in: HashSet<Uuid> = taken_in.into_iter().map(|row| row.person).collect();
    let own: HashSet<Uuid> =
        own_buttons(db, scope, unit).await?.into_iter().map(|(_, person)| person).collect();
    let mut found = Vec::with_capacity(rows.len());
    for (place, person) in &rows {
        found.push(HouseholdMember {
            person: person.id.into(),
            name: At("person", "name").name(&person.name)?,
            owner: place.owner,
            taken_in: taken_in.contains(&person.id),
            has_account: accounts.contains(&person.id),
            invited: invited.contains(&person.id),
            own_button: own.contains(&person.id),
        });
    }
    found.sort_by(|a, b| (!a.owner, &a.name, a.person).cmp(&(!b.owner, &b.name, b.person)));
    Ok(found)
}

/// The buttons of a unit that are for one of its people alone, and for whom.
async fn own_buttons(
    db: &impl ConnectionTrait,
    scope: &Scope,
    unit: Uuid,
) -> Result<Vec<(bell::Model, Uuid)>> {
    let rows = bell_member::Entity::find()
        .filter(bell_member::Column::Tenant.eq(scope.tenant.0))
        .filter(bell_member::Column::Unit.eq(unit))
        .order_by_asc(bell_member::Column::Bell)
        .all(db)
        .await?;
    let bells = bell::Entity::find()
        .filter(bell::Column::Tenant.eq(scope.tenant.0))
        .filter(bell::Column::Unit.eq(unit))
        .filter(bell::Column::Kind.eq(BellKind::Individual.word()))
        .all(db)
        .await?;
    let of = |bell: bell::Model| {
        let member = rows.iter().find(|row| row.bell == bell.id)?.person;
        Some((bell, member))
    };
    Ok(bells.into_iter().filter_map(of).collect())
}
