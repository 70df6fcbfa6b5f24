//! The demo's town: a housing association of 80 homes with three entrances and a gate, and an office building.
//! Every doorbell type is there, on homes whose residents have a sign-in.
//!
//! Only what is made here is written; passwords are drawn at random and told once.

use crate::auth::password::PasswordError;
use crate::node::Node;
use crate::random::Random;
use klinke_model::door::{Door, DoorKind, DoorTimes};
use klinke_model::ids::{BuildingId, DoorId, EntranceId, PanelId, PersonId, TenantId, UnitId};
use klinke_model::intercom::{Bell, BellKind, BellMember, Panel};
use klinke_model::people::Person;
use klinke_model::privacy::Pii;
use klinke_model::schedule::HolidayCalendar;
use klinke_model::scope::Scope;
use klinke_model::site::{Building, BuildingKind, Entrance, Tenant, Unit};
use klinke_model::text::{Label, LabelError};
use klinke_storage::StorageError;
use klinke_storage::record::{NewAccount, NewInstallation};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What can go wrong while the town is built.
#[derive(Debug, thiserror::Error)]
pub enum TownError {
    /// The database failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// A name of the town is not a label.
    #[error("a name of the demo town: {0}")]
    Label(#[from] LabelError),
    /// A password could not be hashed.
    #[error(transparent)]
    Password(#[from] PasswordError),
}

/// A sign-in of the demo. Random for each town; kept in the demo's folder, readable by its owner only.
#[derive(Clone, Serialize, Deserialize)]
pub struct SignIn {
    /// What to type.
    pub user_name: String,
    /// What to type.
    pub password: String,
    /// Who it is.
    pub name: String,
    /// Where they live, or what they do.
    pub unit: String,
}

/// A panel of the demo.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DemoPanel {
    /// Which.
    pub panel: PanelId,
    /// Where it hangs.
    pub name: String,
}

/// A building's controller: the doors in the order of its outputs.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DemoController {
    /// Where it sits.
    pub building: BuildingId,
    /// Its name.
    pub name: String,
    /// Its doors, output 0 first.
    pub doors: Vec<DoorId>,
}

/// What a town is known by afterwards.
#[derive(Clone, Serialize, Deserialize)]
pub struct Town {
    /// The property manager.
    pub tenant: TenantId,
    /// Its administrator.
    pub administrator: PersonId,
    /// Administrator first, then residents.
    pub sign_ins: Vec<SignIn>,
    /// Its panels.
    pub panels: Vec<DemoPanel>,
    /// Its controllers.
    pub controllers: Vec<DemoController>,
}

/// A home with a button: its number, the button's text, how it rings, who lives there (name, user name).
type Home<'a> = (&'a str, &'a str, BellKind, &'a [(&'a str, Option<&'a str>)]);

/// Where a home is: what it shares with its neighbours.
#[derive(Clone, Copy)]
struct Stair<'a> {
    building: BuildingId,
    entrance: EntranceId,
    /// Doors its people may open.
    doors: &'a [DoorId],
    /// Panels that show its button.
    panels: &'a [PanelId],
}

const ENTRANCE_A: &[Home] = &[
    ("1101", "Haugen", BellKind::Parallel, &[("Kari Haugen", Some("kari")), ("Ola Haugen", Some("ola"))]),
    (
        "1102",
        "Berg / Lind",
        BellKind::Sequential,
        &[("Nora Berg", Some("nora")), ("Emil Lind", Some("emil"))],
    ),
    ("1103", "Karin Andersson", BellKind::Individual, &[("Karin Andersson", Some("karin"))]),
    (
        "1201",
        "Olsen",
        BellKind::Family,
        &[("Ingrid Olsen", Some("ingrid")), ("Per Olsen", Some("per")), ("Liv Olsen", None)],
    ),
    ("1202", "Østby", BellKind::Individual, &[("Rolf Østby", None)]),
    ("1203", "Åkesson", BellKind::Individual, &[("Maj Åkesson", None)]),
    ("1301", "Nguyen", BellKind::Parallel, &[("Linh Nguyen", None), ("Anh Nguyen", None)]),
    ("1302", "Sætre", BellKind::Individual, &[("Tor Sætre", None)]),
    ("1303", "Hansen", BellKind::Individual, &[("Eva Hansen", None)]),
    ("1401", "Hansen & Dahl", BellKind::Parallel, &[("Jon Hansen", None), ("Siri Dahl", None)]),
    ("1402", "Svensson", BellKind::Individual, &[("Björn Svensson", None)]),
    ("1403", "Ahmadi", BellKind::Family, &[("Reza Ahmadi", None), ("Sara Ahmadi", None)]),
];

