//! What the matrix asks about: three buildings with the same things in them, and everybody who may ask.

use crate::world::{World, label, second_tenant};
use klinke_model::alarm::AlarmKind;
use klinke_model::card::CardView;
use klinke_model::credential::CredentialTier;
use klinke_model::door::{Controller, Door, DoorKind, DoorTimes};
use klinke_model::events::EventKind;
use klinke_model::ids::{BuildingId, ControllerId, DeviceId, JournalId, PersonId, TenantId, v4};
use klinke_model::intercom::{Bell, BellKind, BellMember, Panel};
use klinke_model::news::{News, NewsEntry, Raised};
use klinke_model::people::{Device, DeviceKind, Membership, Person, Role, RoleGrant};
use klinke_model::phone::{E164, TrunkEncryption, TrunkKeys, TrunkWay};
use klinke_model::policy::BuildingPolicy;
use klinke_model::privacy::Pii;
use klinke_model::rights::Right;
use klinke_model::rule::{AccessRule, DoorGroup, NamedSchedule, PeopleGroup, Which};
use klinke_model::schedule::{HolidayCalendar, Schedule};
use klinke_model::scope::{Principal, Scope};
use klinke_model::site::{Building, BuildingKind, Entrance, Unit};
use klinke_model::time::Timestamp;
use klinke_server::auth::token::Token;
use klinke_server::doors::readings::{self, Asker, Purpose};
use klinke_server::http::client::Prefix;
use klinke_server::node::Node;
use klinke_server::stations::credentials::Credentials;
use klinke_storage::Store;
use klinke_storage::record::{
    CardMade, GuestMade, MyCodeMade, NewApiToken, NewCard, NewDevice, NewGuest, NewImport, NewMove,
    NewPicture, NewRole, NewTrunk, NewWebhook, PictureSet, RuleMade, SipAdded, Stamp, TrunkAdded,
};
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection};
use std::collections::HashMap;
use std::time::Duration;
use uuid::Uuid;

/// Whoever asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Who {
    /// Nobody in particular.
    Anonymous,
    /// Lives in A.
    Resident,
    /// Lives in A and decides for the unit.
    Owner,
    /// Looks after A.
    Caretaker,
    /// Reads about A.
    Auditor,
    /// Administers A.
    Admin,
    /// Administers A and B.
    Manager,
    /// Runs the service.
    Operator,
    /// Manager of the other property manager.
    Neighbour,
    /// Was a manager until this moment.
    Ended,
    /// A manager who did not accept confidentiality.
    Unbound,
    /// A manager who is suspended, with a session left from before.
    Suspended,
    /// A manager with an invitation and nothing else; sends its token as the session's.
    Invited,
    /// A new panel, with its pairing's secret.
    Panel,
    /// A controller that shows its certificate where proxies do.
    Controller,
    /// Another program: a manager's token for all that a token can do.
    FullToken,
    /// An administrator's, for all of it in A.
    HouseToken,
    /// A manager's, to read about A.
    ReadToken,
    /// One for everything, of a manager whose role ended.
    OrphanToken,
    /// A manager's that has ended.
    EndedToken,
}

impl Who {
    pub const ALL: [Self; 20] = [
        Self::Anonymous,
        Self::Resident,
        Self::Owner,
        Self::Caretaker,
        Self::Auditor,
        Self::Admin,
        Self::Manager,
        Self::Operator,
        Self::Neighbour,
        Self::Ended,
        Self::Unbound,
        Self::Suspended,
        Self::Invited,
        Self::Panel,
        Self::Controller,
        Self::FullToken,
        Self::HouseToken,
        Self::ReadToken,
        Self::OrphanToken,
        Self::EndedToken,
    ];

    /// Which are other programs, with a token that is good.
    pub const TOKENS: [Self; 4] = [Self::FullToken, Self::HouseToken, Self::ReadToken, Self::OrphanToken];

    /// As the file calls them.
    pub fn name(self) -> String {
        format!("{self:?}").to_lowercase()
    }

