//! What the server takes by itself: until it is ready, at rest, and for each of 10,000 apps that wait for a ring.
//!
//! The people and their sessions are written into the database before the server starts: to sign 10,000 people in by
//! password would measure argon2.

use crate::Result;
use crate::client::{self, Socket};
use crate::figures::{now, times};
use crate::process::Process;
use futures_util::{StreamExt, TryStreamExt, stream};
use klinke_model::door::{Door, DoorKind, DoorTimes};
use klinke_model::ids::{
    BuildingId, DeviceId, DoorId, EntranceId, PersonId, SessionId, TenantId, UnitId, v4,
};
use klinke_model::people::{Device, DeviceKind, Membership, Person};
use klinke_model::privacy::Pii;
use klinke_model::scope::Scope;
use klinke_model::site::{Building, BuildingKind, Entrance, Tenant, Unit};
use klinke_model::text::Label;
use klinke_model::time::{Clock, SystemClock};
use klinke_storage::Store;
use klinke_storage::record::{NewAccount, NewDevice, NewInstallation, Stamp};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::net::TcpListener;
use std::path::Path;
use std::time::Duration;
use tokio::process::Command;
use tokio::time::sleep;
use uuid::Uuid;

/// People with a signed-in device.
const PEOPLE: u64 = 10_000;
/// Of one home.
const HOUSEHOLD: u64 = 4;
/// Starts that are timed.
const STARTS: usize = 10;
/// Until nothing moves any more.
const REST: Duration = Duration::from_secs(3);
/// Apps that connect at the same time.
const AT_ONCE: usize = 64;

/// Start → ready on an existing database, resident memory at rest, and memory of one idle app out of 10,000.
///
/// # Errors
/// When the server does not start or does not take them all.
pub async fn measure(klinke: &Path) -> Result<Value> {
    let folder = tempfile::tempdir()?;
    settle_town(folder.path()).await?;
    // makes the keys of the folder
    Server::start(klinke, folder.path()).await?.process.stop().await?;

    let mut starts = Vec::with_capacity(STARTS);
    for _ in 0..STARTS {
        let server = Server::start(klinke, folder.path()).await?;
        starts.push(server.ready_after);
        server.process.stop().await?;
    }

    let server = Server::start(klinke, folder.path()).await?;
    sleep(REST).await;
    let at_rest = server.process.resident()?;
    let began = now();
    let origin = &server.origin;
    let apps: Vec<Socket> = stream::iter(0..PEOPLE)
        .map(|number| async move { Ok(client::app(origin, &cookie(number)).await?.0) })
        .buffer_unordered(AT_ONCE)
        .try_collect::<Vec<Socket>>()
        .await
        .map_err(|failure: crate::Failure| format!("connect the apps: {failure}"))?;
    let connecting = began.elapsed();
    sleep(REST).await;
    let with_apps = server.process.resident()?;
    let kib_per_app = (with_apps as f64 - at_rest as f64) / apps.len() as f64;
    drop(apps);
    sleep(REST).await;
    let after = server.process.resident()?;
    Ok(json!({
        "start_ms": times(starts),
        "idle_mib": at_rest as f64 / 1024.0,
        "kib_per_app": kib_per_app,
        "apps": PEOPLE,
        "connected_in_s": connecting.as_secs_f64(),
        "resident_with_apps_mib": with_apps as f64 / 1024.0,
        "resident_after_they_left_mib": after as f64 / 1024.0,
    }))
}

/// A running `klinke serve`.
struct Server {
    process: Process,
    origin: String,
    ready_after: Duration,
}

