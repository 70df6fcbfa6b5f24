//! Whose packets count: those of one source, learnt from the first packets and then fixed (symmetric RTP, RFC 4961).
//!
//! A phone behind a router sends from another address than it says. So the address that it says counts at once, any other
//! after three packets of sound in a row; then it is fixed until both sides agree on something new. Whoever finds the
//! port later is not heard, and nothing is sent there.

use super::packet::Packet;
use std::net::SocketAddr;

/// Packets in a row from an address that was not told.
const IN_A_ROW: u8 = 3;

/// The source of one leg.
#[derive(Debug, Default)]
pub struct Source {
    /// What the description said.
    told: Option<SocketAddr>,
    fixed: Option<SocketAddr>,
    /// Who may become it: from where, which stream, the number that is next, and how many there were.
    candidate: Option<(SocketAddr, u32, u16, u8)>,
}

impl Source {
    /// The other side says that it is there.
    pub const fn new(told: Option<SocketAddr>) -> Self {
        Self { told, fixed: None, candidate: None }
    }

    /// Both sides agreed again: another address is learnt anew, the same one stays.
    pub fn told(&mut self, told: Option<SocketAddr>) {
        if told.is_some() && told != self.told {
            *self = Self::new(told);
        }
    }

    /// Whether what came from there is taken. What is no RTP is not.
    pub fn takes(&mut self, from: SocketAddr, datagram: &[u8]) -> bool {
        let Ok(packet) = Packet::parse(datagram) else { return false };
        if let Some(fixed) = self.fixed {
            return from == fixed;
        }
        if self.told == Some(from) {
            self.fixed = Some(from);
            return true;
        }
        let before = self.candidate.filter(|&(address, ssrc, next, _)| {
            (address, ssrc, next) == (from, packet.ssrc, packet.sequence)
        });
        let count = before.map_or(1, |(_, _, _, count)| count + 1);
        self.candidate = Some((from, packet.ssrc, packet.sequence.wrapping_add(1), count));
        if count >= IN_A_ROW {
            self.fixed = Some(from);
        }
        count >= IN_A_ROW
    }

    /// Takes this for the one source, unless there is one: who speaks from there has proven it in another way.
    pub fn fix(&mut self, from: SocketAddr) {
        self.fixed.get_or_insert(from);
    }

    /// Whether nothing from there can count, whatever it is.
    pub fn is_stranger(&self, from: SocketAddr) -> bool {
        self.fixed.is_some_and(|fixed| fixed != from)
    }

    /// The one source, once it is known.
    pub const fn fixed(&self) -> Option<SocketAddr> {
        self.fixed
    }

    /// Whether RTCP from there is taken: from the machine that the sound comes from.
    pub fn takes_rtcp(&self, from: SocketAddr) -> bool {
        self.target().is_some_and(|target| target.ip() == from.ip())
    }

    /// Where our sound goes to: to where theirs comes from, until then to where they say.
    pub fn target(&self) -> Option<SocketAddr> {
        self.fixed.or(self.told)
    }

    /// Whether theirs comes from elsewhere than they say.
    pub fn is_elsewhere(&self) -> bool {
        self.fixed.is_some() && self.fixed != self.told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    fn packet(ssrc: u32, sequence: u16) -> Vec<u8> {
        let (csrc, payload): (&[u8], &[u8]) = (&[], &[0; 160]);
        Packet {
            payload_type: 0,
            marker: false,
            sequence,
            timestamp: 0,
            ssrc,
            csrc,
            extension: None,
            payload,
        }
        .write()
    }

    #[test]
    fn the_address_that_was_told_counts_at_once_and_is_fixed() {
        let (told, other) = (address("192.0.2.1:4000"), address("203.0.113.9:4000"));
        let mut source = Source::new(Some(told));
        assert!(!source.takes(other, &packet(6, 1)) && !source.takes(other, &packet(6, 2)));
        assert!(source.takes(told, &packet(9, 1)));
        assert!((3..100).all(|n| !source.takes(other, &packet(6, n))), "a third is never heard");
        assert!(source.takes(told, &packet(9, 2)));
        assert_eq!((source.target(), source.is_elsewhere()), (Some(told), false));
    }

    #[test]
    fn another_address_counts_after_three_in_a_row() {
        let (told, behind) = (address("10.0.0.5:4000"), address("203.0.113.9:61000"));
        let mut source = Source::new(Some(told));
        assert_eq!(source.target(), Some(told));
        let taken: Vec<bool> = (1..6).map(|n| source.takes(behind, &packet(9, n))).collect();
        assert_eq!(taken, [false, false, true, true, true]);
        assert_eq!((source.target(), source.is_elsewhere()), (Some(behind), true));
        assert!(!source.takes(told, &packet(9, 6)), "it is fixed");
        assert!(source.takes_rtcp(address("203.0.113.9:61001")) && !source.takes_rtcp(told));
    }

    #[test]
    fn single_packets_of_strangers_never_count() {
        let mut source = Source::new(None);
        for n in 0..200_u16 {
            let stranger = address(&format!("203.0.113.{}:4000", n % 100));
            assert!(!source.takes(stranger, &packet(u32::from(n), n)));
        }
        let one = address("203.0.113.1:4000");
        assert!((0..50).all(|n| !source.takes(one, &packet(7, n * 3))), "not in a row");
        assert!((0..50_u16).all(|n| !source.takes(one, &[0x80; 4][..usize::from(n % 5)])), "no RTP");
    }

    #[test]
    fn what_is_agreed_on_anew_is_learnt_anew() {
        let (first, second) = (address("192.0.2.1:4000"), address("192.0.2.2:4000"));
        let mut source = Source::new(Some(first));
        assert!(source.takes(first, &packet(9, 1)));
        source.told(Some(first));
        source.told(None);
        assert_eq!(source.target(), Some(first), "hold and the same again change nothing");
        source.told(Some(second));
        assert!(!source.takes(first, &packet(9, 2)) && source.takes(second, &packet(9, 3)));
    }
}
