//! Uses that a controller tells of, as records. A journal tells tags; whoever holds the controller's key says whose they are.
//!
//! A record's id is made of what told it, so what is told twice is kept once; what was deleted since is not kept again: it is
//! from before the policy began, older than its days, or of somebody or a door that is gone.

use crate::Result;
use crate::entity::{card, controller, door, guest, person_code};
use crate::record::Stamp;
use crate::repo::records::{Records, keep, keeping_in};
use crate::tx::{self, Isolation};
use klinke_model::ids::{ControllerId, DoorId, JournalId, RecordId, v4};
use klinke_model::news::{News, NewsEntry, PersonTag};
use klinke_model::privacy::{AccessRecord, UsedBy};
use klinke_model::scope::{Principal, Scope};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};
use sha2::{Digest, Sha256};
use std::collections::{BTreeSet, HashMap, HashSet};
use uuid::Uuid;

impl Records<'_> {
    /// Whose a tag of a controller can be: everybody with a card, a code or a pass in its building, whatever they may now. For the
    /// controller itself; nobody where nothing is kept at the scope's moment.
    pub async fn who_uses(&self, scope: &Scope, id: ControllerId) -> Result<Vec<UsedBy>> {
        if scope.principal != Principal::Controller(id) {
            return Ok(Vec::new());
        }
        tx::read(self.0, |tx| async move {
            let itself = controller::Entity::find_by_id((scope.tenant.0, id.0)).one(&*tx).await?;
            let Some(building) = itself.map(|row| row.building) else { return Ok(Vec::new()) };
            if keeping_in(&*tx, scope, building.into(), scope.at).await?.is_none() {
                return Ok(Vec::new());
            }
            macro_rules! ids {
                ($table:ident $column:ident) => {
                    $table::Entity::find()
                        .select_only()
                        .column($table::Column::$column)
                        .filter($table::Column::Tenant.eq(scope.tenant.0))
                        .filter($table::Column::Building.eq(building))
                        .into_tuple::<Uuid>()
                        .all(&*tx)
                        .await?
                };
            }
            let people: BTreeSet<Uuid> =
                ids!(card Person).into_iter().chain(ids!(person_code Person)).collect();
            let people = people.into_iter().map(|id| UsedBy::Person(id.into()));
            Ok(people.chain(ids!(guest Id).into_iter().map(|id| UsedBy::Guest(id.into()))).collect())
        })
        .await
    }

    /// Keeps the uses among what a controller tells, in its own name and of its own doors only. How many are new; `None` for everybody
    /// else. Tags that nobody has any more are passed over.
    pub async fn take_uses(
        &self,
        scope: &Scope,
        stamp: &Stamp,
        id: ControllerId,
        journal: JournalId,
        entries: &[NewsEntry],
        whose: &HashMap<PersonTag, UsedBy>,
    ) -> Result<Option<usize>> {
        if scope.principal != Principal::Controller(id) {
            return Ok(None);
        }
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            let itself = controller::Entity::find_by_id((scope.tenant.0, id.0)).one(&*tx).await?;
            let Some(building) = itself.map(|row| row.building) else { return Ok(None) };
            let Some(keeping) = keeping_in(&*tx, scope, building.into(), stamp.at).await? else {
                return Ok(Some(0));
            };
            let own: Vec<Uuid> = door::Entity::find()
                .select_only()
                .column(door::Column::Id)
                .filter(door::Column::Tenant.eq(scope.tenant.0))
                .filter(door::Column::Controller.eq(id.0))
                .into_tuple()
                .all(&*tx)
                .await?;
            let own: HashSet<DoorId> = own.into_iter().map(Into::into).collect();
            let mut new = 0;
            for entry in entries {
                let News::Use(used) = entry.what else { continue };
                let Some(by) = whose.get(&used.person).filter(|_| own.contains(&used.door)) else { continue };
                let record = AccessRecord::new(&keeping.site, used.door, *by, entry.at, used.outcome);
                let (record, id) = (record.told(entry.trusted), record_id(scope, id, journal, entry.seq));
                new += usize::from(keep(&tx, scope, stamp.at, &keeping, id, &record).await?);
            }
            Ok(Some(new))
        })
        .await
    }
}

/// Made of what told it, so the same is never two.
fn record_id(scope: &Scope, controller: ControllerId, journal: JournalId, seq: u64) -> RecordId {
    let hash = Sha256::new()
        .chain_update(b"klinke record")
        .chain_update(scope.tenant.0)
        .chain_update(controller.0)
        .chain_update(journal.0)
        .chain_update(seq.to_be_bytes())
        .finalize();
    let mut bytes = [0; 16];
    bytes.iter_mut().zip(hash).for_each(|(byte, hashed)| *byte = hashed);
    v4(bytes).into()
}
