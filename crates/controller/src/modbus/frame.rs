//! Requests to bytes, bytes to replies.
//!
//! A reply is taken only when it is the whole answer to the request that was sent: same unit, same function, and for
//! a write the same address and value.

use std::io;

/// A request to one unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// Function 1: read coils, up to [`MOST_BITS`].
    ReadCoils {
        /// The first.
        first: u16,
        /// How many.
        count: u16,
    },
    /// Function 2: read discrete inputs, up to [`MOST_BITS`].
    ReadInputs {
        /// The first.
        first: u16,
        /// How many.
        count: u16,
    },
    /// Function 5: write one coil. [`ON`] and [`OFF`] are the standard's values; some units take others.
    WriteCoil {
        /// Which.
        coil: u16,
        /// What.
        value: u16,
    },
}

/// How many bits one request reads at most (V1.1b3, 6.1 and 6.2).
pub const MOST_BITS: u16 = 2_000;
/// A coil that is on.
pub const ON: u16 = 0xFF00;
/// A coil that is off.
pub const OFF: u16 = 0x0000;

/// Why a reply is not the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// The unit refused.
    #[error("the unit refused with exception {0}")]
    Exception(u8),
    /// Not what was asked, or not Modbus.
    #[error("the answer does not fit the question")]
    Mismatch,
    /// The check sum is wrong.
    #[error("the answer was damaged on its way")]
    Damaged,
}

impl From<FrameError> for io::Error {
    fn from(error: FrameError) -> Self {
        let kind = match error {
            FrameError::Exception(_) => io::ErrorKind::Other,
            FrameError::Mismatch | FrameError::Damaged => io::ErrorKind::InvalidData,
        };
        Self::new(kind, error)
    }
}

impl Request {
    const fn function(self) -> u8 {
        match self {
            Self::ReadCoils { .. } => 1,
            Self::ReadInputs { .. } => 2,
            Self::WriteCoil { .. } => 5,
        }
    }

    /// The request without its envelope.
    fn body(self) -> [u8; 5] {
        let (Self::ReadCoils { first: at, count: value }
        | Self::ReadInputs { first: at, count: value }
        | Self::WriteCoil { coil: at, value }) = self;
        let ([at_high, at_low], [high, low]) = (at.to_be_bytes(), value.to_be_bytes());
        [self.function(), at_high, at_low, high, low]
    }

    /// The bits of a reply's body; empty for a write.
    fn bits(self, body: &[u8]) -> Result<Vec<bool>, FrameError> {
        match (self, body) {
            (_, [function, code]) if *function == self.function() | 0x80 => Err(FrameError::Exception(*code)),
            (Self::WriteCoil { .. }, echo) if *echo == self.body() => Ok(Vec::new()),
            (
                Self::ReadCoils { count, .. } | Self::ReadInputs { count, .. },
                [function, length, bytes @ ..],
            ) if *function == self.function()
                && usize::from(*length) == bytes.len()
                && bytes.len() == usize::from(count.div_ceil(8)) =>
            {
                let all = bytes.iter().flat_map(|byte| (0..8).map(move |bit| byte >> bit & 1 == 1));
                Ok(all.take(usize::from(count)).collect())
            }
            _ => Err(FrameError::Mismatch),
        }
    }

    /// For Modbus TCP.
    pub fn to_tcp(self, transaction: u16, unit: u8) -> [u8; 12] {
        let [high, low] = transaction.to_be_bytes();
        let [function, a, b, c, d] = self.body();
        [high, low, 0, 0, 0, 6, unit, function, a, b, c, d]
    }

    /// How many bytes follow the first six of a reply over TCP.
    ///
    /// # Errors
    /// When this is not the beginning of a reply to this transaction.
    pub fn tcp_rest(transaction: u16, head: [u8; 6]) -> Result<usize, FrameError> {
        let [high, low, 0, 0, length_high, length_low] = head else { return Err(FrameError::Mismatch) };
        let length = u16::from_be_bytes([length_high, length_low]);
        let is_ours = [high, low] == transaction.to_be_bytes() && (3..=254).contains(&length);
        is_ours.then_some(usize::from(length)).ok_or(FrameError::Mismatch)
    }

    /// The bits of a reply over TCP, from what follows its first six bytes.
    ///
    /// # Errors
    /// When it is not the answer.
    pub fn from_tcp(self, unit: u8, rest: &[u8]) -> Result<Vec<bool>, FrameError> {
        match rest {
            [from, body @ ..] if *from == unit => self.bits(body),
            _ => Err(FrameError::Mismatch),
        }
    }

    /// For a serial line.
    pub fn to_rtu(self, unit: u8) -> [u8; 8] {
        let [function, a, b, c, d] = self.body();
        let [low, high] = crc(&[unit, function, a, b, c, d]).to_le_bytes();
        [unit, function, a, b, c, d, low, high]
    }

