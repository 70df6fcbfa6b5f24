//! Making, changing and removing guests. Administrators' doings are told to the audit, without the guest's name; residents'
//! are their own.

use crate::entity::{guest, guest_door, guest_mail};
use crate::record::{
    CodeChoice, Codes, Guest, GuestChange, GuestChanged, GuestMade, GuestsOf, JobKind, NewGuest, Stamp,
};
use crate::repo::audit::{self, Change};
use crate::repo::code_space::CodeSpace;
use crate::repo::convert::Word;
use crate::repo::guest_limits::{may_make, wrong_change};
use crate::repo::guests::{Guests, one};
use crate::repo::jobs;
use crate::tx::{self, Isolation};
use crate::{Result, StorageError};
use klinke_model::contact::{Email, Language};
use klinke_model::ids::{BuildingId, DoorId, GuestId, JobId, PersonId, UnitId};
use klinke_model::privacy::Pii;
use klinke_model::schedule::Schedule;
use klinke_model::scope::Scope;
use klinke_model::time::Timestamp;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict};
use sea_orm::{ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use uuid::Uuid;

impl Guests<'_> {
    /// Makes a guest: of the asker's home when one is named, else of the administration.
    ///
    /// # Errors
    /// [`StorageError::Conflict`] when the id or all the codes are taken, [`StorageError::Invalid`] when the hours can not be.
    pub async fn insert_guest(&self, scope: &Scope, stamp: &Stamp, new: NewGuest) -> Result<GuestMade> {
        let new = &new;
        let hours = new.hours.as_ref().map(written).transpose()?;
        let hours = &hours;
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            let of = match may_make(&tx, scope, stamp, new).await? {
                Ok(of) => of,
                Err(refused) => return Ok(refused),
            };
            let code = choose(&*tx, scope, new.building, &new.codes).await?;
            let row = guest::ActiveModel {
                tenant: Set(scope.tenant.0),
                id: Set(new.id.0),
                building: Set(new.building.0),
                host: Set(new.unit.and(scope.person()).map(|host| host.0)),
                unit: Set(new.unit.map(|unit| unit.0)),
                name: Set(new.name.reveal().as_str().to_owned()),
                starts_at: Set(new.starts_at.as_millis()),
                ends_at: Set(new.ends_at.as_millis()),
                hours: Set(hours.clone()),
                once: Set(new.once),
                taken: Set(false),
                link_number: Set(1),
                code_number: Set(number(code.number)),
                code_hash: Set(code.hash.to_vec()),
                version: Set(1),
            };
            guest::Entity::insert(row).exec_without_returning(&*tx).await?;
            write_doors(&*tx, scope, new.building, new.id, &new.doors).await?;
            let Some(made) = one(&*tx, scope, of, new.id).await? else { return Ok(GuestMade::NotThere) };
            if of == GuestsOf::House {
                let change = Change::made(new.building, "guest.made", told(&made)?);
                audit::append(&tx, scope, stamp, change).await?;
            }
            Ok(GuestMade::Done(Box::new(made)))
        })
        .await
    }

    /// Changes a guest, when it still has the version that the asker saw.
    ///
    /// # Errors
    /// [`StorageError::Invalid`] when the hours can not be.
    pub async fn change_guest(
        &self,
        scope: &Scope,
        stamp: &Stamp,
        of: GuestsOf,
        id: GuestId,
        change: GuestChange,
    ) -> Result<GuestChanged> {
        let change = &change;
        let hours = change.hours.as_ref().map(|hours| hours.as_ref().map(written).transpose()).transpose()?;
        let hours = &hours;
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            let Some(before) = one(&*tx, scope, of, id).await? else { return Ok(GuestChanged::NotThere) };
            if before.version != change.version {
                return Ok(GuestChanged::Conflict(Box::new(before)));
            }
            if let Some(refused) = wrong_change(&tx, scope, stamp, &before, change).await? {
                return Ok(refused);
            }
            let mut update = guest::Entity::update_many()
                .col_expr(guest::Column::Version, Expr::col(guest::Column::Version).add(1));
            if let Some(name) = &change.name {
                update = update.col_expr(guest::Column::Name, Expr::val(name.reveal().as_str()));
            }
            if let Some(ends_at) = change.ends_at {
                update = update.col_expr(guest::Column::EndsAt, Expr::val(ends_at.as_millis()));
            }
            if let Some(hours) = hours {
                update = update.col_expr(guest::Column::Hours, Expr::val(hours.clone()));
            }
            update
                .filter(guest::Column::Tenant.eq(scope.tenant.0))
                .filter(guest::Column::Id.eq(id.0))
                .exec(&*tx)
                .await?;
            if let Some(doors) = &change.doors {
                guest_door::Entity::delete_many()
                    .filter(guest_door::Column::Tenant.eq(scope.tenant.0))
                    .filter(guest_door::Column::Guest.eq(id.0))
                    .exec(&*tx)
                    .await?;
                write_doors(&*tx, scope, before.building, id, doors).await?;
            }
            let Some(after) = one(&*tx, scope, of, id).await? else { return Ok(GuestChanged::NotThere) };
            if of == GuestsOf::House {
                tell(&tx, scope, stamp, "guest.changed", Some(&before), Some(&after)).await?;
            }
            Ok(GuestChanged::Done(Box::new(after)))
        })
        .await
    }

    /// Gives a guest a new link, QR pass and code: those from before are worth nothing at once. Who may come once may come
    /// again.
    ///
    /// # Errors
    /// [`StorageError::Conflict`] when all the codes are taken.
    pub async fn renew_guest(
        &self,
        scope: &Scope,
        stamp: &Stamp,
        of: GuestsOf,
        id: GuestId,
        codes: Codes,
    ) -> Result<Option<Guest>> {
        let codes = &codes;
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            let Some(before) = one(&*tx, scope, of, id).await? else { return Ok(None) };
            let code = choose(&*tx, scope, before.building, codes).await?;
            guest::Entity::update_many()
                .col_expr(guest::Column::LinkNumber, Expr::col(guest::Column::LinkNumber).add(1))
                .col_expr(guest::Column::CodeNumber, Expr::val(number(code.number)))
                .col_expr(guest::Column::CodeHash, Expr::val(code.hash.to_vec()))
                .col_expr(guest::Column::Taken, Expr::val(false))
                .col_expr(guest::Column::Version, Expr::col(guest::Column::Version).add(1))
                .filter(guest::Column::Tenant.eq(scope.tenant.0))
                .filter(guest::Column::Id.eq(id.0))
                .exec(&*tx)
                .await?;
            if of == GuestsOf::House {
                tell(&tx, scope, stamp, "guest.link_changed", None, Some(&before)).await?;
            }
            one(&*tx, scope, of, id).await
        })
        .await
    }

    /// Removes a guest: all that they have is worth nothing at once.
    pub async fn remove_guest(
        &self,
        scope: &Scope,
        stamp: &Stamp,
        of: GuestsOf,
        id: GuestId,
    ) -> Result<bool> {
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            let Some(before) = one(&*tx, scope, of, id).await? else { return Ok(false) };
            guest::Entity::delete_by_id((scope.tenant.0, id.0)).exec(&*tx).await?;
            if of == GuestsOf::House {
                tell(&tx, scope, stamp, "guest.removed", Some(&before), None).await?;
            }
            Ok(true)
        })
        .await
    }

    /// Asks for a guest's link to be mailed. The address is kept until it was.
    pub async fn ask_guest_mail(
        &self,
        scope: &Scope,
        now: Timestamp,
        id: GuestId,
        to: (Pii<Email>, Language),
        job: JobId,
    ) -> Result<bool> {
        let (email, language) = &to;
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            if one(&*tx, scope, GuestsOf::Oneself, id).await?.is_none() {
                return Ok(false);
            }
            let row = guest_mail::ActiveModel {
                tenant: Set(scope.tenant.0),
                guest: Set(id.0),
                email: Set(email.reveal().as_str().to_owned()),
                language: Set(language.word().to_owned()),
            };
            let instead = OnConflict::columns([guest_mail::Column::Tenant, guest_mail::Column::Guest])
                .update_columns([guest_mail::Column::Email, guest_mail::Column::Language])
                .to_owned();
            guest_mail::Entity::insert(row).on_conflict(instead).exec_without_returning(&*tx).await?;
            jobs::enqueue(&tx, scope, job, JobKind::GuestMail, id.0, now).await?;
            Ok(true)
        })
        .await
    }
}

