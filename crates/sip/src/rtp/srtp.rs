//! Encrypted sound (SRTP and SRTCP, RFC 3711) under keys of the session description (RFC 4568). Without IO.
//!
//! ```text
//!   RTP    header │ encrypted payload │ tag            number: sequence number, and roll-overs that both sides count
//!   RTCP   8 bytes│ encrypted rest    │ E, number │ tag   (in GCM the tag stands before the number)
//! ```
//!
//! Invariants:
//! - what does not authenticate changes nothing: no stream is remembered, no number counts;
//! - no packet is taken twice, and none that is older than the window of 64;
//! - we never encrypt two packets with the same number of the same stream.

mod cipher;

use crate::sdp::Crypto;
use cipher::{Cipher, Label, Number};

/// How far a packet may be behind the newest (RFC 3711 §3.3.2).
const WINDOW: u64 = 64;
/// Streams that one phone may have under one key. A new one beyond is not heard: to forget one would let it come again.
const MOST_STREAMS: usize = 64;
/// The part of RTCP in the open.
const RTCP_HEAD: usize = 8;
/// What says that RTCP is encrypted, above its number.
const ENCRYPTED: u32 = 1 << 31;

/// What we send under one key of ours.
pub struct Outgoing {
    crypto: Crypto,
    rtp: Cipher,
    rtcp: Cipher,
    /// Our one stream and the number of its newest packet.
    newest: Option<(u32, u64)>,
    reports: u32,
}

/// What comes under one key of theirs.
pub struct Incoming {
    crypto: Crypto,
    rtp: Cipher,
    rtcp: Cipher,
    streams: Vec<(u32, Seen)>,
    reports: Vec<(u32, Seen)>,
}

/// Without keys.
impl std::fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outgoing").field("crypto", &self.crypto).finish_non_exhaustive()
    }
}

/// Without keys.
impl std::fmt::Debug for Incoming {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Incoming").field("crypto", &self.crypto).finish_non_exhaustive()
    }
}

impl Outgoing {
    /// Begins; `None` when the library refuses the key.
    pub fn new(crypto: &Crypto) -> Option<Self> {
        let (rtp, rtcp) = (Cipher::new(crypto, Label::Rtp)?, Cipher::new(crypto, Label::Rtcp)?);
        Some(Self { crypto: crypto.clone(), rtp, rtcp, newest: None, reports: 0 })
    }

    /// Whether it encrypts with this key.
    pub fn is_of(&self, crypto: &Crypto) -> bool {
        self.crypto.is_same_key(crypto)
    }

    /// Encrypts a packet; `None` for what is none, for another stream, and for a number that was used.
    pub fn rtp(&mut self, packet: &[u8]) -> Option<Vec<u8>> {
        let Header { length, sequence, ssrc } = Header::read(packet)?;
        let index = match self.newest {
            None => u64::from(sequence),
            Some((stream, newest)) => {
                nearest(newest, sequence).filter(|index| stream == ssrc && *index > newest)?
            }
        };
        let mut out = packet.to_vec();
        let (head, body) = out.split_at_mut_checked(length)?;
        let tail = self.rtp.tail(index);
        let tag = self.rtp.protect(Number { ssrc, index }, head, body, &tail)?;
        self.newest = Some((ssrc, index));
        out.extend(tag);
        Some(out)
    }

    /// Encrypts reports; `None` for what is none, and after 2³¹ of them.
    pub fn rtcp(&mut self, reports: &[u8]) -> Option<Vec<u8>> {
        let ssrc = rtcp_stream(reports)?;
        let index = (self.reports + 1 < ENCRYPTED).then_some(self.reports)?;
        self.reports += 1;
        let number = (ENCRYPTED | index).to_be_bytes();
        let mut out = reports.to_vec();
        let (head, body) = out.split_at_mut_checked(RTCP_HEAD)?;
        let tag = self.rtcp.protect(Number { ssrc, index: index.into() }, head, body, &number)?;
        match &self.rtcp {
            Cipher::Signed { .. } => out.extend(number.into_iter().chain(tag)),
            Cipher::Sealed { .. } => out.extend(tag.into_iter().chain(number)),
        }
        Some(out)
    }
}

impl Incoming {
    /// Begins; `None` when the library refuses the key.
    pub fn new(crypto: &Crypto) -> Option<Self> {
        let (rtp, rtcp) = (Cipher::new(crypto, Label::Rtp)?, Cipher::new(crypto, Label::Rtcp)?);
        Some(Self { crypto: crypto.clone(), rtp, rtcp, streams: Vec::new(), reports: Vec::new() })
    }

    /// Whether it is for this key.
    pub fn is_of(&self, crypto: &Crypto) -> bool {
        self.crypto.is_same_key(crypto)
    }

    /// The packet in a datagram; `None` for whatever was not encrypted with their key, or came before.
    pub fn rtp(&mut self, datagram: &[u8]) -> Option<Vec<u8>> {
        let Header { length, sequence, ssrc } = Header::read(datagram)?;
        let known = self.streams.iter().position(|(stream, _)| *stream == ssrc);
        let seen = known.and_then(|at| self.streams.get(at)).map(|(_, seen)| *seen);
        let indexes = match seen {
            Some(seen) => [nearest(seen.newest, sequence).filter(|index| !seen.has(*index)), None],
            // who began before we listened may have rolled over: its number is low then
            None => [0, 1].map(|over| {
                let may = over == 0 || sequence < 1 << 15;
                may.then(|| over << 16 | u64::from(sequence))
            }),
        };
        let (packet, index) = indexes.into_iter().flatten().find_map(|index| {
            let mut packet = datagram.get(..datagram.len().checked_sub(self.rtp.tag_length())?)?.to_vec();
            let tag = datagram.get(packet.len()..)?;
            let (head, body) = packet.split_at_mut_checked(length)?;
            let tail = self.rtp.tail(index);
            let is_theirs = self.rtp.unprotect(Number { ssrc, index }, head, body, tag, &tail);
            is_theirs.then_some((packet, index))
        })?;
        count(&mut self.streams, ssrc, index)?;
        Some(packet)
    }

