//! The visitor's picture on the display of a station that was picked up: a task, from the answer to the end of the call.
//!
//! ```text
//!   room ─▶ ViewerSeat ─▶ Display ─▶ the station's display
//!     ◀── a key frame is wanted ◀───
//! ```
//!
//! Invariants
//! - Without a display that takes it there is no view in the room, so the picture costs nothing.
//! - What does not work here takes the picture away and nothing else: sound goes on.
//! - The task ends when its [`Picture`] is dropped; its ports are free then.

use crate::node::Node;
use crate::stations::invite::Offers;
use klinke_media::{Media, PeerId, RoomId, Sight, ViewerSeat};
use klinke_sip::rtp::port::Ports;
use klinke_sip::sdp::Video;
use klinke_sip::video::display::{self, Display};
use std::net::IpAddr;
use std::sync::Arc;
use tokio::sync::mpsc;

/// A picture that is shown. Dropped, it stops.
pub(super) struct Picture {
    offers: Arc<Offers>,
    orders: mpsc::UnboundedSender<Order>,
}

/// What is shown where.
pub(super) struct Shown<'a> {
    /// What we say of it.
    pub offers: Arc<Offers>,
    /// What they answered.
    pub video: Video,
    /// Ours, for their reports.
    pub ports: Ports,
    /// The name that the sound of the call has in its reports.
    pub cname: &'a str,
    /// Where the device is registered from: its display may be behind another port there.
    pub home: Option<IpAddr>,
}

enum Order {
    /// What the newest description says of it.
    Described(Option<Video>),
    KeyFrame,
}

impl Picture {
    /// Shows this peer what its room sees. `None` when the machine has no randomness, or the keys can not be used.
    pub(super) fn show(node: &Arc<Node>, (room, peer): (RoomId, PeerId), shown: Shown<'_>) -> Option<Self> {
        let Shown { offers, video, ports, cname, home } = shown;
        let display = Display::start(ports, &video, (cname, home), node.clock.clone())
            .inspect_err(|error| tracing::warn!(%error, "a device is shown no picture"))
            .ok()?;
        let (orders, inbox) = mpsc::unbounded_channel();
        let showing = Showing { media: node.media.clone(), room, peer, display, seat: None };
        node.tasks.spawn(showing.run(video, inbox));
        Some(Self { offers, orders })
    }

    /// What an answer to an offer of ours, during the call, makes of it.
    pub(super) fn agreed(&self, answer: &str) -> Option<Video> {
        self.offers.agreed_picture(answer)
    }

    /// Both sides agreed again.
    pub(super) fn change(&self, video: Option<Video>) {
        self.order(Order::Described(video));
    }

    /// The device asked for a key frame in another way than by RTCP.
    pub(super) fn wants_key_frame(&self) {
        self.order(Order::KeyFrame);
    }

    fn order(&self, order: Order) {
        // a task that has ended shows nothing
        let _ = self.orders.send(order);
    }
}

struct Showing {
    media: Media,
    room: RoomId,
    peer: PeerId,
    display: Display,
    /// While the display takes the picture.
    seat: Option<ViewerSeat>,
}

enum Happened {
    Order(Option<Order>),
    Sight(Option<Sight>),
    Wish,
}

impl Showing {
    async fn run(mut self, video: Video, mut orders: mpsc::UnboundedReceiver<Order>) {
        self.described(Some(video)).await;
        loop {
            let happened = tokio::select! {
                order = orders.recv() => Happened::Order(order),
                sight = next(&mut self.seat) => Happened::Sight(sight),
                () = self.display.wish() => Happened::Wish,
            };
            match happened {
                Happened::Order(None) => return,
                Happened::Order(Some(Order::Described(video))) => self.described(video).await,
                Happened::Order(Some(Order::KeyFrame)) | Happened::Wish => self.ask().await,
                Happened::Sight(Some(sight)) => self.sees(&sight).await,
                // the room is closed: the call's end is told
                Happened::Sight(None) => self.seat = None,
            }
        }
    }

    async fn described(&mut self, video: Option<Video>) {
        let Some(video) = video.filter(|video| video.takes) else {
            self.seat = None;
            return;
        };
        if !self.display.change(&video) {
            self.seat = None;
            return;
        }
        if self.seat.is_none() {
            self.display.cut();
            // a room that is gone ends its call, which is told
            self.seat = self.media.look(self.room, self.peer).await.ok();
        }
    }

    async fn sees(&mut self, sight: &Sight) {
        let Sight { stream, seq, timestamp, marker, payload } = sight;
        let shown = display::Shown {
            stream: *stream,
            // the number without its roll-overs
            sequence: (seq & 0xffff) as u16,
            timestamp: *timestamp,
            marker: *marker,
            payload,
        };
        if self.display.show(shown).await {
            self.ask().await;
        }
    }

    async fn ask(&self) {
        if let Some(seat) = &self.seat {
            seat.wants_key_frame().await;
        }
    }
}

async fn next(seat: &mut Option<ViewerSeat>) -> Option<Sight> {
    match seat {
        Some(seat) => seat.next().await,
        None => std::future::pending().await,
    }
}
