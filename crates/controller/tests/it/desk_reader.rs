//! The desk reader: pcscd with the virtual reader of vsmartcard, and a card of ours in it.

use crate::peer::{PATIENCE, Peer};
use crate::process::Site;
use crate::server::{controller_id, within};
use klinke_controller::reader::{OfflineReason, ReaderEvent, Reading, pcsc};
use klinke_model::credential::{CredentialFormat, CredentialKey};
use klinke_model::ids::{ReadingId, v4};
use klinke_model::time::{Mono, Timestamp};
use klinke_wire::CONTROLLER;
use klinke_wire::controller::{ControllerEvent, ControllerRequest, Wanted};
use klinke_wire::enrolment::{ReaderKind, ReaderReport};
use serde_json::json;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

/// Starts pcscd, where none runs. There can be one on a machine only, so this is one test.
async fn pcscd() -> Option<Child> {
    // looked up and not tried: who connects is a card
    let listens = || {
        let sockets =
            ["/proc/net/tcp", "/proc/net/tcp6"].map(|file| std::fs::read_to_string(file).unwrap_or_default());
        let vpcd = format!(":{:04X} ", 35_963);
        sockets.iter().flat_map(|list| list.lines()).any(|line| line.contains(&vpcd) && line.contains(" 0A "))
    };
    if listens() {
        return None;
    }
    let child = Command::new("pcscd")
        .arg("--foreground")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let start = Instant::now();
    while !listens() {
        assert!(start.elapsed() < PATIENCE, "vpcd does not listen; does another pcscd run without it?");
        sleep(Duration::from_millis(20)).await;
    }
    Some(child)
}

/// The real binary on an office computer, with no lock at all: it tells the card that somebody waits for, and the watcher beside
/// it on the same reader reads it too.
async fn read_by_a_controller_on_a_desk(
    beside: impl Future<Output = ReaderEvent>,
    says: impl Fn(Reading) -> ReaderEvent,
) {
    const READER: u16 = 5;
    let site = Site::new().await;
    site.pair().await;
    let file = site.folder.path().join("hardware.toml");
    std::fs::write(&file, format!("[[reader]]\nnumber = {READER}\non.pcsc = {{}}\n")).unwrap();
    let mut child = site.command("run", &["--hardware", file.to_str().unwrap()]).spawn().unwrap();
    let mut log = String::new();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut peer = site.server.accept().await.unwrap();
    let Some(ControllerRequest::Hello { boot, mono, outputs, readers, .. }) = peer.receive().await else {
        panic!("no hello")
    };
    let desk = ReaderReport { reader: READER, output: None, kind: ReaderKind::Pcsc, has_keypad: false };
    assert_eq!((outputs, readers), (0, vec![desk]));
    let (controller, time) = (controller_id(), Timestamp::from_millis(1_795_262_400_000));
    let wanted = Wanted { revision: 1, doors: Vec::new() };
    peer.send(&ControllerEvent::Welcome { protocol: CONTROLLER, controller, wanted, time }).await;
    assert_eq!(peer.receive().await, Some(ControllerRequest::Applied { revision: 1 }));
    while !log.contains("a reader is online") {
        log += &within(lines.next_line()).await.unwrap().expect("it ended");
    }
    let until = Mono::from_millis(mono.as_millis() + 60_000);
    let ask = |byte| ReadingId(v4([byte; 16]));
    peer.send(&ControllerEvent::Enrol { boot, reading: ask(1), reader: READER, until }).await;
    let uid = [0x04, 0x99, 0x88, 0x77, 0x66, 0x55, 0x44];
    let card = Peer::start("vpcd_card.py", &json!({ "uid": "04998877665544" })).await;
    let key = CredentialKey::new(CredentialFormat::Serial, 56, &uid).unwrap();
    let told = loop {
        match peer.receive().await.unwrap() {
            ControllerRequest::Heartbeat { .. } => {}
            other => break other,
        }
    };
    assert_eq!(told, ControllerRequest::Enrolled { reading: ask(1), key });
    assert_eq!(beside.await, says(Reading::Card(key)));
    card.kill().await;
    child.start_kill().unwrap();
    while let Some(line) = within(lines.next_line()).await.unwrap() {
        log += &line;
    }
    assert!(!log.contains("998877") && !log.contains("99:88"), "{log}");
}

#[tokio::test]
async fn a_card_on_the_desk_reader_tells_its_serial_number_once() {
    let pcscd = pcscd().await;
    let (sender, mut events) = mpsc::channel(8);
    let stop = CancellationToken::new();
    let thread = pcsc::watch(7, sender, stop.clone()).unwrap();
    let mut next = async || within(events.recv()).await.unwrap();
    let says = |what| ReaderEvent { reader: 7, what };
    let mut first = next().await;
    if first == says(Reading::Offline(OfflineReason::LineLost)) {
        // pcscd itself was slower than the first look
        first = next().await;
    }
    assert_eq!(first, says(Reading::Online));

    for uid in ["04a1b2c3d4e5f6", "12345678"] {
        let card = Peer::start("vpcd_card.py", &json!({ "uid": uid })).await;
        let bytes: Vec<u8> =
            (0..uid.len()).step_by(2).map(|at| u8::from_str_radix(&uid[at..at + 2], 16).unwrap()).collect();
        let bits = u8::try_from(bytes.len() * 8).unwrap();
        let key = CredentialKey::new(CredentialFormat::Serial, bits, &bytes).unwrap();
        assert_eq!(next().await, says(Reading::Card(key)));
        card.kill().await;
    }
    read_by_a_controller_on_a_desk(next(), says).await;
    // a number that a phone makes up each time is no card
    let mut phone = Peer::start("vpcd_card.py", &json!({ "uid": "08010203" })).await;
    phone.until(|line| line["asked"] == true).await;
    phone.kill().await;
    let card = Peer::start("vpcd_card.py", &json!({ "uid": "12345678" })).await;
    let key = CredentialKey::new(CredentialFormat::Serial, 32, &[0x12, 0x34, 0x56, 0x78]).unwrap();
    assert_eq!(next().await, says(Reading::Card(key)));
    card.kill().await;

    if let Some(mut pcscd) = pcscd {
        pcscd.kill().await.unwrap();
        assert_eq!(next().await, says(Reading::Offline(OfflineReason::LineLost)));
    }
    stop.cancel();
    within(tokio::task::spawn_blocking(|| thread.join())).await.unwrap().unwrap();
}
