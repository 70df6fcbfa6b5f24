//! Ordinary phones: the trunks that lead there, whose number is known, how often may be called, and what a tap is told of it.

use crate::database::{Db, on_both};
use crate::town::{NOW, Town, label, stamp, two_towns};
use klinke_model::contact::Language;
use klinke_model::ids::{PersonId, TrunkId};
use klinke_model::people::{Membership, Role};
use klinke_model::phone::{
    CallingCode, E164, PhoneLimits, Phones, TrunkEncryption, TrunkKeys, TrunkWay, Verified,
};
use klinke_model::policy::BuildingPolicy;
use klinke_model::privacy::Pii;
use klinke_storage::Store;
use klinke_storage::record::{
    AuditQuery, Deleted, LimitsSet, NewMove, NewTrunk, NumberOf, PolicySet, RingPhones, Stamp, TRUNKS, Trunk,
    TrunkAdded, TrunkChange, TrunkChanged, TrunkOrdered,
};
use sea_orm::ConnectionTrait;

/// What stands for an encrypted password: the store does not know the difference.
pub const SEALED: &[u8] = b"sealed, not hush";

pub fn trunk(id: TrunkId) -> NewTrunk {
    NewTrunk {
        id,
        name: label("Telephone company"),
        host: "sip.example.net".to_owned(),
        port: 5061,
        way: TrunkWay::Tls,
        domain: Some("example.net".to_owned()),
        caller: E164::new("+4721600000").unwrap(),
        registers: true,
        account: Some("klinke".to_owned()),
        password: Some(SEALED.to_vec()),
        keys: TrunkKeys::Rfc4733,
        encryption: TrunkEncryption::Offered,
        enabled: true,
    }
}

pub fn number(last: u64) -> Pii<E164> {
    Pii::new(E164::new(&format!("+47915{last:05}")).unwrap())
}

/// When the phones of the house are rung.
pub async fn decide(store: &Store, ours: &Town, phones: Phones) {
    let (version, before) = store.sites().policy(&ours.system(), ours.house).await.unwrap().unwrap();
    let wanted = BuildingPolicy { phones, ..before };
    let set = store.sites().set_policy(&ours.system(), &stamp(1), ours.house, version, wanted).await;
    assert!(matches!(set, Ok(PolicySet::Done(_))));
}

async fn add(db: &Db, ours: &Town, number: u64) -> TrunkId {
    let new = trunk(ours.fresh(number));
    let id = new.id;
    let added = db.store.trunks().add_trunk(&ours.as_person(ours.manager), &stamp(number), new).await;
    assert_eq!(added.unwrap(), TrunkAdded::Done);
    id
}

async fn vouch(db: &Db, ours: &Town, person: PersonId, last: u64) -> bool {
    let admin = ours.as_person(ours.manager);
    db.store.phone_numbers().vouch_number(&admin, &stamp(last), person, number(last)).await.unwrap()
}

/// Somebody's number, as the service sees it.
async fn number_of(db: &Db, ours: &Town, person: PersonId) -> Option<NumberOf> {
    db.store.phone_numbers().number(&ours.system(), person).await.unwrap()
}

/// What a tap on the family's button is told of phones.
async fn to_ring(db: &Db, ours: &Town) -> Option<RingPhones> {
    let scope = ours.as_panel(ours.panel);
    db.store.intercom().ring_facts(&scope, ours.family).await.unwrap().unwrap().phones
}

/// Everything that the audit of ours says, as text.
async fn told(db: &Db, ours: &Town, begins: &str) -> String {
    let query = AuditQuery { limit: 200, ..AuditQuery::default() };
    let entries = db.store.audit().audit_entries(&ours.system(), query).await.unwrap();
    let told = entries.iter().filter(|entry| entry.action.as_str().starts_with(begins));
    told.map(|entry| format!("{} {:?}\n", entry.action, entry.content.as_ref().map(Pii::reveal))).collect()
}

