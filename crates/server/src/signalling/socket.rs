//! One WebSocket, either kind: bounded both ways, and gone when its peer is slow, silent, noisy or foreign.
//!
//! - Outgoing: a queue of [`QUEUE`] events. When it is full the *client* is dropped, never the sender blocked.
//! - Incoming: frames of any kind, of at most [`klinke_wire::MAX_MESSAGE`] bytes, [`BURST`] at once and
//!   [`PER_SECOND`] in the long run. A message that can not be understood is answered with an error and the connection lives on.
//! - A peer that says nothing for [`Peer::SILENCE`] is gone.

use crate::http::problem::{Code, Problem};
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use klinke_wire::common::{ErrorCode, ErrorNews};
use serde::{Serialize, de::DeserializeOwned};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

/// Events that may wait for a slow client.
pub const QUEUE: usize = 64;
/// Messages a client may send at once.
pub const BURST: f64 = 60.0;
/// Messages a second a client may send in the long run.
pub const PER_SECOND: f64 = 20.0;

/// How long a connection may take to end.
const GOODBYE: Duration = Duration::from_secs(1);

/// Bytes of a message that are read at all. Over [`klinke_wire::MAX_MESSAGE`], so that a message that is a bit too
/// large is off the wire when its refusal is sent: what is left unread makes TCP reset, and the refusal is lost.
const READ_UP_TO: usize = 2 * klinke_wire::MAX_MESSAGE;

/// Why the server closes a connection. The codes are what clients act on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closing {
    /// The server stops or restarts: come back.
    Stopping,
    /// The client does not read what it is sent.
    Slow,
    /// The client said nothing for too long.
    Silent,
    /// The client sends too many messages.
    TooMany,
    /// A message was over the size limit.
    TooLarge,
    /// The same device opened another connection: do not come back by yourself.
    Replaced,
    /// The device was signed out, or the panel's key replaced: do not come back.
    SignedOut,
    /// `hello` was wrong, late or not proven.
    NotProven,
    /// The client speaks a version this server does not.
    Version,
}

impl Closing {
    /// RFC 6455 §7.4 close code; 4000 and up are ours.
    pub const fn code(self) -> u16 {
        match self {
            Self::Stopping => 1012,
            Self::Slow | Self::TooMany => 1008,
            Self::TooLarge => 1009,
            Self::Silent => 4000,
            Self::Replaced => 4001,
            Self::SignedOut => 4002,
            Self::NotProven => 4003,
            Self::Version => 4004,
        }
    }
}

/// The sending end of a connection. Cheap to clone; sending never waits.
#[derive(Debug)]
pub struct Line<E> {
    queue: mpsc::Sender<E>,
    closing: Arc<watch::Sender<Option<Closing>>>,
}

impl<E> Clone for Line<E> {
    fn clone(&self) -> Self {
        Self { queue: self.queue.clone(), closing: Arc::clone(&self.closing) }
    }
}

impl<E> Line<E> {
    /// Sends an event. A client whose queue is full is dropped; one that is gone misses nothing, for it gets the
    /// whole state when it comes back.
    pub fn send(&self, event: E) {
        if let Err(mpsc::error::TrySendError::Full(_)) = self.queue.try_send(event) {
            self.close(Closing::Slow);
        }
    }

    /// Closes the connection. The first reason counts.
    pub fn close(&self, reason: Closing) {
        self.closing.send_if_modified(|now| now.is_none() && now.replace(reason).is_none());
    }

    /// Whether nobody takes what is sent any more.
    pub fn is_gone(&self) -> bool {
        self.queue.is_closed()
    }

    /// Whether both ends are of the same connection.
    pub fn is(&self, other: &Self) -> bool {
        self.queue.same_channel(&other.queue)
    }
}

/// The receiving end: what [`converse`] sends on.
#[derive(Debug)]
pub struct Outgoing<E> {
    queue: mpsc::Receiver<E>,
    closing: watch::Receiver<Option<Closing>>,
}

