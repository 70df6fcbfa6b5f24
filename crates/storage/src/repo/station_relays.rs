//! Doors that a door station opens by a relay of its own.
//!
//! Invariants: a door has a controller or a station, never both, whoever comes second is refused; what takes a controller
//! ([`DoorSettings`], being held) is not set for a door that a station opens. The audit tells by which way it is told, and neither keys
//! nor password.

use crate::entity::{door, panel, sip_account, station_relay};
use crate::record::{RelaySet, Stamp, StationRelay};
use crate::repo::audit::{self, Change};
use crate::repo::convert::At;
use crate::repo::doors::Doors;
use crate::repo::{door_settings, reach};
use crate::tx::{self, Isolation};
use crate::{Result, StorageError};
use klinke_model::door_settings::DoorSettings;
use klinke_model::ids::{BuildingId, DoorId, PanelId};
use klinke_model::privacy::Pii;
use klinke_model::rights::Right;
use klinke_model::scope::Scope;
use klinke_model::station_relay::{CertificateDigest, RelayHttp, RelayKeys, RelayPath, RelayWay};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::{Value, json};

impl Doors<'_> {
    /// Which doors of a building a door station opens, and which one each, by door.
    pub async fn station_relays(
        &self,
        scope: &Scope,
        building: BuildingId,
    ) -> Result<Vec<(DoorId, PanelId)>> {
        let rows = station_relay::Entity::find()
            .filter(station_relay::Column::Tenant.eq(scope.tenant.0))
            .filter(station_relay::Column::Building.eq(building.0))
            .filter(reach::may(scope, Right::SeeBuilding, station_relay::Column::Building))
            .all(&self.0.reader)
            .await?;
        let mut doors: Vec<_> = rows.into_iter().map(|row| (row.door.into(), row.panel.into())).collect();
        doors.sort_unstable();
        Ok(doors)
    }

    /// How many doors of a building door stations open.
    pub async fn count_station_relays(&self, scope: &Scope, building: BuildingId) -> Result<u64> {
        Ok(station_relay::Entity::find()
            .filter(station_relay::Column::Tenant.eq(scope.tenant.0))
            .filter(station_relay::Column::Building.eq(building.0))
            .filter(reach::may(scope, Right::SeeBuilding, station_relay::Column::Building))
            .count(&self.0.reader)
            .await?)
    }

    /// Which door station opens a door; `None` when none does.
    pub async fn station_of(&self, scope: &Scope, id: DoorId) -> Result<Option<PanelId>> {
        let found = station_relay::Entity::find_by_id((scope.tenant.0, id.0))
            .filter(reach::may(scope, Right::SeeBuilding, station_relay::Column::Building))
            .one(&self.0.reader)
            .await?;
        Ok(found.map(|row| row.panel.into()))
    }

    /// How a door station opens a door, for who looks after the devices of its building; `None` when none does.
    pub async fn station_relay(&self, scope: &Scope, id: DoorId) -> Result<Option<StationRelay>> {
        let found = station_relay::Entity::find_by_id((scope.tenant.0, id.0))
            .filter(reach::may(scope, Right::Devices, station_relay::Column::Building))
            .one(&self.0.reader)
            .await?;
        found.as_ref().map(whole).transpose()
    }

    /// What a door station opens, for who looks after it, by door.
    pub async fn relays_of_station(&self, scope: &Scope, id: PanelId) -> Result<Vec<StationRelay>> {
        let rows = station_relay::Entity::find()
            .filter(station_relay::Column::Tenant.eq(scope.tenant.0))
            .filter(station_relay::Column::Panel.eq(id.0))
            .filter(reach::may(scope, Right::Devices, station_relay::Column::Building))
            .all(&self.0.reader)
            .await?;
        let mut relays = rows.iter().map(whole).collect::<Result<Vec<_>>>()?;
        relays.sort_by_key(|relay| relay.door);
        Ok(relays)
    }

    /// Lets a door station of the same building open a door, or tells it in another way from now on.
    pub async fn set_station_relay(
        &self,
        scope: &Scope,
        stamp: &Stamp,
        relay: StationRelay,
    ) -> Result<RelaySet> {
        let relay = &relay;
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            let door = door::Entity::find_by_id((scope.tenant.0, relay.door.0))
                .filter(reach::may(scope, Right::Devices, door::Column::Building))
                .one(&*tx)
                .await?;
            let Some(door) = door else { return Ok(RelaySet::NotThere) };
            let station = panel::Entity::find_by_id((scope.tenant.0, relay.panel.0))
                .filter(panel::Column::Building.eq(door.building))
                .one(&*tx)
                .await?;
            let Some(station) = station else { return Ok(RelaySet::NotThere) };
            let account = sip_account::Entity::find()
                .filter(sip_account::Column::Tenant.eq(scope.tenant.0))
                .filter(sip_account::Column::Panel.eq(relay.panel.0))
                .one(&*tx)
                .await?;
            if account.is_none() {
                return Ok(RelaySet::NoStation);
            }
            if door.controller.is_some() {
                return Ok(RelaySet::Driven);
            }
            let (settings, held) = door_settings::of(&*tx, scope, relay.door).await?;
            if settings != DoorSettings::default() || held.is_some() {
                return Ok(RelaySet::NeedsController);
            }
            let before = station_relay::Entity::find_by_id((scope.tenant.0, door.id)).one(&*tx).await?;
            let before = before.as_ref().map(whole).transpose()?;
            if before.as_ref() == Some(relay) {
                return Ok(RelaySet::Done);
            }
            // another one: what the one before had is not kept beside it
            station_relay::Entity::delete_by_id((scope.tenant.0, door.id)).exec(&*tx).await?;
            station_relay::Entity::insert(row(scope, door.building.into(), relay))
                .exec_without_returning(&*tx)
                .await?;
            touch(&*tx, scope, relay.door).await?;
            let mut after = told(&door.name, relay);
            let secret = |relay: &StationRelay| (relay.way.clone(), relay.password.clone());
            if before.as_ref().is_some_and(|before| secret(before) != secret(relay))
                && let Some(fields) = after.as_object_mut()
            {
                // that it is told otherwise; not how
                fields.insert("changed".to_owned(), json!(true));
            }
            let change = Change {
                building: Some(station.building.into()),
                action: "door.relay_set",
                persons: Vec::new(),
                before: before.as_ref().map(|before| told(&door.name, before)),
                after: Some(after),
            };
            audit::append(&tx, scope, stamp, change).await?;
            Ok(RelaySet::Done)
        })
        .await
    }

    /// No door station opens a door any more. `false` when none did.
    pub async fn remove_station_relay(&self, scope: &Scope, stamp: &Stamp, id: DoorId) -> Result<bool> {
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            let found = station_relay::Entity::find_by_id((scope.tenant.0, id.0))
                .filter(reach::may(scope, Right::Devices, station_relay::Column::Building))
                .one(&*tx)
                .await?;
            let door = door::Entity::find_by_id((scope.tenant.0, id.0)).one(&*tx).await?;
            let (Some(found), Some(door)) = (found, door) else { return Ok(false) };
            station_relay::Entity::delete_by_id((scope.tenant.0, id.0)).exec(&*tx).await?;
            touch(&*tx, scope, id).await?;
            let change = Change {
                building: Some(found.building.into()),
                action: "door.relay_removed",
                persons: Vec::new(),
                before: Some(told(&door.name, &whole(&found)?)),
                after: None,
            };
            audit::append(&tx, scope, stamp, change).await?;
            Ok(true)
        })
        .await
    }
}

