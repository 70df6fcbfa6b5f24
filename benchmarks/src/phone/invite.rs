//! How soon a phone is called: from [`Agent::call`] until the INVITE was read from a socket in another process. One call
//! after another, and 50 at once. Beside it a bare datagram between the same two processes.

use super::settings;
use super::trunk::moment;
use crate::Result;
use crate::figures::times;
use crate::process::Process;
use klinke_sip::agent::{Agent, Dial, Event, HOPS, Leg, State};
use klinke_sip::dial::Countries;
use klinke_sip::sdp::offer;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio::process::Command;
use tokio::time::timeout;

/// Calls in either way, and datagrams.
const CALLS: usize = 1_000;
/// Calls that begin together.
const AT_ONCE: usize = 50;
/// Longer than anything takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// One run.
///
/// # Errors
/// When an INVITE does not arrive.
pub async fn measure() -> Result<Value> {
    let mut trunk = Process::start(Command::new(std::env::current_exe()?).arg("phone-trunk"))?;
    let port: u16 = trunk.line().await?.parse()?;
    let agent = Agent::start(vec![settings(port)])?;
    ready(&agent).await?;

    let mut bare = Vec::with_capacity(CALLS);
    let socket = UdpSocket::bind((super::HERE, 0)).await?;
    socket.connect((super::HERE, port)).await?;
    for number in 0..CALLS {
        let text = format!("bare{number}");
        let began = moment();
        socket.send(text.as_bytes()).await?;
        bare.push(arrivals(&mut trunk, &HashMap::from([(text, began)])).await?);
    }
    let one_by_one = rounds(&agent, &mut trunk, 0, 1).await?;
    let at_once = rounds(&agent, &mut trunk, CALLS, AT_ONCE).await?;
    agent.stop().await;
    Ok(json!({
        "ms": times(one_by_one),
        "at_once_ms": times(at_once),
        "datagram_ms": times(bare.concat()),
    }))
}

/// All calls to the numbers from the first on, so many at a time. Each number is called once.
async fn rounds(agent: &Agent, trunk: &mut Process, first: usize, calls: usize) -> Result<Vec<Duration>> {
    let mut all = Vec::with_capacity(CALLS);
    for from in (first..first + CALLS).step_by(calls) {
        let dials = (from..from + calls).map(dial).collect::<Result<Vec<_>>>()?;
        let (mut began, mut legs) = (HashMap::new(), Vec::with_capacity(calls));
        for (number, dial) in dials {
            began.insert(number, moment());
            legs.push(agent.call(dial));
        }
        all.extend(arrivals(trunk, &began).await?);
        for leg in &mut legs {
            over(leg).await?;
        }
    }
    Ok(all)
}

/// The number as the INVITE says it, and the call.
fn dial(n: usize) -> Result<(String, Dial)> {
    let number = format!("+472160{n:04}");
    let dial = Dial {
        to: Countries::default().read(&number).map_err(|barred| format!("{number}: {barred:?}"))?,
        offer: offer(&super::local(SocketAddr::new(super::HERE, 22_000))),
        ring: PATIENCE,
        talk: PATIENCE,
        hops: HOPS,
        reoffer: Arc::new(|_| None),
        encrypted: None,
    };
    Ok((number, dial))
}

/// How long each of these took until the other process had it; one line for each, the first of what is sent twice.
async fn arrivals(trunk: &mut Process, began: &HashMap<String, u128>) -> Result<Vec<Duration>> {
    let mut came = HashMap::new();
    while came.len() < began.len() {
        let line = timeout(PATIENCE, trunk.output.next_line()).await??.ok_or("the trunk is gone")?;
        let (what, at) = line.split_once(' ').ok_or("a line without a moment")?;
        // one of before, that was sent twice
        let Some(began) = began.get(what) else { continue };
        let took = at.parse::<u128>()?.saturating_sub(*began);
        came.entry(what.to_owned()).or_insert(Duration::from_nanos(u64::try_from(took)?));
    }
    Ok(came.into_values().collect())
}

/// Until the trunk has answered.
///
/// # Errors
/// When it does not.
pub async fn ready(agent: &Agent) -> Result<()> {
    let mut state = agent.watch().pop().ok_or("no trunk")?;
    timeout(PATIENCE, state.wait_for(|state| *state == State::Ready)).await??;
    Ok(())
}

/// Until the leg has ended.
///
/// # Errors
/// When it does not.
pub async fn over(leg: &mut Leg) -> Result<()> {
    loop {
        match timeout(PATIENCE, leg.event()).await? {
            Some(Event::Ended(_)) | None => return Ok(()),
            Some(_) => {}
        }
    }
}
