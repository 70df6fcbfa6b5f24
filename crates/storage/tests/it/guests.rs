//! Guests: how many, of whom, at which doors, and at most once for who may come once.

use crate::database::{Db, on_both};
use crate::town::{NOW, Town, hash, label, stamp, two_towns};
use klinke_model::contact::{Email, Language};
use klinke_model::ids::{DoorId, GuestId, PersonId, UnitId};
use klinke_model::policy::BuildingPolicy;
use klinke_model::privacy::Pii;
use klinke_model::rule::{AccessRule, Who};
use klinke_model::schedule::Schedule;
use klinke_model::time::Timestamp;
use klinke_storage::record::{
    CodeChoice, CodeHolder, Codes, Guest, GuestChange, GuestChanged, GuestMade, GuestsOf, JobKind, NewGuest,
    PolicySet,
};
use klinke_storage::{StorageError, Store};
use std::time::Duration;

const DAY: Duration = Duration::from_secs(86_400);

/// A short code and a long one that nobody else has.
pub fn codes(number: u64) -> Codes {
    let choice = |number: u64| vec![CodeChoice { number: 2, hash: hash(9_000_000 + number) }];
    Codes { short: choice(number), long: choice(number + 4_000_000) }
}

/// A guest of long ago, for the front door.
pub fn guest(ours: &Town, number: u64, unit: Option<UnitId>) -> NewGuest {
    NewGuest {
        id: ours.fresh(number),
        building: ours.house,
        unit,
        name: Pii::new(label("Plumber")),
        doors: vec![ours.front],
        starts_at: Timestamp::from_millis(1),
        ends_at: Timestamp::from_millis(2),
        hours: None,
        once: true,
        codes: codes(number),
    }
}

/// Where a mail goes.
pub fn to() -> (Pii<Email>, Language) {
    (Pii::new(Email::new("plumber@example.org").unwrap()), Language::Sv)
}

/// One who may come from now on for a day.
fn today(ours: &Town, number: u64, unit: Option<UnitId>) -> NewGuest {
    NewGuest { starts_at: NOW, ends_at: NOW.plus(DAY), ..guest(ours, number, unit) }
}

async fn insert(db: &Db, ours: &Town, who: PersonId, new: NewGuest) -> GuestMade {
    db.store.guests().insert_guest(&ours.as_person(who), &stamp(1), new).await.unwrap()
}

async fn made(db: &Db, ours: &Town, who: PersonId, new: NewGuest) -> Guest {
    match insert(db, ours, who, new).await {
        GuestMade::Done(guest) => *guest,
        other => panic!("{other:?}"),
    }
}

async fn facts(db: &Db, ours: &Town, id: GuestId) -> Option<Guest> {
    db.store.guests().guest_facts(&ours.system().at(NOW), id).await.unwrap()
}

async fn policy(db: &Db, ours: &Town, guests: u8, guest_days: u16) {
    let (version, before) = db.store.sites().policy(&ours.system(), ours.house).await.unwrap().unwrap();
    let wanted = BuildingPolicy { guests, guest_days, ..before };
    let set = db.store.sites().set_policy(&ours.system(), &stamp(1), ours.house, version, wanted).await;
    assert!(matches!(set, Ok(PolicySet::Done(_))));
}

fn held(guest: &Guest) -> Vec<(DoorId, bool)> {
    guest.doors.iter().map(|one| (one.door.id, one.held)).collect()
}

