//! `./bench`: measurements, each beside its peer in the same run.
//!
//! To add one: a function that takes one run and gives its [`Sample`], and a line in [`MEASUREMENTS`]. Each run is
//! whole (its own processes), the value is the median of the runs, and every run is kept in the JSON.

mod binary;
mod mosquitto;

use crate::process::{Failure, Workshop, output_of};
use crate::table::table;
use serde_json::{Value, json};
use std::fs;
use std::process::{Command, ExitCode};
use std::time::{SystemTime, UNIX_EPOCH};

/// What is measured.
struct Measurement {
    /// What to type.
    name: &'static str,
    /// What it is, for people.
    what: &'static str,
    /// Of the value.
    unit: &'static str,
    /// What we want.
    target: Target,
    how: How,
}

/// What a value is held against.
#[derive(Clone, Copy)]
enum Target {
    /// No more than this.
    AtMost(f64),
    /// No more than the peer's value in the same run, times this.
    TimesPeer(f64),
    /// No more than either.
    AtMostAndTimesPeer(f64, f64),
    /// It is the peer, or there is none.
    None,
}

enum How {
    /// One run.
    Run(fn(&Workshop) -> Result<Sample, Failure>),
    /// Not measured yet; what it takes.
    Later(&'static str),
}

/// One run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// Ours (or, for a peer by itself, the peer's).
    pub value: f64,
    /// The peer's in the same run.
    pub peer: Option<f64>,
}

const fn later(
    name: &'static str,
    what: &'static str,
    unit: &'static str,
    target: Target,
    takes: &'static str,
) -> Measurement {
    Measurement { name, what, unit, target, how: How::Later(takes) }
}

/// All of them.
const MEASUREMENTS: &[Measurement] = &[
    later(
        "tap-to-ring",
        "tap on the panel → ring shown in the app, p99",
        "ms",
        Target::AtMost(150.0),
        "a panel and an app that speak the wire protocol to `klinke demo`",
    ),
    later(
        "first-frame",
        "offer → first decoded frame at the resident, p99",
        "ms",
        Target::AtMost(500.0),
        "two Chromiums (e2e/support) and requestVideoFrameCallback",
    ),
    later(
        "open-to-relay",
        "tap on Open → relay on, p99; peer: Mosquitto publish → subscribe",
        "ms",
        Target::AtMostAndTimesPeer(100.0, 4.0),
        "the wire protocol to `klinke demo`, the relay of its simulated controller, mosquitto::round_trip",
    ),
    Measurement {
        name: "mosquitto",
        what: "Mosquitto publish → subscribe, QoS 0, p99 of 200 (the peer of open-to-relay)",
        unit: "ms",
        target: Target::None,
        how: How::Run(mosquitto::round_trip),
    },
    later(
        "forwarding-cpu",
        "CPU of one relayed 720p call; peer: Janus 1.1.2 with the same senders",
        "% of a core",
        Target::TimesPeer(1.0),
        "senders that play a recorded 720p stream, Janus's videoroom from Debian",
    ),
    later(
        "call-memory",
        "memory of one relayed 720p call; peer: Janus 1.1.2",
        "KiB",
        Target::TimesPeer(1.0),
        "the same senders as forwarding-cpu",
    ),
    later(
        "idle-clients",
        "memory of one signed-in idle WebSocket, 10,000 at once",
        "KiB",
        Target::AtMost(32.0),
        "10,000 WebSocket clients with sessions, resident memory before and after",
    ),
    later(
        "start-up",
        "start → /readyz says yes",
        "ms",
        Target::AtMost(300.0),
        "`klinke serve` on a seeded folder",
    ),
    later(
        "idle-memory",
        "resident memory at rest",
        "MiB",
        Target::AtMost(60.0),
        "`klinke serve` on a seeded folder",
    ),
    Measurement {
        name: "binary-size",
        what: "size of `klinke`, release build, web pages inside",
        unit: "MiB",
        target: Target::None,
        how: How::Run(binary::size),
    },
];

/// How often each is run.
const RUNS: usize = 3;

/// `cargo xtask bench [NAME…]`: measures, prints a table, writes `benchmarks/latest.json`.
///
/// # Errors
/// When a name is not known, a program is missing, or a measurement fails.
pub fn bench(workshop: &Workshop, arguments: &[String]) -> Result<ExitCode, Failure> {
    let names: Vec<&String> = arguments.iter().filter(|argument| *argument != "-y").collect();
    if let Some(unknown) = names.iter().find(|name| !MEASUREMENTS.iter().any(|m| m.name == **name)) {
        let known = MEASUREMENTS.iter().map(|m| m.name).collect::<Vec<_>>().join(" ");
        return Err(Failure::new(format!("there is no measurement `{unknown}`; there are: {known}")));
    }
    crate::tools::provide(&[&crate::tools::MOSQUITTO], arguments.len() > names.len())?;

    let (mut rows, mut results) = (Vec::new(), Vec::new());
    for measurement in
        MEASUREMENTS.iter().filter(|m| names.is_empty() || names.iter().any(|name| *name == m.name))
    {
        match measurement.how {
            How::Later(takes) => {
                println!("{}: not measured yet; it takes {takes}", measurement.name);
                results
                    .push(json!({ "name": measurement.name, "what": measurement.what, "measured": false }));
            }
            How::Run(run) => {
                println!("{}: {} …", measurement.name, measurement.what);
                let runs = (0..RUNS).map(|_| run(workshop)).collect::<Result<Vec<_>, _>>()?;
                rows.push(row(measurement, &runs));
                results.push(result(measurement, &runs));
            }
        }
    }
    println!("\n{}", table(&["what", "value", "unit", "peer", "ratio", "target", "met", "runs"], &rows));
    write(workshop, &results)
}

