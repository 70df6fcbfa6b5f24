//! From a tap to a desk phone that rings: ports, and an INVITE to where it registered.
//!
//! A picture is offered beside the sound where there are ports for it. What the device makes of that is known when it is
//! picked up.

use super::Stations;
use crate::phones::invite::CODECS;
use crate::random::Random;
use klinke_model::ids::DeviceId;
use klinke_sip::rtp::port::{PortError, Ports};
use klinke_sip::sdp::picture::{Picture, agreed_picture, taking_picture, with_picture};
use klinke_sip::sdp::{self, Agreed, Local, Video};
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
}

/// A device that is being rung.
pub struct Invited {
    /// What we offered.
    pub local: Local,
    /// Where its sound will come.
    pub ports: Ports,
    /// The picture that it was offered.
    pub picture: Option<OfferedPicture>,
    /// The call. Dropped, it is hung up.
    pub sip: Leg,
}

/// A picture that was offered, with its ports.
pub struct OfferedPicture {
    ports: Ports,
    /// Whether it may still be had: in the first answer, and as long as its ports are kept.
    is_open: Arc<AtomicBool>,
}

impl OfferedPicture {
    /// What the first answer makes of it. Declined, its ports are free again, and it is for the whole call.
    pub fn taken(self, answer: &str) -> Option<(Video, Ports)> {
        let Self { ports, is_open } = self;
        let video = agreed_picture(answer.as_bytes());
        is_open.store(video.is_some(), Ordering::Relaxed);
        video.map(|video| (video, ports))
    }
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
    let Wanted { device, place, picture, ring, hold } = wanted;
    let (ports, address) = stations.ports().await?;
    // 62 bits: some read it as a signed number
    let session = u64::from_be_bytes(random.bytes()) >> 2;
    let local = Local { address, session, version: 1, codecs: CODECS.to_vec(), crypto: None };
    // a picture is worth its ports where there are some
    let shown = if picture { stations.ports().await.ok() } else { None };
    let (picture, described) = match shown {
        None => (None, None),
        Some((ports, address)) => {
            let described = Picture { address, sends: true, profile_level: None, parameter_sets: None };
            let is_open = Arc::new(AtomicBool::new(true));
            (Some(OfferedPicture { ports, is_open: Arc::clone(&is_open) }), Some((described, is_open)))
        }
    };
    let offers = Offers { local: local.clone(), picture: described };
    let offer = offers.offer(1);
    let call =
        |device| Ring { device, caller: place, offer, ring, talk: hold, reoffer: offers.reoffer(changes) };
    let sip = stations.call(device, call).ok_or(NotInvited::NoAccount)?;
    Ok(Invited { local, ports, picture, sip })
}

/// What we say in every description of one call.
struct Offers {
    local: Local,
    picture: Option<(Picture, Arc<AtomicBool>)>,
}

impl Offers {
    /// The picture, while it may be had.
    fn picture(&self) -> Option<&Picture> {
        let (picture, is_open) = self.picture.as_ref()?;
        is_open.load(Ordering::Relaxed).then_some(picture)
    }

    fn offer(&self, version: u64) -> String {
        let sound = sdp::offer(&Local { version, ..self.local.clone() });
        let with_picture = self.picture().and_then(|picture| with_picture(&sound, picture).ok());
        with_picture.unwrap_or(sound)
    }

    /// Answers what the device offers during the call, and tells what was agreed.
    fn reoffer(self, changes: mpsc::UnboundedSender<Agreed>) -> Reoffer {
        let newest = AtomicU64::new(self.local.version);
        Arc::new(move |offer| {
            let version = newest.fetch_add(1, Ordering::Relaxed) + 1;
            let Some(offer) = offer else { return Some(self.offer(version)) };
            let local = Local { version, ..self.local.clone() };
            let (answer, mut agreed) = sdp::answer(&local, offer.as_bytes()).ok()?;
            let shown = self.picture().and_then(|picture| taking_picture(&answer, offer.as_bytes(), picture));
            let (answer, video) = shown.map_or((answer, None), |(answer, video)| (answer, Some(video)));
            agreed.video = video;
            // a phone that has been hung up has nothing to change
            let _ = changes.send(agreed);
            Some(answer)
        })
    }
}
