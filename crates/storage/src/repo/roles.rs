//! Roles: who gave what to whom, until when; and who bound themselves to confidentiality.

use crate::entity::audit as audit_row;
use crate::entity::{confidentiality, person, role_grant};
use crate::error::absent_is_false;
use crate::record::{GivenRole, NewRole, Revoked, RoleChange, Stamp};
use crate::repo::audit::{self, Change};
use crate::repo::convert::{At, Word};
use crate::repo::people::People;
use crate::repo::reach;
use crate::tx::{self, Isolation};
use crate::{Result, StorageError};
use klinke_model::ids::{BuildingId, PersonId, RoleGrantId, TenantId};
use klinke_model::people::{Role, RoleGrant};
use klinke_model::rights::{CONFIDENTIALITY_VERSION, GrantFault, Right};
use klinke_model::scope::{Principal, Scope};
use klinke_model::time::Timestamp;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
};
use serde_json::{Value, json};
use std::collections::HashSet;
use uuid::Uuid;

impl People<'_> {
    /// What a person may administer, the widest first; also what has ended or does not count yet. For themselves, and who
    /// gives roles everywhere.
    pub async fn roles(&self, scope: &Scope, person: PersonId) -> Result<Vec<RoleGrant>> {
        let reached = Expr::val(reach::is(scope, person)).or(reach::may_everywhere(scope, Right::Roles));
        let rows = role_grant::Entity::find()
            .filter(role_grant::Column::Tenant.eq(scope.tenant.0))
            .filter(role_grant::Column::Person.eq(person.0))
            .filter(reached)
            .all(&self.0.reader)
            .await?;
        let mut grants = rows.iter().map(grant).collect::<Result<Vec<_>>>()?;
        grants.sort_by_key(|grant| (grant.role, grant.building));
        Ok(grants)
    }

    /// Every role that was given over the buildings where the principal gives roles, and over all buildings; also what
    /// has ended. The widest first, then by name.
    pub async fn given_roles(&self, scope: &Scope) -> Result<Vec<GivenRole>> {
        tx::read(self.0, |tx| async move {
            let over_all =
                role_grant::Column::Building.is_null().and(reach::may_somewhere(scope, Right::Roles));
            let rows = role_grant::Entity::find()
                .filter(role_grant::Column::Tenant.eq(scope.tenant.0))
                .filter(over_all.or(given_here(scope)))
                .find_both_related(person::Entity)
                .all(&*tx)
                .await?;
            let bound = confidentiality::Entity::find()
                .filter(confidentiality::Column::Tenant.eq(scope.tenant.0))
                .filter(confidentiality::Column::Version.eq(CONFIDENTIALITY_VERSION))
                .filter(confidentiality::Column::Person.is_in(rows.iter().map(|(grant, _)| grant.person)))
                .all(&*tx)
                .await?;
            let bound: HashSet<Uuid> = bound.into_iter().map(|row| row.person).collect();
            let mut given = rows
                .iter()
                .map(|(row, person)| {
                    Ok(GivenRole {
                        id: row.id.into(),
                        person: row.person.into(),
                        name: At("person", "name").name(&person.name)?,
                        grant: grant(row)?,
                        bound: bound.contains(&row.person),
                    })
                })
                .collect::<Result<Vec<_>>>()?;
            given.sort_by_cached_key(|one| (one.grant.role, one.name.clone(), one.id));
            Ok(given)
        })
        .await
    }

    /// The changes of roles since a moment, over the buildings where the principal gives roles and over all buildings; the
    /// newest first, at most 200. What was erased since is left out.
    pub async fn role_changes(&self, scope: &Scope, since: Timestamp) -> Result<Vec<RoleChange>> {
        tx::read(self.0, |tx| async move {
            let over_all =
                audit_row::Column::Building.is_null().and(reach::may_somewhere(scope, Right::Roles));
            let rows = audit_row::Entity::find()
                .filter(audit_row::Column::Tenant.eq(scope.tenant.0))
                .filter(audit_row::Column::At.gte(since.as_millis()))
                .filter(audit_row::Column::Action.is_in(["role.given", "role.changed", "role.taken"]))
                .filter(over_all.or(reach::may(scope, Right::Roles, audit_row::Column::Building)))
                .order_by_desc(audit_row::Column::Seq)
                .limit(200)
                .all(&*tx)
                .await?;
            let told = rows.iter().filter_map(|row| {
                let content: Value = serde_json::from_str(row.content.as_deref()?).ok()?;
                let of = content.get("after").or(content.get("before"))?;
                let id = |value: Option<&Value>| value?.as_str()?.parse::<Uuid>().ok();
                let role = Role::from_word(of.get("role")?.as_str()?)?;
                Some((row, id(content.get("actor")), id(of.get("person"))?, role))
            });
            let told: Vec<_> = told.collect();
            let named = told.iter().flat_map(|(_, actor, person, _)| actor.iter().chain([person]));
            let names = person::Entity::find()
                .filter(person::Column::Tenant.eq(scope.tenant.0))
                .filter(person::Column::Id.is_in(named.copied()))
                .all(&*tx)
                .await?;
            let name = |id: Uuid| match names.iter().find(|row| row.id == id) {
                Some(row) => At("person", "name").name(&row.name),
                None => Ok(None),
            };
            told.into_iter()
                .map(|(row, actor, person, role)| {
                    Ok(RoleChange {
                        at: Timestamp::from_millis(row.at),
                        action: row.action.clone(),
                        by: actor.map(Into::into),
                        by_name: actor.map(name).transpose()?.flatten(),
                        person: person.into(),
                        person_name: name(person)?,
                        role,
                        building: row.building.map(Into::into),
                    })
                })
                .collect()
        })
        .await
    }

    /// Gives a person a role, or moves the end of the same one. Nobody gives more than they have there, or themselves
    /// anything. `false` when the principal may not, or something named is not there.
    ///
    /// # Errors
    /// [`StorageError::Invalid`] when it can not be given like this (see [`RoleGrant::fault`]). The service may give without
    /// end.
    pub async fn grant_role(&self, scope: &Scope, stamp: &Stamp, new: NewRole) -> Result<bool> {
        check(scope, stamp, &new.grant)?;
        let granted = tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            let RoleGrant { role, building, ends_at } = new.grant;
            if scope.person() == Some(new.person) || !may_hand_over(&*tx, scope, role, building).await? {
                return Ok(false);
            }
            let before = role_grant::Entity::find()
                .filter(role_grant::Column::Tenant.eq(scope.tenant.0))
                .filter(role_grant::Column::Person.eq(new.person.0))
                .filter(role_grant::Column::Role.eq(role.word()))
                .filter(match building {
                    Some(building) => role_grant::Column::Building.eq(building.0),
                    None => role_grant::Column::Building.is_null(),
                })
                .one(&*tx)
                .await?;
            let ends = ends_at.map(Timestamp::as_millis);
            match &before {
                Some(before) if before.ends_at == ends => return Ok(true),
                Some(before) => {
                    role_grant::Entity::update_many()
                        .col_expr(role_grant::Column::EndsAt, Expr::val(ends))
                        .filter(role_grant::Column::Tenant.eq(scope.tenant.0))
                        .filter(role_grant::Column::Id.eq(before.id))
                        .exec(&*tx)
                        .await?;
                }
                None => {
                    let row = row(scope.tenant, new.id, new.person, new.grant);
                    role_grant::Entity::insert(row).exec_without_returning(&*tx).await?;
                }
            }
            let change = Change {
                building,
                action: if before.is_some() { "role.changed" } else { "role.given" },
                persons: vec![new.person],
                before: before.as_ref().map(told),
                after: Some(json!({ "person": new.person, "role": role, "ends_at": ends_at })),
            };
            audit::append(&tx, scope, stamp, change).await?;
            Ok(true)
        });
        absent_is_false(granted.await)
    }

    /// Takes a role. The last manager stays: somebody must be able to give roles.
    pub async fn revoke_role(&self, scope: &Scope, stamp: &Stamp, id: RoleGrantId) -> Result<Revoked> {
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            let found = role_grant::Entity::find_by_id((scope.tenant.0, id.0)).one(&*tx).await?;
            let Some(found) = found else { return Ok(Revoked::NotThere) };
            let building: Option<BuildingId> = found.building.map(Into::into);
            let role: Role = At("role_grant", "role").choice(&found.role)?;
            if !may_hand_over(&*tx, scope, role, building).await? {
                return Ok(Revoked::NotThere);
            }
            if role == Role::Manager && managers(&*tx, scope, stamp, id).await? == 0 {
                return Ok(Revoked::LastManager);
            }
            role_grant::Entity::delete_by_id((scope.tenant.0, id.0)).exec(&*tx).await?;
            let change = Change {
                building,
                action: "role.taken",
                persons: vec![found.person.into()],
                before: Some(told(&found)),
                after: None,
            };
            audit::append(&tx, scope, stamp, change).await?;
            Ok(Revoked::Done)
        })
        .await
    }

    /// Binds a person to confidentiality, as it is worded now. Nobody can do it for another; the service can, for the
    /// people it makes up.
    pub async fn accept_confidentiality(
        &self,
        scope: &Scope,
        stamp: &Stamp,
        person: PersonId,
    ) -> Result<bool> {
        if !reach::is(scope, person) {
            return Ok(false);
        }
        let accepted = tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            let row = confidentiality::ActiveModel {
                tenant: Set(scope.tenant.0),
                person: Set(person.0),
                version: Set(CONFIDENTIALITY_VERSION),
                accepted_at: Set(stamp.at.as_millis()),
            };
            let first = confidentiality::Entity::insert(row)
                .on_conflict(OnConflict::new().do_nothing().to_owned())
                .exec_without_returning(&*tx)
                .await?;
            if first > 0 {
                let change = Change {
                    building: None,
                    action: "confidentiality.accepted",
                    persons: vec![person],
                    before: None,
                    after: Some(json!({ "person": person, "version": CONFIDENTIALITY_VERSION })),
                };
                audit::append(&tx, scope, stamp, change).await?;
            }
            Ok(true)
        });
        absent_is_false(accepted.await)
    }

    /// Whether a person bound themselves to confidentiality, as it is worded now. For themselves and the service.
    pub async fn is_bound(&self, scope: &Scope, person: PersonId) -> Result<bool> {
        Ok(reach::is(scope, person) && reach::holds(&self.0.reader, reach::is_bound(scope, person)).await?)
    }

    /// Whether the principal has a right anywhere.
    pub async fn may_somewhere(&self, scope: &Scope, right: Right) -> Result<bool> {
        reach::holds(&self.0.reader, reach::may_somewhere(scope, right)).await
    }

    /// Whether a building is there and the principal has a right in it.
    pub async fn may_in(&self, scope: &Scope, right: Right, building: BuildingId) -> Result<bool> {
        reach::building(&self.0.reader, scope, right, building).await
    }

    /// Whether the principal has a right in every building.
    pub async fn may_everywhere(&self, scope: &Scope, right: Right) -> Result<bool> {
        reach::holds(&self.0.reader, reach::may_everywhere(scope, right)).await
    }
}

