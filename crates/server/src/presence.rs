//! Who is connected just now, and what the controllers last said of their doors.
//!
//! In memory only: after a restart nothing is online until it says so itself, and nothing here can become a
//! record of use. A thing that reconnects before its old connection is noticed dead counts twice for a moment,
//! so that the old one's end does not make it look offline.
//!
//! Of a controller that is away is known what it said last: its wiring, its rights, and since when.

use klinke_model::door::{DoorState, DoorWiring};
use klinke_model::ids::{ControllerId, DoorId, PanelId};
use klinke_model::time::Timestamp;
use klinke_wire::controller::WiredOutput;
use klinke_wire::enrolment::ReaderReport;
use std::collections::HashMap;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// A connected controller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControllerPresence {
    /// Its software version, as it says.
    pub version: String,
    /// When it connected.
    pub arrived: Timestamp,
    /// What is wired to its outputs, as it says.
    pub wired: Vec<WiredOutput>,
    /// Its readers, as it says.
    pub readers: Vec<ReaderReport>,
    /// The rights that it has in force, as it says.
    pub rights: Option<RightsThere>,
}

/// The rights that a controller has in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RightsThere {
    /// Their number.
    pub revision: u64,
    /// When they were made.
    pub issued: Timestamp,
    /// When the controller was last told that they are the newest; not yet, without.
    pub confirmed: Option<Timestamp>,
}

/// A controller that was connected since the server started.
#[derive(Debug)]
struct Known {
    connections: usize,
    presence: ControllerPresence,
    /// When its last connection ended; of no meaning while there is one.
    away_since: Timestamp,
}

/// What is connected.
#[derive(Debug, Default)]
pub struct Presence {
    panels: RwLock<HashMap<PanelId, usize>>,
    controllers: RwLock<HashMap<ControllerId, Known>>,
    doors: RwLock<HashMap<DoorId, DoorState>>,
}

impl Presence {
    /// A panel proved its key on a new connection.
    pub fn panel_arrives(&self, panel: PanelId) {
        *write(&self.panels).entry(panel).or_default() += 1;
    }

    /// A connection of a panel is over.
    pub fn panel_leaves(&self, panel: PanelId) {
        let mut panels = write(&self.panels);
        if let Some(connections) = panels.get_mut(&panel) {
            *connections -= 1;
            if *connections == 0 {
                panels.remove(&panel);
            }
        }
    }

    /// Whether a panel is connected.
    pub fn panel_online(&self, panel: PanelId) -> bool {
        read(&self.panels).contains_key(&panel)
    }

    /// A controller proved its certificate on a new connection.
    pub fn controller_arrives(&self, controller: ControllerId, mut presence: ControllerPresence) {
        let mut controllers = write(&self.controllers);
        let before = controllers.get(&controller);
        let connections = before.map_or(0, |known| known.connections) + 1;
        if let Some(before) = before.and_then(|known| known.presence.rights)
            && let Some(rights) = presence.rights.as_mut().filter(|rights| rights.revision == before.revision)
        {
            // it has not forgotten what it was told before
            rights.confirmed = rights.confirmed.max(before.confirmed);
        }
        let away_since = presence.arrived;
        controllers.insert(controller, Known { connections, presence, away_since });
    }

    /// A controller has other rights in force.
    pub fn controller_holds(&self, controller: ControllerId, rights: RightsThere) {
        if let Some(known) = write(&self.controllers).get_mut(&controller) {
            known.presence.rights = Some(rights);
        }
    }

    /// A controller is told that the rights with this number are the newest.
    pub fn controller_confirmed(&self, controller: ControllerId, newest: u64, now: Timestamp) {
        let mut controllers = write(&self.controllers);
        let known = controllers.get_mut(&controller).and_then(|known| known.presence.rights.as_mut());
        if let Some(rights) = known.filter(|rights| rights.revision == newest) {
            rights.confirmed = Some(now);
        }
    }

    /// A connection of a controller is over. With its last one go the states of `doors`, those it drives: a
    /// screen shows no state rather than an old one.
    pub fn controller_leaves(&self, controller: ControllerId, doors: &[DoorId], now: Timestamp) {
        let mut controllers = write(&self.controllers);
        let Some(known) = controllers.get_mut(&controller).filter(|known| known.connections > 0) else {
            return;
        };
        known.connections -= 1;
        if known.connections == 0 {
            known.away_since = now;
            let mut states = write(&self.doors);
            for door in doors {
                states.remove(door);
            }
        }
    }

    /// The controller, when it is connected.
    pub fn controller(&self, controller: ControllerId) -> Option<ControllerPresence> {
        let controllers = read(&self.controllers);
        controllers.get(&controller).filter(|known| known.connections > 0).map(|known| known.presence.clone())
    }

