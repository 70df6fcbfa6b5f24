//! What the tests find in their database: two property managers, each with the same small town.

use crate::database::Db;
use klinke_model::door::{Controller, Door, DoorKind, DoorTimes, Relock};
use klinke_model::ids::*;
use klinke_model::intercom::{Bell, BellKind, BellMember, Panel};
use klinke_model::people::{Device, DeviceKind, Membership, Person, Role, RoleGrant};
use klinke_model::privacy::Pii;
use klinke_model::schedule::HolidayCalendar;
use klinke_model::scope::{Principal, Scope};
use klinke_model::site::{Building, BuildingKind, Entrance, Tenant, Unit};
use klinke_model::text::Label;
use klinke_model::time::Timestamp;
use klinke_storage::Store;
use klinke_storage::record::{NewAccount, NewDevice, NewInstallation, NewRole, Stamp};
use sea_orm::ConnectionTrait;
use sea_orm::sea_query::Query;
use std::time::Duration;
use uuid::Uuid;

/// The same id for the same number.
pub fn id<T: From<Uuid>>(number: u64) -> T {
    let mut bytes = [7; 16];
    bytes[8..].copy_from_slice(&number.to_be_bytes());
    v4(bytes).into()
}

pub fn label(text: &str) -> Label {
    Label::new(text).unwrap()
}

/// The moment at which the tests ask.
pub const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

pub const MONTH: Duration = Duration::from_secs(30 * 86_400);

/// The same stamp for the same number.
pub fn stamp(number: u64) -> Stamp {
    Stamp { at: NOW, salt: id::<Uuid>(number).into_bytes() }
}

pub fn hash(number: u64) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[24..].copy_from_slice(&number.to_be_bytes());
    bytes
}

/// One property manager: a housing association (house) and an office building beside it (office).
///
/// | who | what they are |
/// |---|---|
/// | manager | runs both buildings |
/// | admin, office_admin | each administers one |
/// | kari, ola | live in 101 (with two devices and one) and have every kind of button |
/// | lone | lives in 102; nobody's administrator, no device |
/// | gone | was a manager, is suspended; lives in 101 too |
/// | caretaker, auditor | of the house |
/// | expired | was a manager until just now |
/// | unbound | administers the house, but did not accept confidentiality |
#[derive(Clone, Copy, Debug)]
pub struct Town {
    pub base: u64,
    pub tenant: TenantId,
    pub house: BuildingId,
    pub office: BuildingId,
    pub entrance: EntranceId,
    pub office_entrance: EntranceId,
    pub unit: UnitId,
    pub neighbour_unit: UnitId,
    pub office_unit: UnitId,
    pub manager: PersonId,
    pub admin: PersonId,
    pub office_admin: PersonId,
    pub kari: PersonId,
    pub ola: PersonId,
    pub lone: PersonId,
    pub gone: PersonId,
    pub caretaker: PersonId,
    pub auditor: PersonId,
    pub expired: PersonId,
    pub unbound: PersonId,
    pub phone: DeviceId,
    pub controller: ControllerId,
    pub spare: ControllerId,
    pub office_controller: ControllerId,
    pub front: DoorId,
    pub garage: DoorId,
    pub office_door: DoorId,
    pub panel: PanelId,
    pub garage_panel: PanelId,
    pub office_panel: PanelId,
    pub individual: BellId,
    pub sequential: BellId,
    pub parallel: BellId,
    pub family: BellId,
}

impl Town {
    /// The ids of the town whose ids begin at `base`.
    pub fn plan(base: u64) -> Self {
        Self {
            base,
            tenant: id(base),
            house: id(base + 1),
            office: id(base + 2),
            entrance: id(base + 3),
            office_entrance: id(base + 4),
            unit: id(base + 5),
            neighbour_unit: id(base + 6),
            office_unit: id(base + 7),
            manager: id(base + 8),
            admin: id(base + 9),
            office_admin: id(base + 10),
            kari: id(base + 11),
            ola: id(base + 12),
            lone: id(base + 13),
            gone: id(base + 14),
            phone: id(base + 15),
            controller: id(base + 16),
            spare: id(base + 17),
            office_controller: id(base + 18),
            front: id(base + 19),
            garage: id(base + 20),
            office_door: id(base + 21),
            panel: id(base + 22),
            garage_panel: id(base + 23),
            office_panel: id(base + 24),
            individual: id(base + 25),
            sequential: id(base + 26),
            parallel: id(base + 27),
            family: id(base + 28),
            caretaker: id(base + 29),
            auditor: id(base + 30),
            expired: id(base + 31),
            unbound: id(base + 32),
        }
    }

