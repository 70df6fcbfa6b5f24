//! A door that the door station opens by a relay of its own: baresip is the station, lighttpd its web server.

use crate::canary::contains;
use crate::door_station::{DAHL, Station, house, house_of, nothing_is_left};
use crate::support::PATIENCE;
use crate::support::app::App;
use crate::support::house::House;
use crate::support::panel::request;
use crate::support::trunk::{Sipp, free_port};
use crate::support::until;
use crate::world::Answer;
use klinke_model::door::DoorMode;
use klinke_model::ids::DoorId;
use klinke_server::stations::credentials::Credentials;
use klinke_wire::app::AppEvent;
use klinke_wire::common::{OpeningState, RefusalCode};
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use tokio::net::TcpListener;
use tokio::time::timeout;

const HUSH: &str = "canary-relay-hush-31";

const fn refused(reason: RefusalCode) -> OpeningState {
    OpeningState::Refused { reason }
}

fn relay(door: DoorId) -> String {
    format!("/api/v1/doors/{door}/station-relay")
}

/// What the station of the entrance is told.
async fn told(house: &House, told: Value) -> Answer {
    let body = json!({ "panel": house.plan.entrance_panel.id, "told": told });
    house.manager.put(&relay(house.plan.front), body).await
}

/// No controller, or this output of it, drives the front door.
async fn wire(house: &House, wiring: Value) -> Answer {
    let path = format!("/api/v1/doors/{}", house.plan.front);
    let seen = house.manager.get(&path).await.json();
    house.manager.patch(&path, json!({ "version": seen["version"], "wiring": wiring })).await
}

async fn without_controller(house: &House) {
    let off = wire(house, json!({ "output": 0 })).await;
    assert_eq!(off.status, 200, "{off:?}");
}

/// Waits until the list of doors says that the front door can be opened, or not.
async fn listed(app: &mut App, house: &House, at_hand: bool) {
    let front = house.plan.front;
    let state = app
        .socket
        .expect("another state of the door", |event| match event {
            AppEvent::Door { door } if door.door == front && door.state.is_some() == at_hand => {
                Some(door.state)
            }
            _ => None,
        })
        .await;
    assert_eq!(state.map(|state| state.mode), at_hand.then_some(DoorMode::Locked));
}

/// The keys that a station heard until its call was over.
async fn keys(station: &mut Station) -> String {
    let mut keys = String::new();
    let all = async {
        while let Some(line) = station.line().await {
            // a press has a line when it begins, and one when it ends
            if let Some(at) = line.find("received event: '").filter(|_| line.contains("end=0")) {
                keys.extend(line[at..].chars().nth("received event: '".len()));
            }
            if line.contains("session closed") {
                return;
            }
        }
    };
    timeout(PATIENCE, all).await.expect("the end of the call");
    keys
}

#[tokio::test]
async fn keys_are_pressed_in_its_call_while_it_rings_and_while_somebody_talks_and_never_twice() {
    let (house, mut station) = house("").await;
    let front = house.plan.front;
    without_controller(&house).await;
    let mut kari = house.app("kari").await;
    assert_eq!(kari.open_door(front, None).await, refused(RefusalCode::NoController));
    let set = told(&house, json!({ "way": "keys", "keys": "47*" })).await;
    assert_eq!((set.status.as_u16(), &set.json()["relay"]["told"]["keys"]), (200, &json!("47*")), "{set:?}");
    assert_eq!(kari.open_door(front, None).await, refused(RefusalCode::Offline), "it is in no call");

    station.dial(DAHL).await;
    let call = kari.rung().await;
    until("a door that can be opened", || house.node().presence.door(front).is_some()).await;
    // while it rings: its call is answered, and rings on
    assert_eq!(kari.open_door(front, Some(call.call)).await, OpeningState::Sent);
    kari.answer(call.call).await;
    // the same tap twice, as an app does that was away
    let tap = request();
    kari.open(tap, front, Some(call.call)).await;
    kari.open(tap, front, Some(call.call)).await;
    assert_eq!(kari.opened(tap).await.state, OpeningState::Sent);
    assert_eq!(kari.opened(tap).await.state, OpeningState::Sent);
    // and from the list, while the call lasts
    assert_eq!(kari.open_door(front, None).await, OpeningState::Sent);
    kari.hang_up(call.call).await;
    assert_eq!(keys(&mut station).await, "47*47*47*");
    until("a door that can not be opened", || house.node().presence.door(front).is_none()).await;
    nothing_is_left(&house).await;

    // the next call is rung, answered and ended as ever
    station.dial(DAHL).await;
    let call = kari.rung().await;
    kari.answer(call.call).await;
    kari.hang_up(call.call).await;
    assert_eq!(keys(&mut station).await, "", "nothing was kept for later");
    nothing_is_left(&house).await;
}

