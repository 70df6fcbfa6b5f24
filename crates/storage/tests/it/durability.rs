//! What was acknowledged is there after `kill -9`.

use crate::database::Db;
use crate::town::{Town, two_towns};
use klinke_model::ids::DeviceId;
use klinke_storage::Store;
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

/// What the child is told: the database, and the number of its first write.
const DATABASE: &str = "KLINKE_TEST_KILLED_DATABASE";
const FIRST: &str = "KLINKE_TEST_KILLED_FIRST";
const THIS: &str = "durability::acknowledged_writes_survive_kill_9";

/// Starts itself as a child that writes and tells of each write, kills it in the middle, 20 times on one database.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledged_writes_survive_kill_9() {
    if let Ok(url) = std::env::var(DATABASE) {
        return write_until_killed(&url, std::env::var(FIRST).unwrap().parse().unwrap()).await;
    }
    let db = Db::sqlite().await;
    let (ours, _) = two_towns(&db).await;
    let url = db.url.clone();
    drop(db.store);
    let mut acknowledged = BTreeSet::new();
    for round in 0..20 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", THIS, "--nocapture"])
            .env(DATABASE, &url)
            .env(FIRST, (10_000 * (round + 1)).to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let told =
            |line: std::io::Result<String>| line.unwrap().strip_prefix("written ")?.parse::<u64>().ok();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().filter_map(told);
        acknowledged.extend(lines.by_ref().take(5 + 3 * usize::try_from(round).unwrap()));
        child.kill().unwrap();
        assert!(!child.wait().unwrap().success(), "it was killed in the middle");
        acknowledged.extend(lines);

        let store = Store::open(&url).await.unwrap();
        let kept = store.devices().list(&ours.system(), ours.kari).await.unwrap();
        let kept: BTreeSet<DeviceId> = kept.into_iter().map(|device| device.id).collect();
        let lost: Vec<_> =
            acknowledged.iter().filter(|number| !kept.contains(&ours.fresh(**number))).collect();
        assert!(lost.is_empty(), "round {round} lost {lost:?}");
    }
    assert!(acknowledged.len() >= 20 * 5);
}

async fn write_until_killed(url: &str, first: u64) {
    let store = Store::open(url).await.unwrap();
    let ours = Town::plan(1_000);
    for number in first.. {
        let new = ours.new_device(ours.kari, number);
        assert!(store.devices().sign_in(&ours.system(), new).await.unwrap());
        let mut out = std::io::stdout().lock();
        // A line of its own: the test harness writes to the same place.
        writeln!(out, "\nwritten {number}").unwrap();
        out.flush().unwrap();
    }
}