fn write(workshop: &Workshop, results: &[Value]) -> Result<ExitCode, Failure> {
    let folder = workshop.root.join("benchmarks");
    fs::create_dir_all(&folder)?;
    let file = folder.join("latest.json");
    let all = json!({ "machine": machine(), "commit": commit(workshop), "at": now(), "results": results });
    let text = serde_json::to_string_pretty(&all).map_err(|error| Failure::new(error.to_string()))?;
    fs::write(&file, text + "\n")?;
    println!("\nwritten to benchmarks/latest.json");
    Ok(ExitCode::SUCCESS)
}

fn values(runs: &[Sample]) -> (f64, Option<f64>) {
    let peers: Option<Vec<f64>> = runs.iter().map(|sample| sample.peer).collect();
    (median(runs.iter().map(|sample| sample.value).collect()), peers.map(median))
}

fn row(measurement: &Measurement, runs: &[Sample]) -> Vec<String> {
    let (value, peer) = values(runs);
    let met = met(measurement.target, value, peer).map_or("", |met| if met { "yes" } else { "NO" });
    vec![
        measurement.what.to_owned(),
        figure(value),
        measurement.unit.to_owned(),
        peer.map_or_else(String::new, figure),
        peer.map_or_else(String::new, |peer| format!("{:.2}", value / peer)),
        target_text(measurement.target),
        met.to_owned(),
        runs.iter().map(|sample| figure(sample.value)).collect::<Vec<_>>().join(" "),
    ]
}

fn result(measurement: &Measurement, runs: &[Sample]) -> Value {
    let (value, peer) = values(runs);
    json!({
        "name": measurement.name,
        "what": measurement.what,
        "measured": true,
        "unit": measurement.unit,
        "value": value,
        "peer": peer,
        "ratio": peer.map(|peer| value / peer),
        "target": target_text(measurement.target),
        "met": met(measurement.target, value, peer),
        "runs": runs.iter().map(|run| json!({ "value": run.value, "peer": run.peer })).collect::<Vec<_>>(),
    })
}

/// Whether the target is met; nothing where there is none. A missing peer does not meet a target beside it.
fn met(target: Target, value: f64, peer: Option<f64>) -> Option<bool> {
    let beside = |times: f64| peer.is_some_and(|peer| value <= peer * times);
    match target {
        Target::AtMost(limit) => Some(value <= limit),
        Target::TimesPeer(times) => Some(beside(times)),
        Target::AtMostAndTimesPeer(limit, times) => Some(value <= limit && beside(times)),
        Target::None => None,
    }
}

fn target_text(target: Target) -> String {
    match target {
        Target::AtMost(limit) => format!("≤ {limit}"),
        Target::TimesPeer(times) => format!("≤ {times} × peer"),
        Target::AtMostAndTimesPeer(limit, times) => format!("≤ {limit}, ≤ {times} × peer"),
        Target::None => String::new(),
    }
}

fn figure(value: f64) -> String {
    if value.abs() < 10.0 { format!("{value:.2}") } else { format!("{value:.1}") }
}

fn median(mut values: Vec<f64>) -> f64 {
    quantile(&mut values, 0.5)
}

/// The smallest value that at least this share of all does not exceed (nearest rank). `values` is sorted by it.
///
/// # Panics
/// When there is no value.
fn quantile(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let rank = (values.len() as f64 * share).ceil() as usize;
    values[rank.clamp(1, values.len()) - 1]
}

fn machine() -> Value {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kib = memory
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:")?.split_whitespace().next()?.parse().ok());
    json!({
        "processor": model.map(|(_, model)| model),
        "cores": std::thread::available_parallelism().map_or(0, usize::from),
        "memory_gib": kib.map(|kib: u64| kib / 1024 / 1024),
        "system": std::env::consts::OS,
        "architecture": std::env::consts::ARCH,
    })
}

fn commit(workshop: &Workshop) -> Option<String> {
    let git: &mut Command = &mut workshop.command("git", "");
    let said = output_of(git.args(["describe", "--always", "--dirty"])).ok()?;
    Some(String::from_utf8_lossy(&said).trim().to_owned())
}

#[expect(clippy::disallowed_methods, reason = "when this was measured, for people")]
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_nearest_rank() {
        let mut hundred: Vec<f64> = (1..=100).rev().map(f64::from).collect();
        assert_eq!(quantile(&mut hundred, 0.5), 50.0);
        assert_eq!(quantile(&mut hundred, 0.99), 99.0);
        assert_eq!(quantile(&mut hundred, 1.0), 100.0);
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
    }

    #[test]
    fn a_target_beside_a_peer_needs_the_peer() {
        assert_eq!(met(Target::TimesPeer(4.0), 3.9, Some(1.0)), Some(true));
        assert_eq!(met(Target::TimesPeer(4.0), 4.1, Some(1.0)), Some(false));
        assert_eq!(met(Target::TimesPeer(4.0), 1.0, None), Some(false));
        assert_eq!(met(Target::AtMostAndTimesPeer(100.0, 4.0), 101.0, Some(100.0)), Some(false));
        assert_eq!(met(Target::AtMost(150.0), 150.0, None), Some(true));
        assert_eq!(met(Target::None, 1.0, None), None);
    }
}
