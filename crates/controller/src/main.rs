//! `klinke-door`: pairs a door controller with its server, and runs it.

use clap::{ArgGroup, Args, Parser, Subcommand};
use klinke_controller::address::ServerAddress;
use klinke_controller::commissioning::{Talk, check, page};
use klinke_controller::doors::entry::{Entry, ReaderAt};
use klinke_controller::doors::{self, Doors, Request};
use klinke_controller::file::{Durable, replace};
use klinke_controller::hardware::{self, Drive, Hardware};
use klinke_controller::input::{self, InputEvent, Positions, Tell};
use klinke_controller::kept::Kept;
use klinke_controller::keying::key_reader;
use klinke_controller::link::Link;
use klinke_controller::output::board::{Buses, WiredBoard};
use klinke_controller::output::handed::take_key;
use klinke_controller::output::simulated::SimulatedBoard;
use klinke_controller::output::{ANSWER_LIMIT, Board, OutputEvent};
use klinke_controller::pairing::{PairingCode, pair};
use klinke_controller::reader;
use klinke_controller::reader::keys::ReaderFolder;
use klinke_controller::reader::osdp::LONGEST_KEYING;
use klinke_controller::reader::wired::Lamps;
use klinke_controller::rights::Intake;
use klinke_controller::rights::folder::RightsFolder;
use klinke_controller::rights::trust::Trust;
use klinke_controller::state::{Alone, StateDir, StateError};
use klinke_controller::status::{self, Held};
use klinke_controller::tls::{Fingerprint, link_config};
use klinke_model::ids::{BootId, v4};
use klinke_model::time::{Clock, SystemClock};
use std::error::Error;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tracing::info;
use tracing_subscriber::EnvFilter;

const NOT_OURS: &str = "this controller's certificate is not one of a server's; pair it anew";

/// How many requests, and how many words of inputs and outputs, may wait for the doors.
const WAITING: usize = 64;

