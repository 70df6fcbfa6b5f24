//! One browser's connection to a room, sans-IO.
//!
//! ```text
//!   new ──(ICE, DTLS)──▶ connected ──▶ gone        gone also when not connected within 30 s
//! ```
//!
//! Invariant (str0m's): every change is followed by [`Leg::drain`] before the next change.

use crate::forward::{Rewriter, Source};
use crate::negotiate::Agreed;
use crate::seat::Sound;
use crate::station::Picture;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};
use str0m::bwe::{Bitrate, BweKind};
use str0m::format::Codec;
use str0m::media::{KeyframeRequestKind, Mid, Pt};
use str0m::net::{Receive, Transmit};
use str0m::rtp::{ExtensionValues, RtpPacket, RtpWrite};
use str0m::{Event, IceConnectionState, Input, Output, Rtc};

/// A browser that does not come within this time after the answer will not come.
const CONNECT_WITHIN: Duration = Duration::from_secs(30);
/// Packets of the picture are kept this long for a browser that lost them; what comes later is too late to be shown.
/// This is most of what a connection takes of memory.
const RESEND_WITHIN: Duration = Duration::from_secs(1);
/// And no more than so many: a second at eight times the usual rate.
const MOST_RESENDABLE: usize = 1_024;
/// The share of resent bytes above which what waits to be resent is dropped (str0m's own).
const MOST_RESENT: f32 = 0.15;
/// Rounds of work that is due at once; more would mean a timer that never advances.
const DUE_ROUNDS: usize = 16;

/// A packet of another connection, to be sent on.
#[derive(Clone, Copy)]
pub struct Passed<'a> {
    /// With its roll-overs.
    pub seq: u64,
    /// In units of its codec's clock.
    pub timestamp: u32,
    /// The RTP marker.
    pub marker: bool,
    /// What came beside the payload, when it came from a browser.
    pub beside: Option<&'a ExtensionValues>,
    /// As it came.
    pub payload: &'a Arc<[u8]>,
}

impl<'a> Passed<'a> {
    /// One that came from a browser.
    pub fn of(packet: &'a RtpPacket) -> Self {
        Self {
            seq: *packet.seq_no,
            timestamp: packet.header.timestamp,
            marker: packet.header.marker,
            beside: Some(&packet.header.ext_vals),
            payload: &packet.payload,
        }
    }

    /// One that a seat handed in.
    pub fn sound(sound: &'a Sound) -> Self {
        let Sound { seq, timestamp, payload } = sound;
        Self { seq: *seq, timestamp: *timestamp, marker: false, beside: None, payload }
    }

    /// One of a door station's picture.
    pub fn picture(picture: &'a Picture) -> Self {
        let Picture { seq, timestamp, marker, payload, .. } = picture;
        Self { seq: *seq, timestamp: *timestamp, marker: *marker, beside: None, payload }
    }

    /// As it is handed out to a seat.
    pub fn as_sound(&self) -> Sound {
        Sound { seq: self.seq, timestamp: self.timestamp, payload: Arc::clone(self.payload) }
    }

    fn extensions(&self) -> ExtensionValues {
        let Some(theirs) = self.beside else { return ExtensionValues::default() };
        ExtensionValues {
            audio_level: theirs.audio_level,
            voice_activity: theirs.voice_activity,
            video_orientation: theirs.video_orientation,
            ..ExtensionValues::default()
        }
    }
}

/// What a connection reports to its room.
pub enum LegEvent {
    /// ICE and DTLS stand.
    Connected,
    /// Closed by the browser, lost, or never came.
    Gone,
    /// A packet of sound or picture.
    Packet(Codec, Box<RtpPacket>),
    /// The browser can not decode before a key frame.
    KeyframeWanted,
    /// Bits in a second the way to the browser carries.
    Estimate(u64),
}

/// The connection.
pub struct Leg {
    /// Unique in the process's shard.
    pub id: u64,
    rtc: Rtc,
    audio: Option<Mid>,
    video: Option<Mid>,
    payload_types: Vec<(Codec, Pt)>,
    audio_out: Rewriter,
    video_out: Rewriter,
    connected: bool,
    gone: bool,
    connect_by: Instant,
    wake_at: Instant,
}

impl Leg {
    /// A connection that waits for its browser. `first_seq`: random start of its outgoing streams, below 2¹⁵.
    pub fn new(id: u64, agreed: Agreed, first_seq: u16, now: Instant) -> Self {
        let Agreed { mut rtc, audio, video, payload_types, .. } = agreed;
        if let Some(mid) = video
            && let Some(stream) = rtc.direct_api().stream_tx_by_mid(mid, None)
        {
            // The panel's own pacing is kept: a second pacer would only add delay, and a queue without bound.
            stream.set_unpaced(true);
            stream.set_rtx_cache(MOST_RESENDABLE, RESEND_WITHIN, Some(MOST_RESENT));
        }
        Self {
            id,
            rtc,
            audio,
            video,
            payload_types,
            audio_out: Rewriter::new(48_000, first_seq),
            video_out: Rewriter::new(90_000, first_seq),
            connected: false,
            gone: false,
            connect_by: now + CONNECT_WITHIN,
            wake_at: now,
        }
    }

    /// Whether packets can be sent.
    pub fn is_connected(&self) -> bool {
        self.connected
    }

    /// Whether the browser takes the picture at all.
    pub fn has_video(&self) -> bool {
        self.video.is_some()
    }

    /// The codecs of the picture that were agreed on.
    pub fn pictures(&self) -> impl Iterator<Item = Codec> {
        self.payload_types.iter().map(|(codec, _)| *codec).filter(|codec| codec.is_video())
    }