const SURNAMES: [&str; 34] = [
    "Andersson",
    "Johansson",
    "Karlsson",
    "Nilsson",
    "Eriksson",
    "Larsson",
    "Olsson",
    "Persson",
    "Svensson",
    "Gustafsson",
    "Pettersson",
    "Jonsson",
    "Hansen",
    "Johansen",
    "Olsen",
    "Larsen",
    "Andersen",
    "Pedersen",
    "Nilsen",
    "Kristiansen",
    "Jensen",
    "Karlsen",
    "Johnsen",
    "Pettersen",
    "Eriksen",
    "Berg",
    "Haugen",
    "Hagen",
    "Johannessen",
    "Andreassen",
    "Jacobsen",
    "Dahl",
    "Jørgensen",
    "Lund",
];

const FIRST_NAMES: [&str; 17] = [
    "Anna", "Erik", "Maria", "Lars", "Ingrid", "Karl", "Astrid", "Nils", "Solveig", "Gunnar", "Elin", "Odd",
    "Märta", "Sven", "Åse", "Leif", "Øyvind",
];

const OFFICES: &[Home] = &[
    (
        "Fjord Arkitekter",
        "Fjord Arkitekter",
        BellKind::Family,
        &[("Reception", Some("fjord")), ("Hedda Moe", None), ("Jonas Vik", None)],
    ),
    ("Tandlege Holm", "Tandlege Holm", BellKind::Sequential, &[("Reception Holm", None), ("Dr. Holm", None)]),
    ("Nordlys IT", "Nordlys IT", BellKind::Parallel, &[("Front desk", None)]),
    ("Verkstan", "Verkstan", BellKind::Individual, &[("Verkstan", None)]),
];

/// Builds the town in an empty installation.
///
/// # Errors
/// When the database fails; the town is half then, and the demo says to start over.
pub async fn build(node: &Node) -> Result<Town, TownError> {
    let tenant: TenantId = node.random.v7(node.clock.now());
    let scope = Scope::system(tenant);
    let mut builder = Builder { node, scope, sign_ins: Vec::new(), panels: Vec::new() };
    let administrator = builder.claim(tenant).await?;
    let homes = builder.association().await?;
    let offices = builder.offices().await?;
    let Builder { sign_ins, panels, .. } = builder;
    Ok(Town { tenant, administrator, sign_ins, panels, controllers: vec![homes, offices] })
}

/// Eight syllables, about 50 bits: can be read out and typed.
fn password(random: &Random) -> String {
    let letter = |from: &[u8]| {
        let place = usize::try_from(random.below(u32::try_from(from.len()).unwrap_or(1))).unwrap_or_default();
        from.get(place).copied().map_or('x', char::from)
    };
    let syllable = || [letter(b"bdfghjklmnprstvz"), letter(b"aeiou")].iter().collect::<String>();
    let word = || syllable() + &syllable();
    [word(), word(), word(), word()].join("-")
}

struct Builder<'n> {
    node: &'n Node,
    scope: Scope,
    sign_ins: Vec<SignIn>,
    panels: Vec<DemoPanel>,
}

