//! Lists of people that are read in: kept while they are prepared, applied all at once, undone all at once.
//!
//! ```text
//!            ask                    apply                       ask                   undo
//! draft ─────────────▶ applying ─────────────▶ applied ─────────────▶ undoing ─────────────▶ undone
//!       ◀─────────────                                ◀─────────────
//!       give up: nothing changed                      give up: nothing changed
//! ```
//!
//! A wish is kept with a job; whoever takes the job carries it out in one transaction. What an import does is decided by
//! the caller's pure function *inside* that transaction, from who lives there at that moment: what was on the screen may
//! be old.

use crate::entity::import;
use crate::record::{
    House, Import, ImportDone, ImportFailure, ImportOutcome, ImportPlan, ImportStanding, ImportState,
    ImportWish, JobKind, NewImport, Stamp, Wished,
};
use crate::repo::audit::{self, Change};
use crate::repo::convert::{At, Word};
use crate::repo::imports_write::{Told, carry_out, take_back};
use crate::repo::news::{self, News};
use crate::repo::{imports_house, jobs, reach};
use crate::tx::{self, Isolation};
use crate::{Result, StorageError, Store};
use klinke_model::events::EventKind;
use klinke_model::ids::{ApiTokenId, BuildingId, DeviceId, ImportId, JobId, PersonId};
use klinke_model::privacy::Pii;
use klinke_model::rights::Right;
use klinke_model::scope::{Principal, Scope};
use klinke_model::time::Timestamp;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter, QuerySelect, UpdateMany,
};
use serde::{Deserialize, Serialize};

/// Lists of people: for who administers the building.
///
/// Every function fails only when the database can not do its work; what is not there, or not the principal's, is
/// `None`, `false` or [`ImportOutcome::Absent`].
#[derive(Debug)]
pub struct Imports<'a>(pub(crate) &'a Store);

