//! The real binary with a reader of libosdp on a line: keyed while the controller is stopped, then read by it.

use crate::osdp_desk::card_order;
use crate::peer::{Pair, Peer};
use crate::process::{Site, finished};
use crate::server::within;
use klinke_controller::reader::keys::ReaderFolder;
use klinke_model::door::{DoorKind, DoorTimes};
use klinke_model::ids::{DoorId, v4};
use klinke_wire::controller::{ControllerRequest, Wanted, WantedDoor};
use serde_json::json;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

fn key_reader(site: &Site, file: &str, reader: &str) -> Child {
    Command::new(env!("CARGO_BIN_EXE_klinke-door"))
        .args(["key-reader", "--hardware", file, "--reader", reader, "--state"])
        .arg(site.state())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

async fn refused(child: Child, why: &str) {
    let output = finished(child).await;
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && said.contains(why), "{said}");
}

#[tokio::test]
async fn a_new_reader_gets_its_key_and_is_read_by_the_controller_from_then_on() {
    let site = Site::new().await;
    site.pair().await;
    let pair = Pair::open().await;
    let text = format!(
        "[[output]]\nnumber = 0\nlock = \"fail_secure\"\non.modbus_tcp = {{ host = \"127.0.0.1\", port = 1, unit = 1, \
         coil = 3, ends_by = \"waveshare_flash\" }}\n[[reader]]\nnumber = 4\noutput = 0\n\
         on.osdp = {{ device = \"{}\", baud = 115200, address = 1 }}\n",
        pair.ours().display()
    );
    let path = site.folder.path().join("hardware.toml");
    std::fs::write(&path, text).unwrap();
    let file = path.to_str().unwrap();
    refused(key_reader(&site, file, "0"), "no reader 0").await;

    let new = json!({"path": pair.theirs(), "address": 1, "install": true, "serial": 1004});
    let mut theirs = Peer::start("osdp_reader.py", &new).await;
    let mut child = key_reader(&site, file, "4");
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(within(lines.next_line()).await.unwrap().unwrap().contains("10 minutes"));
    let set = theirs.until(|line| line["told"] == "key").await;
    let said = within(lines.next_line()).await.unwrap().unwrap();
    assert!(said.starts_with("Keyed:") && said.contains("serial number 1004"), "{said}");
    assert!(finished(child).await.status.success());

    let kept = ReaderFolder::new(site.state().join("readers"));
    let known = kept.load(4).unwrap().unwrap();
    let hex: String = known.key.unwrap().as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(set["data"], hex);
    assert_eq!(std::fs::metadata(kept.path(4)).unwrap().permissions().mode() & 0o777, 0o600);
    refused(key_reader(&site, file, "4"), "has a key already").await;

    // the controller speaks with it; without rights nobody is let in
    let child = site.command("run", &["--hardware", file]).spawn().unwrap();
    let door = WantedDoor {
        door: DoorId(v4([0xd0; 16])),
        output: 0,
        times: DoorTimes::default(),
        held: None,
        kind: DoorKind::Door,
    };
    let (mut peer, _) = site.server.welcome(Wanted { revision: 1, doors: vec![door] }).await;
    assert!(matches!(peer.receive().await, Some(ControllerRequest::Door { .. })));
    refused(key_reader(&site, file, "4"), "stop it first").await;
    let red = async {
        loop {
            theirs.order(&card_order(7)).await;
            let line = theirs.until(|line| line["told"] == "lamp" || line["done"] == true).await;
            if line["told"] == "lamp" {
                return line;
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    };
    assert_eq!(within(red).await["on_color"], 1);
    let pid = child.id().unwrap().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().await.unwrap().success());
    let output = finished(child).await;
    let log = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && log.contains("a reader is online"), "{log}");
    assert!(!log.contains("card"), "{log}");
}
