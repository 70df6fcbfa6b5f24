//! Buildings, entrances, units.

use crate::database::on_both;
use crate::town::{label, stamp, two_towns};
use klinke_access::decide::SiteMode;
use klinke_model::site::{Entrance, Unit};
use klinke_storage::StorageError;

on_both! {
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
        let again = db.store.sites().insert_building(&ours.system(), ours.the_house()).await;
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
        assert!(!db.store.sites().insert_unit(&ours.system(), astray).await.unwrap());
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
