//! Records of use: kept in commercial buildings alone, from when they begin until their days are over, and read by nobody unnoticed.

use crate::alarms::journal;
use crate::database::{Db, on_both};
use crate::guests;
use crate::town::{MONTH, NOW, Town, id, label, stamp, two_towns};
use klinke_model::door::Controller;
use klinke_model::ids::{BuildingId, DoorId, GuestId, PersonId};
use klinke_model::news::{News, NewsEntry, PersonTag, TaggedUse, UseOutcome};
use klinke_model::privacy::{AccessRecord, Commercial, Site, UsedBy};
use klinke_model::purpose::Purpose;
use klinke_model::reason::Reason;
use klinke_model::scope::Scope;
use klinke_model::site::{Building, BuildingKind};
use klinke_model::time::Timestamp;
use klinke_storage::record::{
    AuditQuery, Deleted, Edited, GuestMade, NewReading, NewRecordPolicy, RecordAfter, RecordHouse, RecordOf,
    RecordsPage, RecordsQuery, RecordsSet, Stamp,
};
use klinke_storage::{StorageError, Store};
use sea_orm::ConnectionTrait;
use std::collections::HashMap;
use std::time::Duration;
use uuid::Uuid;

const DAY: Duration = Duration::from_hours(24);

fn purpose(text: &str) -> Purpose {
    Purpose::new(text).unwrap()
}

/// Told long ago.
pub fn wish(days: u8) -> NewRecordPolicy {
    NewRecordPolicy { purpose: purpose("Thefts from the store room"), days, told_on: NOW.day() - 100 }
}

pub fn opened(
    site: &Site<Commercial>,
    door: DoorId,
    who: PersonId,
    at: Timestamp,
) -> AccessRecord<Commercial> {
    AccessRecord::new(site, door, UsedBy::Person(who), at, UseOutcome::Opened)
}

/// What a controller tells of somebody, and whose the tag is.
pub fn told(seq: u64, door: DoorId, who: PersonId, at: Timestamp) -> (NewsEntry, HashMap<PersonTag, UsedBy>) {
    let person = PersonTag(seq);
    let used = TaggedUse { door, person, outcome: UseOutcome::Opened };
    let entry = NewsEntry { seq, at, trusted: true, what: News::Use(used) };
    (entry, HashMap::from([(person, UsedBy::Person(who))]))
}

/// Makes the building something else, unless it is.
pub async fn becomes(store: &Store, town: &Town, building: BuildingId, kind: BuildingKind) {
    let seen = store.parts().building_part(&town.system(), building).await.unwrap().unwrap();
    let wanted = Building { kind, ..seen.value };
    let edited = store.parts().change_building(&town.system(), &stamp(1), seen.version, wanted).await;
    assert!(matches!(edited.unwrap(), Edited::Done(_)));
}

fn done(set: RecordsSet) -> RecordHouse {
    match set {
        RecordsSet::Done(house) => house,
        other => panic!("{other:?}"),
    }
}

/// The manager asks for it; the version.
pub async fn asks(store: &Store, town: &Town, building: BuildingId, wish: NewRecordPolicy) -> u64 {
    let manager = town.as_person(town.manager);
    let version = store.records().record_house(&manager, building).await.unwrap().unwrap().version;
    done(store.records().keep_records(&manager, &stamp(1), building, version, wish).await.unwrap()).version
}

/// And the administrator of the house agrees.
pub async fn keeps(
    store: &Store,
    town: &Town,
    building: BuildingId,
    wish: NewRecordPolicy,
) -> Site<Commercial> {
    let version = asks(store, town, building, wish).await;
    let records = store.records();
    let house = records.record_house(&town.as_person(town.manager), building).await.unwrap().unwrap();
    if house.needs_second {
        let admin = town.as_person(town.admin);
        done(records.confirm_records(&admin, &stamp(2), building, version).await.unwrap());
    }
    let door = if building == town.house { town.front } else { town.office_door };
    records.site_that_keeps(&town.system().at(NOW), door).await.unwrap().unwrap()
}

pub async fn commercial_that_keeps(store: &Store, town: &Town, building: BuildingId) -> Site<Commercial> {
    becomes(store, town, building, BuildingKind::Commercial).await;
    keeps(store, town, building, wish(14)).await
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(NOW.as_millis() + seconds * 1_000)
}

fn stamped(seconds: i64) -> Stamp {
    Stamp { at: at(seconds), ..stamp(9) }
}

