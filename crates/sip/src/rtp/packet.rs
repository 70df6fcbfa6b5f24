//! One RTP packet (RFC 3550 §5.1): read within its bounds, written the same.

/// No datagram is longer: what one Ethernet frame carries. Longer ones are refused.
pub const MAX_DATAGRAM: usize = 1_500;
/// The fixed part of the header.
const HEADER: usize = 12;

/// A packet, as it lies in its datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// What the payload is, 0 to 127, as the session description says.
    pub payload_type: u8,
    /// For sound: the first packet after a silence. For keys: the first of a press.
    pub marker: bool,
    /// One more for each packet; wraps.
    pub sequence: u16,
    /// When the first sample was taken, in ticks of the payload type's clock; wraps.
    pub timestamp: u32,
    /// Which stream this is.
    pub ssrc: u32,
    /// Who was mixed: at most fifteen SSRCs of four bytes.
    pub csrc: &'a [u8],
    /// A header extension, read over.
    pub extension: Option<Extension<'a>>,
    /// What it carries, without padding.
    pub payload: &'a [u8],
}

/// A header extension (RFC 3550 §5.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extension<'a> {
    /// What kind it is.
    pub profile: u16,
    /// Its content, a multiple of four bytes.
    pub data: &'a [u8],
}

/// Why bytes are not an RTP packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Longer than [`MAX_DATAGRAM`].
    #[error("longer than a datagram may be")]
    TooLong,
    /// It ends before its header does.
    #[error("shorter than its header says")]
    TooShort,
    /// Another version than 2.
    #[error("not RTP version 2")]
    Version,
    /// Its last byte says more padding than there is, or none.
    #[error("padding beyond the payload")]
    Padding,
}

impl<'a> Packet<'a> {
    /// Reads a datagram.
    ///
    /// # Errors
    /// [`Malformed`], for whatever is not exactly one packet.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Malformed> {
        if bytes.len() > MAX_DATAGRAM {
            return Err(Malformed::TooLong);
        }
        let (head, rest) = bytes.split_first_chunk::<HEADER>().ok_or(Malformed::TooShort)?;
        let &[first, second, seq1, seq2, t1, t2, t3, t4, s1, s2, s3, s4] = head;
        if first >> 6 != 2 {
            return Err(Malformed::Version);
        }
        let csrc_len = usize::from(first & 0x0f) * 4;
        let (csrc, mut rest) = rest.split_at_checked(csrc_len).ok_or(Malformed::TooShort)?;
        let mut extension = None;
        if first & 0x10 != 0 {
            let (&[p1, p2, l1, l2], after) = rest.split_first_chunk::<4>().ok_or(Malformed::TooShort)?;
            let len = usize::from(u16::from_be_bytes([l1, l2])) * 4;
            let (data, after) = after.split_at_checked(len).ok_or(Malformed::TooShort)?;
            extension = Some(Extension { profile: u16::from_be_bytes([p1, p2]), data });
            rest = after;
        }
        if first & 0x20 != 0 {
            let padding = usize::from(*rest.last().ok_or(Malformed::Padding)?);
            let kept = rest.len().checked_sub(padding).filter(|_| padding > 0).ok_or(Malformed::Padding)?;
            rest = rest.get(..kept).ok_or(Malformed::Padding)?;
        }
        Ok(Self {
            payload_type: second & 0x7f,
            marker: second & 0x80 != 0,
            sequence: u16::from_be_bytes([seq1, seq2]),
            timestamp: u32::from_be_bytes([t1, t2, t3, t4]),
            ssrc: u32::from_be_bytes([s1, s2, s3, s4]),
            csrc,
            extension,
            payload: rest,
        })
    }

    /// The packet as bytes, without padding. What no header can say is left out: CSRCs after the fifteenth, an
    /// extension's words after the 65,535th, and bytes that fill no word.
    pub fn write(&self) -> Vec<u8> {
        let csrc = self.csrc.chunks_exact(4).take(15);
        let mut out = Vec::with_capacity(HEADER + self.csrc.len() + self.payload.len());
        let has_extension = u8::from(self.extension.is_some()) << 4;
        // at most fifteen
        out.push(0x80 | has_extension | csrc.len() as u8);
        out.push(u8::from(self.marker) << 7 | self.payload_type & 0x7f);
        out.extend_from_slice(&self.sequence.to_be_bytes());
        out.extend_from_slice(&self.timestamp.to_be_bytes());
        out.extend_from_slice(&self.ssrc.to_be_bytes());
        csrc.for_each(|one| out.extend_from_slice(one));
        if let Some(Extension { profile, data }) = self.extension {
            let words = data.chunks_exact(4).take(usize::from(u16::MAX));
            out.extend_from_slice(&profile.to_be_bytes());
            out.extend_from_slice(&(words.len() as u16).to_be_bytes());
            words.for_each(|word| out.extend_from_slice(word));
        }
        out.extend_from_slice(self.payload);
        out
    }
}

/// Whether a datagram on a port that carries both is RTCP and not RTP (RFC 5761 §4).
pub fn is_rtcp(datagram: &[u8]) -> bool {
    matches!(datagram.get(1), Some(192..=223))
}

/// Sequence numbers and timestamps without their wrap: each is told relative to the newest before it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Unwrapped {
    newest: Option<i64>,
}

impl Unwrapped {
    /// The extended value of one that wraps after `bits` bits: the one nearest to the newest.
    pub fn extend(&mut self, value: u32, bits: u32) -> i64 {
        let extended = self.near(value, bits);
        self.newest = Some(self.newest.map_or(extended, |newest| newest.max(extended)));
        extended
    }