    /// What a controller said last that is away, and since when. Nothing when it was not there since the server started.
    pub fn controller_away(&self, controller: ControllerId) -> Option<(ControllerPresence, Timestamp)> {
        let controllers = read(&self.controllers);
        let known = controllers.get(&controller).filter(|known| known.connections == 0)?;
        Some((known.presence.clone(), known.away_since))
    }

    /// What is wired to an output, as its controller said last.
    pub fn wiring(&self, controller: ControllerId, output: u16) -> Option<DoorWiring> {
        let controllers = read(&self.controllers);
        let wired = &controllers.get(&controller)?.presence.wired;
        wired.iter().find(|wired| wired.output == output).map(|wired| wired.wiring)
    }

    /// A controller says how a door is.
    pub fn door_reported(&self, door: DoorId, state: DoorState) {
        write(&self.doors).insert(door, state);
    }

    /// Nothing is known of a door any more: what opens it is away.
    pub fn door_gone(&self, door: DoorId) {
        write(&self.doors).remove(&door);
    }

    /// How a door is, as far as its controller is connected and has said so.
    pub fn door(&self, door: DoorId) -> Option<DoorState> {
        read(&self.doors).get(&door).copied()
    }
}

// Nothing in this module can leave a map half-changed, so a panic elsewhere while a lock is held is no reason to stop.

fn read<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

fn write<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use klinke_model::ids::v4;

    #[test]
    fn the_end_of_an_old_connection_does_not_hide_the_new_one() {
        let (presence, panel) = (Presence::default(), PanelId(v4([1; 16])));
        presence.panel_arrives(panel);
        presence.panel_arrives(panel);
        presence.panel_leaves(panel);
        assert!(presence.panel_online(panel));
        presence.panel_leaves(panel);
        assert!(!presence.panel_online(panel));
        presence.panel_leaves(panel);
        assert!(!presence.panel_online(panel));
    }

    #[test]
    fn the_doors_of_a_lost_controller_have_no_state() {
        let presence = Presence::default();
        let (controller, door) = (ControllerId(v4([1; 16])), DoorId(v4([2; 16])));
        let says = |version: &str| says(version, at(0));
        presence.controller_arrives(controller, says("1"));
        presence.controller_arrives(controller, says("2"));
        presence.door_reported(door, DoorState::LOCKED);
        presence.controller_leaves(controller, &[door], at(2));
        assert_eq!(presence.controller(controller), Some(says("2")));
        assert_eq!(
            (presence.door(door), presence.controller_away(controller)),
            (Some(DoorState::LOCKED), None)
        );
        presence.controller_leaves(controller, &[door], at(3));
        assert_eq!((presence.controller(controller), presence.door(door)), (None, None));
        // how it is wired does not change because it is away
        assert_eq!(presence.controller_away(controller), Some((says("2"), at(3))));
        assert_eq!(presence.wiring(controller, 1), Some(WIRED.wiring));
        assert_eq!(presence.wiring(controller, 0), None);
        presence.controller_leaves(controller, &[door], at(4));
        assert_eq!(presence.controller_away(controller), Some((says("2"), at(3))), "it has left already");
    }

    #[test]
    fn only_rights_that_are_the_newest_are_confirmed() {
        let (presence, controller) = (Presence::default(), ControllerId(v4([1; 16])));
        let held = RightsThere { revision: 7, issued: at(5), confirmed: None };
        let arrived = ControllerPresence { rights: Some(held), ..says("1", at(6)) };
        presence.controller_arrives(controller, arrived.clone());
        let rights = || presence.controller(controller).and_then(|there| there.rights);
        presence.controller_confirmed(controller, 8, at(7));
        assert_eq!(rights(), Some(held));
        presence.controller_confirmed(controller, 7, at(8));
        assert_eq!(rights(), Some(RightsThere { confirmed: Some(at(8)), ..held }));
        presence.controller_arrives(controller, arrived);
        assert_eq!(rights().unwrap().confirmed, Some(at(8)), "a link that comes back");
        let newer = RightsThere { revision: 8, issued: at(9), confirmed: None };
        presence.controller_holds(controller, newer);
        presence.controller_confirmed(controller, 7, at(10));
        assert_eq!(rights(), Some(newer));
    }

    fn says(version: &str, arrived: Timestamp) -> ControllerPresence {
        let version = version.to_owned();
        ControllerPresence { version, arrived, wired: vec![WIRED], readers: Vec::new(), rights: None }
    }

    const WIRED: WiredOutput = WiredOutput {
        output: 1,
        wiring: DoorWiring {
            lock: None,
            holds: true,
            handed_on: false,
            contact: true,
            exit_button: false,
            fire_input: false,
        },
    };
    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }
}
