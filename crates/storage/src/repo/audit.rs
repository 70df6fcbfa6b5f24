//! The audit: what administrators changed, as a chain of hashes for each property manager (trust.md C6).
//!
//! ```text
//! content      = {"actor","token","role","before","after"} as JSON   can be erased
//! content_hash = SHA-256(salt ‖ content)                             stays
//! hash         = SHA-256(hash before ‖ seq ‖ at ‖ building ‖ action ‖ content_hash)
//! ```
//!
//! A flipped, dropped, added or moved entry breaks every hash after it. An entry whose content was erased still
//! verifies: its salt went too, so that nobody can guess what it said. A chain alone can not tell that its newest entries
//! were cut off; who wants to notice that keeps [`AuditProof::head`] somewhere else.

use crate::entity::{audit, audit_person};
use crate::record::{AuditContent, AuditEntry, AuditPage, AuditProof, AuditQuery, Stamp};
use crate::repo::audit_names;
use crate::repo::convert::At;
use crate::repo::reach;
use crate::tx::{self, Isolation};
use crate::{Result, StorageError, Store};
use klinke_model::ids::{ApiTokenId, BuildingId, PersonId};
use klinke_model::privacy::Pii;
use klinke_model::rights::Right;
use klinke_model::scope::{Principal, Scope};
use klinke_model::time::Timestamp;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, Query};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::{BTreeSet, HashMap};

/// How many rows one statement inserts: a list of people names thousands.
const AT_ONCE: usize = 1_000;
/// Entries that name people and say nothing of any of them: they keep what they say.
const ONLY_COUNTS: [&str; 3] = ["import.applied", "import.undone", "card.imported"];
/// The longest page of entries.
const PAGE: u64 = 200;
/// How many entries are checked at a time.
const CHECKED_AT_ONCE: u64 = 1_000;

/// A change to be told of; goes into the transaction that makes it.
#[derive(Clone, Debug)]
pub struct Change {
    /// The building it is in, when it is in one: its administrators see the entry.
    pub building: Option<BuildingId>,
    /// What happened, such as `person.changed`.
    pub action: &'static str,
    /// Whom `before` and `after` name: erasing one of them erases both.
    pub persons: Vec<PersonId>,
    /// What was; none for something new.
    pub before: Option<Value>,
    /// What is; none for something gone.
    pub after: Option<Value>,
}

impl Change {
    /// Something new in a building, that names nobody.
    pub fn made(building: BuildingId, action: &'static str, after: Value) -> Self {
        Self { building: Some(building), action, persons: Vec::new(), before: None, after: Some(after) }
    }
}

/// The erasable part, as it is written.
#[derive(Serialize, Deserialize)]
struct Content {
    actor: Option<PersonId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    token: Option<ApiTokenId>,
    role: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<Value>,
}

/// Adds an entry at the end of the chain. The transaction must be [`Isolation::Serializable`]: of two writers who saw the
/// same end one begins again.
pub async fn append(tx: &DatabaseTransaction, scope: &Scope, stamp: &Stamp, change: Change) -> Result<()> {
    let last = audit::Entity::find()
        .filter(audit::Column::Tenant.eq(scope.tenant.0))
        .order_by_desc(audit::Column::Seq)
        .one(tx)
        .await?;
    let (seq, before) = last.map_or((1, first(scope)), |last| (last.seq.saturating_add(1), last.hash));
    let content = Content {
        actor: scope.person(),
        token: scope.token(),
        role: reach::acting_role(tx, scope, change.building).await?,
        before: change.before,
        after: change.after,
    };
    let content = serde_json::to_string(&content)
        .map_err(|_| StorageError::Invalid("a change that can not be written as JSON"))?;
    let salt = salt(stamp, seq);
    let mut row = audit::Model {
        tenant: scope.tenant.0,
        seq,
        at: stamp.at.as_millis(),
        building: change.building.map(|building| building.0),
        action: change.action.to_owned(),
        content_hash: content_hash(&salt, &content),
        salt: Some(salt),
        content: Some(content),
        hash: Vec::new(),
    };
    row.hash = hash(&before, &row);
    let inserted = audit::Entity::insert(audit::ActiveModel {
        tenant: Set(row.tenant),
        seq: Set(row.seq),
        at: Set(row.at),
        building: Set(row.building),
        action: Set(row.action),
        salt: Set(row.salt),
        content: Set(row.content),
        content_hash: Set(row.content_hash),
        hash: Set(row.hash),
    })
    .exec_without_returning(tx)
    .await
    .map_err(StorageError::from);
    match inserted {
        // somebody else took this place in the chain
        Err(StorageError::Conflict) => return Err(StorageError::Contended),
        other => other?,
    };
    let persons: BTreeSet<_> = change.persons.into_iter().collect();
    let persons: Vec<_> = persons.into_iter().collect();
    for some in persons.chunks(AT_ONCE) {
        let named = some.iter().map(|person| audit_person::ActiveModel {
            tenant: Set(scope.tenant.0),
            seq: Set(seq),
            person: Set(person.0),
        });
        audit_person::Entity::insert_many(named).exec_without_returning(tx).await?;
    }
    Ok(())
}

