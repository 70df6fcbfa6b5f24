//! The panel of a room that is no browser: a door station. Its packets are handed in and out as they are, as those of a
//! phone leg's [`Seat`](crate::seat::Seat); its picture is H.264 (RFC 6184).
//!
//! Nobody is sent a frame that needs one which they do not have. So the last key frame is kept: who comes late is shown it
//! at once, and then what moves, from the next key frame on, or at once if nothing has come since.

use crate::forward::Source;
use crate::seat::{Sound, WAITING};
use crate::{Media, RoomId};
use std::sync::Arc;
use tokio::sync::{Notify, mpsc};

/// The largest key frame that is kept, in bytes of payload.
const LARGEST: usize = 1 << 20;

/// A packet of a door station's picture: H.264, its RTP clock at 90 kHz.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// The RTP sequence number with its roll-overs.
    pub seq: u64,
    /// The RTP timestamp.
    pub timestamp: u32,
    /// The RTP marker: the last packet of its frame.
    pub marker: bool,
    /// Whether a decoder may begin here: the first packet of a key frame, with its parameter sets.
    pub starts: bool,
    /// The RTP payload.
    pub payload: Arc<[u8]>,
}

/// What a room has for its door station.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ForStation {
    /// A packet of the bridged peer's sound.
    Sound(Sound),
    /// Somebody can not see anything before a key frame.
    KeyFrame,
}

/// A door station's place in a room. Dropped, it has left.
pub struct PanelSeat {
    pub(crate) media: Media,
    pub(crate) room: RoomId,
    pub(crate) id: u64,
    pub(crate) hears: mpsc::Receiver<Sound>,
    pub(crate) asked: Arc<Notify>,
}

impl PanelSeat {
    /// What the room has for it next; `None` when the place is another panel's now, or the room is closed. Nothing is lost
    /// when this is given up half-way.
    pub async fn next(&mut self) -> Option<ForStation> {
        tokio::select! {
            sound = self.hears.recv() => sound.map(ForStation::Sound),
            () = self.asked.notified() => Some(ForStation::KeyFrame),
        }
    }

    /// A packet of its sound; nobody but who is bridged hears it.
    pub async fn speaks(&self, sound: Sound) {
        self.media.station_speaks(self.room, self.id, sound).await;
    }

    /// A packet of its picture, for all who look on.
    pub async fn shows(&self, picture: Picture) {
        self.media.station_shows(self.room, self.id, picture).await;
    }
}

/// The last key frame.
#[derive(Debug, Default)]
enum Kept {
    /// There is none, or it did not come whole.
    #[default]
    Nothing,
    /// It comes.
    Coming(Vec<Picture>),
    /// It is whole, and whether it is also the last that came.
    Whole(Vec<Picture>, bool),
}

/// A place that is taken, from the room's side.
pub(crate) struct Station {
    id: u64,
    heard: mpsc::Sender<Sound>,
    asked: Arc<Notify>,
    kept: Kept,
    bytes: usize,
}

impl Station {
    /// A place under this number, which is unique in the process's shard, as a connection's; and what goes with it to who takes it.
    pub(crate) fn new(id: u64) -> (Self, mpsc::Receiver<Sound>, Arc<Notify>) {
        let (heard, hears) = mpsc::channel(WAITING);
        let asked = Arc::new(Notify::new());
        (Self { id, heard, asked: Arc::clone(&asked), kept: Kept::Nothing, bytes: 0 }, hears, asked)
    }

    /// Whether it is this one.
    pub(crate) const fn is(&self, id: u64) -> bool {
        self.id == id
    }

    /// What its sound, and its picture as it comes, come from.
    pub(crate) const fn source(&self) -> Source {
        Source { leg: self.id, ssrc: 0 }
    }

    /// What the kept frame comes from, when it is not followed by what comes.
    pub(crate) const fn still_source(&self) -> Source {
        Source { leg: self.id, ssrc: 1 }
    }

    /// Hands it sound.
    pub(crate) fn hear(&self, sound: Sound) {
        // as for a seat: a reader that is slow loses the newest
        let _ = self.heard.try_send(sound);
    }

    /// Tells it that a key frame is wanted.
    pub(crate) fn ask(&self) {
        self.asked.notify_one();
    }

    /// Keeps a packet, if it is of a key frame.
    pub(crate) fn keep(&mut self, picture: &Picture) {
        if picture.starts {
            self.bytes = 0;
            self.kept = Kept::Coming(Vec::new());
        }
        match &mut self.kept {
            Kept::Coming(pieces) => {
                let follows = pieces
                    .last()
                    .is_none_or(|last| (last.seq + 1, last.timestamp) == (picture.seq, picture.timestamp));
                self.bytes += picture.payload.len();
                if !follows || self.bytes > LARGEST {
                    self.kept = Kept::Nothing;
                    return;
                }
                pieces.push(picture.clone());
                if picture.marker {
                    self.kept = Kept::Whole(std::mem::take(pieces), true);
                }
            }
            Kept::Whole(_, is_last) => *is_last = false,
            Kept::Nothing => {}
        }
    }

    /// The kept key frame, and whether what comes next continues it.
    pub(crate) fn still(&self) -> Option<(&[Picture], bool)> {
        match &self.kept {
            Kept::Whole(pieces, is_last) => Some((pieces, *is_last)),
            Kept::Nothing | Kept::Coming(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(seq: u64, timestamp: u32, starts: bool, marker: bool) -> Picture {
        Picture { seq, timestamp, marker, starts, payload: [7; 100].into() }
    }

    fn kept(pictures: &[Picture]) -> Option<(usize, bool)> {
        let (mut station, ..) = Station::new(1);
        pictures.iter().for_each(|picture| station.keep(picture));
        station.still().map(|(pieces, is_last)| (pieces.len(), is_last))
    }

    #[test]
    fn a_key_frame_that_came_whole_is_kept_until_the_next_one() {
        let key = [picture(1, 9, true, false), picture(2, 9, false, false), picture(3, 9, false, true)];
        assert_eq!(kept(&key[..2]), None, "not whole yet");
        assert_eq!(kept(&key), Some((3, true)));
        let more = [&key[..], &[picture(4, 12, false, true)]].concat();
        assert_eq!(kept(&more), Some((3, false)));
        assert_eq!(kept(&[&more[..], &[picture(5, 15, true, true)]].concat()), Some((1, true)));
        assert_eq!(
            kept(&[&more[..], &[picture(5, 15, true, false)]].concat()),
            None,
            "an older one would lie"
        );
    }

    #[test]
    fn one_with_a_hole_or_without_an_end_or_too_large_is_not_kept() {
        assert_eq!(kept(&[picture(1, 9, true, false), picture(3, 9, false, true)]), None);
        assert_eq!(kept(&[picture(1, 9, true, false), picture(2, 12, false, true)]), None);
        assert_eq!(kept(&[picture(2, 9, false, false), picture(3, 9, false, true)]), None);
        let pieces = (LARGEST / 100 + 1) as u64;
        let large: Vec<_> = (0..=pieces).map(|n| picture(n, 9, n == 0, n == pieces)).collect();
        assert_eq!(kept(&large), None);
        assert!(
            kept(&[&large[..pieces as usize - 2], &[picture(pieces - 2, 9, false, true)]].concat()).is_some()
        );
    }
}