#[tokio::test]
async fn a_station_that_takes_no_keys_beside_the_sound_is_sent_them_by_info() {
    let (house, account, server) = house_of(|_| {}).await;
    without_controller(&house).await;
    assert_eq!(told(&house, json!({ "way": "keys", "keys": "47*" })).await.status, 200);
    let mut kari = house.app("kari").await;
    let Credentials { name, password } = &account;
    let sipp = Sipp::takes_info(&server.to_string(), name, password, DAHL, "47*47*").await;
    let call = kari.rung().await;
    until("a door that can be opened", || house.node().presence.door(house.plan.front).is_some()).await;
    for _ in 0..2 {
        assert_eq!(kari.open_door(house.plan.front, Some(call.call)).await, OpeningState::Sent);
    }
    kari.decline(call.call).await;
    sipp.verdict().await;
    nothing_is_left(&house).await;
}

#[tokio::test]
async fn a_visitor_waits_for_no_reading_of_what_the_station_opens() {
    let (house, mut station) = house("").await;
    without_controller(&house).await;
    assert_eq!(told(&house, json!({ "way": "keys", "keys": "5" })).await.status, 200);
    let mut kari = house.app("kari").await;
    let file = house.folder.path().join("data/klinke.db");
    let database = sea_orm::Database::connect(format!("sqlite://{}", file.display())).await.unwrap();
    // who reads it from now on reads for ever
    for change in [
        "ALTER TABLE station_relay RENAME TO kept",
        "CREATE VIEW station_relay AS SELECT kept.* FROM kept WHERE \
         (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n) > 0",
    ] {
        database.execute_unprepared(change).await.unwrap();
    }
    for _ in 0..2 {
        station.dial(DAHL).await;
        let call = kari.rung().await;
        kari.answer(call.call).await;
        station.says("incoming rtp for 'audio' established").await;
        kari.hang_up(call.call).await;
        station.says("session closed").await;
        nothing_is_left(&house).await;
    }
}

