//! The desk reader: pcscd with the virtual reader of vsmartcard, and a card of ours in it.

use crate::peer::{PATIENCE, Peer};
use crate::server::within;
use klinke_controller::reader::{OfflineReason, ReaderEvent, Reading, pcsc};
use klinke_model::credential::{CredentialFormat, CredentialKey};
use serde_json::json;
use std::process::Stdio;
use std::time::Duration;
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
        // taken away: the reader has seen that before the next one comes
        sleep(4 * pcsc::LOOK_EVERY).await;
    }
    // a number that a phone makes up each time is no card
    let phone = Peer::start("vpcd_card.py", &json!({ "uid": "08010203" })).await;
    sleep(4 * pcsc::LOOK_EVERY).await;
    phone.kill().await;

    if let Some(mut pcscd) = pcscd {
        pcscd.kill().await.unwrap();
        assert_eq!(next().await, says(Reading::Offline(OfflineReason::LineLost)));
    }
    stop.cancel();
    within(tokio::task::spawn_blocking(|| thread.join())).await.unwrap().unwrap();
}