impl Builder<'_> {
    fn id<T: From<Uuid>>(&self) -> T {
        self.node.random.v7(self.node.clock.now())
    }

    async fn sign_in(&mut self, name: &str, user_name: &str, unit: &str) -> Result<NewAccount, TownError> {
        let password = password(&self.node.random);
        let password_hash = self.node.passwords.hash(Pii::new(password.clone())).await?;
        self.sign_ins.push(SignIn {
            user_name: user_name.to_owned(),
            password,
            name: name.to_owned(),
            unit: unit.to_owned(),
        });
        let user_name = Pii::new(user_name.to_owned());
        Ok(NewAccount { person: self.id(), user_name, password_hash })
    }

    async fn claim(&mut self, tenant: TenantId) -> Result<PersonId, TownError> {
        let account = self.sign_in("Anna Sørli", "anna", "Administrator").await?;
        let new = NewInstallation {
            tenant: Tenant { id: tenant, name: Label::new("Nordlys Eiendom")? },
            administrator: Person::named(account.person, Label::new("Anna Sørli")?),
            account,
            roles: (self.id(), self.id()),
        };
        let administrator = new.administrator.id;
        self.node.store.gate().claim(&self.node.stamp(), new).await?;
        let stamp = self.node.stamp();
        self.node.store.people().accept_confidentiality(&self.scope, &stamp, administrator).await?;
        Ok(administrator)
    }

    async fn building(&self, name: &str, address: &str, kind: BuildingKind) -> Result<BuildingId, TownError> {
        let building = Building {
            id: self.id(),
            name: Label::new(name)?,
            address: Label::new(address)?,
            kind,
            time_zone: "Europe/Oslo".to_owned(),
            holidays: HolidayCalendar::None,
        };
        let id = building.id;
        self.node.store.sites().insert_building(&self.scope, &self.node.stamp(), building).await?;
        Ok(id)
    }

    async fn entrance(&self, building: BuildingId, name: &str) -> Result<EntranceId, TownError> {
        let entrance = Entrance { id: self.id(), building, name: Label::new(name)? };
        let id = entrance.id;
        self.node.store.sites().insert_entrance(&self.scope, &self.node.stamp(), entrance).await?;
        Ok(id)
    }

    async fn door(&self, building: BuildingId, name: &str) -> Result<DoorId, TownError> {
        let name = Label::new(name)?;
        let door = Door {
            id: self.id(),
            building,
            name,
            controller: None,
            output: 0,
            times: DoorTimes::default(),
            kind: DoorKind::Door,
        };
        let id = door.id;
        self.node.store.doors().insert_door(&self.scope, &self.node.stamp(), door, false).await?;
        Ok(id)
    }

    async fn panel(
        &mut self,
        building: BuildingId,
        entrance: Option<EntranceId>,
        name: &str,
        doors: Vec<DoorId>,
    ) -> Result<PanelId, TownError> {
        let panel = Panel { id: self.id(), building, entrance, name: Label::new(name)?, doors };
        let id = panel.id;
        self.node.store.intercom().pair_panel(&self.scope, &self.node.stamp(), panel, None).await?;
        self.panels.push(DemoPanel { panel: id, name: name.to_owned() });
        Ok(id)
    }

    /// A home with its people, its doors and its button.
    async fn home(
        &mut self,
        stair: Stair<'_>,
        (number, label, kind, people): Home<'_>,
        position: i32,
    ) -> Result<(), TownError> {
        let Stair { building, entrance, doors, panels } = stair;
        let store = self.node.store.clone();
        let unit: UnitId = self.id();
        store
            .sites()
            .insert_units(
                &self.scope,
                &self.node.stamp(),
                building,
                &[Unit { id: unit, building, entrance, number: Label::new(number)? }],
                doors,
            )
            .await?;
        let mut members = Vec::new();
        for (index, (name, user_name)) in people.iter().enumerate() {
            let name_label = Pii::new(Label::new(name)?);
            let account = match user_name {
                Some(user_name) => Some(self.sign_in(name, user_name, number).await?),
                None => None,
            };
            let person = account.as_ref().map_or_else(|| self.id(), |account| account.person);
            store
                .people()
                .add_person(
                    &self.scope,
                    &self.node.stamp(),
                    Person::named(person, name_label.reveal().clone()),
                    &[(unit, index == 0)],
                )
                .await?;
            if let Some(account) = account {
                store.people().insert_account(&self.scope, account).await?;
            }
            members.push(BellMember { person, label: name_label });
        }
        for panel in panels {
            let bell = Bell {
                id: self.id(),
                panel: *panel,
                unit,
                label: Pii::new(Label::new(label)?),
                kind,
                members: members.clone(),
            };
            store.intercom().insert_bell(&self.scope, &self.node.stamp(), bell, Some(position)).await?;
        }
        Ok(())
    }

    async fn association(&mut self) -> Result<DemoController, TownError> {
        let building =
            self.building("Storgata borettslag", "Storgata 12, Oslo", BuildingKind::Residential).await?;
        let (gate, garage) = (self.door(building, "Gate").await?, self.door(building, "Garage").await?);
        let bikes = self.door(building, "Bike room").await?;
        let mut controller = DemoController {
            building,
            name: "Basement, Storgata 12".to_owned(),
            doors: vec![gate, garage, bikes],
        };
        let mut entrances = Vec::new();
        for letter in ["A", "B", "C"] {
            let name = format!("Entrance {letter}");
            let entrance = self.entrance(building, &format!("Storgata 12 {letter}")).await?;
            let door = self.door(building, &name).await?;
            controller.doors.push(door);
            let panel = self.panel(building, Some(entrance), &name, vec![door]).await?;
            entrances.push((entrance, door, panel));
        }
        let gate_panel = self.panel(building, None, "Gate", vec![gate]).await?;
        let mut positions = 1..;
        for (number, (entrance, door, panel)) in (1..).zip(entrances) {
            let doors = [door, gate, garage, bikes];
            let panels = [panel, gate_panel];
            let stair = Stair { building, entrance, doors: &doors, panels: &panels };
            if number == 1 {
                for (home, position) in ENTRANCE_A.iter().zip(&mut positions) {
                    self.home(stair, *home, position).await?;
                }
            } else {
                self.quiet_homes(stair, number, &mut positions).await?;
            }
        }
        Ok(controller)
    }

    /// Homes whose residents have no sign-in, so that the directory is as long as a real one.
    async fn quiet_homes(
        &mut self,
        stair: Stair<'_>,
        number: usize,
        positions: &mut std::ops::RangeFrom<i32>,
    ) -> Result<(), TownError> {
        let first_names = FIRST_NAMES.iter().cycle().skip(number).step_by(3);
        for (((index, surname), first), position) in
            SURNAMES.iter().enumerate().zip(first_names).zip(positions)
        {
            let home = format!("{number}{}0{}", index / 4 + 1, index % 4 + 1);
            let name = format!("{first} {surname}");
            self.home(stair, (&home, &name, BellKind::Individual, &[(&name, None)]), position).await?;
        }
        Ok(())
    }

    async fn offices(&mut self) -> Result<DemoController, TownError> {
        let building =
            self.building("Kvarngården", "Kvarngatan 3, Göteborg", BuildingKind::Commercial).await?;
        let entrance = self.entrance(building, "Kvarngatan 3").await?;
        let (front, goods) = (self.door(building, "Front door").await?, self.door(building, "Goods").await?);
        let panel = self.panel(building, Some(entrance), "Front door", vec![front]).await?;
        for (position, office) in (1..).zip(OFFICES) {
            let stair = Stair { building, entrance, doors: &[front, goods], panels: &[panel] };
            self.home(stair, *office, position).await?;
        }
        Ok(DemoController { building, name: "Riser, Kvarngatan 3".to_owned(), doors: vec![front, goods] })
    }
}
