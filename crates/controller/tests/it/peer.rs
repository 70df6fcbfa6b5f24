//! Programs that others wrote, as the other end: started with the Python that `./test` fills, spoken to in lines.

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::{Instant, sleep, timeout};

/// Longer than any of these takes on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// The Python of the peers, found upwards from this program.
///
/// # Panics
/// When it is not there.
pub fn python() -> PathBuf {
    let program = std::env::current_exe().unwrap();
    let found = program.ancestors().map(|folder| folder.join("peers/bin/python")).find(|path| path.exists());
    found.expect("no peers/bin/python in the target folder: run ./test once, or see tests/peers")
}

/// A script of `tests/peers`.
pub struct Peer {
    child: Child,
    orders: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Peer {
    /// Starts a script and waits until it says that it is ready.
    pub async fn start(script: &str, argument: &Value) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers").join(script);
        let mut child = Command::new(python())
            .arg(script)
            .arg(argument.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let orders = child.stdin.take().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut peer = Self { child, orders, lines };
        peer.until(|line| line["ready"] == true).await;
        peer
    }

    /// One order, as a line.
    pub async fn order(&mut self, order: &Value) {
        self.orders.write_all(format!("{order}\n").as_bytes()).await.unwrap();
    }

    /// The next line that is JSON; what libraries print beside it is passed over.
    pub async fn line(&mut self) -> Value {
        let next = async {
            loop {
                let line = self.lines.next_line().await.unwrap().expect("the peer ended");
                if let Ok(value) = serde_json::from_str::<Value>(&line)
                    && value.is_object()
                {
                    return value;
                }
            }
        };
        timeout(PATIENCE, next).await.expect("the peer says nothing")
    }

    /// The next line that is like this; those before are passed over.
    pub async fn until(&mut self, is_it: impl Fn(&Value) -> bool) -> Value {
        loop {
            let line = self.line().await;
            if is_it(&line) {
                return line;
            }
        }
    }

    /// What was said and is not read yet.
    pub async fn rest(&mut self) -> Vec<Value> {
        let mut rest = Vec::new();
        while let Ok(Ok(Some(line))) = timeout(Duration::from_millis(200), self.lines.next_line()).await {
            rest.extend(serde_json::from_str(&line));
        }
        rest
    }

    /// Ends it, as a power cut does.
    pub async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }
}

/// Two pseudo terminals that are one line, held by socat.
pub struct Pair {
    socat: Child,
    folder: tempfile::TempDir,
}

impl Pair {
    /// Starts socat and waits until both ends are there.
    pub async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { socat: socat(folder.path()).await, folder }
    }

    /// The line is pulled out and put in again, under the same names.
    pub async fn replug(&mut self) {
        self.socat.kill().await.unwrap();
        for end in [self.ours(), self.theirs()] {
            // socat takes its links with it, unless it was killed
            let _ = std::fs::remove_file(end);
        }
        self.socat = socat(self.folder.path()).await;
    }

    pub fn ours(&self) -> PathBuf {
        self.folder.path().join("ours")
    }

    pub fn theirs(&self) -> PathBuf {
        self.folder.path().join("theirs")
    }
}

async fn socat(folder: &Path) -> Child {
    let end = |name: &str| format!("pty,raw,echo=0,link={}", folder.join(name).display());
    let socat = Command::new("socat").args([end("ours"), end("theirs")]).kill_on_drop(true).spawn().unwrap();
    appears(&folder.join("ours")).await;
    appears(&folder.join("theirs")).await;
    socat
}

/// Waits until a file is there.
pub async fn appears(path: &Path) {
    let start = Instant::now();
    while !path.exists() {
        assert!(start.elapsed() < PATIENCE, "{} never appeared", path.display());
        sleep(Duration::from_millis(5)).await;
    }
}
