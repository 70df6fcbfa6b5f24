//! From a tap to a desk phone that rings: ports, and an INVITE to where it registered.
//!
//! A picture is offered beside the sound where there are ports for it. What the device makes of that is known when it is
//! picked up. Over TLS both are offered with keys, as it is set up; over no other way, since everybody there could read them.

use super::Stations;
use crate::phones::invite::CODECS;
use crate::random::Random;
use klinke_model::ids::DeviceId;
use klinke_sip::rtp::port::{PortError, Ports};
use klinke_sip::sdp::picture::{Picture, agreed_picture, taking_picture};
use klinke_sip::sdp::{self, Agreed, Local, Newest, OurKeys, Video};
use klinke_sip::stations::{Leg, Reoffer, Ring};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::mpsc;

/// A device that is to be rung.
pub struct Wanted {
    /// Which.
    pub device: DeviceId,
    /// What its display shows: where somebody rings, nothing of whom.
    pub place: String,
    /// Whether it is offered a picture.
    pub picture: bool,
    /// How long it may ring.
    pub ring: Duration,
    /// How long it may be held once it was picked up.
    pub hold: Duration,
    /// How many hops it may go, [`HOPS`](klinke_sip::stations::HOPS) at most.
    pub hops: u8,
}

/// A device that is being rung.
pub struct Invited {
    /// What we offer.
    pub offers: Arc<Offers>,
    /// Where its sound will come.
    pub ports: Ports,
    /// Where reports about its picture will come, when it was offered one.
    pub picture: Option<Ports>,
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
    let Wanted { device, place, picture, ring, hold, hops } = wanted;
    let (ports, address) = stations.ports().await?;
    // 62 bits: some read it as a signed number
    let session = u64::from_be_bytes(random.bytes()) >> 2;
    let local = Local { address, session, version: 1, codecs: CODECS.to_vec(), crypto: None };
    // a picture is worth its ports where there are some
    let (picture, shown) = match if picture { stations.ports().await.ok() } else { None } {
        None => (None, None),
        Some((ports, address)) => {
            let (profile_level, parameter_sets) = (None, None);
            let described = Picture { address, sends: true, profile_level, parameter_sets, crypto: None };
            (Some(ports), Some(described))
        }
    };
    let offers = Arc::new(Offers {
        local,
        keys: stations.keys()?,
        is_picture_open: AtomicBool::new(shown.is_some()),
        picture: shown,
        picture_keys: stations.keys()?,
        over_tls: AtomicBool::new(false),
        version: AtomicU64::new(0),
        newest: Newest::default(),
    });
    let (first, later) = (Arc::clone(&offers), Arc::clone(&offers));
    let call = |device| Ring {
        device,
        caller: place,
        offer: Arc::new(move |over_tls| {
            first.over_tls.store(over_tls, Ordering::Relaxed);
            first.offer()
        }),
        ring,
        talk: hold,
        hops,
        reoffer: later.reoffer(changes),
    };
    let sip = stations.call(device, call).ok_or(NotInvited::NoAccount)?;
    Ok(Invited { offers, ports, picture, sip })
}

/// What we say in every description of one call.
pub struct Offers {
    /// In the open.
    local: Local,
    keys: Option<OurKeys>,
    picture: Option<Picture>,
    picture_keys: Option<OurKeys>,
    /// Whether there may be a picture: in the first answer, and as long as its ports are kept.
    is_picture_open: AtomicBool,
    /// Whether the way to the device is encrypted; known when it is rung.
    over_tls: AtomicBool,
    /// The number of the newest description.
    version: AtomicU64,
    newest: Newest,
}

impl Offers {
    /// Our side of the sound, as the device was told.
    pub fn local(&self) -> Local {
        let version = self.version.load(Ordering::Relaxed);
        let crypto = self.keys.clone().filter(|_| self.over_tls.load(Ordering::Relaxed));
        Local { version, crypto, ..self.local.clone() }
    }

    /// The picture, while there may be one.
    fn picture(&self) -> Option<Picture> {
        let picture = self.picture.clone().filter(|_| self.is_picture_open.load(Ordering::Relaxed))?;
        let crypto = self.picture_keys.clone().filter(|_| self.over_tls.load(Ordering::Relaxed));
        Some(Picture { crypto, ..picture })
    }

    /// What an answer of the device makes of the picture; `None` when it is declined.
    pub fn agreed_picture(&self, answer: &str) -> Option<Video> {
        agreed_picture(answer.as_bytes(), &self.picture()?)
    }

    /// There is none for the whole call: its ports are for others.
    pub fn without_picture(&self) {
        self.is_picture_open.store(false, Ordering::Relaxed);
    }

    fn offer(&self) -> String {
        self.version.fetch_add(1, Ordering::Relaxed);
        self.newest.next(|before| sdp::offer_again(&self.local(), before, self.picture().as_ref()))
    }

    /// Answers what the device offers during the call, and tells what was agreed.
    fn reoffer(self: Arc<Self>, changes: mpsc::UnboundedSender<Agreed>) -> Reoffer {
        Arc::new(move |offer| {
            let Some(offer) = offer else { return Some(self.offer()) };
            self.version.fetch_add(1, Ordering::Relaxed);
            let (answer, mut agreed) = sdp::answer(&self.local(), offer.as_bytes()).ok()?;
            let shown =
                self.picture().and_then(|picture| taking_picture(&answer, offer.as_bytes(), &picture));
            let (answer, video) = shown.map_or((answer, None), |(answer, video)| (answer, Some(video)));
            agreed.video = video;
            // a phone that has been hung up has nothing to change
            let _ = changes.send(agreed);
            Some(self.newest.next(|_| answer))
        })
    }
}
