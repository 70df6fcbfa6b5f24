//! `./bench`: measurements, each beside its peer in the same run.
//!
//! A [`Program`] is run [`RUNS`] times, each run whole (its own processes), and gives figures as JSON; a
//! [`Measurement`] is one of these figures, with its target. Its value is the median of the runs; every run is kept
//! in the JSON, with the machine's load when it began. What speaks Klinke's own protocols is in `benchmarks/`, what
//! needs the pages in `e2e/bench/`.
//!
//! What there is to measure stands in [`measurements`].

mod binary;
mod klinke;
mod measurements;
mod mosquitto;

use self::measurements::{Build, MEASUREMENTS, Measurement, ONCE, Program, Target};
use crate::process::{Failure, Workshop, output_of};
use crate::table::table;
use crate::tools;
use serde_json::{Map, Value, json};
use std::fs;
use std::process::{Command, ExitCode};
use std::time::{SystemTime, UNIX_EPOCH};

/// One run.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Sample {
    /// Ours.
    value: f64,
    /// The peer's in the same run.
    peer: Option<f64>,
}

/// How often each program is run, but for [`ONCE`].
const RUNS: usize = 3;

/// `cargo xtask bench [NAME…]`: measures, prints a table, writes `benchmarks/latest.json`.
///
/// # Errors
/// When a name is not known, a program is missing, or a measurement fails.
pub fn bench(workshop: &Workshop, arguments: &[String]) -> Result<ExitCode, Failure> {
    let names: Vec<&String> = arguments.iter().filter(|argument| *argument != "-y").collect();
    if let Some(unknown) = names.iter().find(|name| !MEASUREMENTS.iter().any(|m| named(m, name))) {
        let known = MEASUREMENTS.iter().map(|m| m.name).collect::<Vec<_>>().join(" ");
        return Err(Failure::new(format!("there is no measurement `{unknown}`; there are: {known}")));
    }
    let wanted: Vec<&Measurement> =
        MEASUREMENTS.iter().filter(|m| names.is_empty() || names.iter().any(|name| named(m, name))).collect();
    prepare(workshop, &wanted, arguments.len() > names.len())?;

    let (mut rows, mut results, mut said) = (Vec::new(), Vec::new(), Map::new());
    for measurement in wanted {
        let program = measurement.program;
        if !said.contains_key(program.name) {
            println!("{} …", program.name);
            let times = if ONCE.contains(&program.name) { 1 } else { RUNS };
            let runs = (0..times).map(|_| run(workshop, program)).collect::<Result<Vec<_>, _>>()?;
            said.insert(program.name.to_owned(), runs.into());
        }
        let runs = said[program.name].as_array().map_or(&[][..], Vec::as_slice);
        let samples = runs.iter().map(|run| sample(measurement, run)).collect::<Result<Vec<_>, _>>()?;
        rows.push(row(measurement, &samples, runs));
        results.push(result(measurement, &samples));
    }
    let heads = ["what", "value", "median", "unit", "peer", "ratio", "target", "met", "runs", "load"];
    println!("\n{}", table(&heads, &rows));
    write(workshop, &results, &said)
}

/// What these measurements need: programs of others, and ours as they are released.
fn prepare(workshop: &Workshop, wanted: &[&Measurement], consent: bool) -> Result<(), Failure> {
    let build = wanted.iter().map(|measurement| measurement.program.build).max().unwrap_or(Build::Bench);
    let mut needed = vec![&tools::BUILD];
    if build == Build::Whole {
        needed.push(&tools::NODE);
    }
    for tool in wanted.iter().flat_map(|measurement| measurement.program.needs) {
        if !needed.iter().any(|one| one.name == tool.name) {
            needed.push(tool);
        }
    }
    tools::provide(&needed, consent)?;
    klinke::build(workshop, build)
}

/// Whether somebody who types this means the measurement: its name, or its program's for all of that.
fn named(measurement: &Measurement, name: &str) -> bool {
    name == measurement.name || name == measurement.program.name
}

