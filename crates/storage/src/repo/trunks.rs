//! Trunks: the ways to ordinary phones, in the order in which they are tried. They are the property manager's, not a
//! building's: only who may change every building sees them.

use crate::entity::trunk;
use crate::record::{NewTrunk, Stamp, TRUNKS, Trunk, TrunkAdded, TrunkChange, TrunkChanged, TrunkOrdered};
use crate::repo::audit::{self, Change};
use crate::repo::convert::{At, Word};
use crate::repo::reach;
use crate::tx::{self, Isolation, Tx};
use crate::{Result, Store};
use klinke_model::ids::TrunkId;
use klinke_model::phone::E164;
use klinke_model::rights::Right;
use klinke_model::scope::Scope;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};
use serde_json::{Value, json};

/// Trunks and limits of calls: for who may change every building, and the service.
///
/// Every function fails only when the database can not do its work; what is not the principal's is empty or `None`.
#[derive(Debug)]
pub struct Trunks<'a>(pub(crate) &'a Store);

impl Trunks<'_> {
    /// All of them, in the order in which they are tried.
    pub async fn trunks(&self, scope: &Scope) -> Result<Vec<Trunk>> {
        tx::read(self.0, |tx| async move { all(&*tx, scope).await }).await
    }

    /// One of them.
    pub async fn trunk(&self, scope: &Scope, id: TrunkId) -> Result<Option<Trunk>> {
        tx::read(self.0, |tx| async move { found(&*tx, scope, id).await?.as_ref().map(whole).transpose() })
            .await
    }

    /// Adds one behind the others.
    pub async fn add_trunk(&self, scope: &Scope, stamp: &Stamp, new: NewTrunk) -> Result<TrunkAdded> {
        let new = &new;
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            if !reach::holds(&*tx, reach::may_everywhere(scope, Right::ChangeBuilding)).await? {
                return Ok(TrunkAdded::NotThere);
            }
            let rows = rows(&*tx, scope).await?;
            if rows.len() >= TRUNKS {
                return Ok(TrunkAdded::TooMany);
            }
            let row = trunk::ActiveModel {
                tenant: Set(scope.tenant.0),
                id: Set(new.id.0),
                position: Set(rows.last().map_or(0, |last| last.position.saturating_add(1))),
                name: Set(new.name.as_str().to_owned()),
                host: Set(new.host.clone()),
                port: Set(new.port.into()),
                way: Set(new.way.word().to_owned()),
                domain: Set(new.domain.clone()),
                caller: Set(new.caller.as_str().to_owned()),
                registers: Set(new.registers),
                account: Set(new.account.clone()),
                password: Set(new.password.clone().filter(|_| new.account.is_some())),
                keys: Set(new.keys.word().to_owned()),
                enabled: Set(new.enabled),
                version: Set(1),
                encryption: Set(new.encryption.word().to_owned()),
            };
            trunk::Entity::insert(row).exec_without_returning(&*tx).await?;
            append(&tx, scope, stamp, "trunk.made", (None, Some(told(new)))).await?;
            Ok(TrunkAdded::Done)
        })
        .await
    }

    /// Changes one.
    pub async fn change_trunk(
        &self,
        scope: &Scope,
        stamp: &Stamp,
        change: TrunkChange,
    ) -> Result<TrunkChanged> {
        let change = &change;
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            let id = change.set.id;
            let Some(row) = found(&*tx, scope, id).await? else { return Ok(TrunkChanged::NotFound) };
            let before = whole(&row)?;
            if before.version != change.version {
                return Ok(TrunkChanged::Conflict(before));
            }
            let mut after = change.set.clone();
            if !change.password {
                after.password = before.set.password.clone();
            }
            if after.account.is_none() {
                after.password = None;
            }
            if after == before.set {
                return Ok(TrunkChanged::Done(before));
            }
            trunk::Entity::update_many()
                .col_expr(trunk::Column::Name, Expr::val(after.name.as_str()))
                .col_expr(trunk::Column::Host, Expr::val(after.host.clone()))
                .col_expr(trunk::Column::Port, Expr::val(i32::from(after.port)))
                .col_expr(trunk::Column::Way, Expr::val(after.way.word()))
                .col_expr(trunk::Column::Domain, Expr::val(after.domain.clone()))
                .col_expr(trunk::Column::Caller, Expr::val(after.caller.as_str()))
                .col_expr(trunk::Column::Registers, Expr::val(after.registers))
                .col_expr(trunk::Column::Account, Expr::val(after.account.clone()))
                .col_expr(trunk::Column::Password, Expr::val(after.password.clone()))
                .col_expr(trunk::Column::Keys, Expr::val(after.keys.word()))
                .col_expr(trunk::Column::Encryption, Expr::val(after.encryption.word()))
                .col_expr(trunk::Column::Enabled, Expr::val(after.enabled))
                .col_expr(trunk::Column::Version, Expr::col(trunk::Column::Version).add(1))
                .filter(trunk::Column::Tenant.eq(scope.tenant.0))
                .filter(trunk::Column::Id.eq(id.0))
                .exec(&*tx)
                .await?;
            let mut says = told(&after);
            if after.password != before.set.password
                && let Some(fields) = says.as_object_mut()
            {
                // that it is another one; neither of them
                fields.insert("password_changed".to_owned(), json!(true));
            }
            append(&tx, scope, stamp, "trunk.changed", (Some(told(&before.set)), Some(says))).await?;
            Ok(TrunkChanged::Done(Trunk { set: after, version: before.version.saturating_add(1) }))
        })
        .await
    }

    /// Removes one.
    pub async fn remove_trunk(&self, scope: &Scope, stamp: &Stamp, id: TrunkId) -> Result<bool> {
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            let Some(row) = found(&*tx, scope, id).await? else { return Ok(false) };
            let before = whole(&row)?;
            trunk::Entity::delete_by_id((scope.tenant.0, id.0)).exec(&*tx).await?;
            append(&tx, scope, stamp, "trunk.removed", (Some(told(&before.set)), None)).await?;
            Ok(true)
        })
        .await
    }

    /// Notes that the principal has one tested by a call; to whom is said nowhere. `false` when it is not theirs.
    pub async fn note_test(&self, scope: &Scope, stamp: &Stamp, id: TrunkId) -> Result<bool> {
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            let Some(row) = found(&*tx, scope, id).await? else { return Ok(false) };
            let says = json!({ "trunk": id, "name": row.name });
            append(&tx, scope, stamp, "trunk.tested", (None, Some(says))).await?;
            Ok(true)
        })
        .await
    }

    /// Says in which order they are tried: all of them, each once.
    pub async fn order_trunks(
        &self,
        scope: &Scope,
        stamp: &Stamp,
        wanted: Vec<TrunkId>,
    ) -> Result<TrunkOrdered> {
        let wanted = &wanted;
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            if !reach::holds(&*tx, reach::may_everywhere(scope, Right::ChangeBuilding)).await? {
                return Ok(TrunkOrdered::NotThere);
            }
            let before: Vec<TrunkId> =
                rows(&*tx, scope).await?.into_iter().map(|row| row.id.into()).collect();
            let sorted = |ids: &[TrunkId]| {
                let mut ids = ids.to_vec();
                ids.sort_unstable();
                ids
            };
            if sorted(&before) != sorted(wanted) {
                return Ok(TrunkOrdered::NotAll);
            }
            if before == *wanted {
                return all(&*tx, scope).await.map(TrunkOrdered::Done);
            }
            for (position, id) in (0_i32..).zip(wanted) {
                trunk::Entity::update_many()
                    .col_expr(trunk::Column::Position, Expr::val(position))
                    .filter(trunk::Column::Tenant.eq(scope.tenant.0))
                    .filter(trunk::Column::Id.eq(id.0))
                    .exec(&*tx)
                    .await?;
            }
            let says = |ids: &[TrunkId]| Some(json!({ "trunks": ids }));
            append(&tx, scope, stamp, "trunk.ordered", (says(&before), says(wanted))).await?;
            all(&*tx, scope).await.map(TrunkOrdered::Done)
        })
        .await
    }
}

