//! Alarms of the doors: taken from controllers once, read and marked as seen by administrators.
//!
//! A controller's journal is taken by number, in the transaction that writes what it says: what is told twice, late or in part
//! makes no second row. Another journal of the same controller means that the one before is lost with its disk, and what stood in
//! it is over.

use crate::entity::{alarm, alarm_mail, alarm_seen, controller, controller_journal, door, person};
use crate::record::{Alarm, AlarmAfter, AlarmsPage, Stamp, Taken, Told};
use crate::repo::audit::{self, Change};
use crate::repo::convert::{At, Word};
use crate::repo::news::{self, News};
use crate::repo::reach;
use crate::tx::{self, Isolation, Tx};
use crate::{Result, Store};
use klinke_model::ids::{AlarmId, BuildingId, ControllerId, DoorId, JournalId, v4};
use klinke_model::news::{self as told, NewsEntry};
use klinke_model::rights::Right;
use klinke_model::scope::{Principal, Scope};
use klinke_model::time::Timestamp;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{CaseStatement, Expr, ExprTrait, OnConflict};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect,
};
use serde_json::json;
use sha2::{Digest, Sha256};
use std::collections::{HashMap, HashSet};
use std::time::Duration;
use uuid::Uuid;

/// How long a mail gathers alarms.
const GATHERED: Duration = Duration::from_secs(60);

/// Alarms: told by controllers, read by who sees their building.
///
/// Every function fails only when the database can not do its work; what is not there, or not the principal's, is `None`, `false`
/// or empty.
#[derive(Debug)]
pub struct Alarms<'a>(pub(crate) &'a Store);

