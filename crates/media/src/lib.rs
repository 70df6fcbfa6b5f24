//! Picture and sound of calls: a WebRTC room forwards what one panel sends to the apps that ring.
//!
//! A *room* is one call. The panel **publishes** into it once; every app **subscribes** and sees the picture
//! at once, but no sound passes in either direction before the call is answered and its peer **bridged**.
//! A phone leg has a *seat* instead of a connection: its sound is handed in and out. So has a panel that is a door station
//! ([`PanelSeat`]): its sound, and its picture. A desk phone with a display has one more ([`ViewerSeat`]), for what it sees.
//! The room forwards RTP payloads as they are: it neither decodes nor stores them.
//!
//! Invariants:
//! - before [`Media::bridge`] not one audio packet passes, in either direction;
//! - at most one peer is bridged, and the panel hears nobody else; the panel never receives video;
//! - a slow or failing peer changes nothing for the others but the picture's bit rate;
//! - a panic inside a room ends that room ([`MediaEvent::RoomFailed`]) and no other.
//!
//! ```text
//!  Media ──commands──▶ shard (thread, owns rooms) ──▶ relay ──▶ room      who hears and sees whom
//!    ▲                    ▲          │                      ├─▶ forward   sequence numbers, timestamps
//!    └──── MediaEvent ────┘          ▼                      ├─▶ quality   what a peer's network carries
//!                        driver: one UDP and one TCP port   └─▶ leg       one peer connection (str0m)
//! ```

mod driver;
mod forward;
mod keyframes;
mod leg;
mod negotiate;
mod quality;
mod relay;
mod room;
mod seat;
mod station;
mod viewer;

use driver::Driver;
use driver::shard::Command;
pub use seat::Sound;
pub use station::{ForStation, PanelSeat, Picture};
pub use viewer::{Sight, ViewerSeat};

use relay::Who;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

/// Events that may wait for their reader.
const EVENTS: usize = 1_000;

/// A room; the same value as the call's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoomId(pub Uuid);

/// A subscribing peer; the same value as the device's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerId(pub Uuid);

/// Where the media listens and how many threads serve it.
#[derive(Clone, Debug)]
pub struct MediaConfig {
    /// Address for UDP and for TCP, on the same port; port 0 takes any free one.
    pub listen: SocketAddr,
    /// Addresses told to browsers as candidates. Empty: the listening address itself, which must then be a
    /// specific one.
    pub advertise: Vec<IpAddr>,
    /// Threads that serve rooms, 1 to 64. A room lives on one of them.
    pub shards: usize,
}

/// How well a peer's network carries the picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quality {
    /// The picture passes as the panel likes to send it.
    Good,
    /// The picture passes, at a lower bit rate because of this peer.
    Reduced,
    /// The picture is paused, sound goes on.
    AudioOnly,
}

/// What the media tells the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MediaEvent {
    /// The connection stands (ICE and DTLS). `peer` is `None` for the panel.
    Connected {
        /// The call.
        room: RoomId,
        /// The app, or `None` for the panel.
        peer: Option<PeerId>,
    },
    /// The connection is lost and its place is free; a new offer starts again.
    Lost {
        /// The call.
        room: RoomId,
        /// The app, or `None` for the panel.
        peer: Option<PeerId>,
    },
    /// The picture quality of a peer changed. Every peer starts as [`Quality::Good`].
    Quality {
        /// The call.
        room: RoomId,
        /// The app.
        peer: PeerId,
        /// From now on.
        quality: Quality,
    },
    /// Whether a peer can show what the panel sends, by what each of them agreed to; told when it can not, and when it can again.
    Shows {
        /// The call.
        room: RoomId,
        /// The app.
        peer: PeerId,
        /// From now on. Without a common codec there is sound only.
        can: bool,
    },
    /// A defect ended the room; all its connections are gone. The other rooms go on.
    RoomFailed {
        /// The call.
        room: RoomId,
    },
}

