//! What a phone leg costs, how soon it calls and how late it sounds.
//!
//! - [`bridge`]: CPU and memory of bridged calls, Opus on the panel's side and PCMU on the phone's, beside the bare codec
//!   ([`bare`]) and Debian's rtpengine ([`rtpengine`]), both with the same sound from the same process ([`load`]);
//! - [`invite`]: from the wish to call until the INVITE has arrived, beside a bare datagram;
//! - [`delay`]: what the bridge adds to the delay from mouth to ear;
//! - [`flat`]: a thousand calls in a row with sound, and what is left of them.
//!
//! Nothing is encrypted, on either side of anybody: what SRTP costs is no part of these figures.

mod bare;
pub mod bridge;
pub mod delay;
pub mod flat;
pub mod invite;
pub mod lines;
pub mod load;
mod rtpengine;
mod sound;
pub mod trunk;

use crate::Result;
use klinke_model::time::SystemClock;
use klinke_sip::agent::{Settings, T1, Way};
use klinke_sip::rtp::codec::Codec;
use klinke_sip::rtp::port::{Line, News, Ports, Range};
use klinke_sip::sdp::{Agreed, Local, agreed, answer, offer};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use tokio::sync::mpsc::Receiver;

/// Everything happens on this machine.
const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// Ports for sound: below those that a system gives out by itself.
const RANGE: Range = Range { first: 22_000, last: 23_999 };
/// How long a frame is, microseconds.
const FRAME_US: f64 = 20_000.0;

/// Our side of a description.
fn local(address: SocketAddr) -> Local {
    Local { address, session: 1, version: 1, codecs: vec![Codec::Pcmu], crypto: None }
}

/// Ports of our own, and what is agreed with a phone at this address.
async fn agree(phone: SocketAddr) -> Result<(Ports, Agreed)> {
    let ports = Ports::take(HERE, RANGE).await?;
    let ours = local(SocketAddr::new(HERE, ports.port()?));
    let (text, _) = answer(&local(phone), offer(&ours).as_bytes())?;
    Ok((ports, agreed(&ours, text.as_bytes())?))
}

/// A line to a phone at this address that has picked up; gives its port too.
async fn line(phone: SocketAddr, clock: &Arc<SystemClock>) -> Result<(SocketAddr, Line, Receiver<News>)> {
    let (ports, agreed) = agree(phone).await?;
    let port = SocketAddr::new(HERE, ports.port()?);
    let (line, news) = ports.start(&agreed, false, clock.clone())?;
    line.answered().await;
    Ok((port, line, news))
}

/// A trunk on this machine that knows us without registration.
fn settings(port: u16) -> Settings {
    Settings {
        name: "bench".into(),
        host: HERE.to_string(),
        port,
        way: Way::Udp,
        bind: SocketAddr::new(HERE, 0),
        domain: None,
        caller: "+4721600001".into(),
        registers: false,
        account: None,
        t1: T1,
        encryption: klinke_sip::agent::Encryption::Off,
    }
}
