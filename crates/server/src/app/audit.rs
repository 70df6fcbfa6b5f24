//! What administrators changed, and whether anybody tampered with it.

use super::{administrator, everywhere};
use crate::auth::caller::Caller;
use crate::http::problem::{Code, Problem, ProblemBody};
use crate::node::Node;
use axum::Json;
use axum::extract::{Query, State};
use klinke_model::ids::{ApiTokenId, BuildingId, PersonId};
use klinke_model::rights::Right;
use klinke_model::text::Label;
use klinke_model::time::Timestamp;
use klinke_storage::record::AuditQuery;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

/// Which entries.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// Of this building only.
    building: Option<BuildingId>,
    /// That name this person only.
    person: Option<PersonId>,
    /// What `next` of the page before said.
    cursor: Option<u64>,
    /// How many, 1 to 200; 50 unless told.
    limit: Option<u32>,
}

/// One change.
#[derive(Serialize, ToSchema)]
pub struct AuditEntry {
    /// Its place in the chain, from 1.
    seq: u64,
    /// When, in UTC milliseconds.
    at: Timestamp,
    /// The building it was in, when it was in one.
    #[serde(skip_serializing_if = "Option::is_none")]
    building: Option<BuildingId>,
    /// What happened, such as `role.given`.
    action: String,
    /// Its content was erased with a person; that it happened stays.
    erased: bool,
    /// Who did it; absent for the service itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    actor: Option<PersonId>,
    /// The token that did it, when it was another program.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<ApiTokenId>,
    /// What they are called, when the asker may see them.
    #[serde(skip_serializing_if = "Option::is_none")]
    actor_name: Option<Label>,
    /// The role they did it by; `service` for the service itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<String>,
    /// What was.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Object, required = false)]
    before: Option<serde_json::Value>,
    /// What is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Object, required = false)]
    after: Option<serde_json::Value>,
}

/// A page of entries.
#[derive(Serialize, ToSchema)]
pub struct AuditPage {
    /// The newest first.
    items: Vec<AuditEntry>,
    /// The cursor of the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<u64>,
}

/// What checking the whole chain found.
#[derive(Serialize, ToSchema)]
pub struct AuditProof {
    entries: u64,
    /// How many were erased; the chain holds without what they said.
    erased: u64,
    /// The first place where the chain is broken; absent when it is whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    first_bad: Option<u64>,
    /// The last hash. Noted elsewhere, it shows whether the end was cut off later.
    head: String,
}

/// What administrators changed, the newest first: in the buildings that one audits, and everywhere for who audits them all.
#[utoipa::path(get, path = "/api/v1/audit", operation_id = "audit", tag = "audit", params(Which), security(("session" = []), ("token" = [])),
    responses((status = 200, description = "A page", body = AuditPage),
        (status = 400, description = "`malformed`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`forbidden`; `confidentiality_required`", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn handler(
    State(node): State<Arc<Node>>,
    who: Caller,
    which: Result<Query<Which>, axum::extract::rejection::QueryRejection>,
) -> Result<Json<AuditPage>, Problem> {
    administrator(&node, &who, Right::Audit).await?;
    let Ok(Query(Which { building, person, cursor, limit })) = which else {
        return Err(Code::Malformed.into());
    };
    let limit = limit.unwrap_or(50);
    if !(1..=200).contains(&limit) {
        return Err(Code::Malformed.into());
    }
    let query = AuditQuery { building, person, before: cursor, limit };
    let entries = node.store.audit().audit_entries(&who.scope, query).await?;
    let full = u32::try_from(entries.len()).is_ok_and(|count| count == limit);
    let next = entries.last().filter(|last| full && last.seq > 1).map(|last| last.seq);
    let mut names: HashMap<PersonId, Option<Label>> = HashMap::new();
    let mut items = Vec::with_capacity(entries.len());
    for entry in entries {
        let content = entry.content.map(klinke_model::privacy::Pii::into_inner);
        let actor = content.as_ref().and_then(|content| content.actor);
        let actor_name = match actor {
            None => None,
            Some(actor) => match names.get(&actor) {
                Some(known) => known.clone(),
                None => {
                    let found = node.store.people().person(&who.scope, actor).await?;
                    let name =
                        found.and_then(|person| person.name).map(klinke_model::privacy::Pii::into_inner);
                    names.insert(actor, name.clone());
                    name
                }
            },
        };
        let erased = content.is_none();
        let token = content.as_ref().and_then(|content| content.token);
        let (role, before, after) =
            content.map_or((None, None, None), |content| (Some(content.role), content.before, content.after));
        let (seq, at, building, action) = (entry.seq, entry.at, entry.building, entry.action);
        items.push(AuditEntry { seq, at, building, action, erased, actor, token, actor_name, role, before, after });
    }
    Ok(Json(AuditPage { items, next }))
}

/// Checks the whole chain.
#[utoipa::path(get, path = "/api/v1/audit/proof", operation_id = "audit_proof", tag = "audit", security(("session" = []), ("token" = [])),
    responses((status = 200, description = "What was found", body = AuditProof),
        (status = 403, description = "`forbidden`: audits not every building", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn proof(State(node): State<Arc<Node>>, who: Caller) -> Result<Json<AuditProof>, Problem> {
    everywhere(&node, &who, Right::Audit).await?;
    let proof = node.store.audit().verify_audit(&who.scope).await?.ok_or(Code::Forbidden)?;
    Ok(Json(AuditProof {
        entries: proof.entries,
        erased: proof.erased,
        first_bad: proof.first_bad,
        head: proof.head.iter().map(|byte| format!("{byte:02x}")).collect(),
    }))
}
