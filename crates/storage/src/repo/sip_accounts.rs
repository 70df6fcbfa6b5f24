//! What devices register with over SIP: stations of people, and door stations.
//!
//! Invariants: an account is of one device or of one panel and ends with it; its password is not kept, only what it is
//! checked with; the audit tells that there is one and not its name. Who is registered is not known here.

use crate::entity::{device, membership, panel, person, sip_account, unit};
use crate::error::absent_is_false;
use crate::record::{
    NewSipAccount, RingStation, SIP_DEVICES, SipAccount, SipAccountOf, SipAdded, SipDevice, SipOwner, Stamp,
};
use crate::repo::audit::{self, Change};
use crate::repo::convert::{self, At, Word};
use crate::repo::people_change::{changeable, home_building};
use crate::repo::{intercom, people, reach};
use crate::tx::{self, Isolation};
use crate::{Result, Store};
use klinke_model::ids::{DeviceId, PanelId, PersonId, SipAccountId};
use klinke_model::intercom::Panel;
use klinke_model::people::{Device, DeviceKind};
use klinke_model::rights::Right;
use klinke_model::scope::Scope;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
};
use serde_json::json;
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

/// Accounts of SIP devices.
///
/// Every function fails only when the database can not do its work; what is not there, or not the principal's, is
/// empty, `false` or [`SipAdded::NotThere`]. A name that is taken is [`crate::StorageError::Conflict`].
#[derive(Debug)]
pub struct SipAccounts<'a>(pub(crate) &'a Store);

