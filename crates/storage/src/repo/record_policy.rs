//! Whether records of use are kept in a commercial building: what for, how long, who asked and who agreed.
//!
//! ```text
//!   always commercial      asked ──────────────────────────────▶ on
//!   residential before     asked ── another agrees ── 30 days ─▶ on     30 days after the people were told, at the earliest
//!   on ── another purpose ─▶ asked anew, and what was kept for the purpose before is deleted; where a second administrator had
//!                            to agree, also for more days or another day on which the people were told
//! ```
//!
//! Nothing is retroactive: what happened before it began is not kept, and a record goes when it was said that it would, also when
//! others are kept for longer since. Switching it off deletes every record in the same transaction, as does making the
//! building residential or mixed. Asked for and agreed to by people only.

use crate::entity::{access_record, building, person, record_policy, record_policy_by, record_reading};
use crate::record::{NamedPerson, NewRecordPolicy, RecordHouse, RecordPolicy, RecordsSet, Stamp};
use crate::repo::audit::{self, Change};
use crate::repo::convert::At;
use crate::repo::reach;
use crate::repo::records::{DAY_MS, Records};
use crate::tx::{self, Isolation, Tx};
use crate::{Result, StorageError};
use klinke_access::snapshot;
use klinke_access::zone::Zone;
use klinke_model::ids::{BuildingId, PersonId};
use klinke_model::privacy::{AnySite, Commercial, Site};
use klinke_model::purpose::Purpose;
use klinke_model::rights::Right;
use klinke_model::scope::Scope;
use klinke_model::time::Timestamp;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};
use uuid::Uuid;

/// How many days before records begin the people must have been told, where they lived with none.
const NOTICE_DAYS: i64 = 30;

impl Records<'_> {
    /// Whether records of use are kept in a building, and what for. For who sees the building; who asked for it, for who sees its
    /// people.
    pub async fn record_house(&self, scope: &Scope, id: BuildingId) -> Result<Option<RecordHouse>> {
        tx::read(self.0, |tx| async move {
            let found = building::Entity::find_by_id((scope.tenant.0, id.0))
                .filter(reach::may(scope, Right::SeeBuilding, building::Column::Id))
                .one(&*tx)
                .await?;
            let Some(row) = found else { return Ok(None) };
            house(&*tx, scope, scope.at, &row).await.map(Some)
        })
        .await
    }

    /// Asks that records of use be kept from now on, or for another purpose or time, when the policy still has the version that the
    /// asker saw.
    ///
    /// # Errors
    /// [`StorageError::Invalid`] when the days are too few or too many, or the people are yet to be told.
    pub async fn keep_records(
        &self,
        scope: &Scope,
        stamp: &Stamp,
        id: BuildingId,
        version: u64,
        wanted: NewRecordPolicy,
    ) -> Result<RecordsSet> {
        let (wanted, Some(asker)) = (&wanted, scope.person()) else { return Ok(RecordsSet::NotThere) };
        if !snapshot::Records::DAYS.contains(&wanted.days) {
            return Err(StorageError::Invalid("records are kept for 1 to 90 days"));
        }
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            let row = match changeable(&tx, scope, stamp, id, version).await? {
                Ok(row) => row,
                Err(refused) => return Ok(refused),
            };
            if !may_keep(&row)? {
                return Ok(RecordsSet::NotCommercial);
            }
            if today(&row, stamp.at)? < wanted.told_on {
                return Err(StorageError::Invalid("the people are yet to be told"));
            }
            let before = stored(&*tx, scope, id).await?;
            match &before {
                Some(before) if told(before)? == told_wanted(wanted) => {
                    return house(&*tx, scope, stamp.at, &row).await.map(RecordsSet::Done);
                }
                // what is kept stays for as long as it was said, or less
                Some(before) if is_for_the_same(&row, before, wanted) => {
                    change_days(&tx, scope, stamp, before, wanted).await?;
                }
                _ => begin(&tx, scope, stamp, &row, before.as_ref(), wanted, asker).await?,
            }
            let change = Change {
                building: Some(id),
                action: "records.keep",
                persons: Vec::new(),
                before: before.as_ref().map(told).transpose()?,
                after: Some(told_wanted(wanted)),
            };
            audit::append(&tx, scope, stamp, change).await?;
            house(&*tx, scope, stamp.at, &row).await.map(RecordsSet::Done)
        })
        .await
    }

    /// A second administrator agrees to what another asked for, when it is still what they saw.
    pub async fn confirm_records(
        &self,
        scope: &Scope,
        stamp: &Stamp,
        id: BuildingId,
        version: u64,
    ) -> Result<RecordsSet> {
        let Some(second) = scope.person() else { return Ok(RecordsSet::NotThere) };
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            let row = match changeable(&tx, scope, stamp, id, version).await? {
                Ok(row) => row,
                Err(refused) => return Ok(refused),
            };
            let waits = stored(&*tx, scope, id).await?.filter(|policy| policy.begins_at.is_none());
            let asked = record_policy_by::Entity::find_by_id((scope.tenant.0, id.0, "asked".to_owned()));
            // when who asked is gone, nobody knows that it was another: it is asked for anew
            let (Some(policy), Some(asked)) = (waits, asked.one(&*tx).await?) else {
                return house(&*tx, scope, stamp.at, &row).await.map(RecordsSet::Conflict);
            };
            if asked.person == second.0 {
                return Ok(RecordsSet::SamePerson);
            }
            let begins = earliest(&row, stamp.at, policy.told_on)?;
            record_policy::Entity::update_many()
                .col_expr(record_policy::Column::BeginsAt, Expr::val(begins.as_millis()))
                .col_expr(record_policy::Column::Version, Expr::val(next(Some(&policy), stamp)))
                .filter(record_policy::Column::Tenant.eq(scope.tenant.0))
                .filter(record_policy::Column::Building.eq(id.0))
                .exec(&*tx)
                .await?;
            did(&tx, scope, id, "confirmed", second).await?;
            let change = Change {
                building: Some(id),
                action: "records.confirm",
                persons: Vec::new(),
                before: None,
                after: Some(told(&policy)?),
            };
            audit::append(&tx, scope, stamp, change).await?;
            house(&*tx, scope, stamp.at, &row).await.map(RecordsSet::Done)
        })
        .await
    }

    /// Keeps no records of use any more, and deletes every one of the building. `false` when there is no such building.
    pub async fn end_records(&self, scope: &Scope, stamp: &Stamp, id: BuildingId) -> Result<bool> {
        if scope.person().is_none() {
            return Ok(false);
        }
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            if !reach::building(&*tx, scope, Right::ChangeBuilding, id).await? {
                return Ok(false);
            }
            let Some(before) = delete(&tx, scope, id).await? else { return Ok(true) };
            audit::append(&tx, scope, stamp, ended(id, before)).await?;
            Ok(true)
        })
        .await
    }
}

