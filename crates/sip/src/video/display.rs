//! The shell of a display: two UDP ports, the clock, and one [`View`] of what a room shows. Whoever owns it hands packets in
//! and hears when a key frame is wanted; nothing of it runs by itself.
//!
//! Invariants: what goes out is one stream under one SSRC, whatever streams come in, and begins with a frame that a decoder may
//! begin with. It goes to the address that was agreed on; or, where the device is behind a router, to the port that the display
//! speaks from (RFC 4961), learnt once and only on the machine that the device is known to be: a picture is much, and nobody can
//! have it sent to somebody else. What the display sends is no picture of ours: only its wishes for key frames are read, and only
//! from the machine that the picture goes to.

use super::{CLOCK_RATE, Source, View};
use crate::rtp::packet::{MAX_DATAGRAM, Packet, is_rtcp};
use crate::rtp::port::keys::LineKeys;
use crate::rtp::port::{PortError, Ports};
use crate::rtp::rtcp::{self, Report, Sent};
use crate::rtp::source;
use crate::sdp::Video;
use klinke_model::time::{Clock, Mono};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::UdpSocket;

/// Between two of our reports, as for sound (RFC 3550, section 6.2).
const REPORT_EVERY: Duration = Duration::from_secs(5);
/// Between two wishes for a key frame while none comes: a lost one is repeated.
const ASK_EVERY: Duration = Duration::from_secs(1);

/// A packet of the picture as it comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown<'a> {
    /// Which stream it is of. Another one begins anew: nothing of it is shown before a key frame.
    pub stream: u32,
    /// Its RTP sequence number in that stream.
    pub sequence: u16,
    /// Its RTP timestamp in that stream.
    pub timestamp: u32,
    /// The last of its frame.
    pub marker: bool,
    /// H.264 (RFC 6184).
    pub payload: &'a [u8],
}

/// A display that a picture is sent to. Dropped, its ports are free again.
pub struct Display {
    rtp: UdpSocket,
    rtcp: UdpSocket,
    clock: Arc<dyn Clock>,
    ssrc: u32,
    cname: String,
    /// The machine of the device.
    home: Option<IpAddr>,
    /// Where the description says that the display is.
    told: SocketAddr,
    /// The same for reports.
    told_rtcp: SocketAddr,
    /// Where it is.
    whose: source::Source,
    keys: LineKeys,
    source: Source,
    view: View,
    /// The stream that came last, and what it is called here: one more for each change.
    of: (Option<u32>, u32),
    asked: Option<Mono>,
    sent: Sent,
    /// The timestamp that went out last, and when.
    newest: Option<(u32, Mono)>,
    reported: Option<Mono>,
}

impl Display {
    /// Begins to send to where the description says, under the name that the sound of the same call has in its reports. `home` is
    /// the machine that the device was proven to be on, where that is known: there, the display may be behind another port.
    ///
    /// # Errors
    /// [`PortError::Random`] and [`PortError::Keys`].
    pub fn start(
        ports: Ports,
        video: &Video,
        (cname, home): (&str, Option<IpAddr>),
        clock: Arc<dyn Clock>,
    ) -> Result<Self, PortError> {
        let mut keys = LineKeys::default();
        if !keys.agree(video.keys.as_ref()) {
            return Err(PortError::Keys);
        }
        let mut random = [0_u8; 12];
        getrandom::fill(&mut random).map_err(|_| PortError::Random)?;
        let [a, b, c] = *random.as_chunks::<4>().0 else { return Err(PortError::Random) };
        let (ssrc, timestamp) = (u32::from_be_bytes(a), u32::from_be_bytes(b));
        // its upper half may stay away: no packet before the first roll-over is to be taken for one after it
        let sequence = (u32::from_be_bytes(c) & 0x7fff) as u16;
        let (rtp, rtcp) = ports.into_sockets();
        Ok(Self {
            rtp,
            rtcp,
            clock,
            ssrc,
            cname: cname.to_owned(),
            home,
            told: SocketAddr::new(video.address, video.port),
            told_rtcp: SocketAddr::new(video.address, video.rtcp_port),
            whose: source::Source::new(Some(SocketAddr::new(video.address, video.port))),
            keys,
            source: Source::new(None),
            view: View::new(ssrc, video.payload_type, sequence, timestamp),
            of: (None, 0),
            asked: None,
            sent: Sent::default(),
            newest: None,
            reported: None,
        })
    }

    /// Both sides agreed again: where it goes to, as which payload type and under which keys. `false` when those can not be used:
    /// then nothing is to be shown any more.
    #[must_use]
    pub fn change(&mut self, video: &Video) -> bool {
        if !self.keys.agree(video.keys.as_ref()) {
            return false;
        }
        self.told = SocketAddr::new(video.address, video.port);
        self.told_rtcp = SocketAddr::new(video.address, video.rtcp_port);
        self.whose.told(Some(self.told));
        self.view.sends_as(video.payload_type);
        true
    }

    /// What comes next does not continue what came, whatever its stream is called.
    pub fn cut(&mut self) {
        self.of.0 = None;
        self.asked = None;
    }

