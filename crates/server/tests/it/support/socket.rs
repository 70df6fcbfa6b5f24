//! One WebSocket as its client holds it. The library is not the server's own.

use super::PATIENCE;
use futures_util::{SinkExt, StreamExt};
use serde::{Serialize, de::DeserializeOwned};
use std::fmt::Debug;
use std::marker::PhantomData;
use std::net::SocketAddr;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderName, HeaderValue};
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

/// A connection that is sent events of type `E`.
pub struct Socket<E> {
    name: String,
    stream: WebSocketStream<TcpStream>,
    /// The cookie that its opening set, with its attributes.
    pub cookie: Option<String>,
    /// All that was read so far, as it came.
    pub heard: String,
    events: PhantomData<E>,
}

/// What comes next on a connection.
#[derive(Debug)]
pub enum Next<E> {
    Event(E),
    Pong,
    /// The end, with the server's close code if it sent one.
    Closed(Option<u16>),
}

impl<E: DeserializeOwned + Debug> Socket<E> {
    /// Opens a connection, or tells the status with which it was refused.
    pub async fn open(
        name: &str,
        server: SocketAddr,
        path: &str,
        headers: &[(&'static str, &str)],
    ) -> Result<Self, u16> {
        let mut request = format!("ws://{server}{path}").into_client_request().unwrap();
        for (header, value) in headers {
            let value = HeaderValue::from_str(value).unwrap();
            request.headers_mut().insert(HeaderName::from_static(header), value);
        }
        let tcp = TcpStream::connect(server).await.unwrap();
        match client_async(request, tcp).await {
            Ok((stream, answer)) => {
                let set = answer.headers().get("set-cookie");
                let cookie = set.map(|cookie| cookie.to_str().unwrap().to_owned());
                Ok(Self { name: name.to_owned(), stream, cookie, heard: String::new(), events: PhantomData })
            }
            Err(Error::Http(answer)) => Err(answer.status().as_u16()),
            Err(error) => panic!("{name} could not connect: {error}"),
        }
    }

    /// Sends a request.
    pub async fn send(&mut self, request: &impl Serialize) {
        self.say(Message::text(serde_json::to_string(request).unwrap())).await;
    }

    /// Sends anything. That the server has closed meanwhile is found out by reading.
    pub async fn say(&mut self, message: Message) {
        drop(self.stream.send(message).await);
    }

    /// What comes next.
    pub async fn next(&mut self) -> Next<E> {
        let read = tokio::time::timeout(PATIENCE, async {
            loop {
                match self.stream.next().await {
                    Some(Ok(Message::Text(text))) if text.as_str() == r#"{"type":"pong"}"# => {
                        return Next::Pong;
                    }
                    Some(Ok(Message::Text(text))) => {
                        self.heard.push_str(&text);
                        let event = serde_json::from_str(&text);
                        return Next::Event(event.unwrap_or_else(|error| panic!("{error}: {text}")));
                    }
                    Some(Ok(Message::Close(frame))) => {
                        return Next::Closed(frame.map(|frame| frame.code.into()));
                    }
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                    Some(Ok(other)) => panic!("not of this protocol: {other:?}"),
                    Some(Err(_)) | None => return Next::Closed(None),
                }
            }
        });
        read.await.unwrap_or_else(|_| panic!("{} was told nothing for {PATIENCE:?}", self.name))
    }

    /// Waits for the event that `pick` takes and passes over others, which a failure prints.
    pub async fn expect<T>(&mut self, what: &str, mut pick: impl FnMut(&E) -> Option<T>) -> T {
        let mut instead = Vec::new();
        let waiting = async {
            loop {
                match self.next().await {
                    Next::Event(event) => match pick(&event) {
                        Some(picked) => return Ok(picked),
                        None => instead.push(format!("{event:?}")),
                    },
                    Next::Pong => {}
                    Next::Closed(code) => return Err(format!("was closed ({code:?})")),
                }
            }
        };
        let waited = tokio::time::timeout(PATIENCE, waiting).await;
        let missed = match waited {
            Ok(Ok(picked)) => return picked,
            Ok(Err(closed)) => closed,
            Err(_) => "waited in vain".to_owned(),
        };
        panic!("{} {missed}, expecting {what}; got instead: {instead:#?}", self.name)
    }

    /// All that the server had to say before it answered a ping sent now.
    pub async fn before_pong(&mut self) -> Vec<E> {
        self.say(Message::text(r#"{"type":"ping"}"#)).await;
        let mut told = Vec::new();
        loop {
            match self.next().await {
                Next::Event(event) => told.push(event),
                Next::Pong => return told,
                Next::Closed(code) => panic!("{} was closed ({code:?}) after {told:?}", self.name),
            }
        }
    }

    /// Waits for the end of the connection: its close code, and all that came before.
    pub async fn closed(&mut self) -> (Option<u16>, Vec<E>) {
        let mut told = Vec::new();
        loop {
            match self.next().await {
                Next::Event(event) => told.push(event),
                Next::Pong => {}
                Next::Closed(code) => return (code, told),
            }
        }
    }
}
