//! Wiegand: two wires, one pulse a bit, no encryption and no supervision. For readers that are there already.
//!
//! ```text
//!   D0 ‾‾‾\_/‾‾‾‾‾‾‾‾‾‾‾\_/‾‾‾   a falling edge on D0 is a 0, on D1 a 1; nothing for GAP ends what is read
//!   D1 ‾‾‾‾‾‾‾‾‾\_/‾‾‾‾‾‾‾‾‾‾‾
//! ```
//!
//! [`Wiegand`] is sans-IO: it takes edges with the kernel's time of each, and is told that time has passed. What is
//! read is taken whole or not at all:
//! - 4 bits are a key of a keypad; 8 bits are one with its complement first. What does not fit is refused.
//! - 26, 34, 37 and 35 bits must have the parity of their format (HID's H10301, the common 34, H10302 / H10304,
//!   Corporate 1000). A lost or added bit is refused so.
//! - Other lengths from 24 bits on are kept as they came: their parity is not known here.
//! - Two pulses too close to each other are noise, and spoil what is being read.
//!
//! A reader on two wires cannot prove that it is there, so [`super::Reading::Online`] is told once and means no more
//! than that its wires are held.

pub mod lines;

use super::{Keys, Reading};
use klinke_model::credential::{CredentialFormat, CredentialKey};

/// Nothing for this long ends what is read, ns. Readers send a bit every 0.2 to 20 ms; most every 1 to 2 ms.
pub const GAP_NS: u64 = 25_000_000;

/// Pulses of one reader are never closer, ns: 20 µs of pulse and as much of pause at the least.
const CLOSEST_NS: u64 = 40_000;

/// No format is longer; what is, is noise.
const MOST_BITS: usize = CredentialKey::MOST_BITS as usize;

/// Which wire had a falling edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire {
    /// D0, green.
    Data0,
    /// D1, white.
    Data1,
}

/// What was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A card or a key.
    Read(Reading),
    /// Something that is neither: noise, a lost bit, or another format.
    Refused(Refusal),
}

/// Why what was read is nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// Too few bits for a card, too many for anything.
    Length,
    /// The parity of a format with this number of bits is wrong.
    Parity,
    /// A key with a wrong complement, or none that there is.
    NoKey,
    /// Pulses closer to each other than a reader sends them.
    Noise,
}

/// One reader's two wires.
#[derive(Default)]
pub struct Wiegand {
    bits: Vec<bool>,
    last_ns: u64,
    is_spoilt: bool,
}

impl std::fmt::Debug for Wiegand {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Wiegand({} bits, ‹redacted›)", self.bits.len())
    }
}

impl Wiegand {
    /// Takes one falling edge and the kernel's time of it; what came before it, when this edge begins anew.
    pub fn edge(&mut self, wire: Wire, at_ns: u64) -> Option<Outcome> {
        let before = self.settle(at_ns);
        let is_too_close = !self.bits.is_empty() && at_ns.saturating_sub(self.last_ns) < CLOSEST_NS;
        self.is_spoilt |= is_too_close || self.bits.len() >= MOST_BITS;
        if self.bits.len() < MOST_BITS {
            self.bits.push(wire == Wire::Data1);
        }
        self.last_ns = at_ns;
        before
    }

    /// Time has passed: what was read, when nothing has come for [`GAP_NS`].
    pub fn settle(&mut self, now_ns: u64) -> Option<Outcome> {
        if self.bits.is_empty() || now_ns.saturating_sub(self.last_ns) < GAP_NS {
            return None;
        }
        let bits = std::mem::take(&mut self.bits);
        let was_spoilt = std::mem::take(&mut self.is_spoilt);
        Some(if was_spoilt { Outcome::Refused(Refusal::Noise) } else { whole(&bits) })
    }

    /// Something that is being read was not taken whole: it is noise.
    pub const fn spoil(&mut self) {
        self.is_spoilt = true;
    }

    /// Whether something is being read: call [`Wiegand::settle`] after [`GAP_NS`].
    pub const fn is_reading(&self) -> bool {
        !self.bits.is_empty()
    }
}

/// What a whole burst is.
fn whole(bits: &[bool]) -> Outcome {
    let refused = Outcome::Refused;
    match bits.len() {
        4 => key(number(bits)),
        8 => {
            let (complement, plain) = bits.split_at(4);
            let fits = complement.iter().zip(plain).all(|(complement, plain)| complement != plain);
            if fits { key(number(plain)) } else { refused(Refusal::NoKey) }
        }
        _ if !has_parity(bits) => refused(Refusal::Parity),
        length => {
            let bytes: Vec<u8> = bits
                .chunks(8)
                .map(|byte| (0..).zip(byte).fold(0, |all, (at, bit)| all | u8::from(*bit) << (7 - at)))
                .collect();
            let bits = u8::try_from(length).unwrap_or(u8::MAX);
            match CredentialKey::new(CredentialFormat::Bits, bits, &bytes) {
                Ok(card) => Outcome::Read(Reading::Card(card)),
                Err(_) => refused(Refusal::Length),
            }
        }
    }
}

/// A key of a keypad: 10 is `*`, 11 is `#`.
fn key(number: u8) -> Outcome {
    let ascii = match number {
        0..=9 => b'0' + number,
        10 => b'*',
        11 => b'#',
        _ => return Outcome::Refused(Refusal::NoKey),
    };
    match Keys::from_ascii(&[ascii]) {
        Some(keys) => Outcome::Read(Reading::Keys(keys)),
        None => Outcome::Refused(Refusal::NoKey),
    }
}

fn number(bits: &[bool]) -> u8 {
    bits.iter().fold(0, |all, bit| all << 1 | u8::from(*bit))
}

/// Whether the parity bits of a known format fit. Other lengths have none that is known.
fn has_parity(bits: &[bool]) -> bool {
    // how many bits at each end the first (even) and the last (odd) parity bit cover, themselves included
    let covers = match bits.len() {
        26 => 13,
        34 => 17,
        37 => 19,
        35 => return has_corporate_parity(bits),
        _ => return true,
    };
    let (first, last) = (bits.get(..covers), bits.get(bits.len() - covers..));
    first.is_some_and(|bits| ones(bits).is_multiple_of(2)) && last.is_some_and(|bits| ones(bits) % 2 == 1)
}

/// HID's Corporate 1000 with 35 bits: the second bit is even over two of each three, the last odd over two of each
/// three, the first odd over all.
fn has_corporate_parity(bits: &[bool]) -> bool {
    let over =
        |covers: fn(usize) -> bool| bits.iter().enumerate().filter(|(at, bit)| **bit && covers(*at)).count();
    let even = over(|at| at == 1 || (at > 1 && at % 3 != 1));
    let odd = over(|at| at % 3 != 0);
    ones(bits) % 2 == 1 && even.is_multiple_of(2) && odd % 2 == 1
}

fn ones(bits: &[bool]) -> usize {
    bits.iter().filter(|bit| **bit).count()
}

#[cfg(test)]
mod tests;