/// The audit: for who may read it, in their buildings; entries of no building for who may read it everywhere.
///
/// Every function fails only when the database can not do its work; what is not the principal's is empty or `None`.
#[derive(Debug)]
pub struct Audit<'a>(pub(crate) &'a Store);

impl Audit<'_> {
    /// Entries, the newest first.
    pub async fn audit_entries(&self, scope: &Scope, query: AuditQuery) -> Result<Vec<AuditEntry>> {
        tx::read(self.0, |tx| async move { entries(&tx, scope, query).await }).await
    }

    /// Entries, the newest first, with the names of what they name.
    pub async fn audit_page(&self, scope: &Scope, query: AuditQuery) -> Result<AuditPage> {
        tx::read(self.0, |tx| async move {
            let entries = entries(&tx, scope, query).await?;
            let names = audit_names::of(&tx, scope, &entries).await?;
            Ok(AuditPage { entries, names })
        })
        .await
    }

    /// Checks the whole chain. For who may read all of it.
    pub async fn verify_audit(&self, scope: &Scope) -> Result<Option<AuditProof>> {
        tx::read(self.0, |tx| async move {
            if !reach::holds(&*tx, reach::may_everywhere(scope, Right::Audit)).await? {
                return Ok(None);
            }
            let (mut before, mut seq) = (first(scope), 0_i64);
            let mut proof = AuditProof { entries: 0, erased: 0, first_bad: None, head: [0; 32] };
            loop {
                let rows = audit::Entity::find()
                    .filter(audit::Column::Tenant.eq(scope.tenant.0))
                    .filter(audit::Column::Seq.gt(seq))
                    .order_by_asc(audit::Column::Seq)
                    .limit(CHECKED_AT_ONCE)
                    .all(&*tx)
                    .await?;
                let Some(last) = rows.last() else { break };
                let end = last.seq;
                for row in rows {
                    if proof.first_bad.is_none() && !follows(&before, seq, &row) {
                        // the place where an entry is missing, or the entry that is not what it was
                        let bad = seq.saturating_add(1).min(row.seq);
                        proof.first_bad = Some(At("audit", "seq").number(bad)?);
                    }
                    proof.entries += 1;
                    proof.erased += u64::from(row.content.is_none());
                    seq = row.seq;
                    before = row.hash;
                }
                seq = end;
            }
            proof.head = before.try_into().unwrap_or([0; 32]);
            Ok(Some(proof))
        })
        .await
    }

    /// Erases what the entries that name a person say. The chain still verifies. For the service. Answers how many.
    pub async fn erase_from_audit(&self, scope: &Scope, person: PersonId) -> Result<u64> {
        if scope.principal != Principal::System {
            return Ok(0);
        }
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move { erase(&tx, scope, person).await })
            .await
    }
}

/// Erases what the entries that name a person say; how many they were.
pub async fn erase(tx: &DatabaseTransaction, scope: &Scope, person: PersonId) -> Result<u64> {
    let erased = audit::Entity::update_many()
        .col_expr(audit::Column::Salt, Expr::val(None::<Vec<u8>>))
        .col_expr(audit::Column::Content, Expr::val(None::<String>))
        .filter(audit::Column::Tenant.eq(scope.tenant.0))
        .filter(audit::Column::Content.is_not_null())
        .filter(audit::Column::Action.is_not_in(ONLY_COUNTS))
        .filter(audit::Column::Seq.in_subquery(entries_naming(scope, person)))
        .exec(tx)
        .await?;
    audit_person::Entity::delete_many()
        .filter(audit_person::Column::Tenant.eq(scope.tenant.0))
        .filter(audit_person::Column::Person.eq(person.0))
        .exec(tx)
        .await?;
    Ok(erased.rows_affected)
}

