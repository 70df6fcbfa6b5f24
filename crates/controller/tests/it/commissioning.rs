//! The real binary goes through a hardware file with somebody at the door: an output and a contact of a unit by others.

use crate::peer::Peer;
use crate::process::Site;
use crate::server::within;
use crate::wired::free_port;
use serde_json::json;
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};

#[tokio::test]
async fn an_installer_checks_a_coil_and_a_contact_and_gets_a_report() {
    let site = Site::new().await;
    let port = free_port();
    let mut unit = Peer::start("modbus_unit.py", &json!({ "port": port, "unit": 1 })).await;
    let (file, report) = (site.folder.path().join("hardware.toml"), site.folder.path().join("report.html"));
    let at = format!("host = \"127.0.0.1\", port = {port}, unit = 1");
    let text = format!(
        "[[output]]\nnumber = 0\nlock = \"fail_safe\"\non.modbus_tcp = {{ {at}, coil = 3, ends_by = \"waveshare_flash\" }}\n\
         [[input]]\nis = \"contact\"\noutput = 0\non.modbus_tcp = {{ {at}, input = 5, active = \"on\" }}\n"
    );
    std::fs::write(&file, text).unwrap();
    let state = site.state();
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_klinke-door"));
    command.args(["check", "--state", state.to_str().unwrap(), "--hardware", file.to_str().unwrap()]);
    command.args(["--report", report.to_str().unwrap(), "--place", "Storgata 12 <basement>"]);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut keys = child.stdin.take().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut said = Vec::new();
    let talk = async {
        while let Some(line) = lines.next_line().await.unwrap() {
            if line.starts_with("It is released") {
                keys.write_all(b"\n").await.unwrap();
                unit.until(|line| line["coil"] == 3 && line["is"] == true).await;
                unit.until(|line| line["coil"] == 3 && line["is"] == false).await;
            } else if line.ends_with("[y/n/s]") {
                keys.write_all(b"y\n").await.unwrap();
            } else if line.starts_with("Input 0") {
                unit.order(&json!({ "input": 5, "is": true })).await;
            } else if line.starts_with("Seen.") {
                unit.order(&json!({ "input": 5, "is": false })).await;
            }
            said.push(line);
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(60), talk).await.expect("the talk does not end");
    assert!(within(child.wait()).await.unwrap().success(), "{said:?}");
    assert!(said.last().unwrap().starts_with("4 passed, 0 failed, 0 skipped"), "{said:?}");
    let page = std::fs::read_to_string(&report).unwrap();
    assert!(
        page.contains("Everything was checked") && page.contains("Storgata 12 &lt;basement&gt;"),
        "{page}"
    );
    assert!(!page.contains("http"), "a report loads nothing");
}