/// One run: the load of the machine when it begins, and the figures.
fn run(workshop: &Workshop, program: &Program) -> Result<Value, Failure> {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load: Option<f64> = load.split(' ').next().and_then(|minute| minute.parse().ok());
    let figures = (program.run)(workshop)?;
    println!("  {figures}");
    Ok(json!({ "load": load, "figures": figures }))
}

fn sample(measurement: &Measurement, run: &Value) -> Result<Sample, Failure> {
    let figure = |pointer: &str| {
        let figure = run["figures"].pointer(pointer).and_then(Value::as_f64);
        figure.ok_or_else(|| Failure::new(format!("{} gave no {pointer}", measurement.program.name)))
    };
    Ok(Sample { value: figure(measurement.value)?, peer: measurement.peer.map(figure).transpose()? })
}

fn write(workshop: &Workshop, results: &[Value], runs: &Map<String, Value>) -> Result<ExitCode, Failure> {
    let file = workshop.root.join("benchmarks/latest.json");
    let all = json!({ "machine": machine(), "commit": commit(workshop), "at": now(), "results": results, "runs": runs });
    let text = serde_json::to_string_pretty(&all).map_err(|error| Failure::new(error.to_string()))?;
    fs::write(&file, text + "\n")?;
    println!("\nwritten to benchmarks/latest.json");
    Ok(ExitCode::SUCCESS)
}

fn values(runs: &[Sample]) -> (f64, Option<f64>) {
    let peers: Option<Vec<f64>> = runs.iter().map(|sample| sample.peer).collect();
    (median(runs.iter().map(|sample| sample.value).collect()), peers.map(median))
}

fn row(measurement: &Measurement, samples: &[Sample], runs: &[Value]) -> Vec<String> {
    let (value, peer) = values(samples);
    let met = met(measurement.target, value, peer).map_or("", |met| if met { "yes" } else { "NO" });
    let of_runs =
        |pointer: &str| runs.iter().filter_map(|run| run.pointer(pointer)?.as_f64()).collect::<Vec<_>>();
    // the median beside a tail
    let middle = measurement.value.strip_suffix("/p99").map(|all| of_runs(&format!("/figures{all}/p50")));
    let listed = |figures: Vec<f64>| figures.into_iter().map(figure).collect::<Vec<_>>().join(" ");
    vec![
        measurement.what.to_owned(),
        figure(value),
        middle.map_or_else(String::new, |middle| figure(median(middle))),
        measurement.unit.to_owned(),
        peer.map_or_else(String::new, figure),
        peer.map_or_else(String::new, |peer| format!("{:.2}", value / peer)),
        target_text(measurement.target),
        met.to_owned(),
        listed(samples.iter().map(|sample| sample.value).collect()),
        listed(of_runs("/load")),
    ]
}

fn result(measurement: &Measurement, samples: &[Sample]) -> Value {
    let (value, peer) = values(samples);
    json!({
        "name": measurement.name,
        "what": measurement.what,
        "unit": measurement.unit,
        "value": value,
        "peer": peer,
        "ratio": peer.map(|peer| value / peer),
        "target": target_text(measurement.target),
        "met": met(measurement.target, value, peer),
        "samples": samples.iter().map(|run| json!({ "value": run.value, "peer": run.peer })).collect::<Vec<_>>(),
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
    use std::collections::BTreeSet;

    #[test]
    fn a_figure_that_a_program_does_not_give_is_a_failure() {
        let [first, ..] = MEASUREMENTS else { panic!("nothing is measured") };
        let run = json!({ "load": 0.5, "figures": { "ms": { "p50": 1.0, "p99": 2.0 } } });
        assert_eq!(sample(first, &run), Ok(Sample { value: 2.0, peer: None }));
        assert!(sample(first, &json!({ "figures": { "ms": {} } })).is_err());
    }

    #[test]
    fn a_name_means_one_measurement_or_all_of_a_program() {
        let meant = |name: &str| MEASUREMENTS.iter().filter(|m| named(m, name)).count();
        assert_eq!((meant("phone-memory-20"), meant("phone-bridge"), meant("phone")), (1, 9, 0));
        let names: BTreeSet<&str> = MEASUREMENTS.iter().map(|m| m.name).collect();
        assert_eq!(names.len(), MEASUREMENTS.len(), "a name is given twice");
    }

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
