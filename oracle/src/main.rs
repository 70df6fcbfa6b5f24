//! `klinke-oracle`: our decision beside Cedar's and casbin's, as one line of JSON for `./bench`. Whether it is the right
//! one is asked in `tests/`.

mod decide;
#[path = "../../benchmarks/src/figures.rs"]
mod figures;

use std::process::ExitCode;

/// Whatever goes wrong ends the run.
type Failure = Box<dyn std::error::Error + Send + Sync>;
type Result<T> = std::result::Result<T, Failure>;

#[tokio::main]
async fn main() -> ExitCode {
    match decide::measure().await {
        Ok(figures) => {
            println!("{figures}");
            ExitCode::SUCCESS
        }
        Err(failure) => {
            eprintln!("klinke-oracle: {failure}");
            ExitCode::FAILURE
        }
    }
}
