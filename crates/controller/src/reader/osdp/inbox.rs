//! Bytes from the line → whole frames whose check is right. Noise is skipped byte by byte and can hold up nothing:
//! a frame that was announced and does not come is forgotten with [`Inbox::clear`].

use osdp::packet::{checksum8, crc16};
use osdp::{MAX_BUS_PACKET, SOM};

/// Shorter than this is no frame: header, one byte, checksum.
const SHORTEST: usize = 7;

/// What has come and is not taken yet.
#[derive(Default)]
pub(super) struct Inbox {
    bytes: Vec<u8>,
}

impl Inbox {
    /// More bytes. Never keeps more than one longest frame and what came with its last byte.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Forgets what has come.
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
    }

    /// The next whole frame, or nothing yet. Counts what began like a frame and was none in `broken`.
    pub(super) fn next(&mut self, broken: &mut u32) -> Option<Vec<u8>> {
        loop {
            let start = self.bytes.iter().position(|byte| *byte == SOM).unwrap_or(self.bytes.len());
            self.bytes.drain(..start);
            let length = match self.bytes.get(2..4) {
                Some(&[low, high]) => usize::from(u16::from_le_bytes([low, high])),
                _ => return None,
            };
            if (SHORTEST..=MAX_BUS_PACKET).contains(&length) {
                match self.bytes.get(..length).map(is_whole) {
                    None => return None,
                    Some(true) => return Some(self.bytes.drain(..length).collect()),
                    Some(false) => *broken = broken.saturating_add(1),
                }
            }
            self.bytes.drain(..1);
        }
    }
}

/// Whether the check at the end is right: CRC or checksum, as the control byte says (OSDP v2.2 §5.9).
fn is_whole(frame: &[u8]) -> bool {
    let is_crc = frame.get(4).is_some_and(|control| control & 4 != 0);
    match frame {
        [body @ .., low, high] if is_crc => crc16(body) == u16::from_le_bytes([*low, *high]),
        [body @ .., check] => checksum8(body) == *check,
        [] => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use osdp::packet::{Address, ControlByte, CtrlFlags, PacketBuilder, Sqn};

    fn frame(data: &[u8]) -> Vec<u8> {
        let control = ControlByte::new(Sqn::new(1).unwrap(), CtrlFlags::USE_CRC);
        PacketBuilder::plain(Address::reply(1).unwrap(), control, 0x40, data.to_vec()).encode().unwrap()
    }

    #[test]
    fn frames_are_found_between_noise_and_in_any_pieces() {
        let (one, two) = (frame(&[]), frame(&[SOM; 9]));
        let mut damaged = two.clone();
        damaged[7] ^= 1;
        let stream = [&[0xFF, SOM, 0, 0][..], &one, &damaged, &[SOM, 1, 3, 0, 9], &two, &[SOM]].concat();
        for size in 1..=stream.len() {
            let (mut inbox, mut broken, mut found) = (Inbox::default(), 0, Vec::new());
            for piece in stream.chunks(size) {
                inbox.push(piece);
                while let Some(frame) = inbox.next(&mut broken) {
                    found.push(frame);
                }
            }
            assert_eq!(found, [one.clone(), two.clone()], "in pieces of {size}");
            assert!(broken >= 1);
        }
    }
}
