//! Chance that is the same each time, and what it does to an input.

/// Inputs grow to this length at most.
const LONGEST: usize = 8_192;
/// Bytes at the edges of what lengths, versions and numbers may be, and what separates parts of texts.
const EDGES: &[u8] = b"\0\x01\x7f\x80\xff\r\n\t :;,=<>\"\\/@%|-+09aA";
/// Texts that mean something to one of the parsers.
const WORDS: [&str; 24] = [
    "\r\n\r\n",
    "\r\n ",
    "Content-Length: ",
    "l:",
    ";tag=",
    ";branch=z9hG4bK",
    "INVITE",
    "SIP/2.0 200 OK\r\n",
    "sip:",
    "<>",
    "\u{440}",
    "99999999999999999999",
    "-1",
    "a=crypto:1 ",
    "inline:",
    "a=rtpmap:",
    "m=audio 1 RTP/SAVP 0\r\n",
    "m=audio ",
    "c=IN IP6 ::\r\n",
    "0.0.0.0",
    "qop=\"auth\"",
    "stale=true",
    "Signal=",
    "Digest ",
];

/// SplitMix64 (Steele, Lea, Flood 2014): small, and good enough to choose.
pub struct Chance(u64);

impl Chance {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// Below `end`; 0 when that is 0.
    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % (end.max(1) as u64)) as usize
    }

    pub fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }

    /// Up to six changes to one of the inputs.
    pub fn mutated(&mut self, inputs: &[Vec<u8>]) -> Vec<u8> {
        let mut input = self.one(inputs).clone();
        for _ in 0..=self.below(6) {
            self.change(&mut input, inputs);
            input.truncate(LONGEST);
        }
        input
    }

    fn change(&mut self, input: &mut Vec<u8>, inputs: &[Vec<u8>]) {
        let at = self.below(input.len() + 1);
        let end = (at + self.below(24)).min(input.len());
        match self.below(11) {
            0 => change_byte(input, at, |byte| byte ^ 1 << (at % 8)),
            1 => {
                let byte = *self.one(EDGES);
                change_byte(input, at, |_| byte);
            }
            2 => {
                let step = self.below(16) as u8;
                change_byte(input, at, |byte| byte.wrapping_add(step).wrapping_sub(8));
            }
            3 => drop(input.drain(at..end)),
            4 => input.insert(at, *self.one(EDGES)),
            5 => drop(input.splice(at..at, self.one(&WORDS).bytes())),
            // a piece again, here or elsewhere
            6 => {
                let (piece, to) = (input[at..end].to_vec(), self.below(input.len() + 1));
                drop(input.splice(to..to, piece));
            }
            // and often
            7 => {
                let piece = input[at..end].repeat(1 + self.below(64));
                drop(input.splice(at..at, piece));
            }
            // the head of this and the tail of another
            8 => {
                let other = self.one(inputs);
                let from = self.below(other.len() + 1);
                input.truncate(at);
                input.extend_from_slice(&other[from..]);
            }
            9 => input.truncate(at),
            // a line (or what ends with such a byte) to another place
            _ => {
                let mut lines: Vec<&[u8]> = input.split_inclusive(|byte| *byte == b'\n').collect();
                if lines.len() > 1 {
                    let (one, other) = (self.below(lines.len()), self.below(lines.len()));
                    lines.swap(one, other);
                    *input = lines.concat();
                }
            }
        }
    }
}

fn change_byte(input: &mut [u8], at: usize, to: impl Fn(u8) -> u8) {
    if let Some(byte) = input.get_mut(at) {
        *byte = to(*byte);
    }
}

fn mix(mut value: u64) -> u64 {
    value = (value ^ value >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    value = (value ^ value >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ value >> 31
}

/// A number for these bytes, the same each time.
pub fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(bytes.len() as u64, |sum, byte| mix(sum ^ u64::from(*byte)))
}

/// How long something is, in steps that double: what kind of length.
pub fn size(length: usize) -> u64 {
    u64::from(usize::BITS - length.leading_zeros())
}
