//! Groups of people and of doors, and the rights that rules give by them.

use crate::database::{Db, on_both};
use crate::rules::rule;
use crate::town::{NOW, Town, label, stamp, two_towns};
use klinke_model::door::{Door, DoorKind};
use klinke_model::door_settings::{DoorBefore, DoorSettings};
use klinke_model::ids::{DoorId, PersonId};
use klinke_model::people::Membership;
use klinke_model::rule::{AccessRule, DoorGroup, PeopleGroup, Which, Who};
use klinke_storage::StorageError;
use klinke_storage::record::{Deleted, Edited, Removed, RuleMade, RuleThrough};

pub fn cleaners(ours: &Town, number: u64, members: &[PersonId]) -> PeopleGroup {
    let mut members = members.to_vec();
    members.sort_unstable();
    PeopleGroup { id: ours.fresh(number), building: ours.house, name: label("Cleaners"), members }
}

pub fn cellars(ours: &Town, number: u64, doors: &[DoorId]) -> DoorGroup {
    let mut doors = doors.to_vec();
    doors.sort_unstable();
    DoorGroup { id: ours.fresh(number), building: ours.house, name: label("Cellars"), doors }
}

async fn holds(db: &Db, ours: &Town, person: PersonId, door: DoorId) -> bool {
    !db.store.doors().facts(&ours.system(), person, door).await.unwrap().unwrap().rights.is_empty()
}

/// A rule by which the cleaners (30) open the cellars (31).
async fn made(
    db: &Db,
    ours: &Town,
    members: &[PersonId],
    doors: &[DoorId],
) -> (PeopleGroup, DoorGroup, AccessRule) {
    let (rules, scope) = (db.store.rules(), ours.system());
    let (people, cellars) = (cleaners(ours, 30, members), cellars(ours, 31, doors));
    assert_eq!(rules.insert_people_group(&scope, &stamp(1), people.clone()).await.unwrap(), RuleMade::Done);
    assert_eq!(rules.insert_door_group(&scope, &stamp(1), cellars.clone()).await.unwrap(), RuleMade::Done);
    let cleaning = AccessRule {
        who: vec![Who::Group(people.id)],
        doors: vec![Which::Group(cellars.id)],
        ..rule(ours, 32, ours.lone, ours.garage)
    };
    assert_eq!(rules.insert_rule(&scope, &stamp(1), cleaning.clone()).await.unwrap(), RuleMade::Done);
    (people, cellars, cleaning)
}