impl<E> Outgoing<E> {
    /// The next event, for who is no browser; `None` when the connection is to close. Nothing is lost when this is given up
    /// half-way.
    pub async fn next(&mut self) -> Option<E> {
        tokio::select! {
            biased;
            _ = self.closing.wait_for(Option::is_some) => None,
            event = self.queue.recv() => event,
        }
    }
}

/// Both ends of a new connection's queue.
pub fn line<E>() -> (Line<E>, Outgoing<E>) {
    let (queue, outgoing) = mpsc::channel(QUEUE);
    let (closing, watching) = watch::channel(None);
    (Line { queue, closing: Arc::new(closing) }, Outgoing { queue: outgoing, closing: watching })
}

/// What speaks at the other end of a connection.
pub trait Peer: Send {
    /// What it sends.
    type Request: DeserializeOwned + Send;
    /// What it is sent.
    type Event: Serialize + Send + From<ErrorNews>;
    /// How long it may say nothing.
    const SILENCE: Duration;

    /// One message from it. `Err` closes the connection.
    fn hear(
        &mut self,
        request: Self::Request,
        line: &Line<Self::Event>,
    ) -> impl Future<Output = Result<(), Closing>> + Send;
}

/// Sets the limits of every WebSocket here.
///
/// # Errors
/// `malformed` for a request that opens no WebSocket.
pub fn limited(
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<WebSocketUpgrade, Problem> {
    let upgrade = upgrade.map_err(|_| Code::Malformed)?;
    Ok(upgrade
        .max_message_size(READ_UP_TO)
        .max_frame_size(READ_UP_TO)
        .read_buffer_size(4 * 1024)
        .write_buffer_size(0)
        .max_write_buffer_size(4 * klinke_wire::MAX_MESSAGE))
}

/// Carries one conversation to its end.
pub async fn converse<P: Peer>(
    mut socket: WebSocket,
    peer: &mut P,
    line: &Line<P::Event>,
    mut outgoing: Outgoing<P::Event>,
) {
    let mut allowance = Allowance::full(Instant::now());
    let silence = tokio::time::sleep(P::SILENCE);
    tokio::pin!(silence);
    let reason = loop {
        tokio::select! {
            biased;
            // it changes once: the first reason counts
            _ = outgoing.closing.changed() => break *outgoing.closing.borrow_and_update(),
            event = outgoing.queue.recv() => {
                let Some(event) = event else { break None };
                // a peer that does not read is closed when its queue is full, not when this event is through
                tokio::select! {
                    biased;
                    _ = outgoing.closing.changed() => break *outgoing.closing.borrow_and_update(),
                    sent = tokio::time::timeout(P::SILENCE, send(&mut socket, &event)) => match sent {
                        Ok(Ok(())) => {}
                        Ok(Err(_)) => break None,
                        Err(_) => break Some(Closing::Slow),
                    }
                }
            }
            message = socket.recv() => {
                let now = Instant::now();
                // whatever it is: every frame costs work, also one that says nothing
                if !allowance.take(now) {
                    break Some(Closing::TooMany);
                }
                let request = match message {
                    Some(Ok(Message::Text(text))) if text.len() > klinke_wire::MAX_MESSAGE => {
                        break Some(Closing::TooLarge);
                    }
                    Some(Ok(Message::Binary(bytes))) if bytes.len() > klinke_wire::MAX_MESSAGE => {
                        break Some(Closing::TooLarge);
                    }
                    Some(Ok(Message::Text(text))) => serde_json::from_str(&text).ok(),
                    Some(Ok(Message::Binary(_))) => None,
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
                    Some(Ok(Message::Close(_))) | None => break None,
                    Some(Err(error)) => {
                        if is_too_large(&error) {
                            // nothing may be read any more: the next read would take in the message after all
                            let goodbye = say_goodbye(&mut socket, Closing::TooLarge);
                            drop(tokio::time::timeout(GOODBYE, goodbye).await);
                        }
                        break None;
                    }
                };
                silence.as_mut().reset(now + P::SILENCE);
                match request {
                    Some(request) => {
                        if let Err(closing) = peer.hear(request, line).await {
                            break Some(closing);
                        }
                    }
                    None => line.send(ErrorNews::new(None, ErrorCode::Malformed).into()),
                }
            }
            () = &mut silence => break Some(Closing::Silent),
        }
    };
    if let Some(reason) = reason {
        refuse(socket, reason).await;
    }
}

/// Closes a connection with a reason.
pub async fn refuse(mut socket: WebSocket, reason: Closing) {
    let goodbye = async {
        if say_goodbye(&mut socket, reason).await.is_ok() {
            // what is still on its way is read, until the peer has said goodbye too: see `READ_UP_TO`
            while let Some(Ok(_)) = socket.recv().await {}
        }
    };
    // a peer that does not take its close frame is dropped all the same
    drop(tokio::time::timeout(GOODBYE, goodbye).await);
}

async fn say_goodbye(socket: &mut WebSocket, reason: Closing) -> Result<(), axum::Error> {
    let frame = CloseFrame { code: reason.code(), reason: "".into() };
    socket.send(Message::Close(Some(frame))).await
}

/// The first message of a connection; `None` when it is not text or the peer is gone.
pub async fn first_text(socket: &mut WebSocket) -> Option<axum::extract::ws::Utf8Bytes> {
    loop {
        match socket.recv().await? {
            Ok(Message::Text(text)) => return Some(text),
            Ok(Message::Ping(_) | Message::Pong(_)) => {}
            Ok(Message::Binary(_) | Message::Close(_)) | Err(_) => return None,
        }
    }
}

/// Sends one event at once, past the queue (the first message of a connection).
///
/// # Errors
/// When the connection is gone.
pub async fn send<E: Serialize>(socket: &mut WebSocket, event: &E) -> Result<(), axum::Error> {
    let text = serde_json::to_string(event).map_err(axum::Error::new)?;
    socket.send(Message::Text(text.into())).await
}

fn is_too_large(error: &axum::Error) -> bool {
    use std::error::Error as _;
    // axum hides tungstenite's type; its text is the only thing that tells a capacity error from a lost link
    error.source().unwrap_or(error).to_string().contains("too long")
}

/// A token bucket.
#[derive(Debug)]
struct Allowance {
    tokens: f64,
    at: Instant,
}

impl Allowance {
    const fn full(at: Instant) -> Self {
        Self { tokens: BURST, at }
    }

    fn take(&mut self, now: Instant) -> bool {
        let earned = now.saturating_duration_since(self.at).as_secs_f64() * PER_SECOND;
        self.at = now;
        self.tokens = (self.tokens + earned).min(BURST);
        let enough = self.tokens >= 1.0;
        if enough {
            self.tokens -= 1.0;
        }
        enough
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_full_queue_drops_the_client_and_never_waits() {
        let (line, mut outgoing) = line::<u32>();
        for number in 0..QUEUE + 5 {
            line.send(u32::try_from(number).unwrap());
        }
        assert_eq!(*outgoing.closing.borrow(), Some(Closing::Slow));
        line.close(Closing::Stopping);
        assert_eq!(*outgoing.closing.borrow(), Some(Closing::Slow), "the first reason counts");
        assert_eq!(outgoing.queue.recv().await, Some(0));
    }

    #[tokio::test(start_paused = true)]
    async fn the_allowance_refills_with_time() {
        let start = Instant::now();
        let mut allowance = Allowance::full(start);
        let taken = (0..200).filter(|_| allowance.take(start)).count();
        assert_eq!(taken, 60);
        assert!(!allowance.take(start));
        let later = start + Duration::from_secs(1);
        assert_eq!((0..200).filter(|_| allowance.take(later)).count(), 20);
    }
}