    /// Whether the datagram is a connectivity check that knows this connection's password.
    pub fn proves_itself(&self, input: &Input) -> bool {
        self.rtc.accepts(input)
    }

    /// When [`Leg::timeout`] is due.
    pub fn wake_at(&self) -> Instant {
        if self.connected { self.wake_at } else { self.wake_at.min(self.connect_by) }
    }

    /// Takes a datagram that came from an address of this browser.
    pub fn receive(&mut self, at: Instant, datagram: Receive) {
        // A datagram that does not decrypt or parse is one datagram lost; anybody can send one under a forged
        // address. A connection that is really broken says so when it is drained.
        if let Err(error) = self.rtc.handle_input(Input::Receive(at, datagram)) {
            tracing::debug!(%error, "datagram refused");
        }
    }

    /// Does what is due.
    pub fn timeout(&mut self, now: Instant) {
        let late = !self.connected && now >= self.connect_by;
        self.gone |= late || self.rtc.handle_input(Input::Timeout(now)).is_err();
    }

    /// Sends a packet of another connection on, in this browser's numbering. Nothing happens before the
    /// connection stands, or when the browser does not take the codec.
    pub fn forward(&mut self, codec: Codec, source: Source, packet: Passed<'_>, now: Instant) {
        let (section, stream) = match codec.is_audio() {
            true => (self.audio, &mut self.audio_out),
            false => (self.video, &mut self.video_out),
        };
        let payload_type = self.payload_types.iter().find(|(theirs, _)| *theirs == codec);
        let (true, Some(mid), Some((_, payload_type))) = (self.connected, section, payload_type) else {
            return;
        };
        let Some((seq, timestamp)) = stream.rewrite(source, packet.seq, packet.timestamp, now) else {
            return;
        };
        let write = RtpWrite::new(*payload_type, seq.into(), timestamp, now, Arc::clone(packet.payload))
            .marker(packet.marker)
            .ext_vals(packet.extensions())
            .nackable(codec.is_video());
        if let Some(stream) = self.rtc.direct_api().stream_tx_by_mid(mid, None) {
            stream.write_rtp(write);
        }
    }

    /// The picture is left out from here on; it continues without a hole.
    pub fn pause_video(&mut self) {
        self.video_out.cut();
    }

    /// The rates to look for in the network, in bits in a second: `filled` is sent in any case, if need be as
    /// padding, to find out whether it passes; `desired` is worth a try now and then.
    pub fn seek_bandwidth(&mut self, filled: u64, desired: u64) {
        self.rtc.bwe().set_bitrate(Bitrate::bps(filled), Bitrate::bps(desired));
    }

    /// Asks the browser for a picture that starts anew.
    pub fn request_keyframe(&mut self) {
        let Some(mid) = self.video else { return };
        if let Some(stream) = self.rtc.direct_api().stream_rx_by_mid(mid, None) {
            stream.request_keyframe(KeyframeRequestKind::Pli);
        }
    }

    /// Asks the browser to send no more picture than this, in bits in a second.
    pub fn limit_video(&mut self, rate: u64) {
        let Some(mid) = self.video else { return };
        if let Some(stream) = self.rtc.direct_api().stream_rx_by_mid(mid, None) {
            stream.request_remb(Bitrate::bps(rate));
        }
    }

    /// Says good-bye, so that the browser need not find out by itself.
    pub fn close(mut self, out: &mut Vec<Transmit>) {
        if !self.connected || self.rtc.close().is_err() {
            return;
        }
        while let Ok(output) = self.rtc.poll_output() {
            match output {
                Output::Transmit(datagram) => out.push(datagram),
                Output::Event(_) => {}
                Output::Timeout(_) => return,
            }
        }
    }

    /// Collects what the last change brought about: datagrams to send, and events, each with `tag`.
    pub fn drain<Tag: Copy>(
        &mut self,
        tag: Tag,
        now: Instant,
        out: &mut Vec<Transmit>,
        events: &mut VecDeque<(Tag, LegEvent)>,
    ) {
        let mut rounds = 0;
        while !self.gone {
            match self.rtc.poll_output() {
                Ok(Output::Transmit(datagram)) => out.push(datagram),
                Ok(Output::Event(event)) => {
                    if let Some(event) = self.translate(event) {
                        events.push_back((tag, event));
                    }
                }
                Ok(Output::Timeout(at)) if at <= now && rounds < DUE_ROUNDS => {
                    rounds += 1;
                    self.gone = self.rtc.handle_input(Input::Timeout(now)).is_err();
                }
                Ok(Output::Timeout(at)) => {
                    self.wake_at = at.max(now + Duration::from_millis(1));
                    break;
                }
                Err(error) => {
                    tracing::debug!(%error, "connection broke");
                    self.gone = true;
                }
            }
        }
        if self.gone || !self.rtc.is_alive() {
            events.push_back((tag, LegEvent::Gone));
        }
    }

    fn translate(&mut self, event: Event) -> Option<LegEvent> {
        match event {
            Event::Connected => {
                self.connected = true;
                Some(LegEvent::Connected)
            }
            Event::IceConnectionStateChange(IceConnectionState::Disconnected) if self.connected => {
                self.gone = true;
                None
            }
            Event::Closed => {
                self.gone = true;
                None
            }
            Event::RtpPacket(packet) => {
                let codec = self.payload_types.iter().find(|(_, pt)| *pt == packet.header.payload_type)?.0;
                Some(LegEvent::Packet(codec, Box::new(packet)))
            }
            Event::KeyframeRequest(_) => Some(LegEvent::KeyframeWanted),
            Event::EgressBitrateEstimate(BweKind::Twcc { estimate, .. } | BweKind::Remb { estimate, .. }) => {
                Some(LegEvent::Estimate(estimate.as_u64()))
            }
            _ => None,
        }
    }
}
