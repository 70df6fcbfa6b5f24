//! One device that registers over SIP and is rung for a call: a desk phone, or a SIP app.
//!
//! ```text
//!          ringing              picked up: accept       the call bridges
//!  ports ─▶ INVITE ─▶ LegRinging ─▶ sound, and told 5 ─▶ sound both ways ─▶ BYE
//! ```
//!
//! Invariants
//! - It accepts by being picked up: what registers with us is somebody's own device and no machine. A key is not needed to
//!   talk, and opens no door before that.
//! - Its display shows the entrance, and nothing of whom is rung.
//! - Whose device it is was proven when it registered; its call ends when that is taken back.
//! - What [`phone`](super::phone) says of numbers, people and doors in the log holds here too.

use super::phone::{Errand, Held, Order, Phone, Ringing, Sip, tell};
use crate::node::Node;
use crate::phones::invite::start;
use crate::stations::invite::{Invited, Wanted, invite};
use klinke_calls::call::Input;
use klinke_model::ids::DeviceId;
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
    orders: mpsc::UnboundedReceiver<Order>,
) {
    let (leg, own) = (errand.leg, errand.own.clone());
    let (changes, changed) = mpsc::unbounded_channel();
    let wanted = Wanted { device, place, ring: errand.ring, hold: errand.hold };
    let Invited { local, ports, sip } = match invite(&node.stations, &node.random, wanted, changes).await {
        Ok(invited) => invited,
        Err(error) => {
            tracing::warn!(%error, "a device was not rung");
            return tell(&own, Input::LegGone(leg)).await;
        }
    };
    let mut ringing = Ringing { own, leg, sip: Sip::Station(sip), orders };
    let Some(their_sdp) = ringing.until_picked_up().await else { return };
    let Ringing { own, sip, orders, .. } = ringing;
    // its keys come as the standard says, never as tones in the sound
    let (codec, line, news) = match start(&node, (&local, &their_sdp), ports, false) {
        Ok(started) => started,
        Err(error) => {
            tracing::warn!(%error, "a device was picked up whose sound can not be had");
            // `sip` is dropped: hung up
            return tell(&own, Input::LegGone(leg)).await;
        }
    };
    Held::new(node, errand, local, sip, (codec, line)).run(orders, news, changed).await;
}