on_both! {
    async fn a_trunk_comes_back_as_it_was_set_up(db) {
        let (ours, _) = two_towns(&db).await;
        let (trunks, manager) = (db.store.trunks(), ours.as_person(ours.manager));
        let id = add(&db, &ours, 1).await;
        let made = Trunk { set: trunk(id), version: 1 };
        assert_eq!(trunks.trunks(&manager).await.unwrap(), std::slice::from_ref(&made));
        assert_eq!(trunks.trunk(&manager, id).await.unwrap().as_ref(), Some(&made));
        // another password only where one is named
        let set = NewTrunk { host: "10.0.0.7".into(), port: 5060, way: TrunkWay::Udp, domain: None,
            keys: TrunkKeys::Tones, encryption: TrunkEncryption::Off, registers: false, password: None, enabled: false, ..trunk(id) };
        let keeps = TrunkChange { version: 1, set: set.clone(), password: false };
        let changed = trunks.change_trunk(&manager, &stamp(2), keeps.clone()).await.unwrap();
        let kept = Trunk { set: NewTrunk { password: Some(SEALED.to_vec()), ..set.clone() }, version: 2 };
        assert_eq!(changed, TrunkChanged::Done(kept.clone()));
        assert_eq!(trunks.trunk(&manager, id).await.unwrap(), Some(kept.clone()));
        // from what somebody else changed since
        let late = trunks.change_trunk(&manager, &stamp(3), keeps).await.unwrap();
        assert_eq!(late, TrunkChanged::Conflict(kept));
        let other = NewTrunk { password: Some(b"other".to_vec()), ..set.clone() };
        let sets = TrunkChange { version: 2, set: other.clone(), password: true };
        let changed = trunks.change_trunk(&manager, &stamp(4), sets).await.unwrap();
        assert_eq!(changed, TrunkChanged::Done(Trunk { set: other, version: 3 }));
        // a password without a name to go with is nobody's
        let nobody = NewTrunk { account: None, ..set };
        let takes = TrunkChange { version: 3, set: nobody, password: false };
        let changed = trunks.change_trunk(&manager, &stamp(5), takes).await.unwrap();
        assert!(matches!(changed, TrunkChanged::Done(trunk) if trunk.set.password.is_none()));
        assert!(trunks.remove_trunk(&manager, &stamp(6), id).await.unwrap());
        assert!(!trunks.remove_trunk(&manager, &stamp(7), id).await.unwrap());
        assert_eq!(trunks.trunks(&manager).await.unwrap(), []);
        let told = told(&db, &ours, "trunk.").await;
        assert_eq!(told.lines().count(), 5, "{told}");
        assert!(told.contains("password_changed") && told.contains("sip.example.net"), "{told}");
        assert!(!told.contains("hush") && !told.contains("sealed") && !told.contains("\"account\""), "{told}");
    }

    async fn trunks_are_tried_in_their_order_and_there_are_not_many(db) {
        let (ours, theirs) = two_towns(&db).await;
        let (trunks, manager) = (db.store.trunks(), ours.as_person(ours.manager));
        let mut all = Vec::new();
        for number in 1..=8 {
            all.push(add(&db, &ours, number).await);
        }
        assert_eq!(all.len(), TRUNKS);
        let ninth = trunks.add_trunk(&manager, &stamp(9), trunk(ours.fresh(9))).await.unwrap();
        assert_eq!(ninth, TrunkAdded::TooMany);
        let in_order = async || -> Vec<TrunkId> {
            trunks.trunks(&manager).await.unwrap().into_iter().map(|trunk| trunk.set.id).collect()
        };
        assert_eq!(in_order().await, all);
        all.reverse();
        let order = trunks.order_trunks(&manager, &stamp(10), all.clone()).await.unwrap();
        assert!(matches!(&order, TrunkOrdered::Done(trunks) if trunks.len() == 8), "{order:?}");
        assert_eq!(in_order().await, all);
        let foreign = add(&db, &theirs, 1).await;
        for wrong in [all[1..].to_vec(), [&all[..7], &[all[0]]].concat(), [&all[..7], &[foreign]].concat()] {
            let order = trunks.order_trunks(&manager, &stamp(11), wrong).await.unwrap();
            assert_eq!(order, TrunkOrdered::NotAll);
        }
        assert_eq!(in_order().await, all);
        // one that comes later is the last
        assert!(trunks.remove_trunk(&manager, &stamp(12), all[0]).await.unwrap());
        let new = add(&db, &ours, 13).await;
        assert_eq!(in_order().await.last(), Some(&new));
    }

    async fn who_has_trunks_is_known_while_they_are_switched_on(db) {
        let (ours, theirs) = two_towns(&db).await;
        let gate = db.store.gate();
        assert_eq!(gate.trunk_tenants().await.unwrap(), []);
        let (one, _) = (add(&db, &ours, 1).await, add(&db, &ours, 2).await);
        add(&db, &theirs, 1).await;
        assert_eq!(gate.trunk_tenants().await.unwrap(), [ours.tenant, theirs.tenant]);
        let off = |id| TrunkChange { version: 1, set: NewTrunk { enabled: false, ..trunk(id) }, password: false };
        let manager = ours.as_person(ours.manager);
        assert!(matches!(db.store.trunks().change_trunk(&manager, &stamp(3), off(one)).await, Ok(TrunkChanged::Done(_))));
        assert_eq!(gate.trunk_tenants().await.unwrap(), [ours.tenant, theirs.tenant], "there is another one");
        let second = off(ours.fresh(2));
        assert!(matches!(db.store.trunks().change_trunk(&manager, &stamp(4), second).await, Ok(TrunkChanged::Done(_))));
        assert_eq!(gate.trunk_tenants().await.unwrap(), [theirs.tenant]);
        db.connection().await.execute_unprepared("UPDATE tenant SET suspended = TRUE").await.unwrap();
        assert_eq!(gate.trunk_tenants().await.unwrap(), [], "suspended ones call nobody");
    }

    async fn limits_are_the_default_until_somebody_sets_others(db) {
        let (ours, theirs) = two_towns(&db).await;
        let (trunks, manager) = (db.store.trunks(), ours.as_person(ours.manager));
        assert_eq!(trunks.phone_limits(&manager).await.unwrap(), Some((0, PhoneLimits::default())));
        let norway = PhoneLimits { countries: vec![CallingCode::new(47).unwrap()], number_hour: 2, building_hour: 20, tenant_day: 90 };
        let set = async |version, limits| trunks.set_phone_limits(&manager, &stamp(1), version, limits).await;
        assert_eq!(set(0, norway.clone()).await.unwrap(), LimitsSet::Done(1));
        assert_eq!(set(0, PhoneLimits::default()).await.unwrap(), LimitsSet::Conflict(1, norway.clone()));
        assert_eq!(set(1, norway.clone()).await.unwrap(), LimitsSet::Done(1), "nothing new");
        let more = PhoneLimits { tenant_day: 91, ..norway.clone() };
        assert_eq!(set(1, more.clone()).await.unwrap(), LimitsSet::Done(2));
        assert!(set(2, PhoneLimits { tenant_day: 0, ..norway }).await.is_err());
        assert_eq!(trunks.phone_limits(&manager).await.unwrap(), Some((2, more)));
        let others = trunks.phone_limits(&theirs.as_person(theirs.manager)).await.unwrap();
        assert_eq!(others, Some((0, PhoneLimits::default())));
        assert_eq!(told(&db, &ours, "phones.limits").await.lines().count(), 2);
    }

    async fn a_number_is_vouched_for_or_proven_and_the_audit_never_says_which(db) {
        let (ours, _) = two_towns(&db).await;
        let (numbers, kari) = (db.store.phone_numbers(), ours.as_person(ours.kari));
        assert_eq!(numbers.number(&kari, ours.kari).await.unwrap(), None);
        assert!(vouch(&db, &ours, ours.kari, 1).await);
        let vouched = NumberOf { number: number(1), verified: Verified::Vouched, by: Some(ours.manager) };
        assert_eq!(numbers.number(&kari, ours.kari).await.unwrap(), Some(vouched));
        // her own call takes its place: nobody vouches for it
        assert!(numbers.keep_my_number(&kari, number(2)).await.unwrap());
        let called = NumberOf { number: number(2), verified: Verified::Called, by: None };
        assert_eq!(number_of(&db, &ours, ours.kari).await, Some(called));
        assert!(vouch(&db, &ours, ours.kari, 3).await);
        assert_eq!(number_of(&db, &ours, ours.kari).await.unwrap().by, Some(ours.manager));
        // not for oneself, by whatever right
        let manager = ours.as_person(ours.manager);
        assert!(!numbers.vouch_number(&manager, &stamp(4), ours.manager, number(4)).await.unwrap());
        assert_eq!(number_of(&db, &ours, ours.manager).await, None);
        // not of somebody with a role, for who administers one house
        let admin = ours.as_person(ours.admin);
        assert!(numbers.vouch_number(&admin, &stamp(5), ours.lone, number(5)).await.unwrap());
        assert!(!numbers.vouch_number(&admin, &stamp(6), ours.caretaker, number(6)).await.unwrap());
        assert!(numbers.remove_my_number(&kari).await.unwrap());
        assert!(!numbers.remove_my_number(&kari).await.unwrap());
        assert!(numbers.remove_number(&admin, &stamp(7), ours.lone).await.unwrap());
        assert!(!numbers.remove_number(&admin, &stamp(8), ours.lone).await.unwrap());
        let told = told(&db, &ours, "number.").await;
        assert_eq!(told.lines().count(), 4, "{told}");
        assert!(!told.contains("915"), "{told}");
    }

    async fn a_number_ends_with_the_last_home(db) {
        let (ours, _) = two_towns(&db).await;
        let (people, system) = (db.store.people(), ours.system());
        for (last, person) in [(1, ours.kari), (2, ours.ola), (3, ours.lone)] {
            assert!(vouch(&db, &ours, person, last).await);
        }
        // what telephones say of the house is known before anybody calls, and says of nobody that they have a number
        let places = db.store.phone_numbers().places(&system).await.unwrap();
        let houses = db.store.sites().buildings(&system).await.unwrap();
        assert!(!places.is_empty() && places.iter().all(|(place, _)| houses.iter().any(|house| house.name == *place)));
        let mut once = places.clone();
        once.dedup();
        assert_eq!(once, places, "each once, though three people have a number");
        // how many there are in a building: each person once
        let numbers_in = async |building| {
            let all = db.store.phone_numbers().phones_of_buildings(&system, None, 50).await.unwrap();
            all.into_iter().find(|house| house.building == building).map(|house| (house.when, house.numbers))
        };
        assert_eq!(numbers_in(ours.house).await, Some((Phones::WithoutDevice, 3)));
        decide(&db.store, &ours, Phones::Both).await;
        assert_eq!(numbers_in(ours.house).await.unwrap().0, Phones::Both);
        // page by page
        let first = db.store.phone_numbers().phones_of_buildings(&system, None, 1).await.unwrap();
        let [one] = &first[..] else { panic!("{first:?}") };
        let behind = db.store.phone_numbers().phones_of_buildings(&system, Some(one.building), 50).await.unwrap();
        assert_eq!(1 + behind.len(), houses.len());
        assert!(behind.iter().all(|house| house.building > one.building));
        // a second home: the first is left, the number stays
        let elsewhere = Membership { person: ours.ola, unit: ours.neighbour_unit, owner: false };
        assert!(people.add_membership(&system, elsewhere).await.unwrap());
        assert_eq!(numbers_in(ours.house).await.unwrap().1, 3, "who has two homes there is one person");
        let new = NewMove { id: ours.fresh(70), unit: ours.unit, last_day: 1, ends_at: NOW,
            out: vec![ours.kari, ours.ola], to: None, into: vec![] };
        assert!(db.store.moves().plan_move(&system, &stamp(1), new).await.unwrap());
        let then = Stamp { at: NOW, ..stamp(2) };
        let carried = db.store.moves().carry_out_move(&system, &then, ours.fresh(70)).await.unwrap().unwrap();
        assert_eq!((carried.ended.people, carried.ended.numbers), (2, 1), "the proof counts what is gone");
        assert_eq!(number_of(&db, &ours, ours.kari).await, None, "moved out");
        assert!(number_of(&db, &ours, ours.ola).await.is_some(), "lives next door");
        // who lives nowhere keeps none, though they look after the house
        let role = ours.role(ours.ola, Role::Caretaker, Some(ours.house));
        assert!(people.grant_role(&system, &stamp(3), role).await.unwrap());
        assert!(people.remove_membership(&system.at(NOW), ours.ola, ours.neighbour_unit).await.unwrap());
        assert_eq!(number_of(&db, &ours, ours.ola).await, None);
        let proven = db.store.phone_numbers().keep_my_number(&ours.as_person(ours.ola), number(4)).await;
        assert!(!proven.unwrap());
        // deleted
        assert!(!db.store.phone_numbers().places(&system).await.unwrap().is_empty());
        assert!(people.remove_membership(&system, ours.lone, ours.neighbour_unit).await.unwrap());
        let deleted = people.delete_person(&system, &stamp(4), ours.lone).await.unwrap();
        assert!(matches!(deleted, Deleted::Done(_)), "{deleted:?}");
        assert_eq!(db.store.phone_numbers().places(&system).await.unwrap(), []);
        let rows = "SELECT 1 AS one FROM phone_number";
        let connection = db.connection().await;
        let kept = connection.query_all_raw(sea_orm::Statement::from_string(connection.get_database_backend(), rows)).await;
        assert_eq!(kept.unwrap().len(), 0);
    }

    async fn a_tap_is_told_of_phones_as_far_as_house_and_trunk_let_it(db) {
        let (ours, theirs) = two_towns(&db).await;
        assert_eq!(to_ring(&db, &ours).await, None, "no number, no trunk");
        assert!(vouch(&db, &ours, ours.kari, 1).await);
        assert!(vouch(&db, &ours, ours.lone, 3).await, "not behind this button");
        assert_eq!(to_ring(&db, &ours).await, None, "no trunk");
        add(&db, &theirs, 1).await;
        assert_eq!(to_ring(&db, &ours).await, None, "the trunk of another property manager");
        let id = add(&db, &ours, 1).await;
        let mut kari = db.store.people().person(&ours.system(), ours.kari).await.unwrap().unwrap();
        kari.language = Language::Sv;
        let manager = ours.as_person(ours.manager);
        db.store.people().change_person(&manager, &stamp(2), kari).await.unwrap();
        let found = to_ring(&db, &ours).await.unwrap();
        assert_eq!((found.when, &found.limits), (Phones::WithoutDevice, &PhoneLimits::default()));
        let rung: Vec<_> = found.numbers.iter().map(|one| (one.person, one.number.clone(), one.language)).collect();
        assert_eq!(rung, [(ours.kari, number(1), Language::Sv)]);
        let limits = PhoneLimits { number_hour: 1, ..PhoneLimits::default() };
        db.store.trunks().set_phone_limits(&manager, &stamp(3), 0, limits.clone()).await.unwrap();
        for when in [Phones::WhenSilent, Phones::Both] {
            decide(&db.store, &ours, when).await;
            let found = to_ring(&db, &ours).await.unwrap();
            assert_eq!((found.when, found.limits), (when, limits.clone()));
        }
        decide(&db.store, &ours, Phones::Off).await;
        assert_eq!(to_ring(&db, &ours).await, None, "the house decided so");
        decide(&db.store, &ours, Phones::Both).await;
        assert!(db.store.people().set_active(&ours.system(), ours.kari, false).await.unwrap());
        assert_eq!(to_ring(&db, &ours).await, None, "suspended");
        assert!(db.store.people().set_active(&ours.system(), ours.kari, true).await.unwrap());
        assert!(to_ring(&db, &ours).await.is_some());
        let off = TrunkChange { version: 1, set: NewTrunk { enabled: false, ..trunk(id) }, password: false };
        assert!(matches!(db.store.trunks().change_trunk(&manager, &stamp(5), off).await, Ok(TrunkChanged::Done(_))));
        assert_eq!(to_ring(&db, &ours).await, None, "switched off");
    }

    async fn what_a_house_decided_before_is_read_as_what_it_meant(db) {
        let (ours, _) = two_towns(&db).await;
        let Db { store, url, .. } = &db;
        let connection = db.connection().await;
        // as the version before left it
        for table in ["station_bell", "station_relay", "sip_account", "phone_number_by", "phone_number", "phone_limits", "trunk"] {
            connection.execute_unprepared(&format!("DROP TABLE {table}")).await.unwrap();
        }
        let forget = "DELETE FROM seaql_migrations WHERE version >= 'm0011_phones'";
        connection.execute_unprepared(forget).await.unwrap();
        decide_before(&db, &ours, r#"{"edit_text":false,"phone_fallback":false,"hide":false}"#).await;
        store.close().await.unwrap();
        let again = Store::open(url).await.unwrap();
        let (_, policy) = again.sites().policy(&ours.system(), ours.house).await.unwrap().unwrap();
        let meant = BuildingPolicy { edit_text: false, hide: false, phones: Phones::Off, ..BuildingPolicy::default() };
        assert_eq!(policy, meant);
        // the version before reads what it wrote
        let rows = connection.query_all_raw(sea_orm::Statement::from_string(
            connection.get_database_backend(), "SELECT policy FROM building_policy")).await.unwrap();
        let stored: String = rows[0].try_get("", "policy").unwrap();
        assert!(stored.contains(r#""phone_fallback":false"#), "{stored}");
    }
}

/// Writes a policy as an older version did.
async fn decide_before(db: &Db, ours: &Town, policy: &str) {
    decide(&db.store, ours, Phones::Both).await;
    let connection = db.connection().await;
    connection.execute_unprepared(&format!("UPDATE building_policy SET policy = '{policy}'")).await.unwrap();
}