    /// The reports in a datagram; `None` for whatever was not encrypted with their key, or came before.
    pub fn rtcp(&mut self, datagram: &[u8]) -> Option<Vec<u8>> {
        let ssrc = rtcp_stream(datagram)?;
        let tag_length = self.rtcp.tag_length();
        let (rest, tag, number) = match &self.rtcp {
            Cipher::Signed { .. } => {
                let (rest, tag) = datagram.split_at_checked(datagram.len().checked_sub(tag_length)?)?;
                let (rest, number) = rest.split_last_chunk::<4>()?;
                (rest, tag, number)
            }
            Cipher::Sealed { .. } => {
                let (rest, number) = datagram.split_last_chunk::<4>()?;
                let (rest, tag) = rest.split_at_checked(rest.len().checked_sub(tag_length)?)?;
                (rest, tag, number)
            }
        };
        let word = u32::from_be_bytes(*number);
        let index = u64::from(word & !ENCRYPTED);
        let seen = self.reports.iter().find(|(stream, _)| *stream == ssrc);
        // in the open it would have to be agreed on (RFC 4568 §6.3.4), and it never is
        if word & ENCRYPTED == 0 || seen.is_some_and(|(_, seen)| seen.has(index)) {
            return None;
        }
        let mut reports = rest.to_vec();
        let (head, body) = reports.split_at_mut_checked(RTCP_HEAD)?;
        if !self.rtcp.unprotect(Number { ssrc, index }, head, body, tag, number) {
            return None;
        }
        count(&mut self.reports, ssrc, index)?;
        Some(reports)
    }
}

impl Cipher {
    /// What of RTP's number is signed beside the packet: the roll-overs (RFC 3711 §4.2); in GCM they are in the nonce.
    fn tail(&self, index: u64) -> Vec<u8> {
        match self {
            // a number of 48 bits has 32 of them
            Self::Signed { .. } => ((index >> 16) as u32).to_be_bytes().to_vec(),
            Self::Sealed { .. } => Vec::new(),
        }
    }
}

/// Which numbers of a stream came: the newest, and those of the [`WINDOW`] before it as bits.
#[derive(Clone, Copy, Debug)]
struct Seen {
    newest: u64,
    before: u64,
}

impl Seen {
    /// Whether this number came, or is too old to tell.
    fn has(self, index: u64) -> bool {
        match self.newest.checked_sub(index) {
            None => false,
            Some(back) => back >= WINDOW || self.before >> back & 1 == 1,
        }
    }

    fn note(&mut self, index: u64) {
        if let Some(ahead) = index.checked_sub(self.newest).filter(|ahead| *ahead > 0) {
            self.before = if ahead < WINDOW { self.before << ahead } else { 0 };
            self.newest = index;
        }
        // not longer ago than the window
        self.before |= 1 << (self.newest - index).min(WINDOW - 1);
    }
}

/// Notes a number that authenticated; `None` when there is no room for its stream.
fn count(streams: &mut Vec<(u32, Seen)>, ssrc: u32, index: u64) -> Option<()> {
    if let Some((_, seen)) = streams.iter_mut().find(|(stream, _)| *stream == ssrc) {
        seen.note(index);
        return Some(());
    }
    (streams.len() < MOST_STREAMS).then(|| streams.push((ssrc, Seen { newest: index, before: 1 })))
}

/// The number with its roll-overs that is nearest to the newest (RFC 3711 §3.3.1, appendix A); none before the first.
fn nearest(newest: u64, sequence: u16) -> Option<u64> {
    let over = newest >> 16;
    // the low 16 bits
    let low = (newest & 0xffff) as u16;
    let over = match (low < 1 << 15, sequence) {
        (true, _) if sequence > low && sequence - low > 1 << 15 => over.checked_sub(1)?,
        (false, _) if low - (1 << 15) > sequence => over + 1,
        _ => over,
    };
    (over <= u64::from(u32::MAX)).then_some(over << 16 | u64::from(sequence))
}

/// What stands in the open before RTP's payload.
struct Header {
    /// All of it, bytes.
    length: usize,
    sequence: u16,
    ssrc: u32,
}

impl Header {
    /// `None` for what is no RTP. The end of the packet is encrypted, so padding is not looked at.
    fn read(datagram: &[u8]) -> Option<Self> {
        let &[first, _, s1, s2, _, _, _, _, c1, c2, c3, c4] = datagram.first_chunk::<12>()?;
        let mut length = 12 + usize::from(first & 0x0f) * 4;
        if first & 0x10 != 0 {
            let &[_, _, l1, l2] = datagram.get(length..)?.first_chunk::<4>()?;
            length += 4 + usize::from(u16::from_be_bytes([l1, l2])) * 4;
        }
        (first >> 6 == 2 && length <= datagram.len()).then_some(Self {
            length,
            sequence: u16::from_be_bytes([s1, s2]),
            ssrc: u32::from_be_bytes([c1, c2, c3, c4]),
        })
    }
}

/// Whose reports they are.
fn rtcp_stream(datagram: &[u8]) -> Option<u32> {
    let &[first, _, _, _, c1, c2, c3, c4] = datagram.first_chunk::<RTCP_HEAD>()?;
    (first >> 6 == 2).then_some(u32::from_be_bytes([c1, c2, c3, c4]))
}

#[cfg(test)]
mod tests;