#[tokio::test]
async fn who_may_not_open_does_not_and_a_door_has_one_of_the_two() {
    let (house, mut station) = house("").await;
    let front = house.plan.front;
    let keys_of = json!({ "way": "keys", "keys": "5" });
    let path = format!("/api/v1/doors/{front}");
    let controller = house.manager.get(&path).await.json()["door"]["controller"].clone();
    // a controller drives it
    let both = told(&house, keys_of.clone()).await;
    assert_eq!((both.status.as_u16(), both.code().as_str()), (409, "driven"));
    without_controller(&house).await;
    let held = house.manager.put(&format!("{path}/held"), json!({ "held": "blocked" })).await;
    assert_eq!(held.status, 200);
    let held = told(&house, keys_of.clone()).await;
    assert_eq!((held.status.as_u16(), held.code().as_str()), (409, "needs_controller"));
    assert_eq!(house.manager.put(&format!("{path}/held"), json!({})).await.status, 200);
    for (wrong, pointer) in [
        (json!({ "way": "keys", "keys": "" }), "/told/keys"),
        (json!({ "way": "keys", "keys": "123456789" }), "/told/keys"),
        (json!({ "way": "keys", "keys": "5A" }), "/told/keys"),
        (
            json!({ "way": "http", "https": false, "port": 80, "path": "//evil.example/", "basic": false }),
            "/told/path",
        ),
        (json!({ "way": "http", "https": false, "port": 0, "path": "/", "basic": false }), "/told/port"),
        (
            json!({ "way": "http", "https": false, "port": 80, "path": "/", "basic": false, "user": "a" }),
            "/told/password",
        ),
        (
            json!({ "way": "http", "https": false, "port": 80, "path": "/", "basic": false, "password": "a" }),
            "/told/user",
        ),
    ] {
        let answer = told(&house, wrong.clone()).await;
        assert_eq!(
            (answer.status.as_u16(), &answer.json()["errors"][0]["pointer"]),
            (422, &json!(pointer)),
            "{wrong}"
        );
    }
    for path in ["//evil.example/", "http://evil.example/", "open door", "open"] {
        let answer = told(&house, http(80, path, false)).await;
        assert_eq!(answer.json()["errors"][0]["code"], json!("not_a_path"), "{path}: {answer:?}");
    }
    // a screen is no door station, and neither is what is not there
    let screen = json!({ "panel": house.plan.gate_panel.id, "told": keys_of });
    let answer = house.manager.put(&relay(front), screen).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["errors"][0]["pointer"]), (422, &json!("/panel")));
    assert_eq!(house.manager.get(&relay(front)).await.json(), json!({}));

    assert_eq!(told(&house, keys_of.clone()).await.status, 200);
    let both = wire(&house, json!({ "controller": controller, "output": 0 })).await;
    assert_eq!((both.status.as_u16(), both.code().as_str()), (409, "driven"), "{both:?}");
    for (what, body) in [
        ("held", json!({ "held": "blocked" })),
        ("settings", {
            let seen = house.manager.get(&format!("{path}/settings")).await.json();
            json!({ "version": seen["version"], "settings": { "refuses_copyable": true, "first_person_in": false } })
        }),
    ] {
        let answer = house.manager.put(&format!("{path}/{what}"), body).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (409, "needs_controller"), "{what}");
    }
    let doors = format!("/api/v1/buildings/{}/doors", house.plan.building);
    let shown = house.manager.get(&doors).await.json();
    let shown = shown.as_array().unwrap().iter().find(|door| door["id"] == json!(front)).unwrap().clone();
    assert_eq!(shown["station"], json!(house.plan.entrance_panel.id));

    // Nora is rung, but the front door is closed to everybody: nothing is pressed
    let down = format!("/api/v1/buildings/{}/lock-down", house.plan.building);
    assert_eq!(house.manager.put(&down, json!({ "locked_down": true })).await.status, 204);
    let mut kari = house.app("kari").await;
    station.dial(DAHL).await;
    let call = kari.rung().await;
    kari.answer(call.call).await;
    assert_eq!(kari.open_door(front, Some(call.call)).await, refused(RefusalCode::Blocked));
    kari.hang_up(call.call).await;
    assert_eq!(keys(&mut station).await, "");
    assert_eq!(house.manager.put(&down, json!({ "locked_down": false })).await.status, 204);

    assert_eq!(house.manager.delete(&relay(front)).await.status, 204);
    assert_eq!(house.manager.delete(&relay(front)).await.status, 404);
    let wired = wire(&house, json!({ "controller": controller, "output": 0 })).await;
    assert_eq!(wired.status, 200, "{wired:?}");
}

/// The web server of a station, by people who know more of HTTP than we. Killed when the test is over.
struct Web {
    port: u16,
    folder: tempfile::TempDir,
    child: Child,
}

