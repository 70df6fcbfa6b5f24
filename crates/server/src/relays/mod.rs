//! Doors that a door station opens by a relay of its own: which of them can be opened just now, and how a station is told.
//!
//! ```text
//!  granted ─▶ tell ─┬─ keys ─▶ the station's call (calls/door_station) ─▶ RFC 4733 events, or SIP INFO
//!                   └─ http ─▶ GET at the address from which it is registered
//! ```
//!
//! Invariants
//! - A station is told once for each opening, and nothing is kept for later: without its call, or without its registration,
//!   nobody is told anything.
//! - That it was told is all that is ever known: nobody reports the lock, so such a door is never said to be open.
//! - Nothing goes to a host that somebody typed. No key, no password, no door and no address is in a log line.

pub mod http;
mod tls;

use crate::node::Node;
use crate::told_passwords::Of;
use http::{Failure, Http, Sign};
use klinke_model::door::{DoorAlarm, DoorMode, DoorPosition, DoorState};
use klinke_model::ids::{DoorId, PanelId, TenantId};
use klinke_model::scope::Scope;
use klinke_model::station_relay::{CertificateDigest, RelayKeys, RelayWay};
use klinke_sip::dtmf::Digit;
use klinke_storage::record::StationRelay;
use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// How long a station's call may take for the keys; they are dead then. Eight of them last 1.6 s.
const PRESSED_WITHIN: Duration = Duration::from_secs(4);

/// Openings that may wait for one station's call.
const WAITING: usize = 4;

/// How such a door is while its station can be told: nobody says more of it.
const AT_HAND: DoorState =
    DoorState { mode: DoorMode::Locked, position: DoorPosition::Unknown, alarm: DoorAlarm::Normal };

/// Keys that a station's call is to press.
pub struct Press {
    /// Which, in their order.
    pub digits: Vec<Digit>,
    /// Told when the last is on the wire; dropped when that will not be. Who waits for it may have given up: nothing is to be
    /// pressed then.
    pub done: oneshot::Sender<()>,
}

/// Why a station was not told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotTold {
    /// It is not registered, or not in a call where it takes one, or can not be reached. Nothing opened.
    Away,
    /// It was, perhaps: no word came back in time.
    Unsure,
    /// It does not do it: a wrong password, another path. Nothing opened.
    Refused,
}

/// The relays of door stations.
pub struct Relays {
    http: Http,
    /// Stations that are in a call.
    calls: Mutex<HashMap<PanelId, mpsc::Sender<Press>>>,
    shown: Mutex<Shown>,
    /// Doors whose station did not take the last request, and why; for who looks after them. Of a door that opened nothing stands here.
    failed: Mutex<HashMap<DoorId, Failure>>,
}

/// Doors that are shown as at hand.
#[derive(Default)]
struct Shown {
    /// Whose they are.
    doors: HashMap<DoorId, PanelId>,
    /// How many looks have begun.
    begun: u64,
    /// Which of them each station is shown by: what was read earlier is not shown after it.
    newest: HashMap<PanelId, u64>,
}

/// A look that has begun: what is read from now on is at least as new as what it was asked for.
struct Look(u64);

impl Relays {
    /// Nothing is at hand yet.
    pub fn new() -> Self {
        Self { http: Http::new(), calls: Mutex::default(), shown: Mutex::default(), failed: Mutex::default() }
    }

    fn calls(&self) -> MutexGuard<'_, HashMap<PanelId, mpsc::Sender<Press>>> {
        // every critical section leaves the map whole, also when it panics
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn shown(&self) -> MutexGuard<'_, Shown> {
        // as above
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn failed(&self) -> MutexGuard<'_, HashMap<DoorId, Failure>> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Why the station of this door did not take the last request; `None` when it did, or was not asked since the server began or
    /// another way was set.
    pub fn failure(&self, door: DoorId) -> Option<Failure> {
        self.failed().get(&door).copied()
    }

    /// The door is told in another way from now on, or no more.
    pub fn forget(&self, door: DoorId) {
        self.failed().remove(&door);
    }

    /// A station is in a call: what it is to press comes out here, until [`Relays::call_over`].
    pub fn in_call(&self, panel: PanelId) -> mpsc::Receiver<Press> {
        let (presses, wanted) = mpsc::channel(WAITING);
        self.calls().insert(panel, presses);
        wanted
    }

    /// The call of a station is over.
    pub fn call_over(&self, panel: PanelId) {
        self.calls().remove(&panel);
    }

    fn is_in_call(&self, panel: PanelId) -> bool {
        self.calls().get(&panel).is_some_and(|presses| !presses.is_closed())
    }

    async fn press(&self, panel: PanelId, keys: &RelayKeys) -> Result<(), NotTold> {
        let presses = self.calls().get(&panel).cloned().ok_or(NotTold::Away)?;
        let digits = keys.reveal().chars().filter_map(Digit::from_char).collect();
        let (done, told) = oneshot::channel();
        // too many wait: the station takes its keys one opening after the other
        presses.try_send(Press { digits, done }).map_err(|_| NotTold::Away)?;
        match tokio::time::timeout(PRESSED_WITHIN, told).await {
            Ok(Ok(())) => Ok(()),
            // the call ended meanwhile, or the keys did not get out in time: some of them may have
            Ok(Err(_)) | Err(_) => Err(NotTold::Unsure),
        }
    }
}

