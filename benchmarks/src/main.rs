//! `klinke-bench`: the programs behind `./bench` that speak Klinke's own protocols.
//!
//! `klinke-bench NAME [--klinke PROGRAM]` carries out one run of one measurement against real processes and prints
//! its figures as one line of JSON. `xtask` builds it, repeats the runs, holds the figures against their targets.
//!
//! - [`latency`]: tap → ring and tap → relay, against `klinke demo` with its real door controllers;
//! - [`change`]: a change through the API → the lock, against the same;
//! - [`service`]: start-up, memory at rest and with 10,000 idle apps, against `klinke serve`;
//! - [`people`]: lists of people beside hand-written SQL, on SQLite and PostgreSQL;
//! - [`forward`]: what a relayed call costs, ours beside Janus with the same senders;
//! - [`phone`]: what a phone leg costs, how soon it calls, how late it sounds, what a thousand leave.

mod change;
mod client;
mod figures;
mod forward;
mod latency;
mod locks;
mod people;
mod phone;
mod process;
mod service;

use serde_json::Value;
use std::path::PathBuf;
use std::process::ExitCode;

/// Whatever goes wrong ends the run.
type Failure = Box<dyn std::error::Error + Send + Sync>;
type Result<T> = std::result::Result<T, Failure>;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments).await {
        Ok(Value::Null) => ExitCode::SUCCESS,
        Ok(figures) => {
            println!("{figures}");
            ExitCode::SUCCESS
        }
        Err(failure) => {
            eprintln!("klinke-bench: {failure}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &[String]) -> Result<Value> {
    let option = |name: &str| arguments.iter().skip_while(|word| *word != name).nth(1);
    let klinke = || option("--klinke").map(PathBuf::from).ok_or("say where the program is: --klinke PROGRAM");
    match arguments.first().map(String::as_str) {
        Some("tap-to-ring") => latency::tap_to_ring(&klinke()?).await,
        Some("open-to-relay") => latency::open_to_relay(&klinke()?).await,
        Some("change-to-door") => {
            let only = option("--changes").map(|number| number.parse::<usize>()).transpose()?;
            change::to_door(&klinke()?, only).await
        }
        Some("service") => service::measure(&klinke()?).await,
        Some("people") => {
            let only = option("--people").map(|number| number.parse::<u64>()).transpose()?;
            people::measure(option("--postgres").map(String::as_str), only).await
        }
        // a part of it, alone
        Some("lists") => people::of_lists(option("--postgres").map(String::as_str)).await,
        Some("forward") => forward::measure().await,
        // the process that `forward` measures: our media and nothing else
        Some("media") => forward::klinke::serve().await,
        Some("phone-bridge") => {
            let only = option("--calls").map(|number| number.parse::<usize>()).transpose()?;
            let seconds = option("--seconds").map(|number| number.parse::<u64>()).transpose()?;
            phone::bridge::measure(only, seconds).await
        }
        Some("phone-invite") => phone::invite::measure().await,
        Some("phone-delay") => phone::delay::measure().await,
        Some("phone-flat") => phone::flat::measure().await,
        // the processes around them: what is measured, what sends and hears, what is called
        Some("phone-lines") => phone::bridge::serve().await,
        Some("phone-load") => phone::load::serve(),
        Some("phone-trunk") => phone::trunk::serve(),
        _ => {
            Err("name a measurement: tap-to-ring, open-to-relay, change-to-door, service, people, forward, \
                  phone-bridge, phone-invite, phone-delay, phone-flat"
                .into())
        }
    }
}
