//! After calls by phone nothing tells who was rung: the number is in the table of numbers and nowhere else, on the wire to the trunk
//! nobody has a name, and use writes to no file and to no log.

use crate::canary::{Yesterday, age, canary, contains, now_ms, scan, spellings, written};
use crate::phone::{OPEN, PAUSE, know, put, rings_phone, stand, vouch};
use crate::support::app::Phone;
use crate::support::house::House;
use crate::support::process::Place;
use crate::support::trunk::{Sipp, one_pair};
use crate::support::until;
use klinke_model::intercom::EndReason;
use klinke_model::phone::Phones;
use klinke_server::random::Random;
use sea_orm::ConnectionTrait;
use sha2::{Digest, Sha256};
use std::net::IpAddr;
use std::path::Path;

/// Kari's and Nora's. Nothing else has these digits.
const NUMBER: &str = "+4793847561";
const DIGITS: [&str; 3] = [NUMBER, "4793847561", "93847561"];

/// Every way in which the number is likely to be written down, its digests among them.
fn traces() -> Vec<Vec<u8>> {
    use base64::Engine as _;
    let mut ways: Vec<Vec<u8>> = DIGITS.iter().flat_map(|digits| spellings(digits)).collect();
    ways.push("938 47 561".into());
    for digits in DIGITS {
        let digests: [Vec<u8>; 2] = [
            Sha256::digest(digits).to_vec(),
            aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, digits.as_bytes())
                .as_ref()
                .to_vec(),
        ];
        for digest in digests {
            let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
            ways.push(base64::prelude::BASE64_STANDARD_NO_PAD.encode(&digest).into());
            ways.push(base64::prelude::BASE64_URL_SAFE_NO_PAD.encode(&digest).into());
            ways.extend([hex.to_uppercase().into(), hex.into(), digest]);
        }
    }
    ways
}

fn tells_the_number(bytes: &[u8]) -> bool {
    traces().iter().any(|trace| contains(bytes, trace))
}

/// The database as of now, without the table of numbers and without what SQLite has not overwritten yet.
async fn without_the_numbers(data: &Path) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    for name in ["klinke.db", "klinke.db-wal"] {
        // the log may have been taken in
        drop(std::fs::copy(data.join(name), folder.path().join(name)));
    }
    let file = folder.path().join("klinke.db");
    let copy = sea_orm::Database::connect(format!("sqlite://{}", file.display())).await.unwrap();
    let removed = copy.execute_unprepared("DELETE FROM phone_number").await.unwrap();
    assert_eq!(removed.rows_affected(), 2, "the numbers are where they should be");
    copy.execute_unprepared("VACUUM").await.unwrap();
    copy.execute_unprepared("PRAGMA wal_checkpoint(TRUNCATE)").await.unwrap();
    copy.close().await.unwrap();
    std::fs::read(file).unwrap()
}

/// The number and its digests in the files of the folder, the table of numbers excepted.
async fn files_that_tell(data: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(data).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() || name.starts_with("klinke.db") {
            continue;
        }
        if tells_the_number(&std::fs::read(&path).unwrap()) {
            found.push(name);
        }
    }
    if tells_the_number(&without_the_numbers(data).await) {
        found.push("klinke.db, beside the table of numbers".into());
    }
    found
}

#[test]
fn a_number_is_found_in_whatever_way_it_is_written() {
    for trace in traces() {
        assert!(tells_the_number(&[b"before ", trace.as_slice(), b" after"].concat()), "{trace:?}");
    }
    assert!(!tells_the_number(b"+4791500123 and 93847560"));
}