/// Grants over one building in which the principal gives roles.
fn given_here(scope: &Scope) -> Expr {
    // `reach::may` looks into the same table: what it looks for comes from outside of it
    let buildings = sea_orm::sea_query::Query::select()
        .column(crate::entity::building::Column::Id)
        .from(crate::entity::building::Entity)
        .and_where(crate::entity::building::Column::Tenant.eq(scope.tenant.0))
        .and_where(reach::may(scope, Right::Roles, crate::entity::building::Column::Id))
        .take();
    role_grant::Column::Building.in_subquery(buildings)
}

/// Whether the principal gives roles there, and has all that this one allows.
async fn may_hand_over(
    db: &impl ConnectionTrait,
    scope: &Scope,
    role: Role,
    building: Option<BuildingId>,
) -> Result<bool> {
    if role == Role::Operator && scope.principal != Principal::System {
        return Ok(false);
    }
    for right in role.rights().iter().chain([&Right::Roles]) {
        let has = match building {
            Some(building) => reach::building(db, scope, *right, building).await?,
            None => reach::holds(db, reach::may_everywhere(scope, *right)).await?,
        };
        if !has {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The service may give without end: the first manager, and the demo's.
fn check(scope: &Scope, stamp: &Stamp, grant: &RoleGrant) -> Result<()> {
    let fault = grant.fault(stamp.at);
    let excused = scope.principal == Principal::System
        && matches!(fault, Some(GrantFault::NeedsEnd | GrantFault::TooLong));
    match fault.filter(|_| !excused) {
        Some(_) => Err(StorageError::Invalid("the role can not be given like this")),
        None => Ok(()),
    }
}

/// How many managers there are besides this grant.
async fn managers(
    db: &impl ConnectionTrait,
    scope: &Scope,
    stamp: &Stamp,
    besides: RoleGrantId,
) -> Result<u64> {
    Ok(role_grant::Entity::find()
        .filter(role_grant::Column::Tenant.eq(scope.tenant.0))
        .filter(role_grant::Column::Role.eq(Role::Manager.word()))
        .filter(role_grant::Column::Id.ne(besides.0))
        .filter(reach::in_force(&scope.at(stamp.at)))
        .count(db)
        .await?)
}

/// What the audit tells of a grant.
fn told(row: &role_grant::Model) -> Value {
    json!({ "person": row.person, "role": row.role, "ends_at": row.ends_at })
}

fn grant(row: &role_grant::Model) -> Result<RoleGrant> {
    Ok(RoleGrant {
        role: At("role_grant", "role").choice(&row.role)?,
        building: row.building.map(Into::into),
        ends_at: row.ends_at.map(Timestamp::from_millis),
    })
}

/// A grant as a row.
pub(super) fn row(
    tenant: TenantId,
    id: RoleGrantId,
    person: PersonId,
    grant: RoleGrant,
) -> role_grant::ActiveModel {
    role_grant::ActiveModel {
        tenant: Set(tenant.0),
        id: Set(id.0),
        person: Set(person.0),
        role: Set(grant.role.word().to_owned()),
        building: Set(grant.building.map(|building| building.0)),
        ends_at: Set(grant.ends_at.map(Timestamp::as_millis)),
    }
}
