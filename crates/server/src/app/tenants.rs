//! Property managers, for operators: made with a first manager, renamed, suspended. Nothing inside them is told.

use super::everywhere;
use super::invitations::{LIVES, link, user_name};
use crate::auth::session::SignedIn;
use crate::auth::token::Token;
use crate::http::body::{Body, Object};
use crate::http::problem::{Code, Fields, Problem, ProblemBody};
use crate::node::Node;
use crate::stations::standing;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use klinke_model::contact::Language;
use klinke_model::ids::{PersonId, TenantId};
use klinke_model::people::Person;
use klinke_model::privacy::Pii;
use klinke_model::rights::{LONGEST_ROLE_DAYS, Right};
use klinke_model::scope::Scope;
use klinke_model::text::Label;
use klinke_storage::record::{NewTenant as Made, TenantChanged, TenantRow};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;
use utoipa::ToSchema;

/// A property manager.
#[derive(Serialize, ToSchema)]
pub struct PropertyManager {
    id: TenantId,
    name: Label,
    /// Nobody of it signs in, and its panels are out of service; its doors go on.
    suspended: bool,
    /// It is the operator's own, which they can not suspend.
    own: bool,
    /// Grows with every change.
    version: u64,
}

/// A new property manager.
#[derive(Deserialize, ToSchema)]
pub struct NewPropertyManager {
    name: String,
    /// What its first manager is called.
    #[schema(value_type = String)]
    manager_name: Pii<String>,
    /// Where the invitation goes; empty for a link to hand over.
    #[schema(value_type = String)]
    manager_email: Pii<String>,
    /// The language of the invitation.
    language: Language,
}

/// A property manager that was made, and how its first manager comes in.
#[derive(Serialize, ToSchema)]
pub struct MadePropertyManager {
    tenant: PropertyManager,
    /// The invitation goes by mail.
    by_mail: bool,
    /// Else here is the link, this once.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    link: Option<String>,
    /// What they will sign in with, beside the link to hand over.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    user_name: Option<String>,
}

/// What is to be changed; what is absent stays as it is.
#[derive(Deserialize, ToSchema)]
pub struct PropertyManagerChange {
    /// The version that the asker saw.
    version: u64,
    #[schema(required = false)]
    name: Option<String>,
    #[schema(required = false)]
    suspended: Option<bool>,
}

fn shown(who: &SignedIn, row: TenantRow) -> PropertyManager {
    PropertyManager {
        own: row.tenant.id == who.scope.tenant,
        id: row.tenant.id,
        name: row.tenant.name,
        suspended: row.suspended,
        version: row.version,
    }
}

