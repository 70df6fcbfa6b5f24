//! A residential house with all four kinds of doorbell on two panels, four doors and their controller.
//!
//! | bell   | kind       | rings, in order   | unit  |
//! |--------|------------|-------------------|-------|
//! | Dahl   | individual | kari              | H0101 |
//! | Berg   | sequential | nora, emil        | H0102 |
//! | Nguyen | parallel   | linh, anh         | H0201 |
//! | Olsen  | family     | ingrid, per, liv  | H0202 |
//!
//! Doors and outputs: front (0) and gate (1) are open to all, garage (2) to the Olsens, boiler (3) to nobody. The
//! panel "Entrance A" offers front and boiler, the panel "Gate" offers gate.

use super::app::{App, Phone};
use super::door::{Controller, ControllerKey};
use super::panel::{self, PanelKey};
use super::until;
use crate::world::{Browser, MANAGER, PASSWORD, claim, config, label, second_tenant};
use klinke_model::door::{Door, DoorKind, DoorTimes};
use klinke_model::ids::{BellId, BuildingId, DoorId, EntranceId, PersonId, TenantId, UnitId};
use klinke_model::intercom::{Bell, BellKind, BellMember, Panel};
use klinke_model::people::{Membership, Person};
use klinke_model::privacy::Pii;
use klinke_model::schedule::HolidayCalendar;
use klinke_model::scope::Scope;
use klinke_model::site::{Building, BuildingKind, Entrance, Unit};
use klinke_model::time::{Clock, SystemClock};
use klinke_server::config::Config;
use klinke_server::node::{self, Node, Running};
use klinke_server::random::Random;
use klinke_storage::record::NewAccount;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

const HOMES: [(&str, BellKind, &str, &[&str]); 4] = [
    ("Dahl", BellKind::Individual, "H0101", &["kari"]),
    ("Berg", BellKind::Sequential, "H0102", &["nora", "emil"]),
    ("Nguyen", BellKind::Parallel, "H0201", &["linh", "anh"]),
    ("Olsen", BellKind::Family, "H0202", &["ingrid", "per", "liv"]),
];

/// What is in the house: outlives the server.
#[derive(Clone)]
pub struct Plan {
    pub tenant: TenantId,
    pub building: BuildingId,
    pub front: DoorId,
    pub gate: DoorId,
    pub garage: DoorId,
    pub boiler: DoorId,
    pub entrance_panel: PanelKey,
    pub gate_panel: PanelKey,
    pub controller: ControllerKey,
    people: HashMap<&'static str, PersonId>,
    units: HashMap<&'static str, UnitId>,
    /// By the name on it: at the entrance, at the gate.
    bells: HashMap<&'static str, (BellId, BellId)>,
}

impl Plan {
    /// A bell of the panel "Entrance A".
    pub fn bell(&self, name: &str) -> BellId {
        self.bells[name].0
    }

    /// A bell of the panel "Gate".
    pub fn gate_bell(&self, name: &str) -> BellId {
        self.bells[name].1
    }

    pub fn person(&self, user_name: &str) -> PersonId {
        self.people[user_name]
    }

    /// The home behind a bell.
    pub fn unit(&self, bell: &str) -> UnitId {
        self.units[bell]
    }
}

/// The house, with its server.
pub struct House {
    pub folder: tempfile::TempDir,
    pub running: Running,
    pub manager: Browser,
    pub plan: Plan,
}

/// How people, their accounts excepted, are called in a house: by a name made of their user name.
pub type Naming = fn(&str) -> String;

impl House {
    pub async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// With another configuration.
    pub async fn with(change: impl FnOnce(&mut Config)) -> Self {
        Self::build(change, Arc::new(SystemClock::start()), Random::system(), str::to_owned).await
    }

    /// With everything that can be chosen.
    pub async fn build(
        change: impl FnOnce(&mut Config),
        clock: Arc<dyn Clock>,
        random: Random,
        naming: Naming,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut config = config(&folder.path().join("data"));
        change(&mut config);
        let running = node::start(config, clock, random).await.unwrap();
        let manager = Browser::at([127, 0, 0, 1], running.address);
        let claimed = manager.post("/api/v1/setup/claim", claim(&running.node.setup.code())).await;
        assert_eq!(claimed.status, 201, "{claimed:?}");
        let bound = manager.post("/api/v1/confidentiality", serde_json::json!({ "version": 1 })).await;
        assert_eq!(bound.status, 204, "{bound:?}");
        let state = folder.path().join("controller");
        let plan = furnish(&running, &manager, &state, naming).await;
        Self { folder, running, manager, plan }
    }