impl Web {
    fn start() -> Self {
        let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
        let at = folder.path().display();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        for kind in ["md5", "sha", "basic", "free", "no"] {
            std::fs::create_dir_all(folder.path().join("www").join(kind)).unwrap();
            let says = if kind == "no" { "{ \"success\" : false }" } else { "{ \"success\" : true }" };
            write(&format!("www/{kind}/open"), says);
        }
        write("users", &format!("klinke:{HUSH}\n"));
        let asks = |kind: &str, more: &str| {
            format!("\"/{kind}\" => (\"realm\" => \"door\", \"require\" => \"valid-user\", {more})")
        };
        let digest = |algorithm| format!("\"method\" => \"digest\", \"algorithm\" => \"{algorithm}\"");
        let (md5, sha) = (asks("md5", &digest("MD5")), asks("sha", &digest("SHA-256")));
        let basic = asks("basic", "\"method\" => \"basic\"");
        write(
            "config",
            &format!(
                "server.document-root = \"{at}/www\"\nserver.bind = \"127.0.0.1\"\nserver.port = {port}\n\
                 server.modules = (\"mod_auth\", \"mod_authn_file\", \"mod_redirect\", \"mod_accesslog\")\n\
                 accesslog.filename = \"{at}/access.log\"\naccesslog.format = \"%u %s %r\"\n\
                 auth.backend = \"plain\"\nauth.backend.plain.userfile = \"{at}/users\"\n\
                 auth.require = ({md5}, {sha}, {basic})\nurl.redirect = (\"^/moved\" => \"/free/open\")\n"
            ),
        );
        let child = Command::new("lighttpd")
            .args(["-D", "-f"])
            .arg(folder.path().join("config"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("lighttpd (Debian: lighttpd)");
        Self { port, folder, child }
    }

    async fn is_up(&self) {
        until("a web server", || std::net::TcpStream::connect(("127.0.0.1", self.port)).is_ok()).await;
    }

    /// Ends it, and says who asked with which answer for what; it keeps back what it has not written until then.
    fn log(&mut self) -> Vec<String> {
        let asked = Command::new("kill").arg(self.child.id().to_string()).status().unwrap();
        assert!(asked.success());
        self.child.wait().unwrap();
        let log = std::fs::read_to_string(self.folder.path().join("access.log")).unwrap();
        // whether it is up was asked without a word
        log.lines().filter(|line| line.contains("GET")).map(str::to_owned).collect()
    }
}

impl Drop for Web {
    fn drop(&mut self) {
        // it may have ended
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn http(port: u16, path: &str, basic: bool) -> Value {
    json!({ "way": "http", "https": false, "port": port, "path": path, "basic": basic })
}

fn signed(port: u16, path: &str, password: &str, basic: bool) -> Value {
    let mut told = http(port, path, basic);
    told["user"] = json!("klinke");
    told["password"] = json!(password);
    told
}

fn files_of(folder: &Path) -> Vec<u8> {
    let read = |name: &str| std::fs::read(folder.join("data").join(name)).unwrap_or_default();
    ["klinke.db", "klinke.db-wal"].into_iter().flat_map(read).collect()
}

#[tokio::test]
async fn its_web_server_is_asked_once_where_it_is_registered_and_signs_in_as_it_is_asked_to() {
    let (house, station) = house("").await;
    let front = house.plan.front;
    without_controller(&house).await;
    let mut web = Web::start();
    web.is_up().await;
    let port = web.port;
    let mut kari = house.app("kari").await;
    let set = told(&house, signed(port, "/md5/open?door=1", HUSH, false)).await;
    assert_eq!(set.status, 200, "{set:?}");
    listed(&mut kari, &house, true).await;
    // the same tap twice
    let tap = request();
    kari.open(tap, front, None).await;
    kari.open(tap, front, None).await;
    assert_eq!(kari.opened(tap).await.state, OpeningState::Sent);
    assert_eq!(kari.opened(tap).await.state, OpeningState::Sent);

    let open = async |app: &mut App, wanted: Value| {
        let set = told(&house, wanted).await;
        assert_eq!(set.status, 200, "{set:?}");
        app.open_door(front, None).await
    };
    // the password stays as it was for another path of the same station
    let mut same = signed(port, "/sha/open", "", false);
    same.as_object_mut().unwrap().remove("password");
    assert_eq!(open(&mut kari, same.clone()).await, OpeningState::Sent);
    let fault = refused(RefusalCode::Fault);
    assert_eq!(open(&mut kari, signed(port, "/sha/open", "wrong", false)).await, fault);
    assert_eq!(open(&mut kari, signed(port, "/basic/open", HUSH, false)).await, fault, "not in the clear");
    // it was not typed for that
    same["basic"] = json!(true);
    let answer = told(&house, same).await;
    assert_eq!(
        (answer.status.as_u16(), &answer.json()["errors"][0]["pointer"]),
        (422, &json!("/told/password"))
    );
    assert_eq!(open(&mut kari, signed(port, "/basic/open", HUSH, true)).await, OpeningState::Sent);
    assert_eq!(open(&mut kari, http(port, "/free/open", false)).await, OpeningState::Sent);
    assert_eq!(open(&mut kari, http(port, "/no/open", false)).await, fault, "it says that it did not");
    assert_eq!(open(&mut kari, http(port, "/moved", false)).await, fault, "and is not followed");
    assert_eq!(open(&mut kari, http(port, "/nothing", false)).await, fault);
    assert_eq!(open(&mut kari, http(free_port(), "/free/open", false)).await, refused(RefusalCode::Offline));

    // one that takes the request and says nothing: it may have opened, and is not asked again
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = silent.local_addr().unwrap().port();
    let asked = async {
        let first = silent.accept().await.unwrap();
        let again = silent.accept().await;
        drop((first, again));
    };
    tokio::select! {
        state = open(&mut kari, http(at, "/free/open", false)) => assert_eq!(state, refused(RefusalCode::Expired)),
        () = asked => panic!("asked again"),
    }

    // what is not registered is not asked
    assert_eq!(open(&mut kari, signed(port, "/md5/open", HUSH, false)).await, OpeningState::Sent);
    drop(station);
    let panel = house.plan.entrance_panel.id;
    let node = house.node();
    let another = klinke_server::stations::credentials::Credentials::new(&node.random);
    let another = another.account(&node.random, node.clock.now());
    node.store.sip_accounts().set_sip_panel(&house.scope(), &node.stamp(), panel, another).await.unwrap();
    klinke_server::stations::standing::look(node).await;
    listed(&mut kari, &house, false).await;
    assert_eq!(kari.open_door(front, None).await, refused(RefusalCode::Offline));

    let log = web.log();
    let heads: Vec<&str> = log.iter().map(|line| line.trim_end_matches(" HTTP/1.1")).collect();
    assert_eq!(
        heads,
        [
            "- 401 GET /md5/open?door=1",
            "klinke 200 GET /md5/open?door=1",
            "- 401 GET /sha/open",
            "klinke 200 GET /sha/open",
            "- 401 GET /sha/open",
            "- 401 GET /sha/open",
            "- 401 GET /basic/open",
            "- 401 GET /basic/open",
            "klinke 200 GET /basic/open",
            "- 200 GET /free/open",
            "- 200 GET /no/open",
            "- 301 GET /moved",
            "- 404 GET /nothing",
            "- 401 GET /md5/open",
            "klinke 200 GET /md5/open",
        ]
    );
    // the password is nowhere that anybody reads
    let seen = house.manager.get(&relay(front)).await;
    let audit = house.manager.get("/api/v1/audit?limit=200").await;
    assert!(audit.text.contains("door.relay_set"), "{audit:?}");
    for text in [&seen.text, &audit.text] {
        assert!(!text.contains(HUSH), "{text}");
    }
    assert!(!contains(&files_of(house.folder.path()), HUSH.as_bytes()));
}