/// Refuses a controller, or what takes one, for a door that a station opens.
pub(super) async fn none(
    db: &impl ConnectionTrait,
    scope: &Scope,
    id: DoorId,
    refusal: StorageError,
) -> Result<()> {
    match station_relay::Entity::find_by_id((scope.tenant.0, id.0)).one(db).await? {
        None => Ok(()),
        Some(_) => Err(refusal),
    }
}

/// The version of the door grows: who edits it has to see what opens it now.
async fn touch(db: &impl ConnectionTrait, scope: &Scope, id: DoorId) -> Result<()> {
    door::Entity::update_many()
        .col_expr(door::Column::Version, Expr::col(door::Column::Version).add(1))
        .filter(door::Column::Tenant.eq(scope.tenant.0))
        .filter(door::Column::Id.eq(id.0))
        .exec(db)
        .await?;
    Ok(())
}

fn told(door: &str, relay: &StationRelay) -> Value {
    let way = match &relay.way {
        RelayWay::Keys(_) => json!({ "way": "keys" }),
        RelayWay::Http(http) => json!({ "way": "http", "https": http.https, "basic": http.basic,
            "certificate": http.certificate.is_some() }),
    };
    json!({ "door": door, "panel": relay.panel, "told": way })
}

fn row(scope: &Scope, building: BuildingId, relay: &StationRelay) -> station_relay::ActiveModel {
    let (keys, http) = match &relay.way {
        RelayWay::Keys(keys) => (Some(keys.reveal().to_owned()), None),
        RelayWay::Http(http) => (None, Some(http)),
    };
    let user = http.and_then(|http| http.user.clone());
    let password = relay.password.as_ref().filter(|_| user.is_some());
    station_relay::ActiveModel {
        tenant: Set(scope.tenant.0),
        door: Set(relay.door.0),
        building: Set(building.0),
        panel: Set(relay.panel.0),
        way: Set(if keys.is_some() { "keys" } else { "http" }.to_owned()),
        keys: Set(keys),
        https: Set(http.map(|http| http.https)),
        port: Set(http.map(|http| http.port.into())),
        path: Set(http.map(|http| http.path.as_str().to_owned())),
        password: Set(password.map(|password| password.reveal().clone())),
        account: Set(user),
        basic: Set(http.map(|http| http.basic)),
        certificate: Set(http.and_then(|http| http.certificate).map(|taken| taken.0.to_vec())),
    }
}

fn whole(row: &station_relay::Model) -> Result<StationRelay> {
    let at = |column| At("station_relay", column);
    let way = match (&row.keys, row.https, row.port, &row.path, row.basic) {
        (Some(keys), ..) => RelayWay::Keys(RelayKeys::new(keys).ok_or_else(|| at("keys").corrupt())?),
        (None, Some(https), Some(port), Some(path), Some(basic)) => RelayWay::Http(RelayHttp {
            https,
            certificate: match row.certificate.as_deref() {
                Some(bytes) => {
                    Some(CertificateDigest(bytes.try_into().map_err(|_| at("certificate").corrupt())?))
                }
                None => None,
            },
            port: at("port").number(port.into())?,
            path: RelayPath::new(path).ok_or_else(|| at("path").corrupt())?,
            user: row.account.clone(),
            basic,
        }),
        _ => return Err(at("way").corrupt()),
    };
    let password = row.password.clone().map(Pii::new);
    Ok(StationRelay { door: row.door.into(), panel: row.panel.into(), way, password })
}