impl Alarms<'_> {
    /// Takes what a controller tells, in its own name only. `None` for everybody else.
    pub async fn take_news(
        &self,
        scope: &Scope,
        stamp: &Stamp,
        id: ControllerId,
        journal: JournalId,
        entries: &[NewsEntry],
    ) -> Result<Option<Taken>> {
        if scope.principal != Principal::Controller(id) {
            return Ok(None);
        }
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            let itself = controller::Entity::find_by_id((scope.tenant.0, id.0)).one(&*tx).await?;
            let Some(building) = itself.map(|row| BuildingId(row.building)) else { return Ok(None) };
            let taker = Taker { scope, stamp, id, building, journal };
            taker.take(&tx, entries).await.map(Some)
        })
        .await
    }

    /// Ends the alarms of a journal that stand here, up to the entry `noted`, and are none of those that stand at their controller; how
    /// many. 0 for everybody but that controller. Nothing is written when there are none.
    pub async fn end_forgotten(
        &self,
        scope: &Scope,
        stamp: &Stamp,
        id: ControllerId,
        journal: JournalId,
        noted: u64,
        standing: &[u64],
    ) -> Result<u64> {
        if scope.principal != Principal::Controller(id) {
            return Ok(0);
        }
        let here = Condition::all()
            .add(alarm::Column::Tenant.eq(scope.tenant.0))
            .add(alarm::Column::Controller.eq(id.0))
            .add(alarm::Column::Journal.eq(journal.0))
            .add(alarm::Column::Seq.lte(number(noted)))
            .add(alarm::Column::EndedAt.is_null());
        let forgotten = async |tx: &Tx| -> Result<Vec<alarm::Model>> {
            let mut rows = alarm::Entity::find().filter(here.clone()).all(&**tx).await?;
            rows.retain(|row| !standing.iter().any(|seq| number(*seq) == row.seq));
            Ok(rows)
        };
        // a write makes every link of the tenant look; a controller that comes back is no reason
        if tx::read(self.0, |tx| async move { forgotten(&tx).await }).await?.is_empty() {
            return Ok(0);
        }
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            let rows = forgotten(&tx).await?;
            for row in &rows {
                let taker = Taker { scope, stamp, id, building: row.building.into(), journal };
                taker.end(&tx, Condition::all().add(alarm::Column::Id.eq(row.id)), stamp.at, true).await?;
            }
            Ok(rows.len() as u64)
        })
        .await
    }

    /// Alarms of a building.
    pub async fn alarms_page(
        &self,
        scope: &Scope,
        building: BuildingId,
        after: Option<AlarmAfter>,
        limit: u16,
    ) -> Result<AlarmsPage> {
        tx::read(self.0, |tx| async move {
            let theirs = || {
                alarm::Entity::find()
                    .filter(alarm::Column::Tenant.eq(scope.tenant.0))
                    .filter(alarm::Column::Building.eq(building.0))
                    .filter(reach::may(scope, Right::SeeBuilding, alarm::Column::Building))
            };
            let standing = theirs().filter(alarm::Column::EndedAt.is_null()).count(&*tx).await?;
            let unseen = theirs()
                .filter(alarm::Column::EndedAt.is_not_null())
                .filter(alarm::Column::SeenAt.is_null())
                .count(&*tx)
                .await?;
            let mut rows = theirs()
                .filter(after.map_or_else(Condition::all, later))
                .order_by_asc(rank())
                .order_by_desc(alarm::Column::BeganAt)
                .order_by_desc(alarm::Column::Id)
                .limit(u64::from(limit) + 1)
                .all(&*tx)
                .await?;
            let goes_on = rows.len() > usize::from(limit);
            rows.truncate(limit.into());
            let next = rows.last().filter(|_| goes_on).map(|row| AlarmAfter {
                rank: if row.ended_at.is_none() { 0 } else { 1 + u8::from(row.seen_at.is_some()) },
                began: Timestamp::from_millis(row.began_at),
                alarm: row.id.into(),
            });
            let mail = alarm_mail::Entity::find_by_id((scope.tenant.0, building.0))
                .filter(reach::may(scope, Right::SeeBuilding, alarm_mail::Column::Building))
                .one(&*tx)
                .await?;
            let mail = mail.is_some_and(|row| row.wanted);
            let alarms = whole(&*tx, scope, building, rows).await?;
            Ok(AlarmsPage { alarms, next, standing, unseen, mail })
        })
        .await
    }

    /// One alarm.
    pub async fn alarm(&self, scope: &Scope, id: AlarmId) -> Result<Option<Alarm>> {
        tx::read(self.0, |tx| async move {
            let found = alarm::Entity::find_by_id((scope.tenant.0, id.0))
                .filter(reach::may(scope, Right::SeeBuilding, alarm::Column::Building))
                .one(&*tx)
                .await?;
            let Some(row) = found else { return Ok(None) };
            Ok(whole(&*tx, scope, row.building.into(), vec![row]).await?.pop())
        })
        .await
    }

    /// An administrator has seen an alarm; the first who says so stays the one who has.
    pub async fn see_alarm(&self, scope: &Scope, stamp: &Stamp, id: AlarmId) -> Result<Option<Alarm>> {
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            let found = alarm::Entity::find_by_id((scope.tenant.0, id.0))
                .filter(reach::may(scope, Right::Devices, alarm::Column::Building))
                .one(&*tx)
                .await?;
            let Some(mut row) = found else { return Ok(None) };
            let building = row.building.into();
            if row.seen_at.is_none() {
                row.seen_at = Some(stamp.at.as_millis());
                alarm::Entity::update_many()
                    .col_expr(alarm::Column::SeenAt, Expr::val(row.seen_at))
                    .filter(alarm::Column::Tenant.eq(scope.tenant.0))
                    .filter(alarm::Column::Id.eq(id.0))
                    .exec(&*tx)
                    .await?;
                if let Some(person) = scope.person() {
                    let by = alarm_seen::ActiveModel {
                        tenant: Set(scope.tenant.0),
                        alarm: Set(id.0),
                        person: Set(person.0),
                    };
                    alarm_seen::Entity::insert(by).exec_without_returning(&*tx).await?;
                }
                let door = match row.door {
                    Some(door) => door::Entity::find_by_id((scope.tenant.0, door)).one(&*tx).await?,
                    None => None,
                };
                let after = json!({ "alarm": row.kind, "door": door.map(|door| door.name) });
                audit::append(&tx, scope, stamp, Change::made(building, "alarm.seen", after)).await?;
            }
            Ok(whole(&*tx, scope, building, vec![row]).await?.pop())
        })
        .await
    }

    /// Whether new alarms of a building are mailed to its administrators from now on. `false` when it is not theirs.
    pub async fn set_alarm_mail(
        &self,
        scope: &Scope,
        stamp: &Stamp,
        building: BuildingId,
        wanted: bool,
    ) -> Result<bool> {
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            if !reach::building(&*tx, scope, Right::ChangeBuilding, building).await? {
                return Ok(false);
            }
            let before = alarm_mail::Entity::find_by_id((scope.tenant.0, building.0)).one(&*tx).await?;
            if before.is_some_and(|row| row.wanted) == wanted {
                return Ok(true);
            }
            let row = alarm_mail::ActiveModel {
                tenant: Set(scope.tenant.0),
                building: Set(building.0),
                wanted: Set(wanted),
                run_at: Set(None),
                attempts: Set(0),
            };
            use alarm_mail::Column::{Building, RunAt, Tenant, Wanted};
            let anew = OnConflict::columns([Tenant, Building]).update_columns([Wanted, RunAt]).to_owned();
            alarm_mail::Entity::insert(row).on_conflict(anew).exec_without_returning(&*tx).await?;
            let change = Change {
                building: Some(building),
                action: "alarm.mail",
                persons: Vec::new(),
                before: Some(json!({ "mail": !wanted })),
                after: Some(json!({ "mail": wanted })),
            };
            audit::append(&tx, scope, stamp, change).await?;
            Ok(true)
        })
        .await
    }
}

