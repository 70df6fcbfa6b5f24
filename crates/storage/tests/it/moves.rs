//! Moving out and in: what ends, when, and that it is all or nothing.

use crate::database::{Db, on_both};
use crate::town::{NOW, Town, stamp, two_towns};
use klinke_model::contact::Email;
use klinke_model::ids::MoveId;
use klinke_model::people::{Membership, Person};
use klinke_model::privacy::Pii;
use klinke_model::time::Timestamp;
use klinke_storage::StorageError;
use klinke_storage::record::{Changed, Ended, NewMove, Stamp};

/// A day from now: the town's roles have not ended by then.
const ENDS: i64 = NOW.as_millis() + 86_400_000;

fn at(millis: i64) -> Stamp {
    Stamp { at: Timestamp::from_millis(millis), ..stamp(1) }
}

fn household_out(ours: &Town, id: MoveId) -> NewMove {
    NewMove {
        id,
        unit: ours.unit,
        last_day: 20_000,
        ends_at: Timestamp::from_millis(ENDS),
        out: vec![ours.kari, ours.ola, ours.gone],
        to: None,
        into: vec![(ours.person(ours.fresh(7), "Ny Beboer"), true)],
    }
}

/// All of a house that a move could touch.
async fn house(db: &Db, ours: &Town) -> String {
    let scope = ours.system();
    let members = db.store.people().unit_members(&scope, ours.house).await.unwrap();
    let places: Vec<_> = members.iter().map(|member| (member.membership, member.person.active)).collect();
    let bells: Vec<_> =
        db.store.intercom().bells(&scope, ours.house).await.unwrap().iter().map(|bell| bell.id).collect();
    let devices = db.store.devices().list(&scope, ours.kari).await.unwrap().len();
    format!("{places:?} {bells:?} {devices}")
}

