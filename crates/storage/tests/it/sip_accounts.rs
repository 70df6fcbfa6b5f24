//! What devices register with over SIP: whose it is, how many, and what ends it.

use crate::database::{Db, on_both};
use crate::town::{Town, stamp, two_towns};
use klinke_model::ids::{DeviceId, PersonId};
use klinke_model::intercom::Panel;
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

/// A door station like the panel at the front door, with its account.
pub fn door_station(ours: &Town, number: u64) -> (Panel, NewSipAccount) {
    (Panel { id: ours.fresh(number), ..ours.the_panel() }, account(ours, number))
}

/// How many entries of the audit tell of panels and of what they register with.
async fn told(db: &Db, ours: &Town) -> Vec<String> {
    let query = AuditQuery { limit: 200, ..AuditQuery::default() };
    let entries = db.store.audit().audit_entries(&ours.system(), query).await.unwrap();
    let actions = entries.iter().map(|entry| entry.action.as_str().to_owned());
    let mut told: Vec<_> = actions
        .filter(|action| action.starts_with("panel.") || action.starts_with("door_station."))
        .collect();
    told.sort();
    told
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
            accounts.set_sip_panel(&admin, &stamp(number), ours.panel, account(&ours, number)).await.unwrap()
        };
        assert_eq!(give(1).await, SipAdded::Done);
        assert_eq!(logins(&db).await[0].of, SipAccountOf::Panel(ours.panel));
        let found = accounts.sip_accounts(&admin, None, 9).await.unwrap();
        assert!(matches!(&found[..], [one] if matches!(one.owner, SipOwner::Panel(id, _) if id == ours.panel)));
        assert_eq!(give(2).await, SipAdded::Done);
        let [only] = &logins(&db).await[..] else { panic!("the one before is gone") };
        assert_eq!((only.id, &only.name), (account(&ours, 2).id, &account(&ours, 2).name));
        // one that is refused leaves the one before in force, and says nothing
        let before = told(&db, &ours).await;
        assert_eq!(before.iter().filter(|action| *action == "door_station.removed").count(), 1);
        let taken = NewSipAccount { name: account(&ours, 2).name, ..account(&ours, 3) };
        let (phone, of_the_phone) = desk_phone(&ours, 4, ours.kari);
        let added = accounts.add_sip_device(&admin, &stamp(4), phone, of_the_phone.clone()).await.unwrap();
        assert_eq!(added, SipAdded::Done);
        let of_another = NewSipAccount { name: of_the_phone.name, ..taken };
        let refused = accounts.set_sip_panel(&admin, &stamp(5), ours.panel, of_another).await;
        assert!(matches!(refused, Err(StorageError::Conflict)), "{refused:?}");
        assert!(logins(&db).await.iter().any(|login| login.id == account(&ours, 2).id), "the old one was let go");
        assert_eq!(told(&db, &ours).await, before);
        db.store.parts().remove_panel(&admin, &stamp(6), ours.panel).await.unwrap();
        assert!(logins(&db).await.iter().all(|login| login.of != SipAccountOf::Panel(ours.panel)), "it goes with its panel");
        let nobodys = accounts.set_sip_panel(&admin, &stamp(7), theirs.panel, account(&ours, 7)).await.unwrap();
        assert_eq!(nobodys, SipAdded::NotThere);
    }

    async fn a_door_station_is_a_panel_with_an_account_or_nothing_at_all(db) {
        let (ours, _) = two_towns(&db).await;
        let (accounts, intercom, admin) = (db.store.sip_accounts(), db.store.intercom(), ours.as_person(ours.admin));
        let before = told(&db, &ours).await;
        let (phone, of_the_phone) = desk_phone(&ours, 1, ours.kari);
        let name = of_the_phone.name.clone();
        let added = accounts.add_sip_device(&admin, &stamp(1), phone, of_the_phone).await.unwrap();
        assert_eq!(added, SipAdded::Done);
        let (panel, new) = door_station(&ours, 2);
        let add = async |panel: &Panel, new: &NewSipAccount| {
            accounts.add_door_station(&admin, &stamp(2), panel.clone(), new.clone()).await
        };
        // its panel can be made and its account can not, or the other way round
        let taken = add(&panel, &NewSipAccount { name, ..new.clone() }).await;
        assert!(matches!(taken, Err(StorageError::Conflict)), "{taken:?}");
        let astray = Panel { doors: vec![ours.front, ours.office_door], ..panel.clone() };
        assert!(!add(&astray, &new).await.unwrap());
        let elsewhere = Panel { entrance: Some(ours.office_entrance), ..panel.clone() };
        assert!(!add(&elsewhere, &new).await.unwrap());
        assert_eq!(intercom.panel(&ours.system(), panel.id).await.unwrap(), None, "a part of it stayed");
        assert_eq!((logins(&db).await.len(), told(&db, &ours).await), (1, before));

        assert!(add(&panel, &new).await.unwrap());
        assert_eq!(intercom.panel(&admin, panel.id).await.unwrap(), Some(panel.clone()));
        assert!(logins(&db).await.iter().any(|login| login.of == SipAccountOf::Panel(panel.id)));
        let ours_now = told(&db, &ours).await;
        assert!(ours_now.iter().any(|action| action == "door_station.made"), "{ours_now:?}");
    }

    async fn a_panel_says_what_lets_it_in(db) {
        let (ours, theirs) = two_towns(&db).await;
        let (intercom, admin) = (db.store.intercom(), ours.as_person(ours.admin));
        let (panel, new) = door_station(&ours, 1);
        assert!(db.store.sip_accounts().add_door_station(&admin, &stamp(1), panel.clone(), new).await.unwrap());
        let seen = intercom.panels_seen(&admin, ours.house).await.unwrap();
        let ways: Vec<_> = seen.iter().map(|seen| (seen.panel.id, seen.paired, seen.door_station)).collect();
        assert_eq!(ways, [(ours.panel, true, false), (panel.id, false, true), (ours.garage_panel, false, false)]);
        for one in seen {
            assert_eq!(intercom.panel_seen(&admin, one.panel.id).await.unwrap().as_ref(), Some(&one));
        }
        let foreign = theirs.as_person(theirs.manager);
        assert_eq!(intercom.panels_seen(&foreign, ours.house).await.unwrap(), []);
        assert_eq!(intercom.panel_seen(&foreign, panel.id).await.unwrap(), None);
    }
}
