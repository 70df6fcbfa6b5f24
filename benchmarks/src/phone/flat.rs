//! A thousand calls in a row over one agent: INVITE, ports, sound both ways, BYE. SIPp is the trunk.
//!
//! Memory is looked at when nothing is left of the calls before, after the hundredth and after the last.

use super::invite::{over, ready};
use super::{HERE, RANGE, local, settings, sound};
use crate::Result;
use crate::figures::now;
use klinke_model::time::SystemClock;
use klinke_sip::agent::{Agent, Dial, Event, HOPS};
use klinke_sip::dial::Countries;
use klinke_sip::rtp::packet::Packet;
use klinke_sip::rtp::port::{News, Ports};
use klinke_sip::sdp::{agreed, offer};
use serde_json::{Value, json};
use std::fs;
use std::net::SocketAddr;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;
use tokio::process::Command;
use tokio::time::{sleep, timeout};

/// By then every buffer has its size.
const EARLY: u32 = 100;
/// All calls.
const CALLS: u32 = 1_000;
/// Packets of sound that are heard in each.
const HEARD: usize = 3;
/// Longer than anything takes. SIP remembers a call for up to 32 s after its end (RFC 3261 §17).
const PATIENCE: Duration = Duration::from_secs(60);

/// One run.
///
/// # Errors
/// When a call fails.
pub async fn measure() -> Result<Value> {
    let folder = tempfile::tempdir()?;
    let port = std::net::UdpSocket::bind((HERE, 0))?.local_addr()?.port();
    let script = folder.path().join("answer.xml");
    fs::write(&script, include_str!("../../../crates/sip/tests/sipp/answer.xml"))?;
    let mut sipp = Command::new("sipp");
    sipp.arg("-sf").arg(&script).args(["-i", "127.0.0.1", "-mi", "127.0.0.1", "-nostdin"]);
    // the look at whether it is there is a call of its script too
    sipp.args(["-p", &port.to_string(), "-m", &(CALLS + 1).to_string()]).current_dir(folder.path());
    sipp.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    let _sipp = sipp
        .spawn()
        .map_err(|error| format!("SIPp of the Debian package `sip-tester` is needed: {error}"))?;

    let agent = Agent::start(vec![settings(port)])?;
    ready(&agent).await?;
    let clock = Arc::new(SystemClock::start());
    let packets = sound::opus()?;
    let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let (idle, sockets) = (tasks(), open_files()?);

    let (began, mut early) = (now(), 0);
    for number in 1..=CALLS {
        call(&agent, &clock, &packets).await?;
        if number == EARLY {
            nothing_left(&agent).await?;
            early = resident()?;
        }
    }
    let seconds = began.elapsed().as_secs_f64();
    nothing_left(&agent).await?;
    let late = resident()?;
    Ok(json!({
        "calls": CALLS,
        "seconds": seconds,
        "kib_after_100": early,
        "kib_after_1000": late,
        "growth_percent": (late as f64 / early as f64 - 1.0) * 100.0,
        "left": agent.dialogs() + tasks().saturating_sub(idle) + open_files()?.saturating_sub(sockets),
    }))
}

/// One call with sound both ways.
async fn call(agent: &Agent, clock: &Arc<SystemClock>, packets: &[Vec<u8>]) -> Result<()> {
    let ports = Ports::take(HERE, RANGE).await?;
    let ours = local(SocketAddr::new(HERE, ports.port()?));
    let mut leg = agent.call(Dial {
        to: Countries::default().read("+47 21 60 00 00").map_err(|barred| format!("{barred:?}"))?,
        offer: offer(&ours),
        ring: PATIENCE,
        talk: PATIENCE,
        hops: HOPS,
        reoffer: Arc::new(|_| None),
        encrypted: None,
    });
    let text = loop {
        match timeout(PATIENCE, leg.event()).await?.ok_or("the call is over")? {
            Event::Answered { sdp } => break sdp,
            Event::Ended(why) => return Err(format!("the call ended: {why:?}").into()),
            _ => {}
        }
    };
    let (line, mut news) = ports.start(&agreed(&ours, text.as_bytes())?, false, clock.clone())?;
    line.answered().await;
    let mut heard = 0;
    for (n, payload) in (0_u16..).zip(packets) {
        let packet = Packet {
            payload_type: 111,
            marker: n == 0,
            sequence: n,
            timestamp: u32::from(n) * 960,
            ssrc: 1,
            csrc: &[],
            extension: None,
            payload,
        };
        line.from_panel(packet.write());
        while !matches!(timeout(PATIENCE, news.recv()).await?.ok_or("the line is gone")?, News::ForPanel(_)) {
        }
        heard += 1;
        if heard == HEARD {
            break;
        }
    }
    leg.hang_up();
    line.end().await;
    over(&mut leg).await?;
    // with the news the task has ended and the ports are free
    while timeout(PATIENCE, news.recv()).await?.is_some() {}
    Ok(())
}

/// Until nothing of any call is left on the wire.
async fn nothing_left(agent: &Agent) -> Result<()> {
    let empty = async {
        while agent.dialogs() > 0 {
            sleep(Duration::from_millis(20)).await;
        }
    };
    Ok(timeout(PATIENCE, empty).await.map_err(|_| format!("{} dialogs are left", agent.dialogs()))?)
}

/// What this process holds, KiB.
fn resident() -> Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next()).ok_or("no VmRSS")?;
    Ok(kib.parse()?)
}

/// Sockets and other files that are open.
fn open_files() -> Result<usize> {
    Ok(fs::read_dir("/proc/self/fd")?.count())
}
