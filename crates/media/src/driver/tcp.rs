//! TCP on the media port, for networks that let nothing else through (RFC 6544, passive; RFC 4571 framing: two
//! bytes of length before each datagram).
//!
//! Invariants: at most [`MOST_CONNECTIONS`] connections; one that did not pass a connectivity check within
//! [`PROVE_WITHIN`], falls silent, stops reading or sends what nobody wants is closed.

use super::net::{LONGEST, Net, canonical, now};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use str0m::net::Protocol;
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

const MOST_CONNECTIONS: usize = 1_024;
const PROVE_WITHIN: Duration = Duration::from_secs(5);
/// Browsers check the connection every few seconds; silence means it is gone.
const IDLE: Duration = Duration::from_secs(30);
const WRITE_WITHIN: Duration = Duration::from_secs(5);
/// Datagrams that may wait for the connection: a large key frame.
const QUEUE: usize = 256;
/// Rest after a failed accept (no file descriptors left), so that it does not turn into a busy loop.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Accepts connections until stopped.
pub(super) async fn accept(net: &Arc<Net>, listener: &TcpListener, stop: &CancellationToken) {
    let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, from)) => {
                if let Ok(place) = Arc::clone(&places).try_acquire_owned() {
                    tokio::spawn(serve(Arc::clone(net), stream, canonical(from), place, stop.clone()));
                }
            }
            Err(error) => {
                tracing::warn!(%error, "accepting on the media port failed");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn serve(
    net: Arc<Net>,
    stream: TcpStream,
    from: SocketAddr,
    _place: OwnedSemaphorePermit,
    stop: CancellationToken,
) {
    // Without it small packets wait for others; a failure costs delay, not the call.
    let _ = stream.set_nodelay(true);
    let (queue, outgoing) = mpsc::channel(QUEUE);
    net.connections().insert(from, queue);
    let (reading, writing) = stream.into_split();
    let ended = tokio::select! {
        () = stop.cancelled() => Ok(()),
        ended = read(&net, reading, from) => ended,
        ended = write(writing, outgoing) => ended,
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "media over TCP ended");
    }
    net.connections().remove(&from);
}

async fn read(net: &Net, stream: OwnedReadHalf, from: SocketAddr) -> io::Result<()> {
    let origin = (Protocol::Tcp, from);
    let prove_by = now() + PROVE_WITHIN;
    let mut stream = BufReader::with_capacity(16 * 1024, stream);
    let mut buffer = [0; LONGEST];
    loop {
        let proven = net.shard_of_proven(origin).is_some();
        let patience = if proven { IDLE } else { prove_by.saturating_duration_since(now()) };
        let length = timeout(patience, async {
            let length = usize::from(stream.read_u16().await?);
            let frame = buffer.get_mut(..length).ok_or(io::ErrorKind::InvalidData)?;
            stream.read_exact(frame).await
        })
        .await??;
        let wanted = buffer.get(..length).is_some_and(|frame| net.dispatch(origin, frame, now()));
        if !wanted {
            return Err(io::ErrorKind::InvalidData.into());
        }
    }
}

async fn write(mut stream: OwnedWriteHalf, mut outgoing: mpsc::Receiver<Vec<u8>>) -> io::Result<()> {
    let mut frame = Vec::with_capacity(LONGEST + 2);
    while let Some(datagram) = outgoing.recv().await {
        let length = u16::try_from(datagram.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
        frame.clear();
        frame.extend_from_slice(&length.to_be_bytes());
        frame.extend_from_slice(&datagram);
        timeout(WRITE_WITHIN, stream.write_all(&frame)).await??;
    }
    Ok(())
}