    /// Shows one packet, in the order in which they come. Whether somebody has to ask the source for a key frame, since nothing
    /// can be shown before one; at most once a second.
    pub async fn show(&mut self, shown: Shown<'_>) -> bool {
        let now = self.clock.mono();
        let Shown { stream, sequence, timestamp, marker, payload } = shown;
        if self.of.0.replace(stream) != Some(stream) {
            self.of.1 = self.of.1.wrapping_add(1);
        }
        let packet = Packet {
            payload_type: 0,
            marker,
            sequence,
            timestamp,
            ssrc: self.of.1,
            csrc: &[],
            extension: None,
            payload,
        };
        let Some(part) = self.source.take(&packet) else { return false };
        let datagrams = self.view.pass(&self.source, &packet, part, now);
        for datagram in datagrams {
            self.count(&datagram, now);
            if let Some(datagram) = self.keys.rtp_out(datagram) {
                // a packet that does not go out is as good as one that is lost
                let _ = self.rtp.send_to(&datagram, self.target()).await;
            }
        }
        self.report(now).await;
        let asks = self.view.waits() && self.asked.is_none_or(|asked| now.since(asked) >= ASK_EVERY);
        if asks {
            self.asked = Some(now);
        }
        asks
    }

    fn count(&mut self, datagram: &[u8], now: Mono) {
        let Ok(packet) = Packet::parse(datagram) else { return };
        self.sent.packets = self.sent.packets.wrapping_add(1);
        let bytes = u32::try_from(packet.payload.len()).unwrap_or(0);
        self.sent.bytes = self.sent.bytes.wrapping_add(bytes);
        self.newest = Some((packet.timestamp, now));
    }

    /// Tells how our timestamps and our time belong together, so that the picture is shown with its sound.
    async fn report(&mut self, now: Mono) {
        let Some((timestamp, at)) = self.newest else { return };
        if self.reported.is_some_and(|reported| now.since(reported) < REPORT_EVERY) {
            return;
        }
        self.reported = Some(now);
        let later = u32::try_from(now.since(at).as_millis()).unwrap_or(0).wrapping_mul(CLOCK_RATE / 1_000);
        let sent = Sent { ntp: rtcp::ntp(now), timestamp: timestamp.wrapping_add(later), ..self.sent };
        let report = rtcp::write(self.ssrc, Some(sent), None, &self.cname);
        let Some(report) = self.keys.rtcp_out(report) else { return };
        let (from, target) = if self.told_rtcp == self.told {
            (&self.rtp, self.target())
        } else {
            let learnt = self.whose.fixed().filter(|learnt| *learnt != self.told);
            // behind a router, the port after the one that was learnt is the best guess
            let after = learnt.and_then(|learnt| Some((learnt.ip(), learnt.port().checked_add(1)?).into()));
            (&self.rtcp, after.unwrap_or(self.told_rtcp))
        };
        // the next one says the same
        let _ = from.send_to(&report, target).await;
    }

    /// Where the picture goes to.
    fn target(&self) -> SocketAddr {
        self.whose.target().unwrap_or(self.told)
    }

    /// Waits until the display wants a key frame. Nothing is lost when this is given up half-way.
    pub async fn wish(&mut self) {
        // one that is longer than the longest is cut, and so none
        let (mut rtp, mut rtcp) = ([0; MAX_DATAGRAM], [0; MAX_DATAGRAM]);
        loop {
            let (came, beside) = tokio::select! {
                came = self.rtp.recv_from(&mut rtp) => (came.map(|(length, from)| (rtp.get(..length), from)), true),
                came = self.rtcp.recv_from(&mut rtcp) => {
                    (came.map(|(length, from)| (rtcp.get(..length), from)), false)
                }
            };
            // an error is that of a packet of ours that nobody took
            if let Ok((Some(datagram), from)) = came
                && self.is_wish(datagram, from, beside)
            {
                return;
            }
        }
    }

    /// Whether a key frame is wanted by this; `beside` the picture, on its own port, also where the display is is learnt from it.
    fn is_wish(&mut self, datagram: &[u8], from: SocketAddr, beside: bool) -> bool {
        let is_home = from.ip() == self.told.ip() || Some(from.ip()) == self.home;
        // before it costs any cryptography
        if !is_home {
            return false;
        }
        if !is_rtcp(datagram) {
            // only a sign of life: some send their own picture back, or nothing in packets
            if let Some(packet) = self.keys.rtp_in(datagram).filter(|_| beside) {
                self.whose.takes(from, &packet);
            }
            return false;
        }
        let Some(datagram) = self.keys.rtcp_in(datagram) else { return false };
        let reports = rtcp::parse(&datagram).unwrap_or_default();
        // as every one begins that is whole (RFC 3550, section 6.1)
        let is_whole = matches!(reports.first(), Some(Report::Sender { .. } | Report::Receiver { .. }));
        if beside && is_whole {
            self.whose.fix(from);
        }
        reports.iter().any(|one| matches!(one, Report::KeyFrame(streams) if streams.contains(&self.ssrc)))
    }
}

#[cfg(test)]
mod tests;