/// The entry that nothing is kept any more.
fn ended(id: BuildingId, before: Value) -> Change {
    Change {
        building: Some(id),
        action: "records.end",
        persons: Vec::new(),
        before: Some(before),
        after: None,
    }
}

/// The building, when the principal may change it and the policy has this version.
async fn changeable(
    tx: &Tx,
    scope: &Scope,
    stamp: &Stamp,
    id: BuildingId,
    version: u64,
) -> Result<std::result::Result<building::Model, RecordsSet>> {
    let found = building::Entity::find_by_id((scope.tenant.0, id.0))
        .filter(reach::may(scope, Right::ChangeBuilding, building::Column::Id))
        .one(&**tx)
        .await?;
    let Some(row) = found else { return Ok(Err(RecordsSet::NotThere)) };
    let now = house(&**tx, scope, stamp.at, &row).await?;
    Ok(if now.version == version { Ok(row) } else { Err(RecordsSet::Conflict(now)) })
}

/// The building becomes residential or mixed: nothing stays of what was kept, nor of who read it.
pub(super) async fn becomes_residential(tx: &Tx, scope: &Scope, stamp: &Stamp, id: BuildingId) -> Result<()> {
    let before = delete(tx, scope, id).await?;
    record_reading::Entity::delete_many()
        .filter(record_reading::Column::Tenant.eq(scope.tenant.0))
        .filter(record_reading::Column::Building.eq(id.0))
        .exec(&**tx)
        .await?;
    match before {
        Some(before) => audit::append(tx, scope, stamp, ended(id, before)).await,
        None => Ok(()),
    }
}

/// Deletes the policy of a building with every record; what it was.
async fn delete(tx: &Tx, scope: &Scope, id: BuildingId) -> Result<Option<Value>> {
    let Some(before) = stored(&**tx, scope, id).await? else { return Ok(None) };
    // its records go by their keys
    record_policy::Entity::delete_by_id((scope.tenant.0, id.0)).exec(&**tx).await?;
    told(&before).map(Some)
}

