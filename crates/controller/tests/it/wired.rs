//! A controller's wires as a hardware file says, without the doors: told and listened to by the test.

use crate::server::within;
use klinke_controller::hardware;
use klinke_controller::input::{self, InputEvent, Positions, Tell};
use klinke_controller::output::board::{Buses, WiredBoard};
use klinke_controller::output::{Answer, Board, OutputError, OutputEvent};
use klinke_model::time::{Clock, SystemClock};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;
use tempfile::TempDir;
use tokio::sync::mpsc;

pub struct Wired {
    pub board: WiredBoard,
    pub inputs: mpsc::Receiver<InputEvent>,
    events: mpsc::Receiver<OutputEvent>,
}

impl Wired {
    /// What `text` says, from now on.
    pub fn start(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("hardware.toml");
        std::fs::write(&file, text).unwrap();
        let hardware = hardware::read(&file).unwrap_or_else(|error| panic!("{error}\n{text}"));
        let (inputs_sender, inputs) = mpsc::channel(64);
        let (events_sender, events) = mpsc::channel(64);
        let (mut buses, positions) = (Buses::default(), Positions::default());
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
        let board =
            WiredBoard::start(&hardware, &mut buses, positions.clone(), &events_sender, &clock).unwrap();
        input::start(&hardware, &mut buses, &Tell::new(inputs_sender, positions), &clock).unwrap();
        Self { board, inputs, events }
    }

    /// Gives a command and waits for what becomes of it.
    pub async fn does(&mut self, tell: impl FnOnce(&mut WiredBoard) -> Result<Answer, OutputError>) -> bool {
        let Answer::Later(ticket) = tell(&mut self.board).unwrap() else { panic!("it is not at hand") };
        loop {
            let event = within(self.events.recv()).await.unwrap();
            if event.ticket == ticket {
                return event.is_done;
            }
        }
    }

    /// Locks, again and again until the output can be reached: the other end may just be starting.
    pub async fn settles(&mut self, output: u16) {
        within(async { while !self.does(|board| board.lock(output)).await {} }).await;
    }
}

/// A port that nobody has.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A file with a password, its owner's alone.
pub struct PasswordFile(TempDir);

impl PasswordFile {
    pub fn with(password: &str) -> Self {
        let file = Self(tempfile::tempdir().unwrap());
        std::fs::write(file.path(), format!("{password}\n")).unwrap();
        std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(0o600)).unwrap();
        file
    }

    pub fn path(&self) -> PathBuf {
        self.0.path().join("password")
    }
}
