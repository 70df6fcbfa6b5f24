//! Persons, their places, roles and devices.

use crate::database::on_both;
use crate::town::two_towns;
use klinke_model::people::{DeviceKind, Membership};
use klinke_storage::StorageError;
use klinke_storage::record::{BuildingCounts, PeopleCounts, UnitsQuery};

on_both! {
    async fn persons_come_back_as_they_were_put_in(db) {
        let (ours, _) = two_towns(&db).await;
        let people = db.store.people();
        let mut kari = ours.person(ours.kari, "Kari Haugen");
        assert_eq!(people.person(&ours.system(), ours.kari).await.unwrap(), Some(kari.clone()));
        assert!(people.set_active(&ours.system(), ours.kari, false).await.unwrap());
        (kari.active, kari.version) = (false, kari.version + 1);
        assert_eq!(people.person(&ours.system(), ours.kari).await.unwrap(), Some(kari));
        assert!(!people.set_active(&ours.system(), ours.fresh(1), false).await.unwrap());
    }

    async fn a_person_has_one_account_and_a_user_name_one_owner(db) {
        let (ours, theirs) = two_towns(&db).await;
        let people = db.store.people();
        assert!(people.insert_account(&ours.system(), ours.account(ours.kari, "kari")).await.unwrap());
        assert_eq!(db.store.gate().account("kari").await.unwrap().unwrap().person, ours.kari);
        for (town, person, name) in [(ours, ours.kari, "kari2"), (ours, ours.ola, "kari"), (theirs, theirs.kari, "kari")] {
            let again = people.insert_account(&town.system(), town.account(person, name)).await;
            assert!(matches!(again, Err(StorageError::Conflict)), "{again:?}");
        }
    }

    async fn the_units_of_a_building_are_counted_without_a_device_being_told(db) {
        let (ours, _) = two_towns(&db).await;
        let (people, admin) = (db.store.people(), ours.as_person(ours.admin));
        let counts = || async {
            let query = UnitsQuery { limit: 9, ..UnitsQuery::default() };
            let found = db.store.sites().units_page(&admin, ours.house, &query).await.unwrap().units;
            found.iter().map(|row| (row.unit.id, row.residents, row.devices)).collect::<Vec<_>>()
        };
        // kari has two devices, ola one; gone is suspended, lone has none
        assert_eq!(counts().await, [(ours.unit, 3, 3), (ours.neighbour_unit, 1, 0)]);
        assert!(people.set_active(&ours.system(), ours.kari, false).await.unwrap());
        assert_eq!(counts().await, [(ours.unit, 3, 1), (ours.neighbour_unit, 1, 0)]);
        let seen = db.store.sites().counts(&admin, ours.house).await.unwrap().unwrap();
        let people = PeopleCounts { residents: 4, reachable: true, bells: 4, pending: 0, without_button: 1 };
        assert_eq!(seen, BuildingCounts { units: 2, people: Some(people) });
        let caretaker = db.store.sites().counts(&ours.as_person(ours.caretaker), ours.house).await.unwrap();
        assert_eq!(caretaker, Some(BuildingCounts { units: 2, people: None }));
        assert!(db.store.people().set_active(&ours.system(), ours.ola, false).await.unwrap());
        let seen = db.store.sites().counts(&admin, ours.house).await.unwrap().unwrap();
        assert_eq!(seen.people.map(|people| people.reachable), Some(false), "only the suspended have devices");
    }

    async fn the_members_of_a_building_are_those_of_its_units(db) {
        let (ours, _) = two_towns(&db).await;
        let members = db.store.people().unit_members(&ours.system(), ours.house).await.unwrap();
        let place = |person, unit, owner| Membership { person, unit, owner };
        let places: Vec<_> = members.iter().map(|member| member.membership).collect();
        assert_eq!(places, [
            place(ours.gone, ours.unit, false),
            place(ours.kari, ours.unit, true),
            place(ours.ola, ours.unit, false),
            place(ours.lone, ours.neighbour_unit, true),
        ]);
        assert!(members.iter().all(|member| member.person.id == member.membership.person));
        assert_eq!(members.iter().filter(|member| !member.person.active).count(), 1);
        assert_eq!(db.store.people().unit_members(&ours.system(), ours.office).await.unwrap(), []);
    }

    async fn who_moves_out_leaves_the_buttons_and_the_doors(db) {
        let (ours, theirs) = two_towns(&db).await;
        let (people, scope) = (db.store.people(), ours.system());
        assert_eq!(db.store.doors().openable(&scope, ours.kari).await.unwrap().len(), 1);
        assert!(people.remove_membership(&scope, ours.kari, ours.unit).await.unwrap());
        assert!(!people.remove_membership(&scope, ours.kari, ours.unit).await.unwrap());
        let bells = db.store.intercom().bells(&scope, ours.house).await.unwrap();
        let kinds: Vec<_> = bells.iter().map(|bell| bell.id).collect();
        assert_eq!(kinds, [ours.sequential, ours.parallel, ours.family], "the individual button named her");
        assert!(bells.iter().flat_map(|bell| &bell.members).all(|member| member.person != ours.kari));
        assert!(bells.iter().all(|bell| bell.members.iter().any(|member| member.person == ours.ola)));
        assert_eq!(db.store.doors().openable(&scope, ours.kari).await.unwrap(), []);
        let facts = db.store.doors().facts(&scope, ours.kari, ours.front).await.unwrap().unwrap();
        assert_eq!(facts.rights, []);
        let next_door = db.store.intercom().bells(&theirs.system(), theirs.house).await.unwrap();
        assert_eq!(next_door.len(), 4);
    }

    async fn devices_come_back_as_they_signed_in(db) {
        let (ours, _) = two_towns(&db).await;
        let (devices, kari) = (db.store.devices(), ours.as_person(ours.kari));
        let list = devices.list(&kari, ours.kari).await.unwrap();
        let tablet = ours.device(ours.fresh(51), ours.kari, "Hallway", DeviceKind::Station);
        let phone = ours.device(ours.phone, ours.kari, "Kari's phone", DeviceKind::App);
        assert_eq!(list, [tablet, phone]);
        let ola = ours.as_person(ours.ola);
        assert!(!devices.sign_out(&ola, ours.ola, ours.phone).await.unwrap(), "it is Kari's");
        assert!(!devices.sign_in(&ours.system(), ours.new_device(ours.gone, 1)).await.unwrap(), "suspended");
        assert!(!devices.sign_in(&ours.system(), ours.new_device(ours.fresh(9), 1)).await.unwrap(), "nobody");
        assert_eq!(devices.list(&ours.system(), ours.gone).await.unwrap().len(), 1);
        let taken = klinke_storage::record::NewDevice {
            token_hash: ours.new_device(ours.kari, 50).token_hash,
            ..ours.new_device(ours.kari, 1)
        };
        assert!(matches!(devices.sign_in(&kari, taken).await, Err(StorageError::Conflict)));
        assert_eq!(devices.list(&kari, ours.kari).await.unwrap().len(), 2, "a device without its session stayed");
    }
}
