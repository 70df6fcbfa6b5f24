//! `./bench`: measurements, each beside its peer in the same run.
//!
//! A [`Program`] is run [`RUNS`] times, each run whole (its own processes), and gives figures as JSON; a
//! [`Measurement`] is one of these figures, with its target. Its value is the median of the runs; every run is kept
//! in the JSON, with the machine's load when it began. What speaks Klinke's own protocols is in `benchmarks/`, what
//! needs the pages in `e2e/bench/`.
//!
//! To add one: a line in [`MEASUREMENTS`], and a program if none gives the figure yet.

mod binary;
mod klinke;
mod mosquitto;

use crate::process::{Failure, Workshop, output_of};
use crate::table::table;
use crate::tools;
use serde_json::{Map, Value, json};
use std::fs;
use std::process::{Command, ExitCode};
use std::time::{SystemTime, UNIX_EPOCH};

/// What is run.
struct Program {
    name: &'static str,
    /// One run; gives its figures.
    run: fn(&Workshop) -> Result<Value, Failure>,
}

static TAP_TO_RING: Program = Program { name: "tap-to-ring", run: klinke::tap_to_ring };
static PAGES: Program = Program { name: "pages", run: klinke::pages };
static OPEN_TO_RELAY: Program = Program { name: "open-to-relay", run: klinke::open_to_relay };
static FORWARD: Program = Program { name: "forward", run: klinke::forward };
static SERVICE: Program = Program { name: "service", run: klinke::service };
static PEOPLE: Program = Program { name: "people", run: klinke::people };
static DECIDE: Program = Program { name: "decide", run: klinke::decide };
static CARD_TO_OUTPUT: Program = Program { name: "card-to-output", run: klinke::card_to_output };
static BINARY: Program = Program { name: "binary", run: binary::size };

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
    /// What to run for it.
    program: &'static Program,
    /// JSON pointer (RFC 6901) to the figure.
    value: &'static str,
    /// And to the peer's.
    peer: Option<&'static str>,
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

/// One run.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Sample {
    /// Ours.
    value: f64,
    /// The peer's in the same run.
    peer: Option<f64>,
}

