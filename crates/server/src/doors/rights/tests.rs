//! The snapshot decides as the server does; and what makes a new one.

use super::*;
use crate::app::standing;
use klinke_access::decide::{Cause, Decision, Order, Reason, Request, SiteMode, decide};
use klinke_access::snapshot::{AtDoor, Rights};
use klinke_access::standing::ClockTrust;
use klinke_model::card::CardView;
use klinke_model::credential::{CredentialKey, CredentialTier};
use klinke_model::door::{Controller, Door, DoorKind, DoorMode, DoorTimes};
use klinke_model::ids::{BuildingId, DoorId, EntranceId, GuestId, PersonId, ScheduleId, UnitId, v4};
use klinke_model::people::{Membership, Person};
use klinke_model::policy::BuildingPolicy;
use klinke_model::rule::{AccessRule, DoorGroup, NamedSchedule, PeopleGroup, Which, Who};
use klinke_model::schedule::{Exception, HolidayCalendar, OnHolidays, Schedule, Span};
use klinke_model::scope::Principal;
use klinke_model::site::{Building, BuildingKind, Entrance, Unit};
use klinke_model::text::Label;
use klinke_model::timetable::Hours;
use klinke_storage::Store;
use klinke_storage::record::{
    CardMade, GuestMade, MyCodeMade, NewAccount, NewCard, NewGuest, NewInstallation, RuleMade, Stamp,
};

/// Saturday 21 November 2026, 12:00 UTC: 13:00 in Oslo, day 20,778.
const NOON: Timestamp = Timestamp::from_millis(1_795_262_400_000);
const TODAY: i64 = 20_778;
const KEY: HashKey = HashKey([9; 32]);

/// A town that a number makes: one building, five doors of which a controller drives three, six homes, ten people.
struct Town {
    store: Store,
    random: Random,
    scope: Scope,
    building: BuildingId,
    controller: ControllerId,
    doors: Vec<DoorId>,
    people: Vec<(PersonId, CredentialKey)>,
    guests: Vec<GuestId>,
    passes: Passes,
    _folder: tempfile::TempDir,
}

impl Town {
    async fn of(seed: u64) -> Self {
        let store = Store::open("sqlite::memory:").await.unwrap();
        let random = Random::seeded(seed);
        let tenant = TenantId(v4(random.bytes()));
        let folder = tempfile::tempdir().unwrap();
        let mut town = Self {
            store,
            scope: Scope::system(tenant),
            building: BuildingId(v4(random.bytes())),
            controller: ControllerId(v4(random.bytes())),
            doors: (0..5).map(|_| DoorId(v4(random.bytes()))).collect(),
            people: Vec::new(),
            guests: Vec::new(),
            passes: Passes::open(folder.path(), &random).unwrap(),
            random,
            _folder: folder,
        };
        town.found().await;
        let units = town.settle().await;
        town.rule(&units).await;
        town.invite(&units).await;
        town
    }

    /// Less than `below`.
    fn draw(&self, below: usize) -> usize {
        usize::from(u16::from_be_bytes(self.random.bytes())) % below
    }

    fn stamp(&self) -> Stamp {
        Stamp { at: NOON, salt: self.random.bytes() }
    }

    fn itself(&self) -> Scope {
        Scope { principal: Principal::Controller(self.controller), ..self.scope }
    }

