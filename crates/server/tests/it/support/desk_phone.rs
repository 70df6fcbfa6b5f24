//! baresip as a desk phone: it registers with what an administrator was shown, and rings.

use super::PATIENCE;
use super::trunk::free_port;
use serde_json::Value;
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::sync::mpsc;
use tokio::time::timeout;

/// Killed when the test is over.
pub struct DeskPhone {
    control: TcpStream,
    lines: mpsc::UnboundedReceiver<String>,
    _folder: tempfile::TempDir,
    _child: Child,
}

impl DeskPhone {
    /// Registers on this way (`udp`, `tcp`) as it was told to. What it hears it says again: its loudspeaker is wired to its
    /// microphone.
    pub async fn start(way: &str, given: &Value) -> Self {
        Self::start_with(way, given, "", "").await
    }

    /// The same with more in its configuration, and of its account.
    pub async fn start_with(way: &str, given: &Value, more: &str, of_account: &str) -> Self {
        let (user, password) = (given["user_name"].as_str().unwrap(), given["password"].as_str().unwrap());
        let servers = given["servers"].as_array().unwrap();
        let server = servers.iter().find(|server| server["transport"] == way).unwrap();
        let (host, at) = (server["host"].as_str().unwrap(), &server["port"]);
        let own = free_port();
        // it takes the port behind its own for TLS
        let control = std::iter::repeat_with(free_port).find(|port| *port != own + 1).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let config = format!(
            "poll_method epoll\nsip_listen 127.0.0.1:{own}\n\
             audio_player aubridge,x\naudio_source aubridge,x\naudio_alert aubridge,x\n\
             ctrl_tcp_listen 127.0.0.1:{control}\n\
             module_path /usr/lib/baresip/modules\nmodule g711.so\nmodule aubridge.so\n\
             module_app account.so\nmodule_app menu.so\nmodule_app ctrl_tcp.so\n{more}"
        );
        std::fs::write(folder.path().join("config"), config).unwrap();
        let account = format!(
            "<sip:{user}@{host}:{at};transport={way}>;auth_user={user};auth_pass={password};regint=60;\
             answermode=manual;dtmfmode=rtpevent{of_account}\n"
        );
        std::fs::write(folder.path().join("accounts"), account).unwrap();
        std::fs::write(folder.path().join("contacts"), "").unwrap();
        let mut child = Command::new("baresip")
            .arg("-f")
            .arg(folder.path())
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
        Self { control, lines, _folder: folder, _child: child }
    }

    /// Waits for a line with this text; what came before it is passed over.
    pub async fn says(&mut self, text: &str) -> String {
        says(&mut self.lines, text).await
    }

    /// Waits until it rings: what its display shows.
    pub async fn rung(&mut self) -> String {
        self.says("Incoming call").await
    }

    /// Calls somebody.
    pub async fn dial(&mut self, uri: &str) {
        self.command("dial", uri).await;
    }

    pub async fn pick_up(&mut self) {
        self.command("accept", "").await;
    }

    /// While it rings: declines.
    pub async fn hang_up(&mut self) {
        self.command("hangup", "").await;
    }

    /// Presses a key, for as long as it is told to.
    pub async fn press(&mut self, key: char) {
        self.command("sndcode", &key.to_string()).await;
    }

    /// Writes what its display shows to this file, PNG.
    pub async fn snapshot(&mut self, file: &std::path::Path) {
        self.command("snapshot_recv", file.to_str().unwrap()).await;
    }

    /// Puts the call on hold, or takes it up again.
    pub async fn hold(&mut self, is: bool) {
        self.command(if is { "hold" } else { "resume" }, "").await;
    }

    async fn command(&mut self, command: &str, params: &str) {
        let command = format!(r#"{{"command":"{command}","params":"{params}"}}"#);
        let netstring = format!("{}:{command},", command.len());
        self.control.write_all(netstring.as_bytes()).await.unwrap();
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
