//! What administrators changed, and whether anybody tampered with it.

use super::{administrator, everywhere};
use crate::auth::caller::Caller;
use crate::http::problem::{Code, Problem, ProblemBody};
use crate::node::Node;
use axum::Json;
use axum::extract::{Query, State};
use klinke_model::ids::{ApiTokenId, BuildingId, PersonId};
use klinke_model::privacy::Pii;
use klinke_model::rights::Right;
use klinke_model::text::Label;
use klinke_model::time::Timestamp;
use klinke_storage::record::{self, AuditQuery};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// How many persons of an entry are told; a list of people may name thousands.
const MOST_PERSONS: usize = 20;

/// Which entries.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// Of this building only.
    building: Option<BuildingId>,
    /// That name this person only.
    person: Option<PersonId>,
    /// Whose action begins with this: `person.changed`, or `person` for all that happened to people.
    action: Option<String>,
    /// Not before this moment, in UTC milliseconds.
    from: Option<Timestamp>,
    /// Before this moment, in UTC milliseconds.
    until: Option<Timestamp>,
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
    /// Whom it names, 20 at most.
    persons: Vec<PersonId>,
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

/// What to call something.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditName)]
pub struct Named {
    kind: NamedKind,
    /// As it is called now.
    name: Label,
    /// Where it is, when it is in a building; of a person, one where they live.
    #[serde(skip_serializing_if = "Option::is_none")]
    building: Option<BuildingId>,
}

/// What something is.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[schema(as = AuditNameKind)]
#[serde(rename_all = "snake_case")]
pub enum NamedKind {
    /// Somebody.
    Person,
    /// A unit.
    Unit,
    /// A building.
    Building,
    /// An entrance.
    Entrance,
    /// A door.
    Door,
    /// A panel.
    Panel,
    /// A controller.
    Controller,
    /// Another program's token.
    Token,
    /// A group of people or of doors.
    Group,
}

impl From<record::AuditName> for Named {
    fn from(named: record::AuditName) -> Self {
        let kind = match named.kind {
            record::NamedKind::Person => NamedKind::Person,
            record::NamedKind::Unit => NamedKind::Unit,
            record::NamedKind::Building => NamedKind::Building,
            record::NamedKind::Entrance => NamedKind::Entrance,
            record::NamedKind::Door => NamedKind::Door,
            record::NamedKind::Panel => NamedKind::Panel,
            record::NamedKind::Controller => NamedKind::Controller,
            record::NamedKind::Token => NamedKind::Token,
            record::NamedKind::Group => NamedKind::Group,
        };
        Self { kind, name: named.name.into_inner(), building: named.building }
    }
}

/// A page of entries.
#[derive(Serialize, ToSchema)]
pub struct AuditPage {
    /// The newest first.
    items: Vec<AuditEntry>,
    /// What to call what the entries name by an id: whatever is still there and the asker may see.
    #[schema(value_type = std::collections::HashMap<String, Named>)]
    names: BTreeMap<Uuid, Named>,
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
    let Ok(Query(which)) = which else { return Err(Code::Malformed.into()) };
    let (query, limit) = which.query()?;
    let page = node.store.audit().audit_page(&who.scope, query).await?;
    let full = u32::try_from(page.entries.len()).is_ok_and(|count| count == limit);
    let next = page.entries.last().filter(|last| full && last.seq > 1).map(|last| last.seq);
    let names: BTreeMap<_, _> = page.names.into_iter().map(|name| (name.id, Named::from(name))).collect();
    let items = page.entries.into_iter().map(|entry| shown(entry, &names)).collect();
    Ok(Json(AuditPage { items, names, next }))
}

impl Which {
    /// What is asked of the store, and how many entries a full page has.
    pub(super) fn query(self) -> Result<(AuditQuery, u32), Problem> {
        let Self { building, person, action, from, until, cursor, limit } = self;
        let limit = limit.unwrap_or(50);
        let word = |action: &String| {
            (1..=64).contains(&action.len())
                && action.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'_' | b'.'))
        };
        if !(1..=200).contains(&limit) || !action.as_ref().is_none_or(word) {
            return Err(Code::Malformed.into());
        }
        Ok((AuditQuery { building, person, action, from, until, before: cursor, limit }, limit))
    }
}

fn shown(entry: record::AuditEntry, names: &BTreeMap<Uuid, Named>) -> AuditEntry {
    let content = entry.content.map(Pii::into_inner);
    let actor = content.as_ref().and_then(|content| content.actor);
    let token = content.as_ref().and_then(|content| content.token);
    let named = actor.map(|actor| actor.0).or(token.map(|token| token.0));
    let actor_name = named.and_then(|id| names.get(&id)).map(|named| named.name.clone());
    let erased = content.is_none();
    let (role, before, after) =
        content.map_or((None, None, None), |content| (Some(content.role), content.before, content.after));
    let (seq, at, building, action) = (entry.seq, entry.at, entry.building, entry.action);
    let persons = entry.persons.into_iter().take(MOST_PERSONS).collect();
    AuditEntry { seq, at, building, action, persons, erased, actor, token, actor_name, role, before, after }
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
