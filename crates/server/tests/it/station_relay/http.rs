//! lighttpd is the web server of the station, and asks for a name in every way that stations do.

use super::{listed, refused, relay, told, without_controller};
use crate::canary::contains;
use crate::door_station::house;
use crate::support::app::App;
use crate::support::house::House;
use crate::support::panel::request;
use crate::support::trunk::free_port;
use crate::support::until;
use klinke_model::ids::PanelId;
use klinke_server::stations::credentials::Credentials;
use klinke_wire::common::{OpeningState, RefusalCode};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use tokio::net::TcpListener;

const HUSH: &str = "canary-relay-hush-31";

/// The web server of a station, by people who know more of HTTP than we. Killed when the test is over.
struct Web {
    port: u16,
    folder: tempfile::TempDir,
    child: Child,
}

impl Web {
    fn start() -> Self {
        Self::start_at(free_port(), "")
    }

    /// Over TLS, with this key and this certificate.
    fn encrypted(port: u16, own: &rcgen::CertifiedKey<rcgen::KeyPair>) -> Self {
        Self::start_at(port, &(own.signing_key.serialize_pem() + &own.cert.pem()))
    }

    fn start_at(port: u16, pem: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path().display();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        for kind in ["md5", "sha", "basic", "free", "no", "fcgi"] {
            std::fs::create_dir_all(folder.path().join("www").join(kind)).unwrap();
            let says = if kind == "no" { "{ \"success\" : false }" } else { "{ \"success\" : true }" };
            write(&format!("www/{kind}/open"), says);
        }
        write("own.pem", pem);
        let tls = match pem {
            "" => String::new(),
            _ => format!(
                "server.modules += (\"mod_openssl\")\nssl.engine = \"enable\"\nssl.pemfile = \"{at}/own.pem\"\n"
            ),
        };
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
                 auth.require = ({md5}, {sha}, {basic})\nurl.redirect = (\"^/moved\" => \"/free/open\")\n{tls}"
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

/// The station is out: its account is another one, which it does not know.
async fn another_account(house: &House) {
    let (node, panel) = (house.node(), house.plan.entrance_panel.id);
    let another = Credentials::new(&node.random).account(&node.random, node.clock.now());
    node.store.sip_accounts().set_sip_panel(&house.scope(), &node.stamp(), panel, another).await.unwrap();
    klinke_server::stations::standing::look(node).await;
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
    another_account(&house).await;
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

#[tokio::test]
async fn an_account_goes_into_the_path_where_it_has_a_place_and_nowhere_else() {
    let (house, _station) = house("").await;
    let front = house.plan.front;
    without_controller(&house).await;
    let mut web = Web::start();
    web.is_up().await;
    let (port, password) = (web.port, format!("{HUSH}&DoorNum=2#å"));
    let path = "/fcgi/open?action=OpenDoor&UserName={user}&Password={password}&DoorNum=1";
    let mut kari = house.app("kari").await;
    let wrong = async |wanted: Value, pointer: &str, code: &str| {
        let answer = told(&house, wanted).await;
        let error = &answer.json()["errors"][0];
        assert_eq!(
            (answer.status.as_u16(), &error["pointer"], &error["code"]),
            (422, &json!(pointer), &json!(code))
        );
    };
    wrong(signed(port, path, &password, false), "/told/basic", "in_the_clear").await;
    wrong(http(port, path, true), "/told/user", "required").await;
    assert_eq!(told(&house, signed(port, path, &password, true)).await.status, 200);
    assert_eq!(kari.open_door(front, None).await, OpeningState::Sent);
    // it asks for a name besides: it is told none, and not asked again
    let both = signed(port, "/basic/open?user={user}", &password, true);
    assert_eq!(told(&house, both).await.status, 200);
    assert_eq!(kari.open_door(front, None).await, refused(RefusalCode::Fault));
    let seen = house.manager.get(&relay(front)).await;
    assert_eq!(seen.json()["failure"], json!({ "why": "sign_in" }));
    assert_eq!(
        web.log(),
        [
            "- 200 GET /fcgi/open?action=OpenDoor&UserName=klinke&Password=canary-relay-hush-31%26DoorNum%3D2%23%C3%A5&DoorNum=1 HTTP/1.1",
            "- 401 GET /basic/open?user=klinke HTTP/1.1",
        ]
    );
    let audit = house.manager.get("/api/v1/audit?limit=200").await;
    for text in [&seen.text, &audit.text] {
        assert!(!text.contains(HUSH), "{text}");
    }
    assert!(!contains(&files_of(house.folder.path()), HUSH.as_bytes()));
}

fn fingerprint(own: &rcgen::CertifiedKey<rcgen::KeyPair>) -> String {
    let digest = Sha256::digest(own.cert.der());
    digest.iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(":")
}

/// What the certificate at this port is said to be, or why there is none.
async fn shown(house: &House, panel: PanelId, port: u16) -> String {
    let path = format!("{}/certificate?panel={panel}&port={port}", relay(house.plan.front));
    let answer = house.manager.get(&path).await;
    match answer.status.as_u16() {
        200 => answer.json()["certificate"].as_str().unwrap().to_owned(),
        _ => answer.code(),
    }
}

#[tokio::test]
async fn a_certificate_that_was_taken_counts_and_no_other() {
    let (house, station) = house("").await;
    let (front, panel) = (house.plan.front, house.plan.entrance_panel.id);
    without_controller(&house).await;
    // what such a station signs itself; it names nothing that anybody knows
    let [own, other] =
        [(); 2].map(|()| rcgen::generate_simple_self_signed(vec!["door.local".to_owned()]).unwrap());
    let port = free_port();
    assert_eq!(shown(&house, panel, port).await, "station_offline", "nothing answers");
    let mut web = Web::encrypted(port, &own);
    web.is_up().await;
    assert_eq!(shown(&house, panel, port).await, fingerprint(&own));
    let clear = Web::start();
    clear.is_up().await;
    assert_eq!(shown(&house, panel, clear.port).await, "no_certificate");
    assert_eq!(shown(&house, house.plan.gate_panel.id, port).await, "station_offline", "a screen");
    assert_eq!(shown(&house, klinke_model::ids::v4([9; 16]).into(), port).await, "not_found");

    let wish = |certificate: Option<String>, password: Option<&str>| {
        let mut wish = signed(port, "/sha/open", "", false);
        wish["https"] = json!(true);
        wish.as_object_mut().unwrap().remove("password");
        for (name, value) in [("certificate", certificate), ("password", password.map(str::to_owned))] {
            if let Some(value) = value {
                wish[name] = json!(value);
            }
        }
        wish
    };
    let mut kari = house.app("kari").await;
    let mut opens = async |wish: Value| {
        let set = told(&house, wish).await;
        assert_eq!(set.status, 200, "{set:?}");
        let state = kari.open_door(front, None).await;
        (state, house.manager.get(&relay(front)).await.json()["failure"]["why"].clone())
    };
    let fault = refused(RefusalCode::Fault);
    assert_eq!(opens(wish(None, Some(HUSH))).await, (fault, json!("tls")), "nobody vouches for it");
    let (taken, changed) = (Some(fingerprint(&own)), Some(fingerprint(&other)));
    assert_eq!(opens(wish(changed.clone(), Some(HUSH))).await, (fault, json!("other_certificate")));
    assert_eq!(opens(wish(taken.clone(), Some(HUSH))).await, (OpeningState::Sent, Value::Null));
    assert_eq!(house.manager.get(&relay(front)).await.json()["relay"]["told"]["certificate"], json!(taken));
    let asked = ["- 401 GET /sha/open HTTP/1.1", "klinke 200 GET /sha/open HTTP/1.1"];
    assert_eq!(web.log(), asked);

    // somebody else is there now
    let mut web = Web::encrypted(port, &other);
    web.is_up().await;
    assert_eq!(opens(wish(taken, None)).await, (fault, json!("other_certificate")));
    assert_eq!(web.log(), [""; 0], "it was told nothing");
    let mut web = Web::encrypted(port, &other);
    web.is_up().await;
    // the password was not typed for them
    let answer = told(&house, wish(changed.clone(), None)).await;
    assert_eq!(answer.json()["errors"][0]["pointer"], json!("/told/password"), "{answer:?}");
    assert_eq!(shown(&house, panel, port).await, fingerprint(&other));
    assert_eq!(opens(wish(changed, Some(HUSH))).await, (OpeningState::Sent, Value::Null));
    assert_eq!(web.log(), asked);

    for (field, value, pointer) in
        [("certificate", json!("AB:CD"), "/told/certificate"), ("https", json!(false), "/told/https")]
    {
        let mut wrong = wish(Some(fingerprint(&own)), Some(HUSH));
        wrong[field] = value;
        assert_eq!(told(&house, wrong).await.json()["errors"][0]["pointer"], json!(pointer));
    }
    drop(station);
    another_account(&house).await;
    let web = Web::encrypted(port, &own);
    web.is_up().await;
    assert_eq!(shown(&house, panel, port).await, "station_offline", "it is not registered");
}
