//! The sound of one leg, from its first packet to its last: no socket, no clock, no task.
//!
//! The shell tells what came ([`Session::rtp`], [`Session::rtcp`], [`Session::info`]), gives a frame to be said and calls
//! [`Session::tick`] every 20 ms, and after each of them does what [`Session::poll`] gives until there is nothing left.
//!
//! Invariants:
//! - before [`Session::answered`] nothing is heard and no key counts;
//! - keys come from the stream that is heard and from no other;
//! - the visitor's tones are not in what is said.

use super::codec::{Codec, CodecError, Encoder};
use super::jitter::Figures;
use super::packet::Packet;
use super::playout::Playout;
use super::rtcp::{self, Reception, Report, Sent};
use crate::dtmf::event::{Listener, Sender};
use crate::dtmf::press::Presses;
use crate::dtmf::tones::{self, Detector};
use crate::dtmf::{Digit, Way, info};
use crate::sdp::{Agreed, Direction};
use klinke_model::time::Mono;
use std::collections::VecDeque;
use std::time::Duration;

/// How often we report.
const REPORT_EVERY: Duration = Duration::from_secs(5);
/// Nothing came for so long although it should: the other side can not be heard.
const ONE_WAY: Duration = Duration::from_secs(5);
/// What may wait to be taken; older frames go first.
const MOST_WAITING: usize = 64;

/// How a session begins. The numbers should be random: they tell packets of this call from those of others.
#[derive(Debug)]
pub struct Start<'a> {
    /// What both sides agreed on.
    pub agreed: &'a Agreed,
    /// Our stream.
    pub ssrc: u32,
    /// Its first number.
    pub sequence: u16,
    /// Its first timestamp.
    pub timestamp: u32,
    /// Our name in reports: chance, and nothing about anybody.
    pub cname: String,
    /// Keys may come as tones in the sound: only for a trunk that sends them in no other way.
    pub tones: bool,
}

/// What a session wants done, or tells.
#[derive(Clone, PartialEq, Eq)]
pub enum Output {
    /// Send this to where RTP goes.
    Rtp(Vec<u8>),
    /// Send this to where RTCP goes.
    Rtcp(Vec<u8>),
    /// 20 ms from the phone.
    Heard(Vec<i16>),
    /// A key that counts.
    Pressed(Digit, Way),
    /// All keys that we were to press at the other side are sent.
    Keyed,
    /// Nothing has come from the phone for 5 s although it should: said once.
    OneWay,
    /// It comes again.
    BothWays,
    /// The phone says that its stream is over.
    Over,
}

/// Without keys and without sound: who reads a log learns neither.
impl std::fmt::Debug for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Rtp(_) => "Rtp",
            Self::Rtcp(_) => "Rtcp",
            Self::Heard(_) => "Heard",
            Self::Pressed(..) => "Pressed",
            Self::Keyed => "Keyed",
            Self::OneWay => "OneWay",
            Self::BothWays => "BothWays",
            Self::Over => "Over",
        })
    }
}

/// One leg's sound.
#[derive(Debug)]
pub struct Session {
    agreed: Agreed,
    ssrc: u32,
    sequence: u16,
    /// Timestamp of the frame that is said next.
    timestamp: u32,
    cname: String,
    playout: Playout,
    encoder: Encoder,
    is_silent: bool,
    sent: Sent,
    listener: Listener,
    sender: Sender,
    detector: Option<Detector>,
    presses: Presses,
    /// Whose keys count while no sound was heard.
    keys_from: Option<u32>,
    answered: Option<Mono>,
    reception: Option<Reception>,
    heard: Mono,
    is_one_way: bool,
    report_due: Mono,
    waiting: VecDeque<Output>,
}

impl Session {
    /// Begins.
    ///
    /// # Errors
    /// [`CodecError`], when libopus refuses.
    pub fn new(start: Start<'_>, now: Mono) -> Result<Self, CodecError> {
        let agreed = start.agreed.clone();
        let (codec, rate) = (agreed.codec, agreed.codec.sample_rate());
        Ok(Self {
            playout: Playout::new(codec, rate)?,
            encoder: Encoder::new(codec, rate)?,
            listener: Listener::new(events_clock(&agreed)),
            sender: Sender::new(events_clock(&agreed)),
            detector: start.tones.then(|| Detector::new(rate)),
            presses: Presses::new(start.tones),
            agreed,
            ssrc: start.ssrc,
            sequence: start.sequence,
            timestamp: start.timestamp,
            cname: start.cname,
            is_silent: true,
            sent: Sent::default(),
            keys_from: None,
            answered: None,
            reception: None,
            heard: now,
            is_one_way: false,
            report_due: now + REPORT_EVERY,
            waiting: VecDeque::new(),
        })
    }

