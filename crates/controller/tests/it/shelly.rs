//! The mock of a Shelly relay, which is written after its makers' documentation and is no device.

use crate::peer::Peer;
use crate::wired::{PasswordFile, Wired, free_port};
use klinke_controller::output::Board;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::Instant;

fn wired(port: u16, switch: u16, password: &PasswordFile) -> Wired {
    Wired::start(&format!(
        "[[output]]\nnumber = 0\nlock = \"fail_secure\"\non.shelly = {{ host = \"127.0.0.1\", port = {port}, \
         switch = {switch}, password_file = \"{}\" }}",
        password.path().display()
    ))
}

fn is(on: bool, by: &str) -> impl Fn(&Value) -> bool {
    move |line| line["on"] == on && line["by"] == by
}

#[tokio::test]
async fn a_release_is_signed_timed_by_the_device_and_done_once() {
    let port = free_port();
    let password = PasswordFile::with("correct horse");
    let mut mock = Peer::start("shelly_mock.py", &json!({ "port": port, "password": "correct horse" })).await;
    let mut wired = wired(port, 0, &password);
    wired.settles(0).await;
    assert!(wired.does(|board| board.release(0, Duration::from_millis(1_500))).await);
    let released = Instant::now();
    mock.until(is(true, "command")).await;
    mock.until(is(false, "timer")).await;
    assert!(released.elapsed() > Duration::from_secs(1), "the device keeps the time");

    // its nonce has become stale: signed anew, and done once
    mock.order(&json!({ "forget": true })).await;
    mock.until(|line| line["forgot"] == true).await;
    assert!(wired.does(|board| board.release(0, Duration::from_secs(60))).await);
    assert!(wired.does(|board| board.lock(0)).await);
    let moves: Vec<Value> = mock.rest().await.into_iter().filter(|line| line["on"].is_boolean()).collect();
    assert_eq!(moves, [json!({ "on": true, "by": "command" }), json!({ "on": false, "by": "command" })]);
}

#[tokio::test]
async fn a_wrong_password_a_wrong_switch_and_an_open_device_are_not_released() {
    let right = PasswordFile::with("correct horse");
    let wrong = PasswordFile::with("battery staple");
    let rows =
        [(json!("correct horse"), 0, &wrong), (json!("correct horse"), 1, &right), (json!(null), 0, &right)];
    for (set, switch, password) in rows {
        let port = free_port();
        let mut mock = Peer::start("shelly_mock.py", &json!({ "port": port, "password": set })).await;
        let mut wired = wired(port, switch, password);
        assert!(!wired.does(|board| board.release(0, Duration::from_secs(5))).await, "{set} {switch}");
        assert_eq!(mock.rest().await, Vec::<Value>::new(), "{set} {switch}");
    }
}
