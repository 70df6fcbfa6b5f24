//! After a day of use nothing tells who came home (trust.md C2, first version).
//!
//! - *Scan*: a day in the program itself, with everybody named uniquely; afterwards every file, log line and metric is
//!   searched for the names, for the ids of what happened and for when it happened.
//! - *Twins*: the same day twice, in which only who opened and who was called differ, leaves the same bytes.

use crate::support::app::{App, Phone};
use crate::support::door::Controller;
use crate::support::house::{House, Plan};
use crate::support::panel::{Panel, request};
use crate::support::process::Place;
use crate::support::until;
use klinke_model::ids::DoorId;
use klinke_model::time::{Clock, Mono, SystemClock, Timestamp};
use klinke_server::node;
use klinke_server::random::Random;
use klinke_wire::common::OpeningState;
use sea_orm::ConnectionTrait;
use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;
use uuid::Uuid;

const RESIDENTS: [&str; 8] = ["kari", "nora", "emil", "linh", "anh", "ingrid", "per", "liv"];

/// A name of 24 characters that nothing else contains.
pub fn canary(user_name: &str) -> String {
    format!("Qzxv{user_name:Q<12}Canaryzx")
}

/// A day ago on the wall, so that what was written when the house was furnished is not taken for use.
pub struct Yesterday(SystemClock);

impl Yesterday {
    pub fn start() -> Arc<Self> {
        Arc::new(Self(SystemClock::start()))
    }
}

impl Clock for Yesterday {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.now().as_millis() - 86_400_000)
    }
    fn mono(&self) -> Mono {
        self.0.mono()
    }
}

/// Noon on a day in 2026, all day long.
struct Noon(SystemClock);

impl Clock for Noon {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_795_262_400_000)
    }
    fn mono(&self) -> Mono {
        self.0.mono()
    }
}

/// Makes the list of migrations a day old, which our own clock does not reach. Else a house that is furnished in the
/// second before its first visitor would look like a leak.
pub async fn age(data: &Path) {
    let database =
        sea_orm::Database::connect(format!("sqlite://{}", data.join("klinke.db").display())).await.unwrap();
    let yesterday = "UPDATE seaql_migrations SET applied_at = applied_at - 86400";
    database.execute_unprepared(yesterday).await.unwrap();
    database.close().await.unwrap();
}

/// Everybody's phone and both panels, connected.
struct Everybody {
    entrance: Panel,
    gate: Panel,
    apps: HashMap<&'static str, App>,
    /// Calls and openings that were seen on the wire.
    ids: Vec<Uuid>,
    /// When something happened, ms since 1970.
    moments: Vec<u64>,
}

pub fn now_ms() -> u64 {
    u64::try_from(SystemClock::start().now().as_millis()).unwrap()
}