    pub fn system(&self) -> Scope {
        Scope::system(self.tenant)
    }

    pub fn as_person(&self, person: PersonId) -> Scope {
        self.scope(Principal::Person { person, device: self.phone })
    }

    pub fn as_panel(&self, panel: PanelId) -> Scope {
        self.scope(Principal::Panel(panel))
    }

    pub fn as_controller(&self, controller: ControllerId) -> Scope {
        self.scope(Principal::Controller(controller))
    }

    fn scope(&self, principal: Principal) -> Scope {
        Scope { tenant: self.tenant, principal, at: NOW, view: None }
    }

    /// An id of this town that nothing has yet.
    pub fn fresh<T: From<Uuid>>(&self, number: u64) -> T {
        id(self.base + 100 + number)
    }

    /// A role until a month from now, with the person's own id.
    pub fn role(&self, person: PersonId, role: Role, building: Option<BuildingId>) -> NewRole {
        let ends_at = Some(NOW.plus(MONTH));
        let id = building.map_or(person.0, |building| {
            v4((person.0.as_u128() ^ building.0.as_u128().rotate_left(8)).to_be_bytes())
        });
        NewRole { id: id.into(), person, grant: RoleGrant { role, building, ends_at } }
    }

    pub fn person(&self, id: PersonId, name: &str) -> Person {
        Person::named(id, label(name))
    }

    pub fn the_house(&self) -> Building {
        Building {
            id: self.house,
            name: label("Bjørkeveien borettslag"),
            address: label("Bjørkeveien 4"),
            kind: BuildingKind::Residential,
            time_zone: "Europe/Oslo".to_owned(),
            holidays: HolidayCalendar::None,
        }
    }

    pub fn the_front(&self) -> Door {
        Door {
            id: self.front,
            building: self.house,
            name: label("Entrance A"),
            controller: Some(self.controller),
            output: 1,
            times: DoorTimes {
                release_ms: 7_000,
                extended_release_ms: 30_000,
                open_ms: 45_000,
                relock: Relock::OnOpen,
            },
            kind: DoorKind::Door,
        }
    }

    pub fn the_garage(&self) -> Door {
        Door {
            id: self.garage,
            building: self.house,
            name: label("Garage"),
            controller: Some(self.controller),
            output: 0,
            times: DoorTimes::default(),
            kind: DoorKind::Door,
        }
    }

    pub fn the_panel(&self) -> Panel {
        Panel {
            id: self.panel,
            building: self.house,
            entrance: Some(self.entrance),
            name: label("Entrance A"),
            // Not in the order of their ids: the order is the installer's.
            doors: vec![self.garage, self.front],
        }
    }

    pub fn member(&self, person: PersonId, text: &str) -> BellMember {
        BellMember { person, label: Pii::new(label(text)) }
    }

    pub fn bell(&self, id: BellId, text: &str, kind: BellKind, members: Vec<BellMember>) -> Bell {
        Bell { id, panel: self.panel, unit: self.unit, label: Pii::new(label(text)), kind, members }
    }

    pub fn the_family(&self) -> Bell {
        let members = vec![
            self.member(self.ola, "Ola"),
            self.member(self.gone, "Gone"),
            self.member(self.kari, "Kari"),
        ];
        self.bell(self.family, "Haugen", BellKind::Family, members)
    }

    pub fn device(&self, id: DeviceId, person: PersonId, name: &str, kind: DeviceKind) -> Device {
        Device { id, person, name: Pii::new(label(name)), kind }
    }

    /// A device that signs in, with session and token of the same number.
    pub fn new_device(&self, person: PersonId, number: u64) -> NewDevice {
        let device = self.fresh(number);
        NewDevice {
            device: self.device(device, person, "phone", DeviceKind::App),
            session: self.fresh(number),
            token_hash: hash(self.base + number),
            expires_day: 20_000,
        }
    }

