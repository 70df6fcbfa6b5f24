//! What a controller decides by: as much as it needs, and nothing of another.

use crate::cards::new_card;
use crate::database::{Db, on_both};
use crate::rules::{office_hours, rule};
use crate::town::{Town, label, stamp, two_towns};
use klinke_access::decide::{HolderClass, SiteMode};
use klinke_access::snapshot::{After, DoorPlan, DoorRight};
use klinke_model::door::Door;
use klinke_model::door_settings::{DoorBefore, DoorSettings};
use klinke_model::ids::PersonId;
use klinke_model::people::Membership;
use klinke_model::rule::{AccessRule, Which, Who};
use klinke_model::time::{Clock, SystemClock, Timestamp};
use klinke_storage::record::{CardChange, CardMade, ControllerRights, Edited, RightsHolder, RuleMade};
use sea_orm::{ConnectionTrait, DbBackend};

/// The garage is output 0, the front output 1.
const GARAGE: u64 = 0b01;
const FRONT: u64 = 0b10;
const AT_ANY_TIME: DoorRight = DoorRight { doors: 0, schedule: None, from: None, until: None };

async fn read(db: &Db, ours: &Town) -> ControllerRights {
    let scope = ours.as_controller(ours.controller);
    db.store.doors().controller_rights(&scope, ours.controller).await.unwrap().unwrap()
}

async fn give(db: &Db, ours: &Town, number: u64, person: PersonId) {
    let new = new_card(ours, number, person);
    let made = db.store.cards().insert_card(&ours.system(), &stamp(1), ours.house, new).await.unwrap();
    assert!(matches!(made, CardMade::Done(_)), "{made:?}");
}

async fn made(db: &Db, ours: &Town, rule: &AccessRule) {
    let done = db.store.rules().insert_rule(&ours.system(), &stamp(1), rule.clone()).await.unwrap();
    assert_eq!(done, RuleMade::Done);
}

fn holder(person: PersonId, class: HolderClass, rights: Vec<DoorRight>) -> RightsHolder {
    RightsHolder { person, active: true, class, needs_longer: false, rights }
}

fn at(text: &str) -> Option<Timestamp> {
    Some(Timestamp::from_millis(text.parse().unwrap()))
}