impl Imports<'_> {
    /// Keeps a list that was read.
    pub async fn insert_import(&self, scope: &Scope, new: NewImport) -> Result<bool> {
        let new = &new;
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            if !reach::building(&*tx, scope, Right::ChangePeople, new.building).await? {
                return Ok(false);
            }
            let row = import::ActiveModel {
                tenant: Set(scope.tenant.0),
                id: Set(new.id.0),
                building: Set(new.building.0),
                state: Set(ImportState::Draft.word().to_owned()),
                content: Set(new.content.reveal().clone()),
                wish: Set(None),
                failed: Set(None),
                done: Set(None),
                kept: Set(0),
                ends_at: Set(new.ends_at.as_millis()),
            };
            import::Entity::insert(row).exec_without_returning(&*tx).await?;
            Ok(true)
        })
        .await
    }

    /// A list that is neither undone nor forgotten.
    pub async fn import(&self, scope: &Scope, id: ImportId, now: Timestamp) -> Result<Option<Import>> {
        let found = found(&self.0.reader, scope, id, now).await?.map(record).transpose()?;
        Ok(found.filter(|list| list.state != ImportState::Undone))
    }

    /// How far a list has come, without reading its rows.
    pub async fn import_standing(
        &self,
        scope: &Scope,
        id: ImportId,
        now: Timestamp,
    ) -> Result<Option<ImportStanding>> {
        standing(&self.0.reader, scope, id, now).await
    }

    /// Changes a list that is not applied: `edit` gives its new content, or `None` to refuse.
    pub async fn edit_import(
        &self,
        scope: &Scope,
        id: ImportId,
        now: Timestamp,
        edit: impl Fn(&str) -> Option<String>,
    ) -> Result<ImportOutcome> {
        let edit = &edit;
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            let row = match ready(&tx, scope, id, now, ImportState::Draft).await? {
                Ok(row) => row,
                Err(outcome) => return Ok(outcome),
            };
            let Some(content) = edit(&row.content) else { return Ok(ImportOutcome::Refused) };
            let change = this(scope, id)
                .col_expr(import::Column::Content, Expr::val(content))
                .col_expr(import::Column::Failed, Expr::val(None::<String>));
            change.exec(&*tx).await?;
            Ok(ImportOutcome::Done(0))
        })
        .await
    }

    /// Forgets a list, unless it is being applied or undone. What it did stays.
    pub async fn discard_import(&self, scope: &Scope, id: ImportId, now: Timestamp) -> Result<ImportOutcome> {
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            match standing(&*tx, scope, id, now).await?.map(|list| list.state) {
                None => return Ok(ImportOutcome::Absent),
                Some(state @ (ImportState::Applying | ImportState::Undoing)) => {
                    return Ok(ImportOutcome::Is(state));
                }
                Some(_) => {}
            }
            import::Entity::delete_by_id((scope.tenant.0, id.0)).exec(&*tx).await?;
            Ok(ImportOutcome::Done(0))
        })
        .await
    }

    /// The units of a building and who lives in them.
    pub async fn house(&self, scope: &Scope, building: BuildingId) -> Result<Option<House>> {
        tx::read(self.0, |tx| async move {
            if !reach::building(&*tx, scope, Right::ChangePeople, building).await? {
                return Ok(None);
            }
            imports_house::house(&*tx, scope, building).await.map(Some)
        })
        .await
    }

    /// Keeps somebody's wish to apply a draft or to undo what was applied, with a job to carry it out.
    pub async fn ask_import(
        &self,
        scope: &Scope,
        stamp: &Stamp,
        id: ImportId,
        wish: ImportWish,
        job: JobId,
    ) -> Result<ImportOutcome> {
        let Some(by) = By::of(scope.principal) else { return Ok(ImportOutcome::Absent) };
        let kept = Kept { by, wish };
        let kept =
            &serde_json::to_string(&kept).map_err(|_| StorageError::Invalid("a wish without words"))?;
        let (from, to) = match wish {
            ImportWish::Apply { .. } => (ImportState::Draft, ImportState::Applying),
            ImportWish::Undo => (ImportState::Applied, ImportState::Undoing),
        };
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            match standing(&*tx, scope, id, stamp.at).await?.map(|list| list.state) {
                None => return Ok(ImportOutcome::Absent),
                Some(state) if state != from => return Ok(ImportOutcome::Is(state)),
                Some(_) => {}
            }
            let change = becomes(scope, id, to)
                .col_expr(import::Column::Wish, Expr::val(kept.as_str()))
                .col_expr(import::Column::Failed, Expr::val(None::<String>));
            change.exec(&*tx).await?;
            jobs::enqueue(&tx, scope, job, JobKind::Import, id.0, stamp.at).await?;
            Ok(ImportOutcome::Done(0))
        })
        .await
    }

    /// What is wished of a list that is being applied or undone. For the service.
    pub async fn wished(&self, scope: &Scope, id: ImportId) -> Result<Option<Wished>> {
        if !matches!(scope.principal, Principal::System) {
            return Ok(None);
        }
        let wish = import::Entity::find_by_id((scope.tenant.0, id.0))
            .select_only()
            .column(import::Column::Wish)
            .filter(import::Column::State.is_in([ImportState::Applying.word(), ImportState::Undoing.word()]))
            .into_tuple::<Option<String>>()
            .one(&self.0.reader)
            .await?;
        let Some(Some(wish)) = wish else { return Ok(None) };
        let kept: Kept = serde_json::from_str(&wish).map_err(|_| At("import", "wish").corrupt())?;
        Ok(Some(Wished { by: kept.by.principal(), wish: kept.wish }))
    }

    /// A wish that is not carried out: the list is again what it was. For the service.
    pub async fn give_up_import(&self, scope: &Scope, id: ImportId, why: ImportFailure) -> Result<bool> {
        if !matches!(scope.principal, Principal::System) {
            return Ok(false);
        }
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            let mut changed = 0;
            for (from, to) in
                [(ImportState::Applying, ImportState::Draft), (ImportState::Undoing, ImportState::Applied)]
            {
                let change = becomes(scope, id, to)
                    .col_expr(import::Column::Wish, Expr::val(None::<String>))
                    .col_expr(import::Column::Failed, Expr::val(why.word()))
                    .filter(import::Column::State.eq(from.word()));
                changed += change.exec(&*tx).await?.rows_affected;
            }
            Ok(changed > 0)
        })
        .await
    }

    /// Applies a list that is wished to be applied: all that `decide` says, or nothing. `decide` gets who lives there and
    /// the list's content; it gives what to do, or `None` to refuse. What was done can be undone until `ends_at`. `told` is
    /// called with how many rows are written, and of how many.
    pub async fn apply_import(
        &self,
        scope: &Scope,
        stamp: &Stamp,
        id: ImportId,
        ends_at: Timestamp,
        decide: impl Fn(&House, String) -> Option<ImportPlan>,
        told: &Told<'_>,
    ) -> Result<ImportOutcome> {
        let decide = &decide;
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            told(0, 0);
            let row = match ready(&tx, scope, id, stamp.at, ImportState::Applying).await? {
                Ok(row) => row,
                Err(outcome) => return Ok(outcome),
            };
            let building = row.building.into();
            let decided = {
                let house = imports_house::house(&*tx, scope, building).await?;
                decide(&house, row.content).filter(|plan| plan.homes.is_empty() || house.makes_homes)
            };
            let Some(plan) = decided else { return Ok(ImportOutcome::Refused) };
            carry_out(&tx, scope, building, &plan, told).await?;
            let done = ImportDone::from(plan);
            audit::append(&tx, scope, stamp, entry(building, "import.applied", &done)).await?;
            let news = [News::of_import(EventKind::ImportApplied, building, id)];
            news::tell(&tx, scope, stamp, &news).await?;
            let done = serde_json::to_string(&done).map_err(|_| At("import", "done").corrupt())?;
            let change = becomes(scope, id, ImportState::Applied)
                .col_expr(import::Column::Wish, Expr::val(None::<String>))
                .col_expr(import::Column::Done, Expr::val(done))
                .col_expr(import::Column::EndsAt, Expr::val(ends_at.as_millis()));
            change.exec(&*tx).await?;
            Ok(ImportOutcome::Done(0))
        })
        .await
    }

    /// Undoes a list that is wished to be undone, and forgets its rows. Whoever has signed in since, or has another home,
    /// stays as a person; a home that something else came to stays too; what somebody changed since stays changed.
    pub async fn undo_import(
        &self,
        scope: &Scope,
        stamp: &Stamp,
        id: ImportId,
        told: &Told<'_>,
    ) -> Result<ImportOutcome> {
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            told(0, 0);
            let row = match ready(&tx, scope, id, stamp.at, ImportState::Undoing).await? {
                Ok(row) => row,
                Err(outcome) => return Ok(outcome),
            };
            let building = row.building.into();
            let Some(done) = record(row)?.done else { return Ok(ImportOutcome::Refused) };
            let kept = take_back(&tx, scope, building, &done, told).await?;
            audit::append(&tx, scope, stamp, entry(building, "import.undone", &done)).await?;
            let news = [News::of_import(EventKind::ImportUndone, building, id)];
            news::tell(&tx, scope, stamp, &news).await?;
            let change = becomes(scope, id, ImportState::Undone)
                .col_expr(import::Column::Content, Expr::val(""))
                .col_expr(import::Column::Wish, Expr::val(None::<String>))
                .col_expr(import::Column::Done, Expr::val(None::<String>))
                .col_expr(import::Column::Kept, Expr::val(i64::try_from(kept).unwrap_or(i64::MAX)));
            change.exec(&*tx).await?;
            Ok(ImportOutcome::Done(kept))
        })
        .await
    }
}

