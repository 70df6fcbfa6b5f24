//! A property manager with so many people: 400 in a building, with four doors, 160 homes and a button for each.
//!
//! People come in by the store's own import, which is timed; devices and buttons are written beside it.

use crate::Result;
use crate::figures::now;
use klinke_model::contact::{Email, Language, Phone};
use klinke_model::door::{Door, DoorKind, DoorTimes};
use klinke_model::ids::{
    BuildingId, DeviceId, DoorId, EntranceId, ImportId, PanelId, PersonId, TenantId, UnitId, v4,
};
use klinke_model::intercom::Panel;
use klinke_model::people::Person;
use klinke_model::privacy::Pii;
use klinke_model::scope::{Principal, Scope};
use klinke_model::site::{Building, BuildingKind, Entrance, Tenant, Unit};
use klinke_model::text::Label;
use klinke_model::time::{Clock, SystemClock};
use klinke_storage::Store;
use klinke_storage::record::{
    Details, ImportOutcome, ImportPlan, ImportWish, NewAccount, NewImport, NewInstallation, PeopleAfter,
    Stamp,
};
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, Statement, Value};
use std::time::Duration;
use uuid::Uuid;

/// People of a building, homes of a building, doors of a building.
const PEOPLE: u64 = 400;
const HOMES: u64 = 160;
const DOORS: u64 = 4;
/// Rows of one statement.
const AT_ONCE: usize = 500;

const FIRST: [&str; 20] = [
    "Kari", "Ola", "Nora", "Emil", "Ingrid", "Per", "Åse", "Øyvind", "Sigrid", "Lars", "Astrid", "Jonas",
    "Maja", "Henrik", "Solveig", "Magnus", "Frida", "Erik", "Hanne", "Torstein",
];
const LAST: [&str; 25] = [
    "Haugen",
    "Berg",
    "Lind",
    "Olsen",
    "Andersson",
    "Nilsen",
    "Dahl",
    "Østby",
    "Sørli",
    "Ødegård",
    "Strand",
    "Moen",
    "Lunde",
    "Bakken",
    "Holm",
    "Nygaard",
    "Eriksen",
    "Solberg",
    "Vik",
    "Aas",
    "Myhre",
    "Tangen",
    "Foss",
    "Hagen",
    "Sæther",
];

/// What the questions are about.
pub struct Town {
    /// A manager who asks.
    pub scope: Scope,
    /// One of the buildings.
    pub building: BuildingId,
    /// One of its doors, which everybody there may open.
    pub door: DoorId,
    /// Somebody at nine tenths of the list.
    pub deep: PeopleAfter,
    /// What somebody types: the beginning of a rare name.
    pub word: String,
    /// And a second word.
    pub second: String,
}

/// An id of this kind of thing.
pub(super) fn id(kind: u8, number: u64) -> Uuid {
    let mut bytes = [kind; 16];
    bytes[8..].copy_from_slice(&number.to_be_bytes());
    v4(bytes)
}

pub(super) fn label(text: &str) -> Result<Label> {
    Ok(Label::new(text)?)
}

impl Town {
    /// A property manager without buildings: who asks, and since when.
    ///
    /// # Errors
    /// When the store does not take it.
    pub async fn claim(store: &Store) -> Result<(Scope, Stamp)> {
        let (tenant, manager) = (TenantId(id(1, 0)), PersonId(id(2, 0)));
        let system = Scope::system(tenant);
        let claimed = NewInstallation {
            tenant: Tenant { id: tenant, name: label("Bench")? },
            administrator: Person::named(manager, label("Manager")?),
            account: NewAccount {
                person: manager,
                user_name: Pii::new("manager".to_owned()),
                password_hash: Pii::new("!".to_owned()),
            },
            roles: (id(10, 0).into(), id(10, 1).into()),
        };
        let stamp = Stamp { at: SystemClock::start().now(), salt: [0; 16] };
        store.gate().claim(&stamp, claimed).await?;
        let own =
            Scope { principal: Principal::Person { person: manager, device: DeviceId(id(8, 0)) }, ..system };
        let scope = own.at(stamp.at);
        store.people().accept_confidentiality(&scope, &stamp, manager).await?;
        Ok((scope, stamp))
    }

