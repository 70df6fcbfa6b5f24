//! What people decide for their own home: its buttons, and who lives there.

use crate::database::{Db, on_both};
use crate::town::{NOW, Town, hash, label, stamp, two_towns};
use klinke_access::decide::SiteMode;
use klinke_model::contact::{Email, Language};
use klinke_model::ids::{BellId, PersonId};
use klinke_model::intercom::{BellKind, Moderation};
use klinke_model::people::{Membership, Person};
use klinke_model::policy::{BuildingPolicy, DecidedBy};
use klinke_model::privacy::Pii;
use klinke_model::timetable::{Hours, HoursAre, Timetable, WallClock};
use klinke_storage::StorageError;
use klinke_storage::record::{
    BellChange, BellChanged, Changed, Followed, Joined, Left, MyBell, NewMember, PeopleQuery, Refused,
    WayToMember,
};

const MONDAY_NOON: WallClock = WallClock { weekday: 0, minute: 720 };

fn text(text: &str) -> BellChange {
    BellChange { label: Some(Pii::new(label(text))), ..BellChange::default() }
}

fn kind(kind: BellKind) -> BellChange {
    BellChange { kind: Some(kind), ..BellChange::default() }
}

fn hidden(hidden: bool) -> BellChange {
    BellChange { hidden: Some(hidden), ..BellChange::default() }
}

fn hours(rows: Vec<Hours>) -> BellChange {
    BellChange {
        hours: Some((Timetable { hours_are: HoursAre::Hidden, rows }, MONDAY_NOON)),
        ..BellChange::default()
    }
}

fn all_day() -> Hours {
    Hours { days: (0..7).collect(), from: 0, until: 1_440 }
}

/// A person's own button as it is.
async fn bell(db: &Db, town: &Town, person: PersonId, id: BellId) -> Option<MyBell> {
    let mine = db.store.households().my_bells(&town.as_person(person)).await.unwrap();
    mine.into_iter().find(|bell| bell.id == id)
}

/// A person changes a button, from the version that it has.
async fn change(db: &Db, town: &Town, person: PersonId, id: BellId, change: BellChange) -> BellChanged {
    let version = bell(db, town, person, id).await.map_or(1, |bell| bell.version);
    db.store.households().change_my_bell(&town.as_person(person), id, version, change).await.unwrap()
}

/// The texts on the panel.
async fn shown(db: &Db, town: &Town) -> Vec<String> {
    let directory = db.store.intercom().directory(&town.as_panel(town.panel), town.panel).await.unwrap();
    directory.unwrap().bells.into_iter().map(|bell| bell.label.into_inner().as_str().to_owned()).collect()
}

async fn rings(db: &Db, town: &Town, bell: BellId) -> bool {
    db.store.intercom().ring_facts(&town.as_panel(town.panel), bell).await.unwrap().is_some()
}

async fn allow(db: &Db, town: &Town, change: impl FnOnce(&mut BuildingPolicy)) {
    let (version, mut policy) = db.store.sites().policy(&town.system(), town.house).await.unwrap().unwrap();
    change(&mut policy);
    db.store.sites().set_policy(&town.system(), &stamp(9), town.house, version, policy).await.unwrap();
}

fn new_member(town: &Town, number: u64) -> NewMember {
    let person = Person::named(town.fresh(number), label("Liv Haugen"));
    NewMember { person, unit: town.unit, way: WayToMember::Hand(hash(number), NOW.plus(crate::town::MONTH)) }
}

async fn take_in(db: &Db, town: &Town, number: u64) -> PersonId {
    let new = new_member(town, number);
    let id = new.person.id;
    let done = db.store.households().take_in(&town.as_person(town.kari), NOW, new).await.unwrap();
    assert_eq!(done, Joined::Done);
    id
}

async fn owners(db: &Db, town: &Town, asker: PersonId) -> Vec<PersonId> {
    let homes = db.store.households().mine(&town.as_person(asker)).await.unwrap();
    homes[0].members.iter().filter(|member| member.owner).map(|member| member.person).collect()
}

