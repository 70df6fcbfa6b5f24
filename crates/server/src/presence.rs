//! Who is connected just now, and what the controllers last said of their doors.
//!
//! In memory only: after a restart nothing is online until it says so itself, and nothing here can become a
//! record of use. A thing that reconnects before its old connection is noticed dead counts twice for a moment,
//! so that the old one's end does not make it look offline.

use klinke_model::door::DoorState;
use klinke_model::ids::{ControllerId, DoorId, PanelId};
use klinke_wire::enrolment::ReaderReport;
use std::collections::HashMap;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// A connected controller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControllerPresence {
    /// Its software version, as it says.
    pub version: String,
    /// Its readers.
    pub readers: Vec<ReaderReport>,
}

/// What is connected.
#[derive(Debug, Default)]
pub struct Presence {
    panels: RwLock<HashMap<PanelId, usize>>,
    controllers: RwLock<HashMap<ControllerId, (usize, ControllerPresence)>>,
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
    pub fn controller_arrives(&self, controller: ControllerId, version: String, readers: Vec<ReaderReport>) {
        let mut controllers = write(&self.controllers);
        let connections = controllers.get(&controller).map_or(0, |(connections, _)| *connections);
        controllers.insert(controller, (connections + 1, ControllerPresence { version, readers }));
    }

    /// A connection of a controller is over. With its last one go the states of `doors`, those it drives: a
    /// screen shows no state rather than an old one.
    pub fn controller_leaves(&self, controller: ControllerId, doors: &[DoorId]) {
        let mut controllers = write(&self.controllers);
        let Some((connections, _)) = controllers.get_mut(&controller) else { return };
        *connections -= 1;
        if *connections == 0 {
            controllers.remove(&controller);
            let mut states = write(&self.doors);
            for door in doors {
                states.remove(door);
            }
        }
    }

    /// The controller, when it is connected.
    pub fn controller(&self, controller: ControllerId) -> Option<ControllerPresence> {
        read(&self.controllers).get(&controller).map(|(_, presence)| presence.clone())
    }

    /// A controller says how a door is.
    pub fn door_reported(&self, door: DoorId, state: DoorState) {
        write(&self.doors).insert(door, state);
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
        presence.controller_arrives(controller, "1".into(), Vec::new());
        presence.controller_arrives(controller, "2".into(), Vec::new());
        presence.door_reported(door, DoorState::LOCKED);
        presence.controller_leaves(controller, &[door]);
        assert_eq!(
            presence.controller(controller),
            Some(ControllerPresence { version: "2".into(), readers: Vec::new() })
        );
        assert_eq!(presence.door(door), Some(DoorState::LOCKED));
        presence.controller_leaves(controller, &[door]);
        assert_eq!((presence.controller(controller), presence.door(door)), (None, None));
    }
}
