//! Our own programs: `klinke-bench`, and the pages in Chromium.

use super::measurements::Build;
use super::mosquitto;
use crate::parts;
use crate::postgres::Cluster;
use crate::process::{Failure, Log, Workshop, output_of, show};
use crate::web;
use serde_json::Value;
use std::process::Command;

/// Builds what is measured and what measures, as it is released.
///
/// # Errors
/// When something does not build.
pub fn build(workshop: &Workshop, build: Build) -> Result<(), Failure> {
    if build == Build::Bench {
        let bench = ["build", "--package", "klinke-bench", "--release", "--locked", "--quiet"];
        return show(workshop.cargo().args(bench));
    }
    web::build_if_changed(workshop)?;
    if !workshop.root.join("e2e/node_modules").is_dir() {
        show(&mut web::npm_ci(workshop, "e2e"))?;
    }
    show(workshop.cargo().args(["build", "--workspace", "--release", "--locked", "--quiet"]))
}

/// Tap → ring with native clients.
///
/// # Errors
/// When a call does not ring.
pub fn tap_to_ring(workshop: &Workshop) -> Result<Value, Failure> {
    bench(workshop, "tap-to-ring")
}

/// Tap → relay, and beside it Mosquitto.
///
/// # Errors
/// When a door is not opened or a message is lost.
pub fn open_to_relay(workshop: &Workshop) -> Result<Value, Failure> {
    let mut figures = bench(workshop, "open-to-relay")?;
    figures["mosquitto_ms"] = mosquitto::round_trip()?;
    Ok(figures)
}

/// A change of hours → the lock, and beside it Mosquitto.
///
/// # Errors
/// When a lock does not move or a message is lost.
pub fn change_to_door(workshop: &Workshop) -> Result<Value, Failure> {
    let mut figures = bench(workshop, "change-to-door")?;
    figures["mosquitto_ms"] = mosquitto::round_trip()?;
    Ok(figures)
}

/// Relayed calls, and beside them Janus's.
///
/// # Errors
/// When packets do not arrive.
pub fn forward(workshop: &Workshop) -> Result<Value, Failure> {
    bench(workshop, "forward")
}

/// Calls between a panel's Opus and a phone's PCMU, and beside them the bare codec's and rtpengine's.
///
/// # Errors
/// When sound does not pass.
pub fn phone_bridge(workshop: &Workshop) -> Result<Value, Failure> {
    bench(workshop, "phone-bridge")
}

/// From the wish to call to the INVITE.
///
/// # Errors
/// When one does not arrive.
pub fn phone_invite(workshop: &Workshop) -> Result<Value, Failure> {
    bench(workshop, "phone-invite")
}

/// From mouth to ear through a bridge.
///
/// # Errors
/// When what was spoken is not heard.
pub fn phone_delay(workshop: &Workshop) -> Result<Value, Failure> {
    bench(workshop, "phone-delay")
}

/// A thousand calls in a row.
///
/// # Errors
/// When one fails.
pub fn phone_flat(workshop: &Workshop) -> Result<Value, Failure> {
    bench(workshop, "phone-flat")
}

/// The server by itself and with idle apps.
///
/// # Errors
/// When it does not start or take them.
pub fn service(workshop: &Workshop) -> Result<Value, Failure> {
    bench(workshop, "service")
}

/// Lists of people, beside hand-written SQL.
///
/// # Errors
/// When PostgreSQL is missing, or the rows are not the same.
pub fn people(workshop: &Workshop) -> Result<Value, Failure> {
    let cluster = Cluster::start(workshop)?;
    let mut command = Command::new(workshop.binary("release", "klinke-bench"));
    figures(command.args(["people", "--postgres"]).arg(cluster.url()))
}

/// Decisions at a door, and beside them Cedar's and casbin's.
///
/// # Errors
/// When it does not build, or a rule is not one.
pub fn decide(workshop: &Workshop) -> Result<Value, Failure> {
    let build = ["build", "--manifest-path", "oracle/Cargo.toml", "--release", "--locked", "--quiet"];
    show(workshop.cargo().args(build))?;
    figures(&mut Command::new(workshop.binary("release", "klinke-oracle")))
}

/// How many cards are held to the readers in one run.
const CARDS: &str = "1000";

/// A card at one of four readers of libosdp on one line, until the output is told.
///
/// # Errors
/// When it does not build, a peer is missing, or a card opens nothing.
pub fn card_to_output(workshop: &Workshop) -> Result<Value, Failure> {
    parts::peers(workshop, &mut Log::new(workshop, "bench-peers")?)?;
    let mut test = workshop.cargo();
    test.args(["test", "--release", "--locked", "--quiet", "--package", "klinke-controller", "--test", "it"])
        .args(["--", "--exact", "--nocapture", "at_door::card_to_output"])
        .env("KLINKE_CARDS", CARDS);
    let said = String::from_utf8_lossy(&output_of(&mut test)?).into_owned();
    let line = said.lines().find(|line| line.starts_with('{'));
    line.and_then(|line| serde_json::from_str(line).ok())
        .ok_or_else(|| Failure::new(format!("not figures: {said}")))
}

/// Calls through the real pages.
///
/// # Errors
/// When a page does not show what it should.
pub fn pages(workshop: &Workshop) -> Result<Value, Failure> {
    let mut node = workshop.command("node", "e2e");
    node.arg("bench/call.mjs").env("KLINKE_BINARY", workshop.binary("release", "klinke"));
    if let Some(chromium) = crate::tools::chromium() {
        node.env("KLINKE_CHROMIUM", chromium);
    }
    figures(&mut node)
}

fn bench(workshop: &Workshop, name: &str) -> Result<Value, Failure> {
    // 10,000 connections are more files than a shell usually allows; as many as it may
    let mut shell = workshop.command("sh", "");
    shell
        .args(["-c", "ulimit -n $(ulimit -H -n); exec \"$@\"", "sh"])
        .arg(workshop.binary("release", "klinke-bench"));
    figures(shell.args([name, "--klinke"]).arg(workshop.binary("release", "klinke")))
}

/// The one line that the program prints.
fn figures(command: &mut Command) -> Result<Value, Failure> {
    let said = output_of(command)?;
    serde_json::from_slice(&said)
        .map_err(|error| Failure::new(format!("not figures ({error}): {}", String::from_utf8_lossy(&said))))
}
