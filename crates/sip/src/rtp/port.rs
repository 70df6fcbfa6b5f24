//! The shell of a leg's sound: two UDP ports of the configured range, the clock, and one task that owns the session.
//!
//! A port is taken before the offer, because the offer names it ([`Ports::take`]); the task starts when both sides have
//! agreed ([`Ports::start`]) and ends with [`Line::end`], or when the line is dropped. With it the ports are free again.

mod panel;

use super::bridge::{Bridge, ForPanel};
use super::codec::CodecError;
use super::packet::{MAX_DATAGRAM, Packet, is_rtcp};
use super::session::{Output, Session, Start};
use super::source::Source;
use super::{FRAME, playout::samples_of_frame};
use crate::dtmf::{Digit, Way};
use crate::sdp::Agreed;
use klinke_model::time::Clock;
use panel::{FromPanel, until_common};
use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

/// Commands and news that may wait. A panel sends 50 packets a second.
const MOST_WAITING: usize = 128;
/// A prompt is no longer, in samples: 30 s at the higher rate.
const LONGEST_PROMPT: usize = 16_000 * 30;

/// Ports that may be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// The first; RTP takes even ones.
    pub first: u16,
    /// The last.
    pub last: u16,
}

/// Why there are no ports, or no session on them.
#[derive(Debug, thiserror::Error)]
pub enum PortError {
    /// All of the range are taken, or it holds no pair.
    #[error("no free pair of ports for sound")]
    Full,
    /// The machine refuses.
    #[error("sockets for sound: {0}")]
    Io(#[from] std::io::Error),
    /// The machine gives no randomness.
    #[error("no randomness")]
    Random,
    /// What was agreed is encrypted, and this shell sends in the open only.
    #[error("encrypted sound is not supported")]
    Encrypted,
    /// libopus refuses.
    #[error(transparent)]
    Codec(#[from] CodecError),
}

/// Two ports that belong to one leg.
#[derive(Debug)]
pub struct Ports {
    rtp: UdpSocket,
    rtcp: UdpSocket,
}

/// What a leg's sound tells.
#[derive(Clone, PartialEq, Eq)]
pub enum News {
    /// 20 ms for the panel.
    ForPanel(ForPanel),
    /// A key that counts.
    Pressed(Digit, Way),
    /// The prompt has been said to its end.
    Said,
    /// Nothing comes from the phone although it should.
    OneWay,
    /// It comes again.
    BothWays,
    /// The phone says that its stream is over.
    Over,
}

/// Without keys and without sound.
impl std::fmt::Debug for News {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::ForPanel(_) => "ForPanel",
            Self::Pressed(..) => "Pressed",
            Self::Said => "Said",
            Self::OneWay => "OneWay",
            Self::BothWays => "BothWays",
            Self::Over => "Over",
        })
    }
}

enum Command {
    Prompt(Vec<i16>),
    Answered,
    Info(String, Vec<u8>),
    Press(Digit),
    Change(Box<Agreed>),
    End,
}

impl Ports {
    /// Takes a free pair of the range on this address: an even port for RTP, the one after it for RTCP.
    ///
    /// # Errors
    /// [`PortError::Full`] and [`PortError::Random`].
    pub async fn take(address: IpAddr, range: Range) -> Result<Self, PortError> {
        let first = range.first.saturating_add(range.first % 2);
        let pairs = (u32::from(range.last) + 1).saturating_sub(u32::from(first)) / 2;
        let start = getrandom::u32().map_err(|_| PortError::Random)?;
        for n in 0..pairs {
            let pair = (start % pairs + n) % pairs;
            let Ok(port) = u16::try_from(u32::from(first) + pair * 2) else { continue };
            let Ok(rtp) = UdpSocket::bind((address, port)).await else { continue };
            if let Ok(rtcp) = UdpSocket::bind((address, port + 1)).await {
                return Ok(Self { rtp, rtcp });
            }
        }
        Err(PortError::Full)
    }

    /// The port of RTP, as the description names it.
    ///
    /// # Errors
    /// [`PortError::Io`].
    pub fn port(&self) -> Result<u16, PortError> {
        Ok(self.rtp.local_addr()?.port())
    }

