//! One device that registers over SIP and is rung for a call: a desk phone, or a SIP app.
//!
//! ```text
//!          ringing              picked up: accept       the call bridges
//!  ports ─▶ INVITE ─▶ LegRinging ─▶ sound, and told 5 ─▶ sound both ways ─▶ BYE
//!                                    picture, where it has a display
//! ```
//!
//! Invariants
//! - It accepts by being picked up: what registers with us is somebody's own device and no machine. A key is not needed to
//!   talk, and opens no door before that.
//! - Its display shows the entrance, and nothing of whom is rung. The visitor's picture comes when it was picked up.
//! - One that refuses the call because it was offered a picture is rung once more without one.
//! - Whose device it is was proven when it registered; its call ends when that is taken back.
//! - What [`phone`](super::phone) says of numbers, people and doors in the log holds here too.

use super::display::{Picture, Shown};
use super::driver::peer;
use super::held::Held;
use super::phone::{Errand, NotPickedUp, Order, Phone, Ringing, Sip, ended, tell};
use crate::node::Node;
use crate::phones::invite::start;
use crate::stations::invite::{Invited, Wanted, invite};
use klinke_calls::call::Input;
use klinke_media::RoomId;
use klinke_model::ids::DeviceId;
use klinke_sip::why::Why;
use std::sync::Arc;
use tokio::sync::mpsc;

impl Phone {
    /// Begins to ring this device; `shown` is what its display says.
    pub(super) fn ring_station(node: &Arc<Node>, errand: Errand, device: DeviceId, shown: String) -> Self {
        Self::of(node, |orders| run(Arc::clone(node), errand, (device, shown), orders))
    }
}

async fn run(
    node: Arc<Node>,
    errand: Errand,
    (device, place): (DeviceId, String),
    mut orders: mpsc::UnboundedReceiver<Order>,
) {
    let (leg, own) = (errand.leg, errand.own.clone());
    let since = node.clock.mono();
    let mut with_picture = true;
    let (offers, ports, picture, sip, their_sdp, changed) = loop {
        let (changes, changed) = mpsc::unbounded_channel();
        let ring = errand.ring.saturating_sub(node.clock.mono().since(since));
        let (place, hold, hops) = (place.clone(), errand.hold, errand.hops);
        let wanted = Wanted { device, place, picture: with_picture, ring, hold, hops };
        let invited = match invite(&node.stations, &node.random, wanted, changes).await {
            Ok(invited) => invited,
            Err(error) => {
                tracing::warn!(%error, "a device was not rung");
                return tell(&own, Input::LegGone(leg)).await;
            }
        };
        let Invited { offers, ports, picture, sip } = invited;
        let mut sip = Sip::Station(sip);
        let ringing = Ringing { own: &own, leg, sip: &mut sip, orders: &mut orders };
        match ringing.until_picked_up().await {
            Ok(their_sdp) => break (offers, ports, picture, sip, their_sdp, changed),
            Err(NotPickedUp::Ended(Why::NoCommonMedia)) if picture.is_some() => with_picture = false,
            Err(NotPickedUp::Ended(why)) => return tell(&own, ended(leg, why)).await,
            Err(NotPickedUp::Dropped) => return,
        }
    };
    let local = offers.local();
    // its keys come as the standard says, never as tones in the sound
    let (codec, line, news) = match start(&node, (&local, &their_sdp), ports, false) {
        Ok(started) => started,
        Err(error) => {
            tracing::warn!(%error, "a device was picked up whose sound can not be had");
            // `sip` is dropped: hung up
            return tell(&own, Input::LegGone(leg)).await;
        }
    };
    let place = (RoomId(errand.call.0), peer(leg));
    let picture = match picture.zip(offers.agreed_picture(&their_sdp)) {
        Some((ports, video)) => {
            // who lifts a phone without a display waits for none of this
            let home = node.stations.address_of_device(device).await;
            let shown = Shown { offers: Arc::clone(&offers), video, ports, cname: line.cname(), home };
            Picture::show(&node, place, shown)
        }
        None => None,
    };
    if picture.is_none() {
        offers.without_picture();
    }
    let held = Held::new(node, errand, local, sip, (codec, line, picture));
    held.run(orders, news, changed).await;
}