    /// The tenant, the building, its doors and controllers.
    async fn found(&self) {
        let manager = PersonId(v4(self.random.bytes()));
        let new = NewInstallation {
            tenant: klinke_model::site::Tenant { id: self.scope.tenant, name: label("Town") },
            administrator: Person::named(manager, label("Manager")),
            account: NewAccount {
                person: manager,
                user_name: klinke_model::privacy::Pii::new("manager".to_owned()),
                password_hash: klinke_model::privacy::Pii::new("no".to_owned()),
            },
            roles: (v4(self.random.bytes()).into(), v4(self.random.bytes()).into()),
        };
        assert!(self.store.gate().claim(&self.stamp(), new).await.unwrap());
        let site = Building {
            id: self.building,
            name: label("House"),
            address: label("Street 1"),
            kind: BuildingKind::Residential,
            time_zone: ["Europe/Oslo", "Europe/Helsinki", "America/New_York"][self.draw(3)].to_owned(),
            holidays: [HolidayCalendar::None, HolidayCalendar::Norway][self.draw(2)],
        };
        assert!(self.store.sites().insert_building(&self.scope, &self.stamp(), site).await.unwrap());
        if self.draw(8) == 0 {
            let mode = SiteMode::LockedDown;
            assert!(
                self.store.sites().set_mode(&self.scope, &self.stamp(), self.building, mode).await.unwrap()
            );
        }
        let other = ControllerId(v4(self.random.bytes()));
        for (place, door) in self.doors.iter().enumerate() {
            let new = Door {
                id: *door,
                building: self.building,
                name: label("Door"),
                controller: None,
                output: 0,
                times: DoorTimes {
                    release_ms: 3_000 + 100 * u32::try_from(place).unwrap(),
                    ..DoorTimes::default()
                },
                // which it is makes no difference to who may
                kind: [DoorKind::Door, DoorKind::Floor][self.draw(2)],
            };
            assert!(self.store.doors().insert_door(&self.scope, &self.stamp(), new, false).await.unwrap());
        }
        for (id, drives) in [
            (self.controller, vec![(self.doors[0], 2), (self.doors[1], 0), (self.doors[2], 5)]),
            (other, vec![(self.doors[3], 0)]),
        ] {
            let new = Controller { id, building: self.building, name: label("Box") };
            let (certificate, stamp, doors) = (self.random.bytes(), self.stamp(), self.store.doors());
            assert!(doors.pair_controller(&self.scope, &stamp, new, certificate, &drives).await.unwrap());
        }
    }

    /// Homes with door sets, and people with cards: who live in one, two or none of them.
    async fn settle(&mut self) -> Vec<UnitId> {
        let entrance = EntranceId(v4(self.random.bytes()));
        let stair = Entrance { id: entrance, building: self.building, name: label("A") };
        assert!(self.store.sites().insert_entrance(&self.scope, &self.stamp(), stair).await.unwrap());
        let mut units = Vec::new();
        for number in 0..6 {
            let unit = Unit {
                id: UnitId(v4(self.random.bytes())),
                building: self.building,
                entrance,
                number: label(&number.to_string()),
            };
            units.push(unit.id);
            let (id, sites) = (unit.id, self.store.sites());
            assert!(
                sites.insert_units(&self.scope, &self.stamp(), self.building, &[unit], &[]).await.unwrap()
            );
            for door in &self.doors {
                if self.draw(4) == 0 {
                    assert!(self.store.doors().give_unit_door(&self.scope, id, *door).await.unwrap());
                }
            }
        }
        for number in 0..10_u32 {
            let person = PersonId(v4(self.random.bytes()));
            let mut new = Person::named(person, label("Somebody"));
            new.needs_longer = self.draw(3) == 0;
            assert!(self.store.people().insert_person(&self.scope, new).await.unwrap());
            // to be given a card one lives there, for a while at least
            let home = units[self.draw(6)];
            let lives = |unit, owner| Membership { person, unit, owner };
            let people = self.store.people();
            assert!(people.add_membership(&self.scope, lives(home, self.draw(2) == 0)).await.unwrap());
            let second = units[self.draw(6)];
            if self.draw(3) == 0 && second != home {
                assert!(people.add_membership(&self.scope, lives(second, false)).await.unwrap());
            }
            let key = CardView::Serial.read(&format!("04{number:012X}")).unwrap();
            let card = NewCard {
                id: v4(self.random.bytes()).into(),
                person,
                name: label("Card"),
                key,
                view: CardView::Serial,
                tier: CredentialTier::Identifier,
            };
            let given = self.store.cards().insert_card(&self.scope, &self.stamp(), self.building, card).await;
            assert!(matches!(given.unwrap(), CardMade::Done(_)));
            if self.draw(4) == 0 {
                assert!(people.set_active(&self.scope, person, false).await.unwrap());
            }
            self.people.push((person, key));
        }
        units
    }