/// A wish as it is kept.
#[derive(Serialize, Deserialize)]
struct Kept {
    by: By,
    wish: ImportWish,
}

/// Whose wish it is, as it is kept.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum By {
    Service,
    Person { person: PersonId, device: DeviceId },
    Token { token: ApiTokenId, issuer: PersonId },
}

impl By {
    /// `None` for devices: they administer nothing.
    fn of(principal: Principal) -> Option<Self> {
        match principal {
            Principal::System => Some(Self::Service),
            Principal::Panel(_) | Principal::Controller(_) => None,
            Principal::Person { person, device } => Some(Self::Person { person, device }),
            Principal::Token { token, issuer } => Some(Self::Token { token, issuer }),
        }
    }

    fn principal(self) -> Principal {
        match self {
            Self::Service => Principal::System,
            Self::Person { person, device } => Principal::Person { person, device },
            Self::Token { token, issuer } => Principal::Token { token, issuer },
        }
    }
}

async fn found(
    db: &impl ConnectionTrait,
    scope: &Scope,
    id: ImportId,
    now: Timestamp,
) -> Result<Option<import::Model>> {
    let row = import::Entity::find_by_id((scope.tenant.0, id.0))
        .filter(import::Column::EndsAt.gt(now.as_millis()))
        .filter(reach::may(scope, Right::ChangePeople, import::Column::Building))
        .one(db)
        .await?;
    Ok(row)
}