async fn keep(db: &Db, town: &Town, number: u64, record: AccessRecord<Commercial>, now: i64) -> bool {
    let service = town.system();
    db.store.records().keep_record(&service, &stamped(now), id(number), record).await.unwrap()
}

async fn read(db: &Db, reader: &Scope, town: &Town, number: u64, query: RecordsQuery) -> RecordsPage {
    let reading = NewReading { id: town.fresh(number), file: None };
    let stamp = Stamp { at: reader.at, ..stamp(number) };
    let page = db.store.records().read_records(reader, &stamp, town.office, query, reading, 50).await;
    page.unwrap().unwrap()
}

/// An id as the database writes it in a statement.
fn literal(db: &Db, id: Uuid) -> String {
    if db.folder.is_some() { format!("X'{}'", id.simple()) } else { format!("'{id}'") }
}

async fn rows(db: &Db, table: &'static str) -> usize {
    let all = sea_orm::sea_query::Query::select().column("id").from(table).take();
    db.connection().await.query_all(&all).await.unwrap().len()
}

on_both! {
    async fn a_building_that_was_always_commercial_keeps_from_when_it_is_asked_for(db) {
        let (ours, _) = two_towns(&db).await;
        let (records, office_admin) = (db.store.records(), ours.as_person(ours.office_admin));
        let before = records.record_house(&office_admin, ours.office).await.unwrap().unwrap();
        assert_eq!((before.may_keep, before.needs_second, before.earliest, before.version), (true, false, NOW, 0));
        assert_eq!(records.site_that_keeps(&ours.system().at(NOW), ours.office_door).await.unwrap(), None);
        let site = keeps(&db.store, &ours, ours.office, wish(14)).await;
        let house = records.record_house(&office_admin, ours.office).await.unwrap().unwrap();
        let policy = house.policy.unwrap();
        assert_eq!((policy.begins_at, policy.asked, policy.confirmed_by), (Some(NOW), wish(14), None));
        assert_eq!(policy.asked_by.unwrap().0, ours.manager);
        assert!(!keep(&db, &ours, 1, opened(&site, ours.office_door, ours.lone, at(-1)), 5).await, "before");
        assert!(keep(&db, &ours, 2, opened(&site, ours.office_door, ours.lone, at(3)), 5).await);
        assert!(!keep(&db, &ours, 2, opened(&site, ours.office_door, ours.lone, at(4)), 5).await, "the same twice");
        assert!(!keep(&db, &ours, 3, opened(&site, ours.front, ours.lone, at(4)), 5).await, "a door elsewhere");
        let gone = id::<Uuid>(999).into();
        assert!(!keep(&db, &ours, 4, opened(&site, ours.office_door, gone, at(4)), 5).await, "nobody");
        let ahead = opened(&site, ours.office_door, ours.kari, at(500)).told(false);
        assert!(keep(&db, &ours, 5, ahead, 6).await);
        let reader = office_admin.at(at(10));
        let page = read(&db, &reader, &ours, 50, RecordsQuery::default()).await;
        let seen: Vec<_> = page.records.iter().map(|one| (one.at, one.about, one.outcome)).collect();
        assert_eq!(seen, [(at(6), true, UseOutcome::Opened), (at(3), false, UseOutcome::Opened)]);
        assert_eq!(page.records[0].door, (ours.office_door, label("Office")));
        let RecordOf::Person((who, name)) = &page.records[1].of else { panic!("a person") };
        assert_eq!((*who, name.as_ref().unwrap().reveal().as_str()), (ours.lone, "Lone Lund"));
    }

    async fn a_residential_or_mixed_building_has_nothing_to_switch_on_and_no_table_takes_a_row(db) {
        let (ours, _) = two_towns(&db).await;
        let (records, manager) = (db.store.records(), ours.as_person(ours.manager));
        for kind in [BuildingKind::Residential, BuildingKind::Mixed] {
            becomes(&db.store, &ours, ours.house, kind).await;
            let house = records.record_house(&manager, ours.house).await.unwrap().unwrap();
            assert!(!house.may_keep && house.policy.is_none());
            let set = records.keep_records(&manager, &stamp(1), ours.house, 0, wish(14)).await.unwrap();
            assert_eq!(set, RecordsSet::NotCommercial);
            let (entry, whose) = told(1, ours.front, ours.kari, NOW);
            let itself = ours.as_controller(ours.controller);
            let taken = records.take_uses(&itself, &stamp(1), ours.controller, journal(1), &[entry], &whose).await;
            assert_eq!(taken.unwrap(), Some(0));
            assert_eq!(records.who_uses(&itself, ours.controller).await.unwrap(), []);
            // the second wall: what no code here does, the keys refuse
            let (tenant, house) = (ours.tenant.0, ours.house.0);
            let sql = |kind: &str| format!("INSERT INTO record_policy VALUES ({}, {}, '{kind}', 'Thefts from us', 14, 0, 5, 1)",
                literal(&db, tenant), literal(&db, house));
            for kind in ["commercial", "residential", "mixed"] {
                assert!(db.connection().await.execute_unprepared(&sql(kind)).await.is_err(), "{kind}");
            }
        }
        for table in ["access_record", "record_reading"] {
            assert_eq!(rows(&db, table).await, 0);
        }
    }

    async fn the_keys_take_no_record_from_before_the_policy_and_keep_a_house_that_has_some_commercial(db) {
        let (ours, _) = two_towns(&db).await;
        keeps(&db.store, &ours, ours.office, wish(14)).await;
        let insert = |began: i64, at: i64| format!(
            "INSERT INTO access_record VALUES ({}, {}, {}, {began}, {}, {}, NULL, {at}, FALSE, 'opened', NULL, 9999999999999)",
            literal(&db, ours.tenant.0), literal(&db, id(at.unsigned_abs())), literal(&db, ours.office.0),
            literal(&db, ours.office_door.0), literal(&db, ours.kari.0));
        let (now, connection) = (NOW.as_millis(), db.connection().await);
        assert!(connection.execute_unprepared(&insert(now, now - 1)).await.is_err(), "before it began");
        assert!(connection.execute_unprepared(&insert(now - 5, now)).await.is_err(), "another policy's beginning");
        connection.execute_unprepared(&insert(now, now)).await.unwrap();
        let kind = format!("UPDATE building SET kind = 'mixed' WHERE tenant = {} AND id = {}",
            literal(&db, ours.tenant.0), literal(&db, ours.office.0));
        assert!(connection.execute_unprepared(&kind).await.is_err(), "while there are records");
    }

    async fn where_people_lived_another_has_to_agree_and_thirty_days_pass(db) {
        let (ours, _) = two_towns(&db).await;
        let records = db.store.records();
        becomes(&db.store, &ours, ours.house, BuildingKind::Commercial).await;
        let (manager, admin) = (ours.as_person(ours.manager), ours.as_person(ours.admin));
        let today = NOW.day();
        let wish = NewRecordPolicy { told_on: today, ..wish(14) };
        let tomorrow = NewRecordPolicy { told_on: today + 1, ..wish.clone() };
        let early = records.keep_records(&manager, &stamp(1), ours.house, 0, tomorrow).await;
        assert!(matches!(early, Err(StorageError::Invalid(_))), "{early:?}");
        let version = asks(&db.store, &ours, ours.house, wish.clone()).await;
        let asked = records.record_house(&admin, ours.house).await.unwrap().unwrap();
        assert!(asked.needs_second && asked.earliest > NOW.plus(DAY * 28) && asked.earliest <= NOW.plus(DAY * 30));
        assert_eq!(asked.policy.as_ref().unwrap().begins_at, None);
        let same = records.confirm_records(&manager, &stamp(2), ours.house, version).await.unwrap();
        assert_eq!(same, RecordsSet::SamePerson);
        let old = records.confirm_records(&admin, &stamp(2), ours.house, version - 1).await.unwrap();
        assert_eq!(old, RecordsSet::Conflict(asked.clone()));
        let agreed = done(records.confirm_records(&admin, &stamp(2), ours.house, version).await.unwrap());
        let policy = agreed.policy.clone().unwrap();
        assert_eq!((policy.begins_at, policy.confirmed_by.map(|by| by.0)), (Some(asked.earliest), Some(ours.admin)));
        let again = records.confirm_records(&admin, &stamp(3), ours.house, agreed.version).await.unwrap();
        assert_eq!(again, RecordsSet::Conflict(agreed.clone()), "nothing to agree to");
        let service = ours.system();
        let begins = asked.earliest;
        let just = Timestamp::from_millis(begins.as_millis() - 1);
        for (now, keeps) in [(just, false), (begins, true)] {
            let site = records.site_that_keeps(&service.at(now), ours.front).await.unwrap();
            assert_eq!(site.is_some(), keeps);
            let itself = ours.as_controller(ours.controller).at(now);
            let rights = db.store.doors().controller_rights(&itself, ours.controller).await.unwrap().unwrap();
            assert_eq!(rights.records.map(|kept| kept.days), keeps.then_some(14));
        }
        // more days are asked for anew, fewer are not
        let fewer = NewRecordPolicy { days: 3, ..wish.clone() };
        let less = done(records.keep_records(&manager, &stamp(4), ours.house, agreed.version, fewer).await.unwrap());
        assert_eq!(less.policy.as_ref().unwrap().begins_at, Some(begins));
        let more = done(records.keep_records(&manager, &stamp(5), ours.house, less.version, wish).await.unwrap());
        assert_eq!(more.policy.unwrap().begins_at, None);
        assert!(more.version > less.version);
    }

    async fn whoever_asked_and_is_gone_can_not_be_agreed_with(db) {
        let (ours, _) = two_towns(&db).await;
        becomes(&db.store, &ours, ours.house, BuildingKind::Commercial).await;
        let version = asks(&db.store, &ours, ours.house, wish(14)).await;
        let gone = format!("DELETE FROM record_policy_by WHERE tenant = {}", literal(&db, ours.tenant.0));
        db.connection().await.execute_unprepared(&gone).await.unwrap();
        let admin = ours.as_person(ours.admin);
        let set = db.store.records().confirm_records(&admin, &stamp(2), ours.house, version).await.unwrap();
        assert!(matches!(set, RecordsSet::Conflict(_)), "{set:?}");
    }

    async fn records_go_at_the_end_of_their_days_and_never_stay_for_longer_than_was_said(db) {
        let (ours, _) = two_towns(&db).await;
        let (records, manager) = (db.store.records(), ours.as_person(ours.manager));
        let site = keeps(&db.store, &ours, ours.office, wish(14)).await;
        let day = 86_400;
        for (number, seconds) in [(1, 0), (2, day), (3, 10 * day)] {
            let record = opened(&site, ours.office_door, ours.kari, at(seconds));
            assert!(keep(&db, &ours, number, record, seconds).await);
        }
        let left = async |seconds: i64| {
            let reader = manager.at(at(seconds));
            let shown = read(&db, &reader, &ours, 100 + seconds.unsigned_abs(), RecordsQuery::default()).await;
            db.store.gate().forget_records(at(seconds)).await.unwrap();
            let kept = rows(&db, "access_record").await;
            assert_eq!(shown.records.len(), kept, "what is over is not shown before it is deleted either");
            kept
        };
        assert_eq!([left(14 * day - 1).await, left(14 * day).await, left(14 * day + 1).await], [3, 2, 2]);
        // for longer from now on: those that are there go when it was said that they would
        let version = records.record_house(&manager, ours.office).await.unwrap().unwrap().version;
        let longer = done(records.keep_records(&manager, &stamped(14 * day + 2), ours.office, version, wish(90)).await.unwrap());
        assert_eq!([left(15 * day - 1).await, left(15 * day).await], [2, 1]);
        // fewer delete at once
        let fewer = done(records.keep_records(&manager, &stamped(15 * day), ours.office, longer.version, wish(6)).await.unwrap());
        assert_eq!(rows(&db, "access_record").await, 1);
        done(records.keep_records(&manager, &stamped(15 * day), ours.office, fewer.version, wish(5)).await.unwrap());
        assert_eq!(rows(&db, "access_record").await, 0);
        for days in [0, 91] {
            let wrong = records.keep_records(&manager, &stamp(1), ours.office, 0, wish(days)).await;
            assert!(matches!(wrong, Err(StorageError::Invalid(_))), "{days}");
        }
    }

    async fn off_another_purpose_another_kind_and_who_is_gone_leave_no_record(db) {
        let (ours, _) = two_towns(&db).await;
        let (records, manager) = (db.store.records(), ours.as_person(ours.manager));
        let add = async |number: u64| {
            let site = records.site_that_keeps(&ours.system().at(NOW), ours.office_door).await.unwrap().unwrap();
            for (number, who) in [(number, ours.kari), (number + 1, ours.ola)] {
                assert!(keep(&db, &ours, number, opened(&site, ours.office_door, who, at(1)), 1).await);
            }
        };
        keeps(&db.store, &ours, ours.office, wish(14)).await;
        add(1).await;
        read(&db, &manager, &ours, 60, RecordsQuery { person: Some(ours.ola), ..RecordsQuery::default() }).await;
        assert!(records.end_records(&manager, &stamp(2), ours.office).await.unwrap());
        assert_eq!((rows(&db, "access_record").await, rows(&db, "record_reading").await), (0, 1), "who read stays");
        let first = asks(&db.store, &ours, ours.office, wish(14)).await;
        add(10).await;
        let other = NewRecordPolicy { purpose: purpose("Who left the lights on"), ..wish(14) };
        done(records.keep_records(&manager, &stamp(3), ours.office, first, other).await.unwrap());
        assert_eq!(rows(&db, "access_record").await, 0, "kept for another purpose");
        add(20).await;
        // a person, with what was read about them
        assert!(db.store.people().remove_membership(&ours.system(), ours.ola, ours.unit).await.unwrap());
        let deleted = db.store.people().delete_person(&manager, &stamp(4), ours.ola).await.unwrap();
        assert!(matches!(deleted, Deleted::Done(_)), "{deleted:?}");
        assert_eq!((rows(&db, "access_record").await, rows(&db, "record_reading").await), (1, 0));
        // the kind: nothing stays, not even who read
        read(&db, &manager, &ours, 61, RecordsQuery::default()).await;
        becomes(&db.store, &ours, ours.office, BuildingKind::Mixed).await;
        assert_eq!((rows(&db, "access_record").await, rows(&db, "record_reading").await), (0, 0));
        let house = records.record_house(&manager, ours.office).await.unwrap().unwrap();
        assert_eq!((house.may_keep, house.policy, house.version), (false, None, 0));
        let query = AuditQuery { building: Some(ours.office), action: Some("records".into()), limit: 9, ..AuditQuery::default() };
        let entries = db.store.audit().audit_page(&manager, query).await.unwrap().entries;
        let actions: Vec<_> = entries.iter().rev().map(|entry| entry.action.as_str()).collect();
        let all = ["keep", "read", "end", "keep", "keep", "read", "end"].map(|what| format!("records.{what}"));
        assert_eq!(actions, all);
        becomes(&db.store, &ours, ours.office, BuildingKind::Commercial).await;
        assert!(records.record_house(&manager, ours.office).await.unwrap().unwrap().needs_second);
    }

    async fn nobody_reads_unnoticed_and_a_page_goes_on_for_its_reader_and_filters_alone(db) {
        let (ours, _) = two_towns(&db).await;
        let (records, manager, other) = (db.store.records(), ours.as_person(ours.manager), ours.as_person(ours.office_admin));
        let site = keeps(&db.store, &ours, ours.office, wish(14)).await;
        for number in 1_u32..=5 {
            let who = if number.is_multiple_of(2) { ours.kari } else { ours.ola };
            assert!(keep(&db, &ours, number.into(), opened(&site, ours.office_door, who, at(i64::from(number / 2))), 9).await);
        }
        let (query, reader) = (RecordsQuery::default(), manager.at(at(20)));
        let reading = NewReading { id: ours.fresh(70), file: None };
        let first = records.read_records(&reader, &stamped(20), ours.office, query, reading, 2).await.unwrap().unwrap();
        let (mut all, mut after) = (first.records, first.next);
        while let Some(place) = after {
            let page = records.read_on(&reader, ours.office, query, ours.fresh(70), place, 2).await.unwrap().unwrap();
            all.extend(page.records);
            after = page.next;
        }
        assert_eq!(all.len(), 5);
        assert!(all.is_sorted_by(|a, b| (a.at, a.id) > (b.at, b.id)));
        let place = RecordAfter { at: at(99), id: id(1) };
        let narrower = RecordsQuery { person: Some(ours.kari), ..query };
        for (who, query, reading) in [(&other, query, 70), (&reader, narrower, 70), (&reader, query, 71)] {
            let page = records.read_on(who, ours.office, query, ours.fresh(reading), place, 2).await.unwrap();
            assert_eq!(page, None);
        }
        assert_eq!(read(&db, &reader, &ours, 72, narrower).await.records.len(), 2);
        let in_time = RecordsQuery { from: Some(at(1)), until: Some(at(2)), door: Some(ours.office_door), ..query };
        assert_eq!(read(&db, &reader, &ours, 73, in_time).await.records.len(), 2);
        let readings = records.readings(&reader, ours.office, None, 50).await.unwrap().readings;
        let noted: Vec<_> = readings.iter().map(|one| (one.by.as_ref().unwrap().0, one.about.as_ref().map(|who| who.0), one.from)).collect();
        assert_eq!(noted.len(), 3);
        for one in [(ours.manager, None, None), (ours.manager, Some(ours.kari), None), (ours.manager, None, Some(at(1)))] {
            assert!(noted.contains(&one), "{one:?}");
        }
        // the people see who read of them: Ola nothing of what was about Kari
        let seen = async |who| records.my_readings(&ours.as_person(who).at(at(20)), None, 50).await.unwrap().readings.len();
        assert_eq!((seen(ours.kari).await, seen(ours.ola).await, seen(ours.lone).await), (3, 2, 0));
        let mine = records.my_records(&ours.as_person(ours.kari).at(at(20)), None, 50).await.unwrap().records;
        assert_eq!(mine.len(), 2);
        let kept = records.kept_of_me(&ours.as_person(ours.kari).at(at(20))).await.unwrap();
        assert_eq!((kept.len(), kept[0].days, kept[0].since), (1, 14, NOW));
        assert_eq!(records.kept_of_me(&ours.as_person(ours.lone).at(at(20))).await.unwrap(), []);
        // and the readings go as the records do
        db.store.gate().forget_records(at(20).plus(DAY * 14)).await.unwrap();
        assert_eq!(rows(&db, "record_reading").await, 0);
    }

    async fn what_a_controller_tells_is_kept_once_of_its_own_doors_and_of_who_is_known(db) {
        let (ours, _) = two_towns(&db).await;
        let records = db.store.records();
        commercial_that_keeps(&db.store, &ours, ours.house).await;
        let guest = guests::guest(&ours, 5, None);
        let guest_id: GuestId = guest.id;
        let made = db.store.guests().insert_guest(&ours.system(), &stamp(5), guest).await.unwrap();
        assert!(matches!(made, GuestMade::Done(_)), "{made:?}");
        let itself = ours.as_controller(ours.controller);
        assert_eq!(records.who_uses(&itself, ours.controller).await.unwrap(), [UsedBy::Guest(guest_id)]);
        let whose = HashMap::from([
            (PersonTag(1), UsedBy::Person(ours.kari)),
            (PersonTag(2), UsedBy::Guest(guest_id)),
        ]);
        let used = |seq, door, tag, outcome, seconds, trusted| {
            let used = TaggedUse { door, person: PersonTag(tag), outcome };
            NewsEntry { seq, at: at(seconds), trusted, what: News::Use(used) }
        };
        let late = UseOutcome::Refused(Reason::OutsideHours);
        let entries = [
            used(1, ours.front, 1, UseOutcome::Opened, 1, true),
            used(2, ours.front, 2, late, 2, true),
            used(3, ours.office_door, 1, UseOutcome::Opened, 3, true),
            used(4, ours.front, 3, UseOutcome::Opened, 4, true),
            used(5, ours.garage, 1, UseOutcome::Failed, 5, false),
            used(6, ours.front, 1, UseOutcome::Opened, -5, true),
        ];
        for new in [3, 0] {
            let taken = records.take_uses(&itself, &stamped(10), ours.controller, journal(1), &entries, &whose).await;
            assert_eq!(taken.unwrap(), Some(new));
        }
        // another controller of the house, which drives no door
        let other = Controller { id: ours.fresh(71), building: ours.house, name: label("Attic") };
        assert!(db.store.doors().pair_controller(&ours.system(), &stamp(6), other.clone(), [71; 32], &[]).await.unwrap());
        let foreign = [used(1, ours.front, 1, UseOutcome::Opened, 6, true)];
        let taken = records.take_uses(&ours.as_controller(other.id), &stamped(10), other.id, journal(2), &foreign, &whose).await;
        assert_eq!(taken.unwrap(), Some(0), "a door that another drives");
        let reading = NewReading { id: ours.fresh(70), file: Some(purpose("A theft on Monday")) };
        let reader = ours.as_person(ours.admin).at(at(20));
        let page = records.read_records(&reader, &stamped(20), ours.house, RecordsQuery::default(), reading, 9).await;
        let told: Vec<_> = page.unwrap().unwrap().records.into_iter().map(|one| (one.at, one.about, one.outcome)).collect();
        assert_eq!(told, [(at(5), true, UseOutcome::Failed), (at(2), false, late), (at(1), false, UseOutcome::Opened)]);
        // a guest is forgotten before the record is
        db.store.gate().forget_guests(NOW.plus(MONTH * 12)).await.unwrap();
        let page = records.read_on(&reader, ours.house, RecordsQuery::default(), ours.fresh(70),
            RecordAfter { at: at(3), id: id(1) }, 9).await.unwrap().unwrap();
        assert_eq!(page.records[0].of, RecordOf::Gone);
    }
}