/// Why the media refused.
#[derive(Debug, thiserror::Error)]
pub enum MediaError {
    /// The port can not be had, or the machine refuses a socket.
    #[error("open the media port {0}: {1}")]
    Listen(SocketAddr, #[source] std::io::Error),
    /// The configuration names no address that browsers could reach, or no sensible number of shards.
    #[error("invalid media configuration: {0}")]
    Config(&'static str),
    /// The offer is not SDP, is too long, or does not fit its part in the call.
    #[error("unusable offer: {0}")]
    Offer(String),
    /// Nothing was opened under this id, or it is closed already.
    #[error("no such room")]
    NoSuchRoom,
    /// The room, or the whole service, has as many connections as it takes.
    #[error("no more connections")]
    Full,
    /// The media has stopped.
    #[error("media has stopped")]
    Stopped,
}

/// What the media holds at the moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// Open rooms.
    pub rooms: usize,
    /// Connections of panels and apps, standing or expected.
    pub connections: usize,
    /// Network addresses that lead to a connection.
    pub addresses: usize,
    /// Views of peers that are no browsers.
    pub viewers: usize,
}

/// The running media; clones share it, and the last one dropped stops it.
///
/// Commands are handed to the room's thread in order and answered when it has done them; those about rooms and
/// peers that are not there change nothing.
#[derive(Clone)]
pub struct Media {
    driver: Arc<Driver>,
}

impl Media {
    /// Opens the port and starts the shards. Events must be read: when nobody reads, they are dropped after
    /// the first thousand.
    ///
    /// # Errors
    /// [`MediaError::Listen`] and [`MediaError::Config`].
    pub fn start(config: &MediaConfig) -> Result<(Self, mpsc::Receiver<MediaEvent>), MediaError> {
        let (events, receiver) = mpsc::channel(EVENTS);
        let driver = driver::start(config, &events)?;
        Ok((Self { driver: Arc::new(driver) }, receiver))
    }

    /// The address the port really has.
    pub fn local_addr(&self) -> SocketAddr {
        self.driver.local_addr
    }

    /// Opens a room. Opening an open one changes nothing.
    pub async fn open_room(&self, room: RoomId) {
        self.command(room, Command::Open(room)).await;
    }

    /// Ends every connection of the room and frees what it held.
    pub async fn close_room(&self, room: RoomId) {
        self.command(room, Command::Close(room)).await;
    }

    /// Takes the panel's offer (video sendonly, audio sendrecv) and answers it. Another one, of a new peer
    /// connection, replaces the first (the page was reloaded); those who watch see the picture go on.
    ///
    /// # Errors
    /// [`MediaError::Offer`], [`MediaError::NoSuchRoom`], [`MediaError::Full`], [`MediaError::Stopped`].
    pub async fn publish(&self, room: RoomId, offer: String) -> Result<String, MediaError> {
        self.join(room, Who::Panel, offer).await
    }

    /// Takes an app's offer (video recvonly, audio sendrecv) and answers it. The picture comes at once, sound
    /// with [`Media::bridge`]. Another offer of the same peer, of a new peer connection, replaces the first and
    /// keeps the peer's place in the call.
    ///
    /// # Errors
    /// [`MediaError::Offer`], [`MediaError::NoSuchRoom`], [`MediaError::Full`], [`MediaError::Stopped`].
    pub async fn subscribe(&self, room: RoomId, peer: PeerId, offer: String) -> Result<String, MediaError> {
        self.join(room, Who::Peer(peer), offer).await
    }

    /// Gives a peer that is no browser (a phone leg) its place in the room, instead of the one it had. What the panel says
    /// comes out of the receiver while the peer is bridged; who drops it has left.
    ///
    /// # Errors
    /// [`MediaError::NoSuchRoom`], [`MediaError::Full`], [`MediaError::Stopped`].
    pub async fn seat(&self, room: RoomId, peer: PeerId) -> Result<mpsc::Receiver<Sound>, MediaError> {
        let (heard, hears) = mpsc::channel(seat::WAITING);
        let (answer, answered) = oneshot::channel();
        self.command(room, Command::Seat { room, peer, heard, answer }).await;
        answered.await.unwrap_or(Err(MediaError::Stopped)).map(|()| hears)
    }