    /// Makes it; besides, how many rows a second the imports took.
    ///
    /// # Errors
    /// When the store does not take it.
    pub async fn settle(store: &Store, url: &str, people: u64) -> Result<(Self, f64)> {
        let (scope, stamp) = Self::claim(store).await?;
        let tenant = scope.tenant;
        let mut taken = Duration::ZERO;
        for number in 0..people.div_ceil(PEOPLE) {
            taken += building(store, &scope, &stamp, number, people).await?;
        }
        let imported = people as f64 / taken.as_secs_f64().max(f64::EPSILON);

        let mut options = ConnectOptions::new(url);
        options.max_connections(1).sqlx_logging(false);
        let connection = Database::connect(options).await?;
        furnish(&connection, tenant, people).await?;
        let sorted = Statement::from_sql_and_values(
            connection.get_database_backend(),
            "SELECT id, sort_name FROM person WHERE tenant = $1 ORDER BY sort_name, id LIMIT 1 OFFSET $2",
            [tenant.0.into(), i64::try_from(people * 9 / 10)?.into()],
        );
        let deep = connection.query_one_raw(sorted).await?.ok_or("nobody there")?;
        let middle = people.div_ceil(PEOPLE) / 2;
        let town = Self {
            scope,
            building: BuildingId(id(3, middle)),
            door: DoorId(id(5, middle * DOORS)),
            deep: PeopleAfter {
                home: None,
                name: Pii::new(deep.try_get_by_index(1)?),
                person: PersonId(deep.try_get_by_index(0)?),
            },
            word: "sæt".to_owned().replace('æ', "ae"),
            second: "kar".to_owned(),
        };
        connection.close().await?;
        Ok((town, imported))
    }
}

/// A building with its doors, homes, panel and people; how long the import of the people took.
async fn building(store: &Store, scope: &Scope, stamp: &Stamp, number: u64, people: u64) -> Result<Duration> {
    let (house, entrance) = (BuildingId(id(3, number)), EntranceId(id(4, number)));
    let new = Building {
        id: house,
        name: label(&format!("Bench Court {number}"))?,
        address: label(&format!("Bench Street {number}"))?,
        kind: BuildingKind::Residential,
        time_zone: "Europe/Oslo".to_owned(),
        holidays: klinke_model::schedule::HolidayCalendar::None,
    };
    store.sites().insert_building(scope, stamp, new).await?;
    let stair = Entrance { id: entrance, building: house, name: label("A")? };
    store.sites().insert_entrance(scope, stamp, stair).await?;
    let mut doors = Vec::new();
    for door in 0..DOORS {
        let door = DoorId(id(5, number * DOORS + door));
        let new = Door {
            id: door,
            building: house,
            name: label("Door")?,
            controller: None,
            output: 0,
            times: DoorTimes::default(),
            kind: DoorKind::Door,
        };
        store.doors().insert_door(scope, stamp, new, false).await?;
        doors.push(door);
    }
    let mut units = Vec::new();
    for home in 0..HOMES {
        let number = label(&format!("{}{:02}", home / 8 + 1, home % 8 + 1))?;
        units.push(Unit { id: UnitId(id(6, house_home(house, home))), building: house, entrance, number });
    }
    store.sites().insert_units(scope, stamp, house, &units, &doors).await?;
    let panel = Panel {
        id: PanelId(id(11, number)),
        building: house,
        entrance: Some(entrance),
        name: label("A")?,
        doors,
    };
    store.intercom().pair_panel(scope, stamp, panel, None).await?;

    let here = (number * PEOPLE)..people.min((number + 1) * PEOPLE);
    let mut plan = ImportPlan::default();
    for one in here {
        let person = PersonId(id(7, one));
        plan.people.push((person, details(one, None)?));
        let unit = units.get(usize::try_from(one % HOMES)?).ok_or("no such home")?.id;
        plan.places.push((person, unit, one % PEOPLE < HOMES));
    }
    let import = ImportId(id(12, number));
    let draft = NewImport {
        id: import,
        building: house,
        content: Pii::new(String::new()),
        ends_at: stamp.at.plus(Duration::from_secs(86_400)),
    };
    let began = now();
    store.imports().insert_import(scope, draft).await?;
    let ends_at = stamp.at.plus(Duration::from_secs(86_400));
    let (wish, job) = (ImportWish::Apply { leave_out_errors: false }, id(13, number).into());
    store.imports().ask_import(scope, stamp, import, wish, job).await?;
    let decide = |_: &klinke_storage::record::House, _: String| Some(plan.clone());
    let done = store.imports().apply_import(scope, stamp, import, ends_at, decide, &|_, _| ()).await?;
    if done != ImportOutcome::Done(0) {
        return Err("the store took no import".into());
    }
    Ok(began.elapsed())
}

/// What a list says of somebody.
pub(super) fn details(one: u64, phone: Option<Phone>) -> Result<Details> {
    let (first, last) = (pick(&FIRST, one / 7 + one), pick(&LAST, one / 3 + one));
    Ok(Details {
        name: Some(Pii::new(label(&format!("{first} {last}"))?)),
        email: Some(Pii::new(Email::new(&format!("p{one}@example.org"))?)),
        phone: phone.map(Pii::new),
        language: Language::Nb,
    })
}

