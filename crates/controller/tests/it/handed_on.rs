//! The real binary as a reader on somebody else's panel: what Klinke opens there is a card, presented once.

use crate::osdp_desk::hex;
use crate::peer::{Pair, Peer};
use crate::process::{Site, finished};
use crate::server::{Peer as ServerEnd, within};
use crate::wired::{PasswordFile, Wired};
use klinke_controller::output::Board;
use klinke_model::door::{DoorKind, DoorMode, DoorTimes};
use klinke_model::door_settings::DoorHold;
use klinke_model::ids::{DoorId, OpeningId, v4};
use klinke_model::time::{Clock, Mono, SystemClock};
use klinke_wire::controller::{ControllerEvent, ControllerRequest, Outcome, Wanted, WantedDoor};
use serde_json::json;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

const KEY: [u8; 16] = *b"q8\x01\x93\xf0Zk2\x9c\x04tU\xeeB7!";
const CARD: &str = "26 12345640\n";

fn hardware(line: &Path, key: &Path, card: &Path) -> String {
    format!(
        "[[output]]\nnumber = 0\non.osdp_reader = {{ device = \"{}\", baud = 115200, address = 5, key_file = \"{}\", \
         card_file = \"{}\" }}\n",
        line.display(),
        key.display(),
        card.display()
    )
}

fn wanted(held: Option<DoorHold>) -> Wanted {
    let (door, times, kind) = (DoorId(v4([0xd0; 16])), DoorTimes::default(), DoorKind::Door);
    let door = WantedDoor { door, output: 0, times, held, kind };
    Wanted { revision: 1, doors: vec![door] }
}

/// The next that is not a heartbeat.
async fn answer(peer: &mut ServerEnd) -> ControllerRequest {
    loop {
        match peer.receive().await {
            Some(ControllerRequest::Heartbeat { .. }) => {}
            other => return other.unwrap(),
        }
    }
}

#[tokio::test]
async fn an_opening_presents_the_card_once_on_libosdps_panel_and_is_told_as_sent() {
    let site = Site::new().await;
    site.pair().await;
    let pair = Pair::open().await;
    let (key, card) = (PasswordFile::with(&hex(&KEY)), PasswordFile::with(CARD));
    let file = site.folder.path().join("hardware.toml");
    std::fs::write(&file, hardware(&pair.ours(), &key.path(), &card.path())).unwrap();
    let argument = json!({"path": pair.theirs(), "address": 5, "key": hex(&KEY)});
    let mut panel = Peer::start("osdp_panel_c.py", &argument).await;
    let mut child = site.command("run", &["--hardware", file.to_str().unwrap()]).spawn().unwrap();
    // held open: it can not be
    let clock = SystemClock::start();
    let (mut peer, hello) = site.server.welcome(wanted(Some(DoorHold::Unlocked))).await;
    let Some(ControllerRequest::Door { door, .. }) = peer.receive().await else { panic!("no door") };
    assert_eq!(door.state.mode, DoorMode::Locked);
    panel.until(|line| line["secure"] == true).await;

    // it polls in its session
    let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
    while !within(log.next_line()).await.unwrap().unwrap().contains("another system is there") {}

    for id in 1..=3 {
        let opening = OpeningId(v4([id; 16]));
        let open = ControllerEvent::Open {
            boot: hello.boot,
            opening,
            door: door.door,
            hold_ms: 3_000,
            not_after: Mono::from_millis(hello.mono + clock.mono().as_millis() + 4_000),
        };
        peer.send(&open).await;
        // nothing in between says that the door is open
        let said = answer(&mut peer).await;
        let sent = matches!(said, ControllerRequest::Outcome { opening: told, outcome: Outcome::Sent, .. } if told == opening);
        assert!(sent, "{said:?}");
        let read = panel.until(|line| line["card"].is_string()).await;
        assert_eq!((&read["card"], &read["bits"]), (&json!("12345640"), &json!(26)));
    }
    assert!(!panel.rest().await.iter().any(|line| line["card"].is_string()), "a fourth time");
}

#[tokio::test]
async fn without_its_panel_or_with_another_key_no_card_goes_out_and_the_opening_fails() {
    let pair = Pair::open().await;
    let (key, card) = (PasswordFile::with(&hex(&KEY)), PasswordFile::with(CARD));
    let mut wired = Wired::start(&hardware(&pair.ours(), &key.path(), &card.path()));
    assert!(!wired.board.holds(0) && wired.board.hands_on(0));
    let three = Duration::from_secs(3);
    assert!(!wired.does(|board| board.release(0, three)).await, "nobody is there");
    assert!(wired.does(|board| board.lock(0)).await);
    let argument = json!({"path": pair.theirs(), "address": 5, "key": hex(&KEY.map(|byte| byte ^ 0x5a))});
    let mut panel = Peer::start("osdp_panel_c.py", &argument).await;
    for _ in 0..3 {
        assert!(!wired.does(|board| board.release(0, three)).await);
    }
    assert!(!panel.rest().await.iter().any(|line| line["card"].is_string() || line["secure"] == true));
}

#[tokio::test]
async fn the_python_panel_sets_the_key_in_the_window_and_reads_the_card_with_it_afterwards() {
    let site = Site::new().await;
    site.pair().await;
    let pair = Pair::open().await;
    let (key, card) = (site.folder.path().join("panel.key"), PasswordFile::with(CARD));
    let text = hardware(&pair.ours(), &key, &card.path());
    let file = site.folder.path().join("hardware.toml");
    std::fs::write(&file, &text).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_klinke-door"))
        .args(["key-panel", "--output", "0", "--hardware", file.to_str().unwrap(), "--state"])
        .arg(site.state())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(within(lines.next_line()).await.unwrap().unwrap().contains("10 minutes"));
    let argument = json!({"path": pair.theirs(), "address": 5, "master": hex(&KEY)});
    let mut panel = Peer::start("osdp_panel_py.py", &argument).await;
    let said = within(lines.next_line()).await.unwrap().unwrap();
    assert!(said.contains("has set a key and proved it"), "{said}");
    assert!(finished(child).await.status.success());

    // from then on the controller speaks with that key, though the panel is still in the session of the process before
    let mut wired = Wired::start(&text);
    let three = Duration::from_secs(3);
    within(async { while !wired.does(|board| board.release(0, three)).await {} }).await;
    let read = panel.until(|line| line["card"].is_string()).await;
    assert_eq!((&read["card"], &read["bits"]), (&json!("12345640"), &json!(26)));
}