impl Default for Relays {
    fn default() -> Self {
        Self::new()
    }
}

/// Tells the station to open its door: once.
pub async fn tell(node: &Node, tenant: TenantId, relay: &StationRelay) -> Result<(), NotTold> {
    match &relay.way {
        RelayWay::Keys(keys) => node.relays.press(relay.panel, keys).await,
        RelayWay::Http(http) => {
            let address = node.stations.address_of(relay.panel).await.ok_or(NotTold::Away)?;
            let password = match &relay.password {
                Some(sealed) => match node.told_passwords.unseal(
                    tenant,
                    Of::Relay(relay.door, relay.panel),
                    sealed.reveal(),
                ) {
                    Some(password) => Some(password),
                    None => {
                        tracing::error!(
                            "the password of a door station can not be decrypted: it must be typed again"
                        );
                        return Err(NotTold::Refused);
                    }
                },
                None => None,
            };
            let sign = http.user.as_deref().map(|user| Sign {
                user,
                password: password.as_ref().map_or("", |password| password.reveal()),
                cnonce: format!("{:032x}", u128::from_be_bytes(node.random.bytes())),
            });
            let asked = node.relays.http.ask(address, http, sign.as_ref()).await;
            match asked {
                Ok(()) => node.relays.forget(relay.door),
                Err(failure) => {
                    node.relays.failed().insert(relay.door, failure);
                }
            }
            asked.map_err(|failure| {
                tracing::warn!(?failure, "a door station did not take the request to open");
                failure.as_not_told()
            })
        }
    }
}

/// The certificate that the web server of a station shows at this port, at the address from which the station is registered;
/// `None` while it is not.
pub async fn certificate(
    node: &Node,
    panel: PanelId,
    port: u16,
) -> Option<Result<CertificateDigest, Failure>> {
    let address = node.stations.address_of(panel).await?;
    Some(node.relays.http.certificate(address, port).await)
}

/// Looks which doors of a station can be opened just now, and lets the lists of doors know. To be called after whatever may
/// have changed that: its registration, its call, its relays. Looks wait for the database, and not for each other.
pub async fn look(node: &Node, tenant: TenantId, panel: PanelId) {
    let begun = node.relays.shown().begin();
    let relays = match node.store.doors().relays_of_station(&Scope::system(tenant), panel).await {
        Ok(relays) => relays,
        Err(error) => {
            tracing::error!(%error, "could not read what a door station opens");
            Vec::new()
        }
    };
    let mut shown = node.relays.shown();
    let works = |relay: &StationRelay| match relay.way {
        RelayWay::Keys(_) => node.relays.is_in_call(panel),
        RelayWay::Http(_) => node.stations.is_panel_registered(panel),
    };
    let at_hand = relays.iter().filter(|relay| works(relay)).map(|relay| relay.door).collect();
    for (door, is) in shown.end(begun, panel, &at_hand) {
        match is {
            true => node.presence.door_reported(door, AT_HAND),
            false => node.presence.door_gone(door),
        }
        node.exchange.door_changed(door);
    }
}

impl Shown {
    fn begin(&mut self) -> Look {
        self.begun += 1;
        Look(self.begun)
    }

    /// What a look of a station found; the doors for which that is news, and whether they are at hand.
    fn end(&mut self, Look(begun): Look, panel: PanelId, at_hand: &HashSet<DoorId>) -> Vec<(DoorId, bool)> {
        let newest = self.newest.entry(panel).or_default();
        if begun < *newest {
            // another one began later, and is through
            return Vec::new();
        }
        *newest = begun;
        let gone = self.doors.iter().filter(|(door, of)| **of == panel && !at_hand.contains(door));
        let mut news: Vec<_> = gone.map(|(door, _)| (*door, false)).collect();
        for (door, _) in &news {
            self.doors.remove(door);
        }
        let come = at_hand.iter().filter(|door| self.doors.insert(**door, panel).is_none());
        news.extend(come.map(|door| (*door, true)));
        news
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use klinke_model::ids::v4;

    #[test]
    fn what_was_read_last_is_shown_last_and_stations_do_not_wait_for_each_other() {
        let (one, other): (PanelId, PanelId) = (v4([1; 16]).into(), v4([2; 16]).into());
        let (front, gate): (DoorId, DoorId) = (v4([3; 16]).into(), v4([4; 16]).into());
        let (of_front, of_gate, none) = (HashSet::from([front]), HashSet::from([gate]), HashSet::new());
        let mut shown = Shown::default();
        let slow = shown.begin();
        let quick = shown.begin();
        assert_eq!(shown.end(quick, other, &of_gate), [(gate, true)], "while another station is looked up");
        let later = shown.begin();
        assert_eq!(shown.end(later, one, &of_front), [(front, true)]);
        assert_eq!(shown.end(slow, one, &none), [], "what was read before that");
        let again = shown.begin();
        assert_eq!(shown.end(again, one, &of_front), [], "is no news");
        let taken = shown.begin();
        assert_eq!(shown.end(taken, other, &of_front), [(gate, false)], "the door of another station now");
        let former = shown.begin();
        assert_eq!(shown.end(former, one, &none), [], "which shows it");
        let over = shown.begin();
        assert_eq!(shown.end(over, other, &none), [(front, false)]);
    }
}
