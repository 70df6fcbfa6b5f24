//! Parts of a property are changed by who saw the newest, and removed when nobody depends on them.

use crate::database::on_both;
use crate::town::{hash, label, stamp, two_towns};
use klinke_model::door::{Controller, Door, DoorTimes};
use klinke_model::ids::DoorId;
use klinke_model::intercom::{BellKind, Panel};
use klinke_model::people::Membership;
use klinke_model::scope::Scope;
use klinke_model::site::{Building, BuildingKind, Entrance, Unit};
use klinke_storage::StorageError;
use klinke_storage::record::{AuditQuery, Edited, Removed, UnitDoors};

on_both! {
    async fn a_building_is_changed_by_who_saw_the_newest(db) {
        let (ours, _) = two_towns(&db).await;
        let (parts, admin) = (db.store.parts(), ours.as_person(ours.admin));
        let seen = parts.building_part(&admin, ours.house).await.unwrap().unwrap();
        assert_eq!((seen.version, &seen.value), (1, &ours.the_house()));
        assert_eq!((seen.uses.people, seen.uses.units, seen.uses.panels, seen.uses.doors, seen.uses.bells), (4, 2, 2, 2, 4));
        let wanted = Building { name: label("Bjørka"), kind: BuildingKind::Mixed, ..ours.the_house() };
        let done = parts.change_building(&admin, &stamp(1), 1, wanted.clone()).await.unwrap();
        let Edited::Done(done) = done else { panic!("{done:?}") };
        assert_eq!((done.version, &done.value), (2, &wanted));
        let late = Building { name: label("Bjørkelund"), ..ours.the_house() };
        let conflict = parts.change_building(&admin, &stamp(1), 1, late).await.unwrap();
        assert_eq!(conflict, Edited::Conflict(done.clone()));
        let nothing = parts.change_building(&admin, &stamp(1), 2, wanted).await.unwrap();
        assert_eq!(nothing, Edited::Done(done), "nothing changed");
        let query = AuditQuery { building: Some(ours.house), limit: 1, ..AuditQuery::default() };
        let told = db.store.audit().audit_entries(&admin, query).await.unwrap();
        assert_eq!(told[0].action, "building.changed");
    }

    async fn a_building_goes_with_all_its_parts_once_nobody_lives_there(db) {
        let (ours, _) = two_towns(&db).await;
        let (parts, manager, admin) = (db.store.parts(), ours.as_person(ours.manager), ours.as_person(ours.admin));
        assert_eq!(parts.remove_building(&admin, &stamp(1), ours.house).await.unwrap(), Removed::NotThere);
        let full = parts.remove_building(&manager, &stamp(1), ours.house).await.unwrap();
        assert!(matches!(full, Removed::InUse(uses) if uses.people == 4), "{full:?}");
        for (person, unit) in [(ours.kari, ours.unit), (ours.ola, ours.unit), (ours.gone, ours.unit), (ours.lone, ours.neighbour_unit)] {
            assert!(db.store.people().take_home(&manager, &stamp(1), person, unit).await.unwrap());
        }
        assert_eq!(parts.remove_building(&manager, &stamp(1), ours.house).await.unwrap(), Removed::Done);
        assert_eq!(db.store.sites().building(&manager, ours.house).await.unwrap(), None);
        assert_eq!(db.store.gate().panel_key(ours.panel).await.unwrap(), None);
        assert_eq!(db.store.gate().controller(hash(ours.base + 1)).await.unwrap(), None);
        assert_eq!(db.store.sites().buildings(&manager).await.unwrap().len(), 1, "the office stays");
        assert_eq!(db.store.sites().buildings(&admin).await.unwrap(), []);
        let proof = db.store.audit().verify_audit(&manager).await.unwrap().unwrap();
        assert_eq!(proof.first_bad, None);
    }

    async fn an_entrance_goes_when_nothing_is_at_it(db) {
        let (ours, _) = two_towns(&db).await;
        let (parts, admin) = (db.store.parts(), ours.as_person(ours.admin));
        let used = parts.remove_entrance(&admin, &stamp(1), ours.entrance).await.unwrap();
        assert!(matches!(used, Removed::InUse(uses) if (uses.units, uses.panels, uses.people) == (2, 1, 4)), "{used:?}");
        let second = Entrance { id: ours.fresh(1), building: ours.house, name: label("Oppgang B") };
        assert!(db.store.sites().insert_entrance(&admin, &stamp(1), second.clone()).await.unwrap());
        let renamed = Entrance { name: label("Oppgang C"), ..second.clone() };
        let done = parts.change_entrance(&admin, &stamp(1), 1, renamed.clone()).await.unwrap();
        assert!(matches!(&done, Edited::Done(part) if part.value == renamed && part.version == 2), "{done:?}");
        let late = parts.change_entrance(&admin, &stamp(1), 1, second.clone()).await.unwrap();
        assert!(matches!(late, Edited::Conflict(_)));
        assert_eq!(parts.remove_entrance(&admin, &stamp(1), second.id).await.unwrap(), Removed::Done);
        assert_eq!(parts.entrance_part(&admin, second.id).await.unwrap(), None);
    }

    async fn a_units_doors_are_what_its_people_open(db) {
        let (ours, theirs) = two_towns(&db).await;
        let (parts, admin) = (db.store.parts(), ours.as_person(ours.admin));
        let seen = parts.unit_part(&admin, ours.unit).await.unwrap().unwrap();
        assert_eq!((seen.value.doors.as_slice(), seen.uses.people, seen.uses.bells), ([ours.front].as_slice(), 3, 4));
        let with = |doors: &[DoorId]| UnitDoors { doors: doors.to_vec(), ..seen.value.clone() };
        let change = async |scope: &Scope, version, wanted| parts.change_unit(scope, &stamp(1), version, wanted).await.unwrap();
        assert_eq!(change(&admin, 1, with(&[theirs.front])).await, Edited::NotThere);
        assert_eq!(change(&admin, 1, with(&[ours.office_door])).await, Edited::NotThere, "not the admin's building");
        let astray = UnitDoors { unit: Unit { entrance: ours.office_entrance, ..seen.value.unit.clone() }, ..seen.value.clone() };
        assert_eq!(change(&admin, 1, astray).await, Edited::NotThere);
        assert!(matches!(change(&admin, 1, with(&[ours.garage])).await, Edited::Done(part) if part.value.doors == [ours.garage]));
        let opens = db.store.doors().openable(&ours.system(), ours.kari).await.unwrap();
        assert_eq!(opens.iter().map(|(door, _)| door.id).collect::<Vec<_>>(), [ours.garage]);
        // a manager may let them open a gate of another house; who administers this one alone may keep it
        let manager = ours.as_person(ours.manager);
        assert!(matches!(change(&manager, 2, with(&[ours.garage, ours.office_door])).await, Edited::Done(_)));
        assert!(matches!(change(&admin, 3, with(&[ours.office_door])).await, Edited::Done(_)));
        let lived_in = parts.remove_unit(&admin, &stamp(1), ours.unit).await.unwrap();
        assert!(matches!(lived_in, Removed::InUse(uses) if uses.people == 3), "{lived_in:?}");
        let empty = Unit { id: ours.fresh(1), building: ours.house, entrance: ours.entrance, number: label("103") };
        assert!(db.store.sites().insert_units(&admin, &stamp(1), ours.house, std::slice::from_ref(&empty), &[ours.front]).await.unwrap());
        assert_eq!(parts.remove_unit(&admin, &stamp(1), empty.id).await.unwrap(), Removed::Done);
        let place = Membership { person: ours.lone, unit: empty.id, owner: true };
        assert!(!db.store.people().set_home(&admin, &stamp(1), place).await.unwrap());
    }

    async fn a_door_is_wired_by_a_caretaker_and_named_by_an_administrator(db) {
        let (ours, _) = two_towns(&db).await;
        let (parts, caretaker, admin) = (db.store.parts(), ours.as_person(ours.caretaker), ours.as_person(ours.admin));
        let revision = async |controller| {
            db.store.doors().doors_of_controller(&ours.system(), controller).await.unwrap().unwrap().0
        };
        let (before, spare) = (revision(ours.controller).await, revision(ours.spare).await);
        let named = Door { name: label("Street"), ..ours.the_front() };
        assert_eq!(parts.change_door(&caretaker, &stamp(1), 1, named.clone()).await.unwrap(), Edited::NotThere);
        let wired = Door { controller: Some(ours.spare), output: 3, ..ours.the_front() };
        assert!(matches!(parts.change_door(&caretaker, &stamp(1), 1, wired).await.unwrap(), Edited::Done(_)));
        assert_eq!((revision(ours.controller).await, revision(ours.spare).await), (before + 1, spare + 1));
        assert!(matches!(parts.change_door(&admin, &stamp(1), 1, named.clone()).await.unwrap(), Edited::Conflict(_)));
        let taken = Door { output: 0, ..named.clone() };
        let taken = parts.change_door(&admin, &stamp(1), 2, taken).await;
        assert!(matches!(taken, Err(StorageError::Conflict)), "{taken:?}");
        let foreign = Door { controller: Some(ours.office_controller), ..named.clone() };
        assert_eq!(parts.change_door(&admin, &stamp(1), 2, foreign).await.unwrap(), Edited::NotThere);
        let times = DoorTimes { release_ms: 1, ..DoorTimes::default() };
        let hasty = parts.change_door(&admin, &stamp(1), 2, Door { times, ..named }).await;
        assert!(matches!(hasty, Err(StorageError::Invalid(_))), "{hasty:?}");
        let seen = parts.door_part(&admin, ours.front).await.unwrap().unwrap();
        assert_eq!((seen.version, seen.uses.units, seen.uses.panels), (2, 1, 1));
        assert_eq!(parts.remove_door(&caretaker, &stamp(1), ours.front).await.unwrap(), Removed::NotThere);
        assert_eq!(parts.remove_door(&admin, &stamp(1), ours.front).await.unwrap(), Removed::Done);
        assert_eq!(revision(ours.spare).await, spare + 2);
        assert_eq!(db.store.doors().openable(&ours.system(), ours.kari).await.unwrap(), []);
        let panel = db.store.intercom().panel(&admin, ours.panel).await.unwrap().unwrap();
        assert_eq!(panel.doors, [ours.garage]);
    }

    async fn a_panel_is_changed_and_goes_with_its_key(db) {
        let (ours, _) = two_towns(&db).await;
        let (parts, caretaker, admin) = (db.store.parts(), ours.as_person(ours.caretaker), ours.as_person(ours.admin));
        let wanted = Panel { name: label("Gate"), entrance: None, doors: vec![ours.front], ..ours.the_panel() };
        let done = parts.change_panel(&caretaker, &stamp(1), 1, wanted.clone()).await.unwrap();
        assert!(matches!(&done, Edited::Done(part) if part.value == wanted && part.uses.bells == 0), "{done:?}");
        assert!(matches!(parts.change_panel(&admin, &stamp(1), 1, ours.the_panel()).await.unwrap(), Edited::Conflict(_)));
        let astray = Panel { doors: vec![ours.office_door], ..wanted };
        assert_eq!(parts.change_panel(&admin, &stamp(1), 2, astray).await.unwrap(), Edited::NotThere);
        assert_eq!(parts.panel_part(&admin, ours.panel).await.unwrap().unwrap().uses.bells, 4);
        assert_eq!(parts.remove_panel(&caretaker, &stamp(1), ours.panel).await.unwrap(), Removed::NotThere, "it has buttons");
        assert_eq!(parts.remove_panel(&admin, &stamp(1), ours.panel).await.unwrap(), Removed::Done);
        assert_eq!(db.store.gate().panel_key(ours.panel).await.unwrap(), None);
        assert_eq!(db.store.intercom().bells(&admin, ours.house).await.unwrap(), []);
    }

    async fn a_controller_goes_and_its_doors_wait_for_another(db) {
        let (ours, _) = two_towns(&db).await;
        let (parts, caretaker) = (db.store.parts(), ours.as_person(ours.caretaker));
        let named = Controller { id: ours.controller, building: ours.house, name: label("Loft") };
        let done = parts.change_controller(&caretaker, &stamp(1), 1, named).await.unwrap();
        assert!(matches!(&done, Edited::Done(part) if part.uses.doors == 2 && part.version == 2), "{done:?}");
        assert_eq!(parts.remove_controller(&caretaker, &stamp(1), ours.controller).await.unwrap(), Removed::Done);
        assert_eq!(db.store.gate().controller(hash(ours.base + 1)).await.unwrap(), None);
        let doors = db.store.doors().doors(&caretaker, ours.house).await.unwrap();
        assert!(doors.len() == 2 && doors.iter().all(|door| door.controller.is_none()));
        assert!(db.store.doors().assign(&ours.system(), ours.front, ours.spare, 0).await.unwrap());
    }

    async fn a_gate_tells_homes_of_two_entrances_with_one_number_apart(db) {
        let (ours, _) = two_towns(&db).await;
        let admin = ours.as_person(ours.admin);
        let second = Entrance { id: ours.fresh(1), building: ours.house, name: label("Oppgang B") };
        assert!(db.store.sites().insert_entrance(&admin, &stamp(1), second.clone()).await.unwrap());
        let twin = Unit { id: ours.fresh(2), building: ours.house, entrance: second.id, number: label("101") };
        assert!(db.store.sites().insert_units(&admin, &stamp(1), ours.house, std::slice::from_ref(&twin), &[ours.front]).await.unwrap());
        let there = Membership { person: ours.lone, unit: twin.id, owner: true };
        assert!(db.store.people().set_home(&admin, &stamp(1), there).await.unwrap());
        let bell = |id, unit, person, text| klinke_model::intercom::Bell {
            panel: ours.garage_panel, unit, ..ours.bell(id, text, BellKind::Parallel, vec![ours.member(person, text)])
        };
        let (first, other) = (bell(ours.fresh(3), ours.unit, ours.kari, "Haugen"), bell(ours.fresh(4), twin.id, ours.lone, "Lund"));
        let shown = async || {
            let directory = db.store.intercom().directory(&ours.as_panel(ours.garage_panel), ours.garage_panel).await.unwrap().unwrap();
            directory.bells.iter().map(|bell| bell.unit.as_str().to_owned()).collect::<Vec<_>>()
        };
        assert!(db.store.intercom().insert_bell(&admin, &stamp(1), first, None).await.unwrap());
        assert_eq!(shown().await, ["101"]);
        assert!(db.store.intercom().insert_bell(&admin, &stamp(1), other.clone(), None).await.unwrap());
        assert_eq!(shown().await, ["Oppgang A · 101", "Oppgang B · 101"]);
        let rung = db.store.intercom().ring_facts(&ours.as_panel(ours.garage_panel), other.id).await.unwrap().unwrap();
        assert_eq!(rung.bell.members.iter().map(|member| member.person).collect::<Vec<_>>(), [ours.lone]);
        let opens = db.store.doors().openable(&ours.system(), ours.lone).await.unwrap();
        assert_eq!(opens.iter().map(|(door, _)| door.id).collect::<Vec<_>>(), [ours.front]);
    }
}