impl SipAccounts<'_> {
    /// Somebody's SIP devices, by name: for themselves, and who may see them.
    pub async fn sip_devices(&self, scope: &Scope, person: PersonId) -> Result<Vec<SipDevice>> {
        let seen = people::seen(scope, person).select_only().column(person::Column::Id).into_query();
        let rows = sip_account::Entity::find()
            .find_both_related(device::Entity)
            .filter(sip_account::Column::Tenant.eq(scope.tenant.0))
            .filter(device::Column::Person.eq(person.0))
            .filter(device::Column::Person.in_subquery(seen))
            .all(&self.0.reader)
            .await?;
        let of = |(account, device): &(sip_account::Model, device::Model)| {
            Ok(SipDevice { account: account.id.into(), device: convert::device(device)? })
        };
        convert::sorted(&rows, of, |one| (one.device.name.clone(), one.device.id))
    }

    /// Gives somebody whom the principal may change a SIP device: the device, a station, and what it registers with.
    pub async fn add_sip_device(
        &self,
        scope: &Scope,
        stamp: &Stamp,
        device: Device,
        account: NewSipAccount,
    ) -> Result<SipAdded> {
        let (device, account) = (&device, &account);
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            let Some(person) = changeable(&*tx, scope, device.person).await? else {
                return Ok(SipAdded::NotThere);
            };
            if !person.active {
                return Ok(SipAdded::Suspended);
            }
            if ids_of(&*tx, scope, device.person).await?.len() >= SIP_DEVICES {
                return Ok(SipAdded::TooMany);
            }
            let row = device::ActiveModel {
                tenant: Set(scope.tenant.0),
                id: Set(device.id.0),
                person: Set(device.person.0),
                name: Set(device.name.reveal().as_str().to_owned()),
                kind: Set(DeviceKind::Station.word().to_owned()),
            };
            device::Entity::insert(row).exec_without_returning(&*tx).await?;
            insert(&*tx, scope, account, (Some(device.id), None)).await?;
            let change = Change {
                building: home_building(&*tx, scope, device.person).await?,
                action: "station.made",
                persons: vec![device.person],
                before: None,
                after: Some(json!({ "person": device.person })),
            };
            audit::append(&tx, scope, stamp, change).await?;
            Ok(SipAdded::Done)
        })
        .await
    }

    /// Takes a SIP device from somebody whom the principal may change: it is signed out. `false` for any other device.
    pub async fn remove_sip_device(
        &self,
        scope: &Scope,
        stamp: &Stamp,
        person: PersonId,
        device: DeviceId,
    ) -> Result<bool> {
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            if changeable(&*tx, scope, person).await?.is_none()
                || !ids_of(&*tx, scope, person).await?.contains(&device.0)
            {
                return Ok(false);
            }
            device::Entity::delete_by_id((scope.tenant.0, device.0)).exec(&*tx).await?;
            let change = Change {
                building: home_building(&*tx, scope, person).await?,
                action: "station.removed",
                persons: vec![person],
                before: Some(json!({ "person": person })),
                after: None,
            };
            audit::append(&tx, scope, stamp, change).await?;
            Ok(true)
        })
        .await
    }

    /// Adds a door station to a building: the panel, and what it registers with; both or neither. `false` when its entrance, a
    /// door or the right to add it is not there.
    pub async fn add_door_station(
        &self,
        scope: &Scope,
        stamp: &Stamp,
        panel: Panel,
        account: NewSipAccount,
    ) -> Result<bool> {
        let (panel, account) = (&panel, &account);
        let added = tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            if !intercom::add_panel(&tx, (scope, stamp), panel, None).await? {
                return Ok(false);
            }
            insert(&*tx, scope, account, (None, Some(panel.id))).await?;
            let made = json!({ "panel": panel.id, "name": panel.name });
            audit::append(&tx, scope, stamp, Change::made(panel.building, "door_station.made", made)).await?;
            Ok(true)
        });
        absent_is_false(added.await)
    }

    /// Lets a panel register as a door station, for who looks after its devices. The account that it had before is gone with
    /// that, or stays when this fails.
    pub async fn set_sip_panel(
        &self,
        scope: &Scope,
        stamp: &Stamp,
        id: PanelId,
        account: NewSipAccount,
    ) -> Result<SipAdded> {
        let account = &account;
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            let Some(row) = looked_after(&*tx, scope, id).await? else { return Ok(SipAdded::NotThere) };
            let station = json!({ "panel": id, "name": row.name });
            if let Some(before) = of_panel(&*tx, scope, id).await? {
                sip_account::Entity::delete_by_id((scope.tenant.0, before.id)).exec(&*tx).await?;
                let change = Change {
                    building: Some(row.building.into()),
                    action: "door_station.removed",
                    persons: Vec::new(),
                    before: Some(station.clone()),
                    after: None,
                };
                audit::append(&tx, scope, stamp, change).await?;
            }
            insert(&*tx, scope, account, (None, Some(id))).await?;
            let change = Change::made(row.building.into(), "door_station.made", station);
            audit::append(&tx, scope, stamp, change).await?;
            Ok(SipAdded::Done)
        })
        .await
    }

    /// Accounts that the principal may see, the oldest first, those behind `after`: devices of people whom they see, door
    /// stations of buildings that they see.
    pub async fn sip_accounts(
        &self,
        scope: &Scope,
        after: Option<SipAccountId>,
        limit: u64,
    ) -> Result<Vec<SipAccount>> {
        tx::read(self.0, |tx| async move {
            let mut wanted =
                sip_account::Entity::find().filter(sip_account::Column::Tenant.eq(scope.tenant.0)).filter(
                    Condition::any()
                        .add(sip_account::Column::Device.in_subquery(devices_seen(scope)))
                        .add(sip_account::Column::Panel.in_subquery(panels_seen(scope))),
                );
            if let Some(after) = after {
                wanted = wanted.filter(sip_account::Column::Id.gt(after.0));
            }
            let rows = wanted.order_by_asc(sip_account::Column::Id).limit(limit).all(&*tx).await?;
            let devices = device::Entity::find()
                .filter(device::Column::Tenant.eq(scope.tenant.0))
                .filter(device::Column::Id.is_in(rows.iter().filter_map(|row| row.device)))
                .find_both_related(person::Entity)
                .all(&*tx)
                .await?;
            let panels = panel::Entity::find()
                .filter(panel::Column::Tenant.eq(scope.tenant.0))
                .filter(panel::Column::Id.is_in(rows.iter().filter_map(|row| row.panel)))
                .all(&*tx)
                .await?;
            let mut owners: HashMap<Uuid, SipOwner> = HashMap::new();
            for (row, person) in devices {
                let owner = SipOwner::Device(convert::device(&row)?, Box::new(convert::person(&person)?));
                owners.insert(row.id, owner);
            }
            for row in panels {
                owners.insert(row.id, SipOwner::Panel(row.id.into(), At("panel", "name").label(&row.name)?));
            }
            let owned = rows.into_iter().filter_map(|row| {
                let owner = owners.remove(&row.device.or(row.panel)?)?;
                Some(SipAccount { id: row.id.into(), owner })
            });
            Ok(owned.collect())
        })
        .await
    }
}

/// Whose an account is, as its row says; `None` when the row of its device is not beside it.
pub(super) fn owner(row: &sip_account::Model, device: Option<&device::Model>) -> Option<SipAccountOf> {
    match (row.panel, device) {
        (Some(panel), _) => Some(SipAccountOf::Panel(panel.into())),
        (None, Some(device)) => Some(SipAccountOf::Device(device.id.into(), device.person.into())),
        (None, None) => None,
    }
}

/// Which of these devices register over SIP.
pub(super) async fn to_ring(
    db: &impl ConnectionTrait,
    scope: &Scope,
    devices: &[device::Model],
) -> Result<Vec<RingStation>> {
    let stations = devices.iter().filter(|device| device.kind == DeviceKind::Station.word());
    let stations: HashMap<Uuid, Uuid> = stations.map(|device| (device.id, device.person)).collect();
    if stations.is_empty() {
        return Ok(Vec::new());
    }
    let accounts = sip_account::Entity::find()
        .filter(sip_account::Column::Tenant.eq(scope.tenant.0))
        .filter(sip_account::Column::Device.is_in(stations.keys().copied()))
        .all(db)
        .await?;
    let people = person::Entity::find()
        .filter(person::Column::Tenant.eq(scope.tenant.0))
        .filter(person::Column::Id.is_in(stations.values().copied()))
        .all(db)
        .await?;
    let mut languages = HashMap::new();
    for row in people {
        languages.insert(row.id, At("person", "language").choice(&row.language)?);
    }
    let registers = accounts.iter().filter_map(|account| {
        let device = account.device?;
        let language = *languages.get(stations.get(&device)?)?;
        Some(RingStation { device: device.into(), language })
    });
    Ok(registers.collect())
}