    /// Starts the sound as it was agreed on. `tones` is for a trunk that sends keys in no other way.
    ///
    /// # Errors
    /// [`PortError`]; in the open only, so what is encrypted is refused.
    pub fn start(
        self,
        agreed: &Agreed,
        tones: bool,
        clock: Arc<dyn Clock>,
    ) -> Result<(Line, mpsc::Receiver<News>), PortError> {
        if agreed.keys.is_some() {
            return Err(PortError::Encrypted);
        }
        let mut random = [0_u8; 24];
        getrandom::fill(&mut random).map_err(|_| PortError::Random)?;
        let mut words = random.as_chunks::<4>().0.iter().map(|word| u32::from_be_bytes(*word));
        let mut word = || words.next().unwrap_or(0);
        let start = Start {
            agreed,
            ssrc: word(),
            // its upper half may stay away, so that no packet before the first roll-over is taken for one after it
            sequence: (word() & 0x7fff) as u16,
            timestamp: word(),
            cname: format!("{:08x}", word()),
            tones,
        };
        let session = Session::new(start, clock.mono())?;
        let rate = agreed.codec.sample_rate();
        let bridge = Bridge::new(rate, (word() & 0x7fff) as u16, word())?;
        let (commands, orders) = mpsc::channel(MOST_WAITING);
        let (news, told) = mpsc::channel(MOST_WAITING);
        let panel = Arc::new(FromPanel::new(clock.clone()));
        let running = Running {
            panel: panel.clone(),
            source: Source::new(agreed.remote),
            remote_rtcp: agreed.remote_rtcp,
            rtcp_mux: agreed.rtcp_mux,
            ports: self,
            session,
            bridge,
            prompt: VecDeque::new(),
            rate,
            clock,
            news,
        };
        tokio::spawn(running.run(orders));
        Ok((Line { commands, panel }, told))
    }
}

/// The running sound of one leg. Dropping it ends the sound.
#[derive(Debug)]
pub struct Line {
    commands: mpsc::Sender<Command>,
    panel: Arc<FromPanel>,
}

impl Line {
    /// A packet of the panel's sound, Opus. Dropped when too many wait.
    pub fn from_panel(&self, datagram: Vec<u8>) {
        self.panel.push(datagram);
    }

    /// Says this instead of the panel's sound: samples at the leg's rate, 30 s at most. [`News::Said`] tells the end.
    pub async fn prompt(&self, samples: Vec<i16>) {
        self.command(Command::Prompt(samples)).await;
    }

    /// The phone was picked up: sound passes, keys count a second later.
    pub async fn answered(&self) {
        self.command(Command::Answered).await;
    }

    /// An INFO request came in this leg's dialog.
    pub async fn info(&self, content_type: String, body: Vec<u8>) {
        self.command(Command::Info(content_type, body)).await;
    }

    /// Presses a key at the other side.
    pub async fn press(&self, digit: Digit) {
        self.command(Command::Press(digit)).await;
    }

    /// Both sides agreed on something else; what is encrypted, or can not be had, ends the sound.
    pub async fn change(&self, agreed: Agreed) {
        self.command(Command::Change(Box::new(agreed))).await;
    }

    /// Ends the sound, with a last report.
    pub async fn end(self) {
        self.command(Command::End).await;
    }

    async fn command(&self, command: Command) {
        // a line that has ended takes none
        let _ = self.commands.send(command).await;
    }
}

struct Running {
    ports: Ports,
    panel: Arc<FromPanel>,
    session: Session,
    bridge: Bridge,
    source: Source,
    remote_rtcp: Option<SocketAddr>,
    rtcp_mux: bool,
    prompt: VecDeque<i16>,
    rate: u32,
    clock: Arc<dyn Clock>,
    news: mpsc::Sender<News>,
}

impl Running {
    async fn run(mut self, mut orders: mpsc::Receiver<Command>) {
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
                Ok((length, from)) = self.ports.rtp.recv_from(&mut rtp) => {
                    self.came(rtp.get(..length).unwrap_or_default(), from);
                }
                Ok((length, from)) = self.ports.rtcp.recv_from(&mut rtcp) => {
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
        if agreed.keys.is_some() || getrandom::fill(&mut random).is_err() {
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
        if self.rtcp_mux && is_rtcp(datagram) {
            self.came_rtcp(datagram, from);
        } else if self.source.takes(from, datagram) {
            self.session.rtp(datagram, self.clock.mono());
        }
    }

    fn came_rtcp(&mut self, datagram: &[u8], from: SocketAddr) {
        if self.source.takes_rtcp(from) {
            self.session.rtcp(datagram, self.clock.mono());
        }
    }

    async fn outputs(&mut self) {
        while let Some(output) = self.session.poll() {
            match output {
                Output::Rtp(datagram) => {
                    if let Some(target) = self.source.target() {
                        // what a network does not take is lost on the way
                        let _ = self.ports.rtp.send_to(&datagram, target).await;
                    }
                }
                Output::Rtcp(datagram) => self.send_rtcp(&datagram).await,
                Output::Heard(frame) => {
                    let packet = self.bridge.for_panel(frame);
                    self.tell(News::ForPanel(packet));
                }
                Output::Pressed(digit, way) => self.tell(News::Pressed(digit, way)),
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

#[cfg(test)]
mod tests;
