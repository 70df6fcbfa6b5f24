//! The snapshot decides as the server does; and what makes a new one.

use super::*;
use crate::app::standing;
use klinke_access::decide::{Cause, Decision, Order, Reason, Request, SiteMode, decide};
use klinke_access::snapshot::{AtDoor, Rights};
use klinke_access::standing::ClockTrust;
use klinke_model::card::CardView;
use klinke_model::credential::{CredentialKey, CredentialTier};
use klinke_model::door::{Controller, Door, DoorMode, DoorTimes};
use klinke_model::ids::{BuildingId, DoorId, EntranceId, PersonId, ScheduleId, UnitId, v4};
use klinke_model::people::{Membership, Person};
use klinke_model::rule::{AccessRule, NamedSchedule, Which, Who};
use klinke_model::schedule::{Exception, HolidayCalendar, OnHolidays, Schedule, Span};
use klinke_model::scope::Principal;
use klinke_model::site::{Building, BuildingKind, Entrance, Unit};
use klinke_model::text::Label;
use klinke_model::timetable::Hours;
use klinke_storage::Store;
use klinke_storage::record::{CardMade, NewAccount, NewCard, NewInstallation, RuleMade, Stamp};

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
}

impl Town {
    async fn of(seed: u64) -> Self {
        let store = Store::open("sqlite::memory:").await.unwrap();
        let random = Random::seeded(seed);
        let tenant = TenantId(v4(random.bytes()));
        let mut town = Self {
            store,
            scope: Scope::system(tenant),
            building: BuildingId(v4(random.bytes())),
            controller: ControllerId(v4(random.bytes())),
            doors: (0..5).map(|_| DoorId(v4(random.bytes()))).collect(),
            people: Vec::new(),
            random,
        };
        town.found().await;
        let units = town.settle().await;
        town.rule(&units).await;
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
        for _ in 0..8 {
            let first = TODAY - 2 + i64::try_from(self.draw(4)).unwrap();
            let who = match self.draw(4) {
                0 => Who::Everybody,
                1 => Who::UnitOwners,
                2 => Who::Unit(units[self.draw(6)]),
                _ => Who::Person(self.people[self.draw(10)].0),
            };
            let door = Which::Door(self.doors[self.draw(5)]);
            let rule = AccessRule {
                id: v4(self.random.bytes()).into(),
                building: self.building,
                name: label("Rule"),
                who: vec![who],
                doors: vec![if self.draw(5) == 0 { Which::AllDoors } else { door }],
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
        make(self.stored().await, &[], self.controller, KEY, known, now).unwrap()
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
    let (mut kinds, mut asked) = (std::collections::BTreeMap::<String, u32>::new(), 0);
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
                    let kind = match decided {
                        Decision::Granted { .. } => "granted".to_owned(),
                        Decision::Denied(reason) => format!("{reason:?}"),
                    };
                    *kinds.entry(kind).or_default() += 1;
                }
            }
        }
    }
    println!("{asked} decisions: {kinds:?}");
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
