//! Doors that a door station opens by itself: one of the two opens a door, and both go with what they are of.

use crate::database::{Db, on_both};
use crate::town::{Town, label, stamp, two_towns};
use klinke_model::door::{Door, DoorTimes};
use klinke_model::door_settings::{DoorHold, DoorSettings};
use klinke_model::ids::DoorId;
use klinke_model::privacy::Pii;
use klinke_model::station_relay::{CertificateDigest, RelayHttp, RelayKeys, RelayPath, RelayWay};
use klinke_storage::StorageError;
use klinke_storage::record::{AuditQuery, Edited, RelaySet, Removed, SipAdded, StationRelay};
use sea_orm::ConnectionTrait;

/// The panel of the front door is a door station.
pub async fn station(db: &Db, ours: &Town, number: u64) {
    let account = crate::sip_accounts::account(ours, number);
    let added = db.store.sip_accounts().set_sip_panel(&ours.system(), &stamp(1), ours.panel, account).await;
    assert_eq!(added.unwrap(), SipAdded::Done);
}

/// It opens this door when it hears these keys.
pub fn by_keys(ours: &Town, door: DoorId, keys: &str) -> StationRelay {
    let way = RelayWay::Keys(RelayKeys::new(keys).unwrap());
    StationRelay { door, panel: ours.panel, way, password: None }
}

/// A door of the house that nothing drives.
pub fn undriven(ours: &Town, id: DoorId) -> Door {
    let times = DoorTimes::default();
    Door {
        id,
        building: ours.house,
        name: label("Side"),
        controller: None,
        output: 0,
        times,
        kind: Default::default(),
    }
}

fn by_http(ours: &Town, door: DoorId) -> StationRelay {
    let path = RelayPath::new("/api/switch/ctrl?switch=1&action=trigger").unwrap();
    let (user, certificate) = (Some("klinke".into()), Some(CertificateDigest([7; 32])));
    let http = RelayHttp { https: true, certificate, port: 443, path, user, basic: false };
    let password = Some(Pii::new(b"sealed canary".to_vec()));
    StationRelay { door, panel: ours.panel, way: RelayWay::Http(http), password }
}