/// Begins anew: for the first time, or for another purpose.
async fn begin(
    tx: &Tx,
    scope: &Scope,
    stamp: &Stamp,
    row: &building::Model,
    before: Option<&record_policy::Model>,
    wanted: &NewRecordPolicy,
    asker: PersonId,
) -> Result<()> {
    let id = row.id.into();
    // what was kept for one purpose is not read for another
    delete(tx, scope, id).await?;
    let begins = if needs_second(row) { None } else { Some(earliest(row, stamp.at, wanted.told_on)?) };
    let policy = record_policy::ActiveModel {
        tenant: Set(scope.tenant.0),
        building: Set(row.id),
        kind: Set(row.kind.clone()),
        purpose: Set(wanted.purpose.as_str().to_owned()),
        days: Set(wanted.days.into()),
        told_on: Set(wanted.told_on),
        begins_at: Set(begins.map(Timestamp::as_millis)),
        version: Set(next(before, stamp)),
    };
    record_policy::Entity::insert(policy).exec_without_returning(&**tx).await?;
    did(tx, scope, id, "asked", asker).await
}

/// Other days for the same purpose: what is older than fewer days goes at once, and nothing stays for longer than was said.
async fn change_days(
    tx: &Tx,
    scope: &Scope,
    stamp: &Stamp,
    before: &record_policy::Model,
    wanted: &NewRecordPolicy,
) -> Result<()> {
    record_policy::Entity::update_many()
        .col_expr(record_policy::Column::Days, Expr::val(i32::from(wanted.days)))
        .col_expr(record_policy::Column::ToldOn, Expr::val(wanted.told_on))
        .col_expr(record_policy::Column::Version, Expr::val(next(Some(before), stamp)))
        .filter(record_policy::Column::Tenant.eq(scope.tenant.0))
        .filter(record_policy::Column::Building.eq(before.building))
        .exec(&**tx)
        .await?;
    let (kept, now) = (i64::from(wanted.days) * DAY_MS, stamp.at.as_millis());
    macro_rules! sooner {
        ($($table:ident)+) => {$(
            $table::Entity::update_many()
                .col_expr($table::Column::ForgetAt, Expr::col($table::Column::At).add(kept))
                .filter($table::Column::Tenant.eq(scope.tenant.0))
                .filter($table::Column::Building.eq(before.building))
                .filter(Expr::col($table::Column::ForgetAt).gt(Expr::col($table::Column::At).add(kept)))
                .exec(&**tx)
                .await?;
            $table::Entity::delete_many()
                .filter($table::Column::Tenant.eq(scope.tenant.0))
                .filter($table::Column::Building.eq(before.building))
                .filter($table::Column::ForgetAt.lte(now))
                .exec(&**tx)
                .await?;
        )+};
    }
    sooner!(access_record record_reading);
    Ok(())
}

async fn did(tx: &Tx, scope: &Scope, id: BuildingId, what: &str, who: PersonId) -> Result<()> {
    use record_policy_by::Column::{Building, Did, Person, Tenant};
    let row = record_policy_by::ActiveModel {
        tenant: Set(scope.tenant.0),
        building: Set(id.0),
        did: Set(what.to_owned()),
        person: Set(who.0),
    };
    let anew = OnConflict::columns([Tenant, Building, Did]).update_column(Person).to_owned();
    record_policy_by::Entity::insert(row).on_conflict(anew).exec_without_returning(&**tx).await?;
    Ok(())
}

/// What a building keeps at a moment, and the only way to know it: none where it is residential or mixed, has no policy, or
/// that has not begun.
pub(super) struct Keeping {
    pub site: Site<Commercial>,
    pub days: u8,
    pub began: Timestamp,
}

pub(super) async fn keeping(
    db: &impl ConnectionTrait,
    scope: &Scope,
    row: &building::Model,
    now: Timestamp,
) -> Result<Option<Keeping>> {
    let id = BuildingId::from(row.id);
    let AnySite::Commercial(site) = AnySite::of(id, At("building", "kind").choice(&row.kind)?) else {
        return Ok(None);
    };
    let Some(policy) = stored(db, scope, id).await? else { return Ok(None) };
    let began = policy.begins_at.map(Timestamp::from_millis).filter(|begins| *begins <= now);
    let days = At("record_policy", "days").number(policy.days.into())?;
    Ok(began.map(|began| Keeping { site, days, began }))
}

pub(super) async fn stored(
    db: &impl ConnectionTrait,
    scope: &Scope,
    id: BuildingId,
) -> Result<Option<record_policy::Model>> {
    Ok(record_policy::Entity::find_by_id((scope.tenant.0, id.0)).one(db).await?)
}