    /// Guests of the administration and of residents, for a while, at hours, once; and some codes of people's own.
    async fn invite(&mut self, units: &[UnitId]) {
        let policy =
            BuildingPolicy { own_codes: true, duress_codes: self.draw(2) == 0, ..BuildingPolicy::default() };
        let (sites, guests) = (self.store.sites(), self.store.guests());
        sites.set_policy(&self.scope, &self.stamp(), self.building, 0, policy).await.unwrap();
        let asking = |person| {
            let device = v4([0; 16]).into();
            Scope { principal: Principal::Person { person, device }, ..self.scope.at(NOON) }
        };
        for (person, _) in &self.people {
            if self.draw(2) == 0 {
                let choices = self.passes.own_choices(self.scope.tenant, self.building, *person, 7);
                let made =
                    self.store.own_codes().renew_my_code(&asking(*person), self.building, choices).await;
                // who is suspended gets none
                assert!(matches!(made.unwrap(), MyCodeMade::Done(_) | MyCodeMade::NotThere));
            }
        }
        let mut all = Vec::new();
        for _ in 0..40 {
            let unit = (self.draw(4) > 0).then(|| units[self.draw(6)]);
            let host = self.people[self.draw(10)].0;
            let scope = if unit.is_some() { asking(host) } else { self.scope };
            let starts_at = NOON.as_millis() + (i64::try_from(self.draw(60)).unwrap() - 40) * 3_600_000;
            let from = u16::try_from(self.draw(1_440)).unwrap();
            let hours = Hours { days: vec![0, 1, 4, 5, 6], from, until: 1 + (from + 600) % 1_440 };
            let id = GuestId(v4(self.random.bytes()));
            let new = NewGuest {
                id,
                building: self.building,
                unit,
                name: klinke_model::privacy::Pii::new(label("Guest")),
                doors: (0..=self.draw(3)).map(|_| self.doors[self.draw(5)]).collect(),
                starts_at: Timestamp::from_millis(starts_at),
                ends_at: Timestamp::from_millis(
                    starts_at + 3_600_000 + i64::try_from(self.draw(40_000)).unwrap() * 3_001,
                ),
                hours: (self.draw(2) == 0).then(|| Schedule { hours: vec![hours], ..Schedule::default() }),
                once: self.draw(3) == 0,
                codes: self.passes.choices(self.scope.tenant, self.building, id, None),
            };
            let once = new.once;
            // not in every home, and not with every door: those are refused
            if let GuestMade::Done(_) = guests.insert_guest(&scope, &self.stamp(), new).await.unwrap() {
                if once && self.draw(3) == 0 {
                    assert!(guests.take_once(&self.scope, id).await.unwrap());
                }
                all.push(id);
            }
        }
        self.guests = all;
        // what guests have goes with their hosts
        for (person, _) in &self.people {
            if self.draw(6) == 0 {
                assert!(self.store.people().set_active(&self.scope, *person, false).await.unwrap());
            }
        }
    }

    /// The codes that somebody has, and whether each is for duress.
    async fn own_codes(&self, person: PersonId) -> Vec<(CredentialKey, bool)> {
        let asking = Principal::Person { person, device: v4([0; 16]).into() };
        let scope = Scope { principal: asking, ..self.scope.at(NOON) };
        let codes = self.store.own_codes().my_codes(&scope).await.unwrap();
        let Some((number, duress)) = codes.iter().find_map(|code| Some((code.number?, code.duress))) else {
            return Vec::new();
        };
        let code = self.passes.own_code(self.scope.tenant, self.building, person, number);
        let mut all = vec![(CredentialKey::code(&code).unwrap(), false)];
        if duress {
            all.push((CredentialKey::code(&passes::under_duress(&code)).unwrap(), true));
        }
        all
    }