on_both! {
    async fn a_resident_has_the_buttons_that_ring_them_and_an_owner_all_of_the_home(db) {
        let (ours, _) = two_towns(&db).await;
        let ids = async |person| {
            let bells = db.store.households().my_bells(&ours.as_person(person)).await.unwrap();
            bells.into_iter().map(|bell| bell.id).collect::<Vec<_>>()
        };
        assert_eq!(ids(ours.kari).await, [ours.individual, ours.sequential, ours.parallel, ours.family]);
        assert_eq!(ids(ours.ola).await, [ours.sequential, ours.parallel, ours.family]);
        assert_eq!(ids(ours.lone).await, []);
        assert_eq!(ids(ours.gone).await, [], "who is suspended has none");
        let family = bell(&db, &ours, ours.ola, ours.family).await.unwrap();
        assert_eq!((family.panel, family.number, family.entrance), (label("Entrance A"), label("101"), label("Oppgang A")));
        assert_eq!((family.owner, family.members.len(), family.kind), (false, 3, BellKind::Family));
        assert_eq!(change(&db, &ours, ours.lone, ours.family, text("Lone")).await, BellChanged::NotThere);
        assert_eq!(change(&db, &ours, ours.ola, ours.individual, text("Ola")).await, BellChanged::NotThere);
    }

    async fn what_somebody_sees_in_the_app_is_seen_by_who_sees_people_there(db) {
        let (ours, theirs) = two_towns(&db).await;
        let households = db.store.households();
        let place = Membership { person: ours.kari, unit: ours.office_unit, owner: true };
        assert!(db.store.people().set_home(&ours.system(), &stamp(1), place).await.unwrap());
        for person in [ours.kari, ours.ola, ours.lone] {
            let own = ours.as_person(person);
            let seen = households.seen_by(&ours.as_person(ours.manager), person).await.unwrap();
            let doors = db.store.doors().openable(&own, person).await.unwrap();
            assert!(seen.active);
            assert_eq!(seen.homes, households.mine(&own).await.unwrap(), "the same as the app is answered");
            assert_eq!(seen.bells, households.my_bells(&own).await.unwrap());
            assert_eq!(seen.doors.into_iter().map(|one| (one.door, one.building_name)).collect::<Vec<_>>(), doors);
        }
        let in_house = households.seen_by(&ours.as_person(ours.admin), ours.kari).await.unwrap();
        assert_eq!(in_house.homes.iter().map(|home| home.unit).collect::<Vec<_>>(), [ours.unit]);
        assert_eq!((in_house.bells.len(), in_house.doors.len()), (4, 1));
        let elsewhere = households.seen_by(&ours.as_person(ours.office_admin), ours.kari).await.unwrap();
        assert_eq!(elsewhere.homes.iter().map(|home| home.unit).collect::<Vec<_>>(), [ours.office_unit]);
        assert_eq!((elsewhere.bells.len(), elsewhere.doors.len()), (0, 0));
        let suspended = households.seen_by(&ours.as_person(ours.manager), ours.gone).await.unwrap();
        assert!(!suspended.active && suspended.homes.is_empty() && suspended.bells.is_empty());
        let foreign = households.seen_by(&theirs.as_person(theirs.manager), ours.kari).await.unwrap();
        assert!(!foreign.active && foreign.homes.is_empty() && foreign.bells.is_empty() && foreign.doors.is_empty());
    }

    async fn a_new_text_is_on_the_panel_and_waits_for_an_administrators_look(db) {
        let (ours, _) = two_towns(&db).await;
        let BellChanged::Done(bell) = change(&db, &ours, ours.ola, ours.family, text("Fam. Haugen")).await else {
            panic!("the text may be changed")
        };
        assert_eq!((bell.version, bell.moderation), (2, Moderation::Pending));
        assert!(shown(&db, &ours).await.contains(&"Fam. Haugen".to_owned()));
        // the version that somebody else saw is over
        let households = db.store.households();
        let late = households.change_my_bell(&ours.as_person(ours.kari), ours.family, 1, text("Kari")).await.unwrap();
        assert!(matches!(late, BellChanged::Conflict(now) if now.version == 2 && now.label == Pii::new(label("Fam. Haugen"))));
        allow(&db, &ours, |policy| policy.edit_text = false).await;
        let refused = change(&db, &ours, ours.kari, ours.family, text("Kari")).await;
        assert_eq!(refused, BellChanged::Decided(DecidedBy::Administrator));
        assert!(!shown(&db, &ours).await.contains(&"Kari".to_owned()));
        // what is not changed needs no permission
        assert!(matches!(change(&db, &ours, ours.kari, ours.family, text("Fam. Haugen")).await, BellChanged::Done(_)));
    }

    async fn another_name_is_on_the_panel_for_who_searches(db) {
        let (ours, _) = two_towns(&db).await;
        let alias = |alias: Option<&str>| {
            BellChange { alias: Some(alias.map(|alias| Pii::new(label(alias)))), ..BellChange::default() }
        };
        let BellChanged::Done(bell) = change(&db, &ours, ours.ola, ours.family, alias(Some("Holiday flat"))).await else {
            panic!("another name may be given")
        };
        assert_eq!((&bell.alias, bell.moderation), (&Some(Pii::new(label("Holiday flat"))), Moderation::Pending));
        let directory = db.store.intercom().directory(&ours.as_panel(ours.panel), ours.panel).await.unwrap().unwrap();
        assert!(directory.bells.iter().any(|shown| shown.bell == ours.family && shown.alias == bell.alias));
        allow(&db, &ours, |policy| policy.approve_first = true).await;
        let refused = change(&db, &ours, ours.ola, ours.family, alias(Some("Castle"))).await;
        assert_eq!(refused, BellChanged::Decided(DecidedBy::Administrator));
        let BellChanged::Done(bell) = change(&db, &ours, ours.ola, ours.family, alias(None)).await else {
            panic!("to have less is always allowed")
        };
        assert_eq!(bell.alias, None);
    }

    async fn a_text_that_needs_approval_is_not_on_the_panel(db) {
        let (ours, _) = two_towns(&db).await;
        allow(&db, &ours, |policy| policy.approve_first = true).await;
        let BellChanged::Done(bell) = change(&db, &ours, ours.ola, ours.family, text("Fam. Haugen")).await else {
            panic!("the text may be asked for")
        };
        assert_eq!((bell.label, bell.asked), (Pii::new(label("Haugen")), Some(Pii::new(label("Fam. Haugen")))));
        assert_eq!(bell.moderation, Moderation::Pending);
        assert!(!shown(&db, &ours).await.contains(&"Fam. Haugen".to_owned()));
    }

    async fn a_hidden_button_is_not_on_the_panel_and_does_not_ring(db) {
        let (ours, _) = two_towns(&db).await;
        assert!(shown(&db, &ours).await.contains(&"Haugen".to_owned()) && rings(&db, &ours, ours.family).await);
        assert!(matches!(change(&db, &ours, ours.ola, ours.family, hidden(true)).await, BellChanged::Done(_)));
        assert!(!shown(&db, &ours).await.contains(&"Haugen".to_owned()));
        assert!(!rings(&db, &ours, ours.family).await, "a page that did not hear of it yet can not ring");
        // who may no longer hide may still show
        allow(&db, &ours, |policy| policy.hide = false).await;
        assert!(matches!(change(&db, &ours, ours.ola, ours.family, hidden(false)).await, BellChanged::Done(_)));
        assert!(shown(&db, &ours).await.contains(&"Haugen".to_owned()));
        let refused = change(&db, &ours, ours.ola, ours.family, hidden(true)).await;
        assert_eq!(refused, BellChanged::Decided(DecidedBy::Administrator));
        let refused = change(&db, &ours, ours.ola, ours.family, hours(vec![all_day()])).await;
        assert_eq!(refused, BellChanged::Decided(DecidedBy::Administrator));
    }

    async fn a_timetable_hides_at_once_and_when_it_is_turned(db) {
        let (ours, _) = two_towns(&db).await;
        let BellChanged::Done(bell) = change(&db, &ours, ours.ola, ours.family, hours(vec![all_day()])).await else {
            panic!("a timetable may be set")
        };
        assert!(bell.hours_hide && bell.hours.rows == [all_day()] && !bell.hidden);
        assert!(!shown(&db, &ours).await.contains(&"Haugen".to_owned()));
        let known = db.store.gate().bell_hours().await.unwrap();
        assert_eq!(known.len(), 1);
        assert_eq!((known[0].bell, known[0].tenant, known[0].building), (ours.family, ours.tenant, ours.house));
        assert_eq!((known[0].time_zone.as_str(), known[0].hides), ("Europe/Oslo", true));
        let turn = async |hides| db.store.households().turn_hours(&ours.system(), ours.family, hides).await.unwrap();
        assert!(turn(false).await && !turn(false).await, "only what changes is told");
        assert!(shown(&db, &ours).await.contains(&"Haugen".to_owned()));
        assert!(turn(true).await);
        // no timetable shows it, and there is nothing left to turn
        assert!(matches!(change(&db, &ours, ours.ola, ours.family, hours(vec![])).await, BellChanged::Done(_)));
        assert!(shown(&db, &ours).await.contains(&"Haugen".to_owned()));
        assert!(!turn(true).await && db.store.gate().bell_hours().await.unwrap().is_empty());
        let odd = Hours { days: vec![7], ..all_day() };
        let households = db.store.households();
        let wrong = households.change_my_bell(&ours.as_person(ours.ola), ours.family, 3, hours(vec![odd])).await;
        assert!(matches!(wrong, Err(StorageError::Invalid(_))));
    }

    async fn the_owner_chooses_the_type_among_what_the_policy_names(db) {
        let (ours, _) = two_towns(&db).await;
        let refused = change(&db, &ours, ours.ola, ours.parallel, kind(BellKind::Family)).await;
        assert_eq!(refused, BellChanged::Decided(DecidedBy::UnitOwner));
        let BellChanged::Done(bell) = change(&db, &ours, ours.kari, ours.parallel, kind(BellKind::Family)).await else {
            panic!("family may be chosen")
        };
        assert_eq!(bell.kind, BellKind::Family);
        let refused = change(&db, &ours, ours.kari, ours.parallel, kind(BellKind::Sequential)).await;
        assert_eq!(refused, BellChanged::Decided(DecidedBy::Administrator));
        let impossible = change(&db, &ours, ours.kari, ours.parallel, kind(BellKind::Individual)).await;
        assert_eq!(impossible, BellChanged::NeedsOneMember);
        // a wish of two parts of which one is refused changes nothing
        let both = BellChange { kind: Some(BellKind::Sequential), ..text("Both") };
        assert!(matches!(change(&db, &ours, ours.kari, ours.parallel, both).await, BellChanged::Decided(_)));
        assert!(!shown(&db, &ours).await.contains(&"Both".to_owned()));
    }

    async fn an_owner_takes_somebody_in_who_sets_a_password_and_out_again(db) {
        let (ours, _) = two_towns(&db).await;
        let households = db.store.households();
        let kari = ours.as_person(ours.kari);
        let refused = households.take_in(&kari, NOW, new_member(&ours, 60)).await.unwrap();
        assert_eq!(refused, Joined::Refused(Refused::Decided(DecidedBy::Administrator)));
        allow(&db, &ours, |policy| policy.add_members = true).await;
        let refused = households.take_in(&ours.as_person(ours.ola), NOW, new_member(&ours, 60)).await.unwrap();
        assert_eq!(refused, Joined::Refused(Refused::NotThere), "only who decides for the home");
        let liv = take_in(&db, &ours, 60).await;
        let home = households.mine(&kari).await.unwrap().remove(0);
        let known = home.members.iter().find(|member| member.person == liv).unwrap();
        assert!(known.taken_in && known.invited && !known.has_account && !known.owner);
        let accept = async |token: u64| {
            let (name, password) = (Pii::new(format!("liv{token}")), Pii::new("a hash".to_owned()));
            db.store.gate().accept_invitation(hash(token), NOW, &name, &password).await.unwrap()
        };
        // a new link ends the one before
        let again = WayToMember::Hand(hash(61), NOW.plus(crate::town::MONTH));
        assert_eq!(households.invite_member(&kari, NOW, ours.unit, liv, again).await.unwrap(), Joined::Done);
        assert_eq!(accept(60).await, Followed::Unknown);
        assert!(matches!(accept(61).await, Followed::Good(_)));
        let again = households.invite_member(&kari, NOW, ours.unit, liv, again).await.unwrap();
        assert_eq!(again, Joined::Refused(Refused::NotThem), "a link would be a way into somebody's account");

        let device = ours.new_device(liv, 62);
        assert!(db.store.devices().sign_in(&ours.system(), device.clone()).await.unwrap());
        let reaches = async || {
            let facts = db.store.doors().facts(&ours.as_person(liv), liv, ours.front).await.unwrap();
            facts.is_some_and(|facts| !facts.rights.is_empty() && facts.person_active && facts.site_mode == SiteMode::Normal)
        };
        assert!(reaches().await);
        assert_eq!(households.take_out(&ours.as_person(ours.ola), ours.unit, liv).await.unwrap(), Left::Refused(Refused::NotThere));
        let left = households.take_out(&kari, ours.unit, liv).await.unwrap();
        assert_eq!(left, Left::Done { signed_out: vec![device.device.id], fewer_doors: vec![] });
        assert!(!reaches().await, "the keys to this home end at once");
        assert!(db.store.gate().account("liv61").await.unwrap().is_none());
        let left = households.take_out(&kari, ours.unit, liv).await.unwrap();
        assert_eq!(left, Left::Refused(Refused::NotThere));
    }

    async fn who_is_taken_in_is_rung_together_with_who_took_them_in(db) {
        let (ours, _) = two_towns(&db).await;
        allow(&db, &ours, |policy| policy.add_members = true).await;
        let liv = take_in(&db, &ours, 60).await;
        let rung = async |id| bell(&db, &ours, ours.kari, id).await.unwrap().members.last().unwrap().clone();
        for id in [ours.family, ours.parallel, ours.sequential] {
            assert_eq!((rung(id).await.person, rung(id).await.label), (liv, Pii::new(label("Liv Haugen"))));
        }
        assert_eq!(rung(ours.individual).await.person, ours.kari, "a button of one's own stays that");
        assert_eq!(bell(&db, &ours, ours.kari, ours.family).await.unwrap().moderation, Moderation::Pending);
        assert!(matches!(db.store.households().take_out(&ours.as_person(ours.kari), ours.unit, liv).await, Ok(Left::Done { .. })));
        assert_ne!(rung(ours.family).await.person, liv);
    }

    async fn whom_the_administrators_placed_is_theirs_to_take_out(db) {
        let (ours, _) = two_towns(&db).await;
        let left = db.store.households().take_out(&ours.as_person(ours.kari), ours.unit, ours.ola).await.unwrap();
        assert_eq!(left, Left::Refused(Refused::Decided(DecidedBy::Administrator)));
        assert_eq!(db.store.households().mine(&ours.as_person(ours.ola)).await.unwrap().len(), 1);
        let way = WayToMember::Hand(hash(60), NOW.plus(crate::town::MONTH));
        let refused = db.store.households().invite_member(&ours.as_person(ours.kari), NOW, ours.unit, ours.ola, way).await;
        assert_eq!(refused.unwrap(), Joined::Refused(Refused::NotThere));
    }

    async fn who_lives_elsewhere_too_stays_with_fewer_doors(db) {
        let (ours, _) = two_towns(&db).await;
        allow(&db, &ours, |policy| policy.add_members = true).await;
        let liv = take_in(&db, &ours, 60).await;
        let place = Membership { person: liv, unit: ours.neighbour_unit, owner: false };
        assert!(db.store.people().add_membership(&ours.system(), place).await.unwrap());
        let way = WayToMember::Hand(hash(61), NOW.plus(crate::town::MONTH));
        let refused = db.store.households().invite_member(&ours.as_person(ours.kari), NOW, ours.unit, liv, way).await;
        assert_eq!(refused.unwrap(), Joined::Refused(Refused::NotThem), "a link would open the other home as well");
        let device = ours.new_device(liv, 62);
        assert!(db.store.devices().sign_in(&ours.system(), device.clone()).await.unwrap());
        let left = db.store.households().take_out(&ours.as_person(ours.kari), ours.unit, liv).await.unwrap();
        assert_eq!(left, Left::Done { signed_out: vec![], fewer_doors: vec![device.device.id] });
        let homes = db.store.households().mine(&ours.as_person(liv)).await.unwrap();
        assert_eq!(homes.iter().map(|home| home.unit).collect::<Vec<_>>(), [ours.neighbour_unit]);
    }

    async fn a_home_is_full_at_twelve(db) {
        let (ours, _) = two_towns(&db).await;
        allow(&db, &ours, |policy| policy.add_members = true).await;
        // Kari, Ola and Gone live there
        for number in 60..69 {
            take_in(&db, &ours, number).await;
        }
        let full = db.store.households().take_in(&ours.as_person(ours.kari), NOW, new_member(&ours, 69)).await;
        assert_eq!(full.unwrap(), Joined::Refused(Refused::Full));
    }

    async fn a_member_gets_a_button_of_their_own_where_the_home_has_one(db) {
        let (ours, _) = two_towns(&db).await;
        let give = async |asker, number| {
            let ids: Vec<BellId> = (number..number + 3).map(|number| ours.fresh(number)).collect();
            db.store.households().give_button(&ours.as_person(asker), ours.unit, ours.ola, &ids).await.unwrap()
        };
        assert_eq!(give(ours.ola, 60).await, Joined::Refused(Refused::NotThere));
        allow(&db, &ours, |policy| policy.bell_kinds = vec![BellKind::Family]).await;
        assert_eq!(give(ours.kari, 60).await, Joined::Refused(Refused::Decided(DecidedBy::Administrator)));
        allow(&db, &ours, |policy| policy.bell_kinds.push(BellKind::Individual)).await;
        assert_eq!(give(ours.kari, 60).await, Joined::Done);
        assert!(shown(&db, &ours).await.contains(&"Ola Haugen".to_owned()));
        let own = bell(&db, &ours, ours.ola, ours.fresh(60)).await.unwrap();
        assert_eq!((own.kind, own.members.len(), own.moderation), (BellKind::Individual, 1, Moderation::Pending));
        assert_eq!(give(ours.kari, 63).await, Joined::Refused(Refused::NotThem), "one is enough");
    }

    async fn who_decides_for_a_home_hands_that_on(db) {
        let (ours, _) = two_towns(&db).await;
        let hand_on = async |asker, person| {
            db.store.households().hand_on(&ours.as_person(asker), ours.unit, person).await.unwrap()
        };
        assert_eq!(hand_on(ours.ola, ours.ola).await, Joined::Refused(Refused::NotThere));
        assert_eq!(hand_on(ours.kari, ours.lone).await, Joined::Refused(Refused::NotThere));
        assert_eq!(hand_on(ours.kari, ours.ola).await, Joined::Refused(Refused::NotThem), "nobody could decide");
        assert!(db.store.people().insert_account(&ours.system(), ours.account(ours.ola, "ola")).await.unwrap());
        assert_eq!(hand_on(ours.kari, ours.ola).await, Joined::Done);
        assert_eq!(owners(&db, &ours, ours.kari).await, [ours.ola]);
        assert_eq!(hand_on(ours.kari, ours.ola).await, Joined::Refused(Refused::NotThere));
    }

    async fn a_person_changes_how_they_are_reached_and_not_how_they_are_called(db) {
        let (ours, _) = two_towns(&db).await;
        let (people, kari) = (db.store.people(), ours.as_person(ours.kari));
        let email = Email::new("kari@example.org").ok().map(Pii::new);
        let Changed::Done(after) = people.change_me(&kari, 1, email.clone(), None, Language::Sv).await.unwrap() else {
            panic!("one's own address may be changed")
        };
        assert_eq!((after.version, &after.email, after.language), (2, &email, Language::Sv));
        assert_eq!(people.person(&kari, ours.kari).await.unwrap().unwrap(), after);
        assert_eq!(after.name, Some(Pii::new(label("Kari Haugen"))));
        let late = people.change_me(&kari, 1, None, None, Language::Da).await.unwrap();
        assert_eq!(late, Changed::Conflict(after));
        let query = PeopleQuery { limit: 9, text: "kari@example".to_owned(), ..PeopleQuery::default() };
        let found = people.page(&ours.as_person(ours.manager), &query).await.unwrap();
        assert_eq!(found.people.len(), 1, "administrators find them by it");
        let gone = people.change_me(&ours.as_person(ours.gone), 1, None, None, Language::Da).await.unwrap();
        assert_eq!(gone, Changed::NotFound, "who is suspended changes nothing");
    }

    async fn signing_out_everywhere_else_leaves_this_device(db) {
        let (ours, _) = two_towns(&db).await;
        let (devices, kari) = (db.store.devices(), ours.as_person(ours.kari));
        assert_eq!(devices.sign_out_others(&kari).await.unwrap(), [ours.fresh(51)]);
        let left = devices.list(&kari, ours.kari).await.unwrap();
        assert_eq!(left.iter().map(|device| device.id).collect::<Vec<_>>(), [ours.phone]);
        assert_eq!(devices.list(&ours.as_person(ours.ola), ours.ola).await.unwrap().len(), 1, "nobody else's");
    }
}
