//! A relay that keeps to our contract, behind Mosquitto, spoken to through Mosquitto's own clients.

use crate::peer::{PATIENCE, Peer};
use crate::server::within;
use crate::wired::{PasswordFile, Wired, free_port};
use klinke_controller::output::Board;
use serde_json::{Value, json};
use std::net::TcpStream;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tempfile::TempDir;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep};

const PASSWORD: &str = "correct horse";
const TOPIC: &str = "house/gate";

struct Broker {
    folder: TempDir,
    port: u16,
    process: Child,
}

impl Broker {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        let process = Self::spawn(folder.path(), port).await;
        Self { folder, port, process }
    }

    async fn spawn(folder: &Path, port: u16) -> Child {
        let users = folder.join("users");
        let mut making = Command::new("mosquitto_passwd");
        making.args(["-b", "-c"]).arg(&users).args(["door", PASSWORD]);
        assert!(making.status().await.unwrap().success());
        let file = folder.join("mosquitto.conf");
        let user = if std::env::var("USER").is_ok_and(|user| user == "root") { "user root\n" } else { "" };
        let text = format!(
            "listener {port} 127.0.0.1\nallow_anonymous false\npassword_file {}\n{user}",
            users.display()
        );
        std::fs::write(&file, text).unwrap();
        let process = Command::new("mosquitto")
            .arg("-c")
            .arg(file)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let start = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(start.elapsed() < PATIENCE, "mosquitto does not listen");
            sleep(Duration::from_millis(10)).await;
        }
        process
    }

    async fn relay(&self) -> Peer {
        let argument =
            json!({ "port": self.port, "topic": TOPIC, "user": "door", "password": PASSWORD, "beat": 1 });
        Peer::start("mqtt_relay.py", &argument).await
    }

    fn wired(&self, password: &PasswordFile) -> Wired {
        Wired::start(&format!(
            "[[output]]\nnumber = 0\nlock = \"fail_secure\"\non.mqtt = {{ host = \"127.0.0.1\", port = {}, \
             topic = \"{TOPIC}\", user = \"door\", password_file = \"{}\" }}",
            self.port,
            password.path().display()
        ))
    }

    async fn publish(&self, topic: &str, payload: &str, is_retained: bool) {
        let port = self.port.to_string();
        let topic = format!("{TOPIC}/{topic}");
        let mut command = Command::new("mosquitto_pub");
        command.args(["-h", "127.0.0.1", "-p", &port, "-u", "door", "-P", PASSWORD, "-q", "1", "-V", "311"]);
        command.args(["-t", &topic, "-m", payload]);
        if is_retained {
            command.arg("-r");
        }
        assert!(within(command.status()).await.unwrap().success());
    }
}

fn did(what: &str) -> impl Fn(&Value) -> bool {
    move |line| line["did"] == what
}

#[tokio::test]
async fn a_release_is_done_when_the_relay_says_so_and_it_ends_by_itself() {
    let broker = Broker::start().await;
    let password = PasswordFile::with(PASSWORD);
    let mut relay = broker.relay().await;
    let mut wired = broker.wired(&password);
    wired.settles(0).await;
    assert!(wired.does(|board| board.release(0, Duration::from_secs(1))).await);
    relay.until(did("release")).await;
    relay.until(|line| line["ended"] == true).await;
    assert!(wired.does(|board| board.release(0, Duration::from_secs(60))).await);
    assert!(wired.does(|board| board.lock(0)).await);
    relay.until(did("lock")).await;
}

#[tokio::test]
async fn a_relay_refuses_what_is_retained_repeated_late_or_for_another_start() {
    let broker = Broker::start().await;
    let password = PasswordFile::with(PASSWORD);
    let mut relay = broker.relay().await;
    let mut wired = broker.wired(&password);
    wired.settles(0).await;
    relay.until(did("lock")).await;
    assert!(wired.does(|board| board.release(0, Duration::from_secs(60))).await);
    let is_release = |line: &Value| line["heard"].as_str().is_some_and(|text| text.contains("release"));
    let heard = relay.until(is_release).await;
    let command = heard["heard"].as_str().unwrap().to_owned();
    let value: Value = serde_json::from_str(&command).unwrap();
    relay.until(did("release")).await;
    let refused = |why: &'static str| move |line: &Value| line["refused"] == why || line["did"] == "release";
    let with = |field: &str, is: Value| {
        let mut value = value.clone();
        value[field] = is;
        value.to_string()
    };
    let not_after = value["not_after"].as_u64().unwrap();
    let rows = [
        (command.clone(), "repeated"),
        (with("not_after", json!(not_after.saturating_sub(60_000))), "late"),
        (with("not_after", json!(not_after + 60_000)), "too far ahead"),
        (with("boot", json!("00")), "other boot"),
    ];
    for (payload, why) in rows {
        broker.publish("command", &payload, false).await;
        assert_eq!(relay.until(refused(why)).await["refused"], why);
    }

    // what the broker keeps is there for the next start of the relay, and refused
    broker.publish("command", &command, true).await;
    relay.until(|line| line["refused"].is_string()).await;
    relay.kill().await;
    let mut relay = broker.relay().await;
    let first = relay.until(|line| line["refused"].is_string() || line["did"].is_string()).await;
    assert_eq!(first["refused"], "retained");
    assert!(relay.rest().await.iter().all(|line| line["did"] != "release"));
}

#[tokio::test]
async fn a_retained_state_is_no_relay_and_a_lost_broker_keeps_no_release() {
    let mut broker = Broker::start().await;
    let password = PasswordFile::with(PASSWORD);
    let state = json!({ "boot": "00", "mono": 5, "state": "locked", "done": null }).to_string();
    broker.publish("state", &state, true).await;
    let mut wired = broker.wired(&password);
    // long enough that the subscription stands and the broker's memory has come
    sleep(Duration::from_secs(2)).await;
    assert!(!wired.does(|board| board.release(0, Duration::from_secs(5))).await, "nobody is there");

    let mut relay = broker.relay().await;
    wired.settles(0).await;
    assert!(wired.does(|board| board.release(0, Duration::from_secs(5))).await);
    relay.until(did("release")).await;
    broker.process.kill().await.unwrap();
    let told = Instant::now();
    assert!(!wired.does(|board| board.release(0, Duration::from_secs(60))).await);
    assert!(told.elapsed() < Duration::from_secs(3));
    relay.kill().await;
    broker.process = Broker::spawn(broker.folder.path(), broker.port).await;
    let mut relay = broker.relay().await;
    let first = relay.until(|line| line["did"].is_string()).await;
    assert_eq!(first["did"], "lock", "the first thing that it is told");
    assert!(relay.rest().await.iter().all(|line| line["did"] != "release"));
}
