//! Buildings, entrances, units.

use crate::database::on_both;
use crate::town::{label, stamp, two_towns};
use klinke_access::decide::SiteMode;
use klinke_model::ids::BellId;
use klinke_model::intercom::BellKind;
use klinke_model::policy::BuildingPolicy;
use klinke_model::site::{Entrance, Unit};
use klinke_storage::StorageError;
use klinke_storage::record::PolicySet;

on_both! {
    async fn units_come_all_or_none_and_their_people_open_the_doors(db) {
        let (ours, theirs) = two_towns(&db).await;
        let (sites, admin) = (db.store.sites(), ours.as_person(ours.admin));
        let unit = |n, entrance| Unit { id: ours.fresh(n), building: ours.house, entrance, number: label(&format!("{n}")) };
        let astray = [unit(1, ours.entrance), unit(2, ours.office_entrance)];
        let add = async |units: &[Unit], doors: &[klinke_model::ids::DoorId]| {
            sites.insert_units(&admin, &stamp(1), ours.house, units, doors).await.unwrap()
        };
        let before = sites.units(&admin, ours.house).await.unwrap().len();
        assert!(!add(&astray, &[]).await, "an entrance of another building");
        assert!(!add(&[unit(1, ours.entrance)], &[ours.front, theirs.front]).await, "a foreign door");
        assert!(!add(&[], &[]).await);
        assert_eq!(sites.units(&admin, ours.house).await.unwrap().len(), before);
        let many: Vec<_> = (1..=1_000).map(|n| unit(n, ours.entrance)).collect();
        assert!(add(&many, &[ours.front, ours.garage]).await);
        assert_eq!(sites.units(&admin, ours.house).await.unwrap().len(), before + 1_000);
        let place = klinke_model::people::Membership { person: ours.lone, unit: many[999].id, owner: true };
        assert!(db.store.people().set_home(&admin, &stamp(1), place).await.unwrap());
        assert_eq!(db.store.doors().openable(&ours.system(), ours.lone).await.unwrap().len(), 2);
    }

    async fn a_policy_is_changed_by_who_saw_the_newest(db) {
        let (ours, _) = two_towns(&db).await;
        let (sites, admin) = (db.store.sites(), ours.as_person(ours.admin));
        let policy = |guests| BuildingPolicy { guests, ..BuildingPolicy::default() };
        let set = async |version, policy| {
            sites.set_policy(&admin, &stamp(1), ours.house, version, policy).await
        };
        assert_eq!(sites.policy(&admin, ours.house).await.unwrap(), Some((0, policy(5))));
        assert_eq!(set(0, policy(7)).await.unwrap(), PolicySet::Done(1));
        assert_eq!(set(0, policy(9)).await.unwrap(), PolicySet::Changed(1, policy(7)));
        assert_eq!(set(1, policy(7)).await.unwrap(), PolicySet::Done(1), "nothing changed");
        assert_eq!(set(1, policy(9)).await.unwrap(), PolicySet::Done(2));
        assert!(matches!(set(2, policy(51)).await, Err(StorageError::Invalid(_))));
        assert_eq!(sites.policy(&admin, ours.house).await.unwrap(), Some((2, policy(9))));
    }

    async fn buttons_are_put_in_order_and_taken_away(db) {
        let (ours, theirs) = two_towns(&db).await;
        let (intercom, admin) = (db.store.intercom(), ours.as_person(ours.admin));
        let order = [ours.family, ours.parallel, ours.sequential, ours.individual];
        let put = async |order: &[BellId]| intercom.order_bells(&admin, &stamp(1), ours.panel, order).await.unwrap();
        assert!(!put(&order[1..]).await && !put(&[]).await, "one is missing");
        assert!(!put(&[theirs.family, ours.parallel, ours.sequential, ours.individual]).await);
        assert!(put(&order).await);
        let shown = async || {
            let directory = intercom.directory(&ours.as_panel(ours.panel), ours.panel).await.unwrap().unwrap();
            directory.bells.into_iter().map(|bell| bell.bell).collect::<Vec<_>>()
        };
        assert_eq!(shown().await, order);
        let last = ours.bell(ours.fresh(1), "Last", BellKind::Parallel, vec![]);
        assert!(intercom.insert_bell(&admin, &stamp(1), last.clone(), None).await.unwrap());
        assert_eq!(intercom.remove_bell(&admin, &stamp(1), ours.family).await.unwrap(), Some(ours.house));
        assert_eq!(intercom.remove_bell(&admin, &stamp(1), ours.family).await.unwrap(), None);
        assert_eq!(shown().await, [ours.parallel, ours.sequential, ours.individual, last.id]);
    }

    async fn buildings_come_back_as_they_were_put_in(db) {
        let (ours, _) = two_towns(&db).await;
        let (sites, scope) = (db.store.sites(), ours.system());
        let names: Vec<_> = sites.buildings(&scope).await.unwrap();
        assert_eq!(names.iter().map(|b| b.id).collect::<Vec<_>>(), [ours.office, ours.house], "by name");
        assert_eq!(sites.building(&scope, ours.house).await.unwrap(), Some(ours.the_house()));
        let entrances = sites.entrances(&scope, ours.house).await.unwrap();
        let expected = Entrance { id: ours.entrance, building: ours.house, name: label("Oppgang A") };
        assert_eq!(entrances, [expected]);
        let unit = |id, number| Unit { id, building: ours.house, entrance: ours.entrance, number: label(number) };
        let units = sites.units(&scope, ours.house).await.unwrap();
        assert_eq!(units, [unit(ours.unit, "101"), unit(ours.neighbour_unit, "102")]);
    }

    async fn an_id_is_taken_once(db) {
        let (ours, _) = two_towns(&db).await;
        let again = db.store.sites().insert_building(&ours.system(), &stamp(1), ours.the_house()).await;
        assert!(matches!(again, Err(StorageError::Conflict)), "{again:?}");
    }

    async fn a_unit_is_reached_by_an_entrance_of_its_own_building(db) {
        let (ours, _) = two_towns(&db).await;
        let astray = Unit {
            id: ours.fresh(1),
            building: ours.house,
            entrance: ours.office_entrance,
            number: label("103"),
        };
        assert!(!db.store.sites().insert_units(&ours.system(), &stamp(1), astray.building, &[astray], &[]).await.unwrap());
        assert_eq!(db.store.sites().units(&ours.system(), ours.house).await.unwrap().len(), 2);
    }

    async fn a_building_is_locked_down_and_released(db) {
        let (ours, _) = two_towns(&db).await;
        let scope = ours.system();
        for mode in [SiteMode::LockedDown, SiteMode::Normal] {
            assert!(db.store.sites().set_mode(&scope, &stamp(1), ours.house, mode).await.unwrap());
            let facts = db.store.doors().facts(&scope, ours.kari, ours.front).await.unwrap().unwrap();
            assert_eq!(facts.site_mode, mode);
            let office = db.store.doors().facts(&scope, ours.kari, ours.office_door).await.unwrap().unwrap();
            assert_eq!(office.site_mode, SiteMode::Normal);
        }
    }
}
