//! Messages to other systems, enqueued in the transaction of the change: what was changed is told, what was not is not.

use crate::entity::{unit, webhook, webhook_delivery};
use crate::record::Stamp;
use crate::repo::convert::At;
use crate::repo::people;
use crate::repo::webhooks::kinds;
use crate::{Result, StorageError};
use klinke_model::events::EventKind;
use klinke_model::ids::{self, AlarmId, BuildingId, DeliveryId, ImportId, PersonId, UnitId};
use klinke_model::scope::Scope;
use klinke_model::time::Timestamp;
use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// A stamp for what residents do in their own home: no audit tells of it, so its salt hides nothing; it only makes the ids
/// of messages differ.
pub fn at_home(at: Timestamp, person: PersonId) -> Stamp {
    Stamp { at, salt: person.0.into_bytes() }
}

/// How many rows one statement inserts.
const AT_ONCE: usize = 500;

/// Something to tell.
#[derive(Clone, Debug)]
pub struct News {
    kind: EventKind,
    /// Where it happened: who is told of these buildings only hears of it too.
    buildings: Vec<BuildingId>,
    unit: Option<UnitId>,
    person: Option<PersonId>,
    import: Option<ImportId>,
    alarm: Option<AlarmId>,
}

impl News {
    /// About a unit.
    pub fn of_unit(kind: EventKind, building: BuildingId, unit: UnitId) -> Self {
        Self { unit: Some(unit), ..Self::of_buildings(kind, vec![building]) }
    }

    /// About an alarm.
    pub fn of_alarm(building: BuildingId, alarm: AlarmId) -> Self {
        Self { alarm: Some(alarm), ..Self::of_buildings(EventKind::AlarmBegan, vec![building]) }
    }

    const fn of_buildings(kind: EventKind, buildings: Vec<BuildingId>) -> Self {
        Self { kind, buildings, unit: None, person: None, import: None, alarm: None }
    }

    /// About a list of people.
    pub fn of_import(kind: EventKind, building: BuildingId, import: ImportId) -> Self {
        Self { import: Some(import), ..Self::of_buildings(kind, vec![building]) }
    }

    /// About a person's place in a unit.
    pub fn of_place(kind: EventKind, building: Option<BuildingId>, unit: UnitId, person: PersonId) -> Self {
        let buildings = building.into_iter().collect();
        Self { unit: Some(unit), person: Some(person), ..Self::of_buildings(kind, buildings) }
    }

    /// About a person, in every building where they live at this point of the transaction.
    pub async fn of_person(
        tx: &DatabaseTransaction,
        scope: &Scope,
        kind: EventKind,
        person: PersonId,
    ) -> Result<Self> {
        let rows = unit::Entity::find()
            .filter(unit::Column::Tenant.eq(scope.tenant.0))
            .filter(unit::Column::Id.in_subquery(people::units_of(scope, person)))
            .order_by_asc(unit::Column::Building)
            .all(tx)
            .await?;
        let mut buildings: Vec<BuildingId> = rows.into_iter().map(|row| row.building.into()).collect();
        buildings.dedup();
        Ok(Self { person: Some(person), ..Self::of_buildings(kind, buildings) })
    }

    /// How one address hears of it: `None` when it does not.
    fn heard_by(&self, told_of: Option<Uuid>) -> Option<Option<Uuid>> {
        match told_of {
            Some(one) => self.buildings.contains(&one.into()).then_some(Some(one)),
            None => match self.buildings.as_slice() {
                [one] => Some(Some(one.0)),
                _ => Some(None),
            },
        }
    }
}

/// Enqueues a message for everybody who asked for it.
pub async fn tell(tx: &DatabaseTransaction, scope: &Scope, stamp: &Stamp, news: &[News]) -> Result<()> {
    if news.is_empty() {
        return Ok(());
    }
    let addresses = webhook::Entity::find()
        .filter(webhook::Column::Tenant.eq(scope.tenant.0))
        .filter(webhook::Column::Enabled.eq(true))
        .order_by_asc(webhook::Column::Id)
        .all(tx)
        .await?;
    if addresses.is_empty() {
        return Ok(());
    }
    let last = webhook_delivery::Entity::find()
        .select_only()
        .column_as(webhook_delivery::Column::Seq.max(), "last")
        .filter(webhook_delivery::Column::Tenant.eq(scope.tenant.0))
        .into_tuple::<Option<i64>>()
        .one(tx)
        .await?
        .flatten()
        .unwrap_or(0);
    let mut rows = Vec::new();
    for address in &addresses {
        let wanted = kinds(&address.events)?;
        for (news, seq) in news.iter().zip(last.saturating_add(1)..) {
            let Some(building) = news.heard_by(address.building) else { continue };
            if !wanted.contains(&news.kind) {
                continue;
            }
            rows.push(webhook_delivery::ActiveModel {
                tenant: Set(scope.tenant.0),
                webhook: Set(address.id),
                seq: Set(seq),
                id: Set(message_id(stamp, address.id, news, seq).0),
                event: Set(news.kind.word().to_owned()),
                at: Set(stamp.at.as_millis()),
                building: Set(building),
                unit: Set(news.unit.map(|unit| unit.0)),
                person: Set(news.person.map(|person| person.0)),
                import: Set(news.import.map(|import| import.0)),
                alarm: Set(news.alarm.map(|alarm| alarm.0)),
            });
        }
    }
    for some in rows.chunks(AT_ONCE) {
        let inserted = webhook_delivery::Entity::insert_many(some.to_vec()).exec_without_returning(tx).await;
        match inserted.map_err(StorageError::from) {
            // somebody else took this place in the queue
            Err(StorageError::Conflict) => return Err(StorageError::Contended),
            other => other?,
        };
    }
    Ok(())
}

/// Made from the change's own random salt, so that a transaction that runs again makes the same ones.
fn message_id(stamp: &Stamp, webhook: Uuid, news: &News, seq: i64) -> DeliveryId {
    let hash = Sha256::new()
        .chain_update(b"klinke message")
        .chain_update(stamp.salt)
        .chain_update(stamp.at.as_millis().to_be_bytes())
        .chain_update(news.kind.word())
        .chain_update(webhook.as_bytes())
        .chain_update(seq.to_be_bytes())
        .finalize();
    let mut random = [0; 16];
    random.iter_mut().zip(hash).for_each(|(byte, drawn)| *byte = drawn);
    ids::v4(random).into()
}

/// A kind, as the database has it.
pub fn kind(word: &str) -> Result<EventKind> {
    EventKind::from_word(word).ok_or_else(|| At("webhook_delivery", "event").corrupt())
}
