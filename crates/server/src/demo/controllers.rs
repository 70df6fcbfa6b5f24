//! The demo's door controllers: the real `klinke-door` as child processes, with simulated outputs.
//!
//! Each is paired the way an installer does it: it shows a code, the code is claimed. They end with the demo:
//! each holds the reading end of a pipe and stops when it closes.

use super::town::{DemoController, Town};
use crate::app::add_controller::{self, NewController, NewControllerDoor};
use crate::node::Node;
use crate::secrets::{self, SecretFileError};
use klinke_model::scope::Scope;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;
use tokio::process::Command;

/// How long a pairing may take.
const PAIRING: Duration = Duration::from_secs(20);

/// Why a controller did not start.
#[derive(Debug, thiserror::Error)]
pub enum ControllerError {
    /// The program is not beside this one.
    #[error("{0} is missing: build the whole workspace (./run does it)")]
    Missing(PathBuf),
    /// It could not be started, or its files not be read.
    #[error("could not start a door controller: {0}")]
    Io(#[from] std::io::Error),
    /// Its folder.
    #[error(transparent)]
    Folder(#[from] SecretFileError),
    /// It showed no code in time.
    #[error("a door controller showed no pairing code within {} s", PAIRING.as_secs())]
    NoCode,
    /// The pairing failed.
    #[error("could not pair a door controller: {0}")]
    Pairing(String),
}

/// Where controllers reach the server, and how they know that it is the right one.
#[derive(Clone, Debug)]
pub struct Address {
    /// Host and port.
    pub server: String,
    /// SHA-256 of the authority's certificate, hexadecimal.
    pub authority_sha256: String,
}

/// Starts the controller of a building, pairing it first when it has no certificate yet.
///
/// # Errors
/// When it can not be started or paired.
pub async fn start(
    node: &Arc<Node>,
    address: &Address,
    folder: &Path,
    town: &Town,
    controller: &DemoController,
) -> Result<(), ControllerError> {
    let program = std::env::current_exe()?.with_file_name("klinke-door");
    if !program.exists() {
        return Err(ControllerError::Missing(program));
    }
    let controllers = folder.join("controllers");
    secrets::private_folder(&controllers)?;
    let state = controllers.join(controller.building.to_string());
    if !state.join("identity.pem").exists() {
        pair(node, &program, address, &state, town, controller).await?;
    }
    let mut command = Command::new(&program);
    command
        .args([
            "run",
            "--simulated",
            "--simulate-leaf",
            "--exit-with-parent",
            "--server",
            &address.server,
            "--state",
        ])
        .arg(&state);
    let mut child = quiet(&mut command).spawn()?;
    // `wait` would close the pipe that tells the controller that we live
    let pipe = child.stdin.take();
    let stopping = node.stop.clone();
    node.tasks.spawn(async move {
        tokio::select! {
            ended = child.wait() => tracing::error!(?ended, "a simulated door controller ended"),
            () = stopping.cancelled() => {
                drop(pipe);
                // it locks its doors and goes; one that hangs is killed when `child` falls
                let _ = tokio::time::timeout(Duration::from_secs(3), child.wait()).await;
            }
        }
    });
    Ok(())
}

fn quiet(command: &mut Command) -> &mut Command {
    command.stdin(Stdio::piped()).stdout(Stdio::null()).kill_on_drop(true)
}

async fn pair(
    node: &Arc<Node>,
    program: &Path,
    address: &Address,
    state: &Path,
    town: &Town,
    controller: &DemoController,
) -> Result<(), ControllerError> {
    let code_file = state.with_extension("code");
    let mut command = Command::new(program);
    command
        .args(["pair", "--server", &address.server, "--authority-sha256", &address.authority_sha256])
        .arg("--state")
        .arg(state)
        .arg("--code-file")
        .arg(&code_file);
    let mut child = quiet(&mut command).spawn()?;
    let code =
        tokio::time::timeout(PAIRING, code_of(&code_file)).await.map_err(|_| ControllerError::NoCode)??;
    let doors =
        controller.doors.iter().zip(0..).map(|(door, output)| NewControllerDoor { door: *door, output });
    let new = NewController { code, name: controller.name.clone(), doors: doors.collect() };
    let scope = Scope::system(town.tenant);
    let added = add_controller::add(node, &scope, town.administrator, controller.building, new).await;
    added.map_err(|problem| ControllerError::Pairing(format!("{problem:?}")))?;
    let status = tokio::time::timeout(PAIRING, child.wait()).await.map_err(|_| ControllerError::NoCode)??;
    match status.success() {
        true => Ok(()),
        false => Err(ControllerError::Pairing(format!("klinke-door pair ended with {status}"))),
    }
}

/// The code, once the file is there: it is written whole and renamed into place.
async fn code_of(file: &Path) -> std::io::Result<String> {
    let mut look = tokio::time::interval(Duration::from_millis(20));
    loop {
        look.tick().await;
        match tokio::fs::read_to_string(file).await {
            Ok(code) => return Ok(code.trim().to_owned()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
}
