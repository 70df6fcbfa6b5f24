//! What both sides of a phone leg agree on (SDP, RFC 8866): our offer, our answer, and what follows from them (RFC 3264).
//!
//! One line of sound, in the codecs of [`Codec`], with keys as events beside it, in the open or under keys in the
//! description (RFC 4568). Other lines are read as far as a door station's picture needs it ([`Video`]), and declined.
//!
//! Invariant: a description that is taken names one address, one codec of ours, and keys if its transport says that it is
//! encrypted or if we require them. Where we only offer them, they stand beside the plain transport (`RTP/AVP`), as phones
//! do that can both; whoever answers with keys has them, whoever does not is in the open.

mod again;
pub mod crypto;
mod describe;
pub mod picture;
mod read;

pub use again::{Newest, offer_again};
pub use crypto::{Crypto, Encryption, OurKeys};
pub use describe::{agreed, answer, offer};

use crate::rtp::codec::Codec;
use std::net::{IpAddr, SocketAddr};

/// Descriptions are no longer than this, bytes.
pub const LONGEST: usize = 16_384;

/// Our side of a leg.
#[derive(Clone, Debug)]
pub struct Local {
    /// Where we take sound. RTCP comes to the port after it, or to the same one where both sides can.
    pub address: SocketAddr,
    /// Number of this session, the same in all its descriptions.
    pub session: u64,
    /// Number of this description; one more each time that it changes.
    pub version: u64,
    /// Codecs of ours, best first.
    pub codecs: Vec<Codec>,
    /// Our keys, where sound may be encrypted or must be; none where the description goes over the wire in the open.
    pub crypto: Option<OurKeys>,
}

/// In which directions sound goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Both speak.
    Both,
    /// Only we do: the other side listens.
    Send,
    /// Only the other side does: we are on hold.
    Receive,
    /// Nobody does.
    Neither,
}

/// Keys as events: where they are, and how their time is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Events {
    /// Payload type that we send them with.
    pub send: u8,
    /// Payload type that they come with.
    pub receive: u8,
    /// Ticks of their clock in a second.
    pub clock_rate: u32,
}

/// Our keys and theirs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keys {
    /// What we encrypt with.
    pub ours: Crypto,
    /// What they encrypt with.
    pub theirs: Crypto,
}

/// What both sides agreed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agreed {
    /// How sound is written, both ways.
    pub codec: Codec,
    /// Payload type that we send it with.
    pub send: u8,
    /// Payload type that it comes with.
    pub receive: u8,
    /// Keys as events, where both sides know them.
    pub events: Option<Events>,
    /// Where their sound goes to; none while they say that it is nowhere.
    pub remote: Option<SocketAddr>,
    /// Where their RTCP goes to; the same address where both are on one port.
    pub remote_rtcp: Option<SocketAddr>,
    /// Whether RTP and RTCP share a port.
    pub rtcp_mux: bool,
    /// The length of packets that they like, milliseconds. Ours are of 20 ms whatever they like.
    pub ptime: Option<u8>,
    /// In which directions sound goes.
    pub direction: Direction,
    /// Set when it is encrypted.
    pub keys: Option<Keys>,
    /// The line of picture that they describe, whatever becomes of it.
    pub video: Option<Video>,
}

/// A line of picture in their description, H.264 (RFC 6184): what a door station shows, or what a display takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Video {
    /// Its payload type.
    pub payload_type: u8,
    /// Profile and level, six hexadecimal digits in lower case.
    pub profile_level: Option<String>,
    /// 0 or 1.
    pub packetization_mode: u8,
    /// Parameter sets in base64.
    pub parameter_sets: Option<String>,
    /// Where it comes from.
    pub address: IpAddr,
    /// The port there.
    pub port: u16,
    /// The port of its RTCP: the same one where both share it.
    pub rtcp_port: u16,
    /// Whether they take a picture, now.
    pub takes: bool,
    /// Set when it was agreed on that it is encrypted.
    pub keys: Option<Keys>,
}

/// Why a description is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Longer than [`LONGEST`], or not SDP.
    #[error("this is no session description")]
    Malformed,
    /// No line of sound, or it was declined.
    #[error("no line of sound")]
    NoSound,
    /// No codec that both sides have.
    #[error("no common codec")]
    NoCodec,
    /// An address that is a name, a group, or not there.
    #[error("no address that sound could go to")]
    Address,
    /// Sound over something else than RTP and SRTP with keys in the description.
    #[error("a transport that is not supported")]
    Transport,
    /// Encrypted for one side and not for the other, or with keys that are not understood.
    #[error("no agreement on encryption")]
    Encryption,
}

impl Refused {
    /// What SIP answers to an offer that is refused (RFC 3261 §21.4): 400 or 488.
    pub const fn status(self) -> u16 {
        match self {
            Self::Malformed => 400,
            Self::NoSound | Self::NoCodec | Self::Address | Self::Transport | Self::Encryption => 488,
        }
    }
}

#[cfg(test)]
mod tests;
