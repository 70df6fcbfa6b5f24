//! The shell of a leg's sound: two UDP ports of the configured range, the clock, and one task that owns the session.
//!
//! A port is taken before the offer, because the offer names it ([`Ports::take`]); the task starts when both sides have
//! agreed ([`Ports::start`]) and ends with [`Line::end`], or when the line is dropped. With it the ports are free again.
//!
//! Whoever finds a port costs little: once it is known where the phone sends from, the system itself drops what comes from
//! elsewhere; before that, and from the phone itself, no more is looked at than 64 packets in 20 ms.

pub(crate) mod keys;
mod panel;
mod running;

use super::bridge::{Bridge, ForPanel};
use super::codec::CodecError;
use super::session::{Session, Start};
use super::source::Source;
use crate::dtmf::{Digit, Way};
use crate::sdp::{Agreed, Encryption, OurKeys};
use keys::LineKeys;
use klinke_model::time::Clock;
use panel::FromPanel;
use running::{MOST_IN_A_FRAME, MOST_REPORTS_IN_A_FRAME, Running};
use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::Arc;
use tokio::net::UdpSocket;
use tokio::sync::mpsc;

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
    /// The keys that were agreed on can not be used.
    #[error("the keys of encrypted sound can not be used")]
    Keys,
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
    /// All keys that were to be pressed at the other side are sent.
    Keyed,
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
            Self::Keyed => "Keyed",
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

/// Draws keys for one leg; none where encryption is off.
///
/// # Errors
/// [`PortError::Random`].
pub fn our_keys(encryption: Encryption) -> Result<Option<OurKeys>, PortError> {
    let mut random = zeroize::Zeroizing::new([0; OurKeys::RANDOM]);
    getrandom::fill(random.as_mut_slice()).map_err(|_| PortError::Random)?;
    Ok(OurKeys::new(encryption, &random))
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

    /// The two sockets, for RTP that is no sound.
    pub(crate) fn into_sockets(self) -> (UdpSocket, UdpSocket) {
        (self.rtp, self.rtcp)
    }

    /// Starts the sound as it was agreed on. `tones` is for a trunk that sends keys in no other way.
    ///
    /// # Errors
    /// [`PortError`].
    pub fn start(
        self,
        agreed: &Agreed,
        tones: bool,
        clock: Arc<dyn Clock>,
    ) -> Result<(Line, mpsc::Receiver<News>), PortError> {
        let mut keys = LineKeys::default();
        if !keys.agree(agreed.keys.as_ref()) {
            return Err(PortError::Keys);
        }
        let mut random = [0_u8; 24];
        getrandom::fill(&mut random).map_err(|_| PortError::Random)?;
        let mut words = random.as_chunks::<4>().0.iter().map(|word| u32::from_be_bytes(*word));
        let mut word = || words.next().unwrap_or(0);
        let cname = format!("{:08x}", word());
        let start = Start {
            agreed,
            ssrc: word(),
            // its upper half may stay away, so that no packet before the first roll-over is taken for one after it
            sequence: (word() & 0x7fff) as u16,
            timestamp: word(),
            cname: cname.clone(),
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
            keys,
            only: None,
            left: (MOST_IN_A_FRAME, MOST_REPORTS_IN_A_FRAME),
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
        Ok((Line { commands, panel, cname }, told))
    }
}

/// The running sound of one leg. Dropping it ends the sound.
#[derive(Debug)]
pub struct Line {
    commands: mpsc::Sender<Command>,
    panel: Arc<FromPanel>,
    cname: String,
}

impl Line {
    /// The name of chance that its reports have (RFC 3550 §6.5.1): a picture under the same one belongs to this sound.
    pub fn cname(&self) -> &str {
        &self.cname
    }

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

    /// Presses a key at the other side, as an event (RFC 4733), when those before it are done. [`News::Keyed`] tells when all
    /// are; where events were not agreed on nothing is pressed, and nothing told.
    pub async fn press(&self, digit: Digit) {
        self.command(Command::Press(digit)).await;
    }

    /// Both sides agreed on something else; what can not be had ends the sound.
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

#[cfg(test)]
mod tests;