#[tokio::test]
async fn after_calls_by_phone_nothing_tells_who_was_rung() {
    let house = House::build(
        |config| {
            config.phones.listen = Some(IpAddr::from([127, 0, 0, 1]));
            config.phones.trunk_hosts = vec!["127.0.0.1".into()];
            (config.phones.first_port, config.phones.last_port) = one_pair();
        },
        Yesterday::start(),
        Random::system(),
        canary,
    )
    .await;
    know(&house, &[], Phones::Both).await;
    for name in ["kari", "nora"] {
        assert_eq!(vouch(&house, name, NUMBER).await, 200);
    }
    // more than one hour's calls to one number
    let mut limits = house.manager.get("/api/v1/phone-limits").await.json();
    limits["limits"]["number_hour"] = 60.into();
    assert_eq!(put(&house, "/api/v1/phone-limits", limits).await, 200);
    let sipp = Sipp::press(&[(PAUSE, '5')], 100);
    stand(&house, &[sipp.port]).await;
    let emil = Phone::sign_in(house.at(), "emil", "Phone of emil Qzxvphone").await;
    let manager = Phone::sign_in(house.at(), crate::world::MANAGER, "desk").await;
    let controller = house.controller().await;
    until("rights", || controller.in_force.times() > 0).await;
    controller.stop().await;
    let (folder, plan) = house.stop().await;
    let (data, log) = (folder.path().join("data"), folder.path().join("log"));
    age(&data).await;
    // one call says its last words while the next one rings
    let (first, _) = one_pair();
    let last = first + 7;
    let filter = "debug,klinke_server=trace,klinke_sip=trace,klinke_media=trace,klinke_storage=trace";
    let server = Place::new(&data, &log, filter)
        .with([
            ("KLINKE_PHONES__LISTEN", "127.0.0.1".into()),
            ("KLINKE_PHONES__TRUNK_HOSTS", r#"["127.0.0.1"]"#.into()),
            ("KLINKE_PHONES__FIRST_PORT", first.to_string()),
            ("KLINKE_PHONES__LAST_PORT", last.to_string()),
        ])
        .serve()
        .await;
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let ask = async |path: &str| {
        let ask = client.get(format!("http://{}{path}", server.at)).header("cookie", &manager.cookie);
        ask.send().await.unwrap().text().await.unwrap()
    };
    let stands = async { while !ask("/api/v1/trunks").await.contains(r#""state":"ready""#) {} };
    tokio::time::timeout(crate::support::PATIENCE, stands).await.expect("a trunk that is ready");
    let mut panel = plan.entrance_panel.connect(server.at).await;
    let mut emil = emil.connect(server.at).await;
    let controller = plan.controller.start(server.controllers);
    emil.socket
        .expect("the front door linked", |event| match event {
            klinke_wire::app::AppEvent::Door { door } if door.door == plan.front => Some(()),
            _ => None,
        })
        .await;
    let before = std::fs::read(&log).unwrap().len();
    let places = [data.as_path(), plan.controller.state.as_path()];
    let written_before = written(&places);
    let (mut ids, mut moments) = (Vec::new(), Vec::new());

    // Kari opens by her phone, with nobody and with somebody beside her; a visitor who goes before Nora has answered
    for (bell, opens) in [("Dahl", true), ("Berg", true), ("Dahl", false)] {
        let call = panel.ring(plan.bell(bell)).await;
        assert!(rings_phone(&call.state), "{call:?}");
        let call = call.call;
        moments.push(now_ms());
        if opens {
            assert_eq!(panel.opened().await, OPEN);
            moments.push(now_ms());
        }
        panel.hang_up(call).await;
        assert_eq!(panel.ended(call).await, EndReason::VisitorLeft);
        ids.push(call.0);
    }
    until("both openings", || controller.releases.count() == 2).await;
    controller.locked().await;

    assert_eq!(written(&places), written_before, "a call by phone writes to no file");
    let day_log = String::from_utf8(std::fs::read(&log).unwrap().split_off(before)).unwrap();
    assert_eq!(day_log, "", "a call by phone is not logged at all");
    let printed = std::fs::read_to_string(&log).unwrap() + &ask("/metrics").await;
    assert!(printed.contains("klinke_"), "the metrics were read: {printed}");
    let told = panel.socket.heard.clone() + &emil.socket.heard;
    assert!(told.contains("calling") && told.contains("phone"), "messages were read: {told}");
    for (what, text) in [("logs or metrics", &printed), ("messages", &told)] {
        assert!(!tells_the_number(text.as_bytes()), "{what}: {text}");
    }
    assert!(!panel.socket.heard.contains(&plan.person("kari").0.to_string()), "who is rung, to the panel");
    let look = || scan(&data, std::slice::from_ref(&plan.controller.state), &printed, &ids, &moments);
    assert_eq!(look(), Vec::<String>::new(), "while it runs");
    assert_eq!(files_that_tell(&data).await, Vec::<String>::new(), "while it runs");

    // the trunk learns the number and nothing else
    let wire = sipp.messages();
    assert!(wire.contains(&NUMBER[1..]) && wire.contains("BYE sip:"), "{wire}");
    let named =
        [canary("kari"), canary("nora"), "Storgata".into(), "Dahl".into(), "H0101".into(), "Front".into()];
    let doors = [plan.front, plan.boiler].map(|door| door.0.to_string());
    let others = [plan.person("kari").0.to_string(), plan.building.to_string(), plan.tenant.to_string()];
    for name in named.iter().chain(&doors).chain(&others) {
        assert!(!wire.contains(name.as_str()), "the trunk is told {name}: {wire}");
    }
    for call in &ids {
        let spelt = [call.to_string(), call.simple().to_string()];
        assert!(
            !spelt.iter().any(|call| wire.contains(call.as_str())),
            "the trunk is told which call: {wire}"
        );
    }
    controller.stop().await;
    server.kill();
    assert_eq!(look(), Vec::<String>::new(), "after its end");
    assert_eq!(files_that_tell(&data).await, Vec::<String>::new(), "after its end");
}