    /// As whom another program is answered.
    pub fn like(self) -> Option<Self> {
        match self {
            Self::FullToken => Some(Self::Manager),
            Self::HouseToken => Some(Self::Admin),
            Self::ReadToken => Some(Self::Auditor),
            Self::OrphanToken => Some(Self::Ended),
            Self::EndedToken => Some(Self::Anonymous),
            _ => None,
        }
    }

    /// The role that counts for them now, and whether it is for A alone.
    pub fn role(self) -> Option<(Role, Option<Place>)> {
        match self {
            Self::Caretaker => Some((Role::Caretaker, Some(Place::A))),
            Self::Auditor | Self::ReadToken => Some((Role::Auditor, Some(Place::A))),
            Self::Admin | Self::HouseToken => Some((Role::BuildingAdministrator, Some(Place::A))),
            Self::Manager | Self::Neighbour | Self::FullToken => Some((Role::Manager, None)),
            Self::Operator => Some((Role::Operator, None)),
            _ => None,
        }
    }

    /// Whose session is good.
    pub fn signed_in(self) -> bool {
        !matches!(
            self,
            Self::Anonymous
                | Self::Suspended
                | Self::Invited
                | Self::Panel
                | Self::Controller
                | Self::EndedToken
        )
    }
}

/// Where what is asked about stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Place {
    /// A building.
    A,
    /// Another of the same property manager.
    B,
    /// One of another property manager.
    Other,
    /// Nowhere: it never was.
    None,
}

impl Place {
    pub const ALL: [Self; 4] = [Self::A, Self::B, Self::Other, Self::None];

    /// As the file calls it.
    pub fn name(self) -> String {
        format!("{self:?}").replace("Other", "other").replace("None", "none")
    }
}

/// The ids of a place, by the names that addresses give them.
pub type Things = HashMap<&'static str, Uuid>;

/// The names of what a place has.
const NAMES: [&str; 30] = [
    "building",
    "entrance",
    "unit",
    "other_unit",
    "door",
    "panel",
    "controller",
    "bell",
    "person",
    "role",
    "import",
    "move",
    "device",
    "pairing",
    "caretaker",
    "token",
    "webhook",
    "schedule",
    "rule",
    "people_group",
    "door_group",
    "picture",
    "card",
    "guest",
    "my_guest",
    "alarm",
    "reading",
    "my_reading",
    "trunk",
    "sip_device",
];

/// Everything.
pub struct Town {
    pub world: World,
    pub places: HashMap<Place, Things>,
    /// What each principal sends as their session.
    pub sessions: HashMap<Who, String>,
    /// The secret of the pairing that the panel has opened.
    pub secret: String,
    /// A link that is good.
    pub invitation: String,
    /// What is behind the `#` of a guest's link.
    pub guest: String,
    /// The database as another program sees it.
    database: DatabaseConnection,
    tables: Vec<String>,
}

/// An entry of the audit.
pub struct Entry {
    pub action: String,
    /// In the chain of a property manager that was not there in the beginning.
    pub elsewhere: bool,
    pub content: serde_json::Value,
}

/// What changes left behind.
#[derive(Default)]
pub struct Left {
    /// Where each stands: its property manager and its number.
    places: Vec<(String, i64)>,
    pub entries: Vec<Entry>,
    message_places: Vec<(String, i64)>,
    pub messages: Vec<String>,
}

impl Left {
    /// Of a world with one property manager.
    pub async fn of(world: &World) -> Self {
        let options = ConnectOptions::new(world.node().config.data.database_url().reveal());
        Self::read(&Database::connect(options).await.unwrap(), false).await
    }

