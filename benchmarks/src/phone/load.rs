//! The panels and phones of bridged calls, in a process of their own: the process `klinke-bench phone-load`.
//!
//! All panels share one socket and all phones another. One thread sends both packets of each call every 20 ms, calls spread
//! over these 20 ms; two threads count what comes. It says where its sockets are, takes one line of JSON that says
//! where the calls are, and answers each line after that with what has come so far.

use super::sound;
use crate::Result;
use crate::figures::now;
use crate::process::Process;
use klinke_sip::rtp::packet::{Packet, is_rtcp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

/// Payload type of Opus on the panel's side.
pub const OPUS: u8 = 111;

/// Between two looks at what has come: a socket holds more than that of 100 calls.
const BETWEEN_LOOKS: Duration = Duration::from_millis(4);

/// Where one call's packets go.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub struct Call {
    /// The panel's.
    pub panel: SocketAddr,
    /// The phone's.
    pub phone: SocketAddr,
}

/// Where the panels and the phones are.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub struct Sockets {
    /// All panels.
    pub panel: SocketAddr,
    /// All phones.
    pub phone: SocketAddr,
}

/// What has come from all calls.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Counts {
    /// Packets to the panels.
    pub panel: u64,
    /// Their payloads, bytes.
    pub panel_bytes: u64,
    /// Packets to the phones.
    pub phone: u64,
    /// Those of them that can be heard.
    pub phone_loud: u64,
}

/// The running process, seen from outside.
pub struct Load {
    process: Process,
    /// Where its sockets are.
    pub sockets: Sockets,
}

impl Load {
    /// Starts it.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn start() -> Result<Self> {
        let mut process = Process::start(Command::new(std::env::current_exe()?).arg("phone-load"))?;
        let sockets = serde_json::from_str(&process.line().await?)?;
        Ok(Self { process, sockets })
    }

    /// Begins to send.
    ///
    /// # Errors
    /// When it is gone.
    pub async fn send(&mut self, calls: &[Call]) -> Result<()> {
        self.say(&serde_json::to_string(calls)?).await
    }

    /// What has come so far.
    ///
    /// # Errors
    /// When it is gone.
    pub async fn counts(&mut self) -> Result<Counts> {
        self.say("counts").await?;
        Ok(serde_json::from_str(&self.process.line().await?)?)
    }

    async fn say(&mut self, line: &str) -> Result<()> {
        Ok(self.process.input.write_all(format!("{line}\n").as_bytes()).await?)
    }
}

#[derive(Default)]
struct Counters {
    panel: AtomicU64,
    panel_bytes: AtomicU64,
    phone: AtomicU64,
    phone_loud: AtomicU64,
}

/// The process itself: until its input ends.
///
/// # Errors
/// When it is told nonsense.
pub fn serve() -> Result<Value> {
    let (panel, phone) = (UdpSocket::bind((super::HERE, 0))?, UdpSocket::bind((super::HERE, 0))?);
    let sockets = Sockets { panel: panel.local_addr()?, phone: phone.local_addr()? };
    let (opus, pcmu) = (sound::opus()?, sound::pcmu()?);
    let counters = Arc::<Counters>::default();
    let (at_panel, at_phone) = (counters.clone(), counters.clone());
    count(&panel, move |packet| {
        at_panel.panel.fetch_add(1, Ordering::Relaxed);
        at_panel.panel_bytes.fetch_add(packet.payload.len() as u64, Ordering::Relaxed);
    })?;
    count(&phone, move |packet| {
        at_phone.phone.fetch_add(1, Ordering::Relaxed);
        at_phone.phone_loud.fetch_add(u64::from(sound::is_loud(packet.payload)), Ordering::Relaxed);
    })?;
    println!("{}", serde_json::to_string(&sockets)?);

    let mut told = std::io::stdin().lines();
    let calls: Vec<Call> = serde_json::from_str(&told.next().ok_or("no calls")??)?;
    std::thread::spawn(move || send(&panel, &phone, &calls, &opus, &pcmu));
    for _ in told.map_while(std::result::Result::ok) {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let counts = Counts {
            panel: count(&counters.panel),
            panel_bytes: count(&counters.panel_bytes),
            phone: count(&counters.phone),
            phone_loud: count(&counters.phone_loud),
        };
        println!("{}", serde_json::to_string(&counts)?);
    }
    Ok(Value::Null)
}

fn send(panel: &UdpSocket, phone: &UdpSocket, calls: &[Call], opus: &[Vec<u8>], pcmu: &[Vec<u8>]) {
    let began = now();
    let frame = Duration::from_millis(20);
    let count = u32::try_from(calls.len()).unwrap_or(u32::MAX);
    for n in 0_u32.. {
        for (number, call) in (0_u32..).zip(calls) {
            let due = frame * n + frame / count * number;
            std::thread::sleep(due.saturating_sub(began.elapsed()));
            // nobody speaks in step
            let at = (n + number * 37) as usize % sound::FRAMES;
            let write = |payload_type, ticks: u32, payload: &[u8]| {
                Packet {
                    payload_type,
                    marker: n == 0,
                    sequence: n as u16,
                    timestamp: n.wrapping_mul(ticks),
                    ssrc: number + 1,
                    csrc: &[],
                    extension: None,
                    payload,
                }
                .write()
            };
            // what does not arrive is seen in the counts
            let _ = panel.send_to(&write(OPUS, 960, &opus[at]), call.panel);
            let _ = phone.send_to(&write(0, 160, &pcmu[at]), call.phone);
        }
    }
}

/// Counts what comes, a few milliseconds' at a time: who sends shall not pay for waking up a listener, which in life is on
/// another machine.
fn count(socket: &UdpSocket, mut each: impl FnMut(&Packet<'_>) + Send + 'static) -> Result<()> {
    let socket = socket.try_clone()?;
    // the sending side is non-blocking with it: a full socket loses a packet as a network does
    socket.set_nonblocking(true)?;
    std::thread::spawn(move || {
        let mut buffer = [0; 1_500];
        loop {
            while let Ok((length, _)) = socket.recv_from(&mut buffer) {
                let datagram = &buffer[..length];
                if !is_rtcp(datagram)
                    && let Ok(packet) = Packet::parse(datagram)
                {
                    each(&packet);
                }
            }
            std::thread::sleep(BETWEEN_LOOKS);
        }
    });
    Ok(())
}