/// All property managers, by name.
#[utoipa::path(get, path = "/api/v1/tenants", operation_id = "tenants", tag = "operator", security(("session" = [])),
    responses((status = 200, description = "The property managers", body = [PropertyManager]),
        (status = 403, description = "`forbidden`: no operator", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn list(
    State(node): State<Arc<Node>>,
    who: SignedIn,
) -> Result<Json<Vec<PropertyManager>>, Problem> {
    everywhere(&node, &who, Right::Tenants).await?;
    let rows = node.store.tenants().tenants(&who.scope).await?;
    Ok(Json(rows.into_iter().map(|row| shown(&who, row)).collect()))
}

/// Makes a property manager with its first manager, who is invited. Their role ends after a year and counts once they have
/// accepted confidentiality, like every such role.
#[utoipa::path(post, path = "/api/v1/tenants", operation_id = "make_tenant", tag = "operator",
    request_body = NewPropertyManager, security(("session" = [])),
    responses((status = 201, description = "Made", body = MadePropertyManager),
        (status = 403, description = "`forbidden`: no operator", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn make(
    State(node): State<Arc<Node>>,
    who: SignedIn,
    Body(new): Body<NewPropertyManager>,
) -> Result<(StatusCode, Json<MadePropertyManager>), Problem> {
    everywhere(&node, &who, Right::Tenants).await?;
    let mut fields = Fields::default();
    let name = fields.label("/name", &new.name);
    let manager = fields.label("/manager_name", new.manager_name.reveal());
    let email = fields.email("/manager_email", new.manager_email.reveal());
    let (Some(name), Some(manager)) = (name, manager) else { return Err(fields.into()) };
    fields.check()?;
    let stamp = node.stamp();
    let (id, person): (TenantId, PersonId) = (node.random.v7(stamp.at), node.random.v7(stamp.at));
    let by_mail = email.is_some() && node.mailer.is_some();
    let manager = Person { email, language: new.language, ..Person::named(person, manager) };
    let tenant = klinke_model::site::Tenant { id, name };
    let made = Made {
        tenant: tenant.clone(),
        manager,
        role: node.random.v7(stamp.at),
        ends_at: stamp.at.plus(Duration::from_secs(LONGEST_ROLE_DAYS * 86_400)),
    };
    if !node.store.tenants().make_tenant(&who.scope, &stamp, made).await? {
        return Err(Code::Forbidden.into());
    }
    // from here on it is the service that invites, inside the new property manager
    let (inside, invitations) = (Scope::system(id), node.store.invitations());
    let (mut handed, mut known) = (None, None);
    if by_mail {
        invitations.invite(&inside, &node.stamp(), person, node.random.v7(stamp.at)).await?;
        node.work.notify_one();
    } else {
        let token = Token::new(&node.random);
        let until = stamp.at.plus(LIVES);
        invitations.hand_over(&inside, &node.stamp(), person, token.hash().0, until).await?;
        let invited = invitations.addressee(&inside, person).await?.ok_or(Code::NotFound)?;
        known = Some(user_name(&node, &invited).await?.into_inner());
        handed = Some(link(&node, &token));
    }
    let row = TenantRow { tenant, suspended: false, version: 1 };
    let made = MadePropertyManager { tenant: shown(&who, row), by_mail, link: handed, user_name: known };
    Ok((StatusCode::CREATED, Json(made)))
}

/// Renames a property manager, suspends it, or ends that. While it is suspended nobody of it signs in and its panels are
/// out of service; its doors go on.
#[utoipa::path(patch, path = "/api/v1/tenants/{tenant}", operation_id = "change_tenant", tag = "operator",
    request_body = PropertyManagerChange, params(("tenant" = uuid::Uuid, Path, description = "The property manager")), security(("session" = [])),
    responses((status = 200, description = "Changed", body = PropertyManager),
        (status = 403, description = "`forbidden`: no operator, or their own is to be suspended", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`conflict`: somebody else changed it since; `current` is a `PropertyManager`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn change(
    State(node): State<Arc<Node>>,
    who: SignedIn,
    Object(tenant): Object<TenantId>,
    Body(change): Body<PropertyManagerChange>,
) -> Result<Json<PropertyManager>, Problem> {
    everywhere(&node, &who, Right::Tenants).await?;
    let rows = node.store.tenants().tenants(&who.scope).await?;
    let mut wanted = rows.into_iter().find(|row| row.tenant.id == tenant).ok_or(Code::NotFound)?;
    let mut fields = Fields::default();
    let name = change.name.map_or(Some(wanted.tenant.name), |name| fields.label("/name", &name));
    let Some(name) = name else { return Err(fields.into()) };
    wanted.tenant.name = name;
    wanted.suspended = change.suspended.unwrap_or(wanted.suspended);
    wanted.version = change.version;
    match node.store.tenants().change_tenant(&who.scope, &node.stamp(), wanted).await? {
        TenantChanged::Done(row) => {
            // a suspended one calls nobody
            super::trunks::changed(&node);
            standing::look(&node).await;
            if row.suspended {
                cut_off(&node, tenant).await?;
            }
            Ok(Json(shown(&who, row)))
        }
        TenantChanged::Conflict(row) => Err(Problem::conflict(&shown(&who, row))),
        TenantChanged::NotThere => Err(Code::Forbidden.into()),
    }
}

/// Closes what is connected: it does not come back while the property manager is suspended.
async fn cut_off(node: &Node, tenant: TenantId) -> Result<(), Problem> {
    let stopped = node.store.tenants().stopped(&Scope::system(tenant)).await?;
    for panel in stopped.panels {
        node.exchange.panel_stopped(panel);
    }
    for device in stopped.devices {
        node.exchange.device_signed_out(device).await;
    }
    // door stations have no connection that could be closed
    standing::look(node).await;
    Ok(())
}
