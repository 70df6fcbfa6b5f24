//! Janus (Debian's package) with its VideoRoom, over its WebSocket API.
//!
//! It runs with this plugin and this transport only and a log of warnings, so that nothing else is counted.
//! A call is a room; an app that shall have no sound subscribes to the picture alone.

use super::Relay;
use super::connection::Connection;
use crate::Result;
use crate::process::Process;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::fs;
use std::net::TcpListener;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::process::Command;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use uuid::Uuid;

/// Where Debian puts its parts.
const PARTS: &str = "/usr/lib/x86_64-linux-gnu/janus";
/// Longer than it takes to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// A running Janus with a session.
pub struct Janus {
    process: Process,
    _folder: tempfile::TempDir,
    socket: WebSocketStream<TcpStream>,
    session: u64,
    asked: u64,
    /// The feed of each call, and the name of its picture.
    feeds: HashMap<Uuid, (u64, String)>,
}

impl Janus {
    /// Starts it with a configuration of its own.
    ///
    /// # Errors
    /// When it is not installed or does not start.
    pub async fn start() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let files = [
            (
                "janus.jcfg",
                format!(
                    "general: {{ plugins_folder = \"{PARTS}/plugins\"; transports_folder = \"{PARTS}/transports\"; \
                     events_folder = \"{PARTS}/events\"; loggers_folder = \"{PARTS}/loggers\"; \
                     debug_level = 3; session_timeout = 0 }}\n\
                     plugins: {{ disable = \"{}\" }}\ntransports: {{ disable = \"{}\" }}\n",
                    others("plugins", "libjanus_videoroom.so")?,
                    others("transports", "libjanus_websockets.so")?,
                ),
            ),
            (
                "janus.transport.websockets.jcfg",
                format!("general: {{ ws = true; ws_port = {port}; ws_ip = \"127.0.0.1\"; wss = false }}\n"),
            ),
            ("janus.plugin.videoroom.jcfg", "general: { }\n".to_owned()),
        ];
        for (name, text) in files {
            fs::write(folder.path().join(name), text)?;
        }
        let mut command = Command::new("janus");
        command.arg("--disable-colors").arg("--configs-folder").arg(folder.path());
        command.arg("--log-file").arg(folder.path().join("janus.log")).arg("--disable-stdout");
        let process = Process::start(&mut command)?;
        let socket = connect(port).await?;
        let mut janus =
            Self { process, _folder: folder, socket, session: 0, asked: 0, feeds: HashMap::new() };
        janus.session = id(&janus.ask(json!({ "janus": "create" })).await?["data"]["id"])?;
        Ok(janus)
    }

    /// Sends a request; gives its answer, or the event that follows its acknowledgement.
    async fn ask(&mut self, mut request: Value) -> Result<Value> {
        self.asked += 1;
        let transaction = self.asked.to_string();
        request["transaction"] = json!(transaction);
        if self.session > 0 {
            request["session_id"] = json!(self.session);
        }
        self.socket.send(Message::text(request.to_string())).await?;
        loop {
            let message = timeout(PATIENCE, self.socket.next()).await?.ok_or("Janus is gone")??;
            let Message::Text(text) = message else { continue };
            let answer: Value = serde_json::from_str(&text)?;
            let said = &answer["plugindata"]["data"];
            if answer["transaction"] != json!(transaction) || answer["janus"] == "ack" {
                continue;
            }
            if answer["janus"] == "error" || said.get("error").is_some() {
                return Err(format!("Janus: {text}").into());
            }
            return Ok(answer);
        }
    }

    /// Waits until Janus says that the connection of this handle stands.
    async fn until_up(&mut self, handle: u64) -> Result<()> {
        loop {
            let message = timeout(PATIENCE, self.socket.next()).await?.ok_or("Janus is gone")??;
            let Message::Text(text) = message else { continue };
            let event: Value = serde_json::from_str(&text)?;
            if event["janus"] == "webrtcup" && event["sender"] == json!(handle) {
                return Ok(());
            }
        }
    }

    async fn attach(&mut self) -> Result<u64> {
        let attach = json!({ "janus": "attach", "plugin": "janus.plugin.videoroom" });
        id(&self.ask(attach).await?["data"]["id"])
    }

    async fn tell(&mut self, handle: u64, body: Value, jsep: Option<Value>) -> Result<Value> {
        let mut request = json!({ "janus": "message", "handle_id": handle, "body": body });
        if let Some(jsep) = jsep {
            request["jsep"] = jsep;
        }
        self.ask(request).await
    }

    /// All candidates were in the description.
    async fn no_more_candidates(&mut self, handle: u64) -> Result<()> {
        let completed = json!({ "janus": "trickle", "handle_id": handle, "candidate": { "completed": true },
            "session_id": self.session, "transaction": "candidates" });
        Ok(self.socket.send(Message::text(completed.to_string())).await?)
    }
}

