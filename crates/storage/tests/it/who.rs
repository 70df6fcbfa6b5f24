//! Who lives here, who may open, which keys are out, what was forgotten.

use crate::database::{Db, on_both};
use crate::town::{MONTH, NOW, Town, hash, label, stamp, two_towns};
use klinke_access::decide::{
    Cause, Decision, Facts, HolderClass, Order, Presented, Request, SiteMode, decide,
};
use klinke_access::standing::{ClockTrust, Now, Right, standing};
use klinke_access::zone::Wall;
use klinke_model::door::{Door, DoorKind, DoorTimes};
use klinke_model::ids::{BellId, BuildingId, DoorId, PersonId, RoleGrantId, UnitId};
use klinke_model::intercom::{Bell, BellKind};
use klinke_model::people::{Membership, Role, RoleGrant};
use klinke_model::privacy::Pii;
use klinke_model::rule::{AccessRule, DoorGroup, PeopleGroup, Which, Who};
use klinke_model::scope::Scope;
use klinke_model::site::Unit;
use klinke_model::text::Label;
use klinke_model::time::Timestamp;
use klinke_storage::record::{
    Because, Ghost, HomeState, HomesQuery, NewMove, NewRole, Opener, RuleMade, StoredRight,
};
use std::collections::BTreeSet;
use std::time::Duration;

fn named(name: Option<&Pii<Label>>) -> String {
    name.map_or_else(String::new, |name| name.reveal().to_string())
}

/// The homes that a query finds, in pages of two.
async fn homes(db: &Db, scope: &Scope, building: BuildingId, query: HomesQuery) -> Vec<(String, HomeState)> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let query = HomesQuery { after, limit: 2, ..query.clone() };
        let page = db.store.who().homes(scope, building, &query).await.unwrap();
        assert!(page.homes.len() == 2 || !page.more);
        after = page.homes.last().map(|home| home.unit);
        all.extend(page.homes.iter().map(|home| (home.number.to_string(), home.state)));
        if !page.more {
            return all;
        }
    }
}

async fn unit(db: &Db, ours: &Town, number: u64, doors: &[DoorId]) -> UnitId {
    let new = Unit {
        id: ours.fresh(number),
        building: ours.house,
        entrance: ours.entrance,
        number: label(&number.to_string()),
    };
    let (scope, id) = (ours.system(), new.id);
    assert!(db.store.sites().insert_units(&scope, &stamp(1), ours.house, &[new], doors).await.unwrap());
    id
}

async fn lives(db: &Db, ours: &Town, person: PersonId, unit: UnitId) {
    let place = Membership { person, unit, owner: false };
    assert!(db.store.people().add_membership(&ours.system(), place).await.unwrap());
}

async fn person(db: &Db, ours: &Town, number: u64) -> PersonId {
    let new = ours.person(ours.fresh(number), &format!("Person {number}"));
    assert!(db.store.people().insert_person(&ours.system(), new.clone()).await.unwrap());
    new.id
}

async fn sign_in(db: &Db, ours: &Town, person: PersonId, number: u64) {
    assert!(db.store.devices().sign_in(&ours.system(), ours.new_device(person, number)).await.unwrap());
}

async fn button(db: &Db, ours: &Town, id: BellId, unit: UnitId, members: &[PersonId]) {
    let members = members.iter().map(|person| ours.member(*person, "x")).collect();
    let bell = Bell { unit, ..ours.bell(id, "Here", BellKind::Parallel, members) };
    assert!(db.store.intercom().insert_bell(&ours.system(), &stamp(1), bell, None).await.unwrap());
}

/// Everybody whom the list of a door names, in pages of two.
async fn openers(db: &Db, scope: &Scope, door: DoorId) -> Vec<Opener> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let page = db.store.who().openers(scope, door, after, 2).await.unwrap().unwrap();
        after = page.people.last().map(|one| one.person);
        all.extend(page.people);
        if !page.more {
            return all;
        }
    }
}

