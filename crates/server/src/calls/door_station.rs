//! A call that comes in from a door station: who calls, whether they may, and what is agreed with them; then it is a
//! [`Visit`](super::visit) until its BYE.
//!
//! Invariants
//! - A panel is in one call at a time: another INVITE is answered "busy". One that comes once the call before it is over on the
//!   wire waits until that is over here too: who leaves and rings again at once is not told that they are in their own way.
//! - Neither this visitor nor the next waits for a reading of what the station opens.

use super::visit::Visit;
use crate::node::Node;
use crate::phones::invite::CODECS;
use crate::relays;
use crate::signalling::socket;
use klinke_model::ids::{PanelId, TenantId};
use klinke_model::scope::{Principal, Scope};
use klinke_sip::rtp::port::Ports;
use klinke_sip::sdp::picture::{Picture as Described, taking_picture};
use klinke_sip::sdp::{self, Agreed, Local, Newest, Video};
use klinke_sip::stations::{Incoming, Refusal, Reoffer};
use klinke_storage::record::{SipAccountOf, SipLogin};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// Takes the calls of door stations until the server stops. Other devices call nobody.
pub async fn follow(node: Arc<Node>, mut incoming: mpsc::Receiver<Incoming>) {
    let mut visits: HashMap<PanelId, JoinHandle<()>> = HashMap::new();
    while let Some(Some(call)) = node.stop.run_until_cancelled(incoming.recv()).await {
        let Some(SipLogin { tenant, of: SipAccountOf::Panel(panel), .. }) = node.stations.login(&call.device)
        else {
            call.refuse(Refusal::NotFound);
            continue;
        };
        visits.retain(|_, visit| !visit.is_finished());
        match visits.remove(&panel) {
            Some(visit) if !call.is_only => {
                visits.insert(panel, visit);
                call.refuse(Refusal::Busy);
            }
            before => {
                let visit = run(Arc::clone(&node), tenant, panel, call, before);
                visits.insert(panel, node.tasks.spawn(visit));
            }
        }
    }
}

async fn run(
    node: Arc<Node>,
    tenant: TenantId,
    panel: PanelId,
    call: Incoming,
    before: Option<JoinHandle<()>>,
) {
    if let Some(before) = before {
        // over on the wire, and so about to end; one that failed has ended too
        let _ = before.await;
    }
    let (line, events) = socket::line();
    if !node.exchange.station_connected(panel, line.clone()) {
        return call.refuse(Refusal::Busy);
    }
    let scope = Scope { tenant, principal: Principal::Panel(panel), at: node.clock.now(), view: None };
    match Visit::begin(&node, &scope, panel, &call).await {
        Ok(visit) => {
            look(&node, tenant, panel);
            visit.run(call, events).await;
            node.relays.call_over(panel);
            look(&node, tenant, panel);
        }
        Err(refusal) => call.refuse(refusal),
    }
    node.exchange.panel_away(panel, &line).await;
}

/// Looks what the station opens, by itself: no visitor waits for that reading, neither this one nor the next.
fn look(node: &Arc<Node>, tenant: TenantId, panel: PanelId) {
    let own = Arc::clone(node);
    node.tasks.spawn(async move { relays::look(&own, tenant, panel).await });
}

/// What both sides agreed on, and what we said.
pub(super) struct Agreement {
    pub local: Local,
    pub answer: String,
    pub sound: Agreed,
    pub ports: Ports,
    /// Its form, where it comes in, and how we described it.
    pub picture: Option<(Video, Ports, Described)>,
}

/// Ports, and an answer to what the station offers.
pub(super) async fn agree(node: &Node, call: &Incoming) -> Result<Agreement, Refusal> {
    // who waits for an offer of ours has no picture to show, and none of those that hang at doors does
    let offer = call.offer.as_deref().ok_or(Refusal::NotAcceptable)?;
    let full = |error| {
        tracing::warn!(%error, "a door station's call was not taken");
        Refusal::Unavailable
    };
    let (ports, address) = node.stations.ports().await.map_err(full)?;
    // 62 bits: some read it as a signed number
    let session = u64::from_be_bytes(node.random.bytes()) >> 2;
    // keys are worth what the way is on which they are told
    let keys = || if call.over_tls { node.stations.keys() } else { Ok(None) };
    let crypto = keys().map_err(full)?;
    let local = Local { address, session, version: 1, codecs: CODECS.to_vec(), crypto };
    let (answer, sound) = sdp::answer(&local, offer.as_bytes()).map_err(|_| Refusal::NotAcceptable)?;
    let plain = Agreement { local, answer, sound, ports, picture: None };
    if plain.sound.video.is_none() {
        return Ok(plain);
    }
    // a picture is worth its ports where there are some
    let Ok((ports, address)) = node.stations.ports().await else { return Ok(plain) };
    let crypto = keys().map_err(full)?;
    let described = Described { address, sends: false, profile_level: None, parameter_sets: None, crypto };
    Ok(match taking_picture(&plain.answer, offer.as_bytes(), &described) {
        Some((answer, video)) => Agreement { answer, picture: Some((video, ports, described)), ..plain },
        None => plain,
    })
}

/// Answers what the station offers during the call, after the answer to its first offer, and tells what was agreed. Its picture
/// stays as it is.
pub(super) fn reoffer(
    (local, answer): (Local, String),
    picture: Option<Described>,
    changes: mpsc::UnboundedSender<Agreed>,
) -> Reoffer {
    let version = AtomicU64::new(local.version);
    let newest = Newest::new(answer);
    Arc::new(move |offer| {
        let version = version.fetch_add(1, Ordering::Relaxed) + 1;
        let local = Local { version, ..local.clone() };
        let Some(offer) = offer else {
            return Some(newest.next(|before| sdp::offer_again(&local, before, picture.as_ref())));
        };
        let (answer, agreed) = sdp::answer(&local, offer.as_bytes()).ok()?;
        let with_picture =
            picture.as_ref().and_then(|picture| taking_picture(&answer, offer.as_bytes(), picture));
        // a call that is over has no sound to change
        let _ = changes.send(agreed);
        Some(newest.next(|_| with_picture.map_or(answer, |(answer, _)| answer)))
    })
}