impl Server {
    async fn start(klinke: &Path, folder: &Path) -> Result<Self> {
        let listen = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let origin = format!("http://{listen}");
        let http = reqwest::Client::builder().no_proxy().build()?;
        let mut command = Command::new(klinke);
        command
            .arg("serve")
            .current_dir(folder)
            .env("KLINKE_HTTP__LISTEN", listen.to_string())
            .env("KLINKE_DATA__FOLDER", folder)
            .env("KLINKE_CONTROLLERS__LISTEN", "127.0.0.1:0")
            .env("KLINKE_MEDIA__LISTEN", "127.0.0.1:0")
            .env("KLINKE_LIMITS__PER_SECOND", "0")
            .env("KLINKE_LOG__FILTER", "warn");
        let began = now();
        let process = Process::start(&mut command)?;
        for _ in 0..10_000 {
            let answer = http.get(format!("{origin}/readyz")).send().await;
            if answer.is_ok_and(|answer| answer.status().is_success()) {
                return Ok(Self { process, origin, ready_after: began.elapsed() });
            }
            sleep(Duration::from_millis(1)).await;
        }
        Err("the server did not become ready".into())
    }
}

fn token(number: u64) -> [u8; 32] {
    Sha256::digest(number.to_be_bytes()).into()
}

fn cookie(number: u64) -> String {
    use base64::Engine as _;
    format!("klinke={}", base64::prelude::BASE64_URL_SAFE_NO_PAD.encode(token(number)))
}

/// A claimed installation: one building, a door each household may open, everybody signed in.
async fn settle_town(folder: &Path) -> Result<()> {
    let store = Store::open(&format!("sqlite://{}?mode=rwc", folder.join("klinke.db").display())).await?;
    let label = |text: String| Label::new(&text);
    let tenant = TenantId(id(1, 0));
    let scope = Scope::system(tenant);
    let manager = PersonId(id(2, 0));
    let claimed = NewInstallation {
        tenant: Tenant { id: tenant, name: label("Bench".to_owned())? },
        administrator: Person::named(manager, label("Manager".to_owned())?),
        account: NewAccount {
            person: manager,
            user_name: Pii::new("manager".to_owned()),
            // nobody signs in here
            password_hash: Pii::new("!".to_owned()),
        },
        roles: (id(10, 0).into(), id(10, 1).into()),
    };
    let stamp = Stamp { at: SystemClock::start().now(), salt: [0; 16] };
    store.gate().claim(&stamp, claimed).await?;

    let (building, entrance, door) = (BuildingId(id(3, 0)), EntranceId(id(4, 0)), DoorId(id(5, 0)));
    let house = Building {
        id: building,
        name: label("Bench Court".to_owned())?,
        address: label("Bench Street 1".to_owned())?,
        kind: BuildingKind::Residential,
        time_zone: "Europe/Oslo".to_owned(),
        holidays: klinke_model::schedule::HolidayCalendar::None,
    };
    store.sites().insert_building(&scope, &stamp, house).await?;
    store
        .sites()
        .insert_entrance(&scope, &stamp, Entrance { id: entrance, building, name: label("A".to_owned())? })
        .await?;
    let name = label("Front".to_owned())?;
    let (kind, times) = (DoorKind::Door, DoorTimes::default());
    let front = Door { id: door, building, name, controller: None, output: 0, times, kind };
    store.doors().insert_door(&scope, &stamp, front, false).await?;

    let expires_day = SystemClock::start().now().day() + 30;
    for number in 0..PEOPLE {
        let unit = UnitId(id(6, number / HOUSEHOLD));
        if number % HOUSEHOLD == 0 {
            let home = Unit { id: unit, building, entrance, number: label(format!("{number}"))? };
            store.sites().insert_units(&scope, &stamp, building, &[home], &[door]).await?;
        }
        let person = PersonId(id(7, number));
        let name = label(format!("Resident {number}"))?;
        store.people().insert_person(&scope, Person::named(person, name)).await?;
        store.people().add_membership(&scope, Membership { person, unit, owner: false }).await?;
        let name = Pii::new(label("Phone".to_owned())?);
        let device = Device { id: DeviceId(id(8, number)), person, name, kind: DeviceKind::App };
        let session = SessionId(id(9, number));
        let token_hash = Sha256::digest(token(number)).into();
        let new = NewDevice { device, session, token_hash, expires_day };
        if !store.devices().sign_in(&scope, new).await? {
            return Err("the store took no session".into());
        }
    }
    Ok(())
}

/// An id of this kind of thing.
fn id(kind: u8, number: u64) -> Uuid {
    let mut bytes = [kind; 16];
    bytes[8..].copy_from_slice(&number.to_be_bytes());
    v4(bytes)
}