on_both! {
    async fn a_door_is_opened_by_a_controller_or_by_a_station_and_never_by_both(db) {
        let (ours, theirs) = two_towns(&db).await;
        let (doors, parts, admin) = (db.store.doors(), db.store.parts(), ours.as_person(ours.admin));
        let side = ours.fresh(200);
        assert!(doors.insert_door(&admin, &stamp(1), undriven(&ours, side), false).await.unwrap());
        let set = async |relay| doors.set_station_relay(&admin, &stamp(2), relay).await.unwrap();
        assert_eq!(set(by_keys(&ours, side, "1*")).await, RelaySet::NoStation, "a screen");
        station(&db, &ours, 201).await;
        assert_eq!(set(by_keys(&ours, ours.front, "1*")).await, RelaySet::Driven);
        assert_eq!(set(by_keys(&ours, ours.office_door, "1*")).await, RelaySet::NotThere, "another building");
        assert_eq!(set(StationRelay { panel: theirs.panel, ..by_keys(&ours, side, "1*") }).await, RelaySet::NotThere);
        assert_eq!(set(StationRelay { panel: ours.office_panel, ..by_keys(&ours, side, "1*") }).await, RelaySet::NotThere);
        assert_eq!(doors.station_relay(&admin, side).await.unwrap(), None);

        let before = parts.door_part(&admin, side).await.unwrap().unwrap();
        assert_eq!(set(by_keys(&ours, side, "1*")).await, RelaySet::Done);
        assert_eq!(doors.station_relay(&admin, side).await.unwrap(), Some(by_keys(&ours, side, "1*")));
        assert_eq!(doors.station_relays(&admin, ours.house).await.unwrap(), [(side, ours.panel)]);
        assert_eq!(doors.count_station_relays(&admin, ours.house).await.unwrap(), 1);
        assert_eq!(doors.station_of(&admin, side).await.unwrap(), Some(ours.panel));
        assert_eq!(doors.station_of(&admin, ours.front).await.unwrap(), None);
        assert_eq!(doors.relays_of_station(&ours.system(), ours.panel).await.unwrap(), [by_keys(&ours, side, "1*")]);
        // who saw the door without it does not give it a controller by mistake, and who sees it does not either
        let wired = |version| {
            let wanted = Door { controller: Some(ours.controller), output: 7, ..before.value.clone() };
            let (parts, admin) = (&parts, &admin);
            async move { parts.change_door(admin, &stamp(3), version, wanted).await }
        };
        assert!(matches!(wired(before.version).await.unwrap(), Edited::Conflict(_)));
        assert!(matches!(wired(before.version + 1).await, Err(StorageError::Driven)));
        let assigned = doors.assign(&ours.system(), side, ours.controller, 7).await;
        assert!(matches!(assigned, Err(StorageError::Driven)), "{assigned:?}");
        // what takes a controller is not set beside it
        let settings = DoorSettings { airlock: Some(1), ..DoorSettings::default() };
        let special = parts.change_door_settings(&admin, &stamp(4), before.version + 1, side, settings).await;
        assert!(matches!(special, Err(StorageError::NeedsController)), "{special:?}");
        let held = parts.hold_door(&admin, &stamp(4), side, Some(DoorHold::Blocked)).await;
        assert!(matches!(held, Err(StorageError::NeedsController)), "{held:?}");

        assert!(doors.remove_station_relay(&admin, &stamp(5), side).await.unwrap());
        assert!(!doors.remove_station_relay(&admin, &stamp(5), side).await.unwrap());
        assert!(parts.hold_door(&admin, &stamp(6), side, Some(DoorHold::Blocked)).await.unwrap().is_some());
        assert_eq!(set(by_keys(&ours, side, "1*")).await, RelaySet::NeedsController);
        assert!(parts.hold_door(&admin, &stamp(6), side, None).await.unwrap().is_some());
        assert!(doors.assign(&ours.system(), side, ours.controller, 7).await.unwrap());
        assert_eq!(set(by_keys(&ours, side, "1*")).await, RelaySet::Driven);
    }

    async fn it_is_kept_as_it_was_set_told_without_its_secrets_and_goes_with_either(db) {
        let (ours, _) = two_towns(&db).await;
        let (doors, parts, admin) = (db.store.doors(), db.store.parts(), ours.as_person(ours.admin));
        station(&db, &ours, 201).await;
        let (side, back) = (ours.fresh(200), ours.fresh(202));
        for door in [side, back] {
            assert!(doors.insert_door(&admin, &stamp(1), undriven(&ours, door), false).await.unwrap());
        }
        let set = async |relay| doors.set_station_relay(&admin, &stamp(2), relay).await.unwrap();
        for relay in [by_keys(&ours, side, "4711*"), by_http(&ours, side), by_http(&ours, side), by_keys(&ours, back, "5")] {
            assert_eq!(set(relay.clone()).await, RelaySet::Done);
            assert_eq!(doors.station_relay(&admin, relay.door).await.unwrap(), Some(relay));
        }
        // as the version before left it: no certificate was taken, and authorities count
        let before = "UPDATE station_relay SET certificate = NULL";
        set(by_http(&ours, back)).await;
        db.connection().await.execute_unprepared(before).await.unwrap();
        let read = doors.station_relay(&admin, back).await.unwrap().unwrap();
        assert!(matches!(read.way, RelayWay::Http(RelayHttp { https: true, certificate: None, .. })), "{read:?}");
        set(by_keys(&ours, back, "5")).await;
        let query = AuditQuery { limit: 200, ..AuditQuery::default() };
        let entries = db.store.audit().audit_entries(&ours.system(), query).await.unwrap();
        let told: Vec<_> = entries.iter().filter(|entry| entry.action.as_str() == "door.relay_set").collect();
        assert_eq!(told.len(), 5, "the same again is no change");
        let said = format!("{:?}", told.iter().map(|entry| entry.content.as_ref().map(Pii::reveal)).collect::<Vec<_>>());
        assert!(said.contains("keys") && said.contains("http"), "{said}");
        for secret in ["4711", "canary", "115, 101, 97", "trigger"] {
            assert!(!said.contains(secret), "{secret}: {said}");
        }
        assert_eq!(parts.remove_door(&admin, &stamp(3), back).await.unwrap(), Removed::Done);
        assert_eq!(doors.station_relays(&admin, ours.house).await.unwrap(), [(side, ours.panel)]);
        assert_eq!(parts.remove_panel(&admin, &stamp(3), ours.panel).await.unwrap(), Removed::Done);
        assert_eq!(doors.station_relays(&admin, ours.house).await.unwrap(), []);
        assert!(parts.door_part(&admin, side).await.unwrap().is_some(), "the door stays");
    }
}