impl Everybody {
    async fn connect(plan: &Plan, at: SocketAddr, phones: &[(&'static str, Phone)]) -> Self {
        let (entrance, gate) = (plan.entrance_panel.connect(at).await, plan.gate_panel.connect(at).await);
        let mut apps = HashMap::new();
        for (name, phone) in phones {
            apps.insert(*name, phone.connect(at).await);
        }
        Self { entrance, gate, apps, ids: Vec::new(), moments: Vec::new() }
    }

    fn app(&mut self, name: &str) -> &mut App {
        self.apps.get_mut(name).unwrap()
    }

    /// Somebody comes home and opens from the list.
    async fn comes_home(&mut self, name: &str, door: DoorId) {
        let tap = request();
        self.app(name).open(tap, door, None).await;
        let news = self.app(name).opened(tap).await;
        assert!(matches!(news.state, OpeningState::Open { .. }), "{news:?}");
        self.ids.extend([tap.0, news.opening.unwrap().0]);
        self.moments.push(now_ms());
    }

    /// A visitor rings at the entrance; the first answers, opens and hangs up. The others were rung too.
    async fn visit(&mut self, plan: &Plan, bell: &str, answers: &str, others: &[&str]) {
        let call = self.entrance.ring(plan.bell(bell)).await.call;
        self.app(answers).rung().await;
        self.app(answers).answer(call).await;
        for other in others {
            self.app(other).state(call).await;
        }
        self.ids.push(call.0);
        let tap = request();
        self.app(answers).open(tap, plan.front, Some(call)).await;
        let news = self.app(answers).opened(tap).await;
        assert!(matches!(news.state, OpeningState::Open { .. }), "{news:?}");
        self.ids.extend([tap.0, news.opening.unwrap().0]);
        self.moments.push(now_ms());
        self.app(answers).hang_up(call).await;
        self.entrance.ended(call).await;
        self.app(answers).ended(call).await;
    }

    /// A visitor rings somebody at the gate, who does not want to be at home.
    async fn is_sent_away(&mut self, plan: &Plan, bell: &str, declines: &str) {
        let call = self.gate.ring(plan.gate_bell(bell)).await.call;
        self.app(declines).rung().await;
        self.app(declines).decline(call).await;
        self.ids.push(call.0);
        self.moments.push(now_ms());
        self.gate.hang_up(call).await;
        self.gate.ended(call).await;
    }
}

/// Every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

pub fn contains(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}

/// Every way in which a text is likely to be written down.
pub fn spellings(text: &str) -> Vec<Vec<u8>> {
    use base64::Engine as _;
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut ways = vec![text.into(), text.to_lowercase().into(), text.to_uppercase().into(), utf16];
    ways.push(hex(text.as_bytes()).into());
    // the middle of each of the three phases: free of what stands before and after
    for phase in 0..3 {
        let shifted = [vec![0; phase], text.as_bytes().to_vec()].concat();
        let encoded = base64::prelude::BASE64_STANDARD_NO_PAD.encode(shifted);
        ways.push(encoded[4..encoded.len() - 4].into());
    }
    ways
}

fn id_spellings(id: Uuid) -> Vec<Vec<u8>> {
    use base64::Engine as _;
    let simple = id.simple().to_string();
    vec![
        id.as_bytes().to_vec(),
        id.to_string().into(),
        id.to_string().to_uppercase().into(),
        simple.clone().into(),
        simple.to_uppercase().into(),
        base64::prelude::BASE64_STANDARD_NO_PAD.encode(id.as_bytes()).into(),
        base64::prelude::BASE64_URL_SAFE_NO_PAD.encode(id.as_bytes()).into(),
    ]
}

/// Moments within two seconds of one of these, as text or binary, in ms or s.
fn moments_in(bytes: &[u8], moments: &[u64]) -> Vec<String> {
    let near = |ms: u64| moments.iter().any(|moment| moment.abs_diff(ms) <= 2_000);
    let near_s = |s: u64| near(s.saturating_mul(1_000)) || near(s.saturating_mul(1_000) + 999);
    let mut found = Vec::new();
    for (at, window) in bytes.windows(6).enumerate() {
        let number =
            |order: &mut dyn Iterator<Item = &u8>| order.fold(0, |sum, byte| sum << 8 | u64::from(*byte));
        if near(number(&mut window.iter())) || near(number(&mut window.iter().rev())) {
            found.push(format!("ms, binary, at {at}"));
        }
        let (big, little) = (number(&mut window.iter().take(4)), number(&mut window.iter().take(4).rev()));
        if near_s(big) || near_s(little) {
            found.push(format!("s, binary, at {at}"));
        }
    }
    for digits in bytes.split(|byte| !byte.is_ascii_digit()) {
        let number = std::str::from_utf8(digits).unwrap().parse().unwrap_or(0);
        if near(number) || near_s(number) || near(number / 1_000) || near(number / 1_000_000) {
            found.push(format!("text: {number}"));
        }
    }
    found
}

/// When each file was last written, but for the index of the write-ahead log: that is memory which SQLite shares
/// between processes, and holds no rows.
pub fn written(folders: &[&Path]) -> BTreeMap<PathBuf, SystemTime> {
    let files = folders.iter().flat_map(|folder| files(folder));
    let files = files.filter(|path| !follows_time_alone(path));
    files.map(|path| (path.clone(), std::fs::metadata(&path).unwrap().modified().unwrap())).collect()
}

/// SQLite's shared memory, and the controller's own clock, which it keeps every ten minutes and at its end whatever happens.
fn follows_time_alone(path: &Path) -> bool {
    let path = path.to_string_lossy();
    path.ends_with("-shm") || path.ends_with("kept/clock")
}

/// What was found where it must not be: each a sentence.
pub fn scan(data: &Path, elsewhere: &[PathBuf], printed: &str, ids: &[Uuid], moments: &[u64]) -> Vec<String> {
    let mut leaks = Vec::new();
    let mut sources: Vec<(String, Vec<u8>, bool)> = vec![("logs and metrics".into(), printed.into(), false)];
    for path in files(data).into_iter().chain(elsewhere.iter().flat_map(|folder| files(folder))) {
        // people are in the database: that they exist is what it is for
        let holds_people = path.file_name().unwrap().to_string_lossy().starts_with("klinke.db");
        sources.push((path.display().to_string(), std::fs::read(&path).unwrap(), holds_people));
    }
    for (source, bytes, holds_people) in &sources {
        for name in RESIDENTS {
            let known_as = [canary(name), format!("Phone of {name} Qzxvphone")];
            for known_as in known_as.iter().filter(|_| !holds_people) {
                if spellings(known_as).iter().any(|spelling| contains(bytes, spelling)) {
                    leaks.push(format!("{source} names {known_as}"));
                }
            }
        }
        for id in ids {
            if id_spellings(*id).iter().any(|spelling| contains(bytes, spelling)) {
                leaks.push(format!("{source} holds the call or opening {id}"));
            }
        }
        // the time at which a controller began or ended is not one at which somebody came
        if !source.ends_with("kept/clock") {
            leaks.extend(moments_in(bytes, moments).into_iter().map(|found| format!("{source}: {found}")));
        }
    }
    leaks
}

#[test]
fn the_scan_finds_what_it_is_to_find() {
    let (id, moment) = (Uuid::from_bytes([7; 16]), 1_795_262_400_500_u64);
    let encoded = |way: &[u8]| {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("file"), [b"before ", way, b" after"].concat()).unwrap();
        scan(folder.path(), &[], "", &[id], &[moment]).len()
    };
    assert_eq!(encoded(b"nothing"), 0);
    for way in spellings(&canary("kari")).into_iter().chain(id_spellings(id)) {
        assert_eq!(encoded(&way), 1, "{way:?}");
    }
    let (ms, s) = (moment + 1_900, moment / 1_000 - 1);
    for way in [
        ms.to_be_bytes().to_vec(),
        ms.to_le_bytes().to_vec(),
        u32::try_from(s).unwrap().to_be_bytes().to_vec(),
        u32::try_from(s).unwrap().to_le_bytes().to_vec(),
        ms.to_string().into(),
        s.to_string().into(),
        (ms * 1_000).to_string().into(),
    ] {
        assert!(encoded(&way) > 0, "{way:?}");
    }
    assert_eq!(encoded((moment + 60_000).to_string().as_bytes()), 0);
}

#[tokio::test]
async fn after_a_day_nothing_tells_who_came_home() {
    let house = House::build(|_| {}, Yesterday::start(), Random::system(), canary).await;
    let mut phones = Vec::new();
    for name in RESIDENTS {
        phones.push((name, Phone::sign_in(house.at(), name, &format!("Phone of {name} Qzxvphone")).await));
    }
    // what it decides by is no use of a door: it comes with the first link, and stays as long as nobody changes anything
    let controller = house.controller().await;
    until("rights", || controller.in_force.times() > 0).await;
    controller.stop().await;
    let (folder, plan) = house.stop().await;
    let (data, log) = (folder.path().join("data"), folder.path().join("log"));
    age(&data).await;
    let filter = "debug,klinke_server=trace,klinke_media=trace,klinke_storage=trace";
    let server = Place::new(&data, &log, filter).serve().await;
    let mut day = Everybody::connect(&plan, server.at, &phones).await;
    let controller = plan.controller.start(server.controllers);
    day.app("kari")
        .socket
        .expect("the front door linked", |event| match event {
            klinke_wire::app::AppEvent::Door { door } if door.door == plan.front => Some(()),
            _ => None,
        })
        .await;
    let before = std::fs::read(&log).unwrap().len();
    let places = [data.as_path(), plan.controller.state.as_path()];
    let written_before = written(&places);

    day.comes_home("kari", plan.front).await;
    day.visit(&plan, "Nguyen", "anh", &["linh"]).await;
    day.is_sent_away(&plan, "Berg", "nora").await;
    day.comes_home("ingrid", plan.garage).await;
    day.visit(&plan, "Olsen", "liv", &["ingrid", "per"]).await;
    day.is_sent_away(&plan, "Dahl", "kari").await;
    day.visit(&plan, "Dahl", "kari", &[]).await;
    assert_eq!(controller.releases.count(), 5);
    controller.locked().await;

    assert_eq!(written(&places), written_before, "use writes to no file, not even when it happened");
    let day_log = String::from_utf8(std::fs::read(&log).unwrap().split_off(before)).unwrap();
    assert_eq!(day_log, "", "use is not logged at all, not even without a name");
    let metrics = reqwest::Client::builder().no_proxy().build().unwrap();
    let metrics = metrics.get(format!("http://{}/metrics", server.at)).send().await.unwrap();
    assert_eq!(metrics.status(), 200);
    let printed = std::fs::read_to_string(&log).unwrap() + &metrics.text().await.unwrap();
    assert!(printed.contains("Klinke is at"), "the output was captured: {printed}");
    let doors = [plan.front, plan.gate, plan.garage, plan.boiler].map(|door| door.0);
    let people = RESIDENTS.map(|name| plan.person(name).0);
    for id in doors.into_iter().chain(people).chain(phones.iter().map(|(_, phone)| phone.device.0)) {
        let spelling = id_spellings(id).into_iter().find(|spelling| contains(printed.as_bytes(), spelling));
        assert_eq!(spelling, None, "a door, a person or a phone is in a log line or a label");
    }
    let (ids, moments) = (day.ids.clone(), day.moments.clone());
    let look = || scan(&data, std::slice::from_ref(&plan.controller.state), &printed, &ids, &moments);
    assert_eq!(look(), Vec::<String>::new(), "while it runs");
    // the log is a file of its own and was searched as what was printed
    controller.stop().await;
    server.kill();
    assert_eq!(look(), Vec::<String>::new(), "after its end");
    let database = std::fs::read(data.join("klinke.db")).unwrap();
    let wal = std::fs::read(data.join("klinke.db-wal")).unwrap_or_default();
    assert!(contains(&database, canary("kari").as_bytes()) || contains(&wal, canary("kari").as_bytes()));
}

/// Who does what in a day: the same things happen, to other people.
struct Cast {
    comes_home: [&'static str; 2],
    visited: [(&'static str, &'static str, &'static [&'static str]); 2],
    sends_away: (&'static str, &'static str),
}

/// One day in a copy of the house; every file that it left.
async fn twin(
    original: &Path,
    plan: &Plan,
    phones: &[(&'static str, Phone)],
    cast: &Cast,
) -> BTreeMap<PathBuf, Vec<u8>> {
    let folder = tempfile::tempdir().unwrap();
    let copied =
        std::process::Command::new("cp").arg("-a").arg(original).arg(folder.path().join("house")).status();
    assert!(copied.unwrap().success());
    let home = folder.path().join("house");
    let mut plan = plan.clone();
    plan.controller.state = home.join("controller");
    let clock = Arc::new(Noon(SystemClock::start()));
    let config = crate::world::config(&home.join("data"));
    let running = node::start(config, clock, Random::seeded(2)).await.unwrap();
    // something is written in both, or two empty days would be compared
    Phone::sign_in(running.address, "emil", "A second phone").await;
    let controller: Controller = plan.controller.start(running.controllers);
    until("the doors", || running.node.presence.door(plan.front).is_some()).await;
    let mut day = Everybody::connect(&plan, running.address, phones).await;
    for name in cast.comes_home {
        day.comes_home(name, plan.front).await;
    }
    for (bell, answers, others) in cast.visited {
        day.visit(&plan, bell, answers, others).await;
    }
    day.is_sent_away(&plan, cast.sends_away.0, cast.sends_away.1).await;
    controller.locked().await;
    controller.stop().await;
    running.stop().await;
    let left = files(&home).into_iter().filter(|path| !follows_time_alone(path));
    left.map(|path| (path.strip_prefix(&home).unwrap().to_owned(), std::fs::read(&path).unwrap())).collect()
}

/// What files differ after two days that differ in who came home, in a house of this kind; with records of use where it says so.
async fn twins(kind: &str, records: bool) -> Vec<PathBuf> {
    let clock = Arc::new(Noon(SystemClock::start()));
    let house = House::build(|_| {}, clock, Random::seeded(1), str::to_owned).await;
    if records {
        drop(crate::records::keeps(&house).await);
    } else if kind != "residential" {
        crate::records::becomes(&house, kind).await;
    }
    let mut phones = Vec::new();
    for name in RESIDENTS {
        phones.push((name, Phone::sign_in(house.at(), name, "Phone").await));
    }
    // both days begin with the same rights on the controller's disk: signatures are never the same twice
    let controller = house.controller().await;
    until("rights", || controller.in_force.times() > 0).await;
    controller.stop().await;
    let (folder, plan) = house.stop().await;
    let one = Cast {
        comes_home: ["kari", "kari"],
        visited: [("Nguyen", "anh", &["linh"]), ("Dahl", "kari", &[])],
        sends_away: ("Berg", "nora"),
    };
    let other = Cast {
        comes_home: ["per", "liv"],
        visited: [("Olsen", "ingrid", &["per", "liv"]), ("Dahl", "kari", &[])],
        sends_away: ("Nguyen", "linh"),
    };
    let (a, b) =
        (twin(folder.path(), &plan, &phones, &one).await, twin(folder.path(), &plan, &phones, &other).await);
    assert_eq!(a.keys().collect::<Vec<_>>(), b.keys().collect::<Vec<_>>());
    for (path, bytes) in &a {
        assert!(!bytes.is_empty() || b[path].is_empty());
    }
    assert!(a.keys().any(|path| path.ends_with("klinke.db")), "{:?}", a.keys());
    let changed =
        a.iter().any(|(path, bytes)| std::fs::read(folder.path().join(path)).ok().as_ref() != Some(bytes));
    assert!(changed, "the day wrote something: the second phone");
    a.iter().filter(|(path, bytes)| b[*path] != **bytes).map(|(path, _)| path.clone()).collect()
}

#[tokio::test]
async fn two_days_that_differ_in_who_came_home_leave_the_same_bytes() {
    assert_eq!(twins("residential", false).await, Vec::<PathBuf>::new());
}

#[tokio::test]
async fn a_mixed_building_leaves_the_same_bytes_too() {
    assert_eq!(twins("mixed", false).await, Vec::<PathBuf>::new());
}

#[tokio::test]
async fn a_commercial_building_that_keeps_no_records_leaves_the_same_bytes_too() {
    assert_eq!(twins("commercial", false).await, Vec::<PathBuf>::new());
}

#[tokio::test]
async fn the_twins_find_the_records_of_a_commercial_building_that_keeps_some() {
    let differ = twins("commercial", true).await;
    let database =
        differ.iter().filter(|path| path.file_name().unwrap().to_string_lossy().starts_with("klinke.db"));
    assert!(database.count() > 0, "{differ:?}");
}
