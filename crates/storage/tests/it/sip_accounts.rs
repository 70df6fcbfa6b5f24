//! What devices register with over SIP: whose it is, how many, and what ends it.

use crate::database::{Db, on_both};
use crate::town::{Town, stamp, two_towns};
use klinke_model::ids::{DeviceId, PersonId};
use klinke_model::people::{Device, DeviceKind};
use klinke_model::privacy::Pii;
use klinke_storage::StorageError;
use klinke_storage::record::{
    AuditQuery, NewSipAccount, SIP_DEVICES, SipAccountOf, SipAdded, SipLogin, SipOwner,
};
use sea_orm::ConnectionTrait;

/// An account that is unlike any other of our number.
pub fn account(ours: &Town, number: u64) -> NewSipAccount {
    NewSipAccount {
        id: ours.fresh(number),
        name: format!("station{}x{number}", ours.base),
        md5: Pii::new("5".repeat(32)),
        sha256: Pii::new("2".repeat(64)),
    }
}

/// A desk phone of somebody, with its account.
pub fn desk_phone(ours: &Town, number: u64, person: PersonId) -> (Device, NewSipAccount) {
    let device = ours.device(ours.fresh(number), person, "Desk phone", DeviceKind::Station);
    (device, account(ours, number))
}

async fn give(db: &Db, ours: &Town, number: u64, person: PersonId) -> (DeviceId, SipAdded) {
    let (device, account) = desk_phone(ours, number, person);
    let (id, admin) = (device.id, ours.as_person(ours.admin));
    let added = db.store.sip_accounts().add_sip_device(&admin, &stamp(number), device, account).await;
    (id, added.unwrap())
}

async fn logins(db: &Db) -> Vec<SipLogin> {
    db.store.gate().sip_logins().await.unwrap()
}