/// The number of a home among all.
fn house_home(house: BuildingId, home: u64) -> u64 {
    let bytes = house.0.as_bytes();
    let mut number = [0; 8];
    number.copy_from_slice(&bytes[8..]);
    // the first bits of that half say the kind of id
    (u64::from_be_bytes(number) & 0x3fff_ffff_ffff_ffff) * HOMES + home
}

fn pick<'a>(from: &[&'a str], number: u64) -> &'a str {
    from.get(usize::try_from(number).unwrap_or_default() % from.len()).copied().unwrap_or_default()
}

/// Devices of every second person, buttons of nine homes in ten, one in a hundred suspended; and what a database knows
/// of its tables after a night.
async fn furnish(connection: &DatabaseConnection, tenant: TenantId, people: u64) -> Result<()> {
    let mut devices: Vec<Vec<Value>> = Vec::new();
    let mut suspended: Vec<Value> = Vec::new();
    for one in 0..people {
        if one % 2 == 0 {
            devices.push(vec![
                tenant.0.into(),
                id(8, one + 1).into(),
                id(7, one).into(),
                "Phone".into(),
                "app".into(),
            ]);
        }
        if one % 100 == 3 {
            suspended.push(id(7, one).into());
        }
    }
    insert(connection, "device", "tenant, id, person, name, kind", devices).await?;
    for some in suspended.chunks(AT_ONCE) {
        let marks: Vec<String> = (1..=some.len()).map(|number| format!("${number}")).collect();
        let sql = format!("UPDATE person SET active = FALSE WHERE id IN ({})", marks.join(", "));
        let statement = Statement::from_sql_and_values(connection.get_database_backend(), sql, some.to_vec());
        connection.execute_raw(statement).await?;
    }
    let places = "SELECT m.unit, m.person, u.building FROM membership m JOIN unit u ON u.tenant = m.tenant AND u.id = m.unit \
                  ORDER BY m.unit, m.person";
    let backend = connection.get_database_backend();
    let (mut bells, mut members): (Vec<Vec<Value>>, Vec<Vec<Value>>) = (Vec::new(), Vec::new());
    let mut last = None;
    for row in connection.query_all_raw(Statement::from_string(backend, places)).await? {
        let (unit, person, building): (Uuid, Uuid, Uuid) =
            (row.try_get_by_index(0)?, row.try_get_by_index(1)?, row.try_get_by_index(2)?);
        let bell = Uuid::from_u128(unit.as_u128() ^ (1 << 100));
        if last != Some(unit) {
            last = Some(unit);
            if unit.as_u128() % 10 != 0 {
                let mut number = [0; 8];
                number.copy_from_slice(&building.as_bytes()[8..]);
                let panel = id(11, u64::from_be_bytes(number) & 0x3fff_ffff_ffff_ffff);
                bells.push(vec![
                    tenant.0.into(),
                    bell.into(),
                    building.into(),
                    panel.into(),
                    unit.into(),
                    "Bell".into(),
                    "parallel".into(),
                    0_i32.into(),
                ]);
            }
        }
        if unit.as_u128() % 10 != 0 {
            members.push(vec![
                tenant.0.into(),
                bell.into(),
                person.into(),
                unit.into(),
                "x".into(),
                0_i32.into(),
            ]);
        }
    }
    insert(connection, "bell", "tenant, id, building, panel, unit, label, kind, position", bells).await?;
    insert(connection, "bell_member", "tenant, bell, person, unit, label, position", members).await?;
    connection.execute_unprepared("ANALYZE").await?;
    Ok(())
}

pub(super) async fn insert(
    connection: &impl ConnectionTrait,
    table: &str,
    columns: &str,
    rows: Vec<Vec<Value>>,
) -> Result<()> {
    for some in rows.chunks(AT_ONCE) {
        let mut number = 0;
        let tuples: Vec<String> = some
            .iter()
            .map(|row| {
                let marks: Vec<String> = row
                    .iter()
                    .map(|_| {
                        number += 1;
                        format!("${number}")
                    })
                    .collect();
                format!("({})", marks.join(", "))
            })
            .collect();
        let sql = format!("INSERT INTO {table} ({columns}) VALUES {}", tuples.join(", "));
        let values: Vec<Value> = some.iter().flatten().cloned().collect();
        let statement = Statement::from_sql_and_values(connection.get_database_backend(), sql, values);
        connection.execute_raw(statement).await?;
    }
    Ok(())
}
