//! One connection of a device, plain or inside TLS: whole messages in and out, until one side closes.

use crate::wire::cut;
use rustls::ServerConfig;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

/// How long a handshake or a write may take.
const PATIENCE: Duration = Duration::from_secs(4);

/// What came on a connection.
pub(super) enum Heard {
    /// A whole message.
    Message(u64, Vec<u8>),
    /// Its end.
    Closed(u64),
}

/// Carries messages until the other side closes, says what is no SIP, or nobody wants to send any more.
pub(super) async fn carry(
    id: u64,
    stream: TcpStream,
    tls: Option<Arc<ServerConfig>>,
    heard: mpsc::Sender<Heard>,
    outbox: mpsc::Receiver<Vec<u8>>,
) {
    match tls {
        None => pass(id, stream, &heard, outbox).await,
        Some(config) => {
            if let Ok(Ok(stream)) = timeout(PATIENCE, TlsAcceptor::from(config).accept(stream)).await {
                pass(id, stream, &heard, outbox).await;
            }
        }
    }
    // nobody listens only when all is over
    let _ = heard.send(Heard::Closed(id)).await;
}

async fn pass<S: AsyncRead + AsyncWrite>(
    id: u64,
    stream: S,
    heard: &mpsc::Sender<Heard>,
    mut outbox: mpsc::Receiver<Vec<u8>>,
) {
    let (mut from, mut to) = tokio::io::split(stream);
    let mut read = Vec::new();
    loop {
        tokio::select! {
            bytes = outbox.recv() => {
                let Some(bytes) = bytes else { return };
                let written = async {
                    to.write_all(&bytes).await?;
                    to.flush().await
                };
                if !matches!(timeout(PATIENCE, written).await, Ok(Ok(()))) {
                    return;
                }
            }
            more = from.read_buf(&mut read) => {
                if !matches!(more, Ok(1..)) {
                    return;
                }
                loop {
                    match cut(&mut read) {
                        Ok(Some(message)) => {
                            if heard.send(Heard::Message(id, message)).await.is_err() {
                                return;
                            }
                        }
                        Ok(None) => break,
                        Err(_) => return,
                    }
                }
            }
        }
    }
}
