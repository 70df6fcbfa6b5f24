//! The shell of a door station's picture: two UDP ports, the clock, and one task that owns the [`Source`](super::Source).
//!
//! As for sound, only one source counts, which is learnt and then fixed; what comes from elsewhere is nobody's picture.
//! What comes out are the packets of one [`View`](super::View): parameter sets stand before each key frame, numbers have no
//! gap of our making, and the first packet is one that a decoder may begin with.

use super::{Asking, Source, View};
use crate::rtp::packet::{MAX_DATAGRAM, Packet, is_rtcp};
use crate::rtp::port::keys::LineKeys;
use crate::rtp::port::{PortError, Ports};
use crate::rtp::source;
use crate::sdp::Video;
use klinke_model::time::Clock;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::UdpSocket;
use tokio::sync::{Notify, mpsc};
use tokio::time::sleep;

/// Packets that may wait for who takes them: a key frame's. What comes on top is lost, as in a network.
const WAITING: usize = 512;

/// What a camera tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// A packet of its picture.
    Packet(Shown),
    /// It did not hear by RTCP that a key frame is wanted: it is to be told by INFO ([`CONTROL`](super::CONTROL)).
    AskByInfo,
}

/// A packet of the picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// One more for each; it does not wrap.
    pub seq: u64,
    /// In ticks of [`CLOCK_RATE`](super::CLOCK_RATE); wraps.
    pub timestamp: u32,
    /// The last of its frame.
    pub marker: bool,
    /// A decoder may begin with it.
    pub starts: bool,
    /// H.264 (RFC 6184).
    pub payload: Vec<u8>,
}

/// A camera that is looked at. Dropped, its ports are free again.
#[derive(Debug)]
pub struct Camera {
    wanted: Arc<Notify>,
    shown: mpsc::Receiver<Seen>,
}

impl Camera {
    /// Looks at what comes to these ports, as it was described.
    ///
    /// # Errors
    /// [`PortError::Random`] and [`PortError::Keys`].
    pub fn start(ports: Ports, video: &Video, clock: Arc<dyn Clock>) -> Result<Self, PortError> {
        let mut keys = LineKeys::default();
        if !keys.agree(video.keys.as_ref()) {
            return Err(PortError::Keys);
        }
        let ours = getrandom::u32().map_err(|_| PortError::Random)?;
        let (rtp, rtcp) = ports.into_sockets();
        let told = SocketAddr::new(video.address, video.port);
        let wanted = Arc::new(Notify::new());
        let (seen, shown) = mpsc::channel(WAITING);
        let running = Running {
            rtp,
            rtcp,
            ours,
            payload_type: video.payload_type,
            keys,
            whose: source::Source::new(Some(told)),
            source: Source::new(video.parameter_sets.as_deref()),
            // numbers of its own are given to each who looks on, later
            view: View::new(0, video.payload_type, 0, 0),
            last: 0,
            asking: Asking::default(),
            clock,
            seen,
        };
        tokio::spawn(running.run(Arc::clone(&wanted)));
        Ok(Self { wanted, shown })
    }

    /// Somebody needs a key frame. It is asked for no oftener than cameras can stand.
    pub fn want(&self) {
        self.wanted.notify_one();
    }

    /// What it tells next; `None` when it can tell nothing more.
    pub async fn next(&mut self) -> Option<Seen> {
        self.shown.recv().await
    }
}

struct Running {
    rtp: UdpSocket,
    rtcp: UdpSocket,
    ours: u32,
    payload_type: u8,
    keys: LineKeys,
    whose: source::Source,
    source: Source,
    view: View,
    /// The number of the last packet that went out, with its roll-overs.
    last: u64,
    asking: Asking,
    clock: Arc<dyn Clock>,
    seen: mpsc::Sender<Seen>,
}

impl Running {
    async fn run(mut self, wanted: Arc<Notify>) {
        // one more than the longest, so that a longer one is seen to be longer
        let (mut rtp, mut rtcp) = (vec![0; MAX_DATAGRAM + 1], [0; 64]);
        loop {
            // it can be asked once it is known what it sends
            let due = self.asking.due().filter(|_| self.source.ssrc().is_some());
            let wait = due.map(|due| due.since(self.clock.mono()));
            tokio::select! {
                () = self.seen.closed() => return,
                // an error is that of a packet of ours that nobody took
                Ok((length, from)) = self.rtp.recv_from(&mut rtp) => {
                    self.came(rtp.get(..length).unwrap_or_default(), from);
                }
                // its reports say nothing that we need
                Ok(_) = self.rtcp.recv_from(&mut rtcp) => {}
                () = wanted.notified() => self.asking.want(),
                () = sleep(wait.unwrap_or_default()), if wait.is_some() => self.ask().await,
            }
        }
    }

    fn came(&mut self, datagram: &[u8], from: SocketAddr) {
        if self.whose.is_stranger(from) || is_rtcp(datagram) {
            return;
        }
        let Some(datagram) = self.keys.rtp_in(datagram) else { return };
        if !self.whose.takes(from, &datagram) {
            return;
        }
        let Ok(packet) = Packet::parse(&datagram) else { return };
        if packet.payload_type != self.payload_type {
            return;
        }
        let Some(part) = self.source.take(&packet) else { return };
        if part.begins_key() {
            self.asking.came();
        }
        let shown = self.view.pass(&self.source, &packet, part, self.clock.mono());
        if shown.is_empty() && self.view.waits() {
            self.asking.want();
        }
        for (n, datagram) in shown.iter().enumerate() {
            let Ok(packet) = Packet::parse(datagram) else { continue };
            // as far from the last as the short numbers are, forth or back
            let step = i64::from(packet.sequence.wrapping_sub((self.last & 0xffff) as u16) as i16);
            let seq = self.last.saturating_add_signed(step);
            self.last = self.last.max(seq);
            let shown = Shown {
                seq,
                timestamp: packet.timestamp,
                marker: packet.marker,
                starts: n == 0 && part.begins_key(),
                payload: packet.payload.to_vec(),
            };
            // see WAITING
            let _ = self.seen.try_send(Seen::Packet(shown));
        }
    }

    async fn ask(&mut self) {
        let (Some(theirs), Some(target)) = (self.source.ssrc(), self.whose.target()) else { return };
        let Some(ask) = self.asking.ask(self.ours, theirs, self.clock.mono()) else { return };
        let Some(rtcp) = self.keys.rtcp_out(ask.rtcp) else { return };
        // to both places where RTCP may be heard; what is lost there is asked for again
        let _ = self.rtp.send_to(&rtcp, target).await;
        if let Some(port) = target.port().checked_add(1) {
            let _ = self.rtcp.send_to(&rtcp, (target.ip(), port)).await;
        }
        if ask.info {
            let _ = self.seen.try_send(Seen::AskByInfo);
        }
    }
}