/// How it stands with a building at a moment.
async fn house(
    db: &impl ConnectionTrait,
    scope: &Scope,
    now: Timestamp,
    row: &building::Model,
) -> Result<RecordHouse> {
    let id = BuildingId::from(row.id);
    let (may_keep, needs_second, today) = (may_keep(row)?, needs_second(row), today(row, now)?);
    let soonest = earliest(row, now, today)?;
    let mut house = RecordHouse { may_keep, needs_second, earliest: soonest, policy: None, version: 0 };
    let Some(policy) = stored(db, scope, id).await? else { return Ok(house) };
    let at = |column| At("record_policy", column);
    house.version = at("version").number(policy.version)?;
    house.policy = Some(RecordPolicy {
        asked: NewRecordPolicy {
            purpose: Purpose::new(&policy.purpose).map_err(|_| at("purpose").corrupt())?,
            days: at("days").number(policy.days.into())?,
            told_on: policy.told_on,
        },
        begins_at: policy.begins_at.map(Timestamp::from_millis),
        earliest: earliest(row, now, policy.told_on)?,
        asked_by: None,
        confirmed_by: None,
    });
    if let Some(policy) = &mut house.policy
        && reach::building(db, scope, Right::SeePeople, id).await?
    {
        let rows = record_policy_by::Entity::find()
            .filter(record_policy_by::Column::Tenant.eq(scope.tenant.0))
            .filter(record_policy_by::Column::Building.eq(id.0))
            .all(db)
            .await?;
        for row in rows {
            let named = named(db, scope, row.person).await?;
            if row.did == "asked" { policy.asked_by = named } else { policy.confirmed_by = named }
        }
    }
    Ok(house)
}

/// Somebody, and what they are called.
async fn named(db: &impl ConnectionTrait, scope: &Scope, id: Uuid) -> Result<Option<NamedPerson>> {
    let row = person::Entity::find_by_id((scope.tenant.0, id)).one(db).await?;
    row.map(|row| Ok((row.id.into(), At("person", "name").name(&row.name)?))).transpose()
}

/// Whether it is commercial.
fn may_keep(row: &building::Model) -> Result<bool> {
    Ok(AnySite::of(row.id.into(), At("building", "kind").choice(&row.kind)?).keeps())
}

/// Whether a second administrator has to agree: people came and went here without a record.
const fn needs_second(row: &building::Model) -> bool {
    row.residential_until.is_some()
}

/// When records begin, when the people were told on that day and all agree now.
fn earliest(row: &building::Model, now: Timestamp, told_on: i64) -> Result<Timestamp> {
    if !needs_second(row) {
        return Ok(now);
    }
    let zone = Zone::named(&row.time_zone).ok_or(At("building", "time_zone").corrupt())?;
    let day = zone.start_of(told_on.saturating_add(NOTICE_DAYS));
    Ok(day.ok_or(At("record_policy", "told_on").corrupt())?.max(now))
}

/// The day where the building stands.
fn today(row: &building::Model, now: Timestamp) -> Result<i64> {
    let wall = Zone::named(&row.time_zone).and_then(|zone| zone.wall(now));
    Ok(wall.ok_or(At("building", "time_zone").corrupt())?.day)
}

/// Higher than that of any policy before, also of one that is gone.
fn next(before: Option<&record_policy::Model>, stamp: &Stamp) -> i64 {
    let grown = before.map_or(1, |before| before.version.saturating_add(1));
    Ord::max(grown, stamp.at.as_millis())
}

/// Whether nobody has to agree anew, and what is kept may stay.
fn is_for_the_same(row: &building::Model, before: &record_policy::Model, wanted: &NewRecordPolicy) -> bool {
    let as_agreed = before.told_on == wanted.told_on && before.days >= wanted.days.into();
    before.purpose == wanted.purpose.as_str() && (as_agreed || !needs_second(row))
}

fn told(policy: &record_policy::Model) -> Result<Value> {
    let purpose = Purpose::new(&policy.purpose).map_err(|_| At("record_policy", "purpose").corrupt())?;
    let days = At("record_policy", "days").number(policy.days.into())?;
    Ok(told_wanted(&NewRecordPolicy { purpose, days, told_on: policy.told_on }))
}

fn told_wanted(policy: &NewRecordPolicy) -> Value {
    json!({ "purpose": policy.purpose, "days": policy.days, "told_day": policy.told_on })
}