on_both! {
    async fn who_has_a_card_and_a_right_is_there_and_nobody_else(db) {
        let (ours, _) = two_towns(&db).await;
        let empty = read(&db, &ours).await;
        assert_eq!((empty.holders, empty.cards, empty.schedules), (vec![], vec![], vec![]));
        assert_eq!((empty.time_zone.as_str(), empty.site_mode, empty.left_out), ("Europe/Oslo", SiteMode::Normal, 0));
        assert_eq!(empty.doors.iter().map(|door| door.door).collect::<Vec<_>>(), [ours.garage, ours.front]);
        assert_eq!(empty.doors[1].times, ours.the_front().times);

        // Kari and Gone live in 101 and have the front; Lone has nothing; Ola has no card
        for (number, person) in [(1, ours.kari), (2, ours.lone), (3, ours.gone), (4, ours.kari)] {
            give(&db, &ours, number, person).await;
        }
        let home = DoorRight { doors: FRONT, ..AT_ANY_TIME };
        let found = read(&db, &ours).await;
        let kari = holder(ours.kari, HolderClass::Resident, vec![home]);
        let gone = RightsHolder { active: false, ..holder(ours.gone, HolderClass::Resident, vec![home]) };
        assert_eq!(found.holders, [kari, gone.clone()]);
        assert_eq!(found.cards.iter().map(|card| (card.holder, card.blocked)).collect::<Vec<_>>(), [(0, false), (1, false), (0, false)]);
        assert_eq!(found.cards[0].key, new_card(&ours, 1, ours.kari).key);

        let blocked = CardChange { name: None, person: None, blocked: Some(true), tier: None };
        let done = db.store.cards().change_card(&ours.system(), &stamp(2), ours.fresh(4), 1, blocked).await.unwrap();
        assert!(matches!(done, Edited::Done(_)));
        let found = read(&db, &ours).await;
        assert_eq!(found.cards.iter().map(|card| card.blocked).collect::<Vec<_>>(), [false, false, true]);

        // another controller of the house drives none of these doors, and knows nobody
        let scope = ours.as_controller(ours.spare);
        let spare = db.store.doors().controller_rights(&scope, ours.spare).await.unwrap().unwrap();
        assert_eq!((spare.doors, spare.holders, spare.cards), (vec![], vec![], vec![]));

        assert!(db.store.people().remove_membership(&ours.system(), ours.kari, ours.unit).await.unwrap());
        assert_eq!(read(&db, &ours).await.holders, [gone], "who moved out is gone");
    }

    async fn a_rule_gives_its_doors_its_hours_and_its_days(db) {
        let (ours, _) = two_towns(&db).await;
        give(&db, &ours, 1, ours.kari).await;
        give(&db, &ours, 2, ours.lone).await;
        let (hours, unused) = (office_hours(&ours, 12), office_hours(&ours, 11));
        for hours in [&hours, &unused] {
            assert!(db.store.rules().insert_schedule(&ours.system(), &stamp(1), hours.clone()).await.unwrap());
        }
        let dated = AccessRule {
            schedule: Some(hours.id), first_day: Some(20_779), last_day: Some(20_779),
            who: vec![Who::Person(ours.caretaker)], doors: vec![Which::AllDoors],
            ..rule(&ours, 21, ours.caretaker, ours.garage)
        };
        made(&db, &ours, &dated).await;
        // comes by a rule, and does not live there
        give(&db, &ours, 3, ours.caretaker).await;
        made(&db, &ours, &AccessRule { who: vec![Who::UnitOwners], ..rule(&ours, 22, ours.lone, ours.garage) }).await;
        made(&db, &ours, &AccessRule { active: false, ..rule(&ours, 23, ours.lone, ours.front) }).await;
        let found = read(&db, &ours).await;
        assert_eq!(found.schedules, [hours.schedule], "those that are named");
        // a day in Oslo, in winter
        let dated = DoorRight { doors: GARAGE | FRONT, schedule: Some(0), from: at("1795302000000"), until: at("1795388400000") };
        let garage = DoorRight { doors: GARAGE, ..AT_ANY_TIME };
        let home = DoorRight { doors: FRONT, ..AT_ANY_TIME };
        assert_eq!(found.holders, [
            holder(ours.kari, HolderClass::Resident, vec![garage, home]),
            holder(ours.lone, HolderClass::Resident, vec![garage]),
            holder(ours.caretaker, HolderClass::Passing, vec![dated]),
        ]);
        let place = Membership { unit: ours.neighbour_unit, person: ours.caretaker, owner: false };
        assert!(db.store.people().add_membership(&ours.system(), place).await.unwrap());
        assert_eq!(read(&db, &ours).await.holders[2].class, HolderClass::Resident, "moved in");
    }

    async fn what_is_special_about_a_door_is_told_by_places(db) {
        let (ours, _) = two_towns(&db).await;
        let hours = office_hours(&ours, 12);
        assert!(db.store.rules().insert_schedule(&ours.system(), &stamp(1), hours.clone()).await.unwrap());
        let connection = db.connection().await;
        let bytes = |id: uuid::Uuid| match connection.get_database_backend() {
            DbBackend::Sqlite => format!("x'{}'", id.simple()),
            _ => format!("'{id}'"),
        };
        let [tenant, front, garage, house, office] =
            [ours.tenant.0, ours.front.0, ours.garage.0, ours.house.0, hours.id.0].map(bytes);
        let setting = format!(
            "INSERT INTO door_setting (tenant, door, building, refuses_copyable, two_people_s, after_door, after_s, airlock, \
             unlocked, first_person_in, held) VALUES ({tenant}, {front}, {house}, true, 20, {garage}, 60, 7, {office}, true, NULL)"
        );
        connection.execute_unprepared(&setting).await.unwrap();
        connection.close().await.unwrap();
        let found = read(&db, &ours).await;
        let plain = found.doors[0];
        assert_eq!(plain, DoorPlan { door: ours.garage, times: ours.the_garage().times, ..plain_door(&plain) });
        assert_eq!(found.doors[1], DoorPlan {
            door: ours.front,
            times: ours.the_front().times,
            refuses_copyable: true,
            two_people_within_s: Some(20),
            after: Some(After { door: 0, within_s: 60 }),
            airlock: Some(7),
            unlocked: Some(0),
            first_person_in: true,
        });
        assert_eq!(found.schedules, [hours.schedule], "hours that only a door names");
    }

    async fn a_door_that_comes_after_one_of_another_controller_opens_for_nobody_alone(db) {
        let (ours, _) = two_towns(&db).await;
        let (parts, admin) = (db.store.parts(), ours.as_person(ours.admin));
        give(&db, &ours, 1, ours.kari).await;
        let hours = office_hours(&ours, 2);
        assert!(db.store.rules().insert_schedule(&admin, &stamp(1), hours.clone()).await.unwrap());
        let after = Some(DoorBefore { door: ours.garage, within_s: 60 });
        let wanted = DoorSettings { after, unlocked: Some(hours.id), ..DoorSettings::default() };
        let done = parts.change_door_settings(&admin, &stamp(1), 1, ours.front, wanted).await.unwrap();
        assert!(matches!(done, Edited::Done(_)), "{done:?}");
        let both = read(&db, &ours).await;
        assert_eq!((both.holders.len(), both.doors[1].unlocked), (1, Some(0)));
        // the garage gets another controller
        let garage = Door { controller: Some(ours.spare), output: 0, ..ours.the_garage() };
        let moved = parts.change_door(&admin, &stamp(1), 1, garage).await.unwrap();
        assert!(matches!(moved, Edited::Done(_)), "{moved:?}");
        let alone = read(&db, &ours).await;
        assert_eq!(alone.doors.iter().map(|door| (door.door, door.unlocked)).collect::<Vec<_>>(), [(ours.front, None)]);
        assert_eq!((alone.holders, alone.cards), (vec![], vec![]));
    }

    async fn whatever_is_written_is_told_and_what_was_refused_is_not(db) {
        let (ours, theirs) = two_towns(&db).await;
        let mut written = db.store.written(ours.tenant);
        written.mark_unchanged();
        read(&db, &ours).await;
        assert!(!written.has_changed().unwrap(), "reading");
        give(&db, &ours, 1, ours.kari).await;
        assert!(written.has_changed().unwrap());
        written.mark_unchanged();
        let twice = klinke_model::people::Person::named(ours.kari, label("Twice"));
        assert!(db.store.people().insert_person(&ours.system(), twice).await.is_err());
        assert!(!written.has_changed().unwrap(), "nothing came of it");
        give(&db, &theirs, 1, theirs.kari).await;
        assert!(!written.has_changed().unwrap(), "somebody else's");
        db.store.gate().end_expired(0).await.unwrap();
        assert!(written.has_changed().unwrap(), "everybody's");
    }
}

