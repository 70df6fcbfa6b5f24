//! Panels, buttons, directory, and the facts of a tap.

use crate::database::{Db, on_both};
use crate::town::{Town, label, stamp, two_towns};
use klinke_model::intercom::{BellKind, Panel};
use klinke_model::privacy::Pii;
use klinke_storage::StorageError;
use klinke_storage::record::{PanelDirectory, RingFacts};

async fn directory(db: &Db, town: &Town) -> PanelDirectory {
    db.store.intercom().directory(&town.as_panel(town.panel), town.panel).await.unwrap().unwrap()
}

async fn tap(db: &Db, town: &Town, bell: klinke_model::ids::BellId) -> RingFacts {
    db.store.intercom().ring_facts(&town.as_panel(town.panel), bell).await.unwrap().unwrap()
}

on_both! {
    async fn panels_come_back_as_they_were_put_in(db) {
        let (ours, _) = two_towns(&db).await;
        let (intercom, scope) = (db.store.intercom(), ours.system());
        assert_eq!(intercom.panel(&scope, ours.panel).await.unwrap(), Some(ours.the_panel()));
        let panels = intercom.panels(&scope, ours.house).await.unwrap();
        assert_eq!(panels[0], ours.the_panel());
        assert_eq!((panels[1].id, panels[1].entrance, panels.len()), (ours.garage_panel, None, 2));
    }

    async fn a_panel_and_all_it_names_are_in_one_building(db) {
        let (ours, _) = two_towns(&db).await;
        let (intercom, scope) = (db.store.intercom(), ours.system());
        let new = Panel { id: ours.fresh(1), ..ours.the_panel() };
        let door = Panel { doors: vec![ours.front, ours.office_door], ..new.clone() };
        let entrance = Panel { entrance: Some(ours.office_entrance), ..new.clone() };
        assert!(!intercom.pair_panel(&scope, &stamp(1), door, None).await.unwrap());
        assert!(!intercom.pair_panel(&scope, &stamp(1), entrance, None).await.unwrap());
        assert_eq!(intercom.panel(&scope, new.id).await.unwrap(), None, "a part of it stayed");
        assert!(intercom.pair_panel(&scope, &stamp(1), new, None).await.unwrap());
    }

    async fn bells_come_back_as_they_were_put_in(db) {
        let (ours, _) = two_towns(&db).await;
        let bells = db.store.intercom().bells(&ours.system(), ours.house).await.unwrap();
        let ids: Vec<_> = bells.iter().map(|bell| bell.id).collect();
        assert_eq!(ids, [ours.individual, ours.sequential, ours.parallel, ours.family]);
        assert_eq!(bells[3], ours.the_family(), "with the suspended, in the order of the house");
    }

    async fn a_bell_rings_members_of_its_unit_in_its_building(db) {
        let (ours, _) = two_towns(&db).await;
        let (intercom, scope) = (db.store.intercom(), ours.system());
        let bell = |kind, members| ours.bell(ours.fresh(1), "New", kind, members);
        let (kari, ola) = (ours.member(ours.kari, "Kari"), ours.member(ours.ola, "Ola"));
        for members in [vec![], vec![kari.clone(), ola.clone()]] {
            let odd = intercom.insert_bell(&scope, &stamp(1), bell(BellKind::Individual, members), Some(9)).await;
            assert!(matches!(odd, Err(StorageError::Invalid(_))), "an individual bell has one member");
        }
        let again = stamp(1);
        let twice = intercom.insert_bell(&scope, &again, bell(BellKind::Parallel, vec![kari.clone(), kari.clone()]), Some(9));
        assert!(matches!(twice.await, Err(StorageError::Conflict)));
        let lone = ours.member(ours.lone, "Lone");
        assert!(!intercom.insert_bell(&scope, &stamp(1), bell(BellKind::Parallel, vec![kari.clone(), lone]), Some(9)).await.unwrap());
        let mut astray = bell(BellKind::Parallel, vec![]);
        astray.unit = ours.office_unit;
        assert!(!intercom.insert_bell(&scope, &stamp(1), astray, Some(9)).await.unwrap(), "the unit is in another building");
        assert!(intercom.insert_bell(&scope, &stamp(1), bell(BellKind::Parallel, vec![ola, kari]), Some(9)).await.unwrap());
        assert_eq!(intercom.bells(&scope, ours.house).await.unwrap().len(), 5);
    }

    async fn a_directory_shows_buttons_in_order_and_names_members_of_families_only(db) {
        let (ours, _) = two_towns(&db).await;
        let directory = directory(&db, &ours).await;
        assert_eq!((directory.building, directory.address), (ours.the_house().name, ours.the_house().address));
        assert_eq!(directory.panel, label("Entrance A"));
        let ids: Vec<_> = directory.bells.iter().map(|bell| bell.bell).collect();
        assert_eq!(ids, [ours.individual, ours.sequential, ours.parallel, ours.family]);
        let family = &directory.bells[3];
        assert_eq!(family.label, Pii::new(label("Haugen")));
        assert_eq!((&family.unit, &family.entrance), (&label("101"), &label("Oppgang A")));
        assert_eq!(family.kind, BellKind::Family);
        let active = [ours.member(ours.ola, "Ola"), ours.member(ours.kari, "Kari")];
        assert_eq!(family.members, active, "not the suspended");
        assert!(directory.bells[..3].iter().all(|bell| bell.members.is_empty()));
    }

    async fn the_revision_of_a_directory_follows_what_it_shows(db) {
        let (ours, theirs) = two_towns(&db).await;
        let (people, intercom, scope) = (db.store.people(), db.store.intercom(), ours.system());
        let first = directory(&db, &ours).await.revision;
        assert_eq!(directory(&db, &ours).await.revision, first);
        assert_ne!(directory(&db, &theirs).await.revision, first);
        people.set_active(&scope, ours.lone, false).await.unwrap();
        assert_eq!(directory(&db, &ours).await.revision, first, "she is not in it");
        people.set_active(&scope, ours.ola, false).await.unwrap();
        let without_ola = directory(&db, &ours).await.revision;
        assert_ne!(without_ola, first);
        people.set_active(&scope, ours.ola, true).await.unwrap();
        assert_eq!(directory(&db, &ours).await.revision, first, "as before, so the same");
        let new = ours.bell(ours.fresh(1), "New", BellKind::Parallel, vec![]);
        assert!(intercom.insert_bell(&scope, &stamp(1), new, Some(0)).await.unwrap());
        assert_ne!(directory(&db, &ours).await.revision, first);
    }

    async fn a_tap_gets_all_it_needs(db) {
        let (ours, _) = two_towns(&db).await;
        let facts = tap(&db, &ours, ours.family).await;
        let active = vec![ours.member(ours.ola, "Ola"), ours.member(ours.kari, "Kari")];
        assert_eq!(facts.bell, ours.bell(ours.family, "Haugen", BellKind::Family, active));
        assert_eq!((facts.unit, &facts.panel), (ours.unit, &ours.the_panel()));
        assert_eq!(facts.building, ours.the_house());
        assert_eq!(facts.doors, [ours.the_garage(), ours.the_front()]);
        let mut devices: Vec<_> = facts.devices.iter().map(|device| (device.id, device.person)).collect();
        devices.sort();
        assert_eq!(devices, [(ours.phone, ours.kari), (ours.fresh(51), ours.kari), (ours.fresh(52), ours.ola)]);
        let individual = tap(&db, &ours, ours.individual).await;
        assert_eq!(individual.devices.len(), 2);
        assert!(individual.devices.iter().all(|device| device.person == ours.kari));
    }

    async fn a_tap_on_a_button_whose_members_are_all_suspended_rings_nobody(db) {
        let (ours, _) = two_towns(&db).await;
        db.store.people().set_active(&ours.system(), ours.kari, false).await.unwrap();
        let facts = tap(&db, &ours, ours.individual).await;
        assert_eq!((facts.bell.members, facts.devices), (vec![], vec![]));
    }

    async fn a_device_that_signed_out_does_not_ring(db) {
        let (ours, _) = two_towns(&db).await;
        let kari = ours.as_person(ours.kari);
        assert!(db.store.devices().sign_out(&kari, ours.kari, ours.phone).await.unwrap());
        let facts = tap(&db, &ours, ours.individual).await;
        assert_eq!(facts.devices.iter().map(|device| device.id).collect::<Vec<_>>(), [ours.fresh(51)]);
    }
}

#[tokio::test]
async fn a_directory_has_the_same_revision_in_any_database() {
    let (sqlite, postgres) = (Db::sqlite().await, Db::postgres().await);
    let (in_sqlite, _) = two_towns(&sqlite).await;
    let (in_postgres, _) = two_towns(&postgres).await;
    assert_eq!(directory(&sqlite, &in_sqlite).await, directory(&postgres, &in_postgres).await);
}
