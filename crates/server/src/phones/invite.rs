//! From a number to a phone that was picked up: ports, INVITE, and the sound that both sides agree on.

use super::NotRung;
use crate::node::Node;
use klinke_model::ids::{BuildingId, TenantId};
use klinke_sip::agent::{Dial, Leg, Reoffer};
use klinke_sip::dial::Number;
use klinke_sip::rtp::codec::Codec;
use klinke_sip::rtp::port::{Line, News, PortError, Ports};
use klinke_sip::sdp::{self, Agreed, Local, Refused};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::mpsc;

/// Best first. Opus is rare on trunks, G.722 is "HD voice".
pub(crate) const CODECS: [Codec; 4] = [Codec::Opus, Codec::G722, Codec::Pcma, Codec::Pcmu];

/// A phone that is to be rung.
pub struct Wanted {
    /// Whose trunks are used.
    pub tenant: TenantId,
    /// In front of which building somebody stands; `None` when nobody does.
    pub building: Option<BuildingId>,
    /// Where.
    pub number: Number,
    /// How long it may ring.
    pub ring: Duration,
    /// How long it may be held once it was picked up.
    pub hold: Duration,
}

/// A phone that is being rung.
pub struct Invited {
    /// What we offered.
    pub local: Local,
    /// Where its sound will come.
    pub ports: Ports,
    /// The call. Dropped, it is hung up.
    pub sip: Leg,
}

/// Why a phone is not being rung.
#[derive(Debug, thiserror::Error)]
pub enum NotInvited {
    /// There is no place for its sound.
    #[error(transparent)]
    Ports(#[from] PortError),
    /// It may not be, or can not.
    #[error(transparent)]
    NotRung(#[from] NotRung),
}

/// Why a phone that was picked up has no sound.
#[derive(Debug, thiserror::Error)]
pub enum NoSound {
    /// What it answered.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// Our side of it.
    #[error(transparent)]
    Port(#[from] PortError),
}

/// Rings. What both sides agree on later is told to `changes`.
///
/// # Errors
/// [`NotInvited`].
pub async fn invite(
    node: &Node,
    wanted: Wanted,
    changes: mpsc::UnboundedSender<Agreed>,
) -> Result<Invited, NotInvited> {
    let Wanted { tenant, building, number, ring, hold } = wanted;
    let (ports, address) = node.phones.ports().await?;
    // 62 bits: some read it as a signed number
    let session = u64::from_be_bytes(node.random.bytes()) >> 2;
    let local = Local { address, session, version: 1, codecs: CODECS.to_vec(), crypto: None };
    let dial = Dial {
        to: number,
        offer: sdp::offer(&local),
        ring,
        talk: hold,
        reoffer: reoffer(local.clone(), changes),
        encrypted: None,
    };
    let sip = node.phones.call(tenant, building, dial, node.clock.mono())?;
    Ok(Invited { local, ports, sip })
}

/// Answers what the other side offers during the call, and tells what was agreed.
pub(crate) fn reoffer(local: Local, changes: mpsc::UnboundedSender<Agreed>) -> Reoffer {
    let version = AtomicU64::new(local.version);
    Arc::new(move |offer| {
        let version = version.fetch_add(1, Ordering::Relaxed) + 1;
        let local = Local { version, ..local.clone() };
        let Some(offer) = offer else { return Some(sdp::offer(&local)) };
        let (answer, agreed) = sdp::answer(&local, offer.as_bytes()).ok()?;
        // a phone that has been hung up has no sound to change
        let _ = changes.send(agreed);
        Some(answer)
    })
}

/// Whether keys come as tones over the trunk of this call.
pub fn has_tones(node: &Node, tenant: TenantId, sip: &Leg) -> bool {
    sip.trunk().is_some_and(|trunk| node.phones.has_tones(tenant, trunk))
}

/// The sound of a phone that was picked up with this answer to what we offered. With `tones`, keys also come in the sound.
///
/// # Errors
/// [`NoSound`].
pub fn start(
    node: &Node,
    (local, answer): (&Local, &str),
    ports: Ports,
    tones: bool,
) -> Result<(Codec, Line, mpsc::Receiver<News>), NoSound> {
    let agreed = sdp::agreed(local, answer.as_bytes())?;
    let (line, news) = ports.start(&agreed, tones, node.clock.clone())?;
    Ok((agreed.codec, line, news))
}