on_both! {
    async fn a_move_is_carried_out_at_its_moment_and_not_a_millisecond_before(db) {
        let (ours, theirs) = two_towns(&db).await;
        let (moves, scope, id) = (db.store.moves(), ours.system(), ours.fresh(1));
        assert!(db.store.people().insert_account(&scope, ours.account(ours.kari, "kari")).await.unwrap());
        assert!(moves.plan_move(&ours.as_person(ours.admin), &at(1), household_out(&ours, id)).await.unwrap());
        assert_eq!(db.store.gate().next_move().await.unwrap(), Some((ours.tenant, id, Timestamp::from_millis(ENDS))));
        let before = house(&db, &ours).await;
        assert_eq!(moves.carry_out_move(&scope, &at(ENDS - 1), id).await.unwrap(), None);
        assert_eq!(moves.carry_out_move(&ours.as_person(ours.admin), &at(ENDS), id).await.unwrap(), None, "the service only");
        assert_eq!(house(&db, &ours).await, before);
        let mut carried = moves.carry_out_move(&scope, &at(ENDS), id).await.unwrap().unwrap();
        carried.devices.sort();
        assert_eq!(carried.devices, [ours.phone, ours.fresh(51), ours.fresh(52)]);
        // four buttons named them; gone was a manager once: their role keeps their devices until it is taken
        let ended = Ended { people: 3, bells: 4, signed_out: 2, accounts: 1, invitations: 0, moved_in: 1, moved_on: 0, codes: 0, numbers: 0 };
        assert_eq!(carried.ended, ended);
        let members = db.store.people().unit_members(&scope, ours.house).await.unwrap();
        let places: Vec<_> = members.iter().map(|member| member.membership).collect();
        assert_eq!(places, [
            Membership { person: ours.fresh(7), unit: ours.unit, owner: true },
            Membership { person: ours.lone, unit: ours.neighbour_unit, owner: true },
        ]);
        assert!(!db.store.people().person(&scope, ours.kari).await.unwrap().unwrap().active);
        assert_eq!(db.store.gate().account("kari").await.unwrap(), None);
        assert_eq!(moves.one_move(&scope, id).await.unwrap().unwrap().ended, Some(ended));
        assert_eq!(moves.carry_out_move(&scope, &at(ENDS), id).await.unwrap(), None, "once");
        assert!(!moves.cancel_move(&scope, &at(ENDS), id).await.unwrap(), "what is done is not undone");
        assert_eq!(db.store.gate().next_move().await.unwrap(), None);
        assert_eq!(db.store.intercom().bells(&theirs.system(), theirs.house).await.unwrap().len(), 4);
    }

    async fn who_lives_elsewhere_or_has_a_role_stays_signed_in(db) {
        let (ours, _) = two_towns(&db).await;
        let (moves, scope, id) = (db.store.moves(), ours.system(), ours.fresh(1));
        let elsewhere = Membership { person: ours.kari, unit: ours.office_unit, owner: false };
        assert!(db.store.people().add_membership(&scope, elsewhere).await.unwrap());
        let home = Membership { person: ours.admin, unit: ours.unit, owner: false };
        assert!(db.store.people().add_membership(&scope, home).await.unwrap());
        let out = NewMove { out: vec![ours.kari, ours.admin], into: vec![], ..household_out(&ours, id) };
        assert!(moves.plan_move(&scope, &at(1), out).await.unwrap());
        let carried = moves.carry_out_move(&scope, &at(ENDS), id).await.unwrap().unwrap();
        assert_eq!(carried.devices, []);
        assert_eq!(carried.ended, Ended { people: 2, bells: 1, ..Ended::default() });
        for person in [ours.kari, ours.admin] {
            assert!(db.store.people().person(&scope, person).await.unwrap().unwrap().active);
        }
        let left: Vec<_> = db.store.intercom().bells(&scope, ours.house).await.unwrap().iter().map(|bell| bell.id).collect();
        assert_eq!(left, [ours.sequential, ours.parallel, ours.family], "others are behind them still");
    }

    async fn a_planned_move_can_be_taken_back_and_planned_once(db) {
        let (ours, _) = two_towns(&db).await;
        let (moves, admin) = (db.store.moves(), ours.as_person(ours.admin));
        let before = house(&db, &ours).await;
        assert!(moves.plan_move(&admin, &at(1), household_out(&ours, ours.fresh(1))).await.unwrap());
        let again = NewMove { into: vec![], ..household_out(&ours, ours.fresh(2)) };
        let twice = moves.plan_move(&admin, &at(1), again.clone()).await;
        assert!(matches!(twice, Err(StorageError::Conflict)), "{twice:?}");
        let row = db.store.people().row(&admin, ours.kari).await.unwrap().unwrap();
        assert_eq!(row.homes[0].last_day, Some(20_000));
        let preview = moves.preview_move(&admin, ours.unit).await.unwrap().unwrap();
        assert!(preview.people.iter().all(|leaving| leaving.leaves_by == Some(ours.fresh(1))));
        assert!(moves.cancel_move(&admin, &at(2), ours.fresh(1)).await.unwrap());
        assert!(!moves.cancel_move(&admin, &at(2), ours.fresh(1)).await.unwrap());
        assert_eq!(moves.carry_out_move(&ours.system(), &at(ENDS), ours.fresh(1)).await.unwrap(), None);
        assert_eq!(house(&db, &ours).await, before);
        assert!(moves.plan_move(&admin, &at(3), again).await.unwrap());
        let stranger = NewMove { out: vec![ours.lone], into: vec![], ..household_out(&ours, ours.fresh(3)) };
        assert!(!moves.plan_move(&admin, &at(3), stranger).await.unwrap(), "lives next door");
    }

    async fn who_changes_unit_has_the_new_home_when_the_old_one_ends_and_stays_signed_in(db) {
        let (ours, _) = two_towns(&db).await;
        let (moves, scope, id) = (db.store.moves(), ours.system(), ours.fresh(1));
        let admin = ours.as_person(ours.admin);
        let plan = |to, id| NewMove { out: vec![ours.kari], to: Some(to), into: vec![], ..household_out(&ours, id) };
        assert!(!moves.plan_move(&admin, &at(1), plan(ours.unit, id)).await.unwrap(), "to where they live");
        assert!(!moves.plan_move(&admin, &at(1), plan(ours.office_unit, id)).await.unwrap(), "not this administrator's");
        assert!(moves.plan_move(&admin, &at(1), plan(ours.neighbour_unit, id)).await.unwrap());
        let planned = moves.one_move(&admin, id).await.unwrap().unwrap();
        assert_eq!(planned.to.map(|(unit, number)| (unit, number.to_string())), Some((ours.neighbour_unit, "102".to_owned())));
        let carried = moves.carry_out_move(&scope, &at(ENDS), id).await.unwrap().unwrap();
        assert_eq!(carried.devices, []);
        assert_eq!(carried.ended, Ended { people: 1, bells: 1, moved_on: 1, ..Ended::default() });
        let row = db.store.people().row(&admin, ours.kari).await.unwrap().unwrap();
        let homes: Vec<_> = row.homes.iter().map(|home| (home.unit, home.owner)).collect();
        assert_eq!(homes, [(ours.neighbour_unit, true)]);
        assert!(row.person.active && row.can_be_rung);
        // who left by another way since gets no new home
        let away = NewMove { out: vec![ours.ola], ..plan(ours.neighbour_unit, ours.fresh(2)) };
        assert!(moves.plan_move(&admin, &at(1), away).await.unwrap());
        assert!(db.store.people().take_home(&admin, &at(2), ours.ola, ours.unit).await.unwrap());
        let carried = moves.carry_out_move(&scope, &at(ENDS), ours.fresh(2)).await.unwrap().unwrap();
        assert_eq!(carried.ended, Ended::default());
    }

    async fn a_move_that_is_taken_back_takes_those_back_who_were_added_only_for_it(db) {
        let (ours, _) = two_towns(&db).await;
        let (moves, people, scope) = (db.store.moves(), db.store.people(), ours.system());
        let fresh: Vec<klinke_model::ids::PersonId> = (7..11).map(|n| ours.fresh(n)).collect();
        let into = fresh.iter().map(|id| (ours.person(*id, "Ny Beboer"), false)).collect();
        let new = NewMove { out: vec![], into, ..household_out(&ours, ours.fresh(1)) };
        assert!(moves.plan_move(&scope, &at(1), new).await.unwrap());
        // one has found a home meanwhile, one a sign-in, one another move
        let home = Membership { person: fresh[1], unit: ours.neighbour_unit, owner: false };
        assert!(people.set_home(&scope, &at(2), home).await.unwrap());
        assert!(people.insert_account(&scope, ours.account(fresh[2], "fresh")).await.unwrap());
        let role = ours.role(fresh[3], klinke_model::people::Role::Caretaker, Some(ours.house));
        assert!(people.grant_role(&scope, &at(2), role).await.unwrap());
        assert!(moves.cancel_move(&ours.as_person(ours.admin), &at(3), ours.fresh(1)).await.unwrap());
        let mut left = Vec::new();
        for id in fresh {
            left.push(people.person(&scope, id).await.unwrap().is_some());
        }
        assert_eq!(left, [false, true, true, true]);
        let query = klinke_storage::record::PeopleQuery { text: "ny beboer".into(), limit: 9, ..Default::default() };
        assert_eq!(people.page(&scope, &query).await.unwrap().people.len(), 3);
    }

    async fn the_preview_tells_what_ends_for_each(db) {
        let (ours, _) = two_towns(&db).await;
        let preview = db.store.moves().preview_move(&ours.as_person(ours.admin), ours.unit).await.unwrap().unwrap();
        assert_eq!((preview.time_zone.as_str(), preview.number.as_str()), ("Europe/Oslo", "101"));
        let seen: Vec<_> = preview
            .people
            .iter()
            .map(|one| (one.mover.person, one.mover.owner, one.stays_known, one.has_device))
            .collect();
        assert_eq!(seen, [
            (ours.kari, true, false, true),
            (ours.gone, false, true, true),
            (ours.ola, false, false, true),
        ]);
        let (kari, both) = (vec![ours.kari], vec![ours.kari, ours.ola]);
        assert_eq!(preview.bells, [kari, both.clone(), both, vec![ours.kari, ours.ola, ours.gone]]);
    }

    async fn two_who_edit_at_once_are_told(db) {
        let (ours, _) = two_towns(&db).await;
        let (people, admin) = (db.store.people(), ours.as_person(ours.admin));
        let seen = people.person(&admin, ours.kari).await.unwrap().unwrap();
        let email = Some(Pii::new(Email::new("kari@example.org").unwrap()));
        let first = Person { email, ..seen.clone() };
        let Changed::Done(now) = people.change_person(&admin, &at(1), first).await.unwrap() else { panic!("not changed") };
        assert_eq!(now.version, seen.version + 1);
        assert_eq!(people.change_person(&admin, &at(2), seen).await.unwrap(), Changed::Conflict(now.clone()));
        assert_eq!(people.person(&admin, ours.kari).await.unwrap(), Some(now));
        let query = klinke_storage::record::PeopleQuery { text: "kari@".into(), limit: 9, ..Default::default() };
        assert_eq!(people.page(&admin, &query).await.unwrap().people.len(), 1);
    }

    async fn a_suspended_person_is_signed_out_and_who_has_a_role_is_a_managers_to_change(db) {
        let (ours, _) = two_towns(&db).await;
        let (people, admin, manager) = (db.store.people(), ours.as_person(ours.admin), ours.as_person(ours.manager));
        let mut out = people.suspend_person(&admin, &at(1), ours.kari, true).await.unwrap().unwrap().devices;
        out.sort();
        assert_eq!(out, [ours.phone, ours.fresh(51)]);
        assert!(!people.person(&admin, ours.kari).await.unwrap().unwrap().active);
        assert_eq!(db.store.devices().list(&ours.system(), ours.kari).await.unwrap(), []);
        assert!(people.suspend_person(&admin, &at(2), ours.kari, false).await.unwrap().is_some());
        assert!(people.person(&admin, ours.kari).await.unwrap().unwrap().active);
        let home = Membership { person: ours.manager, unit: ours.unit, owner: false };
        assert!(people.set_home(&admin, &at(3), home).await.unwrap());
        assert_eq!(people.suspend_person(&admin, &at(4), ours.manager, true).await.unwrap(), None);
        let seen = people.person(&admin, ours.manager).await.unwrap().unwrap();
        assert_eq!(people.change_person(&admin, &at(4), seen).await.unwrap(), Changed::NotFound);
        assert_eq!(people.suspend_person(&manager, &at(4), ours.manager, true).await.unwrap(), None, "oneself");
        let office = Membership { person: ours.kari, unit: ours.office_unit, owner: false };
        assert!(people.set_home(&manager, &at(5), office).await.unwrap());
        assert_eq!(people.suspend_person(&admin, &at(6), ours.kari, true).await.unwrap(), None, "lives elsewhere too");
        assert!(people.take_home(&manager, &at(7), ours.kari, ours.office_unit).await.unwrap());
        assert!(people.suspend_person(&admin, &at(8), ours.kari, true).await.unwrap().is_some());
    }
}
