//! Both laws of ITU-T G.711: 8 bits for a sample, finer near zero.

/// Which law.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Law {
    /// North America and Japan.
    Mu,
    /// The rest of the world.
    A,
}

/// Moves the segments of the µ-law to powers of two.
const BIAS: i32 = 132;
/// The largest sample that the µ-law has.
const MU_MOST: i32 = 32_635;

impl Law {
    /// One byte for each sample.
    pub fn encode(self, samples: &[i16]) -> Vec<u8> {
        let code = match self {
            Self::Mu => mu_code,
            Self::A => a_code,
        };
        samples.iter().map(|&sample| code(sample)).collect()
    }

    /// One sample for each byte.
    pub fn decode(self, codes: &[u8]) -> Vec<i16> {
        let sample = match self {
            Self::Mu => mu_sample,
            Self::A => a_sample,
        };
        codes.iter().map(|&code| sample(code)).collect()
    }
}

/// Sign, segment (three bits), step (four bits); all bits turned over.
fn mu_code(sample: i16) -> u8 {
    let sign = if sample < 0 { 0x80 } else { 0 };
    let level = i32::from(sample).abs().min(MU_MOST) + BIAS;
    // level is 132 to 32,767, so its highest bit is 7 to 14
    let segment = level.ilog2().saturating_sub(7);
    let step = level >> (segment + 3) & 0x0f;
    !(sign | (segment << 4) as u8 | step as u8)
}

fn mu_sample(code: u8) -> i16 {
    let code = !code;
    let segment = code >> 4 & 7;
    let level = (((i32::from(code & 0x0f) << 3) + BIAS) << segment) - BIAS;
    (if code & 0x80 == 0 { level } else { -level }) as i16
}

/// Sign (set for what is not negative), segment, step; every second bit turned over.
fn a_code(sample: i16) -> u8 {
    let sign = if sample < 0 { 0 } else { 0x80 };
    // −1 is in the first step below zero
    let level = u32::from(if sample < 0 { !sample } else { sample }.unsigned_abs()) >> 4;
    let (segment, step) = match level.checked_ilog2() {
        Some(high @ 5..) => (high - 3, level >> (high - 4)),
        // the two segments nearest to zero have the same steps
        _ => (level >> 4, level),
    };
    (sign | (segment << 4) as u8 | (step & 0x0f) as u8) ^ 0x55
}

fn a_sample(code: u8) -> i16 {
    let code = code ^ 0x55;
    let step = i32::from(code & 0x0f) << 4;
    let level = match code >> 4 & 7 {
        0 => step + 8,
        segment => (step + 0x108) << (segment - 1),
    };
    (if code & 0x80 == 0 { -level } else { level }) as i16
}

#[cfg(test)]
mod tests {
    use super::*;
    use audio_codec::{Decoder as _, Encoder as _};

    /// ITU-T G.711 tables 1 and 2: the ends, and the steps next to zero.
    #[test]
    fn both_laws_are_those_of_the_standard() {
        assert_eq!(Law::Mu.decode(&[0x80, 0xff, 0x7f, 0x00, 0xfe, 0x8f]), [32_124, 0, 0, -32_124, 8, 16_764]);
        assert_eq!(Law::A.decode(&[0xaa, 0xd5, 0x55, 0x2a, 0xd4]), [32_256, 8, -8, -32_256, 24]);
        assert_eq!(Law::Mu.encode(&[0, i16::MAX, i16::MIN, -1]), [0xff, 0x80, 0x00, 0x7f]);
        assert_eq!(
            Law::A.encode(&[0, i16::MAX, i16::MIN, -1, 15, 16, -16, -17]),
            [0xd5, 0xaa, 0x2a, 0x55, 0xd5, 0xd4, 0x55, 0x54]
        );
    }

    #[test]
    fn every_sample_comes_back_within_half_a_step() {
        for sample in i16::MIN..=i16::MAX {
            for law in [Law::Mu, Law::A] {
                let code = law.encode(&[sample]);
                let back = law.decode(&code)[0];
                let wrong = (i32::from(sample) - i32::from(back)).abs();
                let allowed = (i32::from(sample).abs() + BIAS) / 32 + 8;
                let clipped = i32::from(sample).abs() > 31_600 && wrong <= 644;
                assert!(wrong <= allowed || clipped, "{law:?}: {sample} became {back}");
                // the µ-law has a zero below and one above
                assert!(law.encode(&[back]) == code || back == 0, "{law:?}: {sample}");
            }
        }
    }

    #[test]
    fn others_read_the_same() {
        let codes: Vec<u8> = (0..=255).collect();
        assert_eq!(audio_codec::pcmu::PcmuDecoder::new().decode(&codes), Law::Mu.decode(&codes));
        assert_eq!(audio_codec::pcma::PcmaDecoder::new().decode(&codes), Law::A.decode(&codes));
        let samples: Vec<i16> = (0..4_096).map(|n| (n * 16 - 32_768 + 5) as i16).collect();
        assert_eq!(audio_codec::pcmu::PcmuEncoder::new().encode(&samples), Law::Mu.encode(&samples));
    }
}
