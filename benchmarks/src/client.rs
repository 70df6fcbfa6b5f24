//! A panel and an app as their pages speak: sign-in or pairing over HTTP, then their WebSocket.

use crate::Result;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use futures_util::{SinkExt, StreamExt};
use klinke_model::ids::{PanelId, RequestId, v4};
use klinke_wire::app::{AppEvent, AppRequest};
use klinke_wire::panel::{Directory, PanelEvent, PanelRequest, challenge_text};
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use p256::pkcs8::EncodePublicKey as _;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// A WebSocket of ours.
pub struct Socket(WebSocketStream<TcpStream>);

impl Socket {
    /// Opens `path` of the server at `origin` (`http://host:port`), with the cookie of a signed-in device if given.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn open(origin: &str, path: &str, cookie: Option<&str>) -> Result<Self> {
        let host = origin.strip_prefix("http://").ok_or("plain http only")?;
        let mut request = format!("ws://{host}{path}").into_client_request()?;
        request.headers_mut().insert("origin", HeaderValue::from_str(origin)?);
        if let Some(cookie) = cookie {
            request.headers_mut().insert("cookie", HeaderValue::from_str(cookie)?);
        }
        let stream = TcpStream::connect(host).await?;
        stream.set_nodelay(true)?;
        // thousands of them live in one process
        let config = WebSocketConfig::default().read_buffer_size(4 * 1024).write_buffer_size(0);
        let (socket, _) = tokio_tungstenite::client_async_with_config(request, stream, Some(config)).await?;
        Ok(Self(socket))
    }

    /// Sends a message.
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn send(&mut self, request: &impl Serialize) -> Result<()> {
        Ok(self.0.send(Message::text(serde_json::to_string(request)?)).await?)
    }

    /// The next event.
    ///
    /// # Errors
    /// When the server closes, or says nothing for [`PATIENCE`].
    pub async fn next<E: DeserializeOwned>(&mut self) -> Result<E> {
        loop {
            let message =
                tokio::time::timeout(PATIENCE, self.0.next()).await?.ok_or("the server is gone")??;
            match message {
                Message::Text(text) => return Ok(serde_json::from_str(&text)?),
                Message::Close(frame) => return Err(format!("the server closed: {frame:?}").into()),
                _ => {}
            }
        }
    }

    /// The first event of which `pick` makes something.
    ///
    /// # Errors
    /// As [`Socket::next`].
    pub async fn find<E: DeserializeOwned, T>(&mut self, mut pick: impl FnMut(E) -> Option<T>) -> Result<T> {
        loop {
            if let Some(found) = pick(self.next().await?) {
                return Ok(found);
            }
        }
    }
}

/// Signs in as a person; gives the device's cookie.
///
/// # Errors
/// When the server refuses.
pub async fn sign_in(origin: &str, user_name: &str, password: &str) -> Result<String> {
    let body = json!({ "user_name": user_name, "password": password, "device_name": "bench" });
    let request = http()?.post(format!("{origin}/api/v1/session")).header("origin", origin).json(&body);
    let answer = request.send().await?.error_for_status()?;
    let cookie = answer.headers().get("set-cookie").ok_or("no cookie")?.to_str()?;
    Ok(cookie.split(';').next().unwrap_or_default().to_owned())
}

/// Connects an app up to its `welcome`, which it gives too.
///
/// # Errors
/// When the server refuses.
pub async fn app(origin: &str, cookie: &str) -> Result<(Socket, AppEvent)> {
    let mut socket = Socket::open(origin, "/api/v1/app/socket", Some(cookie)).await?;
    socket.send(&AppRequest::Hello { protocol: klinke_wire::SIGNALLING }).await?;
    match socket.next().await? {
        welcome @ AppEvent::Welcome { .. } => Ok((socket, welcome)),
        other => Err(format!("no welcome: {other:?}").into()),
    }
}

/// Becomes a panel by the ticket in its address, and connects it up to its directory.
///
/// # Errors
/// When the server refuses.
pub async fn panel(origin: &str, address: &str) -> Result<(Socket, Directory)> {
    let ticket =
        address.split_once("#ticket=").map(|(_, ticket)| ticket).ok_or("no ticket in the address")?;
    let key = SigningKey::from_slice(&random::<32>()?)?;
    let public_key = BASE64_STANDARD.encode(key.verifying_key().to_public_key_der()?.as_bytes());
    let post = async |path: String, secret: &str, body: Value| -> Result<Value> {
        let request = http()?.post(format!("{origin}/api/v1/panel-pairings{path}")).header("origin", origin);
        let answer = request.header("Klinke-Pairing-Secret", secret).json(&body).send().await?;
        Ok(answer.error_for_status()?.json().await?)
    };
    let pairing = post(String::new(), "", json!({ "public_key": public_key })).await?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (id, secret) = (text(&pairing["pairing"]), text(&pairing["secret"]));
    let paired = post(format!("/{id}/ticket"), &secret, json!({ "ticket": ticket })).await?;
    let panel: PanelId = text(&paired["panel"]).parse()?;

    let mut socket = Socket::open(origin, "/api/v1/panel/socket", None).await?;
    let PanelEvent::Challenge { nonce, .. } = socket.next().await? else { return Err("no challenge".into()) };
    let signature: Signature = key.sign(challenge_text(panel, &nonce).as_bytes());
    let signature = BASE64_STANDARD.encode(signature.to_bytes());
    socket.send(&PanelRequest::Hello { protocol: klinke_wire::SIGNALLING, panel, signature }).await?;
    match socket.next().await? {
        PanelEvent::Welcome { directory, .. } => Ok((socket, directory)),
        other => Err(format!("no welcome: {other:?}").into()),
    }
}

/// An id for a new request.
///
/// # Errors
/// When the operating system has no randomness.
pub fn request() -> Result<RequestId> {
    Ok(RequestId(v4(random()?)))
}

/// Random bytes.
///
/// # Errors
/// When the operating system has none.
pub fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}

/// A client of HTTP.
///
/// # Errors
/// When it can not be made.
pub fn http() -> Result<reqwest::Client> {
    Ok(reqwest::Client::builder().no_proxy().build()?)
}
