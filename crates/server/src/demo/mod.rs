//! `klinke demo`: the whole service on one machine, with a town in it, by one command.
//!
//! The same node as `klinke serve`, a SQLite database in the demo's folder, door controllers that are the real
//! `klinke-door` with simulated outputs. Sign-ins are random for each town and printed; there is no default
//! password here either.

mod controllers;
mod town;

use crate::config::{Config, Mail};
use crate::node::{self, Node, Running, StartError};
use crate::pairing::TicketUse;
use crate::random::Random;
use crate::secrets::{self, SecretFileError};
use controllers::{Address, ControllerError};
use klinke_model::time::SystemClock;
use klinke_storage::StorageError;
use serde::Serialize;
use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use town::{SignIn, Town, TownError};

/// How to run the demo.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Folder for the demo's database and keys.
    #[arg(long, default_value = "var/demo")]
    dir: PathBuf,
    /// Port of the pages; 0 takes any free one.
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Serve the local network over HTTPS, so that a real phone or tablet can be the app or the panel.
    #[arg(long)]
    lan: bool,
    /// Start over with a new town.
    #[arg(long)]
    fresh: bool,
    /// How long a call rings, in seconds.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=300))]
    ring_seconds: Option<u16>,
    /// Print one line of JSON instead of the greeting, for tests.
    #[arg(long)]
    print_json: bool,
}

/// Why there is no demo.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The server did not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The town could not be built.
    #[error("could not build the town: {0}; start over with --fresh")]
    Town(#[from] TownError),
    /// The database failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// A controller did not start.
    #[error(transparent)]
    Controller(#[from] ControllerError),
    /// The demo's files.
    #[error(transparent)]
    File(#[from] SecretFileError),
    /// The demo's folder.
    #[error("could not clear {0}: {1}")]
    Clear(PathBuf, std::io::Error),
    /// The folder holds an installation that is no demo, or half a town.
    #[error("{0} holds something that is no whole demo; start over with --fresh, or name another --dir")]
    NoDemo(PathBuf),
}

/// What a demo says of itself when it is ready.
#[derive(Serialize)]
struct Ready<'a> {
    app_url: String,
    admin_url: String,
    panel_urls: Vec<PanelUrl>,
    mail_folder: PathBuf,
    administrator: &'a SignIn,
    sign_ins: &'a [SignIn],
}

#[derive(Serialize)]
struct PanelUrl {
    name: String,
    url: String,
}

/// Starts the demo and says where it is. The caller runs it to its end.
///
/// # Errors
/// Says what is missing.
pub async fn start(options: &Options) -> Result<Running, DemoError> {
    let town_file = options.dir.join("town.json");
    if options.fresh {
        clear(&options.dir, &town_file)?;
    }
    secrets::private_folder(&options.dir)?;
    let random = Random::system();
    let running = node::start(config(options), Arc::new(SystemClock::start()), random).await?;
    let node = &running.node;
    let town = match secrets::read(&town_file)? {
        Some(town) => serde_json::from_str(&town).map_err(|_| DemoError::NoDemo(options.dir.clone()))?,
        None if node.setup.is_claimed(&node.store).await? => {
            return Err(DemoError::NoDemo(options.dir.clone()));
        }
        None => {
            let town = town::build(node).await?;
            let text = serde_json::to_string_pretty(&town)
                .map_err(|error| DemoError::Clear(town_file.clone(), std::io::Error::other(error)))?;
            secrets::write(&town_file, &text)?;
            town
        }
    };
    start_controllers(&running, &options.dir, &town).await?;
    greet(node, options, &town);
    Ok(running)
}

fn config(options: &Options) -> Config {
    let mut config = Config::default();
    let host = if options.lan { Ipv4Addr::UNSPECIFIED } else { Ipv4Addr::LOCALHOST };
    config.http.listen = SocketAddr::from((host, options.port));
    config.http.lan = options.lan;
    config.data.folder.clone_from(&options.dir);
    config.mail = Some(Mail::to_folder(mail_folder(options)));
    config.controllers.listen = SocketAddr::from((host, 0));
    config.media.listen = SocketAddr::from((host, 0));
    // the demo's one administrator may be a test that fills the town
    config.limits.per_second = 0;
    if let Some(ring_s) = options.ring_seconds {
        config.calls.ring_s = ring_s;
    }
    config
}

/// Where the demo's mails are written.
fn mail_folder(options: &Options) -> PathBuf {
    options.dir.join("mail")
}

/// Empties a demo's folder, and no other: it must hold a town, or nothing.
fn clear(folder: &Path, town_file: &Path) -> Result<(), DemoError> {
    if !folder.exists() {
        return Ok(());
    }
    if !town_file.exists() && !folder.join("klinke.db").exists() {
        return Ok(());
    }
    std::fs::remove_dir_all(folder).map_err(|error| DemoError::Clear(folder.to_owned(), error))
}

async fn start_controllers(running: &Running, folder: &Path, town: &Town) -> Result<(), DemoError> {
    let node = &running.node;
    let address = Address {
        server: SocketAddr::from((Ipv4Addr::LOCALHOST, running.controllers.port())).to_string(),
        authority_sha256: node.authority.fingerprint().replace(':', ""),
    };
    for controller in &town.controllers {
        controllers::start(node, &address, folder, town, controller).await?;
    }
    Ok(())
}

fn greet(node: &Node, options: &Options, town: &Town) {
    let at = &node.public_url;
    let panel_urls = town.panels.iter().map(|panel| {
        let ticket = node.pairings.issue_ticket(town.tenant, panel.panel, TicketUse::UntilRestart);
        PanelUrl { name: panel.name.clone(), url: format!("{at}/panel#ticket={}", ticket.text()) }
    });
    let Some((administrator, sign_ins)) = town.sign_ins.split_first() else { return };
    let ready = Ready {
        app_url: format!("{at}/app"),
        admin_url: format!("{at}/admin"),
        panel_urls: panel_urls.collect(),
        mail_folder: mail_folder(options),
        administrator,
        sign_ins,
    };
    if options.print_json {
        println!("{}", serde_json::to_string(&ready).unwrap_or_default());
    } else {
        print!("{}", greeting(node, options, &ready));
    }
}

fn greeting(node: &Node, options: &Options, ready: &Ready<'_>) -> String {
    let mut text =
        String::from("\nKlinke is ready.\n\n  Panels: open one, and allow camera and microphone\n");
    // writing to a string can not fail
    for panel in &ready.panel_urls {
        let _ = writeln!(text, "    {:<12} {}", panel.name, panel.url);
    }
    let _ = writeln!(text, "\n  Resident's app   {}", ready.app_url);
    let _ = writeln!(text, "  Administration   {}\n", ready.admin_url);
    text.push_str("  Sign-ins, made for this demo only\n");
    for sign_in in std::iter::once(ready.administrator).chain(ready.sign_ins) {
        let SignIn { user_name, password, name, unit } = sign_in;
        let _ = writeln!(text, "    {user_name:<8} {password:<20} {name}, {unit}");
    }
    if options.lan {
        let at = &node.public_url;
        let _ = writeln!(text, "\n  On a phone or tablet, trust this demo first: {at}/trust");
        let _ = writeln!(text, "  Fingerprint (SHA-256): {}", node.authority.fingerprint());
    }
    let _ = writeln!(text, "\n  Mails are not sent but written to {}", ready.mail_folder.display());
    let folder = options.dir.display();
    let _ = writeln!(text, "\n  Everything is kept in {folder}; --fresh starts over, Ctrl-C stops.\n");
    text
}
