//! Schedules and access rules, and the rights that they give.

use crate::database::{Db, on_both};
use crate::town::{NOW, Town, label, stamp, two_towns};
use klinke_model::ids::{DoorId, PersonId};
use klinke_model::people::Membership;
use klinke_model::rule::{AccessRule, NamedSchedule, Which, Who};
use klinke_model::schedule::{OnHolidays, Schedule};
use klinke_model::time::Timestamp;
use klinke_model::timetable::Hours;
use klinke_storage::StorageError;
use klinke_storage::record::{Because, Edited, Removed, RightBy, RuleMade, StoredRight};

/// A rule that gives one person one door, at any time.
pub fn rule(ours: &Town, number: u64, person: PersonId, door: DoorId) -> AccessRule {
    AccessRule {
        id: ours.fresh(number),
        building: ours.house,
        name: label("Bicycles"),
        who: vec![Who::Person(person)],
        doors: vec![Which::Door(door)],
        schedule: None,
        first_day: None,
        last_day: None,
        active: true,
    }
}

pub fn office_hours(ours: &Town, number: u64) -> NamedSchedule {
    NamedSchedule {
        id: ours.fresh(number),
        building: ours.house,
        name: label("Office hours"),
        schedule: Schedule {
            hours: vec![Hours { days: vec![0, 1, 2, 3, 4], from: 360, until: 1320 }],
            holidays: OnHolidays::Closed,
            exceptions: vec![],
        },
    }
}

async fn made(db: &Db, ours: &Town, rule: &AccessRule) {
    let done = db.store.rules().insert_rule(&ours.system(), &stamp(1), rule.clone()).await.unwrap();
    assert_eq!(done, RuleMade::Done);
}

async fn rights(db: &Db, ours: &Town, person: PersonId, door: DoorId) -> Vec<StoredRight> {
    db.store.doors().facts(&ours.system(), person, door).await.unwrap().unwrap().rights
}

async fn holds(db: &Db, ours: &Town, person: PersonId, door: DoorId) -> bool {
    !rights(db, ours, person, door).await.is_empty()
}