async fn rows(db: &impl ConnectionTrait, scope: &Scope) -> Result<Vec<trunk::Model>> {
    let rows = trunk::Entity::find()
        .filter(trunk::Column::Tenant.eq(scope.tenant.0))
        .filter(reach::may_everywhere(scope, Right::ChangeBuilding))
        .order_by_asc(trunk::Column::Position)
        .order_by_asc(trunk::Column::Id)
        .all(db)
        .await?;
    Ok(rows)
}

async fn all(db: &impl ConnectionTrait, scope: &Scope) -> Result<Vec<Trunk>> {
    let rows = rows(db, scope).await?;
    rows.iter().map(whole).collect()
}

async fn found(db: &impl ConnectionTrait, scope: &Scope, id: TrunkId) -> Result<Option<trunk::Model>> {
    let row = trunk::Entity::find_by_id((scope.tenant.0, id.0))
        .filter(reach::may_everywhere(scope, Right::ChangeBuilding))
        .one(db)
        .await?;
    Ok(row)
}

async fn append(
    tx: &Tx,
    scope: &Scope,
    stamp: &Stamp,
    action: &'static str,
    (before, after): (Option<Value>, Option<Value>),
) -> Result<()> {
    let change = Change { building: None, action, persons: Vec::new(), before, after };
    audit::append(tx, scope, stamp, change).await
}

/// A trunk as the audit tells of it: without its password, and without what the password is for.
fn told(trunk: &NewTrunk) -> Value {
    json!({
        "trunk": trunk.id,
        "name": trunk.name,
        "host": trunk.host,
        "port": trunk.port,
        "way": trunk.way,
        "caller": trunk.caller,
        "registers": trunk.registers,
        "keys": trunk.keys,
        "encryption": trunk.encryption,
        "enabled": trunk.enabled,
    })
}

fn whole(row: &trunk::Model) -> Result<Trunk> {
    let set = NewTrunk {
        id: row.id.into(),
        name: At("trunk", "name").label(&row.name)?,
        host: row.host.clone(),
        port: At("trunk", "port").number(row.port.into())?,
        way: At("trunk", "way").choice(&row.way)?,
        domain: row.domain.clone(),
        caller: E164::new(&row.caller).map_err(|_| At("trunk", "caller").corrupt())?,
        registers: row.registers,
        account: row.account.clone(),
        password: row.password.clone(),
        keys: At("trunk", "keys").choice(&row.keys)?,
        encryption: At("trunk", "encryption").choice(&row.encryption)?,
        enabled: row.enabled,
    };
    Ok(Trunk { set, version: At("trunk", "version").number(row.version)? })
}
