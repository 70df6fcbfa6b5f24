//! The phrases of one language in one file, as Opus at 16 kbit/s in the band of telephones.
//!
//! ```text
//! file   = entry*
//! entry  = part (the name)  part (what it says)  number of packets (2 bytes, little endian)  packet*
//! packet = part (an Opus packet of 60 ms, mono)
//! part   = length (1 byte)  as many bytes
//! ```

use crate::phrase::Phrase;
use crate::sound::{PEAK, RATE, limited};

/// Samples of 60 ms, of the 8,000 a second that the encoder is given.
const FRAME: usize = 480;
const NARROW: u32 = 8_000;
/// Bits a second.
const BITRATE: i32 = 16_000;
/// The longest part that there is a length for, bytes.
const LONGEST: usize = 255;
/// Samples that libopus may make of one packet: 120 ms.
const MOST: usize = RATE as usize * 120 / 1_000;

/// A file that is not of this form, or sound that libopus refuses.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// It ends in the middle, or has a name that is no phrase's.
    #[error("the file of phrases is broken")]
    Broken,
    /// libopus refused.
    #[error("Opus: {0}")]
    Opus(#[from] opus::Error),
}

/// One phrase of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spoken {
    /// Which.
    pub phrase: Phrase,
    /// What it says: tells whether it was made from the text as it is now.
    pub text: String,
    /// [`RATE`] samples a second with nothing above 4 kHz.
    pub sound: Vec<i16>,
}

/// A file of these phrases.
///
/// # Errors
/// When libopus refuses, or something is too long for the form.
pub fn pack(all: &[Spoken]) -> Result<Vec<u8>, PackError> {
    let mut file = Vec::new();
    for Spoken { phrase, text, sound } in all {
        let packets = encode(sound)?;
        put(&mut file, phrase.name().as_bytes())?;
        put(&mut file, text.as_bytes())?;
        let count = u16::try_from(packets.len()).map_err(|_| PackError::Broken)?;
        file.extend(count.to_le_bytes());
        for packet in &packets {
            put(&mut file, packet)?;
        }
    }
    Ok(file)
}

/// The packets of a sound. What the codec makes of a peak may be higher than the peak was; then it is given a lower one.
fn encode(sound: &[i16]) -> Result<Vec<Vec<u8>>, PackError> {
    let mut peak = PEAK;
    loop {
        let mut encoder = opus::Encoder::new(NARROW, opus::Channels::Mono, opus::Application::Voip)?;
        encoder.set_bitrate(opus::Bitrate::Bits(BITRATE))?;
        encoder.set_complexity(10)?;
        let mut narrow: Vec<i16> = limited(sound, 1.0, peak).into_iter().step_by(2).collect();
        // whole frames, and what the encoder holds back
        narrow.resize((narrow.len() + 80).next_multiple_of(FRAME), 0);
        let packets: Vec<Vec<u8>> =
            narrow.chunks(FRAME).map(|frame| encoder.encode_vec(frame, LONGEST)).collect::<Result<_, _>>()?;
        let out = decode(packets.iter().map(|packet| Ok(packet.as_slice())))?;
        // at half of it the codec is not at fault
        if peak < PEAK / 2.0 || out.iter().all(|sample| f64::from(*sample).abs() <= PEAK) {
            return Ok(packets);
        }
        peak *= 0.93;
    }
}

fn decode<'a>(packets: impl Iterator<Item = Result<&'a [u8], PackError>>) -> Result<Vec<i16>, PackError> {
    let mut decoder = opus::Decoder::new(RATE, opus::Channels::Mono)?;
    let (mut sound, mut frame) = (Vec::new(), [0; MOST]);
    for packet in packets {
        let count = decoder.decode(packet?, &mut frame, false)?;
        sound.extend(frame.get(..count).unwrap_or_default());
    }
    Ok(sound)
}

/// The phrases of a file.
///
/// # Errors
/// [`PackError`].
pub fn unpack(mut file: &[u8]) -> Result<Vec<Spoken>, PackError> {
    let mut all = Vec::new();
    while !file.is_empty() {
        let name = std::str::from_utf8(part(&mut file)?).map_err(|_| PackError::Broken)?;
        let phrase = Phrase::named(name).ok_or(PackError::Broken)?;
        let text = String::from_utf8(part(&mut file)?.to_vec()).map_err(|_| PackError::Broken)?;
        let (packets, rest) = file.split_first_chunk::<2>().ok_or(PackError::Broken)?;
        file = rest;
        let sound = decode((0..u16::from_le_bytes(*packets)).map(|_| part(&mut file)))?;
        all.push(Spoken { phrase, text, sound });
    }
    Ok(all)
}

fn put(file: &mut Vec<u8>, part: &[u8]) -> Result<(), PackError> {
    file.push(u8::try_from(part.len()).map_err(|_| PackError::Broken)?);
    file.extend(part);
    Ok(())
}

/// Some bytes after their length.
fn part<'a>(file: &mut &'a [u8]) -> Result<&'a [u8], PackError> {
    let (length, rest) = file.split_first().ok_or(PackError::Broken)?;
    let (part, rest) = rest.split_at_checked(usize::from(*length)).ok_or(PackError::Broken)?;
    *file = rest;
    Ok(part)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_was_packed_comes_out_as_long_and_as_loud() {
        let sound = |hz: f64| -> Vec<i16> {
            let wave = |at: usize| (at as f64 * hz / 16_000.0 * std::f64::consts::TAU).sin() * 4_634.0;
            (0..16_000).map(|at| wave(at) as i16).collect()
        };
        let spoken = |phrase, text: &str, hz| Spoken { phrase, text: text.to_owned(), sound: sound(hz) };
        let both = [spoken(Phrase::Opened, "Døra", 500.0), spoken(Phrase::Goodbye, "Ha det", 1_100.0)];
        let file = pack(&both).unwrap();
        assert!(file.len() < 5_500, "{} bytes for two seconds", file.len());
        let out = unpack(&file).unwrap();
        let names: Vec<_> = out.iter().map(|one| (one.phrase, one.text.as_str())).collect();
        assert_eq!(names, [(Phrase::Opened, "Døra"), (Phrase::Goodbye, "Ha det")]);
        for Spoken { sound, .. } in &out {
            assert!((16_000..18_000).contains(&sound.len()), "{}", sound.len());
            let level = crate::sound::level_dbfs(&sound[..16_000]);
            assert!((level + 20.0).abs() < 2.0, "{level}");
        }
        assert!(matches!(unpack(&file[..file.len() - 1]), Err(PackError::Broken)));
        assert!(matches!(unpack(b"\x03abc\0\0"), Err(PackError::Broken)));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let mut file = b"\x01\x37\x01x\x02\0".to_vec();
            file.extend(&bytes);
            let _ = (unpack(&file), unpack(&bytes));
        }
    }
}