    async fn read(database: &DatabaseConnection, beside_template: bool) -> Self {
        let known = if beside_template { "template.tenant" } else { "main.tenant" };
        let entries = format!(
            "SELECT hex(tenant) AS chain, seq, action, coalesce(content, 'null') AS content,
                tenant NOT IN (SELECT tenant FROM {known}) AS elsewhere FROM main.audit ORDER BY tenant, seq"
        );
        let listeners = LISTENERS.map(|byte| format!("x'{}'", v4([byte; 16]).simple())).join(", ");
        let told = format!(
            "SELECT hex(tenant) AS chain, seq, event FROM main.webhook_delivery WHERE webhook IN ({listeners})
                ORDER BY tenant, seq"
        );
        let rows = async |sql: String| {
            let statement = sea_orm::Statement::from_string(sea_orm::DbBackend::Sqlite, sql);
            database.query_all_raw(statement).await.unwrap()
        };
        let place = |row: &sea_orm::QueryResult| -> (String, i64) {
            (row.try_get("", "chain").unwrap(), row.try_get("", "seq").unwrap())
        };
        let mut left = Self::default();
        for row in rows(entries).await {
            let content: String = row.try_get("", "content").unwrap();
            left.places.push(place(&row));
            left.entries.push(Entry {
                action: row.try_get("", "action").unwrap(),
                elsewhere: row.try_get("", "elsewhere").unwrap(),
                content: serde_json::from_str(&content).unwrap(),
            });
        }
        for row in rows(told).await {
            left.message_places.push(place(&row));
            left.messages.push(row.try_get("", "event").unwrap());
        }
        left
    }

    /// What came since.
    pub fn since(self, before: &Self) -> Self {
        let entries = self.places.iter().zip(self.entries);
        let entries = entries.filter(|(place, _)| !before.places.contains(place)).map(|(_, entry)| entry);
        let messages = self.message_places.iter().zip(self.messages);
        let messages =
            messages.filter(|(place, _)| !before.message_places.contains(place)).map(|(_, word)| word);
        Self { entries: entries.collect(), messages: messages.collect(), ..Self::default() }
    }
}

/// Which addresses hear of everything: one of each property manager.
const LISTENERS: [u8; 2] = [220, 221];

/// An address that hears of everything, and is not sent to: nothing is written while the cells are asked.
async fn listener(world: &World, tenant: TenantId, byte: u8) {
    let (node, scope) = (world.node(), Scope::system(tenant));
    let (url, events) = ("https://127.9.9.9:9443/all".to_owned(), EventKind::ALL.to_vec());
    let new = NewWebhook { id: v4([byte; 16]).into(), building: None, url, events };
    let in_years =
        Stamp { at: node.clock.now().plus(Duration::from_secs(10 * 366 * 86_400)), ..node.stamp() };
    assert!(node.store.webhooks().add_webhook(&scope, &in_years, new).await.unwrap());
}

/// A card that the administrator of A reads, and one that the resident does.
fn cards_read(world: &World, tenant: TenantId, a: &Things) {
    let (node, key) = (world.node(), CardView::Wiegand26.read("1-7").unwrap());
    let (building, controller, now) = (a["building"].into(), a["controller"].into(), node.clock.mono());
    for (name, person, purpose, reader) in [
        ("reading", person_of(Who::Admin), Purpose::Administration, 0),
        ("my_reading", a["person"].into(), Purpose::Home, 1),
    ] {
        let (id, asker) = (a[name].into(), Asker { tenant, person, purpose });
        node.readings.begin(id, readings::Place { asker, building, controller, reader }, now).unwrap();
        assert!(node.readings.read(controller, id, key, now));
    }
}

fn things(base: u8) -> Things {
    NAMES.iter().zip(0_u8..).map(|(name, n)| (*name, v4([base + n; 16]))).collect()
}

