//! What a relayed call costs: our media in a process of its own, beside Janus's VideoRoom with the same senders.
//!
//! A call is one panel (1 Mbit/s of picture in 25 frames a second, 50 packets of sound a second) and two apps. One
//! app gets picture and sound, the other the picture, as in an answered call of a household; so both servers take in
//! and send the same packets. Everything goes through an address of this machine that is not 127.0.0.1, because Janus
//! offers no other.

mod connection;
mod janus;
pub mod klinke;

use crate::Result;
use crate::figures::now;
use crate::process::Process;
use connection::{Connection, Tally};
use serde_json::{Value, json};
use std::net::{IpAddr, Ipv4Addr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;
use uuid::Uuid;

/// Calls at once.
const CALLS: u32 = 10;
/// What an app with sound gets each second: five packets a frame, and the sound.
const PACKETS: f64 = 125.0 + 50.0;
/// What an app without sound gets each second.
const PICTURE_PACKETS: f64 = 125.0;
/// Until rates are steady.
const WARM_UP: Duration = Duration::from_secs(3);
/// How long is measured.
const SPAN: Duration = Duration::from_secs(12);

/// A server that relays calls.
trait Relay {
    /// Takes a panel's picture and sound.
    async fn publish(&mut self, call: Uuid, panel: Connection) -> Result<()>;
    /// Gives them to an app.
    async fn watch(&mut self, call: Uuid, app: Connection, with_sound: bool) -> Result<()>;
    /// The program that is measured.
    fn process(&self) -> &Process;
}

/// Both servers, one after the other.
///
/// # Errors
/// When one is missing or does not relay.
pub async fn measure() -> Result<Value> {
    let at = own_address();
    let ours = Box::pin(carry(klinke::Klinke::start(at).await?, at)).await?;
    let janus = Box::pin(carry(janus::Janus::start().await?, at)).await?;
    Ok(json!({ "calls": CALLS, "apps_per_call": 2, "klinke": ours, "janus": janus }))
}

/// The address by which this machine would reach others; nothing is sent to find out.
fn own_address() -> IpAddr {
    let local = UdpSocket::bind("0.0.0.0:0").and_then(|socket| {
        socket.connect("192.0.2.1:9")?;
        socket.local_addr()
    });
    local.map_or(Ipv4Addr::LOCALHOST.into(), |local| local.ip())
}

async fn carry(mut relay: impl Relay, at: IpAddr) -> Result<Value> {
    let before = relay.process().resident()?;
    let (sent, heard, seen) = (Arc::<Tally>::default(), Arc::<Tally>::default(), Arc::<Tally>::default());
    for number in 1..=CALLS {
        let call = Uuid::from_u128(number.into());
        relay.publish(call, Connection::new(at, &sent).await?).await?;
        sent.until_connected(number).await?;
        relay.watch(call, Connection::new(at, &heard).await?, true).await?;
        relay.watch(call, Connection::new(at, &seen).await?, false).await?;
        heard.until_connected(number).await?;
        seen.until_connected(number).await?;
    }
    sleep(WARM_UP).await;

    let (began, busy) = (now(), relay.process().processor_time()?);
    let (heard_before, seen_before) = (heard.packets(), seen.packets());
    sleep(SPAN).await;
    let busy = relay.process().processor_time()?.saturating_sub(busy);
    let (heard, seen) = (heard.packets() - heard_before, seen.packets() - seen_before);
    let seconds = began.elapsed().as_secs_f64();
    let resident = relay.process().resident()?;

    let calls = f64::from(CALLS);
    let arrived = (heard + seen) as f64 / seconds / calls / (PACKETS + PICTURE_PACKETS);
    if arrived < 0.98 {
        return Err(format!("only {:.1} % of the packets arrived", arrived * 100.0).into());
    }
    Ok(json!({
        "cpu_percent_per_call": busy.as_secs_f64() / seconds * 100.0 / calls,
        "us_per_packet_sent_on": busy.as_secs_f64() * 1e6 / (heard + seen) as f64,
        "kib_per_call": resident.saturating_sub(before) as f64 / calls,
        "kib_at_rest": before,
        "arrived": arrived,
    }))
}
