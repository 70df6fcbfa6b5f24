//! Connections to devices that move locks.

use socket2::SockRef;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpStream;

/// How long a device may take to answer a call.
const DIAL_LIMIT: Duration = Duration::from_secs(1);

/// What was not acknowledged after this long is never delivered.
const UNDELIVERED_LIMIT: Duration = Duration::from_secs(2);

/// Connects to a device. **Nothing that is sent on it arrives late**: a connection that is dropped, also with the
/// process, is reset and what the kernel has not sent yet is thrown away; one that is cut ends after 2 s.
///
/// # Errors
/// When there is no connection within 1 s.
pub async fn dial(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = tokio::time::timeout(DIAL_LIMIT, TcpStream::connect(address)).await??;
    stream.set_nodelay(true)?;
    let socket = SockRef::from(&stream);
    socket.set_linger(Some(Duration::ZERO))?;
    socket.set_tcp_user_timeout(Some(UNDELIVERED_LIMIT))?;
    Ok(stream)
}