/// Takes the news of one controller.
#[derive(Clone, Copy)]
pub(super) struct Taker<'a> {
    pub scope: &'a Scope,
    pub stamp: &'a Stamp,
    pub id: ControllerId,
    pub building: BuildingId,
    pub journal: JournalId,
}

impl Taker<'_> {
    async fn take(&self, tx: &Tx, entries: &[NewsEntry]) -> Result<Taken> {
        let mut taken = Taken { seq: self.highest(tx).await?, new: 0, refused: 0 };
        let doors = self.doors(tx).await?;
        let mail = alarm_mail::Entity::find_by_id((self.scope.tenant.0, self.building.0)).one(&**tx).await?;
        let mail = mail.is_some_and(|row| row.wanted);
        let mut news = Vec::new();
        for entry in entries {
            if entry.seq <= taken.seq {
                continue;
            }
            taken.seq = entry.seq;
            match entry.what {
                told::News::Ended { raised } => self.ended(tx, raised, entry).await?,
                // `Records::take_uses` did, before this
                told::News::Use(_) => {}
                told::News::Raised(alarm) if alarm.door.is_some_and(|door| !doors.contains(&door)) => {
                    taken.refused += 1;
                }
                told::News::Raised(alarm) => {
                    if let Some(id) = self.raised(tx, alarm, entry, mail).await? {
                        taken.new += 1;
                        news.push(News::of_alarm(self.building, id));
                    }
                }
            }
        }
        let row = controller_journal::ActiveModel {
            tenant: Set(self.scope.tenant.0),
            controller: Set(self.id.0),
            journal: Set(self.journal.0),
            seq: Set(number(taken.seq)),
        };
        use controller_journal::Column::{Controller, Journal, Seq, Tenant};
        let anew = OnConflict::columns([Tenant, Controller]).update_columns([Journal, Seq]).to_owned();
        controller_journal::Entity::insert(row).on_conflict(anew).exec_without_returning(&**tx).await?;
        if mail && taken.new > 0 {
            self.mail_soon(tx).await?;
        }
        news::tell(tx, self.scope, self.stamp, &news).await?;
        Ok(taken)
    }

    /// Keeps one alarm that only happened, and tells of it; whether it was not there.
    pub(super) async fn happened(&self, tx: &Tx, alarm: told::Raised) -> Result<bool> {
        let mail = alarm_mail::Entity::find_by_id((self.scope.tenant.0, self.building.0)).one(&**tx).await?;
        let mail = mail.is_some_and(|row| row.wanted);
        let entry = NewsEntry { seq: 1, at: self.stamp.at, trusted: true, what: told::News::Raised(alarm) };
        let Some(id) = self.raised(tx, alarm, &entry, mail).await? else { return Ok(false) };
        if mail {
            self.mail_soon(tx).await?;
        }
        news::tell(tx, self.scope, self.stamp, &[News::of_alarm(self.building, id)]).await?;
        Ok(true)
    }

    /// The highest number that was taken of this journal.
    async fn highest(&self, tx: &Tx) -> Result<u64> {
        let row = controller_journal::Entity::find_by_id((self.scope.tenant.0, self.id.0)).one(&**tx).await?;
        let Some(row) = row else { return Ok(0) };
        if row.journal == self.journal.0 {
            return At("controller_journal", "seq").number(row.seq);
        }
        // nobody can end what stood in a journal that is lost
        self.end(tx, Condition::all().add(alarm::Column::Journal.ne(self.journal.0)), self.stamp.at, true)
            .await?;
        Ok(0)
    }

    async fn doors(&self, tx: &Tx) -> Result<HashSet<DoorId>> {
        let rows: Vec<Uuid> = door::Entity::find()
            .select_only()
            .column(door::Column::Id)
            .filter(door::Column::Tenant.eq(self.scope.tenant.0))
            .filter(door::Column::Controller.eq(self.id.0))
            .into_tuple()
            .all(&**tx)
            .await?;
        Ok(rows.into_iter().map(Into::into).collect())
    }

    /// Keeps an alarm; its id, unless it is there.
    async fn raised(
        &self,
        tx: &Tx,
        alarm: told::Raised,
        entry: &NewsEntry,
        mail: bool,
    ) -> Result<Option<AlarmId>> {
        let id = self.alarm_id(entry.seq);
        if alarm::Entity::find_by_id((self.scope.tenant.0, id.0)).one(&**tx).await?.is_some() {
            return Ok(None);
        }
        let (at, lasts) = (self.moment(entry), alarm.kind.lasts());
        let row = alarm::ActiveModel {
            tenant: Set(self.scope.tenant.0),
            id: Set(id.0),
            building: Set(self.building.0),
            controller: Set(self.id.0),
            journal: Set(self.journal.0),
            seq: Set(number(entry.seq)),
            kind: Set(Word::word(alarm.kind).to_owned()),
            door: Set(alarm.door.map(|door| door.0)),
            part: Set(alarm.part.map(Into::into)),
            began_at: Set(at),
            began_about: Set(!entry.trusted),
            ended_at: Set((!lasts).then_some(at)),
            ended_about: Set(!entry.trusted),
            over_at: Set((!lasts).then_some(self.stamp.at.as_millis())),
            seen_at: Set(None),
            mail: Set(mail),
        };
        alarm::Entity::insert(row).exec_without_returning(&**tx).await?;
        Ok(Some(id))
    }

    async fn ended(&self, tx: &Tx, raised: u64, entry: &NewsEntry) -> Result<()> {
        let which = Condition::all().add(alarm::Column::Id.eq(self.alarm_id(raised).0));
        self.end(tx, which, Timestamp::from_millis(self.moment(entry)), !entry.trusted).await
    }

    async fn end(&self, tx: &Tx, which: Condition, at: Timestamp, about: bool) -> Result<()> {
        alarm::Entity::update_many()
            .col_expr(alarm::Column::EndedAt, Expr::val(at.as_millis()))
            .col_expr(alarm::Column::EndedAbout, Expr::val(about))
            .col_expr(alarm::Column::OverAt, Expr::val(self.stamp.at.as_millis()))
            .filter(alarm::Column::Tenant.eq(self.scope.tenant.0))
            .filter(alarm::Column::Controller.eq(self.id.0))
            .filter(alarm::Column::EndedAt.is_null())
            .filter(which)
            .exec(&**tx)
            .await?;
        Ok(())
    }

    async fn mail_soon(&self, tx: &Tx) -> Result<()> {
        alarm_mail::Entity::update_many()
            .col_expr(alarm_mail::Column::RunAt, Expr::val(self.stamp.at.plus(GATHERED).as_millis()))
            .col_expr(alarm_mail::Column::Attempts, Expr::val(0))
            .filter(alarm_mail::Column::Tenant.eq(self.scope.tenant.0))
            .filter(alarm_mail::Column::Building.eq(self.building.0))
            .filter(alarm_mail::Column::RunAt.is_null())
            .exec(&**tx)
            .await?;
        Ok(())
    }

    /// Never later than now, whatever the controller's clock says.
    fn moment(&self, entry: &NewsEntry) -> i64 {
        entry.at.min(self.stamp.at).as_millis()
    }

    /// Made of what raised it, so the same is never two.
    fn alarm_id(&self, seq: u64) -> AlarmId {
        let hash = Sha256::new()
            .chain_update(b"klinke alarm")
            .chain_update(self.scope.tenant.0)
            .chain_update(self.id.0)
            .chain_update(self.journal.0)
            .chain_update(seq.to_be_bytes())
            .finalize();
        let mut bytes = [0; 16];
        bytes.iter_mut().zip(hash).for_each(|(byte, hashed)| *byte = hashed);
        v4(bytes).into()
    }
}