impl Relay for Janus {
    async fn publish(&mut self, call: Uuid, panel: Connection) -> Result<()> {
        let handle = self.attach().await?;
        let room = call.as_u128() as u64;
        let create = json!({ "request": "create", "room": room, "publishers": 1, "audiocodec": "opus", "videocodec": "vp8" });
        self.tell(handle, create, None).await?;
        let join = json!({ "request": "join", "ptype": "publisher", "room": room });
        let joined = self.tell(handle, join, None).await?;
        let offering = panel.offer_panel()?;
        let jsep = json!({ "type": "offer", "sdp": offering.sdp });
        let published = self.tell(handle, json!({ "request": "publish" }), Some(jsep)).await?;
        self.no_more_candidates(handle).await?;
        let feed = id(&joined["plugindata"]["data"]["id"])?;
        self.feeds.insert(call, (feed, offering.video.to_string()));
        offering.connect(text(&published["jsep"]["sdp"])?)?;
        // before that nobody can subscribe to it
        self.until_up(handle).await
    }

    async fn watch(&mut self, call: Uuid, app: Connection, with_sound: bool) -> Result<()> {
        let handle = self.attach().await?;
        let (feed, picture) = self.feeds.get(&call).ok_or("no such call")?;
        let stream =
            if with_sound { json!({ "feed": feed }) } else { json!({ "feed": feed, "mid": picture }) };
        let room = call.as_u128() as u64;
        let join = json!({ "request": "join", "ptype": "subscriber", "room": room, "streams": [stream] });
        let attached = self.tell(handle, join, None).await?;
        let answer = app.accept(text(&attached["jsep"]["sdp"])?)?;
        let jsep = json!({ "type": "answer", "sdp": answer });
        self.tell(handle, json!({ "request": "start" }), Some(jsep)).await?;
        self.no_more_candidates(handle).await
    }

    fn process(&self) -> &Process {
        &self.process
    }
}

/// The parts in a folder but the one, as Janus's `disable` wants them.
fn others(folder: &str, one: &str) -> Result<String> {
    let names = fs::read_dir(format!("{PARTS}/{folder}"))
        .map_err(|error| format!("Janus of the Debian package `janus` is needed: {error}"))?
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect::<Result<Vec<String>>>()?;
    let others: Vec<&str> = names.iter().map(String::as_str).filter(|name| *name != one).collect();
    Ok(others.into_iter().filter(|name| name.ends_with(".so")).collect::<Vec<_>>().join(","))
}

async fn connect(port: u16) -> Result<WebSocketStream<TcpStream>> {
    let mut request = format!("ws://127.0.0.1:{port}/").into_client_request()?;
    request.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static("janus-protocol"));
    for _ in 0..200 {
        if let Ok(stream) = TcpStream::connect(("127.0.0.1", port)).await {
            return Ok(tokio_tungstenite::client_async(request, stream).await?.0);
        }
        sleep(Duration::from_millis(50)).await;
    }
    Err("Janus did not start within 10 s".into())
}

fn id(value: &Value) -> Result<u64> {
    value.as_u64().ok_or_else(|| format!("Janus gave no id but {value}").into())
}

fn text(value: &Value) -> Result<&str> {
    value.as_str().ok_or_else(|| format!("Janus gave no description but {value}").into())
}
