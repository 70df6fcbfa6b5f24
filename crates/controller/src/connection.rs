//! Messages over one stream: TLS, or a pipe in tests.

use klinke_wire::controller::{ControllerEvent, ControllerRequest, HEARTBEAT_MS};
use klinke_wire::frame::{FrameError, decode, encode};
use std::io;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// A connection on which nothing moves for this long is dead: three heartbeats.
pub const SILENCE_LIMIT: Duration = Duration::from_millis(3 * HEARTBEAT_MS);

/// Why a connection ended.
#[derive(Debug, thiserror::Error)]
pub enum ConnectionError {
    /// The stream failed.
    #[error("the connection failed: {0}")]
    Io(#[from] io::Error),
    /// The server sent something that is not this protocol.
    #[error("the server sent {0}")]
    Frame(#[from] FrameError),
    /// The server closed the stream.
    #[error("the server closed the connection")]
    Closed,
    /// Nothing came, or nothing could be sent, for [`SILENCE_LIMIT`].
    #[error("the server was silent for {} s", SILENCE_LIMIT.as_secs())]
    Silent,
}

/// One connection to the server.
#[derive(Debug)]
pub struct Connection<S> {
    stream: S,
    /// What was received and not yet taken; never more than one message and one read.
    received: Vec<u8>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// Over a stream whose handshake is done.
    pub const fn new(stream: S) -> Self {
        Self { stream, received: Vec::new() }
    }

    /// Sends one message.
    ///
    /// # Errors
    /// When the stream fails, or takes nothing for [`SILENCE_LIMIT`].
    pub async fn send(&mut self, message: &ControllerRequest) -> Result<(), ConnectionError> {
        let frame = encode(message)?;
        let writing = async {
            self.stream.write_all(&frame).await?;
            self.stream.flush().await
        };
        tokio::time::timeout(SILENCE_LIMIT, writing).await.map_err(|_| ConnectionError::Silent)??;
        Ok(())
    }

    /// Waits for the next message, as long as it takes. Nothing is lost when the future is dropped.
    ///
    /// # Errors
    /// When the stream fails or ends, or what came is no message.
    pub async fn receive(&mut self) -> Result<ControllerEvent, ConnectionError> {
        loop {
            if let Some(event) = decode(&mut self.received)? {
                return Ok(event);
            }
            self.received.reserve(4096);
            if self.stream.read_buf(&mut self.received).await? == 0 {
                return Err(ConnectionError::Closed);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_servers_end_is_an_error_also_within_a_message() {
        let (mut server, ours) = tokio::io::duplex(64);
        server.write_all(&[0, 0, 0]).await.unwrap();
        drop(server);
        let received = Connection::new(ours).receive().await;
        assert!(matches!(received, Err(ConnectionError::Closed)), "{received:?}");
    }
}