    pub fn installation(&self) -> NewInstallation {
        NewInstallation {
            tenant: Tenant { id: self.tenant, name: label("Boligbyggelaget") },
            administrator: self.person(self.manager, "Mona Manager"),
            account: self.account(self.manager, &format!("mona{}", self.base)),
            roles: (self.fresh(40), self.fresh(41)),
        }
    }

    pub fn account(&self, person: PersonId, user_name: &str) -> NewAccount {
        NewAccount {
            person,
            user_name: Pii::new(user_name.to_owned()),
            password_hash: Pii::new("$argon2id$v=19$…".to_owned()),
        }
    }

    /// Makes the town; its tenant and manager are there.
    async fn build(&self, store: &Store) {
        let scope = &self.system();
        let (sites, people, doors) = (store.sites(), store.people(), store.doors());
        let office = Building {
            id: self.office,
            name: label("Aker kontor"),
            address: label("Bjørkeveien 6"),
            kind: BuildingKind::Commercial,
            time_zone: "Europe/Stockholm".to_owned(),
            holidays: HolidayCalendar::None,
        };
        assert!(sites.insert_building(scope, &stamp(1), self.the_house()).await.unwrap());
        assert!(sites.insert_building(scope, &stamp(1), office).await.unwrap());
        for (id, building, name) in
            [(self.entrance, self.house, "Oppgang A"), (self.office_entrance, self.office, "Resepsjon")]
        {
            let entrance = Entrance { id, building, name: label(name) };
            assert!(sites.insert_entrance(scope, &stamp(1), entrance).await.unwrap());
        }
        for (id, building, entrance, number) in [
            (self.unit, self.house, self.entrance, "101"),
            (self.neighbour_unit, self.house, self.entrance, "102"),
            (self.office_unit, self.office, self.office_entrance, "Aker AS"),
        ] {
            let unit = Unit { id, building, entrance, number: label(number) };
            assert!(sites.insert_units(scope, &stamp(1), unit.building, &[unit], &[]).await.unwrap());
        }
        for (id, name) in [
            (self.admin, "Adam Admin"),
            (self.office_admin, "Odd Office"),
            (self.kari, "Kari Haugen"),
            (self.ola, "Ola Haugen"),
            (self.lone, "Lone Lund"),
            (self.gone, "Gone Haugen"),
            (self.caretaker, "Cato Caretaker"),
            (self.auditor, "Aud Auditor"),
            (self.expired, "Erik Expired"),
            (self.unbound, "Una Unbound"),
        ] {
            assert!(people.insert_person(scope, self.person(id, name)).await.unwrap());
        }
        for (person, role, building) in [
            (self.admin, Role::BuildingAdministrator, Some(self.house)),
            (self.office_admin, Role::BuildingAdministrator, Some(self.office)),
            (self.gone, Role::Manager, None),
            (self.caretaker, Role::Caretaker, Some(self.house)),
            (self.auditor, Role::Auditor, Some(self.house)),
            (self.unbound, Role::BuildingAdministrator, Some(self.house)),
        ] {
            let new = self.role(person, role, building);
            assert!(people.grant_role(scope, &stamp(1), new).await.unwrap());
        }
        let earlier = Stamp { at: Timestamp::from_millis(NOW.as_millis() - 1), ..stamp(1) };
        let over = self.role(self.expired, Role::Manager, None);
        let over = NewRole { grant: RoleGrant { ends_at: Some(NOW), ..over.grant }, ..over };
        assert!(people.grant_role(scope, &earlier, over).await.unwrap());
        for person in [self.manager, self.admin, self.office_admin, self.gone, self.auditor, self.expired] {
            assert!(people.accept_confidentiality(scope, &stamp(1), person).await.unwrap());
        }
        for (person, unit, owner) in [
            (self.kari, self.unit, true),
            (self.ola, self.unit, false),
            (self.gone, self.unit, false),
            (self.lone, self.neighbour_unit, true),
        ] {
            assert!(people.add_membership(scope, Membership { person, unit, owner }).await.unwrap());
        }
        for (id, building, name, certificate) in [
            (self.controller, self.house, "Basement", 1),
            (self.spare, self.house, "Attic", 2),
            (self.office_controller, self.office, "Server room", 3),
        ] {
            let controller = Controller { id, building, name: label(name) };
            assert!(
                doors
                    .pair_controller(scope, &stamp(1), controller, hash(self.base + certificate), &[])
                    .await
                    .unwrap()
            );
        }
        let office_door = Door {
            id: self.office_door,
            building: self.office,
            name: label("Office"),
            controller: None,
            output: 0,
            times: DoorTimes::default(),
            kind: DoorKind::Door,
        };
        for door in [self.the_front(), self.the_garage(), office_door] {
            assert!(doors.insert_door(scope, &stamp(1), door, false).await.unwrap());
        }
        assert!(doors.give_unit_door(scope, self.unit, self.front).await.unwrap());
        self.build_intercom(store).await;
        self.sign_in_devices(store).await;
        assert!(people.set_active(scope, self.gone, false).await.unwrap());
    }