    /// The same without remembering it.
    pub fn near(self, value: u32, bits: u32) -> i64 {
        let Some(newest) = self.newest else { return i64::from(value) };
        let span = 1_i64 << bits;
        let forward = (i64::from(value) - newest).rem_euclid(span);
        newest + if forward < span / 2 { forward } else { forward - span }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PLAIN: [u8; 14] = [0x80, 0x80, 0x12, 0x34, 0, 0, 0, 160, 0xde, 0xad, 0xbe, 0xef, 1, 2];

    #[test]
    fn a_plain_packet_is_read() {
        let packet = Packet::parse(&PLAIN).unwrap();
        assert_eq!((packet.payload_type, packet.marker, packet.sequence), (0, true, 0x1234));
        assert_eq!((packet.timestamp, packet.ssrc), (160, 0xdead_beef));
        assert_eq!(packet.payload, [1, 2]);
        assert_eq!(packet.write(), PLAIN);
    }

    /// The plain packet with another first byte and another rest.
    fn with(first: u8, rest: &[u8]) -> Vec<u8> {
        let mut bytes = PLAIN[..12].to_vec();
        bytes[0] = first;
        bytes.extend_from_slice(rest);
        bytes
    }

    #[test]
    fn what_the_first_byte_says_is_taken_off_and_kept_within_bounds() {
        use Malformed::{Padding, TooShort, Version};
        type Case = (u8, &'static [u8], Result<&'static [u8], Malformed>);
        let cases: [Case; 15] = [
            (0x80, &[], Ok(&[])),
            (0x82, &[0, 0, 0, 1, 0, 0, 0, 2, 9], Ok(&[9])),
            (0x82, &[0, 0, 0, 1, 0, 0, 0], Err(TooShort)),
            (0x90, &[0xbe, 0xde, 0, 1, 5, 5, 5, 5, 9], Ok(&[9])),
            (0x90, &[0xbe, 0xde, 0, 0, 9], Ok(&[9])),
            (0x90, &[0xbe, 0xde, 0, 2, 5, 5, 5, 5, 9], Err(TooShort)),
            (0x90, &[0xbe, 0xde, 0], Err(TooShort)),
            (0x90, &[0xbe, 0xde, 0xff, 0xff, 1], Err(TooShort)),
            (0xa0, &[9, 8, 0, 0, 3], Ok(&[9, 8])),
            (0xa0, &[1], Ok(&[])),
            (0xa0, &[9, 0], Err(Padding)),
            (0xa0, &[9, 3], Err(Padding)),
            (0xa0, &[], Err(Padding)),
            (0xb1, &[0, 0, 0, 1, 0xbe, 0xde, 0, 1, 5, 5, 5, 5, 9, 0, 2], Ok(&[9])),
            (0x40, &[9], Err(Version)),
        ];
        for (first, rest, wanted) in cases {
            let bytes = with(first, rest);
            assert_eq!(Packet::parse(&bytes).map(|packet| packet.payload), wanted, "{first:#x} {rest:?}");
        }
    }

    #[test]
    fn a_packet_is_no_longer_than_a_datagram() {
        assert!(Packet::parse(&with(0x80, &[0; MAX_DATAGRAM - 12])).is_ok());
        assert_eq!(Packet::parse(&with(0x80, &[0; MAX_DATAGRAM - 11])), Err(Malformed::TooLong));
        assert_eq!(Packet::parse(&PLAIN[..11]), Err(Malformed::TooShort));
    }

    #[test]
    fn rtcp_is_told_from_rtp_by_its_second_byte() {
        let is = |second| is_rtcp(&[0x80, second]);
        assert!(is(200) && is(204) && !is(0) && !is(0x80) && !is(0xe5) && !is_rtcp(&[0x80]));
    }

    #[test]
    fn wrapping_numbers_go_on() {
        let mut numbers = Unwrapped::default();
        let told: Vec<i64> = [65_534, 65_535, 0, 65_533, 1].map(|n| numbers.extend(n, 16)).to_vec();
        assert_eq!(told, [65_534, 65_535, 65_536, 65_533, 65_537]);
        let mut stamps = Unwrapped::default();
        assert_eq!(stamps.extend(u32::MAX, 32), i64::from(u32::MAX));
        assert_eq!(stamps.extend(159, 32), (1 << 32) + 159);
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_packet_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..1_600)) {
            if let Ok(packet) = Packet::parse(&bytes) {
                let again = packet.write();
                prop_assert_eq!(Packet::parse(&again), Ok(packet));
            }
        }

        #[test]
        fn what_is_written_is_read(
            payload_type in 0_u8..128, marker: bool, sequence: u16, timestamp: u32, ssrc: u32,
            csrc in prop::collection::vec(any::<[u8; 4]>(), 0..16),
            extension in prop::option::of((any::<u16>(), prop::collection::vec(any::<[u8; 4]>(), 0..20))),
            payload in prop::collection::vec(any::<u8>(), 0..500),
        ) {
            let csrc = csrc.concat();
            let data = extension.as_ref().map(|(_, words)| words.concat()).unwrap_or_default();
            let extension = extension.map(|(profile, _)| Extension { profile, data: &data });
            let packet = Packet { payload_type, marker, sequence, timestamp, ssrc, csrc: &csrc, extension,
                payload: &payload };
            let bytes = packet.write();
            prop_assert_eq!(Packet::parse(&bytes), Ok(packet));
        }
    }
}