/// How often is looked whether another process has ended.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

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
    /// Set a key of its own in one OSDP reader; the controller has to be stopped
    KeyReader {
        /// Folder for this controller's identity
        #[arg(long, value_name = "DIR")]
        state: PathBuf,
        /// The file that says what is wired to this machine
        #[arg(long, value_name = "FILE")]
        hardware: PathBuf,
        /// Which of its readers
        #[arg(long, value_name = "N")]
        reader: u16,
    },
    /// Let another system's panel set the key of a reader that this controller is there; the controller has to be stopped
    KeyPanel {
        /// Folder for this controller's identity
        #[arg(long, value_name = "DIR")]
        state: PathBuf,
        /// The file that says what is wired to this machine
        #[arg(long, value_name = "FILE")]
        hardware: PathBuf,
        /// The output that the panel is behind
        #[arg(long, value_name = "N")]
        output: u16,
    },
    /// Say which rights this controller decides by, and how old they are
    Status {
        /// Folder for this controller's identity
        #[arg(long, value_name = "DIR")]
        state: PathBuf,
    },
    /// Go through all that is wired, with somebody at the door, and write the commissioning report; the controller has to
    /// be stopped
    Check {
        /// Folder for this controller's identity
        #[arg(long, value_name = "DIR")]
        state: PathBuf,
        /// The file that says what is wired to this machine
        #[arg(long, value_name = "FILE")]
        hardware: PathBuf,
        /// Where the report goes: a page to print
        #[arg(long, value_name = "FILE")]
        report: PathBuf,
        /// What stands above it, such as "Storgata 12, basement"
        #[arg(long, value_name = "TEXT", default_value = "")]
        place: String,
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
        Command::KeyReader { state, hardware, reader } => run_key_reader(&state, &hardware, reader).await,
        Command::KeyPanel { state, hardware, output } => run_key_panel(&state, &hardware, output).await,
        Command::Status { state } => run_status(&state),
        Command::Check { state, hardware, report, place } => {
            run_check(&state, &hardware, &report, place).await
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

async fn run_key_reader(state: &Path, hardware: &Path, number: u16) -> Result<(), Box<dyn Error>> {
    let state = StateDir::open(state)?;
    let _alone = state.alone()?;
    let hardware = hardware::read(hardware)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
    let minutes = LONGEST_KEYING.as_secs() / 60;
    let opened =
        || println!("Reader {number} can be keyed for {minutes} minutes: put it into its install mode.");
    let identity = key_reader(&hardware, number, &ReaderFolder::new(state.readers()), &clock, opened).await?;
    let [first, second, third] = identity.vendor;
    println!("Keyed: vendor {first:02X}{second:02X}{third:02X}, serial number {}.", identity.serial);
    println!("Compare with its label: the controller trusts this one from now on.");
    Ok(())
}

async fn run_key_panel(state: &Path, hardware: &Path, number: u16) -> Result<(), Box<dyn Error>> {
    let _alone = StateDir::open(state)?.alone()?;
    let hardware = hardware::read(hardware)?;
    let output = hardware.outputs.get(usize::from(number)).map(|output| &output.get_ref().on);
    let Some(Drive::OsdpReader(panel)) = output else {
        return Err(
            format!("output {number} is not `osdp_reader`: only another system's panel sets a key").into()
        );
    };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
    let minutes = LONGEST_KEYING.as_secs() / 60;
    println!("The panel can set a key for {minutes} minutes: add the reader there now.");
    take_key(panel, number, LONGEST_KEYING, &clock).await?;
    println!("The panel has set a key and proved it; it is in {}.", panel.key_file.display());
    Ok(())
}

fn run_status(state: &Path) -> Result<(), Box<dyn Error>> {
    let state = StateDir::open(state)?;
    let trust = Trust::of(&state.load()?).ok_or(NOT_OURS)?;
    let rights = RightsFolder::open(&state)?.read(&trust)?;
    let held = rights.as_ref().map(|(rights, _)| Held::from(rights));
    for line in status::lines(held, Kept::open(&state.kept())?.moment(), SystemClock::start().now()) {
        println!("{line}");
    }
    Ok(())
}

async fn run_check(state: &Path, file: &Path, report: &Path, place: String) -> Result<(), Box<dyn Error>> {
    let state = StateDir::open(state)?;
    let _alone = state.alone()?;
    let hardware = hardware::read(file)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
    let (inputs_sender, inputs) = mpsc::channel(WAITING);
    let (outputs_sender, outputs) = mpsc::channel(WAITING);
    let mut board = wired(&hardware, inputs_sender.clone(), &outputs_sender, &clock)?;
    let _lamps =
        reader::wired::start(&hardware, &ReaderFolder::new(state.readers()), &inputs_sender, &clock)?;
    let (typed, lines) = mpsc::channel(1);
    // a thread, because a blocking read of standard input cannot be cancelled
    std::thread::spawn(move || {
        for line in io::stdin().lines().map_while(Result::ok) {
            if typed.blocking_send(line).is_err() {
                return;
            }
        }
    });
    let mut say = |line: &str| println!("{line}");
    let checked = check(&hardware, &mut *board, Talk { say: &mut say, lines, inputs, outputs }).await?;
    let facts = [
        ("Place", place),
        ("When", status::day_and_time(clock.now())),
        ("Controller", format!("klinke-door {}", env!("CARGO_PKG_VERSION"))),
        ("Hardware file", file.display().to_string()),
    ];
    replace(report, page(&facts, &checked).as_bytes(), Durable::Yes)?;
    let (passed, failed, skipped) = checked.count();
    println!("{passed} passed, {failed} failed, {skipped} skipped; the report is {}.", report.display());
    if checked.is_whole() { Ok(()) } else { Err("not everything is as it should be, or was checked".into()) }
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
    let _alone = alone(&state).await?;
    let (inputs_sender, inputs) = mpsc::channel(WAITING);
    let (outputs_sender, outputs) = mpsc::channel(WAITING);
    let hardware = hardware.map(hardware::read).transpose()?;
    let board = match &hardware {
        Some(hardware) => wired(hardware, inputs_sender.clone(), &outputs_sender, &clock)?,
        None => {
            let leaf = simulate_leaf.then(|| inputs_sender.clone());
            Box::new(SimulatedBoard::open(&state.outputs(), common.outputs, Arc::clone(&clock), leaf)?)
        }
    };
    let count = board.outputs();
    let doors = Doors::start(boot, board)?;

    let readers = hardware.iter().flat_map(|hardware| &hardware.readers).map(|reader| reader.get_ref());
    let readers: Vec<_> = readers
        .map(|reader| ReaderAt { reader: reader.number, output: reader.output, has_keypad: reader.keypad })
        .collect();
    let entry = Entry::new(Kept::open(&state.kept())?, &readers, clock.now(), clock.mono());
    let lamps = match &hardware {
        Some(hardware) => {
            reader::wired::start(hardware, &ReaderFolder::new(state.readers()), &inputs_sender, &clock)?
        }
        None => Lamps::default(),
    };
    let doors = doors.with_entry(entry, lamps);

    let identity = state.load()?;
    let tls = Arc::new(link_config(&identity)?);
    let trust = Trust::of(&identity).ok_or(NOT_OURS)?;
    let stop = stop_token(exit_with_parent)?;
    let (requests, receiver) = mpsc::channel(WAITING);
    // in force before the first dial
    let wanted = state.wanted();
    if let Some(doors) = wanted.read() {
        requests.send(Request::Configure(doors)).await?;
    }
    let rights = Intake::open(RightsFolder::open(&state)?, trust, requests.clone()).await;
    let link = Link {
        server: common.server,
        tls,
        boot,
        outputs: count,
        wired: hardware.as_ref().map(hardware::wired).unwrap_or_default(),
        clock: Arc::clone(&clock),
        doors: requests,
        rights,
        wanted,
    };
    let link = tokio::spawn(link.keep());
    info!(outputs = count, "started; every output is told to lock");
    // in a task of its own, so that a panic in it is an error here and a restart outside
    tokio::spawn(doors::run(doors, clock, receiver, inputs, outputs, stop)).await?;
    link.abort();
    info!("stopped; every output was told to lock");
    Ok(())
}

/// Makes sure that no other process runs with this folder; one that is on its end is given the time that it takes.
async fn alone(state: &StateDir) -> Result<Alone, StateError> {
    let start = Instant::now();
    loop {
        match state.alone() {
            Err(StateError::Running(_)) if start.elapsed() < 2 * ANSWER_LIMIT => sleep(LOOK_AGAIN).await,
            found => return found,
        }
    }
}

/// The outputs and inputs of a hardware file.
fn wired(
    hardware: &Hardware,
    inputs: mpsc::Sender<InputEvent>,
    outputs: &mpsc::Sender<OutputEvent>,
    clock: &Arc<dyn Clock>,
) -> Result<Box<dyn Board>, Box<dyn Error>> {
    let (mut buses, positions) = (Buses::default(), Positions::default());
    let board = WiredBoard::start(hardware, &mut buses, positions.clone(), outputs, clock)?;
    input::start(hardware, &mut buses, &Tell::new(inputs, positions), clock)?;
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