    /// The leg was answered: from now on it is heard.
    pub fn answered(&mut self, now: Mono) {
        if self.answered.is_none() {
            self.answered = Some(now);
            self.heard = now;
        }
        self.presses.answered(now);
    }

    /// Both sides agreed on something else in the call: another codec, hold, another address. Which keys count goes on.
    ///
    /// # Errors
    /// [`CodecError`]; nothing has changed then.
    pub fn change(&mut self, agreed: &Agreed, now: Mono) -> Result<(), CodecError> {
        let rate = agreed.codec.sample_rate();
        if agreed.codec != self.agreed.codec {
            let encoder = Encoder::new(agreed.codec, rate)?;
            self.playout = Playout::new(agreed.codec, rate)?;
            self.encoder = encoder;
            self.detector = self.detector.is_some().then(|| Detector::new(rate));
            self.reception = None;
            self.is_silent = true;
        }
        if events_clock(agreed) != events_clock(&self.agreed) {
            self.listener = Listener::new(events_clock(agreed));
            self.sender = Sender::new(events_clock(agreed));
        }
        self.heard = now;
        self.agreed = agreed.clone();
        Ok(())
    }

    /// The codec that is spoken: [`Codec::sample_rate`] is that of the frames.
    pub const fn codec(&self) -> Codec {
        self.agreed.codec
    }

    /// A datagram came to the port of RTP, from the one source that counts.
    pub fn rtp(&mut self, datagram: &[u8], now: Mono) {
        let Ok(packet) = Packet::parse(datagram) else { return };
        if self.answered.is_none() {
            return;
        }
        if self.agreed.events.is_some_and(|events| events.receive == packet.payload_type) {
            self.event(&packet, now);
        } else if packet.payload_type == self.agreed.receive && self.is_heard() {
            self.sound(&packet, now);
        }
    }

    /// A datagram came to the port of RTCP.
    pub fn rtcp(&mut self, datagram: &[u8], now: Mono) {
        for report in rtcp::parse(datagram).unwrap_or_default() {
            let Some(reception) = self.reception.as_mut() else { continue };
            match report {
                Report::Sender { ssrc, sent, .. } if ssrc == reception.ssrc() => {
                    reception.sender_report(sent, now);
                }
                Report::Bye(streams) if streams.contains(&reception.ssrc()) => self.tell(Output::Over),
                _ => {}
            }
        }
    }

    /// An INFO request came in this leg's own dialog.
    pub fn info(&mut self, content_type: &str, body: &[u8], now: Mono) {
        if let Some(digit) = info::digit(content_type, body) {
            self.came(digit, Way::Info, now);
        }
    }

    /// Says a frame: 20 ms at the codec's rate, every 20 ms.
    pub fn say(&mut self, frame: &[i16], now: Mono) {
        let rate = self.agreed.codec.sample_rate();
        let visitor = tones::has_pair(frame, rate);
        if let Some(digit) = visitor {
            self.presses.visitor_sounds_like(digit, now);
        }
        let timestamp = self.timestamp;
        self.timestamp = timestamp.wrapping_add(self.agreed.codec.frame_ticks());
        if !self.is_said() || self.sender.is_pressing() {
            self.is_silent = true;
            return;
        }
        let payload = match visitor {
            Some(_) => self.encoder.encode(&vec![0; frame.len()]),
            None => self.encoder.encode(frame),
        };
        if payload.is_empty() {
            return;
        }
        let marker = std::mem::take(&mut self.is_silent);
        self.send(self.agreed.send, marker, timestamp, &payload);
    }

    /// Presses a key at the other side, as an event; `false` when it knows none or too many wait.
    pub fn press(&mut self, digit: Digit) -> bool {
        self.agreed.events.is_some() && self.sender.press(digit)
    }

    /// Every 20 ms: what was heard, what is due.
    pub fn tick(&mut self, now: Mono) {
        if self.answered.is_some() {
            let frame = self.playout.frame(now);
            let tone = self.detector.as_mut().and_then(|detector| detector.hear(&frame));
            if let Some(digit) = tone {
                self.came(digit, Way::Tone, now);
            }
            self.tell(Output::Heard(frame));
        }
        if let Some(events) = self.agreed.events.filter(|_| self.is_said()) {
            let was_idle = self.sender.is_idle();
            while let Some(out) = self.sender.poll(self.timestamp, now) {
                self.send(events.send, out.marker, out.timestamp, &out.payload);
            }
            if !was_idle && self.sender.is_idle() {
                self.tell(Output::Keyed);
            }
        }
        self.watch(now);
        if now >= self.report_due {
            self.report_due = now + REPORT_EVERY;
            let block = self.reception.as_mut().map(|reception| reception.block(now));
            let sent = self.sent_until(now);
            let report = rtcp::write(self.ssrc, sent, block, &self.cname);
            self.tell(Output::Rtcp(report));
        }
    }