    /// A packet of sound of a peer that has a [`Media::seat`], for the panel; it goes nowhere while the peer is not bridged.
    pub async fn speak(&self, room: RoomId, peer: PeerId, sound: Sound) {
        self.command(room, Command::Speak(room, peer, sound)).await;
    }

    /// Gives a panel that is no browser (a door station) its place in the room, instead of the panel that was there.
    ///
    /// # Errors
    /// [`MediaError::NoSuchRoom`], [`MediaError::Stopped`].
    pub async fn seat_panel(&self, room: RoomId) -> Result<PanelSeat, MediaError> {
        let (answer, answered) = oneshot::channel();
        self.command(room, Command::SeatPanel { room, answer }).await;
        let (id, hears, asked) = answered.await.unwrap_or(Err(MediaError::Stopped))?;
        Ok(PanelSeat { media: self.clone(), room, id, hears, asked })
    }

    /// Gives a peer that is no browser and has a display its view of the panel, instead of the one it had: the picture comes at
    /// once, bridged or not. Who drops it looks no more; [`Media::leave`] ends it too.
    ///
    /// # Errors
    /// [`MediaError::NoSuchRoom`], [`MediaError::Full`], [`MediaError::Stopped`].
    pub async fn look(&self, room: RoomId, peer: PeerId) -> Result<ViewerSeat, MediaError> {
        let (shown, sees) = mpsc::channel(viewer::WAITING);
        let (answer, answered) = oneshot::channel();
        self.command(room, Command::Look { room, peer, shown, answer }).await;
        answered.await.unwrap_or(Err(MediaError::Stopped))?;
        Ok(ViewerSeat { media: self.clone(), room, peer, sees })
    }

    async fn viewer_wants_key_frame(&self, room: RoomId, peer: PeerId) {
        self.command(room, Command::ViewerWants(room, peer)).await;
    }

    async fn station_speaks(&self, room: RoomId, station: u64, sound: Sound) {
        self.command(room, Command::StationSpeaks(room, station, sound)).await;
    }

    async fn station_shows(&self, room: RoomId, station: u64, picture: Picture) {
        self.command(room, Command::StationShows(room, station, picture)).await;
    }

    /// Lets sound pass both ways between the panel and this peer, and ends it for any other. The peer may
    /// connect later.
    pub async fn bridge(&self, room: RoomId, peer: PeerId) {
        self.command(room, Command::Bridge(room, peer)).await;
    }

    /// Stops the sound of this peer; the picture stays.
    pub async fn unbridge(&self, room: RoomId, peer: PeerId) {
        self.command(room, Command::Unbridge(room, peer)).await;
    }

    /// Whether this peer, which has subscribed, wants the picture (it does at first).
    pub async fn set_video(&self, room: RoomId, peer: PeerId, wanted: bool) {
        self.command(room, Command::SetVideo(room, peer, wanted)).await;
    }

    /// Ends this peer's connection and forgets its place in the call.
    pub async fn leave(&self, room: RoomId, peer: PeerId) {
        self.command(room, Command::Leave(room, peer)).await;
    }

    /// What all shards hold together.
    pub async fn load(&self) -> Load {
        let mut sum = Load::default();
        for shard in &self.driver.shards {
            let (answer, load) = oneshot::channel();
            if shard.send(Command::Load(answer)).await.is_ok()
                && let Ok(load) = load.await
            {
                sum.rooms += load.rooms;
                sum.connections += load.connections;
                sum.addresses += load.addresses;
                sum.viewers += load.viewers;
            }
        }
        sum
    }

    async fn join(&self, room: RoomId, who: Who, offer: String) -> Result<String, MediaError> {
        let (answer, answered) = oneshot::channel();
        self.command(room, Command::Join { room, who, offer, answer }).await;
        answered.await.unwrap_or(Err(MediaError::Stopped))
    }

    async fn command(&self, room: RoomId, command: Command) {
        let shards = &self.driver.shards;
        let index = room.0.as_u128() % shards.len() as u128;
        if let Some(shard) = usize::try_from(index).ok().and_then(|index| shards.get(index)) {
            // A shard ends only after its last handle; there is nobody left to tell.
            let _ = shard.send(command).await;
        }
    }
}