    /// Eight rules of every kind.
    async fn rule(&self, units: &[UnitId]) {
        let mut schedules = Vec::new();
        for number in 0..3_i64 {
            let from = u16::try_from(self.draw(1_440)).unwrap();
            let new = NamedSchedule {
                id: ScheduleId(v4(self.random.bytes())),
                building: self.building,
                name: label("Hours"),
                schedule: Schedule {
                    hours: vec![Hours { days: vec![0, 2, 4, 5], from, until: 1 + (from + 600) % 1_440 }],
                    holidays: [OnHolidays::AsUsual, OnHolidays::Closed][self.draw(2)].clone(),
                    exceptions: vec![Exception {
                        first: TODAY + number,
                        last: TODAY + number,
                        spans: vec![Span { from: 600, until: 1_000 }],
                    }],
                },
            };
            assert!(
                self.store.rules().insert_schedule(&self.scope, &self.stamp(), new.clone()).await.unwrap()
            );
            schedules.push(new.id);
        }
        let (mut people_groups, mut door_groups) = (Vec::new(), Vec::new());
        for _ in 0..2 {
            let members = self.people.iter().map(|(person, _)| *person).filter(|_| self.draw(3) == 0);
            let (id, building, name) = (v4(self.random.bytes()), self.building, label("Group"));
            let new = PeopleGroup { id: id.into(), building, name: name.clone(), members: members.collect() };
            people_groups.push(new.id);
            let made = self.store.rules().insert_people_group(&self.scope, &self.stamp(), new).await.unwrap();
            assert_eq!(made, RuleMade::Done);
            let doors = self.doors.iter().copied().filter(|_| self.draw(3) == 0).collect();
            let new = DoorGroup { id: id.into(), building, name, doors };
            door_groups.push(new.id);
            let made = self.store.rules().insert_door_group(&self.scope, &self.stamp(), new).await.unwrap();
            assert_eq!(made, RuleMade::Done);
        }
        for _ in 0..8 {
            let first = TODAY - 2 + i64::try_from(self.draw(4)).unwrap();
            let who = match self.draw(6) {
                0 => Who::Everybody,
                1 => Who::UnitOwners,
                2 => Who::Unit(units[self.draw(6)]),
                3 | 4 => Who::Group(people_groups[self.draw(2)]),
                _ => Who::Person(self.people[self.draw(10)].0),
            };
            let door = Which::Door(self.doors[self.draw(5)]);
            let rule = AccessRule {
                id: v4(self.random.bytes()).into(),
                building: self.building,
                name: label("Rule"),
                who: vec![who],
                doors: vec![match self.draw(6) {
                    0 => Which::AllDoors,
                    1 | 2 => Which::Group(door_groups[self.draw(2)]),
                    _ => door,
                }],
                schedule: (self.draw(3) > 0).then(|| schedules[self.draw(3)]),
                first_day: (self.draw(2) == 0).then_some(first),
                last_day: (self.draw(2) == 0).then(|| first + i64::try_from(self.draw(3)).unwrap()),
                active: self.draw(6) > 0,
            };
            let made = self.store.rules().insert_rule(&self.scope, &self.stamp(), rule).await.unwrap();
            assert_eq!(made, RuleMade::Done);
        }
    }

    async fn stored(&self) -> ControllerRights {
        self.store.doors().controller_rights(&self.itself(), self.controller).await.unwrap().unwrap()
    }

    async fn made(&self, known: Option<Held>, now: Timestamp) -> Option<Made> {
        let stored = self.stored().await;
        let codes = typed(&self.passes, self.scope.tenant, &stored);
        make(stored, &codes, self.controller, KEY, known, now).unwrap()
    }

    /// As a controller takes it.
    async fn compiled(&self) -> Rights {
        let (_, bytes, shards) = self.made(None, NOON).await.unwrap();
        let manifest: Manifest = serde_json::from_slice(&bytes).unwrap();
        let shards: Vec<Shard> =
            manifest.shards.iter().map(|name| Shard(shards[&name.parse().unwrap()].clone())).collect();
        compile(manifest, &shards).unwrap()
    }
}

fn label(text: &str) -> Label {
    Label::new(text).unwrap()
}

