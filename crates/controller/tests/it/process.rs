//! The real binary: paired, killed, stopped.

use crate::server::{ALIVE, Authority, Hello, Peer, Server, Setup, controller_id, within};
use klinke_controller::output::simulated::{SimulatedLock, look};
use klinke_model::door::{DoorKind, DoorMode, DoorTimes};
use klinke_model::ids::{DoorId, OpeningId, v4};
use klinke_model::time::{Clock, Mono, SystemClock};
use klinke_wire::controller::{
    ControllerEvent, ControllerRequest, Outcome, OutcomeRefusal, Wanted, WantedDoor,
};
use std::path::PathBuf;
use std::process::{Output, Stdio};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

const OUTPUT: u16 = 3;

fn wanted() -> Wanted {
    Wanted {
        revision: 1,
        doors: vec![WantedDoor {
            door: door(),
            output: OUTPUT,
            times: DoorTimes::default(),
            held: None,
            kind: DoorKind::Door,
        }],
    }
}
fn door() -> DoorId {
    DoorId(v4([0xd0; 16]))
}

pub struct Site {
    pub folder: TempDir,
    authority: Authority,
    pub server: Server,
}

impl Site {
    pub async fn new() -> Self {
        let authority = Authority::new();
        let server = Server::start(Setup::of(&authority)).await;
        Self { folder: tempfile::tempdir().unwrap(), authority, server }
    }

    pub fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    pub fn command(&self, command: &str, options: &[&str]) -> Command {
        let address = self.server.address();
        let mut process = Command::new(env!("CARGO_BIN_EXE_klinke-door"));
        process
            .args([command, "--server", &format!("{}:{}", address.host, address.port), "--state"])
            .arg(self.state())
            .args(options)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .env_remove("RUST_LOG")
            .kill_on_drop(true);
        process
    }

    /// Pairs as the demo does: the code comes from the file.
    pub async fn pair(&self) {
        let code_file = self.folder.path().join("code");
        let pinned = self.authority.fingerprint().to_string();
        let options = ["--authority-sha256", &pinned, "--code-file", code_file.to_str().unwrap()];
        let mut child = self.command("pair", &options).spawn().unwrap();
        let mut peer = self.server.accept().await.unwrap();
        let Some(ControllerRequest::Pair { csr, .. }) = peer.receive().await else { panic!("no pair") };
        peer.send(&ControllerEvent::PairingCode { code: "4071 9936".into(), expires_s: 600 }).await;
        let (certificate, authority) = (self.authority.certify(&csr), self.authority.pem.clone());
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = within(lines.next_line()).await.unwrap();
        assert_eq!(line.as_deref(), Some("Give this code to an administrator: 4071 9936"));
        assert_eq!(std::fs::read_to_string(&code_file).unwrap(), "4071 9936\n");
        peer.send(&ControllerEvent::Paired { controller: controller_id(), certificate, authority }).await;
        let output = finished(child).await;
        assert!(output.status.success(), "{output:?}");
        assert!(!code_file.exists(), "a code that was claimed is not left lying about");
    }

    /// Starts it and welcomes it. When this returns every output was locked since before the hello.
    async fn run(&self, options: &[&str]) -> (Child, Peer, Hello) {
        let child = self.command("run", &[&["--simulated"], options].concat()).spawn().unwrap();
        let (mut peer, hello) = self.server.welcome(wanted()).await;
        // a door that it knew from before stands in its hello
        if hello.doors.is_empty() {
            assert!(matches!(peer.receive().await, Some(ControllerRequest::Door { .. })));
        }
        (child, peer, hello)
    }

    fn lock(&self) -> SimulatedLock {
        look(&self.state().join("outputs"), OUTPUT, SystemClock::start().now()).unwrap()
    }

    fn is_released(&self) -> bool {
        matches!(self.lock(), SimulatedLock::Released { .. })
    }
}

fn open(hello: &Hello) -> ControllerEvent {
    ControllerEvent::Open {
        boot: hello.boot,
        opening: OpeningId(v4([1; 16])),
        door: door(),
        hold_ms: 60_000,
        not_after: Mono::from_millis(hello.mono + 5_000),
    }
}

