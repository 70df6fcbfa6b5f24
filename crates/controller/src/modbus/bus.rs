//! One line to Modbus units: one request at a time, in the order in which they were asked.
//!
//! - **Nothing is sent late.** A request that is given up closes its TCP connection with a reset, and the kernel drops
//!   what it has not sent: no command waits in a buffer for the network to come back, also not when this process is
//!   killed. A serial line has no such buffer worth the name.
//! - A unit that stays silent costs the others on its line [`SILENT_RTU`] or [`SILENT_TCP`] each time; after
//!   [`PATIENCE`] times it is only asked every [`ASK_AGAIN`].

use super::frame::{FrameError, Request};
use crate::network;
use serial2_tokio::SerialPort;
use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep, timeout};

/// How long a unit on a serial line may take to answer.
pub const SILENT_RTU: Duration = Duration::from_millis(200);
/// How long a unit behind TCP may take to answer.
pub const SILENT_TCP: Duration = Duration::from_millis(500);
/// After how many silences in a row a unit is asked seldom.
pub const PATIENCE: u32 = 3;
/// How often a unit is asked that stays silent.
pub const ASK_AGAIN: Duration = Duration::from_secs(2);

/// Where a line goes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// To a host.
    Tcp(SocketAddr),
    /// To a serial device of this machine.
    Rtu {
        /// Such as `/dev/ttyUSB0`.
        device: PathBuf,
        /// bit/s.
        baud: u32,
    },
}

/// One line. Cheap to clone: all clones are the same line.
#[derive(Clone, Debug)]
pub struct Bus {
    place: Arc<Place>,
    shared: Arc<Mutex<Shared>>,
}

#[derive(Debug, Default)]
struct Shared {
    /// Taken out while a request runs: one that is given up leaves no line behind.
    line: Option<Line>,
    transaction: u16,
    /// Units that did not answer: how often in a row, and when the last time was.
    silent: HashMap<u8, (u32, Instant)>,
}

#[derive(Debug)]
enum Line {
    Tcp(TcpStream),
    Rtu(SerialPort),
}

impl Bus {
    /// A line that is opened when it is needed first.
    pub fn new(place: Place) -> Self {
        Self { place: Arc::new(place), shared: Arc::default() }
    }

    /// Asks one unit; the bits of its answer, none for a write.
    ///
    /// # Errors
    /// When the line fails, the unit does not answer in time, or refuses.
    pub async fn ask(&self, unit: u8, request: Request) -> io::Result<Vec<bool>> {
        let mut shared = self.shared.lock().await;
        if let Some((times, last)) = shared.silent.get(&unit)
            && *times >= PATIENCE
            && last.elapsed() < ASK_AGAIN
        {
            return Err(silent());
        }
        let mut line = match shared.line.take() {
            Some(line) => line,
            None => self.open().await?,
        };
        shared.transaction = shared.transaction.wrapping_add(1);
        let answer = match &mut line {
            Line::Tcp(stream) => {
                let asking = ask_tcp(stream, shared.transaction, unit, request);
                timeout(SILENT_TCP, asking).await.unwrap_or_else(|_| Err(silent()))
            }
            Line::Rtu(port) => {
                let asking = ask_rtu(port, self.gap(), unit, request);
                timeout(SILENT_RTU, asking).await.unwrap_or_else(|_| Err(silent()))
            }
        };
        let was_silent = answer.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::TimedOut);
        if was_silent {
            let times = shared.silent.get(&unit).map_or(0, |(times, _)| *times);
            shared.silent.insert(unit, (times.saturating_add(1), Instant::now()));
        } else {
            shared.silent.remove(&unit);
        }
        // a serial line stays good when a unit on it does not; a connection is good as long as it answers
        let is_good = match (&line, &answer) {
            (_, Ok(_)) => true,
            (_, Err(error)) if error.kind() == io::ErrorKind::Other => true, // the unit's own refusal
            (Line::Rtu(_), Err(_)) => was_silent,
            (Line::Tcp(_), Err(_)) => false,
        };
        if is_good {
            shared.line = Some(line);
        }
        answer
    }

    async fn open(&self) -> io::Result<Line> {
        match &*self.place {
            Place::Tcp(address) => Ok(Line::Tcp(network::dial(*address).await?)),
            Place::Rtu { device, baud } => Ok(Line::Rtu(SerialPort::open(device, *baud)?)),
        }
    }

    /// The silence between two frames: 3.5 characters of 11 bits, 1.75 ms at least (Modbus over Serial Line, 2.5.1.1).
    fn gap(&self) -> Duration {
        let Place::Rtu { baud, .. } = &*self.place else { return Duration::ZERO };
        let micros = 38_500_000_u64.checked_div(u64::from(*baud)).unwrap_or_default();
        Duration::from_micros(micros.max(1_750))
    }
}

fn silent() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "the unit does not answer")
}

async fn ask_tcp(
    stream: &mut TcpStream,
    transaction: u16,
    unit: u8,
    request: Request,
) -> io::Result<Vec<bool>> {
    stream.write_all(&request.to_tcp(transaction, unit)).await?;
    let mut head = [0; 6];
    stream.read_exact(&mut head).await?;
    let mut rest = vec![0; Request::tcp_rest(transaction, head)?];
    stream.read_exact(&mut rest).await?;
    Ok(request.from_tcp(unit, &rest)?)
}

async fn ask_rtu(port: &mut SerialPort, gap: Duration, unit: u8, request: Request) -> io::Result<Vec<bool>> {
    sleep(gap).await;
    // what is left of an answer that came too late, or of noise
    port.discard_buffers()?;
    port.write_all(&request.to_rtu(unit)).await?;
    let mut head = [0; 2];
    port.read_exact(&mut head).await?;
    let length = request.rtu_length(unit, head)?;
    let mut reply = vec![0; length];
    let Some((start, rest)) = reply.split_first_chunk_mut::<2>() else {
        return Err(FrameError::Mismatch.into());
    };
    *start = head;
    port.read_exact(rest).await?;
    Ok(request.from_rtu(unit, &reply)?)
}
