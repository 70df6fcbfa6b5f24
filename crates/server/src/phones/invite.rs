//! From a number to a phone that was picked up: ports, INVITE, and the sound that both sides agree on.
//!
//! Which trunk takes the call is known once one has, and each has its own way of encryption: what we offered follows from
//! that ([`Offered::to`]). Keys are drawn for every call, and live as long as it does.

use super::NotRung;
use crate::node::Node;
use klinke_model::ids::{BuildingId, TenantId, TrunkId};
use klinke_sip::agent::{Dial, Encrypted, Encryption, Leg, Reoffer};
use klinke_sip::dial::Number;
use klinke_sip::rtp::codec::Codec;
use klinke_sip::rtp::port::{Line, News, PortError, Ports, our_keys};
use klinke_sip::sdp::{self, Agreed, Local, Newest, OurKeys, Refused};
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
    /// Over this trunk and no other; `None` tries them in their order.
    pub over: Option<TrunkId>,
    /// Where.
    pub number: Number,
    /// How long it may ring.
    pub ring: Duration,
    /// How long it may be held once it was picked up.
    pub hold: Duration,
    /// How many hops it may go, [`HOPS`](klinke_sip::agent::HOPS) at most.
    pub hops: u8,
}

/// A phone that is being rung.
pub struct Invited {
    /// What we offered, once it is known which trunk took it.
    pub offered: Offered,
    /// Where its sound will come.
    pub ports: Ports,
    /// The call. Dropped, it is hung up.
    pub sip: Leg,
}

/// What is offered, however the trunk that is tried has it encrypted.
#[derive(Clone)]
pub struct Offered {
    /// In the open.
    open: Local,
    /// For a trunk that may encrypt.
    may: Option<OurKeys>,
    /// For one that must.
    must: Option<OurKeys>,
    /// The number of the newest description.
    version: Arc<AtomicU64>,
    /// The newest during the call; before that, our offer has one line.
    newest: Arc<Newest>,
    /// Told what was agreed on later.
    changes: mpsc::UnboundedSender<Agreed>,
}

impl Offered {
    /// The description that such a trunk got.
    pub fn to(&self, encryption: Encryption) -> Local {
        let crypto = match encryption {
            Encryption::Off => None,
            Encryption::Offered => self.may.clone(),
            Encryption::Required => self.must.clone(),
        };
        Local { crypto, ..self.open.clone() }
    }

    fn in_the_open(self) -> Reoffer {
        Arc::new(move |offer| self.answer(Encryption::Off, offer))
    }

    /// Answers what the other side offers during the call, and tells what was agreed.
    fn answer(&self, encryption: Encryption, offer: Option<&str>) -> Option<String> {
        let version = self.version.fetch_add(1, Ordering::Relaxed) + 1;
        let local = Local { version, ..self.to(encryption) };
        let Some(offer) = offer else {
            return Some(self.newest.next(|before| sdp::offer_again(&local, before, None)));
        };
        let (answer, agreed) = sdp::answer(&local, offer.as_bytes()).ok()?;
        // a phone that has been hung up has no sound to change
        let _ = self.changes.send(agreed);
        Some(self.newest.next(|_| answer))
    }
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
    let Wanted { tenant, building, over, number, ring, hold, hops } = wanted;
    let (ports, address) = node.phones.ports().await?;
    // 62 bits: some read it as a signed number
    let session = u64::from_be_bytes(node.random.bytes()) >> 2;
    let open = Local { address, session, version: 1, codecs: CODECS.to_vec(), crypto: None };
    let (may, must) = (our_keys(Encryption::Offered)?, our_keys(Encryption::Required)?);
    let version = Arc::new(AtomicU64::new(open.version));
    let offered = Offered { open, may, must, version, newest: Arc::default(), changes };
    let encrypted = {
        let (first, later) = (offered.clone(), offered.clone());
        Encrypted {
            offer: Arc::new(move |encryption| sdp::offer(&first.to(encryption))),
            reoffer: Arc::new(move |encryption, offer| later.answer(encryption, offer)),
        }
    };
    let dial = Dial {
        to: number,
        offer: sdp::offer(&offered.open),
        ring,
        talk: hold,
        hops,
        reoffer: offered.clone().in_the_open(),
        encrypted: Some(encrypted),
    };
    let sip = node.phones.call(tenant, (building, over), dial, node.clock.mono())?;
    Ok(Invited { offered, ports, sip })
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