async fn opened(peer: &mut Peer, hello: &Hello) {
    peer.send(&open(hello)).await;
    let Some(ControllerRequest::Outcome { outcome, .. }) = peer.receive().await else { panic!("no outcome") };
    assert_eq!(outcome, Outcome::Opened { for_ms: 60_000 });
}

pub async fn finished(child: Child) -> Output {
    within(child.wait_with_output()).await.unwrap()
}

#[tokio::test]
async fn killed_while_a_door_is_open_it_locks_at_its_next_start() {
    let site = Site::new().await;
    site.pair().await;
    let (mut child, mut peer, hello) = site.run(&[]).await;
    assert_eq!(site.lock(), SimulatedLock::Locked);
    opened(&mut peer, &hello).await;
    assert!(site.is_released());
    within(child.kill()).await.unwrap();
    assert!(site.is_released(), "the truth is outside of the process");

    let (_child, mut peer, again) = site.run(&[]).await;
    assert_eq!(site.lock(), SimulatedLock::Locked);
    assert_ne!(again.boot, hello.boot);
    assert_eq!(
        (hello.doors.len(), again.doors.len()),
        (0, 1),
        "it knows its doors before a server says them"
    );
    peer.send(&open(&hello)).await;
    let Some(ControllerRequest::Outcome { outcome, .. }) = peer.receive().await else { panic!("no outcome") };
    assert_eq!(outcome, Outcome::Refused { reason: OutcomeRefusal::OtherBoot });
    assert_eq!(site.lock(), SimulatedLock::Locked);
}

#[tokio::test]
async fn asked_to_stop_it_locks_first_and_its_log_names_no_door() {
    let site = Site::new().await;
    site.pair().await;
    let (child, mut peer, hello) = site.run(&[]).await;
    opened(&mut peer, &hello).await;
    assert!(site.is_released());
    let pid = child.id().unwrap().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().await.unwrap().success());
    let output = finished(child).await;
    assert!(output.status.success(), "{output:?}");
    assert_eq!(site.lock(), SimulatedLock::Locked);

    let log = String::from_utf8(output.stderr).unwrap();
    assert!(log.contains("linked to the server") && log.contains("stopped"), "{log}");
    for word in [door().to_string(), OpeningId(v4([1; 16])).to_string(), "open".into(), "release".into()] {
        assert!(!log.contains(&word), "{word} in {log}");
    }
}

#[tokio::test]
async fn it_stops_with_its_parent_when_it_was_asked_to() {
    let site = Site::new().await;
    site.pair().await;
    let (mut child, mut peer, hello) = site.run(&["--exit-with-parent"]).await;
    opened(&mut peer, &hello).await;
    drop(child.stdin.take());
    let output = finished(child).await;
    assert!(output.status.success(), "{output:?}");
    assert_eq!(site.lock(), SimulatedLock::Locked);
}

#[tokio::test]
async fn a_simulated_visitor_passes_and_the_door_locks_behind_them() {
    let site = Site::new().await;
    site.pair().await;
    let (_child, mut peer, hello) = site.run(&["--simulate-leaf"]).await;
    opened(&mut peer, &hello).await;
    let mut modes = Vec::new();
    while modes.last() != Some(&DoorMode::Locked) {
        match within(peer.receive()).await {
            Some(ControllerRequest::Door { door, .. }) => modes.push(door.state.mode),
            Some(ControllerRequest::Heartbeat { .. }) => peer.send(&ALIVE).await,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(modes, [DoorMode::Accessed, DoorMode::Accessed, DoorMode::Locked]);
    assert_eq!(site.lock(), SimulatedLock::Locked);
}

#[tokio::test]
async fn unpaired_it_says_so_and_does_not_run() {
    let site = Site::new().await;
    let output = finished(site.command("run", &["--simulated"]).spawn().unwrap()).await;
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("this controller is not paired; run `klinke-door pair` first"), "{text}");
}