    /// Our stream is over: the last report.
    pub fn end(&mut self, now: Mono) {
        let bye = rtcp::write_bye(self.ssrc, self.sent_until(now), &self.cname);
        self.tell(Output::Rtcp(bye));
    }

    /// What is to be done next.
    pub fn poll(&mut self) -> Option<Output> {
        self.waiting.pop_front()
    }

    /// Figures of what was heard.
    pub const fn figures(&self) -> Figures {
        self.playout.figures()
    }

    fn sound(&mut self, packet: &Packet<'_>, now: Mono) {
        self.playout.push(packet, now);
        let Some(ssrc) = self.playout.ssrc().filter(|ssrc| *ssrc == packet.ssrc) else { return };
        if self.reception.as_ref().is_none_or(|reception| reception.ssrc() != ssrc) {
            self.reception = Some(Reception::new(packet, self.agreed.codec.clock_rate()));
        }
        if let Some(reception) = self.reception.as_mut() {
            reception.count(packet, now);
        }
        self.was_heard(now);
    }

    fn event(&mut self, packet: &Packet<'_>, now: Mono) {
        let whose = self.playout.ssrc().unwrap_or(*self.keys_from.get_or_insert(packet.ssrc));
        if packet.ssrc != whose {
            return;
        }
        if let Some(reception) = self.reception.as_mut() {
            reception.count_number(packet);
        }
        self.was_heard(now);
        if let Some(digit) = self.listener.heard(packet.ssrc, packet.timestamp, packet.payload) {
            self.came(digit, Way::Event, now);
        }
    }

    fn came(&mut self, digit: Digit, way: Way, now: Mono) {
        if self.presses.came(digit, way, now) {
            self.tell(Output::Pressed(digit, way));
        }
    }

    fn was_heard(&mut self, now: Mono) {
        self.heard = now;
        if std::mem::take(&mut self.is_one_way) {
            self.tell(Output::BothWays);
        }
    }

    fn watch(&mut self, now: Mono) {
        let is_due = self.answered.is_some() && self.is_heard() && self.sent.packets > 0;
        if is_due && !self.is_one_way && now.since(self.heard) >= ONE_WAY {
            self.is_one_way = true;
            self.tell(Output::OneWay);
        }
    }

    fn send(&mut self, payload_type: u8, marker: bool, timestamp: u32, payload: &[u8]) {
        let sequence = self.sequence;
        self.sequence = sequence.wrapping_add(1);
        self.sent.packets = self.sent.packets.wrapping_add(1);
        self.sent.bytes = self.sent.bytes.wrapping_add(u32::try_from(payload.len()).unwrap_or(0));
        let packet = Packet {
            payload_type,
            marker,
            sequence,
            timestamp,
            ssrc: self.ssrc,
            csrc: &[],
            extension: None,
            payload,
        };
        self.tell(Output::Rtp(packet.write()));
    }

    /// What we have sent, as a report tells it; its time is that of this process.
    fn sent_until(&self, now: Mono) -> Option<Sent> {
        let ntp = rtcp::ntp(now);
        (self.sent.packets > 0).then_some(Sent { ntp, timestamp: self.timestamp, ..self.sent })
    }

    /// Whether the other side hears us.
    fn is_said(&self) -> bool {
        let goes = matches!(self.agreed.direction, Direction::Both | Direction::Send);
        goes && self.agreed.remote.is_some()
    }

    /// Whether we hear the other side.
    const fn is_heard(&self) -> bool {
        matches!(self.agreed.direction, Direction::Both | Direction::Receive)
    }

    fn tell(&mut self, output: Output) {
        if self.waiting.len() >= MOST_WAITING {
            // a shell that does not ask loses sound, not keys
            let is_key = |one: &Output| matches!(one, Output::Pressed(..) | Output::Keyed);
            let oldest = self.waiting.iter().position(|one| !is_key(one));
            self.waiting.remove(oldest.unwrap_or(0));
        }
        self.waiting.push_back(output);
    }
}

fn events_clock(agreed: &Agreed) -> u32 {
    agreed.events.map_or(8_000, |events| events.clock_rate)
}

#[cfg(test)]
mod tests;