/// For every person before every door at moments around the turns of hours and days: the snapshot decides as the server
/// does, for the same reason and for as long.
#[tokio::test]
async fn the_snapshot_decides_as_the_server_does() {
    let (mut kinds, mut asked, mut own) = (std::collections::BTreeMap::<String, u32>::new(), 0, 0);
    for seed in 1..=25 {
        let town = Town::of(seed).await;
        let rights = town.compiled().await;
        let doors: Vec<DoorId> = rights.doors().iter().map(|door| door.door).collect();
        assert_eq!(doors, [town.doors[1], town.doors[0], town.doors[2]], "by output");
        for (person, card) in &town.people {
            let mut facts = Vec::new();
            for door in &doors {
                facts.push(town.store.doors().facts(&town.scope, *person, *door).await.unwrap().unwrap());
            }
            let has_rights = facts.iter().any(|stored| !stored.rights.is_empty());
            for (place, stored) in (0_u8..).zip(&facts) {
                for hours in [-50, -37, -26, -13, -1, 0, 5, 11, 12, 23, 36, 61] {
                    let at = Timestamp::from_millis(NOON.as_millis() + hours * 3_600_000);
                    let now = standing::now_at(stored, at);
                    let told = standing::facts(stored, &now, Some(DoorMode::Locked));
                    let request = Request { cause: Cause::AtDoor };
                    // who has no right to any of its doors is nobody to the controller
                    let expected = if has_rights {
                        decide(&request, &told)
                    } else {
                        Decision::Denied(Reason::CredentialUnknown)
                    };
                    let at_door = AtDoor {
                        door: place,
                        at,
                        clock: ClockTrust::Trusted,
                        rights_age: Duration::ZERO,
                        mode: DoorMode::Locked,
                        order: Order::Kept,
                        used: false,
                    };
                    let (facts, _) = rights.facts_at(KEY.credential(card), &at_door).unwrap();
                    let decided = decide(&request, &facts);
                    assert_eq!(decided, expected, "seed {seed}, door {place}, {hours} h");
                    asked += 1;
                    // their own code opens as their card does, and so does the one for duress where there is one
                    for (code, duress) in town.own_codes(*person).await {
                        let (facts, found) = rights.facts_at(KEY.credential(&code), &at_door).unwrap();
                        let of_code = decide(&request, &facts);
                        assert_eq!(of_code, expected, "seed {seed}, door {place}, {hours} h");
                        assert_eq!(found.map(|found| found.duress), has_rights.then_some(duress));
                        own += 1;
                    }
                    let kind = match decided {
                        Decision::Granted { .. } => "granted".to_owned(),
                        Decision::Denied(reason) => format!("{reason:?}"),
                    };
                    *kinds.entry(kind).or_default() += 1;
                }
            }
        }
    }
    println!("{asked} decisions: {kinds:?}; {own} by codes of their own");
    assert!(own > 1_000, "{own}");
    for kind in [
        "granted",
        "NoRight",
        "RightOver",
        "RightNotYet",
        "OutsideHours",
        "PersonSuspended",
        "SiteLockedDown",
    ] {
        assert!(kinds.get(kind).is_some_and(|times| *times > 20), "{kind} is hardly asked: {kinds:?}");
    }
}

/// The same for guests, of whomever: at whatever moments, and to the millisecond at which their time begins and ends. Who may
/// come once and is just coming is nobody to the snapshot.
#[tokio::test]
async fn the_snapshot_decides_on_guests_as_the_server_does() {
    let (mut kinds, mut asked) = (std::collections::BTreeMap::<String, u32>::new(), 0);
    for seed in 1..=25 {
        let town = Town::of(seed).await;
        let rights = town.compiled().await;
        for id in &town.guests {
            let guest = town.store.guests().guest_facts(&town.scope, *id).await.unwrap().unwrap();
            let code = CredentialKey::code(&town.passes.code(&guest)).unwrap();
            let is_known = rights.doors().iter().any(|plan| {
                guest.doors.iter().any(|one| one.door.id == plan.door && one.held) && !guest.taken
            });
            let (begin, end) = (guest.starts_at.as_millis(), guest.ends_at.as_millis());
            let hours =
                [-50, -26, -13, -1, 0, 5, 11, 23, 36].map(|hours| NOON.as_millis() + hours * 3_600_000);
            for at in hours.into_iter().chain([begin - 1, begin, end - 1, end]).map(Timestamp::from_millis) {
                for (place, plan) in (0_u8..).zip(rights.doors()) {
                    let at_door = AtDoor {
                        door: place,
                        at,
                        clock: ClockTrust::Trusted,
                        rights_age: Duration::ZERO,
                        mode: DoorMode::Locked,
                        order: Order::Kept,
                        used: false,
                    };
                    let (facts, found) = rights.facts_at(KEY.credential(&code), &at_door).unwrap();
                    let request = Request { cause: Cause::AtDoor };
                    let decided = decide(&request, &facts);
                    let theirs = guest.doors.iter().find(|one| one.door.id == plan.door);
                    let expected = match theirs {
                        _ if !is_known => Decision::Denied(Reason::CredentialUnknown),
                        Some(door) => {
                            let told = standing::guest_facts(&guest, door, at, Some(DoorMode::Locked));
                            decide(&request, &told)
                        }
                        None => {
                            assert!(matches!(decided, Decision::Denied(_)), "not one of theirs");
                            continue;
                        }
                    };
                    // in the second in which it begins or ends a controller may say of the right what the server says of the pass
                    let second = |millis: i64| millis.div_euclid(1_000);
                    let turns = [begin, end].map(second).contains(&second(at.as_millis()));
                    if turns {
                        let granted = |decision| matches!(decision, Decision::Granted { .. });
                        assert_eq!(granted(decided), granted(expected), "seed {seed}, door {place}, {at:?}");
                    } else {
                        assert_eq!(decided, expected, "seed {seed}, door {place}, {at:?}");
                    }
                    assert_eq!(found.map(|found| found.once), is_known.then_some(guest.once));
                    if guest.once && is_known {
                        let used = AtDoor { used: true, ..at_door };
                        let (facts, _) = rights.facts_at(KEY.credential(&code), &used).unwrap();
                        assert!(matches!(decide(&request, &facts), Decision::Denied(_)));
                    }
                    asked += 1;
                    let kind = match expected {
                        Decision::Granted { .. } if guest.once => "once".to_owned(),
                        Decision::Granted { .. } => "granted".to_owned(),
                        Decision::Denied(reason) => format!("{reason:?}"),
                    };
                    *kinds.entry(kind).or_default() += 1;
                }
            }
        }
    }
    println!("{asked} decisions on guests: {kinds:?}");
    for kind in [
        "granted",
        "once",
        "NoRight",
        "CredentialOver",
        "CredentialNotYet",
        "CredentialUnknown",
        "OutsideHours",
        "PersonSuspended",
        "SiteLockedDown",
    ] {
        assert!(kinds.get(kind).is_some_and(|times| *times > 5), "{kind} is hardly asked: {kinds:?}");
    }
}