on_both! {
    async fn a_rule_gives_a_door_to_whom_it_names(db) {
        let (ours, _) = two_towns(&db).await;
        let scope = ours.system().at(NOW);
        let (doors, lone, garage) = (db.store.doors(), ours.lone, ours.garage);
        assert!(!holds(&db, &ours, lone, garage).await);
        let bicycles = rule(&ours, 1, lone, garage);
        made(&db, &ours, &bicycles).await;
        let by = RightBy::Rule { rule: bicycles.id, name: label("Bicycles") };
        let right = StoredRight { by, schedule: None, from: None, until: None };
        assert_eq!(rights(&db, &ours, lone, garage).await, [right]);
        assert!(!holds(&db, &ours, lone, ours.front).await && !holds(&db, &ours, ours.ola, garage).await);
        let listed = doors.openable(&scope, lone).await.unwrap();
        assert_eq!(listed.iter().map(|(door, _)| door.id).collect::<Vec<_>>(), [garage]);
        // the lists tell the rule
        let page = db.store.who().openers(&ours.as_person(ours.admin), garage, None, 50).await.unwrap().unwrap();
        let one = page.people.iter().find(|one| one.person == lone).unwrap();
        assert!(one.shown);
        let because = Because::Rule { rule: bicycles.id, name: label("Bicycles"), hours: None, last_day: None };
        assert_eq!(one.because, std::slice::from_ref(&because));
        let page = db.store.who().doors_of(&ours.as_person(ours.admin), lone, None, 50).await.unwrap();
        assert_eq!(page.doors.iter().map(|one| (one.door, one.because.clone())).collect::<Vec<_>>(), [(garage, vec![because])]);

        let off = AccessRule { active: false, ..bicycles.clone() };
        let done = db.store.rules().change_rule(&ours.system(), &stamp(2), 1, off).await.unwrap();
        assert!(matches!(done, Edited::Done(part) if part.version == 2));
        assert!(!holds(&db, &ours, lone, garage).await, "put aside");
        assert_eq!(doors.openable(&scope, lone).await.unwrap(), []);
        let late = db.store.rules().change_rule(&ours.system(), &stamp(3), 1, bicycles.clone()).await.unwrap();
        assert!(matches!(late, Edited::Conflict(part) if part.version == 2 && !part.value.rule.active));
        assert!(db.store.rules().remove_rule(&ours.system(), &stamp(4), bicycles.id).await.unwrap());
        assert!(!db.store.rules().remove_rule(&ours.system(), &stamp(4), bicycles.id).await.unwrap());
    }

    async fn a_rule_does_not_let_in_who_moved_out(db) {
        let (ours, _) = two_towns(&db).await;
        let people = db.store.people();
        let named = AccessRule { who: vec![Who::Person(ours.ola), Who::Person(ours.lone)], ..rule(&ours, 1, ours.ola, ours.garage) };
        made(&db, &ours, &named).await;
        let other = AccessRule { building: ours.office, ..rule(&ours, 2, ours.ola, ours.office_door) };
        made(&db, &ours, &other).await;
        // Ola has a second home in the house, and works in the office
        for unit in [ours.neighbour_unit, ours.office_unit] {
            let place = Membership { unit, person: ours.ola, owner: false };
            assert!(people.add_membership(&ours.system(), place).await.unwrap());
        }
        assert!(people.remove_membership(&ours.system(), ours.ola, ours.unit).await.unwrap());
        assert!(holds(&db, &ours, ours.ola, ours.garage).await, "lives in the house still");
        assert!(people.remove_membership(&ours.system(), ours.ola, ours.neighbour_unit).await.unwrap());
        assert!(!holds(&db, &ours, ours.ola, ours.garage).await);
        assert!(holds(&db, &ours, ours.lone, ours.garage).await, "whom else it names");
        assert!(holds(&db, &ours, ours.ola, ours.office_door).await, "another building's rule");
        let left = db.store.rules().rule(&ours.system(), named.id).await.unwrap().unwrap();
        assert_eq!((left.version, left.value.rule.who), (2, vec![Who::Person(ours.lone)]));
        let untouched = db.store.rules().rule(&ours.system(), other.id).await.unwrap().unwrap();
        assert_eq!(untouched.version, 1);
    }

    async fn everybody_owners_and_units_are_who_lives_there(db) {
        let (ours, _) = two_towns(&db).await;
        let all = async |who: Who| {
            let done = AccessRule { who: vec![who], doors: vec![Which::AllDoors], ..rule(&ours, 1, ours.lone, ours.garage) };
            made(&db, &ours, &done).await;
            let mut found = Vec::new();
            for person in [ours.kari, ours.ola, ours.lone, ours.admin] {
                found.push(holds(&db, &ours, person, ours.garage).await);
            }
            assert!(!holds(&db, &ours, ours.kari, ours.office_door).await, "another building");
            assert!(db.store.rules().remove_rule(&ours.system(), &stamp(4), done.id).await.unwrap());
            found
        };
        // Kari and Lone decide for their units, Ola lives with Kari, the administrator lives elsewhere
        assert_eq!(all(Who::Everybody).await, [true, true, true, false]);
        assert_eq!(all(Who::UnitOwners).await, [true, false, true, false]);
        assert_eq!(all(Who::Unit(ours.unit)).await, [true, true, false, false]);
        assert_eq!(all(Who::Person(ours.admin)).await, [false, false, false, true]);
    }

    async fn hours_and_days_come_with_the_right(db) {
        let (ours, _) = two_towns(&db).await;
        let (rules, scope) = (db.store.rules(), ours.system());
        let hours = office_hours(&ours, 2);
        assert!(rules.insert_schedule(&scope, &stamp(1), hours.clone()).await.unwrap());
        let first = AccessRule {
            schedule: Some(hours.id), first_day: Some(20_779), last_day: Some(20_779), ..rule(&ours, 1, ours.lone, ours.garage)
        };
        made(&db, &ours, &first).await;
        let found = rights(&db, &ours, ours.lone, ours.garage).await;
        assert_eq!(found[0].schedule, Some((label("Office hours"), hours.schedule.clone())));
        // a day in Oslo, in winter
        let midnight = |text: &str| Some(Timestamp::from_millis(text.parse::<i64>().unwrap()));
        assert_eq!(found[0].from, midnight("1795302000000"));
        assert_eq!(found[0].until, midnight("1795388400000"));

        let used = rules.remove_schedule(&scope, &stamp(2), hours.id).await.unwrap();
        assert!(matches!(used, Removed::InUse(uses) if uses.rules == 1));
        let shorter = NamedSchedule { schedule: Schedule::default(), ..hours.clone() };
        let done = rules.change_schedule(&scope, &stamp(3), 1, shorter.clone()).await.unwrap();
        assert!(matches!(done, Edited::Done(part) if part.value == shorter && part.version == 2));
        let late = rules.change_schedule(&scope, &stamp(3), 1, hours.clone()).await.unwrap();
        assert!(matches!(late, Edited::Conflict(part) if part.version == 2));
        assert_eq!(rights(&db, &ours, ours.lone, ours.garage).await[0].schedule, Some((label("Office hours"), Schedule::default())));
        assert!(rules.remove_rule(&scope, &stamp(4), first.id).await.unwrap());
        assert_eq!(rules.remove_schedule(&scope, &stamp(5), hours.id).await.unwrap(), Removed::Done);
        let wrong = Schedule { hours: vec![Hours { days: vec![7], from: 0, until: 1 }], ..Schedule::default() };
        let refused = rules.insert_schedule(&scope, &stamp(6), NamedSchedule { schedule: wrong, ..hours }).await;
        assert!(matches!(refused, Err(StorageError::Invalid(_))));
    }

    async fn a_rule_that_lost_its_last_name_allows_nobody(db) {
        let (ours, _) = two_towns(&db).await;
        let (rules, scope) = (db.store.rules(), ours.system());
        let both = AccessRule {
            who: vec![Who::Unit(ours.neighbour_unit), Who::Person(ours.admin)],
            ..rule(&ours, 1, ours.lone, ours.garage)
        };
        made(&db, &ours, &both).await;
        let revision = async || db.store.doors().doors_of_controller(&scope, ours.controller).await.unwrap().unwrap().0;
        let before = revision().await;
        assert!(db.store.people().remove_membership(&scope, ours.lone, ours.neighbour_unit).await.unwrap());
        assert!(matches!(db.store.parts().remove_unit(&scope, &stamp(2), ours.neighbour_unit).await.unwrap(), Removed::Done));
        let left = rules.rule(&scope, both.id).await.unwrap().unwrap();
        assert_eq!(left.value.rule.who, [Who::Person(ours.admin)]);
        let none = AccessRule { who: vec![], ..both.clone() };
        assert!(matches!(rules.change_rule(&scope, &stamp(3), 1, none).await.unwrap(), Edited::Done(_)));
        assert!(revision().await > before, "its controllers are told");
        for person in [ours.kari, ours.lone, ours.admin] {
            assert!(!holds(&db, &ours, person, ours.garage).await);
        }
        assert!(matches!(db.store.parts().remove_door(&scope, &stamp(4), ours.garage).await.unwrap(), Removed::Done));
        assert_eq!(rules.rule(&scope, both.id).await.unwrap().unwrap().value.rule.doors, []);
    }

    async fn what_a_rule_names_is_in_its_building_and_to_be_seen(db) {
        let (ours, theirs) = two_towns(&db).await;
        let (rules, admin) = (db.store.rules(), ours.as_person(ours.admin));
        let sound = rule(&ours, 1, ours.lone, ours.garage);
        let unknown = [
            AccessRule { doors: vec![Which::Door(ours.office_door)], ..sound.clone() },
            AccessRule { doors: vec![Which::Door(theirs.garage)], ..sound.clone() },
            AccessRule { who: vec![Who::Unit(ours.office_unit)], ..sound.clone() },
            AccessRule { who: vec![Who::Person(theirs.lone)], ..sound.clone() },
            AccessRule { who: vec![Who::Person(ours.office_admin)], ..sound.clone() },
            AccessRule { schedule: Some(ours.fresh(9)), ..sound.clone() },
        ];
        for wrong in unknown {
            assert_eq!(rules.insert_rule(&admin, &stamp(1), wrong).await.unwrap(), RuleMade::Unknown);
        }
        // a manager sees who lives elsewhere; the administrator keeps them in the rule without their name
        let office = AccessRule { who: vec![Who::Person(ours.office_admin)], ..sound };
        let manager = ours.as_person(ours.manager);
        assert_eq!(rules.insert_rule(&manager, &stamp(1), office.clone()).await.unwrap(), RuleMade::Done);
        let seen = rules.rule(&admin, office.id).await.unwrap().unwrap();
        assert!(!seen.value.people[0].shown && seen.value.people[0].name.is_none());
        let renamed = AccessRule { name: label("Other"), ..office };
        assert!(matches!(rules.change_rule(&admin, &stamp(2), 1, renamed).await.unwrap(), Edited::Done(_)));
    }
}