/// Takes the guests with them of who has left a unit.
pub(super) async fn leave(
    db: &impl ConnectionTrait,
    scope: &Scope,
    person: PersonId,
    unit: UnitId,
) -> Result<()> {
    guest::Entity::delete_many()
        .filter(guest::Column::Tenant.eq(scope.tenant.0))
        .filter(guest::Column::Host.eq(person.0))
        .filter(guest::Column::Unit.eq(unit.0))
        .exec(db)
        .await?;
    Ok(())
}

/// The first code that nobody in the building has.
async fn choose(
    db: &impl ConnectionTrait,
    scope: &Scope,
    building: BuildingId,
    codes: &Codes,
) -> Result<CodeChoice> {
    let hashes = codes.short.iter().chain(&codes.long).map(|choice| choice.hash);
    let space = CodeSpace::read(db, scope, building, hashes).await?;
    let long_enough = if space.long { &codes.long } else { &codes.short };
    let free = long_enough.iter().find(|choice| space.is_free(&choice.hash));
    free.copied().ok_or(StorageError::Conflict)
}

async fn write_doors(
    db: &impl ConnectionTrait,
    scope: &Scope,
    building: BuildingId,
    id: GuestId,
    doors: &[DoorId],
) -> Result<()> {
    let doors: BTreeSet<Uuid> = doors.iter().map(|door| door.0).collect();
    let rows = doors.into_iter().map(|door| guest_door::ActiveModel {
        tenant: Set(scope.tenant.0),
        guest: Set(id.0),
        door: Set(door),
        building: Set(building.0),
    });
    guest_door::Entity::insert_many(rows).exec_without_returning(db).await?;
    Ok(())
}