on_both! {
    async fn a_group_opens_what_is_in_a_group_and_follows_both(db) {
        let (ours, _) = two_towns(&db).await;
        let (rules, scope, admin) = (db.store.rules(), ours.system().at(NOW), ours.as_person(ours.admin));
        let (people, some, cleaning) = made(&db, &ours, &[ours.lone], &[ours.garage]).await;
        assert!(holds(&db, &ours, ours.lone, ours.garage).await);
        assert!(!holds(&db, &ours, ours.ola, ours.garage).await && !holds(&db, &ours, ours.lone, ours.front).await);
        let listed = db.store.doors().openable(&scope, ours.lone).await.unwrap();
        assert_eq!(listed.iter().map(|(door, _)| door.id).collect::<Vec<_>>(), [ours.garage]);
        let openers = db.store.who().openers(&admin, ours.garage, None, 50).await.unwrap().unwrap();
        assert!(openers.people.iter().any(|one| one.person == ours.lone && one.because.len() == 1));
        let through = rules.through(&admin, ours.lone, ours.garage).await.unwrap();
        assert_eq!(through, [RuleThrough { rule: cleaning.id, groups: vec![label("Cleaners"), label("Cellars")] }]);
        let revision = async || db.store.doors().doors_of_controller(&scope, ours.controller).await.unwrap().unwrap().0;
        let before = revision().await;

        let others = PeopleGroup { members: vec![ours.ola], ..people.clone() };
        let done = rules.change_people_group(&admin, &stamp(2), 1, others.clone()).await.unwrap();
        assert!(matches!(&done, Edited::Done(part) if part.version == 2 && part.value.people[0].person == ours.ola));
        assert!(!holds(&db, &ours, ours.lone, ours.garage).await && holds(&db, &ours, ours.ola, ours.garage).await);
        let late = rules.change_people_group(&admin, &stamp(2), 1, people.clone()).await.unwrap();
        assert!(matches!(late, Edited::Conflict(part) if part.version == 2 && part.value.group == others));
        let both = DoorGroup { doors: cellars(&ours, 31, &[ours.front, ours.garage]).doors, ..some.clone() };
        assert!(matches!(rules.change_door_group(&admin, &stamp(3), 1, both).await.unwrap(), Edited::Done(part) if part.version == 2));
        assert!(matches!(rules.change_door_group(&admin, &stamp(3), 1, some.clone()).await.unwrap(), Edited::Conflict(_)));
        assert!(holds(&db, &ours, ours.ola, ours.garage).await);
        assert!(revision().await > before, "the controllers are told");
        // Lone has no home at the front door, and comes back
        let again = PeopleGroup { members: cleaners(&ours, 30, &[ours.lone, ours.ola]).members, ..people.clone() };
        assert!(matches!(rules.change_people_group(&admin, &stamp(3), 2, again).await.unwrap(), Edited::Done(_)));
        assert!(holds(&db, &ours, ours.lone, ours.front).await, "a door that came into the group");

        // in use, then not
        assert!(matches!(rules.remove_people_group(&admin, &stamp(4), people.id).await.unwrap(), Removed::InUse(uses) if uses.rules == 1));
        assert!(matches!(rules.remove_door_group(&admin, &stamp(4), some.id).await.unwrap(), Removed::InUse(uses) if uses.rules == 1));
        let none = PeopleGroup { members: vec![], ..people.clone() };
        assert!(matches!(rules.change_people_group(&admin, &stamp(5), 3, none).await.unwrap(), Edited::Done(_)));
        assert!(!holds(&db, &ours, ours.ola, ours.garage).await, "an empty group allows nobody");
        assert!(rules.remove_rule(&admin, &stamp(6), cleaning.id).await.unwrap());
        assert_eq!(rules.remove_people_group(&admin, &stamp(7), people.id).await.unwrap(), Removed::Done);
        assert_eq!(rules.remove_door_group(&admin, &stamp(7), some.id).await.unwrap(), Removed::Done);
        assert_eq!(rules.people_group(&admin, people.id).await.unwrap(), None);
    }

    async fn who_moves_out_leaves_and_who_never_lived_there_stays(db) {
        let (ours, _) = two_towns(&db).await;
        let (people, rules) = (db.store.people(), db.store.rules());
        let (group, ..) = made(&db, &ours, &[ours.ola, ours.lone, ours.office_admin], &[ours.garage]).await;
        let second = Membership { unit: ours.neighbour_unit, person: ours.ola, owner: false };
        assert!(people.add_membership(&ours.system(), second).await.unwrap());
        assert!(people.remove_membership(&ours.system(), ours.ola, ours.unit).await.unwrap());
        assert!(holds(&db, &ours, ours.ola, ours.garage).await, "lives in the house still");
        assert!(people.remove_membership(&ours.system(), ours.ola, ours.neighbour_unit).await.unwrap());
        assert!(!holds(&db, &ours, ours.ola, ours.garage).await);
        assert!(holds(&db, &ours, ours.lone, ours.garage).await && holds(&db, &ours, ours.office_admin, ours.garage).await);
        let left = rules.people_group(&ours.system(), group.id).await.unwrap().unwrap();
        assert_eq!((left.version, left.value.group.members), (2, cleaners(&ours, 30, &[ours.lone, ours.office_admin]).members));
        // the group goes with neither
        assert!(matches!(people.delete_person(&ours.system(), &stamp(2), ours.ola).await.unwrap(), Deleted::Done(_)));
        assert!(matches!(db.store.parts().remove_door(&ours.system(), &stamp(3), ours.garage).await.unwrap(), Removed::Done));
        let groups = rules.door_groups(&ours.system(), ours.house).await.unwrap();
        assert_eq!(groups[0].value.doors, []);
    }

    async fn what_is_in_a_group_is_in_its_building_and_to_be_seen(db) {
        let (ours, theirs) = two_towns(&db).await;
        let (rules, admin) = (db.store.rules(), ours.as_person(ours.admin));
        for strange in [theirs.lone, ours.office_admin, ours.fresh(9)] {
            let wrong = cleaners(&ours, 30, &[strange]);
            assert_eq!(rules.insert_people_group(&admin, &stamp(1), wrong).await.unwrap(), RuleMade::Unknown);
        }
        for strange in [theirs.garage, ours.office_door] {
            let wrong = cellars(&ours, 31, &[strange]);
            assert_eq!(rules.insert_door_group(&admin, &stamp(1), wrong).await.unwrap(), RuleMade::Unknown);
        }
        // a manager sees who lives elsewhere; the administrator keeps them, without their name
        let manager = ours.as_person(ours.manager);
        let group = cleaners(&ours, 30, &[ours.office_admin]);
        assert_eq!(rules.insert_people_group(&manager, &stamp(1), group.clone()).await.unwrap(), RuleMade::Done);
        let seen = rules.people_group(&admin, group.id).await.unwrap().unwrap();
        assert!(!seen.value.people[0].shown && seen.value.people[0].name.is_none());
        let named = PeopleGroup { name: label("Other"), ..group.clone() };
        assert!(matches!(rules.change_people_group(&admin, &stamp(2), 1, named.clone()).await.unwrap(), Edited::Done(_)));
        let more = PeopleGroup { members: cleaners(&ours, 30, &[ours.office_admin, ours.expired]).members, ..named };
        let refused = rules.change_people_group(&admin, &stamp(3), 2, more).await;
        assert!(matches!(refused, Err(StorageError::MissingReference)));
        // a rule names groups of its own building
        let of_office = DoorGroup { building: ours.office, ..cellars(&ours, 33, &[ours.office_door]) };
        assert_eq!(rules.insert_door_group(&manager, &stamp(4), of_office.clone()).await.unwrap(), RuleMade::Done);
        let astray = AccessRule { doors: vec![Which::Group(of_office.id)], ..rule(&ours, 34, ours.lone, ours.garage) };
        assert_eq!(rules.insert_rule(&manager, &stamp(5), astray).await.unwrap(), RuleMade::Unknown);
    }

    async fn a_floor_comes_after_a_door_and_is_in_no_airlock(db) {
        let (ours, _) = two_towns(&db).await;
        let (parts, scope) = (db.store.parts(), ours.system());
        let floor = Door { id: ours.fresh(40), name: label("Fourth floor"), output: 9, kind: DoorKind::Floor, ..ours.the_front() };
        assert!(db.store.doors().insert_door(&scope, &stamp(1), floor.clone(), false).await.unwrap());
        assert_eq!(db.store.doors().door(&scope, floor.id).await.unwrap().unwrap().kind, DoorKind::Floor);
        let after = |door| DoorSettings { after: Some(DoorBefore { door, within_s: 60 }), ..DoorSettings::default() };
        let done = parts.change_door_settings(&scope, &stamp(2), 1, floor.id, after(ours.garage)).await.unwrap();
        assert!(matches!(done, Edited::Done(part) if part.value.kind == DoorKind::Floor));
        let airlock = DoorSettings { airlock: Some(1), ..DoorSettings::default() };
        let refused = parts.change_door_settings(&scope, &stamp(3), 2, floor.id, airlock).await;
        assert!(matches!(refused, Err(StorageError::Invalid(_))));
        // nobody goes through a floor
        let refused = parts.change_door_settings(&scope, &stamp(4), 1, ours.front, after(floor.id)).await;
        assert!(matches!(refused, Err(StorageError::Invalid(_))));
    }
}
