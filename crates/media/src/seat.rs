//! A peer of a room that is no browser: a phone leg. It has no connection of its own; its packets of sound are handed in
//! and out as they are, still encoded.
//!
//! The rules of the room hold for it as for every peer: it hears and is heard only while it is bridged. It sees no picture.

use crate::forward::Source;
use std::sync::Arc;
use tokio::sync::mpsc;

/// Packets that may wait for who takes them: a second's. A reader that is slower loses the newest, as in a network.
pub(crate) const WAITING: usize = 50;

/// A packet of sound: Opus (RFC 7587), its RTP clock at 48 kHz.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sound {
    /// The RTP sequence number with its roll-overs.
    pub seq: u64,
    /// The RTP timestamp.
    pub timestamp: u32,
    /// The RTP payload.
    pub payload: Arc<[u8]>,
}

/// A seat that is taken.
pub(crate) struct Seat {
    /// Unique in the process's shard, as a connection's.
    id: u64,
    heard: mpsc::Sender<Sound>,
}

impl Seat {
    pub(crate) const fn new(id: u64, heard: mpsc::Sender<Sound>) -> Self {
        Self { id, heard }
    }

    /// Whether nobody listens any more.
    pub(crate) fn is_left(&self) -> bool {
        self.heard.is_closed()
    }

    /// Hands the panel's sound out.
    pub(crate) fn hear(&self, sound: Sound) {
        // see WAITING
        let _ = self.heard.try_send(sound);
    }

    /// What its own sound comes from.
    pub(crate) const fn source(&self) -> Source {
        Source { leg: self.id, ssrc: 0 }
    }
}