/// The doors that the list of a person names, in pages of two.
async fn doors_of(db: &Db, scope: &Scope, person: PersonId) -> Vec<DoorId> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let page = db.store.who().doors_of(scope, person, after, 2).await.unwrap();
        after = page.doors.last().map(|one| one.door);
        assert!(page.doors.iter().all(|one| !one.because.is_empty()));
        all.extend(page.doors.iter().map(|one| one.door));
        if !page.more {
            return all;
        }
    }
}

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

async fn granted(db: &Db, scope: &Scope, person: PersonId, door: DoorId) -> bool {
    let stored = db.store.doors().facts(scope, person, door).await.unwrap().unwrap();
    // the rules of this file have no hours
    let held = |right: &StoredRight| Right { schedule: None, from: right.from, until: right.until };
    let now = Now {
        at: scope.at,
        wall: Wall { day: 0, minute: 0 },
        calendar: stored.holidays,
        clock: ClockTrust::Trusted,
    };
    let facts = Facts {
        presented: Presented::Valid,
        person_active: stored.person_active,
        standing: standing(stored.rights.iter().map(held), &now),
        administers_building: stored.administers_building,
        call_offers_door: false,
        class: HolderClass::Resident,
        rights_age: Duration::ZERO,
        needs_longer: false,
        site_mode: stored.site_mode,
        times: stored.door.times,
        door_mode: None,
        order: Order::Kept,
    };
    matches!(decide(&Request { cause: Cause::List }, &facts), Decision::Granted { .. })
}