impl Town {
    pub async fn build() -> Self {
        let (world, _) = World::claimed().await;
        let node = world.node().clone();
        let ours = node.store.gate().account(crate::world::MANAGER).await.unwrap().unwrap().tenant;
        let theirs = second_tenant(&node).await;
        let mut places: HashMap<Place, Things> =
            [(Place::A, 20), (Place::B, 60), (Place::Other, 100), (Place::None, 140)]
                .map(|(place, base)| (place, things(base)))
                .into();
        let opened = node.pairings.open_panel(Prefix::V4([10, 0, 0, 1]), vec![1]).unwrap();
        places.get_mut(&Place::A).unwrap().insert("pairing", opened.pairing.0);
        let invitation = Token::new(&node.random);
        for (place, tenant) in [(Place::A, ours), (Place::B, ours), (Place::Other, theirs)] {
            let link = if place == Place::A { invitation.clone() } else { Token::new(&node.random) };
            furnish(&world, tenant, &places[&place], &link).await;
            let alarm = alarm(&world, tenant, &places[&place]).await;
            places.get_mut(&place).unwrap().insert("alarm", alarm);
        }
        for (tenant, byte) in [ours, theirs].into_iter().zip(LISTENERS) {
            listener(&world, tenant, byte).await;
        }
        cards_read(&world, ours, &places[&Place::A]);
        let guest = guest_token(&world, ours, &places[&Place::A]).await;
        let mut sessions = people(&world, ours, theirs, &places[&Place::A]).await;
        tokens(&world, ours, theirs, &places, &mut sessions).await;
        let folder = world.folder.path().join("template.db");
        let mut options = ConnectOptions::new(node.config.data.database_url().reveal());
        options.max_connections(1).sqlx_logging(false);
        let database = Database::connect(options).await.unwrap();
        let path = folder.display();
        database.execute_unprepared(&format!("VACUUM INTO '{path}'")).await.unwrap();
        database
            .execute_unprepared(&format!("PRAGMA foreign_keys = OFF; ATTACH '{path}' AS template"))
            .await
            .unwrap();
        let tables = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'";
        let rows = database
            .query_all_raw(sea_orm::Statement::from_string(sea_orm::DbBackend::Sqlite, tables))
            .await
            .unwrap();
        let tables = rows.iter().map(|row| row.try_get("", "name").unwrap()).collect();
        let (secret, invitation) = (opened.secret.text(), invitation.text());
        Self { world, places, sessions, secret, invitation, guest, database, tables }
    }

    /// Grows when anybody else writes.
    pub async fn version(&self) -> i64 {
        let pragma = sea_orm::Statement::from_string(sea_orm::DbBackend::Sqlite, "PRAGMA data_version");
        let row = self.database.query_one_raw(pragma).await.unwrap().unwrap();
        row.try_get("", "data_version").unwrap()
    }