on_both! {
    async fn a_home_has_so_many_guests_for_so_many_days_at_its_own_doors(db) {
        let (ours, theirs) = two_towns(&db).await;
        let (kari, unit) = (ours.kari, Some(ours.unit));
        policy(&db, &ours, 2, 3).await;
        let homes = db.store.guests().guest_homes(&ours.as_person(kari)).await.unwrap();
        let home = homes.iter().find(|home| home.unit == ours.unit).unwrap();
        assert_eq!((home.left, home.at_once, home.longest_days), (2, 2, 3));
        assert_eq!(home.doors, [(ours.front, ours.the_front().name)]);
        let first = made(&db, &ours, kari, today(&ours, 1, unit)).await;
        assert_eq!((first.host, first.unit, first.building_name.as_str()), (Some(kari), unit, "Bjørkeveien borettslag"));
        assert_eq!((held(&first), first.host_stands, first.taken, first.link_number, first.version), (vec![(ours.front, true)], true, false, 1, 1));
        let refused = [
            (NewGuest { doors: vec![ours.garage], ..today(&ours, 2, unit) }, GuestMade::UnknownDoor),
            (NewGuest { doors: vec![theirs.front], ..today(&ours, 2, unit) }, GuestMade::UnknownDoor),
            (NewGuest { doors: vec![], ..today(&ours, 2, unit) }, GuestMade::UnknownDoor),
            (NewGuest { ends_at: NOW.plus(DAY * 4), ..today(&ours, 2, unit) }, GuestMade::TooLong),
            (NewGuest { building: ours.office, ..today(&ours, 2, unit) }, GuestMade::NotThere),
            (today(&ours, 2, Some(ours.neighbour_unit)), GuestMade::NotThere),
            (today(&ours, 2, None), GuestMade::NotThere),
        ];
        for (new, expected) in refused {
            assert_eq!(insert(&db, &ours, kari, new).await, expected);
        }
        // those of the home together; who has ended does not count
        made(&db, &ours, ours.ola, today(&ours, 3, unit)).await;
        assert_eq!(insert(&db, &ours, kari, today(&ours, 4, unit)).await, GuestMade::Full);
        assert_eq!(db.store.guests().my_guests(&ours.as_person(kari)).await.unwrap(), std::slice::from_ref(&first), "not Ola's");
        let soon = GuestChange { version: 1, ends_at: Some(NOW.plus(Duration::from_millis(1))), ..GuestChange::default() };
        let changed = db.store.guests().change_guest(&ours.as_person(kari), &stamp(1), GuestsOf::Oneself, first.id, soon).await.unwrap();
        assert!(matches!(changed, GuestChanged::Done(_)), "shorter is always possible");
        let later = ours.as_person(kari).at(NOW.plus(Duration::from_secs(60)));
        let at = klinke_storage::record::Stamp { at: later.at, ..stamp(9) };
        let again = db.store.guests().insert_guest(&later, &at, NewGuest { starts_at: later.at, ..today(&ours, 5, unit) }).await.unwrap();
        assert!(matches!(again, GuestMade::Done(_)), "{again:?}");
        policy(&db, &ours, 0, 3).await;
        assert_eq!(insert(&db, &ours, kari, today(&ours, 6, unit)).await, GuestMade::NoGuests);
        policy(&db, &ours, 9, 3).await;
        assert!(db.store.people().set_active(&ours.system(), kari, false).await.unwrap());
        assert_eq!(insert(&db, &ours, kari, today(&ours, 6, unit)).await, GuestMade::NotThere, "suspended");
    }

    async fn the_first_code_that_is_free_is_theirs_in_the_building(db) {
        let (ours, _) = two_towns(&db).await;
        let first = made(&db, &ours, ours.admin, today(&ours, 1, None)).await;
        let both = Codes { short: codes(1).short.into_iter().chain(codes(2).short).collect(), long: vec![] };
        let second = made(&db, &ours, ours.admin, NewGuest { codes: both, ..today(&ours, 2, None) }).await;
        let panel = ours.as_panel(ours.panel);
        for (number, guest) in [(1, &first), (2, &second)] {
            let hash = codes(number).short[0].hash;
            assert_eq!(db.store.own_codes().code_holder(&panel, hash).await.unwrap(), Some(CodeHolder::Guest(guest.id)));
            let elsewhere = ours.as_panel(ours.office_panel);
            assert_eq!(db.store.own_codes().code_holder(&elsewhere, hash).await.unwrap(), None, "another building");
        }
        let none = NewGuest { codes: codes(1), ..today(&ours, 3, None) };
        let refused = db.store.guests().insert_guest(&ours.as_person(ours.admin), &stamp(1), none).await;
        assert!(matches!(refused, Err(StorageError::Conflict)));
        let renewed = db.store.guests().renew_guest(&ours.as_person(ours.admin), &stamp(2), GuestsOf::House, first.id, codes(4)).await;
        assert_eq!(renewed.unwrap().map(|guest| (guest.link_number, guest.version)), Some((2, 2)));
        assert_eq!(db.store.own_codes().code_holder(&panel, codes(1).short[0].hash).await.unwrap(), None);
        assert_eq!(db.store.own_codes().code_holder(&panel, codes(4).short[0].hash).await.unwrap(), Some(CodeHolder::Guest(first.id)));
        assert_eq!(db.store.gate().guest_links(first.id).await.unwrap(), [(ours.tenant, 2)]);
        assert_eq!(db.store.gate().guest_links(ours.fresh(99)).await.unwrap(), []);
    }

    async fn a_guest_has_what_their_host_has(db) {
        let (ours, _) = two_towns(&db).await;
        let (kari, unit, system) = (ours.kari, Some(ours.unit), ours.system());
        let hours = crate::rules::office_hours(&ours, 80);
        assert!(db.store.rules().insert_schedule(&system, &stamp(1), hours.clone()).await.unwrap());
        let rule = AccessRule { who: vec![Who::Person(kari)], schedule: Some(hours.id), ..crate::rules::rule(&ours, 81, kari, ours.garage) };
        db.store.rules().insert_rule(&system, &stamp(1), rule.clone()).await.unwrap();
        let both = NewGuest { doors: vec![ours.garage, ours.front], ..today(&ours, 1, unit) };
        let guest = made(&db, &ours, kari, both).await;
        assert_eq!(held(&guest), [(ours.front, true), (ours.garage, true)], "whatever the hours of the rule");
        let off = AccessRule { active: false, ..rule };
        db.store.rules().change_rule(&system, &stamp(2), 1, off).await.unwrap();
        assert_eq!(held(&facts(&db, &ours, guest.id).await.unwrap()), [(ours.front, true), (ours.garage, false)]);
        // a door that the guest has stays, one that is new must be the host's
        let kari_scope = ours.as_person(kari);
        let doors = |version, doors| GuestChange { version, doors: Some(doors), ..GuestChange::default() };
        let change = async |change| db.store.guests().change_guest(&kari_scope, &stamp(3), GuestsOf::Oneself, guest.id, change).await.unwrap();
        assert!(matches!(change(doors(1, vec![ours.garage])).await, GuestChanged::Done(_)));
        assert!(matches!(change(doors(2, vec![ours.front])).await, GuestChanged::Done(_)));
        assert!(matches!(change(doors(3, vec![ours.garage])).await, GuestChanged::UnknownDoor));
        assert!(matches!(change(doors(1, vec![ours.front])).await, GuestChanged::Conflict(now) if now.version == 3));
        assert!(db.store.people().set_active(&system, kari, false).await.unwrap());
        assert!(!facts(&db, &ours, guest.id).await.unwrap().host_stands);
        assert!(db.store.people().set_active(&system, kari, true).await.unwrap());
        assert!(facts(&db, &ours, guest.id).await.unwrap().host_stands);
        // guests go with who moves out, those of others stay
        let olas = made(&db, &ours, ours.ola, today(&ours, 2, unit)).await;
        assert!(db.store.people().take_home(&ours.as_person(ours.manager), &stamp(4), kari, ours.unit).await.unwrap());
        assert_eq!(facts(&db, &ours, guest.id).await, None);
        assert!(facts(&db, &ours, olas.id).await.is_some());
        // the administration's has any door, whoever has it
        let cleaner = made(&db, &ours, ours.admin, NewGuest { doors: vec![ours.garage], ..today(&ours, 3, None) }).await;
        assert_eq!((held(&cleaner), cleaner.host, cleaner.host_stands), (vec![(ours.garage, true)], None, true));
    }

    async fn of_many_at_once_one_comes(db) {
        let (ours, _) = two_towns(&db).await;
        let guest = made(&db, &ours, ours.kari, today(&ours, 1, Some(ours.unit))).await;
        let often = made(&db, &ours, ours.kari, NewGuest { once: false, ..today(&ours, 2, Some(ours.unit)) }).await;
        let tries: Vec<_> = (0..8).map(|_| {
            let (store, scope, id): (Store, _, _) = (db.store.clone(), ours.system(), guest.id);
            tokio::spawn(async move { store.guests().take_once(&scope, id).await.unwrap() })
        }).collect();
        let mut taken = 0;
        for one in tries {
            taken += u32::from(one.await.unwrap());
        }
        assert_eq!(taken, 1);
        let (guests, system) = (db.store.guests(), ours.system());
        assert!(facts(&db, &ours, guest.id).await.unwrap().taken);
        assert!(guests.give_back_once(&system, guest.id).await.unwrap());
        assert!(!guests.came_once(&system, guest.id).await.unwrap(), "nobody came");
        assert!(guests.take_once(&system, guest.id).await.unwrap());
        assert!(guests.came_once(&system, guest.id).await.unwrap());
        assert_eq!(facts(&db, &ours, guest.id).await, None);
        assert!(!guests.take_once(&system, often.id).await.unwrap(), "may come often");
    }

    async fn who_came_to_a_door_once_is_counted_once_by_the_code_that_they_came_with(db) {
        let (ours, _) = two_towns(&db).await;
        let unit = Some(ours.unit);
        let guest = made(&db, &ours, ours.kari, today(&ours, 1, unit)).await;
        let often = made(&db, &ours, ours.kari, NewGuest { once: false, ..today(&ours, 2, unit) }).await;
        let (guests, controller) = (db.store.guests(), ours.as_controller(ours.controller));
        assert_eq!(guests.once_at_doors(&controller).await.unwrap(), [(guest.id, 2)]);
        let spare = ours.as_controller(ours.spare);
        assert_eq!(guests.once_at_doors(&spare).await.unwrap(), [], "none of its doors");
        assert!(!guests.came_to_door(&spare, guest.id, 2).await.unwrap());
        assert!(!guests.came_to_door(&controller, often.id, 2).await.unwrap(), "may come often");
        assert!(!guests.came_to_door(&controller, guest.id, 4).await.unwrap(), "another code than theirs");
        // also while the server itself lets them in somewhere
        assert!(guests.take_once(&ours.system(), guest.id).await.unwrap());
        assert_eq!(guests.once_at_doors(&controller).await.unwrap(), [(guest.id, 2)]);
        assert!(guests.came_to_door(&controller, guest.id, 2).await.unwrap());
        assert!(!guests.came_to_door(&controller, guest.id, 2).await.unwrap(), "told again");
        assert_eq!(facts(&db, &ours, guest.id).await, None);
        assert!(!guests.give_back_once(&ours.system(), guest.id).await.unwrap());
    }

    async fn a_guest_s_address_is_kept_until_the_mail_was_sent(db) {
        let (ours, _) = two_towns(&db).await;
        let (guests, kari, system) = (db.store.guests(), ours.as_person(ours.kari), ours.system());
        let guest = made(&db, &ours, ours.kari, today(&ours, 1, Some(ours.unit))).await;
        assert!(guests.ask_guest_mail(&kari, NOW, guest.id, to(), ours.fresh(7)).await.unwrap());
        let other = (Pii::new(Email::new("other@example.org").unwrap()), Language::Da);
        assert!(guests.ask_guest_mail(&kari, NOW, guest.id, other.clone(), ours.fresh(8)).await.unwrap());
        let due = db.store.gate().due_jobs(JobKind::GuestMail, NOW, 9).await.unwrap();
        assert_eq!(due.iter().map(|job| job.subject).collect::<Vec<_>>(), [guest.id.0], "one, and the newest address");
        let waits = guests.guest_mail(&system, guest.id).await.unwrap().unwrap();
        assert_eq!((&waits.email, waits.language), (&other.0, Language::Da));
        assert_eq!(waits.host_name.map(Pii::into_inner).unwrap().as_str(), "Kari Haugen");
        assert!(!guests.forget_guest_mail(&system, guest.id, &to().0).await.unwrap(), "another was asked for");
        assert!(guests.forget_guest_mail(&system, guest.id, &other.0).await.unwrap());
        assert_eq!(guests.guest_mail(&system, guest.id).await.unwrap(), None);
    }

    async fn who_has_ended_is_forgotten_and_wrong_codes_are_not(db) {
        let (ours, _) = two_towns(&db).await;
        let old = made(&db, &ours, ours.kari, guest(&ours, 1, Some(ours.unit))).await;
        let new = made(&db, &ours, ours.kari, today(&ours, 2, Some(ours.unit))).await;
        db.store.gate().forget_guests(NOW).await.unwrap();
        assert_eq!(facts(&db, &ours, old.id).await, None);
        assert!(facts(&db, &ours, new.id).await.is_some());
        let (panel, other) = (ours.as_panel(ours.panel), ours.as_panel(ours.garage_panel));
        assert_eq!(db.store.guests().wrong_codes(&panel).await.unwrap(), Some(0));
        assert!(db.store.guests().keep_wrong_codes(&panel, 7).await.unwrap());
        assert_eq!(db.store.guests().wrong_codes(&panel).await.unwrap(), Some(7));
        assert_eq!(db.store.guests().wrong_codes(&other).await.unwrap(), Some(0));
    }

    async fn the_administration_s_guests_come_page_by_page(db) {
        let (ours, _) = two_towns(&db).await;
        let admin = ours.as_person(ours.admin);
        for (number, days) in [(1, 3), (2, 9), (3, 3)] {
            let new = NewGuest { ends_at: NOW.plus(DAY * days), ..today(&ours, number, None) };
            made(&db, &ours, ours.admin, new).await;
        }
        made(&db, &ours, ours.kari, today(&ours, 4, Some(ours.unit))).await;
        let mut seen = Vec::new();
        let mut after = None;
        loop {
            let page = db.store.guests().guests(&admin, ours.house, after, 1).await.unwrap();
            let last = page.guests.last().unwrap();
            after = Some((last.ends_at, last.id));
            seen.extend(page.guests.iter().map(|guest| guest.id));
            if !page.more {
                break;
            }
        }
        assert_eq!(seen, [ours.fresh(2), ours.fresh(1), ours.fresh(3)]);
        let too_long = NewGuest { ends_at: NOW.plus(DAY * 368), ..today(&ours, 5, None) };
        assert_eq!(insert(&db, &ours, ours.admin, too_long).await, GuestMade::TooLong);
        let elsewhere = NewGuest { doors: vec![ours.office_door], ..today(&ours, 5, None) };
        assert_eq!(insert(&db, &ours, ours.admin, elsewhere).await, GuestMade::UnknownDoor);
        let wrong = Schedule { hours: vec![klinke_model::timetable::Hours { days: vec![9], from: 0, until: 1 }], ..Schedule::default() };
        let wrong = NewGuest { hours: Some(wrong), ..today(&ours, 5, None) };
        let refused = db.store.guests().insert_guest(&admin, &stamp(1), wrong).await;
        assert!(matches!(refused, Err(StorageError::Invalid(_))));
    }
}
