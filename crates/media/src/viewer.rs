//! A peer of a room that is no browser and has a display: a desk phone. What it sees is handed out as it is forwarded, and is
//! H.264 (RFC 6184) or nothing: a panel that sends another codec is not seen there.
//!
//! It has no part in what is asked of the panel but key frames: its picture is as large as the panel sends it.

use crate::forward::Source;
use crate::leg::Passed;
use crate::{Media, PeerId, RoomId};
use std::sync::Arc;
use tokio::sync::mpsc;

/// Packets that may wait for who takes them: a key frame's. What comes on top is lost, as in a network.
pub(crate) const WAITING: usize = 512;

/// A packet of the picture as a viewer sees it: H.264, its RTP clock at 90 kHz.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sight {
    /// Which stream it is of: another number where what comes does not continue what came. A decoder then waits for a key frame.
    pub stream: u32,
    /// The RTP sequence number with its roll-overs, counted in its stream.
    pub seq: u64,
    /// The RTP timestamp, counted in its stream.
    pub timestamp: u32,
    /// The RTP marker: the last packet of its frame.
    pub marker: bool,
    /// The RTP payload.
    pub payload: Arc<[u8]>,
}

/// A viewer's place in a room. Dropped, it has left.
pub struct ViewerSeat {
    pub(crate) media: Media,
    pub(crate) room: RoomId,
    pub(crate) peer: PeerId,
    pub(crate) sees: mpsc::Receiver<Sight>,
}

impl ViewerSeat {
    /// The next packet: the last key frame of a door station first, where there is one. `None` when the room is closed or the
    /// place is another's. Nothing is lost when this is given up half-way.
    pub async fn next(&mut self) -> Option<Sight> {
        self.sees.recv().await
    }

    /// Has the panel asked for a key frame, no oftener than panels can stand.
    pub async fn wants_key_frame(&self) {
        self.media.viewer_wants_key_frame(self.room, self.peer).await;
    }
}

/// A place that is taken, from the room's side.
pub(crate) struct Viewer {
    shown: mpsc::Sender<Sight>,
    /// What it saw last is of this.
    source: Option<Source>,
    stream: u32,
    /// It has a frame of the door station that what comes next can follow.
    pub(crate) follows: bool,
}

impl Viewer {
    pub(crate) const fn new(shown: mpsc::Sender<Sight>) -> Self {
        Self { shown, source: None, stream: 0, follows: false }
    }

    /// Whether nobody looks any more.
    pub(crate) fn is_left(&self) -> bool {
        self.shown.is_closed()
    }

    /// Hands a packet out.
    pub(crate) fn see(&mut self, source: Source, passed: Passed<'_>) {
        if self.source.replace(source) != Some(source) {
            self.stream = self.stream.wrapping_add(1);
        }
        let Passed { seq, timestamp, marker, payload, .. } = passed;
        let sight = Sight { stream: self.stream, seq, timestamp, marker, payload: Arc::clone(payload) };
        // see WAITING
        let _ = self.shown.try_send(sight);
    }
}
