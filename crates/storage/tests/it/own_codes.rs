//! Codes of residents' own: whose they are, unlike every other of the building, ended with the reason for which they were given.

use crate::database::{Db, on_both};
use crate::town::{NOW, Town, hash, stamp, two_towns};
use klinke_model::people::Role;
use klinke_model::policy::BuildingPolicy;
use klinke_storage::record::{
    AuditQuery, CodeChoice, CodeHolder, Codes, Deleted, GuestMade, HeldCode, MyCode, MyCodeMade, NewMove,
    OwnCodeChoice, OwnCodeChoices, PolicySet,
};
use klinke_storage::{StorageError, Store};

/// A short code and a long one that nobody else has.
pub fn choices(number: u64) -> OwnCodeChoices {
    let choice = |by: u64| vec![OwnCodeChoice { number, hash: hash(by), duress: hash(by + 1_000_000) }];
    OwnCodeChoices { short: choice(20_000_000 + number), long: choice(30_000_000 + number) }
}

/// Whether residents of the house may have codes, and whether codes for duress count.
pub async fn policy(store: &Store, ours: &Town, own_codes: bool, duress_codes: bool) {
    let (version, before) = store.sites().policy(&ours.system(), ours.house).await.unwrap().unwrap();
    let wanted = BuildingPolicy { own_codes, duress_codes, ..before };
    let set = store.sites().set_policy(&ours.system(), &stamp(1), ours.house, version, wanted).await;
    assert!(matches!(set, Ok(PolicySet::Done(_))));
}

async fn renew(
    db: &Db,
    ours: &Town,
    who: klinke_model::ids::PersonId,
    choices: OwnCodeChoices,
) -> MyCodeMade {
    db.store.own_codes().renew_my_code(&ours.as_person(who), ours.house, choices).await.unwrap()
}

async fn holder(db: &Db, ours: &Town, hash: [u8; 32]) -> Option<CodeHolder> {
    db.store.own_codes().code_holder(&ours.as_panel(ours.panel), hash).await.unwrap()
}