    async fn build_intercom(&self, store: &Store) {
        let scope = &self.system();
        let intercom = store.intercom();
        let garage = Panel {
            id: self.garage_panel,
            building: self.house,
            entrance: None,
            name: label("Garage"),
            doors: vec![self.garage],
        };
        let office = Panel {
            id: self.office_panel,
            building: self.office,
            entrance: Some(self.office_entrance),
            name: label("Reception"),
            doors: vec![self.office_door],
        };
        assert!(intercom.pair_panel(scope, &stamp(1), self.the_panel(), Some(vec![1, 2, 3])).await.unwrap());
        assert!(intercom.pair_panel(scope, &stamp(1), garage, None).await.unwrap());
        assert!(intercom.pair_panel(scope, &stamp(1), office, None).await.unwrap());
        let both = || vec![self.member(self.kari, "Kari"), self.member(self.ola, "Ola")];
        let kari = vec![self.member(self.kari, "Kari")];
        for (bell, position) in [
            (self.the_family(), 4),
            (self.bell(self.individual, "Kari Haugen", BellKind::Individual, kari), 1),
            (self.bell(self.sequential, "Haugen, in turn", BellKind::Sequential, both()), 2),
            (self.bell(self.parallel, "Haugen, together", BellKind::Parallel, both()), 3),
        ] {
            assert!(intercom.insert_bell(scope, &stamp(1), bell, Some(position)).await.unwrap());
        }
    }

    async fn sign_in_devices(&self, store: &Store) {
        let tablet = self.fresh(51);
        for (device, number) in [
            (self.device(self.phone, self.kari, "Kari's phone", DeviceKind::App), 50),
            (self.device(tablet, self.kari, "Hallway", DeviceKind::Station), 51),
            (self.device(self.fresh(52), self.ola, "Ola's phone", DeviceKind::App), 52),
            (self.device(self.fresh(53), self.gone, "Gone's phone", DeviceKind::App), 53),
        ] {
            let new = NewDevice { device, ..self.new_device(self.kari, number) };
            assert!(store.devices().sign_in(&self.system(), new).await.unwrap());
        }
    }
}

/// Two property managers who know nothing of each other.
pub async fn two_towns(db: &Db) -> (Town, Town) {
    let (ours, theirs) = (Town::plan(1_000), Town::plan(1_000_000));
    assert!(db.store.gate().claim(&stamp(1), ours.installation()).await.unwrap());
    // An installation is claimed once; there is no function yet for a second property manager.
    let connection = db.connection().await;
    let second = Query::insert()
        .into_table("tenant")
        .columns(["tenant", "name"])
        .values_panic([theirs.tenant.0.into(), "Naboen".into()])
        .take();
    connection.execute(&second).await.unwrap();
    connection.close().await.unwrap();
    let (people, scope) = (db.store.people(), theirs.system());
    assert!(people.insert_person(&scope, theirs.person(theirs.manager, "Mats")).await.unwrap());
    let manager = theirs.role(theirs.manager, Role::Manager, None);
    let manager = NewRole { grant: RoleGrant { ends_at: None, ..manager.grant }, ..manager };
    assert!(people.grant_role(&scope, &stamp(1), manager).await.unwrap());
    ours.build(&db.store).await;
    theirs.build(&db.store).await;
    (ours, theirs)
}
