//! `klinke`: the server's command line.

use clap::{Parser, Subcommand};
use klinke_model::time::{Clock, SystemClock};
use klinke_server::authority::Authority;
use klinke_server::config::{Config, Log};
use klinke_server::node::Running;
use klinke_server::random::Random;
use klinke_server::{demo, http, node, open_files, telemetry};
use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use tokio::signal::unix::{SignalKind, signal};

/// Open door phone and access control.
#[derive(Parser)]
#[command(version, arg_required_else_help = true)]
struct Arguments {
    /// Configuration file; without it, klinke.toml of this folder when there is one.
    #[arg(long, global = true)]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the pages and the API.
    Serve {
        /// Serve the local network over HTTPS with a certificate of our own making.
        #[arg(long)]
        lan: bool,
    },
    /// Serve a seeded town, to look around.
    Demo(demo::Options),
    /// Check the configuration and say what to write where it is wrong.
    CheckConfig {
        /// Print the JSON schema of the configuration instead.
        #[arg(long)]
        schema: bool,
    },
    /// Print the OpenAPI document.
    Openapi,
    /// Print the SHA-256 fingerprint of this installation's certificate authority.
    Fingerprint,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("klinke: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), Box<dyn Error>> {
    let load = || Config::load(arguments.config.as_deref());
    match arguments.command {
        Command::Serve { lan } => serve(load()?, lan).await,
        Command::Demo(options) => serve_demo(&options).await,
        Command::CheckConfig { schema: true } => {
            print!("{}", Config::schema());
            Ok(())
        }
        Command::CheckConfig { schema: false } => {
            load()?;
            println!("The configuration is fine.");
            Ok(())
        }
        Command::Openapi => {
            print!("{}", http::document::text());
            Ok(())
        }
        Command::Fingerprint => {
            let authority = Authority::open(&load()?.data.folder, SystemClock::start().now())?;
            println!("{}", authority.fingerprint());
            Ok(())
        }
    }
}

async fn serve(mut config: Config, lan: bool) -> Result<(), Box<dyn Error>> {
    telemetry::start(&config.log);
    open_files::raise();
    if lan {
        config.http.lan = true;
        if config.http.listen.ip().is_loopback() {
            config.http.listen = SocketAddr::from((Ipv4Addr::UNSPECIFIED, config.http.listen.port()));
        }
    }
    let running = node::start(config, Arc::new(SystemClock::start()), Random::system()).await?;
    println!("{}", running.greeting().await?);
    until_stopped(running).await
}

async fn serve_demo(options: &demo::Options) -> Result<(), Box<dyn Error>> {
    telemetry::start(&Log { filter: "warn".to_owned(), ..Log::default() });
    open_files::raise();
    until_stopped(demo::start(options).await?).await
}

async fn until_stopped(mut running: Running) -> Result<(), Box<dyn Error>> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        error = running.failed() => return Err(error.into()),
    }
    tracing::info!("stopping");
    running.stop().await;
    Ok(())
}