    pub fn node(&self) -> &Arc<Node> {
        &self.running.node
    }

    pub fn at(&self) -> SocketAddr {
        self.running.address
    }

    pub fn scope(&self) -> Scope {
        Scope::system(self.plan.tenant)
    }

    /// The panel at the entrance, connected.
    pub async fn panel(&self) -> panel::Panel {
        self.plan.entrance_panel.connect(self.at()).await
    }

    /// The panel at the gate, connected.
    pub async fn gate_panel(&self) -> panel::Panel {
        self.plan.gate_panel.connect(self.at()).await
    }

    /// A resident's phone, signed in.
    pub async fn phone(&self, user_name: &str) -> Phone {
        Phone::sign_in(self.at(), user_name, &format!("Phone of {user_name}")).await
    }

    /// A resident's phone, signed in and connected.
    pub async fn app(&self, user_name: &str) -> App {
        self.phone(user_name).await.connect(self.at()).await
    }

    /// The door controller, linked, its doors known.
    pub async fn controller(&self) -> Controller {
        let controller = self.plan.controller.start(self.running.controllers);
        let doors = [self.plan.front, self.plan.gate, self.plan.garage, self.plan.boiler];
        until("every door's state", || doors.iter().all(|door| self.node().presence.door(*door).is_some()))
            .await;
        controller
    }

    /// Another tenant's house: a bell, a door that opens from its panel, and the panel.
    pub async fn neighbours(&self) -> (BellId, DoorId, PanelKey) {
        let (node, store) = (self.node(), &self.node().store);
        let scope = Scope::system(second_tenant(node).await);
        let (building, entrance, unit, door, bell): (_, _, UnitId, _, _) =
            (id(node), id(node), id(node), id(node), id(node));
        let (stair, home) = (
            Entrance { id: entrance, building, name: label("A") },
            Unit { id: unit, building, entrance, number: label("1") },
        );
        assert!(
            store
                .sites()
                .insert_building(&scope, &self.node().stamp(), house(building, "Storgata 14"))
                .await
                .unwrap()
        );
        assert!(store.sites().insert_entrance(&scope, &self.node().stamp(), stair).await.unwrap());
        assert!(
            store
                .sites()
                .insert_units(&scope, &self.node().stamp(), home.building, &[home], &[])
                .await
                .unwrap()
        );
        assert!(
            store
                .doors()
                .insert_door(&scope, &self.node().stamp(), new_door(door, building, "Front"), false)
                .await
                .unwrap()
        );
        assert!(store.doors().give_unit_door(&scope, unit, door).await.unwrap());
        let (key, public) = PanelKey::fresh(id(node));
        let panel =
            Panel { id: key.id, building, entrance: None, name: label("Entrance"), doors: vec![door] };
        assert!(
            store.intercom().pair_panel(&scope, &self.node().stamp(), panel, Some(public)).await.unwrap()
        );
        let (person, name) = (id(node), Pii::new(label("Neighbour")));
        let resident = Person::named(person, name.reveal().clone());
        assert!(store.people().insert_person(&scope, resident).await.unwrap());
        assert!(
            store.people().add_membership(&scope, Membership { person, unit, owner: true }).await.unwrap()
        );
        let members = vec![BellMember { person, label: name.clone() }];
        let kind = BellKind::Individual;
        let button = Bell { id: bell, panel: key.id, unit, label: name, kind, members };
        assert!(store.intercom().insert_bell(&scope, &self.node().stamp(), button, Some(1)).await.unwrap());
        (bell, door, key)
    }

    /// Stops the server and keeps the folder.
    pub async fn stop(self) -> (tempfile::TempDir, Plan) {
        self.running.stop().await;
        (self.folder, self.plan)
    }
}

