//! What is in a payload of H.264 (RFC 6184, section 5): one unit, several (STAP-A), or a piece of one (FU-A).

/// Kinds of units (H.264, table 7-1).
pub(super) const IDR: u8 = 5;
pub(super) const SPS: u8 = 7;
pub(super) const PPS: u8 = 8;

const STAP_A: u8 = 24;
const FU_A: u8 = 28;

/// A unit in a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Nal<'a> {
    /// All of it.
    Whole(&'a [u8]),
    /// A piece; its kind, and whether it is the first.
    Piece { kind: u8, first: bool },
}

impl Nal<'_> {
    /// What it is, or is a piece of.
    pub(super) fn kind(&self) -> Option<u8> {
        match self {
            Self::Whole(bytes) => bytes.first().map(|first| first & 0x1f),
            Self::Piece { kind, .. } => Some(*kind),
        }
    }

    /// The kind of unit that begins here.
    pub(super) fn begins(&self) -> Option<u8> {
        self.kind().filter(|_| !matches!(self, Self::Piece { first: false, .. }))
    }
}

/// The units of a payload, at least one; `None` for what is none, or packed in a way that packetization modes 0 and 1 do
/// not have.
pub(super) fn units(payload: &[u8]) -> Option<Vec<Nal<'_>>> {
    let (first, rest) = payload.split_first()?;
    // the bit that says that something in it is wrong
    if first & 0x80 != 0 {
        return None;
    }
    match first & 0x1f {
        1..=23 => Some(vec![Nal::Whole(payload)]),
        STAP_A => {
            let (mut rest, mut found) = (rest, Vec::new());
            while let Some((length, after)) = rest.split_first_chunk() {
                let (unit, after) = after.split_at_checked(u16::from_be_bytes(*length).into())?;
                let kind = unit.first()? & 0x1f;
                // none of them is a packing itself
                if !(1..=23).contains(&kind) {
                    return None;
                }
                found.push(Nal::Whole(unit));
                rest = after;
            }
            (rest.is_empty() && !found.is_empty()).then_some(found)
        }
        FU_A => {
            let (header, data) = rest.split_first()?;
            let (first, last, kind) = (header & 0x80 != 0, header & 0x40 != 0, header & 0x1f);
            let fits = (1..=23).contains(&kind) && !(first && last) && !data.is_empty();
            fits.then(|| vec![Nal::Piece { kind, first }])
        }
        _ => None,
    }
}

/// The Exp-Golomb number that bytes begin with (H.264, section 9.1), up to 255.
pub(super) fn number(bytes: &[u8]) -> Option<u32> {
    let bit = |at: usize| bytes.get(at / 8).map(|byte| u32::from(byte >> (7 - at % 8) & 1));
    let mut zeros = 0;
    while bit(zeros)? == 0 {
        zeros += 1;
        if zeros > 8 {
            return None;
        }
    }
    let mut value = 0;
    for at in zeros..=2 * zeros {
        value = value << 1 | bit(at)?;
    }
    (value - 1 <= 255).then_some(value - 1)
}