async fn entries(tx: &DatabaseTransaction, scope: &Scope, query: AuditQuery) -> Result<Vec<AuditEntry>> {
    let mut select = audit::Entity::find()
        .filter(audit::Column::Tenant.eq(scope.tenant.0))
        .filter(reach::may(scope, Right::Audit, audit::Column::Building));
    if let Some(building) = query.building {
        select = select.filter(audit::Column::Building.eq(building.0));
    }
    if let Some(person) = query.person {
        select = select.filter(audit::Column::Seq.in_subquery(entries_naming(scope, person)));
    }
    if let Some(action) = query.action {
        select = select.filter(audit::Column::Action.starts_with(action));
    }
    if let Some(from) = query.from {
        select = select.filter(audit::Column::At.gte(from.as_millis()));
    }
    if let Some(until) = query.until {
        select = select.filter(audit::Column::At.lt(until.as_millis()));
    }
    if let Some(before) = query.before {
        select = select.filter(audit::Column::Seq.lt(i64::try_from(before).unwrap_or(i64::MAX)));
    }
    let limit = u64::from(query.limit).min(PAGE);
    let rows = select.order_by_desc(audit::Column::Seq).limit(limit).all(tx).await?;
    let mut persons = persons_of(tx, scope, rows.iter().map(|row| row.seq)).await?;
    rows.into_iter()
        .map(|row| {
            let persons = persons.remove(&row.seq).unwrap_or_default();
            entry(row, persons)
        })
        .collect()
}

fn entries_naming(scope: &Scope, person: PersonId) -> sea_orm::sea_query::SelectStatement {
    Query::select()
        .column(audit_person::Column::Seq)
        .from(audit_person::Entity)
        .and_where(audit_person::Column::Tenant.eq(scope.tenant.0))
        .and_where(audit_person::Column::Person.eq(person.0))
        .take()
}

async fn persons_of(
    db: &impl ConnectionTrait,
    scope: &Scope,
    entries: impl IntoIterator<Item = i64>,
) -> Result<HashMap<i64, Vec<PersonId>>> {
    let rows = audit_person::Entity::find()
        .filter(audit_person::Column::Tenant.eq(scope.tenant.0))
        .filter(audit_person::Column::Seq.is_in(entries))
        .order_by_asc(audit_person::Column::Person)
        .all(db)
        .await?;
    let mut persons: HashMap<i64, Vec<PersonId>> = HashMap::new();
    for row in rows {
        persons.entry(row.seq).or_default().push(row.person.into());
    }
    Ok(persons)
}

fn entry(row: audit::Model, persons: Vec<PersonId>) -> Result<AuditEntry> {
    let content = row.content.as_deref().map(|content| {
        let content: Content = serde_json::from_str(content)
            .map_err(|_| StorageError::Corrupt { table: "audit", column: "content" })?;
        let Content { actor, token, role, before, after } = content;
        Ok::<_, StorageError>(Pii::new(AuditContent { actor, token, role, before, after }))
    });
    Ok(AuditEntry {
        seq: At("audit", "seq").number(row.seq)?,
        at: Timestamp::from_millis(row.at),
        building: row.building.map(Into::into),
        action: row.action,
        persons,
        content: content.transpose()?,
    })
}

/// What the first entry of a property manager follows.
fn first(scope: &Scope) -> Vec<u8> {
    Sha256::new().chain_update(b"klinke audit").chain_update(scope.tenant.0.as_bytes()).finalize().to_vec()
}

/// A salt for each entry, so that one that stays tells nothing of one that was erased with it.
fn salt(stamp: &Stamp, seq: i64) -> Vec<u8> {
    Sha256::new().chain_update(stamp.salt).chain_update(seq.to_be_bytes()).finalize().to_vec()
}

fn content_hash(salt: &[u8], content: &str) -> Vec<u8> {
    Sha256::new().chain_update(salt).chain_update(content).finalize().to_vec()
}

/// Every part has a fixed length but the action, which comes with its own.
fn hash(before: &[u8], row: &audit::Model) -> Vec<u8> {
    let building = row.building.unwrap_or_default();
    Sha256::new()
        .chain_update(before)
        .chain_update(row.seq.to_be_bytes())
        .chain_update(row.at.to_be_bytes())
        .chain_update([u8::from(row.building.is_some())])
        .chain_update(building.as_bytes())
        .chain_update((row.action.len() as u64).to_be_bytes())
        .chain_update(&row.action)
        .chain_update(&row.content_hash)
        .finalize()
        .to_vec()
}

/// Whether an entry is the one after `seq`, and says what it said.
fn follows(before: &[u8], seq: i64, row: &audit::Model) -> bool {
    let whole = match (&row.salt, &row.content) {
        (Some(salt), Some(content)) => content_hash(salt, content) == row.content_hash,
        (None, None) => true,
        _ => false,
    };
    whole && seq.checked_add(1) == Some(row.seq) && hash(before, row) == row.hash
}
