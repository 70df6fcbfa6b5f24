//! The task of one line: the sockets, the clock and the keys around the session.

use super::keys::LineKeys;
use super::panel::{FromPanel, until_common};
use super::{Command, LONGEST_PROMPT, MOST_WAITING, News, Ports};
use crate::rtp::bridge::Bridge;
use crate::rtp::packet::{MAX_DATAGRAM, Packet, is_rtcp};
use crate::rtp::session::{Output, Session};
use crate::rtp::source::Source;
use crate::rtp::{FRAME, playout::samples_of_frame};
use crate::sdp::Agreed;
use klinke_model::time::Clock;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

/// Packets that are looked at in 20 ms: more than any phone sends, be it after a pause of the network.
pub(super) const MOST_IN_A_FRAME: u32 = 64;
/// The same of RTCP.
pub(super) const MOST_REPORTS_IN_A_FRAME: u32 = 4;

pub(super) struct Running {
    pub ports: Ports,
    pub panel: Arc<FromPanel>,
    pub session: Session,
    pub bridge: Bridge,
    pub source: Source,
    pub keys: LineKeys,
    /// Whose packets alone the system hands us.
    pub only: Option<SocketAddr>,
    /// Packets and reports that are looked at before the next tick.
    pub left: (u32, u32),
    pub remote_rtcp: Option<SocketAddr>,
    pub rtcp_mux: bool,
    pub prompt: VecDeque<i16>,
    pub rate: u32,
    pub clock: Arc<dyn Clock>,
    pub news: mpsc::Sender<News>,
}

impl Running {
    pub async fn run(mut self, mut orders: mpsc::Receiver<Command>) {
        let mut ticks = interval_at(Instant::now() + until_common(self.clock.mono()), FRAME);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        // one more than the longest, so that a longer one is seen to be longer
        let (mut rtp, mut rtcp) = (vec![0; MAX_DATAGRAM + 1], vec![0; MAX_DATAGRAM + 1]);
        loop {
            tokio::select! {
                order = orders.recv() => {
                    let goes_on = order.is_some_and(|order| self.order(order));
                    if !goes_on {
                        self.session.end(self.clock.mono());
                        self.outputs().await;
                        return;
                    }
                }
                _ = ticks.tick() => self.tick(),
                // an error is that of a packet of ours that nobody took
                Ok((length, from)) = self.ports.rtp.recv_from(&mut rtp), if self.left.0 > 0 => {
                    self.left.0 -= 1;
                    self.came(rtp.get(..length).unwrap_or_default(), from);
                }
                Ok((length, from)) = self.ports.rtcp.recv_from(&mut rtcp), if self.left.1 > 0 => {
                    self.left.1 -= 1;
                    self.came_rtcp(rtcp.get(..length).unwrap_or_default(), from);
                }
            }
            self.outputs().await;
        }
    }

    /// Whether it goes on after this.
    fn order(&mut self, order: Command) -> bool {
        let now = self.clock.mono();
        match order {
            Command::Prompt(samples) => self.prompt = samples.into_iter().take(LONGEST_PROMPT).collect(),
            Command::Answered => self.session.answered(now),
            Command::Info(content_type, body) => self.session.info(&content_type, &body, now),
            Command::Press(digit) => {
                self.session.press(digit);
            }
            Command::Change(agreed) => return self.change(&agreed),
            Command::End => return false,
        }
        true
    }

    fn change(&mut self, agreed: &Agreed) -> bool {
        let rate = agreed.codec.sample_rate();
        let mut random = [0_u8; 6];
        if !self.keys.agree(agreed.keys.as_ref()) || getrandom::fill(&mut random).is_err() {
            return false;
        }
        if rate != self.rate {
            let [a, b, rest @ ..] = random;
            let Ok(bridge) = Bridge::new(rate, u16::from_be_bytes([a & 0x7f, b]), u32::from_be_bytes(rest))
            else {
                return false;
            };
            self.bridge = bridge;
            self.rate = rate;
            self.prompt.clear();
        }
        self.source.told(agreed.remote);
        self.narrow();
        self.remote_rtcp = agreed.remote_rtcp;
        self.rtcp_mux = agreed.rtcp_mux;
        self.session.change(agreed, self.clock.mono()).is_ok()
    }