on_both! {
    async fn a_desk_phone_is_a_station_of_its_person_until_it_is_signed_out(db) {
        let (ours, theirs) = two_towns(&db).await;
        let (accounts, kari) = (db.store.sip_accounts(), ours.as_person(ours.kari));
        let (id, added) = give(&db, &ours, 1, ours.kari).await;
        assert_eq!(added, SipAdded::Done);
        let new = account(&ours, 1);
        let login = SipLogin { tenant: ours.tenant, id: new.id, name: new.name, md5: new.md5, sha256: new.sha256,
            of: SipAccountOf::Device(id, ours.kari) };
        assert_eq!(logins(&db).await, std::slice::from_ref(&login));
        assert!(!format!("{login:?}").contains("5555"), "what it is checked with is not shown");
        // she sees it among her devices, and a tap on her button rings it
        let hers = db.store.devices().list(&kari, ours.kari).await.unwrap();
        let station = hers.iter().find(|device| device.id == id).unwrap();
        assert_eq!((station.kind, station.name.reveal().as_str()), (DeviceKind::Station, "Desk phone"));
        let facts = db.store.intercom().ring_facts(&ours.as_panel(ours.panel), ours.family).await.unwrap().unwrap();
        assert!(facts.devices.contains(station));
        let [rings] = &facts.stations[..] else { panic!("{:?}", facts.stations) };
        assert_eq!(rings.device, id);
        let found = accounts.sip_accounts(&ours.as_person(ours.admin), None, 9).await.unwrap();
        let [one] = &found[..] else { panic!("{found:?}") };
        assert!(matches!(&one.owner, SipOwner::Device(device, person) if device == station && person.id == ours.kari));
        let behind = accounts.sip_accounts(&ours.as_person(ours.admin), Some(one.id), 9).await.unwrap();
        assert_eq!(behind, [], "the next page");
        let foreign = accounts.sip_accounts(&theirs.as_person(theirs.manager), None, 9).await.unwrap();
        assert_eq!(foreign, []);
        // only SIP devices are taken here, and only from who has them
        let (admin, stamp) = (ours.as_person(ours.admin), stamp(2));
        assert!(!accounts.remove_sip_device(&admin, &stamp, ours.kari, ours.phone).await.unwrap());
        assert!(!accounts.remove_sip_device(&admin, &stamp, ours.lone, id).await.unwrap());
        assert!(db.store.devices().sign_out(&kari, ours.kari, id).await.unwrap());
        assert_eq!(logins(&db).await, []);
        let (again, _) = give(&db, &ours, 3, ours.kari).await;
        assert!(accounts.remove_sip_device(&admin, &stamp, ours.kari, again).await.unwrap());
        assert_eq!(logins(&db).await, []);
        assert!(!accounts.remove_sip_device(&admin, &stamp, ours.kari, again).await.unwrap());
        let query = AuditQuery { limit: 200, ..AuditQuery::default() };
        let entries = db.store.audit().audit_entries(&ours.system(), query).await.unwrap();
        let told: Vec<_> = entries.iter().filter(|entry| entry.action.as_str().starts_with("station.")).collect();
        assert_eq!(told.len(), 3);
        assert!(!format!("{:?}", told.iter().map(|entry| entry.content.as_ref().map(Pii::reveal)).collect::<Vec<_>>())
            .contains("station1"), "the name is half of what it registers with");
    }

    async fn there_are_not_many_and_names_are_nobody_elses(db) {
        let (ours, theirs) = two_towns(&db).await;
        for number in 1..=SIP_DEVICES as u64 {
            assert_eq!(give(&db, &ours, number, ours.kari).await.1, SipAdded::Done);
        }
        assert_eq!(give(&db, &ours, 20, ours.kari).await.1, SipAdded::TooMany);
        assert_eq!(give(&db, &ours, 21, ours.ola).await.1, SipAdded::Done, "everybody has their own");
        let (device, _) = desk_phone(&theirs, 1, theirs.kari);
        let taken = NewSipAccount { name: account(&ours, 1).name, ..account(&theirs, 1) };
        let added = db.store.sip_accounts().add_sip_device(&theirs.system(), &stamp(1), device, taken).await;
        assert!(matches!(added, Err(StorageError::Conflict)), "{added:?}");
        assert!(db.store.sip_accounts().sip_devices(&theirs.system(), theirs.kari).await.unwrap().is_empty());
    }

    async fn whoever_is_suspended_has_none_and_neither_has_a_suspended_manager(db) {
        let (ours, _) = two_towns(&db).await;
        assert_eq!(give(&db, &ours, 1, ours.kari).await.1, SipAdded::Done);
        db.connection().await.execute_unprepared("UPDATE tenant SET suspended = TRUE").await.unwrap();
        assert_eq!(logins(&db).await, []);
        db.connection().await.execute_unprepared("UPDATE tenant SET suspended = FALSE").await.unwrap();
        assert_eq!(logins(&db).await.len(), 1);
        let admin = ours.as_person(ours.admin);
        assert!(db.store.people().suspend_person(&admin, &stamp(2), ours.kari, true).await.unwrap().is_some());
        assert_eq!(logins(&db).await, []);
        assert_eq!(give(&db, &ours, 2, ours.kari).await.1, SipAdded::Suspended);
    }

    async fn a_panel_is_a_door_station_while_it_has_its_account(db) {
        let (ours, theirs) = two_towns(&db).await;
        let (accounts, admin) = (db.store.sip_accounts(), ours.as_person(ours.admin));
        let give = async |number| {
            accounts.add_sip_panel(&admin, &stamp(number), ours.panel, account(&ours, number)).await.unwrap()
        };
        assert_eq!(give(1).await, SipAdded::Done);
        assert_eq!(give(2).await, SipAdded::TooMany);
        assert_eq!(accounts.sip_panel(&admin, ours.panel).await.unwrap(), Some(account(&ours, 1).id));
        assert_eq!(accounts.sip_panel(&theirs.system(), ours.panel).await.unwrap(), None);
        assert_eq!(logins(&db).await[0].of, SipAccountOf::Panel(ours.panel));
        let found = accounts.sip_accounts(&admin, None, 9).await.unwrap();
        assert!(matches!(&found[..], [one] if matches!(one.owner, SipOwner::Panel(id, _) if id == ours.panel)));
        assert!(accounts.remove_sip_panel(&admin, &stamp(3), ours.panel).await.unwrap());
        assert!(!accounts.remove_sip_panel(&admin, &stamp(4), ours.panel).await.unwrap());
        assert_eq!(logins(&db).await, []);
        assert_eq!(give(5).await, SipAdded::Done);
        db.store.parts().remove_panel(&admin, &stamp(6), ours.panel).await.unwrap();
        assert_eq!(logins(&db).await, [], "it goes with its panel");
        let nobodys = accounts.add_sip_panel(&admin, &stamp(7), theirs.panel, account(&ours, 7)).await.unwrap();
        assert_eq!(nobodys, SipAdded::NotThere);
    }
}