#[tokio::test]
async fn only_another_content_makes_a_new_number_and_numbers_never_go_back() {
    let town = Town::of(7).await;
    let (held, ..) = town.made(None, NOON).await.unwrap();
    assert_eq!(held.revision, u64::try_from(NOON.as_millis()).unwrap());
    let later = NOON.plus(Duration::from_secs(9));
    assert!(town.made(Some(held), later).await.is_none(), "nothing changed");
    // what a controller tells of is compared, whoever made it: a server that was restored goes on above it
    let ahead = Held { revision: u64::MAX - 7, ..held };
    let (next, ..) = town.made(Some(ahead), later).await.unwrap();
    assert_eq!(next.revision, u64::MAX - 6);

    let (person, _) = town.people[0];
    let stranger = Person::named(PersonId(v4([3; 16])), label("Elsewhere"));
    assert!(town.store.people().insert_person(&town.scope, stranger).await.unwrap());
    assert!(town.made(Some(held), later).await.is_none(), "a change that does not matter here");
    let active = town.stored().await.holders.iter().find(|holder| holder.person == person).unwrap().active;
    assert!(town.store.people().set_active(&town.scope, person, !active).await.unwrap());
    let (next, ..) = town.made(Some(held), later).await.unwrap();
    assert!(next.revision > held.revision && next.manifest != held.manifest);
    assert!(town.made(Some(next), later).await.is_none());
}

#[test]
fn no_two_controllers_and_no_two_installations_hash_alike() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let [one, other] =
        folders.each_ref().map(|folder| Making::open(folder.path(), &Random::system()).unwrap());
    let (tenant, a, b) = (TenantId(v4([1; 16])), ControllerId(v4([2; 16])), ControllerId(v4([3; 16])));
    assert_ne!(one.hash_key(tenant, a), one.hash_key(tenant, b));
    assert_ne!(one.hash_key(tenant, a), other.hash_key(tenant, a));
    let again = Making::open(folders[0].path(), &Random::system()).unwrap();
    assert_eq!(one.hash_key(tenant, a), again.hash_key(tenant, a), "after a restart");
    std::fs::write(folders[0].path().join("doors.key"), "short").unwrap();
    assert!(matches!(Making::open(folders[0].path(), &Random::system()), Err(MakingError::Damaged(_))));
}

#[test]
fn a_look_that_came_to_nothing_confirms_nothing() {
    let held = |revision| Held { revision, issued: NOON, manifest: Digest([1; 32]) };
    let offer =
        Offer { held: held(8), manifest: Vec::new(), signature: Vec::new(), shards: HashMap::default() };
    let rows = [
        (Ok(None), Some(held(7)), Some(7)),
        (Ok(None), None, None),
        (Ok(Some(offer)), Some(held(7)), Some(8)),
        (Err(LookError::CutShort), Some(held(7)), None),
    ];
    for (found, known, expected) in rows {
        assert_eq!(newest_of(&found, known), expected);
    }
    let newest = Newest::default();
    assert_eq!(newest.get(), None);
    newest.set(Some(7));
    assert_eq!(newest.get(), Some(7));
    newest.set(None);
    assert_eq!(newest.get(), None);
}
