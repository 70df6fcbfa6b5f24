//! The program itself, on the folder of a house, so that it can be killed.

use super::PATIENCE;
use klinke_model::time::{Clock, Mono, SystemClock};
use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// `klinke serve`.
pub struct Process {
    child: Child,
    pub at: SocketAddr,
    pub controllers: SocketAddr,
    /// From its start until it said that it is ready.
    pub ready_after: Duration,
}

/// Where a process serves, so that the next one can serve there too.
#[derive(Clone)]
pub struct Place {
    data: PathBuf,
    at: SocketAddr,
    controllers: SocketAddr,
    media: SocketAddr,
    log: PathBuf,
    filter: &'static str,
    more: Vec<(&'static str, String)>,
}

impl Place {
    /// Free ports for the installation in `data`; everything it prints is added to the file `log`.
    pub fn new(data: &Path, log: &Path, filter: &'static str) -> Self {
        let held = [(); 3].map(|()| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap());
        let [at, controllers, media] = held.each_ref().map(|port| port.local_addr().unwrap());
        Self { data: data.to_owned(), at, controllers, media, log: log.to_owned(), filter, more: Vec::new() }
    }

    /// With more settings.
    pub fn with<const N: usize>(mut self, more: [(&'static str, String); N]) -> Self {
        self.more.extend(more);
        self
    }

    /// Starts the program and waits until it is ready.
    pub async fn serve(&self) -> Process {
        let log = File::options().create(true).append(true).open(&self.log).unwrap();
        let clock = SystemClock::start();
        let child = Command::new(env!("CARGO_BIN_EXE_klinke"))
            .arg("serve")
            .env_clear()
            .env("KLINKE_HTTP__LISTEN", self.at.to_string())
            .env("KLINKE_CONTROLLERS__LISTEN", self.controllers.to_string())
            .env("KLINKE_MEDIA__LISTEN", self.media.to_string())
            .env("KLINKE_DATA__FOLDER", &self.data)
            .env("KLINKE_LOG__FILTER", self.filter)
            .envs(self.more.iter().map(|(name, value)| (name, value)))
            .current_dir(self.data.parent().unwrap())
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut process =
            Process { child, at: self.at, controllers: self.controllers, ready_after: Duration::ZERO };
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let ready = format!("http://{}/readyz", self.at);
        loop {
            if client.get(&ready).send().await.is_ok_and(|answer| answer.status() == 204) {
                process.ready_after = clock.mono().since(Mono::from_millis(0));
                return process;
            }
            let ended = process.child.try_wait().unwrap();
            assert!(
                ended.is_none() && clock.mono().since(Mono::from_millis(0)) < PATIENCE,
                "it is not ready: {ended:?}"
            );
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}

impl Process {
    /// SIGKILL: no goodbye.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // after `kill` it is gone already
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
