//! baresip, a SIP phone that others wrote: how it is started, what it says, and what it is told to do. What each test makes of it
//! (a phone behind a trunk, a desk phone, a door station) is in its settings and its account. The server's tests use this too.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::net::{TcpListener, UdpSocket};
use std::process::Stdio;
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::sync::mpsc;
use tokio::time::timeout;

/// How long it may take to say something. Generous: it ends a test that fails, it never times one.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running baresip, all of whose sound goes one way: what it hears it says again, for its loudspeaker is wired to its microphone.
/// Killed when it is dropped.
pub struct Baresip {
    /// Its SIP over UDP and TCP; TLS is one further.
    pub port: u16,
    control: TcpStream,
    /// What it says, line by line.
    pub lines: mpsc::UnboundedReceiver<String>,
    _folder: TempDir,
    child: Child,
}

impl Baresip {
    /// Starts it in this folder with these lines of settings beside those that all have, and this account.
    pub async fn start(folder: TempDir, settings: &str, account: &str) -> Self {
        let port = free_ports(2);
        let control = std::iter::repeat_with(|| free_ports(1)).find(|own| own.abs_diff(port) > 1).unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        // without its ringback tone: that plays on the bridge too, and takes the bridge's player away when it ends; then no sound
        // comes out of it for the rest of the call
        write(
            "config",
            &format!(
                "poll_method epoll\nsip_listen 127.0.0.1:{port}\nctrl_tcp_listen 127.0.0.1:{control}\n\
                 audio_player aubridge,x\naudio_source aubridge,x\naudio_alert aubridge,x\nringback_disabled yes\n\
                 module_path /usr/lib/baresip/modules\nmodule g711.so\nmodule aubridge.so\n\
                 module_app account.so\nmodule_app menu.so\nmodule_app ctrl_tcp.so\n{settings}"
            ),
        );
        write("accounts", account);
        write("contacts", "");
        let mut child = Command::new("baresip")
            .arg("-f")
            .arg(folder.path())
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("baresip (Debian: baresip-core)");
        let mut out = BufReader::new(child.stdout.take().unwrap()).lines();
        let (told, mut lines) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Ok(Some(line)) = out.next_line().await {
                // read on when nobody listens, or it would wait for room in the pipe
                let _ = told.send(line);
            }
        });
        says(&mut lines, "baresip is ready").await;
        let control = TcpStream::connect(("127.0.0.1", control)).await.unwrap();
        Self { port, control, lines, _folder: folder, child }
    }

    /// Waits for a line with this text; what came before it is passed over.
    pub async fn says(&mut self, text: &str) -> String {
        says(&mut self.lines, text).await
    }

    /// One of its commands (`accept`, `dial`, `sndcode` …) and what it is about.
    pub async fn command(&mut self, command: &str, about: &str) {
        let command = format!(r#"{{"command":"{command}","params":"{about}"}}"#);
        let netstring = format!("{}:{command},", command.len());
        self.control.write_all(netstring.as_bytes()).await.unwrap();
    }

    /// Ends it without a word to anybody.
    pub async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }
}

async fn says(lines: &mut mpsc::UnboundedReceiver<String>, text: &str) -> String {
    let mut all = Vec::new();
    let found = async {
        while let Some(line) = lines.recv().await {
            if line.contains(text) {
                return Some(line);
            }
            all.push(line);
        }
        None
    };
    let found = timeout(PATIENCE, found).await.ok().flatten();
    found.unwrap_or_else(|| panic!("baresip does not say {text}:\n{}", all.join("\n")))
}

/// So many ports of UDP and TCP in a row that nobody has. A program takes them only after we looked, so they are below those that
/// the system gives to whoever asks for any (`ip_local_port_range`): connections come and go there all the time.
pub fn free_ports(in_a_row: u16) -> u16 {
    const FROM: u16 = 10_000;
    const COUNT: u64 = 10_000;
    loop {
        // the standard library's only randomness; tests beside this one look too
        let random = RandomState::new().build_hasher().finish();
        let first = FROM + (random % COUNT) as u16;
        let free = |port| {
            TcpListener::bind(("127.0.0.1", port)).is_ok() && UdpSocket::bind(("127.0.0.1", port)).is_ok()
        };
        if (first..first + in_a_row).all(free) {
            return first;
        }
    }
}
