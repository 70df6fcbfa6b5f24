//! Which button a door station rings with a number that no button has: one of its own, as long as there is one.

use crate::database::{Db, on_both};
use crate::station_relays::station;
use crate::town::{Town, stamp, two_towns};
use klinke_model::ids::BellId;
use klinke_storage::record::{AnyNumberSet, AuditQuery};

async fn told(db: &Db, ours: &Town) -> usize {
    let query = AuditQuery { limit: 200, ..AuditQuery::default() };
    let entries = db.store.audit().audit_entries(&ours.system(), query).await.unwrap();
    entries.iter().filter(|entry| entry.action.as_str() == "door_station.changed").count()
}

on_both! {
    async fn a_door_station_rings_a_button_of_its_own_with_any_number_until_either_goes(db) {
        let (ours, theirs) = two_towns(&db).await;
        let (accounts, intercom, admin) = (db.store.sip_accounts(), db.store.intercom(), ours.as_person(ours.admin));
        let set = async |bell: Option<BellId>| accounts.set_any_number(&admin, &stamp(2), ours.panel, bell).await.unwrap();
        assert_eq!(set(Some(ours.family)).await, AnyNumberSet::NoStation, "a screen dials nothing");
        station(&db, &ours, 201).await;
        for foreign in [theirs.family, ours.fresh(9)] {
            assert_eq!(set(Some(foreign)).await, AnyNumberSet::NoBell);
        }
        // of another panel of the same building
        let elsewhere = klinke_model::intercom::Bell {
            panel: ours.garage_panel, ..ours.bell(ours.fresh(10), "Garage", klinke_model::intercom::BellKind::Family, vec![ours.member(ours.kari, "Kari")])
        };
        let other = elsewhere.id;
        assert!(intercom.insert_bell(&admin, &stamp(1), elsewhere, None).await.unwrap());
        assert_eq!(set(Some(other)).await, AnyNumberSet::NoBell);
        let nobodys = accounts.set_any_number(&admin, &stamp(2), theirs.panel, None).await.unwrap();
        assert_eq!(nobodys, AnyNumberSet::NotThere);

        let (itself, rings) = (ours.as_panel(ours.panel), async |scope| accounts.bell_of_any_number(&scope).await.unwrap());
        let seen = async || intercom.panel_seen(&admin, ours.panel).await.unwrap().unwrap().any_number;
        assert_eq!((rings(itself).await, seen().await), (None, None));
        for bell in [ours.family, ours.individual, ours.individual] {
            assert_eq!(set(Some(bell)).await, AnyNumberSet::Done);
            assert_eq!((rings(itself).await, seen().await), (Some(bell), Some(bell)));
        }
        assert_eq!(told(&db, &ours).await, 2, "the same again is no change");
        assert_eq!(rings(ours.as_panel(ours.garage_panel)).await, None);
        assert_eq!(rings(admin).await, None, "only the station dials");

        assert!(intercom.remove_bell(&admin, &stamp(3), ours.individual).await.unwrap().is_some());
        assert_eq!((rings(itself).await, seen().await), (None, None), "it goes with its button");
        assert_eq!(set(Some(ours.family)).await, AnyNumberSet::Done);
        assert_eq!(set(None).await, AnyNumberSet::Done);
        assert_eq!((rings(itself).await, seen().await, told(&db, &ours).await), (None, None, 4));
        assert_eq!(set(Some(ours.family)).await, AnyNumberSet::Done);
        let removed = db.store.parts().remove_panel(&admin, &stamp(4), ours.panel).await.unwrap();
        assert_eq!(removed, klinke_storage::record::Removed::Done);
        assert_eq!(rings(itself).await, None, "and with its panel");
    }
}