/// All of them.
const MEASUREMENTS: &[Measurement] = &[
    Measurement {
        name: "tap-to-ring",
        what: "tap on the panel → ring at both residents' apps, p99 (native clients)",
        unit: "ms",
        target: Target::AtMost(150.0),
        program: &TAP_TO_RING,
        value: "/ms/p99",
        peer: None,
    },
    Measurement {
        name: "tap-to-ring-pages",
        what: "tap on the panel → call on both residents' screens, p99 (Chromium)",
        unit: "ms",
        target: Target::AtMost(150.0),
        program: &PAGES,
        value: "/ring_ms/p99",
        peer: None,
    },
    Measurement {
        name: "first-frame",
        what: "the app's offer → first decoded frame on its screen, p99 (Chromium)",
        unit: "ms",
        target: Target::AtMost(500.0),
        program: &PAGES,
        value: "/frame_ms/p99",
        peer: None,
    },
    Measurement {
        name: "open-to-relay",
        what: "tap on Open → relay is on, p99; peer: Mosquitto publish → subscribe",
        unit: "ms",
        target: Target::AtMostAndTimesPeer(100.0, 4.0),
        program: &OPEN_TO_RELAY,
        value: "/relay_ms/p99",
        peer: Some("/mosquitto_ms/p99"),
    },
    Measurement {
        name: "open-to-news",
        what: "tap on Open → the app knows that the relay is on, p99; the same peer",
        unit: "ms",
        target: Target::AtMost(100.0),
        program: &OPEN_TO_RELAY,
        value: "/news_ms/p99",
        peer: Some("/mosquitto_ms/p99"),
    },
    Measurement {
        name: "forwarding-cpu",
        what: "CPU of one relayed 1 Mbit/s call with two apps; peer: Janus with the same senders",
        unit: "% of a core",
        target: Target::TimesPeer(1.0),
        program: &FORWARD,
        value: "/klinke/cpu_percent_per_call",
        peer: Some("/janus/cpu_percent_per_call"),
    },
    Measurement {
        name: "call-memory",
        what: "memory of such a call; peer: Janus",
        unit: "KiB",
        target: Target::TimesPeer(1.0),
        program: &FORWARD,
        value: "/klinke/kib_per_call",
        peer: Some("/janus/kib_per_call"),
    },
    Measurement {
        name: "idle-clients",
        what: "memory of one signed-in idle WebSocket, 10,000 at once",
        unit: "KiB",
        target: Target::AtMost(32.0),
        program: &SERVICE,
        value: "/kib_per_app",
        peer: None,
    },
    Measurement {
        name: "start-up",
        what: "start → /readyz says yes, 10,000 people in the database, p99",
        unit: "ms",
        target: Target::AtMost(300.0),
        program: &SERVICE,
        value: "/start_ms/p99",
        peer: None,
    },
    Measurement {
        name: "idle-memory",
        what: "resident memory at rest, 10,000 people in the database",
        unit: "MiB",
        target: Target::AtMost(60.0),
        program: &SERVICE,
        value: "/idle_mib",
        peer: None,
    },
    Measurement {
        name: "people-list-sqlite",
        what: "people, first page, 100,000 people, SQLite, median; peer: bare SQL",
        unit: "ms",
        target: Target::TimesPeer(2.0),
        program: &PEOPLE,
        value: "/sqlite/100000/list_first/store_ms/p50",
        peer: Some("/sqlite/100000/list_first/bare_ms/p50"),
    },
    Measurement {
        name: "people-list-deep-sqlite",
        what: "people, a page at nine tenths, 100,000 people, SQLite, median; peer: bare SQL",
        unit: "ms",
        target: Target::TimesPeer(2.0),
        program: &PEOPLE,
        value: "/sqlite/100000/list_deep/store_ms/p50",
        peer: Some("/sqlite/100000/list_deep/bare_ms/p50"),
    },
    Measurement {
        name: "people-search-sqlite",
        what: "people, one word, 100,000 people, SQLite, median; peer: bare SQL",
        unit: "ms",
        target: Target::TimesPeer(2.0),
        program: &PEOPLE,
        value: "/sqlite/100000/search_one_word/store_ms/p50",
        peer: Some("/sqlite/100000/search_one_word/bare_ms/p50"),
    },
    Measurement {
        name: "people-search-two-sqlite",
        what: "people, two words, 100,000 people, SQLite, median; peer: bare SQL",
        unit: "ms",
        target: Target::TimesPeer(2.0),
        program: &PEOPLE,
        value: "/sqlite/100000/search_two_words/store_ms/p50",
        peer: Some("/sqlite/100000/search_two_words/bare_ms/p50"),
    },
    Measurement {
        name: "people-building-sqlite",
        what: "people of a building, 100,000 people, SQLite, median; peer: bare SQL",
        unit: "ms",
        target: Target::TimesPeer(2.0),
        program: &PEOPLE,
        value: "/sqlite/100000/filter_building/store_ms/p50",
        peer: Some("/sqlite/100000/filter_building/bare_ms/p50"),
    },
    Measurement {
        name: "people-suspended-sqlite",
        what: "people who are suspended, 100,000 people, SQLite, median; peer: bare SQL",
        unit: "ms",
        target: Target::TimesPeer(2.0),
        program: &PEOPLE,
        value: "/sqlite/100000/filter_suspended/store_ms/p50",
        peer: Some("/sqlite/100000/filter_suspended/bare_ms/p50"),
    },
    Measurement {
        name: "people-unreachable-sqlite",
        what: "people whom no device rings, 100,000 people, SQLite, median; peer: bare SQL",
        unit: "ms",
        target: Target::TimesPeer(2.0),
        program: &PEOPLE,
        value: "/sqlite/100000/filter_unreachable/store_ms/p50",
        peer: Some("/sqlite/100000/filter_unreachable/bare_ms/p50"),
    },
    Measurement {
        name: "people-may-open-sqlite",
        what: "who may open a door, 100,000 people, SQLite, median; peer: bare SQL",
        unit: "ms",
        target: Target::TimesPeer(2.0),
        program: &PEOPLE,
        value: "/sqlite/100000/who_may_open/store_ms/p50",
        peer: Some("/sqlite/100000/who_may_open/bare_ms/p50"),
    },
    Measurement {
        name: "people-lives-here-sqlite",
        what: "who lives here, 100,000 people, SQLite, median; peer: bare SQL",
        unit: "ms",
        target: Target::TimesPeer(2.0),
        program: &PEOPLE,
        value: "/sqlite/100000/who_lives_here/store_ms/p50",
        peer: Some("/sqlite/100000/who_lives_here/bare_ms/p50"),
    },
    Measurement {
        name: "people-not-rung-sqlite",
        what: "homes that cannot be rung, 100,000 people, SQLite, median; peer: bare SQL",
        unit: "ms",
        target: Target::TimesPeer(2.0),
        program: &PEOPLE,
        value: "/sqlite/100000/cannot_be_rung/store_ms/p50",
        peer: Some("/sqlite/100000/cannot_be_rung/bare_ms/p50"),
    },
    Measurement {
        name: "people-list-postgres",
        what: "people, first page, 100,000 people, PostgreSQL, median; peer: bare SQL",
        unit: "ms",
        target: Target::TimesPeer(2.0),
        program: &PEOPLE,
        value: "/postgres/100000/list_first/store_ms/p50",
        peer: Some("/postgres/100000/list_first/bare_ms/p50"),
    },
    Measurement {
        name: "people-list-deep-postgres",
        what: "people, a page at nine tenths, 100,000 people, PostgreSQL, median; peer: bare SQL",
        unit: "ms",
        target: Target::TimesPeer(2.0),
        program: &PEOPLE,
        value: "/postgres/100000/list_deep/store_ms/p50",
        peer: Some("/postgres/100000/list_deep/bare_ms/p50"),
    },
    Measurement {
        name: "people-search-postgres",
        what: "people, one word, 100,000 people, PostgreSQL, median; peer: bare SQL",
        unit: "ms",
        target: Target::TimesPeer(2.0),
        program: &PEOPLE,
        value: "/postgres/100000/search_one_word/store_ms/p50",
        peer: Some("/postgres/100000/search_one_word/bare_ms/p50"),
    },
    Measurement {
        name: "people-search-two-postgres",
        what: "people, two words, 100,000 people, PostgreSQL, median; peer: bare SQL",
        unit: "ms",
        target: Target::TimesPeer(2.0),
        program: &PEOPLE,
        value: "/postgres/100000/search_two_words/store_ms/p50",
        peer: Some("/postgres/100000/search_two_words/bare_ms/p50"),
    },
    Measurement {
        name: "people-building-postgres",
        what: "people of a building, 100,000 people, PostgreSQL, median; peer: bare SQL",
        unit: "ms",
        target: Target::TimesPeer(2.0),
        program: &PEOPLE,
        value: "/postgres/100000/filter_building/store_ms/p50",
        peer: Some("/postgres/100000/filter_building/bare_ms/p50"),
    },
    Measurement {
        name: "people-suspended-postgres",
        what: "people who are suspended, 100,000 people, PostgreSQL, median; peer: bare SQL",
        unit: "ms",
        target: Target::TimesPeer(2.0),
        program: &PEOPLE,
        value: "/postgres/100000/filter_suspended/store_ms/p50",
        peer: Some("/postgres/100000/filter_suspended/bare_ms/p50"),
    },
    Measurement {
        name: "people-unreachable-postgres",
        what: "people whom no device rings, 100,000 people, PostgreSQL, median; peer: bare SQL",
        unit: "ms",
        target: Target::TimesPeer(2.0),
        program: &PEOPLE,
        value: "/postgres/100000/filter_unreachable/store_ms/p50",
        peer: Some("/postgres/100000/filter_unreachable/bare_ms/p50"),
    },
    Measurement {
        name: "people-may-open-postgres",
        what: "who may open a door, 100,000 people, PostgreSQL, median; peer: bare SQL",
        unit: "ms",
        target: Target::TimesPeer(2.0),
        program: &PEOPLE,
        value: "/postgres/100000/who_may_open/store_ms/p50",
        peer: Some("/postgres/100000/who_may_open/bare_ms/p50"),
    },
    Measurement {
        name: "people-lives-here-postgres",
        what: "who lives here, 100,000 people, PostgreSQL, median; peer: bare SQL",
        unit: "ms",
        target: Target::TimesPeer(2.0),
        program: &PEOPLE,
        value: "/postgres/100000/who_lives_here/store_ms/p50",
        peer: Some("/postgres/100000/who_lives_here/bare_ms/p50"),
    },
    Measurement {
        name: "people-not-rung-postgres",
        what: "homes that cannot be rung, 100,000 people, PostgreSQL, median; peer: bare SQL",
        unit: "ms",
        target: Target::TimesPeer(2.0),
        program: &PEOPLE,
        value: "/postgres/100000/cannot_be_rung/store_ms/p50",
        peer: Some("/postgres/100000/cannot_be_rung/bare_ms/p50"),
    },
    Measurement {
        name: "people-import-sqlite",
        what: "rows of an import that are applied in a second, SQLite",
        unit: "rows/s",
        target: Target::None,
        program: &PEOPLE,
        value: "/sqlite/100000/import_rows_per_s",
        peer: None,
    },
    Measurement {
        name: "people-memory-sqlite",
        what: "resident memory of the store after it, 100,000 people, SQLite",
        unit: "MiB",
        target: Target::None,
        program: &PEOPLE,
        value: "/sqlite/100000/resident_mib",
        peer: None,
    },
    Measurement {
        name: "people-import-postgres",
        what: "rows of an import that are applied in a second, PostgreSQL",
        unit: "rows/s",
        target: Target::None,
        program: &PEOPLE,
        value: "/postgres/100000/import_rows_per_s",
        peer: None,
    },
    Measurement {
        name: "people-memory-postgres",
        what: "resident memory of the store after it, 100,000 people, PostgreSQL",
        unit: "MiB",
        target: Target::None,
        program: &PEOPLE,
        value: "/postgres/100000/resident_mib",
        peer: None,
    },
    Measurement {
        name: "list-1000-sqlite",
        what: "a list of 1,000 people is applied, SQLite; peer: bare INSERTs of the same rows",
        unit: "ms",
        target: Target::None,
        program: &PEOPLE,
        value: "/lists/sqlite/1000/applied_ms",
        peer: Some("/lists/sqlite/1000/bare_ms"),
    },
    Measurement {
        name: "list-10000-sqlite",
        what: "a list of 10,000 people is applied, SQLite; peer: bare INSERTs of the same rows",
        unit: "ms",
        target: Target::None,
        program: &PEOPLE,
        value: "/lists/sqlite/10000/applied_ms",
        peer: Some("/lists/sqlite/10000/bare_ms"),
    },
    Measurement {
        name: "list-50000-sqlite",
        what: "a list of 50,000 people is applied, SQLite; peer: bare INSERTs of the same rows",
        unit: "ms",
        target: Target::TimesPeer(2.0),
        program: &PEOPLE,
        value: "/lists/sqlite/50000/applied_ms",
        peer: Some("/lists/sqlite/50000/bare_ms"),
    },
    Measurement {
        name: "list-rows-sqlite",
        what: "rows of a list of 50,000 people that are applied in a second, SQLite",
        unit: "rows/s",
        target: Target::None,
        program: &PEOPLE,
        value: "/lists/sqlite/50000/rows_per_s",
        peer: None,
    },
    Measurement {
        name: "list-1000-postgres",
        what: "a list of 1,000 people is applied, PostgreSQL; peer: bare INSERTs of the same rows",
        unit: "ms",
        target: Target::None,
        program: &PEOPLE,
        value: "/lists/postgres/1000/applied_ms",
        peer: Some("/lists/postgres/1000/bare_ms"),
    },
    Measurement {
        name: "list-10000-postgres",
        what: "a list of 10,000 people is applied, PostgreSQL; peer: bare INSERTs of the same rows",
        unit: "ms",
        target: Target::None,
        program: &PEOPLE,
        value: "/lists/postgres/10000/applied_ms",
        peer: Some("/lists/postgres/10000/bare_ms"),
    },
    Measurement {
        name: "list-50000-postgres",
        what: "a list of 50,000 people is applied, PostgreSQL; peer: bare INSERTs of the same rows",
        unit: "ms",
        target: Target::TimesPeer(2.0),
        program: &PEOPLE,
        value: "/lists/postgres/50000/applied_ms",
        peer: Some("/lists/postgres/50000/bare_ms"),
    },
    Measurement {
        name: "list-rows-postgres",
        what: "rows of a list of 50,000 people that are applied in a second, PostgreSQL",
        unit: "rows/s",
        target: Target::None,
        program: &PEOPLE,
        value: "/lists/postgres/50000/rows_per_s",
        peer: None,
    },
    Measurement {
        name: "decide",
        what: "a card's decision among 10,000, look-up and all, p50; peer: Cedar on the same rules (÷ 500)",
        unit: "ms",
        target: Target::TimesPeer(0.002),
        program: &DECIDE,
        value: "/ours_ms/p50",
        peer: Some("/cedar_ms/p50"),
    },
    Measurement {
        name: "decide-casbin",
        what: "the same; peer: casbin, which knows no hours",
        unit: "ms",
        target: Target::TimesPeer(0.002),
        program: &DECIDE,
        value: "/ours_ms/p50",
        peer: Some("/casbin_ms/p50"),
    },
    Measurement {
        name: "decide-large",
        what: "a card's decision among 250,000 at 64 doors, p99",
        unit: "ms",
        target: Target::AtMost(0.01),
        program: &DECIDE,
        value: "/large/decision_ms/p99",
        peer: None,
    },
    Measurement {
        name: "decide-disagree",
        what: "answers that differ from Cedar's or casbin's, of 6,000",
        unit: "",
        target: Target::AtMost(0.0),
        program: &DECIDE,
        value: "/disagreements",
        peer: None,
    },
    Measurement {
        name: "snapshot-build",
        what: "a snapshot of 250,000 cards: made",
        unit: "ms",
        target: Target::AtMost(1_000.0),
        program: &DECIDE,
        value: "/large/build_ms",
        peer: None,
    },
    Measurement {
        name: "snapshot-apply",
        what: "the same: checked and taken into force",
        unit: "ms",
        target: Target::AtMost(1_000.0),
        program: &DECIDE,
        value: "/large/apply_ms",
        peer: None,
    },
    Measurement {
        name: "snapshot-change",
        what: "what one changed card of 250,000 sends",
        unit: "bytes",
        target: Target::AtMost(250_000.0),
        program: &DECIDE,
        value: "/large/bytes_for_one_changed_card",
        peer: None,
    },
    Measurement {
        name: "snapshot-memory",
        what: "memory of one card with three rights",
        unit: "bytes",
        target: Target::AtMost(64.0),
        program: &DECIDE,
        value: "/large/memory_bytes_per_credential",
        peer: None,
    },
    Measurement {
        name: "card-to-output",
        what: "card at one of four OSDP readers on a line at 115,200 baud → output is told, p99",
        unit: "ms",
        target: Target::AtMost(100.0),
        program: &CARD_TO_OUTPUT,
        value: "/ms/p99",
        peer: None,
    },
    Measurement {
        name: "card-to-output-p50",
        what: "the same, median",
        unit: "ms",
        target: Target::None,
        program: &CARD_TO_OUTPUT,
        value: "/ms/p50",
        peer: None,
    },
    Measurement {
        name: "binary-size",
        what: "size of `klinke`, release build, web pages inside",
        unit: "MiB",
        target: Target::None,
        program: &BINARY,
        value: "/mib",
        peer: None,
    },
];

/// How often each program is run; people once: it asks each question 200 times, and to settle 100,000 takes long.
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
    let needed =
        [&tools::NODE, &tools::CHROMIUM, &tools::MOSQUITTO, &tools::JANUS, &tools::VENV, &tools::SOCAT];
    tools::provide(&needed, arguments.len() > names.len())?;
    klinke::build(workshop)?;

    let (mut rows, mut results, mut said) = (Vec::new(), Vec::new(), Map::new());
    for measurement in
        MEASUREMENTS.iter().filter(|m| names.is_empty() || names.iter().any(|name| named(m, name)))
    {
        let program = measurement.program;
        if !said.contains_key(program.name) {
            println!("{} …", program.name);
            let times = if program.name == PEOPLE.name { 1 } else { RUNS };
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

    #[test]
    fn a_figure_that_a_program_does_not_give_is_a_failure() {
        let [first, ..] = MEASUREMENTS else { panic!("nothing is measured") };
        let run = json!({ "load": 0.5, "figures": { "ms": { "p50": 1.0, "p99": 2.0 } } });
        assert_eq!(sample(first, &run), Ok(Sample { value: 2.0, peer: None }));
        assert!(sample(first, &json!({ "figures": { "ms": {} } })).is_err());
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
