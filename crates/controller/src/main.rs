//! `klinke-door`: pairs a door controller with its server, and runs it.

use clap::{ArgGroup, Args, Parser, Subcommand};
use klinke_controller::address::ServerAddress;
use klinke_controller::doors::{self, Doors};
use klinke_controller::file::{Durable, replace};
use klinke_controller::hardware;
use klinke_controller::input::{self, InputEvent, Positions, Tell};
use klinke_controller::link::Link;
use klinke_controller::output::board::{Buses, WiredBoard};
use klinke_controller::output::simulated::SimulatedBoard;
use klinke_controller::output::{Board, OutputEvent};
use klinke_controller::pairing::{PairingCode, pair};
use klinke_controller::rights::Intake;
use klinke_controller::rights::folder::RightsFolder;
use klinke_controller::rights::trust::Trust;
use klinke_controller::state::StateDir;
use klinke_controller::tls::{Fingerprint, link_config};
use klinke_model::ids::{BootId, v4};
use klinke_model::time::{Clock, SystemClock};
use std::error::Error;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::info;
use tracing_subscriber::EnvFilter;

/// How many requests, and how many words of inputs and outputs, may wait for the doors.
const WAITING: usize = 64;

/// Klinke's door controller.
#[derive(Parser)]
#[command(name = "klinke-door", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make a key and wait for an administrator to claim this controller
    Pair {
        #[command(flatten)]
        common: Common,
        /// SHA-256 fingerprint of the installation's authority, as the server prints it
        #[arg(long, value_name = "HEX")]
        authority_sha256: Fingerprint,
        /// Also write the code to this file while it can be claimed
        #[arg(long, value_name = "FILE")]
        code_file: Option<PathBuf>,
    },
    /// Drive the doors
    #[command(group = ArgGroup::new("locks").required(true).args(["hardware", "simulated"]))]
    Run {
        #[command(flatten)]
        common: Common,
        /// Drive what this file says is wired to this machine
        #[arg(long, value_name = "FILE")]
        hardware: Option<PathBuf>,
        /// Drive simulated locks, one file each under STATE/outputs
        #[arg(long)]
        simulated: bool,
        /// Let a simulated visitor pull each door after it is released
        #[arg(long, requires = "simulated")]
        simulate_leaf: bool,
        /// Stop when standard input closes
        #[arg(long)]
        exit_with_parent: bool,
    },
}

#[derive(Args)]
struct Common {
    /// Where the server listens for controllers
    #[arg(long, value_name = "HOST:PORT")]
    server: ServerAddress,
    /// Folder for this controller's identity
    #[arg(long, value_name = "DIR")]
    state: PathBuf,
    /// How many outputs this controller has; a hardware file says it itself
    #[arg(long, default_value_t = 8, value_name = "N")]
    outputs: u16,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_writer(io::stderr).with_env_filter(filter).init();
    let done = match Cli::parse().command {
        Command::Pair { common, authority_sha256, code_file } => {
            run_pair(common, authority_sha256, code_file).await
        }
        Command::Run { common, hardware, simulated: _, simulate_leaf, exit_with_parent } => {
            run(common, hardware.as_deref(), simulate_leaf, exit_with_parent).await
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("klinke-door: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run_pair(
    common: Common,
    authority: Fingerprint,
    code_file: Option<PathBuf>,
) -> Result<(), Box<dyn Error>> {
    let state = StateDir::open(&common.state)?;
    let show = |code: &PairingCode| {
        // the file first: who waits for the line finds it there
        if let Some(path) = &code_file {
            replace(path, format!("{}\n", code.code).as_bytes(), Durable::No)?;
        }
        println!("Give this code to an administrator: {}", code.code);
        println!("It can be claimed for {} minutes.", code.life.as_secs().div_ceil(60));
        Ok(())
    };
    let paired = pair(&common.server, authority, &state, common.outputs, show).await;
    if let Some(path) = &code_file
        && path.exists()
    {
        std::fs::remove_file(path)?;
    }
    paired?;
    println!("Paired.");
    Ok(())
}

async fn run(
    common: Common,
    hardware: Option<&Path>,
    simulate_leaf: bool,
    exit_with_parent: bool,
) -> Result<(), Box<dyn Error>> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
    let mut random = [0; 16];
    getrandom::fill(&mut random)?;
    let boot = BootId(v4(random));

    // lock before anything that can fail or take time
    let state = StateDir::open(&common.state)?;
    let (inputs_sender, inputs) = mpsc::channel(WAITING);
    let (outputs_sender, outputs) = mpsc::channel(WAITING);
    let board = match hardware {
        Some(file) => wired(file, inputs_sender, &outputs_sender, &clock)?,
        None => {
            let leaf = simulate_leaf.then_some(inputs_sender);
            Box::new(SimulatedBoard::open(&state.outputs(), common.outputs, Arc::clone(&clock), leaf)?)
        }
    };
    let count = board.outputs();
    let doors = Doors::start(boot, board)?;

    let identity = state.load()?;
    let tls = Arc::new(link_config(&identity)?);
    let trust =
        Trust::of(&identity).ok_or("this controller's certificate is not one of a server's; pair it anew")?;
    let stop = stop_token(exit_with_parent)?;
    let (requests, receiver) = mpsc::channel(WAITING);
    // in force before the first dial
    let rights = Intake::open(RightsFolder::open(&state)?, trust, requests.clone()).await;
    let link = Link {
        server: common.server,
        tls,
        boot,
        outputs: count,
        clock: Arc::clone(&clock),
        doors: requests,
        rights,
    };
    let link = tokio::spawn(link.keep());
    info!(outputs = count, "started; every output is told to lock");
    // in a task of its own, so that a panic in it is an error here and a restart outside
    tokio::spawn(doors::run(doors, clock, receiver, inputs, outputs, stop)).await?;
    link.abort();
    info!("stopped; every output was told to lock");
    Ok(())
}

/// The outputs and inputs of a hardware file.
fn wired(
    file: &Path,
    inputs: mpsc::Sender<InputEvent>,
    outputs: &mpsc::Sender<OutputEvent>,
    clock: &Arc<dyn Clock>,
) -> Result<Box<dyn Board>, Box<dyn Error>> {
    let hardware = hardware::read(file)?;
    let (mut buses, positions) = (Buses::default(), Positions::default());
    let board = WiredBoard::start(&hardware, &mut buses, positions.clone(), outputs)?;
    input::start(&hardware, &mut buses, &Tell::new(inputs, positions), clock)?;
    Ok(Box::new(board))
}

/// Cancelled by SIGTERM and SIGINT, and with the parent when that is asked for.
fn stop_token(exit_with_parent: bool) -> io::Result<CancellationToken> {
    let stop = CancellationToken::new();
    for kind in [SignalKind::terminate(), SignalKind::interrupt()] {
        let mut signals = signal(kind)?;
        let stop = stop.clone();
        tokio::spawn(async move {
            signals.recv().await;
            stop.cancel();
        });
    }
    if exit_with_parent {
        let stop = stop.clone();
        // a thread, because a blocking read of standard input cannot be cancelled
        std::thread::spawn(move || {
            let mut nobody_reads_this = [0; 64];
            while matches!(io::stdin().read(&mut nobody_reads_this), Ok(1..)) {}
            stop.cancel();
        });
    }
    Ok(stop)
}