async fn insert(
    db: &impl ConnectionTrait,
    scope: &Scope,
    account: &NewSipAccount,
    (device, panel): (Option<DeviceId>, Option<PanelId>),
) -> Result<()> {
    let row = sip_account::ActiveModel {
        tenant: Set(scope.tenant.0),
        id: Set(account.id.0),
        name: Set(account.name.clone()),
        device: Set(device.map(|id| id.0)),
        panel: Set(panel.map(|id| id.0)),
        md5: Set(account.md5.reveal().clone()),
        sha256: Set(account.sha256.reveal().clone()),
    };
    sip_account::Entity::insert(row).exec_without_returning(db).await?;
    Ok(())
}

/// The SIP devices of a person.
async fn ids_of(db: &impl ConnectionTrait, scope: &Scope, person: PersonId) -> Result<Vec<Uuid>> {
    let rows = sip_account::Entity::find()
        .find_both_related(device::Entity)
        .filter(sip_account::Column::Tenant.eq(scope.tenant.0))
        .filter(device::Column::Person.eq(person.0))
        .all(db)
        .await?;
    Ok(rows.into_iter().map(|(_, device)| device.id).collect())
}

/// A panel whose devices the principal looks after.
pub(super) async fn looked_after(
    db: &impl ConnectionTrait,
    scope: &Scope,
    id: PanelId,
) -> Result<Option<panel::Model>> {
    let found = panel::Entity::find_by_id((scope.tenant.0, id.0))
        .filter(reach::may(scope, Right::Devices, panel::Column::Building))
        .one(db)
        .await?;
    Ok(found)
}

/// Which of these panels are door stations.
pub(super) async fn door_stations(
    db: &impl ConnectionTrait,
    scope: &Scope,
    panels: impl IntoIterator<Item = Uuid>,
) -> Result<HashSet<Uuid>> {
    let rows = sip_account::Entity::find()
        .filter(sip_account::Column::Tenant.eq(scope.tenant.0))
        .filter(sip_account::Column::Panel.is_in(panels))
        .all(db)
        .await?;
    Ok(rows.into_iter().filter_map(|row| row.panel).collect())
}

/// What a panel registers with.
pub(super) async fn of_panel(
    db: &impl ConnectionTrait,
    scope: &Scope,
    id: PanelId,
) -> Result<Option<sip_account::Model>> {
    let found = sip_account::Entity::find()
        .filter(sip_account::Column::Tenant.eq(scope.tenant.0))
        .filter(sip_account::Column::Panel.eq(id.0))
        .one(db)
        .await?;
    Ok(found)
}

/// Devices of the people whom the principal may see.
fn devices_seen(scope: &Scope) -> sea_orm::sea_query::SelectStatement {
    let here = Query::select()
        .column((membership::Entity, membership::Column::Person))
        .from(membership::Entity)
        .inner_join(
            unit::Entity,
            Expr::col((unit::Entity, unit::Column::Tenant))
                .eq(Expr::col((membership::Entity, membership::Column::Tenant)))
                .and(
                    Expr::col((unit::Entity, unit::Column::Id))
                        .eq(Expr::col((membership::Entity, membership::Column::Unit))),
                ),
        )
        .and_where(Expr::col((membership::Entity, membership::Column::Tenant)).eq(scope.tenant.0))
        .and_where(
            Expr::col((unit::Entity, unit::Column::Building))
                .in_subquery(reach::buildings(scope, Right::SeePeople)),
        )
        .take();
    Query::select()
        .column((device::Entity, device::Column::Id))
        .from(device::Entity)
        .and_where(Expr::col((device::Entity, device::Column::Tenant)).eq(scope.tenant.0))
        .cond_where(
            Condition::any()
                .add(reach::may_everywhere(scope, Right::SeePeople))
                .add(Expr::col((device::Entity, device::Column::Person)).in_subquery(here)),
        )
        .take()
}

/// Panels of the buildings that the principal may see.
fn panels_seen(scope: &Scope) -> sea_orm::sea_query::SelectStatement {
    Query::select()
        .column((panel::Entity, panel::Column::Id))
        .from(panel::Entity)
        .and_where(Expr::col((panel::Entity, panel::Column::Tenant)).eq(scope.tenant.0))
        .and_where(
            Expr::col((panel::Entity, panel::Column::Building))
                .in_subquery(reach::buildings(scope, Right::SeeBuilding)),
        )
        .take()
}
