//! From a tap to a desk phone that rings: ports, and an INVITE to where it registered.

use super::Stations;
use crate::phones::invite::{CODECS, reoffer};
use crate::random::Random;
use klinke_model::ids::DeviceId;
use klinke_sip::rtp::port::{PortError, Ports};
use klinke_sip::sdp::{self, Agreed, Local};
use klinke_sip::stations::{Leg, Ring};
use std::time::Duration;
use tokio::sync::mpsc;

/// A device that is to be rung.
pub struct Wanted {
    /// Which.
    pub device: DeviceId,
    /// What its display shows: where somebody rings, nothing of whom.
    pub place: String,
    /// How long it may ring.
    pub ring: Duration,
    /// How long it may be held once it was picked up.
    pub hold: Duration,
}

/// A device that is being rung.
pub struct Invited {
    /// What we offered.
    pub local: Local,
    /// Where its sound will come.
    pub ports: Ports,
    /// The call. Dropped, it is hung up.
    pub sip: Leg,
}

/// Why a device is not being rung.
#[derive(Debug, thiserror::Error)]
pub enum NotInvited {
    /// There is no place for its sound.
    #[error(transparent)]
    Ports(#[from] PortError),
    /// Its account is gone.
    #[error("it has no account")]
    NoAccount,
}

/// Rings. What both sides agree on later is told to `changes`.
///
/// # Errors
/// [`NotInvited`].
pub async fn invite(
    stations: &Stations,
    random: &Random,
    wanted: Wanted,
    changes: mpsc::UnboundedSender<Agreed>,
) -> Result<Invited, NotInvited> {
    let Wanted { device, place, ring, hold } = wanted;
    let (ports, address) = stations.ports().await?;
    // 62 bits: some read it as a signed number
    let session = u64::from_be_bytes(random.bytes()) >> 2;
    let local = Local { address, session, version: 1, codecs: CODECS.to_vec(), crypto: None };
    let call = |device| Ring {
        device,
        caller: place,
        offer: sdp::offer(&local),
        ring,
        talk: hold,
        reoffer: reoffer(local.clone(), changes),
    };
    let sip = stations.call(device, call).ok_or(NotInvited::NoAccount)?;
    Ok(Invited { local, ports, sip })
}
