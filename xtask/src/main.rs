//! The developer commands behind `./run`, `./test` and `./bench`.
//!
//! - [`run`]: build everything, start the demo;
//! - [`test`]: everything that CI runs, as a list of parts;
//! - [`deps`]: the rules for what may depend on what;
//! - [`generate`]: files that are made from others and checked in;
//! - [`bench`]: measurements, each beside its peer.

mod bench;
mod counts;
mod deny;
mod deps;
mod generate;
mod parts;
mod postgres;
mod process;
mod run;
mod scratch;
mod table;
mod test;
mod tools;
mod web;

use process::{Failure, Workshop};
use std::process::ExitCode;

const HELP: &str = "\
cargo xtask run [--fresh] [--release] [--lan] [-y]   build everything and start the demo (./run)
cargo xtask test [quick | PART…] [-y]                everything that CI runs (./test)
cargo xtask check-deps                               what may depend on what, licences, reasons
cargo xtask generate                                 write the generated files anew
cargo xtask bench [NAME…]                            measure (./bench)";

fn main() -> ExitCode {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.is_empty() || arguments.iter().any(|a| a == "--help" || a == "-h") {
        println!("{HELP}");
        return ExitCode::SUCCESS;
    }
    let command = arguments.remove(0);
    match carry_out(&command, &arguments) {
        Ok(code) => code,
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}

fn carry_out(command: &str, arguments: &[String]) -> Result<ExitCode, Failure> {
    let workshop = Workshop::here()?;
    match command {
        "run" => run::run(&workshop, arguments),
        "test" => test::test(&workshop, arguments),
        "check-deps" => deps::print_check(&workshop),
        "generate" => generate::write_all(&workshop),
        "bench" => bench::bench(&workshop, arguments),
        _ => Err(Failure::new(format!("there is no command `{command}`\n\n{HELP}"))),
    }
}
