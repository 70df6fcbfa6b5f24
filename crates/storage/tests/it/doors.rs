//! Doors, controllers, and what a decision is made of.

use crate::database::on_both;
use crate::town::{NOW, label, stamp, two_towns};
use klinke_access::decide::SiteMode;
use klinke_model::door::{Controller, Door, DoorTimes};
use klinke_model::schedule::HolidayCalendar;
use klinke_storage::StorageError;
use klinke_storage::record::{RightBy, StoredFacts, StoredRight};

on_both! {
    async fn doors_come_back_as_they_were_put_in(db) {
        let (ours, _) = two_towns(&db).await;
        let (doors, scope) = (db.store.doors(), ours.system());
        assert_eq!(doors.doors(&scope, ours.house).await.unwrap(), [ours.the_front(), ours.the_garage()]);
        assert_eq!(doors.door(&scope, ours.front).await.unwrap(), Some(ours.the_front()));
        let office = doors.door(&scope, ours.office_door).await.unwrap().unwrap();
        assert_eq!(office.controller, None);
        let controllers = doors.controllers(&scope, ours.house).await.unwrap();
        let names: Vec<_> = controllers.iter().map(|c| (c.id, c.name.as_str())).collect();
        assert_eq!(names, [(ours.spare, "Attic"), (ours.controller, "Basement")]);
    }

    async fn times_out_of_range_are_refused(db) {
        let (ours, _) = two_towns(&db).await;
        let times = DoorTimes { release_ms: 999, ..DoorTimes::default() };
        let door = Door { id: ours.fresh(1), times, output: 9, ..ours.the_front() };
        let refused = db.store.doors().insert_door(&ours.system(), &stamp(1), door, false).await;
        assert!(matches!(refused, Err(StorageError::Invalid(_))));
    }

    async fn an_output_drives_one_door(db) {
        let (ours, _) = two_towns(&db).await;
        let (doors, scope) = (db.store.doors(), ours.system());
        let second = Door { id: ours.fresh(1), ..ours.the_front() };
        assert!(matches!(doors.insert_door(&scope, &stamp(1), second, false).await, Err(StorageError::Conflict)));
        let taken = doors.assign(&scope, ours.garage, ours.controller, 1).await;
        assert!(matches!(taken, Err(StorageError::Conflict)));
        assert_eq!(doors.door(&scope, ours.garage).await.unwrap(), Some(ours.the_garage()));
        let without = |number| Door { id: ours.fresh(number), controller: None, ..ours.the_front() };
        assert!(doors.insert_door(&scope, &stamp(1), without(2), false).await.unwrap());
        assert!(doors.insert_door(&scope, &stamp(1), without(3), false).await.unwrap(), "no controller, no output");
    }

    async fn a_door_and_its_controller_are_in_one_building(db) {
        let (ours, _) = two_towns(&db).await;
        let (doors, scope) = (db.store.doors(), ours.system());
        assert!(!doors.assign(&scope, ours.front, ours.office_controller, 0).await.unwrap());
        assert!(!doors.assign(&scope, ours.front, ours.fresh(1), 0).await.unwrap());
        assert!(!doors.assign(&scope, ours.fresh(1), ours.controller, 5).await.unwrap());
        let astray = Door { id: ours.fresh(1), controller: Some(ours.office_controller), ..ours.the_front() };
        assert!(!doors.insert_door(&scope, &stamp(1), astray, false).await.unwrap());
        assert_eq!(doors.door(&scope, ours.front).await.unwrap(), Some(ours.the_front()));
    }

    async fn a_controller_comes_with_all_its_doors_or_not_at_all(db) {
        let (ours, _) = two_towns(&db).await;
        let (doors, scope) = (db.store.doors(), ours.system());
        let new = |n| Controller { id: ours.fresh(n), building: ours.house, name: label("Loft") };
        let before = doors.controllers(&scope, ours.house).await.unwrap();
        let half = [(ours.front, 0), (ours.fresh(9), 1)];
        assert!(!doors.pair_controller(&scope, &stamp(1), new(1), [1; 32], &half).await.unwrap(), "a door that is not there");
        let astray = [(ours.front, 0), (ours.office_door, 1)];
        assert!(!doors.pair_controller(&scope, &stamp(1), new(1), [1; 32], &astray).await.unwrap(), "another building's");
        let doubled = [(ours.front, 0), (ours.garage, 0)];
        let refused = doors.pair_controller(&scope, &stamp(1), new(1), [1; 32], &doubled).await;
        assert!(matches!(refused, Err(StorageError::Conflict)));
        assert_eq!(doors.controllers(&scope, ours.house).await.unwrap(), before);
        assert_eq!(doors.door(&scope, ours.front).await.unwrap(), Some(ours.the_front()));

        let both = [(ours.front, 0), (ours.garage, 1)];
        assert!(doors.pair_controller(&scope, &stamp(1), new(1), [1; 32], &both).await.unwrap());
        let (_, driven) = doors.doors_of_controller(&scope, ours.fresh(1)).await.unwrap().unwrap();
        assert_eq!(driven.iter().map(|door| (door.id, door.output)).collect::<Vec<_>>(), both);
        let (_, left) = doors.doors_of_controller(&scope, ours.controller).await.unwrap().unwrap();
        assert_eq!(left, [], "a door has one controller");
    }

    async fn the_revision_of_a_controller_grows_with_every_change_of_its_doors(db) {
        let (ours, theirs) = two_towns(&db).await;
        let (doors, scope) = (db.store.doors(), ours.system());
        let of = async |controller| doors.doors_of_controller(&scope, controller).await.unwrap().unwrap();
        let (before, wanted) = of(ours.controller).await;
        assert_eq!(wanted, [ours.the_garage(), ours.the_front()], "by output");
        let (spare_before, nothing) = of(ours.spare).await;
        assert_eq!(nothing, []);

        assert!(doors.assign(&scope, ours.front, ours.controller, 1).await.unwrap());
        assert_eq!(of(ours.controller).await.0, before, "nothing changed");
        assert!(doors.assign(&scope, ours.front, ours.spare, 4).await.unwrap());
        let (after, rest) = of(ours.controller).await;
        assert_eq!(rest, [ours.the_garage()]);
        assert!(after > before, "it lost a door");
        let (spare_after, moved) = of(ours.spare).await;
        assert_eq!(moved, [Door { controller: Some(ours.spare), output: 4, ..ours.the_front() }]);
        assert!(spare_after > spare_before, "it got a door");
        assert!(doors.assign(&scope, ours.front, ours.spare, 5).await.unwrap());
        assert!(of(ours.spare).await.0 > spare_after, "the output changed");
        assert_eq!(of(ours.controller).await.0, after);
        let new = Door { id: ours.fresh(1), output: 7, ..ours.the_front() };
        assert!(doors.insert_door(&scope, &stamp(1), new, false).await.unwrap());
        assert!(of(ours.controller).await.0 > after, "a new door");
        let next_door = doors.doors_of_controller(&theirs.system(), theirs.controller).await.unwrap().unwrap();
        assert_eq!(next_door.0, before, "the same history up to here");
    }

    async fn members_of_a_unit_reach_the_doors_of_its_set(db) {
        let (ours, _) = two_towns(&db).await;
        let (doors, scope) = (db.store.doors(), ours.system());
        let house = label("Bjørkeveien borettslag");
        assert_eq!(doors.openable(&scope, ours.kari).await.unwrap(), [(ours.the_front(), house.clone())]);
        assert_eq!(doors.openable(&scope, ours.lone).await.unwrap(), []);
        assert_eq!(doors.openable(&scope, ours.gone).await.unwrap(), [], "suspended");
        assert!(doors.give_unit_door(&scope, ours.unit, ours.garage).await.unwrap());
        assert!(doors.give_unit_door(&scope, ours.unit, ours.garage).await.unwrap());
        let both = [(ours.the_front(), house.clone()), (ours.the_garage(), house)];
        assert_eq!(doors.openable(&scope, ours.ola).await.unwrap(), both);
        assert!(!doors.give_unit_door(&scope, ours.unit, ours.fresh(1)).await.unwrap());
    }

    async fn the_facts_say_who_stands_before_which_door(db) {
        let (ours, _) = two_towns(&db).await;
        let (doors, scope) = (db.store.doors(), ours.system());
        let front = StoredFacts {
            door: ours.the_front(),
            person_active: true,
            needs_longer: false,
            rights: vec![StoredRight { by: RightBy::Home, schedule: None, from: None, until: None }],
            administers_building: false,
            site_mode: SiteMode::Normal,
            time_zone: "Europe/Oslo".to_owned(),
            holidays: HolidayCalendar::None,
        };
        let facts = async |person, door| doors.facts(&scope.at(NOW), person, door).await.unwrap();
        assert_eq!(facts(ours.kari, ours.front).await, Some(front.clone()));
        let stranger = StoredFacts { rights: vec![], ..front.clone() };
        assert_eq!(facts(ours.lone, ours.front).await, Some(stranger.clone()));
        let administers = StoredFacts { administers_building: true, ..stranger.clone() };
        assert_eq!(facts(ours.admin, ours.front).await, Some(administers.clone()));
        assert_eq!(facts(ours.manager, ours.front).await, Some(administers));
        assert_eq!(facts(ours.office_admin, ours.front).await, Some(stranger));
        assert_eq!(facts(ours.gone, ours.front).await, Some(StoredFacts { person_active: false, ..front }));
        assert_eq!(facts(ours.kari, ours.fresh(1)).await, None);
        assert_eq!(facts(ours.fresh(1), ours.front).await, None);
        assert_eq!(facts(ours.kari, ours.garage).await.unwrap().rights, [], "not in her set");
    }
}