/// A list with its rows, when it is in this state.
async fn ready(
    tx: &DatabaseTransaction,
    scope: &Scope,
    id: ImportId,
    now: Timestamp,
    state: ImportState,
) -> Result<std::result::Result<import::Model, ImportOutcome>> {
    match standing(tx, scope, id, now).await?.map(|list| list.state) {
        Some(is) if is == state => Ok(found(tx, scope, id, now).await?.ok_or(ImportOutcome::Absent)),
        Some(is) => Ok(Err(ImportOutcome::Is(is))),
        None => Ok(Err(ImportOutcome::Absent)),
    }
}

async fn standing(
    db: &impl ConnectionTrait,
    scope: &Scope,
    id: ImportId,
    now: Timestamp,
) -> Result<Option<ImportStanding>> {
    let row = import::Entity::find_by_id((scope.tenant.0, id.0))
        .select_only()
        .columns([
            import::Column::Building,
            import::Column::State,
            import::Column::Failed,
            import::Column::Kept,
            import::Column::EndsAt,
        ])
        .filter(import::Column::EndsAt.gt(now.as_millis()))
        .filter(reach::may(scope, Right::ChangePeople, import::Column::Building))
        .into_tuple::<(uuid::Uuid, String, Option<String>, i64, i64)>()
        .one(db)
        .await?;
    let Some((building, state, failed, kept, ends_at)) = row else { return Ok(None) };
    Ok(Some(ImportStanding {
        id,
        building: building.into(),
        state: At("import", "state").choice(&state)?,
        failed: failed.map(|why| At("import", "failed").choice(&why)).transpose()?,
        kept: At("import", "kept").number(kept)?,
        ends_at: Timestamp::from_millis(ends_at),
    }))
}

fn record(row: import::Model) -> Result<Import> {
    let done = row.done.map(|done| serde_json::from_str(&done)).transpose();
    Ok(Import {
        id: row.id.into(),
        building: row.building.into(),
        state: At("import", "state").choice(&row.state)?,
        content: Pii::new(row.content),
        done: done.map_err(|_| At("import", "done").corrupt())?,
        ends_at: Timestamp::from_millis(row.ends_at),
    })
}

/// A change of one list.
fn this(scope: &Scope, id: ImportId) -> UpdateMany<import::Entity> {
    import::Entity::update_many()
        .filter(import::Column::Tenant.eq(scope.tenant.0))
        .filter(import::Column::Id.eq(id.0))
}

fn becomes(scope: &Scope, id: ImportId, state: ImportState) -> UpdateMany<import::Entity> {
    this(scope, id).col_expr(import::Column::State, Expr::val(state.word()))
}

/// What the audit keeps of an import: how much it says; whom it was about it is found by.
fn entry(building: BuildingId, action: &'static str, done: &ImportDone) -> Change {
    let counts = serde_json::json!({
        "people": done.people.len(), "places": done.places.len(), "changed": done.changes.len(),
        "owners": done.owners.len(), "homes": done.homes.len(),
    });
    let persons = done.people.iter().copied();
    let persons = persons.chain(done.places.iter().map(|(person, ..)| *person));
    let persons = persons.chain(done.changes.iter().map(|(person, ..)| *person));
    let persons = persons.chain(done.owners.iter().map(|(person, ..)| *person)).collect();
    Change { building: Some(building), action, persons, before: None, after: Some(counts) }
}
