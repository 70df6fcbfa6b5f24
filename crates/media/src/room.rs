//! Who sees and who hears whom in one call; pure.
//!
//! ```text
//!   picture   panel ───▶ every peer that wants it
//!   sound     panel ◀──▶ the bridged peer, nobody else
//! ```
//!
//! Invariants: nobody is bridged at first; at most one peer is; nothing but the bridged peer's sound ever goes
//! to the panel. What is said here about a peer outlives its connection, so an app that connects anew keeps its
//! place in the call; [`Room::leave`] forgets it.

use crate::PeerId;
use std::collections::BTreeSet;

/// The call's decisions about who takes part how.
#[derive(Debug, Default)]
pub struct Room {
    bridged: Option<PeerId>,
    without_video: BTreeSet<PeerId>,
}

impl Room {
    /// Connects the panel's sound with this peer, instead of whoever had it.
    pub fn bridge(&mut self, peer: PeerId) {
        self.bridged = Some(peer);
    }

    /// Ends this peer's sound; the sound of another stays.
    pub fn unbridge(&mut self, peer: PeerId) {
        if self.bridged == Some(peer) {
            self.bridged = None;
        }
    }

    /// Whether the peer wants the picture.
    pub fn set_video(&mut self, peer: PeerId, wanted: bool) {
        if wanted {
            self.without_video.remove(&peer);
        } else {
            self.without_video.insert(peer);
        }
    }

    /// Forgets the peer.
    pub fn leave(&mut self, peer: PeerId) {
        self.unbridge(peer);
        self.without_video.remove(&peer);
    }

    /// The one peer that talks with the panel.
    pub fn bridged(&self) -> Option<PeerId> {
        self.bridged
    }

    /// Whether the panel's picture goes to this peer.
    pub fn sees(&self, peer: PeerId) -> bool {
        !self.without_video.contains(&peer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const ANNA: PeerId = PeerId(Uuid::from_u128(1));
    const BEN: PeerId = PeerId(Uuid::from_u128(2));

    #[test]
    fn nobody_is_bridged_before_the_call_is_answered() {
        assert_eq!(Room::default().bridged(), None);
    }

    #[test]
    fn a_second_bridge_takes_the_sound_over_and_the_first_can_not_end_it() {
        let mut room = Room::default();
        room.bridge(ANNA);
        room.bridge(BEN);
        assert_eq!(room.bridged(), Some(BEN));
        room.unbridge(ANNA);
        assert_eq!(room.bridged(), Some(BEN));
        room.unbridge(BEN);
        assert_eq!(room.bridged(), None);
    }

    #[test]
    fn who_leaves_loses_the_sound_and_starts_afresh() {
        let mut room = Room::default();
        room.bridge(ANNA);
        room.set_video(ANNA, false);
        assert!(!room.sees(ANNA));
        assert!(room.sees(BEN));
        room.leave(ANNA);
        assert_eq!(room.bridged(), None);
        assert!(room.sees(ANNA));
    }

    #[test]
    fn the_picture_can_be_switched_off_and_on() {
        let mut room = Room::default();
        room.set_video(ANNA, false);
        room.set_video(ANNA, false);
        room.set_video(ANNA, true);
        assert!(room.sees(ANNA));
    }
}
