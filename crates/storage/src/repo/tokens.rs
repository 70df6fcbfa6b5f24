//! Tokens of other programs: who made which, for what, until when.
//!
//! A token never does more than whoever made it may do at that moment (see `reach`): it ends with their role, and a
//! suspension stops it.

use crate::entity::{api_token, api_token_right, person};
use crate::error::absent_is_false;
use crate::record::{ApiToken, NewApiToken, Stamp};
use crate::repo::audit::{self, Change};
use crate::repo::convert::{At, Word};
use crate::repo::reach;
use crate::tx::{self, Isolation};
use crate::{Result, StorageError, Store};
use klinke_model::ids::{ApiTokenId, BuildingId};
use klinke_model::rights::Right;
use klinke_model::scope::{Principal, Scope};
use klinke_model::time::Timestamp;
use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use serde_json::json;
use std::collections::HashMap;
use uuid::Uuid;

/// Tokens of other programs: for who gives roles where they count.
///
/// Every function fails only when the database can not do its work; what is not the principal's is empty or `false`.
#[derive(Debug)]
pub struct Tokens<'a>(pub(crate) &'a Store);

impl Tokens<'_> {
    /// The tokens for buildings where the principal gives roles, also what has ended. By name.
    pub async fn tokens(&self, scope: &Scope) -> Result<Vec<ApiToken>> {
        if !is_person(scope) {
            return Ok(Vec::new());
        }
        tx::read(self.0, |tx| async move {
            let rows = api_token::Entity::find()
                .filter(api_token::Column::Tenant.eq(scope.tenant.0))
                .filter(reach::may(scope, Right::Roles, api_token::Column::Building))
                .find_both_related(person::Entity)
                .all(&*tx)
                .await?;
            let mut rights = rights(&*tx, scope, rows.iter().map(|(row, _)| row.id).collect()).await?;
            let mut tokens = rows
                .into_iter()
                .map(|(row, issuer)| {
                    Ok(ApiToken {
                        id: row.id.into(),
                        name: At("api_token", "name").label(&row.name)?,
                        building: row.building.map(Into::into),
                        rights: rights.remove(&row.id).unwrap_or_default(),
                        issuer: row.issuer.into(),
                        issuer_name: At("person", "name").name(&issuer.name)?,
                        ends_at: Timestamp::from_millis(row.ends_at),
                    })
                })
                .collect::<Result<Vec<_>>>()?;
            tokens.sort_by(|a, b| (a.name.as_str(), a.id).cmp(&(b.name.as_str(), b.id)));
            Ok(tokens)
        })
        .await
    }

    /// Makes a token, in the principal's name. `false` when they do not give roles there, or have not all that it would
    /// allow.
    ///
    /// # Errors
    /// [`StorageError::Invalid`] when it allows nothing, what no token can do, or does not end within a year.
    pub async fn make_token(&self, scope: &Scope, stamp: &Stamp, new: NewApiToken) -> Result<bool> {
        let Principal::Person { person, .. } = scope.principal else { return Ok(false) };
        if new.fault(stamp.at).is_some() {
            return Err(StorageError::Invalid("a token can not be made like this"));
        }
        let new = &new;
        let made = tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            for right in new.rights.iter().chain([&Right::Roles]) {
                if !has(&*tx, scope, *right, new.building).await? {
                    return Ok(false);
                }
            }
            let row = api_token::ActiveModel {
                tenant: Set(scope.tenant.0),
                id: Set(new.id.0),
                name: Set(new.name.as_str().to_owned()),
                token_hash: Set(new.token_hash.to_vec()),
                building: Set(new.building.map(|building| building.0)),
                issuer: Set(person.0),
                ends_at: Set(new.ends_at.as_millis()),
            };
            api_token::Entity::insert(row).exec_without_returning(&*tx).await?;
            let allowed = new.rights.iter().map(|right| api_token_right::ActiveModel {
                tenant: Set(scope.tenant.0),
                token: Set(new.id.0),
                allows: Set(right.word().to_owned()),
            });
            api_token_right::Entity::insert_many(allowed).exec_without_returning(&*tx).await?;
            let told =
                json!({ "token": new.id, "name": new.name, "rights": new.rights, "ends_at": new.ends_at });
            let change = Change {
                building: new.building,
                action: "token.made",
                persons: Vec::new(),
                before: None,
                after: Some(told),
            };
            audit::append(&tx, scope, stamp, change).await?;
            Ok(true)
        });
        absent_is_false(made.await)
    }

    /// Takes a token back: it works no more. `false` when it is not there, or not the principal's to take.
    pub async fn revoke_token(&self, scope: &Scope, stamp: &Stamp, id: ApiTokenId) -> Result<bool> {
        if !is_person(scope) {
            return Ok(false);
        }
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            let found = api_token::Entity::find_by_id((scope.tenant.0, id.0)).one(&*tx).await?;
            let Some(found) = found else { return Ok(false) };
            let building: Option<BuildingId> = found.building.map(Into::into);
            if !has(&*tx, scope, Right::Roles, building).await? {
                return Ok(false);
            }
            let rights = rights(&*tx, scope, vec![id.0]).await?.remove(&id.0).unwrap_or_default();
            api_token::Entity::delete_by_id((scope.tenant.0, id.0)).exec(&*tx).await?;
            let told = json!({ "token": id, "name": found.name, "rights": rights, "ends_at": found.ends_at });
            let change = Change {
                building,
                action: "token.revoked",
                persons: Vec::new(),
                before: Some(told),
                after: None,
            };
            audit::append(&tx, scope, stamp, change).await?;
            Ok(true)
        })
        .await
    }
}

fn is_person(scope: &Scope) -> bool {
    matches!(scope.principal, Principal::Person { .. })
}

async fn has(
    db: &impl ConnectionTrait,
    scope: &Scope,
    right: Right,
    building: Option<BuildingId>,
) -> Result<bool> {
    match building {
        Some(building) => reach::building(db, scope, right, building).await,
        None => reach::holds(db, reach::may_everywhere(scope, right)).await,
    }
}

async fn rights(
    db: &impl ConnectionTrait,
    scope: &Scope,
    tokens: Vec<Uuid>,
) -> Result<HashMap<Uuid, Vec<Right>>> {
    let rows = api_token_right::Entity::find()
        .filter(api_token_right::Column::Tenant.eq(scope.tenant.0))
        .filter(api_token_right::Column::Token.is_in(tokens))
        .all(db)
        .await?;
    let mut rights: HashMap<Uuid, Vec<Right>> = HashMap::new();
    for right in Right::ALL {
        for row in rows.iter().filter(|row| row.allows == right.word()) {
            rights.entry(row.token).or_default().push(right);
        }
    }
    Ok(rights)
}