async fn tell(
    tx: &DatabaseTransaction,
    scope: &Scope,
    stamp: &Stamp,
    action: &'static str,
    before: Option<&Guest>,
    after: Option<&Guest>,
) -> Result<()> {
    let building = before.or(after).map(|guest| guest.building);
    let (before, after) = (before.map(told).transpose()?, after.map(told).transpose()?);
    audit::append(tx, scope, stamp, Change { building, action, persons: Vec::new(), before, after }).await
}

/// What the audit tells of a guest: not who it is.
fn told(guest: &Guest) -> Result<Value> {
    let doors: Vec<DoorId> = guest.doors.iter().map(|one| one.door.id).collect();
    let hours = guest.hours.as_ref().map(|hours| serde_json::to_value(hours).map_err(|_| unwritten()));
    Ok(json!({ "guest": guest.id, "doors": doors, "starts_at": guest.starts_at, "ends_at": guest.ends_at,
        "hours": hours.transpose()?, "once": guest.once }))
}

fn written(hours: &Schedule) -> Result<String> {
    if hours.fault().is_some() {
        return Err(StorageError::Invalid("the hours of a guest can not be"));
    }
    serde_json::to_string(hours).map_err(|_| unwritten())
}

const fn unwritten() -> StorageError {
    StorageError::Invalid("hours that can not be written as JSON")
}

fn number(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