    /// How many bytes a reply on a serial line has, from its first two.
    ///
    /// # Errors
    /// When this is not the beginning of an answer.
    pub fn rtu_length(self, unit: u8, head: [u8; 2]) -> Result<usize, FrameError> {
        let [from, function] = head;
        match self {
            _ if from != unit => Err(FrameError::Mismatch),
            _ if function == self.function() | 0x80 => Ok(5),
            _ if function != self.function() => Err(FrameError::Mismatch),
            Self::WriteCoil { .. } => Ok(8),
            Self::ReadCoils { count, .. } | Self::ReadInputs { count, .. } => {
                Ok(5 + usize::from(count.div_ceil(8)))
            }
        }
    }

    /// The bits of a whole reply on a serial line.
    ///
    /// # Errors
    /// When it is not the answer.
    pub fn from_rtu(self, unit: u8, reply: &[u8]) -> Result<Vec<bool>, FrameError> {
        let Some((content, sum)) = reply.split_last_chunk::<2>() else { return Err(FrameError::Mismatch) };
        if crc(content).to_le_bytes() != *sum {
            return Err(FrameError::Damaged);
        }
        self.from_tcp(unit, content)
    }
}

/// The check sum of a serial line (Modbus over Serial Line V1.02, 6.2.2).
fn crc(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0xFFFF, |sum, byte| {
        (0..8).fold(sum ^ u16::from(*byte), |sum, _| if sum & 1 == 1 { sum >> 1 ^ 0xA001 } else { sum >> 1 })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const WRITE: Request = Request::WriteCoil { coil: 0x0200, value: 7 };
    const READ: Request = Request::ReadInputs { first: 0, count: 10 };

    #[test]
    fn the_frames_are_those_of_the_standard_and_of_waveshares_manual() {
        assert_eq!(WRITE.to_rtu(1), [0x01, 0x05, 0x02, 0x00, 0x00, 0x07, 0x8D, 0xB0]);
        let on = Request::WriteCoil { coil: 0x00AC, value: ON };
        assert_eq!(on.to_tcp(0x1501, 0xFF), [0x15, 0x01, 0, 0, 0, 6, 0xFF, 0x05, 0x00, 0xAC, 0xFF, 0x00]);
        // V1.1b3, 6.1: coils 20 to 38
        let read = Request::ReadCoils { first: 0x13, count: 0x13 };
        let bits = read.from_tcp(1, &[1, 1, 3, 0xCD, 0x6B, 0x05]).unwrap();
        let expected = "1011001111010110101"; // 0xCD, 0x6B, 0x05 from the lowest bit of each
        assert_eq!(bits.iter().map(|bit| if *bit { '1' } else { '0' }).collect::<String>(), expected);
    }

    #[test]
    fn only_the_answer_to_the_question_is_taken() {
        let whole = WRITE.to_rtu(1);
        assert_eq!(WRITE.rtu_length(1, [1, 5]), Ok(8));
        assert_eq!(WRITE.from_rtu(1, &whole), Ok(Vec::new()));
        assert_eq!(WRITE.from_rtu(2, &whole), Err(FrameError::Mismatch), "another unit");
        assert_eq!(READ.from_rtu(1, &whole), Err(FrameError::Mismatch), "another function");
        let other = Request::WriteCoil { coil: 0x0201, value: 7 }.to_rtu(1);
        assert_eq!(WRITE.from_rtu(1, &other), Err(FrameError::Mismatch), "another coil");
        for byte in 0..whole.len() {
            let mut damaged = whole;
            damaged[byte] ^= 0x10;
            assert_eq!(WRITE.from_rtu(1, &damaged), Err(FrameError::Damaged), "byte {byte}");
        }
        assert_eq!(WRITE.from_tcp(1, &[1, 0x85, 2]), Err(FrameError::Exception(2)));
        assert_eq!(READ.from_tcp(1, &[1, 2, 1, 0xFF]), Err(FrameError::Mismatch), "too few bits");
        assert_eq!(READ.from_tcp(1, &[1, 2, 2, 0xFF]), Err(FrameError::Mismatch), "cut short");
        assert_eq!(READ.from_tcp(1, &[]), Err(FrameError::Mismatch));
        assert_eq!(READ.rtu_length(1, [1, 0x82]), Ok(5));
        assert_eq!(READ.rtu_length(1, [1, 1]), Err(FrameError::Mismatch));
        assert_eq!(Request::tcp_rest(7, [0, 7, 0, 0, 0, 6]), Ok(6));
        assert_eq!(Request::tcp_rest(7, [0, 6, 0, 0, 0, 6]), Err(FrameError::Mismatch));
        assert_eq!(Request::tcp_rest(7, [0, 7, 0, 0, 255, 255]), Err(FrameError::Mismatch));
    }
}