    fn tick(&mut self) {
        for (came, datagram) in self.panel.take() {
            if let Ok(packet) = Packet::parse(&datagram) {
                self.bridge.from_panel(&packet, came);
            }
        }
        let now = self.clock.mono();
        self.left = (MOST_IN_A_FRAME, MOST_REPORTS_IN_A_FRAME);
        // the panel's sound goes on while a prompt is said
        let mut frame = self.bridge.frame_for_phone(now);
        if !self.prompt.is_empty() {
            let count = samples_of_frame(self.rate).min(self.prompt.len());
            frame = self.prompt.drain(..count).collect();
            frame.resize(samples_of_frame(self.rate), 0);
            if self.prompt.is_empty() {
                self.tell(News::Said);
            }
        }
        self.session.say(&frame, now);
        self.session.tick(now);
    }

    fn came(&mut self, datagram: &[u8], from: SocketAddr) {
        // before it costs any cryptography
        if self.source.is_stranger(from) {
            return;
        }
        if self.rtcp_mux && is_rtcp(datagram) {
            return self.came_rtcp(datagram, from);
        }
        let Some(packet) = self.keys.rtp_in(datagram) else { return };
        if self.source.takes(from, &packet) {
            self.narrow();
            self.session.rtp(&packet, self.clock.mono());
        }
    }

    fn came_rtcp(&mut self, datagram: &[u8], from: SocketAddr) {
        if !self.source.takes_rtcp(from) {
            return;
        }
        if let Some(reports) = self.keys.rtcp_in(datagram) {
            self.session.rtcp(&reports, self.clock.mono());
        }
    }

    /// Lets the system drop what does not come from the one source, as soon as there is one: a flood from elsewhere does
    /// not even take the phone's room in the queue.
    fn narrow(&mut self) {
        let only = self.source.fixed();
        if only == self.only {
            return;
        }
        let narrowed = match &only {
            Some(only) => rustix::net::connect(&self.ports.rtp, only),
            None => rustix::net::connect_unspec(&self.ports.rtp),
        };
        // where the system does not, we do
        if narrowed.is_ok() {
            self.only = only;
        }
    }

    async fn outputs(&mut self) {
        while let Some(output) = self.session.poll() {
            match output {
                Output::Rtp(datagram) => {
                    let sealed = self.source.target().and_then(|to| Some((to, self.keys.rtp_out(datagram)?)));
                    if let Some((target, datagram)) = sealed {
                        // what a network does not take is lost on the way
                        let _ = self.ports.rtp.send_to(&datagram, target).await;
                    }
                }
                Output::Rtcp(datagram) => {
                    if let Some(datagram) = self.keys.rtcp_out(datagram) {
                        self.send_rtcp(&datagram).await;
                    }
                }
                Output::Heard(frame) => {
                    let packet = self.bridge.for_panel(frame);
                    self.tell(News::ForPanel(packet));
                }
                Output::Pressed(digit, way) => self.tell(News::Pressed(digit, way)),
                Output::Keyed => self.tell(News::Keyed),
                Output::OneWay => self.tell(News::OneWay),
                Output::BothWays => self.tell(News::BothWays),
                Output::Over => self.tell(News::Over),
            }
        }
    }

    async fn send_rtcp(&mut self, datagram: &[u8]) {
        let learnt = self.source.target().filter(|_| self.source.is_elsewhere());
        let (socket, target) = if self.rtcp_mux {
            (&self.ports.rtp, self.source.target())
        } else {
            // behind a router, the port after the one that was learnt is the best guess
            let after =
                learnt.and_then(|learnt| Some(SocketAddr::new(learnt.ip(), learnt.port().checked_add(1)?)));
            (&self.ports.rtcp, after.or(self.remote_rtcp))
        };
        if let Some(target) = target {
            let _ = socket.send_to(datagram, target).await;
        }
    }

    /// Never waits: who takes the news may be waiting for room among the orders. Sound leaves room for all else, which is
    /// lost only to who takes nothing at all.
    fn tell(&self, news: News) {
        let is_sound = matches!(news, News::ForPanel(_));
        if !is_sound || self.news.capacity() > MOST_WAITING / 2 {
            let _ = self.news.try_send(news);
        }
    }
}