    /// Waits until no list of people is applied or undone any more: that goes on without whoever asked.
    pub async fn settled(&self) {
        let waiting = "SELECT count(*) FROM job WHERE kind = 'import'";
        let settling = async {
            loop {
                let asked = sea_orm::Statement::from_string(sea_orm::DbBackend::Sqlite, waiting);
                let row = self.database.query_one_raw(asked).await.unwrap().unwrap();
                if row.try_get_by_index::<i64>(0).unwrap() == 0 {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(crate::support::PATIENCE, settling).await.unwrap();
    }

    /// The audit and the messages that wait.
    pub async fn left(&self) -> Left {
        Left::read(&self.database, true).await
    }

    /// What the audit says of somebody who asks: the person, and the token.
    pub fn actor(&self, who: Who) -> (serde_json::Value, serde_json::Value) {
        use serde_json::{Value, json};
        match who {
            token if Who::TOKENS.contains(&token) => (Value::Null, json!(v4([number(who); 16]))),
            Who::Resident => (json!(self.places[&Place::A]["person"]), Value::Null),
            Who::Anonymous | Who::Panel | Who::Controller => (Value::Null, Value::Null),
            _ => (json!(person_of(who)), Value::Null),
        }
    }

    /// Everybody has left every home, and nobody is about to move.
    pub async fn moves_out(&self) {
        let all = "DELETE FROM main.membership; DELETE FROM main.move_person; DELETE FROM main.move;
            DELETE FROM main.bell_member";
        self.database.execute_unprepared(all).await.unwrap();
    }

    /// Nobody has accepted confidentiality.
    pub async fn unbind(&self) {
        self.database.execute_unprepared("DELETE FROM main.confidentiality").await.unwrap();
    }

    /// Everything is as it was in the beginning.
    pub async fn put_back(&self) {
        let each = self.tables.iter().map(|table| {
            format!("DELETE FROM main.{table}; INSERT INTO main.{table} SELECT * FROM template.{table};")
        });
        let script = format!("BEGIN IMMEDIATE; {} COMMIT", each.collect::<String>());
        self.database.execute_unprepared(&script).await.unwrap();
    }
}

async fn furnish(world: &World, tenant: TenantId, at: &Things, invitation: &Token) {
    let (node, scope) = (world.node(), Scope::system(tenant));
    let (store, stamp) = (&node.store, || node.stamp());
    let building: BuildingId = at["building"].into();
    let house = Building {
        id: building,
        name: label("House"),
        address: label("Street 1"),
        kind: BuildingKind::Residential,
        time_zone: "Europe/Oslo".into(),
        holidays: HolidayCalendar::None,
    };
    assert!(store.sites().insert_building(&scope, &stamp(), house).await.unwrap());
    let entrance = Entrance { id: at["entrance"].into(), building, name: label("A") };
    assert!(store.sites().insert_entrance(&scope, &stamp(), entrance).await.unwrap());
    for (unit, number) in [("unit", "101"), ("other_unit", "102")] {
        let unit =
            Unit { id: at[unit].into(), building, entrance: at["entrance"].into(), number: label(number) };
        assert!(store.sites().insert_units(&scope, &stamp(), building, &[unit], &[]).await.unwrap());
    }
    let times = DoorTimes::default();
    let door = Door {
        id: at["door"].into(),
        building,
        name: label("Front"),
        controller: None,
        output: 0,
        times,
        kind: DoorKind::Door,
    };
    assert!(store.doors().insert_door(&scope, &stamp(), door, false).await.unwrap());
    let controller = Controller { id: at["controller"].into(), building, name: label("Basement") };
    let fingerprint = Token::new(&node.random).hash().0;
    assert!(store.doors().pair_controller(&scope, &stamp(), controller, fingerprint, &[]).await.unwrap());
    let panel = Panel {
        id: at["panel"].into(),
        building,
        entrance: Some(at["entrance"].into()),
        name: label("Entrance"),
        doors: vec![at["door"].into()],
    };
    assert!(store.intercom().pair_panel(&scope, &stamp(), panel, Some(vec![1, 2, 3])).await.unwrap());

    let person: PersonId = at["person"].into();
    lives(store, &scope, person, at["unit"], false).await;
    let member = BellMember { person, label: Pii::new(label("Resident")) };
    let bell = Bell {
        id: at["bell"].into(),
        panel: at["panel"].into(),
        unit: at["unit"].into(),
        label: Pii::new(label("Resident")),
        kind: BellKind::Family,
        members: vec![member],
    };
    assert!(store.intercom().insert_bell(&scope, &stamp(), bell, Some(1)).await.unwrap());
    let policy = BuildingPolicy { pictures: true, own_codes: true, ..BuildingPolicy::default() };
    store.sites().set_policy(&scope, &stamp(), building, 0, policy).await.unwrap();
    let picture = NewPicture { id: at["picture"].into(), content: Pii::new(b"a picture".to_vec()) };
    let put = store.intercom().put_picture(&scope, &stamp(), at["bell"].into(), picture).await.unwrap();
    assert_eq!(put, PictureSet::Done(building));
    let until = node.clock.now().plus(Duration::from_secs(3_600));
    let made = store.invitations().hand_over(&scope, &stamp(), person, invitation.hash().0, until).await;
    assert!(made.unwrap());

    let caretaker: PersonId = at["caretaker"].into();
    assert!(store.people().insert_person(&scope, Person::named(caretaker, label("Janitor"))).await.unwrap());
    let grant = RoleGrant { role: Role::Caretaker, building: Some(building), ends_at: None };
    let role = NewRole { id: at["role"].into(), person: caretaker, grant };
    assert!(store.people().grant_role(&scope, &stamp(), role).await.unwrap());

    let draft = klinke_server::import::content::Content::new(
        klinke_server::import::read::read("Name;Unit\nNewcomer;102\n".as_bytes()).unwrap(),
    );
    let content = Pii::new(draft.text().unwrap());
    let import = NewImport { id: at["import"].into(), building, content, ends_at: until };
    assert!(store.imports().insert_import(&scope, import).await.unwrap());
    let month = Duration::from_secs(30 * 86_400);
    let moving = NewMove {
        id: at["move"].into(),
        unit: at["other_unit"].into(),
        last_day: node.clock.now().plus(month).day(),
        ends_at: node.clock.now().plus(month),
        out: Vec::new(),
        to: None,
        into: vec![(Person::named(node.random.v7(node.clock.now()), label("Mover")), true)],
    };
    assert!(store.moves().plan_move(&scope, &stamp(), moving).await.unwrap());
    // told of what never happens here: nothing is written while the cells are asked
    let events = vec![EventKind::ImportUndone];
    let url = "https://127.9.9.9:9443/in".to_owned();
    let hook = NewWebhook { id: at["webhook"].into(), building: Some(building), url, events };
    assert!(store.webhooks().add_webhook(&scope, &stamp(), hook).await.unwrap());
    phones(node, &scope, at).await;
    // put aside: it gives nothing to anybody who is asked about
    let schedule = NamedSchedule {
        id: at["schedule"].into(),
        building,
        name: label("Office hours"),
        schedule: Schedule::default(),
    };
    assert!(store.rules().insert_schedule(&scope, &stamp(), schedule).await.unwrap());
    let members = vec![person];
    let group = PeopleGroup { id: at["people_group"].into(), building, name: label("Group"), members };
    assert_eq!(store.rules().insert_people_group(&scope, &stamp(), group).await.unwrap(), RuleMade::Done);
    let doors = vec![at["door"].into()];
    let group = DoorGroup { id: at["door_group"].into(), building, name: label("Group"), doors };
    assert_eq!(store.rules().insert_door_group(&scope, &stamp(), group).await.unwrap(), RuleMade::Done);
    let rule = AccessRule {
        id: at["rule"].into(),
        building,
        name: label("Rule"),
        who: vec![klinke_model::rule::Who::Person(person)],
        doors: vec![Which::AllDoors],
        schedule: None,
        first_day: None,
        last_day: None,
        active: false,
    };
    assert_eq!(store.rules().insert_rule(&scope, &stamp(), rule).await.unwrap(), RuleMade::Done);
    let new = NewCard {
        id: at["card"].into(),
        person,
        name: label("Key ring"),
        key: CardView::Wiegand26.read("1-1").unwrap(),
        view: CardView::Wiegand26,
        tier: CredentialTier::Identifier,
    };
    let made = store.cards().insert_card(&scope, &stamp(), building, new).await.unwrap();
    assert!(matches!(made, CardMade::Done(_)));
    assert!(store.doors().give_unit_door(&scope, at["unit"].into(), at["door"].into()).await.unwrap());
    guests(world, tenant, at).await;
    let device = DeviceId(at["device"]);
    sign_in(world, &scope, person, device).await;
}

/// A trunk, and the number of the resident.
async fn phones(node: &Node, scope: &Scope, at: &Things) {
    let store = &node.store;
    let trunk = NewTrunk {
        id: at["trunk"].into(),
        name: label("Trunk"),
        host: "127.9.9.9".to_owned(),
        port: 5060,
        way: TrunkWay::Udp,
        domain: None,
        caller: E164::new("+4721600000").unwrap(),
        registers: false,
        account: None,
        password: None,
        keys: TrunkKeys::Rfc4733,
        encryption: TrunkEncryption::Off,
        enabled: true,
    };
    assert_eq!(store.trunks().add_trunk(scope, &node.stamp(), trunk).await.unwrap(), TrunkAdded::Done);
    let (numbers, number) = (store.phone_numbers(), Pii::new(E164::new("+4791500123").unwrap()));
    assert!(numbers.vouch_number(scope, &node.stamp(), at["person"].into(), number).await.unwrap());
    let (id, name) = (at["sip_device"].into(), Pii::new(label("Desk phone")));
    let device = Device { id, person: at["person"].into(), name, kind: DeviceKind::Station };
    let account = Credentials::new(&node.random).account(&node.random, node.clock.now());
    let added = store.sip_accounts().add_sip_device(scope, &node.stamp(), device, account).await;
    assert_eq!(added.unwrap(), SipAdded::Done);
}

/// An alarm that the place's controller tells of.
async fn alarm(world: &World, tenant: TenantId, at: &Things) -> Uuid {
    let (alarms, controller) = (world.node().store.alarms(), ControllerId(at["controller"]));
    let scope = Scope { principal: Principal::Controller(controller), ..Scope::system(tenant) };
    let what = News::Raised(Raised { kind: AlarmKind::Mains, door: None, part: Some(1) });
    let news = [NewsEntry { seq: 1, at: world.node().clock.now(), trusted: true, what }];
    let journal = JournalId(at["alarm"]);
    alarms.take_news(&scope, &world.node().stamp(), controller, journal, &news).await.unwrap().unwrap();
    let page = alarms.alarms_page(&Scope::system(tenant), at["building"].into(), None, 1).await.unwrap();
    page.alarms[0].id.0
}

/// A guest of the administration, and one of the resident's, who has a code of their own too.
async fn guests(world: &World, tenant: TenantId, at: &Things) {
    let (node, now) = (world.node(), world.node().clock.now());
    let (building, person) = (at["building"].into(), PersonId(at["person"]));
    let resident = Principal::Person { person, device: at["device"].into() };
    let resident = Scope { tenant, principal: resident, at: now, view: None };
    for (scope, name, unit) in [(Scope::system(tenant), "guest", None), (resident, "my_guest", Some("unit"))]
    {
        let id = at[name].into();
        let new = NewGuest {
            id,
            building,
            unit: unit.map(|unit| at[unit].into()),
            name: Pii::new(label("Plumber")),
            doors: vec![at["door"].into()],
            starts_at: now,
            ends_at: now.plus(Duration::from_secs(86_400)),
            hours: None,
            once: false,
            codes: node.passes.choices(tenant, building, id, None),
        };
        let made = node.store.guests().insert_guest(&scope, &node.stamp(), new).await.unwrap();
        assert!(matches!(made, GuestMade::Done(_)), "{made:?}");
    }
    let choices = node.passes.own_choices(tenant, building, person, 1);
    let made = node.store.own_codes().renew_my_code(&resident, building, choices).await.unwrap();
    assert!(matches!(made, MyCodeMade::Done(_)), "{made:?}");
}

/// What is behind the `#` of the link of a place's guest.
async fn guest_token(world: &World, tenant: TenantId, at: &Things) -> String {
    let scope = Scope::system(tenant).at(world.node().clock.now());
    let guest = world.node().store.guests().guest_facts(&scope, at["guest"].into()).await.unwrap().unwrap();
    world.node().passes.token(&guest).text()
}

async fn lives(store: &Store, scope: &Scope, person: PersonId, unit: Uuid, owner: bool) {
    let name = label(if owner { "Owner" } else { "Resident" });
    assert!(store.people().insert_person(scope, Person::named(person, name)).await.unwrap());
    let home = Membership { person, unit: unit.into(), owner };
    assert!(store.people().add_membership(scope, home).await.unwrap());
}

/// A signed-in device, and its session's token.
async fn sign_in(world: &World, scope: &Scope, person: PersonId, id: DeviceId) -> String {
    let (node, token) = (world.node(), Token::new(&world.node().random));
    let device = Device { id, person, name: Pii::new(label("Phone")), kind: DeviceKind::App };
    let (session, token_hash) = (node.random.v4(), token.hash().0);
    let expires_day = node.clock.now().day() + 30;
    let new = NewDevice { device, session, token_hash, expires_day };
    assert!(node.store.devices().sign_in(scope, new).await.unwrap());
    token.text()
}

fn number(who: Who) -> u8 {
    (180..).zip(Who::ALL).find(|(_, one)| *one == who).unwrap().0
}

fn person_of(who: Who) -> PersonId {
    v4([number(who); 16]).into()
}

/// The tokens that ask, and one in each place to be asked about.
async fn tokens(
    world: &World,
    ours: TenantId,
    theirs: TenantId,
    places: &HashMap<Place, Things>,
    sessions: &mut HashMap<Who, String>,
) {
    let (node, now) = (world.node(), world.node().clock.now());
    let earlier = Timestamp::from_millis(now.as_millis() - 1);
    let month = now.plus(Duration::from_secs(30 * 86_400));
    let make = async |issuer: Who, id: Uuid, building: Option<Uuid>, rights: &[Right], ends_at| {
        let token = Token::new(&node.random);
        let principal = Principal::Person { person: person_of(issuer), device: id.into() };
        let tenant = if issuer == Who::Neighbour { theirs } else { ours };
        let new = NewApiToken {
            id: id.into(),
            name: label("Program"),
            token_hash: token.hash().0,
            building: building.map(Into::into),
            rights: rights.to_vec(),
            ends_at,
        };
        let (scope, stamp) =
            (Scope { tenant, principal, at: earlier, view: None }, Stamp { at: earlier, ..node.stamp() });
        assert!(node.store.tokens().make_token(&scope, &stamp, new).await.unwrap(), "{issuer:?}");
        format!("{}{}", klinke_server::auth::caller::PREFIX, token.text())
    };
    for (place, issuer) in
        [(Place::A, Who::Manager), (Place::B, Who::Manager), (Place::Other, Who::Neighbour)]
    {
        let things = &places[&place];
        make(issuer, things["token"], Some(things["building"]), &Right::OF_TOKENS, month).await;
    }
    let (a, all) = (Some(places[&Place::A]["building"]), &Right::OF_TOKENS[..]);
    for (who, issuer, building, rights, ends_at) in [
        (Who::FullToken, Who::Manager, None, all, month),
        (Who::HouseToken, Who::Admin, a, all, month),
        (Who::ReadToken, Who::Manager, a, &[Right::SeeBuilding, Right::SeePeople, Right::Audit][..], month),
        (Who::OrphanToken, Who::Ended, None, all, month),
        (Who::EndedToken, Who::Manager, None, all, now),
    ] {
        let token = make(issuer, v4([number(who); 16]), building, rights, ends_at).await;
        sessions.insert(who, token);
    }
}

async fn people(world: &World, ours: TenantId, theirs: TenantId, a: &Things) -> HashMap<Who, String> {
    let (node, mut sessions) = (world.node(), HashMap::new());
    let store = &node.store;
    let now = node.clock.now();
    let persons = Who::ALL.into_iter().filter(|who| !Who::TOKENS.contains(who) && *who != Who::EndedToken);
    for who in persons {
        let tenant = if who == Who::Neighbour { theirs } else { ours };
        let scope = Scope::system(tenant);
        let (n, person) = (number(who), person_of(who));
        match who {
            Who::Anonymous | Who::Panel | Who::Controller => continue,
            // the one that the place's device belongs to
            Who::Resident => {
                let token = sign_in(world, &scope, a["person"].into(), v4([n; 16]).into()).await;
                sessions.insert(who, token);
                continue;
            }
            Who::Owner => lives(store, &scope, person, a["unit"], true).await,
            _ => {
                let named = Person::named(person, label(&who.name()));
                assert!(store.people().insert_person(&scope, named).await.unwrap());
            }
        }
        let role = match who {
            Who::Ended | Who::Unbound | Who::Suspended | Who::Invited => Some((Role::Manager, None)),
            other => other.role(),
        };
        if let Some((role, place)) = role {
            let ends_at = if who == Who::Ended { now } else { now.plus(Duration::from_secs(86_400)) };
            let building = place.map(|_| a["building"].into());
            let grant = RoleGrant { role, building, ends_at: Some(ends_at) };
            let earlier = Stamp { at: Timestamp::from_millis(now.as_millis() - 1), ..node.stamp() };
            let new = NewRole { id: v4([n; 16]).into(), person, grant };
            assert!(store.people().grant_role(&scope, &earlier, new).await.unwrap(), "{who:?}");
            if who != Who::Unbound {
                let bound = store.people().accept_confidentiality(&scope, &node.stamp(), person).await;
                assert!(bound.unwrap());
            }
        }
        let token = if who == Who::Invited {
            let (token, until) = (Token::new(&node.random), now.plus(Duration::from_secs(3_600)));
            let invitations = store.invitations();
            assert!(
                invitations.hand_over(&scope, &node.stamp(), person, token.hash().0, until).await.unwrap()
            );
            token.text()
        } else {
            sign_in(world, &scope, person, v4([n; 16]).into()).await
        };
        if who == Who::Suspended {
            assert!(store.people().set_active(&scope, person, false).await.unwrap());
        }
        sessions.insert(who, token);
    }
    sessions
}