fn plain_door(like: &DoorPlan) -> DoorPlan {
    DoorPlan {
        refuses_copyable: false,
        two_people_within_s: None,
        after: None,
        airlock: None,
        unlocked: None,
        first_person_in: false,
        ..*like
    }
}

/// A large house on one controller: read at once, whoever lives there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_people_are_read_in_one_go() {
    let db = Db::sqlite().await;
    let (ours, _) = two_towns(&db).await;
    made(&db, &ours, &AccessRule { who: vec![Who::Everybody], ..rule(&ours, 1, ours.lone, ours.garage) })
        .await;
    assert!(db.store.doors().give_unit_door(&ours.system(), ours.unit, ours.garage).await.unwrap());
    let connection = db.connection().await;
    let many = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)";
    let id = |kind: &str| format!("CAST('{kind}' || printf('%014d', i) AS BLOB)");
    let (tenant, unit, house) = (ours.tenant.0.simple(), ours.unit.0.simple(), ours.house.0.simple());
    let person = id("p-");
    let like = |table: &str, columns: &str, of: uuid::Uuid| {
        let rest =
            columns.split(", ").skip(2).map(|column| format!("old.{column}")).collect::<Vec<_>>().join(", ");
        format!(
            "INSERT INTO {table} ({columns}) {many} SELECT x'{tenant}', {person}, {rest} FROM n, {table} old \
             WHERE old.tenant = x'{tenant}' AND old.id = x'{}'",
            of.simple()
        )
    };
    let columns: Vec<String> = connection
        .query_all_raw(sea_orm::Statement::from_string(
            DbBackend::Sqlite,
            "SELECT name FROM pragma_table_info('person')",
        ))
        .await
        .unwrap()
        .iter()
        .map(|row| row.try_get::<String>("", "name").unwrap())
        .filter(|name| name != "tenant" && name != "id")
        .collect();
    let columns = format!("tenant, id, {}", columns.join(", "));
    connection.execute_unprepared(&like("person", &columns, ours.kari.0)).await.unwrap();
    for statement in [
        format!(
            "INSERT INTO membership (tenant, person, unit, owner) {many} SELECT x'{tenant}', {person}, x'{unit}', false FROM n"
        ),
        format!(
            "INSERT INTO card (tenant, id, building, person, name, folded, format, bits, raw, written_as, tier, version) {many} \
             SELECT x'{tenant}', {}, x'{house}', {person}, 'Blue', x'00', 'serial', 56, CAST(printf('%07d', i) AS BLOB), \
             'serial', 'identifier', 1 FROM n",
            id("c-")
        ),
    ] {
        connection.execute_unprepared(&statement).await.unwrap();
    }
    connection.close().await.unwrap();
    let clock = SystemClock::start();
    let begin = clock.mono();
    let found = read(&db, &ours).await;
    println!("10,000 people, 10,000 cards, 2 doors, 1 rule: read in {:?}", clock.mono().since(begin));
    assert_eq!((found.holders.len(), found.cards.len()), (10_000, 10_000));
    assert!(found.holders.iter().all(|holder| holder.rights.len() == 2));
}