on_both! {
    async fn every_home_says_whether_it_can_be_rung_and_why_not(db) {
        let (ours, _) = two_towns(&db).await;
        let scope = ours.system();
        // 101 rings, 102 has nobody with an account
        let empty = unit(&db, &ours, 201, &[]).await;
        let suspended = unit(&db, &ours, 202, &[]).await;
        let no_device = unit(&db, &ours, 203, &[]).await;
        let no_button = unit(&db, &ours, 204, &[]).await;
        let astray = unit(&db, &ours, 205, &[]).await;
        lives(&db, &ours, ours.gone, suspended).await;
        let with_account = person(&db, &ours, 301).await;
        assert!(db.store.people().insert_account(&scope, ours.account(with_account, "two")).await.unwrap());
        lives(&db, &ours, with_account, no_device).await;
        lives(&db, &ours, ours.ola, no_button).await;
        // Ola has a device, but the button rings somebody else
        lives(&db, &ours, ours.ola, astray).await;
        lives(&db, &ours, ours.lone, astray).await;
        button(&db, &ours, ours.fresh(401), astray, &[ours.lone]).await;
        button(&db, &ours, ours.fresh(402), empty, &[]).await;

        use HomeState::{Empty, NoAccount, NoButton, NoDevice, NotOnButton, Rung, Suspended};
        let text = |number: &str, state| (number.to_owned(), state);
        let all = [
            text("101", Rung), text("102", NoAccount), text("201", Empty), text("202", Suspended),
            text("203", NoDevice), text("204", NoButton), text("205", NotOnButton),
        ];
        assert_eq!(homes(&db, &scope, ours.house, HomesQuery::default()).await, all);
        let counts = db.store.who().home_counts(&scope, ours.house).await.unwrap();
        assert_eq!(counts, HomeState::ALL.map(|state| (state, 1)));
        let silent: Vec<_> = HomeState::ALL.into_iter().filter(|state| state.is_silent()).collect();
        let query = HomesQuery { states: silent, ..HomesQuery::default() };
        assert_eq!(homes(&db, &scope, ours.house, query).await.len(), 5);
        let found = async |typed: &str| {
            let query = HomesQuery { text: typed.to_owned(), ..HomesQuery::default() };
            homes(&db, &scope, ours.house, query).await.into_iter().map(|(number, _)| number).collect::<Vec<_>>()
        };
        assert_eq!(found("20").await, ["201", "202", "203", "204", "205"]);
        assert_eq!(found("ola").await, ["101", "204", "205"]);
        assert_eq!(found("ola 204").await, ["204"]);
        assert_eq!(found("nobody").await, Vec::<String>::new());
        assert_eq!(homes(&db, &ours.as_person(ours.office_admin), ours.house, HomesQuery::default()).await, []);

        sign_in(&db, &ours, ours.lone, 60).await;
        let states = homes(&db, &scope, ours.house, HomesQuery::default()).await;
        assert_eq!(states[6], text("205", Rung), "whom the button rings has a device now");
        assert_eq!(states[1], text("102", NoButton));
    }

    async fn a_home_tells_its_people_by_name(db) {
        let (ours, _) = two_towns(&db).await;
        let query = HomesQuery { limit: 1, ..HomesQuery::default() };
        let page = db.store.who().homes(&ours.as_person(ours.auditor), ours.house, &query).await.unwrap();
        let home = &page.homes[0];
        assert_eq!((home.number.as_str(), home.entrance.as_str()), ("101", "Oppgang A"));
        let told: Vec<_> = home
            .members
            .iter()
            .map(|one| (named(one.name.as_ref()), one.owner, one.active, one.has_device))
            .collect();
        let one = |name: &str, owner, active| (name.to_owned(), owner, active, true);
        assert_eq!(
            told,
            [one("Gone Haugen", false, false), one("Kari Haugen", true, true), one("Ola Haugen", false, true)]
        );
    }

    async fn a_door_tells_who_may_open_it_and_why(db) {
        let (ours, _) = two_towns(&db).await;
        let scope = ours.as_person(ours.admin);
        let told = |all: &[Opener]| all.iter().map(|one| named(one.name.as_ref())).collect::<Vec<_>>();
        let all = openers(&db, &scope, ours.front).await;
        assert_eq!(told(&all), ["Adam Admin", "Kari Haugen", "Mona Manager", "Ola Haugen"]);
        let Because::Home { unit, number, .. } = &all[1].because[0] else { panic!("{all:?}") };
        assert_eq!((*unit, number.as_str()), (ours.unit, "101"));
        let Because::Role { role, building, ends_at, .. } = &all[0].because[0] else { panic!("{all:?}") };
        let month = Some(NOW.plus(MONTH));
        assert_eq!((*role, *building, *ends_at), (Role::BuildingAdministrator, Some(ours.house), month));
        assert_eq!(told(&openers(&db, &scope, ours.garage).await), ["Adam Admin", "Mona Manager"]);
        // by two homes and a role: named once
        lives(&db, &ours, ours.admin, ours.unit).await;
        lives(&db, &ours, ours.admin, ours.neighbour_unit).await;
        assert!(db.store.doors().give_unit_door(&ours.system(), ours.neighbour_unit, ours.front).await.unwrap());
        let all = openers(&db, &scope, ours.front).await;
        assert_eq!(told(&all), ["Adam Admin", "Kari Haugen", "Lone Lund", "Mona Manager", "Ola Haugen"]);
        assert_eq!(all[0].because.len(), 3);
        for stranger in [ours.kari, ours.office_admin, ours.caretaker, ours.gone] {
            let page = db.store.who().openers(&ours.as_person(stranger), ours.front, None, 9).await.unwrap();
            assert_eq!(page, None);
        }
    }

    async fn who_lives_elsewhere_is_listed_without_a_name(db) {
        let (ours, _) = two_towns(&db).await;
        assert!(db.store.doors().give_unit_door(&ours.system(), ours.office_unit, ours.garage).await.unwrap());
        let clerk = person(&db, &ours, 301).await;
        lives(&db, &ours, clerk, ours.office_unit).await;
        let of = async |who| {
            let all = openers(&db, &ours.as_person(who), ours.garage).await;
            let one = all.into_iter().find(|one| one.person == clerk).unwrap();
            (named(one.name.as_ref()), one.shown)
        };
        assert_eq!(of(ours.admin).await, (String::new(), false));
        assert_eq!(of(ours.manager).await, ("Person 301".to_owned(), true));
        assert_eq!(doors_of(&db, &ours.as_person(ours.manager), clerk).await, [ours.garage]);
        assert_eq!(doors_of(&db, &ours.as_person(ours.office_admin), clerk).await, []);
    }

    async fn in_random_towns_the_lists_are_exactly_whom_the_decision_lets_in(db) {
        let (ours, _) = two_towns(&db).await;
        let scope = &ours.system().at(NOW);
        let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
        let (mut people, mut doors) = (
            vec![ours.manager, ours.admin, ours.office_admin, ours.kari, ours.ola, ours.lone, ours.gone,
                ours.caretaker, ours.auditor, ours.expired, ours.unbound],
            vec![ours.front, ours.garage, ours.office_door],
        );
        let mut units = vec![ours.unit, ours.neighbour_unit, ours.office_unit];
        for number in 500..504 {
            let door = Door {
                id: ours.fresh(number),
                building: if dice.roll(2) == 0 { ours.house } else { ours.office },
                name: label("Door"),
                controller: None,
                output: 0,
                times: DoorTimes::default(),
                kind: DoorKind::Door,
            };
            assert!(db.store.doors().insert_door(scope, &stamp(1), door.clone(), false).await.unwrap());
            doors.push(door.id);
            units.push(unit(&db, &ours, number + 100, &[]).await);
        }
        for number in 700..712 {
            people.push(person(&db, &ours, number).await);
        }
        // in each building two groups of people and two of doors, some of whom are in none
        let mut groups = Vec::new();
        for (number, building) in [(0, ours.house), (1, ours.office), (2, ours.house), (3, ours.office)] {
            let members = people.iter().copied().filter(|_| dice.roll(4) == 0).collect();
            let (of_people, of_doors) = (ours.fresh(800 + number), ours.fresh(810 + number));
            let new = PeopleGroup { id: of_people, building, name: label("Group"), members };
            assert_eq!(db.store.rules().insert_people_group(scope, &stamp(1), new).await.unwrap(), RuleMade::Done);
            let mut held = Vec::new();
            for door in &doors {
                let is_here = db.store.doors().door(scope, *door).await.unwrap().unwrap().building == building;
                if is_here && dice.roll(2) == 0 {
                    held.push(*door);
                }
            }
            let new = DoorGroup { id: of_doors, building, name: label("Group"), doors: held };
            assert_eq!(db.store.rules().insert_door_group(scope, &stamp(1), new).await.unwrap(), RuleMade::Done);
            groups.push((of_people, of_doors));
        }
        let (mut yes, mut no) = (0, 0);
        for round in 0..6_u64 {
            for _ in 0..6 {
                let person = people[dice.roll(people.len() as u64) as usize];
                let (home, door) =
                    (units[dice.roll(units.len() as u64) as usize], doors[dice.roll(doors.len() as u64) as usize]);
                match dice.roll(7) {
                    0 | 1 => {
                        db.store.people().add_membership(scope, Membership { person, unit: home, owner: false }).await.ok();
                    }
                    2 => assert!(db.store.doors().give_unit_door(scope, home, door).await.unwrap()),
                    3 => {
                        db.store.people().set_active(scope, person, dice.roll(3) > 0).await.unwrap();
                    }
                    4 | 5 => {
                        let at_home = dice.roll(2) == 0;
                        let new = AccessRule {
                            id: ours.fresh(20_000 + round * 100 + dice.roll(100)),
                            building: if at_home { ours.house } else { ours.office },
                            name: label("Rule"),
                            who: vec![match dice.roll(6) {
                                0 => Who::Everybody,
                                1 => Who::UnitOwners,
                                2 => Who::Unit(home),
                                3 | 4 => Who::Group(groups[dice.roll(4) as usize].0),
                                _ => Who::Person(person),
                            }],
                            doors: vec![match dice.roll(4) {
                                0 => Which::AllDoors,
                                1 => Which::Group(groups[dice.roll(4) as usize].1),
                                _ => Which::Door(door),
                            }],
                            schedule: None,
                            first_day: None,
                            last_day: None,
                            active: dice.roll(4) > 0,
                        };
                        // some name what is in the other building, and are refused
                        db.store.rules().insert_rule(scope, &stamp(1), new).await.ok();
                    }
                    _ => {
                        let role = Role::ALL[1 + dice.roll(4) as usize];
                        let building = if role.fits(false) && (dice.roll(2) == 0 || !role.fits(true)) {
                            None
                        } else {
                            Some(if dice.roll(2) == 0 { ours.house } else { ours.office })
                        };
                        let id: RoleGrantId = ours.fresh(10_000 + round * 100 + dice.roll(100));
                        let ends_at = Some(NOW.plus(MONTH / (1 + dice.roll(2) as u32)));
                        let new = NewRole { id, person, grant: RoleGrant { role, building, ends_at } };
                        db.store.people().grant_role(scope, &stamp(1), new).await.ok();
                        if dice.roll(2) == 0 {
                            db.store.people().accept_confidentiality(scope, &stamp(1), person).await.unwrap();
                        }
                    }
                }
            }
            // some roles are over by then
            let scope = &scope.at(NOW.plus(MONTH * (dice.roll(2) as u32) / 2));
            for door in &doors {
                let listed: BTreeSet<_> = openers(&db, scope, *door).await.iter().map(|one| one.person).collect();
                for person in &people {
                    let may = granted(&db, scope, *person, *door).await;
                    *(if may { &mut yes } else { &mut no }) += 1;
                    assert_eq!(listed.contains(person), may, "round {round}: {person:?} {door:?}");
                }
                assert!(listed.iter().all(|person| people.contains(person)));
            }
            for person in &people {
                let listed: BTreeSet<_> = doors_of(&db, scope, *person).await.into_iter().collect();
                for door in &doors {
                    assert_eq!(listed.contains(door), granted(&db, scope, *person, *door).await, "{person:?} {door:?}");
                }
            }
        }
        assert!(yes > 50 && no > 50, "{yes} {no}");
    }

    async fn an_emergency_is_told_beside_who_may(db) {
        let (ours, _) = two_towns(&db).await;
        assert!(db.store.sites().set_mode(&ours.system(), &stamp(1), ours.house, SiteMode::LockedDown).await.unwrap());
        let page = db.store.who().openers(&ours.system().at(NOW), ours.front, None, 9).await.unwrap().unwrap();
        assert_eq!((page.site_mode, page.people.len()), (SiteMode::LockedDown, 4));
    }

    async fn keys_are_counted_by_kind_and_never_by_use(db) {
        let (ours, _) = two_towns(&db).await;
        let scope = ours.as_person(ours.admin);
        let ends_at = NOW.plus(MONTH);
        let (links, service) = (db.store.invitations(), ours.system());
        assert!(links.hand_over(&service, &stamp(1), ours.lone, hash(99), ends_at).await.unwrap());
        let (mut told, mut after) = (Vec::new(), None);
        loop {
            let page = db.store.who().keys(&scope, ours.house, after, 2).await.unwrap();
            after = page.holders.last().map(|one| one.person);
            told.extend(page.holders.iter().map(|one| {
                (named(one.name.as_ref()), one.apps, one.stations, one.invited_until.is_some(), one.roles.len(), one.homes.len())
            }));
            if !page.more {
                break;
            }
        }
        let one = |name: &str, apps, stations, invited, roles, homes| {
            (name.to_owned(), apps, stations, invited, roles, homes)
        };
        assert_eq!(told, [
            one("Adam Admin", 0, 0, false, 1, 0),
            one("Aud Auditor", 0, 0, false, 1, 0),
            one("Cato Caretaker", 0, 0, false, 1, 0),
            one("Gone Haugen", 1, 0, false, 1, 1),
            one("Kari Haugen", 1, 1, false, 0, 1),
            one("Lone Lund", 0, 0, true, 0, 1),
            one("Mona Manager", 0, 0, false, 2, 0),
            one("Ola Haugen", 1, 0, false, 0, 1),
            one("Una Unbound", 0, 0, false, 1, 0),
        ]);
        let later = scope.at(ends_at);
        let page = db.store.who().keys(&later, ours.house, None, 50).await.unwrap();
        assert_eq!(page.holders, [], "the asker's own role is over");
        let page = db.store.who().keys(&ours.system().at(ends_at), ours.house, None, 50).await.unwrap();
        assert!(page.holders.iter().all(|one| one.person != ours.lone), "the link is over");
    }

    async fn what_has_no_reason_any_more_is_a_ghost(db) {
        let (ours, _) = two_towns(&db).await;
        let scope = ours.system().at(NOW);
        let of = async |scope: Scope| {
            let mut all: Vec<String> = db
                .store
                .who()
                .ghosts(&scope, ours.house)
                .await
                .unwrap()
                .into_iter()
                .map(|ghost| match ghost {
                    Ghost::Access(who) => format!("access {}", named(who.name.as_ref())),
                    Ghost::Invitation(who) => format!("invitation {}", named(who.name.as_ref())),
                    Ghost::Bell { number, text, .. } => format!("bell {number} {}", text.reveal()),
                    Ghost::SuspendedRole(role) => format!("suspended {}", named(role.who.name.as_ref())),
                    Ghost::EndedRole(role) => format!("ended {}", named(role.who.name.as_ref())),
                    Ghost::Home { number, doors, .. } => format!("home {number} {doors}"),
                    Ghost::Move { number, .. } => format!("move {number}"),
                })
                .collect();
            all.sort();
            all
        };
        assert_eq!(of(scope).await, ["ended Erik Expired", "suspended Gone Haugen"]);
        assert_eq!(of(ours.as_person(ours.admin)).await, Vec::<String>::new(), "roles over all are the manager's");

        let empty = unit(&db, &ours, 201, &[ours.front, ours.garage]).await;
        button(&db, &ours, ours.fresh(401), empty, &[]).await;
        let (stray, guest) = (person(&db, &ours, 301).await, person(&db, &ours, 302).await);
        sign_in(&db, &ours, stray, 61).await;
        let (links, month) = (db.store.invitations(), NOW.plus(MONTH));
        assert!(links.hand_over(&scope, &stamp(1), guest, hash(99), month).await.unwrap());
        let ends_at = Timestamp::from_millis(NOW.as_millis() - 3_600_000);
        let new = NewMove { id: ours.fresh(70), unit: ours.unit, last_day: 1, ends_at, out: vec![ours.ola], to: None, into: vec![] };
        assert!(db.store.moves().plan_move(&scope, &stamp(1), new).await.unwrap());
        let here = ["bell 201 Here", "home 201 2", "move 101"];
        assert_eq!(of(ours.as_person(ours.admin)).await, here);
        assert_eq!(of(ours.as_person(ours.office_admin)).await, Vec::<String>::new());
        assert_eq!(of(ours.as_person(ours.caretaker)).await, Vec::<String>::new());
        let all = [
            "access Person 301", "bell 201 Here", "ended Erik Expired", "home 201 2", "invitation Person 302",
            "move 101", "suspended Gone Haugen",
        ];
        assert_eq!(of(scope).await, all);
        assert_eq!(of(ours.as_person(ours.manager)).await, all);
        // each goes with its reason
        lives(&db, &ours, stray, empty).await;
        assert!(db.store.invitations().withdraw(&scope, &stamp(1), guest).await.unwrap());
        assert!(db.store.people().set_active(&scope, ours.gone, true).await.unwrap());
        assert_eq!(of(scope).await, ["ended Erik Expired", "move 101"]);
    }
}