on_both! {
    async fn a_resident_has_a_code_where_the_policy_lets_them(db) {
        let (ours, _) = two_towns(&db).await;
        let (codes, kari) = (db.store.own_codes(), ours.as_person(ours.kari));
        assert_eq!(codes.my_codes(&kari).await.unwrap(), [], "off unless it was turned on");
        assert_eq!(renew(&db, &ours, ours.kari, choices(1)).await, MyCodeMade::Administrators);
        policy(&db.store, &ours, true, false).await;
        let none = MyCode { building: ours.house, building_name: ours.the_house().name, number: None, duress: false };
        assert_eq!(codes.my_codes(&kari).await.unwrap(), std::slice::from_ref(&none));
        let first = MyCode { number: Some(1), ..none.clone() };
        assert_eq!(renew(&db, &ours, ours.kari, choices(1)).await, MyCodeMade::Done(first.clone()));
        assert_eq!(codes.my_codes(&kari).await.unwrap(), [first]);
        let (one, two) = (choices(1).short[0], choices(2).short[0]);
        assert_eq!(holder(&db, &ours, one.hash).await, Some(CodeHolder::Person { person: ours.kari, duress: false }));
        assert_eq!(holder(&db, &ours, one.duress).await, None, "the building has none for duress");
        let elsewhere = ours.as_panel(ours.office_panel);
        assert_eq!(codes.code_holder(&elsewhere, one.hash).await.unwrap(), None);
        policy(&db.store, &ours, true, true).await;
        assert_eq!(holder(&db, &ours, one.duress).await, Some(CodeHolder::Person { person: ours.kari, duress: true }));
        assert!(codes.my_codes(&kari).await.unwrap()[0].duress);
        // another one: the one before is over at once, with its code for duress
        assert!(matches!(renew(&db, &ours, ours.kari, choices(2)).await, MyCodeMade::Done(code) if code.number == Some(2)));
        assert_eq!((holder(&db, &ours, one.hash).await, holder(&db, &ours, one.duress).await), (None, None));
        assert_eq!(holder(&db, &ours, two.hash).await, Some(CodeHolder::Person { person: ours.kari, duress: false }));
        assert!(codes.end_my_code(&kari, ours.house).await.unwrap());
        assert!(!codes.end_my_code(&kari, ours.house).await.unwrap());
        assert_eq!(holder(&db, &ours, two.hash).await, None);
        // not in a building where one does not live
        let elsewhere = codes.renew_my_code(&kari, ours.office, choices(3)).await.unwrap();
        assert_eq!(elsewhere, MyCodeMade::NotThere);
        assert_eq!(renew(&db, &ours, ours.caretaker, choices(3)).await, MyCodeMade::NotThere);
        // the policy ends what it does not let anybody have
        renew(&db, &ours, ours.kari, choices(4)).await;
        policy(&db.store, &ours, false, true).await;
        policy(&db.store, &ours, true, true).await;
        assert_eq!(holder(&db, &ours, choices(4).short[0].hash).await, None);
    }

    async fn no_two_codes_of_a_building_are_the_same_whosever_they_are(db) {
        let (ours, _) = two_towns(&db).await;
        policy(&db.store, &ours, true, false).await;
        renew(&db, &ours, ours.kari, choices(1)).await;
        let first = choices(1).short[0];
        // somebody else's, or theirs under duress, or the other way round: the next choice
        let taken = [
            OwnCodeChoice { number: 11, ..first },
            OwnCodeChoice { number: 12, hash: first.duress, duress: hash(1) },
            OwnCodeChoice { number: 13, hash: hash(2), duress: first.hash },
            OwnCodeChoice { number: 14, hash: hash(3), duress: first.duress },
        ];
        for one in taken {
            let only = OwnCodeChoices { short: vec![one], long: vec![] };
            let lone = ours.as_person(ours.lone);
            let refused = db.store.own_codes().renew_my_code(&lone, ours.house, only).await;
            assert!(matches!(refused, Err(StorageError::Conflict)), "{}", one.number);
        }
        let then_free = OwnCodeChoices { short: taken.into_iter().chain(choices(2).short).collect(), long: vec![] };
        assert!(matches!(renew(&db, &ours, ours.lone, then_free).await, MyCodeMade::Done(code) if code.number == Some(2)));
        // nor one's own of before
        let again = db.store.own_codes().renew_my_code(&ours.as_person(ours.kari), ours.house, choices(1)).await;
        assert!(matches!(again, Err(StorageError::Conflict)));
        // a guest gets none of them, and gives none away
        let guest = |number, hash| {
            let codes = Codes { short: vec![CodeChoice { number: 2, hash }], long: vec![] };
            klinke_storage::record::NewGuest { codes, ..crate::guests::guest(&ours, number, Some(ours.unit)) }
        };
        let (guests, kari) = (db.store.guests(), ours.as_person(ours.kari));
        for hash in [first.hash, first.duress] {
            let refused = guests.insert_guest(&kari, &stamp(1), guest(7, hash)).await;
            assert!(matches!(refused, Err(StorageError::Conflict)));
        }
        assert!(matches!(guests.insert_guest(&kari, &stamp(1), guest(7, hash(50))).await.unwrap(), GuestMade::Done(_)));
        for (of, duress) in [(hash(50), hash(51)), (hash(51), hash(50))] {
            let only = OwnCodeChoices { short: vec![OwnCodeChoice { number: 3, hash: of, duress }], long: vec![] };
            let refused = db.store.own_codes().renew_my_code(&kari, ours.house, only).await;
            assert!(matches!(refused, Err(StorageError::Conflict)));
        }
    }

    async fn a_code_ends_with_what_it_was_given_for(db) {
        let (ours, _) = two_towns(&db).await;
        let (people, system) = (db.store.people(), ours.system());
        policy(&db.store, &ours, true, true).await;
        for (number, person) in [(1, ours.kari), (2, ours.ola), (3, ours.lone)] {
            assert!(matches!(renew(&db, &ours, person, choices(number)).await, MyCodeMade::Done(_)));
        }
        let there = async |number: u64| holder(&db, &ours, choices(number).short[0].hash).await.is_some();
        // moved out, with the proof
        let new = NewMove { id: ours.fresh(70), unit: ours.unit, last_day: 1, ends_at: NOW, out: vec![ours.kari], to: None, into: vec![] };
        assert!(db.store.moves().plan_move(&system, &stamp(1), new).await.unwrap());
        let carried = db.store.moves().carry_out_move(&system, &klinke_storage::record::Stamp { at: NOW, ..stamp(2) }, ours.fresh(70)).await;
        assert_eq!(carried.unwrap().unwrap().ended.codes, 1);
        assert_eq!((there(1).await, there(2).await, there(3).await), (false, true, true));
        // who looks after the building keeps theirs, as they keep their cards
        assert!(people.grant_role(&system, &stamp(3), ours.role(ours.ola, Role::Caretaker, Some(ours.house))).await.unwrap());
        assert!(people.remove_membership(&system.at(NOW), ours.ola, ours.unit).await.unwrap());
        assert!(there(2).await);
        // suspended: nobody to ask, and the door refuses; deleted: gone
        assert!(people.set_active(&system, ours.lone, false).await.unwrap());
        assert_eq!(renew(&db, &ours, ours.lone, choices(5)).await, MyCodeMade::NotThere);
        assert_eq!(db.store.own_codes().my_codes(&ours.as_person(ours.lone)).await.unwrap(), []);
        assert!(people.remove_membership(&system, ours.lone, ours.neighbour_unit).await.unwrap());
        assert!(!there(3).await);
        let deleted = people.delete_person(&system, &stamp(4), ours.lone).await.unwrap();
        assert!(matches!(deleted, Deleted::Done(_)), "{deleted:?}");
    }

    async fn administrators_see_that_there_is_one_and_take_it_back(db) {
        let (ours, _) = two_towns(&db).await;
        policy(&db.store, &ours, true, true).await;
        renew(&db, &ours, ours.kari, choices(1)).await;
        let (codes, admin) = (db.store.own_codes(), ours.as_person(ours.admin));
        let held = HeldCode { building: ours.house, building_name: ours.the_house().name };
        assert_eq!(codes.codes_of(&admin, ours.kari).await.unwrap(), [held]);
        assert_eq!(codes.codes_of(&admin, ours.lone).await.unwrap(), []);
        assert!(!codes.remove_code(&admin, &stamp(2), ours.house, ours.lone).await.unwrap());
        assert!(codes.remove_code(&admin, &stamp(2), ours.house, ours.kari).await.unwrap());
        assert!(!codes.remove_code(&admin, &stamp(2), ours.house, ours.kari).await.unwrap());
        assert_eq!(holder(&db, &ours, choices(1).short[0].hash).await, None);
        let query = AuditQuery { limit: 50, ..AuditQuery::default() };
        let entries = db.store.audit().audit_entries(&ours.system(), query).await.unwrap();
        let told: Vec<_> = entries.iter().filter(|entry| entry.action.as_str() == "code.removed").collect();
        assert_eq!(told.len(), 1);
    }

    async fn a_controller_gets_who_has_a_code_and_a_right(db) {
        let (ours, _) = two_towns(&db).await;
        policy(&db.store, &ours, true, false).await;
        for (number, person) in [(1, ours.kari), (2, ours.lone)] {
            renew(&db, &ours, person, choices(number)).await;
        }
        let scope = ours.as_controller(ours.controller);
        let read = async || db.store.doors().controller_rights(&scope, ours.controller).await.unwrap().unwrap();
        let found = read().await;
        // Kari has the front; Lone has nothing
        assert_eq!(found.holders.iter().map(|holder| holder.person).collect::<Vec<_>>(), [ours.kari]);
        let code = found.codes[0];
        assert_eq!((found.codes.len(), code.person, code.number, code.holder), (1, ours.kari, 1, 0));
        assert_eq!((found.building, found.duress_codes, found.cards), (ours.house, false, vec![]));
        policy(&db.store, &ours, true, true).await;
        assert!(read().await.duress_codes);
        // once: until they are just coming
        let new = crate::guests::guest(&ours, 5, Some(ours.unit));
        assert!(matches!(db.store.guests().insert_guest(&ours.as_person(ours.kari), &stamp(1), new).await.unwrap(), GuestMade::Done(_)));
        assert_eq!(read().await.guests.iter().map(|one| (one.guest.id, one.guest.once)).collect::<Vec<_>>(), [(ours.fresh(5), true)]);
        assert!(db.store.guests().take_once(&ours.system(), ours.fresh(5)).await.unwrap());
        assert_eq!(read().await.guests, []);
    }
}