async fn furnish(running: &Running, manager: &Browser, state: &std::path::Path, naming: Naming) -> Plan {
    let node = &running.node;
    let store = &node.store;
    let tenant = store.gate().account(MANAGER).await.unwrap().unwrap().tenant;
    let scope = Scope::system(tenant);
    let (building, entrance): (BuildingId, EntranceId) = (id(node), id(node));
    assert!(
        store
            .sites()
            .insert_building(&scope, &running.node.stamp(), house(building, "Storgata 12"))
            .await
            .unwrap()
    );
    let stair = Entrance { id: entrance, building, name: label("A") };
    assert!(store.sites().insert_entrance(&scope, &running.node.stamp(), stair).await.unwrap());

    let [front, gate, garage, boiler] = [id(node), id(node), id(node), id(node)];
    for (door, name) in [(front, "Front"), (gate, "Gate"), (garage, "Garage"), (boiler, "Boiler room")] {
        assert!(
            store
                .doors()
                .insert_door(&scope, &running.node.stamp(), new_door(door, building, name), false)
                .await
                .unwrap()
        );
    }
    let authority = node.authority.fingerprint();
    let doors = [front, gate, garage, boiler];
    let controller =
        ControllerKey::pair(running.controllers, &authority, state, manager, building, &doors).await;
    let entrance_panel = PanelKey::pair(manager, building, "Entrance A", &[front, boiler]).await;
    let gate_panel = PanelKey::pair(manager, building, "Gate", &[gate]).await;

    let password_hash = node.passwords.hash(Pii::new(PASSWORD.to_owned())).await.unwrap();
    let (mut people, mut units, mut bells) = (HashMap::new(), HashMap::new(), HashMap::new());
    for (position, (name, kind, number, residents)) in (1..).zip(HOMES) {
        let unit: UnitId = id(node);
        let home = Unit { id: unit, building, entrance, number: label(number) };
        assert!(
            store
                .sites()
                .insert_units(&scope, &running.node.stamp(), home.building, &[home], &[])
                .await
                .unwrap()
        );
        let own = if name == "Olsen" { &[front, gate, garage][..] } else { &[front, gate] };
        for door in own {
            assert!(store.doors().give_unit_door(&scope, unit, *door).await.unwrap());
        }
        let mut members = Vec::new();
        for user_name in residents {
            let (person, called) = (id(node), Pii::new(label(&naming(user_name))));
            let resident = Person::named(person, called.reveal().clone());
            assert!(store.people().insert_person(&scope, resident).await.unwrap());
            let user_name_typed = Pii::new((*user_name).to_owned());
            let account =
                NewAccount { person, user_name: user_name_typed, password_hash: password_hash.clone() };
            assert!(store.people().insert_account(&scope, account).await.unwrap());
            let membership = Membership { person, unit, owner: members.is_empty() };
            assert!(store.people().add_membership(&scope, membership).await.unwrap());
            members.push(BellMember { person, label: called });
            people.insert(*user_name, person);
        }
        let (at_entrance, at_gate) = (id(node), id(node));
        for (bell, panel) in [(at_entrance, &entrance_panel), (at_gate, &gate_panel)] {
            let text = Pii::new(label(name));
            let bell = Bell { id: bell, panel: panel.id, unit, label: text, kind, members: members.clone() };
            assert!(
                store
                    .intercom()
                    .insert_bell(&scope, &running.node.stamp(), bell, Some(position))
                    .await
                    .unwrap()
            );
        }
        units.insert(name, unit);
        bells.insert(name, (at_entrance, at_gate));
    }
    Plan {
        tenant,
        building,
        front,
        gate,
        garage,
        boiler,
        entrance_panel,
        gate_panel,
        controller,
        people,
        units,
        bells,
    }
}

fn house(id: BuildingId, name: &str) -> Building {
    Building {
        id,
        name: label(name),
        address: label("Oslo"),
        kind: BuildingKind::Residential,
        time_zone: "Europe/Oslo".into(),
        holidays: HolidayCalendar::None,
    }
}

fn new_door(id: DoorId, building: BuildingId, name: &str) -> Door {
    let times = DoorTimes { release_ms: 1_000, ..DoorTimes::default() };
    Door { id, building, name: label(name), controller: None, output: 0, times, kind: DoorKind::Door }
}

fn id<T: From<uuid::Uuid>>(node: &Node) -> T {
    node.random.v7(node.clock.now())
}
