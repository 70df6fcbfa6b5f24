//! What is logged names nobody: all that the process logs, at the finest level, while people sign in and fail to.

use crate::world::{MANAGER, PASSWORD, RESIDENT, World, sign_in};
use std::io;
use std::sync::{Arc, Mutex};

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl io::Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn logs_hold_no_name_no_password_no_token_and_no_id() {
    let captured = Captured::default();
    let lines = captured.clone();
    // For the whole process: other tests' lines are held to the same.
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || lines.clone())
        .try_init()
        .unwrap();
    let (world, manager) = World::claimed().await;
    let town = world.town().await;
    let code = world.node().setup.code();
    let phone = world.browser();
    let cookie = phone.post("/api/v1/session", sign_in(RESIDENT, PASSWORD)).await.cookie();
    let token = cookie.trim_start_matches("klinke=").split(';').next().unwrap().to_owned();
    phone.post("/api/v1/session", sign_in("canary-guess@klinke.example", "canary-guessed-password")).await;
    let device = phone.get("/api/v1/session").await.json()["device"]["id"].as_str().unwrap().to_owned();
    manager.get(&format!("/api/v1/buildings/{}/units", town.building)).await;
    phone.delete(&format!("/api/v1/me/devices/{device}")).await;

    let log = String::from_utf8_lossy(&captured.0.lock().unwrap()).to_lowercase();
    assert!(log.contains("/api/v1/buildings/{building}/units"), "the log was captured");
    let ours: String = log.lines().filter(|line| !from_the_test_client(line)).collect::<Vec<_>>().join("\n");
    assert!(ours.contains("request"), "our own lines are among them");
    let building = town.building.to_string();
    for canary in ["canary", MANAGER, RESIDENT, PASSWORD, &token, &code, &device, &building] {
        let leak = ours.lines().find(|line| line.contains(&canary.to_lowercase()));
        assert!(leak.is_none(), "{canary}: {leak:?}");
    }
}

/// reqwest and hyper's client side run in the same process and log what they send.
fn from_the_test_client(line: &str) -> bool {
    ["reqwest", "hyper_util::client", "cookie_store"].iter().any(|part| line.contains(part))
}