/// 0 stands, 1 is over and not seen, 2 is over and seen.
fn rank() -> Expr {
    let rank = CaseStatement::new()
        .case(alarm::Column::EndedAt.is_null(), 0)
        .case(alarm::Column::SeenAt.is_null(), 1)
        .finally(2);
    Expr::Case(Box::new(rank))
}

/// What comes after a place.
fn later(after: AlarmAfter) -> Condition {
    let (rank_then, began) = (i32::from(after.rank), after.began.as_millis());
    let before = Condition::any()
        .add(alarm::Column::BeganAt.lt(began))
        .add(Condition::all().add(alarm::Column::BeganAt.eq(began)).add(alarm::Column::Id.lt(after.alarm.0)));
    Condition::any().add(rank().gt(rank_then)).add(Condition::all().add(rank().eq(rank_then)).add(before))
}

/// Rows with what to call what they name.
pub(super) async fn whole(
    db: &impl ConnectionTrait,
    scope: &Scope,
    building: BuildingId,
    rows: Vec<alarm::Model>,
) -> Result<Vec<Alarm>> {
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let doors = door::Entity::find()
        .filter(door::Column::Tenant.eq(scope.tenant.0))
        .filter(door::Column::Building.eq(building.0))
        .all(db)
        .await?;
    let doors: HashMap<Uuid, String> = doors.into_iter().map(|row| (row.id, row.name)).collect();
    let controllers = controller::Entity::find()
        .filter(controller::Column::Tenant.eq(scope.tenant.0))
        .filter(controller::Column::Building.eq(building.0))
        .all(db)
        .await?;
    let controllers: HashMap<Uuid, String> = controllers.into_iter().map(|row| (row.id, row.name)).collect();
    let mut seen_by = HashMap::new();
    if reach::building(db, scope, Right::SeePeople, building).await? {
        let by = alarm_seen::Entity::find()
            .filter(alarm_seen::Column::Tenant.eq(scope.tenant.0))
            .filter(alarm_seen::Column::Alarm.is_in(ids))
            .all(db)
            .await?;
        let people = person::Entity::find()
            .filter(person::Column::Tenant.eq(scope.tenant.0))
            .filter(person::Column::Id.is_in(by.iter().map(|row| row.person)))
            .all(db)
            .await?;
        for row in by {
            if let Some(person) = people.iter().find(|person| person.id == row.person)
                && let Some(name) = At("person", "name").name(&person.name)?
            {
                seen_by.insert(row.alarm, name);
            }
        }
    }
    let named = |names: &HashMap<Uuid, String>, id: Uuid, table| {
        At(table, "name").label(names.get(&id).map_or("", String::as_str))
    };
    let told = |at, about| Told { at: Timestamp::from_millis(at), about };
    rows.into_iter()
        .map(|row| {
            Ok(Alarm {
                id: row.id.into(),
                building,
                kind: At("alarm", "kind").choice(&row.kind)?,
                controller: (row.controller.into(), named(&controllers, row.controller, "controller")?),
                door: match row.door {
                    Some(door) => Some((door.into(), named(&doors, door, "door")?)),
                    None => None,
                },
                part: row.part.map(|part| At("alarm", "part").number(part.into())).transpose()?,
                began: told(row.began_at, row.began_about),
                ended: row.ended_at.map(|at| told(at, row.ended_about)),
                seen_at: row.seen_at.map(Timestamp::from_millis),
                seen_by: seen_by.remove(&row.id),
            })
        })
        .collect::<Result<_>>()
}

fn number(seq: u64) -> i64 {
    i64::try_from(seq).unwrap_or(i64::MAX)
}
